/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Doorbells: the pages a message-signalled interrupt is written to, and how they come into a space.
 * docs/doorbells.md tells the ways and when each is right.
 *
 * The page of a doorbell belongs to the library: it lies in a reserved region of its space
 * (WARD_REGION_SW_MSI: the window, or the page alone), where nobody else can map, and unmapping
 * leaves it where it is. It goes with its space.
 *
 * Threads: one at a time uses the object, and the spaces it maps into.
 */
#ifndef DOORWARD_DOORBELL_H
#define DOORWARD_DOORBELL_H

#include <doorward/space.h>
#include <doorward/stage1.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/** How a requester gets at doorbells. */
enum ward_doorbell_way {
	/** Nothing translates: the address is the physical one. */
	WARD_DOORBELL_PHYSICAL,
	/** A window at a fixed address: page n of it is the n-th doorbell page met. */
	WARD_DOORBELL_WINDOW,
	/** Wherever there is room, from the top (domains of the host's kernel). */
	WARD_DOORBELL_DYNAMIC,
	/** Nested: the guest maps its own controller's page; we map that page in stage 2. */
	WARD_DOORBELL_NESTED,
	/** Nested, with the window told to the guest, which maps it to itself (RMR, T_IDENTITY). */
	WARD_DOORBELL_IDENTITY,
};

/** Doorbell pages of one window, at most. */
#define WARD_DOORBELLS_MAX 64u

/** How. Set size to sizeof(struct ward_doorbell_options). */
struct ward_doorbell_options {
	size_t size;
	enum ward_doorbell_way way;
	/** Page size of the IOMMU (the smallest that a space maps): a whole page is mapped.
	 * 4 KiB to 1 GiB; PHYSICAL: not looked at. Linux takes its own page size. */
	uint64_t page_size;
	/** WINDOW and IDENTITY: the window, in whole pages; {0, 0} is Linux's, 0x8000000 to
	 * 0x80fffff. */
	struct ward_range window;
	/** All doorbell registers of the machine that a page may drag in (at most 64), copied. */
	const struct ward_range *frames;
	uint32_t frames_count;
};

/** A mapped doorbell. */
struct ward_doorbell {
	ward_iova_t iova;	   /**< what a message has to be written to */
	struct ward_range input;   /**< the page mapped for it, as the space sees it */
	struct ward_range reached; /**< physical addresses reached with it; PHYSICAL: all */
	uint64_t frames;	   /**< bit n: frames[n] lies in reached, and is reached with it */
	uint32_t index;		   /**< WINDOW, IDENTITY: which page of the window */
};

struct ward_doorbells;

/**
 * Creates a layout: one for each context (iommufd) or container, shared by its spaces.
 * @param options how
 * @param ret_doorbells the layout; the caller destroys it
 * @return 0; -EINVAL options that make no sense; -ENOMEM
 */
int ward_doorbells_create(const struct ward_doorbell_options *options,
			  struct ward_doorbells **ret_doorbells);

/**
 * Destroys a layout. What was mapped stays mapped.
 * @param doorbells a layout, or NULL
 */
void ward_doorbells_destroy(struct ward_doorbells *doorbells);

/**
 * Makes a doorbell reachable from a space. Asked again for the same doorbell, it answers the same.
 * The mapping is write-only where the space allows that, else read-write, of type
 * WARD_DEVICE_NGNRE.
 * @param doorbells a layout
 * @param space the space, unmanaged or dynamic; NESTED and IDENTITY: the stage 2; DYNAMIC: a
 * dynamic one; PHYSICAL: NULL or an identity space
 * @param doorbell physical address of the register that is written
 * @param guest NESTED: where the guest sees the register; else ignored
 * @param ret_doorbell what a message is written to, and what became reachable. NESTED: iova is
 * the guest physical address; which IOVA leads there is the guest's stage 1 to say
 * @return 0; -ENOSPC the window (WARD_DOORBELLS_MAX pages at most) is full, or no room; -EINVAL
 * guest and physical address differ within the page, the space is of another kind, has larger pages,
 * or has something else reserved there; -EADDRINUSE somebody's mapping is in the window; -EEXIST
 * another doorbell is there; -EOPNOTSUPP the space is carried out by a kernel that maps doorbells
 * itself, when vectors are set up; -ENOMEM
 */
int ward_doorbell_map(struct ward_doorbells *doorbells, struct ward_space *space,
		      ward_pa_t doorbell, ward_gpa_t guest, struct ward_doorbell *ret_doorbell);

/**
 * The reserved region that a requester in such a space has.
 * @param doorbells a layout
 * @param ret_reserved WINDOW: WARD_REGION_SW_MSI; IDENTITY: WARD_REGION_DIRECT, to be told to the guest
 * (of the stage 2 it is a window as ever, and not for ward_attach)
 * @return true when there is one
 */
bool ward_doorbells_reserved(const struct ward_doorbells *doorbells,
			     struct ward_reserved *ret_reserved);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

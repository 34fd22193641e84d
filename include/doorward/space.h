/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Spaces: what a requester's addresses mean. A space is a set of mappings from I/O virtual addresses
 * to targets; it may be carried out by a backend (page tables of an emulated IOMMU, VFIO, iommufd), and
 * it can always be asked.
 *
 * One contract, one table of errors:
 *
 * | call | what | errno |
 * |---|---|---|
 * | map | length 0, no access, unknown access, not aligned to the smallest page, outside the aperture, in a reserved region; an identity, blocked or nested space | EINVAL |
 * | map | the range or its target wraps | EOVERFLOW |
 * | map | overlaps a mapping | EEXIST |
 * | map | limit of mappings reached; map_any: no room | ENOSPC |
 * | unmap | WARD_UNMAP_SPLIT makes two of one, and the limit of mappings is reached | ENOSPC |
 * | map, unmap | memory; unmap only with WARD_UNMAP_SPLIT | ENOMEM |
 * | unmap | nothing is mapped there | ENOENT |
 * | unmap | it would split a mapping and WARD_UNMAP_SPLIT was not given; not aligned; start after last | EINVAL |
 * | attach | a reserved region of the requester is mapped already | EADDRINUSE |
 * | translate | the DMA faults; ret_fault says how | EFAULT |
 *
 * A call that fails changes nothing. How VFIO type1 and iommufd differ is in docs/backends.md.
 *
 * Threads: one at a time may change a space; any number may translate meanwhile, each with its own
 * reader. Source of the kinds: Linux include/linux/iommu.h.
 */
#ifndef DOORWARD_SPACE_H
#define DOORWARD_SPACE_H

#include <doorward/reader.h>
#include <doorward/region.h>
#include <doorward/translation.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct ward_space;
struct ward_space_ops;
struct ward_stage1;

enum ward_space_kind {
	WARD_SPACE_BLOCKED,   /**< every DMA faults */
	WARD_SPACE_IDENTITY,  /**< every address means itself */
	WARD_SPACE_UNMANAGED, /**< the owner chooses the addresses */
	WARD_SPACE_DYNAMIC,   /**< ward_space_map_any chooses them; the owner may choose, too */
	WARD_SPACE_NESTED,    /**< a stage 1 in guest memory over a stage 2 that is ours */
};

/** One mapping. */
struct ward_mapping {
	ward_iova_t start, last; /**< inclusive */
	ward_target_t target;	 /**< of start */
	uint32_t access;	 /**< WARD_READ | WARD_WRITE | WARD_EXEC, at least one */
	enum ward_memory_type type;
};

/** How a space is made. Set size to sizeof(struct ward_space_options); 0 is the default of all. */
struct ward_space_options {
	size_t size;
	enum ward_space_kind kind;
	/** Input addresses; {0, 0} is the default, 0 to 2^48 - 1. */
	struct ward_range aperture;
	/** Bit n: pages of 2^n bytes; the smallest one is what addresses are aligned to. 4 KiB. */
	uint64_t page_sizes;
	/** Most mappings at a time; 0: as many as memory holds. VFIO type1 has 65535. */
	uint64_t mappings_max;
	/** Who may translate while it changes; borrowed, outlives it. NULL: nobody meanwhile. */
	struct ward_readers *readers;
	/** Nested: the stage 2 (a reference is taken) and the guest's stage 1 (stage1.h; copied). */
	struct ward_space *parent;
	const struct ward_stage1 *stage1;
	/** Who carries it out (backend/interface.h), or NULL; backing is handed to it. */
	const struct ward_space_ops *ops;
	void *backing;
};

/**
 * Creates a space without mappings.
 * @param options how
 * @param ret_space the space; the caller destroys it
 * @return 0; -EINVAL options that make no sense; -ENOMEM
 */
int ward_space_create(const struct ward_space_options *options, struct ward_space **ret_space);

/**
 * Lets go of a space. Mappings and memory go when nobody is attached to it, and nothing is nested
 * on it, any more. Waits for readers.
 * @param space a space, or NULL
 */
void ward_space_destroy(struct ward_space *space);

/**
 * Adds a mapping.
 * @param space a space
 * @param mapping the mapping
 * @return 0 or an error of the table above, or of the backend; -EIO it is not mapped, but the backend
 * failed to take it back from some who are attached: detach them
 */
int ward_space_map(struct ward_space *space, const struct ward_mapping *mapping);

/**
 * Adds a mapping where there is room: from the top of the aperture (or of limit), aligned to its
 * size rounded up to a power of two, clear of reserved regions (Linux drivers/iommu/iova.c).
 * @param space a space of kind WARD_SPACE_DYNAMIC
 * @param mapping target, access, type; start 0 and last: the length less one
 * @param limit last address the device can use
 * @param ret_iova where it was mapped
 * @return 0 or an error of the table above
 */
int ward_space_map_any(struct ward_space *space, const struct ward_mapping *mapping,
		       ward_iova_t limit, ward_iova_t *ret_iova);

/** Lets unmap take a part out of a mapping. */
#define WARD_UNMAP_SPLIT 0x1u

/**
 * Removes all mappings within start..last. When it returns no translation finds them, and no
 * reader, device cache or IOMMU still uses them. Waits for readers. Without WARD_UNMAP_SPLIT it does
 * not fail for lack of memory. Pages of doorbells (doorbell.h) are not the caller's, and stay.
 * @param space a space
 * @param start first address
 * @param last last address
 * @param flags WARD_UNMAP_SPLIT or 0
 * @param ret_bytes how much was mapped there (0 when it was all of 2^64); may be NULL
 * @return 0 or an error of the table above; -EIO or another error of the backend, and the mappings
 * are as before. Where doorbells lie between them, that is because the backend took back what it had
 * removed already; what it did not take back is gone
 */
int ward_space_unmap(struct ward_space *space, ward_iova_t start, ward_iova_t last, uint32_t flags,
		     uint64_t *ret_bytes);

/**
 * Removes all mappings but the pages of doorbells. Waits for readers.
 * @param space a space
 * @return 0, also when there were none; an error of the backend, as of ward_space_unmap
 */
int ward_space_unmap_all(struct ward_space *space);

/**
 * Where one byte leads. No lock, no allocation.
 * @param space a space
 * @param reader the thread's handle, between enter and exit; NULL when the space has no readers
 * @param pasid for nested spaces; WARD_PASID_NONE else
 * @param iova the address
 * @param access what is tried, WARD_READ or WARD_WRITE or WARD_EXEC
 * @param ret_translation where it leads
 * @param ret_fault the fault, when -EFAULT is returned; may be NULL
 * @return 0 or -EFAULT
 */
int ward_space_translate(const struct ward_space *space, struct ward_reader *reader,
			 ward_pasid_t pasid, ward_iova_t iova, uint32_t access,
			 struct ward_translation *ret_translation, struct ward_fault *ret_fault);

/**
 * Walks the mappings by address; not while the space changes.
 * @param space a space
 * @param from first address to look at
 * @param ret_mapping the first mapping that ends at or after from
 * @return true when there was one; go on from its last + 1
 */
bool ward_space_next(const struct ward_space *space, ward_iova_t from,
		     struct ward_mapping *ret_mapping);

/**
 * Takes a range out of what can be mapped, for as long as the space lives; of a nested space, out of
 * its stage 2.
 * @param space a space
 * @param reserved the region; WARD_REGION_DIRECT_RELAXABLE takes nothing
 * @return 0; -EADDRINUSE something is mapped there (a WARD_REGION_DIRECT that is mapped to itself
 * is well); -EINVAL; -ENOMEM
 */
int ward_space_reserve(struct ward_space *space, const struct ward_reserved *reserved);

/**
 * Walks the reserved regions, by address; of a nested space, those of its stage 2.
 * @param space a space
 * @param cursor 0 to begin; moved on by the call
 * @param ret_reserved the next one
 * @return true while there was one
 */
bool ward_space_reserved_next(const struct ward_space *space, uint32_t *cursor,
			      struct ward_reserved *ret_reserved);

/** What a space is made of; for statistics and for those that carry it out. */
struct ward_space_info {
	enum ward_space_kind kind;
	struct ward_range aperture;
	uint64_t page_sizes;
	uint64_t mappings, mappings_max;
	uint64_t mapped_bytes; /**< modulo 2^64 */
	uint64_t memory_bytes; /**< of this process, for the mappings */
	uint32_t users;	       /**< attachments and spaces nested on it */
	void *backing;
	struct ward_space *parent;	  /**< borrowed */
	const struct ward_stage1 *stage1; /**< borrowed */
};

/**
 * Describes a space.
 * @param space a space
 * @param ret_info what it is
 */
void ward_space_info(const struct ward_space *space, struct ward_space_info *ret_info);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

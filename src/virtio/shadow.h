/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Shadows from the inside; <doorward/shadow.h> says what they do.
 *
 *	shadow.c	 who is shadowed, and the figures
 *	shadow_piece.c	 a mapping of the guest, in pieces of its memory
 *	shadow_space.c	 spaces of the host: made, filled, mapped, ended
 *	shadow_move.c	 functions go from one to another, or are cut off
 */
#ifndef VIRTIO_SHADOW_H
#define VIRTIO_SHADOW_H

#include "virtio/viommu.h"

#include <doorward/shadow.h>

#define SHADOW_RAM_MAX 64u

/* A space of the host with at least one function. */
struct shadow_space {
	struct ward_space *space;
	uint32_t domain;
	bool bypass; /* and no domain's */
	/*
	 * It is not what the guest thinks, or only functions are left that could not be taken out:
	 * nobody finds it any more, and it ends with the last of them.
	 */
	bool spoiled;
	bool emptied; /* spoiled, and nothing is mapped in it */
	uint32_t functions;
	uint32_t stuck; /* of them */
	uint64_t mappings;
	/* Of the host. */
	struct ward_range aperture;
	uint64_t page_mask, mappings_max;
};

struct shadow_function {
	uint32_t endpoint;
	struct ward_device *device;
	struct shadow_space *in; /* NULL: blocked */
	bool frozen;
	bool stuck; /* the host failed to take it out of its space */
};

struct ward_shadow {
	struct ward_shadow_options options; /* ram is the shadow's own copy */
	struct ward_range ram[SHADOW_RAM_MAX];
	void *functions; /* of struct shadow_function, by endpoint */
	size_t functions_count, functions_capacity;
	void *domains; /* of struct shadow_space *, by domain */
	size_t domains_count, domains_capacity;
	struct shadow_space *bypass; /* or NULL */
	uint32_t spaces;
	uint64_t mappings, peak, maps, unmaps, refused_full, refused_other, mappings_max;
};

/* shadow.c */
struct shadow_function *ward_shadow_find(const struct ward_shadow *shadow, uint32_t endpoint);

/* shadow_piece.c */
/* What of a mapping to guest physical addresses was not looked at yet. */
struct shadow_walk {
	const struct ward_shadow *shadow;
	struct ward_mapping left;
	uint64_t page_mask; /* of the host */
	bool bypass;	    /* memory that is read-only is mapped for reading */
	bool done;
};

/* 1 and the next mapping of the host; 0 that was all; -EFAULT, or an error of place. */
int ward_shadow_piece(struct shadow_walk *walk, struct ward_mapping *ret_piece);
/* How many of them there are, and the first one; walk is not moved. Or an error. */
int ward_shadow_pieces(const struct shadow_walk *walk, uint64_t *ret_count,
		       struct ward_mapping *ret_first);

/* shadow_space.c */
struct shadow_space *ward_shadow_domain(const struct ward_shadow *shadow, uint32_t domain);
/* The space of a place, made and filled if it is not there; with no more functions than before. */
int ward_shadow_space_get(struct ward_shadow *shadow, const struct ward_viommu_place *place,
			  struct shadow_space **ret_space);
/* Ends it when nobody is in it; empties it when only those are that cannot be taken out. */
void ward_shadow_space_settle(struct ward_shadow *shadow, struct shadow_space *space);
/* Nobody finds it any more. */
void ward_shadow_space_spoil(struct ward_shadow *shadow, struct shadow_space *space);
int ward_shadow_map(struct ward_shadow *shadow, struct shadow_space *space,
		    const struct ward_mapping *mapping);
int ward_shadow_unmap(struct ward_shadow *shadow, struct shadow_space *space,
		      struct ward_range range);
/* Counts a refusal, and makes an errno of a host one that a listener may answer. */
int ward_shadow_refused(struct ward_shadow *shadow, int code);

/* shadow_move.c */
int ward_shadow_move(struct ward_shadow *shadow, struct shadow_function *function,
		     const struct ward_viommu_place *to);
void ward_shadow_freeze(struct ward_shadow *shadow, struct shadow_function *function);
/* Out of its space; 0 or -EIO. */
int ward_shadow_leave(struct ward_shadow *shadow, struct shadow_function *function);
/* As far as it can be taken out; its space does not wait for it any more. */
void ward_shadow_abandon(struct ward_shadow *shadow, struct shadow_function *function);

#endif

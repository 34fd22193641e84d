/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Pages of doorbells in a space: they are the library's, and stay as long as the space does. */
#ifndef DMA_SPACE_DOORBELL_H
#define DMA_SPACE_DOORBELL_H

#include <doorward/types.h>

struct ward_space;

struct ward_doorbell_page {
	struct ward_range input; /* addresses of the space */
	uint64_t target;	 /* physical */
	/* Reserved for doorbells from now on; input lies in it. */
	struct ward_range window;
};

/*
 * Maps the page, unless it is there. 0; -EADDRINUSE somebody's mapping is in the window; -EEXIST
 * another doorbell is there; -EOPNOTSUPP the backend has doorbells of its own; or as ward_space_map,
 * and then nothing has changed.
 */
int ward_space_add_doorbell(struct ward_space *space, const struct ward_doorbell_page *page);

/* Where a page of a doorbell is mapped already. */
bool ward_space_find_doorbell(const struct ward_space *space, uint64_t target, uint64_t size,
			      uint64_t *ret_start);

#endif

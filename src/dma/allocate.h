/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Where there is room for a mapping: from the top, aligned to its size. */
#ifndef DMA_ALLOCATE_H
#define DMA_ALLOCATE_H

#include <doorward/types.h>

struct ward_space;

struct ward_allocator {
	uint64_t top; /* not used yet */
};

/* Before the first use. */
void ward_allocator_init(struct ward_space *space);

/* 0 or -ENOSPC. length is a multiple of the smallest page, at least one. */
int ward_allocate(struct ward_space *space, uint64_t length, uint64_t limit, uint64_t *ret_start);

/* The range has become free. */
void ward_allocate_freed(struct ward_space *space, struct ward_range range);

#endif

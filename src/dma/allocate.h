/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Where there is room for a mapping: from the top, aligned to its size. */
#ifndef DMA_ALLOCATE_H
#define DMA_ALLOCATE_H

#include <doorward/types.h>

struct ward_space;

#define WARD_ALLOCATE_FREED 8

/*
 * What earlier searches found out: no free block of this length ends in top + 1 to limit, but
 * perhaps those that start at freed[].
 */
struct ward_allocate_known {
	uint64_t length, limit, top;
	uint64_t freed[WARD_ALLOCATE_FREED];
	unsigned int freed_count;
};

/* Requests are of few lengths: a page, a ring, a buffer. */
#define WARD_ALLOCATE_KNOWN 8

/* Zero-initialised knows nothing. */
struct ward_allocator {
	struct ward_allocate_known known[WARD_ALLOCATE_KNOWN];
	unsigned int count, oldest;
};

/* 0 or -ENOSPC. length is a multiple of the smallest page, at least one. */
int ward_allocate(struct ward_space *space, uint64_t length, uint64_t limit, uint64_t *ret_start);

/* The range has become free. */
void ward_allocate_freed(struct ward_space *space, struct ward_range range);

#endif

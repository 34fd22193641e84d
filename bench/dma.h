/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Parts of bench-dma: the yardsticks, and walks through two stages. */
#ifndef BENCH_DMA_H
#define BENCH_DMA_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Of this thread alone, so that others on the machine do not count. */
static inline double thread_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Nanoseconds for one. */
struct yardsticks {
	double tree_lookup, tree_change; /* tsearch: tfind; tdelete and tsearch */
	double tree_bytes;		 /* for one, nodes and what they point to */
	double array_lookup;		 /* binary search */
};

/* order: a permutation of 0..count - 1. 0, or -1 without memory. */
int yardsticks(size_t count, const uint32_t *order, uint32_t lookups, uint32_t changes,
	       struct yardsticks *ret_yard);

/* Prints a JSON object. */
void bench_nested(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Clocks and a count of allocated bytes, for the programs in this folder. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>

/* What one run of something cost. */
struct cost {
	double cpu, wall;  /* seconds */
	size_t peak, kept; /* bytes above what was allocated before: at most, and at the end */
};

/* Begins and ends a measurement; they do not nest. */
void cost_begin(struct cost *cost);
void cost_end(struct cost *cost);

/* Keeps the smaller time of each kind; memory does not vary and is taken from the last. */
void cost_keep_best(struct cost *best, const struct cost *cost);

double seconds_now(void);

/*
 * The yardstick: what sorting so many records of 64 bytes, and building, walking and freeing a
 * search tree of so many nodes, cost here and now with the C library's own means.
 */
int yardstick(size_t count, struct cost *ret_sort, struct cost *ret_tree);

#endif

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "measure.h"

#include <malloc.h>
#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * The linker sends every allocation of the program here (--wrap), so that a peak inside a call is
 * seen. What the C library allocates for itself is not counted.
 */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
void __real_free(void *old);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
void __wrap_free(void *old);

static size_t in_use, most_in_use;

static void *count_new(void *new)
{
	in_use += malloc_usable_size(new);
	if (in_use > most_in_use)
		most_in_use = in_use;
	return new;
}

void *__wrap_malloc(size_t size)
{
	return count_new(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
	return count_new(__real_calloc(count, size));
}

void *__wrap_realloc(void *old, size_t size)
{
	return __wrap_reallocarray(old, 1, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	size_t before = malloc_usable_size(old);
	void *new = __real_reallocarray(old, count, size);

	if (!new)
		return NULL;
	in_use -= before;
	return count_new(new);
}

void __wrap_free(void *old)
{
	in_use -= malloc_usable_size(old);
	__real_free(old);
}

static double clock_seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double seconds_now(void)
{
	return clock_seconds(CLOCK_MONOTONIC);
}

/* Until the end, peak and kept hold what was in use at the beginning. */
void cost_begin(struct cost *cost)
{
	most_in_use = in_use;
	cost->kept = in_use;
	cost->wall = seconds_now();
	cost->cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
}

void cost_end(struct cost *cost)
{
	size_t before = cost->kept;

	cost->cpu = clock_seconds(CLOCK_PROCESS_CPUTIME_ID) - cost->cpu;
	cost->wall = seconds_now() - cost->wall;
	cost->peak = most_in_use - before;
	cost->kept = in_use > before ? in_use - before : 0;
}

void cost_keep_best(struct cost *best, const struct cost *cost)
{
	if (best->wall == 0 || cost->wall < best->wall)
		best->wall = cost->wall;
	if (best->cpu == 0 || cost->cpu < best->cpu)
		best->cpu = cost->cpu;
	best->peak = cost->peak;
	best->kept = cost->kept;
}

struct record {
	uint64_t key;
	char rest[56];
};

static int compare_records(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}

/* Steele and Vigna's SplitMix64, with its published constants: the same keys everywhere. */
static uint64_t next_key(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static size_t visited;

static void visit(const void *node, VISIT which, int depth)
{
	(void)node;
	(void)depth;
	visited += which == postorder || which == leaf;
}

static void keep(void *node)
{
	(void)node;
}

int yardstick(size_t count, struct cost *ret_sort, struct cost *ret_tree)
{
	struct record *records = calloc(count, sizeof(*records));
	uint64_t state = count;
	void *root = NULL;
	int failed = 0;

	if (!records)
		return -1;
	for (size_t i = 0; i < count; i++)
		records[i].key = next_key(&state);
	cost_begin(ret_tree);
	for (size_t i = 0; i < count; i++)
		failed |= !tsearch(&records[i], &root, compare_records);
	visited = 0;
	twalk(root, visit);
	failed |= visited != count;
	tdestroy(root, keep);
	cost_end(ret_tree);
	cost_begin(ret_sort);
	qsort(records, count, sizeof(*records), compare_records);
	cost_end(ret_sort);
	free(records);
	return failed ? -1 : 0;
}

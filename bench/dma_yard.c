// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Yardsticks of bench-dma: the same mappings in what the C library has, and in a sorted array. */
#include <search.h>
#include <stdbool.h>
#include <stdlib.h>

#include "dma.h"

#define PAGE 0x1000u

struct record {
	uint64_t start, last, target;
};

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Ranges that overlap are equal, so an address is found by a range of one byte. */
static int compare(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	return x->last < y->start ? -1 : x->start > y->last;
}

static void keep(void *node)
{
	(void)node;
}

static volatile uint64_t sink;

static double look_up_tree(void *root, size_t count, uint32_t lookups)
{
	uint64_t random = 88172645463325252u, sum = 0;
	double since = thread_seconds();

	for (uint32_t i = 0; i < lookups; i++) {
		uint64_t at = next_random(&random) % count * 2 * PAGE;
		struct record key = { at, at, 0 };
		struct record **found = tfind(&key, &root, compare);

		sum += found ? (*found)->target : 0;
	}
	sink = sum;
	return (thread_seconds() - since) * 1e9 / lookups;
}

static double change_tree(void **root, struct record *records, size_t count, uint32_t changes)
{
	uint64_t random = 3;
	bool failed = false;
	double since = thread_seconds();

	for (uint32_t i = 0; i < changes; i++) {
		struct record *record = &records[next_random(&random) % count];

		failed |= !tdelete(record, root, compare);
		failed |= !tsearch(record, root, compare);
	}
	return failed ? -1 : (thread_seconds() - since) * 1e9 / changes;
}

static double look_up_array(const struct record *records, size_t count, uint32_t lookups)
{
	uint64_t random = 88172645463325252u, sum = 0;
	double since = thread_seconds();

	for (uint32_t i = 0; i < lookups; i++) {
		uint64_t at = next_random(&random) % count * 2 * PAGE;
		size_t low = 0, high = count;

		while (low < high) {
			size_t middle = low + (high - low) / 2;

			if (records[middle].last < at)
				low = middle + 1;
			else
				high = middle;
		}
		if (low < count && records[low].start <= at)
			sum += records[low].target;
	}
	sink = sum;
	return (thread_seconds() - since) * 1e9 / lookups;
}

int yardsticks(size_t count, const uint32_t *order, uint32_t lookups, uint32_t changes,
	       struct yardsticks *ret_yard)
{
	struct record *records = calloc(count, sizeof(*records));
	void *root = NULL;
	int failed = 0;

	if (!records)
		return -1;
	for (size_t i = 0; i < count; i++)
		records[i] = (struct record){ i * 2 * PAGE, i * 2 * PAGE + PAGE - 1, i * PAGE };
	for (size_t i = 0; i < count; i++)
		failed |= !tsearch(&records[order[i]], &root, compare);
	if (!failed) {
		/* A node is a pointer to the record, two to nodes, and what malloc adds. */
		*ret_yard = (struct yardsticks){
			.tree_lookup = look_up_tree(root, count, lookups),
			.array_lookup = look_up_array(records, count, lookups),
			.tree_bytes = sizeof(struct record) + 4 * sizeof(void *),
		};
		ret_yard->tree_change = change_tree(&root, records, count, changes);
	}
	tdestroy(root, keep);
	free(records);
	return failed ? -1 : 0;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What spaces cost: map, unmap and translate by the number of mappings, in order and at random,
 * with one thread and two; unmap while others read; a nested walk. Beside them, in the same run,
 * glibc's tsearch and a sorted array with binary search.
 *
 *	bench-dma [--full] [--size N]...
 *
 * One JSON document; times are nanoseconds of CPU time for one call, those of unmap_beside_a_reader of
 * the clock on the wall. --full adds ten million mappings.
 */
#include <doorward/space.h>

#include <getopt.h>
#include <pthread.h>
#include <search.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "dma.h"
#include "measure.h"

#define PAGE 0x1000u
#define SIZES_MAX 8
#define LOOKUPS 2000000u
#define CHANGES 200000u
#define READERS_UNMAPS 20000u

struct bench {
	size_t count;
	uint32_t *order; /* a permutation of 0..count - 1 */
	struct ward_readers *readers;
	struct ward_space *space;
};

/* Keeps results from being optimised away. */
static _Atomic uint64_t sink;

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Mapping i: one page, and one left free behind it. */
static uint64_t iova_of(uint64_t i)
{
	return i * 2 * PAGE;
}

static void die(const char *what)
{
	fprintf(stderr, "bench-dma: %s\n", what);
	exit(1);
}

static void map_one(struct ward_space *space, uint64_t i)
{
	struct ward_mapping mapping = {
		.start = ward_iova(iova_of(i)),
		.last = ward_iova(iova_of(i) + PAGE - 1),
		.target = ward_target(i * PAGE),
		.access = WARD_READ | WARD_WRITE,
		.type = WARD_NORMAL,
	};

	if (ward_space_map(space, &mapping))
		die("map fails");
}

static void unmap_one(struct ward_space *space, uint64_t i)
{
	if (ward_space_unmap(space, ward_iova(iova_of(i)), ward_iova(iova_of(i) + PAGE - 1), 0,
			     NULL))
		die("unmap fails");
}

static struct ward_space *make_space(struct ward_readers *readers)
{
	struct ward_space_options options = {
		.size = sizeof(options),
		.kind = WARD_SPACE_DYNAMIC,
		.readers = readers,
	};
	struct ward_space *space;

	if (ward_space_create(&options, &space))
		die("no memory");
	return space;
}

static double each(double since, size_t count)
{
	return (thread_seconds() - since) * 1e9 / (double)count;
}

static void shuffle(struct bench *bench)
{
	uint64_t random = 88172645463325252u;

	bench->order = malloc(bench->count * sizeof(*bench->order));
	if (!bench->order)
		die("no memory");
	for (size_t i = 0; i < bench->count; i++)
		bench->order[i] = (uint32_t)i;
	for (size_t i = bench->count - 1; i > 0; i--) {
		size_t j = next_random(&random) % (i + 1);
		uint32_t kept = bench->order[i];

		bench->order[i] = bench->order[j];
		bench->order[j] = kept;
	}
}

/* Fills an empty space and empties it again, in order or at random. */
static void bench_fill(struct bench *bench, bool in_order, bool empty)
{
	struct ward_space_info info;
	double since = thread_seconds(), map, unmap = 0;

	for (size_t i = 0; i < bench->count; i++)
		map_one(bench->space, in_order ? i : bench->order[i]);
	map = each(since, bench->count);
	ward_space_info(bench->space, &info);
	if (empty) {
		since = thread_seconds();
		for (size_t i = 0; i < bench->count; i++)
			unmap_one(bench->space, in_order ? i : bench->order[bench->count - 1 - i]);
		unmap = each(since, bench->count);
	}
	printf("      \"fill_%s\": {\"map\": %.1f, \"unmap\": %.1f, \"bytes_per_mapping\": %.1f},\n",
	       in_order ? "sequential" : "random", map, unmap,
	       (double)info.memory_bytes / (double)bench->count);
}

struct lookup {
	struct bench *bench;
	bool in_order, hit;
	uint64_t seed;
	double each;
};

/* As a device would: one translation after another, each in a section of its own. */
static void *look_up(void *context)
{
	struct lookup *lookup = context;
	struct bench *bench = lookup->bench;
	struct ward_translation translation;
	struct ward_reader *reader;
	uint64_t random = lookup->seed, sum = 0, at = 0;
	double since;

	if (ward_reader_create(bench->readers, &reader))
		die("no memory");
	since = thread_seconds();
	for (uint32_t i = 0; i < LOOKUPS; i++) {
		at = lookup->in_order ? i % bench->count : next_random(&random) % bench->count;
		ward_reader_enter(reader);
		if (ward_space_translate(bench->space, reader, WARD_PASID_NONE,
					 ward_iova(iova_of(at) + (lookup->hit ? 0 : PAGE)),
					 WARD_READ, &translation, NULL) == 0)
			sum += ward_target_raw(translation.target);
		ward_reader_exit(reader);
	}
	lookup->each = each(since, LOOKUPS);
	atomic_fetch_add(&sink, sum);
	ward_reader_destroy(reader);
	return NULL;
}

static double look_up_alone(struct bench *bench, bool in_order, bool hit)
{
	struct lookup lookup = { bench, in_order, hit, 88172645463325252u, 0 };

	look_up(&lookup);
	return lookup.each;
}

/* How many times as much two threads translate as one did. */
static double look_up_twice(struct bench *bench, double alone)
{
	struct lookup one = { bench, false, true, 3, 0 }, two = { bench, false, true, 5, 0 };
	pthread_t thread;

	if (pthread_create(&thread, NULL, look_up, &two))
		die("no thread");
	look_up(&one);
	pthread_join(thread, NULL);
	return alone / one.each + alone / two.each;
}

static double bench_translate(struct bench *bench)
{
	double random = look_up_alone(bench, false, true);

	printf("      \"translate\": {\"random_hit\": %.1f, \"random_miss\": %.1f, "
	       "\"sequential_hit\": %.1f, \"two_threads\": %.2f},\n",
	       random, look_up_alone(bench, false, false), look_up_alone(bench, true, true),
	       look_up_twice(bench, random));
	return random;
}

/* Removes and adds again, at random, in a space that stays full. */
static double bench_change(struct bench *bench)
{
	uint64_t random = 3;
	double since = thread_seconds(), took;

	for (uint32_t i = 0; i < CHANGES; i++) {
		uint64_t at = next_random(&random) % bench->count;

		unmap_one(bench->space, at);
		map_one(bench->space, at);
	}
	took = each(since, CHANGES);
	printf("      \"unmap_and_map_random\": %.1f,\n", took);
	return took;
}

struct background {
	struct bench *bench;
	_Atomic bool done;
	_Atomic bool started;
};

static void *read_on(void *context)
{
	struct background *background = context;
	struct bench *bench = background->bench;
	struct ward_translation translation;
	struct ward_reader *reader;
	uint64_t random = 9;

	if (ward_reader_create(bench->readers, &reader))
		die("no memory");
	atomic_store(&background->started, true);
	while (!atomic_load_explicit(&background->done, memory_order_relaxed)) {
		ward_reader_enter(reader);
		for (unsigned int i = 0; i < 8; i++)
			(void)ward_space_translate(bench->space, reader, WARD_PASID_NONE,
						   ward_iova(iova_of(next_random(&random) %
								     bench->count)),
						   WARD_READ, &translation, NULL);
		ward_reader_exit(reader);
	}
	ward_reader_destroy(reader);
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Unmap waits for the reader: median and worst, with eight translations in each section. */
static void bench_waiting(struct bench *bench)
{
	struct background background = { .bench = bench };
	double *took = malloc(READERS_UNMAPS * sizeof(*took));
	uint64_t random = 11;
	pthread_t thread;

	if (!took || pthread_create(&thread, NULL, read_on, &background))
		die("no thread");
	while (!atomic_load(&background.started))
		;
	for (size_t i = 0; i < READERS_UNMAPS; i++) {
		uint64_t at = next_random(&random) % bench->count;
		double since = seconds_now();

		unmap_one(bench->space, at);
		took[i] = (seconds_now() - since) * 1e9;
		map_one(bench->space, at);
	}
	atomic_store(&background.done, true);
	pthread_join(thread, NULL);
	qsort(took, READERS_UNMAPS, sizeof(*took), by_value);
	printf("      \"unmap_beside_a_reader\": {\"median\": %.0f, \"p99\": %.0f, "
	       "\"worst\": %.0f},\n",
	       took[READERS_UNMAPS / 2], took[READERS_UNMAPS * 99 / 100], took[READERS_UNMAPS - 1]);
	free(took);
}

static double bench_unmap_all(struct bench *bench)
{
	double since = thread_seconds();

	if (ward_space_unmap_all(bench->space))
		die("unmap_all fails");
	return each(since, bench->count);
}

/* Adds where there is room, frees at random, adds again. */
static void bench_any(struct bench *bench)
{
	struct ward_space *space = make_space(NULL);
	struct ward_mapping mapping = {
		.last = ward_iova(PAGE - 1),
		.access = WARD_READ,
		.type = WARD_NORMAL,
	};
	ward_iova_t *at = malloc(bench->count * sizeof(*at));
	ward_iova_t limit = ward_iova(UINT64_MAX);
	uint64_t random = 13;
	double since = thread_seconds(), first, again;

	if (!at)
		die("no memory");
	for (size_t i = 0; i < bench->count; i++) {
		if (ward_space_map_any(space, &mapping, limit, &at[i]))
			die("map_any fails");
	}
	first = each(since, bench->count);
	since = thread_seconds();
	for (size_t i = 0; i < CHANGES; i++) {
		size_t j = next_random(&random) % bench->count;

		if (ward_space_unmap(space, at[j], ward_iova(ward_iova_raw(at[j]) + PAGE - 1), 0,
				     NULL) ||
		    ward_space_map_any(space, &mapping, limit, &at[j]))
			die("map_any fails");
	}
	again = each(since, CHANGES);
	printf("      \"map_any\": {\"fill\": %.1f, \"unmap_and_map_random\": %.1f},\n", first,
	       again);
	ward_space_destroy(space);
	free(at);
}

static void bench_size(size_t count, bool last)
{
	struct bench bench = { .count = count };
	struct yardsticks yard;
	double random, change, all;

	if (ward_readers_create(&bench.readers))
		die("no memory");
	bench.space = make_space(bench.readers);
	shuffle(&bench);
	printf("    {\n      \"mappings\": %zu,\n", count);
	bench_fill(&bench, true, true);
	bench_fill(&bench, false, false);
	random = bench_translate(&bench);
	change = bench_change(&bench);
	bench_waiting(&bench);
	all = bench_unmap_all(&bench);
	printf("      \"unmap_all_each\": %.1f,\n", all);
	ward_space_destroy(bench.space);
	bench_any(&bench);
	if (yardsticks(count, bench.order, LOOKUPS, CHANGES, &yard))
		die("no memory");
	printf("      \"tsearch\": {\"lookup\": %.1f, \"delete_and_insert\": %.1f, \"bytes\": %.0f},\n"
	       "      \"sorted_array\": {\"lookup\": %.1f},\n"
	       "      \"times_faster\": {\"translate_than_tsearch\": %.1f, "
	       "\"translate_than_array\": %.1f, \"change_than_tsearch\": %.1f}\n    }%s\n",
	       yard.tree_lookup, yard.tree_change, yard.tree_bytes, yard.array_lookup,
	       yard.tree_lookup / random, yard.array_lookup / random, yard.tree_change / change,
	       last ? "" : ",");
	fflush(stdout);
	free(bench.order);
	ward_readers_destroy(bench.readers);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "full", no_argument, NULL, 'f' },
		{ "size", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	size_t sizes[SIZES_MAX] = { 1000, 10000, 100000, 1000000 }, count = 4, given = 0;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'f' && count < SIZES_MAX) {
			sizes[count++] = 10000000;
		} else if (option == 's' && given < SIZES_MAX && strtoul(optarg, NULL, 0) > 1) {
			sizes[given++] = strtoul(optarg, NULL, 0);
			count = given;
		} else {
			fprintf(stderr, "usage: bench-dma [--full] [--size N]...\n");
			return 2;
		}
	}
	printf("{\n  \"bench\": \"dma\",\n  \"nested_walk\": ");
	bench_nested();
	printf(",\n  \"sizes\": [\n");
	for (size_t i = 0; i < count; i++)
		bench_size(sizes[i], i + 1 == count);
	printf("  ]\n}\n");
	return 0;
}

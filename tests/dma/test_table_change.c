// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Map and unmap against an array that knows for each unit of a window where it leads, with as
 * little memory as to run out of it in the middle.
 */
#include "table_case.h"

#include "base/reader.h"
#include "sweep.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MEMORY_START UINT64_C(0x1000000)
#define MEMORY_BYTES UINT64_C(0x400000)
#define UNITS 1200

struct unit {
	bool mapped;
	uint64_t output;
	uint32_t access;
	enum ward_memory_type type;
};

struct world {
	struct ward_memory *memory;
	struct ward_table_pages *pages;
	struct ward_table table;
	uint64_t base, unit; /* window */
	struct unit units[UNITS];
	uint64_t hogs[MEMORY_BYTES / 4096];
	size_t hogs_count;
};

static struct world world;
static unsigned long refused; /* for want of memory */

static void world_make(const struct table_case *one)
{
	const struct ward_range range = { MEMORY_START, MEMORY_START + MEMORY_BYTES - 1 };

	memset(&world, 0, sizeof(world));
	assert_int_equal(ward_memory_create(&world.memory), 0);
	assert_int_equal(ward_memory_add(world.memory, range, 0, NULL), 0);
	assert_int_equal(ward_table_pages_create(world.memory, range, &world.pages), 0);
	world.table = table_case_table(one);
	world.table.hardware_bits = WARD_VTD_SNOOP;
	assert_int_equal(ward_table_create(&world.table, world.pages), 0);
}

static void world_finish(void)
{
	ward_table_destroy(&world.table, world.pages);
	ward_table_pages_destroy(world.pages);
	ward_memory_destroy(world.memory);
}

static uint64_t granule(void)
{
	return UINT64_C(1) << world.table.granule_shift;
}

static bool walk(uint64_t input, struct ward_table_leaf *ret_leaf, struct ward_fault *ret_fault)
{
	const struct ward_entry_reader reader = { ward_entry_read_memory, world.memory };

	return ward_table_walk(&world.table, &reader, input, 0, NULL, NULL, ret_leaf, ret_fault) ==
	       0;
}

static void check_unit(size_t index)
{
	const struct unit *unit = &world.units[index];
	uint64_t offset = table_dice_below(world.unit);
	uint64_t input = world.base + index * world.unit + offset;
	struct ward_table_leaf leaf;
	struct ward_fault fault;

	if (!walk(input, &leaf, &fault)) {
		assert_int_equal(fault.reason, WARD_FAULT_TRANSLATION);
		assert_false(unit->mapped);
		return;
	}
	assert_true(unit->mapped);
	assert_true(leaf.output == unit->output + offset);
	assert_int_equal(leaf.access, unit->access);
	if (world.table.format != &ward_format_vtd_stage2)
		assert_int_equal(leaf.type, unit->type);
	/* All that the leaf covers is mapped by it alone. */
	assert_true(leaf.input.start <= input && input <= leaf.input.last);
	for (int i = 0; i < 2; i++) {
		uint64_t at = i ? leaf.input.last : leaf.input.start;
		size_t other = (size_t)((at - world.base) / world.unit);

		assert_true(at >= world.base && other < UNITS);
		assert_true(world.units[other].mapped);
		assert_true(world.units[other].output + at % world.unit ==
			    leaf.output + (at - input));
	}
}

static void check_all(void)
{
	for (size_t i = 0; i < UNITS; i++)
		check_unit(i);
}

/* Leaves all but count tables to nobody. */
static void hog(size_t count)
{
	while (ward_table_pages_alloc(world.pages, granule(), &world.hogs[world.hogs_count]) == 0)
		world.hogs_count++;
	for (; count > 0 && world.hogs_count > 0; count--)
		ward_table_pages_free(world.pages, world.hogs[--world.hogs_count], granule());
}

static void unhog(void)
{
	while (world.hogs_count > 0)
		ward_table_pages_free(world.pages, world.hogs[--world.hogs_count], granule());
}

static int unmap(uint64_t start, uint64_t last)
{
	struct ward_table_freed freed = { 0 };
	int code = ward_table_unmap(&world.table, world.pages, (struct ward_range){ start, last },
				    &freed);

	if (code == 0)
		ward_table_release(world.pages, &world.table, &freed);
	return code;
}

static enum ward_memory_type some_type(void)
{
	static const enum ward_memory_type of_mair[] = { WARD_NORMAL, WARD_NORMAL_NC,
							 WARD_DEVICE_NGNRE, WARD_DEVICE_NGRE };

	/* Stage 1 has those that MAIR has. */
	return of_mair[table_dice_below(4)];
}

static void map_some(size_t first, size_t count)
{
	static const uint32_t accesses[] = { WARD_READ, WARD_READ | WARD_WRITE,
					     WARD_READ | WARD_EXEC,
					     WARD_READ | WARD_WRITE | WARD_EXEC, WARD_WRITE };
	uint32_t access = accesses[table_dice_below(world.table.stage == 1 ? 4 : 5)];
	enum ward_memory_type type = some_type();
	uint64_t start = world.base + first * world.unit, length = count * world.unit;
	uint64_t output = table_dice() & ((UINT64_C(1) << (world.table.output_bits - 1)) - 1);
	uint64_t used = ward_table_pages_used(world.pages);
	bool taken = false;
	int code;

	/* Mostly aligned as the input is, so that large leaves fit. */
	output = table_dice_below(3) ? (output & ~(length * 4096 - 1)) + start % (length * 64)
				     : output;
	output = output / world.unit * world.unit;
	if ((output + length - 1) >> world.table.output_bits)
		output = start;
	if ((output + length - 1) >> world.table.output_bits)
		return;
	for (size_t i = first; i < first + count; i++)
		taken |= world.units[i].mapped;
	code = ward_table_map(&world.table, world.pages,
			      (struct ward_range){ start, start + length - 1 }, output, access,
			      type, table_dice_below(4) ? 0 : world.unit);
	if (code == -ENOMEM || taken) {
		assert_int_equal(code, taken ? -EEXIST : -ENOMEM);
		assert_int_equal(ward_table_pages_used(world.pages), used);
		refused += code == -ENOMEM;
		return;
	}
	assert_int_equal(code, 0);
	for (size_t i = first; i < first + count; i++)
		world.units[i] =
			(struct unit){ true, output + (i - first) * world.unit, access, type };
}

static void unmap_some(size_t first, size_t count)
{
	uint64_t start = world.base + first * world.unit;
	uint64_t used = ward_table_pages_used(world.pages);
	int code = unmap(start, start + count * world.unit - 1);

	if (code == -ENOMEM) {
		assert_int_equal(ward_table_pages_used(world.pages), used);
		refused++;
		return;
	}
	assert_int_equal(code, 0);
	for (size_t i = first; i < first + count; i++)
		world.units[i].mapped = false;
}

static void run_window(const struct table_case *one, uint64_t base, uint64_t unit)
{
	uint64_t root_used;

	world_make(one);
	root_used = ward_table_pages_used(world.pages);
	world.base = base;
	world.unit = unit;
	for (int round = 0; round < 160; round++) {
		size_t first = (size_t)table_dice_below(UNITS), most = UNITS - first, count;

		count = 1 + (size_t)table_dice_below(table_dice_below(3) ? 20 : most);
		if (count > most)
			count = most;
		if (round % 20 == 0) {
			unhog();
			hog((size_t)table_dice_below(6));
			if (table_dice_below(2)) {
				unmap_some(0, UNITS);
				/* Enough for large leaves; some do not fit for their output. */
				map_some((size_t)table_dice_below(32), UNITS - 64);
			}
		}
		if (table_dice_below(3))
			map_some(first, count);
		else
			unmap_some(first, count);
		check_unit(first);
		check_unit(first + count - 1);
		if (first > 0)
			check_unit(first - 1);
		if (first + count < UNITS)
			check_unit(first + count);
		if (round % 20 == 0)
			check_all();
	}
	check_all();
	unhog();
	/* Everything goes at once, and nothing but the first table is left. */
	assert_int_equal(unmap(0, (UINT64_C(1) << one->input_bits) - 1), 0);
	assert_int_equal(ward_table_pages_used(world.pages), root_used);
	world_finish();
}

static void changes_do_as_an_array_does(void **state)
{
	(void)state;
	for (size_t i = 0; i < TABLE_CASES; i++) {
		const struct table_case *one = &table_cases[i];
		unsigned int stride = one->granule_shift - 3u;
		uint64_t small = UINT64_C(1) << one->granule_shift, block = small << stride;
		uint64_t input = UINT64_C(1) << one->input_bits, base;

		/* Across a bound of a large block, where there is one. */
		if (input < UNITS * small)
			continue;
		base = input > (block << stride) ? (block << stride) - UNITS / 2 * small
						 : input - UNITS * small;
		run_window(one, base, small);
		if (input < UNITS * block)
			continue;
		base = input > 2 * (block << stride) ? (block << stride) - UNITS / 4 * block
						     : input - UNITS * block;
		run_window(one, base, block);
	}
	assert_true(refused > 100);
}

/* With each number of free tables, from none to enough, all is done or nothing. */
static void nothing_is_half_mapped(void **state)
{
	(void)state;
	for (size_t i = 0; i < TABLE_CASES; i++) {
		const struct table_case *one = &table_cases[i];
		uint64_t small = UINT64_C(1) << one->granule_shift, used, entry;
		uint64_t block = small << (one->granule_shift - 3);
		struct ward_range input = { block - small, 2 * block + small - 1 };
		struct ward_table_leaf leaf;
		size_t count;
		int code;

		world_make(one);
		/* Where there is one table in all, there is nothing to fail. */
		if (input.last >> one->input_bits || world.table.start_level == 3) {
			world_finish();
			continue;
		}
		used = ward_table_pages_used(world.pages);
		for (count = 0;; count++) {
			hog(count);
			code = ward_table_map(&world.table, world.pages, input, 8 * block - small,
					      WARD_READ, WARD_NORMAL, 0);
			unhog();
			if (code == 0)
				break;
			assert_int_equal(code, -ENOMEM);
			assert_int_equal(ward_table_pages_used(world.pages), used);
			for (uint64_t at = 0; at < ward_table_root_size(&world.table); at += 8) {
				assert_int_equal(ward_memory_read_u64(world.memory,
								      world.table.root + at,
								      &entry),
						 0);
				assert_true(entry == 0);
			}
		}
		assert_true(count > 1);
		assert_true(walk(block, &leaf, NULL));
		assert_int_equal(leaf.level, 2);
		used = ward_table_pages_used(world.pages);
		for (count = 0; count < 2; count++) {
			hog(count);
			code = unmap(block + small, block + 2 * small - 1);
			unhog();
			assert_int_equal(code, count ? 0 : -ENOMEM);
			assert_int_equal(walk(block + small, &leaf, NULL), !count);
			assert_true(walk(block, &leaf, NULL));
			assert_int_equal(leaf.level, count ? 3 : 2);
			assert_int_equal(ward_table_pages_used(world.pages),
					 used + (count ? small : 0));
		}
		world_finish();
	}
}

/* A leaf of 1 GiB, out of which something is taken that begins and ends in small pages. */
static void a_large_leaf_is_split_at_both_bounds(void **state)
{
	static const size_t cases[] = { 3, 18, TABLE_CASES - 1 };
	const uint64_t base = 0x40000000, first = base + 0x201000, last = base + 0xc02fff;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct ward_table_leaf leaf;
		uint64_t used;
		size_t count;

		world_make(&table_cases[cases[i]]);
		assert_int_equal(ward_table_map(&world.table, world.pages,
						(struct ward_range){ base, base + 0x3fffffff },
						0x80000000, WARD_READ, WARD_NORMAL, 0),
				 0);
		assert_true(walk(first, &leaf, NULL));
		assert_int_equal(leaf.level, 1);
		used = ward_table_pages_used(world.pages);
		for (count = 0; count <= 3; count++) {
			hog(count);
			assert_int_equal(unmap(first, last), count < 3 ? -ENOMEM : 0);
			unhog();
			assert_int_equal(walk(first, &leaf, NULL), count < 3);
			if (count < 3)
				assert_int_equal(ward_table_pages_used(world.pages), used);
		}
		assert_int_equal(ward_table_pages_used(world.pages), used + 3 * 0x1000);
		assert_false(walk(base + 0x600000, &leaf, NULL));
		assert_false(walk(last, &leaf, NULL));
		assert_true(walk(first - 1, &leaf, NULL));
		assert_true(leaf.level == 3 && leaf.output == 0x80200fff);
		assert_true(walk(last + 1, &leaf, NULL));
		assert_true(leaf.level == 3 && leaf.output == 0x80c03000);
		assert_true(walk(base, &leaf, NULL));
		assert_true(leaf.level == 2 && leaf.output == 0x80000000);
		assert_true(walk(base + 0x3fffffff, &leaf, NULL));
		assert_true(leaf.level == 2 && leaf.output == 0xbfffffff);
		world_finish();
	}
}

static void what_makes_no_sense_is_refused(void **state)
{
	const struct table_case *one = &table_cases[3];
	struct ward_table_freed freed = { .first = 5 };

	(void)state;
	world_make(one);
#define MAP(start, last, output, access, type, sizes)                                         \
	ward_table_map(&world.table, world.pages, (struct ward_range){ start, last }, output, \
		       access, type, sizes)
	assert_int_equal(MAP(1, 0, 0, WARD_READ, WARD_NORMAL, 0), -EINVAL);
	assert_int_equal(MAP(0x800, 0x1fff, 0, WARD_READ, WARD_NORMAL, 0), -EINVAL);
	assert_int_equal(MAP(0, 0x17ff, 0, WARD_READ, WARD_NORMAL, 0), -EINVAL);
	assert_int_equal(MAP(0, 0xfff, 0x800, WARD_READ, WARD_NORMAL, 0), -EINVAL);
	assert_int_equal(MAP(0, UINT64_C(1) << 48 | 0xfff, 0, WARD_READ, WARD_NORMAL, 0), -EINVAL);
	assert_int_equal(MAP(0, 0x1fff, (UINT64_C(1) << 48) - 0x1000, WARD_READ, WARD_NORMAL, 0),
			 -EINVAL);
	assert_int_equal(MAP(0, 0x1fff, UINT64_MAX - 0xfff, WARD_READ, WARD_NORMAL, 0), -EINVAL);
	assert_int_equal(MAP(0, 0xfff, 0, 0, WARD_NORMAL, 0), -EINVAL);
	assert_int_equal(MAP(0, 0xfff, 0, 8, WARD_NORMAL, 0), -EINVAL);
	/* No write-only at stage 1, no such type in MAIR, no page of that size. */
	assert_int_equal(MAP(0, 0xfff, 0, WARD_WRITE, WARD_NORMAL, 0), -EINVAL);
	world.table.mair = 0x44;
	assert_int_equal(MAP(0, 0xfff, 0, WARD_READ, WARD_NORMAL, 0), -EINVAL);
	world.table.mair = TABLE_CASE_MAIR;
	assert_int_equal(MAP(0, 0xfff, 0, WARD_READ, WARD_NORMAL, 0x200000), -EINVAL);
	assert_int_equal(MAP(0, 0x1fffff, 0, WARD_READ, WARD_NORMAL, 0x200000), 0);
	assert_int_equal(MAP(0x1ff000, 0x200fff, 0x1ff000, WARD_READ, WARD_NORMAL, 0), -EEXIST);
#undef MAP
	assert_int_equal(ward_table_unmap(&world.table, world.pages,
					  (struct ward_range){ 0x800, 0xfff }, &freed),
			 -EINVAL);
	assert_int_equal(ward_table_unmap(&world.table, world.pages,
					  (struct ward_range){ 0, 0xffe }, &freed),
			 -EINVAL);
	assert_int_equal(ward_table_unmap(&world.table, world.pages,
					  (struct ward_range){ 0x1000, 0xfff }, &freed),
			 -EINVAL);
	assert_int_equal(freed.first, 5);
	/* Of nothing, nothing is taken. */
	assert_int_equal(unmap(0x40000000, 0x4fffffff), 0);
	world_finish();
}

/* Tables of ours into which somebody wrote. */
static void damaged_tables_are_noticed(void **state)
{
	struct ward_range input = { 0x200000, 0x3fffff };
	struct ward_table_freed freed;

	(void)state;
	for (int round = 0; round < 600; round++) {
		const struct table_case *one =
			&table_cases[table_dice_below(2) ? 3 : TABLE_CASES - 1];
		int code;

		world_make(one);
		assert_int_equal(ward_table_map(&world.table, world.pages, input, 0x8000000,
						WARD_READ, WARD_NORMAL, 0x1000),
				 0);
		for (int i = 0; i < 20; i++) {
			uint64_t at = MEMORY_START + table_dice_below(4 * 512) * 8;
			uint64_t entry = table_dice_below(2)
						 ? MEMORY_START + table_dice_below(6) * 4096 + 3
						 : table_dice();

			ward_memory_write_u64(world.memory, at, entry);
		}
		code = ward_table_unmap(&world.table, world.pages,
					(struct ward_range){ 0x201000, 0x2fffff }, &freed);
		assert_true(code == 0 || code == -EFAULT);
		if (code == 0)
			ward_table_release(world.pages, &world.table, &freed);
		code = ward_table_map(&world.table, world.pages, input, 0x8000000, WARD_READ,
				      WARD_NORMAL, 0);
		assert_true(code == 0 || code == -EFAULT || code == -EEXIST);
		world_finish();
	}
}

static void pages_are_given_and_taken(void **state)
{
	const struct ward_range range = { 0x0, 0x1fffff };
	struct ward_memory *memory;
	struct ward_table_pages *pages;
	uint64_t at[256], address, word;
	size_t count = 0;

	(void)state;
	assert_int_equal(ward_memory_create(&memory), 0);
	assert_int_equal(ward_memory_add(memory, range, 0, NULL), 0);
	assert_int_equal(ward_table_pages_create(memory, (struct ward_range){ 0x1001, 0x2ffe },
						 &pages),
			 -EINVAL);
	assert_int_equal(ward_table_pages_create(memory, (struct ward_range){ 0x1000, 0x200000 },
						 &pages),
			 -EINVAL);
	/* Only whole pages, and never the one at 0. */
	assert_int_equal(ward_table_pages_create(memory, (struct ward_range){ 0, 0xf0ffe }, &pages),
			 0);
	while (ward_table_pages_alloc(pages, 64, &at[count]) == 0)
		count++;
	assert_int_equal(count, 0xef);
	assert_int_equal(ward_table_pages_used(pages), 0xef * 0x1000);
	ward_memory_write(memory, 0x10000, "dust", 4);
	for (address = 0x10000; address < 0x20000; address += 0x1000)
		ward_table_pages_free(pages, address, 4096);
	/* Twice, and what was never given. */
	ward_table_pages_free(pages, 0x10000, 4096);
	ward_table_pages_free(pages, 0, 4096);
	ward_table_pages_free(pages, 0xf0000, 4096);
	ward_table_pages_free(pages, UINT64_MAX - 0xfff, 4096);
	assert_int_equal(ward_table_pages_used(pages), 0xdf * 0x1000);
	assert_int_equal(ward_table_pages_alloc(pages, 0x3000, &address), -EINVAL);
	assert_int_equal(ward_table_pages_alloc(pages, 0, &address), -EINVAL);
	assert_int_equal(ward_table_pages_alloc(pages, 0x20000, &address), -ENOMEM);
	assert_int_equal(ward_table_pages_alloc(pages, 0x10000, &address), 0);
	assert_int_equal(address, 0x10000);
	assert_int_equal(ward_memory_read_u64(memory, 0x10000, &word), 0);
	assert_int_equal(word, 0);
	for (size_t i = 0; i < 0xef; i++)
		ward_table_pages_free(pages, at[i], 64);
	assert_int_equal(ward_table_pages_used(pages), 0);
	ward_table_pages_destroy(pages);
	/* Larger than a word of the map. */
	assert_int_equal(ward_table_pages_create(memory, (struct ward_range){ 0x3000, 0x1fffff },
						 &pages),
			 0);
	assert_int_equal(ward_table_pages_alloc(pages, 0x100000, &address), 0);
	assert_int_equal(address, 0x100000);
	assert_int_equal(ward_table_pages_alloc(pages, 0x100000, &address), -ENOMEM);
	assert_int_equal(ward_table_pages_alloc(pages, 0x40000, &address), 0);
	assert_int_equal(address, 0x40000);
	ward_table_pages_destroy(pages);
	ward_memory_destroy(memory);
}

static int make_pages(void *context)
{
	struct ward_table_pages *pages;
	int code = ward_table_pages_create(context, (struct ward_range){ 0, 0xffff }, &pages);

	if (code == 0)
		ward_table_pages_destroy(pages);
	return code;
}

static void every_allocation_may_fail(void **state)
{
	struct ward_memory *memory;

	(void)state;
	assert_int_equal(ward_memory_create(&memory), 0);
	assert_int_equal(ward_memory_add(memory, (struct ward_range){ 0, 0xffff }, 0, NULL), 0);
	assert_int_equal(test_sweep(make_pages, memory), 2);
	ward_memory_destroy(memory);
}

/* Whoever walks meanwhile finds what was there, or what is there now. */
struct meanwhile {
	struct ward_readers *readers;
	atomic_bool over;
	atomic_ulong found, wrong;
};

static void *walk_meanwhile(void *context)
{
	struct meanwhile *meanwhile = context;
	struct ward_reader *reader;

	if (ward_reader_create(meanwhile->readers, &reader))
		return NULL;
	while (!atomic_load(&meanwhile->over)) {
		struct ward_table_leaf leaf;
		struct ward_fault fault;

		ward_reader_enter(reader);
		if (walk(0x40201234, &leaf, &fault)) {
			atomic_fetch_add(&meanwhile->found, 1);
			if (leaf.output != 0x80201234 || leaf.access != WARD_READ)
				atomic_fetch_add(&meanwhile->wrong, 1);
		} else if (fault.reason != WARD_FAULT_TRANSLATION) {
			atomic_fetch_add(&meanwhile->wrong, 1);
		}
		ward_reader_exit(reader);
	}
	ward_reader_destroy(reader);
	return NULL;
}

static void walks_go_on_meanwhile(void **state)
{
	static const struct ward_range parts[] = {
		/* Split a leaf of 1 GiB, then one of 2 MiB, then take the rest. */
		{ 0x60000000, 0x601fffff },
		{ 0x40200000, 0x40200fff },
		{ 0x40000000, 0x7fffffff },
	};
	struct meanwhile meanwhile = { 0 };
	pthread_t threads[2];

	(void)state;
	world_make(&table_cases[18]);
	assert_int_equal(ward_readers_create(&meanwhile.readers), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, walk_meanwhile, &meanwhile), 0);
	for (int round = 0; round < 60 || atomic_load(&meanwhile.found) == 0; round++) {
		struct ward_table_leaf leaf;

		assert_int_equal(ward_table_map(&world.table, world.pages, parts[2], 0x80000000,
						WARD_READ, WARD_NORMAL, 0),
				 0);
		for (size_t i = 0; i < 3; i++) {
			struct ward_table_freed freed;

			assert_int_equal(ward_table_unmap(&world.table, world.pages, parts[i],
							  &freed),
					 0);
			assert_int_equal(walk(0x40201234, &leaf, NULL), i < 2);
			ward_readers_wait(meanwhile.readers);
			ward_table_release(world.pages, &world.table, &freed);
		}
	}
	atomic_store(&meanwhile.over, true);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(meanwhile.wrong, 0);
	ward_readers_destroy(meanwhile.readers);
	world_finish();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_do_as_an_array_does),
		cmocka_unit_test(nothing_is_half_mapped),
		cmocka_unit_test(a_large_leaf_is_split_at_both_bounds),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(damaged_tables_are_noticed),
		cmocka_unit_test(pages_are_given_and_taken),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(walks_go_on_meanwhile),
	};

	return cmocka_run_group_tests_name("dma/table-change", tests, NULL, NULL);
}

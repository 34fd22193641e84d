// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Where tables begin, for every size there is: against lists that were worked out by hand from
 * DDI 0487 D8.2 (tables of start levels by T0SZ and granule).
 */
#include "table_case.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct start {
	const struct ward_table_format *format;
	unsigned int granule_shift, first, last; /* input bits */
	int level;
	unsigned int output_min; /* below it there is no such start */
	unsigned int one_table;	 /* input bits of a single first table; more is concatenated */
};

static const struct start starts[] = {
	{ &ward_format_arm_stage1, 12, 16, 21, 3, 32, 48 },
	{ &ward_format_arm_stage1, 12, 22, 30, 2, 32, 48 },
	{ &ward_format_arm_stage1, 12, 31, 39, 1, 32, 48 },
	{ &ward_format_arm_stage1, 12, 40, 48, 0, 32, 48 },
	{ &ward_format_arm_stage1, 14, 16, 25, 3, 32, 48 },
	{ &ward_format_arm_stage1, 14, 26, 36, 2, 32, 48 },
	{ &ward_format_arm_stage1, 14, 37, 47, 1, 32, 48 },
	{ &ward_format_arm_stage1, 14, 48, 48, 0, 32, 48 },
	{ &ward_format_arm_stage1, 16, 17, 29, 3, 32, 52 },
	{ &ward_format_arm_stage1, 16, 30, 42, 2, 32, 52 },
	{ &ward_format_arm_stage1, 16, 43, 52, 1, 32, 52 },
	{ &ward_format_arm_stage2, 12, 25, 34, 2, 32, 30 },
	{ &ward_format_arm_stage2, 12, 35, 43, 1, 32, 39 },
	{ &ward_format_arm_stage2, 12, 44, 48, 0, 43, 48 },
	{ &ward_format_arm_stage2, 14, 25, 29, 3, 32, 25 },
	{ &ward_format_arm_stage2, 14, 30, 40, 2, 32, 36 },
	{ &ward_format_arm_stage2, 14, 41, 48, 1, 41, 47 },
	{ &ward_format_arm_stage2, 16, 25, 33, 3, 32, 29 },
	{ &ward_format_arm_stage2, 16, 34, 46, 2, 32, 42 },
	{ &ward_format_arm_stage2, 16, 47, 52, 1, 43, 55 },
	{ &ward_format_vtd_stage2, 12, 39, 39, 1, 32, 48 },
	{ &ward_format_vtd_stage2, 12, 48, 48, 0, 32, 48 },
};

static const struct start *find(const struct ward_table_format *format, unsigned int granule_shift,
				unsigned int input_bits, unsigned int output_bits)
{
	unsigned int most = format == &ward_format_vtd_stage2 || granule_shift == 16 ? 52 : 48;

	if (output_bits < 32 || output_bits > most)
		return NULL;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		const struct start *start = &starts[i];

		if (start->format == format && start->granule_shift == granule_shift &&
		    start->first <= input_bits && input_bits <= start->last)
			return output_bits >= start->output_min ? start : NULL;
	}
	return NULL;
}

static void compare(const struct ward_table_format *format, unsigned int granule_shift,
		    unsigned int input_bits, unsigned int output_bits)
{
	const struct start *wanted = find(format, granule_shift, input_bits, output_bits);
	unsigned int concatenated = 99, bits;
	int level = 99, code;
	struct ward_table table = {
		.format = format,
		.granule_shift = (uint8_t)granule_shift,
		.input_bits = (uint8_t)input_bits,
		.output_bits = (uint8_t)output_bits,
	};

	code = ward_table_start(format, granule_shift, input_bits, output_bits, &level,
				&concatenated);
	if (!wanted) {
		assert_int_equal(code, -EINVAL);
		assert_int_equal(level, 99);
		assert_int_equal(concatenated, 99);
		return;
	}
	assert_int_equal(code, 0);
	assert_int_equal(level, wanted->level);
	bits = input_bits > wanted->one_table ? input_bits - wanted->one_table : 0;
	assert_int_equal(concatenated, bits);
	assert_true(concatenated <= 4);
	table.start_level = (int8_t)level;
	if (bits > 0)
		assert_true(ward_table_root_size(&table) == UINT64_C(1) << (granule_shift + bits));
	else
		assert_true(ward_table_root_size(&table) <= UINT64_C(1) << granule_shift);
	assert_true(ward_table_root_size(&table) >= (output_bits > 48 ? 64 : 16));
}

static void every_size_begins_where_it_should(void **state)
{
	static const struct ward_table_format *const formats[] = {
		&ward_format_arm_stage1,
		&ward_format_arm_stage2,
		&ward_format_vtd_stage2,
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (unsigned int granule = 0; granule < 24; granule++) {
			for (unsigned int input = 0; input <= 64; input++) {
				for (unsigned int output = 0; output <= 64; output++)
					compare(formats[i], granule, input, output);
			}
		}
	}
}

/* What the architecture says must be concatenated (DDI 0487 D8.2.5 and after). */
static void what_must_be_concatenated_is(void **state)
{
	static const struct {
		unsigned int granule_shift, input_bits, output_bits;
		int level;
		unsigned int tables;
	} rows[] = {
		{ 12, 40, 40, 1, 2 }, { 12, 42, 42, 1, 8 },  { 14, 40, 40, 2, 16 },
		{ 14, 42, 42, 1, 1 }, { 14, 48, 48, 1, 2 },  { 16, 42, 42, 2, 1 },
		{ 16, 48, 48, 1, 1 }, { 12, 34, 36, 2, 16 }, { 12, 32, 32, 2, 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned int concatenated;
		int level;

		assert_int_equal(ward_table_start(&ward_format_arm_stage2, rows[i].granule_shift,
						  rows[i].input_bits, rows[i].output_bits, &level,
						  &concatenated),
				 0);
		assert_int_equal(level, rows[i].level);
		assert_int_equal(1u << concatenated, rows[i].tables);
	}
}

static void a_table_that_cannot_be_is_not_made(void **state)
{
	const struct ward_range range = { UINT64_C(1) << 40, (UINT64_C(1) << 40) + 0xfffff };
	struct ward_table table = table_case_table(&table_cases[2]);
	struct ward_table_pages *pages;
	struct ward_memory *memory;

	(void)state;
	assert_int_equal(ward_memory_create(&memory), 0);
	assert_int_equal(ward_memory_add(memory, range, 0, NULL), 0);
	assert_int_equal(ward_table_pages_create(memory, range, &pages), 0);
	table.root = 5;
	table.input_bits = 49;
	assert_int_equal(ward_table_create(&table, pages), -EINVAL);
	/* Its root would be out of its own reach. */
	table.input_bits = 39;
	table.output_bits = 40;
	assert_int_equal(ward_table_create(&table, pages), -EINVAL);
	assert_int_equal(table.root, 5);
	assert_int_equal(ward_table_pages_used(pages), 0);
	table.output_bits = 44;
	assert_int_equal(ward_table_create(&table, pages), 0);
	assert_int_equal(table.start_level, 1);
	ward_table_destroy(&table, pages);
	ward_table_pages_destroy(pages);
	ward_memory_destroy(memory);
}

/* 2 GiB in small pages that begin and end within a table: exactly the tables it takes, or none. */
static void tables_are_counted_before(void **state)
{
	const struct ward_range memory_range = { 0x1000000, 0x1ffffff };
	const struct ward_range input = { 0x1ff000, 0x1ff000 + (UINT64_C(2) << 30) - 1 };
	struct ward_table table = table_case_table(&table_cases[17]);
	struct ward_entry_reader reader = { ward_entry_read_memory, NULL };
	struct ward_table_leaf leaf;
	struct ward_table_pages *pages;
	struct ward_memory *memory;
	uint64_t root;

	(void)state;
	assert_int_equal(ward_memory_create(&memory), 0);
	assert_int_equal(ward_memory_add(memory, memory_range, 0, NULL), 0);
	assert_int_equal(ward_table_pages_create(memory, memory_range, &pages), 0);
	assert_int_equal(ward_table_create(&table, pages), 0);
	root = ward_table_pages_used(pages);
	assert_int_equal(ward_table_map(&table, pages, input, 0x1000, WARD_READ, WARD_NORMAL, 0),
			 0);
	/* 3 tables of 2 MiB entries below the first, and 1025 of pages below them. */
	assert_int_equal(ward_table_pages_used(pages), root + (3 + 1025) * 4096);
	reader.context = memory;
	assert_int_equal(ward_table_walk(&table, &reader, input.last, WARD_READ, NULL, NULL, &leaf,
					 NULL),
			 0);
	assert_int_equal(leaf.output, 0x1000 + (UINT64_C(2) << 30) - 1);
	/* Half of all there is, which the memory has no tables for. */
	assert_int_equal(ward_table_map(&table, pages,
					(struct ward_range){ UINT64_C(1) << 42,
							     (UINT64_C(1) << 43) - 1 },
					0x1000, WARD_READ, WARD_NORMAL, 0),
			 -ENOMEM);
	assert_int_equal(ward_table_pages_used(pages), root + (3 + 1025) * 4096);
	ward_table_destroy(&table, pages);
	assert_int_equal(ward_table_pages_used(pages), 0);
	ward_table_pages_destroy(pages);
	ward_memory_destroy(memory);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_size_begins_where_it_should),
		cmocka_unit_test(what_must_be_concatenated_is),
		cmocka_unit_test(a_table_that_cannot_be_is_not_made),
		cmocka_unit_test(tables_are_counted_before),
	};

	return cmocka_run_group_tests_name("dma/table-start", tests, NULL, NULL);
}

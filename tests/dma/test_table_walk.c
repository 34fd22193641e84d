// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The walk against the reference walker, on tables made of dice: most entries make sense, some do
 * not, tables lead to themselves and out of memory.
 */
#include "table_case.h"
#include "table_reference.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MEMORY_START UINT64_C(0x400000)
#define MEMORY_BYTES UINT64_C(0x400000)

static uint64_t words[MEMORY_BYTES / 8];
static struct ward_memory *memory;

static int setup(void **state)
{
	const struct ward_range range = { MEMORY_START, MEMORY_START + MEMORY_BYTES - 1 };

	(void)state;
	return ward_memory_create(&memory) || ward_memory_add(memory, range, 0, words);
}

static int teardown(void **state)
{
	(void)state;
	ward_memory_destroy(memory);
	return 0;
}

static struct ref_config reference_of(const struct ward_table *table)
{
	return (struct ref_config){
		.kind = table->format == &ward_format_arm_stage1   ? REF_ARM_STAGE1
			: table->format == &ward_format_arm_stage2 ? REF_ARM_STAGE2
								   : REF_VTD,
		.granule = (table->granule_shift - 12) / 2,
		.input_bits = table->input_bits,
		.output_bits = table->output_bits,
		.level = table->start_level,
		.root = table->root,
		.mair = table->mair,
		.leaf_bits = table->hardware_bits,
		.access_flag_off = table->access_flag_off,
		.hierarchy_off = table->hierarchy_off,
		.write_never_exec = table->write_never_exec,
		.bytes = (const uint8_t *)words,
		.start = MEMORY_START,
		.size = MEMORY_BYTES,
	};
}

/* What was met, so that a test that meets too little is seen. */
static struct {
	unsigned long leaves[3][3][4], runs[3][3][4], reasons[WARD_FAULT_TABLE + 1];
	unsigned long types[WARD_NORMAL + 1], accesses[3][8];
} met;

static void compare(const struct ward_table *table, uint64_t input, uint32_t access)
{
	const struct ref_config config = reference_of(table);
	const struct ward_entry_reader reader = { ward_entry_read_memory, memory };
	struct ref_result wanted = ref_walk(&config, input, access);
	struct ward_fault fault = { .iova = ward_iova(77), .gpa = ward_gpa(78) };
	struct ward_table_leaf leaf;
	int code = ward_table_walk(table, &reader, input, access, NULL, NULL, &leaf, &fault);
	unsigned int granule = (unsigned int)config.granule;

	if (!wanted.ok) {
		assert_int_equal(code, -EFAULT);
		assert_int_equal(fault.reason, wanted.reason);
		assert_int_equal(fault.level, wanted.level);
		assert_int_equal(fault.stage, table->stage);
		assert_int_equal(ward_iova_raw(fault.iova), 77);
		assert_int_equal(ward_gpa_raw(fault.gpa), 78);
		met.reasons[wanted.reason]++;
		return;
	}
	assert_int_equal(code, 0);
	assert_true(leaf.output == wanted.out);
	assert_int_equal(leaf.level, wanted.level);
	assert_int_equal(leaf.access, wanted.access);
	assert_int_equal(leaf.type, wanted.type);
	assert_true(leaf.input.start == wanted.first);
	assert_true(leaf.input.last == wanted.last);
	met.leaves[config.kind][granule][wanted.level]++;
	if ((wanted.last - wanted.first) >> ref_shifts[granule][wanted.level])
		met.runs[config.kind][granule][wanted.level]++;
	met.types[wanted.type]++;
	met.accesses[config.kind][wanted.access]++;
}

static bool chance(unsigned int of)
{
	return table_dice_below(of) == 0;
}

/* A table somewhere in memory, now and then anywhere. */
static uint64_t some_table(const struct ward_table *table)
{
	uint64_t size = UINT64_C(1) << table->granule_shift;

	if (chance(60))
		return table_dice() & 0x000fffffffffffff & ~(size - 1);
	return MEMORY_START + table_dice_below(MEMORY_BYTES / size) * size;
}

/* An entry; mostly one that leads on. */
static uint64_t some_entry(const struct ward_table *table, int level, bool leads_on)
{
	unsigned int shift = ward_table_shift(table, level);
	uint64_t entry, address = table_dice() & ((UINT64_C(1) << table->output_bits) - 1);
	bool vtd = table->format == &ward_format_vtd_stage2;

	if (chance(40))
		return table_dice();
	if (level < 3 && leads_on) {
		entry = some_table(table) | 3;
		if (vtd)
			return (entry | 4 | (chance(8) ? table_dice() & 0x780 : 0)) &
			       ~(chance(4) ? table_dice() & 7 : 0);
		/* Hierarchical limits and what is ignored. */
		return entry | (chance(4) ? table_dice() & UINT64_C(0xfff0000000000ffc) : 0);
	}
	address = address >> shift << shift;
	if (vtd)
		return address | (level < 3 ? 0x80 : 0) | (table_dice() & 0x77f) |
		       (chance(6) ? WARD_VTD_SNOOP : 0);
	entry = address & 0x0000ffffffffffff;
	if (table->granule_shift == 16 && table->output_bits > 48)
		entry |= (address >> 48 & 0xf) << 12;
	return entry | (level == 3 ? 3 : 1) | (table_dice() & UINT64_C(0xfff8000000000bfc)) |
	       (chance(8) ? 0 : 0x400);
}

static void put(uint64_t at, uint64_t entry)
{
	if (at >= MEMORY_START && at - MEMORY_START < MEMORY_BYTES)
		words[(at - MEMORY_START) / 8] = entry;
}

/* A contiguous run around an entry; sometimes one of it says something else. */
static void put_run(const struct ward_table *table, uint64_t at, int level, uint64_t entry,
		    uint64_t input)
{
	uint64_t count = (uint64_t)ref_runs[(table->granule_shift - 12) / 2][level], i;
	unsigned int shift = ward_table_shift(table, level);
	uint64_t first = entry & ~((count << shift) - (UINT64_C(1) << shift));

	at -= (input >> shift) % count * 8;
	first |= UINT64_C(1) << 52;
	/* One that goes on, but does not begin where a leaf of its size could. */
	if (chance(6))
		first += UINT64_C(1) << shift;
	for (i = 0; i < count; i++)
		put(at + i * 8,
		    (first + (i << shift)) ^ (chance(200) ? 1u << table_dice_below(12) : 0));
}

static void lay_path(const struct ward_table *table, uint64_t input)
{
	int leaf_level = 3 - (int)table_dice_below(3);
	uint64_t base = table->root;

	for (int level = table->start_level; level <= 3; level++) {
		uint64_t at, entry = some_entry(table, level, level < leaf_level);
		unsigned int shift = ward_table_shift(table, level);
		unsigned int bits = level == table->start_level ? table->input_bits - shift
								: table->granule_shift - 3u;

		at = base + (input >> shift & ((UINT64_C(1) << bits) - 1)) * 8;
		put(at, entry);
		if (level >= leaf_level) {
			if (table->stage && table->format != &ward_format_vtd_stage2 && chance(2))
				put_run(table, at, level, entry, input);
			return;
		}
		base = entry & 0x0000ffffffffffff & ~((UINT64_C(1) << table->granule_shift) - 1);
	}
}

static void one_case(const struct table_case *one)
{
	unsigned int concatenated;

	for (int round = 0; round < 1500; round++) {
		struct ward_table table = table_case_table(one);
		uint64_t input, size;
		int level;

		assert_int_equal(ward_table_start(one->format, one->granule_shift, one->input_bits,
						  one->output_bits, &level, &concatenated),
				 0);
		table.start_level = (int8_t)level;
		size = ward_table_root_size(&table);
		table.root = MEMORY_START + table_dice_below(MEMORY_BYTES / size) * size;
		if (chance(100))
			table.root = UINT64_C(1) << (table.output_bits - (int)table_dice_below(2));
		if (chance(4))
			table.mair = table_dice();
		table.access_flag_off = chance(4);
		table.hierarchy_off = chance(4);
		table.write_never_exec = chance(3);
		table.hardware_bits = chance(2) ? WARD_VTD_SNOOP : 0;
		input = table_dice() & ((UINT64_C(1) << table.input_bits) - 1);
		lay_path(&table, input);
		for (uint32_t access = 0; access < 8; access++)
			compare(&table, input, access);
		for (int i = 0; i < 4; i++)
			compare(&table, input ^ UINT64_C(1) << table_dice_below(table.input_bits),
				0);
		compare(&table,
			input | UINT64_C(1) << (table.input_bits +
						table_dice_below(64u - table.input_bits)),
			0);
	}
}

static void every_format_at_every_level(void **state)
{
	(void)state;
	for (size_t i = 0; i < TABLE_CASES; i++) {
		memset(words, 0, sizeof(words));
		one_case(&table_cases[i]);
	}
	for (int kind = 0; kind < 2; kind++) {
		assert_true(met.leaves[kind][0][1] && met.leaves[kind][2][1]);
		for (int granule = 0; granule < 3; granule++) {
			assert_true(met.leaves[kind][granule][2] && met.leaves[kind][granule][3]);
			assert_true(met.runs[kind][granule][2] && met.runs[kind][granule][3]);
		}
		assert_true(met.runs[kind][0][1]);
	}
	for (int level = 1; level < 4; level++)
		assert_true(met.leaves[REF_VTD][0][level]);
	for (int reason = WARD_FAULT_TRANSLATION; reason <= WARD_FAULT_TABLE; reason++)
		assert_true(met.reasons[reason] > 100);
	for (int type = 0; type <= WARD_NORMAL; type++)
		assert_true(met.types[type]);
	for (int access = 0; access < 8; access++) {
		/* Stage 1 has no write-only. */
		assert_int_equal(met.accesses[REF_ARM_STAGE1][access] > 0,
				 !(access & WARD_WRITE) || (access & WARD_READ));
		assert_true(met.accesses[REF_ARM_STAGE2][access]);
		assert_true(met.accesses[REF_VTD][access]);
	}
}

/* A table whose every entry leads to itself ends where the levels end. */
static void a_loop_ends(void **state)
{
	const struct ward_entry_reader reader = { ward_entry_read_memory, memory };

	(void)state;
	for (size_t i = 0; i < TABLE_CASES; i++) {
		struct ward_table table = table_case_table(&table_cases[i]);
		struct ward_table_leaf leaf;
		unsigned int concatenated;
		int level;

		assert_int_equal(ward_table_start(table.format, table.granule_shift,
						  table.input_bits, table.output_bits, &level,
						  &concatenated),
				 0);
		table.start_level = (int8_t)level;
		table.root = MEMORY_START;
		for (size_t j = 0; j < sizeof(words) / 8; j++)
			words[j] = MEMORY_START | 0x447;
		assert_int_equal(ward_table_walk(&table, &reader, 0x12345, 0, NULL, NULL, &leaf,
						 NULL),
				 0);
		assert_int_equal(leaf.level, 3);
		assert_true(leaf.output ==
			    MEMORY_START + (0x12345 & ((1u << table.granule_shift) - 1)));
	}
	memset(words, 0, sizeof(words));
}

struct told {
	int count;
	int levels[4];
	uint64_t at[4], entry[4], output[4];
};

static void tell(void *context, int level, uint64_t entry_at, uint64_t entry, uint64_t output)
{
	struct told *told = context;

	assert_true(told->count < 4);
	told->levels[told->count] = level;
	told->at[told->count] = entry_at;
	told->entry[told->count] = entry;
	told->output[told->count++] = output;
}

static void every_step_is_told(void **state)
{
	struct ward_table table = {
		.format = &ward_format_arm_stage2,
		.granule_shift = 12,
		.input_bits = 48,
		.output_bits = 48,
		.stage = 2,
		.root = MEMORY_START,
	};
	const struct ward_entry_reader reader = { ward_entry_read_memory, memory };
	struct told told = { 0 };
	struct ward_table_leaf leaf;

	(void)state;
	words[0] = (MEMORY_START + 0x1000) | 3;
	words[512] = (MEMORY_START + 0x2000) | 3;
	words[1024] = UINT64_C(0x20200000) | 0x4c5;
	assert_int_equal(ward_table_walk(&table, &reader, 0x40, WARD_WRITE, tell, &told, &leaf,
					 NULL),
			 0);
	assert_int_equal(told.count, 3);
	assert_int_equal(told.levels[0], 0);
	assert_int_equal(told.at[1], MEMORY_START + 0x1000);
	assert_int_equal(told.output[1], MEMORY_START + 0x2000);
	assert_int_equal(told.entry[2], UINT64_C(0x20200000) | 0x4c5);
	assert_int_equal(told.output[2], 0x20200040);
	assert_int_equal(leaf.type, WARD_DEVICE_NGNRE);
	assert_int_equal(leaf.entry_at, MEMORY_START + 0x2000);
	/* Also the entry that says nothing. */
	told.count = 0;
	assert_int_equal(ward_table_walk(&table, &reader, 0x200000, 0, tell, &told, &leaf, NULL),
			 -EFAULT);
	assert_int_equal(told.count, 3);
	assert_int_equal(told.output[2], 0);
	memset(words, 0, sizeof(words));
}

/* A reader that refuses with a reason of its own is believed. */
static int refuse(void *context, uint64_t address, uint64_t *ret_entry,
		  struct ward_fault *ret_fault)
{
	(void)context;
	(void)ret_entry;
	ret_fault->reason = WARD_FAULT_PERMISSION;
	ret_fault->stage = 2;
	ret_fault->level = 2;
	ret_fault->gpa = ward_gpa(address);
	return -EFAULT;
}

static void a_refusal_of_the_reader_is_kept(void **state)
{
	struct ward_table table = table_case_table(&table_cases[2]);
	const struct ward_entry_reader reader = { refuse, NULL };
	struct ward_fault fault = { 0 };
	struct ward_table_leaf leaf;

	(void)state;
	table.start_level = 1;
	table.root = MEMORY_START;
	assert_int_equal(ward_table_walk(&table, &reader, UINT64_C(1) << 30, 0, NULL, NULL, &leaf,
					 &fault),
			 -EFAULT);
	assert_int_equal(fault.reason, WARD_FAULT_PERMISSION);
	assert_int_equal(fault.stage, 2);
	assert_int_equal(fault.level, 2);
	assert_int_equal(ward_gpa_raw(fault.gpa), MEMORY_START + 8);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_at_every_level),
		cmocka_unit_test(a_loop_ends),
		cmocka_unit_test(every_step_is_told),
		cmocka_unit_test(a_refusal_of_the_reader_is_kept),
	};

	return cmocka_run_group_tests_name("dma/table-walk", tests, setup, teardown);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Walks tables that are not trusted. The first 24 bytes are the configuration (corpus_table.py
 * writes them), the rest is memory from MEMORY_START on. What is found must keep what table.h
 * promises, whatever lies in memory; then the same memory is changed as if it were ours.
 */
#include "dma/table.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MEMORY_START UINT64_C(0x100000)
#define MEMORY_BYTES UINT64_C(0x80000)

/* Bytes of a configuration. */
enum {
	AT_FORMAT,
	AT_GRANULE,
	AT_INPUT_BITS,
	AT_OUTPUT_BITS,
	AT_FLAGS,
	AT_ACCESS,
	AT_ROOT_PAGE, /* from MEMORY_START */
	AT_SPARE,
	AT_MAIR,
	AT_INPUT = AT_MAIR + 8,
	CONFIG_BYTES = AT_INPUT + 8,
};

static const struct ward_table_format *const formats[] = {
	&ward_format_arm_stage1,
	&ward_format_arm_stage2,
	&ward_format_vtd_stage2,
};

static bool decode(const uint8_t *data, struct ward_table *ret_table)
{
	unsigned int concatenated;
	int level;
	struct ward_table table = {
		.format = formats[data[AT_FORMAT] % 3],
		.granule_shift = data[AT_GRANULE],
		.input_bits = data[AT_INPUT_BITS],
		.output_bits = data[AT_OUTPUT_BITS],
		.stage = data[AT_FORMAT] % 3 ? 2 : 1,
		.access_flag_off = data[AT_FLAGS] & 1,
		.hierarchy_off = data[AT_FLAGS] & 2,
		.write_never_exec = data[AT_FLAGS] & 4,
		.hardware_bits = data[AT_FLAGS] & 8 ? WARD_VTD_SNOOP : 0,
	};

	if (ward_table_start(table.format, table.granule_shift, table.input_bits, table.output_bits,
			     &level, &concatenated))
		return false;
	memcpy(&table.mair, data + AT_MAIR, sizeof(table.mair));
	table.start_level = (int8_t)level;
	table.root = MEMORY_START + (uint64_t)data[AT_ROOT_PAGE] * 4096;
	table.root &= ~(ward_table_root_size(&table) - 1);
	*ret_table = table;
	return true;
}

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void count_step(void *context, int level, uint64_t entry_at, uint64_t entry, uint64_t output)
{
	unsigned int *steps = context;

	(void)entry_at;
	(void)entry;
	(void)output;
	check(level >= 0 && level <= WARD_TABLE_LAST_LEVEL);
	check(++*steps <= WARD_TABLE_LAST_LEVEL + 1);
}

static void walk(const struct ward_table *table, struct ward_memory *memory, uint64_t input,
		 uint32_t access)
{
	const struct ward_entry_reader reader = { ward_entry_read_memory, memory };
	struct ward_table_leaf leaf, other;
	struct ward_fault fault = { 0 };
	unsigned int steps = 0;

	if (ward_table_walk(table, &reader, input, access, count_step, &steps, &leaf, &fault)) {
		check(fault.stage == table->stage);
		check(fault.level >= 0 && fault.level <= WARD_TABLE_LAST_LEVEL);
		check(fault.reason >= WARD_FAULT_TRANSLATION && fault.reason <= WARD_FAULT_TABLE);
		return;
	}
	check(steps > 0 && (access & ~leaf.access) == 0 && leaf.output >> table->output_bits == 0);
	check(table->format->leaf_allowed(table, leaf.level));
	check(leaf.input.start <= input && input <= leaf.input.last);
	check(leaf.input.last >> table->input_bits == 0);
	/* The other end of its range says the same. */
	check(ward_table_walk(table, &reader, leaf.input.last, access, NULL, NULL, &other, NULL) ==
	      0);
	check(other.output - leaf.output == leaf.input.last - input);
	check(other.access == leaf.access && other.type == leaf.type);
	check(other.input.start == leaf.input.start && other.input.last == leaf.input.last);
}

/* Changes tables that came from outside: nothing of it may be relied on, and it must end. */
static void change(struct ward_table *table, struct ward_memory *memory, uint64_t input)
{
	const struct ward_range range = { MEMORY_START, MEMORY_START + MEMORY_BYTES - 1 };
	uint64_t page = UINT64_C(1) << table->granule_shift;
	uint64_t first = input & ~(page - 1);
	uint64_t limit = (UINT64_C(1) << table->input_bits) - 1;
	struct ward_range some = { first, first + 8 * page - 1 };
	struct ward_table_freed freed;
	struct ward_table_pages *pages;

	if (input > limit)
		return;
	if (some.last > limit)
		some.last = limit;
	if (ward_table_pages_create(memory, range, &pages))
		return;
	if (ward_table_unmap(table, pages, some, &freed) == 0)
		ward_table_release(pages, table, &freed);
	if (ward_table_map(table, pages, some, 0, WARD_READ, WARD_NORMAL, 0) == 0)
		walk(table, memory, input, table->access_flag_off ? 0 : WARD_READ);
	ward_table_destroy(table, pages);
	ward_table_pages_destroy(pages);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ward_range range = { MEMORY_START, MEMORY_START + MEMORY_BYTES - 1 };
	struct ward_memory *memory;
	struct ward_table table;
	uint64_t input;

	if (size < CONFIG_BYTES || size - CONFIG_BYTES > MEMORY_BYTES || !decode(data, &table))
		return -1;
	memcpy(&input, data + AT_INPUT, sizeof(input));
	if (ward_memory_create(&memory))
		return 0;
	if (ward_memory_add(memory, range, 0, NULL) == 0 &&
	    ward_memory_write(memory, range.start, data + CONFIG_BYTES, size - CONFIG_BYTES) == 0) {
		walk(&table, memory, input, data[AT_ACCESS] & 7);
		walk(&table, memory, input, 0);
		change(&table, memory, input);
	}
	ward_memory_destroy(memory);
	return 0;
}

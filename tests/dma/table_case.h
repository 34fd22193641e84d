/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The geometries that the table tests go through, and dice. */
#ifndef TESTS_DMA_TABLE_CASE_H
#define TESTS_DMA_TABLE_CASE_H

#include "dma/table.h"

/* Normal NC, write-back, nGnRE, write-through in index 0 to 3; the other devices above. */
#define TABLE_CASE_MAIR UINT64_C(0x0c0800bbaa04ff44)

struct table_case {
	const struct ward_table_format *format;
	uint8_t granule_shift, input_bits, output_bits;
};

static const struct table_case table_cases[] = {
	{ &ward_format_arm_stage1, 12, 25, 48 }, { &ward_format_arm_stage1, 12, 32, 40 },
	{ &ward_format_arm_stage1, 12, 39, 48 }, { &ward_format_arm_stage1, 12, 48, 48 },
	{ &ward_format_arm_stage1, 14, 25, 48 }, { &ward_format_arm_stage1, 14, 36, 44 },
	{ &ward_format_arm_stage1, 14, 47, 48 }, { &ward_format_arm_stage1, 14, 48, 48 },
	{ &ward_format_arm_stage1, 16, 29, 48 }, { &ward_format_arm_stage1, 16, 42, 42 },
	{ &ward_format_arm_stage1, 16, 48, 48 }, { &ward_format_arm_stage1, 16, 52, 52 },
	{ &ward_format_arm_stage1, 12, 21, 36 }, { &ward_format_arm_stage1, 16, 25, 32 },
	{ &ward_format_arm_stage2, 12, 30, 40 }, { &ward_format_arm_stage2, 12, 34, 36 },
	{ &ward_format_arm_stage2, 12, 40, 40 }, { &ward_format_arm_stage2, 12, 43, 44 },
	{ &ward_format_arm_stage2, 12, 48, 48 }, { &ward_format_arm_stage2, 14, 29, 48 },
	{ &ward_format_arm_stage2, 14, 40, 40 }, { &ward_format_arm_stage2, 14, 48, 48 },
	{ &ward_format_arm_stage2, 16, 33, 40 }, { &ward_format_arm_stage2, 16, 46, 48 },
	{ &ward_format_arm_stage2, 16, 48, 48 }, { &ward_format_arm_stage2, 16, 52, 52 },
	{ &ward_format_vtd_stage2, 12, 39, 39 }, { &ward_format_vtd_stage2, 12, 48, 46 },
	{ &ward_format_vtd_stage2, 12, 48, 52 },
};

#define TABLE_CASES (sizeof(table_cases) / sizeof(table_cases[0]))

static inline struct ward_table table_case_table(const struct table_case *one)
{
	return (struct ward_table){
		.format = one->format,
		.granule_shift = one->granule_shift,
		.input_bits = one->input_bits,
		.output_bits = one->output_bits,
		.stage = one->format == &ward_format_arm_stage1 ? 1 : 2,
		.mair = TABLE_CASE_MAIR,
	};
}

/* The same numbers every time (xorshift64*, Vigna 2016). */
static uint64_t table_dice_state = 0x9e3779b97f4a7c15;

static inline uint64_t table_dice(void)
{
	table_dice_state ^= table_dice_state >> 12;
	table_dice_state ^= table_dice_state << 25;
	table_dice_state ^= table_dice_state >> 27;
	return table_dice_state * 0x2545f4914f6cdd1d;
}

/* 0 to count - 1. */
static inline uint64_t table_dice_below(uint64_t count)
{
	return (table_dice() >> 20) % count;
}

#endif

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Where a table begins (Arm DDI 0487 D8.2.4 to D8.2.9; VT-d specification 3.7 and 9.3). */
#include "dma/table.h"

#include <errno.h>

/* Tables of stage 2 that may be concatenated, log2. */
#define CONCATENATED_MAX 4u
/* T0SZ is at most 39 without the small-tables extension; with it 48, and 47 with 64 KiB. */
#define INPUT_BITS_MIN 25u

static bool arm_sizes(unsigned int granule_shift, unsigned int input_bits, unsigned int output_bits)
{
	unsigned int most = granule_shift == 16 ? 52 : 48;

	if (granule_shift != 12 && granule_shift != 14 && granule_shift != 16)
		return false;
	return output_bits >= 32 && output_bits <= most && input_bits <= most;
}

static int arm_stage1_level(unsigned int granule_shift, unsigned int input_bits)
{
	return 3 - (int)((input_bits - 1 - granule_shift) / (granule_shift - 3));
}

/*
 * Levels at which a stage 2 can begin, by the size of physical addresses: a level whose first table
 * would have too few entries must be left out in favour of concatenation.
 */
static bool arm_stage2_level_allowed(unsigned int granule_shift, int level,
				     unsigned int output_bits)
{
	switch (granule_shift) {
	case 12:
		/* Level 3 takes the small-tables extension. */
		return level == 0 ? output_bits > 42 : level <= 2;
	case 14:
		return level == 1 ? output_bits > 40 : level >= 2;
	default:
		return level == 1 ? output_bits > 42 : level >= 2;
	}
}

static int arm_stage2_start(unsigned int granule_shift, unsigned int input_bits,
			    unsigned int output_bits, int *ret_level,
			    unsigned int *ret_concatenated)
{
	unsigned int stride = granule_shift - 3;

	for (int level = WARD_TABLE_LAST_LEVEL; level >= 0; level--) {
		unsigned int below = granule_shift + (3u - (unsigned int)level) * stride;
		unsigned int bits = input_bits - below;

		if (input_bits <= below || bits > stride + CONCATENATED_MAX ||
		    !arm_stage2_level_allowed(granule_shift, level, output_bits))
			continue;
		*ret_level = level;
		*ret_concatenated = bits > stride ? bits - stride : 0;
		return 0;
	}
	return -EINVAL;
}

int ward_table_start(const struct ward_table_format *format, unsigned int granule_shift,
		     unsigned int input_bits, unsigned int output_bits, int *ret_level,
		     unsigned int *ret_concatenated)
{
	if (format == &ward_format_vtd_stage2) {
		if (granule_shift != 12 || output_bits < 32 || output_bits > 52)
			return -EINVAL;
		if (input_bits != 39 && input_bits != 48)
			return -EINVAL;
		*ret_level = input_bits == 48 ? 0 : 1;
		*ret_concatenated = 0;
		return 0;
	}
	if (!arm_sizes(granule_shift, input_bits, output_bits))
		return -EINVAL;
	if (format == &ward_format_arm_stage2) {
		if (input_bits < INPUT_BITS_MIN)
			return -EINVAL;
		return arm_stage2_start(granule_shift, input_bits, output_bits, ret_level,
					ret_concatenated);
	}
	if (input_bits < (granule_shift == 16 ? 17 : 16))
		return -EINVAL;
	*ret_level = arm_stage1_level(granule_shift, input_bits);
	*ret_concatenated = 0;
	return 0;
}

uint64_t ward_table_root_size(const struct ward_table *table)
{
	uint64_t size = UINT64_C(8)
			<< (table->input_bits - ward_table_shift(table, table->start_level));

	/* Of addresses with 52 bits, the base has no place for bits 5:2. */
	return table->output_bits > 48 && size < 64 ? 64 : size;
}

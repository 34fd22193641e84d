// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "dma/format_arm.h"

#include "dma/attributes.h"

#define ADDRESS_BITS 48

/*
 * With pages of 64 KiB and addresses of 52 bits, bits 51:48 of the address are in bits 15:12: also
 * where a stage puts out less than the hardware has, so that what is too much faults.
 */
static bool has_high_bits(const struct ward_table *table)
{
	return table->granule_shift == 16 &&
	       (table->high_bits || table->output_bits > ADDRESS_BITS);
}

/* D8.2: blocks of 4 TiB came with 52-bit addresses, those of 512 GiB and 64 GiB with LPA2. */
bool ward_arm_leaf_allowed(const struct ward_table *table, int level)
{
	if (level >= 2)
		return level <= WARD_TABLE_LAST_LEVEL;
	return level == 1 && (table->granule_shift == 12 || has_high_bits(table));
}

/* A block where none is allowed, and a block at the last level, are as good as invalid. */
enum ward_entry_kind ward_arm_kind(const struct ward_table *table, uint64_t entry, int level)
{
	if (!(entry & WARD_ARM_VALID))
		return WARD_ENTRY_INVALID;
	if (level == WARD_TABLE_LAST_LEVEL)
		return entry & WARD_ARM_TABLE ? WARD_ENTRY_LEAF : WARD_ENTRY_INVALID;
	if (entry & WARD_ARM_TABLE)
		return WARD_ENTRY_TABLE;
	return ward_arm_leaf_allowed(table, level) ? WARD_ENTRY_LEAF : WARD_ENTRY_INVALID;
}

/*
 * Bits 51:48 without 52-bit addresses, and those below a block's size, are RES0 and not looked at.
 * A table's address goes down to the granule, a block's to the block's size.
 */
uint64_t ward_arm_address(const struct ward_table *table, uint64_t entry, int level)
{
	bool leaf = level == WARD_TABLE_LAST_LEVEL || !(entry & WARD_ARM_TABLE);
	unsigned int low = leaf ? ward_table_shift(table, level) : table->granule_shift;
	uint64_t address = entry & ((UINT64_C(1) << ADDRESS_BITS) - (UINT64_C(1) << low));

	if (has_high_bits(table))
		address |= (entry >> 12 & 0xf) << ADDRESS_BITS;
	return address;
}

/* D8.7: how many entries a contiguous run has. */
unsigned int ward_arm_run(const struct ward_table *table, uint64_t entry, int level)
{
	if (!(entry & WARD_ARM_CONTIGUOUS))
		return 0;
	switch (table->granule_shift) {
	case 12:
		return 4;
	case 14:
		return level == WARD_TABLE_LAST_LEVEL ? 7 : 5;
	default:
		return level >= 2 ? 5 : 0;
	}
}

static uint64_t place_address(const struct ward_table *table, uint64_t address)
{
	uint64_t entry = address & ((UINT64_C(1) << ADDRESS_BITS) - 1);

	if (has_high_bits(table))
		entry |= (address >> ADDRESS_BITS & 0xf) << 12;
	return entry;
}

uint64_t ward_arm_make_table(const struct ward_table *table, uint64_t address)
{
	return place_address(table, address) | WARD_ARM_TABLE | WARD_ARM_VALID;
}

uint64_t ward_arm_make_leaf(const struct ward_table *table, uint64_t address, int level,
			    enum ward_memory_type type)
{
	uint64_t entry = place_address(table, address) | WARD_ARM_VALID | WARD_ARM_ACCESS_FLAG;

	if (level == WARD_TABLE_LAST_LEVEL)
		entry |= WARD_ARM_TABLE;
	/* Devices and what is not cached are outer shareable whatever the field says. */
	entry |= ward_type_is_device(type) || type == WARD_NORMAL_NC ? WARD_ARM_SHAREABLE_OUTER
								     : WARD_ARM_SHAREABLE_INNER;
	return entry;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Arm stage 2 (DDI 0487 D8.4.2 for permissions, D8.6.5 for types without FWB). Execution is that of
 * EL0: XN[1] clear, with and without FEAT_XNX, and does not ask for the permission to read.
 */
#include "dma/format_arm.h"

#include "dma/attributes.h"

#define TYPE_SHIFT 2
#define READABLE (1ull << 6)
#define WRITABLE (1ull << 7)
#define NEVER_EXEC (1ull << 54)

static uint32_t access(const struct ward_table *table, uint64_t entry,
		       const struct ward_table_limits *limits)
{
	(void)table;
	(void)limits;
	return (entry & READABLE ? WARD_READ : 0) | (entry & WRITABLE ? WARD_WRITE : 0) |
	       (entry & NEVER_EXEC ? 0 : WARD_EXEC);
}

static enum ward_memory_type type(const struct ward_table *table, uint64_t entry)
{
	(void)table;
	return ward_type_from_memattr(entry >> TYPE_SHIFT & 0xf);
}

static uint64_t make_leaf(const struct ward_table *table, uint64_t address, int level,
			  uint32_t wanted, enum ward_memory_type wanted_type)
{
	/* MemAttr: devices by their order, else the same outside and inside. */
	static const uint8_t types[] = { 0x0, 0x1, 0x2, 0x3, 0x5, 0xa, 0xf };
	uint64_t entry = ward_arm_make_leaf(table, address, level, wanted_type);

	if (wanted == 0 || (size_t)wanted_type >= sizeof(types))
		return 0;
	if (wanted & WARD_READ)
		entry |= READABLE;
	if (wanted & WARD_WRITE)
		entry |= WRITABLE;
	if (!(wanted & WARD_EXEC))
		entry |= NEVER_EXEC;
	return entry | (uint64_t)types[wanted_type] << TYPE_SHIFT;
}

const struct ward_table_format ward_format_arm_stage2 = {
	.name = "Arm stage 2",
	.access_flag = WARD_ARM_ACCESS_FLAG,
	.leaf_allowed = ward_arm_leaf_allowed,
	.kind = ward_arm_kind,
	.address = ward_arm_address,
	.access = access,
	.type = type,
	.run = ward_arm_run,
	.make_table = ward_arm_make_table,
	.make_leaf = make_leaf,
};

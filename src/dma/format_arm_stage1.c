// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Arm stage 1 as the requests of devices see it: unprivileged (EL0 of the EL1&0 regime), data unless
 * it is an instruction fetch. Arm DDI 0487 D8.4.1 for permissions, D8.6 for types.
 */
#include "dma/format_arm.h"

#include "dma/attributes.h"

#define TYPE_SHIFT 2
#define UNPRIVILEGED (1ull << 6) /* AP[1] */
#define READ_ONLY (1ull << 7)	 /* AP[2] */
#define NOT_GLOBAL (1ull << 11)
#define PRIVILEGED_NEVER_EXEC (1ull << 53)
#define NEVER_EXEC (1ull << 54)

#define TABLE_NEVER_EXEC (1ull << 60)
#define TABLE_NO_UNPRIVILEGED (1ull << 61)
#define TABLE_READ_ONLY (1ull << 62)

/* What may be executed need not be readable: unprivileged execute-only is AP[1] and UXN clear. */
static uint32_t access(const struct ward_table *table, uint64_t entry,
		       const struct ward_table_limits *limits)
{
	uint32_t access = 0;

	if ((entry & UNPRIVILEGED) && !limits->no_unprivileged) {
		access |= WARD_READ;
		if (!(entry & READ_ONLY) && !limits->no_write)
			access |= WARD_WRITE;
	}
	if (!(entry & NEVER_EXEC) && !limits->no_exec &&
	    !((access & WARD_WRITE) && table->write_never_exec))
		access |= WARD_EXEC;
	return access;
}

static void limit(const struct ward_table *table, uint64_t entry, struct ward_table_limits *limits)
{
	if (table->hierarchy_off)
		return;
	limits->no_unprivileged |= (entry & TABLE_NO_UNPRIVILEGED) != 0;
	limits->no_write |= (entry & TABLE_READ_ONLY) != 0;
	limits->no_exec |= (entry & TABLE_NEVER_EXEC) != 0;
}

static enum ward_memory_type type(const struct ward_table *table, uint64_t entry)
{
	unsigned int index = entry >> TYPE_SHIFT & 7;

	return ward_type_from_mair((uint8_t)(table->mair >> index * 8));
}

static uint64_t make_leaf(const struct ward_table *table, uint64_t address, int level,
			  uint32_t wanted, enum ward_memory_type wanted_type)
{
	static const struct ward_table_limits none;
	uint64_t entry = ward_arm_make_leaf(table, address, level, wanted_type) | NOT_GLOBAL |
			 PRIVILEGED_NEVER_EXEC;
	unsigned int index;

	if (wanted & WARD_READ)
		entry |= UNPRIVILEGED;
	if (!(wanted & WARD_WRITE))
		entry |= READ_ONLY;
	if (!(wanted & WARD_EXEC))
		entry |= NEVER_EXEC;
	if (wanted == 0 || access(table, entry, &none) != wanted)
		return 0;
	for (index = 0; index < 8; index++) {
		if (ward_type_from_mair((uint8_t)(table->mair >> index * 8)) == wanted_type)
			return entry | (uint64_t)index << TYPE_SHIFT;
	}
	return 0;
}

const struct ward_table_format ward_format_arm_stage1 = {
	.name = "Arm stage 1",
	.access_flag = WARD_ARM_ACCESS_FLAG,
	.leaf_allowed = ward_arm_leaf_allowed,
	.kind = ward_arm_kind,
	.address = ward_arm_address,
	.access = access,
	.type = type,
	.run = ward_arm_run,
	.limit = limit,
	.make_table = ward_arm_make_table,
	.make_leaf = make_leaf,
};

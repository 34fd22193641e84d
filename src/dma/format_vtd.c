// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * VT-d second stage, three or four levels (VT-d specification 3.7.2, 9.8). An entry that gives
 * neither reading nor writing is not present. What a leaf gives must be given by every entry above
 * it, too. There are no memory types: those of the processor's tables and MTRRs have no say here.
 * Bit 2 (execute) is not looked at by hardware without supervisor and execute requests, and so
 * can say here what was asked for.
 */
#include "dma/table.h"

#define READ (1ull << 0)
#define WRITE (1ull << 1)
#define EXEC (1ull << 2)
#define LARGE (1ull << 7)
#define ADDRESS 0x000ffffffffff000ull
/* Bits that are reserved, save those that hardware_bits lets stand in leaves. */
#define RESERVED (WARD_VTD_SNOOP | WARD_VTD_TRANSIENT)

static bool leaf_allowed(const struct ward_table *table, int level)
{
	(void)table;
	return level >= 1 && level <= WARD_TABLE_LAST_LEVEL;
}

/* In an entry of the last level bit 7 says nothing; in one of the first of four it is reserved. */
static enum ward_entry_kind kind(const struct ward_table *table, uint64_t entry, int level)
{
	uint64_t reserved = RESERVED;

	if (!(entry & (READ | WRITE)))
		return WARD_ENTRY_INVALID;
	if (level < WARD_TABLE_LAST_LEVEL && !(entry & LARGE))
		return entry & reserved ? WARD_ENTRY_RESERVED : WARD_ENTRY_TABLE;
	if (!leaf_allowed(table, level))
		return WARD_ENTRY_RESERVED;
	reserved &= ~table->hardware_bits;
	reserved |= ADDRESS & ((UINT64_C(1) << ward_table_shift(table, level)) - 1);
	return entry & reserved ? WARD_ENTRY_RESERVED : WARD_ENTRY_LEAF;
}

static uint64_t address(const struct ward_table *table, uint64_t entry, int level)
{
	(void)table;
	(void)level;
	return entry & ADDRESS;
}

static uint32_t access(const struct ward_table *table, uint64_t entry,
		       const struct ward_table_limits *limits)
{
	(void)table;
	return (entry & READ && !limits->no_read ? WARD_READ : 0) |
	       (entry & WRITE && !limits->no_write ? WARD_WRITE : 0) |
	       (entry & EXEC && !limits->no_exec ? WARD_EXEC : 0);
}

static void limit(const struct ward_table *table, uint64_t entry, struct ward_table_limits *limits)
{
	(void)table;
	limits->no_read |= !(entry & READ);
	limits->no_write |= !(entry & WRITE);
	limits->no_exec |= !(entry & EXEC);
}

static enum ward_memory_type type(const struct ward_table *table, uint64_t entry)
{
	(void)table;
	(void)entry;
	return WARD_NORMAL;
}

static uint64_t make_table(const struct ward_table *table, uint64_t to)
{
	(void)table;
	return to | READ | WRITE | EXEC;
}

static uint64_t make_leaf(const struct ward_table *table, uint64_t to, int level, uint32_t wanted,
			  enum ward_memory_type wanted_type)
{
	uint64_t entry = to | (table->hardware_bits & WARD_VTD_SNOOP);

	(void)wanted_type;
	if (!(wanted & (WARD_READ | WARD_WRITE)))
		return 0;
	if (level < WARD_TABLE_LAST_LEVEL)
		entry |= LARGE;
	return entry | (wanted & WARD_READ ? READ : 0) | (wanted & WARD_WRITE ? WRITE : 0) |
	       (wanted & WARD_EXEC ? EXEC : 0);
}

const struct ward_table_format ward_format_vtd_stage2 = {
	.name = "VT-d second stage",
	.leaf_allowed = leaf_allowed,
	.kind = kind,
	.address = address,
	.access = access,
	.type = type,
	.limit = limit,
	.make_table = make_table,
	.make_leaf = make_leaf,
};

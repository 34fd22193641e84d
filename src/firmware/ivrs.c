// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "firmware/ivrs.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/fault.h"

#define IVRS_BLOCKS 48u
#define IVHD_ACPI_ENTRY 0xf0u
#define IVHD_ACPI_LENGTH 22u /* and behind it the UID */

/* Types of device entries. */
enum {
	IVHD_PAD = 0,
	IVHD_ALL = 1,
	IVHD_SELECT = 2,
	IVHD_RANGE = 3,
	IVHD_RANGE_END = 4,
	IVHD_ALIAS_SELECT = 66,
	IVHD_ALIAS_RANGE = 67,
	IVHD_EXTENDED_SELECT = 70,
	IVHD_EXTENDED_RANGE = 71,
	IVHD_SPECIAL = 72,
};

struct ivrs_parser {
	struct ward_acpi_table table;
	struct ward_ivrs *ivrs;
	size_t iommus_capacity, entries_capacity, memories_capacity;
	/* A range that was started and not yet ended. */
	bool open;
	struct ward_ivrs_entry range;
	struct ward_error *error;
};

static int add_entry(struct ivrs_parser *p, uint32_t at, const struct ward_ivrs_entry *entry)
{
	struct ward_ivrs_entry *kept;

	if (p->ivrs->entries_count == WARD_IVRS_ENTRIES_MAX)
		return ward_acpi_bad(&p->table, p->error, at, "more than %u device entries",
				     WARD_IVRS_ENTRIES_MAX);
	kept = ward_acpi_append(&p->ivrs->entries, &p->ivrs->entries_count, &p->entries_capacity,
				sizeof(*kept));
	if (!kept)
		return -ENOMEM;
	*kept = *entry;
	return 0;
}

static int end_range(struct ivrs_parser *p, uint32_t at, uint16_t last)
{
	if (!p->open)
		return ward_acpi_bad(&p->table, p->error, at, "a range ends that was not started");
	if (last < p->range.first)
		return ward_acpi_bad(&p->table, p->error, at + 1,
				     "a range from 0x%04x ends before it, at 0x%04x",
				     p->range.first, last);
	p->open = false;
	p->range.last = last;
	return add_entry(p, at, &p->range);
}

static int parse_special(struct ivrs_parser *p, uint32_t at)
{
	uint8_t variety = ward_acpi_u8(&p->table, at + 7);
	struct ward_ivrs_entry entry = {
		.kind = variety == 1 ? WARD_IVRS_IOAPIC : WARD_IVRS_HPET,
		.first = ward_acpi_u16(&p->table, at + 5),
		.last = ward_acpi_u16(&p->table, at + 5),
		.handle = ward_acpi_u8(&p->table, at + 4),
	};

	/* Varieties other than I/O APIC and HPET are reserved. */
	return variety == 1 || variety == 2 ? add_entry(p, at, &entry) : 0;
}

static int parse_entry(struct ivrs_parser *p, uint32_t at, uint8_t type)
{
	uint16_t rid = ward_acpi_u16(&p->table, at + 1);
	struct ward_ivrs_entry entry = { .first = rid, .last = rid };

	if (type == IVHD_ALIAS_SELECT || type == IVHD_ALIAS_RANGE) {
		entry.aliased = true;
		entry.alias = ward_acpi_u16(&p->table, at + 5);
	}
	switch (type) {
	case IVHD_ALL:
		entry.first = 0;
		entry.last = 0xffff;
		return add_entry(p, at, &entry);
	case IVHD_SELECT:
	case IVHD_ALIAS_SELECT:
	case IVHD_EXTENDED_SELECT:
		return add_entry(p, at, &entry);
	case IVHD_RANGE:
	case IVHD_ALIAS_RANGE:
	case IVHD_EXTENDED_RANGE:
		if (p->open)
			return ward_acpi_bad(&p->table, p->error, at,
					     "a range starts inside another");
		p->open = true;
		p->range = entry;
		return 0;
	case IVHD_RANGE_END:
		return end_range(p, at, rid);
	case IVHD_SPECIAL:
		return parse_special(p, at);
	case IVHD_ACPI_ENTRY:
		entry.kind = WARD_IVRS_ACPI;
		return add_entry(p, at, &entry);
	default:
		return 0; /* padding and reserved */
	}
}

/* The length of the entry at an offset: by its type, for ACPI devices by their UID. */
static uint32_t entry_length(const struct ivrs_parser *p, uint32_t at, uint32_t left)
{
	uint8_t type = ward_acpi_u8(&p->table, at);

	if (type < IVHD_ACPI_ENTRY)
		return 4u << (type >> 6);
	if (type != IVHD_ACPI_ENTRY || left < IVHD_ACPI_LENGTH)
		return 0;
	return IVHD_ACPI_LENGTH + ward_acpi_u8(&p->table, at + IVHD_ACPI_LENGTH - 1);
}

static int parse_entries(struct ivrs_parser *p, uint32_t at, uint32_t end)
{
	uint32_t length;
	int err;

	p->open = false;
	for (; at < end; at += length) {
		length = entry_length(p, at, end - at);
		if (length == 0 || length > end - at)
			return ward_acpi_bad(&p->table, p->error, at,
					     "a device entry of type %u does not fit its block",
					     ward_acpi_u8(&p->table, at));
		err = parse_entry(p, at, ward_acpi_u8(&p->table, at));
		if (err)
			return err;
	}
	if (p->open)
		return ward_acpi_bad(&p->table, p->error, end, "a range does not end");
	return 0;
}

static int parse_iommu(struct ivrs_parser *p, uint32_t at, uint32_t length)
{
	uint8_t type = ward_acpi_u8(&p->table, at);
	uint32_t header = type == 0x10 ? 24 : 40;
	struct ward_ivrs_iommu iommu = {
		.type = type,
		.flags = ward_acpi_u8(&p->table, at + 1),
		.rid = ward_acpi_u16(&p->table, at + 4),
		.base = ward_acpi_u64(&p->table, at + 8),
		.segment = ward_acpi_u16(&p->table, at + 16),
		.features = ward_acpi_u32(&p->table, at + 20),
		.first_entry = p->ivrs->entries_count,
	};
	struct ward_ivrs_iommu *kept;
	int err;

	if (length < header)
		return ward_acpi_bad(&p->table, p->error, at + 2,
				     "IVHD of type 0x%02x has %u bytes, needs %u", type, length,
				     header);
	if (type != 0x10)
		iommu.efr = ward_acpi_u64(&p->table, at + 24);
	err = parse_entries(p, at + header, at + length);
	if (err)
		return err;
	iommu.entries_count = p->ivrs->entries_count - iommu.first_entry;
	kept = ward_acpi_append(&p->ivrs->iommus, &p->ivrs->iommus_count, &p->iommus_capacity,
				sizeof(*kept));
	if (!kept)
		return -ENOMEM;
	*kept = iommu;
	return 0;
}

static int parse_memory(struct ivrs_parser *p, uint32_t at, uint32_t length)
{
	uint8_t type = ward_acpi_u8(&p->table, at);
	uint16_t rid = ward_acpi_u16(&p->table, at + 4);
	struct ward_ivrs_memory memory = {
		.flags = ward_acpi_u8(&p->table, at + 1),
		/* Reserved in the specification; Linux reads a segment there. */
		.segment = ward_acpi_u16(&p->table, at + 8),
		.first = type == 0x20 ? 0 : rid,
		.last = type == 0x20 ? 0xffff : rid,
	};
	struct ward_ivrs_memory *kept;

	if (length < 32)
		return ward_acpi_bad(&p->table, p->error, at + 2, "IVMD has %u bytes, needs 32",
				     length);
	if (type == 0x22)
		memory.last = ward_acpi_u16(&p->table, at + 6);
	if (memory.last < memory.first)
		return ward_acpi_bad(&p->table, p->error, at + 6,
				     "IVMD for devices 0x%04x to 0x%04x", memory.first,
				     memory.last);
	if (ward_range_make(ward_acpi_u64(&p->table, at + 16), ward_acpi_u64(&p->table, at + 24),
			    &memory.range) != 0)
		return ward_acpi_bad(&p->table, p->error, at + 16,
				     "IVMD has a memory range that is empty or wraps");
	if (p->ivrs->memories_count == WARD_IVRS_MEMORIES_MAX)
		return ward_acpi_bad(&p->table, p->error, at, "more than %u memory blocks",
				     WARD_IVRS_MEMORIES_MAX);
	kept = ward_acpi_append(&p->ivrs->memories, &p->ivrs->memories_count, &p->memories_capacity,
				sizeof(*kept));
	if (!kept)
		return -ENOMEM;
	*kept = memory;
	return 0;
}

static int parse_blocks(struct ivrs_parser *p)
{
	uint32_t at = IVRS_BLOCKS, length;

	for (; at < p->table.size; at += length) {
		uint8_t type = ward_acpi_u8(&p->table, at);
		int err = 0;

		if (!ward_acpi_has(&p->table, at, 6))
			return ward_acpi_bad(&p->table, p->error, at, "a block is cut short");
		length = ward_acpi_u16(&p->table, at + 2);
		if (length < 6 || !ward_acpi_has(&p->table, at, length))
			return ward_acpi_bad(&p->table, p->error, at + 2,
					     "a block of %u bytes does not fit", length);
		if (type == 0x10 || type == 0x11 || type == 0x40)
			err = parse_iommu(p, at, length);
		else if (type >= 0x20 && type <= 0x22)
			err = parse_memory(p, at, length);
		if (err)
			return err;
	}
	return 0;
}

/*
 * Firmware describes each IOMMU once per type, older types first, so that older kernels find
 * theirs. Linux (amd/init.c) takes the type of the last block that has the same IOMMU as the
 * first block.
 */
static void choose_type(struct ward_ivrs *ivrs)
{
	uint8_t type = 0;

	for (uint32_t i = 0; i < ivrs->iommus_count; i++) {
		if (ivrs->iommus[i].rid == ivrs->iommus[0].rid)
			type = ivrs->iommus[i].type;
	}
	for (uint32_t i = 0; i < ivrs->iommus_count; i++)
		ivrs->iommus[i].used = ivrs->iommus[i].type == type;
}

int ward_ivrs_parse(const void *bytes, size_t size, struct ward_ivrs **ret_ivrs,
		    struct ward_error *ret_error)
{
	struct ivrs_parser parser = { .error = ret_error };
	int err;

	err = ward_acpi_open(bytes, size, "IVRS", IVRS_BLOCKS, &parser.table, ret_error);
	if (err)
		return err;
	parser.ivrs = ward_alloc(sizeof(*parser.ivrs));
	if (!parser.ivrs)
		return ward_fail(ret_error, -ENOMEM, "out of memory");
	parser.ivrs->info = ward_acpi_u32(&parser.table, 36);
	err = parse_blocks(&parser);
	if (err) {
		ward_ivrs_destroy(parser.ivrs);
		return err;
	}
	choose_type(parser.ivrs);
	*ret_ivrs = parser.ivrs;
	return 0;
}

void ward_ivrs_destroy(struct ward_ivrs *ivrs)
{
	if (!ivrs)
		return;
	free(ivrs->iommus);
	free(ivrs->entries);
	free(ivrs->memories);
	free(ivrs);
}

/* An alias is served too: requests arrive with it. */
static bool entry_serves(const struct ward_ivrs_entry *entry, uint16_t rid)
{
	if (entry->first <= rid && rid <= entry->last)
		return true;
	return entry->aliased && entry->alias == rid;
}

uint32_t ward_ivrs_find(const struct ward_ivrs *ivrs, uint32_t segment, uint16_t rid,
			uint16_t *ret_id)
{
	uint32_t found = WARD_NONE;
	uint16_t id = rid;

	for (uint32_t i = 0; i < ivrs->iommus_count; i++) {
		const struct ward_ivrs_iommu *iommu = &ivrs->iommus[i];

		if (!iommu->used || iommu->segment != segment)
			continue;
		for (uint32_t k = 0; k < iommu->entries_count; k++) {
			const struct ward_ivrs_entry *entry =
				&ivrs->entries[iommu->first_entry + k];

			if (!entry_serves(entry, rid))
				continue;
			found = i;
			if (entry->aliased && entry->first <= rid && rid <= entry->last)
				id = entry->alias;
		}
		/* The table may say so, but an IOMMU does not translate itself (init_iommu_one). */
		if (rid == iommu->rid)
			found = WARD_NONE;
	}
	*ret_id = id;
	return found;
}

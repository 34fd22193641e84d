// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Interrupt remapping of VT-d (VT-d specification 3.4: 5.1; entries: 9.10; reasons: 7.1.3; IRTA:
 * 11.4.8). The checks come in the order of the specification, one function each.
 *
 * What it leaves open
 * - Writes that are no doubleword do not get here (controller.h). They are no requests of interrupts.
 * - The reserved way of validation (SVT 3) admits nobody, as in QEMU.
 * - Reserved delivery modes are the APICs' to refuse.
 * - A message of trigger mode "level" is always an assertion.
 */
#include "emul/vtd_state.h"

#include <errno.h>

/* Of the address of a remappable message. */
#define REMAPPABLE (1u << 4)
#define SUBHANDLE_VALID (1u << 3)

#define PRESENT (UINT64_C(1) << 0)
#define FPD (UINT64_C(1) << 1)
#define LOGICAL (UINT64_C(1) << 2)
#define HINT (UINT64_C(1) << 3)
#define LEVEL (UINT64_C(1) << 4)
/* 14:12, IM (posted interrupts are not offered), 31:24. */
#define LOW_RESERVED 0xff00f000u
/* xAPIC ids are in 47:40, the rest of the destination is reserved. */
#define XAPIC_RESERVED 0xffff00ff00000000u
#define HIGH_RESERVED 0xfffffffffff00000u
#define ENTRY_BYTES 16u

#define EIME (UINT64_C(1) << 11)
#define TABLE 0xfffffffffffff000u

enum source_check {
	SOURCE_ANY = 0,
	SOURCE_ID = 1,
	SOURCE_BUSES = 2,
};

/* Whether the table that was taken has x2APIC's destinations. */
static bool is_extended(const struct ward_vtd *vtd)
{
	return vtd->options.x2apic && vtd->remapping & EIME;
}

/* 0 or a reason; *ret_index is what a record shows in either case. */
static unsigned int find_index(const struct ward_vtd *vtd, const struct ward_emul_message *message,
			       uint32_t *ret_index)
{
	uint32_t address = (uint32_t)message->address;
	uint32_t index = (address >> 5 & 0x7fff) | (address >> 2 & 1) << 15;

	*ret_index = index;
	if (address & SUBHANDLE_VALID) {
		if (message->data >> 16)
			return VTD_REQUEST_RESERVED;
		index += message->data;
		*ret_index = index;
	}
	/* IRTA.S: the table has 2^(S+1) entries. */
	return index >> ((vtd->remapping & 0xf) + 1) ? VTD_INDEX_BEYOND : 0;
}

static unsigned int read_entry(const struct ward_vtd *vtd, uint32_t index,
			       struct vtd_interrupt *ret_entry)
{
	uint64_t table = vtd->remapping & TABLE, at = table + index * ENTRY_BYTES, low, high;

	if (table >> vtd->options.output_bits ||
	    ward_memory_read_u64(vtd->options.memory, at, &low) ||
	    ward_memory_read_u64(vtd->options.memory, at + 8, &high))
		return VTD_ENTRY_UNREADABLE;
	ret_entry->low = low;
	ret_entry->high = high;
	return 0;
}

static unsigned int check_entry(const struct ward_vtd *vtd, const struct vtd_interrupt *entry)
{
	if (!(entry->low & PRESENT))
		return VTD_ENTRY_ABSENT;
	if (entry->low & LOW_RESERVED || entry->high & HIGH_RESERVED ||
	    (!is_extended(vtd) && entry->low & XAPIC_RESERVED))
		return VTD_ENTRY_RESERVED;
	return 0;
}

/* Cached, or read and then cached; those that are not sound are not. */
static unsigned int find_entry(struct ward_vtd *vtd, uint32_t index, bool probe,
			       struct vtd_interrupt *ret_entry)
{
	struct vtd_interrupt *place = &vtd->interrupts[index % VTD_INTERRUPTS];
	unsigned int reason;

	if (place->valid && place->index == index) {
		*ret_entry = *place;
		return 0;
	}
	*ret_entry = (struct vtd_interrupt){ .valid = true, .index = (uint16_t)index };
	reason = read_entry(vtd, index, ret_entry);
	if (!reason)
		reason = check_entry(vtd, ret_entry);
	if (!reason && !probe)
		*place = *ret_entry;
	return reason;
}

/* SQ: bits of the function number that do not count: none, 2, 2:1, 2:0. */
static unsigned int check_source(const struct vtd_interrupt *entry, ward_rid_t rid)
{
	static const uint8_t ignored[4] = { 0x0, 0x4, 0x6, 0x7 };
	uint16_t sid = (uint16_t)entry->high, mask = (uint16_t)~ignored[entry->high >> 16 & 3];
	uint8_t bus = ward_rid_bus(rid);

	switch (entry->high >> 18 & 3) {
	case SOURCE_ANY:
		return 0;
	case SOURCE_ID:
		return (ward_rid_raw(rid) ^ sid) & mask ? VTD_SOURCE_WRONG : 0;
	case SOURCE_BUSES:
		return sid >> 8 <= bus && bus <= (sid & 0xff) ? 0 : VTD_SOURCE_WRONG;
	default:
		return VTD_SOURCE_WRONG;
	}
}

static enum ward_interrupt_reason in_words(unsigned int reason)
{
	switch (reason) {
	case VTD_INDEX_BEYOND:
	case VTD_ENTRY_ABSENT:
		return WARD_REASON_NOT_PRESENT;
	case VTD_ENTRY_UNREADABLE:
		return WARD_REASON_TABLE;
	case VTD_SOURCE_WRONG:
		return WARD_REASON_SOURCE;
	default:
		return WARD_REASON_FORMAT;
	}
}

/* FPD of an entry that was read keeps faults out of the records; entry is 0 where none was. */
static int block(struct ward_vtd *vtd, const struct ward_emul_message *message, uint32_t index,
		 const struct vtd_interrupt *entry, unsigned int reason,
		 struct ward_interrupt *ret_interrupt)
{
	*ret_interrupt = (struct ward_interrupt){
		.end = WARD_INTERRUPT_BLOCKED,
		.reason = in_words(reason),
		.cpu = WARD_NONE,
	};
	if (message->probe)
		return -EPERM;
	if (entry->low & FPD)
		vtd->counts.faults_dropped++;
	else
		ward_vtd_record_interrupt(vtd, message->rid, (uint16_t)index,
					  (enum vtd_reason)reason);
	return -EPERM;
}

static struct ward_apic_delivery decode(const struct ward_vtd *vtd,
					const struct vtd_interrupt *entry)
{
	uint32_t destination = (uint32_t)(entry->low >> 32);

	return (struct ward_apic_delivery){
		.destination = is_extended(vtd) ? destination : destination >> 8,
		.wide = is_extended(vtd),
		.logical = entry->low & LOGICAL,
		.hint = entry->low & HINT,
		.level = entry->low & LEVEL,
		.on = true,
		.mode = entry->low >> 5 & 7,
		.vector = (uint8_t)(entry->low >> 16),
	};
}

int ward_vtd_remap(struct ward_vtd *vtd, const struct ward_emul_message *message,
		   struct ward_apic_delivery *ret_delivery, struct ward_interrupt *ret_interrupt)
{
	struct vtd_interrupt entry = { .valid = false };
	uint32_t index = 0;
	unsigned int reason;

	if (!(vtd->gsts & VTD_IRE))
		return 0;
	if (!(message->address & REMAPPABLE)) {
		if (vtd->gsts & VTD_CFI && !is_extended(vtd))
			return 0;
		return block(vtd, message, 0, &entry, VTD_COMPATIBLE_BLOCKED, ret_interrupt);
	}
	reason = find_index(vtd, message, &index);
	if (!reason)
		reason = find_entry(vtd, index, message->probe, &entry);
	if (!reason)
		reason = check_source(&entry, message->rid);
	if (reason)
		return block(vtd, message, index, &entry, reason, ret_interrupt);
	*ret_delivery = decode(vtd, &entry);
	return 1;
}

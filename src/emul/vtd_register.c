// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Registers of VT-d: one row each (VT-d specification, 11.4). */
#include "emul/vtd_state.h"

#include <errno.h>

#define RECORDS_LAST (WARD_VTD_RECORD_OFFSET + WARD_VTD_RECORDS * 16u - 1u)
#define COMMAND (UINT64_C(1) << 63) /* CCMD.ICC, IOTLB.IVT */

/* Where the value of a register is kept. */
#define AT(field) offsetof(struct ward_vtd, field)
#define NOT_KEPT SIZE_MAX

struct vtd_register {
	uint32_t offset;
	uint8_t size;
	size_t kept;
	uint64_t writable;				       /* bits */
	uint64_t (*read)(const struct ward_vtd *vtd);	       /* NULL: what is kept */
	void (*written)(struct ward_vtd *vtd, uint64_t value); /* after it was kept; or NULL */
};

static uint64_t version(const struct ward_vtd *vtd)
{
	(void)vtd;
	return 0x10;
}

static uint64_t capability(const struct ward_vtd *vtd)
{
	uint64_t widths = vtd->options.address_bits == 48 ? 0x6 : 0x2;

	return (vtd->options.remaps_interrupts ? UINT64_C(1) << 62 /* ESIRTPS */ : 0) |
	       6 /* 16 bits of domain id */ | widths << 8 |
	       (uint64_t)(vtd->options.address_bits - 1) << 16 |
	       (uint64_t)(WARD_VTD_RECORD_OFFSET / 16) << 24 |
	       UINT64_C(3) << 34 /* 2 MiB, 1 GiB */ | UINT64_C(1) << 39 /* page selective */ |
	       (uint64_t)(WARD_VTD_RECORDS - 1) << 40 | (uint64_t)VTD_MAMV << 48;
}

static uint64_t extended_capability(const struct ward_vtd *vtd)
{
	uint64_t interrupts = !vtd->options.remaps_interrupts ? 0
			      : vtd->options.x2apic	      ? 0xf00018 /* IR, EIM, MHMV */
							      : 0xf00008;

	return interrupts | 1 /* coherent */ | 1u << 1 /* queued invalidation */ |
	       (vtd->options.ats ? 1u << 2 : 0) | 1u << 6 /* pass-through */ |
	       1u << 7 /* snoop control */ | WARD_VTD_IOTLB_OFFSET / 16 << 8;
}

static uint64_t fault_status(const struct ward_vtd *vtd)
{
	return ward_vtd_fault_status(vtd);
}

static uint64_t zero(const struct ward_vtd *vtd)
{
	(void)vtd;
	return 0;
}

/* One command at a time in the specification; here all that differ, in the order below. */
static void global_command(struct ward_vtd *vtd, uint64_t value)
{
	uint32_t switches = VTD_QIE | VTD_TE |
			    (vtd->options.remaps_interrupts ? VTD_SIRTP | VTD_IRE | VTD_CFI : 0);
	bool was_queued = vtd->gsts & VTD_QIE;

	if (value & VTD_SRTP) {
		vtd->root = vtd->rtaddr & ~UINT64_C(0xfff);
		vtd->gsts |= VTD_SRTP;
	}
	if (value & VTD_SIRTP & switches) {
		vtd->remapping = vtd->irta;
		vtd->gsts |= VTD_SIRTP;
		ward_vtd_invalidate_interrupts(vtd, true, 0, 0);
	}
	switches &= ~VTD_SIRTP;
	vtd->gsts = (vtd->gsts & ~switches) | ((uint32_t)value & switches);
	if (was_queued != !!(vtd->gsts & VTD_QIE)) {
		vtd->iqh = 0;
		vtd->device_unanswered = false;
		ward_vtd_run_queue(vtd);
	}
}

/* CCMD: done at once; what was done is told in CAIG, 0 when nothing was. */
static void context_command(struct ward_vtd *vtd, uint64_t value)
{
	unsigned int granularity = value >> 61 & 3;
	bool done;

	if (!(value & COMMAND))
		return;
	done = !(vtd->gsts & VTD_QIE) &&
	       ward_vtd_invalidate_contexts(vtd, granularity, (uint16_t)value,
					    (uint16_t)(value >> 16), value >> 32 & 3);
	vtd->ccmd =
		(value & ~(COMMAND | UINT64_C(3) << 59)) | (done ? (uint64_t)granularity << 59 : 0);
}

static void iotlb_command(struct ward_vtd *vtd, uint64_t value)
{
	unsigned int granularity = value >> 60 & 3;
	bool done;

	if (!(value & COMMAND))
		return;
	done = !(vtd->gsts & VTD_QIE) &&
	       ward_vtd_invalidate_translations(vtd, granularity, (uint16_t)(value >> 32),
						vtd->iva & ~UINT64_C(0xfff), vtd->iva & 0x3f);
	vtd->iotlb =
		(value & ~(COMMAND | UINT64_C(3) << 57)) | (done ? (uint64_t)granularity << 57 : 0);
}

static void clear_status(struct ward_vtd *vtd, uint64_t value)
{
	vtd->fsts &= ~((uint32_t)value & (VTD_PFO | VTD_IQE | VTD_ITE));
	ward_vtd_run_queue(vtd);
}

static void queue_tail(struct ward_vtd *vtd, uint64_t value)
{
	(void)value;
	ward_vtd_run_queue(vtd);
}

static void clear_completion(struct ward_vtd *vtd, uint64_t value)
{
	vtd->ics &= ~((uint32_t)value & 1);
}

#define EVENTS(offset, first)                                                         \
	{ (offset), 4, AT(events[first]), 1u << 31, NULL, NULL },                     \
		{ (offset) + 4, 4, AT(events[(first) + 1]), 0xffff, NULL, NULL },     \
		{ (offset) + 8, 4, AT(events[(first) + 2]), 0xfffffffc, NULL, NULL }, \
	{                                                                             \
		(offset) + 12, 4, AT(events[(first) + 3]), 0xffffffff, NULL, NULL     \
	}

static const struct vtd_register registers[] = {
	{ 0x00, 4, NOT_KEPT, 0, version, NULL },
	{ 0x08, 8, NOT_KEPT, 0, capability, NULL },
	{ 0x10, 8, NOT_KEPT, 0, extended_capability, NULL },
	{ 0x18, 4, NOT_KEPT, 0, zero, global_command },
	{ 0x1c, 4, AT(gsts), 0, NULL, NULL },
	{ 0x20, 8, AT(rtaddr), ~UINT64_C(0xfff), NULL, NULL },
	{ 0x28, 8, AT(ccmd), 0xe0000003ffffffff, NULL, context_command },
	{ 0x34, 4, NOT_KEPT, 0, fault_status, clear_status },
	EVENTS(0x38, 0),
	{ 0x80, 8, AT(iqh), 0, NULL, NULL },
	{ 0x88, 8, AT(iqt), 0x7fff0, NULL, queue_tail },
	{ 0x90, 8, AT(iqa), ~UINT64_C(0xff8), NULL, NULL },
	{ 0x9c, 4, AT(ics), 0, NULL, clear_completion },
	EVENTS(0xa0, 4),
	{ 0xb8, 8, AT(irta), ~UINT64_C(0x7f0), NULL, NULL },
	{ WARD_VTD_IOTLB_OFFSET, 8, AT(iva), 0xfffffffffffff07f, zero, NULL },
	{ WARD_VTD_IOTLB_OFFSET + 8, 8, AT(iotlb), 0xb003ffff00000000, NULL, iotlb_command },
};

/* The register that has an access of 4 bytes; *ret_shift: which half of it. */
static const struct vtd_register *find(uint32_t offset, unsigned int *ret_shift)
{
	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		if (offset < registers[i].offset ||
		    offset - registers[i].offset >= registers[i].size)
			continue;
		*ret_shift = (offset - registers[i].offset) * 8;
		return &registers[i];
	}
	return NULL;
}

static uint64_t kept(const struct ward_vtd *vtd, const struct vtd_register *row)
{
	const char *at = (const char *)vtd + row->kept;

	return row->size == 8 ? *(const uint64_t *)(const void *)at
			      : *(const uint32_t *)(const void *)at;
}

static void keep(struct ward_vtd *vtd, const struct vtd_register *row, uint64_t value)
{
	char *at = (char *)vtd + row->kept;

	if (row->size == 8)
		*(uint64_t *)(void *)at = value;
	else
		*(uint32_t *)(void *)at = (uint32_t)value;
}

static bool is_record(uint32_t offset)
{
	return offset >= WARD_VTD_RECORD_OFFSET && offset <= RECORDS_LAST;
}

/* Four bytes of a record, or eight when they are aligned. */
static uint64_t read_record(const struct ward_vtd *vtd, uint32_t offset)
{
	const struct vtd_record *record = &vtd->records[(offset - WARD_VTD_RECORD_OFFSET) / 16];
	uint64_t half = offset & 8 ? record->high : record->low;

	return offset & 4 ? half >> 32 : half;
}

static int read4(const struct ward_vtd *vtd, uint32_t offset, uint32_t *ret_value)
{
	const struct vtd_register *row;
	unsigned int shift;

	if (is_record(offset)) {
		*ret_value = (uint32_t)read_record(vtd, offset);
		return 0;
	}
	row = find(offset, &shift);
	if (!row)
		return -EINVAL;
	*ret_value = (uint32_t)((row->read ? row->read(vtd) : kept(vtd, row)) >> shift);
	return 0;
}

int ward_vtd_read(struct ward_vtd *vtd, uint32_t offset, unsigned int size, uint64_t *ret_value)
{
	uint32_t low, high = 0;

	if ((size != 4 && size != 8) || offset % size || read4(vtd, offset, &low) ||
	    (size == 8 && read4(vtd, offset + 4, &high)))
		return -EINVAL;
	*ret_value = (uint64_t)high << 32 | low;
	return 0;
}

/* mask: the bytes of the register that are written. */
static void write_register(struct ward_vtd *vtd, const struct vtd_register *row, uint64_t value,
			   uint64_t mask)
{
	if (row->kept != NOT_KEPT && row->writable) {
		uint64_t bits = row->writable & mask;

		value = (kept(vtd, row) & ~bits) | (value & bits);
		keep(vtd, row, value);
	}
	if (row->written)
		row->written(vtd, value);
}

int ward_vtd_write(struct ward_vtd *vtd, uint32_t offset, unsigned int size, uint64_t value)
{
	const struct vtd_register *row;
	unsigned int shift;

	if ((size != 4 && size != 8) || offset % size)
		return -EINVAL;
	if (is_record(offset)) {
		/* Write one to clear, in the last word of a record. */
		if (size == 8 ? offset & 8 && value >> 63 : (offset & 12) == 12 && value >> 31 & 1)
			ward_vtd_clear_record(vtd, (offset - WARD_VTD_RECORD_OFFSET) / 16);
		return 0;
	}
	row = find(offset, &shift);
	if (!row)
		return -EINVAL;
	if (size == 8 && row->size == 4) {
		if (!find(offset + 4, &shift))
			return -EINVAL;
		(void)ward_vtd_write(vtd, offset, 4, value & UINT32_MAX);
		return ward_vtd_write(vtd, offset + 4, 4, value >> 32);
	}
	if (size == 4)
		write_register(vtd, row, (value & UINT32_MAX) << shift,
			       UINT64_C(0xffffffff) << shift);
	else
		write_register(vtd, row, value, UINT64_MAX);
	return 0;
}

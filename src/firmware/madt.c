// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "firmware/madt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fault.h"

#define MADT_ENTRIES 44u /* where the structures start */

struct madt_parser {
	struct ward_acpi_table table;
	struct ward_madt *madt;
	size_t frames_capacity, itss_capacity, distributors_capacity, ioapics_capacity;
	struct ward_error *error;
};

static int parse_apic(struct madt_parser *p, uint32_t at)
{
	(void)at;
	p->madt->apics++;
	return 0;
}

static int parse_x2apic(struct madt_parser *p, uint32_t at)
{
	(void)at;
	p->madt->x2apics++;
	return 0;
}

static int parse_gic_cpu(struct madt_parser *p, uint32_t at)
{
	(void)at;
	p->madt->gic_cpus++;
	return 0;
}

static int parse_ioapic(struct madt_parser *p, uint32_t at)
{
	struct ward_madt_ioapic *ioapic =
		ward_acpi_append(&p->madt->ioapics, &p->madt->ioapics_count, &p->ioapics_capacity,
				 sizeof(*ioapic));

	if (!ioapic)
		return -ENOMEM;
	ioapic->id = ward_acpi_u8(&p->table, at + 2);
	ioapic->base = ward_acpi_u32(&p->table, at + 4);
	ioapic->first_gsi = ward_acpi_u32(&p->table, at + 8);
	return 0;
}

static int parse_distributor(struct madt_parser *p, uint32_t at)
{
	struct ward_madt_distributor *distributor =
		ward_acpi_append(&p->madt->distributors, &p->madt->distributors_count,
				 &p->distributors_capacity, sizeof(*distributor));

	if (!distributor)
		return -ENOMEM;
	distributor->base = ward_acpi_u64(&p->table, at + 8);
	distributor->version = ward_acpi_u8(&p->table, at + 20);
	return 0;
}

static int parse_frame(struct madt_parser *p, uint32_t at)
{
	struct ward_madt_frame *frame = ward_acpi_append(&p->madt->frames, &p->madt->frames_count,
							 &p->frames_capacity, sizeof(*frame));

	if (!frame)
		return -ENOMEM;
	frame->id = ward_acpi_u32(&p->table, at + 4);
	frame->base = ward_acpi_u64(&p->table, at + 8);
	frame->spis_given = ward_acpi_u32(&p->table, at + 16) & 1;
	if (frame->spis_given) {
		frame->spi_count = ward_acpi_u16(&p->table, at + 20);
		frame->spi_base = ward_acpi_u16(&p->table, at + 22);
	}
	if (frame->base & 0xfff || frame->base > UINT64_MAX - 0xffff)
		return ward_acpi_bad(&p->table, p->error, at + 8,
				     "the MSI frame's address is not that of a page");
	if (frame->spis_given &&
	    (frame->spi_base < 32 || frame->spi_base + frame->spi_count > 1020))
		return ward_acpi_bad(&p->table, p->error, at + 20,
				     "the MSI frame's %u interrupts from %u are no SPIs",
				     frame->spi_count, frame->spi_base);
	return 0;
}

static int parse_its(struct madt_parser *p, uint32_t at)
{
	struct ward_madt_its *its = ward_acpi_append(&p->madt->itss, &p->madt->itss_count,
						     &p->itss_capacity, sizeof(*its));

	if (!its)
		return -ENOMEM;
	its->id = ward_acpi_u32(&p->table, at + 4);
	its->base = ward_acpi_u64(&p->table, at + 8);
	if (its->base & 0xffff || its->base > UINT64_MAX - 0x1ffff)
		return ward_acpi_bad(&p->table, p->error, at + 8,
				     "the ITS's address is not a multiple of 64 KiB");
	return 0;
}

/* GICC grew with revisions of the specification; 76 bytes is its oldest length (5.1). */
static const struct {
	uint8_t type, length;
	int (*parse)(struct madt_parser *p, uint32_t at);
} madt_entries[] = {
	{ 0x00, 8, parse_apic },     { 0x01, 12, parse_ioapic },      { 0x09, 16, parse_x2apic },
	{ 0x0b, 76, parse_gic_cpu }, { 0x0c, 24, parse_distributor }, { 0x0d, 24, parse_frame },
	{ 0x0f, 20, parse_its },
};

static int parse_entry(struct madt_parser *p, uint32_t at, uint8_t length)
{
	uint8_t type = ward_acpi_u8(&p->table, at);

	for (size_t i = 0; i < sizeof(madt_entries) / sizeof(madt_entries[0]); i++) {
		if (madt_entries[i].type != type)
			continue;
		if (length < madt_entries[i].length)
			return ward_acpi_bad(&p->table, p->error, at + 1,
					     "structure of type %u has %u bytes, needs %u", type,
					     length, madt_entries[i].length);
		return madt_entries[i].parse(p, at);
	}
	return 0;
}

static int parse_entries(struct madt_parser *p)
{
	uint32_t at = MADT_ENTRIES;
	uint8_t length;
	int err;

	for (; at < p->table.size; at += length) {
		if (!ward_acpi_has(&p->table, at, 2))
			return ward_acpi_bad(&p->table, p->error, at, "a structure is cut short");
		length = ward_acpi_u8(&p->table, at + 1);
		if (length < 2 || !ward_acpi_has(&p->table, at, length))
			return ward_acpi_bad(&p->table, p->error, at + 1,
					     "a structure of %u bytes does not fit", length);
		err = parse_entry(p, at, length);
		if (err)
			return err;
	}
	return 0;
}

int ward_madt_parse(const void *bytes, size_t size, struct ward_madt **ret_madt,
		    struct ward_error *ret_error)
{
	struct madt_parser parser = { .error = ret_error };
	int err;

	err = ward_acpi_open(bytes, size, "APIC", MADT_ENTRIES, &parser.table, ret_error);
	if (err)
		return err;
	parser.madt = ward_alloc(sizeof(*parser.madt));
	if (!parser.madt)
		return ward_fail(ret_error, -ENOMEM, "out of memory");
	memcpy(parser.madt->oem_id, parser.table.oem_id, sizeof(parser.madt->oem_id));
	err = parse_entries(&parser);
	if (err) {
		ward_madt_destroy(parser.madt);
		return err;
	}
	*ret_madt = parser.madt;
	return 0;
}

void ward_madt_destroy(struct ward_madt *madt)
{
	if (!madt)
		return;
	free(madt->frames);
	free(madt->itss);
	free(madt->distributors);
	free(madt->ioapics);
	free(madt);
}

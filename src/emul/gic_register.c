// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The distributor's registers: one row each (Arm IHI 0048, 4.3; Arm IHI 0069, 12.9). There is one
 * security state (GICD_CTLR.DS) and affinity routing cannot be switched off (GICD_CTLR.ARE). What
 * belongs to SGIs and PPIs reads 0 and is ignored.
 */
#include "emul/gic_state.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define V2_BYTES 0x1000u
#define V3_BYTES 0x10000u
#define REDISTRIBUTOR_BYTES 0x20000u

/* Product 'W', no revision, Arm's number for the implementer, as other software GICs have it. */
#define IIDR 0x5700043bu

static uint64_t read_ctlr(const struct ward_gic *gic, uint32_t cpu)
{
	(void)cpu;
	if (gic->options.kind == WARD_GIC_V3)
		return atomic_load(&gic->ctlr) | 1u << 4 /* ARE */ | 1u << 6 /* DS */;
	return atomic_load(&gic->ctlr);
}

static void write_ctlr(struct ward_gic *gic, uint32_t cpu, uint64_t value, uint64_t mask)
{
	(void)cpu;
	(void)mask;
	ward_gic_set_ctlr(gic, (uint32_t)value & (GIC_CTLR_GROUP0 | GIC_CTLR_GROUP1));
}

static uint64_t read_typer(const struct ward_gic *gic, uint32_t cpu)
{
	const struct ward_gic_options *options = &gic->options;
	uint32_t lines = (options->interrupts + 31) / 32 - 1;
	uint32_t bits = options->intid_bits ? options->intid_bits : 10;

	(void)cpu;
	if (options->kind == WARD_GIC_V2)
		return lines | (options->cpus - 1) << 5;
	return lines | 1u << 16 /* MBIS */ | (options->intid_bits ? 1u << 17 : 0) /* LPIS */ |
	       (bits - 1) << 19 | 1u << 25 /* No1N */;
}

static uint64_t read_iidr(const struct ward_gic *gic, uint32_t cpu)
{
	(void)gic;
	(void)cpu;
	return IIDR;
}

static uint64_t read_pidr2(const struct ward_gic *gic, uint32_t cpu)
{
	(void)cpu;
	return gic->options.kind == WARD_GIC_V3 ? 0x3b : 0x2b;
}

static uint64_t read_zero(const struct ward_gic *gic, uint32_t cpu)
{
	(void)gic;
	(void)cpu;
	return 0;
}

static void write_setspi(struct ward_gic *gic, uint32_t cpu, uint64_t value, uint64_t mask)
{
	(void)cpu;
	if (mask & 0xffff)
		(void)ward_gic_pulse(gic, value & 0x1fff, NULL);
}

static void write_clrspi(struct ward_gic *gic, uint32_t cpu, uint64_t value, uint64_t mask)
{
	(void)cpu;
	if ((mask & 0xffff) && ward_gic_has_spi(gic, value & 0x1fff))
		ward_gic_withdraw(gic, value & 0x1fff);
}

static const struct gic_register registers[] = {
	{ 0x0000, 4, 4, GIC_BOTH, read_ctlr, write_ctlr },
	{ 0x0004, 4, 4, GIC_BOTH, read_typer, NULL },
	{ 0x0008, 4, 4, GIC_BOTH, read_iidr, NULL },
	{ 0x0040, 4, 2 | 4, GIC_V3_ONLY, read_zero, write_setspi },
	{ 0x0048, 4, 2 | 4, GIC_V3_ONLY, read_zero, write_clrspi },
	{ 0x0fe8, 4, 4, GIC_V2_ONLY, read_pidr2, NULL },
	{ 0xffe8, 4, 4, GIC_V3_ONLY, read_pidr2, NULL },
};

const struct gic_register *ward_gic_find(const struct gic_register *rows, size_t count,
					 const struct ward_gic *gic, uint32_t offset)
{
	for (size_t i = 0; i < count; i++) {
		if (offset >= rows[i].offset && offset - rows[i].offset < rows[i].size &&
		    (rows[i].kinds >> gic->options.kind & 1))
			return &rows[i];
	}
	return NULL;
}

static uint64_t bits_of(uint32_t size)
{
	return size == 8 ? UINT64_MAX : (UINT64_C(1) << size * 8) - 1;
}

int ward_gic_read_row(const struct ward_gic *gic, const struct gic_register *row,
		      const struct gic_access *access, uint64_t *ret_value)
{
	if (!(row->sizes & access->size))
		return -EINVAL;
	*ret_value = row->read(gic, access->cpu) >> (access->offset - row->offset) * 8;
	return 0;
}

int ward_gic_write_row(struct ward_gic *gic, const struct gic_register *row,
		       const struct gic_access *access, uint64_t value)
{
	uint32_t shift = (access->offset - row->offset) * 8;

	if (!(row->sizes & access->size))
		return -EINVAL;
	if (row->write)
		row->write(gic, access->cpu, value << shift, bits_of(access->size) << shift);
	return 0;
}

/* What one interrupt has in a register that many share. */
static uint64_t get_group(uint64_t word)
{
	return !!(word & GIC_GROUP1);
}

static uint64_t get_enabled(uint64_t word)
{
	return !!(word & GIC_ENABLED);
}

static uint64_t get_pending(uint64_t word)
{
	return ward_gic_spi_pending(word);
}

static uint64_t get_active(uint64_t word)
{
	return !!(word & GIC_ACTIVE);
}

static uint64_t get_priority(uint64_t word)
{
	return GIC_PRIORITY(word);
}

static uint64_t get_route(uint64_t word)
{
	return GIC_ROUTE(word);
}

static uint64_t get_edge(uint64_t word)
{
	return word & GIC_EDGE ? 2 : 0;
}

static void set_group(struct ward_gic *gic, uint32_t intid, uint64_t value)
{
	ward_gic_change_spi(gic, intid, GIC_GROUP1, value ? GIC_GROUP1 : 0);
}

static void set_enabled(struct ward_gic *gic, uint32_t intid, uint64_t value)
{
	if (value)
		ward_gic_change_spi(gic, intid, 0, GIC_ENABLED);
}

static void clear_enabled(struct ward_gic *gic, uint32_t intid, uint64_t value)
{
	if (value)
		ward_gic_change_spi(gic, intid, GIC_ENABLED, 0);
}

static void set_pending(struct ward_gic *gic, uint32_t intid, uint64_t value)
{
	if (value)
		ward_gic_change_spi(gic, intid, 0, GIC_LATCH);
}

static void clear_pending(struct ward_gic *gic, uint32_t intid, uint64_t value)
{
	if (value)
		ward_gic_change_spi(gic, intid, GIC_LATCH, 0);
}

static void set_active(struct ward_gic *gic, uint32_t intid, uint64_t value)
{
	if (value)
		ward_gic_change_spi(gic, intid, 0, GIC_ACTIVE);
}

static void clear_active(struct ward_gic *gic, uint32_t intid, uint64_t value)
{
	if (value)
		ward_gic_change_spi(gic, intid, GIC_ACTIVE, 0);
}

static void set_priority(struct ward_gic *gic, uint32_t intid, uint64_t value)
{
	ward_gic_change_spi(gic, intid, UINT64_C(0xff) << GIC_PRIORITY_SHIFT,
			    value << GIC_PRIORITY_SHIFT);
}

/* One CPU: targets are fixed. */
static void set_targets(struct ward_gic *gic, uint32_t intid, uint64_t value)
{
	if (gic->options.cpus == 1)
		return;
	value &= (1u << gic->options.cpus) - 1;
	ward_gic_change_spi(gic, intid, UINT64_C(0xff) << GIC_ROUTE_SHIFT,
			    value << GIC_ROUTE_SHIFT);
}

static uint64_t get_targets(uint64_t word)
{
	return GIC_ROUTE(word) & 0xff;
}

/* Aff3 is not there (GICD_TYPER.A3V), nor is 1 of N. */
static void set_route(struct ward_gic *gic, uint32_t intid, uint64_t value)
{
	ward_gic_change_spi(gic, intid, UINT64_C(0xffffff) << GIC_ROUTE_SHIFT,
			    (value & 0xffffff) << GIC_ROUTE_SHIFT);
}

static void set_edge(struct ward_gic *gic, uint32_t intid, uint64_t value)
{
	ward_gic_change_spi(gic, intid, GIC_EDGE, value & 2 ? GIC_EDGE : 0);
}

/* A register that many interrupts share: so many bits for each, from INTID 0 on. */
struct gic_field {
	uint32_t offset, bytes;
	uint8_t bits;
	uint8_t sizes;
	uint8_t kinds;
	uint64_t (*get)(uint64_t word);
	void (*set)(struct ward_gic *gic, uint32_t intid, uint64_t value);
};

static const struct gic_field fields[] = {
	{ 0x0080, 0x80, 1, 4, GIC_BOTH, get_group, set_group },
	{ 0x0100, 0x80, 1, 4, GIC_BOTH, get_enabled, set_enabled },
	{ 0x0180, 0x80, 1, 4, GIC_BOTH, get_enabled, clear_enabled },
	{ 0x0200, 0x80, 1, 4, GIC_BOTH, get_pending, set_pending },
	{ 0x0280, 0x80, 1, 4, GIC_BOTH, get_pending, clear_pending },
	{ 0x0300, 0x80, 1, 4, GIC_BOTH, get_active, set_active },
	{ 0x0380, 0x80, 1, 4, GIC_BOTH, get_active, clear_active },
	{ 0x0400, 0x3fc, 8, 1 | 4, GIC_BOTH, get_priority, set_priority },
	{ 0x0800, 0x3fc, 8, 1 | 4, GIC_V2_ONLY, get_targets, set_targets },
	{ 0x0c00, 0x100, 2, 4, GIC_BOTH, get_edge, set_edge },
	{ 0x6000, 0x1fe0, 64, 4 | 8, GIC_V3_ONLY, get_route, set_route },
};

static const struct gic_field *find_field(const struct ward_gic *gic, uint32_t offset)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (offset >= fields[i].offset && offset - fields[i].offset < fields[i].bytes &&
		    (fields[i].kinds >> gic->options.kind & 1))
			return &fields[i];
	}
	return NULL;
}

/* A GICv2 with one CPU: GICD_ITARGETSR reads 0 (Arm IHI 0048, 4.3.12). */
static uint64_t field_of(const struct ward_gic *gic, const struct gic_field *field, uint32_t intid)
{
	if (!ward_gic_has_spi(gic, intid))
		return 0;
	if (field->get == get_targets && gic->options.cpus == 1)
		return 0;
	return field->get(atomic_load(&gic->spis[intid]));
}

static int read_field(const struct ward_gic *gic, const struct gic_field *field,
		      const struct gic_access *access, uint64_t *ret_value)
{
	uint32_t bit = (access->offset - field->offset) * 8;
	uint32_t intid = bit / field->bits;
	uint64_t value = 0;

	if (!(field->sizes & access->size))
		return -EINVAL;
	if (field->bits == 64) {
		*ret_value = field_of(gic, field, intid) >> bit % 64;
		return 0;
	}
	for (uint32_t at = 0; at < access->size * 8; at += field->bits, intid++)
		value |= field_of(gic, field, intid) << at;
	*ret_value = value;
	return 0;
}

static int write_field(struct ward_gic *gic, const struct gic_field *field,
		       const struct gic_access *access, uint64_t value)
{
	uint32_t bit = (access->offset - field->offset) * 8;
	uint32_t intid = bit / field->bits;

	if (!(field->sizes & access->size))
		return -EINVAL;
	if (field->bits == 64) {
		uint64_t mask = bits_of(access->size) << bit % 64;

		value = (field_of(gic, field, intid) & ~mask) | value << bit % 64;
		if (ward_gic_has_spi(gic, intid))
			field->set(gic, intid, value);
		return 0;
	}
	for (uint32_t at = 0; at < access->size * 8; at += field->bits, intid++) {
		if (ward_gic_has_spi(gic, intid))
			field->set(gic, intid, value >> at & bits_of(1) >> (8 - field->bits));
	}
	return 0;
}

/* The block of registers that a CPU's access falls into; its size, or 0. */
static uint32_t bytes_of(const struct ward_gic *gic, uint32_t cpu)
{
	bool v3 = gic->options.kind == WARD_GIC_V3;

	if (cpu == WARD_GIC_DISTRIBUTOR)
		return v3 ? V3_BYTES : V2_BYTES;
	return v3 && cpu < gic->options.cpus ? REDISTRIBUTOR_BYTES : 0;
}

static bool is_within(const struct ward_gic *gic, uint32_t cpu, uint32_t offset, size_t size)
{
	return (size == 1 || size == 2 || size == 4 || size == 8) && offset % size == 0 &&
	       offset < bytes_of(gic, cpu);
}

int ward_gic_read(const struct ward_gic *gic, uint32_t cpu, uint32_t offset, void *ret_bytes,
		  size_t size)
{
	const struct gic_access access = { cpu, offset, (uint32_t)size };
	const struct gic_register *row;
	const struct gic_field *field;
	uint64_t value = 0;
	int code = 0;

	if (!is_within(gic, cpu, offset, size))
		return -EINVAL;
	if (cpu != WARD_GIC_DISTRIBUTOR) {
		code = ward_gic_read_redistributor(gic, &access, &value);
	} else {
		row = ward_gic_find(registers, sizeof(registers) / sizeof(registers[0]), gic,
				    offset);
		field = find_field(gic, offset);
		if (row)
			code = ward_gic_read_row(gic, row, &access, &value);
		else if (field)
			code = read_field(gic, field, &access, &value);
	}
	if (code)
		return code;
	value = htole64(value);
	memcpy(ret_bytes, &value, size);
	return 0;
}

int ward_gic_write(struct ward_gic *gic, uint32_t cpu, uint32_t offset, const void *bytes,
		   size_t size)
{
	const struct gic_access access = { cpu, offset, (uint32_t)size };
	const struct gic_register *row;
	const struct gic_field *field;
	uint64_t value = 0;

	if (!is_within(gic, cpu, offset, size))
		return -EINVAL;
	memcpy(&value, bytes, size);
	value = le64toh(value);
	if (cpu != WARD_GIC_DISTRIBUTOR)
		return ward_gic_write_redistributor(gic, &access, value);
	row = ward_gic_find(registers, sizeof(registers) / sizeof(registers[0]), gic, offset);
	if (row)
		return ward_gic_write_row(gic, row, &access, value);
	field = find_field(gic, offset);
	return field ? write_field(gic, field, &access, value) : 0;
}

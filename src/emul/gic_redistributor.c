// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A redistributor's registers, those for LPIs: one row each (Arm IHI 0069, 12.11). Invalidations are
 * done when the write returns, so GICR_SYNCR is never busy and GICR_CTLR.RWP never set. The SGI
 * page belongs to whoever runs the CPU; it reads 0.
 */
#include "emul/gic_state.h"

#include <errno.h>

#define ENABLE_LPIS 0x1u
#define CES 0x2u /* EnableLPIs can be cleared */
#define IR 0x4u	 /* GICR_INVLPIR and GICR_INVALLR are there */
#define IIDR 0x5700043bu
#define PTZ (UINT64_C(1) << 62)

/* What software can write; attributes of memory are kept as written. */
#define PROPBASER 0x070fffffffffff9fu
#define PENDBASER 0x470fffffffff0f80u

#define WAKER_SLEEP 0x2u
#define WAKER_ASLEEP 0x4u

static uint64_t read_ctlr(const struct ward_gic *gic, uint32_t cpu)
{
	if (!gic->options.intid_bits)
		return 0;
	return CES | IR | (atomic_load(&gic->cpus[cpu].lpis_on) ? ENABLE_LPIS : 0);
}

static void write_ctlr(struct ward_gic *gic, uint32_t cpu, uint64_t value, uint64_t mask)
{
	(void)mask;
	ward_gic_set_lpis_on(gic, cpu, value & ENABLE_LPIS);
}

static uint64_t read_iidr(const struct ward_gic *gic, uint32_t cpu)
{
	(void)gic;
	(void)cpu;
	return IIDR;
}

static uint64_t read_typer(const struct ward_gic *gic, uint32_t cpu)
{
	return (gic->options.intid_bits ? 1u : 0) /* PLPIS */ |
	       (cpu + 1 == gic->options.cpus ? 1u << 4 : 0) /* Last */ | (uint64_t)cpu << 8 |
	       (uint64_t)ward_gic_affinity(cpu) << 32;
}

static uint64_t read_waker(const struct ward_gic *gic, uint32_t cpu)
{
	return gic->cpus[cpu].waker;
}

/* It falls asleep and wakes at once. */
static void write_waker(struct ward_gic *gic, uint32_t cpu, uint64_t value, uint64_t mask)
{
	(void)mask;
	gic->cpus[cpu].waker = value & WAKER_SLEEP ? WAKER_SLEEP | WAKER_ASLEEP : 0;
}

static uint64_t read_propbaser(const struct ward_gic *gic, uint32_t cpu)
{
	(void)cpu;
	return atomic_load(&gic->propbaser);
}

/* Not while this CPU has LPIs on; another may have, as with KVM. */
static void write_propbaser(struct ward_gic *gic, uint32_t cpu, uint64_t value, uint64_t mask)
{
	uint64_t before = atomic_load(&gic->propbaser);

	if (!gic->options.intid_bits || ward_gic_lpis_on(gic, cpu))
		return;
	ward_gic_set_propbaser(gic, ((before & ~mask) | (value & mask)) & PROPBASER);
}

static uint64_t read_pendbaser(const struct ward_gic *gic, uint32_t cpu)
{
	return gic->cpus[cpu].pendbaser & ~PTZ;
}

static void write_pendbaser(struct ward_gic *gic, uint32_t cpu, uint64_t value, uint64_t mask)
{
	uint64_t before = gic->cpus[cpu].pendbaser;

	if (!gic->options.intid_bits || ward_gic_lpis_on(gic, cpu))
		return;
	gic->cpus[cpu].pendbaser = ((before & ~mask) | (value & mask)) & PENDBASER;
}

static uint64_t read_zero(const struct ward_gic *gic, uint32_t cpu)
{
	(void)gic;
	(void)cpu;
	return 0;
}

static void write_invlpir(struct ward_gic *gic, uint32_t cpu, uint64_t value, uint64_t mask)
{
	if ((mask & UINT32_MAX) && ward_gic_lpis_on(gic, cpu))
		(void)ward_gic_lpi_reload(gic, cpu, (uint32_t)value);
}

static void write_invallr(struct ward_gic *gic, uint32_t cpu, uint64_t value, uint64_t mask)
{
	(void)value;
	(void)mask;
	if (ward_gic_lpis_on(gic, cpu))
		(void)ward_gic_lpi_reload_all(gic, cpu);
}

static uint64_t read_pidr2(const struct ward_gic *gic, uint32_t cpu)
{
	(void)gic;
	(void)cpu;
	return 0x3b;
}

static const struct gic_register registers[] = {
	{ 0x0000, 4, 4, GIC_V3_ONLY, read_ctlr, write_ctlr },
	{ 0x0004, 4, 4, GIC_V3_ONLY, read_iidr, NULL },
	{ 0x0008, 8, 4 | 8, GIC_V3_ONLY, read_typer, NULL },
	{ 0x0014, 4, 4, GIC_V3_ONLY, read_waker, write_waker },
	{ 0x0070, 8, 4 | 8, GIC_V3_ONLY, read_propbaser, write_propbaser },
	{ 0x0078, 8, 4 | 8, GIC_V3_ONLY, read_pendbaser, write_pendbaser },
	{ 0x00a0, 8, 4 | 8, GIC_V3_ONLY, read_zero, write_invlpir },
	{ 0x00b0, 8, 4 | 8, GIC_V3_ONLY, read_zero, write_invallr },
	{ 0x00c0, 4, 4, GIC_V3_ONLY, read_zero, NULL },
	{ 0xffe8, 4, 4, GIC_V3_ONLY, read_pidr2, NULL },
};

static const struct gic_register *find(const struct ward_gic *gic, uint32_t offset)
{
	return ward_gic_find(registers, sizeof(registers) / sizeof(registers[0]), gic, offset);
}

int ward_gic_read_redistributor(const struct ward_gic *gic, const struct gic_access *access,
				uint64_t *ret_value)
{
	const struct gic_register *row = find(gic, access->offset);

	return row ? ward_gic_read_row(gic, row, access, ret_value) : 0;
}

int ward_gic_write_redistributor(struct ward_gic *gic, const struct gic_access *access,
				 uint64_t value)
{
	const struct gic_register *row = find(gic, access->offset);

	return row ? ward_gic_write_row(gic, row, access, value) : 0;
}

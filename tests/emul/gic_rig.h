/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A GIC with memory for its tables, and a list of what it told its CPUs. */
#ifndef TESTS_EMUL_GIC_RIG_H
#define TESTS_EMUL_GIC_RIG_H

#include <doorward/gic.h>
#include <doorward/memory.h>

#include "emul/gic_lpi.h"

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define RIG_MEMORY_BYTES 0x400000u
#define RIG_PROP 0x10000u /* the configuration table */
#define RIG_PEND(cpu) (0x100000u + (cpu)*0x10000u)
#define RIG_TOLD 64

struct gic_rig {
	struct ward_memory *memory;
	struct ward_gic *gic;
	struct {
		uint32_t cpu, intid;
	} told[RIG_TOLD];
	unsigned int told_count, ended_count;
	/* Level lines to lower when they end. */
	bool lowers;
};

static inline void rig_raised(void *context, uint32_t cpu, uint32_t intid)
{
	struct gic_rig *rig = context;

	if (rig->told_count == RIG_TOLD)
		return;
	rig->told[rig->told_count].cpu = cpu;
	rig->told[rig->told_count].intid = intid;
	rig->told_count++;
}

static inline void rig_ended(void *context, uint32_t cpu, uint32_t intid)
{
	struct gic_rig *rig = context;

	(void)cpu;
	rig->ended_count++;
	if (rig->lowers)
		assert_int_equal(ward_gic_set_spi(rig->gic, intid, false), 0);
}

static inline void rig_write(struct gic_rig *rig, uint32_t cpu, uint32_t offset, uint64_t value,
			     size_t size)
{
	value = htole64(value);
	assert_int_equal(ward_gic_write(rig->gic, cpu, offset, &value, size), 0);
}

static inline uint64_t rig_read(struct gic_rig *rig, uint32_t cpu, uint32_t offset, size_t size)
{
	uint64_t value = 0;

	assert_int_equal(ward_gic_read(rig->gic, cpu, offset, &value, size), 0);
	return le64toh(value);
}

/* 1 of the distributor: 4 bytes. */
static inline void rig_dist(struct gic_rig *rig, uint32_t offset, uint32_t value)
{
	rig_write(rig, WARD_GIC_DISTRIBUTOR, offset, value, 4);
}

static inline void rig_start(struct gic_rig *rig, enum ward_gic_kind kind, uint32_t cpus,
			     uint8_t intid_bits)
{
	struct ward_gic_options options = {
		.size = sizeof(options),
		.kind = kind,
		.cpus = cpus,
		.interrupts = 256,
		.intid_bits = intid_bits,
		.raised = rig_raised,
		.ended = rig_ended,
		.context = rig,
	};

	memset(rig, 0, sizeof(*rig));
	assert_int_equal(ward_memory_create(&rig->memory), 0);
	assert_int_equal(ward_memory_add(rig->memory,
					 (struct ward_range){ 0, RIG_MEMORY_BYTES - 1 }, 0, NULL),
			 0);
	options.memory = intid_bits ? rig->memory : NULL;
	assert_int_equal(ward_gic_create(&options, &rig->gic), 0);
	rig_dist(rig, 0, 3);
}

static inline void rig_finish(struct gic_rig *rig)
{
	ward_gic_destroy(rig->gic);
	ward_memory_destroy(rig->memory);
}

/* Tables of so many INTID bits, and LPIs on at all CPUs. */
static inline void rig_lpis(struct gic_rig *rig, uint32_t cpus, uint32_t bits)
{
	for (uint32_t cpu = 0; cpu < cpus; cpu++) {
		rig_write(rig, cpu, 0x70, RIG_PROP | (bits - 1), 8);
		rig_write(rig, cpu, 0x78, RIG_PEND(cpu), 8);
		rig_write(rig, cpu, 0, 1, 4);
	}
}

static inline void rig_configure(struct gic_rig *rig, uint32_t intid, uint8_t byte)
{
	assert_int_equal(ward_memory_write(rig->memory, RIG_PROP + intid - WARD_GIC_FIRST_LPI,
					   &byte, 1),
			 0);
}

/* An SPI of a GICv3 as drivers leave it. */
static inline void rig_enable(struct gic_rig *rig, uint32_t intid, bool edge)
{
	uint32_t word = (uint32_t)rig_read(rig, WARD_GIC_DISTRIBUTOR, 0xc00 + intid / 16 * 4, 4);
	uint32_t bit = 2u << intid % 16 * 2;

	rig_dist(rig, 0xc00 + intid / 16 * 4, edge ? word | bit : word & ~bit);
	rig_dist(rig, 0x100 + intid / 32 * 4, 1u << intid % 32);
}

/* The next thing that was told. */
static inline void rig_expect_told(struct gic_rig *rig, uint32_t cpu, uint32_t intid)
{
	assert_true(rig->told_count > 0);
	assert_int_equal(rig->told[0].cpu, cpu);
	assert_int_equal(rig->told[0].intid, intid);
	memmove(rig->told, rig->told + 1, sizeof(rig->told) - sizeof(rig->told[0]));
	rig->told_count--;
}

static inline void rig_expect_take(struct gic_rig *rig, uint32_t cpu, uint32_t intid)
{
	uint32_t taken = 0;

	assert_int_equal(ward_gic_take(rig->gic, cpu, &taken), 0);
	assert_int_equal(taken, intid);
}

static inline void rig_expect_idle(struct gic_rig *rig, uint32_t cpu)
{
	uint32_t taken = 77;

	assert_int_equal(ward_gic_take(rig->gic, cpu, &taken), -ENOENT);
	assert_int_equal(taken, 77);
}

#endif

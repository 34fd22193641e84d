// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* SPIs: edges, levels, messages, routing, registers. */
#include <errno.h>

#include "emul/gic_rig.h"
#include "sweep.h"

static const struct ward_gic_options sound = {
	.size = sizeof(struct ward_gic_options),
	.kind = WARD_GIC_V3,
	.cpus = 4,
	.interrupts = 128,
};

/* Options with one thing wrong. */
static void refuses(struct ward_gic_options options)
{
	struct ward_gic *gic = NULL;

	assert_int_equal(ward_gic_create(&options, &gic), -EINVAL);
	assert_null(gic);
}

#define WITH(field, value)                         \
	do {                                       \
		struct ward_gic_options o = sound; \
		o.field = value;                   \
		refuses(o);                        \
	} while (0)

static void options_are_checked(void **state)
{
	struct ward_gic_options v2 = sound;
	struct ward_memory *memory;
	struct ward_gic *gic;

	(void)state;
	WITH(size, sizeof(sound) - 1);
	WITH(kind, (enum ward_gic_kind)2);
	WITH(cpus, 0);
	WITH(cpus, 513);
	WITH(interrupts, 63);
	WITH(interrupts, 1021);
	WITH(intid_bits, 16); /* without memory */
	assert_int_equal(ward_memory_create(&memory), 0);
	v2.memory = memory;
	v2.intid_bits = 13;
	refuses(v2);
	v2.intid_bits = 25;
	refuses(v2);
	v2.intid_bits = 14;
	v2.kind = WARD_GIC_V2;
	refuses(v2);
	v2.intid_bits = 0;
	v2.cpus = 9;
	refuses(v2);
	v2.cpus = 8;
	assert_int_equal(ward_gic_create(&v2, &gic), 0);
	ward_gic_destroy(gic);
	ward_gic_destroy(NULL);
	ward_memory_destroy(memory);
}

static int make(void *memory)
{
	struct ward_gic_options options = sound;
	struct ward_gic *gic;
	int code;

	options.memory = memory;
	options.intid_bits = 14;
	code = ward_gic_create(&options, &gic);
	if (!code)
		ward_gic_destroy(gic);
	return code;
}

static void creation_fails_whole(void **state)
{
	struct ward_memory *memory;

	(void)state;
	assert_int_equal(ward_memory_create(&memory), 0);
	assert_true(test_sweep(make, memory) > 0);
	ward_memory_destroy(memory);
}

static void edge_is_latched_once(void **state)
{
	struct gic_rig rig;

	(void)state;
	rig_start(&rig, WARD_GIC_V3, 2, 0);
	rig_enable(&rig, 40, true);
	assert_int_equal(ward_gic_set_spi(rig.gic, 40, true), 0);
	rig_expect_told(&rig, 0, 40);
	assert_int_equal(ward_gic_set_spi(rig.gic, 40, false), 0);
	assert_int_equal(ward_gic_set_spi(rig.gic, 40, true), 0);
	assert_int_equal(rig.told_count, 0);
	assert_true(ward_gic_is_pending(rig.gic, 0, 40));
	assert_false(ward_gic_is_pending(rig.gic, 1, 40));
	rig_expect_take(&rig, 0, 40);
	assert_false(ward_gic_is_pending(rig.gic, 0, 40));
	rig_expect_idle(&rig, 0);
	/* The line is still high: no edge. Then one, before the first has ended. */
	assert_int_equal(ward_gic_set_spi(rig.gic, 40, true), 0);
	assert_int_equal(rig.told_count, 0);
	assert_int_equal(ward_gic_set_spi(rig.gic, 40, false), 0);
	assert_int_equal(ward_gic_set_spi(rig.gic, 40, true), 0);
	rig_expect_told(&rig, 0, 40);
	rig_expect_take(&rig, 0, 40);
	assert_int_equal(ward_gic_end(rig.gic, 1, 40), -EINVAL);
	assert_int_equal(ward_gic_end(rig.gic, 0, 40), 0);
	assert_int_equal(ward_gic_end(rig.gic, 0, 40), -EINVAL);
	assert_int_equal(rig.ended_count, 0);
	rig_finish(&rig);
}

static void level_is_pending_while_high(void **state)
{
	struct gic_rig rig;

	(void)state;
	rig_start(&rig, WARD_GIC_V3, 1, 0);
	rig_enable(&rig, 50, false);
	assert_int_equal(ward_gic_set_spi(rig.gic, 50, true), 0);
	rig_expect_told(&rig, 0, 50);
	assert_int_equal(ward_gic_set_spi(rig.gic, 50, false), 0);
	rig_expect_idle(&rig, 0);
	assert_int_equal(ward_gic_set_spi(rig.gic, 50, true), 0);
	rig_expect_told(&rig, 0, 50);
	rig_expect_take(&rig, 0, 50);
	/* Active and pending: not twice. */
	assert_true(ward_gic_is_pending(rig.gic, 0, 50));
	rig_expect_idle(&rig, 0);
	assert_int_equal(rig.told_count, 0);
	assert_int_equal(ward_gic_end(rig.gic, 0, 50), 0);
	assert_int_equal(rig.ended_count, 1);
	rig_expect_told(&rig, 0, 50);
	/* Whoever is told of the end lowers the line: nothing is left. */
	rig_expect_take(&rig, 0, 50);
	rig.lowers = true;
	assert_int_equal(ward_gic_end(rig.gic, 0, 50), 0);
	assert_int_equal(rig.ended_count, 2);
	assert_int_equal(rig.told_count, 0);
	assert_false(ward_gic_is_pending(rig.gic, 0, 50));
	rig_finish(&rig);
}

static void what_waits_is_told_when_enabled(void **state)
{
	struct gic_rig rig;

	(void)state;
	rig_start(&rig, WARD_GIC_V3, 1, 0);
	assert_int_equal(ward_gic_pulse(rig.gic, 33, NULL), 0);
	assert_int_equal(rig.told_count, 0);
	rig_expect_idle(&rig, 0);
	rig_enable(&rig, 33, true);
	rig_dist(&rig, 0x200 + 4, 1u << 1);
	rig_expect_told(&rig, 0, 33);
	/* The distributor off, and on. */
	rig_dist(&rig, 0, 0);
	rig_expect_idle(&rig, 0);
	rig_dist(&rig, 0, 2);
	while (rig.told_count)
		rig_expect_told(&rig, 0, 33);
	rig_expect_take(&rig, 0, 33);
	rig_finish(&rig);
}

static void messages_raise_and_withdraw(void **state)
{
	struct ward_interrupt interrupt;
	struct gic_rig rig;

	(void)state;
	rig_start(&rig, WARD_GIC_V3, 1, 0);
	rig_enable(&rig, 100, true);
	rig_write(&rig, WARD_GIC_DISTRIBUTOR, 0x40, 100, 2);
	rig_expect_take(&rig, 0, 100);
	rig_dist(&rig, 0x40, 100);
	rig_write(&rig, WARD_GIC_DISTRIBUTOR, 0x48, 100, 2);
	rig_expect_idle(&rig, 0);
	/* A level stays until it is withdrawn, taken or not. */
	rig_enable(&rig, 101, false);
	rig_dist(&rig, 0x40, 101);
	rig_expect_take(&rig, 0, 101);
	assert_int_equal(ward_gic_end(rig.gic, 0, 101), 0);
	rig_expect_take(&rig, 0, 101);
	rig_dist(&rig, 0x48, 101);
	assert_int_equal(ward_gic_end(rig.gic, 0, 101), 0);
	rig_expect_idle(&rig, 0);
	/* The upper half of the register, and what is no SPI. */
	rig_write(&rig, WARD_GIC_DISTRIBUTOR, 0x42, 101, 2);
	rig_dist(&rig, 0x40, 31);
	rig_dist(&rig, 0x40, 256);
	rig_dist(&rig, 0x48, 256);
	rig_expect_idle(&rig, 0);
	assert_int_equal(ward_gic_pulse(rig.gic, 31, &interrupt), -EINVAL);
	assert_int_equal(ward_gic_pulse(rig.gic, 256, &interrupt), -EINVAL);
	assert_int_equal(ward_gic_set_spi(rig.gic, 256, true), -EINVAL);
	assert_int_equal(ward_gic_end(rig.gic, 0, 256), -EINVAL);
	rig_finish(&rig);
	/* GICv2 has no such registers, and takes a message for a level once. */
	rig_start(&rig, WARD_GIC_V2, 1, 0);
	rig_enable(&rig, 101, false);
	rig_dist(&rig, 0x40, 101);
	rig_expect_idle(&rig, 0);
	assert_int_equal(ward_gic_pulse(rig.gic, 101, &interrupt), 0);
	rig_expect_take(&rig, 0, 101);
	assert_int_equal(ward_gic_end(rig.gic, 0, 101), 0);
	rig_expect_idle(&rig, 0);
	rig_finish(&rig);
}

static void expect_pulse(struct gic_rig *rig, uint32_t intid, uint32_t cpu, uint32_t cpus)
{
	struct ward_interrupt interrupt;

	assert_int_equal(ward_gic_pulse(rig->gic, intid, &interrupt), 0);
	assert_int_equal(interrupt.end, WARD_INTERRUPT_PENDING);
	assert_int_equal(interrupt.reason, WARD_REASON_NONE);
	assert_int_equal(interrupt.number, intid);
	assert_int_equal(interrupt.cpu, cpu);
	assert_int_equal(interrupt.cpus, cpus);
}

static void spis_go_where_they_are_routed(void **state)
{
	struct gic_rig rig;

	(void)state;
	rig_start(&rig, WARD_GIC_V3, 40, 0);
	rig_enable(&rig, 60, true);
	rig_write(&rig, WARD_GIC_DISTRIBUTOR, 0x6000 + 8 * 60, 0x203, 8);
	expect_pulse(&rig, 60, 35, 1);
	rig_expect_told(&rig, 35, 60);
	/* Routed elsewhere while pending. */
	rig_write(&rig, WARD_GIC_DISTRIBUTOR, 0x6000 + 8 * 60, 0x101, 4);
	rig_expect_told(&rig, 17, 60);
	rig_expect_idle(&rig, 35);
	rig_expect_take(&rig, 17, 60);
	/* To nobody: no such CPU, and affinities that no CPU has. */
	rig_write(&rig, WARD_GIC_DISTRIBUTOR, 0x6000 + 8 * 60, 0x208, 8);
	expect_pulse(&rig, 60, WARD_NONE, 0);
	rig_write(&rig, WARD_GIC_DISTRIBUTOR, 0x6000 + 8 * 60, 0x10, 8);
	rig_write(&rig, WARD_GIC_DISTRIBUTOR, 0x6000 + 8 * 60, 0x10000, 8);
	assert_int_equal(rig.told_count, 0);
	rig_write(&rig, WARD_GIC_DISTRIBUTOR, 0x6000 + 8 * 60, 0, 8);
	rig_expect_told(&rig, 0, 60);
	rig_finish(&rig);

	rig_start(&rig, WARD_GIC_V2, 3, 0);
	rig_enable(&rig, 60, true);
	expect_pulse(&rig, 60, WARD_NONE, 0);
	assert_int_equal(rig.told_count, 0);
	rig_write(&rig, WARD_GIC_DISTRIBUTOR, 0x800 + 60, 0xfe, 1);
	assert_int_equal(rig_read(&rig, WARD_GIC_DISTRIBUTOR, 0x800 + 60, 4), 6);
	rig_expect_told(&rig, 1, 60);
	rig_expect_told(&rig, 2, 60);
	expect_pulse(&rig, 60, 1, 2);
	assert_true(ward_gic_is_pending(rig.gic, 1, 60) && ward_gic_is_pending(rig.gic, 2, 60));
	assert_false(ward_gic_is_pending(rig.gic, 0, 60) || ward_gic_is_pending(rig.gic, 3, 60));
	rig_expect_take(&rig, 2, 60);
	rig_expect_idle(&rig, 1);
	assert_int_equal(ward_gic_end(rig.gic, 1, 60), -EINVAL);
	assert_int_equal(ward_gic_end(rig.gic, 2, 60), 0);
	rig_finish(&rig);
	/* One CPU: there is nothing to choose. */
	rig_start(&rig, WARD_GIC_V2, 1, 0);
	rig_dist(&rig, 0x800 + 60, 0);
	assert_int_equal(rig_read(&rig, WARD_GIC_DISTRIBUTOR, 0x800 + 60, 4), 0);
	expect_pulse(&rig, 60, 0, 1);
	rig_finish(&rig);
}

static void highest_priority_first(void **state)
{
	struct gic_rig rig;

	(void)state;
	rig_start(&rig, WARD_GIC_V3, 1, 16);
	rig_lpis(&rig, 1, 16);
	for (uint32_t intid = 70; intid < 74; intid++) {
		rig_enable(&rig, intid, true);
		rig_write(&rig, WARD_GIC_DISTRIBUTOR, 0x400 + intid, intid == 72 ? 0x20 : 0x40, 1);
		assert_int_equal(ward_gic_pulse(rig.gic, intid, NULL), 0);
	}
	for (uint32_t intid = 8192; intid < 8195; intid++) {
		rig_configure(&rig, intid, intid == 8193 ? 0x31 : 0x41);
		ward_gic_lpi_set(rig.gic, 0, intid, NULL);
	}
	rig_expect_take(&rig, 0, 72);
	rig_expect_take(&rig, 0, 8193);
	rig_expect_take(&rig, 0, 70);
	rig_expect_take(&rig, 0, 71);
	rig_expect_take(&rig, 0, 73);
	rig_expect_take(&rig, 0, 8192);
	rig_expect_take(&rig, 0, 8194);
	rig_expect_idle(&rig, 0);
	assert_int_equal(ward_gic_take(rig.gic, 1, NULL), -EINVAL);
	rig_finish(&rig);
}

/* Groups: each has its own switch in GICD_CTLR. */
static void groups_are_switched_apart(void **state)
{
	struct gic_rig rig;

	(void)state;
	rig_start(&rig, WARD_GIC_V3, 1, 0);
	rig_enable(&rig, 80, true);
	rig_dist(&rig, 0, 1);
	assert_int_equal(ward_gic_pulse(rig.gic, 80, NULL), 0);
	rig_expect_idle(&rig, 0);
	assert_int_equal(rig.told_count, 0);
	rig_dist(&rig, 0x80 + 80 / 32 * 4, 0);
	rig_expect_told(&rig, 0, 80);
	rig_expect_take(&rig, 0, 80);
	assert_int_equal(rig_read(&rig, WARD_GIC_DISTRIBUTOR, 0, 4), 0x51);
	rig_finish(&rig);
}

/* What registers are after power-on and after all ones were written; other bits read 0. */
static const struct {
	uint32_t offset;
	uint8_t size;
	uint8_t kinds; /* 1: GICv2; 2: GICv3 */
	uint64_t reset, ones;
} readable[] = {
	{ 0x0, 4, 1, 0, 0x3 },
	{ 0x0, 4, 2, 0x50, 0x53 },
	{ 0x4, 4, 1, 0x27, 0x27 },
	{ 0x4, 4, 2, 0x027b0007, 0x027b0007 },
	{ 0x8, 4, 3, 0x5700043b, 0x5700043b },
	{ 0x10, 4, 3, 0, 0 },
	{ 0x40, 4, 3, 0, 0 },
	{ 0x48, 4, 3, 0, 0 },
	{ 0x80, 4, 3, 0, 0 }, /* SGIs and PPIs */
	{ 0x84, 4, 1, 0, 0xffffffff },
	{ 0x84, 4, 2, 0xffffffff, 0xffffffff },
	{ 0x100, 4, 3, 0, 0 },
	{ 0x104, 4, 3, 0, 0xffffffff },
	{ 0x11c, 4, 3, 0, 0xffffffff },
	{ 0x120, 4, 3, 0, 0 }, /* beyond 256 */
	{ 0x180, 4, 3, 0, 0 },
	{ 0x204, 4, 3, 0, 0xffffffff },
	{ 0x308, 4, 3, 0, 0xffffffff },
	{ 0x400, 4, 3, 0, 0 },
	{ 0x420, 4, 3, 0, 0xffffffff },
	{ 0x43f, 1, 3, 0, 0xff },
	{ 0x7f8, 4, 3, 0, 0 },
	{ 0x7fc, 4, 3, 0, 0 },
	{ 0x820, 4, 1, 0, 0x03030303 },
	{ 0x820, 4, 2, 0, 0 },
	{ 0xc00, 4, 3, 0, 0 },
	{ 0xc08, 4, 3, 0, 0xaaaaaaaa },
	{ 0xfe8, 4, 1, 0x2b, 0x2b },
	{ 0xfe8, 4, 2, 0, 0 },
	{ 0x6100, 8, 2, 0, 0xffffff },
	{ 0x6104, 4, 2, 0, 0 },
	{ 0x6800, 8, 2, 0, 0 },
	{ 0xffe8, 4, 2, 0x3b, 0x3b },
	{ 0xfffc, 4, 2, 0, 0 },
};

static void registers_read_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(readable) / sizeof(readable[0]); i++) {
		for (unsigned int v3 = 0; v3 < 2; v3++) {
			struct gic_rig rig;

			if (!(readable[i].kinds >> v3 & 1))
				continue;
			rig_start(&rig, v3 ? WARD_GIC_V3 : WARD_GIC_V2, 2, v3 ? 16 : 0);
			rig_dist(&rig, 0, 0);
			assert_int_equal(rig_read(&rig, WARD_GIC_DISTRIBUTOR, readable[i].offset,
						  readable[i].size),
					 readable[i].reset);
			rig_write(&rig, WARD_GIC_DISTRIBUTOR, readable[i].offset, UINT64_MAX,
				  readable[i].size);
			assert_int_equal(rig_read(&rig, WARD_GIC_DISTRIBUTOR, readable[i].offset,
						  readable[i].size),
					 readable[i].ones);
			rig_finish(&rig);
		}
	}
}

/* Set and clear registers show the same bits. */
static void bits_are_set_and_cleared_apart(void **state)
{
	static const uint32_t sets[] = { 0x104, 0x204, 0x304 };
	struct gic_rig rig;

	(void)state;
	rig_start(&rig, WARD_GIC_V3, 1, 0);
	rig_dist(&rig, 0, 0);
	for (size_t i = 0; i < 3; i++) {
		rig_dist(&rig, sets[i], 0xf0f0);
		rig_dist(&rig, sets[i], 0x0001);
		rig_dist(&rig, sets[i] + 0x80, 0x0010);
		assert_int_equal(rig_read(&rig, WARD_GIC_DISTRIBUTOR, sets[i], 4), 0xf0e1);
		assert_int_equal(rig_read(&rig, WARD_GIC_DISTRIBUTOR, sets[i] + 0x80, 4), 0xf0e1);
	}
	rig_finish(&rig);
}

static const struct {
	uint32_t cpu, offset;
	uint8_t size;
	uint8_t kinds;
} wrong_accesses[] = {
	{ WARD_GIC_DISTRIBUTOR, 0x0, 0, 3 },
	{ WARD_GIC_DISTRIBUTOR, 0x0, 3, 3 },
	{ WARD_GIC_DISTRIBUTOR, 0x0, 16, 3 },
	{ WARD_GIC_DISTRIBUTOR, 0x2, 4, 3 },
	{ WARD_GIC_DISTRIBUTOR, 0x0, 8, 3 },
	{ WARD_GIC_DISTRIBUTOR, 0x0, 2, 3 },
	{ WARD_GIC_DISTRIBUTOR, 0x0, 1, 3 },
	{ WARD_GIC_DISTRIBUTOR, 0x40, 1, 2 },
	{ WARD_GIC_DISTRIBUTOR, 0x40, 8, 2 },
	{ WARD_GIC_DISTRIBUTOR, 0x104, 1, 3 },
	{ WARD_GIC_DISTRIBUTOR, 0x100, 8, 3 },
	{ WARD_GIC_DISTRIBUTOR, 0x420, 2, 3 },
	{ WARD_GIC_DISTRIBUTOR, 0xc08, 1, 3 },
	{ WARD_GIC_DISTRIBUTOR, 0x6100, 2, 2 },
	{ WARD_GIC_DISTRIBUTOR, 0x1000, 4, 1 },
	{ WARD_GIC_DISTRIBUTOR, 0x10000, 4, 3 },
	{ WARD_GIC_DISTRIBUTOR, 0xfffffffc, 4, 3 },
	{ 0, 0x0, 4, 1 },
	{ 2, 0x0, 4, 3 },
	{ 0, 0x20000, 4, 3 },
	{ 0, 0x70, 2, 2 },
	{ 0, 0x0, 8, 2 },
	{ 0, 0x74, 8, 2 },
};

static void wrong_accesses_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong_accesses) / sizeof(wrong_accesses[0]); i++) {
		for (unsigned int v3 = 0; v3 < 2; v3++) {
			uint8_t bytes[16], expected[16];
			struct gic_rig rig;

			if (!(wrong_accesses[i].kinds >> v3 & 1))
				continue;
			memset(bytes, 0xff, sizeof(bytes));
			memset(expected, 0xff, sizeof(expected));
			rig_start(&rig, v3 ? WARD_GIC_V3 : WARD_GIC_V2, 2, v3 ? 16 : 0);
			assert_int_equal(ward_gic_read(rig.gic, wrong_accesses[i].cpu,
						       wrong_accesses[i].offset, bytes,
						       wrong_accesses[i].size),
					 -EINVAL);
			assert_memory_equal(bytes, expected, sizeof(bytes));
			assert_int_equal(ward_gic_write(rig.gic, wrong_accesses[i].cpu,
							wrong_accesses[i].offset, bytes,
							wrong_accesses[i].size),
					 -EINVAL);
			rig_finish(&rig);
		}
	}
}

#define CHANCES 100000u
#define CPUS 3u
#define SPIS 40u

/* What should be of an SPI, one thing at a time. */
struct reference {
	bool latch, line, held, enabled, edge, active;
	uint32_t cpu, taker;
	uint8_t priority;
};

static bool pending(const struct reference *spi)
{
	return spi->latch || (!spi->edge && (spi->line || spi->held));
}

static void take_both(struct gic_rig *rig, struct reference *spis, uint32_t cpu)
{
	uint32_t best = SPIS, intid = 0;
	int code = ward_gic_take(rig->gic, cpu, &intid);

	for (uint32_t i = 0; i < SPIS; i++) {
		if (!pending(&spis[i]) || !spis[i].enabled || spis[i].cpu != cpu ||
		    (spis[i].active && !spis[i].edge))
			continue;
		if (best == SPIS || spis[i].priority < spis[best].priority)
			best = i;
	}
	assert_int_equal(code, best == SPIS ? -ENOENT : 0);
	if (best == SPIS)
		return;
	assert_int_equal(intid, 32 + best);
	spis[best].latch = false;
	spis[best].active = true;
	spis[best].taker = cpu;
}

static void end_both(struct gic_rig *rig, struct reference *spi, uint32_t cpu, uint32_t intid)
{
	bool was_taken = spi->active && spi->taker == cpu;

	assert_int_equal(ward_gic_end(rig->gic, cpu, intid), was_taken ? 0 : -EINVAL);
	if (was_taken)
		spi->active = false;
}

static void change_both(struct gic_rig *rig, struct reference *spi, uint32_t intid, uint32_t chance)
{
	uint32_t bit = 1u << intid % 32, word = intid / 32 * 4;
	uint32_t configuration = 0xc00 + intid / 16 * 4;

	switch (chance % 9) {
	case 0:
		rig_dist(rig, 0x100 + word, bit);
		spi->enabled = true;
		break;
	case 1:
		rig_dist(rig, 0x180 + word, bit);
		spi->enabled = false;
		break;
	case 2:
		rig_dist(rig, 0x200 + word, bit);
		spi->latch = true;
		break;
	case 3:
		rig_dist(rig, 0x280 + word, bit);
		spi->latch = false;
		break;
	case 4:
		rig_write(rig, WARD_GIC_DISTRIBUTOR, 0x400 + intid, chance >> 8 & 0xff, 1);
		spi->priority = chance >> 8 & 0xff;
		break;
	case 5:
		spi->cpu = chance % CPUS;
		rig_write(rig, WARD_GIC_DISTRIBUTOR, 0x6000 + 8 * intid, spi->cpu, 8);
		break;
	case 6:
		spi->edge = chance & 0x1000;
		word = (uint32_t)rig_read(rig, WARD_GIC_DISTRIBUTOR, configuration, 4);
		bit = 2u << intid % 16 * 2;
		rig_dist(rig, configuration, spi->edge ? word | bit : word & ~bit);
		break;
	case 7:
		rig_dist(rig, 0x48, intid);
		spi->held = spi->latch = false;
		break;
	default:
		rig_dist(rig, 0x380 + word, bit);
		spi->active = false;
		break;
	}
}

static void random_steps_agree(void **state)
{
	struct reference spis[SPIS] = { 0 };
	uint32_t random = 4711;
	struct gic_rig rig;

	(void)state;
	rig_start(&rig, WARD_GIC_V3, CPUS, 0);
	for (uint32_t step = 0; step < CHANCES; step++) {
		struct reference *spi;
		uint32_t intid, cpu;

		random = random * 1664525u + 1013904223u;
		spi = &spis[(random >> 8) % SPIS];
		intid = 32 + (uint32_t)(spi - spis);
		cpu = (random >> 4) % CPUS;
		switch (random >> 29) {
		case 0:
		case 1:
			assert_int_equal(ward_gic_set_spi(rig.gic, intid, random & 0x80), 0);
			spi->latch |= (random & 0x80) && !spi->line && spi->edge;
			spi->line = random & 0x80;
			break;
		case 2:
			assert_int_equal(ward_gic_pulse(rig.gic, intid, NULL), 0);
			*(spi->edge ? &spi->latch : &spi->held) = true;
			break;
		case 3:
		case 4:
			change_both(&rig, spi, intid, random >> 3);
			break;
		case 5:
			take_both(&rig, spis, cpu);
			break;
		case 6:
			end_both(&rig, spi, cpu, intid);
			break;
		default:
			assert_int_equal(ward_gic_is_pending(rig.gic, cpu, intid),
					 pending(spi) && spi->cpu == cpu);
			break;
		}
		rig.told_count = 0;
	}
	rig_finish(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_checked),
		cmocka_unit_test(creation_fails_whole),
		cmocka_unit_test(edge_is_latched_once),
		cmocka_unit_test(level_is_pending_while_high),
		cmocka_unit_test(what_waits_is_told_when_enabled),
		cmocka_unit_test(messages_raise_and_withdraw),
		cmocka_unit_test(spis_go_where_they_are_routed),
		cmocka_unit_test(highest_priority_first),
		cmocka_unit_test(groups_are_switched_apart),
		cmocka_unit_test(registers_read_back),
		cmocka_unit_test(bits_are_set_and_cleared_apart),
		cmocka_unit_test(wrong_accesses_are_refused),
		cmocka_unit_test(random_steps_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

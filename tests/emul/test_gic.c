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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_checked),
		cmocka_unit_test(creation_fails_whole),
		cmocka_unit_test(edge_is_latched_once),
		cmocka_unit_test(level_is_pending_while_high),
		cmocka_unit_test(what_waits_is_told_when_enabled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

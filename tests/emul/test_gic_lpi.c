// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* LPIs: pending bits, configuration, tables in memory, redistributor registers. */
#include <errno.h>

#include "emul/gic_rig.h"

static void set(struct gic_rig *rig, uint32_t cpu, uint32_t intid,
		enum ward_interrupt_reason expected)
{
	struct ward_interrupt interrupt;

	ward_gic_lpi_set(rig->gic, cpu, intid, &interrupt);
	assert_int_equal(interrupt.reason, expected);
	assert_int_equal(interrupt.end, expected ? WARD_INTERRUPT_IGNORED : WARD_INTERRUPT_PENDING);
	assert_int_equal(interrupt.number, intid);
	assert_int_equal(interrupt.cpus, expected ? 0 : 1);
	assert_int_equal(interrupt.cpu, expected ? WARD_NONE : cpu);
}

static void raised_where_it_belongs(void **state)
{
	struct gic_rig rig;

	(void)state;
	rig_start(&rig, WARD_GIC_V3, 2, 16);
	set(&rig, 0, 8192, WARD_REASON_LPI_RANGE);
	rig_lpis(&rig, 2, 15);
	rig_configure(&rig, 8192, 0xa1);
	rig_configure(&rig, 9000, 0x41);
	set(&rig, 0, 8191, WARD_REASON_LPI_RANGE);
	set(&rig, 0, 32768, WARD_REASON_LPI_RANGE);
	set(&rig, 2, 8192, WARD_REASON_NO_CPU);
	set(&rig, 1, 32767, WARD_REASON_NONE);
	assert_int_equal(rig.told_count, 0);
	set(&rig, 1, 8192, WARD_REASON_NONE);
	rig_expect_told(&rig, 1, 8192);
	set(&rig, 1, 8192, WARD_REASON_NONE);
	assert_int_equal(rig.told_count, 0);
	set(&rig, 1, 9000, WARD_REASON_NONE);
	rig_expect_told(&rig, 1, 9000);
	rig_expect_idle(&rig, 0);
	rig_expect_take(&rig, 1, 9000);
	rig_expect_take(&rig, 1, 8192);
	rig_expect_idle(&rig, 1);
	assert_true(ward_gic_is_pending(rig.gic, 1, 32767));
	rig_write(&rig, 0, 0, 0, 4);
	set(&rig, 0, 8192, WARD_REASON_LPIS_OFF);
	rig_finish(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raised_where_it_belongs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

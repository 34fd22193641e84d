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
	set(&rig, 0, UINT32_MAX, WARD_REASON_LPI_RANGE);
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
	assert_false(ward_gic_is_pending(rig.gic, 1, 32768));
	assert_false(ward_gic_is_pending(rig.gic, 2, 32767));
	ward_gic_lpi_clear(rig.gic, 1, 32767);
	ward_gic_lpi_clear(rig.gic, 2, 32767);
	ward_gic_lpi_clear(rig.gic, 1, 32768);
	assert_false(ward_gic_is_pending(rig.gic, 1, 32767));
	assert_int_equal(ward_gic_end(rig.gic, 1, 8192), -EINVAL);
	rig_write(&rig, 0, 0, 0, 4);
	set(&rig, 0, 8192, WARD_REASON_LPIS_OFF);
	assert_int_equal(ward_gic_cpus(rig.gic), 2);
	assert_int_equal(ward_gic_last_lpi(rig.gic), 32767);
	assert_true(ward_gic_lpis_on(rig.gic, 1) && !ward_gic_lpis_on(rig.gic, 0));
	assert_false(ward_gic_lpis_on(rig.gic, 2));
	rig_finish(&rig);
}

static void group_one_switches_them(void **state)
{
	struct gic_rig rig;

	(void)state;
	rig_start(&rig, WARD_GIC_V3, 1, 16);
	rig_lpis(&rig, 1, 16);
	rig_configure(&rig, 8200, 1);
	rig_dist(&rig, 0, 1);
	set(&rig, 0, 8200, WARD_REASON_NONE);
	assert_int_equal(rig.told_count, 0);
	rig_expect_idle(&rig, 0);
	rig_dist(&rig, 0, 2);
	rig_expect_told(&rig, 0, 8200);
	rig_expect_take(&rig, 0, 8200);
	rig_finish(&rig);
}

static void no_lpis_without_bits(void **state)
{
	struct gic_rig rig;

	(void)state;
	rig_start(&rig, WARD_GIC_V3, 1, 0);
	rig_lpis(&rig, 1, 16);
	assert_int_equal(rig_read(&rig, 0, 0, 4), 0);
	assert_int_equal(rig_read(&rig, 0, 0x70, 8), 0);
	assert_int_equal(rig_read(&rig, 0, 0x78, 8), 0);
	set(&rig, 0, 8192, WARD_REASON_LPI_RANGE);
	ward_gic_lpi_move_all(rig.gic, 0, 0);
	assert_int_equal(ward_gic_lpi_reload_all(rig.gic, 0), 0);
	assert_int_equal(ward_gic_save_pending(rig.gic), 0);
	rig_write(&rig, 0, 0xa0, 8192, 8);
	rig_finish(&rig);
}

static void configuration_is_remembered(void **state)
{
	struct gic_rig rig;

	(void)state;
	rig_start(&rig, WARD_GIC_V3, 2, 16);
	rig_lpis(&rig, 2, 16);
	set(&rig, 0, 8192, WARD_REASON_NONE);
	rig_configure(&rig, 8192, 0x81);
	rig_expect_idle(&rig, 0);
	/* Asked by another CPU it is read, and told where it is pending. */
	assert_int_equal(ward_gic_lpi_reload(rig.gic, 1, 8192), 0);
	assert_int_equal(rig.told_count, 0);
	rig_expect_take(&rig, 0, 8192);
	set(&rig, 0, 8192, WARD_REASON_NONE);
	rig_expect_told(&rig, 0, 8192);
	rig_configure(&rig, 8192, 0);
	rig_expect_take(&rig, 0, 8192);
	assert_int_equal(ward_gic_lpi_reload_all(rig.gic, 1), 0);
	set(&rig, 0, 8192, WARD_REASON_NONE);
	assert_int_equal(rig.told_count, 0);
	rig_expect_idle(&rig, 0);
	rig_configure(&rig, 8192, 1);
	/* GICR_INVLPIR, GICR_INVALLR. */
	rig_write(&rig, 0, 0xa0, 8192, 8);
	rig_expect_told(&rig, 0, 8192);
	rig_configure(&rig, 8192, 0);
	rig_write(&rig, 0, 0xb0, 0, 4);
	rig_expect_idle(&rig, 0);
	rig_configure(&rig, 8192, 1);
	rig_write(&rig, 0, 0xa4, 8192, 4);
	rig_expect_idle(&rig, 0);
	rig_write(&rig, 0, 0xa0, 8192, 4);
	rig_expect_take(&rig, 0, 8192);
	/* No LPI: nothing happens. */
	assert_int_equal(ward_gic_lpi_reload(rig.gic, 0, 8191), 0);
	assert_int_equal(ward_gic_lpi_reload(rig.gic, 0, 65536), 0);
	rig_finish(&rig);
}

static void tables_outside_memory(void **state)
{
	struct gic_rig rig;

	(void)state;
	rig_start(&rig, WARD_GIC_V3, 2, 16);
	rig_write(&rig, 0, 0x70, RIG_MEMORY_BYTES - 0x1000 + 15, 8);
	rig_write(&rig, 0, 0x78, RIG_MEMORY_BYTES, 8);
	rig_write(&rig, 0, 0, 1, 4);
	set(&rig, 0, 8192 + 4096, WARD_REASON_NONE);
	rig_expect_idle(&rig, 0);
	assert_int_equal(ward_gic_lpi_reload(rig.gic, 0, 8192 + 4095), 0);
	assert_int_equal(ward_gic_lpi_reload(rig.gic, 0, 8192 + 4096), -EFAULT);
	assert_int_equal(ward_gic_lpi_reload_all(rig.gic, 0), -EFAULT);
	assert_int_equal(ward_gic_lpi_load_pending(rig.gic, 0, 8192), -EFAULT);
	assert_int_equal(ward_gic_lpi_load_pending(rig.gic, 1, 8192), 0);
	assert_int_equal(ward_gic_save_pending(rig.gic), -EFAULT);
	rig_write(&rig, 0, 0, 0, 4);
	assert_int_equal(ward_gic_save_pending(rig.gic), 0);
	rig_finish(&rig);
}

static void moves_take_pending_along(void **state)
{
	struct gic_rig rig;

	(void)state;
	rig_start(&rig, WARD_GIC_V3, 3, 16);
	rig_lpis(&rig, 3, 16);
	rig_configure(&rig, 8192, 1);
	ward_gic_lpi_move(rig.gic, 0, 1, 8192);
	assert_false(ward_gic_is_pending(rig.gic, 1, 8192));
	set(&rig, 0, 8192, WARD_REASON_NONE);
	rig_expect_told(&rig, 0, 8192);
	ward_gic_lpi_move(rig.gic, 0, 0, 8192);
	ward_gic_lpi_move(rig.gic, 0, 3, 8192);
	ward_gic_lpi_move(rig.gic, 3, 0, 8192);
	ward_gic_lpi_move(rig.gic, 0, 1, 65536);
	assert_true(ward_gic_is_pending(rig.gic, 0, 8192));
	ward_gic_lpi_move(rig.gic, 0, 1, 8192);
	rig_expect_told(&rig, 1, 8192);
	rig_expect_idle(&rig, 0);
	set(&rig, 1, 65535, WARD_REASON_NONE);
	set(&rig, 1, 12345, WARD_REASON_NONE);
	set(&rig, 2, 8192, WARD_REASON_NONE);
	rig_expect_told(&rig, 2, 8192);
	ward_gic_lpi_move_all(rig.gic, 1, 1);
	ward_gic_lpi_move_all(rig.gic, 1, 3);
	ward_gic_lpi_move_all(rig.gic, 1, 2);
	assert_int_equal(rig.told_count, 0);
	assert_true(ward_gic_is_pending(rig.gic, 2, 65535));
	assert_true(ward_gic_is_pending(rig.gic, 2, 12345));
	assert_false(ward_gic_is_pending(rig.gic, 1, 65535));
	rig_expect_take(&rig, 2, 8192);
	rig_expect_idle(&rig, 1);
	rig_finish(&rig);
}

static uint8_t table_byte(struct gic_rig *rig, uint32_t cpu, uint32_t intid)
{
	uint8_t byte;

	assert_int_equal(ward_memory_read(rig->memory, RIG_PEND(cpu) + intid / 8, &byte, 1), 0);
	return byte;
}

static void pending_tables_are_saved_and_loaded(void **state)
{
	uint8_t byte = 0x81;
	struct gic_rig rig;

	(void)state;
	rig_start(&rig, WARD_GIC_V3, 2, 16);
	assert_int_equal(ward_memory_write(rig.memory, RIG_PEND(0) + 1024, &byte, 1), 0);
	assert_int_equal(ward_memory_write(rig.memory, RIG_PEND(0) + 8191, &byte, 1), 0);
	assert_int_equal(ward_memory_write(rig.memory, RIG_PEND(0) + 1023, &byte, 1), 0);
	assert_int_equal(ward_memory_write(rig.memory, RIG_PEND(1) + 2048, &byte, 1), 0);
	rig_configure(&rig, 8199, 1);
	rig_lpis(&rig, 1, 16);
	rig_expect_told(&rig, 0, 8199);
	assert_true(ward_gic_is_pending(rig.gic, 0, 8192));
	assert_true(ward_gic_is_pending(rig.gic, 0, 65535));
	assert_false(ward_gic_is_pending(rig.gic, 0, 8193));
	/* The other CPU says that its table is empty. */
	rig_write(&rig, 1, 0x78, RIG_PEND(1) | UINT64_C(1) << 62, 8);
	rig_write(&rig, 1, 0, 1, 4);
	assert_false(ward_gic_is_pending(rig.gic, 1, 16384));
	rig_expect_take(&rig, 0, 8199);
	set(&rig, 0, 8194, WARD_REASON_NONE);
	set(&rig, 1, 40000, WARD_REASON_NONE);
	assert_int_equal(table_byte(&rig, 0, 8192), 0x81);
	assert_int_equal(ward_gic_save_pending(rig.gic), 0);
	assert_int_equal(table_byte(&rig, 0, 8192), 0x05);
	assert_int_equal(table_byte(&rig, 0, 65535), 0x81);
	assert_int_equal(table_byte(&rig, 0, 8191), 0x81); /* not of LPIs */
	assert_int_equal(table_byte(&rig, 1, 16384), 0);
	assert_int_equal(table_byte(&rig, 1, 40000), 1);
	assert_true(ward_gic_is_pending(rig.gic, 1, 40000));
	/* Off: all goes to memory; on: it comes back, the table is no longer said to be empty. */
	set(&rig, 1, 40001, WARD_REASON_NONE);
	rig_write(&rig, 1, 0, 0, 4);
	assert_false(ward_gic_is_pending(rig.gic, 1, 40000));
	assert_int_equal(table_byte(&rig, 1, 40000), 3);
	rig_write(&rig, 1, 0, 1, 4);
	assert_true(ward_gic_is_pending(rig.gic, 1, 40001));
	rig_finish(&rig);
}

/* As KVM does for an LPI that is mapped: the bit moves from the table to the CPU. */
static void one_bit_is_fetched(void **state)
{
	uint8_t byte = 0x06;
	struct gic_rig rig;

	(void)state;
	rig_start(&rig, WARD_GIC_V3, 1, 16);
	rig_lpis(&rig, 1, 16);
	rig_configure(&rig, 8201, 1);
	assert_int_equal(ward_memory_write(rig.memory, RIG_PEND(0) + 1025, &byte, 1), 0);
	set(&rig, 0, 8200, WARD_REASON_NONE);
	assert_int_equal(ward_gic_lpi_load_pending(rig.gic, 0, 8201), 0);
	rig_expect_told(&rig, 0, 8201);
	assert_int_equal(table_byte(&rig, 0, 8200), 0x04);
	assert_int_equal(ward_gic_lpi_load_pending(rig.gic, 0, 8200), 0);
	assert_false(ward_gic_is_pending(rig.gic, 0, 8200));
	assert_int_equal(ward_gic_lpi_load_pending(rig.gic, 0, 8191), 0);
	assert_int_equal(ward_gic_lpi_load_pending(rig.gic, 1, 8201), 0);
	rig_finish(&rig);
}

/* Redistributor registers of CPU 1 of 2, after power-on and after all ones were written. */
static const struct {
	uint32_t offset;
	uint8_t size;
	uint64_t reset, ones;
} readable[] = {
	{ 0x0, 4, 0x6, 0x7 },
	{ 0x4, 4, 0x5700043b, 0x5700043b },
	{ 0x8, 8, 0x0000000100000111, 0x0000000100000111 },
	{ 0xc, 4, 1, 1 },
	{ 0x10, 4, 0, 0 },
	{ 0x14, 4, 6, 6 },
	{ 0x40, 8, 0, 0 },
	{ 0x70, 8, 0, 0x070fffffffffff9f },
	{ 0x74, 4, 0, 0x070fffff },
	{ 0x78, 8, 0, 0x070fffffffff0f80 },
	{ 0x78, 4, 0, 0xffff0f80 },
	{ 0xa0, 8, 0, 0 },
	{ 0xb0, 8, 0, 0 },
	{ 0xc0, 4, 0, 0 },
	{ 0xffe8, 4, 0x3b, 0x3b },
	{ 0x10100, 4, 0, 0 },
	{ 0x1fffc, 4, 0, 0 },
};

static void registers_read_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(readable) / sizeof(readable[0]); i++) {
		uint32_t offset = readable[i].offset;
		uint8_t size = readable[i].size;
		struct gic_rig rig;

		rig_start(&rig, WARD_GIC_V3, 2, 16);
		assert_int_equal(rig_read(&rig, 1, offset, size), readable[i].reset);
		rig_write(&rig, 1, offset, UINT64_MAX, size);
		assert_int_equal(rig_read(&rig, 1, offset, size), readable[i].ones);
		rig_finish(&rig);
	}
}

static void bases_stay_while_lpis_are_on(void **state)
{
	struct gic_rig rig;

	(void)state;
	rig_start(&rig, WARD_GIC_V3, 18, 16);
	assert_int_equal(rig_read(&rig, 0, 8, 8), 0x1);
	assert_int_equal(rig_read(&rig, 17, 8, 8), 0x0000010100001111);
	rig_write(&rig, 0, 0x14, 0, 4);
	assert_int_equal(rig_read(&rig, 0, 0x14, 4), 0);
	rig_lpis(&rig, 1, 16);
	rig_write(&rig, 0, 0x70, 0, 8);
	rig_write(&rig, 0, 0x78, 0, 8);
	assert_int_equal(rig_read(&rig, 0, 0x70, 8), RIG_PROP | 15);
	assert_int_equal(rig_read(&rig, 0, 0x78, 8), RIG_PEND(0));
	/* PROPBASER is one for all. */
	assert_int_equal(rig_read(&rig, 1, 0x70, 8), RIG_PROP | 15);
	rig_write(&rig, 1, 0x70, RIG_PROP | 31, 8);
	assert_int_equal(ward_gic_last_lpi(rig.gic), 65535);
	rig_write(&rig, 1, 0x70, RIG_PROP | 12, 8);
	assert_int_equal(ward_gic_last_lpi(rig.gic), 8191);
	set(&rig, 0, 8192, WARD_REASON_LPI_RANGE);
	rig_finish(&rig);
}

#define CHANCES 200000u
#define CPUS 3u
#define LPIS 300u

/* What should be, one boolean each. */
struct reference {
	bool pending[CPUS][LPIS], enabled[LPIS];
	uint8_t priority[LPIS], memory[LPIS];
};

static void take_both(struct gic_rig *rig, struct reference *reference, uint32_t cpu)
{
	uint32_t best = LPIS, intid = 0;
	int code = ward_gic_take(rig->gic, cpu, &intid);

	for (uint32_t i = 0; i < LPIS; i++) {
		if (reference->pending[cpu][i] && reference->enabled[i] &&
		    (best == LPIS || reference->priority[i] < reference->priority[best]))
			best = i;
	}
	assert_int_equal(code, best == LPIS ? -ENOENT : 0);
	if (best < LPIS) {
		assert_int_equal(intid, WARD_GIC_FIRST_LPI + best * 64);
		reference->pending[cpu][best] = false;
	}
}

static void reload(struct reference *reference, uint32_t i)
{
	reference->enabled[i] = reference->memory[i] & 1;
	reference->priority[i] = reference->memory[i] & 0xfc;
}

static void random_steps_agree(void **state)
{
	struct reference *reference = test_calloc(1, sizeof(*reference));
	uint32_t random = 12345;
	struct gic_rig rig;

	(void)state;
	rig_start(&rig, WARD_GIC_V3, CPUS, 16);
	rig_lpis(&rig, CPUS, 16);
	assert_int_equal(ward_gic_lpi_reload_all(rig.gic, 0), 0);
	/* All of them are remembered from the beginning. */
	for (uint32_t i = 0; i < LPIS; i++)
		assert_int_equal(ward_gic_lpi_reload(rig.gic, 0, WARD_GIC_FIRST_LPI + i * 64), 0);
	for (uint32_t step = 0; step < CHANCES; step++) {
		uint32_t i, intid, cpu, to;

		random = random * 1664525u + 1013904223u;
		i = (random >> 8) % LPIS;
		intid = WARD_GIC_FIRST_LPI + i * 64;
		cpu = (random >> 4) % CPUS;
		to = (random >> 6) % CPUS;
		switch (random >> 28) {
		default:
			set(&rig, cpu, intid, WARD_REASON_NONE);
			reference->pending[cpu][i] = true;
			break;
		case 0:
			ward_gic_lpi_clear(rig.gic, cpu, intid);
			reference->pending[cpu][i] = false;
			break;
		case 1:
			ward_gic_lpi_move(rig.gic, cpu, to, intid);
			if (cpu != to && reference->pending[cpu][i]) {
				reference->pending[cpu][i] = false;
				reference->pending[to][i] = true;
			}
			break;
		case 2:
			if (random >> 20 & 0xf)
				break;
			ward_gic_lpi_move_all(rig.gic, cpu, to);
			for (i = 0; i < LPIS && cpu != to; i++) {
				reference->pending[to][i] |= reference->pending[cpu][i];
				reference->pending[cpu][i] = false;
			}
			break;
		case 3:
		case 4:
			reference->memory[i] = (uint8_t)(random >> 20);
			rig_configure(&rig, intid, reference->memory[i]);
			break;
		case 5:
		case 6:
			assert_int_equal(ward_gic_lpi_reload(rig.gic, cpu, intid), 0);
			reload(reference, i);
			break;
		case 7:
			assert_int_equal(ward_gic_lpi_reload_all(rig.gic, cpu), 0);
			for (i = 0; i < LPIS; i++)
				reload(reference, i);
			/* Read when asked: what memory has now is what is meant. */
			for (i = 0; i < LPIS; i++)
				assert_int_equal(ward_gic_lpi_reload(rig.gic, 0,
								     WARD_GIC_FIRST_LPI + i * 64),
						 0);
			break;
		case 8:
		case 9:
		case 10:
		case 11:
			take_both(&rig, reference, cpu);
			break;
		case 12:
			assert_int_equal(ward_gic_is_pending(rig.gic, cpu, intid),
					 reference->pending[cpu][i]);
			break;
		}
		rig.told_count = 0;
	}
	test_free(reference);
	rig_finish(&rig);
}

/* What was read of one table says nothing of the next one. */
static void configuration_is_a_tables(void **state)
{
	const uint64_t other = RIG_PROP + 0x20000;
	struct gic_rig rig;

	(void)state;
	rig_start(&rig, WARD_GIC_V3, 1, 16);
	rig_lpis(&rig, 1, 16);
	rig_configure(&rig, 8200, 1);
	set(&rig, 0, 8200, WARD_REASON_NONE);
	rig_expect_take(&rig, 0, 8200);
	rig_write(&rig, 0, 0, 0, 4);
	rig_write(&rig, 0, 0x70, other | 15, 8);
	rig_write(&rig, 0, 0, 1, 4);
	set(&rig, 0, 8200, WARD_REASON_NONE);
	rig_expect_idle(&rig, 0);
	rig_finish(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raised_where_it_belongs),
		cmocka_unit_test(group_one_switches_them),
		cmocka_unit_test(no_lpis_without_bits),
		cmocka_unit_test(configuration_is_remembered),
		cmocka_unit_test(configuration_is_a_tables),
		cmocka_unit_test(tables_outside_memory),
		cmocka_unit_test(moves_take_pending_along),
		cmocka_unit_test(pending_tables_are_saved_and_loaded),
		cmocka_unit_test(one_bit_is_fetched),
		cmocka_unit_test(registers_read_back),
		cmocka_unit_test(bases_stay_while_lpis_are_on),
		cmocka_unit_test(random_steps_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Error isolation: what is frozen is still, and nobody else notices. */
#include "emul/machines.h"

static void three_cards(struct rig *rig)
{
	for (unsigned int i = 0; i < 3; i++) {
		char address[WARD_ADDRESS_TEXT];

		snprintf(address, sizeof(address), "00:01.%x", i);
		rig_port(rig, address, WARD_PCIE_ROOT_PORT, i + 1, i + 1);
		snprintf(address, sizeof(address), "%02x:00.0", i + 1);
		rig_card(rig, address, 0x10000000 + i * 0x100000);
	}
	rig_doorbell(rig, WARD_CONTROLLER_GICV2M, RIG_MEMORY + 0x1000, RIG_MEMORY + 0x1fff);
	rig_done(rig);
}

static void freeze_and_thaw(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct ward_error_state error;
	uint32_t a, b, word = 0x11111111;
	struct ward_dma read = { .address = ward_iova(RIG_MAPPED), .pasid = WARD_PASID_NONE };
	uint64_t value;

	(void)unused;
	three_cards(&rig);
	a = rig_at(&rig, "01:00.0");
	assert_int_equal(ward_emul_error(rig.emul, a, &error), -ENOENT);
	assert_int_equal(ward_emul_thaw(rig.emul, a), -ENOENT);
	assert_int_equal(ward_emul_write(rig.emul, a, 0, 0, &word, 4), 0);
	assert_int_equal(ward_emul_freeze(rig.emul, a, WARD_ERROR_INJECTED), 0);
	rig_expect(&rig, "01:00.0", RIG_MAPPED, WARD_DMA_FROZEN, NULL);
	rig_expect(&rig, "01:00.0", RIG_MAPPED + 0x1040, WARD_DMA_FROZEN, NULL);
	assert_true(rig.seen.probe);
	rig_expect(&rig, "01:00.0", 0xdead0000, WARD_DMA_FROZEN, NULL);
	assert_int_equal(rig_dma(&rig, "01:00.0", read), WARD_DMA_FROZEN);
	assert_int_equal(ward_memory_read_u64(rig.memory, RIG_MEMORY, &value), 0);
	assert_int_equal(value, 0);
	/* Freezing once more changes nothing. */
	assert_int_equal(ward_emul_freeze(rig.emul, a, WARD_ERROR_TIMEOUT), 0);
	assert_int_equal(ward_emul_error(rig.emul, a, &error), 0);
	assert_int_equal(error.cause, WARD_ERROR_INJECTED);
	assert_int_equal(error.function, a);
	assert_int_equal(error.dropped_dma, 4);
	assert_int_equal(error.dropped_messages, 1);
	/* Registers: all ones, to a CPU and to peers; writes are lost. */
	word = 0;
	assert_int_equal(ward_emul_write(rig.emul, a, 0, 0, &word, 4), 0);
	assert_int_equal(ward_emul_read(rig.emul, a, 0, 0, &word, 4), 0);
	assert_int_equal(word, 0xffffffff);
	assert_int_equal(ward_emul_read(rig.emul, a, 7, 0, &word, 4), 0);
	assert_int_equal(word, 0xffffffff);
	rig_temper(&rig, true);
	word = 0;
	read = (struct ward_dma){ .address = ward_iova(0x10000000), .bytes = &word };
	assert_int_equal(rig_dma(&rig, "02:00.0", read), WARD_DMA_BAR);
	assert_int_equal(word, 0xffffffff);
	rig_expect(&rig, "02:00.0", 0x10000000, WARD_DMA_BAR, "01:00.0");
	/* Others are not disturbed. */
	rig_expect(&rig, "02:00.0", RIG_MAPPED, WARD_DMA_MEMORY, NULL);
	assert_false(ward_emul_frozen(rig.emul, rig_at(&rig, "02:00.0")));
	/* Thawed, and reset: the register is not what it was; another's is. */
	b = rig_at(&rig, "03:00.0");
	word = 0x33333333;
	assert_int_equal(ward_emul_write(rig.emul, b, 0, 0, &word, 4), 0);
	assert_int_equal(ward_emul_thaw(rig.emul, a), 0);
	word = 0;
	assert_int_equal(ward_emul_read(rig.emul, b, 0, 0, &word, 4), 0);
	assert_int_equal(word, 0x33333333);
	rig_expect(&rig, "01:00.0", RIG_MAPPED, WARD_DMA_MEMORY, NULL);
	assert_int_equal(ward_emul_read(rig.emul, a, 0, 0, &word, 4), 0);
	assert_int_equal(word, 0);
	/* A second time begins at nothing. */
	assert_int_equal(ward_emul_freeze(rig.emul, a, WARD_ERROR_TIMEOUT), 0);
	assert_int_equal(ward_emul_error(rig.emul, a, &error), 0);
	assert_int_equal(error.dropped_dma, 0);
	assert_int_equal(error.cause, WARD_ERROR_TIMEOUT);
	rig_free(&rig);
}

static void domains(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct ward_error_state error;
	uint32_t a, b, c, pair[2];

	(void)unused;
	three_cards(&rig);
	a = rig_at(&rig, "01:00.0");
	b = rig_at(&rig, "02:00.0");
	c = rig_at(&rig, "03:00.0");
	pair[0] = a;
	pair[1] = b;
	assert_int_equal(ward_emul_error_domain(rig.emul, pair, 2, true), 0);
	assert_int_equal(ward_emul_freeze(rig.emul, b, WARD_ERROR_INJECTED), 0);
	rig_expect(&rig, "01:00.0", RIG_MAPPED, WARD_DMA_FROZEN, NULL);
	rig_expect(&rig, "03:00.0", RIG_MAPPED, WARD_DMA_MEMORY, NULL);
	/* Nothing is moved while it is frozen. */
	pair[1] = c;
	assert_int_equal(ward_emul_error_domain(rig.emul, pair, 2, false), -EBUSY);
	assert_int_equal(ward_emul_thaw(rig.emul, a), 0);
	rig_expect(&rig, "02:00.0", RIG_MAPPED, WARD_DMA_MEMORY, NULL);
	/* A fault of one freezes both; the first is kept. */
	rig_expect(&rig, "02:00.0", 0xdead0000, WARD_DMA_FAULT, NULL);
	rig_expect(&rig, "01:00.0", 0xdead1000, WARD_DMA_FROZEN, NULL);
	assert_int_equal(ward_emul_error(rig.emul, a, &error), 0);
	assert_int_equal(error.cause, WARD_ERROR_DMA);
	assert_int_equal(error.function, b);
	assert_true(error.fault.iova == ward_iova(0xdead0000));
	assert_int_equal(error.dropped_dma, 1);
	assert_int_equal(ward_emul_thaw(rig.emul, b), 0);
	/* Another arrangement: a is taken out of the pair, b stays alone with its rule. */
	assert_int_equal(ward_emul_error_domain(rig.emul, pair, 2, false), 0);
	rig_expect(&rig, "01:00.0", 0xdead0000, WARD_DMA_FAULT, NULL);
	assert_false(ward_emul_frozen(rig.emul, a));
	rig_expect(&rig, "02:00.0", 0xdead0000, WARD_DMA_FAULT, NULL);
	assert_true(ward_emul_frozen(rig.emul, b));
	assert_false(ward_emul_frozen(rig.emul, a));
	rig_free(&rig);
}

static void wrong_calls(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	const uint32_t none = 99;
	struct ward_error_state error;

	(void)unused;
	three_cards(&rig);
	assert_int_equal(ward_emul_error_domain(rig.emul, &none, 0, true), -EINVAL);
	assert_int_equal(ward_emul_error_domain(rig.emul, &none, 1, true), -EINVAL);
	assert_int_equal(ward_emul_freeze(rig.emul, none, WARD_ERROR_INJECTED), -EINVAL);
	assert_int_equal(ward_emul_error(rig.emul, none, &error), -EINVAL);
	assert_int_equal(ward_emul_thaw(rig.emul, none), -EINVAL);
	assert_false(ward_emul_frozen(rig.emul, none));
	rig_free(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(freeze_and_thaw),
		cmocka_unit_test(domains),
		cmocka_unit_test(wrong_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

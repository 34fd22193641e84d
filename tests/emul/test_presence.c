/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Functions that come and go: gone is silent and deaf, and comes back as after power-on. */
#include "emul/machines.h"

static void two_cards(struct rig *rig)
{
	rig_port(rig, "00:01.0", WARD_PCIE_ROOT_PORT, 1, 1);
	rig_card(rig, "01:00.0", 0x10000000);
	rig_card(rig, "01:00.1", 0x10001000);
	rig_done(rig);
	rig_temper(rig, true);
}

static uint32_t word_of(struct rig *rig, uint32_t function, uint32_t region)
{
	uint32_t word = 0;

	assert_int_equal(ward_emul_read(rig->emul, function, region, 0, &word, sizeof(word)), 0);
	return word;
}

static void gone_and_back(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	uint32_t word = 0x12345678, a, b;

	(void)unused;
	two_cards(&rig);
	a = rig_at(&rig, "01:00.0");
	b = rig_at(&rig, "01:00.1");
	assert_true(ward_emul_is_present(rig.emul, a));
	assert_int_equal(ward_emul_write(rig.emul, a, 0, 0, &word, sizeof(word)), 0);
	rig_expect(&rig, "01:00.1", 0x10000000, WARD_DMA_BAR, "01:00.0");
	assert_int_equal(ward_emul_present(rig.emul, a, false), 0);
	assert_int_equal(ward_emul_present(rig.emul, a, false), 0);
	assert_false(ward_emul_is_present(rig.emul, a));
	/* It sends nothing, and nobody is asked about it. */
	rig.asked = 0;
	rig_expect(&rig, "01:00.0", RIG_MAPPED, WARD_DMA_NOWHERE, NULL);
	assert_int_equal(rig.asked, 0);
	/* It answers nothing: the port turns round what lies in its window, and nobody is there. */
	rig_expect(&rig, "01:00.1", 0x10000000, WARD_DMA_NOWHERE, NULL);
	assert_int_equal(word_of(&rig, a, 0), 0xffffffff);
	assert_int_equal(word_of(&rig, a, 7), 0xffffffff);
	assert_int_equal(ward_emul_write(rig.emul, a, 0, 0, &word, sizeof(word)), 0);
	/* Others are there. */
	rig_expect(&rig, "01:00.1", RIG_MAPPED, WARD_DMA_MEMORY, NULL);
	assert_true(ward_emul_is_present(rig.emul, b));
	assert_int_equal(ward_emul_present(rig.emul, a, true), 0);
	assert_int_equal(word_of(&rig, a, 0), 0);
	rig_expect(&rig, "01:00.0", RIG_MAPPED, WARD_DMA_MEMORY, NULL);
	rig_expect(&rig, "01:00.1", 0x10000000, WARD_DMA_BAR, "01:00.0");
	assert_int_equal(ward_emul_present(rig.emul, 99, true), -EINVAL);
	assert_false(ward_emul_is_present(rig.emul, 99));
	rig_free(&rig);
}

/* The port is gone, and nobody has said yet that so is what is behind it. */
static void cut_off(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };

	(void)unused;
	two_cards(&rig);
	assert_int_equal(ward_emul_present(rig.emul, rig_at(&rig, "00:01.0"), false), 0);
	rig.asked = 0;
	rig_expect(&rig, "01:00.0", RIG_MAPPED, WARD_DMA_NOWHERE, NULL);
	assert_int_equal(rig.asked, 0);
	rig_free(&rig);
}

static void errors_go_with_the_last(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	uint32_t pair[2];

	(void)unused;
	two_cards(&rig);
	pair[0] = rig_at(&rig, "01:00.0");
	pair[1] = rig_at(&rig, "01:00.1");
	assert_int_equal(ward_emul_error_domain(rig.emul, pair, 2, false), 0);
	assert_int_equal(ward_emul_freeze(rig.emul, pair[0], WARD_ERROR_INJECTED), 0);
	assert_int_equal(ward_emul_present(rig.emul, pair[0], false), 0);
	assert_true(ward_emul_frozen(rig.emul, pair[1]));
	rig_expect(&rig, "01:00.0", RIG_MAPPED, WARD_DMA_NOWHERE, NULL);
	assert_int_equal(ward_emul_present(rig.emul, pair[1], false), 0);
	assert_false(ward_emul_frozen(rig.emul, pair[1]));
	rig_free(&rig);
}

/* A card whose reset does nothing. */
static void deaf_to_resets(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	const struct ward_model_temper deaf = { .ignores_resets = true }, well = { 0 };
	uint32_t word = 0x12345678, a;

	(void)unused;
	two_cards(&rig);
	a = rig_at(&rig, "01:00.0");
	assert_int_equal(ward_emul_write(rig.emul, a, 0, 0, &word, sizeof(word)), 0);
	ward_emul_set_temper(rig.emul, &deaf);
	assert_int_equal(ward_emul_reset(rig.emul, a), 0);
	assert_int_equal(word_of(&rig, a, 0), word);
	ward_emul_set_temper(rig.emul, &well);
	assert_int_equal(ward_emul_reset(rig.emul, a), 0);
	assert_int_equal(word_of(&rig, a, 0), 0);
	rig_free(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gone_and_back),
		cmocka_unit_test(cut_off),
		cmocka_unit_test(errors_go_with_the_last),
		cmocka_unit_test(deaf_to_resets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

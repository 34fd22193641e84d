// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Functions that VFIO has and that no client is known for; commands that fit the hardware. */
#include "isolate/reach_how.h"

static void judge_v2m(struct make *m, enum ward_irq_mode mode)
{
	v2m(m, 4096, 1);
	bound(m, "02:00.0", "vfio-pci");
	make_done(m);
	m->state->functions[at(m, "02:00.0")].irq_mode = mode;
	judged(m, WARD_POLICY_STRICT, NULL, "01:00.0");
}

/* Vectors of vfio-pci: a VM runs that was started by somebody else. */
static void used_by_unknown(void **unused)
{
	const struct ward_finding *finding;
	struct ward_summary *all;
	struct make m;

	(void)unused;
	judge_v2m(&m, WARD_IRQ_MSIX);
	assert_verdict(m.verdict, WARD_UNSAFE, WARD_GRADE_SHARED_WITH_OTHER);
	finding = finding_in(m.verdict, "msi-frame-shared");
	assert_int_equal(finding->blocker, at(&m, "02:00.0"));
	assert_non_null(strstr(finding->text, "client unknown, through vfio-pci"));
	/* Unbinding would wait for that VM to end. */
	for (uint32_t i = 0; i < finding->remedies_count; i++) {
		assert_int_not_equal(finding->remedies[i].kind, WARD_REMEDY_UNBIND);
		assert_int_not_equal(finding->remedies[i].kind, WARD_REMEDY_USE_INTX);
	}
	assert_non_null(finding_in(m.verdict, "reached-by-other"));
	assert_int_equal(ward_check_all(m.isolation, m.state, WARD_POLICY_STRICT, &all), 0);
	assert_int_equal(all[at(&m, "01:00.0")].answer, WARD_UNSAFE);
	assert_int_equal(all[at(&m, "01:00.0")].grade, WARD_GRADE_SHARED_WITH_OTHER);
	assert_int_equal(all[at(&m, "02:00.0")].answer, WARD_UNSAFE);
	assert_string_equal(all[at(&m, "02:00.0")].code, "already-owned");
	free(all);
	/* The one in use is not to be had; for a client that is there already it may be his. */
	judged(&m, WARD_POLICY_STRICT, NULL, "02:00.0");
	assert_int_equal(finding_in(m.verdict, "already-owned")->weight, WARD_BLOCKS);
	judged(&m, WARD_POLICY_STRICT, "vm", "02:00.0");
	assert_int_equal(finding_in(m.verdict, "already-owned")->weight, WARD_HAZARD);
	make_free(&m);
}

/* Without vectors it may be idle: said, not hidden. */
static void taken_for_idle(void **unused)
{
	bool said = false;
	struct make m;

	(void)unused;
	judge_v2m(&m, WARD_IRQ_NONE);
	assert_verdict(m.verdict, WARD_SAFE, WARD_GRADE_EXCLUSIVE);
	for (uint32_t i = 0; i < m.verdict->assumptions_count; i++)
		said |= strcmp(m.verdict->assumptions[i],
			       "Nobody uses 0000:02:00.0, which is bound to vfio-pci.") == 0;
	assert_true(said);
	make_free(&m);
}

/* Sunrise Point has its ACS control at +8, 32 bits wide: at +6 a write would do nothing. */
static void wide_registers(void **unused)
{
	bool told = false;
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_OFF);
	root_port(&m, "00:1c.1", 2, ACS_ON);
	endpoint(&m, "01:00.0");
	endpoint(&m, "02:00.0");
	bound(&m, "02:00.0", "nvme");
	m.functions[0].vendor = 0x8086;
	m.functions[0].device = 0xa110;
	made(&m, "01:00.0");
	for (uint32_t i = 0; i < finding_in(m.verdict, "peer-dma")->remedies_count; i++) {
		const struct ward_remedy *remedy = &finding_in(m.verdict, "peer-dma")->remedies[i];

		told |= remedy->kind == WARD_REMEDY_ENABLE_ACS &&
			strcmp(remedy->command, "setpci -s 0000:00:1c.0 ECAP_ACS+8.l=1d:1d") == 0;
	}
	assert_true(told);
	make_free(&m);
}

/* At three in the morning it helps to read which disk goes. */
static void names_what_is_lost(void **unused)
{
	static const char *const names[] = { "nvme0", "nvme0n1", "nvme0n2", "nvme0n3", "nvme0n4" };
	struct make m;

	(void)unused;
	v2m(&m, 4096, 1);
	bound(&m, "02:00.0", "nvme");
	m.functions[3].intx_pin = 0;
	made(&m, "01:00.0");
	assert_string_equal(finding_in(m.verdict, "msi-frame-shared")->remedies[0].text,
			    "unbind nvme from 0000:02:00.0: the host loses it");
	make_free(&m);
	m.functions[3].names = names;
	m.functions[3].names_count = 2;
	made(&m, "01:00.0");
	assert_string_equal(finding_in(m.verdict, "msi-frame-shared")->remedies[0].text,
			    "unbind nvme from 0000:02:00.0: the host loses it (nvme0, nvme0n1)");
	make_free(&m);
	m.functions[3].names_count = 5;
	made(&m, "01:00.0");
	assert_non_null(strstr(finding_in(m.verdict, "msi-frame-shared")->remedies[0].text,
			       "nvme0n3, ...)"));
	make_free(&m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(used_by_unknown),
		cmocka_unit_test(taken_for_idle),
		cmocka_unit_test(wide_registers),
		cmocka_unit_test(names_what_is_lost),
	};

	return cmocka_run_group_tests_name("isolate/in-use", tests, NULL, NULL);
}

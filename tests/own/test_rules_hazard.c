// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Softer constraints: weaknesses with a grade that somebody may accept, once, and that show for ever
 * after.
 */
#include "own/rules.h"

/* Some finding of the code, accepted or not. */
static const struct ward_finding *found(const struct own *t, const char *code, bool waived)
{
	const struct ward_finding *finding = finding_in(t->outcome.verdict, code);

	if (finding->waived != waived) {
		print_verdict(t->outcome.verdict);
		fail_msg("%s: waived is %d", code, finding->waived);
	}
	return finding;
}

static uint32_t accepted(const struct own *t)
{
	uint32_t count;

	ward_ownership_waivers(t->o, &count);
	return count;
}

/* Three cards at one interrupt line; the third is the host's, which uses it. */
static void one_line(struct own *t)
{
	static const char *const ports[] = { "00:1c.0", "00:1d.0", "00:1e.0" };
	static const char *const cards[] = { "01:00.0", "02:00.0", "03:00.0" };

	memset(t, 0, sizeof(*t));
	make_x86(&t->m);
	for (unsigned int i = 0; i < 3; i++) {
		root_port(&t->m, ports[i], i + 1, ACS_ON);
		endpoint(&t->m, cards[i]);
	}
	bound(&t->m, "03:00.0", "ehci-pci");
	make_done(&t->m);
	for (unsigned int i = 0; i < 3; i++)
		t->m.state->functions[at(&t->m, cards[i])].intx_irq = 16;
	t->m.state->functions[at(&t->m, "03:00.0")].irq_mode = WARD_IRQ_INTX;
	assert_int_equal(ward_ownership_create(t->m.machine, t->m.state, NULL, &t->o), 0);
}

static void shared_line(void **unused)
{
	struct own t;
	uint32_t count;

	(void)unused;
	one_line(&t);
	/* A weakness by itself refuses nothing, and is told. */
	assert_allowed(&t, claim(&t, "a", "01:00.0"));
	assert_int_equal(found(&t, "intx-shared", false)->weight, WARD_HAZARD);
	assert_string_equal(rule_name(&t, found(&t, "intx-shared", false)->blocker), "03:00.0");
	/* Accepted once: it is written down, and shows in this verdict and in later ones. */
	assert_allowed(&t, claim_accepting(&t, "b", "02:00.0", "intx-shared"));
	found(&t, "intx-shared", true);
	assert_int_equal(accepted(&t), 1);
	assert_string_equal(ward_ownership_waivers(t.o, &count)[0].code, "intx-shared");
	assert_string_equal(ward_ownership_waivers(t.o, &count)[0].reason, "tried");
	assert_allowed(&t, event(&t, WARD_EVENT_RELEASE, "02:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_RESET, "02:00.0"));
	assert_allowed(&t, claim(&t, "b", "02:00.0"));
	found(&t, "intx-shared", true);
	/* The same once more is one waiver. */
	assert_allowed(&t, event(&t, WARD_EVENT_RELEASE, "02:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_RESET, "02:00.0"));
	assert_allowed(&t, claim_accepting(&t, "b", "02:00.0", "intx-shared"));
	assert_int_equal(accepted(&t), 1);
	own_end(&t);
}

/*
 * A graphics card through whose BAR the config space of its sound function is written; between the two
 * there is ACS, and the host plays sound.
 */
static void a_graphics_card(struct own *t)
{
	memset(t, 0, sizeof(*t));
	make_x86(&t->m);
	root_port(&t->m, "00:1c.0", 1, ACS_ON);
	function(&t->m, "01:00.0", WARD_PCIE_ENDPOINT, ACS_ON)->vendor = 0x10de;
	t->m.functions[1].device = 0x0a30;
	t->m.functions[1].class_code = 0x030000;
	function(&t->m, "01:00.1", WARD_PCIE_ENDPOINT, ACS_ON);
	root_port(&t->m, "00:1d.0", 2, ACS_ON);
	endpoint(&t->m, "02:00.0");
	bound(&t->m, "01:00.1", "snd_hda_intel");
	own_begin(t, NULL, "a b");
}

static void backdoor(void **unused)
{
	struct own t;

	(void)unused;
	a_graphics_card(&t);
	refused(&t, claim(&t, "a", "01:00.0"), "backdoor", "01:00.0 > 01:00.1");
	assert_int_equal(accepted(&t), 0);
	/* What it does to its own config space is a weakness, whoever is beside it. */
	assert_int_equal(finding_in(t.outcome.verdict, "backdoor-own")->weight, WARD_HAZARD);
	/* Another risk accepted does not help. */
	refused(&t, claim_accepting(&t, "a", "01:00.0", "peer-dma"), "backdoor",
		"01:00.0 > 01:00.1");
	assert_int_equal(accepted(&t), 0);
	assert_allowed(&t, claim_accepting(&t, "a", "01:00.0", "backdoor"));
	found(&t, "backdoor", true);
	assert_int_equal(t.outcome.verdict->answer, WARD_SAFE);
	assert_int_equal(accepted(&t), 1);
	/* For ever after: the host binds its driver anew, and a stays in order. */
	assert_allowed(&t, event(&t, WARD_EVENT_UNBIND, "01:00.1"));
	assert_allowed(&t, bind_to(&t, "snd_hda_intel", "01:00.1", false));
	assert_allowed(&t, event(&t, WARD_EVENT_RELEASE, "01:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_RESET, "01:00.0"));
	assert_allowed(&t, claim(&t, "b", "01:00.0"));
	found(&t, "backdoor", true);
	own_end(&t);
}

/* Without anybody beside it there is nothing to accept; and who comes later is told by the way. */
static void backdoor_to_a_newcomer(void **unused)
{
	struct own t;

	(void)unused;
	a_graphics_card(&t);
	assert_allowed(&t, event(&t, WARD_EVENT_UNBIND, "01:00.1"));
	assert_allowed(&t, claim(&t, "a", "01:00.0"));
	refused(&t, bind_to(&t, "snd_hda_intel", "01:00.1", false), "backdoor",
		"01:00.0 > 01:00.1");
	unsettled(&t, bind_to(&t, "snd_hda_intel", "01:00.1", true), "backdoor",
		  "01:00.0 > 01:00.1");
	assert_int_equal(contain(&t), 1);
	assert_exposure(&t, 3, 4, WARD_EVENT_QUARANTINE);
	own_end(&t);
}

/* What Linux or the hardware refuses cannot be accepted away. */
static void firm_ones(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	make_x86(&t.m);
	root_port(&t.m, "00:1c.0", 1, ACS_ON);
	endpoint(&t.m, "01:00.0");
	endpoint(&t.m, "01:00.1");
	bound(&t.m, "01:00.1", "nvme");
	own_begin(&t, NULL, "a");
	refused(&t, claim_accepting(&t, "a", "01:00.0", "driver-bound"), "driver-bound", "");
	assert_int_equal(accepted(&t), 0);
	own_end(&t);
}

/* Accepted from the beginning, for one function. */
static void accepted_by_options(void **unused)
{
	struct ward_waiver waiver = { .code = "backdoor" };
	struct ward_ownership_options options = { .size = sizeof(options),
						  .waivers = &waiver,
						  .waivers_count = 1 };
	struct own t;

	(void)unused;
	a_graphics_card(&t);
	ward_ownership_destroy(t.o);
	waiver.address = t.m.machine->functions[at(&t.m, "02:00.0")].address;
	assert_int_equal(ward_ownership_create(t.m.machine, t.m.state, &options, &t.o), 0);
	refused(&t, claim(&t, "a", "01:00.0"), "backdoor", "01:00.0 > 01:00.1");
	ward_ownership_destroy(t.o);
	waiver.address = t.m.machine->functions[at(&t.m, "01:00.0")].address;
	assert_int_equal(ward_ownership_create(t.m.machine, t.m.state, &options, &t.o), 0);
	assert_allowed(&t, claim(&t, "a", "01:00.0"));
	found(&t, "backdoor", true);
	own_end(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(shared_line),
		cmocka_unit_test(backdoor),
		cmocka_unit_test(backdoor_to_a_newcomer),
		cmocka_unit_test(firm_ones),
		cmocka_unit_test(accepted_by_options),
	};

	return cmocka_run_group_tests_name("own/rules-hazard", tests, NULL, NULL);
}

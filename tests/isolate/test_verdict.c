// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Verdicts as a whole: answers, grades, policies, waivers, clients, several functions. */
#include "isolate/make.h"

#define STRICT WARD_POLICY_STRICT
#define LINUX WARD_POLICY_LINUX

static void a_switch(struct make *m, enum make_acs acs)
{
	make_x86(m);
	root_port_to(m, "00:1c.0", 1, 4, ACS_ON);
	upstream(m, "01:00.0", 2, 4);
	downstream(m, "02:00.0", 3, acs);
	downstream(m, "02:01.0", 4, acs);
	endpoint(m, "03:00.0");
	endpoint(m, "04:00.0");
}

static void v2m(struct make *m)
{
	make_arm_v2m(m, 4096, 1);
	root_port(m, "00:01.0", 1, ACS_ON);
	root_port(m, "00:02.0", 2, ACS_ON);
	endpoint(m, "01:00.0");
	endpoint(m, "02:00.0");
}

static void a_good_machine(void **unused)
{
	const struct ward_verdict *verdict;
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	endpoint(&m, "01:00.0");
	bound(&m, "00:1c.0", "pcieport");
	verdict = made(&m, "01:00.0");
	assert_verdict(verdict, WARD_SAFE, WARD_GRADE_ISOLATED);
	assert_int_equal(verdict->findings_count, 0);
	/* It rests on something, and says so. */
	assert_int_equal(verdict->assumptions_count, 1);
	assert_int_equal(verdict->members_count, 1);
	assert_int_equal(verdict->members[0], at(&m, "01:00.0"));
	assert_verdict(judged(&m, LINUX, NULL, "01:00.0"), WARD_SAFE, WARD_GRADE_ISOLATED);
	make_free(&m);
}

static void assumptions(void **unused)
{
	const struct ward_verdict *verdict;
	bool found = false;
	struct make m;

	(void)unused;
	/* Ids are not checked anywhere above. */
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON)->acs.control &= (uint16_t)~WARD_ACS_SV;
	m.functions[0].acs.capability &= (uint16_t)~WARD_ACS_SV;
	endpoint(&m, "01:00.0");
	verdict = made(&m, "01:00.0");
	assert_int_equal(verdict->assumptions_count, 1);
	make_free(&m);
	m.functions[0].acs.capability |= WARD_ACS_SV;
	verdict = made(&m, "01:00.0");
	for (uint32_t i = 0; i < verdict->assumptions_count; i++)
		found |= strstr(verdict->assumptions[i], "requester id") != NULL;
	assert_true(found);
	make_free(&m);
	/* A table of known devices stands in for registers. */
	m.functions[0].vendor = 0x1def;
	m.functions[0].device = 0xe005;
	verdict = made(&m, "01:00.0");
	assert_int_equal(verdict->answer, WARD_SAFE);
	found = false;
	for (uint32_t i = 0; i < verdict->assumptions_count; i++)
		found |= strstr(verdict->assumptions[i], "Ampere") != NULL;
	assert_true(found);
	make_free(&m);
}

/* By strict a reach that Linux does not look at blocks; by Linux it is a hazard and shows. */
static void policies(void **unused)
{
	struct make m;

	(void)unused;
	a_switch(&m, NO_ACS);
	bound(&m, "04:00.0", "nvme");
	assert_verdict(made(&m, "03:00.0"), WARD_UNSAFE, WARD_GRADE_ISOLATED);
	assert_int_equal(finding_in(m.verdict, "peer-dma")->weight, WARD_BLOCKS);
	assert_verdict(judged(&m, LINUX, NULL, "03:00.0"), WARD_SAFE, WARD_GRADE_ISOLATED);
	assert_int_equal(m.verdict->policy, LINUX);
	assert_int_equal(finding_in(m.verdict, "peer-dma")->weight, WARD_HAZARD);
	make_free(&m);

	/* The other way round: an exclusive doorbell is good enough, but not for Linux. */
	make_arm_v2m(&m, 4096, 1);
	root_port(&m, "00:01.0", 1, ACS_ON);
	endpoint(&m, "01:00.0");
	assert_verdict(made(&m, "01:00.0"), WARD_SAFE, WARD_GRADE_EXCLUSIVE);
	assert_int_equal(finding_in(m.verdict, "unsafe-interrupts")->weight, WARD_NOTE);
	assert_verdict(judged(&m, LINUX, NULL, "01:00.0"), WARD_UNSAFE, WARD_GRADE_EXCLUSIVE);
	make_free(&m);
	m.unsafe_allowed = WARD_YES;
	make_done(&m);
	assert_verdict(judged(&m, LINUX, NULL, "01:00.0"), WARD_SAFE, WARD_GRADE_EXCLUSIVE);
	make_free(&m);
}

/* Unknown is never safe by strict; by Linux it weighs no more than the worst it could turn out. */
static void unknown(void **unused)
{
	struct make m;

	(void)unused;
	a_switch(&m, ACS_UNKNOWN);
	bound(&m, "04:00.0", "nvme");
	assert_verdict(made(&m, "03:00.0"), WARD_CANNOT_TELL, WARD_GRADE_ISOLATED);
	/* Where the kernel's groups are not known either, the prediction merges: careful. */
	assert_verdict(judged(&m, LINUX, NULL, "03:00.0"), WARD_SAFE, WARD_GRADE_ISOLATED);
	make_free(&m);

	v2m(&m);
	bound(&m, "02:00.0", "nvme");
	m.controllers[0].isolates = WARD_UNKNOWN;
	assert_verdict(made(&m, "01:00.0"), WARD_CANNOT_TELL, WARD_GRADE_UNKNOWN);
	assert_verdict(judged(&m, LINUX, NULL, "01:00.0"), WARD_CANNOT_TELL, WARD_GRADE_UNKNOWN);
	make_free(&m);

	/* Alone at its doorbell it does not matter to us, but it does to Linux. */
	make_arm_v2m(&m, 4096, 1);
	m.controllers[0].isolates = WARD_UNKNOWN;
	root_port(&m, "00:01.0", 1, ACS_ON);
	endpoint(&m, "01:00.0");
	assert_verdict(made(&m, "01:00.0"), WARD_SAFE, WARD_GRADE_EXCLUSIVE);
	assert_verdict(judged(&m, LINUX, NULL, "01:00.0"), WARD_CANNOT_TELL, WARD_GRADE_EXCLUSIVE);
	make_free(&m);

	/* Nothing but the first 64 bytes, as without root. */
	make_x86(&m);
	unreadable(root_port(&m, "00:1c.0", 1, NO_ACS));
	unreadable(root_port(&m, "00:1c.1", 2, NO_ACS));
	unreadable(endpoint(&m, "01:00.0"));
	unreadable(endpoint(&m, "02:00.0"));
	bound(&m, "02:00.0", "nvme");
	assert_int_not_equal(made(&m, "01:00.0")->answer, WARD_SAFE);
	assert_non_null(finding_of(m.verdict, "acs-unknown"));
	assert_int_not_equal(judged(&m, LINUX, NULL, "01:00.0")->answer, WARD_SAFE);
	make_free(&m);
}

/* A breach that is certain is not covered by one that is only possible. */
static void worst_counts(void **unused)
{
	struct make m;

	(void)unused;
	a_switch(&m, NO_ACS);
	bound(&m, "04:00.0", "nvme");
	m.functions[4].iommu_known = WARD_UNKNOWN;
	m.functions[4].stream.iommu = WARD_NONE;
	assert_verdict(made(&m, "03:00.0"), WARD_UNSAFE, WARD_GRADE_ISOLATED);
	assert_non_null(finding_of(m.verdict, "iommu-unknown"));
	make_free(&m);
	/* Own ATS is one thing, a peer that nothing translates another. */
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	endpoint(&m, "01:00.0")->ats_enabled = true;
	endpoint(&m, "01:00.1")->stream.iommu = WARD_NONE;
	made(&m, "01:00.0");
	assert_non_null(finding_of(m.verdict, "ats-trusted"));
	assert_int_equal(finding_in(m.verdict, "no-iommu")->blocker, at(&m, "01:00.1"));
	make_free(&m);
	/* ... and one without IOMMU, and one of which that is unknown. */
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	endpoint(&m, "01:00.0")->ats_enabled = true;
	endpoint(&m, "02:00.0")->iommu_known = WARD_UNKNOWN;
	root_port(&m, "00:1d.0", 2, ACS_ON);
	made(&m, "01:00.0 02:00.0");
	assert_int_equal(finding_in(m.verdict, "ats-trusted")->subject, at(&m, "01:00.0"));
	assert_int_equal(finding_in(m.verdict, "iommu-unknown")->subject, at(&m, "02:00.0"));
	make_free(&m);
}

static void clients_and_grades(void **unused)
{
	struct make m;

	(void)unused;
	v2m(&m);
	owned(&m, "02:00.0", "a");
	make_done(&m);
	assert_verdict(judged(&m, STRICT, "a", "01:00.0"), WARD_SAFE, WARD_GRADE_SHARED_WITH_OWN);
	assert_verdict(judged(&m, STRICT, "b", "01:00.0"), WARD_UNSAFE,
		       WARD_GRADE_SHARED_WITH_OTHER);
	assert_verdict(judged(&m, STRICT, NULL, "01:00.0"), WARD_UNSAFE,
		       WARD_GRADE_SHARED_WITH_OTHER);
	/* Both directions are told. */
	assert_non_null(finding_of(m.verdict, "reached-by-other"));
	/* What the client has already may be asked about again. */
	assert_verdict(judged(&m, STRICT, "a", "01:00.0 02:00.0"), WARD_SAFE, WARD_GRADE_EXCLUSIVE);
	make_free(&m);

	v2m(&m);
	bound(&m, "02:00.0", "nvme");
	make_done(&m);
	assert_verdict(judged(&m, STRICT, NULL, "01:00.0"), WARD_UNSAFE,
		       WARD_GRADE_SHARED_WITH_HOST);
	/* The host's worse half does not hide another client's. */
	make_free(&m);
	owned(&m, "00:02.0", "a");
	make_done(&m);
	assert_verdict(judged(&m, STRICT, NULL, "01:00.0"), WARD_UNSAFE,
		       WARD_GRADE_SHARED_WITH_OTHER);
	make_free(&m);

	make_arm_v2m(&m, 4096, 1);
	endpoint(&m, "00:03.0")->msix = false;
	assert_verdict(made(&m, "00:03.0"), WARD_SAFE, WARD_GRADE_NONE);
	make_free(&m);
}

static void several_functions(void **unused)
{
	struct make m;

	(void)unused;
	/* Together they may reach each other. */
	a_switch(&m, NO_ACS);
	bound(&m, "03:00.0", "nvme");
	bound(&m, "04:00.0", "nvme");
	assert_verdict(made(&m, "03:00.0 04:00.0"), WARD_SAFE, WARD_GRADE_ISOLATED);
	assert_null(finding_of(m.verdict, "kernel-group-too-small"));
	/* With the ports that they reach each other through. */
	assert_int_equal(m.verdict->members_count, 4);
	/* Named twice is once; the order does not matter. */
	assert_verdict(judged(&m, STRICT, NULL, "04:00.0 03:00.0 04:00.0"), WARD_SAFE,
		       WARD_GRADE_ISOLATED);
	/* The worst of them is the grade. */
	make_free(&m);
	make_controller(&m, WARD_CONTROLLER_GICV2M, WARD_NO, 0x8020000, 0x1000);
	m.functions[5].controller = 1;
	assert_verdict(made(&m, "03:00.0 04:00.0"), WARD_SAFE, WARD_GRADE_EXCLUSIVE);
	make_free(&m);
	/* One group, all of it. */
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	endpoint(&m, "01:00.0");
	endpoint(&m, "01:00.1");
	bound(&m, "01:00.0", "snd");
	bound(&m, "01:00.1", "snd");
	assert_verdict(made(&m, "01:00.0"), WARD_UNSAFE, WARD_GRADE_ISOLATED);
	assert_non_null(finding_of(m.verdict, "driver-bound"));
	assert_verdict(judged(&m, STRICT, NULL, "01:00.0 01:00.1"), WARD_SAFE, WARD_GRADE_ISOLATED);
	assert_verdict(judged(&m, LINUX, NULL, "01:00.0 01:00.1"), WARD_SAFE, WARD_GRADE_ISOLATED);
	make_free(&m);
}

/* What VFIO tolerates in a group: pcieport, its own drivers and pci-stub, nothing else. */
static void viability(void **unused)
{
	static const struct {
		const char *driver;
		bool viable;
	} drivers[] = {
		{ "vfio-pci", true },
		{ "mlx5_vfio_pci", true },
		{ "nvgrace-gpu-vfio-pci", true },
		{ "vfio-platform", true },
		{ "notvfio-", false },
		{ "pci-stub", true },
		{ "pcieport", true },
		{ "shpchp", false },
		{ "nvme", false },
		{ "pci-stub2", false },
	};
	struct make m;

	(void)unused;
	for (unsigned int i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		make_x86(&m);
		root_port(&m, "00:1c.0", 1, NO_ACS);
		endpoint(&m, "01:00.0");
		bound(&m, "00:1c.0", drivers[i].driver);
		made(&m, "01:00.0");
		assert_int_equal(finding_of(m.verdict, "driver-bound") == NULL, drivers[i].viable);
		make_free(&m);
	}
}

/* The kernel's own groups come before the prediction. */
static void kernel_groups(void **unused)
{
	struct make m;

	(void)unused;
	a_switch(&m, ACS_ON);
	bound(&m, "04:00.0", "nvme");
	kernel_group(&m, 7, "03:00.0", "04:00.0");
	made(&m, "03:00.0");
	assert_non_null(strstr(finding_in(m.verdict, "driver-bound")->text, "the kernel puts"));
	make_free(&m);
	/* Predicted together, kept apart by the kernel (an override, say). */
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	endpoint(&m, "01:00.0");
	endpoint(&m, "01:00.1");
	bound(&m, "01:00.1", "nvme");
	kernel_group(&m, 1, "01:00.0", NULL);
	kernel_group(&m, 2, "01:00.1", NULL);
	made(&m, "01:00.0");
	assert_null(finding_of(m.verdict, "driver-bound"));
	assert_non_null(finding_of(m.verdict, "kernel-group-too-small"));
	make_free(&m);
	/* Not probed yet, it will join the group that its sibling is in. */
	m.groups_count = 0;
	m.functions[1].group = WARD_NONE;
	m.functions[2].group = WARD_NONE;
	kernel_group(&m, 2, "01:00.1", NULL);
	made(&m, "01:00.0");
	assert_non_null(finding_of(m.verdict, "driver-bound"));
	assert_null(finding_of(m.verdict, "kernel-group-too-small"));
	make_free(&m);
}

static void reserved_regions(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	endpoint(&m, "01:00.0");
	endpoint(&m, "01:00.1");
	/* Used at boot only: no obstacle, and not the other kind. */
	region(&m, "01:00.0", WARD_REGION_DIRECT_RELAXABLE);
	assert_verdict(made(&m, "01:00.0"), WARD_SAFE, WARD_GRADE_ISOLATED);
	assert_null(finding_of(m.verdict, "rmrr"));
	make_free(&m);
	m.regions[0].kind = WARD_REGION_RESERVED;
	assert_verdict(made(&m, "01:00.0"), WARD_SAFE, WARD_GRADE_ISOLATED);
	make_free(&m);
	m.regions[0].kind = WARD_REGION_MSI;
	assert_verdict(made(&m, "01:00.0"), WARD_SAFE, WARD_GRADE_ISOLATED);
	make_free(&m);
	/* The kernel tells them by group: all members have them. */
	kernel_group(&m, 9, "01:00.0", "01:00.1");
	m.regions[0].kind = WARD_REGION_DIRECT;
	m.regions[0].group = 0;
	m.region_of[0] = NULL;
	assert_int_equal(made(&m, "01:00.0")->answer, WARD_UNSAFE);
	assert_non_null(finding_of(m.verdict, "rmrr"));
	assert_non_null(finding_of(judged(&m, STRICT, NULL, "01:00.1"), "rmrr"));
	assert_null(finding_of(judged(&m, STRICT, NULL, "00:1c.0"), "rmrr"));
	make_free(&m);
}

static void shared_lines(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	root_port(&m, "00:1d.0", 2, ACS_ON);
	endpoint(&m, "01:00.0");
	endpoint(&m, "02:00.0");
	owned(&m, "02:00.0", "a");
	make_done(&m);
	m.state->functions[at(&m, "01:00.0")].intx_irq = 16;
	m.state->functions[at(&m, "02:00.0")].intx_irq = 16;
	m.state->functions[at(&m, "02:00.0")].irq_mode = WARD_IRQ_INTX;
	/* Another client's line counts like the host's; one's own does not. */
	assert_non_null(finding_of(judged(&m, STRICT, NULL, "01:00.0"), "intx-shared"));
	assert_null(finding_of(judged(&m, STRICT, "a", "01:00.0"), "intx-shared"));
	m.state->functions[at(&m, "02:00.0")].irq_mode = WARD_IRQ_MSIX;
	assert_null(finding_of(judged(&m, STRICT, NULL, "01:00.0"), "intx-shared"));
	m.state->functions[at(&m, "02:00.0")].irq_mode = WARD_IRQ_INTX;
	m.state->functions[at(&m, "02:00.0")].intx_irq = 17;
	assert_null(finding_of(judged(&m, STRICT, NULL, "01:00.0"), "intx-shared"));
	make_free(&m);
}

/* A bridge works for the host, with a driver or without. */
static void bridges_are_the_hosts(void **unused)
{
	struct make m;

	(void)unused;
	a_switch(&m, NO_ACS);
	m.functions[1].bar[0].range = (struct ward_range){ 0x40000000, 0x40000fff };
	assert_int_equal(made(&m, "03:00.0")->answer, WARD_UNSAFE);
	assert_int_equal(finding_in(m.verdict, "peer-dma")->blocker, at(&m, "01:00.0"));
	make_free(&m);
}

static enum ward_answer waived(struct make *m, const char *names, const struct ward_waiver *waivers,
			       uint32_t count, enum ward_policy policy)
{
	uint32_t functions[4], found = 0;
	struct ward_question question = {
		.size = sizeof(question),
		.functions = functions,
		.client = WARD_NONE,
		.policy = policy,
		.waivers = waivers,
		.waivers_count = count,
	};
	char text[128], *save = NULL;

	snprintf(text, sizeof(text), "%s", names);
	for (char *name = strtok_r(text, " ", &save); name; name = strtok_r(NULL, " ", &save))
		functions[found++] = at(m, name);
	question.functions_count = found;
	ward_verdict_destroy(m->verdict);
	m->verdict = NULL;
	assert_int_equal(ward_check(m->isolation, m->state, &question, &m->verdict), 0);
	return m->verdict->answer;
}

static void waivers(void **unused)
{
	struct ward_waiver waiver = { .code = "peer-dma" };
	struct make m;

	(void)unused;
	a_switch(&m, NO_ACS);
	root_port(&m, "00:1d.0", 8, ACS_ON);
	bound(&m, "04:00.0", "nvme");
	make_done(&m);
	ward_address_parse("04:00.0", &waiver.address);
	assert_int_equal(waived(&m, "03:00.0", &waiver, 1, STRICT), WARD_UNSAFE);
	ward_address_parse("03:00.0", &waiver.address);
	assert_int_equal(waived(&m, "03:00.0", &waiver, 1, STRICT), WARD_SAFE);
	/* It still shows, and behind what was not waived. */
	assert_true(finding_in(m.verdict, "peer-dma")->waived);
	assert_ptr_equal(finding_in(m.verdict, "peer-dma"),
			 &m.verdict->findings[m.verdict->findings_count - 1]);
	waiver.code = "msi-frame-shared";
	assert_int_equal(waived(&m, "03:00.0", &waiver, 1, STRICT), WARD_UNSAFE);
	make_free(&m);

	/* An unknown can be accepted, too. */
	a_switch(&m, ACS_UNKNOWN);
	bound(&m, "04:00.0", "nvme");
	make_done(&m);
	waiver = (struct ward_waiver){ .code = "acs-unknown", .any_function = true };
	assert_int_equal(waived(&m, "03:00.0", &waiver, 1, STRICT), WARD_SAFE);
	make_free(&m);
}

/* What Linux or the hardware refuses cannot be accepted away. */
static void firm_findings(void **unused)
{
	static const char *const codes[] = { "not-assignable",	 "no-iommu", "driver-bound",
					     "group-split",	 "rmrr",     "already-owned",
					     "unsafe-interrupts" };
	struct ward_waiver all[7];
	struct make m;

	(void)unused;
	for (unsigned int i = 0; i < 7; i++)
		all[i] = (struct ward_waiver){ .code = codes[i], .any_function = true };
	make_arm_v2m(&m, 4096, 1);
	root_port(&m, "00:01.0", 1, NO_ACS);
	endpoint(&m, "01:00.0");
	endpoint(&m, "01:00.1");
	endpoint(&m, "01:00.2");
	endpoint(&m, "01:00.3")->stream.iommu = WARD_NONE;
	endpoint(&m, "01:00.4");
	owned(&m, "01:00.2", "a");
	owned(&m, "01:00.4", "a");
	bound(&m, "01:00.1", "nvme");
	region(&m, "01:00.1", WARD_REGION_DIRECT);
	make_done(&m);
	assert_int_equal(waived(&m, "00:01.0 01:00.0 01:00.2 01:00.3", all, 7, LINUX), WARD_UNSAFE);
	for (unsigned int i = 0; i < 7; i++)
		assert_false(finding_in(m.verdict, codes[i])->waived);
	make_free(&m);
}

/* Many findings of one function, waived, must not crowd out that of another. */
static void waivers_hide_nothing(void **unused)
{
	struct ward_waiver waiver = { .code = "peer-dma" };
	static char names[40][16];
	static struct make m;

	(void)unused;
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 60, ACS_ON);
	upstream(&m, "01:00.0", 2, 60);
	for (unsigned int i = 0; i < 24; i++) {
		snprintf(names[i], sizeof(names[i]), "02:%02x.0", i);
		downstream(&m, names[i], 3 + i, i < 2 ? NO_ACS : ACS_ON);
	}
	for (unsigned int i = 0; i < 24; i++) {
		snprintf(names[i], sizeof(names[i]), "%02x:00.0", 3 + i);
		endpoint(&m, names[i]);
		bound(&m, names[i], "nvme");
	}
	make_done(&m);
	ward_address_parse("03:00.0", &waiver.address);
	waived(&m, "03:00.0", &waiver, 1, STRICT);
	if (m.verdict->answer != WARD_SAFE)
		print_verdict(m.verdict);
	assert_int_equal(m.verdict->answer, WARD_SAFE);
	assert_int_equal(waived(&m, "03:00.0 04:00.0", &waiver, 1, STRICT), WARD_UNSAFE);
	make_free(&m);
}

static void wrong_questions(void **unused)
{
	struct ward_verdict *verdict = NULL;
	static struct make m;
	uint32_t function;
	struct ward_question question = {
		.size = sizeof(question),
		.functions = &function,
		.functions_count = 1,
		.client = WARD_NONE,
	};

	(void)unused;
	v2m(&m);
	make_done(&m);
	function = m.machine->functions_count;
	assert_int_equal(ward_check(m.isolation, m.state, &question, &verdict), -EINVAL);
	function = 0;
	question.size = 8;
	assert_int_equal(ward_check(m.isolation, m.state, &question, &verdict), -EINVAL);
	question.size = sizeof(question);
	question.functions_count = 0;
	assert_int_equal(ward_check(m.isolation, m.state, &question, &verdict), -EINVAL);
	question.functions_count = 1;
	question.client = 0;
	assert_int_equal(ward_check(m.isolation, m.state, &question, &verdict), -EINVAL);
	assert_null(verdict);
	ward_verdict_destroy(NULL);
	make_free(&m);
}

static void names(void **unused)
{
	(void)unused;
	assert_string_equal(ward_answer_name(WARD_SAFE), "safe");
	assert_string_equal(ward_answer_name(WARD_UNSAFE), "unsafe");
	assert_string_equal(ward_answer_name(WARD_CANNOT_TELL), "unknown");
	assert_string_equal(ward_weight_name(WARD_BLOCKS), "blocks");
	assert_string_equal(ward_weight_name(WARD_OPEN), "open");
	assert_string_equal(ward_grade_name(WARD_GRADE_SHARED_WITH_OWN), "shared-with-own");
	assert_string_equal(ward_grade_name(WARD_GRADE_EXCLUSIVE), "exclusive");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_machine),
		cmocka_unit_test(assumptions),
		cmocka_unit_test(policies),
		cmocka_unit_test(unknown),
		cmocka_unit_test(worst_counts),
		cmocka_unit_test(clients_and_grades),
		cmocka_unit_test(several_functions),
		cmocka_unit_test(viability),
		cmocka_unit_test(kernel_groups),
		cmocka_unit_test(reserved_regions),
		cmocka_unit_test(shared_lines),
		cmocka_unit_test(bridges_are_the_hosts),
		cmocka_unit_test(waivers),
		cmocka_unit_test(firm_findings),
		cmocka_unit_test(waivers_hide_nothing),
		cmocka_unit_test(wrong_questions),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("isolate/verdict", tests, NULL, NULL);
}

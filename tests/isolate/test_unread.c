// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What was not read is never taken for a no. */
#include "isolate/reach_how.h"

/* Builds as it stands: nobody gets a multifunction bit. */
static void make_plain(struct make *m)
{
	struct ward_builder *builder;

	assert_int_equal(ward_builder_create(&builder), 0);
	assert_int_equal(make_add(m, builder), 0);
	assert_int_equal(ward_builder_finish(builder, &m->machine, NULL), 0);
	assert_int_equal(make_state(m, m->machine, &m->state), 0);
	assert_int_equal(ward_isolation_create(m->machine, m->state, &m->isolation), 0);
}

/* The header of function 0 says whether there are others; asleep, it says nothing. */
static void asleep_function_0(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	unreadable(endpoint(&m, "01:00.0"))->config_size = 0;
	m.functions[1].asleep = true;
	endpoint(&m, "01:00.1");
	make_plain(&m);
	assert_string_equal(HAS(&m, "01:00.0", "01:00.1"), "unknown");
	make_free(&m);
	/* A header that was read is believed. */
	m.functions[1].config_size = 64;
	make_plain(&m);
	assert_string_equal(HAS(&m, "01:00.0", "01:00.1"), "no");
	make_free(&m);
	/* Others of its bus are no others of its slot, and VFs do not count. */
	m.functions[1].config_size = 0;
	assert_int_equal(ward_address_parse("01:01.0", &m.functions[2].address), 0);
	make_plain(&m);
	assert_string_equal(HAS(&m, "01:00.0", "01:01.0"), "no");
	make_free(&m);
	assert_int_equal(ward_address_parse("01:00.1", &m.functions[2].address), 0);
	m.pf[2] = "01:00.0";
	make_plain(&m);
	assert_false(m.machine->functions[at(&m, "01:00.0")].multifunction);
	make_free(&m);
}

/* Linux switches ATS on when it attaches a function, where the domain it has now does not want it. */
static void ats_to_come(void **unused)
{
	const struct ward_verdict *verdict;
	struct make m;

	(void)unused;
	make_arm_its(&m);
	root_port(&m, "00:01.0", 1, ACS_ON);
	endpoint(&m, "01:00.0")->ats = WARD_YES;
	kernel_group(&m, 3, "01:00.0", NULL);
	m.groups[0].type = WARD_GROUP_DMA;
	verdict = made(&m, "01:00.0");
	assert_verdict(verdict, WARD_SAFE, WARD_GRADE_ISOLATED);
	assert_non_null(strstr(verdict->assumptions[1], "ATS of 0000:01:00.0 stays off"));
	make_free(&m);
	m.groups[0].type = WARD_GROUP_IDENTITY;
	verdict = made(&m, "01:00.0");
	assert_verdict(verdict, WARD_CANNOT_TELL, WARD_GRADE_ISOLATED);
	assert_non_null(finding_in(verdict, "ats-trusted")->settle);
	assert_non_null(strstr(finding_in(verdict, "ats-trusted")->text, "is off now"));
	for (uint32_t i = 0; i < verdict->assumptions_count; i++)
		assert_null(strstr(verdict->assumptions[i], "stays off"));
	make_free(&m);
	m.command_line = "root=/dev/vda pci=noats";
	assert_verdict(made(&m, "01:00.0"), WARD_SAFE, WARD_GRADE_ISOLATED);
	make_free(&m);
	m.command_line = NULL;
	m.iommus[0].ats = WARD_NO;
	assert_verdict(made(&m, "01:00.0"), WARD_SAFE, WARD_GRADE_ISOLATED);
	make_free(&m);
}

/* Firmware was not readable: what the one has in use, the other may have, too. */
static void unknown_controller(void **unused)
{
	struct make m;

	(void)unused;
	v2m(&m, 4096, 1);
	bound(&m, "02:00.0", "nvme");
	m.functions[3].controller_known = WARD_UNKNOWN;
	m.functions[3].controller = WARD_NONE;
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "unknown");
	assert_string_equal(HOST_VECTORS(&m, "02:00.0"), "unknown");
	judged(&m, WARD_POLICY_STRICT, NULL, "01:00.0");
	assert_verdict(m.verdict, WARD_CANNOT_TELL, WARD_GRADE_UNKNOWN);
	assert_int_equal(finding_in(m.verdict, "msi-unknown")->blocker, at(&m, "02:00.0"));
	make_free(&m);
	m.functions[3].msix = false;
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "no");
	assert_string_equal(HOST_VECTORS(&m, "02:00.0"), "no");
	make_free(&m);
	/* The page of x86 is open to all, with MSIs or without. */
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	endpoint(&m, "01:00.0")->msix = false;
	m.functions[1].controller_known = WARD_UNKNOWN;
	make_done(&m);
	assert_string_equal(HOST_VECTORS(&m, "01:00.0"), "unknown");
	make_free(&m);
}

static bool rests_on(const struct ward_verdict *verdict, const char *words)
{
	for (uint32_t i = 0; i < verdict->assumptions_count; i++) {
		if (strstr(verdict->assumptions[i], words))
			return true;
	}
	return false;
}

/*
 * VFs are taken for sending to nobody inside their device only where there is no ACS that would say
 * otherwise; and slots of the root complex for meeting at the IOMMU.
 */
static void assumptions_of_vfs(void **unused)
{
	const uint16_t redirects = WARD_ACS_RR | WARD_ACS_CR;
	const struct ward_verdict *verdict;
	struct ward_function *f;
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 1, ACS_ON);
	endpoint(&m, "01:00.0");
	f = vf(&m, "01:10.0", "01:00.0");
	vf(&m, "01:10.1", "01:00.0");
	verdict = made(&m, "01:10.0");
	assert_int_equal(verdict->answer, WARD_SAFE);
	assert_true(rests_on(verdict, "VFs without ACS"));
	assert_true(rests_on(verdict, "functions of other slots"));
	make_free(&m);
	assert_false(rests_on(made(&m, "01:00.0"), "VFs without ACS"));
	make_free(&m);
	/* It redirects: nothing to assume, and nobody is got at. */
	f->acs = (struct ward_acs){ .present = WARD_YES,
				    .capability = redirects,
				    .control = redirects };
	verdict = made(&m, "01:10.0");
	assert_int_equal(verdict->answer, WARD_SAFE);
	assert_false(rests_on(verdict, "VFs without ACS"));
	assert_null(finding_of(verdict, "peer-unowned"));
	make_free(&m);
	/* It could and does not: the PF and the other VF are got at. */
	f->acs.control = 0;
	m.driver[1] = "nic";
	verdict = made(&m, "01:10.0");
	assert_int_equal(verdict->answer, WARD_UNSAFE);
	assert_non_null(finding_of(verdict, "peer-dma"));
	assert_non_null(finding_of(verdict, "peer-unowned"));
	assert_false(rests_on(verdict, "VFs without ACS"));
	make_free(&m);
	/* Nobody could look. */
	f->acs = (struct ward_acs){ .present = WARD_UNKNOWN };
	verdict = made(&m, "01:10.0");
	assert_int_equal(verdict->answer, WARD_CANNOT_TELL);
	assert_false(rests_on(verdict, "VFs without ACS"));
	make_free(&m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(asleep_function_0),
		cmocka_unit_test(ats_to_come),
		cmocka_unit_test(unknown_controller),
		cmocka_unit_test(assumptions_of_vfs),
	};

	return cmocka_run_group_tests_name("isolate/unread", tests, NULL, NULL);
}

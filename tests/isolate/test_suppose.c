// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Suppositions: a copy of the machine and its state, judged as if things were different. */
#include "isolate/make.h"

#define STRICT WARD_POLICY_STRICT

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

static void suppose(struct make *m, const struct ward_supposition *what, uint32_t count,
		    struct make *ret_then)
{
	struct ward_error error = { "" };

	*ret_then = (struct make){ .machine = NULL };
	if (ward_suppose(m->machine, m->state, what, count, &ret_then->machine, &ret_then->state,
			 &error) < 0)
		fail_msg("%s", error.text);
	assert_int_equal(ward_isolation_create(ret_then->machine, ret_then->state,
					       &ret_then->isolation),
			 0);
}

static void owners_supposed(void **unused)
{
	struct ward_supposition what = { .kind = WARD_SUPPOSE_OWNER };
	static struct make m, then;

	(void)unused;
	a_switch(&m, NO_ACS);
	owned(&m, "04:00.0", "a");
	make_done(&m);
	assert_int_equal(judged(&m, STRICT, NULL, "03:00.0")->answer, WARD_UNSAFE);
	what.function = at(&m, "04:00.0");
	what.name = "nobody";
	suppose(&m, &what, 1, &then);
	assert_int_equal(judged(&then, STRICT, NULL, "03:00.0")->answer, WARD_SAFE);
	make_free(&then);
	what.name = "host";
	suppose(&m, &what, 1, &then);
	assert_int_equal(judged(&then, STRICT, NULL, "03:00.0")->answer, WARD_UNSAFE);
	assert_null(finding_of(then.verdict, "reached-by-other"));
	make_free(&then);
	what.name = "b";
	suppose(&m, &what, 1, &then);
	assert_int_equal(judged(&then, STRICT, "a", "03:00.0")->answer, WARD_UNSAFE);
	assert_int_equal(judged(&then, STRICT, "b", "03:00.0")->answer, WARD_SAFE);
	make_free(&then);
	/* The original is as it was. */
	assert_int_equal(judged(&m, STRICT, "a", "03:00.0")->answer, WARD_SAFE);
	make_free(&m);
}

static void other_suppositions(void **unused)
{
	struct ward_supposition what[2] = { { .kind = WARD_SUPPOSE_MSI_PARENT } };
	static struct make m, then;

	(void)unused;
	v2m(&m);
	make_controller(&m, WARD_CONTROLLER_GICV2M, WARD_NO, 0x8030000, 0x1000)->pool = 1;
	bound(&m, "02:00.0", "nvme");
	make_done(&m);
	what[0].function = at(&m, "02:00.0");
	what[0].name = "controller1";
	suppose(&m, what, 1, &then);
	assert_verdict(judged(&then, STRICT, NULL, "01:00.0"), WARD_SAFE, WARD_GRADE_EXCLUSIVE);
	make_free(&then);
	/* A driver bound, on top of that. */
	what[1] = (struct ward_supposition){ .kind = WARD_SUPPOSE_DRIVER,
					     .function = at(&m, "00:01.0"),
					     .name = "pcieport" };
	suppose(&m, what, 2, &then);
	assert_verdict(judged(&then, STRICT, NULL, "01:00.0"), WARD_UNSAFE,
		       WARD_GRADE_SHARED_WITH_HOST);
	make_free(&then);
	make_free(&m);
}

static void impossible_suppositions(void **unused)
{
	static struct make m;
	struct ward_machine *machine = NULL;
	struct ward_state *state = NULL;
	struct ward_error error;

	(void)unused;
	v2m(&m);
	vf(&m, "01:00.4", "01:00.0");
	conventional(&m, "00:03.0")->intx_pin = 0;
	make_done(&m);

	const struct ward_supposition wrong[] = {
		{ WARD_SUPPOSE_INTX, at(&m, "01:00.4"), NULL },
		{ WARD_SUPPOSE_INTX, at(&m, "00:03.0"), NULL },
		{ WARD_SUPPOSE_ACS, at(&m, "00:03.0"), NULL },
		{ WARD_SUPPOSE_ACS, WARD_NONE, NULL },
		{ WARD_SUPPOSE_OWNER, at(&m, "01:00.0"), NULL },
		{ WARD_SUPPOSE_OWNER, at(&m, "01:00.0"), "" },
		{ WARD_SUPPOSE_OWNER, m.machine->functions_count, "a" },
		{ WARD_SUPPOSE_MSI_PARENT, at(&m, "01:00.0"), "no such frame" },
		{ WARD_SUPPOSE_MSI_PARENT, at(&m, "01:00.0"), NULL },
		{ WARD_SUPPOSE_DRIVER, WARD_NONE, "nvme" },
		{ WARD_SUPPOSE_REMAPPING, WARD_NONE, NULL },
		{ (enum ward_supposition_kind)99, at(&m, "01:00.0"), NULL },
	};

	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		error.text[0] = '\0';
		assert_int_equal(ward_suppose(m.machine, m.state, &wrong[i], 1, &machine, &state,
					      &error),
				 -EINVAL);
		assert_true(error.text[0]);
		assert_null(machine);
		assert_null(state);
	}
	make_free(&m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(owners_supposed),
		cmocka_unit_test(other_suppositions),
		cmocka_unit_test(impossible_suppositions),
	};

	return cmocka_run_group_tests_name("isolate/suppose", tests, NULL, NULL);
}

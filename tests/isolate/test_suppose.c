// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Suppositions: a copy of the machine and its state, judged as if things were different. */
#include "isolate/make.h"

#include "sweep.h"

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

/* What a function reaches of memory in a machine with something supposed. */
static const char *memory_when(struct make *m, const char *name, const char *space, uint32_t in)
{
	static char text[16];
	struct ward_supposition what = { .kind = WARD_SUPPOSE_SPACE,
					 .function = in,
					 .name = space };
	static struct make then;
	struct ward_reach_cursor cursor = { 0 };
	struct ward_reached_memory memory;
	struct ward_reach *reach;
	uint32_t start = at(m, name);

	suppose(m, &what, 1, &then);
	assert_int_equal(ward_reach_compute(then.isolation, &start, 1, &reach), 0);
	snprintf(text, sizeof(text), "none");
	if (ward_reach_memory_next(reach, &cursor, &memory))
		snprintf(text, sizeof(text), "%s",
			 memory.range.last == UINT64_MAX ? "all" : "some");
	ward_reach_destroy(reach);
	make_free(&then);
	return text;
}

static void spaces_supposed(void **unused)
{
	static struct make m;

	(void)unused;
	a_switch(&m, ACS_ON);
	kernel_group(&m, 7, "03:00.0", "01:00.0");
	in_space(&m, "04:00.0", WARD_SPACE_IDENTITY);
	make_done(&m);
	assert_string_equal(memory_when(&m, "03:00.0", "identity", at(&m, "03:00.0")), "all");
	assert_string_equal(memory_when(&m, "03:00.0", "blocked", at(&m, "03:00.0")), "none");
	/* A group has one space; others keep theirs. */
	assert_string_equal(memory_when(&m, "01:00.0", "identity", at(&m, "03:00.0")), "all");
	assert_string_equal(memory_when(&m, "01:00.0", "blocked", at(&m, "03:00.0")), "none");
	assert_string_equal(memory_when(&m, "04:00.0", "blocked", at(&m, "03:00.0")), "all");
	assert_string_equal(memory_when(&m, "03:00.0", "identity", at(&m, "04:00.0")), "none");
	assert_string_equal(memory_when(&m, "04:00.0", "blocked", at(&m, "04:00.0")), "none");
	/* What the kernel maps is not known, and is not the state's. */
	assert_string_equal(memory_when(&m, "04:00.0", "dma", at(&m, "04:00.0")), "none");
	make_free(&m);
}

/* The kernel's own domain instead of none: SMMUv3's driver may switch ATS on then. */
static void dma_supposed(void **unused)
{
	struct ward_supposition what = { .kind = WARD_SUPPOSE_SPACE, .name = "dma" };
	static struct make m, then;

	(void)unused;
	make_arm_its(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	endpoint(&m, "01:00.0")->ats = WARD_YES;
	kernel_group(&m, 7, "01:00.0", NULL);
	m.groups[0].type = WARD_GROUP_IDENTITY;
	make_done(&m);
	assert_int_equal(judged(&m, STRICT, NULL, "01:00.0")->answer, WARD_CANNOT_TELL);
	what.function = at(&m, "01:00.0");
	suppose(&m, &what, 1, &then);
	assert_int_equal(then.machine->groups[0].type, WARD_GROUP_DMA);
	assert_int_equal(judged(&then, STRICT, NULL, "01:00.0")->answer, WARD_CANNOT_TELL);
	assert_int_equal(finding_in(then.verdict, "ats-trusted")->weight, WARD_OPEN);
	make_free(&then);
	assert_int_equal(m.machine->groups[0].type, WARD_GROUP_IDENTITY);
	make_free(&m);
}

static void no_such_space(void **unused)
{
	struct ward_supposition what = { .kind = WARD_SUPPOSE_SPACE, .name = "identity" };
	struct ward_machine *machine = NULL;
	struct ward_state *state = NULL;
	struct ward_error error;
	static struct make m;

	(void)unused;
	make_x86(&m);
	integrated(&m, "00:02.0")->stream.iommu = WARD_NONE;
	integrated(&m, "00:03.0");
	make_done(&m);
	what.function = at(&m, "00:02.0");
	assert_int_equal(ward_suppose(m.machine, m.state, &what, 1, &machine, &state, &error),
			 -EINVAL);
	assert_non_null(strstr(error.text, "00:02.0"));
	what.function = at(&m, "00:03.0");
	what.name = "paradise";
	assert_int_equal(ward_suppose(m.machine, m.state, &what, 1, &machine, &state, &error),
			 -EINVAL);
	assert_non_null(strstr(error.text, "paradise"));
	what.name = NULL;
	assert_int_equal(ward_suppose(m.machine, m.state, &what, 1, &machine, &state, &error),
			 -EINVAL);
	assert_null(machine);
	assert_null(state);
	make_free(&m);
}

static struct make swept;

static int suppose_space(void *unused)
{
	struct ward_supposition what = { WARD_SUPPOSE_SPACE, at(&swept, "03:00.0"), "identity" };
	struct ward_machine *machine = NULL;
	struct ward_state *state = NULL;
	int err = ward_suppose(swept.machine, swept.state, &what, 1, &machine, &state, NULL);

	(void)unused;
	ward_state_destroy(state);
	ward_machine_destroy(machine);
	return err;
}

static void out_of_memory(void **unused)
{
	(void)unused;
	a_switch(&swept, ACS_ON);
	make_done(&swept);
	assert_true(test_sweep(suppose_space, NULL) > 0);
	make_free(&swept);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(owners_supposed),
		cmocka_unit_test(other_suppositions),
		cmocka_unit_test(impossible_suppositions),
		cmocka_unit_test(spaces_supposed),
		cmocka_unit_test(dma_supposed),
		cmocka_unit_test(no_such_space),
		cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests_name("isolate/suppose", tests, NULL, NULL);
}

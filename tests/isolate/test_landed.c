// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Vectors that landed at another controller than the function's own. */
#include "isolate/drawn.h"
#include "isolate/reach_how.h"

#define MACHINES 600

static void landed(struct make *m, const char *name, uint32_t controller)
{
	const struct ward_host_vector vector = { .irq = 40,
						 .function = at(m, name),
						 .controller = controller };

	assert_int_equal(ward_state_add_vector(m->state, &vector), 0);
}

static void isolate(struct make *m)
{
	ward_isolation_destroy(m->isolation);
	m->isolation = NULL;
	assert_int_equal(ward_isolation_create(m->machine, m->state, &m->isolation), 0);
}

/* Two frames that are no pool: 01:00.0 at the first, 02:00.0 at the second, 03:00.0 at the second. */
static void two_frames(struct make *m)
{
	make_arm_v2m(m, 4096, 2);
	m->controllers[1].pool = 1;
	root_port(m, "00:01.0", 1, ACS_ON);
	root_port(m, "00:02.0", 2, ACS_ON);
	root_port(m, "00:03.0", 3, ACS_ON);
	endpoint(m, "01:00.0");
	endpoint(m, "02:00.0")->controller = 1;
	endpoint(m, "03:00.0")->controller = 1;
	for (unsigned int i = 0; i < 3; i++)
		m->functions[i].msix = false;
	make_done(m);
}

static void in_another_frame(void **unused)
{
	const struct ward_finding *finding;
	struct make m;

	(void)unused;
	two_frames(&m);
	bound(&m, "02:00.0", "nvme");
	make_free(&m);
	make_done(&m);
	assert_verdict(judged(&m, WARD_POLICY_STRICT, NULL, "01:00.0"), WARD_SAFE,
		       WARD_GRADE_EXCLUSIVE);
	landed(&m, "01:00.0", 1);
	isolate(&m);
	/* Both ways: it raises theirs, and they raise its. */
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	assert_string_equal(RAISES(&m, "02:00.0", "01:00.0"), "sure");
	assert_verdict(judged(&m, WARD_POLICY_STRICT, NULL, "01:00.0"), WARD_UNSAFE,
		       WARD_GRADE_SHARED_WITH_HOST);
	finding = finding_in(m.verdict, "msi-frame-shared");
	assert_int_equal(finding->blocker, at(&m, "02:00.0"));
	/* The frame that is told is the one where they meet. */
	assert_non_null(strstr(finding->text, "through controller1"));
	assert_int_equal(finding->path_count, 3);
	assert_int_equal(finding->path[0].kind, WARD_NODE_FUNCTION);
	assert_int_equal(finding->path[1].kind, WARD_NODE_DOORBELL);
	assert_int_equal(ward_doorbell_controller(m.isolation, finding->path[1].index), 1);
	assert_string_equal(finding->path[1].through, "the MSIs of 0000:01:00.0 are written there");
	assert_int_equal(finding->path[2].kind, WARD_NODE_VECTOR_USER);
	assert_true(ward_partition_of(m.isolation, at(&m, "01:00.0")) ==
		    ward_partition_of(m.isolation, at(&m, "02:00.0")));
	/* The driver lets go: so do the vectors, and nobody else's matter. */
	assert_int_equal(ward_state_bind(m.state, at(&m, "01:00.0"), "igb"), 0);
	assert_int_equal(ward_state_bind(m.state, at(&m, "01:00.0"), NULL), 0);
	isolate(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "no");
	make_free(&m);
}

static void where_one_expects_it(void **unused)
{
	struct make m;

	(void)unused;
	two_frames(&m);
	landed(&m, "01:00.0", 0);
	landed(&m, "02:00.0", 1);
	isolate(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "no");
	/* Without MSIs there are none to land. */
	landed(&m, "01:00.0", 1);
	m.state->functions[at(&m, "01:00.0")].msi_off = true;
	isolate(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "no");
	m.state->functions[at(&m, "01:00.0")].msi_off = false;
	m.state->functions[at(&m, "01:00.0")].absent = true;
	isolate(&m);
	assert_string_equal(RAISES(&m, "02:00.0", "01:00.0"), "no");
	make_free(&m);
}

/* Another client's, from an ITS to a frame; a supposition of another MSI parent takes it along. */
static void from_its(void **unused)
{
	const struct ward_supposition back = { WARD_SUPPOSE_MSI_PARENT, WARD_NONE, "controller0" };
	struct ward_supposition supposed = back;
	struct make m, other = { 0 };

	(void)unused;
	make_arm_its(&m);
	make_controller(&m, WARD_CONTROLLER_GICV2M, WARD_NO, 0x8020000, 0x1000);
	root_port(&m, "00:01.0", 1, ACS_ON)->msix = false;
	root_port(&m, "00:02.0", 2, ACS_ON)->msix = false;
	endpoint(&m, "01:00.0");
	endpoint(&m, "02:00.0")->controller = 1;
	owned(&m, "02:00.0", "a");
	make_done(&m);
	assert_verdict(judged(&m, WARD_POLICY_STRICT, NULL, "01:00.0"), WARD_SAFE,
		       WARD_GRADE_ISOLATED);
	landed(&m, "01:00.0", 1);
	isolate(&m);
	assert_verdict(judged(&m, WARD_POLICY_STRICT, NULL, "01:00.0"), WARD_UNSAFE,
		       WARD_GRADE_SHARED_WITH_OTHER);
	finding_in(m.verdict, "reached-by-other");
	assert_verdict(judged(&m, WARD_POLICY_STRICT, "a", "01:00.0"), WARD_SAFE,
		       WARD_GRADE_SHARED_WITH_OWN);
	supposed.function = at(&m, "01:00.0");
	assert_int_equal(ward_suppose(m.machine, m.state, &supposed, 1, &other.machine,
				      &other.state, NULL),
			 0);
	assert_int_equal(ward_isolation_create(other.machine, other.state, &other.isolation), 0);
	assert_string_equal(RAISES(&other, "01:00.0", "02:00.0"), "no");
	make_free(&other);
	make_free(&m);
}

/* At an ITS that is not its own what counts is the id that it comes with there. */
static void in_another_its(void **unused)
{
	struct make m;

	(void)unused;
	make_arm_its(&m);
	make_controller(&m, WARD_CONTROLLER_GICV3_ITS, WARD_YES, 0x80a0000, 0x20000);
	root_port(&m, "00:01.0", 1, ACS_ON);
	root_port(&m, "00:02.0", 2, ACS_ON);
	root_port(&m, "00:03.0", 3, ACS_ON);
	endpoint(&m, "01:00.0")->devid = ward_devid(0x77);
	endpoint(&m, "02:00.0")->controller = 1;
	endpoint(&m, "03:00.0")->controller = 1;
	m.functions[4].devid = ward_devid(0x77);
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "no");
	landed(&m, "01:00.0", 1);
	isolate(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	assert_string_equal(RAISES(&m, "02:00.0", "01:00.0"), "sure");
	assert_string_equal(RAISES(&m, "01:00.0", "03:00.0"), "no");
	assert_string_equal(RAISES(&m, "03:00.0", "01:00.0"), "no");
	make_free(&m);
}

/* x86: who is remapped how does not depend on where a vector is. */
static void on_x86(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	make_controller(&m, WARD_CONTROLLER_X86_APIC, WARD_NO, 0xfee00000, 0x100000);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	endpoint(&m, "01:00.0");
	make_done(&m);
	landed(&m, "01:00.0", 1);
	isolate(&m);
	assert_verdict(judged(&m, WARD_POLICY_STRICT, NULL, "01:00.0"), WARD_SAFE,
		       WARD_GRADE_ISOLATED);
	make_free(&m);
}

/* In a space with others the page is there for all of them. */
static void in_a_space(void **unused)
{
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = WARD_SPACE_UNMANAGED };
	struct ward_space *space;
	struct make m;

	(void)unused;
	two_frames(&m);
	m.state->functions[at(&m, "03:00.0")].msi_off = true;
	assert_int_equal(ward_space_create(&options, &space), 0);
	assert_int_equal(ward_state_keep(m.state, space), 0);
	assert_int_equal(ward_state_attach(m.state, at(&m, "01:00.0"), WARD_PASID_NONE, space), 0);
	assert_int_equal(ward_state_attach(m.state, at(&m, "03:00.0"), WARD_PASID_NONE, space), 0);
	isolate(&m);
	assert_string_equal(RAISES(&m, "03:00.0", "02:00.0"), "no");
	landed(&m, "01:00.0", 1);
	isolate(&m);
	assert_string_equal(RAISES(&m, "03:00.0", "02:00.0"), "sure");
	make_free(&m);
}

/* Vectors where one expects them change nothing, whatever the machine. */
static void at_home_changes_nothing(void **unused)
{
	static struct make m;

	(void)unused;
	for (uint64_t seed = 1; seed <= MACHINES; seed++) {
		struct ward_isolation *with;

		draw_machine(&m, seed);
		make_done(&m);
		for (uint32_t i = 0; i < m.machine->functions_count; i++) {
			if (m.machine->functions[i].controller != WARD_NONE)
				landed(&m, m.machine->functions[i].name,
				       m.machine->functions[i].controller);
		}
		assert_int_equal(ward_isolation_create(m.machine, m.state, &with), 0);
		for (uint32_t i = 0; i < m.machine->functions_count; i++)
			assert_int_equal(ward_partition_of(with, i),
					 ward_partition_of(m.isolation, i));
		ward_isolation_destroy(with);
		make_free(&m);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_another_frame),
		cmocka_unit_test(where_one_expects_it),
		cmocka_unit_test(from_its),
		cmocka_unit_test(in_another_its),
		cmocka_unit_test(on_x86),
		cmocka_unit_test(in_a_space),
		cmocka_unit_test(at_home_changes_nothing),
	};

	return cmocka_run_group_tests_name("isolate/landed", tests, NULL, NULL);
}

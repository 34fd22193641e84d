// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Each allocation fails once, in everything between the builder and a verdict. */
#include "isolate/make.h"

#include "sweep.h"

/* A bit of everything: a switch, VFs, aliases, frames, clients, unknown facts, regions, remarks. */
static void everything(struct make *m)
{
	make_arm_v2m(m, 4096, 2);
	make_controller(m, WARD_CONTROLLER_GICV3_ITS, WARD_YES, 0x8080000, 0x20000);
	root_port_to(m, "00:1c.0", 1, 5, ACS_OFF);
	upstream(m, "01:00.0", 2, 4);
	downstream(m, "02:00.0", 3, NO_ACS);
	downstream(m, "02:01.0", 4, ACS_UNKNOWN);
	endpoint(m, "03:00.0")->vendor = 0x1b4b;
	m->functions[m->count - 1].device = 0x9123;
	endpoint(m, "03:00.1")->ats_enabled = true;
	endpoint(m, "04:00.0")->stream.iommu = WARD_NONE;
	vf(m, "05:00.0", "04:00.0");
	root_port_to(m, "00:1d.0", 6, 7, ACS_ON);
	pcie_to_pci(m, "06:00.0", 7);
	conventional(m, "07:00.0")->resets = 0;
	conventional(m, "07:01.0");
	root_port(m, "00:1e.0", 8, ACS_ON);
	endpoint(m, "08:00.0")->controller = 2;
	root_port(m, "00:1f.0", 9, ACS_ON);
	endpoint(m, "09:00.0")->controller = 2;
	m->functions[m->count - 1].devid = m->functions[m->count - 3].devid;
	platform(m, "a9000000.dma");
	owned(m, "03:00.1", "a");
	owned(m, "08:00.0", "b");
	bound(m, "04:00.0", "nvme");
	bound(m, "07:01.0", "e100");
	bound(m, "00:1c.0", "pcieport");
	kernel_group(m, 4, "04:00.0", NULL);
	region(m, "03:00.0", WARD_REGION_DIRECT);
	region(m, "07:00.0", WARD_REGION_DIRECT_RELAXABLE);
	in_space(m, "04:00.0", WARD_SPACE_BLOCKED);
	in_space(m, "09:00.0", WARD_SPACE_IDENTITY);
	in_space_with(m, "07:00.0", "08:00.0");
	mmio_segment(m, 0xf0000000, 0xf00fffff, 3);
	m->remark = "table-broken";
}

static struct make m;

static int build(void *unused)
{
	struct ward_machine *machine = NULL;
	int err = make_machine(&m, &machine);

	(void)unused;
	assert_int_equal(err == 0, machine != NULL);
	ward_machine_destroy(machine);
	return err;
}

static int state(void *unused)
{
	struct ward_state *made = NULL;
	int err = make_state(&m, m.machine, &made);

	(void)unused;
	ward_state_destroy(made);
	return err;
}

static int isolation(void *unused)
{
	struct ward_isolation *made = NULL;
	int err = ward_isolation_create(m.machine, m.state, &made);

	(void)unused;
	assert_int_equal(err == 0, made != NULL);
	ward_isolation_destroy(made);
	return err;
}

static int predict(void *unused)
{
	struct ward_membership *members = NULL;
	int err = ward_groups_predict(m.machine, WARD_GROUP_RULE_LINUX_BUS, &members, NULL);

	(void)unused;
	free(members);
	return err;
}

static int reach(void *unused)
{
	uint32_t functions[2] = { at(&m, "03:00.0"), at(&m, "07:00.0") }, cursor = 0;
	struct ward_reached reached;
	struct ward_reach *made = NULL;
	int err = ward_reach_compute(m.isolation, functions, 2, &made);

	(void)unused;
	while (!err && ward_reach_next(made, &cursor, &reached)) {
		struct ward_step *steps = NULL;
		int count = ward_reach_path(made, reached.kind, reached.index, &steps);

		err = count < 0 ? count : 0;
		assert_int_equal(count < 0, steps == NULL);
		free(steps);
	}
	ward_reach_destroy(made);
	return err;
}

static int check_as(enum ward_policy policy, const struct ward_waiver *waiver)
{
	uint32_t functions[3] = { at(&m, "03:00.0"), at(&m, "07:00.0"), at(&m, "09:00.0") };
	struct ward_question question = {
		.size = sizeof(question),
		.functions = functions,
		.functions_count = 3,
		.client = WARD_NONE,
		.policy = policy,
		.waivers = waiver,
		.waivers_count = waiver ? 1 : 0,
	};
	struct ward_verdict *verdict = NULL;
	int err = ward_check(m.isolation, m.state, &question, &verdict);

	assert_int_equal(err == 0, verdict != NULL);
	ward_verdict_destroy(verdict);
	return err;
}

static int check(void *unused)
{
	struct ward_waiver waiver = { .code = "peer-dma" };
	int err = check_as(WARD_POLICY_STRICT, NULL);

	(void)unused;
	return err ? err : check_as(WARD_POLICY_LINUX, &waiver);
}

static int check_all(void *unused)
{
	struct ward_summary *summaries = NULL;
	int err = ward_check_all(m.isolation, m.state, WARD_POLICY_STRICT, &summaries);

	(void)unused;
	free(summaries);
	return err;
}

static int suppose(void *unused)
{
	const struct ward_supposition what[] = {
		{ WARD_SUPPOSE_OWNER, at(&m, "04:00.0"), "c" },
		{ WARD_SUPPOSE_DRIVER, at(&m, "07:01.0"), "vfio-pci" },
		{ WARD_SUPPOSE_ACS, at(&m, "02:00.0"), NULL },
		{ WARD_SUPPOSE_IOMMU, WARD_NONE, NULL },
		{ WARD_SUPPOSE_MSI_PARENT, at(&m, "03:00.0"), "controller2" },
	};
	struct ward_machine *machine = NULL;
	struct ward_state *copy = NULL;
	int err = ward_suppose(m.machine, m.state, what, 5, &machine, &copy, NULL);

	(void)unused;
	assert_int_equal(err == 0, machine != NULL);
	ward_state_destroy(copy);
	ward_machine_destroy(machine);
	return err;
}

#define SWEEP(name)                                      \
	static void sweep_##name(void **unused)          \
	{                                                \
		(void)unused;                            \
		assert_true(test_sweep(name, NULL) > 0); \
	}

SWEEP(build)
SWEEP(state)
SWEEP(isolation)
SWEEP(predict)
SWEEP(reach)
SWEEP(check)
SWEEP(check_all)
SWEEP(suppose)

static int set_up(void **unused)
{
	(void)unused;
	everything(&m);
	make_done(&m);
	assert_int_equal(ward_state_add_vector(m.state,
					       &(struct ward_host_vector){ .irq = 30,
									   .function = 0,
									   .controller = 0,
									   .chip = "GICv2m" }),
			 0);
	/* One that landed at another controller, one that is not there, one that is frozen. */
	assert_int_equal(ward_state_add_vector(
				 m.state, &(struct ward_host_vector){ .irq = 31,
								      .function = at(&m, "08:00.0"),
								      .controller = 0 }),
			 0);
	m.state->functions[at(&m, "05:00.0")].absent = true;
	m.state->functions[at(&m, "07:01.0")].frozen = true;
	ward_isolation_destroy(m.isolation);
	assert_int_equal(ward_isolation_create(m.machine, m.state, &m.isolation), 0);
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	make_free(&m);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sweep_build),	   cmocka_unit_test(sweep_state),
		cmocka_unit_test(sweep_isolation), cmocka_unit_test(sweep_predict),
		cmocka_unit_test(sweep_reach),	   cmocka_unit_test(sweep_check),
		cmocka_unit_test(sweep_check_all), cmocka_unit_test(sweep_suppose),
	};

	return cmocka_run_group_tests_name("isolate/sweep", tests, set_up, tear_down);
}

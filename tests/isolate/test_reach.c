// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What a function reaches, by which path, and how sure that is. */
#include "isolate/reach_how.h"

static void a_switch(struct make *m, enum make_acs first, enum make_acs second)
{
	make_x86(m);
	root_port_to(m, "00:1c.0", 1, 4, ACS_ON);
	upstream(m, "01:00.0", 2, 4);
	downstream(m, "02:00.0", 3, first);
	downstream(m, "02:01.0", 4, second);
	endpoint(m, "03:00.0");
	endpoint(m, "04:00.0");
}

static void nothing_but_itself(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	root_port(&m, "00:1d.0", 2, ACS_ON);
	endpoint(&m, "01:00.0");
	endpoint(&m, "02:00.0");
	make_done(&m);
	assert_string_equal(HAS(&m, "01:00.0", "02:00.0"), "no");
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "no");
	assert_string_equal(MEMORY(&m, "01:00.0"), "no");
	assert_string_equal(HOST_VECTORS(&m, "01:00.0"), "no");
	make_free(&m);
}

static void switch_ports(void **unused)
{
	struct make m;

	(void)unused;
	a_switch(&m, ACS_ON, ACS_ON);
	make_done(&m);
	assert_string_equal(HAS(&m, "03:00.0", "04:00.0"), "no");
	make_free(&m);

	/* The port on the way in decides, not the one on the way out. */
	a_switch(&m, NO_ACS, ACS_ON);
	make_done(&m);
	assert_string_equal(HAS(&m, "03:00.0", "04:00.0"), "sure");
	assert_string_equal(HAS(&m, "04:00.0", "03:00.0"), "no");
	make_free(&m);

	a_switch(&m, ACS_OFF, ACS_ON);
	make_done(&m);
	assert_string_equal(HAS(&m, "03:00.0", "04:00.0"), "sure");
	make_free(&m);

	a_switch(&m, ACS_UNKNOWN, ACS_ON);
	make_done(&m);
	assert_string_equal(HAS(&m, "03:00.0", "04:00.0"), "unknown");
	assert_string_equal(HAS(&m, "04:00.0", "03:00.0"), "no");
	make_free(&m);
}

/* A target without memory BARs cannot be addressed. */
static void no_bar_no_target(void **unused)
{
	struct make m;

	(void)unused;
	a_switch(&m, NO_ACS, NO_ACS);
	m.functions[5].bar[0].range = WARD_RANGE_EMPTY;
	make_done(&m);
	assert_string_equal(HAS(&m, "03:00.0", "04:00.0"), "no");
	assert_string_equal(HAS(&m, "04:00.0", "03:00.0"), "sure");
	make_free(&m);

	a_switch(&m, NO_ACS, NO_ACS);
	m.functions[5].bar[0].io = true;
	make_done(&m);
	assert_string_equal(HAS(&m, "03:00.0", "04:00.0"), "no");
	make_free(&m);
}

/* Registers of the ports themselves. */
static void bridge_registers(void **unused)
{
	static const struct ward_range bar = { 0x30000000, 0x30000fff };
	struct make m;

	(void)unused;
	a_switch(&m, NO_ACS, ACS_ON);
	m.functions[0].bar[0].range = bar;
	m.functions[1].bar[0].range = bar;
	m.functions[2].bar[0].range = bar;
	make_done(&m);
	assert_string_equal(HAS(&m, "03:00.0", "01:00.0"), "sure");
	assert_string_equal(HAS(&m, "03:00.0", "02:00.0"), "sure");
	assert_string_equal(HAS(&m, "04:00.0", "01:00.0"), "no");
	/* The root port redirects. */
	assert_string_equal(HAS(&m, "03:00.0", "00:1c.0"), "no");
	make_free(&m);

	make_x86(&m);
	root_port(&m, "00:1c.0", 1, NO_ACS)->bar[0].range = bar;
	endpoint(&m, "01:00.0");
	make_done(&m);
	assert_string_equal(HAS(&m, "01:00.0", "00:1c.0"), "assumed");
	make_free(&m);
}

static void egress_control(void **unused)
{
	struct make m;

	(void)unused;
	/* Without redirection, and with every port but 1 forbidden: port 1 is where it may go. */
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 5, ACS_ON);
	upstream(&m, "01:00.0", 2, 5);
	downstream(&m, "02:00.0", 3, ACS_OFF);
	downstream(&m, "02:01.0", 4, ACS_ON);
	downstream(&m, "02:02.0", 5, ACS_ON);
	endpoint(&m, "03:00.0");
	endpoint(&m, "04:00.0");
	endpoint(&m, "05:00.0");
	m.functions[2].acs.capability |= WARD_ACS_EC;
	m.functions[2].acs.control = WARD_ACS_EC | WARD_ACS_UF;
	m.functions[2].acs.egress[0] = 1u << 0 | 1u << 2;
	make_done(&m);
	assert_string_equal(HAS(&m, "03:00.0", "04:00.0"), "sure");
	assert_string_equal(HAS(&m, "03:00.0", "05:00.0"), "no");
	assert_string_equal(HAS(&m, "04:00.0", "05:00.0"), "no");
	make_free(&m);
	/* Together with redirection: what the vector allows is still routed directly. */
	m.functions[2].acs.control |= WARD_ACS_ISOLATED;
	make_done(&m);
	assert_string_not_equal(HAS(&m, "03:00.0", "04:00.0"), "no");
	assert_string_equal(HAS(&m, "03:00.0", "05:00.0"), "no");
	make_free(&m);
	/* A vector that is not switched on forbids nothing. */
	m.functions[2].acs.control = 0;
	make_done(&m);
	assert_string_equal(HAS(&m, "03:00.0", "05:00.0"), "sure");
	make_free(&m);
}

static void nested_switches(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 7, ACS_ON);
	upstream(&m, "01:00.0", 2, 7);
	downstream(&m, "02:00.0", 3, NO_ACS)->bridge.subordinate = 6;
	downstream(&m, "02:01.0", 7, ACS_ON);
	upstream(&m, "03:00.0", 4, 6);
	downstream(&m, "04:00.0", 5, ACS_ON);
	downstream(&m, "04:01.0", 6, ACS_ON);
	endpoint(&m, "05:00.0");
	endpoint(&m, "06:00.0");
	endpoint(&m, "07:00.0");
	make_done(&m);
	/* Redirected by the inner switch, then routed to the outer one's other port. */
	assert_string_equal(HAS(&m, "05:00.0", "07:00.0"), "sure");
	assert_string_equal(HAS(&m, "07:00.0", "05:00.0"), "no");
	/* And back down into the inner one: nothing asks for upstream forwarding there. */
	assert_string_not_equal(HAS(&m, "05:00.0", "06:00.0"), "no");
	make_free(&m);
}

static void upstream_forwarding(void **unused)
{
	struct make m;

	(void)unused;
	/* Two functions that redirect, below a port that sends their requests back down. */
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON)->acs.control &= (uint16_t)~WARD_ACS_UF;
	function(&m, "01:00.0", WARD_PCIE_ENDPOINT, ACS_ON);
	function(&m, "01:00.1", WARD_PCIE_ENDPOINT, ACS_ON);
	make_done(&m);
	assert_string_equal(HAS(&m, "01:00.0", "01:00.1"), "assumed");
	make_free(&m);
	make_set_acs(&m.functions[0], ACS_ON);
	make_done(&m);
	assert_string_equal(HAS(&m, "01:00.0", "01:00.1"), "no");
	make_free(&m);
}

static void multifunction(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	function(&m, "01:00.0", WARD_PCIE_ENDPOINT, NO_ACS);
	function(&m, "01:00.1", WARD_PCIE_ENDPOINT, ACS_ON);
	function(&m, "01:00.2", WARD_PCIE_ENDPOINT, ACS_UNKNOWN);
	make_done(&m);
	assert_string_equal(HAS(&m, "01:00.0", "01:00.1"), "assumed");
	assert_string_equal(HAS(&m, "01:00.1", "01:00.0"), "no");
	assert_string_equal(HAS(&m, "01:00.2", "01:00.0"), "unknown");
	make_free(&m);
}

/* With ARI one device has up to 256 functions: slots are no longer devices. */
static void ari_device(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON)->ari_forwarding = true;
	endpoint(&m, "01:00.0")->multifunction = true;
	endpoint(&m, "01:01.0");
	make_done(&m);
	assert_string_equal(HAS(&m, "01:00.0", "01:01.0"), "assumed");
	assert_string_equal(HAS(&m, "01:01.0", "01:00.0"), "assumed");
	make_free(&m);
}

static void root_ports_of_one_device(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, NO_ACS);
	root_port(&m, "00:1c.1", 2, ACS_ON);
	root_port(&m, "00:1d.0", 3, NO_ACS);
	endpoint(&m, "01:00.0");
	endpoint(&m, "02:00.0");
	endpoint(&m, "03:00.0");
	make_done(&m);
	assert_string_equal(HAS(&m, "01:00.0", "02:00.0"), "assumed");
	assert_string_equal(HAS(&m, "02:00.0", "01:00.0"), "no");
	assert_string_equal(HAS(&m, "01:00.0", "03:00.0"), "no");
	make_free(&m);
}

static void behind_a_converter(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 2, ACS_ON);
	pcie_to_pci(&m, "01:00.0", 2);
	conventional(&m, "02:00.0");
	conventional(&m, "02:01.0")->bar[0].range = WARD_RANGE_EMPTY;
	make_done(&m);
	/* By the bus they share, and by the id they share, BARs or not. */
	assert_string_equal(HAS(&m, "02:01.0", "02:00.0"), "sure");
	assert_string_equal(HAS(&m, "02:00.0", "02:01.0"), "sure");
	/* The bridge uses an id of its own. */
	assert_string_equal(HAS(&m, "02:00.0", "01:00.0"), "no");
	make_free(&m);
	/* One that leaves ids alone: the bus is what they still share. */
	m.functions[1].vendor = 0x1a03;
	m.functions[1].device = 0x1150;
	make_done(&m);
	assert_string_equal(HAS(&m, "02:01.0", "02:00.0"), "sure");
	assert_string_equal(HAS(&m, "02:00.0", "02:01.0"), "no");
	make_free(&m);
}

static void behind_a_conventional_bridge(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	pci_bridge(&m, "00:1e.0", 1);
	conventional(&m, "01:00.0");
	conventional(&m, "01:01.0");
	conventional(&m, "00:02.0");
	make_done(&m);
	assert_string_equal(HAS(&m, "01:00.0", "01:01.0"), "sure");
	/* It puts its own id on what it forwards. */
	assert_string_equal(HAS(&m, "01:00.0", "00:1e.0"), "sure");
	assert_string_equal(HAS(&m, "01:00.0", "00:02.0"), "no");
	make_free(&m);
}

static void behind_an_unreadable_bridge(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 2, ACS_ON);
	unreadable(pcie_to_pci(&m, "01:00.0", 2));
	endpoint(&m, "02:00.0");
	endpoint(&m, "02:01.0")->bar[0].range = WARD_RANGE_EMPTY;
	make_done(&m);
	assert_string_equal(HAS(&m, "02:01.0", "02:00.0"), "unknown");
	/* Without a BAR the id that they may share is the only tie. */
	assert_string_equal(HAS(&m, "02:00.0", "02:01.0"), "unknown");
	make_free(&m);
}

static void shared_ids(void **unused)
{
	struct make m;

	(void)unused;
	/* Both redirect, but one uses the other's requester id: either has both. */
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	function(&m, "01:00.0", WARD_PCIE_ENDPOINT, ACS_ON)->vendor = 0x1b4b;
	m.functions[1].device = 0x9123;
	function(&m, "01:00.1", WARD_PCIE_ENDPOINT, ACS_ON);
	function(&m, "01:00.2", WARD_PCIE_ENDPOINT, ACS_ON);
	make_done(&m);
	assert_string_equal(HAS(&m, "01:00.0", "01:00.1"), "sure");
	assert_string_equal(HAS(&m, "01:00.1", "01:00.0"), "sure");
	assert_string_equal(HAS(&m, "01:00.0", "01:00.2"), "no");
	make_free(&m);

	/* Which ids a Switchtec NTB uses stands in its registers. */
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 2, ACS_ON);
	upstream(&m, "01:00.0", 2, 2);
	endpoint(&m, "02:00.0")->vendor = 0x11f8;
	m.functions[2].device = 0x8531;
	m.functions[2].class_code = 0x068000;
	endpoint(&m, "02:01.0");
	make_done(&m);
	assert_string_equal(HAS(&m, "02:00.0", "02:01.0"), "unknown");
	make_free(&m);
}

static void virtual_functions(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 2, ACS_ON);
	endpoint(&m, "01:00.0");
	vf(&m, "01:00.4", "01:00.0");
	vf(&m, "02:00.0", "01:00.0");
	make_done(&m);
	assert_string_equal(HAS(&m, "01:00.0", "01:00.4"), "sure");
	assert_string_equal(HAS(&m, "01:00.0", "02:00.0"), "sure");
	assert_string_equal(HAS(&m, "01:00.4", "01:00.0"), "no");
	assert_string_equal(HAS(&m, "01:00.4", "02:00.0"), "no");
	make_free(&m);
}

/* VFs on a bus number of their own are addressed through the bridge above their PF. */
static void virtual_bus(void **unused)
{
	struct make m;

	(void)unused;
	a_switch(&m, NO_ACS, ACS_ON);
	m.functions[3].bridge.subordinate = 5;
	m.functions[5].bar[0].range = WARD_RANGE_EMPTY;
	vf(&m, "05:00.0", "04:00.0");
	make_done(&m);
	assert_string_equal(HAS(&m, "03:00.0", "04:00.0"), "no");
	assert_string_equal(HAS(&m, "03:00.0", "05:00.0"), "sure");
	make_free(&m);
}

static void backdoors(void **unused)
{
	struct make m;

	(void)unused;
	/* A graphics card whose BAR holds the config space of its audio function. */
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	function(&m, "01:00.0", WARD_PCIE_ENDPOINT, ACS_ON)->vendor = 0x10de;
	m.functions[1].device = 0x0a30;
	m.functions[1].class_code = 0x030000;
	function(&m, "01:00.1", WARD_PCIE_ENDPOINT, ACS_ON)->bar[0].range = WARD_RANGE_EMPTY;
	make_done(&m);
	assert_string_equal(HAS(&m, "01:00.0", "01:00.1"), "sure");
	assert_string_equal(HAS(&m, "01:00.1", "01:00.0"), "no");
	make_free(&m);
	/* Later models: nobody says that they do not. */
	m.functions[1].device = 0x2204;
	make_done(&m);
	assert_string_equal(HAS(&m, "01:00.0", "01:00.1"), "assumed");
	make_free(&m);
	/* The registers of a switch reach what is behind it. */
	a_switch(&m, ACS_ON, ACS_ON);
	m.functions[1].vendor = 0x10b5;
	m.functions[1].device = 0x8747;
	make_done(&m);
	assert_string_equal(HAS(&m, "01:00.0", "02:01.0"), "assumed");
	make_free(&m);
}

static void no_iommu(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	endpoint(&m, "01:00.0")->stream.iommu = WARD_NONE;
	make_done(&m);
	assert_string_equal(MEMORY(&m, "01:00.0"), "sure");
	make_free(&m);
	m.functions[1].iommu_known = WARD_UNKNOWN;
	make_done(&m);
	assert_string_equal(MEMORY(&m, "01:00.0"), "unknown");
	make_free(&m);
	/* One that firmware describes and the kernel does not use translates nothing. */
	m.functions[1].iommu_known = WARD_YES;
	m.functions[1].stream.iommu = 0;
	m.iommus[0].active = WARD_NO;
	make_done(&m);
	assert_string_equal(MEMORY(&m, "01:00.0"), "sure");
	make_free(&m);
	m.iommus[0].active = WARD_UNKNOWN;
	make_done(&m);
	assert_string_equal(MEMORY(&m, "01:00.0"), "unknown");
	make_free(&m);
}

static void address_translation_services(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	endpoint(&m, "01:00.0")->ats = WARD_YES;
	make_done(&m);
	assert_string_equal(MEMORY(&m, "01:00.0"), "no");
	make_free(&m);
	m.functions[1].ats_enabled = true;
	make_done(&m);
	assert_string_equal(MEMORY(&m, "01:00.0"), "assumed");
	make_free(&m);
	/* Linux switches it on by itself, so what could not be read may be on. */
	m.functions[1].ats_enabled = false;
	m.functions[1].ats = WARD_UNKNOWN;
	make_done(&m);
	assert_string_equal(MEMORY(&m, "01:00.0"), "unknown");
	make_free(&m);
	/* ... but not at an IOMMU that answers no such requests. */
	m.iommus[0].ats = WARD_NO;
	make_done(&m);
	assert_string_equal(MEMORY(&m, "01:00.0"), "no");
	make_free(&m);
}

/* A sure path of many steps is told rather than a short one that is assumed. */
static void sure_before_short(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 2, ACS_ON);
	pcie_to_pci(&m, "01:00.0", 2);
	/* One slot: assumed at once, sure by the bus. */
	conventional(&m, "02:00.0");
	conventional(&m, "02:00.1");
	make_done(&m);
	assert_string_equal(HAS(&m, "02:00.0", "02:00.1"), "sure");
	make_free(&m);
	/* One slot, and unreadable: unknown at once, assumed by way of the port above. */
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, NO_ACS);
	function(&m, "01:00.0", WARD_PCIE_ENDPOINT, ACS_UNKNOWN);
	function(&m, "01:00.1", WARD_PCIE_ENDPOINT, ACS_UNKNOWN);
	make_done(&m);
	assert_string_equal(HAS(&m, "01:00.0", "01:00.1"), "assumed");
	make_free(&m);
}

static void questions_that_are_wrong(void **unused)
{
	struct ward_step *steps = NULL;
	struct ward_reach *reach = NULL;
	uint32_t start;
	struct make m;

	(void)unused;
	v2m(&m, 4096, 1);
	make_done(&m);
	start = m.machine->functions_count;
	assert_int_equal(ward_reach_compute(m.isolation, &start, 1, &reach), -EINVAL);
	assert_null(reach);
	start = at(&m, "01:00.0");
	assert_int_equal(ward_reach_compute(m.isolation, &start, 1, &reach), 0);
	assert_int_equal(ward_reach_path(reach, WARD_NODE_FUNCTION, at(&m, "02:00.0"), &steps),
			 -ENOENT);
	/* Indexes that name nothing do not run into another kind of node. */
	for (unsigned int kind = 0; kind <= WARD_NODE_MEMORY + 1; kind++) {
		for (uint32_t index = 4; index < 40; index++)
			assert_int_equal(ward_reach_path(reach, (enum ward_node_kind)kind, index,
							 &steps),
					 -ENOENT);
		assert_int_equal(ward_reach_path(reach, (enum ward_node_kind)kind, WARD_NONE,
						 &steps),
				 -ENOENT);
	}
	assert_null(steps);
	ward_reach_destroy(reach);
	ward_reach_destroy(NULL);
	make_free(&m);
}

static void several_starts(void **unused)
{
	struct ward_reached reached;
	struct ward_reach *reach;
	uint32_t starts[2], cursor = 0, found = 0;
	struct make m;

	(void)unused;
	v2m(&m, 4096, 1);
	make_done(&m);
	starts[0] = at(&m, "01:00.0");
	starts[1] = at(&m, "02:00.0");
	assert_int_equal(ward_reach_compute(m.isolation, starts, 2, &reach), 0);
	while (ward_reach_next(reach, &cursor, &reached)) {
		struct ward_step *steps;
		int count;

		if (reached.kind != WARD_NODE_VECTOR_USER)
			continue;
		count = ward_reach_path(reach, reached.kind, reached.index, &steps);
		assert_true(count > 0);
		assert_true(steps[0].index == starts[0] || steps[0].index == starts[1]);
		free(steps);
		found++;
	}
	assert_int_equal(found, 4);
	ward_reach_destroy(reach);
	make_free(&m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_but_itself),
		cmocka_unit_test(switch_ports),
		cmocka_unit_test(no_bar_no_target),
		cmocka_unit_test(bridge_registers),
		cmocka_unit_test(egress_control),
		cmocka_unit_test(nested_switches),
		cmocka_unit_test(upstream_forwarding),
		cmocka_unit_test(multifunction),
		cmocka_unit_test(ari_device),
		cmocka_unit_test(root_ports_of_one_device),
		cmocka_unit_test(behind_a_converter),
		cmocka_unit_test(behind_a_conventional_bridge),
		cmocka_unit_test(behind_an_unreadable_bridge),
		cmocka_unit_test(shared_ids),
		cmocka_unit_test(virtual_functions),
		cmocka_unit_test(virtual_bus),
		cmocka_unit_test(backdoors),
		cmocka_unit_test(no_iommu),
		cmocka_unit_test(address_translation_services),
		cmocka_unit_test(sure_before_short),
		cmocka_unit_test(questions_that_are_wrong),
		cmocka_unit_test(several_starts),
	};

	return cmocka_run_group_tests_name("isolate/reach", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Predicted groups. Rows of Linux's rule: drivers/iommu/iommu.c (pci_device_group), drivers/pci
 * (aliases, ACS, quirks), as of 6.12 and 7.1; rows of the bus model: "Fix incorrect iommu_groups
 * with PCIe ACS", v3, September 2025.
 */
#include "isolate/make.h"

/* Groups in words: members by spaces, groups by " | ", in the order of their first members. */
static void groups_text(const struct ward_machine *machine, const struct ward_membership *members,
			size_t size, char *text)
{
	size_t used = 0;

	text[0] = '\0';
	for (uint32_t i = 0; i < machine->functions_count; i++) {
		bool first = true;

		for (uint32_t j = 0; j < i; j++)
			first &= members[j].group != members[i].group ||
				 members[i].group == WARD_NONE;
		if (!first)
			continue;
		used += (size_t)snprintf(text + used, size - used, "%s", used ? " | " : "");
		for (uint32_t j = i; j < machine->functions_count; j++) {
			if (j != i &&
			    (members[j].group != members[i].group || members[i].group == WARD_NONE))
				continue;
			used += (size_t)snprintf(text + used, size - used, "%s%s%s",
						 j == i ? "" : " ", machine->functions[j].name + 5,
						 members[j].group == WARD_NONE ? "-" : "");
		}
	}
}

static void expect(struct make *m, enum ward_group_rule rule, const char *want)
{
	struct ward_membership *members;
	struct ward_machine *machine;
	char got[1024];
	uint32_t count, most = 0;

	assert_int_equal(make_machine(m, &machine), 0);
	assert_int_equal(ward_groups_predict(machine, rule, &members, &count), 0);
	groups_text(machine, members, sizeof(got), got);
	assert_string_equal(got, want);
	for (uint32_t i = 0; i < machine->functions_count; i++) {
		if (members[i].group == WARD_NONE) {
			assert_int_equal(members[i].cause, WARD_CAUSE_NO_IOMMU);
			continue;
		}
		most = members[i].group + 1 > most ? members[i].group + 1 : most;
		assert_int_equal(members[i].via == WARD_NONE, members[i].cause == WARD_CAUSE_OWN);
		if (members[i].via != WARD_NONE)
			assert_int_equal(members[members[i].via].group, members[i].group);
	}
	assert_int_equal(count, most);
	free(members);
	ward_machine_destroy(machine);
}

#define LINUX_RULE(m, want) expect(m, WARD_GROUP_RULE_LINUX, want)
#define BUS_RULE(m, want) expect(m, WARD_GROUP_RULE_LINUX_BUS, want)

static void port_with_acs(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	endpoint(&m, "01:00.0");
	LINUX_RULE(&m, "00:1c.0 | 01:00.0");
	BUS_RULE(&m, "00:1c.0 | 01:00.0");
}

static void port_without_acs(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, NO_ACS);
	endpoint(&m, "01:00.0");
	LINUX_RULE(&m, "00:1c.0 01:00.0");
	/* The bus model trusts a root port that has no capability at all. */
	BUS_RULE(&m, "00:1c.0 | 01:00.0");
}

static void port_with_acs_off(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_OFF);
	endpoint(&m, "01:00.0");
	LINUX_RULE(&m, "00:1c.0 01:00.0");
	BUS_RULE(&m, "00:1c.0 01:00.0");
}

/* A bit that is not offered counts as wired on; one that is offered and off does not. */
static void port_with_few_bits(void **unused)
{
	struct make m;
	struct ward_function *port;

	(void)unused;
	make_x86(&m);
	port = root_port(&m, "00:1c.0", 1, ACS_ON);
	port->acs.capability = port->acs.control = WARD_ACS_SV;
	endpoint(&m, "01:00.0");
	LINUX_RULE(&m, "00:1c.0 | 01:00.0");
	m.functions[0].acs.capability = WARD_ACS_SV | WARD_ACS_CR;
	LINUX_RULE(&m, "00:1c.0 01:00.0");
}

static void unreadable_port(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_UNKNOWN);
	endpoint(&m, "01:00.0");
	LINUX_RULE(&m, "00:1c.0 01:00.0");
}

static void many_ports(struct make *m, enum make_acs acs)
{
	make_x86(m);
	root_port(m, "00:1c.0", 1, acs);
	root_port(m, "00:1c.1", 2, acs);
	root_port(m, "00:1c.2", 3, acs);
	root_port(m, "00:1c.3", 4, acs);
	endpoint(m, "01:00.0");
	endpoint(m, "02:00.0");
	endpoint(m, "04:00.0");
}

static void multifunction_ports(void **unused)
{
	static const char together[] = "00:1c.0 00:1c.1 00:1c.2 00:1c.3 01:00.0 02:00.0 04:00.0";
	static const char apart[] =
		"00:1c.0 | 00:1c.1 | 00:1c.2 | 00:1c.3 | 01:00.0 | 02:00.0 | 04:00.0";
	struct make m;

	(void)unused;
	many_ports(&m, NO_ACS);
	LINUX_RULE(&m, together);
	BUS_RULE(&m, apart);
	many_ports(&m, ACS_OFF);
	LINUX_RULE(&m, together);
	many_ports(&m, ACS_ON);
	LINUX_RULE(&m, apart);
	BUS_RULE(&m, apart);
	/* Ampere's ports have no capability, and are known to keep apart all the same. */
	many_ports(&m, NO_ACS);
	for (uint32_t i = 0; i < 4; i++) {
		m.functions[i].vendor = 0x1def;
		m.functions[i].device = 0xe005;
	}
	LINUX_RULE(&m, apart);
	/* Those of Zhaoxin that are not known are known not to. */
	many_ports(&m, ACS_ON);
	for (uint32_t i = 0; i < 4; i++) {
		m.functions[i].vendor = 0x1d17;
		m.functions[i].device = 0x0001;
	}
	LINUX_RULE(&m, together);
}

/* Functions that have ACS are left out of a merge, even when their siblings lack it. */
static void ports_of_two_kinds(void **unused)
{
	struct make m;

	(void)unused;
	many_ports(&m, NO_ACS);
	make_set_acs(&m.functions[1], ACS_ON);
	LINUX_RULE(&m, "00:1c.0 00:1c.2 00:1c.3 01:00.0 04:00.0 | 00:1c.1 | 02:00.0");
}

static void intel_chipset_port(void **unused)
{
	struct make m;

	(void)unused;
	many_ports(&m, NO_ACS);
	for (uint32_t i = 0; i < 4; i++) {
		m.functions[i].vendor = 0x8086;
		m.functions[i].device = 0x8c10;
	}
	/* Whether the kernel's work-around took is not known: taken as no. */
	LINUX_RULE(&m, "00:1c.0 00:1c.1 00:1c.2 00:1c.3 01:00.0 02:00.0 04:00.0");
}

static void two_functions(struct make *m, enum make_acs acs)
{
	make_x86(m);
	root_port(m, "00:1c.0", 1, ACS_ON);
	function(m, "01:00.0", WARD_PCIE_ENDPOINT, acs);
	function(m, "01:00.1", WARD_PCIE_ENDPOINT, acs);
}

static void multifunction_endpoint(void **unused)
{
	struct make m;

	(void)unused;
	two_functions(&m, NO_ACS);
	LINUX_RULE(&m, "00:1c.0 | 01:00.0 01:00.1");
	BUS_RULE(&m, "00:1c.0 | 01:00.0 | 01:00.1");
	two_functions(&m, ACS_EMPTY);
	LINUX_RULE(&m, "00:1c.0 | 01:00.0 | 01:00.1");
	two_functions(&m, ACS_OFF);
	LINUX_RULE(&m, "00:1c.0 | 01:00.0 01:00.1");
	BUS_RULE(&m, "00:1c.0 | 01:00.0 01:00.1");
	two_functions(&m, ACS_ON);
	LINUX_RULE(&m, "00:1c.0 | 01:00.0 | 01:00.1");
	BUS_RULE(&m, "00:1c.0 | 01:00.0 | 01:00.1");
	/* Intel I350: no capability, and its maker says that its ports do not talk. */
	two_functions(&m, NO_ACS);
	for (uint32_t i = 1; i < 3; i++) {
		m.functions[i].vendor = 0x8086;
		m.functions[i].device = 0x1521;
	}
	LINUX_RULE(&m, "00:1c.0 | 01:00.0 | 01:00.1");
	/* Wangxun cards but those listed are never taken to isolate, whatever they claim. */
	two_functions(&m, ACS_ON);
	for (uint32_t i = 1; i < 3; i++)
		m.functions[i].vendor = 0x8088;
	LINUX_RULE(&m, "00:1c.0 | 01:00.0 01:00.1");
}

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

static void switches(void **unused)
{
	struct make m;

	(void)unused;
	a_switch(&m, ACS_ON, ACS_ON);
	LINUX_RULE(&m, "00:1c.0 | 01:00.0 | 02:00.0 | 02:01.0 | 03:00.0 | 04:00.0");
	BUS_RULE(&m, "00:1c.0 | 01:00.0 | 02:00.0 | 02:01.0 | 03:00.0 | 04:00.0");
	/* The hole: ports without ACS on devices of their own get groups of their own. */
	a_switch(&m, NO_ACS, NO_ACS);
	LINUX_RULE(&m, "00:1c.0 | 01:00.0 | 02:00.0 03:00.0 | 02:01.0 04:00.0");
	BUS_RULE(&m, "00:1c.0 | 01:00.0 | 02:00.0 02:01.0 03:00.0 04:00.0");
	/* One bad port spoils the whole bus by the model, its own side only by today's rule. */
	a_switch(&m, ACS_ON, NO_ACS);
	LINUX_RULE(&m, "00:1c.0 | 01:00.0 | 02:00.0 | 02:01.0 04:00.0 | 03:00.0");
	BUS_RULE(&m, "00:1c.0 | 01:00.0 | 02:00.0 02:01.0 03:00.0 04:00.0");
}

static void switch_of_one_device(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 4, ACS_ON);
	upstream(&m, "01:00.0", 2, 4);
	downstream(&m, "02:00.0", 3, NO_ACS);
	downstream(&m, "02:00.1", 4, NO_ACS);
	endpoint(&m, "03:00.0");
	endpoint(&m, "04:00.0");
	LINUX_RULE(&m, "00:1c.0 | 01:00.0 | 02:00.0 02:00.1 03:00.0 04:00.0");
}

static void switch_with_foreign_member(void **unused)
{
	struct make m;

	(void)unused;
	a_switch(&m, ACS_ON, ACS_ON);
	endpoint(&m, "02:02.0");
	BUS_RULE(&m, "00:1c.0 | 01:00.0 02:00.0 02:01.0 02:02.0 03:00.0 04:00.0");
}

static void port_above_switch_without_acs(void **unused)
{
	struct make m;

	(void)unused;
	a_switch(&m, ACS_ON, ACS_ON);
	make_set_acs(&m.functions[0], NO_ACS);
	LINUX_RULE(&m, "00:1c.0 01:00.0 02:00.0 02:01.0 03:00.0 04:00.0");
}

static void nested_switch(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 6, ACS_ON);
	upstream(&m, "01:00.0", 2, 6);
	downstream(&m, "02:00.0", 3, NO_ACS)->bridge.subordinate = 6;
	upstream(&m, "03:00.0", 4, 6);
	downstream(&m, "04:00.0", 5, ACS_ON);
	downstream(&m, "04:01.0", 6, ACS_ON);
	endpoint(&m, "05:00.0");
	endpoint(&m, "06:00.0");
	/* All that is below the first port that lacks it climbs up to there. */
	LINUX_RULE(&m, "00:1c.0 | 01:00.0 | 02:00.0 03:00.0 04:00.0 04:01.0 05:00.0 06:00.0");
}

static void converters(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 2, ACS_ON);
	pcie_to_pci(&m, "01:00.0", 2);
	conventional(&m, "02:00.0");
	conventional(&m, "02:01.0");
	LINUX_RULE(&m, "00:1c.0 | 01:00.0 02:00.0 02:01.0");
	/* The model leaves the bridge out where it has no registers to touch. */
	BUS_RULE(&m, "00:1c.0 | 01:00.0 | 02:00.0 02:01.0");
	m.functions[1].bar[0].range = (struct ward_range){ 0x20000000, 0x20000fff };
	BUS_RULE(&m, "00:1c.0 | 01:00.0 02:00.0 02:01.0");
}

static void conventional_bridges(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	pci_bridge(&m, "00:1e.0", 1);
	conventional(&m, "01:00.0");
	conventional(&m, "01:01.0");
	LINUX_RULE(&m, "00:1e.0 01:00.0 01:01.0");
	BUS_RULE(&m, "00:1e.0 01:00.0 01:01.0");
}

static void pci_to_pcie_bridge(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	bridge(&m, "00:1e.0", WARD_PCI_TO_PCIE, 1, 1, NO_ACS);
	endpoint(&m, "01:00.0");
	LINUX_RULE(&m, "00:1e.0 01:00.0");
	BUS_RULE(&m, "00:1e.0 01:00.0");
}

/* ASMedia 1083 looks conventional and is a converter; its alias is on the bus behind it. */
static void hidden_converter(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 2, ACS_ON);
	pci_bridge(&m, "01:00.0", 2);
	m.functions[1].vendor = 0x1b21;
	m.functions[1].device = 0x1080;
	conventional(&m, "02:00.0");
	conventional(&m, "02:01.0");
	LINUX_RULE(&m, "00:1c.0 | 01:00.0 02:00.0 02:01.0");
}

/* ASPEED AST1150 leaves ids alone, but is still no place where ACS could be. */
static void transparent_converter(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 2, ACS_ON);
	pcie_to_pci(&m, "01:00.0", 2);
	m.functions[1].vendor = 0x1a03;
	m.functions[1].device = 0x1150;
	conventional(&m, "02:00.0");
	conventional(&m, "02:01.0");
	LINUX_RULE(&m, "00:1c.0 | 01:00.0 02:00.0 02:01.0");
}

static void on_the_root_bus(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	conventional(&m, "00:02.0");
	conventional(&m, "00:03.0");
	conventional(&m, "00:04.0");
	conventional(&m, "00:04.1");
	integrated(&m, "00:05.0");
	integrated(&m, "00:06.0");
	integrated(&m, "00:06.1");
	LINUX_RULE(&m, "00:02.0 | 00:03.0 | 00:04.0 00:04.1 | 00:05.0 | 00:06.0 00:06.1");
	/* Intel's integrated functions are taken to keep apart. */
	m.functions[5].vendor = m.functions[6].vendor = 0x8086;
	LINUX_RULE(&m, "00:02.0 | 00:03.0 | 00:04.0 00:04.1 | 00:05.0 | 00:06.0 | 00:06.1");
}

static void southbridge(void **unused)
{
	struct make m;

	(void)unused;
	make_empty(&m, WARD_ARCH_X86, 4096);
	make_iommu(&m, WARD_IOMMU_AMD);
	conventional(&m, "00:14.0")->vendor = 0x1002;
	conventional(&m, "00:14.1")->vendor = 0x1002;
	m.functions[0].device = 0x4385;
	m.functions[1].device = 0x439c;
	LINUX_RULE(&m, "00:14.0 | 00:14.1");
	/* Only where there is an AMD IOMMU. */
	m.iommus[0].kind = WARD_IOMMU_VTD;
	LINUX_RULE(&m, "00:14.0 00:14.1");
}

static void virtual_functions(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 2, ACS_ON);
	endpoint(&m, "01:00.0")->vfs_enabled = 3;
	vf(&m, "01:10.0", "01:00.0");
	vf(&m, "01:10.1", "01:00.0");
	/* The third lies on a bus number of its own, to which no bridge leads. */
	vf(&m, "02:00.0", "01:00.0");
	LINUX_RULE(&m, "00:1c.0 | 01:00.0 | 01:10.0 | 01:10.1 | 02:00.0");
	BUS_RULE(&m, "00:1c.0 | 01:00.0 | 01:10.0 | 01:10.1 | 02:00.0");
	make_set_acs(&m.functions[0], ACS_OFF);
	LINUX_RULE(&m, "00:1c.0 01:00.0 01:10.0 01:10.1 02:00.0");
}

static void aliases(void **unused)
{
	struct make m;

	(void)unused;
	/* Marvell 9123 does DMA as function 1, which is there here. */
	two_functions(&m, ACS_ON);
	m.functions[1].vendor = 0x1b4b;
	m.functions[1].device = 0x9123;
	LINUX_RULE(&m, "00:1c.0 | 01:00.0 01:00.1");
	/* ... and here is not: a ghost, and nobody to share with. */
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	endpoint(&m, "01:00.0")->vendor = 0x1b4b;
	m.functions[1].device = 0x9123;
	LINUX_RULE(&m, "00:1c.0 | 01:00.0");
	/* Ricoh R5C832: all of it as function 0. */
	two_functions(&m, ACS_ON);
	m.functions[1].vendor = m.functions[2].vendor = 0x1180;
	m.functions[1].device = 0xe476;
	m.functions[2].device = 0xe832;
	LINUX_RULE(&m, "00:1c.0 | 01:00.0 01:00.1");
	/* PLX NTB with every devfn of its bus. */
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 2, ACS_ON);
	upstream(&m, "01:00.0", 2, 2);
	endpoint(&m, "02:00.0")->vendor = 0x10b5;
	m.functions[2].device = 0x87b0;
	endpoint(&m, "02:05.0");
	LINUX_RULE(&m, "00:1c.0 | 01:00.0 | 02:00.0 02:05.0");
}

static void without_iommu(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	endpoint(&m, "01:00.0")->stream.iommu = WARD_NONE;
	LINUX_RULE(&m, "00:1c.0 | 01:00.0-");
	/* Firmware names it, the kernel does not use it. */
	m.functions[1].stream.iommu = 0;
	m.iommus[0].active = WARD_NO;
	LINUX_RULE(&m, "00:1c.0- | 01:00.0-");
	m.iommus[0].active = WARD_UNKNOWN;
	LINUX_RULE(&m, "00:1c.0 | 01:00.0");
}

static void platform_devices(void **unused)
{
	struct make m;

	(void)unused;
	make_arm_its(&m);
	platform(&m, "soc--a9000000.dma");
	platform(&m, "soc--a9010000.dma")->stream.iommu = WARD_NONE;
	LINUX_RULE(&m, "a9000000.dma | a9010000.dma-");
}

static void segments_stay_apart(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "0000:00:1c.0", 1, NO_ACS);
	root_port(&m, "0001:00:1c.0", 1, NO_ACS);
	endpoint(&m, "0000:01:00.0");
	endpoint(&m, "0001:01:00.0");
	LINUX_RULE(&m, "00:1c.0 01:00.0 | 00:1c.0 01:00.0");
}

/* Where firmware made partitionable endpoints, each is a group, whatever ACS says. */
static void endpoints(void **unused)
{
	struct ward_membership *members;
	struct make m;

	(void)unused;
	make_empty(&m, WARD_ARCH_POWER, 65536);
	make_iommu(&m, WARD_IOMMU_OTHER);
	root_port(&m, "00:01.0", 1, NO_ACS);
	endpoint(&m, "01:00.0")->pe = 5;
	endpoint(&m, "01:00.1")->pe = 6;
	root_port(&m, "00:02.0", 2, NO_ACS);
	endpoint(&m, "02:00.0")->pe = 5;
	endpoint(&m, "02:00.1");
	assert_int_equal(make_machine(&m, &m.machine), 0);
	for (int rule = 0; rule < 2; rule++) {
		assert_int_equal(ward_groups_predict(m.machine, (enum ward_group_rule)rule,
						     &members, NULL),
				 0);
		assert_int_equal(members[at(&m, "02:00.0")].cause, WARD_CAUSE_ENDPOINT);
		assert_int_equal(members[at(&m, "02:00.0")].via, at(&m, "01:00.0"));
		assert_int_equal(members[at(&m, "02:00.0")].group,
				 members[at(&m, "01:00.0")].group);
		assert_int_equal(members[at(&m, "01:00.1")].cause, WARD_CAUSE_OWN);
		/* Who is of none is grouped as everywhere. */
		assert_int_not_equal(members[at(&m, "02:00.1")].cause, WARD_CAUSE_ENDPOINT);
		free(members);
	}
	ward_machine_destroy(m.machine);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(port_with_acs),
		cmocka_unit_test(port_without_acs),
		cmocka_unit_test(port_with_acs_off),
		cmocka_unit_test(port_with_few_bits),
		cmocka_unit_test(unreadable_port),
		cmocka_unit_test(multifunction_ports),
		cmocka_unit_test(ports_of_two_kinds),
		cmocka_unit_test(intel_chipset_port),
		cmocka_unit_test(multifunction_endpoint),
		cmocka_unit_test(switches),
		cmocka_unit_test(switch_of_one_device),
		cmocka_unit_test(switch_with_foreign_member),
		cmocka_unit_test(port_above_switch_without_acs),
		cmocka_unit_test(nested_switch),
		cmocka_unit_test(converters),
		cmocka_unit_test(conventional_bridges),
		cmocka_unit_test(pci_to_pcie_bridge),
		cmocka_unit_test(hidden_converter),
		cmocka_unit_test(transparent_converter),
		cmocka_unit_test(on_the_root_bus),
		cmocka_unit_test(southbridge),
		cmocka_unit_test(virtual_functions),
		cmocka_unit_test(aliases),
		cmocka_unit_test(without_iommu),
		cmocka_unit_test(platform_devices),
		cmocka_unit_test(segments_stay_apart),
		cmocka_unit_test(endpoints),
	};

	return cmocka_run_group_tests_name("isolate/group", tests, NULL, NULL);
}

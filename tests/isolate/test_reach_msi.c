// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Which interrupts a function can raise, and how sure that is. */
#include "isolate/reach_how.h"

static void gicv2m(void **unused)
{
	struct make m;

	(void)unused;
	v2m(&m, 4096, 1);
	platform(&m, "a9000000.dma");
	make_iommu(&m, WARD_IOMMU_SMMUV3)->controller = 0;
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	assert_string_equal(RAISES(&m, "01:00.0", "00:02.0"), "sure");
	assert_string_equal(RAISES(&m, "01:00.0", "a9000000.dma"), "sure");
	assert_string_equal(how(&m, "01:00.0", WARD_NODE_IOMMU_VECTORS, 1), "sure");
	assert_string_equal(how(&m, "01:00.0", WARD_NODE_IOMMU_VECTORS, 0), "no");
	assert_string_equal(HOST_VECTORS(&m, "01:00.0"), "no");
	make_free(&m);
	/* A vector comes from any frame of the pool, whatever the function has now. */
	v2m(&m, 4096, 2);
	m.functions[3].controller = 1;
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	make_free(&m);
	/* Frames that are no pool, in pages of their own ... */
	v2m(&m, 4096, 2);
	m.functions[3].controller = 1;
	m.controllers[1].pool = 1;
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "no");
	make_free(&m);
	/* ... and in one page of the host. */
	v2m(&m, 65536, 2);
	m.functions[3].controller = 1;
	m.controllers[1].pool = 1;
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	make_free(&m);
	/* A third frame ties two that were apart, by its page the one and by its pool the other. */
	v2m(&m, 4096, 3);
	m.functions[3].controller = 1;
	m.controllers[1].pool = 1;
	m.controllers[2].pool = 1;
	m.controllers[2].doorbells[0] = (struct ward_range){ 0x8020800, 0x8020fff };
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	make_free(&m);
	/* ... in the other order. */
	v2m(&m, 4096, 3);
	m.functions[3].controller = 2;
	m.controllers[1].pool = 1;
	m.controllers[1].doorbells[0] = (struct ward_range){ 0x8020800, 0x80217ff };
	m.controllers[2].pool = 1;
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	make_free(&m);
}

/* Off MSI, or without: neither a writer nor one that can be hit. */
static void off_msi(void **unused)
{
	struct make m;

	(void)unused;
	v2m(&m, 4096, 1);
	m.functions[3].msix = false;
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "no");
	assert_string_equal(RAISES(&m, "02:00.0", "01:00.0"), "no");
	m.state->functions[at(&m, "00:02.0")].msi_off = true;
	ward_isolation_destroy(m.isolation);
	assert_int_equal(ward_isolation_create(m.machine, m.state, &m.isolation), 0);
	assert_string_equal(RAISES(&m, "01:00.0", "00:02.0"), "no");
	assert_string_equal(RAISES(&m, "01:00.0", "00:01.0"), "sure");
	make_free(&m);
	/* What could not be read may use MSIs. */
	v2m(&m, 4096, 1);
	m.functions[3].msix = false;
	m.functions[3].pcie_known = WARD_UNKNOWN;
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	make_free(&m);
}

static void distributor_page(void **unused)
{
	struct make m;

	(void)unused;
	make_arm_v2m(&m, 4096, 1);
	m.controllers[0].kind = WARD_CONTROLLER_GICV3_MBI;
	root_port(&m, "00:01.0", 1, ACS_ON);
	endpoint(&m, "01:00.0");
	make_done(&m);
	assert_string_equal(HOST_VECTORS(&m, "01:00.0"), "sure");
	make_free(&m);
}

static void its(void **unused)
{
	struct make m;

	(void)unused;
	make_arm_its(&m);
	root_port(&m, "00:01.0", 1, ACS_ON);
	root_port(&m, "00:02.0", 2, ACS_ON);
	endpoint(&m, "01:00.0");
	endpoint(&m, "02:00.0");
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "no");
	assert_string_equal(HOST_VECTORS(&m, "01:00.0"), "no");
	make_free(&m);
	/* Firmware's map gives two functions one DeviceID. */
	m.functions[3].devid = m.functions[2].devid;
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	assert_string_equal(RAISES(&m, "02:00.0", "01:00.0"), "sure");
	assert_string_equal(RAISES(&m, "01:00.0", "00:02.0"), "no");
	make_free(&m);
	/* The same id at another ITS is another table. */
	make_controller(&m, WARD_CONTROLLER_GICV3_ITS, WARD_YES, 0x80a0000, 0x20000);
	m.functions[3].controller = 1;
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "no");
	make_free(&m);
	/* Whether it isolates is not known. */
	m.controllers[0].isolates = WARD_UNKNOWN;
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "00:02.0"), "unknown");
	make_free(&m);
}

/* A device that is known to use another id brings that one's DeviceID along. */
static void its_by_an_alias(void **unused)
{
	struct make m;

	(void)unused;
	make_arm_its(&m);
	root_port(&m, "00:01.0", 1, ACS_ON);
	root_port(&m, "00:02.0", 2, ACS_ON);
	endpoint(&m, "01:00.0")->vendor = 0x1b4b;
	m.functions[2].device = 0x9123; /* does DMA as function 1 */
	endpoint(&m, "02:00.0")->devid = ward_devid(0x101);
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	assert_string_equal(RAISES(&m, "02:00.0", "01:00.0"), "no");
	make_free(&m);
}

/* What a bridge makes of ids is not known: whoever is below may come with its own. */
static void its_behind_an_unknown_bridge(void **unused)
{
	struct make m;

	(void)unused;
	make_arm_its(&m);
	unreadable(root_port(&m, "00:01.0", 1, ACS_ON));
	root_port(&m, "00:02.0", 2, ACS_ON);
	endpoint(&m, "01:00.0");
	endpoint(&m, "02:00.0")->devid = ward_devid(0x8); /* of 00:01.0 */
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "unknown");
	/* The one below may be the one behind that id. */
	assert_string_equal(RAISES(&m, "02:00.0", "01:00.0"), "unknown");
	make_free(&m);
	m.functions[3].devid = ward_devid(0x200);
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "no");
	make_free(&m);
}

static void apic(void **unused)
{
	struct make m;

	(void)unused;
	make_x86_apic(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	endpoint(&m, "01:00.0")->msix = false;
	make_done(&m);
	/* The page is there for everybody, with MSIs of its own or without. */
	assert_string_equal(HOST_VECTORS(&m, "01:00.0"), "sure");
	make_free(&m);
	m.controllers[0].kind = WARD_CONTROLLER_X86_REMAPPING;
	m.controllers[0].isolates = WARD_YES;
	make_done(&m);
	assert_string_equal(HOST_VECTORS(&m, "01:00.0"), "no");
	make_free(&m);
	m.controllers[0].isolates = WARD_UNKNOWN;
	make_done(&m);
	assert_string_equal(HOST_VECTORS(&m, "01:00.0"), "unknown");
	make_free(&m);
	/* Compatibility format beside remapping. */
	m.controllers[0].isolates = WARD_NO;
	make_done(&m);
	assert_string_equal(HOST_VECTORS(&m, "01:00.0"), "sure");
	make_free(&m);
}

static void source_check_by_bus(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	function(&m, "01:00.0", WARD_PCIE_ENDPOINT, ACS_ON)->vendor = 0x1b4b;
	m.functions[1].device = 0x9123;
	function(&m, "01:00.2", WARD_PCIE_ENDPOINT, ACS_ON);
	make_done(&m);
	/* It uses two ids of one bus, so VT-d lets every writer of that bus in. */
	assert_string_equal(RAISES(&m, "01:00.2", "01:00.0"), "sure");
	assert_string_equal(RAISES(&m, "01:00.0", "01:00.2"), "no");
	make_free(&m);
	/* AMD has a table for each id instead. */
	m.iommus[0].kind = WARD_IOMMU_AMD;
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.2", "01:00.0"), "no");
	make_free(&m);
}

static void unknown_controller(void **unused)
{
	struct make m;

	(void)unused;
	make_arm_its(&m);
	root_port(&m, "00:01.0", 1, ACS_ON);
	endpoint(&m, "01:00.0")->controller_known = WARD_UNKNOWN;
	m.functions[1].controller = WARD_NONE;
	make_done(&m);
	assert_string_equal(HOST_VECTORS(&m, "01:00.0"), "unknown");
	make_free(&m);
}

/* intremap=nosid leaves remapping on and takes its check away; AMD's tables are not asked. */
static void no_source_check(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	endpoint(&m, "01:00.0");
	m.command_line = "intremap=on root=/dev/nosid";
	make_done(&m);
	assert_string_equal(HOST_VECTORS(&m, "01:00.0"), "no");
	make_free(&m);
	m.command_line = "quiet intremap=no_x2apic_optout,nosid";
	assert_verdict(made(&m, "01:00.0"), WARD_UNSAFE, WARD_GRADE_SHARED_WITH_HOST);
	assert_string_equal(HOST_VECTORS(&m, "01:00.0"), "sure");
	assert_non_null(strstr(finding_in(m.verdict, "msi-not-isolated")->remedies[0].text,
			       "intremap=nosid"));
	make_free(&m);
	m.iommus[0].kind = WARD_IOMMU_AMD;
	make_done(&m);
	assert_string_equal(HOST_VECTORS(&m, "01:00.0"), "no");
	make_free(&m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_source_check),
		cmocka_unit_test(gicv2m),
		cmocka_unit_test(off_msi),
		cmocka_unit_test(distributor_page),
		cmocka_unit_test(its),
		cmocka_unit_test(its_by_an_alias),
		cmocka_unit_test(its_behind_an_unknown_bridge),
		cmocka_unit_test(apic),
		cmocka_unit_test(source_check_by_bus),
		cmocka_unit_test(unknown_controller),
	};

	return cmocka_run_group_tests_name("isolate/reach-msi", tests, NULL, NULL);
}

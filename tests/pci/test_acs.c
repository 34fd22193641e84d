/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "pci/acs.h"
#include "pci/acs_quirk.h"
#include "pci/bytes.h"

static struct ward_function make(uint16_t vendor, uint16_t device, enum ward_pcie_type type)
{
	struct ward_function function;

	blank(&function);
	function.vendor = vendor;
	function.device = device;
	function.pcie_known = WARD_YES;
	function.pcie_type = type;
	function.acs.present = WARD_NO;
	return function;
}

static void types_decide_first(void **state)
{
	static const struct {
		enum ward_pcie_type type;
		enum ward_tri single, multi;
	} cases[] = {
		{ WARD_PCIE_NONE, WARD_NO, WARD_NO },
		{ WARD_PCIE_TO_PCI, WARD_NO, WARD_NO },
		{ WARD_PCI_TO_PCIE, WARD_NO, WARD_NO },
		{ WARD_PCIE_RC_EVENT_COLLECTOR, WARD_NO, WARD_NO },
		{ WARD_PCIE_ROOT_PORT, WARD_NO, WARD_NO },
		{ WARD_PCIE_DOWNSTREAM, WARD_NO, WARD_NO },
		{ WARD_PCIE_ENDPOINT, WARD_YES, WARD_NO },
		{ WARD_PCIE_LEGACY_ENDPOINT, WARD_YES, WARD_NO },
		{ WARD_PCIE_UPSTREAM, WARD_YES, WARD_NO },
		{ WARD_PCIE_RC_ENDPOINT, WARD_YES, WARD_NO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ward_function f = make(0x1af4, 0x1041, cases[i].type);

		assert_int_equal(ward_acs_enabled(&f, WARD_ACS_ISOLATED), cases[i].single);
		f.multifunction = true;
		assert_int_equal(ward_acs_enabled(&f, WARD_ACS_ISOLATED), cases[i].multi);
		f.pcie_known = WARD_UNKNOWN;
		assert_int_equal(ward_acs_enabled(&f, WARD_ACS_ISOLATED), WARD_UNKNOWN);
	}
}

static void registers_decide(void **state)
{
	struct ward_function f = make(0x1b36, 0x000c, WARD_PCIE_DOWNSTREAM);

	(void)state;
	f.acs.present = WARD_UNKNOWN;
	assert_int_equal(ward_acs_enabled(&f, WARD_ACS_ISOLATED), WARD_UNKNOWN);
	f.acs.present = WARD_YES;
	f.acs.capability = 0x1d;
	f.acs.control = 0x1d;
	assert_int_equal(ward_acs_enabled(&f, WARD_ACS_ISOLATED), WARD_YES);
	/* Each bit that is offered must be on. */
	for (unsigned int bit = 0; bit < 5; bit++) {
		f.acs.control = (uint16_t)(0x1d & ~(1u << bit));
		assert_int_equal(ward_acs_enabled(&f, WARD_ACS_ISOLATED),
				 bit == 1 ? WARD_YES : WARD_NO);
	}
	/* What is not offered counts as hard-wired, */
	f.acs.capability = 0;
	f.acs.control = 0;
	assert_int_equal(ward_acs_enabled(&f, WARD_ACS_ISOLATED), WARD_YES);
	/* but for egress control. */
	assert_int_equal(ward_acs_enabled(&f, WARD_ACS_EC), WARD_NO);
	/* A multifunction endpoint with an empty capability says that it does no peer-to-peer. */
	f = make(0x8086, 0x1572, WARD_PCIE_ENDPOINT);
	f.multifunction = true;
	f.acs.present = WARD_YES;
	assert_int_equal(ward_acs_enabled(&f, WARD_ACS_ISOLATED), WARD_YES);
	f.acs.capability = WARD_ACS_RR;
	assert_int_equal(ward_acs_enabled(&f, WARD_ACS_ISOLATED), WARD_NO);
}

static void quirks_decide_before_all(void **state)
{
	struct ward_function f = make(0x8086, 0x1521, WARD_PCIE_NONE);

	(void)state;
	f.pcie_known = WARD_UNKNOWN;
	f.acs.quirk = WARD_YES;
	f.acs.quirk_bits = WARD_ACS_ISOLATED;
	assert_int_equal(ward_acs_enabled(&f, WARD_ACS_ISOLATED), WARD_YES);
	assert_int_equal(ward_acs_enabled(&f, WARD_ACS_ISOLATED | WARD_ACS_TB), WARD_NO);
	f.acs.quirk = WARD_NO;
	assert_int_equal(ward_acs_enabled(&f, WARD_ACS_ISOLATED), WARD_NO);
	f = make(0x8086, 0x1c10, WARD_PCIE_ROOT_PORT);
	f.acs.quirk_name = "depends";
	assert_int_equal(ward_acs_enabled(&f, WARD_ACS_ISOLATED), WARD_UNKNOWN);
}

static void effective_and_egress(void **state)
{
	struct ward_function f = make(0x1b36, 0x000c, WARD_PCIE_DOWNSTREAM);

	(void)state;
	f.acs.capability = 0x3f | 64 << 8;
	f.acs.control = 0x7f;
	f.acs.egress[1] = 1u << 3;
	/* Stands right behind the vector, and is not part of it. */
	f.acs.quirk = WARD_NO;
	assert_int_equal(ward_acs_effective(&f), 0);
	assert_false(ward_acs_egress_blocks(&f, 35));
	f.acs.present = WARD_YES;
	assert_int_equal(ward_acs_effective(&f), 0x3f);
	assert_true(ward_acs_egress_blocks(&f, 35));
	assert_false(ward_acs_egress_blocks(&f, 34));
	assert_false(ward_acs_egress_blocks(&f, 256));
	f.acs.control = 0x1f;
	assert_false(ward_acs_egress_blocks(&f, 35));
	/* Of PCIe 5's further bits none is a service. */
	f.acs.capability = 0xffff;
	f.acs.control = 0xffff;
	assert_int_equal(ward_acs_effective(&f), 0x7f);
}

static void path_is_as_good_as_its_worst(void **state)
{
	struct ward_function functions[3];
	struct ward_machine machine = { .functions = functions, .functions_count = 3 };

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		functions[i] = make(0x1b36, 0x000c, WARD_PCIE_DOWNSTREAM);
		functions[i].acs.present = WARD_YES;
		functions[i].parent = i ? i - 1 : WARD_NONE;
	}
	assert_int_equal(ward_acs_path_enabled(&machine, WARD_NONE, WARD_ACS_ISOLATED), WARD_YES);
	assert_int_equal(ward_acs_path_enabled(&machine, 2, WARD_ACS_ISOLATED), WARD_YES);
	functions[1].acs.present = WARD_UNKNOWN;
	assert_int_equal(ward_acs_path_enabled(&machine, 2, WARD_ACS_ISOLATED), WARD_UNKNOWN);
	assert_int_equal(ward_acs_path_enabled(&machine, 0, WARD_ACS_ISOLATED), WARD_YES);
	functions[0].acs.present = WARD_NO;
	assert_int_equal(ward_acs_path_enabled(&machine, 2, WARD_ACS_ISOLATED), WARD_NO);
	/* Parents that lead in a circle end somewhere, and never in a yes. */
	functions[0].acs.present = WARD_YES;
	functions[1].acs.present = WARD_YES;
	functions[0].parent = 2;
	assert_int_equal(ward_acs_path_enabled(&machine, 2, WARD_ACS_ISOLATED), WARD_UNKNOWN);
}

static void known_devices(void **state)
{
	const uint16_t port = WARD_ACS_ISOLATED;
	const uint16_t endpoint = WARD_ACS_ISOLATED | WARD_ACS_TB | WARD_ACS_DT;
	const struct {
		uint16_t vendor, device;
		enum ward_pcie_type type;
		int found;
		enum ward_tri holds;
		uint16_t bits;
	} cases[] = {
		{ 0x8086, 0x1521, WARD_PCIE_ENDPOINT, 0, WARD_YES, endpoint },
		{ 0x8086, 0x1525, WARD_PCIE_ENDPOINT, -ENOENT, 0, 0 },
		{ 0x8086, 0x10fb, WARD_PCIE_ENDPOINT, 0, WARD_YES, endpoint },
		{ 0x8086, 0x10fd, WARD_PCIE_ENDPOINT, -ENOENT, 0, 0 },
		{ 0x8086, 0x1234, WARD_PCIE_RC_ENDPOINT, 0, WARD_YES, port },
		{ 0x8086, 0x15b8, WARD_PCIE_RC_ENDPOINT, 0, WARD_YES, endpoint },
		/* Chipset ports, every other id in two of the families. */
		{ 0x8086, 0x1c10, WARD_PCIE_ROOT_PORT, 0, WARD_UNKNOWN, port },
		{ 0x8086, 0x1c10, WARD_PCIE_ENDPOINT, -ENOENT, 0, 0 },
		{ 0x8086, 0x1d12, WARD_PCIE_ROOT_PORT, 0, WARD_UNKNOWN, port },
		{ 0x8086, 0x1d13, WARD_PCIE_ROOT_PORT, -ENOENT, 0, 0 },
		{ 0x8086, 0x8d1f, WARD_PCIE_ROOT_PORT, -ENOENT, 0, 0 },
		/* Wide registers are no quirk of this table. */
		{ 0x8086, 0xa110, WARD_PCIE_ROOT_PORT, -ENOENT, 0, 0 },
		{ 0x17cb, 0x0401, WARD_PCIE_ROOT_PORT, 0, WARD_YES, port },
		{ 0x177d, 0xa100, WARD_PCIE_ROOT_PORT, 0, WARD_YES, port },
		{ 0x177d, 0xa100, WARD_PCIE_ENDPOINT, -ENOENT, 0, 0 },
		{ 0x177d, 0xa026, WARD_PCIE_ENDPOINT, 0, WARD_YES, endpoint },
		{ 0x177d, 0xa026, WARD_PCIE_ROOT_PORT, 0, WARD_YES, port },
		{ 0x1def, 0xe00c, WARD_PCIE_ROOT_PORT, 0, WARD_YES, port },
		{ 0x1c36, 0x0031, WARD_PCIE_ROOT_PORT, 0, WARD_YES, port },
		{ 0x1c36, 0x0031, WARD_PCIE_ENDPOINT, -ENOENT, 0, 0 },
		{ 0x1d17, 0x071e, WARD_PCIE_ROOT_PORT, 0, WARD_YES, port },
		{ 0x1d17, 0x071e, WARD_PCIE_DOWNSTREAM, 0, WARD_YES, port },
		{ 0x1d17, 0x0722, WARD_PCIE_ROOT_PORT, 0, WARD_NO, 0 },
		{ 0x1d17, 0x0722, WARD_PCIE_ENDPOINT, -ENOENT, 0, 0 },
		{ 0x1d17, 0x3104, WARD_PCIE_ENDPOINT, 0, WARD_YES, endpoint },
		{ 0x8088, 0x010f, WARD_PCIE_ENDPOINT, 0, WARD_YES, port },
		{ 0x8088, 0x0110, WARD_PCIE_ENDPOINT, 0, WARD_NO, 0 },
		{ 0x1957, 0x8d93, WARD_PCIE_ROOT_PORT, 0, WARD_YES, port },
		{ 0x1957, 0x8da2, WARD_PCIE_ROOT_PORT, -ENOENT, 0, 0 },
		{ 0x0014, 0x7a69, WARD_PCIE_ROOT_PORT, 0, WARD_YES, port },
		{ 0x10de, 0x1521, WARD_PCIE_ENDPOINT, -ENOENT, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ward_function f = make(cases[i].vendor, cases[i].device, cases[i].type);
		struct ward_acs_quirk quirk = { 0 };

		assert_int_equal(ward_acs_quirk_find(&f, WARD_NO, &quirk), cases[i].found);
		assert_int_equal(quirk.holds, cases[i].holds);
		assert_int_equal(quirk.bits, cases[i].bits);
		assert_int_equal(quirk.name != NULL, !cases[i].found);
	}
}

static void southbridge_needs_the_iommu(void **state)
{
	struct ward_function f = make(0x1002, 0x4384, WARD_PCIE_NONE);
	struct ward_acs_quirk quirk;

	(void)state;
	assert_int_equal(ward_acs_quirk_find(&f, WARD_YES, &quirk), -ENOENT);
	f.multifunction = true;
	assert_int_equal(ward_acs_quirk_find(&f, WARD_NO, &quirk), -ENOENT);
	assert_int_equal(ward_acs_quirk_find(&f, WARD_UNKNOWN, &quirk), 0);
	assert_int_equal(quirk.holds, WARD_UNKNOWN);
	assert_int_equal(ward_acs_quirk_find(&f, WARD_YES, &quirk), 0);
	assert_int_equal(quirk.holds, WARD_YES);
	/* Egress control and direct translated requests are not covered. */
	assert_int_equal(quirk.bits & (WARD_ACS_EC | WARD_ACS_DT), 0);
	assert_int_equal(WARD_ACS_ISOLATED & ~quirk.bits, 0);
	f.parent = 0;
	assert_int_equal(ward_acs_quirk_find(&f, WARD_YES, &quirk), -ENOENT);
}

static void wide_ports(void **state)
{
	struct ward_function f = make(0x8086, 0x9d1b, WARD_PCIE_ROOT_PORT);

	(void)state;
	assert_true(ward_acs_quirk_wide(&f));
	f.device = 0x9d1c;
	assert_false(ward_acs_quirk_wide(&f));
	f.device = 0xa2e7;
	assert_true(ward_acs_quirk_wide(&f));
	f.pcie_type = WARD_PCIE_ENDPOINT;
	assert_false(ward_acs_quirk_wide(&f));
	f.pcie_type = WARD_PCIE_ROOT_PORT;
	f.vendor = 0x8087;
	assert_false(ward_acs_quirk_wide(&f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_decide_first),
		cmocka_unit_test(registers_decide),
		cmocka_unit_test(quirks_decide_before_all),
		cmocka_unit_test(effective_and_egress),
		cmocka_unit_test(path_is_as_good_as_its_worst),
		cmocka_unit_test(known_devices),
		cmocka_unit_test(southbridge_needs_the_iommu),
		cmocka_unit_test(wide_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

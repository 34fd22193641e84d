/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "pci/alias.h"
#include "pci/bytes.h"

#define MAX 8

static struct ward_function functions[MAX];
static struct ward_bus buses[MAX];
static struct ward_machine machine = { .functions = functions, .buses = buses };

/* A bridge makes bus number secondary; 0 for none. Its index is the function's. */
static uint32_t add(uint32_t parent, enum ward_pcie_type type, ward_rid_t rid, uint8_t secondary)
{
	uint32_t index = machine.functions_count++;
	struct ward_function *f = &functions[index];

	blank(f);
	f->vendor = 0x1af4;
	f->device = 0x1041;
	f->address.rid = rid;
	f->parent = parent;
	f->pcie_known = WARD_YES;
	f->pcie_type = type;
	f->bus = ward_rid_bus(rid);
	if (secondary) {
		f->header_type = 1;
		f->bridge.secondary = secondary;
		f->bridge.bus = index;
		buses[index].number = secondary;
	}
	return index;
}

static int reset(void **state)
{
	(void)state;
	machine.functions_count = 0;
	return 0;
}

/* Expects the aliases of a function to be the count given as function, rid pairs. */
static void expect(uint32_t function, unsigned int count, const unsigned int pairs[][2])
{
	struct ward_alias_walk walk;
	struct ward_alias alias;
	unsigned int n = 0;

	ward_alias_start(&machine, function, &walk);
	while (ward_alias_next(&walk, &alias)) {
		assert_in_range(n, 0, count - 1);
		assert_int_equal(alias.function, pairs[n][0]);
		assert_int_equal(ward_rid_raw(alias.rid), pairs[n][1]);
		n++;
	}
	assert_int_equal(n, count);
	assert_false(ward_alias_next(&walk, &alias));
}

#define EXPECT(function, ...)                                              \
	do {                                                               \
		const unsigned int pairs[][2] = { __VA_ARGS__ };           \
		expect(function, sizeof(pairs) / sizeof(pairs[0]), pairs); \
	} while (0)

static void assert_check(uint32_t function, enum ward_source_check_kind kind, unsigned int first,
			 unsigned int last)
{
	struct ward_source_check check;

	ward_alias_source_check(&machine, function, &check);
	assert_int_equal(check.kind, kind);
	if (kind == WARD_SOURCE_CHECK_ID) {
		assert_int_equal(ward_rid_raw(check.first), first);
		assert_int_equal(ward_rid_raw(check.last), last);
	} else {
		assert_int_equal(ward_rid_bus(check.first), first);
		assert_int_equal(ward_rid_bus(check.last), last);
	}
}

static void switches_keep_ids(void **state)
{
	uint32_t root = add(WARD_NONE, WARD_PCIE_ROOT_PORT, ward_rid_make(0, 1, 0), 1);
	uint32_t up = add(root, WARD_PCIE_UPSTREAM, ward_rid_make(1, 0, 0), 2);
	uint32_t down = add(up, WARD_PCIE_DOWNSTREAM, ward_rid_make(2, 3, 0), 3);
	uint32_t leaf = add(down, WARD_PCIE_ENDPOINT, ward_rid_make(3, 0, 1), 0);

	(void)state;
	EXPECT(leaf, { leaf, 0x301 });
	assert_int_equal(ward_rid_raw(ward_alias_msi_rid(&machine, leaf)), 0x301);
	assert_check(leaf, WARD_SOURCE_CHECK_ID, 0x301, 0x301);
	assert_true(ward_alias_certain(&machine, leaf));
	functions[up].pcie_known = WARD_UNKNOWN;
	assert_false(ward_alias_certain(&machine, leaf));
	EXPECT(leaf, { leaf, 0x301 });
}

static void converter_owns_its_bus(void **state)
{
	uint32_t root = add(WARD_NONE, WARD_PCIE_ROOT_PORT, ward_rid_make(0, 1, 0), 1);
	uint32_t bridge = add(root, WARD_PCIE_TO_PCI, ward_rid_make(1, 0, 0), 2);
	uint32_t leaf = add(bridge, WARD_PCIE_NONE, ward_rid_make(2, 5, 0), 0);

	(void)state;
	EXPECT(leaf, { leaf, 0x228 }, { bridge, 0x200 });
	assert_int_equal(ward_rid_raw(ward_alias_msi_rid(&machine, leaf)), 0x200);
	assert_check(leaf, WARD_SOURCE_CHECK_BUS, 2, 2);
	EXPECT(bridge, { bridge, 0x100 });
	/* The bus that it made counts, not the number in its register. */
	functions[bridge].bridge.secondary = 9;
	EXPECT(leaf, { leaf, 0x228 }, { bridge, 0x200 });
	functions[bridge].bridge.bus = WARD_NONE;
	EXPECT(leaf, { leaf, 0x228 }, { bridge, 0x900 });
	/* One kind is a converter in name only. */
	functions[bridge].vendor = 0x1a03;
	functions[bridge].device = 0x1150;
	EXPECT(leaf, { leaf, 0x228 });
}

static void conventional_bridges_below_a_converter(void **state)
{
	uint32_t root = add(WARD_NONE, WARD_PCIE_ROOT_PORT, ward_rid_make(0, 1, 0), 1);
	uint32_t bridge = add(root, WARD_PCIE_TO_PCI, ward_rid_make(1, 0, 0), 2);
	uint32_t inner = add(bridge, WARD_PCIE_NONE, ward_rid_make(2, 1, 0), 3);
	uint32_t leaf = add(inner, WARD_PCIE_NONE, ward_rid_make(3, 4, 2), 0);

	(void)state;
	EXPECT(leaf, { leaf, 0x322 }, { inner, 0x208 }, { bridge, 0x200 });
	assert_int_equal(ward_rid_raw(ward_alias_msi_rid(&machine, leaf)), 0x200);
	assert_check(leaf, WARD_SOURCE_CHECK_BUS, 2, 3);
}

static void conventional_bridge_on_the_root_bus(void **state)
{
	uint32_t bridge = add(WARD_NONE, WARD_PCIE_NONE, ward_rid_make(0, 0x1e, 0), 5);
	uint32_t leaf = add(bridge, WARD_PCIE_NONE, ward_rid_make(5, 1, 0), 0);

	(void)state;
	EXPECT(leaf, { leaf, 0x508 }, { bridge, 0x0f0 });
	assert_int_equal(ward_rid_raw(ward_alias_msi_rid(&machine, leaf)), 0x0f0);
	assert_check(leaf, WARD_SOURCE_CHECK_ID, 0x0f0, 0x0f0);
	/* Even a known hider: there is nothing PCIe above it. */
	functions[bridge].vendor = 0x8086;
	functions[bridge].device = 0x244e;
	EXPECT(leaf, { leaf, 0x508 }, { bridge, 0x0f0 });
}

static void reverse_bridge_uses_its_own_id(void **state)
{
	uint32_t bridge = add(WARD_NONE, WARD_PCI_TO_PCIE, ward_rid_make(0, 4, 0), 7);
	uint32_t leaf = add(bridge, WARD_PCIE_ENDPOINT, ward_rid_make(7, 0, 0), 0);

	(void)state;
	EXPECT(leaf, { leaf, 0x700 }, { bridge, 0x020 });
	assert_int_equal(ward_rid_raw(ward_alias_msi_rid(&machine, leaf)), 0x020);
}

static void converter_that_hides_its_capability(void **state)
{
	uint32_t root = add(WARD_NONE, WARD_PCIE_ROOT_PORT, ward_rid_make(0, 1, 0), 1);
	uint32_t bridge = add(root, WARD_PCIE_NONE, ward_rid_make(1, 0, 0), 2);
	uint32_t leaf = add(bridge, WARD_PCIE_NONE, ward_rid_make(2, 5, 0), 0);

	(void)state;
	EXPECT(leaf, { leaf, 0x228 }, { bridge, 0x100 });
	functions[bridge].vendor = 0x1b21;
	functions[bridge].device = 0x1080;
	EXPECT(leaf, { leaf, 0x228 }, { bridge, 0x200 });
	/* Below a converter it is an ordinary conventional bridge. */
	functions[root].pcie_type = WARD_PCIE_TO_PCI;
	EXPECT(leaf, { leaf, 0x228 }, { bridge, 0x100 }, { root, 0x100 });
}

static void translation_root_ends_the_walk(void **state)
{
	uint32_t top = add(WARD_NONE, WARD_PCIE_NONE, ward_rid_make(0, 0, 0), 1);
	uint32_t root = add(top, WARD_PCIE_TO_PCI, ward_rid_make(1, 0, 0), 2);
	uint32_t bridge = add(root, WARD_PCIE_NONE, ward_rid_make(2, 0, 0), 3);
	uint32_t leaf = add(bridge, WARD_PCIE_ENDPOINT, ward_rid_make(3, 0, 0), 0);

	(void)state;
	functions[root].vendor = 0x14e4;
	functions[root].device = 0x9084;
	functions[top].pcie_known = WARD_UNKNOWN;
	EXPECT(leaf, { leaf, 0x300 }, { bridge, 0x200 });
	assert_true(ward_alias_certain(&machine, leaf));
}

static void wrong_function_numbers(void **state)
{
	uint32_t root = add(WARD_NONE, WARD_PCIE_ROOT_PORT, ward_rid_make(0, 1, 0), 1);
	uint32_t disk = add(root, WARD_PCIE_LEGACY_ENDPOINT, ward_rid_make(1, 0, 0), 0);
	uint32_t other = add(root, WARD_PCIE_ENDPOINT, ward_rid_make(1, 0, 1), 0);
	uint32_t third = add(root, WARD_PCIE_ENDPOINT, ward_rid_make(1, 0, 2), 0);

	(void)state;
	functions[disk].vendor = 0x1b4b;
	functions[disk].device = 0x9230;
	EXPECT(disk, { disk, 0x100 }, { disk, 0x101 });
	assert_true(ward_alias_mask_has(&functions[disk], 1));
	assert_false(ward_alias_mask_has(&functions[disk], 0));
	assert_false(ward_alias_mask_has(&functions[disk], 9));
	assert_non_null(ward_alias_mask_name(&functions[disk]));
	assert_null(ward_alias_mask_name(&functions[other]));
	assert_true(ward_alias_same_bus(&functions[disk], &functions[other]));
	assert_true(ward_alias_same_bus(&functions[other], &functions[disk]));
	assert_false(ward_alias_same_bus(&functions[disk], &functions[third]));
	functions[other].bus = 7;
	assert_false(ward_alias_same_bus(&functions[disk], &functions[other]));
	/* A same-bus alias does not change where MSIs come from, but what VT-d can check. */
	assert_int_equal(ward_rid_raw(ward_alias_msi_rid(&machine, disk)), 0x100);
	assert_check(disk, WARD_SOURCE_CHECK_BUS, 1, 1);
	functions[disk].address.rid = ward_rid_make(1, 0, 2);
	EXPECT(disk, { disk, 0x102 }, { disk, 0x101 });
	/* Function 1 itself is no alias of itself. */
	functions[disk].address.rid = ward_rid_make(1, 0, 1);
	EXPECT(disk, { disk, 0x101 });
	assert_null(ward_alias_mask_name(&functions[disk]));
	assert_check(disk, WARD_SOURCE_CHECK_ID, 0x101, 0x101);
}

static void other_masks(void **state)
{
	uint32_t f = add(WARD_NONE, WARD_PCIE_ENDPOINT, ward_rid_make(4, 3, 2), 0);
	struct ward_alias_walk walk;
	struct ward_alias alias;
	unsigned int count = 0;

	(void)state;
	functions[f].vendor = 0x1180;
	functions[f].device = 0xe832;
	EXPECT(f, { f, 0x41a }, { f, 0x418 });
	functions[f].vendor = 0x9005;
	functions[f].device = 0x0285;
	EXPECT(f, { f, 0x41a });
	functions[f].subsystem_vendor = 0x9005;
	functions[f].subsystem_device = 0x02bc;
	EXPECT(f, { f, 0x41a }, { f, 0x408 });
	functions[f].vendor = 0x8086;
	functions[f].device = 0x2264;
	EXPECT(f, { f, 0x41a }, { f, 0x480 }, { f, 0x488 }, { f, 0x493 });
	/* Functions 0 to 4 of 32 slots, less its own. */
	functions[f].device = 0x2955;
	ward_alias_start(&machine, f, &walk);
	while (ward_alias_next(&walk, &alias))
		count++;
	assert_int_equal(count, 160);
	functions[f].vendor = 0x10b5;
	functions[f].device = 0x87b1;
	count = 0;
	ward_alias_start(&machine, f, &walk);
	while (ward_alias_next(&walk, &alias))
		count++;
	assert_int_equal(count, 256);
	assert_true(ward_alias_certain(&machine, f));
	/* Switchtec: as a bridge of another kind only, and then nobody knows. */
	functions[f].vendor = 0x11f8;
	functions[f].device = 0x8536;
	functions[f].class_code = 0x058000;
	assert_true(ward_alias_certain(&machine, f));
	functions[f].class_code = 0x068000;
	assert_false(ward_alias_certain(&machine, f));
	assert_non_null(ward_alias_mask_name(&functions[f]));
}

static void mask_comes_before_bridges(void **state)
{
	uint32_t root = add(WARD_NONE, WARD_PCIE_TO_PCI, ward_rid_make(0, 1, 0), 1);
	uint32_t leaf = add(root, WARD_PCIE_NONE, ward_rid_make(1, 2, 0), 0);

	(void)state;
	functions[leaf].vendor = 0x197b;
	functions[leaf].device = 0x2392;
	EXPECT(leaf, { leaf, 0x110 }, { leaf, 0x111 }, { root, 0x100 });
	assert_check(leaf, WARD_SOURCE_CHECK_BUS, 1, 1);
}

static void vmd_does_the_dma(void **state)
{
	uint32_t vmd = add(WARD_NONE, WARD_PCIE_RC_ENDPOINT, ward_rid_make(0, 14, 0), 0);
	uint32_t port = add(WARD_NONE, WARD_PCIE_TO_PCI, ward_rid_make(0xe0, 6, 0), 0xe1);
	uint32_t leaf = add(port, WARD_PCIE_ENDPOINT, ward_rid_make(0xe1, 0, 0), 0);

	(void)state;
	functions[vmd].vendor = 0x8086;
	functions[port].address.segment = 0x10000;
	functions[leaf].address.segment = 0x10000;
	functions[leaf].path =
		"devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0";
	EXPECT(leaf, { vmd, 0x070 });
	assert_int_equal(ward_rid_raw(ward_alias_msi_rid(&machine, leaf)), 0x070);
	assert_check(leaf, WARD_SOURCE_CHECK_ID, 0x070, 0x070);
	/* Nothing of the kind: an ordinary segment, or another parent. */
	functions[vmd].vendor = 0x8087;
	EXPECT(leaf, { leaf, 0xe100 }, { port, 0xe100 });
	functions[vmd].vendor = 0x8086;
	functions[leaf].path = "devices/VMBUS:01/pci10000:e0/10000:e0:06.0/10000:e1:00.0";
	EXPECT(leaf, { leaf, 0xe100 }, { port, 0xe100 });
	functions[leaf].path = "/pci";
	EXPECT(leaf, { leaf, 0xe100 }, { port, 0xe100 });
	functions[leaf].path = "devices/pci0000:00/0000:00:0e.0/pci10000:e0/10000:e1:00.0";
	functions[leaf].address.segment = 1;
	EXPECT(leaf, { leaf, 0xe100 }, { port, 0xe100 });
}

static void circle_of_parents_ends(void **state)
{
	uint32_t a = add(1, WARD_PCIE_NONE, ward_rid_make(1, 0, 0), 2);
	uint32_t b = add(a, WARD_PCIE_NONE, ward_rid_make(2, 0, 0), 1);
	struct ward_alias_walk walk;
	struct ward_alias alias;
	unsigned int count = 0;

	(void)state;
	ward_alias_start(&machine, b, &walk);
	while (ward_alias_next(&walk, &alias))
		count++;
	assert_int_equal(count, 257);
	assert_false(ward_alias_certain(&machine, b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(switches_keep_ids, reset),
		cmocka_unit_test_setup(converter_owns_its_bus, reset),
		cmocka_unit_test_setup(conventional_bridges_below_a_converter, reset),
		cmocka_unit_test_setup(conventional_bridge_on_the_root_bus, reset),
		cmocka_unit_test_setup(reverse_bridge_uses_its_own_id, reset),
		cmocka_unit_test_setup(converter_that_hides_its_capability, reset),
		cmocka_unit_test_setup(translation_root_ends_the_walk, reset),
		cmocka_unit_test_setup(wrong_function_numbers, reset),
		cmocka_unit_test_setup(other_masks, reset),
		cmocka_unit_test_setup(mask_comes_before_bridges, reset),
		cmocka_unit_test_setup(vmd_does_the_dma, reset),
		cmocka_unit_test_setup(circle_of_parents_ends, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

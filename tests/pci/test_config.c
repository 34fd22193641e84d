/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pci/bytes.h"

static struct ward_function function;
static struct ward_pci_problems problems;

/* Parses a copy that ends right after size bytes, so that reading on is seen by ASan. */
static int parse(const struct bytes *bytes, size_t size)
{
	uint8_t *copy = size ? malloc(size) : NULL;
	int r;

	if (size)
		memcpy(copy, bytes->at, size);
	blank(&function);
	r = ward_pci_config_parse(copy, size, &function, &problems);
	free(copy);
	return r;
}

static void assert_only(enum ward_pci_problem_code code, unsigned int offset)
{
	assert_int_equal(problems.mask, 1u << code);
	assert_int_equal(problems.count, 1);
	assert_int_equal(problems.list[0].code, code);
	assert_int_equal(problems.list[0].offset, offset);
}

/* A PCIe endpoint with everything on. */
static void endpoint(struct bytes *bytes)
{
	bytes_init(bytes, 0x8086, 0x1572, 0x80);
	put32(bytes, 0x08, 0x02000005);
	put32(bytes, 0x10, 0xf000000c);
	put32(bytes, 0x14, 0x00000001);
	put32(bytes, 0x18, 0xc001);
	put32(bytes, 0x1c, 0xfe000000);
	put32(bytes, 0x2c, 0x00068086);
	bytes->at[0x3d] = 2;
	add_capability(bytes, 0x40, 0x01);
	put16(bytes, 0x44, 0x0008);
	add_capability(bytes, 0x50, 0x05);
	put16(bytes, 0x52, 0x0180 | 2 << 1);
	add_capability(bytes, 0x70, 0x11);
	put16(bytes, 0x72, 0x8000 | 128);
	put32(bytes, 0x74, 3);
	put32(bytes, 0x78, 0x1003);
	add_pcie(bytes, 0xa0, 0);
	put32(bytes, 0xa4, 1u << 28);
	put32(bytes, 0xac, 0x07000000);
	add_acs(bytes, 0x100, 0x00, 0x00);
	add_extended(bytes, 0x120, 0x0f);
	put16(bytes, 0x126, 0x8000);
	add_extended(bytes, 0x140, 0x10);
	put16(bytes, 0x148, 1);
	put16(bytes, 0x14e, 64);
	put16(bytes, 0x150, 8);
	add_extended(bytes, 0x1a0, 0x13);
	put16(bytes, 0x1a4, 1);
	add_extended(bytes, 0x1c0, 0x1b);
	put16(bytes, 0x1c4, 20 << 8);
	put16(bytes, 0x1c6, 1);
}

static void reads_an_endpoint(void **state)
{
	struct bytes bytes;

	(void)state;
	endpoint(&bytes);
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_int_equal(problems.mask, 0);
	assert_int_equal(function.config_size, 4096);
	assert_int_equal(function.vendor, 0x8086);
	assert_int_equal(function.device, 0x1572);
	assert_int_equal(function.subsystem_vendor, 0x8086);
	assert_int_equal(function.subsystem_device, 6);
	assert_int_equal(function.class_code, 0x020000);
	assert_int_equal(function.revision, 5);
	assert_int_equal(function.header_type, 0);
	assert_true(function.multifunction);
	assert_int_equal(function.intx_pin, 2);
	assert_true(function.bar[0].prefetchable);
	assert_false(function.bar[0].io);
	assert_false(function.bar[1].io);
	assert_true(function.bar[2].io);
	assert_false(function.bar[3].io);
	assert_false(function.bar[3].prefetchable);
	assert_true(function.msi);
	assert_int_equal(function.msi_vectors, 4);
	assert_false(function.msi_enabled);
	assert_true(function.msix);
	assert_int_equal(function.msix_vectors, 129);
	assert_true(function.msix_enabled);
	assert_int_equal(function.pcie_known, WARD_YES);
	assert_int_equal(function.pcie_type, WARD_PCIE_ENDPOINT);
	assert_int_equal(function.port_number, 7);
	assert_int_equal(function.resets, WARD_RESET_FLR);
	assert_int_equal(function.resets_known, WARD_YES);
	assert_int_equal(function.acs.present, WARD_YES);
	assert_int_equal(function.ats, WARD_YES);
	assert_true(function.ats_enabled);
	assert_int_equal(function.pri, WARD_YES);
	assert_true(function.pri_enabled);
	assert_int_equal(function.pasid, WARD_YES);
	assert_true(function.pasid_enabled);
	assert_int_equal(function.vfs_total, 64);
	assert_int_equal(function.vfs_enabled, 8);
}

static void every_bit_off(void **state)
{
	struct bytes bytes;

	(void)state;
	endpoint(&bytes);
	bytes.at[0x0e] = 0;
	put16(&bytes, 0x52, 0x0181);
	put16(&bytes, 0x72, 0);
	put16(&bytes, 0x126, 0x7fff);
	put16(&bytes, 0x148, 0xfffe);
	put16(&bytes, 0x1a4, 0xfffe);
	put16(&bytes, 0x1c6, 0xfffe);
	put32(&bytes, 0xa4, ~(1u << 28));
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_int_equal(problems.mask, 0);
	assert_false(function.multifunction);
	assert_true(function.msi_enabled);
	assert_int_equal(function.msi_vectors, 1);
	assert_int_equal(function.msix_vectors, 1);
	assert_false(function.msix_enabled);
	assert_false(function.ats_enabled);
	assert_int_equal(function.vfs_enabled, 0);
	assert_int_equal(function.vfs_total, 64);
	assert_false(function.pri_enabled);
	assert_false(function.pasid_enabled);
	assert_int_equal(function.resets, 0);
}

static void header_only_is_unknown(void **state)
{
	struct bytes bytes;

	(void)state;
	endpoint(&bytes);
	for (size_t size = 64; size < 256; size += 64) {
		assert_int_equal(parse(&bytes, size), 0);
		assert_int_equal(function.config_size, 64);
		assert_int_equal(function.vendor, 0x8086);
		assert_int_equal(function.intx_pin, 2);
		assert_int_equal(function.pcie_known, WARD_UNKNOWN);
		assert_int_equal(function.resets_known, WARD_UNKNOWN);
		assert_int_equal(function.acs.present, WARD_UNKNOWN);
		assert_int_equal(function.ats, WARD_UNKNOWN);
		assert_int_equal(function.pri, WARD_UNKNOWN);
		assert_int_equal(function.pasid, WARD_UNKNOWN);
		assert_false(function.msi);
	}
}

static void plain_space_leaves_extended_unknown(void **state)
{
	struct bytes bytes;

	(void)state;
	endpoint(&bytes);
	for (size_t size = 256; size < 4096; size += 1280) {
		assert_int_equal(parse(&bytes, size), 0);
		assert_int_equal(function.config_size, 256);
		assert_int_equal(function.pcie_known, WARD_YES);
		assert_int_equal(function.resets_known, WARD_YES);
		assert_true(function.msix);
		assert_int_equal(function.acs.present, WARD_UNKNOWN);
		assert_int_equal(function.ats, WARD_UNKNOWN);
		assert_int_equal(function.vfs_total, 0);
	}
}

static void conventional_has_no_extended(void **state)
{
	struct bytes bytes;

	(void)state;
	bytes_init(&bytes, 0x10ec, 0x8139, 0);
	add_capability(&bytes, 0x50, 0x01);
	add_capability(&bytes, 0x60, 0x13);
	bytes.at[0x63] = 3;
	assert_int_equal(parse(&bytes, 256), 0);
	assert_int_equal(function.pcie_known, WARD_YES);
	assert_int_equal(function.pcie_type, WARD_PCIE_NONE);
	assert_int_equal(function.acs.present, WARD_NO);
	assert_int_equal(function.ats, WARD_NO);
	assert_int_equal(function.resets, WARD_RESET_PM | WARD_RESET_AF);
	/* AF without transactions pending is no reset that Linux uses. */
	bytes.at[0x63] = 2;
	put16(&bytes, 0x54, 8);
	assert_int_equal(parse(&bytes, 256), 0);
	assert_int_equal(function.resets, 0);
	assert_int_equal(function.resets_known, WARD_YES);
}

static void subsystem_capability_is_for_bridges(void **state)
{
	struct bytes bytes;

	(void)state;
	bytes_init(&bytes, 0x10ec, 0x8139, 0);
	add_capability(&bytes, 0x50, 0x0d);
	put32(&bytes, 0x54, 0x11001af4);
	assert_int_equal(parse(&bytes, 256), 0);
	assert_int_equal(function.subsystem_vendor, 0);
	assert_int_equal(function.subsystem_device, 0);
}

static void no_list_at_all(void **state)
{
	struct bytes bytes;

	(void)state;
	bytes_init(&bytes, 0x8086, 0x7000, 0);
	/* The pointer means nothing while the status bit is clear. */
	bytes.at[0x34] = 0x40;
	bytes.at[0x40] = 0x10;
	assert_int_equal(parse(&bytes, 64), 0);
	assert_int_equal(problems.mask, 0);
	assert_int_equal(function.pcie_known, WARD_YES);
	assert_int_equal(function.pcie_type, WARD_PCIE_NONE);
	assert_int_equal(function.acs.present, WARD_NO);
	assert_int_equal(function.resets_known, WARD_YES);
}

static void no_answer(void **state)
{
	struct bytes bytes;

	(void)state;
	memset(bytes.at, 0xff, sizeof(bytes.at));
	blank(&function);
	assert_int_equal(ward_pci_config_parse(bytes.at, 4096, &function, &problems), -ENODATA);
	assert_only(WARD_PCI_NO_ANSWER, 0);
	assert_int_equal(function.config_size, 0);
	assert_int_equal(function.vendor, 0);
	for (size_t size = 0; size < 64; size += 21) {
		assert_int_equal(parse(&bytes, size), -ENODATA);
		assert_only(WARD_PCI_SHORT, (unsigned int)size);
	}
}

static void virtual_function_keeps_the_kernels_ids(void **state)
{
	struct bytes bytes;

	(void)state;
	bytes_init(&bytes, 0xffff, 0xffff, 0);
	add_pcie(&bytes, 0x40, 0);
	blank(&function);
	function.vendor = 0x8086;
	function.device = 0x154c;
	function.class_code = 0x020000;
	assert_int_equal(ward_pci_config_parse(bytes.at, 4096, &function, &problems), 0);
	assert_int_equal(function.vendor, 0x8086);
	assert_int_equal(function.device, 0x154c);
	assert_int_equal(function.class_code, 0x020000);
	/* Nor are its ids ids. */
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_int_equal(function.vendor, 0);
	assert_int_equal(function.device, 0);
	function.vendor = 0x8086;
	function.device = 0x154c;
	/* What the caller knows stays, for physical functions, too. */
	put32(&bytes, 0, 0x11112222);
	assert_int_equal(ward_pci_config_parse(bytes.at, 4096, &function, &problems), 0);
	assert_int_equal(function.vendor, 0x8086);
}

static void bridge_windows(void **state)
{
	struct bytes bytes;

	(void)state;
	bytes_init(&bytes, 0x1b36, 0x000c, 1);
	put32(&bytes, 0x18, 0x00050201);
	put16(&bytes, 0x20, 0xfe80);
	put16(&bytes, 0x22, 0xfe90);
	put16(&bytes, 0x24, 0x0001);
	put16(&bytes, 0x26, 0xfff1);
	put32(&bytes, 0x28, 0x80);
	put32(&bytes, 0x2c, 0x8f);
	put32(&bytes, 0x10, 0xfe000004);
	add_capability(&bytes, 0x40, 0x0d);
	put32(&bytes, 0x44, 0x11001af4);
	assert_int_equal(parse(&bytes, 256), 0);
	assert_int_equal(problems.mask, 0);
	assert_int_equal(function.bridge.primary, 1);
	assert_int_equal(function.bridge.secondary, 2);
	assert_int_equal(function.bridge.subordinate, 5);
	assert_int_equal(function.bridge.memory.start, 0xfe800000);
	assert_int_equal(function.bridge.memory.last, 0xfe9fffff);
	assert_int_equal(function.bridge.prefetchable.start, 0x8000000000);
	assert_int_equal(function.bridge.prefetchable.last, 0x8fffffffff);
	assert_int_equal(function.subsystem_vendor, 0x1af4);
	assert_int_equal(function.subsystem_device, 0x1100);

	/* 32-bit prefetchable: the upper registers do not count. */
	put16(&bytes, 0x24, 0x0010);
	put16(&bytes, 0x26, 0x0020);
	assert_int_equal(parse(&bytes, 256), 0);
	assert_int_equal(function.bridge.prefetchable.start, 0x00100000);
	assert_int_equal(function.bridge.prefetchable.last, 0x002fffff);
	put16(&bytes, 0x26, 0x0021);
	assert_int_equal(parse(&bytes, 256), 0);
	assert_only(WARD_PCI_CAP_VALUE, 0x24);
}

static void closed_windows(void **state)
{
	struct bytes bytes;

	(void)state;
	bytes_init(&bytes, 0x1b36, 0x000c, 1);
	put16(&bytes, 0x20, 0xfff0);
	put16(&bytes, 0x22, 0x0000);
	put16(&bytes, 0x24, 0xfff1);
	put16(&bytes, 0x26, 0x0001);
	assert_int_equal(parse(&bytes, 64), 0);
	assert_true(ward_range_is_empty(function.bridge.memory));
	assert_true(ward_range_is_empty(function.bridge.prefetchable));
	/* As after reset: not a window until the bridge decodes memory. */
	put32(&bytes, 0x20, 0);
	put32(&bytes, 0x24, 0);
	assert_int_equal(parse(&bytes, 64), 0);
	assert_true(ward_range_is_empty(function.bridge.memory));
	assert_true(ward_range_is_empty(function.bridge.prefetchable));
	put16(&bytes, 0x04, 2);
	assert_int_equal(parse(&bytes, 64), 0);
	assert_int_equal(function.bridge.memory.start, 0);
	assert_int_equal(function.bridge.memory.last, 0xfffff);
	/* What the kernel said of a window stays. */
	blank(&function);
	function.bridge.memory = (struct ward_range){ 0x1000, 0x1fff };
	assert_int_equal(ward_pci_config_parse(bytes.at, 64, &function, &problems), 0);
	assert_int_equal(function.bridge.memory.start, 0x1000);
	/* Bus numbers the wrong way round. */
	put32(&bytes, 0x18, 0x00010200);
	assert_int_equal(parse(&bytes, 64), 0);
	assert_only(WARD_PCI_CAP_VALUE, 0x18);
}

static void root_port_with_egress_control(void **state)
{
	struct bytes bytes;

	(void)state;
	bytes_init(&bytes, 0x8086, 0x2030, 1);
	add_pcie(&bytes, 0x40, 4);
	put32(&bytes, 0x4c, 0x12000000);
	put16(&bytes, 0x68, 0x20);
	add_acs(&bytes, 0x100, 0x3f | 40 << 8, 0x25);
	put32(&bytes, 0x108, 0x80000001);
	put32(&bytes, 0x10c, 0xffffff80);
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_int_equal(problems.mask, 0);
	assert_int_equal(function.pcie_type, WARD_PCIE_ROOT_PORT);
	assert_int_equal(function.port_number, 0x12);
	assert_true(function.ari_forwarding);
	assert_int_equal(function.acs.capability, 0x3f | 40 << 8);
	assert_int_equal(function.acs.control, 0x25);
	assert_int_equal(function.acs.egress[0], 0x80000001);
	/* Of 40 bits, 8 are in the second word. */
	assert_int_equal(function.acs.egress[1], 0x80);

	/* 0 means 256 bits. */
	put16(&bytes, 0x104, 0x3f);
	put32(&bytes, 0x124, 0x92345678);
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_int_equal(function.acs.egress[7], 0x92345678);
	assert_int_equal(function.acs.egress[1], 0xffffff80);

	/* Without egress control there is no vector. */
	put16(&bytes, 0x104, 0x1f);
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_int_equal(function.acs.egress[0], 0);
}

static void wide_acs_registers(void **state)
{
	struct bytes bytes;

	(void)state;
	bytes_init(&bytes, 0x8086, 0xa110, 1);
	add_pcie(&bytes, 0x40, 4);
	add_acs(&bytes, 0x100, 0x1f, 0);
	put16(&bytes, 0x108, 0x1d);
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_int_equal(function.acs.control, 0x1d);
	put16(&bytes, 0x02, 0xa108);
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_int_equal(function.acs.control, 0);
}

static void ari_only_of_ports(void **state)
{
	struct bytes bytes;

	(void)state;
	bytes_init(&bytes, 0x8086, 0x1234, 0);
	add_pcie(&bytes, 0x40, 0);
	put16(&bytes, 0x68, 0x20);
	assert_int_equal(parse(&bytes, 256), 0);
	assert_false(function.ari_forwarding);
	/* Version 1 of the structure ends before the register. */
	put16(&bytes, 0x42, 4 << 4 | 1);
	assert_int_equal(parse(&bytes, 256), 0);
	assert_false(function.ari_forwarding);
	put16(&bytes, 0x42, 4 << 4 | 2);
	assert_int_equal(parse(&bytes, 256), 0);
	assert_true(function.ari_forwarding);
}

/* One bad field at a time in a list that is otherwise that of endpoint(). */
static void broken_list(void **state)
{
	static const struct {
		unsigned int offset;
		uint8_t value;
		enum ward_pci_problem_code code;
		unsigned int at;
	} cases[] = {
		{ 0x71, 0x40, WARD_PCI_CHAIN_LOOP, 0x71 },
		{ 0x71, 0x70, WARD_PCI_CHAIN_LOOP, 0x71 },
		{ 0x71, 0x3c, WARD_PCI_CHAIN_POINTER, 0x71 },
		{ 0x34, 0x04, WARD_PCI_CHAIN_POINTER, 0x34 },
		{ 0xa0, 0xff, WARD_PCI_CHAIN_ONES, 0xa0 },
		{ 0x71, 0xfc, WARD_PCI_CAP_OVERRUN, 0xfc },
		{ 0xa2, 0x22, WARD_PCI_CAP_VALUE, 0xa2 },
		{ 0xa2, 0xf2, WARD_PCI_CAP_VALUE, 0xa2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes bytes;

		endpoint(&bytes);
		bytes.at[0xfc] = 0x10;
		bytes.at[cases[i].offset] = cases[i].value;
		assert_int_equal(parse(&bytes, 4096), 0);
		assert_only(cases[i].code, cases[i].at);
		assert_int_equal(function.pcie_known, WARD_UNKNOWN);
		assert_int_equal(function.acs.present, WARD_UNKNOWN);
		assert_int_equal(function.ats, WARD_UNKNOWN);
		assert_int_equal(function.resets_known, WARD_UNKNOWN);
		assert_non_null(ward_pci_problem_text(cases[i].code));
	}
}

static void harmless_damage(void **state)
{
	struct bytes bytes;

	(void)state;
	/* Reserved low bits of a pointer are ignored. */
	endpoint(&bytes);
	bytes.at[0x71] = 0xa3;
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_only(WARD_PCI_CHAIN_MISALIGNED, 0x71);
	assert_int_equal(function.pcie_known, WARD_YES);
	assert_int_equal(function.pcie_type, WARD_PCIE_ENDPOINT);
	assert_int_equal(function.acs.present, WARD_YES);
	/* What stood before a loop was read. */
	endpoint(&bytes);
	bytes.at[0xa1] = 0x50;
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_only(WARD_PCI_CHAIN_LOOP, 0xa1);
	assert_int_equal(function.pcie_known, WARD_YES);
	assert_int_equal(function.acs.present, WARD_YES);
	assert_true(function.msix);
	/* The first of two counts. */
	endpoint(&bytes);
	add_capability(&bytes, 0xe0, 0x05);
	put16(&bytes, 0xe2, 5 << 1);
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_only(WARD_PCI_CAP_TWICE, 0xe0);
	assert_int_equal(function.msi_vectors, 4);
}

/* The capability stands at 0x50: what it writes is known while it is enabled. */
static void message_of_msi(void **state)
{
	struct bytes bytes;

	(void)state;
	endpoint(&bytes);
	put32(&bytes, 0x54, 0xfee00398);
	put16(&bytes, 0x58, 0x4021);
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_false(function.msi_message_known);
	put16(&bytes, 0x52, 2 << 1 | 1);
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_true(function.msi_message_known);
	assert_int_equal(ward_iova_raw(function.msi_message.address), 0xfee00398);
	assert_int_equal(function.msi_message.data, 0x4021);
	/* With 64 bits of address the data comes later. */
	put16(&bytes, 0x52, 0x80 | 2 << 1 | 1);
	put32(&bytes, 0x58, 0x12);
	put16(&bytes, 0x5c, 0x66);
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_int_equal(ward_iova_raw(function.msi_message.address), 0x12fee00398);
	assert_int_equal(function.msi_message.data, 0x66);
}

static void impossible_values(void **state)
{
	struct bytes bytes;

	(void)state;
	endpoint(&bytes);
	put16(&bytes, 0x52, 7 << 1);
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_only(WARD_PCI_CAP_VALUE, 0x52);
	assert_int_equal(function.msi_vectors, 32);
	endpoint(&bytes);
	put32(&bytes, 0x74, 6);
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_only(WARD_PCI_CAP_VALUE, 0x74);
	endpoint(&bytes);
	bytes.at[0x3d] = 5;
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_only(WARD_PCI_CAP_VALUE, 0x3d);
	assert_int_equal(function.intx_pin, 0);
	endpoint(&bytes);
	put16(&bytes, 0x150, 65);
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_only(WARD_PCI_CAP_VALUE, 0x150);
	assert_int_equal(function.vfs_enabled, 64);
	endpoint(&bytes);
	put16(&bytes, 0x1c4, 21 << 8);
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_only(WARD_PCI_CAP_VALUE, 0x1c4);
	/* A 64-bit BAR has no room in the last register. */
	endpoint(&bytes);
	put32(&bytes, 0x24, 0xf0000004);
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_only(WARD_PCI_CAP_VALUE, 0x24);
	endpoint(&bytes);
	bytes.at[0x0e] = 0x05;
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_only(WARD_PCI_HEADER_TYPE, 0x0e);
	assert_int_equal(function.pcie_known, WARD_UNKNOWN);
}

static void broken_extended_list(void **state)
{
	static const struct {
		unsigned int offset;
		uint32_t value;
		enum ward_pci_problem_code code;
		unsigned int at;
	} cases[] = {
		{ 0x120, 0x1201000f, WARD_PCI_CHAIN_LOOP, 0x120 },
		{ 0x120, 0x1001000f, WARD_PCI_CHAIN_LOOP, 0x120 },
		{ 0x120, 0x0f01000f, WARD_PCI_CHAIN_POINTER, 0x120 },
		{ 0x140, 0xffffffff, WARD_PCI_CHAIN_ONES, 0x140 },
	};
	struct bytes bytes;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		endpoint(&bytes);
		put32(&bytes, cases[i].offset, cases[i].value);
		assert_int_equal(parse(&bytes, 4096), 0);
		assert_only(cases[i].code, cases[i].at);
		assert_int_equal(function.acs.present, WARD_YES);
		assert_int_equal(function.ats, WARD_YES);
		assert_int_equal(function.pri, WARD_UNKNOWN);
		assert_int_equal(function.pasid, WARD_UNKNOWN);
		assert_int_equal(function.resets_known, WARD_YES);
	}
	/* Extended space that is not there although the file is long. */
	endpoint(&bytes);
	memset(bytes.at + 256, 0xff, 4096 - 256);
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_only(WARD_PCI_CHAIN_ONES, 0x100);
	assert_int_equal(function.acs.present, WARD_UNKNOWN);
	/* None, said in the two ways there are. */
	endpoint(&bytes);
	put32(&bytes, 0x100, 0);
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_int_equal(function.acs.present, WARD_NO);
	put32(&bytes, 0x100, 0xffff);
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_int_equal(problems.mask, 0);
	assert_int_equal(function.acs.present, WARD_NO);
	/* An empty entry leads on. */
	put32(&bytes, 0x100, 0x12000000);
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_int_equal(function.acs.present, WARD_NO);
	assert_int_equal(function.ats, WARD_YES);
}

static void extended_at_the_end(void **state)
{
	struct bytes bytes;

	(void)state;
	/* ACS fits exactly; then its vector does not; then it does not itself. */
	bytes_init(&bytes, 0x1234, 0x5678, 1);
	add_pcie(&bytes, 0x40, 6);
	put32(&bytes, 0x100, 0xff800000);
	put32(&bytes, 0xff8, 0x0001000d);
	put32(&bytes, 0xffc, 0x0005001f);
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_int_equal(problems.mask, 0);
	assert_int_equal(function.acs.control, 5);
	put32(&bytes, 0xffc, 0x0025013f);
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_only(WARD_PCI_CAP_OVERRUN, 0xff8);
	assert_int_equal(function.acs.present, WARD_YES);
	assert_int_equal(function.acs.egress[0], 0);
	put32(&bytes, 0x100, 0xffc00000);
	put32(&bytes, 0xffc, 0x0001000d);
	assert_int_equal(parse(&bytes, 4096), 0);
	assert_only(WARD_PCI_CAP_OVERRUN, 0xffc);
	assert_int_equal(function.acs.present, WARD_UNKNOWN);
}

static void unlinked_pcie_of_qat(void **state)
{
	struct bytes bytes;

	(void)state;
	bytes_init(&bytes, 0x8086, 0x0443, 0);
	add_capability(&bytes, 0x90, 0x05);
	put32(&bytes, 0x50, 0x00020010);
	assert_int_equal(parse(&bytes, 256), 0);
	assert_int_equal(function.pcie_type, WARD_PCIE_ENDPOINT);
	put16(&bytes, 0x02, 0x0444);
	assert_int_equal(parse(&bytes, 256), 0);
	assert_int_equal(function.pcie_type, WARD_PCIE_NONE);
}

static void cardbus_list_starts_elsewhere(void **state)
{
	struct bytes bytes;

	(void)state;
	bytes_init(&bytes, 0x104c, 0xac56, 2);
	put32(&bytes, 0x18, 0x00060504);
	add_capability(&bytes, 0xa0, 0x01);
	assert_int_equal(parse(&bytes, 256), 0);
	assert_int_equal(function.header_type, 2);
	assert_int_equal(function.bridge.secondary, 5);
	assert_int_equal(function.resets, WARD_RESET_PM);
}

static void more_problems_than_fit(void **state)
{
	struct bytes bytes;

	(void)state;
	bytes_init(&bytes, 0x1234, 0x5678, 0);
	for (unsigned int i = 0; i < 12; i++)
		add_capability(&bytes, 0x40 + 12 * i, 0x05);
	assert_int_equal(parse(&bytes, 256), 0);
	assert_int_equal(problems.count, WARD_PCI_PROBLEMS_MAX);
	assert_int_equal(problems.mask, 1u << WARD_PCI_CAP_TWICE);
}

static void ports_that_call_themselves_wrong(void **state)
{
	(void)state;
	assert_int_equal(ward_pcie_type_below(WARD_PCIE_DOWNSTREAM, WARD_PCIE_ROOT_PORT),
			 WARD_PCIE_UPSTREAM);
	assert_int_equal(ward_pcie_type_below(WARD_PCIE_DOWNSTREAM, WARD_PCIE_UPSTREAM),
			 WARD_PCIE_DOWNSTREAM);
	assert_int_equal(ward_pcie_type_below(WARD_PCIE_UPSTREAM, WARD_PCIE_UPSTREAM),
			 WARD_PCIE_DOWNSTREAM);
	assert_int_equal(ward_pcie_type_below(WARD_PCIE_UPSTREAM, WARD_PCIE_ROOT_PORT),
			 WARD_PCIE_UPSTREAM);
	assert_int_equal(ward_pcie_type_below(WARD_PCIE_ENDPOINT, WARD_PCIE_ROOT_PORT),
			 WARD_PCIE_ENDPOINT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_an_endpoint),
		cmocka_unit_test(every_bit_off),
		cmocka_unit_test(header_only_is_unknown),
		cmocka_unit_test(plain_space_leaves_extended_unknown),
		cmocka_unit_test(conventional_has_no_extended),
		cmocka_unit_test(subsystem_capability_is_for_bridges),
		cmocka_unit_test(no_list_at_all),
		cmocka_unit_test(no_answer),
		cmocka_unit_test(virtual_function_keeps_the_kernels_ids),
		cmocka_unit_test(bridge_windows),
		cmocka_unit_test(closed_windows),
		cmocka_unit_test(root_port_with_egress_control),
		cmocka_unit_test(wide_acs_registers),
		cmocka_unit_test(ari_only_of_ports),
		cmocka_unit_test(broken_list),
		cmocka_unit_test(harmless_damage),
		cmocka_unit_test(message_of_msi),
		cmocka_unit_test(impossible_values),
		cmocka_unit_test(broken_extended_list),
		cmocka_unit_test(extended_at_the_end),
		cmocka_unit_test(unlinked_pcie_of_qat),
		cmocka_unit_test(cardbus_list_starts_elsewhere),
		cmocka_unit_test(more_problems_than_fit),
		cmocka_unit_test(ports_that_call_themselves_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

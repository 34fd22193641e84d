/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#include "pci/backdoor.h"

#define DISPLAY 0x030000
#define ANY_SUBCLASS 0xff0000

static const char qemu[] = "QEMU hw/vfio/pci-quirks.c";
static const char envytools[] = "envytools, MMIO register ranges of NV50 and up: PPCI_HDA";

static const char plx[] = "Broadcom PCI/PCIe SDK, PlxApi";

static const struct ward_backdoor rows[] = {
	{
		.vendor = 0x10de,
		.device_first = 0,
		.device_last = 0xffff,
		.class_code = DISPLAY,
		.class_mask = ANY_SUBCLASS,
		.reach = WARD_BACKDOOR_OWN_CONFIG,
		.certain = true,
		.bars = 1 << 0 | 1 << 5,
		.name = "NVIDIA config mirror",
		.text = "BAR 0 at 0x88000 (older: 0x1800) and a window in BAR 5 are its own "
			"config space",
		.source = qemu,
	},
	{
		.vendor = 0x10de,
		.device_first = 0x0a20,
		.device_last = 0x0a7f,
		.class_code = DISPLAY,
		.class_mask = ANY_SUBCLASS,
		.reach = WARD_BACKDOOR_SIBLINGS,
		.certain = true,
		.bars = 1 << 0,
		.name = "NVIDIA audio config mirror",
		.text = "BAR 0 at 0x8a000 is the config space of its audio function",
		.source = envytools,
	},
	{
		.vendor = 0x10de,
		.device_first = 0x0ca0,
		.device_last = 0x0cbf,
		.class_code = DISPLAY,
		.class_mask = ANY_SUBCLASS,
		.reach = WARD_BACKDOOR_SIBLINGS,
		.certain = true,
		.bars = 1 << 0,
		.name = "NVIDIA audio config mirror",
		.text = "BAR 0 at 0x8a000 is the config space of its audio function",
		.source = envytools,
	},
	{
		.vendor = 0x10de,
		.device_first = 0x0cc0,
		.device_last = 0xffff,
		.class_code = DISPLAY,
		.class_mask = ANY_SUBCLASS,
		.reach = WARD_BACKDOOR_SIBLINGS,
		.certain = false,
		.bars = 1 << 0,
		.name = "NVIDIA audio config mirror",
		.text = "BAR 0 at 0x8a000 was the config space of the audio function in earlier "
			"models, and may be so here",
		.source = envytools,
	},
	{
		.vendor = 0x1002,
		.device_first = 0,
		.device_last = 0xffff,
		.class_code = DISPLAY,
		.class_mask = ANY_SUBCLASS,
		.reach = WARD_BACKDOOR_OWN_CONFIG,
		.certain = true,
		.bars = 1 << 2 | 1 << 4,
		.name = "AMD config mirror",
		.text = "BAR 2 at 0x4000 and a window in BAR 4 show its own config space, it "
			"seems for reading only",
		.source = qemu,
	},
	{
		.vendor = 0x10ec,
		.device_first = 0x8168,
		.device_last = 0x8168,
		.reach = WARD_BACKDOOR_OWN_CONFIG,
		.certain = true,
		.bars = 1 << 2,
		.name = "Realtek MSI-X window",
		.text = "registers 0x70 and 0x74 of BAR 2 are a window onto its own MSI-X table",
		.source = qemu,
	},
	{
		.vendor = 0x1a03,
		.device_first = 0x2000,
		.device_last = 0x2000,
		.reach = WARD_BACKDOOR_MACHINE,
		.certain = false,
		.bars = 1 << 1,
		.name = "ASPEED P2A bridge",
		.text = "a window in BAR 1 reaches all memory and flash of the management "
			"controller, unless its firmware has switched that off",
		.source = "CVE-2019-6260; OpenBMC designs, aspeed-p2a-ctrl",
	},
	{
		.vendor = 0x8086,
		.device_first = 0x0102,
		.device_last = 0x0126,
		.class_code = DISPLAY,
		.class_mask = ANY_SUBCLASS,
		.reach = WARD_BACKDOOR_MACHINE,
		.certain = true,
		.bars = 1 << 0,
		.name = "Intel memory controller mirror",
		.text = "BAR 0 at 0x140000 is the register block of the host's memory controller",
		.source = "Linux drivers/gpu/drm/i915/intel_mchbar_regs.h",
	},
	{
		.vendor = 0x8086,
		.device_first = 0x0152,
		.device_last = 0x016a,
		.class_code = DISPLAY,
		.class_mask = ANY_SUBCLASS,
		.reach = WARD_BACKDOOR_MACHINE,
		.certain = true,
		.bars = 1 << 0,
		.name = "Intel memory controller mirror",
		.text = "BAR 0 at 0x140000 is the register block of the host's memory controller",
		.source = "Linux drivers/gpu/drm/i915/intel_mchbar_regs.h",
	},
#define VMD(id)                                                                 \
	{                                                                       \
		.vendor = 0x8086, .device_first = id, .device_last = id,        \
		.reach = WARD_BACKDOOR_BEHIND, .certain = true, .bars = 1 << 0, \
		.name = "Intel VMD",                                            \
		.text = "BAR 0 is the config space of all functions behind it", \
		.source = "Linux drivers/pci/controller/vmd.c",                 \
	}
	VMD(0x201d),
	VMD(0x28c0),
	VMD(0x467f),
	VMD(0x4c3d),
	VMD(0x7d0b),
	VMD(0x9a0b),
	VMD(0xa77f),
	VMD(0xad0b),
	VMD(0xb06f),
	VMD(0xb60b),
#undef VMD
	{
		.vendor = 0x10b5,
		.device_first = 0x8500,
		.device_last = 0x97ff,
		.class_code = 0x060400,
		.class_mask = 0xffff00,
		.reach = WARD_BACKDOOR_BEHIND,
		.certain = false,
		.bars = 1 << 0,
		.name = "PLX switch registers",
		.text = "BAR 0 of the upstream port is the register block of all ports of its "
			"switch, ACS included",
		.source = plx,
	},
	{
		.vendor = 0x10b5,
		.device_first = 0x87b0,
		.device_last = 0x87b1,
		.reach = WARD_BACKDOOR_BRIDGE,
		.certain = false,
		.bars = 1 << 0,
		.name = "PLX switch registers",
		.text = "BAR 0 of the non-transparent endpoint is the register block of its "
			"switch",
		.source = plx,
	},
/* Management endpoint of a switch, beside its upstream port: memory controller or bridge. */
#define SWITCHTEC(first, last, class)                                                              \
	{                                                                                          \
		.vendor = 0x11f8, .device_first = first, .device_last = last, .class_code = class, \
		.class_mask = 0xffff00, .reach = WARD_BACKDOOR_SIBLINGS, .certain = true,          \
		.bars = 1 << 0, .name = "Switchtec registers",                                     \
		.text = "BAR 0 is the register space of the whole switch",                         \
		.source = "Linux include/linux/switchtec.h",                                       \
	}
	SWITCHTEC(0x8531, 0x8576, 0x058000),
	SWITCHTEC(0x8531, 0x8576, 0x068000),
	SWITCHTEC(0x4000, 0x45ff, 0x058000),
	SWITCHTEC(0x4000, 0x45ff, 0x068000),
	SWITCHTEC(0x5000, 0x55ff, 0x058000),
	SWITCHTEC(0x5000, 0x55ff, 0x068000),
#undef SWITCHTEC
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static bool applies(const struct ward_backdoor *row, const struct ward_function *function)
{
	return row->vendor == function->vendor && row->device_first <= function->device &&
	       function->device <= row->device_last &&
	       (function->class_code & row->class_mask) == row->class_code;
}

const struct ward_backdoor *ward_backdoor_find(const struct ward_function *function,
					       const struct ward_backdoor *after)
{
	for (const struct ward_backdoor *row = after ? after + 1 : rows; row < rows + ROWS; row++)
		if (applies(row, function))
			return row;
	return NULL;
}

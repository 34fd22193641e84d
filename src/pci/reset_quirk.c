/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Facts from Linux drivers/pci/quirks.c, read in 6.13: quirk_no_flr, quirk_no_flr_snet,
 * quirk_no_pm_reset, pci_dev_reset_methods.
 */
#include "pci/reset_quirk.h"

struct row {
	uint16_t vendor;
	uint16_t device;
	uint16_t mask;	     /* of device; 0: any */
	int16_t revision;    /* -1: any */
	uint32_t class_code; /* base class and subclass; 0: any */
	uint32_t add, remove;
	/* The row is for functions below a bridge: on a root bus a bad reset beats none. */
	bool below_bridge;
	/* Adds only where FLR is there. */
	bool with_flr;
};

#define FLR (WARD_RESET_FLR | WARD_RESET_AF)
#define NO_FLR(vendor, device)                                      \
	{                                                           \
		vendor, device, 0xffff, -1, 0, 0, FLR, false, false \
	}
#define NO_PM(vendor, device)                                                \
	{                                                                    \
		vendor, device, 0xffff, -1, 0, 0, WARD_RESET_PM, true, false \
	}
#define OWN(vendor, device, mask, with_flr)                                        \
	{                                                                          \
		vendor, device, mask, -1, 0, WARD_RESET_DEVICE, 0, false, with_flr \
	}

static const struct row rows[] = {
	NO_FLR(0x1022, 0x1487),					/* AMD Starship, Matisse audio */
	NO_FLR(0x1022, 0x148c),					/* AMD Starship USB */
	NO_FLR(0x1022, 0x149c),					/* AMD Matisse USB */
	NO_FLR(0x1022, 0x7901),					/* AMD FCH SATA */
	NO_FLR(0x8086, 0x1502),					/* Intel 82579LM */
	NO_FLR(0x8086, 0x1503),					/* Intel 82579V */
	NO_FLR(0x14c3, 0x0616),					/* MediaTek MT7922 */
	{ 0xd063, 0x1000, 0xffff, 1, 0, 0, FLR, false, false }, /* SolidRun SNET DPU */
	{ 0x1002, 0, 0, -1, 0x0300, 0, WARD_RESET_PM, true, false }, /* AMD GPUs keep state */
	NO_PM(0x15b3, 0xcb84),					     /* Spectrum */
	NO_PM(0x15b3, 0xcf6c),
	NO_PM(0x15b3, 0xcf70),
	NO_PM(0x15b3, 0xcf80),
	OWN(0x8086, 0x10ed, 0xffff, false), /* 82599 VF: FLR works, is not announced */
	OWN(0x8086, 0x0156, 0xffff, false), /* Ivy Bridge graphics */
	OWN(0x8086, 0x0166, 0xffff, false),
	OWN(0x144d, 0xa804, 0xffff, true), /* Samsung SM961: quiesced before FLR */
	OWN(0x8086, 0x0953, 0xffff, true), /* waits after FLR */
	OWN(0x8086, 0x0a54, 0xffff, true),
	OWN(0x025e, 0xf1ac, 0xffff, true),
	OWN(0x1425, 0x4000, 0xf000, false), /* Chelsio T4 */
	OWN(0x19e5, 0x375e, 0xffff, false), /* Huawei HiNIC VF */
};

uint32_t ward_reset_quirk(const struct ward_function *function)
{
	uint32_t resets = function->resets;

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];

		if (row->vendor != function->vendor ||
		    (function->device & row->mask) != row->device)
			continue;
		if (row->revision >= 0 && row->revision != function->revision)
			continue;
		if (row->class_code && row->class_code != function->class_code >> 8)
			continue;
		if (row->below_bridge && function->parent == WARD_NONE)
			continue;
		if (row->with_flr && !(resets & WARD_RESET_FLR))
			continue;
		resets = (resets & ~row->remove) | row->add;
	}
	return resets;
}

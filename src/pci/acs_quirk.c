/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Facts from Linux drivers/pci/quirks.c (pci_dev_acs_enabled and the functions it names,
 * pci_quirk_intel_pch_acs_ids), read in 6.13 and in 7.1 (which adds Loongson and two Qualcomm
 * ports). Rows stand in Linux's order, since there the first that applies decides.
 */
#include "pci/acs_quirk.h"

#include <errno.h>

enum condition {
	ALWAYS,
	ROOT_PORT,
	PORT, /* root or downstream port */
	RC_ENDPOINT,
	SOUTHBRIDGE, /* multifunction on the root bus of a machine with an AMD IOMMU */
};

/* What a rule says: when, whether, and which bits. */
struct rule {
	enum condition condition;
	enum ward_tri holds;
	uint16_t bits;
};

#define PORT_BITS (WARD_ACS_SV | WARD_ACS_RR | WARD_ACS_CR | WARD_ACS_UF)
#define ENDPOINT_BITS (PORT_BITS | WARD_ACS_TB | WARD_ACS_DT)

/* Functions that never talk to each other, as their vendors told. */
static const struct rule endpoint = { ALWAYS, WARD_YES, ENDPOINT_BITS };
/* Only RR and CR mean something between functions of one device; the others are not asked for. */
static const struct rule southbridge = { SOUTHBRIDGE, WARD_YES, PORT_BITS | WARD_ACS_TB };
static const struct rule rc_endpoint = { RC_ENDPOINT, WARD_YES, PORT_BITS };
/* Ports without the capability that pass nothing on to each other. */
static const struct rule ids_only = { ALWAYS, WARD_YES, PORT_BITS };
static const struct rule root_port = { ROOT_PORT, WARD_YES, PORT_BITS };
static const struct rule any_port = { PORT, WARD_YES, PORT_BITS };
static const struct rule other_port = { PORT, WARD_NO, 0 };
static const struct rule never = { ALWAYS, WARD_NO, 0 };
/* Holds once the kernel has switched peer decoding off in the chipset at boot. */
static const struct rule chipset = { ROOT_PORT, WARD_UNKNOWN, PORT_BITS };

struct row {
	uint16_t vendor;
	uint16_t first, last; /* device ids, inclusive */
	uint16_t step;	      /* 1, or 2 for every other id */
	const struct rule *rule;
	const char *name;
};

#define ONE(vendor, device, rule, name)               \
	{                                             \
		vendor, device, device, 1, rule, name \
	}
#define RANGE(vendor, first, last, rule, name)     \
	{                                          \
		vendor, first, last, 1, rule, name \
	}
#define EVEN(vendor, first, last, rule, name)      \
	{                                          \
		vendor, first, last, 2, rule, name \
	}
#define ANY(vendor, rule, name)                  \
	{                                        \
		vendor, 0, 0xffff, 1, rule, name \
	}

static const struct row rows[] = {
	RANGE(0x1002, 0x4383, 0x4385, &southbridge, "AMD SBx00 southbridge"),
	ONE(0x1002, 0x4399, &southbridge, "AMD SBx00 southbridge"),
	RANGE(0x1002, 0x439c, 0x439d, &southbridge, "AMD SBx00 southbridge"),
	ONE(0x1022, 0x780f, &southbridge, "AMD FCH southbridge"),
	ONE(0x1022, 0x7809, &southbridge, "AMD FCH southbridge"),

	ONE(0x1924, 0x0903, &endpoint, "Solarflare SFC9020"),
	ONE(0x1924, 0x0923, &endpoint, "Solarflare SFC9140"),
	ONE(0x1924, 0x0a03, &endpoint, "Solarflare SFC9220"),
	ONE(0x8086, 0x10c6, &endpoint, "Intel 82598"),
	ONE(0x8086, 0x10db, &endpoint, "Intel 82598"),
	ONE(0x8086, 0x10dd, &endpoint, "Intel 82598"),
	ONE(0x8086, 0x10e1, &endpoint, "Intel 82598"),
	ONE(0x8086, 0x10f1, &endpoint, "Intel 82598"),
	RANGE(0x8086, 0x10f7, 0x10fc, &endpoint, "Intel 82599"),
	ONE(0x8086, 0x1507, &endpoint, "Intel 82599"),
	ONE(0x8086, 0x1514, &endpoint, "Intel 82599"),
	ONE(0x8086, 0x151c, &endpoint, "Intel 82599"),
	RANGE(0x8086, 0x1529, 0x152a, &endpoint, "Intel 82599"),
	ONE(0x8086, 0x154d, &endpoint, "Intel 82599"),
	ONE(0x8086, 0x154f, &endpoint, "Intel 82599"),
	ONE(0x8086, 0x1551, &endpoint, "Intel 82599"),
	ONE(0x8086, 0x1558, &endpoint, "Intel 82599"),
	ONE(0x8086, 0x1509, &endpoint, "Intel 82580"),
	RANGE(0x8086, 0x150e, 0x1511, &endpoint, "Intel 82580"),
	ONE(0x8086, 0x1516, &endpoint, "Intel 82580"),
	ONE(0x8086, 0x1527, &endpoint, "Intel 82580"),
	ONE(0x8086, 0x10c9, &endpoint, "Intel 82576"),
	RANGE(0x8086, 0x10e6, 0x10e8, &endpoint, "Intel 82576"),
	ONE(0x8086, 0x150a, &endpoint, "Intel 82576"),
	ONE(0x8086, 0x150d, &endpoint, "Intel 82576"),
	ONE(0x8086, 0x1518, &endpoint, "Intel 82576"),
	ONE(0x8086, 0x1526, &endpoint, "Intel 82576"),
	ONE(0x8086, 0x10a7, &endpoint, "Intel 82575"),
	ONE(0x8086, 0x10a9, &endpoint, "Intel 82575"),
	ONE(0x8086, 0x10d6, &endpoint, "Intel 82575"),
	RANGE(0x8086, 0x1521, 0x1524, &endpoint, "Intel I350"),
	RANGE(0x8086, 0x105e, 0x1060, &endpoint, "Intel 82571"),
	ONE(0x8086, 0x10d9, &endpoint, "Intel 82571"),
	RANGE(0x8086, 0x15b7, 0x15b8, &endpoint, "Intel I219"),
	ANY(0x8086, &rc_endpoint, "Intel root complex endpoint"),

	RANGE(0x17cb, 0x0400, 0x0401, &ids_only, "Qualcomm QDF2xxx root port"),
	ONE(0x17cb, 0x0115, &ids_only, "Qualcomm SA8775P root port"),
	ONE(0x17cb, 0x0111, &ids_only, "Qualcomm Hamoa root port"),
	ONE(0x17cb, 0x0120, &ids_only, "Qualcomm Glymur root port"),
	ONE(0x1dbf, 0x0401, &ids_only, "HXT SD4800 root port"),

	RANGE(0x8086, 0x3b42, 0x3b51, &chipset, "Intel Ibex Peak root port"),
	RANGE(0x8086, 0x1c10, 0x1c1f, &chipset, "Intel Cougar Point root port"),
	RANGE(0x8086, 0x1e10, 0x1e1f, &chipset, "Intel Panther Point root port"),
	RANGE(0x8086, 0x8c10, 0x8c1f, &chipset, "Intel Lynx Point-H root port"),
	RANGE(0x8086, 0x9c10, 0x9c1b, &chipset, "Intel Lynx Point-LP root port"),
	RANGE(0x8086, 0x9c90, 0x9c9b, &chipset, "Intel Wildcat Point root port"),
	EVEN(0x8086, 0x1d10, 0x1d1e, &chipset, "Intel Patsburg (X79) root port"),
	RANGE(0x8086, 0x8d10, 0x8d1e, &chipset, "Intel Wellsburg (X99) root port"),
	EVEN(0x8086, 0x8c90, 0x8c9e, &chipset, "Intel 9 series root port"),

	ONE(0x19a2, 0x0710, &endpoint, "Emulex BE3-R"),
	ONE(0x10df, 0x0720, &endpoint, "Emulex Skyhawk-R"),
	RANGE(0x177d, 0xa000, 0xa7ff, &root_port, "Cavium ThunderX root port"),
	ONE(0x177d, 0xaf84, &root_port, "Cavium ThunderX2 root port"),
	ONE(0x177d, 0xb884, &root_port, "Marvell ThunderX3 root port"),
	ONE(0x177d, 0xa026, &endpoint, "Cavium ThunderX function"),
	RANGE(0x177d, 0xa059, 0xa059, &endpoint, "Cavium ThunderX function"),
	ONE(0x177d, 0xa060, &endpoint, "Cavium ThunderX function"),
	ONE(0x10e8, 0xe004, &ids_only, "APM X-Gene root port"),
	RANGE(0x1def, 0xe005, 0xe00c, &ids_only, "Ampere root port"),
	ONE(0x14e4, 0x16d7, &endpoint, "Broadcom BCM57414"),
	RANGE(0x14e4, 0x1750, 0x1752, &endpoint, "Broadcom BCM575xx"),
	RANGE(0x14e4, 0x1760, 0x1763, &endpoint, "Broadcom BCM576xx"),
	ONE(0x14e4, 0xd714, &ids_only, "Broadcom iProc root port"),
	ONE(0x0014, 0x3c09, &ids_only, "Loongson root port"),
	ONE(0x0014, 0x3c19, &ids_only, "Loongson root port"),
	ONE(0x0014, 0x3c29, &ids_only, "Loongson root port"),
	ONE(0x0014, 0x7a09, &ids_only, "Loongson root port"),
	ONE(0x0014, 0x7a19, &ids_only, "Loongson root port"),
	ONE(0x0014, 0x7a29, &ids_only, "Loongson root port"),
	ONE(0x0014, 0x7a39, &ids_only, "Loongson root port"),
	ONE(0x0014, 0x7a49, &ids_only, "Loongson root port"),
	ONE(0x0014, 0x7a59, &ids_only, "Loongson root port"),
	ONE(0x0014, 0x7a69, &ids_only, "Loongson root port"),
	ONE(0x1c36, 0x0031, &root_port, "Annapurna Labs root port"),
	ONE(0x1d17, 0x3038, &endpoint, "Zhaoxin USB controller"),
	ONE(0x1d17, 0x3104, &endpoint, "Zhaoxin USB controller"),
	ONE(0x1d17, 0x9083, &endpoint, "Zhaoxin USB controller"),
	RANGE(0x1957, 0x8d80, 0x8d83, &ids_only, "NXP LX2 root port"),
	RANGE(0x1957, 0x8d88, 0x8d8b, &ids_only, "NXP LX2 root port"),
	RANGE(0x1957, 0x8d90, 0x8d93, &ids_only, "NXP LX2 root port"),
	RANGE(0x1957, 0x8d98, 0x8d9b, &ids_only, "NXP LX2 root port"),
	RANGE(0x1957, 0x8da0, 0x8da1, &ids_only, "NXP LX2 root port"),
	RANGE(0x1957, 0x8da8, 0x8da9, &ids_only, "NXP LX2 root port"),
	RANGE(0x1957, 0x8db0, 0x8db1, &ids_only, "NXP LX2 root port"),
	RANGE(0x1957, 0x8db8, 0x8db9, &ids_only, "NXP LX2 root port"),
	RANGE(0x1d17, 0x0710, 0x071e, &any_port, "Zhaoxin port"),
	ONE(0x1d17, 0x0721, &any_port, "Zhaoxin port"),
	RANGE(0x1d17, 0x0723, 0x0752, &any_port, "Zhaoxin port"),
	ANY(0x1d17, &other_port, "Zhaoxin port of another kind"),
	RANGE(0x8088, 0x0100, 0x010f, &ids_only, "Wangxun 1G adapter"),
	ONE(0x8088, 0x1001, &ids_only, "Wangxun 10G adapter"),
	ONE(0x8088, 0x2001, &ids_only, "Wangxun 10G adapter"),
	ONE(0x8088, 0x5010, &ids_only, "Wangxun FF5xxx adapter"),
	ONE(0x8088, 0x5025, &ids_only, "Wangxun FF5xxx adapter"),
	ONE(0x8088, 0x5040, &ids_only, "Wangxun FF5xxx adapter"),
	ONE(0x8088, 0x5110, &ids_only, "Wangxun FF5xxx adapter"),
	ONE(0x8088, 0x5125, &ids_only, "Wangxun FF5xxx adapter"),
	ONE(0x8088, 0x5140, &ids_only, "Wangxun FF5xxx adapter"),
	ANY(0x8088, &never, "Wangxun device of another kind"),
};

/* A type that could not be read meets no condition: the result is unknown without a row. */
static enum ward_tri meets(const struct ward_function *function, enum condition condition,
			   enum ward_tri ivrs)
{
	enum ward_pcie_type type =
		function->pcie_known == WARD_YES ? function->pcie_type : WARD_PCIE_NONE;
	bool met = false;

	switch (condition) {
	case ALWAYS:
		met = true;
		break;
	case ROOT_PORT:
		met = type == WARD_PCIE_ROOT_PORT;
		break;
	case PORT:
		met = type == WARD_PCIE_ROOT_PORT || type == WARD_PCIE_DOWNSTREAM;
		break;
	case RC_ENDPOINT:
		met = type == WARD_PCIE_RC_ENDPOINT;
		break;
	case SOUTHBRIDGE:
		if (!function->multifunction || function->parent != WARD_NONE)
			return WARD_NO;
		return ivrs;
	}
	return met ? WARD_YES : WARD_NO;
}

int ward_acs_quirk_find(const struct ward_function *function, enum ward_tri ivrs,
			struct ward_acs_quirk *ret_quirk)
{
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		enum ward_tri met;

		if (row->vendor != function->vendor || function->device < row->first ||
		    function->device > row->last || (function->device - row->first) % row->step)
			continue;
		met = meets(function, row->rule->condition, ivrs);
		if (met == WARD_NO)
			continue;
		*ret_quirk = (struct ward_acs_quirk){
			.holds = met == WARD_YES ? row->rule->holds : WARD_UNKNOWN,
			.bits = row->rule->bits,
			.name = row->name,
		};
		return 0;
	}
	return -ENOENT;
}

bool ward_acs_quirk_wide(const struct ward_function *function)
{
	/* Intel 100 series errata 23, 200 series errata 22 and the mobile parts of that age. */
	static const uint16_t ranges[][2] = {
		{ 0xa110, 0xa11f }, { 0xa167, 0xa16a }, { 0xa290, 0xa29f },
		{ 0xa2e7, 0xa2ee }, { 0x9d10, 0x9d1b },
	};

	if (function->vendor != 0x8086 || function->pcie_type != WARD_PCIE_ROOT_PORT)
		return false;
	for (unsigned int i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (ranges[i][0] <= function->device && function->device <= ranges[i][1])
			return true;
	return false;
}

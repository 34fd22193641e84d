/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Facts from Linux drivers/pci/quirks.c, read in 6.13 and 7.1: quirk_dma_func0_alias,
 * quirk_dma_func1_alias, fixed_dma_alias_tbl, quirk_mic_x200_dma_alias, quirk_pex_vca_alias,
 * quirk_plx_ntb_dma_alias, quirk_switchtec_ntb_dma_alias, quirk_use_pcie_bridge_dma_alias.
 */
#include "pci/alias_quirk.h"

#define FUNCTION_0(v, first, last, text)                                     \
	{                                                                    \
		v, first, last, 0, 0, 0, WARD_ALIAS_RULE_FUNCTION_0, 0, text \
	}
#define FUNCTION_1(v, first, last, text)                                     \
	{                                                                    \
		v, first, last, 0, 0, 0, WARD_ALIAS_RULE_FUNCTION_1, 0, text \
	}
#define PROXY(v, first, last)                                           \
	{                                                               \
		v, first, last, 0, 0, 0x0680, WARD_ALIAS_RULE_PROXY, 0, \
			"Switchtec NTB uses proxy ids"                  \
	}

static const char marvell[] = "Marvell 88SE9xxx does DMA as function 1";
static const char vca[] = "Intel VCA forwards requests of its nodes";

static const struct ward_alias_quirk rows[] = {
	FUNCTION_0(0x1180, 0xe832, 0xe832, "Ricoh R5C832 does DMA as function 0"),
	FUNCTION_0(0x1180, 0xe476, 0xe476, "Ricoh R5C476 does DMA as function 0"),
	FUNCTION_0(0x6766, 0x3d40, 0x3d41, "Glenfly GPU does DMA as function 0"),
	FUNCTION_1(0x1b4b, 0x9120, 0x9120, marvell),
	FUNCTION_1(0x1b4b, 0x9123, 0x9123, marvell),
	FUNCTION_1(0x1b4b, 0x9125, 0x9125, marvell),
	FUNCTION_1(0x1b4b, 0x9128, 0x9128, marvell),
	FUNCTION_1(0x1b4b, 0x9130, 0x9130, marvell),
	FUNCTION_1(0x1b4b, 0x9170, 0x9170, marvell),
	FUNCTION_1(0x1b4b, 0x9172, 0x9172, marvell),
	FUNCTION_1(0x1b4b, 0x917a, 0x917a, marvell),
	FUNCTION_1(0x1b4b, 0x9182, 0x9183, marvell),
	FUNCTION_1(0x1b4b, 0x91a0, 0x91a0, marvell),
	FUNCTION_1(0x1b4b, 0x9215, 0x9215, marvell),
	FUNCTION_1(0x1b4b, 0x9220, 0x9220, marvell),
	FUNCTION_1(0x1b4b, 0x9230, 0x9230, marvell),
	FUNCTION_1(0x1b4b, 0x9235, 0x9235, marvell),
	FUNCTION_1(0x1103, 0x0642, 0x0642, "HighPoint RocketRAID 642L does DMA as function 1"),
	FUNCTION_1(0x1103, 0x0645, 0x0645, "HighPoint RocketRAID 644L does DMA as function 1"),
	FUNCTION_1(0x197b, 0x2392, 0x2392, "JMicron JMB388 does DMA as function 1"),
	FUNCTION_1(0x1c28, 0x0122, 0x0122, "Plextor M6e does DMA as function 1"),
	{ 0x9005, 0x0285, 0x0285, 0x9005, 0x02bb, 0, WARD_ALIAS_RULE_FIXED, 0x08,
	  "Adaptec 3405 does DMA from a hidden function 01.0" },
	{ 0x9005, 0x0285, 0x0285, 0x9005, 0x02bc, 0, WARD_ALIAS_RULE_FIXED, 0x08,
	  "Adaptec 3805 does DMA from a hidden function 01.0" },
	{ 0x8086, 0x2260, 0x2260, 0, 0, 0, WARD_ALIAS_RULE_X200, 0,
	  "Intel MIC x200 forwards foreign requester ids" },
	{ 0x8086, 0x2264, 0x2264, 0, 0, 0, WARD_ALIAS_RULE_X200, 0,
	  "Intel MIC x200 forwards foreign requester ids" },
	{ 0x8086, 0x2954, 0x2956, 0, 0, 0, WARD_ALIAS_RULE_LOW_FIVE, 0, vca },
	{ 0x8086, 0x2958, 0x295a, 0, 0, 0, WARD_ALIAS_RULE_LOW_FIVE, 0, vca },
	{ 0x10b5, 0x87b0, 0x87b1, 0, 0, 0, WARD_ALIAS_RULE_ALL, 0, "PLX NTB uses proxy ids" },
	/* Third generation; then per generation and kind, one device per port count. */
	PROXY(0x11f8, 0x8531, 0x8536),
	PROXY(0x11f8, 0x8541, 0x8546),
	PROXY(0x11f8, 0x8551, 0x8556),
	PROXY(0x11f8, 0x8561, 0x8566),
	PROXY(0x11f8, 0x8571, 0x8576),
	PROXY(0x11f8, 0x4000, 0x45ff),
	PROXY(0x11f8, 0x5000, 0x55ff),
	PROXY(0x1055, 0x1001, 0x1006),
};

const struct ward_alias_quirk *ward_alias_quirk_find(const struct ward_function *function)
{
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct ward_alias_quirk *row = &rows[i];

		if (row->vendor != function->vendor || function->device < row->first ||
		    function->device > row->last)
			continue;
		if (row->subsystem_vendor && (row->subsystem_vendor != function->subsystem_vendor ||
					      row->subsystem != function->subsystem_device))
			continue;
		if (row->class_code && row->class_code != function->class_code >> 8)
			continue;
		return row;
	}
	return NULL;
}

bool ward_alias_quirk_hidden_pcie(const struct ward_function *function)
{
	static const uint16_t ids[][2] = {
		{ 0x1b21, 0x1080 }, /* ASMedia ASM1083, ASM1085 */
		{ 0x10e3, 0x8113 }, /* Tundra Tsi381 family */
		{ 0x1283, 0x8892 }, /* ITE */
		{ 0x1283, 0x8893 }, /* ITE */
		{ 0x8086, 0x244e }, /* Intel 82801 */
	};

	if (function->header_type != 1)
		return false;
	for (unsigned int i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (ids[i][0] == function->vendor && ids[i][1] == function->device)
			return true;
	return false;
}

bool ward_alias_quirk_transparent(const struct ward_function *function)
{
	/* ASPEED AST1150, in newer kernels only. */
	return function->vendor == 0x1a03 && function->device == 0x1150;
}

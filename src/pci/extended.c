/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The extended capability list from 0x100 on (PCI Express Base Specification, 7.6.3, 7.7.11 ACS,
 * 7.8.8 PASID, 9.3.3 SR-IOV, 10.5 ATS and PRI). Register offsets as in Linux
 * include/uapi/linux/pci_regs.h.
 */
#include <string.h>

#include "pci/acs_quirk.h"
#include "pci/capability.h"

#define FIRST 0x100
/* Multiples of four in 0x100 .. 0xfff. */
#define ENTRIES ((WARD_CONFIG_FULL - FIRST) / 4)

/* Rows of the table below. */
enum {
	ROW_ACS,
	ROW_ATS,
	ROW_SRIOV,
	ROW_PRI,
	ROW_PASID,
};

static void take_egress(struct ward_config *config, unsigned int offset)
{
	struct ward_acs *acs = &config->function->acs;
	unsigned int bits = acs->capability >> 8 ? acs->capability >> 8 : 256;
	unsigned int words = (bits + 31) / 32;

	if (!ward_config_holds(config, offset + 8, words * 4)) {
		ward_config_problem(config, WARD_PCI_CAP_OVERRUN, offset);
		return;
	}
	for (unsigned int i = 0; i < words; i++)
		acs->egress[i] = ward_config_u32(config, offset + 8 + 4 * i);
	if (bits % 32)
		acs->egress[words - 1] &= (1u << bits % 32) - 1;
}

static bool take_acs(struct ward_config *config, unsigned int offset)
{
	struct ward_acs *acs = &config->function->acs;

	acs->capability = ward_config_u16(config, offset + 4);
	if (ward_acs_quirk_wide(config->function)) {
		if (!ward_config_holds(config, offset, 12)) {
			ward_config_problem(config, WARD_PCI_CAP_OVERRUN, offset);
			return false;
		}
		acs->control = ward_config_u16(config, offset + 8);
		return true;
	}
	acs->control = ward_config_u16(config, offset + 6);
	if (acs->capability & WARD_ACS_EC)
		take_egress(config, offset);
	return true;
}

static bool take_ats(struct ward_config *config, unsigned int offset)
{
	config->function->ats_enabled = ward_config_u16(config, offset + 6) & 0x8000;
	return true;
}

static bool take_sriov(struct ward_config *config, unsigned int offset)
{
	bool enabled = ward_config_u16(config, offset + 8) & 1;
	uint16_t total = ward_config_u16(config, offset + 0x0e);
	uint16_t count = ward_config_u16(config, offset + 0x10);

	config->function->vfs_total = total;
	if (enabled && count > total) {
		ward_config_problem(config, WARD_PCI_CAP_VALUE, offset + 0x10);
		count = total;
	}
	config->function->vfs_enabled = enabled ? count : 0;
	return true;
}

static bool take_pri(struct ward_config *config, unsigned int offset)
{
	config->function->pri_enabled = ward_config_u16(config, offset + 4) & 1;
	return true;
}

static bool take_pasid(struct ward_config *config, unsigned int offset)
{
	/* 20 bits are the most that a PASID has. */
	if ((ward_config_u16(config, offset + 4) >> 8 & 0x1f) > 20)
		ward_config_problem(config, WARD_PCI_CAP_VALUE, offset + 4);
	config->function->pasid_enabled = ward_config_u16(config, offset + 6) & 1;
	return true;
}

static const struct ward_capability table[] = {
	[ROW_ACS] = { 0x0d, 8, take_acs },	  [ROW_ATS] = { 0x0f, 8, take_ats },
	[ROW_SRIOV] = { 0x10, 0x40, take_sriov }, [ROW_PRI] = { 0x13, 16, take_pri },
	[ROW_PASID] = { 0x1b, 8, take_pasid },
};

#define ROWS (sizeof(table) / sizeof(table[0]))

/*
 * A list without capabilities is one empty header: id 0 (or, in a register block, ffff) and no
 * next, which needs no case of its own.
 */
static void walk_list(struct ward_config *config, struct ward_capability_walk *walk)
{
	uint8_t visited[ENTRIES / 8] = { 0 };
	unsigned int offset = FIRST;

	for (;;) {
		uint32_t header = ward_config_u32(config, offset);
		unsigned int entry = (offset - FIRST) / 4;
		unsigned int next = header >> 20;

		if (header == 0xffffffff) {
			ward_config_problem(config, WARD_PCI_CHAIN_ONES, offset);
			walk->damaged = true;
			return;
		}
		visited[entry / 8] |= (uint8_t)(1u << entry % 8);
		ward_capability_take(config, table, ROWS, header & 0xffff, offset, walk);
		if (!next)
			return;
		if (next & 3)
			ward_config_problem(config, WARD_PCI_CHAIN_MISALIGNED, offset);
		next &= 0xffc;
		if (next < FIRST) {
			ward_config_problem(config, WARD_PCI_CHAIN_POINTER, offset);
			walk->damaged = true;
			return;
		}
		entry = (next - FIRST) / 4;
		if (visited[entry / 8] & 1u << entry % 8) {
			ward_config_problem(config, WARD_PCI_CHAIN_LOOP, offset);
			walk->damaged = true;
			return;
		}
		offset = next;
	}
}

void ward_config_extended(struct ward_config *config)
{
	struct ward_function *function = config->function;
	struct ward_capability_walk walk = { 0 };

	if (function->pcie_known != WARD_YES) {
		walk.damaged = true;
	} else if (function->pcie_type != WARD_PCIE_NONE) {
		if (config->limit < WARD_CONFIG_FULL)
			walk.damaged = true;
		else
			walk_list(config, &walk);
	}
	function->acs.present = ward_capability_there(&walk, ROW_ACS);
	if (function->acs.present != WARD_YES) {
		function->acs.capability = 0;
		function->acs.control = 0;
	}
	function->ats = ward_capability_there(&walk, ROW_ATS);
	function->pri = ward_capability_there(&walk, ROW_PRI);
	function->pasid = ward_capability_there(&walk, ROW_PASID);
}

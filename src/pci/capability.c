/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The capability list in the first 256 bytes (PCI Local Bus Specification 3.0, 6.7; PCI Express
 * Base Specification, 7.5.3, 7.7.1, 7.7.2). Register offsets as in Linux
 * include/uapi/linux/pci_regs.h.
 */
#include "pci/capability.h"

#define STATUS 0x06
#define STATUS_LIST 0x10
#define DEVICE_CAP_FLR (1u << 28)

/* Rows of the table below. */
enum {
	ROW_PM,
	ROW_MSI,
	ROW_SUBSYSTEM,
	ROW_PCIE,
	ROW_MSIX,
	ROW_AF,
};

/* PCI Bus Power Management Interface Specification 1.2, 3.2.4: bit 3 is No_Soft_Reset. */
static bool take_pm(struct ward_config *config, unsigned int offset)
{
	if (!(ward_config_u16(config, offset + 4) & 0x8))
		config->function->resets |= WARD_RESET_PM;
	return true;
}

/* What vector 0 writes. */
static void take_message(struct ward_config *config, unsigned int offset, bool wide)
{
	struct ward_message *message = &config->function->msi_message;
	uint64_t address;

	if (!ward_config_holds(config, offset, wide ? 14 : 10))
		return;
	address = ward_config_u32(config, offset + 4);
	if (wide)
		address |= (uint64_t)ward_config_u32(config, offset + 8) << 32;
	message->address = ward_iova(address);
	message->data = ward_config_u16(config, offset + (wide ? 12 : 8));
	config->function->msi_message_known = true;
}

static bool take_msi(struct ward_config *config, unsigned int offset)
{
	uint16_t control = ward_config_u16(config, offset + 2);
	unsigned int order = control >> 1 & 7;

	/* 6 and 7 are reserved. */
	if (order > 5) {
		ward_config_problem(config, WARD_PCI_CAP_VALUE, offset + 2);
		order = 5;
	}
	config->function->msi = true;
	config->function->msi_vectors = (uint8_t)(1u << order);
	config->function->msi_enabled = control & 1;
	if (control & 1)
		take_message(config, offset, control & 0x80);
	return true;
}

/* Subsystem ids of a bridge (PCI-to-PCI Bridge Architecture Specification 1.2, 3.2.5.19). */
static bool take_subsystem(struct ward_config *config, unsigned int offset)
{
	struct ward_function *function = config->function;

	if (function->header_type != 1)
		return true;
	if (!function->subsystem_vendor)
		function->subsystem_vendor = ward_config_u16(config, offset + 4);
	if (!function->subsystem_device)
		function->subsystem_device = ward_config_u16(config, offset + 6);
	return true;
}

static bool take_msix(struct ward_config *config, unsigned int offset)
{
	uint16_t control = ward_config_u16(config, offset + 2);

	/* The table and the pending bits lie behind one of the six BARs. */
	if ((ward_config_u32(config, offset + 4) & 7) > 5 ||
	    (ward_config_u32(config, offset + 8) & 7) > 5)
		ward_config_problem(config, WARD_PCI_CAP_VALUE, offset + 4);
	config->function->msix = true;
	config->function->msix_vectors = (uint16_t)((control & 0x7ff) + 1);
	config->function->msix_enabled = control & 0x8000;
	return true;
}

/* Conventional PCI Advanced Features ECN: bit 0 transactions pending, bit 1 FLR. */
static bool take_af(struct ward_config *config, unsigned int offset)
{
	if ((ward_config_u8(config, offset + 3) & 3) == 3)
		config->function->resets |= WARD_RESET_AF;
	return true;
}

static bool type_known(unsigned int type)
{
	return type <= WARD_PCIE_LEGACY_ENDPOINT ||
	       (type >= WARD_PCIE_ROOT_PORT && type <= WARD_PCIE_RC_EVENT_COLLECTOR);
}

static bool take_pcie(struct ward_config *config, unsigned int offset)
{
	struct ward_function *function = config->function;
	uint16_t flags = ward_config_u16(config, offset + 2);
	unsigned int type = flags >> 4 & 0xf;

	if (!type_known(type)) {
		ward_config_problem(config, WARD_PCI_CAP_VALUE, offset + 2);
		return false;
	}
	function->pcie_type = (enum ward_pcie_type)type;
	if (ward_config_u32(config, offset + 4) & DEVICE_CAP_FLR)
		function->resets |= WARD_RESET_FLR;
	/* Functions inside the root complex have no link. */
	if (type != WARD_PCIE_RC_ENDPOINT && type != WARD_PCIE_RC_EVENT_COLLECTOR &&
	    ward_config_holds(config, offset, 0x10))
		function->port_number = ward_config_u8(config, offset + 0x0f);
	/* Device Control 2 came with version 2 of the structure. */
	if ((flags & 0xf) < 2)
		return true;
	if (!ward_config_holds(config, offset, 0x2a)) {
		ward_config_problem(config, WARD_PCI_CAP_OVERRUN, offset);
		return true;
	}
	if (type == WARD_PCIE_ROOT_PORT || type == WARD_PCIE_DOWNSTREAM)
		function->ari_forwarding = ward_config_u16(config, offset + 0x28) & 0x20;
	return true;
}

static const struct ward_capability table[] = {
	[ROW_PM] = { 0x01, 8, take_pm },
	[ROW_MSI] = { 0x05, 10, take_msi },
	[ROW_SUBSYSTEM] = { 0x0d, 8, take_subsystem },
	[ROW_PCIE] = { 0x10, 8, take_pcie },
	[ROW_MSIX] = { 0x11, 12, take_msix },
	[ROW_AF] = { 0x13, 6, take_af },
};

#define ROWS (sizeof(table) / sizeof(table[0]))

void ward_capability_take(struct ward_config *config, const struct ward_capability *rows,
			  unsigned int count, unsigned int id, unsigned int offset,
			  struct ward_capability_walk *walk)
{
	for (unsigned int i = 0; i < count; i++) {
		if (rows[i].id != id)
			continue;
		if ((walk->found | walk->broken) & 1u << i) {
			ward_config_problem(config, WARD_PCI_CAP_TWICE, offset);
			return;
		}
		if (!ward_config_holds(config, offset, rows[i].size)) {
			ward_config_problem(config, WARD_PCI_CAP_OVERRUN, offset);
			walk->broken |= 1u << i;
		} else if (rows[i].take(config, offset)) {
			walk->found |= 1u << i;
		} else {
			walk->broken |= 1u << i;
		}
		return;
	}
}

/*
 * Follows the list. The entries lie on multiples of four from 0x40 on; the two low bits of a
 * pointer are reserved and ignored, as Linux does.
 */
static void walk_list(struct ward_config *config, unsigned int from,
		      struct ward_capability_walk *walk)
{
	uint64_t visited = 0;

	for (unsigned int next = ward_config_u8(config, from); next;
	     next = ward_config_u8(config, from)) {
		unsigned int offset = next & 0xfc;

		if (next & 3)
			ward_config_problem(config, WARD_PCI_CHAIN_MISALIGNED, from);
		if (offset < WARD_CONFIG_HEADER) {
			ward_config_problem(config, WARD_PCI_CHAIN_POINTER, from);
			walk->damaged = true;
			return;
		}
		if (visited & 1ull << (offset / 4)) {
			ward_config_problem(config, WARD_PCI_CHAIN_LOOP, from);
			walk->damaged = true;
			return;
		}
		visited |= 1ull << (offset / 4);
		if (ward_config_u8(config, offset) == 0xff) {
			ward_config_problem(config, WARD_PCI_CHAIN_ONES, offset);
			walk->damaged = true;
			return;
		}
		ward_capability_take(config, table, ROWS, ward_config_u8(config, offset), offset,
				     walk);
		from = offset + 1;
	}
}

/*
 * The virtual functions of Intel's DH895xCC end their list one entry early: PCIe stands at 0x50
 * all the same (Linux drivers/pci/quirks.c, quirk_intel_qat_vf_cap).
 */
static void find_unlinked_pcie(struct ward_config *config, struct ward_capability_walk *walk)
{
	const struct ward_function *function = config->function;

	if (function->vendor == 0x8086 && function->device == 0x0443 &&
	    walk->found & 1u << ROW_MSI && ward_config_u16(config, 0x50) == 0x0010)
		ward_capability_take(config, table, ROWS, 0x10, 0x50, walk);
}

void ward_config_capabilities(struct ward_config *config)
{
	struct ward_function *function = config->function;
	struct ward_capability_walk walk = { 0 };
	struct ward_config plain = *config;
	enum ward_tri pcie, resets;

	function->pcie_type = WARD_PCIE_NONE;
	function->resets = 0;
	if (ward_config_u16(config, STATUS) & STATUS_LIST) {
		/* Only the header is readable, or nobody knows where the list starts. */
		if (config->limit < WARD_CONFIG_PLAIN || function->header_type > 2) {
			function->pcie_known = WARD_UNKNOWN;
			function->resets_known = WARD_UNKNOWN;
			return;
		}
		/* These capabilities do not reach into extended space. */
		plain.limit = WARD_CONFIG_PLAIN;
		walk_list(&plain, function->header_type == 2 ? 0x14 : 0x34, &walk);
		if (ward_capability_there(&walk, ROW_PCIE) == WARD_NO)
			find_unlinked_pcie(&plain, &walk);
	}
	pcie = ward_capability_there(&walk, ROW_PCIE);
	function->pcie_known = pcie == WARD_UNKNOWN ? WARD_UNKNOWN : WARD_YES;
	resets = WARD_YES;
	if (pcie == WARD_UNKNOWN || ward_capability_there(&walk, ROW_PM) == WARD_UNKNOWN ||
	    ward_capability_there(&walk, ROW_AF) == WARD_UNKNOWN)
		resets = WARD_UNKNOWN;
	function->resets_known = resets;
}

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Config space of any content and size. Byte 0 picks what the caller knows before, the rest is the
 * space. Besides memory errors it looks for answers that contradict each other.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pci/acs.h"
#include "pci/acs_quirk.h"
#include "pci/alias.h"
#include "pci/backdoor.h"
#include "pci/config.h"
#include "pci/reset_quirk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void blank(struct ward_function *function, uint8_t hint)
{
	memset(function, 0, sizeof(*function));
	function->parent = WARD_NONE;
	function->physfn = WARD_NONE;
	function->bridge.bus = WARD_NONE;
	function->pcie_type = WARD_PCIE_NONE;
	for (unsigned int i = 0; i < 7; i++)
		function->bar[i].range = WARD_RANGE_EMPTY;
	function->bridge.memory = WARD_RANGE_EMPTY;
	function->bridge.prefetchable = WARD_RANGE_EMPTY;
	function->address.rid = ward_rid(hint);
	if (hint & 0x80)
		function->vendor = 0x8086;
	if (hint & 0x40)
		function->device = 0xa110;
}

static void check_parsed(const struct ward_function *function,
			 const struct ward_pci_problems *problems)
{
	bool plain = function->config_size >= WARD_CONFIG_PLAIN;

	require(function->pcie_known == WARD_YES || function->pcie_known == WARD_UNKNOWN);
	require(function->pcie_known == WARD_YES || function->acs.present == WARD_UNKNOWN);
	require(function->pcie_known == WARD_YES || function->ats == WARD_UNKNOWN);
	require(plain || function->pcie_type == WARD_PCIE_NONE);
	require(plain || (!function->msi && !function->msix));
	require(function->config_size == WARD_CONFIG_FULL || function->acs.present != WARD_YES);
	require(function->acs.present == WARD_YES || !function->acs.control);
	require(function->msi_vectors <= 32 && function->msix_vectors <= 2048);
	require(function->vfs_enabled <= function->vfs_total);
	require(function->intx_pin <= 4);
	require(problems->count <= WARD_PCI_PROBLEMS_MAX);
	require(!problems->mask == !problems->count);
	for (uint32_t i = 0; i < problems->count; i++) {
		require(problems->mask & 1u << problems->list[i].code);
		require(problems->list[i].offset < WARD_CONFIG_FULL);
	}
}

/* What the tables and rules make of it. */
static void use(struct ward_function *function)
{
	struct ward_machine machine = { .functions = function, .functions_count = 1 };
	const struct ward_backdoor *row = NULL;
	struct ward_source_check check;
	struct ward_acs_quirk quirk;

	if (!ward_acs_quirk_find(function, WARD_UNKNOWN, &quirk)) {
		require(quirk.name);
		function->acs.quirk = quirk.holds;
		function->acs.quirk_bits = quirk.bits;
		function->acs.quirk_name = quirk.name;
	}
	/* More is asked for: never more is enabled. */
	if (ward_acs_enabled(function, 0x7f) == WARD_YES)
		require(ward_acs_enabled(function, WARD_ACS_ISOLATED) == WARD_YES);
	require(ward_acs_path_enabled(&machine, 0, WARD_ACS_ISOLATED) ==
		ward_acs_enabled(function, WARD_ACS_ISOLATED));
	for (unsigned int i = 0; i <= 256; i++)
		ward_acs_egress_blocks(function, i);
	require(ward_rid_raw(ward_alias_msi_rid(&machine, 0)) ==
		ward_rid_raw(function->address.rid));
	ward_alias_source_check(&machine, 0, &check);
	ward_alias_certain(&machine, 0);
	ward_reset_quirk(function);
	while ((row = ward_backdoor_find(function, row)))
		require(row->source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ward_function function;
	struct ward_pci_problems problems;
	uint8_t *copy;

	if (!size)
		return 0;
	blank(&function, data[0]);
	/* Of exactly this size, so that reading past it is seen. */
	copy = malloc(size - 1);
	if (size > 1) {
		if (!copy)
			return 0;
		memcpy(copy, data + 1, size - 1);
	}
	if (ward_pci_config_parse(copy, size - 1, &function, &problems) == 0) {
		check_parsed(&function, &problems);
		use(&function);
	} else {
		require(problems.count == 1);
	}
	free(copy);
	return 0;
}

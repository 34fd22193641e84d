/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Linux drivers/pci/search.c (pci_for_each_dma_alias). The bridges behave as PCI Express to
 * PCI/PCI-X Bridge Specification 1.0, 2.3 says: one to PCIe uses number 00.0 of its secondary
 * bus; a conventional one may put its own id on what it forwards.
 */
#include "pci/alias.h"

#include <string.h>

#include "pci/alias_quirk.h"

/* No machine has more bridges in a row than there are bus numbers. */
#define DEPTH_MAX 256
#define DEVFNS 256

static bool rule_has(const struct ward_alias_quirk *quirk, uint8_t own, uint8_t devfn)
{
	switch (quirk->rule) {
	case WARD_ALIAS_RULE_FUNCTION_0:
		return devfn == (own & 0xf8);
	case WARD_ALIAS_RULE_FUNCTION_1:
		return devfn == ((own & 0xf8) | 1);
	case WARD_ALIAS_RULE_FIXED:
		return devfn == quirk->devfn;
	case WARD_ALIAS_RULE_X200:
		return devfn == 0x80 || devfn == 0x88 || devfn == 0x93;
	case WARD_ALIAS_RULE_LOW_FIVE:
		return (devfn & 7) < 5;
	case WARD_ALIAS_RULE_ALL:
		return true;
	case WARD_ALIAS_RULE_PROXY:
		/* Which, only its registers tell: see ward_alias_certain. */
		return false;
	}
	return false;
}

static bool mask_has(const struct ward_alias_quirk *quirk, const struct ward_function *function,
		     uint8_t devfn)
{
	uint8_t own = ward_rid_devfn(function->address.rid);

	return quirk && devfn != own && rule_has(quirk, own, devfn);
}

bool ward_alias_mask_has(const struct ward_function *function, uint8_t devfn)
{
	return mask_has(ward_alias_quirk_find(function), function, devfn);
}

const char *ward_alias_mask_name(const struct ward_function *function)
{
	const struct ward_alias_quirk *quirk = ward_alias_quirk_find(function);

	for (unsigned int devfn = 0; quirk && devfn < DEVFNS; devfn++)
		if (mask_has(quirk, function, (uint8_t)devfn))
			return quirk->name;
	return quirk && quirk->rule == WARD_ALIAS_RULE_PROXY ? quirk->name : NULL;
}

bool ward_alias_same_bus(const struct ward_function *a, const struct ward_function *b)
{
	if (a->bus != b->bus)
		return false;
	return ward_alias_mask_has(a, ward_rid_devfn(b->address.rid)) ||
	       ward_alias_mask_has(b, ward_rid_devfn(a->address.rid));
}

bool ward_alias_translation_root(const struct ward_function *function)
{
	/* Broadcom Vulcan and Cavium ThunderX2 (Linux, quirk_bridge_cavm_thrx2_pcie_root). */
	return function->vendor == 0x14e4 &&
	       (function->device == 0x9000 || function->device == 0x9084);
}

/* A known offender, used the right way round: PCIe above, and that not already the converter. */
static bool hides_pcie(const struct ward_machine *machine, const struct ward_function *bridge)
{
	const struct ward_function *above;

	if (bridge->parent == WARD_NONE || !ward_alias_quirk_hidden_pcie(bridge))
		return false;
	above = &machine->functions[bridge->parent];
	return above->pcie_known == WARD_YES && above->pcie_type != WARD_PCIE_NONE &&
	       above->pcie_type != WARD_PCIE_TO_PCI;
}

static ward_rid_t secondary_rid(const struct ward_machine *machine,
				const struct ward_function *bridge)
{
	uint8_t bus = bridge->bridge.secondary;

	if (bridge->bridge.bus != WARD_NONE)
		bus = machine->buses[bridge->bridge.bus].number;
	return ward_rid_make(bus, 0, 0);
}

/* The id a bridge puts on what it forwards upwards; false when it leaves ids alone. */
static bool bridge_alias(const struct ward_machine *machine, const struct ward_function *bridge,
			 ward_rid_t *ret_rid)
{
	/* Of an unknown bridge nothing can be claimed: see ward_alias_certain. */
	if (bridge->pcie_known != WARD_YES)
		return false;
	switch (bridge->pcie_type) {
	case WARD_PCIE_TO_PCI:
		if (ward_alias_quirk_transparent(bridge))
			return false;
		*ret_rid = secondary_rid(machine, bridge);
		return true;
	case WARD_PCI_TO_PCIE:
		*ret_rid = bridge->address.rid;
		return true;
	case WARD_PCIE_NONE:
		*ret_rid = hides_pcie(machine, bridge) ? secondary_rid(machine, bridge)
						       : bridge->address.rid;
		return true;
	case WARD_PCIE_ENDPOINT:
	case WARD_PCIE_LEGACY_ENDPOINT:
	case WARD_PCIE_ROOT_PORT:
	case WARD_PCIE_UPSTREAM:
	case WARD_PCIE_DOWNSTREAM:
	case WARD_PCIE_RC_ENDPOINT:
	case WARD_PCIE_RC_EVENT_COLLECTOR:
		return false;
	}
	return false;
}

/* The PCI function whose path component ends at end; WARD_NONE when it is none. */
static uint32_t component_function(const struct ward_machine *machine, const char *path,
				   const char *end)
{
	char text[WARD_ADDRESS_TEXT];
	const char *start = end;
	struct ward_address address;
	size_t length;

	while (start > path && start[-1] != '/')
		start--;
	length = (size_t)(end - start);
	if (length >= sizeof(text))
		return WARD_NONE;
	memcpy(text, start, length);
	text[length] = 0;
	if (ward_address_parse(text, &address) < 0)
		return WARD_NONE;
	return ward_machine_find(machine, address);
}

/*
 * The function that does the DMA: itself, or, behind an Intel VMD, the VMD (Linux arch/x86,
 * pci_real_dma_dev). A VMD makes a segment above ffff that stands below it in the device tree of
 * sysfs: .../0000:00:0e.0/pci10000:e0/10000:e0:06.0
 */
static uint32_t real_function(const struct ward_machine *machine, uint32_t function)
{
	const struct ward_function *start = &machine->functions[function];
	const char *root = NULL;
	uint32_t real;

	if (start->address.segment <= 0xffff || !start->path)
		return function;
	for (const char *next = strstr(start->path, "/pci"); next; next = strstr(next + 1, "/pci"))
		root = next;
	if (!root)
		return function;
	real = component_function(machine, start->path, root);
	if (real == WARD_NONE || machine->functions[real].vendor != 0x8086)
		return function;
	return real;
}

void ward_alias_start(const struct ward_machine *machine, uint32_t function,
		      struct ward_alias_walk *ret_walk)
{
	uint32_t real = real_function(machine, function);
	const struct ward_function *start = &machine->functions[real];

	*ret_walk = (struct ward_alias_walk){
		.machine = machine,
		.function = real,
		.replaced = real != function,
		.bridge = start->parent,
		.quirk = ward_alias_quirk_find(start),
	};
}

static bool next_of_mask(struct ward_alias_walk *walk, struct ward_alias *ret_alias)
{
	const struct ward_function *start = &walk->machine->functions[walk->function];

	while (walk->quirk && walk->devfn < DEVFNS) {
		uint8_t devfn = (uint8_t)walk->devfn++;

		if (!mask_has(walk->quirk, start, devfn))
			continue;
		ret_alias->function = walk->function;
		ret_alias->rid = ward_rid_make(ward_rid_bus(start->address.rid), devfn >> 3, devfn);
		ret_alias->cause = WARD_ALIAS_DEVICE;
		return true;
	}
	return false;
}

bool ward_alias_next(struct ward_alias_walk *walk, struct ward_alias *ret_alias)
{
	const struct ward_machine *machine = walk->machine;

	if (!walk->own_done) {
		walk->own_done = true;
		ret_alias->function = walk->function;
		ret_alias->rid = machine->functions[walk->function].address.rid;
		ret_alias->cause = walk->replaced ? WARD_ALIAS_BRIDGE : WARD_ALIAS_OWN;
		return true;
	}
	if (next_of_mask(walk, ret_alias))
		return true;
	while (walk->bridge != WARD_NONE && walk->depth++ < DEPTH_MAX) {
		uint32_t index = walk->bridge;
		const struct ward_function *bridge = &machine->functions[index];

		if (ward_alias_translation_root(bridge))
			break;
		walk->bridge = bridge->parent;
		if (!bridge_alias(machine, bridge, &ret_alias->rid))
			continue;
		ret_alias->function = index;
		ret_alias->cause = WARD_ALIAS_BRIDGE;
		return true;
	}
	walk->bridge = WARD_NONE;
	return false;
}

bool ward_alias_certain(const struct ward_machine *machine, uint32_t function)
{
	const struct ward_function *at = &machine->functions[real_function(machine, function)];
	const struct ward_alias_quirk *quirk = ward_alias_quirk_find(at);

	if (quirk && quirk->rule == WARD_ALIAS_RULE_PROXY)
		return false;
	for (unsigned int depth = 0; at->parent != WARD_NONE; depth++) {
		if (depth == DEPTH_MAX)
			return false;
		at = &machine->functions[at->parent];
		if (ward_alias_translation_root(at))
			return true;
		if (at->pcie_known != WARD_YES)
			return false;
	}
	return true;
}

ward_rid_t ward_alias_msi_rid(const struct ward_machine *machine, uint32_t function)
{
	struct ward_alias_walk walk;
	struct ward_alias alias;
	ward_rid_t rid = machine->functions[function].address.rid;

	ward_alias_start(machine, function, &walk);
	while (ward_alias_next(&walk, &alias)) {
		uint8_t bus = ward_rid_bus(machine->functions[alias.function].address.rid);

		if (bus != ward_rid_bus(rid) || ward_rid_bus(alias.rid) != ward_rid_bus(rid))
			rid = alias.rid;
	}
	return rid;
}

void ward_alias_source_check(const struct ward_machine *machine, uint32_t function,
			     struct ward_source_check *ret_check)
{
	ward_rid_t own = machine->functions[function].address.rid;
	struct ward_source_check check = { WARD_SOURCE_CHECK_ID, own, own };
	struct ward_alias_walk walk;
	struct ward_alias alias, last = { function, own, WARD_ALIAS_OWN };
	unsigned int count = 0, same_bus = 0;
	uint8_t bus;

	ward_alias_start(machine, function, &walk);
	while (ward_alias_next(&walk, &alias)) {
		if (!count || ward_rid_bus(alias.rid) == ward_rid_bus(last.rid))
			same_bus++;
		count++;
		last = alias;
	}
	bus = ward_rid_bus(machine->functions[last.function].address.rid);
	if (ward_rid_bus(last.rid) != bus) {
		/* Behind a converter: anything from its secondary bus to the function's. */
		check.kind = WARD_SOURCE_CHECK_BUS;
		check.first = last.rid;
	} else if (count >= 2 && same_bus == count) {
		check.kind = WARD_SOURCE_CHECK_BUS;
	} else if (bus != ward_rid_bus(own)) {
		check.first = last.rid;
		check.last = last.rid;
	}
	*ret_check = check;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The kernel's groups by the bus model of 2025 ("Fix incorrect iommu_groups with PCIe ACS", v3,
 * not merged up to 7.2): isolation belongs to the bus, and the first bus from the root that does
 * not isolate makes everything below it one group.
 */
#include "isolate/group.h"

#include "pci/acs.h"
#include "pci/alias.h"

enum bus_class {
	BUS_ISOLATED,
	BUS_WITHOUT_BRIDGE, /* members share a group that the bridge is not in */
	BUS_WITH_BRIDGE,    /* members share the bridge's group */
};

static bool isolates(const struct ward_function *f)
{
	return ward_acs_enabled(f, WARD_ACS_ISOLATED) == WARD_YES;
}

static bool has_acs(const struct ward_function *f)
{
	return f->acs.present != WARD_NO || f->acs.quirk_name;
}

/* The bus inside a switch: every member must be a downstream port that redirects. */
static enum bus_class switch_bus_class(const struct ward_machine *machine,
				       const struct ward_bus *bus)
{
	bool all = true;

	for (uint32_t i = bus->first; i < bus->first + bus->count; i++) {
		const struct ward_function *f = &machine->functions[i];

		if (f->pcie_type != WARD_PCIE_DOWNSTREAM || ward_alias_mask_name(f))
			return BUS_WITH_BRIDGE;
		if (!isolates(f))
			all = false;
	}
	return all ? BUS_ISOLATED : BUS_WITHOUT_BRIDGE;
}

static enum bus_class class_of_bus(const struct ward_machine *machine, const struct ward_bus *bus)
{
	const struct ward_function *bridge;

	if (bus->bridge == WARD_NONE)
		return BUS_ISOLATED;
	bridge = &machine->functions[bus->bridge];
	if (bridge->pcie_type == WARD_PCIE_ROOT_PORT)
		return has_acs(bridge) && !isolates(bridge) ? BUS_WITH_BRIDGE : BUS_ISOLATED;
	if (bridge->pcie_type == WARD_PCIE_DOWNSTREAM)
		return BUS_ISOLATED;
	if (bridge->pcie_type == WARD_PCIE_UPSTREAM)
		return switch_bus_class(machine, bus);
	if (bridge->pcie_type == WARD_PCIE_TO_PCI)
		return ward_has_memory_bar(bridge) ? BUS_WITH_BRIDGE : BUS_WITHOUT_BRIDGE;
	return BUS_WITH_BRIDGE;
}

/* Two functions of a slot that can talk to each other inside the device. */
static bool share_slot(const struct ward_function *a, const struct ward_function *b)
{
	if (a->physfn != WARD_NONE || b->physfn != WARD_NONE ||
	    ward_slot_of(a) != ward_slot_of(b) || a->bus != b->bus)
		return false;
	if (a->multifunction != b->multifunction)
		return true;
	if (!a->multifunction)
		return false;
	return (has_acs(a) && !isolates(a)) || (has_acs(b) && !isolates(b));
}

/* A bridge tied to other functions of its slot makes one group of all that is below it, too. */
static bool is_tied(const struct ward_machine *machine, uint32_t function)
{
	uint32_t first, last;

	ward_slot_range(machine, function, &first, &last);
	for (uint32_t i = first; i <= last; i++) {
		if (i != function &&
		    share_slot(&machine->functions[function], &machine->functions[i]))
			return true;
	}
	return false;
}

/*
 * The bridge of the first bus, seen from the root, that does not isolate and has this function
 * below it; *ret_with_bridge tells whether the bridge is in the group.
 */
static uint32_t first_shared_bridge(const struct ward_machine *machine, uint32_t function,
				    bool *ret_with_bridge)
{
	uint32_t bridge = machine->functions[function].parent, found = WARD_NONE;

	for (; bridge != WARD_NONE; bridge = machine->functions[bridge].parent) {
		uint32_t bus = machine->functions[bridge].bridge.bus;
		enum bus_class class;

		if (bus == WARD_NONE)
			continue;
		class = class_of_bus(machine, &machine->buses[bus]);
		if (is_tied(machine, bridge))
			class = BUS_WITH_BRIDGE;
		if (class == BUS_ISOLATED)
			continue;
		found = bridge;
		*ret_with_bridge = class == BUS_WITH_BRIDGE;
	}
	return found;
}

/* A function already grouped that is tied to this one on its own bus. */
static uint32_t find_tied(struct ward_grouping *g, uint32_t function,
			  enum ward_group_cause *ret_cause)
{
	const struct ward_function *f = &g->machine->functions[function];
	const struct ward_bus *bus = &g->machine->buses[f->bus];
	uint32_t first = bus->first, last = bus->first + bus->count - 1;

	if (!g->masked[f->bus])
		ward_slot_range(g->machine, function, &first, &last);
	for (uint32_t i = first; i <= last; i++) {
		const struct ward_function *other = &g->machine->functions[i];

		if (i == function || !ward_grouped(g, i))
			continue;
		if (g->masked[f->bus] && ward_alias_same_bus(f, other)) {
			*ret_cause = WARD_CAUSE_ALIAS;
			return i;
		}
		if (share_slot(f, other)) {
			*ret_cause = WARD_CAUSE_MULTIFUNCTION;
			return i;
		}
	}
	return WARD_NONE;
}

/* Members of a bus that leaves its bridge out join the first member that is there. */
static uint32_t find_below(struct ward_grouping *g, uint32_t bridge, uint32_t function)
{
	uint32_t bus = g->machine->functions[bridge].bridge.bus;
	const struct ward_bus *b = &g->machine->buses[bus];

	for (uint32_t i = b->first; i < b->first + b->count; i++) {
		if (i != function && ward_grouped(g, i))
			return i;
	}
	return WARD_NONE;
}

void ward_group_linux_bus(struct ward_grouping *g, uint32_t function)
{
	bool with_bridge = false;
	uint32_t bridge = first_shared_bridge(g->machine, function, &with_bridge);
	enum ward_group_cause cause = WARD_CAUSE_BUS;
	uint32_t via;

	if (bridge != WARD_NONE)
		via = with_bridge && ward_grouped(g, bridge) ? bridge
							     : find_below(g, bridge, function);
	else
		via = find_tied(g, function, &cause);
	if (via != WARD_NONE)
		ward_grouping_join(g, function, cause, via);
	else
		ward_grouping_open(g, function);
}

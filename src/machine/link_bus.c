// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Buses out of sorted functions, and the bridges above them. */
#include "machine/builder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fault.h"

int ward_builder_make_buses(struct ward_machine *machine)
{
	struct ward_bus *bus = NULL;
	size_t capacity = 0;

	for (uint32_t i = 0; i < machine->functions_count; i++) {
		struct ward_function *f = &machine->functions[i];
		void *buses = machine->buses;

		if (f->kind != WARD_FUNCTION_PCI)
			break;
		if (!bus || bus->segment != f->address.segment ||
		    bus->number != ward_rid_bus(f->address.rid)) {
			if (ward_array_reserve(&buses, &capacity, machine->buses_count + 1u,
					       sizeof(*bus)))
				return -ENOMEM;
			machine->buses = buses;
			bus = &machine->buses[machine->buses_count++];
			*bus = (struct ward_bus){
				.segment = f->address.segment,
				.number = ward_rid_bus(f->address.rid),
				.bridge = WARD_NONE,
				.first = i,
			};
		}
		bus->count++;
		f->bus = machine->buses_count - 1;
	}
	return 0;
}

static uint32_t find_bus(const struct ward_machine *machine, uint32_t segment, uint8_t number)
{
	uint32_t low = 0, high = machine->buses_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct ward_bus *bus = &machine->buses[middle];

		if (bus->segment == segment && bus->number == number)
			return middle;
		if (bus->segment < segment || (bus->segment == segment && bus->number < number))
			low = middle + 1;
		else
			high = middle;
	}
	return WARD_NONE;
}

/*
 * Bus numbers of a bridge that cannot be. A machine made by hand is refused; of one that was read
 * the rest is still true, and nothing that this bridge's registers say is.
 */
static int doubt_bridge(struct ward_builder *builder, struct ward_function *f, const char *why,
			struct ward_error *ret_error)
{
	if (!f->path)
		return ward_fail(ret_error, -EBADMSG,
				 "bridge %s has bus numbers that %s: secondary %02x, subordinate "
				 "%02x",
				 f->name, why, f->bridge.secondary, f->bridge.subordinate);
	f->pcie_known = WARD_UNKNOWN;
	f->acs.present = WARD_UNKNOWN;
	return ward_builder_remark(builder, "config-broken",
				   "bridge %s has bus numbers that %s: secondary %02x, subordinate "
				   "%02x; what it does is taken for unknown",
				   f->name, why, f->bridge.secondary, f->bridge.subordinate);
}

/* The bridge that was told to be above a bus, or WARD_NONE. */
static uint32_t told_bridge(const struct ward_machine *machine, const struct ward_bus *bus)
{
	for (uint32_t i = bus->first; i < bus->first + bus->count; i++) {
		const struct ward_function *f = &machine->functions[i];

		if (f->parent != WARD_NONE && f->physfn == WARD_NONE)
			return f->parent;
	}
	return WARD_NONE;
}

/* A second bridge claims a bus. What was told decides which one to believe, else neither is. */
static int link_claimed(struct ward_builder *builder, uint32_t bus, uint32_t second,
			struct ward_error *ret_error)
{
	struct ward_machine *machine = ward_builder_machine(builder);
	uint32_t first = machine->buses[bus].bridge;
	uint32_t told = told_bridge(machine, &machine->buses[bus]);
	int err = 0;

	if (told == second) {
		machine->buses[bus].bridge = second;
		machine->functions[second].bridge.bus = bus;
		machine->functions[first].bridge.bus = WARD_NONE;
	}
	if (told != first)
		err = doubt_bridge(builder, &machine->functions[first], "another has, too",
				   ret_error);
	if (told != second && !err)
		err = doubt_bridge(builder, &machine->functions[second], "another has, too",
				   ret_error);
	return err;
}

/*
 * A bridge leads to the bus that its secondary bus number names. Bus numbers grow away from the
 * root, which is also why links cannot form a loop.
 */
static int link_bridge(struct ward_builder *builder, uint32_t index, struct ward_error *ret_error)
{
	struct ward_machine *machine = ward_builder_machine(builder);
	struct ward_function *f = &machine->functions[index];
	uint32_t bus;

	if (f->header_type == 0 || f->bridge.secondary == 0)
		return 0;
	if (f->bridge.secondary <= ward_rid_bus(f->address.rid) ||
	    f->bridge.subordinate < f->bridge.secondary)
		return doubt_bridge(builder, f, "lead back", ret_error);
	bus = find_bus(machine, f->address.segment, f->bridge.secondary);
	if (bus == WARD_NONE)
		return 0;
	if (machine->buses[bus].bridge != WARD_NONE)
		return link_claimed(builder, bus, index, ret_error);
	f->bridge.bus = bus;
	machine->buses[bus].bridge = index;
	return 0;
}

/* What was told about the bridge above a bus counts where no bridge claims the bus itself. */
static int link_told_parent(struct ward_machine *machine, struct ward_bus *bus, uint32_t told,
			    struct ward_error *ret_error)
{
	struct ward_function *bridge = &machine->functions[told];

	if (bus->bridge != WARD_NONE)
		return 0;
	if (bridge->header_type == 0 || bridge->address.segment != bus->segment ||
	    ward_rid_bus(bridge->address.rid) >= bus->number)
		return ward_fail(ret_error, -EBADMSG, "%s cannot be the bridge above bus %04x:%02x",
				 bridge->name, (unsigned int)bus->segment, bus->number);
	bus->bridge = told;
	if (bridge->bridge.bus == WARD_NONE)
		bridge->bridge.bus = find_bus(machine, bus->segment, bus->number);
	return 0;
}

/*
 * VFs may lie on a bus number of their own with no bridge to it: the bridge above their PF is
 * also above them (Linux makes a virtual bus).
 */
static void link_virtual_bus(struct ward_machine *machine, struct ward_bus *bus)
{
	const struct ward_function *first = &machine->functions[bus->first];

	if (bus->bridge != WARD_NONE || first->physfn == WARD_NONE)
		return;
	bus->bridge = machine->buses[machine->functions[first->physfn].bus].bridge;
}

int ward_builder_link_buses(struct ward_builder *builder, struct ward_error *ret_error)
{
	struct ward_machine *machine = ward_builder_machine(builder);
	int err = 0;

	for (uint32_t i = 0; i < machine->functions_count && !err; i++) {
		if (machine->functions[i].kind == WARD_FUNCTION_PCI)
			err = link_bridge(builder, i, ret_error);
	}
	for (uint32_t i = 0; i < machine->functions_count && !err; i++) {
		const struct ward_function *f = &machine->functions[i];

		if (f->parent != WARD_NONE && f->kind == WARD_FUNCTION_PCI &&
		    f->physfn == WARD_NONE)
			err = link_told_parent(machine, &machine->buses[f->bus], f->parent,
					       ret_error);
	}
	for (uint32_t i = 0; i < machine->buses_count && !err; i++)
		link_virtual_bus(machine, &machine->buses[i]);
	for (uint32_t i = 0; i < machine->functions_count && !err; i++) {
		struct ward_function *f = &machine->functions[i];

		f->parent =
			f->kind == WARD_FUNCTION_PCI ? machine->buses[f->bus].bridge : WARD_NONE;
	}
	return err;
}

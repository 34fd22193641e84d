// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The second half of building: functions are sorted, buses and bridges linked, id maps applied,
 * and whatever contradicts itself is refused.
 */
#include "machine/builder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fault.h"
#include "pci/acs_quirk.h"
#include "pci/alias.h"
#include "pci/config.h"

struct sort_key {
	struct ward_address address;
	enum ward_function_kind kind;
	uint32_t ordinal;
};

static int compare_keys(const void *a, const void *b)
{
	const struct sort_key *x = a, *y = b;
	int order;

	if (x->kind != y->kind)
		return x->kind == WARD_FUNCTION_PCI ? -1 : 1;
	order = x->kind == WARD_FUNCTION_PCI ? ward_address_compare(x->address, y->address) : 0;
	if (order)
		return order;
	return x->ordinal < y->ordinal ? -1 : 1;
}

static int remap(uint32_t *reference, const uint32_t *index_of, uint32_t count)
{
	if (*reference == WARD_NONE)
		return 0;
	if (*reference >= count)
		return -EBADMSG;
	*reference = index_of[*reference];
	return 0;
}

static int remap_references(struct ward_machine *machine, const uint32_t *index_of,
			    struct ward_error *ret_error)
{
	for (uint32_t i = 0; i < machine->functions_count; i++) {
		struct ward_function *f = &machine->functions[i];

		if (remap(&f->physfn, index_of, machine->functions_count) ||
		    remap(&f->parent, index_of, machine->functions_count))
			return ward_fail(ret_error, -EBADMSG,
					 "%s names a PF or a bridge that was not added", f->name);
	}
	for (uint32_t i = 0; i < machine->regions_count; i++) {
		if (remap(&machine->regions[i].function, index_of, machine->functions_count))
			return ward_fail(ret_error, -EBADMSG,
					 "a reserved region names a function that was not added");
	}
	return 0;
}

/* Sorts functions by address, platform devices last, and turns ordinals into indexes. */
static int sort_functions(struct ward_machine *machine, struct ward_error *ret_error)
{
	uint32_t count = machine->functions_count;
	struct sort_key *keys = ward_alloc_array(count, sizeof(*keys));
	struct ward_function *sorted = ward_alloc_array(count, sizeof(*sorted));
	uint32_t *index_of = ward_alloc_array(count, sizeof(*index_of));
	int err = -ENOMEM;

	if (!keys || !sorted || !index_of)
		goto out;
	for (uint32_t i = 0; i < count; i++) {
		const struct ward_function *f = &machine->functions[i];

		keys[i] = (struct sort_key){ f->address, f->kind, i };
	}
	if (count)
		qsort(keys, count, sizeof(*keys), compare_keys);
	for (uint32_t i = 0; i < count; i++) {
		sorted[i] = machine->functions[keys[i].ordinal];
		index_of[keys[i].ordinal] = i;
	}
	free(machine->functions);
	machine->functions = sorted;
	sorted = NULL;
	err = remap_references(machine, index_of, ret_error);
out:
	free(keys);
	free(sorted);
	free(index_of);
	return err;
}

static int make_buses(struct ward_machine *machine)
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

static int link_buses(struct ward_builder *builder, struct ward_error *ret_error)
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

static bool index_is_sound(uint32_t index, uint32_t count)
{
	return index == WARD_NONE || index < count;
}

static int check_function(const struct ward_machine *machine, const struct ward_function *f,
			  struct ward_error *ret_error)
{
	const struct ward_function *pf;

	if (!index_is_sound(f->group, machine->groups_count))
		return ward_fail(ret_error, -EBADMSG, "%s is in a group that was not added",
				 f->name);
	if (!index_is_sound(f->stream.iommu, machine->iommus_count))
		return ward_fail(ret_error, -EBADMSG, "%s is behind an IOMMU that was not added",
				 f->name);
	if (!index_is_sound(f->controller, machine->controllers_count))
		return ward_fail(ret_error, -EBADMSG, "%s has an MSI controller that was not added",
				 f->name);
	if (f->physfn == WARD_NONE)
		return 0;
	pf = &machine->functions[f->physfn];
	if (pf == f || pf->physfn != WARD_NONE || pf->kind != WARD_FUNCTION_PCI ||
	    f->kind != WARD_FUNCTION_PCI || pf->address.segment != f->address.segment)
		return ward_fail(ret_error, -EBADMSG, "%s cannot be the PF of %s", pf->name,
				 f->name);
	return 0;
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int check_groups(const struct ward_machine *machine, struct ward_error *ret_error)
{
	uint32_t *numbers = ward_alloc_array(machine->groups_count, sizeof(*numbers));
	int err = 0;

	if (!numbers)
		return -ENOMEM;
	for (uint32_t i = 0; i < machine->groups_count; i++)
		numbers[i] = machine->groups[i].number;
	if (machine->groups_count)
		qsort(numbers, machine->groups_count, sizeof(*numbers), compare_numbers);
	for (uint32_t i = 1; i < machine->groups_count && !err; i++) {
		if (numbers[i] == numbers[i - 1])
			err = ward_fail(ret_error, -EBADMSG, "two groups have number %u",
					(unsigned int)numbers[i]);
	}
	free(numbers);
	return err;
}

static int check_references(const struct ward_machine *machine, struct ward_error *ret_error)
{
	int err = check_groups(machine, ret_error);

	for (uint32_t i = 0; i < machine->functions_count && !err; i++)
		err = check_function(machine, &machine->functions[i], ret_error);
	for (uint32_t i = 0; i < machine->regions_count && !err; i++) {
		if (!index_is_sound(machine->regions[i].group, machine->groups_count))
			err = ward_fail(ret_error, -EBADMSG,
					"a reserved region names a group that was not added");
	}
	for (uint32_t i = 0; i < machine->iommus_count && !err; i++) {
		if (!index_is_sound(machine->iommus[i].controller, machine->controllers_count))
			err = ward_fail(ret_error, -EBADMSG,
					"IOMMU %s has an MSI controller that was not added",
					machine->iommus[i].name);
	}
	return err;
}

static int compare_map_to(const struct ward_id_map *map, enum ward_id_map_kind kind,
			  uint32_t segment)
{
	if (map->kind != kind)
		return map->kind < kind ? -1 : 1;
	return map->segment < segment ? -1 : map->segment > segment;
}

/* Rows of one array: a later one lies higher. */
static int compare_maps(const void *a, const void *b)
{
	const struct ward_id_map *const *x = a, *const *y = b;
	int order = compare_map_to(*x, (*y)->kind, (*y)->segment);

	if (order)
		return order;
	return *x < *y ? -1 : *x > *y;
}

/* Rows of one kind and segment side by side, in the order of adding. */
static int sort_maps(struct ward_builder *builder)
{
	size_t count = builder->maps_count;
	const struct ward_id_map **order = ward_alloc_array(count, sizeof(*order));
	struct ward_id_map *sorted = ward_alloc_array(count, sizeof(*sorted));

	if (!order || !sorted) {
		free(order);
		free(sorted);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++)
		order[i] = &builder->maps[i];
	if (count)
		qsort(order, count, sizeof(*order), compare_maps);
	for (size_t i = 0; i < count; i++)
		sorted[i] = *order[i];
	free(order);
	free(builder->maps);
	builder->maps = sorted;
	builder->maps_capacity = count;
	return 0;
}

static size_t first_map(const struct ward_builder *builder, enum ward_id_map_kind kind,
			uint32_t segment)
{
	size_t low = 0, high = builder->maps_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_map_to(&builder->maps[middle], kind, segment) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The first row that matches; *ret_any tells whether the segment has rows of this kind at all. */
static const struct ward_id_map *find_map(const struct ward_builder *builder,
					  enum ward_id_map_kind kind, uint32_t segment,
					  ward_rid_t rid, bool *ret_any)
{
	*ret_any = false;
	for (size_t i = first_map(builder, kind, segment); i < builder->maps_count; i++) {
		const struct ward_id_map *map = &builder->maps[i];
		uint16_t masked = ward_rid_raw(rid) & map->mask;

		if (compare_map_to(map, kind, segment) != 0)
			break;
		*ret_any = true;
		if (masked >= ward_rid_raw(map->first) && masked <= ward_rid_raw(map->last))
			return map;
	}
	return NULL;
}

static uint32_t map_output(const struct ward_id_map *map, ward_rid_t rid)
{
	return map->output_base + ((ward_rid_raw(rid) & map->mask) - ward_rid_raw(map->first));
}

static void apply_iommu_map(const struct ward_builder *builder, struct ward_function *f)
{
	const struct ward_id_map *map;
	bool any;

	map = find_map(builder, WARD_ID_MAP_IOMMU, f->address.segment, f->address.rid, &any);
	/* The kernel names the IOMMU; under which id it sees the function, only firmware does. */
	if (f->iommu_known == WARD_YES && map && map->target != WARD_NONE &&
	    map->target == f->stream.iommu &&
	    ward_sid_raw(f->stream.sid) == ward_rid_raw(f->address.rid))
		f->stream.sid = ward_sid(map_output(map, f->address.rid));
	if (f->iommu_known != WARD_UNKNOWN || !any)
		return;
	f->iommu_known = WARD_YES;
	f->stream.iommu = map ? map->target : WARD_NONE;
	f->iommu_evidence = map ? map->evidence : "no entry of the firmware's map has its id";
	if (f->stream.iommu != WARD_NONE)
		f->stream.sid = ward_sid(map_output(map, f->address.rid));
}

static void apply_msi_map(const struct ward_builder *builder, struct ward_function *f,
			  uint32_t index)
{
	const struct ward_id_map *map;
	ward_rid_t rid;
	bool any;

	if (f->controller_known != WARD_UNKNOWN)
		return;
	rid = ward_alias_msi_rid(&builder->storage->machine, index);
	map = find_map(builder, WARD_ID_MAP_MSI, f->address.segment, rid, &any);
	if (!any)
		return;
	f->controller_known = WARD_YES;
	f->controller = map ? map->target : WARD_NONE;
	f->controller_evidence = map ? map->evidence : "no entry of the firmware's map has its id";
	if (f->controller != WARD_NONE)
		f->devid = ward_devid(map_output(map, rid));
}

static int apply_maps(struct ward_builder *builder, struct ward_error *ret_error)
{
	struct ward_machine *machine = &builder->storage->machine;
	int err = sort_maps(builder);

	if (err)
		return err;
	for (size_t i = 0; i < builder->maps_count; i++) {
		const struct ward_id_map *map = &builder->maps[i];
		uint32_t count = map->kind == WARD_ID_MAP_IOMMU ? machine->iommus_count
								: machine->controllers_count;

		if (!index_is_sound(map->target, count))
			return ward_fail(ret_error, -EBADMSG,
					 "an id map leads to something that was not added");
	}
	for (uint32_t i = 0; i < machine->functions_count; i++) {
		struct ward_function *f = &machine->functions[i];

		if (f->kind != WARD_FUNCTION_PCI)
			continue;
		apply_iommu_map(builder, f);
		apply_msi_map(builder, f, i);
	}
	return 0;
}

/* Whether firmware describes AMD's IOMMU, which some rows of the table of quirks ask. */
static enum ward_tri has_ivrs(const struct ward_machine *machine)
{
	for (uint32_t i = 0; i < machine->iommus_count; i++) {
		if (machine->iommus[i].kind == WARD_IOMMU_AMD)
			return WARD_YES;
	}
	return machine->firmware_iommu == WARD_UNKNOWN ? WARD_UNKNOWN : WARD_NO;
}

static void note_quirk(struct ward_function *f, enum ward_tri ivrs)
{
	struct ward_acs_quirk quirk;

	/* A description may say it itself. */
	if (f->acs.quirk_name)
		return;
	if (ward_acs_quirk_find(f, ivrs, &quirk) < 0)
		return;
	f->acs.quirk = quirk.holds;
	f->acs.quirk_bits = quirk.bits;
	f->acs.quirk_name = quirk.name;
}

/* Keeps the first few aliases for people; what judges walks them all. */
static void note_aliases(const struct ward_machine *machine, struct ward_function *f,
			 uint32_t index)
{
	struct ward_alias_walk walk;
	struct ward_alias alias;

	f->aliases = 0;
	ward_alias_start(machine, index, &walk);
	while (ward_alias_next(&walk, &alias)) {
		if (alias.rid == f->address.rid || f->aliases == WARD_ALIASES_MAX)
			continue;
		f->alias[f->aliases++] = alias.rid;
		if (f->alias_name)
			continue;
		f->alias_name = alias.cause == WARD_ALIAS_DEVICE
					? ward_alias_mask_name(f)
					: "a bridge above takes ownership of its requests";
	}
}

/*
 * Linux takes a function for one of several when its header says so or when its number is not 0
 * (drivers/pci/probe.c, pci_scan_slot), never a VF (drivers/pci/iov.c). With ARI the whole devfn
 * is the number.
 */
static void note_multifunction(const struct ward_machine *machine, struct ward_function *f)
{
	bool ari = f->parent != WARD_NONE && machine->functions[f->parent].ari_forwarding;
	uint8_t number = ward_rid_devfn(f->address.rid) & (ari ? 0xff : 7);
	const struct ward_bus *bus = &machine->buses[f->bus];
	const struct ward_function *next = f + 1;

	/* A header that was not read (it is asleep): others of its slot speak for it. */
	if (f->config_size == 0 && f->pcie_known != WARD_YES &&
	    next < machine->functions + bus->first + bus->count && next->physfn == WARD_NONE &&
	    (ari || ward_rid_raw(next->address.rid) >> 3 == ward_rid_raw(f->address.rid) >> 3))
		f->multifunction = true;
	f->multifunction = f->physfn == WARD_NONE && (f->multifunction || number > 0);
}

/* Some switch ports claim to be the other kind; what is above them tells. Parents come first. */
static void note_type(const struct ward_machine *machine, struct ward_function *f)
{
	if (f->parent != WARD_NONE && f->pcie_known == WARD_YES)
		f->pcie_type =
			ward_pcie_type_below(f->pcie_type, machine->functions[f->parent].pcie_type);
}

/* PASID and PRI of a VF are those of its PF (PCIe base specification, 9.3.7). */
static void note_pf(const struct ward_machine *machine, struct ward_function *f)
{
	const struct ward_function *pf;

	if (f->physfn == WARD_NONE)
		return;
	pf = &machine->functions[f->physfn];
	f->pasid = pf->pasid;
	f->pasid_enabled = pf->pasid_enabled;
	f->pri = pf->pri;
	f->pri_enabled = pf->pri_enabled;
}

int ward_builder_link(struct ward_builder *builder, struct ward_error *ret_error)
{
	struct ward_machine *machine = &builder->storage->machine;
	enum ward_tri ivrs = has_ivrs(machine);
	int err;

	err = sort_functions(machine, ret_error);
	if (!err)
		err = make_buses(machine);
	if (!err)
		err = check_references(machine, ret_error);
	if (!err)
		err = link_buses(builder, ret_error);
	if (err)
		return err;
	for (uint32_t i = 0; i < machine->functions_count; i++) {
		struct ward_function *f = &machine->functions[i];

		if (f->kind != WARD_FUNCTION_PCI)
			continue;
		note_type(machine, f);
		note_multifunction(machine, f);
		note_quirk(f, ivrs);
		note_pf(machine, f);
		note_aliases(machine, f, i);
	}
	return apply_maps(builder, ret_error);
}

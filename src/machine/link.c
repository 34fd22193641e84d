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

static int check_function(const struct ward_machine *machine, const struct ward_function *f,
			  struct ward_error *ret_error)
{
	const struct ward_function *pf;

	if (!ward_index_is_sound(f->group, machine->groups_count))
		return ward_fail(ret_error, -EBADMSG, "%s is in a group that was not added",
				 f->name);
	if (!ward_index_is_sound(f->stream.iommu, machine->iommus_count))
		return ward_fail(ret_error, -EBADMSG, "%s is behind an IOMMU that was not added",
				 f->name);
	if (!ward_index_is_sound(f->controller, machine->controllers_count))
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
		if (!ward_index_is_sound(machine->regions[i].group, machine->groups_count))
			err = ward_fail(ret_error, -EBADMSG,
					"a reserved region names a group that was not added");
	}
	for (uint32_t i = 0; i < machine->iommus_count && !err; i++) {
		if (!ward_index_is_sound(machine->iommus[i].controller, machine->controllers_count))
			err = ward_fail(ret_error, -EBADMSG,
					"IOMMU %s has an MSI controller that was not added",
					machine->iommus[i].name);
	}
	return err;
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
		err = ward_builder_make_buses(machine);
	if (!err)
		err = check_references(machine, ret_error);
	if (!err)
		err = ward_builder_link_buses(builder, ret_error);
	if (!err)
		err = ward_builder_link_segments(machine, ret_error);
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
	return ward_builder_apply_maps(builder, ret_error);
}

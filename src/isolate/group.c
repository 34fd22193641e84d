// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The kernel's groups, predicted: the rule of Linux up to 7.2 (drivers/iommu/iommu.c,
 * pci_device_group). Where firmware makes partitionable endpoints, each is a group
 * (arch/powerpc/kernel/iommu.c, iommu_register_group). A function joins a group that exists when it is probed; groups never merge,
 * so the order matters: enumeration order, VFs last.
 */
#include "isolate/group.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"
#include "pci/acs.h"
#include "pci/alias.h"

void ward_grouping_open(struct ward_grouping *g, uint32_t function)
{
	g->members[function] = (struct ward_membership){ g->count++, WARD_CAUSE_OWN, WARD_NONE };
}

void ward_grouping_join(struct ward_grouping *g, uint32_t function, enum ward_group_cause cause,
			uint32_t via)
{
	g->members[function] = (struct ward_membership){ g->members[via].group, cause, via };
}

/* Unknown ACS is taken as missing: a prediction that merges too much is the careful one. */
static bool isolates(const struct ward_function *f)
{
	return ward_acs_enabled(f, WARD_ACS_ISOLATED) == WARD_YES;
}

static uint32_t alias_group(struct ward_grouping *g, uint32_t function, uint64_t visited[4],
			    unsigned int depth);

static uint32_t slot_group(struct ward_grouping *g, uint32_t function, uint64_t visited[4],
			   unsigned int depth)
{
	const struct ward_function *f = &g->machine->functions[function];
	uint32_t first, last;

	if (!f->multifunction || isolates(f))
		return WARD_NONE;
	ward_slot_range(g->machine, function, &first, &last);
	for (uint32_t i = first; i <= last; i++) {
		uint32_t found;

		if (i == function || isolates(&g->machine->functions[i]) ||
		    ward_grouping_lacks(g, i))
			continue;
		found = alias_group(g, i, visited, depth);
		if (found != WARD_NONE)
			return found;
	}
	return WARD_NONE;
}

/* A function whose group is there to join: this one's own, or that of an alias on its bus. */
static uint32_t alias_group(struct ward_grouping *g, uint32_t function, uint64_t visited[4],
			    unsigned int depth)
{
	const struct ward_function *f = &g->machine->functions[function];
	const struct ward_bus *bus = &g->machine->buses[f->bus];
	uint8_t devfn = ward_rid_devfn(f->address.rid);

	/* The map bounds the recursion to the 256 functions of a bus. */
	if (visited[devfn / 64] & 1ull << devfn % 64 || depth > 256)
		return WARD_NONE;
	visited[devfn / 64] |= 1ull << devfn % 64;
	if (ward_grouped(g, function))
		return function;
	if (!g->masked[f->bus])
		return WARD_NONE;
	for (uint32_t i = bus->first; i < bus->first + bus->count; i++) {
		uint32_t found;

		if (i == function || ward_grouping_lacks(g, i) ||
		    !ward_alias_same_bus(f, &g->machine->functions[i]))
			continue;
		found = alias_group(g, i, visited, depth + 1);
		if (found == WARD_NONE)
			found = slot_group(g, i, visited, depth + 1);
		if (found != WARD_NONE)
			return found;
	}
	return WARD_NONE;
}

/*
 * Step 1: up the DMA aliases. Returns the function to join, or WARD_NONE and the last function
 * that an alias was reported for.
 */
static uint32_t climb_aliases(struct ward_grouping *g, uint32_t function, uint32_t *ret_last)
{
	struct ward_alias_walk walk;
	struct ward_alias alias;

	*ret_last = function;
	ward_alias_start(g->machine, function, &walk);
	while (ward_alias_next(&walk, &alias)) {
		*ret_last = alias.function;
		if (ward_grouped(g, alias.function))
			return alias.function;
	}
	return WARD_NONE;
}

/* Step 2: further up, to where ACS protects all the way. */
static uint32_t climb_acs(struct ward_grouping *g, uint32_t *at)
{
	const struct ward_machine *machine = g->machine;
	uint32_t bridge = machine->functions[*at].parent;

	for (; bridge != WARD_NONE; bridge = machine->functions[bridge].parent) {
		if (ward_acs_path_enabled(machine, bridge, WARD_ACS_ISOLATED) == WARD_YES)
			return WARD_NONE;
		*at = bridge;
		if (ward_grouped(g, bridge))
			return bridge;
	}
	return WARD_NONE;
}

void ward_group_linux(struct ward_grouping *g, uint32_t function)
{
	uint64_t visited[4] = { 0 };
	uint32_t at, before, found;

	found = climb_aliases(g, function, &at);
	if (found != WARD_NONE) {
		ward_grouping_join(g, function, WARD_CAUSE_ALIAS, found);
		return;
	}
	before = at;
	found = climb_acs(g, &at);
	if (found != WARD_NONE) {
		ward_grouping_join(g, function, WARD_CAUSE_NO_ACS_ABOVE, found);
		return;
	}
	found = alias_group(g, at, visited, 0);
	if (found != WARD_NONE) {
		ward_grouping_join(g, function,
				   at == before ? WARD_CAUSE_ALIAS : WARD_CAUSE_NO_ACS_ABOVE,
				   found);
		return;
	}
	found = slot_group(g, at, visited, 0);
	if (found != WARD_NONE)
		ward_grouping_join(g, function, WARD_CAUSE_MULTIFUNCTION, found);
	else
		ward_grouping_open(g, function);
}

/* A partitionable endpoint, and the first of its functions that has a group, or WARD_NONE. */
struct endpoint {
	uint32_t pe, leader;
};

static int compare_endpoints(const void *a, const void *b)
{
	const struct endpoint *x = a, *y = b;

	return x->pe < y->pe ? -1 : x->pe > y->pe;
}

/* Each one once; *ret_endpoints is allocated, or NULL where there are none. */
static int list_endpoints(const struct ward_machine *machine, struct endpoint **ret_endpoints,
			  uint32_t *ret_count)
{
	uint32_t count = 0, kept = 0;
	struct endpoint *endpoints;

	*ret_endpoints = NULL;
	*ret_count = 0;
	for (uint32_t i = 0; i < machine->functions_count; i++)
		count += machine->functions[i].pe != WARD_NONE;
	if (!count)
		return 0;
	endpoints = ward_alloc_array(count, sizeof(*endpoints));
	if (!endpoints)
		return -ENOMEM;
	count = 0;
	for (uint32_t i = 0; i < machine->functions_count; i++) {
		if (machine->functions[i].pe != WARD_NONE)
			endpoints[count++] =
				(struct endpoint){ machine->functions[i].pe, WARD_NONE };
	}
	qsort(endpoints, count, sizeof(*endpoints), compare_endpoints);
	for (uint32_t i = 0; i < count; i++) {
		if (i == 0 || endpoints[i].pe != endpoints[kept - 1].pe)
			endpoints[kept++] = endpoints[i];
	}
	*ret_endpoints = endpoints;
	*ret_count = kept;
	return 0;
}

static void group_endpoint(struct ward_grouping *g, uint32_t function, struct endpoint *endpoints,
			   uint32_t count)
{
	uint32_t low = 0, pe = g->machine->functions[function].pe;

	while (count > 1) {
		uint32_t half = count / 2;

		if (endpoints[low + half].pe <= pe)
			low += half;
		count -= half;
	}
	if (endpoints[low].leader != WARD_NONE) {
		ward_grouping_join(g, function, WARD_CAUSE_ENDPOINT, endpoints[low].leader);
		return;
	}
	ward_grouping_open(g, function);
	endpoints[low].leader = function;
}

typedef void group_one(struct ward_grouping *g, uint32_t function);

static void group_functions(struct ward_grouping *g, group_one *one, bool vfs,
			    struct endpoint *endpoints, uint32_t count)
{
	for (uint32_t i = 0; i < g->machine->functions_count; i++) {
		const struct ward_function *f = &g->machine->functions[i];

		if ((f->physfn != WARD_NONE) != vfs || ward_grouping_lacks(g, i) ||
		    ward_is_translated(g->machine, i) == WARD_NO)
			continue;
		if (f->pe != WARD_NONE)
			group_endpoint(g, i, endpoints, count);
		else if (f->kind == WARD_FUNCTION_PCI)
			one(g, i);
		else if (ward_is_translated(g->machine, i) == WARD_YES)
			ward_grouping_open(g, i);
	}
}

static int predict(const struct ward_machine *machine, const bool *absent, group_one *one,
		   struct ward_membership **ret_members, uint32_t *ret_count)
{
	struct ward_grouping g = { .machine = machine, .absent = absent };
	struct endpoint *endpoints;
	uint32_t endpoints_count;

	if (list_endpoints(machine, &endpoints, &endpoints_count))
		return -ENOMEM;
	g.members = ward_alloc_array(machine->functions_count, sizeof(*g.members));
	g.masked = ward_alloc_array(machine->buses_count, sizeof(*g.masked));
	if (!g.members || !g.masked) {
		free(g.members);
		free(g.masked);
		free(endpoints);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < machine->functions_count; i++) {
		const struct ward_function *f = &machine->functions[i];

		g.members[i] = (struct ward_membership){
			WARD_NONE,
			ward_grouping_lacks(&g, i) ? WARD_CAUSE_ABSENT : WARD_CAUSE_NO_IOMMU,
			WARD_NONE,
		};
		if (f->kind == WARD_FUNCTION_PCI && ward_alias_mask_name(f))
			g.masked[f->bus] = true;
	}
	group_functions(&g, one, false, endpoints, endpoints_count);
	group_functions(&g, one, true, endpoints, endpoints_count);
	free(g.masked);
	free(endpoints);
	*ret_members = g.members;
	if (ret_count)
		*ret_count = g.count;
	return 0;
}

int ward_groups_predict(const struct ward_machine *machine, enum ward_group_rule rule,
			struct ward_membership **ret_members, uint32_t *ret_count)
{
	return predict(machine, NULL,
		       rule == WARD_GROUP_RULE_LINUX ? ward_group_linux : ward_group_linux_bus,
		       ret_members, ret_count);
}

int ward_groups_predict_present(const struct ward_machine *machine, const bool *absent,
				struct ward_membership **ret_members, uint32_t *ret_count)
{
	return predict(machine, absent, ward_group_linux, ret_members, ret_count);
}

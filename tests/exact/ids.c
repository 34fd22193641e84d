// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Whose requests look like whose, worked out from a plan and from nothing else: PCI Express to PCI/PCI-X
 * Bridge Specification 1.0, 2.3 for bridges, Linux drivers/pci/search.c for which of the ids
 * an MSI is known by.
 */
#include "plan.h"

static uint16_t first_id_behind(const struct plan_function *bridge)
{
	return (uint16_t)(bridge->secondary << 8);
}

bool plan_bridge_id(const struct plan_function *bridge, uint16_t *ret_id)
{
	if (bridge->quirk == PLAN_KEEPS_IDS)
		return false;
	if (bridge->type == WARD_PCIE_TO_PCI)
		*ret_id = first_id_behind(bridge);
	else if (bridge->type == WARD_PCI_TO_PCIE || bridge->type == WARD_PCIE_NONE)
		*ret_id = plan_rid(bridge);
	else
		return false;
	return true;
}

uint32_t plan_ids(const struct plan *plan, uint32_t function, uint16_t ret_ids[PLAN_IDS])
{
	const struct plan_function *f = &plan->functions[function];
	uint32_t count = 0, above;

	if (f->platform)
		return 0;
	ret_ids[count++] = plan_rid(f);
	if (plan_quirks[f->quirk].alias)
		ret_ids[count++] = (uint16_t)((plan_rid(f) & ~7u) | 1);
	for (above = f->parent; above != WARD_NONE && count < PLAN_IDS;
	     above = plan->functions[above].parent)
		count += plan_bridge_id(&plan->functions[above], &ret_ids[count]);
	return count;
}

bool plan_map_id(const struct plan *plan, bool msi, uint32_t segment, uint16_t id,
		 uint32_t *ret_target, uint32_t *ret_output)
{
	for (uint32_t i = 0; i < plan->maps_count; i++) {
		const struct plan_map *m = &plan->maps[i];
		uint16_t masked = id & m->mask;

		if (!m->present || m->msi != msi || m->segment != segment || masked < m->first ||
		    masked > m->last)
			continue;
		*ret_target = m->target;
		*ret_output = m->base + masked - m->first;
		return m->target != WARD_NONE;
	}
	return false;
}

uint32_t plan_device_id(const struct plan *plan, uint32_t function)
{
	const struct plan_function *f = &plan->functions[function];
	uint32_t id = plan_rid(f), target, output;
	uint16_t bridge;

	if (f->platform)
		return 0xf0000u + function;
	/* Each id of a bridge replaces it when it, or the bridge, is of another bus. */
	for (uint32_t above = f->parent; above != WARD_NONE;
	     above = plan->functions[above].parent) {
		const struct plan_function *b = &plan->functions[above];

		if (plan_bridge_id(b, &bridge) &&
		    (bridge >> 8 != (int)(id >> 8) || b->bus != id >> 8))
			id = bridge;
	}
	if (plan_map_id(plan, true, f->segment, (uint16_t)id, &target, &output))
		return output;
	return (plan->one_row ? 0 : f->segment << 16) | id;
}

static void join(struct plan *plan, uint32_t a, uint32_t b)
{
	uint32_t from = plan->same[a], to = plan->same[b];

	if (from < to) {
		to = from;
		from = plan->same[b];
	}
	for (uint32_t i = 0; i < plan->functions_count; i++)
		if (plan->same[i] == from)
			plan->same[i] = to;
}

static bool share_id(const struct plan *plan, uint32_t a, uint32_t b)
{
	uint16_t x[PLAN_IDS], y[PLAN_IDS];
	uint32_t x_count = plan_ids(plan, a, x), y_count = plan_ids(plan, b, y);

	if (plan->functions[a].segment != plan->functions[b].segment)
		return false;
	for (uint32_t i = 0; i < x_count; i++)
		for (uint32_t k = 0; k < y_count; k++)
			if (x[i] == y[k])
				return true;
	return false;
}

static bool share_stream(const struct plan *plan, uint32_t a, uint32_t b)
{
	uint16_t x[PLAN_IDS], y[PLAN_IDS];
	uint32_t x_count = plan_ids(plan, a, x), y_count = plan_ids(plan, b, y);
	uint32_t targets[2], outputs[2];

	for (uint32_t i = 0; i < x_count * y_count; i++) {
		if (plan_map_id(plan, false, plan->functions[a].segment, x[i / y_count],
				&targets[0], &outputs[0]) &&
		    plan_map_id(plan, false, plan->functions[b].segment, y[i % y_count],
				&targets[1], &outputs[1]) &&
		    targets[0] == targets[1] && outputs[0] == outputs[1])
			return true;
	}
	return false;
}

void plan_tell_apart(struct plan *plan)
{
	for (uint32_t i = 0; i < plan->functions_count; i++)
		plan->same[i] = i;
	for (uint32_t i = 0; i < plan->functions_count; i++)
		for (uint32_t k = 0; k < i; k++)
			if (plan->functions[i].present && plan->functions[k].present &&
			    plan->same[i] != plan->same[k] &&
			    (share_id(plan, i, k) || share_stream(plan, i, k)))
				join(plan, i, k);
}

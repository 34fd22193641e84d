// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Random IOMMUs, MSI controllers, id maps, spaces and hostile functions for a hierarchy. */
#include "plan.h"
#include "random.h"

#include <string.h>

static void make_x86_controllers(struct plan *plan, struct random *r)
{
	bool remaps = random_chance(r, 65);

	plan->controllers[0].kind =
		remaps ? WARD_CONTROLLER_X86_REMAPPING : WARD_CONTROLLER_X86_APIC;
	/* Sometimes messages of the compatibility format pass. */
	plan->controllers[0].isolates = remaps && !random_chance(r, 12);
	plan->no_check = remaps && random_chance(r, 8);
	plan->controllers[0].doorbell = WARD_X86_MSI_START;
	plan->controllers[0].size = 0x100000;
	plan->controllers_count = 1;
}

static void add_controller(struct plan *plan, enum ward_controller_kind kind, uint64_t doorbell,
			   uint64_t size, uint32_t pool)
{
	uint32_t i = plan->controllers_count++;

	plan->controllers[i].kind = kind;
	plan->controllers[i].isolates = kind == WARD_CONTROLLER_GICV3_ITS;
	plan->controllers[i].doorbell = doorbell;
	plan->controllers[i].size = size;
	plan->controllers[i].pool = pool;
}

/* Frames lie side by side or in pages of their own; all of them are one pool to Linux. */
static void make_arm_controllers(struct plan *plan, struct random *r)
{
	uint64_t next = PLAN_DOORBELLS, step = random_chance(r, 50) ? 0x1000 : 0x10000;
	uint32_t frames = random_chance(r, 65) ? random_between(r, 1, 3) : 0;
	uint32_t others = frames ? random_below(r, 2) : random_between(r, 1, 2);
	bool one_pool = random_chance(r, 70);

	for (uint32_t i = 0; i < frames; i++, next += step)
		add_controller(plan, WARD_CONTROLLER_GICV2M, next, 0x1000, one_pool ? 0 : i);
	if (random_chance(r, 12)) {
		add_controller(plan, WARD_CONTROLLER_GICV3_MBI, next, 0x1000, frames);
		next += step;
	}
	next = (next + 0xffff) & ~0xffffull;
	for (uint32_t i = 0; i < others; i++, next += 0x10000)
		add_controller(plan, WARD_CONTROLLER_GICV3_ITS, next, 0x10000, 8 + i);
}

static void make_iommus(struct plan *plan, struct random *r)
{
	plan->iommus_count = random_chance(r, 6) ? 0 : random_between(r, 1, PLAN_IOMMUS);
	for (uint32_t i = 0; i < plan->iommus_count; i++) {
		plan->iommus[i].kind = plan->x86 ? WARD_IOMMU_VTD : WARD_IOMMU_SMMUV3;
		plan->iommus[i].active = !random_chance(r, 4);
		plan->iommus[i].controller = WARD_NONE;
		if (!plan->x86 && random_chance(r, 25))
			plan->iommus[i].controller = random_below(r, plan->controllers_count);
	}
}

static uint32_t root_of(const struct plan *plan, const struct plan_function *f)
{
	while (f->parent != WARD_NONE)
		f = &plan->functions[f->parent];
	return (uint32_t)(f->segment << 8 | f->bus);
}

/*
 * Each root bus is a row. Masks fold the functions of a slot, those of a bus, or all that have one
 * place on their bus, into one.
 */
static void add_row(struct plan *plan, struct random *r, bool msi, uint32_t root)
{
	static const uint16_t masks[] = { 0xffff, 0xffff, 0xffff, 0xfff8, 0xff00, 0xc0ff };
	struct plan_map *m = &plan->maps[plan->maps_count++];
	uint32_t targets = msi ? plan->controllers_count : plan->iommus_count;

	m->present = true;
	m->msi = msi;
	m->segment = root >> 8;
	m->mask = masks[random_below(r, 6)];
	m->first = (uint16_t)((root & 0xff) << 8);
	m->last = (uint16_t)(m->first | 0x3fff);
	m->target = targets && !random_chance(r, 6) ? random_below(r, targets) : WARD_NONE;
	m->base = (msi && plan->one_row ? 0 : m->segment << 16) + m->first;
}

static void make_maps(struct plan *plan, struct random *r)
{
	uint32_t seen[PLAN_MAPS], count = 0;

	for (uint32_t i = 0; i < plan->functions_count; i++) {
		uint32_t root = root_of(plan, &plan->functions[i]), k = 0;

		if (plan->functions[i].platform)
			continue;
		while (k < count && seen[k] != root)
			k++;
		if (k < count)
			continue;
		seen[count++] = root;
		add_row(plan, r, false, root);
		add_row(plan, r, true, root);
	}
}

/* Which IOMMU and which controller each function is behind. */
static void place(struct plan *plan, struct random *r, uint32_t index)
{
	struct plan_function *f = &plan->functions[index];
	uint32_t output;

	if (plan->direct || f->platform) {
		uint32_t root = root_of(plan, f);

		f->iommu = plan->iommus_count
				   ? ((root & 0xff) / 0x40 + (root >> 8)) % plan->iommus_count
				   : WARD_NONE;
		f->controller = random_chance(r, 92) || plan->x86
					? random_below(r, plan->controllers_count)
					: WARD_NONE;
		return;
	}
	if (!plan_map_id(plan, false, f->segment, plan_rid(f), &f->iommu, &output))
		f->iommu = WARD_NONE;
	/* The row is that of its root bus, whatever the id. */
	if (!plan_map_id(plan, true, f->segment, plan_rid(f), &f->controller, &output))
		f->controller = WARD_NONE;
}

static void give_features(struct plan *plan, struct random *r, struct plan_function *f)
{
	bool express = f->type == WARD_PCIE_ENDPOINT || f->type == WARD_PCIE_RC_ENDPOINT;

	f->msi_off = random_chance(r, 6);
	if (express && !f->conventional && random_chance(r, 25)) {
		f->ats = true;
		f->ats_enabled = plan_translated(plan, f) && random_chance(r, 70);
	}
	f->pasid = express && !plan->x86 && random_chance(r, 20);
	/* A VF has it when its PF has (9.3.7.14). */
	if (f->pf != WARD_NONE)
		f->pasid = plan->functions[f->pf].pasid;
}

/* A page of something: memory mostly, registers, a doorbell. */
static uint64_t random_target(const struct plan *plan, struct random *r)
{
	uint32_t what = random_below(r, 100);

	if (what < 25) {
		const struct plan_function *f =
			&plan->functions[random_below(r, plan->functions_count)];

		if (f->bar)
			return f->bar & ~(plan->page_size - 1);
	} else if (what < 35 && !plan->x86) {
		return plan->controllers[random_below(r, plan->controllers_count)].doorbell &
		       ~(plan->page_size - 1);
	}
	return PLAN_MEMORY + random_below(r, PLAN_BLOCKS) * plan->page_size;
}

static void make_mappings(struct plan *plan, struct random *r, struct plan_space *space,
			  uint64_t next)
{
	static const uint32_t accesses[] = { WARD_READ, WARD_READ | WARD_WRITE,
					     WARD_READ | WARD_WRITE, WARD_WRITE };
	uint32_t count = random_below(r, PLAN_MAPPINGS + 1);

	for (uint32_t i = 0; i < count; i++) {
		struct plan_mapping *m = &space->mappings[i];

		m->present = true;
		m->target = random_target(plan, r);
		m->pages = random_chance(r, 70) ? 1 : random_between(r, 2, 3);
		m->access = accesses[random_below(r, plan->x86 ? 4 : 3)];
		next += random_below(r, 3) * plan->page_size;
		m->iova = next;
		next += m->pages * plan->page_size;
	}
}

static void make_kinds(struct plan *plan, struct random *r)
{
	plan->spaces_count = random_between(r, 2, 5);
	for (uint32_t i = 0; i < plan->spaces_count; i++) {
		struct plan_space *space = &plan->spaces[i];
		uint32_t what = random_below(r, 100);

		space->parent = WARD_NONE;
		space->kind = what < 12	  ? WARD_SPACE_BLOCKED
			      : what < 17 ? WARD_SPACE_IDENTITY
					  : WARD_SPACE_UNMANAGED;
		if (what >= 90 && i && plan->spaces[i - 1].kind == WARD_SPACE_UNMANAGED &&
		    !plan->x86 && plan->iommus_count) {
			space->kind = WARD_SPACE_NESTED;
			space->parent = i - 1;
		}
		if (space->kind == WARD_SPACE_UNMANAGED)
			make_mappings(plan, r, space, PLAN_IOVAS);
	}
}

static bool is_nested(const struct plan *plan, uint32_t space)
{
	return space != WARD_NONE && plan->spaces[space].kind == WARD_SPACE_NESTED;
}

/* Who cannot be told apart is in one space. */
static void attach(struct plan *plan, struct random *r)
{
	for (uint32_t i = 0; i < plan->functions_count; i++) {
		struct plan_function *f = &plan->functions[i];
		const struct plan_function *first = &plan->functions[plan->same[i]];

		if (plan->same[i] != i) {
			f->space = first->space;
			f->pasid_space = first->pasid_space;
			continue;
		}
		f->space = random_chance(r, 20) ? WARD_NONE : random_below(r, plan->spaces_count);
		f->pasid_space = WARD_NONE;
		if (f->pasid && random_chance(r, 50))
			f->pasid_space = random_below(r, plan->spaces_count);
		/* A guest's stage 1 has all PASIDs of a function, or none. */
		if (f->pasid_space != WARD_NONE &&
		    (is_nested(plan, f->space) || is_nested(plan, f->pasid_space)))
			f->pasid_space = WARD_NONE;
	}
}

static void choose_hostile(struct plan *plan, struct random *r)
{
	uint32_t count = random_chance(r, 70) ? 1 : random_between(r, 2, 3), chosen = 0;

	/* Bridges do not mean harm by themselves; somebody else does first. */
	for (uint32_t tries = 0; tries < 64 && chosen < count; tries++) {
		struct plan_function *f = &plan->functions[random_below(r, plan->functions_count)];

		if (plan_is_bridge(f) && tries < 48)
			continue;
		chosen += !f->hostile;
		f->hostile = true;
	}
}

static void hide(struct plan *plan, struct random *r)
{
	if (!random_chance(r, 6))
		return;
	for (uint32_t i = 0; i < plan->functions_count; i++) {
		uint32_t what = random_below(r, 100);

		plan->functions[i].hide = what < 15   ? PLAN_HIDE_EXTENDED
					  : what < 30 ? PLAN_HIDE_EXTENDED | PLAN_HIDE_CONFIG
					  : what < 35 ? PLAN_HIDE_IOMMU
					  : what < 40 ? PLAN_HIDE_CONTROLLER
						      : 0;
		/* Firmware's tables name what a platform device uses. */
		if (plan->functions[i].platform)
			plan->functions[i].hide = 0;
	}
}

void plan_make_spaces(struct plan *plan, struct random *r)
{
	if (plan->x86)
		make_x86_controllers(plan, r);
	else
		make_arm_controllers(plan, r);
	make_iommus(plan, r);
	plan->direct = plan->x86 || random_chance(r, 40);
	plan->one_row = random_chance(r, 40);
	for (uint32_t i = 0; i < plan->functions_count; i++)
		if (plan->functions[i].segment && plan->iommus_count < 2)
			plan->direct = false;
	if (!plan->direct)
		make_maps(plan, r);
	for (uint32_t i = 0; i < plan->functions_count; i++) {
		place(plan, r, i);
		give_features(plan, r, &plan->functions[i]);
	}
	plan_tell_apart(plan);
	make_kinds(plan, r);
	attach(plan, r);
	choose_hostile(plan, r);
	hide(plan, r);
}

void plan_make(struct plan *plan, uint64_t seed)
{
	struct random r = { seed };

	memset(plan, 0, sizeof(*plan));
	plan->seed = seed;
	random_next(&r);
	plan->x86 = random_chance(&r, 35);
	plan->page_size = !plan->x86 && random_chance(&r, 45) ? 0x10000 : 0x1000;
	plan_make_hierarchy(plan, &r);
	plan_make_spaces(plan, &r);
}

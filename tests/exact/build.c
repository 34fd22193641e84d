// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "build.h"

#include <doorward/builder.h>
#include <doorward/stage1.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = { "part0", "part1", "part2", "part3", "part4", "part5" };

static bool below(const struct plan *plan, uint32_t function, uint32_t bridge)
{
	for (uint32_t at = plan->functions[function].parent; at != WARD_NONE;
	     at = plan->functions[at].parent)
		if (at == bridge)
			return true;
	return false;
}

/* The window of a bridge: from the first to the last register behind it. */
static struct ward_range window(const struct plan *plan, uint32_t bridge)
{
	struct ward_range range = WARD_RANGE_EMPTY;

	for (uint32_t i = 0; i < plan->functions_count; i++) {
		const struct plan_function *f = &plan->functions[i];

		if (!f->present || !f->bar || !below(plan, i, bridge))
			continue;
		if (ward_range_is_empty(range))
			range = (struct ward_range){ f->bar, f->bar + 0xfff };
		if (f->bar < range.start)
			range.start = f->bar;
		if (f->bar + 0xfff > range.last)
			range.last = f->bar + 0xfff;
	}
	return range;
}

/* Another function of its device, which is what its header tells (never for the sake of VFs). */
static bool multifunction(const struct plan *plan, const struct plan_function *f)
{
	bool ari = f->parent != WARD_NONE && plan->functions[f->parent].ari_forwarding;

	for (uint32_t i = 0; i < plan->functions_count; i++) {
		const struct plan_function *g = &plan->functions[i];

		if (g->present && g != f && !g->platform && g->pf == WARD_NONE &&
		    g->segment == f->segment && g->bus == f->bus &&
		    (ari || g->devfn >> 3 == f->devfn >> 3))
			return f->pf == WARD_NONE;
	}
	return false;
}

static void fill_identity(const struct plan *plan, uint32_t index, struct ward_function *f)
{
	const struct plan_function *p = &plan->functions[index];
	const struct plan_quirk *quirk = &plan_quirks[p->quirk];

	f->kind = p->platform ? WARD_FUNCTION_PLATFORM : WARD_FUNCTION_PCI;
	f->name = p->platform ? "platform" : NULL;
	f->address.segment = p->segment;
	f->address.rid = ward_rid(plan_rid(p));
	f->vendor = quirk->vendor;
	f->device = quirk->device;
	f->class_code = plan_is_bridge(p) ? 0x060400 : quirk->class_code;
	f->header_type = plan_is_bridge(p);
	f->multifunction = !p->platform && multifunction(plan, p);
	if (plan_is_bridge(p)) {
		f->bridge.primary = p->bus;
		f->bridge.secondary = p->secondary;
		f->bridge.subordinate = p->subordinate;
		f->bridge.memory = window(plan, index);
	}
	if (p->bar)
		f->bar[0].range = (struct ward_range){ p->bar, p->bar + 0xfff };
}

static void fill_capabilities(const struct plan_function *p, struct ward_function *f)
{
	f->config_size = 4096;
	f->pcie_type = p->type;
	f->pcie_known = WARD_YES;
	f->port_number = p->port;
	f->ari_forwarding = p->ari_forwarding;
	f->acs = p->acs;
	f->msix = p->msi;
	f->msix_vectors = p->msi ? 4 : 0;
	f->ats = p->ats ? WARD_YES : WARD_NO;
	f->ats_enabled = p->ats_enabled;
	f->pasid = p->pasid ? WARD_YES : WARD_NO;
	f->pasid_enabled = p->pasid;
	f->pri = WARD_NO;
	f->resets = WARD_RESET_FLR;
	f->resets_known = WARD_YES;
}

static void fill_surroundings(const struct plan *plan, uint32_t index, struct ward_function *f)
{
	const struct plan_function *p = &plan->functions[index];

	if (!plan->direct && !p->platform)
		return;
	f->iommu_known = WARD_YES;
	f->stream.iommu = p->iommu;
	f->stream.sid = ward_sid(p->platform ? 0x1f000 + index : plan_rid(p));
	f->controller_known = WARD_YES;
	f->controller = p->controller;
	f->devid = ward_devid(plan_device_id(plan, index));
}

/* What cannot be read is unknown; ports then do not tell that they forward ARI, either. */
static void hide(const struct plan_function *p, struct ward_function *f)
{
	if (p->hide & PLAN_HIDE_EXTENDED) {
		f->config_size = 256;
		f->acs = (struct ward_acs){ .present = WARD_UNKNOWN };
		f->ats = f->pasid = f->pri = WARD_UNKNOWN;
		f->ats_enabled = f->pasid_enabled = false;
	}
	if (p->hide & PLAN_HIDE_CONFIG) {
		f->config_size = 64;
		f->pcie_type = WARD_PCIE_NONE;
		f->pcie_known = WARD_UNKNOWN;
		f->msix = false;
		f->msix_vectors = 0;
		f->resets_known = WARD_UNKNOWN;
	}
	if (p->hide & PLAN_HIDE_IOMMU && f->iommu_known == WARD_YES) {
		f->iommu_known = WARD_UNKNOWN;
		f->stream.iommu = WARD_NONE;
	}
	if (p->hide & PLAN_HIDE_CONTROLLER && f->controller_known == WARD_YES) {
		f->controller_known = WARD_UNKNOWN;
		f->controller = WARD_NONE;
	}
}

static int add_parts(const struct plan *plan, struct ward_builder *builder)
{
	int err = ward_builder_set_host(builder, plan->x86 ? WARD_ARCH_X86 : WARD_ARCH_ARM64, NULL,
					plan->no_check ? "intremap=nosid" : NULL, plan->page_size);

	for (uint32_t i = 0; i < plan->controllers_count && !err; i++) {
		struct ward_controller c = {
			.kind = plan->controllers[i].kind,
			.name = names[i],
			.isolates = plan->controllers[i].isolates ? WARD_YES : WARD_NO,
			.doorbells = { { plan->controllers[i].doorbell,
					 plan->controllers[i].doorbell + plan->controllers[i].size -
						 1 } },
			.doorbells_count = 1,
			.pool = plan->controllers[i].pool,
		};

		err = ward_builder_add_controller(builder, &c, NULL);
	}
	for (uint32_t i = 0; i < plan->iommus_count && !err; i++) {
		struct ward_iommu iommu = {
			.kind = plan->iommus[i].kind,
			.name = names[i],
			.active = plan->iommus[i].active ? WARD_YES : WARD_NO,
			.remaps_interrupts = WARD_YES,
			.ats = WARD_YES,
			.controller = plan->iommus[i].controller,
		};

		err = ward_builder_add_iommu(builder, &iommu, NULL);
	}
	for (uint32_t i = 0; i < plan->maps_count && !err; i++) {
		const struct plan_map *m = &plan->maps[i];
		struct ward_id_map map = {
			.kind = m->msi ? WARD_ID_MAP_MSI : WARD_ID_MAP_IOMMU,
			.segment = m->segment,
			.first = ward_rid(m->first),
			.last = ward_rid(m->last),
			.mask = m->mask,
			.target = m->target,
			.output_base = m->base,
		};

		if (m->present)
			err = ward_builder_add_id_map(builder, &map);
	}
	return err;
}

static int make_machine(const struct plan *plan, bool seen, struct ward_machine **ret_machine)
{
	uint32_t ordinals[PLAN_FUNCTIONS], next = 0;
	struct ward_error error = { "" };
	struct ward_builder *builder;
	int err = ward_builder_create(&builder);

	if (err)
		return err;
	for (uint32_t i = 0; i < plan->functions_count; i++)
		ordinals[i] = plan->functions[i].present ? next++ : WARD_NONE;
	err = add_parts(plan, builder);
	for (uint32_t i = 0; i < plan->functions_count && !err; i++) {
		const struct plan_function *p = &plan->functions[i];
		struct ward_function f;

		if (!p->present)
			continue;
		ward_function_init(&f);
		fill_identity(plan, i, &f);
		fill_capabilities(p, &f);
		fill_surroundings(plan, i, &f);
		f.physfn = p->pf == WARD_NONE ? WARD_NONE : ordinals[p->pf];
		if (seen)
			hide(p, &f);
		err = ward_builder_add_function(builder, &f, NULL);
	}
	if (err) {
		ward_builder_destroy(builder);
		fprintf(stderr, "seed %#llx: the builder says %d\n", (unsigned long long)plan->seed,
			err);
		return err;
	}
	err = ward_builder_finish(builder, ret_machine, &error);
	if (err)
		fprintf(stderr, "seed %#llx: %s\n", (unsigned long long)plan->seed, error.text);
	return err;
}

static int find_indexes(struct build *build)
{
	const struct plan *plan = build->plan;

	for (uint32_t i = 0; i < plan->functions_count; i++) {
		const struct plan_function *p = &plan->functions[i];
		struct ward_address address = { p->segment, ward_rid(plan_rid(p)) };

		build->index[i] = WARD_NONE;
		if (!p->present)
			continue;
		build->index[i] = p->platform ? ward_machine_find_name(build->truth, "platform")
					      : ward_machine_find(build->truth, address);
		if (build->index[i] == WARD_NONE)
			return -ENOENT;
		build->plan_of[build->index[i]] = i;
		if (p->hide)
			build->hidden = true;
	}
	return 0;
}

static int make_state(struct build *build)
{
	int err = ward_state_create(build->seen, &build->state);

	for (uint32_t i = 0; i < build->plan->functions_count && !err; i++) {
		const struct plan_function *p = &build->plan->functions[i];

		if (!p->present)
			continue;
		build->state->functions[build->index[i]].msi_off = p->msi_off;
		if (p->space != WARD_NONE)
			err = ward_state_attach(build->state, build->index[i], WARD_PASID_NONE,
						build->spaces[p->space]);
		if (p->pasid_space != WARD_NONE && !err)
			err = ward_state_attach(build->state, build->index[i], ward_pasid(1),
						build->spaces[p->pasid_space]);
	}
	return err;
}

static int map_all(const struct plan *plan, const struct plan_space *from, struct ward_space *space)
{
	for (uint32_t i = 0; i < PLAN_MAPPINGS; i++) {
		const struct plan_mapping *m = &from->mappings[i];
		struct ward_mapping mapping = {
			.start = ward_iova(m->iova),
			.last = ward_iova(m->iova + m->pages * plan->page_size - 1),
			.target = ward_target(m->target),
			.access = m->access,
			.type = WARD_NORMAL,
		};
		int err = m->present ? ward_space_map(space, &mapping) : 0;

		if (err)
			return err;
	}
	return 0;
}

/* The guest's stage 1: at first it lets nothing through, then everything. */
static int make_nested(struct build *build, uint32_t i, build_space *create, void *context)
{
	struct ward_stage1 stage1 = {
		.kind = WARD_STAGE1_ABORT,
		.features = { .output_bits = 48,
			      .granules = WARD_GRANULE_4K | WARD_GRANULE_64K,
			      .stage1 = true,
			      .stage2 = true },
	};
	struct ward_space_options options = {
		.size = sizeof(options),
		.kind = WARD_SPACE_NESTED,
		.parent = build->spaces[build->plan->spaces[i].parent],
		.stage1 = &stage1,
	};
	int err = create(context, &options, &build->spaces[i]);

	stage1.kind = WARD_STAGE1_BYPASS;
	return err ? err : create(context, &options, &build->bypass[i]);
}

int build_spaces(struct build *build, build_space *create, void *context)
{
	const struct plan *plan = build->plan;
	struct ward_space_options options = {
		.size = sizeof(options), .page_sizes = ~(plan->page_size - 1) & 0x0000ffffffffffffu
	};
	int err = 0;

	for (uint32_t i = 0; i < plan->spaces_count && !err; i++) {
		options.kind = plan->spaces[i].kind;
		if (options.kind == WARD_SPACE_NESTED) {
			err = make_nested(build, i, create, context);
			continue;
		}
		err = create(context, &options, &build->spaces[i]);
		if (!err && options.kind == WARD_SPACE_UNMANAGED)
			err = map_all(plan, &plan->spaces[i], build->spaces[i]);
	}
	/* The host's own, where nothing is mapped but the doorbells of who is in them. */
	options.kind = WARD_SPACE_UNMANAGED;
	for (uint32_t i = 0; i < plan->functions_count && !err; i++) {
		if (plan->functions[i].present && plan->functions[i].space == WARD_NONE &&
		    !build->host[plan->same[i]])
			err = create(context, &options, &build->host[plan->same[i]]);
	}
	return err ? err : make_state(build);
}

int build_make(struct build *build, const struct plan *plan)
{
	int err;

	memset(build, 0, sizeof(*build));
	build->plan = plan;
	err = make_machine(plan, false, &build->truth);
	if (!err)
		err = find_indexes(build);
	if (!err && build->hidden)
		err = make_machine(plan, true, &build->seen);
	else
		build->seen = build->truth;
	return err;
}

void build_drop_spaces(struct build *build)
{
	ward_state_destroy(build->state);
	build->state = NULL;
	for (uint32_t i = 0; i < PLAN_SPACES; i++) {
		ward_space_destroy(build->bypass[i]);
		ward_space_destroy(build->spaces[i]);
		build->bypass[i] = build->spaces[i] = NULL;
	}
	for (uint32_t i = 0; i < PLAN_FUNCTIONS; i++) {
		ward_space_destroy(build->host[i]);
		build->host[i] = NULL;
	}
}

void build_free(struct build *build)
{
	build_drop_spaces(build);
	if (build->seen != build->truth)
		ward_machine_destroy(build->seen);
	ward_machine_destroy(build->truth);
}

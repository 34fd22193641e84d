// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* IOMMUs, controllers, maps and the rest: all parts of a described machine but its functions. */
#include "app/machine_yaml_build.h"

#include "app/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int app_machine_refused(struct app_machine_building *b, const char *path, int code)
{
	if (code != -ENOMEM)
		return app_machine_fail(b, path, "this cannot be: %s", strerror(-code));
	snprintf(b->error->text, sizeof(b->error->text), "%s: %s", b->yaml->name, strerror(ENOMEM));
	return code;
}

int app_machine_find_iommu(struct app_machine_building *b, const char *path, const char *name,
			   uint32_t *ret_ordinal)
{
	uint32_t count = b->from->iommus_count;

	/* Neighbours have the same one, mostly. */
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = (b->iommu_hint + i) % count;

		if (strcmp(b->from->iommus[at].name, name) == 0) {
			*ret_ordinal = b->iommu_hint = at;
			return 0;
		}
	}
	return app_machine_fail(b, path, "no IOMMU is called %s", name);
}

int app_machine_find_controller(struct app_machine_building *b, const char *path, const char *name,
				uint32_t *ret_ordinal)
{
	uint32_t count = b->from->controllers_count;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = (b->controller_hint + i) % count;

		if (strcmp(b->from->controllers[at].name, name) == 0) {
			*ret_ordinal = b->controller_hint = at;
			return 0;
		}
	}
	return app_machine_fail(b, path, "no controller is called %s", name);
}

static bool is_reserved_name(const char *name)
{
	return strcmp(name, "none") == 0 || strcmp(name, "unknown") == 0;
}

/* Names of IOMMUs, or of controllers: each its own. */
static int check_names(struct app_machine_building *b, const char *list, uint32_t count,
		       const char *(*name_of)(const struct app_machine_yaml *, uint32_t))
{
	for (uint32_t i = 0; i < count; i++) {
		const char *name = name_of(b->from, i);

		if (is_reserved_name(name))
			return app_machine_fail(b, app_machine_at(b, list, i, "name"),
						"\"%s\" is no name: it has a meaning of its own",
						name);
		for (uint32_t k = 0; k < i; k++)
			if (strcmp(name_of(b->from, k), name) == 0)
				return app_machine_fail(b, app_machine_at(b, list, i, "name"),
							"%s[%u] is called %s, too", list,
							(unsigned int)k, name);
	}
	return 0;
}

static const char *iommu_name(const struct app_machine_yaml *from, uint32_t index)
{
	return from->iommus[index].name;
}

static const char *controller_name(const struct app_machine_yaml *from, uint32_t index)
{
	return from->controllers[index].name;
}

static int add_host(struct app_machine_building *b)
{
	const struct app_machine_yaml *from = b->from;
	struct ward_machine *machine = ward_builder_machine(b->builder);
	uint64_t page = from->page_size			? *from->page_size
			: from->arch == WARD_ARCH_POWER ? 65536
							: 4096;
	uint32_t firmware = from->firmware		      ? *from->firmware
			    : from->arch == WARD_ARCH_X86     ? 1
			    : from->arch == WARD_ARCH_UNKNOWN ? 0
							      : 2;
	int code = ward_builder_set_host(b->builder, from->arch, from->kernel, from->command_line,
					 page);
	char path[32];

	snprintf(path, sizeof(path), "%spage_size", b->prefix);
	if (code == -EINVAL)
		return app_machine_fail(b, path, "%u is none of 4096, 16384, 65536",
					(unsigned int)page);
	if (code)
		return app_machine_refused(b, path, code);
	machine->firmware_acpi = firmware == 1;
	machine->firmware_dt = firmware == 2;
	machine->firmware_iommu =
		app_machine_answer(from->firmware_iommu, from->iommus_count ? WARD_YES : WARD_NO);
	machine->unsafe_interrupts_allowed = app_machine_answer(from->unsafe_interrupts, WARD_NO);
	machine->groups_known = from->groups_known ? *from->groups_known : b->groups_count > 0;
	return 0;
}

static bool has_kind(const struct app_machine_building *b, enum ward_controller_kind kind)
{
	for (uint32_t i = 0; i < b->from->controllers_count; i++)
		if (b->from->controllers[i].kind == kind)
			return true;
	return false;
}

static int add_iommu(struct app_machine_building *b, uint32_t index)
{
	const struct app_machine_iommu *from = &b->from->iommus[index];
	struct ward_iommu iommu = {
		.kind = from->kind,
		.name = from->name,
		.active = app_machine_answer(from->active, WARD_YES),
		.remaps_interrupts =
			app_machine_answer(from->remaps_interrupts,
					   has_kind(b, WARD_CONTROLLER_X86_REMAPPING) ? WARD_YES
										      : WARD_NO),
		.ats = app_machine_answer(from->ats, WARD_YES),
		.controller = WARD_NONE,
		.domains = from->domains,
	};
	uint64_t base;
	int code;

	if (from->base) {
		if (!app_text_number(from->base, &base))
			return app_machine_fail(b, app_machine_at(b, "iommus", index, "base"),
						"\"%s\" is no address", from->base);
		iommu.base = ward_pa(base);
	}
	if (from->controller && strcmp(from->controller, "none") != 0) {
		code = app_machine_find_controller(b,
						   app_machine_at(b, "iommus", index, "controller"),
						   from->controller, &iommu.controller);
		if (code)
			return code;
	}
	code = ward_builder_add_iommu(b->builder, &iommu, NULL);
	return code ? app_machine_refused(b, app_machine_at(b, "iommus", index, NULL), code) : 0;
}

/* What a kind means where nothing else is said. */
static const struct kind {
	enum ward_tri isolates;
	const char *doorbell; /* NULL: it has to be told */
	uint64_t size;	      /* of a doorbell of which only the start is told */
	bool needs_intids;
} kinds[] = {
	[WARD_CONTROLLER_GICV2M] = { WARD_NO, NULL, 0x1000, true },
	[WARD_CONTROLLER_GICV3_ITS] = { WARD_YES, NULL, 0x10000, false },
	[WARD_CONTROLLER_GICV3_MBI] = { WARD_NO, NULL, 0x10000, true },
	[WARD_CONTROLLER_X86_APIC] = { WARD_NO, "0xfee00000", 0x100000, false },
	[WARD_CONTROLLER_X86_REMAPPING] = { WARD_YES, "0xfee00000", 0x100000, false },
	[WARD_CONTROLLER_OTHER] = { WARD_UNKNOWN, NULL, 0x1000, false },
};

static int set_doorbells(struct app_machine_building *b, uint32_t index,
			 struct ward_controller *controller)
{
	const struct app_machine_controller *from = &b->from->controllers[index];
	const struct kind *kind = &kinds[from->kind];

	controller->doorbells_count = from->doorbells.count;
	for (uint32_t i = 0; i < from->doorbells.count; i++) {
		if (!app_text_range(from->doorbells.text[i], kind->size, &controller->doorbells[i]))
			return app_machine_fail(b,
						app_machine_at_item(b, "controllers", index,
								    "doorbells", i),
						"\"%s\" is neither an address nor a range",
						from->doorbells.text[i]);
	}
	if (from->doorbells.count)
		return 0;
	if (!kind->doorbell)
		return app_machine_fail(b, app_machine_at(b, "controllers", index, "doorbells"),
					"where %s has its doorbell has to be told", from->name);
	controller->doorbells_count = 1;
	(void)app_text_range(kind->doorbell, kind->size, &controller->doorbells[0]);
	return 0;
}

/* SPIs of controllers that say nothing of them: 64 each, from 64 on, side by side. */
static int set_intids(struct app_machine_building *b, uint32_t index,
		      struct ward_controller *controller)
{
	const struct app_machine_controller *from = &b->from->controllers[index];
	bool needed = kinds[from->kind].needs_intids;
	const char *path = app_machine_at(b, "controllers", index, "first_intid");
	uint32_t before = 0, first = from->first_intid ? *from->first_intid : 0;

	controller->first_intid = first;
	controller->intids = from->intids ? *from->intids : 0;
	if (!needed)
		return 0;
	if (from->first_intid || from->intids) {
		/* None at all: how many is not known. */
		if (controller->intids &&
		    (first < 32 || first > 1019 || controller->intids > 1020 - first))
			return app_machine_fail(b, path,
						"first_intid and intids have to name SPIs: 32 to "
						"1019");
		return 0;
	}
	for (uint32_t i = 0; i < index; i++)
		before += kinds[b->from->controllers[i].kind].needs_intids;
	controller->first_intid = 64 + before * 64;
	controller->intids = 64;
	return before > 13 ? app_machine_fail(b, path, "there are no SPIs left for it") : 0;
}

static int add_controller(struct app_machine_building *b, uint32_t index)
{
	const struct app_machine_controller *from = &b->from->controllers[index];
	bool one_pool = from->kind == WARD_CONTROLLER_GICV2M;
	struct ward_controller controller = {
		.kind = from->kind,
		.name = from->name,
		.isolates = app_machine_answer(from->isolates, kinds[from->kind].isolates),
		/* Linux takes a vector from the first frame that has one free. */
		.pool = from->pool ? *from->pool
			: one_pool ? 0
				   : index,
		.firmware_id = from->firmware_id,
		.evidence = from->evidence ? from->evidence : APP_MACHINE_EVIDENCE,
	};
	int code = set_doorbells(b, index, &controller);

	if (!code)
		code = set_intids(b, index, &controller);
	if (code)
		return code;
	code = ward_builder_add_controller(b->builder, &controller, NULL);
	return code ? app_machine_refused(b, app_machine_at(b, "controllers", index, NULL), code)
		    : 0;
}

static int add_id_map(struct app_machine_building *b, uint32_t index)
{
	const struct app_machine_id_map *from = &b->from->id_maps[index];
	struct ward_id_map map = {
		.kind = from->kind,
		.segment = from->segment,
		.first = ward_rid(from->first),
		.last = ward_rid(from->last ? *from->last : 0xffff),
		.mask = from->mask ? *from->mask : 0xffff,
		.target = WARD_NONE,
		.output_base = from->output,
		.evidence = from->evidence ? from->evidence : APP_MACHINE_EVIDENCE,
	};
	const char *to = app_machine_at(b, "id_maps", index, "to");
	int code = 0;

	if (strcmp(from->to, "none") != 0)
		code = from->kind == WARD_ID_MAP_IOMMU
			       ? app_machine_find_iommu(b, to, from->to, &map.target)
			       : app_machine_find_controller(b, to, from->to, &map.target);
	if (code)
		return code;
	if (ward_rid_raw(map.first) > ward_rid_raw(map.last))
		return app_machine_fail(b, app_machine_at(b, "id_maps", index, "last"),
					"it ends before it begins");
	if (ward_rid_raw(map.first) & ~map.mask)
		return app_machine_fail(b, app_machine_at(b, "id_maps", index, "first"),
					"the mask leaves no id there");
	code = ward_builder_add_id_map(b->builder, &map);
	return code ? app_machine_refused(b, app_machine_at(b, "id_maps", index, NULL), code) : 0;
}

static bool has_map(const struct app_machine_building *b, enum ward_id_map_kind kind,
		    uint32_t segment)
{
	for (uint32_t i = 0; i < b->from->id_maps_count; i++)
		if (b->from->id_maps[i].kind == kind && b->from->id_maps[i].segment == segment)
			return true;
	return false;
}

static int add_plain_map(struct app_machine_building *b, enum ward_id_map_kind kind,
			 uint32_t segment)
{
	const struct ward_id_map map = {
		.kind = kind,
		.segment = segment,
		.last = ward_rid(0xffff),
		.mask = 0xffff,
		.output_base = segment << 16,
		.evidence = APP_MACHINE_EVIDENCE,
	};
	int code;

	if (has_map(b, kind, segment))
		return 0;
	code = ward_builder_add_id_map(b->builder, &map);
	return code ? app_machine_refused(b, "", code) : 0;
}

/*
 * Arm: ids go through unchanged to the only IOMMU and the only controller, also those that no
 * function has for its own, such as what a bridge puts in their place. Where all functions of a
 * segment say themselves what serves them, nothing is added to that.
 */
static int add_plain_maps(struct app_machine_building *b)
{
	uint32_t count = b->from->functions_count;
	int code = 0;

	for (uint32_t i = 0, end; i < count && !b->direct && !code; i = end) {
		uint32_t segment = b->keys[i].address.segment;
		bool iommu = false, msi = false;

		for (end = i; end < count && b->keys[end].address.segment == segment; end++) {
			const struct app_machine_function *f =
				&b->from->functions[b->keys[end].ordinal];

			iommu |= !f->iommu && !f->stream;
			msi |= !f->controller && !f->devid;
		}
		/* Of several nobody says which. */
		if (iommu && b->from->iommus_count == 1)
			code = add_plain_map(b, WARD_ID_MAP_IOMMU, segment);
		if (!code && msi && b->from->controllers_count == 1)
			code = add_plain_map(b, WARD_ID_MAP_MSI, segment);
	}
	return code;
}

static int add_groups(struct app_machine_building *b)
{
	struct ward_kernel_group *groups;
	int code = 0;

	for (uint32_t i = 0; i < b->from->groups_count; i++)
		if (app_machine_group(b, b->from->groups[i].number) != i)
			return app_machine_fail(b, app_machine_at(b, "groups", i, "number"),
						"this group stands here twice");
	groups = app_alloc(b->groups_count, sizeof(*groups));
	for (uint32_t i = 0; i < b->groups_count; i++) {
		const struct app_machine_group_key *key = &b->groups[i];

		groups[key->index].number = key->number;
		groups[key->index].type = key->index < b->from->groups_count
						  ? b->from->groups[key->index].type
						  : WARD_GROUP_DMA;
	}
	for (uint32_t i = 0; i < b->groups_count && !code; i++) {
		code = ward_builder_add_group(b->builder, &groups[i], NULL);
		if (code)
			code = app_machine_refused(b, "", code);
	}
	free(groups);
	return code;
}

static int add_region(struct app_machine_building *b, uint32_t index)
{
	const struct app_machine_region *from = &b->from->regions[index];
	struct ward_region region = {
		.kind = from->kind,
		.function = WARD_NONE,
		.group = from->group ? app_machine_group(b, *from->group) : WARD_NONE,
		.source = from->source ? from->source : APP_MACHINE_EVIDENCE,
	};
	int code;

	if (!app_text_range(from->range, 0, &region.range))
		return app_machine_fail(b, app_machine_at(b, "regions", index, "range"),
					"\"%s\" is no range", from->range);
	if (!from->function == !from->group)
		return app_machine_fail(b, app_machine_at(b, "regions", index, NULL),
					"a region is that of a function or that of a group");
	if (from->function) {
		code = app_machine_find(b, app_machine_at(b, "regions", index, "function"),
					from->function, &region.function);
		if (code)
			return code;
	}
	code = ward_builder_add_region(b->builder, &region);
	return code ? app_machine_refused(b, app_machine_at(b, "regions", index, NULL), code) : 0;
}

static int add_partition(struct app_machine_building *b, uint32_t index)
{
	const struct app_machine_partition *from = &b->from->partitions[index];
	int code = 0;

	for (uint32_t i = 0; i < from->mmio.count && !code; i++) {
		struct ward_mmio_segment segment = { .pe = from->pe };
		const char *path = app_machine_at_item(b, "partitions", index, "mmio", i);

		if (!app_text_range(from->mmio.text[i], 0, &segment.range))
			return app_machine_fail(b, path, "\"%s\" is no range", from->mmio.text[i]);
		code = ward_builder_add_segment(b->builder, &segment);
		if (code)
			code = app_machine_refused(b, path, code);
	}
	return code;
}

static int add_remark(struct app_machine_building *b, uint32_t index)
{
	const struct app_machine_remark *from = &b->from->remarks[index];
	int code = ward_builder_remark(b->builder, from->code, "%s", from->text ? from->text : "");

	return code ? app_machine_refused(b, app_machine_at(b, "remarks", index, NULL), code) : 0;
}

static int add_each(struct app_machine_building *b, uint32_t count,
		    int (*add)(struct app_machine_building *, uint32_t))
{
	int code = 0;

	for (uint32_t i = 0; i < count && !code; i++)
		code = add(b, i);
	return code;
}

int app_machine_add_parts(struct app_machine_building *b)
{
	const struct app_machine_yaml *from = b->from;
	int code = check_names(b, "iommus", from->iommus_count, iommu_name);

	if (!code)
		code = check_names(b, "controllers", from->controllers_count, controller_name);
	if (!code)
		code = add_host(b);
	if (!code)
		code = add_each(b, from->controllers_count, add_controller);
	if (!code)
		code = add_each(b, from->iommus_count, add_iommu);
	if (!code)
		code = add_each(b, from->id_maps_count, add_id_map);
	if (!code)
		code = add_plain_maps(b);
	if (!code)
		code = add_groups(b);
	if (!code)
		code = add_each(b, from->regions_count, add_region);
	if (!code)
		code = add_each(b, from->partitions_count, add_partition);
	return code ? code : add_each(b, from->remarks_count, add_remark);
}

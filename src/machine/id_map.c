// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Id maps: which IOMMU and MSI controller see a function, and by which id. */
#include "machine/builder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fault.h"
#include "pci/alias.h"

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

/* A copy with the rows of one kind and segment side by side, in the order of adding. */
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
	builder->sorted = sorted;
	return 0;
}

static size_t first_map(const struct ward_builder *builder, enum ward_id_map_kind kind,
			uint32_t segment)
{
	size_t low = 0, high = builder->maps_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_map_to(&builder->sorted[middle], kind, segment) < 0)
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
		const struct ward_id_map *map = &builder->sorted[i];
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

int ward_builder_apply_maps(struct ward_builder *builder, struct ward_error *ret_error)
{
	struct ward_machine *machine = &builder->storage->machine;
	int err = sort_maps(builder);

	if (err)
		return err;
	for (size_t i = 0; i < builder->maps_count; i++) {
		const struct ward_id_map *map = &builder->maps[i];
		uint32_t count = map->kind == WARD_ID_MAP_IOMMU ? machine->iommus_count
								: machine->controllers_count;

		if (!ward_index_is_sound(map->target, count))
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

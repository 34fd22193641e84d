// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "state.h"

#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>

#define PAGE_MASK 0xfffull
#define INPUT_BITS 48u
/* 4 KiB, 2 MiB, 1 GiB: what both formats have. */
#define PAGE_SIZES (1ull << 12 | 1ull << 21 | 1ull << 30)
#define APERTURE_LAST ((1ull << INPUT_BITS) - 1)
#define ACCESS (WARD_READ | WARD_WRITE | WARD_EXEC)

/* A mapping in the tree: the low bits of a target, which is a page's, hold access and type. */
#define TYPE_SHIFT 3

static uint64_t pack(const struct ward_mapping *mapping)
{
	return ward_target_raw(mapping->target) | mapping->access |
	       (uint64_t)mapping->type << TYPE_SHIFT;
}

static int map_tables(struct ward_model_space *space, const struct ward_tree_entry *entry)
{
	struct ward_range range = { entry->start, entry->last };

	return ward_table_map(&space->table, space->model->pages, range, entry->value & ~PAGE_MASK,
			      entry->value & ACCESS,
			      (enum ward_memory_type)(entry->value >> TYPE_SHIFT & 7), 0);
}

struct ward_model_space *ward_model_tables(struct ward_model_space *space)
{
	if (space && space->kind == WARD_SPACE_NESTED)
		space = space->parent;
	if (!space || (space->kind != WARD_SPACE_UNMANAGED && space->kind != WARD_SPACE_DYNAMIC))
		return NULL;
	return space;
}

static int fill_tables(struct ward_model_space *space)
{
	struct ward_tree_entry entry;
	uint64_t from = 0;

	while (ward_tree_next(&space->mappings, from, &entry)) {
		int code = map_tables(space, &entry);

		if (code)
			return code;
		/* Mappings end below 2^48. */
		from = entry.last + 1;
	}
	return 0;
}

int ward_model_space_build(struct ward_model_space *space, const struct ward_table_format *format)
{
	int code;

	if (space->table.format)
		return space->table.format == format ? 0 : -EOPNOTSUPP;
	space->table = (struct ward_table){
		.format = format,
		.granule_shift = 12,
		.input_bits = INPUT_BITS,
		.output_bits = INPUT_BITS,
		.stage = 2,
	};
	code = ward_table_create(&space->table, space->model->pages);
	if (code) {
		space->table.format = NULL;
		return code;
	}
	code = fill_tables(space);
	if (code) {
		ward_table_destroy(&space->table, space->model->pages);
		space->table.format = NULL;
	}
	return code;
}

void ward_model_flush(struct ward_model *model, const struct ward_model_stream *stream,
		      struct ward_range range)
{
	struct ward_model_iommu *iommu = &model->iommus[stream->iommu];

	iommu->driver->flush(iommu, stream, range);
	/* A device that kept a translation for itself may use it until it is frozen. */
	if (stream->ats && !iommu->driver->flush_device(iommu, stream, range))
		ward_model_freeze_stream(model, stream);
}

/* What a caller that goes through the library is never told. */
static int police_map(struct ward_model_space *space, const struct ward_mapping *mapping)
{
	uint64_t start = ward_iova_raw(mapping->start), last = ward_iova_raw(mapping->last);
	struct ward_range range = { start, last };
	struct ward_tree_entry there;

	if (!ward_model_tables(space) || space->kind == WARD_SPACE_NESTED)
		return ward_model_misuse(space->model, -EINVAL,
					 "map into a space without mappings");
	if (last < start)
		return ward_model_misuse(space->model, -EOVERFLOW, "map of a range that wraps");
	if ((start | (last + 1) | ward_target_raw(mapping->target)) & PAGE_MASK ||
	    !(mapping->access & ACCESS) || mapping->access & ~ACCESS || last > APERTURE_LAST ||
	    ward_target_raw(mapping->target) > APERTURE_LAST - (last - start))
		return ward_model_misuse(space->model, -EINVAL, "map of what cannot be mapped");
	for (size_t i = 0; i < space->reserved_count; i++)
		if (ward_range_overlaps(space->reserved[i].range, range))
			return ward_model_misuse(space->model, -EINVAL, "map of a reserved region");
	if (ward_tree_next(&space->mappings, start, &there) && there.start <= last)
		return ward_model_misuse(space->model, -EEXIST, "map of what is mapped");
	return 0;
}

static int map(void *backing, const struct ward_mapping *mapping)
{
	struct ward_model_space *space = backing;
	struct ward_tree_entry entry;
	int code;

	if (!space->model)
		return -EIO;
	code = police_map(space, mapping);
	if (!code)
		code = ward_tree_prepare(&space->mappings);
	if (code)
		return code;
	entry = (struct ward_tree_entry){ ward_iova_raw(mapping->start),
					  ward_iova_raw(mapping->last), pack(mapping) };
	/* Nothing is cached of what was not mapped, so there is nothing to flush. */
	if (space->table.format)
		code = map_tables(space, &entry);
	if (!code)
		ward_tree_insert(&space->mappings, &entry);
	return code;
}

static int police_unmap(struct ward_model_space *space, struct ward_range range, bool split)
{
	struct ward_tree_entry first, end;

	if (range.start > range.last || (range.start | (range.last + 1)) & PAGE_MASK)
		return ward_model_misuse(space->model, -EINVAL, "unmap of no range of pages");
	if (!ward_tree_next(&space->mappings, range.start, &first) || first.start > range.last)
		return ward_model_misuse(space->model, -ENOENT, "unmap of what is not mapped");
	if (split)
		return 0;
	if (first.start < range.start ||
	    (ward_tree_find(&space->mappings, range.last, &end) && end.last > range.last))
		return ward_model_misuse(space->model, -EINVAL, "unmap that cuts a mapping");
	return 0;
}

/* The tables are only given back when nobody can be on his way through them. */
static int unmap_tables(struct ward_model_space *space, struct ward_range range)
{
	struct ward_model *model = space->model;
	struct ward_table_freed freed = { 0 };
	int code;

	if (range.last > APERTURE_LAST)
		range.last = APERTURE_LAST;
	code = ward_table_unmap(&space->table, model->pages, range, &freed);
	if (code)
		return code;
	for (struct ward_model_stream *stream = space->streams; stream; stream = stream->beside)
		ward_model_flush(model, stream, range);
	ward_table_release(model->pages, &space->table, &freed);
	return 0;
}

static int unmap(void *backing, struct ward_range range, bool split)
{
	struct ward_model_space *space = backing;
	int code;

	if (!space->model)
		return 0;
	code = police_unmap(space, range, split);
	if (!code && split)
		code = ward_tree_prepare(&space->mappings);
	if (!code && space->table.format)
		code = unmap_tables(space, range);
	if (!code)
		ward_tree_remove(&space->mappings, range);
	return code;
}

/* Doorbells are mapped within a software window, and what is direct is mapped to itself. */
static int reserve(void *backing, const struct ward_reserved *reserved, size_t count)
{
	struct ward_model_space *space = backing;
	void *all = space->reserved;
	int code;

	if (!space->model)
		return -EIO;
	code = ward_array_reserve(&all, &space->reserved_capacity, space->reserved_count + count,
				  sizeof(*space->reserved));
	if (code)
		return code;
	space->reserved = all;
	for (size_t i = 0; i < count; i++) {
		if (reserved[i].kind == WARD_REGION_RESERVED || reserved[i].kind == WARD_REGION_MSI)
			space->reserved[space->reserved_count++] = reserved[i];
	}
	return 0;
}

static void destroy(void *backing)
{
	struct ward_model_space *space = backing;

	if (space->model) {
		struct ward_model_space **at = &space->model->spaces;

		if (space->table.format)
			ward_table_destroy(&space->table, space->model->pages);
		while (*at != space)
			at = &(*at)->next;
		*at = space->next;
	}
	ward_tree_finish(&space->mappings);
	free(space->reserved);
	free(space);
}

const struct ward_space_ops ward_model_space_ops = {
	.map = map,
	.unmap = unmap,
	.reserve = reserve,
	.destroy = destroy,
};

struct ward_model_space *ward_model_space_of(const struct ward_model *model,
					     const struct ward_space *space)
{
	struct ward_model_space *found = model->spaces;
	struct ward_space_info info;

	ward_space_info(space, &info);
	while (found && found != info.backing)
		found = found->next;
	return found;
}

/* Nested: over a space of ours, where there is hardware with two stages. */
static int nest(const struct ward_model *model, const struct ward_space_options *options,
		struct ward_model_space *space)
{
	bool two_stages = false;

	for (uint32_t i = 0; i < model->facts->iommus_count; i++)
		two_stages |= model->iommus[i].driver == &ward_model_smmuv3;
	if (!two_stages)
		return -EOPNOTSUPP;
	if (!options->parent || !options->stage1)
		return -EINVAL;
	space->parent = ward_model_space_of(model, options->parent);
	space->stage1 = *options->stage1;
	return ward_model_tables(space->parent) == space->parent && space->parent ? 0 : -EINVAL;
}

int ward_model_space_make(void *context, struct ward_space_options *options)
{
	struct ward_model *model = context;
	struct ward_model_space *space = ward_alloc(sizeof(*space));
	int code = 0;

	if (!space)
		return -ENOMEM;
	if (options->kind == WARD_SPACE_NESTED)
		code = nest(model, options, space);
	if (code) {
		free(space);
		return code;
	}
	space->model = model;
	space->kind = options->kind;
	ward_tree_init(&space->mappings, NULL);
	space->next = model->spaces;
	model->spaces = space;
	options->page_sizes = PAGE_SIZES;
	if (!options->aperture.last || options->aperture.last > APERTURE_LAST)
		options->aperture.last = APERTURE_LAST;
	options->ops = &ward_model_space_ops;
	options->backing = space;
	return 0;
}

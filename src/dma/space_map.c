// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Adding mappings. Order: everything that can be refused here, then the memory, then the backend,
 * then the tree, which cannot fail: a reader finds a mapping only after it has been carried out.
 */
#include "dma/space.h"

#include <errno.h>

#define ACCESS (WARD_READ | WARD_WRITE | WARD_EXEC)

/* What is wrong with the mapping itself. */
static int check_mapping(const struct ward_space *space, const struct ward_mapping *mapping)
{
	uint64_t start = ward_iova_raw(mapping->start), last = ward_iova_raw(mapping->last);
	uint64_t target = ward_target_raw(mapping->target);

	if (space->kind != WARD_SPACE_UNMANAGED && space->kind != WARD_SPACE_DYNAMIC)
		return -EINVAL;
	if (!mapping->access || mapping->access & ~ACCESS || (uint32_t)mapping->type > WARD_NORMAL)
		return -EINVAL;
	if ((start | (last + 1) | target) & space->page_mask)
		return -EINVAL;
	if (start && last == start - 1)
		return -EINVAL;
	if (last < start || last - start > UINT64_MAX - target)
		return -EOVERFLOW;
	if (start < space->aperture.start || last > space->aperture.last)
		return -EINVAL;
	return 0;
}

static struct ward_tree_entry entry_of(const struct ward_mapping *mapping, uint64_t bits)
{
	return (struct ward_tree_entry){
		.start = ward_iova_raw(mapping->start),
		.last = ward_iova_raw(mapping->last),
		.value = ward_target_raw(mapping->target) | mapping->access |
			 (uint64_t)mapping->type << WARD_VALUE_TYPE_SHIFT | bits,
	};
}

static int map(struct ward_space *space, const struct ward_mapping *mapping, uint64_t bits)
{
	struct ward_tree_entry entry, there;
	struct ward_tree_place place;
	int code = check_mapping(space, mapping);

	if (code)
		return code;
	entry = entry_of(mapping, bits);
	code = ward_space_reserved_allows(space, &entry);
	if (code)
		return code;
	if (ward_tree_look(&space->tree, entry.start, &place, &there) && there.start <= entry.last)
		return -EEXIST;
	if (space->mappings_max && space->tree.count >= space->mappings_max)
		return -ENOSPC;
	code = ward_tree_prepare(&space->tree);
	if (code)
		return code;
	if (space->ops && space->ops->map) {
		code = space->ops->map(space->backing, mapping);
		if (code)
			return code;
	}
	ward_tree_insert_at(&space->tree, &place, &entry);
	return 0;
}

int ward_space_map(struct ward_space *space, const struct ward_mapping *mapping)
{
	return map(space, mapping, 0);
}

int ward_space_map_doorbell(struct ward_space *space, const struct ward_mapping *mapping)
{
	return map(space, mapping, WARD_VALUE_DOORBELL);
}

int ward_space_map_any(struct ward_space *space, const struct ward_mapping *mapping,
		       ward_iova_t limit, ward_iova_t *ret_iova)
{
	struct ward_mapping placed = *mapping;
	uint64_t start, length = ward_iova_raw(mapping->last) + 1;
	int code;

	if (space->kind != WARD_SPACE_DYNAMIC || ward_iova_raw(mapping->start) || !length ||
	    length & space->page_mask)
		return -EINVAL;
	code = ward_allocate(space, length, ward_iova_raw(limit), &start);
	if (code)
		return code;
	placed.start = ward_iova(start);
	placed.last = ward_iova(start + (length - 1));
	code = map(space, &placed, 0);
	if (code)
		return code;
	*ret_iova = placed.start;
	return 0;
}

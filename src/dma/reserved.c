// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Regions that are not free to map. Two kinds admit some mappings: where memory must stay mapped to
 * itself, that very mapping; in the window for doorbells, doorbells. Whichever comes second, the
 * region or the mapping, is judged by the same rule.
 */
#include "dma/space.h"

#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool admits(const struct ward_reserved *reserved, const struct ward_tree_entry *entry)
{
	struct ward_range range = { entry->start, entry->last };

	if (!ward_range_overlaps(reserved->range, range))
		return true;
	switch (reserved->kind) {
	case WARD_REGION_DIRECT:
		return ward_value_target(entry->value) == entry->start;
	case WARD_REGION_SW_MSI:
		return entry->value & WARD_VALUE_DOORBELL;
	case WARD_REGION_DIRECT_RELAXABLE:
		return true;
	case WARD_REGION_RESERVED:
	case WARD_REGION_MSI:
		break;
	}
	return false;
}

int ward_space_reserved_allows(const struct ward_space *space, const struct ward_tree_entry *entry)
{
	for (size_t i = 0; i < space->reserved_count; i++) {
		if (!admits(&space->reserved[i], entry))
			return -EINVAL;
	}
	return 0;
}

const struct ward_reserved *ward_space_reserved_in(const struct ward_space *space,
						   struct ward_range range)
{
	for (size_t i = space->reserved_count; i-- > 0;) {
		if (ward_range_overlaps(space->reserved[i].range, range))
			return &space->reserved[i];
	}
	return NULL;
}

/* Whether the region can be taken out of what is mapped now. */
static int check_region(const struct ward_space *space, const struct ward_reserved *reserved)
{
	struct ward_tree_entry entry;
	uint64_t from = reserved->range.start;

	if (ward_range_is_empty(reserved->range) || (uint32_t)reserved->kind > WARD_REGION_SW_MSI)
		return -EINVAL;
	while (ward_tree_next(&space->tree, from, &entry) && entry.start <= reserved->range.last) {
		if (!admits(reserved, &entry))
			return -EADDRINUSE;
		if (entry.last == UINT64_MAX)
			break;
		from = entry.last + 1;
	}
	return 0;
}

static bool known(const struct ward_space *space, const struct ward_reserved *reserved)
{
	if (reserved->kind == WARD_REGION_DIRECT_RELAXABLE)
		return true;
	for (size_t i = 0; i < space->reserved_count; i++) {
		const struct ward_reserved *other = &space->reserved[i];

		if (other->kind == reserved->kind && other->range.start <= reserved->range.start &&
		    other->range.last >= reserved->range.last)
			return true;
	}
	return false;
}

/* Puts the last one in its place by start. */
static void sort_last(struct ward_reserved *reserved, size_t count)
{
	struct ward_reserved last = reserved[count - 1];
	size_t i = count - 1;

	for (; i > 0 && reserved[i - 1].range.start > last.range.start; i--)
		reserved[i] = reserved[i - 1];
	reserved[i] = last;
}

int ward_space_reserve_all(struct ward_space *space, const struct ward_reserved *reserved,
			   uint32_t count)
{
	struct ward_reserved *old, *new;
	size_t old_count, new_count;
	int code = 0;

	/* What a guest's stage 1 does to its own addresses is its own matter. */
	if (space->kind == WARD_SPACE_NESTED)
		space = space->parent;
	for (uint32_t i = 0; i < count; i++) {
		code = check_region(space, &reserved[i]);
		if (code)
			return code;
	}
	old = space->reserved;
	old_count = space->reserved_count;
	new = ward_alloc_array(old_count + count, sizeof(*new));
	if (!new)
		return -ENOMEM;
	if (old_count)
		memcpy(new, old, old_count * sizeof(*new));
	space->reserved = new;
	for (uint32_t i = 0; i < count; i++) {
		if (!known(space, &reserved[i]))
			new[space->reserved_count++] = reserved[i];
	}
	new_count = space->reserved_count - old_count;
	if (new_count && space->ops && space->ops->reserve)
		code = space->ops->reserve(space->backing, new + old_count, new_count);
	if (code) {
		space->reserved = old;
		space->reserved_count = old_count;
		free(new);
		return code;
	}
	for (size_t i = old_count; i < old_count + new_count; i++)
		sort_last(new, i + 1);
	free(old);
	return 0;
}

int ward_space_reserve(struct ward_space *space, const struct ward_reserved *reserved)
{
	return ward_space_reserve_all(space, reserved, 1);
}

bool ward_space_reserved_next(const struct ward_space *space, uint32_t *cursor,
			      struct ward_reserved *ret_reserved)
{
	if (space->kind == WARD_SPACE_NESTED)
		space = space->parent;
	if (*cursor >= space->reserved_count)
		return false;
	*ret_reserved = space->reserved[(*cursor)++];
	return true;
}

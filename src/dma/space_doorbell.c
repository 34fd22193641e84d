// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "dma/space_doorbell.h"

#include <errno.h>

#include "dma/space.h"

/* 1 the page is there, 0 it is not, -EADDRINUSE something that is no doorbell is in the window. */
static int look(const struct ward_space *space, const struct ward_doorbell_page *page)
{
	struct ward_tree_entry entry;
	uint64_t from = page->window.start;
	int found = 0;

	while (ward_tree_next(&space->tree, from, &entry) && entry.start <= page->window.last) {
		if (!(entry.value & WARD_VALUE_DOORBELL))
			return -EADDRINUSE;
		if (entry.start == page->input.start && entry.last == page->input.last &&
		    ward_value_target(entry.value) == page->target)
			found = 1;
		if (entry.last == UINT64_MAX)
			break;
		from = entry.last + 1;
	}
	return found;
}

static int map(struct ward_space *space, const struct ward_doorbell_page *page)
{
	struct ward_mapping mapping = {
		.start = ward_iova(page->input.start),
		.last = ward_iova(page->input.last),
		.target = ward_target(page->target),
		/* Nobody has to read a doorbell; but not all tables can forbid it. */
		.access = WARD_WRITE,
		/* A write that waits in a cache rings nothing. */
		.type = WARD_DEVICE_NGNRE,
	};
	int err = ward_space_map_doorbell(space, &mapping);

	if (err != -EOPNOTSUPP)
		return err;
	mapping.access |= WARD_READ;
	return ward_space_map_doorbell(space, &mapping);
}

/* A backend that does not give it back keeps it, and so does the space. */
static void unmap(struct ward_space *space, const struct ward_doorbell_page *page)
{
	if (space->ops && space->ops->unmap &&
	    space->ops->unmap(space->backing, page->input, false) != 0)
		return;
	ward_tree_remove(&space->tree, page->input);
	ward_allocate_freed(space, page->input);
}

int ward_space_add_doorbell(struct ward_space *space, const struct ward_doorbell_page *page)
{
	struct ward_reserved reserved = { page->window, WARD_REGION_SW_MSI };
	int err;

	if (space->ops && space->ops->has_doorbells)
		return -EOPNOTSUPP;
	err = look(space, page);
	if (err)
		return err < 0 ? err : 0;
	err = map(space, page);
	if (err)
		return err;
	err = ward_space_reserve(space, &reserved);
	if (err)
		unmap(space, page);
	return err;
}

bool ward_space_find_doorbell(const struct ward_space *space, uint64_t target, uint64_t size,
			      uint64_t *ret_start)
{
	for (size_t i = 0; i < space->reserved_count; i++) {
		struct ward_range range = space->reserved[i].range;
		struct ward_tree_entry entry;
		uint64_t from = range.start;

		if (space->reserved[i].kind != WARD_REGION_SW_MSI)
			continue;
		while (ward_tree_next(&space->tree, from, &entry) && entry.start <= range.last) {
			if (ward_value_target(entry.value) == target &&
			    entry.last - entry.start == size - 1) {
				*ret_start = entry.start;
				return true;
			}
			if (entry.last == UINT64_MAX)
				break;
			from = entry.last + 1;
		}
	}
	return false;
}

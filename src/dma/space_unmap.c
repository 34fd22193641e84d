// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Removing mappings. Order: everything that can be refused here, then memory (only to cut), then
 * the backend, which may refuse a part before it has done anything to it, then the tree, which
 * cannot fail, then the readers. So a mapping is intact in both or gone from both, and while the call
 * runs it may be gone from the backend first: nobody is promised it any more.
 */
#include "dma/space.h"

#include <errno.h>

struct part {
	struct ward_range range; /* what of it is mapped, from the first byte to the last */
	bool cuts;		 /* its bounds lie within mappings */
	bool halves;		 /* both in one, of which two are left */
};

static bool mapped_part(const struct ward_space *space, struct ward_range asked,
			struct part *ret_part)
{
	struct ward_tree_entry first, end;

	if (!ward_tree_next(&space->tree, asked.start, &first) || first.start > asked.last)
		return false;
	end = first;
	if (first.last < asked.last)
		ward_tree_previous(&space->tree, asked.last, &end);
	*ret_part = (struct part){
		.range.start = first.start < asked.start ? asked.start : first.start,
		.range.last = end.last > asked.last ? asked.last : end.last,
		.cuts = first.start < asked.start || end.last > asked.last,
		.halves = first.start < asked.start && first.last > asked.last,
	};
	return true;
}

/*
 * The first piece of the range that is the caller's: what is not in a window for doorbells, in which
 * there is nothing but their pages. Those stay.
 */
static bool first_piece(const struct ward_space *space, struct ward_range range,
			struct ward_range *ret_piece)
{
	for (size_t i = 0; i < space->reserved_count; i++) {
		struct ward_range window = space->reserved[i].range;

		if (space->reserved[i].kind != WARD_REGION_SW_MSI ||
		    !ward_range_overlaps(window, range))
			continue;
		if (window.start > range.start) {
			range.last = window.start - 1;
			break;
		}
		if (window.last >= range.last)
			return false;
		range.start = window.last + 1;
	}
	*ret_piece = range;
	return true;
}

/* The first part of *left that can be unmapped; it and what is before it are taken off *left. */
static bool next_part(const struct ward_space *space, struct ward_range *left,
		      struct part *ret_part)
{
	struct ward_range piece;
	bool found = false;

	while (!found && !ward_range_is_empty(*left) && first_piece(space, *left, &piece)) {
		found = mapped_part(space, piece, ret_part);
		if (piece.last == left->last)
			*left = WARD_RANGE_EMPTY;
		else
			left->start = piece.last + 1;
	}
	return found;
}

static int unmap_backend(const struct ward_space *space, const struct part *part)
{
	if (!space->ops || !space->ops->unmap)
		return 0;
	return space->ops->unmap(space->backing, part->range, part->cuts);
}

static void forget(struct ward_space *space, struct ward_range range, uint64_t *bytes)
{
	uint64_t before = space->tree.bytes;

	ward_tree_remove(&space->tree, range);
	ward_allocate_freed(space, range);
	*bytes += before - space->tree.bytes;
}

/* A part is in the tree, and not in the backend any more. What cannot go back leaves both. */
static void put_back(struct ward_space *space, struct ward_range part)
{
	struct ward_tree_entry entry;
	uint64_t bytes = 0;

	while (ward_tree_next(&space->tree, part.start, &entry) && entry.start <= part.last) {
		struct ward_range range = {
			entry.start < part.start ? part.start : entry.start,
			entry.last > part.last ? part.last : entry.last,
		};
		struct ward_mapping mapping;

		entry.value += range.start - entry.start;
		entry.start = range.start;
		entry.last = range.last;
		mapping = ward_space_mapping(&entry);
		/* No memory needed: an entry that goes on at both sides would be the only part. */
		if (space->ops->map && space->ops->map(space->backing, &mapping))
			forget(space, range, &bytes);
		if (range.last == part.last)
			break;
		part.start = range.last + 1;
	}
}

/* All of them or none: the tree knows what was mapped until the backend has let go of everything. */
static int unmap_parts(struct ward_space *space, struct ward_range asked, uint64_t *bytes)
{
	struct ward_range left = asked;
	struct part part, refused = { 0 };
	int code = 0;

	while (code == 0 && next_part(space, &left, &refused))
		code = unmap_backend(space, &refused);
	left = asked;
	while (next_part(space, &left, &part)) {
		if (code == 0)
			forget(space, part.range, bytes);
		else if (part.range.start < refused.range.start)
			put_back(space, part.range);
		else
			break;
	}
	return code;
}

int ward_space_unmap(struct ward_space *space, ward_iova_t start, ward_iova_t last, uint32_t flags,
		     uint64_t *ret_bytes)
{
	struct ward_range left, asked = { ward_iova_raw(start), ward_iova_raw(last) };
	struct part part, first = { 0 };
	unsigned int found = 0;
	uint64_t bytes = 0;
	bool cuts = false;
	int code;

	if (flags & ~WARD_UNMAP_SPLIT || asked.start > asked.last ||
	    (asked.start | (asked.last + 1)) & space->page_mask)
		return -EINVAL;
	for (left = asked; next_part(space, &left, &part); found++) {
		first = part;
		cuts |= part.cuts;
	}
	if (found == 0)
		return -ENOENT;
	if (cuts && !(flags & WARD_UNMAP_SPLIT))
		return -EINVAL;
	if (first.halves && space->mappings_max && space->tree.count >= space->mappings_max)
		return -ENOSPC;
	code = cuts ? ward_tree_prepare(&space->tree) : 0;
	if (code)
		return code;
	/* One part is the rule, and need not be looked for again. */
	if (found > 1) {
		code = unmap_parts(space, asked, &bytes);
	} else {
		code = unmap_backend(space, &first);
		if (code == 0)
			forget(space, first.range, &bytes);
	}
	if (code == 0 && ret_bytes)
		*ret_bytes = bytes;
	return code;
}

int ward_space_unmap_whole(struct ward_space *space, struct ward_range range)
{
	struct ward_tree_entry first, end;
	struct ward_tree_place place;
	struct part part;
	int code;

	if (!ward_tree_look(&space->tree, range.start, &place, &first) || first.start > range.last)
		return 0;
	end = first;
	if (first.last < range.last)
		ward_tree_previous(&space->tree, range.last, &end);
	if (first.start < range.start || end.last > range.last)
		return -ERANGE;
	part = (struct part){ .range = { first.start, end.last } };
	code = unmap_backend(space, &part);
	if (code)
		return code;
	/* The place has the first one too, unless it is in the next leaf: then it is looked for again. */
	ward_tree_remove_at(&space->tree, &place, part.range);
	ward_allocate_freed(space, part.range);
	return 0;
}

int ward_space_unmap_all(struct ward_space *space)
{
	uint64_t bytes = 0;

	return unmap_parts(space, (struct ward_range){ 0, UINT64_MAX }, &bytes);
}

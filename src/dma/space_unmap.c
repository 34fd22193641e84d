// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Removing mappings. Order: everything that can be refused here, then memory (only to cut), then
 * the backend, which may refuse while nothing has been done, then the tree, which cannot fail, then
 * the readers. So a mapping is intact in both or gone from both, and while the call runs it may be
 * gone from the backend first: nobody is promised it any more.
 */
#include "dma/space.h"

#include <errno.h>

struct part {
	struct ward_range range; /* what of it is mapped, from the first byte to the last */
	bool cuts;		 /* its bounds lie within mappings */
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

static int unmap_part(struct ward_space *space, const struct part *part, uint64_t *bytes)
{
	uint64_t before = space->tree.bytes;
	int code = part->cuts ? ward_tree_prepare(&space->tree) : 0;

	if (code)
		return code;
	if (space->ops && space->ops->unmap) {
		code = space->ops->unmap(space->backing, part->range, part->cuts);
		if (code)
			return code;
	}
	ward_tree_remove(&space->tree, part->range);
	ward_allocate_freed(space, part->range);
	*bytes += before - space->tree.bytes;
	return 0;
}

static int unmap_parts(struct ward_space *space, struct ward_range left, uint64_t *bytes)
{
	struct part part;
	int code = 0;

	while (code == 0 && next_part(space, &left, &part))
		code = unmap_part(space, &part, bytes);
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
	/* One part is the rule, and need not be looked for again. */
	code = found == 1 ? unmap_part(space, &first, &bytes) : unmap_parts(space, asked, &bytes);
	if (code == 0 && ret_bytes)
		*ret_bytes = bytes;
	return code;
}

int ward_space_unmap_all(struct ward_space *space)
{
	uint64_t bytes = 0;

	return unmap_parts(space, (struct ward_range){ 0, UINT64_MAX }, &bytes);
}

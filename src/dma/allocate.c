// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "dma/allocate.h"

#include "dma/space.h"

#include <errno.h>

void ward_allocator_init(struct ward_space *space)
{
	space->allocator.top = space->aperture.last;
}

/* Rounds up to a power of two; 0 when that is 2^64. */
static uint64_t size_alignment(uint64_t length)
{
	return length & (length - 1) ? UINT64_C(2) << (63 - __builtin_clzll(length)) : length;
}

int ward_allocate(struct ward_space *space, uint64_t length, uint64_t limit, uint64_t *ret_start)
{
	uint64_t alignment = size_alignment(length);
	uint64_t top = limit < space->aperture.last ? limit : space->aperture.last;

	while (top >= space->aperture.start && top - space->aperture.start >= length - 1) {
		uint64_t start = (top - (length - 1)) & -alignment;
		struct ward_range range = { start, start + (length - 1) };
		const struct ward_reserved *reserved = ward_space_reserved_in(space, range);
		struct ward_tree_entry entry;
		uint64_t before;

		if (start < space->aperture.start)
			break;
		if (reserved) {
			before = reserved->range.start;
		} else if (ward_tree_next(&space->tree, start, &entry) &&
			   entry.start <= range.last) {
			before = entry.start;
		} else {
			*ret_start = start;
			return 0;
		}
		if (before == 0)
			break;
		top = before - 1;
	}
	return -ENOSPC;
}

void ward_allocate_freed(struct ward_space *space, struct ward_range range)
{
	(void)space;
	(void)range;
}

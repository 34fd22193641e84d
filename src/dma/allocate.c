// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The highest free block, size-aligned as in Linux (drivers/iommu/iova.c). A search remembers, for
 * its length, above which address there is no room. Freeing adds to that the block which the freed
 * range is part of, or, when there are too many, raises the address. So a block is found where it
 * would be found by looking at everything, and in the common case with one look.
 */
#include "dma/allocate.h"

#include "dma/space.h"

#include <errno.h>

/* Rounds up to a power of two; 0 when that is 2^64. */
static uint64_t size_alignment(uint64_t length)
{
	return length & (length - 1) ? UINT64_C(2) << (63 - __builtin_clzll(length)) : length;
}

static uint64_t add_up_to(uint64_t a, uint64_t b, uint64_t limit)
{
	return a > limit || b > limit - a ? limit : a + b;
}

/* What is known of this very search; begun from what is known of others when it is new. */
static struct ward_allocate_known *recall(struct ward_allocator *allocator, uint64_t length,
					  uint64_t limit)
{
	struct ward_allocate_known new = { .length = length, .limit = limit, .top = limit };

	for (unsigned int i = 0; i < allocator->count; i++) {
		struct ward_allocate_known *known = &allocator->known[i];
		uint64_t top;

		if (known->length == length && known->limit == limit)
			return known;
		if (known->length > length || known->limit < limit)
			continue;
		/* A free block has smaller ones in it, up to less than their alignment below its end. */
		top = known->top;
		for (unsigned int j = 0; j < known->freed_count; j++) {
			if (known->freed[j] + (known->length - 1) > top)
				top = known->freed[j] + (known->length - 1);
		}
		/* An alignment of 2^64 is 0. */
		top = add_up_to(top, size_alignment(known->length) - 1, limit);
		if (top < new.top)
			new.top = top;
	}
	if (allocator->count < WARD_ALLOCATE_KNOWN) {
		allocator->known[allocator->count] = new;
		return &allocator->known[allocator->count++];
	}
	allocator->oldest = (allocator->oldest + 1) % WARD_ALLOCATE_KNOWN;
	allocator->known[allocator->oldest] = new;
	return &allocator->known[allocator->oldest];
}

/* What is in the way of a block: its first address. */
static bool in_the_way(const struct ward_space *space, struct ward_range block, uint64_t *ret_start)
{
	const struct ward_reserved *reserved = ward_space_reserved_in(space, block);
	struct ward_tree_entry entry;

	if (reserved) {
		*ret_start = reserved->range.start;
		return true;
	}
	if (!ward_tree_next(&space->tree, block.start, &entry) || entry.start > block.last)
		return false;
	*ret_start = entry.start;
	return true;
}

/* The highest free block that ends at top or before. */
static bool search(const struct ward_space *space, uint64_t length, uint64_t top,
		   struct ward_range *ret_block)
{
	uint64_t alignment = size_alignment(length), start = space->aperture.start;

	while (top >= start && top - start >= length - 1) {
		struct ward_range block;
		uint64_t obstacle;

		block.start = (top - (length - 1)) & -alignment;
		block.last = block.start + (length - 1);
		if (block.start < start)
			break;
		if (!in_the_way(space, block, &obstacle)) {
			*ret_block = block;
			return true;
		}
		/* Above the obstacle a block would overlap it, too, or be one we have tried. */
		if (obstacle == 0)
			break;
		top = obstacle - 1;
	}
	return false;
}

/* The index of the highest, or of the lowest, freed block. */
static unsigned int pick(const struct ward_allocate_known *known, bool highest)
{
	unsigned int best = 0;

	for (unsigned int i = 1; i < known->freed_count; i++) {
		if ((known->freed[i] > known->freed[best]) == highest)
			best = i;
	}
	return best;
}

/* The range may be part of a free block now. */
static void note_freed(struct ward_allocate_known *known, struct ward_range range)
{
	uint64_t alignment = size_alignment(known->length), start = range.last & -alignment;
	uint64_t last = add_up_to(start, known->length - 1, known->limit);
	unsigned int lowest;

	if (last <= known->top)
		return;
	/* Several blocks, or one that the limit cuts: they are looked for from their end down. */
	if (range.start < start || last - start != known->length - 1) {
		known->top = last;
		return;
	}
	for (unsigned int i = 0; i < known->freed_count; i++) {
		if (known->freed[i] == start)
			return;
	}
	if (known->freed_count == WARD_ALLOCATE_FREED) {
		lowest = pick(known, false);
		if (start < known->freed[lowest]) {
			known->top = last;
			return;
		}
		known->top = known->freed[lowest] + (known->length - 1);
		known->freed[lowest] = start;
		return;
	}
	known->freed[known->freed_count++] = start;
}

/* One of the freed blocks, if it really is free as a whole. */
static bool take_freed(const struct ward_space *space, struct ward_allocate_known *known,
		       struct ward_range *ret_block)
{
	while (known->freed_count > 0) {
		unsigned int i = pick(known, true);
		struct ward_range block = { known->freed[i],
					    known->freed[i] + (known->length - 1) };
		uint64_t obstacle;

		known->freed[i] = known->freed[--known->freed_count];
		/* The address may have been raised above it since. */
		if (block.last <= known->top)
			continue;
		if (block.start >= space->aperture.start && !in_the_way(space, block, &obstacle)) {
			*ret_block = block;
			return true;
		}
	}
	return false;
}

int ward_allocate(struct ward_space *space, uint64_t length, uint64_t limit, uint64_t *ret_start)
{
	struct ward_allocate_known *known;
	struct ward_range block;

	if (limit > space->aperture.last)
		limit = space->aperture.last;
	known = recall(&space->allocator, length, limit);
	if (take_freed(space, known, &block)) {
		/* It may stay free: a mapping can be refused after this. */
		note_freed(known, block);
	} else if (search(space, length, known->top, &block)) {
		known->top = block.last;
	} else {
		/* Nothing anywhere, until something is freed. */
		known->top = 0;
		return -ENOSPC;
	}
	*ret_start = block.start;
	return 0;
}

void ward_allocate_freed(struct ward_space *space, struct ward_range range)
{
	for (unsigned int i = 0; i < space->allocator.count; i++)
		note_freed(&space->allocator.known[i], range);
}

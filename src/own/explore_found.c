// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* States that were found: a list of bytes that only grows, and a hash table of indexes into it. */
#include "own/explore.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

/* States in one block: blocks never move. */
#define BLOCK 4096u
#define SLOTS_MIN 1024u

/* Stands behind the bytes of each state. */
struct trailer {
	uint32_t before, event;
};

int ward_found_init(struct ward_found *found, size_t size)
{
	*found = (struct ward_found){ .size = size };
	found->stride = (size + sizeof(struct trailer) + 3) & ~(size_t)3;
	found->slots = ward_alloc_array(SLOTS_MIN, sizeof(*found->slots));
	if (!found->slots)
		return -ENOMEM;
	found->slots_count = SLOTS_MIN;
	found->bytes = SLOTS_MIN * sizeof(*found->slots);
	return 0;
}

void ward_found_finish(struct ward_found *found)
{
	for (size_t i = 0; i * BLOCK < found->count; i++)
		free(found->blocks[i]);
	free(found->blocks);
	free(found->slots);
}

static uint8_t *place(const struct ward_found *found, uint32_t index)
{
	return found->blocks[index / BLOCK] + (index % BLOCK) * found->stride;
}

const uint8_t *ward_found_bytes(const struct ward_found *found, uint32_t index)
{
	return place(found, index);
}

void ward_found_before(const struct ward_found *found, uint32_t index, uint32_t *ret_before,
		       uint32_t *ret_event)
{
	struct trailer trailer;

	memcpy(&trailer, place(found, index) + found->stride - sizeof(trailer), sizeof(trailer));
	*ret_before = trailer.before;
	*ret_event = trailer.event;
}

/* FNV-1a over words of eight bytes, its high bits folded down: the table looks at the low ones. */
static uint64_t hash_bytes(const uint8_t *bytes, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325u, word;

	for (; size >= sizeof(word); bytes += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		hash = (hash ^ word) * 0x100000001b3u;
		hash ^= hash >> 29;
	}
	for (; size; size--)
		hash = (hash ^ *bytes++) * 0x100000001b3u;
	return hash ^ hash >> 32;
}

/* The slot of these bytes, or the free one where they belong. */
static size_t find_slot(const struct ward_found *found, const uint8_t *bytes)
{
	size_t slot = hash_bytes(bytes, found->size) & (found->slots_count - 1);

	while (found->slots[slot] &&
	       memcmp(place(found, found->slots[slot] - 1), bytes, found->size) != 0)
		slot = (slot + 1) & (found->slots_count - 1);
	return slot;
}

static int grow_slots(struct ward_found *found)
{
	size_t count = found->slots_count * 2;
	uint32_t *slots;

	/* Two thirds full at most. */
	if ((found->count + 1ull) * 3 <= found->slots_count * 2ull)
		return 0;
	slots = ward_alloc_array(count, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(found->slots);
	found->slots = slots;
	found->bytes += found->slots_count * sizeof(*slots);
	found->slots_count = count;
	for (uint32_t i = 0; i < found->count; i++)
		found->slots[find_slot(found, place(found, i))] = i + 1;
	return 0;
}

static int grow_blocks(struct ward_found *found)
{
	size_t block = found->count / BLOCK;
	void *blocks = found->blocks;

	if (found->count % BLOCK)
		return 0;
	if (ward_array_reserve(&blocks, &found->blocks_capacity, block + 1, sizeof(*found->blocks)))
		return -ENOMEM;
	found->blocks = blocks;
	found->blocks[block] = ward_alloc_array(BLOCK, found->stride);
	if (!found->blocks[block])
		return -ENOMEM;
	found->bytes += BLOCK * found->stride;
	return 0;
}

int ward_found_add(struct ward_found *found, const uint8_t *bytes, uint32_t before, uint32_t event,
		   uint64_t states_max)
{
	struct trailer trailer = { before, event };
	size_t slot = find_slot(found, bytes);
	uint8_t *at;

	if (found->slots[slot])
		return 0;
	if (found->count == UINT32_MAX - 2 || (states_max && found->count >= states_max))
		return -ENOSPC;
	if (grow_slots(found) || grow_blocks(found))
		return -ENOMEM;
	at = place(found, found->count);
	memcpy(at, bytes, found->size);
	memcpy(at + found->stride - sizeof(trailer), &trailer, sizeof(trailer));
	found->slots[find_slot(found, bytes)] = ++found->count;
	return 1;
}

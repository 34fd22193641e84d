// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "emul/its_index.h"

#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#define FIRST_BITS 6u
/* Objects taken from the allocator at once. */
#define BLOCK_OBJECTS 64u
#define ALIGNMENT 64u

struct its_node ward_its_removed = { .key = UINT64_MAX };

/* Of the 16 random bytes that the kernel gave this process. */
static uint64_t secret(void)
{
	const void *bytes = (const void *)getauxval(AT_RANDOM);
	uint64_t words[2] = { 0 };

	if (bytes)
		memcpy(words, bytes, sizeof(words));
	return words[0] * 0x9e3779b97f4a7c15u + words[1];
}

static struct its_slots *make_slots(unsigned int bits)
{
	size_t count = (size_t)1 << bits;
	struct its_slots *slots =
		ward_alloc(sizeof(struct its_slots) + count * sizeof(slots->slot[0]));

	if (!slots)
		return NULL;
	slots->secret = secret();
	slots->mask = (uint32_t)(count - 1);
	slots->shift = (uint8_t)(64 - (bits - 2));
	return slots;
}

int ward_its_index_init(struct its_index *index)
{
	struct its_slots *slots = make_slots(FIRST_BITS);

	if (!slots)
		return -ENOMEM;
	atomic_init(&index->slots, slots);
	index->live = 0;
	index->used = 0;
	return 0;
}

void ward_its_index_finish(struct its_index *index)
{
	free(atomic_load(&index->slots));
	atomic_store(&index->slots, NULL);
}

static uint32_t free_slot(struct its_slots *slots, uint64_t key)
{
	uint32_t at = its_hash(slots, key);

	for (;; at = (at + 1) & slots->mask) {
		struct its_node *node = atomic_load(&slots->slot[at].node);

		if (!node || node == &ward_its_removed)
			return at;
	}
}

static void put(struct its_slots *slots, uint32_t at, struct its_node *node)
{
	atomic_store_explicit(&slots->slot[at].key, node->key, memory_order_relaxed);
	atomic_store_explicit(&slots->slot[at].node, node, memory_order_release);
}

/* Into an array twice as large as what lives needs: at most half of it is used then. */
static int rebuild(struct its_index *index, struct ward_readers *readers)
{
	struct its_slots *old = atomic_load(&index->slots), *slots;
	unsigned int bits = FIRST_BITS;

	while (((size_t)1 << bits) < (index->live + 1) * 2)
		bits++;
	slots = make_slots(bits);
	if (!slots)
		return -ENOMEM;
	for (uint32_t i = 0; i <= old->mask; i++) {
		struct its_node *node = atomic_load(&old->slot[i].node);

		if (node && node != &ward_its_removed)
			put(slots, free_slot(slots, node->key), node);
	}
	index->used = index->live;
	atomic_store(&index->slots, slots);
	ward_readers_wait(readers);
	free(old);
	return 0;
}

int ward_its_index_insert(struct its_index *index, struct ward_readers *readers,
			  struct its_node *node)
{
	struct its_slots *slots = atomic_load(&index->slots);
	uint32_t at;

	/* A quarter stays empty, so that looking for what is not there ends soon. */
	if (index->used + 1 > (slots->mask + 1) / 4 * 3) {
		if (rebuild(index, readers))
			return -ENOMEM;
		slots = atomic_load(&index->slots);
	}
	at = free_slot(slots, node->key);
	if (!atomic_load(&slots->slot[at].node))
		index->used++;
	index->live++;
	put(slots, at, node);
	return 0;
}

void ward_its_index_remove(struct its_index *index, const struct its_node *node)
{
	struct its_slots *slots = atomic_load(&index->slots);
	uint32_t at = its_hash(slots, node->key);

	while (atomic_load(&slots->slot[at].node) != node)
		at = (at + 1) & slots->mask;
	index->live--;
	if (atomic_load(&slots->slot[(at + 1) & slots->mask].node)) {
		atomic_store(&slots->slot[at].node, &ward_its_removed);
		return;
	}
	/* Nothing lies behind it: who passes here would stop at the next one. */
	do {
		atomic_store(&slots->slot[at].node, NULL);
		index->used--;
		at = (at - 1) & slots->mask;
	} while (atomic_load(&slots->slot[at].node) == &ward_its_removed);
}

void ward_its_list_add(struct its_node **first, struct its_node *node)
{
	node->previous = NULL;
	node->next = *first;
	if (node->next)
		node->next->previous = node;
	*first = node;
}

void ward_its_list_remove(struct its_node **first, struct its_node *node)
{
	if (node->previous)
		node->previous->next = node->next;
	else
		*first = node->next;
	if (node->next)
		node->next->previous = node->previous;
}

static struct its_node *merge(struct its_node *a, struct its_node *b)
{
	struct its_node *first = NULL, **end = &first;

	while (a && b) {
		struct its_node **less = a->key <= b->key ? &a : &b;

		*end = *less;
		end = &(*less)->next;
		*less = *end;
	}
	*end = a ? a : b;
	return first;
}

/* Merges runs of 1, 2, 4, ... nodes: run[n] is empty or has 2^n. Allocates nothing. */
void ward_its_list_sort(struct its_node **first)
{
	struct its_node *run[32] = { NULL }, *node = *first, *all = NULL;
	unsigned int n;

	while (node) {
		struct its_node *carry = node;

		node = node->next;
		carry->next = NULL;
		for (n = 0; n < 31 && run[n]; n++) {
			carry = merge(run[n], carry);
			run[n] = NULL;
		}
		run[n] = merge(run[n], carry);
	}
	for (n = 0; n < 32; n++)
		all = merge(run[n], all);
	*first = all;
	for (node = NULL; all; all = all->next) {
		all->previous = node;
		node = all;
	}
}

static bool pool_grow(struct its_pool *pool)
{
	/* The first place of a block is for the chain of blocks. */
	unsigned char *bytes = ward_alloc_aligned(ALIGNMENT, pool->size * (BLOCK_OBJECTS + 1));
	struct its_link *block = (struct its_link *)(void *)bytes;

	if (!bytes)
		return false;
	block->next = pool->blocks;
	pool->blocks = block;
	for (size_t i = BLOCK_OBJECTS; i > 0; i--) {
		struct its_link *object = (struct its_link *)(void *)(bytes + i * pool->size);

		object->next = pool->free;
		pool->free = object;
	}
	return true;
}

void *ward_its_pool_take(struct its_pool *pool)
{
	struct its_link *object;

	if (pool->taken >= pool->most || (!pool->free && !pool_grow(pool)))
		return NULL;
	object = pool->free;
	pool->free = object->next;
	pool->taken++;
	return object;
}

void ward_its_pool_give(struct its_pool *pool, void *object)
{
	struct its_link *link = object;

	link->next = pool->free;
	pool->free = link;
	pool->taken--;
}

void ward_its_pool_finish(struct its_pool *pool)
{
	while (pool->blocks) {
		struct its_link *block = pool->blocks;

		pool->blocks = block->next;
		free(block);
	}
	pool->free = NULL;
	pool->taken = 0;
}

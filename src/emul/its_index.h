/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What an ITS has mapped, found by a number: devices by DeviceID, events by both ids, LPIs by INTID.
 *
 * An index is an array of pointers with open addressing. One thread changes it, any number look
 * things up meanwhile without a lock, each between ward_reader_enter and ward_reader_exit: a node
 * that was removed, and an array that was outgrown, is given back after waiting for them.
 */
#ifndef EMUL_ITS_INDEX_H
#define EMUL_ITS_INDEX_H

#include <doorward/reader.h>

#include <stdatomic.h>

/* Begins every object of an index. Neighbours are those of a list; the changing thread's alone. */
struct its_node {
	uint64_t key;
	struct its_node *next, *previous;
};

/*
 * The key stands here, too, so that passing a node costs no look at it. It is written before the
 * node, and outlives it: what counts is the key in the node.
 */
struct its_slot {
	_Atomic uint64_t key;
	struct its_node *_Atomic node;
};

struct its_slots {
	uint64_t secret;
	uint32_t mask;
	uint8_t shift;
	struct its_slot slot[];
};

struct its_index {
	struct its_slots *_Atomic slots;
	size_t live, used; /* slots with a node; those and slots that had one */
};

/* What a removed node leaves where others may lie behind it. */
extern struct its_node ward_its_removed;

/* 0 or -ENOMEM. Zeroed before; finish takes one that was never made. */
int ward_its_index_init(struct its_index *index);
void ward_its_index_finish(struct its_index *index);
/* Its key is not there yet. 0 or -ENOMEM, and nothing was changed. May wait for readers. */
int ward_its_index_insert(struct its_index *index, struct ward_readers *readers,
			  struct its_node *node);
/* Readers may still use it: wait for them before it is given back. */
void ward_its_index_remove(struct its_index *index, const struct its_node *node);

/*
 * Four neighbouring keys lie in one cache line, as events of one device are used together; lines
 * are scattered: 2^64 divided by the golden ratio. Guests choose the keys; they do not know the
 * secret, and so cannot choose many that lie in one place.
 */
static inline uint32_t its_hash(const struct its_slots *slots, uint64_t key)
{
	uint64_t line = (key >> 2 ^ slots->secret) * 0x9e3779b97f4a7c15u >> slots->shift;

	return (uint32_t)line << 2 | (uint32_t)(key & 3);
}

static inline struct its_node *its_find(const struct its_index *index, uint64_t key)
{
	struct its_slots *slots = atomic_load(&index->slots);

	for (uint32_t at = its_hash(slots, key);; at = (at + 1) & slots->mask) {
		struct its_node *node = atomic_load(&slots->slot[at].node);

		if (!node)
			return NULL;
		if (atomic_load_explicit(&slots->slot[at].key, memory_order_relaxed) == key &&
		    node->key == key && node != &ward_its_removed)
			return node;
	}
}

/* A list of nodes. */
void ward_its_list_add(struct its_node **first, struct its_node *node);
void ward_its_list_remove(struct its_node **first, struct its_node *node);
/* By ascending key. */
void ward_its_list_sort(struct its_node **first);

/* What is in a block, or in an object, that is nobody's. */
struct its_link {
	struct its_link *next;
};

/* Objects of one size, on cache lines of their own; they go back to the allocator all at once. */
struct its_pool {
	size_t size; /* a multiple of 64 */
	size_t taken, most;
	struct its_link *blocks, *free;
};

/* Not zeroed; or NULL: no memory, or `most` are taken. */
void *ward_its_pool_take(struct its_pool *pool);
void ward_its_pool_give(struct its_pool *pool, void *object);
void ward_its_pool_finish(struct its_pool *pool);

#endif

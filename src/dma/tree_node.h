/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Nodes of the mapping tree, and where they come from and go to. */
#ifndef DMA_TREE_NODE_H
#define DMA_TREE_NODE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <doorward/reader.h>

/* docs/performance.md says why so many: four cache lines. */
#define WARD_NODE_BYTES 256u
#define WARD_LEAF_MAX 10u
#define WARD_INNER_MAX 16u
/* Neighbours below one node that have no more than this together become one. */
#define WARD_LEAF_MERGE (WARD_LEAF_MAX * 3 / 4)
#define WARD_INNER_MERGE (WARD_INNER_MAX * 3 / 4)
/* Neighbours have more than that, so even a tree of 2^64 entries is lower. */
#define WARD_TREE_HEIGHT 48u

struct ward_node {
	/* Not for readers. */
	union {
		uint64_t count;
		struct ward_node *next; /* when it is free or retired */
	};
	union {
		/* Unused places: start and last are UINT64_MAX. */
		struct {
			uint64_t last[WARD_LEAF_MAX];
			uint64_t start[WARD_LEAF_MAX];
			uint64_t value[WARD_LEAF_MAX];
		} leaf;
		/* bound[i]: last address that belongs to child i; UINT64_MAX from the last on. */
		struct {
			_Atomic uint64_t bound[WARD_INNER_MAX - 1];
			struct ward_node *_Atomic child[WARD_INNER_MAX];
		} inner;
	};
};

struct ward_node_list {
	struct ward_node *first, *last;
	size_t count;
};

struct ward_node_chunk;

struct ward_node_pool {
	struct ward_readers *readers;
	struct ward_node_list free;
	struct ward_node_list retired; /* out of the tree, but readers may know them */
	struct ward_node_list waiting; /* the same, until the readers before epoch have left */
	uint64_t epoch;
	struct ward_node_chunk *chunks;
	struct ward_node *fresh, *fresh_end; /* of the newest chunk, never used */
	size_t nodes, bytes;
};

/* One that has count available. 0 or -ENOMEM. */
int ward_node_pool_make(struct ward_readers *readers, size_t count,
			struct ward_node_pool *ret_pool);
void ward_node_pool_finish(struct ward_node_pool *pool);

/* How many can be taken without asking for memory. */
size_t ward_node_available(const struct ward_node_pool *pool);
/* How many are in the tree. */
size_t ward_node_used(const struct ward_node_pool *pool);
/* Whether it holds more than about six times what is used. */
bool ward_node_is_sparse(const struct ward_node_pool *pool);
/* Makes that at least count. 0 or -ENOMEM. */
int ward_node_reserve(struct ward_node_pool *pool, size_t count);
/* There is one available. Its contents are anything. */
struct ward_node *ward_node_take(struct ward_node_pool *pool);

/* Out of the tree with the next change that is published. Does not change what readers look at. */
void ward_node_retire(struct ward_node_pool *pool, struct ward_node *node);
/* After a change was published: without readers, what was retired is free. */
void ward_node_settle(struct ward_node_pool *pool);
/* Waits for readers; what was retired is free. */
void ward_node_wait(struct ward_node_pool *pool);
/* Nothing is in use, and nobody reads: gives the memory back, but for a little. */
void ward_node_trim(struct ward_node_pool *pool);

#endif

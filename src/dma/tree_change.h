/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The mapping tree from the inside: what a node is made of. */
#ifndef DMA_TREE_CHANGE_H
#define DMA_TREE_CHANGE_H

#include "dma/mapping_tree.h"

#define WARD_ROOT_HEIGHT 63u

static inline struct ward_node *ward_root_node(uintptr_t root)
{
	return (void *)(root & ~(uintptr_t)WARD_ROOT_HEIGHT);
}

static inline unsigned int ward_root_height(uintptr_t root)
{
	return (unsigned int)(root & WARD_ROOT_HEIGHT);
}

/*
 * Which child has the address. It looks at all places, the unused ones, too: that is one
 * comparison and one addition each, and no branch that could be predicted wrongly.
 */
static inline unsigned int ward_inner_index(const struct ward_node *node, uint64_t address)
{
	unsigned int index = 0;

#pragma GCC unroll 64
	for (unsigned int i = 0; i < WARD_INNER_MAX - 1; i++)
		index +=
			atomic_load_explicit(&node->inner.bound[i], memory_order_relaxed) < address;
	return index;
}

/* The first entry that ends at or after the address; perhaps an unused place, or one too many. */
static inline unsigned int ward_leaf_index(const struct ward_node *node, uint64_t address)
{
	unsigned int index = 0;

#pragma GCC unroll 64
	for (unsigned int i = 0; i < WARD_LEAF_MAX; i++)
		index += node->leaf.last[i] < address;
	return index;
}

static inline uint64_t ward_inner_bound(const struct ward_node *node, unsigned int i)
{
	return atomic_load_explicit(&node->inner.bound[i], memory_order_relaxed);
}

/* For the writer, who made it. */
static inline struct ward_node *ward_inner_child(const struct ward_node *node, unsigned int i)
{
	return atomic_load_explicit(&node->inner.child[i], memory_order_relaxed);
}

static inline struct ward_tree_entry ward_leaf_entry(const struct ward_node *node, unsigned int i)
{
	return (struct ward_tree_entry){
		.start = node->leaf.start[i],
		.last = node->leaf.last[i],
		.value = node->leaf.value[i],
	};
}

#endif

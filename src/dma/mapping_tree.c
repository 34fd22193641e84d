// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Looking for mappings; tree_change.c changes them. */
#include "dma/mapping_tree.h"

#include "dma/tree_change.h"

void ward_tree_init(struct ward_tree *tree, struct ward_readers *readers)
{
	*tree = (struct ward_tree){ .pool.readers = readers };
}

void ward_tree_finish(struct ward_tree *tree)
{
	ward_node_pool_finish(&tree->pool);
}

uint64_t ward_tree_memory(const struct ward_tree *tree)
{
	return tree->pool.bytes;
}

static void prefetch(const struct ward_node *node)
{
	for (size_t i = 64; i < WARD_NODE_BYTES; i += 64)
		__builtin_prefetch((const char *)node + i);
}

bool ward_tree_find(const struct ward_tree *tree, uint64_t address,
		    struct ward_tree_entry *ret_entry)
{
	uintptr_t root = atomic_load(&tree->root);
	const struct ward_node *node = ward_root_node(root);
	unsigned int i;

	if (!node)
		return false;
	for (unsigned int height = ward_root_height(root); height > 0; height--) {
		node = atomic_load(&node->inner.child[ward_inner_index(node, address)]);
		prefetch(node);
	}
	i = ward_leaf_index(node, address);
	if (i == WARD_LEAF_MAX || node->leaf.start[i] > address ||
	    node->leaf.start[i] == UINT64_MAX)
		return false;
	*ret_entry = ward_leaf_entry(node, i);
	return true;
}

bool ward_tree_next(const struct ward_tree *tree, uint64_t from, struct ward_tree_entry *ret_entry)
{
	struct ward_tree_place place;

	return ward_tree_look(tree, from, &place, ret_entry);
}

bool ward_tree_look(const struct ward_tree *tree, uint64_t from, struct ward_tree_place *ret_place,
		    struct ward_tree_entry *ret_entry)
{
	uintptr_t root = atomic_load(&tree->root);
	unsigned int height = ward_root_height(root), i;
	struct ward_node *node = ward_root_node(root);
	uint64_t bound = UINT64_MAX;

	if (!node)
		return false;
	ret_place->height = height;
	for (unsigned int d = 0; d < height; d++) {
		i = ward_inner_index(node, from);
		ret_place->node[d] = node;
		ret_place->index[d] = i;
		if (i < node->count - 1)
			bound = ward_inner_bound(node, i);
		node = ward_inner_child(node, i);
		prefetch(node);
	}
	ret_place->node[height] = node;
	i = ward_leaf_index(node, from);
	if (i < node->count) {
		*ret_entry = ward_leaf_entry(node, i);
		return true;
	}
	/* The next leaf is not empty: its first entry. */
	return bound != UINT64_MAX && ward_tree_next(tree, bound + 1, ret_entry);
}

bool ward_tree_previous(const struct ward_tree *tree, uint64_t from,
			struct ward_tree_entry *ret_entry)
{
	uintptr_t root = atomic_load(&tree->root);

	if (!root)
		return false;
	for (;;) {
		const struct ward_node *node = ward_root_node(root);
		uint64_t before = 0;
		bool first = true;
		unsigned int i;

		for (unsigned int height = ward_root_height(root); height > 0; height--) {
			i = ward_inner_index(node, from);
			if (i > 0) {
				before = ward_inner_bound(node, i - 1);
				first = false;
			}
			node = ward_inner_child(node, i);
		}
		i = ward_leaf_index(node, from);
		if (i < node->count && node->leaf.start[i] <= from)
			i++;
		if (i > 0) {
			*ret_entry = ward_leaf_entry(node, i - 1);
			return true;
		}
		if (first)
			return false;
		from = before;
	}
}

void ward_tree_fetch(const struct ward_tree *tree, const uint64_t *addresses, unsigned int count)
{
	uintptr_t root = atomic_load(&tree->root);
	const struct ward_node *node[WARD_TREE_FETCH];

	if (!root)
		return;
	for (unsigned int i = 0; i < count; i++)
		node[i] = ward_root_node(root);
	for (unsigned int height = ward_root_height(root); height > 0; height--) {
		for (unsigned int i = 0; i < count; i++) {
			node[i] =
				ward_inner_child(node[i], ward_inner_index(node[i], addresses[i]));
			__builtin_prefetch(node[i]);
			prefetch(node[i]);
		}
	}
}

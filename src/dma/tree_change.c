// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Changes of the mapping tree, from the leaf upwards: a node gets new contents, which are none, one
 * or two nodes for the node above. As soon as one node stands for one, the pointer to it is swapped,
 * and with that the whole change is there for readers.
 */
#include "dma/tree_change.h"

#include <string.h>

/* Children of an inner node, or what comes in their place. */
struct children {
	unsigned int count;
	uint64_t bound[WARD_INNER_MAX + 2];
	struct ward_node *node[WARD_INNER_MAX + 2];
};

struct entries {
	unsigned int count;
	struct ward_tree_entry entry[WARD_LEAF_MAX + 2];
};

static void seek(const struct ward_tree *tree, uint64_t address, struct ward_tree_place *place)
{
	uintptr_t root = atomic_load_explicit(&tree->root, memory_order_relaxed);
	struct ward_node *node = ward_root_node(root);

	place->height = ward_root_height(root);
	for (unsigned int d = 0; d < place->height; d++) {
		place->node[d] = node;
		place->index[d] = ward_inner_index(node, address);
		node = ward_inner_child(node, place->index[d]);
	}
	place->node[place->height] = node;
}

static void publish_root(struct ward_tree *tree, struct ward_node *node, unsigned int height)
{
	atomic_store(&tree->root, node ? (uintptr_t)node | height : 0);
}

static struct ward_node *make_leaf(struct ward_tree *tree, const struct ward_tree_entry *entries,
				   unsigned int count)
{
	struct ward_node *node = ward_node_take(&tree->pool);

	node->count = count;
	for (unsigned int i = 0; i < count; i++) {
		node->leaf.last[i] = entries[i].last;
		node->leaf.start[i] = entries[i].start;
		node->leaf.value[i] = entries[i].value;
	}
	for (unsigned int i = count; i < WARD_LEAF_MAX; i++) {
		node->leaf.last[i] = UINT64_MAX;
		node->leaf.start[i] = UINT64_MAX;
		node->leaf.value[i] = 0;
	}
	return node;
}

static struct ward_node *make_inner(struct ward_tree *tree, const struct children *children,
				    unsigned int from, unsigned int count)
{
	struct ward_node *node = ward_node_take(&tree->pool);

	node->count = count;
	for (unsigned int i = 0; i < WARD_INNER_MAX; i++)
		atomic_store_explicit(&node->inner.child[i],
				      i < count ? children->node[from + i] : NULL,
				      memory_order_relaxed);
	for (unsigned int i = 0; i < WARD_INNER_MAX - 1; i++)
		atomic_store_explicit(&node->inner.bound[i],
				      i + 1 < count ? children->bound[from + i] : UINT64_MAX,
				      memory_order_relaxed);
	return node;
}

static void add_child(struct children *children, struct ward_node *node, uint64_t bound)
{
	children->node[children->count] = node;
	children->bound[children->count++] = bound;
}

/* bound: the last address of the node itself. */
static void add_children(struct children *children, const struct ward_node *node, unsigned int from,
			 unsigned int to, uint64_t bound)
{
	for (unsigned int i = from; i < to; i++)
		add_child(children, ward_inner_child(node, i),
			  i + 1 < node->count ? ward_inner_bound(node, i) : bound);
}

/* The last address of child i at depth d, or UINT64_MAX when only nodes above know. */
static uint64_t bound_at(const struct ward_tree_place *place, unsigned int d, unsigned int i)
{
	const struct ward_node *node = place->node[d];

	return i + 1 < node->count ? ward_inner_bound(node, i) : UINT64_MAX;
}

/* A neighbour of the place's node at depth d, below the same node: side -1 or 1; or NULL. */
static struct ward_node *neighbour(const struct ward_tree_place *place, unsigned int d, int side)
{
	const struct ward_node *above;
	unsigned int i;

	if (d == 0)
		return NULL;
	above = place->node[d - 1];
	i = place->index[d - 1];
	if (side < 0)
		return i > 0 ? ward_inner_child(above, i - 1) : NULL;
	return i + 1 < above->count ? ward_inner_child(above, i + 1) : NULL;
}

/*
 * Where contents that are too many by one, added at `at`, are parted. In the middle, unless they grow
 * at an end: then what is full stays full, so that addresses that come in order fill their nodes.
 * Not beside a neighbour that has room: it would have too few together with the new one.
 */
static unsigned int split_at(const struct ward_tree_place *place, unsigned int d,
			     unsigned int count, unsigned int at, unsigned int merge)
{
	const struct ward_node *other;

	if (at + 1 == count) {
		other = neighbour(place, d, 1);
		if (!other || other->count >= merge)
			return count - 1;
	} else if (at == 0) {
		other = neighbour(place, d, -1);
		if (!other || other->count >= merge)
			return 1;
	}
	return count / 2;
}

static void replace(struct ward_tree *tree, const struct ward_tree_place *place, unsigned int d,
		    unsigned int from, unsigned int to, const struct children *new);

/* Puts nodes in the place of those from..to (relative to the place's own) at depth d. */
static void replace_above(struct ward_tree *tree, const struct ward_tree_place *place,
			  unsigned int d, int from, int to, const struct children *new)
{
	if (d > 0) {
		unsigned int i = place->index[d - 1];

		replace(tree, place, d - 1, i + from, i + to, new);
		return;
	}
	if (new->count <= 1) {
		publish_root(tree, new->count ? new->node[0] : NULL, place->height);
		return;
	}
	publish_root(tree, make_inner(tree, new, 0, new->count), place->height + 1);
}

/* A root with one child is none. */
static void lower_root(struct ward_tree *tree, struct ward_node *node, unsigned int height)
{
	while (height > 0 && node->count == 1) {
		struct ward_node *child = ward_inner_child(node, 0);

		ward_node_retire(&tree->pool, node);
		node = child;
		height--;
	}
	publish_root(tree, node, height);
}

/* Gives the place's inner node at depth d these children; `at` is where one was added. */
static void set_children(struct ward_tree *tree, const struct ward_tree_place *place,
			 unsigned int d, struct children *all, unsigned int at)
{
	struct ward_node *old = place->node[d], *left, *right;
	struct children new;
	int from = 0, to = 0;

	new.count = 0;
	left = neighbour(place, d, -1);
	right = neighbour(place, d, 1);
	if (all->count > WARD_INNER_MAX) {
		unsigned int half = split_at(place, d, all->count, at, WARD_INNER_MERGE);

		add_child(&new, make_inner(tree, all, 0, half), all->bound[half - 1]);
		add_child(&new, make_inner(tree, all, half, all->count - half), 0);
	} else if (all->count == 0) {
		/* Nothing comes in its place. */
	} else if (d == 0 && all->count == 1) {
		ward_node_retire(&tree->pool, old);
		lower_root(tree, all->node[0], place->height - 1);
		return;
	} else if (all->count < old->count && left &&
		   left->count + all->count <= WARD_INNER_MERGE) {
		struct children both;

		both.count = 0;
		add_children(&both, left, 0, (unsigned int)left->count,
			     bound_at(place, d - 1, place->index[d - 1] - 1));
		for (unsigned int i = 0; i < all->count; i++)
			add_child(&both, all->node[i], all->bound[i]);
		add_child(&new, make_inner(tree, &both, 0, both.count), 0);
		ward_node_retire(&tree->pool, left);
		from = -1;
	} else if (all->count < old->count && right &&
		   right->count + all->count <= WARD_INNER_MERGE) {
		all->bound[all->count - 1] = bound_at(place, d - 1, place->index[d - 1]);
		add_children(all, right, 0, (unsigned int)right->count, 0);
		add_child(&new, make_inner(tree, all, 0, all->count), 0);
		ward_node_retire(&tree->pool, right);
		to = 1;
	} else {
		add_child(&new, make_inner(tree, all, 0, all->count), 0);
	}
	ward_node_retire(&tree->pool, old);
	replace_above(tree, place, d, from, to, &new);
}

/* Puts nodes in the place of children from..to of the place's inner node at depth d. */
static void replace(struct ward_tree *tree, const struct ward_tree_place *place, unsigned int d,
		    unsigned int from, unsigned int to, const struct children *new)
{
	struct ward_node *node = place->node[d];
	struct children all;

	all.count = 0;
	if (new->count == 1 && from == to) {
		atomic_store(&node->inner.child[from], new->node[0]);
		return;
	}
	add_children(&all, node, 0, from, 0);
	for (unsigned int i = 0; i < new->count; i++)
		add_child(&all, new->node[i],
			  i + 1 < new->count ? new->bound[i] : bound_at(place, d, to));
	add_children(&all, node, to + 1, (unsigned int)node->count, UINT64_MAX);
	set_children(tree, place, d, &all, from + (from + 1 == node->count));
}

static void add_entries(struct entries *entries, const struct ward_node *leaf)
{
	for (unsigned int i = 0; i < leaf->count; i++)
		entries->entry[entries->count++] = ward_leaf_entry(leaf, i);
}

/* Gives the place's leaf these entries; `at` is where one was added. */
static void set_entries(struct ward_tree *tree, const struct ward_tree_place *place,
			struct entries *all, unsigned int at)
{
	unsigned int d = place->height;
	struct ward_node *old = place->node[d], *left, *right;
	bool shrinks = all->count < old->count;
	struct children new;
	int from = 0, to = 0;

	new.count = 0;
	left = shrinks ? neighbour(place, d, -1) : NULL;
	right = shrinks ? neighbour(place, d, 1) : NULL;
	if (all->count > WARD_LEAF_MAX) {
		unsigned int half = split_at(place, d, all->count, at, WARD_LEAF_MERGE);
		uint64_t bound = half == 1 ? all->entry[half].start - 1 : all->entry[half - 1].last;

		/* The gap belongs to the smaller half: that is where the next one comes. */
		add_child(&new, make_leaf(tree, all->entry, half), bound);
		add_child(&new, make_leaf(tree, all->entry + half, all->count - half), 0);
	} else if (all->count == 0) {
		/* Nothing comes in its place. */
	} else if (left && left->count + all->count <= WARD_LEAF_MERGE) {
		struct entries both;

		both.count = 0;
		add_entries(&both, left);
		memcpy(&both.entry[both.count], all->entry, all->count * sizeof(all->entry[0]));
		both.count += all->count;
		add_child(&new, make_leaf(tree, both.entry, both.count), 0);
		ward_node_retire(&tree->pool, left);
		from = -1;
	} else if (right && right->count + all->count <= WARD_LEAF_MERGE) {
		add_entries(all, right);
		add_child(&new, make_leaf(tree, all->entry, all->count), 0);
		ward_node_retire(&tree->pool, right);
		to = 1;
	} else {
		add_child(&new, make_leaf(tree, all->entry, all->count), 0);
	}
	ward_node_retire(&tree->pool, old);
	replace_above(tree, place, d, from, to, &new);
}

/* One step may make two nodes at each depth, and a root; removing later makes one at each. */
static size_t nodes_of_a_step(unsigned int height)
{
	return 3 * ((size_t)height + 3);
}

int ward_tree_prepare(struct ward_tree *tree)
{
	uintptr_t root = atomic_load_explicit(&tree->root, memory_order_relaxed);

	return ward_node_reserve(&tree->pool, nodes_of_a_step(ward_root_height(root)));
}

/* The place's leaf is the one for start; makes it the one up to last. Nothing is mapped between. */
static void raise_bound(const struct ward_tree_place *place, uint64_t last)
{
	for (unsigned int d = place->height; d-- > 0;) {
		struct ward_node *node = place->node[d];
		unsigned int i = place->index[d];

		if (i + 1 == node->count)
			continue;
		if (ward_inner_bound(node, i) < last)
			atomic_store(&node->inner.bound[i], last);
		return;
	}
}

/*
 * What most changes are: a leaf that another one takes the place of, with one entry more or less. Straight from
 * node to node, and without a branch that depends on where.
 */
static struct ward_node *leaf_with(struct ward_tree *tree, const struct ward_node *old,
				   unsigned int at, const struct ward_tree_entry *entry)
{
	struct ward_node *node = ward_node_take(&tree->pool);

	node->count = old->count + 1;
#pragma GCC unroll 16
	for (unsigned int i = 0; i < WARD_LEAF_MAX; i++) {
		unsigned int from = i - (i > at);

		node->leaf.last[i] = old->leaf.last[from];
		node->leaf.start[i] = old->leaf.start[from];
		node->leaf.value[i] = old->leaf.value[from];
	}
	node->leaf.last[at] = entry->last;
	node->leaf.start[at] = entry->start;
	node->leaf.value[at] = entry->value;
	return node;
}

static struct ward_node *leaf_without(struct ward_tree *tree, const struct ward_node *old,
				      unsigned int at)
{
	struct ward_node *node = ward_node_take(&tree->pool);

	node->count = old->count - 1;
#pragma GCC unroll 16
	for (unsigned int i = 0; i < WARD_LEAF_MAX - 1; i++) {
		unsigned int from = i + (i >= at);

		node->leaf.last[i] = old->leaf.last[from];
		node->leaf.start[i] = old->leaf.start[from];
		node->leaf.value[i] = old->leaf.value[from];
	}
	node->leaf.last[WARD_LEAF_MAX - 1] = UINT64_MAX;
	node->leaf.start[WARD_LEAF_MAX - 1] = UINT64_MAX;
	node->leaf.value[WARD_LEAF_MAX - 1] = 0;
	return node;
}

static void replace_leaf(struct ward_tree *tree, const struct ward_tree_place *place,
			 struct ward_node *node)
{
	unsigned int d = place->height;

	ward_node_retire(&tree->pool, place->node[d]);
	if (d == 0)
		publish_root(tree, node, 0);
	else
		atomic_store(&place->node[d - 1]->inner.child[place->index[d - 1]], node);
}

void ward_tree_insert(struct ward_tree *tree, const struct ward_tree_entry *entry)
{
	struct ward_tree_place place = { .height = 0 };

	if (atomic_load_explicit(&tree->root, memory_order_relaxed))
		seek(tree, entry->start, &place);
	ward_tree_insert_at(tree, &place, entry);
}

void ward_tree_insert_at(struct ward_tree *tree, const struct ward_tree_place *place,
			 const struct ward_tree_entry *entry)
{
	const struct ward_node *leaf;
	struct entries entries;
	unsigned int at;

	tree->count++;
	tree->bytes += entry->last - entry->start + 1;
	if (!atomic_load_explicit(&tree->root, memory_order_relaxed)) {
		publish_root(tree, make_leaf(tree, entry, 1), 0);
		return;
	}
	raise_bound(place, entry->last);
	leaf = place->node[place->height];
	at = ward_leaf_index(leaf, entry->start);
	if (leaf->count < WARD_LEAF_MAX) {
		replace_leaf(tree, place, leaf_with(tree, leaf, at, entry));
	} else {
		entries.count = 0;
		add_entries(&entries, leaf);
		memmove(&entries.entry[at + 1], &entries.entry[at],
			(entries.count - at) * sizeof(entries.entry[0]));
		entries.entry[at] = *entry;
		entries.count++;
		set_entries(tree, place, &entries, at);
	}
	ward_node_settle(&tree->pool);
}

/* Retires a node and all below it, and counts off what they hold. */
static void drop(struct ward_tree *tree, struct ward_node *node, unsigned int height)
{
	for (unsigned int i = 0; i < node->count; i++) {
		if (height > 0) {
			drop(tree, ward_inner_child(node, i), height - 1);
		} else {
			tree->count--;
			tree->bytes -= node->leaf.last[i] - node->leaf.start[i] + 1;
		}
	}
	ward_node_retire(&tree->pool, node);
}

/* Removes what a range has of the place's leaf. */
static void remove_from_leaf(struct ward_tree *tree, const struct ward_tree_place *place,
			     struct ward_range range)
{
	const struct ward_node *leaf = place->node[place->height];
	struct entries left;

	left.count = 0;
	for (unsigned int i = 0; i < leaf->count; i++) {
		struct ward_tree_entry entry = ward_leaf_entry(leaf, i), part = entry;

		if (entry.last < range.start || entry.start > range.last) {
			left.entry[left.count++] = entry;
			continue;
		}
		tree->count--;
		tree->bytes -= entry.last - entry.start + 1;
		if (entry.start < range.start) {
			part.last = range.start - 1;
			left.entry[left.count++] = part;
			tree->count++;
			tree->bytes += part.last - part.start + 1;
		}
		if (entry.last > range.last) {
			part = entry;
			part.start = range.last + 1;
			part.value += part.start - entry.start;
			left.entry[left.count++] = part;
			tree->count++;
			tree->bytes += part.last - part.start + 1;
		}
	}
	set_entries(tree, place, &left, left.count);
}

/*
 * Removes some: the children of one node that lie wholly in the range, at the highest depth where
 * there are any, or entries of one leaf. entry is an address of the first one in the range.
 */
static void remove_some(struct ward_tree *tree, struct ward_range range, uint64_t entry)
{
	const struct children nothing = { 0 };
	uint64_t start = 0, last = UINT64_MAX;
	struct ward_tree_place place;

	seek(tree, entry, &place);
	for (unsigned int d = 0; d < place.height; d++) {
		const struct ward_node *node = place.node[d];
		unsigned int i = place.index[d], to;

		start = i > 0 ? ward_inner_bound(node, i - 1) + 1 : start;
		for (to = i; to < node->count; to++) {
			uint64_t end = to + 1 < node->count ? ward_inner_bound(node, to) : last;

			if (end > range.last)
				break;
		}
		if (start >= range.start && to > i) {
			for (unsigned int j = i; j < to; j++)
				drop(tree, ward_inner_child(node, j), place.height - d - 1);
			replace(tree, &place, d, i, to - 1, &nothing);
			return;
		}
		last = i + 1 < node->count ? ward_inner_bound(node, i) : last;
	}
	remove_from_leaf(tree, &place, range);
}

static bool has_room(const struct ward_node *leaf, uint64_t count)
{
	return leaf && leaf->count + count <= WARD_LEAF_MERGE;
}

/* Whether the leaf goes when it has so many left, alone or into a neighbour: none has room for very many. */
static bool is_joined(const struct ward_tree_place *place, uint64_t count)
{
	if (count >= WARD_LEAF_MERGE)
		return false;
	return count == 0 || has_room(neighbour(place, place->height, -1), count) ||
	       has_room(neighbour(place, place->height, 1), count);
}

/* The usual case, a whole entry that is all there is in the range: the place is enough. */
static bool remove_one(struct ward_tree *tree, const struct ward_tree_place *place,
		       struct ward_range range)
{
	const struct ward_node *leaf = place->node[place->height];
	unsigned int i = ward_leaf_index(leaf, range.start);

	if (ward_node_available(&tree->pool) < place->height + 2)
		return false;
	if (i >= leaf->count || leaf->leaf.start[i] != range.start ||
	    leaf->leaf.last[i] != range.last)
		return false;
	if (is_joined(place, leaf->count - 1)) {
		remove_from_leaf(tree, place, range);
	} else {
		tree->count--;
		tree->bytes -= range.last - range.start + 1;
		replace_leaf(tree, place, leaf_without(tree, leaf, i));
	}
	return true;
}

static void remove_each(struct ward_tree *tree, struct ward_range range)
{
	struct ward_tree_entry entry;

	while (ward_tree_next(tree, range.start, &entry) && entry.start <= range.last) {
		uintptr_t root = atomic_load_explicit(&tree->root, memory_order_relaxed);

		/* What the steps before retired is more than what they took. */
		if (ward_node_available(&tree->pool) < ward_root_height(root) + 2)
			ward_node_wait(&tree->pool);
		remove_some(tree, range, entry.start < range.start ? range.start : entry.start);
		ward_node_settle(&tree->pool);
		if (entry.last >= range.last)
			break;
	}
}

/* A node and all below it once more, of a pool that has room for them. */
static struct ward_node *copy(struct ward_node_pool *pool, const struct ward_node *node,
			      unsigned int height)
{
	struct ward_node *made = ward_node_take(pool);

	memcpy(made, node, sizeof(*made));
	for (unsigned int i = 0; height > 0 && i < node->count; i++)
		atomic_store_explicit(&made->inner.child[i],
				      copy(pool, ward_inner_child(node, i), height - 1),
				      memory_order_relaxed);
	return made;
}

/* Moves what is left into less memory, and gives back what there was; or leaves it, when there is none. */
static void move_out(struct ward_tree *tree)
{
	uintptr_t root = atomic_load_explicit(&tree->root, memory_order_relaxed);
	unsigned int height = ward_root_height(root);
	size_t count = ward_node_used(&tree->pool) + nodes_of_a_step(height);
	struct ward_node_pool pool;

	if (ward_node_pool_make(tree->pool.readers, count, &pool))
		return;
	publish_root(tree, copy(&pool, ward_root_node(root), height), height);
	ward_readers_wait(pool.readers);
	ward_node_pool_finish(&tree->pool);
	tree->pool = pool;
}

void ward_tree_remove(struct ward_tree *tree, struct ward_range range)
{
	struct ward_tree_place place;

	if (!atomic_load_explicit(&tree->root, memory_order_relaxed))
		return;
	seek(tree, range.start, &place);
	ward_tree_remove_at(tree, &place, range);
}

void ward_tree_remove_at(struct ward_tree *tree, const struct ward_tree_place *place,
			 struct ward_range range)
{
	if (!remove_one(tree, place, range))
		remove_each(tree, range);
	ward_node_wait(&tree->pool);
	if (!atomic_load_explicit(&tree->root, memory_order_relaxed))
		ward_node_trim(&tree->pool);
	else if (ward_node_is_sparse(&tree->pool))
		move_out(tree);
}

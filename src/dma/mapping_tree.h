/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The mappings of a space, by address: a B+tree of ranges that do not overlap, for one writer and any
 * number of readers that take no lock.
 *
 * A node is never changed in what its readers look for: the writer makes another one and swaps the
 * pointer to it in the node above (seq_cst; base/reader.c says why). Two things change in place:
 * that pointer, and a bound that grows over addresses where nothing is mapped yet. So a reader finds
 * each address as it was before or after a change. What was replaced is kept until the readers that
 * can know it have left.
 */
#ifndef DMA_MAPPING_TREE_H
#define DMA_MAPPING_TREE_H

#include <stdatomic.h>

#include "dma/tree_node.h"

/*
 * A part of a mapping that begins n bytes later has a value that is n larger. None starts at
 * UINT64_MAX: that is an unused place.
 */
struct ward_tree_entry {
	uint64_t start, last, value;
};

/*
 * The way to the leaf that has an address, for the writer, until the tree changes: nodes from the root, 0, and
 * the index of the child taken in each.
 */
struct ward_tree_place {
	unsigned int height;
	struct ward_node *node[WARD_TREE_HEIGHT + 1];
	unsigned int index[WARD_TREE_HEIGHT + 1];
};

struct ward_tree {
	/* Address of the root, which is aligned, and the height: 0 is a leaf. 0: empty. */
	_Atomic uintptr_t root;
	uint64_t count; /* of entries */
	uint64_t bytes; /* that they cover, modulo 2^64 */
	struct ward_node_pool pool;
};

/* Allocates nothing. */
void ward_tree_init(struct ward_tree *tree, struct ward_readers *readers);
/* Nobody reads any more. */
void ward_tree_finish(struct ward_tree *tree);

/* Readers: the entry that has the address. */
bool ward_tree_find(const struct ward_tree *tree, uint64_t address,
		    struct ward_tree_entry *ret_entry);

/* The rest is for the writer. The first entry that ends at or after from. */
bool ward_tree_next(const struct ward_tree *tree, uint64_t from, struct ward_tree_entry *ret_entry);
/* The same, and the place of from; of an empty tree there is none. */
bool ward_tree_look(const struct ward_tree *tree, uint64_t from, struct ward_tree_place *ret_place,
		    struct ward_tree_entry *ret_entry);
/* The last entry that starts at or before from. */
bool ward_tree_previous(const struct ward_tree *tree, uint64_t from,
			struct ward_tree_entry *ret_entry);

/*
 * Fetches what looking for these addresses, at most WARD_TREE_FETCH, will touch: all of them a level at
 * a time, so that the misses of one are waited for together with the others'. Changes nothing.
 */
#define WARD_TREE_FETCH 16u
void ward_tree_fetch(const struct ward_tree *tree, const uint64_t *addresses, unsigned int count);

/*
 * Makes sure of the memory for one insert, or one remove that cuts an entry in two, and after it
 * for removing everything. 0 or -ENOMEM.
 */
int ward_tree_prepare(struct ward_tree *tree);

/* After prepare; nothing overlaps the entry. */
void ward_tree_insert(struct ward_tree *tree, const struct ward_tree_entry *entry);
/* The place of entry->start is known. */
void ward_tree_insert_at(struct ward_tree *tree, const struct ward_tree_place *place,
			 const struct ward_tree_entry *entry);

/*
 * Takes all addresses of the range out. Needs prepare only when an entry begins before the range
 * and ends after it. When it returns nobody reads what was there. A tree that has shrunk moves into
 * less memory, if there is some for that: it holds about six times what it needs at most.
 */
void ward_tree_remove(struct ward_tree *tree, struct ward_range range);
/* The same. place: of an address from which on nothing is mapped before range.start. */
void ward_tree_remove_at(struct ward_tree *tree, const struct ward_tree_place *place,
			 struct ward_range range);

/* Bytes of memory it holds. */
uint64_t ward_tree_memory(const struct ward_tree *tree);

#endif

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The mappings of a space, by address: ranges that do not overlap, one writer, any number of
 * readers that take no lock.
 */
#ifndef DMA_MAPPING_TREE_H
#define DMA_MAPPING_TREE_H

#include <doorward/reader.h>

/* A part of a mapping that begins n bytes later has a value that is n larger. */
struct ward_tree_entry {
	uint64_t start, last, value;
};

struct ward_tree {
	struct ward_readers *readers;
	struct ward_tree_entry *entries;
	size_t capacity;
	uint64_t count; /* of entries */
	uint64_t bytes; /* that they cover */
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
/* The last entry that starts at or before from. */
bool ward_tree_previous(const struct ward_tree *tree, uint64_t from,
			struct ward_tree_entry *ret_entry);

/*
 * Makes sure of the memory for one insert, or one remove that cuts an entry in two. 0 or -ENOMEM.
 */
int ward_tree_prepare(struct ward_tree *tree);

/* After prepare; nothing overlaps the entry. */
void ward_tree_insert(struct ward_tree *tree, const struct ward_tree_entry *entry);

/*
 * Takes all addresses of the range out. Needs prepare only when an entry begins before the range
 * and ends after it. When it returns nobody reads what was there.
 */
void ward_tree_remove(struct ward_tree *tree, struct ward_range range);

/* Bytes of memory it holds. */
uint64_t ward_tree_memory(const struct ward_tree *tree);

#endif

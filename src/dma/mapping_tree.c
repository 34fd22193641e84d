// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "dma/mapping_tree.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

void ward_tree_init(struct ward_tree *tree, struct ward_readers *readers)
{
	*tree = (struct ward_tree){ .readers = readers };
}

void ward_tree_finish(struct ward_tree *tree)
{
	free(tree->entries);
}

/* Index of the first entry that ends at or after the address. */
static size_t position(const struct ward_tree *tree, uint64_t address)
{
	size_t low = 0, high = tree->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (tree->entries[middle].last < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool ward_tree_next(const struct ward_tree *tree, uint64_t from, struct ward_tree_entry *ret_entry)
{
	size_t i = position(tree, from);

	if (i == tree->count)
		return false;
	*ret_entry = tree->entries[i];
	return true;
}

bool ward_tree_previous(const struct ward_tree *tree, uint64_t from,
			struct ward_tree_entry *ret_entry)
{
	size_t i = position(tree, from);

	if (i < tree->count && tree->entries[i].start <= from)
		i++;
	if (i == 0)
		return false;
	*ret_entry = tree->entries[i - 1];
	return true;
}

bool ward_tree_find(const struct ward_tree *tree, uint64_t address,
		    struct ward_tree_entry *ret_entry)
{
	size_t i = position(tree, address);

	if (i == tree->count || tree->entries[i].start > address)
		return false;
	*ret_entry = tree->entries[i];
	return true;
}

int ward_tree_prepare(struct ward_tree *tree)
{
	void *entries = tree->entries;
	int code = ward_array_reserve(&entries, &tree->capacity, tree->count + 1,
				      sizeof(*tree->entries));

	tree->entries = entries;
	return code;
}

void ward_tree_insert(struct ward_tree *tree, const struct ward_tree_entry *entry)
{
	size_t i = position(tree, entry->start);

	memmove(&tree->entries[i + 1], &tree->entries[i],
		(tree->count - i) * sizeof(*tree->entries));
	tree->entries[i] = *entry;
	tree->count++;
	tree->bytes += entry->last - entry->start + 1;
}

static void erase(struct ward_tree *tree, size_t i)
{
	tree->bytes -= tree->entries[i].last - tree->entries[i].start + 1;
	tree->count--;
	memmove(&tree->entries[i], &tree->entries[i + 1],
		(tree->count - i) * sizeof(*tree->entries));
}

void ward_tree_remove(struct ward_tree *tree, struct ward_range range)
{
	size_t i = position(tree, range.start);

	while (i < tree->count && tree->entries[i].start <= range.last) {
		struct ward_tree_entry entry = tree->entries[i], right = entry;

		erase(tree, i);
		right.start = range.last + 1;
		right.value += right.start - entry.start;
		if (entry.last > range.last)
			ward_tree_insert(tree, &right);
		entry.last = range.start - 1;
		if (entry.start < range.start) {
			ward_tree_insert(tree, &entry);
			i++;
		}
		if (right.last > range.last)
			break;
	}
	ward_readers_wait(tree->readers);
}

uint64_t ward_tree_memory(const struct ward_tree *tree)
{
	return tree->capacity * sizeof(*tree->entries);
}

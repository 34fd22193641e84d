// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Unmapping splits at most two leaves, those at the bounds. The tables for that are in hand before
 * the first entry is changed.
 */
#include "dma/table_entry.h"

#include <errno.h>

struct unmap {
	struct ward_table *table;
	struct ward_table_pages *pages;
	struct ward_memory *memory;
	struct ward_table_chain chain; /* for splitting */
	struct ward_table_chain freed;
};

/* A leaf, by what it covers; no leaf: level is WARD_NO_LEVEL. */
struct found {
	int level;
	struct ward_range input;
};

static int find(const struct unmap *unmap, uint64_t input, struct found *ret_found)
{
	const struct ward_table *table = unmap->table;
	uint64_t entry, base = table->root;
	int level;

	*ret_found = (struct found){ .level = WARD_NO_LEVEL, .input = WARD_RANGE_EMPTY };
	for (level = table->start_level; level <= WARD_TABLE_LAST_LEVEL; level++) {
		if (ward_memory_read_u64(unmap->memory,
					 ward_table_entry_at(table, base, level, input), &entry))
			return -EFAULT;
		switch (table->format->kind(table, entry, level)) {
		case WARD_ENTRY_INVALID:
			return 0;
		case WARD_ENTRY_LEAF:
			ret_found->level = level;
			ret_found->input.start = input & ~ward_table_mask(table, level);
			ret_found->input.last = input | ward_table_mask(table, level);
			return 0;
		case WARD_ENTRY_RESERVED:
			return -EFAULT;
		case WARD_ENTRY_TABLE:
		default:
			break;
		}
		base = table->format->address(table, entry, level);
	}
	return -EFAULT;
}

/* Tables it takes to leave first..last out of what an entry of this level covers. */
static uint64_t tables_to_split(const struct ward_table *table, int level, uint64_t first,
				uint64_t last)
{
	uint64_t mask = ward_table_mask(table, level);
	uint64_t count = 1, child_last;

	if ((first & mask) == 0 && (last & mask) == mask)
		return 0;
	if (level == WARD_TABLE_LAST_LEVEL)
		return 0;
	child_last = ward_table_entry_last(table, level + 1, first, last);
	count += tables_to_split(table, level + 1, first, child_last);
	if (child_last != last) {
		mask = ward_table_mask(table, level + 1);
		count += tables_to_split(table, level + 1, last & ~mask, last);
	}
	return count;
}

static uint64_t greater(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Tables that unmapping the range takes. */
static int survey(const struct unmap *unmap, struct ward_range input, uint64_t *ret_count)
{
	struct found low, high;
	uint64_t count = 0;
	int code = find(unmap, input.start, &low);

	if (!code)
		code = find(unmap, input.last, &high);
	if (code)
		return code;
	if (low.level != WARD_NO_LEVEL)
		count += tables_to_split(unmap->table, low.level, input.start,
					 lesser(low.input.last, input.last));
	if (high.level != WARD_NO_LEVEL && high.input.start != low.input.start)
		count += tables_to_split(unmap->table, high.level,
					 greater(high.input.start, input.start), input.last);
	*ret_count = count;
	return 0;
}

/*
 * Fills a table that nobody sees yet, of level, with what is left of a leaf of the level above when
 * first..last is taken out.
 */
static int fill_split(struct unmap *unmap, uint64_t base, int level, const struct found *leaf,
		      uint64_t entry, struct ward_range out)
{
	const struct ward_table *table = unmap->table;
	const struct ward_table_format *format = table->format;
	static const struct ward_table_limits none;
	uint64_t output = format->address(table, entry, leaf->level);
	uint32_t access = format->access(table, entry, &none);
	enum ward_memory_type type = format->type(table, entry);
	uint64_t first = leaf->input.start, mask = ward_table_mask(table, level);
	uint64_t made = 0;

	for (;; first += mask + 1, output += mask + 1) {
		struct ward_range part = { first, first | mask };
		struct found below = { .level = level, .input = part };
		uint64_t small = format->make_leaf(table, output, level, access, type);
		uint64_t at = ward_table_entry_at(table, base, level, first);

		if (ward_range_overlaps(part, out)) {
			bool whole = out.start <= part.start && part.last <= out.last;

			if (whole || level == WARD_TABLE_LAST_LEVEL) {
				small = 0;
			} else {
				made = ward_table_chain_take(&unmap->chain, unmap->pages);
				if (made == 0 ||
				    fill_split(unmap, made, level + 1, &below, small, out))
					return -EFAULT;
				small = format->make_table(table, made);
			}
		}
		/* A leaf that the format would not make is none of ours. */
		if (small == 0 && !ward_range_overlaps(part, out))
			return -EFAULT;
		if (small && ward_memory_write_u64(unmap->memory, at, small))
			return -EFAULT;
		if (part.last == leaf->input.last)
			return 0;
	}
}

/* Puts smaller leaves in the place of a leaf, in one write. */
static int split(struct unmap *unmap, uint64_t at, int level, uint64_t entry, struct ward_range out)
{
	const struct ward_table *table = unmap->table;
	uint64_t mask = ward_table_mask(table, level);
	const struct found leaf = {
		.level = level,
		.input = { out.start & ~mask, out.start | mask },
	};
	uint64_t made = ward_table_chain_take(&unmap->chain, unmap->pages);

	if (made == 0 || fill_split(unmap, made, level + 1, &leaf, entry, out))
		return -EFAULT;
	return ward_memory_write_u64(unmap->memory, at, table->format->make_table(table, made));
}

/* Whether no entry of a table (not the first) says anything. */
static bool is_empty(const struct unmap *unmap, uint64_t base)
{
	uint64_t words[64], size = UINT64_C(1) << unmap->table->granule_shift;
	uint64_t offset;
	size_t i;

	for (offset = 0; offset < size; offset += sizeof(words)) {
		if (ward_memory_read(unmap->memory, base + offset, words, sizeof(words)))
			return false;
		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			if (words[i])
				return false;
		}
	}
	return true;
}

static int clear(struct unmap *unmap, uint64_t base, int level, uint64_t first, uint64_t last);

/* A table within a table: clears in it, and unlinks it when it is empty then. */
static int clear_below(struct unmap *unmap, uint64_t at, uint64_t entry, int level, uint64_t first,
		       uint64_t last)
{
	const struct ward_table *table = unmap->table;
	uint64_t below = table->format->address(table, entry, level);
	int code = clear(unmap, below, level + 1, first, last);

	if (code || !is_empty(unmap, below))
		return code;
	/* Who is in the table finds it empty; the word that the chain takes is no valid entry. */
	code = ward_memory_write_u64(unmap->memory, at, 0);
	return code ? code : ward_table_chain_put(&unmap->freed, unmap->pages, below);
}

static int clear(struct unmap *unmap, uint64_t base, int level, uint64_t first, uint64_t last)
{
	const struct ward_table *table = unmap->table;
	uint64_t end, at, entry, mask = ward_table_mask(table, level);
	int code = 0;

	for (;; first = end + 1) {
		end = ward_table_entry_last(table, level, first, last);
		at = ward_table_entry_at(table, base, level, first);
		if (ward_memory_read_u64(unmap->memory, at, &entry))
			return -EFAULT;
		switch (table->format->kind(table, entry, level)) {
		case WARD_ENTRY_TABLE:
			code = clear_below(unmap, at, entry, level, first, end);
			break;
		case WARD_ENTRY_LEAF:
			if (end - first == mask)
				code = ward_memory_write_u64(unmap->memory, at, 0);
			else
				code = split(unmap, at, level, entry,
					     (struct ward_range){ first, end });
			break;
		case WARD_ENTRY_INVALID:
			break;
		case WARD_ENTRY_RESERVED:
		default:
			code = -EFAULT;
			break;
		}
		if (code || end == last)
			return code;
	}
}

int ward_table_unmap(struct ward_table *table, struct ward_table_pages *pages,
		     struct ward_range input, struct ward_table_freed *ret_freed)
{
	struct unmap unmap = {
		.table = table,
		.pages = pages,
		.memory = ward_table_pages_memory(pages),
	};
	uint64_t mask = ward_table_mask(table, WARD_TABLE_LAST_LEVEL), count;
	int code;

	if (ward_range_is_empty(input) || input.last >> table->input_bits || (input.start & mask) ||
	    (input.last & mask) != mask)
		return -EINVAL;
	code = survey(&unmap, input, &count);
	if (!code)
		code = ward_table_chain_fill(&unmap.chain, table, pages, count);
	if (code)
		return code;
	code = clear(&unmap, table->root, table->start_level, input.start, input.last);
	ward_table_chain_free(&unmap.chain, table, pages);
	ret_freed->first = unmap.freed.first;
	return code;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Mapping goes twice over the range: the first time it looks whether all is free and how many
 * tables it takes, the second time, with the tables in hand, nothing can fail any more.
 */
#include "dma/table_entry.h"

#include <errno.h>

struct map {
	struct ward_table *table;
	struct ward_table_pages *pages;
	struct ward_memory *memory;
	struct ward_range input;
	uint64_t output;
	uint32_t access;
	enum ward_memory_type type;
	uint64_t page_sizes;
	uint64_t needed; /* tables */
	struct ward_table_chain chain;
};

int ward_table_create(struct ward_table *table, struct ward_table_pages *pages)
{
	struct ward_table made = *table;
	unsigned int concatenated;
	int level, code;

	code = ward_table_start(table->format, table->granule_shift, table->input_bits,
				table->output_bits, &level, &concatenated);
	if (code)
		return code;
	made.start_level = (int8_t)level;
	code = ward_table_pages_alloc(pages, ward_table_root_size(&made), &made.root);
	if (code)
		return code;
	if ((made.root + ward_table_root_size(&made) - 1) >> made.output_bits) {
		ward_table_pages_free(pages, made.root, ward_table_root_size(&made));
		return -EINVAL;
	}
	*table = made;
	return 0;
}

static void destroy_below(const struct ward_table *table, struct ward_table_pages *pages,
			  uint64_t base, int level, uint64_t count)
{
	const struct ward_memory *memory = ward_table_pages_memory(pages);
	uint64_t i, entry;

	if (level == WARD_TABLE_LAST_LEVEL)
		return;
	for (i = 0; i < count; i++) {
		if (ward_memory_read_u64(memory, base + i * 8, &entry))
			return;
		if (table->format->kind(table, entry, level) != WARD_ENTRY_TABLE)
			continue;
		entry = table->format->address(table, entry, level);
		destroy_below(table, pages, entry, level + 1,
			      UINT64_C(1) << ward_table_stride(table));
		ward_table_pages_free(pages, entry, UINT64_C(1) << table->granule_shift);
	}
}

void ward_table_destroy(struct ward_table *table, struct ward_table_pages *pages)
{
	uint64_t count = UINT64_C(1)
			 << (table->input_bits - ward_table_shift(table, table->start_level));

	destroy_below(table, pages, table->root, table->start_level, count);
	ward_table_pages_free(pages, table->root, ward_table_root_size(table));
	table->root = 0;
}

/* Whether a leaf of this level can stand for first..last, which lie in one entry of it. */
static bool fits(const struct map *map, int level, uint64_t first, uint64_t last)
{
	const struct ward_table *table = map->table;
	uint64_t mask = ward_table_mask(table, level);
	uint64_t output = map->output + (first - map->input.start);

	if (map->page_sizes && !(map->page_sizes >> ward_table_shift(table, level) & 1))
		return false;
	return table->format->leaf_allowed(table, level) && last - first == mask &&
	       (first & mask) == 0 && (output & mask) == 0;
}

/* Looks at a table that is there; 0 when all of first..last is free. */
static int survey(struct map *map, uint64_t base, int level, uint64_t first, uint64_t last);

/*
 * What a range takes that lies in one entry of this level, where nothing is yet; and as much for
 * each of times such ranges. Of the entries below, those between the first and the last are whole,
 * and one is as good as the other.
 */
static int survey_free(struct map *map, int level, uint64_t first, uint64_t last, uint64_t times)
{
	uint64_t end, begin, mask;
	int code;

	if (fits(map, level, first, last))
		return 0;
	if (level == WARD_TABLE_LAST_LEVEL)
		return -EINVAL;
	map->needed += times;
	level++;
	mask = ward_table_mask(map->table, level);
	end = ward_table_entry_last(map->table, level, first, last);
	begin = last & ~mask;
	code = survey_free(map, level, first, end, times);
	if (code || end == last)
		return code;
	if (begin != end + 1)
		code = survey_free(map, level, end + 1, end + 1 + mask,
				   times * ((begin - end - 1) / (mask + 1)));
	return code ? code : survey_free(map, level, begin, last, times);
}

static int survey_entry(struct map *map, uint64_t at, int level, uint64_t first, uint64_t last)
{
	const struct ward_table_format *format = map->table->format;
	uint64_t entry;

	if (ward_memory_read_u64(map->memory, at, &entry))
		return -EFAULT;
	switch (format->kind(map->table, entry, level)) {
	case WARD_ENTRY_INVALID:
		return survey_free(map, level, first, last, 1);
	case WARD_ENTRY_TABLE:
		return survey(map, format->address(map->table, entry, level), level + 1, first,
			      last);
	case WARD_ENTRY_LEAF:
		return -EEXIST;
	case WARD_ENTRY_RESERVED:
	default:
		return -EFAULT;
	}
}

static int survey(struct map *map, uint64_t base, int level, uint64_t first, uint64_t last)
{
	for (;;) {
		uint64_t end = ward_table_entry_last(map->table, level, first, last);
		int code = survey_entry(map, ward_table_entry_at(map->table, base, level, first),
					level, first, end);

		if (code || end == last)
			return code;
		first = end + 1;
	}
}

/*
 * Maps first..last in the table at base. A table that is new is filled before the entry that leads
 * to it is written (with release, at least: memory.h), so that whoever walks finds all of what is
 * below an entry, or no entry.
 */
static int fill(struct map *map, uint64_t base, int level, uint64_t first, uint64_t last)
{
	const struct ward_table *table = map->table;
	const struct ward_table_format *format = table->format;
	uint64_t end, at, entry;
	int code = 0;

	for (;; first = end + 1) {
		end = ward_table_entry_last(table, level, first, last);
		at = ward_table_entry_at(table, base, level, first);
		if (ward_memory_read_u64(map->memory, at, &entry))
			return -EFAULT;
		if (format->kind(table, entry, level) == WARD_ENTRY_TABLE) {
			code = fill(map, format->address(table, entry, level), level + 1, first,
				    end);
		} else {
			if (fits(map, level, first, end)) {
				entry = format->make_leaf(table,
							  map->output + (first - map->input.start),
							  level, map->access, map->type);
			} else {
				uint64_t made = ward_table_chain_take(&map->chain, map->pages);

				if (made == 0)
					return -EFAULT;
				code = fill(map, made, level + 1, first, end);
				entry = format->make_table(table, made);
			}
			if (!code && ward_memory_write_u64(map->memory, at, entry))
				code = -EFAULT;
		}
		if (code || end == last)
			return code;
	}
}

static int check(const struct map *map)
{
	const struct ward_table *table = map->table;
	uint64_t mask = ward_table_mask(table, WARD_TABLE_LAST_LEVEL);
	uint64_t length = map->input.last - map->input.start;

	if (ward_range_is_empty(map->input) || map->input.last >> table->input_bits)
		return -EINVAL;
	if ((map->input.start | map->output) & mask || (map->input.last & mask) != mask)
		return -EINVAL;
	if (map->output + length < map->output || (map->output + length) >> table->output_bits)
		return -EINVAL;
	if (map->access & ~(WARD_READ | WARD_WRITE | WARD_EXEC))
		return -EINVAL;
	/* What can be said at one level can be at all. */
	return table->format->make_leaf(table, map->output, WARD_TABLE_LAST_LEVEL, map->access,
					map->type)
		       ? 0
		       : -EINVAL;
}

int ward_table_map(struct ward_table *table, struct ward_table_pages *pages,
		   struct ward_range input, uint64_t output, uint32_t access,
		   enum ward_memory_type type, uint64_t page_sizes)
{
	struct map map = {
		.table = table,
		.pages = pages,
		.memory = ward_table_pages_memory(pages),
		.input = input,
		.output = output,
		.access = access,
		.type = type,
		.page_sizes = page_sizes,
	};
	int code = check(&map);

	if (!code)
		code = survey(&map, table->root, table->start_level, input.start, input.last);
	if (!code)
		code = ward_table_chain_fill(&map.chain, table, pages, map.needed);
	if (code)
		return code;
	code = fill(&map, table->root, table->start_level, input.start, input.last);
	ward_table_chain_free(&map.chain, table, pages);
	return code;
}

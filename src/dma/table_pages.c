// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * One bit for each 4 KiB page, in words of 64: a word stands for 256 KiB at a multiple of that, so
 * that smaller aligned sizes lie within a word and larger ones are whole words. All that is known
 * of the pages is kept here: what lies in them may be written by others.
 */
#include "dma/table_entry.h"

#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>

#define PAGE_SHIFT 12
#define PAGE_BYTES (UINT64_C(1) << PAGE_SHIFT)
#define WORD_BYTES (PAGE_BYTES * 64)

struct ward_table_pages {
	struct ward_memory *memory;
	uint64_t base;	/* of bit 0, a multiple of WORD_BYTES */
	uint64_t *used; /* a bit for each page; those outside the range are set */
	uint64_t words;
	uint64_t first, end; /* the pages of the range, by bit */
	uint64_t hint;	     /* no page of a word before it is free */
	uint64_t count;	     /* pages given out */
};

static void mark(struct ward_table_pages *pages, uint64_t page, bool used)
{
	uint64_t bit = UINT64_C(1) << (page & 63);

	if (used)
		pages->used[page / 64] |= bit;
	else
		pages->used[page / 64] &= ~bit;
}

static bool is_used(const struct ward_table_pages *pages, uint64_t page)
{
	return pages->used[page / 64] >> (page & 63) & 1;
}

int ward_table_pages_create(struct ward_memory *memory, struct ward_range range,
			    struct ward_table_pages **ret_pages)
{
	struct ward_table_pages *pages;
	uint64_t page, first, end, words;

	/* The first page, and the one behind the last. */
	first = range.start / PAGE_BYTES + (range.start % PAGE_BYTES != 0);
	/* Address 0 is none: it ends chains. */
	if (first == 0)
		first = 1;
	end = range.last / PAGE_BYTES + (range.last % PAGE_BYTES == PAGE_BYTES - 1);
	if (ward_range_is_empty(range) || first >= end || !ward_memory_at(memory, range, true))
		return -EINVAL;
	words = (end - 1) / 64 - first / 64 + 1;
	pages = ward_alloc(sizeof(*pages));
	if (!pages)
		return -ENOMEM;
	pages->used = ward_alloc_array((size_t)words, sizeof(*pages->used));
	if (!pages->used) {
		free(pages);
		return -ENOMEM;
	}
	pages->memory = memory;
	pages->words = words;
	pages->base = first / 64 * WORD_BYTES;
	pages->first = first - pages->base / PAGE_BYTES;
	pages->end = end - pages->base / PAGE_BYTES;
	for (page = 0; page < pages->first; page++)
		mark(pages, page, true);
	for (page = pages->end; page < words * 64; page++)
		mark(pages, page, true);
	*ret_pages = pages;
	return 0;
}

void ward_table_pages_destroy(struct ward_table_pages *pages)
{
	if (!pages)
		return;
	free(pages->used);
	free(pages);
}

/* First of count free pages (a power of two below 64) in a word, aligned to count; or 64. */
static unsigned int find_in_word(uint64_t used, unsigned int count)
{
	uint64_t wanted = (UINT64_C(1) << count) - 1;
	unsigned int at;

	if (count == 1)
		return ~used ? (unsigned int)__builtin_ctzll(~used) : 64;
	for (at = 0; at < 64; at += count) {
		if (!(used & wanted << at))
			return at;
	}
	return 64;
}

/* First of count free pages, or UINT64_MAX. */
static uint64_t find(struct ward_table_pages *pages, uint64_t count)
{
	uint64_t word = pages->hint, run = count / 64, i;

	while (word < pages->words && pages->used[word] == UINT64_MAX)
		word++;
	pages->hint = word;
	if (run == 0) {
		for (; word < pages->words; word++) {
			unsigned int at = find_in_word(pages->used[word], (unsigned int)count);

			if (at < 64)
				return word * 64 + at;
		}
		return UINT64_MAX;
	}
	/* Whole words, at a multiple of their size. */
	word += -(pages->base / WORD_BYTES + word) & (run - 1);
	for (; word < pages->words && pages->words - word >= run; word += run) {
		for (i = 0; i < run && pages->used[word + i] == 0; i++)
			;
		if (i == run)
			return word * 64;
	}
	return UINT64_MAX;
}

int ward_table_pages_alloc(struct ward_table_pages *pages, uint64_t size, uint64_t *ret_address)
{
	static const unsigned char zero[PAGE_BYTES];
	uint64_t count = size / PAGE_BYTES ? size / PAGE_BYTES : 1;
	uint64_t page, i;

	if (size == 0 || (size & (size - 1)))
		return -EINVAL;
	page = find(pages, count);
	if (page == UINT64_MAX)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		/* Cannot fail while the region is there, which it was at the beginning. */
		if (ward_memory_write(pages->memory, pages->base + (page + i) * PAGE_BYTES, zero,
				      sizeof(zero)))
			return -ENOMEM;
	}
	for (i = 0; i < count; i++)
		mark(pages, page + i, true);
	pages->count += count;
	*ret_address = pages->base + page * PAGE_BYTES;
	return 0;
}

void ward_table_pages_free(struct ward_table_pages *pages, uint64_t address, uint64_t size)
{
	uint64_t count = size / PAGE_BYTES ? size / PAGE_BYTES : 1;
	uint64_t page = (address - pages->base) / PAGE_BYTES;

	if (address < pages->base || page < pages->first)
		return;
	for (; count > 0 && page < pages->end; count--, page++) {
		if (!is_used(pages, page))
			continue;
		mark(pages, page, false);
		pages->count--;
		if (page / 64 < pages->hint)
			pages->hint = page / 64;
	}
}

uint64_t ward_table_pages_used(const struct ward_table_pages *pages)
{
	return pages->count * PAGE_BYTES;
}

struct ward_memory *ward_table_pages_memory(const struct ward_table_pages *pages)
{
	return pages->memory;
}

int ward_table_chain_put(struct ward_table_chain *chain, struct ward_table_pages *pages,
			 uint64_t address)
{
	if (ward_memory_write_u64(pages->memory, address, chain->first))
		return -EFAULT;
	chain->first = address;
	return 0;
}

uint64_t ward_table_chain_take(struct ward_table_chain *chain, struct ward_table_pages *pages)
{
	uint64_t next, taken = chain->first;

	if (taken == 0 || ward_memory_read_u64(pages->memory, taken, &next) ||
	    ward_memory_write_u64(pages->memory, taken, 0))
		return 0;
	chain->first = next;
	return taken;
}

void ward_table_chain_free(struct ward_table_chain *chain, const struct ward_table *table,
			   struct ward_table_pages *pages)
{
	/* As many as there can be: a chain that was damaged might go round. */
	uint64_t left = pages->count;

	for (; left > 0; left--) {
		uint64_t address = ward_table_chain_take(chain, pages);

		if (address == 0)
			break;
		ward_table_pages_free(pages, address, UINT64_C(1) << table->granule_shift);
	}
	chain->first = 0;
}

int ward_table_chain_fill(struct ward_table_chain *chain, const struct ward_table *table,
			  struct ward_table_pages *pages, uint64_t count)
{
	uint64_t address, size = UINT64_C(1) << table->granule_shift;

	if (count * (size / PAGE_BYTES) > pages->end - pages->first - pages->count)
		return -ENOMEM;
	for (; count > 0; count--) {
		if (ward_table_pages_alloc(pages, size, &address))
			goto free_chain;
		ward_table_chain_put(chain, pages, address);
		/* A page that no entry can speak of. */
		if ((address + size - 1) >> table->output_bits)
			goto free_chain;
	}
	return 0;

free_chain:
	ward_table_chain_free(chain, table, pages);
	return -ENOMEM;
}

void ward_table_release(struct ward_table_pages *pages, const struct ward_table *table,
			struct ward_table_freed *freed)
{
	struct ward_table_chain chain = { .first = freed->first };

	ward_table_chain_free(&chain, table, pages);
	freed->first = 0;
}

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Steps that walk, map and unmap share. */
#ifndef DMA_TABLE_ENTRY_H
#define DMA_TABLE_ENTRY_H

#include "dma/table.h"

/* The input bits below an entry of this level, all set. */
static inline uint64_t ward_table_mask(const struct ward_table *table, int level)
{
	return (UINT64_C(1) << ward_table_shift(table, level)) - 1;
}

/* Where the entry for input is, in a table of this level at base. */
static inline uint64_t ward_table_entry_at(const struct ward_table *table, uint64_t base, int level,
					   uint64_t input)
{
	unsigned int shift = ward_table_shift(table, level);
	/* The first table may be smaller, or several that are concatenated. */
	unsigned int bits =
		level == table->start_level ? table->input_bits - shift : ward_table_stride(table);

	return base + (input >> shift & ((UINT64_C(1) << bits) - 1)) * 8;
}

/* Last input address within last that the entry for input covers. */
static inline uint64_t ward_table_entry_last(const struct ward_table *table, int level,
					     uint64_t input, uint64_t last)
{
	uint64_t end = input | ward_table_mask(table, level);

	return end < last ? end : last;
}

/*
 * Tables in hand, so that what is begun can be completed: a chain through their first words. A
 * table that is empty but for the chain has no valid entry, since tables are aligned.
 */
struct ward_table_chain {
	uint64_t first;
};

/* Puts count more tables into a chain: 0, or -ENOMEM and the chain is empty. */
int ward_table_chain_fill(struct ward_table_chain *chain, const struct ward_table *table,
			  struct ward_table_pages *pages, uint64_t count);
/* Takes one out, all zero; 0: the chain is empty or damaged. */
uint64_t ward_table_chain_take(struct ward_table_chain *chain, struct ward_table_pages *pages);
/* Puts one in; what it leads to is forgotten. */
int ward_table_chain_put(struct ward_table_chain *chain, struct ward_table_pages *pages,
			 uint64_t address);
/* Frees all. */
void ward_table_chain_free(struct ward_table_chain *chain, const struct ward_table *table,
			   struct ward_table_pages *pages);

#endif

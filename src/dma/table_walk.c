// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "dma/table_entry.h"

#include <errno.h>

int ward_entry_read_memory(void *context, uint64_t address, uint64_t *ret_entry,
			   struct ward_fault *ret_fault)
{
	(void)ret_fault;
	return ward_memory_read_u64(context, address, ret_entry) ? -EFAULT : 0;
}

static int fault(const struct ward_table *table, struct ward_fault *ret_fault,
		 enum ward_fault_reason reason, int level, uint64_t fetch)
{
	ret_fault->reason = reason;
	ret_fault->stage = table->stage;
	ret_fault->level = (int8_t)level;
	ret_fault->fetch = fetch;
	return -EFAULT;
}

/* Reserved bits, software's own, the low part of the address: nothing that a run must agree on. */
#define RUN_IGNORES (UINT64_C(0xff8) << 52)

/*
 * Whether all entries of a run say the same as this one: the same but for the address, which goes
 * on from leaf to leaf, and begins where a leaf as large as the run could.
 */
static bool run_agrees(const struct ward_table *table, const struct ward_entry_reader *reader,
		       const struct ward_table_leaf *leaf, unsigned int run, uint64_t base)
{
	unsigned int shift = ward_table_shift(table, leaf->level);
	uint64_t count = UINT64_C(1) << run, size = UINT64_C(1) << shift;
	uint64_t index = leaf->input.start >> shift & (count - 1);
	uint64_t first = base - index * size;
	uint64_t other, i;
	struct ward_fault ignored;

	if (first > base || (first & ((count << shift) - 1)))
		return false;
	for (i = 0; i < count; i++) {
		uint64_t at = leaf->entry_at + (i - index) * 8;

		if (reader->read(reader->context, at, &other, &ignored))
			return false;
		if (table->format->kind(table, other, leaf->level) != WARD_ENTRY_LEAF ||
		    table->format->address(table, other, leaf->level) != first + i * size)
			return false;
		/* Without the address: as if it were at the same place. */
		other -= (i - index) << shift;
		if ((other ^ leaf->entry) & ~RUN_IGNORES)
			return false;
	}
	return true;
}

/* Widens the range of a leaf to its contiguous run. */
static void widen(const struct ward_table *table, const struct ward_entry_reader *reader,
		  struct ward_table_leaf *leaf, uint64_t base)
{
	unsigned int run =
		table->format->run ? table->format->run(table, leaf->entry, leaf->level) : 0;
	unsigned int shift = ward_table_shift(table, leaf->level);
	uint64_t mask;

	/* A run that is larger than the input is not one. */
	if (run == 0 || shift + run > table->input_bits ||
	    !run_agrees(table, reader, leaf, run, base))
		return;
	mask = (UINT64_C(1) << (shift + run)) - 1;
	leaf->input.start &= ~mask;
	leaf->input.last |= mask;
}

/* What becomes of a leaf that was found. */
static int take_leaf(const struct ward_table *table, const struct ward_entry_reader *reader,
		     const struct ward_table_limits *limits, uint64_t base, uint32_t access,
		     struct ward_table_leaf *leaf, struct ward_fault *ret_fault)
{
	const struct ward_table_format *format = table->format;

	if (format->access_flag & ~leaf->entry && !table->access_flag_off)
		return fault(table, ret_fault, WARD_FAULT_ACCESS_FLAG, leaf->level, leaf->entry_at);
	leaf->access = format->access(table, leaf->entry, limits);
	if (access & ~leaf->access)
		return fault(table, ret_fault, WARD_FAULT_PERMISSION, leaf->level, leaf->entry_at);
	leaf->type = format->type(table, leaf->entry);
	/* Last, since it reads more entries, and what a reader says of those must not stay. */
	widen(table, reader, leaf, base);
	return 0;
}

int ward_table_walk(const struct ward_table *table, const struct ward_entry_reader *reader,
		    uint64_t input, uint32_t access, ward_table_step *step, void *step_context,
		    struct ward_table_leaf *ret_leaf, struct ward_fault *ret_fault)
{
	const struct ward_table_format *format = table->format;
	struct ward_table_limits limits = { 0 };
	struct ward_table_leaf leaf = { 0 };
	uint64_t base = table->root;
	struct ward_fault unwanted;
	int level;

	if (!ret_fault)
		ret_fault = &unwanted;
	if (input >> table->input_bits)
		return fault(table, ret_fault, WARD_FAULT_TRANSLATION, 0, 0);
	if (base >> table->output_bits)
		return fault(table, ret_fault, WARD_FAULT_ADDRESS_SIZE, 0, 0);
	for (level = table->start_level; level <= WARD_TABLE_LAST_LEVEL; level++) {
		uint64_t at = ward_table_entry_at(table, base, level, input), entry, offset = 0;
		enum ward_entry_kind kind;

		/* The reader may put something more exact in its place. */
		fault(table, ret_fault, WARD_FAULT_TABLE, level, at);
		if (reader->read(reader->context, at, &entry, ret_fault))
			return -EFAULT;
		kind = format->kind(table, entry, level);
		base = format->address(table, entry, level);
		if (kind == WARD_ENTRY_LEAF)
			offset = input & ward_table_mask(table, level);
		if (step)
			step(step_context, level, at, entry,
			     kind == WARD_ENTRY_INVALID ? 0 : base + offset);
		if (kind == WARD_ENTRY_INVALID)
			return fault(table, ret_fault, WARD_FAULT_TRANSLATION, level, at);
		if (kind == WARD_ENTRY_RESERVED || base >> table->output_bits)
			return fault(table, ret_fault, WARD_FAULT_ADDRESS_SIZE, level, at);
		if (kind == WARD_ENTRY_TABLE) {
			if (format->limit)
				format->limit(table, entry, &limits);
			continue;
		}
		leaf.output = base + offset;
		leaf.input = (struct ward_range){ input - offset,
						  input | ward_table_mask(table, level) };
		leaf.level = level;
		leaf.entry = entry;
		leaf.entry_at = at;
		if (take_leaf(table, reader, &limits, base, access, &leaf, ret_fault))
			return -EFAULT;
		*ret_leaf = leaf;
		return 0;
	}
	/* No format has tables at the last level. */
	return fault(table, ret_fault, WARD_FAULT_TRANSLATION, WARD_TABLE_LAST_LEVEL, 0);
}

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A slow walker, written from the architectures' tables bit by bit and sharing nothing with the
 * library but its words for the result. Arm DDI 0487 D8.2 and D8.3, VT-d specification 9.8.
 */
#ifndef TESTS_DMA_TABLE_REFERENCE_H
#define TESTS_DMA_TABLE_REFERENCE_H

#include <doorward/translation.h>

enum ref_kind {
	REF_ARM_STAGE1,
	REF_ARM_STAGE2,
	REF_VTD,
};

struct ref_config {
	enum ref_kind kind;
	int granule; /* 0: 4 KiB, 1: 16 KiB, 2: 64 KiB */
	int input_bits, output_bits, level;
	uint64_t root, mair, leaf_bits;
	bool access_flag_off, hierarchy_off, write_never_exec;
	const uint8_t *bytes; /* memory */
	uint64_t start, size;
};

struct ref_result {
	bool ok;
	int level;
	uint64_t out, first, last;
	unsigned int access;
	int type;
	int reason;
};

/* Address bits below an entry, by granule and level. */
static const int ref_shifts[3][4] = {
	{ 39, 30, 21, 12 },
	{ 47, 36, 25, 14 },
	{ 63, 42, 29, 16 },
};
/* Entries of a contiguous run. */
static const int ref_runs[3][4] = {
	{ 1, 16, 16, 16 },
	{ 1, 1, 32, 128 },
	{ 1, 1, 32, 32 },
};

static inline bool ref_bit(uint64_t word, int bit)
{
	return word >> bit & 1;
}

/* Bits high to low of a word, in their place. */
static inline uint64_t ref_bits(uint64_t word, int high, int low)
{
	uint64_t value = 0;

	for (int bit = low; bit <= high; bit++) {
		if (ref_bit(word, bit))
			value += UINT64_C(1) << bit;
	}
	return value;
}

static inline bool ref_read(const struct ref_config *config, uint64_t at, uint64_t *ret_word)
{
	uint64_t word = 0;

	if (at < config->start || at - config->start > config->size - 8)
		return false;
	for (int i = 7; i >= 0; i--)
		word = word * 256 + config->bytes[at - config->start + (uint64_t)i];
	*ret_word = word;
	return true;
}

static inline struct ref_result ref_end(int reason, int level)
{
	return (struct ref_result){ .reason = reason, .level = level };
}

static inline bool ref_block_level(const struct ref_config *config, int level)
{
	if (config->kind == REF_VTD)
		return level == 1 || level == 2;
	return level == 2 || (level == 1 && config->granule == 0) ||
	       (level == 1 && config->granule == 2 && config->output_bits > 48);
}

static inline uint64_t ref_out(const struct ref_config *config, uint64_t entry, int low)
{
	uint64_t out;

	if (config->kind == REF_VTD)
		return ref_bits(entry, 51, low);
	out = ref_bits(entry, 47, low);
	if (config->granule == 2 && config->output_bits > 48)
		out += ref_bits(entry, 15, 12) << 36;
	return out;
}

/* One nibble of normal memory: 0 NC, 1 WT, 2 WB. */
static inline int ref_nibble(unsigned int nibble)
{
	if (nibble == 4)
		return 0;
	return nibble >= 12 || (nibble >= 4 && nibble <= 7) ? 2 : 1;
}

static inline int ref_type(const struct ref_config *config, uint64_t entry)
{
	unsigned int byte, index = (unsigned int)(ref_bits(entry, 4, 2) / 4);
	int outer, inner;

	if (config->kind == REF_VTD)
		return WARD_NORMAL;
	if (config->kind == REF_ARM_STAGE1) {
		byte = (unsigned int)(config->mair >> (index * 8) & 255);
		if (byte / 16 == 0)
			return WARD_DEVICE_NGNRNE + (int)(byte / 4);
		outer = ref_nibble(byte / 16);
		inner = byte % 16 ? ref_nibble(byte % 16) : outer;
	} else {
		outer = ref_bit(entry, 5) * 2 + ref_bit(entry, 4);
		inner = ref_bit(entry, 3) * 2 + ref_bit(entry, 2);
		if (outer == 0)
			return WARD_DEVICE_NGNRNE + inner;
		outer--;
		inner -= inner > 0;
	}
	return WARD_NORMAL_NC + (outer < inner ? outer : inner);
}

struct ref_above {
	bool no_user, read_only, no_exec, no_read;
};

static inline unsigned int ref_access(const struct ref_config *config, uint64_t entry,
				      const struct ref_above *above)
{
	bool r, w, x;

	switch (config->kind) {
	case REF_ARM_STAGE1:
		r = ref_bit(entry, 6) && !above->no_user;
		w = r && !ref_bit(entry, 7) && !above->read_only;
		x = !ref_bit(entry, 54) && !above->no_exec && !(w && config->write_never_exec);
		break;
	case REF_ARM_STAGE2:
		r = ref_bit(entry, 6);
		w = ref_bit(entry, 7);
		x = !ref_bit(entry, 54);
		break;
	case REF_VTD:
	default:
		r = ref_bit(entry, 0) && !above->no_read;
		w = ref_bit(entry, 1) && !above->read_only;
		x = ref_bit(entry, 2) && !above->no_exec;
		break;
	}
	return (r ? WARD_READ : 0u) + (w ? WARD_WRITE : 0u) + (x ? WARD_EXEC : 0u);
}

/* 0 nothing, 1 table, 2 leaf, 3 reserved */
static inline int ref_what(const struct ref_config *config, uint64_t entry, int level)
{
	bool large = ref_bit(entry, 7);

	if (config->kind != REF_VTD) {
		if (!ref_bit(entry, 0))
			return 0;
		if (ref_bit(entry, 1))
			return level == 3 ? 2 : 1;
		return ref_block_level(config, level) ? 2 : 0;
	}
	if (!ref_bit(entry, 0) && !ref_bit(entry, 1))
		return 0;
	if (level == 3 || large) {
		if (level == 0)
			return 3;
		if ((ref_bit(entry, 11) && !ref_bit(config->leaf_bits, 11)) ||
		    (ref_bit(entry, 62) && !ref_bit(config->leaf_bits, 62)))
			return 3;
		return ref_bits(entry, ref_shifts[0][level] - 1, 12) ? 3 : 2;
	}
	return ref_bit(entry, 11) || ref_bit(entry, 62) ? 3 : 1;
}

/* The run of a leaf at entry_at: all entries one after the other as the first one would have it. */
static inline bool ref_run(const struct ref_config *config, uint64_t entry_at, int level, int count,
			   uint64_t out, uint64_t entry, uint64_t input)
{
	int shift = ref_shifts[config->granule][level];
	uint64_t number = (input >> shift) % (uint64_t)count;
	uint64_t base = out - (number << shift);

	if (out < number << shift || base % ((uint64_t)count << shift))
		return false;
	for (uint64_t i = 0; i < (uint64_t)count; i++) {
		uint64_t other;

		if (!ref_read(config, entry_at - number * 8 + i * 8, &other) ||
		    ref_what(config, other, level) != 2 ||
		    ref_out(config, other, shift) != base + (i << shift))
			return false;
		/* Attributes alike: 54:50 and 11:0, and nothing else in the address field. */
		if (ref_bits(other ^ entry, 54, 48) || ref_bits(other ^ entry, 11, 0))
			return false;
		if (ref_bits(other ^ entry, shift - 1, 12))
			return false;
	}
	return true;
}

static inline struct ref_result ref_leaf(const struct ref_config *config, uint64_t entry,
					 uint64_t entry_at, int level, uint64_t input,
					 const struct ref_above *above, unsigned int access)
{
	int shift = ref_shifts[config->granule][level], count = ref_runs[config->granule][level];
	uint64_t out = ref_out(config, entry, shift), size = UINT64_C(1) << shift;
	struct ref_result result = { .ok = true, .level = level };

	if (out >> config->output_bits)
		return ref_end(WARD_FAULT_ADDRESS_SIZE, level);
	if (config->kind != REF_VTD && !config->access_flag_off && !ref_bit(entry, 10))
		return ref_end(WARD_FAULT_ACCESS_FLAG, level);
	result.access = ref_access(config, entry, above);
	if ((result.access & access) != access)
		return ref_end(WARD_FAULT_PERMISSION, level);
	result.type = ref_type(config, entry);
	result.out = out + input % size;
	if (config->kind != REF_VTD && ref_bit(entry, 52) && count > 1 &&
	    (uint64_t)count * size <= UINT64_C(1) << config->input_bits &&
	    ref_run(config, entry_at, level, count, out, entry, input))
		size *= (uint64_t)count;
	result.first = input - input % size;
	result.last = result.first + size - 1;
	return result;
}

static inline struct ref_result ref_walk(const struct ref_config *config, uint64_t input,
					 unsigned int access)
{
	struct ref_above above = { 0 };
	uint64_t base = config->root;
	int top = config->input_bits;

	for (int bit = 63; bit >= config->input_bits; bit--) {
		if (ref_bit(input, bit))
			return ref_end(WARD_FAULT_TRANSLATION, 0);
	}
	if (base >> config->output_bits)
		return ref_end(WARD_FAULT_ADDRESS_SIZE, 0);
	for (int level = config->level;; level++) {
		int shift = ref_shifts[config->granule][level], what;
		uint64_t entry, at = base + (ref_bits(input, top - 1, shift) >> shift) * 8;

		if (!ref_read(config, at, &entry))
			return ref_end(WARD_FAULT_TABLE, level);
		what = ref_what(config, entry, level);
		if (what == 0)
			return ref_end(WARD_FAULT_TRANSLATION, level);
		if (what == 3)
			return ref_end(WARD_FAULT_ADDRESS_SIZE, level);
		if (what == 2)
			return ref_leaf(config, entry, at, level, input, &above, access);
		base = ref_out(config, entry, ref_shifts[config->granule][3]);
		if (base >> config->output_bits)
			return ref_end(WARD_FAULT_ADDRESS_SIZE, level);
		if (config->kind == REF_ARM_STAGE1 && !config->hierarchy_off) {
			above.no_user |= ref_bit(entry, 61);
			above.read_only |= ref_bit(entry, 62);
			above.no_exec |= ref_bit(entry, 60);
		}
		if (config->kind == REF_VTD) {
			above.no_read |= !ref_bit(entry, 0);
			above.read_only |= !ref_bit(entry, 1);
			above.no_exec |= !ref_bit(entry, 2);
		}
		top = shift;
	}
}

#endif

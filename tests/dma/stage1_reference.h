/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What should become of a DMA through a stage 1 (and an STE's stage 2), worked out slowly from the
 * bytes in memory and sharing nothing with the library: no decoding beforehand, no formats, no
 * caches. Only reads and writes are judged. And a maker of random, mostly sensible tables.
 */
#ifndef TESTS_DMA_STAGE1_REFERENCE_H
#define TESTS_DMA_STAGE1_REFERENCE_H

#include <doorward/translation.h>

#include <stdlib.h>

struct ref_memory {
	const uint8_t *bytes;
	uint64_t start, size;
};

/* A way's end: where it leads, or the fault. */
struct ref_end {
	bool ok;
	uint64_t out;
	unsigned int access;
	int type;
	int reason, stage, level, class;
	uint64_t gpa;
};

struct ref_world {
	struct ref_memory memory;
	bool reads_targets, protects;
	unsigned int oas;
	uint64_t cd_table; /* S1ContextPtr */
	unsigned int cd_bits, cd_format, dss;
	uint64_t ste[8];
	/* NULL: no stage 2 */
	struct ref_end (*stage2)(const struct ref_world *world, uint64_t gpa, unsigned int access);
	const void *context;
};

static inline uint64_t ref_get(uint64_t word, unsigned int high, unsigned int low)
{
	uint64_t value = 0;

	for (unsigned int bit = low; bit <= high; bit++)
		value |= (word >> bit & 1) << (bit - low);
	return value;
}

static inline bool ref_u64(const struct ref_memory *memory, uint64_t at, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (at < memory->start || at - memory->start > memory->size - 8)
		return false;
	for (unsigned int i = 0; i < 8; i++)
		value |= (uint64_t)memory->bytes[at - memory->start + i] << (8 * i);
	*ret_value = value;
	return true;
}

static inline struct ref_end ref_fault(int reason, int stage, int level, int class)
{
	return (struct ref_end){ .reason = reason, .stage = stage, .level = level, .class = class };
}

/* Sends the address of something of stage 1 through stage 2. */
static inline struct ref_end ref_below(const struct ref_world *world, uint64_t gpa, int class,
				       unsigned int access)
{
	struct ref_end end = { .ok = true, .out = gpa, .access = 7, .type = WARD_NORMAL };

	if (world->stage2) {
		end = world->stage2(world, gpa, access);
		if (end.ok && class != WARD_CLASS_INPUT && world->protects && end.type < 4)
			end = ref_fault(WARD_FAULT_PERMISSION, 2, -1, class);
		if (!end.ok) {
			end.class = class;
			end.gpa = gpa;
			end.stage = 2;
			return end;
		}
	}
	if (class != WARD_CLASS_INPUT && !world->reads_targets)
		end.out = gpa;
	return end;
}

struct ref_table {
	int stage;
	unsigned int granule, ia, oa;
	int level;
	uint64_t root;
	bool affd, had, wxn;
	uint64_t mair;
};

static inline int ref_normal(unsigned int nibble)
{
	if (nibble == 4)
		return WARD_NORMAL_NC;
	return nibble & 4 ? WARD_NORMAL : WARD_NORMAL_WT;
}

static inline int ref_type(const struct ref_table *table, uint64_t entry)
{
	unsigned int attribute, memattr = (unsigned int)ref_get(entry, 5, 2);
	int a, b;

	if (table->stage == 1) {
		attribute = table->mair >> (8 * ref_get(entry, 4, 2)) & 0xff;
		if (attribute < 16)
			return (int)(attribute / 4);
		a = ref_normal(attribute / 16);
		b = ref_normal(attribute % 16);
	} else {
		if (memattr < 4)
			return (int)memattr;
		a = memattr / 4 == 1   ? WARD_NORMAL_NC
		    : memattr / 4 == 2 ? WARD_NORMAL_WT
				       : WARD_NORMAL;
		b = memattr % 4 <= 1   ? WARD_NORMAL_NC
		    : memattr % 4 == 2 ? WARD_NORMAL_WT
				       : WARD_NORMAL;
	}
	return a < b ? a : b;
}

static inline struct ref_end ref_leaf(const struct ref_table *table, uint64_t entry, int level,
				      uint64_t out, unsigned int limits, unsigned int access)
{
	struct ref_end end = { .ok = true, .out = out, .level = level };
	bool readable, writable;

	if (out >> table->oa)
		return ref_fault(WARD_FAULT_ADDRESS_SIZE, table->stage, level, WARD_CLASS_INPUT);
	if (!(entry >> 10 & 1) && !table->affd)
		return ref_fault(WARD_FAULT_ACCESS_FLAG, table->stage, level, WARD_CLASS_INPUT);
	if (table->stage == 1) {
		readable = (entry >> 6 & 1) && !(limits & 1);
		writable = readable && !(entry >> 7 & 1) && !(limits & 2);
	} else {
		readable = entry >> 6 & 1;
		writable = entry >> 7 & 1;
	}
	end.access = (readable ? WARD_READ : 0) | (writable ? WARD_WRITE : 0);
	end.type = ref_type(table, entry);
	if (access & ~end.access)
		return ref_fault(WARD_FAULT_PERMISSION, table->stage, level, WARD_CLASS_INPUT);
	return end;
}

static inline struct ref_end ref_descend(const struct ref_world *world,
					 const struct ref_table *table, uint64_t input,
					 unsigned int access)
{
	unsigned int g = table->granule, limits = 0, top = table->ia;
	uint64_t entry, next, at = table->root;

	for (int level = table->level;; level++) {
		unsigned int shift = g + (3 - (unsigned int)level) * (g - 3);
		struct ref_end place;

		at += ref_get(input, top - 1, shift) * 8;
		top = shift;
		place = (struct ref_end){ .ok = true, .out = at };
		if (table->stage == 1)
			place = ref_below(world, at, WARD_CLASS_TABLE, WARD_READ);
		if (!place.ok)
			return place;
		if (!ref_u64(&world->memory, place.out, &entry))
			return ref_fault(WARD_FAULT_TABLE, table->stage, level,
					 table->stage == 1 ? WARD_CLASS_TABLE : WARD_CLASS_INPUT);
		if ((entry & 3) == 1 && (level == 2 || (level == 1 && g == 12)))
			return ref_leaf(table, entry, level,
					(ref_get(entry, 47, shift) << shift) +
						ref_get(input, shift - 1, 0),
					limits, access);
		if ((entry & 3) != 3)
			return ref_fault(WARD_FAULT_TRANSLATION, table->stage, level,
					 WARD_CLASS_INPUT);
		next = ref_get(entry, 47, g) << g;
		if (level == 3)
			return ref_leaf(table, entry, level, next + ref_get(input, g - 1, 0),
					limits, access);
		if (next >> table->oa)
			return ref_fault(WARD_FAULT_ADDRESS_SIZE, table->stage, level,
					 WARD_CLASS_INPUT);
		if (table->stage == 1 && !table->had)
			limits |= (unsigned int)ref_get(entry, 62, 61);
		at = next;
	}
}

/* Stage 2 as the world's STE says, its tables in the world's memory. */
static inline struct ref_end ref_ste_stage2(const struct ref_world *world, uint64_t gpa,
					    unsigned int access)
{
	static const unsigned int granules[] = { 12, 16, 14, 0 }, sizes[] = { 32, 36, 40, 42, 44 };
	unsigned int ps = (unsigned int)ref_get(world->ste[2], 50, 48);
	struct ref_table table = { .stage = 2 };
	uint64_t size;

	table.granule = granules[ref_get(world->ste[2], 47, 46)];
	table.ia = 64 - (unsigned int)ref_get(world->ste[2], 37, 32);
	table.oa = ps < 5 && sizes[ps] < world->oas ? sizes[ps] : world->oas;
	table.level = (table.granule == 12 ? 2 : 3) - (int)ref_get(world->ste[2], 39, 38);
	table.affd = ref_get(world->ste[2], 53, 53);
	size = 8ull << (table.ia - table.granule -
			(3 - (unsigned int)table.level) * (table.granule - 3));
	table.root = (ref_get(world->ste[3], 51, 4) << 4) / size * size;
	if (gpa >> table.ia)
		return ref_fault(WARD_FAULT_TRANSLATION, 2, 0, WARD_CLASS_INPUT);
	return ref_descend(world, &table, gpa, access);
}

/* Stage 1 of one context. */
static inline struct ref_end ref_stage1(const struct ref_world *world, const uint64_t *cd,
					uint64_t iova, unsigned int access)
{
	static const unsigned int tg0[] = { 12, 16, 14, 0 }, tg1[] = { 0, 14, 12, 16 };
	static const unsigned int sizes[] = { 32, 36, 40, 42, 44, 48 };
	bool upper = ref_get(iova, 55, 55);
	unsigned int low = upper ? 16 : 0, ips = (unsigned int)ref_get(cd[0], 34, 32);
	unsigned int tg = (unsigned int)ref_get(cd[0], low + 7, low + 6);
	bool tbi = ref_get(cd[0], upper ? 39 : 38, upper ? 39 : 38);
	struct ref_table table = { .stage = 1, .mair = cd[3] };
	uint64_t size;

	table.ia = 64 - (unsigned int)ref_get(cd[0], low + 5, low);
	for (unsigned int bit = table.ia; bit < (tbi ? 56 : 64); bit++) {
		if (ref_get(iova, bit, bit) != upper)
			return ref_fault(WARD_FAULT_TRANSLATION, 1, 0, WARD_CLASS_INPUT);
	}
	if (ref_get(cd[0], low + 14, low + 14))
		return ref_fault(WARD_FAULT_TRANSLATION, 1, 0, WARD_CLASS_INPUT);
	table.granule = upper ? tg1[tg] : tg0[tg];
	table.oa = ips < 6 && sizes[ips] < world->oas ? sizes[ips] : world->oas;
	table.level = 3 - (int)((table.ia - 1 - table.granule) / (table.granule - 3));
	table.affd = ref_get(cd[0], 35, 35);
	table.had = ref_get(cd[upper ? 2 : 1], 1, 1);
	size = 8ull << (table.ia - table.granule -
			(3 - (unsigned int)table.level) * (table.granule - 3));
	table.root = (ref_get(cd[upper ? 2 : 1], 51, 4) << 4) / size * size;
	return ref_descend(world, &table, iova, access);
}

/* The context descriptor, put into ret_cd; only V is judged here. */
static inline struct ref_end ref_context(const struct ref_world *world, uint32_t index,
					 uint64_t *ret_cd)
{
	struct ref_end place;
	uint64_t at = world->cd_table + (uint64_t)index * 64, entry;
	unsigned int leaf = world->cd_format == 1 ? 64 : 1024;

	if (world->cd_bits > 0 && world->cd_format != 0) {
		place = ref_below(world, world->cd_table + index / leaf * 8, WARD_CLASS_CONTEXT,
				  WARD_READ);
		if (!place.ok)
			return place;
		if (!ref_u64(&world->memory, place.out, &entry))
			return ref_fault(WARD_FAULT_TABLE, 0, -1, WARD_CLASS_CONTEXT);
		if (!(entry & 1))
			return ref_fault(WARD_FAULT_PASID, 0, -1, WARD_CLASS_INPUT);
		at = (ref_get(entry, 51, 12) << 12) / (leaf * 64) * (leaf * 64) +
		     index % leaf * 64ull;
	}
	place = ref_below(world, at, WARD_CLASS_CONTEXT, WARD_READ);
	if (!place.ok)
		return place;
	for (unsigned int i = 0; i < 4; i++) {
		if (!ref_u64(&world->memory, place.out + i * 8, &ret_cd[i]))
			return ref_fault(WARD_FAULT_TABLE, 0, -1, WARD_CLASS_CONTEXT);
	}
	if (!ref_get(ret_cd[0], 31, 31))
		return ref_fault(WARD_FAULT_CONTEXT, 0, -1, WARD_CLASS_INPUT);
	return place;
}

/* pasid: or UINT32_MAX. */
static inline struct ref_end ref_translate(const struct ref_world *world, uint32_t pasid,
					   uint64_t iova, unsigned int access)
{
	struct ref_end first = { .ok = true, .out = iova, .access = 3, .type = WARD_NORMAL }, end;
	uint32_t index = pasid == UINT32_MAX ? 0 : pasid;
	bool bypass = false;
	uint64_t cd[4];

	if (pasid == UINT32_MAX && world->cd_bits > 0) {
		if (world->dss == 0)
			return ref_fault(WARD_FAULT_PASID, 0, -1, WARD_CLASS_INPUT);
		bypass = world->dss == 1;
	} else if (pasid != UINT32_MAX && (pasid >= (world->cd_bits ? 1u << world->cd_bits : 0) ||
					   (pasid == 0 && world->dss == 2))) {
		return ref_fault(WARD_FAULT_PASID, 0, -1, WARD_CLASS_INPUT);
	}
	if (bypass && iova >> world->oas)
		return ref_fault(WARD_FAULT_ADDRESS_SIZE, 1, -1, WARD_CLASS_INPUT);
	if (!bypass) {
		first = ref_context(world, index, cd);
		if (first.ok)
			first = ref_stage1(world, cd, iova, access);
	}
	if (!first.ok)
		return first;
	end = ref_below(world, first.out, WARD_CLASS_INPUT, access);
	if (!end.ok)
		return end;
	end.access &= first.access;
	end.type = end.type < first.type ? end.type : first.type;
	return end;
}

/* xorshift64*: the same numbers everywhere. */
static inline uint64_t ref_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

static inline bool ref_chance(uint64_t *state, unsigned int of)
{
	return ref_random(state) % of == 0;
}

static inline void ref_store(uint8_t *bytes, uint64_t at, uint64_t value)
{
	for (unsigned int i = 0; i < 8; i++)
		bytes[at + i] = (uint8_t)(value >> (8 * i));
}

/* Entries of a table that are filled, so that random addresses meet them. */
static const uint16_t ref_indexes[4] = { 0, 1, 5, 0xffff };

/* An address of ia bits that goes by those entries. */
static inline uint64_t ref_address(uint64_t *state, unsigned int granule, unsigned int ia)
{
	uint64_t address = ref_random(state) & ((1ull << granule) - 1) & 0xfff8;

	for (unsigned int shift = granule; shift < ia; shift += granule - 3)
		address |= (ref_indexes[ref_random(state) % 4] & ((1ull << (granule - 3)) - 1))
			   << shift;
	return address & ((1ull << ia) - 1);
}

/* A descriptor that leads to a page of start..start + size, most of the time, and mostly is fit. */
static inline uint64_t ref_descriptor(uint64_t *state, int stage, unsigned int granule,
				      uint64_t start, uint64_t size)
{
	uint64_t out = start + (ref_random(state) % (size >> granule) << granule);
	uint64_t entry = 3;

	if (ref_chance(state, 24))
		out |= 1ull << (40 + ref_random(state) % 8);
	if (ref_chance(state, 24))
		out += size;
	if (ref_chance(state, 8))
		entry = ref_random(state) & 3;
	entry |= out & 0x0000fffffffff000;
	entry |= ref_random(state) & (stage == 1 ? 0x1c : 0x3c);
	entry |= ref_chance(state, 10) ? 0 : 1u << 10;
	entry |= ref_chance(state, 8) ? 0 : 1u << 6;
	/* AP[2] forbids writing, S2AP[1] allows it. */
	entry |= ref_chance(state, 4) == (stage == 1) ? 1u << 7 : 0;
	if (stage == 1) {
		entry |= ref_random(state) & 1u << 11;
		entry |= ref_chance(state, 10) ? 1ull << 61 : 0;
		entry |= ref_chance(state, 10) ? 1ull << 62 : 0;
	}
	return entry;
}

/* Fills bytes (start..start + size of some address space) with tables that lead to each other. */
static inline void ref_fill(uint64_t *state, int stage, unsigned int granule, uint8_t *bytes,
			    uint64_t start, uint64_t size)
{
	for (uint64_t page = 0; page < size; page += 1ull << granule) {
		for (unsigned int i = 0; i < 4; i++) {
			uint64_t index = ref_indexes[i] & ((1ull << (granule - 3)) - 1);

			ref_store(bytes, page + index * 8,
				  ref_descriptor(state, stage, granule, start, size));
		}
	}
}

#endif

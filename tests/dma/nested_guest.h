/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A guest's memory with a stage 1 in it, a space of ours below, and the nested space of both. */
#ifndef TESTS_DMA_NESTED_GUEST_H
#define TESTS_DMA_NESTED_GUEST_H

#include <doorward/memory.h>
#include <doorward/stage1.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dma/stage1_reference.h"

#define PAGE 0x1000ull
#define GUEST 0x40000000ull /* guest memory, and what is where in it */
#define GUEST_SIZE 0x100000ull
#define CONTEXT GUEST
#define TABLE(level) (GUEST + ((level) + 1) * PAGE)
#define LEAF_TABLE (GUEST + 0x10 * PAGE) /* of two-level contexts */
#define DATA (GUEST + 0x20 * PAGE)

#define IOVA 0x00008040201230ull /* index 1 at every level */
/* T0SZ 16, EPD1, V, IPS 40 bits, AA64, R, A */
#define CONTEXT_WORD0 0x00006202c0000010ull

struct guest {
	uint8_t bytes[GUEST_SIZE];
	struct ward_memory *memory;
	struct ward_space *parent, *space;
	struct ward_stage1 stage1;
};

static struct guest guest;

static const struct ward_smmu_features features = {
	.output_bits = 44,
	.granules = WARD_GRANULE_4K | WARD_GRANULE_16K | WARD_GRANULE_64K,
	.substream_bits = 20,
	.two_level_contexts = true,
	.stage1 = true,
};

static inline void put(uint64_t gpa, uint64_t value)
{
	ref_store(guest.bytes, gpa - GUEST, value);
}

static inline void map(uint64_t gpa, uint64_t length, uint64_t target, uint32_t access,
		       enum ward_memory_type type)
{
	const struct ward_mapping mapping = {
		.start = ward_iova(gpa),
		.last = ward_iova(gpa + length - 1),
		.target = ward_target(target),
		.access = access,
		.type = type,
	};

	assert_int_equal(ward_space_map(guest.parent, &mapping), 0);
}

/* The nested space as guest.stage1 has it; the old one goes. */
static inline void nest(void)
{
	const struct ward_space_options options = {
		.size = sizeof(options),
		.kind = WARD_SPACE_NESTED,
		.parent = guest.parent,
		.stage1 = &guest.stage1,
	};

	ward_space_destroy(guest.space);
	guest.space = NULL;
	assert_int_equal(ward_space_create(&options, &guest.space), 0);
}

static inline void put_context(uint64_t gpa)
{
	put(gpa, CONTEXT_WORD0);
	put(gpa + 8, TABLE(0));
	put(gpa + 16, 0);
	put(gpa + 24, 0x0404ff);
}

/* One context, one page: IOVA leads to DATA, normal memory, read and write. */
static inline int setup(void **state)
{
	const struct ward_space_options options = {
		.size = sizeof(options),
		.kind = WARD_SPACE_UNMANAGED,
	};

	(void)state;
	memset(&guest, 0, sizeof(guest));
	assert_int_equal(ward_memory_create(&guest.memory), 0);
	assert_int_equal(ward_memory_add(guest.memory,
					 (struct ward_range){ GUEST, GUEST + GUEST_SIZE - 1 }, 0,
					 guest.bytes),
			 0);
	assert_int_equal(ward_space_create(&options, &guest.parent), 0);
	for (uint64_t page = 0; page < GUEST_SIZE; page += PAGE)
		map(GUEST + page, PAGE, GUEST + page, WARD_READ | WARD_WRITE, WARD_NORMAL);
	guest.stage1 = (struct ward_stage1){
		.kind = WARD_STAGE1_TABLES,
		.contexts = ward_gpa(CONTEXT),
		.features = features,
		.memory = guest.memory,
	};
	put_context(CONTEXT);
	put(TABLE(0) + 8, TABLE(1) | 3);
	put(TABLE(1) + 8, TABLE(2) | 3);
	put(TABLE(2) + 8, TABLE(3) | 3);
	put(TABLE(3) + 8, DATA | 0x443);
	nest();
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	ward_space_destroy(guest.space);
	ward_space_destroy(guest.parent);
	ward_memory_destroy(guest.memory);
	return 0;
}

#define NESTED_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif

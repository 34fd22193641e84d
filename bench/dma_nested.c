// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A walk through both stages: a context descriptor and four levels of 4 KiB tables in guest memory,
 * each address of which goes through a stage 2 that maps page by page.
 */
#include <doorward/memory.h>
#include <doorward/stage1.h>

#include <stdio.h>
#include <stdlib.h>

#include "dma.h"

#define PAGE 0x1000u
#define GUEST UINT64_C(0x40000000)
#define PAGES 1024u
#define CONTEXT GUEST
#define TABLE(level) (GUEST + PAGE + (level) * (uint64_t)PAGE)
#define DATA (GUEST + 16 * PAGE)
#define WALKED 512u
#define WALKS 500000u
/* Access flag, page, access; T0SZ 16, EPD1, V, IPS 40 bits, AA64, R, A. */
#define LEAF 0x443u
#define CONTEXT_WORD0 0x00006202c0000010u

static void put(struct ward_memory *memory, uint64_t at, uint64_t value)
{
	(void)ward_memory_write_u64(memory, at, value);
}

static void put_tables(struct ward_memory *memory)
{
	put(memory, CONTEXT, CONTEXT_WORD0);
	put(memory, CONTEXT + 8, TABLE(0));
	put(memory, CONTEXT + 24, 0x0404ff);
	for (unsigned int level = 0; level < 3; level++)
		put(memory, TABLE(level), TABLE(level + 1) | 3);
	for (uint64_t i = 0; i < WALKED; i++)
		put(memory, TABLE(3) + 8 * i, (DATA + i * PAGE) | LEAF);
}

static struct ward_space *make_parent(void)
{
	struct ward_space_options options = {
		.size = sizeof(options),
		.kind = WARD_SPACE_UNMANAGED,
	};
	struct ward_space *parent;

	if (ward_space_create(&options, &parent))
		return NULL;
	for (uint64_t i = 0; i < PAGES; i++) {
		struct ward_mapping mapping = {
			.start = ward_iova(GUEST + i * PAGE),
			.last = ward_iova(GUEST + i * PAGE + PAGE - 1),
			.target = ward_target(GUEST + i * PAGE),
			.access = WARD_READ | WARD_WRITE,
			.type = WARD_NORMAL,
		};

		if (ward_space_map(parent, &mapping))
			break;
	}
	return parent;
}

static void walk(const struct ward_space *space)
{
	struct ward_translation translation;
	struct ward_fault fault = { 0 };
	uint64_t random = 5, faults = 0;
	double since = thread_seconds();

	for (uint32_t i = 0; i < WALKS; i++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
		faults += ward_space_translate(space, NULL, WARD_PASID_NONE,
					       ward_iova((random >> 40) % WALKED * PAGE), WARD_READ,
					       &translation, &fault) != 0;
	}
	printf("{\"walk\": %.1f, \"faults\": %llu}", (thread_seconds() - since) * 1e9 / WALKS,
	       (unsigned long long)faults);
}

void bench_nested(void)
{
	struct ward_stage1 stage1 = {
		.kind = WARD_STAGE1_TABLES,
		.contexts = ward_gpa(CONTEXT),
		.features = { .output_bits = 44, .granules = WARD_GRANULE_4K, .stage1 = true },
	};
	struct ward_space_options options = {
		.size = sizeof(options),
		.kind = WARD_SPACE_NESTED,
		.stage1 = &stage1,
	};
	struct ward_memory *memory = NULL;
	struct ward_space *space = NULL;

	options.parent = make_parent();
	if (options.parent && ward_memory_create(&memory) == 0 &&
	    ward_memory_add(memory, (struct ward_range){ GUEST, GUEST + PAGES * PAGE - 1 }, 0,
			    NULL) == 0) {
		put_tables(memory);
		stage1.memory = memory;
	}
	if (stage1.memory && ward_space_create(&options, &space) == 0)
		walk(space);
	else
		printf("null");
	ward_space_destroy(space);
	ward_space_destroy(options.parent);
	ward_memory_destroy(memory);
}

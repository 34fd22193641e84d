// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Where ward_space_map_any finds room: always the highest aligned free block, as a search over all. */
#include <doorward/space.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE 0x1000u
#define PAGES 600u
#define FIRST 16u /* of the aperture */

static const struct ward_reserved regions[] = {
	{ { 0x40000, 0x43fff }, WARD_REGION_RESERVED },
	{ { 0x100800, 0x1008ff }, WARD_REGION_MSI },
	{ { 0x100000, 0x100fff }, WARD_REGION_DIRECT_RELAXABLE },
};

static struct ward_space *make(void)
{
	struct ward_space_options options = {
		.size = sizeof(options),
		.kind = WARD_SPACE_DYNAMIC,
		.aperture = { FIRST * PAGE, PAGES * PAGE - 1 },
	};
	struct ward_space *space;

	assert_int_equal(ward_space_create(&options, &space), 0);
	return space;
}

static int map_any(struct ward_space *space, uint64_t pages, uint64_t limit, uint64_t *ret_iova)
{
	struct ward_mapping mapping = {
		.last = ward_iova(pages * PAGE - 1),
		.target = ward_target(0x1000),
		.access = WARD_READ,
		.type = WARD_NORMAL,
	};
	ward_iova_t iova;
	int code = ward_space_map_any(space, &mapping, ward_iova(limit), &iova);

	if (code == 0)
		*ret_iova = ward_iova_raw(iova);
	return code;
}

/* The highest free block, by looking everywhere; 0 when there is none. */
static uint64_t look_everywhere(const bool *used, uint64_t pages, uint64_t limit)
{
	uint64_t alignment = 1;

	while (alignment < pages)
		alignment *= 2;
	for (uint64_t first = PAGES; first-- > FIRST;) {
		uint64_t i = first;

		if (first % alignment || first + pages > PAGES ||
		    (first + pages) * PAGE - 1 > limit)
			continue;
		while (i < first + pages && !used[i])
			i++;
		if (i == first + pages)
			return first;
	}
	return 0;
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* Two limits, lengths more than are remembered, mappings at fixed places in between. */
static void the_highest(void **state)
{
	static const uint64_t limits[] = { UINT64_MAX, 300 * PAGE - 1, 300 * PAGE + 77 };
	bool used[PAGES] = { false };
	uint16_t length[PAGES] = { 0 };
	struct ward_space *space = make();
	uint32_t random = 5, full = 0;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(ward_space_reserve(space, &regions[i]), 0);
	memset(&used[0x40], true, 4);
	used[0x100] = true;
	for (unsigned int step = 0; step < 40000; step++) {
		uint64_t limit = limits[next_random(&random) % 3], at = 0, first;
		uint64_t pages = next_random(&random) % 3 ? 1 : 1 + next_random(&random) % 12;

		if (next_random(&random) % 100 < 50 + (step / 5000 & 1) * 8) {
			uint64_t expected = look_everywhere(used, pages, limit);
			int code = map_any(space, pages, limit, &at);

			assert_int_equal(code, expected ? 0 : -ENOSPC);
			assert_int_equal(at, expected * PAGE);
			full += code != 0;
			if (code == 0) {
				memset(&used[expected], true, pages);
				length[expected] = (uint16_t)pages;
			}
			continue;
		}
		first = next_random(&random) % PAGES;
		if (length[first]) {
			assert_int_equal(ward_space_unmap(space, ward_iova(first * PAGE),
							  ward_iova((first + length[first]) * PAGE -
								    1),
							  0, NULL),
					 0);
			memset(&used[first], false, length[first]);
			length[first] = 0;
		}
	}
	assert_true(full > 100);
	ward_space_destroy(space);
}

static void refused(void **state)
{
	struct ward_space_options options = {
		.size = sizeof(options),
		.kind = WARD_SPACE_UNMANAGED,
	};
	struct ward_mapping mapping = { .last = ward_iova(PAGE - 1), .access = WARD_READ };
	struct ward_space *space = make(), *unmanaged;
	ward_iova_t iova = ward_iova(77);

	(void)state;
	assert_int_equal(ward_space_create(&options, &unmanaged), 0);
	assert_int_equal(ward_space_map_any(unmanaged, &mapping, ward_iova(UINT64_MAX), &iova),
			 -EINVAL);
	assert_int_equal(ward_space_map_any(space, &mapping, ward_iova(FIRST * PAGE - 1), &iova),
			 -ENOSPC);
	mapping.last = ward_iova(PAGE);
	assert_int_equal(ward_space_map_any(space, &mapping, ward_iova(UINT64_MAX), &iova),
			 -EINVAL);
	mapping.last = ward_iova(UINT64_MAX);
	assert_int_equal(ward_space_map_any(space, &mapping, ward_iova(UINT64_MAX), &iova),
			 -EINVAL);
	mapping.last = ward_iova(UINT64_MAX / 2);
	assert_int_equal(ward_space_map_any(space, &mapping, ward_iova(UINT64_MAX), &iova),
			 -ENOSPC);
	mapping.last = ward_iova(PAGE - 1);
	mapping.access = 0;
	assert_int_equal(ward_space_map_any(space, &mapping, ward_iova(UINT64_MAX), &iova),
			 -EINVAL);
	assert_int_equal(ward_iova_raw(iova), 77);
	/* What was refused is still free. */
	mapping.access = WARD_READ;
	assert_int_equal(ward_space_map_any(space, &mapping, ward_iova(UINT64_MAX), &iova), 0);
	assert_int_equal(ward_iova_raw(iova), (PAGES - 1) * PAGE);
	ward_space_destroy(space);
	ward_space_destroy(unmanaged);
}

/* Blocks of more than half of all addresses are aligned to 2^64: there is one place for each. */
static void more_than_half(void **state)
{
	struct ward_space_options options = {
		.size = sizeof(options),
		.kind = WARD_SPACE_DYNAMIC,
		.aperture = { 0, UINT64_MAX },
	};
	struct ward_space *space;

	(void)state;
	assert_int_equal(ward_space_create(&options, &space), 0);
	for (uint64_t pages = 1; pages < 4; pages++) {
		struct ward_mapping mapping = {
			.last = ward_iova(UINT64_MAX / 2 + pages * PAGE),
			.access = WARD_READ,
		};
		ward_iova_t iova = ward_iova(77);

		assert_int_equal(ward_space_map_any(space, &mapping, ward_iova(UINT64_MAX), &iova),
				 0);
		assert_int_equal(ward_iova_raw(iova), 0);
		assert_int_equal(ward_space_map_any(space, &mapping, ward_iova(UINT64_MAX), &iova),
				 -ENOSPC);
		assert_int_equal(ward_space_unmap_all(space), 0);
	}
	ward_space_destroy(space);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_highest),
		cmocka_unit_test(refused),
		cmocka_unit_test(more_than_half),
	};

	return cmocka_run_group_tests_name("dma/allocate", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Who carries a space out: asked before the space changes, and what it refuses has not happened. */
#include "dma/space.h"

#include "sweep.h"

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE 0x1000u
#define PAGES 256u

/*
 * A backend that knows the target of each page, looks at its space while it is asked, and refuses
 * when told to.
 */
struct backing {
	struct ward_space *space;
	uint64_t target[PAGES]; /* 0: not mapped */
	int refuse;
	uint64_t refuse_at; /* unmap of what begins there */
	unsigned int refuse_maps;
	unsigned int maps, unmaps, reserves, destroys;
	struct ward_range range, reserved;
	bool split;
	bool seen; /* the space still had a mapping at range.start */
};

static bool is_mapped(const struct ward_space *space, uint64_t iova)
{
	struct ward_mapping mapping;

	return ward_space_next(space, ward_iova(iova), &mapping) &&
	       ward_iova_raw(mapping.start) <= iova;
}

static int backing_map(void *context, const struct ward_mapping *mapping)
{
	struct backing *backing = context;
	uint64_t start = ward_iova_raw(mapping->start), last = ward_iova_raw(mapping->last);

	backing->maps++;
	backing->seen = is_mapped(backing->space, start);
	if (backing->refuse)
		return backing->refuse;
	if (backing->refuse_maps && --backing->refuse_maps == 0)
		return -ENOMEM;
	for (uint64_t page = start / PAGE; page <= last / PAGE; page++) {
		assert_true(page < PAGES && !backing->target[page]);
		backing->target[page] = ward_target_raw(mapping->target) + page * PAGE - start;
	}
	return 0;
}

static int backing_unmap(void *context, struct ward_range range, bool split)
{
	struct backing *backing = context;

	backing->unmaps++;
	backing->range = range;
	backing->split = split;
	backing->seen = is_mapped(backing->space, range.start);
	if (backing->refuse || (backing->refuse_at && range.start == backing->refuse_at))
		return backing->refuse ? backing->refuse : -EIO;
	for (uint64_t page = range.start / PAGE; page <= range.last / PAGE; page++)
		backing->target[page] = 0;
	return 0;
}

static int backing_reserve(void *context, const struct ward_reserved *reserved, size_t count)
{
	struct backing *backing = context;

	backing->reserves++;
	backing->reserved = reserved[count - 1].range;
	return backing->refuse;
}

static void backing_destroy(void *context)
{
	struct backing *backing = context;

	backing->destroys++;
}

static const struct ward_space_ops backing_ops = {
	.map = backing_map,
	.unmap = backing_unmap,
	.reserve = backing_reserve,
	.destroy = backing_destroy,
};

static void carry(struct backing *backing)
{
	struct ward_space_options how = {
		.size = sizeof(how),
		.kind = WARD_SPACE_UNMANAGED,
		.ops = &backing_ops,
		.backing = backing,
	};

	assert_int_equal(ward_space_create(&how, &backing->space), 0);
}

static int map_at(struct ward_space *space, uint64_t start, uint64_t last, uint64_t target)
{
	struct ward_mapping mapping = {
		.start = ward_iova(start),
		.last = ward_iova(last),
		.target = ward_target(target),
		.access = WARD_READ | WARD_WRITE,
		.type = WARD_NORMAL,
	};

	return ward_space_map(space, &mapping);
}

/* Where both lead; they say the same of every page. */
static void agree(const struct backing *backing)
{
	for (uint64_t page = 0; page < PAGES; page++) {
		struct ward_translation translation = { 0 };

		(void)ward_space_translate(backing->space, NULL, WARD_PASID_NONE,
					   ward_iova(page * PAGE), WARD_READ, &translation, NULL);
		assert_int_equal(ward_target_raw(translation.target), backing->target[page]);
	}
}

/* A mapping is in the space after it is in the backend; a refusal changes nothing. */
static void backend_order(void **state)
{
	struct backing backing = { 0 };
	struct ward_reserved reserved = { { 0x90000, 0x90fff }, WARD_REGION_RESERVED };
	uint64_t bytes = 7;
	uint32_t cursor = 0;

	(void)state;
	carry(&backing);
	assert_int_equal(map_at(backing.space, 0x10000, 0x13fff, 0), 0);
	assert_false(backing.seen);
	backing.refuse = -EIO;
	assert_int_equal(map_at(backing.space, 0x20000, 0x20fff, 0), -EIO);
	assert_false(is_mapped(backing.space, 0x20000));
	assert_int_equal(ward_space_unmap(backing.space, ward_iova(0), ward_iova(0xfffff), 0,
					  &bytes),
			 -EIO);
	assert_int_equal(bytes, 7);
	assert_true(backing.seen);
	assert_false(backing.split);
	assert_int_equal(backing.range.start, 0x10000);
	assert_int_equal(backing.range.last, 0x13fff);
	assert_int_equal(ward_space_unmap_all(backing.space), -EIO);
	assert_true(is_mapped(backing.space, 0x13fff));
	assert_int_equal(ward_space_reserve(backing.space, &reserved), -EIO);
	assert_false(ward_space_reserved_next(backing.space, &cursor, &reserved));
	/* What is refused here does not get there. */
	backing.unmaps = backing.maps = 0;
	assert_int_equal(map_at(backing.space, 0x10000, 0x10fff, 0), -EEXIST);
	assert_int_equal(ward_space_unmap(backing.space, ward_iova(0x10000), ward_iova(0x10fff), 0,
					  NULL),
			 -EINVAL);
	assert_int_equal(backing.unmaps + backing.maps, 0);
	backing.refuse = 0;
	assert_int_equal(ward_space_unmap(backing.space, ward_iova(0x11000), ward_iova(0x20fff),
					  WARD_UNMAP_SPLIT, NULL),
			 0);
	assert_true(backing.split);
	assert_int_equal(backing.range.start, 0x11000);
	assert_int_equal(backing.range.last, 0x13fff);
	assert_int_equal(ward_space_unmap_all(backing.space), 0);
	assert_int_equal(backing.destroys, 0);
	ward_space_destroy(backing.space);
	assert_int_equal(backing.destroys, 1);
	ward_space_destroy(NULL);
}

/* Four mappings around two windows, and an unmap of all of it that cuts the first and the last. */
static void begin_parts(struct backing *backing)
{
	static const struct ward_reserved windows[] = {
		{ { 0x20000, 0x20fff }, WARD_REGION_SW_MSI },
		{ { 0x30000, 0x31fff }, WARD_REGION_SW_MSI },
	};

	*backing = (struct backing){ 0 };
	carry(backing);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(ward_space_reserve(backing->space, &windows[i]), 0);
	assert_int_equal(map_at(backing->space, 0x10000, 0x13fff, 0x100000), 0);
	assert_int_equal(map_at(backing->space, 0x14000, 0x17fff, 0x300000), 0);
	assert_int_equal(map_at(backing->space, 0x28000, 0x2ffff, 0x500000), 0);
	assert_int_equal(map_at(backing->space, 0x40000, 0x4ffff, 0x700000), 0);
	agree(backing);
}

static int unmap_parts(struct backing *backing, uint64_t *ret_bytes)
{
	return ward_space_unmap(backing->space, ward_iova(0x12000), ward_iova(0x47fff),
				WARD_UNMAP_SPLIT, ret_bytes);
}

/* Several parts, of which the backend refuses one: none of them goes. */
static void refused_in_the_middle(void **state)
{
	static const uint64_t starts[] = { 0x12000, 0x28000, 0x40000 };
	uint64_t before[PAGES], bytes = 7;
	struct ward_space_info info;
	struct backing backing;

	(void)state;
	begin_parts(&backing);
	memcpy(before, backing.target, sizeof(before));
	for (size_t i = 0; i < 3; i++) {
		backing.refuse_at = starts[i];
		assert_int_equal(unmap_parts(&backing, &bytes), -EIO);
		assert_int_equal(bytes, 7);
		assert_memory_equal(before, backing.target, sizeof(before));
		agree(&backing);
		ward_space_info(backing.space, &info);
		assert_int_equal(info.mappings, 4);
	}
	backing.refuse_at = 0x28000;
	assert_int_equal(ward_space_unmap_all(backing.space), -EIO);
	assert_memory_equal(before, backing.target, sizeof(before));
	agree(&backing);
	backing.refuse_at = 0;
	assert_int_equal(unmap_parts(&backing, &bytes), 0);
	assert_int_equal(bytes, 0x16000);
	agree(&backing);
	assert_true(is_mapped(backing.space, 0x11fff) && !is_mapped(backing.space, 0x12000));
	assert_true(is_mapped(backing.space, 0x48000) && !is_mapped(backing.space, 0x47fff));
	ward_space_destroy(backing.space);
}

/* And then it does not even take back what it let go of: that is gone from the space, too. */
static void refused_both_ways(void **state)
{
	struct ward_space_info info;
	struct backing backing;

	(void)state;
	for (unsigned int nth = 1; nth <= 3; nth++) {
		begin_parts(&backing);
		backing.refuse_at = 0x40000;
		backing.refuse_maps = nth;
		assert_int_equal(unmap_parts(&backing, NULL), -EIO);
		agree(&backing);
		ward_space_info(backing.space, &info);
		/* Of the first one, a part stays in any case. */
		assert_int_equal(info.mappings, nth == 1 ? 4 : 3);
		ward_space_destroy(backing.space);
	}
}

/* It is told at once of all that is new, so that it can take all or nothing. */
static void reserves_all_or_nothing(void **state)
{
	static const struct ward_reserved regions[] = {
		{ { 0x40000, 0x40fff }, WARD_REGION_RESERVED },
		{ { 0x50000, 0x50fff }, WARD_REGION_DIRECT_RELAXABLE },
		{ { 0x10000, 0x10fff }, WARD_REGION_MSI },
		{ { 0x40800, 0x40fff }, WARD_REGION_RESERVED }, /* within */
	};
	struct backing backing = { .refuse = -ENOMEM };
	struct ward_reserved reserved;
	uint32_t cursor = 0;

	(void)state;
	carry(&backing);
	assert_int_equal(ward_space_reserve_all(backing.space, regions, 4), -ENOMEM);
	assert_false(ward_space_reserved_next(backing.space, &cursor, &reserved));
	backing.refuse = 0;
	assert_int_equal(ward_space_reserve_all(backing.space, regions, 4), 0);
	assert_int_equal(backing.reserves, 2);
	assert_int_equal(backing.reserved.start, 0x10000);
	for (uint64_t start = 0x10000; start <= 0x40000; start += 0x30000) {
		assert_true(ward_space_reserved_next(backing.space, &cursor, &reserved));
		assert_int_equal(reserved.range.start, start);
	}
	assert_false(ward_space_reserved_next(backing.space, &cursor, &reserved));
	/* Nothing new. */
	assert_int_equal(ward_space_reserve_all(backing.space, regions, 4), 0);
	assert_int_equal(backing.reserves, 2);
	ward_space_destroy(backing.space);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backend_order),
		cmocka_unit_test(reserves_all_or_nothing),
		cmocka_unit_test(refused_in_the_middle),
		cmocka_unit_test(refused_both_ways),
	};

	return cmocka_run_group_tests_name("dma/space-backend", tests, NULL, NULL);
}

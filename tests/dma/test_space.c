// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The contract of spaces: one row for each errno, every allocation failed. */
#include "dma/space.h"

#include "sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAGE 0x1000u

static bool maps_to(const struct ward_space *space, uint64_t iova, uint64_t target)
{
	struct ward_translation translation;

	return ward_space_translate(space, NULL, WARD_PASID_NONE, ward_iova(iova), WARD_READ,
				    &translation, NULL) == 0 &&
	       ward_target_raw(translation.target) == target;
}

static bool is_mapped(const struct ward_space *space, uint64_t iova)
{
	struct ward_mapping mapping;

	return ward_space_next(space, ward_iova(iova), &mapping) &&
	       ward_iova_raw(mapping.start) <= iova;
}

static struct ward_space *make(enum ward_space_kind kind, uint64_t max)
{
	struct ward_space_options options = {
		.size = sizeof(options),
		.kind = kind,
		.mappings_max = max,
	};
	struct ward_space *space;

	assert_int_equal(ward_space_create(&options, &space), 0);
	return space;
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

static void options(void **state)
{
	static const struct {
		const char *what;
		struct ward_space_options options;
		int code;
	} rows[] = {
		{ "nothing said", { .size = sizeof(struct ward_space_options) }, 0 },
		{ "no size", { .size = 0 }, -EINVAL },
		{ "another size", { .size = sizeof(struct ward_space_options) - 1 }, -EINVAL },
		{ "no kind",
		  { .size = sizeof(struct ward_space_options), .kind = (enum ward_space_kind)9 },
		  -EINVAL },
		{ "aperture backwards",
		  { .size = sizeof(struct ward_space_options), .aperture = { 5, 4 } },
		  -EINVAL },
		{ "pages of 2 KiB",
		  { .size = sizeof(struct ward_space_options), .page_sizes = 0x800 },
		  -EINVAL },
		{ "pages of 64 KiB",
		  { .size = sizeof(struct ward_space_options), .page_sizes = 0x10000 },
		  0 },
		{ "nested on nothing",
		  { .size = sizeof(struct ward_space_options), .kind = WARD_SPACE_NESTED },
		  -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ward_space *space = NULL;

		if (ward_space_create(&rows[i].options, &space) != rows[i].code)
			fail_msg("%s", rows[i].what);
		assert_int_equal(space != NULL, rows[i].code == 0);
		ward_space_destroy(space);
	}
}

/* Of a space with pages at 0x10000 to 0x12fff, a reserved page at 0x20000, at most 3 mappings. */
static void errno_of_map(void **state)
{
	static const struct {
		const char *what;
		uint64_t start, last, target;
		uint32_t access;
		int type, code;
	} rows[] = {
		{ "a page", 0x1000, 0x1fff, 0x5000, WARD_READ, WARD_NORMAL, 0 },
		{ "write only", 0x1000, 0x1fff, 0x5000, WARD_WRITE, WARD_NORMAL, 0 },
		{ "the first page", 0, 0xfff, 0x5000, WARD_READ, WARD_NORMAL, 0 },
		{ "the last page", 0xfffffffff000, 0xffffffffffff, 0, WARD_READ, WARD_NORMAL, 0 },
		{ "length 0", 0x1000, 0xfff, 0x5000, WARD_READ, WARD_NORMAL, -EINVAL },
		{ "no access", 0x1000, 0x1fff, 0x5000, 0, WARD_NORMAL, -EINVAL },
		{ "unknown access", 0x1000, 0x1fff, 0x5000, 8, WARD_NORMAL, -EINVAL },
		{ "unknown type", 0x1000, 0x1fff, 0x5000, WARD_READ, WARD_NORMAL + 1, -EINVAL },
		{ "start not aligned", 0x1800, 0x1fff, 0x5000, WARD_READ, WARD_NORMAL, -EINVAL },
		{ "end not aligned", 0x1000, 0x1ffe, 0x5000, WARD_READ, WARD_NORMAL, -EINVAL },
		{ "target not aligned", 0x1000, 0x1fff, 0x5800, WARD_READ, WARD_NORMAL, -EINVAL },
		{ "beyond the aperture", 0x1000000000000, 0x1000000000fff, 0, WARD_READ,
		  WARD_NORMAL, -EINVAL },
		{ "across its end", 0xfffffffff000, 0x1000000000fff, 0, WARD_READ, WARD_NORMAL,
		  -EINVAL },
		{ "range wraps", 0xfffffffffffff000, 0xfff, 0, WARD_READ, WARD_NORMAL, -EOVERFLOW },
		{ "target wraps", 0x1000, 0x2fff, 0xfffffffffffff000, WARD_READ, WARD_NORMAL,
		  -EOVERFLOW },
		{ "reserved", 0x20000, 0x20fff, 0x5000, WARD_READ, WARD_NORMAL, -EINVAL },
		{ "reserved within", 0x1f000, 0x21fff, 0x5000, WARD_READ, WARD_NORMAL, -EINVAL },
		{ "overlaps the beginning", 0xf000, 0x10fff, 0x5000, WARD_READ, WARD_NORMAL,
		  -EEXIST },
		{ "overlaps the end", 0x12000, 0x13fff, 0x5000, WARD_READ, WARD_NORMAL, -EEXIST },
		{ "overlaps all", 0xf000, 0x13fff, 0x5000, WARD_READ, WARD_NORMAL, -EEXIST },
		{ "again", 0x10000, 0x12fff, 0x5000, WARD_READ, WARD_NORMAL, -EEXIST },
	};
	const struct ward_reserved reserved = { { 0x20000, 0x20fff }, WARD_REGION_RESERVED };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ward_space *space = make(WARD_SPACE_UNMANAGED, 3);
		struct ward_mapping mapping = {
			.start = ward_iova(rows[i].start),
			.last = ward_iova(rows[i].last),
			.target = ward_target(rows[i].target),
			.access = rows[i].access,
			.type = (enum ward_memory_type)rows[i].type,
		};
		struct ward_space_info info;
		int code;

		assert_int_equal(ward_space_reserve(space, &reserved), 0);
		assert_int_equal(map_at(space, 0x10000, 0x12fff, 0x70000), 0);
		code = ward_space_map(space, &mapping);
		if (code != rows[i].code)
			fail_msg("%s: %d", rows[i].what, code);
		ward_space_info(space, &info);
		assert_int_equal(info.mappings, code ? 1 : 2);
		assert_true(maps_to(space, 0x12004, 0x72004));
		ward_space_destroy(space);
	}
}

static void kinds_that_map_nothing(void **state)
{
	static const struct {
		enum ward_space_kind kind;
		int code;
	} rows[] = {
		{ WARD_SPACE_BLOCKED, -EINVAL },
		{ WARD_SPACE_IDENTITY, -EINVAL },
		{ WARD_SPACE_UNMANAGED, 0 },
		{ WARD_SPACE_DYNAMIC, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ward_space *space = make(rows[i].kind, 0);

		assert_int_equal(map_at(space, 0, 0xfff, 0), rows[i].code);
		assert_int_equal(ward_space_unmap(space, ward_iova(0), ward_iova(0xfff), 0, NULL),
				 rows[i].code ? -ENOENT : 0);
		assert_int_equal(ward_space_unmap_all(space), 0);
		ward_space_destroy(space);
	}
}

static void limit_of_mappings(void **state)
{
	struct ward_space *space = make(WARD_SPACE_UNMANAGED, 2);

	(void)state;
	assert_int_equal(map_at(space, 0x0000, 0x0fff, 0), 0);
	assert_int_equal(map_at(space, 0x1000, 0x1fff, 0), 0);
	assert_int_equal(map_at(space, 0x2000, 0x2fff, 0), -ENOSPC);
	assert_int_equal(ward_space_unmap(space, ward_iova(0), ward_iova(0xfff), 0, NULL), 0);
	assert_int_equal(map_at(space, 0x2000, 0x2fff, 0), 0);
	assert_int_equal(ward_space_unmap_all(space), 0);
	/* Out of the middle: two mappings are left of one. */
	assert_int_equal(map_at(space, 0x0000, 0x2fff, 0), 0);
	assert_int_equal(map_at(space, 0x3000, 0x5fff, 0), 0);
	assert_int_equal(ward_space_unmap(space, ward_iova(0x1000), ward_iova(0x1fff),
					  WARD_UNMAP_SPLIT, NULL),
			 -ENOSPC);
	assert_true(is_mapped(space, 0x1000));
	assert_int_equal(ward_space_unmap(space, ward_iova(0x1000), ward_iova(0x4fff),
					  WARD_UNMAP_SPLIT, NULL),
			 0);
	ward_space_destroy(space);
}

/* Of a space with mappings at 0x10000..0x13fff and 0x15000..0x15fff. */
static void errno_of_unmap(void **state)
{
	static const struct {
		const char *what;
		uint64_t start, last;
		uint32_t flags;
		int code;
		uint64_t bytes;
	} rows[] = {
		{ "one", 0x10000, 0x13fff, 0, 0, 0x4000 },
		{ "both", 0x10000, 0x15fff, 0, 0, 0x5000 },
		{ "both and around", 0, 0xffffff, 0, 0, 0x5000 },
		{ "the whole of 2^64", 0, UINT64_MAX, 0, 0, 0x5000 },
		{ "one and around", 0x14000, 0x1ffff, 0, 0, 0x1000 },
		{ "nothing", 0x14000, 0x14fff, 0, -ENOENT, 0 },
		{ "nothing, to be split", 0x14000, 0x14fff, WARD_UNMAP_SPLIT, -ENOENT, 0 },
		{ "cut in front", 0x10000, 0x10fff, 0, -EINVAL, 0 },
		{ "cut behind", 0x13000, 0x14fff, 0, -EINVAL, 0 },
		{ "cut within", 0x11000, 0x11fff, 0, -EINVAL, 0 },
		{ "cut the second", 0, 0x14fff, 0, 0, 0x4000 },
		{ "split in front", 0x10000, 0x10fff, WARD_UNMAP_SPLIT, 0, 0x1000 },
		{ "split behind", 0x13000, 0x15fff, WARD_UNMAP_SPLIT, 0, 0x2000 },
		{ "split within", 0x11000, 0x11fff, WARD_UNMAP_SPLIT, 0, 0x1000 },
		{ "backwards", 0x13fff, 0x10000, 0, -EINVAL, 0 },
		{ "start not aligned", 0x10001, 0x13fff, 0, -EINVAL, 0 },
		{ "end not aligned", 0x10000, 0x13ffe, 0, -EINVAL, 0 },
		{ "unknown flag", 0x10000, 0x13fff, 2, -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ward_space *space = make(WARD_SPACE_UNMANAGED, 0);
		struct ward_space_info info;
		uint64_t bytes = 0;
		int code;

		assert_int_equal(map_at(space, 0x10000, 0x13fff, 0x70000), 0);
		assert_int_equal(map_at(space, 0x15000, 0x15fff, 0x90000), 0);
		code = ward_space_unmap(space, ward_iova(rows[i].start), ward_iova(rows[i].last),
					rows[i].flags, &bytes);
		if (code != rows[i].code || bytes != rows[i].bytes)
			fail_msg("%s: %d, %lu bytes", rows[i].what, code, (unsigned long)bytes);
		ward_space_info(space, &info);
		assert_int_equal(info.mapped_bytes, 0x5000 - bytes);
		for (uint64_t page = 0x10000; page < 0x16000; page += PAGE) {
			bool there = page != 0x14000 &&
				     (code || page < rows[i].start || page > rows[i].last);

			assert_int_equal(maps_to(space, page,
						 page < 0x14000 ? page + 0x60000 : page + 0x7b000),
					 there);
		}
		ward_space_destroy(space);
	}
}

static void translations(void **state)
{
	struct ward_space *space = make(WARD_SPACE_UNMANAGED, 0);
	struct ward_mapping mapping = {
		.start = ward_iova(0x4000),
		.last = ward_iova(0x5fff),
		.target = ward_target(0x123456000),
		.access = WARD_WRITE,
		.type = WARD_DEVICE_NGNRE,
	};
	struct ward_translation translation;
	struct ward_fault fault;

	(void)state;
	assert_int_equal(ward_space_map(space, &mapping), 0);
	assert_int_equal(ward_space_translate(space, NULL, WARD_PASID_NONE, ward_iova(0x5040),
					      WARD_WRITE, &translation, &fault),
			 0);
	assert_int_equal(ward_target_raw(translation.target), 0x123457040);
	assert_int_equal(translation.access, WARD_WRITE);
	assert_int_equal(translation.type, WARD_DEVICE_NGNRE);
	assert_int_equal(translation.input.start, 0x4000);
	assert_int_equal(translation.input.last, 0x5fff);
	assert_int_equal(ward_space_translate(space, NULL, WARD_PASID_NONE, ward_iova(0x5040),
					      WARD_READ, &translation, &fault),
			 -EFAULT);
	assert_int_equal(fault.reason, WARD_FAULT_PERMISSION);
	assert_int_equal(fault.stage, 2);
	assert_int_equal(ward_space_translate(space, NULL, WARD_PASID_NONE, ward_iova(0x6000),
					      WARD_WRITE, &translation, &fault),
			 -EFAULT);
	assert_int_equal(fault.reason, WARD_FAULT_TRANSLATION);
	assert_int_equal(ward_gpa_raw(fault.gpa), 0x6000);
	ward_space_destroy(space);
}

static void other_kinds(void **state)
{
	struct ward_space *identity = make(WARD_SPACE_IDENTITY, 0);
	struct ward_space *blocked = make(WARD_SPACE_BLOCKED, 0);
	struct ward_translation translation;
	struct ward_fault fault;

	(void)state;
	assert_true(maps_to(identity, 0x123456789, 0x123456789));
	assert_int_equal(ward_space_translate(identity, NULL, WARD_PASID_NONE,
					      ward_iova(UINT64_C(1) << 48), WARD_READ, &translation,
					      &fault),
			 -EFAULT);
	assert_int_equal(fault.reason, WARD_FAULT_ADDRESS_SIZE);
	assert_int_equal(ward_space_translate(blocked, NULL, WARD_PASID_NONE, ward_iova(0),
					      WARD_READ, &translation, &fault),
			 -EFAULT);
	assert_int_equal(fault.reason, WARD_FAULT_BLOCKED);
	ward_space_destroy(identity);
	ward_space_destroy(blocked);
}

/* Whichever comes second is refused. */
static void reserved_regions(void **state)
{
	static const struct {
		const char *what;
		enum ward_region_kind kind;
		uint64_t target; /* of a mapping at 0x8000 */
		int reserve, map;
	} rows[] = {
		{ "direct, mapped to itself", WARD_REGION_DIRECT, 0x8000, 0, 0 },
		{ "direct, mapped away", WARD_REGION_DIRECT, 0x9000, -EADDRINUSE, -EINVAL },
		{ "relaxable", WARD_REGION_DIRECT_RELAXABLE, 0x9000, 0, 0 },
		{ "reserved", WARD_REGION_RESERVED, 0x8000, -EADDRINUSE, -EINVAL },
		{ "hardware MSI", WARD_REGION_MSI, 0x8000, -EADDRINUSE, -EINVAL },
		{ "software MSI", WARD_REGION_SW_MSI, 0x9000, -EADDRINUSE, -EINVAL },
		{ "no kind", (enum ward_region_kind)77, 0x8000, -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ward_reserved reserved = { { 0x8800, 0x88ff }, rows[i].kind };
		struct ward_space *space = make(WARD_SPACE_UNMANAGED, 0);

		assert_int_equal(map_at(space, 0x8000, 0x8fff, rows[i].target), 0);
		if (ward_space_reserve(space, &reserved) != rows[i].reserve)
			fail_msg("%s: reserve", rows[i].what);
		assert_int_equal(ward_space_unmap_all(space), 0);
		(void)ward_space_reserve(space, &reserved);
		if (map_at(space, 0x8000, 0x8fff, rows[i].target) != rows[i].map)
			fail_msg("%s: map", rows[i].what);
		ward_space_destroy(space);
	}
}

static void reserved_in_order(void **state)
{
	static const struct ward_reserved regions[] = {
		{ { 0x30000, 0x30fff }, WARD_REGION_RESERVED },
		{ { 0x10000, 0x10fff }, WARD_REGION_MSI },
		{ { 0x20000, 0x20fff }, WARD_REGION_RESERVED },
		{ { 0x20800, 0x20fff }, WARD_REGION_RESERVED }, /* within */
		{ { 0x40000, 0x40fff }, WARD_REGION_DIRECT_RELAXABLE },
		{ { 0x50000, 0x4ffff }, WARD_REGION_RESERVED }, /* empty */
	};
	struct ward_space *space = make(WARD_SPACE_UNMANAGED, 0);
	struct ward_reserved reserved;
	uint32_t cursor = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++)
		assert_int_equal(ward_space_reserve(space, &regions[i]), i == 5 ? -EINVAL : 0);
	for (uint64_t start = 0x10000; start <= 0x30000; start += 0x10000) {
		assert_true(ward_space_reserved_next(space, &cursor, &reserved));
		assert_int_equal(reserved.range.start, start);
	}
	assert_false(ward_space_reserved_next(space, &cursor, &reserved));
	ward_space_destroy(space);
}

static int sweep_body(void *context)
{
	struct ward_space_options how = { .size = sizeof(how), .kind = WARD_SPACE_UNMANAGED };
	struct ward_reserved reserved = { { 0x100000000, 0x100000fff }, WARD_REGION_RESERVED };
	struct ward_space *space;
	struct ward_mapping mapping;
	int hit, code = ward_space_create(&how, &space);

	(void)context;
	if (code)
		return code;
	code = ward_space_reserve(space, &reserved);
	for (uint64_t i = 0; i < 2000 && code == 0; i++) {
		struct ward_space_info info;

		code = map_at(space, i * 0x4000, i * 0x4000 + 0x2fff, i * 0x4000);
		ward_space_info(space, &info);
		assert_int_equal(info.mappings, code ? i : i + 1);
		assert_int_equal(is_mapped(space, i * 0x4000), code == 0);
	}
	/* A split needs memory; without it nothing happens. */
	for (uint64_t i = 0; i < 500 && code == 0; i++) {
		code = ward_space_unmap(space, ward_iova(i * 0x4000 + 0x1000),
					ward_iova(i * 0x4000 + 0x1fff), WARD_UNMAP_SPLIT, NULL);
		assert_int_equal(is_mapped(space, i * 0x4000 + 0x1000), code != 0);
	}
	/* Without one it needs none: what is left can always go. Only to hold less it asks for some. */
	hit = ward_fault_hit();
	while (ward_space_next(space, ward_iova(0), &mapping))
		assert_int_equal(ward_space_unmap(space, mapping.start, mapping.last, 0, NULL), 0);
	ward_space_destroy(space);
	return code == 0 && !hit && ward_fault_hit() ? -ENOMEM : code;
}

static void allocation_failures(void **state)
{
	(void)state;
	assert_true(test_sweep(sweep_body, NULL) > 4);
}

/* Random calls against an array of pages: results, errors and contents. */
#define PAGES 512u

struct page {
	uint32_t mapping; /* number, 0: none */
	uint64_t target;
};

static uint64_t random_below(uint64_t *seed, uint64_t bound)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed % bound;
}

static int expect_map(struct page *pages, uint64_t from, uint64_t to, uint64_t target,
		      uint32_t number)
{
	for (uint64_t i = from; i <= to; i++) {
		if (pages[i].mapping)
			return -EEXIST;
	}
	for (uint64_t i = from; i <= to; i++)
		pages[i] = (struct page){ number, target + (i - from) * PAGE };
	return 0;
}

static int expect_unmap(struct page *pages, uint64_t from, uint64_t to, bool split, uint32_t number,
			uint64_t *ret_bytes)
{
	uint64_t bytes = 0;
	bool cuts =
		(from > 0 && pages[from].mapping &&
		 pages[from - 1].mapping == pages[from].mapping) ||
		(to + 1 < PAGES && pages[to].mapping && pages[to + 1].mapping == pages[to].mapping);

	for (uint64_t i = from; i <= to; i++)
		bytes += pages[i].mapping ? PAGE : 0;
	if (bytes == 0)
		return -ENOENT;
	if (cuts && !split)
		return -EINVAL;
	/* What is left behind it is a mapping of its own. */
	for (uint64_t i = to + 1;
	     cuts && i < PAGES && pages[i].mapping && pages[i].mapping == pages[to].mapping; i++)
		pages[i].mapping = number | 0x80000000u;
	for (uint64_t i = from; i <= to; i++)
		pages[i].mapping = 0;
	for (uint64_t i = to + 1; i < PAGES; i++) {
		if (pages[i].mapping == (number | 0x80000000u))
			pages[i].mapping = number;
	}
	*ret_bytes = bytes;
	return 0;
}

static void random_calls(void **state)
{
	struct ward_space *space = make(WARD_SPACE_DYNAMIC, 0);
	struct page *pages = calloc(PAGES, sizeof(*pages));
	uint64_t seed = 4711;

	(void)state;
	assert_non_null(pages);
	for (uint32_t number = 1; number < 30000; number++) {
		uint64_t from = random_below(&seed, PAGES), to = from + random_below(&seed, 6);
		uint64_t target = random_below(&seed, 1 << 20) * PAGE;
		uint64_t bytes = 0, expected = 0;
		bool split = random_below(&seed, 2);

		if (to >= PAGES)
			to = PAGES - 1;
		if (random_below(&seed, 2)) {
			assert_int_equal(map_at(space, from * PAGE, to * PAGE + PAGE - 1, target),
					 expect_map(pages, from, to, target, number));
		} else {
			assert_int_equal(ward_space_unmap(space, ward_iova(from * PAGE),
							  ward_iova(to * PAGE + PAGE - 1),
							  split ? WARD_UNMAP_SPLIT : 0, &bytes),
					 expect_unmap(pages, from, to, split, number, &expected));
			assert_int_equal(bytes, expected);
		}
		for (uint64_t i = number % 97; i < PAGES; i += 97) {
			assert_int_equal(is_mapped(space, i * PAGE), pages[i].mapping != 0);
			assert_true(!pages[i].mapping ||
				    maps_to(space, i * PAGE + 5, pages[i].target + 5));
		}
	}
	free(pages);
	ward_space_destroy(space);
}

static void fault_sentences(void **state)
{
	static const struct {
		struct ward_fault fault;
		const char *text;
	} rows[] = {
		{ { .reason = WARD_FAULT_TRANSLATION,
		    .stage = 2,
		    .level = 3,
		    .access = WARD_WRITE,
		    .iova = 0x8000040,
		    .gpa = 0x80900040 },
		  "write to 0x8000040: stage 2 maps nothing at 0x80900040 (level 3)" },
		{ { .reason = WARD_FAULT_BLOCKED,
		    .level = WARD_NO_LEVEL,
		    .access = WARD_READ,
		    .iova = 0x1000 },
		  "read of 0x1000: it is blocked" },
		{ { .reason = WARD_FAULT_PERMISSION,
		    .stage = 1,
		    .level = 2,
		    .access = WARD_EXEC,
		    .iova = 0x2000,
		    .fetch = 0x5008 },
		  "execution at 0x2000: stage 1 does not let it at 0x2000 (level 2, entry at "
		  "0x5008)" },
		{ { .reason = WARD_FAULT_TRANSLATION,
		    .fault_class = WARD_CLASS_TABLE,
		    .stage = 2,
		    .level = WARD_NO_LEVEL,
		    .access = WARD_READ,
		    .iova = 0x2000,
		    .gpa = 0x9000 },
		  "read of 0x2000: stage 2 maps nothing at 0x9000 for a table of stage 1" },
	};
	char text[WARD_FAULT_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ward_fault_format(&rows[i].fault, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
	}
	/* Room for a part of it, and for none. */
	ward_fault_format(&rows[0].fault, text, 6);
	assert_string_equal(text, "write");
	ward_fault_format(&rows[0].fault, text, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options),
		cmocka_unit_test(errno_of_map),
		cmocka_unit_test(kinds_that_map_nothing),
		cmocka_unit_test(limit_of_mappings),
		cmocka_unit_test(errno_of_unmap),
		cmocka_unit_test(translations),
		cmocka_unit_test(other_kinds),
		cmocka_unit_test(reserved_regions),
		cmocka_unit_test(reserved_in_order),
		cmocka_unit_test(allocation_failures),
		cmocka_unit_test(random_calls),
		cmocka_unit_test(fault_sentences),
	};

	return cmocka_run_group_tests_name("dma/space", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What is reserved for an endpoint: which region of the host becomes which, and where they overlap. */
#include "virtio/guest.h"

#include "virtio/viommu.h"

#include "sweep.h"

#include <stdlib.h>

#define V2M UINT64_C(0x08020000)
#define V2M2 UINT64_C(0x08021000)
#define ITS UINT64_C(0x08090000)
#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

/* Not by address. */
enum { FRAME_ITS, FRAME_V2M, FRAME_V2M2, FRAME_X86 };

static const struct ward_doorbell_frame frames[] = {
	[FRAME_V2M] = { { V2M + 0x40, V2M + 0x43 }, 0 },
	[FRAME_V2M2] = { { V2M2 + 0x40, V2M2 + 0x43 }, 1 },
	[FRAME_ITS] = { { ITS + 0x40, ITS + 0x43 }, 2 },
	[FRAME_X86] = { { WARD_X86_MSI_START, WARD_X86_MSI_LAST }, 3 },
};

struct world {
	struct ward_viommu_options options;
	struct ward_viommu_endpoint_options endpoint;
	struct ward_viommu *viommu;
};

static int set_up(void **state)
{
	static struct world world;

	world = (struct world){
		.options = {
			.frames = frames,
			.frames_count = COUNT(frames),
			.flags = WARD_VIOMMU_IDENTITY,
		},
		.endpoint = { .size = sizeof(world.endpoint), .endpoint = 7 },
	};
	world.viommu = guest_device(&world.options);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	ward_viommu_destroy(world->viommu);
	return 0;
}

static void again(struct world *world)
{
	ward_viommu_destroy(world->viommu);
	world->viommu = guest_device(&world->options);
}

static int add(struct world *world, const struct ward_reserved *reserved, uint32_t count)
{
	world->endpoint.reserved = reserved;
	world->endpoint.reserved_count = count;
	return ward_viommu_endpoint_add(world->viommu, &world->endpoint, NULL);
}

static void expect(const struct world *world, const struct ward_viommu_region *regions,
		   uint32_t count)
{
	struct ward_viommu_endpoint endpoint;
	struct ward_viommu_region region;
	uint32_t cursor = 0;

	assert_true(ward_viommu_endpoint_next(world->viommu, 0, &endpoint));
	assert_int_equal(endpoint.regions, count);
	for (uint32_t i = 0; i < count; i++) {
		assert_true(ward_viommu_region_next(world->viommu, 7, &cursor, &region));
		assert_int_equal(region.range.start, regions[i].range.start);
		assert_int_equal(region.range.last, regions[i].range.last);
		assert_int_equal(region.subtype, regions[i].subtype);
	}
	assert_false(ward_viommu_region_next(world->viommu, 7, &cursor, &region));
}

static void nothing_is_reserved(void **state)
{
	struct world *world = *state;
	struct ward_viommu_region region;
	uint32_t cursor = 0;

	assert_int_equal(add(world, NULL, 0), 0);
	expect(world, NULL, 0);
	assert_false(ward_viommu_region_next(world->viommu, 8, &cursor, &region));
}

static void kinds_of_the_host(void **state)
{
	static const struct ward_reserved reserved[] = {
		{ { 0x50000, 0x5ffff }, WARD_REGION_SW_MSI },
		{ { 0x40000, 0x4ffff }, WARD_REGION_DIRECT_RELAXABLE },
		{ { 0x30000, 0x37fff }, WARD_REGION_MSI },
		{ { 0x20000, 0x2efff }, WARD_REGION_RESERVED },
		{ { 0x10000, 0x1efff }, WARD_REGION_DIRECT },
	};
	static const struct ward_viommu_region told[] = {
		{ { 0x10000, 0x1efff }, WARD_VIOMMU_RESV_RESERVED },
		{ { 0x20000, 0x2efff }, WARD_VIOMMU_RESV_RESERVED },
		{ { 0x30000, 0x37fff }, WARD_VIOMMU_RESV_RESERVED },
		{ { 0x50000, 0x5ffff }, WARD_VIOMMU_RESV_RESERVED },
	};
	struct world *world = *state;

	assert_int_equal(add(world, reserved, COUNT(reserved)), 0);
	expect(world, told, COUNT(told));
}

static void identity_is_the_software_window(void **state)
{
	static const struct ward_reserved reserved[] = {
		{ { WARD_SW_MSI_START, WARD_SW_MSI_LAST }, WARD_REGION_SW_MSI },
		{ { 0, 0xfff }, WARD_REGION_DIRECT },
	};
	static const struct ward_viommu_region told[] = {
		{ { 0, 0xfff }, WARD_VIOMMU_RESV_RESERVED },
		{ { WARD_SW_MSI_START, WARD_SW_MSI_LAST }, WARD_VIOMMU_RESV_IDENTITY },
	};
	struct world *world = *state;

	world->endpoint.identity = true;
	assert_int_equal(add(world, reserved, COUNT(reserved)), 0);
	expect(world, told, COUNT(told));
	world->options.flags = 0;
	again(world);
	assert_int_equal(add(world, reserved, COUNT(reserved)), -EOPNOTSUPP);
	world->endpoint.identity = false;
	assert_int_equal(add(world, reserved, COUNT(reserved)), 0);
}

static void doorbells_have_one_region(void **state)
{
	static const struct ward_viommu_region one[] = { { { V2M2, V2M2 + 0xfff },
							   WARD_VIOMMU_RESV_MSI } };
	static const struct ward_viommu_region both[] = { { { V2M, V2M2 + 0xfff },
							    WARD_VIOMMU_RESV_MSI } };
	static const struct ward_viommu_region all[] = { { { V2M, ITS + 0xfff },
							   WARD_VIOMMU_RESV_MSI } };
	static const struct ward_viommu_region x86[] = {
		{ { WARD_X86_MSI_START, WARD_X86_MSI_LAST }, WARD_VIOMMU_RESV_MSI }
	};
	struct world *world = *state;

	world->endpoint.msi = WARD_VIOMMU_MSI_BYPASSED;
	world->endpoint.frames = 1u << FRAME_V2M2;
	assert_int_equal(add(world, NULL, 0), 0);
	expect(world, one, 1);
	again(world);
	world->endpoint.frames = 1u << FRAME_V2M | 1u << FRAME_V2M2;
	assert_int_equal(add(world, NULL, 0), 0);
	expect(world, both, 1);
	again(world);
	world->endpoint.frames = 1u << FRAME_ITS | 1u << FRAME_V2M;
	assert_int_equal(add(world, NULL, 0), 0);
	expect(world, all, 1);
	again(world);
	world->endpoint.frames = 1u << FRAME_X86;
	assert_int_equal(add(world, NULL, 0), 0);
	expect(world, x86, 1);
	again(world);
	/* The guest maps them: it is told nothing. */
	world->endpoint.msi = WARD_VIOMMU_MSI_MAPPED;
	assert_int_equal(add(world, NULL, 0), 0);
	expect(world, NULL, 0);
}

static void a_doorbell_fills_its_granule(void **state)
{
	static const struct ward_viommu_region told[] = { { { V2M, V2M + 0xffff },
							    WARD_VIOMMU_RESV_MSI } };
	struct world *world = *state;

	world->options.page_sizes = 0x10000;
	again(world);
	world->endpoint.msi = WARD_VIOMMU_MSI_BYPASSED;
	world->endpoint.frames = 1u << FRAME_V2M2;
	assert_int_equal(add(world, NULL, 0), 0);
	expect(world, told, 1);
}

/* MSI goes before RESERVED, that before IDENTITY; what remains is told in pieces. */
static void precedence(void **state)
{
	static const struct ward_reserved reserved[] = {
		{ { V2M - 0x10000, ITS + 0x1ffff }, WARD_REGION_SW_MSI },
		{ { V2M - 0x2000, V2M + 0x7ff }, WARD_REGION_DIRECT },
		{ { V2M - 0x1800, V2M - 0x1000 }, WARD_REGION_MSI },
		{ { ITS + 0x800, ITS + 0x1fff }, WARD_REGION_RESERVED },
		{ { V2M + 0x3000, V2M + 0x3fff }, WARD_REGION_RESERVED },
	};
	static const struct ward_viommu_region told[] = {
		{ { V2M - 0x10000, V2M - 0x2001 }, WARD_VIOMMU_RESV_IDENTITY },
		{ { V2M - 0x2000, V2M - 1 }, WARD_VIOMMU_RESV_RESERVED },
		{ { V2M, ITS + 0xfff }, WARD_VIOMMU_RESV_MSI },
		{ { ITS + 0x1000, ITS + 0x1fff }, WARD_VIOMMU_RESV_RESERVED },
		{ { ITS + 0x2000, ITS + 0x1ffff }, WARD_VIOMMU_RESV_IDENTITY },
	};
	struct world *world = *state;

	world->endpoint.identity = true;
	world->endpoint.msi = WARD_VIOMMU_MSI_BYPASSED;
	world->endpoint.frames = 1u << FRAME_ITS | 1u << FRAME_V2M;
	assert_int_equal(add(world, reserved, COUNT(reserved)), 0);
	expect(world, told, COUNT(told));
}

static void neighbours_are_one(void **state)
{
	static const struct ward_reserved reserved[] = {
		{ { 0x3000, 0x3fff }, WARD_REGION_DIRECT },
		{ { 0x1000, 0x1fff }, WARD_REGION_RESERVED },
		{ { 0x2000, 0x2fff }, WARD_REGION_MSI },
		{ { 0x5000, UINT64_MAX }, WARD_REGION_RESERVED },
		{ { 0, UINT64_MAX }, WARD_REGION_DIRECT_RELAXABLE },
	};
	static const struct ward_viommu_region told[] = {
		{ { 0x1000, 0x3fff }, WARD_VIOMMU_RESV_RESERVED },
		{ { 0x5000, UINT64_MAX }, WARD_VIOMMU_RESV_RESERVED },
	};
	static const struct ward_reserved whole = { { 0, UINT64_MAX }, WARD_REGION_RESERVED };
	static const struct ward_viommu_region all = { { 0, UINT64_MAX },
						       WARD_VIOMMU_RESV_RESERVED };
	struct world *world = *state;

	assert_int_equal(add(world, reserved, COUNT(reserved)), 0);
	expect(world, told, COUNT(told));
	again(world);
	assert_int_equal(add(world, &whole, 1), 0);
	expect(world, &all, 1);
}

static void options_make_no_sense(void **state)
{
	struct world *world = *state;
	const struct ward_viommu_endpoint_options good = world->endpoint;
	struct ward_reserved many[WARD_VIOMMU_RESERVED_MAX + 1];
	struct ward_reserved bad = { { 2, 1 }, WARD_REGION_RESERVED };

	assert_int_equal(add(world, &bad, 1), -EINVAL);
	bad = (struct ward_reserved){ { 1, 2 }, (enum ward_region_kind)5 };
	assert_int_equal(add(world, &bad, 1), -EINVAL);
	assert_int_equal(add(world, NULL, 1), -EINVAL);
	for (uint32_t i = 0; i < COUNT(many); i++)
		many[i] = (struct ward_reserved){ { i, i }, WARD_REGION_RESERVED };
	assert_int_equal(add(world, many, COUNT(many)), -EINVAL);
	world->endpoint.msi = WARD_VIOMMU_MSI_BYPASSED;
	assert_int_equal(add(world, NULL, 0), -EINVAL);
	world->endpoint.frames = 1u << COUNT(frames);
	assert_int_equal(add(world, NULL, 0), -EINVAL);
	world->endpoint.msi = (enum ward_viommu_msi)3;
	world->endpoint.frames = 1;
	assert_int_equal(add(world, NULL, 0), -EINVAL);
	world->endpoint.msi = WARD_VIOMMU_MSI_NONE;
	assert_int_equal(add(world, NULL, 0), -EINVAL);
	world->endpoint = good;
	world->endpoint.size--;
	assert_int_equal(add(world, NULL, 0), -EINVAL);
	world->endpoint = good;
	assert_int_equal(add(world, many, COUNT(many) - 1), 0);
}

static void as_many_as_probe_tells(void **state)
{
	static const struct ward_reserved reserved[] = {
		{ { 0x1000, 0x1fff }, WARD_REGION_RESERVED },
		{ { 0x3000, 0x3fff }, WARD_REGION_RESERVED },
		{ { 0x5000, 0x5fff }, WARD_REGION_RESERVED },
	};
	struct world *world = *state;

	world->options.probe_size = 64;
	again(world);
	assert_int_equal(add(world, reserved, 3), -ENOSPC);
	assert_int_equal(add(world, reserved, 2), 0);
}

/* Against one byte at a time: ranges of few addresses, anywhere, of any kind. */
static void any_regions(void **state)
{
	enum { BYTES = 64 };
	struct world *world = *state;
	uint32_t random = 1;

	world->endpoint.identity = true;
	for (unsigned int round = 0; round < 2000; round++) {
		struct ward_reserved reserved[12];
		uint8_t expected[BYTES];
		struct ward_viommu_region *regions;
		struct viommu_endpoint endpoint = { .id = 7 };
		uint64_t next = 0;

		memset(expected, 0xff, sizeof(expected));
		for (uint32_t i = 0; i < COUNT(reserved); i++) {
			uint64_t start = (random = random * 1664525u + 1013904223u) >> 8 & 63;
			uint64_t more = (random = random * 1664525u + 1013904223u) >> 8 & 7;
			enum ward_region_kind kind = (random >> 24) % 5;
			uint64_t last = start + more < BYTES ? start + more : BYTES - 1;

			reserved[i] = (struct ward_reserved){ { start, last }, kind };
			for (uint64_t at = start; at <= last; at++) {
				if (kind == WARD_REGION_SW_MSI && expected[at] == 0xff)
					expected[at] = WARD_VIOMMU_RESV_IDENTITY;
				else if (kind != WARD_REGION_SW_MSI &&
					 kind != WARD_REGION_DIRECT_RELAXABLE)
					expected[at] = WARD_VIOMMU_RESV_RESERVED;
			}
		}
		world->endpoint.reserved = reserved;
		world->endpoint.reserved_count = COUNT(reserved);
		assert_int_equal(ward_viommu_regions_make(world->viommu, &world->endpoint, &regions,
							  &endpoint.regions_count),
				 0);
		endpoint.regions = regions;
		for (uint32_t i = 0; i < endpoint.regions_count; i++) {
			assert_true(regions[i].range.start >= next);
			assert_true(regions[i].range.start <= regions[i].range.last);
			next = regions[i].range.last + 1;
		}
		for (uint64_t at = 0; at < BYTES; at++) {
			const struct ward_viommu_region *found =
				ward_viommu_region_at(&endpoint, (struct ward_range){ at, at });

			assert_int_equal(found ? found->subtype : 0xff, expected[at]);
			found = ward_viommu_region_at(&endpoint, (struct ward_range){ at, BYTES });
			while (at < BYTES && expected[at] == 0xff)
				at++;
			assert_int_equal(found != NULL, at < BYTES);
			if (found)
				assert_true(ward_range_has(found->range, at));
		}
		free(regions);
	}
}

static int make_regions(void *context)
{
	struct world *world = context;
	struct ward_viommu_region *regions;
	uint32_t count;
	int code = ward_viommu_regions_make(world->viommu, &world->endpoint, &regions, &count);

	if (code == 0)
		free(regions);
	return code;
}

static void no_memory(void **state)
{
	struct world *world = *state;

	world->endpoint.msi = WARD_VIOMMU_MSI_BYPASSED;
	world->endpoint.frames = 1;
	assert_true(test_sweep(make_regions, world) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(nothing_is_reserved),
		TEST(kinds_of_the_host),
		TEST(identity_is_the_software_window),
		TEST(doorbells_have_one_region),
		TEST(a_doorbell_fills_its_granule),
		TEST(precedence),
		TEST(neighbours_are_one),
		TEST(options_make_no_sense),
		TEST(as_many_as_probe_tells),
		TEST(any_regions),
		TEST(no_memory),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

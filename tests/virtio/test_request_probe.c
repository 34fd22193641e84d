// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* PROBE: properties as bytes, what is filled with zeroes, where the tail is, and the used length. */
#include "virtio/guest.h"

#define PROBE_SIZE 64u
#define V2M UINT64_C(0x08020000)
#define UNTOUCHED 0xa5u

static const struct ward_doorbell_frame frame = { { V2M + 0x40, V2M + 0x43 }, 0 };

struct world {
	struct ward_viommu_options options;
	struct ward_viommu *viommu;
	uint8_t answer[PROBE_SIZE + 32];
};

static int set_up(void **state)
{
	static struct world world;
	const struct ward_reserved reserved = { { 0x1234000, UINT64_C(0xfedcba9876543fff) },
						WARD_REGION_RESERVED };
	const struct ward_viommu_endpoint_options endpoint = {
		.size = sizeof(endpoint),
		.endpoint = 0x12345,
		.msi = WARD_VIOMMU_MSI_BYPASSED,
		.frames = 1,
		.reserved = &reserved,
		.reserved_count = 1,
	};

	world = (struct world){
		.options = { .frames = &frame, .frames_count = 1, .probe_size = 80 },
	};
	world.viommu = guest_device(&world.options);
	/* The MSI region cuts the reserved one in two: three properties, 72 bytes, one more than fit. */
	assert_int_equal(ward_viommu_endpoint_add(world.viommu, &endpoint, NULL), 0);
	ward_viommu_destroy(world.viommu);
	world.options.probe_size = PROBE_SIZE;
	world.viommu = guest_device(&world.options);
	assert_int_equal(ward_viommu_endpoint_add(world.viommu, &endpoint, NULL), -ENOSPC);
	guest_endpoint(world.viommu, 0x12345, WARD_VIOMMU_MSI_BYPASSED, 1);
	guest_endpoint(world.viommu, 1, WARD_VIOMMU_MSI_NONE, 0);
	memset(world.answer, UNTOUCHED, sizeof(world.answer));
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	ward_viommu_destroy(world->viommu);
	return 0;
}

static void all_are(const uint8_t *bytes, size_t count, uint8_t value)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(bytes[i], value);
}

static void bytes_of_a_property(void **state)
{
	static const uint8_t property[24] = {
		1, 0, 20, 0, 1, 0, 0, 0, 0x00, 0x00, 0x02, 0x08, 0, 0, 0, 0, 0xff, 0x0f, 0x02, 0x08,
	};
	struct world *world = *state;

	assert_int_equal(guest_probe(world->viommu, 0x12345, world->answer, PROBE_SIZE + 4),
			 PROBE_SIZE + 4);
	assert_memory_equal(world->answer, property, sizeof(property));
	all_are(world->answer + sizeof(property), PROBE_SIZE + 4 - sizeof(property), 0);
	all_are(world->answer + PROBE_SIZE + 4, sizeof(world->answer) - PROBE_SIZE - 4, UNTOUCHED);
}

static void one_after_the_other(void **state)
{
	const struct ward_reserved reserved[] = {
		{ { UINT64_C(0xfedcba9876540000), UINT64_C(0xfedcba987654ffff) },
		  WARD_REGION_SW_MSI },
		{ { 0, 0xfff }, WARD_REGION_DIRECT },
	};
	const struct ward_viommu_endpoint_options endpoint = {
		.size = sizeof(endpoint),
		.endpoint = 3,
		.reserved = reserved,
		.reserved_count = 2,
		.identity = true,
	};
	struct world *world = *state;

	ward_viommu_destroy(world->viommu);
	world->options.flags = WARD_VIOMMU_IDENTITY;
	world->options.probe_size = 48;
	world->viommu = guest_device(&world->options);
	assert_int_equal(ward_viommu_endpoint_add(world->viommu, &endpoint, NULL), 0);
	assert_int_equal(guest_probe(world->viommu, 3, world->answer, 52), 52);
	assert_int_equal(guest_get(world->answer, 2), 1);
	assert_int_equal(guest_get(world->answer + 2, 2), 20);
	assert_int_equal(guest_get(world->answer + 4, 4), WARD_VIOMMU_RESV_RESERVED);
	assert_int_equal(guest_get(world->answer + 8, 8), 0);
	assert_int_equal(guest_get(world->answer + 16, 8), 0xfff);
	assert_int_equal(guest_get(world->answer + 24, 2), 1);
	assert_int_equal(guest_get(world->answer + 26, 2), 20);
	assert_int_equal(guest_get(world->answer + 28, 4), WARD_VIOMMU_RESV_IDENTITY);
	assert_int_equal(guest_get(world->answer + 32, 8), UINT64_C(0xfedcba9876540000));
	assert_int_equal(guest_get(world->answer + 40, 8), UINT64_C(0xfedcba987654ffff));
	/* All of the room is used: the tail follows at once. */
	all_are(world->answer + 48, 4, 0);
	all_are(world->answer + 52, 4, UNTOUCHED);
}

static void nothing_to_tell(void **state)
{
	struct world *world = *state;

	assert_int_equal(guest_probe(world->viommu, 1, world->answer, PROBE_SIZE + 4),
			 PROBE_SIZE + 4);
	all_are(world->answer, PROBE_SIZE + 4, 0);
}

static void no_such_endpoint(void **state)
{
	struct world *world = *state;

	assert_int_equal(guest_probe(world->viommu, 2, world->answer, PROBE_SIZE + 4),
			 PROBE_SIZE + 4);
	all_are(world->answer, PROBE_SIZE, 0);
	assert_int_equal(world->answer[PROBE_SIZE], GUEST_NOENT);
	all_are(world->answer + PROBE_SIZE + 1, 3, 0);
}

/* It is looked at before the size. */
static void no_such_endpoint_and_no_room(void **state)
{
	struct world *world = *state;

	assert_int_equal(guest_probe(world->viommu, 2, world->answer, 12), 12);
	all_are(world->answer, 8, 0);
	assert_int_equal(world->answer[8], GUEST_NOENT);
}

static void too_short(void **state)
{
	struct world *world = *state;

	for (uint32_t size = 4; size < PROBE_SIZE + 4; size++) {
		memset(world->answer, UNTOUCHED, sizeof(world->answer));
		assert_int_equal(guest_probe(world->viommu, 0x12345, world->answer, size), size);
		all_are(world->answer, size - 4, 0);
		assert_int_equal(world->answer[size - 4], GUEST_INVAL);
		all_are(world->answer + size - 3, 3, 0);
		all_are(world->answer + size, sizeof(world->answer) - size, UNTOUCHED);
	}
}

static void shorter_than_a_tail(void **state)
{
	struct world *world = *state;

	for (uint32_t size = 0; size < 4; size++) {
		assert_int_equal(guest_probe(world->viommu, 0x12345, world->answer, size), 0);
		all_are(world->answer, sizeof(world->answer), UNTOUCHED);
	}
}

static void longer_than_needed(void **state)
{
	struct world *world = *state;

	assert_int_equal(guest_probe(world->viommu, 0x12345, world->answer, PROBE_SIZE + 20),
			 PROBE_SIZE + 4);
	assert_int_equal(world->answer[0], 1);
	all_are(world->answer + PROBE_SIZE, 4, 0);
	all_are(world->answer + PROBE_SIZE + 4, sizeof(world->answer) - PROBE_SIZE - 4, UNTOUCHED);
}

/* Any framing: the same bytes, in the pieces one after the other. */
static void in_pieces(void **state)
{
	struct world *world = *state;
	uint8_t request[72 + 8] = { 5, 0xff, 0xff, 0xff, 0x45, 0x23, 0x01, 0 };
	struct iovec out[sizeof(request)], in[PROBE_SIZE + 6];
	uint8_t whole[PROBE_SIZE + 4];
	uint32_t written;

	assert_int_equal(guest_probe(world->viommu, 0x12345, whole, sizeof(whole)), sizeof(whole));
	/* Reserved bytes are ignored, and what follows. */
	memset(request + 8, 0xff, sizeof(request) - 8);
	for (uint32_t i = 0; i < sizeof(request); i++)
		out[i] = (struct iovec){ request + i, 1 };
	in[0] = (struct iovec){ NULL, 0 };
	for (uint32_t i = 0; i < PROBE_SIZE + 4; i++)
		in[i + 1] = (struct iovec){ world->answer + i, 1 };
	in[PROBE_SIZE + 5] = (struct iovec){ NULL, 0 };
	assert_int_equal(ward_viommu_handle(world->viommu, out, sizeof(request), in, PROBE_SIZE + 6,
					    &written),
			 0);
	assert_int_equal(written, sizeof(whole));
	assert_memory_equal(world->answer, whole, sizeof(whole));
}

static void without_the_feature(void **state)
{
	struct world *world = *state;

	ward_viommu_reset(world->viommu, false);
	assert_int_equal(guest_probe(world->viommu, 1, world->answer, PROBE_SIZE + 4), 0);
	assert_int_equal(ward_viommu_negotiate(world->viommu, WARD_VIOMMU_F_MAP_UNMAP), 0);
	assert_int_equal(guest_probe(world->viommu, 1, world->answer, PROBE_SIZE + 4), 0);
	all_are(world->answer, sizeof(world->answer), UNTOUCHED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(bytes_of_a_property),
		TEST(one_after_the_other),
		TEST(nothing_to_tell),
		TEST(no_such_endpoint),
		TEST(no_such_endpoint_and_no_room),
		TEST(too_short),
		TEST(shorter_than_a_tail),
		TEST(longer_than_needed),
		TEST(in_pieces),
		TEST(without_the_feature),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The state of a device, out and in: the same bytes again, whatever it was. */
#include "virtio/state_rig.h"

#include "exact/random.h"

static void some_of_everything_comes_back(void **state)
{
	struct stream stream;
	struct world world;
	(void)state;

	make(&world, &standard);
	fill(&world);
	save(&world, &stream);
	assert_null(follower_check(&world.follower));
	assert_again(&stream, &standard);
	finish(&world);
}

static void a_loaded_device_goes_on(void **state)
{
	uint8_t event[24];
	const struct iovec buffer = { event, sizeof(event) };
	struct ward_viommu_info info;
	struct ward_error error;
	struct stream stream;
	struct world world;
	uint32_t written;
	(void)state;

	make(&world, &standard);
	fill(&world);
	save(&world, &stream);
	finish(&world);
	make(&world, &standard);
	assert_int_equal(load(&world, &stream, &error), 0);
	ward_viommu_info(world.viommu, &info);
	assert_int_equal(info.negotiated, ward_viommu_features(world.viommu));
	assert_true(info.bypass);
	assert_int_equal(info.domains, 3);
	assert_int_equal(info.mappings, 3);
	assert_int_equal(guest_map(world.viommu, 1, 0x3000, 0x3fff, 0, GUEST_READ), GUEST_INVAL);
	assert_int_equal(guest_unmap(world.viommu, 1, 0x2000, 0x5fff), GUEST_OK);
	assert_int_equal(guest_map(world.viommu, 1, 0x3000, 0x3fff, 0, GUEST_READ), GUEST_OK);
	assert_int_equal(guest_attach(world.viommu, 7, 4, 0), GUEST_INVAL);
	assert_int_equal(guest_detach(world.viommu, 2, UINT32_MAX), GUEST_OK);
	assert_int_equal(ward_viommu_event(world.viommu, &buffer, 1, &written), 0);
	assert_int_equal(event[8], 1);
	assert_int_equal(event[17], 0x1);
	assert_int_equal(ward_viommu_event(world.viommu, &buffer, 1, &written), 0);
	assert_int_equal(event[8], 4);
	assert_int_equal(ward_viommu_event(world.viommu, &buffer, 1, &written), -ENOENT);
	assert_null(follower_check(&world.follower));
	finish(&world);
}

static void a_new_device_is_a_state_too(void **state)
{
	struct stream stream;
	struct world world;
	(void)state;

	make(&world, &standard);
	save(&world, &stream);
	assert_again(&stream, &standard);
	assert_int_equal(ward_viommu_negotiate(world.viommu, 0), 0);
	save(&world, &stream);
	assert_again(&stream, &standard);
	finish(&world);
}

static void add_window(struct world *world)
{
	const struct ward_reserved window = { { WARD_SW_MSI_START, WARD_SW_MSI_LAST },
					      WARD_REGION_SW_MSI };
	const struct ward_viommu_endpoint_options endpoint = { .size = sizeof(endpoint),
							       .endpoint = 6,
							       .reserved = &window,
							       .reserved_count = 1,
							       .identity = true };

	world->follower.window = window.range;
	assert_int_equal(ward_viommu_endpoint_add(world->viommu, &endpoint, NULL), 0);
}

/* Whoever takes the mapping for one of its own would have to carry it out where the host's doorbells are. */
static void a_mapping_outlives_its_identity_region(void **state)
{
	struct ward_viommu_options options = standard;
	struct ward_error error;
	struct stream stream, again;
	struct world world;
	(void)state;

	options.flags = WARD_VIOMMU_IDENTITY;
	make(&world, &options);
	add_window(&world);
	assert_int_equal(ward_viommu_negotiate(world.viommu, ward_viommu_features(world.viommu)),
			 0);
	assert_int_equal(guest_attach(world.viommu, 1, 1, 0), GUEST_OK);
	assert_int_equal(guest_attach(world.viommu, 1, 6, 0), GUEST_OK);
	assert_int_equal(guest_map(world.viommu, 1, WARD_SW_MSI_START, WARD_SW_MSI_LAST,
				   WARD_SW_MSI_START, GUEST_READ | GUEST_WRITE),
			 GUEST_OK);
	assert_int_equal(guest_detach(world.viommu, 1, 6), GUEST_OK);
	save(&world, &stream);
	finish(&world);
	make(&world, &options);
	add_window(&world);
	assert_int_equal(load(&world, &stream, &error), 0);
	save(&world, &again);
	assert_same(&stream, &again);
	assert_null(follower_check(&world.follower));
	assert_int_equal(guest_attach(world.viommu, 1, 6, 0), GUEST_OK);
	finish(&world);
}

static void what_guests_of_old_negotiated_comes_back(void **state)
{
	struct ward_viommu_options options = standard;
	struct stream stream;
	struct world world;
	(void)state;

	options.features = WARD_VIOMMU_F_MAP_UNMAP | WARD_VIOMMU_F_BYPASS;
	make(&world, &options);
	assert_int_equal(ward_viommu_negotiate(world.viommu, options.features), 0);
	assert_int_equal(guest_attach(world.viommu, 1, 1, 0), GUEST_OK);
	assert_int_equal(guest_map(world.viommu, 1, 0, UINT64_MAX, 0, GUEST_READ), GUEST_OK);
	save(&world, &stream);
	assert_again(&stream, &options);
	finish(&world);
}

/* A driver that does not know the byte leaves it as it was at boot, or as a driver before it did. */
static void the_byte_comes_back_without_its_feature(void **state)
{
	struct ward_viommu_options boot = standard;
	struct stream stream;
	struct world world;
	(void)state;

	boot.flags = WARD_VIOMMU_BOOT_BYPASS;
	make(&world, &boot);
	assert_int_equal(ward_viommu_negotiate(world.viommu, WARD_VIOMMU_F_MAP_UNMAP), 0);
	save(&world, &stream);
	assert_again(&stream, &standard);
	finish(&world);
	make(&world, &standard);
	save(&world, &stream);
	assert_again(&stream, &boot);
	finish(&world);
}

static void a_broken_device_is_broken_there(void **state)
{
	struct ward_viommu_info info;
	struct ward_error error;
	struct stream stream;
	struct world world;
	(void)state;

	make(&world, &standard);
	fill(&world);
	ward_viommu_break(world.viommu, "the guest's ring makes no sense");
	save(&world, &stream);
	assert_again(&stream, &standard);
	finish(&world);
	make(&world, &standard);
	assert_int_equal(load(&world, &stream, &error), 0);
	ward_viommu_info(world.viommu, &info);
	assert_true(info.broken);
	assert_string_equal(info.error.text, "the guest's ring makes no sense");
	assert_int_equal(guest_detach(world.viommu, 1, 1), GUEST_BROKEN);
	ward_viommu_reset(world.viommu, true);
	assert_empty(&world, false);
	finish(&world);
}

/* An unmap that failed has frozen endpoints 1 and 3: blocked where it is loaded, until a reset. */
static void who_is_frozen_is_frozen_there(void **state)
{
	struct ward_viommu_endpoint endpoint;
	struct ward_error error;
	struct stream stream;
	struct world world;
	(void)state;

	make(&world, &standard);
	fill(&world);
	world.plan = (struct follower_plan){ .fail_at = 1, .code = -ETIMEDOUT };
	assert_int_equal(guest_unmap(world.viommu, 1, 0x1000, 0x1fff), GUEST_DEVERR);
	assert_int_equal(world.plan.failures, 1);
	assert_int_equal(world.plan.whose, 1u << 1 | 1u << 3);
	save(&world, &stream);
	assert_again(&stream, &standard);
	finish(&world);
	make(&world, &standard);
	assert_int_equal(load(&world, &stream, &error), 0);
	assert_true(ward_viommu_endpoint_next(world.viommu, 1, &endpoint));
	assert_true(endpoint.frozen);
	assert_int_equal(endpoint.place.kind, WARD_VIOMMU_BLOCKED);
	assert_true(ward_viommu_endpoint_next(world.viommu, 2, &endpoint));
	assert_false(endpoint.frozen);
	assert_true(ward_viommu_endpoint_next(world.viommu, 3, &endpoint));
	assert_true(endpoint.frozen);
	ward_viommu_reset(world.viommu, true);
	assert_empty(&world, false);
	finish(&world);
}

static void change(struct world *world, struct random *r)
{
	uint32_t endpoint = 1 + (uint32_t)(random_next(r) % ENDPOINTS);
	uint32_t domain = 1 + (uint32_t)(random_next(r) % 4);
	uint64_t start = random_next(r) % 32 << 12, size = (1 + random_next(r) % 3) << 12;

	if (endpoint == ENDPOINTS)
		endpoint = UINT32_MAX;
	switch (random_next(r) % 8) {
	case 0:
	case 1:
		guest_attach(world->viommu, domain, endpoint, random_next(r) % 4 == 0);
		break;
	case 2:
		guest_detach(world->viommu, domain, endpoint);
		break;
	case 3:
		guest_unmap(world->viommu, domain, start, start + 4 * size - 1);
		break;
	default:
		guest_map(world->viommu, domain, start, start + size - 1,
			  random_next(r) >> 20 << 12, 1 + (uint32_t)(random_next(r) % 7));
	}
}

static void states_made_by_chance_come_back(void **state)
{
	struct stream stream;
	(void)state;

	for (uint64_t seed = 0; seed < 200; seed++) {
		struct random r = { seed };
		struct world world;

		make(&world, &standard);
		assert_int_equal(ward_viommu_negotiate(world.viommu, 0x77 & random_next(&r)), 0);
		if (random_next(&r) % 2)
			ward_viommu_config_write(world.viommu, 36, "\1", 1);
		for (uint64_t i = random_next(&r) % 60; i > 0; i--)
			change(&world, &r);
		if (random_next(&r) % 4 == 0)
			fault(&world, 2, random_next(&r));
		save(&world, &stream);
		assert_again(&stream, &standard);
		finish(&world);
	}
}

static void a_write_that_fails_ends_the_save(void **state)
{
	struct stream whole, stream;
	struct world world;
	(void)state;

	make(&world, &standard);
	fill(&world);
	save(&world, &whole);
	for (size_t limit = 0; limit < whole.size; limit++) {
		stream = (struct stream){ .code = -ENOSPC, .limit = limit };
		assert_int_equal(ward_viommu_save(world.viommu, write_stream, &stream), -ENOSPC);
		assert_memory_equal(stream.bytes, whole.bytes, stream.size);
	}
	finish(&world);
}

static void cut_off_anywhere_it_is_as_after_a_reset(void **state)
{
	struct ward_viommu_options boot = standard;
	struct stream stream;
	struct world world;
	size_t size;
	(void)state;

	boot.flags = WARD_VIOMMU_BOOT_BYPASS;
	make(&world, &standard);
	fill(&world);
	ward_viommu_break(world.viommu, "why");
	save(&world, &stream);
	finish(&world);
	make(&world, &boot);
	for (size = stream.size; stream.size-- > 0;) {
		struct ward_error error;

		assert_int_equal(load(&world, &stream, &error), -EPIPE);
		assert_string_equal(error.text, "the state cannot be read: Broken pipe");
		assert_empty(&world, true);
	}
	stream.size = size;
	finish(&world);
}

static void nothing_is_read_behind_the_end(void **state)
{
	struct ward_error error;
	struct stream stream;
	struct world world;
	size_t size;
	(void)state;

	make(&world, &standard);
	fill(&world);
	save(&world, &stream);
	finish(&world);
	size = stream.size;
	memset(stream.bytes + size, 0xff, 32);
	stream.size += 32;
	make(&world, &standard);
	assert_int_equal(load(&world, &stream, &error), 0);
	assert_int_equal(stream.at, size);
	finish(&world);
}

static void a_device_in_use_does_not_load(void **state)
{
	struct ward_error error;
	struct stream stream;
	struct world world;
	(void)state;

	make(&world, &standard);
	fill(&world);
	save(&world, &stream);
	assert_int_equal(load(&world, &stream, &error), -EBUSY);
	assert_int_equal(stream.at, 0);
	ward_viommu_reset(world.viommu, false);
	ward_viommu_break(world.viommu, "why");
	assert_int_equal(load(&world, &stream, &error), -EBUSY);
	ward_viommu_reset(world.viommu, false);
	fault(&world, 1, 0);
	assert_int_equal(load(&world, &stream, &error), -EBUSY);
	assert_string_equal(error.text, "the device is in use; reset it first");
	ward_viommu_reset(world.viommu, false);
	assert_int_equal(load(&world, &stream, &error), 0);
	finish(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(some_of_everything_comes_back),
		cmocka_unit_test(a_loaded_device_goes_on),
		cmocka_unit_test(a_new_device_is_a_state_too),
		cmocka_unit_test(a_mapping_outlives_its_identity_region),
		cmocka_unit_test(what_guests_of_old_negotiated_comes_back),
		cmocka_unit_test(the_byte_comes_back_without_its_feature),
		cmocka_unit_test(a_broken_device_is_broken_there),
		cmocka_unit_test(who_is_frozen_is_frozen_there),
		cmocka_unit_test(states_made_by_chance_come_back),
		cmocka_unit_test(a_write_that_fails_ends_the_save),
		cmocka_unit_test(cut_off_anywhere_it_is_as_after_a_reset),
		cmocka_unit_test(nothing_is_read_behind_the_end),
		cmocka_unit_test(a_device_in_use_does_not_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

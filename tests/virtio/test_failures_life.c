// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Every allocation and every call of three listeners failed in turn, in the life of a device: made, filled,
 * loaded, negotiated with, reset, and its endpoints removed while it is broken.
 */
#include "virtio/failures_rig.h"

#include "sweep.h"

static int create(void *context)
{
	const struct ward_doorbell_frame frame = { { 0x8000040, 0x8000043 }, 0 };
	const struct ward_viommu_options options = { .size = sizeof(options),
						     .frames = &frame,
						     .frames_count = 1 };
	const struct ward_reserved reserved = { { 0x40000, 0x4ffff }, WARD_REGION_RESERVED };
	const struct ward_viommu_endpoint_options endpoint = {
		.size = sizeof(endpoint),
		.endpoint = 1,
		.msi = WARD_VIOMMU_MSI_BYPASSED,
		.frames = 1,
		.reserved = &reserved,
		.reserved_count = 1,
	};
	struct ward_viommu *viommu;
	int code = ward_viommu_create(&options, &viommu);
	(void)context;

	if (code)
		return code;
	code = ward_viommu_endpoint_add(viommu, &endpoint, NULL);
	ward_viommu_destroy(viommu);
	return code;
}

static void a_device_is_made_or_not(void **state)
{
	(void)state;
	assert_true(test_sweep(create, NULL) > 3);
}

#define MANY 4000u

static uint64_t count_mappings(const struct ward_viommu *viommu)
{
	struct ward_viommu_endpoint endpoint;
	struct ward_mapping mapping;
	uint64_t count = 0, from = 0;

	assert_true(ward_viommu_endpoint_next(viommu, 1, &endpoint));
	while (ward_space_next(endpoint.place.space, ward_iova(from), &mapping)) {
		assert_int_equal(ward_target_raw(mapping.target),
				 ward_iova_raw(mapping.start) + 0x100000);
		from = ward_iova_raw(mapping.last) + 1;
		count++;
	}
	return count;
}

/* So many that the tree grows several times. What was refused is no mapping, and can be asked again. */
static bool fail_allocation_of_many(unsigned long nth)
{
	const struct ward_viommu_options options = { .size = sizeof(options) };
	const struct ward_viommu_endpoint_options endpoint = { .size = sizeof(endpoint),
							       .endpoint = 1 };
	struct ward_viommu_info info;
	struct ward_viommu *viommu;
	uint32_t refused = 0;
	int hit;

	assert_int_equal(ward_viommu_create(&options, &viommu), 0);
	assert_int_equal(ward_viommu_endpoint_add(viommu, &endpoint, NULL), 0);
	assert_int_equal(ward_viommu_negotiate(viommu, ward_viommu_features(viommu)), 0);
	assert_int_equal(guest_attach(viommu, 1, 1, 0), GUEST_OK);
	ward_fault_arm(nth);
	for (uint64_t i = 0; i < MANY; i++) {
		uint64_t start = (i * 1237 % MANY) << 13;
		int status =
			guest_map(viommu, 1, start, start + 0xfff, start + 0x100000, GUEST_READ);

		if (status == GUEST_OK)
			continue;
		assert_int_equal(status, GUEST_NOMEM);
		refused++;
		assert_int_equal(count_mappings(viommu), i);
		i--;
	}
	hit = ward_fault_hit();
	ward_fault_arm(0);
	assert_int_equal(refused, hit);
	assert_int_equal(count_mappings(viommu), MANY);
	ward_viommu_info(viommu, &info);
	assert_int_equal(info.mappings, MANY);
	ward_viommu_destroy(viommu);
	return hit;
}

static void nodes_of_many_mappings_fail(void **state)
{
	unsigned long nth = 1;
	(void)state;

	while (fail_allocation_of_many(nth))
		nth++;
	assert_true(nth > 3);
}

static void check_loaded(struct world *world, unsigned long nth, int code, bool hit, bool on)
{
	struct ward_viommu_info info;
	uint8_t byte;

	ward_viommu_info(world->viommu, &info);
	ward_viommu_config_read(world->viommu, 36, &byte, 1);
	assert_int_equal(byte, !hit);
	check_followers(world, "load", nth);
	if (!hit) {
		assert_int_equal(code, 0);
		assert_int_equal(info.domains, 3);
		return;
	}
	assert_true(code < 0);
	assert_int_equal(info.domains, 0);
	assert_int_equal(info.mappings, 0);
	assert_int_equal(info.negotiated, 0);
	/* Its reset works, unless listeners fail there, too. */
	if (!on) {
		assert_false(info.broken);
		check_frozen(world, "load", nth, 0);
	}
	check_recovers(world, "load", nth);
}

static void each_call_of_a_load_fails(void **state)
{
	static const int codes[] = { -EBUSY, -ENOSPC, -EIO };
	static struct stream stream;
	struct world world;
	(void)state;

	make_empty(&world, 0);
	fill(&world, true);
	save(&world, &stream);
	finish(&world);
	for (size_t i = 0; i < 6; i++) {
		bool hit = true;

		for (unsigned long nth = 1; hit; nth++) {
			struct ward_error error = { "" };
			int code;

			make_empty(&world, 0);
			stream.at = 0;
			world.plan = (struct follower_plan){ .fail_at = nth,
							     .on = i & 1,
							     .code = codes[i / 2] };
			code = ward_viommu_load(world.viommu, read_stream, &stream, &error);
			hit = world.plan.failures > 0;
			assert_true(!hit == !error.text[0]);
			/* As the listener said it, not as a guest would be told. */
			if (!(i & 1) && strstr(error.text, "cannot be "))
				assert_int_equal(code, codes[i / 2]);
			check_loaded(&world, nth, code, hit, i & 1);
			finish(&world);
			assert_true(hit || nth > 20);
		}
	}
}

static void each_allocation_of_a_load_fails(void **state)
{
	static struct stream stream;
	struct world world;
	int hit = 1;
	(void)state;

	make_empty(&world, 0);
	fill(&world, true);
	save(&world, &stream);
	finish(&world);
	for (unsigned long nth = 1; hit; nth++) {
		int code;

		make_empty(&world, 0);
		stream.at = 0;
		ward_fault_arm(nth);
		code = ward_viommu_load(world.viommu, read_stream, &stream, NULL);
		hit = ward_fault_hit();
		ward_fault_arm(0);
		assert_int_equal(code, hit ? -ENOMEM : 0);
		check_loaded(&world, nth, code, hit, false);
		finish(&world);
		assert_true(hit || nth > 5);
	}
}

/* A device of old: what is negotiated lets endpoints through, and that cannot be refused. */
static void each_call_of_a_negotiation_fails(void **state)
{
	const uint32_t features = WARD_VIOMMU_F_MAP_UNMAP | WARD_VIOMMU_F_BYPASS;
	bool hit = true;
	(void)state;

	for (unsigned long nth = 1; hit; nth++) {
		struct ward_viommu_info info;
		struct world world;

		make_empty(&world, features);
		world.plan = (struct follower_plan){ .fail_at = nth, .code = -EBUSY };
		assert_int_equal(ward_viommu_negotiate(world.viommu, features), 0);
		hit = world.plan.failures;
		ward_viommu_info(world.viommu, &info);
		assert_int_equal(info.broken, hit);
		check_frozen(&world, "negotiate", nth, world.plan.whose);
		check_followers(&world, "negotiate", nth);
		world.plan.fail_at = 0;
		ward_viommu_reset(world.viommu, false);
		check_frozen(&world, "negotiate", nth, 0);
		check_followers(&world, "negotiate", nth);
		assert_int_equal(ward_viommu_negotiate(world.viommu, features), 0);
		check_followers(&world, "negotiate", nth);
		finish(&world);
		assert_true(hit || nth == 5 * FOLLOWERS + 1);
	}
}

/* Until listeners work again a reset leaves frozen who was frozen, and the device broken. */
static void a_reset_that_fails_can_be_repeated(void **state)
{
	struct ward_viommu_info info;
	struct world world;
	(void)state;

	make_empty(&world, 0);
	fill(&world, true);
	world.plan = (struct follower_plan){ .fail_at = 1, .on = true, .code = -EBUSY };
	assert_int_equal(guest_unmap(world.viommu, 1, 0x2000, 0x2fff), GUEST_DEVERR);
	check_frozen(&world, "unmap", 1, 0x6);
	check_followers(&world, "unmap", 1);
	for (unsigned long i = 0; i < 3; i++) {
		ward_viommu_reset(world.viommu, i & 1);
		/* Nobody can be moved, whether or not it was frozen. */
		check_followers(&world, "reset", i);
		ward_viommu_info(world.viommu, &info);
		assert_true(info.broken);
		assert_int_equal(info.domains, 0);
		assert_int_equal(guest_detach(world.viommu, 1, 1), GUEST_BROKEN);
	}
	check_recovers(&world, "reset", 3);
	finish(&world);
}

/* Domains of a device that is broken are left by resets and removals alone. */
static void a_broken_device_gives_its_endpoints_back(void **state)
{
	struct world world;
	(void)state;

	make_empty(&world, 0);
	fill(&world, false);
	world.plan = (struct follower_plan){ .fail_at = 2, .code = -EBUSY };
	assert_int_equal(guest_unmap(world.viommu, 1, 0x2000, 0x2fff), GUEST_DEVERR);
	world.plan.fail_at = 0;
	assert_int_equal(add(&world, NOBODY), -EIO);
	for (uint32_t id = 1; id <= 5; id++) {
		assert_int_equal(ward_viommu_endpoint_remove(world.viommu, id), 0);
		for (uint32_t i = 0; i < FOLLOWERS; i++)
			follower_forget(&world.followers[i], id);
		check_followers(&world, "remove", id);
	}
	check_recovers(&world, "remove", 6);
	finish(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_is_made_or_not),
		cmocka_unit_test(nodes_of_many_mappings_fail),
		cmocka_unit_test(each_call_of_a_load_fails),
		cmocka_unit_test(each_allocation_of_a_load_fails),
		cmocka_unit_test(each_call_of_a_negotiation_fails),
		cmocka_unit_test(a_reset_that_fails_can_be_repeated),
		cmocka_unit_test(a_broken_device_gives_its_endpoints_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A device from its creation to its end: options, endpoints, resets, memory. */
#include "recorder.h"

#include "sweep.h"

#define DOMAIN 7u
#define ENDPOINT 3u

static void a_request_of_each_kind(void **state)
{
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	rig_add(&rig, ENDPOINT);
	assert_int_equal(rig_place(&rig, ENDPOINT), WARD_VIOMMU_BLOCKED);
	assert_int_equal(rig_probe(&rig, ENDPOINT, 512), RIG_OK);
	assert_int_equal(rig.written, 516);
	assert_int_equal(rig_attach(&rig, DOMAIN, ENDPOINT, 0), RIG_OK);
	assert_int_equal(rig_map(&rig, DOMAIN, 0x1000, 0x2fff, 0x80000000, RIG_RW), RIG_OK);
	assert_int_equal(rig_info(&rig).mappings, 1);
	assert_int_equal(rig_unmap(&rig, DOMAIN, 0, UINT64_MAX), RIG_OK);
	assert_int_equal(rig_detach(&rig, DOMAIN, ENDPOINT), RIG_OK);
	assert_int_equal(rig_info(&rig).domains, 0);
	rig_finish(&rig);
}

static int create_with(const struct ward_viommu_options *options)
{
	struct ward_viommu *viommu = NULL;
	int code = ward_viommu_create(options, &viommu);

	if (code)
		assert_null(viommu);
	ward_viommu_destroy(viommu);
	return code;
}

/* Each with one thing wrong. */
static void options_that_make_no_sense_are_refused(void **state)
{
	static const struct ward_doorbell_frame frames[65] = { 0 };
	const struct ward_doorbell_frame backwards = { { 5, 4 }, 0 };
	const struct ward_viommu_options bad[] = {
		{ .size = 0 },
		{ .size = sizeof(bad[0]) - 1 },
		{ .size = sizeof(bad[0]), .features = 0x80 },
		{ .size = sizeof(bad[0]), .features = 0x80000000 },
		{ .size = sizeof(bad[0]), .features = 0x48 },
		{ .size = sizeof(bad[0]), .flags = 0x4 },
		{ .size = sizeof(bad[0]), .features = 0x37, .flags = WARD_VIOMMU_BOOT_BYPASS },
		{ .size = sizeof(bad[0]), .page_sizes = 0x1800 },
		{ .size = sizeof(bad[0]), .page_sizes = 1 },
		{ .size = sizeof(bad[0]), .input = { 5, 4 } },
		{ .size = sizeof(bad[0]), .domain_first = 5, .domain_last = 4 },
		{ .size = sizeof(bad[0]), .domain_first = 5 },
		{ .size = sizeof(bad[0]), .probe_size = 12 },
		{ .size = sizeof(bad[0]), .probe_size = 4104 },
		{ .size = sizeof(bad[0]), .frames_count = 1 },
		{ .size = sizeof(bad[0]), .frames = frames, .frames_count = 65 },
		{ .size = sizeof(bad[0]), .frames = &backwards, .frames_count = 1 },
		{ .size = sizeof(bad[0]), .events_max = 4097 },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (create_with(&bad[i]) != -EINVAL)
			fail_msg("options %u", i);
	}
}

static void options_at_their_limits_are_taken(void **state)
{
	static const struct ward_doorbell_frame frames[64] = { 0 };
	const struct ward_viommu_options good[] = {
		{ .size = sizeof(good[0]) },
		{ .size = sizeof(good[0]), .page_sizes = UINT64_C(1) << 63 },
		{ .size = sizeof(good[0]), .input = { UINT64_MAX, UINT64_MAX } },
		{ .size = sizeof(good[0]), .domain_first = UINT32_MAX, .domain_last = UINT32_MAX },
		{ .size = sizeof(good[0]), .domain_last = 1 },
		{ .size = sizeof(good[0]), .probe_size = 4096 },
		{ .size = sizeof(good[0]), .probe_size = 8 },
		{ .size = sizeof(good[0]), .frames = frames, .frames_count = 64 },
		{ .size = sizeof(good[0]), .events_max = 4096 },
		{ .size = sizeof(good[0]), .mappings_max = UINT64_MAX },
		{ .size = sizeof(good[0]),
		  .flags = WARD_VIOMMU_BOOT_BYPASS | WARD_VIOMMU_IDENTITY },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (create_with(&good[i]) != 0)
			fail_msg("options %u", i);
	}
}

static void endpoints_are_known_by_their_ids(void **state)
{
	const struct ward_viommu_endpoint_options again = { .size = sizeof(again), .endpoint = 5 };
	struct ward_viommu_endpoint endpoint;
	struct ward_error error = { "" };
	struct rig rig;

	(void)state;
	rig_create(&rig, NULL);
	assert_false(ward_viommu_endpoint_next(rig.viommu, 0, &endpoint));
	rig_add(&rig, 5);
	rig_add(&rig, UINT32_MAX);
	rig_add(&rig, 0);
	assert_int_equal(ward_viommu_endpoint_add(rig.viommu, &again, &error), -EEXIST);
	assert_string_not_equal(error.text, "");
	assert_true(ward_viommu_endpoint_next(rig.viommu, 0, &endpoint));
	assert_int_equal(endpoint.endpoint, 0);
	assert_true(ward_viommu_endpoint_next(rig.viommu, 1, &endpoint));
	assert_int_equal(endpoint.endpoint, 5);
	assert_true(ward_viommu_endpoint_next(rig.viommu, 6, &endpoint));
	assert_int_equal(endpoint.endpoint, UINT32_MAX);
	assert_int_equal(ward_viommu_endpoint_remove(rig.viommu, 5), 0);
	assert_int_equal(ward_viommu_endpoint_remove(rig.viommu, 5), -ENOENT);
	assert_true(ward_viommu_endpoint_next(rig.viommu, 1, &endpoint));
	assert_int_equal(endpoint.endpoint, UINT32_MAX);
	assert_int_equal(rig_info(&rig).endpoints, 2);
	rig_finish(&rig);
}

static void no_more_endpoints_than_the_limit(void **state)
{
	const struct ward_viommu_endpoint_options third = { .size = sizeof(third), .endpoint = 3 };
	struct ward_viommu_options options = rig_options();
	struct rig rig;

	(void)state;
	options.endpoints_max = 2;
	rig_create(&rig, &options);
	rig_add(&rig, 1);
	rig_add(&rig, 2);
	assert_int_equal(ward_viommu_endpoint_add(rig.viommu, &third, NULL), -ENOSPC);
	assert_int_equal(rig_info(&rig).endpoints, 2);
	assert_int_equal(ward_viommu_endpoint_remove(rig.viommu, 1), 0);
	assert_int_equal(ward_viommu_endpoint_add(rig.viommu, &third, NULL), 0);
	rig_finish(&rig);
}

static void a_broken_device_takes_no_endpoint_but_lets_them_go(void **state)
{
	const struct ward_viommu_endpoint_options other = { .size = sizeof(other), .endpoint = 8 };
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	rig_add(&rig, ENDPOINT);
	assert_int_equal(rig_attach(&rig, DOMAIN, ENDPOINT, 0), RIG_OK);
	ward_viommu_break(rig.viommu, "the first sentence");
	ward_viommu_break(rig.viommu, "the second one");
	assert_string_equal(rig_info(&rig).error.text, "the first sentence");
	assert_int_equal(ward_viommu_endpoint_add(rig.viommu, &other, NULL), -EIO);
	assert_int_equal(ward_viommu_endpoint_remove(rig.viommu, ENDPOINT), 0);
	assert_int_equal(rig_info(&rig).domains, 0);
	assert_int_equal(ward_viommu_negotiate(rig.viommu, 0), -EIO);
	ward_viommu_reset(rig.viommu, false);
	rig_add(&rig, 8);
	rig_finish(&rig);
}

static void an_endpoint_that_is_removed_leaves_its_domain(void **state)
{
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	rig_add(&rig, 1);
	rig_add(&rig, 2);
	rig_add(&rig, 3);
	for (uint32_t i = 1; i <= 3; i++)
		assert_int_equal(rig_attach(&rig, DOMAIN, i, 0), RIG_OK);
	assert_int_equal(rig_map(&rig, DOMAIN, 0, 0xfff, 0x5000, RIG_RW), RIG_OK);
	assert_int_equal(ward_viommu_endpoint_remove(rig.viommu, 2), 0);
	assert_int_equal(rig_leads(&rig, 2, 0, WARD_READ), UINT64_MAX);
	assert_int_equal(rig_leads(&rig, 1, 0, WARD_READ), 0x5000);
	assert_int_equal(ward_viommu_endpoint_remove(rig.viommu, 3), 0);
	assert_int_equal(rig_info(&rig).domains, 1);
	assert_int_equal(ward_viommu_endpoint_remove(rig.viommu, 1), 0);
	assert_int_equal(rig_info(&rig).domains, 0);
	assert_int_equal(rig_info(&rig).mappings, 0);
	/* It comes back as if it had never been there. */
	rig_add(&rig, 2);
	assert_false(rig_endpoint(&rig, 2).place.attached);
	rig_finish(&rig);
}

static void removing_endpoints_needs_no_memory(void **state)
{
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	for (uint32_t i = 0; i < 100; i++)
		rig_add(&rig, i * 7 % 100);
	ward_fault_arm(1);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(ward_viommu_endpoint_remove(rig.viommu, i * 13 % 100), 0);
	assert_false(ward_fault_hit());
	ward_fault_arm(0);
	assert_int_equal(rig_info(&rig).endpoints, 0);
	rig_finish(&rig);
}

static void endpoints_come_and_go_in_any_order(void **state)
{
	bool there[64] = { false };
	uint32_t random = 1, count = 0;
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	for (unsigned int i = 0; i < 5000; i++) {
		uint32_t id;

		random = random * 1103515245u + 12345u;
		id = random >> 16 & 63;
		if (there[id]) {
			assert_int_equal(ward_viommu_endpoint_remove(rig.viommu, id), 0);
			count--;
		} else {
			rig_add(&rig, id);
			assert_int_equal(rig_attach(&rig, id % 5, id, 0), RIG_OK);
			count++;
		}
		there[id] = !there[id];
		assert_int_equal(rig_info(&rig).endpoints, count);
	}
	for (uint32_t id = 0; id < 64; id++)
		assert_int_equal(ward_viommu_endpoint_remove(rig.viommu, id),
				 there[id] ? 0 : -ENOENT);
	assert_int_equal(rig_info(&rig).domains, 0);
	rig_finish(&rig);
}

static void a_reset_leaves_endpoints_and_nothing_else(void **state)
{
	const struct ward_fault fault = { .reason = WARD_FAULT_BLOCKED, .access = WARD_READ };
	struct ward_viommu_info info;
	struct rig rig;

	(void)state;
	for (unsigned int system = 0; system < 2; system++) {
		char before[RIG_TEXT], after[RIG_TEXT];

		rig_create(&rig, NULL);
		for (uint32_t i = 0; i < 6; i++)
			rig_add(&rig, i);
		rig_tell(&rig, before);
		rig_negotiate(&rig);
		for (uint32_t i = 0; i < 5; i++)
			assert_int_equal(rig_attach(&rig, i % 2, i, 0), RIG_OK);
		assert_int_equal(rig_attach(&rig, 9, 5, RIG_BYPASS), RIG_OK);
		for (uint64_t at = 0; at < 0x100000; at += 0x1000)
			assert_int_equal(rig_map(&rig, at >> 12 & 1, at, at + 0xfff, 0, RIG_RW),
					 RIG_OK);
		assert_true(ward_viommu_fault(rig.viommu, 1, &fault, 1));
		ward_viommu_break(rig.viommu, "for a test");
		ward_viommu_reset(rig.viommu, system);
		rig_tell(&rig, after);
		assert_string_equal(before, after);
		info = rig_info(&rig);
		assert_false(info.broken);
		assert_int_equal(info.events_waiting, 0);
		assert_int_equal(info.memory_bytes, 0);
		/* What was counted is not forgotten. */
		assert_int_equal(info.answers[1][RIG_OK], 6);
		assert_int_equal(info.mappings_peak, 256);
		rig_finish(&rig);
	}
}

static void the_memory_of_mappings_is_told(void **state)
{
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	rig_add(&rig, 1);
	assert_int_equal(rig_attach(&rig, DOMAIN, 1, 0), RIG_OK);
	for (uint64_t at = 0; at < 0x1000000; at += 0x1000)
		assert_int_equal(rig_map(&rig, DOMAIN, at, at + 0xfff, 0, RIG_RW), RIG_OK);
	assert_in_range(rig_info(&rig).memory_bytes, 4096 * 24, 4096 * 100);
	rig_finish(&rig);
}

/* A guest that fills one domain after the other, and leaves a little in each. */
static void many_domains_keep_no_more_than_a_few_times_what_they_have(void **state)
{
	struct ward_viommu_options options = rig_options();
	const uint64_t most = 3000;
	const uint32_t domains = 8;
	uint64_t held = 0, left = 0;
	struct rig rig;

	(void)state;
	options.mappings_max = most;
	rig_start(&rig, &options);
	for (uint32_t id = 0; id < domains; id++) {
		uint64_t mapped = 0;

		rig_add(&rig, id);
		assert_int_equal(rig_attach(&rig, id, id, 0), RIG_OK);
		while (rig_map(&rig, id, mapped << 12, (mapped << 12) + 0xfff, 0, RIG_RW) == RIG_OK)
			mapped++;
		assert_int_equal(left + mapped, most);
		/* One of 32 stays. */
		for (uint64_t page = 0; page < mapped; page += 32)
			assert_int_equal(rig_unmap(&rig, id, (page + 1) << 12,
						   (page + 32) * 4096 - 1),
					 RIG_OK);
		left = rig_info(&rig).mappings;
		if (rig_info(&rig).memory_bytes > held)
			held = rig_info(&rig).memory_bytes;
	}
	assert_in_range(held, 1, 80 * most + domains * 16384);
	rig_finish(&rig);
}

static int whole_life(void *context)
{
	const struct ward_doorbell_frame frame = { { 0x8000040, 0x8000043 }, 0 };
	struct ward_viommu_options options = rig_options();
	const struct ward_viommu_endpoint_options one = { .size = sizeof(one), .endpoint = 1 };
	const struct ward_reserved reserved = { { 0xfee00000, 0xfeefffff }, WARD_REGION_MSI };
	const struct ward_viommu_endpoint_options two = {
		.size = sizeof(two),
		.endpoint = 2,
		.msi = WARD_VIOMMU_MSI_BYPASSED,
		.frames = 1,
		.reserved = &reserved,
		.reserved_count = 1,
	};
	struct rig rig = { .viommu = NULL };
	int code;

	(void)context;
	options.frames = &frame;
	options.frames_count = 1;
	code = ward_viommu_create(&options, &rig.viommu);
	if (code)
		return code;
	rig_negotiate(&rig);
	code = ward_viommu_endpoint_add(rig.viommu, &one, NULL);
	if (code == 0)
		code = ward_viommu_endpoint_add(rig.viommu, &two, NULL);
	if (code == 0 && rig_attach(&rig, DOMAIN, 1, 0) != RIG_OK)
		code = rig.answer[0] == RIG_NOMEM ? -ENOMEM : -EIO;
	if (code == 0 && rig_attach(&rig, DOMAIN, 2, 0) != RIG_OK)
		code = rig.answer[0] == RIG_NOMEM ? -ENOMEM : -EIO;
	for (uint64_t at = 0; code == 0 && at < 0x200000; at += 0x1000) {
		if (rig_map(&rig, DOMAIN, at, at + 0xfff, 0, RIG_RW) != RIG_OK)
			code = rig.answer[0] == RIG_NOMEM ? -ENOMEM : -EIO;
	}
	ward_viommu_reset(rig.viommu, true);
	if (code == 0)
		assert_int_equal(ward_viommu_endpoint_remove(rig.viommu, 1), 0);
	rig_finish(&rig);
	return code;
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	assert_true(test_sweep(whole_life, NULL) > 10);
}

static void destroying_nothing_is_nothing(void **state)
{
	(void)state;
	ward_viommu_destroy(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_of_each_kind),
		cmocka_unit_test(options_that_make_no_sense_are_refused),
		cmocka_unit_test(options_at_their_limits_are_taken),
		cmocka_unit_test(endpoints_are_known_by_their_ids),
		cmocka_unit_test(no_more_endpoints_than_the_limit),
		cmocka_unit_test(a_broken_device_takes_no_endpoint_but_lets_them_go),
		cmocka_unit_test(an_endpoint_that_is_removed_leaves_its_domain),
		cmocka_unit_test(removing_endpoints_needs_no_memory),
		cmocka_unit_test(endpoints_come_and_go_in_any_order),
		cmocka_unit_test(a_reset_leaves_endpoints_and_nothing_else),
		cmocka_unit_test(the_memory_of_mappings_is_told),
		cmocka_unit_test(many_domains_keep_no_more_than_a_few_times_what_they_have),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(destroying_nothing_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

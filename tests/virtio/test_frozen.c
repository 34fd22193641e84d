// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Listeners that fail where nobody may: endpoints are frozen, the device is broken, and a reset tries again. */
#include "desk.h"

static void a_map_that_cannot_be_taken_back_freezes_the_domain(void **state)
{
	struct desk desk;

	(void)state;
	start(&desk);
	assert_int_equal(rig_attach(&desk.rig, DOMAIN, TWO, 0), RIG_OK);
	desk.recording.text[0] = 0;
	recording_fail(&desk.recording, 'C', RECORDER_MAP, 0, -ENOMEM);
	recording_fail(&desk.recording, 'B', RECORDER_UNMAP, 0, -EBUSY);
	assert_int_equal(rig_map(&desk.rig, DOMAIN, 0x5000, 0x5fff, 0, RIG_RW), RIG_DEVERR);
	assert_int_equal(desk.rig.code, -EIO);
	recording_is(&desk.recording, "A: map 6 5000-5fff to 0 access 3 type 6\n"
				      "B: map 6 5000-5fff to 0 access 3 type 6\n"
				      "C: map 6 5000-5fff to 0 access 3 type 6 fails\n"
				      "B: unmap 6 5000-5fff fails\n"
				      "A: unmap 6 5000-5fff\n"
				      "A: freeze 2\nB: freeze 2\nC: freeze 2\n"
				      "A: freeze 1\nB: freeze 1\nC: freeze 1\n");
	assert_int_equal(rig_info(&desk.rig).mappings, 1);
	assert_int_equal(rig_info(&desk.rig).frozen, 2);
	assert_true(rig_info(&desk.rig).broken);
	assert_int_equal(rig_leads(&desk.rig, ONE, 0x1000, WARD_READ), UINT64_MAX);
	rig_finish(&desk.rig);
}

static void an_attach_that_cannot_be_taken_back_freezes_the_endpoint(void **state)
{
	struct desk desk;

	(void)state;
	start(&desk);
	assert_int_equal(rig_attach(&desk.rig, DOMAIN, TWO, 0), RIG_OK);
	desk.recording.text[0] = 0;
	recording_fail(&desk.recording, 'B', RECORDER_MOVE, 0, -ENOMEM);
	recording_fail(&desk.recording, 'A', RECORDER_MOVE, 1, -EBUSY);
	assert_int_equal(rig_attach(&desk.rig, OTHER, ONE, 0), RIG_DEVERR);
	assert_int_equal(desk.rig.code, -EIO);
	recording_is(&desk.recording, "A: 1 from mapped(6) to mapped(7)\n"
				      "B: 1 from mapped(6) to mapped(7) fails\n"
				      "A: 1 from mapped(7) to mapped(6) fails\n"
				      "A: freeze 1\nB: freeze 1\nC: freeze 1\n"
				      "A: gone 7\nB: gone 7\nC: gone 7\n");
	assert_true(rig_endpoint(&desk.rig, ONE).frozen);
	assert_int_equal(rig_place(&desk.rig, ONE), WARD_VIOMMU_BLOCKED);
	assert_int_equal(rig_leads(&desk.rig, ONE, 0x1000, WARD_READ), UINT64_MAX);
	assert_false(rig_endpoint(&desk.rig, TWO).frozen);
	assert_int_equal(rig_leads(&desk.rig, TWO, 0x1000, WARD_READ), 0x80000000);
	rig_finish(&desk.rig);
}

/* It says that it lost what was before. */
static void a_refusal_with_eio_freezes(void **state)
{
	struct desk desk;

	(void)state;
	start(&desk);
	recording_fail(&desk.recording, 'B', RECORDER_MOVE, 0, -EIO);
	assert_int_equal(rig_attach(&desk.rig, OTHER, ONE, 0), RIG_DEVERR);
	recording_is(&desk.recording, "A: 1 from mapped(6) to mapped(7)\n"
				      "B: 1 from mapped(6) to mapped(7) fails\n"
				      "A: 1 from mapped(7) to mapped(6)\n"
				      "A: freeze 1\nB: freeze 1\nC: freeze 1\n"
				      "A: gone 7\nB: gone 7\nC: gone 7\n");
	assert_true(rig_endpoint(&desk.rig, ONE).frozen);
	assert_true(rig_info(&desk.rig).broken);
	rig_finish(&desk.rig);

	start(&desk);
	recording_fail(&desk.recording, 'B', RECORDER_MAP, 0, -EIO);
	assert_int_equal(rig_map(&desk.rig, DOMAIN, 0x5000, 0x5fff, 0, RIG_RW), RIG_DEVERR);
	recording_is(&desk.recording, "A: map 6 5000-5fff to 0 access 3 type 6\n"
				      "B: map 6 5000-5fff to 0 access 3 type 6 fails\n"
				      "A: unmap 6 5000-5fff\n"
				      "A: freeze 1\nB: freeze 1\nC: freeze 1\n");
	assert_int_equal(rig_info(&desk.rig).mappings, 1);
	assert_true(rig_info(&desk.rig).broken);
	rig_finish(&desk.rig);
}

static void an_unmap_that_fails_is_done_and_freezes_the_domain(void **state)
{
	struct ward_viommu_info info;
	struct desk desk;

	(void)state;
	start(&desk);
	rig_add(&desk.rig, 3);
	assert_int_equal(rig_attach(&desk.rig, DOMAIN, TWO, 0), RIG_OK);
	assert_int_equal(rig_attach(&desk.rig, OTHER, 3, 0), RIG_OK);
	assert_int_equal(rig_map(&desk.rig, OTHER, 0x1000, 0x1fff, 0x7000, RIG_RW), RIG_OK);
	desk.recording.text[0] = 0;
	recording_fail(&desk.recording, 'A', RECORDER_UNMAP, 0, -ENOMEM);
	assert_int_equal(rig_unmap(&desk.rig, DOMAIN, 0, 0xffff), RIG_DEVERR);
	assert_int_equal(desk.rig.code, -EIO);
	recording_is(&desk.recording, "A: unmap 6 1000-2fff fails\n"
				      "B: unmap 6 1000-2fff\n"
				      "C: unmap 6 1000-2fff\n"
				      "A: freeze 2\nB: freeze 2\nC: freeze 2\n"
				      "A: freeze 1\nB: freeze 1\nC: freeze 1\n");
	info = rig_info(&desk.rig);
	assert_true(info.broken);
	assert_string_not_equal(info.error.text, "");
	assert_int_equal(info.frozen, 2);
	assert_int_equal(info.mappings, 1);
	assert_int_equal(info.answers[4][RIG_DEVERR], 1);
	assert_int_equal(rig_leads(&desk.rig, ONE, 0x1000, WARD_READ), UINT64_MAX);
	/* Nobody else's DMA is touched; but no request is answered. */
	assert_int_equal(rig_leads(&desk.rig, 3, 0x1000, WARD_READ), 0x7000);
	assert_int_equal(rig_unmap(&desk.rig, OTHER, 0, 0xffff), RIG_NOT_KNOWN);
	assert_int_equal(desk.rig.code, -EIO);
	rig_finish(&desk.rig);
}

static void a_detach_that_fails_is_done_and_freezes_the_endpoint(void **state)
{
	struct desk desk;

	(void)state;
	start(&desk);
	recording_fail(&desk.recording, 'B', RECORDER_MOVE, 0, -EINVAL);
	assert_int_equal(rig_detach(&desk.rig, DOMAIN, ONE), RIG_DEVERR);
	assert_int_equal(desk.rig.code, -EIO);
	recording_is(&desk.recording, "A: 1 from mapped(6) to blocked\n"
				      "B: 1 from mapped(6) to blocked fails\n"
				      "C: 1 from mapped(6) to blocked\n"
				      "A: freeze 1\nB: freeze 1\nC: freeze 1\n"
				      "A: gone 6\nB: gone 6\nC: gone 6\n");
	assert_true(rig_endpoint(&desk.rig, ONE).frozen);
	assert_false(rig_endpoint(&desk.rig, ONE).place.attached);
	assert_int_equal(rig_info(&desk.rig).domains, 0);
	rig_finish(&desk.rig);
}

/* DETACH and the byte can give, too; nobody may refuse it. */
static void bypass_that_a_host_cannot_give_freezes(void **state)
{
	const uint8_t on = 1;
	struct desk desk;

	(void)state;
	start(&desk);
	recording_fail(&desk.recording, 'A', RECORDER_MOVE, 0, -ENOMEM);
	assert_int_equal(ward_viommu_config_write(desk.rig.viommu, 36, &on, 1), 0);
	recording_is(&desk.recording, "A: 2 from blocked to bypass fails\n"
				      "B: 2 from blocked to bypass\n"
				      "C: 2 from blocked to bypass\n"
				      "A: freeze 2\nB: freeze 2\nC: freeze 2\n");
	assert_true(rig_info(&desk.rig).broken);
	assert_true(rig_info(&desk.rig).bypass);
	assert_true(rig_endpoint(&desk.rig, TWO).frozen);
	assert_int_equal(rig_leads(&desk.rig, TWO, 0x1000, WARD_READ), UINT64_MAX);
	rig_finish(&desk.rig);

	start(&desk);
	assert_int_equal(ward_viommu_config_write(desk.rig.viommu, 36, &on, 1), 0);
	desk.recording.text[0] = 0;
	recording_fail(&desk.recording, 'C', RECORDER_MOVE, 0, -ENOMEM);
	assert_int_equal(rig_detach(&desk.rig, DOMAIN, ONE), RIG_DEVERR);
	assert_true(rig_endpoint(&desk.rig, ONE).frozen);
	assert_false(rig_endpoint(&desk.rig, TWO).frozen);
	assert_int_equal(rig_leads(&desk.rig, ONE, 0x1000, WARD_READ), UINT64_MAX);
	rig_finish(&desk.rig);
}

static void a_reset_tries_frozen_endpoints_again(void **state)
{
	struct desk desk;

	(void)state;
	start(&desk);
	assert_int_equal(rig_attach(&desk.rig, OTHER, TWO, 0), RIG_OK);
	recording_fail(&desk.recording, 'B', RECORDER_MOVE, 0, -EINVAL);
	assert_int_equal(rig_detach(&desk.rig, DOMAIN, ONE), RIG_DEVERR);
	recording_mend(&desk.recording);
	desk.recording.text[0] = 0;
	ward_viommu_reset(desk.rig.viommu, false);
	recording_is(&desk.recording, "A: 1 from blocked to blocked\n"
				      "B: 1 from blocked to blocked\n"
				      "C: 1 from blocked to blocked\n"
				      "A: 2 from mapped(7) to blocked\n"
				      "B: 2 from mapped(7) to blocked\n"
				      "C: 2 from mapped(7) to blocked\n"
				      "A: gone 7\nB: gone 7\nC: gone 7\n");
	assert_int_equal(rig_info(&desk.rig).frozen, 0);
	assert_false(rig_info(&desk.rig).broken);
	assert_string_equal(rig_info(&desk.rig).error.text, "");
	rig_negotiate(&desk.rig);
	assert_int_equal(rig_attach(&desk.rig, DOMAIN, ONE, 0), RIG_OK);
	rig_finish(&desk.rig);
}

static void frozen_endpoints_that_are_still_attached_leave_at_a_reset(void **state)
{
	struct ward_viommu_options options = rig_options();
	struct desk desk;

	(void)state;
	options.flags = WARD_VIOMMU_BOOT_BYPASS;
	start_with(&desk, &options);
	assert_int_equal(rig_attach(&desk.rig, DOMAIN, ONE, 0), RIG_OK);
	assert_int_equal(rig_map(&desk.rig, DOMAIN, 0, 0xfff, 0, RIG_RW), RIG_OK);
	recording_fail(&desk.recording, 'B', RECORDER_UNMAP, 0, -EINVAL);
	assert_int_equal(rig_unmap(&desk.rig, DOMAIN, 0, 0xfff), RIG_DEVERR);
	recording_mend(&desk.recording);
	desk.recording.text[0] = 0;
	ward_viommu_reset(desk.rig.viommu, true);
	recording_is(&desk.recording, "A: 1 from blocked(6) to bypass\n"
				      "B: 1 from blocked(6) to bypass\n"
				      "C: 1 from blocked(6) to bypass\n"
				      "A: gone 6\nB: gone 6\nC: gone 6\n");
	assert_int_equal(rig_leads(&desk.rig, ONE, 0x1000, WARD_READ), 0x1000);
	assert_int_equal(rig_info(&desk.rig).frozen, 0);
	assert_false(rig_info(&desk.rig).broken);
	rig_finish(&desk.rig);
}

static void a_reset_that_fails_freezes_and_breaks_again(void **state)
{
	struct desk desk;

	(void)state;
	start(&desk);
	recording_fail(&desk.recording, 'B', RECORDER_MOVE, 0, -EINVAL);
	ward_viommu_reset(desk.rig.viommu, false);
	recording_is(&desk.recording, "A: 1 from mapped(6) to blocked\n"
				      "B: 1 from mapped(6) to blocked fails\n"
				      "C: 1 from mapped(6) to blocked\n"
				      "A: freeze 1\nB: freeze 1\nC: freeze 1\n"
				      "A: gone 6\nB: gone 6\nC: gone 6\n");
	assert_true(rig_info(&desk.rig).broken);
	ward_viommu_reset(desk.rig.viommu, false);
	recording_is(&desk.recording, "A: 1 from blocked to blocked\n"
				      "B: 1 from blocked to blocked fails\n"
				      "C: 1 from blocked to blocked\n"
				      "A: freeze 1\nB: freeze 1\nC: freeze 1\n");
	assert_true(rig_info(&desk.rig).broken);
	assert_int_equal(ward_viommu_negotiate(desk.rig.viommu, 0), -EIO);
	assert_true(rig_endpoint(&desk.rig, ONE).frozen);
	/* Its removal is the last it hears. */
	recording_mend(&desk.recording);
	assert_int_equal(ward_viommu_endpoint_remove(desk.rig.viommu, ONE), 0);
	recording_is(&desk.recording, "A: 1 from blocked to blocked\n"
				      "B: 1 from blocked to blocked\n"
				      "C: 1 from blocked to blocked\n");
	ward_viommu_reset(desk.rig.viommu, false);
	assert_false(rig_info(&desk.rig).broken);
	rig_finish(&desk.rig);
}

/* Also where it is to go somewhere. */
static void a_reset_tries_no_endpoint_twice(void **state)
{
	struct ward_viommu_options options = rig_options();
	struct desk desk;

	(void)state;
	options.flags = WARD_VIOMMU_BOOT_BYPASS;
	start_with(&desk, &options);
	assert_int_equal(rig_attach(&desk.rig, DOMAIN, ONE, 0), RIG_OK);
	recording_fail(&desk.recording, 'C', RECORDER_MOVE, 0, -EINVAL);
	assert_int_equal(rig_detach(&desk.rig, DOMAIN, ONE), RIG_DEVERR);
	desk.recording.text[0] = 0;
	ward_viommu_reset(desk.rig.viommu, true);
	recording_is(&desk.recording, "A: 1 from blocked to bypass\n"
				      "B: 1 from blocked to bypass\n"
				      "C: 1 from blocked to bypass fails\n"
				      "A: freeze 1\nB: freeze 1\nC: freeze 1\n");
	assert_int_equal(rig_leads(&desk.rig, ONE, 0x1000, WARD_READ), UINT64_MAX);
	rig_finish(&desk.rig);
}

static void a_removal_that_fails_is_done_and_breaks_the_device(void **state)
{
	struct desk desk;

	(void)state;
	start(&desk);
	recording_fail(&desk.recording, 'A', RECORDER_MOVE, 0, -EINVAL);
	assert_int_equal(ward_viommu_endpoint_remove(desk.rig.viommu, ONE), 0);
	recording_is(&desk.recording, "A: 1 from mapped(6) to blocked fails\n"
				      "B: 1 from mapped(6) to blocked\n"
				      "C: 1 from mapped(6) to blocked\n"
				      "A: freeze 1\nB: freeze 1\nC: freeze 1\n"
				      "A: gone 6\nB: gone 6\nC: gone 6\n");
	assert_int_equal(rig_info(&desk.rig).endpoints, 1);
	assert_true(rig_info(&desk.rig).broken);
	rig_finish(&desk.rig);
}

static void an_add_that_is_lost_begins_and_ends(void **state)
{
	const struct ward_viommu_endpoint_options options = { .size = sizeof(options),
							      .endpoint = 9 };
	struct ward_viommu_info info;
	const uint8_t on = 1;
	struct desk desk;

	(void)state;
	start(&desk);
	assert_int_equal(ward_viommu_config_write(desk.rig.viommu, 36, &on, 1), 0);
	desk.recording.text[0] = 0;
	recording_fail(&desk.recording, 'B', RECORDER_MOVE, 0, -EIO);
	assert_int_equal(ward_viommu_endpoint_add(desk.rig.viommu, &options, NULL), -EIO);
	recording_is(&desk.recording, "A: 9 from blocked to bypass\n"
				      "B: 9 from blocked to bypass fails\n"
				      "A: 9 from bypass to blocked\n"
				      "A: freeze 9\n"
				      "B: freeze 9\n"
				      "C: freeze 9\n"
				      "A: 9 from blocked to blocked\n"
				      "B: 9 from blocked to blocked fails\n"
				      "C: 9 from blocked to blocked\n"
				      "A: freeze 9\n"
				      "B: freeze 9\n"
				      "C: freeze 9\n");
	ward_viommu_info(desk.rig.viommu, &info);
	assert_true(info.broken);
	assert_int_equal(info.endpoints, 2);
	assert_int_equal(info.frozen, 0);
	rig_finish(&desk.rig);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_map_that_cannot_be_taken_back_freezes_the_domain),
		cmocka_unit_test(an_attach_that_cannot_be_taken_back_freezes_the_endpoint),
		cmocka_unit_test(a_refusal_with_eio_freezes),
		cmocka_unit_test(an_unmap_that_fails_is_done_and_freezes_the_domain),
		cmocka_unit_test(a_detach_that_fails_is_done_and_freezes_the_endpoint),
		cmocka_unit_test(bypass_that_a_host_cannot_give_freezes),
		cmocka_unit_test(a_reset_tries_frozen_endpoints_again),
		cmocka_unit_test(frozen_endpoints_that_are_still_attached_leave_at_a_reset),
		cmocka_unit_test(a_reset_that_fails_freezes_and_breaks_again),
		cmocka_unit_test(a_reset_tries_no_endpoint_twice),
		cmocka_unit_test(a_removal_that_fails_is_done_and_breaks_the_device),
		cmocka_unit_test(an_add_that_is_lost_begins_and_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

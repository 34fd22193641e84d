// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What listeners are told, in which order, and what a refusal takes back. */
#include "desk.h"

static void a_listener_needs_a_move_and_comes_before_endpoints(void **state)
{
	const struct ward_viommu_listener_ops nothing = { .map = recorder_map };
	struct recorder recorder = { .name = 'A' };
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	assert_int_equal(ward_viommu_listen(rig.viommu, &nothing, &recorder), -EINVAL);
	assert_int_equal(ward_viommu_listen(rig.viommu, NULL, &recorder), -EINVAL);
	for (unsigned int i = 0; i < WARD_VIOMMU_LISTENERS; i++)
		assert_int_equal(ward_viommu_listen(rig.viommu, &recorder_ops, &recorder), 0);
	assert_int_equal(ward_viommu_listen(rig.viommu, &recorder_ops, &recorder), -ENOSPC);
	rig_finish(&rig);
	rig_start(&rig, NULL);
	rig_add(&rig, ONE);
	assert_int_equal(ward_viommu_listen(rig.viommu, &recorder_ops, &recorder), -EBUSY);
	assert_int_equal(ward_viommu_endpoint_remove(rig.viommu, ONE), 0);
	assert_int_equal(ward_viommu_listen(rig.viommu, &recorder_ops, &recorder), 0);
	rig_finish(&rig);
}

static void listeners_are_told_in_order(void **state)
{
	struct desk desk;

	(void)state;
	start_with(&desk, NULL);
	assert_int_equal(rig_attach(&desk.rig, DOMAIN, ONE, 0), RIG_OK);
	recording_is(&desk.recording, "A: 1 from blocked to mapped(6)\n"
				      "B: 1 from blocked to mapped(6)\n"
				      "C: 1 from blocked to mapped(6)\n");
	assert_int_equal(rig_map(&desk.rig, DOMAIN, 0x1000, 0x2fff, 0x80000000, RIG_READ), RIG_OK);
	recording_is(&desk.recording, "A: map 6 1000-2fff to 80000000 access 1 type 6\n"
				      "B: map 6 1000-2fff to 80000000 access 1 type 6\n"
				      "C: map 6 1000-2fff to 80000000 access 1 type 6\n");
	assert_int_equal(rig_map(&desk.rig, DOMAIN, 0x5000, 0x5fff, 0, RIG_RW | RIG_MMIO), RIG_OK);
	recording_is(&desk.recording, "A: map 6 5000-5fff to 0 access 3 type 1\n"
				      "B: map 6 5000-5fff to 0 access 3 type 1\n"
				      "C: map 6 5000-5fff to 0 access 3 type 1\n");
	/* From the first mapping to the last one. */
	assert_int_equal(rig_unmap(&desk.rig, DOMAIN, 0x10, 0xffffffff), RIG_OK);
	recording_is(&desk.recording, "A: unmap 6 1000-5fff\n"
				      "B: unmap 6 1000-5fff\n"
				      "C: unmap 6 1000-5fff\n");
	assert_int_equal(rig_unmap(&desk.rig, DOMAIN, 0x10, 0xffffffff), RIG_OK);
	recording_is(&desk.recording, "");
	assert_int_equal(rig_detach(&desk.rig, DOMAIN, ONE), RIG_OK);
	recording_is(&desk.recording, "A: 1 from mapped(6) to blocked\n"
				      "B: 1 from mapped(6) to blocked\n"
				      "C: 1 from mapped(6) to blocked\n"
				      "A: gone 6\n"
				      "B: gone 6\n"
				      "C: gone 6\n");
	rig_finish(&desk.rig);
	recording_is(&desk.recording, "");
}

static void a_move_between_domains_is_one_move(void **state)
{
	struct desk desk;

	(void)state;
	start(&desk);
	assert_int_equal(rig_attach(&desk.rig, OTHER, ONE, RIG_BYPASS), RIG_OK);
	recording_is(&desk.recording, "A: 1 from mapped(6) to bypass(7)\n"
				      "B: 1 from mapped(6) to bypass(7)\n"
				      "C: 1 from mapped(6) to bypass(7)\n"
				      "A: gone 6\n"
				      "B: gone 6\n"
				      "C: gone 6\n");
	assert_int_equal(rig_attach(&desk.rig, OTHER, ONE, RIG_BYPASS), RIG_OK);
	recording_is(&desk.recording, "");
	rig_finish(&desk.rig);
}

static void what_is_refused_by_the_device_is_not_told(void **state)
{
	struct ward_viommu_options options = rig_options();
	struct desk desk;

	(void)state;
	options.mappings_max = 1;
	start_with(&desk, &options);
	assert_int_equal(rig_attach(&desk.rig, DOMAIN, ONE, 0), RIG_OK);
	assert_int_equal(rig_map(&desk.rig, DOMAIN, 0x1000, 0x1fff, 0, RIG_RW), RIG_OK);
	desk.recording.text[0] = 0;
	assert_int_equal(rig_map(&desk.rig, DOMAIN, 0x1000, 0x1fff, 0, RIG_RW), RIG_INVAL);
	assert_int_equal(rig_map(&desk.rig, DOMAIN, 0x2000, 0x2fff, 0, RIG_RW), RIG_NOMEM);
	assert_int_equal(rig_map(&desk.rig, DOMAIN, 0x2000, 0x2ffe, 0, RIG_RW), RIG_RANGE);
	assert_int_equal(rig_unmap(&desk.rig, DOMAIN, 0x1000, 0x1001), RIG_RANGE);
	assert_int_equal(rig_attach(&desk.rig, DOMAIN, TWO, RIG_BYPASS), RIG_INVAL);
	assert_int_equal(rig_detach(&desk.rig, DOMAIN, TWO), RIG_INVAL);
	recording_is(&desk.recording, "");
	rig_finish(&desk.rig);
}

static void endpoints_that_come_and_go_begin_and_end_blocked(void **state)
{
	struct ward_viommu_options options = rig_options();
	struct rig rig;
	struct recording recording;

	(void)state;
	options.flags = WARD_VIOMMU_BOOT_BYPASS;
	rig_start(&rig, &options);
	recording_start(&recording, rig.viommu);
	rig_add(&rig, ONE);
	recording_is(&recording, "A: 1 from blocked to bypass\n"
				 "B: 1 from blocked to bypass\n"
				 "C: 1 from blocked to bypass\n");
	assert_int_equal(rig_attach(&rig, DOMAIN, ONE, 0), RIG_OK);
	recording.text[0] = 0;
	assert_int_equal(ward_viommu_endpoint_remove(rig.viommu, ONE), 0);
	recording_is(&recording, "A: 1 from mapped(6) to blocked\n"
				 "B: 1 from mapped(6) to blocked\n"
				 "C: 1 from mapped(6) to blocked\n"
				 "A: gone 6\n"
				 "B: gone 6\n"
				 "C: gone 6\n");
	rig_finish(&rig);
}

static void an_endpoint_that_is_refused_is_not_there(void **state)
{
	const struct ward_viommu_endpoint_options one = { .size = sizeof(one), .endpoint = ONE };
	struct ward_viommu_options options = rig_options();
	struct recording recording;
	struct ward_error error = { "" };
	struct rig rig;

	(void)state;
	options.flags = WARD_VIOMMU_BOOT_BYPASS;
	rig_start(&rig, &options);
	recording_start(&recording, rig.viommu);
	rig_add(&rig, TWO);
	recording.text[0] = 0;
	recording_fail(&recording, 'C', RECORDER_MOVE, 0, -ENODEV);
	assert_int_equal(ward_viommu_endpoint_add(rig.viommu, &one, &error), -ENODEV);
	assert_string_not_equal(error.text, "");
	recording_is(&recording, "A: 1 from blocked to bypass\n"
				 "B: 1 from blocked to bypass\n"
				 "C: 1 from blocked to bypass fails\n"
				 "B: 1 from bypass to blocked\n"
				 "A: 1 from bypass to blocked\n");
	assert_int_equal(rig_info(&rig).endpoints, 1);
	assert_int_equal(ward_viommu_endpoint_remove(rig.viommu, ONE), -ENOENT);
	assert_false(rig_info(&rig).broken);
	recording_mend(&recording);
	rig_add(&rig, ONE);
	rig_finish(&rig);
}

static void a_map_that_is_refused_is_taken_back(void **state)
{
	const struct rig_map request = {
		.type = 3,
		.domain = htole32(DOMAIN),
		.virt_start = htole64(0x5000),
		.virt_end = htole64(0x6fff),
		.flags = htole32(RIG_RW),
	};
	struct desk desk;

	(void)state;
	start(&desk);
	recording_fail(&desk.recording, 'C', RECORDER_MAP, 0, -ENOSPC);
	rig_refuses(&desk.rig, "by the last", &request, sizeof(request), RIG_NOMEM);
	recording_is(&desk.recording, "A: map 6 5000-6fff to 0 access 3 type 6\n"
				      "B: map 6 5000-6fff to 0 access 3 type 6\n"
				      "C: map 6 5000-6fff to 0 access 3 type 6 fails\n"
				      "B: unmap 6 5000-6fff\n"
				      "A: unmap 6 5000-6fff\n");
	recording_fail(&desk.recording, 'A', RECORDER_MAP, 0, -EFAULT);
	rig_refuses(&desk.rig, "by the first", &request, sizeof(request), RIG_FAULT);
	recording_is(&desk.recording, "A: map 6 5000-6fff to 0 access 3 type 6 fails\n");
	recording_mend(&desk.recording);
	assert_int_equal(rig_ask(&desk.rig, &request, sizeof(request), 4), RIG_OK);
	rig_finish(&desk.rig);
}

/* The table of viommu_listener.h. */
static void the_errno_of_a_refusal_becomes_the_status(void **state)
{
	static const struct {
		int code;
		enum rig_status status;
	} rows[] = {
		{ -ENOMEM, RIG_NOMEM },	     { -ENOSPC, RIG_NOMEM },  { -EFAULT, RIG_FAULT },
		{ -EINVAL, RIG_INVAL },	     { -EEXIST, RIG_INVAL },  { -EADDRINUSE, RIG_INVAL },
		{ -EOPNOTSUPP, RIG_UNSUPP }, { -ERANGE, RIG_RANGE },  { -EOVERFLOW, RIG_RANGE },
		{ -EPERM, RIG_DEVERR },	     { -ENODEV, RIG_DEVERR }, { -ENOENT, RIG_DEVERR },
		{ 1, RIG_DEVERR },
	};
	const struct rig_map map = {
		.type = 3,
		.domain = htole32(DOMAIN),
		.virt_start = htole64(0x5000),
		.virt_end = htole64(0x6fff),
		.flags = htole32(RIG_RW),
	};
	const struct rig_attach attach = { .type = 1,
					   .domain = htole32(OTHER),
					   .endpoint = htole32(ONE) };
	struct desk desk;

	(void)state;
	start(&desk);
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		desk.recording.text[0] = 0;
		recording_fail(&desk.recording, 'B', RECORDER_MAP, 0, rows[i].code);
		rig_refuses(&desk.rig, "map", &map, sizeof(map), rows[i].status);
		recording_fail(&desk.recording, 'B', RECORDER_MOVE, 0, rows[i].code);
		rig_refuses(&desk.rig, "attach", &attach, sizeof(attach), rows[i].status);
		assert_int_equal(desk.rig.code, 0);
		recording_mend(&desk.recording);
	}
	rig_finish(&desk.rig);
}

static void an_attach_that_is_refused_is_taken_back(void **state)
{
	struct rig_attach request = { .type = 1,
				      .domain = htole32(OTHER),
				      .endpoint = htole32(ONE) };
	struct desk desk;

	(void)state;
	start(&desk);
	recording_fail(&desk.recording, 'C', RECORDER_MOVE, 0, -ENOMEM);
	rig_refuses(&desk.rig, "a new domain", &request, sizeof(request), RIG_NOMEM);
	recording_is(&desk.recording, "A: 1 from mapped(6) to mapped(7)\n"
				      "B: 1 from mapped(6) to mapped(7)\n"
				      "C: 1 from mapped(6) to mapped(7) fails\n"
				      "B: 1 from mapped(7) to mapped(6)\n"
				      "A: 1 from mapped(7) to mapped(6)\n"
				      "A: gone 7\n"
				      "B: gone 7\n"
				      "C: gone 7\n");
	assert_int_equal(rig_leads(&desk.rig, ONE, 0x1000, WARD_READ), 0x80000000);
	request.endpoint = htole32(TWO);
	request.domain = htole32(DOMAIN);
	rig_refuses(&desk.rig, "a domain that is there", &request, sizeof(request), RIG_NOMEM);
	recording_is(&desk.recording, "A: 2 from blocked to mapped(6)\n"
				      "B: 2 from blocked to mapped(6)\n"
				      "C: 2 from blocked to mapped(6) fails\n"
				      "B: 2 from mapped(6) to blocked\n"
				      "A: 2 from mapped(6) to blocked\n");
	rig_finish(&desk.rig);
}

static void what_a_listener_is_not_interested_in_it_is_not_asked(void **state)
{
	static const struct ward_viommu_listener_ops moves = { .move = recorder_move };
	char text[RIG_TEXT] = "";
	struct recorder first = { .name = 'A', .text = text };
	struct recorder second = { .name = 'B', .text = text };
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	assert_int_equal(ward_viommu_listen(rig.viommu, &moves, &first), 0);
	assert_int_equal(ward_viommu_listen(rig.viommu, &recorder_ops, &second), 0);
	rig_add(&rig, ONE);
	assert_int_equal(rig_attach(&rig, DOMAIN, ONE, 0), RIG_OK);
	second.code[RECORDER_MAP] = -ENOMEM;
	assert_int_equal(rig_map(&rig, DOMAIN, 0, 0xfff, 0, RIG_RW), RIG_NOMEM);
	second.code[RECORDER_MAP] = 0;
	assert_int_equal(rig_map(&rig, DOMAIN, 0, 0xfff, 0, RIG_RW), RIG_OK);
	second.code[RECORDER_UNMAP] = -ENOMEM;
	assert_int_equal(rig_unmap(&rig, DOMAIN, 0, 0xfff), RIG_DEVERR);
	ward_viommu_reset(rig.viommu, false);
	assert_string_equal(text, "A: 1 from blocked to mapped(6)\n"
				  "B: 1 from blocked to mapped(6)\n"
				  "B: map 6 0-fff to 0 access 3 type 6 fails\n"
				  "B: map 6 0-fff to 0 access 3 type 6\n"
				  "B: unmap 6 0-fff fails\n"
				  "B: freeze 1\n"
				  "A: 1 from blocked(6) to blocked\n"
				  "B: 1 from blocked(6) to blocked\n"
				  "B: gone 6\n");
	rig_finish(&rig);
}

static void the_guests_half_of_an_identity_region_is_not_told(void **state)
{
	static const struct ward_reserved window = { { 0x8000000, 0x80fffff }, WARD_REGION_SW_MSI };
	const struct ward_viommu_endpoint_options three = {
		.size = sizeof(three),
		.endpoint = 3,
		.reserved = &window,
		.reserved_count = 1,
		.identity = true,
	};
	const struct ward_reserved half = { { 0x8000000, 0x8000fff }, WARD_REGION_SW_MSI };
	struct ward_viommu_endpoint_options four = three;
	struct ward_viommu_options options = rig_options();
	struct desk desk;

	(void)state;
	four.endpoint = 4;
	four.reserved = &half;
	options.flags = WARD_VIOMMU_IDENTITY;
	start_with(&desk, &options);
	assert_int_equal(ward_viommu_endpoint_add(desk.rig.viommu, &three, NULL), 0);
	assert_int_equal(rig_attach(&desk.rig, DOMAIN, 3, 0), RIG_OK);
	desk.recording.text[0] = 0;
	assert_int_equal(rig_map(&desk.rig, DOMAIN, 0x8000000, 0x8000fff, 0x8000000, RIG_RW),
			 RIG_OK);
	recording_is(&desk.recording, "");
	/* Who else comes finds it there; who has such a region, too. */
	assert_int_equal(rig_attach(&desk.rig, DOMAIN, ONE, 0), RIG_OK);
	assert_int_equal(rig_attach(&desk.rig, OTHER, 3, 0), RIG_OK);
	assert_int_equal(rig_attach(&desk.rig, DOMAIN, 3, 0), RIG_OK);
	assert_int_equal(rig_leads(&desk.rig, 3, 0x8000040, WARD_WRITE), 0x8000040);
	desk.recording.text[0] = 0;
	/* That it goes is told: somebody may have looked where it leads. */
	assert_int_equal(rig_unmap(&desk.rig, DOMAIN, 0, UINT64_MAX), RIG_OK);
	recording_is(&desk.recording, "A: unmap 6 8000000-8000fff\n"
				      "B: unmap 6 8000000-8000fff\n"
				      "C: unmap 6 8000000-8000fff\n");
	/* Not who has a smaller one. */
	assert_int_equal(ward_viommu_endpoint_add(desk.rig.viommu, &four, NULL), 0);
	assert_int_equal(rig_map(&desk.rig, DOMAIN, 0x8000000, 0x8001fff, 0x8000000, RIG_RW),
			 RIG_OK);
	assert_int_equal(rig_attach(&desk.rig, DOMAIN, 4, 0), RIG_UNSUPP);
	assert_int_equal(rig_unmap(&desk.rig, DOMAIN, 0, UINT64_MAX), RIG_OK);
	/* Together with others, those are told. */
	assert_int_equal(rig_map(&desk.rig, DOMAIN, 0x8000000, 0x8000fff, 0x8000000, RIG_RW),
			 RIG_OK);
	assert_int_equal(rig_map(&desk.rig, DOMAIN, 0x9000000, 0x9000fff, 0, RIG_RW), RIG_OK);
	desk.recording.text[0] = 0;
	assert_int_equal(rig_unmap(&desk.rig, DOMAIN, 0x8000000, 0x9000fff), RIG_OK);
	recording_is(&desk.recording, "A: unmap 6 8000000-9000fff\n"
				      "B: unmap 6 8000000-9000fff\n"
				      "C: unmap 6 8000000-9000fff\n");
	rig_finish(&desk.rig);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listener_needs_a_move_and_comes_before_endpoints),
		cmocka_unit_test(listeners_are_told_in_order),
		cmocka_unit_test(a_move_between_domains_is_one_move),
		cmocka_unit_test(what_is_refused_by_the_device_is_not_told),
		cmocka_unit_test(endpoints_that_come_and_go_begin_and_end_blocked),
		cmocka_unit_test(an_endpoint_that_is_refused_is_not_there),
		cmocka_unit_test(a_map_that_is_refused_is_taken_back),
		cmocka_unit_test(the_errno_of_a_refusal_becomes_the_status),
		cmocka_unit_test(an_attach_that_is_refused_is_taken_back),
		cmocka_unit_test(what_a_listener_is_not_interested_in_it_is_not_asked),
		cmocka_unit_test(the_guests_half_of_an_identity_region_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

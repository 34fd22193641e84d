// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A device from its creation to its end: options, endpoints, resets. */
#include "rig.h"

#define DOMAIN 7u
#define ENDPOINT 3u

static void a_request_of_each_kind(void **state)
{
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	rig_add(&rig, ENDPOINT);
	assert_int_equal(rig_place(&rig, ENDPOINT), WARD_VIOMMU_BLOCKED);
	assert_int_equal(rig_attach(&rig, DOMAIN, ENDPOINT, 0), RIG_OK);
	assert_int_equal(rig_map(&rig, DOMAIN, 0x1000, 0x2fff, 0x80000000, RIG_RW), RIG_OK);
	assert_int_equal(rig_info(&rig).mappings, 1);
	assert_int_equal(rig_unmap(&rig, DOMAIN, 0x1000, 0x1fff), RIG_RANGE);
	assert_int_equal(rig_unmap(&rig, DOMAIN, 0, UINT64_MAX), RIG_OK);
	assert_int_equal(rig_probe(&rig, ENDPOINT, 512), RIG_OK);
	assert_int_equal(rig.written, 516);
	assert_int_equal(rig_detach(&rig, DOMAIN, ENDPOINT), RIG_OK);
	assert_int_equal(rig_info(&rig).domains, 0);
	rig_finish(&rig);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_of_each_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The ITS from end to end: messages, commands and what they make pending; both profiles. */
#include "emul/its_rig.h"

#include <errno.h>

#define INT 0x03u
#define CLEAR 0x04u
#define INV 0x0cu
#define DISCARD 0x0fu

/* Device 7 with 32 events, of which event 5 is LPI 8200; collection 1 is CPU 2, 2 is CPU 3. */
static void map_one(struct rig *rig)
{
	assert_int_equal(rig_mapd(rig, 7, RIG_ITTS, 5), RIG_OK);
	assert_int_equal(rig_mapc(rig, 1, 2), RIG_OK);
	assert_int_equal(rig_mapc(rig, 2, 3), RIG_OK);
	assert_int_equal(rig_mapti(rig, 7, 5, 8200, 1), RIG_OK);
}

static void test_message(void **state)
{
	(void)state;
	for (int profile = WARD_ITS_ARCHITECTURE; profile <= WARD_ITS_KVM; profile++) {
		struct ward_interrupt interrupt;
		struct rig rig;

		rig_setup(&rig, profile);
		map_one(&rig);
		assert_int_equal(ward_its_translate(rig.its, ward_devid(7), 5, &interrupt), 1);
		assert_int_equal(interrupt.number, 8200);
		assert_int_equal(interrupt.cpu, 2);
		assert_true(rig_pending_nowhere(&rig, 8200));
		assert_int_equal(rig_message(&rig, 7, 5), WARD_REASON_NONE);
		assert_true(rig_took(&rig, 2, 8200));
		assert_int_equal(rig_event(&rig, INT, 7, 5), RIG_OK);
		assert_true(rig_took(&rig, 2, 8200));
		rig_teardown(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

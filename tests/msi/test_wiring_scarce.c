// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Wiring where there is not enough for all, and where what was handed out or told is somebody else's
 * next: GSIs, host vectors, prepared addresses.
 */
#include "wiring_setup.h"

static const struct setup plain = { .controller = WARD_VM_GICV3_ITS, .msi = 8, .msix = 12 };
static const struct setup overridden = {
	.controller = WARD_VM_GICV3_ITS, .addresses = true, .way = WARD_MESSAGE_OVERRIDE, .msix = 12
};
static const struct setup prepared = { .controller = WARD_VM_GICV3_ITS,
				       .addresses = true,
				       .way = WARD_MESSAGE_PREPARE,
				       .msi = 8,
				       .msix = 12 };

/* Two functions share a routing table, and one of them drops what the other could not commit. */
static void test_aborted(void **state)
{
	struct ward_routes_info info;

	(void)state;
	yard_setup(&plain);
	entry(0, ITS, 1);
	mask(0, false);
	msix(true, false);
	yard.fail_at = 2;
	yard.fail_code = -ENOMEM;
	assert_int_equal(ward_wiring_sync(yard.wiring, NULL), -ENOMEM);
	ward_routes_abort(yard.table);
	sync_well();
	msix(false, false);
	yard.fail_at = yard.calls + 3;
	assert_int_equal(ward_wiring_sync(yard.wiring, NULL), -ENOMEM);
	ward_routes_abort(yard.table);
	/* It is on again before it was off altogether. */
	msix(true, false);
	sync_well();
	assert_true(host_raise(0));
	assert_int_equal(arrived(1), 1);
	ward_routes_info(yard.table, &info);
	assert_int_equal(info.allocated, 1);
	/* What another has edited is not ours to commit. */
	assert_int_equal(ward_routes_clear(yard.table, ward_gsi(3)), 0);
	forget_calls();
	sync_well();
	assert_int_equal(yard.calls, 0);
	yard.failed = false;
	yard_finish();
}

/* Given back by a commit of another's, and another's since: it is not given back once more. */
static void test_gsi_of_another(void **state)
{
	struct ward_route route = { .kind = WARD_ROUTE_MSI, .flags = WARD_ROUTE_DEVID }, found;
	ward_gsi_t gsi;

	(void)state;
	yard_setup(&plain);
	entry(0, ITS, 1);
	mask(0, false);
	msix(true, false);
	sync_well();
	gsi = wire_of(0).gsi;
	msix(false, false);
	yard.fail_at = yard.calls + 3;
	yard.fail_code = -ENOMEM;
	assert_int_equal(ward_wiring_sync(yard.wiring, NULL), -ENOMEM);
	assert_int_equal(ward_routes_commit(yard.table), 0);
	assert_int_equal(ward_routes_alloc(yard.table, &route.gsi), 0);
	assert_int_equal(ward_gsi_raw(route.gsi), ward_gsi_raw(gsi));
	assert_int_equal(ward_routes_set(yard.table, &route), 0);
	assert_int_equal(ward_routes_commit(yard.table), 0);
	sync_well();
	assert_int_equal(ward_routes_get(yard.table, gsi, true, &found), 0);
	ward_routes_free(yard.table, gsi);
	assert_int_equal(ward_routes_commit(yard.table), 0);
	yard.failed = false;
	yard_finish();
}

/* A route that another has edited and not committed is not in force. */
static void test_edit_of_another(void **state)
{
	const struct ward_route pin = { .gsi = ward_gsi(40), .kind = WARD_ROUTE_PIN, .pin = 40 };

	(void)state;
	yard_setup(&plain);
	assert_int_equal(ward_routes_clear(yard.table, pin.gsi), 0);
	assert_int_equal(ward_routes_commit(yard.table), 0);
	assert_int_equal(ward_routes_set(yard.table, &pin), 0);
	entry(0, V2M, 72);
	mask(0, false);
	msix(true, false);
	sync_well();
	assert_true(host_raise(0));
	assert_int_equal(arrived(72), 1);
	yard_finish();
}

/* Taken apart when the kernel would not have the table: who drops the edits loses no GSI for that. */
static void test_gone_before_commit(void **state)
{
	struct ward_routes_info before, info;

	(void)state;
	yard_setup(&plain);
	ward_routes_info(yard.table, &before);
	entry(0, ITS, 1);
	mask(0, false);
	msix(true, false);
	sync_well();
	yard.fail_at = yard.calls + 3;
	yard.fail_code = -ENOMEM;
	ward_wiring_destroy(yard.wiring);
	yard.wiring = NULL;
	assert_true(yard.failed);
	ward_routes_abort(yard.table);
	assert_int_equal(ward_routes_commit(yard.table), 0);
	ward_routes_info(yard.table, &info);
	assert_int_equal(info.left, before.left);
	yard.failed = false;
	yard_finish();
}

/* What the host was told for vectors that did not come on is not left for who has it next. */
static void test_prepared_and_gone(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		yard_setup(&prepared);
		msi(true, 1, CHOSEN, 0x40);
		yard.fail_at = 2;
		yard.fail_code = -ENOMEM;
		assert_int_equal(ward_wiring_sync(yard.wiring, NULL), -ENOMEM);
		assert_true(yard.told[0]);
		if (i == 0) {
			msi(false, 1, CHOSEN, 0x40);
			sync_well();
			assert_false(yard.told[0]);
		} else if (i == 1) {
			/* Said of the kind of vectors that it was told for. */
			entry(0, CHOSEN, 7);
			mask(0, false);
			msi(false, 1, CHOSEN, 0x40);
			msix(true, false);
			sync_well();
			assert_int_equal(yard.forgotten, WARD_IRQS_MSI);
		} else {
			ward_wiring_destroy(yard.wiring);
			yard.wiring = NULL;
			assert_false(yard.told[0]);
		}
		yard.failed = false;
		yard_finish();
	}
}

/* What the host does not have is missing for those vectors, and for no others. */
static void test_too_few(void **state)
{
	struct ward_error error;

	(void)state;
	yard_setup(&plain);
	yard.fewer = 2;
	for (uint32_t i = 0; i < 2; i++) {
		entry(i, ITS, 10 + i);
		mask(i, false);
	}
	msix(true, false);
	sync_well();
	mask(1, true);
	sync_well();
	entry(5, ITS, 15);
	mask(5, false);
	set_register(WARD_MSIX_TABLE, 8, 20, 4);
	mask(1, false);
	assert_int_equal(ward_wiring_sync(yard.wiring, &error), -ENOSPC);
	assert_string_equal(error.text, "6 host vectors are needed, 2 can be had");
	assert_int_equal(ward_wiring_verify(yard.wiring, NULL), 0);
	assert_int_equal(wire_of(5).resolved, -ENOSPC);
	assert_true(host_raise(0) && host_raise(1));
	assert_int_equal(arrived(20), 1);
	assert_int_equal(arrived(11), 1);
	yard.fewer = 0;
	sync_well();
	assert_true(host_raise(5));
	assert_int_equal(arrived(15), 1);
	yard_finish();
}

/* The gap before an address is overridden ends when it is, not when that was tried. */
static void test_gap(void **state)
{
	(void)state;
	yard_setup(&overridden);
	assert_int_equal(wire_of(0).doorbell, WARD_NONE);
	entry(0, CHOSEN, 10);
	mask(0, false);
	msix(true, false);
	yard.fail_at = 2;
	yard.fail_code = -EIO;
	assert_int_equal(ward_wiring_sync(yard.wiring, NULL), -EIO);
	assert_string_equal(yard.log, "EMRA");
	assert_int_equal(arrived(10), 0);
	sync_well();
	assert_int_equal(arrived(10), 1);
	sync_well();
	assert_int_equal(arrived(10), 0);
	yard.failed = false;
	yard_finish();
}

/* One irqfd that cannot be had is one vector's loss. */
static void test_one_irqfd(void **state)
{
	struct ward_error error;

	(void)state;
	yard_setup(&plain);
	for (uint32_t i = 0; i < 3; i++) {
		entry(i, ITS, 10 + i);
		mask(i, false);
	}
	msix(true, false);
	yard.fail_at = 3;
	yard.fail_code = -ENOMEM;
	assert_int_equal(ward_wiring_sync(yard.wiring, &error), -ENOMEM);
	assert_string_equal(yard.log, "ERAAA");
	assert_string_equal(error.text, "vector 0: its irqfd cannot be assigned (error 12)");
	assert_true(!wire_of(0).wired && wire_of(1).wired && wire_of(2).wired);
	sync_well();
	assert_true(wire_of(0).wired);
	yard.failed = false;
	yard_finish();
}

/* No GSI is left: for one vector, not for those that have one. */
static void test_no_gsi(void **state)
{
	static ward_gsi_t taken[WARD_GSIS];
	struct ward_error error;
	uint32_t count = 0;

	(void)state;
	yard_setup(&plain);
	while (ward_routes_alloc(yard.table, &taken[count]) == 0)
		count++;
	ward_routes_free(yard.table, taken[--count]);
	assert_int_equal(ward_routes_commit(yard.table), 0);
	for (uint32_t i = 0; i < 2; i++) {
		entry(i, ITS, 10 + i);
		mask(i, false);
	}
	msix(true, false);
	assert_int_equal(ward_wiring_sync(yard.wiring, &error), 1);
	assert_string_equal(error.text, "vector 1 rings nothing: no GSI is left");
	assert_int_equal(ward_wiring_verify(yard.wiring, NULL), 0);
	assert_int_equal(wire_of(1).resolved, -ENOSPC);
	assert_true(host_raise(0));
	assert_int_equal(arrived(10), 1);
	/* The only one there is goes round. */
	msix(false, false);
	yard.fail_at = yard.calls + 3;
	yard.fail_code = -ENOMEM;
	assert_int_equal(ward_wiring_sync(yard.wiring, NULL), -ENOMEM);
	msix(true, false);
	mask(1, true);
	sync_well();
	assert_true(host_raise(0));
	assert_int_equal(arrived(10), 1);
	while (count > 0)
		ward_routes_free(yard.table, taken[--count]);
	assert_int_equal(ward_routes_commit(yard.table), 0);
	mask(1, false);
	sync_well();
	yard.failed = false;
	yard_finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aborted),
		cmocka_unit_test(test_gsi_of_another),
		cmocka_unit_test(test_edit_of_another),
		cmocka_unit_test(test_gone_before_commit),
		cmocka_unit_test(test_prepared_and_gone),
		cmocka_unit_test(test_too_few),
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_one_irqfd),
		cmocka_unit_test(test_no_gsi),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

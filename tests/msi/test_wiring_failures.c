// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Wiring when something goes wrong: each call to a kernel refused in turn, no file descriptors, a
 * host that does not get where the guest says, contradictions that verify has to find.
 */
#include "wiring_setup.h"

#include <sys/resource.h>

#include "msi/wiring.h"

#define VECTORS 12u

static const struct setup setups[] = {
	{ .controller = WARD_VM_GICV3_ITS, .msi = 8, .msix = VECTORS },
	{ .controller = WARD_VM_GICV3_ITS,
	  .flags = WARD_IRQ_INFO_NORESIZE,
	  .msi = 8,
	  .msix = VECTORS },
	{ .controller = WARD_VM_GICV3_ITS, .emulated = true, .msi = 8, .msix = VECTORS },
	{ .controller = WARD_VM_GICV3_ITS,
	  .addresses = true,
	  .way = WARD_MESSAGE_OVERRIDE,
	  .msi = 8,
	  .msix = VECTORS },
	{ .controller = WARD_VM_GICV3_ITS,
	  .addresses = true,
	  .way = WARD_MESSAGE_PREPARE,
	  .msi = 8,
	  .msix = VECTORS },
	{ .controller = WARD_VM_GICV3_ITS,
	  .addresses = true,
	  .way = WARD_MESSAGE_OVERRIDE,
	  .flags = WARD_IRQ_INFO_NORESIZE,
	  .msi = 8,
	  .msix = VECTORS },
};

static const struct setup *now;

/* Where this guest's messages go. */
static uint64_t bell(void)
{
	return now->addresses ? CHOSEN : ITS;
}

/* The function's interrupt, as hardware raises it. false: it was off, and nobody waits for it. */
static bool raise_vector(uint32_t vector)
{
	if (now->emulated)
		return ward_wiring_raise(yard.wiring, vector) == 0;
	return host_raise(vector);
}

/* A sync, and when it refuses, one more. */
static void insist(void)
{
	struct ward_error error = { "" };
	bool failed = yard.failed;
	int code = ward_wiring_sync(yard.wiring, &error);

	if (yard.failed && !failed) {
		assert_int_equal(code, yard.fail_code);
		assert_true(error.text[0]);
		code = ward_wiring_sync(yard.wiring, &error);
	}
	if (code)
		fail_msg("%d: %s", code, error.text);
	if (ward_wiring_verify(yard.wiring, &error))
		fail_msg("%s", error.text);
	assert_int_equal(yard.misused, 0);
}

/* Comes on, grows, is masked with an event, gets another message, goes off; MSI after MSI-X. */
static void play(void)
{
	for (uint32_t i = 0; i < 4; i++)
		entry(i, bell(), 100 + i);
	mask(0, false);
	mask(1, false);
	msix(true, false);
	insist();
	assert_true(raise_vector(0));
	assert_true(arrived(100) >= 1);
	mask(1, true);
	insist();
	take();
	(void)arrived(101);
	assert_true(raise_vector(1));
	insist();
	assert_true(is_pending(1));
	assert_int_equal(arrived(101), 0);
	entry(6, bell(), 106);
	mask(6, false);
	set_register(WARD_MSIX_TABLE, 16 + 8, 201, 4);
	insist();
	assert_int_equal(arrived(101), 0);
	assert_int_equal(arrived(201), 0);
	mask(1, false);
	insist();
	assert_true(arrived(201) >= 1);
	assert_int_equal(arrived(101), 0);
	set_register(WARD_MSIX_TABLE, 8, 200, 4);
	insist();
	(void)arrived(100);
	assert_true(raise_vector(0) && raise_vector(6));
	assert_true(arrived(200) >= 1);
	assert_true(arrived(106) >= 1);
	assert_int_equal(arrived(100), 0);
	msix(false, false);
	insist();
	assert_int_equal(yard.irqfds_count, 0);
	msi(true, 1, bell(), 0x300);
	insist();
	assert_true(raise_vector(0) && raise_vector(1));
	assert_true(arrived(0x300) >= 1);
	assert_true(arrived(0x301) >= 1);
	ward_vectors_reset(yard.vectors);
	insist();
	assert_int_equal(yard.irqfds_count + yard.enabled, 0);
}

/* Whatever refuses: nothing is lost, nothing arrives wrongly, and the next sync sets it right. */
static void test_each_call(void **state)
{
	static const int codes[] = { -EIO, -ENOMEM };
	unsigned int calls;

	(void)state;
	for (size_t i = 0; i < sizeof(setups) / sizeof(setups[0]); i++) {
		now = &setups[i];
		yard_setup(now);
		play();
		calls = yard.calls;
		yard_finish();
		assert_true(calls > 15);
		for (unsigned int nth = 1; nth <= calls + 4; nth++) {
			yard_setup(now);
			yard.fail_at = nth;
			yard.fail_code = codes[nth % 2];
			play();
			yard_finish();
		}
	}
}

/* And when it is taken apart. */
static void test_destroy_fails(void **state)
{
	(void)state;
	now = &setups[0];
	for (unsigned int nth = 1; nth <= 5; nth++) {
		yard_setup(now);
		for (uint32_t i = 0; i < 3; i++) {
			entry(i, bell(), i);
			mask(i, false);
		}
		msix(true, false);
		sync_well();
		yard.fail_at = yard.calls + nth;
		yard.fail_code = -EIO;
		yard_finish();
	}
}

static void test_no_descriptors(void **state)
{
	struct rlimit old, none;
	struct ward_error error;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 3;
	for (size_t i = 0; i < 3; i += 2) {
		now = &setups[i];
		yard_setup(now);
		entry(1, bell(), 7);
		mask(1, false);
		msix(true, false);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
		assert_int_equal(ward_wiring_sync(yard.wiring, &error), -ENOSPC);
		if (now->emulated)
			assert_int_equal(ward_wiring_raise(yard.wiring, 1), -EIO);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
		sync_well();
		assert_true(raise_vector(1));
		assert_int_equal(arrived(7), 1);
		yard_finish();
	}
	/* Nothing goes off for more that cannot be had. */
	now = &setups[1];
	yard_setup(now);
	entry(1, bell(), 7);
	mask(1, false);
	msix(true, false);
	sync_well();
	forget_calls();
	entry(5, bell(), 8);
	mask(5, false);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(ward_wiring_sync(yard.wiring, &error), -ENOSPC);
	assert_int_equal(yard.calls, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	sync_well();
	yard_finish();
}

/* The addresses of the guest, told in as few calls as there are runs. */
static void test_override(void **state)
{
	(void)state;
	now = &setups[3];
	yard_setup(now);
	for (uint32_t i = 0; i < 6; i++) {
		entry(i, CHOSEN, i);
		mask(i, i == 3);
	}
	msix(true, false);
	sync_well();
	/* What is masked is told as well: what it raises has to get to the host. */
	assert_string_equal(yard.log, "EMRAAAAA");
	assert_int_equal(yard.addresses[3], CHOSEN);
	forget_calls();
	mask(3, false);
	sync_well();
	assert_string_equal(yard.log, "RA");
	/* Behind a mask it may be half written: that is nobody's mistake yet. */
	mask(3, true);
	set_register(WARD_MSIX_TABLE, 3 * 16, 0x1000, 8);
	sync_well();
	assert_int_equal(yard.addresses[3], CHOSEN);
	set_register(WARD_MSIX_TABLE, 3 * 16, CHOSEN, 8);
	mask(3, false);
	sync_well();
	/* Another address that leads to the same doorbell: the route is the same. */
	forget_calls();
	set_register(WARD_MSIX_TABLE, 3 * 16, ASTRAY, 8);
	sync_well();
	assert_string_equal(yard.log, "M");
	assert_int_equal(yard.addresses[3], ASTRAY);
	/* Off and on: told anew. */
	msix(false, false);
	sync_well();
	forget_calls();
	msix(true, false);
	sync_well();
	assert_string_equal(yard.log, "EMRAAAAAA");
	yard_finish();
}

static void test_prepare(void **state)
{
	(void)state;
	now = &setups[4];
	yard_setup(now);
	for (uint32_t i = 0; i < 6; i++) {
		entry(i, CHOSEN, i);
		mask(i, i == 3);
	}
	msix(true, false);
	sync_well();
	/* What is masked is told as well: it could not be later without a pause for all. */
	assert_string_equal(yard.log, "MERAAAAA");
	assert_true(yard.told[3]);
	forget_calls();
	mask(3, false);
	sync_well();
	assert_string_equal(yard.log, "RA");
	/* Another address: off, told, on, and all are raised once. */
	forget_calls();
	set_register(WARD_MSIX_TABLE, 3 * 16, ASTRAY, 8);
	sync_well();
	assert_string_equal(yard.log, "XME");
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(arrived(i), 1);
	yard_finish();
}

/* Told, and not used: the host forgets it before it is told another. */
static void test_prepared_in_vain(void **state)
{
	(void)state;
	now = &setups[4];
	yard_setup(now);
	msi(true, 1, CHOSEN, 0x40);
	yard.fail_at = 2;
	yard.fail_code = -ENOMEM;
	assert_int_equal(ward_wiring_sync(yard.wiring, NULL), -ENOMEM);
	assert_string_equal(yard.log, "ME");
	msi(true, 1, ASTRAY, 0x40);
	sync_well();
	assert_int_equal(yard.addresses[0], ASTRAY);
	yard.failed = false;
	yard_finish();
}

/* MSI has one address: all of its vectors are told, masked or not. */
static void test_msi_address(void **state)
{
	(void)state;
	for (size_t i = 3; i <= 4; i++) {
		now = &setups[i];
		yard_setup(now);
		msi(true, 2, CHOSEN, 0x40);
		set_register(WARD_MSI_CAPABILITY, 16, 1, 4);
		sync_well();
		assert_int_equal(yard.count[CALL_MESSAGES], 1);
		assert_true(yard.told[0] && yard.told[3] && !yard.told[4]);
		set_register(WARD_MSI_CAPABILITY, 16, 0, 4);
		sync_well();
		msi(true, 2, ASTRAY, 0x40);
		sync_well();
		assert_int_equal(yard.addresses[0], ASTRAY);
		assert_int_equal(yard.addresses[3], ASTRAY);
		yard.bad_address = CHOSEN;
		msi(true, 2, CHOSEN, 0x40);
		assert_int_equal(ward_wiring_sync(yard.wiring, NULL), 1);
		assert_int_equal(ward_wiring_verify(yard.wiring, NULL), 0);
		assert_int_equal(yard.irqfds_count, 0);
		yard.bad_address = UINT64_MAX;
		if (now->way == WARD_MESSAGE_PREPARE) {
			msi(false, 2, CHOSEN, 0x40);
			sync_well();
			msi(true, 2, CHOSEN, 0x40);
		}
		sync_well();
		assert_int_equal(yard.irqfds_count, 4);
		yard_finish();
	}
}

/* The guest's doorbell is where it should be, and the host's is not behind it. */
static void test_host_refuses(void **state)
{
	struct ward_error error;

	(void)state;
	for (size_t i = 3; i <= 4; i++) {
		now = &setups[i];
		yard_setup(now);
		yard.bad_address = ASTRAY;
		for (uint32_t v = 0; v < 4; v++) {
			entry(v, v == 2 ? ASTRAY : CHOSEN, v);
			mask(v, false);
		}
		msix(true, false);
		assert_int_equal(ward_wiring_sync(yard.wiring, &error), 1);
		assert_string_equal(error.text, "vector 2 rings nothing: the host refuses");
		assert_int_equal(ward_wiring_verify(yard.wiring, &error), 0);
		assert_int_equal(wire_of(2).resolved, -EFAULT);
		assert_int_equal(yard.irqfds_count, 3);
		assert_true(yard.told[0] && yard.told[1] && !yard.told[2] && yard.told[3]);
		/* Prepared: all do not go off each time for the one that is refused. */
		forget_calls();
		assert_int_equal(ward_wiring_sync(yard.wiring, &error), 1);
		assert_string_equal(yard.log, i == 4 ? "" : "M");
		assert_int_equal(wire_of(2).resolved, -EFAULT);
		assert_int_equal(ward_wiring_verify(yard.wiring, &error), 0);
		mask(2, true);
		(void)ward_wiring_sync(yard.wiring, NULL);
		forget_calls();
		assert_int_equal(ward_wiring_sync(yard.wiring, NULL), 0);
		assert_int_equal(yard.count[CALL_DISABLE], 0);
		yard.bad_address = UINT64_MAX;
		mask(2, false);
		sync_well();
		assert_true(yard.told[2] && wire_of(2).wired);
		yard_finish();
	}
}

/* Refused when it was prepared, and then tried again for a reason. */
static void test_refused_once(void **state)
{
	(void)state;
	now = &setups[4];
	yard_setup(now);
	yard.bad_address = ASTRAY;
	entry(0, ASTRAY, 1);
	mask(0, false);
	msix(true, false);
	yard.fail_at = 2;
	yard.fail_code = -EIO;
	assert_int_equal(ward_wiring_sync(yard.wiring, NULL), -EIO);
	assert_string_equal(yard.log, "ME");
	yard.fail_at = 0;
	yard.bad_address = UINT64_MAX;
	mask(0, true);
	sync_well();
	forget_calls();
	mask(0, false);
	sync_well();
	assert_string_equal(yard.log, "RA");
	/* Another address without a mask. */
	yard.bad_address = ASTRAY;
	entry(1, ASTRAY, 2);
	mask(1, false);
	assert_int_equal(ward_wiring_sync(yard.wiring, NULL), 1);
	set_register(WARD_MSIX_TABLE, 0, CHOSEN, 8);
	set_register(WARD_MSIX_TABLE, 16, CHOSEN, 8);
	sync_well();
	assert_int_equal(yard.addresses[1], CHOSEN);
	yard.failed = false;
	yard_finish();
}

/* A space that does not lead to the guest's doorbell, and then does. */
static void test_space(void **state)
{
	struct ward_error error;

	(void)state;
	now = &setups[3];
	yard_setup(now);
	entry(0, 0xcccc0040, 1);
	mask(0, false);
	msix(true, false);
	assert_int_equal(ward_wiring_sync(yard.wiring, &error), 1);
	assert_string_equal(error.text, "vector 0 rings nothing: 0xcccc0040 -> fault: write to "
					"0xcccc0040: stage 2 maps nothing at 0xcccc0040");
	assert_int_equal(wire_of(0).resolved, -EFAULT);
	yard_map(0xcccc0040);
	sync_well();
	assert_int_equal(yard.addresses[0], 0xcccc0040);
	assert_int_equal(ward_space_unmap(yard.space, ward_iova(0xcccc0000), ward_iova(0xcccc0fff),
					  0, NULL),
			 0);
	assert_int_equal(ward_wiring_sync(yard.wiring, &error), 1);
	assert_false(wire_of(0).wired || wire_of(0).routed);
	yard_finish();
}

static void expect_contradiction(const char *text)
{
	struct ward_error error = { "" };

	assert_int_equal(ward_wiring_verify(yard.wiring, &error), -EBADMSG);
	assert_string_equal(error.text, text);
	assert_int_equal(ward_wiring_verify(yard.wiring, NULL), -EBADMSG);
}

/* Each contradiction, made on purpose. */
static void test_verify(void **state)
{
	struct ward_wire_state *wires, kept;
	struct ward_route route, other;

	(void)state;
	now = &setups[3];
	yard_setup(now);
	for (uint32_t i = 0; i < 3; i++) {
		entry(i, CHOSEN, i);
		mask(i, false);
	}
	msix(true, false);
	sync_well();
	wires = yard.wiring->wires;
	mask(1, true);
	expect_contradiction("vector 1 is wired, and the guest has it off or masked");
	mask(1, false);
	set_register(WARD_MSIX_TABLE, 16, 0x1000, 8);
	expect_contradiction("vector 1 is wired, and its message rings nothing");
	set_register(WARD_MSIX_TABLE, 16, ASTRAY, 8);
	expect_contradiction("vector 1 writes to another address than the guest's");
	set_register(WARD_MSIX_TABLE, 16, CHOSEN, 8);
	set_register(WARD_MSIX_TABLE, 16 + 8, 77, 4);
	expect_contradiction("vector 1 is wired to a GSI that has another's message");
	set_register(WARD_MSIX_TABLE, 16 + 8, 1, 4);
	sync_well();
	kept = wires[1];
	wires[1].wired = false;
	expect_contradiction("vector 1 is not wired, and the guest has it on");
	wires[1] = kept;
	wires[1].route.gsi = ward_gsi(4000);
	expect_contradiction("vector 1 is wired to a GSI that has no route");
	wires[1].route.gsi = ward_gsi(5000);
	expect_contradiction("vector 1 is wired to a GSI that has no route");
	wires[1] = kept;
	assert_int_equal(ward_routes_get(yard.table, kept.route.gsi, true, &route), 0);
	other = route;
	other.gsi = wires[0].route.gsi;
	set_register(WARD_MSIX_TABLE, 8, 1, 4);
	yard.misused = 0;
	assert_int_equal(ward_routes_set(yard.table, &other), 0);
	assert_int_equal(ward_routes_commit(yard.table), 0);
	yard.misused = 0;
	wires[1].route.gsi = other.gsi;
	expect_contradiction("vector 1 is wired to a GSI that another vector has");
	wires[1] = kept;
	assert_int_equal(ward_wiring_verify(yard.wiring, NULL), 0);
	yard.fds[2] = 999;
	expect_contradiction("vector 2 has a host vector with another eventfd");
	/* Masked, it would wait in vain. */
	mask(2, true);
	assert_int_equal(ward_wiring_sync(yard.wiring, NULL), 0);
	expect_contradiction("vector 2 has a host vector with another eventfd");
	yard.fds[2] = wires[2].eventfd;
	yard.addresses[2] = ASTRAY;
	expect_contradiction("vector 2 writes to another address than the guest's");
	yard.addresses[2] = CHOSEN;
	mask(2, false);
	sync_well();
	yard.wiring->host_index = WARD_IRQS_MSI;
	expect_contradiction("the host has on what the guest has off");
	yard.wiring->host_index = WARD_IRQS_MSIX;
	yard.wiring->host_count = 2;
	expect_contradiction("vector 2 is wired, and its host vector is off");
	yard.wiring->host_count = 3;
	assert_int_equal(ward_wiring_verify(yard.wiring, NULL), 0);
	yard_finish();
}

static uint64_t chance_state;

/* Marsaglia's xorshift, 64 bits, with his shifts 13, 7, 17. */
static uint32_t chance(uint32_t below)
{
	chance_state ^= chance_state << 13;
	chance_state ^= chance_state >> 7;
	chance_state ^= chance_state << 17;
	return (uint32_t)(chance_state >> 16) % below;
}

/* What a guest's driver may do, and what hardware may. Data is the vector's: who gets it is seen. */
static void step(bool *owed)
{
	uint32_t vector = chance(VECTORS);

	switch (chance(9)) {
	case 0:
		mask(vector, true);
		break;
	case 1:
	case 2:
		mask(vector, false);
		break;
	case 3:
		msix(chance(8) > 0, chance(4) == 0);
		break;
	case 4:
		mask(vector, true);
		entry(vector, chance(8) ? bell() : 0x1000, (vector + 1) * 1000 + chance(1000));
		break;
	case 5:
		/* A mask that is not yet wired through makes an event wait for the next one. */
		if (raise_vector(vector))
			owed[vector] = true;
		break;
	case 6:
		/* Another function's doing. */
		if (chance(2) == 0)
			ward_routes_abort(yard.table);
		else
			(void)ward_routes_commit(yard.table);
		break;
	default:
		(void)ward_wiring_sync(yard.wiring, NULL);
		break;
	}
}

/* By chance, with calls refused by chance: what was raised arrives, and only at its own vector. */
static void test_chance(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 120; round++) {
		bool owed[VECTORS] = { false };

		chance_state = 0x9e3779b97f4a7c15 + round;
		now = &setups[round % 6];
		yard_setup(now);
		yard.fail_code = -EIO;
		for (unsigned int i = 0; i < 120; i++) {
			if (chance(16) == 0)
				yard.fail_at = yard.calls + 1 + chance(4);
			step(owed);
		}
		yard.fail_at = 0;
		msix(true, false);
		for (uint32_t i = 0; i < VECTORS; i++) {
			entry(i, bell(), (i + 1) * 1000);
			mask(i, false);
		}
		sync_well();
		take();
		for (uint32_t i = 0; i < yard.arrivals_count; i++) {
			uint32_t vector = yard.arrivals[i].route.data / 1000 - 1;

			assert_true(vector < VECTORS);
			owed[vector] = false;
		}
		for (uint32_t i = 0; i < VECTORS; i++)
			assert_false(owed[i]);
		yard.failed = false;
		yard_finish();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_call),      cmocka_unit_test(test_destroy_fails),
		cmocka_unit_test(test_no_descriptors), cmocka_unit_test(test_override),
		cmocka_unit_test(test_prepare),	       cmocka_unit_test(test_prepared_in_vain),
		cmocka_unit_test(test_refused_once),   cmocka_unit_test(test_msi_address),
		cmocka_unit_test(test_host_refuses),   cmocka_unit_test(test_space),
		cmocka_unit_test(test_verify),	       cmocka_unit_test(test_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

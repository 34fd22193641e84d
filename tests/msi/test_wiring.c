// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Wiring: what becomes of a guest's registers, in which order, and at which price. */
#include "wiring_setup.h"

#include "sweep.h"

static const struct setup host = { .controller = WARD_VM_GICV3_ITS, .msi = 32, .msix = 70 };
static const struct setup emulated = {
	.controller = WARD_VM_GICV3_ITS,
	.emulated = true,
	.msi = 32,
	.msix = 70,
};
static const struct setup fixed = {
	.controller = WARD_VM_GICV3_ITS,
	.flags = WARD_IRQ_INFO_NORESIZE,
	.msi = 32,
	.msix = 70,
};

/* One thing wrong with good options at a time. */
static const struct spoiled {
	struct ward_range registers;
	uint32_t first_intid, last_intid;
	bool no_devid;
} spoiled[] = {
	{ { 1, 0 }, 0, 0, false },
	{ { V2M, V2M + 3 }, 31, 40, false },
	{ { V2M, V2M + 3 }, 41, 40, false },
	{ { V2M, V2M + 3 }, 0, 40, false },
	{ { V2M, V2M + 3 }, 200, 256, false }, /* the guest has 256 interrupts */
	{ { ITS, ITS + 3 }, 0, 0, true },
};

static void refuse(const struct ward_wiring_options *options)
{
	struct ward_wiring *wiring = NULL;

	assert_int_equal(ward_wiring_create(options, &wiring), -EINVAL);
	assert_null(wiring);
}

static void refuse_doorbells(const struct ward_wiring_options *good)
{
	struct ward_wiring_options bad = *good;

	for (size_t i = 0; i < sizeof(spoiled) / sizeof(spoiled[0]); i++) {
		const struct ward_guest_doorbell doorbell = {
			.registers = spoiled[i].registers,
			.first_intid = spoiled[i].first_intid,
			.last_intid = spoiled[i].last_intid,
			.has_devid = !spoiled[i].no_devid,
		};

		bad.doorbells = &doorbell;
		bad.doorbells_count = 1;
		refuse(&bad);
	}
}

static void test_options(void **state)
{
	struct ward_wiring_options good, bad[10];
	unsigned int i = 0;

	(void)state;
	yard_setup(&host);
	good = yard_options(&host);
	for (i = 0; i < 10; i++)
		bad[i] = good;
	bad[0].size--;
	bad[1].vectors = NULL;
	bad[2].vm = NULL;
	bad[3].routes = NULL;
	bad[4].doorbells = NULL;
	bad[5].doorbells_count = 65;
	bad[6].way = WARD_MESSAGE_OVERRIDE;
	bad[7].guest_addresses = true; /* and no space */
	bad[8].guest_addresses = true;
	bad[8].space = yard.space;
	bad[8].way = WARD_MESSAGE_OVERRIDE + 1;
	bad[9].guest_addresses = true;
	bad[9].space = yard.space;
	bad[9].device = NULL;
	for (i = 0; i < 10; i++)
		refuse(&bad[i]);
	refuse_doorbells(&good);
	ward_wiring_destroy(NULL);
	yard_finish();
}

/* Doorbells that the guest's controller does nothing with: KVM would not say so. */
static void test_controllers(void **state)
{
	static const struct setup setups[] = {
		{ .controller = WARD_VM_GICV2, .msix = 1 },
		{ .controller = WARD_VM_GICV3, .msix = 1 },
		{ .controller = WARD_VM_X86, .msix = 1 },
	};
	const struct ward_guest_doorbell frame = {
		.registers = { V2M, V2M + 3 },
		.first_intid = 33,
		.last_intid = 40,
	};
	const struct ward_guest_doorbell its = {
		.registers = { ITS, ITS + 3 },
		.has_devid = true,
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		bool is_x86 = setups[i].controller == WARD_VM_X86;
		struct ward_wiring_options options;

		yard_begin(&setups[i]);
		options = yard_options(&setups[i]);
		options.doorbells_count = 1;
		options.doorbells = is_x86 ? &frame : &its;
		refuse(&options);
		options.doorbells = is_x86 ? &its : &frame;
		assert_int_equal(ward_wiring_create(&options, &yard.wiring), 0);
		yard_finish();
	}
}

/* A monitor that syncs each time it is told of a change, in the middle of the guest's write. */
static void test_follows(void **state)
{
	static const struct setup follows = {
		.controller = WARD_VM_GICV3_ITS,
		.msi = 32,
		.msix = 4,
		.follows = true,
	};

	(void)state;
	yard_setup(&follows);
	entry(0, ITS, 7);
	msix(true, false);
	assert_true(host_raise(0));
	mask(1, true);
	entry(1, ITS, 8);
	assert_true(is_pending(0));
	mask(0, false);
	assert_false(is_pending(0));
	assert_int_equal(arrived(7), 1);
	mask(0, true);
	assert_true(host_raise(0));
	msix(false, false);
	ward_vectors_reset(yard.vectors);
	assert_int_equal(yard.irqfds_count + yard.enabled, 0);
	assert_int_equal(ward_wiring_verify(yard.wiring, NULL), 0);
	yard_finish();
}

/* 64 vectors of one device: one change of host vectors, one commit. */
static void test_sixty_four(void **state)
{
	(void)state;
	yard_setup(&host);
	msix(true, true);
	sync_well();
	assert_int_equal(yard.calls, 0);
	for (uint32_t i = 0; i < 64; i++) {
		entry(i, ITS, i);
		mask(i, false);
	}
	msix(true, false);
	sync_well();
	assert_int_equal(yard.count[CALL_ENABLE], 1);
	assert_int_equal(yard.count[CALL_ROUTES], 1);
	assert_int_equal(yard.count[CALL_ASSIGN], 64);
	assert_int_equal(yard.calls, 66);
	assert_int_equal(yard.enabled, 64);
	for (uint32_t i = 0; i < 64; i++) {
		struct ward_wire wire = wire_of(i);
		struct ward_route route;

		assert_true(wire.wired && wire.routed && wire.resolved == 0 && !wire.pending);
		assert_int_equal(wire.doorbell, 0);
		assert_int_equal(yard.fds[i], wire.eventfd);
		assert_int_equal(ward_routes_get(yard.table, wire.gsi, true, &route), 0);
		assert_int_equal(route.flags, WARD_ROUTE_DEVID);
		assert_int_equal(ward_devid_raw(route.devid), DEVID);
		assert_int_equal(ward_gpa_raw(route.address), ITS);
		assert_true(host_raise(i));
		assert_int_equal(arrived(i), 1);
	}
	assert_false(wire_of(64).wired);
	sync_well();
	assert_int_equal(yard.calls, 66);
	entry(64, ITS, 64);
	sync_well();
	assert_true(host_raise(64));
	sync_well();
	assert_true(is_pending(64));
	yard_finish();
}

/* Masked: unwired, then nothing. Unmasked: committed when the message is another, then wired. */
static void test_order(void **state)
{
	(void)state;
	yard_setup(&host);
	entry(0, ITS, 7);
	mask(0, false);
	msix(true, false);
	sync_well();
	assert_string_equal(yard.log, "ERA");
	forget_calls();
	mask(0, true);
	sync_well();
	assert_string_equal(yard.log, "D");
	assert_true(wire_of(0).routed && !wire_of(0).wired);
	/* What arrives now is kept, and shown. */
	assert_true(host_raise(0) && host_raise(0));
	assert_int_equal(arrived(7), 0);
	assert_true(wire_of(0).pending);
	assert_false(is_pending(0));
	sync_well();
	assert_true(is_pending(0));
	forget_calls();
	mask(0, false);
	assert_false(is_pending(0));
	sync_well();
	assert_string_equal(yard.log, "A");
	assert_int_equal(arrived(7), 1);
	/* Another message behind the mask. */
	mask(0, true);
	entry(0, ITS, 8);
	sync_well();
	assert_false(wire_of(0).routed);
	assert_true(host_raise(0));
	forget_calls();
	mask(0, false);
	sync_well();
	assert_string_equal(yard.log, "RA");
	assert_int_equal(arrived(7), 0);
	assert_int_equal(arrived(8), 1);
	/* Another message without a mask. */
	forget_calls();
	set_register(WARD_MSIX_TABLE, 8, 9, 4);
	sync_well();
	assert_string_equal(yard.log, "DRA");
	/* The mask of the function, set and taken away in one go with a message. */
	forget_calls();
	msix(true, true);
	sync_well();
	assert_string_equal(yard.log, "D");
	assert_true(host_raise(0));
	sync_well();
	assert_true(is_pending(0));
	msix(true, false);
	sync_well();
	assert_int_equal(arrived(9), 1);
	assert_int_equal(arrived(8), 0);
	yard_finish();
}

static void test_emulated(void **state)
{
	const uint64_t full = UINT64_MAX - 1;

	(void)state;
	yard_setup(&emulated);
	assert_int_equal(ward_wiring_raise(yard.wiring, 0), -EINVAL);
	entry(2, ITS, 5);
	msix(true, false);
	/* Raised before anything was wired: it is not lost. */
	assert_int_equal(ward_wiring_raise(yard.wiring, 2), 0);
	assert_true(is_pending(2));
	assert_int_equal(ward_wiring_raise(yard.wiring, 70), -EINVAL);
	sync_well();
	assert_int_equal(yard.calls, 0);
	assert_true(is_pending(2));
	mask(2, false);
	sync_well();
	assert_string_equal(yard.log, "RA");
	assert_int_equal(arrived(5), 1);
	assert_int_equal(ward_wiring_raise(yard.wiring, 2), 0);
	assert_int_equal(ward_wiring_raise(yard.wiring, 2), 0);
	assert_int_equal(arrived(5), 1);
	assert_false(is_pending(2));
	/* A counter that is full is an event all the same. */
	assert_int_equal(write(wire_of(2).eventfd, &full, sizeof(full)), sizeof(full));
	assert_int_equal(ward_wiring_raise(yard.wiring, 2), 0);
	assert_int_equal(arrived(5), 1);
	yard_finish();
}

/* The data of a message for GICv2m is an INTID: by pin, and no commit at all. */
static void test_by_pin(void **state)
{
	struct ward_error error = { "" };

	(void)state;
	yard_setup(&host);
	entry(0, V2M, 64);
	entry(1, V2M, 95);
	entry(2, V2M, 96);
	entry(3, V2M, 63);
	for (uint32_t i = 0; i < 4; i++)
		mask(i, false);
	msix(true, false);
	assert_int_equal(ward_wiring_sync(yard.wiring, &error), 1);
	assert_string_equal(error.text, "vector 2 rings nothing: its data 0x60 is no interrupt of "
					"the frame, which has 64 to 95");
	assert_int_equal(ward_wiring_verify(yard.wiring, &error), 0);
	assert_string_equal(yard.log, "EAA");
	assert_int_equal(ward_gsi_raw(wire_of(0).gsi), 32);
	assert_int_equal(ward_gsi_raw(wire_of(1).gsi), 63);
	assert_int_equal(wire_of(2).resolved, -EINVAL);
	assert_int_equal(wire_of(2).doorbell, 1);
	assert_false(wire_of(2).routed || wire_of(3).wired);
	assert_true(host_raise(1) && host_raise(2));
	assert_int_equal(arrived(95), 1);
	assert_int_equal(arrived(96), 0);
	/* A message of a pin becomes one of an MSI route, and back. */
	forget_calls();
	entry(0, ITS, 1);
	entry(2, V2M, 65);
	entry(3, V2M, 65);
	sync_well();
	assert_string_equal(yard.log, "DRAAA");
	entry(0, V2M, 66);
	sync_well();
	assert_int_equal(yard.routes_count, 224);
	assert_true(host_raise(3) && host_raise(2));
	assert_int_equal(arrived(65), 2);
	yard_finish();
}

/* Many messages of MSI: data counts up, and mask bits work as those of MSI-X. */
static void test_msi(void **state)
{
	(void)state;
	yard_setup(&host);
	msi(true, 2, ITS, 0x40);
	set_register(WARD_MSI_CAPABILITY, 16, 1u << 3, 4);
	sync_well();
	assert_int_equal(yard.active, WARD_IRQS_MSI);
	assert_int_equal(yard.enabled, 4);
	assert_string_equal(yard.log, "ERAAA");
	for (uint32_t i = 0; i < 4; i++) {
		assert_true(host_raise(i));
		assert_int_equal(arrived(0x40 + i), i < 3);
	}
	sync_well();
	assert_true(is_pending(3));
	set_register(WARD_MSI_CAPABILITY, 16, 0, 4);
	sync_well();
	assert_int_equal(arrived(0x43), 1);
	/* More of them, then fewer: those beyond are off, their GSIs given back. */
	forget_calls();
	msi(true, 3, ITS, 0x40);
	sync_well();
	assert_string_equal(yard.log, "ERAAAA");
	msi(true, 1, ITS, 0x40);
	sync_well();
	assert_int_equal(yard.irqfds_count, 2);
	/* Off, what waits is gone. */
	set_register(WARD_MSI_CAPABILITY, 16, 1, 4);
	sync_well();
	assert_true(host_raise(0));
	msi(false, 1, ITS, 0x40);
	sync_well();
	assert_int_equal(yard.enabled, 0);
	set_register(WARD_MSI_CAPABILITY, 16, 0, 4);
	msi(true, 1, ITS, 0x40);
	sync_well();
	assert_int_equal(arrived(0x40), 0);
	/* MSI-X comes on over it: host vectors change kinds. */
	forget_calls();
	entry(0, ITS, 0x99);
	mask(0, false);
	msix(true, false);
	sync_well();
	assert_string_equal(yard.log, "DDXERA");
	assert_true(host_raise(0));
	assert_int_equal(arrived(0x99), 1);
	yard_finish();
}

/* Off and on again keeps what waits, a reset does not. */
static void test_off(void **state)
{
	(void)state;
	yard_setup(&host);
	entry(0, ITS, 7);
	msix(true, false);
	sync_well();
	assert_true(host_raise(0));
	msix(false, false);
	sync_well();
	assert_int_equal(yard.enabled, 0);
	mask(0, false);
	msix(true, false);
	sync_well();
	assert_int_equal(arrived(7), 1);
	mask(0, true);
	sync_well();
	assert_true(host_raise(0));
	ward_vectors_reset(yard.vectors);
	sync_well();
	assert_int_equal(yard.irqfds_count + yard.enabled, 0);
	assert_int_equal(yard.routes_count, 224);
	entry(0, ITS, 7);
	mask(0, false);
	msix(true, false);
	sync_well();
	assert_int_equal(arrived(7), 0);
	/* Reset and on again before anybody looked: the host's vectors went off in between. */
	forget_calls();
	ward_vectors_reset(yard.vectors);
	entry(0, ITS, 7);
	mask(0, false);
	msix(true, false);
	assert_true(host_raise(0));
	sync_well();
	assert_string_equal(yard.log, "XE");
	yard_finish();
}

/* Where vectors can be added, only what is new is touched. */
static void test_growth(void **state)
{
	(void)state;
	yard_setup(&host);
	entry(0, ITS, 100);
	mask(0, false);
	msix(true, false);
	sync_well();
	forget_calls();
	entry(5, ITS, 105);
	mask(5, false);
	sync_well();
	assert_string_equal(yard.log, "ERA");
	assert_int_equal(yard.enabled, 6);
	take();
	assert_int_equal(arrived(100), 0);
	yard_finish();
}

/* Where they cannot, all go off for a moment, and those that were on are raised once for it. */
static void test_noresize(void **state)
{
	struct ward_error error;

	(void)state;
	yard_setup(&fixed);
	for (uint32_t i = 0; i < 3; i += 2)
		entry(i, ITS, 100 + i);
	mask(0, false);
	msix(true, false);
	sync_well();
	assert_int_equal(yard.enabled, 3);
	forget_calls();
	entry(5, ITS, 105);
	mask(5, false);
	sync_well();
	assert_string_equal(yard.log, "XERA");
	assert_int_equal(yard.enabled, 6);
	assert_int_equal(arrived(100), 1);
	assert_int_equal(arrived(105), 0);
	assert_true(is_pending(2));
	assert_false(wire_of(1).pending);
	/* The host has no more: what was on comes back, and is raised once. */
	yard.fewer = 6;
	entry(6, ITS, 106);
	mask(6, false);
	assert_int_equal(ward_wiring_sync(yard.wiring, &error), -ENOSPC);
	assert_string_equal(error.text, "7 host vectors are needed, 6 can be had");
	assert_int_equal(yard.enabled, 6);
	assert_int_equal(arrived(100), 1);
	assert_int_equal(arrived(105), 1);
	assert_true(wire_of(0).wired && !wire_of(6).wired);
	yard.fewer = 0;
	sync_well();
	assert_int_equal(yard.enabled, 7);
	/* Not even what was on comes back, and the guest gives up: nothing was missed then. */
	(void)arrived(100);
	yard.fewer = 2;
	entry(7, ITS, 107);
	assert_int_equal(ward_wiring_sync(yard.wiring, &error), -ENOSPC);
	assert_int_equal(yard.enabled, 0);
	msix(false, false);
	sync_well();
	yard.fewer = 0;
	msix(true, false);
	sync_well();
	assert_int_equal(arrived(100), 0);
	yard_finish();
}

/* One that rings nothing is left out, the others are wired, and it is when it can be. */
static void test_rings_nothing(void **state)
{
	struct ward_error error;

	(void)state;
	yard_setup(&host);
	for (uint32_t i = 0; i < 4; i++) {
		entry(i, i == 1 ? ITS + 4 : i == 2 ? 0x1000 : ITS, 10 + i);
		mask(i, false);
	}
	msix(true, false);
	assert_int_equal(ward_wiring_sync(yard.wiring, &error), 1);
	assert_string_equal(error.text, "vector 1 rings nothing: 0x8090044 -> beside the register "
					"of doorbell 0, in its page");
	assert_int_equal(ward_wiring_verify(yard.wiring, &error), 0);
	assert_int_equal(yard.irqfds_count, 2);
	assert_int_equal(wire_of(1).resolved, -ENOENT);
	assert_int_equal(wire_of(1).doorbell, WARD_NONE);
	assert_int_equal(ward_wiring_sync(yard.wiring, NULL), 1);
	assert_true(host_raise(1));
	assert_int_equal(ward_wiring_sync(yard.wiring, NULL), 1);
	assert_true(wire_of(1).pending);
	assert_false(is_pending(1));
	entry(1, ITS, 11);
	entry(2, ITS, 12);
	sync_well();
	assert_int_equal(yard.irqfds_count, 4);
	assert_int_equal(arrived(11), 1);
	/* And the other way round. */
	entry(3, 0x1000, 13);
	assert_int_equal(ward_wiring_sync(yard.wiring, &error), 1);
	assert_false(wire_of(3).wired || wire_of(3).routed);
	assert_int_equal(ward_wiring_get(yard.wiring, 70, &(struct ward_wire){ 0 }), -EINVAL);
	yard_finish();
}

/* x86: bits that the controller's routes cannot have. */
static void test_no_route(void **state)
{
	static const struct ward_guest_doorbell apic = {
		.registers = { 0x100fee00000, 0x1ffffffffffff },
	};
	static const struct setup x86 = { .controller = WARD_VM_X86, .msix = 2 };
	struct ward_wiring_options options;
	struct ward_error error;

	(void)state;
	yard_begin(&x86);
	options = yard_options(&x86);
	options.doorbells = &apic;
	options.doorbells_count = 1;
	assert_int_equal(ward_wiring_create(&options, &yard.wiring), 0);
	entry(0, 0x101fee00000, 0x31);
	entry(1, 0x100fee00000, 0x32);
	mask(0, false);
	mask(1, false);
	msix(true, false);
	assert_int_equal(ward_wiring_sync(yard.wiring, &error), 1);
	assert_string_equal(error.text,
			    "vector 0 rings nothing: the controller has no such message");
	assert_int_equal(ward_wiring_verify(yard.wiring, &error), 0);
	assert_int_equal(wire_of(0).resolved, -EINVAL);
	assert_true(wire_of(1).wired);
	yard_finish();
}

static int make(void *context)
{
	const struct ward_wiring_options *options = context;
	struct ward_wiring *wiring;
	int code = ward_wiring_create(options, &wiring);

	if (code)
		return code;
	code = ward_wiring_sync(wiring, NULL);
	if (code == 0)
		code = ward_wiring_verify(wiring, NULL);
	ward_wiring_destroy(wiring);
	return code;
}

static void test_no_memory(void **state)
{
	struct ward_wiring_options options;
	struct ward_routes_info info;

	(void)state;
	yard_setup(&host);
	for (uint32_t i = 0; i < 40; i++) {
		entry(i, ITS, i);
		mask(i, false);
	}
	msix(true, false);
	options = yard_options(&host);
	assert_true(test_sweep(make, &options) >= 4);
	ward_routes_info(yard.table, &info);
	assert_int_equal(info.allocated, 0);
	yard_finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),	 cmocka_unit_test(test_controllers),
		cmocka_unit_test(test_follows),	 cmocka_unit_test(test_sixty_four),
		cmocka_unit_test(test_order),	 cmocka_unit_test(test_emulated),
		cmocka_unit_test(test_by_pin),	 cmocka_unit_test(test_msi),
		cmocka_unit_test(test_off),	 cmocka_unit_test(test_growth),
		cmocka_unit_test(test_noresize), cmocka_unit_test(test_rings_nothing),
		cmocka_unit_test(test_no_route), cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The ITS from end to end: messages, commands and what they make pending; both profiles. */
#include "emul/its_rig.h"
#include "sweep.h"

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

/* DISCARD takes mapping and pending bit away, CLEAR the bit alone. */
static void test_discard_and_clear(void **state)
{
	(void)state;
	for (int profile = WARD_ITS_ARCHITECTURE; profile <= WARD_ITS_KVM; profile++) {
		struct rig rig;

		rig_setup(&rig, profile);
		map_one(&rig);
		assert_int_equal(rig_message(&rig, 7, 5), WARD_REASON_NONE);
		assert_int_equal(rig_event(&rig, CLEAR, 7, 5), RIG_OK);
		assert_true(rig_pending_nowhere(&rig, 8200));
		assert_int_equal(rig_message(&rig, 7, 5), WARD_REASON_NONE);
		assert_int_equal(rig_event(&rig, DISCARD, 7, 5), RIG_OK);
		assert_true(rig_pending_nowhere(&rig, 8200));
		assert_int_equal(rig_message(&rig, 7, 5), WARD_REASON_UNMAPPED_EVENT);
		assert_int_equal(rig_load(&rig, RIG_ITTS + 5 * 8), 0);
		rig_teardown(&rig);
	}
}

/* Why a message is ignored, one reason at a time. */
static void test_reasons(void **state)
{
	(void)state;
	for (int profile = WARD_ITS_ARCHITECTURE; profile <= WARD_ITS_KVM; profile++) {
		struct rig rig;

		rig_setup(&rig, profile);
		map_one(&rig);
		assert_int_equal(rig_mapti(&rig, 7, 6, 8201, 3), RIG_OK);
		assert_int_equal(rig_message(&rig, 7, 6), WARD_REASON_UNMAPPED_COLLECTION);
		assert_int_equal(rig_message(&rig, 7, 7), WARD_REASON_UNMAPPED_EVENT);
		assert_int_equal(rig_message(&rig, 7, 32), WARD_REASON_EVENT_RANGE);
		assert_int_equal(rig_message(&rig, 7, UINT32_MAX), WARD_REASON_EVENT_RANGE);
		assert_int_equal(rig_message(&rig, 8, 5), WARD_REASON_UNMAPPED_DEVICE);
		assert_int_equal(rig_message(&rig, 0x10007, 5), WARD_REASON_DEVICE_RANGE);
		assert_int_equal(rig_message(&rig, UINT32_MAX, UINT32_MAX),
				 WARD_REASON_DEVICE_RANGE);
		rig_gicr(&rig, 2, 0x00, 0, 4);
		assert_int_equal(rig_message(&rig, 7, 5), WARD_REASON_LPIS_OFF);
		rig_gicr(&rig, 2, 0x00, 1, 4);
		assert_int_equal(rig_message(&rig, 7, 5), WARD_REASON_NONE);
		rig_write32(&rig, GITS_CTLR, 0);
		assert_int_equal(rig_message(&rig, 7, 5), WARD_REASON_OFF);
		rig_teardown(&rig);
	}
}

/* MOVI takes what is pending along; the old CPU has nothing then. */
static void test_movi(void **state)
{
	(void)state;
	for (int profile = WARD_ITS_ARCHITECTURE; profile <= WARD_ITS_KVM; profile++) {
		struct rig rig;

		rig_setup(&rig, profile);
		map_one(&rig);
		assert_int_equal(rig_message(&rig, 7, 5), WARD_REASON_NONE);
		assert_int_equal(rig_movi(&rig, 7, 5, 2), RIG_OK);
		assert_true(rig_took(&rig, 3, 8200));
		assert_int_equal(rig_message(&rig, 7, 5), WARD_REASON_NONE);
		assert_true(rig_took(&rig, 3, 8200));
		/* To where it is already. */
		assert_int_equal(rig_movi(&rig, 7, 5, 2), RIG_OK);
		assert_int_equal(rig_message(&rig, 7, 5), WARD_REASON_NONE);
		assert_true(rig_took(&rig, 3, 8200));
		rig_teardown(&rig);
	}
}

/*
 * A collection that goes elsewhere: what is pending stays until MOVALL, which takes all of one CPU.
 * KVM: an LPI and what is pending of it go along at once, and so with MOVALL.
 */
static void test_retarget(void **state)
{
	struct rig rig;

	(void)state;
	rig_setup(&rig, WARD_ITS_ARCHITECTURE);
	map_one(&rig);
	assert_int_equal(rig_mapti(&rig, 7, 6, 8201, 2), RIG_OK);
	assert_int_equal(rig_message(&rig, 7, 5), WARD_REASON_NONE);
	assert_int_equal(rig_message(&rig, 7, 6), WARD_REASON_NONE);
	assert_int_equal(rig_mapc(&rig, 1, 0), RIG_OK);
	assert_true(ward_gic_is_pending(rig.gic, 2, 8200));
	assert_int_equal(rig_movall(&rig, 2, 0), RIG_OK);
	assert_true(rig_took(&rig, 0, 8200));
	assert_true(rig_took(&rig, 3, 8201));
	assert_int_equal(rig_message(&rig, 7, 5), WARD_REASON_NONE);
	assert_true(rig_took(&rig, 0, 8200));
	assert_int_equal(rig_movall(&rig, 1, 1), RIG_OK);
	rig_teardown(&rig);

	rig_setup(&rig, WARD_ITS_KVM);
	map_one(&rig);
	assert_int_equal(rig_mapti(&rig, 7, 6, 8201, 2), RIG_OK);
	assert_int_equal(rig_message(&rig, 7, 5), WARD_REASON_NONE);
	assert_int_equal(rig_mapc(&rig, 1, 0), RIG_OK);
	assert_true(rig_took(&rig, 0, 8200));
	assert_int_equal(rig_message(&rig, 7, 6), WARD_REASON_NONE);
	assert_int_equal(rig_movall(&rig, 0, 1), RIG_OK); /* 8201 is at 3 */
	assert_true(rig_took(&rig, 3, 8201));
	assert_int_equal(rig_message(&rig, 7, 5), WARD_REASON_NONE);
	assert_true(rig_took(&rig, 1, 8200));
	/* To the same CPU: nothing. */
	assert_int_equal(rig_movall(&rig, 2, 2), RIG_OK);
	assert_int_equal(rig_message(&rig, 7, 5), WARD_REASON_NONE);
	assert_true(rig_took(&rig, 1, 8200));
	rig_teardown(&rig);
}

/* A collection that is unmapped and mapped again. KVM: its events do not come back. */
static void test_unmapped_collection(void **state)
{
	(void)state;
	for (int profile = WARD_ITS_ARCHITECTURE; profile <= WARD_ITS_KVM; profile++) {
		bool back = profile == WARD_ITS_ARCHITECTURE;
		struct rig rig;

		rig_setup(&rig, profile);
		map_one(&rig);
		assert_int_equal(rig_unmapc(&rig, 1), RIG_OK);
		assert_int_equal(rig_message(&rig, 7, 5), WARD_REASON_UNMAPPED_COLLECTION);
		assert_int_equal(rig_mapc(&rig, 1, 1), RIG_OK);
		assert_int_equal(rig_message(&rig, 7, 5),
				 back ? WARD_REASON_NONE : WARD_REASON_UNMAPPED_COLLECTION);
		assert_int_equal(rig_took(&rig, 1, 8200), back);
		/* A collection that comes later than its event. */
		assert_int_equal(rig_mapti(&rig, 7, 6, 8201, 3), RIG_OK);
		assert_int_equal(rig_mapc(&rig, 3, 0), RIG_OK);
		assert_int_equal(rig_message(&rig, 7, 6), WARD_REASON_NONE);
		assert_true(rig_took(&rig, 0, 8201));
		rig_teardown(&rig);
	}
}

/* INV and INVALL read what the configuration table says; until then the old holds. */
static void test_configuration(void **state)
{
	uint8_t off = 0xa2, on = 0xa3;
	uint32_t intid;

	(void)state;
	for (int profile = WARD_ITS_ARCHITECTURE; profile <= WARD_ITS_KVM; profile++) {
		struct rig rig;

		rig_setup(&rig, profile);
		map_one(&rig);
		assert_int_equal(rig_message(&rig, 7, 5), WARD_REASON_NONE);
		assert_int_equal(ward_memory_write(rig.memory, RIG_PROPBASE + 8, &off, 1), 0);
		assert_int_equal(rig_event(&rig, INV, 7, 5), RIG_OK);
		assert_int_not_equal(ward_gic_take(rig.gic, 2, &intid), 0);
		assert_int_equal(ward_memory_write(rig.memory, RIG_PROPBASE + 8, &on, 1), 0);
		assert_int_not_equal(ward_gic_take(rig.gic, 2, &intid), 0);
		assert_int_equal(rig_invall(&rig, 1), RIG_OK);
		assert_true(rig_took(&rig, 2, 8200));
		rig_teardown(&rig);
	}
}

/* Two events of one LPI: each raises it. KVM: it goes where it went first. */
static void test_shared_lpi(void **state)
{
	(void)state;
	for (int profile = WARD_ITS_ARCHITECTURE; profile <= WARD_ITS_KVM; profile++) {
		struct rig rig;

		rig_setup(&rig, profile);
		map_one(&rig);
		assert_int_equal(rig_mapd(&rig, 8, RIG_ITTS + 0x1000, 5), RIG_OK);
		assert_int_equal(rig_mapti(&rig, 8, 0, 8200, 2), RIG_OK);
		assert_int_equal(rig_message(&rig, 8, 0), WARD_REASON_NONE);
		assert_true(rig_took(&rig, profile == WARD_ITS_KVM ? 2 : 3, 8200));
		assert_int_equal(rig_event(&rig, DISCARD, 7, 5), RIG_OK);
		assert_int_equal(rig_message(&rig, 8, 0), WARD_REASON_NONE);
		assert_true(rig_took(&rig, profile == WARD_ITS_KVM ? 2 : 3, 8200));
		rig_teardown(&rig);
	}
}

/* KVM: an LPI that goes nowhere waits, and is pending where it goes at last; CLEAR ends the wait. */
static void test_latched(void **state)
{
	struct ward_interrupt interrupt;

	(void)state;
	for (int cleared = 0; cleared < 2; cleared++) {
		struct rig rig;

		rig_setup(&rig, WARD_ITS_KVM);
		assert_int_equal(rig_mapd(&rig, 7, RIG_ITTS, 5), RIG_OK);
		assert_int_equal(rig_mapc(&rig, 1, 2), RIG_OK);
		assert_int_equal(rig_mapti(&rig, 7, 0, 8200, 3), RIG_OK); /* 3 is not mapped */
		assert_int_equal(rig_mapti(&rig, 7, 1, 8200, 1), RIG_OK);
		assert_int_equal(ward_its_translate(rig.its, ward_devid(7), 1, &interrupt), 1);
		assert_int_equal(interrupt.cpu, WARD_NONE);
		assert_int_equal(rig_message(&rig, 7, 1), WARD_REASON_NONE);
		assert_true(rig_pending_nowhere(&rig, 8200));
		if (cleared)
			assert_int_equal(rig_event(&rig, CLEAR, 7, 1), RIG_OK);
		assert_int_equal(rig_mapc(&rig, 3, 1), RIG_OK);
		assert_int_equal(rig_took(&rig, 1, 8200), !cleared);
		/* The LPI's own CPU has LPIs off. */
		rig_gicr(&rig, 1, 0x00, 0, 4);
		assert_int_equal(rig_message(&rig, 7, 0), WARD_REASON_LPIS_OFF);
		assert_int_equal(rig_message(&rig, 7, 1), WARD_REASON_NONE);
		assert_int_equal(rig_mapc(&rig, 3, 0), RIG_OK);
		assert_true(rig_took(&rig, 0, 8200));
		rig_teardown(&rig);
	}
}

/* exclusive_lpis: an LPI is one event's until that is gone, by whatever way. */
static void test_exclusive(void **state)
{
	struct ward_its_options options = { .exclusive_lpis = true };
	struct rig rig;

	(void)state;
	rig_setup_with(&rig, &options);
	rig_write32(&rig, GITS_CTLR, 1);
	map_one(&rig);
	assert_int_equal(rig_mapd(&rig, 8, RIG_ITTS + 0x1000, 14), RIG_OK);
	assert_int_equal(rig_mapti(&rig, 8, 0, 8200, 1), 0);
	assert_int_equal(rig_mapi(&rig, 8, 8200, 1), 0);
	assert_int_equal(rig_mapti(&rig, 7, 6, 8200, 1), 0);
	assert_int_equal(rig_message(&rig, 8, 0), WARD_REASON_UNMAPPED_EVENT);
	assert_int_equal(rig_load(&rig, RIG_ITTS + 0x1000), 0);
	assert_int_equal(rig_event(&rig, DISCARD, 7, 5), RIG_OK);
	assert_int_equal(rig_mapti(&rig, 8, 0, 8200, 1), RIG_OK);
	assert_int_equal(rig_mapti(&rig, 7, 5, 8200, 1), 0);
	assert_int_equal(rig_unmapd(&rig, 8), RIG_OK);
	assert_int_equal(rig_mapti(&rig, 7, 5, 8200, 1), RIG_OK);
	assert_int_equal(rig_mapd(&rig, 7, RIG_ITTS, 5), RIG_OK);
	assert_int_equal(rig_mapti(&rig, 7, 1, 8200, 1), RIG_OK);
	assert_int_equal(rig_message(&rig, 7, 1), WARD_REASON_NONE);
	assert_true(rig_took(&rig, 2, 8200));
	rig_teardown(&rig);
}

/* An LPI is one ITS's of those that have exclusive_lpis, until its event or its ITS is gone. */
static void test_exclusive_of_two(void **state)
{
	struct ward_its_options options = { .size = sizeof(options), .exclusive_lpis = true };
	struct rig rig, other;

	(void)state;
	rig_setup_with(&rig, &options);
	rig_write32(&rig, GITS_CTLR, 1);
	map_one(&rig);
	other = rig;
	other.head = 0;
	options.gic = rig.gic;
	options.memory = rig.memory;
	assert_int_equal(ward_its_create(&options, &other.its), 0);
	rig_write(&other, GITS_BASER(0), VALID | RIG_LEVEL2 | 2 << 8);
	rig_write(&other, GITS_BASER(1), VALID | (RIG_LEVEL2 + 0x10000) | 2 << 8);
	rig_write(&other, GITS_CBASER, VALID | RIG_QUEUE);
	rig_write32(&other, GITS_CTLR, 1);
	assert_int_equal(rig_mapc(&other, 1, 2), RIG_OK);
	assert_int_equal(rig_mapd(&other, 9, RIG_ITTS + 0x1000, 4), RIG_OK);
	assert_int_equal(rig_mapti(&other, 9, 0, 8200, 1), 0);
	assert_int_equal(rig_message(&other, 9, 0), WARD_REASON_UNMAPPED_EVENT);
	ward_its_destroy(rig.its);
	assert_int_equal(rig_mapti(&other, 9, 0, 8200, 1), RIG_OK);
	assert_int_equal(rig_message(&other, 9, 0), WARD_REASON_NONE);
	assert_true(rig_took(&other, 2, 8200));
	rig_teardown(&other);
}

/* What is written over the tables behind its back changes nothing. */
static void test_tables_are_not_believed(void **state)
{
	struct rig rig;

	(void)state;
	rig_setup(&rig, WARD_ITS_ARCHITECTURE);
	map_one(&rig);
	rig_store(&rig, RIG_DEVICES + 7 * 8, UINT64_MAX);
	rig_store(&rig, RIG_ITTS + 5 * 8, (uint64_t)8300 << 16 | 2);
	rig_store(&rig, RIG_ITTS + 6 * 8, (uint64_t)8301 << 16 | 1);
	rig_store(&rig, RIG_COLLECTIONS + 8, 0);
	assert_int_equal(rig_message(&rig, 7, 5), WARD_REASON_NONE);
	assert_true(rig_took(&rig, 2, 8200));
	assert_int_equal(rig_message(&rig, 7, 6), WARD_REASON_UNMAPPED_EVENT);
	rig_teardown(&rig);
}

/* Mapping a device again, and reset, take its events away. */
static void test_forgotten(void **state)
{
	(void)state;
	for (int profile = WARD_ITS_ARCHITECTURE; profile <= WARD_ITS_KVM; profile++) {
		struct rig rig;

		rig_setup(&rig, profile);
		map_one(&rig);
		assert_int_equal(rig_mapd(&rig, 7, RIG_ITTS, 5), RIG_OK);
		assert_int_equal(rig_message(&rig, 7, 5), WARD_REASON_UNMAPPED_EVENT);
		assert_int_equal(rig_mapti(&rig, 7, 5, 8200, 1), RIG_OK);
		assert_int_equal(rig_unmapd(&rig, 7), RIG_OK);
		assert_int_equal(rig_message(&rig, 7, 5), WARD_REASON_UNMAPPED_DEVICE);
		assert_int_equal(rig_load(&rig, RIG_DEVICES + 7 * 8), 0);
		map_one(&rig);
		ward_its_reset(rig.its);
		assert_int_equal(rig_message(&rig, 7, 5), WARD_REASON_OFF);
		assert_int_equal(rig_read(&rig, GITS_CBASER), 0);
		rig.head = 0;
		rig_write(&rig, GITS_BASER(0), VALID | RIG_DEVICES | 2 << 8 | 7);
		rig_write(&rig, GITS_BASER(1), VALID | RIG_COLLECTIONS | 2 << 8 | 0);
		rig_write(&rig, GITS_CBASER, VALID | RIG_QUEUE | 0);
		rig_write32(&rig, GITS_CTLR, 1);
		assert_int_equal(rig_message(&rig, 7, 5), WARD_REASON_UNMAPPED_DEVICE);
		assert_int_equal(rig_invall(&rig, 1), 0x010d09);
		rig_teardown(&rig);
	}
}

static void test_options(void **state)
{
	struct ward_its_options good = { .size = sizeof(good) }, options;
	struct ward_its *its = NULL;
	struct rig rig;

	(void)state;
	rig_setup(&rig, WARD_ITS_ARCHITECTURE);
	good.gic = rig.gic;
	good.memory = rig.memory;
#define REFUSED(change)                                                     \
	do {                                                                \
		options = good;                                             \
		options.change;                                             \
		assert_int_equal(ward_its_create(&options, &its), -EINVAL); \
		assert_null(its);                                           \
	} while (0)
	REFUSED(size = sizeof(options) - 1);
	REFUSED(gic = NULL);
	REFUSED(memory = NULL);
	REFUSED(profile = 2);
	REFUSED(device_bits = 33);
	REFUSED(event_bits = 33);
	good.profile = WARD_ITS_KVM;
	REFUSED(device_bits = 15);
	REFUSED(event_bits = 17);
	REFUSED(stalls = true);
	REFUSED(exclusive_lpis = true);
	ward_its_destroy(NULL);
	rig_teardown(&rig);
}

/* Each allocation of mapping fails once; the command is in error, and the next one is not. */
static int make_and_map(void *context)
{
	struct rig *rig = context;
	struct ward_its_options options = { .size = sizeof(options),
					    .gic = rig->gic,
					    .memory = rig->memory,
					    .exclusive_lpis = true };
	uint32_t result = RIG_OK;
	int code = ward_its_create(&options, &rig->its);

	if (code)
		return code;
	rig->head = 0;
	rig_write(rig, GITS_BASER(0), VALID | RIG_DEVICES | 2 << 8 | 7);
	rig_write(rig, GITS_BASER(1), VALID | RIG_COLLECTIONS | 2 << 8 | 0);
	rig_write(rig, GITS_CBASER, VALID | RIG_QUEUE | 0);
	rig_write32(rig, GITS_CTLR, 1);
	result &= rig_mapc(rig, 1, 2);
	for (uint32_t device = 0; device < 50; device++)
		result &= rig_mapd(rig, device, RIG_ITTS + device * 0x100, 5);
	for (uint32_t event = 0; event < 150; event++)
		result &= rig_mapti(rig, event / 4, event % 4, 8192 + event, 1);
	/* What could not be mapped is not half mapped. */
	if (result != RIG_OK) {
		struct ward_interrupt interrupt;
		uint32_t pending = 0;

		for (uint32_t event = 0; event < 150; event++)
			pending += ward_its_message(rig->its, NULL, ward_devid(event / 4),
						    event % 4, &interrupt);
		assert_in_range(pending, 140, 150);
	}
	ward_its_destroy(rig->its);
	return result == RIG_OK ? 0 : -ENOMEM;
}

static void test_sweep_mapping(void **state)
{
	struct rig rig;

	(void)state;
	rig_setup(&rig, WARD_ITS_ARCHITECTURE);
	ward_its_destroy(rig.its);
	assert_true(test_sweep(make_and_map, &rig) > 8);
	rig.its = NULL;
	rig_teardown(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message),
		cmocka_unit_test(test_discard_and_clear),
		cmocka_unit_test(test_reasons),
		cmocka_unit_test(test_movi),
		cmocka_unit_test(test_retarget),
		cmocka_unit_test(test_unmapped_collection),
		cmocka_unit_test(test_configuration),
		cmocka_unit_test(test_shared_lpi),
		cmocka_unit_test(test_latched),
		cmocka_unit_test(test_exclusive),
		cmocka_unit_test(test_exclusive_of_two),
		cmocka_unit_test(test_tables_are_not_believed),
		cmocka_unit_test(test_forgotten),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_sweep_mapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

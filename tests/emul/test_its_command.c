// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Errors of ITS commands: a valid command with one bad field at a time, for both profiles; a command
 * in error changes nothing. Codes: facts of IHI 0069 (0x01CCEE), and what KVM does instead.
 */
#include "emul/its_rig.h"

enum fault {
	FINE,
	BAD_DEVICE,	      /* beyond DeviceIDs */
	BEYOND_TABLE,	      /* beyond the device table */
	NO_PAGE,	      /* the first level has no page for it */
	UNREAD_TABLE,	      /* the page is not in memory */
	BAD_SIZE,	      /* of an ITT */
	UNMAPPED_DEVICE,      /* no MAPD */
	BAD_EVENT,	      /* beyond the ITT */
	UNMAPPED_EVENT,	      /* no MAPTI */
	MAPPED_EVENT,	      /* mapped already */
	UNREAD_ITT,	      /* the ITT is not in memory */
	LOW_LPI,	      /* 8191 */
	HIGH_LPI,	      /* beyond GICR_PROPBASER */
	BAD_ICID,	      /* beyond the collection table */
	UNMAPPED_ICID,	      /* no MAPC */
	UNMAPPED_OLD_ICID,    /* of the event */
	BAD_CPU,	      /* no such redistributor */
	BAD_SECOND_CPU,	      /* of MOVALL */
	UNREAD_CONFIGURATION, /* INV of what cannot be read */
};

#define MOVI 0x01u
#define INT 0x03u
#define CLEAR 0x04u
#define SYNC 0x05u
#define MAPD 0x08u
#define UNMAPD 0x108u /* V clear */
#define MAPC 0x09u
#define UNMAPC 0x109u
#define MAPTI 0x0au
#define MAPI 0x0bu
#define INV 0x0cu
#define INVALL 0x0du
#define MOVALL 0x0eu
#define DISCARD 0x0fu

struct row {
	uint32_t opcode;
	enum fault fault;
	uint32_t architecture, kvm; /* syndromes; 0: an error without one */
};

#define OK RIG_OK
static const struct row rows[] = {
	{ MAPD, FINE, OK, OK },
	{ MAPD, BAD_DEVICE, 0x010801, 0x010801 },
	{ MAPD, BEYOND_TABLE, 0x010801, 0x010801 },
	{ MAPD, NO_PAGE, 0x010801, 0x010801 },
	{ MAPD, UNREAD_TABLE, 0, 0x010801 },
	{ MAPD, BAD_SIZE, 0x010802, 0x010802 },
	{ UNMAPD, FINE, OK, OK },
	{ UNMAPD, BAD_DEVICE, 0x010801, 0x010801 },
	{ UNMAPD, BAD_SIZE, OK, OK },
	{ UNMAPD, UNMAPPED_DEVICE, OK, OK },
	{ MAPC, FINE, OK, OK },
	{ MAPC, BAD_CPU, 0x010902, 0x010902 },
	{ MAPC, BAD_ICID, 0x010903, 0x010903 },
	{ UNMAPC, FINE, OK, OK },
	{ UNMAPC, BAD_CPU, OK, OK },
	{ UNMAPC, UNMAPPED_ICID, OK, OK },
	{ UNMAPC, BAD_ICID, 0x010903, OK },
	{ MAPTI, FINE, OK, OK },
	{ MAPTI, BAD_DEVICE, 0x010a01, 0x010a04 },
	{ MAPTI, UNMAPPED_DEVICE, 0x010a04, 0x010a04 },
	{ MAPTI, BAD_EVENT, 0x010a05, 0x010a05 },
	{ MAPTI, UNREAD_ITT, 0, 0x010a05 },
	{ MAPTI, LOW_LPI, 0x010a06, 0x010a06 },
	{ MAPTI, HIGH_LPI, 0x010a06, 0x010a06 },
	{ MAPTI, BAD_ICID, 0x010a03, 0x010903 },
	{ MAPTI, UNMAPPED_ICID, OK, OK },
	{ MAPTI, MAPPED_EVENT, 0, OK },
	{ MAPI, FINE, OK, OK },
	{ MAPI, BAD_DEVICE, 0x010b01, 0x010a04 },
	{ MAPI, UNMAPPED_DEVICE, 0x010b04, 0x010a04 },
	{ MAPI, BAD_EVENT, 0x010b05, 0x010a05 },
	{ MAPI, LOW_LPI, 0x010b06, 0x010a06 },
	{ MAPI, BAD_ICID, 0x010b03, 0x010903 },
	{ MOVI, FINE, OK, OK },
	{ MOVI, BAD_DEVICE, 0x010101, 0x010107 },
	{ MOVI, BAD_ICID, 0x010103, 0x010109 },
	{ MOVI, UNMAPPED_DEVICE, 0x010104, 0x010107 },
	{ MOVI, BAD_EVENT, 0x010105, 0x010107 },
	{ MOVI, UNMAPPED_EVENT, 0x010107, 0x010107 },
	{ MOVI, UNMAPPED_ICID, 0x010109, 0x010109 },
	{ MOVI, UNMAPPED_OLD_ICID, 0x010109, 0x010109 },
	{ INT, FINE, OK, OK },
	{ INT, BAD_DEVICE, 0x010301, 0x010307 },
	{ INT, UNMAPPED_DEVICE, 0x010304, 0x010307 },
	{ INT, BAD_EVENT, 0x010305, 0x010307 },
	{ INT, UNMAPPED_EVENT, 0x010307, 0x010307 },
	{ INT, UNMAPPED_OLD_ICID, 0x010307, 0x010307 },
	{ CLEAR, FINE, OK, OK },
	{ CLEAR, BAD_DEVICE, 0x010501, 0x010507 },
	{ CLEAR, UNMAPPED_DEVICE, 0x010504, 0x010507 },
	{ CLEAR, BAD_EVENT, 0x010505, 0x010507 },
	{ CLEAR, UNMAPPED_EVENT, 0x010507, 0x010507 },
	{ CLEAR, UNMAPPED_OLD_ICID, 0x010507, OK },
	{ INV, FINE, OK, OK },
	{ INV, BAD_DEVICE, 0x010c01, 0x010c07 },
	{ INV, UNMAPPED_DEVICE, 0x010c04, 0x010c07 },
	{ INV, BAD_EVENT, 0x010c05, 0x010c07 },
	{ INV, UNMAPPED_EVENT, 0x010c07, 0x010c07 },
	{ INV, UNMAPPED_OLD_ICID, 0x010c07, OK },
	{ INV, UNREAD_CONFIGURATION, 0, 0 },
	{ INVALL, FINE, OK, OK },
	{ INVALL, BAD_ICID, 0x010d03, 0x010d09 },
	{ INVALL, UNMAPPED_ICID, 0x010d09, 0x010d09 },
	{ MOVALL, FINE, OK, OK },
	{ MOVALL, BAD_CPU, 0x010e01, 0x010e01 },
	{ MOVALL, BAD_SECOND_CPU, 0x010e01, 0x010e01 },
	{ DISCARD, FINE, OK, OK },
	{ DISCARD, BAD_DEVICE, 0x010f01, 0x010f07 },
	{ DISCARD, UNMAPPED_DEVICE, 0x010f04, 0x010f07 },
	{ DISCARD, BAD_EVENT, 0x010f05, 0x010f07 },
	{ DISCARD, UNMAPPED_EVENT, 0x010f07, 0x010f07 },
	{ DISCARD, UNMAPPED_OLD_ICID, OK, 0x010f07 },
	{ SYNC, FINE, OK, OK },
	{ SYNC, BAD_CPU, 0, OK },
	{ 0x00, FINE, 0, 0 },
	{ 0x02, FINE, 0, 0 },
	{ 0x29, FINE, 0, 0 },
	{ 0xff, FINE, 0, 0 },
};

/* The device of all commands, its ITT of 2^14 events, and the event that is mapped: LPI 8192 + 70. */
#define DEVICE 0x21u
#define EVENT 70u
#define ITT_BITS 14u
#define NOWHERE 0x8000000000ull

/*
 * An indirect device table of one page: 8192 second-level pages of 64 KiB. Page 0 is there, 1 is
 * not in memory, others are not valid. Collections 1 and 2 are mapped, 3 is not; 8192 is too many.
 */
static void set_up(struct rig *rig, enum ward_its_profile profile, const struct row *row)
{
	struct ward_its_options options = { .profile = profile };

	rig_setup_with(rig, &options);
	rig_write(rig, GITS_BASER(0), VALID | INDIRECT | RIG_DEVICES | 2 << 8);
	rig_store(rig, RIG_DEVICES, VALID | RIG_LEVEL2);
	rig_store(rig, RIG_DEVICES + 8, VALID | NOWHERE);
	if (row->fault == BEYOND_TABLE)
		rig_write(rig, GITS_BASER(0), VALID | RIG_DEVICES | 0 << 8 | 0);
	rig_write32(rig, GITS_CTLR, 1);
	assert_int_equal(rig_mapd(rig, DEVICE, row->fault == UNREAD_ITT ? NOWHERE : RIG_ITTS,
				  ITT_BITS),
			 OK);
	assert_int_equal(rig_mapc(rig, 1, 1), OK);
	assert_int_equal(rig_mapc(rig, 2, 2), OK);
	if (row->fault != UNREAD_ITT)
		assert_int_equal(rig_mapti(rig, DEVICE, EVENT, 8192 + EVENT, 1), OK);
	if (row->fault == UNMAPPED_OLD_ICID)
		assert_int_equal(rig_unmapc(rig, 1), OK);
	if (row->fault == UNREAD_CONFIGURATION) {
		for (uint32_t cpu = 0; cpu < RIG_CPUS; cpu++)
			rig_gicr(rig, cpu, 0x00, 0, 4);
		for (uint32_t cpu = 0; cpu < RIG_CPUS; cpu++)
			rig_gicr(rig, cpu, 0x70, NOWHERE | (RIG_LPI_BITS - 1), 8);
	}
}

static uint32_t run(struct rig *rig, const struct row *row)
{
	uint32_t opcode = row->opcode & 0xff, device = DEVICE, event = EVENT, intid = 8192 + 500;
	uint64_t size = ITT_BITS - 1, cpu = 3, cpu2 = 0;
	uint16_t icid = opcode == MAPTI || opcode == MAPI ? 1 : 2;
	uint64_t valid = row->opcode > 0xff ? 0 : VALID;

	if (opcode == MAPTI)
		event = EVENT + 1;
	if (opcode == MAPI)
		event = 8192 + 77;
	switch ((int)row->fault) {
	case BAD_DEVICE:
		device = 0x10000 | DEVICE;
		break;
	case BEYOND_TABLE:
		device = 8192;
		break;
	case NO_PAGE:
		device = 0x4000 | DEVICE;
		break;
	case UNREAD_TABLE:
		device = 0x2000 | DEVICE;
		break;
	case BAD_SIZE:
		size = 16;
		break;
	case UNMAPPED_DEVICE:
		device = DEVICE + 1;
		break;
	case BAD_EVENT:
		event |= 1u << ITT_BITS;
		break;
	case UNMAPPED_EVENT:
		event = EVENT + 2;
		break;
	case MAPPED_EVENT:
		event = EVENT;
		break;
	case LOW_LPI:
		intid = 8191;
		event = opcode == MAPI ? 8191 : event;
		break;
	case HIGH_LPI:
		intid = 0x10000;
		break;
	case BAD_ICID:
		icid = 8192;
		break;
	case UNMAPPED_ICID:
		icid = 3;
		break;
	case BAD_CPU:
		cpu = RIG_CPUS;
		break;
	case BAD_SECOND_CPU:
		cpu2 = RIG_CPUS;
		break;
	default:
		break;
	}
	switch (opcode) {
	case MAPD:
		return rig_run(rig, rig_ids(opcode, device), size, valid | RIG_ITTS, 0);
	case MAPC:
		return rig_run(rig, opcode, 0, valid | cpu << 16 | icid, 0);
	case MAPTI:
		return rig_run(rig, rig_ids(opcode, device), event | (uint64_t)intid << 32, icid,
			       0);
	case MOVALL:
	case SYNC:
		return rig_run(rig, opcode, 0, cpu << 16, cpu2 << 16);
	default:
		return rig_run(rig, rig_ids(opcode, device), event, icid, 0);
	}
}

/* What the event that is mapped comes to. */
static struct ward_interrupt look(struct rig *rig)
{
	struct ward_interrupt interrupt;

	(void)ward_its_translate(rig->its, ward_devid(DEVICE), EVENT, &interrupt);
	return interrupt;
}

static void check_row(enum ward_its_profile profile, const struct row *row, size_t number)
{
	uint32_t want = profile == WARD_ITS_KVM ? row->kvm : row->architecture, got;
	struct ward_interrupt before, after;
	struct ward_its_error error = { .count = 0 };
	struct rig rig;

	set_up(&rig, profile, row);
	before = look(&rig);
	got = run(&rig, row);
	if (got != want)
		fail_msg("row %zu, profile %d: %#x, not %#x", number, profile, got, want);
	assert_int_equal(rig_read(&rig, GITS_CREADR), rig.head);
	if (want == OK) {
		assert_false(ward_its_error(rig.its, &error));
		rig_teardown(&rig);
		return;
	}
	assert_true(ward_its_error(rig.its, &error));
	assert_int_equal(error.count, 1);
	assert_int_equal(error.command[0] & 0xff, row->opcode & 0xff);
	after = look(&rig);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_true(rig_pending_nowhere(&rig, 8192 + EVENT));
	rig_teardown(&rig);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check_row(WARD_ITS_ARCHITECTURE, &rows[i], i);
		check_row(WARD_ITS_KVM, &rows[i], i);
	}
}

/* With 32 bits of each id the largest of both are ids as any other. */
static void test_largest_ids(void **state)
{
	struct ward_its_options options = { .device_bits = 21, .event_bits = 21 };
	struct rig rig;

	(void)state;
	rig_setup_with(&rig, &options);
	rig_write(&rig, GITS_BASER(0), VALID | INDIRECT | RIG_DEVICES | 2 << 8);
	rig_store(&rig, RIG_DEVICES + 255 * 8, VALID | RIG_LEVEL2);
	rig_write32(&rig, GITS_CTLR, 1);
	assert_int_equal(rig_mapc(&rig, 8191, 3), OK);
	assert_int_equal(rig_mapd(&rig, 0x1fffff, RIG_ITTS, 21), OK);
	assert_int_equal(rig_mapti(&rig, 0x1fffff, 0x1fffff, 0xffff, 8191), OK);
	assert_int_equal(rig_message(&rig, 0x1fffff, 0x1fffff), WARD_REASON_NONE);
	assert_true(rig_took(&rig, 3, 0xffff));
	assert_int_equal(rig_mapti(&rig, 0x1fffff, 0x200000, 0xfffe, 8191), 0x010a05);
	assert_int_equal(rig_mapd(&rig, 0x200000, RIG_ITTS, 21), 0x010801);
	assert_int_equal(rig_mapd(&rig, 0x1fffff, RIG_ITTS, 22), 0x010802);
	rig_teardown(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_largest_ids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The event queue of the emulated SMMUv3: wrapping, overflow, and who is held to what share. */
#include "emul/smmuv3_machine.h"

#define ENTRIES (1u << EVENT_BITS)
#define WRAP (2u << EVENT_BITS)
#define OVERFLOW 0x80000000u

/* Streams without a stage: every request of theirs is a C_BAD_STE. */
static void flood(uint32_t sid, unsigned int count)
{
	while (count--)
		faults(sid, 0x1000, WARD_FAULT_CONFIG);
}

/* Reads up to count events; returns how many were of a stream. */
static unsigned int drain(unsigned int count, uint32_t sid)
{
	uint64_t words[4];
	unsigned int of = 0;

	while (count-- && next_event(words))
		of += words[0] >> 32 == sid;
	return of;
}

static uint64_t dropped(uint32_t sid)
{
	return ward_smmuv3_dropped(box.smmu, ward_sid(sid));
}

static struct ward_smmuv3_counts counts(void)
{
	struct ward_smmuv3_counts counts;

	ward_smmuv3_counts(box.smmu, &counts);
	return counts;
}

static void test_wraps(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 5 * ENTRIES; round++) {
		flood(round % 200, 3);
		assert_int_equal(get(EVENTQ_PROD), (3 * round + 3) % WRAP);
		assert_int_equal(drain(4, round % 200), 3);
	}
	assert_int_equal(counts().events, 15 * ENTRIES);
	assert_int_equal(counts().events_dropped, 0);
}

/* As specified: the flag turns when an event is lost, and only after it was acknowledged. */
static void test_overflow(void **state)
{
	(void)state;
	flood(1, ENTRIES);
	assert_int_equal(get(EVENTQ_PROD), ENTRIES);
	assert_int_equal(dropped(1), 0);
	flood(1, 1);
	assert_int_equal(get(EVENTQ_PROD), ENTRIES | OVERFLOW);
	flood(2, 5);
	assert_int_equal(get(EVENTQ_PROD), ENTRIES | OVERFLOW);
	assert_int_equal(dropped(1), 1);
	assert_int_equal(dropped(2), 5);
	assert_int_equal(dropped(3), 0);
	assert_int_equal(counts().events_dropped, 6);
	/* Read and acknowledged; the flag stays as it is until the next loss. */
	assert_int_equal(drain(ENTRIES, 1), ENTRIES);
	reg(EVENTQ_CONS, get(EVENTQ_CONS) ^ OVERFLOW);
	flood(2, ENTRIES);
	assert_int_equal(get(EVENTQ_PROD), 0 | OVERFLOW);
	flood(3, 1);
	assert_int_equal(get(EVENTQ_PROD), 0);
	assert_int_equal(dropped(3), 1);
}

/* One floods: it is held to half of the queue from then on, and the others get in. */
static void test_offender(void **state)
{
	(void)state;
	flood(1, 100);
	assert_int_equal(dropped(1), 100 - ENTRIES);
	assert_int_equal(counts().silenced, 1);
	/* Others meet a full queue; that is not held against it again. */
	flood(4, 20);
	assert_int_equal(dropped(4), 20);
	assert_int_equal(counts().silenced, 1);
	/* As soon as there is room, it is the others'. */
	assert_int_equal(drain(2, 1), 2);
	flood(1, 100);
	assert_int_equal(dropped(1), 200 - ENTRIES);
	flood(2, 1);
	flood(3, 1);
	assert_int_equal(dropped(2) + dropped(3), 0);
	assert_int_equal(drain(ENTRIES - 2, 1), ENTRIES - 2);
	assert_int_equal(drain(1, 2), 1);
	assert_int_equal(drain(1, 3), 1);
	no_event();
	/* It floods an empty queue, and half of it remains. */
	flood(1, 100);
	assert_int_equal(dropped(1), 300 - ENTRIES - ENTRIES / 2);
	flood(2, ENTRIES / 2);
	assert_int_equal(dropped(2), 0);
	assert_int_equal(counts().silenced, 1);
	assert_int_equal(drain(ENTRIES, 1), ENTRIES / 2);
}

/* Who was held already does not hide the next one, though it still has more of the queue. */
static void test_next_offender(void **state)
{
	(void)state;
	flood(1, ENTRIES + 1);
	assert_int_equal(drain(3, 1), 3);
	flood(2, 20);
	assert_int_equal(dropped(2), 17);
	/* Twice, until three records were more than its share. */
	assert_int_equal(counts().silenced, 3);
}

/* Two of them: a third one loses an event each time the queue is full, and then no more. */
static void test_offenders(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 20; round++) {
		flood(1, 50);
		flood(2, 50);
		flood(3, 1);
		drain(ENTRIES, 0);
	}
	assert_in_range(dropped(3), 1, 3);
	assert_in_range(counts().silenced, 2, 4);
	/* However many there are, each keeps one record at least. */
	for (unsigned int round = 0; round < 50; round++) {
		for (uint32_t sid = 10; sid < 30; sid++)
			flood(sid, 20);
		drain(ENTRIES, 0);
	}
	flood(10, 20);
	assert_int_equal(drain(ENTRIES, 10), 1);
	flood(200, 2);
	assert_int_equal(dropped(200), 0);
}

/* Switching the queue off and on forgives. */
static void test_forgiven(void **state)
{
	(void)state;
	flood(1, 100);
	drain(ENTRIES, 1);
	flood(1, 100);
	assert_int_equal(drain(ENTRIES, 1), ENTRIES / 2);
	reg(CR0, ON | COMMANDS_ON);
	flood(1, 1);
	assert_int_equal(dropped(1), 200 - ENTRIES - ENTRIES / 2);
	reg(CR0, ON | COMMANDS_ON | EVENTS_ON);
	flood(1, 100);
	assert_int_equal(drain(ENTRIES, 1), ENTRIES);
}

/* More streams than there are accounts: the oldest drops are forgotten, the sums are not. */
static void test_many_streams(void **state)
{
	(void)state;
	flood(0, ENTRIES);
	for (uint32_t sid = 1; sid < 256; sid++)
		flood(sid, 1);
	assert_int_equal(counts().events_dropped, 255);
	/* Who has records in the queue is kept. */
	assert_int_equal(drain(ENTRIES, 0), ENTRIES);
	flood(0, 100);
	assert_int_equal(drain(ENTRIES, 0), ENTRIES / 2);
}

static void test_abort(void **state)
{
	(void)state;
	reg(CR0, 0);
	reg(EVENTQ_BASE, (RAM + RAM_SIZE) | EVENT_BITS);
	reg(CR0, ON | COMMANDS_ON | EVENTS_ON);
	flood(1, 1);
	assert_int_equal(get(GERROR) ^ get(GERRORN), 4);
	assert_int_equal(get(EVENTQ_PROD), 0);
	flood(1, 1);
	assert_int_equal(get(GERROR) ^ get(GERRORN), 4);
	reg(GERRORN, get(GERROR));
	assert_int_equal(dropped(1), 2);
	/* Commands are not held up by it. */
	reg(CR0, 0);
	reg(EVENTQ_BASE, EVENTS | EVENT_BITS);
	reg(CR0, ON | COMMANDS_ON | EVENTS_ON);
	sync();
	flood(1, 1);
	assert_int_equal(get(GERROR) ^ get(GERRORN), 0);
	assert_int_equal(drain(2, 1), 1);
}

/* Whatever software writes into CONS and BASE, nothing but the queue is written. */
static void test_nonsense_indexes(void **state)
{
	uint64_t random = 77;

	(void)state;
	for (uint64_t at = RAM + 0x60000; at < DATA; at += 8)
		put(at, 0x5a5a5a5a5a5a5a5a);
	for (unsigned int i = 0; i < 3000; i++) {
		reg(EVENTQ_CONS, ref_random(&random) & 0xffffffff);
		if (ref_chance(&random, 8)) {
			reg(CR0, ON | COMMANDS_ON);
			reg(EVENTQ_PROD, ref_random(&random) & 0xffffffff);
			reg(EVENTQ_BASE, EVENTS | (ref_random(&random) & 0x1f));
			reg(CR0, ON | COMMANDS_ON | EVENTS_ON);
		}
		flood((uint32_t)(1 + ref_random(&random) % 100), 3);
	}
	for (uint64_t at = RAM + 0x60000; at < DATA; at += 8)
		assert_int_equal(peek(at), 0x5a5a5a5a5a5a5a5a);
	for (uint64_t at = EVENTS + ENTRIES * 32; at < CONTEXTS; at += 8)
		assert_int_equal(peek(at), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(test_wraps),
		BOX_TEST(test_overflow),
		BOX_TEST(test_offender),
		BOX_TEST(test_next_offender),
		BOX_TEST(test_offenders),
		BOX_TEST(test_forgiven),
		BOX_TEST(test_many_streams),
		BOX_TEST(test_abort),
		BOX_TEST(test_nonsense_indexes),
	};

	return cmocka_run_group_tests_name("emul/smmuv3-event", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Queues that make no sense: one thing is wrong at a time. Each is broken with its sentence,
 * nothing is written, and it stays broken whatever the driver does then.
 */
#include "ring.h"

#include <errno.h>

#define ENTRIES 8u

struct wrong {
	const char *name, *sentence;
	void (*make)(struct ring *ring);
	uint32_t features;
};

/* A buffer whose first descriptor is 0, and good; 1 is the next one. */
static void begin(struct ring *ring)
{
	ring_describe(ring, 0, RING_BUFFER, 8, RING_F_NEXT, 1);
	ring_offer(ring, 0);
}

static void index_too_far(struct ring *ring)
{
	ring_write16(ring, RING_AVAILABLE + 2, ENTRIES + 1);
}

static void index_backwards(struct ring *ring)
{
	ring_write16(ring, RING_AVAILABLE + 2, 65535);
}

/* All descriptors are in use, and there is one more buffer. */
static void index_beyond_those_out(struct ring *ring)
{
	struct ward_virtq_buffer buffer;

	for (uint32_t i = 0; i < ENTRIES; i++) {
		ring_describe(ring, i, RING_BUFFER, 8, 0, RING_NO_NEXT);
		ring_offer(ring, i);
		assert_int_equal(ward_virtq_pop(ring->queue, &buffer), 0);
	}
	ring_offer(ring, 0);
}

static void head_outside(struct ring *ring)
{
	ring_offer(ring, ENTRIES);
}

static void next_outside(struct ring *ring)
{
	begin(ring);
	ring_describe(ring, 1, RING_BUFFER, 8, RING_F_NEXT, ENTRIES);
}

static void next_far_outside(struct ring *ring)
{
	begin(ring);
	ring_describe(ring, 1, RING_BUFFER, 8, RING_F_NEXT, 65535);
}

static void loop(struct ring *ring)
{
	begin(ring);
	ring_describe(ring, 1, RING_BUFFER, 8, RING_F_NEXT, 0);
}

static void loop_of_one(struct ring *ring)
{
	begin(ring);
	ring_describe(ring, 1, RING_BUFFER, 0, RING_F_NEXT, 1);
}

static void readable_after_writable(struct ring *ring)
{
	ring_describe(ring, 0, RING_BUFFER, 8, RING_F_NEXT | RING_F_WRITE, 1);
	ring_describe(ring, 1, RING_BUFFER, 8, 0, RING_NO_NEXT);
	ring_offer(ring, 0);
}

/* Also when there are no bytes. */
static void nothing_after_writable(struct ring *ring)
{
	ring_describe(ring, 0, RING_BUFFER, 0, RING_F_NEXT | RING_F_WRITE, 1);
	ring_describe(ring, 1, RING_BUFFER, 0, 0, RING_NO_NEXT);
	ring_offer(ring, 0);
}

static void nowhere(struct ring *ring)
{
	begin(ring);
	ring_describe(ring, 1, RING_HOLE, 1, 0, RING_NO_NEXT);
}

static void partly_nowhere(struct ring *ring)
{
	begin(ring);
	ring_describe(ring, 1, RING_HOLE - 8, 9, 0, RING_NO_NEXT);
}

static void before_memory(struct ring *ring)
{
	begin(ring);
	ring_describe(ring, 1, RING_MAIN - 1, 2, 0, RING_NO_NEXT);
}

static void read_only(struct ring *ring)
{
	begin(ring);
	ring_describe(ring, 1, RING_READ_ONLY, 1, RING_F_WRITE, RING_NO_NEXT);
}

static void partly_read_only(struct ring *ring)
{
	begin(ring);
	ring_describe(ring, 1, RING_READ_ONLY - 1, 2, RING_F_WRITE, RING_NO_NEXT);
}

static void wraps(struct ring *ring)
{
	begin(ring);
	ring_describe(ring, 1, UINT64_MAX, 2, 0, RING_NO_NEXT);
}

static void wraps_into_memory(struct ring *ring)
{
	begin(ring);
	ring_describe(ring, 1, UINT64_MAX - 15, RING_MAIN + 32, 0, RING_NO_NEXT);
}

static void indirect_not_negotiated(struct ring *ring)
{
	ring_describe_at(ring, RING_TABLE, RING_BUFFER, 8, 0, RING_NO_NEXT);
	ring_describe(ring, 0, RING_TABLE, 16, RING_F_INDIRECT, RING_NO_NEXT);
	ring_offer(ring, 0);
}

/* A table of two, whose second one is to be made. */
static void begin_table(struct ring *ring, uint64_t length, uint32_t flags)
{
	begin(ring);
	ring_describe(ring, 1, RING_TABLE, length, RING_F_INDIRECT | flags, 2);
	ring_describe(ring, 2, RING_BUFFER, 8, 0, RING_NO_NEXT);
	ring_describe_at(ring, RING_TABLE, RING_BUFFER, 8, RING_F_NEXT, 1);
	ring_describe_at(ring, RING_TABLE + 16, RING_BUFFER, 8, 0, RING_NO_NEXT);
}

static void indirect_with_next(struct ring *ring)
{
	begin_table(ring, 32, RING_F_NEXT);
}

static void table_of_nothing(struct ring *ring)
{
	begin_table(ring, 0, 0);
}

static void table_of_odd_length(struct ring *ring)
{
	begin_table(ring, 33, 0);
}

static void table_too_short(struct ring *ring)
{
	begin_table(ring, 16, 0);
}

static void indirect_in_table(struct ring *ring)
{
	begin_table(ring, 32, 0);
	ring_describe_at(ring, RING_TABLE + 16, RING_TABLE + 32, 16, RING_F_INDIRECT, RING_NO_NEXT);
	ring_describe_at(ring, RING_TABLE + 32, RING_BUFFER, 8, 0, RING_NO_NEXT);
}

static void loop_in_table(struct ring *ring)
{
	begin_table(ring, 32, 0);
	ring_describe_at(ring, RING_TABLE + 16, RING_BUFFER, 0, RING_F_NEXT, 1);
}

/* One more than the queue has, the ones before the table and in it together. */
static void long_table(struct ring *ring)
{
	begin_table(ring, ENTRIES * 16, 0);
	for (uint32_t i = 0; i < ENTRIES; i++)
		ring_describe_at(ring, RING_TABLE + 16 * i, RING_BUFFER, 8,
				 i + 1 < ENTRIES ? RING_F_NEXT : 0, i + 1);
}

static void table_nowhere(struct ring *ring)
{
	begin(ring);
	ring_describe(ring, 1, RING_HOLE, 16, RING_F_INDIRECT, RING_NO_NEXT);
}

static void table_partly_nowhere(struct ring *ring)
{
	begin(ring);
	ring_describe(ring, 1, RING_NEXT - 8, 0x100000, RING_F_INDIRECT, RING_NO_NEXT);
	ring_describe_at(ring, RING_NEXT - 8, RING_BUFFER, 8, RING_F_NEXT, 0x3000);
}

static void table_wraps(struct ring *ring)
{
	begin(ring);
	ring_describe(ring, 1, UINT64_MAX - 15, 32, RING_F_INDIRECT, RING_NO_NEXT);
	ring_describe_at(ring, UINT64_MAX - 15, RING_BUFFER, 8, 0, RING_NO_NEXT);
}

static void table_begins_wrong(struct ring *ring)
{
	begin_table(ring, 32, 0);
	ring_describe_at(ring, RING_TABLE, RING_HOLE, 8, 0, RING_NO_NEXT);
}

#define INDIRECT WARD_VIRTQ_INDIRECT

static const struct wrong wrongs[] = {
	{ "index too far", "available index is 9", index_too_far, 0 },
	{ "index too far, event index", "available index is 9", index_too_far,
	  WARD_VIRTQ_EVENT_IDX },
	{ "index backwards", "available index is 65535", index_backwards, 0 },
	{ "index beyond those out", "8 of 8", index_beyond_those_out, 0 },
	{ "head outside", "descriptor 8 of a queue of 8", head_outside, 0 },
	{ "next outside", "descriptor 8 of a queue of 8", next_outside, 0 },
	{ "next far outside", "descriptor 65535 of", next_far_outside, 0 },
	{ "loop", "longer than the queue", loop, 0 },
	{ "loop of one", "longer than the queue", loop_of_one, 0 },
	{ "readable after writable", "after a writable", readable_after_writable, 0 },
	{ "nothing after writable", "after a writable", nothing_after_writable, 0 },
	{ "nowhere", "at 0x220000, where", nowhere, 0 },
	{ "partly nowhere", "at 0x220000, where", partly_nowhere, 0 },
	{ "before memory", "at 0xffff, where", before_memory, 0 },
	{ "read only", "at 0x210000, which is read-only", read_only, 0 },
	{ "partly read only", "at 0x210000, which is read-only", partly_read_only, 0 },
	{ "wraps", "wraps", wraps, 0 },
	{ "wraps into memory", "wraps", wraps_into_memory, 0 },
	{ "indirect not negotiated", "not negotiated", indirect_not_negotiated, 0 },
	{ "indirect with next", "has a next one", indirect_with_next, INDIRECT },
	{ "table of nothing", "table has 0 bytes", table_of_nothing, INDIRECT },
	{ "table of odd length", "table has 33 bytes", table_of_odd_length, INDIRECT },
	{ "table too short", "descriptor 1 of an indirect table of 1", table_too_short, INDIRECT },
	{ "indirect in table", "has an indirect one", indirect_in_table, INDIRECT },
	{ "loop in table", "longer than the queue", loop_in_table, INDIRECT },
	{ "long table", "longer than the queue", long_table, INDIRECT },
	{ "table nowhere", "at 0x220000, where", table_nowhere, INDIRECT },
	{ "table partly nowhere", "at 0x22fff8, where", table_partly_nowhere, INDIRECT },
	{ "table wraps", "wraps", table_wraps, INDIRECT },
	{ "table begins wrong", "at 0x220000, where", table_begins_wrong, INDIRECT },
};

/* Everything is made right again, and one more buffer is there: it is not looked at. */
static void check_stays_broken(struct ring *ring, const struct ward_virtq_info *info)
{
	static unsigned char before[0x100];
	struct ward_virtq_buffer buffer = { .head = 77 };
	struct ward_virtq_info after;

	memcpy(before, ring_at(ring, RING_USED), sizeof(before));
	for (uint32_t i = 0; i < ENTRIES; i++)
		ring_describe(ring, i, RING_BUFFER, 8, 0, RING_NO_NEXT);
	ring->next = info->next_available;
	ring_offer(ring, 0);
	assert_int_equal(ward_virtq_pop(ring->queue, &buffer), -EBADMSG);
	assert_int_equal(buffer.head, 77);
	assert_int_equal(ward_virtq_push(ring->queue, 0, 0), -EBADMSG);
	(void)ward_virtq_notify(ring->queue);
	assert_memory_equal(before, ring_at(ring, RING_USED), sizeof(before));
	ward_virtq_info(ring->queue, &after);
	assert_true(after.broken);
	assert_string_equal(after.error.text, info->error.text);
	assert_int_equal(after.next_available, info->next_available);
	assert_int_equal(after.next_used, info->next_used);
}

static void check_wrong(const struct wrong *wrong)
{
	struct ward_virtq_buffer buffer = { .head = 77 };
	struct ward_virtq_info info;
	struct ring ring;

	ring_start(&ring, ENTRIES, wrong->features);
	wrong->make(&ring);
	assert_int_equal(ward_virtq_pop(ring.queue, &buffer), -EBADMSG);
	assert_int_equal(buffer.head, 77);
	assert_int_equal(ring_used_index(&ring), 0);
	for (uint32_t i = 0; i < ENTRIES; i++)
		assert_true(ring_used_head(&ring, i) == 0 && ring_used_length(&ring, i) == 0);
	ward_virtq_info(ring.queue, &info);
	assert_true(info.broken);
	if (!strstr(info.error.text, wrong->sentence))
		fail_msg("%s: %s", wrong->name, info.error.text);
	check_stays_broken(&ring, &info);
	ring_finish(&ring);
}

static void one_wrong_thing_at_a_time(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrongs) / sizeof(*wrongs); i++)
		check_wrong(&wrongs[i]);
}

/* What was pushed before and not told of yet: the driver is notified, whatever it asks for. */
static void what_was_pushed_before_is_told(void **state)
{
	struct ward_virtq_buffer buffer;
	struct ring ring;

	(void)state;
	ring_start(&ring, ENTRIES, 0);
	ring_set_flags(&ring, 1);
	ring_describe(&ring, 0, RING_BUFFER, 8, 0, RING_NO_NEXT);
	ring_offer(&ring, 0);
	assert_int_equal(ward_virtq_pop(ring.queue, &buffer), 0);
	assert_int_equal(ward_virtq_push(ring.queue, 0, 0), 0);
	head_outside(&ring);
	assert_int_equal(ward_virtq_pop(ring.queue, &buffer), -EBADMSG);
	assert_true(ward_virtq_notify(ring.queue));
	assert_false(ward_virtq_notify(ring.queue));
	ring_finish(&ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_wrong_thing_at_a_time),
		cmocka_unit_test(what_was_pushed_before_is_told),
	};

	return cmocka_run_group_tests_name("virtio/virtq-broken", tests, NULL, NULL);
}

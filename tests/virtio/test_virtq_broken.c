// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Queues that make no sense: one thing is wrong at a time. Each is broken with its sentence, nothing
 * is written, and it stays broken whatever the driver does then.
 */
#include "queue_rig.h"

#include <errno.h>

#define ENTRIES 8u

struct wrong {
	const char *name, *sentence;
	void (*make)(struct rig *rig);
	uint32_t features;
};

/* A buffer whose first descriptor is 0, and good; 1 is the next one. */
static void begin(struct rig *rig)
{
	rig_describe(rig, 0, RIG_BUFFER, 8, RIG_F_NEXT, 1);
	rig_offer(rig, 0);
}

static void index_too_far(struct rig *rig)
{
	rig_write16(rig, RIG_AVAILABLE + 2, ENTRIES + 1);
}

static void index_backwards(struct rig *rig)
{
	rig_write16(rig, RIG_AVAILABLE + 2, 65535);
}

/* All descriptors are in use, and there is one more buffer. */
static void index_beyond_those_out(struct rig *rig)
{
	struct ward_virtq_buffer buffer;

	for (uint32_t i = 0; i < ENTRIES; i++) {
		rig_describe(rig, i, RIG_BUFFER, 8, 0, RIG_NO_NEXT);
		rig_offer(rig, i);
		assert_int_equal(ward_virtq_pop(rig->queue, &buffer), 0);
	}
	rig_offer(rig, 0);
}

static void head_outside(struct rig *rig)
{
	rig_offer(rig, ENTRIES);
}

static void next_outside(struct rig *rig)
{
	begin(rig);
	rig_describe(rig, 1, RIG_BUFFER, 8, RIG_F_NEXT, ENTRIES);
}

static void next_far_outside(struct rig *rig)
{
	begin(rig);
	rig_describe(rig, 1, RIG_BUFFER, 8, RIG_F_NEXT, 65535);
}

static void loop(struct rig *rig)
{
	begin(rig);
	rig_describe(rig, 1, RIG_BUFFER, 8, RIG_F_NEXT, 0);
}

static void loop_of_one(struct rig *rig)
{
	begin(rig);
	rig_describe(rig, 1, RIG_BUFFER, 0, RIG_F_NEXT, 1);
}

static void readable_after_writable(struct rig *rig)
{
	rig_describe(rig, 0, RIG_BUFFER, 8, RIG_F_NEXT | RIG_F_WRITE, 1);
	rig_describe(rig, 1, RIG_BUFFER, 8, 0, RIG_NO_NEXT);
	rig_offer(rig, 0);
}

/* Also when there are no bytes. */
static void nothing_after_writable(struct rig *rig)
{
	rig_describe(rig, 0, RIG_BUFFER, 0, RIG_F_NEXT | RIG_F_WRITE, 1);
	rig_describe(rig, 1, RIG_BUFFER, 0, 0, RIG_NO_NEXT);
	rig_offer(rig, 0);
}

static void nowhere(struct rig *rig)
{
	begin(rig);
	rig_describe(rig, 1, RIG_HOLE, 1, 0, RIG_NO_NEXT);
}

static void partly_nowhere(struct rig *rig)
{
	begin(rig);
	rig_describe(rig, 1, RIG_HOLE - 8, 9, 0, RIG_NO_NEXT);
}

static void before_memory(struct rig *rig)
{
	begin(rig);
	rig_describe(rig, 1, RIG_MAIN - 1, 2, 0, RIG_NO_NEXT);
}

static void read_only(struct rig *rig)
{
	begin(rig);
	rig_describe(rig, 1, RIG_READ_ONLY, 1, RIG_F_WRITE, RIG_NO_NEXT);
}

static void partly_read_only(struct rig *rig)
{
	begin(rig);
	rig_describe(rig, 1, RIG_READ_ONLY - 1, 2, RIG_F_WRITE, RIG_NO_NEXT);
}

static void wraps(struct rig *rig)
{
	begin(rig);
	rig_describe(rig, 1, UINT64_MAX, 2, 0, RIG_NO_NEXT);
}

static void wraps_into_memory(struct rig *rig)
{
	begin(rig);
	rig_describe(rig, 1, UINT64_MAX - 15, RIG_MAIN + 32, 0, RIG_NO_NEXT);
}

static void indirect_not_negotiated(struct rig *rig)
{
	rig_describe_at(rig, RIG_TABLE, RIG_BUFFER, 8, 0, RIG_NO_NEXT);
	rig_describe(rig, 0, RIG_TABLE, 16, RIG_F_INDIRECT, RIG_NO_NEXT);
	rig_offer(rig, 0);
}

/* A table of two, whose second one is to be made. */
static void begin_table(struct rig *rig, uint64_t length, uint32_t flags)
{
	begin(rig);
	rig_describe(rig, 1, RIG_TABLE, length, RIG_F_INDIRECT | flags, 2);
	rig_describe(rig, 2, RIG_BUFFER, 8, 0, RIG_NO_NEXT);
	rig_describe_at(rig, RIG_TABLE, RIG_BUFFER, 8, RIG_F_NEXT, 1);
	rig_describe_at(rig, RIG_TABLE + 16, RIG_BUFFER, 8, 0, RIG_NO_NEXT);
}

static void indirect_with_next(struct rig *rig)
{
	begin_table(rig, 32, RIG_F_NEXT);
}

static void table_of_nothing(struct rig *rig)
{
	begin_table(rig, 0, 0);
}

static void table_of_odd_length(struct rig *rig)
{
	begin_table(rig, 33, 0);
}

static void table_too_short(struct rig *rig)
{
	begin_table(rig, 16, 0);
}

static void indirect_in_table(struct rig *rig)
{
	begin_table(rig, 32, 0);
	rig_describe_at(rig, RIG_TABLE + 16, RIG_TABLE + 32, 16, RIG_F_INDIRECT, RIG_NO_NEXT);
	rig_describe_at(rig, RIG_TABLE + 32, RIG_BUFFER, 8, 0, RIG_NO_NEXT);
}

static void loop_in_table(struct rig *rig)
{
	begin_table(rig, 32, 0);
	rig_describe_at(rig, RIG_TABLE + 16, RIG_BUFFER, 0, RIG_F_NEXT, 1);
}

/* One more than the queue has, the ones before the table and in it together. */
static void long_table(struct rig *rig)
{
	begin_table(rig, ENTRIES * 16, 0);
	for (uint32_t i = 0; i < ENTRIES; i++)
		rig_describe_at(rig, RIG_TABLE + 16 * i, RIG_BUFFER, 8,
				i + 1 < ENTRIES ? RIG_F_NEXT : 0, i + 1);
}

static void table_nowhere(struct rig *rig)
{
	begin(rig);
	rig_describe(rig, 1, RIG_HOLE, 16, RIG_F_INDIRECT, RIG_NO_NEXT);
}

static void table_partly_nowhere(struct rig *rig)
{
	begin(rig);
	rig_describe(rig, 1, RIG_NEXT - 8, 0x100000, RIG_F_INDIRECT, RIG_NO_NEXT);
	rig_describe_at(rig, RIG_NEXT - 8, RIG_BUFFER, 8, RIG_F_NEXT, 0x3000);
}

static void table_wraps(struct rig *rig)
{
	begin(rig);
	rig_describe(rig, 1, UINT64_MAX - 15, 32, RIG_F_INDIRECT, RIG_NO_NEXT);
	rig_describe_at(rig, UINT64_MAX - 15, RIG_BUFFER, 8, 0, RIG_NO_NEXT);
}

static void table_begins_wrong(struct rig *rig)
{
	begin_table(rig, 32, 0);
	rig_describe_at(rig, RIG_TABLE, RIG_HOLE, 8, 0, RIG_NO_NEXT);
}

#define INDIRECT WARD_VIRTQ_INDIRECT

static const struct wrong wrongs[] = {
	{ "index too far", "available index is 9", index_too_far, 0 },
	{ "index too far, event index", "available index is 9", index_too_far,
	  WARD_VIRTQ_EVENT_IDX },
	{ "index backwards", "available index is 65535", index_backwards, 0 },
	{ "index beyond those out", "8 of 8", index_beyond_those_out, 0 },
	{ "head outside", "Descriptor 8 of a queue of 8", head_outside, 0 },
	{ "next outside", "Descriptor 8 of a queue of 8", next_outside, 0 },
	{ "next far outside", "Descriptor 65535 of", next_far_outside, 0 },
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
	{ "table too short", "Descriptor 1 of an indirect table of 1", table_too_short, INDIRECT },
	{ "indirect in table", "has an indirect one", indirect_in_table, INDIRECT },
	{ "loop in table", "longer than the queue", loop_in_table, INDIRECT },
	{ "long table", "longer than the queue", long_table, INDIRECT },
	{ "table nowhere", "at 0x220000, where", table_nowhere, INDIRECT },
	{ "table partly nowhere", "at 0x22fff8, where", table_partly_nowhere, INDIRECT },
	{ "table wraps", "wraps", table_wraps, INDIRECT },
	{ "table begins wrong", "at 0x220000, where", table_begins_wrong, INDIRECT },
};

/* Everything is made right again, and one more buffer is there: it is not looked at. */
static void check_stays_broken(struct rig *rig, const struct ward_virtq_info *info)
{
	static unsigned char before[0x100];
	struct ward_virtq_buffer buffer = { .head = 77 };
	struct ward_virtq_info after;

	memcpy(before, rig_at(rig, RIG_USED), sizeof(before));
	for (uint32_t i = 0; i < ENTRIES; i++)
		rig_describe(rig, i, RIG_BUFFER, 8, 0, RIG_NO_NEXT);
	rig->next = info->next_available;
	rig_offer(rig, 0);
	assert_int_equal(ward_virtq_pop(rig->queue, &buffer), -EBADMSG);
	assert_int_equal(buffer.head, 77);
	assert_int_equal(ward_virtq_push(rig->queue, 0, 0), -EBADMSG);
	(void)ward_virtq_notify(rig->queue);
	assert_memory_equal(before, rig_at(rig, RIG_USED), sizeof(before));
	ward_virtq_info(rig->queue, &after);
	assert_true(after.broken);
	assert_string_equal(after.error.text, info->error.text);
	assert_int_equal(after.next_available, info->next_available);
	assert_int_equal(after.next_used, info->next_used);
}

static void check_wrong(const struct wrong *wrong)
{
	struct ward_virtq_buffer buffer = { .head = 77 };
	struct ward_virtq_info info;
	struct rig rig;

	rig_start(&rig, ENTRIES, wrong->features);
	wrong->make(&rig);
	assert_int_equal(ward_virtq_pop(rig.queue, &buffer), -EBADMSG);
	assert_int_equal(buffer.head, 77);
	assert_int_equal(rig_used_index(&rig), 0);
	for (uint32_t i = 0; i < ENTRIES; i++)
		assert_true(rig_used_head(&rig, i) == 0 && rig_used_length(&rig, i) == 0);
	ward_virtq_info(rig.queue, &info);
	assert_true(info.broken);
	if (!strstr(info.error.text, wrong->sentence))
		fail_msg("%s: %s", wrong->name, info.error.text);
	check_stays_broken(&rig, &info);
	rig_finish(&rig);
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
	struct rig rig;

	(void)state;
	rig_start(&rig, ENTRIES, 0);
	rig_set_flags(&rig, 1);
	rig_describe(&rig, 0, RIG_BUFFER, 8, 0, RIG_NO_NEXT);
	rig_offer(&rig, 0);
	assert_int_equal(ward_virtq_pop(rig.queue, &buffer), 0);
	assert_int_equal(ward_virtq_push(rig.queue, 0, 0), 0);
	head_outside(&rig);
	assert_int_equal(ward_virtq_pop(rig.queue, &buffer), -EBADMSG);
	assert_true(ward_virtq_notify(rig.queue));
	assert_false(ward_virtq_notify(rig.queue));
	rig_finish(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_wrong_thing_at_a_time),
		cmocka_unit_test(what_was_pushed_before_is_told),
	};

	return cmocka_run_group_tests_name("virtio/virtq-broken", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Who notifies whom of what (virtio 1.3, 2.7.7, 2.7.10): by flags, and by event index in both
 * directions.
 */
#include "ring.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>

#define ENTRIES 16u
#define PAGE 0x1000u

/* The driver offers buffers, and the device takes them and gives them back. */
static void serve(struct ring *ring, uint32_t count)
{
	struct ward_virtq_buffer buffer;

	for (uint32_t i = 0; i < count; i++) {
		ring_describe(ring, i % ENTRIES, RING_BUFFER, 8, 0, RING_NO_NEXT);
		ring_offer(ring, i % ENTRIES);
		assert_int_equal(ward_virtq_pop(ring->queue, &buffer), 0);
		assert_int_equal(ward_virtq_push(ring->queue, buffer.head, 0), 0);
	}
}

static void flags_of_the_driver(void **state)
{
	struct ring ring;

	(void)state;
	ring_start(&ring, ENTRIES, 0);
	assert_false(ward_virtq_notify(ring.queue));
	serve(&ring, 1);
	assert_true(ward_virtq_notify(ring.queue));
	assert_false(ward_virtq_notify(ring.queue));
	ring_set_flags(&ring, 1);
	serve(&ring, 3);
	assert_false(ward_virtq_notify(ring.queue));
	/* What it did not want to hear then it does not hear later. */
	ring_set_flags(&ring, 0);
	assert_false(ward_virtq_notify(ring.queue));
	/* Bits that are not known, and the place of used_event, are not looked at. */
	ring_set_flags(&ring, 0xfffe);
	ring_set_used_event(&ring, 100);
	serve(&ring, 1);
	assert_true(ward_virtq_notify(ring.queue));
	ring_finish(&ring);
}

/* NO_NOTIFY while there are buffers, and not when we said that there were none. */
static void flags_of_the_device(void **state)
{
	struct ward_virtq_buffer buffer;
	struct ring ring;

	(void)state;
	ring_start(&ring, ENTRIES, 0);
	for (unsigned int round = 0; round < 3; round++) {
		assert_int_equal(ward_virtq_pop(ring.queue, &buffer), -ENOENT);
		assert_int_equal(ring_used_flags(&ring), 0);
		serve(&ring, 2);
		assert_int_equal(ring_used_flags(&ring), 1);
	}
	assert_int_equal(ring_available_event(&ring), 0);
	/* What stands there after a restore is put right. */
	ring_restore(&ring, 6, 6);
	assert_int_equal(ring_used_flags(&ring), 1);
	assert_int_equal(ward_virtq_pop(ring.queue, &buffer), -ENOENT);
	assert_int_equal(ring_used_flags(&ring), 0);
	ring_finish(&ring);
}

/* avail_event is where we are, each time that there is nothing. */
static void event_of_the_device(void **state)
{
	struct ward_virtq_buffer buffer;
	uint16_t at = 65533;
	struct ring ring;

	(void)state;
	ring_start(&ring, ENTRIES, WARD_VIRTQ_EVENT_IDX);
	ring_restore(&ring, at, at);
	ring_write16(&ring, RING_AVAILABLE + 2, at);
	for (uint32_t count = 1; count < 9; count++) {
		assert_int_equal(ward_virtq_pop(ring.queue, &buffer), -ENOENT);
		assert_int_equal(ring_available_event(&ring), at);
		serve(&ring, count);
		/* It need not notify of more as long as we have not said that there are none. */
		assert_int_equal(ring_available_event(&ring), at);
		at = (uint16_t)(at + count);
		assert_int_equal(ring_used_flags(&ring), 0);
	}
	ring_finish(&ring);
}

/* Element i of the used ring is written, i from first to last: the driver waits for event. */
static bool told(uint32_t first, uint32_t count, uint32_t event)
{
	struct ring ring;
	bool notify;

	ring_start(&ring, ENTRIES, WARD_VIRTQ_EVENT_IDX);
	ring_restore(&ring, (uint16_t)first, (uint16_t)first);
	ring_write16(&ring, RING_AVAILABLE + 2, first);
	/* What a restore could not know is out of the way. */
	(void)ward_virtq_notify(ring.queue);
	/* Not looked at with event index. */
	ring_set_flags(&ring, 1);
	ring_set_used_event(&ring, event);
	serve(&ring, count);
	notify = ward_virtq_notify(ring.queue);
	assert_false(ward_virtq_notify(ring.queue));
	ring_finish(&ring);
	return notify;
}

static void event_of_the_driver(void **state)
{
	static const uint16_t firsts[] = { 0, 1, 100, 32766, 65530, 65535 };
	static const uint16_t counts[] = { 1, 2, 7, 16, 40 };

	(void)state;
	for (size_t i = 0; i < sizeof(firsts) / sizeof(*firsts); i++) {
		for (size_t j = 0; j < sizeof(counts) / sizeof(*counts); j++) {
			uint32_t first = firsts[i], count = counts[j];

			for (uint32_t k = 0; k < count; k++)
				assert_true(told(first, count, first + k));
			assert_false(told(first, count, first - 1));
			assert_false(told(first, count, first + count));
			assert_false(told(first, count, first + 0x8000));
		}
	}
	assert_false(told(5, 0, 5));
}

/* All that was pushed since the last ask counts, and no more. */
static void asks_are_remembered(void **state)
{
	struct ring ring;

	(void)state;
	ring_start(&ring, ENTRIES, WARD_VIRTQ_EVENT_IDX);
	ring_set_used_event(&ring, 2);
	serve(&ring, 1);
	assert_false(ward_virtq_notify(ring.queue));
	serve(&ring, 1);
	serve(&ring, 1);
	serve(&ring, 1);
	assert_true(ward_virtq_notify(ring.queue));
	serve(&ring, 4);
	assert_false(ward_virtq_notify(ring.queue));
	ring_finish(&ring);
}

/* So many that each index was written: the 16 bits say nothing any more. */
static void more_than_an_index_has_bits(void **state)
{
	static const uint32_t counts[] = { 65535, 65536, 65537, 140000 };

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		struct ring ring;

		ring_start(&ring, ENTRIES, WARD_VIRTQ_EVENT_IDX);
		/* The one that is written next, and was once already when there were so many. */
		ring_set_used_event(&ring, counts[i]);
		serve(&ring, counts[i]);
		assert_int_equal(ward_virtq_notify(ring.queue), counts[i] > 65535);
		ring_finish(&ring);
	}
}

/* Nobody knows what the driver heard of what was pushed before the save. */
static void a_restored_queue_notifies_once(void **state)
{
	struct ring ring;

	(void)state;
	for (uint32_t features = 0; features <= WARD_VIRTQ_EVENT_IDX;
	     features += WARD_VIRTQ_EVENT_IDX) {
		ring_start(&ring, ENTRIES, features);
		ring_set_flags(&ring, 1);
		ring_set_used_event(&ring, 100);
		serve(&ring, 3);
		ring_restore(&ring, 3, 3);
		assert_true(ward_virtq_notify(ring.queue));
		assert_false(ward_virtq_notify(ring.queue));
		serve(&ring, 1);
		assert_false(ward_virtq_notify(ring.queue));
		ring_finish(&ring);
	}
}

/* The driver of the signal handler: it runs in the middle of our first write to the used ring. */
static struct {
	struct ring *ring;
	void *page;
	volatile sig_atomic_t ran;
} interrupting;

static void interrupt(int signal)
{
	(void)signal;
	mprotect(interrupting.page, PAGE, PROT_READ | PROT_WRITE);
	interrupting.ran++;
	ring_offer(interrupting.ring, 3);
}

/*
 * Nothing was there, and just before we say that we want to hear of more there is: the driver saw
 * nobody who wants to be told, and we have to see it by ourselves.
 */
static void one_comes_before_we_ask(uint32_t features)
{
	struct sigaction action = { .sa_handler = interrupt }, before;
	struct ward_range range = { RING_HOLE, RING_HOLE + PAGE - 1 };
	struct ward_virtq_buffer buffer;
	struct ward_virtq_options options;
	struct ring ring;

	ring_memory(&ring);
	ring.entries = ENTRIES;
	interrupting.ring = &ring;
	interrupting.ran = 0;
	interrupting.page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(interrupting.page, MAP_FAILED);
	assert_int_equal(ward_memory_add(ring.memory, range, 0, interrupting.page), 0);
	options = ring_options(&ring, ENTRIES, features);
	options.used = ward_gpa(RING_HOLE);
	assert_int_equal(ward_virtq_create(&options, &ring.queue, NULL), 0);
	ring_describe(&ring, 3, RING_BUFFER, 8, 0, RING_NO_NEXT);
	assert_int_equal(sigaction(SIGSEGV, &action, &before), 0);
	assert_int_equal(ward_virtq_pop(ring.queue, &buffer), 0);
	assert_int_equal(sigaction(SIGSEGV, &before, NULL), 0);
	assert_int_equal(interrupting.ran, 1);
	assert_int_equal(buffer.head, 3);
	assert_int_equal(ward_virtq_pop(ring.queue, &buffer), -ENOENT);
	ring_finish(&ring);
	munmap(interrupting.page, PAGE);
}

static void one_comes_before_we_want_to_hear(void **state)
{
	(void)state;
	one_comes_before_we_ask(WARD_VIRTQ_EVENT_IDX);
	one_comes_before_we_ask(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_of_the_driver),
		cmocka_unit_test(flags_of_the_device),
		cmocka_unit_test(event_of_the_device),
		cmocka_unit_test(event_of_the_driver),
		cmocka_unit_test(asks_are_remembered),
		cmocka_unit_test(more_than_an_index_has_bits),
		cmocka_unit_test(a_restored_queue_notifies_once),
		cmocka_unit_test(one_comes_before_we_want_to_hear),
	};

	return cmocka_run_group_tests_name("virtio/virtq-notify", tests, NULL, NULL);
}

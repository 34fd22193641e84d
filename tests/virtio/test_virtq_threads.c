// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A driver on another CPU. Each side sleeps when the rings have nothing for it and it has asked the
 * other one to wake it; both asleep is a lost notification. What is in buffers is written and read
 * plainly: the rings alone order it, or ThreadSanitizer says so (scripts/check-threads).
 */
#include "ring.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define ENTRIES 4u
#define BUFFERS 200000u

enum side {
	DRIVER,
	DEVICE,
	SIDES,
};

struct world {
	struct ring ring;
	_Atomic bool woken[SIDES], asleep[SIDES], lost;
	/* Of each side alone. */
	uint64_t sleeps[SIDES];
	/* The driver's. */
	uint16_t used;
	uint32_t offered, done, wrong;
};

static uint32_t next_random(uint32_t *state, uint32_t below)
{
	*state = *state * 1664525u + 1013904223u;
	return (*state >> 8) % below;
}

/* For a while, a little different each time: so the two sides meet at every place. */
static void linger(uint32_t *random)
{
	for (volatile uint32_t n = next_random(random, 64); n > 0; n--)
		;
}

/*
 * Sleeps until woken; true when nobody would ever do that. While we sleep nobody wakes the other
 * side: one that is not woken and, looked at after that, asleep, sleeps on. It could have woken us
 * before.
 */
static bool sleep_is_for_ever(struct world *world, enum side side)
{
	enum side other = side == DRIVER ? DEVICE : DRIVER;

	world->sleeps[side]++;
	atomic_store(&world->asleep[side], true);
	for (uint32_t spins = 0; !atomic_load(&world->woken[side]); spins++) {
		if (!atomic_load(&world->woken[other]) && atomic_load(&world->asleep[other]) &&
		    !atomic_load(&world->woken[side]))
			atomic_store(&world->lost, true);
		if (atomic_load(&world->lost))
			return true;
		if (spins % 64 == 63)
			sched_yield();
	}
	atomic_store(&world->asleep[side], false);
	atomic_store(&world->woken[side], false);
	return false;
}

/* Number n is in a buffer of its own slot; the answer is n + 1. */
static uint32_t *payload(const struct world *world, uint32_t head)
{
	return ring_at(&world->ring, RING_BUFFER + 0x100 * head);
}

static bool device_is_to_be_notified(const struct world *world, uint16_t old, uint16_t new)
{
	uint16_t event;

	if (!(world->ring.features & WARD_VIRTQ_EVENT_IDX))
		return !(ring_used_flags(&world->ring) & 1);
	event = ring_available_event(&world->ring);
	return (uint16_t)(new - event - 1) < (uint16_t)(new - old);
}

/* As many as it likes, of those whose slots are free: slots are used in turn. */
static void offer_some(struct world *world, uint32_t *random)
{
	uint32_t room = ENTRIES - (world->offered - world->done);
	uint32_t left = BUFFERS - world->offered;
	uint16_t old = world->ring.next;

	if (room > left)
		room = left;
	if (room == 0)
		return;
	for (uint32_t n = 1 + next_random(random, room); n > 0; n--) {
		uint32_t head = world->offered % ENTRIES;

		*payload(world, head) = world->offered++;
		ring_describe(&world->ring, head, RING_BUFFER + 0x100 * head, 4, RING_F_WRITE,
			      RING_NO_NEXT);
		ring_place(&world->ring, head);
	}
	linger(random);
	ring_write16(&world->ring, RING_AVAILABLE + 2, world->ring.next);
	if (device_is_to_be_notified(world, old, world->ring.next))
		atomic_store(&world->woken[DEVICE], true);
}

static void take_used(struct world *world)
{
	while (ring_used_index(&world->ring) != world->used) {
		uint32_t head = ring_used_head(&world->ring, world->used);

		if (head != world->done % ENTRIES || *payload(world, head) != world->done + 1 ||
		    ring_used_length(&world->ring, world->used) != 4)
			world->wrong++;
		world->used++;
		world->done++;
	}
}

/* Wants to hear of the next one; false when it is there already. */
static bool may_sleep(struct world *world)
{
	if (world->ring.features & WARD_VIRTQ_EVENT_IDX)
		ring_set_used_event(&world->ring, world->used);
	else
		ring_set_flags(&world->ring, 0);
	return ring_used_index(&world->ring) == world->used;
}

static void *drive(void *context)
{
	struct world *world = context;
	uint32_t random = 99;

	while (world->done < BUFFERS) {
		offer_some(world, &random);
		if (!(world->ring.features & WARD_VIRTQ_EVENT_IDX))
			ring_set_flags(&world->ring, 1);
		linger(&random);
		take_used(world);
		if (world->done == world->offered || next_random(&random, 8))
			continue;
		if (may_sleep(world) && sleep_is_for_ever(world, DRIVER))
			break;
	}
	return NULL;
}

/* One batch; false when there was nothing. */
static bool serve_some(struct world *world, uint32_t *random, uint32_t *served)
{
	uint32_t limit = 1 + next_random(random, 6);
	struct ward_virtq_buffer buffer;
	int code = 0;

	for (uint32_t i = 0; i < limit; i++) {
		linger(random);
		code = ward_virtq_pop(world->ring.queue, &buffer);
		if (code)
			break;
		++*(uint32_t *)buffer.writable[0].iov_base;
		assert_int_equal(ward_virtq_push(world->ring.queue, buffer.head, 4), 0);
		++*served;
	}
	if (ward_virtq_notify(world->ring.queue))
		atomic_store(&world->woken[DRIVER], true);
	assert_true(code == 0 || code == -ENOENT);
	return code == 0;
}

static void no_notification_is_lost(uint32_t features)
{
	struct world *world = calloc(1, sizeof(*world));
	uint32_t served = 0, random = 7;
	pthread_t thread;

	assert_non_null(world);
	ring_start(&world->ring, ENTRIES, features);
	assert_int_equal(pthread_create(&thread, NULL, drive, world), 0);
	while (served < BUFFERS) {
		if (serve_some(world, &random, &served))
			continue;
		if (served < BUFFERS && sleep_is_for_ever(world, DEVICE))
			break;
	}
	pthread_join(thread, NULL);
	assert_false(atomic_load(&world->lost));
	assert_int_equal(served, BUFFERS);
	assert_int_equal(world->done, BUFFERS);
	assert_int_equal(world->wrong, 0);
	assert_true(world->sleeps[DRIVER] > 0 && world->sleeps[DEVICE] > 0);
	ring_finish(&world->ring);
	free(world);
}

static void by_event_index(void **state)
{
	(void)state;
	no_notification_is_lost(WARD_VIRTQ_EVENT_IDX);
}

static void by_flags(void **state)
{
	(void)state;
	no_notification_is_lost(0);
}

/* A guest that changes descriptors, tables and rings while they are walked. */
struct scribbler {
	struct ring *ring;
	atomic_bool done;
};

static void *scribble(void *context)
{
	static const uint64_t places[] = { RING_BUFFER, RING_BUFFER, RING_NEXT - 20, RING_TOP,
					   RING_TABLE,	RING_HOLE,   RING_READ_ONLY };
	struct scribbler *scribbler = context;
	uint32_t random = 1;

	while (!atomic_load_explicit(&scribbler->done, memory_order_relaxed)) {
		uint64_t at = next_random(&random, 2) ? RING_DESCRIPTORS : RING_TABLE;
		uint64_t place = places[next_random(&random, 40) % 7];
		uint32_t flags = next_random(&random, 10) < 3 ? RING_F_INDIRECT : 0;

		if (!flags)
			flags = next_random(&random, 4);
		ring_describe_at(scribbler->ring, at + 16 * next_random(&random, ENTRIES), place,
				 16 * next_random(&random, 4), flags, next_random(&random, 5));
		ring_write16(scribbler->ring,
			     RING_AVAILABLE + 4 + 2 * next_random(&random, ENTRIES),
			     next_random(&random, 40) ? next_random(&random, ENTRIES) : ENTRIES);
	}
	return NULL;
}

/* Whatever was read, it was looked at: pieces are in memory, and those to be written writable. */
static void check_pieces(const struct ring *ring, const struct iovec *pieces, uint32_t count,
			 uint64_t size, bool write)
{
	static const struct ward_range parts[] = { { RING_MAIN, RING_MAIN_LAST },
						   { RING_NEXT, RING_NEXT_LAST },
						   { RING_TOP, UINT64_MAX },
						   { RING_READ_ONLY, RING_READ_ONLY_LAST } };
	uint64_t sum = 0;

	for (uint32_t i = 0; i < count; i++) {
		const unsigned char *base = pieces[i].iov_base;
		bool found = false;

		for (unsigned int part = 0; part < (write ? 3 : 4); part++) {
			const unsigned char *from = ring_byte(ring, parts[part].start);
			uint64_t length = parts[part].last - parts[part].start + 1;

			found = found || (base >= from && pieces[i].iov_len <= length &&
					  (uint64_t)(base - from) <= length - pieces[i].iov_len);
		}
		assert_true(found);
		sum += pieces[i].iov_len;
	}
	assert_int_equal(sum, size);
}

static void a_guest_that_changes_what_is_read(void **state)
{
	uint32_t whole = 0, broken = 0;
	struct scribbler scribbler;
	struct ring ring, scribbled;
	pthread_t thread;

	(void)state;
	ring_start(&ring, ENTRIES, WARD_VIRTQ_INDIRECT);
	scribbled = ring;
	scribbler.ring = &scribbled;
	atomic_init(&scribbler.done, false);
	assert_int_equal(pthread_create(&thread, NULL, scribble, &scribbler), 0);
	/* At least so many, and until both were seen. */
	for (uint32_t i = 0; i < 20000 || whole == 0 || broken == 0; i++) {
		struct ward_virtq_buffer buffer;
		uint16_t next = ring.next++;
		int code;

		ring_write16(&ring, RING_AVAILABLE + 2, ring.next);
		code = ward_virtq_pop(ring.queue, &buffer);
		if (code) {
			assert_int_equal(code, -EBADMSG);
			broken++;
			ring_restore(&ring, next, next);
			if (broken % 64 == 0)
				sched_yield();
			continue;
		}
		whole++;
		check_pieces(&ring, buffer.readable, buffer.readable_count, buffer.readable_size,
			     false);
		check_pieces(&ring, buffer.writable, buffer.writable_count, buffer.writable_size,
			     true);
		assert_int_equal(ward_virtq_push(ring.queue, buffer.head, 0), 0);
	}
	atomic_store(&scribbler.done, true);
	pthread_join(thread, NULL);
	ring_finish(&ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_event_index),
		cmocka_unit_test(by_flags),
		cmocka_unit_test(a_guest_that_changes_what_is_read),
	};

	return cmocka_run_group_tests_name("virtio/virtq-threads", tests, NULL, NULL);
}

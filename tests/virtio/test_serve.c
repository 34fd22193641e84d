// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The device behind split rings of ours: requests are served as if they were handed over one by one,
 * and what a driver does wrong with its queues ends in DEVICE_NEEDS_RESET and in nothing else.
 */
#include "rig.h"
#include "ring.h"

#define ENTRIES 16u
#define DOMAIN 7u
#define ENDPOINT 3u
#define PAGE 0x1000u

struct world {
	struct rig rig;
	struct ring requests, events;
	int (*unmap)(void);
};

static int move(void *context, uint32_t endpoint, const struct ward_viommu_place *from,
		const struct ward_viommu_place *to)
{
	(void)context, (void)endpoint, (void)from, (void)to;
	return 0;
}

static int unmap(void *context, uint32_t domain, struct ward_range range)
{
	const struct world *world = context;

	(void)domain, (void)range;
	return world->unmap ? world->unmap() : 0;
}

static int refuse(void)
{
	return -EIO;
}

static void start(struct world *world, uint32_t features)
{
	static const struct ward_viommu_listener_ops ops = { .move = move, .unmap = unmap };

	memset(world, 0, sizeof(*world));
	rig_start(&world->rig, NULL);
	assert_int_equal(ward_viommu_listen(world->rig.viommu, &ops, world), 0);
	rig_add(&world->rig, ENDPOINT);
	ring_start(&world->requests, ENTRIES, features);
	ring_start(&world->events, ENTRIES, features);
}

static void finish(struct world *world)
{
	ring_finish(&world->requests);
	ring_finish(&world->events);
	rig_finish(&world->rig);
}

/* Bytes of the slot-th request and answer. */
static uint8_t *request_at(const struct world *world, uint32_t slot)
{
	return ring_at(&world->requests, RING_BUFFER + 0x400 * slot);
}

static uint8_t *answer_at(const struct world *world, uint32_t slot)
{
	return request_at(world, slot) + 0x80;
}

/* A request in descriptors 2 * slot and the next one. */
static void ask(struct world *world, uint32_t slot, const void *request, size_t size)
{
	uint64_t at = RING_BUFFER + 0x400 * slot;

	memcpy(request_at(world, slot), request, size);
	memset(answer_at(world, slot), RIG_UNTOUCHED, 16);
	ring_describe(&world->requests, 2 * slot, at, size, RING_F_NEXT, 2 * slot + 1);
	ring_describe(&world->requests, 2 * slot + 1, at + 0x80, 16, RING_F_WRITE, RING_NO_NEXT);
	ring_offer(&world->requests, 2 * slot);
}

static void ask_attach(struct world *world, uint32_t slot)
{
	const struct rig_attach request = {
		.type = 1,
		.domain = htole32(DOMAIN),
		.endpoint = htole32(ENDPOINT),
	};

	ask(world, slot, &request, sizeof(request));
}

static void ask_map(struct world *world, uint32_t slot, uint64_t page)
{
	const struct rig_map request = {
		.type = 3,
		.domain = htole32(DOMAIN),
		.virt_start = htole64(page * PAGE),
		.virt_end = htole64(page * PAGE + PAGE - 1),
		.phys_start = htole64(page * PAGE),
		.flags = htole32(RIG_RW),
	};

	ask(world, slot, &request, sizeof(request));
}

static void ask_unmap(struct world *world, uint32_t slot, uint64_t page)
{
	const struct rig_unmap request = {
		.type = 4,
		.domain = htole32(DOMAIN),
		.virt_start = htole64(page * PAGE),
		.virt_end = htole64(page * PAGE + PAGE - 1),
	};

	ask(world, slot, &request, sizeof(request));
}

static int serve(struct world *world, uint32_t limit, bool *ret_notify)
{
	return ward_viommu_serve(world->rig.viommu, world->requests.queue, limit, ret_notify);
}

static int serve_events(struct world *world, bool *ret_notify)
{
	return ward_viommu_serve_events(world->rig.viommu, world->events.queue, ret_notify);
}

/* The number-th used element is of the slot, and its status is this. */
static void answered(const struct world *world, uint32_t number, uint32_t slot,
		     enum rig_status status)
{
	assert_int_equal(ring_used_head(&world->requests, number), 2 * slot);
	if (status == RIG_NOT_KNOWN) {
		assert_int_equal(ring_used_length(&world->requests, number), 0);
		assert_int_equal(answer_at(world, slot)[0], RIG_UNTOUCHED);
		return;
	}
	assert_int_equal(ring_used_length(&world->requests, number), 4);
	assert_int_equal(answer_at(world, slot)[0], status);
	assert_int_equal(answer_at(world, slot)[4], RIG_UNTOUCHED);
}

static void fault(struct world *world, uint64_t iova)
{
	const struct ward_fault fault = {
		.iova = ward_iova(iova),
		.access = WARD_WRITE,
		.reason = WARD_FAULT_TRANSLATION,
	};

	assert_true(ward_viommu_fault(world->rig.viommu, ENDPOINT, &fault, 0));
}

/* A buffer of the event queue. */
static void give(struct world *world, uint32_t slot, uint32_t size)
{
	ring_describe(&world->events, slot, RING_BUFFER + 0x100 * slot, size, RING_F_WRITE,
		      RING_NO_NEXT);
	ring_offer(&world->events, slot);
}

/* The number-th used element is of the slot and has the fault at this address; or nothing. */
static void told(const struct world *world, uint32_t number, uint32_t slot, uint64_t iova)
{
	const uint8_t *event = ring_at(&world->events, RING_BUFFER + 0x100 * slot);
	uint64_t address;

	assert_int_equal(ring_used_head(&world->events, number), slot);
	assert_int_equal(ring_used_length(&world->events, number), iova ? 24 : 0);
	memcpy(&address, event + 16, sizeof(address));
	assert_int_equal(le64toh(address), iova);
}

static void requests_are_served_in_order(void **state)
{
	struct world world;
	bool notify = false;

	(void)state;
	start(&world, WARD_VIRTQ_EVENT_IDX);
	assert_int_equal(serve(&world, 10, &notify), 0);
	assert_false(notify);
	ring_set_used_event(&world.requests, 0);
	ask_attach(&world, 0);
	ask_map(&world, 1, 5);
	ask_map(&world, 2, 5);
	ask(&world, 3, "\377 not a request", 16);
	ask_unmap(&world, 4, 5);
	assert_int_equal(serve(&world, 10, &notify), 5);
	assert_true(notify);
	assert_int_equal(ring_used_index(&world.requests), 5);
	answered(&world, 0, 0, RIG_OK);
	answered(&world, 1, 1, RIG_OK);
	answered(&world, 2, 2, RIG_INVAL);
	answered(&world, 3, 3, RIG_NOT_KNOWN);
	answered(&world, 4, 4, RIG_OK);
	assert_int_equal(rig_place(&world.rig, ENDPOINT), WARD_VIOMMU_MAPPED);
	/* It wants to hear of the next one but one. */
	ring_set_used_event(&world.requests, 6);
	ask_map(&world, 0, 6);
	assert_int_equal(serve(&world, 10, &notify), 1);
	assert_false(notify);
	ask_map(&world, 0, 7);
	assert_int_equal(serve(&world, 10, NULL), 1);
	assert_true(ward_virtq_notify(world.requests.queue));
	finish(&world);
}

static void no_more_than_the_limit(void **state)
{
	static const int counts[] = { 0, 2, 2, 1, 0 };
	struct world world;

	(void)state;
	start(&world, WARD_VIRTQ_EVENT_IDX);
	ask_attach(&world, 0);
	for (uint32_t slot = 1; slot < 5; slot++)
		ask_map(&world, slot, slot);
	for (uint32_t i = 0; i < 5; i++) {
		bool notify = false;

		assert_int_equal(serve(&world, i == 0 ? 0 : 2, &notify), counts[i]);
		/* The driver's event is 0. */
		assert_int_equal(notify, i == 1);
		/* As long as more may wait the driver need not notify. */
		assert_int_equal(ring_available_event(&world.requests), i < 3 ? 0 : 5);
	}
	ask_unmap(&world, 0, 1);
	assert_int_equal(serve(&world, UINT32_MAX, NULL), 1);
	finish(&world);
}

/* The device is broken with the queue's sentence; what was served before is told. */
static void a_broken_queue_breaks_the_device(void **state)
{
	struct ward_virtq_info queue;
	struct ward_viommu_info info;
	struct world world;
	bool notify = false;

	(void)state;
	start(&world, 0);
	ask_attach(&world, 0);
	ring_offer(&world.requests, 99);
	ask_map(&world, 1, 1);
	assert_int_equal(serve(&world, 10, &notify), -EIO);
	assert_true(notify);
	assert_int_equal(ring_used_index(&world.requests), 1);
	answered(&world, 0, 0, RIG_OK);
	ward_virtq_info(world.requests.queue, &queue);
	info = rig_info(&world.rig);
	assert_true(queue.broken && info.broken);
	assert_string_equal(info.error.text, queue.error.text);
	assert_int_equal(serve(&world, 10, &notify), -EIO);
	assert_false(notify);
	assert_int_equal(serve_events(&world, &notify), -EIO);
	assert_int_equal(ring_used_index(&world.requests), 1);
	finish(&world);
}

/* After a reset, with a new queue, everything works. */
static void a_reset_mends_it(void **state)
{
	struct world world;

	(void)state;
	start(&world, 0);
	ring_offer(&world.requests, 99);
	assert_int_equal(serve(&world, 10, NULL), -EIO);
	ward_viommu_reset(world.rig.viommu, false);
	rig_negotiate(&world.rig);
	ring_finish(&world.requests);
	ring_start(&world.requests, ENTRIES, 0);
	ask_attach(&world, 0);
	assert_int_equal(serve(&world, 10, NULL), 1);
	answered(&world, 0, 0, RIG_OK);
	finish(&world);
}

/* A host that fails breaks the device by a request: its answer goes back, the next one stays. */
static void a_request_that_breaks_the_device(void **state)
{
	struct ward_virtq_info queue;
	struct world world;
	bool notify = false;

	(void)state;
	start(&world, 0);
	ask_attach(&world, 0);
	ask_map(&world, 1, 1);
	world.unmap = refuse;
	ask_unmap(&world, 2, 1);
	ask_map(&world, 3, 3);
	assert_int_equal(serve(&world, 10, &notify), -EIO);
	assert_true(notify);
	assert_int_equal(ring_used_index(&world.requests), 3);
	answered(&world, 2, 2, RIG_DEVERR);
	assert_int_equal(answer_at(&world, 3)[0], RIG_UNTOUCHED);
	ward_virtq_info(world.requests.queue, &queue);
	assert_int_equal(queue.next_available, 3);
	assert_false(queue.broken);
	finish(&world);
}

/* Nothing is taken that could not be answered. */
static void a_broken_device_takes_nothing(void **state)
{
	struct ward_virtq_info queue;
	struct world world;
	bool notify = true;

	(void)state;
	start(&world, 0);
	fault(&world, 0x1000);
	ask_attach(&world, 0);
	give(&world, 0, 24);
	ward_viommu_break(world.rig.viommu, "It was dropped.");
	assert_int_equal(serve(&world, 10, &notify), -EIO);
	assert_false(notify);
	notify = true;
	assert_int_equal(serve_events(&world, &notify), -EIO);
	assert_false(notify);
	ward_virtq_info(world.requests.queue, &queue);
	assert_int_equal(queue.next_available, 0);
	ward_virtq_info(world.events.queue, &queue);
	assert_int_equal(queue.next_available, 0);
	assert_int_equal(ring_used_index(&world.requests), 0);
	assert_int_equal(ring_used_index(&world.events), 0);
	finish(&world);
}

/* A buffer is popped only when there is an event for it. */
static void events_take_buffers_when_they_wait(void **state)
{
	struct ward_virtq_info queue;
	struct world world;
	bool notify = true;

	(void)state;
	start(&world, WARD_VIRTQ_EVENT_IDX);
	for (uint32_t slot = 0; slot < 3; slot++)
		give(&world, slot, 24 + slot);
	assert_int_equal(serve_events(&world, &notify), 0);
	assert_false(notify);
	ward_virtq_info(world.events.queue, &queue);
	assert_int_equal(queue.next_available, 0);
	fault(&world, 0x1000);
	fault(&world, 0x2000);
	assert_int_equal(serve_events(&world, &notify), 2);
	assert_true(notify);
	told(&world, 0, 0, 0x1000);
	told(&world, 1, 1, 0x2000);
	assert_int_equal(serve_events(&world, &notify), 0);
	assert_false(notify);
	ward_virtq_info(world.events.queue, &queue);
	assert_int_equal(queue.next_available, 2);
	assert_int_equal(queue.next_used, 2);
	assert_int_equal(rig_info(&world.rig).events_told, 2);
	finish(&world);
}

/* Events wait, buffers do not: the driver is asked to notify of the next one. */
static void events_wait_for_buffers(void **state)
{
	struct world world;

	(void)state;
	start(&world, WARD_VIRTQ_EVENT_IDX);
	give(&world, 0, 24);
	for (uint64_t i = 1; i < 4; i++)
		fault(&world, i * 0x1000);
	assert_int_equal(serve_events(&world, NULL), 1);
	assert_int_equal(ring_available_event(&world.events), 1);
	assert_int_equal(rig_info(&world.rig).events_waiting, 2);
	give(&world, 1, 24);
	give(&world, 2, 24);
	assert_int_equal(serve_events(&world, NULL), 2);
	told(&world, 0, 0, 0x1000);
	told(&world, 1, 1, 0x2000);
	told(&world, 2, 2, 0x3000);
	finish(&world);
}

/* They go back with length 0, and the event waits for one that is large enough. */
static void buffers_that_are_too_small(void **state)
{
	struct world world;
	bool notify = false;

	(void)state;
	start(&world, 0);
	fault(&world, 0x1000);
	for (uint32_t slot = 0; slot < ENTRIES; slot++)
		give(&world, slot, slot + 8);
	assert_int_equal(serve_events(&world, &notify), 0);
	assert_true(notify);
	assert_int_equal(ring_used_index(&world.events), ENTRIES);
	for (uint32_t slot = 0; slot < ENTRIES; slot++)
		told(&world, slot, slot, 0);
	/* The driver notifies of the next one. */
	assert_int_equal(ring_used_flags(&world.events), 0);
	give(&world, 0, 23);
	give(&world, 1, 24);
	assert_int_equal(serve_events(&world, &notify), 1);
	told(&world, ENTRIES, 0, 0);
	told(&world, ENTRIES + 1, 1, 0x1000);
	finish(&world);
}

static void an_event_queue_that_breaks(void **state)
{
	struct world world;

	(void)state;
	start(&world, 0);
	fault(&world, 0x1000);
	ring_offer(&world.events, 99);
	assert_int_equal(serve_events(&world, NULL), -EIO);
	assert_true(rig_info(&world.rig).broken);
	assert_int_equal(ring_used_index(&world.events), 0);
	assert_int_equal(serve(&world, 1, NULL), -EIO);
	finish(&world);
}

static uint32_t next_random(uint32_t *state, uint32_t below)
{
	*state = *state * 1664525u + 1013904223u;
	return (*state >> 8) % below;
}

/* So many bytes in so many descriptors, cut anywhere; returns the index of the next one. */
static uint32_t cut(struct world *world, uint64_t table, uint32_t index, uint32_t at, uint32_t size,
		    uint32_t count, uint32_t flags, uint32_t *random)
{
	while (count-- > 0) {
		uint32_t part = count ? next_random(random, size + 1) : size;
		bool last = count == 0 && (flags & RING_F_WRITE);

		ring_describe_at(&world->requests, table + 16 * index, RING_BUFFER + at, part,
				 flags | (last ? 0 : RING_F_NEXT), index + 1);
		at += part, size -= part, index++;
	}
	return index;
}

static void ask_in_pieces(struct world *world, const void *request, uint32_t size, uint32_t *random)
{
	bool indirect = next_random(random, 2);
	uint64_t table = indirect ? RING_TABLE + next_random(random, 20) : RING_DESCRIPTORS;
	uint32_t count;

	memcpy(request_at(world, 0), request, size);
	memset(request_at(world, 0) + size, RIG_UNTOUCHED, 8);
	count = cut(world, table, 0, 0, size, 1 + next_random(random, 8), 0, random);
	count = cut(world, table, count, size, 8, 1 + next_random(random, 8), RING_F_WRITE, random);
	if (indirect)
		ring_describe(&world->requests, 0, table, 16 * count, RING_F_INDIRECT,
			      RING_NO_NEXT);
	ring_offer(&world->requests, 0);
}

/* Requests of which some are right: ATTACH, DETACH, MAP, UNMAP of few domains and pages. */
static uint32_t random_request(uint8_t ret_request[64], uint32_t *random)
{
	static const uint8_t sizes[] = { 8, 20, 20, 36, 28, 30 };
	uint64_t first = next_random(random, 8) * PAGE, last = first + PAGE - 1;
	uint8_t type = (uint8_t)next_random(random, sizeof(sizes));
	uint32_t size = sizes[type], word = htole32(1 + next_random(random, 2));

	memset(ret_request, 0, 64);
	ret_request[0] = type;
	memcpy(ret_request + 4, &word, 4);
	if (type < 3) {
		ret_request[8] = (uint8_t)(ENDPOINT + !next_random(random, 8));
	} else {
		first = htole64(first);
		last = htole64(last);
		memcpy(ret_request + 8, &first, 8);
		memcpy(ret_request + 16, &last, 8);
		if (type == 3)
			ret_request[32] = (uint8_t)next_random(random, 4);
	}
	return next_random(random, 16) ? size : next_random(random, size + 1);
}

/* However a request is cut, it is answered as if it were whole. */
static void framing_counts_for_nothing(void **state)
{
	uint32_t random = 5, statuses[RIG_NOMEM + 2] = { 0 };
	struct world world;
	struct rig twin;

	(void)state;
	start(&world, WARD_VIRTQ_INDIRECT);
	rig_start(&twin, NULL);
	rig_add(&twin, ENDPOINT);
	for (uint32_t n = 0; n < 5000; n++) {
		uint8_t request[64];
		uint32_t size = random_request(request, &random);
		enum rig_status status = rig_ask(&twin, request, size, 8);

		ask_in_pieces(&world, request, size, &random);
		assert_int_equal(serve(&world, 1, NULL), 1);
		assert_int_equal(ring_used_length(&world.requests, n), twin.written);
		assert_memory_equal(request_at(&world, 0) + size, twin.answer, 8);
		statuses[status + 1]++;
	}
	assert_true(statuses[RIG_NOT_KNOWN + 1] > 100 && statuses[RIG_OK + 1] > 500);
	assert_true(statuses[RIG_INVAL + 1] > 100 && statuses[RIG_NOENT + 1] > 100);
	rig_finish(&twin);
	finish(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_served_in_order),
		cmocka_unit_test(no_more_than_the_limit),
		cmocka_unit_test(a_broken_queue_breaks_the_device),
		cmocka_unit_test(a_reset_mends_it),
		cmocka_unit_test(a_request_that_breaks_the_device),
		cmocka_unit_test(a_broken_device_takes_nothing),
		cmocka_unit_test(events_take_buffers_when_they_wait),
		cmocka_unit_test(events_wait_for_buffers),
		cmocka_unit_test(buffers_that_are_too_small),
		cmocka_unit_test(an_event_queue_that_breaks),
		cmocka_unit_test(framing_counts_for_nothing),
	};

	return cmocka_run_group_tests_name("virtio/serve", tests, NULL, NULL);
}

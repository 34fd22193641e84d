// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The driver's side of a split queue (virtio 1.3, 2.7), as simple as can be. */
#include <endian.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "virtio_iommu.h"

#define REQUEST_SLOT 64u
#define ANSWER_SLOT 16u
#define ANSWER_BYTES 4u
#define TABLE_SLOT 32u
#define PATIENCE 60.0 /* seconds */

#define FLAG_NEXT 1u
#define FLAG_WRITE 2u
#define FLAG_INDIRECT 4u

#define AVAIL_NO_INTERRUPT 1u

double thread_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double wall_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void put(unsigned char *at, uint64_t value, size_t size)
{
	value = htole64(value);
	memcpy(at, &value, size);
}

size_t request_bytes(const struct request *request, unsigned char *ret_bytes)
{
	memset(ret_bytes, 0, REQUEST_SLOT);
	ret_bytes[0] = (unsigned char)request->kind;
	put(ret_bytes + 4, request->domain, 4);
	switch (request->kind) {
	case REQUEST_MAP:
		put(ret_bytes + 8, request->start, 8);
		put(ret_bytes + 16, request->start + PAGE - 1, 8);
		put(ret_bytes + 24, request->start + (1ull << 30), 8);
		put(ret_bytes + 32, 3, 4);
		return 36;
	case REQUEST_UNMAP:
		put(ret_bytes + 8, request->start, 8);
		put(ret_bytes + 16, request->start + PAGE - 1, 8);
		return 28;
	case REQUEST_ATTACH:
	default:
		put(ret_bytes + 8, request->endpoint, 4);
		return 20;
	}
}

static void put_descriptor(unsigned char *at, uint64_t address, size_t length, uint32_t flags,
			   uint32_t next)
{
	put(at, address, 8);
	put(at + 8, length, 4);
	put(at + 12, flags, 2);
	put(at + 14, next, 2);
}

static _Atomic uint16_t *index_of(unsigned char *part)
{
	return (_Atomic uint16_t *)(void *)(part + 2);
}

void ring_init(struct ring *ring, struct subject *subject, bool indirect)
{
	*ring = (struct ring){ .subject = subject, .indirect = indirect };
	put(subject->available, AVAIL_NO_INTERRUPT, 2);
}

uint32_t ring_room(const struct ring *ring)
{
	return ring->indirect ? ENTRIES : ENTRIES / 2;
}

/* The n-th request of a kick has the n-th slot of everything. */
static void put_request(const struct ring *ring, uint32_t n, const struct request *request)
{
	const struct subject *subject = ring->subject;
	unsigned char *bytes = subject->memory + RING_REQUESTS + n * REQUEST_SLOT;
	unsigned char *chain = ring->indirect ? subject->memory + RING_TABLES + n * TABLE_SLOT
					      : subject->descriptors + n * TABLE_SLOT;
	uint32_t head = ring->indirect ? n : 2 * n;
	size_t size = request_bytes(request, bytes);
	uint16_t place = (uint16_t)(ring->next + n) % ENTRIES;

	subject->memory[RING_ANSWERS + n * ANSWER_SLOT] = 0xff;
	put_descriptor(chain, subject->base + RING_REQUESTS + n * REQUEST_SLOT, size, FLAG_NEXT,
		       ring->indirect ? 1 : head + 1);
	put_descriptor(chain + 16, subject->base + RING_ANSWERS + n * ANSWER_SLOT, ANSWER_BYTES,
		       FLAG_WRITE, 0);
	if (ring->indirect)
		put_descriptor(subject->descriptors + head * 16,
			       subject->base + RING_TABLES + n * TABLE_SLOT, TABLE_SLOT,
			       FLAG_INDIRECT, 0);
	put(subject->available + 4 + 2 * place, head, 2);
}

/* All that was made available came back. */
static int wait_used(const struct ring *ring)
{
	double until = wall_seconds() + PATIENCE;

	while (le16toh(atomic_load_explicit(index_of(ring->subject->used), memory_order_acquire)) !=
	       ring->next) {
		if (wall_seconds() > until)
			return -1;
		sched_yield();
	}
	return 0;
}

static bool all_good(const struct ring *ring, uint32_t count)
{
	for (uint32_t n = 0; n < count; n++) {
		if (ring->subject->memory[RING_ANSWERS + n * ANSWER_SLOT] != 0)
			return false;
	}
	return true;
}

int ring_send(struct ring *ring, const struct request *requests, uint32_t count)
{
	struct subject *subject = ring->subject;
	double since;

	for (uint32_t n = 0; n < count; n++)
		put_request(ring, n, &requests[n]);
	ring->next = (uint16_t)(ring->next + count);
	since = subject->seconds(subject);
	atomic_store_explicit(index_of(subject->available), htole16(ring->next),
			      memory_order_release);
	if (subject->kick(subject) || wait_used(ring))
		return -1;
	ring->seconds += subject->seconds(subject) - since - ring->empty_kick;
	return all_good(ring, count) ? 0 : -1;
}

int ring_measure_kick(struct ring *ring, uint32_t count)
{
	struct subject *subject = ring->subject;
	double total = 0;

	for (uint32_t i = 0; i < count; i++) {
		double since = subject->seconds(subject);

		if (subject->kick(subject))
			return -1;
		total += subject->seconds(subject) - since;
	}
	ring->empty_kick = total / count;
	return 0;
}

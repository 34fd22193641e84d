// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "trace_ring.h"

#include <doorward/memory.h>

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define BASE 0x100000u
#define ENTRIES 1024u
#define EVENT_ENTRIES 64u
#define EVENT_SIZE 32u

/* Offsets from BASE. */
#define DESCRIPTORS 0x0u
#define AVAILABLE 0x4000u
#define USED 0x5000u
#define EVENT_DESCRIPTORS 0x8000u
#define EVENT_AVAILABLE 0x8800u
#define EVENT_USED 0x9000u
#define EVENT_BUFFERS 0xa000u
#define SLOTS 0x10000u
#define SLOT 0x800u
#define SLOT_READABLE 0x100u
#define SLOT_WRITABLE 0x200u
#define SIZE (SLOTS + TRACE_BATCH * SLOT)

#define NEXT 1u
#define WRITE 2u
#define INDIRECT 4u

static const struct {
	uint32_t entries, descriptors, available, used;
} layout[2] = {
	{ ENTRIES, DESCRIPTORS, AVAILABLE, USED },
	{ EVENT_ENTRIES, EVENT_DESCRIPTORS, EVENT_AVAILABLE, EVENT_USED },
};

static void put16(struct trace_ring *ring, uint32_t offset, uint32_t value)
{
	uint16_t bytes = htole16((uint16_t)value);

	memcpy(ring->bytes + offset, &bytes, sizeof(bytes));
}

static uint16_t get16(const struct trace_ring *ring, uint32_t offset)
{
	uint16_t bytes;

	memcpy(&bytes, ring->bytes + offset, sizeof(bytes));
	return le16toh(bytes);
}

static uint32_t get32(const struct trace_ring *ring, uint32_t offset)
{
	uint32_t bytes;

	memcpy(&bytes, ring->bytes + offset, sizeof(bytes));
	return le32toh(bytes);
}

static void describe(struct trace_ring *ring, uint32_t at, uint32_t target, uint32_t size,
		     uint32_t flags, uint32_t next)
{
	uint64_t address = htole64((uint64_t)BASE + target);
	uint32_t length = htole32(size);

	memcpy(ring->bytes + at, &address, sizeof(address));
	memcpy(ring->bytes + at + 8, &length, sizeof(length));
	put16(ring, at + 12, flags);
	put16(ring, at + 14, next);
}

static void publish(struct trace_ring *ring, uint32_t queue, uint32_t head)
{
	uint32_t at = layout[queue].available;

	put16(ring, at + 4 + 2 * (ring->available[queue] % layout[queue].entries), head);
	put16(ring, at + 2, ++ring->available[queue]);
}

void trace_ring_give(struct trace_ring *ring, uint32_t slot)
{
	memset(ring->bytes + EVENT_BUFFERS + slot * EVENT_SIZE, TRACE_UNTOUCHED, EVENT_SIZE);
	describe(ring, EVENT_DESCRIPTORS + 16 * slot, EVENT_BUFFERS + slot * EVENT_SIZE, EVENT_SIZE,
		 WRITE, 0);
	publish(ring, TRACE_EVENTS, slot);
}

/* info: where the queue goes on. */
static bool create(struct trace_ring *ring, uint32_t queue, const struct ward_virtq_info *info)
{
	struct ward_virtq_options options = {
		.size = sizeof(options),
		.memory = ring->memory,
		.descriptors = ward_gpa(BASE + layout[queue].descriptors),
		.available = ward_gpa(BASE + layout[queue].available),
		.used = ward_gpa(BASE + layout[queue].used),
		.entries = layout[queue].entries,
		.features = WARD_VIRTQ_INDIRECT,
		.next_available = info->next_available,
		.next_used = info->next_used,
	};

	return ward_virtq_create(&options, &ring->queue[queue], NULL) == 0;
}

bool trace_ring_init(struct trace_ring *ring, enum trace_framing framing)
{
	const struct ward_range range = { BASE, BASE + SIZE - 1 };
	const struct ward_virtq_info start = { 0 };

	memset(ring, 0, sizeof(*ring));
	ring->framing = framing;
	ring->bytes = aligned_alloc(4096, SIZE);
	if (!ring->bytes)
		return false;
	memset(ring->bytes, 0, SIZE);
	if (ward_memory_create(&ring->memory) ||
	    ward_memory_add(ring->memory, range, 0, ring->bytes) ||
	    !create(ring, TRACE_REQUESTS, &start) || !create(ring, TRACE_EVENTS, &start))
		return false;
	for (uint32_t slot = 0; slot < EVENT_ENTRIES; slot++)
		trace_ring_give(ring, slot);
	return true;
}

bool trace_ring_move(struct trace_ring *ring)
{
	struct ward_virtq_info info;

	for (uint32_t queue = 0; queue < 2; queue++) {
		ward_virtq_info(ring->queue[queue], &info);
		ward_virtq_destroy(ring->queue[queue]);
		ring->queue[queue] = NULL;
		if (!create(ring, queue, &info))
			return false;
	}
	return true;
}

void trace_ring_finish(struct trace_ring *ring)
{
	ward_virtq_destroy(ring->queue[TRACE_REQUESTS]);
	ward_virtq_destroy(ring->queue[TRACE_EVENTS]);
	ward_memory_destroy(ring->memory);
	free(ring->bytes);
}

/* A request in so many descriptors, in a table or in the ring. */
struct frame {
	uint32_t table, index; /* where, and which one is next */
	uint32_t left;
};

static void piece(struct trace_ring *ring, struct frame *frame, uint32_t target, uint32_t size,
		  uint32_t flags)
{
	uint32_t next = (frame->index + 1) % ENTRIES;

	frame->left--;
	describe(ring, frame->table + 16 * frame->index, target, size,
		 flags | (frame->left ? NEXT : 0), next);
	frame->index = next;
}

/* A part in 1 to 3 pieces that are not alike. */
static void part(struct trace_ring *ring, struct frame *frame, uint32_t target, uint32_t size,
		 uint32_t flags, uint32_t pieces)
{
	uint32_t first = size > 3 ? size / 3 : 1;

	if (pieces > 1 && size > first) {
		piece(ring, frame, target, first, flags);
		part(ring, frame, target + first, size - first, flags, pieces - 1);
		return;
	}
	frame->left -= pieces - 1;
	piece(ring, frame, target, size, flags);
}

uint16_t trace_ring_add(struct trace_ring *ring, uint32_t slot, const void *readable,
			uint32_t readable_size, uint32_t writable_size)
{
	uint32_t at = SLOTS + slot * SLOT, head = ring->descriptor;
	bool pieces = ring->framing == TRACE_PIECES, chain = ring->framing == TRACE_CHAIN;
	bool table = !pieces && !chain;
	struct frame frame = {
		.table = table ? at : DESCRIPTORS,
		.index = table ? 0 : head,
		.left = pieces ? 5 : 2,
	};

	memcpy(ring->bytes + at + SLOT_READABLE, readable, readable_size);
	memset(ring->bytes + at + SLOT_WRITABLE, TRACE_UNTOUCHED, TRACE_WRITABLE);
	part(ring, &frame, at + SLOT_READABLE, readable_size, 0, pieces ? 3 : 1);
	part(ring, &frame, at + SLOT_WRITABLE, writable_size, WRITE, pieces ? 2 : 1);
	if (table)
		describe(ring, DESCRIPTORS + 16 * head, at, 32, INDIRECT, 0);
	ring->descriptor = (uint16_t)(table ? (head + 1) % ENTRIES : frame.index);
	publish(ring, TRACE_REQUESTS, head);
	return (uint16_t)head;
}

const uint8_t *trace_ring_writable(const struct trace_ring *ring, uint32_t slot)
{
	return ring->bytes + SLOTS + slot * SLOT + SLOT_WRITABLE;
}

const uint8_t *trace_ring_event(const struct trace_ring *ring, uint32_t slot)
{
	return ring->bytes + EVENT_BUFFERS + slot * EVENT_SIZE;
}

bool trace_ring_take(struct trace_ring *ring, uint32_t queue, uint32_t *ret_head,
		     uint32_t *ret_written)
{
	uint32_t at = layout[queue].used;

	if (get16(ring, at + 2) == ring->used[queue])
		return false;
	at += 4 + 8 * (ring->used[queue]++ % layout[queue].entries);
	*ret_head = get32(ring, at);
	*ret_written = get32(ring, at + 4);
	return true;
}

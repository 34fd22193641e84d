/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The driver's side of two split queues, in a guest memory of its own (virtio 1.3, 2.7). */
#ifndef TESTS_VIRTIO_TRACE_RING_H
#define TESTS_VIRTIO_TRACE_RING_H

#include "trace.h"

#include <doorward/virtq.h>

#include <stddef.h>

#define TRACE_REQUESTS 0u
#define TRACE_EVENTS 1u
/* Requests in flight; bytes of a readable and of a writable part. */
#define TRACE_BATCH 128u
#define TRACE_READABLE 256u
#define TRACE_WRITABLE 1024u

struct trace_ring {
	uint8_t *bytes;
	struct ward_memory *memory;
	struct ward_virtq *queue[2];
	uint16_t available[2], used[2];
	uint16_t descriptor; /* next one of the request queue */
	enum trace_framing framing;
};

/* False: no memory, or a queue is refused. */
bool trace_ring_init(struct trace_ring *ring, enum trace_framing framing);
void trace_ring_finish(struct trace_ring *ring);
/* The device's side of both queues is made anew and goes on where it was. */
bool trace_ring_move(struct trace_ring *ring);

/* Makes a request available; slot is its place among those in flight. Returns its head. */
uint16_t trace_ring_add(struct trace_ring *ring, uint32_t slot, const void *readable,
			uint32_t readable_size, uint32_t writable_size);

/* The writable part of a slot, or of an event's buffer. */
const uint8_t *trace_ring_writable(const struct trace_ring *ring, uint32_t slot);
const uint8_t *trace_ring_event(const struct trace_ring *ring, uint32_t slot);

/* The next used buffer of a queue, if any: its head (an event: its slot) and used length. */
bool trace_ring_take(struct trace_ring *ring, uint32_t queue, uint32_t *ret_head,
		     uint32_t *ret_written);

/* Makes the buffer of an event available again. */
void trace_ring_give(struct trace_ring *ring, uint32_t slot);

/* What the device has not written stays this. */
#define TRACE_UNTOUCHED 0xa5u

#endif

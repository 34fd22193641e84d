/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A split virtqueue from the inside (virtio 1.3, 2.7). All that the guest can write is read once, by
 * atomic accesses, into something local, and looked at there; a guess apart (ward_virtq_peek).
 *
 *	virtq.c			creating one, its state, breaking it
 *	virtq_available.c	the driver's index and ring, and asking it to notify
 *	virtq_chain.c		from a head to pieces of memory
 *	virtq_used.c		giving buffers back, and whether to notify
 */
#ifndef VIRTIO_VIRTQ_H
#define VIRTIO_VIRTQ_H

#include "base/memory.h"

#include <doorward/virtq.h>

#define VIRTQ_NEXT 1u
#define VIRTQ_WRITE 2u
#define VIRTQ_INDIRECT 4u

#define VIRTQ_DESCRIPTOR_SIZE 16u

/* In the available ring: the driver does not want notifications. In the used ring: we do not. */
#define VIRTQ_NO_NOTIFY 1u

struct ward_virtq {
	/* Rings, in this process. 16-bit fields: [0] flags, [1] index. */
	const uint64_t *descriptors;
	const uint16_t *available;
	uint16_t *used;
	const uint16_t *used_event; /* where notifications are wanted: by the driver, by us */
	uint16_t *available_event;
	uint32_t entries;
	bool event_index, indirect;
	bool quiet;   /* NO_NOTIFY is in the used ring */
	bool unasked; /* the driver is to be notified whatever it says: nobody knows what it heard */
	bool broken;
	uint16_t next_available;
	uint16_t seen; /* the driver's index when it was read last */
	uint16_t next_used;
	uint32_t pushed; /* since it was asked about notifications last; stops at 65536 */
	/* Pieces of the buffer that was popped last. */
	struct iovec *pieces;
	uint32_t pieces_max;
	struct ward_memory_region region; /* the last one that a buffer was in; host NULL: none */
	const struct ward_memory *memory;
	struct ward_error error;
};

/* Breaks the queue for good, with a sentence. Returns -EBADMSG. */
__attribute__((format(printf, 2, 3))) int ward_virtq_broken(struct ward_virtq *queue,
							    const char *format, ...);

/* virtq_chain.c: the pieces of the chain that begins at head. 0, or -EBADMSG: broken. */
int ward_virtq_chain(struct ward_virtq *queue, uint16_t head, struct ward_virtq_buffer *ret_buffer);

/*
 * A guess, before it is popped: where the readable part of the buffer that comes `ahead` after the
 * next one begins, when size bytes of it are in one place that is easily found; or NULL.
 */
const void *ward_virtq_peek(const struct ward_virtq *queue, uint32_t ahead, uint32_t size);

/* Buffers that were popped and not pushed. */
static inline uint16_t ward_virtq_out(const struct ward_virtq *queue)
{
	return (uint16_t)(queue->next_available - queue->next_used);
}

#endif

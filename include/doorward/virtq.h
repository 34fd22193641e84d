/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Split virtqueues in guest memory, the device's side (virtio 1.3, 2.7): for monitors that have no
 * rings of their own. Every index, length and chain is the guest's and is bounded; a queue that makes
 * no sense is broken, and stays it: it is never read or written again.
 *
 * Threads: one at a time uses a queue; the guest's CPUs use the rings meanwhile.
 */
#ifndef DOORWARD_VIRTQ_H
#define DOORWARD_VIRTQ_H

#include <doorward/error.h>
#include <doorward/types.h>

#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct ward_memory;
struct ward_virtq;

/** Negotiated features that change a split ring (virtio 1.3, 6). */
#define WARD_VIRTQ_INDIRECT 0x1u  /**< VIRTIO_F_INDIRECT_DESC, bit 28 */
#define WARD_VIRTQ_EVENT_IDX 0x2u /**< VIRTIO_F_EVENT_IDX, bit 29 */

/** Largest queue. */
#define WARD_VIRTQ_SIZE_MAX 32768u

/** A queue as the driver set it up. Set size to sizeof(struct ward_virtq_options). */
struct ward_virtq_options {
	size_t size;
	/** Guest memory; borrowed. Regions stay as they are while the queue lives. */
	const struct ward_memory *memory;
	/** Aligned to 16, 2, 4 (in this process, too, but no more than to 8); each in one region. */
	ward_gpa_t descriptors, available, used;
	uint32_t entries;  /**< a power of two, 1 to WARD_VIRTQ_SIZE_MAX */
	uint32_t features; /**< WARD_VIRTQ_* */
	/**
	 * Where it goes on: 0 after a reset, else of ward_virtq_info (a saved queue). What lies between
	 * the two is buffers that are out: they are pushed here, or, where they were used in order, popped
	 * again when next_available is set back to next_used.
	 */
	uint16_t next_available, next_used;
};

/**
 * Creates the device's side of a queue. It writes nothing yet, and buffers may be available
 * already: pop until there is none.
 * @param options how
 * @param ret_queue the queue; the caller destroys it
 * @param ret_error a sentence on failure; may be NULL
 * @return 0; -EINVAL size, alignment, features; -EFAULT a part is not in one region of memory, or
 * the used ring is read-only; -ENOMEM
 */
int ward_virtq_create(const struct ward_virtq_options *options, struct ward_virtq **ret_queue,
		      struct ward_error *ret_error);

/**
 * @param queue a queue, or NULL
 */
void ward_virtq_destroy(struct ward_virtq *queue);

/**
 * A buffer that the driver made available; the pieces are the queue's, until the next pop. A piece
 * is within one region; descriptors without bytes have none. The guest may change what is in them.
 */
struct ward_virtq_buffer {
	uint16_t head; /**< index of its first descriptor */
	const struct iovec *readable, *writable;
	uint32_t readable_count, writable_count;
	uint64_t readable_size, writable_size;
};

/**
 * Takes the next buffer. No allocation, no system call.
 * @param queue a queue
 * @param ret_buffer the buffer
 * @return 0, and the driver need not notify of more until this says -ENOENT; -ENOENT none is
 * available, and the driver will notify of the next one; -EBADMSG the queue is broken
 */
int ward_virtq_pop(struct ward_virtq *queue, struct ward_virtq_buffer *ret_buffer);

/**
 * Gives a buffer back to the driver.
 * @param queue a queue
 * @param head of the buffer
 * @param written bytes written, from the beginning of the writable part
 * @return 0; -EBADMSG the queue is broken; -EINVAL no buffer is out, or none can have this head
 */
int ward_virtq_push(struct ward_virtq *queue, uint16_t head, uint32_t written);

/**
 * Whether the driver wants to be told of what was pushed since this was asked last; yes where that
 * cannot be known: the queue was broken since, or saved elsewhere.
 * @param queue a queue
 * @return true: notify it
 */
bool ward_virtq_notify(struct ward_virtq *queue);

/** State, for a save: make a queue with these when it goes on elsewhere. */
struct ward_virtq_info {
	uint16_t next_available, next_used;
	bool broken;
	struct ward_error error; /**< broken: why */
};

/**
 * @param queue a queue
 * @param ret_info its state
 */
void ward_virtq_info(const struct ward_virtq *queue, struct ward_virtq_info *ret_info);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Buffers as the driver makes them available (virtio 1.3, 2.7.6, 2.7.7, 2.7.10).
 *
 * No notification is lost: we say that we want one, then look at the index again; the driver writes
 * the index, then looks at what we want. Each side writes one place and reads the other's, so that
 * all four accesses have to be in one order: they are sequentially consistent here, and the driver
 * has a full barrier between its two.
 */
#include "virtio/virtq.h"

#include <endian.h>
#include <errno.h>

/* Takes over the driver's index when it makes sense. */
static int take_index(struct ward_virtq *queue, uint16_t index)
{
	uint16_t ahead = (uint16_t)(index - queue->next_available);
	uint16_t out = ward_virtq_out(queue);

	/* Each buffer has a descriptor at least, and those that are out have theirs still. */
	if (ahead > queue->entries - out)
		return ward_virtq_broken(
			queue, "the available index is %u, and %u with %u of %u buffers in use",
			index, queue->next_available, out, queue->entries);
	queue->seen = index;
	/* While there are buffers we come back by ourselves; the event index says so as it is. */
	if (!queue->event_index && !queue->quiet) {
		__atomic_store_n(&queue->used[0], htole16(VIRTQ_NO_NOTIFY), __ATOMIC_RELAXED);
		queue->quiet = true;
	}
	return 0;
}

/* Everything that we knew of was taken. 0: there is more; -ENOENT: the driver will notify. */
static int look_again(struct ward_virtq *queue)
{
	const uint16_t *index_at = &queue->available[1];
	uint16_t index = le16toh(__atomic_load_n(index_at, __ATOMIC_ACQUIRE));

	if (index != queue->next_available)
		return take_index(queue, index);
	if (queue->event_index)
		__atomic_store_n(queue->available_event, htole16(index), __ATOMIC_SEQ_CST);
	else
		__atomic_store_n(&queue->used[0], 0, __ATOMIC_SEQ_CST);
	queue->quiet = false;
	index = le16toh(__atomic_load_n(index_at, __ATOMIC_SEQ_CST));
	if (index != queue->next_available)
		return take_index(queue, index);
	return -ENOENT;
}

int ward_virtq_pop(struct ward_virtq *queue, struct ward_virtq_buffer *ret_buffer)
{
	uint16_t head;
	int code;

	if (queue->broken)
		return -EBADMSG;
	if (queue->seen == queue->next_available) {
		code = look_again(queue);
		if (code)
			return code;
	}
	head = le16toh(__atomic_load_n(
		&queue->available[2 + (queue->next_available & (queue->entries - 1))],
		__ATOMIC_RELAXED));
	code = ward_virtq_chain(queue, head, ret_buffer);
	if (!code)
		queue->next_available++;
	return code;
}

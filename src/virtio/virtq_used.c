// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Buffers that go back to the driver (virtio 1.3, 2.7.7.2, 2.7.8).
 */
#include "virtio/virtq.h"

#include <endian.h>
#include <errno.h>

/* More were pushed than the driver's 16 bits can tell apart. */
#define TOO_MANY 65536u

int ward_virtq_push(struct ward_virtq *queue, uint16_t head, uint32_t written)
{
	uint32_t slot = queue->next_used & (queue->entries - 1);
	uint32_t *element;

	if (queue->broken)
		return -EBADMSG;
	if (ward_virtq_out(queue) == 0 || head >= queue->entries)
		return -EINVAL;
	element = (uint32_t *)(void *)(queue->used + 2) + 2 * (size_t)slot;
	__atomic_store_n(&element[0], htole32(head), __ATOMIC_RELAXED);
	__atomic_store_n(&element[1], htole32(written), __ATOMIC_RELAXED);
	queue->next_used++;
	/* After the element, and after what was written into the buffer. */
	__atomic_store_n(&queue->used[1], htole16(queue->next_used), __ATOMIC_RELEASE);
	if (queue->pushed < TOO_MANY)
		queue->pushed++;
	return 0;
}

/*
 * Whether the index that the driver waits for is among those of the last `pushed` buffers: it wants
 * to hear when the element at its index is written.
 */
static bool is_awaited(const struct ward_virtq *queue, uint32_t pushed)
{
	uint16_t event = le16toh(__atomic_load_n(queue->used_event, __ATOMIC_SEQ_CST));
	uint16_t behind = (uint16_t)(queue->next_used - event - 1);

	return behind < pushed;
}

bool ward_virtq_notify(struct ward_virtq *queue)
{
	uint32_t pushed = queue->pushed;
	bool unasked = queue->unasked;
	uint16_t flags;

	queue->pushed = 0;
	queue->unasked = false;
	if (pushed == 0 || queue->broken || unasked)
		return pushed != 0 || unasked;
	/*
	 * The driver writes what it wants, then looks at the index again; virtq_available.c has the same
	 * the other way round. The index is written once more, in the order that all four accesses need.
	 */
	__atomic_store_n(&queue->used[1], htole16(queue->next_used), __ATOMIC_SEQ_CST);
	if (queue->event_index)
		return is_awaited(queue, pushed);
	flags = le16toh(__atomic_load_n(&queue->available[0], __ATOMIC_SEQ_CST));
	return !(flags & VIRTQ_NO_NOTIFY);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The device behind split rings of ours. What was popped is pushed before the next is popped. */
#include "virtio/foresee.h"

#include <errno.h>
#include <limits.h>

/* The queue broke: so does the device, with its sentence. */
static int break_device(struct ward_viommu *viommu, const struct ward_virtq *queue)
{
	ward_viommu_break(viommu, queue->error.text);
	return -EIO;
}

static void ask(struct ward_virtq *queue, bool *ret_notify)
{
	if (ret_notify)
		*ret_notify = ward_virtq_notify(queue);
}

/* Serves one request. 0; -ENOENT there is none; -EIO the device is broken. */
static int serve_one(struct ward_viommu *viommu, struct ward_virtq *queue)
{
	struct ward_virtq_buffer buffer;
	uint32_t written = 0;
	int code = ward_virtq_pop(queue, &buffer);

	if (code)
		return code == -ENOENT ? code : break_device(viommu, queue);
	code = ward_viommu_handle(viommu, buffer.readable, buffer.readable_count, buffer.writable,
				  buffer.writable_count, &written);
	/* Also when the request broke the device: its driver may look for the answer. */
	if (ward_virtq_push(queue, buffer.head, written))
		return break_device(viommu, queue);
	return code;
}

int ward_viommu_serve(struct ward_viommu *viommu, struct ward_virtq *queue, uint32_t limit,
		      bool *ret_notify)
{
	uint32_t served = 0;
	int code = viommu->broken ? -EIO : 0;

	if (limit > INT_MAX)
		limit = INT_MAX;
	while (!code && served < limit) {
		/* The queue knows what else there is from the first one on. */
		if (served % WARD_TREE_FETCH == 1)
			ward_viommu_foresee(viommu, queue);
		code = serve_one(viommu, queue);
		served += !code;
	}
	ask(queue, ret_notify);
	return code == -EIO ? code : (int)served;
}

/* Puts one event into a buffer. 0; -ENOENT no buffer; -ENOSPC it was too small; -EIO broken. */
static int tell_one(struct ward_viommu *viommu, struct ward_virtq *queue)
{
	struct ward_virtq_buffer buffer;
	uint32_t written = 0;
	int code = ward_virtq_pop(queue, &buffer);

	if (code)
		return code == -ENOENT ? code : break_device(viommu, queue);
	code = ward_viommu_event(viommu, buffer.writable, buffer.writable_count, &written);
	if (ward_virtq_push(queue, buffer.head, written))
		return break_device(viommu, queue);
	return code;
}

int ward_viommu_serve_events(struct ward_viommu *viommu, struct ward_virtq *queue, bool *ret_notify)
{
	/*
	 * Those that wait now: who reports another one meanwhile is told that it waits. A driver that
	 * goes on giving buffers which are too small is left with more than its queue has.
	 */
	uint32_t waiting = ward_viommu_events_waiting(&viommu->events), told = 0, small = 0;
	int code = viommu->broken ? -EIO : 0;

	while (!code && told < waiting && small <= queue->entries) {
		code = tell_one(viommu, queue);
		if (code == -ENOSPC) {
			small++;
			code = 0;
		} else if (!code) {
			told++;
		}
	}
	ask(queue, ret_notify);
	return code == -EIO ? code : (int)told;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "virtio/virtq.h"

#include "base/error.h"
#include "base/fault.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FEATURES (WARD_VIRTQ_INDIRECT | WARD_VIRTQ_EVENT_IDX)

/*
 * A chain has at most as many descriptors as the queue, and one that crosses from a region to the next
 * needs more than one piece.
 */
static uint32_t pieces_of(uint32_t entries)
{
	return 2 * entries + 64;
}

static int check(const struct ward_virtq_options *options, struct ward_error *error)
{
	uint32_t entries = options->entries;
	uint16_t out = (uint16_t)(options->next_available - options->next_used);

	if (options->size != sizeof(*options) || !options->memory)
		return ward_fail(error, -EINVAL, "the options have no memory, or another size");
	if (entries == 0 || entries > WARD_VIRTQ_SIZE_MAX || (entries & (entries - 1)))
		return ward_fail(error, -EINVAL,
				 "a queue has a power of two of entries, at most %u, and not %u",
				 WARD_VIRTQ_SIZE_MAX, entries);
	if (options->features & ~FEATURES)
		return ward_fail(error, -EINVAL, "features 0x%x are not known",
				 options->features & ~FEATURES);
	if (out > entries)
		return ward_fail(error, -EINVAL, "%u buffers are out, of %u", out, entries);
	return 0;
}

/* Where a part of the queue is in this process. */
static int part_at(const struct ward_virtq_options *options, const char *name, ward_gpa_t at,
		   uint64_t size, unsigned int alignment, bool write, void **ret_part,
		   struct ward_error *error)
{
	uint64_t address = ward_gpa_raw(at);
	struct ward_range range;
	void *part;

	if (address % alignment)
		return ward_fail(error, -EINVAL, "the %s at 0x%" PRIx64 " is not aligned to %u",
				 name, address, alignment);
	if (ward_range_make(address, size, &range))
		return ward_fail(error, -EFAULT, "the %s at 0x%" PRIx64 " wraps", name, address);
	part = ward_memory_at(options->memory, range, write);
	if (!part)
		return ward_fail(error, -EFAULT,
				 "the %s, %" PRIu64 " bytes at 0x%" PRIx64
				 ", is not in one region of memory%s",
				 name, size, address, write ? " that can be written" : "");
	/* Fields are read and written in one access each. */
	if ((uintptr_t)part % (alignment < 8 ? alignment : 8))
		return ward_fail(error, -EINVAL,
				 "the %s at 0x%" PRIx64 " is not aligned in this process", name,
				 address);
	*ret_part = part;
	return 0;
}

static int find_parts(struct ward_virtq *queue, const struct ward_virtq_options *options,
		      struct ward_error *error)
{
	uint32_t entries = options->entries;
	void *descriptors = NULL, *available = NULL, *used = NULL;
	int code;

	code = part_at(options, "descriptor table", options->descriptors,
		       (uint64_t)VIRTQ_DESCRIPTOR_SIZE * entries, 16, false, &descriptors, error);
	if (!code)
		code = part_at(options, "available ring", options->available, 6 + 2 * entries, 2,
			       false, &available, error);
	if (!code)
		code = part_at(options, "used ring", options->used, 6 + 8 * entries, 4, true, &used,
			       error);
	if (code)
		return code;
	queue->descriptors = descriptors;
	queue->available = available;
	queue->used = used;
	queue->used_event = queue->available + 2 + entries;
	queue->available_event = queue->used + 2 + 4 * (size_t)entries;
	return 0;
}

int ward_virtq_create(const struct ward_virtq_options *options, struct ward_virtq **ret_queue,
		      struct ward_error *ret_error)
{
	struct ward_virtq *queue;
	int code = check(options, ret_error);

	if (code)
		return code;
	queue = ward_alloc(sizeof(*queue));
	if (!queue)
		return ward_fail(ret_error, -ENOMEM, "there is no memory for a queue");
	code = find_parts(queue, options, ret_error);
	if (code)
		goto free_queue;
	queue->pieces_max = pieces_of(options->entries);
	queue->pieces = ward_alloc_array(queue->pieces_max, sizeof(*queue->pieces));
	if (!queue->pieces) {
		code = ward_fail(ret_error, -ENOMEM, "there is no memory for a queue");
		goto free_queue;
	}
	queue->memory = options->memory;
	queue->entries = options->entries;
	queue->event_index = options->features & WARD_VIRTQ_EVENT_IDX;
	queue->indirect = options->features & WARD_VIRTQ_INDIRECT;
	queue->next_available = options->next_available;
	queue->seen = options->next_available;
	queue->next_used = options->next_used;
	queue->unasked = options->next_used != 0;
	*ret_queue = queue;
	return 0;

free_queue:
	free(queue);
	return code;
}

void ward_virtq_destroy(struct ward_virtq *queue)
{
	if (!queue)
		return;
	free(queue->pieces);
	free(queue);
}

int ward_virtq_broken(struct ward_virtq *queue, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(queue->error.text, sizeof(queue->error.text), format, args);
	va_end(args);
	queue->broken = true;
	return -EBADMSG;
}

void ward_virtq_info(const struct ward_virtq *queue, struct ward_virtq_info *ret_info)
{
	*ret_info = (struct ward_virtq_info){
		.next_available = queue->next_available,
		.next_used = queue->next_used,
		.broken = queue->broken,
		.error = queue->error,
	};
}

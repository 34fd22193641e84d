// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Faults on their way to the guest (virtio 1.3, 5.13.6.9). Each endpoint has a budget, so that one
 * whose driver does its worst neither drowns the others' faults nor keeps the monitor busy.
 */
#include "virtio/viommu.h"

#include "base/fault.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum event_reason {
	EVENT_UNKNOWN,
	EVENT_DOMAIN,  /* not attached */
	EVENT_MAPPING, /* not mapped, or not permitted */
};

#define EVENT_READ 0x1u
#define EVENT_WRITE 0x2u
#define EVENT_ADDRESS 0x100u

struct event {
	uint8_t reason, reserved[3];
	uint32_t flags, endpoint, reserved1;
	uint64_t address;
};

_Static_assert(sizeof(struct event) == VIOMMU_EVENT_SIZE, "as the standard has it");

struct storage {
	pthread_mutex_t lock;
	uint8_t event[][VIOMMU_EVENT_SIZE];
};

int ward_viommu_events_init(struct viommu_events *events, uint32_t max)
{
	struct storage *storage =
		ward_alloc(sizeof(*storage) + (size_t)max * sizeof(storage->event[0]));

	if (!storage)
		return -ENOMEM;
	if (pthread_mutex_init(&storage->lock, NULL)) {
		free(storage);
		return -ENOMEM;
	}
	*events = (struct viommu_events){
		.lock = &storage->lock,
		.event = storage->event,
		.max = max,
	};
	return 0;
}

/* The lock is the first thing in its storage. */
void ward_viommu_events_finish(struct viommu_events *events)
{
	if (!events->lock)
		return;
	pthread_mutex_destroy(events->lock);
	free(events->lock);
	*events = (struct viommu_events){ .lock = NULL };
}

void ward_viommu_events_settle(struct viommu_events *events)
{
	pthread_mutex_lock(events->lock);
	pthread_mutex_unlock(events->lock);
}

void ward_viommu_events_drop(struct viommu_events *events)
{
	pthread_mutex_lock(events->lock);
	events->dropped += events->count;
	events->count = 0;
	pthread_mutex_unlock(events->lock);
}

uint32_t ward_viommu_events_waiting(const struct viommu_events *events)
{
	uint32_t count;

	pthread_mutex_lock(events->lock);
	count = events->count;
	pthread_mutex_unlock(events->lock);
	return count;
}

uint64_t ward_viommu_events_faults(const struct viommu_events *events,
				   const struct viommu_endpoint *endpoint)
{
	uint64_t faults;

	pthread_mutex_lock(events->lock);
	faults = endpoint->faults;
	pthread_mutex_unlock(events->lock);
	return faults;
}

/* Whether the endpoint's budget has one more. Clocks of several threads may be a little apart. */
static bool spend(const struct ward_viommu_options *options, struct viommu_endpoint *endpoint,
		  uint64_t now)
{
	uint64_t gained;

	if (endpoint->faults++ == 0) {
		endpoint->tokens = options->events_burst;
		endpoint->tokens_at = now;
	}
	gained = now > endpoint->tokens_at ? (now - endpoint->tokens_at) / options->events_interval
					   : 0;
	if (gained >= options->events_burst - endpoint->tokens) {
		endpoint->tokens = options->events_burst;
		endpoint->tokens_at = now;
	} else {
		endpoint->tokens += (uint32_t)gained;
		endpoint->tokens_at += gained * options->events_interval;
	}
	if (endpoint->tokens == 0)
		return false;
	endpoint->tokens--;
	return true;
}

static enum event_reason reason_of(enum ward_fault_reason reason)
{
	switch (reason) {
	case WARD_FAULT_BLOCKED:
		return EVENT_DOMAIN;
	case WARD_FAULT_TRANSLATION:
	case WARD_FAULT_PERMISSION:
		return EVENT_MAPPING;
	case WARD_FAULT_CONFIG:
	case WARD_FAULT_PASID:
	case WARD_FAULT_CONTEXT:
	case WARD_FAULT_ADDRESS_SIZE:
	case WARD_FAULT_ACCESS_FLAG:
	case WARD_FAULT_TABLE:
		break;
	}
	return EVENT_UNKNOWN;
}

static void make_event(uint32_t endpoint, const struct ward_fault *fault,
		       uint8_t ret_event[VIOMMU_EVENT_SIZE])
{
	uint32_t flags = EVENT_ADDRESS;
	struct event event = { 0 };

	/* There is no flag for fetching instructions, which is reading. */
	if (fault->access & (WARD_READ | WARD_EXEC))
		flags |= EVENT_READ;
	if (fault->access & WARD_WRITE)
		flags |= EVENT_WRITE;
	event.reason = (uint8_t)reason_of(fault->reason);
	event.flags = htole32(flags);
	event.endpoint = htole32(endpoint);
	event.address = htole64(ward_iova_raw(fault->iova));
	memcpy(ret_event, &event, sizeof(event));
}

bool ward_viommu_fault(struct ward_viommu *viommu, uint32_t endpoint,
		       const struct ward_fault *fault, uint64_t now)
{
	struct viommu_events *events = &viommu->events;
	struct viommu_endpoint *found;
	bool waits;

	pthread_mutex_lock(events->lock);
	found = ward_viommu_endpoint_find(viommu, endpoint);
	if (!found) {
		events->dropped++;
	} else if (!spend(&viommu->options, found, now)) {
		events->limited++;
	} else if (events->count == events->max) {
		events->dropped++;
	} else {
		make_event(endpoint, fault,
			   events->event[(events->first + events->count) % events->max]);
		events->count++;
	}
	waits = events->count > 0;
	pthread_mutex_unlock(events->lock);
	return waits;
}

int ward_viommu_event(struct ward_viommu *viommu, const struct iovec *buffer, uint32_t count,
		      uint32_t *ret_written)
{
	struct viommu_events *events = &viommu->events;
	uint8_t event[VIOMMU_EVENT_SIZE];
	int code = 0;

	pthread_mutex_lock(events->lock);
	if (events->count == 0) {
		code = -ENOENT;
	} else if (ward_viommu_pieces_size(buffer, count) < VIOMMU_EVENT_SIZE) {
		code = -ENOSPC;
	} else {
		memcpy(event, events->event[events->first], VIOMMU_EVENT_SIZE);
		events->first = (events->first + 1) % events->max;
		events->count--;
		events->told++;
	}
	pthread_mutex_unlock(events->lock);
	if (code)
		return code;
	ward_viommu_pieces_write(buffer, count, event, VIOMMU_EVENT_SIZE);
	*ret_written = VIOMMU_EVENT_SIZE;
	return 0;
}

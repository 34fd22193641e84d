// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Endpoints, by id, in a table that readers look through without a lock: a change fills the other of two
 * tables, publishes it, and waits for those that may still look through the old one. So removing one
 * needs no memory.
 */
#include "virtio/viommu.h"

#include "base/error.h"
#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 16u

/* The index of an endpoint, or where it would go. */
static uint32_t index_of(const struct viommu_endpoints *endpoints, uint32_t id)
{
	uint32_t low = 0, high = endpoints->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (endpoints->endpoint[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct viommu_endpoint *ward_viommu_endpoint_find(const struct ward_viommu *viommu, uint32_t id)
{
	const struct viommu_endpoints *endpoints = atomic_load(&viommu->endpoints);
	uint32_t i = index_of(endpoints, id);

	return i < endpoints->count && endpoints->endpoint[i]->id == id ? endpoints->endpoint[i]
									: NULL;
}

struct viommu_endpoint *ward_viommu_endpoint_at(const struct ward_viommu *viommu, uint32_t index)
{
	const struct viommu_endpoints *endpoints = atomic_load(&viommu->endpoints);

	return index < endpoints->count ? endpoints->endpoint[index] : NULL;
}

static int reserve(struct ward_viommu *viommu, uint32_t count)
{
	struct viommu_endpoints *spare;
	uint32_t capacity = count < CAPACITY_MIN ? CAPACITY_MIN : 2 * count;

	if (viommu->spare && viommu->spare->capacity >= count)
		return 0;
	spare = ward_alloc(sizeof(*spare) + capacity * sizeof(spare->endpoint[0]));
	if (!spare)
		return -ENOMEM;
	spare->capacity = capacity;
	free(viommu->spare);
	viommu->spare = spare;
	return 0;
}

/* The spare table is the one from now on. */
static void publish(struct ward_viommu *viommu)
{
	struct viommu_endpoints *old = atomic_load(&viommu->endpoints);

	atomic_store(&viommu->endpoints, viommu->spare);
	viommu->spare = old;
	ward_readers_wait(viommu->options.readers);
	ward_viommu_events_settle(&viommu->events);
}

/* After reserve. */
static void insert(struct ward_viommu *viommu, struct viommu_endpoint *endpoint)
{
	const struct viommu_endpoints *now = atomic_load(&viommu->endpoints);
	struct viommu_endpoints *next = viommu->spare;
	uint32_t at = index_of(now, endpoint->id);

	memcpy(next->endpoint, now->endpoint, at * sizeof(endpoint));
	next->endpoint[at] = endpoint;
	memcpy(&next->endpoint[at + 1], &now->endpoint[at], (now->count - at) * sizeof(endpoint));
	next->count = now->count + 1;
	publish(viommu);
}

/* The spare table was the one before the last insert, or before one that came later: it has room. */
static void drop(struct ward_viommu *viommu, const struct viommu_endpoint *endpoint)
{
	const struct viommu_endpoints *now = atomic_load(&viommu->endpoints);
	struct viommu_endpoints *next = viommu->spare;
	uint32_t at = index_of(now, endpoint->id);

	next->count = now->count - 1;
	memcpy(next->endpoint, now->endpoint, at * sizeof(endpoint));
	memcpy(&next->endpoint[at], &now->endpoint[at + 1], (next->count - at) * sizeof(endpoint));
	publish(viommu);
}

static void destroy(struct viommu_endpoint *endpoint)
{
	free(endpoint->regions);
	free(endpoint);
}

int ward_viommu_endpoints_init(struct ward_viommu *viommu)
{
	struct viommu_endpoints *endpoints = ward_alloc(sizeof(*endpoints));

	if (!endpoints)
		return -ENOMEM;
	atomic_init(&viommu->endpoints, endpoints);
	return 0;
}

void ward_viommu_endpoints_finish(struct ward_viommu *viommu)
{
	struct viommu_endpoints *endpoints = atomic_load(&viommu->endpoints);

	for (uint32_t i = 0; endpoints && i < endpoints->count; i++)
		destroy(endpoints->endpoint[i]);
	free(endpoints);
	free(viommu->spare);
}

static const char *why_no_regions(int code)
{
	switch (code) {
	case -ENOMEM:
		return "no memory";
	case -ENOSPC:
		return "its reserved regions do not fit into probe_size";
	case -EOPNOTSUPP:
		return "the device has no IDENTITY regions";
	default:
		return "its options make no sense";
	}
}

static int create(const struct ward_viommu *viommu,
		  const struct ward_viommu_endpoint_options *options,
		  struct viommu_endpoint **ret_endpoint, struct ward_error *ret_error)
{
	struct viommu_endpoint *endpoint = ward_alloc(sizeof(*endpoint));
	int code;

	if (!endpoint) {
		(void)ward_fail(ret_error, -ENOMEM, "endpoint %u: no memory", options->endpoint);
		return -ENOMEM;
	}
	endpoint->id = options->endpoint;
	endpoint->msi = options->msi;
	endpoint->frames = options->frames;
	atomic_init(&endpoint->space, NULL);
	code = ward_viommu_regions_make(viommu, options, &endpoint->regions,
					&endpoint->regions_count);
	if (code) {
		destroy(endpoint);
		(void)ward_fail(ret_error, code, "endpoint %u: %s", options->endpoint,
				why_no_regions(code));
		return code;
	}
	*ret_endpoint = endpoint;
	return 0;
}

/* Listeners may look at it when they are told: it is there before. */
int ward_viommu_endpoint_add(struct ward_viommu *viommu,
			     const struct ward_viommu_endpoint_options *options,
			     struct ward_error *ret_error)
{
	uint32_t count = atomic_load(&viommu->endpoints)->count;
	struct viommu_endpoint *endpoint;
	int code;

	if (viommu->broken)
		return ward_fail(ret_error, -EIO, "the device is broken");
	code = create(viommu, options, &endpoint, ret_error);
	if (code)
		return code;
	if (ward_viommu_endpoint_find(viommu, options->endpoint))
		code = ward_fail(ret_error, -EEXIST, "endpoint %u: there is one already",
				 options->endpoint);
	else if (count >= viommu->options.endpoints_max)
		code = ward_fail(ret_error, -ENOSPC,
				 "endpoint %u: there are %u, and endpoints_max is that",
				 options->endpoint, count);
	else if (reserve(viommu, count + 1))
		code = ward_fail(ret_error, -ENOMEM, "endpoint %u: no memory", options->endpoint);
	if (code) {
		destroy(endpoint);
		return code;
	}
	insert(viommu, endpoint);
	if (ward_viommu_place_of(viommu, NULL).kind != WARD_VIOMMU_BLOCKED)
		code = ward_viommu_move(viommu, endpoint, NULL, true);
	if (code == 0)
		return 0;
	/* It is frozen if a listener lost it. */
	ward_viommu_move_out(viommu, endpoint);
	drop(viommu, endpoint);
	destroy(endpoint);
	return ward_fail(ret_error, code, "endpoint %u: a listener refuses it: %s",
			 options->endpoint, strerror(-code));
}

int ward_viommu_endpoint_remove(struct ward_viommu *viommu, uint32_t id)
{
	struct viommu_endpoint *endpoint = ward_viommu_endpoint_find(viommu, id);

	if (!endpoint)
		return -ENOENT;
	ward_viommu_move_out(viommu, endpoint);
	drop(viommu, endpoint);
	destroy(endpoint);
	return 0;
}

bool ward_viommu_endpoint_next(const struct ward_viommu *viommu, uint32_t from,
			       struct ward_viommu_endpoint *ret_endpoint)
{
	const struct viommu_endpoints *endpoints = atomic_load(&viommu->endpoints);
	const struct viommu_endpoint *endpoint;
	uint32_t i = index_of(endpoints, from);

	if (i == endpoints->count)
		return false;
	endpoint = endpoints->endpoint[i];
	*ret_endpoint = (struct ward_viommu_endpoint){
		.endpoint = endpoint->id,
		.place = ward_viommu_place_now(viommu, endpoint),
		.frozen = endpoint->frozen,
		.msi = endpoint->msi,
		.frames = endpoint->frames,
		.regions = endpoint->regions_count,
		.faults = ward_viommu_events_faults(&viommu->events, endpoint),
	};
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A virtio-iommu device from the inside; docs/virtio-iommu.md says what it does. */
#ifndef VIRTIO_VIOMMU_H
#define VIRTIO_VIOMMU_H

#include <doorward/space.h>
#include <doorward/viommu_listener.h>

#include <pthread.h>
#include <stdatomic.h>

/* Statuses (virtio 1.3, 5.13.6). */
enum viommu_status {
	VIOMMU_OK,
	VIOMMU_IOERR,
	VIOMMU_UNSUPP,
	VIOMMU_DEVERR,
	VIOMMU_INVAL,
	VIOMMU_RANGE,
	VIOMMU_NOENT,
	VIOMMU_FAULT,
	VIOMMU_NOMEM,
};

/* Types of requests. */
enum viommu_type {
	VIOMMU_ATTACH = 1,
	VIOMMU_DETACH,
	VIOMMU_MAP,
	VIOMMU_UNMAP,
	VIOMMU_PROBE,
};

struct viommu_domain {
	uint32_t id;
	bool bypass;
	struct ward_viommu *viommu;
	struct ward_space *space; /* its own; bypass: NULL, endpoints are in viommu->identity */
	struct viommu_endpoint *endpoints; /* by next */
	uint32_t endpoints_count;
};

/* One endpoint; readers find it through viommu->endpoints and look at what is named below only. */
struct viommu_endpoint {
	uint32_t id; /* readers */
	/* Where its DMA goes; NULL: blocked. Readers. */
	const struct ward_space *_Atomic space;
	/* Sorted, disjoint, never changed. Readers. */
	struct ward_viommu_region *regions;
	uint32_t regions_count;
	uint64_t frames;	      /* readers */
	enum ward_viommu_msi msi;     /* readers */
	struct viommu_domain *domain; /* NULL: not attached */
	struct viommu_endpoint *next; /* of its domain */
	bool frozen;
	/* Under viommu->events.lock. */
	uint64_t faults, tokens_at;
	uint32_t tokens;
};

/* All endpoints, by id; a change makes another one and waits for readers. */
struct viommu_endpoints {
	uint32_t count;
	struct viommu_endpoint *endpoint[];
};

struct viommu_listener {
	const struct ward_viommu_listener_ops *ops;
	void *context;
};

#define VIOMMU_EVENT_SIZE 24u

/* Events that wait, a ring. */
struct viommu_events {
	pthread_mutex_t lock;
	uint8_t (*event)[VIOMMU_EVENT_SIZE];
	uint32_t first, count;
	uint64_t told, dropped, limited;
};

struct ward_viommu {
	/* With numbers instead of 0; frames are the device's own copy. */
	struct ward_viommu_options options;
	uint64_t granule_mask; /* granule - 1 */
	bool configured;       /* negotiated since the last reset */
	uint32_t negotiated;
	bool bypass; /* the byte */
	bool broken;
	struct ward_error error;
	struct ward_space *identity; /* of all that is in bypass mode */
	struct viommu_endpoints *_Atomic endpoints;
	struct viommu_domain **domains; /* domains_count of them, by id */
	size_t domains_count, domains_capacity;
	uint64_t mappings, mappings_peak;
	struct viommu_listener listeners[WARD_VIOMMU_LISTENERS];
	uint32_t listeners_count;
	struct viommu_events events;
	uint64_t answers[WARD_VIOMMU_TYPES][WARD_VIOMMU_STATUSES];
};

/* endpoint.c */
/* For readers and for the thread that changes: NULL when there is none. */
struct viommu_endpoint *ward_viommu_endpoint_find(const struct ward_viommu *viommu, uint32_t id);
/* Where one goes that is in this domain (NULL: none), as things are. */
struct ward_viommu_place ward_viommu_place_of(const struct ward_viommu *viommu,
					      const struct viommu_domain *domain);

/* region.c: what PROBE tells, made once when the endpoint is added. */
/* 0 and *ret_regions (freed by the caller), or -EINVAL, -ENOMEM. */
int ward_viommu_regions_make(const struct ward_viommu *viommu,
			     const struct ward_viommu_endpoint_options *options,
			     struct ward_viommu_region **ret_regions, uint32_t *ret_count);
/* The first region of the endpoint that overlaps the range, or NULL. */
const struct ward_viommu_region *ward_viommu_region_at(const struct viommu_endpoint *endpoint,
						       struct ward_range range);

/* domain.c */
struct viommu_domain *ward_viommu_domain_find(const struct ward_viommu *viommu, uint32_t id);
/* Makes one without endpoints, found from now on. 0 or -ENOMEM. */
int ward_viommu_domain_create(struct ward_viommu *viommu, uint32_t id, bool bypass,
			      struct viommu_domain **ret_domain);
/* Nobody is in it: told to listeners, and gone. */
void ward_viommu_domain_end(struct viommu_domain *domain);
/* One MAP or UNMAP, checked by the caller but for what the space and listeners say. */
enum viommu_status ward_viommu_domain_map(struct viommu_domain *domain,
					  const struct ward_mapping *mapping);
enum viommu_status ward_viommu_domain_unmap(struct viommu_domain *domain, struct ward_range range);

/* place.c: moving endpoints. */
/* Into a domain, or out of all (NULL). given: a refusal of listeners is an answer (the errno). */
int ward_viommu_move(struct ward_viommu *viommu, struct viommu_endpoint *endpoint,
		     struct viommu_domain *domain, bool given);
/* Blocks it, tells listeners to cut it off, breaks the device. */
void ward_viommu_freeze(struct ward_viommu *viommu, struct viommu_endpoint *endpoint,
			const char *why);

/* listener.c: in order, with all taken back on a refusal; what cannot be taken back freezes. */
int ward_viommu_tell_map(struct viommu_domain *domain, const struct ward_mapping *mapping);
/* -EIO: endpoints of the domain were frozen. */
int ward_viommu_tell_unmap(struct viommu_domain *domain, struct ward_range range);
int ward_viommu_tell_move(struct ward_viommu *viommu, struct viommu_endpoint *endpoint,
			  const struct ward_viommu_place *from, const struct ward_viommu_place *to);
enum viommu_status ward_viommu_status(int code);

/* event.c */
int ward_viommu_events_init(struct viommu_events *events, uint32_t max);
void ward_viommu_events_finish(struct viommu_events *events);

#endif

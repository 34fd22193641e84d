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
	/* While a mapping is made: it lies in an IDENTITY region, and listeners are not told. */
	bool window;
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

/* All endpoints, by id; a change fills another one and waits for readers. */
struct viommu_endpoints {
	uint32_t count, capacity;
	struct viommu_endpoint *endpoint[];
};

struct viommu_listener {
	const struct ward_viommu_listener_ops *ops;
	void *context;
};

#define VIOMMU_FRAMES_MAX 64u
#define VIOMMU_PROBE_MAX 4096u
#define VIOMMU_EVENT_SIZE 24u
/* A property RESV_MEM with its header. */
#define VIOMMU_PROPERTY_SIZE 24u

/* Events that wait, a ring; all of it is under the lock, which is apart so that a const device has it. */
struct viommu_events {
	pthread_mutex_t *lock;
	uint8_t (*event)[VIOMMU_EVENT_SIZE];
	uint32_t first, count, max;
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
	struct ward_space *identity;		    /* of all that is in bypass mode */
	struct viommu_endpoints *_Atomic endpoints; /* never NULL */
	struct viommu_endpoints *spare;		    /* room for one endpoint less at least */
	struct viommu_domain **domains;		    /* domains_count of them, by id */
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
/* The endpoint at an index, for the thread that changes; NULL beyond the last one. */
struct viommu_endpoint *ward_viommu_endpoint_at(const struct ward_viommu *viommu, uint32_t index);
/* 0 or -ENOMEM. */
int ward_viommu_endpoints_init(struct ward_viommu *viommu);
/* Frees all of them, nobody reads any more. */
void ward_viommu_endpoints_finish(struct ward_viommu *viommu);

/* region.c: what PROBE tells, made once when the endpoint is added. */
/*
 * Looks at all of the options but the id. 0 and *ret_regions (freed by the caller, NULL when there are
 * none); -EINVAL, -EOPNOTSUPP, -ENOSPC (probe_size) as ward_viommu_endpoint_add; -ENOMEM.
 */
int ward_viommu_regions_make(const struct ward_viommu *viommu,
			     const struct ward_viommu_endpoint_options *options,
			     struct ward_viommu_region **ret_regions, uint32_t *ret_count);
/* The first region of the endpoint that overlaps the range, or NULL. */
const struct ward_viommu_region *ward_viommu_region_at(const struct viommu_endpoint *endpoint,
						       struct ward_range range);

/*
 * request_probe.c: the properties of an endpoint, into room bytes that are 0. NOENT, or INVAL when room is
 * less than options.probe_size: nothing is written.
 */
enum viommu_status ward_viommu_probe(const struct ward_viommu *viommu, uint32_t endpoint,
				     uint8_t *ret_properties, size_t room);

/* domain.c */
struct viommu_domain *ward_viommu_domain_find(const struct ward_viommu *viommu, uint32_t id);
/* Makes one without endpoints, found from now on. 0 or -ENOMEM. */
int ward_viommu_domain_create(struct ward_viommu *viommu, uint32_t id, bool bypass,
			      struct viommu_domain **ret_domain);
/* Nobody is in it: told to listeners, and gone. */
void ward_viommu_domain_end(struct viommu_domain *domain);
/* Frees all of them without telling anybody. */
void ward_viommu_domains_finish(struct ward_viommu *viommu);
/*
 * One MAP or UNMAP of a domain with mappings, in which endpoints are already; flags, bounds, granule and
 * input range were checked by the caller. 0 or an errno: of the space, or that of a listener.
 */
int ward_viommu_domain_map(struct viommu_domain *domain, const struct ward_mapping *mapping);
/* As it was saved: untold also where no endpoint of the domain has the IDENTITY region any more. */
int ward_viommu_domain_restore(struct viommu_domain *domain, const struct ward_mapping *mapping,
			       bool untold);
int ward_viommu_domain_unmap(struct viommu_domain *domain, struct ward_range range);
/* Nothing that is mapped in the domain is in the way of the endpoint's regions. */
bool ward_viommu_domain_admits(const struct viommu_domain *domain,
			       const struct viommu_endpoint *endpoint);
/* By the value in its tree: a mapping in an IDENTITY region, of which listeners were not told. */
bool ward_viommu_domain_untold(uint64_t value);

/* place.c: where endpoints are, and how they move. */
/* Where it is now. */
struct ward_viommu_place ward_viommu_place_now(const struct ward_viommu *viommu,
					       const struct viommu_endpoint *endpoint);
/* Where one goes that is in this domain (NULL: none), as things are. */
struct ward_viommu_place ward_viommu_place_of(const struct ward_viommu *viommu,
					      const struct viommu_domain *domain);
/*
 * Into a domain, or out of all (NULL): where it goes then is as bypass says. An old domain that has
 * nobody left ends. given: a refusal of listeners is an answer (the errno), and the endpoint stays;
 * else it moves, and is frozen if a listener failed: -EIO.
 */
int ward_viommu_move(struct ward_viommu *viommu, struct viommu_endpoint *endpoint,
		     struct viommu_domain *domain, bool given);
/*
 * Into the domain with this id, which begins with its first endpoint; when that does not come, it ends
 * again. 0 or an errno, as of a move that is given.
 */
int ward_viommu_join(struct ward_viommu *viommu, struct viommu_endpoint *endpoint, uint32_t id,
		     bool bypass);
/* Out of all domains and blocked, whatever bypass says: the end of its stay. */
void ward_viommu_move_out(struct ward_viommu *viommu, struct viommu_endpoint *endpoint);
/* Endpoints that are in no domain go where bypass says now, but for frozen ones. */
void ward_viommu_move_free(struct ward_viommu *viommu);
/* Those of them that are frozen are tried again. */
void ward_viommu_move_frozen(struct ward_viommu *viommu);
/* Blocks it, tells listeners to cut it off, breaks the device. */
void ward_viommu_freeze(struct ward_viommu *viommu, struct viommu_endpoint *endpoint,
			const char *why);

/*
 * listener.c: in order. A refusal of what may be refused is taken back from those that agreed, and is the
 * errno returned. What cannot be taken back, or fails at all, freezes those concerned: -EIO.
 */
int ward_viommu_tell_map(struct viommu_domain *domain, const struct ward_mapping *mapping);
int ward_viommu_tell_unmap(struct viommu_domain *domain, struct ward_range range);
int ward_viommu_tell_move(struct ward_viommu *viommu, struct viommu_endpoint *endpoint,
			  const struct ward_viommu_place *from, const struct ward_viommu_place *to,
			  bool given);
void ward_viommu_tell_gone(const struct viommu_domain *domain);
void ward_viommu_tell_freeze(const struct ward_viommu *viommu, uint32_t endpoint);
enum viommu_status ward_viommu_status(int code);

/*
 * event.c. A fault is reported from any thread, without a reader: it looks at viommu->endpoints and at
 * the budget of one of them under the lock.
 */
int ward_viommu_events_init(struct viommu_events *events, uint32_t max);
void ward_viommu_events_finish(struct viommu_events *events);
/* After viommu->endpoints changed, before the old ones are freed or changed: nobody looks at them for a fault. */
void ward_viommu_events_settle(struct viommu_events *events);
/* How many wait. */
uint32_t ward_viommu_events_waiting(const struct viommu_events *events);
/* Nothing waits any more: a reset. */
void ward_viommu_events_drop(struct viommu_events *events);
/* Faults of an endpoint so far. */
uint64_t ward_viommu_events_faults(const struct viommu_events *events,
				   const struct viommu_endpoint *endpoint);

/* pieces.c: what a buffer of a guest is made of. */
/* Bytes of all pieces; UINT64_MAX when there are more. */
uint64_t ward_viommu_pieces_size(const struct iovec *pieces, uint32_t count);
/* Copies from, or to, their beginning; returns how much there was of size. */
size_t ward_viommu_pieces_read(const struct iovec *pieces, uint32_t count, void *ret_bytes,
			       size_t size);
size_t ward_viommu_pieces_write(const struct iovec *pieces, uint32_t count, const void *bytes,
				size_t size);

#endif

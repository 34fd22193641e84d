/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A listener that keeps a model of its own of domains, mappings and endpoints, as a host's IOMMU would,
 * and notes the first thing that is not as viommu_listener.h promises it. The plan, shared by all followers of a
 * device, makes one of their calls fail.
 */
#ifndef TESTS_VIRTIO_FOLLOWER_H
#define TESTS_VIRTIO_FOLLOWER_H

#include <doorward/viommu_listener.h>

#include <errno.h>
#include <string.h>

#define FOLLOWER_ENDPOINTS 16u
#define FOLLOWER_DOMAINS 18u
#ifndef FOLLOWER_MAPPINGS
#define FOLLOWER_MAPPINGS 128u
#endif

struct follower_plan {
	unsigned long calls;   /* of move, map and unmap so far */
	unsigned long fail_at; /* the call that fails, from 1; 0: none */
	bool on;	       /* and all that follow, too */
	int code;
	unsigned long failures; /* so far */
	uint64_t whose;		/* bit n: of endpoint n, or of a domain that it is in */
};

struct follower_endpoint {
	bool known, frozen, attached;
	uint32_t id, domain;
	enum ward_viommu_place_kind kind;
};

struct follower_domain {
	bool known;
	uint32_t id, count;
	struct ward_mapping mappings[FOLLOWER_MAPPINGS]; /* by address */
};

struct follower {
	const struct ward_viommu *viommu;
	struct follower_plan *plan;
	struct ward_range window; /* IDENTITY region, if there is one; empty: none */
	struct follower_endpoint endpoints[FOLLOWER_ENDPOINTS];
	struct follower_domain domains[FOLLOWER_DOMAINS];
	const char *wrong; /* NULL: nothing */
};

static inline void follower_require(struct follower *f, bool holds, const char *what)
{
	if (!holds && !f->wrong)
		f->wrong = what;
}

static inline struct follower_endpoint *follower_endpoint(struct follower *f, uint32_t id)
{
	for (uint32_t i = 0; i < FOLLOWER_ENDPOINTS; i++)
		if (f->endpoints[i].known && f->endpoints[i].id == id)
			return &f->endpoints[i];
	return NULL;
}

static inline struct follower_domain *follower_domain(struct follower *f, uint32_t id)
{
	for (uint32_t i = 0; i < FOLLOWER_DOMAINS; i++)
		if (f->domains[i].known && f->domains[i].id == id)
			return &f->domains[i];
	return NULL;
}

static inline struct follower_endpoint *follower_meet(struct follower *f, uint32_t id)
{
	struct follower_endpoint *endpoint = follower_endpoint(f, id);

	for (uint32_t i = 0; !endpoint && i < FOLLOWER_ENDPOINTS; i++) {
		if (f->endpoints[i].known)
			continue;
		f->endpoints[i] = (struct follower_endpoint){
			.known = true, .id = id, .domain = WARD_NONE, .kind = WARD_VIOMMU_BLOCKED
		};
		endpoint = &f->endpoints[i];
	}
	return endpoint;
}

static inline struct follower_domain *follower_open(struct follower *f, uint32_t id)
{
	struct follower_domain *domain = follower_domain(f, id);

	for (uint32_t i = 0; !domain && i < FOLLOWER_DOMAINS; i++) {
		if (f->domains[i].known)
			continue;
		f->domains[i].known = true;
		f->domains[i].id = id;
		f->domains[i].count = 0;
		domain = &f->domains[i];
	}
	return domain;
}

static inline bool follower_fails(struct follower *f)
{
	struct follower_plan *plan = f->plan;

	plan->calls++;
	if (!plan->fail_at || plan->calls < plan->fail_at ||
	    (plan->calls > plan->fail_at && !plan->on))
		return false;
	plan->failures++;
	return true;
}

static inline bool follower_same_mapping(const struct ward_mapping *a, const struct ward_mapping *b)
{
	return a->start == b->start && a->last == b->last && a->target == b->target &&
	       a->access == b->access && a->type == b->type;
}

/* The guest's half of an IDENTITY region: nobody is told of it. */
static inline bool follower_untold(const struct follower *f, const struct ward_mapping *m)
{
	return f->window.start <= ward_iova_raw(m->start) &&
	       ward_iova_raw(m->last) <= f->window.last &&
	       ward_iova_raw(m->start) == ward_target_raw(m->target);
}

static inline bool follower_same_mappings(const struct follower *f,
					  const struct follower_domain *domain,
					  const struct ward_space *space)
{
	struct ward_mapping mapping;
	uint64_t from = 0;
	uint32_t i = 0;

	while (ward_space_next(space, ward_iova(from), &mapping)) {
		if (i < domain->count && follower_same_mapping(&domain->mappings[i], &mapping))
			i++;
		else if (!follower_untold(f, &mapping))
			return false;
		from = ward_iova_raw(mapping.last) + 1;
		if (from == 0)
			break;
	}
	return i == domain->count;
}

static inline void follower_check_place(struct follower *f, const struct ward_viommu_place *place)
{
	follower_require(f, (place->kind == WARD_VIOMMU_BLOCKED) == !place->space,
			 "a place that is not blocked has a space, and only such a one");
	/* The id of a domain may be that number, too. */
	follower_require(f, place->attached || place->domain == WARD_NONE,
			 "who is not attached has no domain");
	follower_require(f, place->kind != WARD_VIOMMU_MAPPED || place->attached,
			 "mappings are those of a domain");
}

static inline int follower_move(void *context, uint32_t id, const struct ward_viommu_place *from,
				const struct ward_viommu_place *to)
{
	struct follower *f = context;
	struct follower_endpoint *endpoint = follower_meet(f, id);

	follower_check_place(f, from);
	follower_check_place(f, to);
	follower_require(f, to->kind != WARD_VIOMMU_BLOCKED || !to->attached,
			 "a domain does not block");
	if (!endpoint) {
		follower_require(f, false, "too many endpoints");
		return -ENOSPC;
	}
	/* Who is frozen is blocked, and as far as the guest knows still in its domain. */
	follower_require(f,
			 endpoint->kind == from->kind &&
				 (endpoint->frozen || (endpoint->attached == from->attached &&
						       endpoint->domain == from->domain)),
			 "an endpoint comes from where it is not");
	follower_require(f,
			 endpoint->frozen || from->kind != to->kind ||
				 from->attached != to->attached || from->domain != to->domain,
			 "an endpoint goes to where it is");
	if (follower_fails(f)) {
		f->plan->whose |= UINT64_C(1) << (id & 63);
		return f->plan->code;
	}
	if (to->attached) {
		struct follower_domain *domain = follower_open(f, to->domain);

		follower_require(f, domain, "too many domains");
		if (domain && to->kind == WARD_VIOMMU_MAPPED)
			follower_require(f, follower_same_mappings(f, domain, to->space),
					 "mappings of a domain that were not told");
	}
	endpoint->frozen = false;
	endpoint->kind = to->kind;
	endpoint->attached = to->attached;
	endpoint->domain = to->domain;
	return 0;
}

static inline int follower_fail_domain(struct follower *f, uint32_t domain)
{
	for (uint32_t i = 0; i < FOLLOWER_ENDPOINTS; i++) {
		const struct follower_endpoint *e = &f->endpoints[i];

		if (e->known && e->attached && e->domain == domain)
			f->plan->whose |= UINT64_C(1) << (e->id & 63);
	}
	return f->plan->code;
}

static inline int follower_map(void *context, uint32_t id, const struct ward_mapping *mapping)
{
	struct follower *f = context;
	struct follower_domain *domain = follower_domain(f, id);
	uint64_t start = ward_iova_raw(mapping->start), last = ward_iova_raw(mapping->last);
	uint32_t at = 0;

	follower_require(f, domain, "a map in a domain where nobody is");
	follower_require(f, start <= last && mapping->access, "a map that is none");
	if (follower_fails(f))
		return follower_fail_domain(f, id);
	if (!domain)
		return -ENOENT;
	while (at < domain->count && ward_iova_raw(domain->mappings[at].last) < start)
		at++;
	follower_require(f, at == domain->count || last < ward_iova_raw(domain->mappings[at].start),
			 "a map over a mapping");
	if (domain->count == FOLLOWER_MAPPINGS)
		return -ENOSPC;
	memmove(&domain->mappings[at + 1], &domain->mappings[at],
		(domain->count - at) * sizeof(*mapping));
	domain->mappings[at] = *mapping;
	domain->count++;
	return 0;
}

static inline int follower_unmap(void *context, uint32_t id, struct ward_range range)
{
	struct follower *f = context;
	struct follower_domain *domain = follower_domain(f, id);
	struct ward_range removed = WARD_RANGE_EMPTY;
	uint32_t kept = 0;

	follower_require(f, domain, "an unmap in a domain where nobody is");
	follower_require(f, range.start <= range.last, "an unmap of nothing");
	if (follower_fails(f))
		return follower_fail_domain(f, id);
	for (uint32_t i = 0; domain && i < domain->count; i++) {
		const struct ward_mapping *m = &domain->mappings[i];
		const struct ward_range mapped = { ward_iova_raw(m->start),
						   ward_iova_raw(m->last) };

		if (!ward_range_overlaps(range, mapped)) {
			domain->mappings[kept++] = *m;
			continue;
		}
		follower_require(f, range.start <= mapped.start && mapped.last <= range.last,
				 "an unmap cuts a mapping");
		if (ward_range_is_empty(removed))
			removed.start = mapped.start;
		removed.last = mapped.last;
	}
	/* What map did not tell goes like anything else. */
	follower_require(f,
			 !ward_range_is_empty(f->window) ||
				 (removed.start == range.start && removed.last == range.last),
			 "an unmap begins or ends where no mapping does");
	follower_require(f, !domain || kept < domain->count || !ward_range_is_empty(f->window),
			 "an unmap where nothing is");
	if (domain)
		domain->count = kept;
	return 0;
}

static inline void follower_gone(void *context, uint32_t id)
{
	struct follower *f = context;
	struct follower_domain *domain = follower_domain(f, id);

	for (uint32_t i = 0; i < FOLLOWER_ENDPOINTS; i++)
		follower_require(f,
				 !f->endpoints[i].known || !f->endpoints[i].attached ||
					 f->endpoints[i].domain != id,
				 "a domain is gone where an endpoint is");
	/* Of a first ATTACH that was refused nothing was heard here. */
	if (domain)
		domain->known = false;
}

static inline void follower_freeze(void *context, uint32_t id)
{
	struct follower *f = context;
	struct follower_endpoint *endpoint = follower_meet(f, id);

	follower_require(f, endpoint, "too many endpoints");
	if (!endpoint)
		return;
	endpoint->frozen = true;
	endpoint->attached = false;
	endpoint->domain = WARD_NONE;
	endpoint->kind = WARD_VIOMMU_BLOCKED;
}

static const struct ward_viommu_listener_ops follower_ops = {
	.move = follower_move,
	.map = follower_map,
	.unmap = follower_unmap,
	.gone = follower_gone,
	.freeze = follower_freeze,
};

/* Forgets endpoints that were removed: they ended blocked. */
static inline void follower_forget(struct follower *f, uint32_t id)
{
	struct follower_endpoint *endpoint = follower_endpoint(f, id);

	if (!endpoint)
		return;
	follower_require(f, endpoint->kind == WARD_VIOMMU_BLOCKED,
			 "removed where it was let through");
	endpoint->known = false;
}

static inline void follower_check_endpoint(struct follower *f,
					   const struct ward_viommu_endpoint *endpoint)
{
	const struct follower_endpoint *e = follower_meet(f, endpoint->endpoint);
	const struct follower_domain *domain;

	follower_require(f, e, "too many endpoints");
	if (!e)
		return;
	follower_require(f, e->frozen == endpoint->frozen, "frozen here, and not there");
	follower_require(f, e->kind == endpoint->place.kind, "an endpoint is elsewhere");
	if (endpoint->frozen)
		return;
	follower_require(f,
			 e->attached == endpoint->place.attached &&
				 e->domain == endpoint->place.domain,
			 "an endpoint is in another domain");
	if (e->kind != WARD_VIOMMU_MAPPED)
		return;
	domain = follower_domain(f, e->domain);
	follower_require(f, domain && follower_same_mappings(f, domain, endpoint->place.space),
			 "mappings are not the same");
}

/* All is as the device has it, and nothing was wrong so far. NULL, or what is not. */
static inline const char *follower_check(struct follower *f)
{
	struct ward_viommu_endpoint endpoint;
	uint32_t count = 0;

	for (uint64_t id = 0;
	     id <= UINT32_MAX && ward_viommu_endpoint_next(f->viommu, (uint32_t)id, &endpoint);
	     id = (uint64_t)endpoint.endpoint + 1)
		follower_check_endpoint(f, &endpoint);
	for (uint32_t i = 0; i < FOLLOWER_ENDPOINTS; i++)
		count += f->endpoints[i].known && f->endpoints[i].kind != WARD_VIOMMU_BLOCKED;
	for (uint64_t id = 0;
	     id <= UINT32_MAX && ward_viommu_endpoint_next(f->viommu, (uint32_t)id, &endpoint);
	     id = (uint64_t)endpoint.endpoint + 1)
		count -= endpoint.place.kind != WARD_VIOMMU_BLOCKED;
	follower_require(f, count == 0, "somebody is let through who is not here");
	return f->wrong;
}

#endif

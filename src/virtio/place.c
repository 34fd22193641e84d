// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Where endpoints are, and how they move. Listeners are told first, then emulated DMA meets the new
 * place: one pointer, so the old one or the new one, and when a call returns nobody reads by the
 * old one any more.
 */
#include "virtio/viommu.h"

#include "base/error.h"

#include <errno.h>

/* Where endpoints go that are in no domain (docs/virtio-iommu.md, Features and bypass). */
static bool free_bypass(const struct ward_viommu *viommu)
{
	if (viommu->options.features & WARD_VIOMMU_F_BYPASS_CONFIG)
		return viommu->bypass;
	return viommu->negotiated & WARD_VIOMMU_F_BYPASS;
}

static const struct ward_viommu_place blocked = { .kind = WARD_VIOMMU_BLOCKED,
						  .domain = WARD_NONE };

struct ward_viommu_place ward_viommu_place_of(const struct ward_viommu *viommu,
					      const struct viommu_domain *domain)
{
	struct ward_viommu_place place = blocked;

	if (domain) {
		place.attached = true;
		place.domain = domain->id;
	}
	if (domain && !domain->bypass) {
		place.kind = WARD_VIOMMU_MAPPED;
		place.space = domain->space;
	} else if (domain || free_bypass(viommu)) {
		place.kind = WARD_VIOMMU_BYPASS;
		place.space = viommu->identity;
	}
	return place;
}

struct ward_viommu_place ward_viommu_place_now(const struct ward_viommu *viommu,
					       const struct viommu_endpoint *endpoint)
{
	const struct ward_space *space = atomic_load(&endpoint->space);
	struct ward_viommu_place place = blocked;

	if (endpoint->domain) {
		place.attached = true;
		place.domain = endpoint->domain->id;
	}
	if (space) {
		place.kind = space == viommu->identity ? WARD_VIOMMU_BYPASS : WARD_VIOMMU_MAPPED;
		place.space = space;
	}
	return place;
}

static void set_space(struct ward_viommu *viommu, struct viommu_endpoint *endpoint,
		      const struct ward_space *space)
{
	if (atomic_load(&endpoint->space) == space)
		return;
	atomic_store(&endpoint->space, space);
	ward_readers_wait(viommu->options.readers);
}

static void leave(struct viommu_endpoint *endpoint)
{
	struct viommu_domain *domain = endpoint->domain;
	struct viommu_endpoint **at;

	if (!domain)
		return;
	for (at = &domain->endpoints; *at != endpoint;)
		at = &(*at)->next;
	*at = endpoint->next;
	endpoint->domain = NULL;
	endpoint->next = NULL;
}

static void enter(struct viommu_endpoint *endpoint, struct viommu_domain *domain)
{
	if (!domain)
		return;
	endpoint->domain = domain;
	endpoint->next = domain->endpoints;
	domain->endpoints = endpoint;
}

static int move(struct ward_viommu *viommu, struct viommu_endpoint *endpoint,
		struct viommu_domain *domain, const struct ward_viommu_place *to, bool given)
{
	const struct ward_viommu_place from = ward_viommu_place_now(viommu, endpoint);
	struct viommu_domain *old = endpoint->domain;
	int code;

	/* Only what ends a stay moves a frozen one, and tries it again. */
	endpoint->frozen = false;
	code = ward_viommu_tell_move(viommu, endpoint, &from, to, given);
	if (code && given)
		return code;
	leave(endpoint);
	enter(endpoint, domain);
	if (!endpoint->frozen)
		set_space(viommu, endpoint, to->space);
	if (old && !old->endpoints)
		ward_viommu_domain_end(old);
	return code;
}

int ward_viommu_move(struct ward_viommu *viommu, struct viommu_endpoint *endpoint,
		     struct viommu_domain *domain, bool given)
{
	const struct ward_viommu_place to = ward_viommu_place_of(viommu, domain);

	return move(viommu, endpoint, domain, &to, given);
}

int ward_viommu_join(struct ward_viommu *viommu, struct viommu_endpoint *endpoint, uint32_t id,
		     bool bypass)
{
	struct viommu_domain *domain = ward_viommu_domain_find(viommu, id);
	int code = 0;

	if (!domain)
		code = ward_viommu_domain_create(viommu, id, bypass, &domain);
	if (code)
		return code;
	code = ward_viommu_move(viommu, endpoint, domain, true);
	if (!domain->endpoints)
		ward_viommu_domain_end(domain);
	return code;
}

void ward_viommu_move_out(struct ward_viommu *viommu, struct viommu_endpoint *endpoint)
{
	if (endpoint->frozen || endpoint->domain || atomic_load(&endpoint->space))
		(void)move(viommu, endpoint, NULL, &blocked, false);
}

void ward_viommu_move_free(struct ward_viommu *viommu)
{
	const struct ward_viommu_place to = ward_viommu_place_of(viommu, NULL);
	struct viommu_endpoint *endpoint;

	for (uint32_t i = 0; (endpoint = ward_viommu_endpoint_at(viommu, i)); i++) {
		if (!endpoint->domain && !endpoint->frozen &&
		    atomic_load(&endpoint->space) != to.space)
			(void)move(viommu, endpoint, NULL, &to, false);
	}
}

void ward_viommu_move_frozen(struct ward_viommu *viommu)
{
	struct viommu_endpoint *endpoint;

	for (uint32_t i = 0; (endpoint = ward_viommu_endpoint_at(viommu, i)); i++) {
		if (!endpoint->domain && endpoint->frozen)
			(void)ward_viommu_move(viommu, endpoint, NULL, false);
	}
}

void ward_viommu_freeze(struct ward_viommu *viommu, struct viommu_endpoint *endpoint,
			const char *why)
{
	struct ward_error error;

	endpoint->frozen = true;
	set_space(viommu, endpoint, NULL);
	ward_viommu_tell_freeze(viommu, endpoint->id);
	(void)ward_fail(&error, -EIO, "endpoint %u is frozen: %s", endpoint->id, why);
	ward_viommu_break(viommu, error.text);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "virtio/reference.h"

#include <errno.h>
#include <string.h>

enum {
	OK = 0,
	UNSUPP = 2,
	INVAL = 4,
	RANGE = 5,
	NOENT = 6,
	NOMEM = 8,
};

static uint64_t number(const uint8_t *bytes, unsigned int size)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < size; i++)
		value |= (uint64_t)bytes[i] << 8 * i;
	return value;
}

static void store(uint8_t *bytes, unsigned int size, uint64_t value)
{
	for (unsigned int i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
}

void reference_init(struct reference *reference, const struct reference_config *config)
{
	*reference = (struct reference){ .config = config };
	reference_reset(reference, true);
}

void reference_reset(struct reference *reference, bool system)
{
	reference->configured = false;
	reference->negotiated = 0;
	if (system)
		reference->bypass = (reference->config->flags & WARD_VIOMMU_BOOT_BYPASS) &&
				    (reference->config->features & WARD_VIOMMU_F_BYPASS_CONFIG);
	for (unsigned int i = 0; i < REFERENCE_ENDPOINTS; i++)
		reference->endpoints[i].attached = false;
	for (unsigned int i = 0; i < reference->config->mappings_max; i++)
		reference->mappings[i].there = false;
}

int reference_negotiate(struct reference *reference, uint64_t features)
{
	features &= 0xffffff;
	if (features & ~(uint64_t)reference->config->features)
		return -EINVAL;
	if (reference->configured)
		return features == reference->negotiated ? 0 : -EBUSY;
	reference->configured = true;
	reference->negotiated = (uint32_t)features;
	return 0;
}

void reference_config(const struct reference *reference, uint8_t ret_bytes[40])
{
	const struct reference_config *config = reference->config;

	memset(ret_bytes, 0, 40);
	store(ret_bytes, 8, config->page_sizes);
	if (config->features & WARD_VIOMMU_F_INPUT_RANGE) {
		store(ret_bytes + 8, 8, config->input.start);
		store(ret_bytes + 16, 8, config->input.last);
	}
	if (config->features & WARD_VIOMMU_F_DOMAIN_RANGE) {
		store(ret_bytes + 24, 4, config->domain_first);
		store(ret_bytes + 28, 4, config->domain_last);
	}
	if (config->features & WARD_VIOMMU_F_PROBE)
		store(ret_bytes + 32, 4, config->probe_size);
	ret_bytes[36] = reference->bypass;
}

int reference_config_write(struct reference *reference, uint32_t offset, const uint8_t *bytes,
			   size_t size)
{
	if (!(reference->negotiated & WARD_VIOMMU_F_BYPASS_CONFIG))
		return -EINVAL;
	if (offset != 36 || size != 1 || bytes[0] > 1)
		return -EINVAL;
	reference->bypass = bytes[0];
	return 0;
}

struct reference_endpoint *reference_endpoint(struct reference *reference, uint32_t id)
{
	for (unsigned int i = 0; i < REFERENCE_ENDPOINTS; i++)
		if (reference->endpoints[i].there && reference->endpoints[i].id == id)
			return &reference->endpoints[i];
	return NULL;
}

/* Somebody who is in the domain, or nobody: then there is no such domain. */
static const struct reference_endpoint *in_domain(const struct reference *reference,
						  uint32_t domain)
{
	for (unsigned int i = 0; i < REFERENCE_ENDPOINTS; i++) {
		const struct reference_endpoint *endpoint = &reference->endpoints[i];

		if (endpoint->there && endpoint->attached && endpoint->domain == domain)
			return endpoint;
	}
	return NULL;
}

static bool is_bypass(const struct reference *reference, const struct reference_endpoint *endpoint)
{
	return reference->bypass_domain[endpoint - reference->endpoints];
}

static void leave(struct reference *reference, struct reference_endpoint *endpoint)
{
	if (!endpoint->attached)
		return;
	endpoint->attached = false;
	if (in_domain(reference, endpoint->domain))
		return;
	for (unsigned int i = 0; i < reference->config->mappings_max; i++)
		if (reference->mappings[i].domain == endpoint->domain)
			reference->mappings[i].there = false;
}

void reference_remove(struct reference *reference, struct reference_endpoint *endpoint)
{
	leave(reference, endpoint);
	endpoint->there = false;
}

static bool overlap(uint64_t a, uint64_t a_last, uint64_t b, uint64_t b_last)
{
	return a <= b_last && b <= a_last;
}

/* A region of this endpoint is in the way of what is mapped in the domain. */
static bool in_the_way(const struct reference *reference, const struct reference_endpoint *endpoint,
		       uint32_t domain)
{
	for (unsigned int i = 0; i < reference->config->mappings_max; i++) {
		const struct reference_mapping *m = &reference->mappings[i];

		if (!m->there || m->domain != domain)
			continue;
		for (unsigned int j = 0; j < endpoint->regions_count; j++) {
			const struct ward_viommu_region *r = &endpoint->regions[j];

			if (!overlap(m->start, m->last, r->range.start, r->range.last))
				continue;
			/* The identity, of which listeners know nothing, is what the region is for. */
			if (r->subtype == WARD_VIOMMU_RESV_IDENTITY && !m->told &&
			    m->start >= r->range.start && m->last <= r->range.last)
				continue;
			return true;
		}
	}
	return false;
}

static uint8_t attach(struct reference *reference, const uint8_t *request)
{
	const struct reference_config *config = reference->config;
	uint32_t domain = (uint32_t)number(request + 4, 4),
		 flags = (uint32_t)number(request + 12, 4);
	struct reference_endpoint *endpoint;
	const struct reference_endpoint *other;

	if (number(request + 16, 4))
		return INVAL;
	if (flags & ~1u)
		return INVAL;
	if (flags && !(reference->negotiated & WARD_VIOMMU_F_BYPASS_CONFIG))
		return INVAL;
	endpoint = reference_endpoint(reference, (uint32_t)number(request + 8, 4));
	if (!endpoint)
		return NOENT;
	if ((config->features & WARD_VIOMMU_F_DOMAIN_RANGE) &&
	    (domain < config->domain_first || domain > config->domain_last))
		return RANGE;
	other = in_domain(reference, domain);
	if (other && is_bypass(reference, other) != (flags == 1))
		return INVAL;
	if (endpoint->attached && endpoint->domain == domain)
		return OK;
	if (other && in_the_way(reference, endpoint, domain))
		return UNSUPP;
	leave(reference, endpoint);
	endpoint->attached = true;
	endpoint->domain = domain;
	reference->bypass_domain[endpoint - reference->endpoints] = flags == 1;
	return OK;
}

static uint8_t detach(struct reference *reference, const uint8_t *request)
{
	struct reference_endpoint *endpoint =
		reference_endpoint(reference, (uint32_t)number(request + 8, 4));

	if (!endpoint)
		return NOENT;
	if (!endpoint->attached || endpoint->domain != number(request + 4, 4))
		return INVAL;
	leave(reference, endpoint);
	return OK;
}

/* 0 nothing is in the way, 1 the identity in an IDENTITY region, -1 not so. */
static int reserved(const struct reference *reference, const struct reference_mapping *m)
{
	int result = 0;

	for (unsigned int i = 0; i < REFERENCE_ENDPOINTS; i++) {
		const struct reference_endpoint *endpoint = &reference->endpoints[i];

		if (!endpoint->there || !endpoint->attached || endpoint->domain != m->domain)
			continue;
		for (unsigned int j = 0; j < endpoint->regions_count; j++) {
			const struct ward_viommu_region *r = &endpoint->regions[j];

			if (!overlap(m->start, m->last, r->range.start, r->range.last))
				continue;
			if (r->subtype != WARD_VIOMMU_RESV_IDENTITY || m->start != m->target ||
			    m->start < r->range.start || m->last > r->range.last)
				return -1;
			result = 1;
		}
	}
	return result;
}

static uint8_t map_into(struct reference *reference, struct reference_mapping *m)
{
	uint32_t count = 0, unused = 0;
	int kept = reserved(reference, m);

	if (kept < 0)
		return INVAL;
	for (unsigned int i = 0; i < reference->config->mappings_max; i++) {
		const struct reference_mapping *old = &reference->mappings[i];

		if (!old->there) {
			unused = i;
			continue;
		}
		count++;
		if (old->domain == m->domain && overlap(old->start, old->last, m->start, m->last))
			return INVAL;
	}
	if (count >= reference->config->mappings_max)
		return NOMEM;
	m->there = true;
	m->told = kept == 0;
	reference->mappings[unused] = *m;
	return OK;
}

static uint8_t map(struct reference *reference, const uint8_t *request)
{
	const struct reference_config *config = reference->config;
	struct reference_mapping m = {
		.domain = (uint32_t)number(request + 4, 4),
		.start = number(request + 8, 8),
		.last = number(request + 16, 8),
		.target = number(request + 24, 8),
		.flags = (uint32_t)number(request + 32, 4),
	};
	uint64_t granule = config->page_sizes & -config->page_sizes;
	const struct reference_endpoint *who;

	if (m.flags & ~7u)
		return INVAL;
	if ((m.flags & 4) && !(reference->negotiated & WARD_VIOMMU_F_MMIO))
		return INVAL;
	if (!(m.flags & 3))
		return INVAL;
	who = in_domain(reference, m.domain);
	if (!who)
		return NOENT;
	if (is_bypass(reference, who))
		return INVAL;
	if (m.last < m.start)
		return INVAL;
	if (m.start % granule || m.target % granule || (m.last + 1) % granule)
		return RANGE;
	if (m.target + (m.last - m.start) < m.target)
		return RANGE;
	if ((config->features & WARD_VIOMMU_F_INPUT_RANGE) &&
	    (m.start < config->input.start || m.last > config->input.last))
		return RANGE;
	return map_into(reference, &m);
}

static uint8_t unmap(struct reference *reference, const uint8_t *request)
{
	uint32_t domain = (uint32_t)number(request + 4, 4);
	uint64_t start = number(request + 8, 8), last = number(request + 16, 8);
	const struct reference_endpoint *who = in_domain(reference, domain);

	if (number(request + 24, 4))
		return INVAL;
	if (!who)
		return NOENT;
	if (is_bypass(reference, who))
		return INVAL;
	if (last < start)
		return INVAL;
	for (unsigned int i = 0; i < reference->config->mappings_max; i++) {
		const struct reference_mapping *m = &reference->mappings[i];

		if (m->there && m->domain == domain && overlap(m->start, m->last, start, last) &&
		    (m->start < start || m->last > last))
			return RANGE;
	}
	for (unsigned int i = 0; i < reference->config->mappings_max; i++) {
		struct reference_mapping *m = &reference->mappings[i];

		if (m->there && m->domain == domain && overlap(m->start, m->last, start, last))
			m->there = false;
	}
	return OK;
}

static uint32_t finish(uint8_t *writable, size_t offset, uint8_t status)
{
	memset(writable + offset, 0, 4);
	writable[offset] = status;
	return (uint32_t)offset + 4;
}

static uint32_t probe(struct reference *reference, const uint8_t *request, uint8_t *writable,
		      size_t size)
{
	const struct reference_endpoint *endpoint =
		reference_endpoint(reference, (uint32_t)number(request + 4, 4));
	size_t room = reference->config->probe_size;
	bool fits = size >= room + 4;

	if (!fits)
		room = size - 4;
	memset(writable, 0, room);
	if (!endpoint)
		return finish(writable, room, NOENT);
	if (!fits)
		return finish(writable, room, INVAL);
	for (unsigned int i = 0; i < endpoint->regions_count; i++) {
		const struct ward_viommu_region *r = &endpoint->regions[i];

		store(writable + i * 24, 2, 1);
		store(writable + i * 24 + 2, 2, 20);
		writable[i * 24 + 4] = r->subtype;
		store(writable + i * 24 + 8, 8, r->range.start);
		store(writable + i * 24 + 16, 8, r->range.last);
	}
	return finish(writable, room, OK);
}

uint32_t reference_handle(struct reference *reference, const uint8_t *readable,
			  size_t readable_size, uint8_t *writable, size_t writable_size)
{
	static const size_t sizes[] = { 0, 20, 20, 36, 28, 72 };
	uint8_t type;

	if (!reference->configured || readable_size < 1 || writable_size < 4)
		return 0;
	type = readable[0];
	if (type < 1 || type > 5 || readable_size < sizes[type])
		return 0;
	if ((type == 3 || type == 4) && !(reference->negotiated & WARD_VIOMMU_F_MAP_UNMAP))
		return 0;
	if (type == 5 && !(reference->negotiated & WARD_VIOMMU_F_PROBE))
		return 0;
	switch (type) {
	case 1:
		return finish(writable, 0, attach(reference, readable));
	case 2:
		return finish(writable, 0, detach(reference, readable));
	case 3:
		return finish(writable, 0, map(reference, readable));
	case 4:
		return finish(writable, 0, unmap(reference, readable));
	default:
		return probe(reference, readable, writable, writable_size);
	}
}

enum ward_viommu_place_kind reference_place(const struct reference *reference,
					    const struct reference_endpoint *endpoint)
{
	if (endpoint->attached)
		return is_bypass(reference, endpoint) ? WARD_VIOMMU_BYPASS : WARD_VIOMMU_MAPPED;
	if (reference->config->features & WARD_VIOMMU_F_BYPASS_CONFIG)
		return reference->bypass ? WARD_VIOMMU_BYPASS : WARD_VIOMMU_BLOCKED;
	return reference->negotiated & WARD_VIOMMU_F_BYPASS ? WARD_VIOMMU_BYPASS
							    : WARD_VIOMMU_BLOCKED;
}

static int through_mappings(const struct reference *reference, uint32_t domain, uint64_t iova,
			    uint32_t access, uint64_t *ret_target, uint32_t *ret_access,
			    bool *ret_mmio)
{
	for (unsigned int i = 0; i < reference->config->mappings_max; i++) {
		const struct reference_mapping *m = &reference->mappings[i];
		uint32_t lets = (m->flags & 1 ? WARD_READ : 0) | (m->flags & 2 ? WARD_WRITE : 0);

		if (!m->there || m->domain != domain || iova < m->start || iova > m->last)
			continue;
		if (access & ~lets)
			return -EFAULT;
		*ret_target = m->target + (iova - m->start);
		*ret_access = lets;
		*ret_mmio = m->flags & 4;
		return 0;
	}
	return -EFAULT;
}

int reference_translate(const struct reference *reference,
			const struct reference_endpoint *endpoint, uint64_t iova, uint32_t access,
			uint64_t *ret_target, uint32_t *ret_access, bool *ret_mmio)
{
	enum ward_viommu_place_kind kind = reference_place(reference, endpoint);

	if (kind == WARD_VIOMMU_BLOCKED)
		return -EFAULT;
	if (kind == WARD_VIOMMU_BYPASS) {
		*ret_target = iova;
		*ret_access = 0; /* any */
		return 0;
	}
	for (unsigned int i = 0; i < endpoint->regions_count; i++) {
		const struct ward_viommu_region *r = &endpoint->regions[i];

		if (!ward_range_has(r->range, iova) || r->subtype == WARD_VIOMMU_RESV_IDENTITY)
			continue;
		if (r->subtype != WARD_VIOMMU_RESV_MSI || access != WARD_WRITE ||
		    !ward_range_has(endpoint->doorbell, iova))
			return -EFAULT;
		*ret_target = iova;
		*ret_access = 0;
		return 0;
	}
	return through_mappings(reference, endpoint->domain, iova, access, ret_target, ret_access,
				ret_mmio);
}

const struct reference_mapping *reference_next(const struct reference *reference, uint32_t domain,
					       uint64_t from)
{
	const struct reference_mapping *best = NULL;

	for (unsigned int i = 0; i < reference->config->mappings_max; i++) {
		const struct reference_mapping *m = &reference->mappings[i];

		if (m->there && m->domain == domain && m->start >= from &&
		    (!best || m->start < best->start))
			best = m;
	}
	return best;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Domains: the mappings that endpoints share. The space of a domain asks whether it may (the limit of
 * all domains, then listeners) after everything else was checked and memory is there, so that what was
 * agreed to is done.
 */
#include "virtio/viommu.h"

#include "base/fault.h"
#include "dma/space.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int space_map(void *backing, const struct ward_mapping *mapping)
{
	struct viommu_domain *domain = backing;
	struct ward_viommu *viommu = domain->viommu;

	if (viommu->mappings >= viommu->options.mappings_max)
		return -ENOSPC;
	return domain->window ? 0 : ward_viommu_tell_map(domain, mapping);
}

bool ward_viommu_domain_untold(uint64_t value)
{
	return value & WARD_VALUE_DOORBELL;
}

/*
 * Cannot be refused: who fails is frozen, and the mapping is gone for the guest. Also of what map did not
 * tell: a listener may have looked there on its own.
 */
static int space_unmap(void *backing, struct ward_range range, bool split)
{
	struct viommu_domain *domain = backing;

	(void)split; /* never */
	(void)ward_viommu_tell_unmap(domain, range);
	return 0;
}

static const struct ward_space_ops space_ops = { .map = space_map, .unmap = space_unmap };

/* The index of a domain, or where it would go. */
static size_t index_of(const struct ward_viommu *viommu, uint32_t id)
{
	size_t low = 0, high = viommu->domains_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (viommu->domains[middle]->id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct viommu_domain *ward_viommu_domain_find(const struct ward_viommu *viommu, uint32_t id)
{
	size_t i = index_of(viommu, id);

	return i < viommu->domains_count && viommu->domains[i]->id == id ? viommu->domains[i]
									 : NULL;
}

static int create_space(struct viommu_domain *domain)
{
	const struct ward_viommu *viommu = domain->viommu;
	struct ward_space_options options = {
		.size = sizeof(options),
		.kind = WARD_SPACE_UNMANAGED,
		.aperture = viommu->options.input,
		.page_sizes = viommu->options.page_sizes,
		.readers = viommu->options.readers,
		.ops = &space_ops,
		.backing = domain,
	};

	return ward_space_create(&options, &domain->space);
}

int ward_viommu_domain_create(struct ward_viommu *viommu, uint32_t id, bool bypass,
			      struct viommu_domain **ret_domain)
{
	size_t at = index_of(viommu, id), count = viommu->domains_count;
	struct viommu_domain *domain;
	void *domains = viommu->domains;
	int code;

	code = ward_array_reserve(&domains, &viommu->domains_capacity, count + 1, sizeof(domain));
	viommu->domains = domains;
	if (code)
		return code;
	domain = ward_alloc(sizeof(*domain));
	if (!domain)
		return -ENOMEM;
	domain->id = id;
	domain->bypass = bypass;
	domain->viommu = viommu;
	code = bypass ? 0 : create_space(domain);
	if (code) {
		free(domain);
		return code;
	}
	memmove(&viommu->domains[at + 1], &viommu->domains[at], (count - at) * sizeof(domain));
	viommu->domains[at] = domain;
	viommu->domains_count++;
	*ret_domain = domain;
	return 0;
}

static void destroy(struct viommu_domain *domain)
{
	if (domain->space)
		domain->viommu->mappings -= domain->space->tree.count;
	ward_space_destroy(domain->space);
	free(domain);
}

void ward_viommu_domain_end(struct viommu_domain *domain)
{
	struct ward_viommu *viommu = domain->viommu;
	size_t at = index_of(viommu, domain->id);

	viommu->domains_count--;
	memmove(&viommu->domains[at], &viommu->domains[at + 1],
		(viommu->domains_count - at) * sizeof(domain));
	ward_viommu_tell_gone(domain);
	destroy(domain);
}

void ward_viommu_domains_finish(struct ward_viommu *viommu)
{
	for (size_t i = 0; i < viommu->domains_count; i++)
		destroy(viommu->domains[i]);
	free(viommu->domains);
}

/*
 * Whether the regions of the domain's endpoints let it be mapped; *ret_window: it is the guest's half of
 * an IDENTITY region.
 */
static bool regions_admit(const struct viommu_domain *domain, const struct ward_mapping *mapping,
			  bool *ret_window)
{
	const struct ward_range range = { ward_iova_raw(mapping->start),
					  ward_iova_raw(mapping->last) };
	bool window = false;

	for (const struct viommu_endpoint *e = domain->endpoints; e; e = e->next) {
		const struct ward_viommu_region *region = ward_viommu_region_at(e, range);

		if (!region)
			continue;
		if (region->subtype != WARD_VIOMMU_RESV_IDENTITY ||
		    range.start < region->range.start || range.last > region->range.last ||
		    ward_target_raw(mapping->target) != range.start)
			return false;
		window = true;
	}
	*ret_window = window;
	return true;
}

/* The region may lie where the entry is mapped already. */
static bool region_admits(const struct ward_viommu_region *region,
			  const struct ward_tree_entry *entry)
{
	return region->subtype == WARD_VIOMMU_RESV_IDENTITY &&
	       ward_viommu_domain_untold(entry->value) && entry->start >= region->range.start &&
	       entry->last <= region->range.last;
}

bool ward_viommu_domain_admits(const struct viommu_domain *domain,
			       const struct viommu_endpoint *endpoint)
{
	struct ward_tree_entry entry;

	if (domain->bypass)
		return true;
	for (uint32_t i = 0; i < endpoint->regions_count; i++) {
		const struct ward_viommu_region *region = &endpoint->regions[i];
		uint64_t from = region->range.start;

		while (ward_tree_next(&domain->space->tree, from, &entry) &&
		       entry.start <= region->range.last) {
			if (!region_admits(region, &entry))
				return false;
			if (entry.last >= region->range.last)
				break;
			from = entry.last + 1;
		}
	}
	return true;
}

static int map(struct viommu_domain *domain, const struct ward_mapping *mapping)
{
	struct ward_viommu *viommu = domain->viommu;
	int code = domain->window ? ward_space_map_doorbell(domain->space, mapping)
				  : ward_space_map(domain->space, mapping);

	if (code)
		return code;
	if (++viommu->mappings > viommu->mappings_peak)
		viommu->mappings_peak = viommu->mappings;
	return 0;
}

int ward_viommu_domain_map(struct viommu_domain *domain, const struct ward_mapping *mapping)
{
	if (!regions_admit(domain, mapping, &domain->window))
		return -EINVAL;
	return map(domain, mapping);
}

int ward_viommu_domain_restore(struct viommu_domain *domain, const struct ward_mapping *mapping,
			       bool untold)
{
	if (!regions_admit(domain, mapping, &domain->window) || (domain->window && !untold))
		return -EINVAL;
	domain->window = untold;
	return map(domain, mapping);
}

int ward_viommu_domain_unmap(struct viommu_domain *domain, struct ward_range range)
{
	struct ward_viommu *viommu = domain->viommu;
	uint64_t before = domain->space->tree.count;
	int code = ward_space_unmap_whole(domain->space, range);

	viommu->mappings -= before - domain->space->tree.count;
	/* Broken devices answer nothing: it is this that broke it. */
	if (code == 0 && viommu->broken)
		code = -EIO;
	return code;
}

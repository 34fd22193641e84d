// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* PROBE: the endpoint's reserved regions as properties RESV_MEM (virtio 1.3, 5.13.6.7). */
#include "virtio/viommu.h"

/* Header: type (12 bits), and bytes that follow it. */
#define PROPERTY_RESV_MEM 1u
#define PROPERTY_LENGTH (VIOMMU_PROPERTY_SIZE - 4u)

static void put(uint8_t *to, uint64_t value, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

enum viommu_status ward_viommu_probe(const struct ward_viommu *viommu, uint32_t endpoint,
				     uint8_t *ret_properties, size_t room)
{
	const struct viommu_endpoint *found = ward_viommu_endpoint_find(viommu, endpoint);
	uint8_t *property = ret_properties;

	if (!found)
		return VIOMMU_NOENT;
	if (room < viommu->options.probe_size)
		return VIOMMU_INVAL;
	/* They fit: ward_viommu_regions_make refuses an endpoint whose regions do not. */
	for (uint32_t i = 0; i < found->regions_count; i++) {
		const struct ward_viommu_region *region = &found->regions[i];

		put(property, PROPERTY_RESV_MEM, 2);
		put(property + 2, PROPERTY_LENGTH, 2);
		property[4] = region->subtype;
		put(property + 8, region->range.start, 8);
		put(property + 16, region->range.last, 8);
		property += VIOMMU_PROPERTY_SIZE;
	}
	return VIOMMU_OK;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* PROBE: the endpoint's reserved regions as properties RESV_MEM (virtio 1.3, 5.13.6.7). */
#include "virtio/viommu.h"

#include <endian.h>
#include <string.h>

#define RESV_MEM 1u

struct property {
	uint16_t type, length; /* of what follows these two */
	uint8_t subtype, reserved[3];
	uint64_t start, end;
};

_Static_assert(sizeof(struct property) == VIOMMU_PROPERTY_SIZE, "as the standard has it");

enum viommu_status ward_viommu_probe(const struct ward_viommu *viommu, uint32_t endpoint,
				     uint8_t *ret_properties, size_t room)
{
	const struct viommu_endpoint *found = ward_viommu_endpoint_find(viommu, endpoint);

	if (!found)
		return VIOMMU_NOENT;
	if (room < viommu->options.probe_size)
		return VIOMMU_INVAL;
	/* They fit: ward_viommu_regions_make refuses an endpoint whose regions do not. */
	for (uint32_t i = 0; i < found->regions_count; i++) {
		const struct ward_viommu_region *region = &found->regions[i];
		const struct property property = {
			.type = htole16(RESV_MEM),
			.length = htole16(sizeof(property) - 4),
			.subtype = region->subtype,
			.start = htole64(region->range.start),
			.end = htole64(region->range.last),
		};

		memcpy(ret_properties + i * sizeof(property), &property, sizeof(property));
	}
	return VIOMMU_OK;
}

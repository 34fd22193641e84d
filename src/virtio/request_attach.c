// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Endpoints into domains and out of them (virtio 1.3, 5.13.6.3 and 5.13.6.4). */
#include "virtio/request.h"

#define FLAG_BYPASS 0x1u

/* ATTACH: 4 domain, 8 endpoint, 12 flags, 16 reserved. */
enum viommu_status ward_viommu_attach(struct ward_viommu *viommu, const uint8_t *request)
{
	uint32_t id = ward_viommu_u32(request + 4), flags = ward_viommu_u32(request + 12);
	bool bypass = flags & FLAG_BYPASS;
	struct viommu_endpoint *endpoint;
	const struct viommu_domain *domain;

	if (ward_viommu_u32(request + 16) || flags & ~FLAG_BYPASS)
		return VIOMMU_INVAL;
	if (bypass && !ward_viommu_accepted(viommu, WARD_VIOMMU_F_BYPASS_CONFIG))
		return VIOMMU_INVAL;
	endpoint = ward_viommu_endpoint_find(viommu, ward_viommu_u32(request + 8));
	if (!endpoint)
		return VIOMMU_NOENT;
	if (id < viommu->options.domain_first || id > viommu->options.domain_last)
		return VIOMMU_RANGE;
	domain = ward_viommu_domain_find(viommu, id);
	if (domain && domain->bypass != bypass)
		return VIOMMU_INVAL;
	if (domain && endpoint->domain == domain)
		return VIOMMU_OK;
	if (domain && !ward_viommu_domain_admits(domain, endpoint))
		return VIOMMU_UNSUPP;
	return ward_viommu_status(ward_viommu_join(viommu, endpoint, id, bypass));
}

/* DETACH: 4 domain, 8 endpoint; what is reserved has to be ignored. */
enum viommu_status ward_viommu_detach(struct ward_viommu *viommu, const uint8_t *request)
{
	struct viommu_endpoint *endpoint;

	endpoint = ward_viommu_endpoint_find(viommu, ward_viommu_u32(request + 8));
	if (!endpoint)
		return VIOMMU_NOENT;
	if (!endpoint->domain || endpoint->domain->id != ward_viommu_u32(request + 4))
		return VIOMMU_INVAL;
	return ward_viommu_status(ward_viommu_move(viommu, endpoint, NULL, false));
}

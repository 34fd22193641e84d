// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Mappings of domains (virtio 1.3, 5.13.6.5 and 5.13.6.6). */
#include "virtio/request.h"

#define FLAG_READ 0x1u
#define FLAG_WRITE 0x2u
#define FLAG_MMIO 0x4u

/* The domain of a MAP or UNMAP: one that has mappings. */
static enum viommu_status mapped_domain(const struct ward_viommu *viommu, uint32_t id,
					struct viommu_domain **ret_domain)
{
	struct viommu_domain *domain = ward_viommu_domain_find(viommu, id);

	if (!domain)
		return VIOMMU_NOENT;
	if (domain->bypass)
		return VIOMMU_INVAL;
	*ret_domain = domain;
	return VIOMMU_OK;
}

/* MAP: 4 domain, 8 virt_start, 16 virt_end, 24 phys_start, 32 flags. */
enum viommu_status ward_viommu_map(struct ward_viommu *viommu, const uint8_t *request)
{
	uint64_t start = ward_viommu_u64(request + 8), last = ward_viommu_u64(request + 16);
	uint64_t target = ward_viommu_u64(request + 24);
	uint32_t flags = ward_viommu_u32(request + 32);
	struct ward_mapping mapping = {
		.start = ward_iova(start),
		.last = ward_iova(last),
		.target = ward_target(target),
		.access =
			(flags & FLAG_READ ? WARD_READ : 0) | (flags & FLAG_WRITE ? WARD_WRITE : 0),
		.type = flags & FLAG_MMIO ? WARD_DEVICE_NGNRE : WARD_NORMAL,
	};
	struct viommu_domain *domain;
	enum viommu_status status;

	if (flags & ~(FLAG_READ | FLAG_WRITE | FLAG_MMIO))
		return VIOMMU_INVAL;
	if (flags & FLAG_MMIO && !ward_viommu_accepted(viommu, WARD_VIOMMU_F_MMIO))
		return VIOMMU_INVAL;
	if (!mapping.access)
		return VIOMMU_INVAL;
	status = mapped_domain(viommu, ward_viommu_u32(request + 4), &domain);
	if (status != VIOMMU_OK)
		return status;
	if (last < start)
		return VIOMMU_INVAL;
	if ((start | (last + 1) | target) & viommu->granule_mask)
		return VIOMMU_RANGE;
	if (last - start > UINT64_MAX - target)
		return VIOMMU_RANGE;
	if (start < viommu->options.input.start || last > viommu->options.input.last)
		return VIOMMU_RANGE;
	return ward_viommu_status(ward_viommu_domain_map(domain, &mapping));
}

/* UNMAP: 4 domain, 8 virt_start, 16 virt_end, 24 reserved. */
enum viommu_status ward_viommu_unmap(struct ward_viommu *viommu, const uint8_t *request)
{
	const struct ward_range range = { ward_viommu_u64(request + 8),
					  ward_viommu_u64(request + 16) };
	struct viommu_domain *domain;
	enum viommu_status status;

	if (ward_viommu_u32(request + 24))
		return VIOMMU_INVAL;
	status = mapped_domain(viommu, ward_viommu_u32(request + 4), &domain);
	if (status != VIOMMU_OK)
		return status;
	if (ward_range_is_empty(range))
		return VIOMMU_INVAL;
	return ward_viommu_status(ward_viommu_domain_unmap(domain, range));
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The DMA of an emulated device. No lock, no allocation: the endpoint and its space are found by atomic
 * pointers, and stay while the caller's reader is within its section.
 */
#include "virtio/viommu.h"

#include <errno.h>

static int fault(struct ward_fault *ret_fault, enum ward_fault_reason reason, ward_iova_t iova,
		 uint32_t access)
{
	bool blocked = reason == WARD_FAULT_BLOCKED;

	if (ret_fault) {
		*ret_fault = (struct ward_fault){
			.reason = reason,
			.fault_class = WARD_CLASS_INPUT,
			.stage = blocked ? 0 : 2,
			.level = WARD_NO_LEVEL,
			.access = access,
			.iova = iova,
			.gpa = ward_gpa(blocked ? 0 : ward_iova_raw(iova)),
		};
	}
	return -EFAULT;
}

/* What is not translated: writes to the endpoint's own doorbells, and nothing beside them. */
static int ring(const struct ward_viommu *viommu, const struct viommu_endpoint *endpoint,
		ward_iova_t iova, uint32_t access, struct ward_translation *ret_translation,
		struct ward_fault *ret_fault)
{
	for (uint32_t i = 0; i < viommu->options.frames_count; i++) {
		struct ward_range registers = viommu->options.frames[i].registers;

		if (!(endpoint->frames >> i & 1) || !ward_range_has(registers, ward_iova_raw(iova)))
			continue;
		if (access & ~WARD_WRITE)
			return fault(ret_fault, WARD_FAULT_PERMISSION, iova, access);
		*ret_translation = (struct ward_translation){
			.target = ward_target(ward_iova_raw(iova)),
			.access = WARD_WRITE,
			.type = WARD_DEVICE_NGNRE,
			.input = registers,
		};
		return 0;
	}
	return fault(ret_fault, WARD_FAULT_TRANSLATION, iova, access);
}

int ward_viommu_translate(const struct ward_viommu *viommu, struct ward_reader *reader,
			  uint32_t endpoint, ward_iova_t iova, uint32_t access,
			  struct ward_translation *ret_translation, struct ward_fault *ret_fault)
{
	const struct viommu_endpoint *found = ward_viommu_endpoint_find(viommu, endpoint);
	const struct ward_space *space = found ? atomic_load(&found->space) : NULL;
	const struct ward_viommu_region *region;

	if (!space)
		return fault(ret_fault, WARD_FAULT_BLOCKED, iova, access);
	if (space != viommu->identity) {
		region = ward_viommu_region_at(found, (struct ward_range){ ward_iova_raw(iova),
									   ward_iova_raw(iova) });
		if (region && region->subtype == WARD_VIOMMU_RESV_MSI)
			return ring(viommu, found, iova, access, ret_translation, ret_fault);
	}
	return ward_space_translate(space, reader, WARD_PASID_NONE, iova, access, ret_translation,
				    ret_fault);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The doorbell of a message: the way that a write of the endpoint to this address takes now, as
 * ward_viommu_translate has it, and what is at its end.
 */
#include "virtio/viommu.h"

#include <errno.h>

enum {
	OWN_FRAMES,
	FRAMES_OF_OTHERS,
};

/* Which frame is whose: to ward_doorbell_resolve one controller is the endpoint's. */
static void sort_frames(const struct ward_viommu *viommu, const struct viommu_endpoint *endpoint,
			struct ward_doorbell_frame *ret_frames)
{
	for (uint32_t i = 0; i < viommu->options.frames_count; i++) {
		ret_frames[i] = viommu->options.frames[i];
		ret_frames[i].controller =
			endpoint->frames >> i & 1 ? OWN_FRAMES : FRAMES_OF_OTHERS;
	}
}

/* In the region T_MSI nothing translates; elsewhere a message is a write like any other. */
static bool untranslated(const struct viommu_endpoint *endpoint, ward_iova_t address)
{
	struct ward_range byte = { ward_iova_raw(address), ward_iova_raw(address) };
	const struct ward_viommu_region *region = ward_viommu_region_at(endpoint, byte);

	return region && region->subtype == WARD_VIOMMU_RESV_MSI;
}

int ward_viommu_resolve(const struct ward_viommu *viommu, uint32_t endpoint,
			const struct ward_message *message, struct ward_resolution *ret_resolution)
{
	const struct viommu_endpoint *found = ward_viommu_endpoint_find(viommu, endpoint);
	struct ward_doorbell_frame frames[VIOMMU_FRAMES_MAX];
	struct ward_resolve_options options = {
		.size = sizeof(options),
		.frames_of = WARD_FRAMES_GUEST,
		.pasid = WARD_PASID_NONE,
		.frames = frames,
		.frames_count = viommu->options.frames_count,
		.controller = OWN_FRAMES,
	};

	if (!found || found->msi == WARD_VIOMMU_MSI_NONE)
		return -EINVAL;
	options.space = atomic_load(&found->space);
	if (!options.space) {
		*ret_resolution = (struct ward_resolution){
			.end = WARD_RESOLVED_FAULT,
			.frame = WARD_NONE,
			.fault = {
				.reason = WARD_FAULT_BLOCKED,
				.level = WARD_NO_LEVEL,
				.access = WARD_WRITE,
				.iova = message->address,
			},
		};
		return -EFAULT;
	}
	if (untranslated(found, message->address))
		options.space = NULL;
	sort_frames(viommu, found, frames);
	return ward_doorbell_resolve(&options, message, ret_resolution);
}

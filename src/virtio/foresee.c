// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * MAP and UNMAP look for an address among the mappings, and with many of these each step of that is a miss
 * of the cache. Requests that wait are known before they are served: their addresses are looked for
 * together, which is a guess and nothing else. What counts is what a request says when it is its turn.
 */
#include "virtio/foresee.h"

#include "dma/space.h"
#include "virtio/request.h"

/* As many mappings as a CPU's own caches hold need no guess. */
#define WORTHWHILE 16384u
/* Bytes of a request that say where: type, domain, virt_start. */
#define WHERE_SIZE 16u

void ward_viommu_foresee(const struct ward_viommu *viommu, const struct ward_virtq *queue)
{
	const struct viommu_domain *domain = NULL;
	uint64_t addresses[WARD_TREE_FETCH];
	unsigned int count = 0;

	if (viommu->mappings < WORTHWHILE)
		return;
	for (uint32_t ahead = 0; ahead < WARD_TREE_FETCH; ahead++) {
		const void *request = ward_virtq_peek(queue, ahead, WHERE_SIZE);
		uint8_t where[WHERE_SIZE];

		if (!request)
			continue;
		memcpy(where, request, sizeof(where));
		if (where[0] != VIOMMU_MAP && where[0] != VIOMMU_UNMAP)
			continue;
		/* The first one's domain: others are served without. */
		if (!domain)
			domain = ward_viommu_domain_find(viommu, ward_viommu_u32(where + 4));
		if (domain && domain->space && domain->id == ward_viommu_u32(where + 4))
			addresses[count++] = ward_viommu_u64(where + 8);
	}
	if (count)
		ward_tree_fetch(&domain->space->tree, addresses, count);
}

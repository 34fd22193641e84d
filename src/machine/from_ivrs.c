// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * IVRS: which of AMD's IOMMUs serves a function, and the memory that firmware needs mapped.
 * What Linux makes of it: drivers/iommu/amd/init.c (init_iommu_all, init_unity_map_range) and
 * iommu.c (amd_iommu_get_resv_regions).
 */
#include <errno.h>
#include <stdio.h>

#include "firmware/ivrs.h"
#include "machine/from_tables.h"

#define IVHD_IOTLB 0x10u
#define CAPABILITY_IOTLB 0x01000000u

int ward_from_ivrs_devices(struct ward_builder *builder, struct ward_acpi_tables *tables,
			   const struct ward_kernel_evidence *evidence)
{
	const struct ward_ivrs *ivrs = tables->ivrs;
	unsigned int number = 0;
	int err = 0;

	tables->ivhds = ward_ordinals_alloc(ivrs->iommus_count);
	if (!tables->ivhds)
		return -ENOMEM;
	for (uint32_t i = 0; i < ivrs->iommus_count && !err; i++) {
		const struct ward_kernel_iommu *seen;
		bool iotlb = ivrs->iommus[i].flags & IVHD_IOTLB;
		char name[16];
		struct ward_iommu iommu = {
			.kind = WARD_IOMMU_AMD,
			.name = name,
			.base = ward_pa(ivrs->iommus[i].base),
			.remaps_interrupts = ward_remapping(tables, evidence),
			.controller = WARD_NONE,
		};

		if (!ivrs->iommus[i].used)
			continue;
		snprintf(name, sizeof(name), "ivhd%u", number++);
		seen = ward_kernel_evidence_find(evidence, name);
		if (seen && seen->registers_known)
			iotlb = seen->cap & CAPABILITY_IOTLB;
		iommu.ats = iotlb ? WARD_YES : WARD_NO;
		iommu.active = ward_kernel_evidence_active(evidence, name);
		err = ward_builder_add_iommu(builder, &iommu, &tables->ivhds[i]);
	}
	return err;
}

static int add_regions(struct ward_builder *builder, const struct ward_ivrs *ivrs,
		       const struct ward_listed *listed)
{
	uint16_t rid = ward_rid_raw(listed->address.rid);
	struct ward_region region = {
		.function = listed->function,
		.group = WARD_NONE,
		.source = "IVRS IVMD",
	};
	int err = 0;

	for (uint32_t i = 0; i < ivrs->memories_count && !err; i++) {
		const struct ward_ivrs_memory *memory = &ivrs->memories[i];

		if (memory->segment != listed->address.segment || rid < memory->first ||
		    rid > memory->last ||
		    !(memory->flags & (WARD_IVRS_UNITY | WARD_IVRS_EXCLUSION)))
			continue;
		/* An exclusion range is not translated at all: it is no place for a map. */
		region.kind = memory->flags & WARD_IVRS_EXCLUSION ? WARD_REGION_RESERVED
								  : WARD_REGION_DIRECT;
		region.range = memory->range;
		err = ward_builder_add_region(builder, &region);
	}
	return err;
}

int ward_from_ivrs_links(struct ward_builder *builder, const struct ward_acpi_tables *tables,
			 struct ward_listed *list, uint32_t count)
{
	int err = 0;

	for (uint32_t i = 0; i < count && !err; i++) {
		uint16_t rid = ward_rid_raw(list[i].address.rid), id;
		uint32_t iommu = ward_ivrs_find(tables->ivrs, list[i].address.segment, rid, &id);

		list[i].iommu = iommu == WARD_NONE ? WARD_NONE : tables->ivhds[iommu];
		list[i].id = iommu == WARD_NONE ? rid : id;
		err = add_regions(builder, tables->ivrs, &list[i]);
	}
	return err ? err : ward_add_listed(builder, list, count, "IVRS device entries");
}

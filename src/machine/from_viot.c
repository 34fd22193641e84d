// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * VIOT: virtio-iommu and the PCI functions it serves. Endpoints that are no PCI functions are
 * known by an address only; nothing says what device that is, so they are passed over.
 * What Linux makes of it: drivers/acpi/viot.c.
 */
#include <errno.h>
#include <stdio.h>

#include "firmware/viot.h"
#include "machine/from_tables.h"

int ward_from_viot_devices(struct ward_builder *builder, struct ward_acpi_tables *tables,
			   const struct ward_kernel_evidence *evidence)
{
	const struct ward_viot *viot = tables->viot;
	int err = 0;

	tables->viot_iommus = ward_ordinals_alloc(viot->iommus_count);
	if (!tables->viot_iommus)
		return -ENOMEM;
	for (uint32_t i = 0; i < viot->iommus_count && !err; i++) {
		const struct ward_viot_iommu *seen = &viot->iommus[i];
		struct ward_address address = { seen->segment, ward_rid(seen->rid) };
		char name[48];
		struct ward_iommu iommu = {
			.kind = WARD_IOMMU_VIRTIO,
			.name = name,
			.base = ward_pa(seen->base),
			.remaps_interrupts = WARD_NO,
			.ats = WARD_NO,
			.controller = WARD_NONE,
		};

		/* The kernel names it by the device it is; that of registers is not known here. */
		if (seen->pci)
			ward_address_format(address, name);
		else
			snprintf(name, sizeof(name), "virtio-iommu 0x%08llx",
				 (unsigned long long)seen->base);
		if (seen->pci || (evidence && evidence->iommus_count == 0))
			iommu.active = ward_kernel_evidence_active(evidence, name);
		err = ward_builder_add_iommu(builder, &iommu, &tables->viot_iommus[i]);
	}
	return err;
}

struct viot_step {
	struct ward_builder *builder;
	const struct ward_acpi_tables *tables;
};

static int add_endpoints(const struct viot_step *step, uint32_t segment,
			 const struct ward_viot_endpoints *endpoints)
{
	const struct ward_viot_iommu *iommu = &step->tables->viot->iommus[endpoints->iommu];
	struct ward_row row = {
		.kind = WARD_ID_MAP_IOMMU,
		.segment = segment,
		.first = iommu->rid,
		.last = iommu->rid,
		.target = WARD_NONE,
		.evidence = "VIOT: it is the IOMMU itself",
	};
	int err = 0;

	if (iommu->pci && iommu->segment == segment && iommu->rid >= endpoints->first &&
	    iommu->rid <= endpoints->last)
		err = ward_add_row(step->builder, &row);
	row.first = endpoints->first;
	row.last = endpoints->last;
	row.target = step->tables->viot_iommus[endpoints->iommu];
	row.output = endpoints->endpoint + ((segment - endpoints->first_segment) << 16);
	row.evidence = "VIOT PCI range";
	return err ? err : ward_add_row(step->builder, &row);
}

/* Linux keeps the ranges in the reverse order of the table. */
static int add_segment(uint32_t segment, void *context)
{
	const struct viot_step *step = context;
	const struct ward_viot *viot = step->tables->viot;
	const struct ward_row none = {
		.kind = WARD_ID_MAP_IOMMU,
		.segment = segment,
		.last = 0xffff,
		.target = WARD_NONE,
		.evidence = "VIOT has no range with its id",
	};
	int err = 0;

	for (uint32_t i = viot->endpoints_count; i > 0 && !err; i--) {
		const struct ward_viot_endpoints *endpoints = &viot->endpoints[i - 1];

		if (endpoints->pci && endpoints->iommu != WARD_NONE &&
		    segment >= endpoints->first_segment && segment <= endpoints->last_segment)
			err = add_endpoints(step, segment, endpoints);
	}
	return err ? err : ward_add_row(step->builder, &none);
}

int ward_from_viot_links(struct ward_builder *builder, const struct ward_acpi_tables *tables,
			 const struct ward_listed *list, uint32_t count)
{
	struct viot_step step = { .builder = builder, .tables = tables };

	return ward_each_segment(list, count, add_segment, &step);
}

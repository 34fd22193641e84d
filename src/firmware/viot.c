// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "firmware/viot.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/fault.h"

#define VIOT_HEADER 48u

enum {
	VIOT_PCI_RANGE = 1,
	VIOT_MMIO = 2,
	VIOT_IOMMU_PCI = 3,
	VIOT_IOMMU_MMIO = 4,
};

struct viot_parser {
	struct ward_acpi_table table;
	struct ward_viot *viot;
	size_t iommus_capacity, endpoints_capacity;
	struct ward_error *error;
};

static int parse_iommu_pci(struct viot_parser *p, uint32_t at)
{
	struct ward_viot_iommu *iommu = ward_acpi_append(&p->viot->iommus, &p->viot->iommus_count,
							 &p->iommus_capacity, sizeof(*iommu));

	if (!iommu)
		return -ENOMEM;
	iommu->pci = true;
	iommu->segment = ward_acpi_u16(&p->table, at + 4);
	iommu->rid = ward_acpi_u16(&p->table, at + 6);
	iommu->offset = at;
	return 0;
}

static int parse_iommu_mmio(struct viot_parser *p, uint32_t at)
{
	struct ward_viot_iommu *iommu = ward_acpi_append(&p->viot->iommus, &p->viot->iommus_count,
							 &p->iommus_capacity, sizeof(*iommu));

	if (!iommu)
		return -ENOMEM;
	iommu->base = ward_acpi_u64(&p->table, at + 8);
	iommu->offset = at;
	return 0;
}

/* The output is an offset until all nodes are known. */
static struct ward_viot_endpoints *add_endpoints(struct viot_parser *p, uint32_t at)
{
	struct ward_viot_endpoints *endpoints =
		ward_acpi_append(&p->viot->endpoints, &p->viot->endpoints_count,
				 &p->endpoints_capacity, sizeof(*endpoints));

	if (endpoints) {
		endpoints->endpoint = ward_acpi_u32(&p->table, at + 4);
		endpoints->iommu = ward_acpi_u16(&p->table, at + 16);
	}
	return endpoints;
}

static int parse_pci_range(struct viot_parser *p, uint32_t at)
{
	struct ward_viot_endpoints *endpoints = add_endpoints(p, at);

	if (!endpoints)
		return -ENOMEM;
	endpoints->pci = true;
	endpoints->first_segment = ward_acpi_u16(&p->table, at + 8);
	endpoints->last_segment = ward_acpi_u16(&p->table, at + 10);
	endpoints->first = ward_acpi_u16(&p->table, at + 12);
	endpoints->last = ward_acpi_u16(&p->table, at + 14);
	if (endpoints->last_segment < endpoints->first_segment ||
	    endpoints->last < endpoints->first)
		return ward_acpi_bad(&p->table, p->error, at + 8,
				     "a range of PCI endpoints ends before its start");
	return 0;
}

static int parse_mmio(struct viot_parser *p, uint32_t at)
{
	struct ward_viot_endpoints *endpoints = add_endpoints(p, at);

	if (!endpoints)
		return -ENOMEM;
	endpoints->base = ward_acpi_u64(&p->table, at + 8);
	return 0;
}

static const struct {
	uint8_t type, length;
	int (*parse)(struct viot_parser *p, uint32_t at);
} viot_nodes[] = {
	{ VIOT_PCI_RANGE, 24, parse_pci_range },
	{ VIOT_MMIO, 24, parse_mmio },
	{ VIOT_IOMMU_PCI, 16, parse_iommu_pci },
	{ VIOT_IOMMU_MMIO, 16, parse_iommu_mmio },
};

static int parse_node(struct viot_parser *p, uint32_t at, uint32_t length)
{
	uint8_t type = ward_acpi_u8(&p->table, at);

	for (size_t i = 0; i < sizeof(viot_nodes) / sizeof(viot_nodes[0]); i++) {
		if (viot_nodes[i].type != type)
			continue;
		if (length < viot_nodes[i].length)
			return ward_acpi_bad(&p->table, p->error, at + 2,
					     "node of type %u has %u bytes, needs %u", type, length,
					     viot_nodes[i].length);
		return viot_nodes[i].parse(p, at);
	}
	return 0;
}

static int parse_nodes(struct viot_parser *p)
{
	uint32_t count = ward_acpi_u16(&p->table, 36), at = ward_acpi_u16(&p->table, 38), length;
	int err;

	if (count > 0 && at < VIOT_HEADER)
		return ward_acpi_bad(&p->table, p->error, 38,
				     "the nodes start at 0x%x, inside the header", at);
	for (uint32_t i = 0; i < count; i++, at += length) {
		if (!ward_acpi_has(&p->table, at, 4))
			return ward_acpi_bad(&p->table, p->error, at, "node %u of %u is cut short",
					     i, count);
		length = ward_acpi_u16(&p->table, at + 2);
		if (length < 4 || !ward_acpi_has(&p->table, at, length))
			return ward_acpi_bad(&p->table, p->error, at + 2,
					     "a node of %u bytes does not fit", length);
		err = parse_node(p, at, length);
		if (err)
			return err;
	}
	return 0;
}

/*
 * An output that is not an IOMMU leaves its endpoints without one: Linux passes over them, since
 * a later version of the table may mean something by it.
 */
static void resolve_outputs(struct ward_viot *viot)
{
	for (uint32_t i = 0; i < viot->endpoints_count; i++) {
		uint32_t offset = viot->endpoints[i].iommu;
		uint32_t low = 0, high = viot->iommus_count;

		/* Nodes were met in the order of their offsets. */
		while (low < high) {
			uint32_t middle = low + (high - low) / 2;

			if (viot->iommus[middle].offset < offset)
				low = middle + 1;
			else
				high = middle;
		}
		viot->endpoints[i].iommu = WARD_NONE;
		if (low < viot->iommus_count && viot->iommus[low].offset == offset)
			viot->endpoints[i].iommu = low;
	}
}

int ward_viot_parse(const void *bytes, size_t size, struct ward_viot **ret_viot,
		    struct ward_error *ret_error)
{
	struct viot_parser parser = { .error = ret_error };
	int err;

	err = ward_acpi_open(bytes, size, "VIOT", VIOT_HEADER, &parser.table, ret_error);
	if (err)
		return err;
	parser.viot = ward_alloc(sizeof(*parser.viot));
	if (!parser.viot)
		return ward_fail(ret_error, -ENOMEM, "out of memory");
	err = parse_nodes(&parser);
	if (err) {
		ward_viot_destroy(parser.viot);
		return err;
	}
	resolve_outputs(parser.viot);
	*ret_viot = parser.viot;
	return 0;
}

void ward_viot_destroy(struct ward_viot *viot)
{
	if (!viot)
		return;
	free(viot->iommus);
	free(viot->endpoints);
	free(viot);
}

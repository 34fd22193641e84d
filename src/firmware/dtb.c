// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "firmware/dtb.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fault.h"
#include "firmware/acpi.h"
#include "firmware/dtb_tree.h"

#define ITS_SIZE_MIN 0x20000u
#define V2M_SIZE_MIN 0x1000u

struct dtb_parser {
	struct ward_dtb_tree tree;
	struct ward_dtb *dtb;
	size_t controllers_capacity, iommus_capacity, hosts_capacity, devices_capacity;
	/* By node: index into the array that the node went to, or WARD_NONE. */
	uint32_t *controller_of, *iommu_of, *host_of;
	struct ward_error *error;
};

__attribute__((format(printf, 3, 4))) static int bad_node(struct dtb_parser *p, uint32_t node,
							  const char *format, ...)
{
	char path[96], text[140];
	va_list args;

	ward_dtb_path(&p->tree, node, path, sizeof(path));
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return ward_fail(p->error, -EBADMSG, "device tree node %s: %s", path, text);
}

static const char *own_path(struct dtb_parser *p, uint32_t node)
{
	char path[WARD_DTB_PATH_MAX];

	ward_dtb_path(&p->tree, node, path, sizeof(path));
	return ward_arena_strdup(&p->dtb->arena, path);
}

static const char *own_device_name(struct dtb_parser *p, uint32_t node)
{
	char name[WARD_DTB_PATH_MAX];

	ward_dtb_device_name(&p->tree, node, name, sizeof(name));
	return ward_arena_strdup(&p->dtb->arena, name);
}

/* Compatible names and what they make of a node. The first row that fits counts. */
static const struct {
	const char *compatible;
	enum ward_dtb_iommu_kind kind;
} iommu_names[] = {
	{ "arm,smmu-v3", WARD_DTB_SMMUV3 },	 { "arm,smmu-v2", WARD_DTB_SMMUV2 },
	{ "arm,smmu-v1", WARD_DTB_SMMUV2 },	 { "arm,mmu-500", WARD_DTB_SMMUV2 },
	{ "arm,mmu-401", WARD_DTB_SMMUV2 },	 { "arm,mmu-400", WARD_DTB_SMMUV2 },
	{ "cavium,smmu-v2", WARD_DTB_SMMUV2 },	 { "nvidia,smmu-500", WARD_DTB_SMMUV2 },
	{ "qcom,smmu-v2", WARD_DTB_SMMUV2 },	 { "qcom,smmu-500", WARD_DTB_SMMUV2 },
	{ "virtio,mmio", WARD_DTB_VIRTIO_MMIO }, { "virtio,pci-iommu", WARD_DTB_VIRTIO_PCI },
	{ "pci1af4,1057", WARD_DTB_VIRTIO_PCI },
};

static bool iommu_kind(const struct dtb_parser *p, uint32_t node,
		       enum ward_dtb_iommu_kind *ret_kind)
{
	if (!ward_dtb_has(&p->tree, node, "#iommu-cells"))
		return false;
	for (size_t i = 0; i < sizeof(iommu_names) / sizeof(iommu_names[0]); i++) {
		if (ward_dtb_compatible(&p->tree, node, iommu_names[i].compatible)) {
			*ret_kind = iommu_names[i].kind;
			return true;
		}
	}
	*ret_kind = WARD_DTB_IOMMU;
	return true;
}

static bool controller_kind(const struct dtb_parser *p, uint32_t node,
			    enum ward_dtb_controller_kind *ret_kind)
{
	if (!ward_dtb_has(&p->tree, node, "msi-controller"))
		return false;
	if (ward_dtb_compatible(&p->tree, node, "arm,gic-v2m-frame"))
		*ret_kind = WARD_DTB_V2M;
	else if (ward_dtb_compatible(&p->tree, node, "arm,gic-v3-its"))
		*ret_kind = WARD_DTB_ITS;
	else if (ward_dtb_compatible(&p->tree, node, "arm,gic-v3") &&
		 ward_dtb_has(&p->tree, node, "mbi-ranges"))
		*ret_kind = WARD_DTB_MBI;
	else
		*ret_kind = WARD_DTB_MSI;
	return true;
}

static int check_spis(struct dtb_parser *p, uint32_t node, uint32_t first, uint32_t count)
{
	/* Extended SPIs of GICv3.1 are 4096 to 5119. */
	bool spi = first >= 32 && first < 1020 && count <= 1020 - first;
	bool extended = first >= 4096 && first < 5120 && count <= 5120 - first;

	return spi || extended
		       ? 0
		       : bad_node(p, node, "%u interrupts from %u are no SPIs", count, first);
}

static struct ward_dtb_controller *add_controller(struct dtb_parser *p, uint32_t node,
						  enum ward_dtb_controller_kind kind)
{
	struct ward_dtb_controller *controller =
		ward_acpi_append(&p->dtb->controllers, &p->dtb->controllers_count,
				 &p->controllers_capacity, sizeof(*controller));
	uint32_t cells = 0;

	if (!controller)
		return NULL;
	controller->kind = kind;
	controller->phandle = p->tree.nodes[node].phandle;
	controller->path = own_path(p, node);
	if (!controller->path)
		return NULL;
	controller->base_known =
		ward_dtb_address(&p->tree, node, &controller->base, &controller->size);
	controller->id_cells = ward_dtb_cell(&p->tree, node, "#msi-cells", 0, &cells) && cells != 0;
	controller->pre_its = ward_dtb_has(&p->tree, node, "socionext,synquacer-pre-its");
	if (p->controller_of[node] == WARD_NONE)
		p->controller_of[node] = p->dtb->controllers_count - 1;
	return controller;
}

/* Both properties and neither 0, or Linux asks the frame itself. */
static int parse_v2m(struct dtb_parser *p, uint32_t node)
{
	struct ward_dtb_controller *frame = add_controller(p, node, WARD_DTB_V2M);
	uint32_t first = 0, count = 0;

	if (!frame)
		return -ENOMEM;
	if (!frame->base_known || frame->size < V2M_SIZE_MIN || frame->base & 0xfff)
		return bad_node(p, node, "no address of a GICv2m frame in reg");
	ward_dtb_cell(&p->tree, node, "arm,msi-base-spi", 0, &first);
	ward_dtb_cell(&p->tree, node, "arm,msi-num-spis", 0, &count);
	if (first == 0 || count == 0)
		return 0;
	frame->first_intid = first;
	frame->intids = count;
	return check_spis(p, node, first, count);
}

static int parse_its(struct dtb_parser *p, uint32_t node)
{
	struct ward_dtb_controller *its = add_controller(p, node, WARD_DTB_ITS);

	if (!its)
		return -ENOMEM;
	if (!its->base_known || its->size < ITS_SIZE_MIN || its->base & 0xffff)
		return bad_node(p, node, "no address of an ITS in reg");
	return 0;
}

static int parse_mbi(struct dtb_parser *p, uint32_t node)
{
	uint32_t length;
	const void *ranges = ward_dtb_property(&p->tree, node, "mbi-ranges", &length);

	if (length == 0 || length % 8 || length / 8 > WARD_DTB_THINGS_MAX)
		return bad_node(p, node, "mbi-ranges of %u bytes", length);
	for (uint32_t i = 0; i < length / 8; i++) {
		struct ward_dtb_controller *mbi = add_controller(p, node, WARD_DTB_MBI);
		int err;

		if (!mbi)
			return -ENOMEM;
		if (ward_dtb_has(&p->tree, node, "mbi-alias"))
			mbi->base_known =
				ward_dtb_address_of(&p->tree, node, "mbi-alias", &mbi->base);
		mbi->first_intid = ward_dtb_load(ranges, 2 * i);
		mbi->intids = ward_dtb_load(ranges, 2 * i + 1);
		err = check_spis(p, node, mbi->first_intid, mbi->intids);
		if (err)
			return err;
	}
	return 0;
}

static int parse_controller(struct dtb_parser *p, uint32_t node, enum ward_dtb_controller_kind kind)
{
	switch (kind) {
	case WARD_DTB_V2M:
		return parse_v2m(p, node);
	case WARD_DTB_ITS:
		return parse_its(p, node);
	case WARD_DTB_MBI:
		return parse_mbi(p, node);
	case WARD_DTB_MSI:
		break;
	}
	return add_controller(p, node, kind) ? 0 : -ENOMEM;
}

static int parse_iommu(struct dtb_parser *p, uint32_t node, enum ward_dtb_iommu_kind kind)
{
	struct ward_dtb_iommu *iommu = ward_acpi_append(&p->dtb->iommus, &p->dtb->iommus_count,
							&p->iommus_capacity, sizeof(*iommu));
	uint32_t reg = 0;
	uint64_t size;

	if (!iommu)
		return -ENOMEM;
	iommu->kind = kind;
	iommu->phandle = p->tree.nodes[node].phandle;
	iommu->host = WARD_NONE;
	iommu->controller = WARD_NONE;
	iommu->path = own_path(p, node);
	iommu->device = own_device_name(p, node);
	if (!iommu->path || !iommu->device)
		return -ENOMEM;
	ward_dtb_cell(&p->tree, node, "#iommu-cells", 0, &iommu->cells);
	iommu->base_known = ward_dtb_address(&p->tree, node, &iommu->base, &size);
	p->iommu_of[node] = p->dtb->iommus_count - 1;
	if (kind != WARD_DTB_VIRTIO_PCI)
		return 0;
	/* A function of a host bridge: bus and device stand in the first cell of reg. */
	if (!ward_dtb_cell(&p->tree, node, "reg", 0, &reg))
		return bad_node(p, node, "no reg that says which function it is");
	iommu->rid = (uint16_t)(reg >> 8);
	iommu->host = p->host_of[p->tree.nodes[node].parent];
	return 0;
}

static bool is_host(const struct dtb_parser *p, uint32_t node)
{
	uint32_t parent = p->tree.nodes[node].parent;

	if (parent == WARD_NONE)
		return false;
	if (ward_dtb_compatible(&p->tree, node, "pci-host-ecam-generic") ||
	    ward_dtb_compatible(&p->tree, node, "pci-host-cam-generic"))
		return true;
	/* A PCI bus below a PCI bus is a bridge that the tree describes, too. */
	return p->tree.nodes[node].pci && !p->tree.nodes[parent].pci;
}

static int parse_host(struct dtb_parser *p, uint32_t node)
{
	struct ward_dtb_host *host = ward_acpi_append(&p->dtb->hosts, &p->dtb->hosts_count,
						      &p->hosts_capacity, sizeof(*host));
	uint32_t first = 0, last = 0xff;

	if (!host)
		return -ENOMEM;
	host->path = own_path(p, node);
	host->device = own_device_name(p, node);
	if (!host->path || !host->device)
		return -ENOMEM;
	host->segment_known = ward_dtb_cell(&p->tree, node, "linux,pci-domain", 0, &host->segment);
	ward_dtb_cell(&p->tree, node, "bus-range", 0, &first);
	ward_dtb_cell(&p->tree, node, "bus-range", 1, &last);
	if (first > last || last > 0xff)
		return bad_node(p, node, "bus-range from %u to %u", first, last);
	host->first_bus = (uint8_t)first;
	host->last_bus = (uint8_t)last;
	host->msi_parent = WARD_NONE;
	host->ats = ward_dtb_has(&p->tree, node, "ats-supported");
	p->host_of[node] = p->dtb->hosts_count - 1;
	return 0;
}

/* First pass: what references lead to. Hosts come before the functions below them. */
static int parse_targets(struct dtb_parser *p)
{
	enum ward_dtb_controller_kind controller;
	enum ward_dtb_iommu_kind iommu;
	int err = 0;

	for (uint32_t node = 0; node < p->tree.nodes_count && !err; node++) {
		if (!p->tree.nodes[node].enabled || p->tree.nodes[node].parent == WARD_NONE)
			continue;
		if (p->dtb->hosts_count == WARD_DTB_HOSTS_MAX ||
		    p->dtb->iommus_count == WARD_DTB_THINGS_MAX ||
		    p->dtb->controllers_count >= WARD_DTB_THINGS_MAX)
			return bad_node(p, node,
					"more than %u host bridges, or %u controllers or "
					"IOMMUs",
					WARD_DTB_HOSTS_MAX, WARD_DTB_THINGS_MAX);
		if (is_host(p, node))
			err = parse_host(p, node);
		if (!err && iommu_kind(p, node, &iommu))
			err = parse_iommu(p, node, iommu);
		if (!err && controller_kind(p, node, &controller))
			err = parse_controller(p, node, controller);
	}
	return err;
}

/* What a phandle leads to, by one of the *_of arrays. */
static uint32_t follow(const struct dtb_parser *p, const uint32_t *index_of, uint32_t phandle)
{
	uint32_t target = ward_dtb_by_phandle(&p->tree, phandle);

	return target == WARD_NONE ? WARD_NONE : index_of[target];
}

/* The same for the first cell of a property. */
static uint32_t follow_first(const struct dtb_parser *p, const uint32_t *index_of, uint32_t node,
			     const char *name)
{
	uint32_t phandle;

	if (!ward_dtb_cell(&p->tree, node, name, 0, &phandle))
		return WARD_NONE;
	return follow(p, index_of, phandle);
}

static int parse_map(struct dtb_parser *p, uint32_t node, const char *name, const char *mask,
		     const uint32_t *index_of, struct ward_dtb_map *map)
{
	uint32_t length;
	const void *value = ward_dtb_property(&p->tree, node, name, &length);

	map->mask = UINT32_MAX;
	if (!value)
		return 0;
	if (length == 0 || length % 16 || length / 16 > WARD_DTB_ROWS_MAX)
		return bad_node(p, node, "%s of %u bytes", name, length);
	ward_dtb_cell(&p->tree, node, mask, 0, &map->mask);
	map->present = true;
	map->rows_count = length / 16;
	map->rows = ward_arena_alloc(&p->dtb->arena, map->rows_count * sizeof(*map->rows));
	if (!map->rows)
		return -ENOMEM;
	for (uint32_t i = 0; i < map->rows_count; i++) {
		struct ward_dtb_row *row = &map->rows[i];

		row->id_base = ward_dtb_load(value, 4 * i);
		row->target = follow(p, index_of, ward_dtb_load(value, 4 * i + 1));
		row->out_base = ward_dtb_load(value, 4 * i + 2);
		row->length = ward_dtb_load(value, 4 * i + 3);
		if (row->id_base & ~map->mask)
			return bad_node(p, node, "row %u of %s starts at 0x%x, outside mask 0x%x",
					i, name, row->id_base, map->mask);
	}
	return 0;
}

static int parse_host_maps(struct dtb_parser *p, uint32_t node)
{
	struct ward_dtb_host *host = &p->dtb->hosts[p->host_of[node]];
	int err;

	host->msi_parent_present = ward_dtb_has(&p->tree, node, "msi-parent");
	if (host->msi_parent_present)
		host->msi_parent = follow_first(p, p->controller_of, node, "msi-parent");
	err = parse_map(p, node, "msi-map", "msi-map-mask", p->controller_of, &host->msi);
	if (!err)
		err = parse_map(p, node, "iommu-map", "iommu-map-mask", p->iommu_of, &host->iommu);
	for (uint32_t i = 0; !err && host->ats && i < host->iommu.rows_count; i++) {
		if (host->iommu.rows[i].target != WARD_NONE)
			p->dtb->iommus[host->iommu.rows[i].target].ats = true;
	}
	return err;
}

/* The specifier behind a phandle: its first cell, or 0 when there is none. */
static uint32_t specifier(const struct dtb_parser *p, uint32_t node, const char *name, bool cells)
{
	uint32_t value = 0;

	if (cells)
		ward_dtb_cell(&p->tree, node, name, 1, &value);
	return value;
}

/* A device may list several streams or controllers; the first is kept. */
static int parse_device(struct dtb_parser *p, uint32_t node)
{
	struct ward_dtb_device *device = ward_acpi_append(&p->dtb->devices, &p->dtb->devices_count,
							  &p->devices_capacity, sizeof(*device));

	if (!device)
		return -ENOMEM;
	if (p->dtb->devices_count > WARD_DTB_THINGS_MAX)
		return bad_node(p, node, "more than %u devices", WARD_DTB_THINGS_MAX);
	device->path = own_path(p, node);
	device->device = own_device_name(p, node);
	if (!device->path || !device->device)
		return -ENOMEM;
	device->iommu_present = ward_dtb_has(&p->tree, node, "iommus");
	device->iommu = follow_first(p, p->iommu_of, node, "iommus");
	if (device->iommu != WARD_NONE)
		device->sid = specifier(p, node, "iommus", p->dtb->iommus[device->iommu].cells > 0);
	device->controller_present = ward_dtb_has(&p->tree, node, "msi-parent");
	device->controller = follow_first(p, p->controller_of, node, "msi-parent");
	if (device->controller != WARD_NONE)
		device->devid = specifier(p, node, "msi-parent",
					  p->dtb->controllers[device->controller].id_cells);
	return 0;
}

/* True for what is below a PCI bus: the functions themselves tell about it. */
static bool is_below_pci(const struct dtb_parser *p, uint32_t node)
{
	uint32_t parent = p->tree.nodes[node].parent;

	for (; parent != WARD_NONE; parent = p->tree.nodes[parent].parent) {
		if (p->tree.nodes[parent].pci)
			return true;
	}
	return false;
}

/* Second pass: who refers to them. */
static int parse_references(struct dtb_parser *p)
{
	int err = 0;

	for (uint32_t node = 0; node < p->tree.nodes_count && !err; node++) {
		if (!p->tree.nodes[node].enabled || p->tree.nodes[node].parent == WARD_NONE)
			continue;
		if (p->host_of[node] != WARD_NONE) {
			err = parse_host_maps(p, node);
		} else if (p->iommu_of[node] != WARD_NONE) {
			p->dtb->iommus[p->iommu_of[node]].controller =
				follow_first(p, p->controller_of, node, "msi-parent");
		} else if (p->controller_of[node] == WARD_NONE && !is_below_pci(p, node) &&
			   (ward_dtb_has(&p->tree, node, "iommus") ||
			    ward_dtb_has(&p->tree, node, "msi-parent"))) {
			err = parse_device(p, node);
		}
	}
	return err;
}

static int init_indexes(struct dtb_parser *p)
{
	uint32_t count = p->tree.nodes_count;

	p->controller_of = ward_alloc_array(count, sizeof(*p->controller_of));
	p->iommu_of = ward_alloc_array(count, sizeof(*p->iommu_of));
	p->host_of = ward_alloc_array(count, sizeof(*p->host_of));
	if (!p->controller_of || !p->iommu_of || !p->host_of)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		p->controller_of[i] = p->iommu_of[i] = p->host_of[i] = WARD_NONE;
	return 0;
}

int ward_dtb_parse(const void *bytes, size_t size, struct ward_dtb **ret_dtb,
		   struct ward_error *ret_error)
{
	struct dtb_parser parser = { .error = ret_error };
	int err;

	err = ward_dtb_tree_init(&parser.tree, bytes, size, ret_error);
	if (err)
		return err;
	parser.dtb = ward_alloc(sizeof(*parser.dtb));
	err = parser.dtb ? init_indexes(&parser) : -ENOMEM;
	if (!err)
		err = parse_targets(&parser);
	if (!err)
		err = parse_references(&parser);
	if (err == -ENOMEM)
		ward_fail(ret_error, err, "out of memory");
	free(parser.controller_of);
	free(parser.iommu_of);
	free(parser.host_of);
	ward_dtb_tree_finish(&parser.tree);
	if (err) {
		ward_dtb_destroy(parser.dtb);
		return err;
	}
	*ret_dtb = parser.dtb;
	return 0;
}

void ward_dtb_destroy(struct ward_dtb *dtb)
{
	if (!dtb)
		return;
	free(dtb->controllers);
	free(dtb->iommus);
	free(dtb->hosts);
	free(dtb->devices);
	ward_arena_finish(&dtb->arena);
	free(dtb);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What Linux makes of the properties: drivers/of/base.c (of_map_id), drivers/of/irq.c
 * (of_msi_get_domain), drivers/iommu/of_iommu.c, drivers/pci/msi/irqdomain.c.
 */
#include "machine/from_dt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "machine/from_tables.h"

#define DOORBELL_PAGE 0x1000u
#define EVIDENCE_MAX (WARD_DTB_PATH_MAX + 64)

static int add_mbi(struct ward_builder *builder, const struct ward_dtb_controller *seen,
		   const char *evidence, uint32_t *ret_ordinal)
{
	char name[48];
	struct ward_controller mbi = {
		.kind = WARD_CONTROLLER_GICV3_MBI,
		.name = name,
		.isolates = WARD_NO,
		.first_intid = seen->first_intid,
		.intids = seen->intids,
		/* Linux takes numbers from all ranges of the distributor: they are one pool. */
		.pool = 0,
		.firmware_id = seen->phandle,
		.evidence = evidence,
		.doorbells_count = 1,
	};
	int err = ward_range_make(seen->base & ~(uint64_t)(DOORBELL_PAGE - 1), DOORBELL_PAGE,
				  mbi.doorbells);

	if (err)
		return err;
	snprintf(name, sizeof(name), "GICv3 MBI 0x%08llx", (unsigned long long)seen->base);
	return ward_builder_add_controller(builder, &mbi, ret_ordinal);
}

static int add_other(struct ward_builder *builder, const struct ward_dtb_controller *seen,
		     const char *evidence, uint32_t *ret_ordinal)
{
	const struct ward_controller other = {
		.kind = WARD_CONTROLLER_OTHER,
		.name = seen->path,
		.isolates = WARD_UNKNOWN,
		/* Its doorbell may be anywhere; its registers are the best guess there is. */
		.doorbells = { { seen->base & ~(uint64_t)(DOORBELL_PAGE - 1),
				 seen->base | (DOORBELL_PAGE - 1) } },
		.doorbells_count = 1,
		.pool = ward_builder_machine(builder)->controllers_count,
		.firmware_id = seen->phandle,
		.evidence = evidence,
	};

	return ward_builder_add_controller(builder, &other, ret_ordinal);
}

static int add_controller(struct ward_builder *builder, const struct ward_dtb_controller *seen,
			  uint32_t *ret_ordinal)
{
	char evidence[EVIDENCE_MAX];

	snprintf(evidence, sizeof(evidence), "device tree %s", seen->path);
	switch (seen->kind) {
	case WARD_DTB_V2M:
		return ward_add_frame(builder, seen->base, DOORBELL_PAGE, seen->first_intid,
				      seen->intids, seen->phandle, evidence, ret_ordinal);
	case WARD_DTB_ITS:
		/* With a bridge that makes the ids in front, Linux does not count on them. */
		return ward_add_its(builder, seen->base, seen->phandle,
				    seen->pre_its ? WARD_NO : WARD_YES, evidence, ret_ordinal);
	case WARD_DTB_MBI:
		return add_mbi(builder, seen, evidence, ret_ordinal);
	case WARD_DTB_MSI:
		break;
	}
	return add_other(builder, seen, evidence, ret_ordinal);
}

/* True when the kernel's path of a function goes through the host bridge. */
static bool path_goes_through(const char *path, const char *device)
{
	size_t length = strlen(device);
	const char *at = path;

	while (length > 0 && (at = strstr(at, device)) != NULL) {
		bool begins = at == path || at[-1] == '/';

		if (begins && !strncmp(at + length, "/pci", 4))
			return true;
		at += length;
	}
	return false;
}

/*
 * Without linux,pci-domain Linux numbers host bridges as it finds them: 0 when there is one, else
 * the paths of functions tell. False when nothing tells.
 */
static bool find_segment(struct ward_builder *builder, const struct ward_dtb *dtb,
			 const struct ward_dtb_host *host, uint32_t *ret_segment)
{
	const struct ward_machine *machine = ward_builder_machine(builder);

	if (host->segment_known) {
		*ret_segment = host->segment;
		return true;
	}
	for (uint32_t i = 0; i < machine->functions_count; i++) {
		const struct ward_function *f = &machine->functions[i];

		if (f->kind == WARD_FUNCTION_PCI && f->path &&
		    path_goes_through(f->path, host->device)) {
			*ret_segment = f->address.segment;
			return true;
		}
	}
	*ret_segment = 0;
	return dtb->hosts_count == 1;
}

static const enum ward_iommu_kind iommu_kinds[] = {
	[WARD_DTB_SMMUV3] = WARD_IOMMU_SMMUV3,	    [WARD_DTB_SMMUV2] = WARD_IOMMU_SMMUV2,
	[WARD_DTB_VIRTIO_MMIO] = WARD_IOMMU_VIRTIO, [WARD_DTB_VIRTIO_PCI] = WARD_IOMMU_VIRTIO,
	[WARD_DTB_IOMMU] = WARD_IOMMU_OTHER,
};

/* The kernel's name; SMMUs by address (arm-smmu*.c), virtio-iommu by device, most others, too. */
static void name_iommu(struct ward_builder *builder, const struct ward_dtb *dtb,
		       const struct ward_dtb_iommu *iommu, char *ret_name, size_t size)
{
	struct ward_address address = { .rid = ward_rid(iommu->rid) };

	if (iommu->kind == WARD_DTB_SMMUV3 || iommu->kind == WARD_DTB_SMMUV2)
		snprintf(ret_name, size, "%s.0x%016llx",
			 iommu->kind == WARD_DTB_SMMUV3 ? "smmu3" : "smmu",
			 (unsigned long long)iommu->base);
	else if (iommu->kind == WARD_DTB_VIRTIO_PCI && iommu->host != WARD_NONE &&
		 find_segment(builder, dtb, &dtb->hosts[iommu->host], &address.segment))
		ward_address_format(address, ret_name);
	else
		snprintf(ret_name, size, "%s", iommu->device);
}

static int add_iommu(struct ward_builder *builder, const struct ward_dtb *dtb,
		     const struct ward_dtb_iommu *seen, const struct ward_kernel_evidence *evidence,
		     const struct ward_dt_links *links, uint32_t *ret_ordinal)
{
	char name[WARD_DTB_PATH_MAX];
	struct ward_iommu iommu = {
		.kind = iommu_kinds[seen->kind],
		.name = name,
		.base = ward_pa(seen->base),
		.remaps_interrupts = WARD_NO,
		.ats = seen->ats && seen->kind == WARD_DTB_SMMUV3 ? WARD_YES : WARD_NO,
		.controller = seen->controller == WARD_NONE ? WARD_NONE
							    : links->controllers[seen->controller],
	};

	name_iommu(builder, dtb, seen, name, sizeof(name));
	iommu.active = ward_kernel_evidence_active(evidence, name);
	/* The name of an unknown kind is a guess: that it is missing among others says nothing. */
	if (seen->kind == WARD_DTB_IOMMU && iommu.active == WARD_NO && evidence->iommus_count)
		iommu.active = WARD_UNKNOWN;
	return ward_builder_add_iommu(builder, &iommu, ret_ordinal);
}

int ward_from_dt_devices(struct ward_builder *builder, const struct ward_dtb *dtb,
			 const struct ward_kernel_evidence *evidence,
			 struct ward_dt_links *ret_links)
{
	struct ward_dt_links links;
	int err = 0;

	ward_builder_machine(builder)->firmware_iommu = dtb->iommus_count ? WARD_YES : WARD_NO;
	links.controllers = ward_ordinals_alloc(dtb->controllers_count);
	links.iommus = ward_ordinals_alloc(dtb->iommus_count);
	if (!links.controllers || !links.iommus)
		err = -ENOMEM;
	for (uint32_t i = 0; i < dtb->controllers_count && !err; i++)
		err = add_controller(builder, &dtb->controllers[i], &links.controllers[i]);
	for (uint32_t i = 0; i < dtb->iommus_count && !err; i++)
		err = add_iommu(builder, dtb, &dtb->iommus[i], evidence, &links, &links.iommus[i]);
	if (err)
		ward_dt_links_finish(&links);
	else
		*ret_links = links;
	return err;
}

/* One host bridge with the segment it was found to be. */
struct dt_host {
	struct ward_builder *builder;
	const struct ward_dtb_host *host;
	uint32_t segment, first, last; /* requester ids */
	bool alone;		       /* in its segment */
};

/* A row for all ids of the host bridge. */
static int add_rest(const struct dt_host *h, enum ward_id_map_kind kind, uint32_t target,
		    const char *what)
{
	char evidence[EVIDENCE_MAX];
	const struct ward_row row = {
		.kind = kind,
		.segment = h->segment,
		.first = h->first,
		.last = h->last,
		.target = target,
		.output = h->first,
		.evidence = evidence,
	};

	snprintf(evidence, sizeof(evidence), "device tree %s: %s", h->host->path, what);
	return ward_add_row(h->builder, &row);
}

/* A row of a map, as far as it speaks of requester ids of this host bridge. */
static int add_map_row(const struct dt_host *h, enum ward_id_map_kind kind,
		       const struct ward_dtb_row *row, uint32_t target, uint32_t mask,
		       const char *evidence)
{
	uint64_t last = (uint64_t)row->id_base + row->length - 1;
	uint32_t first = row->id_base;
	struct ward_id_map map = {
		.kind = kind,
		.segment = h->segment,
		.mask = (uint16_t)mask,
		.target = target,
		.evidence = evidence,
	};

	if (row->length == 0 || first > 0xffff)
		return 0;
	/* Ids under a mask are not in the order of buses: there is nothing to cut off. */
	if (map.mask == 0xffff && first < h->first)
		first = h->first;
	if (map.mask == 0xffff && last > h->last)
		last = h->last;
	if (last > 0xffff)
		last = 0xffff;
	if (first > last)
		return 0;
	map.first = ward_rid(first);
	map.last = ward_rid((unsigned int)last);
	map.output_base = row->out_base + (first - row->id_base);
	return ward_builder_add_id_map(h->builder, &map);
}

/* The row that an id takes, or NULL. */
static const struct ward_dtb_row *find_row(const struct ward_dtb_map *map, uint32_t id)
{
	for (uint32_t i = 0; i < map->rows_count; i++) {
		if (id >= map->rows[i].id_base && id - map->rows[i].id_base < map->rows[i].length)
			return &map->rows[i];
	}
	return NULL;
}

/*
 * A masked map of one of several host bridges of a segment: the mask must not reach the ids of
 * the others, so each id of this one gets what it is worth; neighbours that count up are one row.
 */
static int add_masked(const struct dt_host *h, enum ward_id_map_kind kind,
		      const struct ward_dtb_map *map, const uint32_t *ordinals,
		      const char *evidence)
{
	struct ward_row row = { .kind = kind, .segment = h->segment, .evidence = evidence };
	const struct ward_dtb_row *last = NULL;
	int err = 0;

	for (uint32_t rid = h->first; rid <= h->last && !err; rid++) {
		uint32_t id = rid & map->mask, output;
		const struct ward_dtb_row *found = find_row(map, id);

		output = found ? found->out_base + (id - found->id_base) : 0;
		if (found && found == last && output == row.output + (rid - row.first)) {
			row.last = rid;
			continue;
		}
		if (last)
			err = ward_add_row(h->builder, &row);
		/* As in add_map(): what leads to no controller is left to msi-parent. */
		last = found && found->target == WARD_NONE && kind == WARD_ID_MAP_MSI ? NULL
										      : found;
		row.first = row.last = rid;
		row.output = output;
		row.target = last && last->target != WARD_NONE ? ordinals[last->target] : WARD_NONE;
	}
	return err || !last ? err : ward_add_row(h->builder, &row);
}

static int add_map(const struct dt_host *h, enum ward_id_map_kind kind,
		   const struct ward_dtb_map *map, const uint32_t *ordinals, const char *name)
{
	char evidence[EVIDENCE_MAX];
	int err = 0;

	snprintf(evidence, sizeof(evidence), "device tree %s: %s", h->host->path, name);
	if (!h->alone && map->present && (map->mask & 0xffff) != 0xffff)
		return add_masked(h, kind, map, ordinals, evidence);
	for (uint32_t i = 0; i < map->rows_count && !err; i++) {
		uint32_t target = map->rows[i].target;

		/* An entry that leads to no controller leaves the function to msi-parent. */
		if (kind == WARD_ID_MAP_MSI && target == WARD_NONE)
			continue;
		err = add_map_row(h, kind, &map->rows[i],
				  target == WARD_NONE ? WARD_NONE : ordinals[target], map->mask,
				  evidence);
	}
	return err;
}

static int add_iommu_map(const struct dt_host *h, const struct ward_dt_links *links)
{
	const struct ward_dtb_map *map = &h->host->iommu;
	int err;

	err = add_map(h, WARD_ID_MAP_IOMMU, map, links->iommus, "iommu-map");
	if (err)
		return err;
	return add_rest(h, WARD_ID_MAP_IOMMU, WARD_NONE,
			map->present ? "no entry of iommu-map has its id" : "no iommu-map");
}

static int add_msi_map(const struct dt_host *h, const struct ward_dtb *dtb,
		       const struct ward_dt_links *links)
{
	const struct ward_dtb_map *map = &h->host->msi;
	uint32_t parent = h->host->msi_parent;
	int err;

	err = add_map(h, WARD_ID_MAP_MSI, map, links->controllers, "msi-map");
	if (err)
		return err;
	/* Linux takes msi-parent of a host bridge only when the controller needs no id. */
	if (parent != WARD_NONE && !dtb->controllers[parent].id_cells)
		return add_rest(h, WARD_ID_MAP_MSI, links->controllers[parent], "msi-parent");
	if (parent != WARD_NONE)
		return ward_builder_remark(h->builder, "table-unsupported",
					   "device tree %s: msi-parent leads to a controller that "
					   "needs an id",
					   h->host->path);
	/* Without both the host bridge may have a controller of its own: unknown. */
	return map->present
		       ? add_rest(h, WARD_ID_MAP_MSI, WARD_NONE, "no entry of msi-map has its id")
		       : 0;
}

static int add_host(struct ward_builder *builder, const struct ward_dtb *dtb,
		    const struct ward_dt_links *links, const struct ward_dtb_host *host,
		    const bool *known, const uint32_t *segments)
{
	uint32_t index = (uint32_t)(host - dtb->hosts);
	struct dt_host h = {
		.builder = builder,
		.host = host,
		.segment = segments[index],
		.first = (uint32_t)host->first_bus << 8,
		.last = (uint32_t)host->last_bus << 8 | 0xff,
		.alone = true,
	};
	int err;

	if (!known[index])
		return 0;
	for (uint32_t i = 0; i < dtb->hosts_count; i++) {
		if (i != index && known[i] && segments[i] == h.segment)
			h.alone = false;
	}
	err = add_iommu_map(&h, links);
	return err ? err : add_msi_map(&h, dtb, links);
}

static int add_hosts(struct ward_builder *builder, const struct ward_dtb *dtb,
		     const struct ward_dt_links *links)
{
	bool *known = ward_alloc_array(dtb->hosts_count, sizeof(*known));
	uint32_t *segments = ward_alloc_array(dtb->hosts_count, sizeof(*segments));
	int err = known && segments ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < dtb->hosts_count && !err; i++)
		known[i] = find_segment(builder, dtb, &dtb->hosts[i], &segments[i]);
	for (uint32_t i = 0; i < dtb->hosts_count && !err; i++)
		err = add_host(builder, dtb, links, &dtb->hosts[i], known, segments);
	free(known);
	free(segments);
	return err;
}

static int add_device(struct ward_builder *builder, const struct ward_dtb_device *device,
		      const struct ward_dt_links *links)
{
	char evidence[EVIDENCE_MAX];
	struct ward_function f;

	snprintf(evidence, sizeof(evidence), "device tree %s", device->path);
	ward_function_init(&f);
	f.kind = WARD_FUNCTION_PLATFORM;
	f.name = device->device;
	f.iommu_evidence = evidence;
	f.controller_evidence = evidence;
	/* A reference that leads to nothing known leaves the fact unknown. */
	if (device->iommu != WARD_NONE || !device->iommu_present)
		f.iommu_known = WARD_YES;
	if (device->iommu != WARD_NONE) {
		f.stream.iommu = links->iommus[device->iommu];
		f.stream.sid = ward_sid(device->sid);
	}
	if (device->controller != WARD_NONE || !device->controller_present)
		f.controller_known = WARD_YES;
	if (device->controller != WARD_NONE) {
		f.controller = links->controllers[device->controller];
		f.devid = ward_devid(device->devid);
	}
	return f.name[0] ? ward_builder_add_function(builder, &f, NULL) : 0;
}

int ward_from_dt_links(struct ward_builder *builder, const struct ward_dtb *dtb,
		       const struct ward_dt_links *links)
{
	int err = add_hosts(builder, dtb, links);

	for (uint32_t i = 0; i < dtb->devices_count && !err; i++)
		err = add_device(builder, &dtb->devices[i], links);
	return err;
}

void ward_dt_links_finish(struct ward_dt_links *links)
{
	free(links->iommus);
	free(links->controllers);
	*links = (struct ward_dt_links){ 0 };
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * IORT: SMMUs, the StreamIDs and DeviceIDs of requesters, and the memory that firmware needs
 * mapped. What Linux makes of it: drivers/acpi/arm64/iort.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/iort.h"
#include "firmware/madt.h"
#include "machine/from_tables.h"

#define ROOT_COMPLEX_ATS 1u

/* The controller of a group: Linux takes the first of its ITSs. */
static uint32_t group_controller(const struct ward_acpi_tables *tables, uint32_t group)
{
	const struct ward_iort_its_group *its_group = &tables->iort->nodes[group].its_group;

	if (its_group->ids_count == 0)
		return WARD_NONE;
	for (uint32_t i = 0; tables->madt && i < tables->madt->itss_count; i++) {
		if (tables->madt->itss[i].id == tables->iort->ids[its_group->first_id])
			return tables->itss[i];
	}
	return WARD_NONE;
}

static uint32_t own_controller(const struct ward_acpi_tables *tables, uint32_t node)
{
	uint32_t own = ward_iort_own_map(&tables->iort->nodes[node]), group, id;

	if (own == WARD_NONE)
		return WARD_NONE;
	group = ward_iort_walk_single(tables->iort, node, own, WARD_IORT_ITS, &id);
	return group == WARD_NONE ? WARD_NONE : group_controller(tables, group);
}

/* An SMMU is asked for translations when a root complex in front of it supports that. */
static enum ward_tri node_ats(const struct ward_iort *iort, uint32_t smmu)
{
	for (uint32_t i = 0; i < iort->nodes_count; i++) {
		const struct ward_iort_node *node = &iort->nodes[i];

		if (node->type != WARD_IORT_ROOT_COMPLEX ||
		    !(node->root_complex.ats & ROOT_COMPLEX_ATS))
			continue;
		for (uint32_t k = 0; k < node->maps_count; k++) {
			if (iort->maps[node->first_map + k].output == smmu)
				return WARD_YES;
		}
	}
	return WARD_NO;
}

int ward_from_iort_devices(struct ward_builder *builder, struct ward_acpi_tables *tables,
			   const struct ward_kernel_evidence *evidence)
{
	const struct ward_iort *iort = tables->iort;
	int err = 0;

	tables->iort_iommus = ward_ordinals_alloc(iort->nodes_count);
	if (!tables->iort_iommus)
		return -ENOMEM;
	for (uint32_t i = 0; i < iort->nodes_count && !err; i++) {
		bool v3 = iort->nodes[i].type == WARD_IORT_SMMUV3;
		uint64_t base = v3 ? iort->nodes[i].smmuv3.base : iort->nodes[i].smmu.base;
		char name[48];
		struct ward_iommu iommu = {
			.kind = v3 ? WARD_IOMMU_SMMUV3 : WARD_IOMMU_SMMUV2,
			.name = name,
			.remaps_interrupts = WARD_NO,
			.ats = WARD_NO,
			.controller = WARD_NONE,
		};

		if (!v3 && iort->nodes[i].type != WARD_IORT_SMMU)
			continue;
		iommu.base = ward_pa(base);
		snprintf(name, sizeof(name), "%s.0x%016llx", v3 ? "smmu3" : "smmu",
			 (unsigned long long)base);
		iommu.active = ward_kernel_evidence_active(evidence, name);
		if (v3) {
			iommu.ats = node_ats(iort, i);
			iommu.controller = own_controller(tables, i);
		}
		err = ward_builder_add_iommu(builder, &iommu, &tables->iort_iommus[i]);
	}
	return err;
}

/* The root complex of a segment: the first, as in Linux. */
static uint32_t find_root_complex(const struct ward_iort *iort, uint32_t segment)
{
	for (uint32_t i = 0; i < iort->nodes_count; i++) {
		if (iort->nodes[i].type == WARD_IORT_ROOT_COMPLEX &&
		    iort->nodes[i].root_complex.segment == segment)
			return i;
	}
	return WARD_NONE;
}

struct iort_step {
	struct ward_builder *builder;
	const struct ward_acpi_tables *tables;
};

/* A span whose ids all arrive as one needs a row for each, since a row counts upwards. */
static int add_span(struct ward_builder *builder, const struct ward_iort_span *span,
		    struct ward_row *row)
{
	struct ward_id_map map = {
		.kind = row->kind,
		.segment = row->segment,
		.target = row->target,
		.output_base = span->output,
		.evidence = row->evidence,
	};
	int err = 0;

	if (span->constant && row->target != WARD_NONE && span->first == 0 && span->last == 0xffff)
		return ward_builder_add_id_map(builder, &map);
	row->output = span->output;
	if (!span->constant || row->target == WARD_NONE) {
		row->first = span->first;
		row->last = span->last;
		return ward_add_row(builder, row);
	}
	for (uint32_t id = span->first; id <= span->last && !err; id++) {
		row->first = row->last = id;
		err = ward_add_row(builder, row);
	}
	return err;
}

static int add_spans(const struct iort_step *step, uint32_t segment, uint32_t node,
		     enum ward_id_map_kind kind)
{
	bool msi = kind == WARD_ID_MAP_MSI;
	struct ward_iort_span *spans;
	uint32_t count;
	char evidence[64];
	int err;

	err = ward_iort_spans(step->tables->iort, node, msi ? WARD_IORT_ITS : WARD_IORT_IOMMUS,
			      &spans, &count);
	if (err)
		return err;
	snprintf(evidence, sizeof(evidence), "IORT root complex of segment %u", segment);
	for (uint32_t i = 0; i < count && !err; i++) {
		struct ward_row row = {
			.kind = kind,
			.segment = segment,
			.target = WARD_NONE,
			.evidence = evidence,
		};

		if (spans[i].node != WARD_NONE)
			row.target = msi ? group_controller(step->tables, spans[i].node)
					 : step->tables->iort_iommus[spans[i].node];
		err = add_span(step->builder, &spans[i], &row);
	}
	free(spans);
	return err;
}

/* Without ITS the GICv2m frames serve, whatever IORT says. */
static bool has_its(const struct ward_acpi_tables *tables)
{
	return tables->madt && tables->madt->itss_count > 0;
}

static int add_segment(uint32_t segment, void *context)
{
	const struct iort_step *step = context;
	uint32_t node = find_root_complex(step->tables->iort, segment);
	struct ward_row none = {
		.kind = WARD_ID_MAP_IOMMU,
		.segment = segment,
		.last = 0xffff,
		.target = WARD_NONE,
		.evidence = "IORT has no root complex of its segment",
	};
	int err;

	if (node == WARD_NONE) {
		err = ward_add_row(step->builder, &none);
		none.kind = WARD_ID_MAP_MSI;
		return err || !has_its(step->tables) ? err : ward_add_row(step->builder, &none);
	}
	err = add_spans(step, segment, node, WARD_ID_MAP_IOMMU);
	if (!err && has_its(step->tables))
		err = add_spans(step, segment, node, WARD_ID_MAP_MSI);
	return err;
}

/* A device with mappings for its ids; Linux uses the first that leads to a node of the kind. */
static uint32_t walk_component(const struct ward_iort *iort, uint32_t node, uint32_t mask,
			       uint32_t *ret_id)
{
	for (uint32_t i = 0; i < iort->nodes[node].maps_count; i++) {
		uint32_t found = ward_iort_walk_single(iort, node, i, mask, ret_id);

		if (found != WARD_NONE)
			return found;
	}
	return WARD_NONE;
}

static int add_component(struct ward_builder *builder, const struct ward_acpi_tables *tables,
			 uint32_t node)
{
	struct ward_function f;
	uint32_t id = 0, found;

	ward_function_init(&f);
	f.kind = WARD_FUNCTION_PLATFORM;
	f.name = tables->iort->nodes[node].named_component.name;
	f.iommu_known = WARD_YES;
	f.iommu_evidence = "IORT named component";
	f.controller_known = WARD_YES;
	f.controller_evidence = "IORT named component";
	found = walk_component(tables->iort, node, WARD_IORT_IOMMUS, &id);
	if (found != WARD_NONE) {
		f.stream.iommu = tables->iort_iommus[found];
		f.stream.sid = ward_sid(id);
	}
	found = walk_component(tables->iort, node, WARD_IORT_ITS, &id);
	if (found != WARD_NONE) {
		f.controller = group_controller(tables, found);
		f.devid = ward_devid(id);
	}
	/* One without a name cannot be spoken of. */
	return f.name[0] ? ward_builder_add_function(builder, &f, NULL) : 0;
}

/* A second node for a device is never looked at. */
static bool is_repeated(const struct ward_iort *iort, uint32_t node)
{
	for (uint32_t i = 0; i < node; i++) {
		if (iort->nodes[i].type == WARD_IORT_NAMED_COMPONENT &&
		    !strcmp(iort->nodes[i].named_component.name,
			    iort->nodes[node].named_component.name))
			return true;
	}
	return false;
}

static int add_components(struct ward_builder *builder, const struct ward_acpi_tables *tables)
{
	int err = 0;

	for (uint32_t i = 0; i < tables->iort->nodes_count && !err; i++) {
		if (tables->iort->nodes[i].type == WARD_IORT_NAMED_COMPONENT &&
		    !is_repeated(tables->iort, i))
			err = add_component(builder, tables, i);
	}
	return err;
}

/* True when a mapping of an RMR node names this stream of this SMMU. */
static bool rmr_has(const struct ward_iort *iort, const struct ward_iort_node *rmr, uint32_t smmu,
		    uint32_t sid)
{
	for (uint32_t i = 0; i < rmr->maps_count; i++) {
		const struct ward_iort_map *map = &iort->maps[rmr->first_map + i];

		if (map->output == smmu && sid >= map->output_base &&
		    sid - map->output_base <= map->id_count)
			return true;
	}
	return false;
}

static int add_rmr(struct ward_builder *builder, const struct ward_acpi_tables *tables,
		   const struct ward_iort_node *rmr, const struct ward_listed *list, uint32_t count)
{
	const struct ward_iort *iort = tables->iort;
	struct ward_region region = {
		.kind = rmr->rmr.flags & WARD_IORT_RMR_REMAP_PERMITTED
				? WARD_REGION_DIRECT_RELAXABLE
				: WARD_REGION_DIRECT,
		.group = WARD_NONE,
		.source = "IORT RMR",
	};
	int err = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t root = find_root_complex(iort, list[i].address.segment);
		uint32_t smmu = WARD_NONE, sid = 0;

		if (root != WARD_NONE)
			smmu = ward_iort_walk(iort, root, ward_rid_raw(list[i].address.rid),
					      WARD_IORT_IOMMUS, &sid);
		if (smmu == WARD_NONE || !rmr_has(iort, rmr, smmu, sid))
			continue;
		region.function = list[i].function;
		for (uint32_t k = 0; k < rmr->rmr.ranges_count && !err; k++) {
			region.range = iort->ranges[rmr->rmr.first_range + k];
			err = ward_builder_add_region(builder, &region);
		}
		if (err)
			return err;
	}
	return 0;
}

int ward_from_iort_links(struct ward_builder *builder, const struct ward_acpi_tables *tables,
			 const struct ward_listed *list, uint32_t count)
{
	struct iort_step step = { .builder = builder, .tables = tables };
	int err = ward_each_segment(list, count, add_segment, &step);

	for (uint32_t i = 0; i < tables->iort->nodes_count && !err; i++) {
		if (tables->iort->nodes[i].type == WARD_IORT_RMR)
			err = add_rmr(builder, tables, &tables->iort->nodes[i], list, count);
	}
	return err ? err : add_components(builder, tables);
}

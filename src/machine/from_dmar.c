// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * DMAR: which of Intel's IOMMUs serves a function, and the memory that firmware needs mapped.
 * What Linux makes of it: drivers/iommu/intel/dmar.c (dmar_insert_dev_scope) and iommu.c
 * (device_lookup_iommu, intel_iommu_get_resv_regions, device_rmrr_is_relaxable).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "firmware/dmar.h"
#include "machine/from_tables.h"

#define ECAP_DEVICE_TLB 0x4u
#define CLASS_USB 0x0c03u
#define BASE_CLASS_DISPLAY 0x03u

/* A scope that was found: a function, and the buses below it when it is a bridge. */
struct scope_target {
	bool found;
	uint32_t segment;
	ward_rid_t rid;
	bool bridge;
	uint8_t first_bus, last_bus;
};

static bool has_unit(const struct ward_dmar *dmar, enum ward_dmar_type type)
{
	for (uint32_t i = 0; i < dmar->units_count; i++) {
		if (dmar->units[i].type == type)
			return true;
	}
	return false;
}

static enum ward_tri unit_ats(const struct ward_dmar *dmar, const struct ward_kernel_iommu *seen)
{
	/* Linux turns ATS on only where an ATSR or SATC structure covers the device. */
	if (!has_unit(dmar, WARD_DMAR_ATSR) && !has_unit(dmar, WARD_DMAR_SATC))
		return WARD_NO;
	if (!seen || !seen->registers_known)
		return WARD_UNKNOWN;
	return seen->ecap & ECAP_DEVICE_TLB ? WARD_YES : WARD_NO;
}

int ward_from_dmar_devices(struct ward_builder *builder, struct ward_acpi_tables *tables,
			   const struct ward_kernel_evidence *evidence)
{
	const struct ward_dmar *dmar = tables->dmar;
	unsigned int number = 0;
	int err = 0;

	tables->drhds = ward_ordinals_alloc(dmar->units_count);
	if (!tables->drhds)
		return -ENOMEM;
	for (uint32_t i = 0; i < dmar->units_count && !err; i++) {
		char name[16];
		struct ward_iommu iommu = {
			.kind = WARD_IOMMU_VTD,
			.name = name,
			.base = ward_pa(dmar->units[i].base),
			.remaps_interrupts = ward_remapping(tables, evidence),
			.controller = WARD_NONE,
		};

		if (dmar->units[i].type != WARD_DMAR_DRHD)
			continue;
		/* Linux numbers units in the order of the table. */
		snprintf(name, sizeof(name), "dmar%u", number++);
		iommu.active = ward_kernel_evidence_active(evidence, name);
		iommu.ats = unit_ats(dmar, ward_kernel_evidence_find(evidence, name));
		err = ward_builder_add_iommu(builder, &iommu, &tables->drhds[i]);
	}
	return err;
}

/* Follows a path from its bus; every step but the last is a bridge. */
static void find_target(struct ward_builder *builder, uint32_t segment,
			const struct ward_dmar_scope *scope, struct scope_target *ret_target)
{
	const struct ward_machine *machine = ward_builder_machine(builder);
	struct ward_address address = { .segment = segment };
	const struct ward_function *f = NULL;
	unsigned int bus = scope->start_bus;

	if (scope->type != WARD_DMAR_ENDPOINT && scope->type != WARD_DMAR_BRIDGE)
		return;
	for (uint32_t i = 0; i < scope->path_count; i++) {
		uint32_t ordinal;

		if (f && (f->header_type != 1 || f->bridge.secondary == 0))
			return;
		if (f)
			bus = f->bridge.secondary;
		address.rid = ward_rid(bus << 8 | scope->path[i]);
		ordinal = ward_builder_find(builder, address);
		if (ordinal == WARD_NONE)
			return;
		f = &machine->functions[ordinal];
	}
	*ret_target = (struct scope_target){
		.found = true,
		.segment = segment,
		.rid = address.rid,
		.bridge = f && f->header_type == 1 && f->bridge.secondary != 0,
		.first_bus = f ? f->bridge.secondary : 0,
		.last_bus = f ? f->bridge.subordinate : 0,
	};
}

static int find_targets(struct ward_builder *builder, const struct ward_dmar *dmar,
			struct scope_target **ret_targets)
{
	struct scope_target *targets = ward_alloc_array(dmar->scopes_count, sizeof(*targets));

	if (!targets)
		return -ENOMEM;
	for (uint32_t i = 0; i < dmar->units_count; i++) {
		const struct ward_dmar_unit *unit = &dmar->units[i];

		for (uint32_t k = unit->first_scope; k < unit->first_scope + unit->scopes_count;
		     k++)
			find_target(builder, unit->segment, &dmar->scopes[k], &targets[k]);
	}
	*ret_targets = targets;
	return 0;
}

static bool unit_covers(const struct ward_dmar_unit *unit, const struct scope_target *targets,
			struct ward_address address)
{
	uint8_t bus = ward_rid_bus(address.rid);

	if (unit->segment != address.segment)
		return false;
	for (uint32_t k = unit->first_scope; k < unit->first_scope + unit->scopes_count; k++) {
		const struct scope_target *target = &targets[k];

		if (!target->found)
			continue;
		if (ward_rid_raw(target->rid) == ward_rid_raw(address.rid))
			return true;
		if (target->bridge && target->first_bus <= bus && bus <= target->last_bus)
			return true;
	}
	return false;
}

/* Linux asks for the IOMMU of a VF's PF. */
static struct ward_address physical_address(const struct ward_machine *machine,
					    const struct ward_listed *listed)
{
	uint32_t physfn = machine->functions[listed->function].physfn;

	return physfn < machine->functions_count ? machine->functions[physfn].address
						 : listed->address;
}

/* Units with scopes come before the one that includes all the rest of its segment. */
static uint32_t find_unit(const struct ward_dmar *dmar, const struct scope_target *targets,
			  struct ward_address address)
{
	uint32_t rest = WARD_NONE;

	for (uint32_t i = 0; i < dmar->units_count; i++) {
		const struct ward_dmar_unit *unit = &dmar->units[i];

		if (unit->type != WARD_DMAR_DRHD)
			continue;
		if (unit->flags & 1) {
			if (unit->segment == address.segment && rest == WARD_NONE)
				rest = i;
		} else if (unit_covers(unit, targets, address)) {
			return i;
		}
	}
	return rest;
}

/* What firmware uses such devices for ends when a driver takes over. */
static bool is_relaxable(const struct ward_function *f)
{
	return f->class_code >> 8 == CLASS_USB || f->class_code >> 16 == BASE_CLASS_DISPLAY;
}

static int add_regions(struct ward_builder *builder, const struct ward_dmar *dmar,
		       const struct scope_target *targets, const struct ward_listed *listed)
{
	const struct ward_machine *machine = ward_builder_machine(builder);
	struct ward_region region = {
		.kind = is_relaxable(&machine->functions[listed->function])
				? WARD_REGION_DIRECT_RELAXABLE
				: WARD_REGION_DIRECT,
		.function = listed->function,
		.group = WARD_NONE,
		.source = "DMAR RMRR",
	};
	int err = 0;

	for (uint32_t i = 0; i < dmar->units_count && !err; i++) {
		const struct ward_dmar_unit *unit = &dmar->units[i];

		if (unit->type != WARD_DMAR_RMRR || !unit_covers(unit, targets, listed->address))
			continue;
		region.range = (struct ward_range){ unit->base, unit->limit };
		err = ward_builder_add_region(builder, &region);
	}
	return err;
}

int ward_from_dmar_links(struct ward_builder *builder, const struct ward_acpi_tables *tables,
			 struct ward_listed *list, uint32_t count)
{
	const struct ward_machine *machine = ward_builder_machine(builder);
	const struct ward_dmar *dmar = tables->dmar;
	struct scope_target *targets;
	int err;

	err = find_targets(builder, dmar, &targets);
	if (err)
		return err;
	for (uint32_t i = 0; i < count && !err; i++) {
		uint32_t unit = find_unit(dmar, targets, physical_address(machine, &list[i]));

		list[i].iommu = unit == WARD_NONE ? WARD_NONE : tables->drhds[unit];
		err = add_regions(builder, dmar, targets, &list[i]);
	}
	free(targets);
	return err ? err : ward_add_listed(builder, list, count, "DMAR device scopes");
}

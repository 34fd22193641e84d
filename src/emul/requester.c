// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Requester ids: who sends under which, what bridges make of them, which IOMMU sees them, and with
 * which DeviceID an MSI controller does.
 */
#include "emul/route.h"

#include <string.h>

struct id_pair {
	uint16_t vendor, device;
};

static bool is_listed(const struct ward_function *f, const struct id_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (f->vendor == pairs[i].vendor && f->device == pairs[i].device)
			return true;
	}
	return false;
}

bool ward_emul_conventional(const struct ward_function *bridge)
{
	switch (bridge->pcie_type) {
	case WARD_PCIE_TO_PCI:
	case WARD_PCIE_NONE:
		return true;
	case WARD_PCIE_ENDPOINT:
	case WARD_PCIE_LEGACY_ENDPOINT:
	case WARD_PCIE_ROOT_PORT:
	case WARD_PCIE_UPSTREAM:
	case WARD_PCIE_DOWNSTREAM:
	case WARD_PCI_TO_PCIE:
	case WARD_PCIE_RC_ENDPOINT:
	case WARD_PCIE_RC_EVENT_COLLECTOR:
		break;
	}
	return false;
}

/*
 * Bridges without a PCIe capability that behave as PCIe-to-PCI bridges: where they sit on a PCIe
 * link (Linux drivers/pci/quirks.c, PCI_DEV_FLAG_PCIE_BRIDGE_ALIAS).
 */
static bool hides_pcie(const struct ward_emul *emul, const struct ward_function *bridge)
{
	static const struct id_pair pairs[] = {
		{ 0x1b21, 0x1080 }, { 0x10e3, 0x8113 }, { 0x1283, 0x8892 },
		{ 0x1283, 0x8893 }, { 0x8086, 0x244e },
	};
	const struct ward_function *above;

	if (bridge->parent == WARD_NONE ||
	    !is_listed(bridge, pairs, sizeof(pairs) / sizeof(pairs[0])))
		return false;
	above = &emul->facts->functions[bridge->parent];
	return above->pcie_type != WARD_PCIE_NONE && above->pcie_type != WARD_PCIE_TO_PCI;
}

bool ward_emul_takes_over(const struct ward_emul *emul, uint32_t bridge, ward_rid_t *ret_rid)
{
	/* Passes ids on (Linux drivers/pci/quirks.c, quirk_aspeed...: NO_ALIAS). */
	static const struct id_pair keeps[] = { { 0x1a03, 0x1150 } };
	const struct ward_function *f = &emul->facts->functions[bridge];

	if (f->pcie_type == WARD_PCI_TO_PCIE) {
		*ret_rid = f->address.rid;
		return true;
	}
	if (!ward_emul_conventional(f) || is_listed(f, keeps, 1))
		return false;
	if (f->pcie_type == WARD_PCIE_TO_PCI || hides_pcie(emul, f))
		*ret_rid = ward_rid_make(f->bridge.secondary, 0, 0);
	else
		*ret_rid = f->address.rid;
	return true;
}

bool ward_emul_translation_root(const struct ward_function *bridge)
{
	/* ThunderX2 and Vulcan (Linux drivers/pci/quirks.c, quirk_bridge_cavm_thrx2_pcie_root). */
	static const struct id_pair pairs[] = { { 0x14e4, 0x9000 }, { 0x14e4, 0x9084 } };

	return is_listed(bridge, pairs, sizeof(pairs) / sizeof(pairs[0]));
}

/*
 * On a root bus there is no port to validate ids and no link to forge them on: what the root
 * complex integrates has its own id and those that it is known to use. Below a port anything may be
 * sent; the port looks at it.
 */
bool ward_emul_may_send(const struct ward_emul *emul, uint32_t function, ward_rid_t rid)
{
	const struct ward_function *f = &emul->facts->functions[function];

	if (f->parent != WARD_NONE || rid == f->address.rid)
		return true;
	for (unsigned int i = 0; i < f->aliases; i++) {
		if (f->alias[i] == rid && ward_rid_bus(rid) == ward_rid_bus(f->address.rid))
			return true;
	}
	return false;
}

/* The bridge whose own buses have a number: the deepest one. WARD_NONE: a root bus, or none. */
static const struct ward_function *bridge_of_bus(const struct ward_machine *facts, uint32_t segment,
						 uint8_t number)
{
	const struct ward_function *found = NULL;

	for (uint32_t i = 0; i < facts->functions_count; i++) {
		const struct ward_function *f = &facts->functions[i];

		if (f->kind == WARD_FUNCTION_PCI && f->header_type != 0 &&
		    f->address.segment == segment && f->bridge.secondary != 0 &&
		    f->bridge.secondary <= number && number <= f->bridge.subordinate &&
		    (!found || f->bridge.secondary > found->bridge.secondary))
			found = f;
	}
	return found;
}

/* The IOMMU of all functions of a segment that have one, or WARD_NONE when they differ. */
static uint32_t iommu_of_segment(const struct ward_machine *facts, uint32_t segment)
{
	uint32_t iommu = WARD_NONE;

	for (uint32_t i = 0; i < facts->functions_count; i++) {
		const struct ward_function *f = &facts->functions[i];

		if (f->kind != WARD_FUNCTION_PCI || f->address.segment != segment ||
		    f->iommu_known != WARD_YES || f->stream.iommu == WARD_NONE)
			continue;
		if (iommu != WARD_NONE && iommu != f->stream.iommu)
			return WARD_NONE;
		iommu = f->stream.iommu;
	}
	return iommu;
}

static const struct ward_function *find_function(const struct ward_machine *facts,
						 struct ward_address address)
{
	uint32_t low = 0, high = facts->functions_count;

	/* Sorted by address, platform devices last. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct ward_function *f = &facts->functions[middle];
		int order = f->kind == WARD_FUNCTION_PCI ? ward_address_compare(f->address, address)
							 : 1;

		if (order == 0)
			return f;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/*
 * The first row of a segment's maps of one kind that has an id; target: only rows that lead there, or
 * WARD_NONE. *ret_any: the segment has rows of that kind.
 */
static const struct ward_id_map *find_row(const struct ward_machine *facts,
					  enum ward_id_map_kind kind, struct ward_address address,
					  uint32_t target, bool *ret_any)
{
	*ret_any = false;
	for (uint32_t i = 0; i < facts->id_maps_count; i++) {
		const struct ward_id_map *row = &facts->id_maps[i];
		uint16_t masked = ward_rid_raw(address.rid) & row->mask;

		if (row->kind != kind || row->segment != address.segment)
			continue;
		*ret_any = true;
		if (target != WARD_NONE && row->target != target)
			continue;
		if (ward_rid_raw(row->first) <= masked && masked <= ward_rid_raw(row->last))
			return row;
	}
	return NULL;
}

static uint32_t output_of(const struct ward_id_map *row, ward_rid_t rid)
{
	return row->output_base + (ward_rid_raw(rid) & row->mask) - ward_rid_raw(row->first);
}

bool ward_emul_stream(const struct ward_emul *emul, uint32_t segment, ward_rid_t rid,
		      uint32_t *ret_iommu, ward_sid_t *ret_sid)
{
	const struct ward_machine *facts = emul->facts;
	const struct ward_address address = { segment, rid };
	const struct ward_function *f = find_function(facts, address);
	uint32_t iommu = WARD_NONE, sid = ward_rid_raw(rid);
	const struct ward_id_map *row;
	bool any;

	if (f && f->iommu_known == WARD_YES) {
		iommu = f->stream.iommu;
		sid = ward_sid_raw(f->stream.sid);
	} else if ((row = find_row(facts, WARD_ID_MAP_IOMMU, address, WARD_NONE, &any)) != NULL) {
		iommu = row->target;
		sid = output_of(row, rid);
	} else if (!any) {
		f = bridge_of_bus(facts, segment, ward_rid_bus(rid));
		iommu = f && f->iommu_known == WARD_YES ? f->stream.iommu
							: iommu_of_segment(facts, segment);
	}
	if (iommu == WARD_NONE)
		return false;
	*ret_iommu = iommu;
	*ret_sid = ward_sid(sid);
	return true;
}

static bool is_its(const struct ward_machine *facts, uint32_t controller)
{
	return controller != WARD_NONE &&
	       facts->controllers[controller].kind == WARD_CONTROLLER_GICV3_ITS;
}

/*
 * A DeviceID travels beside the write, put there by the root complex or the SMMU, which knows nothing
 * of where the write ends. So an ITS that a function is not to use sees it with some id all the same:
 * firmware's, where a row leads from this id to that ITS; else the one it has at its own. Where
 * firmware says nothing of ids, they go through unchanged (Linux drivers/pci/msi/irqdomain.c takes
 * the requester id then).
 */
bool ward_emul_devid(const struct ward_emul *emul, uint32_t segment, ward_rid_t rid,
		     uint32_t controller, ward_devid_t *ret_devid)
{
	const struct ward_machine *facts = emul->facts;
	const struct ward_address address = { segment, rid };
	const struct ward_function *f = find_function(facts, address);
	const struct ward_id_map *row;
	bool any;

	if (f && f->controller_known != WARD_YES)
		f = NULL;
	if (f && f->controller == controller) {
		*ret_devid = f->devid;
		return true;
	}
	row = find_row(facts, WARD_ID_MAP_MSI, address, controller, &any);
	if (!row && f && is_its(facts, f->controller)) {
		*ret_devid = f->devid;
		return true;
	}
	if (!row)
		row = find_row(facts, WARD_ID_MAP_MSI, address, WARD_NONE, &any);
	if (any && (!row || row->target == WARD_NONE))
		return false;
	*ret_devid = ward_devid(row ? output_of(row, rid) : ward_rid_raw(rid));
	return true;
}

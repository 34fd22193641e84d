// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A request at VT-d: root entry, context entry, second stage, or the caches of those. */
#include "emul/vtd.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"
#include "dma/table.h"
#include "emul/vtd_state.h"

#define ENTRY_BYTES 16u
#define PRESENT (UINT64_C(1) << 0)
#define FPD (UINT64_C(1) << 1)
#define POINTER 0xfffffffffffff000u
#define ROOT_RESERVED 0xffeu	/* 11:1; all of the upper half, too */
#define CONTEXT_RESERVED 0xff0u /* 11:4 */
#define CONTEXT_HIGH_RESERVED 0xffffffffff000080u

int ward_vtd_create(const struct ward_vtd_options *options, struct ward_vtd **ret_vtd)
{
	struct ward_vtd *vtd;

	if (!options->memory || (options->address_bits != 39 && options->address_bits != 48) ||
	    options->output_bits < 32 || options->output_bits > 52)
		return -EINVAL;
	vtd = ward_alloc(sizeof(*vtd));
	if (!vtd)
		return -ENOMEM;
	vtd->options = *options;
	/* Its interrupts are masked after a reset. */
	vtd->events[0] = vtd->events[4] = 1u << 31;
	*ret_vtd = vtd;
	return 0;
}

void ward_vtd_destroy(struct ward_vtd *vtd)
{
	free(vtd);
}

void ward_vtd_counts(const struct ward_vtd *vtd, struct ward_vtd_counts *ret_counts)
{
	*ret_counts = vtd->counts;
}

static bool beyond(uint64_t address, unsigned int bits)
{
	return bits < 64 && address >> bits != 0;
}

static int read_entry(const struct ward_vtd *vtd, uint64_t address, uint64_t ret_entry[2])
{
	if (ward_memory_read_u64(vtd->options.memory, address, &ret_entry[0]) ||
	    ward_memory_read_u64(vtd->options.memory, address + 8, &ret_entry[1]))
		return -EFAULT;
	return 0;
}

/* 9.3, 9.4.1: 0, or a reason. *ret_context is good with 0; its silent with every reason. */
static unsigned int check_context(const struct ward_vtd *vtd, const uint64_t entry[2],
				  struct vtd_context *ret_context)
{
	unsigned int type = entry[0] >> 2 & 3, width = entry[1] & 7;

	/* FPD counts in an entry that is not present, too. */
	ret_context->silent = entry[0] & FPD;
	if (!(entry[0] & PRESENT))
		return VTD_CONTEXT_ABSENT;
	if (entry[0] & CONTEXT_RESERVED || entry[1] & CONTEXT_HIGH_RESERVED)
		return VTD_CONTEXT_RESERVED;
	if (type == 3 || (type == VTD_DEVICE_CACHES && !vtd->options.ats))
		return VTD_CONTEXT_INVALID;
	if (width != 1 && (width != 2 || vtd->options.address_bits < 48))
		return VTD_CONTEXT_INVALID;
	/* Pass-through asks for the largest width; the table pointer is not looked at. */
	if (type == VTD_PASS_THROUGH && width != (vtd->options.address_bits == 48 ? 2 : 1))
		return VTD_CONTEXT_INVALID;
	if (type != VTD_PASS_THROUGH && beyond(entry[0] & POINTER, vtd->options.output_bits))
		return VTD_CONTEXT_RESERVED;
	ret_context->type = (uint8_t)type;
	ret_context->input_bits = width == 1 ? 39 : 48;
	ret_context->domain = (uint16_t)(entry[1] >> 8);
	ret_context->table = entry[0] & POINTER;
	return 0;
}

static unsigned int fetch_context(const struct ward_vtd *vtd, uint16_t sid,
				  struct vtd_context *ret_context)
{
	uint64_t entry[2], at = vtd->root + (uint64_t)(sid >> 8) * ENTRY_BYTES;

	if (beyond(vtd->root, vtd->options.output_bits) || read_entry(vtd, at, entry))
		return VTD_ROOT_UNREADABLE;
	if (!(entry[0] & PRESENT))
		return VTD_ROOT_ABSENT;
	if (entry[0] & ROOT_RESERVED || entry[1] ||
	    beyond(entry[0] & POINTER, vtd->options.output_bits))
		return VTD_ROOT_RESERVED;
	at = (entry[0] & POINTER) + (uint64_t)(sid & 0xff) * ENTRY_BYTES;
	if (read_entry(vtd, at, entry))
		return VTD_CONTEXT_UNREADABLE;
	return check_context(vtd, entry, ret_context);
}

/* The context of a source: cached, or fetched and then cached. */
static unsigned int find_context(struct ward_vtd *vtd, uint16_t sid, bool probe,
				 struct vtd_context *ret_context)
{
	struct vtd_context *place = &vtd->contexts[sid % VTD_CONTEXTS];
	unsigned int reason;

	if (place->valid && place->sid == sid) {
		*ret_context = *place;
		return 0;
	}
	*ret_context = (struct vtd_context){ .valid = true, .sid = sid };
	reason = fetch_context(vtd, sid, ret_context);
	if (!reason && !probe)
		*place = *ret_context;
	return reason;
}

static unsigned int reason_of_walk(const struct ward_fault *fault, uint32_t access)
{
	if (fault->reason == WARD_FAULT_TABLE)
		return VTD_TABLE_UNREADABLE;
	if (fault->reason == WARD_FAULT_ADDRESS_SIZE)
		return VTD_TABLE_RESERVED;
	return access & WARD_WRITE ? VTD_NO_WRITE : VTD_NO_READ;
}

static unsigned int walk(struct ward_vtd *vtd, const struct vtd_context *context,
			 const struct ward_emul_request *request, struct vtd_translation *ret_found,
			 struct ward_fault *ret_fault)
{
	const struct ward_table table = {
		.format = &ward_format_vtd_stage2,
		.root = context->table,
		.granule_shift = 12,
		.input_bits = context->input_bits,
		.output_bits = vtd->options.output_bits,
		.start_level = context->input_bits == 48 ? 0 : 1,
		.stage = 2,
		.hardware_bits = WARD_VTD_SNOOP | (vtd->options.ats ? WARD_VTD_TRANSIENT : 0),
	};
	const struct ward_entry_reader reader = { ward_entry_read_memory, vtd->options.memory };
	uint64_t iova = ward_iova_raw(request->iova);
	struct ward_table_leaf leaf;

	if (!request->probe)
		vtd->counts.walks++;
	if (ward_table_walk(&table, &reader, iova, request->access, NULL, NULL, &leaf, ret_fault)) {
		ret_fault->gpa = ward_gpa(iova);
		return reason_of_walk(ret_fault, request->access);
	}
	*ret_found = (struct vtd_translation){
		.valid = true,
		.domain = context->domain,
		.access = leaf.access,
		.input = leaf.input,
		.output = leaf.output - (iova - leaf.input.start),
	};
	return 0;
}

static unsigned int find_translation(struct ward_vtd *vtd, const struct vtd_context *context,
				     const struct ward_emul_request *request,
				     struct vtd_translation *ret_found,
				     struct ward_fault *ret_fault)
{
	uint64_t iova = ward_iova_raw(request->iova);
	struct vtd_translation *place =
		&vtd->translations[((iova >> 12) ^ context->domain * 37u) % VTD_TRANSLATIONS];
	unsigned int reason;

	if (place->valid && place->domain == context->domain &&
	    ward_range_has(place->input, iova) && !(request->access & ~place->access)) {
		vtd->counts.hits += !request->probe;
		*ret_found = *place;
		return 0;
	}
	reason = walk(vtd, context, request, ret_found, ret_fault);
	if (!reason && !request->probe)
		*place = *ret_found;
	return reason;
}

static void identity(const struct ward_vtd *vtd, struct vtd_translation *ret_found)
{
	*ret_found = (struct vtd_translation){
		.access = WARD_READ | WARD_WRITE,
		.input = { 0, (UINT64_C(1) << vtd->options.output_bits) - 1 },
	};
}

static unsigned int by_context(struct ward_vtd *vtd, const struct vtd_context *context,
			       const struct ward_emul_request *request,
			       struct vtd_translation *ret_found, struct ward_fault *ret_fault)
{
	uint64_t iova = ward_iova_raw(request->iova);
	bool as_is = request->translated || context->type == VTD_PASS_THROUGH;

	if (request->translated && context->type != VTD_DEVICE_CACHES)
		return VTD_TRANSLATED_BLOCKED;
	if (beyond(iova, as_is ? vtd->options.output_bits : context->input_bits))
		return VTD_BEYOND_WIDTH;
	if (!as_is)
		return find_translation(vtd, context, request, ret_found, ret_fault);
	identity(vtd, ret_found);
	return 0;
}

/* Reasons of the specification in our words, where no walk has said it already. */
static enum ward_fault_reason reason_in_words(unsigned int reason)
{
	switch (reason) {
	case VTD_ROOT_ABSENT:
	case VTD_CONTEXT_ABSENT:
	case VTD_TRANSLATED_BLOCKED:
		return WARD_FAULT_BLOCKED;
	case VTD_BEYOND_WIDTH:
		return WARD_FAULT_TRANSLATION;
	case VTD_ROOT_UNREADABLE:
	case VTD_CONTEXT_UNREADABLE:
		return WARD_FAULT_TABLE;
	case VTD_UNRECORDED:
		return WARD_FAULT_PASID;
	default:
		return WARD_FAULT_CONFIG;
	}
}

static bool said_by_walk(unsigned int reason)
{
	return reason == VTD_NO_WRITE || reason == VTD_NO_READ || reason == VTD_TABLE_UNREADABLE ||
	       reason == VTD_TABLE_RESERVED;
}

/* Fills the fault and records it, unless the entry or the request keeps it out. */
static int refuse(struct ward_vtd *vtd, const struct ward_emul_request *request,
		  unsigned int reason, bool silent, const struct ward_fault *walked,
		  struct ward_fault *ret_fault)
{
	if (said_by_walk(reason))
		*ret_fault = *walked;
	else
		*ret_fault = (struct ward_fault){
			.reason = reason_in_words(reason),
			.level = WARD_NO_LEVEL,
		};
	ret_fault->fault_class = WARD_CLASS_INPUT;
	ret_fault->access = request->access;
	ret_fault->iova = request->iova;
	if (request->probe || reason == VTD_UNRECORDED)
		return -EFAULT;
	if (silent)
		vtd->counts.faults_dropped++;
	else
		ward_vtd_record(vtd, request, (enum vtd_reason)reason);
	return -EFAULT;
}

static int translate(void *iommu, const struct ward_emul_request *request,
		     struct ward_translation *ret_translation, struct ward_fault *ret_fault)
{
	struct ward_vtd *vtd = iommu;
	uint64_t iova = ward_iova_raw(request->iova);
	struct vtd_context context = { .valid = false };
	struct vtd_translation found = { .valid = false };
	struct ward_fault walked = { .level = WARD_NO_LEVEL };
	unsigned int reason = 0;

	if (!(vtd->gsts & VTD_TE)) {
		found.access = WARD_READ | WARD_WRITE;
		found.input.last = UINT64_MAX;
	} else if (request->pasid != WARD_PASID_NONE) {
		reason = VTD_UNRECORDED;
	} else {
		reason = find_context(vtd, (uint16_t)ward_sid_raw(request->sid), request->probe,
				      &context);
		if (!reason)
			reason = by_context(vtd, &context, request, &found, &walked);
	}
	if (reason)
		return refuse(vtd, request, reason, context.silent, &walked, ret_fault);
	*ret_translation = (struct ward_translation){
		.target = ward_target(found.output + (iova - found.input.start)),
		.access = found.access,
		.type = WARD_NORMAL,
		.input = found.input,
	};
	return 0;
}

static void destroy(void *iommu)
{
	ward_vtd_destroy(iommu);
}

const struct ward_emul_iommu_ops ward_vtd_iommu = { .translate = translate, .destroy = destroy };

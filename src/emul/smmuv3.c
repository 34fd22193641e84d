// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A request's way through the SMMU (IHI 0070, 3.3 and 15): stream, context, stage 1, stage 2. */
#include "emul/smmuv3_state.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"
#include "dma/attributes.h"

#define STREAM_BITS_MAX 32u
#define QUEUE_BITS_MAX 19u
#define PAGE_OFFSET 0xfffull
#define ALL_ACCESS (WARD_READ | WARD_WRITE | WARD_EXEC)

/* A request under way. Of a probe, nothing is kept. */
struct passage {
	struct ward_smmuv3 *smmu;
	const struct ward_emul_request *request;
	const struct ward_ste *ste;
	const struct ward_context *context; /* NULL: stage 1 is bypassed */
	struct ward_nesting nesting;
	bool walked;		   /* a table of either stage */
	struct ward_context *room; /* for a context that is not cached yet */
};

static int fail(struct ward_fault *fault, enum ward_fault_reason reason, uint8_t stage)
{
	*fault = (struct ward_fault){
		.reason = reason,
		.fault_class = WARD_CLASS_INPUT,
		.stage = stage,
		.level = WARD_NO_LEVEL,
	};
	return -EFAULT;
}

static void pass_through(const struct ward_emul_request *request, enum ward_memory_type type,
			 struct ward_translation *ret_translation)
{
	uint64_t iova = ward_iova_raw(request->iova);

	*ret_translation = (struct ward_translation){
		.target = ward_target(iova),
		.access = ALL_ACCESS,
		.type = type,
		.input = { iova & ~PAGE_OFFSET, iova | PAGE_OFFSET },
	};
}

/* SMMUEN clear: GBPA decides, and nothing is recorded. */
static int switched_off(const struct ward_smmuv3 *smmu, const struct ward_emul_request *request,
			struct ward_translation *ret_translation, struct ward_fault *ret_fault)
{
	uint64_t gbpa = smmu->reg.gbpa;

	if (gbpa & WARD_GBPA_ABORT)
		return fail(ret_fault, WARD_FAULT_BLOCKED, 0);
	if (ward_iova_raw(request->iova) >> smmu->options.features.output_bits != 0)
		return fail(ret_fault, WARD_FAULT_ADDRESS_SIZE, 0);
	pass_through(request,
		     gbpa & WARD_GBPA_MTCFG ? ward_type_from_memattr(gbpa & 0xf) : WARD_NORMAL,
		     ret_translation);
	return 0;
}

/*
 * Addresses that a device says it had translated before (IHI 0070, 3.9.1.3). What is wrong with
 * them or their stream is not recorded (REC_CFG_ATS 0), but that they are forbidden is.
 */
static int translated(struct ward_smmuv3 *smmu, const struct ward_emul_request *request,
		      struct ward_translation *ret_translation, struct ward_fault *ret_fault,
		      uint8_t *ret_event)
{
	const struct ward_ste *ste;
	struct ward_ste room;

	*ret_event = WARD_F_TRANSL_FORBIDDEN;
	if (!smmu->options.ats || !(smmu->reg.cr0 & WARD_CR0_SMMUEN))
		return fail(ret_fault, WARD_FAULT_BLOCKED, 0);
	if (smmu->reg.cr0 & WARD_CR0_ATSCHK) {
		if (ward_smmuv3_stream(smmu, request->sid, request->probe ? &room : NULL, &ste,
				       ret_fault, ret_event)) {
			*ret_event = WARD_EVENT_NONE;
			return -EFAULT;
		}
		if (ste->stage1.kind == WARD_STAGE1_ABORT)
			*ret_event = WARD_EVENT_NONE;
		if (!ste->ats)
			return fail(ret_fault, WARD_FAULT_BLOCKED, 0);
	}
	*ret_event = WARD_EVENT_NONE;
	if (ward_iova_raw(request->iova) >> smmu->options.features.output_bits != 0)
		return fail(ret_fault, WARD_FAULT_ADDRESS_SIZE, 0);
	pass_through(request, WARD_NORMAL, ret_translation);
	return 0;
}

static void fill_from_entry(const struct ward_smmuv3_tlb_entry *entry, uint64_t input,
			    uint64_t keyed, struct ward_translation *ret_translation)
{
	*ret_translation = (struct ward_translation){
		.target = ward_target(entry->target + (keyed & PAGE_OFFSET)),
		.access = entry->access1 & entry->access2,
		.type = entry->type,
		/* As asked for: keyed is the same address with its top byte made regular. */
		.input = { input - (keyed - entry->input.start),
			   input + (entry->input.last - keyed) },
	};
}

/* What a cached entry says against an access: stage 1 first, as in a walk. */
static int entry_fault(const struct ward_smmuv3_tlb_entry *entry, uint32_t access, uint64_t keyed,
		       struct ward_fault *ret_fault)
{
	if (!(access & ~entry->access1)) {
		fail(ret_fault, WARD_FAULT_PERMISSION, 2);
		ret_fault->level = entry->level2;
		ret_fault->gpa = ward_gpa(entry->gpa + (keyed & PAGE_OFFSET));
		return -EFAULT;
	}
	fail(ret_fault, WARD_FAULT_PERMISSION, 1);
	ret_fault->level = entry->level1;
	return -EFAULT;
}

/* Stage 2 for a gpa, from memory; keeps what comes of it. */
static int walk_stage2(struct passage *passage, uint64_t gpa, uint32_t access,
		       struct ward_smmuv3_tlb_entry *ret_entry, struct ward_fault *ret_fault)
{
	const struct ward_table *table = &passage->ste->stage2;
	struct ward_smmuv3 *smmu = passage->smmu;
	const struct ward_entry_reader reader = { ward_entry_read_memory, smmu->options.memory };
	struct ward_table_leaf leaf;

	passage->walked = true;
	if (ward_table_walk(table, &reader, gpa, access, NULL, NULL, &leaf, ret_fault))
		return -EFAULT;
	*ret_entry = (struct ward_smmuv3_tlb_entry){
		.page = gpa & ~PAGE_OFFSET,
		.target = leaf.output & ~PAGE_OFFSET,
		.gpa = gpa & ~PAGE_OFFSET,
		.input = leaf.input,
		.leaf = leaf.input,
		.vmid = passage->ste->vmid,
		.kind = WARD_TLB_STAGE2,
		.level1 = WARD_NO_LEVEL,
		.level2 = (int8_t)leaf.level,
		.access1 = ALL_ACCESS,
		.access2 = (uint8_t)leaf.access,
		.type = leaf.type,
	};
	if (!passage->request->probe)
		ward_smmuv3_tlb_add(&smmu->cache, ret_entry);
	return 0;
}

/* Stage 2 for a gpa: cached or walked. For ward_nesting. */
static int stage2(void *context, ward_gpa_t gpa, uint32_t access,
		  struct ward_translation *ret_translation, struct ward_fault *ret_fault)
{
	struct passage *passage = context;
	uint64_t raw = ward_gpa_raw(gpa);
	const struct ward_smmuv3_tlb_key key = { WARD_TLB_STAGE2, passage->ste->vmid, 0, raw };
	const struct ward_smmuv3_tlb_entry *found =
		ward_smmuv3_tlb_find(&passage->smmu->cache, &key);
	struct ward_smmuv3_tlb_entry entry;

	if (found)
		entry = *found;
	else if (walk_stage2(passage, raw, access, &entry, ret_fault))
		return -EFAULT;
	if (access & ~(uint32_t)entry.access2)
		return entry_fault(&entry, access, raw, ret_fault);
	fill_from_entry(&entry, raw, raw, ret_translation);
	return 0;
}

/* Which context, from the cache or from memory. */
static int find_context(struct passage *passage, struct ward_fault *ret_fault)
{
	const struct ward_stage1 *stage1 = &passage->ste->stage1;
	const struct ward_emul_request *request = passage->request;
	struct ward_context *room = passage->room;
	uint32_t index;

	if (stage1->kind == WARD_STAGE1_BYPASS) {
		if (ward_pasid_raw(request->pasid) != ward_pasid_raw(WARD_PASID_NONE))
			return fail(ret_fault, WARD_FAULT_PASID, 0);
		return 0;
	}
	if (ward_context_choose(stage1, request->pasid, &index, ret_fault))
		return -EFAULT;
	if (index == WARD_CONTEXT_BYPASS)
		return 0;
	passage->context = ward_smmuv3_cached_context(&passage->smmu->cache, request->sid, index);
	if (passage->context)
		return 0;
	if (ward_context_fetch(&passage->nesting, stage1, index, room, ret_fault))
		return -EFAULT;
	passage->context = room;
	if (!request->probe)
		ward_smmuv3_cache_context(&passage->smmu->cache, request->sid, index, room);
	return 0;
}

/* The address translations are kept by: with TBI, the top byte is made like bit 55. */
static uint64_t keyed_address(const struct ward_context *context, uint64_t iova)
{
	if (!context->ignores_top[iova >> 55 & 1])
		return iova;
	return iova >> 55 & 1 ? iova | 0xffull << 56 : iova & UINT64_MAX >> 8;
}

/* Both stages, from memory; keeps what comes of it. */
static int walk(struct passage *passage, const struct ward_smmuv3_tlb_key *key,
		struct ward_translation *ret_translation, struct ward_fault *ret_fault)
{
	const struct ward_emul_request *request = passage->request;
	/* From the address as asked for to the one it is kept by. */
	uint64_t iova = ward_iova_raw(request->iova), shift = key->input - iova;
	struct ward_translation *translation;
	struct ward_smmuv3_tlb_entry entry;
	struct ward_nested_leaf leaf;
	struct ward_range leaf1;

	passage->walked = passage->walked || passage->context;
	if (ward_context_walk(&passage->nesting, &passage->ste->stage1, passage->context,
			      request->iova, request->access, &leaf, ret_fault))
		return -EFAULT;
	leaf1 = leaf.translation.input;
	if (ward_nested_finish(&passage->nesting, request->iova, request->access, &leaf, ret_fault))
		return -EFAULT;
	*ret_translation = leaf.translation;
	if (!passage->context || request->probe)
		return 0;
	translation = &leaf.translation;
	entry = (struct ward_smmuv3_tlb_entry){
		.page = key->input & ~PAGE_OFFSET,
		.target = ward_target_raw(translation->target) & ~PAGE_OFFSET,
		.gpa = leaf.gpa & ~PAGE_OFFSET,
		.input = { translation->input.start + shift, translation->input.last + shift },
		.leaf = { leaf1.start + shift, leaf1.last + shift },
		.vmid = key->vmid,
		.asid = key->asid,
		.kind = key->kind,
		.global = leaf.global,
		.level1 = leaf.level1,
		.level2 = WARD_NO_LEVEL,
		.access1 = (uint8_t)leaf.access1,
		.access2 = (uint8_t)leaf.access2,
		.type = translation->type,
	};
	ward_smmuv3_tlb_add(&passage->smmu->cache, &entry);
	return 0;
}

static int through_stages(struct passage *passage, struct ward_translation *ret_translation,
			  struct ward_fault *ret_fault)
{
	const struct ward_emul_request *request = passage->request;
	struct ward_smmuv3_tlb_key key = {
		.kind = passage->ste->has_stage2 ? WARD_TLB_BOTH : WARD_TLB_STAGE1,
		.vmid = passage->ste->vmid,
	};
	const struct ward_smmuv3_tlb_entry *entry;

	if (!passage->context)
		return walk(passage, &key, ret_translation, ret_fault);
	key.asid = passage->context->asid;
	key.input = keyed_address(passage->context, ward_iova_raw(request->iova));
	entry = ward_smmuv3_tlb_find(&passage->smmu->cache, &key);
	if (!entry)
		return walk(passage, &key, ret_translation, ret_fault);
	if (request->access & ~(uint32_t)(entry->access1 & entry->access2))
		return entry_fault(entry, request->access, key.input, ret_fault);
	fill_from_entry(entry, ward_iova_raw(request->iova), key.input, ret_translation);
	return 0;
}

/* The event that tells of a fault behind the stream table, or none where it is not asked for. */
static uint8_t event_of(const struct passage *passage, const struct ward_fault *fault)
{
	static const uint8_t of_reason[] = {
		[WARD_FAULT_TRANSLATION] = WARD_F_TRANSLATION,
		[WARD_FAULT_PERMISSION] = WARD_F_PERMISSION,
		[WARD_FAULT_ADDRESS_SIZE] = WARD_F_ADDR_SIZE,
		[WARD_FAULT_ACCESS_FLAG] = WARD_F_ACCESS,
	};
	enum ward_stage1_default without = passage->ste->stage1.without_pasid;
	uint32_t pasid = ward_pasid_raw(passage->request->pasid);
	bool has_pasid = pasid != ward_pasid_raw(WARD_PASID_NONE);

	switch (fault->reason) {
	case WARD_FAULT_PASID:
		/* What S1DSS refuses. A first level without context 0 is another thing. */
		if (has_pasid ? pasid == 0 && without == WARD_STAGE1_DEFAULT_CONTEXT0
			      : without == WARD_STAGE1_DEFAULT_FAULT)
			return WARD_F_STREAM_DISABLED;
		return WARD_C_BAD_SUBSTREAMID;
	case WARD_FAULT_CONTEXT:
		return WARD_C_BAD_CD;
	case WARD_FAULT_TABLE:
		return fault->stage == 0 ? WARD_F_CD_FETCH : WARD_F_WALK_EABT;
	case WARD_FAULT_TRANSLATION:
	case WARD_FAULT_PERMISSION:
	case WARD_FAULT_ADDRESS_SIZE:
	case WARD_FAULT_ACCESS_FLAG:
		if (fault->stage == 2 ? !passage->ste->records
				      : passage->context && !passage->context->records)
			return WARD_EVENT_NONE;
		return of_reason[fault->reason];
	case WARD_FAULT_BLOCKED:
	case WARD_FAULT_CONFIG:
	default:
		return WARD_EVENT_NONE;
	}
}

static void count(const struct passage *passage)
{
	struct ward_smmuv3_counts *counts = &passage->smmu->counts;

	if (passage->request->probe || (!passage->context && !passage->ste->has_stage2))
		return;
	if (passage->walked)
		counts->walks++;
	else
		counts->hits++;
}

static int through_stream(struct ward_smmuv3 *smmu, const struct ward_emul_request *request,
			  struct ward_translation *ret_translation, struct ward_fault *ret_fault,
			  uint8_t *ret_event)
{
	struct ward_context context_room;
	struct ward_ste ste_room;
	struct passage passage = { .smmu = smmu, .request = request, .room = &context_room };
	struct ward_translation translation;
	int code;

	if (ward_smmuv3_stream(smmu, request->sid, request->probe ? &ste_room : NULL, &passage.ste,
			       ret_fault, ret_event))
		return -EFAULT;
	*ret_event = WARD_EVENT_NONE;
	if (passage.ste->stage1.kind == WARD_STAGE1_ABORT)
		return fail(ret_fault, WARD_FAULT_BLOCKED, 0);
	passage.nesting = (struct ward_nesting){
		.memory = smmu->options.memory,
		.reads_targets = true,
		.protects_tables = passage.ste->protects_tables,
		.stage2 = passage.ste->has_stage2 ? stage2 : NULL,
		.context = &passage,
	};
	code = find_context(&passage, ret_fault);
	if (code == 0)
		code = through_stages(&passage, &translation, ret_fault);
	count(&passage);
	if (code) {
		*ret_event = event_of(&passage, ret_fault);
		return code;
	}
	/* What comes in with a type of its own keeps it where stage 1 does not give another. */
	if (!passage.context && passage.ste->overrides_type)
		translation.type = ward_type_combine(translation.type, passage.ste->type);
	*ret_translation = translation;
	return 0;
}

static int translate(void *iommu, const struct ward_emul_request *request,
		     struct ward_translation *ret_translation, struct ward_fault *ret_fault)
{
	struct ward_smmuv3 *smmu = iommu;
	struct ward_fault fault;
	uint8_t event = WARD_EVENT_NONE;
	int code;

	if (request->translated)
		code = translated(smmu, request, ret_translation, &fault, &event);
	else if (!(smmu->reg.cr0 & WARD_CR0_SMMUEN))
		code = switched_off(smmu, request, ret_translation, &fault);
	else
		code = through_stream(smmu, request, ret_translation, &fault, &event);
	if (code == 0)
		return 0;
	fault.iova = request->iova;
	fault.access = request->access;
	if (!request->probe)
		ward_smmuv3_record(smmu, request, event, &fault);
	if (ret_fault)
		*ret_fault = fault;
	return code;
}

static void destroy(void *iommu)
{
	ward_smmuv3_destroy(iommu);
}

const struct ward_emul_iommu_ops ward_smmuv3_iommu = {
	.translate = translate,
	.destroy = destroy,
};

static bool sound(const struct ward_smmuv3_options *options)
{
	const struct ward_smmu_features *features = &options->features;

	return options->memory && options->stream_bits <= STREAM_BITS_MAX &&
	       options->command_bits <= QUEUE_BITS_MAX && options->event_bits <= QUEUE_BITS_MAX &&
	       features->output_bits >= 32 && features->output_bits <= 52 &&
	       features->substream_bits <= 20 && (features->granules & 7) != 0;
}

int ward_smmuv3_create(const struct ward_smmuv3_options *options, struct ward_smmuv3 **ret_smmu)
{
	struct ward_smmuv3 *smmu;
	uint32_t entries;

	if (!sound(options))
		return -EINVAL;
	entries = 1u << options->event_bits;
	smmu = ward_alloc(sizeof(*smmu));
	if (!smmu)
		return -ENOMEM;
	smmu->options = *options;
	smmu->recorded_max = entries + 64;
	smmu->recorded = ward_alloc_array(smmu->recorded_max, sizeof(*smmu->recorded));
	smmu->owners = ward_alloc_array(entries, sizeof(*smmu->owners));
	if (!smmu->recorded || !smmu->owners) {
		ward_smmuv3_destroy(smmu);
		return -ENOMEM;
	}
	ward_smmuv3_reset(smmu);
	ward_smmuv3_events_start(smmu);
	*ret_smmu = smmu;
	return 0;
}

void ward_smmuv3_destroy(struct ward_smmuv3 *smmu)
{
	if (!smmu)
		return;
	free(smmu->recorded);
	free(smmu->owners);
	free(smmu);
}

void ward_smmuv3_counts(const struct ward_smmuv3 *smmu, struct ward_smmuv3_counts *ret_counts)
{
	*ret_counts = smmu->counts;
}

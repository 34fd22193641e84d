// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "dma/nested.h"

#include <errno.h>

#include <doorward/memory.h>

#include "dma/attributes.h"

#define ALL_ACCESS (WARD_READ | WARD_WRITE | WARD_EXEC)
/* PCIe has no more bits of PASID, nor SMMUv3 of SubstreamID. */
#define PASID_BITS 20u

static int fail(struct ward_fault *fault, enum ward_fault_reason reason,
		enum ward_fault_class fault_class, uint8_t stage)
{
	*fault = (struct ward_fault){
		.reason = reason,
		.fault_class = fault_class,
		.stage = stage,
		.level = WARD_NO_LEVEL,
	};
	return -EFAULT;
}

static void tell(const struct ward_nesting *nesting, const struct ward_walk_step *step)
{
	if (nesting->step)
		nesting->step(nesting->step_context, step);
}

/* Where a gpa leads. fault_class: what is there. */
static int through_stage2(const struct ward_nesting *nesting, uint64_t gpa, uint32_t access,
			  enum ward_fault_class fault_class,
			  struct ward_translation *ret_translation, struct ward_fault *ret_fault)
{
	struct ward_fault fault = { .level = WARD_NO_LEVEL };
	struct ward_walk_step step = { .stage = 2, .level = WARD_NO_LEVEL, .input = gpa };

	if (!nesting->stage2) {
		*ret_translation = (struct ward_translation){
			.target = ward_target(gpa),
			.access = ALL_ACCESS,
			.type = WARD_NORMAL,
			.input = { 0, UINT64_MAX },
		};
		return 0;
	}
	if (nesting->stage2(nesting->context, ward_gpa(gpa), access, ret_translation, &fault)) {
		fault.fault_class = fault_class;
		fault.stage = 2;
		fault.gpa = ward_gpa(gpa);
		*ret_fault = fault;
		return -EFAULT;
	}
	if (nesting->protects_tables && fault_class != WARD_CLASS_INPUT &&
	    ward_type_is_device(ret_translation->type)) {
		fail(ret_fault, WARD_FAULT_PERMISSION, fault_class, 2);
		ret_fault->gpa = ward_gpa(gpa);
		return -EFAULT;
	}
	step.output = ward_target_raw(ret_translation->target);
	tell(nesting, &step);
	return 0;
}

/* Address of something of stage 1 in nesting->memory. */
static int locate(const struct ward_nesting *nesting, uint64_t gpa,
		  enum ward_fault_class fault_class, uint64_t *ret_address,
		  struct ward_fault *ret_fault)
{
	struct ward_translation translation;

	if (through_stage2(nesting, gpa, WARD_READ, fault_class, &translation, ret_fault))
		return -EFAULT;
	*ret_address = nesting->reads_targets ? ward_target_raw(translation.target) : gpa;
	return 0;
}

static unsigned int substream_bits(const struct ward_stage1 *stage1)
{
	return stage1->pasid_bits < PASID_BITS ? stage1->pasid_bits : PASID_BITS;
}

int ward_context_choose(const struct ward_stage1 *stage1, ward_pasid_t pasid, uint32_t *ret_index,
			struct ward_fault *ret_fault)
{
	bool has_pasid = ward_pasid_raw(pasid) != ward_pasid_raw(WARD_PASID_NONE);

	if (!has_pasid && stage1->pasid_bits == 0) {
		*ret_index = 0;
		return 0;
	}
	if (!has_pasid) {
		switch (stage1->without_pasid) {
		case WARD_STAGE1_DEFAULT_BYPASS:
			*ret_index = WARD_CONTEXT_BYPASS;
			return 0;
		case WARD_STAGE1_DEFAULT_CONTEXT0:
			*ret_index = 0;
			return 0;
		case WARD_STAGE1_DEFAULT_FAULT:
		default:
			return fail(ret_fault, WARD_FAULT_PASID, WARD_CLASS_INPUT, 0);
		}
	}
	if (stage1->pasid_bits == 0 || ward_pasid_raw(pasid) >> substream_bits(stage1) != 0)
		return fail(ret_fault, WARD_FAULT_PASID, WARD_CLASS_INPUT, 0);
	if (ward_pasid_raw(pasid) == 0 && stage1->without_pasid == WARD_STAGE1_DEFAULT_CONTEXT0)
		return fail(ret_fault, WARD_FAULT_PASID, WARD_CLASS_INPUT, 0);
	*ret_index = ward_pasid_raw(pasid);
	return 0;
}

static uint64_t align_down(uint64_t address, uint64_t size)
{
	return address & ~(size - 1);
}

/* Reads one word of the context (table). A table that is not there is a fault of no stage. */
static int read_context_word(const struct ward_nesting *nesting, uint64_t address,
			     uint64_t *ret_word, struct ward_fault *ret_fault)
{
	if (ward_memory_read_u64(nesting->memory, address, ret_word) == 0)
		return 0;
	fail(ret_fault, WARD_FAULT_TABLE, WARD_CLASS_CONTEXT, 0);
	ret_fault->fetch = address;
	return -EFAULT;
}

/* Where context index is (as a gpa). */
static int context_address(const struct ward_nesting *nesting, const struct ward_stage1 *stage1,
			   uint32_t index, uint64_t *ret_gpa, struct ward_fault *ret_fault)
{
	unsigned int leaf_bits, bits = substream_bits(stage1);
	uint64_t gpa, address, entry, base = ward_gpa_raw(stage1->contexts);
	struct ward_walk_step step = { .stage = 0, .level = WARD_NO_LEVEL, .input = index };

	if (bits == 0 || stage1->layout == WARD_CONTEXTS_LINEAR) {
		base = align_down(base, (uint64_t)WARD_CONTEXT_BYTES << bits);
		*ret_gpa = base + (uint64_t)index * WARD_CONTEXT_BYTES;
		return 0;
	}
	leaf_bits = stage1->layout == WARD_CONTEXTS_TWO_LEVEL_4K ? 6 : 10;
	/* Eight-byte entries; no base is aligned to less than 64. */
	base = align_down(base, bits > leaf_bits + 3 ? 8ull << (bits - leaf_bits) : 64);
	gpa = base + (uint64_t)(index >> leaf_bits) * 8;
	if (locate(nesting, gpa, WARD_CLASS_CONTEXT, &address, ret_fault) ||
	    read_context_word(nesting, address, &entry, ret_fault))
		return -EFAULT;
	step.entry_at = gpa;
	step.entry = entry;
	step.output = align_down(entry & 0x000ffffffffff000, 64ull << leaf_bits);
	tell(nesting, &step);
	/* One beyond all memory is none; a stage 2 says itself what it has not. */
	if (!(entry & 1) || (!nesting->stage2 && step.output >> stage1->features.output_bits)) {
		fail(ret_fault, WARD_FAULT_PASID, WARD_CLASS_INPUT, 0);
		ret_fault->fetch = address;
		return -EFAULT;
	}
	*ret_gpa = step.output + (uint64_t)(index & ((1u << leaf_bits) - 1)) * WARD_CONTEXT_BYTES;
	return 0;
}

int ward_context_fetch(const struct ward_nesting *nesting, const struct ward_stage1 *stage1,
		       uint32_t index, struct ward_context *ret_context,
		       struct ward_fault *ret_fault)
{
	uint64_t words[WARD_CONTEXT_WORDS] = { 0 };
	uint64_t gpa, address;
	struct ward_walk_step step = { .stage = 0, .level = WARD_NO_LEVEL, .input = index };

	if (context_address(nesting, stage1, index, &gpa, ret_fault) ||
	    locate(nesting, gpa, WARD_CLASS_CONTEXT, &address, ret_fault))
		return -EFAULT;
	/* The words behind MAIR say nothing that is implemented. */
	for (unsigned int i = 0; i < 4; i++) {
		if (read_context_word(nesting, address + i * 8, &words[i], ret_fault))
			return -EFAULT;
	}
	step.entry_at = gpa;
	step.entry = words[0];
	if (ward_context_decode(words, &stage1->features, ret_context)) {
		tell(nesting, &step);
		fail(ret_fault, WARD_FAULT_CONTEXT, WARD_CLASS_INPUT, 0);
		ret_fault->fetch = address;
		return -EFAULT;
	}
	step.output = ret_context->half[0].root;
	tell(nesting, &step);
	return 0;
}

/* Reads entries of stage-1 tables for the walk, and remembers what stage 2 said against it. */
struct entry_reader {
	struct ward_nesting nesting;
	uint64_t input;
	uint64_t address; /* of the last entry, where it is read */
	bool refused;	  /* by stage 2 */
	struct ward_fault fault;
};

static int read_entry(void *context, uint64_t gpa, uint64_t *ret_entry,
		      struct ward_fault *ret_fault)
{
	struct entry_reader *reader = context;

	reader->address = gpa;
	if (locate(&reader->nesting, gpa, WARD_CLASS_TABLE, &reader->address, &reader->fault)) {
		reader->refused = true;
		*ret_fault = reader->fault;
		return -EFAULT;
	}
	return ward_memory_read_u64(reader->nesting.memory, reader->address, ret_entry) ? -EFAULT
											: 0;
}

static void tell_entry(void *context, int level, uint64_t entry_at, uint64_t entry, uint64_t output)
{
	struct entry_reader *reader = context;
	const struct ward_walk_step step = {
		.stage = 1,
		.level = (int8_t)level,
		.input = reader->input,
		.entry_at = entry_at,
		.entry = entry,
		.output = output,
	};

	tell(&reader->nesting, &step);
	/* Past the leaf, only its neighbours are read, to see how far it goes: no steps. */
	if (level == WARD_TABLE_LAST_LEVEL || (entry & 3) == 1)
		reader->nesting.step = NULL;
}

/* The half an address belongs to, or -1: the bits above its table's reach are not all alike. */
static int choose_half(const struct ward_context *context, uint64_t iova)
{
	unsigned int half = iova >> 55 & 1;
	const struct ward_table *table = &context->half[half];
	uint64_t above;

	if (context->disabled[half])
		return -1;
	above = UINT64_MAX >> (context->ignores_top[half] ? 8 : 0) & UINT64_MAX
									     << table->input_bits;
	return (iova & above) == (half ? above : 0) ? (int)half : -1;
}

static int walk_stage1(const struct ward_nesting *nesting, const struct ward_context *context,
		       uint64_t iova, uint32_t access, struct ward_table_leaf *ret_leaf,
		       struct ward_fault *ret_fault)
{
	struct entry_reader reader = { .nesting = *nesting, .input = iova };
	const struct ward_entry_reader entries = { .read = read_entry, .context = &reader };
	struct ward_fault fault = { .level = WARD_NO_LEVEL };
	int half = choose_half(context, iova);
	const struct ward_table *table;

	if (half < 0) {
		fail(ret_fault, WARD_FAULT_TRANSLATION, WARD_CLASS_INPUT, 1);
		ret_fault->level = 0;
		return -EFAULT;
	}
	table = &context->half[half];
	if (ward_table_walk(table, &entries, iova & (UINT64_MAX >> (64 - table->input_bits)),
			    access, nesting->step ? tell_entry : NULL, &reader, ret_leaf,
			    &fault) == 0)
		return 0;
	if (reader.refused) {
		*ret_fault = reader.fault;
		return -EFAULT;
	}
	fault.stage = 1;
	fault.fault_class = fault.reason == WARD_FAULT_TABLE ? WARD_CLASS_TABLE : WARD_CLASS_INPUT;
	if (fault.reason == WARD_FAULT_TABLE)
		fault.fetch = reader.address;
	*ret_fault = fault;
	return -EFAULT;
}

/* Stage 1 left out: an address is a gpa, if it has no more bits than one. */
static int bypass_stage1(const struct ward_stage1 *stage1, uint64_t iova,
			 struct ward_nested_leaf *ret_leaf, struct ward_fault *ret_fault)
{
	unsigned int bits = stage1->features.output_bits;
	uint64_t last = bits > 0 && bits < 64 ? UINT64_MAX >> (64 - bits) : UINT64_MAX;

	if (iova > last)
		return fail(ret_fault, WARD_FAULT_ADDRESS_SIZE, WARD_CLASS_INPUT, 1);
	*ret_leaf = (struct ward_nested_leaf){
		.translation = {
			.target = ward_target(iova),
			.access = ALL_ACCESS,
			.type = WARD_NORMAL,
			.input = { 0, last },
		},
		.gpa = iova,
		.access1 = ALL_ACCESS,
		.access2 = ALL_ACCESS,
		.level1 = WARD_NO_LEVEL,
	};
	return 0;
}

int ward_context_walk(const struct ward_nesting *nesting, const struct ward_stage1 *stage1,
		      const struct ward_context *context, ward_iova_t iova, uint32_t access,
		      struct ward_nested_leaf *ret_leaf, struct ward_fault *ret_fault)
{
	uint64_t raw = ward_iova_raw(iova), input;
	struct ward_table_leaf leaf;

	if (!context)
		return bypass_stage1(stage1, raw, ret_leaf, ret_fault);
	if (walk_stage1(nesting, context, raw, access, &leaf, ret_fault))
		return -EFAULT;
	/* The table knows its own input bits only; the address may have others above them. */
	input = raw & (UINT64_MAX >> (64 - context->half[raw >> 55 & 1].input_bits));
	*ret_leaf = (struct ward_nested_leaf){
		.translation = {
			.target = ward_target(leaf.output),
			.access = leaf.access,
			.type = leaf.type,
			.input = { raw - (input - leaf.input.start),
				   raw + (leaf.input.last - input) },
		},
		.gpa = leaf.output,
		.access1 = leaf.access,
		.access2 = ALL_ACCESS,
		.level1 = (int8_t)leaf.level,
		.global = !(leaf.entry >> 11 & 1),
	};
	return 0;
}

int ward_nested_finish(const struct ward_nesting *nesting, ward_iova_t iova, uint32_t access,
		       struct ward_nested_leaf *leaf, struct ward_fault *ret_fault)
{
	struct ward_translation end, *translation = &leaf->translation;
	uint64_t raw = ward_iova_raw(iova), before, after;

	if (through_stage2(nesting, leaf->gpa, access, WARD_CLASS_INPUT, &end, ret_fault))
		return -EFAULT;
	/* What both stages cover around the address: the smaller of the two, either way. */
	before = raw - translation->input.start;
	after = translation->input.last - raw;
	if (before > leaf->gpa - end.input.start)
		before = leaf->gpa - end.input.start;
	if (after > end.input.last - leaf->gpa)
		after = end.input.last - leaf->gpa;
	leaf->access2 = end.access;
	translation->target = end.target;
	translation->access &= end.access;
	translation->type = ward_type_combine(translation->type, end.type);
	translation->input = (struct ward_range){ raw - before, raw + after };
	return 0;
}

/* Stage 1 alone, up to the gpa. */
static int first_stage(const struct ward_nesting *nesting, const struct ward_stage1 *stage1,
		       ward_pasid_t pasid, ward_iova_t iova, uint32_t access,
		       struct ward_nested_leaf *ret_leaf, struct ward_fault *ret_fault)
{
	struct ward_context context;
	uint32_t index = WARD_CONTEXT_BYPASS;

	if (stage1->kind == WARD_STAGE1_TABLES) {
		if (ward_context_choose(stage1, pasid, &index, ret_fault))
			return -EFAULT;
	} else if (stage1->kind != WARD_STAGE1_BYPASS) {
		return fail(ret_fault, WARD_FAULT_BLOCKED, WARD_CLASS_INPUT, 0);
	} else if (ward_pasid_raw(pasid) != ward_pasid_raw(WARD_PASID_NONE)) {
		return fail(ret_fault, WARD_FAULT_PASID, WARD_CLASS_INPUT, 0);
	}
	if (index != WARD_CONTEXT_BYPASS &&
	    ward_context_fetch(nesting, stage1, index, &context, ret_fault))
		return -EFAULT;
	return ward_context_walk(nesting, stage1, index == WARD_CONTEXT_BYPASS ? NULL : &context,
				 iova, access, ret_leaf, ret_fault);
}

/* A space of ours as stage 2. */
struct space_below {
	const struct ward_space *parent;
	struct ward_reader *reader;
};

static int ask_parent(void *context, ward_gpa_t gpa, uint32_t access,
		      struct ward_translation *ret_translation, struct ward_fault *ret_fault)
{
	const struct space_below *below = context;

	return ward_space_translate(below->parent, below->reader, WARD_PASID_NONE,
				    ward_iova(ward_gpa_raw(gpa)), access, ret_translation,
				    ret_fault);
}

static int give_up(const struct ward_fault *fault, ward_iova_t iova, uint32_t access,
		   struct ward_fault *ret_fault)
{
	if (ret_fault) {
		*ret_fault = *fault;
		ret_fault->iova = iova;
		ret_fault->access = access;
	}
	return -EFAULT;
}

int ward_nested_translate(const struct ward_stage1 *stage1, const struct ward_space *parent,
			  struct ward_reader *reader, ward_pasid_t pasid, ward_iova_t iova,
			  uint32_t access, struct ward_translation *ret_translation,
			  struct ward_fault *ret_fault)
{
	struct space_below below = { parent, reader };
	const struct ward_nesting nesting = {
		.memory = stage1->memory,
		.stage2 = ask_parent,
		.context = &below,
	};
	struct ward_nested_leaf leaf;
	struct ward_fault fault;

	if (first_stage(&nesting, stage1, pasid, iova, access, &leaf, &fault) ||
	    ward_nested_finish(&nesting, iova, access, &leaf, &fault))
		return give_up(&fault, iova, access, ret_fault);
	*ret_translation = leaf.translation;
	return 0;
}

/* What a walk of a space needs; false: it is no nested one. */
static bool look_into(const struct ward_space *space, struct ward_space_info *ret_info,
		      struct space_below *ret_below, struct ward_nesting *ret_nesting)
{
	ward_space_info(space, ret_info);
	if (ret_info->kind != WARD_SPACE_NESTED)
		return false;
	*ret_below = (struct space_below){ .parent = ret_info->parent };
	*ret_nesting = (struct ward_nesting){
		.memory = ret_info->stage1->memory,
		.stage2 = ask_parent,
		.context = ret_below,
	};
	return true;
}

int ward_space_walk(const struct ward_space *space, ward_pasid_t pasid, ward_iova_t iova,
		    uint32_t access, void (*step)(void *context, const struct ward_walk_step *step),
		    void *context, struct ward_translation *ret_translation,
		    struct ward_fault *ret_fault)
{
	struct ward_space_info info;
	struct space_below below;
	struct ward_nesting nesting;
	struct ward_nested_leaf leaf;
	struct ward_fault fault;

	if (!look_into(space, &info, &below, &nesting))
		return -EINVAL;
	nesting.step = step;
	nesting.step_context = context;
	if (first_stage(&nesting, info.stage1, pasid, iova, access, &leaf, &fault) ||
	    ward_nested_finish(&nesting, iova, access, &leaf, &fault))
		return give_up(&fault, iova, access, ret_fault);
	*ret_translation = leaf.translation;
	return 0;
}

int ward_space_stage1(const struct ward_space *space, ward_pasid_t pasid, ward_iova_t iova,
		      uint32_t access, ward_gpa_t *ret_gpa, struct ward_fault *ret_fault)
{
	struct ward_space_info info;
	struct space_below below;
	struct ward_nesting nesting;
	struct ward_nested_leaf leaf;
	struct ward_fault fault;

	if (!look_into(space, &info, &below, &nesting))
		return -EINVAL;
	if (first_stage(&nesting, info.stage1, pasid, iova, access, &leaf, &fault))
		return give_up(&fault, iova, access, ret_fault);
	*ret_gpa = ward_gpa(leaf.gpa);
	return 0;
}

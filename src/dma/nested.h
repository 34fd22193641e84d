/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A DMA's way through a stage 1 that we do not trust: context descriptor table -> context
 * descriptor -> stage-1 tables -> stage 2. Written once, for spaces (a guest's memory, behind a
 * space of ours) and for the emulated SMMU (machine memory, behind stage-2 tables). No lock, no
 * allocation, nothing kept. Faults of the single steps lack iova and access: the caller knows them.
 */
#ifndef DMA_NESTED_H
#define DMA_NESTED_H

#include <doorward/reader.h>
#include <doorward/stage1.h>

#include "dma/ste.h"

/* Where the tables of a stage 1 are, and what translates their addresses. */
struct ward_nesting {
	const struct ward_memory *memory;
	/* Tables are read where stage 2 leads, rather than at the address that went into it. */
	bool reads_targets;
	bool protects_tables; /* no table where stage 2 says device */
	/*
	 * The stage 2: 0, or -EFAULT with reason, stage, level and fetch filled (the rest is the
	 * caller's). NULL: there is none, addresses are used as they are.
	 */
	int (*stage2)(void *context, ward_gpa_t gpa, uint32_t access,
		      struct ward_translation *ret_translation, struct ward_fault *ret_fault);
	void *context;
	void (*step)(void *context, const struct ward_walk_step *step); /* or NULL */
	void *step_context;
};

/* No context: stage 1 is bypassed. */
#define WARD_CONTEXT_BYPASS UINT32_MAX

/* Which context a request uses, of a stage 1 with tables. 0, or -EFAULT: reason PASID. */
int ward_context_choose(const struct ward_stage1 *stage1, ward_pasid_t pasid, uint32_t *ret_index,
			struct ward_fault *ret_fault);

/* Reads and decodes it. 0, or -EFAULT: PASID, CONTEXT, TABLE, or of stage 2 with class CONTEXT. */
int ward_context_fetch(const struct ward_nesting *nesting, const struct ward_stage1 *stage1,
		       uint32_t index, struct ward_context *ret_context,
		       struct ward_fault *ret_fault);

/* What both stages made of an address, kept apart for caches. */
struct ward_nested_leaf {
	struct ward_translation translation;
	uint64_t gpa;		   /* what stage 1 put out */
	uint32_t access1, access2; /* of each stage; all where there is none */
	int8_t level1;		   /* of the leaf of stage 1, or WARD_NO_LEVEL */
	bool global;		   /* nG clear: for all ASIDs */
};

/* Through stage 1 alone; translation leads to the gpa. context NULL: bypassed. */
int ward_context_walk(const struct ward_nesting *nesting, const struct ward_stage1 *stage1,
		      const struct ward_context *context, ward_iova_t iova, uint32_t access,
		      struct ward_nested_leaf *ret_leaf, struct ward_fault *ret_fault);

/* Goes on from there through stage 2; *leaf then leads to the end. */
int ward_nested_finish(const struct ward_nesting *nesting, ward_iova_t iova, uint32_t access,
		       struct ward_nested_leaf *leaf, struct ward_fault *ret_fault);

/*
 * ward_space_translate of a nested space: stage1 over parent. 0 or -EFAULT with *ret_fault filled;
 * ret_fault may be NULL.
 */
int ward_nested_translate(const struct ward_stage1 *stage1, const struct ward_space *parent,
			  struct ward_reader *reader, ward_pasid_t pasid, ward_iova_t iova,
			  uint32_t access, struct ward_translation *ret_translation,
			  struct ward_fault *ret_fault);

#endif

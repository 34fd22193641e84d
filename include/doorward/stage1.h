/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * A guest's stage 1: tables in guest memory that we do not trust, walked over our stage 2. What a VM
 * monitor asks to learn where an address written by its guest leads, and what an emulated SMMU does.
 *
 * Threads: as for ward_space_translate: where another thread may change the stage 2 meanwhile, call
 * ward_space_walk and ward_space_stage1 between ward_reader_enter and ward_reader_exit.
 *
 * Sources: Arm IHI 0070 (SMMUv3) chapter 5 for STE and CD, 13 for attributes; Arm DDI 0487 D8 for
 * tables.
 */
#ifndef DOORWARD_STAGE1_H
#define DOORWARD_STAGE1_H

#include <doorward/space.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct ward_memory;

/** What the SMMU that the guest sees can do; it decides which configurations are legal. */
struct ward_smmu_features {
	uint8_t output_bits;	 /**< OAS: 32, 36, 40, 42, 44, 48 or 52 */
	uint8_t granules;	 /**< WARD_GRANULE_* that may be used */
	uint8_t substream_bits;	 /**< SSIDSIZE, 0 to 20 */
	bool two_level_contexts; /**< CD2L */
	bool stage1, stage2;
};

#define WARD_GRANULE_4K 0x1u
#define WARD_GRANULE_16K 0x2u
#define WARD_GRANULE_64K 0x4u

enum ward_stage1_kind {
	WARD_STAGE1_ABORT,  /**< every DMA is dropped, without a word */
	WARD_STAGE1_BYPASS, /**< addresses are guest physical addresses */
	WARD_STAGE1_TABLES, /**< context descriptors and tables */
};

/** What requests without PASID do when contexts are chosen by PASID (STE.S1DSS). */
enum ward_stage1_default {
	WARD_STAGE1_DEFAULT_FAULT,
	WARD_STAGE1_DEFAULT_BYPASS,
	WARD_STAGE1_DEFAULT_CONTEXT0, /**< context 0, which PASID 0 must not use then */
};

/** How context descriptors are laid out (STE.S1Fmt). */
enum ward_context_layout {
	WARD_CONTEXTS_LINEAR,
	WARD_CONTEXTS_TWO_LEVEL_4K,  /**< leaves of 64 descriptors */
	WARD_CONTEXTS_TWO_LEVEL_64K, /**< leaves of 1024 descriptors */
};

/** A stage 1, as a guest's stream table entry asks for it. */
struct ward_stage1 {
	enum ward_stage1_kind kind;
	ward_gpa_t contexts; /**< address of the context descriptor (table) */
	enum ward_context_layout layout;
	uint8_t pasid_bits; /**< S1CDMax: 0, one context and no PASIDs */
	enum ward_stage1_default without_pasid;
	struct ward_smmu_features features;
	/**
	 * Where tables are read: guest memory, at the addresses that the stage 2 says; a stage 2
	 * whose targets are guest physical addresses. Borrowed, outlives the space.
	 */
	const struct ward_memory *memory;
};

/**
 * Reads a guest's stream table entry.
 * @param ste its eight 64-bit words, little-endian as in memory
 * @param features what the SMMU that the guest sees can do
 * @param ret_stage1 what it asks for; memory is left NULL
 * @return 0; -EINVAL it is invalid or illegal (C_BAD_STE): a device that uses it faults
 */
int ward_stage1_from_ste(const uint64_t ste[8], const struct ward_smmu_features *features,
			 struct ward_stage1 *ret_stage1);

/** One step of a walk, for explanations. */
struct ward_walk_step {
	uint8_t stage;	   /**< 1 or 2; 0: a context descriptor */
	int8_t level;	   /**< of the table, or WARD_NO_LEVEL */
	uint64_t input;	   /**< what is looked up: an iova, or a gpa */
	uint64_t entry_at; /**< address of the entry read (stage 1: guest physical), or 0 */
	uint64_t entry;	   /**< its value, or 0 */
	uint64_t output;   /**< what came of it */
};

/**
 * Translates as ward_space_translate does and tells every step.
 * @param space a nested space
 * @param pasid or WARD_PASID_NONE
 * @param iova the address
 * @param access what is tried
 * @param step called for each step in order; may be NULL
 * @param context handed to step
 * @param ret_translation where it leads
 * @param ret_fault the fault, when -EFAULT is returned; may be NULL
 * @return 0; -EFAULT; -EINVAL the space is not a nested one
 */
int ward_space_walk(const struct ward_space *space, ward_pasid_t pasid, ward_iova_t iova,
		    uint32_t access, void (*step)(void *context, const struct ward_walk_step *step),
		    void *context, struct ward_translation *ret_translation,
		    struct ward_fault *ret_fault);

/**
 * Where an address of a guest leads in the guest's own terms: through its stage 1 only. This is
 * what tells which doorbell a message written by a guest rings.
 * @param space a nested space
 * @param pasid or WARD_PASID_NONE
 * @param iova the address
 * @param access what is tried
 * @param ret_gpa the guest physical address
 * @param ret_fault the fault, when -EFAULT is returned; may be NULL
 * @return 0; -EFAULT; -EINVAL the space is not a nested one
 */
int ward_space_stage1(const struct ward_space *space, ward_pasid_t pasid, ward_iova_t iova,
		      uint32_t access, ward_gpa_t *ret_gpa, struct ward_fault *ret_fault);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

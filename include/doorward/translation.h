/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * What becomes of one DMA: where it leads, or the fault it ends in.
 */
#ifndef DOORWARD_TRANSLATION_H
#define DOORWARD_TRANSLATION_H

#include <doorward/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/** What a request does, and what a mapping lets it do. */
#define WARD_READ 0x1u
#define WARD_WRITE 0x2u
#define WARD_EXEC 0x4u

/**
 * Memory types, in the order of strictness of the Arm architecture (Arm DDI 0487, D8.6): of two
 * stages, the smaller one wins. MMIO (Linux's IOMMU_MMIO) is mapped as WARD_DEVICE_NGNRE, ordinary
 * memory as WARD_NORMAL.
 */
enum ward_memory_type {
	WARD_DEVICE_NGNRNE,
	WARD_DEVICE_NGNRE,
	WARD_DEVICE_NGRE,
	WARD_DEVICE_GRE,
	WARD_NORMAL_NC, /**< not cached */
	WARD_NORMAL_WT, /**< write-through */
	WARD_NORMAL,	/**< write-back */
};

/** Where a DMA leads. */
struct ward_translation {
	ward_target_t target; /**< of the very byte asked for */
	uint32_t access;      /**< WARD_READ and so on: all that this mapping lets through */
	enum ward_memory_type type;
	/** Input addresses around it for which target, access and type go on alike. */
	struct ward_range input;
};

enum ward_fault_reason {
	WARD_FAULT_BLOCKED,	 /**< it is in no space, or in a blocked one; or it is frozen */
	WARD_FAULT_CONFIG,	 /**< its configuration (STE, context entry) makes no sense */
	WARD_FAULT_PASID,	 /**< the PASID has no context, or none is allowed */
	WARD_FAULT_CONTEXT,	 /**< its context (CD) makes no sense */
	WARD_FAULT_TRANSLATION,	 /**< nothing is mapped there */
	WARD_FAULT_PERMISSION,	 /**< mapped, but not for this access */
	WARD_FAULT_ADDRESS_SIZE, /**< an address beyond what the stage can put out */
	WARD_FAULT_ACCESS_FLAG,	 /**< the entry's access flag is clear */
	WARD_FAULT_TABLE,	 /**< a table or context could not be read: no memory there */
};

/** What was being looked up when it went wrong (Arm IHI 0070, event CLASS). */
enum ward_fault_class {
	WARD_CLASS_INPUT,   /**< the address of the DMA itself, on its way through the stages */
	WARD_CLASS_TABLE,   /**< the address of a stage-1 table, going through stage 2 */
	WARD_CLASS_CONTEXT, /**< the address of a context descriptor, going through stage 2 */
};

/** A level that says nothing. */
#define WARD_NO_LEVEL (-1)

/** A fault. */
struct ward_fault {
	enum ward_fault_reason reason;
	enum ward_fault_class fault_class;
	uint8_t stage;	  /**< 1 or 2; 0 before any stage. One-stage spaces count as stage 2 */
	int8_t level;	  /**< of the table walked, or WARD_NO_LEVEL */
	uint32_t access;  /**< what was tried, of the request (not of the table walk) */
	ward_iova_t iova; /**< the address of the DMA */
	ward_gpa_t gpa;	  /**< stage 2: the address that went into it */
	uint64_t fetch;	  /**< address of the entry that could not be read or was wrong, or 0 */
};

/** Room for the sentence of a fault. */
#define WARD_FAULT_TEXT 192

/**
 * Says a fault in one sentence: "write to 0x8000040: stage 2 maps nothing at 0x80900040 (level 3)".
 * @param fault a fault
 * @param ret_text receives the sentence
 * @param size room for it
 */
void ward_fault_format(const struct ward_fault *fault, char *ret_text, size_t size);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

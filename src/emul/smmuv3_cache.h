/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What an SMMUv3 remembers until it is told to forget: stream table entries, contexts, translations.
 * All of a fixed size; what falls onto the place of another replaces it.
 */
#ifndef EMUL_SMMUV3_CACHE_H
#define EMUL_SMMUV3_CACHE_H

#include "dma/ste.h"

#define WARD_SMMUV3_STES 64u
#define WARD_SMMUV3_CONTEXTS 64u
#define WARD_SMMUV3_TLB_SETS 64u
#define WARD_SMMUV3_TLB_WAYS 4u

/* What a translation covers; a bit each, for invalidation. 0: the place is empty. */
#define WARD_TLB_STAGE1 0x1u
#define WARD_TLB_STAGE2 0x2u /* a gpa, on its way to memory */
#define WARD_TLB_BOTH 0x4u   /* stage 1 and stage 2 in one */

/*
 * One translation, kept by the 4 KiB page that was asked for. input: what goes on alike; leaf: what
 * the leaf of the first stage there is covers, any page of which names it for invalidation.
 */
struct ward_smmuv3_tlb_entry {
	uint64_t page, target, gpa; /* page, and where its first byte leads */
	struct ward_range input, leaf;
	uint16_t vmid, asid;
	uint8_t kind;
	bool global; /* for every asid */
	int8_t level1, level2;
	uint8_t access1, access2; /* of each stage */
	enum ward_memory_type type;
};

struct ward_smmuv3_cache {
	struct {
		bool valid;
		ward_sid_t sid;
		struct ward_ste ste;
	} stes[WARD_SMMUV3_STES];
	struct {
		bool valid;
		ward_sid_t sid;
		uint32_t index;
		struct ward_context context;
	} contexts[WARD_SMMUV3_CONTEXTS];
	struct ward_smmuv3_tlb_entry tlb[WARD_SMMUV3_TLB_SETS][WARD_SMMUV3_TLB_WAYS];
	uint8_t next_way[WARD_SMMUV3_TLB_SETS];
};

const struct ward_ste *ward_smmuv3_cached_ste(const struct ward_smmuv3_cache *cache,
					      ward_sid_t sid);
const struct ward_ste *ward_smmuv3_cache_ste(struct ward_smmuv3_cache *cache, ward_sid_t sid,
					     const struct ward_ste *ste);
/* Forgets the entries of first..last, and with them their contexts. */
void ward_smmuv3_forget_stes(struct ward_smmuv3_cache *cache, uint32_t first, uint32_t last);

const struct ward_context *ward_smmuv3_cached_context(const struct ward_smmuv3_cache *cache,
						      ward_sid_t sid, uint32_t index);
void ward_smmuv3_cache_context(struct ward_smmuv3_cache *cache, ward_sid_t sid, uint32_t index,
			       const struct ward_context *context);
/* index WARD_NONE: all contexts of the stream. */
void ward_smmuv3_forget_contexts(struct ward_smmuv3_cache *cache, ward_sid_t sid, uint32_t index);

/* What a translation is looked up by. */
struct ward_smmuv3_tlb_key {
	uint8_t kind;
	uint16_t vmid, asid; /* WARD_TLB_STAGE2 has no asid */
	uint64_t input;
};

const struct ward_smmuv3_tlb_entry *ward_smmuv3_tlb_find(const struct ward_smmuv3_cache *cache,
							 const struct ward_smmuv3_tlb_key *key);
void ward_smmuv3_tlb_add(struct ward_smmuv3_cache *cache,
			 const struct ward_smmuv3_tlb_entry *entry);

/* What to forget: entries to which all of this applies. */
struct ward_smmuv3_tlb_filter {
	uint8_t kinds;
	bool any_vmid, any_asid;
	bool keeps_global; /* those for every asid stay */
	uint16_t vmid, asid;
	struct ward_range input;
};
void ward_smmuv3_tlb_forget(struct ward_smmuv3_cache *cache,
			    const struct ward_smmuv3_tlb_filter *filter);

#endif

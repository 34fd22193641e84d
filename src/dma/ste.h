/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Stream table entries and context descriptors of SMMUv3 (Arm IHI 0070, 5.2 and 5.4): decoded, with
 * everything that makes them illegal. What they ask for beyond the features below is illegal, too:
 * AArch64 tables only (TTF 2), little-endian only (TTENDIAN 2), no stalls (STALL_MODEL 1), always
 * abort (TERM_MODEL 1), no hardware update of flags (HTTU 0), no EL2 (HYP 0), no small tables (STT
 * 0), no split-stage ATS (NS1ATS 1), stage-1 addresses of 48 bits at most (VAX 0). Not looked at,
 * since not there, either: forced write-back (FWB 0) and what a request says of its privilege
 * (ATTR_PERMS_OVR 0; all are unprivileged data).
 */
#ifndef DMA_STE_H
#define DMA_STE_H

#include <doorward/stage1.h>

#include "dma/table.h"

#define WARD_STE_WORDS 8u
#define WARD_STE_BYTES 64u
#define WARD_CONTEXT_WORDS 8u
#define WARD_CONTEXT_BYTES 64u

struct ward_ste {
	/* What becomes of the address before stage 2; kind, contexts and so on. */
	struct ward_stage1 stage1;
	bool has_stage2;
	struct ward_table stage2;
	uint16_t vmid;	      /* S2VMID; tags a stage 1 without stage 2 as well */
	bool ats;	      /* EATS 1: translated requests pass */
	bool protects_tables; /* S2PTW: no stage-1 table in device memory */
	bool records;	      /* S2R: faults of stage 2 are recorded */
	bool overrides_type;  /* MTCFG: requests come in as type */
	enum ward_memory_type type;
};

/* Returns 0 or -EINVAL (C_BAD_STE). features are copied into stage1; memory is left NULL. */
int ward_ste_decode(const uint64_t words[WARD_STE_WORDS], const struct ward_smmu_features *features,
		    struct ward_ste *ret_ste);

/* One context: two halves of the address range, each with a table of its own. */
struct ward_context {
	struct ward_table half[2]; /* input: the address without the bits above input_bits */
	bool disabled[2];	   /* EPD */
	bool ignores_top[2];	   /* TBI: address bits 63:56 say nothing */
	uint16_t asid;
	bool records; /* R: faults of stage 1 are recorded */
};

/* Returns 0 or -EINVAL (C_BAD_CD). */
int ward_context_decode(const uint64_t words[WARD_CONTEXT_WORDS],
			const struct ward_smmu_features *features,
			struct ward_context *ret_context);

#endif

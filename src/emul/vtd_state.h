/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What the parts of the VT-d share: registers, caches, fault reasons. */
#ifndef EMUL_VTD_STATE_H
#define EMUL_VTD_STATE_H

#include "emul/vtd.h"

/* Powers of two. */
#define VTD_CONTEXTS 64u
#define VTD_TRANSLATIONS 256u
#define VTD_INTERRUPTS 64u

#define VTD_TE (1u << 31)
#define VTD_SRTP (1u << 30)
#define VTD_QIE (1u << 26)
#define VTD_IRE (1u << 25)
#define VTD_SIRTP (1u << 24)
#define VTD_CFI (1u << 23)

#define VTD_PFO (1u << 0)
#define VTD_PPF (1u << 1)
#define VTD_IQE (1u << 4)
#define VTD_ITE (1u << 6)

/* Largest address mask of a page-selective invalidation (CAP.MAMV): 1 GiB. */
#define VTD_MAMV 18u

/* Fault reasons (VT-d specification, 7.1.3, appendix A). */
enum vtd_reason {
	VTD_ROOT_ABSENT = 0x1,
	VTD_CONTEXT_ABSENT = 0x2,
	VTD_CONTEXT_INVALID = 0x3,
	VTD_BEYOND_WIDTH = 0x4,
	VTD_NO_WRITE = 0x5,
	VTD_NO_READ = 0x6,
	VTD_TABLE_UNREADABLE = 0x7,
	VTD_ROOT_UNREADABLE = 0x8,
	VTD_CONTEXT_UNREADABLE = 0x9,
	VTD_ROOT_RESERVED = 0xa,
	VTD_CONTEXT_RESERVED = 0xb,
	VTD_TABLE_RESERVED = 0xc,
	VTD_TRANSLATED_BLOCKED = 0xd,
	/* Of interrupts. */
	VTD_REQUEST_RESERVED = 0x20,
	VTD_INDEX_BEYOND = 0x21,
	VTD_ENTRY_ABSENT = 0x22,
	VTD_ENTRY_UNREADABLE = 0x23,
	VTD_ENTRY_RESERVED = 0x24,
	VTD_COMPATIBLE_BLOCKED = 0x25,
	VTD_SOURCE_WRONG = 0x26,
	VTD_UNRECORDED = 0x100, /* not one of the specification's: leaves no record */
};

enum vtd_type {
	VTD_UNTRANSLATED_ONLY = 0,
	VTD_DEVICE_CACHES = 1,
	VTD_PASS_THROUGH = 2,
};

struct vtd_context {
	bool valid, silent; /* silent: FPD */
	uint8_t type, input_bits;
	uint16_t sid, domain;
	uint64_t table;
};

struct vtd_translation {
	bool valid;
	uint16_t domain;
	uint32_t access;
	struct ward_range input;
	uint64_t output; /* of input.start */
};

/* An interrupt remapping table entry. */
struct vtd_interrupt {
	bool valid;
	uint16_t index;
	uint64_t low, high;
};

struct vtd_record {
	uint64_t low, high;
};

struct ward_vtd {
	struct ward_vtd_options options;
	struct ward_vtd_counts counts;
	/* Registers with a value of their own. */
	uint64_t rtaddr, ccmd, iqh, iqt, iqa, iva, iotlb, irta;
	uint32_t gsts, fsts, ics;
	uint32_t events[8]; /* FECTL, FEDATA, FEADDR, FEUADDR, and the same of IE */
	uint64_t root;	    /* latched by SRTP */
	uint64_t remapping; /* IRTA, latched by SIRTP */
	struct vtd_record records[WARD_VTD_RECORDS];
	uint32_t next_record;
	bool device_unanswered; /* since the last wait descriptor */
	struct vtd_context contexts[VTD_CONTEXTS];
	struct vtd_translation translations[VTD_TRANSLATIONS];
	struct vtd_interrupt interrupts[VTD_INTERRUPTS];
};

/* FSTS with PPF as the records have it. */
uint32_t ward_vtd_fault_status(const struct ward_vtd *vtd);
void ward_vtd_record(struct ward_vtd *vtd, const struct ward_emul_request *request,
		     enum vtd_reason reason);
/* Of an interrupt; index: its entry, where it has one. */
void ward_vtd_record_interrupt(struct ward_vtd *vtd, ward_rid_t rid, uint16_t index,
			       enum vtd_reason reason);
void ward_vtd_clear_record(struct ward_vtd *vtd, unsigned int index);

/* Invalidation by granularity as registers and descriptors have it; false: there is none such. */
bool ward_vtd_invalidate_contexts(struct ward_vtd *vtd, unsigned int granularity, uint16_t domain,
				  uint16_t sid, unsigned int function_mask);
bool ward_vtd_invalidate_translations(struct ward_vtd *vtd, unsigned int granularity,
				      uint16_t domain, uint64_t address, unsigned int mask);
/* Entries index to index + 2^mask - 1, aligned so; all: all there are. */
void ward_vtd_invalidate_interrupts(struct ward_vtd *vtd, bool all, uint16_t index,
				    unsigned int mask);
/* Carries out what is in the queue, as far as it may. */
void ward_vtd_run_queue(struct ward_vtd *vtd);

#endif

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What an emulated SMMUv3 is made of, for the files smmuv3*.c. */
#ifndef EMUL_SMMUV3_STATE_H
#define EMUL_SMMUV3_STATE_H

#include "dma/nested.h"
#include "emul/smmuv3.h"
#include "emul/smmuv3_cache.h"

/* CR0 */
#define WARD_CR0_SMMUEN 0x01u
#define WARD_CR0_EVENTQEN 0x04u
#define WARD_CR0_CMDQEN 0x08u
#define WARD_CR0_ATSCHK 0x10u
/* CR2 */
#define WARD_CR2_RECINVSID 0x2u
/* GBPA */
#define WARD_GBPA_MTCFG 0x10u
#define WARD_GBPA_ABORT 0x100000u
#define WARD_GBPA_UPDATE 0x80000000u
/* GERROR: active when GERRORN differs */
#define WARD_GERROR_CMDQ 0x1u
#define WARD_GERROR_EVENTQ_ABT 0x4u
/* EVENTQ_PROD.OVFLG, EVENTQ_CONS.OVACKFLG */
#define WARD_QUEUE_OVERFLOW 0x80000000u

/* Values of registers, each in a field of its own; 32-bit ones have the upper half clear. */
struct ward_smmuv3_registers {
	uint64_t idr[6], aidr, cr0, cr1, cr2, gbpa, irq_ctrl, gerror, gerrorn;
	uint64_t strtab_base, strtab_base_cfg;
	uint64_t cmdq_base, cmdq_prod, cmdq_cons;
	uint64_t eventq_base, eventq_prod, eventq_cons;
	uint64_t zero; /* registers of things that are not there */
};

/* Whose unread records the event queue holds; see the policy in smmuv3.h. */
struct ward_smmuv3_recorded {
	bool used;
	ward_sid_t sid;
	uint32_t unread;
	uint8_t halvings;
	uint64_t dropped;
};

struct ward_smmuv3 {
	struct ward_smmuv3_options options;
	struct ward_smmuv3_registers reg;
	struct ward_smmuv3_cache cache;
	struct ward_smmuv3_counts counts;
	bool invalidation_lost; /* a device did not answer since the last SYNC */
	struct ward_smmuv3_recorded *recorded;
	uint32_t recorded_max;
	uint32_t *owners; /* of each entry of the event queue: index of recorded, or WARD_NONE */
};

/* A queue in memory: size, and how its entries are numbered. */
static inline unsigned int ward_smmuv3_queue_bits(uint64_t base, unsigned int most)
{
	unsigned int bits = base & 0x1f;

	return bits < most ? bits : most;
}

static inline uint64_t ward_smmuv3_queue_entry(uint64_t base, unsigned int bits, uint64_t index,
					       unsigned int entry_size)
{
	uint64_t size = (uint64_t)entry_size << bits;

	/* Bases are aligned to the queue's size, 32 bytes at least. */
	return (base & 0x000fffffffffffe0 & ~((size < 32 ? 32 : size) - 1)) +
	       (index & ((1u << bits) - 1)) * entry_size;
}

/* Entries in it; more than it holds when software set them so. */
static inline uint32_t ward_smmuv3_queue_count(uint64_t prod, uint64_t cons, unsigned int bits)
{
	return (uint32_t)(prod - cons) & ((2u << bits) - 1);
}

/* smmuv3_command.c: takes commands until there are none or one is in error. */
void ward_smmuv3_run_commands(struct ward_smmuv3 *smmu);

/*
 * smmuv3_stream.c: the entry of a stream. room NULL: it is cached; else what is not cached yet is
 * put there. 0, or -EFAULT with the fault and the event's id.
 */
int ward_smmuv3_stream(struct ward_smmuv3 *smmu, ward_sid_t sid, struct ward_ste *room,
		       const struct ward_ste **ret_ste, struct ward_fault *ret_fault,
		       uint8_t *ret_event);

/* smmuv3_event.c */
enum ward_smmuv3_event {
	WARD_EVENT_NONE = 0,
	WARD_C_BAD_STREAMID = 0x02,
	WARD_F_STE_FETCH = 0x03,
	WARD_C_BAD_STE = 0x04,
	WARD_F_STREAM_DISABLED = 0x06,
	WARD_F_TRANSL_FORBIDDEN = 0x07,
	WARD_C_BAD_SUBSTREAMID = 0x08,
	WARD_F_CD_FETCH = 0x09,
	WARD_C_BAD_CD = 0x0a,
	WARD_F_WALK_EABT = 0x0b,
	WARD_F_TRANSLATION = 0x10,
	WARD_F_ADDR_SIZE = 0x11,
	WARD_F_ACCESS = 0x12,
	WARD_F_PERMISSION = 0x13,
};

/* Records an event of a request; id WARD_EVENT_NONE does nothing. */
void ward_smmuv3_record(struct ward_smmuv3 *smmu, const struct ward_emul_request *request,
			uint8_t id, const struct ward_fault *fault);
/* EVENTQ_CONS was written, and was old before. */
void ward_smmuv3_events_read(struct ward_smmuv3 *smmu, uint64_t old);
/* The event queue was switched on. */
void ward_smmuv3_events_start(struct ward_smmuv3 *smmu);

/* smmuv3_register.c */
void ward_smmuv3_reset(struct ward_smmuv3 *smmu);
/* Makes an error active; software acknowledges it. */
void ward_smmuv3_raise(struct ward_smmuv3 *smmu, uint64_t error);

#endif

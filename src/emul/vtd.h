/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Intel VT-d in software, legacy mode (VT-d specification 3.4: 9.1, 9.3, 9.8 tables; 7 faults; 6
 * caches and invalidation; 11 registers): root and context tables, second stage, fault recording
 * registers, register-based and queued invalidation; and interrupt remapping (chapter 5, 9.10).
 *
 * What it is like
 * - After creation TE is off: requests pass untranslated. SRTP takes the root table, TE switches on.
 * - Contexts and translations that worked are cached until they are invalidated; faults are not
 *   (CAP.CM is 0). A cached translation that lets too little through is walked for anew.
 * - Context entries: type 0, 1 (device caches, with ats), 2 (pass-through, ECAP.PT). Address widths
 *   as CAP.SAGAW says: 39 bits, and 48 where address_bits is 48.
 * - A fault is recorded in the next of WARD_VTD_RECORDS registers, else FSTS.PFO is set, and until
 *   it is cleared nothing is recorded. An entry's FPD keeps its faults out.
 * - Requests with a PASID are not for legacy mode: refused, and not recorded.
 * - Invalidation by registers, or by the queue once QIE is on (the registers then do nothing).
 *   Everything is done when the write returns. Wait descriptors write their status; a wait that
 *   finds a device's cache unanswered is dropped with FSTS.ITE, one that makes no sense stops the
 *   queue with FSTS.IQE; either goes on when the bit is cleared.
 * - Interrupt remapping: SIRTP takes the table and forgets entries (CAP.ESIRTPS), IRE switches on, CFI
 *   lets messages of the compatibility format pass; never where EIME is set. Entries that are present
 *   are cached until they are invalidated. Posted interrupts are not offered (CAP.PI is 0): the bit
 *   that says so in an entry is a reserved one.
 * - Interrupts of its own (fault, invalidation events) are not sent: FSTS and ICS are to be read.
 *
 * Threads: one at a time.
 */
#ifndef EMUL_VTD_H
#define EMUL_VTD_H

#include <doorward/memory.h>

#include "emul/apic.h"
#include "emul/controller.h"
#include "emul/iommu.h"

struct ward_vtd;

/* Registers for faults, and where they and those of the IOTLB are (CAP.FRO, ECAP.IRO). */
#define WARD_VTD_RECORDS 8u
#define WARD_VTD_RECORD_OFFSET 0x220u
#define WARD_VTD_IOTLB_OFFSET 0x100u

struct ward_vtd_options {
	struct ward_memory *memory; /* of the machine: borrowed */
	uint8_t address_bits;	    /* 39 or 48: three or four levels */
	uint8_t output_bits;	    /* host address width: 32 to 52 */
	bool ats;
	/*
	 * The cache of one device is to be invalidated: false, it did not answer (the next wait
	 * descriptor reports ITE). NULL: all answer.
	 */
	bool (*invalidate_device)(void *context, ward_sid_t sid, struct ward_range range);
	void *context;
	bool remaps_interrupts; /* ECAP.IR */
	bool x2apic;		/* ECAP.EIM: destinations of 32 bits, when IRTA.EIME says so */
};

extern const struct ward_emul_iommu_ops ward_vtd_iommu; /* iommu: struct ward_vtd * */

/*
 * A message on its way to APICs: address, data and rid count. 1: *ret_delivery is what an entry makes of
 * it. 0: it goes on as it is. -EPERM: blocked, *ret_interrupt says why, and a fault is recorded.
 */
int ward_vtd_remap(struct ward_vtd *vtd, const struct ward_emul_message *message,
		   struct ward_apic_delivery *ret_delivery, struct ward_interrupt *ret_interrupt);

/* 0, -EINVAL options, -ENOMEM */
int ward_vtd_create(const struct ward_vtd_options *options, struct ward_vtd **ret_vtd);
void ward_vtd_destroy(struct ward_vtd *vtd);

/* Register accesses of 4 or 8 bytes, aligned; -EINVAL for those that no register answers. */
int ward_vtd_read(struct ward_vtd *vtd, uint32_t offset, unsigned int size, uint64_t *ret_value);
int ward_vtd_write(struct ward_vtd *vtd, uint32_t offset, unsigned int size, uint64_t value);

struct ward_vtd_counts {
	uint64_t faults;	 /* recorded */
	uint64_t faults_dropped; /* registers full (FSTS.PFO), or the entry switches reporting off */
	uint64_t walks, hits;
};
void ward_vtd_counts(const struct ward_vtd *vtd, struct ward_vtd_counts *ret_counts);

#endif

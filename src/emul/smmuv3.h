/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * An SMMUv3 in software (Arm IHI 0070, non-secure): registers, stream table, contexts, command and
 * event queues in memory, caches that live until they are invalidated. What it has not is listed in
 * dma/ste.h; besides: no PRI, no MSIs of its own (MSI 0), no EL2 (HYP 0).
 *
 * Caches keep what was found valid, faults never. They are small, so that anything may also be
 * forgotten early; but nothing is looked at again on purpose before software invalidates it.
 *
 * Events: a full queue overflows as specified (OVFLG). Each time that happens, the stream with the
 * most unread records is held to half of what it could have before: the whole queue, a half, a
 * quarter, at least one record. While it has that many unread, its events are dropped and counted,
 * and there is room for the others. So one stream can fill the queue once, and n streams together a
 * few times n. Enabling the event queue anew forgives. Counts are kept for as many streams as
 * the queue has entries and 64 more; who has no unread record goes first when there are others.
 */
#ifndef EMUL_SMMUV3_H
#define EMUL_SMMUV3_H

#include <doorward/memory.h>
#include <doorward/stage1.h>

#include "emul/iommu.h"

struct ward_smmuv3;

struct ward_smmuv3_options {
	struct ward_memory *memory; /* of the machine: borrowed */
	struct ward_smmu_features features;
	uint8_t stream_bits;		  /* SIDSIZE, at most 32 */
	uint8_t command_bits, event_bits; /* log2 of the most queue entries, at most 19 */
	bool ats;
	/*
	 * The cache of one device is to be invalidated: false, it did not answer (the next SYNC
	 * reports CERROR_ATC_INV_SYNC). NULL: all answer.
	 */
	bool (*invalidate_device)(void *context, ward_sid_t sid, struct ward_range range);
	void *context;
};

extern const struct ward_emul_iommu_ops ward_smmuv3_iommu; /* iommu: struct ward_smmuv3 * */

/* Everything off, as after reset: nothing is translated. Returns 0, -EINVAL or -ENOMEM. */
int ward_smmuv3_create(const struct ward_smmuv3_options *options, struct ward_smmuv3 **ret_smmu);
void ward_smmuv3_destroy(struct ward_smmuv3 *smmu);

/*
 * Register accesses of 4 or 8 bytes, both pages (0 to 0x1ffff). Unknown registers read 0 and
 * ignore writes, as does any other size; returns -EINVAL then, so that a caller can tell.
 */
int ward_smmuv3_read(struct ward_smmuv3 *smmu, uint32_t offset, unsigned int size,
		     uint64_t *ret_value);
int ward_smmuv3_write(struct ward_smmuv3 *smmu, uint32_t offset, unsigned int size, uint64_t value);

struct ward_smmuv3_counts {
	uint64_t events;	 /* recorded */
	uint64_t events_dropped; /* by a full queue or a stream that was silenced */
	uint64_t silenced;	 /* times that a stream was held to less */
	uint64_t walks, hits;	 /* requests that walked a table, and that needed not to */
};
void ward_smmuv3_counts(const struct ward_smmuv3 *smmu, struct ward_smmuv3_counts *ret_counts);
/* Events of one stream that were dropped, as far back as is remembered. */
uint64_t ward_smmuv3_dropped(const struct ward_smmuv3 *smmu, ward_sid_t sid);

#endif

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * An SMMUv3 in software (Arm IHI 0070, non-secure): registers, stream table, contexts, command and
 * event queues in memory, caches that live until they are invalidated.
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
	uint8_t stream_bits;		  /* SIDSIZE */
	uint8_t command_bits, event_bits; /* log2 of the most queue entries */
	bool ats;
	/*
	 * The cache of one device is to be invalidated: false, it did not answer (the next SYNC
	 * reports CERROR_ATC_INV_SYNC). NULL: all answer.
	 */
	bool (*invalidate_device)(void *context, ward_sid_t sid, struct ward_range range);
	void *context;
};

extern const struct ward_emul_iommu_ops ward_smmuv3_iommu; /* iommu: struct ward_smmuv3 * */

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
	uint64_t silenced;	 /* streams whose recording was switched off */
	uint64_t walks, hits;
};
void ward_smmuv3_counts(const struct ward_smmuv3 *smmu, struct ward_smmuv3_counts *ret_counts);
uint64_t ward_smmuv3_dropped(const struct ward_smmuv3 *smmu, ward_sid_t sid);

#endif

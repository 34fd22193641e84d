/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Intel VT-d in software, legacy mode (VT-d specification 9.1, 9.3, 9.8, 10, 11): root and context
 * tables, second stage, fault recording registers, register-based and queued invalidation.
 */
#ifndef EMUL_VTD_H
#define EMUL_VTD_H

#include <doorward/memory.h>

#include "emul/iommu.h"

struct ward_vtd;

struct ward_vtd_options {
	struct ward_memory *memory; /* of the machine: borrowed */
	uint8_t address_bits;	    /* 39 or 48: three or four levels */
	uint8_t output_bits;	    /* host address width */
	bool ats;
	bool (*invalidate_device)(void *context, ward_sid_t sid, struct ward_range range);
	void *context;
};

extern const struct ward_emul_iommu_ops ward_vtd_iommu; /* iommu: struct ward_vtd * */

int ward_vtd_create(const struct ward_vtd_options *options, struct ward_vtd **ret_vtd);
void ward_vtd_destroy(struct ward_vtd *vtd);

/* Register accesses of 4 or 8 bytes; -EINVAL for those that no register answers. */
int ward_vtd_read(struct ward_vtd *vtd, uint32_t offset, unsigned int size, uint64_t *ret_value);
int ward_vtd_write(struct ward_vtd *vtd, uint32_t offset, unsigned int size, uint64_t value);

struct ward_vtd_counts {
	uint64_t faults;	 /* recorded */
	uint64_t faults_dropped; /* registers full (FSTS.PFO), or the entry switches reporting off */
	uint64_t walks, hits;
};
void ward_vtd_counts(const struct ward_vtd *vtd, struct ward_vtd_counts *ret_counts);

#endif

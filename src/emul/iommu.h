/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What the emulated machine asks of an emulated IOMMU. */
#ifndef EMUL_IOMMU_H
#define EMUL_IOMMU_H

#include <doorward/translation.h>

struct ward_emul_request {
	ward_sid_t sid;	    /* StreamID; VT-d: the requester id */
	ward_pasid_t pasid; /* or WARD_PASID_NONE */
	ward_iova_t iova;
	uint32_t access; /* WARD_READ or WARD_WRITE */
	bool translated; /* comes with a translation done by the device's own cache (ATS) */
	/* Nobody asks in earnest: a fault is not recorded, nothing is cached. */
	bool probe;
};

struct ward_emul_iommu_ops {
	/* 0 or -EFAULT with *ret_fault filled; faults are recorded as the hardware records them. */
	int (*translate)(void *iommu, const struct ward_emul_request *request,
			 struct ward_translation *ret_translation, struct ward_fault *ret_fault);
	void (*destroy)(void *iommu);
};

#endif

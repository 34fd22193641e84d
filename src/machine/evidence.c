// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "machine/evidence.h"

#include <string.h>

const struct ward_kernel_iommu *
ward_kernel_evidence_find(const struct ward_kernel_evidence *evidence, const char *name)
{
	for (uint32_t i = 0; evidence && i < evidence->iommus_count; i++) {
		if (!strcmp(evidence->iommus[i].name, name))
			return &evidence->iommus[i];
	}
	return NULL;
}

enum ward_tri ward_kernel_evidence_active(const struct ward_kernel_evidence *evidence,
					  const char *name)
{
	if (ward_kernel_evidence_find(evidence, name))
		return WARD_YES;
	return evidence && evidence->iommus_known ? WARD_NO : WARD_UNKNOWN;
}

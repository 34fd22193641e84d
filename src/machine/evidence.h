/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What a running kernel shows of its IOMMUs: it decides what firmware's tables only offer. */
#ifndef MACHINE_EVIDENCE_H
#define MACHINE_EVIDENCE_H

#include <doorward/types.h>

/* One entry of /sys/class/iommu. */
struct ward_kernel_iommu {
	const char *name; /* "dmar0", "ivhd0", "smmu3.0x0000000009050000" */
	/* intel-iommu/cap and ecap, amd-iommu/cap and features (as ecap); 0 when not there. */
	uint64_t cap, ecap;
	bool registers_known;
};

struct ward_kernel_evidence {
	/* /sys/class/iommu could be listed, so an IOMMU that is not in it is not used. */
	bool iommus_known;
	const struct ward_kernel_iommu *iommus;
	uint32_t iommus_count;
	/*
	 * x86 interrupt remapping is on, judged by chip names: yes when an MSI has a chip whose
	 * name begins with "IR-" ("IR-PCI-MSI", "IR-PCI-MSIX-..."), no when MSIs have only others.
	 */
	enum ward_tri remapping;
};

/* The entry of that name, or NULL. evidence may be NULL. */
const struct ward_kernel_iommu *
ward_kernel_evidence_find(const struct ward_kernel_evidence *evidence, const char *name);
/* Whether the kernel uses the IOMMU it would give that name. evidence may be NULL. */
enum ward_tri ward_kernel_evidence_active(const struct ward_kernel_evidence *evidence,
					  const char *name);

#endif

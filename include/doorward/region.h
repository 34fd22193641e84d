/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Reserved regions: ranges of I/O virtual addresses that are not free to map.
 */
#ifndef DOORWARD_REGION_H
#define DOORWARD_REGION_H

#include <doorward/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/** Kinds of reserved regions, as in /sys/kernel/iommu_groups/N/reserved_regions. */
enum ward_region_kind {
	WARD_REGION_DIRECT,	      /**< must stay identity mapped: firmware uses it */
	WARD_REGION_DIRECT_RELAXABLE, /**< identity mapped for boot only; no hindrance to a client */
	WARD_REGION_RESERVED,	      /**< never map */
	/** MSI window: a write there is an interrupt and not translated. Linux's word "msi". */
	WARD_REGION_MSI,
	/** Window in which software maps doorbells. Linux's word is "msi", too. */
	WARD_REGION_SW_MSI,
};

/** One reserved region of an address space. */
struct ward_reserved {
	struct ward_range range;
	enum ward_region_kind kind;
};

/** MSI window of x86: never translated (Intel SDM volume 3, 11.11; VT-d 3.14). */
#define WARD_X86_MSI_START 0xfee00000u
#define WARD_X86_MSI_LAST 0xfeefffffu
/** Linux's software MSI window of Arm IOMMUs and virtio-iommu (MSI_IOVA_BASE, MSI_IOVA_LENGTH). */
#define WARD_SW_MSI_START 0x08000000u
#define WARD_SW_MSI_LAST 0x080fffffu

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What the backends take from the kernel's headers, held to what they rely on. Debian 12's
 * linux/vfio.h (Linux 6.1) has all of VFIO's group interface; what a header of that age lacks is
 * declared here, once it is used.
 */
#ifndef BACKEND_LINUX_UAPI_H
#define BACKEND_LINUX_UAPI_H

#include <linux/vfio.h>
#include <stddef.h>

/* Numbers are plain _IO(';', 100 + n): no size is in them, so a change of layout goes unseen. */
_Static_assert(VFIO_SET_IOMMU == 0x3b66, "container");
_Static_assert(VFIO_GROUP_GET_STATUS == 0x3b67, "group");
_Static_assert(VFIO_GROUP_GET_DEVICE_FD == 0x3b6a, "group");
_Static_assert(VFIO_DEVICE_GET_INFO == 0x3b6b, "device");
_Static_assert(VFIO_DEVICE_GET_REGION_INFO == 0x3b6c, "device");
_Static_assert(VFIO_DEVICE_GET_IRQ_INFO == 0x3b6d, "device");
_Static_assert(VFIO_DEVICE_SET_IRQS == 0x3b6e, "device");
_Static_assert(VFIO_DEVICE_RESET == 0x3b6f, "device");
_Static_assert(VFIO_IOMMU_GET_INFO == 0x3b70, "container");
_Static_assert(VFIO_IOMMU_MAP_DMA == 0x3b71, "container");
_Static_assert(VFIO_IOMMU_UNMAP_DMA == 0x3b72, "container");
_Static_assert(VFIO_TYPE1v2_IOMMU == 3 && VFIO_UNMAP_ALL == 9, "extensions");
_Static_assert(sizeof(struct vfio_group_status) == 8, "vfio_group_status");
_Static_assert(sizeof(struct vfio_region_info) == 32, "vfio_region_info");
_Static_assert(offsetof(struct vfio_region_info, offset) == 24, "vfio_region_info");
_Static_assert(sizeof(struct vfio_irq_info) == 16, "vfio_irq_info");
_Static_assert(sizeof(struct vfio_irq_set) == 20, "vfio_irq_set");
_Static_assert(VFIO_REGION_INFO_CAP_MSIX_MAPPABLE == 3, "capability");
_Static_assert(sizeof(struct vfio_iommu_type1_dma_map) == 32, "vfio_iommu_type1_dma_map");
_Static_assert(sizeof(struct vfio_iommu_type1_dma_unmap) == 24, "vfio_iommu_type1_dma_unmap");
_Static_assert(offsetof(struct vfio_iommu_type1_info, cap_offset) == 16, "vfio_iommu_type1_info");
_Static_assert(sizeof(struct vfio_info_cap_header) == 8, "vfio_info_cap_header");
_Static_assert(offsetof(struct vfio_iommu_type1_info_cap_iova_range, iova_ranges) == 16,
	       "vfio_iommu_type1_info_cap_iova_range");

#endif

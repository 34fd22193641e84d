/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * VIOT: virtio-iommu, and what it serves.
 * Source: ACPI specification 6.5, 5.2.33; Linux include/acpi/actbl3.h and drivers/acpi/viot.c.
 */
#ifndef FIRMWARE_VIOT_H
#define FIRMWARE_VIOT_H

#include "firmware/acpi.h"

struct ward_viot_iommu {
	bool pci;	  /* a PCI function, else registers in memory */
	uint16_t segment; /* when pci */
	uint16_t rid;
	uint64_t base;	 /* when not pci */
	uint32_t offset; /* in the table */
};

/* Endpoints that one IOMMU serves. */
struct ward_viot_endpoints {
	bool pci;
	uint16_t first_segment, last_segment; /* when pci */
	uint16_t first, last;		      /* requester ids of each segment, when pci */
	uint64_t base;			      /* of the one device, when not pci */
	uint32_t endpoint;		      /* id of the first one */
	uint32_t iommu; /* index, or WARD_NONE: the output is something else */
};

struct ward_viot {
	struct ward_viot_iommu *iommus;
	uint32_t iommus_count;
	struct ward_viot_endpoints *endpoints;
	uint32_t endpoints_count;
};

/* Returns 0, -EBADMSG with a sentence, -ENOMEM. */
int ward_viot_parse(const void *bytes, size_t size, struct ward_viot **ret_viot,
		    struct ward_error *ret_error);
void ward_viot_destroy(struct ward_viot *viot);

#endif

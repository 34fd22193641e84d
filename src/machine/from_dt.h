/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * From a flattened device tree to builder calls. In the order a reader uses it:
 *
 *	ward_dtb_parse(bytes, size, &dtb, &error)		(firmware/dtb.h)
 *	ward_from_dt_devices(builder, dtb, &evidence, &links)	IOMMUs and MSI controllers
 *	add the functions to the builder (they may name the ordinals just made)
 *	ward_from_dt_links(builder, dtb, &links)		id maps, platform devices
 *	ward_dt_links_finish(&links); ward_dtb_destroy(dtb)
 */
#ifndef MACHINE_FROM_DT_H
#define MACHINE_FROM_DT_H

#include <doorward/builder.h>

#include "firmware/dtb.h"
#include "machine/evidence.h"

/* Ordinals in the builder of dtb->iommus and dtb->controllers. Zero-initialised is none. */
struct ward_dt_links {
	uint32_t *iommus;
	uint32_t *controllers;
};

/*
 * Adds IOMMUs, under the names the kernel gives them, MSI controllers, and firmware_iommu.
 * Returns 0, -ENOMEM or what the builder says.
 */
int ward_from_dt_devices(struct ward_builder *builder, const struct ward_dtb *dtb,
			 const struct ward_kernel_evidence *evidence,
			 struct ward_dt_links *ret_links);

/*
 * Adds id maps of the PCI host bridges, and the platform devices that have an msi-parent or
 * iommus as platform functions; a platform function is named as the kernel names its device
 * ("9050000.ethernet"). To be called after all PCI functions were added: the segment of a host
 * bridge without linux,pci-domain is found through their paths
 * (devices/platform/4010000000.pcie/pci0000:00/...). Returns 0, -ENOMEM or what the builder says.
 */
int ward_from_dt_links(struct ward_builder *builder, const struct ward_dtb *dtb,
		       const struct ward_dt_links *links);
void ward_dt_links_finish(struct ward_dt_links *links);

#endif

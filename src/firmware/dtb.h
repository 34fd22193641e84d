/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The parts of a flattened device tree that decide where DMA and MSIs go.
 * Sources: Devicetree specification 0.4 (chapter 5 the blob, 2.3 standard properties); Linux
 * Documentation/devicetree/bindings: pci/pci-msi.txt, pci/pci-iommu.txt,
 * interrupt-controller/arm,gic.yaml and arm,gic-v3.yaml, iommu/arm,smmu.yaml, arm,smmu-v3.yaml,
 * virtio/pci-iommu.yaml.
 */
#ifndef FIRMWARE_DTB_H
#define FIRMWARE_DTB_H

#include <doorward/error.h>
#include <doorward/types.h>

#include "base/arena.h"

#define WARD_DTB_SIZE_MAX (4u << 20)
#define WARD_DTB_NODES_MAX 65536u
#define WARD_DTB_DEPTH_MAX 24u
#define WARD_DTB_PATH_MAX 1024u
/* The longest name of a property; the specification allows 31. */
#define WARD_DTB_NAME_MAX 255u
/* Rows of one msi-map or iommu-map. */
#define WARD_DTB_ROWS_MAX 512u
/* Entries of one ranges property that are looked at; the next are as if they were not there. */
#define WARD_DTB_RANGES_MAX 256u
/* PCI host bridges; controllers, IOMMUs and devices, of each kind. */
#define WARD_DTB_HOSTS_MAX 64u
#define WARD_DTB_THINGS_MAX 4096u

enum ward_dtb_controller_kind {
	WARD_DTB_V2M, /* arm,gic-v2m-frame */
	WARD_DTB_ITS, /* arm,gic-v3-its */
	WARD_DTB_MBI, /* arm,gic-v3 with mbi-ranges; one entry per range */
	WARD_DTB_MSI, /* another node with msi-controller */
};

struct ward_dtb_controller {
	enum ward_dtb_controller_kind kind;
	const char *path;
	uint32_t phandle;	      /* 0 when it has none */
	uint64_t base, size;	      /* CPU addresses; for MBI the alias when there is one */
	bool base_known;	      /* reg is there and could be translated */
	uint32_t first_intid, intids; /* 0 when the tree does not say */
	bool id_cells;		      /* #msi-cells is there and not 0 */
	/* socionext,synquacer-pre-its: writers come through a bridge that makes their ids. */
	bool pre_its;
};

enum ward_dtb_iommu_kind {
	WARD_DTB_SMMUV3,
	WARD_DTB_SMMUV2,
	WARD_DTB_VIRTIO_MMIO,
	WARD_DTB_VIRTIO_PCI,
	WARD_DTB_IOMMU, /* another node with #iommu-cells */
};

struct ward_dtb_iommu {
	enum ward_dtb_iommu_kind kind;
	const char *path;
	const char *device; /* the kernel's name of it: "9050000.smmuv3" */
	uint32_t phandle;
	uint64_t base;
	bool base_known;
	uint32_t cells;	     /* #iommu-cells */
	uint32_t host;	     /* for WARD_DTB_VIRTIO_PCI: index into hosts, else WARD_NONE */
	uint16_t rid;	     /* for WARD_DTB_VIRTIO_PCI */
	uint32_t controller; /* its own msi-parent: index into controllers, or WARD_NONE */
	bool ats;	     /* a host bridge in front of it says ats-supported */
};

/* A row of msi-map or iommu-map. target is an index into controllers or iommus, or WARD_NONE
 * when the phandle names something else that exists. */
struct ward_dtb_row {
	uint32_t id_base, target, out_base, length;
};

/* A map of a host bridge. */
struct ward_dtb_map {
	bool present;
	uint32_t mask;
	struct ward_dtb_row *rows;
	uint32_t rows_count;
};

/* A PCI host bridge. */
struct ward_dtb_host {
	const char *path;
	const char *device; /* the kernel's name of it: "4010000000.pcie" */
	bool segment_known; /* linux,pci-domain */
	uint32_t segment;
	uint8_t first_bus, last_bus;
	struct ward_dtb_map msi, iommu;
	bool ats;	     /* ats-supported */
	uint32_t msi_parent; /* index into controllers, or WARD_NONE */
	bool msi_parent_present;
};

/* A device, not PCI, with msi-parent or iommus. */
struct ward_dtb_device {
	const char *path;
	const char *device; /* the kernel's name of it */
	uint32_t iommu;	    /* index into iommus, or WARD_NONE */
	uint32_t sid;
	bool iommu_present;
	uint32_t controller; /* index into controllers, or WARD_NONE */
	uint32_t devid;
	bool controller_present;
};

/* All of it. Strings and arrays belong to it. */
struct ward_dtb {
	struct ward_dtb_controller *controllers;
	uint32_t controllers_count;
	struct ward_dtb_iommu *iommus;
	uint32_t iommus_count;
	struct ward_dtb_host *hosts;
	uint32_t hosts_count;
	struct ward_dtb_device *devices;
	uint32_t devices_count;
	struct ward_arena arena; /* strings and maps */
};

/*
 * Parses a blob. Returns 0; -EBADMSG with a sentence that names the node and what is wrong;
 * -ENOMEM.
 */
int ward_dtb_parse(const void *bytes, size_t size, struct ward_dtb **ret_dtb,
		   struct ward_error *ret_error);
void ward_dtb_destroy(struct ward_dtb *dtb);

#endif

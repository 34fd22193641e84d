/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * From ACPI tables to builder calls. In the order a reader uses it:
 *
 *	struct ward_acpi_tables tables = { 0 };
 *	for each file of /sys/firmware/acpi/tables: ward_acpi_tables_add(&tables, name, ...)
 *	ward_from_acpi_devices(builder, &tables, &evidence)	IOMMUs and MSI controllers
 *	add the functions to the builder (they may name the ordinals just made)
 *	ward_from_acpi_links(builder, &tables)			id maps, regions, named components
 *	ward_acpi_tables_finish(&tables)
 *
 * Nothing here opens a file. A table that is broken is a remark, never a failure.
 */
#ifndef MACHINE_FROM_ACPI_H
#define MACHINE_FROM_ACPI_H

#include <doorward/builder.h>

#include "machine/evidence.h"

struct ward_dmar;
struct ward_iort;
struct ward_ivrs;
struct ward_madt;
struct ward_viot;

/* The tables of one machine. Zero-initialised is none; read only for everybody else. */
struct ward_acpi_tables {
	struct ward_madt *madt;
	struct ward_iort *iort;
	struct ward_dmar *dmar;
	struct ward_ivrs *ivrs;
	struct ward_viot *viot;
	/* One of the last four was there but could not be understood. */
	bool iommu_broken;
	/* The list of tables was complete: what was not added does not exist. */
	bool complete;
	/* Filled by ward_from_acpi_devices: ordinals in the builder, WARD_NONE where there is none. */
	uint32_t *drhds;	 /* by unit of dmar */
	uint32_t *ivhds;	 /* by IOMMU of ivrs */
	uint32_t *iort_iommus;	 /* by node of iort */
	uint32_t *viot_iommus;	 /* by IOMMU of viot */
	uint32_t *frames, *itss; /* by frame and ITS of madt */
	uint32_t apic;		 /* what MSIs of x86 are written to */
};

/*
 * Parses one table and keeps it. name is the file's name ("DMAR", "APIC"); tables of no interest
 * and second tables of a kind are passed over. bytes are borrowed during the call.
 * Returns 0; -EBADMSG (the sentence says where; the table counts as broken); -ENOMEM.
 */
int ward_acpi_tables_add(struct ward_acpi_tables *tables, const char *name, const void *bytes,
			 size_t size, struct ward_error *ret_error);
void ward_acpi_tables_finish(struct ward_acpi_tables *tables);

/*
 * Adds what the tables describe: IOMMUs under the names the kernel gives them (dmar0, ivhd0,
 * smmu3.0x0000000009050000, for virtio-iommu the address of its function), MSI controllers, and
 * firmware_iommu. The architecture must have been set: on WARD_ARCH_X86 one controller is made
 * that all MSIs go to, WARD_CONTROLLER_X86_REMAPPING when interrupts are or may be remapped
 * (isolates YES or UNKNOWN), else WARD_CONTROLLER_X86_APIC; its ordinal is tables->apic. It is
 * made without any table, too. Returns 0, -ENOMEM or what the builder says.
 */
int ward_from_acpi_devices(struct ward_builder *builder, struct ward_acpi_tables *tables,
			   const struct ward_kernel_evidence *evidence);

/*
 * Adds id maps, firmware's reserved regions (RMRR, RMR, IVMD) and the named components of IORT
 * (as platform functions, named by their ACPI path). To be called after all PCI functions were
 * added: scopes name them, and maps are made for their segments. A function whose stream or
 * controller is known already keeps it. Returns 0, -ENOMEM or what the builder says.
 */
int ward_from_acpi_links(struct ward_builder *builder, const struct ward_acpi_tables *tables);

#endif

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What from_acpi.c and its parts, one per table, share; from_dt.c uses the first three. */
#ifndef MACHINE_FROM_TABLES_H
#define MACHINE_FROM_TABLES_H

#include "machine/from_acpi.h"

/* An array of count ordinals, all WARD_NONE, or NULL. */
uint32_t *ward_ordinals_alloc(uint32_t count);

/* Controllers of Arm, under the same names from every kind of firmware. */
int ward_add_frame(struct ward_builder *builder, uint64_t base, uint64_t size, uint32_t first_intid,
		   uint32_t intids, uint32_t firmware_id, const char *evidence,
		   uint32_t *ret_ordinal);
int ward_add_its(struct ward_builder *builder, uint64_t base, uint32_t firmware_id,
		 enum ward_tri isolates, const char *evidence, uint32_t *ret_ordinal);

/* A row of an id map: rids first..last of a segment arrive at target as output and following. */
struct ward_row {
	enum ward_id_map_kind kind;
	uint32_t segment, first, last, target, output;
	const char *evidence;
};

int ward_add_row(struct ward_builder *builder, const struct ward_row *row);

/* PCI functions of the builder, in the order of their addresses. */
struct ward_listed {
	struct ward_address address;
	uint32_t function; /* ordinal */
	/* For the caller: what serves it, and the id it is seen with. */
	uint32_t iommu, id;
};

/* Lists them; the caller frees *ret_list. Returns 0 or -ENOMEM. */
int ward_list_functions(struct ward_builder *builder, struct ward_listed **ret_list,
			uint32_t *ret_count);
/* Adds rows of IOMMUs for a list in which iommu (ordinal) and id are filled: ranges of neighbours. */
int ward_add_listed(struct ward_builder *builder, const struct ward_listed *list, uint32_t count,
		    const char *evidence);
/* The segments of a list: calls step once for each. */
int ward_each_segment(const struct ward_listed *list, uint32_t count,
		      int (*step)(uint32_t segment, void *context), void *context);

int ward_from_dmar_devices(struct ward_builder *builder, struct ward_acpi_tables *tables,
			   const struct ward_kernel_evidence *evidence);
int ward_from_dmar_links(struct ward_builder *builder, const struct ward_acpi_tables *tables,
			 struct ward_listed *list, uint32_t count);
int ward_from_ivrs_devices(struct ward_builder *builder, struct ward_acpi_tables *tables,
			   const struct ward_kernel_evidence *evidence);
int ward_from_ivrs_links(struct ward_builder *builder, const struct ward_acpi_tables *tables,
			 struct ward_listed *list, uint32_t count);
int ward_from_iort_devices(struct ward_builder *builder, struct ward_acpi_tables *tables,
			   const struct ward_kernel_evidence *evidence);
int ward_from_iort_links(struct ward_builder *builder, const struct ward_acpi_tables *tables,
			 const struct ward_listed *list, uint32_t count);
int ward_from_viot_devices(struct ward_builder *builder, struct ward_acpi_tables *tables,
			   const struct ward_kernel_evidence *evidence);
int ward_from_viot_links(struct ward_builder *builder, const struct ward_acpi_tables *tables,
			 const struct ward_listed *list, uint32_t count);

/* Whether interrupts are remapped on this x86 machine. */
enum ward_tri ward_remapping(const struct ward_acpi_tables *tables,
			     const struct ward_kernel_evidence *evidence);

#endif

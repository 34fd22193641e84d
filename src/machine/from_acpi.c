// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "machine/from_acpi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "firmware/dmar.h"
#include "firmware/iort.h"
#include "firmware/ivrs.h"
#include "firmware/madt.h"
#include "firmware/viot.h"
#include "machine/from_tables.h"

/* Writes there are interrupts (Intel SDM volume 3, 11.11; AMD APM volume 2, 16.12). */
#define APIC_FIRST 0xfee00000u
#define APIC_LAST 0xfeefffffu

#define FRAME_SIZE 0x1000u
/* Amazon's frames take the interrupt number from the address and so are larger (irq-gic-v2m.c). */
#define FRAME_SIZE_AMAZON 0x2000u

#define ECAP_INTERRUPT_REMAPPING 0x8u

int ward_acpi_tables_add(struct ward_acpi_tables *tables, const char *name, const void *bytes,
			 size_t size, struct ward_error *ret_error)
{
	int err;

	if (!strcmp(name, "APIC"))
		return tables->madt ? 0 : ward_madt_parse(bytes, size, &tables->madt, ret_error);
	if (!strcmp(name, "DMAR") && !tables->dmar)
		err = ward_dmar_parse(bytes, size, &tables->dmar, ret_error);
	else if (!strcmp(name, "IVRS") && !tables->ivrs)
		err = ward_ivrs_parse(bytes, size, &tables->ivrs, ret_error);
	else if (!strcmp(name, "IORT") && !tables->iort)
		err = ward_iort_parse(bytes, size, &tables->iort, ret_error);
	else if (!strcmp(name, "VIOT") && !tables->viot)
		err = ward_viot_parse(bytes, size, &tables->viot, ret_error);
	else
		return 0;
	if (err == -EBADMSG)
		tables->iommu_broken = true;
	return err;
}

void ward_acpi_tables_finish(struct ward_acpi_tables *tables)
{
	ward_madt_destroy(tables->madt);
	ward_iort_destroy(tables->iort);
	ward_dmar_destroy(tables->dmar);
	ward_ivrs_destroy(tables->ivrs);
	ward_viot_destroy(tables->viot);
	free(tables->drhds);
	free(tables->ivhds);
	free(tables->iort_iommus);
	free(tables->viot_iommus);
	free(tables->frames);
	free(tables->itss);
	*tables = (struct ward_acpi_tables){ .apic = WARD_NONE };
}

/* Some IOMMU says in its registers that it cannot; then Linux does not at all. */
static bool units_cannot_remap(const struct ward_kernel_evidence *evidence)
{
	for (uint32_t i = 0; evidence && i < evidence->iommus_count; i++) {
		const struct ward_kernel_iommu *iommu = &evidence->iommus[i];

		if (!strncmp(iommu->name, "dmar", 4) && iommu->registers_known &&
		    !(iommu->ecap & ECAP_INTERRUPT_REMAPPING))
			return true;
	}
	return false;
}

enum ward_tri ward_remapping(const struct ward_acpi_tables *tables,
			     const struct ward_kernel_evidence *evidence)
{
	bool offered =
		tables->ivrs || (tables->dmar && (tables->dmar->flags & WARD_DMAR_INTR_REMAP));

	if (evidence && evidence->remapping != WARD_UNKNOWN)
		return evidence->remapping;
	if (units_cannot_remap(evidence))
		return WARD_NO;
	return tables->complete && !tables->iommu_broken && !offered ? WARD_NO : WARD_UNKNOWN;
}

static const char *remapping_reason(const struct ward_acpi_tables *tables,
				    const struct ward_kernel_evidence *evidence)
{
	if (evidence && evidence->remapping != WARD_UNKNOWN)
		return "the interrupt chips of the running kernel";
	if (units_cannot_remap(evidence))
		return "the IOMMU's extended capability register";
	if (tables->ivrs || tables->dmar)
		return "firmware's table of IOMMUs; whether the kernel remaps is not known";
	return tables->complete ? "firmware describes no IOMMU" : "nothing could be read";
}

static int add_apic(struct ward_builder *builder, struct ward_acpi_tables *tables,
		    const struct ward_kernel_evidence *evidence)
{
	enum ward_tri remapping = ward_remapping(tables, evidence);
	const struct ward_controller apic = {
		.kind = remapping == WARD_NO ? WARD_CONTROLLER_X86_APIC
					     : WARD_CONTROLLER_X86_REMAPPING,
		.name = remapping == WARD_NO ? "APIC" : "APIC behind interrupt remapping",
		.isolates = remapping,
		.doorbells = { { APIC_FIRST, APIC_LAST } },
		.doorbells_count = 1,
		.evidence = remapping_reason(tables, evidence),
	};

	return ward_builder_add_controller(builder, &apic, &tables->apic);
}

static int add_gic(struct ward_builder *builder, struct ward_acpi_tables *tables)
{
	const struct ward_madt *madt = tables->madt;
	bool amazon = !strcmp(madt->oem_id, "AMAZON");
	int err = 0;

	tables->frames = ward_ordinals_alloc(madt->frames_count);
	tables->itss = ward_ordinals_alloc(madt->itss_count);
	if (!tables->frames || !tables->itss)
		return -ENOMEM;
	for (uint32_t i = 0; i < madt->frames_count && !err; i++) {
		const struct ward_madt_frame *frame = &madt->frames[i];

		err = ward_add_frame(builder, frame->base, amazon ? FRAME_SIZE_AMAZON : FRAME_SIZE,
				     frame->spi_base, frame->spi_count, frame->id,
				     "MADT GIC MSI frame", &tables->frames[i]);
	}
	for (uint32_t i = 0; i < madt->itss_count && !err; i++)
		err = ward_add_its(builder, madt->itss[i].base, madt->itss[i].id, WARD_YES,
				   "MADT GIC ITS", &tables->itss[i]);
	return err;
}

static bool iort_has_iommu(const struct ward_iort *iort)
{
	for (uint32_t i = 0; i < iort->nodes_count; i++) {
		if (iort->nodes[i].type < 32 &&
		    (WARD_IORT_MASK(iort->nodes[i].type) & WARD_IORT_IOMMUS))
			return true;
	}
	return false;
}

static enum ward_tri describes_iommu(const struct ward_acpi_tables *tables)
{
	if (tables->iommu_broken || tables->dmar || tables->ivrs || tables->viot ||
	    (tables->iort && iort_has_iommu(tables->iort)))
		return WARD_YES;
	return tables->complete ? WARD_NO : WARD_UNKNOWN;
}

int ward_from_acpi_devices(struct ward_builder *builder, struct ward_acpi_tables *tables,
			   const struct ward_kernel_evidence *evidence)
{
	struct ward_machine *machine = ward_builder_machine(builder);
	int err = 0;

	tables->apic = WARD_NONE;
	machine->firmware_iommu = describes_iommu(tables);
	if (machine->arch == WARD_ARCH_X86)
		err = add_apic(builder, tables, evidence);
	if (!err && tables->madt)
		err = add_gic(builder, tables);
	if (!err && tables->dmar)
		err = ward_from_dmar_devices(builder, tables, evidence);
	if (!err && tables->ivrs)
		err = ward_from_ivrs_devices(builder, tables, evidence);
	if (!err && tables->iort)
		err = ward_from_iort_devices(builder, tables, evidence);
	if (!err && tables->viot)
		err = ward_from_viot_devices(builder, tables, evidence);
	return err;
}

struct segment_step {
	struct ward_builder *builder;
	uint32_t target;
	enum ward_id_map_kind kind;
	const char *evidence;
};

static int add_whole_segment(uint32_t segment, void *context)
{
	const struct segment_step *step = context;
	const struct ward_row row = {
		.kind = step->kind,
		.segment = segment,
		.last = 0xffff,
		.target = step->target,
		.evidence = step->evidence,
	};

	return ward_add_row(step->builder, &row);
}

/*
 * What is left when no table says more: on x86 all MSIs go to the APIC, on Arm Linux makes the
 * first GICv2m frame the controller of all PCI devices when there is no ITS (irq-gic-v3.c,
 * gic_init_bases: GICv2m is for GICs without LPIs).
 */
static int add_common_controller(struct ward_builder *builder,
				 const struct ward_acpi_tables *tables,
				 const struct ward_listed *list, uint32_t count)
{
	struct segment_step step = { .builder = builder, .kind = WARD_ID_MAP_MSI };

	if (tables->apic != WARD_NONE) {
		step.target = tables->apic;
		step.evidence = "the only one of x86";
	} else if (tables->madt && tables->madt->frames_count && !tables->madt->itss_count) {
		step.target = tables->frames[0];
		step.evidence = "MADT has GICv2m frames and no ITS";
	} else {
		return 0;
	}
	return ward_each_segment(list, count, add_whole_segment, &step);
}

/* No table of IOMMUs at all: nothing translates. */
static int add_no_iommu(struct ward_builder *builder, const struct ward_acpi_tables *tables,
			const struct ward_listed *list, uint32_t count)
{
	struct segment_step step = {
		.builder = builder,
		.target = WARD_NONE,
		.kind = WARD_ID_MAP_IOMMU,
		.evidence = "firmware describes no IOMMU",
	};

	if (describes_iommu(tables) != WARD_NO)
		return 0;
	return ward_each_segment(list, count, add_whole_segment, &step);
}

int ward_from_acpi_links(struct ward_builder *builder, const struct ward_acpi_tables *tables)
{
	struct ward_listed *list;
	uint32_t count;
	int err;

	err = ward_list_functions(builder, &list, &count);
	if (err)
		return err;
	if (tables->dmar)
		err = ward_from_dmar_links(builder, tables, list, count);
	if (!err && tables->ivrs)
		err = ward_from_ivrs_links(builder, tables, list, count);
	if (!err && tables->iort)
		err = ward_from_iort_links(builder, tables, list, count);
	if (!err && tables->viot)
		err = ward_from_viot_links(builder, tables, list, count);
	if (!err)
		err = add_common_controller(builder, tables, list, count);
	if (!err)
		err = add_no_iommu(builder, tables, list, count);
	free(list);
	return err;
}

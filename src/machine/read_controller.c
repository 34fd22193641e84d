// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What the MSIs of a function are written to. On x86, whether interrupts are remapped is one fact
 * of the machine, but functions that no remapping unit covers keep writing to the APIC directly;
 * the chips of their own interrupts show it. Elsewhere firmware's id maps tell, and the chips have
 * to agree.
 */
#include "machine/read.h"

#include <errno.h>
#include <string.h>

#include "machine/builder.h"

/* x86: writes to this page are interrupts (Intel SDM volume 3, "Message Signalled Interrupts"). */
#define APIC_START 0xfee00000u
#define APIC_LAST 0xfeefffffu

#define CLASS_IOMMU 0x0806u

static const char *own_chip(const struct ward_reading *reading, const struct ward_seen *seen)
{
	for (uint32_t i = 0; i < seen->irqs_count; i++) {
		const struct ward_seen_irq *irq = ward_read_find_irq(reading, seen->irqs[i]);

		if (irq && irq->chip[0])
			return irq->chip;
	}
	return NULL;
}

static int use_plain_apic(struct ward_reading *reading, struct ward_function *f)
{
	const struct ward_controller apic = {
		.kind = WARD_CONTROLLER_X86_APIC,
		.name = "APIC, not remapped",
		.isolates = WARD_NO,
		.doorbells = { { APIC_START, APIC_LAST } },
		.doorbells_count = 1,
		.pool = WARD_NONE,
		.evidence = "interrupt chips of some functions are not named IR-*",
	};
	int err;

	if (reading->plain_apic == WARD_NONE) {
		err = ward_builder_add_controller(reading->builder, &apic, &reading->plain_apic);
		if (err < 0)
			return err;
	}
	f->controller = reading->plain_apic;
	return 0;
}

int ward_read_function_controller(struct ward_reading *reading, struct ward_seen *seen)
{
	const struct ward_machine *machine = ward_builder_machine(reading->builder);
	struct ward_function *f = &seen->function;
	uint32_t apic = reading->tables.apic;
	const char *chip;

	if (reading->arch != WARD_ARCH_X86 || reading->dtb || apic == WARD_NONE)
		return 0;
	chip = own_chip(reading, seen);
	f->controller_known = WARD_YES;
	f->controller = apic;
	f->devid = ward_devid(ward_rid_raw(f->address.rid));
	f->controller_evidence = reading->remapping_reason;
	if (!chip)
		return 0;
	f->controller_evidence =
		ward_arena_printf(&reading->arena, "its interrupt chip is %s", chip);
	if (!f->controller_evidence)
		return -ENOMEM;
	/* An IOMMU's own interrupts are not remapped, and nobody else writes them. */
	if (machine->controllers[apic].kind != WARD_CONTROLLER_X86_REMAPPING ||
	    !strncmp(chip, "IR-", 3) || f->class_code >> 8 == CLASS_IOMMU)
		return 0;
	return use_plain_apic(reading, f);
}

/* Interrupt remapping supported (VT-d specification 11.4.3). */
#define ECAP_IR 0x8u

int ward_read_judge_remapping(struct ward_reading *reading)
{
	size_t vtd = 0, remapping = 0;

	/* What is in use says more than what could be. */
	if (reading->arch != WARD_ARCH_X86 || reading->evidence.remapping != WARD_UNKNOWN)
		return 0;
	for (size_t i = 0; i < reading->iommus_count; i++) {
		if (strncmp(reading->iommus[i].name, "dmar", 4) != 0)
			continue;
		vtd++;
		remapping +=
			!reading->iommus[i].registers_known || reading->iommus[i].ecap & ECAP_IR;
	}
	if (ward_read_option(reading, "intremap", "off") ||
	    ward_read_option(reading, "nointremap", NULL)) {
		reading->evidence.remapping = WARD_NO;
		reading->remapping_reason = "the kernel's command line switches remapping off";
	} else if (vtd && !remapping) {
		reading->evidence.remapping = WARD_NO;
		reading->remapping_reason = "no IOMMU can remap interrupts (ecap bit 3)";
	}
	return 0;
}

/*
 * The kind of controller that a chip's name tells: "ITS-MSI", "ITS-PCI-MSIX-...", "GICv2m-PCI-MSI-
 * ..."; before Linux 6.9 GICv2m and MBI both call theirs "MSI".
 */
static enum ward_controller_kind chip_kind(const char *chip)
{
	if (!strncmp(chip, "ITS-", 4))
		return WARD_CONTROLLER_GICV3_ITS;
	if (!strncmp(chip, "GICv2m-", 7))
		return WARD_CONTROLLER_GICV2M;
	return WARD_CONTROLLER_OTHER;
}

/* The controller that firmware's map gives an id; the MSI map is by segment. */
static uint32_t mapped_controller(const struct ward_builder *builder, struct ward_address address)
{
	for (size_t i = 0; i < builder->maps_count; i++) {
		const struct ward_id_map *map = &builder->maps[i];
		uint16_t masked = ward_rid_raw(address.rid) & map->mask;

		if (map->kind == WARD_ID_MAP_MSI && map->segment == address.segment &&
		    masked >= ward_rid_raw(map->first) && masked <= ward_rid_raw(map->last))
			return map->target;
	}
	return WARD_NONE;
}

/* GICv2m where firmware tells of no frame: what is known is that it does not isolate. */
static int add_unknown_frame(struct ward_reading *reading, uint32_t mapped, uint32_t *ret_ordinal)
{
	const struct ward_machine *machine = ward_builder_machine(reading->builder);
	struct ward_controller frame = {
		.kind = WARD_CONTROLLER_OTHER,
		.name = "GICv2m frame that firmware does not describe",
		.isolates = WARD_NO,
		.pool = WARD_NONE,
		.evidence = "the names of interrupt chips",
	};

	memcpy(frame.doorbells, machine->controllers[mapped].doorbells, sizeof(frame.doorbells));
	frame.doorbells_count = machine->controllers[mapped].doorbells_count;
	return ward_builder_add_controller(reading->builder, &frame, ret_ordinal);
}

static int settle_controller(struct ward_reading *reading, const struct ward_seen *seen)
{
	const struct ward_machine *machine = ward_builder_machine(reading->builder);
	uint32_t mapped, chosen = WARD_NONE;
	const char *chip = own_chip(reading, seen);
	enum ward_controller_kind kind;
	struct ward_function *f;
	int err = 0;

	f = &machine->functions[seen->ordinal];
	if (!chip || f->controller_known != WARD_UNKNOWN)
		return 0;
	kind = chip_kind(chip);
	mapped = mapped_controller(reading->builder, f->address);
	if (kind == WARD_CONTROLLER_OTHER || mapped >= machine->controllers_count ||
	    machine->controllers[mapped].kind == kind)
		return 0;
	err = ward_builder_remark(reading->builder, "iommu-contradiction",
				  "firmware's map gives %s the controller %s, but its interrupt "
				  "chip is %s",
				  f->name, machine->controllers[mapped].name, chip);
	for (uint32_t i = 0; i < machine->controllers_count && chosen == WARD_NONE; i++)
		if (machine->controllers[i].kind == kind)
			chosen = i;
	if (kind == WARD_CONTROLLER_GICV2M && chosen == WARD_NONE && err == 0) {
		if (reading->unknown_frame == WARD_NONE)
			err = add_unknown_frame(reading, mapped, &reading->unknown_frame);
		chosen = reading->unknown_frame;
	}
	/* An ITS that firmware does not tell of: what it does tell of stays, and isolates less. */
	if (chosen == WARD_NONE || err < 0)
		return err;
	f->controller_known = WARD_YES;
	f->controller = chosen;
	f->devid = ward_devid(ward_rid_raw(f->address.rid));
	f->controller_evidence = "the name of its interrupt chip";
	return 0;
}

int ward_read_settle_controllers(struct ward_reading *reading)
{
	int err = 0;

	if (reading->arch == WARD_ARCH_X86)
		return 0;
	for (size_t i = 0; i < reading->pci_count && err == 0; i++)
		err = settle_controller(reading, &reading->seen[i]);
	return err;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What the MSIs of an x86 function are written to. Whether interrupts are remapped is one fact of
 * the machine, but functions that no remapping unit covers keep writing to the APIC directly; the
 * chips of their own interrupts show it. Elsewhere firmware's id maps say it all.
 */
#include "machine/read.h"

#include <errno.h>
#include <string.h>

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
		.doorbell = { APIC_START, APIC_LAST },
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
	f->controller_evidence = ward_arena_printf(&reading->arena, "its interrupt chip is %s", chip);
	if (!f->controller_evidence)
		return -ENOMEM;
	/* An IOMMU's own interrupts are not remapped, and nobody else writes them. */
	if (machine->controllers[apic].kind != WARD_CONTROLLER_X86_REMAPPING ||
	    !strncmp(chip, "IR-", 3) || f->class_code >> 8 == CLASS_IOMMU)
		return 0;
	return use_plain_apic(reading, f);
}

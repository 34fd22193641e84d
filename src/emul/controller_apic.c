// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A message of x86 at the root complex: remapped on its way where somebody remaps, then at APICs. */
#include "emul/vtd.h"

static struct ward_vtd *unit_of(const struct ward_apic_controller *controller, uint32_t iommu)
{
	return iommu < controller->units_count ? controller->units[iommu] : NULL;
}

static void message_to_apics(void *controller, const struct ward_emul_message *message,
			     struct ward_interrupt *ret_interrupt)
{
	const struct ward_apic_controller *c = controller;
	const struct ward_message plain = { ward_iova(message->address), message->data };
	struct ward_vtd *unit = unit_of(c, message->iommu);
	struct ward_apic_delivery delivery;
	int remapped;

	/* One doubleword, or it is no interrupt. */
	if (message->size != 4 || message->address % 4) {
		*ret_interrupt = (struct ward_interrupt){
			.end = WARD_INTERRUPT_IGNORED,
			.reason = WARD_REASON_SIZE,
			.cpu = WARD_NONE,
		};
		return;
	}
	remapped = unit ? ward_vtd_remap(unit, message, &delivery, ret_interrupt) : 0;
	if (remapped > 0)
		(void)ward_apics_deliver(c->apics, &delivery, message->probe, ret_interrupt);
	else if (remapped == 0)
		(void)ward_apics_send(c->apics, &plain, message->probe, ret_interrupt);
}

const struct ward_emul_controller_ops ward_apic_doorbell = { .write = message_to_apics };

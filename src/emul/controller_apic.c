// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A message of x86 at the root complex: remapped on its way where somebody remaps, then at APICs. */
#include "emul/apic.h"
#include "emul/controller.h"

static void message_to_apics(void *controller, const struct ward_emul_message *message,
			     struct ward_interrupt *ret_interrupt)
{
	const struct ward_apic_controller *c = controller;
	const struct ward_message plain = { ward_iova(message->address), message->data };

	/* One doubleword, or it is no interrupt. */
	if (message->size != 4 || message->address % 4) {
		*ret_interrupt = (struct ward_interrupt){
			.end = WARD_INTERRUPT_IGNORED,
			.reason = WARD_REASON_SIZE,
			.cpu = WARD_NONE,
		};
		return;
	}
	(void)ward_apics_send(c->apics, &plain, message->probe, ret_interrupt);
}

const struct ward_emul_controller_ops ward_apic_doorbell = { .write = message_to_apics };

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Message-based SPIs of a GICv3: GICD_SETSPI_NSR in the distributor's page, or an alias of it. */
#include "emul/controller.h"
#include "emul/gic_state.h"

#define SETSPI_NSR 0x40u
#define SPI_MASK 0x1fffu /* bits 12:0; the others are reserved */

/*
 * All SPIs of the distributor can be had, whatever range firmware set aside for messages. Other
 * registers of the page are out of reach here: this machine's functions see a doorbell, no more.
 */
static void message_to_distributor(void *controller, const struct ward_emul_message *message,
				   struct ward_interrupt *ret_interrupt)
{
	uint32_t intid = message->data & SPI_MASK;

	*ret_interrupt = (struct ward_interrupt){
		.end = WARD_INTERRUPT_IGNORED,
		.reason = WARD_REASON_SIZE,
		.number = intid,
		.cpu = WARD_NONE,
	};
	if (message->offset != SETSPI_NSR || (message->size != 2 && message->size != 4))
		return;
	ret_interrupt->reason = WARD_REASON_DATA;
	if (!ward_gic_has_spi(controller, intid))
		return;
	if (!message->probe) {
		(void)ward_gic_pulse(controller, intid, ret_interrupt);
	} else {
		ret_interrupt->end = WARD_INTERRUPT_PENDING;
		ret_interrupt->reason = WARD_REASON_NONE;
	}
}

const struct ward_emul_controller_ops ward_mbi_doorbell = { .write = message_to_distributor };

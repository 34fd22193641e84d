// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A GICv2m frame as a doorbell of the machine: whoever writes, it does not see. */
#include "emul/controller.h"

#define TYPER 0x8u

/* What a write would raise, by the frame's own MSI_TYPER. */
static void look(const struct ward_gicv2m *frame, const struct ward_emul_message *message,
		 struct ward_interrupt *ret_interrupt)
{
	uint8_t typer[4] = { 0 };
	uint32_t first, count;

	(void)ward_gicv2m_read(frame, TYPER, typer, sizeof(typer));
	first = (uint32_t)(typer[2] | (typer[3] & 3) << 8);
	count = (uint32_t)(typer[0] | (typer[1] & 3) << 8);
	*ret_interrupt = (struct ward_interrupt){
		.end = WARD_INTERRUPT_IGNORED,
		.number = message->data,
		.cpu = WARD_NONE,
	};
	if (message->offset != WARD_GICV2M_SETSPI || (message->size != 2 && message->size != 4))
		ret_interrupt->reason = WARD_REASON_SIZE;
	else if (message->data - first >= count)
		ret_interrupt->reason = WARD_REASON_DATA;
	else
		ret_interrupt->end = WARD_INTERRUPT_PENDING;
}

static void message_to_frame(void *controller, const struct ward_emul_message *message,
			     struct ward_interrupt *ret_interrupt)
{
	/* Of a longer write the size alone counts; the frame is not to look beyond these. */
	uint8_t bytes[8] = { 0 };
	size_t size = message->size < sizeof(bytes) ? message->size : sizeof(bytes);

	if (message->probe) {
		look(controller, message, ret_interrupt);
		return;
	}
	for (unsigned int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(message->data >> 8 * i);
	ward_gicv2m_write(controller, (uint32_t)message->offset, bytes, size, ret_interrupt);
}

const struct ward_emul_controller_ops ward_gicv2m_doorbell = { .write = message_to_frame };

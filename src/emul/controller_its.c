// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The translation page of an ITS as a doorbell of the machine: the writer's DeviceID counts. */
#include "emul/controller.h"

/* In its page, which is where the doorbell begins. */
#define TRANSLATER (WARD_ITS_TRANSLATER & 0xffffu)

static void message_to_its(void *controller, const struct ward_emul_message *message,
			   struct ward_interrupt *ret_interrupt)
{
	struct ward_its *its = controller;

	*ret_interrupt = (struct ward_interrupt){
		.end = WARD_INTERRUPT_IGNORED,
		.reason = WARD_REASON_SIZE,
		.cpu = WARD_NONE,
	};
	if (message->offset != TRANSLATER || (message->size != 2 && message->size != 4))
		return;
	ret_interrupt->reason = WARD_REASON_NO_DEVICE_ID;
	if (!message->has_devid)
		return;
	if (message->probe)
		(void)ward_its_translate(its, message->devid, message->data, ret_interrupt);
	else
		(void)ward_its_message(its, NULL, message->devid, message->data, ret_interrupt);
}

const struct ward_emul_controller_ops ward_its_doorbell = { .write = message_to_its };

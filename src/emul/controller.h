/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What the emulated machine asks of an emulated MSI controller. */
#ifndef EMUL_CONTROLLER_H
#define EMUL_CONTROLLER_H

#include <doorward/message.h>

/* A write that arrived at a doorbell, with what the hardware knows of its writer. */
struct ward_emul_message {
	/*
	 * Arm: physical, within the controller's doorbell. x86: what was put on the bus, 0xfeexxxxx;
	 * it is not translated.
	 */
	uint64_t address;
	uint32_t data;
	uint32_t size; /* of the write, bytes; data has what fits */
	/* The DeviceID the requester id comes with at this controller, if id maps give it one. */
	bool has_devid;
	ward_devid_t devid;
	/* x86: the requester id on the bus of the root complex. */
	ward_rid_t rid;
	bool probe; /* what would come of it? Leaves no trace. */
};

struct ward_emul_controller_ops {
	void (*write)(void *controller, const struct ward_emul_message *message,
		      struct ward_interrupt *ret_interrupt);
	/* NULL: somebody else's. */
	void (*destroy)(void *controller);
};

#endif

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A device that was opened, as the calls of <doorward/backend.h> and <doorward/irq.h> see it. */
#ifndef BACKEND_DEVICE_H
#define BACKEND_DEVICE_H

#include "backend.h"

/* One (device, PASID) that is in a space. */
struct ward_attachment {
	struct ward_attachment *next;
	ward_pasid_t pasid;
	/*
	 * Requesters in the backend's table are (slot, serial of the device, PASID). A move takes
	 * the new space in the slot that is free and lets go of the old one when the backend has
	 * moved: nothing is left to fail then.
	 */
	uint32_t slot;
};

struct ward_device {
	struct ward_backend *backend;
	const struct ward_device_ops *ops;
	void *context;
	uint32_t serial;
	uint64_t region_size[WARD_DEVICE_REGIONS];
	struct ward_attachment *attachments;
};

#endif

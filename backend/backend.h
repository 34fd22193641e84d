/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A backend, as the calls of <doorward/backend.h> see it. */
#ifndef BACKEND_BACKEND_H
#define BACKEND_BACKEND_H

#include <doorward/backend.h>
#include <doorward/backend/interface.h>

struct ward_backend {
	const struct ward_backend_ops *ops;
	void *context;
	/* Who is in which space: it holds the references that keep spaces alive. */
	struct ward_attach_table *attached;
	uint32_t last_serial;
	/* The owner's and one for each open device: handles outlive a destroy that came too early. */
	uint32_t references;
};

void ward_backend_put(struct ward_backend *backend);

#endif

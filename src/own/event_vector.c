// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A vector landed at a controller. */
#include "own/core.h"

#include <errno.h>

#include "base/error.h"

static int vector_sense(const struct ward_ownership *o, const struct ward_event *event,
			uint32_t function, struct ward_error *error)
{
	const struct ward_function *f = &o->machine->functions[function];
	const struct ward_function_state *s = &o->state->functions[function];

	(void)event;
	if (s->absent)
		return ward_fail(error, -EINVAL, "%s is not there", own_name(o, function));
	if (s->owner.kind == WARD_OWNER_NOBODY)
		return ward_fail(error, -EINVAL, "%s is nobody's: nobody enables its vectors",
				 own_name(o, function));
	if (s->msi_off ||
	    (f->kind == WARD_FUNCTION_PCI && !f->msi && !f->msix && f->pcie_known != WARD_UNKNOWN))
		return ward_fail(error, -EINVAL, "%s has no vectors", own_name(o, function));
	return 0;
}

static int vector_effect(struct ward_ownership *o, const struct ward_event *event,
			 uint32_t function)
{
	return ward_own_add_vector(o, function, event->controller);
}

const struct own_handler own_vector = {
	.functions = true,
	.controller = true,
	.always_fact = true,
	.sense = vector_sense,
	.effect = vector_effect,
};

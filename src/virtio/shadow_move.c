// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Functions go from one space to another: the new one is complete before anything moves, and the old one
 * goes when it did. A function that the host does not let go is stuck, and its space ends as
 * empty as can be.
 */
#include "virtio/shadow.h"

#include <errno.h>

static void arrive(struct ward_shadow *shadow, struct shadow_function *function,
		   struct shadow_space *space)
{
	struct shadow_space *old = function->in;

	function->in = space;
	if (space)
		space->functions++;
	if (!old)
		return;
	old->functions--;
	old->stuck -= function->stuck;
	function->stuck = false;
	ward_shadow_space_settle(shadow, old);
}

int ward_shadow_leave(struct ward_shadow *shadow, struct shadow_function *function)
{
	int code;

	if (!function->in)
		return 0;
	code = ward_device_detach(function->device, WARD_PASID_NONE);
	if (code && code != -ENOENT)
		return -EIO;
	arrive(shadow, function, NULL);
	return 0;
}

void ward_shadow_freeze(struct ward_shadow *shadow, struct shadow_function *function)
{
	function->frozen = true;
	if (!ward_shadow_leave(shadow, function))
		return;
	/* What is on its way ends with a reset, and so does mastering the bus, until the guest is on. */
	(void)ward_device_reset(function->device);
	if (!function->stuck) {
		function->stuck = true;
		function->in->stuck++;
	}
	ward_shadow_space_settle(shadow, function->in);
}

void ward_shadow_abandon(struct ward_shadow *shadow, struct shadow_function *function)
{
	if (ward_shadow_leave(shadow, function))
		ward_shadow_freeze(shadow, function);
	if (function->in)
		arrive(shadow, function, NULL);
}

/* What is wrong with the host, not with the request, is answered as something that cannot be done. */
static int refusal_of_attach(int code)
{
	return code == -EBUSY || code == -EINVAL || code == -EADDRINUSE ? -EOPNOTSUPP : code;
}

/*
 * It is nowhere, they say, and not where it was; what it was in, or was to go to, counts as its place until
 * it was detached.
 */
static int lose(struct ward_shadow *shadow, struct shadow_function *function,
		struct shadow_space *space)
{
	if (function->in) {
		ward_shadow_space_settle(shadow, space);
	} else {
		arrive(shadow, function, space);
		/* Who was nowhere, and is again, has lost nothing. */
		if (!ward_shadow_leave(shadow, function))
			return ward_shadow_refused(shadow, -EIO);
	}
	shadow->refused_other++;
	function->frozen = true;
	return -EIO;
}

static int enter(struct ward_shadow *shadow, struct shadow_function *function,
		 const struct ward_viommu_place *to)
{
	struct shadow_space *space = NULL;
	int code = ward_shadow_space_get(shadow, to, &space);

	if (code)
		return ward_shadow_refused(shadow, code);
	code = ward_device_attach(function->device, WARD_PASID_NONE, space->space);
	if (!code) {
		arrive(shadow, function, space);
		return 0;
	}
	if (code == -EIO)
		return lose(shadow, function, space);
	ward_shadow_space_settle(shadow, space);
	return ward_shadow_refused(shadow, refusal_of_attach(code));
}

int ward_shadow_move(struct ward_shadow *shadow, struct shadow_function *function,
		     const struct ward_viommu_place *to)
{
	int code;

	/* The guest's view of what is frozen is blocked, and so it has to be before anything else. */
	if (function->frozen || to->kind == WARD_VIOMMU_BLOCKED) {
		code = ward_shadow_leave(shadow, function);
		if (code)
			return code;
		function->frozen = false;
	}
	return to->kind == WARD_VIOMMU_BLOCKED ? 0 : enter(shadow, function, to);
}

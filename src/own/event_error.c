// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Errors and what mends them: freeze, thaw, reset. */
#include "own/core.h"

#include <errno.h>

#include "base/error.h"
#include "isolate/isolation.h"

static int freeze_sense(const struct ward_ownership *o, const struct ward_event *event,
			uint32_t function, struct ward_error *error)
{
	const struct ward_function_state *f = &o->state->functions[function];

	(void)event;
	if (f->absent)
		return ward_fail(error, -EINVAL, "%s is not there", own_name(o, function));
	if (f->frozen)
		return ward_fail(error, -EINVAL, "%s is frozen already", own_name(o, function));
	return 0;
}

int own_freeze_domain(struct ward_ownership *o, uint32_t function)
{
	uint32_t cursor = 0, member;
	int err = 0;

	/* First what all of them reach, as one may reach something through another. */
	while (!err && ward_error_domain_next(o->machine, function, &cursor, &member))
		err = own_taint_reached(o, member);
	cursor = 0;
	while (!err && ward_error_domain_next(o->machine, function, &cursor, &member)) {
		struct ward_function_state *f = &o->state->functions[member];

		if (f->absent || f->frozen)
			continue;
		err = ward_own_touch(o, member);
		f->frozen = !err;
	}
	return err;
}

static int freeze_effect(struct ward_ownership *o, const struct ward_event *event,
			 uint32_t function)
{
	(void)event;
	return own_freeze_domain(o, function);
}

static int thaw_sense(const struct ward_ownership *o, const struct ward_event *event,
		      uint32_t function, struct ward_error *error)
{
	(void)event;
	if (!o->state->functions[function].frozen)
		return ward_fail(error, -EINVAL, "%s is not frozen", own_name(o, function));
	return 0;
}

/*
 * A reset is its owner's own affair, and nobody's; what is somebody else's must not be hit. A bridge
 * matters for what is behind it, and that is in the scope itself.
 */
static bool hits_other(const struct ward_ownership *o, uint32_t function, uint32_t member,
		       struct own_refusal *refusal)
{
	const struct ward_owner *own = &o->state->functions[function].owner,
				*theirs = &o->state->functions[member].owner;

	if (theirs->kind == WARD_OWNER_NOBODY || own_leaves_out(o, OWN_RULE_RESET_SCOPE) ||
	    o->machine->functions[member].header_type != 0)
		return false;
	if (theirs->kind == own->kind &&
	    (theirs->kind == WARD_OWNER_HOST || theirs->client == own->client))
		return false;
	return own_refuse(refusal, "reset-scope", function, member,
			  "resetting %s resets %s, too, which belongs to %s%s",
			  own_name(o, function), own_name(o, member),
			  theirs->kind == WARD_OWNER_CLIENT ? "client " : "",
			  own_holder(o, member));
}

/* Also the VFs of a PF, which go through its reset. */
static bool hits_others(const struct ward_ownership *o, uint32_t function, uint32_t member,
			struct own_refusal *refusal)
{
	uint32_t vf = WARD_NONE;

	if (o->state->functions[member].absent)
		return false;
	if (hits_other(o, function, member, refusal))
		return true;
	while ((vf = own_next_vf(o, member, vf)) != WARD_NONE) {
		if (hits_other(o, function, vf, refusal))
			return true;
	}
	return false;
}

static bool thaw_refused(const struct ward_ownership *o, const struct ward_event *event,
			 uint32_t function, struct own_refusal *refusal)
{
	uint32_t cursor = 0, member;

	(void)event;
	while (ward_error_domain_next(o->machine, function, &cursor, &member)) {
		if (o->state->functions[member].revoking && !own_leaves_out(o, OWN_RULE_REVOKING))
			return own_refuse(refusal, "revoking", function, member,
					  "client %s is to give back %s first",
					  own_holder(o, member), own_name(o, member));
		if (hits_others(o, function, member, refusal))
			return true;
	}
	return false;
}

static int reset_one(struct ward_ownership *o, uint32_t function)
{
	struct ward_function_state *f = &o->state->functions[function];
	int err;

	if (f->absent)
		return 0;
	err = ward_own_touch(o, function);
	if (!err)
		err = ward_own_drop_vectors(o, function);
	if (err)
		return err;
	if (f->owner.kind == WARD_OWNER_NOBODY)
		f->tainted_by = (struct ward_owner){ .kind = WARD_OWNER_NOBODY };
	if (f->irq_mode == WARD_IRQ_MSI || f->irq_mode == WARD_IRQ_MSIX)
		f->irq_mode = WARD_IRQ_NONE;
	return 0;
}

static int reset_with_vfs(struct ward_ownership *o, uint32_t function)
{
	uint32_t vf = WARD_NONE;
	int err = reset_one(o, function);

	while (!err && (vf = own_next_vf(o, function, vf)) != WARD_NONE)
		err = reset_one(o, vf);
	return err;
}

static int thaw_effect(struct ward_ownership *o, const struct ward_event *event, uint32_t function)
{
	uint32_t cursor = 0, member;
	int err = 0;

	(void)event;
	while (!err && ward_error_domain_next(o->machine, function, &cursor, &member)) {
		err = reset_with_vfs(o, member);
		if (!err)
			o->state->functions[member].frozen = false;
	}
	return err;
}

static int reset_sense(const struct ward_ownership *o, const struct ward_event *event,
		       uint32_t function, struct ward_error *error)
{
	(void)event;
	if (o->state->functions[function].absent)
		return ward_fail(error, -EINVAL, "%s is not there", own_name(o, function));
	return 0;
}

/* What a reset hits, one after another: what is behind its bridge, or itself; VFs go along. */
static bool next_of_scope(const struct ward_ownership *o, uint32_t function, uint32_t *cursor,
			  uint32_t *ret_member)
{
	uint32_t first, count;

	ward_reset_scope(o->machine, function, &first, &count);
	*ret_member = first + *cursor;
	return (*cursor)++ < (count ? count : 1);
}

/* Of a VF the specification demands that it can (SR-IOV, 2.2.2); others with a bus of their own can. */
static bool can_be_reset(const struct ward_machine *machine, uint32_t function)
{
	const struct ward_function *f = &machine->functions[function];

	return f->kind == WARD_FUNCTION_PCI && f->header_type == 0 &&
	       (f->resets || f->physfn != WARD_NONE || f->parent != WARD_NONE);
}

static bool reset_refused(const struct ward_ownership *o, const struct ward_event *event,
			  uint32_t function, struct own_refusal *refusal)
{
	uint32_t cursor = 0, member;

	(void)event;
	if (o->state->functions[function].frozen)
		return own_refuse(refusal, "frozen", function, WARD_NONE,
				  "%s is frozen: thawing its error domain resets it",
				  own_name(o, function));
	if (!can_be_reset(o->machine, function))
		return own_refuse(refusal, "no-reset", function, WARD_NONE, "nothing can reset %s",
				  own_name(o, function));
	while (next_of_scope(o, function, &cursor, &member)) {
		if (hits_others(o, function, member, refusal))
			return true;
	}
	return false;
}

static int reset_effect(struct ward_ownership *o, const struct ward_event *event, uint32_t function)
{
	uint32_t cursor = 0, member;
	int err = 0;

	(void)event;
	while (!err && next_of_scope(o, function, &cursor, &member))
		err = reset_with_vfs(o, member);
	return err;
}

const struct own_handler own_freeze = {
	.functions = true,
	.always_fact = true,
	.sense = freeze_sense,
	.effect = freeze_effect,
};

const struct own_handler own_thaw = {
	.functions = true,
	.never_fact = true,
	.sense = thaw_sense,
	.refused = thaw_refused,
	.effect = thaw_effect,
};

const struct own_handler own_reset = {
	.functions = true,
	.never_fact = true,
	.sense = reset_sense,
	.refused = reset_refused,
	.effect = reset_effect,
};

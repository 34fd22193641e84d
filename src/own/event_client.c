// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Functions go to clients and come back: claim, release, death, revoke. */
#include "own/core.h"

#include <errno.h>

#include "base/error.h"
#include "isolate/isolation.h"
#include "isolate/judge.h"

static int claim_sense(const struct ward_ownership *o, const struct ward_event *event,
		       uint32_t function, struct ward_error *error)
{
	(void)event;
	if (o->state->functions[function].absent)
		return ward_fail(error, -EINVAL, "%s is not there", own_name(o, function));
	return 0;
}

/* One of its partition that is to be given back, or WARD_NONE. */
static uint32_t revoking_beside(const struct ward_ownership *o, uint32_t function)
{
	const struct ward_isolation *isolation = o->environment->isolation;
	uint32_t member = function;

	if (!o->revoking || own_leaves_out(o, OWN_RULE_REVOKING))
		return WARD_NONE;
	do {
		if (o->state->functions[member].revoking)
			return member;
		member = isolation->partition_next[member];
	} while (member != function);
	return WARD_NONE;
}

static bool is_taken(const struct ward_ownership *o, uint32_t function, struct own_refusal *refusal)
{
	const struct ward_function_state *f = &o->state->functions[function];

	if (own_refuse_if_clients(o, function, refusal))
		return true;
	if (own_is_hosts(o, function))
		return own_refuse(refusal, "own-driver", function, function,
				  "the host has %s%s%s: it lets go of it first",
				  own_name(o, function), f->driver ? ", driver " : "",
				  f->driver ? f->driver : "");
	return ward_is_in_use(o->state, function) &&
	       own_refuse(refusal, "already-owned", function, function,
			  "%s is in use through %s, and no client is known to have it",
			  own_name(o, function), f->driver);
}

static bool claim_refused(const struct ward_ownership *o, const struct ward_event *event,
			  uint32_t function, struct own_refusal *refusal)
{
	const struct ward_owner taker = { WARD_OWNER_CLIENT, event->client };
	uint32_t revoking;

	if (is_taken(o, function, refusal))
		return true;
	if (o->state->functions[function].frozen)
		return own_refuse(refusal, "frozen", function, WARD_NONE,
				  "%s is frozen: it is of no use to anybody before it was reset",
				  own_name(o, function));
	if (own_refuse_if_tainted(o, function, taker, refusal))
		return true;
	revoking = revoking_beside(o, function);
	return revoking != WARD_NONE &&
	       own_refuse(refusal, "revoking", function, revoking,
			  "client %s has not given back %s yet, which is of one partition with %s",
			  own_holder(o, revoking), own_name(o, revoking), own_name(o, function));
}

static int claim_effect(struct ward_ownership *o, const struct ward_event *event, uint32_t function)
{
	struct ward_function_state *f = &o->state->functions[function];
	int err = ward_own_touch(o, function);

	if (!err)
		err = ward_own_drop_vectors(o, function);
	if (!err)
		err = ward_own_drop_spaces(o, function);
	if (err)
		return err;
	ward_own_set_owner(o, function, (struct ward_owner){ WARD_OWNER_CLIENT, event->client });
	f->irq_mode = WARD_IRQ_NONE;
	f->tainted_by = (struct ward_owner){ .kind = WARD_OWNER_NOBODY };
	f->quarantined = false;
	ward_own_set_container(o, function, WARD_NONE);
	return 0;
}

static int has_client(const struct ward_ownership *o, const struct ward_event *event,
		      uint32_t function, struct ward_error *error)
{
	(void)event;
	if (!own_is_clients(o, function))
		return ward_fail(error, -EINVAL, "no client has %s", own_name(o, function));
	return 0;
}

int own_give_back(struct ward_ownership *o, uint32_t function)
{
	struct ward_function_state *f = &o->state->functions[function];
	struct ward_owner client = f->owner;
	int err = own_taint_reached(o, function);

	if (!err)
		err = f->driver && !f->driver_yields ? ward_own_set_driver(o, function, NULL)
						     : ward_own_touch(o, function);
	if (!err)
		err = ward_own_drop_vectors(o, function);
	if (!err)
		err = ward_own_drop_spaces(o, function);
	if (err)
		return err;
	ward_own_set_owner(o, function,
			   (struct ward_owner){
				   .kind = own_leaves_out(o, OWN_RULE_RELEASE_TO_NOBODY)
						   ? WARD_OWNER_HOST
						   : WARD_OWNER_NOBODY });
	ward_own_set_revoking(o, function, false);
	f->irq_mode = WARD_IRQ_NONE;
	if (!own_leaves_out(o, OWN_RULE_TAINT))
		f->tainted_by = client;
	ward_own_set_container(o, function, WARD_NONE);
	return 0;
}

static int release_effect(struct ward_ownership *o, const struct ward_event *event,
			  uint32_t function)
{
	(void)event;
	return own_give_back(o, function);
}

static int revoke_effect(struct ward_ownership *o, const struct ward_event *event,
			 uint32_t function)
{
	struct ward_function_state *f = &o->state->functions[function];
	int err;

	(void)event;
	if (o->options.revoke_is_immediate)
		return own_give_back(o, function);
	err = own_freeze_domain(o, function);
	if (!err)
		err = ward_own_touch(o, function);
	if (!err)
		err = ward_own_drop_vectors(o, function);
	if (err)
		return err;
	f->irq_mode = WARD_IRQ_NONE;
	ward_own_set_revoking(o, function, true);
	return 0;
}

const struct own_handler own_claim = {
	.functions = true,
	.client = true,
	.never_fact = true,
	.sense = claim_sense,
	.refused = claim_refused,
	.effect = claim_effect,
};

const struct own_handler own_release = {
	.takes_away = true,
	.functions = true,
	.sense = has_client,
	.effect = release_effect,
};

const struct own_handler own_death = {
	.takes_away = true,
	.client = true,
	.always_fact = true,
	.effect = release_effect,
};

const struct own_handler own_revoke = {
	.takes_away = true,
	.functions = true,
	.never_fact = true,
	.sense = has_client,
	.effect = revoke_effect,
};

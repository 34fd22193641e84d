// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Drivers of the host come and go: bind, unbind, quarantine. */
#include "own/core.h"

#include <errno.h>

#include "base/error.h"
#include "machine/state.h"

static int is_there(const struct ward_ownership *o, uint32_t function, struct ward_error *error)
{
	if (o->state->functions[function].absent)
		return ward_fail(error, -EINVAL, "%s is not there", own_name(o, function));
	return 0;
}

static int bind_sense(const struct ward_ownership *o, const struct ward_event *event,
		      uint32_t function, struct ward_error *error)
{
	const struct ward_function_state *f = &o->state->functions[function];

	if (!event->driver || !event->driver[0])
		return ward_fail(error, -EINVAL, "a bind of no driver");
	if (f->driver)
		return ward_fail(error, -EINVAL, "%s is bound to %s", own_name(o, function),
				 f->driver);
	if (event->fact && own_is_clients(o, function))
		return ward_fail(error, -EINVAL, "no driver takes %s, which client %s has open",
				 own_name(o, function), own_holder(o, function));
	return is_there(o, function, error);
}

/* While the client's is not frozen, what it reaches says the same and more. */
bool own_refuse_if_shared(const struct ward_ownership *o, uint32_t function, const char *driver,
			  struct own_refusal *refusal)
{
	uint32_t member = function;

	if (!driver || ward_driver_yields(driver) || own_leaves_out(o, OWN_RULE_GROUP_ONE_SPACE))
		return false;
	while ((member = o->environment->companion[member]) != function) {
		if (own_is_clients(o, member) && o->state->functions[member].frozen)
			return own_refuse(
				refusal, "one-space", function, member,
				"%s shares its group or an id with %s, which client %s has",
				own_name(o, function), own_name(o, member), own_holder(o, member));
	}
	return false;
}

static bool bind_refused(const struct ward_ownership *o, const struct ward_event *event,
			 uint32_t function, struct own_refusal *refusal)
{
	const struct ward_function_state *f = &o->state->functions[function];

	if (own_refuse_if_clients(o, function, refusal) ||
	    own_refuse_if_shared(o, function, event->driver, refusal))
		return true;
	if (f->frozen)
		return own_refuse(refusal, "frozen", function, WARD_NONE,
				  "%s is frozen: no driver gets an answer from it",
				  own_name(o, function));
	return own_refuse_if_tainted(o, function, (struct ward_owner){ .kind = WARD_OWNER_HOST },
				     refusal);
}

int own_take_by_driver(struct ward_ownership *o, uint32_t function, const char *driver)
{
	struct ward_function_state *f = &o->state->functions[function];
	int err = ward_own_set_driver(o, function, driver);

	if (err)
		return err;
	f->quarantined = false;
	if (f->owner.kind == WARD_OWNER_HOST && f->tainted_by.kind == WARD_OWNER_HOST)
		f->tainted_by = (struct ward_owner){ .kind = WARD_OWNER_NOBODY };
	return 0;
}

static int bind_effect(struct ward_ownership *o, const struct ward_event *event, uint32_t function)
{
	return own_take_by_driver(o, function, event->driver);
}

static int unbind_sense(const struct ward_ownership *o, const struct ward_event *event,
			uint32_t function, struct ward_error *error)
{
	if (!o->state->functions[function].driver)
		return ward_fail(error, -EINVAL, "%s has no driver", own_name(o, function));
	if (event->fact && own_is_clients(o, function))
		return ward_fail(error, -EINVAL,
				 "no driver lets go of %s, which client %s has open",
				 own_name(o, function), own_holder(o, function));
	return is_there(o, function, error);
}

static bool unbind_refused(const struct ward_ownership *o, const struct ward_event *event,
			   uint32_t function, struct own_refusal *refusal)
{
	(void)event;
	return own_refuse_if_clients(o, function, refusal);
}

/* Nobody's, blocked, without vectors; what the host did with it is still in it. */
static int lose_driver(struct ward_ownership *o, uint32_t function)
{
	struct ward_function_state *f = &o->state->functions[function];
	bool hosts = own_is_hosts(o, function);
	int err = ward_own_set_driver(o, function, NULL);

	if (!err)
		err = ward_own_drop_spaces(o, function);
	if (err)
		return err;
	ward_own_set_owner(o, function, (struct ward_owner){ .kind = WARD_OWNER_NOBODY });
	if (hosts)
		own_taint(f, (struct ward_owner){ .kind = WARD_OWNER_HOST });
	return 0;
}

static int unbind_effect(struct ward_ownership *o, const struct ward_event *event,
			 uint32_t function)
{
	(void)event;
	return lose_driver(o, function);
}

static int quarantine_sense(const struct ward_ownership *o, const struct ward_event *event,
			    uint32_t function, struct ward_error *error)
{
	(void)event;
	if (own_is_clients(o, function))
		return ward_fail(error, -EINVAL, "client %s has %s", own_holder(o, function),
				 own_name(o, function));
	return is_there(o, function, error);
}

static int quarantine_effect(struct ward_ownership *o, const struct ward_event *event,
			     uint32_t function)
{
	int err = lose_driver(o, function);

	(void)event;
	if (!err)
		o->state->functions[function].quarantined = true;
	return err;
}

const struct own_handler own_bind = {
	.functions = true,
	.sense = bind_sense,
	.refused = bind_refused,
	.effect = bind_effect,
};

const struct own_handler own_unbind = {
	.takes_away = true,
	.functions = true,
	.sense = unbind_sense,
	.refused = unbind_refused,
	.effect = unbind_effect,
};

const struct own_handler own_quarantine = {
	.takes_away = true,
	.functions = true,
	.sense = quarantine_sense,
	.effect = quarantine_effect,
};

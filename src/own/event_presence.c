// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Functions appear and go: hot-add, hot-remove, VFs on and off. */
#include "own/core.h"

#include <errno.h>

#include "base/error.h"

static bool is_absent(const struct ward_ownership *o, uint32_t function)
{
	return o->state->functions[function].absent;
}

static int hot_add_sense(const struct ward_ownership *o, const struct ward_event *event,
			 uint32_t function, struct ward_error *error)
{
	const struct ward_function *f = &o->machine->functions[function];

	(void)event;
	if (!is_absent(o, function))
		return ward_fail(error, -EINVAL, "%s is there already", own_name(o, function));
	if (f->physfn != WARD_NONE)
		return ward_fail(error, -EINVAL, "%s is a VF: it comes when its PF has VFs on",
				 own_name(o, function));
	if (f->parent != WARD_NONE && is_absent(o, f->parent) && !own_is_named(o, f->parent))
		return ward_fail(error, -EINVAL, "%s is behind %s, which is not there",
				 own_name(o, function), own_name(o, f->parent));
	return 0;
}

/* There, clean, nobody's; and then somebody's, when a driver takes it. */
static int appear(struct ward_ownership *o, uint32_t function, const char *driver)
{
	struct ward_function_state *f = &o->state->functions[function];
	int err = ward_own_set_absent(o, function, false);

	if (err)
		return err;
	f->tainted_by = (struct ward_owner){ .kind = WARD_OWNER_NOBODY };
	f->frozen = false;
	f->quarantined = false;
	return driver ? own_take_by_driver(o, function, driver) : 0;
}

static int disappear(struct ward_ownership *o, uint32_t function)
{
	struct ward_function_state *f = &o->state->functions[function];
	int err;

	if (own_is_clients(o, function)) {
		err = own_give_back(o, function);
		if (err)
			return err;
	}
	err = ward_own_set_driver(o, function, NULL);
	if (!err)
		err = ward_own_drop_spaces(o, function);
	if (!err)
		err = ward_own_set_absent(o, function, true);
	if (err)
		return err;
	ward_own_set_owner(o, function, (struct ward_owner){ .kind = WARD_OWNER_NOBODY });
	f->tainted_by = (struct ward_owner){ .kind = WARD_OWNER_NOBODY };
	f->frozen = false;
	f->quarantined = false;
	return 0;
}

static int hot_add_effect(struct ward_ownership *o, const struct ward_event *event,
			  uint32_t function)
{
	return appear(o, function, event->driver);
}

/* A function on the bus right behind a bridge that stays although the bridge goes, or WARD_NONE. */
static uint32_t left_behind(const struct ward_ownership *o, uint32_t bridge)
{
	const struct ward_function *b = &o->machine->functions[bridge];
	const struct ward_bus *bus;

	if (b->header_type != 1 || b->bridge.bus == WARD_NONE)
		return WARD_NONE;
	bus = &o->machine->buses[b->bridge.bus];
	for (uint32_t i = bus->first; i < bus->first + bus->count; i++) {
		uint32_t pf = o->machine->functions[i].physfn;

		/* VFs go with their PF, named or not. */
		if (!is_absent(o, i) && !own_is_named(o, i) &&
		    (pf == WARD_NONE || !own_is_named(o, pf)))
			return i;
	}
	return WARD_NONE;
}

static int hot_remove_sense(const struct ward_ownership *o, const struct ward_event *event,
			    uint32_t function, struct ward_error *error)
{
	uint32_t pf = o->machine->functions[function].physfn, left;

	(void)event;
	if (is_absent(o, function))
		return ward_fail(error, -EINVAL, "%s is not there", own_name(o, function));
	if (pf != WARD_NONE)
		return ward_fail(error, -EINVAL, "%s is a VF: it goes with its PF",
				 own_name(o, function));
	left = left_behind(o, function);
	if (left != WARD_NONE)
		return ward_fail(error, -EINVAL, "%s is behind %s and goes along with it",
				 own_name(o, left), own_name(o, function));
	return 0;
}

static int vfs_disappear(struct ward_ownership *o, uint32_t pf)
{
	int err = 0;

	for (uint32_t vf = own_next_vf(o, pf, WARD_NONE); vf != WARD_NONE && !err;
	     vf = own_next_vf(o, pf, vf))
		err = disappear(o, vf);
	return err;
}

static int hot_remove_effect(struct ward_ownership *o, const struct ward_event *event,
			     uint32_t function)
{
	int err = vfs_disappear(o, function);

	(void)event;
	return err ? err : disappear(o, function);
}

static int is_pf(const struct ward_ownership *o, uint32_t function, bool on,
		 struct ward_error *error)
{
	if (is_absent(o, function))
		return ward_fail(error, -EINVAL, "%s is not there", own_name(o, function));
	if (o->first_vf[function] == WARD_NONE)
		return ward_fail(error, -EINVAL, "%s has no VFs", own_name(o, function));
	/* They come and go together: where there is one there are all. */
	if ((own_next_vf(o, function, WARD_NONE) != WARD_NONE) != on)
		return ward_fail(error, -EINVAL, "the VFs of %s are %s", own_name(o, function),
				 on ? "not there" : "there already");
	return 0;
}

static int vfs_on_sense(const struct ward_ownership *o, const struct ward_event *event,
			uint32_t function, struct ward_error *error)
{
	(void)event;
	return is_pf(o, function, false, error);
}

static bool vfs_on_refused(const struct ward_ownership *o, const struct ward_event *event,
			   uint32_t function, struct own_refusal *refusal)
{
	(void)event;
	return !own_leaves_out(o, OWN_RULE_VFS) && own_refuse_if_clients(o, function, refusal);
}

static bool vfs_on_refused_then(const struct ward_ownership *o, const struct ward_event *event,
				uint32_t function, struct own_refusal *refusal)
{
	for (uint32_t vf = o->first_vf[function]; vf != WARD_NONE; vf = o->next_vf[vf])
		if (own_refuse_if_shared(o, vf, event->driver, refusal))
			return true;
	return false;
}

static int vfs_on_effect(struct ward_ownership *o, const struct ward_event *event,
			 uint32_t function)
{
	int err = 0;

	for (uint32_t vf = o->first_vf[function]; vf != WARD_NONE && !err; vf = o->next_vf[vf])
		err = appear(o, vf, event->driver);
	return err;
}

static int vfs_off_sense(const struct ward_ownership *o, const struct ward_event *event,
			 uint32_t function, struct ward_error *error)
{
	(void)event;
	return is_pf(o, function, true, error);
}

static bool vfs_off_refused(const struct ward_ownership *o, const struct ward_event *event,
			    uint32_t function, struct own_refusal *refusal)
{
	(void)event;
	for (uint32_t vf = own_next_vf(o, function, WARD_NONE);
	     vf != WARD_NONE && !own_leaves_out(o, OWN_RULE_VFS); vf = own_next_vf(o, function, vf))
		if (own_refuse_if_clients(o, vf, refusal))
			return true;
	return false;
}

static int vfs_off_effect(struct ward_ownership *o, const struct ward_event *event,
			  uint32_t function)
{
	(void)event;
	return vfs_disappear(o, function);
}

const struct own_handler own_hot_add = {
	.functions = true,
	.always_fact = true,
	.sense = hot_add_sense,
	.effect = hot_add_effect,
};

const struct own_handler own_hot_remove = {
	.functions = true,
	.always_fact = true,
	.sense = hot_remove_sense,
	.effect = hot_remove_effect,
};

const struct own_handler own_vfs_on = {
	.functions = true,
	.sense = vfs_on_sense,
	.refused = vfs_on_refused,
	.refused_then = vfs_on_refused_then,
	.effect = vfs_on_effect,
};

const struct own_handler own_vfs_off = {
	.takes_away = true,
	.functions = true,
	.sense = vfs_off_sense,
	.refused = vfs_off_refused,
	.effect = vfs_off_effect,
};

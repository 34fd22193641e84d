// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Functions go into spaces of their clients and out of them: attach, detach. */
#include "own/core.h"

#include <errno.h>

#include "base/error.h"
#include "isolate/isolation.h"

static enum ward_domains domains_of(const struct ward_machine *machine, uint32_t function)
{
	const struct ward_function *f = &machine->functions[function];

	return f->stream.iommu == WARD_NONE ? WARD_DOMAINS_ANY
					    : machine->iommus[f->stream.iommu].domains;
}

/* The event attaches it: it is named, or a companion of one that is. */
static bool goes_along(const struct ward_ownership *o, uint32_t function)
{
	uint32_t member = function;

	do {
		if (own_is_named(o, member))
			return true;
		member = o->environment->companion[member];
	} while (member != function);
	return false;
}

/* Somebody stays in the container with a space that is another one, or WARD_NONE. */
static uint32_t find_other_space(const struct ward_ownership *o, const struct ward_event *event,
				 uint32_t function)
{
	uint32_t other = o->clients[o->state->functions[function].owner.client].first;

	for (; other != WARD_NONE; other = o->next[other]) {
		if (o->container[other] == event->container &&
		    ward_own_space(o, other, WARD_PASID_NONE) != event->space &&
		    !goes_along(o, other))
			return other;
	}
	return WARD_NONE;
}

static int attach_sense(const struct ward_ownership *o, const struct ward_event *event,
			uint32_t function, struct ward_error *error)
{
	uint32_t other;

	if (event->container >= OWN_CONTAINERS_MAX)
		return ward_fail(error, -EINVAL, "there is no container %u",
				 (unsigned int)event->container);
	if (!own_is_clients(o, function))
		return ward_fail(error, -EINVAL, "no client has %s", own_name(o, function));
	if (event->space && o->state->functions[function].owner.client !=
				    o->state->functions[event->functions[0]].owner.client)
		return ward_fail(error, -EINVAL,
				 "%s and %s are of two clients, and have no space "
				 "in common",
				 own_name(o, event->functions[0]), own_name(o, function));
	other = find_other_space(o, event, function);
	if (other != WARD_NONE)
		return ward_fail(error, -EINVAL, "container %u has another space, with %s in it",
				 (unsigned int)event->container, own_name(o, other));
	return 0;
}

/* One space for each partitionable endpoint, and nobody else in it. */
static bool is_fixed_apart(const struct ward_ownership *o, uint32_t function, uint32_t other)
{
	return (domains_of(o->machine, function) == WARD_DOMAINS_FIXED ||
		domains_of(o->machine, other) == WARD_DOMAINS_FIXED) &&
	       (o->machine->functions[function].pe != o->machine->functions[other].pe ||
		o->machine->functions[function].stream.iommu !=
			o->machine->functions[other].stream.iommu);
}

static bool is_domain_fixed(const struct ward_ownership *o, const struct ward_event *event,
			    uint32_t function, struct own_refusal *refusal)
{
	uint32_t client = o->state->functions[function].owner.client;
	uint32_t other = o->clients[client].first;

	if (own_leaves_out(o, OWN_RULE_DOMAIN_FIXED))
		return false;
	for (; other != WARD_NONE; other = o->next[other]) {
		/* What the same event attaches is in the space by then. */
		if ((o->container[other] == event->container || own_is_named(o, other)) &&
		    other != function && is_fixed_apart(o, function, other))
			return own_refuse(
				refusal, "domain-fixed", function, other,
				"the IOMMU has a space for each partitionable endpoint, and "
				"%s and %s are of two",
				own_name(o, function), own_name(o, other));
	}
	return false;
}

/* One that shares its space, or itself, is in another container of whoever. */
static bool is_elsewhere(const struct ward_ownership *o, const struct ward_event *event,
			 uint32_t function, struct own_refusal *refusal)
{
	uint32_t client = o->state->functions[function].owner.client, member = function;

	if (own_leaves_out(o, OWN_RULE_GROUP_ONE_SPACE))
		return false;
	do {
		bool same = o->state->functions[member].owner.client == client &&
			    o->container[member] == event->container;

		if (o->container[member] != WARD_NONE && !same)
			return own_refuse(
				refusal, "one-space", function, member,
				member == function
					? "%s is in another container, from which it has "
					  "to be detached"
					: "%s shares its group or an id with %s, which is in "
					  "another container",
				own_name(o, function), own_name(o, member));
		member = o->environment->companion[member];
	} while (member != function);
	return false;
}

/* Who is in one space with another writes its memory. */
static bool is_others_space(const struct ward_ownership *o, const struct ward_event *event,
			    uint32_t function, struct own_refusal *refusal)
{
	uint32_t client = o->state->functions[function].owner.client;
	struct ward_space_info info;

	for (uint32_t i = 0; i < o->state->attachments_count && event->space; i++) {
		const struct ward_attachment *a = &o->state->attachments[i];

		if (own_is_clients(o, a->function) &&
		    o->state->functions[a->function].owner.client != client &&
		    ward_space_bound(a->space, &info) == ward_space_bound(event->space, &info))
			return own_refuse(refusal, "one-space", function, a->function,
					  "the space is that of %s, which client %s has",
					  own_name(o, a->function), own_holder(o, a->function));
	}
	return false;
}

static bool attach_refused(const struct ward_ownership *o, const struct ward_event *event,
			   uint32_t function, struct own_refusal *refusal)
{
	if (o->state->functions[function].frozen)
		return own_refuse(refusal, "frozen", function, WARD_NONE,
				  "%s is frozen: it stays out of every space until it was reset",
				  own_name(o, function));
	return is_elsewhere(o, event, function, refusal) ||
	       is_others_space(o, event, function, refusal) ||
	       is_domain_fixed(o, event, function, refusal);
}

static int put(struct ward_ownership *o, uint32_t function, uint32_t container,
	       struct ward_space *space)
{
	bool leaves = ward_own_space(o, function, WARD_PASID_NONE) != NULL;
	int err = leaves ? own_taint_reached(o, function) : 0;

	if (!err)
		err = ward_own_touch(o, function);
	if (!err)
		err = ward_own_set_space(o, function, space);
	if (!err)
		ward_own_set_container(o, function, container);
	return err;
}

static int put_all(struct ward_ownership *o, uint32_t function, uint32_t container,
		   struct ward_space *space)
{
	uint32_t client = o->state->functions[function].owner.client, member = function;
	int err;

	if (own_leaves_out(o, OWN_RULE_GROUP_ONE_SPACE))
		return put(o, function, container, space);
	do {
		const struct ward_owner *owner = &o->state->functions[member].owner;
		bool goes = owner->kind == WARD_OWNER_CLIENT && owner->client == client;

		err = goes ? put(o, member, container, space) : 0;
		member = o->environment->companion[member];
	} while (!err && member != function);
	return err;
}

static int attach_effect(struct ward_ownership *o, const struct ward_event *event,
			 uint32_t function)
{
	return put_all(o, function, event->container, event->space);
}

static int detach_sense(const struct ward_ownership *o, const struct ward_event *event,
			uint32_t function, struct ward_error *error)
{
	(void)event;
	if (o->container[function] == WARD_NONE)
		return ward_fail(error, -EINVAL, "%s is in no container", own_name(o, function));
	return 0;
}

static int detach_effect(struct ward_ownership *o, const struct ward_event *event,
			 uint32_t function)
{
	(void)event;
	return put_all(o, function, WARD_NONE, NULL);
}

const struct own_handler own_attach = {
	.functions = true,
	.never_fact = true,
	.sense = attach_sense,
	.refused = attach_refused,
	.effect = attach_effect,
};

const struct own_handler own_detach = {
	.takes_away = true,
	.functions = true,
	.sense = detach_sense,
	.effect = detach_effect,
};

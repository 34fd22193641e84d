// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Changes, and how it was before them. What is undone is undone backwards, and needs no memory: arrays
 * never shrink.
 */
#include "own/core.h"

#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "machine/state.h"

static struct own_change *add_change(struct ward_ownership *o, enum own_change_kind kind,
				     uint32_t function)
{
	void *changes = o->changes;
	struct own_change *change;

	if (ward_array_reserve(&changes, &o->changes_capacity, o->changes_count + 1,
			       sizeof(*o->changes)))
		return NULL;
	o->changes = changes;
	change = &o->changes[o->changes_count++];
	*change = (struct own_change){ .kind = kind, .function = function };
	return change;
}

int ward_own_touch(struct ward_ownership *o, uint32_t function)
{
	struct own_change *change = add_change(o, OWN_CHANGE_FUNCTION, function);

	if (!change)
		return -ENOMEM;
	change->function_was.state = o->state->functions[function];
	change->function_was.container = o->container[function];
	return 0;
}

static void unlink_function(struct ward_ownership *o, uint32_t function)
{
	struct own_client *client = &o->clients[o->state->functions[function].owner.client];

	if (o->previous[function] == WARD_NONE)
		client->first = o->next[function];
	else
		o->next[o->previous[function]] = o->next[function];
	if (o->next[function] != WARD_NONE)
		o->previous[o->next[function]] = o->previous[function];
	client->count--;
}

static void link_function(struct ward_ownership *o, uint32_t function)
{
	struct own_client *client = &o->clients[o->state->functions[function].owner.client];

	o->previous[function] = WARD_NONE;
	o->next[function] = client->first;
	if (client->first != WARD_NONE)
		o->previous[client->first] = function;
	client->first = function;
	client->count++;
}

void ward_own_set_owner(struct ward_ownership *o, uint32_t function, struct ward_owner owner)
{
	if (own_is_clients(o, function))
		unlink_function(o, function);
	o->state->functions[function].owner = owner;
	if (own_is_clients(o, function))
		link_function(o, function);
}

void ward_own_set_revoking(struct ward_ownership *o, uint32_t function, bool revoking)
{
	struct ward_function_state *f = &o->state->functions[function];

	o->revoking += (uint32_t)revoking - (uint32_t)f->revoking;
	f->revoking = revoking;
}

void ward_own_set_container(struct ward_ownership *o, uint32_t function, uint32_t container)
{
	o->environment_stale |= o->several_doorbells && o->container[function] != container;
	o->container[function] = container;
}

int ward_own_set_driver(struct ward_ownership *o, uint32_t function, const char *driver)
{
	struct ward_function_state *f = &o->state->functions[function];
	int err = ward_own_touch(o, function);

	if (!err && driver)
		err = own_number_driver(o, driver);
	/* Its vectors go with a driver: with a note of them. */
	if (!err)
		err = ward_own_drop_vectors(o, function);
	if (!err)
		err = ward_state_bind(o->state, function, driver);
	if (err)
		return err;
	/* The one that it had raises interrupts as it did; of others that is not known. */
	f->irq_mode = WARD_IRQ_NONE;
	if (driver)
		f->irq_mode = own_driver_number(o, driver) == o->driver[function]
				      ? (enum ward_irq_mode)o->irq_mode[function]
				      : WARD_IRQ_UNKNOWN;
	return 0;
}

int ward_own_set_absent(struct ward_ownership *o, uint32_t function, bool absent)
{
	int err = ward_own_touch(o, function);

	if (err)
		return err;
	o->state->functions[function].absent = absent;
	o->environment_stale = true;
	return 0;
}

static bool has_vector(const struct ward_ownership *o, uint32_t function, uint32_t controller)
{
	const struct ward_state *state = o->state;

	for (uint32_t i = 0; i < state->vectors_count && o->vectors_of[function]; i++) {
		if (state->vectors[i].function == function &&
		    state->vectors[i].controller == controller)
			return true;
	}
	return false;
}

int ward_own_add_vector(struct ward_ownership *o, uint32_t function, uint32_t controller)
{
	const struct ward_host_vector vector = { .function = function, .controller = controller };
	struct ward_function_state *f = &o->state->functions[function];
	int err = ward_own_touch(o, function);

	if (err)
		return err;
	f->irq_mode = o->machine->functions[function].msix ? WARD_IRQ_MSIX : WARD_IRQ_MSI;
	if (has_vector(o, function, controller))
		return 0;
	if (!add_change(o, OWN_CHANGE_VECTOR_ADDED, function))
		return -ENOMEM;
	err = ward_state_add_vector(o->state, &vector);
	if (err) {
		o->changes_count--;
		return err;
	}
	o->vectors_of[function]++;
	o->environment_stale |= own_is_odd(o->machine, function, controller);
	return 0;
}

int ward_own_drop_vectors(struct ward_ownership *o, uint32_t function)
{
	struct ward_state *state = o->state;
	struct own_change *change;

	for (uint32_t i = state->vectors_count; i-- > 0 && o->vectors_of[function];) {
		if (state->vectors[i].function != function)
			continue;
		change = add_change(o, OWN_CHANGE_VECTOR_REMOVED, function);
		if (!change)
			return -ENOMEM;
		change->vector_was.at = i;
		change->vector_was.vector = state->vectors[i];
		o->environment_stale |=
			own_is_odd(o->machine, function, state->vectors[i].controller);
		state->vectors[i] = state->vectors[--state->vectors_count];
		o->vectors_of[function]--;
	}
	return 0;
}

/* The first attachment of a function, or where it would stand: they are sorted by function. */
static uint32_t first_attachment(const struct ward_state *state, uint32_t function)
{
	uint32_t low = 0, high = state->attachments_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (state->attachments[middle].function < function)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct ward_space *ward_own_space(const struct ward_ownership *o, uint32_t function,
				  ward_pasid_t pasid)
{
	const struct ward_state *state = o->state;

	for (uint32_t i = first_attachment(state, function);
	     i < state->attachments_count && state->attachments[i].function == function; i++) {
		if (state->attachments[i].pasid == pasid)
			return state->attachments[i].space;
	}
	return NULL;
}

static int set_space(struct ward_ownership *o, uint32_t function, ward_pasid_t pasid,
		     struct ward_space *space)
{
	struct ward_space *was = ward_own_space(o, function, pasid);
	struct own_change *change = add_change(o, OWN_CHANGE_ATTACHMENT, function);
	int err;

	if (!change)
		return -ENOMEM;
	change->attachment_was = (struct ward_attachment){ function, pasid, was };
	err = ward_state_attach(o->state, function, pasid, space);
	if (err) {
		o->changes_count--;
		return err;
	}
	o->environment_stale = true;
	return 0;
}

int ward_own_set_space(struct ward_ownership *o, uint32_t function, struct ward_space *space)
{
	int err = ward_own_drop_spaces(o, function);

	if (!space || err)
		return err;
	o->spaces_read++;
	return set_space(o, function, WARD_PASID_NONE, space);
}

int ward_own_drop_spaces(struct ward_ownership *o, uint32_t function)
{
	const struct ward_state *state = o->state;
	uint32_t first = first_attachment(state, function);
	int err = 0;

	while (!err && first < state->attachments_count &&
	       state->attachments[first].function == function)
		err = set_space(o, function, state->attachments[first].pasid, NULL);
	return err;
}

static void undo(struct ward_ownership *o, const struct own_change *change)
{
	struct ward_state *state = o->state;
	uint32_t function = change->function;

	switch (change->kind) {
	case OWN_CHANGE_FUNCTION:
		ward_own_set_owner(o, function, change->function_was.state.owner);
		ward_own_set_revoking(o, function, change->function_was.state.revoking);
		state->functions[function] = change->function_was.state;
		o->container[function] = change->function_was.container;
		break;
	case OWN_CHANGE_VECTOR_ADDED:
		state->vectors_count--;
		o->vectors_of[function]--;
		break;
	case OWN_CHANGE_VECTOR_REMOVED:
		state->vectors[state->vectors_count++] = state->vectors[change->vector_was.at];
		state->vectors[change->vector_was.at] = change->vector_was.vector;
		o->vectors_of[function]++;
		break;
	case OWN_CHANGE_ATTACHMENT:
		/* It was there before, or goes: no memory is needed. */
		ward_state_attach(state, function, change->attachment_was.pasid,
				  change->attachment_was.space);
		break;
	}
}

void ward_own_undo(struct ward_ownership *o)
{
	while (o->changes_count)
		undo(o, &o->changes[--o->changes_count]);
	o->environment_stale = false;
}

void ward_own_keep(struct ward_ownership *o)
{
	o->changes_count = 0;
	o->environment_stale = false;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A new snapshot of the machine: functions are the same when their addresses and their ways from the
 * root are. Everything that is known of a function goes along; nothing happens to anybody.
 */
#include "own/core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

struct rebasing {
	const struct ward_ownership *from;
	const struct ward_machine *machine;
	struct ward_state *state;
	uint32_t *to;	       /* by old function: the new one, or WARD_NONE */
	uint32_t *back;	       /* by new function: the old one, or WARD_NONE */
	uint32_t *controllers; /* by old controller */
};

static uint32_t find_same(const struct ward_machine *machine, const struct ward_machine *other,
			  uint32_t function)
{
	const struct ward_function *f = &machine->functions[function];
	char here[WARD_PATH_TEXT], there[WARD_PATH_TEXT];
	uint32_t found = f->kind == WARD_FUNCTION_PCI ? ward_machine_find(other, f->address)
						      : ward_machine_find_name(other, f->name);

	if (found == WARD_NONE || other->functions[found].kind != f->kind ||
	    ward_machine_path(machine, function, here, sizeof(here)) ||
	    ward_machine_path(other, found, there, sizeof(there)) || strcmp(here, there) != 0)
		return WARD_NONE;
	return found;
}

/* Somebody has it, or left something in it, or it is stopped: it cannot just be forgotten. */
static bool matters(const struct ward_ownership *o, uint32_t function)
{
	const struct ward_function_state *f = &o->state->functions[function];

	return f->owner.kind == WARD_OWNER_CLIENT ||
	       (!f->absent && (f->owner.kind == WARD_OWNER_HOST || f->frozen ||
			       f->tainted_by.kind != WARD_OWNER_NOBODY));
}

static int match_functions(struct rebasing *r)
{
	const struct ward_machine *old = r->from->machine;

	for (uint32_t i = 0; i < r->machine->functions_count; i++)
		r->back[i] = WARD_NONE;
	for (uint32_t i = 0; i < old->functions_count; i++) {
		r->to[i] = find_same(old, r->machine, i);
		if (r->to[i] != WARD_NONE)
			r->back[r->to[i]] = i;
		else if (matters(r->from, i))
			return -EINVAL;
	}
	return 0;
}

/* Controllers are the same when their doorbells are. */
static void match_controllers(struct rebasing *r)
{
	const struct ward_machine *old = r->from->machine;

	for (uint32_t i = 0; i < old->controllers_count; i++) {
		const struct ward_controller *a = &old->controllers[i];

		r->controllers[i] = WARD_NONE;
		for (uint32_t k = 0; k < r->machine->controllers_count; k++) {
			const struct ward_controller *b = &r->machine->controllers[k];

			if (a->kind == b->kind && a->doorbells[0].start == b->doorbells[0].start)
				r->controllers[i] = k;
		}
	}
}

static int carry_function(struct rebasing *r, uint32_t function)
{
	struct ward_function_state *to = &r->state->functions[function];
	const struct ward_function_state *from;
	const char *driver;
	int err;

	if (r->back[function] == WARD_NONE) {
		to->absent = true;
		return 0;
	}
	from = &r->from->state->functions[r->back[function]];
	err = ward_state_bind(r->state, function, from->driver);
	if (err)
		return err;
	driver = to->driver;
	*to = *from;
	to->driver = driver;
	/* What the kernel was told to do with it at the next bind is its own affair. */
	to->driver_override = NULL;
	return 0;
}

static int carry_lists(struct rebasing *r)
{
	const struct ward_state *from = r->from->state;
	int err = 0;

	for (uint32_t i = 0; i < from->vectors_count && !err; i++) {
		struct ward_host_vector v = from->vectors[i];

		if (v.function != WARD_NONE)
			v.function = r->to[v.function];
		if (v.controller != WARD_NONE)
			v.controller = r->controllers[v.controller];
		err = ward_state_add_vector(r->state, &v);
	}
	for (uint32_t i = 0; i < from->attachments_count && !err; i++) {
		const struct ward_attachment *a = &from->attachments[i];

		if (r->to[a->function] != WARD_NONE)
			err = ward_state_attach(r->state, r->to[a->function], a->pasid, a->space);
	}
	return err;
}

static int carry_state(struct rebasing *r)
{
	uint32_t client;
	int err = ward_state_create(r->machine, &r->state);

	for (uint32_t i = 0; i < r->from->state->clients_count && !err; i++)
		err = ward_state_client(r->state, r->from->state->clients[i], &client);
	for (uint32_t i = 0; i < r->machine->functions_count && !err; i++)
		err = carry_function(r, i);
	return err ? err : carry_lists(r);
}

/* Which containers functions are in is the ownership's own. */
static void carry_containers(const struct rebasing *r, struct ward_ownership *to)
{
	for (uint32_t i = 0; i < r->machine->functions_count; i++) {
		if (r->back[i] != WARD_NONE)
			to->container[i] = r->from->container[r->back[i]];
	}
	to->broken = r->from->broken;
}

static int alloc(struct rebasing *r)
{
	r->to = ward_alloc_array(r->from->machine->functions_count, sizeof(*r->to));
	r->back = ward_alloc_array(r->machine->functions_count, sizeof(*r->back));
	r->controllers =
		ward_alloc_array(r->from->machine->controllers_count, sizeof(*r->controllers));
	return r->to && r->back && r->controllers ? 0 : -ENOMEM;
}

int ward_ownership_rebase(const struct ward_ownership *ownership,
			  const struct ward_machine *machine, struct ward_ownership **ret_ownership)
{
	struct rebasing r = { .from = ownership, .machine = machine };
	struct ward_ownership_options options = ownership->options;
	struct ward_ownership *to = NULL;
	int err = alloc(&r);

	if (!err)
		err = match_functions(&r);
	if (!err) {
		match_controllers(&r);
		err = carry_state(&r);
	}
	options.waivers = ownership->waivers;
	options.waivers_count = ownership->waivers_count;
	if (!err)
		err = ward_ownership_create(machine, r.state, &options, &to);
	if (!err) {
		carry_containers(&r, to);
		*ret_ownership = to;
	}
	ward_state_destroy(r.state);
	free(r.to);
	free(r.back);
	free(r.controllers);
	return err;
}

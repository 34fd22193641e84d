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
		/* Who reaches it there could not be told any more. */
		if (v.function != WARD_NONE && v.controller == WARD_NONE &&
		    from->vectors[i].controller != WARD_NONE)
			return -EINVAL;
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

static uint32_t carried(const struct rebasing *r, uint32_t function)
{
	return function == WARD_NONE ? WARD_NONE : r->to[function];
}

/* One exposure of the history, in front of those that the new snapshot begins with. */
static int carry_exposure(const struct rebasing *r, struct ward_ownership *to, uint32_t number)
{
	const struct ward_exposure *from = &r->from->exposures[number];
	struct ward_exposure *exposure = &to->exposures[number];
	size_t size = strlen(from->text) + 1;
	char *text = ward_alloc(size);

	if (!text)
		return -ENOMEM;
	memcpy(text, from->text, size);
	to->texts[number] = text;
	*exposure = *from;
	exposure->text = text;
	exposure->function = carried(r, from->function);
	exposure->victim = carried(r, from->victim);
	return 0;
}

/* Where a client's is open before and after it is one exposure; the one that began by itself goes. */
static void join_exposures(const struct rebasing *r, struct ward_ownership *to)
{
	uint32_t kept = r->from->exposures_count;

	for (uint32_t i = kept; i < to->exposures_count; i++) {
		struct own_client *client = &to->clients[to->exposures[i].client];
		const struct own_client *was = &r->from->clients[to->exposures[i].client];

		client->rank = was->exposure ? was->rank : r->from->ranks + 1;
		if (was->exposure) {
			free(to->texts[i]);
			client->exposure = was->exposure;
			continue;
		}
		to->texts[kept] = to->texts[i];
		to->exposures[kept++] = to->exposures[i];
		client->exposure = kept;
	}
	to->exposures_count = kept;
	to->ranks = r->from->ranks + 1;
	for (uint32_t i = 0; i < r->from->exposures_count; i++) {
		struct ward_exposure *e = &to->exposures[i];

		/* What the new snapshot no longer shows is over. */
		if (!e->contained && to->clients[e->client].exposure != i + 1)
			e->contained = r->from->events;
	}
}

static int carry_history(const struct rebasing *r, struct ward_ownership *to)
{
	uint32_t old = r->from->exposures_count, new = to->exposures_count;
	int err = own_exposures_reserve(to, old);

	if (err)
		return err;
	for (uint32_t i = new; i-- > 0;) {
		to->exposures[old + i] = to->exposures[i];
		to->texts[old + i] = to->texts[i];
	}
	for (uint32_t i = 0; i < old; i++)
		to->texts[i] = NULL;
	to->exposures_count += old;
	for (uint32_t i = 0; i < old && !err; i++)
		err = carry_exposure(r, to, i);
	if (err)
		return err;
	join_exposures(r, to);
	to->events = r->from->events;
	to->version = r->from->version + 1;
	return 0;
}

/* Who came last, while what that opened is open. */
static int carry_newcomers(const struct rebasing *r, struct ward_ownership *to)
{
	void *newcomers = to->newcomers;

	if (ward_array_reserve(&newcomers, &to->newcomers_capacity, r->from->newcomers_count,
			       sizeof(*to->newcomers)))
		return -ENOMEM;
	to->newcomers = newcomers;
	for (uint32_t i = 0; i < r->from->newcomers_count; i++) {
		const struct own_newcomers *from = &r->from->newcomers[i];
		struct own_newcomers *n = &to->newcomers[to->newcomers_count];

		n->functions = ward_alloc_array(from->count, sizeof(*n->functions));
		if (!n->functions)
			return -ENOMEM;
		n->rank = from->rank;
		n->count = 0;
		to->newcomers_count++;
		for (uint32_t k = 0; k < from->count; k++) {
			if (r->to[from->functions[k]] != WARD_NONE)
				n->functions[n->count++] = r->to[from->functions[k]];
		}
	}
	return 0;
}

/* What the ownership knows besides the state. */
static int carry_rest(const struct rebasing *r, struct ward_ownership *to)
{
	struct ward_environment *environment;
	int err;

	for (uint32_t i = 0; i < r->machine->functions_count; i++) {
		if (r->back[i] != WARD_NONE)
			to->container[i] = r->from->container[r->back[i]];
	}
	to->broken = r->from->broken;
	to->spaces_read = r->from->spaces_read;
	err = own_environment_find(to, &environment);
	if (err)
		return err;
	own_environment_put(to->environment);
	to->environment = environment;
	/* Containers were not known yet when it was created. */
	own_exposures_forget(to);
	err = own_judge_beginning(to);
	if (!err)
		err = carry_history(r, to);
	return err ? err : carry_newcomers(r, to);
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
	options.size = sizeof(options);
	options.waivers = ownership->waivers;
	options.waivers_count = ownership->waivers_count;
	if (!err)
		err = ward_ownership_create(machine, r.state, &options, &to);
	if (!err)
		err = carry_rest(&r, to);
	if (!err)
		*ret_ownership = to;
	else
		ward_ownership_destroy(to);
	ward_state_destroy(r.state);
	free(r.to);
	free(r.back);
	free(r.controllers);
	return err;
}

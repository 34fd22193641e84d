// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The object: how it begins, how it is copied, and what it tells. */
#include "own/core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

static bool options_are_sound(const struct ward_ownership_options *options)
{
	return options->size == sizeof(*options) && options->policy <= WARD_POLICY_LINUX &&
	       options->newcomer <= WARD_CONTAIN_REVOKE && options->other <= WARD_CONTAIN_REVOKE &&
	       options->other != WARD_CONTAIN_QUARANTINE &&
	       (options->waivers || !options->waivers_count);
}

static void take_options(struct ward_ownership *o, const struct ward_ownership_options *options)
{
	if (options)
		o->options = *options;
	o->options.waivers = NULL;
	o->options.waivers_count = 0;
	if (o->options.newcomer == WARD_CONTAIN_DEFAULT)
		o->options.newcomer = WARD_CONTAIN_QUARANTINE;
	if (o->options.other == WARD_CONTAIN_DEFAULT)
		o->options.other = WARD_CONTAIN_FREEZE;
}

int own_alloc_by_function(struct ward_ownership *o)
{
	uint32_t **arrays[] = { &o->container, &o->next,   &o->previous, &o->vectors_of,
				&o->mark,      &o->driver, &o->proposal, &o->scratch,
				&o->first_vf,  &o->next_vf };
	uint32_t count = o->machine->functions_count;

	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
		*arrays[i] = ward_alloc_array(count, sizeof(uint32_t));
		if (!*arrays[i])
			return -ENOMEM;
	}
	o->irq_mode = ward_alloc_array(count, sizeof(*o->irq_mode));
	return o->irq_mode ? 0 : -ENOMEM;
}

int own_make_clients(struct ward_ownership *o)
{
	size_t known = o->clients_known;
	void *clients = o->clients;

	if (ward_array_reserve(&clients, &o->clients_capacity, o->state->clients_count,
			       sizeof(*o->clients)))
		return -ENOMEM;
	o->clients = clients;
	for (; known < o->state->clients_count; known++)
		o->clients[known] = (struct own_client){ .first = WARD_NONE };
	o->clients_known = (uint32_t)known;
	return 0;
}

/* What always holds is so from the beginning: of who is absent, and of who is being taken back. */
static int make_sound(struct ward_ownership *o, uint32_t function)
{
	struct ward_function_state *f = &o->state->functions[function];
	int err = 0;

	f->revoking = f->revoking && f->owner.kind == WARD_OWNER_CLIENT && !f->absent;
	f->frozen |= f->revoking;
	if (!f->absent)
		return 0;
	if (f->driver)
		err = ward_state_bind(o->state, function, NULL);
	f->owner = (struct ward_owner){ .kind = WARD_OWNER_NOBODY };
	f->tainted_by = (struct ward_owner){ .kind = WARD_OWNER_NOBODY };
	f->frozen = false;
	f->quarantined = false;
	return err;
}

/* What the state says is put into lists. */
static int take_functions(struct ward_ownership *o)
{
	int err = own_number_driver(o, "vfio-pci");

	for (uint32_t i = o->machine->functions_count; i-- > 0;) {
		struct ward_function_state *f = &o->state->functions[i];
		int unsound = make_sound(o, i);
		struct ward_owner owner = f->owner;

		err = err ? err : unsound;
		o->container[i] = WARD_NONE;
		o->irq_mode[i] = (uint8_t)f->irq_mode;
		f->owner = (struct ward_owner){ .kind = WARD_OWNER_NOBODY };
		ward_own_set_owner(o, i, owner);
		o->revoking += f->revoking;
		if (f->driver && !err)
			err = own_number_driver(o, f->driver);
		o->driver[i] = own_driver_number(o, f->driver);
	}
	for (uint32_t i = 0; i < o->state->vectors_count; i++) {
		if (o->state->vectors[i].function != WARD_NONE)
			o->vectors_of[o->state->vectors[i].function]++;
	}
	return err;
}

/* VFs in chains, in ascending order; and whether doorbells differ. */
static void take_machine(struct ward_ownership *o)
{
	const struct ward_machine *machine = o->machine;

	for (uint32_t i = machine->functions_count; i-- > 0;)
		o->first_vf[i] = WARD_NONE;
	for (uint32_t i = machine->functions_count; i-- > 0;) {
		uint32_t pf = machine->functions[i].physfn;

		o->next_vf[i] = pf == WARD_NONE ? WARD_NONE : o->first_vf[pf];
		if (pf != WARD_NONE)
			o->first_vf[pf] = i;
	}
	for (uint32_t i = 1; i < machine->functions_count; i++)
		o->several_doorbells |=
			own_doorbell_class(machine, i) != own_doorbell_class(machine, 0);
	/* A vector may land at a controller that is nobody's own. */
	for (uint32_t i = 0; i < machine->controllers_count; i++)
		o->several_doorbells |= machine->controllers_count > 1 &&
					machine->controllers[i].isolates != WARD_YES;
}

static int take_spaces(struct ward_ownership *o)
{
	o->attachments_count = o->state->attachments_count;
	o->attachments = ward_alloc_array(o->attachments_count, sizeof(*o->attachments));
	if (!o->attachments)
		return -ENOMEM;
	if (o->attachments_count)
		memcpy(o->attachments, o->state->attachments,
		       o->attachments_count * sizeof(*o->attachments));
	return 0;
}

static bool state_is_sound(const struct ward_machine *machine, const struct ward_state *state)
{
	if (state->machine != machine || state->clients_count > OWN_CLIENTS_MAX)
		return false;
	for (uint32_t i = 0; i < machine->functions_count; i++) {
		const struct ward_function_state *f = &state->functions[i];

		if ((f->owner.kind == WARD_OWNER_CLIENT &&
		     f->owner.client >= state->clients_count) ||
		    (f->tainted_by.kind == WARD_OWNER_CLIENT && f->tainted_by.client != WARD_NONE &&
		     f->tainted_by.client >= state->clients_count))
			return false;
	}
	return true;
}

int own_judge_beginning(struct ward_ownership *o)
{
	struct ward_event beginning = { .kind = WARD_EVENTS };
	struct own_judging judging = { 0 };
	struct own_noting noting = { 0 };
	int err = own_judge_all(o, &judging);

	if (!err)
		err = own_exposures_prepare(o, &beginning, &judging, &noting);
	if (!err)
		own_exposures_note(o, &beginning, &judging, &noting);
	own_noting_finish(&noting);
	own_judging_finish(&judging);
	return err;
}

static int begin(struct ward_ownership *o, const struct ward_state *state)
{
	int err = ward_state_copy(state, o->machine, &o->state);

	if (!err)
		err = own_alloc_by_function(o);
	if (!err)
		err = own_make_clients(o);
	if (!err) {
		take_machine(o);
		err = take_functions(o);
	}
	if (!err)
		err = take_spaces(o);
	return err ? err : own_environment_find(o, &o->environment);
}

int ward_ownership_create(const struct ward_machine *machine, const struct ward_state *state,
			  const struct ward_ownership_options *options,
			  struct ward_ownership **ret_ownership)
{
	struct ward_ownership *o;
	int err;

	if ((options && !options_are_sound(options)) || !state_is_sound(machine, state))
		return -EINVAL;
	o = ward_alloc(sizeof(*o));
	if (!o)
		return -ENOMEM;
	o->machine = machine;
	take_options(o, options);
	err = begin(o, state);
	if (!err && options)
		err = own_waivers_borrow(o, options->waivers, options->waivers_count);
	if (!err)
		err = own_waivers_take(o, 0);
	if (!err)
		err = own_judge_beginning(o);
	if (err) {
		ward_ownership_destroy(o);
		return err;
	}
	*ret_ownership = o;
	return 0;
}

void ward_ownership_destroy(struct ward_ownership *o)
{
	if (!o)
		return;
	own_environment_put(o->environment);
	own_environments_finish(&o->environments);
	own_exposures_forget(o);
	free(o->clients);
	free(o->newcomers);
	free(o->container);
	free(o->next);
	free(o->previous);
	free(o->vectors_of);
	free(o->mark);
	free(o->first_vf);
	free(o->next_vf);
	free(o->driver);
	free(o->proposal);
	free(o->scratch);
	free(o->irq_mode);
	free(o->changes);
	free(o->waivers);
	free(o->listed);
	free(o->exposures);
	free(o->texts);
	free(o->drivers);
	free(o->attachments);
	ward_state_destroy(o->state);
	ward_arena_finish(&o->arena);
	free(o);
}

const struct ward_state *ward_ownership_state(const struct ward_ownership *o)
{
	return o->state;
}

const struct ward_isolation *ward_ownership_isolation(const struct ward_ownership *o)
{
	return o->environment->isolation;
}

uint64_t ward_ownership_version(const struct ward_ownership *o)
{
	return o->version;
}

int ward_ownership_client(struct ward_ownership *o, const char *name, uint32_t *ret_client)
{
	uint32_t client;
	int err;

	for (client = 0; client < o->clients_known; client++) {
		if (strcmp(o->state->clients[client], name) == 0) {
			*ret_client = client;
			return 0;
		}
	}
	if (client == OWN_CLIENTS_MAX)
		return -ENOSPC;
	err = ward_state_client(o->state, name, &client);
	if (!err)
		err = own_make_clients(o);
	if (!err)
		*ret_client = client;
	return err;
}

uint32_t ward_ownership_container(const struct ward_ownership *o, uint32_t function)
{
	return function < o->machine->functions_count ? o->container[function] : WARD_NONE;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Copies, to try things on. */
#include "own/core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

static int copy_drivers(struct ward_ownership *copy, const struct ward_ownership *o)
{
	int err = 0;

	for (uint32_t i = 0; i < o->drivers_count && !err; i++)
		err = own_number_driver(copy, o->drivers[i]);
	return err;
}

static void copy_by_function(struct ward_ownership *copy, const struct ward_ownership *o)
{
	size_t size = o->machine->functions_count * sizeof(uint32_t);

	if (!size)
		return;
	memcpy(copy->container, o->container, size);
	memcpy(copy->next, o->next, size);
	memcpy(copy->previous, o->previous, size);
	memcpy(copy->vectors_of, o->vectors_of, size);
	memcpy(copy->first_vf, o->first_vf, size);
	memcpy(copy->next_vf, o->next_vf, size);
	memcpy(copy->driver, o->driver, size);
	memcpy(copy->irq_mode, o->irq_mode, o->machine->functions_count);
}

/* What is open stays open; the history begins with it. */
static int copy_exposure(struct ward_ownership *copy, const struct ward_ownership *o,
			 uint32_t client)
{
	const struct ward_exposure *from = &o->exposures[o->clients[client].exposure - 1];
	struct ward_exposure *to;
	size_t size = strlen(from->text) + 1;
	char *text;

	if (own_exposures_reserve(copy, 1))
		return -ENOMEM;
	text = ward_alloc(size);
	if (!text)
		return -ENOMEM;
	memcpy(text, from->text, size);
	copy->texts[copy->exposures_count] = text;
	to = &copy->exposures[copy->exposures_count++];
	*to = *from;
	to->opened = 0;
	to->text = text;
	copy->clients[client].exposure = copy->exposures_count;
	copy->exposures_open++;
	return 0;
}

static int copy_clients(struct ward_ownership *copy, const struct ward_ownership *o)
{
	int err = own_make_clients(copy);

	for (uint32_t i = 0; i < copy->clients_known && !err; i++) {
		const struct own_client *from = &o->clients[i];
		struct own_client *to = &copy->clients[i];

		to->first = from->first;
		to->count = from->count;
		to->rank = from->rank;
		to->through = ward_alloc_array(from->through_count, sizeof(*to->through));
		if (!to->through)
			return -ENOMEM;
		to->through_count = from->through_count;
		if (from->through_count)
			memcpy(to->through, from->through,
			       from->through_count * sizeof(*to->through));
		if (from->exposure)
			err = copy_exposure(copy, o, i);
	}
	return err;
}

static int copy_newcomers(struct ward_ownership *copy, const struct ward_ownership *o)
{
	void *newcomers = NULL;

	if (ward_array_reserve(&newcomers, &copy->newcomers_capacity, o->newcomers_count,
			       sizeof(*copy->newcomers)))
		return -ENOMEM;
	copy->newcomers = newcomers;
	for (uint32_t i = 0; i < o->newcomers_count; i++) {
		const struct own_newcomers *from = &o->newcomers[i];
		uint32_t *functions = ward_alloc_array(from->count, sizeof(*functions));

		if (!functions)
			return -ENOMEM;
		memcpy(functions, from->functions, from->count * sizeof(*functions));
		copy->newcomers[copy->newcomers_count++] =
			(struct own_newcomers){ from->rank, functions, from->count };
	}
	return 0;
}

static int copy_attachments(struct ward_ownership *copy, const struct ward_ownership *o)
{
	copy->attachments = ward_alloc_array(o->attachments_count, sizeof(*copy->attachments));
	if (!copy->attachments)
		return -ENOMEM;
	copy->attachments_count = o->attachments_count;
	if (o->attachments_count)
		memcpy(copy->attachments, o->attachments,
		       o->attachments_count * sizeof(*copy->attachments));
	return 0;
}

static void share_environments(struct ward_ownership *copy, const struct ward_ownership *o)
{
	copy->environment = own_environment_get(o->environment);
	copy->environments = o->environments;
	for (uint32_t i = 0; i < copy->environments.count; i++)
		own_environment_get(copy->environments.kept[i]);
}

int ward_ownership_copy(const struct ward_ownership *o, struct ward_ownership **ret_ownership)
{
	struct ward_ownership *copy = ward_alloc(sizeof(*copy));
	int err;

	if (!copy)
		return -ENOMEM;
	copy->machine = o->machine;
	copy->options = o->options;
	copy->broken = o->broken;
	copy->revoking = o->revoking;
	copy->ranks = o->ranks;
	copy->several_doorbells = o->several_doorbells;
	copy->spaces_read = o->spaces_read;
	share_environments(copy, o);
	err = ward_state_copy(o->state, o->machine, &copy->state);
	if (!err)
		err = own_alloc_by_function(copy);
	if (!err) {
		copy_by_function(copy, o);
		err = copy_drivers(copy, o);
	}
	if (!err)
		err = copy_clients(copy, o);
	if (!err)
		err = copy_newcomers(copy, o);
	if (!err)
		err = copy_attachments(copy, o);
	if (!err)
		err = own_waivers_borrow(copy, o->waivers, o->waivers_count);
	if (!err)
		err = own_waivers_take(copy, 0);
	if (!err)
		err = ward_ownership_number_waivers(copy, o->listed, o->listed_count);
	if (err) {
		ward_ownership_destroy(copy);
		return err;
	}
	*ret_ownership = copy;
	return 0;
}

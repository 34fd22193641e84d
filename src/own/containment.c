// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Containments: the one event that answers the oldest open exposure. */
#include "own/core.h"

/* The smallest function of a client that is not frozen: order that no renumbering of clients changes. */
static uint32_t first_unfrozen(const struct ward_ownership *o, uint32_t client)
{
	uint32_t first = WARD_NONE;

	for (uint32_t f = o->clients[client].first; f != WARD_NONE; f = o->next[f]) {
		if (f < first && !o->state->functions[f].frozen)
			first = f;
	}
	return first;
}

/* Of the exposures that one event opened, the one of the client that has the smallest function. */
static uint32_t oldest_exposed(const struct ward_ownership *o)
{
	uint32_t oldest = WARD_NONE;

	for (uint32_t i = 0; i < o->clients_known; i++) {
		const struct own_client *c = &o->clients[i];

		if (!c->exposure)
			continue;
		if (oldest == WARD_NONE || c->rank < o->clients[oldest].rank ||
		    (c->rank == o->clients[oldest].rank &&
		     first_unfrozen(o, i) < first_unfrozen(o, oldest)))
			oldest = i;
	}
	return oldest;
}

static const struct own_newcomers *newcomers_of(const struct ward_ownership *o, uint64_t rank)
{
	for (uint32_t i = 0; i < o->newcomers_count; i++) {
		if (o->newcomers[i].rank == rank)
			return &o->newcomers[i];
	}
	return NULL;
}

/* Those that can still lose something by it. */
static uint32_t list_for_quarantine(const struct ward_ownership *o,
				    const struct own_newcomers *newcomers, uint32_t *functions)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < newcomers->count; i++) {
		const struct ward_function_state *f = &o->state->functions[newcomers->functions[i]];

		if (!f->absent && !f->quarantined && f->owner.kind != WARD_OWNER_CLIENT)
			functions[count++] = newcomers->functions[i];
	}
	return count;
}

static bool next(const struct ward_ownership *o, uint32_t *functions, struct ward_event *event)
{
	uint32_t oldest = oldest_exposed(o);
	enum ward_containment policy = o->options.other;
	const struct own_newcomers *newcomers;
	const struct own_client *client;

	if (oldest == WARD_NONE)
		return false;
	client = &o->clients[oldest];
	*event = (struct ward_event){ .size = sizeof(*event), .functions = functions };
	newcomers = newcomers_of(o, client->rank);
	if (newcomers)
		policy = o->options.newcomer;
	if (newcomers && policy == WARD_CONTAIN_QUARANTINE) {
		event->kind = WARD_EVENT_QUARANTINE;
		event->functions_count = list_for_quarantine(o, newcomers, functions);
		if (event->functions_count)
			return true;
	}
	if (policy != WARD_CONTAIN_REVOKE && own_leaves_out(o, OWN_RULE_CONTAINMENT_FREEZE))
		return false;
	event->kind = policy == WARD_CONTAIN_REVOKE ? WARD_EVENT_REVOKE : WARD_EVENT_FREEZE;
	for (uint32_t i = 0; i < client->through_count; i++)
		functions[event->functions_count++] = client->through[i];
	return true;
}

bool ward_ownership_next(struct ward_ownership *o, struct ward_event *ret_event)
{
	struct ward_event event;

	if (!o->exposures_open || !next(o, o->proposal, &event))
		return false;
	*ret_event = event;
	return true;
}

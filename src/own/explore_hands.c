// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Hands that an event may not put on what another one has: a client's function is taken from it by
 * itself, by force, or by what happens in reality; a claim takes all it names; a reset hits nobody
 * else; and where something is being taken back, nobody takes anything else meanwhile.
 */
#include <stdio.h>

#include "isolate/isolation.h"
#include "own/explore.h"
#include "own/ownership.h"

static bool is_clients(const struct ward_function_state *s)
{
	return s->owner.kind == WARD_OWNER_CLIENT;
}

static bool may_take(const struct ward_event *event)
{
	return event->fact || event->kind == WARD_EVENT_RELEASE ||
	       event->kind == WARD_EVENT_DEATH || event->kind == WARD_EVENT_REVOKE ||
	       event->kind == WARD_EVENT_HOT_REMOVE;
}

static const char *taken_by_request(const struct ward_function_state *before,
				    const struct ward_state *after, const struct ward_event *event,
				    uint32_t count, uint32_t *ret_function)
{
	for (uint32_t i = 0; i < count; i++) {
		if (!is_clients(&before[i]) || may_take(event) ||
		    ward_same_owner(before[i].owner, after->functions[i].owner))
			continue;
		*ret_function = i;
		return "is taken from a client that did not give it back";
	}
	return NULL;
}

static const char *claimed_in_part(const struct ward_state *after, const struct ward_event *event,
				   uint32_t *ret_function)
{
	for (uint32_t i = 0; event->kind == WARD_EVENT_CLAIM && i < event->functions_count; i++) {
		const struct ward_owner *owner = &after->functions[event->functions[i]].owner;

		*ret_function = event->functions[i];
		if (owner->kind != WARD_OWNER_CLIENT || owner->client != event->client)
			return "is not the client's after a claim that was allowed";
	}
	return NULL;
}

/* Somebody in the partition of what was claimed is to give back what it has. */
static const char *claimed_while_revoking(const struct ward_function_state *before,
					  const struct ward_isolation *isolation,
					  const struct ward_event *event, uint32_t count,
					  uint32_t *ret_function)
{
	for (uint32_t i = 0; event->kind == WARD_EVENT_CLAIM && i < event->functions_count; i++) {
		uint32_t partition = isolation->partition[event->functions[i]];

		*ret_function = event->functions[i];
		for (uint32_t j = 0; j < count; j++)
			if (before[j].revoking && isolation->partition[j] == partition)
				return "is claimed while its partition is being taken back";
	}
	return NULL;
}

/* Whose hand it is that resets: what nobody has is anybody's to be reset. */
static bool hits(const struct ward_function_state *before, uint32_t reset, uint32_t other)
{
	const struct ward_owner *a = &before[reset].owner, *b = &before[other].owner;

	if (before[other].absent || b->kind == WARD_OWNER_NOBODY)
		return false;
	if (b->kind == WARD_OWNER_HOST)
		return a->kind != WARD_OWNER_HOST && !before[other].driver_exempt &&
		       before[other].driver;
	return !ward_same_owner(*a, *b);
}

static const char *reset_of_others(const struct ward_machine *machine,
				   const struct ward_function_state *before,
				   const struct ward_event *event, uint32_t count,
				   uint32_t *ret_function)
{
	if (event->kind != WARD_EVENT_RESET && event->kind != WARD_EVENT_THAW)
		return NULL;
	for (uint32_t i = 0; i < event->functions_count; i++) {
		for (uint32_t j = 0; j < count; j++) {
			*ret_function = j;
			if (machine->functions[j].header_type == 0 &&
			    hits(before, event->functions[i], j) &&
			    ward_is_reset_with(machine, event->kind, event->functions[i], j))
				return "is reset along with a function of somebody else";
		}
	}
	return NULL;
}

int ward_promise_hands(const struct ward_exploration *exploration,
		       const struct ward_function_state *before,
		       const struct ward_ownership *ownership, const struct ward_event *event,
		       char *text, size_t size)
{
	const struct ward_machine *machine = exploration->machine;
	const struct ward_state *after = ward_ownership_state(ownership);
	uint32_t count = machine->functions_count, function = WARD_NONE;
	const char *why = taken_by_request(before, after, event, count, &function);

	if (!why)
		why = claimed_in_part(after, event, &function);
	if (!why)
		why = claimed_while_revoking(before, ward_ownership_isolation(ownership), event,
					     count, &function);
	if (!why)
		why = reset_of_others(machine, before, event, count, &function);
	if (why)
		snprintf(text, size, "%s %s", machine->functions[function].name, why);
	return why != NULL;
}

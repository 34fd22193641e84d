// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* One step of a worker: to a state, through an event, to what comes of it; with the promises checked. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "own/explore.h"
#include "own/ownership.h"

int ward_worker_init(struct ward_worker *worker, struct ward_exploration *exploration)
{
	size_t functions = exploration->machine->functions_count;

	*worker = (struct ward_worker){ .exploration = exploration, .broken = WARD_PROMISES };
	worker->before = ward_alloc(exploration->found.size);
	worker->after = ward_alloc(exploration->found.size);
	worker->canonical = ward_alloc(exploration->found.size);
	worker->functions = ward_alloc_array(functions, sizeof(*worker->functions));
	worker->members = ward_alloc_array(functions, sizeof(*worker->members));
	worker->to = ward_alloc_array(exploration->clients, sizeof(*worker->to));
	if (!worker->before || !worker->after || !worker->canonical || !worker->functions ||
	    !worker->members || !worker->to ||
	    ward_ownership_copy(exploration->first, &worker->ownership)) {
		ward_worker_finish(worker);
		return -ENOMEM;
	}
	return 0;
}

void ward_worker_finish(struct ward_worker *worker)
{
	ward_ownership_destroy(worker->ownership);
	free(worker->before);
	free(worker->after);
	free(worker->canonical);
	free(worker->functions);
	free(worker->members);
	free(worker->to);
}

int ward_worker_go(struct ward_worker *worker, const uint8_t *bytes)
{
	const struct ward_exploration *x = worker->exploration;
	int err;

	if (bytes != worker->before)
		memcpy(worker->before, bytes, x->found.size);
	err = ward_ownership_unpack(worker->ownership, worker->before);
	if (err)
		return err;
	memcpy(worker->functions, ward_ownership_state(worker->ownership)->functions,
	       x->machine->functions_count * sizeof(*worker->functions));
	return 0;
}

/* Clients are numbered as they are met. */
static void meet(struct ward_worker *worker, uint32_t client, uint32_t *count)
{
	if (client < worker->exploration->clients && worker->to[client] == WARD_NONE)
		worker->to[client] = (*count)++;
}

static void number_clients(struct ward_worker *worker)
{
	const struct ward_state *state = ward_ownership_state(worker->ownership);
	uint32_t clients = worker->exploration->clients, met = 0, exposures_count;
	const struct ward_exposure *exposures =
		ward_ownership_exposures(worker->ownership, &exposures_count);

	for (uint32_t i = 0; i < clients; i++)
		worker->to[i] = WARD_NONE;
	for (uint32_t i = 0; i < state->machine->functions_count; i++) {
		const struct ward_function_state *s = &state->functions[i];

		if (s->owner.kind == WARD_OWNER_CLIENT)
			meet(worker, s->owner.client, &met);
		if (s->tainted_by.kind == WARD_OWNER_CLIENT && s->tainted_by.client != WARD_NONE)
			meet(worker, s->tainted_by.client, &met);
	}
	for (uint32_t i = 0; i < exposures_count; i++)
		if (!exposures[i].contained)
			meet(worker, exposures[i].client, &met);
	for (uint32_t i = 0; i < clients; i++)
		meet(worker, i, &met);
}

/*
 * Of all states that differ by the numbers of clients alone, the one in which they are numbered as
 * they are met is kept: who is met first depends on places, not on numbers.
 */
void ward_worker_canonical(struct ward_worker *worker)
{
	ward_ownership_pack(worker->ownership, worker->canonical);
	if (worker->exploration->keep_order)
		return;
	number_clients(worker);
	ward_ownership_fold(worker->ownership, worker->to, worker->canonical);
}

bool ward_worker_event(struct ward_worker *worker, uint32_t choice, struct ward_event *ret_event)
{
	if (choice == WARD_EVENT_NEXT)
		return ward_ownership_next(worker->ownership, ret_event);
	*ret_event = worker->exploration->choices.list[choice];
	return true;
}

static void broke(struct ward_worker *worker, enum ward_promise promise)
{
	worker->broken = promise;
}

static void check_refusal(struct ward_worker *worker, const struct ward_event *event,
			  const struct ward_outcome *outcome)
{
	const struct ward_verdict *verdict = outcome->verdict;

	for (uint32_t i = 0; verdict && i < verdict->findings_count; i++) {
		const struct ward_finding *finding = &verdict->findings[i];

		if (!finding->waived &&
		    (finding->weight == WARD_BLOCKS || finding->weight == WARD_OPEN))
			return;
	}
	snprintf(worker->text, sizeof(worker->text), "%s is refused, and no finding says why",
		 ward_event_name(event->kind));
	broke(worker, WARD_PROMISE_FINDING);
}

/* Nothing happened, and nothing may have changed. */
static void check_unchanged(struct ward_worker *worker, const struct ward_event *event,
			    bool refused)
{
	ward_ownership_pack(worker->ownership, worker->after);
	if (worker->broken != WARD_PROMISES ||
	    memcmp(worker->before, worker->after, worker->exploration->found.size) == 0)
		return;
	snprintf(worker->text, sizeof(worker->text), "%s %s, and something changed",
		 ward_event_name(event->kind), refused ? "is refused" : "makes no sense");
	broke(worker, WARD_PROMISE_UNCHANGED);
}

static int check_change(struct ward_worker *worker, const struct ward_event *event)
{
	bool err;

	ward_ownership_pack(worker->ownership, worker->after);
	if (memcmp(worker->before, worker->after, worker->exploration->found.size) == 0)
		return 0;
	err = ward_promise_release(worker->exploration, worker->functions, worker->ownership, event,
				   worker->text, sizeof(worker->text));
	if (err) {
		broke(worker, WARD_PROMISE_RELEASE);
		return 1;
	}
	if (ward_promise_hands(worker->exploration, worker->functions, worker->ownership, event,
			       worker->text, sizeof(worker->text)))
		broke(worker, WARD_PROMISE_ONE_OWNER);
	return 1;
}

int ward_worker_step(struct ward_worker *worker, const struct ward_event *event)
{
	struct ward_outcome outcome = { 0 };
	int err = ward_ownership_apply(worker->ownership, event, &outcome, NULL);

	worker->broken = WARD_PROMISES;
	if (err == -EINVAL) {
		check_unchanged(worker, event, false);
		return 0;
	}
	if (err)
		return err;
	worker->transitions++;
	if (outcome.decision == WARD_REFUSED) {
		worker->refused++;
		check_refusal(worker, event, &outcome);
		check_unchanged(worker, event, true);
	} else {
		worker->exposures += outcome.decision == WARD_UNSETTLED;
		err = check_change(worker, event);
	}
	ward_outcome_finish(&outcome);
	return err;
}

/* With nothing to contain it an exposure would stay open, and the state unsettled, for ever. */
static bool is_left_open(struct ward_worker *worker)
{
	uint32_t count;
	const struct ward_exposure *exposures = ward_ownership_exposures(worker->ownership, &count);

	for (uint32_t i = 0; i < count; i++) {
		if (exposures[i].contained)
			continue;
		snprintf(worker->text, sizeof(worker->text),
			 "an exposure is open, and there is no containment for it");
		broke(worker, WARD_PROMISE_CONTAINMENT);
		return true;
	}
	return false;
}

/* Containments, one after the other, come to an end. */
static int check_containment(struct ward_worker *worker)
{
	struct ward_exploration *x = worker->exploration;
	struct ward_event event;

	for (uint32_t i = 0; ward_ownership_next(worker->ownership, &event); i++) {
		struct ward_outcome outcome = { 0 };
		int err = i < x->bound
				  ? ward_ownership_apply(worker->ownership, &event, &outcome, NULL)
				  : -ELOOP;

		ward_outcome_finish(&outcome);
		if (err == -ENOMEM)
			return err;
		if (!err && outcome.decision != WARD_REFUSED)
			continue;
		snprintf(worker->text, sizeof(worker->text),
			 err == -ELOOP ? "after %u containments an exposure is still open"
				       : "containment %u (%s) cannot be done",
			 i, ward_event_name(event.kind));
		broke(worker, WARD_PROMISE_CONTAINMENT);
		break;
	}
	return 0;
}

int ward_worker_check(struct ward_worker *worker)
{
	struct ward_exploration *x = worker->exploration;
	struct ward_event event;
	bool settled = !ward_ownership_next(worker->ownership, &event);
	int err = ward_promise_one_owner(x, worker->ownership, settled, worker->text,
					 sizeof(worker->text));

	if (err > 0) {
		broke(worker, WARD_PROMISE_ONE_OWNER);
		return 0;
	}
	if (err)
		return err;
	if (!settled)
		return check_containment(worker);
	if (is_left_open(worker))
		return 0;
	worker->settled++;
	err = ward_promise_reach(x, worker->ownership, worker->members, worker->text,
				 sizeof(worker->text));
	if (err > 0)
		broke(worker, WARD_PROMISE_REACH);
	return err < 0 ? err : 0;
}

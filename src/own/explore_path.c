// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The way to a breach. What is kept of each state is one of many that are the same but for the
 * numbers of clients and containers, so the way is walked again from the first state: at each step the
 * event is looked for that leads to what was found next.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "own/explore.h"
#include "own/ownership.h"

/* From the last to the first. */
struct way {
	uint32_t *states, *choices;
	uint32_t count;
};

static int trace_back(const struct ward_found *found, uint32_t state, struct way *ret_way)
{
	uint32_t before = state, choice = 0;

	for (ret_way->count = 0;; ret_way->count++) {
		ward_found_before(found, before, &before, &choice);
		if (choice == WARD_EVENT_FIRST)
			break;
	}
	ret_way->states = ward_alloc_array(ret_way->count, sizeof(*ret_way->states));
	ret_way->choices = ward_alloc_array(ret_way->count, sizeof(*ret_way->choices));
	if (!ret_way->states || !ret_way->choices)
		return -ENOMEM;
	for (uint32_t i = ret_way->count; i-- > 0;) {
		ret_way->states[i] = state;
		ward_found_before(found, state, &state, &ret_way->choices[i]);
	}
	return 0;
}

/* Events are alike when they differ by client and container at most. */
static bool are_alike(const struct ward_exploration *x, uint32_t a, uint32_t b)
{
	const struct ward_event *e, *f;

	if (a == b)
		return true;
	if (a >= x->choices.count || b >= x->choices.count)
		return false;
	e = &x->choices.list[a];
	f = &x->choices.list[b];
	return e->kind == f->kind && e->fact == f->fact && e->controller == f->controller &&
	       e->driver == f->driver && e->waivers == f->waivers &&
	       e->functions_count == f->functions_count &&
	       (e->functions_count == 0 || memcmp(e->functions, f->functions,
						  e->functions_count * sizeof(*e->functions)) == 0);
}

static int keep_event(struct ward_exploration *x, const struct ward_event *event, uint32_t at)
{
	struct ward_event copy = *event;
	struct ward_event *events = ward_realloc_array(x->breach_events, at + 1u, sizeof(*events));

	if (!events)
		return -ENOMEM;
	x->breach_events = events;
	x->breach.events = events;
	copy.functions = ward_arena_memdup(&x->breach_arena, event->functions,
					   event->functions_count * sizeof(*event->functions));
	if (!copy.functions)
		return -ENOMEM;
	if (copy.driver && !(copy.driver = ward_arena_strdup(&x->breach_arena, copy.driver)))
		return -ENOMEM;
	events[at] = copy;
	x->breach.events_count = at + 1;
	return 0;
}

/* The event at the state that the worker is in which ends as wanted: 1, 0 none does, -ENOMEM. */
static int find_step(struct ward_worker *worker, uint32_t choice, const uint8_t *to, uint32_t at)
{
	struct ward_exploration *x = worker->exploration;
	uint32_t first = choice == WARD_EVENT_NEXT ? choice : 0;
	uint32_t end = choice == WARD_EVENT_NEXT ? 0 : x->choices.count;
	uint8_t *here = ward_alloc(x->found.size);
	struct ward_event event;
	int err = here ? 0 : -ENOMEM;

	if (here)
		ward_ownership_pack(worker->ownership, here);
	for (uint32_t i = first; !err && (i < end || i == WARD_EVENT_NEXT); i++) {
		if (!are_alike(x, i, choice))
			continue;
		err = ward_worker_go(worker, here);
		if (!err && ward_worker_event(worker, i, &event)) {
			/* What a containment names lives until the ownership changes. */
			err = keep_event(x, &event, at);
			if (!err)
				err = ward_worker_step(worker, &event);
			if (err > 0) {
				ward_worker_canonical(worker);
				err = memcmp(worker->canonical, to, x->found.size) == 0;
			}
		}
		if (i == WARD_EVENT_NEXT)
			break;
	}
	free(here);
	return err;
}

/* The last event: one that breaks the same promise, in itself or by where it leads. */
static int find_last(struct ward_worker *worker, uint32_t choice, enum ward_promise promise,
		     uint32_t at)
{
	struct ward_exploration *x = worker->exploration;
	uint8_t *here = ward_alloc(x->found.size);
	struct ward_event event;
	bool seen = false;
	int err = here ? 0 : -ENOMEM;

	if (here)
		ward_ownership_pack(worker->ownership, here);
	for (uint32_t i = choice == WARD_EVENT_NEXT ? choice : 0; !err && !seen; i++) {
		if (i != WARD_EVENT_NEXT && i >= x->choices.count)
			break;
		if (!are_alike(x, i, choice))
			continue;
		err = ward_worker_go(worker, here);
		if (err || !ward_worker_event(worker, i, &event))
			continue;
		err = keep_event(x, &event, at);
		if (!err)
			err = ward_worker_step(worker, &event);
		if (err > 0 && worker->broken == WARD_PROMISES)
			err = ward_worker_check(worker);
		seen = worker->broken == promise;
		err = err < 0 ? err : 0;
		if (i == WARD_EVENT_NEXT)
			break;
	}
	free(here);
	return err ? err : seen;
}

int ward_breach_note(struct ward_worker *worker, uint32_t state, uint32_t choice)
{
	struct ward_exploration *x = worker->exploration;
	enum ward_promise promise = worker->broken;
	char text[sizeof(worker->text)];
	struct way way = { 0 };
	uint8_t *first = ward_alloc(x->found.size);
	bool walked = true;
	int err = first ? trace_back(&x->found, state, &way) : -ENOMEM;

	memcpy(text, worker->text, sizeof(text));
	if (!err) {
		ward_ownership_pack(x->first, first);
		err = ward_worker_go(worker, first);
	}
	for (uint32_t i = 0; i < way.count && !err && walked; i++) {
		err = find_step(worker, way.choices[i], ward_found_bytes(&x->found, way.states[i]),
				i);
		walked = err > 0;
		err = err < 0 ? err : 0;
	}
	if (!err && walked && choice != WARD_EVENT_FIRST) {
		err = find_last(worker, choice, promise, way.count);
		walked = err > 0;
		err = err < 0 ? err : 0;
		if (walked)
			memcpy(text, worker->text, sizeof(text));
	}
	free(first);
	free(way.states);
	free(way.choices);
	x->breach.promise = promise;
	/* Only an ownership that is not the same when its bytes are comes to this. */
	x->breach.text =
		ward_arena_printf(&x->breach_arena, "%s%s", text,
				  walked ? "" : " (the way there could not be walked again)");
	worker->broken = promise;
	return err ? err : x->breach.text ? 0 : -ENOMEM;
}

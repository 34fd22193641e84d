// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A plan as data. */
#include "own/steps.h"

#include "base/fault.h"
#include "own/ownership.h"

#include <errno.h>
#include <stdlib.h>

int ward_plan_create(const struct ward_ownership *ownership, struct ward_plan_storage **ret_plan)
{
	struct ward_plan_storage *plan = ward_alloc(sizeof(*plan));

	if (!plan)
		return -ENOMEM;
	plan->machine = ward_ownership_state(ownership)->machine;
	plan->version = ward_ownership_version(ownership);
	*ret_plan = plan;
	return 0;
}

void ward_plan_destroy(struct ward_plan *plan)
{
	struct ward_plan_storage *storage = (struct ward_plan_storage *)plan;

	if (!storage)
		return;
	ward_arena_finish(&storage->arena);
	free(storage->steps);
	free(storage->events);
	free(storage->first);
	free(storage->vectors);
	free(storage);
}

static int copy_waivers(struct ward_plan_storage *plan, struct ward_event *event)
{
	struct ward_waiver *waivers;

	if (!event->waivers_count)
		return 0;
	waivers = ward_arena_memdup(&plan->arena, event->waivers,
				    event->waivers_count * sizeof(*waivers));
	if (!waivers)
		return -ENOMEM;
	for (uint32_t i = 0; i < event->waivers_count; i++) {
		waivers[i].code = ward_arena_strdup(&plan->arena, waivers[i].code);
		if (waivers[i].reason)
			waivers[i].reason = ward_arena_strdup(&plan->arena, waivers[i].reason);
		if (!waivers[i].code || (event->waivers[i].reason && !waivers[i].reason))
			return -ENOMEM;
	}
	event->waivers = waivers;
	return 0;
}

static int copy_event(struct ward_plan_storage *plan, struct ward_event *event)
{
	/* It names a client; what else it says is not looked at. */
	if (event->kind == WARD_EVENT_DEATH)
		event->functions_count = 0;
	if (event->functions_count) {
		event->functions =
			ward_arena_memdup(&plan->arena, event->functions,
					  event->functions_count * sizeof(*event->functions));
		if (!event->functions)
			return -ENOMEM;
	}
	if (event->driver) {
		event->driver = ward_arena_strdup(&plan->arena, event->driver);
		if (!event->driver)
			return -ENOMEM;
	}
	return copy_waivers(plan, event);
}

int ward_plan_add_event(struct ward_plan_storage *plan, const struct ward_event *event)
{
	uint32_t count = plan->plan.events_count;
	struct ward_event copy = *event;
	void *events = plan->events, *first = plan->first;
	int code = ward_array_reserve(&events, &plan->events_capacity, count + 1,
				      sizeof(*plan->events));

	plan->events = events;
	plan->plan.events = events;
	if (code)
		return code;
	code = ward_array_reserve(&first, &plan->first_capacity, count + 1, sizeof(*plan->first));
	plan->first = first;
	if (!code)
		code = copy_event(plan, &copy);
	if (code)
		return code;
	plan->events[count] = copy;
	plan->first[count] = plan->plan.steps_count;
	plan->plan.events_count++;
	return 0;
}

/* Whose it is, as people call it. */
static const char *client_name(const struct ward_state *names, uint32_t client)
{
	return client < names->clients_count ? names->clients[client] : "?";
}

static char *text_of(struct ward_plan_storage *plan, const struct ward_state *names,
		     const struct ward_plan_step *step)
{
	struct ward_arena *arena = &plan->arena;
	const char *function = plan->machine->functions[step->function].name;
	const char *client = client_name(names, step->client);

	switch (step->action) {
	case WARD_ACTION_UNBIND:
		return ward_arena_printf(arena, "unbind %s from %s", step->driver, function);
	case WARD_ACTION_BIND:
		return ward_arena_printf(arena, "bind %s to %s", step->driver, function);
	case WARD_ACTION_BLOCK:
		return ward_arena_printf(arena, "block %s", function);
	case WARD_ACTION_TEAR_DOWN:
		return ward_arena_printf(arena, "tear down the vectors of %s", function);
	case WARD_ACTION_RESET:
		return ward_arena_printf(arena, "reset %s, and see that it worked", function);
	case WARD_ACTION_GIVE:
		return ward_arena_printf(arena, "give %s to %s", function, client);
	case WARD_ACTION_TAKE:
		return ward_arena_printf(arena, "take %s from %s", function, client);
	case WARD_ACTION_ATTACH:
		return ward_arena_printf(arena, "attach %s to container %u of %s", function,
					 (unsigned int)step->container, client);
	case WARD_ACTION_DETACH:
		return ward_arena_printf(arena, "detach %s from container %u of %s", function,
					 (unsigned int)step->container, client);
	case WARD_ACTION_FREEZE:
		return ward_arena_printf(arena, "freeze the error domain of %s", function);
	case WARD_ACTION_THAW:
		return ward_arena_printf(arena, "reset and thaw the error domain of %s", function);
	case WARD_ACTION_NONE:
	case WARD_ACTIONS:
		break;
	}
	return ward_arena_printf(arena, "leave %s alone", function);
}

int ward_plan_add_step(struct ward_plan_storage *plan, const struct ward_state *names,
		       const struct ward_plan_step *step)
{
	struct ward_plan_step copy = *step;
	void *steps = plan->steps;
	int code = ward_array_reserve(&steps, &plan->steps_capacity, plan->plan.steps_count + 1,
				      sizeof(*plan->steps));

	plan->steps = steps;
	plan->plan.steps = steps;
	if (code)
		return code;
	copy.completes = WARD_NONE;
	if (copy.driver) {
		copy.driver = ward_arena_strdup(&plan->arena, copy.driver);
		if (!copy.driver)
			return -ENOMEM;
	}
	copy.text = text_of(plan, names, &copy);
	if (!copy.text)
		return -ENOMEM;
	plan->steps[plan->plan.steps_count++] = copy;
	return 0;
}

int ward_plan_add_vector(struct ward_plan_storage *plan, uint32_t function, uint32_t controller)
{
	void *vectors = plan->vectors;
	int code;

	for (size_t i = 0; i < plan->vectors_count; i++)
		if (plan->vectors[i].function == function &&
		    plan->vectors[i].controller == controller)
			return 0;
	code = ward_array_reserve(&vectors, &plan->vectors_capacity, plan->vectors_count + 1,
				  sizeof(*plan->vectors));
	plan->vectors = vectors;
	if (code)
		return code;
	plan->vectors[plan->vectors_count++] = (struct ward_plan_vector){ function, controller };
	return 0;
}

void ward_plan_end_event(struct ward_plan_storage *plan)
{
	uint32_t event = plan->plan.events_count - 1;

	if (plan->plan.steps_count > plan->first[event])
		plan->steps[plan->plan.steps_count - 1].completes = event;
}

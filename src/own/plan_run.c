// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A plan is carried out. The ownership is told of what lets somebody do something before it is done,
 * and of what takes something away after it was: at every moment it says at least as much as is so.
 */
#include "own/steps.h"

#include "base/error.h"
#include "base/fault.h"
#include "own/ownership.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How far it has come. */
struct progress {
	uint32_t event; /* which is being carried out; those before it are complete */
	uint32_t step;	/* the next one */
	bool told;	/* of that event */
};

int ward_plan_tell(struct ward_plan_walk *walk, const struct ward_event *event,
		   struct ward_error *ret_error)
{
	struct ward_outcome outcome = { 0 };
	int code = ward_ownership_apply(walk->ownership, event, &outcome, ret_error);

	if (!code && outcome.decision == WARD_REFUSED)
		code = ward_fail(ret_error, -EPERM, "%s is refused by now",
				 ward_event_name(event->kind));
	ward_outcome_finish(&outcome);
	walk->version = ward_ownership_version(walk->ownership);
	return code;
}

/* What an action gives is what the ownership says. */
static bool is_said(const struct ward_ownership *ownership, const struct ward_plan_step *step,
		    enum ward_action action)
{
	const struct ward_function_state *f =
		&ward_ownership_state(ownership)->functions[step->function];

	switch (action) {
	case WARD_ACTION_BIND:
		return f->driver && step->driver && strcmp(f->driver, step->driver) == 0;
	case WARD_ACTION_GIVE:
	case WARD_ACTION_ATTACH:
		return f->owner.kind == WARD_OWNER_CLIENT && f->owner.client == step->client &&
		       (action == WARD_ACTION_GIVE ||
			ward_ownership_container(ownership, step->function) == step->container);
	case WARD_ACTION_THAW:
		return !f->frozen;
	case WARD_ACTION_NONE:
	case WARD_ACTION_UNBIND:
	case WARD_ACTION_BLOCK:
	case WARD_ACTION_TEAR_DOWN:
	case WARD_ACTION_RESET:
	case WARD_ACTION_TAKE:
	case WARD_ACTION_DETACH:
	case WARD_ACTION_FREEZE:
	case WARD_ACTIONS:
		break;
	}
	return true;
}

static int overtaken(const struct ward_plan_walk *walk, const struct ward_plan_step *step,
		     struct ward_error *error)
{
	return ward_fail(error, -ESTALE, "%s: something has happened to it meanwhile",
			 walk->plan->machine->functions[step->function].name);
}

int ward_plan_execute(struct ward_plan_walk *walk, const struct ward_plan_step *step,
		      enum ward_action action, struct ward_error *ret_error)
{
	if (!is_said(walk->ownership, step, action))
		return overtaken(walk, step, ret_error);
	return walk->executor->execute(walk->executor->context, step, action, ret_error);
}

/* Facts may have come with the last step: what was given until now must still be so. */
static int look_again(struct ward_plan_walk *walk, const struct progress *at,
		      struct ward_error *error)
{
	const struct ward_plan_step *steps = walk->plan->plan.steps;

	if (ward_ownership_version(walk->ownership) == walk->version)
		return 0;
	walk->version = ward_ownership_version(walk->ownership);
	for (uint32_t i = 0; i < at->step; i++)
		if (!is_said(walk->ownership, &steps[i], steps[i].action))
			return overtaken(walk, &steps[i], error);
	return 0;
}

static int tell(struct ward_plan_walk *walk, struct progress *at, bool first,
		struct ward_error *error)
{
	const struct ward_event *event = &walk->plan->plan.events[at->event];
	int code;

	if (ward_plan_is_told_first(event) != first)
		return 0;
	code = ward_plan_tell(walk, event, error);
	at->told = !code;
	return code;
}

/* One event. On failure at says how far it came. */
static int carry_out(struct ward_plan_walk *walk, struct progress *at, struct ward_error *error)
{
	const struct ward_plan *plan = &walk->plan->plan;
	uint32_t end = ward_plan_end(walk->plan, at->event);
	int code = tell(walk, at, true, error);

	while (!code && at->step < end) {
		const struct ward_plan_step *step = &plan->steps[at->step];

		code = ward_plan_execute(walk, step, step->action, error);
		if (!code) {
			at->step++;
			code = look_again(walk, at, error);
		}
	}
	return code ? code : tell(walk, at, false, error);
}

/* Back to where it began. An errno: that was not possible. */
static int go_back(struct ward_plan_walk *walk, const struct progress *at)
{
	const struct ward_plan *plan = &walk->plan->plan;
	int code = 0;

	for (uint32_t i = 0; i <= at->event; i++)
		if (ward_plan_is_final(&plan->events[i]))
			return -ECANCELED;
	code = ward_plan_undo(walk, at->event, at->step, at->told);
	for (uint32_t event = at->event; event-- > 0 && !code;)
		code = ward_plan_undo(walk, event, ward_plan_end(walk->plan, event), true);
	return code;
}

static void give_up(struct ward_plan_walk *walk, const struct progress *at,
		    struct ward_plan_result *result)
{
	bool untold = !at->told && ward_plan_is_final(&walk->plan->plan.events[at->event]);

	if (go_back(walk, at) == 0) {
		result->end = WARD_PLAN_UNDONE;
		return;
	}
	ward_plan_block(walk);
	result->untold = untold ? at->event : WARD_NONE;
	result->end = ward_plan_tell_nobody(walk, result->untold) ? WARD_PLAN_UNTOLD
								  : WARD_PLAN_AT_NOBODY;
}

/* When it was the ownership that failed: the step before or after which it is told. */
static uint32_t failed_step(const struct ward_plan_walk *walk, const struct progress *at)
{
	uint32_t end = ward_plan_end(walk->plan, at->event);

	if (walk->plan->first[at->event] == end)
		return WARD_NONE;
	return at->step < end ? at->step : end - 1;
}

static int run(struct ward_plan_walk *walk, struct ward_plan_result *result,
	       struct ward_error *error)
{
	const struct ward_plan *plan = &walk->plan->plan;
	struct progress at = { 0 };

	while (at.event < plan->events_count) {
		int code = carry_out(walk, &at, error);

		if (!code) {
			at.event++;
			at.told = false;
			continue;
		}
		/* Nothing was done yet, and nothing is: the same plan may be tried again. */
		if (code == -ENOMEM && !at.event && !at.step && !at.told)
			return code;
		result->error = code;
		result->failed = failed_step(walk, &at);
		give_up(walk, &at, result);
		return 0;
	}
	return 0;
}

/* What cannot be frozen is blocked: all that the ownership takes to be frozen. */
static void name_of_step(const struct ward_machine *machine, const struct ward_plan_step *step,
			 bool *named)
{
	uint32_t cursor = 0, member;

	named[step->function] = true;
	while (step->action == WARD_ACTION_FREEZE &&
	       ward_error_domain_next(machine, step->function, &cursor, &member))
		named[member] = true;
}

/* Every function that a step or an event is about, each once. */
static int find_functions(struct ward_plan_walk *walk)
{
	const struct ward_plan *plan = &walk->plan->plan;
	uint32_t count = walk->plan->machine->functions_count;
	bool *named = ward_alloc_array(count, sizeof(*named));

	walk->functions = ward_alloc_array(count, sizeof(*walk->functions));
	walk->chosen = ward_alloc_array(count, sizeof(*walk->chosen));
	if (!named || !walk->functions || !walk->chosen) {
		free(named);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < plan->steps_count; i++)
		name_of_step(walk->plan->machine, &plan->steps[i], named);
	for (uint32_t i = 0; i < plan->events_count; i++)
		for (uint32_t k = 0; k < plan->events[i].functions_count; k++)
			named[plan->events[i].functions[k]] = true;
	for (uint32_t i = 0; i < count; i++)
		if (named[i])
			walk->functions[walk->functions_count++] = i;
	free(named);
	return 0;
}

static void forget_functions(struct ward_plan_walk *walk)
{
	free(walk->functions);
	free(walk->chosen);
}

int ward_plan_settle(struct ward_ownership *ownership, const struct ward_plan *plan,
		     struct ward_plan_result *result)
{
	struct ward_plan_walk walk = {
		.ownership = ownership,
		.plan = ward_plan_storage_of(plan),
	};
	int code;

	if (result->end != WARD_PLAN_UNTOLD)
		return 0;
	code = find_functions(&walk);
	if (!code)
		code = ward_plan_tell_nobody(&walk, result->untold);
	forget_functions(&walk);
	if (code)
		return -ENOMEM;
	result->end = WARD_PLAN_AT_NOBODY;
	result->untold = WARD_NONE;
	return 0;
}

int ward_plan_run(struct ward_ownership *ownership, const struct ward_plan *plan,
		  const struct ward_executor *executor, struct ward_plan_result *ret_result,
		  struct ward_error *ret_error)
{
	struct ward_plan_result result = {
		.end = WARD_PLAN_DONE,
		.failed = WARD_NONE,
		.untold = WARD_NONE,
	};
	struct ward_plan_walk walk = {
		.ownership = ownership,
		.plan = ward_plan_storage_of(plan),
		.executor = executor,
		.version = ward_ownership_version(ownership),
	};
	int code;

	if (ward_ownership_version(ownership) != walk.plan->version ||
	    ward_ownership_state(ownership)->machine != walk.plan->machine)
		return ward_fail(ret_error, -ESTALE,
				 "the ownership has changed since the plan was made");
	code = find_functions(&walk);
	if (!code)
		code = run(&walk, &result, ret_error);
	forget_functions(&walk);
	if (code)
		return ward_fail(ret_error, code, "no memory");
	*ret_result = result;
	return 0;
}

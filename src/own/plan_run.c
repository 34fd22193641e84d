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
	return code;
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

		code = walk->executor->execute(walk->executor->context, step, step->action, error);
		if (!code)
			at->step++;
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

static int give_up(struct ward_plan_walk *walk, const struct progress *at,
		   struct ward_plan_result *result)
{
	const struct ward_event *event = &walk->plan->plan.events[at->event];
	bool untold = !at->told && ward_plan_is_final(event);

	if (go_back(walk, at) == 0) {
		result->end = WARD_PLAN_UNDONE;
		return 0;
	}
	result->end = WARD_PLAN_AT_NOBODY;
	return ward_plan_to_nobody(walk, untold ? event : NULL);
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
		return give_up(walk, &at, result);
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

int ward_plan_run(struct ward_ownership *ownership, const struct ward_plan *plan,
		  const struct ward_executor *executor, struct ward_plan_result *ret_result,
		  struct ward_error *ret_error)
{
	struct ward_plan_result result = { .end = WARD_PLAN_DONE, .failed = WARD_NONE };
	struct ward_plan_walk walk = {
		.ownership = ownership,
		.plan = ward_plan_storage_of(plan),
		.executor = executor,
	};
	int code;

	if (ward_ownership_version(ownership) != walk.plan->version ||
	    ward_ownership_state(ownership)->machine != walk.plan->machine)
		return ward_fail(ret_error, -ESTALE,
				 "the ownership has changed since the plan was made");
	code = find_functions(&walk);
	if (!code)
		code = run(&walk, &result, ret_error);
	free(walk.functions);
	free(walk.chosen);
	if (code)
		return ward_fail(ret_error, code, "no memory");
	*ret_result = result;
	return 0;
}

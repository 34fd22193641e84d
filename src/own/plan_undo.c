// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Back to where a plan began, step by step; and, where that fails, too, to nobody. What is given back is
 * told to the ownership before, what is taken again after, as on the way there.
 *
 * "As it was" is: the same owner, driver and container. A driver that is bound again takes its vectors
 * anew: the ownership takes them to be at the controllers they were at, and who knows better tells it.
 * A client that is given a function back has no vectors, and sets them up again. What a reset has
 * cleaned is clean. What nobody had and a client or a driver was given for a moment is reset once more
 * where the plan has reset it before; else it stays tainted.
 */
#include "own/steps.h"

#include "own/ownership.h"

#include <errno.h>
#include <string.h>

static int tell_of(struct ward_plan_walk *walk, struct ward_event event, uint32_t count)
{
	event.size = sizeof(event);
	event.functions = walk->chosen;
	event.functions_count = count;
	return count ? ward_plan_tell(walk, &event, NULL) : 0;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Steps that one event can undo together. */
static bool go_together(const struct ward_plan_step *a, const struct ward_plan_step *b)
{
	if (a->undo != b->undo)
		return false;
	if (a->undo == WARD_ACTION_BIND)
		return same_text(a->driver, b->driver);
	return a->client == b->client && (a->undo != WARD_ACTION_ATTACH ||
					  (a->container == b->container && a->space == b->space));
}

static struct ward_event event_of(const struct ward_plan_step *step)
{
	struct ward_event event = {
		.kind = step->undo == WARD_ACTION_BIND	 ? WARD_EVENT_BIND
			: step->undo == WARD_ACTION_GIVE ? WARD_EVENT_CLAIM
							 : WARD_EVENT_ATTACH,
		.fact = step->undo == WARD_ACTION_BIND,
		.client = step->client,
		.container = step->container,
		.space = step->space,
		.driver = step->driver,
	};

	return event;
}

/* Tells that what some steps of an event have taken is given back: one event for each kind. */
static int tell_given(struct ward_plan_walk *walk, uint32_t event, enum ward_action undo)
{
	const struct ward_plan_step *steps = walk->plan->plan.steps;
	uint32_t first = walk->plan->first[event], end = ward_plan_end(walk->plan, event);
	int code = 0;

	for (uint32_t i = first; i < end && !code; i++) {
		uint32_t count = 0, before = first;

		while (before < i && !go_together(&steps[before], &steps[i]))
			before++;
		if (steps[i].undo != undo || before < i)
			continue;
		for (uint32_t k = i; k < end; k++)
			if (go_together(&steps[i], &steps[k]))
				walk->chosen[count++] = steps[k].function;
		code = tell_of(walk, event_of(&steps[i]), count);
	}
	return code;
}

static int tell_vectors(struct ward_plan_walk *walk)
{
	int code = 0;

	for (size_t i = 0; i < walk->plan->vectors_count && code != -ENOMEM; i++) {
		walk->chosen[0] = walk->plan->vectors[i].function;
		code = tell_of(walk,
			       (struct ward_event){
				       .kind = WARD_EVENT_VECTOR,
				       .controller = walk->plan->vectors[i].controller,
			       },
			       1);
	}
	/* One that makes no sense is one the driver cannot take, whatever was known of it. */
	return code == -ENOMEM ? code : 0;
}

/* What an event has taken is given back. */
static int tell_before(struct ward_plan_walk *walk, uint32_t event)
{
	enum ward_event_kind kind = walk->plan->plan.events[event].kind;
	int code = 0;

	if (kind == WARD_EVENT_UNBIND || kind == WARD_EVENT_VFS_OFF) {
		code = tell_given(walk, event, WARD_ACTION_BIND);
		return code ? code : tell_vectors(walk);
	}
	if (kind == WARD_EVENT_RELEASE)
		code = tell_given(walk, event, WARD_ACTION_GIVE);
	if (!code && (kind == WARD_EVENT_RELEASE || kind == WARD_EVENT_DETACH))
		code = tell_given(walk, event, WARD_ACTION_ATTACH);
	return code;
}

/* What an event has given is taken. */
static int tell_after(struct ward_plan_walk *walk, uint32_t event)
{
	static const enum ward_event_kind backwards[WARD_EVENTS] = {
		[WARD_EVENT_BIND] = WARD_EVENT_UNBIND,	 [WARD_EVENT_CLAIM] = WARD_EVENT_RELEASE,
		[WARD_EVENT_ATTACH] = WARD_EVENT_DETACH, [WARD_EVENT_THAW] = WARD_EVENT_FREEZE,
		[WARD_EVENT_RESET] = WARD_EVENT_RESET,
	};
	struct ward_event back = walk->plan->plan.events[event];

	/* Kind 0 is a bind, which nothing is undone by here. */
	if (backwards[back.kind] == WARD_EVENT_BIND)
		return 0;
	back.kind = backwards[back.kind];
	/* A reset that was not done is none: never a fact. */
	back.fact = back.kind != WARD_EVENT_RESET;
	back.waivers_count = 0;
	return ward_plan_tell(walk, &back, NULL);
}

int ward_plan_undo(struct ward_plan_walk *walk, uint32_t event, uint32_t end, bool told)
{
	const struct ward_plan_step *steps = walk->plan->plan.steps;
	int code = told ? tell_before(walk, event) : 0;

	for (uint32_t i = end; i-- > walk->plan->first[event] && !code;) {
		if (steps[i].undo != WARD_ACTION_NONE)
			code = ward_plan_execute(walk, &steps[i], steps[i].undo, NULL);
		/* Facts on the way back: it is not the way to where it began. */
		if (!code && ward_ownership_version(walk->ownership) != walk->version)
			code = -ESTALE;
	}
	return !code && told ? tell_after(walk, event) : code;
}

/* Whoever the ownership says has something has it no longer. */
static int tell_nobody(struct ward_plan_walk *walk)
{
	const struct ward_function_state *functions =
		ward_ownership_state(walk->ownership)->functions;
	uint32_t count = 0;
	int code;

	for (uint32_t i = 0; i < walk->functions_count; i++)
		if (functions[walk->functions[i]].owner.kind == WARD_OWNER_CLIENT)
			walk->chosen[count++] = walk->functions[i];
	code = tell_of(walk, (struct ward_event){ .kind = WARD_EVENT_RELEASE, .fact = true },
		       count);
	functions = ward_ownership_state(walk->ownership)->functions;
	count = 0;
	for (uint32_t i = 0; i < walk->functions_count && !code; i++)
		if (functions[walk->functions[i]].owner.kind == WARD_OWNER_HOST &&
		    functions[walk->functions[i]].driver)
			walk->chosen[count++] = walk->functions[i];
	return code ? code
		    : tell_of(walk, (struct ward_event){ .kind = WARD_EVENT_UNBIND, .fact = true },
			      count);
}

static void execute(struct ward_plan_walk *walk, uint32_t function, enum ward_action action,
		    const struct ward_plan_step *like)
{
	const struct ward_plan_step step = {
		.action = action,
		.undo = WARD_ACTION_NONE,
		.function = function,
		.client = like ? like->client : WARD_NONE,
		.container = like ? like->container : WARD_NONE,
		.driver = like ? like->driver : NULL,
		.completes = WARD_NONE,
		.text = ward_action_name(action),
	};

	(void)walk->executor->execute(walk->executor->context, &step, action, NULL);
}

/* It is blocked: whether it can be taken from whoever may still hold it makes no difference to others. */
static void take_away(struct ward_plan_walk *walk)
{
	const struct ward_plan *plan = &walk->plan->plan;

	for (uint32_t i = 0; i < plan->steps_count; i++) {
		const struct ward_plan_step *step = &plan->steps[i];

		if (step->action == WARD_ACTION_TAKE || step->action == WARD_ACTION_GIVE)
			execute(walk, step->function, WARD_ACTION_TAKE, step);
		else if (step->action == WARD_ACTION_UNBIND || step->action == WARD_ACTION_BIND)
			execute(walk, step->function, WARD_ACTION_UNBIND, step);
	}
}

void ward_plan_block(struct ward_plan_walk *walk)
{
	for (uint32_t i = 0; i < walk->functions_count; i++)
		execute(walk, walk->functions[i], WARD_ACTION_BLOCK, NULL);
	take_away(walk);
}

int ward_plan_tell_nobody(struct ward_plan_walk *walk, uint32_t untold)
{
	int code = 0;

	if (untold != WARD_NONE)
		code = ward_plan_tell(walk, &walk->plan->plan.events[untold], NULL);
	/* Refused or of no sense by now: whoever has something is told to be nobody, all the same. */
	return code == -ENOMEM ? code : tell_nobody(walk);
}

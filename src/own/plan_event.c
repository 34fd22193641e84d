// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * One event as steps. What an event means is said in one place, where it is applied: here it happens to
 * an ownership that is there to try things on, and the steps are what lies between before and after.
 */
#include "own/steps.h"

#include "base/error.h"
#include "base/fault.h"
#include "own/ownership.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What steps depend on, of one function. */
struct glance {
	struct ward_owner owner;
	const char *driver;
	uint32_t container;
	struct ward_space *space;
	bool frozen, quarantined, absent, vectors;
};

/* All functions, and what goes with the state they are of. */
struct look {
	struct glance *functions;
	struct ward_arena names; /* of drivers, each once */
	const char **seen;
	size_t seen_count, seen_capacity;
	struct ward_plan_vector *vectors;
	uint32_t vectors_count;
};

/* From one look to the next. */
struct change {
	const struct ward_machine *machine;
	const struct ward_event *event;
	const struct look *before, *after;
};

/* The state's own strings may go with the state. */
static int keep_name(struct look *look, const char **name)
{
	void *seen = look->seen;
	int code;

	if (!*name)
		return 0;
	for (size_t i = 0; i < look->seen_count; i++) {
		if (strcmp(look->seen[i], *name) == 0) {
			*name = look->seen[i];
			return 0;
		}
	}
	code = ward_array_reserve(&seen, &look->seen_capacity, look->seen_count + 1,
				  sizeof(*look->seen));
	look->seen = seen;
	if (code)
		return code;
	*name = ward_arena_strdup(&look->names, *name);
	if (!*name)
		return -ENOMEM;
	look->seen[look->seen_count++] = *name;
	return 0;
}

static void look_away(struct look *look)
{
	free(look->functions);
	free(look->seen);
	free(look->vectors);
	ward_arena_finish(&look->names);
}

static void see_vectors(const struct ward_state *state, struct look *look)
{
	for (uint32_t i = 0; i < state->vectors_count; i++) {
		const struct ward_host_vector *vector = &state->vectors[i];

		if (vector->function >= state->machine->functions_count)
			continue;
		look->functions[vector->function].vectors = true;
		look->vectors[look->vectors_count++] =
			(struct ward_plan_vector){ vector->function, vector->controller };
	}
}

static int look_at(const struct ward_ownership *ownership, struct look *ret_look)
{
	const struct ward_state *state = ward_ownership_state(ownership);
	uint32_t count = state->machine->functions_count;
	struct look *look = ret_look;
	int code = 0;

	look->functions = ward_alloc_array(count, sizeof(*look->functions));
	look->vectors = ward_alloc_array(state->vectors_count, sizeof(*look->vectors));
	if (!look->functions || !look->vectors)
		return -ENOMEM;
	for (uint32_t i = 0; i < count && !code; i++) {
		const struct ward_function_state *f = &state->functions[i];
		struct glance *glance = &look->functions[i];

		*glance = (struct glance){
			.owner = f->owner,
			.driver = f->driver,
			.container = ward_ownership_container(ownership, i),
			.frozen = f->frozen,
			.quarantined = f->quarantined,
			.absent = f->absent,
		};
		code = keep_name(look, &glance->driver);
	}
	for (uint32_t i = 0; i < state->attachments_count; i++)
		if (state->attachments[i].pasid == WARD_PASID_NONE)
			look->functions[state->attachments[i].function].space =
				state->attachments[i].space;
	see_vectors(state, look);
	return code;
}

static bool same_driver(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_taken(const struct glance *before, const struct glance *after)
{
	return before->owner.kind == WARD_OWNER_CLIENT &&
	       !ward_same_owner(before->owner, after->owner);
}

static bool loses_driver(const struct glance *before, const struct glance *after)
{
	return before->driver && !same_driver(before->driver, after->driver);
}

/* Nobody may be heard of it any more, whoever had it. */
static bool is_silenced(const struct glance *before, const struct glance *after)
{
	return is_taken(before, after) || loses_driver(before, after) ||
	       (after->quarantined && !before->quarantined);
}

static bool is_detached(const struct glance *before, const struct glance *after)
{
	return before->container != WARD_NONE && !is_taken(before, after) &&
	       after->container != before->container;
}

static bool loses_vectors(const struct glance *before, const struct glance *after)
{
	return is_silenced(before, after) || (before->vectors && !after->vectors);
}

static bool freezes(const struct glance *before, const struct glance *after)
{
	return !before->frozen && after->frozen;
}

static bool thaws(const struct glance *before, const struct glance *after)
{
	return before->frozen && !after->frozen && !after->absent;
}

static bool is_given(const struct glance *before, const struct glance *after)
{
	return after->owner.kind == WARD_OWNER_CLIENT &&
	       !ward_same_owner(before->owner, after->owner);
}

static bool gets_driver(const struct glance *before, const struct glance *after)
{
	return after->driver && !same_driver(before->driver, after->driver);
}

static bool is_attached(const struct glance *before, const struct glance *after)
{
	return after->container != WARD_NONE &&
	       (after->container != before->container || is_given(before, after));
}

/* Error domains are done once, with their first function that changes. */
static bool is_first_of_domain(const struct change *change, uint32_t function,
			       bool (*wanted)(const struct glance *, const struct glance *))
{
	uint32_t cursor = 0, member;

	while (ward_error_domain_next(change->machine, function, &cursor, &member))
		if (member < function &&
		    wanted(&change->before->functions[member], &change->after->functions[member]))
			return false;
	return true;
}

/*
 * What is done to which functions, in this order: first everybody loses, then everybody gets. What the
 * step says of client, container, driver and space is of before when it takes something away.
 */
static const struct phase {
	enum ward_action action, undo;
	bool (*wanted)(const struct glance *before, const struct glance *after);
	bool of_before, by_domain;
	/* A driver that is to lose its function lets go before it is blocked, when it is asked. */
	enum { ALWAYS, ASKED, BY_FORCE } when;
} phases[] = {
	{ WARD_ACTION_FREEZE, WARD_ACTION_NONE, freezes, .by_domain = true },
	{ WARD_ACTION_UNBIND, WARD_ACTION_BIND, loses_driver, .of_before = true, .when = ASKED },
	{ WARD_ACTION_DETACH, WARD_ACTION_ATTACH, is_detached, .of_before = true },
	{ WARD_ACTION_BLOCK, WARD_ACTION_ATTACH, is_silenced, .of_before = true },
	{ WARD_ACTION_TEAR_DOWN, WARD_ACTION_NONE, loses_vectors, .of_before = true },
	{ WARD_ACTION_TAKE, WARD_ACTION_GIVE, is_taken, .of_before = true },
	{ WARD_ACTION_UNBIND, WARD_ACTION_BIND, loses_driver, .of_before = true, .when = BY_FORCE },
	{ WARD_ACTION_THAW, WARD_ACTION_FREEZE, thaws, .by_domain = true },
	{ WARD_ACTION_GIVE, WARD_ACTION_TAKE, is_given, .when = ALWAYS },
	{ WARD_ACTION_BIND, WARD_ACTION_UNBIND, gets_driver, .when = ALWAYS },
	{ WARD_ACTION_ATTACH, WARD_ACTION_DETACH, is_attached, .when = ALWAYS },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * How an event comes: there is no way back from it; the ownership is told first; drivers are not asked,
 * as they are there no more, or expose somebody.
 */
static const struct {
	bool final, told_first, rude;
} manners[WARD_EVENTS] = {
	[WARD_EVENT_BIND] = { .told_first = true },
	[WARD_EVENT_CLAIM] = { .told_first = true },
	[WARD_EVENT_ATTACH] = { .told_first = true },
	[WARD_EVENT_DEATH] = { .final = true },
	[WARD_EVENT_REVOKE] = { .final = true },
	[WARD_EVENT_HOT_ADD] = { .final = true, .told_first = true },
	[WARD_EVENT_HOT_REMOVE] = { .final = true, .rude = true },
	[WARD_EVENT_VFS_ON] = { .final = true, .told_first = true },
	[WARD_EVENT_VECTOR] = { .final = true, .told_first = true },
	[WARD_EVENT_FREEZE] = { .final = true },
	[WARD_EVENT_THAW] = { .told_first = true },
	[WARD_EVENT_QUARANTINE] = { .final = true, .rude = true },
};

bool ward_plan_is_final(const struct ward_event *event)
{
	return event->fact || manners[event->kind].final;
}

bool ward_plan_is_told_first(const struct ward_event *event)
{
	return manners[event->kind].told_first;
}

static int add_step(struct ward_plan_storage *plan, const struct change *change,
		    const struct phase *phase, uint32_t function, const struct ward_state *names)
{
	const struct glance *of = phase->of_before ? &change->before->functions[function]
						   : &change->after->functions[function];
	bool is_client = of->owner.kind == WARD_OWNER_CLIENT;
	struct ward_plan_step step = {
		.action = phase->action,
		.undo = ward_plan_is_final(change->event) ? WARD_ACTION_NONE : phase->undo,
		.function = function,
		.client = is_client ? of->owner.client : WARD_NONE,
		.container = is_client ? of->container : WARD_NONE,
		.driver = of->driver,
		.space = is_client && of->container != WARD_NONE ? of->space : NULL,
	};

	/* What was in no container is blocked, and stays so. */
	if (step.undo == WARD_ACTION_ATTACH && step.container == WARD_NONE)
		step.undo = WARD_ACTION_NONE;
	return ward_plan_add_step(plan, names, &step);
}

static int add_phase(struct ward_plan_storage *plan, const struct change *change,
		     const struct phase *phase, const struct ward_state *names)
{
	int code = 0;

	if (phase->when != ALWAYS && (phase->when == BY_FORCE) != manners[change->event->kind].rude)
		return 0;
	for (uint32_t i = 0; i < change->machine->functions_count && !code; i++) {
		if (phase->wanted(&change->before->functions[i], &change->after->functions[i]) &&
		    (!phase->by_domain || is_first_of_domain(change, i, phase->wanted)))
			code = add_step(plan, change, phase, i, names);
	}
	return code;
}

/* A reset leaves nothing that one could see in who has what: it is in the event alone. */
static int add_resets(struct ward_plan_storage *plan, const struct change *change,
		      const struct ward_state *names)
{
	int code = 0;

	if (change->event->kind != WARD_EVENT_RESET)
		return 0;
	for (uint32_t i = 0; i < change->event->functions_count && !code; i++) {
		const struct ward_plan_step step = {
			.action = WARD_ACTION_RESET,
			.undo = ward_plan_is_final(change->event) ? WARD_ACTION_NONE
								  : WARD_ACTION_RESET,
			.function = change->event->functions[i],
			.client = WARD_NONE,
			.container = WARD_NONE,
		};

		code = ward_plan_add_step(plan, names, &step);
	}
	return code;
}

/* Drivers that are bound again have their vectors where they had them, as far as anybody knows. */
static int add_vectors(struct ward_plan_storage *plan, const struct change *change)
{
	const struct look *before = change->before;
	int code = 0;

	for (uint32_t i = 0; i < before->vectors_count && !code; i++) {
		uint32_t function = before->vectors[i].function;

		if (before->vectors[i].controller != WARD_NONE &&
		    loses_driver(&before->functions[function], &change->after->functions[function]))
			code = ward_plan_add_vector(plan, function, before->vectors[i].controller);
	}
	return code;
}

static int add_steps(struct ward_plan_storage *plan, const struct change *change,
		     const struct ward_state *names)
{
	int code = ward_plan_add_event(plan, change->event);

	for (size_t i = 0; i < COUNT(phases) && !code; i++)
		code = add_phase(plan, change, &phases[i], names);
	if (!code)
		code = add_resets(plan, change, names);
	if (!code)
		code = add_vectors(plan, change);
	if (!code)
		ward_plan_end_event(plan);
	return code;
}

int ward_plan_try(struct ward_plan_storage *plan, struct ward_ownership *trial,
		  const struct ward_event *event, struct ward_outcome *ret_outcome,
		  struct ward_error *ret_error)
{
	struct look before = { 0 }, after = { 0 };
	struct ward_outcome outcome = { 0 };
	const struct change change = {
		.machine = plan->machine,
		.event = event,
		.before = &before,
		.after = &after,
	};
	int code = look_at(trial, &before);

	if (!code)
		code = ward_ownership_apply(trial, event, &outcome, ret_error);
	if (!code && outcome.decision != WARD_REFUSED)
		code = look_at(trial, &after);
	if (!code && outcome.decision != WARD_REFUSED)
		code = add_steps(plan, &change, ward_ownership_state(trial));
	look_away(&before);
	look_away(&after);
	if (code) {
		ward_outcome_finish(&outcome);
		return code == -ENOMEM ? ward_fail(ret_error, code, "no memory") : code;
	}
	*ret_outcome = outcome;
	return 0;
}

int ward_plan_event(const struct ward_ownership *ownership, const struct ward_event *event,
		    struct ward_plan **ret_plan)
{
	struct ward_outcome outcome = { 0 };
	struct ward_plan_storage *plan;
	struct ward_ownership *trial;
	int code = ward_plan_create(ownership, &plan);

	if (code)
		return code;
	code = ward_ownership_copy(ownership, &trial);
	if (!code) {
		code = ward_plan_try(plan, trial, event, &outcome, NULL);
		ward_ownership_destroy(trial);
	}
	if (!code && outcome.decision == WARD_REFUSED)
		code = -EPERM;
	ward_outcome_finish(&outcome);
	if (code) {
		ward_plan_destroy(&plan->plan);
		return code;
	}
	*ret_plan = &plan->plan;
	return 0;
}

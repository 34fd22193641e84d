// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Events and hand-overs: decided by the ownership, carried out on the model, and what follows. */
#include "app/stage_parts.h"

#include "app/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Containments in a row, at most: each function is frozen or revoked once or twice. */
#define CONTAINMENTS_EACH 4u

/* An event with storage for what it points to. */
struct asking {
	struct ward_event event;
	uint32_t *functions;
	struct ward_waiver *waivers;
};

static void asking_finish(struct asking *asking)
{
	free(asking->functions);
	free(asking->waivers);
}

int app_stage_waivers(const struct app_stage *stage, const char *path,
		      const struct app_scenario_waiver *accept, uint32_t count,
		      struct ward_waiver **ret_waivers, struct ward_error *ret_error)
{
	struct ward_waiver *waivers = app_alloc(count ? count : 1, sizeof(*waivers));
	const struct ward_finding_info *info;
	int code = 0;

	for (uint32_t i = 0; !code && i < count; i++) {
		uint32_t function;
		char at[96];

		waivers[i] = (struct ward_waiver){ .code = accept[i].code,
						   .any_function = !accept[i].function,
						   .reason = accept[i].reason };
		snprintf(at, sizeof(at), "%s[%u].code", path, i);
		for (info = ward_findings(); info->code; info++)
			if (strcmp(info->code, accept[i].code) == 0)
				break;
		if (!info->code)
			code = app_yaml_fail(&stage->script->yaml, ret_error, at,
					     "no finding is called \"%s\"", accept[i].code);
		snprintf(at, sizeof(at), "%s[%u].function", path, i);
		if (!code && accept[i].function) {
			code = app_stage_function(stage, at, accept[i].function, &function,
						  ret_error);
			if (!code)
				waivers[i].address = stage->machine->functions[function].address;
		}
	}
	if (code)
		free(waivers);
	else
		*ret_waivers = waivers;
	return code;
}

/* Finds what words name; each may stand there once. */
static int find_functions(const struct app_stage *stage, const char *path, char *const *words,
			  uint32_t count, uint32_t **ret_functions, struct ward_error *error)
{
	uint32_t *functions = app_alloc(count ? count : 1, sizeof(*functions));
	int code = 0;

	for (uint32_t i = 0; !code && i < count; i++) {
		char at[160];

		snprintf(at, sizeof(at), "%s[%u]", path, i);
		code = app_stage_function(stage, at, words[i], &functions[i], error);
		for (uint32_t j = 0; !code && j < i; j++)
			if (functions[j] == functions[i])
				code = app_yaml_fail(&stage->script->yaml, error, at,
						     "\"%s\" stands there twice", words[i]);
	}
	if (code)
		free(functions);
	else
		*ret_functions = functions;
	return code;
}

static bool is_newcomer(enum ward_event_kind kind)
{
	return kind == WARD_EVENT_HOT_ADD || kind == WARD_EVENT_VFS_ON;
}

static bool is_farewell(enum ward_event_kind kind)
{
	return kind == WARD_EVENT_HOT_REMOVE || kind == WARD_EVENT_VFS_OFF;
}

/* Functions that come and go are no action of a plan: the machine has them, or not. */
static int present(struct app_stage *stage, const struct ward_event *event, bool there)
{
	bool vfs = event->kind == WARD_EVENT_VFS_ON || event->kind == WARD_EVENT_VFS_OFF;
	int code = 0;

	for (uint32_t i = 0; !code && !vfs && i < event->functions_count; i++)
		code = ward_model_present(stage->model->backend, event->functions[i], there);
	for (uint32_t f = 0; vfs && f < stage->machine->functions_count; f++)
		for (uint32_t i = 0; !code && i < event->functions_count; i++)
			if (stage->machine->functions[f].physfn == event->functions[i])
				code = ward_model_present(stage->model->backend, f, there);
	return code;
}

static void keep_plan(struct app_result *result, const struct ward_plan *plan)
{
	for (uint32_t i = 0; i < plan->steps_count; i++) {
		app_array_grow((void **)&result->plan, result->plan_count, sizeof(*result->plan));
		result->plan[result->plan_count++] = app_strdup(plan->steps[i].text);
	}
}

/* Runs a plan and destroys it. A step that fails is what came of it, and no error of ours. */
static int run(struct app_stage *stage, struct ward_plan *plan, struct app_result *result,
	       struct ward_error *error)
{
	const struct ward_executor executor = app_model_executor(stage->model);
	struct ward_plan_result ran = { 0 };
	struct ward_error why = { "" };
	int code = ward_plan_run(stage->ownership, plan, &executor, &ran, &why);

	if (code || ran.end != WARD_PLAN_DONE) {
		if (!error->text[0])
			snprintf(error->text, sizeof(error->text), "%s", why.text);
		if (!code)
			code = ran.error ? ran.error : -EIO;
	} else if (result) {
		keep_plan(result, plan);
		result->end = ran.end;
	}
	ward_plan_destroy(plan);
	return code;
}

/* Lets an event happen, in the ownership and on the model. */
static int happen(struct app_stage *stage, const struct ward_event *event,
		  struct ward_outcome *ret_outcome, struct app_result *plan_of,
		  struct ward_error *error)
{
	struct ward_outcome outcome = { 0 };
	struct ward_plan *plan = NULL;
	int code = ward_ownership_try(stage->ownership, event, &outcome, error);

	if (!code && outcome.decision == WARD_REFUSED) {
		/* It changes nothing: that is tried, too. */
		ward_outcome_finish(&outcome);
		return ward_ownership_apply(stage->ownership, event, ret_outcome, error);
	}
	if (!code) {
		if (is_newcomer(event->kind))
			code = present(stage, event, true);
		if (!code)
			code = ward_plan_event(stage->ownership, event, &plan);
		if (!code)
			code = run(stage, plan, plan_of, error);
		if (!code && is_farewell(event->kind))
			code = present(stage, event, false);
	}
	if (code)
		ward_outcome_finish(&outcome);
	else
		*ret_outcome = outcome;
	return code;
}

static int follow(struct app_stage *stage, const struct ward_event *event, bool containment,
		  struct app_result *result, struct ward_error *error)
{
	struct app_followed followed = {
		.kind = event->kind,
		.containment = containment,
		.functions = app_memdup(event->functions,
					event->functions_count * sizeof(*event->functions)),
		.functions_count = event->functions_count,
		.controller = event->kind == WARD_EVENT_VECTOR ? event->controller : WARD_NONE,
	};
	struct ward_event own = *event;
	int code;

	/* Those of a containment live until the ownership changes only. */
	own.functions = followed.functions;
	own.size = sizeof(own);
	code = happen(stage, &own, &followed.outcome, NULL, error);
	if (code) {
		free(followed.functions);
		return code;
	}
	app_array_grow((void **)&result->followed, result->followed_count,
		       sizeof(*result->followed));
	result->followed[result->followed_count++] = followed;
	return 0;
}

/* What an event has besides its functions. */
static int fill(struct app_stage *stage, const struct app_scenario_event *what, const char *name,
		struct asking *asking, struct ward_error *error)
{
	struct ward_event *event = &asking->event;
	struct app_field at;
	int code = 0;

	event->driver = what->driver;
	event->fact = what->fact;
	event->container = what->container;
	at = app_stage_field(stage, "%s.client", name);
	if (what->client)
		code = app_stage_client(stage, at.path, what->client, &event->client, error);
	at = app_stage_field(stage, "%s.controller", name);
	if (!code && what->controller)
		code = app_stage_controller(stage, at.path, what->controller, &event->controller,
					    error);
	at = app_stage_field(stage, "%s.accept", name);
	if (!code)
		code = app_stage_waivers(stage, at.path, what->accept, what->accept_count,
					 &asking->waivers, error);
	event->waivers = asking->waivers;
	event->waivers_count = what->accept_count;
	return code;
}

/* A container is of the client that has the function, whatever the event says. */
static int fill_space(struct app_stage *stage, struct ward_event *event, struct ward_error *error)
{
	struct ward_owner owner = app_stage_state(stage, event->functions[0])->owner;

	if (event->kind != WARD_EVENT_ATTACH || owner.kind != WARD_OWNER_CLIENT)
		return 0;
	event->client = owner.client;
	return app_model_space(stage->model, owner.client, event->container, event->functions[0],
			       &event->space, error);
}

/* An error of ours, with the place of the step. */
static int blame(const struct app_stage *stage, const char *name, int code,
		 struct ward_error *error)
{
	struct ward_error said = *error;

	if (!code ||
	    strncmp(said.text, stage->script->yaml.name, strlen(stage->script->yaml.name)) == 0)
		return code;
	app_yaml_fail(&stage->script->yaml, error, app_stage_field(stage, "%s", name).path, "%s",
		      said.text[0] ? said.text : strerror(-code));
	return code == -EINVAL || code == -EOPNOTSUPP ? -EBADMSG : code;
}

int app_stage_event(struct app_stage *stage, const struct app_scenario_event *what,
		    enum ward_event_kind kind, struct app_result *result, struct ward_error *error)
{
	const char *name = ward_event_name(kind);
	struct asking asking = { .event = { .size = sizeof(asking.event), .kind = kind } };
	struct app_field at = app_stage_field(stage, "%s.functions", name);
	int code = find_functions(stage, at.path, what->functions, what->functions_count,
				  &asking.functions, error);

	if (code)
		return code;
	asking.event.functions = asking.functions;
	asking.event.functions_count = what->functions_count;
	code = fill(stage, what, name, &asking, error);
	if (!code)
		code = fill_space(stage, &asking.event, error);
	if (!code)
		code = happen(stage, &asking.event, &result->outcome, result, error);
	result->judged = !code;
	asking_finish(&asking);
	return blame(stage, name, code, error);
}

static int find_receiver(const struct app_stage *stage, const char *word,
			 struct ward_hand_over *hand_over, struct ward_error *error)
{
	struct app_field at = app_stage_field(stage, "hand-over.to");

	hand_over->client = WARD_NONE;
	hand_over->to = strcmp(word, "host") == 0     ? WARD_OWNER_HOST
			: strcmp(word, "nobody") == 0 ? WARD_OWNER_NOBODY
						      : WARD_OWNER_CLIENT;
	if (hand_over->to != WARD_OWNER_CLIENT)
		return 0;
	return app_stage_client(stage, at.path, word, &hand_over->client, error);
}

/* The outcome is that of the last event; what is to be known of the client's functions is told here. */
static int judge_given(struct app_stage *stage, const struct ward_hand_over *hand_over,
		       struct ward_outcome *outcome)
{
	struct ward_question question = {
		.size = sizeof(question),
		.functions = hand_over->functions,
		.functions_count = hand_over->functions_count,
		.client = hand_over->client,
		.policy = stage->script->scenario->policy,
	};
	struct ward_verdict *verdict;
	int code;

	question.waivers = ward_ownership_waivers(stage->ownership, &question.waivers_count);
	code = ward_check(ward_ownership_isolation(stage->ownership),
			  ward_ownership_state(stage->ownership), &question, &verdict);
	if (code)
		return code;
	ward_verdict_destroy(outcome->verdict);
	outcome->verdict = verdict;
	return 0;
}

static int plan_and_run(struct app_stage *stage, struct ward_hand_over *hand_over,
			struct app_result *result, struct ward_error *error)
{
	struct ward_plan *plan = NULL;
	int code = 0;

	if (hand_over->to == WARD_OWNER_CLIENT)
		code = app_model_space(stage->model, hand_over->client, hand_over->container,
				       hand_over->functions[0], &hand_over->space, error);
	if (!code)
		code = ward_plan_hand_over(stage->ownership, hand_over, &plan, &result->outcome,
					   error);
	if (code || !plan)
		return code;
	code = run(stage, plan, result, error);
	if (!code && hand_over->to == WARD_OWNER_CLIENT)
		code = judge_given(stage, hand_over, &result->outcome);
	return code;
}

int app_stage_hand_over(struct app_stage *stage, const struct app_scenario_hand_over *what,
			struct app_result *result, struct ward_error *error)
{
	struct ward_hand_over hand_over = { .size = sizeof(hand_over), .driver = what->driver };
	struct app_field at = app_stage_field(stage, "hand-over.functions");
	struct ward_waiver *waivers = NULL;
	uint32_t *functions = NULL;
	int code = find_functions(stage, at.path, what->functions, what->functions_count,
				  &functions, error);

	if (!code)
		code = find_receiver(stage, what->to, &hand_over, error);
	at = app_stage_field(stage, "hand-over.accept");
	if (!code)
		code = app_stage_waivers(stage, at.path, what->accept, what->accept_count, &waivers,
					 error);
	hand_over.functions = functions;
	hand_over.functions_count = what->functions_count;
	hand_over.container = what->container;
	hand_over.waivers = waivers;
	hand_over.waivers_count = what->accept_count;
	if (!code)
		code = plan_and_run(stage, &hand_over, result, error);
	result->judged = !code;
	free(functions);
	free(waivers);
	return blame(stage, "hand-over", code, error);
}

int app_stage_contain(struct app_stage *stage, bool all, struct app_result *result,
		      struct ward_error *error)
{
	uint32_t most = CONTAINMENTS_EACH * stage->machine->functions_count;
	struct ward_event event = { .size = sizeof(event) };
	int code = 0;

	for (uint32_t i = 0; !code && ward_ownership_next(stage->ownership, &event); i++) {
		if (i == most) {
			snprintf(error->text, sizeof(error->text), "containments come to no end");
			return -ELOOP;
		}
		code = follow(stage, &event, true, result, error);
		if (!code)
			code = app_stage_facts(stage, result, error);
		if (!all)
			break;
	}
	return code;
}

static bool is_known(const struct app_stage *stage, uint32_t function, uint32_t controller)
{
	const struct ward_state *state = ward_ownership_state(stage->ownership);

	for (uint32_t i = 0; i < state->vectors_count; i++)
		if (state->vectors[i].function == function &&
		    state->vectors[i].controller == controller)
			return true;
	return false;
}

static int land(struct app_stage *stage, uint32_t function, struct app_result *result,
		struct ward_error *error)
{
	uint32_t cursor = 0, controller;
	int code = 0;

	while (!code &&
	       ward_model_executor_landed(stage->model->executor, function, &cursor, &controller)) {
		const struct ward_event event = { .size = sizeof(event),
						  .kind = WARD_EVENT_VECTOR,
						  .fact = true,
						  .functions = &function,
						  .functions_count = 1,
						  .controller = controller };

		if (!is_known(stage, function, controller))
			code = follow(stage, &event, false, result, error);
	}
	return code;
}

static int freeze(struct app_stage *stage, uint32_t function, struct app_result *result,
		  struct ward_error *error)
{
	const struct ward_event event = { .size = sizeof(event),
					  .kind = WARD_EVENT_FREEZE,
					  .fact = true,
					  .functions = &function,
					  .functions_count = 1 };
	struct ward_error_state frozen;

	if (app_stage_state(stage, function)->frozen || app_stage_state(stage, function)->absent ||
	    ward_model_error(stage->model->backend, function, &frozen))
		return 0;
	return follow(stage, &event, false, result, error);
}

int app_stage_facts(struct app_stage *stage, struct app_result *result, struct ward_error *error)
{
	bool by_hand = stage->script->scenario->vectors == APP_VECTORS_BY_HAND;
	int code = 0;

	for (uint32_t f = 0; !code && f < stage->machine->functions_count; f++) {
		if (!by_hand)
			code = land(stage, f, result, error);
		if (!code)
			code = freeze(stage, f, result, error);
	}
	return code;
}

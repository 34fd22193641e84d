// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "app/stage_parts.h"

#include "app/memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct app_field app_stage_field(const struct app_stage *stage, const char *format, ...)
{
	struct app_field field;
	char rest[96];
	va_list args;

	va_start(args, format);
	vsnprintf(rest, sizeof(rest), format, args);
	va_end(args);
	snprintf(field.path, sizeof(field.path), "steps[%u].%s", stage->step, rest);
	return field;
}

static bool bears(const struct ward_function *f, const char *word)
{
	struct ward_address address;

	if (strcmp(f->name, word) == 0)
		return true;
	for (uint32_t i = 0; i < f->names_count; i++)
		if (strcmp(f->names[i], word) == 0)
			return true;
	return f->kind == WARD_FUNCTION_PCI && ward_address_parse(word, &address) == 0 &&
	       ward_address_compare(address, f->address) == 0;
}

int app_stage_function(const struct app_stage *stage, const char *path, const char *word,
		       uint32_t *ret_function, struct ward_error *ret_error)
{
	for (uint32_t i = 0; i < stage->machine->functions_count; i++)
		if (bears(&stage->machine->functions[i], word)) {
			*ret_function = i;
			return 0;
		}
	return app_yaml_fail(&stage->script->yaml, ret_error, path,
			     "the machine has no function \"%s\"", word);
}

int app_stage_client(const struct app_stage *stage, const char *path, const char *word,
		     uint32_t *ret_client, struct ward_error *ret_error)
{
	const struct ward_state *state = ward_ownership_state(stage->ownership);

	for (uint32_t i = 0; i < state->clients_count; i++)
		if (strcmp(state->clients[i], word) == 0) {
			*ret_client = i;
			return 0;
		}
	return app_yaml_fail(&stage->script->yaml, ret_error, path,
			     "there is no client \"%s\"; \"clients\" names them", word);
}

int app_stage_controller(const struct app_stage *stage, const char *path, const char *word,
			 uint32_t *ret_controller, struct ward_error *ret_error)
{
	for (uint32_t i = 0; i < stage->machine->controllers_count; i++)
		if (strcmp(stage->machine->controllers[i].name, word) == 0) {
			*ret_controller = i;
			return 0;
		}
	return app_yaml_fail(&stage->script->yaml, ret_error, path,
			     "the machine has no MSI controller \"%s\"", word);
}

const struct ward_function_state *app_stage_state(const struct app_stage *stage, uint32_t function)
{
	return &ward_ownership_state(stage->ownership)->functions[function];
}

const char *app_stage_owner(const struct app_stage *stage, struct ward_owner owner)
{
	switch (owner.kind) {
	case WARD_OWNER_HOST:
		return "host";
	case WARD_OWNER_CLIENT:
		return owner.client == WARD_NONE
			       ? "several"
			       : ward_ownership_state(stage->ownership)->clients[owner.client];
	case WARD_OWNER_NOBODY:
		break;
	}
	return "nobody";
}

struct ward_ownership *app_stage_ownership(const struct app_stage *stage)
{
	return stage->ownership;
}

const struct app_span *app_stage_spans(const struct app_stage *stage)
{
	return stage->spans;
}

const struct app_result *app_stage_beginning(const struct app_stage *stage)
{
	return &stage->beginning;
}

static int set_absent(struct app_stage *stage, struct ward_state *state, struct ward_error *error)
{
	const struct app_scenario *scenario = stage->script->scenario;

	for (uint32_t i = 0; i < scenario->absent_count; i++) {
		char path[32];
		uint32_t function;
		int code;

		snprintf(path, sizeof(path), "absent[%u]", i);
		code = app_stage_function(stage, path, scenario->absent[i], &function, error);
		if (!code)
			code = ward_state_bind(state, function, NULL);
		if (code)
			return code;
		state->functions[function].owner = (struct ward_owner){ WARD_OWNER_NOBODY, 0 };
		state->functions[function].irq_mode = WARD_IRQ_NONE;
		state->functions[function].absent = true;
	}
	return 0;
}

static int create_ownership(struct app_stage *stage, struct ward_state *state,
			    struct ward_error *error)
{
	const struct app_scenario *scenario = stage->script->scenario;
	struct ward_ownership_options options = {
		.size = sizeof(options),
		.policy = scenario->policy,
		.newcomer = scenario->newcomer,
		.other = scenario->other,
		.revoke_is_immediate = scenario->revoke_is_immediate,
	};
	struct ward_waiver *waivers = NULL;
	uint32_t client;
	int code = app_stage_waivers(stage, "accept", scenario->accept, scenario->accept_count,
				     &waivers, error);

	options.waivers = waivers;
	options.waivers_count = scenario->accept_count;
	if (!code)
		code = set_absent(stage, state, error);
	for (uint32_t i = 0; !code && i < scenario->clients_count; i++)
		code = ward_state_client(state, scenario->clients[i], &client);
	if (!code)
		code = ward_ownership_create(stage->machine, state, &options, &stage->ownership);
	free(waivers);
	return code;
}

static int create_model(struct app_stage *stage, struct ward_error *error)
{
	const struct app_scenario *scenario = stage->script->scenario;
	uint32_t clients = ward_ownership_state(stage->ownership)->clients_count, client = 0;
	int code = app_model_create(stage->machine, clients, scenario->freeze_on_fault,
				    &stage->model, error);

	if (!code && scenario->frames_by_parent)
		code = ward_model_set_policy(stage->model->backend, WARD_GICV2M_BY_PARENT);
	for (uint32_t i = 0; !code && i < scenario->nested_count; i++) {
		char path[32];

		snprintf(path, sizeof(path), "nested[%u]", i);
		code = app_stage_client(stage, path, scenario->nested[i], &client, error);
		if (!code)
			stage->model->clients[client].nested = true;
	}
	if (!code)
		code = ward_model_executor_adopt(stage->model->executor, stage->ownership, error);
	return code;
}

/* Notes of each exposure at which step it began and ended. */
static void keep_spans(struct app_stage *stage, uint32_t step, struct app_result *result)
{
	uint32_t count;
	const struct ward_exposure *all = ward_ownership_exposures(stage->ownership, &count);

	result->exposures_first = stage->spans_count;
	result->exposures_count = count - stage->spans_count;
	while (stage->spans_count < count) {
		app_array_grow((void **)&stage->spans, stage->spans_count, sizeof(*stage->spans));
		stage->spans[stage->spans_count++] = (struct app_span){ step, 0 };
	}
	for (uint32_t i = 0; i < count; i++)
		if (all[i].contained && !stage->spans[i].contained)
			stage->spans[i].contained = step;
}

static bool is_settled(const struct app_stage *stage)
{
	struct ward_event event = { .size = sizeof(event) };

	return !ward_ownership_next(stage->ownership, &event);
}

/* What the machine has done by itself, and what the policy answers. */
static int settle(struct app_stage *stage, uint32_t step, struct app_result *result,
		  struct ward_error *error)
{
	int code = app_stage_facts(stage, result, error);

	if (!code && stage->script->scenario->contain == APP_CONTAIN_AT_ONCE)
		code = app_stage_contain(stage, true, result, error);
	keep_spans(stage, step, result);
	result->settled = is_settled(stage);
	return code;
}

int app_stage_create(const struct app_script *script, const struct ward_machine *machine,
		     struct ward_state *state, struct app_stage **ret_stage,
		     struct ward_error *ret_error)
{
	struct app_stage *stage = app_alloc(1, sizeof(*stage));
	int code;

	ret_error->text[0] = '\0';
	stage->script = script;
	stage->machine = machine;
	code = create_ownership(stage, state, ret_error);
	if (!code)
		code = create_model(stage, ret_error);
	if (!code)
		code = settle(stage, 0, &stage->beginning, ret_error);
	if (code) {
		if (!ret_error->text[0])
			snprintf(ret_error->text, sizeof(ret_error->text), "%s: %s",
				 script->yaml.name, strerror(-code));
		app_stage_destroy(stage);
		return code;
	}
	*ret_stage = stage;
	return 0;
}

void app_stage_destroy(struct app_stage *stage)
{
	if (!stage)
		return;
	app_result_finish(&stage->beginning);
	/* Spaces are looked at by the ownership's state. */
	ward_ownership_destroy(stage->ownership);
	app_model_destroy(stage->model);
	free(stage->spans);
	free(stage);
}

static int play(struct app_stage *stage, const struct app_scenario_step *step,
		struct app_result *result, struct ward_error *error)
{
	for (unsigned int kind = 0; kind < WARD_EVENTS; kind++)
		if (step->event[kind])
			return app_stage_event(stage, step->event[kind], (enum ward_event_kind)kind,
					       result, error);
	if (step->hand_over)
		return app_stage_hand_over(stage, step->hand_over, result, error);
	if (step->enable)
		return app_stage_enable(stage, step->enable, error);
	if (step->ring)
		return app_stage_ring(stage, step->ring, result, error);
	if (step->write || step->read)
		return app_stage_dma(stage, step->write ? step->write : step->read,
				     step->write != NULL, result, error);
	if (step->hostile)
		return app_stage_hostile(stage, step->hostile, result, error);
	return app_stage_contain(stage, *step->contain == APP_CONTAIN_ALL, result, error);
}

int app_stage_play(struct app_stage *stage, uint32_t step, struct app_result *ret_result,
		   struct ward_error *ret_error)
{
	struct app_result result = { 0 };
	int code;

	ret_error->text[0] = '\0';
	stage->step = step;
	code = play(stage, &stage->script->scenario->steps[step], &result, ret_error);
	if (!code)
		code = settle(stage, step + 1, &result, ret_error);
	if (code) {
		if (!ret_error->text[0])
			app_yaml_fail(&stage->script->yaml, ret_error,
				      app_stage_field(
					      stage, "%s",
					      app_step_name(&stage->script->scenario->steps[step]))
					      .path,
				      "%s", strerror(-code));
		app_result_finish(&result);
		return code;
	}
	app_stage_expect(stage, &result);
	*ret_result = result;
	return 0;
}

static void free_texts(char **texts, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		free(texts[i]);
	free(texts);
}

void app_result_finish(struct app_result *result)
{
	ward_outcome_finish(&result->outcome);
	for (uint32_t i = 0; i < result->followed_count; i++) {
		free(result->followed[i].functions);
		ward_outcome_finish(&result->followed[i].outcome);
	}
	free(result->followed);
	if (result->rung)
		free(result->rung->arrives);
	free(result->rung);
	if (result->reached)
		free(result->reached->of);
	free(result->reached);
	for (uint32_t i = 0; i < result->touched_count; i++) {
		free(result->touched[i].who);
		free(result->touched[i].how);
	}
	free(result->touched);
	free_texts(result->plan, result->plan_count);
	free_texts(result->failures, result->failures_count);
	*result = (struct app_result){ 0 };
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "cli/simulate.h"

#include "app/memory.h"
#include "cli/break.h"
#include "cli/source.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>

static int fail(const struct cli_options *options, int code, const char *text)
{
	if (code == -EBADMSG || code == -EFBIG)
		return cli_fail(options, CLI_USAGE, "%s", text);
	return cli_fail(options, code == -EACCES ? CLI_PERMISSION : CLI_FAILURE, "%s",
			*text ? text : strerror(-code));
}

/* The name of a file beside the scenario. */
static char *beside(const char *scenario, const char *file)
{
	char *copy, *path;

	if (*file == '/' || strcmp(scenario, "-") == 0)
		return app_strdup(file);
	copy = app_strdup(scenario);
	path = app_printf("%s/%s", dirname(copy), file);
	free(copy);
	return path;
}

/* A machine of its own, or that of a file: as every other verb reads it. */
static int open_machine(struct cli_context *context, struct cli_options *options,
			const struct app_script *script, char **ret_path)
{
	struct app_machine machine;
	struct ward_error error;
	int code;

	*ret_path = NULL;
	if (script->scenario->machine_file) {
		*ret_path = beside(script->yaml.name, script->scenario->machine_file);
		options->machine = *ret_path;
		return cli_open(context, options, NULL);
	}
	*context = (struct cli_context){ .options = options, .described = true };
	app_text_init(&context->out, stdout, options->colour);
	code = app_machine_build(script->scenario->machine, &script->yaml, "machine.", &machine,
				 &error);
	if (code)
		return fail(options, code, error.text);
	context->machine = machine.machine;
	context->state = machine.state;
	free(machine.memory);
	context->names = app_names_load(-1, context->machine);
	return -1;
}

/* What is shown is what the ownership says now. */
static int look_again(struct cli_simulation *simulation)
{
	struct cli_context *context = simulation->context;
	struct ward_state *state;
	int code = ward_state_copy(ward_ownership_state(app_stage_ownership(simulation->stage)),
				   context->machine, &state);

	if (code)
		return fail(context->options, code, "");
	ward_state_destroy(context->state);
	context->state = state;
	return -1;
}

static int show(struct cli_simulation *simulation, uint32_t number, const struct app_result *result)
{
	int code = look_again(simulation);

	simulation->failures += result->failures_count;
	if (code >= 0)
		return code;
	if (simulation->steps)
		app_json_add(simulation->steps, cli_step_json(simulation, number, result));
	else
		cli_say_step(simulation, number, result);
	return -1;
}

static int play(struct cli_simulation *simulation)
{
	const struct cli_options *options = simulation->context->options;
	struct app_stage *stage = simulation->stage;
	struct ward_error error;
	int code = show(simulation, 0, app_stage_beginning(stage));

	for (uint32_t i = 0; code < 0 && i < simulation->script.scenario->steps_count; i++) {
		struct app_result result;
		int failed = app_stage_play(stage, i, &result, &error);

		if (failed)
			return fail(options, failed, error.text);
		code = show(simulation, i + 1, &result);
		app_result_finish(&result);
	}
	return code;
}

static int finish(struct cli_simulation *simulation)
{
	struct app_result final;
	struct ward_error error;
	int code = app_stage_final(simulation->stage, &final, &error), end = CLI_DONE;

	if (code)
		return fail(simulation->context->options, code, error.text);
	simulation->failures += final.failures_count;
	if (simulation->steps)
		cli_print_simulation(simulation, &final);
	else
		end = cli_say_end(simulation, &final);
	app_result_finish(&final);
	if (end != CLI_DONE)
		return end;
	return simulation->failures ? CLI_NOT_SAFE : CLI_DONE;
}

static int simulate(struct cli_simulation *simulation)
{
	struct cli_context *context = simulation->context;
	struct ward_error error;
	int code = cli_isolate(context), failed;

	if (code >= 0)
		return code;
	failed = app_stage_create(&simulation->script, context->machine, context->state,
				  &simulation->stage, &error);
	if (failed)
		return fail(context->options, failed, error.text);
	code = cli_break(context->options, app_stage_ownership(simulation->stage));
	if (code >= 0)
		return code;
	if (context->options->json)
		simulation->steps = app_json_array();
	else
		cli_say_scenario(simulation);
	code = play(simulation);
	return code < 0 ? finish(simulation) : code;
}

int cli_simulate(const struct cli_options *options)
{
	struct cli_options own = *options;
	struct cli_context context = { .options = options };
	struct cli_simulation simulation = { .context = &context };
	struct ward_error error;
	char *path = NULL;
	int code = app_script_read(options->operands.word[0], &simulation.script, &error);

	if (code)
		return fail(options, code, error.text);
	code = open_machine(&context, &own, &simulation.script, &path);
	if (code < 0)
		code = simulate(&simulation);
	app_stage_destroy(simulation.stage);
	json_object_put(simulation.steps);
	cli_close(&context);
	app_script_finish(&simulation.script);
	free(path);
	return code;
}

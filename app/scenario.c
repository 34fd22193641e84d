// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "app/scenario_schema.h"

#include "app/memory.h"
#include "app/scenario_check.h"
#include "app/yaml_check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Takes the bytes. */
static int load(char *bytes, size_t size, const char *file, struct app_script *ret_script,
		struct ward_error *error)
{
	const cyaml_schema_value_t *schema = &app_scenario_with_machine;
	struct app_script script = { .file = app_strdup(file), .bytes = bytes };
	const struct app_yaml raw = { .name = script.file, .bytes = bytes, .size = size };
	int code = app_yaml_check_events(&raw, error);

	if (!code && app_places_create(bytes, size, &script.places) == 0) {
		if (app_places_is_scalar(script.places, "machine"))
			schema = &app_scenario_with_file;
		if (app_places_has(script.places, "functions") &&
		    !app_places_has(script.places, "steps"))
			code = app_yaml_fail(
				&raw, error, "",
				"this is a machine; a scenario names one, and has steps");
	}
	if (!code)
		code = app_yaml_load(script.file, bytes, size, schema, &script.yaml, error);
	if (!code) {
		script.scenario = script.yaml.data;
		code = app_script_check(&script, error);
	}
	if (code) {
		app_script_finish(&script);
		return code;
	}
	*ret_script = script;
	return 0;
}

int app_script_parse(const char *bytes, size_t size, const char *file,
		     struct app_script *ret_script, struct ward_error *ret_error)
{
	return load(app_memdup(bytes, size), size, file, ret_script, ret_error);
}

int app_script_read(const char *file, struct app_script *ret_script, struct ward_error *ret_error)
{
	char *bytes;
	size_t size;
	int code = app_yaml_read(file, &bytes, &size, ret_error);

	if (code)
		return code;
	code = app_script_parse(bytes, size, file, ret_script, ret_error);
	free(bytes);
	return code;
}

void app_script_finish(struct app_script *script)
{
	app_yaml_finish(&script->yaml);
	app_places_destroy(script->places);
	free(script->bytes);
	free(script->file);
	*script = (struct app_script){ 0 };
}

uint32_t app_script_step_line(const struct app_script *script, uint32_t step)
{
	char path[32];

	snprintf(path, sizeof(path), "steps/%u", step);
	return app_places_line(script->places, path);
}

const char *app_step_name(const struct app_scenario_step *step)
{
	for (unsigned int kind = 0; kind < WARD_EVENTS; kind++)
		if (step->event[kind])
			return ward_event_name((enum ward_event_kind)kind);
	if (step->hand_over)
		return "hand-over";
	if (step->enable)
		return "enable";
	if (step->ring)
		return "ring";
	if (step->write || step->read)
		return step->write ? "write" : "read";
	return step->hostile ? "hostile" : "contain";
}

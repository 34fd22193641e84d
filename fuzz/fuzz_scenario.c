// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Scenarios: whatever stands in one, it is refused with a sentence that begins with the name and a line,
 * or what comes out is whole: each step has a name and stands on a line of the text.
 */
#include "app/scenario.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_script(const struct app_script *script, size_t size)
{
	const struct app_scenario *scenario = script->scenario;

	require(scenario->title);
	require(!scenario->machine_file != !scenario->machine);
	for (uint32_t i = 0; i < scenario->steps_count; i++) {
		uint32_t line = app_script_step_line(script, i);

		require(app_step_name(&scenario->steps[i]));
		require(line >= 1 && line <= size + 1);
	}
	for (uint32_t i = 0; i < scenario->final_count; i++)
		require(scenario->final[i].function);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ward_error error = { "" };
	struct app_script script;
	unsigned int line = 0;
	int code = app_script_parse((const char *)data, size, "s.yaml", &script, &error);

	if (code == 0) {
		check_script(&script, size);
		app_script_finish(&script);
	} else {
		require(code == -EBADMSG);
		require(sscanf(error.text, "s.yaml:%u: ", &line) == 1 && line >= 1);
	}
	return 0;
}

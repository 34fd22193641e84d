/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A scenario while it is played, for those who show it. */
#ifndef CLI_SIMULATE_H
#define CLI_SIMULATE_H

#include "app/stage.h"
#include "cli/cli.h"

/* What somebody sees. The context's state is a copy of the ownership's. */
struct cli_simulation {
	struct cli_context *context;
	struct app_script script;
	struct app_stage *stage;
	struct json_object *steps; /* NULL: text */
	uint32_t failures;
};

/* "claim 0000:01:00.0 for red"; free() it. */
char *cli_step_text(const struct app_scenario_step *step);
/* "freeze 0000:01:00.0"; free() it. */
char *cli_followed_text(const struct cli_simulation *simulation,
			const struct app_followed *followed);
/* "frozen, tainted by red"; free() it. */
char *cli_flags_text(const struct cli_simulation *simulation, uint32_t function);
/* Controllers that it has vectors at; free() it. */
char *cli_vectors_text(const struct cli_simulation *simulation, uint32_t function);

/* As text: simulate_text.c. number counts from 1; 0: what was there before the first step. */
void cli_say_scenario(const struct cli_simulation *simulation);
void cli_say_step(const struct cli_simulation *simulation, uint32_t number,
		  const struct app_result *result);
int cli_say_end(const struct cli_simulation *simulation, const struct app_result *final);

/* As JSON: simulate_json.c. */
struct json_object *cli_step_json(const struct cli_simulation *simulation, uint32_t number,
				  const struct app_result *result);
void cli_print_simulation(const struct cli_simulation *simulation, const struct app_result *final);

#endif

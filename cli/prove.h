/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A proof: what was explored, how it went, and what came of it. */
#ifndef CLI_PROVE_H
#define CLI_PROVE_H

#include "cli/cli.h"

#include <doorward/explore.h>

struct cli_proof {
	const struct cli_context *context;
	const char *machine; /* its file, "-", or NULL: this computer, or a tree of files */
	struct ward_exploration *exploration;
	struct ward_ownership *ownership; /* as it begins, to play the way to a breach on */
	const struct ward_explore_options *explored;
	struct ward_exploration_progress progress;
	uint32_t threads;
	double seconds;
	const char *scenario; /* of a breach: file that was written, or NULL */
};

/* Explores with the threads that the proof says. Returns -1 to go on, or an exit code. */
int cli_prove_run(struct cli_proof *proof);

void cli_prove_say(const struct cli_proof *proof);
struct json_object *cli_prove_json(const struct cli_proof *proof);
/* An event in a few words: "claim 0000:01:00.0 for c0". To be freed. */
char *cli_prove_event(const struct cli_proof *proof, const struct ward_event *event);

/*
 * The way to the breach as a scenario, in which every step comes out as it did here. To be freed;
 * NULL when memory was out.
 */
char *cli_counterexample(const struct cli_proof *proof);

#endif

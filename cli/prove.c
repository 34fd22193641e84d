// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "cli/prove.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/memory.h"
#include "cli/accept.h"
#include "cli/break.h"
#include "cli/device.h"
#include "cli/source.h"

/* All that one proof needs. */
struct proving {
	struct cli_context context;
	struct cli_proof proof;
	struct ward_explore_options explore;
	struct ward_ownership_options ownership;
	struct cli_waivers waivers;
	uint32_t *functions;
};

/* The machine may stand there as an operand: a file, or a directory as with --sysroot. */
static int take_machine(struct cli_options *options)
{
	struct stat status;
	const char *machine;

	if (!options->operands.count)
		return -1;
	machine = options->operands.word[0];
	if (options->machine || options->sysroot)
		return cli_fail(options, CLI_USAGE, "two machines: \"%s\" and \"%s\"", machine,
				options->machine ? options->machine : options->sysroot);
	if (stat(machine, &status) == 0 && S_ISDIR(status.st_mode))
		options->sysroot = machine;
	else
		options->machine = machine;
	return -1;
}

/* "claim,bind,...": each a word of ward_event_name(). */
static int take_events(const struct cli_options *options, uint64_t *ret_events)
{
	char *words = app_strdup(options->events), *rest = words, *word;
	int code = -1;

	while (code < 0 && (word = strsep(&rest, ","))) {
		unsigned int kind = 0;

		while (kind < WARD_EVENTS && strcmp(ward_event_name(kind), word) != 0)
			kind++;
		if (kind == WARD_EVENTS)
			code = cli_fail(options, CLI_USAGE,
					"there is no event \"%s\"; see: doorward help prove", word);
		else
			*ret_events |= 1ull << kind;
	}
	free(words);
	return code;
}

static int take_functions(struct proving *p, const struct cli_options *options)
{
	char *words = app_strdup(options->functions), *rest = words, *word;
	uint32_t count = 0;
	int code = -1;

	while (code < 0 && (word = strsep(&rest, ","))) {
		app_array_grow((void **)&p->functions, count, sizeof(*p->functions));
		code = cli_device_find(&p->context, word, &p->functions[count]);
		count++;
	}
	free(words);
	p->explore.functions = p->functions;
	p->explore.functions_count = count;
	return code;
}

static int take_options(struct proving *p, const struct cli_options *options)
{
	int code = cli_waivers_read(&p->context, &p->waivers);

	p->ownership = (struct ward_ownership_options){
		.size = sizeof(p->ownership),
		.policy = options->policy,
	};
	p->explore = (struct ward_explore_options){
		.size = sizeof(p->explore),
		.clients = options->clients,
		.depth = options->depth,
		.containers = options->containers ? options->containers : 1,
		.states_max = options->states,
		.ownership = &p->ownership,
		.waivers = p->waivers.waiver,
		.waivers_count = p->waivers.count,
	};
	if (code < 0 && options->events)
		code = take_events(options, &p->explore.events);
	if (code < 0 && options->functions)
		code = take_functions(p, options);
	return code;
}

/* An ownership that begins where the exploration did. */
static int begin_again(struct proving *p)
{
	uint32_t count, client;
	const char *const *clients = ward_exploration_clients(p->proof.exploration, &count);
	int err = ward_ownership_create(p->context.machine, p->context.state, &p->ownership,
					&p->proof.ownership);

	for (uint32_t i = 0; i < count && !err; i++)
		err = ward_ownership_client(p->proof.ownership, clients[i], &client);
	if (err)
		return cli_fail(p->context.options, CLI_FAILURE, "%s", strerror(-err));
	return cli_break(p->context.options, p->proof.ownership);
}

static int create(struct proving *p)
{
	struct ward_error error = { "" };
	int err = ward_exploration_create(p->context.machine, p->context.state, &p->explore,
					  &p->proof.exploration, &error);

	if (err == -E2BIG)
		return cli_fail(p->context.options, CLI_FAILURE,
				"%s: --functions DEV,DEV,...; \"doorward list\" shows which there "
				"are",
				error.text);
	if (err)
		return cli_fail(p->context.options, CLI_FAILURE, "this cannot be explored: %s",
				*error.text ? error.text : strerror(-err));
	return cli_break_exploration(p->context.options, p->proof.exploration);
}

static int write_scenario(struct proving *p)
{
	const char *name = p->context.options->output;
	char *text;
	FILE *file;
	int code = begin_again(p);

	if (code >= 0)
		return code;
	text = app_need(cli_counterexample(&p->proof));
	if (!name) {
		free(text);
		return -1;
	}
	file = strcmp(name, "-") == 0 ? stdout : fopen(name, "we");
	if (!file || fputs(text, file) < 0 || (file != stdout && fclose(file)))
		code = cli_fail(p->context.options, CLI_FAILURE, "%s: %s", name, strerror(errno));
	else if (file != stdout)
		p->proof.scenario = name;
	else
		code = CLI_NOT_SAFE; /* whoever plays it wants nothing else there */
	free(text);
	return code;
}

static int exit_code(const struct cli_proof *proof)
{
	switch (proof->progress.end) {
	case WARD_EXPLORATION_COMPLETE:
		return CLI_DONE;
	case WARD_EXPLORATION_BROKEN:
		return CLI_NOT_SAFE;
	case WARD_EXPLORATION_RUNNING:
	case WARD_EXPLORATION_STOPPED:
	case WARD_EXPLORATION_FULL:
		break;
	}
	return CLI_CANNOT_TELL;
}

static int prove(struct proving *p, const struct cli_options *options)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int code = take_options(p, options);

	p->proof = (struct cli_proof){
		.context = &p->context,
		.machine = options->machine,
		.explored = &p->explore,
		.threads = options->threads ? options->threads
			   : processors > 0 ? (uint32_t)processors
					    : 1,
	};
	if (code < 0 && options->json && options->output && strcmp(options->output, "-") == 0)
		code = cli_fail(options, CLI_USAGE,
				"standard output cannot hold both the scenario and JSON");
	if (code < 0)
		code = create(p);
	if (code < 0)
		code = cli_prove_run(&p->proof);
	if (code < 0 && ward_exploration_breach(p->proof.exploration))
		code = write_scenario(p);
	if (code >= 0)
		return code;
	if (options->json)
		app_json_print(stdout, cli_prove_json(&p->proof));
	else
		cli_prove_say(&p->proof);
	return exit_code(&p->proof);
}

int cli_prove(const struct cli_options *given)
{
	struct cli_options options = *given;
	struct proving p = { 0 };
	int code = take_machine(&options);

	if (code >= 0)
		return code;
	code = cli_open(&p.context, &options, NULL);
	if (code < 0)
		code = cli_isolate(&p.context);
	if (code < 0) {
		cli_say_unread(&p.context);
		code = prove(&p, &options);
	}
	ward_ownership_destroy(p.proof.ownership);
	ward_exploration_destroy(p.proof.exploration);
	cli_waivers_finish(&p.waivers);
	free(p.functions);
	cli_close(&p.context);
	return code;
}

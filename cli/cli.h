/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What the verbs of the command share. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "app/json.h"
#include "app/names.h"
#include "app/text.h"

#include <doorward/verdict.h>

enum cli_exit {
	CLI_DONE = 0, /* done; safe */
	CLI_FAILURE = 1,
	CLI_USAGE = 2,
	CLI_NOT_SAFE = 3,
	CLI_CANNOT_TELL = 4,
	CLI_PERMISSION = 5,
};

/* Arguments given more than once; the texts are argv's. */
struct cli_words {
	const char **word;
	size_t count;
};

struct cli_verb;

/* The command line, parsed. */
struct cli_options {
	const struct cli_verb *verb;
	struct cli_words operands;
	const char *machine, *sysroot;
	bool json, wake;
	enum app_colour_when colour;
	enum ward_policy policy;
	enum ward_group_rule rule;
	struct cli_words accept, accept_policy;
	struct cli_words suppose;
	const char *to;
	const char *explain; /* a topic, or NULL */
	const char *columns, *output;
	bool raw, no_headings, tree;
	bool with_identity;
	bool model;
	/* Of a proof; 0 or NULL: not given. */
	uint32_t clients, depth, containers, states, threads;
	const char *events, *functions;
	bool progress;
	const char *break_rule;
};

/* A machine that was read, and what is worked out of it on demand. */
struct cli_context {
	const struct cli_options *options;
	struct app_text out;
	bool live;	/* this computer, now */
	bool described; /* by a person, in YAML */
	struct ward_machine *machine;
	struct ward_state *state;
	/* What was read, when machine and state are copies in which something is supposed. */
	struct ward_machine *real_machine;
	struct ward_state *real_state;
	struct ward_isolation *isolation; /* NULL before cli_isolate */
	struct app_names *names;
	char **denied; /* paths that could not be read for want of permission */
	size_t denied_count;
	char **texts; /* that what is supposed refers to */
	size_t texts_count;
};

/* Refuses a word that is no verb, with the nearest one. Returns CLI_USAGE. */
int cli_unknown_verb(const struct cli_options *options, const char *name);

/* Each verb: returns an enum cli_exit. */
int cli_list(const struct cli_options *options);
int cli_check(const struct cli_options *options);
int cli_explain(const struct cli_options *options);
int cli_why(const struct cli_options *options);
int cli_reach(const struct cli_options *options);
int cli_trace(const struct cli_options *options);
int cli_groups(const struct cli_options *options);
int cli_capture(const struct cli_options *options);
int cli_prove(const struct cli_options *options);
int cli_simulate(const struct cli_options *options);
int cli_help(const struct cli_options *options);

/* Says what went wrong, as text and with --json as a document too; returns code. */
__attribute__((format(printf, 3, 4))) int cli_fail(const struct cli_options *options, int code,
						   const char *format, ...);

#endif

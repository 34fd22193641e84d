/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The one table of verbs and options. It parses the command line, prints help and makes the
 * completion for bash.
 */
#ifndef CLI_VERBS_H
#define CLI_VERBS_H

#include "cli/cli.h"

struct cli_verb {
	const char *name;
	const char *operands; /* "DEV..." */
	const char *example;  /* such operands, where there have to be some */
	size_t operands_min, operands_max;
	const char *summary;
	const char *details;
	int (*run)(const struct cli_options *options);
	unsigned int bit;
	bool devices; /* operands are devices: for completion */
};

enum cli_option_id {
	CLI_OPTION_MACHINE,
	CLI_OPTION_SYSROOT,
	CLI_OPTION_JSON,
	CLI_OPTION_POLICY,
	CLI_OPTION_ACCEPT,
	CLI_OPTION_ACCEPT_POLICY,
	CLI_OPTION_WAKE,
	CLI_OPTION_COLOUR,
	CLI_OPTION_COLUMNS,
	CLI_OPTION_NO_HEADINGS,
	CLI_OPTION_RAW,
	CLI_OPTION_TREE,
	CLI_OPTION_RULE,
	CLI_OPTION_TO,
	CLI_OPTION_SUPPOSE,
	CLI_OPTION_EXPLAIN,
	CLI_OPTION_OUTPUT,
	CLI_OPTION_WITH_IDENTITY,
	CLI_OPTION_MODEL,
	CLI_OPTION_CLIENTS,
	CLI_OPTION_DEPTH,
	CLI_OPTION_CONTAINERS,
	CLI_OPTION_STATES,
	CLI_OPTION_THREADS,
	CLI_OPTION_EVENTS,
	CLI_OPTION_FUNCTIONS,
	CLI_OPTION_PROGRESS,
	CLI_OPTION_BREAK,
	CLI_OPTION_HELP,
	CLI_OPTION_VERSION,
	CLI_OPTION_BASH_COMPLETION,
};

struct cli_option {
	enum cli_option_id id;
	const char *name;
	char letter;
	const char *argument; /* what stands for it in help; NULL: takes none */
	unsigned int verbs;   /* bits of the verbs that take it */
	/*
	 * The arguments there are, separated by spaces; "@file"; "@ " and what arguments may begin
	 * with.
	 */
	const char *choices;
	const char *help; /* NULL: not shown */
};

/* Both end with a row without name. */
extern const struct cli_verb cli_verbs[];
extern const struct cli_option cli_option_table[];

const struct cli_verb *cli_verb_find(const char *name);

/*
 * Reads the command line. Returns -1 to go on with options->verb, or an exit code when all is
 * done (help, version) or wrong.
 */
int cli_parse(int argc, char **argv, struct cli_options *options);
void cli_options_finish(struct cli_options *options);

void cli_print_help(const struct cli_verb *verb); /* NULL: of all */
void cli_print_completion(void);

#endif

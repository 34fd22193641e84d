// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What the program that tests build has besides: --break RULE. Its other files are those of cli/. */
#include "cli/break.h"

#include <stdio.h>
#include <string.h>

#include "own/break.h"
#include "own/explore.h"

static int print_rules(void)
{
	for (const struct ward_rule *rule = ward_rules(); rule->name; rule++)
		printf("%s: %s\n", rule->name, rule->meaning);
	return CLI_DONE;
}

int cli_break(const struct cli_options *options, struct ward_ownership *ownership)
{
	if (!options->break_rule)
		return -1;
	if (strcmp(options->break_rule, "help") == 0)
		return print_rules();
	if (ward_ownership_break(ownership, options->break_rule))
		return cli_fail(options, CLI_USAGE, "there is no rule \"%s\"; see: --break help",
				options->break_rule);
	return -1;
}

int cli_break_exploration(const struct cli_options *options, struct ward_exploration *exploration)
{
	return cli_break(options, exploration->first);
}

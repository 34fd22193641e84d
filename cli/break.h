/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * --break RULE: an ownership that does without one of its rules, for tests of what finds that. Only
 * the program that tests build (tests/own/breakable.c) has it.
 */
#ifndef CLI_BREAK_H
#define CLI_BREAK_H

#include "cli/cli.h"

#include <doorward/explore.h>

#ifdef DOORWARD_BREAKABLE

/* Does what --break says, if it is there. Returns -1 to go on, or an exit code after a message. */
int cli_break(const struct cli_options *options, struct ward_ownership *ownership);
int cli_break_exploration(const struct cli_options *options, struct ward_exploration *exploration);

#else

static inline int cli_break(const struct cli_options *options, struct ward_ownership *ownership)
{
	(void)options;
	(void)ownership;
	return -1;
}

static inline int cli_break_exploration(const struct cli_options *options,
					struct ward_exploration *exploration)
{
	(void)options;
	(void)exploration;
	return -1;
}

#endif
#endif

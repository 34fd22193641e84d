/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Accepted risks: --accept CODE[@DEV], and files for fleets with one waiver a line:
 *
 *	code [device] # reason
 *
 * device is an address, or vendor:device for every such function; without one the code is
 * accepted everywhere. Empty lines and lines that begin with # are skipped. A device that a
 * machine does not have is no error: the same file serves many machines.
 */
#ifndef CLI_ACCEPT_H
#define CLI_ACCEPT_H

#include "cli/cli.h"

struct cli_waivers {
	struct ward_waiver *waiver;
	uint32_t count;
	char **texts;
	size_t texts_count;
};

/* Reads what the options say. Returns -1 to go on, or an exit code after a message. */
int cli_waivers_read(const struct cli_context *context, struct cli_waivers *ret_waivers);
void cli_waivers_finish(struct cli_waivers *waivers);

#endif

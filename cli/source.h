/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Where a machine comes from: this host, a captured file, a description, a tree of files. */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include "app/archive.h"
#include "cli/cli.h"

/*
 * Reads the machine that the options name. With ret_entries, what the reader used is recorded
 * there, for a capture. Returns -1 to go on, or an exit code after a message.
 * The caller ends with cli_close either way.
 */
int cli_open(struct cli_context *context, const struct cli_options *options,
	     struct app_entries *ret_entries);

/* Works out what the machine isolates, after doing what --suppose says. Returns as cli_open. */
int cli_isolate(struct cli_context *context);

/*
 * Says once, on standard error, what could not be read and what that leaves unknown.
 * Nothing to say, nothing said.
 */
void cli_say_unread(const struct cli_context *context);

/* "machine": what was looked at, for the JSON of every verb. */
struct json_object *cli_machine_json(const struct cli_context *context);

void cli_close(struct cli_context *context);

#endif

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#ifndef CLI_COLUMNS_H
#define CLI_COLUMNS_H

#include "app/table.h"
#include "cli/cli.h"

struct cli_context;

/* Shows a machine in the columns chosen (their numbers). Returns an exit code. */
typedef int cli_show(struct cli_context *context, const size_t *chosen, size_t count);

/*
 * Opens the machine and shows it in the columns that -o names, at most max. Returns the exit code,
 * also where there is nothing to show: "-o help" was answered, or a name is wrong.
 */
int cli_show_columns(const struct cli_options *options, const struct app_column *columns,
		     size_t max, cli_show *show);

#endif

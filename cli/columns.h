/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#ifndef CLI_COLUMNS_H
#define CLI_COLUMNS_H

#include "app/table.h"
#include "cli/cli.h"

/*
 * Chooses the columns that -o names, at most max. Returns how many, with their numbers in
 * ret_chosen (free() it), or -1 - exit code: "-o help" was answered, or a name is wrong.
 */
int cli_choose_columns(const struct cli_options *options, const struct app_column *columns,
		       size_t max, size_t **ret_chosen);

#endif

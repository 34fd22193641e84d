// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "cli/columns.h"

#include "app/nearest.h"
#include "cli/source.h"

#include <stdlib.h>
#include <string.h>

static int wrong_column(const struct cli_options *options, const struct app_column *columns,
			const char *name)
{
	struct app_nearest nearest;
	char upper[64];
	size_t i;

	for (i = 0; i < sizeof(upper) - 1 && name[i]; i++)
		upper[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 'a' + 'A') : name[i];
	upper[i] = '\0';
	app_nearest_init(&nearest, upper);
	for (i = 0; columns[i].name; i++)
		app_nearest_offer(&nearest, columns[i].name);
	if (nearest.count)
		return cli_fail(options, CLI_USAGE, "there is no column \"%s\"; did you mean %s?",
				name, nearest.found[0]);
	return cli_fail(options, CLI_USAGE, "there is no column \"%s\"; -o help lists them", name);
}

/* Returns how many, with their numbers in ret_chosen, or -1 - exit code: help was answered, or wrong. */
static int choose_columns(const struct cli_options *options, const struct app_column *columns,
			  size_t max, size_t **ret_chosen)
{
	char *wrong;
	int count;

	if (options->columns && strcmp(options->columns, "help") == 0) {
		for (size_t i = 0; columns[i].name; i++)
			printf("%-10s %s%s\n", columns[i].name, columns[i].help,
			       columns[i].hidden ? " (not shown unless asked for)" : "");
		return -1 - CLI_DONE;
	}
	count = app_table_choose(columns, options->columns, ret_chosen, &wrong);
	if (count < 0) {
		int code = wrong_column(options, columns, wrong);

		free(wrong);
		return -1 - code;
	}
	if ((size_t)count > max) {
		free(*ret_chosen);
		return -1 - cli_fail(options, CLI_USAGE, "these are too many columns");
	}
	return count;
}

int cli_show_columns(const struct cli_options *options, const struct app_column *columns,
		     size_t max, cli_show *show)
{
	struct cli_context context;
	size_t *chosen;
	int count = choose_columns(options, columns, max, &chosen), code;

	if (count < 0)
		return -count - 1;
	code = cli_open(&context, options, NULL);
	if (code < 0)
		code = show(&context, chosen, (size_t)count);
	cli_close(&context);
	free(chosen);
	return code;
}

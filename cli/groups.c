// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "cli/show.h"

#include "app/memory.h"
#include "cli/advice.h"
#include "cli/cause.h"
#include "cli/columns.h"
#include "cli/difference.h"
#include "cli/source.h"

#include <stdlib.h>
#include <string.h>

enum column {
	GROUP,
	PREDICTED,
	SAME,
	FUNCTION,
	NAME,
	DRIVER,
	WHY,
	TYPE,
	ID,
	PATH,
	COLUMNS,
};

static const struct app_column columns[] = {
	[GROUP] = { .name = "GROUP", .right = true, .help = "the kernel's group" },
	[PREDICTED] = { .name = "PREDICTED", .right = true, .help = "ours, numbered on its own" },
	[SAME] = { .name = "SAME", .help = "both hold the same functions" },
	[FUNCTION] = { .name = "FUNCTION", .help = "address, or platform name" },
	[NAME] = { .name = "NAME", .truncate = true, .help = "vendor and device" },
	[DRIVER] = { .name = "DRIVER", .help = "driver that has it now" },
	[WHY] = { .name = "WHY", .truncate = true, .help = "why ours puts it there" },
	[TYPE] = { .name = "TYPE", .hidden = true, .help = "domain type of the kernel's group" },
	[ID] = { .name = "ID", .hidden = true, .help = "segment and requester id of the group" },
	[PATH] = { .name = "PATH", .hidden = true, .help = "way from the root, which stays" },
	[COLUMNS] = { 0 },
};

static const char *type_name(const struct cli_context *context, uint32_t function)
{
	uint32_t group = context->machine->functions[function].group;

	if (group == WARD_NONE)
		return NULL;
	switch (context->machine->groups[group].type) {
	case WARD_GROUP_DMA:
		return "DMA";
	case WARD_GROUP_DMA_FQ:
		return "DMA-FQ";
	case WARD_GROUP_IDENTITY:
		return "identity";
	case WARD_GROUP_BLOCKED:
		return "blocked";
	case WARD_GROUP_TYPE_UNKNOWN:
		break;
	}
	return NULL;
}

/* Segment and shared requester id: what a group is called after. Or NULL. */
static char *group_id(const struct cli_context *context, uint32_t function)
{
	struct ward_address address;
	char id[WARD_ADDRESS_TEXT];

	if (ward_group_id(context->isolation, function, &address))
		return NULL;
	ward_address_format(address, id);
	return app_strdup(id);
}

/* By what a function is known again when buses were renumbered. */
static char *path_of(const struct cli_context *context, uint32_t function)
{
	char path[WARD_PATH_TEXT];

	return ward_machine_path(context->machine, function, path, sizeof(path)) ? NULL
										 : app_strdup(path);
}

static char *or_dash(char *text)
{
	return text ? text : app_strdup("-");
}

static char *kernel_group(const struct cli_context *context, uint32_t function)
{
	uint32_t group = context->machine->functions[function].group;

	return group == WARD_NONE ? app_strdup("-")
				  : app_printf("%u", context->machine->groups[group].number);
}

static char *cell(const struct cli_context *context, const struct cli_difference *difference,
		  const struct ward_membership *member, enum column column)
{
	uint32_t function = difference->function;

	switch (column) {
	case GROUP:
		return kernel_group(context, function);
	case PREDICTED:
		return member->group == WARD_NONE ? app_strdup("-")
						  : app_printf("%u", member->group);
	case SAME:
		return app_strdup(difference->explanation ? "no" : "yes");
	case FUNCTION:
		return app_strdup(cli_name(context, function));
	case NAME:
		return cli_product(context, function);
	case DRIVER:
		return app_strdup(cli_driver(context, function) ? cli_driver(context, function)
								: "-");
	case WHY:
		return member->cause == WARD_CAUSE_OWN ? app_strdup("-")
						       : cli_cause(context, member);
	case TYPE:
		return app_strdup(type_name(context, function) ? type_name(context, function)
							       : "-");
	case ID:
		return or_dash(group_id(context, function));
	case PATH:
		return or_dash(path_of(context, function));
	case COLUMNS:
		break;
	}
	return app_strdup("");
}

static void print_table(const struct cli_context *context, const struct cli_difference *rows,
			const struct ward_membership *members, const size_t *chosen, size_t count)
{
	const struct cli_options *options = context->options;
	unsigned int flags = (options->raw ? APP_TABLE_RAW : 0) |
			     (options->no_headings ? APP_TABLE_NO_HEADINGS : 0);
	struct app_table *table = app_table_create(columns, chosen, count, flags);

	for (uint32_t i = 0; i < context->machine->functions_count; i++) {
		char *cells[COLUMNS * 2] = { NULL };

		for (size_t j = 0; j < count; j++)
			cells[j] = cell(context, &rows[i], &members[i], (enum column)chosen[j]);
		app_table_line(table, NULL, (const char *const *)cells);
		for (size_t j = 0; j < count; j++)
			free(cells[j]);
	}
	app_table_print(table);
	app_table_destroy(table);
}

static void say_no_groups(const struct cli_context *context)
{
	size_t count;
	char **advice;

	if (context->described) {
		app_say(&context->out, "\nThe description tells of no groups of the kernel's.\n");
		return;
	}
	advice = cli_advice_no_iommu(context, &count);
	app_say(&context->out, "\nThe kernel has no IOMMU groups here.\n");
	for (size_t i = 0; i < count; i++) {
		app_paragraph(&context->out, 0, 0, "%s", advice[i]);
		free(advice[i]);
	}
	free(advice);
}

/* The functions from first on that share its explanation, in one paragraph; marks them said. */
static void say_difference(const struct cli_context *context, const struct cli_difference *rows,
			   uint32_t first, bool *said)
{
	uint32_t count = context->machine->functions_count, members = 0;
	uint32_t *list = app_alloc(count, sizeof(*list));
	char *names;

	for (uint32_t i = first; i < count; i++) {
		if (said[i] || !rows[i].explanation ||
		    strcmp(rows[i].explanation, rows[first].explanation) != 0)
			continue;
		said[i] = true;
		list[members++] = i;
	}
	names = cli_members(context, list, members);
	app_say(&context->out, "  ");
	app_paragraph(&context->out, 2, 4, "%s: %s", names, rows[first].explanation);
	free(names);
	free(list);
}

static void say_differences(const struct cli_context *context, const struct cli_difference *rows)
{
	uint32_t differing = 0;
	bool *said;

	for (uint32_t i = 0; i < context->machine->functions_count; i++)
		differing += rows[i].explanation != NULL;
	if (!context->machine->groups_known ||
	    (context->machine->groups_count == 0 && differing == 0)) {
		say_no_groups(context);
		return;
	}
	if (differing == 0) {
		app_say(&context->out, "\nThe kernel's groups and ours hold the same functions.\n");
		return;
	}
	app_say_in(&context->out, APP_YELLOW, "\n%u function%s differ%s:\n", differing,
		   differing == 1 ? "" : "s", differing == 1 ? "s" : "");
	said = app_alloc(context->machine->functions_count, sizeof(*said));
	for (uint32_t i = 0; i < context->machine->functions_count; i++)
		if (rows[i].explanation && !said[i])
			say_difference(context, rows, i, said);
	free(said);
}

static struct json_object *group_json(uint32_t number)
{
	return number == WARD_NONE ? NULL : app_need(json_object_new_int64(number));
}

/* Takes text. */
static void put_text(struct json_object *row, const char *key, char *text)
{
	app_json_put_text(row, key, text);
	free(text);
}

static void print_json(const struct cli_context *context, const struct cli_difference *rows,
		       const struct ward_membership *members)
{
	struct json_object *document = app_json_document("groups"), *list = app_json_array();

	app_json_put_text(document, "rules", WARD_RULES_VERSION);
	app_json_put_text(document, "rule",
			  context->options->rule == WARD_GROUP_RULE_LINUX_BUS ? "bus" : "linux");
	app_json_put(document, "machine", cli_machine_json(context));
	for (uint32_t i = 0; i < context->machine->functions_count; i++) {
		struct json_object *row = cli_function_json(context, i);

		app_json_put_text(row, "group_type", type_name(context, i));
		put_text(row, "group_id", group_id(context, i));
		put_text(row, "path", path_of(context, i));
		app_json_put(row, "predicted", group_json(members[i].group));
		app_json_put_text(row, "cause", cli_cause_name(members[i].cause));
		app_json_put(row, "via", cli_name_json(context, members[i].via));
		app_json_put_bool(row, "same", !rows[i].explanation);
		app_json_put_text(row, "difference", rows[i].code);
		app_json_put_text(row, "explanation", rows[i].explanation);
		app_json_add(list, row);
	}
	app_json_put(document, "functions", list);
	app_json_print(stdout, document);
}

static int show_groups(struct cli_context *context, const size_t *chosen, size_t count)
{
	int code = cli_isolate(context);
	struct ward_membership *members;
	struct cli_difference *rows;
	int error;

	if (code >= 0)
		return code;
	error = ward_groups_predict(context->machine, context->options->rule, &members, NULL);
	if (error < 0)
		return cli_fail(context->options, CLI_FAILURE, "%s", strerror(-error));
	rows = cli_differences(context, members);
	if (context->options->json) {
		print_json(context, rows, members);
	} else {
		print_table(context, rows, members, chosen, count);
		if (!context->options->raw)
			say_differences(context, rows);
	}
	cli_differences_finish(context, rows);
	free(members);
	cli_say_unread(context);
	return CLI_DONE;
}

int cli_groups(const struct cli_options *options)
{
	return cli_show_columns(options, columns, COLUMNS * 2, show_groups);
}

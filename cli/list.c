// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "cli/show.h"

#include "app/memory.h"
#include "cli/columns.h"
#include "cli/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum column {
	FUNCTION,
	NAME,
	DRIVER,
	GROUP,
	PARTITION,
	MSI,
	GRADE,
	VERDICT,
	WHY,
	NODES,
	CLASS,
	ID,
	OWNER,
	IOMMU,
	COLUMNS,
};

static const struct app_column columns[] = {
	[FUNCTION] = { .name = "FUNCTION", .tree = true, .help = "address, or platform name" },
	[NAME] = { .name = "NAME", .truncate = true, .help = "vendor and device" },
	[DRIVER] = { .name = "DRIVER", .help = "driver that has it now" },
	[GROUP] = { .name = "GROUP",
		    .right = true,
		    .help = "the kernel's IOMMU group; ~N predicted" },
	[PARTITION] = { .name = "PARTITION", .help = "first function of its partition" },
	[MSI] = { .name = "MSI", .truncate = true, .help = "MSI controller it writes to" },
	[GRADE] = { .name = "GRADE", .help = "how its interrupts are separated from others'" },
	[VERDICT] = { .name = "VERDICT", .help = "may it alone be given to a new client" },
	[WHY] = { .name = "WHY", .hidden = true, .help = "code of the heaviest finding" },
	[NODES] = { .name = "NODES", .hidden = true, .help = "eth0, nvme0n1, ..." },
	[CLASS] = { .name = "CLASS", .hidden = true, .help = "class of device" },
	[ID] = { .name = "ID", .hidden = true, .help = "vendor:device" },
	[OWNER] = { .name = "OWNER", .hidden = true, .help = "who has it" },
	[IOMMU] = { .name = "IOMMU", .hidden = true, .help = "what translates its DMA" },
	[COLUMNS] = { 0 },
};

static char *text_or(const char *text, const char *other)
{
	return app_strdup(text ? text : other);
}

static char *iommu_text(const struct cli_context *context, uint32_t index)
{
	const struct ward_function *function = &context->machine->functions[index];

	if (function->stream.iommu != WARD_NONE)
		return app_strdup(context->machine->iommus[function->stream.iommu].name);
	return app_strdup(function->iommu_known == WARD_UNKNOWN ? "unknown" : "none");
}

static char *name_text(const struct cli_context *context, uint32_t index)
{
	char *nodes = cli_nodes(context, index), *product = cli_product(context, index), *text;

	/* What people call it comes first: it is what survives on a narrow terminal. */
	text = app_printf("%s%s%s", nodes, *nodes ? ": " : "", product);
	free(nodes);
	free(product);
	return text;
}

static bool is_candidate(const struct ward_summary *summary)
{
	return !summary->code || strcmp(summary->code, "not-assignable") != 0;
}

static char *cell(const struct cli_context *context, uint32_t index, enum column column,
		  const struct ward_summary *summary)
{
	const struct ward_function *function = &context->machine->functions[index];

	switch (column) {
	case FUNCTION:
		return app_strdup(function->name);
	case NAME:
		return name_text(context, index);
	case DRIVER:
		return text_or(cli_driver(context, index), "-");
	case GROUP:
		return cli_group(context, index);
	case PARTITION:
		return app_strdup(cli_name(context, ward_partition_of(context->isolation, index)));
	case MSI:
		return app_strdup(cli_controller(context, index));
	case GRADE:
		return app_strdup(ward_grade_name(summary->grade));
	case VERDICT:
		/* Bridges and the like are no candidates: "unsafe" would cry wolf. */
		return app_strdup(is_candidate(summary) ? ward_answer_name(summary->answer) : "-");
	case WHY:
		return text_or(summary->code, "-");
	case NODES:
		return cli_nodes(context, index);
	case CLASS:
		return function->kind == WARD_FUNCTION_PLATFORM
			       ? app_strdup("platform")
			       : text_or(app_names_class(context->names, function->class_code),
					 "-");
	case ID:
		return function->kind == WARD_FUNCTION_PLATFORM
			       ? app_strdup("-")
			       : app_printf("%04x:%04x", function->vendor, function->device);
	case OWNER:
		return cli_owner(context, index);
	case IOMMU:
		return iommu_text(context, index);
	case COLUMNS:
		break;
	}
	return app_strdup("");
}

struct listing {
	const struct cli_context *context;
	const struct ward_summary *summaries;
	struct app_table *table;
	const size_t *chosen;
	size_t count;
	void **lines; /* by function; NULL: not there yet */
};

static void add_line(struct listing *listing, uint32_t index)
{
	char *cells[COLUMNS * 2] = { NULL };
	uint32_t parent = listing->context->machine->functions[index].parent;
	void *above = parent != WARD_NONE && listing->context->options->tree
			      ? listing->lines[parent]
			      : NULL;

	for (size_t i = 0; i < listing->count; i++)
		cells[i] = cell(listing->context, index, (enum column)listing->chosen[i],
				&listing->summaries[index]);
	listing->lines[index] = app_table_line(listing->table, above, (const char *const *)cells);
	for (size_t i = 0; i < listing->count; i++)
		free(cells[i]);
}

static int print_table(const struct cli_context *context, const struct ward_summary *summaries,
		       const size_t *chosen, size_t count)
{
	const struct cli_options *options = context->options;
	unsigned int flags = (options->raw ? APP_TABLE_RAW : 0) |
			     (options->no_headings ? APP_TABLE_NO_HEADINGS : 0) |
			     (options->tree ? APP_TABLE_TREE : 0);
	struct listing listing = {
		.context = context,
		.summaries = summaries,
		.table = app_table_create(columns, chosen, count, flags),
		.chosen = chosen,
		.count = count,
		.lines = app_alloc(context->machine->functions_count, sizeof(void *)),
	};
	int error;

	/* A bridge has a lower address, or stands on a bus that is sorted before, mostly. */
	for (uint32_t i = 0; i < context->machine->functions_count; i++)
		add_line(&listing, i);
	error = app_table_print(listing.table);
	app_table_destroy(listing.table);
	free(listing.lines);
	return error;
}

static struct json_object *row_json(const struct cli_context *context, uint32_t index,
				    const struct ward_summary *summary)
{
	struct json_object *row = cli_function_json(context, index);
	const struct ward_function *function = &context->machine->functions[index];
	char *iommu = iommu_text(context, index);

	app_json_put(row, "parent", cli_name_json(context, function->parent));
	app_json_put(row, "partition",
		     cli_name_json(context, ward_partition_of(context->isolation, index)));
	app_json_put_text(row, "msi", cli_controller(context, index));
	app_json_put_text(row, "iommu", iommu);
	app_json_put_text(row, "grade", ward_grade_name(summary->grade));
	app_json_put_text(row, "verdict", ward_answer_name(summary->answer));
	app_json_put_text(row, "why", summary->code);
	free(iommu);
	return row;
}

static void print_json(const struct cli_context *context, const struct ward_summary *summaries)
{
	struct json_object *document = app_json_document("list"), *rows = app_json_array();

	app_json_put_text(document, "rules", WARD_RULES_VERSION);
	app_json_put_text(document, "policy",
			  context->options->policy == WARD_POLICY_LINUX ? "linux" : "strict");
	app_json_put(document, "machine", cli_machine_json(context));
	for (uint32_t i = 0; i < context->machine->functions_count; i++)
		app_json_add(rows, row_json(context, i, &summaries[i]));
	app_json_put(document, "functions", rows);
	app_json_print(stdout, document);
}

static int list_machine(struct cli_context *context, const size_t *chosen, size_t count)
{
	struct ward_summary *summaries;
	int code = cli_isolate(context), error;

	if (code >= 0)
		return code;
	error = ward_check_all(context->isolation, context->state, context->options->policy,
			       &summaries);
	if (error < 0)
		return cli_fail(context->options, CLI_FAILURE, "%s", strerror(-error));
	if (context->options->json)
		print_json(context, summaries);
	else
		error = print_table(context, summaries, chosen, count);
	free(summaries);
	cli_say_unread(context);
	return error < 0 ? CLI_FAILURE : CLI_DONE;
}

int cli_list(const struct cli_options *options)
{
	return cli_show_columns(options, columns, COLUMNS * 2, list_machine);
}

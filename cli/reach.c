// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "cli/show.h"

#include "cli/device.h"
#include "cli/source.h"
#include "cli/space.h"

#include <stdlib.h>
#include <string.h>

static const char *verb_of(enum ward_node_kind kind)
{
	switch (kind) {
	case WARD_NODE_FUNCTION:
		return "controls";
	case WARD_NODE_VECTOR_USER:
	case WARD_NODE_IOMMU_VECTORS:
	case WARD_NODE_HOST_VECTORS:
		return "raises";
	case WARD_NODE_DOORBELL:
		return "rings";
	case WARD_NODE_SLOT:
	case WARD_NODE_BUS_DOWN:
	case WARD_NODE_BUS_UP:
	case WARD_NODE_REQUESTER:
	case WARD_NODE_SPACE:
	case WARD_NODE_MEMORY:
		break;
	}
	return "touches";
}

static void say_reached(const struct cli_context *context, const struct ward_reach *reach,
			const struct ward_reached *reached)
{
	struct ward_step *steps = NULL;
	int count = ward_reach_path(reach, reached->kind, reached->index, &steps);
	char *node = cli_node(context, reached->kind, reached->index);

	app_say_in(&context->out, APP_BOLD, "%s %s", verb_of(reached->kind), node);
	app_say(&context->out, "%s\n",
		reached->unknown   ? "  [cannot tell]"
		: reached->assumed ? "  [assumed: nothing rules it out]"
				   : "");
	if (count > 0)
		cli_say_path(context, steps, (uint32_t)count, 2);
	free(node);
	free(steps);
}

static struct json_object *reached_json(const struct cli_context *context,
					const struct ward_reach *reach,
					const struct ward_reached *reached)
{
	struct json_object *object = app_json_object();
	struct ward_step *steps = NULL;
	int count = ward_reach_path(reach, reached->kind, reached->index, &steps);
	char *node = cli_node(context, reached->kind, reached->index);
	bool function =
		reached->kind == WARD_NODE_FUNCTION || reached->kind == WARD_NODE_VECTOR_USER;

	app_json_put_text(object, "kind", cli_node_kind_name(reached->kind));
	app_json_put_text(object, "node", node);
	app_json_put(object, "function",
		     cli_name_json(context, function ? reached->index : WARD_NONE));
	app_json_put_bool(object, "assumed", reached->assumed);
	app_json_put_bool(object, "unknown", reached->unknown);
	app_json_put(object, "path",
		     cli_path_json(context, steps, count > 0 ? (uint32_t)count : 0));
	free(node);
	free(steps);
	return object;
}

/* An identity space is all memory, which is told for itself. */
static bool is_identity(const struct cli_context *context, const struct ward_reached *reached)
{
	struct ward_space_info info;

	if (reached->kind != WARD_NODE_SPACE)
		return false;
	ward_space_info(context->state->attachments[reached->index].space, &info);
	return info.kind == WARD_SPACE_IDENTITY;
}

static struct json_object *memory_json(const struct cli_context *context,
				       const struct ward_reach *reach)
{
	struct json_object *list = app_json_array();
	struct ward_reach_cursor cursor = { 0 };
	struct ward_reached_memory memory;

	while (ward_reach_memory_next(reach, &cursor, &memory)) {
		struct json_object *object = app_json_object();
		uint32_t of = memory.attachment == WARD_NONE
				      ? WARD_NONE
				      : context->state->attachments[memory.attachment].function;

		app_json_put_hex(object, "start", memory.range.start);
		app_json_put_hex(object, "last", memory.range.last);
		app_json_put_bool(object, "read", memory.access & WARD_READ);
		app_json_put_bool(object, "write", memory.access & WARD_WRITE);
		app_json_put(object, "space_of", cli_name_json(context, of));
		app_json_put_bool(object, "assumed", memory.assumed);
		app_json_put_bool(object, "unknown", memory.unknown);
		app_json_add(list, object);
	}
	return list;
}

static void print_json(const struct cli_context *context, uint32_t function,
		       const struct ward_reach *reach, const struct cli_space *space)
{
	struct json_object *document = app_json_document("reach"), *list = app_json_array();
	struct ward_reached reached;
	uint32_t cursor = 0;

	app_json_put_text(document, "rules", WARD_RULES_VERSION);
	app_json_put(document, "machine", cli_machine_json(context));
	app_json_put(document, "function", cli_function_json(context, function));
	while (ward_reach_next(reach, &cursor, &reached))
		app_json_add(list, reached_json(context, reach, &reached));
	app_json_put(document, "space", cli_space_json(space));
	app_json_put(document, "reaches", list);
	app_json_put(document, "memory", memory_json(context, reach));
	app_json_print(stdout, document);
}

static void print_text(const struct cli_context *context, uint32_t function,
		       const struct ward_reach *reach, const struct cli_space *space)
{
	char *describe = cli_describe(context, function), *label = cli_label(context, function);
	struct ward_reached reached;
	uint32_t cursor = 0, count = 0;

	app_say_in(&context->out, APP_BOLD, "%s", label);
	app_say(&context->out, "  %s\n\n", describe);
	cli_say_space(context, space);
	app_say(&context->out, "\n");
	while (ward_reach_next(reach, &cursor, &reached)) {
		if (is_identity(context, &reached))
			continue;
		say_reached(context, reach, &reached);
		count++;
	}
	if (count == 0)
		app_paragraph(&context->out, 0, 0, "It reaches nothing outside its space.");
	free(describe);
	free(label);
}

static int show(struct cli_context *context, uint32_t function, const struct ward_reach *reach)
{
	struct cli_space space;
	int code = cli_space_of(context, function, &space);

	if (code >= 0)
		return code;
	if (context->options->json)
		print_json(context, function, reach, &space);
	else
		print_text(context, function, reach, &space);
	cli_space_finish(&space);
	cli_say_unread(context);
	return CLI_DONE;
}

static int reach_of(struct cli_context *context)
{
	struct ward_reach *reach;
	uint32_t function;
	int code = cli_isolate(context), error;

	if (code < 0)
		code = cli_device_find(context, context->options->operands.word[0], &function);
	if (code >= 0)
		return code;
	error = ward_reach_compute(context->isolation, &function, 1, &reach);
	if (error < 0)
		return cli_fail(context->options, CLI_FAILURE, "%s", strerror(-error));
	code = show(context, function, reach);
	ward_reach_destroy(reach);
	return code;
}

int cli_reach(const struct cli_options *options)
{
	struct cli_context context;
	int code = cli_open(&context, options, NULL);

	if (code < 0)
		code = reach_of(&context);
	cli_close(&context);
	return code;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "cli/show.h"

#include "app/memory.h"
#include "cli/cause.h"
#include "cli/device.h"
#include "cli/source.h"

#include <stdlib.h>
#include <string.h>

/* One thing that ties two functions. */
struct tie {
	const char *code;
	char *text;
	struct ward_step *steps; /* or NULL */
	uint32_t steps_count;
};

struct ties {
	const struct cli_context *context;
	uint32_t a, b;
	struct tie *tie;
	size_t count;
};

static struct tie *add(struct ties *ties, const char *code, char *text)
{
	app_array_grow((void **)&ties->tie, ties->count, sizeof(*ties->tie));
	ties->tie[ties->count] = (struct tie){ .code = code, .text = text };
	return &ties->tie[ties->count++];
}

static const struct ward_function *function_at(const struct ties *ties, uint32_t index)
{
	return &ties->context->machine->functions[index];
}

static bool has_id(const struct ward_function *function, ward_rid_t rid)
{
	bool found = ward_rid_raw(function->address.rid) == ward_rid_raw(rid);

	for (uint8_t i = 0; i < function->aliases && i < WARD_ALIASES_MAX; i++)
		found |= ward_rid_raw(function->alias[i]) == ward_rid_raw(rid);
	return found;
}

static void tie_requester(struct ties *ties)
{
	const struct ward_function *a = function_at(ties, ties->a), *b = function_at(ties, ties->b);
	ward_rid_t shared = a->address.rid;
	bool found;

	if (a->kind != WARD_FUNCTION_PCI || b->kind != WARD_FUNCTION_PCI ||
	    a->address.segment != b->address.segment)
		return;
	found = has_id(b, shared);
	for (uint8_t i = 0; !found && i < a->aliases && i < WARD_ALIASES_MAX; i++) {
		shared = a->alias[i];
		found = has_id(b, shared);
	}
	if (found)
		add(ties, "same-requester-id",
		    app_printf("The IOMMU may see both under requester id %02x:%02x.%x%s%s, so it "
			       "cannot tell them apart.",
			       ward_rid_bus(shared), ward_rid_devfn(shared) >> 3,
			       ward_rid_devfn(shared) & 7, a->alias_name ? ": " : "",
			       a->alias_name ? a->alias_name : ""));
}

static void tie_virtual(struct ties *ties)
{
	const struct ward_function *a = function_at(ties, ties->a), *b = function_at(ties, ties->b);

	if (a->physfn == ties->b || b->physfn == ties->a)
		add(ties, "physical-function",
		    app_printf("%s is the physical function of %s and controls it.",
			       a->physfn == ties->b ? b->name : a->name,
			       a->physfn == ties->b ? a->name : b->name));
	else if (a->physfn != WARD_NONE && a->physfn == b->physfn)
		add(ties, "physical-function",
		    app_printf("Both are virtual functions of %s, which controls them.",
			       cli_name(ties->context, a->physfn)));
}

static void tie_groups(struct ties *ties)
{
	const struct ward_membership *members = ward_isolation_groups(ties->context->isolation);
	const struct ward_membership *a = &members[ties->a], *b = &members[ties->b];
	uint32_t kernel = function_at(ties, ties->a)->group;
	char *why_a, *why_b;

	if (kernel != WARD_NONE && kernel == function_at(ties, ties->b)->group)
		add(ties, "same-kernel-group",
		    app_printf("The kernel has both in IOMMU group %u: it gives them away together "
			       "or not at all.",
			       ties->context->machine->groups[kernel].number));
	if (a->group == WARD_NONE || a->group != b->group)
		return;
	why_a = cli_cause(ties->context, a);
	why_b = cli_cause(ties->context, b);
	add(ties, "same-predicted-group",
	    app_printf("By the kernel's rule they share a group. %s: %s. %s: %s.",
		       cli_name(ties->context, ties->a), why_a, cli_name(ties->context, ties->b),
		       why_b));
	free(why_a);
	free(why_b);
}

static bool share_doorbell(const struct ward_machine *machine, uint32_t a, uint32_t b)
{
	uint64_t page = machine->page_size ? machine->page_size : 4096;
	const struct ward_controller *of_a, *of_b;

	if (a == WARD_NONE || b == WARD_NONE)
		return false;
	of_a = &machine->controllers[a];
	of_b = &machine->controllers[b];
	if (a == b || (of_a->kind == of_b->kind && of_a->pool == of_b->pool))
		return true;
	for (uint32_t i = 0; i < of_a->doorbells_count; i++) {
		struct ward_range pages = { of_a->doorbells[i].start & ~(page - 1),
					    of_a->doorbells[i].last | (page - 1) };

		if (ward_controller_rung_in(of_b, pages))
			return true;
	}
	return false;
}

static void tie_doorbell(struct ties *ties)
{
	const struct ward_machine *machine = ties->context->machine;
	uint32_t a = function_at(ties, ties->a)->controller;
	uint32_t b = function_at(ties, ties->b)->controller;

	if (!share_doorbell(machine, a, b) || machine->controllers[a].isolates == WARD_YES)
		return;
	add(ties, "shared-doorbell",
	    app_printf(
		    "Their messages go to one doorbell (%s%s%s), which %s tell its writers apart: "
		    "each %s raise the interrupts of the other.",
		    machine->controllers[a].name, a == b ? "" : ", ",
		    a == b ? "" : machine->controllers[b].name,
		    machine->controllers[a].isolates == WARD_NO ? "does not" : "may not",
		    machine->controllers[a].isolates == WARD_NO ? "can" : "may"));
}

static void tie_line(struct ties *ties)
{
	uint32_t a = ties->context->state->functions[ties->a].intx_irq;
	uint32_t b = ties->context->state->functions[ties->b].intx_irq;

	if (a && a == b && function_at(ties, ties->a)->intx_pin &&
	    function_at(ties, ties->b)->intx_pin)
		add(ties, "shared-interrupt-line",
		    app_printf("Their interrupt pins share line %u: one can hold up the other while "
			       "both use pins.",
			       a));
}

static int tie_reach(struct ties *ties, uint32_t from, uint32_t to)
{
	const struct {
		enum ward_node_kind kind;
		uint32_t index;
		const char *code, *what;
	} ways[] = {
		{ WARD_NODE_FUNCTION, to, "reaches",
		  "can write the registers of, and so control," },
		{ WARD_NODE_MEMORY, 0, "reaches-memory",
		  "can write all memory, also what the driver uses of" },
		{ WARD_NODE_VECTOR_USER, to, "raises", "can raise interrupts of" },
	};
	struct ward_reach *reach;
	int error = ward_reach_compute(ties->context->isolation, &from, 1, &reach);

	if (error < 0)
		return error;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		struct ward_step *steps = NULL;
		int count = ward_reach_path(reach, ways[i].kind, ways[i].index, &steps);
		struct tie *tie;

		if (count <= 0)
			continue;
		tie = add(ties, ways[i].code,
			  app_printf("%s %s %s:", cli_name(ties->context, from), ways[i].what,
				     cli_name(ties->context, to)));
		tie->steps = steps;
		tie->steps_count = (uint32_t)count;
		/* Control of the function is control of its interrupts. */
		break;
	}
	ward_reach_destroy(reach);
	return 0;
}

static bool same_partition(const struct ties *ties)
{
	return ward_partition_of(ties->context->isolation, ties->a) ==
	       ward_partition_of(ties->context->isolation, ties->b);
}

static int find_ties(struct ties *ties)
{
	int error;

	tie_requester(ties);
	tie_virtual(ties);
	tie_groups(ties);
	tie_doorbell(ties);
	tie_line(ties);
	error = tie_reach(ties, ties->a, ties->b);
	if (error == 0)
		error = tie_reach(ties, ties->b, ties->a);
	return error;
}

static void print_text(const struct ties *ties)
{
	const struct cli_context *context = ties->context;
	const char *a = cli_name(context, ties->a), *b = cli_name(context, ties->b);

	if (same_partition(ties))
		app_paragraph(&context->out, 0, 0, "%s and %s belong to one partition%s", a, b,
			      ties->count ? ":"
					  : ", though nothing ties them directly: others of it "
					    "do. See: doorward list -o FUNCTION,PARTITION");
	else if (ties->count == 0)
		app_paragraph(&context->out, 0, 0, "Nothing ties %s and %s.", a, b);
	else
		app_paragraph(&context->out, 0, 0,
			      "%s and %s belong to different partitions, but are "
			      "not without ties:",
			      a, b);
	for (size_t i = 0; i < ties->count; i++) {
		const struct tie *tie = &ties->tie[i];

		app_say(&context->out, "\n");
		app_say_in(&context->out, APP_BOLD, "%s\n", tie->code);
		app_say(&context->out, "  ");
		app_paragraph(&context->out, 2, 2, "%s", tie->text);
		cli_say_path(context, tie->steps, tie->steps_count, 4);
	}
}

static void print_json(const struct ties *ties)
{
	struct json_object *document = app_json_document("why"), *list = app_json_array();
	const struct cli_context *context = ties->context;
	struct json_object *functions = app_json_array();

	app_json_put_text(document, "rules", WARD_RULES_VERSION);
	app_json_put(document, "machine", cli_machine_json(context));
	app_json_add(functions, cli_function_json(context, ties->a));
	app_json_add(functions, cli_function_json(context, ties->b));
	app_json_put(document, "functions", functions);
	app_json_put_bool(document, "same_partition", same_partition(ties));
	for (size_t i = 0; i < ties->count; i++) {
		const struct tie *tie = &ties->tie[i];
		struct json_object *object = app_json_object();

		app_json_put_text(object, "code", tie->code);
		app_json_put_text(object, "text", tie->text);
		app_json_put(object, "path", cli_path_json(context, tie->steps, tie->steps_count));
		app_json_add(list, object);
	}
	app_json_put(document, "ties", list);
	app_json_print(stdout, document);
}

static int why(struct cli_context *context)
{
	const struct cli_options *options = context->options;
	struct ties ties = { .context = context };
	int code = cli_isolate(context), error;

	if (code < 0)
		code = cli_device_find(context, options->operands.word[0], &ties.a);
	if (code < 0)
		code = cli_device_find(context, options->operands.word[1], &ties.b);
	if (code < 0 && ties.a == ties.b)
		code = cli_fail(options, CLI_USAGE, "%s and %s are the same function",
				options->operands.word[0], options->operands.word[1]);
	if (code >= 0)
		return code;
	error = find_ties(&ties);
	if (error < 0)
		code = cli_fail(options, CLI_FAILURE, "%s", strerror(-error));
	else if (options->json)
		print_json(&ties);
	else
		print_text(&ties);
	for (size_t i = 0; i < ties.count; i++) {
		free(ties.tie[i].text);
		free(ties.tie[i].steps);
	}
	free(ties.tie);
	cli_say_unread(context);
	return code < 0 ? CLI_DONE : code;
}

int cli_why(const struct cli_options *options)
{
	struct cli_context context;
	int code = cli_open(&context, options, NULL);

	if (code < 0)
		code = why(&context);
	cli_close(&context);
	return code;
}

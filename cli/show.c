// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "cli/show.h"

#include "app/memory.h"

#include <stdlib.h>
#include <string.h>

static const struct ward_function *function_at(const struct cli_context *context, uint32_t index)
{
	return &context->machine->functions[index];
}

const char *cli_name(const struct cli_context *context, uint32_t function)
{
	return function_at(context, function)->name;
}

const char *cli_driver(const struct cli_context *context, uint32_t function)
{
	return context->state->functions[function].driver;
}

/* Appends to a text of its own and lets go of the old one. */
static char *join(char *list, const char *separator, const char *more)
{
	char *longer = app_printf("%s%s%s", list, *list ? separator : "", more);

	free(list);
	return longer;
}

char *cli_nodes(const struct cli_context *context, uint32_t function)
{
	const struct ward_function *at = function_at(context, function);
	char *list = app_strdup("");

	for (uint32_t i = 0; i < at->names_count; i++)
		list = join(list, ", ", at->names[i]);
	return list;
}

char *cli_label(const struct cli_context *context, uint32_t function)
{
	const char *driver = cli_driver(context, function);
	char *inside = cli_nodes(context, function), *label;

	if (driver)
		inside = join(inside, ", ", driver);
	label = *inside ? app_printf("%s (%s)", cli_name(context, function), inside)
			: app_strdup(cli_name(context, function));
	free(inside);
	return label;
}

char *cli_product(const struct cli_context *context, uint32_t function)
{
	const struct ward_function *at = function_at(context, function);
	const char *vendor, *device;

	if (at->kind == WARD_FUNCTION_PLATFORM)
		return app_strdup("platform device");
	vendor = app_names_vendor(context->names, at->vendor);
	device = app_names_device(context->names, at->vendor, at->device);
	if (vendor && device)
		return app_printf("%s %s", vendor, device);
	if (vendor)
		return app_printf("%s device %04x", vendor, at->device);
	return app_printf("%04x:%04x", at->vendor, at->device);
}

char *cli_describe(const struct cli_context *context, uint32_t function)
{
	const struct ward_function *at = function_at(context, function);
	const char *class_name = app_names_class(context->names, at->class_code);
	char *product = cli_product(context, function), *text;

	if (at->kind == WARD_FUNCTION_PLATFORM)
		return product;
	text = class_name ? app_printf("%s: %s", class_name, product)
			  : app_printf("class %04x: %s", at->class_code >> 8, product);
	free(product);
	return text;
}

char *cli_group(const struct cli_context *context, uint32_t function)
{
	const struct ward_function *at = function_at(context, function);
	const struct ward_membership *member;

	if (at->group != WARD_NONE)
		return app_printf("%u", context->machine->groups[at->group].number);
	if (context->machine->groups_known || !context->isolation)
		return app_strdup("-");
	member = &ward_isolation_groups(context->isolation)[function];
	if (member->group == WARD_NONE)
		return app_strdup("-");
	return app_printf("~%u", member->group);
}

char *cli_owner(const struct cli_context *context, uint32_t function)
{
	struct ward_owner owner = context->state->functions[function].owner;

	switch (owner.kind) {
	case WARD_OWNER_HOST:
		return app_strdup("host");
	case WARD_OWNER_CLIENT:
		return app_printf("client %s", context->state->clients[owner.client]);
	case WARD_OWNER_NOBODY:
		break;
	}
	return app_strdup("nobody");
}

char *cli_members(const struct cli_context *context, const uint32_t *functions, uint32_t count)
{
	char *list = app_strdup("");

	for (uint32_t i = 0; i < count; i++)
		list = join(list, ", ", cli_name(context, functions[i]));
	return list;
}

const char *cli_controller(const struct cli_context *context, uint32_t function)
{
	const struct ward_function *at = function_at(context, function);

	if (at->controller != WARD_NONE)
		return context->machine->controllers[at->controller].name;
	return at->controller_known == WARD_UNKNOWN ? "unknown" : "none";
}

static char *bus_text(const struct cli_context *context, uint32_t index)
{
	const struct ward_bus *bus = &context->machine->buses[index];

	return app_printf("bus %04x:%02x", bus->segment, bus->number);
}

/* Named by the function or the kernel group that it is the space of. */
static char *space_text(const struct cli_context *context, uint32_t index)
{
	const struct ward_attachment *all = context->state->attachments;
	bool shared = false, beyond;
	uint32_t group;

	/* What was judged may have been there for a moment only. */
	if (index >= context->state->attachments_count)
		return app_strdup("a space of its client");
	group = function_at(context, all[index].function)->group;
	beyond = group == WARD_NONE;

	for (uint32_t i = 0; i < context->state->attachments_count; i++) {
		if (i == index || all[i].space != all[index].space)
			continue;
		shared = true;
		beyond |= function_at(context, all[i].function)->group != group;
	}
	if (shared && !beyond)
		return app_printf("space of kernel group %u",
				  context->machine->groups[group].number);
	return app_printf("space of %s%s", cli_name(context, all[index].function),
			  shared ? " and others" : "");
}

char *cli_node(const struct cli_context *context, enum ward_node_kind kind, uint32_t index)
{
	char *inner, *text;

	switch (kind) {
	case WARD_NODE_FUNCTION:
		return cli_label(context, index);
	case WARD_NODE_SLOT:
		return app_printf("any function of the device of %s", cli_name(context, index));
	case WARD_NODE_BUS_DOWN:
		inner = bus_text(context, index);
		text = app_printf("anything on %s or below", inner);
		break;
	case WARD_NODE_BUS_UP:
		inner = bus_text(context, index);
		text = app_printf("%s towards the root", inner);
		break;
	case WARD_NODE_REQUESTER:
		return app_printf("whoever has the requester id of %s", cli_name(context, index));
	case WARD_NODE_DOORBELL:
		index = ward_doorbell_controller(context->isolation, index);
		return app_printf("doorbell of %s", context->machine->controllers[index].name);
	case WARD_NODE_VECTOR_USER:
		inner = cli_label(context, index);
		text = app_printf("interrupts of %s", inner);
		break;
	case WARD_NODE_IOMMU_VECTORS:
		return app_printf("interrupts of IOMMU %s", context->machine->iommus[index].name);
	case WARD_NODE_HOST_VECTORS:
		return app_strdup("every interrupt of the host");
	case WARD_NODE_SPACE:
		return space_text(context, index);
	case WARD_NODE_MEMORY:
	default:
		return app_strdup("all memory");
	}
	free(inner);
	return text;
}

const char *cli_node_kind_name(enum ward_node_kind kind)
{
	switch (kind) {
	case WARD_NODE_FUNCTION:
		return "function";
	case WARD_NODE_SLOT:
		return "slot";
	case WARD_NODE_BUS_DOWN:
		return "bus-down";
	case WARD_NODE_BUS_UP:
		return "bus-up";
	case WARD_NODE_REQUESTER:
		return "requester";
	case WARD_NODE_DOORBELL:
		return "doorbell";
	case WARD_NODE_VECTOR_USER:
		return "interrupts";
	case WARD_NODE_IOMMU_VECTORS:
		return "iommu-interrupts";
	case WARD_NODE_HOST_VECTORS:
		return "host-interrupts";
	case WARD_NODE_SPACE:
		return "space";
	case WARD_NODE_MEMORY:
		break;
	}
	return "memory";
}

enum app_colour cli_answer_colour(enum ward_answer answer)
{
	switch (answer) {
	case WARD_SAFE:
		return APP_GREEN;
	case WARD_UNSAFE:
		return APP_RED;
	case WARD_CANNOT_TELL:
		break;
	}
	return APP_YELLOW;
}

void cli_say_path(const struct cli_context *context, const struct ward_step *steps, uint32_t count,
		  size_t indent)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct ward_step *step = &steps[i];
		char *node = cli_node(context, step->kind, step->index);
		const char *doubt = step->unknown   ? " [unknown]"
				    : step->assumed ? " [assumed]"
						    : "";

		app_say(&context->out, "%*s%s", (int)indent, "", i ? "-> " : "   ");
		if (i && step->through)
			app_paragraph(&context->out, indent + 3, indent + 6, "%s: %s%s", node,
				      step->through, doubt);
		else
			app_paragraph(&context->out, indent + 3, indent + 6, "%s%s", node, doubt);
		free(node);
	}
}

struct json_object *cli_name_json(const struct cli_context *context, uint32_t function)
{
	return function == WARD_NONE ? NULL : app_json_text(cli_name(context, function));
}

static void put_ids(const struct cli_context *context, const struct ward_function *at,
		    struct json_object *object)
{
	char text[16];

	snprintf(text, sizeof(text), "%04x:%04x", at->vendor, at->device);
	app_json_put_text(object, "id", text);
	snprintf(text, sizeof(text), "0x%06x", at->class_code);
	app_json_put_text(object, "class", text);
	app_json_put_text(object, "class_name", app_names_class(context->names, at->class_code));
}

struct json_object *cli_function_json(const struct cli_context *context, uint32_t function)
{
	const struct ward_function *at = function_at(context, function);
	struct json_object *object = app_json_object(), *nodes = app_json_array();
	char *product = cli_product(context, function), *owner = cli_owner(context, function);

	app_json_put_text(object, "function", at->name);
	for (uint32_t i = 0; i < at->names_count; i++)
		app_json_add_text(nodes, at->names[i]);
	app_json_put(object, "nodes", nodes);
	app_json_put_text(object, "name", product);
	if (at->kind == WARD_FUNCTION_PCI)
		put_ids(context, at, object);
	app_json_put_text(object, "driver", cli_driver(context, function));
	app_json_put_text(object, "owner", owner);
	app_json_put(object, "group",
		     at->group == WARD_NONE ? NULL
					    : app_need(json_object_new_int64(
						      context->machine->groups[at->group].number)));
	free(product);
	free(owner);
	return object;
}

struct json_object *cli_path_json(const struct cli_context *context, const struct ward_step *steps,
				  uint32_t count)
{
	struct json_object *path = app_json_array();

	for (uint32_t i = 0; i < count; i++) {
		struct json_object *step = app_json_object();
		char *node = cli_node(context, steps[i].kind, steps[i].index);

		app_json_put_text(step, "kind", cli_node_kind_name(steps[i].kind));
		app_json_put_text(step, "node", node);
		app_json_put_text(step, "through", steps[i].through);
		app_json_put_bool(step, "assumed", steps[i].assumed);
		app_json_put_bool(step, "unknown", steps[i].unknown);
		app_json_add(path, step);
		free(node);
	}
	return path;
}

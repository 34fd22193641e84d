// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "cli/space.h"

#include "app/memory.h"
#include "cli/show.h"

#include <stdlib.h>
#include <string.h>

const char *cli_space_kind_name(enum cli_space_kind kind)
{
	switch (kind) {
	case CLI_SPACE_NONE:
		return "none";
	case CLI_SPACE_UNKNOWN:
		return "unknown";
	case CLI_SPACE_IDENTITY:
		return "identity";
	case CLI_SPACE_BLOCKED:
		return "blocked";
	case CLI_SPACE_DMA:
		return "dma";
	case CLI_SPACE_MAPPED:
		return "mapped";
	case CLI_SPACE_CLIENT:
		break;
	}
	return "client";
}

/* The space that the state says it is in, without a PASID, or NULL. */
static const struct ward_space *attached(const struct ward_state *state, uint32_t function)
{
	for (uint32_t i = 0; i < state->attachments_count; i++) {
		if (state->attachments[i].function == function &&
		    state->attachments[i].pasid == WARD_PASID_NONE)
			return state->attachments[i].space;
	}
	return NULL;
}

static enum cli_space_kind kind_of_space(const struct ward_space *space)
{
	struct ward_space_info info;

	ward_space_info(space, &info);
	switch (info.kind) {
	case WARD_SPACE_BLOCKED:
		return CLI_SPACE_BLOCKED;
	case WARD_SPACE_IDENTITY:
		return CLI_SPACE_IDENTITY;
	case WARD_SPACE_UNMANAGED:
	case WARD_SPACE_DYNAMIC:
	case WARD_SPACE_NESTED:
		break;
	}
	return CLI_SPACE_MAPPED;
}

static enum cli_space_kind kind_of_group(const struct cli_context *context, uint32_t group)
{
	if (group == WARD_NONE)
		return CLI_SPACE_UNKNOWN;
	switch (context->machine->groups[group].type) {
	case WARD_GROUP_DMA:
	case WARD_GROUP_DMA_FQ:
		return CLI_SPACE_DMA;
	case WARD_GROUP_IDENTITY:
		return CLI_SPACE_IDENTITY;
	case WARD_GROUP_BLOCKED:
		return CLI_SPACE_BLOCKED;
	case WARD_GROUP_TYPE_UNKNOWN:
		break;
	}
	return CLI_SPACE_UNKNOWN;
}

/* Functions of one kernel group are in one space. */
static bool shares_space(const struct cli_context *context, uint32_t a, uint32_t b)
{
	const struct ward_machine *machine = context->machine;

	return a == b || (machine->functions[a].group != WARD_NONE &&
			  machine->functions[a].group == machine->functions[b].group);
}

/*
 * Whoever opened one of its group through VFIO brought a space along; the kernel's file tells of its
 * own only.
 */
static bool is_open(const struct cli_context *context, uint32_t function)
{
	for (uint32_t i = 0; i < context->machine->functions_count; i++) {
		const struct ward_function_state *state = &context->state->functions[i];

		if (shares_space(context, function, i) &&
		    (state->owner.kind == WARD_OWNER_CLIENT ||
		     (state->driver && state->driver_yields &&
		      (state->irq_mode == WARD_IRQ_MSI || state->irq_mode == WARD_IRQ_MSIX))))
			return true;
	}
	return false;
}

static enum cli_space_kind kind_now(const struct cli_context *context, uint32_t function)
{
	const struct ward_function *f = &context->machine->functions[function];
	const struct ward_space *space = attached(context->state, function);

	if (f->iommu_known == WARD_UNKNOWN)
		return CLI_SPACE_UNKNOWN;
	if (f->stream.iommu == WARD_NONE)
		return CLI_SPACE_NONE;
	switch (context->machine->iommus[f->stream.iommu].active) {
	case WARD_NO:
		return CLI_SPACE_NONE;
	case WARD_UNKNOWN:
		return CLI_SPACE_UNKNOWN;
	case WARD_YES:
		break;
	}
	if (space)
		return kind_of_space(space);
	if (is_open(context, function))
		return CLI_SPACE_CLIENT;
	return kind_of_group(context, f->group);
}

/* What stands between the reader and the answer. */
static const char *why_unknown(const struct cli_context *context, uint32_t function)
{
	const struct ward_function *f = &context->machine->functions[function];

	if (f->iommu_known == WARD_UNKNOWN)
		return "what translates it could not be read";
	if (f->group == WARD_NONE)
		return "the kernel has it in no group, and so in no space of its own";
	return "the kernel does not say how its group is translated";
}

/* Who maps there for the host, itself first; and whose driver is one of VFIO's, or WARD_NONE. */
static uint32_t who_maps(const struct cli_context *context, uint32_t function, uint32_t *ret_count,
			 uint32_t *ret_yields)
{
	uint32_t who = WARD_NONE;

	*ret_count = 0;
	*ret_yields = WARD_NONE;
	for (uint32_t i = 0; i < context->machine->functions_count; i++) {
		/* Ports map nothing for those below. */
		if (!cli_driver(context, i) || !shares_space(context, function, i) ||
		    (i != function && context->machine->functions[i].header_type != 0))
			continue;
		if (context->state->functions[i].driver_yields) {
			if (strcmp(cli_driver(context, i), "pci-stub") != 0)
				*ret_yields = i;
			continue;
		}
		(*ret_count)++;
		if (who == WARD_NONE || i == function)
			who = i;
	}
	return who;
}

/* A space of the kernel's is one for all functions of a group. */
static char *text_of_kernel(const struct cli_context *context, uint32_t function)
{
	uint32_t count, yields, who = who_maps(context, function, &count, &yields);

	if (count == 1 && who == function)
		return app_printf("what its driver %s has mapped; only the kernel knows which "
				  "memory",
				  cli_driver(context, function));
	if (count == 1)
		return app_printf("what %s of %s, in the same kernel group, has mapped; only the "
				  "kernel knows which memory",
				  cli_driver(context, who), cli_name(context, who));
	if (count)
		return app_printf("what the drivers of its kernel group have mapped, %s of %s and "
				  "%u more; only the kernel knows which memory",
				  cli_driver(context, who), cli_name(context, who), count - 1);
	if (yields != WARD_NONE)
		return app_printf("no memory, unless somebody has %s open through %s: then what "
				  "he has mapped",
				  cli_name(context, yields), cli_driver(context, yields));
	return app_strdup("no memory: nothing in it has a driver that would map any");
}

static char *text_now(const struct cli_context *context, uint32_t function,
		      enum cli_space_kind kind)
{
	switch (kind) {
	case CLI_SPACE_NONE:
		return app_strdup("nothing translates it: it can read and write all memory");
	case CLI_SPACE_UNKNOWN:
		return app_strdup(why_unknown(context, function));
	case CLI_SPACE_IDENTITY:
		return app_strdup("every address means itself: it can read and write all memory");
	case CLI_SPACE_BLOCKED:
		return app_strdup("it can read and write no memory");
	case CLI_SPACE_CLIENT:
		return app_strdup("what the client that has its group open has mapped; only the "
				  "kernel knows which memory");
	case CLI_SPACE_DMA:
		return text_of_kernel(context, function);
	case CLI_SPACE_MAPPED:
		break;
	}
	return app_strdup("what is mapped in it");
}

/* One that the kernel left out of all groups does DMA in the space of whoever has its StreamID. */
static char *text_of_holder(const struct cli_context *context, uint32_t function, uint32_t holder,
			    enum cli_space_kind kind)
{
	char *text = text_now(context, holder, kind), *longer;

	if (holder == function)
		return text;
	longer = app_printf("that of %s, which has the same StreamID: %s",
			    cli_name(context, holder), text);
	free(text);
	return longer;
}

static char *join(char *list, const char *more)
{
	char *longer = app_printf("%s%s%s", list, *list ? ", " : "", more);

	free(list);
	return longer;
}

/* What lies in a page besides the doorbells that are wanted there. */
static char *others_in(const struct cli_context *context, struct ward_range page, uint32_t wanted)
{
	const struct ward_machine *machine = context->machine;
	const struct ward_controller *own = &machine->controllers[wanted];
	char *list = app_strdup("");

	for (uint32_t i = 0; i < machine->controllers_count; i++) {
		const struct ward_controller *c = &machine->controllers[i];

		if (ward_controller_rung_in(c, page) &&
		    (c->kind != own->kind || c->pool != own->pool))
			list = join(list, c->name);
	}
	for (uint32_t i = 0; i < machine->functions_count; i++) {
		bool there = false;

		for (unsigned int b = 0; b < 6; b++)
			there |= !machine->functions[i].bar[b].io &&
				 ward_range_overlaps(machine->functions[i].bar[b].range, page);
		if (there) {
			char *registers = app_printf("registers of %s", cli_name(context, i));

			list = join(list, registers);
			free(registers);
		}
	}
	return list;
}

static void add_page(const struct cli_context *context, struct cli_space *space,
		     uint32_t controller, uint64_t doorbell)
{
	const struct ward_controller *c = &context->machine->controllers[controller];
	uint64_t mask = context->machine->page_size - 1;
	/* The register is the one at 0x40 of each kind: the first page has it, and no more is mapped. */
	struct ward_range range = { doorbell & ~mask, doorbell | mask };
	struct cli_doorbell_page *page;

	for (uint32_t i = 0; i < space->pages_count; i++) {
		page = &space->pages[i];
		if (page->range.start == range.start && page->range.last == range.last) {
			page->doorbells = join(page->doorbells, c->name);
			return;
		}
	}
	app_array_grow((void **)&space->pages, space->pages_count, sizeof(*space->pages));
	space->pages[space->pages_count++] = (struct cli_doorbell_page){
		.range = range,
		.doorbells = app_strdup(c->name),
		.others = others_in(context, range, controller),
	};
}

/* Linux takes vectors of a pool from whichever frame has some left. */
static void find_pages(const struct cli_context *context, uint32_t function,
		       struct cli_space *space)
{
	const struct ward_machine *machine = context->machine;
	const struct ward_function *f = &machine->functions[function];
	const struct ward_controller *own;

	if (f->controller == WARD_NONE)
		return;
	own = &machine->controllers[f->controller];
	if (ward_controller_is_x86(own) || context->state->functions[function].msi_off ||
	    (!f->msi && !f->msix && f->kind == WARD_FUNCTION_PCI))
		return;
	for (uint32_t i = 0; i < machine->controllers_count; i++) {
		const struct ward_controller *c = &machine->controllers[i];

		if (c->kind != own->kind || c->pool != own->pool)
			continue;
		for (uint32_t d = 0; d < c->doorbells_count; d++)
			add_page(context, space, i, c->doorbells[d].start);
	}
}

static bool is_supposed(const struct cli_context *context, uint32_t function)
{
	uint32_t group = context->machine->functions[function].group;

	if (attached(context->state, function))
		return true;
	return context->real_machine && group != WARD_NONE &&
	       context->real_machine->groups[group].type != context->machine->groups[group].type;
}

/* What becomes of writes to the APIC page; a function without MSIs can make them, too. */
static enum ward_tri page_isolates(const struct ward_machine *machine, uint32_t function)
{
	uint32_t controller = machine->functions[function].controller;

	for (uint32_t i = 0; i < machine->controllers_count && controller == WARD_NONE; i++) {
		if (machine->controllers[i].kind == WARD_CONTROLLER_X86_APIC ||
		    machine->controllers[i].kind == WARD_CONTROLLER_X86_REMAPPING)
			controller = i;
	}
	return controller == WARD_NONE ? WARD_UNKNOWN : machine->controllers[controller].isolates;
}

/* What firmware and old drivers want mapped to itself is, driver or not. */
static char *with_direct(char *text, const struct cli_space *space)
{
	bool direct = false;
	char *longer;

	for (uint32_t i = 0; i < space->reserved_count; i++)
		direct |= space->reserved[i].kind == WARD_REGION_DIRECT ||
			  space->reserved[i].kind == WARD_REGION_DIRECT_RELAXABLE;
	if (space->kind != CLI_SPACE_DMA || !direct)
		return text;
	longer = app_printf("%s; besides, memory that is always mapped for it (direct regions)",
			    text);
	free(text);
	return longer;
}

int cli_space_of(const struct cli_context *context, uint32_t function, struct cli_space *ret_space)
{
	const struct ward_function *f = &context->machine->functions[function];
	uint32_t user = ward_stream_user(context->isolation, function);
	uint32_t holder = user == WARD_NONE ? function : user;
	enum cli_space_kind kind = kind_now(context, holder);
	/* Bridges and platform devices stay with the host. */
	struct cli_space space = {
		.kind = kind,
		.client = kind != CLI_SPACE_NONE && f->kind == WARD_FUNCTION_PCI &&
			  f->header_type == 0,
		.isolates = page_isolates(context->machine, function),
	};
	int code = ward_machine_reserved(context->machine, function, &space.reserved,
					 &space.reserved_count);

	if (code < 0)
		return cli_fail(context->options, CLI_FAILURE, "%s", strerror(-code));
	space.text = with_direct(text_of_holder(context, function, holder, kind), &space);
	space.supposed = is_supposed(context, holder);
	if (space.client)
		find_pages(context, function, &space);
	*ret_space = space;
	return -1;
}

void cli_space_finish(struct cli_space *space)
{
	for (uint32_t i = 0; i < space->pages_count; i++) {
		free(space->pages[i].doorbells);
		free(space->pages[i].others);
	}
	free(space->pages);
	free(space->reserved);
	free(space->text);
}

static const char *region_name(enum ward_region_kind kind)
{
	switch (kind) {
	case WARD_REGION_DIRECT:
		return "direct";
	case WARD_REGION_DIRECT_RELAXABLE:
		return "direct-relaxable";
	case WARD_REGION_RESERVED:
		return "reserved";
	case WARD_REGION_MSI:
		return "msi";
	case WARD_REGION_SW_MSI:
		break;
	}
	return "sw-msi";
}

static const char *region_text(const struct cli_space *space, enum ward_region_kind kind)
{
	switch (kind) {
	case WARD_REGION_DIRECT:
		return "memory that firmware keeps using, mapped to itself";
	case WARD_REGION_MSI:
		break;
	case WARD_REGION_DIRECT_RELAXABLE:
	case WARD_REGION_RESERVED:
	case WARD_REGION_SW_MSI:
		return NULL;
	}
	switch (space->isolates) {
	case WARD_YES:
		return "interrupts, not translated; every writer is checked";
	case WARD_NO:
		return "interrupts, not translated; nobody checks who writes";
	case WARD_UNKNOWN:
		break;
	}
	return "interrupts, not translated";
}

static void say_region(const struct cli_context *context, const struct cli_space *space,
		       const struct ward_reserved *region)
{
	const char *text = region_text(space, region->kind);

	if (!text)
		return;
	app_say(&context->out, "  - ");
	app_paragraph(&context->out, 4, 4, "0x%llx-0x%llx: %s",
		      (unsigned long long)region->range.start,
		      (unsigned long long)region->range.last, text);
}

static void say_page(const struct cli_context *context, const struct cli_doorbell_page *page)
{
	app_say(&context->out, "  - ");
	app_paragraph(&context->out, 4, 4, "0x%llx-0x%llx: %s, for its interrupts%s%s",
		      (unsigned long long)page->range.start, (unsigned long long)page->range.last,
		      page->doorbells,
		      *page->others ? "; in the same page, and so reached with it: " : "",
		      page->others);
}

static bool holds_anything(const struct cli_space *space)
{
	for (uint32_t i = 0; i < space->reserved_count; i++) {
		if (region_text(space, space->reserved[i].kind))
			return true;
	}
	return space->pages_count > 0;
}

void cli_say_space(const struct cli_context *context, const struct cli_space *space)
{
	app_say_in(&context->out, APP_BOLD, "space now: %s", cli_space_kind_name(space->kind));
	app_say(&context->out, "%s\n  ", space->supposed ? " (supposed)" : "");
	app_paragraph(&context->out, 2, 2, "%s", space->text);
	if (!space->client)
		return;
	app_say_in(&context->out, APP_BOLD, "space of a client");
	app_say(&context->out, "\n  ");
	app_paragraph(&context->out, 2, 2, "the client's own memory%s",
		      holds_anything(space) ? ", and always:" : " and nothing else");
	for (uint32_t i = 0; i < space->reserved_count; i++)
		say_region(context, space, &space->reserved[i]);
	for (uint32_t i = 0; i < space->pages_count; i++)
		say_page(context, &space->pages[i]);
}

static struct json_object *range_json(struct ward_range range)
{
	struct json_object *object = app_json_object();

	app_json_put_hex(object, "start", range.start);
	app_json_put_hex(object, "last", range.last);
	return object;
}

static struct json_object *client_json(const struct cli_space *space)
{
	struct json_object *object = app_json_object();
	struct json_object *regions = app_json_array(), *pages = app_json_array();

	for (uint32_t i = 0; i < space->reserved_count; i++) {
		struct json_object *region = range_json(space->reserved[i].range);

		app_json_put_text(region, "kind", region_name(space->reserved[i].kind));
		app_json_add(regions, region);
	}
	for (uint32_t i = 0; i < space->pages_count; i++) {
		struct json_object *page = range_json(space->pages[i].range);

		app_json_put_text(page, "doorbells", space->pages[i].doorbells);
		app_json_put_text(page, "with_it",
				  *space->pages[i].others ? space->pages[i].others : NULL);
		app_json_add(pages, page);
	}
	app_json_put(object, "reserved", regions);
	app_json_put(object, "doorbell_pages", pages);
	return object;
}

struct json_object *cli_space_json(const struct cli_space *space)
{
	struct json_object *object = app_json_object();

	app_json_put_text(object, "now", cli_space_kind_name(space->kind));
	app_json_put_bool(object, "supposed", space->supposed);
	app_json_put_text(object, "text", space->text);
	app_json_put(object, "client", space->client ? client_json(space) : NULL);
	return object;
}

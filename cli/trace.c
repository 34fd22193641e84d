// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "cli/show.h"

#include "app/guest.h"
#include "cli/device.h"
#include "cli/hop.h"
#include "cli/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A trace as it is told. */
struct trace {
	const struct cli_context *context;
	struct json_object *hops;      /* NULL: print text */
	bool cannot_tell;	       /* it stops at a hop that is not seen */
	struct app_guest_arrival told; /* what those hops say */
};

/* What can be compared with what happens: where it arrives, and as what. */
static void keep(struct trace *trace, const struct ward_trace_hop *hop)
{
	for (uint32_t i = 0; i < hop->fields_count; i++) {
		uint64_t value = hop->fields[i].value;

		if (hop->hop == WARD_HOP_DOORBELL)
			trace->told.doorbell = value;
		else if (hop->hop == WARD_HOP_HOST_INTERRUPT)
			trace->told.host_number = (uint32_t)value;
		else if (hop->hop == WARD_HOP_INTID)
			trace->told.number = (uint32_t)value;
		else if (hop->hop == WARD_HOP_VCPU) /* APIC ids of the model's guest are indexes */
			trace->told.cpu = (uint32_t)value;
	}
}

static void tell(void *context, const struct ward_trace_hop *hop)
{
	struct trace *trace = context;

	trace->cannot_tell = hop->stops && !hop->known;
	keep(trace, hop);
	if (trace->hops)
		app_json_add(trace->hops, cli_hop_json(hop));
	else
		cli_say_hop(&trace->context->out, 2, hop);
}

static int parse_vector(const struct cli_context *context, const char *word, uint32_t *ret_vector)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(word, &end, 10);
	if (word[0] < '0' || word[0] > '9' || *end || errno || number > UINT32_MAX)
		return cli_fail(context->options, CLI_USAGE,
				"\"%s\" is no vector: they are numbered 0, 1, 2, ...", word);
	*ret_vector = (uint32_t)number;
	return -1;
}

/* Which of its two kinds of messages: the one that is on, else MSI-X where it has it. */
static uint32_t kind_of(const struct cli_context *context, uint32_t function)
{
	const struct ward_function *f = &context->machine->functions[function];

	if (context->state->functions[function].irq_mode == WARD_IRQ_MSI && f->msi)
		return WARD_IRQS_MSI;
	return f->msix ? WARD_IRQS_MSIX : WARD_IRQS_MSI;
}

static int check_vector(const struct cli_context *context, uint32_t function, uint32_t index,
			uint32_t vector)
{
	const struct ward_function *f = &context->machine->functions[function];
	uint32_t count = index == WARD_IRQS_MSIX ? f->msix_vectors : f->msi_vectors;

	if (!f->msi && !f->msix)
		return cli_fail(context->options, CLI_FAILURE, "%s has neither MSI nor MSI-X%s",
				f->name,
				f->pcie_known == WARD_UNKNOWN
					? ", as far as could be read: try again as root"
					: "");
	if (vector >= count)
		return cli_fail(context->options, CLI_FAILURE, "%s has %s vectors 0 to %u", f->name,
				index == WARD_IRQS_MSIX ? "MSI-X" : "MSI", count - 1);
	return -1;
}

static void print_end(const struct cli_context *context, const struct trace *trace, bool model,
		      bool arrives)
{
	const struct app_text *out = &context->out;

	app_say(out, "\n");
	if (arrives)
		app_paragraph(out, 0, 0, "It arrives.");
	else if (trace->cannot_tell)
		app_paragraph(out, 0, 0, "From here it cannot be followed.");
	else
		app_paragraph(out, 0, 0, "It goes no further.");
	if (!arrives && !model)
		app_paragraph(out, 0, 0, "With --model: its way into a VM, in software.");
}

static int finish(const struct cli_context *context, struct trace *trace, uint32_t function,
		  const struct ward_trace_options *options, bool model, bool arrives)
{
	struct json_object *document;

	if (!trace->hops) {
		print_end(context, trace, model, arrives);
	} else {
		document = app_json_document("trace");
		app_json_put(document, "machine", cli_machine_json(context));
		app_json_put(document, "function", cli_function_json(context, function));
		app_json_put_text(document, "mode",
				  options->index == WARD_IRQS_MSIX ? "msix" : "msi");
		app_json_put_number(document, "vector", options->vector);
		app_json_put_bool(document, "model", model);
		app_json_put_bool(document, "arrives", arrives);
		app_json_put_bool(document, "cannot_tell", trace->cannot_tell);
		app_json_put(document, "hops", trace->hops);
		app_json_print(stdout, document);
	}
	if (arrives)
		return CLI_DONE;
	return trace->cannot_tell ? CLI_CANNOT_TELL : CLI_NOT_SAFE;
}

/* What was told is what happens: the function raises it. 0 or an exit code. */
static int hold_against(const struct cli_context *context, const struct trace *trace,
			struct app_guest *guest, uint32_t vector, bool arrives)
{
	const struct app_guest_arrival *told = &trace->told;
	struct app_guest_arrival gone;
	int taken = app_guest_raise(guest, vector, &gone);

	if (taken < 0)
		return cli_fail(context->options, CLI_FAILURE, "raising it: %s", strerror(-taken));
	if (taken != arrives)
		return cli_fail(context->options, CLI_FAILURE,
				"it was raised, and the guest took %d interrupts: what the hops say "
				"is wrong",
				taken);
	if (arrives && (gone.doorbell != told->doorbell || gone.host_number != told->host_number ||
			gone.number != told->number || gone.cpu != told->cpu))
		return cli_fail(context->options, CLI_FAILURE,
				"it was raised, and went by 0x%llx and %u to %u at CPU %u: what the "
				"hops say is wrong",
				(unsigned long long)gone.doorbell, gone.host_number, gone.number,
				gone.cpu);
	return CLI_DONE;
}

static int run(struct cli_context *context, const struct ward_trace_options *options,
	       struct app_guest *guest)
{
	struct trace trace = { .context = context };
	char *label = cli_label(context, options->function);
	int code, end = CLI_DONE;

	if (context->options->json)
		trace.hops = app_json_array();
	else
		app_say_in(&context->out, APP_BOLD, "%s\n\n", label);
	free(label);
	code = ward_trace_vector(options, tell, &trace);
	if (code < 0)
		end = cli_fail(context->options, CLI_FAILURE, "%s", strerror(-code));
	else if (guest)
		end = hold_against(context, &trace, guest, options->vector, code == 0);
	if (end != CLI_DONE) {
		json_object_put(trace.hops);
		return end;
	}
	return finish(context, &trace, options->function, options, guest != NULL, code == 0);
}

/* The same machine in software, with the function in the hands of a VM. */
static int run_model(struct cli_context *context, struct ward_trace_options *options)
{
	struct ward_error error = { "" };
	struct app_guest guest;
	int code = app_guest_create(context->machine, options->function, options->vector + 1,
				    &guest, &error);

	if (code)
		return cli_fail(context->options, CLI_FAILURE,
				"%s; without --model: what the kernel tells", error.text);
	options->index = guest.index;
	options->device = guest.device;
	options->space = guest.space;
	options->wiring = guest.wiring;
	options->routes = guest.routes;
	options->vm = guest.vm;
	code = run(context, options, &guest);
	app_guest_finish(&guest);
	return code;
}

static int trace_of(struct cli_context *context)
{
	const struct cli_words *words = &context->options->operands;
	struct ward_trace_options options = { .size = sizeof(options), .state = context->state };
	bool model = context->options->model;
	int code = cli_isolate(context);

	options.state = context->state;
	if (code < 0)
		code = cli_device_find(context, words->word[0], &options.function);
	if (code < 0)
		code = parse_vector(context, words->word[1], &options.vector);
	if (code >= 0)
		return code;
	options.index = kind_of(context, options.function);
	if (model && context->machine->functions[options.function].msix)
		options.index = WARD_IRQS_MSIX;
	code = check_vector(context, options.function, options.index, options.vector);
	if (code >= 0)
		return code;
	code = model ? run_model(context, &options) : run(context, &options, NULL);
	cli_say_unread(context);
	return code;
}

int cli_trace(const struct cli_options *options)
{
	struct cli_context context;
	int code = cli_open(&context, options, NULL);

	if (code < 0)
		code = trace_of(&context);
	cli_close(&context);
	return code;
}

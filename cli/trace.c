// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "cli/show.h"

#include "app/model.h"
#include "cli/device.h"
#include "cli/hop.h"
#include "cli/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A trace as it is told. */
struct trace {
	const struct cli_context *context;
	struct json_object *hops; /* NULL: print text */
	bool cannot_tell;	  /* it stops at a hop that is not seen */
	/* What those hops say: the physical address that is written, and what that raises. */
	uint64_t doorbell;
	uint32_t host_number;
	struct app_guest_arrival told; /* at the guest */
};

/* The machine in software, with the function in the hands of a VM. */
struct in_model {
	struct app_model *model;
	struct app_guest_function *guest;
};

#define CLIENT 0u

/* What can be compared with what happens: where it arrives, and as what. */
static void keep(struct trace *trace, const struct ward_trace_hop *hop)
{
	for (uint32_t i = 0; i < hop->fields_count; i++) {
		uint64_t value = hop->fields[i].value;

		if (hop->hop == WARD_HOP_DOORBELL)
			trace->doorbell = value;
		else if (hop->hop == WARD_HOP_HOST_INTERRUPT)
			trace->host_number = (uint32_t)value;
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

static int raise_it(const struct in_model *in, uint32_t vector, struct ward_raise *ret_raise,
		    struct app_guest_arrival *ret_arrival)
{
	int code = ward_model_raise(in->model->backend, in->guest->function,
				    (enum ward_irq_index)in->guest->index, vector, ret_raise);

	return code ? code : app_guest_take(in->model->clients[CLIENT].guest, ret_arrival);
}

/* What was told is what happens: the function raises it. 0 or an exit code. */
static int hold_against(const struct cli_context *context, const struct trace *trace,
			const struct in_model *in, uint32_t vector, bool arrives)
{
	struct app_guest_arrival gone;
	struct ward_raise raise;
	int taken = raise_it(in, vector, &raise, &gone);

	if (taken < 0)
		return cli_fail(context->options, CLI_FAILURE, "raising it: %s", strerror(-taken));
	if (taken != arrives)
		return cli_fail(context->options, CLI_FAILURE,
				"it was raised, and the guest took %d interrupts: what the hops say "
				"is wrong",
				taken);
	if (arrives && (raise.dma.target != trace->doorbell ||
			raise.dma.interrupt.number != trace->host_number ||
			gone.number != trace->told.number || gone.cpu != trace->told.cpu))
		return cli_fail(context->options, CLI_FAILURE,
				"it was raised, and went by 0x%llx and %u to %u at CPU %u: what the "
				"hops say is wrong",
				(unsigned long long)raise.dma.target, raise.dma.interrupt.number,
				gone.number, gone.cpu);
	return CLI_DONE;
}

static int run(struct cli_context *context, const struct ward_trace_options *options,
	       const struct in_model *in)
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
	else if (in)
		end = hold_against(context, &trace, in, options->vector, code == 0);
	if (end != CLI_DONE) {
		json_object_put(trace.hops);
		return end;
	}
	return finish(context, &trace, options->function, options, in != NULL, code == 0);
}

/* Gives the function to the one client, whatever a check says, and lets its guest enable vectors. */
static int give(struct app_model *model, uint32_t function, uint32_t vectors,
		struct ward_error *error)
{
	const struct ward_executor executor = app_model_executor(model);
	struct ward_plan_step step = { .function = function, .client = CLIENT };
	int code = executor.execute(executor.context, &step, WARD_ACTION_GIVE, error);

	if (!code)
		code = app_model_space(model, CLIENT, 0, function, &step.space, error);
	if (!code)
		code = executor.execute(executor.context, &step, WARD_ACTION_ATTACH, error);
	return code ? code : app_model_enable(model, function, CLIENT, 0, vectors, error);
}

static int run_model(struct cli_context *context, struct ward_trace_options *options)
{
	struct ward_error error = { "" };
	struct in_model in;
	int code = app_model_create(context->machine, 1, false, &in.model, &error);

	if (code)
		return cli_fail(context->options, CLI_FAILURE,
				"%s; without --model: what the kernel tells", error.text);
	code = give(in.model, options->function, options->vector + 1, &error);
	if (code) {
		code = cli_fail(context->options, CLI_FAILURE,
				"%s; without --model: what the kernel tells", error.text);
	} else {
		struct app_client *client = &in.model->clients[CLIENT];

		in.guest = app_guest_find(client->guest, options->function);
		options->index = in.guest->index;
		options->device = in.guest->device;
		options->space = client->space[0];
		options->wiring = in.guest->wiring;
		options->routes = client->guest->routes;
		options->vm = client->guest->vm;
		code = run(context, options, &in);
	}
	app_model_destroy(in.model);
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

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The way of one interrupt: how hops are told. What they are is in trace_host.c and trace_guest.c. */
#include "msi/trace.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *ward_hop_name(enum ward_hop hop)
{
	static const char *const names[] = {
		[WARD_HOP_VECTOR] = "vector",
		[WARD_HOP_MESSAGE] = "message",
		[WARD_HOP_STAGE1] = "stage-1",
		[WARD_HOP_STAGE2] = "stage-2",
		[WARD_HOP_DOORBELL] = "doorbell",
		[WARD_HOP_CONTROLLER] = "controller",
		[WARD_HOP_HOST_INTERRUPT] = "host-interrupt",
		[WARD_HOP_EVENTFD] = "eventfd",
		[WARD_HOP_IRQFD] = "irqfd",
		[WARD_HOP_GSI] = "gsi",
		[WARD_HOP_ROUTE] = "route",
		[WARD_HOP_INTID] = "intid",
		[WARD_HOP_VCPU] = "vcpu",
	};

	return names[hop];
}

void ward_trace_begin(struct ward_trace *trace, enum ward_hop hop)
{
	trace->now = (struct ward_trace_hop){ .hop = hop, .known = true };
}

void ward_trace_field(struct ward_trace *trace, const char *name, uint64_t value, bool hex)
{
	struct ward_trace_hop *now = &trace->now;

	now->fields[now->fields_count++] = (struct ward_hop_field){ name, value, hex };
}

__attribute__((format(printf, 2, 0))) static void tell(struct ward_trace *trace, const char *format,
						       va_list words)
{
	vsnprintf(trace->now.text, sizeof(trace->now.text), format, words);
	trace->stopped = trace->now.stops;
	trace->hop(trace->context, &trace->now);
}

void ward_trace_say(struct ward_trace *trace, const char *format, ...)
{
	va_list words;

	va_start(words, format);
	tell(trace, format, words);
	va_end(words);
}

void ward_trace_stop(struct ward_trace *trace, const char *format, ...)
{
	va_list words;

	trace->now.stops = true;
	va_start(words, format);
	tell(trace, format, words);
	va_end(words);
}

void ward_trace_hide(struct ward_trace *trace, const char *format, ...)
{
	va_list words;

	trace->now.known = false;
	va_start(words, format);
	tell(trace, format, words);
	va_end(words);
}

int ward_trace_vector(const struct ward_trace_options *options,
		      void (*hop)(void *context, const struct ward_trace_hop *hop), void *context)
{
	struct ward_trace trace = { .options = options, .hop = hop, .context = context };
	int code;

	if (!options || options->size != sizeof(*options) || !options->state ||
	    options->function >= options->state->machine->functions_count ||
	    (options->index != WARD_IRQS_MSI && options->index != WARD_IRQS_MSIX) ||
	    (options->wiring && (!options->routes || !options->vm)))
		return -EINVAL;
	code = ward_trace_host(&trace);
	if (code)
		return code;
	if (!trace.stopped && options->wiring)
		ward_trace_guest(&trace);
	return trace.stopped;
}

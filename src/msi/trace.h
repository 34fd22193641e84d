/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The two halves of a trace. */
#ifndef MSI_TRACE_H
#define MSI_TRACE_H

#include <doorward/trace.h>

struct ward_trace {
	const struct ward_trace_options *options;
	void (*hop)(void *context, const struct ward_trace_hop *hop);
	void *context;
	struct ward_trace_hop now; /* being put together */
	bool stopped;
};

/* Begins a hop; fields and words are put into trace->now. */
void ward_trace_begin(struct ward_trace *trace, enum ward_hop hop);
void ward_trace_field(struct ward_trace *trace, const char *name, uint64_t value, bool hex);
/* Ends it and tells it. */
__attribute__((format(printf, 2, 3))) void ward_trace_say(struct ward_trace *trace,
							  const char *format, ...);
/* Ends it, and with it the trace. */
__attribute__((format(printf, 2, 3))) void ward_trace_stop(struct ward_trace *trace,
							   const char *format, ...);
/* It cannot be seen from here. */
__attribute__((format(printf, 2, 3))) void ward_trace_hide(struct ward_trace *trace,
							   const char *format, ...);

/* trace_host.c: from the vector to the eventfd. 0 or -EINVAL before anything was told. */
int ward_trace_host(struct ward_trace *trace);
/* trace_guest.c: from the irqfd to the CPU. */
void ward_trace_guest(struct ward_trace *trace);

#endif

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Small machines that are explored, and what a test of that needs. */
#ifndef TESTS_OWN_EXPLORED_H
#define TESTS_OWN_EXPLORED_H

#include "isolate/make.h"

#include <doorward/explore.h>

#include "own/break.h"
#include "own/explore.h"

#define BIT(kind) (1ull << WARD_EVENT_##kind)

/* Two integrated functions on one frame. */
static inline void make_frame(struct make *m)
{
	make_arm_v2m(m, 4096, 1);
	integrated(m, "00:01.0");
	integrated(m, "00:02.0");
	make_done(m);
}

/* One on an ITS. */
static inline void make_alone(struct make *m)
{
	make_arm_its(m);
	integrated(m, "00:01.0");
	make_done(m);
}

static inline struct ward_exploration *explorer(const struct make *m,
						const struct ward_explore_options *options)
{
	struct ward_exploration *exploration = NULL;
	struct ward_error error = { "" };
	int err = ward_exploration_create(m->machine, m->state, options, &exploration, &error);

	if (err)
		fail_msg("%s: %s", strerror(-err), error.text);
	return exploration;
}

static inline struct ward_exploration_progress progress_of(const struct ward_exploration *x)
{
	struct ward_exploration_progress progress;

	ward_exploration_progress(x, &progress);
	return progress;
}

static inline void print_breach(const struct ward_exploration *x)
{
	const struct ward_breach *breach = ward_exploration_breach(x);

	if (!breach)
		return;
	print_error("%s: %s\n", ward_promise_name(breach->promise), breach->text);
	for (uint32_t i = 0; i < breach->events_count; i++) {
		const struct ward_event *event = &breach->events[i];

		print_error("  %s%s", ward_event_name(event->kind), event->fact ? " (fact)" : "");
		for (uint32_t j = 0; j < event->functions_count; j++)
			print_error(" %s", x->machine->functions[event->functions[j]].name);
		print_error(" client %u container %u controller %u driver %s\n", event->client,
			    event->container, event->controller,
			    event->driver ? event->driver : "-");
	}
}

/* Explores with one thread; ends as wanted. */
static inline struct ward_exploration_progress explored(struct ward_exploration *x,
							enum ward_exploration_end end)
{
	struct ward_exploration_progress progress;

	assert_int_equal(ward_exploration_work(x), 0);
	progress = progress_of(x);
	if (progress.end != end)
		print_breach(x);
	assert_int_equal(progress.end, end);
	return progress;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Ownerships for tests: machines from isolate/make.h, events in one line.
 *
 *	struct own t;
 *	make_arm_its(&t.m); ...
 *	own_begin(&t, NULL, "a b");
 *	assert_allowed(claim(&t, "a", "01:00.0 01:00.1"));
 *	own_end(&t);
 */
#ifndef TESTS_OWN_OWN_H
#define TESTS_OWN_OWN_H

#include <doorward/own.h>

#include "isolate/make.h"
#include "own/break.h"
#include "own/ownership.h"

struct own {
	struct make m;
	struct ward_ownership *o;
	struct ward_outcome outcome; /* of the last event */
	struct ward_error error;
	uint32_t functions[MAKE_FUNCTIONS];
};

static inline void own_begin(struct own *t, const struct ward_ownership_options *options,
			     const char *clients)
{
	char text[256], *save = NULL;
	uint32_t client;

	make_done(&t->m);
	assert_int_equal(ward_ownership_create(t->m.machine, t->m.state, options, &t->o), 0);
	snprintf(text, sizeof(text), "%s", clients);
	for (char *name = strtok_r(text, " ", &save); name; name = strtok_r(NULL, " ", &save))
		assert_int_equal(ward_ownership_client(t->o, name, &client), 0);
	t->outcome = (struct ward_outcome){ .event = 0 };
}

static inline void own_end(struct own *t)
{
	ward_outcome_finish(&t->outcome);
	ward_ownership_destroy(t->o);
	make_free(&t->m);
}

static inline const struct ward_function_state *own_at(const struct own *t, const char *name)
{
	return &ward_ownership_state(t->o)->functions[at(&t->m, name)];
}

static inline uint32_t own_client_of(struct own *t, const char *name)
{
	uint32_t client = WARD_NONE;

	assert_int_equal(ward_ownership_client(t->o, name, &client), 0);
	return client;
}

/* An event of some functions; names stand in one text, by spaces. */
static inline struct ward_event event_of(struct own *t, enum ward_event_kind kind,
					 const char *names)
{
	struct ward_event event = { .size = sizeof(event),
				    .kind = kind,
				    .functions = t->functions };
	char text[512], *save = NULL;

	snprintf(text, sizeof(text), "%s", names ? names : "");
	for (char *name = strtok_r(text, " ", &save); name; name = strtok_r(NULL, " ", &save))
		t->functions[event.functions_count++] = at(&t->m, name);
	return event;
}

static inline int happens(struct own *t, struct ward_event event)
{
	ward_outcome_finish(&t->outcome);
	t->error.text[0] = '\0';
	return ward_ownership_apply(t->o, &event, &t->outcome, &t->error);
}

static inline int event(struct own *t, enum ward_event_kind kind, const char *names)
{
	return happens(t, event_of(t, kind, names));
}

static inline int fact(struct own *t, enum ward_event_kind kind, const char *names)
{
	struct ward_event e = event_of(t, kind, names);

	e.fact = true;
	return happens(t, e);
}

static inline int claim(struct own *t, const char *client, const char *names)
{
	struct ward_event e = event_of(t, WARD_EVENT_CLAIM, names);

	e.client = own_client_of(t, client);
	return happens(t, e);
}

static inline int bind_to(struct own *t, const char *driver, const char *names, bool is_fact)
{
	struct ward_event e = event_of(t, WARD_EVENT_BIND, names);

	e.driver = driver;
	e.fact = is_fact;
	return happens(t, e);
}

static inline int attach(struct own *t, const char *names, uint32_t container)
{
	struct ward_event e = event_of(t, WARD_EVENT_ATTACH, names);

	e.container = container;
	return happens(t, e);
}

static inline int death(struct own *t, const char *client)
{
	struct ward_event e = event_of(t, WARD_EVENT_DEATH, NULL);

	e.client = own_client_of(t, client);
	return happens(t, e);
}

static inline int vector(struct own *t, const char *names, uint32_t controller)
{
	struct ward_event e = event_of(t, WARD_EVENT_VECTOR, names);

	e.controller = controller;
	return happens(t, e);
}

static inline void own_assert_decision(struct own *t, int err, enum ward_decision decision,
				       const char *code)
{
	if (err)
		print_error("error %d: %s\n", err, t->error.text);
	assert_int_equal(err, 0);
	if (t->outcome.decision != decision && t->outcome.verdict)
		print_verdict(t->outcome.verdict);
	assert_string_equal(ward_decision_name(t->outcome.decision), ward_decision_name(decision));
	if (code)
		assert_string_equal(finding_in(t->outcome.verdict, code)->code, code);
}

#define assert_allowed(t, call) own_assert_decision(t, call, WARD_ALLOWED, NULL)
#define assert_refused(t, call, code) own_assert_decision(t, call, WARD_REFUSED, code)
#define assert_recorded(t, call) own_assert_decision(t, call, WARD_RECORDED, NULL)
#define assert_unsettled(t, call, code) own_assert_decision(t, call, WARD_UNSETTLED, code)
#define assert_no_sense(t, call) assert_int_equal(call, -EINVAL)

/* Applies containments until there are none; returns how many there were. */
static inline uint32_t contain(struct own *t)
{
	struct ward_event e;
	uint32_t count = 0;

	while (ward_ownership_next(t->o, &e)) {
		assert_true(count++ < 64);
		assert_int_equal(happens(t, e), 0);
		assert_int_not_equal(t->outcome.decision, WARD_REFUSED);
	}
	return count;
}

#endif

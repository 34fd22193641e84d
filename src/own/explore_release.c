// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What is promised about a release: what was somebody's is nobody's next, remembers whose it was until
 * a reset, and goes to nobody else before. Seen from one state to the next: who had a function is
 * written down when it is given back, the note goes with a reset alone, and who takes what has
 * somebody else's note breaks the promise. So no history has to be kept.
 */
#include <stdio.h>

#include "isolate/isolation.h"
#include "own/explore.h"
#include "own/ownership.h"

struct change {
	const struct ward_machine *machine;
	const struct ward_event *event;
	uint32_t function;
	const struct ward_function_state *before, *after;
	uint32_t container;
	bool vectors;
};

/* A reset of one function is one of another: with its bus, its error domain, or its PF. */
bool ward_is_reset_with(const struct ward_machine *machine, enum ward_event_kind kind,
			uint32_t reset, uint32_t function)
{
	uint32_t pf = machine->functions[function].physfn, first, count, cursor = 0, member;

	if (kind != WARD_EVENT_RESET && kind != WARD_EVENT_THAW)
		return false;
	if (function == reset || (pf != WARD_NONE && ward_is_reset_with(machine, kind, reset, pf)))
		return true;
	while (kind == WARD_EVENT_THAW && ward_error_domain_next(machine, reset, &cursor, &member))
		if (member == function)
			return true;
	ward_reset_scope(machine, reset, &first, &count);
	return kind == WARD_EVENT_RESET && function >= first && function - first < count;
}

static bool is_reset(const struct change *c)
{
	for (uint32_t i = 0; i < c->event->functions_count; i++)
		if (ward_is_reset_with(c->machine, c->event->kind, c->event->functions[i],
				       c->function))
			return true;
	return false;
}

static bool is_several(struct ward_owner owner)
{
	return owner.kind == WARD_OWNER_CLIENT && owner.client == WARD_NONE;
}

/* It was a client's, and is not any more. */
static const char *given_back(const struct change *c)
{
	if (c->after->absent)
		return NULL;
	if (c->after->owner.kind != WARD_OWNER_NOBODY)
		return "goes from a client to somebody else, without nobody between";
	if (!ward_same_owner(c->after->tainted_by, c->before->owner))
		return "was a client's, and nothing says that it is not clean";
	if (c->container != WARD_NONE)
		return "is nobody's, and still in a container";
	return c->vectors ? "is nobody's, and still has vectors" : NULL;
}

/* It was the host's, and is not any more. */
static const char *let_go(const struct change *c)
{
	if (c->after->owner.kind == WARD_OWNER_CLIENT)
		return "goes from the host to a client, without nobody between";
	/* Whose it was before the host may stand there still. */
	if (!c->after->absent && c->before->driver && !c->after->driver &&
	    c->after->tainted_by.kind == WARD_OWNER_NOBODY)
		return "was the host's, and nothing says that it is not clean";
	return NULL;
}

/* It was nobody's. */
static const char *taken(const struct change *c)
{
	const struct ward_owner *note = &c->before->tainted_by;

	if (note->kind == WARD_OWNER_NOBODY || c->after->absent)
		return NULL;
	if (c->after->owner.kind == WARD_OWNER_NOBODY)
		return ward_same_owner(*note, c->after->tainted_by) ||
				       is_several(c->after->tainted_by) || is_reset(c)
			       ? NULL
			       : "is taken for clean, and nothing was reset";
	if (ward_same_owner(*note, c->after->owner))
		return NULL;
	/* What the host does behind our back nobody can refuse. */
	if (c->after->owner.kind == WARD_OWNER_HOST && c->event->fact)
		return NULL;
	return "goes from one owner to another, and was not reset";
}

static const char *wrong(const struct change *c)
{
	if (c->before->absent || ward_same_owner(c->before->owner, c->after->owner)) {
		bool clean = c->before->owner.kind == WARD_OWNER_NOBODY && !c->before->absent;

		return clean ? taken(c) : NULL;
	}
	switch (c->before->owner.kind) {
	case WARD_OWNER_CLIENT:
		return given_back(c);
	case WARD_OWNER_HOST:
		return let_go(c);
	case WARD_OWNER_NOBODY:
		break;
	}
	return taken(c);
}

static bool has_vectors(const struct ward_state *state, uint32_t function)
{
	for (uint32_t i = 0; i < state->vectors_count; i++)
		if (state->vectors[i].function == function)
			return true;
	return false;
}

int ward_promise_release(const struct ward_exploration *exploration,
			 const struct ward_function_state *before,
			 const struct ward_ownership *ownership, const struct ward_event *event,
			 char *text, size_t size)
{
	const struct ward_state *state = ward_ownership_state(ownership);
	struct change change = { .machine = exploration->machine, .event = event };

	for (uint32_t i = 0; i < exploration->machine->functions_count; i++) {
		const char *why;

		change.function = i;
		change.before = &before[i];
		change.after = &state->functions[i];
		change.container = ward_ownership_container(ownership, i);
		change.vectors = has_vectors(state, i);
		why = wrong(&change);
		if (why) {
			snprintf(text, size, "%s %s", exploration->machine->functions[i].name, why);
			return 1;
		}
	}
	return 0;
}

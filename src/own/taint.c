// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What a client leaves behind in functions that were nobody's, and that it could write: it may have set
 * them up for whoever gets them next. Told when it loses the function that it did it through.
 */
#include "own/core.h"

#include <stdio.h>

#include "isolate/isolation.h"
#include "isolate/judge.h"
#include "isolate/reach.h"

/* Nobody gets at anything through what is somebody's: that would have been refused. */
static bool is_somebodys(const void *context, uint32_t function)
{
	const struct ward_ownership *o = context;

	return o->state->functions[function].owner.kind == WARD_OWNER_HOST ||
	       !ward_is_assignable(o->machine, function);
}

static bool is_frozen(const void *context, uint32_t function)
{
	const struct ward_ownership *o = context;

	return o->state->functions[function].frozen;
}

void own_taint(struct ward_function_state *f, struct ward_owner owner)
{
	if (f->tainted_by.kind == WARD_OWNER_NOBODY)
		f->tainted_by = owner;
	else if (!ward_same_owner(f->tainted_by, owner))
		f->tainted_by = (struct ward_owner){ WARD_OWNER_CLIENT, WARD_NONE };
}

static void name_tainter(const struct ward_ownership *o, uint32_t function, char *ret_text,
			 size_t size)
{
	const struct ward_owner *by = &o->state->functions[function].tainted_by;

	if (by->kind == WARD_OWNER_HOST)
		snprintf(ret_text, size, "the host");
	else if (by->client == WARD_NONE)
		snprintf(ret_text, size, "several");
	else
		snprintf(ret_text, size, "client %s", o->state->clients[by->client]);
}

bool own_refuse_if_tainted(const struct ward_ownership *o, uint32_t function,
			   struct ward_owner taker, struct own_refusal *refusal)
{
	const uint32_t left[] = { function, o->machine->functions[function].physfn };
	char tainter[128];

	for (size_t i = 0; i < 2 && left[i] != WARD_NONE && !own_leaves_out(o, OWN_RULE_TAINT);
	     i++) {
		const struct ward_owner *by = &o->state->functions[left[i]].tainted_by;

		if (by->kind == WARD_OWNER_NOBODY || ward_same_owner(*by, taker))
			continue;
		/* The host may have its PF do with VFs what it likes. */
		if (left[i] != function && by->kind == WARD_OWNER_HOST)
			continue;
		name_tainter(o, left[i], tainter, sizeof(tainter));
		return own_refuse(refusal, "tainted", function,
				  left[i] == function ? WARD_NONE : left[i],
				  "%s had %s, and it was not reset since", tainter,
				  own_name(o, left[i]));
	}
	return false;
}

static int taint(struct ward_ownership *o, uint32_t function, struct ward_owner client)
{
	struct ward_function_state *f = &o->state->functions[function];
	int err;

	if (f->owner.kind != WARD_OWNER_NOBODY || f->absent ||
	    !ward_is_assignable(o->machine, function))
		return 0;
	err = ward_own_touch(o, function);
	if (!err)
		own_taint(f, client);
	return err;
}

int own_taint_reached(struct ward_ownership *o, uint32_t function)
{
	const struct ward_function_state *f = &o->state->functions[function];
	struct ward_reached reached;
	struct ward_reach *reach;
	uint32_t cursor = 0;
	int err;

	if (f->owner.kind != WARD_OWNER_CLIENT || f->frozen || own_leaves_out(o, OWN_RULE_TAINT))
		return 0;
	err = ward_reach_past(&o->environment->isolation->graph, &function, 1, is_somebodys,
			      is_frozen, o, &reach);
	if (err)
		return err;
	while (!err && ward_reach_next(reach, &cursor, &reached)) {
		if (reached.kind == WARD_NODE_FUNCTION)
			err = taint(o, reached.index, f->owner);
	}
	ward_reach_destroy(reach);
	return err;
}

int own_find_left(const struct ward_ownership *o, const struct ward_event *claim,
		  struct own_refusal *refusal, bool *ret_found)
{
	const struct ward_owner taker = { WARD_OWNER_CLIENT, claim->client };
	struct ward_reached reached;
	struct ward_reach *reach;
	uint32_t cursor = 0;
	bool found = false;
	int err;

	*ret_found = false;
	/*
	 * What the host leaves where a client gets at it the host has decided to leave. By the policy of
	 * Linux nobody looks at what can be got at, clean or not.
	 */
	if (own_leaves_out(o, OWN_RULE_TAINT) || o->options.policy == WARD_POLICY_LINUX)
		return 0;
	err = ward_reach_past(&o->environment->isolation->graph, claim->functions,
			      claim->functions_count, is_somebodys, is_frozen, o, &reach);
	if (err)
		return err;
	while (!found && ward_reach_next(reach, &cursor, &reached)) {
		const struct ward_function_state *f;

		if (reached.kind != WARD_NODE_FUNCTION)
			continue;
		f = &o->state->functions[reached.index];
		found = f->owner.kind == WARD_OWNER_NOBODY && !f->absent &&
			f->tainted_by.kind == WARD_OWNER_CLIENT &&
			!ward_same_owner(f->tainted_by, taker);
	}
	ward_reach_destroy(reach);
	if (found) {
		char tainter[128];

		name_tainter(o, reached.index, tainter, sizeof(tainter));
		own_refuse(refusal, "tainted", claim->functions[0], reached.index,
			   "%s had %s, which is to be got at from there and was not reset since",
			   tainter, own_name(o, reached.index));
	}
	*ret_found = found;
	return 0;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A hand-over as events: whoever has the functions gives them up, what was left in them goes with a
 * verified reset, and the new owner gets them. Between any two owners lies "nobody".
 */
#include "own/steps.h"

#include "base/error.h"
#include "base/fault.h"
#include "own/ownership.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct making {
	const struct ward_hand_over *to;
	struct ward_plan_storage *plan;
	struct ward_ownership *trial;
	const char **drivers; /* that the functions had at first, kept by the plan; or NULL */
	uint32_t *chosen;     /* room for all functions */
	struct ward_outcome outcome;
	bool refused;
	struct ward_error *error;
};

static const struct ward_function_state *function_of(const struct making *m, uint32_t i)
{
	return &ward_ownership_state(m->trial)->functions[m->to->functions[i]];
}

static bool is_of(struct ward_owner owner, const struct ward_hand_over *to)
{
	return owner.kind == to->to &&
	       (owner.kind != WARD_OWNER_CLIENT || owner.client == to->client);
}

/* The driver a function is to have, or NULL. */
static const char *driver_for(const struct making *m, uint32_t i)
{
	if (m->to->to != WARD_OWNER_HOST)
		return NULL;
	return m->to->driver ? m->to->driver : m->drivers[i];
}

static bool has_driver_for(const struct making *m, uint32_t i)
{
	const char *wanted = driver_for(m, i), *driver = function_of(m, i)->driver;

	return wanted && driver && strcmp(wanted, driver) == 0;
}

static bool is_clients(const struct making *m, uint32_t i)
{
	struct ward_owner owner = function_of(m, i)->owner;

	return owner.kind == WARD_OWNER_CLIENT && !is_of(owner, m->to);
}

/* One that stands aside may stay, unless the host is to have another. */
static bool is_driven(const struct making *m, uint32_t i)
{
	const struct ward_function_state *f = function_of(m, i);

	if (!f->driver || f->owner.kind == WARD_OWNER_CLIENT)
		return false;
	if (m->to->to == WARD_OWNER_HOST)
		return !has_driver_for(m, i);
	return !f->driver_yields;
}

static bool is_frozen(const struct making *m, uint32_t i)
{
	const struct ward_function_state *f = function_of(m, i);

	return f->frozen && f->owner.kind == WARD_OWNER_NOBODY;
}

/* What an owner left is no harm to the same owner. */
static bool is_tainted(const struct making *m, uint32_t i)
{
	const struct ward_function_state *f = function_of(m, i);

	return f->tainted_by.kind != WARD_OWNER_NOBODY && f->owner.kind == WARD_OWNER_NOBODY &&
	       !is_of(f->tainted_by, m->to);
}

static bool is_claimable(const struct making *m, uint32_t i)
{
	return !is_of(function_of(m, i)->owner, m->to);
}

static bool is_elsewhere(const struct making *m, uint32_t i)
{
	uint32_t container = ward_ownership_container(m->trial, m->to->functions[i]);

	return container != WARD_NONE && container != m->to->container;
}

static bool is_attachable(const struct making *m, uint32_t i)
{
	return ward_ownership_container(m->trial, m->to->functions[i]) == WARD_NONE;
}

/* One event about the functions for which it is wanted; none when there are none. */
static int next(struct making *m, struct ward_event event,
		bool (*wanted)(const struct making *m, uint32_t i))
{
	struct ward_outcome outcome = { 0 };
	uint32_t count = 0;
	int code;

	for (uint32_t i = 0; i < m->to->functions_count; i++)
		if (wanted(m, i))
			m->chosen[count++] = m->to->functions[i];
	if (!count || m->refused)
		return 0;
	event.size = sizeof(event);
	event.functions = m->chosen;
	event.functions_count = count;
	code = ward_plan_try(m->plan, m->trial, &event, &outcome, m->error);
	if (code)
		return code;
	ward_outcome_finish(&m->outcome);
	m->outcome = outcome;
	m->refused = outcome.decision == WARD_REFUSED;
	return 0;
}

static int empty(struct making *m)
{
	int code = next(m, (struct ward_event){ .kind = WARD_EVENT_RELEASE }, is_clients);

	return code ? code : next(m, (struct ward_event){ .kind = WARD_EVENT_UNBIND }, is_driven);
}

/* What is to be nobody's may stay as it was left, when it cannot be reset. */
static int clean(struct making *m)
{
	int code = next(m, (struct ward_event){ .kind = WARD_EVENT_THAW }, is_frozen);

	if (!code)
		code = next(m, (struct ward_event){ .kind = WARD_EVENT_RESET }, is_tainted);
	if (m->refused && m->to->to == WARD_OWNER_NOBODY) {
		m->refused = false;
		ward_outcome_finish(&m->outcome);
		m->outcome = (struct ward_outcome){ 0 };
	}
	return code;
}

static int give_to_client(struct making *m)
{
	const struct ward_event claim = {
		.kind = WARD_EVENT_CLAIM,
		.client = m->to->client,
		.waivers = m->to->waivers,
		.waivers_count = m->to->waivers_count,
	};
	const struct ward_event attach = {
		.kind = WARD_EVENT_ATTACH,
		.client = m->to->client,
		.container = m->to->container,
		.space = m->to->space,
	};
	int code = next(m, claim, is_claimable);

	if (!code && !m->refused)
		code = next(m, (struct ward_event){ .kind = WARD_EVENT_DETACH }, is_elsewhere);
	if (!code && !m->refused && m->to->container != WARD_NONE)
		code = next(m, attach, is_attachable);
	return code;
}

/* A bind for each driver: of those that want the one that function i wants, and have none. */
static int give_to_host(struct making *m)
{
	for (uint32_t i = 0; i < m->to->functions_count && !m->refused; i++) {
		const struct ward_event event = {
			.size = sizeof(event),
			.kind = WARD_EVENT_BIND,
			.functions = m->chosen,
			.driver = driver_for(m, i),
		};
		struct ward_event bind = event;
		struct ward_outcome outcome = { 0 };
		int code;

		for (uint32_t k = i; k < m->to->functions_count && bind.driver; k++)
			if (!function_of(m, k)->driver && driver_for(m, k) &&
			    strcmp(driver_for(m, k), bind.driver) == 0)
				m->chosen[bind.functions_count++] = m->to->functions[k];
		if (!bind.functions_count || function_of(m, i)->driver)
			continue;
		code = ward_plan_try(m->plan, m->trial, &bind, &outcome, m->error);
		if (code)
			return code;
		ward_outcome_finish(&m->outcome);
		m->outcome = outcome;
		m->refused = outcome.decision == WARD_REFUSED;
	}
	return 0;
}

static int check_functions(const struct ward_state *state, const struct ward_hand_over *to,
			   bool *named, struct ward_error *error)
{
	for (uint32_t i = 0; i < to->functions_count; i++) {
		uint32_t function = to->functions[i];

		if (function >= state->machine->functions_count)
			return ward_fail(error, -EINVAL, "there is no function %u",
					 (unsigned int)function);
		if (state->functions[function].absent)
			return ward_fail(error, -EINVAL, "%s is not there",
					 state->machine->functions[function].name);
		if (named[function])
			return ward_fail(error, -EINVAL, "%s is named twice",
					 state->machine->functions[function].name);
		named[function] = true;
	}
	return 0;
}

static int check(const struct ward_ownership *ownership, const struct ward_hand_over *to,
		 struct ward_error *error)
{
	const struct ward_state *state = ward_ownership_state(ownership);
	bool *named;
	int code;

	if (to->size != sizeof(*to))
		return ward_fail(error, -EINVAL, "a hand-over of another size");
	if (to->to != WARD_OWNER_NOBODY && to->to != WARD_OWNER_HOST && to->to != WARD_OWNER_CLIENT)
		return ward_fail(error, -EINVAL, "a hand-over to no such owner");
	if (to->to == WARD_OWNER_CLIENT && to->client >= state->clients_count)
		return ward_fail(error, -EINVAL, "there is no client %u", (unsigned int)to->client);
	if (!to->functions_count || to->functions_count > state->machine->functions_count)
		return ward_fail(error, -EINVAL, "a hand-over of no functions, or of too many");
	named = ward_alloc_array(state->machine->functions_count, sizeof(*named));
	if (!named)
		return ward_fail(error, -ENOMEM, "no memory");
	code = check_functions(state, to, named, error);
	free(named);
	return code;
}

/* A driver of the host that is bound now; of others, the one that somebody chose for it. */
static int remember_drivers(struct making *m)
{
	for (uint32_t i = 0; i < m->to->functions_count; i++) {
		const struct ward_function_state *f = function_of(m, i);
		const char *driver =
			f->driver && !f->driver_yields ? f->driver : f->driver_override;

		if (!driver)
			continue;
		m->drivers[i] = ward_arena_strdup(&m->plan->arena, driver);
		if (!m->drivers[i])
			return -ENOMEM;
	}
	return 0;
}

static int make(struct making *m)
{
	int code = remember_drivers(m);

	if (!code)
		code = empty(m);
	if (!code && !m->refused)
		code = clean(m);
	if (code || m->refused || m->to->to == WARD_OWNER_NOBODY)
		return code;
	return m->to->to == WARD_OWNER_CLIENT ? give_to_client(m) : give_to_host(m);
}

int ward_plan_hand_over(const struct ward_ownership *ownership,
			const struct ward_hand_over *hand_over, struct ward_plan **ret_plan,
			struct ward_outcome *ret_outcome, struct ward_error *ret_error)
{
	struct making m = { .to = hand_over, .error = ret_error };
	int code = check(ownership, hand_over, ret_error);

	if (code)
		return code;
	m.drivers = ward_alloc_array(hand_over->functions_count, sizeof(*m.drivers));
	m.chosen = ward_alloc_array(hand_over->functions_count, sizeof(*m.chosen));
	code = m.drivers && m.chosen ? ward_plan_create(ownership, &m.plan) : -ENOMEM;
	if (!code)
		code = ward_ownership_copy(ownership, &m.trial);
	if (!code)
		code = make(&m);
	ward_ownership_destroy(m.trial);
	free(m.drivers);
	free(m.chosen);
	if (code) {
		ward_plan_destroy(m.plan ? &m.plan->plan : NULL);
		ward_outcome_finish(&m.outcome);
		return code == -ENOMEM ? ward_fail(ret_error, code, "no memory") : code;
	}
	if (m.refused)
		ward_plan_destroy(&m.plan->plan);
	*ret_plan = m.refused ? NULL : &m.plan->plan;
	if (ret_outcome)
		*ret_outcome = m.outcome;
	else
		ward_outcome_finish(&m.outcome);
	return 0;
}

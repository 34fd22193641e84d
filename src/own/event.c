// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * An event happens, or would. Its effect is applied where it is, with a note of how everything was, and
 * judged there: so a refusal costs what was touched.
 */
#include "own/core.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "isolate/refusal.h"

static const struct own_handler *const handlers[WARD_EVENTS] = {
	[WARD_EVENT_BIND] = &own_bind,
	[WARD_EVENT_UNBIND] = &own_unbind,
	[WARD_EVENT_CLAIM] = &own_claim,
	[WARD_EVENT_ATTACH] = &own_attach,
	[WARD_EVENT_DETACH] = &own_detach,
	[WARD_EVENT_RELEASE] = &own_release,
	[WARD_EVENT_DEATH] = &own_death,
	[WARD_EVENT_REVOKE] = &own_revoke,
	[WARD_EVENT_HOT_ADD] = &own_hot_add,
	[WARD_EVENT_HOT_REMOVE] = &own_hot_remove,
	[WARD_EVENT_VFS_ON] = &own_vfs_on,
	[WARD_EVENT_VFS_OFF] = &own_vfs_off,
	[WARD_EVENT_VECTOR] = &own_vector,
	[WARD_EVENT_FREEZE] = &own_freeze,
	[WARD_EVENT_THAW] = &own_thaw,
	[WARD_EVENT_RESET] = &own_reset,
	[WARD_EVENT_QUARANTINE] = &own_quarantine,
};

/* An event on its way. */
struct happening {
	struct ward_ownership *o;
	struct ward_event event; /* with the functions of the client that died */
	const struct own_handler *handler;
	bool fact;
	uint32_t waivers_before;
	struct ward_environment *environment_before;
	struct own_judging judging;
	struct own_noting noting;
};

bool own_refuse(struct own_refusal *refusal, const char *code, uint32_t subject, uint32_t blocker,
		const char *format, ...)
{
	va_list args;

	refusal->code = code;
	refusal->subject = subject;
	refusal->blocker = blocker;
	va_start(args, format);
	vsnprintf(refusal->text, sizeof(refusal->text), format, args);
	va_end(args);
	return true;
}

const char *own_name(const struct ward_ownership *o, uint32_t function)
{
	return o->machine->functions[function].name;
}

const char *own_holder(const struct ward_ownership *o, uint32_t function)
{
	const struct ward_function_state *f = &o->state->functions[function];

	if (f->owner.kind == WARD_OWNER_CLIENT)
		return o->state->clients[f->owner.client];
	return f->owner.kind == WARD_OWNER_HOST ? "the host" : "nobody";
}

bool own_refuse_if_clients(const struct ward_ownership *o, uint32_t function,
			   struct own_refusal *refusal)
{
	return own_is_clients(o, function) &&
	       own_refuse(refusal, "already-owned", function, function, "%s belongs to client %s",
			  own_name(o, function), own_holder(o, function));
}

void own_next_stamp(struct ward_ownership *o)
{
	if (++o->stamp)
		return;
	memset(o->mark, 0, o->machine->functions_count * sizeof(*o->mark));
	for (uint32_t i = 0; i < o->clients_known; i++)
		o->clients[i].stamp = 0;
	o->stamp = 1;
}

static int check_functions(struct ward_ownership *o, const struct ward_event *event,
			   struct ward_error *error)
{
	if (!event->functions || !event->functions_count)
		return ward_fail(error, -EINVAL, "%s of no function", ward_event_name(event->kind));
	for (uint32_t i = 0; i < event->functions_count; i++) {
		uint32_t function = event->functions[i];

		if (function >= o->machine->functions_count)
			return ward_fail(error, -EINVAL, "there is no function %u in the machine",
					 (unsigned int)function);
		if (own_is_named(o, function))
			return ward_fail(error, -EINVAL, "%s is named twice",
					 own_name(o, function));
		o->mark[function] = o->stamp;
	}
	return 0;
}

/* What the event says, by itself and with what is there. */
static int check_sense(struct happening *h, struct ward_error *error)
{
	struct ward_ownership *o = h->o;
	const struct ward_event *event = &h->event;
	const struct own_handler *handler = h->handler;
	int err = handler->functions ? check_functions(o, event, error) : 0;

	if (err)
		return err;
	if (handler->never_fact && event->fact)
		return ward_fail(error, -EINVAL, "a %s is never a fact",
				 ward_event_name(event->kind));
	if (handler->client && event->client >= o->clients_known)
		return ward_fail(error, -EINVAL, "there is no client %u",
				 (unsigned int)event->client);
	if (handler->controller && event->controller >= o->machine->controllers_count)
		return ward_fail(error, -EINVAL, "there is no MSI controller %u",
				 (unsigned int)event->controller);
	if (event->waivers_count && !event->waivers)
		return ward_fail(error, -EINVAL, "waivers are missing");
	for (uint32_t i = 0; handler->functions && handler->sense && i < event->functions_count;
	     i++) {
		err = handler->sense(o, event, event->functions[i], error);
		if (err)
			return err;
	}
	return 0;
}

/* All that a client has dies with it. */
static void name_all_of_client(struct happening *h)
{
	struct ward_ownership *o = h->o;
	uint32_t count = 0;

	for (uint32_t f = o->clients[h->event.client].first; f != WARD_NONE; f = o->next[f])
		o->scratch[count++] = f;
	h->event.functions = o->scratch;
	h->event.functions_count = count;
}

static bool is_refused(struct happening *h, struct own_refusal *refusal)
{
	struct ward_ownership *o = h->o;
	const struct ward_event *event = &h->event;

	if (h->fact)
		return false;
	/* Who takes something away is let through: that is what contains it. */
	if (o->exposures_open && !h->handler->takes_away)
		return own_refuse(refusal, "unsettled", event->functions[0], WARD_NONE,
				  "a client reaches what is not its own: first that is contained");
	for (uint32_t i = 0; h->handler->refused && i < event->functions_count; i++) {
		if (h->handler->refused(o, event, event->functions[i], refusal))
			return true;
	}
	return false;
}

static bool is_refused_then(struct happening *h, struct own_refusal *refusal)
{
	for (uint32_t i = 0; h->handler->refused_then && !h->fact && i < h->event.functions_count;
	     i++) {
		if (h->handler->refused_then(h->o, &h->event, h->event.functions[i], refusal))
			return true;
	}
	return false;
}

static int refuse(struct happening *h, const struct own_refusal *refusal,
		  struct ward_outcome *outcome)
{
	outcome->decision = WARD_REFUSED;
	if (own_leaves_out(h->o, OWN_RULE_REFUSAL_SAYS))
		return 0;
	return ward_refusal_create(h->o->environment->isolation, h->o->options.policy,
				   refusal->code, refusal->subject, refusal->blocker, refusal->text,
				   &outcome->verdict);
}

static int take_effect(struct happening *h, uint32_t count)
{
	struct ward_ownership *o = h->o;
	struct ward_environment *environment;
	int err = 0;

	if (h->handler == &own_claim)
		err = own_waivers_borrow(o, h->event.waivers, h->event.waivers_count);
	for (uint32_t i = 0; i < count && !err; i++)
		err = h->handler->effect(o, &h->event, h->event.functions[i]);
	if (err || !o->environment_stale)
		return err;
	err = own_environment_find(o, &environment);
	if (!err) {
		h->environment_before = o->environment;
		o->environment = environment;
	}
	return err;
}

static void take_back(struct happening *h)
{
	struct ward_ownership *o = h->o;

	ward_own_undo(o);
	o->waivers_count = h->waivers_before;
	if (h->environment_before) {
		own_environment_put(o->environment);
		o->environment = h->environment_before;
		h->environment_before = NULL;
	}
}

/* Which rule is left out decides whether anybody looks at what is reached afterwards. */
static bool is_unjudged(const struct happening *h)
{
	const struct ward_ownership *o = h->o;

	switch (h->event.kind) {
	case WARD_EVENT_BIND:
	case WARD_EVENT_VFS_ON:
		return own_leaves_out(o,
				      h->fact ? OWN_RULE_NEWCOMER_QUARANTINE : OWN_RULE_BIND_CHECK);
	case WARD_EVENT_HOT_ADD:
		return own_leaves_out(o, OWN_RULE_NEWCOMER_QUARANTINE);
	case WARD_EVENT_VECTOR:
		return own_leaves_out(o, OWN_RULE_VECTOR_LANDED);
	case WARD_EVENT_THAW:
		return own_leaves_out(o, OWN_RULE_THAW_CHECK);
	case WARD_EVENT_UNBIND:
	case WARD_EVENT_CLAIM:
	case WARD_EVENT_ATTACH:
	case WARD_EVENT_DETACH:
	case WARD_EVENT_RELEASE:
	case WARD_EVENT_DEATH:
	case WARD_EVENT_REVOKE:
	case WARD_EVENT_HOT_REMOVE:
	case WARD_EVENT_VFS_OFF:
	case WARD_EVENT_FREEZE:
	case WARD_EVENT_RESET:
	case WARD_EVENT_QUARANTINE:
	case WARD_EVENTS:
		break;
	}
	return false;
}

static bool is_of_others(const struct ward_finding *finding)
{
	return strcmp(finding->code, "reached-by-other") == 0;
}

/*
 * A claim is judged itself, and says what others reach of it. If that is accepted, those others are to
 * be in order with it, too.
 */
static int judge_claim(struct happening *h)
{
	int err = own_judge_claim(h->o, &h->event, &h->judging);

	for (uint32_t i = 0; !err && i < h->judging.claim->findings_count; i++) {
		const struct ward_finding *finding = &h->judging.claim->findings[i];

		if (is_of_others(finding) && finding->waived)
			return own_judge_concerned(h->o, &h->event, &h->judging);
	}
	return err;
}

static int judge(struct happening *h)
{
	if (h->event.kind == WARD_EVENT_CLAIM)
		return judge_claim(h);
	return is_unjudged(h) ? own_judge_open(h->o, &h->judging)
			      : own_judge_concerned(h->o, &h->event, &h->judging);
}

/* What was found speaks against a request. Nobody is kept from giving back. */
static bool is_found_unsafe(const struct happening *h)
{
	if (h->fact || h->handler->takes_away)
		return false;
	for (uint32_t i = 0; h->judging.claim && i < h->judging.claim->findings_count; i++) {
		const struct ward_finding *finding = &h->judging.claim->findings[i];
		bool others = strcmp(finding->code, "reached-by-other") == 0;

		if (own_counts(finding) &&
		    !own_leaves_out(h->o, others ? OWN_RULE_CLAIM_OTHERS : OWN_RULE_CLAIM_REACH))
			return true;
	}
	for (uint32_t i = 0; i < h->judging.count; i++) {
		if (h->judging.judged[i].exposed)
			return true;
	}
	return false;
}

/* The verdict that tells most: of the claim, or of the first client that is exposed. */
static struct ward_verdict *move_verdict(struct happening *h)
{
	struct ward_verdict *verdict = h->judging.claim;

	h->judging.claim = NULL;
	for (uint32_t i = 0; i < h->judging.count && (!verdict || verdict->answer == WARD_SAFE);
	     i++) {
		struct own_judged *judged = &h->judging.judged[i];

		if (!judged->exposed)
			continue;
		ward_verdict_destroy(verdict);
		verdict = judged->verdict;
		judged->verdict = NULL;
	}
	return verdict;
}

/* It stays. Nothing in here fails. */
static void commit(struct happening *h, struct ward_outcome *outcome)
{
	struct ward_ownership *o = h->o;

	ward_own_keep(o);
	if (own_leaves_out(o, OWN_RULE_WAIVERS))
		o->waivers_count = h->waivers_before;
	if (h->environment_before)
		own_environment_put(h->environment_before);
	h->environment_before = NULL;
	outcome->event = ++o->events;
	o->version++;
	own_exposures_note(o, &h->event, &h->judging, &h->noting);
	outcome->opened = h->noting.opened;
	outcome->contained = h->noting.contained;
}

/* A rule that is left out on purpose: what was refused as a whole happens to the first one. */
static int happen_by_half(struct happening *h)
{
	int err = take_effect(h, 1);

	if (err) {
		take_back(h);
		return err;
	}
	ward_own_keep(h->o);
	own_environment_put(h->environment_before);
	h->environment_before = NULL;
	return 0;
}

static bool leaves_exposed(const struct happening *h)
{
	for (uint32_t i = 0; i < h->judging.count; i++) {
		if (h->judging.judged[i].exposed)
			return true;
	}
	return false;
}

static bool exposes(const struct happening *h)
{
	for (uint32_t i = 0; i < h->judging.count; i++) {
		const struct own_judged *judged = &h->judging.judged[i];

		if (judged->exposed && !h->o->clients[judged->client].exposure)
			return true;
	}
	return false;
}

static int decide(struct happening *h, bool stays, struct ward_outcome *outcome)
{
	struct ward_ownership *o = h->o;
	bool refused = is_found_unsafe(h);
	int err = 0;

	if (refused)
		outcome->decision = WARD_REFUSED;
	else if (h->fact)
		outcome->decision = leaves_exposed(h) ? WARD_UNSETTLED : WARD_RECORDED;
	else
		outcome->decision = exposes(h) ? WARD_UNSETTLED : WARD_ALLOWED;
	if (!refused && stays)
		err = own_waivers_take(o, h->waivers_before);
	if (!refused && stays && !err)
		err = own_exposures_prepare(o, &h->event, &h->judging, &h->noting);
	if (refused || !stays || err)
		take_back(h);
	else
		commit(h, outcome);
	if (!err && refused && stays && own_leaves_out(o, OWN_RULE_ALL_OR_NOTHING) &&
	    h->event.functions_count > 1)
		err = happen_by_half(h);
	outcome->verdict = err ? NULL : move_verdict(h);
	return err;
}

static int happen(struct happening *h, bool stays, struct ward_outcome *outcome,
		  struct ward_error *error)
{
	struct own_refusal refusal;
	bool left = false;
	int err = check_sense(h, error);

	if (err)
		return err;
	if (h->event.kind == WARD_EVENT_DEATH)
		name_all_of_client(h);
	if (is_refused(h, &refusal))
		return refuse(h, &refusal, outcome);
	err = take_effect(h, h->event.functions_count);
	if (!err && is_refused_then(h, &refusal)) {
		take_back(h);
		return refuse(h, &refusal, outcome);
	}
	if (!err)
		err = judge(h);
	if (!err && h->event.kind == WARD_EVENT_CLAIM && !is_found_unsafe(h))
		err = own_find_left(h->o, &h->event, &refusal, &left);
	if (err || left)
		take_back(h);
	if (left)
		return refuse(h, &refusal, outcome);
	return err ? err : decide(h, stays, outcome);
}

static int run(struct ward_ownership *o, const struct ward_event *event, bool stays,
	       struct ward_outcome *ret_outcome, struct ward_error *error)
{
	struct ward_outcome outcome = { .decision = WARD_REFUSED };
	struct happening h = { .o = o, .waivers_before = o->waivers_count };
	int err;

	if (event->size != sizeof(*event) || event->kind >= WARD_EVENTS)
		return ward_fail(error, -EINVAL, "not an event");
	h.event = *event;
	h.handler = handlers[event->kind];
	h.fact = event->fact || h.handler->always_fact;
	own_next_stamp(o);
	err = happen(&h, stays, &outcome, error);
	if (err == -ENOMEM)
		ward_fail(error, err, "out of memory");
	own_judging_finish(&h.judging);
	own_noting_finish(&h.noting);
	if (err || !ret_outcome) {
		ward_verdict_destroy(outcome.verdict);
		return err;
	}
	*ret_outcome = outcome;
	return 0;
}

int ward_ownership_apply(struct ward_ownership *o, const struct ward_event *event,
			 struct ward_outcome *ret_outcome, struct ward_error *ret_error)
{
	return run(o, event, true, ret_outcome, ret_error);
}

int ward_ownership_try(struct ward_ownership *o, const struct ward_event *event,
		       struct ward_outcome *ret_outcome, struct ward_error *ret_error)
{
	return run(o, event, false, ret_outcome, ret_error);
}

void ward_outcome_finish(struct ward_outcome *outcome)
{
	ward_verdict_destroy(outcome->verdict);
	outcome->verdict = NULL;
}

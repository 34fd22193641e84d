// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "app/scenario_check.h"

#include "app/nearest.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Where a field stands. */
struct place {
	char path[128];
};

__attribute__((format(printf, 1, 2))) static struct place place(const char *format, ...)
{
	struct place place;
	va_list args;

	va_start(args, format);
	vsnprintf(place.path, sizeof(place.path), format, args);
	va_end(args);
	return place;
}

/* Members of an event. */
enum {
	FUNCTIONS = 1 << 0,
	CLIENT = 1 << 1,
	DRIVER = 1 << 2,
	CONTROLLER = 1 << 3,
	CONTAINER = 1 << 4,
	FACT = 1 << 5,
	ACCEPT = 1 << 6,
};

/* What an event needs, and what else it may have. */
static const struct {
	unsigned int needs, takes;
} members[WARD_EVENTS] = {
	[WARD_EVENT_BIND] = { FUNCTIONS | DRIVER, FACT },
	[WARD_EVENT_UNBIND] = { FUNCTIONS, FACT },
	[WARD_EVENT_CLAIM] = { FUNCTIONS | CLIENT, ACCEPT },
	[WARD_EVENT_ATTACH] = { FUNCTIONS, CONTAINER },
	[WARD_EVENT_DETACH] = { FUNCTIONS, FACT },
	[WARD_EVENT_RELEASE] = { FUNCTIONS, FACT },
	[WARD_EVENT_DEATH] = { CLIENT, FACT },
	[WARD_EVENT_REVOKE] = { FUNCTIONS, 0 },
	[WARD_EVENT_HOT_ADD] = { FUNCTIONS, DRIVER | FACT },
	[WARD_EVENT_HOT_REMOVE] = { FUNCTIONS, FACT },
	[WARD_EVENT_VFS_ON] = { FUNCTIONS, DRIVER | FACT },
	[WARD_EVENT_VFS_OFF] = { FUNCTIONS, FACT },
	[WARD_EVENT_VECTOR] = { FUNCTIONS | CONTROLLER, FACT },
	[WARD_EVENT_FREEZE] = { FUNCTIONS, FACT },
	[WARD_EVENT_THAW] = { FUNCTIONS, 0 },
	[WARD_EVENT_RESET] = { FUNCTIONS, FACT },
	[WARD_EVENT_QUARANTINE] = { FUNCTIONS, FACT },
};

static const char *const member_names[] = { "functions", "client", "driver", "controller",
					    "container", "fact",   "accept" };

static unsigned int members_of(const struct app_scenario_event *event)
{
	return (event->functions_count ? FUNCTIONS : 0) | (event->client ? CLIENT : 0) |
	       (event->driver ? DRIVER : 0) | (event->controller ? CONTROLLER : 0) |
	       (event->container ? CONTAINER : 0) | (event->fact ? FACT : 0) |
	       (event->accept_count ? ACCEPT : 0);
}

static const char *first_member(unsigned int bits)
{
	unsigned int bit = 0;

	while (!(bits & 1u << bit))
		bit++;
	return member_names[bit];
}

static int check_event(const struct app_script *script, uint32_t number, unsigned int kind,
		       struct ward_error *error)
{
	const struct app_scenario_event *event = script->scenario->steps[number].event[kind];
	const char *name = ward_event_name((enum ward_event_kind)kind);
	struct place at = place("steps[%u].%s", number, name);
	unsigned int has = members_of(event);
	unsigned int missing = members[kind].needs & ~has;
	unsigned int much = has & ~(members[kind].needs | members[kind].takes);

	if (missing)
		return app_yaml_fail(&script->yaml, error, at.path, "needs \"%s\"",
				     first_member(missing));
	if (much)
		return app_yaml_fail(&script->yaml, error,
				     place("%s.%s", at.path, first_member(much)).path,
				     "%s takes no \"%s\"", name, first_member(much));
	return 0;
}

static int check_dma(const struct app_script *script, uint32_t number, const char *name,
		     const struct app_scenario_dma *dma, struct ward_error *error)
{
	struct place at = place("steps[%u].%s", number, name);
	int targets = (dma->memory != NULL) + (dma->bar != NULL) + (dma->doorbell != NULL) +
		      (dma->address != NULL);

	if (targets != 1)
		return app_yaml_fail(&script->yaml, error, at.path,
				     "needs one of \"memory\", \"bar\", \"doorbell\", "
				     "\"address\"");
	if (dma->data && !dma->doorbell && !dma->address)
		return app_yaml_fail(&script->yaml, error, at.path,
				     "\"data\" is what a doorbell is rung with");
	return 0;
}

/* Which of its expectations a step can meet. */
static int check_expect(const struct app_script *script, uint32_t number, struct ward_error *error)
{
	const struct app_scenario_step *step = &script->scenario->steps[number];
	const struct app_scenario_expect *expect = step->expect;
	bool ring = step->ring, dma = step->write || step->read, hostile = step->hostile;
	bool judged = !ring && !dma && !hostile && !step->enable && !step->contain;
	const char *wrong = NULL;

	if (!expect)
		return 0;
	if (!ring && (expect->arrives || expect->gsi))
		wrong = expect->arrives ? "arrives" : "gsi";
	else if (!ring && (expect->through || expect->number))
		wrong = expect->through ? "through" : "number";
	else if (!dma && (expect->ends || expect->of))
		wrong = expect->ends ? "ends" : "of";
	else if (!hostile && expect->touched_count)
		wrong = "touched";
	else if (!judged && (expect->decision || expect->findings_count || expect->accepted_count))
		wrong = expect->decision	 ? "decision"
			: expect->findings_count ? "findings"
						 : "accepted";
	if (wrong)
		return app_yaml_fail(&script->yaml, error,
				     place("steps[%u].expect.%s", number, wrong).path,
				     "nothing of the kind comes of \"%s\"", app_step_name(step));
	return 0;
}

static int check_words(const struct app_script *script, const char *path, const char *word,
		       const char *const *words, struct ward_error *error)
{
	struct app_nearest nearest;

	if (!word)
		return 0;
	app_nearest_init(&nearest, word);
	for (; *words; words++) {
		if (strcmp(word, *words) == 0)
			return 0;
		app_nearest_offer(&nearest, *words);
	}
	if (nearest.count)
		return app_yaml_fail(&script->yaml, error, path,
				     "there is no \"%s\"; did you mean \"%s\"?", word,
				     nearest.found[0]);
	return app_yaml_fail(&script->yaml, error, path, "there is no \"%s\"", word);
}

static int check_codes(const struct app_script *script, uint32_t number, const char *field,
		       char *const *codes, uint32_t count, struct ward_error *error)
{
	const struct ward_finding_info *info;

	for (uint32_t i = 0; i < count; i++) {
		for (info = ward_findings(); info->code; info++)
			if (strcmp(info->code, codes[i]) == 0)
				break;
		if (!info->code)
			return app_yaml_fail(&script->yaml, error,
					     place("steps[%u].expect.%s[%u]", number, field, i).path,
					     "no finding is called \"%s\"", codes[i]);
	}
	return 0;
}

static int check_expected_words(const struct app_script *script, uint32_t number,
				struct ward_error *error)
{
	static const char *const decisions[] = { "allowed", "refused", "recorded", "unsettled",
						 NULL };
	static const char *const ends[] = { "memory",  "bar",	  "doorbell", "fault",
					    "blocked", "nowhere", "frozen",   NULL };
	const struct app_scenario_expect *expect = script->scenario->steps[number].expect;
	int code;

	if (!expect)
		return 0;
	code = check_words(script, place("steps[%u].expect.decision", number).path,
			   expect->decision, decisions, error);
	if (!code)
		code = check_words(script, place("steps[%u].expect.ends", number).path,
				   expect->ends, ends, error);
	if (!code)
		code = check_codes(script, number, "findings", expect->findings,
				   expect->findings_count, error);
	return code ? code
		    : check_codes(script, number, "accepted", expect->accepted,
				  expect->accepted_count, error);
}

static unsigned int actions_of(const struct app_scenario_step *step)
{
	unsigned int actions = (step->hand_over != NULL) + (step->enable != NULL) +
			       (step->ring != NULL) + (step->write != NULL) + (step->read != NULL) +
			       (step->hostile != NULL) + (step->contain != NULL);

	for (unsigned int kind = 0; kind < WARD_EVENTS; kind++)
		actions += step->event[kind] != NULL;
	return actions;
}

static int check_step(const struct app_script *script, uint32_t number, struct ward_error *error)
{
	const struct app_scenario_step *step = &script->scenario->steps[number];
	unsigned int actions = actions_of(step);
	int code = 0;

	if (actions != 1)
		return app_yaml_fail(&script->yaml, error, place("steps[%u]", number).path,
				     actions ? "two things in one step"
					     : "nothing happens in this step");
	for (unsigned int kind = 0; !code && kind < WARD_EVENTS; kind++)
		if (step->event[kind])
			code = check_event(script, number, kind, error);
	if (!code && (step->write || step->read))
		code = check_dma(script, number, app_step_name(step),
				 step->write ? step->write : step->read, error);
	if (!code)
		code = check_expect(script, number, error);
	return code ? code : check_expected_words(script, number, error);
}

static int check_clients(const struct app_script *script, struct ward_error *error)
{
	const struct app_scenario *scenario = script->scenario;

	for (uint32_t i = 0; i < scenario->clients_count; i++) {
		const char *name = scenario->clients[i];
		struct place at = place("clients[%u]", i);

		if (!strcmp(name, "host") || !strcmp(name, "nobody") || !strcmp(name, "nowhere") ||
		    !strcmp(name, "several"))
			return app_yaml_fail(&script->yaml, error, at.path,
					     "\"%s\" is no name for a client", name);
		for (uint32_t j = 0; j < i; j++)
			if (strcmp(name, scenario->clients[j]) == 0)
				return app_yaml_fail(&script->yaml, error, at.path,
						     "\"%s\" stands there twice", name);
	}
	return 0;
}

/* An entry that says nothing could not fail. */
static int check_final(const struct app_script *script, uint32_t number, struct ward_error *error)
{
	const struct app_scenario_final *final = &script->scenario->final[number];

	if (final->owner || final->driver || final->tainted || final->container || final->blocked ||
	    final->frozen || final->revoking || final->quarantined || final->absent)
		return 0;
	return app_yaml_fail(&script->yaml, error, place("final[%u]", number).path,
			     "nothing is expected of %s", final->function);
}

int app_script_check(const struct app_script *script, struct ward_error *ret_error)
{
	int code = check_clients(script, ret_error);

	for (uint32_t i = 0; !code && i < script->scenario->steps_count; i++)
		code = check_step(script, i, ret_error);
	for (uint32_t i = 0; !code && i < script->scenario->final_count; i++)
		code = check_final(script, i, ret_error);
	return code;
}

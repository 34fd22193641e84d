// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What a proof says, as text and as JSON. */
#include "cli/prove.h"

#include <stdlib.h>
#include <string.h>

#include "app/memory.h"
#include "cli/show.h"
#include "cli/source.h"

static const char *const sentences[WARD_PROMISES] = {
	[WARD_PROMISE_REACH] = "in a settled state no client reaches what is not its own",
	[WARD_PROMISE_ONE_OWNER] = "nothing is in two hands",
	[WARD_PROMISE_FINDING] = "every refusal has a finding",
	[WARD_PROMISE_UNCHANGED] = "a refusal changes nothing",
	[WARD_PROMISE_RELEASE] = "what was released is nobody's until it was reset",
	[WARD_PROMISE_CONTAINMENT] = "every exposure ends in containment",
};

static const char *end_name(enum ward_exploration_end end)
{
	switch (end) {
	case WARD_EXPLORATION_RUNNING:
		break;
	case WARD_EXPLORATION_COMPLETE:
		return "complete";
	case WARD_EXPLORATION_BROKEN:
		return "broken";
	case WARD_EXPLORATION_STOPPED:
		return "stopped";
	case WARD_EXPLORATION_FULL:
		return "full";
	}
	return "running";
}

static void append(char **list, const char *word, const char *between)
{
	char *longer = app_printf("%s%s%s", *list, **list ? between : "", word);

	free(*list);
	*list = longer;
}

static char *names_of(const struct cli_context *context, const uint32_t *functions, uint32_t count)
{
	char *list = app_strdup("");

	for (uint32_t i = 0; i < count; i++)
		append(&list, cli_name(context, functions[i]), ", ");
	return list;
}

static char *subjects_of(const struct cli_proof *proof, uint32_t *ret_count)
{
	char *list = app_strdup("");
	uint32_t cursor = 0, function;

	for (*ret_count = 0; ward_exploration_next(proof->exploration, &cursor, &function);
	     (*ret_count)++)
		append(&list, cli_name(proof->context, function), ", ");
	return list;
}

static const char *client_of(const struct cli_proof *proof, uint32_t client)
{
	uint32_t count;
	const char *const *clients = ward_exploration_clients(proof->exploration, &count);

	return client < count ? clients[client] : "?";
}

char *cli_prove_event(const struct cli_proof *proof, const struct ward_event *event)
{
	char *names = names_of(proof->context, event->functions, event->functions_count);
	const char *kind = ward_event_name(event->kind);
	char *text = NULL;

	switch (event->kind) {
	case WARD_EVENT_BIND:
	case WARD_EVENT_HOT_ADD:
	case WARD_EVENT_VFS_ON:
		text = app_printf("%s %s%s%s", kind, names, event->driver ? " to " : "",
				  event->driver ? event->driver : "");
		break;
	case WARD_EVENT_CLAIM:
		text = app_printf("%s %s for %s%s", kind, names, client_of(proof, event->client),
				  event->waivers_count ? ", risks accepted" : "");
		break;
	case WARD_EVENT_DEATH:
		text = app_printf("%s of %s", kind, client_of(proof, event->client));
		break;
	case WARD_EVENT_ATTACH:
		text = app_printf("%s %s to container %u", kind, names, event->container);
		break;
	case WARD_EVENT_VECTOR:
		text = app_printf("%s of %s at %s", kind, names,
				  proof->context->machine->controllers[event->controller].name);
		break;
	case WARD_EVENT_UNBIND:
	case WARD_EVENT_DETACH:
	case WARD_EVENT_RELEASE:
	case WARD_EVENT_REVOKE:
	case WARD_EVENT_HOT_REMOVE:
	case WARD_EVENT_VFS_OFF:
	case WARD_EVENT_FREEZE:
	case WARD_EVENT_THAW:
	case WARD_EVENT_RESET:
	case WARD_EVENT_QUARANTINE:
	case WARD_EVENTS:
		text = app_printf("%s %s", kind, names);
		break;
	}
	free(names);
	/* What is a fact by nature needs no word. */
	if (event->fact && event->kind <= WARD_EVENT_UNBIND)
		append(&text, "behind our back", ", ");
	if (event->fact && (event->kind == WARD_EVENT_VFS_ON || event->kind == WARD_EVENT_VFS_OFF))
		append(&text, "behind our back", ", ");
	return text;
}

static void say_number(const struct app_text *out, const char *what, uint64_t number,
		       const char *format, uint64_t more)
{
	app_say(out, "  %-12s%llu", what, (unsigned long long)number);
	if (format) {
		app_say(out, ", %llu ", (unsigned long long)more);
		app_say(out, "%s", format);
	}
	app_say(out, "\n");
}

static void say_answer(const struct cli_proof *proof)
{
	const struct app_text *out = &proof->context->out;
	const struct ward_exploration_progress *p = &proof->progress;

	switch (p->end) {
	case WARD_EXPLORATION_COMPLETE:
		app_say_in(out, APP_GREEN, "Every promise holds");
		if (p->whole)
			app_say(out, " in every state there is, under every order of events.\n\n");
		else
			app_say(out, " down to %u events in a row, in every order.\n\n",
				proof->explored->depth);
		break;
	case WARD_EXPLORATION_BROKEN:
		app_say_in(out, APP_RED, "A promise is broken: ");
		app_say(out, "%s.\n\n",
			sentences[ward_exploration_breach(proof->exploration)->promise]);
		break;
	case WARD_EXPLORATION_STOPPED:
	case WARD_EXPLORATION_FULL:
	case WARD_EXPLORATION_RUNNING:
		app_say_in(out, APP_YELLOW, "Cannot tell");
		app_say(out, ": no promise was broken before %s.\n\n",
			p->end == WARD_EXPLORATION_FULL ? "there was no room for more states"
							: "it was stopped");
		break;
	}
}

static void say_breach(const struct cli_proof *proof)
{
	const struct app_text *out = &proof->context->out;
	const struct ward_breach *breach = ward_exploration_breach(proof->exploration);

	if (!breach)
		return;
	app_say(out, "\n");
	app_paragraph(out, 0, 0, "%s.", breach->text);
	if (breach->events_count)
		app_say(out, "The shortest way there:\n");
	else
		app_say(out, "It is so from the beginning.\n");
	for (uint32_t i = 0; i < breach->events_count; i++) {
		char *event = cli_prove_event(proof, &breach->events[i]);

		app_say(out, "%3u. ", i + 1);
		app_paragraph(out, 5, 5, "%s", event);
		free(event);
	}
	if (proof->scenario)
		app_say(out, "To see it: doorward simulate %s\n", proof->scenario);
}

static void say_promises(const struct cli_proof *proof)
{
	const struct app_text *out = &proof->context->out;
	const struct ward_breach *breach = ward_exploration_breach(proof->exploration);

	app_say(out, "\n");
	for (unsigned int i = 0; i < WARD_PROMISES; i++) {
		bool broken = breach && breach->promise == i;
		bool holds = proof->progress.end == WARD_EXPLORATION_COMPLETE;

		app_say(out, "  %-12s", ward_promise_name(i));
		app_say_in(out,
			   broken  ? APP_RED
			   : holds ? APP_GREEN
				   : APP_YELLOW,
			   "%-10s",
			   broken  ? "broken"
			   : holds ? "holds"
				   : "so far");
		app_paragraph(out, 24, 24, "%s", sentences[i]);
	}
}

void cli_prove_say(const struct cli_proof *proof)
{
	const struct app_text *out = &proof->context->out;
	const struct ward_exploration_progress *p = &proof->progress;
	uint32_t count, clients;
	char *subjects = subjects_of(proof, &count);

	ward_exploration_clients(proof->exploration, &clients);
	say_answer(proof);
	app_say(out, "  functions   %u: ", count);
	app_paragraph(out, 17, 17, "%s", subjects);
	free(subjects);
	app_say(out, "  clients     %u, each with %u container%s\n", clients,
		proof->explored->containers, proof->explored->containers == 1 ? "" : "s");
	say_number(out, "states", p->states, "settled", p->settled);
	say_number(out, "events", p->transitions, "refused", p->refused);
	say_number(out, "exposures", p->exposures, NULL, 0);
	say_number(out, "in a row", p->depth, NULL, 0);
	say_promises(proof);
	say_breach(proof);
	app_say(out,
		"\nTook %.1f s with %u thread%s: %.0f states/s, %.0f events/s, %.1f MiB, %llu "
		"bytes a state.\n",
		proof->seconds, proof->threads, proof->threads == 1 ? "" : "s",
		(double)p->states / proof->seconds, (double)p->transitions / proof->seconds,
		(double)p->bytes / (1 << 20),
		(unsigned long long)(p->states ? p->bytes / p->states : 0));
}

static void put_count(struct json_object *object, const char *key, uint64_t value)
{
	app_json_put(object, key, json_object_new_int64((int64_t)value));
}

static struct json_object *event_json(const struct cli_proof *proof, const struct ward_event *event)
{
	struct json_object *object = app_json_object(), *functions = app_json_array();
	char *text = cli_prove_event(proof, event);

	app_json_put_text(object, "event", ward_event_name(event->kind));
	for (uint32_t i = 0; i < event->functions_count; i++)
		app_json_add(functions, cli_name_json(proof->context, event->functions[i]));
	app_json_put(object, "functions", functions);
	app_json_put_bool(object, "fact", event->fact);
	app_json_put_text(object, "text", text);
	free(text);
	return object;
}

static struct json_object *breach_json(const struct cli_proof *proof)
{
	const struct ward_breach *breach = ward_exploration_breach(proof->exploration);
	struct json_object *object, *events;

	if (!breach)
		return NULL;
	object = app_json_object();
	events = app_json_array();
	app_json_put_text(object, "promise", ward_promise_name(breach->promise));
	app_json_put_text(object, "text", breach->text);
	for (uint32_t i = 0; i < breach->events_count; i++)
		app_json_add(events, event_json(proof, &breach->events[i]));
	app_json_put(object, "events", events);
	app_json_put_text(object, "scenario", proof->scenario);
	return object;
}

struct json_object *cli_prove_json(const struct cli_proof *proof)
{
	struct json_object *document = app_json_document("prove"), *list = app_json_array();
	const struct ward_exploration_progress *p = &proof->progress;
	uint32_t count, cursor = 0, function;

	app_json_put_text(document, "rules", WARD_RULES_VERSION);
	app_json_put_text(document, "end", end_name(p->end));
	app_json_put_bool(document, "complete", p->end == WARD_EXPLORATION_COMPLETE && p->whole);
	while (ward_exploration_next(proof->exploration, &cursor, &function))
		app_json_add(list, cli_name_json(proof->context, function));
	app_json_put(document, "functions", list);
	ward_exploration_clients(proof->exploration, &count);
	app_json_put_number(document, "clients", count);
	app_json_put_number(document, "containers", proof->explored->containers);
	put_count(document, "states", p->states);
	put_count(document, "settled", p->settled);
	put_count(document, "transitions", p->transitions);
	put_count(document, "refused", p->refused);
	put_count(document, "exposures", p->exposures);
	app_json_put_number(document, "depth", p->depth);
	put_count(document, "bytes", p->bytes);
	app_json_put_number(document, "threads", proof->threads);
	app_json_put(document, "seconds", json_object_new_double(proof->seconds));
	app_json_put(document, "breach", breach_json(proof));
	app_json_put(document, "machine", cli_machine_json(proof->context));
	return document;
}

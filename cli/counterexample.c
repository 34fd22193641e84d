// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The way to a broken promise as a scenario. What is expected of each step is what came of it here: who
 * plays it, and gets through, has seen the promise broken.
 */
#include "cli/prove.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/machine_yaml.h"
#include "app/memory.h"

/* YAML's double quotes: names come from files that others wrote. */
static void put_quoted(FILE *file, const char *text)
{
	fputc('"', file);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(file, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(file, "\\x%02x", c);
		else
			fputc(c, file);
	}
	fputc('"', file);
}

static void put_list(FILE *file, const struct cli_proof *proof, const struct ward_event *event)
{
	fprintf(file, "functions: [");
	for (uint32_t i = 0; i < event->functions_count; i++) {
		fprintf(file, "%s", i ? ", " : "");
		put_quoted(file, proof->context->machine->functions[event->functions[i]].name);
	}
	fprintf(file, "]");
}

static bool may_be_asked(enum ward_event_kind kind)
{
	return kind == WARD_EVENT_BIND || kind == WARD_EVENT_UNBIND || kind == WARD_EVENT_DETACH ||
	       kind == WARD_EVENT_RELEASE || kind == WARD_EVENT_VFS_ON ||
	       kind == WARD_EVENT_VFS_OFF;
}

static bool has_client(enum ward_event_kind kind)
{
	return kind == WARD_EVENT_CLAIM || kind == WARD_EVENT_DEATH;
}

static bool has_driver(enum ward_event_kind kind)
{
	return kind == WARD_EVENT_BIND || kind == WARD_EVENT_HOT_ADD || kind == WARD_EVENT_VFS_ON;
}

static void put_accepted(FILE *file, const struct cli_proof *proof, const struct ward_event *event)
{
	for (uint32_t i = 0; i < event->waivers_count; i++) {
		const struct ward_waiver *waiver = &event->waivers[i];
		uint32_t function =
			waiver->any_function
				? WARD_NONE
				: ward_machine_find(proof->context->machine, waiver->address);

		fprintf(file, "%s{code: ", i ? ", " : ", accept: [");
		put_quoted(file, waiver->code);
		if (function != WARD_NONE) {
			fprintf(file, ", function: ");
			put_quoted(file, proof->context->machine->functions[function].name);
		}
		fprintf(file, "}%s", i + 1 == event->waivers_count ? "]" : "");
	}
}

static void put_event(FILE *file, const struct cli_proof *proof, const struct ward_event *event)
{
	uint32_t count;
	const char *const *clients = ward_exploration_clients(proof->exploration, &count);
	bool functions = event->kind != WARD_EVENT_DEATH;

	fprintf(file, "  - %s: {", ward_event_name(event->kind));
	if (functions)
		put_list(file, proof, event);
	if (has_client(event->kind)) {
		fprintf(file, "%sclient: ", functions ? ", " : "");
		put_quoted(file, clients[event->client]);
	}
	if (has_driver(event->kind) && event->driver) {
		fprintf(file, ", driver: ");
		put_quoted(file, event->driver);
	}
	if (event->kind == WARD_EVENT_ATTACH)
		fprintf(file, ", container: %u", event->container);
	if (event->kind == WARD_EVENT_VECTOR) {
		fprintf(file, ", controller: ");
		put_quoted(file, proof->context->machine->controllers[event->controller].name);
	}
	put_accepted(file, proof, event);
	if (event->fact && may_be_asked(event->kind))
		fprintf(file, ", fact: true");
	fprintf(file, "}\n");
}

static bool is_containment(const struct ward_event *next, const struct ward_event *event)
{
	return next->kind == event->kind && next->functions_count == event->functions_count &&
	       memcmp(next->functions, event->functions,
		      event->functions_count * sizeof(*event->functions)) == 0;
}

/* Clients whose exposures began with the event. */
static void put_exposed(FILE *file, const struct ward_ownership *ownership, uint64_t event)
{
	const char **clients = ward_ownership_state(ownership)->clients;
	const struct ward_exposure *exposures;
	uint32_t count, exposed = 0;

	exposures = ward_ownership_exposures(ownership, &count);
	for (uint32_t i = 0; i < count; i++) {
		if (exposures[i].opened != event)
			continue;
		fprintf(file, "%s", exposed++ ? ", " : ", exposed: [");
		put_quoted(file, clients[exposures[i].client]);
	}
	fprintf(file, "%s", exposed ? "]" : "");
}

/* What came of it; of a containment, whether that was all. */
static void put_expected(FILE *file, const struct cli_proof *proof, const struct ward_event *event,
			 bool containment)
{
	struct ward_outcome outcome = { 0 };
	struct ward_event next;

	if (ward_ownership_apply(proof->ownership, event, &outcome, NULL) < 0)
		return;
	fprintf(file, "    expect: {");
	if (!containment)
		fprintf(file, "decision: %s, ", ward_decision_name(outcome.decision));
	fprintf(file, "settled: %s",
		ward_ownership_next(proof->ownership, &next) ? "false" : "true");
	if (outcome.event)
		put_exposed(file, proof->ownership, outcome.event);
	fprintf(file, "}\n");
	ward_outcome_finish(&outcome);
}

static void put_step(FILE *file, const struct cli_proof *proof, const struct ward_event *event)
{
	struct ward_event next;
	bool containment =
		ward_ownership_next(proof->ownership, &next) && is_containment(&next, event);

	if (containment)
		fprintf(file, "  - contain: one\n");
	else
		put_event(file, proof, event);
	put_expected(file, proof, event, containment);
}

static const char *word_of(const struct ward_state *state, struct ward_owner owner)
{
	if (owner.kind == WARD_OWNER_CLIENT)
		return owner.client == WARD_NONE ? "several" : state->clients[owner.client];
	return owner.kind == WARD_OWNER_HOST ? "host" : "nobody";
}

/* How all that was named has ended. */
static void put_final(FILE *file, const struct cli_proof *proof, const struct ward_breach *breach)
{
	const struct ward_state *state = ward_ownership_state(proof->ownership);
	const struct ward_machine *machine = proof->context->machine;
	bool *named = app_alloc(machine->functions_count, sizeof(*named));

	for (uint32_t i = 0; i < breach->events_count; i++)
		for (uint32_t j = 0; j < breach->events[i].functions_count; j++)
			named[breach->events[i].functions[j]] = true;
	fprintf(file, "final:\n");
	for (uint32_t i = 0; i < machine->functions_count; i++) {
		const struct ward_function_state *s = &state->functions[i];

		if (!named[i])
			continue;
		fprintf(file, "  - {function: ");
		put_quoted(file, machine->functions[i].name);
		fprintf(file, ", owner: ");
		put_quoted(file, word_of(state, s->owner));
		fprintf(file, ", driver: ");
		put_quoted(file, s->driver ? s->driver : "none");
		fprintf(file, ", tainted: ");
		put_quoted(file, word_of(state, s->tainted_by));
		fprintf(file, ", frozen: %s, absent: %s}\n", s->frozen ? "true" : "false",
			s->absent ? "true" : "false");
	}
	free(named);
}

/* A description, as it is in a file of its own, and nothing else supposed. */
static char *file_of(const struct cli_proof *proof)
{
	if (!proof->context->described || proof->context->options->suppose.count)
		return NULL;
	return realpath(proof->machine, NULL);
}

/* The machine itself, so that it can be played anywhere: captures and computers change. */
static void put_whole(FILE *file, const struct cli_proof *proof)
{
	char *text = NULL, *rest, *line;
	size_t size;
	FILE *machine = app_need(open_memstream(&text, &size));

	app_machine_write(machine, NULL, proof->context->machine, proof->context->state);
	if (fclose(machine))
		app_need(NULL);
	fprintf(file, "machine:\n");
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			fprintf(file, "  %s\n", line);
	free(text);
}

static void put_machine(FILE *file, const struct cli_proof *proof)
{
	char *path = file_of(proof);

	if (!path) {
		put_whole(file, proof);
		return;
	}
	fprintf(file, "machine: ");
	put_quoted(file, path);
	fprintf(file, "\n");
	free(path);
}

static void put_top(FILE *file, const struct cli_proof *proof, const struct ward_breach *breach)
{
	uint32_t count;
	const char *const *clients = ward_exploration_clients(proof->exploration, &count);

	fprintf(file, "# SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause\n");
	fprintf(file, "# Found by doorward prove: the shortest way to a broken promise.\n");
	fprintf(file, "title: ");
	put_quoted(file, ward_promise_name(breach->promise));
	fprintf(file, "\nstory: ");
	put_quoted(file, breach->text);
	fprintf(file, "\n");
	put_machine(file, proof);
	fprintf(file, "clients: [");
	for (uint32_t i = 0; i < count; i++) {
		fprintf(file, "%s", i ? ", " : "");
		put_quoted(file, clients[i]);
	}
	fprintf(file, "]\npolicy: %s\ncontain: by-hand\nvectors: by-hand\nsteps:%s\n",
		proof->explored->ownership->policy == WARD_POLICY_LINUX ? "linux" : "strict",
		breach->events_count ? "" : " []");
}

char *cli_counterexample(const struct cli_proof *proof)
{
	const struct ward_breach *breach = ward_exploration_breach(proof->exploration);
	char *text = NULL;
	size_t size;
	FILE *file = app_need(open_memstream(&text, &size));

	put_top(file, proof, breach);
	for (uint32_t i = 0; i < breach->events_count; i++)
		put_step(file, proof, &breach->events[i]);
	put_final(file, proof, breach);
	if (fclose(file)) {
		free(text);
		return NULL;
	}
	return text;
}

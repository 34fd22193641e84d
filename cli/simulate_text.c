// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A scenario as a person reads it. */
#include "cli/simulate.h"

#include "app/memory.h"
#include "app/table.h"
#include "cli/finding.h"
#include "cli/hop.h"
#include "cli/show.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INDENT 4u

void cli_say_scenario(const struct cli_simulation *simulation)
{
	const struct app_scenario *scenario = simulation->script.scenario;
	const struct app_text *out = &simulation->context->out;

	app_say_in(out, APP_BOLD, "%s\n", scenario->title);
	if (scenario->story)
		app_paragraph(out, 0, 0, "%s", scenario->story);
}

static enum app_colour decision_colour(enum ward_decision decision)
{
	switch (decision) {
	case WARD_ALLOWED:
		return APP_GREEN;
	case WARD_REFUSED:
		return APP_RED;
	case WARD_UNSETTLED:
		return APP_YELLOW;
	case WARD_RECORDED:
		break;
	}
	return APP_BOLD;
}

static bool is_reason(const struct ward_finding *finding)
{
	return finding->waived || finding->weight == WARD_BLOCKS || finding->weight == WARD_OPEN;
}

/* In full what decided, or was accepted; the rest by its code. */
static void say_verdict(const struct cli_simulation *simulation, const struct ward_verdict *verdict)
{
	const struct app_text *out = &simulation->context->out;
	struct cli_accepted accepted;
	char *rest = app_strdup("");

	if (!verdict) {
		free(rest);
		return;
	}
	accepted.waivers =
		ward_ownership_waivers(app_stage_ownership(simulation->stage), &accepted.count);
	for (uint32_t i = 0; i < verdict->findings_count; i++) {
		const struct ward_finding *finding = &verdict->findings[i];
		char *longer;

		if (is_reason(finding)) {
			cli_say_finding(simulation->context, &accepted, verdict, i);
			continue;
		}
		if (strstr(rest, finding->code))
			continue;
		longer = app_printf("%s%s%s", rest, *rest ? ", " : "", finding->code);
		free(rest);
		rest = longer;
	}
	app_say(out, "    verdict: ");
	app_paragraph(out, 13, INDENT, "%s, interrupts %s%s%s", ward_answer_name(verdict->answer),
		      ward_grade_name(verdict->grade), *rest ? "; worth knowing: " : "", rest);
	free(rest);
}

static void say_line(const struct cli_simulation *simulation, const char *format, const char *text)
{
	const struct app_text *out = &simulation->context->out;

	app_say(out, "    %s", format);
	app_paragraph(out, INDENT + strlen(format), INDENT + 2, "%s", text);
}

static void say_rung(const struct cli_simulation *simulation, const struct app_rung *rung)
{
	const struct app_text *out = &simulation->context->out;
	char *text;

	for (uint32_t i = 0; i < rung->hops_count; i++)
		cli_say_hop(out, INDENT, &rung->hops[i]);
	if (rung->off)
		text = app_strdup("its vectors are off");
	else if (rung->raise.masked)
		text = app_strdup("its vector is masked, or it is no bus master");
	else if (rung->number != WARD_NONE)
		text = app_printf("raised: %s has it, interrupt %u at CPU %u", rung->arrives,
				  rung->number, rung->cpu);
	else if (rung->raise.dma.end == WARD_DMA_FROZEN)
		text = app_strdup("raised: dropped, it is frozen");
	else
		text = app_printf("raised: %s%s",
				  strcmp(rung->arrives, "nowhere") == 0 ? "it arrives " : "",
				  strcmp(rung->arrives, "host") == 0 ? "a driver of the host has it"
								     : rung->arrives);
	say_line(simulation, "", text);
	free(text);
}

static void say_reached(const struct cli_simulation *simulation, const struct app_reached *reached)
{
	const struct ward_machine *machine = simulation->context->machine;
	const struct ward_dma_result *dma = &reached->dma;
	const char *of = reached->of ? reached->of : "";
	char fault[WARD_FAULT_TEXT], *text = NULL;

	switch (dma->end) {
	case WARD_DMA_MEMORY:
		text = app_printf("reaches memory of %s, at 0x%llx", of,
				  (unsigned long long)dma->target);
		break;
	case WARD_DMA_BAR:
		text = app_printf("reaches registers of %s (%s)",
				  machine->functions[dma->index].name, of);
		break;
	case WARD_DMA_DOORBELL:
		text = app_printf("rings %s: %s", machine->controllers[dma->index].name,
				  strcmp(of, "nobody") == 0 ? "nobody's interrupt" : of);
		break;
	case WARD_DMA_FAULT:
		ward_fault_format(&dma->fault, fault, sizeof(fault));
		text = app_strdup(fault);
		break;
	case WARD_DMA_BLOCKED:
		text = app_strdup("a bridge refuses it (ACS)");
		break;
	case WARD_DMA_NOWHERE:
		text = app_strdup("nobody answers there");
		break;
	case WARD_DMA_FROZEN:
		text = app_strdup("dropped: it is frozen");
		break;
	}
	say_line(simulation, "", text);
	free(text);
}

static void say_hostile(const struct cli_simulation *simulation, const struct app_result *result)
{
	char *text = app_printf("%u tries%s", result->tried,
				result->touched_count ? "" : ": nobody else was touched");

	say_line(simulation, "", text);
	free(text);
	for (uint32_t i = 0; i < result->touched_count; i++) {
		const struct app_touched *touched = &result->touched[i];

		text = app_printf("touched: %s, %u times; at first it %s", touched->who,
				  touched->times, touched->how);
		say_line(simulation, "", text);
		free(text);
	}
}

static void say_followed(const struct cli_simulation *simulation,
			 const struct app_followed *followed)
{
	const struct app_text *out = &simulation->context->out;
	char *text = cli_followed_text(simulation, followed);

	app_say(out, "    %s: %s: ", followed->containment ? "answer" : "then", text);
	app_say_in(out, decision_colour(followed->outcome.decision), "%s\n",
		   ward_decision_name(followed->outcome.decision));
	if (followed->outcome.decision == WARD_UNSETTLED ||
	    followed->outcome.decision == WARD_REFUSED)
		say_verdict(simulation, followed->outcome.verdict);
	free(text);
}

static void say_failures(const struct cli_simulation *simulation, const struct app_result *result)
{
	const struct app_text *out = &simulation->context->out;

	for (uint32_t i = 0; i < result->failures_count; i++) {
		app_say_in(out, APP_RED, "    NOT AS EXPECTED: ");
		app_paragraph(out, INDENT + 17, INDENT, "%s", result->failures[i]);
	}
}

static void say_heading(const struct cli_simulation *simulation, uint32_t number,
			const struct app_result *result)
{
	const struct app_text *out = &simulation->context->out;
	const struct app_scenario_step *step;
	char *text;

	app_say(out, "\n");
	if (!number) {
		app_say_in(out, APP_BOLD, "Step 0: as it begins\n");
		return;
	}
	step = &simulation->script.scenario->steps[number - 1];
	text = cli_step_text(step);
	app_say_in(out, APP_BOLD, "Step %u: %s", number, text);
	if (result->judged)
		app_say(out, ": ");
	if (result->judged)
		app_say_in(out, decision_colour(result->outcome.decision), "%s",
			   ward_decision_name(result->outcome.decision));
	app_say(out, "\n");
	if (step->note)
		say_line(simulation, "", step->note);
	free(text);
}

/* Vectors that drivers had before the first step are in the table at the end. */
static bool is_news(uint32_t number, const struct app_followed *followed)
{
	return number || followed->containment || followed->outcome.decision != WARD_RECORDED;
}

void cli_say_step(const struct cli_simulation *simulation, uint32_t number,
		  const struct app_result *result)
{
	uint32_t news = 0;

	for (uint32_t i = 0; i < result->followed_count; i++)
		news += is_news(number, &result->followed[i]);
	if (!number && !news && result->settled)
		return;
	say_heading(simulation, number, result);
	if (result->judged)
		say_verdict(simulation, result->outcome.verdict);
	for (uint32_t i = 0; i < result->plan_count; i++)
		say_line(simulation, "- ", result->plan[i]);
	if (result->rung)
		say_rung(simulation, result->rung);
	if (result->reached)
		say_reached(simulation, result->reached);
	if (result->tried)
		say_hostile(simulation, result);
	for (uint32_t i = 0; i < result->followed_count; i++)
		if (is_news(number, &result->followed[i]))
			say_followed(simulation, &result->followed[i]);
	if (!result->settled)
		say_line(simulation, "", "somebody is exposed: it is not settled");
	say_failures(simulation, result);
}

static const struct app_column columns[] = {
	{ .name = "FUNCTION" },
	{ .name = "OWNER" },
	{ .name = "DRIVER" },
	{ .name = "CONTAINER" },
	{ .name = "VECTORS" },
	{ .name = "STATE", .truncate = true },
	{ 0 },
};

enum { COLUMNS = 6 };

/* What nobody has, and nothing was ever done with, is left out. */
static bool is_worth_a_line(const struct cli_simulation *simulation, uint32_t function)
{
	const struct ward_function_state *at = &simulation->context->state->functions[function];

	return at->owner.kind != WARD_OWNER_NOBODY || at->driver || at->frozen || at->quarantined ||
	       at->absent || at->tainted_by.kind != WARD_OWNER_NOBODY ||
	       simulation->context->machine->functions[function].header_type == 0;
}

static void add_line(const struct cli_simulation *simulation, struct app_table *table,
		     uint32_t function)
{
	const struct ward_function_state *at = &simulation->context->state->functions[function];
	uint32_t number =
		ward_ownership_container(app_stage_ownership(simulation->stage), function);
	char *vectors = cli_vectors_text(simulation, function);
	char *flags = cli_flags_text(simulation, function);
	char *container = at->owner.kind != WARD_OWNER_CLIENT ? app_strdup("-")
			  : number == WARD_NONE		      ? app_strdup("blocked")
							      : app_printf("%u", number);
	const char *cells[COLUMNS] = {
		cli_name(simulation->context, function),
		app_stage_owner(simulation->stage, at->owner),
		at->driver ? at->driver : "-",
		container,
		*vectors ? vectors : "-",
		*flags ? flags : "-",
	};

	app_table_line(table, NULL, cells);
	free(vectors);
	free(flags);
	free(container);
}

static int say_table(const struct cli_simulation *simulation)
{
	static const size_t chosen[COLUMNS] = { 0, 1, 2, 3, 4, 5 };
	struct app_table *table = app_table_create(columns, chosen, COLUMNS, 0);
	int code;

	for (uint32_t f = 0; f < simulation->context->machine->functions_count; f++)
		if (is_worth_a_line(simulation, f))
			add_line(simulation, table, f);
	fflush(stdout);
	code = app_table_print(table);
	app_table_destroy(table);
	if (code == -ENOMEM)
		app_need(NULL);
	return CLI_DONE;
}

static void say_exposures(const struct cli_simulation *simulation)
{
	const struct app_span *spans = app_stage_spans(simulation->stage);
	const struct app_text *out = &simulation->context->out;
	uint32_t count;
	const struct ward_exposure *all =
		ward_ownership_exposures(app_stage_ownership(simulation->stage), &count);

	if (count)
		app_say_in(out, APP_BOLD, "\nExposures\n");
	for (uint32_t i = 0; i < count; i++) {
		const char *client = simulation->context->state->clients[all[i].client];

		app_say(out, "  ");
		if (spans[i].contained || all[i].contained)
			app_paragraph(out, 2, 4, "%s, from step %u (%s) to step %u (%s): %s (%s)",
				      client, spans[i].opened, ward_event_name(all[i].cause),
				      spans[i].contained, ward_event_name(all[i].containment),
				      all[i].text, all[i].code);
		else
			app_paragraph(out, 2, 4, "%s, from step %u (%s), still open: %s (%s)",
				      client, spans[i].opened, ward_event_name(all[i].cause),
				      all[i].text, all[i].code);
	}
}

static void say_waivers(const struct cli_simulation *simulation)
{
	const struct app_text *out = &simulation->context->out;
	uint32_t count;
	const struct ward_waiver *all =
		ward_ownership_waivers(app_stage_ownership(simulation->stage), &count);

	if (count)
		app_say_in(out, APP_BOLD, "\nAccepted risks\n");
	for (uint32_t i = 0; i < count; i++) {
		char where[WARD_ADDRESS_TEXT] = "everywhere";

		if (!all[i].any_function)
			ward_address_format(all[i].address, where);
		app_say(out, "  ");
		app_paragraph(out, 2, 4, "%s, %s%s%s", all[i].code, where,
			      all[i].reason ? ": " : "", all[i].reason ? all[i].reason : "");
	}
}

int cli_say_end(const struct cli_simulation *simulation, const struct app_result *final)
{
	const struct app_text *out = &simulation->context->out;
	uint32_t steps = simulation->script.scenario->steps_count;
	int code;

	app_say_in(out, APP_BOLD, "\nAt the end\n");
	code = say_table(simulation);
	say_exposures(simulation);
	say_waivers(simulation);
	app_say(out, "\n");
	say_failures(simulation, final);
	if (simulation->failures)
		app_say_in(out, APP_RED, "%u of what was expected did not come so.\n",
			   simulation->failures);
	else
		app_say_in(out, APP_GREEN, "All as expected, in %u step%s.\n", steps,
			   steps == 1 ? "" : "s");
	return code;
}

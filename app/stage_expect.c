// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What was expected, held against what came. */
#include "app/stage_parts.h"

#include "app/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct app_scenario_expect nothing_said;

void app_result_fail(const struct app_stage *stage, struct app_result *result, const char *path,
		     const char *format, ...)
{
	struct ward_error error;
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	app_yaml_fail(&stage->script->yaml, &error, path, "%s", (char *)app_need(text));
	free(text);
	app_array_grow((void **)&result->failures, result->failures_count,
		       sizeof(*result->failures));
	result->failures[result->failures_count++] = app_strdup(error.text);
}

static struct app_field expected(const struct app_stage *stage, const char *what)
{
	return app_stage_field(stage, "expect.%s", what);
}

static bool has_code(const struct ward_verdict *verdict, const char *code, bool waived)
{
	for (uint32_t i = 0; verdict && i < verdict->findings_count; i++)
		if (strcmp(verdict->findings[i].code, code) == 0 &&
		    (!waived || verdict->findings[i].waived))
			return true;
	return false;
}

static char *codes_of(const struct ward_verdict *verdict)
{
	char *list = app_strdup("");

	for (uint32_t i = 0; verdict && i < verdict->findings_count; i++) {
		const char *code = verdict->findings[i].code;
		char *longer;

		if (strstr(list, code))
			continue;
		longer = app_printf("%s%s%s", list, *list ? ", " : "", code);
		free(list);
		list = longer;
	}
	return list;
}

static void expect_codes(const struct app_stage *stage, struct app_result *result,
			 const char *field, char *const *codes, uint32_t count, bool waived)
{
	for (uint32_t i = 0; i < count; i++) {
		char *got;

		if (has_code(result->outcome.verdict, codes[i], waived))
			continue;
		got = codes_of(result->outcome.verdict);
		app_result_fail(stage, result, expected(stage, field).path, "expected %s, got %s",
				codes[i], *got ? got : "no findings");
		free(got);
	}
}

/* Without a word a request is to be allowed, and a fact to expose nobody. */
static void expect_decision(const struct app_stage *stage, struct app_result *result,
			    const struct app_scenario_expect *expect)
{
	const char *got = ward_decision_name(result->outcome.decision);
	bool well = result->outcome.decision == WARD_ALLOWED ||
		    result->outcome.decision == WARD_RECORDED;
	char *codes;

	if (expect->decision ? strcmp(got, expect->decision) != 0 : !well) {
		codes = codes_of(result->outcome.verdict);
		app_result_fail(stage, result, expected(stage, "decision").path,
				"expected %s, got %s%s%s",
				expect->decision ? expect->decision : "no refusal, no exposure",
				got, *codes ? " for " : "", codes);
		free(codes);
	}
	expect_codes(stage, result, "findings", expect->findings, expect->findings_count, false);
	expect_codes(stage, result, "accepted", expect->accepted, expect->accepted_count, true);
}

static bool is_among(char *const *words, uint32_t count, const char *word)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return false;
}

/* Exposures are those that were expected, no more and no fewer. */
static void expect_exposures(const struct app_stage *stage, struct app_result *result,
			     const struct app_scenario_expect *expect)
{
	const struct ward_state *state = ward_ownership_state(stage->ownership);
	uint32_t count;
	const struct ward_exposure *all = ward_ownership_exposures(stage->ownership, &count);

	all += result->exposures_first;
	for (uint32_t i = 0; i < result->exposures_count; i++) {
		const char *client = state->clients[all[i].client];

		if (!is_among(expect->exposed, expect->exposed_count, client))
			app_result_fail(stage, result, expected(stage, "exposed").path,
					"expected no exposure of %s, got one: %s", client,
					all[i].text ? all[i].text : all[i].code);
	}
	for (uint32_t i = 0; i < expect->exposed_count; i++) {
		bool seen = false;

		for (uint32_t j = 0; j < result->exposures_count && !seen; j++)
			seen = strcmp(state->clients[all[j].client], expect->exposed[i]) == 0;
		if (!seen)
			app_result_fail(stage, result, expected(stage, "exposed").path,
					"expected %s to be exposed, and it is not",
					expect->exposed[i]);
	}
}

static void expect_containments(const struct app_stage *stage, struct app_result *result,
				const struct app_scenario_expect *expect)
{
	uint32_t at = 0;
	bool wrong = false;
	char *got = app_strdup("");

	for (uint32_t i = 0; i < result->followed_count; i++) {
		const struct app_followed *followed = &result->followed[i];
		const char *name = ward_event_name(followed->kind);
		char *longer;

		if (!followed->containment)
			continue;
		wrong |= at >= expect->containments_count ||
			 strcmp(expect->containments[at], name) != 0;
		at++;
		longer = app_printf("%s%s%s", got, *got ? ", " : "", name);
		free(got);
		got = longer;
	}
	if (expect->containments_count && (wrong || at != expect->containments_count))
		app_result_fail(stage, result, expected(stage, "containments").path,
				"expected %u, the first one %s; got %s", expect->containments_count,
				expect->containments[0], *got ? got : "none");
	free(got);
	if (expect->settled && *expect->settled != result->settled)
		app_result_fail(stage, result, expected(stage, "settled").path,
				"expected %s, got %s", *expect->settled ? "settled" : "unsettled",
				result->settled ? "settled" : "unsettled");
}

static void expect_text(const struct app_stage *stage, struct app_result *result, const char *field,
			const char *expect, const char *got)
{
	if (strcmp(expect, got) != 0)
		app_result_fail(stage, result, expected(stage, field).path, "expected %s, got %s",
				expect, got);
}

static void expect_number(const struct app_stage *stage, struct app_result *result,
			  const char *field, const uint32_t *expect, uint32_t got)
{
	if (!expect || *expect == got)
		return;
	if (got == WARD_NONE)
		app_result_fail(stage, result, expected(stage, field).path, "expected %u, got none",
				*expect);
	else
		app_result_fail(stage, result, expected(stage, field).path, "expected %u, got %u",
				*expect, got);
}

/* Without a word an interrupt is to arrive at whoever has the function. */
static void expect_arrival(const struct app_stage *stage, struct app_result *result,
			   const struct app_scenario_expect *expect)
{
	const struct app_scenario_step *step = &stage->script->scenario->steps[stage->step];
	const struct ward_dma_result *dma = &result->rung->raise.dma;
	const char *through = "nothing", *owner;
	struct ward_error error;
	uint32_t function = 0;

	(void)app_stage_function(stage, "", step->ring->function, &function, &error);
	owner = app_stage_owner(stage, app_stage_state(stage, function)->owner);
	expect_text(stage, result, "arrives", expect->arrives ? expect->arrives : owner,
		    result->rung->arrives);
	if (!result->rung->off && !result->rung->raise.masked && dma->end == WARD_DMA_DOORBELL)
		through = stage->machine->controllers[dma->index].name;
	if (expect->through)
		expect_text(stage, result, "through", expect->through, through);
	expect_number(stage, result, "number", expect->number, result->rung->number);
	expect_number(stage, result, "gsi", expect->gsi, result->rung->gsi);
}

/* Without a word it is to reach nothing, or what its owner has. */
static void expect_reached(const struct app_stage *stage, struct app_result *result,
			   const struct app_scenario_expect *expect)
{
	const struct app_scenario_step *step = &stage->script->scenario->steps[stage->step];
	const struct app_scenario_dma *what = step->write ? step->write : step->read;
	const struct app_reached *reached = result->reached;
	struct ward_error error;
	uint32_t function = 0;
	const char *owner;

	(void)app_stage_function(stage, "", what->function, &function, &error);
	owner = app_stage_owner(stage, app_stage_state(stage, function)->owner);
	if (expect->ends)
		expect_text(stage, result, "ends", expect->ends, app_dma_end(reached->dma.end));
	if (expect->of)
		expect_text(stage, result, "of", expect->of, reached->of ? reached->of : "nothing");
	else if (reached->of && strcmp(reached->of, owner) != 0)
		expect_text(stage, result, "of", owner, reached->of);
}

/* Without a word a client's hostile function is to touch nobody else; others are not promised for. */
static void expect_touched(const struct app_stage *stage, struct app_result *result,
			   const struct app_scenario_expect *expect)
{
	const char *hostile = stage->script->scenario->steps[stage->step].hostile;
	struct ward_error error;
	uint32_t seen = 0, function = 0;

	(void)app_stage_function(stage, "", hostile, &function, &error);
	if (!expect->touched_count &&
	    app_stage_state(stage, function)->owner.kind != WARD_OWNER_CLIENT)
		return;
	for (uint32_t i = 0; i < result->touched_count; i++) {
		const struct app_touched *touched = &result->touched[i];

		if (is_among(expect->touched, expect->touched_count, touched->who))
			seen++;
		else
			app_result_fail(stage, result, expected(stage, "touched").path,
					"expected %s not to be touched, but it %s", touched->who,
					touched->how);
	}
	if (seen < expect->touched_count)
		app_result_fail(stage, result, expected(stage, "touched").path,
				"expected %u to be touched, got %u", expect->touched_count, seen);
}

void app_stage_expect(const struct app_stage *stage, struct app_result *result)
{
	const struct app_scenario_expect *expect =
		stage->script->scenario->steps[stage->step].expect;

	if (!expect)
		expect = &nothing_said;
	if (result->judged)
		expect_decision(stage, result, expect);
	expect_exposures(stage, result, expect);
	expect_containments(stage, result, expect);
	if (result->rung)
		expect_arrival(stage, result, expect);
	if (result->reached)
		expect_reached(stage, result, expect);
	if (result->tried)
		expect_touched(stage, result, expect);
}

static void final_text(const struct app_stage *stage, struct app_result *result, uint32_t number,
		       const char *field, const char *expect, const char *got)
{
	char path[64];

	snprintf(path, sizeof(path), "final[%u].%s", number, field);
	if (expect && strcmp(expect, got) != 0)
		app_result_fail(stage, result, path, "expected %s, got %s", expect, got);
}

static void final_bool(const struct app_stage *stage, struct app_result *result, uint32_t number,
		       const char *field, const bool *expect, bool got)
{
	if (expect)
		final_text(stage, result, number, field, *expect ? "yes" : "no",
			   got ? "yes" : "no");
}

static void final_function(const struct app_stage *stage, struct app_result *result,
			   uint32_t number, uint32_t function)
{
	const struct app_scenario_final *expect = &stage->script->scenario->final[number];
	const struct ward_function_state *at = app_stage_state(stage, function);
	uint32_t container = ward_ownership_container(stage->ownership, function);
	char wanted[16], got[16] = "none";

	final_text(stage, result, number, "owner", expect->owner,
		   app_stage_owner(stage, at->owner));
	final_text(stage, result, number, "driver", expect->driver,
		   at->driver ? at->driver : "none");
	final_text(stage, result, number, "tainted", expect->tainted,
		   app_stage_owner(stage, at->tainted_by));
	if (expect->container) {
		snprintf(wanted, sizeof(wanted), "%u", *expect->container);
		if (container != WARD_NONE)
			snprintf(got, sizeof(got), "%u", container);
		final_text(stage, result, number, "container", wanted, got);
	}
	final_bool(stage, result, number, "blocked", expect->blocked,
		   at->owner.kind != WARD_OWNER_HOST && container == WARD_NONE);
	final_bool(stage, result, number, "frozen", expect->frozen, at->frozen);
	final_bool(stage, result, number, "revoking", expect->revoking, at->revoking);
	final_bool(stage, result, number, "quarantined", expect->quarantined, at->quarantined);
	final_bool(stage, result, number, "absent", expect->absent, at->absent);
}

int app_stage_final(const struct app_stage *stage, struct app_result *ret_result,
		    struct ward_error *ret_error)
{
	struct app_result result = { 0 };
	int code = 0;

	for (uint32_t i = 0; !code && i < stage->script->scenario->final_count; i++) {
		uint32_t function;
		char path[40];

		snprintf(path, sizeof(path), "final[%u].function", i);
		code = app_stage_function(stage, path, stage->script->scenario->final[i].function,
					  &function, ret_error);
		if (!code)
			final_function(stage, &result, i, function);
	}
	if (code)
		app_result_finish(&result);
	else
		*ret_result = result;
	return code;
}

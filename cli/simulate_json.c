// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A scenario as a program reads it: docs/schema/simulate.json. */
#include "cli/simulate.h"

#include "app/memory.h"
#include "cli/finding.h"
#include "cli/hop.h"
#include "cli/show.h"
#include "cli/source.h"

#include <stdlib.h>
#include <string.h>

static struct json_object *texts_json(char *const *texts, uint32_t count)
{
	struct json_object *list = app_json_array();

	for (uint32_t i = 0; i < count; i++)
		app_json_add_text(list, texts[i]);
	return list;
}

static void put_verdict(const struct cli_simulation *simulation, struct json_object *object,
			const struct ward_verdict *verdict)
{
	struct json_object *findings = app_json_array();
	struct cli_accepted accepted;

	accepted.waivers =
		ward_ownership_waivers(app_stage_ownership(simulation->stage), &accepted.count);
	app_json_put_text(object, "answer", verdict ? ward_answer_name(verdict->answer) : NULL);
	app_json_put_text(object, "grade", verdict ? ward_grade_name(verdict->grade) : NULL);
	for (uint32_t i = 0; verdict && i < verdict->findings_count; i++)
		app_json_add(findings, cli_finding_json(simulation->context, &accepted,
							&verdict->findings[i]));
	app_json_put(object, "findings", findings);
}

static struct json_object *outcome_json(const struct cli_simulation *simulation,
					const struct ward_outcome *outcome)
{
	struct json_object *object = app_json_object();

	app_json_put_text(object, "decision", ward_decision_name(outcome->decision));
	put_verdict(simulation, object, outcome->verdict);
	return object;
}

static struct json_object *rung_json(const struct cli_simulation *simulation,
				     const struct app_rung *rung)
{
	const struct ward_dma_result *dma = &rung->raise.dma;
	bool went = !rung->off && !rung->raise.masked;
	struct json_object *object = app_json_object(), *hops = app_json_array();

	for (uint32_t i = 0; i < rung->hops_count; i++)
		app_json_add(hops, cli_hop_json(&rung->hops[i]));
	app_json_put(object, "hops", hops);
	app_json_put_text(object, "arrives", rung->arrives);
	app_json_put_text(object, "ends", went ? app_dma_end(dma->end) : NULL);
	app_json_put_text(object, "through",
			  went && dma->end == WARD_DMA_DOORBELL
				  ? simulation->context->machine->controllers[dma->index].name
				  : NULL);
	app_json_put(object, "number", NULL);
	app_json_put(object, "cpu", NULL);
	app_json_put(object, "gsi", NULL);
	if (rung->number != WARD_NONE) {
		app_json_put_number(object, "number", rung->number);
		app_json_put_number(object, "cpu", rung->cpu);
	}
	if (rung->gsi != WARD_NONE)
		app_json_put_number(object, "gsi", rung->gsi);
	return object;
}

static struct json_object *reached_json(const struct cli_simulation *simulation,
					const struct app_reached *reached)
{
	const struct ward_machine *machine = simulation->context->machine;
	const struct ward_dma_result *dma = &reached->dma;
	struct json_object *object = app_json_object();
	char fault[WARD_FAULT_TEXT];

	app_json_put_hex(object, "address", reached->address);
	app_json_put_text(object, "ends", app_dma_end(dma->end));
	app_json_put_text(object, "of", reached->of);
	app_json_put_text(object, "function",
			  dma->end == WARD_DMA_BAR ? machine->functions[dma->index].name : NULL);
	app_json_put_text(object, "controller",
			  dma->end == WARD_DMA_DOORBELL ? machine->controllers[dma->index].name
							: NULL);
	app_json_put(object, "target", NULL);
	if (reached->of)
		app_json_put_hex(object, "target", dma->target);
	if (dma->end == WARD_DMA_FAULT)
		ward_fault_format(&dma->fault, fault, sizeof(fault));
	app_json_put_text(object, "fault", dma->end == WARD_DMA_FAULT ? fault : NULL);
	return object;
}

static struct json_object *hostile_json(const struct app_result *result)
{
	struct json_object *object = app_json_object(), *list = app_json_array();

	app_json_put_number(object, "tries", result->tried);
	for (uint32_t i = 0; i < result->touched_count; i++) {
		struct json_object *touched = app_json_object();

		app_json_put_text(touched, "whom", result->touched[i].who);
		app_json_put_number(touched, "times", result->touched[i].times);
		app_json_put_text(touched, "how", result->touched[i].how);
		app_json_add(list, touched);
	}
	app_json_put(object, "touched", list);
	return object;
}

static struct json_object *followed_json(const struct cli_simulation *simulation,
					 const struct app_followed *followed)
{
	const struct cli_context *context = simulation->context;
	struct json_object *object = app_json_object(), *functions = app_json_array();

	app_json_put_text(object, "event", ward_event_name(followed->kind));
	app_json_put_bool(object, "containment", followed->containment);
	for (uint32_t i = 0; i < followed->functions_count; i++)
		app_json_add(functions, cli_name_json(context, followed->functions[i]));
	app_json_put(object, "functions", functions);
	app_json_put_text(object, "controller",
			  followed->controller == WARD_NONE
				  ? NULL
				  : context->machine->controllers[followed->controller].name);
	app_json_put(object, "outcome", outcome_json(simulation, &followed->outcome));
	return object;
}

struct json_object *cli_step_json(const struct cli_simulation *simulation, uint32_t number,
				  const struct app_result *result)
{
	const struct app_scenario_step *step =
		number ? &simulation->script.scenario->steps[number - 1] : NULL;
	struct json_object *object = app_json_object(), *followed = app_json_array();
	char *text = step ? cli_step_text(step) : app_strdup("as it begins");

	app_json_put_number(object, "step", number);
	app_json_put_number(object, "line",
			    step ? app_script_step_line(&simulation->script, number - 1) : 1);
	app_json_put_text(object, "kind", step ? app_step_name(step) : "beginning");
	app_json_put_text(object, "text", text);
	app_json_put_text(object, "note", step ? step->note : NULL);
	app_json_put(object, "outcome",
		     result->judged ? outcome_json(simulation, &result->outcome) : NULL);
	app_json_put(object, "plan", texts_json(result->plan, result->plan_count));
	app_json_put(object, "ring", result->rung ? rung_json(simulation, result->rung) : NULL);
	app_json_put(object, "dma",
		     result->reached ? reached_json(simulation, result->reached) : NULL);
	app_json_put(object, "hostile", result->tried ? hostile_json(result) : NULL);
	for (uint32_t i = 0; i < result->followed_count; i++)
		app_json_add(followed, followed_json(simulation, &result->followed[i]));
	app_json_put(object, "followed", followed);
	app_json_put_bool(object, "settled", result->settled);
	app_json_put(object, "failures", texts_json(result->failures, result->failures_count));
	free(text);
	return object;
}

static struct json_object *final_json(const struct cli_simulation *simulation, uint32_t function)
{
	const struct cli_context *context = simulation->context;
	const struct ward_function_state *at = &context->state->functions[function];
	uint32_t container =
		ward_ownership_container(app_stage_ownership(simulation->stage), function);
	struct json_object *object = app_json_object(), *vectors = app_json_array();

	app_json_put(object, "function", cli_name_json(context, function));
	app_json_put_text(object, "owner", app_stage_owner(simulation->stage, at->owner));
	app_json_put_text(object, "driver", at->driver);
	app_json_put(object, "container", NULL);
	if (container != WARD_NONE)
		app_json_put_number(object, "container", container);
	for (uint32_t i = 0; i < context->state->vectors_count; i++) {
		const struct ward_host_vector *vector = &context->state->vectors[i];

		if (vector->function == function && vector->controller != WARD_NONE)
			app_json_add_text(vectors,
					  context->machine->controllers[vector->controller].name);
	}
	app_json_put(object, "vectors", vectors);
	app_json_put_bool(object, "absent", at->absent);
	app_json_put_bool(object, "frozen", at->frozen);
	app_json_put_bool(object, "revoking", at->revoking);
	app_json_put_bool(object, "quarantined", at->quarantined);
	app_json_put_text(object, "tainted_by",
			  at->tainted_by.kind == WARD_OWNER_NOBODY
				  ? NULL
				  : app_stage_owner(simulation->stage, at->tainted_by));
	return object;
}

static struct json_object *exposures_json(const struct cli_simulation *simulation)
{
	const struct app_span *spans = app_stage_spans(simulation->stage);
	const struct cli_context *context = simulation->context;
	struct json_object *list = app_json_array();
	uint32_t count;
	const struct ward_exposure *all =
		ward_ownership_exposures(app_stage_ownership(simulation->stage), &count);

	for (uint32_t i = 0; i < count; i++) {
		struct json_object *object = app_json_object();
		bool open = !all[i].contained;

		app_json_put_text(object, "client", context->state->clients[all[i].client]);
		app_json_put(object, "function", cli_name_json(context, all[i].function));
		app_json_put(object, "victim", cli_name_json(context, all[i].victim));
		app_json_put_number(object, "opened", spans[i].opened);
		app_json_put_text(object, "cause", ward_event_name(all[i].cause));
		app_json_put(object, "contained", NULL);
		if (!open)
			app_json_put_number(object, "contained", spans[i].contained);
		app_json_put_text(object, "containment",
				  open ? NULL : ward_event_name(all[i].containment));
		app_json_put_text(object, "code", all[i].code);
		app_json_put_text(object, "text", all[i].text);
		app_json_add(list, object);
	}
	return list;
}

static struct json_object *waivers_json(const struct cli_simulation *simulation)
{
	struct json_object *list = app_json_array();
	uint32_t count;
	const struct ward_waiver *all =
		ward_ownership_waivers(app_stage_ownership(simulation->stage), &count);

	for (uint32_t i = 0; i < count; i++) {
		struct json_object *object = app_json_object();
		char where[WARD_ADDRESS_TEXT];

		ward_address_format(all[i].address, where);
		app_json_put_text(object, "code", all[i].code);
		app_json_put_text(object, "function", all[i].any_function ? NULL : where);
		app_json_put_text(object, "reason", all[i].reason);
		app_json_add(list, object);
	}
	return list;
}

void cli_print_simulation(const struct cli_simulation *simulation, const struct app_result *final)
{
	const struct app_scenario *scenario = simulation->script.scenario;
	const struct cli_context *context = simulation->context;
	struct json_object *document = app_json_document("simulate"), *list = app_json_array();

	app_json_put_text(document, "title", scenario->title);
	app_json_put_text(document, "story", scenario->story);
	app_json_put_text(document, "rules", WARD_RULES_VERSION);
	app_json_put(document, "machine", cli_machine_json(context));
	app_json_put(document, "steps", json_object_get(simulation->steps));
	for (uint32_t f = 0; f < context->machine->functions_count; f++)
		app_json_add(list, final_json(simulation, f));
	app_json_put(document, "final", list);
	app_json_put(document, "exposures", exposures_json(simulation));
	app_json_put(document, "waivers", waivers_json(simulation));
	app_json_put(document, "failures", texts_json(final->failures, final->failures_count));
	app_json_put_bool(document, "holds", simulation->failures == 0);
	app_json_print(stdout, document);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What happens in a scenario, in words. */
#include "cli/simulate.h"

#include "app/memory.h"
#include "cli/show.h"

#include <stdlib.h>
#include <string.h>

static char *join(char *const *words, uint32_t count)
{
	char *list = app_strdup("");

	for (uint32_t i = 0; i < count; i++) {
		char *longer = app_printf("%s%s%s", list, *list ? ", " : "", words[i]);

		free(list);
		list = longer;
	}
	return list;
}

/* Appends to a text and lets go of it. */
__attribute__((format(printf, 2, 3))) static char *with(char *text, const char *format, ...)
{
	va_list args;
	char *more, *longer;

	va_start(args, format);
	if (vasprintf(&more, format, args) < 0)
		more = NULL;
	va_end(args);
	longer = app_printf("%s%s", text, (char *)app_need(more));
	free(more);
	free(text);
	return longer;
}

static char *event_text(const struct app_scenario_event *event, enum ward_event_kind kind)
{
	char *functions = join(event->functions, event->functions_count);
	char *text = app_printf("%s%s%s", ward_event_name(kind), *functions ? " " : "", functions);

	if (event->client)
		text = with(text, kind == WARD_EVENT_CLAIM ? " for %s" : " of %s", event->client);
	if (event->driver)
		text = with(text, " with %s", event->driver);
	if (event->controller)
		text = with(text, " at %s", event->controller);
	if (kind == WARD_EVENT_ATTACH)
		text = with(text, " to container %u", event->container);
	if (event->fact)
		text = with(text, " (a fact)");
	free(functions);
	return text;
}

static char *accepted_text(char *text, const struct app_scenario_waiver *accept, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		text = with(text, "%s%s", i ? ", " : ", accepting ", accept[i].code);
	return text;
}

static char *dma_text(const struct app_scenario_dma *dma, const char *verb)
{
	char *text = app_printf("%s by %s: ", verb, dma->function);

	if (dma->memory)
		return with(text, "memory of %s", dma->memory);
	if (dma->bar)
		return with(text, "registers of %s", dma->bar);
	if (dma->doorbell)
		return with(text, "doorbell of %s, data %u", dma->doorbell, dma->data);
	text = with(text, "%s", dma->address);
	return dma->data ? with(text, ", data %u", dma->data) : text;
}

static char *functions_text(const char *verb, char *const *functions, uint32_t count)
{
	char *list = join(functions, count), *text = app_printf("%s %s", verb, list);

	free(list);
	return text;
}

char *cli_step_text(const struct app_scenario_step *step)
{
	const char *name = app_step_name(step);
	char *text;

	for (unsigned int kind = 0; kind < WARD_EVENTS; kind++)
		if (step->event[kind]) {
			text = event_text(step->event[kind], (enum ward_event_kind)kind);
			return accepted_text(text, step->event[kind]->accept,
					     step->event[kind]->accept_count);
		}
	if (step->hand_over) {
		text = functions_text(name, step->hand_over->functions,
				      step->hand_over->functions_count);
		text = with(text, " to %s", step->hand_over->to);
		if (step->hand_over->driver)
			text = with(text, " with %s", step->hand_over->driver);
		return accepted_text(text, step->hand_over->accept, step->hand_over->accept_count);
	}
	if (step->enable) {
		text = functions_text(name, step->enable->functions, step->enable->functions_count);
		return with(text, ": %u vector%s",
			    step->enable->vectors ? step->enable->vectors : 1,
			    step->enable->vectors > 1 ? "s" : "");
	}
	if (step->ring)
		return app_printf("ring by %s: vector %u", step->ring->function,
				  step->ring->vector);
	if (step->write || step->read)
		return dma_text(step->write ? step->write : step->read, name);
	if (step->hostile)
		return app_printf("hostile %s", step->hostile);
	return app_printf("contain %s", *step->contain == APP_CONTAIN_ALL ? "all" : "one");
}

char *cli_followed_text(const struct cli_simulation *simulation,
			const struct app_followed *followed)
{
	const struct cli_context *context = simulation->context;
	char *names = cli_members(context, followed->functions, followed->functions_count), *text;

	if (followed->controller == WARD_NONE)
		text = app_printf("%s %s", ward_event_name(followed->kind), names);
	else
		text = app_printf("%s of %s at %s", ward_event_name(followed->kind), names,
				  context->machine->controllers[followed->controller].name);
	free(names);
	return text;
}

static char *flag(char *list, bool set, const char *word)
{
	return set ? with(list, "%s%s", *list ? ", " : "", word) : list;
}

char *cli_flags_text(const struct cli_simulation *simulation, uint32_t function)
{
	const struct ward_function_state *at = &simulation->context->state->functions[function];
	char *list = app_strdup("");

	list = flag(list, at->absent, "absent");
	list = flag(list, at->frozen, "frozen");
	list = flag(list, at->revoking, "revoking");
	list = flag(list, at->quarantined, "quarantined");
	if (at->tainted_by.kind != WARD_OWNER_NOBODY)
		list = with(list, "%stainted by %s", *list ? ", " : "",
			    app_stage_owner(simulation->stage, at->tainted_by));
	return list;
}

char *cli_vectors_text(const struct cli_simulation *simulation, uint32_t function)
{
	const struct cli_context *context = simulation->context;
	const struct ward_state *state = context->state;
	char *list = app_strdup("");

	for (uint32_t i = 0; i < state->vectors_count; i++) {
		uint32_t controller = state->vectors[i].controller;

		if (state->vectors[i].function != function || controller == WARD_NONE ||
		    strstr(list, context->machine->controllers[controller].name))
			continue;
		list = with(list, "%s%s", *list ? ", " : "",
			    context->machine->controllers[controller].name);
	}
	return list;
}

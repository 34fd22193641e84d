// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Vectors: enabled by whoever has the function, raised by the function, taken by whoever gets them. */
#include "app/stage_parts.h"

#include "app/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int app_stage_enable(struct app_stage *stage, const struct app_scenario_enable *what,
		     struct ward_error *error)
{
	int code = 0;

	for (uint32_t i = 0; !code && i < what->functions_count; i++) {
		struct app_field at = app_stage_field(stage, "enable.functions[%u]", i);
		struct ward_error said = { "" };
		struct ward_owner owner;
		uint32_t function;

		code = app_stage_function(stage, at.path, what->functions[i], &function, error);
		if (code)
			return code;
		owner = app_stage_state(stage, function)->owner;
		if (owner.kind != WARD_OWNER_CLIENT)
			return app_yaml_fail(&stage->script->yaml, error, at.path,
					     "no client has %s; a driver of the host enables "
					     "vectors when it is bound",
					     what->functions[i]);
		code = app_model_enable(stage->model, function, owner.client,
					ward_ownership_container(stage->ownership, function),
					what->vectors ? what->vectors : 1, &said);
		if (code)
			app_yaml_fail(&stage->script->yaml, error, at.path, "%s", said.text);
	}
	return code;
}

/* Appends a word to a list. */
static void mention(char **list, const char *word)
{
	char *longer;

	longer = *list ? app_printf("%s, %s", *list, word) : app_strdup(word);
	free(*list);
	*list = longer;
}

int app_stage_arrivals(struct app_stage *stage, char **ret_who,
		       struct app_guest_arrival *ret_arrival)
{
	const struct ward_state *state = ward_ownership_state(stage->ownership);
	char *who = NULL;
	bool host = false;

	for (uint32_t i = 0; i < stage->model->clients_count; i++) {
		struct app_guest_arrival arrival;
		int taken = 0;

		if (stage->model->clients[i].guest)
			taken = app_guest_take(stage->model->clients[i].guest, &arrival);
		if (taken < 0) {
			free(who);
			return taken;
		}
		if (taken && ret_arrival)
			*ret_arrival = arrival;
		if (taken)
			mention(&who, state->clients[i]);
	}
	for (uint32_t f = 0; f < stage->machine->functions_count; f++)
		if (ward_model_executor_rung(stage->model->executor, f))
			host = true;
	if (host)
		mention(&who, "host");
	*ret_who = who;
	return 0;
}

static void keep_hop(void *context, const struct ward_trace_hop *hop)
{
	struct app_rung *rung = context;

	if (rung->hops_count < APP_HOPS_MAX)
		rung->hops[rung->hops_count++] = *hop;
}

static struct app_guest_function *guest_function(struct app_stage *stage, uint32_t function,
						 struct app_guest **ret_guest)
{
	struct ward_owner owner = app_stage_state(stage, function)->owner;

	*ret_guest = NULL;
	if (owner.kind != WARD_OWNER_CLIENT)
		return NULL;
	*ret_guest = stage->model->clients[owner.client].guest;
	return *ret_guest ? app_guest_find(*ret_guest, function) : NULL;
}

static uint32_t kind_of(const struct app_stage *stage, uint32_t function)
{
	return stage->machine->functions[function].msix ? WARD_IRQS_MSIX : WARD_IRQS_MSI;
}

static const struct ward_space *space_of(const struct app_stage *stage, uint32_t function)
{
	struct ward_owner owner = app_stage_state(stage, function)->owner;
	uint32_t container = ward_ownership_container(stage->ownership, function);

	if (owner.kind != WARD_OWNER_CLIENT || container >= APP_MODEL_CONTAINERS)
		return NULL;
	return stage->model->clients[owner.client].space[container];
}

/* The way, hop by hop, before it is gone. */
static int follow(struct app_stage *stage, uint32_t function, uint32_t vector,
		  struct app_rung *rung)
{
	struct app_guest *guest;
	struct app_guest_function *at = guest_function(stage, function, &guest);
	struct ward_trace_options options = {
		.size = sizeof(options),
		.state = ward_ownership_state(stage->ownership),
		.function = function,
		.index = kind_of(stage, function),
		.vector = vector,
		.space = space_of(stage, function),
	};
	struct ward_wire wire;
	int code;

	rung->gsi = WARD_NONE;
	/* Of the host's own the state tells. */
	if (app_stage_state(stage, function)->owner.kind == WARD_OWNER_CLIENT)
		options.device = ward_model_executor_device(stage->model->executor, function);
	if (at) {
		options.wiring = at->wiring;
		options.routes = guest->routes;
		options.vm = guest->vm;
		if (ward_wiring_get(at->wiring, vector, &wire) == 0 && wire.routed)
			rung->gsi = ward_gsi_raw(wire.gsi);
	}
	code = ward_trace_vector(&options, keep_hop, rung);
	return code < 0 ? code : 0;
}

static int fail_vector(const struct app_stage *stage, uint32_t function, struct ward_error *error)
{
	const struct ward_function *f = &stage->machine->functions[function];
	struct app_field at = app_stage_field(stage, "ring.vector");
	uint32_t count = f->msix ? f->msix_vectors : f->msi_vectors;

	if (!count)
		return app_yaml_fail(&stage->script->yaml, error, at.path,
				     "%s has neither MSI nor MSI-X", f->name);
	return app_yaml_fail(&stage->script->yaml, error, at.path, "%s has vectors 0 to %u",
			     f->name, count - 1);
}

int app_stage_ring(struct app_stage *stage, const struct app_scenario_ring *what,
		   struct app_result *result, struct ward_error *error)
{
	struct app_field at = app_stage_field(stage, "ring.function");
	struct app_guest_arrival arrival = { WARD_NONE, 0 };
	struct app_rung *rung;
	char *who = NULL;
	uint32_t function;
	int code = app_stage_function(stage, at.path, what->function, &function, error);

	if (code)
		return code;
	rung = result->rung = app_alloc(1, sizeof(*rung));
	rung->gsi = rung->number = WARD_NONE;
	code = follow(stage, function, what->vector, rung);
	if (code == -EINVAL)
		return fail_vector(stage, function, error);
	if (code)
		return code;
	/* What waited from before is not this one. */
	code = app_stage_arrivals(stage, &who, NULL);
	free(who);
	if (!code)
		code = ward_model_raise(stage->model->backend, function,
					(enum ward_irq_index)kind_of(stage, function), what->vector,
					&rung->raise);
	rung->off = code == -EOPNOTSUPP;
	if (!code || rung->off)
		code = app_stage_arrivals(stage, &rung->arrives, &arrival);
	if (code)
		return code;
	rung->number = arrival.number;
	rung->cpu = arrival.cpu;
	if (!rung->arrives)
		rung->arrives = app_strdup("nowhere");
	return 0;
}

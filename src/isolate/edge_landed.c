// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Vectors that landed at another controller than the function's own: the kernel takes them where they
 * are free (GICv2m: first fit over all frames). The function writes to that doorbell then, and whoever
 * else does raises its interrupts. Where that controller tells writers apart, its own rule holds: an ITS
 * knows the function by the ids it comes with (edge_devid.c); on x86 who is remapped how does not depend
 * on where a vector is.
 */
#include "isolate/graph.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"

static int compare_landed(const void *a, const void *b)
{
	const struct ward_landed *x = a, *y = b;

	if (x->function != y->function)
		return x->function < y->function ? -1 : 1;
	return x->controller < y->controller ? -1 : x->controller > y->controller;
}

/* It is not where the facts of the machine let one expect it. */
static bool is_elsewhere(const struct ward_graph *g, const struct ward_host_vector *vector)
{
	const struct ward_function *f = &g->machine->functions[vector->function];
	const struct ward_controller *c = &g->machine->controllers[vector->controller];
	uint32_t pool = g->pool_of[vector->controller];
	bool known = f->controller_known == WARD_YES && f->controller != WARD_NONE;

	if (ward_controller_is_x86(c) || (known && f->controller == vector->controller))
		return false;
	if (pool == WARD_NONE)
		return c->kind == WARD_CONTROLLER_GICV3_ITS;
	return !known || g->pool_of[f->controller] != pool;
}

int ward_graph_take_landed(struct ward_graph *graph, const struct ward_state *state)
{
	uint32_t count = 0, kept = 0;

	if (!state->vectors_count)
		return 0;
	graph->landed = ward_alloc_array(state->vectors_count, sizeof(*graph->landed));
	if (!graph->landed)
		return -ENOMEM;
	for (uint32_t i = 0; i < state->vectors_count; i++) {
		const struct ward_host_vector *vector = &state->vectors[i];

		if (vector->function != WARD_NONE && vector->controller != WARD_NONE &&
		    ward_graph_may_use_msi(graph, state, vector->function) &&
		    is_elsewhere(graph, vector))
			graph->landed[count++] =
				(struct ward_landed){ vector->function, vector->controller };
	}
	if (count)
		qsort(graph->landed, count, sizeof(*graph->landed), compare_landed);
	for (uint32_t i = 0; i < count; i++) {
		if (!kept || compare_landed(&graph->landed[kept - 1], &graph->landed[i]) != 0)
			graph->landed[kept++] = graph->landed[i];
	}
	graph->landed_count = kept;
	return 0;
}

const struct ward_landed *ward_graph_landed(const struct ward_graph *graph, uint32_t function,
					    uint32_t *ret_count)
{
	uint32_t low = 0, high = graph->landed_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (graph->landed[middle].function < function)
			low = middle + 1;
		else
			high = middle;
	}
	for (high = low; high < graph->landed_count && graph->landed[high].function == function;)
		high++;
	*ret_count = high - low;
	return high == low ? NULL : &graph->landed[low];
}

void ward_graph_add_landed(struct ward_graph *graph, uint32_t function)
{
	uint32_t count, from = ward_graph_node(graph, WARD_NODE_FUNCTION, function);
	const struct ward_landed *landed = ward_graph_landed(graph, function, &count);

	for (uint32_t i = 0; landed && i < count; i++) {
		uint32_t controller = landed[i].controller, pool = graph->pool_of[controller];
		enum ward_certainty certainty =
			graph->machine->controllers[controller].isolates == WARD_UNKNOWN
				? WARD_UNSURE
				: WARD_CERTAIN;

		if (pool == WARD_NONE || (i && graph->pool_of[landed[i - 1].controller] == pool))
			continue;
		pool = ward_graph_node(graph, WARD_NODE_DOORBELL, pool);
		if (!ward_graph_is_shut_in(graph, function))
			ward_graph_add(graph, from, pool, WARD_WHY_DOORBELL, function, certainty);
		ward_graph_add_for_others(graph, function, pool, certainty);
		ward_graph_add(graph, pool, ward_graph_node(graph, WARD_NODE_VECTOR_USER, function),
			       WARD_WHY_FRAME, function, WARD_CERTAIN);
	}
}

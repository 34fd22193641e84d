// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "isolate/graph.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"

/* How many indexes each kind of node has, in the order of the kinds. */
static uint32_t kind_size(const struct ward_graph *graph, enum ward_node_kind kind)
{
	const struct ward_machine *machine = graph->machine;

	switch (kind) {
	case WARD_NODE_FUNCTION:
	case WARD_NODE_SLOT:
	case WARD_NODE_REQUESTER:
	case WARD_NODE_VECTOR_USER:
		return machine->functions_count;
	case WARD_NODE_BUS_DOWN:
	case WARD_NODE_BUS_UP:
		return machine->buses_count;
	case WARD_NODE_DOORBELL:
		return graph->pools_count;
	case WARD_NODE_IOMMU_VECTORS:
		return machine->iommus_count;
	case WARD_NODE_SPACE:
		return graph->attachments_count;
	case WARD_NODE_HOST_VECTORS:
	case WARD_NODE_MEMORY:
		return 1;
	}
	return 0;
}

uint32_t ward_graph_node(const struct ward_graph *graph, enum ward_node_kind kind, uint32_t index)
{
	uint32_t base = 0;

	for (unsigned int k = 0; k < (unsigned int)kind; k++)
		base += kind_size(graph, (enum ward_node_kind)k);
	return base + index;
}

bool ward_graph_has(const struct ward_graph *graph, enum ward_node_kind kind, uint32_t index)
{
	return (unsigned int)kind <= WARD_NODE_MEMORY && index < kind_size(graph, kind);
}

enum ward_node_kind ward_graph_kind(const struct ward_graph *graph, uint32_t node,
				    uint32_t *ret_index)
{
	unsigned int kind = 0;

	while (kind < WARD_NODE_MEMORY && node >= kind_size(graph, (enum ward_node_kind)kind))
		node -= kind_size(graph, (enum ward_node_kind)kind++);
	*ret_index = node;
	return (enum ward_node_kind)kind;
}

void ward_graph_add(struct ward_graph *graph, uint32_t from, uint32_t to, enum ward_why why,
		    uint32_t via, enum ward_certainty certainty)
{
	void *added = graph->added, *froms = graph->from;

	if (graph->failed || from == to)
		return;
	if (ward_array_reserve(&added, &graph->added_capacity, graph->added_count + 1,
			       sizeof(*graph->added))) {
		graph->failed = true;
		return;
	}
	graph->added = added;
	if (ward_array_reserve(&froms, &graph->from_capacity, graph->added_count + 1,
			       sizeof(*graph->from))) {
		graph->failed = true;
		return;
	}
	graph->from = froms;
	graph->from[graph->added_count] = from;
	graph->added[graph->added_count++] = (struct ward_edge){
		.to = to,
		.via = via,
		.why = (uint8_t)why,
		.certainty = (uint8_t)certainty,
	};
}

/* Copies who is absent, if anybody is. */
static int take_absent(struct ward_graph *graph, const struct ward_state *state)
{
	uint32_t count = graph->machine->functions_count, first = 0;

	while (first < count && !state->functions[first].absent)
		first++;
	if (first == count)
		return 0;
	graph->absent = ward_alloc_array(count, sizeof(*graph->absent));
	if (!graph->absent)
		return -ENOMEM;
	for (uint32_t i = first; i < count; i++)
		graph->absent[i] = state->functions[i].absent;
	return 0;
}

static bool is_of_absent(const struct ward_graph *graph, uint32_t node)
{
	uint32_t index;
	enum ward_node_kind kind = ward_graph_kind(graph, node, &index);

	return (kind == WARD_NODE_FUNCTION || kind == WARD_NODE_VECTOR_USER) &&
	       graph->absent[index];
}

/*
 * Who is not there has no edges, and none leads on through it. An id that is called after it is there
 * for others all the same.
 */
static bool is_there(const struct ward_graph *graph, size_t added)
{
	const struct ward_edge *edge = &graph->added[added];
	bool of_id = edge->why == WARD_WHY_REQUESTER || edge->why == WARD_WHY_UNKNOWN_ID;

	if (edge->via != WARD_NONE && graph->absent[edge->via] && !of_id)
		return false;
	return !is_of_absent(graph, graph->from[added]) && !is_of_absent(graph, edge->to);
}

static void drop_absent(struct ward_graph *graph)
{
	size_t kept = 0;

	for (size_t i = 0; i < graph->added_count && graph->absent; i++) {
		if (!is_there(graph, i))
			continue;
		graph->added[kept] = graph->added[i];
		graph->from[kept++] = graph->from[i];
	}
	if (graph->absent)
		graph->added_count = kept;
}

/* Puts the edges of each node side by side, in the order of adding. */
static int sort_edges(struct ward_graph *graph)
{
	uint32_t *next;

	graph->nodes = ward_graph_node(graph, WARD_NODE_MEMORY, 0) + 1;
	graph->start = ward_alloc_array(graph->nodes + 1u, sizeof(*graph->start));
	graph->edges = ward_alloc_array(graph->added_count, sizeof(*graph->edges));
	next = ward_alloc_array(graph->nodes, sizeof(*next));
	if (!graph->start || !graph->edges || !next) {
		free(next);
		return -ENOMEM;
	}
	for (size_t i = 0; i < graph->added_count; i++)
		graph->start[graph->from[i] + 1]++;
	for (uint32_t n = 0; n < graph->nodes; n++) {
		graph->start[n + 1] += graph->start[n];
		next[n] = graph->start[n];
	}
	for (size_t i = 0; i < graph->added_count; i++)
		graph->edges[next[graph->from[i]]++] = graph->added[i];
	free(next);
	free(graph->added);
	free(graph->from);
	graph->added = NULL;
	graph->from = NULL;
	return 0;
}

static int turn_edges(struct ward_graph *graph)
{
	uint32_t count = graph->start[graph->nodes], *next;

	next = ward_alloc_array(graph->nodes, sizeof(*next));
	graph->back_start = ward_alloc_array(graph->nodes + 1u, sizeof(*graph->back_start));
	graph->back = ward_alloc_array(count, sizeof(*graph->back));
	if (!next || !graph->back_start || !graph->back) {
		free(next);
		return -ENOMEM;
	}
	for (uint32_t e = 0; e < count; e++)
		graph->back_start[graph->edges[e].to + 1]++;
	for (uint32_t n = 0; n < graph->nodes; n++) {
		graph->back_start[n + 1] += graph->back_start[n];
		next[n] = graph->back_start[n];
	}
	for (uint32_t n = 0; n < graph->nodes; n++) {
		for (uint32_t e = graph->start[n]; e < graph->start[n + 1]; e++) {
			const struct ward_edge *edge = &graph->edges[e];

			graph->back[next[edge->to]++] =
				(struct ward_back_edge){ n, edge->why, edge->certainty };
		}
	}
	free(next);
	return 0;
}

int ward_graph_create(const struct ward_machine *machine, const struct ward_state *state,
		      struct ward_graph *ret_graph)
{
	struct ward_graph graph = { .machine = machine };
	int err = take_absent(&graph, state);

	if (!err)
		err = ward_graph_take_spaces(&graph, state);
	if (!err)
		err = ward_graph_make_pools(&graph, state);
	if (!err) {
		ward_graph_add_dma(&graph);
		ward_graph_add_msi(&graph, state);
		ward_graph_add_spaces(&graph);
		drop_absent(&graph);
		err = graph.failed ? -ENOMEM : sort_edges(&graph);
	}
	if (!err)
		err = turn_edges(&graph);
	if (err) {
		ward_graph_finish(&graph);
		return err;
	}
	*ret_graph = graph;
	return 0;
}

void ward_graph_finish(struct ward_graph *graph)
{
	free(graph->start);
	free(graph->edges);
	free(graph->back_start);
	free(graph->back);
	free(graph->absent);
	free(graph->landed);
	free(graph->pools);
	free(graph->pool_of);
	free(graph->devids);
	free(graph->attachments);
	free(graph->space_of);
	free(graph->added);
	free(graph->from);
}

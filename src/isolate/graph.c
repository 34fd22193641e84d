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

int ward_graph_create(const struct ward_machine *machine, const struct ward_state *state,
		      struct ward_graph *ret_graph)
{
	struct ward_graph graph = { .machine = machine };
	int err = ward_graph_take_spaces(&graph, state);

	if (!err)
		err = ward_graph_make_pools(&graph);
	if (!err) {
		ward_graph_add_dma(&graph);
		ward_graph_add_msi(&graph, state);
		ward_graph_add_spaces(&graph);
		err = graph.failed ? -ENOMEM : sort_edges(&graph);
	}
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
	free(graph->pools);
	free(graph->pool_of);
	free(graph->devids);
	free(graph->attachments);
	free(graph->space_of);
	free(graph->added);
	free(graph->from);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What the functions judged reach, and whose it is.
 */
#include "isolate/judge.h"

const struct ward_edge *ward_last_edge(const struct ward_judgement *j,
				       const struct ward_visit *visit)
{
	return &j->reach->graph->edges[visit->edge];
}

/* The function among those judged that the path begins at. */
uint32_t ward_start_of(const struct ward_judgement *j, const struct ward_visit *visit)
{
	uint32_t index;

	while (visit->before != WARD_NONE)
		visit = &j->reach->visits[visit->before];
	ward_graph_kind(j->reach->graph, visit->node, &index);
	return index;
}

const char *ward_whose_text(struct ward_judgement *j, uint32_t function, enum ward_whose whose)
{
	if (whose == WARD_WHOSE_OTHER)
		return ward_judge_text(j, "client %s", ward_holder_text(j, function));
	if (j->state->functions[function].driver)
		return ward_judge_text(j, "the host, driver %s", ward_holder_text(j, function));
	return "the host";
}

static void judge_thing(struct ward_judgement *j, const struct ward_visit *visit)
{
	uint32_t index;

	switch (ward_graph_kind(j->reach->graph, visit->node, &index)) {
	case WARD_NODE_FUNCTION:
		ward_judge_peer(j, visit, index);
		break;
	case WARD_NODE_VECTOR_USER:
		ward_judge_vectors(j, visit, index);
		break;
	case WARD_NODE_IOMMU_VECTORS:
		ward_judge_iommu_vectors(j, visit, index);
		break;
	case WARD_NODE_HOST_VECTORS:
		ward_judge_host_vectors(j, visit);
		break;
	case WARD_NODE_SPACE:
	case WARD_NODE_MEMORY:
	case WARD_NODE_DOORBELL:
	case WARD_NODE_SLOT:
	case WARD_NODE_BUS_DOWN:
	case WARD_NODE_BUS_UP:
	case WARD_NODE_REQUESTER:
		break;
	}
}

void ward_judge_reach(struct ward_judgement *j)
{
	for (uint32_t i = 0; i < j->reach->things_count; i++)
		judge_thing(j, j->reach->things[i]);
	ward_judge_memory(j);
}

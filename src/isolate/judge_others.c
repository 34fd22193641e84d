// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The other way round: what clients that are there already reach of the functions judged. */
#include "isolate/judge.h"

#include <stdlib.h>

#include "base/fault.h"

/* Functions of other clients; *ret_count of them, allocated. */
static uint32_t *others_of(struct ward_judgement *j, uint32_t *ret_count)
{
	uint32_t *others = ward_alloc_array(j->machine->functions_count, sizeof(*others));

	*ret_count = 0;
	if (!others) {
		j->failed = true;
		return NULL;
	}
	for (uint32_t i = 0; i < j->machine->functions_count; i++) {
		if (ward_whose(j, i) == WARD_WHOSE_OTHER)
			others[(*ret_count)++] = i;
	}
	return others;
}

static void judge_reached(struct ward_judgement *j, const struct ward_reach *others,
			  enum ward_node_kind kind, uint32_t function)
{
	const struct ward_visit *visit =
		ward_reach_visit(others, ward_graph_node(others->graph, kind, function));
	uint32_t start = WARD_NONE;
	struct ward_finding *finding;
	const char *name = j->machine->functions[function].name;

	if (!visit)
		return;
	for (const struct ward_visit *at = visit;; at = &others->visits[at->before]) {
		if (at->before == WARD_NONE) {
			ward_graph_kind(others->graph, at->node, &start);
			break;
		}
	}
	finding = ward_finding_add(
		j, "reached-by-other",
		visit->certainty == WARD_UNSURE ? ward_open_weight(j) : ward_reach_weight(j),
		function, start, "%s of client %s %s %s %s", j->machine->functions[start].name,
		ward_holder_text(j, start), visit->certainty == WARD_UNSURE ? "may" : "can",
		kind == WARD_NODE_FUNCTION ? "write the registers of" : "raise the interrupts of",
		name);
	if (finding && visit->certainty == WARD_UNSURE)
		finding->settle =
			ward_judge_text(j, "what %s reaches", j->machine->functions[start].name);
	ward_finding_remedy(j, finding, WARD_REMEDY_CLAIM_TOO, start,
			    ward_judge_text(j, "give %s and %s to the same client", name,
					    j->machine->functions[start].name),
			    NULL);
	ward_remedy_waive(j, finding);
	/* Told from the other side: it begins at the blocker and ends at the subject. */
	ward_finding_path_of(j, finding, others, kind, function);
}

void ward_judge_others(struct ward_judgement *j)
{
	struct ward_reach *reach;
	uint32_t count, *others;

	others = others_of(j, &count);
	if (count && !j->failed) {
		if (ward_reach_from(j->reach->graph, others, count, NULL, NULL, &reach) < 0) {
			j->failed = true;
		} else {
			for (uint32_t i = 0; i < j->claimed_count; i++) {
				judge_reached(j, reach, WARD_NODE_FUNCTION, j->claimed[i]);
				judge_reached(j, reach, WARD_NODE_VECTOR_USER, j->claimed[i]);
			}
			ward_reach_destroy(reach);
		}
	}
	free(others);
}

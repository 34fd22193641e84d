// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The other way round: what clients that are there already reach of the functions judged. */
#include "isolate/back.h"
#include "isolate/judge.h"

#include <stdlib.h>

#include "base/fault.h"

static int compare_functions(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* Functions of other clients from which a way leads back; *ret_count of them, sorted, allocated. */
static uint32_t *others_of(struct ward_judgement *j, const struct ward_back *back,
			   uint32_t *ret_count)
{
	uint32_t *others = ward_alloc_array(back->nodes_count, sizeof(*others));

	*ret_count = 0;
	if (!others) {
		j->failed = true;
		return NULL;
	}
	for (size_t i = 0; i < back->nodes_count; i++) {
		uint32_t function = back->nodes[i];

		/* Functions are the first kind of node. */
		if (function < j->machine->functions_count &&
		    !j->state->functions[function].frozen &&
		    ward_whose(j, function) == WARD_WHOSE_OTHER)
			others[(*ret_count)++] = function;
	}
	if (*ret_count)
		qsort(others, *ret_count, sizeof(*others), compare_functions);
	return others;
}

struct walk {
	const struct ward_back *back;
	const struct ward_state *state;
};

/* From where no way leads back the walk need not go on. */
static bool leads_elsewhere(const void *context, uint32_t function)
{
	const struct walk *walk = context;

	return !ward_back_has(walk->back, function);
}

static bool is_frozen(const void *context, uint32_t function)
{
	const struct walk *walk = context;

	return walk->state->functions[function].frozen;
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

static void judge_from(struct ward_judgement *j, const struct ward_back *back,
		       const uint32_t *others, uint32_t count)
{
	const struct walk walk = { back, j->state };
	struct ward_reach *reach;

	if (ward_reach_past(j->reach->graph, others, count, leads_elsewhere, is_frozen, &walk,
			    &reach) < 0) {
		j->failed = true;
		return;
	}
	for (uint32_t i = 0; i < j->claimed_count; i++) {
		judge_reached(j, reach, WARD_NODE_FUNCTION, j->claimed[i]);
		judge_reached(j, reach, WARD_NODE_VECTOR_USER, j->claimed[i]);
	}
	ward_reach_destroy(reach);
}

/*
 * Back from the functions judged to who gets at them, and forwards from those of other clients, so that
 * the ways are the surest and shortest.
 */
void ward_judge_others(struct ward_judgement *j)
{
	struct ward_back back;
	uint32_t count = 0, *others = NULL;

	if (ward_back_walk(&back, j->isolation, j->state, j->claimed, j->claimed_count))
		j->failed = true;
	else
		others = others_of(j, &back, &count);
	if (others && count)
		judge_from(j, &back, others, count);
	free(others);
	ward_back_finish(&back);
}

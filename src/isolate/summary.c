// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Every function judged alone, in one pass. Instead of the reach of each function, what matters is
 * spread backwards along the edges: each place learns of up to two different functions of
 * somebody else's that can be got at from there. Two are enough to tell "another than myself".
 */
#include "isolate/judge.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"

/* What is spread: two labels per node, WARD_NONE where there is none. */
struct lane {
	uint32_t (*label)[2];
	bool unsure; /* along unsure edges, too */
};

enum lane_name {
	LANE_FUNCTION,	   /* functions of somebody else */
	LANE_VECTOR_HOST,  /* interrupts of host functions */
	LANE_VECTOR_OTHER, /* interrupts of functions of clients */
	LANE_MEMORY,	   /* all memory, because nothing translates */
	LANE_ATS,	   /* all memory, by ATS */
	LANE_HOST,	   /* every interrupt of the host, or those of an IOMMU */
	LANES_SURE,
	LANE_OPEN_FUNCTION = LANES_SURE, /* the same along unsure edges */
	LANE_OPEN_VECTOR,
	LANE_OPEN_MEMORY,
	LANE_OPEN_HOST,
	LANES,
};

struct summing {
	struct ward_judgement j; /* whose, with nothing claimed */
	const struct ward_graph *g;
	struct lane lanes[LANES];
	/* Edges backwards: of node n, back[start[n]] to back[start[n + 1] - 1]. */
	uint32_t *start;
	struct back_edge {
		uint32_t from;
		uint8_t certainty;
	} *back;
	uint32_t *work;
	bool *queued;
	uint32_t work_count;
	bool *reached_by_client; /* by node */
	/* By function: itself or the next one of its group that keeps VFIO away, or WARD_NONE. */
	uint32_t *in_the_way;
};

static int turn_edges(struct summing *s)
{
	const struct ward_graph *g = s->g;
	uint32_t count = g->start[g->nodes];
	uint32_t *next = ward_alloc_array(g->nodes, sizeof(*next));

	s->start = ward_alloc_array(g->nodes + 1u, sizeof(*s->start));
	s->back = ward_alloc_array(count, sizeof(*s->back));
	if (!next || !s->start || !s->back) {
		free(next);
		return -ENOMEM;
	}
	for (uint32_t e = 0; e < count; e++)
		s->start[g->edges[e].to + 1]++;
	for (uint32_t n = 0; n < g->nodes; n++) {
		s->start[n + 1] += s->start[n];
		next[n] = s->start[n];
	}
	for (uint32_t n = 0; n < g->nodes; n++) {
		for (uint32_t e = g->start[n]; e < g->start[n + 1]; e++)
			s->back[next[g->edges[e].to]++] =
				(struct back_edge){ n, g->edges[e].certainty };
	}
	free(next);
	return 0;
}

/* Adds a label to a node; a node takes at most two, so it is queued at most twice. */
static void put_label(struct summing *s, struct lane *lane, uint32_t node, uint32_t label)
{
	uint32_t *labels = lane->label[node];

	if (label == WARD_NONE || labels[0] == label || labels[1] == label ||
	    labels[1] != WARD_NONE)
		return;
	labels[labels[0] != WARD_NONE] = label;
	if (!s->queued[node]) {
		s->queued[node] = true;
		s->work[s->work_count++] = node;
	}
}

static bool is_foreign_node(const struct summing *s, uint32_t node)
{
	uint32_t index;

	return ward_graph_kind(s->g, node, &index) == WARD_NODE_FUNCTION &&
	       ward_is_foreign(ward_whose(&s->j, index));
}

/*
 * What is behind a function of somebody else is not told again: the function is. Labels of
 * functions may run on, since whoever gets at the one behind gets at the one in front.
 */
static void spread(struct summing *s, struct lane *lane)
{
	while (s->work_count) {
		uint32_t node = s->work[--s->work_count];

		s->queued[node] = false;
		if (lane->label != s->lanes[LANE_FUNCTION].label &&
		    lane->label != s->lanes[LANE_OPEN_FUNCTION].label && is_foreign_node(s, node))
			continue;
		for (uint32_t e = s->start[node]; e < s->start[node + 1]; e++) {
			if (s->back[e].certainty == WARD_UNSURE && !lane->unsure)
				continue;
			put_label(s, lane, s->back[e].from, lane->label[node][0]);
			put_label(s, lane, s->back[e].from, lane->label[node][1]);
		}
	}
}

static void seed_functions(struct summing *s, struct lane *lane)
{
	for (uint32_t i = 0; i < s->g->machine->functions_count; i++) {
		if (ward_is_foreign(ward_whose(&s->j, i)))
			put_label(s, lane, ward_graph_node(s->g, WARD_NODE_FUNCTION, i), i);
	}
}

static void seed_vectors(struct summing *s, struct lane *lane, enum ward_whose whose)
{
	for (uint32_t i = 0; i < s->g->machine->functions_count; i++) {
		if (ward_whose(&s->j, i) != whose)
			continue;
		if (whose == WARD_WHOSE_HOST &&
		    !ward_uses_messages(s->j.machine, s->j.state, i))
			continue;
		put_label(s, lane, ward_graph_node(s->g, WARD_NODE_VECTOR_USER, i), i);
	}
}

/* Memory is one node; by which kind of edge it is got at makes two lanes of it. */
static void seed_memory(struct summing *s, struct lane *lane, enum ward_why why)
{
	const struct ward_graph *g = s->g;
	uint32_t memory = ward_graph_node(g, WARD_NODE_MEMORY, 0);

	for (uint32_t i = 0; i < g->machine->functions_count; i++) {
		uint32_t from = ward_graph_node(g, WARD_NODE_FUNCTION, i);

		for (uint32_t e = g->start[from]; e < g->start[from + 1]; e++) {
			if (g->edges[e].to == memory && g->edges[e].why == why &&
			    (lane->unsure || g->edges[e].certainty != WARD_UNSURE))
				put_label(s, lane, from, memory);
		}
	}
}

static void seed_host(struct summing *s, struct lane *lane)
{
	uint32_t host = ward_graph_node(s->g, WARD_NODE_HOST_VECTORS, 0);

	put_label(s, lane, host, host);
	for (uint32_t i = 0; i < s->g->machine->iommus_count; i++)
		put_label(s, lane, ward_graph_node(s->g, WARD_NODE_IOMMU_VECTORS, i), host);
}

static void seed(struct summing *s, enum lane_name name)
{
	struct lane *lane = &s->lanes[name];

	switch (name) {
	case LANE_FUNCTION:
	case LANE_OPEN_FUNCTION:
		seed_functions(s, lane);
		break;
	case LANE_VECTOR_HOST:
		seed_vectors(s, lane, WARD_WHOSE_HOST);
		break;
	case LANE_VECTOR_OTHER:
		seed_vectors(s, lane, WARD_WHOSE_OTHER);
		break;
	case LANE_OPEN_VECTOR:
		seed_vectors(s, lane, WARD_WHOSE_HOST);
		seed_vectors(s, lane, WARD_WHOSE_OTHER);
		break;
	case LANE_MEMORY:
		seed_memory(s, lane, WARD_WHY_NO_IOMMU);
		break;
	case LANE_ATS:
		seed_memory(s, lane, WARD_WHY_ATS);
		break;
	case LANE_HOST:
	case LANE_OPEN_HOST:
		seed_host(s, lane);
		break;
	case LANE_OPEN_MEMORY:
		seed_memory(s, lane, WARD_WHY_NO_IOMMU);
		seed_memory(s, lane, WARD_WHY_ATS);
		break;
	case LANES:
		break;
	}
}

static int run_lanes(struct summing *s)
{
	uint32_t nodes = s->g->nodes;

	for (unsigned int name = 0; name < LANES; name++) {
		struct lane *lane = &s->lanes[name];

		lane->unsure = name >= LANES_SURE;
		lane->label = ward_alloc_array(nodes, sizeof(*lane->label));
		if (!lane->label)
			return -ENOMEM;
		for (uint32_t n = 0; n < nodes; n++)
			lane->label[n][0] = lane->label[n][1] = WARD_NONE;
		seed(s, (enum lane_name)name);
		spread(s, lane);
	}
	return 0;
}

/* Forwards from the functions of clients: what they reach besides themselves. */
static void run_clients(struct summing *s)
{
	const struct ward_graph *g = s->g;

	for (uint32_t i = 0; i < g->machine->functions_count; i++) {
		if (ward_whose(&s->j, i) == WARD_WHOSE_OTHER)
			s->work[s->work_count++] = ward_graph_node(g, WARD_NODE_FUNCTION, i);
	}
	while (s->work_count) {
		uint32_t node = s->work[--s->work_count];

		for (uint32_t e = g->start[node]; e < g->start[node + 1]; e++) {
			uint32_t to = g->edges[e].to;

			/* The surer half of what ward_judge_others tells apart. */
			if (g->edges[e].certainty == WARD_UNSURE || s->reached_by_client[to])
				continue;
			s->reached_by_client[to] = true;
			s->work[s->work_count++] = to;
		}
	}
}

/* A label other than the function itself. */
static bool has_other(const struct summing *s, enum lane_name name, uint32_t function)
{
	const uint32_t *label =
		s->lanes[name].label[ward_graph_node(s->g, WARD_NODE_FUNCTION, function)];

	return (label[0] != WARD_NONE && label[0] != function) ||
	       (label[1] != WARD_NONE && label[1] != function);
}

static bool has_any(const struct summing *s, enum lane_name name, uint32_t function)
{
	return s->lanes[name].label[ward_graph_node(s->g, WARD_NODE_FUNCTION, function)][0] !=
	       WARD_NONE;
}

static const char *way_code(const struct summing *s, uint32_t function)
{
	const struct ward_function_state *f = &s->j.state->functions[function];

	if (f->owner.kind == WARD_OWNER_CLIENT)
		return "group-split";
	return f->driver && !f->driver_yields && !f->driver_exempt ? "driver-bound" : NULL;
}

static void find_in_the_way(struct summing *s)
{
	for (uint32_t i = 0; i < s->j.machine->functions_count; i++)
		s->in_the_way[i] = way_code(s, i) ? i : WARD_NONE;
	ward_spread_in_groups(s->j.isolation, s->in_the_way);
}

/* The code of another member of the group that keeps VFIO away, or NULL. */
static const char *group_code(const struct summing *s, uint32_t function)
{
	uint32_t member = s->in_the_way[s->j.isolation->group_next[function]];

	return member == WARD_NONE || member == function ? NULL : way_code(s, member);
}

static bool is_reached_by_client(const struct summing *s, uint32_t function)
{
	return s->reached_by_client[ward_graph_node(s->g, WARD_NODE_FUNCTION, function)] ||
	       s->reached_by_client[ward_graph_node(s->g, WARD_NODE_VECTOR_USER, function)];
}

static bool refuses_unsafe(const struct summing *s, uint32_t function)
{
	const struct ward_function *f = &s->j.machine->functions[function];

	return f->controller != WARD_NONE && f->stream.iommu != WARD_NONE &&
	       s->j.machine->controllers[f->controller].isolates == WARD_NO &&
	       s->j.machine->unsafe_interrupts_allowed != WARD_YES;
}

/* What blocks by any policy: the first reason that holds, or NULL. */
static const char *firm_code(const struct summing *s, uint32_t function)
{
	if (!ward_is_assignable(s->j.machine, function))
		return "not-assignable";
	if (s->j.state->functions[function].owner.kind == WARD_OWNER_CLIENT)
		return "already-owned";
	if (has_any(s, LANE_MEMORY, function))
		return "no-iommu";
	if (ward_direct_region(s->j.isolation, function, WARD_REGION_DIRECT))
		return "rmrr";
	return group_code(s, function);
}

static const char *reach_code(const struct summing *s, uint32_t function)
{
	if (has_other(s, LANE_FUNCTION, function))
		return "peer-dma";
	if (has_any(s, LANE_HOST, function))
		return "msi-not-isolated";
	if (has_other(s, LANE_VECTOR_HOST, function) || has_other(s, LANE_VECTOR_OTHER, function))
		return "msi-frame-shared";
	if (has_any(s, LANE_ATS, function))
		return "ats-trusted";
	return is_reached_by_client(s, function) ? "reached-by-other" : NULL;
}

static const char *open_code(const struct summing *s, uint32_t function)
{
	if (has_other(s, LANE_OPEN_FUNCTION, function))
		return "acs-unknown";
	if (has_any(s, LANE_OPEN_MEMORY, function))
		return "iommu-unknown";
	return has_any(s, LANE_OPEN_HOST, function) || has_other(s, LANE_OPEN_VECTOR, function)
		       ? "msi-unknown"
		       : NULL;
}

static void weigh(const struct summing *s, uint32_t function, struct ward_summary *summary)
{
	bool strict = s->j.question->policy == WARD_POLICY_STRICT;

	summary->answer = WARD_UNSAFE;
	summary->code = firm_code(s, function);
	if (!summary->code && strict)
		summary->code = reach_code(s, function);
	if (!summary->code && !strict && refuses_unsafe(s, function))
		summary->code = "unsafe-interrupts";
	if (summary->code)
		return;
	summary->answer = WARD_CANNOT_TELL;
	summary->code = open_code(s, function);
	if (!summary->code)
		summary->answer = WARD_SAFE;
}

static enum ward_grade grade_of(const struct summing *s, uint32_t function)
{
	const struct ward_function *f = &s->j.machine->functions[function];

	if (has_other(s, LANE_VECTOR_OTHER, function))
		return WARD_GRADE_SHARED_WITH_OTHER;
	if (has_other(s, LANE_VECTOR_HOST, function) || has_any(s, LANE_HOST, function))
		return WARD_GRADE_SHARED_WITH_HOST;
	if (has_other(s, LANE_OPEN_VECTOR, function) || has_any(s, LANE_OPEN_HOST, function))
		return WARD_GRADE_UNKNOWN;
	if ((!f->msi && !f->msix) || s->j.state->functions[function].msi_off)
		return WARD_GRADE_NONE;
	if (f->controller_known == WARD_UNKNOWN)
		return WARD_GRADE_UNKNOWN;
	if (f->controller == WARD_NONE)
		return WARD_GRADE_NONE;
	return s->j.machine->controllers[f->controller].isolates == WARD_YES
		       ? WARD_GRADE_ISOLATED
		       : WARD_GRADE_EXCLUSIVE;
}

static int sum(struct summing *s, struct ward_summary *summaries)
{
	uint32_t nodes = s->g->nodes;
	int err;

	s->work = ward_alloc_array(nodes * (size_t)2, sizeof(*s->work));
	s->queued = ward_alloc_array(nodes, sizeof(*s->queued));
	s->reached_by_client = ward_alloc_array(nodes, sizeof(*s->reached_by_client));
	s->in_the_way = ward_alloc_array(s->g->machine->functions_count, sizeof(*s->in_the_way));
	if (!s->work || !s->queued || !s->reached_by_client || !s->in_the_way)
		return -ENOMEM;
	err = turn_edges(s);
	if (!err)
		err = run_lanes(s);
	if (err)
		return err;
	run_clients(s);
	find_in_the_way(s);
	for (uint32_t i = 0; i < s->g->machine->functions_count; i++) {
		weigh(s, i, &summaries[i]);
		summaries[i].grade = grade_of(s, i);
	}
	return 0;
}

int ward_check_all(const struct ward_isolation *isolation, const struct ward_state *state,
		   enum ward_policy policy, struct ward_summary **ret_summaries)
{
	const struct ward_question question = {
		.size = sizeof(question), .client = WARD_NONE, .policy = policy
	};
	struct summing s = {
		.j = { .isolation = isolation,
		       .machine = isolation->machine,
		       .state = state,
		       .question = &question },
		.g = &isolation->graph,
	};
	struct ward_summary *summaries =
		ward_alloc_array(isolation->machine->functions_count, sizeof(*summaries));
	int err = summaries ? sum(&s, summaries) : -ENOMEM;

	for (unsigned int name = 0; name < LANES; name++)
		free(s.lanes[name].label);
	free(s.start);
	free(s.back);
	free(s.work);
	free(s.queued);
	free(s.reached_by_client);
	free(s.in_the_way);
	if (err) {
		free(summaries);
		return err;
	}
	*ret_summaries = summaries;
	return 0;
}

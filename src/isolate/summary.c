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
#include "isolate/group.h"

/* How a label is got at, which makes the code of the finding; stands above the label's index. */
enum label_code {
	LABEL_PEER,
	LABEL_REQUESTER,
	LABEL_PF,
	LABEL_BACKDOOR,
	LABEL_FRAME,
	LABEL_ID,
	LABEL_HOST,
};

#define LABEL_INDEX 0xffffffu
#define LABEL_SHIFT 24

static const char *const label_codes[] = {
	[LABEL_PEER] = "peer-dma",	    [LABEL_REQUESTER] = "requester-alias",
	[LABEL_PF] = "pf-controls-vf",	    [LABEL_BACKDOOR] = "backdoor",
	[LABEL_FRAME] = "msi-frame-shared", [LABEL_ID] = "msi-id-shared",
	[LABEL_HOST] = "msi-not-isolated",
};

/* What is spread: two labels per node, WARD_NONE where there is none. */
struct lane {
	uint32_t (*label)[2];
	bool unsure; /* along unsure edges, too */
};

#define CLIENT_SURE 1
#define CLIENT_UNSURE 2

enum lane_name {
	LANE_FUNCTION,	   /* functions of somebody else */
	LANE_VECTOR_HOST,  /* interrupts of host functions */
	LANE_VECTOR_OTHER, /* interrupts of functions of clients */
	LANE_MEMORY,	   /* functions that nothing translates */
	LANE_IDENTITY,	   /* spaces that are all memory */
	LANE_ATS,	   /* functions that ATS lets past the IOMMU */
	LANE_HOST,	   /* every interrupt of the host, or those of an IOMMU */
	LANES_SURE,
	LANE_OPEN_FUNCTION = LANES_SURE, /* the same along unsure edges */
	LANE_OPEN_VECTOR,
	LANE_OPEN_MEMORY,
	LANE_OPEN_IDENTITY,
	LANE_OPEN_ATS,
	LANE_OPEN_HOST,
	LANES,
};

struct summing {
	struct ward_judgement j; /* whose, with nothing claimed */
	const struct ward_graph *g;
	struct lane lanes[LANES];
	/*
	 * Frozen functions have a second place each, behind all nodes, for what can be got at through
	 * their StreamIDs: only that is passed on.
	 */
	bool frozen; /* some are */
	uint32_t *work;
	bool *queued;
	uint32_t work_count;
	/* By node: got at by a client's function, for sure or if unknowns turn out badly. */
	uint8_t *reached_by_client;
	bool table_broken;
	/* By function: itself or the next one of its group that keeps VFIO away, or WARD_NONE. */
	uint32_t *in_the_way;
};

/* Adds a label to a node; a node takes at most two, so it is queued at most twice. */
static void put_label(struct summing *s, struct lane *lane, uint32_t node, uint32_t label)
{
	uint32_t *labels = lane->label[node];

	if (label == WARD_NONE || labels[1] != WARD_NONE ||
	    (labels[0] != WARD_NONE && !((labels[0] ^ label) & LABEL_INDEX)))
		return;
	labels[labels[0] != WARD_NONE] = label;
	if (!s->queued[node]) {
		s->queued[node] = true;
		s->work[s->work_count++] = node;
	}
}

/* Who is frozen lends nothing to whoever gets at it; what it would reach itself is told of it. */
static bool is_frozen_node(const struct summing *s, uint32_t node)
{
	uint32_t index;

	return ward_graph_kind(s->g, node, &index) == WARD_NODE_FUNCTION &&
	       s->j.state->functions[index].frozen;
}

static bool is_foreign_node(const struct summing *s, uint32_t node)
{
	uint32_t index;

	return ward_graph_kind(s->g, node, &index) == WARD_NODE_FUNCTION &&
	       ward_is_foreign(ward_whose(&s->j, index));
}

/* What is behind a function of somebody else is not told again: the function is. */
static bool leads_on(const struct summing *s, uint32_t node)
{
	return !is_foreign_node(s, node) && !is_frozen_node(s, node);
}

static void put_before(struct summing *s, struct lane *lane, const struct ward_back_edge *edge,
		       uint32_t label)
{
	put_label(s, lane, edge->from, label);
	if (s->frozen && edge->why == WARD_WHY_STREAM && is_frozen_node(s, edge->from))
		put_label(s, lane, s->g->nodes + edge->from, label);
}

static void spread(struct summing *s, struct lane *lane)
{
	while (s->work_count) {
		uint32_t place = s->work[--s->work_count];
		uint32_t node = place < s->g->nodes ? place : place - s->g->nodes;

		s->queued[place] = false;
		if (place == node && !leads_on(s, node))
			continue;
		for (uint32_t e = s->g->back_start[node]; e < s->g->back_start[node + 1]; e++) {
			if (s->g->back[e].certainty == WARD_UNSURE && !lane->unsure)
				continue;
			put_before(s, lane, &s->g->back[e], lane->label[place][0]);
			put_before(s, lane, &s->g->back[e], lane->label[place][1]);
		}
	}
}

static uint32_t code_of(const struct summing *s, const struct ward_back_edge *edge)
{
	static const uint8_t codes[WARD_WHYS] = {
		[WARD_WHY_REQUESTER] = LABEL_REQUESTER,
		[WARD_WHY_STREAM] = LABEL_REQUESTER,
		[WARD_WHY_PF] = LABEL_PF,
		[WARD_WHY_BACKDOOR] = LABEL_BACKDOOR,
		[WARD_WHY_SOURCE_CHECK] = LABEL_ID,
		[WARD_WHY_FRAME] = LABEL_FRAME,
	};
	uint32_t index;

	if (edge->why == WARD_WHY_FRAME &&
	    ward_graph_kind(s->g, edge->from, &index) == WARD_NODE_DOORBELL &&
	    s->g->pools[index].devid)
		return LABEL_ID;
	return codes[edge->why];
}

/* Whoever is one edge in front of a node learns of it, and how it is got at. */
static void seed_before(struct summing *s, struct lane *lane, uint32_t node, uint32_t index)
{
	for (uint32_t e = s->g->back_start[node]; e < s->g->back_start[node + 1]; e++) {
		if (s->g->back[e].certainty != WARD_UNSURE || lane->unsure)
			put_before(s, lane, &s->g->back[e],
				   index | code_of(s, &s->g->back[e]) << LABEL_SHIFT);
	}
}

static void seed_functions(struct summing *s, struct lane *lane)
{
	for (uint32_t i = 0; i < s->g->machine->functions_count; i++) {
		if (ward_is_foreign(ward_whose(&s->j, i)))
			seed_before(s, lane, ward_graph_node(s->g, WARD_NODE_FUNCTION, i), i);
	}
}

static void seed_vectors(struct summing *s, struct lane *lane, enum ward_whose whose)
{
	for (uint32_t i = 0; i < s->g->machine->functions_count; i++) {
		if (ward_whose(&s->j, i) != whose)
			continue;
		if (whose == WARD_WHOSE_HOST && !ward_uses_messages(s->j.machine, s->j.state, i))
			continue;
		seed_before(s, lane, ward_graph_node(s->g, WARD_NODE_VECTOR_USER, i), i);
	}
}

/* Memory is one node; by which kind of edge it is got at makes two lanes of it. */
static void seed_memory(struct summing *s, struct lane *lane, enum ward_why why)
{
	const struct ward_graph *g = s->g;
	uint32_t memory = ward_graph_node(g, WARD_NODE_MEMORY, 0), index;

	for (uint32_t e = s->g->back_start[memory]; e < s->g->back_start[memory + 1]; e++) {
		if (s->g->back[e].why != why ||
		    (s->g->back[e].certainty == WARD_UNSURE && !lane->unsure))
			continue;
		ward_graph_kind(g, s->g->back[e].from, &index);
		put_label(s, lane, s->g->back[e].from, index);
	}
}

/* Which space it is does not matter; the kernel's are labelled with its groups. */
static void seed_identity(struct summing *s, struct lane *lane)
{
	uint32_t memory = ward_graph_node(s->g, WARD_NODE_MEMORY, 0);

	for (uint32_t e = s->g->back_start[memory]; e < s->g->back_start[memory + 1]; e++) {
		if (s->g->back[e].why == WARD_WHY_IDENTITY)
			put_label(s, lane, s->g->back[e].from, LABEL_INDEX);
	}
	for (uint32_t i = 0; i < s->g->machine->functions_count; i++) {
		if (ward_whose(&s->j, i) == WARD_WHOSE_NOBODY &&
		    ward_graph_is_passed(s->g, i) == WARD_YES)
			put_label(s, lane, ward_graph_node(s->g, WARD_NODE_FUNCTION, i),
				  s->g->machine->functions[i].group);
	}
}

/* A space that is all memory, and that a hand-over of the function does not replace. */
static bool has_identity(const struct summing *s, enum lane_name name, uint32_t function)
{
	const struct lane *lane = &s->lanes[name];
	uint32_t node = ward_graph_node(s->g, WARD_NODE_FUNCTION, function);

	for (unsigned int i = 0; lane->label && i < 2; i++) {
		if (lane->label[node][i] != WARD_NONE &&
		    lane->label[node][i] != s->g->machine->functions[function].group)
			return true;
	}
	return false;
}

static bool knows_spaces(const struct ward_graph *g)
{
	for (uint32_t i = 0; i < g->machine->groups_count; i++) {
		if (g->machine->groups[i].type == WARD_GROUP_IDENTITY)
			return true;
	}
	return g->attachments_count > 0;
}

static void seed_host(struct summing *s, struct lane *lane)
{
	put_label(s, lane, ward_graph_node(s->g, WARD_NODE_HOST_VECTORS, 0),
		  (uint32_t)LABEL_HOST << LABEL_SHIFT);
	for (uint32_t i = 0; i < s->g->machine->iommus_count; i++)
		put_label(s, lane, ward_graph_node(s->g, WARD_NODE_IOMMU_VECTORS, i),
			  1u | (uint32_t)LABEL_FRAME << LABEL_SHIFT);
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
	case LANE_OPEN_MEMORY:
		seed_memory(s, lane, WARD_WHY_NO_IOMMU);
		break;
	case LANE_IDENTITY:
	case LANE_OPEN_IDENTITY:
		seed_identity(s, lane);
		break;
	case LANE_ATS:
	case LANE_OPEN_ATS:
		seed_memory(s, lane, WARD_WHY_ATS);
		break;
	case LANE_HOST:
	case LANE_OPEN_HOST:
		seed_host(s, lane);
		break;
	case LANES:
		break;
	}
}

/* Functions are the first nodes, so their second places stand right behind all nodes. */
static uint32_t places(const struct summing *s)
{
	return s->g->nodes + (s->frozen ? s->g->machine->functions_count : 0);
}

static int run_lanes(struct summing *s)
{
	uint32_t nodes = places(s);

	for (unsigned int name = 0; name < LANES; name++) {
		struct lane *lane = &s->lanes[name];

		lane->unsure = name >= LANES_SURE;
		/* Without spaces that are known there is nothing to spread. */
		if (!knows_spaces(s->g) && (name == LANE_IDENTITY || name == LANE_OPEN_IDENTITY))
			continue;
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
static void run_clients(struct summing *s, uint8_t mark, bool unsure)
{
	const struct ward_graph *g = s->g;

	for (uint32_t i = 0; i < g->machine->functions_count; i++) {
		if (ward_whose(&s->j, i) == WARD_WHOSE_OTHER && !s->j.state->functions[i].frozen)
			s->work[s->work_count++] = ward_graph_node(g, WARD_NODE_FUNCTION, i);
	}
	while (s->work_count) {
		uint32_t node = s->work[--s->work_count];

		for (uint32_t e = g->start[node]; e < g->start[node + 1]; e++) {
			uint32_t to = g->edges[e].to;

			if ((g->edges[e].certainty == WARD_UNSURE && !unsure) ||
			    (g->edges[e].why != WARD_WHY_STREAM && is_frozen_node(s, node)) ||
			    s->reached_by_client[to] & mark)
				continue;
			s->reached_by_client[to] |= mark;
			s->work[s->work_count++] = to;
		}
	}
}

/* The code of a label other than the function itself, or NULL. */
static const char *other_code(const struct summing *s, enum lane_name name, uint32_t function)
{
	const uint32_t *label =
		s->lanes[name].label[ward_graph_node(s->g, WARD_NODE_FUNCTION, function)];

	for (unsigned int i = 0; i < 2; i++) {
		if (label[i] != WARD_NONE && (label[i] & LABEL_INDEX) != function)
			return label_codes[label[i] >> LABEL_SHIFT];
	}
	return NULL;
}

static bool has_other(const struct summing *s, enum lane_name name, uint32_t function)
{
	return other_code(s, name, function) != NULL;
}

/* The code of any label, or NULL. */
static const char *any_code(const struct summing *s, enum lane_name name, uint32_t function)
{
	const struct lane *lane = &s->lanes[name];
	uint32_t node = ward_graph_node(s->g, WARD_NODE_FUNCTION, function);
	uint32_t label = lane->label ? lane->label[node][0] : WARD_NONE;

	return label == WARD_NONE ? NULL : label_codes[label >> LABEL_SHIFT];
}

static bool has_any(const struct summing *s, enum lane_name name, uint32_t function)
{
	return any_code(s, name, function) != NULL;
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

static bool is_reached_by_client(const struct summing *s, uint32_t function, uint8_t mark)
{
	return (s->reached_by_client[ward_graph_node(s->g, WARD_NODE_FUNCTION, function)] |
		s->reached_by_client[ward_graph_node(s->g, WARD_NODE_VECTOR_USER, function)]) &
	       mark;
}

/* What blocks by any policy: the first reason that holds, or NULL. */
static const char *firm_code(const struct summing *s, uint32_t function)
{
	if (s->j.state->functions[function].absent)
		return "absent";
	if (!ward_is_assignable(s->j.machine, function))
		return "not-assignable";
	if (s->j.state->functions[function].owner.kind == WARD_OWNER_CLIENT ||
	    ward_is_in_use(s->j.state, function))
		return "already-owned";
	if (ward_is_translated(s->j.machine, function) == WARD_NO)
		return "no-iommu";
	if (ward_stream_weight(s->j.isolation, s->j.state, function) == WARD_BLOCKS)
		return "stream-in-use";
	if (ward_is_refused_for_vfs(s->j.isolation, s->j.state, function))
		return "vfs-enabled";
	if (ward_direct_region(s->j.isolation, function, WARD_REGION_DIRECT))
		return "rmrr";
	return group_code(s, function);
}

static const char *reach_code(const struct summing *s, uint32_t function)
{
	const char *code = NULL;

	/* Who has all memory by himself gains nothing by getting at others. */
	if (ward_in_identity(s->g, ward_graph_node(s->g, WARD_NODE_FUNCTION, function)))
		return "space-identity";
	if (has_other(s, LANE_MEMORY, function))
		return "no-iommu";
	if (has_identity(s, LANE_IDENTITY, function))
		return "space-identity";
	code = other_code(s, LANE_FUNCTION, function);
	if (!code && is_reached_by_client(s, function, CLIENT_SURE))
		code = "reached-by-other";
	if (!code)
		code = any_code(s, LANE_HOST, function);
	if (!code)
		code = other_code(s, LANE_VECTOR_HOST, function);
	if (!code)
		code = other_code(s, LANE_VECTOR_OTHER, function);
	if (!code && has_any(s, LANE_ATS, function))
		code = "ats-trusted";
	return code;
}

/* What reach leaves open: asked only of functions that reach nothing for sure. */
static const char *open_reach_code(const struct summing *s, uint32_t function)
{
	if (has_any(s, LANE_OPEN_MEMORY, function))
		return "iommu-unknown";
	if (has_identity(s, LANE_OPEN_IDENTITY, function))
		return "space-identity";
	if (is_reached_by_client(s, function, CLIENT_UNSURE))
		return "reached-by-other";
	if (has_other(s, LANE_OPEN_FUNCTION, function))
		return "acs-unknown";
	if (has_any(s, LANE_OPEN_HOST, function) || has_other(s, LANE_OPEN_VECTOR, function))
		return "msi-unknown";
	return has_any(s, LANE_OPEN_ATS, function) ? "ats-trusted" : NULL;
}

static const char *open_code(const struct summing *s, uint32_t function, bool strict)
{
	const struct ward_machine *machine = s->j.machine;
	const char *code = NULL;

	if (ward_is_translated(machine, function) == WARD_UNKNOWN)
		return "iommu-unknown";
	if (strict)
		code = open_reach_code(s, function);
	else if (ward_linux_isolates(machine, function) == WARD_UNKNOWN &&
		 machine->unsafe_interrupts_allowed != WARD_YES)
		code = "msi-unknown";
	if (ward_stream_weight(s->j.isolation, s->j.state, function) == WARD_OPEN &&
	    (!code || ward_finding_rank(code) > ward_finding_rank("stream-in-use")))
		return "stream-in-use";
	return code || !s->table_broken ? code : "table-broken";
}

static void weigh(const struct summing *s, uint32_t function, struct ward_summary *summary)
{
	bool strict = s->j.question->policy == WARD_POLICY_STRICT;

	summary->answer = WARD_UNSAFE;
	summary->code = firm_code(s, function);
	if (!summary->code && strict)
		summary->code = reach_code(s, function);
	if (!summary->code && !strict && ward_linux_isolates(s->j.machine, function) == WARD_NO &&
	    s->j.machine->unsafe_interrupts_allowed != WARD_YES)
		summary->code = "unsafe-interrupts";
	if (summary->code)
		return;
	summary->answer = WARD_CANNOT_TELL;
	summary->code = open_code(s, function, strict);
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
	if ((!f->msi && !f->msix) || s->j.state->functions[function].msi_off ||
	    s->j.state->functions[function].absent)
		return WARD_GRADE_NONE;
	if (f->controller_known == WARD_UNKNOWN)
		return WARD_GRADE_UNKNOWN;
	if (ward_is_landed(s->g, function))
		return WARD_GRADE_EXCLUSIVE;
	if (f->controller == WARD_NONE)
		return WARD_GRADE_NONE;
	return s->j.machine->controllers[f->controller].isolates == WARD_YES ? WARD_GRADE_ISOLATED
									     : WARD_GRADE_EXCLUSIVE;
}

static int sum(struct summing *s, struct ward_summary *summaries)
{
	uint32_t nodes;
	int err;

	for (uint32_t i = 0; i < s->g->machine->functions_count; i++)
		s->frozen |= s->j.state->functions[i].frozen;
	nodes = places(s);
	s->work = ward_alloc_array(nodes * (size_t)2, sizeof(*s->work));
	s->queued = ward_alloc_array(nodes, sizeof(*s->queued));
	s->reached_by_client = ward_alloc_array(nodes, sizeof(*s->reached_by_client));
	s->in_the_way = ward_alloc_array(s->g->machine->functions_count, sizeof(*s->in_the_way));
	if (!s->work || !s->queued || !s->reached_by_client || !s->in_the_way)
		return -ENOMEM;
	err = run_lanes(s);
	if (err)
		return err;
	run_clients(s, CLIENT_SURE, false);
	run_clients(s, CLIENT_UNSURE, true);
	for (uint32_t i = 0; i < s->g->machine->remarks_count; i++)
		s->table_broken |= ward_remark_weight(s->g->machine, i) == WARD_OPEN;
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
	const struct ward_question question = { .size = sizeof(question),
						.client = WARD_NONE,
						.policy = policy };
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

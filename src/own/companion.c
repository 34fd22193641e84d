// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Companions: functions that are in one space or in none, as the IOMMU, or the kernel, cannot have them
 * in two. Those of one kernel group, and those that share a requester id or a StreamID.
 */
#include "own/environment.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"
#include "isolate/isolation.h"

struct companions {
	const struct ward_graph *graph;
	uint32_t *parent; /* of function and requester nodes; a root is its own */
	uint32_t *next;	  /* by function: rings */
};

static uint32_t root_of(struct companions *c, uint32_t n)
{
	while (c->parent[n] != n) {
		c->parent[n] = c->parent[c->parent[n]];
		n = c->parent[n];
	}
	return n;
}

static void unite(struct companions *c, uint32_t a, uint32_t b)
{
	a = root_of(c, a);
	b = root_of(c, b);
	if (a < b)
		c->parent[b] = a;
	else
		c->parent[a] = b;
}

static bool is_of_id(const struct ward_graph *g, uint32_t node, const struct ward_edge *edge)
{
	uint32_t index;
	enum ward_node_kind from = ward_graph_kind(g, node, &index);
	enum ward_node_kind to = ward_graph_kind(g, edge->to, &index);

	return (edge->why == WARD_WHY_REQUESTER || edge->why == WARD_WHY_STREAM) &&
	       (from == WARD_NODE_FUNCTION || from == WARD_NODE_REQUESTER) &&
	       (to == WARD_NODE_FUNCTION || to == WARD_NODE_REQUESTER);
}

static void unite_ids(struct companions *c)
{
	const struct ward_graph *g = c->graph;

	for (uint32_t n = 0; n < g->nodes; n++) {
		for (uint32_t e = g->start[n]; e < g->start[n + 1]; e++) {
			if (is_of_id(g, n, &g->edges[e]))
				unite(c, n, g->edges[e].to);
		}
	}
}

/* Two rings become one when a step of each is exchanged. */
static void make_rings(struct companions *c, uint32_t count, uint32_t *last)
{
	for (uint32_t n = 0; n < c->graph->nodes; n++)
		last[n] = WARD_NONE;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t root = root_of(c, ward_graph_node(c->graph, WARD_NODE_FUNCTION, i));

		c->next[i] = i;
		if (last[root] != WARD_NONE) {
			c->next[i] = c->next[last[root]];
			c->next[last[root]] = i;
		}
		last[root] = i;
	}
}

int own_companions_make(const struct ward_isolation *isolation, uint32_t **ret_next)
{
	const struct ward_graph *g = &isolation->graph;
	uint32_t count = g->machine->functions_count;
	struct companions c = {
		.graph = g,
		.parent = ward_alloc_array(g->nodes, sizeof(*c.parent)),
		.next = ward_alloc_array(count, sizeof(*c.next)),
	};
	uint32_t *last = ward_alloc_array(g->nodes, sizeof(*last));
	int err = c.parent && c.next && last ? 0 : -ENOMEM;

	if (!err) {
		for (uint32_t n = 0; n < g->nodes; n++)
			c.parent[n] = n;
		for (uint32_t i = 0; i < count; i++)
			unite(&c, ward_graph_node(g, WARD_NODE_FUNCTION, i),
			      ward_graph_node(g, WARD_NODE_FUNCTION, isolation->group_next[i]));
		unite_ids(&c);
		make_rings(&c, count, last);
		*ret_next = c.next;
	} else {
		free(c.next);
	}
	free(c.parent);
	free(last);
	return err;
}

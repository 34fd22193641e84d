// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "isolate/back.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"

/* The slot of a node in the table: its own, or the empty one where it belongs. */
static size_t find_slot(const struct ward_back *b, uint32_t node)
{
	size_t slot = ((node * 0x9e3779b1u) >> 7) & (b->slots_count - 1);

	while (b->slots[slot] && b->nodes[b->slots[slot] - 1] != node)
		slot = (slot + 1) & (b->slots_count - 1);
	return slot;
}

static int grow_slots(struct ward_back *b)
{
	size_t count = b->slots_count ? b->slots_count * 2 : 64;
	uint32_t *slots;

	if ((b->nodes_count + 1) * 2 <= b->slots_count)
		return 0;
	slots = ward_alloc_array(count, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(b->slots);
	b->slots = slots;
	b->slots_count = count;
	for (size_t i = 0; i < b->nodes_count; i++)
		b->slots[find_slot(b, b->nodes[i])] = (uint32_t)i + 1;
	return 0;
}

static int meet(struct ward_back *b, uint32_t node)
{
	void *nodes = b->nodes;
	size_t slot;

	if (grow_slots(b))
		return -ENOMEM;
	slot = find_slot(b, node);
	if (b->slots[slot])
		return 0;
	if (ward_array_reserve(&nodes, &b->nodes_capacity, b->nodes_count + 1, sizeof(node)))
		return -ENOMEM;
	b->nodes = nodes;
	b->nodes[b->nodes_count++] = node;
	b->slots[slot] = (uint32_t)b->nodes_count;
	return 0;
}

static bool is_frozen(const struct ward_state *state, uint32_t node)
{
	/* Functions are the first kind of node. */
	return node < state->machine->functions_count && state->functions[node].frozen;
}

int ward_back_walk(struct ward_back *back, const struct ward_isolation *isolation,
		   const struct ward_state *state, const uint32_t *functions, uint32_t count)
{
	const struct ward_graph *g = &isolation->graph;
	int err = 0;

	*back = (struct ward_back){ .graph = g };
	for (uint32_t i = 0; i < count && !err; i++) {
		err = meet(back, ward_graph_node(g, WARD_NODE_FUNCTION, functions[i]));
		if (!err)
			err = meet(back, ward_graph_node(g, WARD_NODE_VECTOR_USER, functions[i]));
	}
	for (size_t at = 0; at < back->nodes_count && !err; at++) {
		uint32_t node = back->nodes[at];

		for (uint32_t e = g->back_start[node]; e < g->back_start[node + 1] && !err; e++) {
			if (!is_frozen(state, g->back[e].from) || g->back[e].why == WARD_WHY_STREAM)
				err = meet(back, g->back[e].from);
		}
	}
	return err;
}

void ward_back_finish(struct ward_back *back)
{
	free(back->nodes);
	free(back->slots);
}

bool ward_back_has(const struct ward_back *back, uint32_t node)
{
	return back->slots_count && back->slots[find_slot(back, node)];
}

static int compare_functions(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* It leads to a node of the walk: what it begins at is there without that. */
static bool leads(const struct ward_back *back, uint32_t node)
{
	const struct ward_graph *g = back->graph;

	for (uint32_t e = g->start[node]; e < g->start[node + 1]; e++) {
		if (ward_back_has(back, g->edges[e].to))
			return true;
	}
	return false;
}

int ward_reaching(const struct ward_isolation *isolation, const struct ward_state *state,
		  const uint32_t *functions, uint32_t count, uint32_t **ret_functions,
		  uint32_t *ret_count)
{
	struct ward_back back;
	uint32_t *found, kept = 0;
	int err;

	for (uint32_t i = 0; i < count; i++) {
		if (functions[i] >= isolation->machine->functions_count)
			return -EINVAL;
	}
	err = ward_back_walk(&back, isolation, state, functions, count);
	found = err ? NULL : ward_alloc_array(back.nodes_count, sizeof(*found));
	if (!found) {
		ward_back_finish(&back);
		return -ENOMEM;
	}
	for (size_t i = 0; i < back.nodes_count; i++) {
		uint32_t node = back.nodes[i];

		if (node < isolation->machine->functions_count && !is_frozen(state, node) &&
		    leads(&back, node))
			found[kept++] = node;
	}
	ward_back_finish(&back);
	if (kept)
		qsort(found, kept, sizeof(*found), compare_functions);
	*ret_functions = found;
	*ret_count = kept;
	return 0;
}

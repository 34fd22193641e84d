// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Reach: everything that can be got at from some functions. It costs what is reached, not what
 * the machine has: visited nodes are kept in a hash table.
 */
#include "isolate/reach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

/* Three queues in one list: nodes found by certain, assumed and unsure paths. */
struct frontier {
	uint32_t *items; /* indexes into visits */
	size_t head, count, capacity;
};

static uint32_t hash_node(uint32_t node)
{
	return node * 0x9e3779b1u;
}

/* The slot of a node in the table: its own, or the empty one where it belongs. */
static size_t find_slot(const struct ward_reach *r, uint32_t node)
{
	size_t slot = (hash_node(node) >> 7) & (r->slots_count - 1);

	while (r->slots[slot] && r->visits[r->slots[slot] - 1].node != node)
		slot = (slot + 1) & (r->slots_count - 1);
	return slot;
}

static int grow_slots(struct ward_reach *r)
{
	size_t count = r->slots_count ? r->slots_count * 2 : 64;
	uint32_t *slots;

	if ((r->visits_count + 1) * 2 <= r->slots_count)
		return 0;
	slots = ward_alloc_array(count, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(r->slots);
	r->slots = slots;
	r->slots_count = count;
	for (uint32_t i = 0; i < r->visits_count; i++)
		r->slots[find_slot(r, r->visits[i].node)] = i + 1;
	return 0;
}

const struct ward_visit *ward_reach_visit(const struct ward_reach *reach, uint32_t node)
{
	uint32_t found = reach->slots_count ? reach->slots[find_slot(reach, node)] : 0;

	return found ? &reach->visits[found - 1] : NULL;
}

/* A node met for the first time, or met again by a surer path, goes onto the frontier. */
static int meet(struct ward_reach *r, struct frontier frontiers[3], struct ward_visit visit)
{
	struct frontier *f = &frontiers[visit.certainty];
	void *items = f->items, *visits = r->visits;
	uint32_t found;

	if (grow_slots(r))
		return -ENOMEM;
	found = r->slots[find_slot(r, visit.node)];
	if (found && r->visits[found - 1].certainty <= visit.certainty)
		return 0;
	if (ward_array_reserve(&items, &f->capacity, f->count + 1, sizeof(*f->items)))
		return -ENOMEM;
	f->items = items;
	if (!found) {
		if (ward_array_reserve(&visits, &r->visits_capacity, r->visits_count + 1u,
				       sizeof(*r->visits)))
			return -ENOMEM;
		r->visits = visits;
		found = ++r->visits_count;
		r->slots[find_slot(r, visit.node)] = found;
	}
	r->visits[found - 1] = visit;
	f->items[f->count++] = found - 1;
	return 0;
}

static int expand(struct ward_reach *r, struct frontier frontiers[3], uint32_t at)
{
	const struct ward_graph *g = r->graph;
	uint32_t node = r->visits[at].node, index;
	bool is_function = ward_graph_kind(g, node, &index) == WARD_NODE_FUNCTION, by_id;

	if (r->stop && is_function && r->stop(r->context, index))
		return 0;
	by_id = r->frozen && is_function && r->frozen(r->context, index);
	for (uint32_t e = g->start[node]; e < g->start[node + 1]; e++) {
		uint8_t certainty = g->edges[e].certainty;
		int err;

		if (by_id && g->edges[e].why != WARD_WHY_STREAM)
			continue;
		if (certainty < r->visits[at].certainty)
			certainty = r->visits[at].certainty;
		err = meet(r, frontiers,
			   (struct ward_visit){ .node = g->edges[e].to,
						.before = at,
						.edge = e,
						.certainty = certainty });
		if (err)
			return err;
	}
	return 0;
}

/* Certain paths first, so that a node is settled by its surest path, and by the shortest of those. */
static int explore(struct ward_reach *r, struct frontier frontiers[3])
{
	for (unsigned int level = 0; level < 3; level++) {
		struct frontier *f = &frontiers[level];

		while (f->head < f->count) {
			uint32_t at = f->items[f->head++];
			int err;

			if (r->visits[at].certainty != level)
				continue;
			r->visits[at].order = r->settled++;
			err = expand(r, frontiers, at);
			if (err)
				return err;
		}
	}
	return 0;
}

static int compare_order(const void *a, const void *b)
{
	const struct ward_visit *const *x = a, *const *y = b;

	return (*x)->order < (*y)->order ? -1 : (*x)->order > (*y)->order;
}

/* What the walk hands out: things reached, in the order of settling; starts are left out. */
static int list_things(struct ward_reach *r)
{
	r->things = ward_alloc_array(r->visits_count, sizeof(*r->things));
	if (!r->things)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->visits_count; i++) {
		const struct ward_visit *visit = &r->visits[i];
		uint32_t index;

		switch (ward_graph_kind(r->graph, visit->node, &index)) {
		case WARD_NODE_SLOT:
		case WARD_NODE_BUS_DOWN:
		case WARD_NODE_BUS_UP:
		case WARD_NODE_REQUESTER:
			continue;
		case WARD_NODE_FUNCTION:
		case WARD_NODE_VECTOR_USER:
		case WARD_NODE_DOORBELL:
		case WARD_NODE_IOMMU_VECTORS:
		case WARD_NODE_HOST_VECTORS:
		case WARD_NODE_SPACE:
		case WARD_NODE_MEMORY:
			break;
		}
		if (visit->edge != WARD_NONE)
			r->things[r->things_count++] = visit;
	}
	if (r->things_count)
		qsort(r->things, r->things_count, sizeof(*r->things), compare_order);
	return 0;
}

int ward_reach_past(const struct ward_graph *graph, const uint32_t *functions, uint32_t count,
		    ward_reach_stop *stop, ward_reach_frozen *frozen, const void *context,
		    struct ward_reach **ret_reach)
{
	struct frontier frontiers[3] = { { 0 } };
	struct ward_reach *r = ward_alloc(sizeof(*r));
	int err = 0;

	if (!r)
		return -ENOMEM;
	r->graph = graph;
	r->stop = stop;
	r->frozen = frozen;
	r->context = context;
	for (uint32_t i = 0; i < count && !err; i++) {
		if (functions[i] >= graph->machine->functions_count)
			err = -EINVAL;
		else
			err = meet(r, frontiers,
				   (struct ward_visit){ .node = ward_graph_node(graph,
										WARD_NODE_FUNCTION,
										functions[i]),
							.before = WARD_NONE,
							.edge = WARD_NONE });
	}
	if (!err)
		err = explore(r, frontiers);
	if (!err)
		err = list_things(r);
	for (unsigned int level = 0; level < 3; level++)
		free(frontiers[level].items);
	if (err) {
		ward_reach_destroy(r);
		return err;
	}
	*ret_reach = r;
	return 0;
}

int ward_reach_from(const struct ward_graph *graph, const uint32_t *functions, uint32_t count,
		    ward_reach_stop *stop, const void *context, struct ward_reach **ret_reach)
{
	return ward_reach_past(graph, functions, count, stop, NULL, context, ret_reach);
}

bool ward_reach_next(const struct ward_reach *reach, uint32_t *cursor,
		     struct ward_reached *ret_reached)
{
	const struct ward_visit *visit;

	if (*cursor >= reach->things_count)
		return false;
	visit = reach->things[(*cursor)++];
	ret_reached->kind = ward_graph_kind(reach->graph, visit->node, &ret_reached->index);
	ret_reached->assumed = visit->certainty == WARD_ASSUMED;
	ret_reached->unknown = visit->certainty == WARD_UNSURE;
	return true;
}

/* The next mapping of the space that the cursor is at; false when there is none any more. */
static bool next_mapping(const struct ward_attachment *attachment, struct ward_reach_cursor *cursor,
			 struct ward_reached_memory *memory)
{
	struct ward_space_info info;
	const struct ward_space *space = ward_space_bound(attachment->space, &info);
	struct ward_mapping mapping;

	memory->access = WARD_READ | WARD_WRITE;
	memory->range = (struct ward_range){ 0, UINT64_MAX };
	if (info.kind == WARD_SPACE_IDENTITY) {
		cursor->step++;
		return true;
	}
	if (!ward_space_next(space, cursor->next, &mapping))
		return false;
	memory->access = mapping.access;
	memory->range.start = ward_target_raw(mapping.target);
	memory->range.last =
		memory->range.start + ward_iova_raw(mapping.last) - ward_iova_raw(mapping.start);
	cursor->next = ward_iova(ward_iova_raw(mapping.last) + 1);
	if (ward_iova_raw(mapping.last) == UINT64_MAX)
		cursor->step++;
	return true;
}

static bool memory_of(const struct ward_reach *reach, const struct ward_visit *visit,
		      struct ward_reach_cursor *cursor, struct ward_reached_memory *memory)
{
	uint32_t index;

	if (ward_graph_kind(reach->graph, visit->node, &index) != WARD_NODE_SPACE)
		return false;
	memory->attachment = index;
	memory->assumed = visit->certainty == WARD_ASSUMED;
	memory->unknown = visit->certainty == WARD_UNSURE;
	return next_mapping(&reach->graph->attachments[index], cursor, memory);
}

/* Memory that is not reached through an identity space, which was told already. */
static bool untranslated(const struct ward_reach *reach, struct ward_reached_memory *memory)
{
	const struct ward_graph *g = reach->graph;
	const struct ward_visit *visit =
		ward_reach_visit(reach, ward_graph_node(g, WARD_NODE_MEMORY, 0));

	if (!visit || g->edges[visit->edge].why == WARD_WHY_IDENTITY)
		return false;
	*memory = (struct ward_reached_memory){
		.range = { 0, UINT64_MAX },
		.access = WARD_READ | WARD_WRITE,
		.attachment = WARD_NONE,
		.assumed = visit->certainty == WARD_ASSUMED,
		.unknown = visit->certainty == WARD_UNSURE,
	};
	return true;
}

bool ward_reach_memory_next(const struct ward_reach *reach, struct ward_reach_cursor *cursor,
			    struct ward_reached_memory *ret_memory)
{
	struct ward_reached_memory memory;

	for (; cursor->step < reach->things_count; cursor->step++, cursor->next = ward_iova(0)) {
		if (memory_of(reach, reach->things[cursor->step], cursor, &memory)) {
			*ret_memory = memory;
			return true;
		}
	}
	if (cursor->step > reach->things_count || !untranslated(reach, &memory))
		return false;
	cursor->step++;
	*ret_memory = memory;
	return true;
}

void ward_reach_destroy(struct ward_reach *reach)
{
	if (!reach)
		return;
	free(reach->visits);
	free(reach->slots);
	free(reach->things);
	free(reach);
}

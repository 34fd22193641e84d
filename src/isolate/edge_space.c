// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Spaces that the state knows: who is in which, and what can be got at through what is mapped there.
 * A writable mapping that leads onto a function's registers is having the function; one that leads
 * onto a doorbell's page rings it. Memory is no node; the mappings themselves say which is reached.
 */
#include "isolate/graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "isolate/group.h"

/* Registers, in a balanced tree that lies in a sorted array: the root of a run is its middle. */
struct registers {
	struct ward_range range;
	uint64_t highest; /* last address of any in the run that this one is the root of */
	uint32_t function;
};

struct mapping_walk {
	struct ward_graph *graph;
	struct registers *registers;
	uint32_t count;
	/* By function and by pool: the last space that got an edge there, as index + 1. */
	uint32_t *function_seen, *pool_seen;
	uint32_t attachment;
};

const struct ward_space *ward_space_bound(const struct ward_space *space,
					  struct ward_space_info *ret_info)
{
	ward_space_info(space, ret_info);
	while (ret_info->kind == WARD_SPACE_NESTED && ret_info->parent) {
		space = ret_info->parent;
		ward_space_info(space, ret_info);
	}
	return space;
}

struct held_space {
	const struct ward_space *bound;
	uint32_t attachment;
};

static int compare_spaces(const void *a, const void *b)
{
	const struct held_space *x = a, *y = b;

	if (x->bound != y->bound)
		return (uintptr_t)x->bound < (uintptr_t)y->bound ? -1 : 1;
	return x->attachment < y->attachment ? -1 : 1;
}

int ward_graph_take_spaces(struct ward_graph *graph, const struct ward_state *state)
{
	uint32_t count = state->attachments_count;
	struct held_space *held;

	if (!count)
		return 0;
	held = ward_alloc_array(count, sizeof(*held));
	graph->attachments = ward_alloc_array(count, sizeof(*graph->attachments));
	graph->space_of = ward_alloc_array(count, sizeof(*graph->space_of));
	if (!held || !graph->attachments || !graph->space_of) {
		free(held);
		return -ENOMEM;
	}
	memcpy(graph->attachments, state->attachments, count * sizeof(*graph->attachments));
	graph->attachments_count = count;
	for (uint32_t i = 0; i < count; i++) {
		struct ward_space_info info;

		held[i] = (struct held_space){ ward_space_bound(state->attachments[i].space, &info),
					       i };
	}
	qsort(held, count, sizeof(*held), compare_spaces);
	for (uint32_t i = 0, first = 0; i < count; i++) {
		if (held[i].bound != held[first].bound)
			first = i;
		graph->space_of[held[i].attachment] = held[first].attachment;
	}
	free(held);
	return 0;
}

/* One past the last attachment of a function; the one without PASID is the last one. */
static uint32_t attachments_end(const struct ward_graph *graph, uint32_t function)
{
	uint32_t low = 0, high = graph->attachments_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (graph->attachments[middle].function <= function)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Where its requests without PASID go, or NULL. */
static const struct ward_attachment *attachment_of(const struct ward_graph *graph,
						   uint32_t function)
{
	uint32_t end = attachments_end(graph, function);
	const struct ward_attachment *a;

	if (!end)
		return NULL;
	a = &graph->attachments[end - 1];
	return a->function == function && a->pasid == WARD_PASID_NONE ? a : NULL;
}

enum ward_tri ward_graph_is_passed(const struct ward_graph *graph, uint32_t function)
{
	const struct ward_machine *machine = graph->machine;
	uint32_t group = machine->functions[function].group;

	if (ward_is_translated(machine, function) != WARD_YES || attachment_of(graph, function))
		return WARD_NO;
	if (group == WARD_NONE || machine->groups[group].type == WARD_GROUP_TYPE_UNKNOWN)
		return WARD_UNKNOWN;
	return machine->groups[group].type == WARD_GROUP_IDENTITY ? WARD_YES : WARD_NO;
}

uint32_t ward_graph_own_space(const struct ward_graph *graph, uint32_t function)
{
	const struct ward_attachment *a = attachment_of(graph, function);
	struct ward_space_info info;

	if (!a || ward_is_translated(graph->machine, function) == WARD_NO)
		return WARD_NONE;
	ward_space_bound(a->space, &info);
	if (info.kind != WARD_SPACE_UNMANAGED && info.kind != WARD_SPACE_DYNAMIC)
		return WARD_NONE;
	return graph->space_of[a - graph->attachments];
}

bool ward_graph_is_blocked(const struct ward_graph *graph, uint32_t function)
{
	const struct ward_attachment *a = attachment_of(graph, function);
	struct ward_space_info info;

	if (!a)
		return false;
	ward_space_bound(a->space, &info);
	return info.kind == WARD_SPACE_BLOCKED;
}

bool ward_graph_is_walled(const struct ward_graph *graph, uint32_t function)
{
	struct ward_space_info info;

	if (!ward_graph_is_blocked(graph, function))
		return false;
	for (uint32_t i = attachments_end(graph, function);
	     i > 0 && graph->attachments[i - 1].function == function; i--) {
		ward_space_bound(graph->attachments[i - 1].space, &info);
		if (info.kind != WARD_SPACE_BLOCKED)
			return false;
	}
	return true;
}

static int compare_registers(const void *a, const void *b)
{
	const struct registers *x = a, *y = b;

	if (x->range.start != y->range.start)
		return x->range.start < y->range.start ? -1 : 1;
	return x->function < y->function ? -1 : x->function > y->function;
}

static uint64_t make_tree(struct registers *run, uint32_t count)
{
	uint32_t root = count / 2;
	uint64_t below;

	if (!count)
		return 0;
	run[root].highest = run[root].range.last;
	below = make_tree(run, root);
	if (below > run[root].highest)
		run[root].highest = below;
	below = make_tree(run + root + 1, count - root - 1);
	if (below > run[root].highest)
		run[root].highest = below;
	return run[root].highest;
}

static int list_registers(struct mapping_walk *walk)
{
	const struct ward_machine *machine = walk->graph->machine;

	walk->registers = ward_alloc_array(machine->functions_count, 6 * sizeof(*walk->registers));
	if (!walk->registers)
		return -ENOMEM;
	for (uint32_t i = 0; i < machine->functions_count; i++) {
		for (unsigned int b = 0; b < 6; b++) {
			const struct ward_bar *bar = &machine->functions[i].bar[b];

			if (!bar->io && !ward_range_is_empty(bar->range))
				walk->registers[walk->count++] =
					(struct registers){ .range = bar->range, .function = i };
		}
	}
	if (walk->count)
		qsort(walk->registers, walk->count, sizeof(*walk->registers), compare_registers);
	make_tree(walk->registers, walk->count);
	return 0;
}

static void touch_function(struct mapping_walk *walk, uint32_t function)
{
	struct ward_graph *g = walk->graph;

	if (walk->function_seen[function] == walk->attachment + 1)
		return;
	walk->function_seen[function] = walk->attachment + 1;
	ward_graph_add(g, ward_graph_node(g, WARD_NODE_SPACE, walk->attachment),
		       ward_graph_node(g, WARD_NODE_FUNCTION, function), WARD_WHY_MAPPED_BAR,
		       function, WARD_CERTAIN);
}

/* As deep as the tree is high: the logarithm of the number of BARs. */
static void touch_registers(struct mapping_walk *walk, uint32_t first, uint32_t count,
			    struct ward_range target)
{
	const struct registers *root = &walk->registers[first + count / 2];
	uint32_t before = count / 2, after = count - before - 1;

	if (!count || root->highest < target.start)
		return;
	touch_registers(walk, first, before, target);
	if (root->range.start > target.last)
		return;
	if (ward_range_overlaps(root->range, target))
		touch_function(walk, root->function);
	touch_registers(walk, first + before + 1, after, target);
}

/*
 * What is mapped is whole pages, so a frame beside the one that was meant is touched like it. On x86
 * it is the address before the translation that makes a write an interrupt (edge_msi.c).
 */
static void touch_doorbells(struct mapping_walk *walk, struct ward_range target)
{
	struct ward_graph *g = walk->graph;

	for (uint32_t i = 0; i < g->machine->controllers_count; i++) {
		const struct ward_controller *c = &g->machine->controllers[i];
		uint32_t pool = g->pool_of[i];

		if (pool == WARD_NONE || ward_controller_is_x86(c) ||
		    walk->pool_seen[pool] == walk->attachment + 1 ||
		    !ward_controller_rung_in(c, target))
			continue;
		walk->pool_seen[pool] = walk->attachment + 1;
		ward_graph_add(g, ward_graph_node(g, WARD_NODE_SPACE, walk->attachment),
			       ward_graph_node(g, WARD_NODE_DOORBELL, pool), WARD_WHY_MAPPED_PAGE,
			       WARD_NONE, c->isolates == WARD_UNKNOWN ? WARD_UNSURE : WARD_CERTAIN);
	}
}

/* Only writes ring, and only writes make a function do what its driver did not want. */
static void add_mappings(struct mapping_walk *walk, const struct ward_space *space)
{
	struct ward_mapping mapping;
	ward_iova_t from = ward_iova(0);

	while (ward_space_next(space, from, &mapping)) {
		uint64_t start = ward_target_raw(mapping.target);
		uint64_t length = ward_iova_raw(mapping.last) - ward_iova_raw(mapping.start);
		struct ward_range target = { start, start + length };

		if (mapping.access & WARD_WRITE) {
			touch_registers(walk, 0, walk->count, target);
			touch_doorbells(walk, target);
		}
		if (ward_iova_raw(mapping.last) == UINT64_MAX)
			return;
		from = ward_iova(ward_iova_raw(mapping.last) + 1);
	}
}

static void add_contents(struct mapping_walk *walk, uint32_t attachment)
{
	struct ward_graph *g = walk->graph;
	struct ward_space_info info;
	const struct ward_space *space = ward_space_bound(g->attachments[attachment].space, &info);

	walk->attachment = attachment;
	switch (info.kind) {
	case WARD_SPACE_BLOCKED:
	case WARD_SPACE_NESTED:
		break;
	case WARD_SPACE_IDENTITY:
		ward_graph_add(g, ward_graph_node(g, WARD_NODE_SPACE, attachment),
			       ward_graph_node(g, WARD_NODE_MEMORY, 0), WARD_WHY_IDENTITY,
			       WARD_NONE, WARD_CERTAIN);
		break;
	case WARD_SPACE_UNMANAGED:
	case WARD_SPACE_DYNAMIC:
		add_mappings(walk, space);
		break;
	}
}

/* The client can put any PASID into a request, so the function is in all of its spaces. */
static void add_user(struct ward_graph *g, uint32_t attachment)
{
	uint32_t function = g->attachments[attachment].function;
	enum ward_tri translated = ward_is_translated(g->machine, function);
	struct ward_space_info info;

	ward_space_bound(g->attachments[attachment].space, &info);
	/* Where nothing translates, a space is only so many words. */
	if (translated == WARD_NO || info.kind == WARD_SPACE_BLOCKED)
		return;
	ward_graph_add(g, ward_graph_node(g, WARD_NODE_FUNCTION, function),
		       ward_graph_node(g, WARD_NODE_SPACE, g->space_of[attachment]), WARD_WHY_SPACE,
		       function, translated == WARD_YES ? WARD_CERTAIN : WARD_UNSURE);
}

void ward_graph_add_spaces(struct ward_graph *graph)
{
	const struct ward_machine *machine = graph->machine;
	struct mapping_walk walk = { .graph = graph };

	if (!graph->attachments_count)
		return;
	walk.function_seen = ward_alloc_array(machine->functions_count, sizeof(uint32_t));
	walk.pool_seen = ward_alloc_array(graph->pools_count, sizeof(uint32_t));
	if (!walk.function_seen || !walk.pool_seen || list_registers(&walk))
		graph->failed = true;
	for (uint32_t i = 0; i < graph->attachments_count && !graph->failed; i++) {
		add_user(graph, i);
		if (graph->space_of[i] == i)
			add_contents(&walk, i);
	}
	free(walk.registers);
	free(walk.function_seen);
	free(walk.pool_seen);
}

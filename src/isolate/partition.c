// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Partitions: which functions must be given away, or kept, together. Two functions belong together
 * when one can get at the other or its interrupts, when the kernel keeps them in one group, when
 * a reset of one hits the other, or when firmware made them one partitionable endpoint. Who is absent
 * belongs to nobody.
 *
 * A PF and its VFs are not tied: the PF stays with the host, which is trusted. Who is given the PF
 * is judged by its reach, and that holds the VFs.
 */
#include "isolate/isolation.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"
#include "machine/machine.h"

static uint32_t find_root(uint32_t *parent, uint32_t n)
{
	while (parent[n] != n) {
		parent[n] = parent[parent[n]];
		n = parent[n];
	}
	return n;
}

/* The smaller number leads, so that a partition is called after its first function. */
static void unite(uint32_t *parent, uint32_t a, uint32_t b)
{
	a = find_root(parent, a);
	b = find_root(parent, b);
	if (a < b)
		parent[b] = a;
	else
		parent[a] = b;
}

static bool ties(const struct ward_graph *g, const struct ward_edge *edge)
{
	uint32_t index;

	if (edge->why == WARD_WHY_PF)
		return false;
	switch (ward_graph_kind(g, edge->to, &index)) {
	case WARD_NODE_IOMMU_VECTORS:
	case WARD_NODE_HOST_VECTORS:
	case WARD_NODE_SPACE:
	case WARD_NODE_MEMORY:
		return false;
	case WARD_NODE_FUNCTION:
	case WARD_NODE_SLOT:
	case WARD_NODE_BUS_DOWN:
	case WARD_NODE_BUS_UP:
	case WARD_NODE_REQUESTER:
	case WARD_NODE_DOORBELL:
	case WARD_NODE_VECTOR_USER:
		break;
	}
	return true;
}

/* A place on the way matters only if something can be got at from there. */
static bool mark_leading(const struct ward_graph *g, bool *leads, uint32_t node)
{
	if (leads[node])
		return false;
	for (uint32_t e = g->start[node]; e < g->start[node + 1]; e++) {
		if (ties(g, &g->edges[e]) && leads[g->edges[e].to]) {
			leads[node] = true;
			return true;
		}
	}
	return false;
}

static void find_leading(const struct ward_graph *g, bool *leads)
{
	bool changed = true;
	uint32_t index;

	for (uint32_t n = 0; n < g->nodes; n++) {
		enum ward_node_kind kind = ward_graph_kind(g, n, &index);

		leads[n] = kind == WARD_NODE_FUNCTION || kind == WARD_NODE_VECTOR_USER;
	}
	/* Down and up, because buses are numbered away from the root: a few rounds are enough. */
	while (changed) {
		changed = false;
		for (uint32_t n = 0; n < g->nodes; n++)
			changed |= mark_leading(g, leads, n);
		for (uint32_t n = g->nodes; n-- > 0;)
			changed |= mark_leading(g, leads, n);
	}
}

/* ... and only if somebody can be there. */
static int find_visited(const struct ward_graph *g, bool *visited)
{
	uint32_t *work = ward_alloc_array(g->nodes, sizeof(*work)), count = 0;

	if (!work)
		return -ENOMEM;
	for (uint32_t i = 0; i < g->machine->functions_count; i++) {
		work[count] = ward_graph_node(g, WARD_NODE_FUNCTION, i);
		visited[work[count++]] = true;
	}
	while (count) {
		uint32_t node = work[--count];

		for (uint32_t e = g->start[node]; e < g->start[node + 1]; e++) {
			if (visited[g->edges[e].to])
				continue;
			visited[g->edges[e].to] = true;
			work[count++] = g->edges[e].to;
		}
	}
	free(work);
	return 0;
}

static int unite_reach(const struct ward_graph *g, uint32_t *parent)
{
	bool *leads = ward_alloc_array(g->nodes, sizeof(*leads));
	bool *visited = ward_alloc_array(g->nodes, sizeof(*visited));

	if (!leads || !visited || find_visited(g, visited)) {
		free(leads);
		free(visited);
		return -ENOMEM;
	}
	find_leading(g, leads);
	for (uint32_t n = 0; n < g->nodes; n++) {
		for (uint32_t e = g->start[n]; visited[n] && e < g->start[n + 1]; e++) {
			if (ties(g, &g->edges[e]) && leads[g->edges[e].to])
				unite(parent, n, g->edges[e].to);
		}
	}
	for (uint32_t i = 0; i < g->machine->functions_count; i++)
		unite(parent, ward_graph_node(g, WARD_NODE_FUNCTION, i),
		      ward_graph_node(g, WARD_NODE_VECTOR_USER, i));
	free(leads);
	free(visited);
	return 0;
}

void ward_reset_scope(const struct ward_machine *machine, uint32_t function, uint32_t *ret_first,
		      uint32_t *ret_count)
{
	const struct ward_function *f = &machine->functions[function];
	const struct ward_bus *bus, *next;
	uint32_t count = 0;

	*ret_first = function;
	*ret_count = 0;
	/* Without a reset of its own only the bus behind the bridge above can be reset. */
	if (f->kind != WARD_FUNCTION_PCI || f->resets || f->resets_known != WARD_YES ||
	    f->parent == WARD_NONE || f->header_type != 0)
		return;
	bus = &machine->buses[f->bus];
	/* Buses below that one are reset along with it; they stand right behind it. */
	for (next = bus; next < machine->buses + machine->buses_count; next++) {
		if (next->segment != bus->segment ||
		    (next != bus &&
		     next->number > machine->functions[f->parent].bridge.subordinate))
			break;
		count += next->count;
	}
	if (count < 2)
		return;
	*ret_first = bus->first;
	*ret_count = count;
}

static void unite_resets(const struct ward_graph *g, uint32_t *parent)
{
	for (uint32_t i = 0; i < g->machine->functions_count; i++) {
		uint32_t first, count;

		if (ward_graph_lacks(g, i))
			continue;
		ward_reset_scope(g->machine, i, &first, &count);
		for (uint32_t j = first; j < first + count; j++) {
			if (!ward_graph_lacks(g, j))
				unite(parent, i, j);
		}
	}
}

struct keyed {
	uint64_t key;
	uint32_t node;
};

static int compare_keys(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->node < y->node ? -1 : 1;
}

/* Nodes with one key belong together; UINT64_MAX is no key. */
static void unite_keyed(struct keyed *keys, uint32_t count, uint32_t *parent)
{
	if (count)
		qsort(keys, count, sizeof(*keys), compare_keys);
	for (uint32_t i = 1; i < count; i++) {
		if (keys[i].key == keys[i - 1].key && keys[i].key != UINT64_MAX)
			unite(parent, keys[i].node, keys[i - 1].node);
	}
}

uint64_t ward_group_key(const struct ward_isolation *isolation, uint32_t function)
{
	const struct ward_function *f = &isolation->machine->functions[function];

	if (ward_graph_lacks(&isolation->graph, function))
		return UINT64_MAX;
	if (f->group != WARD_NONE)
		return isolation->machine->groups[f->group].number;
	if (isolation->groups[function].group == WARD_NONE)
		return UINT64_MAX;
	/* Before Linux 7 a function that no driver has probed has no group: it will join theirs. */
	if (isolation->kernel_group[isolation->groups[function].group] != WARD_NONE)
		return isolation->kernel_group[isolation->groups[function].group];
	return 1ull << 32 | isolation->groups[function].group;
}

static int unite_groups(const struct ward_isolation *isolation, uint32_t *parent)
{
	uint32_t count = isolation->machine->functions_count;
	struct keyed *keys = ward_alloc_array(count, sizeof(*keys));

	if (!keys)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		keys[i] = (struct keyed){ ward_group_key(isolation, i), i };
	unite_keyed(keys, count, parent);
	free(keys);
	return 0;
}

/*
 * A BAR belongs to every MMIO segment that it lies in. They stand side by side: segments that a BAR
 * has tied already are skipped as one run, so it does not matter how many BARs are how large.
 */
static void unite_bar(const struct ward_machine *machine, uint32_t function, struct ward_range bar,
		      uint32_t *run, uint32_t *parent, uint32_t segments)
{
	uint32_t at = ward_segment_find(machine, bar);

	if (at == WARD_NONE)
		return;
	unite(parent, function, segments + at);
	for (at = find_root(run, at);
	     at + 1 < machine->segments_count && machine->segments[at + 1].range.start <= bar.last;
	     at = find_root(run, at)) {
		unite(parent, segments + at, segments + at + 1);
		run[at] = at + 1;
	}
}

/* Partitionable endpoints: functions that firmware put into one, and who is in its MMIO segments. */
static int unite_endpoints(const struct ward_graph *g, uint32_t *parent)
{
	const struct ward_machine *machine = g->machine;
	uint32_t count = machine->functions_count, segments = machine->segments_count;
	struct keyed *keys = ward_alloc_array((size_t)count + segments, sizeof(*keys));
	uint32_t *run = ward_alloc_array(segments, sizeof(*run));

	if (!keys || !run) {
		free(keys);
		free(run);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < segments; i++) {
		keys[count + i] = (struct keyed){ machine->segments[i].pe, g->nodes + i };
		run[i] = i;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct ward_function *f = &machine->functions[i];
		bool is_of_one = f->pe != WARD_NONE && !ward_graph_lacks(g, i);

		keys[i] = (struct keyed){ is_of_one ? f->pe : UINT64_MAX, i };
		for (unsigned int b = 0; b < 6 && !ward_graph_lacks(g, i); b++) {
			if (!f->bar[b].io)
				unite_bar(machine, i, f->bar[b].range, run, parent, g->nodes);
		}
	}
	unite_keyed(keys, count + segments, parent);
	free(keys);
	free(run);
	return 0;
}

int ward_partitions_make(const struct ward_isolation *isolation, uint32_t *ret_partition)
{
	const struct ward_graph *g = &isolation->graph;
	uint32_t nodes = g->nodes + g->machine->segments_count;
	uint32_t *parent = ward_alloc_array(nodes, sizeof(*parent));
	int err;

	if (!parent)
		return -ENOMEM;
	/* Segments stand behind the nodes of the graph. */
	for (uint32_t n = 0; n < nodes; n++)
		parent[n] = n;
	err = unite_reach(g, parent);
	if (!err)
		err = unite_groups(isolation, parent);
	if (!err)
		err = unite_endpoints(g, parent);
	if (!err) {
		unite_resets(g, parent);
		for (uint32_t i = 0; i < g->machine->functions_count; i++)
			ret_partition[i] = find_root(parent, i);
	}
	free(parent);
	return err;
}

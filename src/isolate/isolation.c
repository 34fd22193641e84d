// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "isolate/isolation.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"
#include "isolate/group.h"
#include "isolate/reach.h"

struct ring_entry {
	uint64_t key;
	uint32_t function;
};

static int compare_entries(const void *a, const void *b)
{
	const struct ring_entry *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->function < y->function ? -1 : 1;
}

/* Ties functions with equal keys into rings, in ascending order. */
static void make_rings(struct ring_entry *entries, uint32_t count, uint32_t *next)
{
	uint32_t first = 0;

	if (count)
		qsort(entries, count, sizeof(*entries), compare_entries);
	for (uint32_t i = 0; i < count; i++) {
		bool last = i + 1 == count || entries[i + 1].key != entries[i].key ||
			    entries[i].key == UINT64_MAX;

		next[entries[i].function] = entries[last ? first : i + 1].function;
		if (last)
			first = i + 1;
	}
}

static int make_all_rings(struct ward_isolation *isolation)
{
	uint32_t count = isolation->machine->functions_count;
	struct ring_entry *entries = ward_alloc_array(count, sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		entries[i] = (struct ring_entry){ ward_group_key(isolation, i), i };
	make_rings(entries, count, isolation->group_next);
	for (uint32_t i = 0; i < count; i++)
		entries[i] = (struct ring_entry){ isolation->partition[i], i };
	make_rings(entries, count, isolation->partition_next);
	free(entries);
	return 0;
}

static void note_region(struct ward_isolation *isolation, uint32_t region, uint32_t function)
{
	enum ward_region_kind kind = isolation->machine->regions[region].kind;

	if (kind == WARD_REGION_DIRECT)
		isolation->direct[function] = region;
	if (kind == WARD_REGION_DIRECT_RELAXABLE)
		isolation->relaxable[function] = region;
}

void ward_spread_in_groups(const struct ward_isolation *isolation, uint32_t *labels)
{
	/* Rings ascend: what has no label ahead of it in the first round finds the first one's. */
	for (unsigned int round = 0; round < 2; round++) {
		for (uint32_t i = isolation->machine->functions_count; i-- > 0;) {
			if (labels[i] == WARD_NONE)
				labels[i] = labels[isolation->group_next[i]];
		}
	}
}

/* Regions of the kernel's are told by group, those of firmware by function. */
static int note_regions(struct ward_isolation *isolation)
{
	const struct ward_machine *machine = isolation->machine;
	uint32_t *member = ward_alloc_array(machine->groups_count, sizeof(*member));

	if (!member)
		return -ENOMEM;
	for (uint32_t i = 0; i < machine->groups_count; i++)
		member[i] = WARD_NONE;
	for (uint32_t i = 0; i < machine->functions_count; i++) {
		isolation->direct[i] = WARD_NONE;
		isolation->relaxable[i] = WARD_NONE;
		if (machine->functions[i].group != WARD_NONE &&
		    !ward_graph_lacks(&isolation->graph, i))
			member[machine->functions[i].group] = i;
	}
	for (uint32_t i = 0; i < machine->regions_count; i++) {
		const struct ward_region *region = &machine->regions[i];

		if (region->function != WARD_NONE)
			note_region(isolation, i, region->function);
		if (region->group != WARD_NONE && member[region->group] != WARD_NONE)
			note_region(isolation, i, member[region->group]);
	}
	free(member);
	ward_spread_in_groups(isolation, isolation->direct);
	ward_spread_in_groups(isolation, isolation->relaxable);
	return 0;
}

static int alloc_by_function(struct ward_isolation *isolation)
{
	uint32_t **arrays[] = {
		&isolation->partition, &isolation->group_next, &isolation->partition_next,
		&isolation->direct,    &isolation->relaxable,  &isolation->stream_user,
		&isolation->vfs
	};

	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
		*arrays[i] =
			ward_alloc_array(isolation->machine->functions_count, sizeof(uint32_t));
		if (!*arrays[i])
			return -ENOMEM;
	}
	return 0;
}

static int predict_groups(struct ward_isolation *isolation)
{
	const struct ward_machine *machine = isolation->machine;
	uint32_t count;
	int err = ward_groups_predict_present(machine, isolation->graph.absent, &isolation->groups,
					      &count);

	if (err)
		return err;
	isolation->kernel_group = ward_alloc_array(count, sizeof(*isolation->kernel_group));
	if (!isolation->kernel_group)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		isolation->kernel_group[i] = WARD_NONE;
	for (uint32_t i = machine->functions_count; i-- > 0;) {
		uint32_t predicted = isolation->groups[i].group, made = machine->functions[i].group;

		if (predicted != WARD_NONE && made != WARD_NONE &&
		    !ward_graph_lacks(&isolation->graph, i))
			isolation->kernel_group[predicted] = machine->groups[made].number;
	}
	return 0;
}

static int compare_lines(const void *a, const void *b)
{
	const struct ward_line *x = a, *y = b;

	if (x->irq != y->irq)
		return x->irq < y->irq ? -1 : 1;
	return x->function < y->function ? -1 : 1;
}

static int list_lines(struct ward_isolation *isolation, const struct ward_state *state)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < isolation->machine->functions_count; i++)
		count += state->functions[i].intx_irq != 0;
	isolation->lines = ward_alloc_array(count, sizeof(*isolation->lines));
	if (!isolation->lines)
		return -ENOMEM;
	for (uint32_t i = 0; i < isolation->machine->functions_count; i++) {
		uint32_t irq = state->functions[i].intx_irq;

		if (irq)
			isolation->lines[isolation->lines_count++] = (struct ward_line){ irq, i };
	}
	if (count)
		qsort(isolation->lines, count, sizeof(*isolation->lines), compare_lines);
	return 0;
}

const struct ward_line *ward_isolation_line(const struct ward_isolation *isolation, uint32_t irq,
					    uint32_t function, uint32_t *ret_count)
{
	uint32_t low = 0, high = isolation->lines_count, end;
	bool noted = false;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (isolation->lines[middle].irq < irq)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < isolation->lines_count && isolation->lines[end].irq == irq; end++)
		noted |= isolation->lines[end].function == function;
	*ret_count = noted ? end - low : 0;
	return noted ? &isolation->lines[low] : NULL;
}

/*
 * VFs that are there: as many as the PF says, or as are known where those are more, without the
 * absent ones.
 */
static int count_vfs(struct ward_isolation *isolation)
{
	const struct ward_machine *machine = isolation->machine;
	uint32_t *absent = ward_alloc_array(machine->functions_count, sizeof(*absent));

	if (!absent)
		return -ENOMEM;
	for (uint32_t i = 0; i < machine->functions_count; i++) {
		uint32_t pf = machine->functions[i].physfn;

		if (pf == WARD_NONE)
			continue;
		isolation->vfs[pf]++;
		absent[pf] += ward_graph_lacks(&isolation->graph, i);
	}
	for (uint32_t i = 0; i < machine->functions_count; i++) {
		if (machine->functions[i].vfs_enabled > isolation->vfs[i])
			isolation->vfs[i] = machine->functions[i].vfs_enabled;
		isolation->vfs[i] -= absent[i];
	}
	free(absent);
	return 0;
}

int ward_isolation_create(const struct ward_machine *machine, const struct ward_state *state,
			  struct ward_isolation **ret_isolation)
{
	struct ward_isolation *isolation = ward_alloc(sizeof(*isolation));
	int err;

	if (!isolation)
		return -ENOMEM;
	isolation->machine = machine;
	err = alloc_by_function(isolation);
	if (!err)
		err = ward_graph_create(machine, state, &isolation->graph);
	if (!err)
		err = predict_groups(isolation);
	if (!err)
		err = list_lines(isolation, state);
	if (!err)
		err = count_vfs(isolation);
	if (!err)
		err = ward_partitions_make(isolation, isolation->partition);
	if (!err)
		err = make_all_rings(isolation);
	if (!err)
		err = note_regions(isolation);
	if (!err)
		err = ward_streams_note(isolation);
	if (err) {
		ward_isolation_destroy(isolation);
		return err;
	}
	*ret_isolation = isolation;
	return 0;
}

const struct ward_membership *ward_isolation_groups(const struct ward_isolation *isolation)
{
	return isolation->groups;
}

uint32_t ward_partition_of(const struct ward_isolation *isolation, uint32_t function)
{
	return isolation->partition[function];
}

uint32_t ward_doorbell_controller(const struct ward_isolation *isolation, uint32_t doorbell)
{
	return isolation->graph.pools[doorbell].controller;
}

int ward_reach_compute(const struct ward_isolation *isolation, const uint32_t *functions,
		       uint32_t count, struct ward_reach **ret_reach)
{
	return ward_reach_from(&isolation->graph, functions, count, NULL, NULL, ret_reach);
}

void ward_isolation_destroy(struct ward_isolation *isolation)
{
	if (!isolation)
		return;
	ward_graph_finish(&isolation->graph);
	free(isolation->groups);
	free(isolation->kernel_group);
	free(isolation->partition);
	free(isolation->group_next);
	free(isolation->partition_next);
	free(isolation->direct);
	free(isolation->relaxable);
	free(isolation->stream_user);
	free(isolation->vfs);
	free(isolation->lines);
	free(isolation);
}

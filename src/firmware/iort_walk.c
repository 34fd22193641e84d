// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The way of an id through IORT, step by step, and for all requester ids at once. */
#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"
#include "firmware/iort.h"

#define SMMUV3_DEVICEID_VALID 0x10u
#define RIDS 0x10000u

static bool has_type(const struct ward_iort_node *node, uint32_t mask)
{
	return node->type < 32 && (mask & WARD_IORT_MASK(node->type));
}

uint32_t ward_iort_own_map(const struct ward_iort_node *node)
{
	const struct ward_iort_smmuv3 *smmu = &node->smmuv3;
	bool wired;

	if (node->type == WARD_IORT_PMCG)
		return node->pmcg.overflow_gsiv || node->maps_count == 0 ? WARD_NONE : 0;
	if (node->type != WARD_IORT_SMMUV3 || node->revision < 1)
		return WARD_NONE;
	wired = smmu->event_gsiv && smmu->pri_gsiv && smmu->gerr_gsiv && smmu->sync_gsiv;
	/* Revision 5 of the node (table revision E.e) got a flag; before, wires decided. */
	if (node->revision >= 5 ? !(smmu->flags & SMMUV3_DEVICEID_VALID) : wired)
		return WARD_NONE;
	return smmu->id_index < node->maps_count ? smmu->id_index : WARD_NONE;
}

static bool single_counts(const struct ward_iort_node *node)
{
	return node->type == WARD_IORT_NAMED_COMPONENT || node->type == WARD_IORT_ROOT_COMPLEX ||
	       node->type == WARD_IORT_IWB;
}

/* The mapping of a node that an id takes, or NULL. */
static const struct ward_iort_map *find_map(const struct ward_iort *iort,
					    const struct ward_iort_node *node, uint32_t id)
{
	const struct ward_iort_map *at_end = NULL;
	uint32_t own = ward_iort_own_map(node);

	for (uint32_t i = 0; i < node->maps_count; i++) {
		const struct ward_iort_map *map = &iort->maps[node->first_map + i];

		if (i == own)
			continue;
		if (map->single) {
			if (single_counts(node))
				return map;
			continue;
		}
		if (id < map->input_base || id - map->input_base > map->id_count)
			continue;
		/* After a match at a range's end only a range that starts there is better. */
		if (at_end && id != map->input_base)
			continue;
		if (map->id_count == 0 || id - map->input_base != map->id_count)
			return map;
		at_end = map;
	}
	return at_end;
}

uint32_t ward_iort_walk(const struct ward_iort *iort, uint32_t node, uint32_t id, uint32_t mask,
			uint32_t *ret_id)
{
	/* Each mapping leads to a higher layer: the loop ends. */
	while (!has_type(&iort->nodes[node], mask)) {
		const struct ward_iort_map *map = find_map(iort, &iort->nodes[node], id);

		if (!map)
			return WARD_NONE;
		id = map->single ? map->output_base : map->output_base + (id - map->input_base);
		node = map->output;
	}
	*ret_id = id;
	return node;
}

uint32_t ward_iort_walk_single(const struct ward_iort *iort, uint32_t node, uint32_t index,
			       uint32_t mask, uint32_t *ret_id)
{
	const struct ward_iort_node *from = &iort->nodes[node];
	const struct ward_iort_map *map;

	if (index >= from->maps_count)
		return WARD_NONE;
	map = &iort->maps[from->first_map + index];
	if (!map->single)
		return WARD_NONE;
	return ward_iort_walk(iort, map->output, map->output_base, mask, ret_id);
}

/* One bit for each requester id at which the answer may change. */
struct breaks {
	uint8_t bits[RIDS / 8];
};

static void mark(struct breaks *breaks, uint64_t rid)
{
	if (rid < RIDS)
		breaks->bits[rid / 8] |= (uint8_t)(1u << (rid % 8));
}

/* The answer changes where a range starts, at its last id (which may go elsewhere), behind it. */
static void mark_range(struct breaks *breaks, uint64_t first, uint64_t last)
{
	mark(breaks, first);
	mark(breaks, last);
	mark(breaks, last + 1);
}

/* Where the mappings of the next node change the answer, seen from a root complex's mapping. */
static void mark_next(const struct ward_iort *iort, struct breaks *breaks,
		      const struct ward_iort_map *map)
{
	const struct ward_iort_node *next = &iort->nodes[map->output];
	uint64_t out_first = map->output_base, out_last = out_first + map->id_count;

	for (uint32_t i = 0; i < next->maps_count; i++) {
		const struct ward_iort_map *inner = &iort->maps[next->first_map + i];
		uint64_t points[3] = { inner->input_base,
				       (uint64_t)inner->input_base + inner->id_count,
				       (uint64_t)inner->input_base + inner->id_count + 1 };

		for (unsigned int k = 0; k < 3; k++) {
			if (points[k] >= out_first && points[k] <= out_last)
				mark(breaks, map->input_base + (points[k] - out_first));
		}
	}
}

static void mark_all(const struct ward_iort *iort, const struct ward_iort_node *node,
		     struct breaks *breaks)
{
	mark(breaks, 0);
	for (uint32_t i = 0; i < node->maps_count; i++) {
		const struct ward_iort_map *map = &iort->maps[node->first_map + i];

		if (map->single)
			continue;
		mark_range(breaks, map->input_base, (uint64_t)map->input_base + map->id_count);
		mark_next(iort, breaks, map);
	}
}

static uint32_t next_break(const struct breaks *breaks, uint32_t rid)
{
	rid++;
	while (rid < RIDS) {
		if (!breaks->bits[rid / 8])
			rid = (rid / 8 + 1) * 8;
		else if (breaks->bits[rid / 8] & (1u << (rid % 8)))
			return rid;
		else
			rid++;
	}
	return RIDS;
}

/* Makes the later span part of the earlier one, if it goes on in the same way. */
static bool join(struct ward_iort_span *span, const struct ward_iort_span *more)
{
	bool one = span->first == span->last, more_one = more->first == more->last;

	if (span->node != more->node)
		return false;
	if (span->node == WARD_NONE) {
		span->last = more->last;
		return true;
	}
	if ((one || span->constant) && (more_one || more->constant) &&
	    span->output == more->output) {
		span->constant = true;
		span->last = more->last;
		return true;
	}
	if (span->constant || more->constant ||
	    more->output - span->output != more->first - span->first)
		return false;
	span->last = more->last;
	return true;
}

static struct ward_iort_span make_span(const struct ward_iort *iort, uint32_t node, uint32_t mask,
				       uint32_t first, uint32_t last)
{
	struct ward_iort_span span = { .first = first, .last = last };
	uint32_t second = 0;

	span.node = ward_iort_walk(iort, node, first, mask, &span.output);
	if (span.node != WARD_NONE && last > first &&
	    ward_iort_walk(iort, node, first + 1, mask, &second) == span.node)
		span.constant = second == span.output;
	return span;
}

int ward_iort_spans(const struct ward_iort *iort, uint32_t node, uint32_t mask,
		    struct ward_iort_span **ret_spans, uint32_t *ret_count)
{
	struct breaks *breaks = ward_alloc(sizeof(*breaks));
	struct ward_iort_span *spans = NULL;
	uint32_t count = 0, first = 0;
	size_t capacity = 0;

	if (!breaks)
		return -ENOMEM;
	mark_all(iort, &iort->nodes[node], breaks);
	while (first < RIDS) {
		uint32_t next = next_break(breaks, first);
		struct ward_iort_span span = make_span(iort, node, mask, first, next - 1);
		struct ward_iort_span *kept;

		first = next;
		if (count > 0 && join(&spans[count - 1], &span))
			continue;
		kept = ward_acpi_append(&spans, &count, &capacity, sizeof(span));
		if (!kept) {
			free(spans);
			free(breaks);
			return -ENOMEM;
		}
		*kept = span;
	}
	free(breaks);
	*ret_spans = spans;
	*ret_count = count;
	return 0;
}

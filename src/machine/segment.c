// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Partitionable endpoints (POWER): parts of the MMIO window whose errors are those of one of them,
 * and who belongs to it by what its BARs lie in.
 */
#include "machine/builder.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"

static int compare_segments(const void *a, const void *b)
{
	const struct ward_mmio_segment *x = a, *y = b;

	if (x->range.start != y->range.start)
		return x->range.start < y->range.start ? -1 : 1;
	return x->pe < y->pe ? -1 : x->pe > y->pe;
}

uint32_t ward_segment_find(const struct ward_machine *machine, struct ward_range range)
{
	uint32_t low = 0, high = machine->segments_count;

	if (ward_range_is_empty(range))
		return WARD_NONE;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (machine->segments[middle].range.last < range.start)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == machine->segments_count || machine->segments[low].range.start > range.last)
		return WARD_NONE;
	return low;
}

/* Who has no endpoint by firmware is of the one in whose segment its registers are. */
static void join_endpoint(const struct ward_machine *machine, struct ward_function *f)
{
	for (unsigned int i = 0; i < 6 && f->pe == WARD_NONE; i++) {
		uint32_t segment = WARD_NONE;

		if (!f->bar[i].io)
			segment = ward_segment_find(machine, f->bar[i].range);
		if (segment != WARD_NONE)
			f->pe = machine->segments[segment].pe;
	}
}

int ward_builder_link_segments(struct ward_machine *machine, struct ward_error *ret_error)
{
	if (!machine->segments_count)
		return 0;
	qsort(machine->segments, machine->segments_count, sizeof(*machine->segments),
	      compare_segments);
	for (uint32_t i = 1; i < machine->segments_count; i++) {
		const struct ward_mmio_segment *a = &machine->segments[i - 1], *b = a + 1;

		if (ward_range_overlaps(a->range, b->range))
			return ward_fail(ret_error, -EBADMSG,
					 "the MMIO segments from 0x%llx and from 0x%llx overlap",
					 (unsigned long long)a->range.start,
					 (unsigned long long)b->range.start);
	}
	for (uint32_t i = 0; i < machine->functions_count; i++)
		join_endpoint(machine, &machine->functions[i]);
	return 0;
}

bool ward_error_domain_next(const struct ward_machine *machine, uint32_t function, uint32_t *cursor,
			    uint32_t *ret_member)
{
	uint32_t pe;

	if (function >= machine->functions_count || *cursor >= machine->functions_count)
		return false;
	pe = machine->functions[function].pe;
	if (pe == WARD_NONE) {
		*cursor = machine->functions_count;
		*ret_member = function;
		return true;
	}
	for (uint32_t i = *cursor; i < machine->functions_count; i++) {
		if (machine->functions[i].pe != pe)
			continue;
		*cursor = i + 1;
		*ret_member = i;
		return true;
	}
	*cursor = machine->functions_count;
	return false;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * StreamIDs that two functions need. Linux's SMMUv3 driver keeps a tree of the StreamIDs in use and
 * has long refused a second user (arm_smmu_insert_master: "stream %u already in tree from dev %s");
 * that function gets no group. Behind a bridge to conventional PCI all have the bridge's.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"
#include "isolate/isolation.h"

/* An id that a function is seen with. */
struct use {
	uint64_t id; /* IOMMU, segment, requester id */
	uint32_t function;
	bool grouped;
};

static int compare_uses(const void *a, const void *b)
{
	const struct use *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->grouped != y->grouped)
		return x->grouped ? -1 : 1;
	return x->function < y->function ? -1 : x->function > y->function;
}

static bool is_behind_smmu(const struct ward_machine *machine, const struct ward_function *f)
{
	return f->kind == WARD_FUNCTION_PCI && f->stream.iommu != WARD_NONE &&
	       machine->iommus[f->stream.iommu].kind == WARD_IOMMU_SMMUV3;
}

static uint32_t list_uses(const struct ward_graph *g, struct use *uses)
{
	const struct ward_machine *machine = g->machine;
	uint32_t count = 0;

	for (uint32_t i = 0; i < machine->functions_count; i++) {
		const struct ward_function *f = &machine->functions[i];
		uint64_t above = (uint64_t)f->stream.iommu << 48 | (uint64_t)f->address.segment
									   << 16;
		bool grouped = f->group != WARD_NONE;

		if (!is_behind_smmu(machine, f) || ward_graph_lacks(g, i))
			continue;
		uses[count++] = (struct use){ above | ward_rid_raw(f->address.rid), i, grouped };
		for (uint8_t a = 0; a < f->aliases && a < WARD_ALIASES_MAX; a++)
			uses[count++] =
				(struct use){ above | ward_rid_raw(f->alias[a]), i, grouped };
	}
	return count;
}

int ward_streams_note(struct ward_isolation *isolation)
{
	const struct ward_machine *machine = isolation->machine;
	uint32_t count, first = 0;
	struct use *uses;

	for (uint32_t i = 0; i < machine->functions_count; i++)
		isolation->stream_user[i] = WARD_NONE;
	if (!machine->groups_known)
		return 0;
	uses = ward_alloc_array(machine->functions_count * (size_t)(1 + WARD_ALIASES_MAX),
				sizeof(*uses));
	if (!uses)
		return -ENOMEM;
	count = list_uses(&isolation->graph, uses);
	if (count)
		qsort(uses, count, sizeof(*uses), compare_uses);
	for (uint32_t i = 0; i < count; i++) {
		if (uses[i].id != uses[first].id)
			first = i;
		if (uses[first].grouped && !uses[i].grouped)
			isolation->stream_user[uses[i].function] = uses[first].function;
	}
	free(uses);
	return 0;
}

uint32_t ward_stream_user(const struct ward_isolation *isolation, uint32_t function)
{
	return isolation->stream_user[function];
}

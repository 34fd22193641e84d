// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What the analysis says of a build, in the words of touch.h. */
#include "touch.h"

#include <doorward/isolation.h>

#include "isolate/isolation.h"

static uint64_t blocks_of(const struct plan *plan, struct ward_range range)
{
	uint64_t bits = 0;

	for (uint32_t i = 0; i < PLAN_BLOCKS; i++) {
		uint64_t start = PLAN_MEMORY + i * plan->page_size;

		if (ward_range_overlaps(range, (struct ward_range){ start, start + 0xfff }))
			bits |= 1ull << i;
	}
	return bits;
}

static void note_memory(const struct build *build, const struct ward_reach *reach, enum claim level,
			struct touch *touch)
{
	struct ward_reach_cursor cursor = { 0 };
	struct ward_reached_memory memory;

	while (ward_reach_memory_next(reach, &cursor, &memory)) {
		uint64_t blocks = blocks_of(build->plan, memory.range);

		if ((memory.unknown && level < CLAIM_UNKNOWN) ||
		    (memory.assumed && level < CLAIM_ASSUMED))
			continue;
		if (memory.access & WARD_READ)
			touch->read |= blocks;
		if (memory.access & WARD_WRITE)
			touch->write |= blocks;
	}
}

/* The controllers that count as one. Those behind a DeviceID are told apart by it. */
static uint32_t controllers_of(const struct build *build, const struct ward_isolation *isolation,
			       uint32_t pool)
{
	uint32_t bits = 0;

	if (isolation->graph.pools[pool].devid)
		return 0;
	for (uint32_t i = 0; i < build->plan->controllers_count; i++)
		if (isolation->graph.pool_of[i] == pool)
			bits |= 1u << i;
	return bits;
}

static void note(const struct build *build, const struct ward_isolation *isolation,
		 const struct ward_reached *reached, struct touch *touch)
{
	switch (reached->kind) {
	case WARD_NODE_FUNCTION:
		touch->functions |= 1u << build->plan_of[reached->index];
		break;
	case WARD_NODE_VECTOR_USER:
		touch->users |= 1u << build->plan_of[reached->index];
		break;
	case WARD_NODE_DOORBELL:
		touch->controllers |= controllers_of(build, isolation, reached->index);
		break;
	case WARD_NODE_IOMMU_VECTORS:
		touch->iommus |= 1u << reached->index;
		break;
	case WARD_NODE_HOST_VECTORS:
		touch->host = true;
		break;
	case WARD_NODE_MEMORY:
		touch->everything = true;
		break;
	case WARD_NODE_SLOT:
	case WARD_NODE_BUS_DOWN:
	case WARD_NODE_BUS_UP:
	case WARD_NODE_REQUESTER:
	case WARD_NODE_SPACE:
		break;
	}
}

static void make_claim(const struct build *build, const struct claims *claims, uint32_t hostile,
		       enum claim level, struct touch *touch)
{
	struct ward_reached reached;
	uint32_t cursor = 0;

	*touch = (struct touch){ .functions = hostile };
	while (ward_reach_next(claims->reach, &cursor, &reached))
		if ((level >= CLAIM_UNKNOWN || !reached.unknown) &&
		    (level >= CLAIM_ASSUMED || !reached.assumed))
			note(build, claims->isolation, &reached, touch);
	note_memory(build, claims->reach, level, touch);
	touch->users &= ~touch->functions;
}

int claims_make(const struct build *build, struct claims *ret_claims)
{
	uint32_t functions[PLAN_FUNCTIONS], count = 0, hostile = 0;
	int err;

	*ret_claims = (struct claims){ 0 };
	for (uint32_t i = 0; i < build->plan->functions_count; i++) {
		if (!build->plan->functions[i].present || !build->plan->functions[i].hostile)
			continue;
		functions[count++] = build->index[i];
		hostile |= 1u << i;
	}
	err = ward_isolation_create(build->seen, build->state, &ret_claims->isolation);
	if (!err)
		err = ward_reach_compute(ret_claims->isolation, functions, count,
					 &ret_claims->reach);
	for (unsigned int i = 0; i < CLAIMS && !err; i++)
		make_claim(build, ret_claims, hostile, (enum claim)i, &ret_claims->claim[i]);
	return err;
}

void claims_free(struct claims *claims)
{
	ward_reach_destroy(claims->reach);
	ward_isolation_destroy(claims->isolation);
}

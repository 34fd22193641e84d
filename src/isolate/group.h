/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Prediction of the kernel's groups: what the two rules share. */
#ifndef ISOLATE_GROUP_H
#define ISOLATE_GROUP_H

#include <doorward/isolation.h>

/* A prediction under way: members by function, and how many groups there are. */
struct ward_grouping {
	const struct ward_machine *machine;
	struct ward_membership *members;
	uint32_t count;
	/* By bus: some function on it is known to use another's requester id. */
	bool *masked;
	/* By function: the kernel does not see it. NULL where all are there. */
	const bool *absent;
};

static inline bool ward_grouping_lacks(const struct ward_grouping *g, uint32_t function)
{
	return g->absent && g->absent[function];
}

/* As ward_groups_predict by the rule of Linux, without those that are absent. */
int ward_groups_predict_present(const struct ward_machine *machine, const bool *absent,
				struct ward_membership **ret_members, uint32_t *ret_count);

static inline bool ward_grouped(const struct ward_grouping *g, uint32_t function)
{
	return g->members[function].group != WARD_NONE;
}

void ward_grouping_open(struct ward_grouping *g, uint32_t function);
void ward_grouping_join(struct ward_grouping *g, uint32_t function, enum ward_group_cause cause,
			uint32_t via);

static inline uint8_t ward_slot_of(const struct ward_function *f)
{
	return ward_rid_devfn(f->address.rid) >> 3;
}

/* The functions of a function's slot: indexes *ret_first up to and including *ret_last. */
static inline void ward_slot_range(const struct ward_machine *machine, uint32_t function,
				   uint32_t *ret_first, uint32_t *ret_last)
{
	const struct ward_bus *bus = &machine->buses[machine->functions[function].bus];
	uint8_t slot = ward_slot_of(&machine->functions[function]);
	uint32_t first = function, last = function;

	while (first > bus->first && ward_slot_of(&machine->functions[first - 1]) == slot)
		first--;
	while (last + 1 < bus->first + bus->count &&
	       ward_slot_of(&machine->functions[last + 1]) == slot)
		last++;
	*ret_first = first;
	*ret_last = last;
}

/* Whether an IOMMU that the kernel uses translates the function. */
static inline enum ward_tri ward_is_translated(const struct ward_machine *machine,
					       uint32_t function)
{
	const struct ward_function *f = &machine->functions[function];

	if (f->iommu_known == WARD_UNKNOWN)
		return WARD_UNKNOWN;
	return f->stream.iommu == WARD_NONE ? WARD_NO : machine->iommus[f->stream.iommu].active;
}

static inline bool ward_has_memory_bar(const struct ward_function *f)
{
	for (unsigned int i = 0; i < 6; i++) {
		if (!f->bar[i].io && !ward_range_is_empty(f->bar[i].range))
			return true;
	}
	return false;
}

/* Puts one function into a group by the rule of Linux up to 7.2, or by the bus model. */
void ward_group_linux(struct ward_grouping *g, uint32_t function);
void ward_group_linux_bus(struct ward_grouping *g, uint32_t function);

#endif

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What Linux will say of a function's group: all of it must be free of kernel drivers and belong
 * to one user before VFIO hands out any of it.
 *
 * A group can have as many members as the machine, and most of them may be claimed. So its ring is
 * walked once, what is in the way is listed, and of that list each claimed function gets its share.
 */
#include "isolate/judge.h"

#include <stdlib.h>

#include "base/fault.h"

/* Members in the way, in the order of the ring from the first claimed function on. */
struct in_the_way {
	uint32_t *members;
	uint32_t count, next;
	size_t capacity;
};

struct claimed_of_group {
	uint64_t key;
	uint32_t function;
};

static int compare_claimed(const void *a, const void *b)
{
	const struct claimed_of_group *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->function < y->function ? -1 : x->function > y->function;
}

static bool is_another_clients(const struct ward_judgement *j, uint32_t member)
{
	const struct ward_owner *owner = &j->state->functions[member].owner;

	return owner->kind == WARD_OWNER_CLIENT && owner->client != j->question->client;
}

static bool is_bound(const struct ward_judgement *j, uint32_t member)
{
	const struct ward_function_state *s = &j->state->functions[member];

	return s->driver && !s->driver_yields && !s->driver_exempt;
}

static void list_member(struct ward_judgement *j, struct in_the_way *way, uint32_t member)
{
	void *members = way->members;

	if (ward_array_reserve(&members, &way->capacity, way->count + 1u, sizeof(member))) {
		j->failed = true;
		return;
	}
	way->members = members;
	way->members[way->count++] = member;
}

/* Both lists for the group of a function that is claimed. */
static void list_group(struct ward_judgement *j, uint32_t first, struct in_the_way *split,
		       struct in_the_way *bound)
{
	uint32_t member = first;

	split->count = split->next = 0;
	bound->count = bound->next = 0;
	while ((member = j->isolation->group_next[member]) != first) {
		bool another = is_another_clients(j, member);

		if ((another || is_bound(j, member)) && !ward_is_claimed(j, member))
			list_member(j, another ? split : bound, member);
	}
}

static const char *kernel_verb(const struct ward_judgement *j, uint32_t member)
{
	return j->machine->functions[member].group == WARD_NONE ? "is expected to put" : "puts";
}

static void judge_split(struct ward_judgement *j, uint32_t function, uint32_t member)
{
	const char *name = j->machine->functions[member].name;
	struct ward_finding *finding = ward_finding_add(
		j, "group-split", WARD_BLOCKS, function, member,
		"the kernel %s %s and %s into one group, and %s belongs to client %s",
		kernel_verb(j, member), j->machine->functions[function].name, name, name,
		j->state->clients[j->state->functions[member].owner.client]);

	ward_remedy_claim_too(j, finding, member);
}

static void judge_bound(struct ward_judgement *j, uint32_t function, uint32_t member)
{
	const char *name = j->machine->functions[member].name;
	struct ward_finding *finding = ward_finding_add(
		j, "driver-bound", WARD_BLOCKS, function, member,
		"the kernel %s %s and %s into one group, and %s is bound to %s: VFIO refuses the "
		"group",
		kernel_verb(j, member), j->machine->functions[function].name, name, name,
		j->state->functions[member].driver);

	ward_remedy_unbind(j, finding, member);
	ward_remedy_claim_too(j, finding, member);
}

typedef void judge_one(struct ward_judgement *j, uint32_t function, uint32_t member);

/* The members next to the function, going round: as many as findings of a kind are kept. */
static void judge_next(struct ward_judgement *j, struct in_the_way *way, uint32_t first,
		       uint32_t function, judge_one *one)
{
	uint32_t count = way->count < WARD_SAME_CODE_MAX ? way->count : WARD_SAME_CODE_MAX;

	/* Rings ascend, and first is the smallest claimed: smaller members come after all of them. */
	while (way->next < way->count && way->members[way->next] > first &&
	       way->members[way->next] < function)
		way->next++;
	for (uint32_t i = 0; i < count; i++)
		one(j, function, way->members[(way->next + i) % way->count]);
}

void ward_judge_groups(struct ward_judgement *j)
{
	struct claimed_of_group *order = ward_alloc_array(j->claimed_count, sizeof(*order));
	struct in_the_way split = { 0 }, bound = { 0 };
	uint32_t first = 0;

	if (!order) {
		j->failed = true;
		return;
	}
	for (uint32_t i = 0; i < j->claimed_count; i++) {
		order[i].function = j->claimed[i];
		order[i].key = ward_group_key(j->isolation, j->claimed[i]);
	}
	qsort(order, j->claimed_count, sizeof(*order), compare_claimed);
	for (uint32_t i = 0; i < j->claimed_count; i++) {
		if (i == 0 || order[i].key != order[i - 1].key || order[i].key == UINT64_MAX) {
			first = order[i].function;
			list_group(j, first, &split, &bound);
		}
		judge_next(j, &split, first, order[i].function, judge_split);
		judge_next(j, &bound, first, order[i].function, judge_bound);
	}
	free(split.members);
	free(bound.members);
	free(order);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A settled state, carried out: the machine in software as it is now, every client's containers with
 * that client's memory and nothing else, everybody else shut in. Then the functions of one client after
 * the other do their worst (tests/exact/hostile.c), and what they touched has to be theirs. Nothing here
 * asks what is reached; it asks whose things are, and what a partition is.
 */
#include "story.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "exact/controllers.h"
#include "exact/touch.h"

#define BLOCKED_SPACE 0u
/* Blocks of memory of each container: a few writable, one read-only. The host has the others. */
#define CONTAINER_BLOCKS 4u

static uint32_t space_of_container(uint32_t client, uint32_t container)
{
	return 1 + client * STORY_CONTAINERS + container;
}

static uint32_t first_block(uint32_t client, uint32_t container)
{
	return (client * STORY_CONTAINERS + container) * CONTAINER_BLOCKS;
}

static uint64_t blocks_of_client(uint32_t client)
{
	return (uint64_t)((1u << STORY_CONTAINERS * CONTAINER_BLOCKS) - 1)
	       << first_block(client, 0);
}

static void make_spaces(struct plan *plan)
{
	plan->spaces[BLOCKED_SPACE] = (struct plan_space){
		.kind = WARD_SPACE_BLOCKED,
		.parent = WARD_NONE,
	};
	plan->spaces_count = 1;
	for (uint32_t client = 0; client < STORY_CLIENTS; client++) {
		for (uint32_t container = 0; container < STORY_CONTAINERS; container++) {
			uint64_t target =
				PLAN_MEMORY + first_block(client, container) * plan->page_size;
			struct plan_space *space = &plan->spaces[plan->spaces_count++];

			*space = (struct plan_space){ .kind = WARD_SPACE_UNMANAGED,
						      .parent = WARD_NONE };
			space->mappings[0] = (struct plan_mapping){ true, PLAN_IOVAS, target,
								    CONTAINER_BLOCKS - 1,
								    WARD_READ | WARD_WRITE };
			space->mappings[1] = (struct plan_mapping){
				true, PLAN_IOVAS + 8 * plan->page_size,
				target + (CONTAINER_BLOCKS - 1) * plan->page_size, 1, WARD_READ
			};
		}
	}
}

/* Where a function wants to be: in its container, one of the host's spaces, or blocked. */
static uint32_t wanted_space(const struct world *world, uint32_t function)
{
	const struct ward_function_state *s = world_function(world, function);
	uint32_t container = ward_ownership_container(world->own, world_index(world, function));

	if (s->owner.kind == WARD_OWNER_HOST)
		return WARD_NONE;
	if (s->owner.kind != WARD_OWNER_CLIENT || container == WARD_NONE)
		return BLOCKED_SPACE;
	return space_of_container(s->owner.client, container);
}

static bool counts_for_space(const struct world *world, const struct plan *plan, uint32_t function)
{
	/* Ports send nothing by themselves that is translated here; who is frozen sends nothing. */
	return !plan->functions[function].frozen && plan->functions[function].present &&
	       !plan_is_bridge(&plan->functions[function]) &&
	       world_function(world, function)->owner.kind != WARD_OWNER_NOBODY;
}

/*
 * Who cannot be told apart has one space: whoever is blocked beside one of the same client in a
 * container is in it, too. Two owners, or two containers, cannot be carried out.
 */
static int give_space(struct world *world, struct plan *plan, uint32_t first)
{
	uint32_t space = BLOCKED_SPACE, by = WARD_NONE;

	for (uint32_t i = first; i < plan->functions_count; i++) {
		const struct ward_owner *owner, *other;
		uint32_t wanted;

		if (plan->same[i] != first || !counts_for_space(world, plan, i))
			continue;
		wanted = wanted_space(world, i);
		owner = &world_function(world, i)->owner;
		other = by == WARD_NONE ? owner : &world_function(world, by)->owner;
		if (owner->kind != other->kind || owner->client != other->client ||
		    (space != BLOCKED_SPACE && wanted != BLOCKED_SPACE && wanted != space))
			return story_fail(world, "two-spaces",
					  "%s and %s cannot be told apart, and are to be in two "
					  "spaces",
					  world->build.seen->functions[world_index(world, by)].name,
					  world->build.seen->functions[world_index(world, i)].name);
		if (by == WARD_NONE || wanted != BLOCKED_SPACE)
			space = wanted;
		by = i;
	}
	for (uint32_t i = first; i < plan->functions_count; i++)
		if (plan->same[i] == first)
			plan->functions[i].space = space;
	return 0;
}

static int make_plan(struct world *world, struct plan *ret_plan)
{
	struct plan *plan = ret_plan;
	int err = 0;

	*plan = world->story->plan;
	make_spaces(plan);
	for (uint32_t i = 0; i < plan->functions_count; i++) {
		struct plan_function *f = &plan->functions[i];

		if (!f->present)
			continue;
		f->present = !world_function(world, i)->absent;
		f->frozen = world_function(world, i)->frozen;
		/* Nobody has vectors enabled, and nobody can, while it is frozen. */
		if (f->frozen && world_function(world, i)->owner.kind == WARD_OWNER_NOBODY)
			f->msi_off = true;
	}
	plan_tell_apart(plan);
	for (uint32_t i = 0; i < plan->functions_count && !err; i++)
		if (plan->same[i] == i)
			err = give_space(world, plan, i);
	return err;
}

enum whose {
	WHOSE_OWN,
	WHOSE_NOBODY,
	WHOSE_HOST,
	WHOSE_OTHER,
};

static enum whose whose(const struct world *world, uint32_t function, uint32_t client)
{
	const struct ward_function_state *s = world_function(world, function);

	if (s->owner.kind == WARD_OWNER_CLIENT)
		return s->owner.client == client ? WHOSE_OWN : WHOSE_OTHER;
	/* Ports are the host's, driver or not. */
	if (s->owner.kind == WARD_OWNER_HOST ||
	    plan_is_bridge(&world->story->plan.functions[function]))
		return WHOSE_HOST;
	return WHOSE_NOBODY;
}

static const char *name_of(const struct world *world, uint32_t function)
{
	return world->build.seen->functions[world_index(world, function)].name;
}

/* Somebody waits for the interrupts of a function. */
static bool listens(const struct world *world, uint32_t function)
{
	return world_function(world, function)->driver &&
	       plan_uses_messages(&world->story->plan.functions[function]);
}

static bool in_partition(const struct world *world, uint32_t function, uint32_t client)
{
	const struct ward_isolation *isolation = ward_ownership_isolation(world->own);
	const struct plan *plan = &world->story->plan;
	uint32_t partition = ward_partition_of(isolation, world_index(world, function));

	for (uint32_t i = 0; i < plan->functions_count; i++) {
		if (!plan->functions[i].present || whose(world, i, client) != WHOSE_OWN)
			continue;
		/* A PF and its VFs are apart on purpose: who has the PF has them. */
		if (ward_partition_of(isolation, world_index(world, i)) == partition ||
		    plan->functions[function].pf == i)
			return true;
	}
	return false;
}

/* Who gets at a PF gets at its VFs, which are partitions of their own. */
static bool has_pf(const struct world *world, uint32_t function, const struct touch *touch)
{
	uint32_t pf = world->story->plan.functions[function].pf;

	return pf != WARD_NONE && touch->functions >> pf & 1;
}

static int judge_functions(struct world *world, uint32_t client, const struct touch *touch)
{
	for (uint32_t i = 0; i < PLAN_FUNCTIONS; i++) {
		enum whose is;

		if (!(touch->functions >> i & 1))
			continue;
		is = whose(world, i, client);
		if (is == WHOSE_HOST || is == WHOSE_OTHER)
			return story_fail(world, "registers",
					  "client %" PRIu32 " writes the registers of %s, which is "
					  "%s's",
					  client, name_of(world, i),
					  is == WHOSE_HOST ? "the host" : "another client");
		if (is == WHOSE_NOBODY && !in_partition(world, i, client) &&
		    !has_pf(world, i, touch))
			return story_fail(world, "out-of-partition",
					  "client %" PRIu32 " gets at %s, which is nobody's and in "
					  "no partition of its functions",
					  client, name_of(world, i));
	}
	return 0;
}

static int judge_interrupts(struct world *world, uint32_t client, const struct touch *touch)
{
	for (uint32_t i = 0; i < PLAN_FUNCTIONS; i++) {
		enum whose is;

		if (!(touch->users >> i & 1))
			continue;
		is = whose(world, i, client);
		if (is == WHOSE_OTHER || (is == WHOSE_HOST && listens(world, i)))
			return story_fail(world, "interrupts",
					  "client %" PRIu32
					  " raises the interrupts of %s, which is "
					  "%s's",
					  client, name_of(world, i),
					  is == WHOSE_HOST ? "the host" : "another client");
	}
	if (touch->host)
		return story_fail(world, "interrupts",
				  "client %" PRIu32 " raises interrupts of the host", client);
	if (touch->iommus)
		return story_fail(world, "interrupts",
				  "client %" PRIu32 " raises interrupts of an IOMMU", client);
	return 0;
}

static int judge(struct world *world, uint32_t client, const struct touch *touch)
{
	uint64_t foreign = ~blocks_of_client(client);
	int result = judge_functions(world, client, touch);

	if (!result)
		result = judge_interrupts(world, client, touch);
	if (!result && ((touch->read | touch->write) & foreign))
		return story_fail(world, "memory",
				  "client %" PRIu32 " %s memory that is not its own (blocks "
				  "%#" PRIx64 ")",
				  client, touch->write & foreign ? "writes" : "reads",
				  (touch->read | touch->write) & foreign);
	return result;
}

/* One client means harm, with all it has; frozen or not. */
static int try_client(struct world *world, const struct plan *plan, uint32_t client)
{
	struct hostile *hostile;
	struct build build;
	struct touch touch;
	int err = build_make(&build, plan);

	if (!err)
		err = hostile_create(&build, &hostile);
	if (!err) {
		err = hostile_run(hostile, TEMPER_WORST, &touch);
		hostile_destroy(hostile);
	}
	build_free(&build);
	world->counts->tried++;
	return err ? err : judge(world, client, &touch);
}

int world_try(struct world *world)
{
	struct plan plan;
	int err = make_plan(world, &plan);

	for (uint32_t client = 0; client < STORY_CLIENTS && !err; client++) {
		bool any = false;

		for (uint32_t i = 0; i < plan.functions_count; i++) {
			struct plan_function *f = &plan.functions[i];

			f->hostile = f->present && whose(world, i, client) == WHOSE_OWN;
			any |= f->hostile;
		}
		if (any)
			err = try_client(world, &plan, client);
	}
	return err;
}

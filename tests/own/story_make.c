// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Machines, beginnings and events by chance: such that a good part of the events makes sense. */
#include "story.h"

#include <string.h>

/* Spaces of the plan: one that blocks; of each client's containers. */
static void forget_spaces(struct plan *plan)
{
	plan->spaces_count = 0;
	for (uint32_t i = 0; i < plan->functions_count; i++) {
		struct plan_function *f = &plan->functions[i];

		f->hostile = false;
		f->space = f->pasid_space = WARD_NONE;
		f->pasid = false;
	}
}

static bool has_below(const struct plan *plan, uint32_t function)
{
	for (uint32_t i = 0; i < plan->functions_count; i++)
		if (plan->functions[i].present &&
		    (plan->functions[i].parent == function || plan->functions[i].pf == function))
			return true;
	return false;
}

static bool one_slot(const struct plan_function *a, const struct plan_function *b)
{
	return !a->platform && !b->platform && a->segment == b->segment && a->bus == b->bus &&
	       a->devfn >> 3 == b->devfn >> 3;
}

/* The card of a function, with everything behind it and its VFs. */
static uint32_t card_of(const struct plan *plan, uint32_t function)
{
	uint32_t card = 1u << function, before = 0;

	while (card != before) {
		before = card;
		for (uint32_t i = 0; i < plan->functions_count; i++) {
			const struct plan_function *f = &plan->functions[i];

			if (f->present &&
			    ((f->parent != WARD_NONE && card >> f->parent & 1) ||
			     (f->pf != WARD_NONE && card >> f->pf & 1) ||
			     (f->pf == WARD_NONE && one_slot(f, &plan->functions[function]))))
				card |= 1u << i;
		}
	}
	return card;
}

static uint32_t vfs_of(const struct plan *plan, uint32_t function)
{
	uint32_t vfs = 0;

	for (uint32_t i = 0; i < plan->functions_count; i++)
		if (plan->functions[i].present && plan->functions[i].pf == function)
			vfs |= 1u << i;
	return vfs;
}

/* The model has all facts, and knows no command line. */
static bool can_be_carried(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->functions_count; i++)
		if (plan->functions[i].hide)
			return false;
	return !plan->no_check;
}

void story_make(struct story *story, uint64_t seed)
{
	struct random r = { seed ^ 0x73746f7279u };
	struct plan *plan = &story->plan;

	memset(story, 0, sizeof(*story));
	plan_make(plan, seed);
	forget_spaces(plan);
	for (uint32_t i = 0; i < plan->functions_count; i++) {
		struct plan_function *f = &plan->functions[i];
		uint32_t what = random_below(&r, 100);

		story->driver[i] = what < 25 ? STORY_HOSTS : what < 40 ? STORY_YIELDS : STORY_NONE;
		if (plan_is_bridge(f) && story->driver[i] == STORY_YIELDS)
			story->driver[i] = STORY_NONE;
		if (vfs_of(plan, i) && random_chance(&r, 60))
			story->absent |= vfs_of(plan, i);
		if (f->pf == WARD_NONE && !f->platform && random_chance(&r, 10))
			story->absent |= card_of(plan, i);
	}
	story->carried = random_chance(&r, 50) && can_be_carried(plan);
	story->steps_count = random_between(&r, 8, STORY_STEPS);
}

/* How often, in a hundred and something. */
static const uint8_t weights[WARD_EVENTS] = {
	[WARD_EVENT_BIND] = 14,	     [WARD_EVENT_UNBIND] = 10,	  [WARD_EVENT_CLAIM] = 40,
	[WARD_EVENT_ATTACH] = 14,    [WARD_EVENT_DETACH] = 3,	  [WARD_EVENT_RELEASE] = 8,
	[WARD_EVENT_DEATH] = 2,	     [WARD_EVENT_REVOKE] = 3,	  [WARD_EVENT_HOT_ADD] = 10,
	[WARD_EVENT_HOT_REMOVE] = 4, [WARD_EVENT_VFS_ON] = 6,	  [WARD_EVENT_VFS_OFF] = 4,
	[WARD_EVENT_VECTOR] = 8,     [WARD_EVENT_FREEZE] = 4,	  [WARD_EVENT_THAW] = 6,
	[WARD_EVENT_RESET] = 8,	     [WARD_EVENT_QUARANTINE] = 3,
};

static enum ward_event_kind choose_kind(struct random *r)
{
	uint32_t all = 0, at;

	for (uint32_t i = 0; i < WARD_EVENTS; i++)
		all += weights[i];
	at = random_below(r, all);
	for (uint32_t i = 0; i < WARD_EVENTS; i++) {
		if (at < weights[i])
			return (enum ward_event_kind)i;
		at -= weights[i];
	}
	return WARD_EVENT_CLAIM;
}

/* Whether an event of a kind may mean something for a function. */
static bool suits(const struct world *world, enum ward_event_kind kind, uint32_t function)
{
	const struct plan *plan = &world->story->plan;
	const struct ward_function_state *s = world_function(world, function);
	bool client = s->owner.kind == WARD_OWNER_CLIENT;

	switch (kind) {
	case WARD_EVENT_BIND:
		return !s->absent && !s->driver && !client;
	case WARD_EVENT_UNBIND:
		return !s->absent && s->driver && !client;
	case WARD_EVENT_CLAIM:
		return !s->absent && !client && !plan_is_bridge(&plan->functions[function]);
	case WARD_EVENT_ATTACH:
	case WARD_EVENT_DETACH:
	case WARD_EVENT_RELEASE:
	case WARD_EVENT_REVOKE:
		return client;
	case WARD_EVENT_HOT_ADD:
		return s->absent && plan->functions[function].pf == WARD_NONE;
	case WARD_EVENT_HOT_REMOVE:
		return !s->absent && plan->functions[function].pf == WARD_NONE;
	case WARD_EVENT_VFS_ON:
	case WARD_EVENT_VFS_OFF:
		return vfs_of(plan, function);
	case WARD_EVENT_THAW:
		return s->frozen;
	case WARD_EVENT_VECTOR:
	case WARD_EVENT_FREEZE:
	case WARD_EVENT_RESET:
	case WARD_EVENT_QUARANTINE:
		return !s->absent;
	case WARD_EVENT_DEATH:
	case WARD_EVENTS:
		break;
	}
	return true;
}

/* Those of its partition that suit, too. */
static uint32_t with_partition(const struct world *world, enum ward_event_kind kind,
			       uint32_t function)
{
	const struct ward_isolation *isolation = ward_ownership_isolation(world->own);
	uint32_t partition = ward_partition_of(isolation, world_index(world, function));
	uint32_t functions = 0;

	for (uint32_t i = 0; i < world->story->plan.functions_count; i++)
		if (world->story->plan.functions[i].present && suits(world, kind, i) &&
		    ward_partition_of(isolation, world_index(world, i)) == partition)
			functions |= 1u << i;
	return functions;
}

static uint32_t choose_functions(const struct world *world, struct random *r,
				 enum ward_event_kind kind)
{
	const struct plan *plan = &world->story->plan;
	uint32_t function = 0, functions = 0;

	for (unsigned int tries = 0; tries < 24; tries++) {
		function = random_below(r, plan->functions_count);
		if (plan->functions[function].present && suits(world, kind, function))
			break;
	}
	if (!plan->functions[function].present)
		return 0;
	if (kind == WARD_EVENT_HOT_ADD || kind == WARD_EVENT_HOT_REMOVE) {
		functions = has_below(plan, function) || random_chance(r, 80)
				    ? card_of(plan, function)
				    : 1u << function;
		for (uint32_t i = 0; i < plan->functions_count; i++)
			if (functions >> i & 1 &&
			    (world_function(world, i)->absent == (kind == WARD_EVENT_HOT_REMOVE) ||
			     (kind == WARD_EVENT_HOT_ADD && plan->functions[i].pf != WARD_NONE)))
				functions &= ~(1u << i);
		return functions;
	}
	if (random_chance(r, 50))
		return 1u << function;
	functions = with_partition(world, kind, function);
	if (random_chance(r, 25))
		functions &= (uint32_t)random_next(r);
	return functions | 1u << function;
}

void story_choose(const struct world *world, struct random *r, struct step *ret_step)
{
	const struct plan *plan = &world->story->plan;
	enum ward_event_kind kind = choose_kind(r);

	*ret_step = (struct step){
		.kind = kind,
		.fact = random_chance(r, 30) && kind != WARD_EVENT_CLAIM &&
			kind != WARD_EVENT_ATTACH && kind != WARD_EVENT_THAW &&
			kind != WARD_EVENT_REVOKE && kind != WARD_EVENT_RESET,
		.client = (uint8_t)random_below(r, STORY_CLIENTS),
		.container = (uint8_t)random_below(r, STORY_CONTAINERS),
		.controller = (uint8_t)random_below(r, plan->controllers_count),
		.driver = random_chance(r, 70) ? STORY_HOSTS : STORY_YIELDS,
		.settle = random_chance(r, 80) ? STORY_SETTLE : (uint8_t)random_below(r, 3),
	};
	if ((kind == WARD_EVENT_HOT_ADD || kind == WARD_EVENT_VFS_ON) && random_chance(r, 50))
		ret_step->driver = STORY_NONE;
	if (kind != WARD_EVENT_DEATH)
		ret_step->functions = choose_functions(world, r, kind);
}

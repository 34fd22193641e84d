// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Who had a function last and left something in it, kept beside the ownership and without asking it:
 * nobody else may have it before a reset.
 */
#include "story.h"

static bool is_same(struct ward_owner a, struct ward_owner b)
{
	return a.kind == b.kind && (a.kind != WARD_OWNER_CLIENT || a.client == b.client);
}

/* A card that was taken out comes back clean, and a VF begins anew. */
static bool is_cleaned(const struct world *world, const struct ward_event *event,
		       const struct ward_function_state *s)
{
	(void)world;
	return s->absent || event->kind == WARD_EVENT_RESET || event->kind == WARD_EVENT_THAW;
}

void shadow_begin(struct world *world)
{
	for (uint32_t i = 0; i < world->story->plan.functions_count; i++)
		if (world->story->plan.functions[i].present)
			world->shadow[i] =
				(struct shadow){ .owner = world_function(world, i)->owner };
}

static int check_taken(struct world *world, const struct ward_event *event, uint32_t function,
		       struct ward_owner now)
{
	struct ward_owner before = world->shadow[function].left_by;
	const char *name = world->build.seen->functions[world_index(world, function)].name;

	if (now.kind == WARD_OWNER_NOBODY)
		return 0;
	if (world->shadow[function].owner.kind != WARD_OWNER_NOBODY)
		return story_fail(world, "no-nobody-between",
				  "%s goes from one owner to another by %s", name,
				  ward_event_name(event->kind));
	/* A driver that was bound behind our back was bound, whoever had been there. */
	if (before.kind == WARD_OWNER_NOBODY || is_same(before, now) || event->fact ||
	    event->kind == WARD_EVENT_HOT_ADD)
		return 0;
	return story_fail(world, "not-reset",
			  "%s goes to somebody else by %s, and was not reset in between", name,
			  ward_event_name(event->kind));
}

/* After an event that was not refused. 0, or 1 when something is wrong. */
int shadow_follow(struct world *world, const struct ward_event *event)
{
	int result = 0;

	for (uint32_t i = 0; i < world->story->plan.functions_count && !result; i++) {
		const struct ward_function_state *s;
		struct shadow *shadow = &world->shadow[i];

		if (!world->story->plan.functions[i].present)
			continue;
		s = world_function(world, i);
		if (is_cleaned(world, event, s) && s->tainted_by.kind == WARD_OWNER_NOBODY &&
		    s->owner.kind == WARD_OWNER_NOBODY)
			shadow->left_by = s->tainted_by;
		/* So does what a client wrote there while it was nobody's: that nobody saw here. */
		if (shadow->left_by.kind == WARD_OWNER_NOBODY &&
		    s->tainted_by.kind == WARD_OWNER_CLIENT)
			shadow->left_by = s->tainted_by;
		if (is_same(shadow->owner, s->owner))
			continue;
		result = check_taken(world, event, i, s->owner);
		/* What a client left stays under a driver that comes without a reset. */
		if (!s->absent && (shadow->owner.kind == WARD_OWNER_CLIENT ||
				   (shadow->owner.kind == WARD_OWNER_HOST &&
				    shadow->left_by.kind == WARD_OWNER_NOBODY)))
			shadow->left_by = shadow->owner;
		shadow->owner = s->owner;
	}
	return result;
}

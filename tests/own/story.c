// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* How a story goes: each event happens to the ownership, is contained, and is tried out. */
#include "story.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "own/break.h"
#include "own/ownership.h"

static const char *const drivers[] = { NULL, "host-driver", "vfio-pci" };
static const char *const clients[STORY_CLIENTS] = { "client0", "client1" };

int story_fail(struct world *world, const char *what, const char *format, ...)
{
	va_list args;

	world->failure->what = what;
	va_start(args, format);
	vsnprintf(world->failure->text, sizeof(world->failure->text), format, args);
	va_end(args);
	return 1;
}

static int make_state(struct world *world)
{
	const struct story *story = world->story;
	int err = ward_state_create(world->build.seen, &world->first);

	for (uint32_t i = 0; i < story->plan.functions_count && !err; i++) {
		uint32_t index = world_index(world, i);

		if (!story->plan.functions[i].present)
			continue;
		world->first->functions[index].msi_off = story->plan.functions[i].msi_off;
		world->first->functions[index].absent = story->absent >> i & 1;
		if (story->driver[i] != STORY_NONE && !(story->absent >> i & 1))
			err = ward_state_bind(world->first, index, drivers[story->driver[i]]);
	}
	for (uint32_t i = 0; i < STORY_CLIENTS && !err; i++) {
		uint32_t client;

		err = ward_state_client(world->first, clients[i], &client);
	}
	return err;
}

static int world_make(struct world *world, const struct story *story, const char *rule)
{
	size_t size;
	int err;

	world->story = story;
	err = build_make(&world->build, &story->plan);
	if (!err)
		err = make_state(world);
	if (!err)
		err = ward_ownership_create(world->build.seen, world->first, NULL, &world->own);
	if (!err && rule)
		err = ward_ownership_break(world->own, rule);
	if (err)
		return err;
	size = ward_ownership_packed_size(world->own);
	world->before = calloc(1, size);
	world->after = calloc(1, size);
	world->checked = calloc(1, size);
	return world->before && world->after && world->checked ? 0 : -ENOMEM;
}

static void world_free(struct world *world)
{
	carry_destroy(world);
	free(world->before);
	free(world->after);
	free(world->checked);
	ward_ownership_destroy(world->own);
	ward_state_destroy(world->first);
	build_free(&world->build);
}

static void make_event(const struct world *world, const struct step *step, uint32_t *functions,
		       struct ward_event *ret_event)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < world->story->plan.functions_count; i++)
		if (step->functions >> i & 1 && world->story->plan.functions[i].present)
			functions[count++] = world_index(world, i);
	*ret_event = (struct ward_event){
		.size = sizeof(*ret_event),
		.kind = step->kind,
		.fact = step->fact,
		.functions = functions,
		.functions_count = count,
		.client = step->client,
		.driver = drivers[step->driver],
		.container = step->container,
		.controller = step->controller,
	};
}

static bool speaks_against(const struct ward_verdict *verdict)
{
	for (uint32_t i = 0; verdict && i < verdict->findings_count; i++)
		if (!verdict->findings[i].waived && verdict->findings[i].weight >= WARD_OPEN)
			return true;
	return false;
}

/* What an outcome says must be so. */
static int check_outcome(struct world *world, const struct ward_event *event,
			 const struct ward_outcome *outcome)
{
	struct ward_event next;
	bool open = ward_ownership_next(world->own, &next);

	world->counts->events++;
	if (outcome->decision == WARD_REFUSED) {
		world->counts->refused++;
		if (!speaks_against(outcome->verdict))
			return story_fail(world, "refused-for-nothing",
					  "%s is refused, and no finding says why",
					  ward_event_name(event->kind));
		ward_ownership_pack(world->own, world->after);
		if (memcmp(world->before, world->after, ward_ownership_packed_size(world->own)) !=
		    0)
			return story_fail(world, "refusal-changes",
					  "%s is refused, and something is different",
					  ward_event_name(event->kind));
		return 0;
	}
	world->counts->claimed += event->kind == WARD_EVENT_CLAIM;
	world->counts->exposed += outcome->opened;
	if ((outcome->decision == WARD_UNSETTLED && !open) ||
	    (outcome->decision == WARD_RECORDED && open))
		return story_fail(world, "unsettled-or-not",
				  "%s is %s, and there is %s containment next",
				  ward_event_name(event->kind),
				  ward_decision_name(outcome->decision), open ? "a" : "no");
	return 0;
}

/* 0 it happened, or made no sense; 1 something is wrong; or an error. */
static int apply(struct world *world, const struct ward_event *event, bool must)
{
	struct ward_outcome outcome = { 0 };
	struct ward_error error = { "" };
	int err;

	ward_ownership_pack(world->own, world->before);
	err = world->carried ? carry_apply(world, event, &outcome, &error)
			     : ward_ownership_apply(world->own, event, &outcome, &error);
	if (world->explain)
		printf("#     %s: %s\n", ward_event_name(event->kind),
		       err ? error.text : ward_decision_name(outcome.decision));
	if (err == -EINVAL && must)
		return story_fail(world, "containment-without-sense", "%s makes no sense: %s",
				  ward_event_name(event->kind), error.text);
	if (err) {
		ward_outcome_finish(&outcome);
		return err == -EINVAL ? 0 : err;
	}
	if (must && outcome.decision == WARD_REFUSED) {
		ward_outcome_finish(&outcome);
		return story_fail(world, "containment-refused", "%s is refused",
				  ward_event_name(event->kind));
	}
	err = check_outcome(world, event, &outcome);
	if (!err && outcome.decision != WARD_REFUSED)
		err = shadow_follow(world, event);
	ward_outcome_finish(&outcome);
	return err;
}

static int contain(struct world *world, uint8_t most)
{
	/* Each function can be quarantined, frozen and revoked once. */
	uint32_t bound = 3 * PLAN_FUNCTIONS + 1, functions[PLAN_FUNCTIONS];
	struct ward_event event;
	int err = 0;

	for (uint32_t i = 0; !err && i < most && ward_ownership_next(world->own, &event); i++) {
		if (i == bound)
			return story_fail(world, "containment-endless",
					  "after %" PRIu32 " containments it is not settled", i);
		/* Its functions live only until something changes. */
		if (event.functions_count > PLAN_FUNCTIONS)
			return -E2BIG;
		memcpy(functions, event.functions, event.functions_count * sizeof(*functions));
		event.functions = functions;
		world->counts->contained++;
		err = apply(world, &event, true);
	}
	return err;
}

/* What is settled, and was not tried in the very same state, is tried. */
static int try_settled(struct world *world)
{
	size_t size = ward_ownership_packed_size(world->own);
	struct ward_event event;
	int err;

	if (ward_ownership_next(world->own, &event))
		return 0;
	ward_ownership_pack(world->own, world->after);
	if (memcmp(world->after, world->checked, size) == 0)
		return 0;
	memcpy(world->checked, world->after, size);
	world->counts->settled++;
	err = world->carried ? carry_try(world) : 0;
	/* Vectors that clients enabled may have changed that. */
	return err || ward_ownership_next(world->own, &event) ? err : world_try(world);
}

static int happen(struct world *world, const struct step *step)
{
	uint32_t functions[PLAN_FUNCTIONS];
	struct ward_event event;
	int err;

	make_event(world, step, functions, &event);
	if (!event.functions_count && event.kind != WARD_EVENT_DEATH)
		return 0;
	err = apply(world, &event, false);
	if (!err)
		err = contain(world, step->settle == STORY_SETTLE ? UINT8_MAX : step->settle);
	return err ? err : try_settled(world);
}

int story_tell(struct story *story, struct random *r, const char *rule, bool explain,
	       struct counts *counts, struct failure *ret_failure)
{
	struct world world = { .counts = counts, .failure = ret_failure, .explain = explain };
	int err = world_make(&world, story, rule);

	*ret_failure = (struct failure){ 0 };
	if (!err && story->carried)
		err = carry_create(&world);
	if (!err)
		shadow_begin(&world);
	for (uint32_t i = 0; i < story->steps_count && !err; i++) {
		ret_failure->step = i;
		if (r)
			story_choose(&world, r, &story->steps[i]);
		err = happen(&world, &story->steps[i]);
	}
	if (!err)
		err = contain(&world, STORY_SETTLE);
	if (!err)
		err = try_settled(&world);
	world_free(&world);
	return err < 0 ? err : 0;
}

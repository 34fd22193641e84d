/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A story: a machine made by chance (tests/exact/plan.h), what it begins with, and what happens to it,
 * in plain data, so that it can be told again, and shorter.
 */
#ifndef TESTS_OWN_STORY_H
#define TESTS_OWN_STORY_H

#include <doorward/own.h>

#include "exact/build.h"
#include "exact/random.h"

#define STORY_STEPS 64u
#define STORY_CLIENTS 2u
#define STORY_CONTAINERS 2u
/* All containments there are. */
#define STORY_SETTLE UINT8_MAX

enum story_driver {
	STORY_NONE,
	STORY_HOSTS,
	STORY_YIELDS,
};

/* An event, in numbers of the plan. */
struct step {
	enum ward_event_kind kind;
	bool fact;
	uint8_t client, driver, container, controller;
	uint8_t settle; /* containments applied after it */
	uint32_t functions;
};

struct story {
	struct plan plan;
	uint8_t driver[PLAN_FUNCTIONS];
	uint32_t absent;
	bool carried; /* on the model backend, too, by plans */
	struct step steps[STORY_STEPS];
	uint32_t steps_count;
};

/* What went wrong, if anything did. */
struct failure {
	const char *what; /* NULL: nothing */
	uint32_t step;
	char text[320];
};

struct counts {
	uint64_t events, refused, claimed, exposed, contained, settled, tried;
};

/* Who has a function, and who had it before without a reset since. */
struct shadow {
	struct ward_owner owner, left_by;
};

struct carried;

/* A story under way. */
struct world {
	const struct story *story;
	struct build build; /* the machine with everything there */
	struct ward_state *first;
	struct ward_ownership *own;
	struct carried *carried; /* or NULL */
	struct counts *counts;
	struct failure *failure;
	uint8_t *before, *after, *checked; /* packed states */
	struct shadow shadow[PLAN_FUNCTIONS];
	bool explain;
};

/* Says what went wrong, once. Returns 1. */
__attribute__((format(printf, 3, 4))) int story_fail(struct world *world, const char *what,
						     const char *format, ...);

/* The plan and the beginning of a seed; steps come with the telling. */
void story_make(struct story *story, uint64_t seed);
/* Something that may happen next. */
void story_choose(const struct world *world, struct random *r, struct step *ret_step);

/*
 * Tells it. r: its steps are made up on the way, steps_count of them; NULL: as they stand. rule: one
 * that the ownership does without, or NULL. 0, also when it fails; or an error of the test's own.
 */
int story_tell(struct story *story, struct random *r, const char *rule, bool explain,
	       struct counts *counts, struct failure *ret_failure);
/* Takes parts out of it as long as it fails the same way. */
void story_shrink(struct story *story, const char *rule);
void story_print(const struct story *story);

/* What the ownership says of who had what is checked by what was seen (story_shadow.c). */
void shadow_begin(struct world *world);
int shadow_follow(struct world *world, const struct ward_event *event);

/*
 * The state is carried out in software, and everybody who is a client's tries everything. 0, 1 when
 * somebody gets at what is not its own, or an error of the test's own.
 */
int world_try(struct world *world);

/*
 * The same on the model backend (story_carry.c): an event is carried out by its plan; what vectors
 * landed where is told to the ownership; in a settled state everybody has what it says, and clients try.
 */
int carry_create(struct world *world);
void carry_destroy(struct world *world);
int carry_apply(struct world *world, const struct ward_event *event,
		struct ward_outcome *ret_outcome, struct ward_error *ret_error);
int carry_landed(struct world *world);
int carry_try(struct world *world);

static inline uint32_t world_index(const struct world *world, uint32_t function)
{
	return world->build.index[function];
}

static inline const struct ward_function_state *world_function(const struct world *world,
							       uint32_t function)
{
	return &ward_ownership_state(world->own)->functions[world_index(world, function)];
}

#endif

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Plans from the inside.
 *
 *	plan.c		a plan as data: steps and events, and the memory of both
 *	plan_event.c	one event: the steps that lead from the state before it to the one after it
 *	plan_hand_over.c	a hand-over: which events
 *	plan_run.c	steps forwards; who is told when
 *	plan_undo.c	steps backwards; and to nobody, when that fails, too
 */
#ifndef OWN_STEPS_H
#define OWN_STEPS_H

#include <doorward/plan.h>

#include "base/arena.h"

/* A function had a vector at a controller, when its driver was there. */
struct ward_plan_vector {
	uint32_t function, controller;
};

struct ward_plan_storage {
	struct ward_plan plan; /* first: what the caller has */
	const struct ward_machine *machine;
	uint64_t version; /* of the ownership that it was made for */
	struct ward_arena arena;
	struct ward_plan_step *steps;
	struct ward_event *events;
	/* By event: its first step; those of event e end where those of event e + 1 begin. */
	uint32_t *first;
	size_t steps_capacity, events_capacity, first_capacity;
	/* What drivers had that are bound again when the plan is undone. */
	struct ward_plan_vector *vectors;
	size_t vectors_count, vectors_capacity;
};

int ward_plan_create(const struct ward_ownership *ownership, struct ward_plan_storage **ret_plan);
static inline const struct ward_plan_storage *ward_plan_storage_of(const struct ward_plan *plan)
{
	return (const struct ward_plan_storage *)plan;
}

/* The next event, copied; steps that are added from now on are its own. */
int ward_plan_add_event(struct ward_plan_storage *plan, const struct ward_event *event);
/* A step of the last event; copied but for the space. Its text is made here. */
int ward_plan_add_step(struct ward_plan_storage *plan, const struct ward_state *names,
		       const struct ward_plan_step *step);
int ward_plan_add_vector(struct ward_plan_storage *plan, uint32_t function, uint32_t controller);
/* The last event has all its steps. */
void ward_plan_end_event(struct ward_plan_storage *plan);

/* Index of the step after the last one of an event. */
static inline uint32_t ward_plan_end(const struct ward_plan_storage *plan, uint32_t event)
{
	return event + 1 < plan->plan.events_count ? plan->first[event + 1]
						   : plan->plan.steps_count;
}

/*
 * Lets an event happen to an ownership that is there to try things on, and, unless it was refused, adds
 * it and its steps. 0 also when it was refused: see the outcome, which is the caller's.
 */
int ward_plan_try(struct ward_plan_storage *plan, struct ward_ownership *trial,
		  const struct ward_event *event, struct ward_outcome *ret_outcome,
		  struct ward_error *ret_error);

/*
 * There is no way back: it has happened, or it contains what would be loose again.
 */
bool ward_plan_is_final(const struct ward_event *event);
/*
 * The ownership is told of it before anything is done, as it lets somebody do something. Else, as it
 * takes something away, after everything is done. So it never says less than what is so.
 */
bool ward_plan_is_told_first(const struct ward_event *event);

/* A plan that is being carried out. */
struct ward_plan_walk {
	struct ward_ownership *ownership;
	const struct ward_plan_storage *plan;
	const struct ward_executor *executor;
	/* Room for all functions of the plan. */
	uint32_t *functions, *chosen;
	uint32_t functions_count;
	uint64_t version; /* of the ownership, when it was told of something, or looked at */
};

/*
 * Does one action. -ESTALE, and nothing is done: it would give what the ownership does not say that
 * somebody has, as a fact came between.
 */
int ward_plan_execute(struct ward_plan_walk *walk, const struct ward_plan_step *step,
		      enum ward_action action, struct ward_error *ret_error);
int ward_plan_tell(struct ward_plan_walk *walk, const struct ward_event *event,
		   struct ward_error *ret_error);
/* Steps first to end - 1 of an event were done, and it was told: all of that backwards. */
int ward_plan_undo(struct ward_plan_walk *walk, uint32_t event, uint32_t end, bool told);
/* All functions are blocked, and taken from whoever has them. */
void ward_plan_block(struct ward_plan_walk *walk);
/* And the ownership says so: nobody has them. untold is an event that it is told of before, or WARD_NONE. */
int ward_plan_tell_nobody(struct ward_plan_walk *walk, uint32_t untold);

#endif

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* An exploration under way: what its files share. */
#ifndef OWN_EXPLORE_H
#define OWN_EXPLORE_H

#include <doorward/explore.h>

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"

/* The event that is not in the list: what ward_ownership_next() says; and the first state's. */
#define WARD_EVENT_NEXT UINT32_MAX
#define WARD_EVENT_FIRST (UINT32_MAX - 1)

/* All events there are: each is tried in every state. What they point to is the arena's. */
struct ward_choices {
	struct ward_event *list;
	uint32_t count;
	size_t capacity;
	struct ward_arena arena;
};

/* Functions that events happen to, and what is known of each from the beginning. */
struct ward_subject {
	uint32_t function;
	bool assignable; /* else part of the works: its driver and its messages count */
	bool messages, vfs, vf, slot;
	const char *driver; /* for the host */
};

struct ward_subjects {
	struct ward_subject list[WARD_EXPLORE_FUNCTIONS];
	uint32_t count;
};

/* Two functions that cannot be in just any two spaces. */
struct ward_pair {
	uint32_t a, b;
	bool requester; /* nothing can tell their requests apart */
	bool together;	/* for that, or as the kernel's groups or the hardware's domains have it */
	bool apart;	/* the hardware has a domain for each, and none for both */
};

/*
 * States that were found, in the order of finding: with levels explored one after the other that is
 * the order of their distance, too. Each has its bytes, the state before it and the event between.
 * Indexes of them stand in a hash table that is searched one by one from where they belong. Bytes
 * are compared whole: two states are never taken for one.
 */
struct ward_found {
	size_t size, stride;
	uint8_t **blocks;
	size_t blocks_capacity;
	uint32_t count;
	uint32_t *slots; /* index + 1; 0: free */
	size_t slots_count;
	uint64_t bytes;
};

struct ward_counters {
	_Atomic uint64_t states, settled, transitions, refused, exposures, bytes;
	_Atomic uint32_t depth, end;
	_Atomic bool whole, stop; /* stop: all who work are to return */
};

struct ward_exploration {
	const struct ward_machine *machine;
	struct ward_ownership *first; /* never changed: workers copy it */
	struct ward_subjects subjects;
	struct ward_choices choices;
	struct ward_pair *pairs;
	uint32_t pairs_count;
	size_t pairs_capacity;
	uint32_t clients, containers, depth;
	struct ward_waiver *waivers; /* texts are the arena's of the choices */
	uint32_t waivers_count;
	bool keep_order;
	uint64_t states_max;
	uint32_t bound; /* containments in a row that are enough */

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	struct ward_found found;
	uint32_t next, level_end; /* states of the level under way that nobody has taken */
	uint32_t level;		  /* events from the first state to those */
	uint32_t busy;		  /* workers that have taken one */
	struct ward_breach breach;
	struct ward_event *breach_events;
	bool breached, full;
	struct ward_arena breach_arena;

	struct ward_counters *counters; /* apart, so that they can be read from a const */
};

/* What one thread works with. */
struct ward_worker {
	struct ward_exploration *exploration;
	struct ward_ownership *ownership;
	uint8_t *before, *after, *canonical;
	struct ward_function_state *functions; /* of the state before; strings are not to be read */
	uint32_t *to;			       /* clients renumbered */
	uint32_t *members;		       /* room for one client's functions */
	/* A promise that the last step broke, or WARD_PROMISES. */
	enum ward_promise broken;
	char text[512];
	uint64_t transitions, refused, exposures, settled; /* not yet added to the counters */
};

int ward_worker_init(struct ward_worker *worker, struct ward_exploration *exploration);
void ward_worker_finish(struct ward_worker *worker);
/* The ownership goes to a state, and functions are those of it. */
int ward_worker_go(struct ward_worker *worker, const uint8_t *bytes);
/* canonical: what the ownership is in now, as it is kept. */
void ward_worker_canonical(struct ward_worker *worker);
/* The event of a choice, or the next containment; false when there is none. */
bool ward_worker_event(struct ward_worker *worker, uint32_t choice, struct ward_event *ret_event);
/*
 * Lets an event happen in the state gone to, and checks the promises that are about events. Returns 1
 * when the ownership is in another state now, 0 when it is not, -ENOMEM. broken says if one was.
 */
int ward_worker_step(struct ward_worker *worker, const struct ward_event *event);
/* Checks the promises that are about a state. The ownership may be anywhere after it. 0 or -ENOMEM. */
int ward_worker_check(struct ward_worker *worker);

/* Fills in which functions events happen to. 0 or -E2BIG, -EINVAL. */
int ward_subjects_choose(const struct ward_isolation *isolation, const struct ward_state *state,
			 const struct ward_explore_options *options,
			 struct ward_subjects *ret_subjects);
int ward_choices_make(struct ward_exploration *exploration, const struct ward_isolation *isolation,
		      uint64_t kinds);
/* Fills in pairs. 0 or -ENOMEM. */
int ward_pairs_make(struct ward_exploration *exploration, const struct ward_isolation *isolation);

int ward_found_init(struct ward_found *found, size_t size);
void ward_found_finish(struct ward_found *found);
/* 1 it is new, 0 it was there, -ENOMEM, -ENOSPC no more than states_max (0: as many as fit). */
int ward_found_add(struct ward_found *found, const uint8_t *bytes, uint32_t before, uint32_t event,
		   uint64_t states_max);
const uint8_t *ward_found_bytes(const struct ward_found *found, uint32_t index);
void ward_found_before(const struct ward_found *found, uint32_t index, uint32_t *ret_before,
		       uint32_t *ret_event);

/* The promises, in words or 0: text says what is wrong. Negative: -ENOMEM. */
int ward_promise_reach(const struct ward_exploration *exploration,
		       const struct ward_ownership *ownership, uint32_t *members, char *text,
		       size_t size);
int ward_promise_one_owner(const struct ward_exploration *exploration,
			   const struct ward_ownership *ownership, bool settled, char *text,
			   size_t size);
/* What is promised about an event: before, functions as they were. */
int ward_promise_release(const struct ward_exploration *exploration,
			 const struct ward_function_state *before,
			 const struct ward_ownership *ownership, const struct ward_event *event,
			 char *text, size_t size);
int ward_promise_hands(const struct ward_exploration *exploration,
		       const struct ward_function_state *before,
		       const struct ward_ownership *ownership, const struct ward_event *event,
		       char *text, size_t size);
bool ward_is_reset_with(const struct ward_machine *machine, enum ward_event_kind kind,
			uint32_t reset, uint32_t function);

/* Notes a breach: the way to a state, and a choice there, or WARD_EVENT_FIRST for the state. */
int ward_breach_note(struct ward_worker *worker, uint32_t state, uint32_t choice);

#endif

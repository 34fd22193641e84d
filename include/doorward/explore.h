/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Exploration: every state of ownership that a machine can come to, under every order of events, with
 * the promises of own.h checked in each. What is checked is worked out from reach, not from what the
 * ownership decided.
 *
 * Threads: any number of threads may be in ward_exploration_work() of one exploration, and call
 * ward_exploration_progress() and ward_exploration_stop(); everything else when nobody is.
 */
#ifndef DOORWARD_EXPLORE_H
#define DOORWARD_EXPLORE_H

#include <doorward/own.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct ward_exploration;

/** What is promised. */
enum ward_promise {
	/** In a settled state no client reaches what is not its own. */
	WARD_PROMISE_REACH,
	/** Nothing is in two hands: a driver, a client, a container, a requester id. */
	WARD_PROMISE_ONE_OWNER,
	/** Every refusal has a finding that blocks, or is open. */
	WARD_PROMISE_FINDING,
	/** A refusal changes nothing. */
	WARD_PROMISE_UNCHANGED,
	/** What was released is nobody's, and nobody else gets it before a verified reset. */
	WARD_PROMISE_RELEASE,
	/** Every exposure ends in a containment: containments come to an end, and a settled state. */
	WARD_PROMISE_CONTAINMENT,
	WARD_PROMISES,
};

/** Functions that events happen to, clients, and containers of each, at most. */
#define WARD_EXPLORE_FUNCTIONS 64u
#define WARD_EXPLORE_CLIENTS_MAX 8u
#define WARD_EXPLORE_CONTAINERS_MAX 4u

/** What to explore. Set size to sizeof(struct ward_explore_options). */
struct ward_explore_options {
	size_t size;
	uint32_t clients;    /**< how many; 0: 2; at most 8 */
	uint32_t depth;	     /**< events in a row; 0: until nothing new is found */
	uint64_t events;     /**< bit of each enum ward_event_kind that may happen; 0: all */
	uint32_t containers; /**< of each client; 0: 1; at most 4 */
	bool keep_order;     /**< clients that differ by number alone are not taken for one */
	uint64_t states_max; /**< 0: as many as memory holds */
	/** Events happen to these alone (indexes); NULL: to all that docs/ownership.md names. */
	const uint32_t *functions;
	uint32_t functions_count;
	const struct ward_ownership_options *ownership; /**< or NULL */
	/** Each claim comes as it is, and once more with all of these. */
	const struct ward_waiver *waivers;
	uint32_t waivers_count;
};

/**
 * Creates an exploration.
 * @param machine a machine; borrowed
 * @param state where it begins; borrowed during the call
 * @param options what, or NULL
 * @param ret_exploration the exploration; the caller destroys it
 * @param ret_error a sentence on failure; may be NULL
 * @return 0; -EINVAL; -E2BIG more than WARD_EXPLORE_FUNCTIONS that events could happen to: name some;
 * -ENOMEM
 */
int ward_exploration_create(const struct ward_machine *machine, const struct ward_state *state,
			    const struct ward_explore_options *options,
			    struct ward_exploration **ret_exploration,
			    struct ward_error *ret_error);

/**
 * What the clients are called: those that the state knew, then "c0", "c1", ...
 * @param exploration an exploration
 * @param ret_count how many
 * @return their names, as long as the exploration lives
 */
const char *const *ward_exploration_clients(const struct ward_exploration *exploration,
					    uint32_t *ret_count);

/**
 * Which functions events happen to.
 * @param exploration an exploration
 * @param cursor 0 to begin; moved on by the call
 * @param ret_function index of the next one
 * @return true while there was one
 */
bool ward_exploration_next(const struct ward_exploration *exploration, uint32_t *cursor,
			   uint32_t *ret_function);

/**
 * Explores, together with whoever else is in this call, until there is nothing left to explore, a
 * promise was broken, a limit was met, or somebody said stop.
 * @param exploration an exploration
 * @return 0 or -ENOMEM
 */
int ward_exploration_work(struct ward_exploration *exploration);

/**
 * Makes all who work return soon.
 * @param exploration an exploration
 */
void ward_exploration_stop(struct ward_exploration *exploration);

enum ward_exploration_end {
	WARD_EXPLORATION_RUNNING,
	WARD_EXPLORATION_COMPLETE, /**< every state there is, or down to the depth asked for */
	WARD_EXPLORATION_BROKEN,   /**< a promise was */
	WARD_EXPLORATION_STOPPED,  /**< by ward_exploration_stop() */
	WARD_EXPLORATION_FULL,	   /**< states_max, or out of memory */
};

struct ward_exploration_progress {
	enum ward_exploration_end end;
	uint64_t states;      /**< different ones, clients taken for one another folded */
	uint64_t settled;     /**< of those */
	uint64_t transitions; /**< events tried that made sense */
	uint64_t refused;     /**< of those */
	uint64_t exposures;   /**< facts that left a state unsettled */
	uint64_t bytes;	      /**< memory for states */
	uint32_t depth;	      /**< events to the farthest state */
	bool whole;	      /**< nothing was cut off by the depth */
};

/**
 * How far it is.
 * @param exploration an exploration
 * @param ret_progress how far
 */
void ward_exploration_progress(const struct ward_exploration *exploration,
			       struct ward_exploration_progress *ret_progress);

/** A broken promise, and the shortest way there. */
struct ward_breach {
	enum ward_promise promise;
	const struct ward_event *events; /**< from the first state; the last one breaks it */
	uint32_t events_count;
	const char *text; /**< who reaches whom, or what is in two hands */
};

/**
 * The promise that was broken.
 * @param exploration an exploration
 * @return it, as long as the exploration lives; NULL: none was
 */
const struct ward_breach *ward_exploration_breach(const struct ward_exploration *exploration);

/**
 * Walks all states that were found, in no order; those that are not settled, too.
 * @param exploration an exploration
 * @param visit told of each; the walk ends with what it returns when that is not 0
 * @param context handed to visit
 * @return 0, what visit returned, -ENOMEM
 */
int ward_exploration_walk(struct ward_exploration *exploration,
			  int (*visit)(void *context, const struct ward_ownership *ownership),
			  void *context);

/**
 * Destroys an exploration.
 * @param exploration an exploration, or NULL
 */
void ward_exploration_destroy(struct ward_exploration *exploration);

/** The words for a promise ("reach"). */
const char *ward_promise_name(enum ward_promise promise);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

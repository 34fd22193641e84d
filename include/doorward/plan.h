/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Plans: how an event of ownership is carried out, step by step, each with what undoes it. A plan is
 * data; an executor (backend/model_executor.h is one) does what its steps say.
 *
 * Between two owners there is always "nobody": no driver, no vectors, a blocking space. A plan that
 * fails at a step goes back to where it began, and where that fails, too, stops at nobody. There is
 * never a moment with two owners. docs/ownership.md says what "where it began" is.
 *
 * The ownership is told of an event that gives something before its first step, and of one that takes
 * something after its last: at every moment it says at least as much as is so.
 *
 * Threads: one at a time uses a plan.
 */
#ifndef DOORWARD_PLAN_H
#define DOORWARD_PLAN_H

#include <doorward/own.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/** What a step does to one function. */
enum ward_action {
	WARD_ACTION_NONE,
	WARD_ACTION_UNBIND,    /**< its driver lets go: no vectors, no mappings left */
	WARD_ACTION_BIND,      /**< driver takes it */
	WARD_ACTION_BLOCK,     /**< every DMA faults, every message is dropped */
	WARD_ACTION_TEAR_DOWN, /**< its vectors, and whatever they were wired to */
	WARD_ACTION_RESET,     /**< reset, alone or with its reset scope; and verified */
	WARD_ACTION_GIVE,      /**< client may open it; it is blocked */
	WARD_ACTION_TAKE,      /**< the client has it no longer */
	WARD_ACTION_ATTACH,    /**< into the client's container */
	WARD_ACTION_DETACH,    /**< blocked again */
	WARD_ACTION_FREEZE, /**< its error domain stops, at the IOMMU and the interrupt controller */
	WARD_ACTION_THAW,   /**< its error domain is reset and goes on */
	WARD_ACTIONS,
};

/** One step. */
struct ward_plan_step {
	enum ward_action action, undo; /**< undo: WARD_ACTION_NONE where there is nothing to undo */
	uint32_t function;	       /**< index */
	uint32_t client;	       /**< or WARD_NONE */
	uint32_t container;	       /**< or WARD_NONE */
	const char *driver;	       /**< bound, or bound again by undo; or NULL */
	struct ward_space *space;      /**< of the container, or NULL */
	/**
	 * Which event of the plan is complete, once this step has succeeded; or WARD_NONE: one that
	 * follows is. An event without steps is complete by itself.
	 */
	uint32_t completes;
	const char *text; /**< for a person: "unbind nvme from 0000:01:00.0" */
};

/** A plan. What it points to is its own. */
struct ward_plan {
	const struct ward_plan_step *steps;
	uint32_t steps_count;
	/** What happens to the ownership on the way, in this order. */
	const struct ward_event *events;
	uint32_t events_count;
};

/** What a hand-over is to come to. Set size to sizeof(struct ward_hand_over). */
struct ward_hand_over {
	size_t size;
	const uint32_t *functions;
	uint32_t functions_count;
	enum ward_owner_kind to;
	uint32_t client;    /**< WARD_OWNER_CLIENT */
	uint32_t container; /**< WARD_OWNER_CLIENT: attached there; WARD_NONE: left blocked */
	struct ward_space *space;
	/**
	 * WARD_OWNER_HOST: one for all, or NULL: each gets the one that it has now, or that its
	 * driver_override names; without either it ends as nobody's.
	 */
	const char *driver;
	const struct ward_waiver *waivers;
	uint32_t waivers_count;
};

/**
 * Plans a hand-over: from whoever has the functions, through nobody and a verified reset, to somebody.
 * All events are tried first; when one would be refused there is no plan.
 * @param ownership an ownership; unchanged
 * @param hand_over what to come to
 * @param ret_plan the plan; the caller destroys it. NULL when it would be refused
 * @param ret_outcome of the event that would be refused, or of the last one; may be NULL
 * @param ret_error a sentence on failure; may be NULL
 * @return 0, also when refused; -EINVAL; -ENOMEM
 */
int ward_plan_hand_over(const struct ward_ownership *ownership,
			const struct ward_hand_over *hand_over, struct ward_plan **ret_plan,
			struct ward_outcome *ret_outcome, struct ward_error *ret_error);

/**
 * Plans how one event is carried out (or, for a fact, what is left to do about it).
 * @param ownership an ownership before the event; unchanged
 * @param event the event; one that would be allowed, or a fact
 * @param ret_plan the plan, maybe without steps; the caller destroys it
 * @return 0; -EPERM it would be refused; -EINVAL; -ENOMEM
 */
int ward_plan_event(const struct ward_ownership *ownership, const struct ward_event *event,
		    struct ward_plan **ret_plan);

/**
 * Destroys a plan.
 * @param plan a plan, or NULL
 */
void ward_plan_destroy(struct ward_plan *plan);

/** Who carries steps out. */
struct ward_executor {
	/**
	 * Does one action of a step: its action, or, going back, its undo. Whole or not at all.
	 * Returns 0 or a negative errno. WARD_ACTION_BLOCK does not fail.
	 */
	int (*execute)(void *context, const struct ward_plan_step *step, enum ward_action action,
		       struct ward_error *ret_error);
	void *context;
};

/** How a run ended. */
enum ward_plan_end {
	WARD_PLAN_DONE,
	WARD_PLAN_UNDONE,    /**< a step failed; everything is as it was */
	WARD_PLAN_AT_NOBODY, /**< it could not be undone: the functions are nobody's and blocked */
	/**
	 * The functions are blocked, and there was no memory to tell the ownership that they are
	 * nobody's. It names whoever had them, so nobody else gets them: see ward_plan_settle().
	 */
	WARD_PLAN_UNTOLD,
};

struct ward_plan_result {
	enum ward_plan_end end;
	uint32_t failed; /**< which step did, or WARD_NONE */
	int error;	 /**< its errno, or 0 */
	uint32_t untold; /**< WARD_PLAN_UNTOLD: index of an event to be told yet, or WARD_NONE */
};

/**
 * Carries a plan out, and lets its events happen to the ownership. What has happened already, and what
 * contains, is not undone (facts, death, revoke, freeze, quarantine): a failure there ends at nobody.
 * When it ends at nobody the ownership says so, too.
 *
 * The executor may let facts happen to the ownership meanwhile. A step that would give what is then
 * somebody else's or nobody's fails (-ESTALE), and so does one that has given it already.
 * @param ownership the one it was made for, unchanged since
 * @param plan the plan
 * @param executor who does it
 * @param ret_result how it ended
 * @param ret_error a sentence when it was not done; may be NULL
 * @return 0 however it ended; -ESTALE the ownership has changed since, or -ENOMEM: nothing was done
 */
int ward_plan_run(struct ward_ownership *ownership, const struct ward_plan *plan,
		  const struct ward_executor *executor, struct ward_plan_result *ret_result,
		  struct ward_error *ret_error);

/**
 * Tells the ownership what a run that ended WARD_PLAN_UNTOLD could not. To be called, until it succeeds,
 * before anything else happens to these functions.
 * @param ownership the one that the plan was carried out with
 * @param plan the plan
 * @param result how it ended; WARD_PLAN_AT_NOBODY on success. Of another end nothing is done
 * @return 0; -ENOMEM call it again
 */
int ward_plan_settle(struct ward_ownership *ownership, const struct ward_plan *plan,
		     struct ward_plan_result *result);

/** The word for an action ("tear-down"). */
const char *ward_action_name(enum ward_action action);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

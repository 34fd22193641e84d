/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Ownership: who has which function, as a state machine over a machine. Every event is judged by what
 * would be reached after it; docs/ownership.md is the same in prose, with all rules in one place.
 *
 * A request (somebody asks) is allowed, or refused with findings: then nothing has changed. A fact (a
 * card was plugged in, a driver was bound behind our back, a vector landed in a frame) cannot be
 * refused: it is recorded, and where it lets a client reach what is not its own, the ownership is
 * *unsettled* until the containments that ward_ownership_next() names were applied, one event each.
 * In every settled state no client reaches anything that is not its own.
 *
 * Nothing is carried out here: that is what plans are for (plan.h).
 *
 * Threads: one at a time uses an ownership.
 */
#ifndef DOORWARD_OWN_H
#define DOORWARD_OWN_H

#include <doorward/state.h>
#include <doorward/verdict.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct ward_ownership;

/** What can happen. Which members of struct ward_event count stands behind each. */
enum ward_event_kind {
	/** functions, driver: it takes them, for the host or (vfio-pci and the like) for nobody. */
	WARD_EVENT_BIND,
	/** functions: their drivers let go; nobody's, and tainted by the host where it had them. */
	WARD_EVENT_UNBIND,
	/** functions, client, waivers: all of them become the client's, blocked; or none. */
	WARD_EVENT_CLAIM,
	/** functions, container, space: into a space of their client's; and all of their groups. */
	WARD_EVENT_ATTACH,
	/** functions: out of it; blocked. */
	WARD_EVENT_DETACH,
	/** functions: their client gives them back; nobody's, blocked, tainted by the client. */
	WARD_EVENT_RELEASE,
	/** client: it is gone, and has released everything. A fact. */
	WARD_EVENT_DEATH,
	/**
	 * functions: taken back by force. As release where options say that this is at once; else
	 * their error domains are frozen, and they are *revoking*, still the client's, until it
	 * releases them or dies.
	 */
	WARD_EVENT_REVOKE,
	/** functions, driver or NULL: they are there now, and a driver has taken them. A fact. */
	WARD_EVENT_HOT_ADD,
	/** functions: they are gone, from under whoever had them. A fact. */
	WARD_EVENT_HOT_REMOVE,
	/** functions (PFs), driver or NULL: all their VFs are there, taken by the driver. */
	WARD_EVENT_VFS_ON,
	/** functions (PFs): their VFs are gone. */
	WARD_EVENT_VFS_OFF,
	/** functions, controller: a vector of each landed there. A fact. */
	WARD_EVENT_VECTOR,
	/** functions: an error; their error domains do no DMA and raise nothing. A fact. */
	WARD_EVENT_FREEZE,
	/** functions: their error domains are reset and go on. */
	WARD_EVENT_THAW,
	/** functions: reset, and that it worked was verified; no longer tainted. */
	WARD_EVENT_RESET,
	/** functions: no driver, nobody's, blocked, until somebody may have them. */
	WARD_EVENT_QUARANTINE,
	WARD_EVENTS,
};

/** What happens. Set size to sizeof(struct ward_event); what a kind does not use is ignored. */
struct ward_event {
	size_t size;
	enum ward_event_kind kind;
	/**
	 * It has happened already and cannot be refused. Kinds that are a fact by nature are one
	 * either way; claim, attach, thaw and revoke never are (-EINVAL).
	 */
	bool fact;
	const uint32_t *functions; /**< indexes, each once */
	uint32_t functions_count;
	uint32_t client; /**< index into the state's clients */
	const char *driver;
	uint32_t container; /**< number of a space among those of the client, below 65535 */
	/**
	 * What is in the container, borrowed while somebody is in it; or NULL: memory only. The same
	 * for all who are in the container, and no other client's. What it maps is read when
	 * somebody is put into it: who maps registers or doorbells later attaches again, before
	 * anybody can use them.
	 */
	struct ward_space *space;
	uint32_t controller; /**< index into the machine's controllers */
	/** Accepted with the claim, if it is allowed: from then on, whoever has the functions. */
	const struct ward_waiver *waivers;
	uint32_t waivers_count;
};

enum ward_decision {
	WARD_ALLOWED,
	WARD_REFUSED,  /**< the verdict says why; nothing has changed */
	WARD_RECORDED, /**< a fact, and nobody is exposed */
	/** It has happened, and exposures are open: apply what ward_ownership_next() says. */
	WARD_UNSETTLED,
};

/** What became of an event. */
struct ward_outcome {
	enum ward_decision decision;
	uint64_t event; /**< number of the event, from 1; 0: it was refused */
	/**
	 * Why: of a claim always; else where there is something to tell, or NULL. It is the caller's
	 * with the outcome.
	 */
	struct ward_verdict *verdict;
	uint32_t opened;    /**< exposures that begin with this event */
	uint32_t contained; /**< exposures that end with it */
};

/** A client reached, from one event to another, what was not its own. */
struct ward_exposure {
	uint64_t opened;    /**< number of the event; 0: it was there from the beginning */
	uint64_t contained; /**< number of the event, or 0: it is open */
	enum ward_event_kind cause, containment; /**< WARD_EVENTS: none, or not yet */
	uint32_t client;			 /**< who reached */
	uint32_t function; /**< through what: index of the client's function */
	uint32_t victim; /**< whose: index of a function, or WARD_NONE: memory, the host's vectors */
	const char *code; /**< of the finding */
	const char *text; /**< the finding's sentence */
};

/** How an ownership answers facts that expose somebody. */
enum ward_containment {
	WARD_CONTAIN_DEFAULT,
	/** The newcomer loses its driver and is blocked; what cannot, or does not help: freeze. */
	WARD_CONTAIN_QUARANTINE,
	/** The client's functions that reach too far are frozen. */
	WARD_CONTAIN_FREEZE,
	/** They are revoked. */
	WARD_CONTAIN_REVOKE,
};

/** How. Set size to sizeof(struct ward_ownership_options). 0 is the default of all. */
struct ward_ownership_options {
	size_t size;
	enum ward_policy policy;
	/** After a hot-add, a bind, or VFs; by default quarantine. */
	enum ward_containment newcomer;
	/** After a vector, or anything else; by default freeze. Quarantine: -EINVAL. */
	enum ward_containment other;
	/** A revoke returns at once, as on the software machine; on Linux it waits for the process. */
	bool revoke_is_immediate;
	/** Accepted from the beginning; copied. */
	const struct ward_waiver *waivers;
	uint32_t waivers_count;
};

/**
 * Creates an ownership. Functions that the state says are absent may be hot-added later; what the
 * machine does not know at all comes with ward_ownership_rebase().
 * @param machine a machine; borrowed, outlives the ownership
 * @param state where it begins: owners, drivers, spaces, vectors; copied
 * @param options how, or NULL
 * @param ret_ownership the ownership; the caller destroys it
 * @return 0; -EINVAL options, or the state is of another machine; -ENOMEM. A state in which clients
 * reach too much is unsettled from the beginning.
 */
int ward_ownership_create(const struct ward_machine *machine, const struct ward_state *state,
			  const struct ward_ownership_options *options,
			  struct ward_ownership **ret_ownership);

/**
 * Destroys an ownership.
 * @param ownership an ownership, or NULL
 */
void ward_ownership_destroy(struct ward_ownership *ownership);

/**
 * Lets an event happen. Whole or not at all, also of several functions.
 * @param ownership an ownership
 * @param event what
 * @param ret_outcome what became of it; the caller ends it with ward_outcome_finish(). May be NULL
 * @param ret_error a sentence on failure; may be NULL
 * @return 0, refused or not; -EINVAL it makes no sense here (no such function; one that is absent; to
 * unbind what has no driver; a kind that cannot be a fact), nothing has changed; -ENOMEM, likewise
 */
int ward_ownership_apply(struct ward_ownership *ownership, const struct ward_event *event,
			 struct ward_outcome *ret_outcome, struct ward_error *ret_error);

/**
 * Says what ward_ownership_apply() would do, and changes nothing.
 * @param ownership an ownership
 * @param event what; event and exposures of the outcome are 0
 * @param ret_outcome as above
 * @param ret_error as above
 * @return as above
 */
int ward_ownership_try(struct ward_ownership *ownership, const struct ward_event *event,
		       struct ward_outcome *ret_outcome, struct ward_error *ret_error);

/**
 * Frees what an outcome holds.
 * @param outcome an outcome; may be zeroed
 */
void ward_outcome_finish(struct ward_outcome *outcome);

/**
 * The next containment: while an exposure is open there is one, and applying it may ask for another.
 * @param ownership an ownership
 * @param ret_event what to apply; its functions live until the next call that changes the ownership
 * @return true while the ownership is unsettled
 */
bool ward_ownership_next(struct ward_ownership *ownership, struct ward_event *ret_event);

/**
 * The state now.
 * @param ownership an ownership
 * @return the state; lives as long as the ownership, and changes with it
 */
const struct ward_state *ward_ownership_state(const struct ward_ownership *ownership);

/**
 * What the machine isolates in the state now.
 * @param ownership an ownership
 * @return the isolation; lives until the next call that changes the ownership
 */
const struct ward_isolation *ward_ownership_isolation(const struct ward_ownership *ownership);

/**
 * Makes a client known, for as long as the ownership is: one that died may claim again.
 * @param ownership an ownership
 * @param name its name
 * @param ret_client its index
 * @return 0, -EINVAL an empty name, -ENOSPC there are 65,535 already, -ENOMEM
 */
int ward_ownership_client(struct ward_ownership *ownership, const char *name, uint32_t *ret_client);

/**
 * The container that a function is in.
 * @param ownership an ownership
 * @param function index of a function
 * @return its number among those of its client, or WARD_NONE: it is blocked, or not a client's
 */
uint32_t ward_ownership_container(const struct ward_ownership *ownership, uint32_t function);

/**
 * All exposures there were, in the order of opening. There is no limit to them, as facts cannot be
 * refused, and none is forgotten: some hundred bytes each.
 * @param ownership an ownership
 * @param ret_count how many
 * @return them; they live until the next call that changes the ownership
 */
const struct ward_exposure *ward_ownership_exposures(const struct ward_ownership *ownership,
						     uint32_t *ret_count);

/**
 * Waivers that were accepted, with the options or with events; they are for ever.
 * @param ownership an ownership
 * @param ret_count how many
 * @return them; they live until the next call that changes the ownership
 */
const struct ward_waiver *ward_ownership_waivers(const struct ward_ownership *ownership,
						 uint32_t *ret_count);

/**
 * Carries an ownership over to a new snapshot of the machine: functions are the same when their
 * addresses and their way from the root are. New ones are absent at first, and those that are gone
 * are still there until the caller applies WARD_EVENT_HOT_ADD and WARD_EVENT_HOT_REMOVE.
 * @param ownership an ownership; unchanged
 * @param machine the new snapshot, with the functions of both; borrowed
 * @param ret_ownership the ownership over it; the caller destroys it
 * @return 0; -EINVAL a function that is somebody's, tainted or frozen is not in it, or a controller that
 * has vectors; -ENOMEM
 */
int ward_ownership_rebase(const struct ward_ownership *ownership,
			  const struct ward_machine *machine,
			  struct ward_ownership **ret_ownership);

/** The words for a kind ("hot-add"), a decision ("allowed"), a containment ("freeze"). */
const char *ward_event_name(enum ward_event_kind kind);
const char *ward_decision_name(enum ward_decision decision);
const char *ward_containment_name(enum ward_containment containment);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

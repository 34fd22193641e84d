/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * An ownership from inside. An event happens in steps: does it make sense (event_*.c, sense), is it
 * refused for what is so already (refused), what it does (effect, by the calls of journal.c, which
 * remember how it was), what is reached afterwards (standing.c); and then it stays, or everything is
 * undone.
 */
#ifndef OWN_CORE_H
#define OWN_CORE_H

#include "own/break.h"
#include "own/environment.h"
#include "own/ownership.h"

#include "base/arena.h"

/* Containers and clients have numbers of 16 bits, less one, in packed states. */
#define OWN_CONTAINERS_MAX 65535u
#define OWN_CLIENTS_MAX 65535u

/* What was, so that it can be again. */
enum own_change_kind {
	OWN_CHANGE_FUNCTION,
	OWN_CHANGE_VECTOR_ADDED,
	OWN_CHANGE_VECTOR_REMOVED,
	OWN_CHANGE_ATTACHMENT,
};

struct own_change {
	enum own_change_kind kind;
	uint32_t function;
	union {
		struct {
			struct ward_function_state state;
			uint32_t container;
		} function_was;
		struct {
			uint32_t at;
			struct ward_host_vector vector;
		} vector_was;
		struct ward_attachment attachment_was; /* space NULL: there was none */
	};
};

/* Functions that an event named which left somebody exposed. */
struct own_newcomers {
	uint64_t rank; /* of the exposures */
	uint32_t *functions;
	uint32_t count;
};

/* A client of the state. */
struct own_client {
	uint32_t first; /* of its functions, or WARD_NONE */
	uint32_t count;
	uint32_t stamp; /* of the last event that it was found to be concerned by */
	/* Exposure that is open: its number in the history plus one, how old it is, and through what. */
	uint32_t exposure;
	uint64_t rank;
	uint32_t *through;
	uint32_t through_count;
};

struct ward_ownership {
	const struct ward_machine *machine;
	struct ward_state *state;
	struct ward_ownership_options options;
	uint64_t broken; /* a bit for each rule that is left out */

	/* By function. */
	uint32_t *container;
	uint32_t *next, *previous; /* of the same client */
	uint32_t *vectors_of;	   /* how many */
	uint32_t *first_vf, *next_vf;
	uint32_t *mark;	    /* event that named it last, by stamp */
	uint8_t *irq_mode;  /* in the beginning */
	uint32_t *driver;   /* in the beginning: its number, or WARD_NONE */
	uint32_t *proposal; /* room for the functions of a containment */
	uint32_t *scratch;  /* room for functions, during a call */
	uint32_t stamp;
	uint32_t revoking; /* how many functions are */

	struct own_client *clients;
	size_t clients_capacity;
	uint32_t clients_known;

	struct own_change *changes;
	size_t changes_count, changes_capacity;
	/* Absent functions, vectors elsewhere, spaces, or who shares one have changed. */
	bool environment_stale;
	/* Functions raise interrupts through different doorbells: who shares a space matters. */
	bool several_doorbells;
	uint64_t spaces_read; /* how often somebody was put into one */
	struct ward_environment *environment;
	struct ward_environments environments;

	struct ward_waiver *waivers;
	uint32_t waivers_count;
	size_t waivers_capacity;
	/* Those that packed states may count on (ward_ownership_number_waivers). */
	struct ward_waiver *listed;
	uint32_t listed_count;
	size_t listed_capacity;

	struct ward_exposure *exposures;
	uint32_t exposures_count, exposures_open;
	size_t exposures_capacity;
	char **texts; /* of the exposures */
	size_t texts_capacity;
	struct own_newcomers *newcomers;
	uint32_t newcomers_count;
	size_t newcomers_capacity;

	/* Names of drivers, so that packed states can number them. */
	const char **drivers;
	uint32_t drivers_count;
	size_t drivers_capacity;

	/* Spaces that functions were in to begin with; they leave with the first change of hands. */
	struct ward_attachment *attachments;
	uint32_t attachments_count;

	struct ward_arena arena; /* texts of exposures and waivers */
	uint64_t events, version;
	uint64_t ranks; /* how many events have left somebody exposed */
};

/* The rules that can be left out: a bit each (break.c). */
enum own_rule {
	OWN_RULE_CLAIM_REACH,
	OWN_RULE_CLAIM_OTHERS,
	OWN_RULE_BIND_CHECK,
	OWN_RULE_VECTOR_LANDED,
	OWN_RULE_NEWCOMER_QUARANTINE,
	OWN_RULE_CONTAINMENT_FREEZE,
	OWN_RULE_TAINT,
	OWN_RULE_RESET_SCOPE,
	OWN_RULE_REVOKING,
	OWN_RULE_GROUP_ONE_SPACE,
	OWN_RULE_DOMAIN_FIXED,
	OWN_RULE_THAW_CHECK,
	OWN_RULE_VFS,
	OWN_RULE_ALL_OR_NOTHING,
	OWN_RULE_RELEASE_TO_NOBODY,
	OWN_RULE_WAIVERS,
	OWN_RULE_REFUSAL_SAYS,
	OWN_RULES,
};

static inline bool own_leaves_out(const struct ward_ownership *o, enum own_rule rule)
{
	return o->broken >> rule & 1;
}

/*
 * journal.c: changes that can be undone. Each returns 0 or -ENOMEM, when nothing has changed.
 */
/* Before anything of a function's state is written. */
int ward_own_touch(struct ward_ownership *o, uint32_t function);
/* After ward_own_touch: keeps the lists of the clients. */
void ward_own_set_owner(struct ward_ownership *o, uint32_t function, struct ward_owner owner);
void ward_own_set_revoking(struct ward_ownership *o, uint32_t function, bool revoking);
int ward_own_set_driver(struct ward_ownership *o, uint32_t function, const char *driver);
int ward_own_set_absent(struct ward_ownership *o, uint32_t function, bool absent);
int ward_own_add_vector(struct ward_ownership *o, uint32_t function, uint32_t controller);
int ward_own_drop_vectors(struct ward_ownership *o, uint32_t function);
/* The space of its requests without PASID; NULL: out of every space that is known. */
int ward_own_set_space(struct ward_ownership *o, uint32_t function, struct ward_space *space);
int ward_own_drop_spaces(struct ward_ownership *o, uint32_t function);
/* The one that is known, or NULL. */
struct ward_space *ward_own_space(const struct ward_ownership *o, uint32_t function,
				  ward_pasid_t pasid);
/* After ward_own_touch. */
void ward_own_set_container(struct ward_ownership *o, uint32_t function, uint32_t container);
/* Everything as it was. */
void ward_own_undo(struct ward_ownership *o);
/* Everything stays. */
void ward_own_keep(struct ward_ownership *o);

static inline bool own_is_clients(const struct ward_ownership *o, uint32_t function)
{
	return o->state->functions[function].owner.kind == WARD_OWNER_CLIENT;
}

static inline bool own_is_hosts(const struct ward_ownership *o, uint32_t function)
{
	return o->state->functions[function].owner.kind == WARD_OWNER_HOST;
}

/* The next VF of a PF that is there, after one or, WARD_NONE, from the first on; or WARD_NONE. */
static inline uint32_t own_next_vf(const struct ward_ownership *o, uint32_t pf, uint32_t vf)
{
	do {
		vf = vf == WARD_NONE ? o->first_vf[pf] : o->next_vf[vf];
	} while (vf != WARD_NONE && o->state->functions[vf].absent);
	return vf;
}

/* The event under way names it. */
static inline bool own_is_named(const struct ward_ownership *o, uint32_t function)
{
	return o->mark[function] == o->stamp;
}

/* Why something is refused that ward_check is not asked about. */
struct own_refusal {
	const char *code;
	uint32_t subject, blocker;
	char text[256];
};

/* Fills one in; true, so that a handler can return it. */
__attribute__((format(printf, 5, 6))) bool own_refuse(struct own_refusal *refusal, const char *code,
						      uint32_t subject, uint32_t blocker,
						      const char *format, ...);

/* One kind of event. What is missing is not needed. */
struct own_handler {
	bool functions; /* names some */
	bool client;
	bool controller;
	bool always_fact, never_fact;
	bool takes_away; /* and gives nobody anything: it is not refused for what is reached */
	/* 0, or -EINVAL with a sentence. */
	int (*sense)(const struct ward_ownership *o, const struct ward_event *event,
		     uint32_t function, struct ward_error *error);
	bool (*refused)(const struct ward_ownership *o, const struct ward_event *event,
			uint32_t function, struct own_refusal *refusal);
	/* The same, asked when all of it has taken effect: companions of who was absent. */
	bool (*refused_then)(const struct ward_ownership *o, const struct ward_event *event,
			     uint32_t function, struct own_refusal *refusal);
	int (*effect)(struct ward_ownership *o, const struct ward_event *event, uint32_t function);
};

extern const struct own_handler own_bind, own_unbind, own_quarantine;
extern const struct own_handler own_claim, own_release, own_death, own_revoke;
extern const struct own_handler own_attach, own_detach;
extern const struct own_handler own_hot_add, own_hot_remove, own_vfs_on, own_vfs_off;
extern const struct own_handler own_vector, own_freeze, own_thaw, own_reset;

/* Parts that several kinds have: of bind, and of release. */
int own_take_by_driver(struct ward_ownership *o, uint32_t function, const char *driver);
int own_give_back(struct ward_ownership *o, uint32_t function);
/* event_error.c: whoever is of its error domain. 0 or -ENOMEM. */
int own_freeze_domain(struct ward_ownership *o, uint32_t function);
/* What an owner leaves comes to what was left there before. The function was touched. */
void own_taint(struct ward_function_state *f, struct ward_owner owner);
/* taint.c: somebody else left something in it, or a client in its PF: refused as tainted. */
bool own_refuse_if_tainted(const struct ward_ownership *o, uint32_t function,
			   struct ward_owner taker, struct own_refusal *refusal);
/* What a claim, which has taken effect, gets at of nobody's: somebody else left something there. */
int own_find_left(const struct ward_ownership *o, const struct ward_event *claim,
		  struct own_refusal *refusal, bool *ret_found);
/* Before a client's function stops reaching anything. 0 or -ENOMEM. */
int own_taint_reached(struct ward_ownership *o, uint32_t function);
/* "0000:01:00.0", for sentences; "client web". */
const char *own_name(const struct ward_ownership *o, uint32_t function);
const char *own_holder(const struct ward_ownership *o, uint32_t function);
/* The owner is a client's: refused as already-owned. */
bool own_refuse_if_clients(const struct ward_ownership *o, uint32_t function,
			   struct own_refusal *refusal);

/* event.c: a number for an event, by which it marks what it names and whom it concerns. */
void own_next_stamp(struct ward_ownership *o);

/* A driver of the host would use the space of a client's function: refused as one-space. */
bool own_refuse_if_shared(const struct ward_ownership *o, uint32_t function, const char *driver,
			  struct own_refusal *refusal);

/* standing.c: a client, and what became of it after an event. */
struct own_judged {
	uint32_t client;
	bool exposed;
	struct ward_verdict *verdict; /* or NULL: it has nothing that is not frozen */
	uint32_t *through;	      /* when exposed; moves into the client */
	uint32_t through_count;
	uint32_t worst; /* finding of the exposure */
};

struct own_judging {
	struct own_judged *judged;
	uint32_t count;
	size_t capacity;
	struct ward_verdict *claim; /* of a claim */
};

void own_judging_finish(struct own_judging *judging);
/* Judges whoever an event concerns, after it has happened. 0 or -ENOMEM. */
int own_judge_concerned(struct ward_ownership *o, const struct ward_event *event,
			struct own_judging *judging);
/* Judges everybody. 0 or -ENOMEM. */
int own_judge_all(struct ward_ownership *o, struct own_judging *judging);
/* One, unless it was judged since own_next_stamp(). */
int own_judge_client(struct ward_ownership *o, uint32_t client, struct own_judging *judging);
/* A client's exposure is open: judges those again. */
int own_judge_open(struct ward_ownership *o, struct own_judging *judging);
/* The claim itself. */
int own_judge_claim(struct ward_ownership *o, const struct ward_event *event,
		    struct own_judging *judging);
/* A finding that speaks against it. */
bool own_counts(const struct ward_finding *finding);

/* exposure.c: reserves what noting the judgements needs. 0 or -ENOMEM, nothing has changed. */
struct own_noting {
	uint32_t *newcomers;
	uint32_t newcomers_count;
	char **texts; /* by judged; NULL where none opens */
	uint32_t texts_count;
	uint32_t opened, contained;
};
int own_exposures_prepare(struct ward_ownership *o, const struct ward_event *event,
			  const struct own_judging *judging, struct own_noting *noting);
void own_exposures_note(struct ward_ownership *o, const struct ward_event *event,
			struct own_judging *judging, struct own_noting *noting);
void own_noting_finish(struct own_noting *noting);
/* No exposure is open, and there never was one. */
void own_exposures_forget(struct ward_ownership *o);
/* Room for so many more. 0 or -ENOMEM. */
int own_exposures_reserve(struct ward_ownership *o, uint32_t more);

/* drivers.c: a driver's name gets a number, if it has none. 0 or -ENOMEM. */
int own_number_driver(struct ward_ownership *o, const char *driver);
/* Its number, or WARD_NONE: NULL, or not met yet. */
uint32_t own_driver_number(const struct ward_ownership *o, const char *driver);

/* waiver.c: accepts some, each once, for now as the caller's. 0 or -ENOMEM. */
int own_waivers_borrow(struct ward_ownership *o, const struct ward_waiver *waivers, uint32_t count);
/* Those from a number on become the ownership's own. 0 or -ENOMEM. */
int own_waivers_take(struct ward_ownership *o, uint32_t from);
/* So many are in use: the first ones, and then those that are listed. */
void own_waivers_restore(struct ward_ownership *o, uint32_t count);

/* ownership.c: exposures of clients that reach too much to begin with. 0 or -ENOMEM. */
int own_judge_beginning(struct ward_ownership *o);
/* Rows for the clients that the state knows. 0 or -ENOMEM. */
int own_make_clients(struct ward_ownership *o);
/* The arrays by function, zeroed. 0 or -ENOMEM. */
int own_alloc_by_function(struct ward_ownership *o);

#endif

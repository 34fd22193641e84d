/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Wiring under way. One sync is these steps, and any of them may fail: what was done before stays
 * done and is written down at once, so that the next sync goes on from there.
 *
 *	plan		what the guest's registers ask for
 *	unwire		irqfds that are not asked for, or that lead to what is about to change
 *	host down	vectors that are off; events that must not be seen any more
 *	host up		eventfds, addresses, vectors
 *	route		GSIs, routes, one commit
 *	wire		irqfds
 *	show		what waits in eventfds, in the guest's pending bits
 */
#ifndef MSI_WIRING_H
#define MSI_WIRING_H

#include <doorward/wiring.h>

#include "msi/vector.h"

#define WARD_GUEST_DOORBELLS_MAX 64u

/* What the registers ask of one vector. */
struct ward_wire_plan {
	bool enabled;
	bool masked;
	bool programmed; /* somebody means to use it: a message, or no mask */
	bool wire;	 /* enabled, not masked, and its message rings something */
	int resolved;
	uint32_t doorbell;
	struct ward_message message;
	struct ward_route route; /* with wire; of kind MSI without its GSI */
	bool addressed;		 /* the host is to write the message where the guest says */
};

/* What one vector has. */
struct ward_wire_state {
	struct ward_wire_plan plan;
	int eventfd; /* or -1 */
	bool owns;   /* own was handed out by the routing table */
	ward_gsi_t own;
	bool routed; /* route is in force, made of message */
	struct ward_route route;
	struct ward_message message;
	bool wired; /* its irqfd raises route.gsi */
	/* Host: where it writes, when the guest chose that. */
	bool has_address;
	ward_iova_t address;
	/*
	 * The host would not have this address when all were off for it. They do not go off again
	 * for the same vector in the same state: its guest could keep them off for ever.
	 */
	bool refused, refused_masked;
	bool missed; /* it was off for a moment in which it should have been on */
};

struct ward_wiring {
	struct ward_wiring_options options;
	struct ward_guest_doorbell doorbells[WARD_GUEST_DOORBELLS_MAX];
	struct ward_doorbell_frame frames[WARD_GUEST_DOORBELLS_MAX];
	uint32_t count; /* of wires */
	struct ward_wire_state *wires;
	int32_t *fds; /* room for all */
	ward_iova_t *iovas;
	enum ward_vector_mode mode;  /* as planned */
	enum ward_vector_mode holds; /* whose events the eventfds may hold */
	uint64_t resets;	     /* of the registers, that were seen */
	uint32_t host_index;	     /* enum ward_irq_index, or WARD_NONE: nothing is enabled */
	uint32_t host_count;
	/* For what the host was told addresses, for the time when it is enabled; or WARD_NONE. */
	uint32_t prepared_index;
	bool edited; /* the table has edits of ours that were not committed */
};

/* Which vectors to wire, and to what. Returns how many ring nothing; the first of them is said. */
uint32_t ward_wiring_plan(struct ward_wiring *wiring, struct ward_error *ret_error);
/*
 * What one vector's message comes to now. Sets doorbell and route; 0, an error of
 * ward_doorbell_resolve, or -EINVAL: the data is no INTID of the frame. The text may be NULL.
 */
int ward_wiring_resolve(const struct ward_wiring *wiring, const struct ward_message *message,
			uint32_t *ret_doorbell, struct ward_route *ret_route,
			char ret_text[WARD_RESOLUTION_TEXT]);
/* One more vector that rings nothing; the first one is said. */
void ward_wiring_lose(uint32_t vector, const char *why, uint32_t *lost,
		      struct ward_error *ret_error);
/* Like ward_fail, and says which vector it was. */
int ward_wiring_fail(struct ward_error *error, int code, uint32_t vector, const char *what);

int ward_wiring_unwire(struct ward_wiring *wiring, struct ward_error *ret_error);
int ward_wiring_route(struct ward_wiring *wiring, uint32_t *ret_lost, struct ward_error *ret_error);
int ward_wiring_wire(struct ward_wiring *wiring, struct ward_error *ret_error);
bool ward_route_means(const struct ward_route *a,
		      const struct ward_route *b); /* alike but for GSI */

/* enum ward_irq_index, or WARD_NONE: off. */
uint32_t ward_wiring_index(enum ward_vector_mode mode);
int ward_wiring_host_down(struct ward_wiring *wiring, struct ward_error *ret_error);
/* Events of another mode, or of before a reset, are not for the guest any more. */
void ward_wiring_forget_events(struct ward_wiring *wiring, enum ward_vector_mode mode);
/* Vectors that turn out to lead nowhere are taken out of the plan; *ret_lost counts them. */
int ward_wiring_host_up(struct ward_wiring *wiring, uint32_t *ret_lost,
			struct ward_error *ret_error);
/* Where the guest says that messages go: before vectors are enabled, or after. */
int ward_wiring_address(struct ward_wiring *wiring, uint32_t count, uint32_t *ret_lost,
			struct ward_error *ret_error);
/* Those that were refused before, and are not asked for again. */
void ward_wiring_lose_refused(struct ward_wiring *wiring, uint32_t *ret_lost,
			      struct ward_error *ret_error);
bool ward_wiring_address_differs(const struct ward_wire_state *wire);
void ward_wiring_forget_addresses(struct ward_wiring *wiring);
/* Takes back what the host was told and has not used. */
int ward_wiring_unprepare(struct ward_wiring *wiring, struct ward_error *ret_error);

/* 0; -ENOSPC no file descriptors; -ENOMEM. */
int ward_wiring_open(struct ward_wire_state *wire);
int ward_wiring_write(const struct ward_wire_state *wire); /* 0 or -EIO */
bool ward_wiring_holds_event(const struct ward_wire_state *wire);
void ward_wiring_show(struct ward_wiring *wiring);

#endif

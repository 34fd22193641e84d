/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The graph of reach: nodes are functions, places where a request can be, requester ids, doorbells
 * and what they raise; an edge says that who is at one node can be at the next. Both kinds of
 * edges of the design, touch and control, are edges here: writing a function's registers
 * (touching its BAR) is having it (control).
 *
 * Buses and slots are nodes of their own so that the graph grows with the machine, not with the
 * pairs of functions that can reach each other.
 */
#ifndef ISOLATE_GRAPH_H
#define ISOLATE_GRAPH_H

#include <doorward/isolation.h>

/* How sure an edge is; greater is less sure. A path is as sure as its least sure edge. */
enum ward_certainty {
	WARD_CERTAIN,
	WARD_ASSUMED, /* the hardware may do it; nothing says that it does not */
	WARD_UNSURE,  /* whether it can be done rests on a fact that could not be read */
};

/* Why an edge is there. via is the function named in the text, or WARD_NONE. */
enum ward_why {
	WARD_WHY_REQUEST,      /* it issues requests towards the root */
	WARD_WHY_FORWARD,      /* via forwards requests towards the root */
	WARD_WHY_SHARED_BUS,   /* one conventional bus, everybody hears everybody */
	WARD_WHY_SLOT,	       /* functions of one device, via does not redirect */
	WARD_WHY_SWITCH_PORT,  /* switch port via routes peer requests itself */
	WARD_WHY_ROOT_PORT,    /* root port via may route peer requests itself */
	WARD_WHY_REFLECT,      /* via sends requests for its own side back down */
	WARD_WHY_BRIDGE_BAR,   /* the registers of bridge via can be addressed from below */
	WARD_WHY_BAR,	       /* the registers of via are behind a BAR there */
	WARD_WHY_WINDOW,       /* bridge via passes requests down through its window */
	WARD_WHY_REQUESTER,    /* shares a requester id */
	WARD_WHY_STREAM,       /* firmware maps its requester id and another to one StreamID */
	WARD_WHY_PF,	       /* via is the PF of the VF */
	WARD_WHY_BACKDOOR,     /* a known backdoor in a BAR of via */
	WARD_WHY_NO_IOMMU,     /* nothing translates via */
	WARD_WHY_ATS,	       /* translated requests of via skip the IOMMU */
	WARD_WHY_DOORBELL,     /* the MSIs of via are written there */
	WARD_WHY_APIC,	       /* requests of via to the APIC page are not remapped */
	WARD_WHY_FRAME,	       /* interrupts of via come through the doorbell */
	WARD_WHY_DEVID,	       /* via uses a DeviceID that others use, too */
	WARD_WHY_UNKNOWN_ID,   /* not all requester ids of via are known */
	WARD_WHY_NO_CHECK,     /* the kernel was told not to check who via is */
	WARD_WHY_SOURCE_CHECK, /* entries of via admit every writer of its bus */
	WARD_WHY_SPACE,	       /* via is in the space */
	WARD_WHY_IDENTITY,     /* the space translates every address to itself */
	WARD_WHY_MAPPED_BAR,   /* a BAR of via is mapped in the space, writable */
	WARD_WHY_MAPPED_PAGE,  /* a doorbell's page is mapped in the space, writable */
	WARD_WHY_PASSED,       /* the kernel lets addresses of via pass as they are; no edge */
	WARD_WHYS,
};

struct ward_edge {
	uint32_t to;
	uint32_t via;
	uint8_t why;
	uint8_t certainty;
};

/* The same edge, seen from where it leads to. */
struct ward_back_edge {
	uint32_t from;
	uint8_t why;
	uint8_t certainty;
};

/*
 * Controllers that count as one doorbell: frames of one pool or of one host page, or the vectors
 * behind one DeviceID.
 */
struct ward_pool {
	uint32_t controller; /* the first one */
	bool devid;	     /* not the whole controller: one DeviceID */
	ward_devid_t id;
};

/* A DeviceID at an ITS, and a function that has vectors behind it, or writes with it. */
struct ward_devid_key {
	uint32_t controller, devid, function;
	uint32_t pool; /* or WARD_NONE: nobody else has to do with it */
	bool user;
	uint8_t certainty; /* that the id is the function's */
};

/* A vector that landed at a controller other than the function's own. */
struct ward_landed {
	uint32_t function, controller;
};

struct ward_graph {
	const struct ward_machine *machine;
	uint32_t nodes;
	/* Edges of node n are edges[start[n]] to edges[start[n + 1] - 1]. */
	uint32_t *start;
	struct ward_edge *edges;
	/* The same backwards: into node n lead back[back_start[n]] to back[back_start[n + 1] - 1]. */
	uint32_t *back_start;
	struct ward_back_edge *back;
	/* By function, of the state: it is not there. NULL where all are. */
	bool *absent;
	/* By function and controller; of functions that may use MSIs. */
	struct ward_landed *landed;
	uint32_t landed_count;

	struct ward_pool *pools;
	uint32_t pools_count;
	size_t pools_capacity;
	uint32_t *pool_of; /* by controller; WARD_NONE when it isolates */
	/* By controller and DeviceID. */
	struct ward_devid_key *devids;
	size_t devids_count, devids_capacity;

	/* Of the state, as they were; and by attachment: the first one that leads to the same. */
	struct ward_attachment *attachments;
	uint32_t attachments_count;
	uint32_t *space_of;

	/* While it is built: edges in the order of adding, and where from. */
	struct ward_edge *added;
	uint32_t *from;
	size_t added_count, added_capacity, from_capacity;
	bool failed;
};

uint32_t ward_graph_node(const struct ward_graph *graph, enum ward_node_kind kind, uint32_t index);
/* There is such a node: what callers name is checked by this. */
bool ward_graph_has(const struct ward_graph *graph, enum ward_node_kind kind, uint32_t index);
enum ward_node_kind ward_graph_kind(const struct ward_graph *graph, uint32_t node,
				    uint32_t *ret_index);

static inline bool ward_graph_lacks(const struct ward_graph *graph, uint32_t function)
{
	return graph->absent && graph->absent[function];
}

/* The vectors of one function that landed elsewhere: *ret_count of them. */
const struct ward_landed *ward_graph_landed(const struct ward_graph *graph, uint32_t function,
					    uint32_t *ret_count);

/* Adds an edge; out of memory is remembered and reported by ward_graph_create. */
void ward_graph_add(struct ward_graph *graph, uint32_t from, uint32_t to, enum ward_why why,
		    uint32_t via, enum ward_certainty certainty);

/* The edges of DMA and control, and those of interrupts. */
void ward_graph_add_dma(struct ward_graph *graph);
/* Of those: what a function's own requests meet; the functions of its device; buses and bridges. */
void ward_graph_add_requests(struct ward_graph *g, uint32_t function);
void ward_graph_add_device(struct ward_graph *g, uint32_t function);
void ward_graph_add_buses(struct ward_graph *graph);
/* Peers that a request which says it is translated gets to at a function or port. */
void ward_graph_add_direct(struct ward_graph *g, uint32_t from, uint32_t function,
			   enum ward_why why, enum ward_certainty certainty);
/* After the spaces were taken. */
int ward_graph_make_pools(struct ward_graph *graph, const struct ward_state *state);
int ward_graph_make_devid_pools(struct ward_graph *graph);
/* Its number, or WARD_NONE without memory. */
uint32_t ward_graph_add_pool(struct ward_graph *g, struct ward_pool pool);
bool ward_graph_may_use_msi(const struct ward_graph *g, const struct ward_state *state,
			    uint32_t function);
/* Notes who has vectors elsewhere; after the pools of controllers. 0 or -ENOMEM. */
int ward_graph_take_landed(struct ward_graph *graph, const struct ward_state *state);
/* The edges of one function that has. */
void ward_graph_add_landed(struct ward_graph *graph, uint32_t function);
/* No write of its own gets as far as a doorbell: it is translated, and to nothing. */
bool ward_graph_is_shut_in(const struct ward_graph *graph, uint32_t function);
/* What is mapped for one, a doorbell say, is there for all that are in its space. */
void ward_graph_add_for_others(struct ward_graph *graph, uint32_t function, uint32_t to,
			       enum ward_certainty certainty);
void ward_graph_add_devids(struct ward_graph *graph, const struct ward_state *state);
void ward_graph_add_msi(struct ward_graph *graph, const struct ward_state *state);

/* Copies the attachments of a state, and finds out which ones share a space. 0 or -ENOMEM. */
int ward_graph_take_spaces(struct ward_graph *graph, const struct ward_state *state);
/* The edges into spaces, and to what is mapped there. */
void ward_graph_add_spaces(struct ward_graph *graph);

/*
 * What a space lets through is what the one below its stage 1 maps, as who is in a nested space
 * writes the stage 1. Returns that one, and describes it.
 */
const struct ward_space *ward_space_bound(const struct ward_space *space,
					  struct ward_space_info *ret_info);

/*
 * The space that its requests without PASID are in, where doorbells are mapped for it (index of the first
 * attachment that leads there), or WARD_NONE.
 */
uint32_t ward_graph_own_space(const struct ward_graph *graph, uint32_t function);
/* The state says that its requests without PASID all fault; and that all of its requests do. */
bool ward_graph_is_blocked(const struct ward_graph *graph, uint32_t function);
bool ward_graph_is_walled(const struct ward_graph *graph, uint32_t function);
/*
 * The state does not say which space it is in, and the kernel has it in one where every address means
 * itself. A hand-over replaces that for the functions handed over and for their kernel groups only.
 * No also where nothing translates it: that is told as such.
 */
enum ward_tri ward_graph_is_passed(const struct ward_graph *graph, uint32_t function);

/* ATS is off, and Linux will switch it on when it attaches the function. */
bool ward_ats_may_come(const struct ward_machine *machine, const struct ward_function *f);

/* The kernel was told to let every function use every remapping entry. */
bool ward_checks_no_source(const struct ward_machine *machine);

int ward_graph_create(const struct ward_machine *machine, const struct ward_state *state,
		      struct ward_graph *ret_graph);
void ward_graph_finish(struct ward_graph *graph);

#endif

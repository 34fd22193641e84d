/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#ifndef ISOLATE_REACH_H
#define ISOLATE_REACH_H

#include "isolate/graph.h"

/* Tells where reach need not go on: at a function that is a breach by itself. */
typedef bool ward_reach_stop(const void *context, uint32_t function);

/* Tells who is frozen and does nothing. Its StreamID joins others that have it, too, all the same. */
typedef bool ward_reach_frozen(const void *context, uint32_t function);

/* One node reached, and the last step of the best path to it. */
struct ward_visit {
	uint32_t node;
	uint32_t before; /* index into visits, WARD_NONE at a start */
	uint32_t edge;	 /* index into the graph's edges, WARD_NONE at a start */
	uint32_t order;	 /* in which it was settled */
	uint8_t certainty;
};

struct ward_reach {
	const struct ward_graph *graph;
	struct ward_visit *visits;
	uint32_t visits_count;
	size_t visits_capacity;
	uint32_t *slots; /* hash table: index into visits + 1 */
	size_t slots_count;
	uint32_t settled;
	ward_reach_stop *stop;
	ward_reach_frozen *frozen;
	const void *context;
	const struct ward_visit **things;
	uint32_t things_count;
};

/* As ward_reach_compute, on a graph; stop and frozen may be NULL. */
int ward_reach_past(const struct ward_graph *graph, const uint32_t *functions, uint32_t count,
		    ward_reach_stop *stop, ward_reach_frozen *frozen, const void *context,
		    struct ward_reach **ret_reach);
/* ... when nobody is frozen. */
int ward_reach_from(const struct ward_graph *graph, const uint32_t *functions, uint32_t count,
		    ward_reach_stop *stop, const void *context, struct ward_reach **ret_reach);

/* How a node was reached, or NULL. */
const struct ward_visit *ward_reach_visit(const struct ward_reach *reach, uint32_t node);

/* Room for the sentence of an edge. */
#define WARD_WHY_TEXT 160

/* The sentence of an edge: "switch port 0000:02:00.0 routes peer requests itself ...". */
void ward_why_text(const struct ward_graph *graph, const struct ward_edge *edge, char *text,
		   size_t size);

#endif

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Reach the other way round: who gets at some functions, or raises their interrupts. It costs what
 * leads to them, not what the machine has.
 */
#ifndef ISOLATE_BACK_H
#define ISOLATE_BACK_H

#include "isolate/isolation.h"

/* Nodes from which a way leads to some functions or to their vectors. */
struct ward_back {
	const struct ward_graph *graph;
	uint32_t *nodes; /* in the order of finding, the functions and vectors themselves first */
	size_t nodes_count, nodes_capacity;
	uint32_t *slots; /* hash table: index into nodes + 1 */
	size_t slots_count;
};

/*
 * Walks back from functions and their vectors, along edges however sure they are. No way leads
 * through a function that the state says is frozen, but that its StreamID joins others. Returns 0 or -ENOMEM; finish it either way.
 */
int ward_back_walk(struct ward_back *back, const struct ward_isolation *isolation,
		   const struct ward_state *state, const uint32_t *functions, uint32_t count);
void ward_back_finish(struct ward_back *back);
/* A way leads from this node. */
bool ward_back_has(const struct ward_back *back, uint32_t node);

/*
 * The functions, sorted, that reach any of some functions or their vectors for sure or perhaps; those
 * themselves only if one of them is reached by another or reaches itself. Frozen ones are left out.
 * ret_functions is allocated, free() it. Returns 0, -EINVAL no such function, -ENOMEM.
 */
int ward_reaching(const struct ward_isolation *isolation, const struct ward_state *state,
		  const uint32_t *functions, uint32_t count, uint32_t **ret_functions,
		  uint32_t *ret_count);

#endif

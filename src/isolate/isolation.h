/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
#ifndef ISOLATE_ISOLATION_H
#define ISOLATE_ISOLATION_H

#include "isolate/graph.h"

/* A function at an interrupt line of the host. */
struct ward_line {
	uint32_t irq, function;
};

struct ward_isolation {
	const struct ward_machine *machine;
	struct ward_graph graph;
	struct ward_membership *groups;
	/* By function: the first function of its partition. */
	uint32_t *partition;
	/* By predicted group: the kernel's group that its members are in, or WARD_NONE. */
	uint32_t *kernel_group;
	/* By function: the next one of the same kernel group, in a ring. */
	uint32_t *group_next;
	/* By function: the next one of the same partition, in a ring. */
	uint32_t *partition_next;
	/*
	 * By function: index of a region that firmware needs (at boot only) of the function itself
	 * or of the next one of its group that has one, or WARD_NONE.
	 */
	uint32_t *direct, *relaxable;
	/*
	 * By function that the kernel has in no group: one that it has in a group and that uses a
	 * StreamID of the same SMMUv3, or WARD_NONE.
	 */
	uint32_t *stream_user;
	/* By function: how many VFs of it are there. */
	uint32_t *vfs;
	/* By line and function, of the state as it was. */
	struct ward_line *lines;
	uint32_t lines_count;
};

/*
 * The functions at an interrupt line, in ascending order; NULL when the one that is asked for was not
 * at it when the isolation was made.
 */
const struct ward_line *ward_isolation_line(const struct ward_isolation *isolation, uint32_t irq,
					    uint32_t function, uint32_t *ret_count);

/*
 * Partitions from the graph, the groups and the reset scopes. ret_partition has one entry per
 * function. Returns 0 or -ENOMEM.
 */
int ward_partitions_make(const struct ward_isolation *isolation, uint32_t *ret_partition);

/*
 * The group number that the kernel uses or would use: its own where known; where it has made none
 * yet, that of the functions it is predicted to join; else the prediction. Numbers of the two kinds
 * never meet. UINT64_MAX without a group, and for who is absent.
 */
uint64_t ward_group_key(const struct ward_isolation *isolation, uint32_t function);

/*
 * Labels by function: where there is none (WARD_NONE), that of the next one of the group that has
 * one is put. Nobody has to walk the ring of a large group for each of its members after that.
 */
void ward_spread_in_groups(const struct ward_isolation *isolation, uint32_t *labels);

/* Fills in stream_user. Returns 0 or -ENOMEM. */
int ward_streams_note(struct ward_isolation *isolation);

/* The functions that a reset of this one hits: a run of indexes, or count 0 when it hits no other. */
void ward_reset_scope(const struct ward_machine *machine, uint32_t function, uint32_t *ret_first,
		      uint32_t *ret_count);

#endif

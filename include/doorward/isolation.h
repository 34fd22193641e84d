/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * What a machine isolates: groups, reach and partitions, worked out once for a machine and a
 * state. verdict.h judges with it.
 *
 * Threads: an isolation never changes after it was made; any number of threads may read it.
 */
#ifndef DOORWARD_ISOLATION_H
#define DOORWARD_ISOLATION_H

#include <doorward/machine.h>
#include <doorward/state.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/** Which rule predicts groups. */
enum ward_group_rule {
	/** Linux up to and including 7.2: path and siblings of each device as it is probed. */
	WARD_GROUP_RULE_LINUX,
	/** The bus model proposed in 2025 ("Fix incorrect iommu_groups with PCIe ACS", v3). */
	WARD_GROUP_RULE_LINUX_BUS,
};

/** Why a function is in the group it is in. */
enum ward_group_cause {
	WARD_CAUSE_OWN,		  /**< it opened the group */
	WARD_CAUSE_ALIAS,	  /**< it shares a requester id with via */
	WARD_CAUSE_NO_ACS_ABOVE,  /**< via, a bridge above it, does not isolate */
	WARD_CAUSE_MULTIFUNCTION, /**< via, a function of its slot, and it lack ACS */
	WARD_CAUSE_BUS,		  /**< its bus does not isolate its members (bus model) */
	WARD_CAUSE_NO_IOMMU,	  /**< no group: nothing translates it */
	WARD_CAUSE_ABSENT,	  /**< no group: it is not there */
	WARD_CAUSE_ENDPOINT,	  /**< firmware made one partitionable endpoint of it and via */
};

/** A predicted group membership, at the function's index. */
struct ward_membership {
	uint32_t group; /**< number of the group, counted from 0; WARD_NONE without IOMMU */
	enum ward_group_cause cause;
	uint32_t via; /**< index of the function that cause names, or WARD_NONE */
};

/**
 * Predicts the kernel's groups.
 * @param machine a machine
 * @param rule by which rule
 * @param ret_members one per function, allocated; the caller frees it with free()
 * @param ret_count number of groups; may be NULL
 * @return 0 or -ENOMEM
 */
int ward_groups_predict(const struct ward_machine *machine, enum ward_group_rule rule,
			struct ward_membership **ret_members, uint32_t *ret_count);

/** What a node of reach is. */
enum ward_node_kind {
	WARD_NODE_FUNCTION,  /**< index: function; its registers can be written, it is controlled */
	WARD_NODE_SLOT,	     /**< index: function 0 of the slot; any function of the device */
	WARD_NODE_BUS_DOWN,  /**< index: bus; any function on the bus or below */
	WARD_NODE_BUS_UP,    /**< index: bus; a request leaves the bus towards the root */
	WARD_NODE_REQUESTER, /**< index: a function; whoever is seen with that requester id */
	WARD_NODE_DOORBELL,  /**< index: pool of controllers that share a page or a choice */
	WARD_NODE_VECTOR_USER,	 /**< index: function whose interrupts can be raised */
	WARD_NODE_IOMMU_VECTORS, /**< index: IOMMU whose own interrupts can be raised */
	WARD_NODE_HOST_VECTORS,	 /**< every interrupt of the host can be raised */
	/** index: attachment of the state, the first one of its space; what is mapped there */
	WARD_NODE_SPACE,
	WARD_NODE_MEMORY, /**< all memory, and with it everything */
};

/** One step of a path: from the node before, through something, to this node. */
struct ward_step {
	enum ward_node_kind kind;
	uint32_t index;
	/** How this node was reached, for a person: "no ACS request redirect at 0000:00:1c.0". */
	const char *through;
	/** It may not be possible on this hardware; nothing says that it is not. */
	bool assumed;
	/** The path behind it rests on an unknown fact. */
	bool unknown;
};

struct ward_isolation;

/**
 * Works a machine out: groups, edges of reach, partitions. Who is absent, where vectors landed, who is
 * kept off MSIs, interrupt lines and spaces are taken as the state has them now; whoever judges later
 * with another state of these makes another isolation. Owners, drivers and who is frozen may change.
 * @param machine a machine; borrowed, must outlive the isolation
 * @param state its state; read during the call only
 * @param ret_isolation the isolation; the caller destroys it
 * @return 0 or -ENOMEM
 */
int ward_isolation_create(const struct ward_machine *machine, const struct ward_state *state,
			  struct ward_isolation **ret_isolation);

/**
 * The predicted group memberships (rule WARD_GROUP_RULE_LINUX), one per function.
 * @param isolation an isolation
 * @return the memberships; they live as long as the isolation
 */
const struct ward_membership *ward_isolation_groups(const struct ward_isolation *isolation);

/**
 * The id of a function's group: segment and the requester id that its members share, or else that of
 * its first member, as an address. It is a number, not an identity: see ward_machine_path().
 * @param isolation an isolation
 * @param function index of a function
 * @param ret_id the id
 * @return 0; -EINVAL no such function, a platform device; -ENOENT it is in no group
 */
int ward_group_id(const struct ward_isolation *isolation, uint32_t function,
		  struct ward_address *ret_id);

/**
 * Who keeps a function out of every kernel group: Linux's SMMUv3 driver lets one function only use
 * a StreamID (arm_smmu_insert_master).
 * @param isolation an isolation
 * @param function index of a function
 * @return index of the function that uses its StreamID, or WARD_NONE
 */
uint32_t ward_stream_user(const struct ward_isolation *isolation, uint32_t function);

/**
 * The partition of a function: a number that it shares with all functions that must be given
 * away, or kept, together with it. It is the index of the partition's first function.
 * @param isolation an isolation
 * @param function index of a function
 * @return the partition
 */
uint32_t ward_partition_of(const struct ward_isolation *isolation, uint32_t function);

/** Something reached that matters by itself; buses, slots and ids on the way do not. */
struct ward_reached {
	enum ward_node_kind kind;
	uint32_t index;
	bool assumed; /**< some step of the path is */
	bool unknown; /**< some step of the path is */
};

struct ward_reach;

/**
 * Computes what some functions reach together when their drivers do their worst. Certain paths
 * are preferred over assumed ones, shorter ones over longer ones.
 * @param isolation an isolation; borrowed, must outlive the reach
 * @param functions indexes of the functions
 * @param count number of them
 * @param ret_reach the reach; the caller destroys it
 * @return 0, -EINVAL no such function, -ENOMEM
 */
int ward_reach_compute(const struct ward_isolation *isolation, const uint32_t *functions,
		       uint32_t count, struct ward_reach **ret_reach);

/**
 * Walks what is reached, nearest first.
 * @param reach a reach
 * @param cursor 0 to begin; moved on by the call
 * @param ret_reached the next one
 * @return true while there was one
 */
bool ward_reach_next(const struct ward_reach *reach, uint32_t *cursor,
		     struct ward_reached *ret_reached);

/** Where a walk over reached memory is. */
struct ward_reach_cursor {
	uint32_t step;
	ward_iova_t next;
};

/** Memory that is reached: physical addresses (targets of mappings), or all of it. */
struct ward_reached_memory {
	struct ward_range range; /**< everything: 0 to UINT64_MAX */
	uint32_t access;	 /**< WARD_READ and so on */
	/** Of the state: the first one of the space it is mapped in; WARD_NONE: no space. */
	uint32_t attachment;
	bool assumed; /**< some step of the path is */
	bool unknown; /**< some step of the path is */
};

/**
 * Walks the memory that is reached: what is mapped in the spaces that are reached, by space and
 * address, then whatever is not translated. Each space is told once, however many are in it; of a
 * nested one, what its stage 2 maps: who is in it writes the stage 1. Registers of functions and
 * doorbells are reached as nodes; where a mapping leads to them its range is told here, too.
 * @param reach a reach; the spaces of its state must not have changed since
 * @param cursor zeroed to begin; moved on by the call
 * @param ret_memory the next range
 * @return true while there was one
 */
bool ward_reach_memory_next(const struct ward_reach *reach, struct ward_reach_cursor *cursor,
			    struct ward_reached_memory *ret_memory);

/**
 * The path to something reached, from one of the functions the reach began with.
 * @param reach a reach
 * @param kind what kind of node
 * @param index which one
 * @param ret_steps the steps, the first one is where it begins; allocated, free() it
 * @return number of steps, -ENOENT it is not reached, -ENOMEM
 */
int ward_reach_path(const struct ward_reach *reach, enum ward_node_kind kind, uint32_t index,
		    struct ward_step **ret_steps);

/**
 * The controller behind a node of kind WARD_NODE_DOORBELL: the first one where several count as one.
 * @param isolation an isolation
 * @param doorbell index of the node
 * @return index into the machine's controllers
 */
uint32_t ward_doorbell_controller(const struct ward_isolation *isolation, uint32_t doorbell);

/**
 * Destroys a reach.
 * @param reach a reach, or NULL
 */
void ward_reach_destroy(struct ward_reach *reach);

/**
 * Destroys an isolation.
 * @param isolation an isolation, or NULL
 */
void ward_isolation_destroy(struct ward_isolation *isolation);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

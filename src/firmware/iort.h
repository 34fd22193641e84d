/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * IORT: SMMUs, ITSs and the ids by which requesters are known to them.
 * Source: Arm DEN 0049E.e (I/O Remapping Table); what Linux makes of it: drivers/acpi/arm64/iort.c.
 */
#ifndef FIRMWARE_IORT_H
#define FIRMWARE_IORT_H

#include "base/arena.h"
#include "firmware/acpi.h"

/* Mappings of one node, and of the table. */
#define WARD_IORT_MAPS_MAX 1024u
#define WARD_IORT_ALL_MAPS_MAX 16384u

enum ward_iort_type {
	WARD_IORT_ITS_GROUP = 0,
	WARD_IORT_NAMED_COMPONENT = 1,
	WARD_IORT_ROOT_COMPLEX = 2,
	WARD_IORT_SMMU = 3,
	WARD_IORT_SMMUV3 = 4,
	WARD_IORT_PMCG = 5,
	WARD_IORT_RMR = 6,
	WARD_IORT_IWB = 7,
};

/* A set of node types. */
#define WARD_IORT_MASK(type) (1u << (type))
#define WARD_IORT_IOMMUS (WARD_IORT_MASK(WARD_IORT_SMMU) | WARD_IORT_MASK(WARD_IORT_SMMUV3))
#define WARD_IORT_ITS WARD_IORT_MASK(WARD_IORT_ITS_GROUP)

struct ward_iort_map {
	uint32_t input_base;
	uint32_t id_count; /* as it stands in the table: ids minus one */
	uint32_t output_base;
	uint32_t output; /* index of a node */
	bool single;	 /* the input is ignored, the output is output_base */
};

struct ward_iort_its_group {
	uint32_t first_id, ids_count; /* in ids of the table */
};

struct ward_iort_named_component {
	const char *name; /* ACPI path */
};

struct ward_iort_root_complex {
	uint32_t segment;
	uint32_t ats; /* bit 0 ATS, 1 PRI, 2 PASID forwarding */
};

struct ward_iort_smmu {
	uint64_t base, span;
	uint32_t model;
};

struct ward_iort_smmuv3 {
	uint64_t base;
	uint32_t flags, model;
	uint32_t event_gsiv, pri_gsiv, gerr_gsiv, sync_gsiv;
	uint32_t id_index;
};

struct ward_iort_pmcg {
	uint64_t page0;
	uint32_t overflow_gsiv;
	uint32_t node; /* index of what it counts for, or WARD_NONE */
};

#define WARD_IORT_RMR_REMAP_PERMITTED 1u

struct ward_iort_rmr {
	uint32_t flags;
	uint32_t first_range, ranges_count; /* in ranges of the table */
};

struct ward_iort_node {
	uint8_t type; /* enum ward_iort_type or one this code does not know */
	uint8_t revision;
	uint32_t identifier;
	uint32_t offset;
	uint32_t first_map, maps_count; /* in maps of the table */
	union {
		struct ward_iort_its_group its_group;
		struct ward_iort_named_component named_component;
		struct ward_iort_root_complex root_complex;
		struct ward_iort_smmu smmu;
		struct ward_iort_smmuv3 smmuv3;
		struct ward_iort_pmcg pmcg;
		struct ward_iort_rmr rmr;
		uint64_t iwb_base;
	};
};

struct ward_iort {
	struct ward_iort_node *nodes;
	uint32_t nodes_count;
	struct ward_iort_map *maps;
	uint32_t maps_count;
	uint32_t *ids; /* ITS ids of the groups: those of MADT */
	uint32_t ids_count;
	struct ward_range *ranges;
	uint32_t ranges_count;
	struct ward_arena arena; /* names */
};

/*
 * Mappings lead from requesters to SMMUs to ITS groups, never back or sideways: anything else is
 * refused, so a walk ends. Returns 0, -EBADMSG with a sentence, -ENOMEM.
 */
int ward_iort_parse(const void *bytes, size_t size, struct ward_iort **ret_iort,
		    struct ward_error *ret_error);
void ward_iort_destroy(struct ward_iort *iort);

/*
 * Which mapping of an SMMUv3 or PMCG is for its own MSIs (number within the node), or WARD_NONE.
 * It does not map the ids that come through the node.
 */
uint32_t ward_iort_own_map(const struct ward_iort_node *node);

/*
 * Follows an id from a node until a node of one of the types in mask. Returns that node's index
 * and puts the id it sees into *ret_id; WARD_NONE when the mappings lead nowhere.
 * As in Linux: firmware that wrote the number of ids instead of that minus one is tolerated, so
 * the last id of a mapping goes to a later mapping that starts exactly there.
 */
uint32_t ward_iort_walk(const struct ward_iort *iort, uint32_t node, uint32_t id, uint32_t mask,
			uint32_t *ret_id);

/*
 * The same for a device that has one fixed id (named component): its index-th mapping, which must
 * be a single one, gives the first output.
 */
uint32_t ward_iort_walk_single(const struct ward_iort *iort, uint32_t node, uint32_t index,
			       uint32_t mask, uint32_t *ret_id);

/* Inputs first..last lead to node, where they arrive as output and following. */
struct ward_iort_span {
	uint32_t first, last;
	uint32_t node; /* index, or WARD_NONE */
	/* Every input arrives with the same id. */
	bool constant;
	uint32_t output;
};

/*
 * All requester ids (0 to 0xffff) of a root complex, in order and without gaps: what walk() says
 * for each, as few spans as possible. The caller frees *ret_spans.
 * Returns 0 or -ENOMEM.
 */
int ward_iort_spans(const struct ward_iort *iort, uint32_t node, uint32_t mask,
		    struct ward_iort_span **ret_spans, uint32_t *ret_count);

#endif

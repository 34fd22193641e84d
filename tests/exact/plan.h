/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A plan: a small machine, its spaces and its hostile functions, in plain words. Everything
 * else (the machine for the analysis, the machine in software, page tables) is made of it, so that
 * taking a part out of a plan takes it out of both sides.
 */
#ifndef TESTS_EXACT_PLAN_H
#define TESTS_EXACT_PLAN_H

#include <doorward/machine.h>
#include <doorward/space.h>

struct random;

#define PLAN_FUNCTIONS 24
#define PLAN_IOMMUS 2
#define PLAN_CONTROLLERS 6
#define PLAN_MAPS 10
#define PLAN_SPACES 8
#define PLAN_MAPPINGS 6
/* Blocks of memory: as large as a page of the host, one bit each in a uint64_t. */
#define PLAN_BLOCKS 24

#define PLAN_MEMORY 0x40000000u
#define PLAN_BARS 0x10000000u
#define PLAN_DOORBELLS 0x08020000u
/* Addresses that devices see and nothing physical has. */
#define PLAN_IOVAS 0x100000000u

/* What of a function's facts the analysis cannot read. */
#define PLAN_HIDE_EXTENDED 0x1u	  /* extended config space: ACS, ATS */
#define PLAN_HIDE_CONFIG 0x2u	  /* all but the header */
#define PLAN_HIDE_IOMMU 0x4u	  /* which IOMMU it is behind */
#define PLAN_HIDE_CONTROLLER 0x8u /* where its MSIs go */

struct plan_function {
	bool present;
	bool platform;
	uint32_t parent; /* plan index of the bridge above, or WARD_NONE */
	uint32_t pf;	 /* plan index of the PF, or WARD_NONE */
	uint32_t segment;
	uint8_t bus, devfn;
	bool conventional; /* sits on a conventional bus */
	enum ward_pcie_type type;
	uint8_t secondary, subordinate; /* bridges */
	uint8_t port;
	bool ari_forwarding;
	uint64_t bar; /* address of its page of registers, 0: none */
	struct ward_acs acs;
	uint8_t quirk; /* row of plan_quirks, 0: none */
	bool msi, msi_off;
	bool ats, ats_enabled;
	bool pasid;
	uint32_t iommu;	     /* or WARD_NONE */
	uint32_t controller; /* or WARD_NONE */
	uint32_t hide;
	bool hostile;
	bool frozen;	      /* after an error: it does nothing, and nothing is done through it */
	uint32_t space;	      /* or WARD_NONE: in one of the host's, where nothing is mapped */
	uint32_t pasid_space; /* of PASID 1, or WARD_NONE */
};

/* Devices with a quirk that matters here. */
struct plan_quirk {
	uint16_t vendor, device;
	uint32_t class_code;
	bool alias;		/* does DMA as function 1 of its slot */
	bool siblings, certain; /* its registers are those of the functions beside it */
};
extern const struct plan_quirk plan_quirks[];
/* Of these, endpoints have the first four; the fifth is a bridge. */
#define PLAN_QUIRKS 4u
#define PLAN_KEEPS_IDS 5u

struct plan_map {
	bool present;
	bool msi;
	uint32_t segment;
	uint16_t first, last, mask;
	uint32_t target; /* IOMMU or controller */
	uint32_t base;
};

struct plan_mapping {
	bool present;
	uint64_t iova, target;
	uint32_t pages; /* of page_size */
	uint32_t access;
};

struct plan_space {
	enum ward_space_kind kind;
	uint32_t parent; /* nested: the stage 2 */
	struct plan_mapping mappings[PLAN_MAPPINGS];
};

struct plan {
	uint64_t seed;
	bool x86;
	uint64_t page_size;
	bool no_check; /* the kernel was told to leave source checks away (intremap=nosid) */
	bool tables;   /* the model backend carries it out: page tables in memory */
	bool direct;   /* no id maps: facts are told of each function */
	bool one_row; /* DeviceIDs of segments begin at the same number, as different ITSs let them */
	struct plan_function functions[PLAN_FUNCTIONS];
	uint32_t functions_count;
	struct {
		enum ward_iommu_kind kind;
		bool active;
		uint32_t controller;
	} iommus[PLAN_IOMMUS];
	uint32_t iommus_count;
	struct {
		enum ward_controller_kind kind;
		bool isolates;
		uint64_t doorbell, size;
		uint32_t pool;
	} controllers[PLAN_CONTROLLERS];
	uint32_t controllers_count;
	struct plan_map maps[PLAN_MAPS];
	uint32_t maps_count;
	struct plan_space spaces[PLAN_SPACES];
	uint32_t spaces_count;
	/* By function: the first one that hardware cannot tell from it. */
	uint32_t same[PLAN_FUNCTIONS];
};

/* Makes the plan of a seed. */
void plan_make(struct plan *plan, uint64_t seed);
void plan_make_hierarchy(struct plan *plan, struct random *r);
void plan_make_spaces(struct plan *plan, struct random *r);

/*
 * The ids that a function's requests may carry, its own first (at most PLAN_IDS): the bridges
 * above it, quirks. Returns how many.
 */
#define PLAN_IDS 8u
uint32_t plan_ids(const struct plan *plan, uint32_t function, uint16_t ret_ids[PLAN_IDS]);

/* The id that a bridge puts on what it forwards; false: it leaves ids alone. */
bool plan_bridge_id(const struct plan_function *bridge, uint16_t *ret_id);

/* Where an id map leads; false: nowhere. msi: the map of MSIs, else the one of IOMMUs. */
bool plan_map_id(const struct plan *plan, bool msi, uint32_t segment, uint16_t id,
		 uint32_t *ret_target, uint32_t *ret_output);
/* The DeviceID of a function's messages (facts: the last id of another bus). */
uint32_t plan_device_id(const struct plan *plan, uint32_t function);

/* Fills in same: who shares a requester id, or what it is mapped to, with whom. */
void plan_tell_apart(struct plan *plan);

/* Writes a plan for a person. */
void plan_print(const struct plan *plan);

/* Takes out a function, with all that is below it and its VFs. */
void plan_drop(struct plan *plan, uint32_t function);

static inline bool plan_is_bridge(const struct plan_function *f)
{
	return f->secondary != 0;
}

static inline uint16_t plan_rid(const struct plan_function *f)
{
	return (uint16_t)(f->bus << 8 | f->devfn);
}

static inline bool plan_translated(const struct plan *plan, const struct plan_function *f)
{
	return f->iommu != WARD_NONE && plan->iommus[f->iommu].active;
}

#endif

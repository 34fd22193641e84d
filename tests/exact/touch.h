/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What some functions touch, or are said to reach: one bit for each thing, by plan index. */
#ifndef TESTS_EXACT_TOUCH_H
#define TESTS_EXACT_TOUCH_H

#include "build.h"

struct touch {
	uint64_t read, write; /* blocks of memory */
	uint32_t functions;   /* controlled */
	uint32_t users;	      /* whose interrupts can be raised, the controlled ones left out */
	uint32_t controllers; /* that do not tell writers apart, and were rung */
	uint32_t iommus;      /* whose own interrupts can be raised */
	bool host;	      /* any interrupt of the host */
	bool everything;      /* all memory, and with it everything */
};

#define TOUCH_BLOCKS ((1ull << PLAN_BLOCKS) - 1)

/* How hardware behaves where it is free. */
enum temper {
	TEMPER_GOOD,
	TEMPER_WORST,
};

struct ward_isolation;
struct ward_reach;

/* The software machine of a build, with its hostile functions. */
struct hostile;
int hostile_create(struct build *build, struct hostile **ret_hostile);
void hostile_destroy(struct hostile *hostile);
/* Lets them do their worst until nothing new comes of it. */
int hostile_run(struct hostile *hostile, enum temper temper, struct touch *ret_touch);

/* What the analysis says: certain, or assumed as well, or unknown as well. */
enum claim {
	CLAIM_CERTAIN,
	CLAIM_ASSUMED,
	CLAIM_UNKNOWN,
	CLAIMS,
};
struct claims {
	struct ward_isolation *isolation;
	struct ward_reach *reach;
	struct touch claim[CLAIMS];
};
int claims_make(const struct build *build, struct claims *ret_claims);
void claims_free(struct claims *claims);

/* One thing that one side has and the other has not. */
struct difference {
	bool found;
	bool missed; /* touched and not claimed; else claimed and not touched */
	enum temper temper;
	const char *what;
	uint64_t bits;
};
/* What is allowed to be claimed and not touched. */
enum subset {
	SUBSET_NOTHING,
	SUBSET_INTERRUPTS,
	SUBSET_ALL,
};
void touch_compare(const struct touch *touched, const struct touch *claimed, enum subset subset,
		   struct difference *ret_difference);

/* Builds a plan, runs and compares; 0, or an error that is not a difference. */
int exact_check(const struct plan *plan, bool explain, struct difference *ret_difference);

/* Takes parts out of a plan as long as it differs. */
void plan_shrink(struct plan *plan);

#endif

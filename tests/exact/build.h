/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What is made of a plan: machines, a state, spaces, memory. */
#ifndef TESTS_EXACT_BUILD_H
#define TESTS_EXACT_BUILD_H

#include <doorward/attach.h>
#include <doorward/memory.h>
#include <doorward/state.h>

#include "plan.h"

struct build {
	const struct plan *plan;
	/* As it is, and as the analysis sees it: the same one unless something is hidden. */
	struct ward_machine *truth, *seen;
	struct ward_state *state;	/* of seen */
	uint32_t index[PLAN_FUNCTIONS]; /* in the machines, by plan index; WARD_NONE */
	uint32_t plan_of[PLAN_FUNCTIONS];
	struct ward_space *spaces[PLAN_SPACES];
	struct ward_space *bypass[PLAN_SPACES];	 /* nested ones, as their guest makes them */
	struct ward_space *host[PLAN_FUNCTIONS]; /* of functions that are in none of the plan's */
	bool hidden;
};

/* Makes it all; 0 or an error that is a fault of the plan, told on stderr. */
int build_make(struct build *build, const struct plan *plan);
void build_free(struct build *build);
/* The spaces and the state, which go before a backend does. */
void build_drop_spaces(struct build *build);

/* Creates a space that plan says, by whoever carries it out (NULL: nobody). */
typedef int build_space(void *context, const struct ward_space_options *options,
			struct ward_space **ret_space);
int build_spaces(struct build *build, build_space *create, void *context);

#endif

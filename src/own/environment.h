/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What an isolation depends on, besides the machine: which functions are absent, vectors at controllers
 * that are not their function's own, spaces, and who shares one. A container without a space that we
 * know has memory in it, and the doorbells of those in it, as kernels map them. An isolation costs the whole machine, so those that
 * were seen lately are kept, and copies of an ownership share them.
 */
#ifndef OWN_ENVIRONMENT_H
#define OWN_ENVIRONMENT_H

#include <doorward/isolation.h>

#include <stdatomic.h>

struct ward_ownership;

/* One fact of an environment. */
struct own_fact {
	uint64_t what, where, which;
};

struct ward_environment {
	atomic_uint references;
	struct own_fact *facts; /* sorted */
	size_t count;
	struct ward_isolation *isolation;
	uint32_t *companion; /* by function: the next one that is in the same space, in a ring */
	/* By fact: stands for the space of a container that nobody told us; or NULL. */
	struct ward_space **spaces;
};

/* At most so many are kept; of a large machine, a few. */
#define OWN_ENVIRONMENTS_MAX 64u
#define OWN_ENVIRONMENTS_LARGE 4u

struct ward_environments {
	struct ward_environment *kept[OWN_ENVIRONMENTS_MAX]; /* the latest first */
	uint32_t count;
};

/* companion.c: the rings. 0 or -ENOMEM. */
int own_companions_make(const struct ward_isolation *isolation, uint32_t **ret_next);

/* The one of the state as it is, a reference to it; 0 or -ENOMEM. */
int own_environment_find(struct ward_ownership *o, struct ward_environment **ret_environment);
struct ward_environment *own_environment_get(struct ward_environment *environment);
void own_environment_put(struct ward_environment *environment);
void own_environments_finish(struct ward_environments *environments);

/*
 * By which doorbell a function raises its interrupts: functions of one class raise them by one that they
 * both write anyway; of two, sharing a space lends each the other's.
 */
uint32_t own_doorbell_class(const struct ward_machine *machine, uint32_t function);

/* A vector at a controller that is not in the pool of the function's own. */
bool own_is_odd(const struct ward_machine *machine, uint32_t function, uint32_t controller);

#endif

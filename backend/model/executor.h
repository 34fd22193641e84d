/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The executor of plans from the inside.
 *
 *	executor.c		actions, one handler each
 *	executor_driver.c	a driver of the host: its space, its memory, its vectors
 *	executor_reset.c	a reset, and how it is seen to have worked
 *	executor_adopt.c	a state is made real
 */
#ifndef BACKEND_MODEL_EXECUTOR_H
#define BACKEND_MODEL_EXECUTOR_H

#include "state.h"

#include <doorward/backend/model_executor.h>

/* Vectors of a driver, at most. */
#define WARD_MODEL_DRIVER_VECTORS 32u

/* A space of the host's drivers: of several where an IOMMU cannot tell their functions apart. */
struct ward_model_host_space {
	struct ward_space *space;
	uint32_t users;
};

/* What somebody has. */
struct ward_model_hand {
	struct ward_owner owner;
	uint32_t container;	    /* a client's; WARD_NONE: blocked */
	struct ward_device *device; /* NULL: it is not open */
	/* It was blocked by force: whoever comes next finds it closed. */
	bool stale;
	/* A driver's. */
	struct ward_model_host_space *host;
	uint32_t index; /* of its vectors: MSI or MSI-X; WARD_NONE: it has none */
	uint32_t vectors;
	int eventfds[WARD_MODEL_DRIVER_VECTORS]; /* its first vectors of them are open */
};

struct ward_model_executor {
	struct ward_model_executor_options options;
	const struct ward_machine *machine;
	struct ward_backend *backend;
	struct ward_model *model;
	struct ward_model_hand *hands; /* by function */
	/* By function: the same number where IOMMUs cannot tell them apart, by way of others, too. */
	uint32_t *together;
	/* Says which drivers stand aside, and who is to have no messages. */
	struct ward_state *names;
};

/* executor.c */
int ward_model_execute(void *executor, const struct ward_plan_step *step, enum ward_action action,
		       struct ward_error *ret_error);
/* Opens the function of a hand that nobody has. */
int ward_model_hand_open(struct ward_model_executor *executor, uint32_t function,
			 struct ward_error *error);
/* Closes it: nobody's. */
void ward_model_hand_close(struct ward_model_executor *executor, uint32_t function);
/* Its vectors go, whoever set them up. */
void ward_model_hand_silence(struct ward_model_executor *executor, uint32_t function);

/* executor_driver.c: who is seen under a common id. 0 or -ENOMEM. */
int ward_model_find_together(struct ward_model_executor *executor);
/* Of an open function; it stays open on failure. */
int ward_model_driver_start(struct ward_model_executor *executor, uint32_t function);
/* After a reset it sets its function up anew. */
void ward_model_driver_recover(struct ward_model_executor *executor, uint32_t function);
/* It lets go of its vectors and of its space; cannot fail. */
void ward_model_driver_stop(struct ward_model_executor *executor, uint32_t function);

/* executor_reset.c: -EIO it did not come back as after power-on; -EOPNOTSUPP it cannot be reset. */
int ward_model_reset_verified(struct ward_model_executor *executor, uint32_t function);
/* What thawing a function resets, verified: its error domain, and the VFs of what is in it. */
int ward_model_reset_domain(struct ward_model_executor *executor, uint32_t function);

#endif

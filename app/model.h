/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A machine in software (backend/model.h) with those who have something of it: memory, the drivers of
 * the host, and clients, each a VM with RAM of its own, containers, and a guest.
 */
#ifndef APP_MODEL_H
#define APP_MODEL_H

#include "app/guest.h"

#include <doorward/backend/model_executor.h>

#define APP_MODEL_CONTAINERS 4u

/* A client, at its index in the ownership. */
struct app_client {
	/* Its guest has a stage 1 of its own, and its containers are nested spaces. */
	bool nested;
	void *ram;		  /* APP_GUEST_RAM_BYTES */
	struct ward_range memory; /* where the machine has it */
	struct app_guest *guest;  /* NULL before its first function was enabled */
	struct ward_space *space[APP_MODEL_CONTAINERS];
	/* Nested: the stage 2; else NULL. */
	struct ward_space *below[APP_MODEL_CONTAINERS];
};

struct app_model {
	const struct ward_machine *machine;
	struct ward_memory *memory;
	struct ward_backend *backend;
	struct ward_model_executor *executor;
	struct app_client *clients;
	uint32_t clients_count;
};

/*
 * Builds it; clients, so many, begin with nothing. freeze_on_fault: as the executor's. 0 or a negative
 * errno with a sentence. It may not be moved.
 */
int app_model_create(const struct ward_machine *machine, uint32_t clients, bool freeze_on_fault,
		     struct app_model **ret_model, struct ward_error *ret_error);
void app_model_destroy(struct app_model *model);

/*
 * What is in a container of a client: its RAM, at the guest's addresses. Made when it is asked for
 * first, for a function that will be in it: where nothing translates that, the identity. 0 or a
 * negative errno with a sentence.
 */
int app_model_space(struct app_model *model, uint32_t client, uint32_t container, uint32_t function,
		    struct ward_space **ret_space, struct ward_error *ret_error);

/* For ward_plan_run(): guests let go of their functions before they are taken from them. */
struct ward_executor app_model_executor(struct app_model *model);

/*
 * The guest of the client that has the function enables its first count vectors; it is started when
 * this is its first function. 0 or a negative errno with a sentence.
 */
int app_model_enable(struct app_model *model, uint32_t function, uint32_t client,
		     uint32_t container, uint32_t count, struct ward_error *ret_error);

#endif

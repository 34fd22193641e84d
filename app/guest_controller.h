/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The interrupt controller of app/guest.h, and what the guest's kernel does with it. */
#ifndef APP_GUEST_CONTROLLER_H
#define APP_GUEST_CONTROLLER_H

#include <doorward/backend/model.h>
#include <doorward/memory.h>
#include <doorward/wiring.h>

#define APP_GUEST_CPUS 2u

struct app_guest_controller {
	enum ward_vm_controller kind;
	struct ward_guest_doorbell doorbell;
};

/* Memory is filled with the guest's RAM. 0 or a negative errno. */
int app_guest_controller_create(const struct ward_machine *machine, uint32_t function,
				struct ward_memory *memory, struct ward_vm **ret_vm,
				struct app_guest_controller *ret_controller);

/* Vectors that the guest's kernel can give to one function. */
uint32_t app_guest_vectors(const struct app_guest_controller *controller);

/*
 * The guest sets its controller up, and the first count vectors of its function: no more
 * than there are. 0 or a negative errno.
 */
int app_guest_program(const struct app_guest_controller *controller, struct ward_vm *vm,
		      struct ward_memory *memory, struct ward_vectors *vectors, uint32_t index,
		      uint32_t count);

#endif

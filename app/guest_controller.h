/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The interrupt controller of app/guest.h, and what the guest's kernel does with it. */
#ifndef APP_GUEST_CONTROLLER_H
#define APP_GUEST_CONTROLLER_H

#include <doorward/backend/model.h>
#include <doorward/memory.h>
#include <doorward/wiring.h>

#define APP_GUEST_CPUS 2u
#define APP_GUEST_SLOTS 16u

/* Guest physical. What is below is the guest's to use for DMA. */
#define APP_GUEST_RAM UINT64_C(0x40000000)
#define APP_GUEST_RAM_BYTES UINT64_C(0x100000)
#define APP_GUEST_DATA APP_GUEST_RAM
#define APP_GUEST_DATA_BYTES UINT64_C(0x10000)
/* A stage 1 of the guest's own: a context descriptor, tables, and the doorbell's IOVA there. */
#define APP_GUEST_STAGE1 (APP_GUEST_RAM + UINT64_C(0xf0000))
#define APP_GUEST_DOORBELL_IOVA UINT64_C(0xeeee0000)

/* What was set up for a function in one slot of the guest: device slot + 1 of its bus 0. */
struct app_guest_room {
	bool used;
	uint32_t function, first, count; /* vectors first to first + count - 1 of the guest */
};

struct app_guest_controller {
	enum ward_vm_controller kind;
	bool programmed;
	uint32_t next;	/* vector of the guest that was not given out yet */
	uint64_t queue; /* offset of the next command */
	struct app_guest_room rooms[APP_GUEST_SLOTS];
};

/* Memory is filled with the guest's RAM. 0 or a negative errno. */
int app_guest_controller_create(const struct ward_machine *machine, uint32_t function,
				struct ward_memory *memory, struct ward_vm **ret_vm,
				struct app_guest_controller *ret_controller);

/* The guest's doorbell as the function in a slot has it. */
struct ward_guest_doorbell app_guest_doorbell(const struct app_guest_controller *controller,
					      uint32_t slot);

/* Guest physical address of the doorbell's register. */
uint64_t app_guest_register(const struct app_guest_controller *controller);

/* Vectors that the guest's kernel can give to its functions. */
uint32_t app_guest_vectors(const struct app_guest_controller *controller);

/* A function's place in the guest. */
struct app_guest_slot {
	uint32_t number, function;
	uint32_t index, count; /* WARD_IRQS_MSIX or WARD_IRQS_MSI, first count vectors */
	struct ward_vectors *vectors;
	bool translated; /* messages go through the guest's stage 1 */
};

bool app_guest_slot_is_of(const struct app_guest_controller *controller, uint32_t slot,
			  uint32_t function);

/*
 * The guest sets its controller up, where it has not yet, and the vectors of a function. 0 or a
 * negative errno: -ENOSPC it has no vectors left.
 */
int app_guest_program(struct app_guest_controller *controller, struct ward_vm *vm,
		      struct ward_memory *memory, const struct app_guest_slot *slot);

/* The guest's stage 1: leads from APP_GUEST_DOORBELL_IOVA to the doorbell, and to RAM as it is. */
int app_guest_write_stage1(struct ward_memory *memory, uint64_t doorbell);

#endif

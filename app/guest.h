/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A guest in a VM that was given functions of the software machine: it programs its interrupt
 * controller and the vectors of its functions as Linux would, and its CPUs take what arrives.
 */
#ifndef APP_GUEST_H
#define APP_GUEST_H

#include <doorward/trace.h>

#include "app/guest_controller.h"

#define APP_GUEST_FUNCTIONS 16u

/* A function that the guest's driver has, with its vectors on. */
struct app_guest_function {
	uint32_t function;	    /* index in the machine */
	struct ward_device *device; /* borrowed; NULL: the place is free */
	struct ward_vectors *vectors;
	struct ward_wiring *wiring;
	uint32_t index; /* WARD_IRQS_MSIX, or WARD_IRQS_MSI where it has no MSI-X */
	uint32_t count; /* vectors that are on */
};

struct app_guest {
	struct ward_memory *memory;
	struct ward_vm *vm;
	struct ward_routes *routes;
	struct app_guest_controller controller;
	struct app_guest_function functions[APP_GUEST_FUNCTIONS];
};

/*
 * Starts a guest. Its interrupt controller is of the kind that suits a function of the machine: GICv2
 * with a GICv2m frame, GICv3 with ITS, or x86. ram are APP_GUEST_RAM_BYTES, borrowed. 0 or a negative
 * errno with a sentence.
 */
int app_guest_create(const struct ward_machine *machine, uint32_t function, void *ram,
		     struct app_guest **ret_guest, struct ward_error *ret_error);
void app_guest_destroy(struct app_guest *guest);

/* What a guest is told of a function that it was given. */
struct app_guest_gift {
	const struct ward_machine *machine;
	uint32_t function;
	struct ward_device *device; /* opened, in its space; borrowed until disabled */
	/* Its space, where the guest has a stage 1 of its own, in which it maps its controller. */
	const struct ward_space *nested;
};

/*
 * The guest's driver takes the function, makes it master of its bus and enables its first count
 * vectors, or all where it has less. 0 or a negative errno with a sentence.
 */
int app_guest_enable(struct app_guest *guest, const struct app_guest_gift *gift, uint32_t count,
		     struct ward_error *ret_error);
/* Before the device goes. A function that is not enabled is no error. */
void app_guest_disable(struct app_guest *guest, uint32_t function);

/* The function, or NULL: it is not enabled. */
struct app_guest_function *app_guest_find(struct app_guest *guest, uint32_t function);

/* What a CPU of the guest took. */
struct app_guest_arrival {
	uint32_t number, cpu;
};

/*
 * The guest takes what has arrived. How many interrupts it took, the last of them in ret_arrival (may
 * be NULL); or a negative errno.
 */
int app_guest_take(struct app_guest *guest, struct app_guest_arrival *ret_arrival);

#endif

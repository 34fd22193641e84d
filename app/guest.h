/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A client of the software machine: a VM that was given one function, with a guest in it that
 * programs its interrupt controller and the function's vectors as Linux would. What interrupts of
 * that function come to can be tried and looked at.
 */
#ifndef APP_GUEST_H
#define APP_GUEST_H

#include <doorward/backend/model.h>
#include <doorward/trace.h>

struct app_guest {
	struct ward_memory *machine_memory, *memory;
	struct ward_backend *backend;
	struct ward_device *device;
	struct ward_space *space;
	struct ward_vm *vm;
	struct ward_vectors *vectors;
	struct ward_routes *routes;
	struct ward_wiring *wiring;
	uint32_t function, index, count;
};

/*
 * Builds all of it for one function, which has MSI-X or else MSI, with its first count vectors
 * enabled. The guest's interrupt controller is of the kind that the machine has: GICv2 with a GICv2m
 * frame, GICv3 with ITS, or x86. Borrows machine. 0 or a negative errno with a sentence.
 */
int app_guest_create(const struct ward_machine *machine, uint32_t function, uint32_t count,
		     struct app_guest *ret_guest, struct ward_error *ret_error);
void app_guest_finish(struct app_guest *guest);

/* What became of an interrupt that was raised: hops of its way, as they were gone. */
struct app_guest_arrival {
	uint64_t doorbell;    /* physical address that was written */
	uint32_t host_number; /* what that raised: INTID, or vector */
	uint32_t number, cpu; /* what which CPU of the guest took */
};

/*
 * The function raises a vector, and the guest takes what it has. How many interrupts it took, the last
 * of them in ret_arrival (may be NULL); or a negative errno.
 */
int app_guest_raise(struct app_guest *guest, uint32_t vector,
		    struct app_guest_arrival *ret_arrival);

#endif

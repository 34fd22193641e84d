/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Plans (plan.h) on the software machine: an executor that makes owners real, so that what a function
 * does when it is told to (model.h) meets what its owner has set up.
 *
 * - A driver of the host that is bound has its function open, in a space where a page of memory is
 *   mapped for it, is bus master, and has vectors with eventfds of its own, taken as the machine's
 *   kernel takes them (none where the state that was adopted has msi_off). Drivers that stand aside
 *   (vfio-pci and the like) do nothing.
 * - A client that was given a function has it open and blocked; it is put into the space that the
 *   step or the options name for the container. Its vectors are the client's to set up:
 *   ward_model_executor_device().
 * - A reset is verified: registers were written before, and have to read as after power-on.
 * - Error domains are those of the machine's partitionable endpoints.
 *
 * That functions come and go is no action: see ward_model_present().
 *
 * Where vectors landed (a GICv2m frame is a controller of the machine) is a fact for the ownership,
 * WARD_EVENT_VECTOR: after a plan in which a driver was bound, or that a reset or thaw was part of,
 * ask ward_model_executor_landed() about its functions.
 *
 * Threads: as for the backend.
 */
#ifndef DOORWARD_BACKEND_MODEL_EXECUTOR_H
#define DOORWARD_BACKEND_MODEL_EXECUTOR_H

#include <doorward/backend/model.h>
#include <doorward/plan.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct ward_model_executor;

/**
 * Bytes of memory that a driver of the host has; and where that of function i is in the driver's space:
 * at WARD_MODEL_DRIVER_IOVA + i * WARD_MODEL_DRIVER_BYTES.
 */
#define WARD_MODEL_DRIVER_BYTES 4096u
#define WARD_MODEL_DRIVER_IOVA UINT64_C(0x100000000)

/** How. Set size to sizeof(struct ward_model_executor_options). */
struct ward_model_executor_options {
	size_t size;
	/**
	 * Memory of the host's drivers: that of function i is the i-th part of
	 * WARD_MODEL_DRIVER_BYTES. Page-aligned, and large enough for all functions.
	 */
	struct ward_range driver_memory;
	/** Vectors that a driver enables, when the function has so many; 0: 1. */
	uint32_t driver_vectors;
	/** A DMA that faults freezes the error domain (POWER's way). */
	bool freeze_on_fault;
	/**
	 * The space of a client's container, for steps that name none; borrowed, of the same backend.
	 * NULL: there is none, and the attach fails (-ENOENT). The function may be NULL.
	 */
	struct ward_space *(*space)(void *context, uint32_t client, uint32_t container);
	/**
	 * Asked before each action but WARD_ACTION_BLOCK: a negative errno makes it fail, with
	 * nothing done. NULL: none fails.
	 */
	int (*fail)(void *context, const struct ward_plan_step *step, enum ward_action action);
	void *context; /**< handed to both */
};

/**
 * Creates an executor. Nobody has anything.
 * @param machine the machine of the backend; borrowed
 * @param backend a model; borrowed, outlives the executor
 * @param options how
 * @param ret_executor the executor; the caller destroys it
 * @return 0; -EINVAL options, no model; -ENOMEM
 */
int ward_model_executor_create(const struct ward_machine *machine, struct ward_backend *backend,
			       const struct ward_model_executor_options *options,
			       struct ward_model_executor **ret_executor);

/**
 * Destroys an executor: everything it has open is closed.
 * @param executor an executor, or NULL
 */
void ward_model_executor_destroy(struct ward_model_executor *executor);

/**
 * For ward_plan_run().
 * @param executor an executor
 * @return what calls it; lives as long
 */
struct ward_executor ward_model_executor(struct ward_model_executor *executor);

/**
 * Makes a state real: functions that are absent are, drivers are bound, clients have what is theirs,
 * in their containers, what is frozen is. What somebody has already stays.
 * @param executor an executor
 * @param ownership of the same machine
 * @param ret_error a sentence on failure; may be NULL
 * @return 0, or what an action failed with: some may have been done
 */
int ward_model_executor_adopt(struct ward_model_executor *executor,
			      const struct ward_ownership *ownership, struct ward_error *ret_error);

/**
 * Who really has a function.
 * @param executor an executor
 * @param function index of a function
 * @param ret_container which container it is in, or WARD_NONE: blocked; may be NULL
 * @return nobody, the host (its driver has it), or a client
 */
struct ward_owner ward_model_executor_holder(const struct ward_model_executor *executor,
					     uint32_t function, uint32_t *ret_container);

/**
 * The device of a function that somebody has: to set up vectors for a client, to look at them.
 * @param executor an executor
 * @param function index of a function
 * @return the device, borrowed until the next action about the function; NULL: nobody has it
 */
struct ward_device *ward_model_executor_device(const struct ward_model_executor *executor,
					       uint32_t function);

/**
 * Where the vectors of a function are.
 * @param executor an executor
 * @param function index of a function
 * @param cursor 0 to begin; moved on by the call
 * @param ret_controller index of the controller of the next vector that is enabled
 * @return true while there was one
 */
bool ward_model_executor_landed(const struct ward_model_executor *executor, uint32_t function,
				uint32_t *cursor, uint32_t *ret_controller);

/**
 * How many interrupts a driver of the host has got from its vectors since it was last asked.
 * @param executor an executor
 * @param function index of the driver's function
 * @return how many; 0 also when no driver has it
 */
uint64_t ward_model_executor_rung(struct ward_model_executor *executor, uint32_t function);

/**
 * The physical memory of a function's driver.
 * @param executor an executor
 * @param function index of a function
 * @return the range; empty: no such function
 */
struct ward_range ward_model_executor_memory(const struct ward_model_executor *executor,
					     uint32_t function);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * The way of one interrupt, told hop by hop: host half and guest half, as far as it can be seen from
 * here. Where it stops, the last hop says why.
 *
 * Threads: as for the objects that are looked at.
 */
#ifndef DOORWARD_TRACE_H
#define DOORWARD_TRACE_H

#include <doorward/machine.h>
#include <doorward/state.h>
#include <doorward/wiring.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/** Hops, in their order. */
enum ward_hop {
	WARD_HOP_VECTOR,	 /**< the function's MSI or MSI-X vector */
	WARD_HOP_MESSAGE,	 /**< address and data that it writes */
	WARD_HOP_STAGE1,	 /**< one lookup in the guest's tables */
	WARD_HOP_STAGE2,	 /**< the host's translation */
	WARD_HOP_DOORBELL,	 /**< the register that is written */
	WARD_HOP_CONTROLLER,	 /**< the MSI controller behind it */
	WARD_HOP_HOST_INTERRUPT, /**< what it raises */
	WARD_HOP_EVENTFD,	 /**< what the host's handler does */
	WARD_HOP_IRQFD,		 /**< what the VM does with that */
	WARD_HOP_GSI,		 /**< the guest's interrupt line */
	WARD_HOP_ROUTE,		 /**< what that means */
	WARD_HOP_INTID,		 /**< number at the guest's controller; x86: vector */
	WARD_HOP_VCPU,		 /**< who is interrupted */
};

/** @param hop a hop @return its name, as in docs/flows.md: "host-interrupt" */
const char *ward_hop_name(enum ward_hop hop);

/** A number of a hop. */
struct ward_hop_field {
	const char *name; /**< "address", "data", "gsi" */
	uint64_t value;
	bool hex; /**< an address or a word of bits, not a count */
};

#define WARD_HOP_FIELDS 4u

struct ward_trace_hop {
	enum ward_hop hop;
	bool known; /**< false: it is there, and cannot be seen from here: text says why */
	bool stops; /**< the interrupt goes no further, or cannot be followed: the last hop */
	uint32_t fields_count;
	struct ward_hop_field fields[WARD_HOP_FIELDS];
	char text[256]; /**< for a person, without the hop's name */
};

/** What to follow. Set size to sizeof(struct ward_trace_options). All is borrowed. */
struct ward_trace_options {
	size_t size;
	const struct ward_state *state; /**< and its machine */
	uint32_t function;		/**< index */
	uint32_t index;			/**< WARD_IRQS_MSI or WARD_IRQS_MSIX */
	uint32_t vector;
	/** Opened: hops are what it really has. NULL: what the state tells of the host. */
	struct ward_device *device;
	/** The space it is in; NULL: nothing translates, or nobody knows. */
	const struct ward_space *space;
	/** The guest half; NULL: nobody knows it here. */
	const struct ward_wiring *wiring;
	const struct ward_routes *routes;
	struct ward_vm *vm;
};

/**
 * Follows one vector. Raises nothing.
 * @param options what
 * @param hop told of each hop, in order
 * @param context handed to hop
 * @return 0 it arrives: at a CPU of the guest, or at a driver of the host; 1 it stops on the
 * way, or cannot be followed further: the last hop says why; -EINVAL options, or the function
 * has no such vector (no hop was told); -EIO the device does not say
 */
int ward_trace_vector(const struct ward_trace_options *options,
		      void (*hop)(void *context, const struct ward_trace_hop *hop), void *context);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

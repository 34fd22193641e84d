/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Wiring: the interrupts of one function from the guest's registers to the guest's interrupt
 * controller. It reads what the guest wrote into its vectors and brings host vectors, eventfds, routes
 * and irqfds into line, in the one order in which nothing is lost and nothing arrives wrongly:
 *
 *	a vector is masked:	its irqfd is taken away, then routes are committed
 *	a vector is unmasked:	routes are committed, then its irqfd is assigned
 *
 * While it has no irqfd the eventfd keeps what arrives, and the assignment delivers it once. One device
 * costs one change of host vectors and one commit, however many vectors it has.
 *
 * Host vectors are enabled up to the last one that the guest has programmed. Where a host cannot add to
 * them (WARD_IRQ_INFO_NORESIZE; addresses by PREPARE), all go off for a moment, and each that was on
 * is raised once afterwards: an interrupt too many is harmless, one too few is not. So is each that
 * comes on with the host's own address first (OVERRIDE). For an address that the host refused when it
 * was prepared they go off again only when its vector was changed.
 *
 * A function of the host (device given) raises eventfds itself. An emulated one (device NULL) is raised
 * with ward_wiring_raise.
 *
 * Threads: one at a time; interrupts arrive on any.
 */
#ifndef DOORWARD_WIRING_H
#define DOORWARD_WIRING_H

#include <doorward/irq.h>
#include <doorward/resolve.h>
#include <doorward/routes.h>
#include <doorward/vector.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct ward_wiring;

/** A doorbell of the guest, and what a write there means. */
struct ward_guest_doorbell {
	/** Guest physical. x86: all of 0xfee00000 to 0xfeefffff. */
	struct ward_range registers;
	/** A GICv2m frame: the data is an INTID, first to last, routed by pin. Else: MSI routes. */
	uint32_t first_intid, last_intid; /**< both 0: no GICv2m frame */
	ward_devid_t devid;		  /**< the function's, with has_devid */
	bool has_devid;
};

/** How. Set size to sizeof(struct ward_wiring_options). All pointers are borrowed and outlive it. */
struct ward_wiring_options {
	size_t size;
	struct ward_device *device;   /**< NULL: emulated */
	struct ward_vectors *vectors; /**< the guest's; without send: messages go this way */
	struct ward_vm *vm;
	struct ward_routes *routes;
	/** What translates the guest's messages, as in resolve.h; NULL: nothing. */
	const struct ward_space *space;
	const struct ward_guest_doorbell *doorbells; /**< copied */
	uint32_t doorbells_count;		     /**< at most 64 */
	/**
	 * Host: messages of the device go to the address the guest chose, not to the software
	 * window (nested; ward_device_set_messages), this way. Else 0.
	 */
	bool guest_addresses;
	enum ward_message_way way;
};

/**
 * Creates a wiring in which nothing is wired.
 * @param options how
 * @param ret_wiring the wiring; the caller destroys it
 * @return 0; -EINVAL options that make no sense, among them doorbells by which the guest's controller
 * raises nothing (vm.h: takes_msis, needs_devid; INTIDs that it does not have); -ENOMEM
 */
int ward_wiring_create(const struct ward_wiring_options *options, struct ward_wiring **ret_wiring);

/**
 * Takes all apart: irqfds, host vectors, routes (committed) and GSIs; destroys it.
 * @param wiring a wiring, or NULL
 */
void ward_wiring_destroy(struct ward_wiring *wiring);

/**
 * Brings everything into line with the guest's registers, and their pending bits into line with what
 * waits: call it after changes (vector.h, changed), and before the guest reads pending bits. A vector
 * whose message rings nothing, or for which no GSI is left, is left unwired: ret_error says which and
 * why, and the rest is wired. So it is with vectors that the host does not enable.
 * @param wiring a wiring
 * @param ret_error a sentence; may be NULL
 * @return 0; 1 there are vectors whose messages ring nothing; an error of ward_device_set_irqs
 * (-ENOSPC: fewer vectors than needed, or no more file descriptors), ward_device_set_messages,
 * ward_routes_commit or ward_vm_irqfd: then what it did not get to stays unwired, and the call may be
 * made again
 */
int ward_wiring_sync(struct ward_wiring *wiring, struct ward_error *ret_error);

/**
 * An emulated function raises a vector: it goes the same way as those of the host.
 * @param wiring a wiring
 * @param vector which
 * @return 0; -EINVAL no such vector, or off; -EIO
 */
int ward_wiring_raise(struct ward_wiring *wiring, uint32_t vector);

/** What one vector is wired to. */
struct ward_wire {
	bool wired;	/**< its irqfd is assigned */
	bool routed;	/**< gsi has its message */
	int eventfd;	/**< or -1 */
	ward_gsi_t gsi; /**< meaningful when routed */
	/**
	 * What ward_doorbell_resolve answered for its message; -EINVAL: the doorbell's controller
	 * has no such data; -EFAULT also: the host does not get there; -ENOSPC: no GSI is left;
	 * other errors, and -ENOSPC, also: why its host vector is not on. Masked: 0.
	 */
	int resolved;
	uint32_t doorbell; /**< index of the doorbell it rings, or WARD_NONE */
	bool pending;	   /**< its eventfd holds an event */
};

/**
 * @param wiring a wiring
 * @param vector which
 * @param ret_wire what it is wired to
 * @return 0 or -EINVAL no such vector
 */
int ward_wiring_get(const struct ward_wiring *wiring, uint32_t vector, struct ward_wire *ret_wire);

/**
 * Holds table, registers, irqfds and host vectors against each other: every wired vector is enabled, not
 * masked, its GSI has its message in force; every other one is not wired; every host vector that is on
 * has its vector's eventfd and the address that it was given, and is of the kind that the guest has on;
 * no GSI of a message is used twice (a pin may be: the guest gave two vectors one INTID).
 * @param wiring a wiring, after ward_wiring_sync
 * @param ret_error the first contradiction; may be NULL
 * @return 0 or -EBADMSG
 */
int ward_wiring_verify(const struct ward_wiring *wiring, struct ward_error *ret_error);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

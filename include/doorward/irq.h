/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Interrupts of a device that was opened (backend.h), the host's half: host vectors and eventfds. The
 * contract is VFIO's (Linux include/uapi/linux/vfio.h, VFIO_DEVICE_SET_IRQS), errno for errno; where
 * backends differ is in docs/backends.md.
 *
 * Threads: as for the device.
 */
#ifndef DOORWARD_IRQ_H
#define DOORWARD_IRQ_H

#include <doorward/backend.h>
#include <doorward/message.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/** VFIO's numbers of interrupt kinds. */
enum ward_irq_index {
	WARD_IRQS_INTX,
	WARD_IRQS_MSI,
	WARD_IRQS_MSIX,
	WARD_IRQS_ERROR,   /**< the device reported an uncorrectable error (AER) */
	WARD_IRQS_REQUEST, /**< the host wants the device back */
	WARD_IRQS_COUNT,
};

#define WARD_IRQ_INFO_EVENTFD 0x1u    /**< eventfds can be given */
#define WARD_IRQ_INFO_MASKABLE 0x2u   /**< mask and unmask work */
#define WARD_IRQ_INFO_AUTOMASKED 0x4u /**< masked by the host each time it fires */
#define WARD_IRQ_INFO_NORESIZE 0x8u   /**< to have more vectors, disable first */

struct ward_irq_info {
	uint32_t flags; /**< WARD_IRQ_INFO_* */
	uint32_t count; /**< vectors; 0: it has no such interrupts */
};

#define WARD_IRQ_DATA_NONE 0x1u /**< no data: all of start..start+count-1 */
#define WARD_IRQ_DATA_BOOL 0x2u /**< a byte a vector: those that are not 0 */
#define WARD_IRQ_DATA_EVENTFD \
	0x4u /**< an int32_t a vector: an eventfd, borrowed; -1 takes it away */
#define WARD_IRQ_MASK 0x8u
#define WARD_IRQ_UNMASK 0x10u
#define WARD_IRQ_TRIGGER 0x20u

/** One change: exactly one DATA flag and one action. */
struct ward_irq_set {
	uint32_t flags;
	uint32_t index; /**< enum ward_irq_index */
	uint32_t start, count;
	const void *data; /**< by flags; NULL without */
	size_t data_size; /**< bytes */
};

/**
 * Describes interrupts of a device.
 * @param device a device
 * @param index enum ward_irq_index
 * @param ret_info what it has
 * @return 0; -EINVAL no such index; -EIO
 */
int ward_device_irq_info(struct ward_device *device, uint32_t index,
			 struct ward_irq_info *ret_info);

/**
 * Enables, changes, masks, raises (for tests) or disables interrupts. INTX, MSI and MSIX exclude one
 * another. TRIGGER with NONE and count 0 disables.
 * @param device a device
 * @param set what to do
 * @return 0; MSI, MSIX: a count, when fewer vectors than asked for can be had, and nothing was
 * done; -EINVAL; -ENOTTY action not possible there; -EBADF; -ENOSPC no vectors; -ERANGE; -ENODEV;
 * -EBUSY a second unmask eventfd; -ENOMEM; -EMFILE, -ENFILE the model keeps a copy of each eventfd;
 * -EIO
 */
int ward_device_set_irqs(struct ward_device *device, const struct ward_irq_set *set);

/** Who puts the address into the message. The result is the same; docs/interrupts.md has the costs. */
enum ward_message_way {
	/** Told before vectors are enabled; travels down to the controller that composes. */
	WARD_MESSAGE_PREPARE,
	/** The message is rewritten where the vector is written, when it is live already. */
	WARD_MESSAGE_OVERRIDE,
};

/**
 * Says at which address a device is to write the messages of some vectors, instead of the software
 * window's: what a guest behind a nested stage 1 chose. The data stays the host's. Every
 * address has to lead, through the space the device is in, to the doorbell of its own controller.
 * Dropped when the vectors are disabled, as those are whose first eventfds are refused; a move to
 * another space leaves them as they are.
 * @param device a device, attached
 * @param way PREPARE: before they are enabled; OVERRIDE: after
 * @param index WARD_IRQS_MSI or WARD_IRQS_MSIX
 * @param start first vector
 * @param count how many; PREPARE: 0 forgets all that was prepared
 * @param iovas count addresses of the doorbell register; MSI has one address: all the same
 * @param ret_error on failure, which vector, and the walk of its address step by step; may be NULL
 * @return 0; -EINVAL no such vectors, different addresses for MSI, PREPARE while they are enabled,
 * OVERRIDE of one that is not; -EFAULT an address leads nowhere, or to no doorbell of its
 * controller; -EOPNOTSUPP the backend does not have this way; -EIO; -ENOMEM. Nothing was changed
 */
int ward_device_set_messages(struct ward_device *device, enum ward_message_way way, uint32_t index,
			     uint32_t start, uint32_t count, const ward_iova_t *iovas,
			     struct ward_error *ret_error);

/** What is known of one vector of the host. */
struct ward_host_irq {
	bool allocated;	    /**< a host vector stands behind it */
	int eventfd;	    /**< the number given when it was set, or -1 */
	bool message_known; /**< message is what the hardware has */
	struct ward_message message;
	bool prepared;	     /**< its address came from ward_device_set_messages */
	uint32_t controller; /**< index in the machine, or WARD_NONE: not known */
	uint32_t number;     /**< INTID (Arm), or x86 vector; WARD_NONE: not known */
};

/**
 * Looks at one vector.
 * @param device a device
 * @param index enum ward_irq_index
 * @param vector which
 * @param ret_irq what is known
 * @return 0; -EINVAL no such vector; -EIO
 */
int ward_device_irq(struct ward_device *device, uint32_t index, uint32_t vector,
		    struct ward_host_irq *ret_irq);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * The MSI and MSI-X registers of one function as a state machine: capabilities, table, pending bits,
 * masks. A VM monitor shows one to its guest; the software machine has one for the hardware. What the
 * host programs and what the guest sees are two objects, and never mixed; wiring.h keeps them in step.
 *
 * A vector that is raised while masked is pending, once however often it was raised, and its message
 * goes out once when it is unmasked; nothing else is ever lost or sent twice. Disabling MSI drops
 * what is pending, as a reset does; disabling MSI-X keeps pending bits (they show in the PBA).
 *
 * Registers: PCI 3.0, 6.8.1 (MSI) and 6.8.2 (MSI-X); PCIe 5.0, 7.7.1 and 7.7.2.
 *
 * Threads: one at a time uses an object; send and changed are called on its thread.
 */
#ifndef DOORWARD_VECTOR_H
#define DOORWARD_VECTOR_H

#include <doorward/message.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct ward_vectors;

#define WARD_MSI_VECTORS_MAX 32u
#define WARD_MSIX_VECTORS_MAX 2048u

/** Which of the two is enabled. Both at a time is the driver's mistake: then MSI-X counts. */
enum ward_vector_mode {
	WARD_VECTORS_OFF,
	WARD_VECTORS_MSI,
	WARD_VECTORS_MSIX,
};

/** Capabilities. Set size to sizeof(struct ward_vectors_options). */
struct ward_vectors_options {
	size_t size;
	uint8_t msi_vectors;   /**< 0: no MSI; else 1, 2, 4, 8, 16 or 32 */
	bool msi_64;	       /**< addresses of 64 bits */
	bool msi_masks;	       /**< a mask bit for each vector */
	uint16_t msix_vectors; /**< 0: no MSI-X; at most 2048 */
	/** MSI-X: where table and PBA are, as the capability says: offset and BAR (bits 2:0). */
	uint32_t msix_table, msix_pba;
	/** A message goes out. It may not change the registers. May be NULL. */
	void (*send)(void *context, uint32_t vector, const struct ward_message *message);
	/**
	 * After a write that changed the mode (all vectors), or mask or message of vectors first to
	 * last of the mode that is on; before a message that the write set free goes out. May read
	 * the registers and set pending bits. May be NULL.
	 */
	void (*changed)(void *context, uint32_t first, uint32_t last);
	void *context; /**< handed to both */
};

/** One vector, as the registers say. */
struct ward_vector {
	bool enabled; /**< its mode is on, and (MSI) so many messages are granted */
	bool masked;  /**< by its own bit or (MSI-X) the function's */
	bool pending;
	struct ward_message message;
};

/**
 * Creates the registers, as after a reset.
 * @param options capabilities
 * @param ret_vectors the registers; the caller destroys them
 * @return 0; -EINVAL a count or a BAR that cannot be; -ENOMEM
 */
int ward_vectors_create(const struct ward_vectors_options *options,
			struct ward_vectors **ret_vectors);

/**
 * Destroys registers.
 * @param vectors registers, or NULL
 */
void ward_vectors_destroy(struct ward_vectors *vectors);

/**
 * As after a reset of the function: off, nothing pending, MSI-X entries masked. changed is called.
 * @param vectors registers
 */
void ward_vectors_reset(struct ward_vectors *vectors);

/** Where registers are. Offsets count from the first byte of each. */
enum ward_vector_registers {
	WARD_MSI_CAPABILITY,  /**< 10, 14, 20 or 24 bytes; its first two bytes read as 05 00 */
	WARD_MSIX_CAPABILITY, /**< 12 bytes; its first two bytes read as 11 00 */
	WARD_MSIX_TABLE,      /**< 16 bytes a vector; accesses of 4 or 8 bytes, aligned */
	WARD_MSIX_PBA,	      /**< 8 bytes for 64 vectors; writes are ignored */
};

/**
 * Reads registers, as a guest does. What is not there reads 0.
 * @param vectors registers
 * @param which of them
 * @param offset in bytes
 * @param ret_bytes receives them, little-endian
 * @param size 1, 2 or 4; table and PBA: 4 or 8
 * @return 0; -EINVAL size, alignment, beyond the end, or no such capability
 */
int ward_vectors_read(const struct ward_vectors *vectors, enum ward_vector_registers which,
		      uint32_t offset, void *ret_bytes, size_t size);

/**
 * Writes registers, as a guest does. Read-only bits are kept.
 * @param vectors registers
 * @param which of them
 * @param offset in bytes
 * @param bytes little-endian
 * @param size as for reading
 * @return 0 or -EINVAL as for reading
 */
int ward_vectors_write(struct ward_vectors *vectors, enum ward_vector_registers which,
		       uint32_t offset, const void *bytes, size_t size);

/**
 * @param vectors registers
 * @param ret_count how many vectors may be raised now; may be NULL
 * @return which mode is on
 */
enum ward_vector_mode ward_vectors_mode(const struct ward_vectors *vectors, uint32_t *ret_count);

/**
 * What the registers say of one vector of the mode that is on.
 * @param vectors registers
 * @param vector which
 * @param ret_vector what they say
 * @return 0 or -EINVAL no such vector, or the mode is off
 */
int ward_vectors_get(const struct ward_vectors *vectors, uint32_t vector,
		     struct ward_vector *ret_vector);

/**
 * Raises an interrupt.
 * @param vectors registers
 * @param vector which
 * @return 1 its message went out; 0 it is masked, and pending now; -EINVAL no such vector;
 * -EOPNOTSUPP no message can go out now (off): nothing is remembered
 */
int ward_vectors_raise(struct ward_vectors *vectors, uint32_t vector);

/**
 * Sets or takes away the pending bit, for those who hold the event elsewhere (an eventfd) and only
 * show it here. Sends nothing, even when the vector is not masked. While all is off, of MSI-X.
 * @param vectors registers
 * @param vector which
 * @param pending what the PBA or the MSI pending bits are to show
 * @return 0 or -EINVAL
 */
int ward_vectors_set_pending(struct ward_vectors *vectors, uint32_t vector, bool pending);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

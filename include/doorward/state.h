/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * The state of a machine: what changes while it runs. Drivers, owners, vectors.
 *
 * Threads: one at a time may change a state; while nobody does, any number may read it.
 */
#ifndef DOORWARD_STATE_H
#define DOORWARD_STATE_H

#include <doorward/machine.h>
#include <doorward/space.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum ward_owner_kind {
	WARD_OWNER_NOBODY,
	WARD_OWNER_HOST,
	WARD_OWNER_CLIENT,
};

/** Who has a function. client is an index into the state's clients when kind says so. */
struct ward_owner {
	enum ward_owner_kind kind;
	uint32_t client;
};

/** How a function raises interrupts now. */
enum ward_irq_mode {
	WARD_IRQ_UNKNOWN,
	WARD_IRQ_NONE,
	WARD_IRQ_INTX,
	WARD_IRQ_MSI,
	WARD_IRQ_MSIX,
};

/** State of one function, at the function's index. */
struct ward_function_state {
	const char *driver; /**< name of the driver bound, or NULL */
	/** The driver stands aside for a client: vfio-pci and its variants, pci-stub. */
	bool driver_yields;
	/** The driver does no DMA of its own for the kernel and is exempt from viability. */
	bool driver_exempt;
	const char *driver_override; /**< or NULL */
	struct ward_owner owner;
	enum ward_irq_mode irq_mode;
	/** MSIs are forbidden for it (msi_bus = 0, INTx only). */
	bool msi_off;
	/** INTx line number of the host (not an INTID), 0 when none. */
	uint32_t intx_irq;
	/** Known, but not there: its slot is empty, or its PF has its VFs off. */
	bool absent;
	/** Kept without a driver and blocked, as somebody has what it would disturb. */
	bool quarantined;
	/** Its error domain does no DMA and raises nothing: after an error, or to contain one. */
	bool frozen;
	/** Its client is to give it back: frozen, and nobody claims in its partition meanwhile. */
	bool revoking;
	/**
	 * Who had it and may have left something in it; nobody: it is clean. A client whose index is
	 * WARD_NONE: several had it, and it was not reset in between.
	 */
	struct ward_owner tainted_by;
};

/** One interrupt of the host that some function raises by message. */
struct ward_host_vector {
	uint32_t irq;	     /**< Linux interrupt number */
	uint32_t hwirq;	     /**< number at its controller; meaning depends on the chip */
	uint32_t function;   /**< index, or WARD_NONE when the tree does not tell */
	uint32_t controller; /**< index, or WARD_NONE */
	const char *chip;    /**< "IR-PCI-MSI", "ITS-MSI" */
};

/** A function, or one PASID of it, that is in a space we know. */
struct ward_attachment {
	uint32_t function;	  /**< index */
	ward_pasid_t pasid;	  /**< or WARD_PASID_NONE */
	struct ward_space *space; /**< borrowed; its mappings are read, never changed */
};

/** The state. functions has one entry per function of the machine. */
struct ward_state {
	const struct ward_machine *machine;
	struct ward_function_state *functions;
	struct ward_host_vector *vectors;
	uint32_t vectors_count;
	/**
	 * Sorted by function, then PASID. A function that is not here is in whatever space the
	 * kernel gave it, whose mappings are not known.
	 */
	struct ward_attachment *attachments;
	uint32_t attachments_count;
	const char **clients; /**< names */
	uint32_t clients_count;
};

/**
 * Creates a state in which nothing is bound and nobody owns anything.
 * @param machine a machine; borrowed, must outlive the state
 * @param ret_state the state; the caller destroys it
 * @return 0 or -ENOMEM
 */
int ward_state_create(const struct ward_machine *machine, struct ward_state **ret_state);

/**
 * Copies a state, for another machine with the same functions.
 * @param state a state
 * @param machine the machine the copy belongs to
 * @param ret_state the copy; the caller destroys it
 * @return 0 or -ENOMEM
 */
int ward_state_copy(const struct ward_state *state, const struct ward_machine *machine,
		    struct ward_state **ret_state);

/**
 * Binds a driver, or unbinds with NULL, and sets the owner that follows: host for a kernel driver,
 * nobody for none or one that stands aside (a client stays; so does the host where it has a
 * function without a driver). A driver that goes takes its vectors along: irq_mode follows.
 * @param state a state
 * @param function index of the function
 * @param driver name of the driver, or NULL
 * @return 0, -EINVAL no such function, -ENOMEM
 */
int ward_state_bind(struct ward_state *state, uint32_t function, const char *driver);

/**
 * Finds a client by name, and makes it known when it is not yet.
 * @param state a state
 * @param name the client's name
 * @param ret_client its index
 * @return 0, -EINVAL an empty name, -ENOMEM
 */
int ward_state_client(struct ward_state *state, const char *name, uint32_t *ret_client);

/**
 * Adds an interrupt of the host.
 * @param state a state
 * @param vector the interrupt; strings are copied
 * @return 0, -EINVAL an index out of range, -ENOMEM
 */
int ward_state_add_vector(struct ward_state *state, const struct ward_host_vector *vector);

/**
 * Says which space a function is in. Kinds count as they are: blocked, identity, or what is mapped.
 * @param state a state
 * @param function index of the function
 * @param pasid WARD_PASID_NONE, or the PASID whose requests are meant
 * @param space the space, borrowed, outlives the state; NULL: not known any more
 * @return 0, -EINVAL no such function, a PASID beyond 20 bits or of a platform device, -ENOMEM
 */
int ward_state_attach(struct ward_state *state, uint32_t function, ward_pasid_t pasid,
		      struct ward_space *space);

/**
 * Destroys a state.
 * @param state a state, or NULL
 */
void ward_state_destroy(struct ward_state *state);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * The software machine from the inside: devices that do as they are told, and errors.
 *
 * It has SMMUv3 and VT-d; an IOMMU that the kernel does not use (active is WARD_NO) translates
 * nothing. Every stream that a function of the machine can be seen with is blocked until its device
 * is attached. A function that no IOMMU sees can only be attached to an identity space.
 *
 * Costs: creating one takes time and memory by the functions of the machine, a few microseconds for
 * a small one. Out of the range for tables go, for each SMMUv3, three pages (where it has more than
 * 64 streams one page for each 64 that have one in use, and 8 bytes for every 64 there may be); for
 * each VT-d three pages and one for each bus, and one where it remaps interrupts; and for each space
 * that was attached to once its tables, four pages for the first mapping. 128 KiB are plenty for a few
 * functions and spaces. The first vector of an ITS takes 136 KiB for LPIs, three pages or more for
 * tables and queue, and two or more for each DeviceID.
 *
 * Interrupts: the machine has two CPUs, which take at once what becomes pending, and 8192 LPIs. GICv2m
 * frames and message pages of which it says no SPIs have 32 of their own. Without an address of a
 * message (irq.h) its doorbell is in the software window of the space, which is mapped for it. The
 * eventfd of WARD_IRQS_ERROR is written when the device freezes, whoever of its error domain was the
 * cause; that of WARD_IRQS_REQUEST by WARD_IRQ_TRIGGER alone.
 *
 * Threads: one at a time uses the machine.
 */
#ifndef DOORWARD_BACKEND_MODEL_H
#define DOORWARD_BACKEND_MODEL_H

#include <doorward/apic.h>
#include <doorward/gicv2m.h>
#include <doorward/irq.h>
#include <doorward/its.h>
#include <doorward/machine.h>
#include <doorward/vm.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/** What became of a write or read that a function was told to do. */
enum ward_dma_end {
	WARD_DMA_MEMORY,   /**< it reached memory */
	WARD_DMA_BAR,	   /**< it reached registers of function index */
	WARD_DMA_DOORBELL, /**< it reached controller index */
	WARD_DMA_FAULT,	   /**< an IOMMU refused it: see fault */
	WARD_DMA_BLOCKED,  /**< a bridge refused it (ACS violation) */
	WARD_DMA_NOWHERE,  /**< nobody answers at that address */
	WARD_DMA_FROZEN,   /**< its partition is frozen: dropped and counted */
};

struct ward_dma {
	ward_pasid_t pasid; /**< or WARD_PASID_NONE */
	ward_iova_t address;
	bool write;
	bool translated; /**< claims to be translated already (ATS) */
	/**
	 * A requester id to send under, or the function's own when forge is false. Ports validate it
	 * (ACS source validation); a function on a root bus has only its own and its aliases on
	 * that bus, anything else ends WARD_DMA_BLOCKED.
	 */
	bool forge;
	ward_rid_t rid;
	void *bytes; /**< what is written, or receives what is read; NULL: nothing is moved */
	size_t size; /**< 1 or more, at most to the end of a 4 KiB page */
};

struct ward_dma_result {
	enum ward_dma_end end;
	uint32_t index;		 /**< of the function or controller reached */
	uint64_t target;	 /**< physical address reached; BAR: offset in it */
	struct ward_fault fault; /**< WARD_DMA_FAULT: why */
	struct ward_interrupt
		interrupt; /**< WARD_DMA_DOORBELL, a write: what the controller made of it */
};

/**
 * Lets a function do a DMA. Routes are those of the PCIe base specification (6.12: access control),
 * by the BARs and windows of the machine: this backend does not move BARs.
 * @param backend a model
 * @param function index of the function
 * @param dma what it does
 * @param ret_result what came of it
 * @return 0, or -EINVAL no such function, size
 */
int ward_model_dma(struct ward_backend *backend, uint32_t function, const struct ward_dma *dma,
		   struct ward_dma_result *ret_result);

/**
 * Says whether a function is there; at first all are. One that is not answers nothing and sends
 * nothing: registers read all ones, DMA ends WARD_DMA_NOWHERE, interrupts do not go out; nobody opens
 * it (-ENOENT), but who has it open keeps the handle. What comes back is as after power-on. What is
 * behind a bridge, and VFs of a PF, are functions of their own and to be told of, too.
 * @param backend a model
 * @param function index of the function
 * @param present whether it is there
 * @return 0 or -EINVAL no such function, no model
 */
int ward_model_present(struct ward_backend *backend, uint32_t function, bool present);

/** What became of an interrupt that a function raised. */
struct ward_raise {
	/** Its message did not go out: it is pending, or, without bus mastering, lost. */
	bool masked;
	struct ward_dma_result dma; /**< the message as a DMA */
};

/**
 * Lets a function raise an interrupt as its hardware does: it writes what its own table says, as a
 * DMA under its own requester id. So it has to be bus master (command register, bit 2).
 * @param backend a model
 * @param function index of the function
 * @param index WARD_IRQS_MSI or WARD_IRQS_MSIX
 * @param vector which
 * @param ret_raise what came of it
 * @return 0; -EINVAL no such function or vector; -EOPNOTSUPP that mode is off
 */
int ward_model_raise(struct ward_backend *backend, uint32_t function, enum ward_irq_index index,
		     uint32_t vector, struct ward_raise *ret_raise);

/**
 * Sets the INTx line of a function.
 * @param backend a model
 * @param function index of the function
 * @param level of the line
 * @return 0 or -EINVAL no such function, no pin
 */
int ward_model_intx(struct ward_backend *backend, uint32_t function, bool level);

/**
 * Whose interrupt it is that a message raised: the answer to "whom did that disturb?".
 * @param backend a model
 * @param controller index of the controller that was reached
 * @param interrupt what came of a message
 * @param ret_function index of the function that has the host vector
 * @param ret_index enum ward_irq_index; may be NULL
 * @param ret_vector which of its vectors; may be NULL
 * @return 0; -ENOENT nobody has it, or nothing is pending
 */
int ward_model_whose(struct ward_backend *backend, uint32_t controller,
		     const struct ward_interrupt *interrupt, uint32_t *ret_function,
		     uint32_t *ret_index, uint32_t *ret_vector);

/**
 * Serves eventfds that devices are unmasked by (INTX, WARD_IRQ_UNMASK with an eventfd): takes what was
 * written to them. Never blocks.
 * @param backend a model
 * @return how many were served, or -EINVAL it is no model
 */
int ward_model_dispatch(struct ward_backend *backend);

/**
 * Says from which of several GICv2m frames the machine's kernel takes vectors from now on. At
 * first: WARD_GICV2M_FIRST_FIT, as Linux.
 * @param backend a model
 * @param policy which
 * @return 0; -EINVAL no such policy, or no model
 */
int ward_model_set_policy(struct ward_backend *backend, enum ward_gicv2m_policy policy);

/**
 * A guest's interrupt controller in software. Its irqfds are served by ward_vm_model_dispatch, from the
 * thread that calls it: it starts none of its own.
 * @param options how; GICv2, GICv3: CPUs as said
 * @param memory the guest's, for tables of the ITS and of LPIs; borrowed. NULL where there are none
 * @param readers who raises interrupts meanwhile; borrowed. NULL: nobody does
 * @param ret_vm the VM; the caller destroys it
 * @return 0; -EINVAL; -ENOMEM; -EMFILE
 */
int ward_vm_model(const struct ward_vm_options *options, struct ward_memory *memory,
		  struct ward_readers *readers, struct ward_vm **ret_vm);

/**
 * @param vm a model
 * @return a file descriptor that is readable when ward_vm_model_dispatch has something to do; -EINVAL
 * it is no model
 */
int ward_vm_model_fd(const struct ward_vm *vm);

/**
 * Serves eventfds that were written: takes what they counted, raises their GSIs. Never blocks.
 * @param vm a model
 * @param reader the thread's, or NULL where the VM has no readers
 * @return how many were served, or -EINVAL it is no model
 */
int ward_vm_model_dispatch(struct ward_vm *vm, struct ward_reader *reader);

/**
 * Raises a GSI by its routes, as an irqfd does. Without a lock.
 * @param vm a model
 * @param reader the thread's, entered; or NULL
 * @param gsi which
 * @param ret_interrupt what came of it; may be NULL
 * @return at how many CPUs or chips it arrived; 0 nowhere; -EINVAL no such GSI, or no model
 */
int ward_vm_model_raise(struct ward_vm *vm, struct ward_reader *reader, ward_gsi_t gsi,
			struct ward_interrupt *ret_interrupt);

/** What a model's controller is made of, to look at and to write its registers; borrowed. */
struct ward_vm_parts {
	struct ward_gic *gic;	  /**< NULL on x86 */
	struct ward_its *its;	  /**< NULL without */
	struct ward_apics *apics; /**< NULL on Arm */
};

/**
 * @param vm a model
 * @param ret_parts its parts
 * @return 0 or -EINVAL it is no model, or not started
 */
int ward_vm_model_parts(struct ward_vm *vm, struct ward_vm_parts *ret_parts);

/**
 * Sets who is told of mistakes of the VM's user that KVM would let pass: a table that changes the routes
 * of a GSI while an irqfd raises it (unwire, commit, wire: nothing then arrives by the wrong one). The
 * call does its work all the same.
 * @param vm a model
 * @param misused told, once for a call; NULL: nobody is
 * @param context handed to misused
 */
void ward_vm_model_police(struct ward_vm *vm, void (*misused)(void *context, const char *how),
			  void *context);

/**
 * A CPU ends an interrupt that it took: ward_gic_end of an SPI; on x86, the end that the local APIC tells
 * the IOAPIC of.
 * @param vm a model
 * @param cpu the CPU
 * @param number INTID, or vector
 * @return 0 or -EINVAL it was not taken (x86: nobody knows), or no model
 */
int ward_vm_model_end(struct ward_vm *vm, uint32_t cpu, uint32_t number);

/**
 * Programs a pin of the IOAPIC, as the guest does by its registers.
 * @param vm a model, WARD_VM_X86
 * @param pin 0 to 23
 * @param entry redirection entry (82093AA, 3.2.4); bits 12 and 14 are read-only. At first 0x10000: masked
 * @return 0 or -EINVAL no such pin, or no such model
 */
int ward_vm_model_set_pin(struct ward_vm *vm, uint32_t pin, uint64_t entry);

/** A pin of a PIC or of the IOAPIC. */
struct ward_vm_pin {
	bool high;	/**< somebody holds the line */
	bool requested; /**< PIC: it was raised since (IRR); IOAPIC: taken, and not ended (remote IRR) */
};

/**
 * @param vm a model, WARD_VM_X86
 * @param chip WARD_CHIP_*
 * @param pin of the chip
 * @param ret_pin its state
 * @return 0 or -EINVAL no such pin, or no such model
 */
int ward_vm_model_pin(const struct ward_vm *vm, uint32_t chip, uint32_t pin,
		      struct ward_vm_pin *ret_pin);

/** How devices and bridges behave where the specifications leave them free. */
struct ward_model_temper {
	/**
	 * Root ports and multifunction devices route peer requests themselves when ACS lets them;
	 * ports turn round what lies in their own window, and answer to their own registers.
	 */
	bool routes_peers;
	/** Functions with ATS on send requests that claim to be translated for any address. */
	bool forges_translated;
	/** Devices do not answer invalidations of their caches. */
	bool ignores_invalidations;
	/** A reset does nothing: registers stay as they are. */
	bool ignores_resets;
};

/**
 * Sets the temper; at first everything is well-behaved.
 * @param backend a model
 * @param temper how to behave
 */
void ward_model_set_temper(struct ward_backend *backend, const struct ward_model_temper *temper);

/**
 * Sets who is told of mistakes of the backend's user: of calls that the library never makes
 * (operations of a space called without its checks, for example), of a backend that is destroyed
 * while devices are open or spaces alive. The call refuses as always; a test may fail at once.
 * @param backend a model
 * @param misused told; NULL: nobody is
 * @param context handed to misused
 */
void ward_model_police(struct ward_backend *backend,
		       void (*misused)(void *context, const char *how), void *context);

/** Why a partition is frozen. */
enum ward_error_cause {
	WARD_ERROR_NONE,
	WARD_ERROR_INJECTED, /**< somebody asked for it */
	WARD_ERROR_DMA,	     /**< a DMA fault, where faults freeze (POWER's way) */
	WARD_ERROR_TIMEOUT,  /**< a device did not answer an invalidation */
};

/** State of a frozen partition. */
struct ward_error_state {
	enum ward_error_cause cause;
	uint32_t function;	   /**< who caused it, or WARD_NONE */
	uint64_t dropped_dma;	   /**< since it was frozen */
	uint64_t dropped_messages; /**< writes to doorbells among them */
	struct ward_fault fault;   /**< WARD_ERROR_DMA: the first one */
};

/**
 * Says which functions are isolated from errors of others together. At first each is alone.
 * @param backend a model
 * @param functions indexes
 * @param count how many
 * @param freeze_on_fault a DMA fault of one freezes them all
 * @return 0, -EINVAL, -EBUSY one of them is frozen
 */
int ward_model_error_domain(struct ward_backend *backend, const uint32_t *functions, uint32_t count,
			    bool freeze_on_fault);

/**
 * Freezes the error domain of a function: its DMA faults, its messages are dropped and counted, its
 * registers read all ones. Others are not disturbed.
 * @param backend a model
 * @param function index of a function
 * @return 0 or -EINVAL
 */
int ward_model_freeze(struct ward_backend *backend, uint32_t function);

/**
 * Reads the error of a function's domain.
 * @param backend a model
 * @param function index of a function
 * @param ret_error its state
 * @return 0, -EINVAL, -ENOENT it is not frozen
 */
int ward_model_error(struct ward_backend *backend, uint32_t function,
		     struct ward_error_state *ret_error);

/**
 * Thaws the error domain of a function, and resets its members.
 * @param backend a model
 * @param function index of a function
 * @return 0, -EINVAL, -ENOENT it is not frozen
 */
int ward_model_thaw(struct ward_backend *backend, uint32_t function);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

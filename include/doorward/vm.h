/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * The interrupt half of a guest: its interrupt controller, what its GSIs mean, irqfds. Carried out by
 * KVM, or by the software machine; the contract is KVM's (Linux virt/kvm/irqchip.c, eventfd.c,
 * Documentation/virt/kvm/api.rst), and docs/interrupts.md lists where architectures and kernels differ.
 *
 * Threads: one at a time changes a VM; any number may raise interrupts (irqfds, signal) meanwhile.
 */
#ifndef DOORWARD_VM_H
#define DOORWARD_VM_H

#include <doorward/error.h>
#include <doorward/message.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct ward_vm;

/** GSIs of a VM: 0 to 4095 (KVM_MAX_IRQ_ROUTES). */
#define WARD_GSIS 4096u

enum ward_vm_controller {
	WARD_VM_X86,	   /**< PIC, IOAPIC, local APICs */
	WARD_VM_X86_SPLIT, /**< local APICs; PIC and IOAPIC are the monitor's */
	WARD_VM_GICV2,	   /**< MSIs: by GICv2m frames of the monitor */
	WARD_VM_GICV3,	   /**< without ITS */
	WARD_VM_GICV3_ITS,
};

/**
 * How. Set size to sizeof(struct ward_vm_options). Addresses are guest physical; 0: defaults (of QEMU's
 * virt machine: 0x8000000, 0x8010000, 0x80a0000, 0x8080000).
 */
struct ward_vm_options {
	size_t size;
	enum ward_vm_controller controller;
	/** CPUs there will be (model: that there are). KVM has them from whoever made them. */
	uint32_t cpus;
	/** Arm: SGIs, PPIs and SPIs, 64 to 992, a multiple of 32; 0: 256. */
	uint32_t interrupts;
	/** Arm: where registers are. GICv2: distributor, CPU interface; GICv3: redistributors. */
	ward_gpa_t distributor, cpu_interface, redistributors, its;
	/** X86_SPLIT: pins of the monitor's IOAPIC, whose GSIs are kept for it: at most 24 x 8. */
	uint32_t reserved_pins;
};

/** What a GSI means (struct kvm_irq_routing_entry). */
enum ward_route_kind {
	WARD_ROUTE_PIN = 1, /**< a pin of the interrupt controller */
	WARD_ROUTE_MSI = 2,
};

/** A route of kind MSI says which device writes the message. */
#define WARD_ROUTE_DEVID 0x1u

/** Chips of x86. Arm has one, 0, whose pin n is SPI n (INTID 32 + n). */
#define WARD_CHIP_PIC_MASTER 0u
#define WARD_CHIP_PIC_SLAVE 1u
#define WARD_CHIP_IOAPIC 2u

/** A row of the routing table. */
struct ward_route {
	ward_gsi_t gsi;
	uint32_t kind;	    /**< enum ward_route_kind */
	uint32_t flags;	    /**< MSI: WARD_ROUTE_DEVID or 0; else 0 */
	uint32_t chip, pin; /**< PIN */
	ward_gpa_t address; /**< MSI: where the guest's doorbell is, guest physical */
	uint32_t data;	    /**< MSI */
	ward_devid_t devid; /**< MSI with WARD_ROUTE_DEVID */
};

/** Assigns or, with WARD_IRQFD_DEASSIGN, takes away. */
struct ward_irqfd {
	int eventfd; /**< borrowed; closing it takes the irqfd away */
	ward_gsi_t gsi;
	uint32_t flags; /**< WARD_IRQFD_* */
	int resamplefd; /**< RESAMPLE: written when the guest ends the interrupt; borrowed */
};

#define WARD_IRQFD_DEASSIGN 0x1u
#define WARD_IRQFD_RESAMPLE 0x2u

struct ward_vm_info {
	const char *name; /**< "model", "kvm" */
	enum ward_vm_controller controller;
	bool started;
	/** Routes there are without anybody setting any: pins, from GSI 0. */
	uint32_t default_gsis;
	uint32_t first_gsi; /**< GSIs below are not handed out: they have default routes, or are kept */
	uint32_t pins;	    /**< that a route can name at the chip with most: 24, 988 */
	bool needs_devid; /**< routes of kind MSI need WARD_ROUTE_DEVID to arrive */
	bool takes_msis; /**< routes of kind MSI arrive at all (not with GICv2, nor GICv3 without ITS) */
};

/**
 * Wraps a KVM VM: creates its interrupt controller. Before its CPUs are created.
 * @param vmfd of KVM_CREATE_VM; borrowed, outlives the VM
 * @param options how
 * @param ret_vm the VM; the caller destroys it
 * @param ret_error a sentence on failure; may be NULL
 * @return 0; -EINVAL options, another architecture's controller; -ENODEV, -EOPNOTSUPP this KVM does
 * not have it; -EEXIST there is one already; -EBUSY; -ENOMEM; -EIO
 */
int ward_vm_kvm(int vmfd, const struct ward_vm_options *options, struct ward_vm **ret_vm,
		struct ward_error *ret_error);

/**
 * Finishes the interrupt controller: sizes and addresses count from now on. After the CPUs were created.
 * Before this, on Arm, there are no default routes and irqfds are -EAGAIN. Twice is 0.
 * @param vm a VM
 * @return 0; -ENODEV no CPUs; -EBUSY; -ENOMEM; -EIO
 */
int ward_vm_start(struct ward_vm *vm);

/**
 * Destroys a VM's wrapper, or a model. irqfds go.
 * @param vm a VM, or NULL
 */
void ward_vm_destroy(struct ward_vm *vm);

/**
 * @param vm a VM
 * @param ret_info what it is
 */
void ward_vm_info(const struct ward_vm *vm, struct ward_vm_info *ret_info);

/**
 * Replaces the whole routing table. When it returns, no interrupt is delivered by the old one. Slow
 * on KVM, and by the size of the table: routes.h collects edits.
 * @param vm a VM
 * @param routes the table; at most one route for a GSI, or (x86) one for each chip
 * @param count 0 to WARD_GSIS
 * @return 0; -EINVAL: too many, a GSI of 4096 or more, two routes for one GSI, unknown kind, flags,
 * a chip or pin there is not, (x86) reserved address bits; -ENOMEM; the table is as before
 */
int ward_vm_set_routes(struct ward_vm *vm, const struct ward_route *routes, uint32_t count);

/**
 * Lets an eventfd raise a GSI, or takes that away. What the eventfd counted already is raised at once.
 * After a DEASSIGN has returned it raises nothing more; what it names need not be there.
 * @param vm a VM
 * @param irqfd what
 * @return 0; -EINVAL flags, no eventfd, or (x86) RESAMPLE without a full irqchip; -EBADF; -EAGAIN
 * the controller was not started (Arm); -EBUSY this eventfd raises a GSI already; -ENOMEM
 */
int ward_vm_irqfd(struct ward_vm *vm, const struct ward_irqfd *irqfd);

/**
 * Sets the line of an interrupt controller, whatever routes say (Arm), or of a GSI (x86).
 * @param vm a VM
 * @param irq INTID of an SPI (Arm), or GSI (x86)
 * @param level of the line
 * @return 0; -EINVAL no such SPI; -ENODEV not started
 */
int ward_vm_irq_line(struct ward_vm *vm, uint32_t irq, bool level);

/**
 * Delivers a message of an emulated device, as if it had a route.
 * @param vm a VM
 * @param route kind MSI; its GSI is not looked at
 * @return 1 or more delivered; 0 the guest ignores it; -EINVAL flags, WARD_ROUTE_DEVID missing, no
 * doorbell there, reserved bits; -ENODEV no ITS; -EBUSY the guest has switched it off; -EPERM
 * (x86) no CPU has the destination
 */
int ward_vm_signal_msi(struct ward_vm *vm, const struct ward_route *route);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

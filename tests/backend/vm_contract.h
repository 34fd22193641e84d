/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The contract of <doorward/vm.h>, one text for the model and for KVM. Who runs it brings guests: how
 * one is made and started, how its controller is programmed, and what is pending there. Nothing in the
 * text knows which of them it is. Where an answer may differ is a row of the table in
 * docs/interrupts.md, which is read as it stands there: a difference without a row fails, and so does
 * a row that is not met.
 *
 * A row whose situation begins with "x86-", "apic-" (x86, full or split), "arm-" (any GIC), "gicv2-",
 * "gicv3-" (without ITS) or "its-" is for that kind of guest alone.
 *
 *	contract = (struct vm_contract){ .controller = ..., .ops = ..., .context = ...,
 *					 .table = { .column = "kvm-arm64", .failed = ... } };
 *	contract_read_differences(&contract.table, ".../docs/interrupts.md");
 *	vm_contract_begin(&contract);
 *	for (case = vm_contract_cases; case->name; case++)
 *		case->run(&contract);
 *
 * A case makes its guests and lets go of them. The last one asks whether every row was met.
 */
#ifndef TESTS_BACKEND_VM_CONTRACT_H
#define TESTS_BACKEND_VM_CONTRACT_H

#include "contract.h"

#include <doorward/vm.h>

struct vm_contract;

/* One guest. Made and let go of by vm_guest_ops, which may embed it into more. */
struct vm_guest {
	struct ward_vm *vm;
	struct vm_contract *contract;
};

struct vm_guest_ops {
	/*
	 * A guest that is not started: no CPUs yet where CPUs are made later (KVM on Arm needs its GIC
	 * first). Returns 0, or what ward_vm_kvm or ward_vm_model returned.
	 */
	int (*make)(struct vm_contract *contract, const struct ward_vm_options *options,
		    struct vm_guest **ret_guest);
	/*
	 * Makes its CPUs, calls ward_vm_start, and lets the CPUs hear: APICs are on (SVR); the
	 * distributor is on; with an ITS, LPIs are on at every CPU, and the ITS stays off.
	 * Returns what ward_vm_start returned.
	 */
	int (*start)(struct vm_guest *guest);
	/* VM, CPUs and all. */
	void (*end)(struct vm_guest *guest);
	/*
	 * Arm: SPI number (INTID) goes to CPU 0, enabled; pin is number - 32. X86: pin of the IOAPIC
	 * becomes vector number at CPU 0, not masked. As edge or level. Not called for X86_SPLIT.
	 */
	void (*program)(struct vm_guest *guest, uint32_t pin, uint32_t number, bool level);
	/*
	 * Switches the ITS on at the first call, and maps a device's event to an LPI at CPU 0, enabled.
	 * NULL: it cannot, and cases that need it are left out.
	 */
	void (*map_event)(struct vm_guest *guest, ward_devid_t device, uint32_t event,
			  uint32_t lpi);
	/* Pending at a CPU: an SPI by latch or by line, an LPI, or a vector in IRR. */
	bool (*pending)(struct vm_guest *guest, uint32_t cpu, uint32_t number);
	/*
	 * Lets what was raised arrive: serves irqfds, or waits for a millisecond. Called again and
	 * again by who waits for something.
	 */
	void (*run)(struct vm_guest *guest);
	/* CPU 0 takes an interrupt that is pending, and ends it. NULL: no guest code runs here. */
	void (*take_and_end)(struct vm_guest *guest, uint32_t number);
};

struct vm_contract {
	enum ward_vm_controller controller;
	const struct vm_guest_ops *ops;
	void *context; /* of ops */
	/* Rows; column and failed are set by who runs it, failed is told of every failure. */
	struct contract table;

	/* The text's own. */
	uint32_t fences;
};

struct vm_contract_case {
	const char *name;
	void (*run)(struct vm_contract *contract);
};

/* In this order. Ends with a NULL name. */
extern const struct vm_contract_case vm_contract_cases[];

/* After the table was read: rows that are for other kinds of guests are not asked for. */
void vm_contract_begin(struct vm_contract *contract);

#endif

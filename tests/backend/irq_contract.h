/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The contract of interrupts (<doorward/irq.h>), one text for all backends, as tests/backend/contract.h
 * is for DMA: the same rules for rows, of the second table of docs/backends.md ("irq situation").
 * A script runs for each kind of interrupt that the device has, with as many vectors as the script
 * needs; rows of kinds that the device does not have are not asked for.
 *
 *	struct irq_contract c = { .contract = { .column = "vfio-group", .backend = ...,
 *						.name = ..., .failed = ... }, .raise = ..., ... };
 *	irq_contract_read(&c, "docs/backends.md");
 *	for (const struct irq_contract_case *one = irq_contract_cases; one->name; one++)
 *		one->run(&c);
 */
#ifndef TESTS_BACKEND_IRQ_CONTRACT_H
#define TESTS_BACKEND_IRQ_CONTRACT_H

#include <doorward/irq.h>

#include "contract.h"

/* Eventfds of a script, named 'a' to 'h'. */
#define IRQ_CONTRACT_EVENTFDS 8u

struct irq_contract {
	/* Of it: column, backend, name, failed. Memory, window, start and copy are not used. */
	struct contract contract;
	/*
	 * Makes a device that was just opened ready to raise interrupts: bus mastering, a space it
	 * can write messages in. Undone by its close. NULL: nothing is to be done.
	 */
	void (*ready)(struct irq_contract *c, struct ward_device *device);
	/*
	 * The device itself raises a vector of MSI or MSI-X, which are enabled. NULL or false: it
	 * cannot be told to; then what would come of it is not looked at.
	 */
	bool (*raise)(struct irq_contract *c, struct ward_device *device, uint32_t index,
		      uint32_t vector);
	/* Its INTx line; as for raise. */
	bool (*line)(struct irq_contract *c, struct ward_device *device, bool level);
	/*
	 * Waits until everything that was raised or written (to an unmask eventfd, too) has had its
	 * effect: the model has something to serve, a kernel needs a moment. NULL: nothing.
	 */
	void (*settle)(struct irq_contract *c);

	/* The contract's own. */
	int eventfds[IRQ_CONTRACT_EVENTFDS];
	uint32_t counts[WARD_IRQS_COUNT];
	bool message_unknown[WARD_IRQS_COUNT];
};

struct irq_contract_case {
	const char *name;
	void (*run)(struct irq_contract *c);
};

/* In this order; the last one asks whether every row was met. Ends with a NULL name. */
extern const struct irq_contract_case irq_contract_cases[];

/* Reads the table. False: there is none, or it is damaged. */
bool irq_contract_read(struct irq_contract *c, const char *path);

#endif

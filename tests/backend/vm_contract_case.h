/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What the cases of the contract of VMs have in common. */
#ifndef TESTS_BACKEND_VM_CONTRACT_CASE_H
#define TESTS_BACKEND_VM_CONTRACT_CASE_H

#include "contract_table.h"
#include "vm_contract.h"

#include <stdint.h>

/* A route that arrives at CPU 0 as number, by whatever way this guest has: a pin, or a message. */
struct vm_wire {
	struct ward_route route;
	uint32_t number;
};

#define VM_WIRES 16u

bool vm_is_arm(const struct vm_contract *contract);

struct ward_vm_options vm_options_of(const struct vm_contract *contract);
/* A guest that is not started; NULL: failed, and told. */
struct vm_guest *vm_guest_make(struct vm_contract *contract);
struct vm_guest *vm_guest_start(struct vm_contract *contract);
void vm_guest_end(struct vm_guest *guest);

/* Wire index, 0 to VM_WIRES - 1, for a GSI; as an edge. Its pin, where it has one, is programmed. */
struct vm_wire vm_wire_make(struct vm_guest *guest, uint32_t index, uint32_t gsi);

/* Sets these routes, and those that vm_settle needs. Fails the case when it is not 0. */
void vm_install(struct vm_guest *guest, const struct vm_wire *wires, uint32_t count);

int vm_assign(struct vm_guest *guest, int eventfd, uint32_t gsi);
int vm_deassign(struct vm_guest *guest, int eventfd, uint32_t gsi);

int vm_eventfd(unsigned int count);
void vm_signal(int eventfd);

bool vm_pending(struct vm_guest *guest, uint32_t number);
/* Waits for it. */
bool vm_arrives(struct vm_guest *guest, uint32_t number);
/* Waits until all that was raised before has arrived, wherever it went. */
void vm_settle(struct vm_guest *guest);
/* vm_arrives, and vm_settle with nothing there, as words for the table. */
void vm_expect_arrival(struct vm_guest *guest, const char *situation, uint32_t number, bool wanted);

/* code, wanted: 0, a negative errno, or 1 for any number above 0. */
void vm_expect(struct vm_guest *guest, const char *situation, int code, int wanted);

extern const struct vm_contract_case vm_contract_routes_cases[];
extern const struct vm_contract_case vm_contract_irqfd_cases[];
extern const struct vm_contract_case vm_contract_message_cases[];

#endif

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A VM of KVM, whose file descriptor somebody else owns.
 *
 *	kvm.c		the operations, and the controllers of x86
 *	kvm_gic.c	the controllers of Arm
 *	kvm_route.c	the routing table
 */
#ifndef BACKEND_LINUX_KVM_H
#define BACKEND_LINUX_KVM_H

#include "uapi_kvm.h"

#include <doorward/backend/interface.h>

struct ward_kvm {
	int vmfd; /* borrowed */
	/* Devices of KVM; -1: there is none. They live as long as the VM: closing them is no end. */
	int gic, its;
	struct ward_vm_options options;
	/* The table as it was handed to KVM last; kept, so that a commit seldom allocates. */
	struct kvm_irq_routing *table;
	size_t table_room;
	bool started;
};

extern const struct ward_vm_ops ward_kvm_ops;

/* Creates the controller of an Arm VM, with its addresses and size. */
int ward_kvm_gic_create(struct ward_kvm *kvm, struct ward_error *error);
int ward_kvm_gic_start(struct ward_kvm *kvm);

/* Fills every byte: the same route gives the same entry. */
void ward_kvm_entry(const struct ward_route *route, struct kvm_irq_routing_entry *ret_entry);
int ward_kvm_set_routes(void *context, const struct ward_route *routes, uint32_t count);

#endif

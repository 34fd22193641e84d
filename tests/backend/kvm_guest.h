/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Guests of KVM for the contract of VMs (vm_contract.h), of the architecture this is compiled for:
 * kvm_guest_x86.c, kvm_guest_arm64.c.
 */
#ifndef TESTS_BACKEND_KVM_GUEST_H
#define TESTS_BACKEND_KVM_GUEST_H

#include "vm_contract.h"

/* Opened by who runs the contract; it is the context of the ops. */
struct kvm_host {
	int kvm;
	/* -1: guests of another kind than these cannot be made; told once. */
	const char *why;
};

extern const struct vm_guest_ops kvm_guest_ops;

#endif

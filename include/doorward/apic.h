/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Local APICs: whom an x86 message reaches, and which vectors are requested there. Not a whole
 * APIC: timers, IPIs and priorities stay with whoever runs the CPUs.
 *
 * Source: Intel SDM volume 3, 11.11 (messages) and 11.6.2 (destinations); extended destination ids:
 * Linux arch/x86/include/asm/msi.h and Documentation/virt/kvm/x86/cpuid.rst.
 *
 * Threads: messages from any number, without a lock; the rest one at a time, meanwhile.
 */
#ifndef DOORWARD_APIC_H
#define DOORWARD_APIC_H

#include <doorward/message.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct ward_apics;

#define WARD_APIC_CPUS_MAX 4096u

/** How. Set size to sizeof(struct ward_apics_options). */
struct ward_apics_options {
	size_t size;
	uint32_t cpus; /**< 1 to WARD_APIC_CPUS_MAX; APIC ids are 0, 1, 2, ... at first */
	/** Address bits 11:5 are destination bits 14:8 (extended destination id). */
	bool extended_destination;
	/** Address bits 63:40 are destination bits 31:8 (KVM's x2APIC routes). */
	bool x2apic_format;
	/** A vector was requested at a CPU. On the thread of the message. May be NULL. */
	void (*raised)(void *context, uint32_t cpu, uint32_t vector);
	void *context;
};

/**
 * Creates the APICs of a machine, enabled, nothing requested.
 * @param options how
 * @param ret_apics the APICs; the caller destroys them
 * @return 0; -EINVAL options that make no sense; -ENOMEM
 */
int ward_apics_create(const struct ward_apics_options *options, struct ward_apics **ret_apics);

/**
 * Destroys APICs.
 * @param apics APICs, or NULL
 */
void ward_apics_destroy(struct ward_apics *apics);

/** How one CPU is addressed. */
struct ward_apic_address {
	uint32_t id;
	bool x2apic;	 /**< ids of 32 bits; the logical id follows from the id */
	uint8_t logical; /**< xAPIC: LDR bits 31:24 */
	bool cluster;	 /**< xAPIC: DFR says cluster model, not flat */
	bool off;	 /**< takes no messages */
};

/**
 * Says how a CPU is addressed.
 * @param apics APICs
 * @param cpu which
 * @param address how
 * @return 0 or -EINVAL no such CPU, an id above 254 without x2APIC
 */
int ward_apics_set_address(struct ward_apics *apics, uint32_t cpu,
			   const struct ward_apic_address *address);

/**
 * A message that nothing remaps (compatibility format). SMI, NMI, INIT and ExtINT are PENDING with
 * reason MODE: they arrive, and nothing is requested. A level that goes low is IGNORED with it.
 * @param apics APICs
 * @param message address 0xfeexxxxx, and its data
 * @param ret_interrupt what came of it
 * @return how many CPUs it reached; 0 none
 */
int ward_apics_message(struct ward_apics *apics, const struct ward_message *message,
		       struct ward_interrupt *ret_interrupt);

/**
 * @param apics APICs
 * @param cpu which
 * @param vector 0 to 255
 * @return whether it is requested there (IRR)
 */
bool ward_apics_is_pending(const struct ward_apics *apics, uint32_t cpu, uint32_t vector);

/**
 * What a CPU does when it is interrupted: takes the highest vector requested.
 * @param apics APICs
 * @param cpu which
 * @param ret_vector what it took
 * @return 0; -ENOENT nothing is requested; -EINVAL no such CPU
 */
int ward_apics_take(struct ward_apics *apics, uint32_t cpu, uint32_t *ret_vector);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

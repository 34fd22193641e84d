/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A VM of this machine's KVM with one CPU that never runs: interrupts become pending at its local
 * APIC, where they are looked at. x86 alone.
 */
#ifndef TESTS_BACKEND_KVM_RIG_H
#define TESTS_BACKEND_KVM_RIG_H

#if defined(__x86_64__)

#include <doorward/vm.h>

#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define KVM_RIG_SPIV 0xf0u
#define KVM_RIG_IRR 0x200u
#define KVM_RIG_ENABLED 0x1ffu
/* A message for CPU 0, fixed, edge. */
#define KVM_RIG_ADDRESS 0xfee00000u

struct kvm_rig {
	int kvm, vmfd, cpu;
};

/* -1: there is no KVM that can be used. The CPU comes later: after the interrupt controller. */
static inline int kvm_rig_open(struct kvm_rig *rig)
{
	*rig = (struct kvm_rig){ -1, -1, -1 };
	rig->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (rig->kvm >= 0)
		rig->vmfd = ioctl(rig->kvm, KVM_CREATE_VM, 0);
	if (rig->vmfd >= 0)
		return 0;
	if (rig->kvm >= 0)
		close(rig->kvm);
	return -1;
}

static inline void kvm_rig_close(struct kvm_rig *rig)
{
	if (rig->cpu >= 0)
		close(rig->cpu);
	close(rig->vmfd);
	close(rig->kvm);
}

/* A CPU whose APIC takes interrupts. */
static inline int kvm_rig_cpu(struct kvm_rig *rig)
{
	const unsigned int enabled = KVM_RIG_ENABLED;
	struct kvm_lapic_state apic;

	rig->cpu = ioctl(rig->vmfd, KVM_CREATE_VCPU, 0);
	if (rig->cpu < 0 || ioctl(rig->cpu, KVM_GET_LAPIC, &apic))
		return -1;
	memcpy(apic.regs + KVM_RIG_SPIV, &enabled, sizeof(enabled));
	return ioctl(rig->cpu, KVM_SET_LAPIC, &apic);
}

/* Whether a vector is pending; none is afterwards. */
static inline bool kvm_rig_take(struct kvm_rig *rig, unsigned int vector)
{
	unsigned int word = KVM_RIG_IRR + vector / 32 * 16, bits = 0;
	struct kvm_lapic_state apic;
	bool pending;

	if (ioctl(rig->cpu, KVM_GET_LAPIC, &apic))
		return false;
	memcpy(&bits, apic.regs + word, sizeof(bits));
	pending = bits >> vector % 32 & 1;
	memset(apic.regs + KVM_RIG_IRR, 0, 0x80);
	return pending && ioctl(rig->cpu, KVM_SET_LAPIC, &apic) == 0;
}

static inline bool kvm_rig_waits(struct kvm_rig *rig, unsigned int vector, int milliseconds)
{
	const struct timespec moment = { .tv_nsec = 1000000 };

	for (int i = 0; i < milliseconds; i++) {
		if (kvm_rig_take(rig, vector))
			return true;
		nanosleep(&moment, NULL);
	}
	return false;
}

/* What an eventfd raises may take a moment; ends when it came, or after two seconds. */
static inline bool kvm_rig_comes(struct kvm_rig *rig, unsigned int vector)
{
	return kvm_rig_waits(rig, vector, 2000);
}

/* For what must not come: a machine that is slow finds less, and nothing that is not so. */
static inline bool kvm_rig_comes_soon(struct kvm_rig *rig, unsigned int vector)
{
	return kvm_rig_waits(rig, vector, 20);
}

#endif
#endif

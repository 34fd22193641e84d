// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Guests of KVM on x86. Their CPUs run only to take an interrupt: a few instructions in real mode,
 * where the local APIC is ended by its MSR (x2APIC).
 */
#if defined(__x86_64__)

#include "kvm_guest.h"

#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define CPUS_MAX 8u
#define MEMORY 0x4000u
#define CODE 0x1000u
#define HANDLER 0x1100u
#define CPUID_MAX 256
#define APIC_SVR 0xf0u
#define APIC_IRR 0x200u
#define APIC_ON 0x1ffu
#define APIC_LINT0 0x350u
#define APIC_MASKED 0x10000u
#define MSR_APIC_BASE 0x1bu
#define X2APIC_BASE 0xfee00c00u
#define BOOT_CPU 0x100u
#define REDIRECTION_LEVEL 0x8000u

struct x86_guest {
	struct vm_guest guest;
	int vmfd, cpu[CPUS_MAX];
	uint32_t cpus;
	unsigned char *memory;
	struct kvm_run *run;
	size_t run_size;
};

/* sti; hlt; cli; out 0x10, al; jmp CODE */
static const unsigned char code[] = { 0xfb, 0xf4, 0xfa, 0xe6, 0x10, 0xeb, 0xf9 };
/* mov ecx, 0x80b (EOI); xor eax, eax; xor edx, edx; wrmsr; iret */
static const unsigned char handler[] = { 0x66, 0xb9, 0x0b, 0x08, 0x00, 0x00, 0x66, 0x31,
					 0xc0, 0x66, 0x31, 0xd2, 0x0f, 0x30, 0xcf };

static int make(struct vm_contract *contract, const struct ward_vm_options *options,
		struct vm_guest **ret_guest)
{
	const struct kvm_host *host = contract->context;
	struct kvm_enable_cap wide = { .cap = KVM_CAP_X2APIC_API,
				       .args = { KVM_X2APIC_API_USE_32BIT_IDS } };
	struct x86_guest *guest = calloc(1, sizeof(*guest));
	int code_of_create;

	guest->guest.contract = contract;
	guest->vmfd = ioctl(host->kvm, KVM_CREATE_VM, 0);
	guest->cpus = options->cpus < CPUS_MAX ? options->cpus : CPUS_MAX;
	/* Destinations of 32 bits: then KVM looks at all of a message's address. */
	(void)ioctl(guest->vmfd, KVM_ENABLE_CAP, &wide);
	code_of_create = ward_vm_kvm(guest->vmfd, options, &guest->guest.vm, NULL);
	if (code_of_create) {
		close(guest->vmfd);
		free(guest);
		return code_of_create;
	}
	*ret_guest = &guest->guest;
	return 0;
}

static void fill_memory(struct x86_guest *guest)
{
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY };
	const uint16_t entry[2] = { HANDLER, 0 };

	guest->memory =
		mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (unsigned int vector = 0; vector < 256; vector++)
		memcpy(guest->memory + vector * 4, entry, sizeof(entry));
	memcpy(guest->memory + CODE, code, sizeof(code));
	memcpy(guest->memory + HANDLER, handler, sizeof(handler));
	region.userspace_addr = (uintptr_t)guest->memory;
	(void)ioctl(guest->vmfd, KVM_SET_USER_MEMORY_REGION, &region);
}

static void set_cpuid(const struct kvm_host *host, int cpu)
{
	struct kvm_cpuid2 *cpuid =
		calloc(1, sizeof(*cpuid) + CPUID_MAX * sizeof(struct kvm_cpuid_entry2));

	cpuid->nent = CPUID_MAX;
	if (ioctl(host->kvm, KVM_GET_SUPPORTED_CPUID, cpuid) == 0)
		(void)ioctl(cpu, KVM_SET_CPUID2, cpuid);
	free(cpuid);
}

/* In real mode at CODE, with an APIC that is on. */
static void set_state(int cpu, uint32_t number)
{
	const struct kvm_msr_entry base = { .index = MSR_APIC_BASE,
					    .data = X2APIC_BASE | (number ? 0 : BOOT_CPU) };
	struct kvm_msrs *msrs = calloc(1, sizeof(*msrs) + sizeof(base));
	struct kvm_mp_state runs = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_regs regs = { .rip = CODE, .rsp = 0x3000, .rflags = 2 };
	/* The PIC is not heard: GSIs that have a pin at both come from the IOAPIC. */
	const uint32_t on = APIC_ON, masked = APIC_MASKED;
	struct kvm_lapic_state apic;
	struct kvm_sregs sregs;

	msrs->nmsrs = 1;
	memcpy(msrs->entries, &base, sizeof(base));
	(void)ioctl(cpu, KVM_SET_MSRS, msrs);
	free(msrs);
	(void)ioctl(cpu, KVM_GET_LAPIC, &apic);
	memcpy(apic.regs + APIC_SVR, &on, sizeof(on));
	memcpy(apic.regs + APIC_LINT0, &masked, sizeof(masked));
	(void)ioctl(cpu, KVM_SET_LAPIC, &apic);
	(void)ioctl(cpu, KVM_GET_SREGS, &sregs);
	sregs.cs.selector = 0;
	sregs.cs.base = 0;
	(void)ioctl(cpu, KVM_SET_SREGS, &sregs);
	(void)ioctl(cpu, KVM_SET_REGS, &regs);
	(void)ioctl(cpu, KVM_SET_MP_STATE, &runs);
}

static int start(struct vm_guest *base)
{
	struct x86_guest *guest = (struct x86_guest *)base;
	const struct kvm_host *host = base->contract->context;
	int result;

	fill_memory(guest);
	for (uint32_t i = 0; i < guest->cpus; i++) {
		guest->cpu[i] = ioctl(guest->vmfd, KVM_CREATE_VCPU, i);
		set_cpuid(host, guest->cpu[i]);
	}
	result = ward_vm_start(base->vm);
	for (uint32_t i = 0; i < guest->cpus; i++)
		set_state(guest->cpu[i], i);
	if (guest->cpus) {
		guest->run_size = (size_t)ioctl(host->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
		guest->run = mmap(NULL, guest->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
				  guest->cpu[0], 0);
	}
	return result;
}

static void end(struct vm_guest *base)
{
	struct x86_guest *guest = (struct x86_guest *)base;

	ward_vm_destroy(base->vm);
	if (guest->run)
		munmap(guest->run, guest->run_size);
	for (uint32_t i = 0; guest->memory && i < guest->cpus; i++)
		close(guest->cpu[i]);
	close(guest->vmfd);
	if (guest->memory)
		munmap(guest->memory, MEMORY);
	free(guest);
}

static void program(struct vm_guest *base, uint32_t pin, uint32_t number, bool level)
{
	struct x86_guest *guest = (struct x86_guest *)base;
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };

	(void)ioctl(guest->vmfd, KVM_GET_IRQCHIP, &chip);
	chip.chip.ioapic.redirtbl[pin].bits = number | (level ? REDIRECTION_LEVEL : 0);
	(void)ioctl(guest->vmfd, KVM_SET_IRQCHIP, &chip);
}

static bool pending(struct vm_guest *base, uint32_t cpu, uint32_t number)
{
	struct x86_guest *guest = (struct x86_guest *)base;
	struct kvm_lapic_state apic;
	uint32_t bits = 0;

	if (ioctl(guest->cpu[cpu], KVM_GET_LAPIC, &apic))
		return false;
	memcpy(&bits, apic.regs + APIC_IRR + number / 32 * 16, sizeof(bits));
	return bits >> number % 32 & 1;
}

static void run(struct vm_guest *base)
{
	const struct timespec moment = { .tv_nsec = 1000000 };

	(void)base;
	nanosleep(&moment, NULL);
}

/* Nothing pending would be a halt without end. */
static void take_and_end(struct vm_guest *base, uint32_t number)
{
	struct x86_guest *guest = (struct x86_guest *)base;

	if (!pending(base, 0, number))
		return;
	do {
		if (ioctl(guest->cpu[0], KVM_RUN, 0))
			return;
	} while (guest->run->exit_reason == KVM_EXIT_INTR);
	if (guest->run->exit_reason != KVM_EXIT_IO)
		base->contract->table.failed(&base->contract->table,
					     "the guest's CPU came to another end");
}

const struct vm_guest_ops kvm_guest_ops = {
	.make = make,
	.start = start,
	.end = end,
	.program = program,
	.pending = pending,
	.run = run,
	.take_and_end = take_and_end,
};

#endif

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Guests of KVM on arm64. Registers of their controllers are written and read as a migration does it
 * (Linux Documentation/virt/kvm/devices/arm-vgic*.rst); their CPUs run only to take an interrupt, by
 * polling: an exception is not needed for that.
 */
#if defined(__aarch64__)

#include "../../backend/linux/kvm.h"
#include "kvm_guest.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define CPUS_MAX 8u
/* Guest physical; what lies where. Tables of the ITS and of LPIs want 64 KiB each. */
#define MEMORY 0x40000000u
#define MEMORY_SIZE 0x200000u
#define PROPERTIES 0x00000u
#define PENDING 0x10000u /* a CPU's after the other */
#define DEVICES 0xa0000u
#define COLLECTIONS 0xb0000u
#define QUEUE 0xc0000u
#define QUEUE_SIZE 0x10000u
#define ITTS 0xd0000u
#define ITT_SIZE 0x800u
#define ITTS_MAX 64u
#define CODE 0x1f0000u
/* Nothing is there: a write ends KVM_RUN. */
#define NOWHERE 0x10000000u

#define LPI_FIRST 8192u
#define LPI_BITS 16u
#define EVENT_BITS 8u

#define GROUP_REDIST_REGS 5u
#define GROUP_LEVEL_INFO 7u
#define GROUP_ITS_REGS 8u
#define CTRL_SAVE_PENDING 3u
#define GICD_CTLR 0x0u
#define GICD_ISENABLER 0x100u
#define GICD_ISPENDR 0x200u
#define GICD_ITARGETSR 0x800u
#define GICD_ICFGR 0xc00u
#define GICR_CTLR 0x0u
#define GICR_PROPBASER 0x70u
#define GICR_PENDBASER 0x78u
#define GITS_CTLR 0x0u
#define GITS_CBASER 0x80u
#define GITS_CWRITER 0x88u
#define GITS_BASER0 0x100u
#define GITS_BASER1 0x108u
#define VALID (UINT64_C(1) << 63)
#define PAGES_64K (UINT64_C(2) << 8)
#define CMD_MAPD 0x08u
#define CMD_MAPC 0x09u
#define CMD_MAPTI 0x0au
#define CMD_INV 0x0cu

struct arm_guest {
	struct vm_guest guest;
	const struct ward_kvm *kvm;
	int vmfd, cpu[CPUS_MAX];
	uint32_t cpus;
	unsigned char *memory;
	struct kvm_run *run;
	size_t run_size;
	bool its_on;
	uint64_t queue_at;
	ward_devid_t device[ITTS_MAX]; /* by the number of its ITT */
	uint32_t devices;
};

/* Acknowledges and ends what is pending; x20 is where nothing is, x21 the CPU interface (GICv2). */
extern const unsigned char code_v3[], code_v3_end[], code_v2[], code_v2_end[];
__asm__(".pushsection .rodata\n"
	".globl code_v3, code_v3_end, code_v2, code_v2_end\n"
	"code_v3:\n"
	"	mov x0, #0xf0\n"
	"	msr S3_0_C4_C6_0, x0\n" /* ICC_PMR_EL1 */
	"	mov x0, #1\n"
	"	msr S3_0_C12_C12_7, x0\n" /* ICC_IGRPEN1_EL1 */
	"	isb\n"
	"	mrs x1, S3_0_C12_C12_0\n" /* ICC_IAR1_EL1 */
	"	msr S3_0_C12_C12_1, x1\n" /* ICC_EOIR1_EL1 */
	"	isb\n"
	"	str w1, [x20]\n"
	"	b code_v3\n"
	"code_v3_end:\n"
	"code_v2:\n"
	"	mov w0, #0xf0\n"
	"	str w0, [x21, #4]\n" /* GICC_PMR */
	"	mov w0, #1\n"
	"	str w0, [x21]\n"	/* GICC_CTLR */
	"	ldr w1, [x21, #0xc]\n"	/* GICC_IAR */
	"	str w1, [x21, #0x10]\n" /* GICC_EOIR */
	"	dsb sy\n"
	"	str w1, [x20]\n"
	"	b code_v2\n"
	"code_v2_end:\n"
	".popsection\n");

static void complain(struct arm_guest *guest, const char *text)
{
	guest->guest.contract->table.failed(&guest->guest.contract->table, text);
}

static void attribute(struct arm_guest *guest, int fd, uint32_t group, uint64_t which, void *value,
		      unsigned long request)
{
	const struct kvm_device_attr asked = { .group = group,
					       .attr = which,
					       .addr = (uintptr_t)value };

	if (ioctl(fd, request, &asked))
		complain(guest, "an attribute of the controller is refused");
}

static uint32_t get_register(struct arm_guest *guest, uint32_t group, uint64_t which)
{
	uint32_t value = 0;

	attribute(guest, guest->kvm->gic, group, which, &value, KVM_GET_DEVICE_ATTR);
	return value;
}

static void set_register(struct arm_guest *guest, uint32_t group, uint64_t which, uint32_t value)
{
	attribute(guest, guest->kvm->gic, group, which, &value, KVM_SET_DEVICE_ATTR);
}

static void set_its(struct arm_guest *guest, uint32_t offset, uint64_t value)
{
	attribute(guest, guest->kvm->its, GROUP_ITS_REGS, offset, &value, KVM_SET_DEVICE_ATTR);
}

static int make(struct vm_contract *contract, const struct ward_vm_options *options,
		struct vm_guest **ret_guest)
{
	const struct kvm_host *host = contract->context;
	struct arm_guest *guest = calloc(1, sizeof(*guest));
	int code;

	guest->guest.contract = contract;
	guest->vmfd = ioctl(host->kvm, KVM_CREATE_VM, 0);
	guest->cpus = options->cpus < CPUS_MAX ? options->cpus : CPUS_MAX;
	code = ward_vm_kvm(guest->vmfd, options, &guest->guest.vm, NULL);
	if (code) {
		close(guest->vmfd);
		free(guest);
		return code;
	}
	guest->kvm = ward_vm_context(guest->guest.vm, &ward_kvm_ops);
	*ret_guest = &guest->guest;
	return 0;
}

static bool is_v2(const struct arm_guest *guest)
{
	return guest->kvm->options.controller == WARD_VM_GICV2;
}

static void add_memory(struct arm_guest *guest)
{
	struct kvm_userspace_memory_region region = { .guest_phys_addr = MEMORY,
						      .memory_size = MEMORY_SIZE };

	guest->memory =
		mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	region.userspace_addr = (uintptr_t)guest->memory;
	if (ioctl(guest->vmfd, KVM_SET_USER_MEMORY_REGION, &region))
		complain(guest, "the guest gets no memory");
	if (is_v2(guest))
		memcpy(guest->memory + CODE, code_v2, (size_t)(code_v2_end - code_v2));
	else
		memcpy(guest->memory + CODE, code_v3, (size_t)(code_v3_end - code_v3));
	__builtin___clear_cache((char *)guest->memory + CODE, (char *)guest->memory + CODE + 256);
}

static void set_core(int cpu, uint64_t offset, uint64_t value)
{
	const struct kvm_one_reg one = { .id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |
					       offset / sizeof(uint32_t),
					 .addr = (uintptr_t)&value };

	(void)ioctl(cpu, KVM_SET_ONE_REG, &one);
}

static int add_cpu(struct arm_guest *guest, uint32_t number)
{
	struct kvm_vcpu_init init;
	int cpu = ioctl(guest->vmfd, KVM_CREATE_VCPU, number);

	if (cpu < 0 || ioctl(guest->vmfd, KVM_ARM_PREFERRED_TARGET, &init) ||
	    ioctl(cpu, KVM_ARM_VCPU_INIT, &init)) {
		complain(guest, "the guest gets no CPU");
		return cpu;
	}
	set_core(cpu, offsetof(struct kvm_regs, regs.pc), MEMORY + CODE);
	set_core(cpu, offsetof(struct kvm_regs, regs.regs[20]), NOWHERE);
	set_core(cpu, offsetof(struct kvm_regs, regs.regs[21]),
		 ward_gpa_raw(guest->kvm->options.cpu_interface));
	return cpu;
}

static void set_redistributor(struct arm_guest *guest, uint32_t cpu, uint32_t offset,
			      uint64_t value)
{
	uint64_t which = (uint64_t)cpu << 32 | offset;

	set_register(guest, GROUP_REDIST_REGS, which, (uint32_t)value);
	set_register(guest, GROUP_REDIST_REGS, which + 4, (uint32_t)(value >> 32));
}

static void switch_on(struct arm_guest *guest)
{
	/* Group 0 of a GICv2; group 1 of a GICv3 with one security state, affinity routing. */
	set_register(guest, WARD_VGIC_DIST_REGS, GICD_CTLR, is_v2(guest) ? 0x1 : 0x12);
	for (uint32_t i = 0; guest->kvm->its >= 0 && i < guest->cpus; i++) {
		set_redistributor(guest, i, GICR_PROPBASER, MEMORY | PROPERTIES | (LPI_BITS - 1));
		set_redistributor(guest, i, GICR_PENDBASER, MEMORY + PENDING * (1 + i));
		set_register(guest, GROUP_REDIST_REGS, (uint64_t)i << 32 | GICR_CTLR, 1);
	}
}

static int start(struct vm_guest *base)
{
	struct arm_guest *guest = (struct arm_guest *)base;
	const struct kvm_host *host = base->contract->context;
	int code;

	add_memory(guest);
	for (uint32_t i = 0; i < guest->cpus; i++)
		guest->cpu[i] = add_cpu(guest, i);
	code = ward_vm_start(base->vm);
	if (!code)
		switch_on(guest);
	if (guest->cpus) {
		guest->run_size = (size_t)ioctl(host->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
		guest->run = mmap(NULL, guest->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
				  guest->cpu[0], 0);
	}
	return code;
}

static void end(struct vm_guest *base)
{
	struct arm_guest *guest = (struct arm_guest *)base;

	ward_vm_destroy(base->vm);
	if (guest->run)
		munmap(guest->run, guest->run_size);
	for (uint32_t i = 0; guest->memory && i < guest->cpus; i++)
		close(guest->cpu[i]);
	close(guest->vmfd);
	if (guest->memory)
		munmap(guest->memory, MEMORY_SIZE);
	free(guest);
}

static void program(struct vm_guest *base, uint32_t pin, uint32_t number, bool level)
{
	struct arm_guest *guest = (struct arm_guest *)base;
	uint32_t at = GICD_ICFGR + number / 16 * 4, shift = number % 16 * 2;
	uint32_t value = get_register(guest, WARD_VGIC_DIST_REGS, at) & ~(3u << shift);

	(void)pin;
	set_register(guest, WARD_VGIC_DIST_REGS, at, value | (level ? 0u : 2u << shift));
	/* Of a GICv3, CPU 0 is what IROUTER says after reset. */
	if (is_v2(guest)) {
		at = GICD_ITARGETSR + number / 4 * 4;
		shift = number % 4 * 8;
		value = get_register(guest, WARD_VGIC_DIST_REGS, at) & ~(0xffu << shift);
		set_register(guest, WARD_VGIC_DIST_REGS, at, value | 1u << shift);
	}
	set_register(guest, WARD_VGIC_DIST_REGS, GICD_ISENABLER + number / 32 * 4,
		     1u << number % 32);
}

/* Commands are carried out by the time CWRITER is written. */
static void command(struct arm_guest *guest, uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t words[4] = { a, b, c, 0 };

	memcpy(guest->memory + QUEUE + guest->queue_at, words, sizeof(words));
	guest->queue_at = (guest->queue_at + sizeof(words)) % QUEUE_SIZE;
	set_its(guest, GITS_CWRITER, guest->queue_at);
}

static void its_on(struct arm_guest *guest)
{
	if (guest->its_on)
		return;
	guest->its_on = true;
	set_its(guest, GITS_BASER0, VALID | PAGES_64K | (MEMORY + DEVICES));
	set_its(guest, GITS_BASER1, VALID | PAGES_64K | (MEMORY + COLLECTIONS));
	set_its(guest, GITS_CBASER, VALID | (MEMORY + QUEUE) | (QUEUE_SIZE / 0x1000 - 1));
	set_its(guest, GITS_CTLR, 1);
	/* Collection 0 is CPU 0. */
	command(guest, CMD_MAPC, 0, VALID);
}

static void map_device(struct arm_guest *guest, ward_devid_t device)
{
	uint32_t i = 0;

	while (i < guest->devices && guest->device[i] != device)
		i++;
	if (i < guest->devices || i == ITTS_MAX)
		return;
	guest->device[guest->devices++] = device;
	command(guest, CMD_MAPD | (uint64_t)ward_devid_raw(device) << 32, EVENT_BITS - 1,
		VALID | (MEMORY + ITTS + i * ITT_SIZE));
}

static void map_event(struct vm_guest *base, ward_devid_t device, uint32_t event, uint32_t lpi)
{
	struct arm_guest *guest = (struct arm_guest *)base;
	uint64_t id = (uint64_t)ward_devid_raw(device) << 32;

	its_on(guest);
	map_device(guest, device);
	/* Priority 0xa0, enabled. */
	guest->memory[PROPERTIES + lpi - LPI_FIRST] = 0xa1;
	command(guest, CMD_MAPTI | id, (uint64_t)lpi << 32 | event, 0);
	command(guest, CMD_INV | id, event, 0);
}

static bool spi_is_pending(struct arm_guest *guest, uint32_t number)
{
	uint32_t bit = 1u << number % 32, word = number / 32 * 4;
	bool level = !(get_register(guest, WARD_VGIC_DIST_REGS, GICD_ICFGR + number / 16 * 4) >>
			       number % 16 * 2 &
		       2);

	if (get_register(guest, WARD_VGIC_DIST_REGS, GICD_ISPENDR + word) & bit)
		return true;
	/* Of a GICv3, that is the latch alone. */
	return !is_v2(guest) && level && get_register(guest, GROUP_LEVEL_INFO, number & ~31u) & bit;
}

static bool lpi_is_pending(struct arm_guest *guest, uint32_t cpu, uint32_t number)
{
	attribute(guest, guest->kvm->gic, WARD_VGIC_CTRL, CTRL_SAVE_PENDING, NULL,
		  KVM_SET_DEVICE_ATTR);
	return guest->memory[PENDING * (1 + cpu) + number / 8] >> number % 8 & 1;
}

static bool pending(struct vm_guest *base, uint32_t cpu, uint32_t number)
{
	struct arm_guest *guest = (struct arm_guest *)base;

	if (number >= LPI_FIRST)
		return lpi_is_pending(guest, cpu, number);
	return cpu == 0 && spi_is_pending(guest, number);
}

static void run(struct vm_guest *base)
{
	const struct timespec moment = { .tv_nsec = 1000000 };

	(void)base;
	nanosleep(&moment, NULL);
}

static void take_and_end(struct vm_guest *base, uint32_t number)
{
	struct arm_guest *guest = (struct arm_guest *)base;
	uint32_t taken;

	do {
		if (ioctl(guest->cpu[0], KVM_RUN, 0)) {
			complain(guest, "the guest's CPU does not run");
			return;
		}
	} while (guest->run->exit_reason == KVM_EXIT_INTR);
	memcpy(&taken, guest->run->mmio.data, sizeof(taken));
	if (guest->run->exit_reason != KVM_EXIT_MMIO || taken != number)
		complain(guest, "the guest's CPU took another interrupt, or none");
}

const struct vm_guest_ops kvm_guest_ops = {
	.make = make,
	.start = start,
	.end = end,
	.program = program,
	.map_event = map_event,
	.pending = pending,
	.run = run,
	.take_and_end = take_and_end,
};

#endif

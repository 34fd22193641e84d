// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* KVM's guest: vGICv3 and vITS (Linux Documentation/virt/kvm/devices/arm-vgic-v3.rst, arm-vgic-its.rst). */
#include "its-guest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define GICD 0x08000000ull
#define GICR 0x080a0000ull
#define INTERRUPTS 64u

static int attribute(int fd, unsigned long request, uint32_t group, uint64_t number, void *value)
{
	struct kvm_device_attr attr = { .group = group, .attr = number, .addr = (uintptr_t)value };

	return ioctl(fd, request, &attr) < 0 ? -errno : 0;
}

static int set(int fd, uint32_t group, uint64_t number, uint64_t value)
{
	return attribute(fd, KVM_SET_DEVICE_ATTR, group, number, &value);
}

static int control(int fd, uint64_t number)
{
	return attribute(fd, KVM_SET_DEVICE_ATTR, KVM_DEV_ARM_VGIC_GRP_CTRL, number, NULL);
}

static int its_write(struct guest *guest, uint32_t offset, uint64_t value, unsigned int size)
{
	(void)size;
	return set(guest->its_device, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, offset, value);
}

static int its_read(struct guest *guest, uint32_t offset, uint64_t *ret_value, unsigned int size)
{
	(void)size;
	return attribute(guest->its_device, KVM_GET_DEVICE_ATTR, KVM_DEV_ARM_VGIC_GRP_ITS_REGS,
			 offset, ret_value);
}

/* Registers of redistributors go in words of 32 bits; affinity 0.0.0.cpu. */
static int redist(struct guest *guest, unsigned long request, uint32_t cpu, uint32_t offset,
		  uint64_t *value, unsigned int size)
{
	for (unsigned int at = 0; at < size; at += 4) {
		uint32_t word = (uint32_t)(*value >> at * 8);
		int code = attribute(guest->gic, request, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS,
				     (uint64_t)cpu << 32 | (offset + at), &word);

		if (code)
			return code;
		*value &= ~(UINT64_C(0xffffffff) << at * 8);
		*value |= (uint64_t)word << at * 8;
	}
	return 0;
}

static int redist_write(struct guest *guest, uint32_t cpu, uint32_t offset, uint64_t value,
			unsigned int size)
{
	return redist(guest, KVM_SET_DEVICE_ATTR, cpu, offset, &value, size);
}

static int redist_read(struct guest *guest, uint32_t cpu, uint32_t offset, uint64_t *ret_value,
		       unsigned int size)
{
	*ret_value = 0;
	return redist(guest, KVM_GET_DEVICE_ATTR, cpu, offset, ret_value, size);
}

static int message(struct guest *guest, uint32_t device, uint32_t event)
{
	struct kvm_msi msi = {
		.address_lo = (uint32_t)(GUEST_ITS + WARD_ITS_TRANSLATER),
		.data = event,
		.flags = KVM_MSI_VALID_DEVID,
		.devid = device,
	};
	int code = ioctl(guest->vm, KVM_SIGNAL_MSI, &msi);

	return code < 0 ? -errno : code;
}

static int save_tables(struct guest *guest)
{
	return control(guest->its_device, KVM_DEV_ARM_ITS_SAVE_TABLES);
}

static int restore_tables(struct guest *guest)
{
	return control(guest->its_device, KVM_DEV_ARM_ITS_RESTORE_TABLES);
}

static int save_pending(struct guest *guest)
{
	return control(guest->gic, KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void close_guest(struct guest *guest)
{
	for (unsigned int i = 0; i < GUEST_CPUS; i++)
		close_fd(guest->cpus[i]);
	close_fd(guest->its_device);
	close_fd(guest->gic);
	close_fd(guest->vm);
	munmap(guest->memory, GUEST_BYTES);
}

static int create_device(int vm, uint32_t type, int *ret_fd)
{
	struct kvm_create_device create = { .type = type };

	if (ioctl(vm, KVM_CREATE_DEVICE, &create) < 0)
		return -errno;
	*ret_fd = (int)create.fd;
	return 0;
}

static int create_cpus(struct guest *guest)
{
	struct kvm_vcpu_init init;

	if (ioctl(guest->vm, KVM_ARM_PREFERRED_TARGET, &init) < 0)
		return -errno;
	for (unsigned int i = 0; i < GUEST_CPUS; i++) {
		guest->cpus[i] = ioctl(guest->vm, KVM_CREATE_VCPU, (unsigned long)i);
		if (guest->cpus[i] < 0 || ioctl(guest->cpus[i], KVM_ARM_VCPU_INIT, &init) < 0)
			return -errno;
	}
	return 0;
}

static int create_gic(struct guest *guest)
{
	uint32_t interrupts = INTERRUPTS;
	int code = create_device(guest->vm, KVM_DEV_TYPE_ARM_VGIC_V3, &guest->gic);

	if (!code)
		code = set(guest->gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, GICD);
	if (!code)
		code = set(guest->gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST,
			   GICR);
	if (!code)
		code = attribute(guest->gic, KVM_SET_DEVICE_ATTR, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0,
				 &interrupts);
	if (!code)
		code = control(guest->gic, KVM_DEV_ARM_VGIC_CTRL_INIT);
	if (!code)
		code = create_device(guest->vm, KVM_DEV_TYPE_ARM_VGIC_ITS, &guest->its_device);
	if (!code)
		code = set(guest->its_device, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_ITS_ADDR_TYPE,
			   GUEST_ITS);
	if (!code)
		code = control(guest->its_device, KVM_DEV_ARM_VGIC_CTRL_INIT);
	return code;
}

static int create_vm(struct guest *guest)
{
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = GUEST_MEMORY,
		.memory_size = GUEST_BYTES,
		.userspace_addr = (uintptr_t)guest->memory,
	};
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int code = 0;

	if (kvm < 0)
		return -errno;
	guest->vm = ioctl(kvm, KVM_CREATE_VM, 0ul);
	if (guest->vm < 0 || ioctl(guest->vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
		code = -errno;
	close(kvm);
	return code;
}

static const struct guest_ops ops = {
	.its_write = its_write,
	.its_read = its_read,
	.redist_write = redist_write,
	.redist_read = redist_read,
	.message = message,
	.save_tables = save_tables,
	.restore_tables = restore_tables,
	.save_pending = save_pending,
	.close = close_guest,
};

int guest_open_kvm(struct guest *guest)
{
	int code;

	memset(guest, 0, sizeof(*guest));
	guest->ops = &ops;
	guest->vm = guest->gic = guest->its_device = -1;
	memset(guest->cpus, -1, sizeof(guest->cpus));
	guest->memory =
		mmap(NULL, GUEST_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (guest->memory == MAP_FAILED)
		return -ENOMEM;
	code = create_vm(guest);
	if (!code)
		code = create_cpus(guest);
	if (!code)
		code = create_gic(guest);
	if (code)
		close_guest(guest);
	return code;
}

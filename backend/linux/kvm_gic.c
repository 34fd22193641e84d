// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Linux Documentation/virt/kvm/devices/arm-vgic.rst, arm-vgic-v3.rst, arm-vgic-its.rst. */
#include "kvm.h"

#include "base/error.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int set_attribute(int fd, uint32_t group, uint64_t attribute, const void *value)
{
	struct kvm_device_attr asked = {
		.group = group,
		.attr = attribute,
		.addr = (uintptr_t)value,
	};

	return ioctl(fd, KVM_SET_DEVICE_ATTR, &asked) < 0 ? -errno : 0;
}

static int create_device(int vmfd, uint32_t type, int *ret_fd)
{
	struct kvm_create_device asked = { .type = type };

	if (ioctl(vmfd, KVM_CREATE_DEVICE, &asked) < 0)
		return -errno;
	*ret_fd = (int)asked.fd;
	return 0;
}

static int refuse_device(struct ward_error *error, int code, const char *what)
{
	switch (-code) {
	case ENODEV:
		return ward_fail(error, code, "this KVM has no %s for its guests", what);
	case EEXIST:
		return ward_fail(error, code, "this VM has an interrupt controller already");
	case EBUSY:
		return ward_fail(error, code, "a CPU of this VM ran already, or is being created");
	case ENOMEM:
		return ward_fail(error, code, "no memory");
	default:
		return ward_fail(error, -EIO, "KVM creates no %s (error %d)", what, -code);
	}
}

/* EEXIST cannot be: the device is new. E2BIG: beyond what the VM can address. */
static int set_address(int fd, uint32_t attribute, ward_gpa_t address, const char *what,
		       struct ward_error *error)
{
	uint64_t value = ward_gpa_raw(address);
	int code = set_attribute(fd, WARD_VGIC_ADDR, attribute, &value);

	if (!code)
		return 0;
	if (code == -ENOMEM)
		return ward_fail(error, code, "no memory");
	if (code == -EINVAL || code == -E2BIG || code == -EBUSY)
		return ward_fail(error, -EINVAL, "the %s cannot be at 0x%llx", what,
				 (unsigned long long)value);
	return ward_fail(error, -EIO, "the %s gets no address (error %d)", what, -code);
}

static int create_v2(struct ward_kvm *kvm, struct ward_error *error)
{
	int code = create_device(kvm->vmfd, KVM_DEV_TYPE_ARM_VGIC_V2, &kvm->gic);

	if (code)
		return refuse_device(error, code, "GICv2");
	code = set_address(kvm->gic, WARD_VGIC_V2_DIST, kvm->options.distributor, "distributor",
			   error);
	if (!code)
		code = set_address(kvm->gic, WARD_VGIC_V2_CPU, kvm->options.cpu_interface,
				   "CPU interface", error);
	return code;
}

static int create_v3(struct ward_kvm *kvm, struct ward_error *error)
{
	int code = create_device(kvm->vmfd, KVM_DEV_TYPE_ARM_VGIC_V3, &kvm->gic);

	if (code)
		return refuse_device(error, code, "GICv3");
	code = set_address(kvm->gic, WARD_VGIC_V3_DIST, kvm->options.distributor, "distributor",
			   error);
	if (!code)
		code = set_address(kvm->gic, WARD_VGIC_V3_REDIST, kvm->options.redistributors,
				   "redistributors", error);
	return code;
}

static int create_its(struct ward_kvm *kvm, struct ward_error *error)
{
	int code = create_device(kvm->vmfd, KVM_DEV_TYPE_ARM_VGIC_ITS, &kvm->its);

	if (code)
		return refuse_device(error, code, "ITS");
	return set_address(kvm->its, WARD_VGIC_ITS, kvm->options.its, "ITS", error);
}

int ward_kvm_gic_create(struct ward_kvm *kvm, struct ward_error *error)
{
	uint32_t interrupts = kvm->options.interrupts;
	int code = kvm->options.controller == WARD_VM_GICV2 ? create_v2(kvm, error)
							    : create_v3(kvm, error);

	if (code)
		return code;
	code = set_attribute(kvm->gic, WARD_VGIC_NR_IRQS, 0, &interrupts);
	if (code)
		return ward_fail(error, code == -EINVAL ? code : -EIO,
				 "KVM's interrupt controller does not have %u interrupts",
				 interrupts);
	return kvm->options.controller == WARD_VM_GICV3_ITS ? create_its(kvm, error) : 0;
}

/*
 * Once started KVM creates no CPUs any more, and says nothing of it. Whether there is one shows a
 * PPI of the first: EINVAL says that nobody has it. (A GICv2 starts by that; which is meant.)
 */
static bool has_cpus(const struct ward_kvm *kvm)
{
	struct kvm_irq_level line = { .irq = WARD_ARM_IRQ_PPI << WARD_ARM_IRQ_TYPE_SHIFT | 16u };

	return ioctl(kvm->vmfd, KVM_IRQ_LINE, &line) == 0 || errno != EINVAL;
}

int ward_kvm_gic_start(struct ward_kvm *kvm)
{
	int code;

	if (!has_cpus(kvm))
		return -ENODEV;
	code = set_attribute(kvm->gic, WARD_VGIC_CTRL, WARD_VGIC_INIT, NULL);
	if (!code && kvm->its >= 0)
		code = set_attribute(kvm->its, WARD_VGIC_CTRL, WARD_VGIC_INIT, NULL);
	return !code || code == -EBUSY || code == -ENOMEM ? code : -EIO;
}

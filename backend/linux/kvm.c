// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "kvm.h"

#include "base/error.h"
#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

static bool is_arm(const struct ward_kvm *kvm)
{
	return kvm->options.controller != WARD_VM_X86 &&
	       kvm->options.controller != WARD_VM_X86_SPLIT;
}

static int start(void *context)
{
	struct ward_kvm *kvm = context;
	int code = 0;

	if (kvm->started)
		return 0;
	/* x86 starts by itself; whether it has CPUs is nowhere to be seen. */
	if (is_arm(kvm))
		code = ward_kvm_gic_start(kvm);
	kvm->started = !code;
	return code;
}

/*
 * What was counted before KVM raises once, and leaves it where it is until the irqfd is taken away (Linux
 * virt/kvm/eventfd.c, kvm_irqfd_assign and irqfd_shutdown). Taken here, so that a count is always what
 * has not been raised. Events from now on are not lost by this: KVM reads those where it is woken.
 */
static void take_count(int eventfd)
{
	uint64_t count;
	const struct iovec room = { .iov_base = &count, .iov_len = sizeof(count) };

	if (preadv2(eventfd, &room, 1, -1, RWF_NOWAIT) < 0)
		return; /* there was nothing */
}

static int assign_irqfd(void *context, const struct ward_irqfd *irqfd)
{
	struct ward_kvm *kvm = context;
	struct kvm_irqfd asked = {
		.fd = (uint32_t)irqfd->eventfd,
		.gsi = ward_gsi_raw(irqfd->gsi),
		.flags = irqfd->flags,
		.resamplefd = irqfd->flags & WARD_IRQFD_RESAMPLE ? (uint32_t)irqfd->resamplefd : 0,
	};

	if (ioctl(kvm->vmfd, KVM_IRQFD, &asked) == 0) {
		if (!(irqfd->flags & WARD_IRQFD_DEASSIGN))
			take_count(irqfd->eventfd);
		return 0;
	}
	switch (errno) {
	case EINVAL:
	case EBADF:
	case EAGAIN:
	case EBUSY:
	case ENOMEM:
		return -errno;
	default:
		return -EIO;
	}
}

static int set_line(void *context, uint32_t irq, bool level)
{
	struct ward_kvm *kvm = context;
	struct kvm_irq_level line = { .irq = irq, .level = level };

	if (is_arm(kvm)) {
		/* The number has 16 bits: what does not fit would be another one. */
		if (irq > UINT16_MAX)
			return -EINVAL;
		line.irq = WARD_ARM_IRQ_SPI << WARD_ARM_IRQ_TYPE_SHIFT | irq;
	}
	if (ioctl(kvm->vmfd, KVM_IRQ_LINE, &line) == 0)
		return 0;
	/* EBUSY: a GICv3 that was not started. */
	return errno == EINVAL ? -EINVAL : errno == ENXIO || errno == EBUSY ? -ENODEV : -EIO;
}

static int signal_msi(void *context, const struct ward_route *route)
{
	struct ward_kvm *kvm = context;
	struct kvm_irq_routing_entry entry;
	struct kvm_msi msi = { 0 };
	int done;

	ward_kvm_entry(route, &entry);
	msi.address_lo = entry.u.msi.address_lo;
	msi.address_hi = entry.u.msi.address_hi;
	msi.data = entry.u.msi.data;
	msi.flags = entry.flags;
	msi.devid = entry.u.msi.devid;
	done = ioctl(kvm->vmfd, KVM_SIGNAL_MSI, &msi);
	if (done >= 0)
		return done;
	switch (errno) {
	case EINVAL:
	case ENODEV:
	case EBUSY:
	case EPERM:
	case ENOMEM:
		return -errno;
	default:
		return -EIO;
	}
}

static void destroy(void *context)
{
	struct ward_kvm *kvm = context;

	if (kvm->its >= 0)
		close(kvm->its);
	if (kvm->gic >= 0)
		close(kvm->gic);
	free(kvm->table);
	free(kvm);
}

const struct ward_vm_ops ward_kvm_ops = {
	.name = "kvm",
	.start = start,
	.set_routes = ward_kvm_set_routes,
	.irqfd = assign_irqfd,
	.irq_line = set_line,
	.signal_msi = signal_msi,
	.destroy = destroy,
};

/* By the line of a GSI that nothing is behind: ENXIO says that there is no controller. */
static bool has_controller(const struct ward_kvm *kvm)
{
	struct kvm_irq_level line = { .irq = WARD_GSIS };

	return ioctl(kvm->vmfd, KVM_IRQ_LINE, &line) == 0 || errno != ENXIO;
}

static int create_x86(struct ward_kvm *kvm, struct ward_error *error)
{
	struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP,
					.args = { kvm->options.reserved_pins } };
	int code = kvm->options.controller == WARD_VM_X86_SPLIT
			   ? ioctl(kvm->vmfd, KVM_ENABLE_CAP, &split)
			   : ioctl(kvm->vmfd, KVM_CREATE_IRQCHIP, 0);

	if (code == 0)
		return 0;
	code = errno;
	if (code == ENOMEM)
		return ward_fail(error, -ENOMEM, "no memory");
	/* A split one answers EEXIST to both. */
	if ((code == EEXIST || code == EINVAL) && has_controller(kvm))
		return ward_fail(error, -EEXIST, "this VM has an interrupt controller already");
	if (code == EEXIST || code == EINVAL)
		return ward_fail(error, -EBUSY,
				 "this VM has CPUs already: its interrupt controller comes first");
	return ward_fail(error, -EIO, "KVM creates no interrupt controller (error %d)", code);
}

/* Asked of KVM, for KVM_CREATE_IRQCHIP means something else on Arm. */
static int create_controller(struct ward_kvm *kvm, struct ward_error *error)
{
	int x86 = ioctl(kvm->vmfd, KVM_CHECK_EXTENSION, KVM_CAP_SPLIT_IRQCHIP);
	int arm = ioctl(kvm->vmfd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);

	if (x86 < 0 || arm < 0)
		return ward_fail(error, -EIO, "this is no VM of KVM (error %d)", errno);
	if (!x86 && !arm)
		return ward_fail(error, -EOPNOTSUPP,
				 "this KVM has neither a split irqchip (x86) nor a VM with "
				 "addresses of a chosen size (arm64): it is too old, or of "
				 "another architecture");
	if (is_arm(kvm) != (arm > 0))
		return ward_fail(error, -EINVAL, "that is an interrupt controller of %s machines",
				 is_arm(kvm) ? "Arm" : "x86");
	return is_arm(kvm) ? ward_kvm_gic_create(kvm, error) : create_x86(kvm, error);
}

int ward_vm_kvm(int vmfd, const struct ward_vm_options *options, struct ward_vm **ret_vm,
		struct ward_error *ret_error)
{
	struct ward_kvm *kvm;
	struct ward_vm *vm;
	int code;

	kvm = ward_alloc(sizeof(*kvm));
	if (!kvm)
		return ward_fail(ret_error, -ENOMEM, "no memory");
	kvm->vmfd = vmfd;
	kvm->gic = kvm->its = -1;
	code = ward_vm_options_check(options, &kvm->options);
	if (code) {
		code = ward_fail(ret_error, code, "options that make no sense");
		goto free_kvm;
	}
	/* The controller comes last: it cannot be taken back. */
	code = ward_vm_create(&ward_kvm_ops, kvm, options, &vm);
	if (code) {
		code = ward_fail(ret_error, code, "no memory");
		goto free_kvm;
	}
	code = create_controller(kvm, ret_error);
	if (code) {
		ward_vm_destroy(vm);
		return code;
	}
	*ret_vm = vm;
	return 0;

free_kvm:
	free(kvm);
	return code;
}

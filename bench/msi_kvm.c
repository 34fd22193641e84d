// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What it takes to enable the vectors of one device at this machine's KVM: system calls, and commits of
 * the routing table. The function is an emulated one: one of the host adds one SET_IRQS.
 */
#include <doorward/routes.h>
#include <doorward/vector.h>
#include <doorward/wiring.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure.h"
#include "msi.h"

#define VECTORS 64u
#define ENTRY 16u
#define CONTROL 2u
#define CONTROL_ENABLE 0x8000u
#define ADDRESS 0xfee00000u

/* Calls of the library that reach the kernel: those below stand in for the C library's. */
static struct {
	unsigned int all, commits, irqfds;
} calls;

int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	calls.all++;
	calls.commits += request == KVM_SET_GSI_ROUTING;
	calls.irqfds += request == KVM_IRQFD;
	return (int)syscall(SYS_ioctl, fd, request, argument);
}

int eventfd(unsigned int count, int flags)
{
	calls.all++;
	return (int)syscall(SYS_eventfd2, count, flags);
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	const struct timespec limit = { .tv_sec = timeout / 1000,
					.tv_nsec = timeout % 1000 * 1000000L };

	calls.all++;
	return (int)syscall(SYS_ppoll, fds, count, timeout < 0 ? NULL : &limit, NULL, 0);
}

struct yard {
	struct ward_vm *vm;
	struct ward_routes *routes;
	struct ward_vectors *vectors;
	struct ward_wiring *wiring;
};

static bool make(struct yard *yard, int vmfd)
{
	static const struct ward_guest_doorbell doorbell = {
		.registers = { ADDRESS, ADDRESS + 0xfffff },
	};
	const struct ward_vm_options options = {
		.size = sizeof(options),
		.controller = WARD_VM_X86,
	};
	const struct ward_vectors_options vectors = {
		.size = sizeof(vectors),
		.msix_vectors = VECTORS,
		.msix_pba = 0x800,
	};
	struct ward_wiring_options wiring = {
		.size = sizeof(wiring),
		.doorbells = &doorbell,
		.doorbells_count = 1,
	};

	if (ward_vm_kvm(vmfd, &options, &yard->vm, NULL) || ward_vm_start(yard->vm) ||
	    ward_routes_create(yard->vm, &yard->routes) ||
	    ward_vectors_create(&vectors, &yard->vectors))
		return false;
	wiring.vectors = yard->vectors;
	wiring.vm = yard->vm;
	wiring.routes = yard->routes;
	return ward_wiring_create(&wiring, &yard->wiring) == 0;
}

static void end(struct yard *yard)
{
	ward_wiring_destroy(yard->wiring);
	ward_vectors_destroy(yard->vectors);
	ward_routes_destroy(yard->routes);
	ward_vm_destroy(yard->vm);
}

static bool put(struct yard *yard, uint32_t vector, uint32_t word, uint32_t value)
{
	return ward_vectors_write(yard->vectors, WARD_MSIX_TABLE, vector * ENTRY + word * 4, &value,
				  sizeof(value)) == 0;
}

/* As a guest does it: every entry, unmasked, then the enable bit. */
static bool program(struct yard *yard)
{
	const uint16_t enable = CONTROL_ENABLE;
	bool well = true;

	for (uint32_t i = 0; i < VECTORS; i++)
		well = well && put(yard, i, 0, ADDRESS) && put(yard, i, 1, 0) &&
		       put(yard, i, 2, 0x40 + i) && put(yard, i, 3, 0);
	return well && ward_vectors_write(yard->vectors, WARD_MSIX_CAPABILITY, CONTROL, &enable,
					  sizeof(enable)) == 0;
}

static bool sync_counted(struct yard *yard, const char *name, const char *after)
{
	double start = seconds_now();
	int code;

	memset(&calls, 0, sizeof(calls));
	code = ward_wiring_sync(yard->wiring, NULL);
	printf("    \"%s\": { \"system_calls\": %u, \"commits\": %u, \"irqfds\": %u, "
	       "\"us\": %.0f }%s\n",
	       name, calls.all, calls.commits, calls.irqfds, (seconds_now() - start) * 1e6, after);
	return code == 0;
}

static bool measure(struct yard *yard)
{
	bool well = program(yard) && sync_counted(yard, "enable_64_vectors", ",");

	well = well && sync_counted(yard, "nothing_changed", ",");
	well = well && put(yard, 5, 3, 1) && sync_counted(yard, "mask_one", ",");
	return well && put(yard, 5, 3, 0) && sync_counted(yard, "unmask_one", ",");
}

void bench_wiring(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vmfd = kvm >= 0 ? ioctl(kvm, KVM_CREATE_VM, 0) : -1;
	struct yard yard = { 0 };

	printf("{\n");
	if (vmfd < 0)
		printf("    \"enable_64_vectors\": null,\n    \"why\": \"%s\"\n",
		       kvm < 0 ? "/dev/kvm cannot be opened" : "KVM makes no VM");
	else if (!make(&yard, vmfd) || !measure(&yard))
		printf("    \"why\": \"KVM refuses something\"\n");
	else
		printf("    \"vectors\": %u\n", VECTORS);
	printf("  }");
	end(&yard);
	if (vmfd >= 0)
		close(vmfd);
	if (kvm >= 0)
		close(kvm);
}

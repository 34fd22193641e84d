// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The backend over KVM when each request in turn is refused, and what it asks of KVM: for Arm, too, for
 * ioctl of this program answers for either. That the answers are Linux's is for test_kvm.c and the test
 * machines to show.
 */
#include "../../backend/linux/kvm.h"
#include "../sweep.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define VMFD 1000
#define STEPS 16
#define TEXT 64

static struct {
	bool arm, cpus;
	/* The request that fails, counted down; 0: none. And how. */
	unsigned long fails_in;
	int error;
	bool failed;
	unsigned long fails_request;
	/* What was asked for, in order. */
	char step[STEPS][TEXT];
	unsigned int steps;
	unsigned char table[4096 * 48 + 8];
	struct kvm_irqfd irqfd;
	struct kvm_irq_level line;
	struct kvm_msi msi;
	int answer; /* to KVM_SIGNAL_MSI */
} kvm;

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (kvm.steps < STEPS)
		vsnprintf(kvm.step[kvm.steps++], TEXT, format, args);
	va_end(args);
}

static int create_device(struct kvm_create_device *asked)
{
	note("device %u", asked->type);
	asked->fd = (uint32_t)open("/dev/null", O_RDONLY | O_CLOEXEC);
	return 0;
}

static int set_attribute(const struct kvm_device_attr *asked)
{
	uint64_t value = 0;

	if (asked->addr && asked->group == WARD_VGIC_ADDR)
		memcpy(&value, (const void *)(uintptr_t)asked->addr, 8);
	else if (asked->addr)
		memcpy(&value, (const void *)(uintptr_t)asked->addr, 4);
	note("attribute %u.%llu %llx", asked->group, (unsigned long long)asked->attr,
	     (unsigned long long)value);
	return 0;
}

static int set_line(const struct kvm_irq_level *asked)
{
	kvm.line = *asked;
	if (kvm.arm && asked->irq >> WARD_ARM_IRQ_TYPE_SHIFT == WARD_ARM_IRQ_PPI)
		return kvm.cpus ? 0 : EINVAL;
	return 0;
}

static int answer(unsigned long request, void *argument)
{
	const struct kvm_irq_routing *table = argument;

	switch (request) {
	case KVM_CREATE_IRQCHIP:
		note("irqchip");
		return 0;
	case KVM_ENABLE_CAP:
		note("split %llu", ((const struct kvm_enable_cap *)argument)->args[0]);
		return 0;
	case KVM_CREATE_DEVICE:
		return create_device(argument);
	case KVM_SET_DEVICE_ATTR:
		return set_attribute(argument);
	case KVM_SET_GSI_ROUTING:
		memcpy(kvm.table, table, 8 + table->nr * 48);
		return 0;
	case KVM_IRQFD:
		kvm.irqfd = *(struct kvm_irqfd *)argument;
		return 0;
	case KVM_IRQ_LINE:
		return set_line(argument);
	case KVM_SIGNAL_MSI:
		kvm.msi = *(struct kvm_msi *)argument;
		return 0;
	default:
		return ENOTTY;
	}
}

static bool fails_now(unsigned long request)
{
	if (!kvm.fails_in || (kvm.fails_request && kvm.fails_request != request) || --kvm.fails_in)
		return false;
	kvm.failed = true;
	return true;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;
	int code;

	(void)fd;
	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	code = fails_now(request) ? kvm.error : 0;
	if (!code && request == KVM_CHECK_EXTENSION)
		return ((uintptr_t)argument == KVM_CAP_ARM_VM_IPA_SIZE) == kvm.arm;
	if (!code)
		code = answer(request, argument);
	errno = code ? code : errno;
	return code ? -1 : request == KVM_SIGNAL_MSI ? kvm.answer : 0;
}

static void reset(bool arm)
{
	memset(&kvm, 0, sizeof(kvm));
	kvm.arm = arm;
	kvm.cpus = true;
}

static int create(enum ward_vm_controller controller, struct ward_vm **ret_vm,
		  struct ward_error *ret_why)
{
	const struct ward_vm_options options = {
		.size = sizeof(options),
		.controller = controller,
		.cpus = 1,
		.interrupts = controller == WARD_VM_GICV2 ? 96 : 0,
		.its = controller == WARD_VM_GICV3_ITS ? ward_gpa(0x7ff0000) : ward_gpa(0),
		.reserved_pins = controller == WARD_VM_X86_SPLIT ? 24 : 0,
	};

	return ward_vm_kvm(VMFD, &options, ret_vm, ret_why);
}

static void expect_steps(const char *const *steps, unsigned int count)
{
	assert_int_equal(kvm.steps, count);
	for (unsigned int i = 0; i < count; i++)
		assert_string_equal(kvm.step[i], steps[i]);
}

static void asks_in_order(void **unused)
{
	static const char *const x86[] = { "irqchip" };
	static const char *const split[] = { "split 24" };
	static const char *const v2[] = { "device 5", "attribute 0.0 8000000",
					  "attribute 0.1 8010000", "attribute 3.0 60",
					  "attribute 4.0 0" };
	static const char *const v3[] = { "device 7", "attribute 0.2 8000000",
					  "attribute 0.3 80a0000", "attribute 3.0 100",
					  "attribute 4.0 0" };
	static const char *const its[] = {
		"device 7", "attribute 0.2 8000000", "attribute 0.3 80a0000", "attribute 3.0 100",
		"device 8", "attribute 0.4 7ff0000", "attribute 4.0 0",	      "attribute 4.0 0"
	};
	static const struct {
		enum ward_vm_controller controller;
		const char *const *steps;
		unsigned int count;
	} rows[] = { { WARD_VM_X86, x86, 1 },
		     { WARD_VM_X86_SPLIT, split, 1 },
		     { WARD_VM_GICV2, v2, 5 },
		     { WARD_VM_GICV3, v3, 5 },
		     { WARD_VM_GICV3_ITS, its, 8 } };

	(void)unused;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ward_vm *vm = NULL;

		reset(i >= 2);
		assert_int_equal(create(rows[i].controller, &vm, NULL), 0);
		assert_int_equal(ward_vm_start(vm), 0);
		expect_steps(rows[i].steps, rows[i].count);
		assert_int_equal(ward_vm_start(vm), 0);
		assert_int_equal(kvm.steps, rows[i].count);
		ward_vm_destroy(vm);
	}
}

static void other_architecture(void **unused)
{
	struct ward_error why = { "" };
	struct ward_vm *vm = NULL;

	(void)unused;
	reset(true);
	assert_int_equal(create(WARD_VM_X86, &vm, &why), -EINVAL);
	assert_int_equal(create(WARD_VM_X86_SPLIT, &vm, &why), -EINVAL);
	reset(false);
	assert_int_equal(create(WARD_VM_GICV2, &vm, &why), -EINVAL);
	assert_int_equal(create((enum ward_vm_controller)17, &vm, &why), -EINVAL);
	assert_null(vm);
	assert_int_equal(kvm.steps, 0);
}

static void without_cpus(void **unused)
{
	struct ward_vm *vm = NULL;

	(void)unused;
	reset(true);
	kvm.cpus = false;
	assert_int_equal(create(WARD_VM_GICV3, &vm, NULL), 0);
	assert_int_equal(ward_vm_start(vm), -ENODEV);
	kvm.cpus = true;
	assert_int_equal(ward_vm_start(vm), 0);
	ward_vm_destroy(vm);
}

/* Whatever is refused: an error that was announced, descriptors closed, nothing allocated left. */
static int live_and_die(enum ward_vm_controller controller)
{
	const struct ward_route routes[2] = {
		{ .gsi = ward_gsi(0), .kind = WARD_ROUTE_MSI, .flags = WARD_ROUTE_DEVID },
		{ .gsi = ward_gsi(1), .kind = WARD_ROUTE_MSI, .flags = WARD_ROUTE_DEVID }
	};
	const struct ward_irqfd irqfd = { .eventfd = 5, .gsi = ward_gsi(1) };
	struct ward_vm *vm = NULL;
	int code = create(controller, &vm, NULL);

	if (code)
		return code;
	code = ward_vm_start(vm);
	if (!code)
		code = ward_vm_set_routes(vm, routes, 2);
	if (!code)
		code = ward_vm_irqfd(vm, &irqfd);
	if (!code)
		code = ward_vm_irq_line(vm, 40, true);
	if (!code && controller == WARD_VM_GICV3_ITS)
		code = ward_vm_signal_msi(vm, routes);
	ward_vm_destroy(vm);
	return code;
}

static int free_descriptor(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	close(fd);
	return fd;
}

static void nothing_is_left(void **unused)
{
	static const int errors[] = { EIO, ENOMEM, ENODEV, ENXIO, EFAULT };
	int before = free_descriptor();

	(void)unused;
	for (int kind = WARD_VM_X86; kind <= WARD_VM_GICV3_ITS; kind++) {
		for (unsigned int i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
			unsigned long nth = 0;
			int code;

			do {
				reset(kind >= WARD_VM_GICV2);
				kvm.fails_in = ++nth;
				kvm.error = errors[i];
				code = live_and_die((enum ward_vm_controller)kind);
				assert_true(kvm.failed || code == 0);
				assert_true(code == 0 || code == -EIO || code == -ENODEV ||
					    (code == -ENOMEM && errors[i] == ENOMEM));
				assert_int_equal(free_descriptor(), before);
			} while (kvm.failed);
			assert_true(nth > 5);
		}
	}
}

static int sweep_body(void *context)
{
	return live_and_die(*(enum ward_vm_controller *)context);
}

static void allocations(void **unused)
{
	enum ward_vm_controller controller = WARD_VM_GICV3_ITS;

	(void)unused;
	reset(true);
	assert_true(test_sweep(sweep_body, &controller) >= 3);
}

static int create_code(bool arm, enum ward_vm_controller controller, unsigned long request,
		       int error, struct ward_error *ret_why)
{
	struct ward_vm *vm = NULL;
	int code;

	reset(arm);
	kvm.fails_request = request;
	kvm.fails_in = 1;
	kvm.error = error;
	code = create(controller, &vm, ret_why);
	assert_null(vm);
	return code;
}

static void create_says_why(void **unused)
{
	struct ward_error why = { "" };

	(void)unused;
	assert_int_equal(create_code(true, WARD_VM_GICV2, KVM_CREATE_DEVICE, ENODEV, &why),
			 -ENODEV);
	assert_non_null(strstr(why.text, "no GICv2"));
	assert_int_equal(create_code(true, WARD_VM_GICV3, KVM_CREATE_DEVICE, EEXIST, &why),
			 -EEXIST);
	assert_int_equal(create_code(true, WARD_VM_GICV3, KVM_CREATE_DEVICE, EBUSY, &why), -EBUSY);
	assert_int_equal(create_code(true, WARD_VM_GICV3, KVM_CREATE_DEVICE, E2BIG, &why), -EIO);
	assert_int_equal(create_code(true, WARD_VM_GICV3, KVM_SET_DEVICE_ATTR, E2BIG, &why),
			 -EINVAL);
	assert_non_null(strstr(why.text, "distributor cannot be at 0x8000000"));
	assert_int_equal(create_code(false, WARD_VM_X86, KVM_CREATE_IRQCHIP, EEXIST, &why),
			 -EEXIST);
	assert_int_equal(create_code(false, WARD_VM_X86, KVM_CHECK_EXTENSION, ENOTTY, &why), -EIO);
	assert_non_null(strstr(why.text, "no VM"));
}

static struct ward_vm *started(enum ward_vm_controller controller)
{
	struct ward_vm *vm = NULL;

	reset(controller >= WARD_VM_GICV2);
	assert_int_equal(create(controller, &vm, NULL), 0);
	assert_int_equal(ward_vm_start(vm), 0);
	return vm;
}

/* As KVM has it, byte for byte, and the same each time: also where the route has more than is used. */
static void entries(void **unused)
{
	static const unsigned char pin[48] = { [0] = 0x21, 0x03, [4] = 1, [20] = 0x45 };
	static const unsigned char msi[48] = { [0] = 0x22, 0x01, [4] = 2,     [16] = 0x40, 0x00,
					       0x01,	   0x08, [20] = 0x12, [24] = 7 };
	static const unsigned char devid[48] = {
		[0] = 0x23, [4] = 2,	 [8] = 1,  [16] = 0x40, 0x00, 0x01,
		0x08,	    [20] = 0x12, [24] = 7, [28] = 0x10, 0x32
	};
	struct ward_route routes[3] = {
		{ .gsi = ward_gsi(0x321), .kind = WARD_ROUTE_PIN, .pin = 0x45 },
		{ .gsi = ward_gsi(0x122), .kind = WARD_ROUTE_MSI, .data = 7 },
		{ .gsi = ward_gsi(0x23),
		  .kind = WARD_ROUTE_MSI,
		  .flags = WARD_ROUTE_DEVID,
		  .data = 7 },
	};
	struct ward_vm *vm = started(WARD_VM_GICV3_ITS);
	struct kvm_irq_routing head;

	(void)unused;
	for (unsigned int i = 0; i < 3; i++) {
		routes[i].devid = ward_devid(0x3210);
		routes[i].address = ward_gpa(UINT64_C(0x1208010040));
	}
	assert_int_equal(ward_vm_set_routes(vm, routes, 3), 0);
	memcpy(&head, kvm.table, sizeof(head));
	assert_int_equal(head.nr, 3);
	assert_int_equal(head.flags, 0);
	assert_memory_equal(kvm.table + 8, pin, 48);
	assert_memory_equal(kvm.table + 56, msi, 48);
	assert_memory_equal(kvm.table + 104, devid, 48);
	/* A shorter table, then the first again: nothing of another stays behind. */
	assert_int_equal(ward_vm_set_routes(vm, routes + 2, 1), 0);
	assert_memory_equal(kvm.table + 8, devid, 48);
	assert_int_equal(ward_vm_set_routes(vm, routes, 3), 0);
	assert_memory_equal(kvm.table + 8, pin, 48);
	assert_memory_equal(kvm.table + 104, devid, 48);
	ward_vm_destroy(vm);
}

static void requests(void **unused)
{
	const struct ward_route route = { .kind = WARD_ROUTE_MSI,
					  .flags = WARD_ROUTE_DEVID,
					  .address = ward_gpa(UINT64_C(0x100008010040)),
					  .data = 9,
					  .devid = ward_devid(0x18) };
	struct ward_irqfd irqfd = {
		.eventfd = 7, .gsi = ward_gsi(33), .flags = WARD_IRQFD_RESAMPLE, .resamplefd = 8
	};
	struct ward_vm *vm = started(WARD_VM_GICV3_ITS);

	(void)unused;
	assert_int_equal(ward_vm_irqfd(vm, &irqfd), 0);
	assert_int_equal(kvm.irqfd.fd, 7);
	assert_int_equal(kvm.irqfd.gsi, 33);
	assert_int_equal(kvm.irqfd.flags, KVM_IRQFD_FLAG_RESAMPLE);
	assert_int_equal(kvm.irqfd.resamplefd, 8);
	irqfd.flags = WARD_IRQFD_DEASSIGN;
	assert_int_equal(ward_vm_irqfd(vm, &irqfd), 0);
	assert_int_equal(kvm.irqfd.flags, KVM_IRQFD_FLAG_DEASSIGN);
	assert_int_equal(kvm.irqfd.resamplefd, 0);
	assert_int_equal(ward_vm_irq_line(vm, 45, true), 0);
	assert_int_equal(kvm.line.irq, 0x100002d);
	assert_int_equal(kvm.line.level, 1);
	kvm.answer = 1;
	assert_int_equal(ward_vm_signal_msi(vm, &route), 1);
	assert_int_equal(kvm.msi.address_lo, 0x8010040);
	assert_int_equal(kvm.msi.address_hi, 0x1000);
	assert_int_equal(kvm.msi.data, 9);
	assert_int_equal(kvm.msi.flags, KVM_MSI_VALID_DEVID);
	assert_int_equal(kvm.msi.devid, 0x18);
	ward_vm_destroy(vm);
	vm = started(WARD_VM_X86);
	assert_int_equal(ward_vm_irq_line(vm, 5, false), 0);
	assert_int_equal(kvm.line.irq, 5);
	ward_vm_destroy(vm);
}

static void errnos(void **unused)
{
	static const struct {
		unsigned long request;
		int error, code;
	} rows[] = {
		{ KVM_SET_GSI_ROUTING, EINVAL, -EINVAL },
		{ KVM_SET_GSI_ROUTING, ENOMEM, -ENOMEM },
		{ KVM_SET_GSI_ROUTING, EFAULT, -EIO },
		{ KVM_IRQFD, EINVAL, -EINVAL },
		{ KVM_IRQFD, EBADF, -EBADF },
		{ KVM_IRQFD, EAGAIN, -EAGAIN },
		{ KVM_IRQFD, EBUSY, -EBUSY },
		{ KVM_IRQFD, ENOMEM, -ENOMEM },
		{ KVM_IRQFD, EIO, -EIO },
		{ KVM_IRQ_LINE, EINVAL, -EINVAL },
		{ KVM_IRQ_LINE, ENXIO, -ENODEV },
		{ KVM_IRQ_LINE, EBUSY, -ENODEV },
		{ KVM_IRQ_LINE, EFAULT, -EIO },
		{ KVM_SIGNAL_MSI, EINVAL, -EINVAL },
		{ KVM_SIGNAL_MSI, ENODEV, -ENODEV },
		{ KVM_SIGNAL_MSI, EBUSY, -EBUSY },
		{ KVM_SIGNAL_MSI, EPERM, -EPERM },
		{ KVM_SIGNAL_MSI, EFAULT, -EIO },
	};
	const struct ward_route route = { .kind = WARD_ROUTE_MSI, .flags = WARD_ROUTE_DEVID };
	const struct ward_irqfd irqfd = { .eventfd = 7 };
	struct ward_vm *vm = started(WARD_VM_GICV3_ITS);

	(void)unused;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int code;

		kvm.fails_request = rows[i].request;
		kvm.fails_in = 1;
		kvm.error = rows[i].error;
		code = rows[i].request == KVM_SET_GSI_ROUTING ? ward_vm_set_routes(vm, &route, 1)
		       : rows[i].request == KVM_IRQFD	      ? ward_vm_irqfd(vm, &irqfd)
		       : rows[i].request == KVM_IRQ_LINE      ? ward_vm_irq_line(vm, 40, true)
							      : ward_vm_signal_msi(vm, &route);
		assert_int_equal(code, rows[i].code);
	}
	ward_vm_destroy(vm);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_in_order), cmocka_unit_test(other_architecture),
		cmocka_unit_test(without_cpus),	 cmocka_unit_test(nothing_is_left),
		cmocka_unit_test(allocations),	 cmocka_unit_test(create_says_why),
		cmocka_unit_test(entries),	 cmocka_unit_test(requests),
		cmocka_unit_test(errnos),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

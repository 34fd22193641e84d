// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The backend over KVM on this machine's KVM, where there is one: what becomes pending at a CPU. */
#include "kvm_rig.h"
#include "skip.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#if defined(__x86_64__)

static struct kvm_rig rig;
static struct ward_vm *vm;

static int setup(void **state)
{
	(void)state;
	vm = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ward_vm_destroy(vm);
	if (rig.kvm >= 0)
		kvm_rig_close(&rig);
	rig.kvm = -1;
	return 0;
}

static int create(enum ward_vm_controller controller, struct ward_vm **ret_vm,
		  struct ward_error *ret_why)
{
	const struct ward_vm_options options = {
		.size = sizeof(options),
		.controller = controller,
		.cpus = 1,
		.reserved_pins = controller == WARD_VM_X86_SPLIT ? 24 : 0,
	};

	return ward_vm_kvm(rig.vmfd, &options, ret_vm, ret_why);
}

static void begin(enum ward_vm_controller controller)
{
	if (kvm_rig_open(&rig)) {
		rig.kvm = -1;
		test_skip("there is no KVM here");
	}
	assert_int_equal(create(controller, &vm, NULL), 0);
	assert_int_equal(kvm_rig_cpu(&rig), 0);
	assert_int_equal(ward_vm_start(vm), 0);
	assert_int_equal(ward_vm_start(vm), 0);
}

static struct ward_route message(uint32_t gsi, uint32_t vector)
{
	return (struct ward_route){ .gsi = ward_gsi(gsi),
				    .kind = WARD_ROUTE_MSI,
				    .address = ward_gpa(KVM_RIG_ADDRESS),
				    .data = vector };
}

static int set_irqfd(int fd, uint32_t gsi, uint32_t flags)
{
	const struct ward_irqfd irqfd = { .eventfd = fd, .gsi = ward_gsi(gsi), .flags = flags };

	return ward_vm_irqfd(vm, &irqfd);
}

static void says_what_it_is(void **unused)
{
	struct ward_vm_info info;

	(void)unused;
	begin(WARD_VM_X86);
	ward_vm_info(vm, &info);
	assert_string_equal(info.name, "kvm");
	assert_true(info.started);
	assert_true(info.takes_msis);
	assert_false(info.needs_devid);
	assert_int_equal(info.default_gsis, 24);
}

static void controllers(void **unused)
{
	struct ward_error why = { "" };
	struct ward_vm *other = NULL;

	(void)unused;
	begin(WARD_VM_X86);
	assert_int_equal(create(WARD_VM_X86, &other, &why), -EEXIST);
	assert_non_null(strstr(why.text, "already"));
	assert_int_equal(create(WARD_VM_X86_SPLIT, &other, &why), -EEXIST);
	assert_int_equal(create(WARD_VM_GICV3, &other, &why), -EINVAL);
	assert_non_null(strstr(why.text, "Arm"));
	assert_null(other);
	ward_vm_destroy(vm);
	vm = NULL;
	kvm_rig_close(&rig);
	/* CPUs before it. */
	assert_int_equal(kvm_rig_open(&rig), 0);
	assert_true((rig.cpu = ioctl(rig.vmfd, KVM_CREATE_VCPU, 0)) >= 0);
	assert_int_equal(create(WARD_VM_X86, &other, &why), -EBUSY);
	assert_int_equal(create(WARD_VM_X86_SPLIT, &other, &why), -EBUSY);
	assert_null(other);
}

static void no_vm(void **unused)
{
	int file = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct ward_error why = { "" };

	(void)unused;
	rig.vmfd = file;
	assert_int_equal(create(WARD_VM_X86, &vm, &why), -EIO);
	assert_non_null(strstr(why.text, "no VM"));
	rig.vmfd = -1;
	assert_int_equal(create(WARD_VM_X86, &vm, &why), -EIO);
	assert_null(vm);
	close(file);
}

/* An eventfd raises what its GSI means, as the last table says, and no longer than it is assigned. */
static void arrives(enum ward_vm_controller controller)
{
	struct ward_route table[2] = { message(40, 0x51), message(41, 0x52) };
	int fd = eventfd(0, EFD_CLOEXEC);

	begin(controller);
	assert_int_equal(ward_vm_set_routes(vm, table, 2), 0);
	assert_int_equal(set_irqfd(fd, 40, 0), 0);
	assert_int_equal(set_irqfd(fd, 41, 0), -EBUSY);
	assert_false(kvm_rig_take(&rig, 0x51));
	assert_int_equal(eventfd_write(fd, 1), 0);
	assert_true(kvm_rig_comes(&rig, 0x51));
	table[0].data = 0x53;
	assert_int_equal(ward_vm_set_routes(vm, table, 2), 0);
	assert_int_equal(eventfd_write(fd, 1), 0);
	assert_true(kvm_rig_comes(&rig, 0x53));
	assert_false(kvm_rig_take(&rig, 0x51));
	assert_int_equal(set_irqfd(fd, 40, WARD_IRQFD_DEASSIGN), 0);
	assert_int_equal(eventfd_write(fd, 1), 0);
	assert_false(kvm_rig_take(&rig, 0x53));
	/* It kept what came meanwhile, and raises it once. */
	assert_int_equal(set_irqfd(fd, 41, 0), 0);
	assert_true(kvm_rig_comes(&rig, 0x52));
	assert_int_equal(set_irqfd(fd, 41, WARD_IRQFD_DEASSIGN), 0);
	assert_int_equal(set_irqfd(fd, 41, 0), 0);
	assert_false(kvm_rig_comes_soon(&rig, 0x52));
	close(fd);
}

static void arrives_full(void **unused)
{
	(void)unused;
	arrives(WARD_VM_X86);
}

static void arrives_split(void **unused)
{
	(void)unused;
	arrives(WARD_VM_X86_SPLIT);
}

static void signals(void **unused)
{
	struct ward_route route = message(0, 0x61);

	(void)unused;
	begin(WARD_VM_X86);
	assert_int_equal(ward_vm_signal_msi(vm, &route), 1);
	/* Pending already: it arrived, and is one. */
	assert_int_equal(ward_vm_signal_msi(vm, &route), 1);
	assert_true(kvm_rig_take(&rig, 0x61));
	assert_false(kvm_rig_take(&rig, 0x61));
	/* CPU 7, which there is not: with a map of its APICs KVM counts 0 CPUs, without one EPERM. */
	route.address = ward_gpa(KVM_RIG_ADDRESS | 7u << 12);
	assert_true(ward_vm_signal_msi(vm, &route) <= 0);
	route.kind = WARD_ROUTE_PIN;
	assert_int_equal(ward_vm_signal_msi(vm, &route), -EINVAL);
}

/* The whole table, as often as one likes; it is taken whole or not at all. */
static void whole_table(void **unused)
{
	struct ward_route *table = calloc(WARD_GSIS, sizeof(*table));
	int fd = eventfd(0, EFD_CLOEXEC);

	(void)unused;
	for (uint32_t i = 0; i < WARD_GSIS; i++)
		table[i] = message(i, 0x30 + i % 0xc0);
	begin(WARD_VM_X86);
	assert_int_equal(ward_vm_set_routes(vm, table, WARD_GSIS), 0);
	assert_int_equal(set_irqfd(fd, 4095, 0), 0);
	assert_int_equal(eventfd_write(fd, 1), 0);
	assert_true(kvm_rig_comes(&rig, 0x30 + 4095 % 0xc0));
	table[4095].data = 0x2f;
	table[0].kind = 9;
	assert_int_equal(ward_vm_set_routes(vm, table, WARD_GSIS), -EINVAL);
	assert_int_equal(eventfd_write(fd, 1), 0);
	assert_true(kvm_rig_comes(&rig, 0x30 + 4095 % 0xc0));
	assert_int_equal(ward_vm_set_routes(vm, NULL, 0), 0);
	assert_int_equal(eventfd_write(fd, 1), 0);
	assert_false(kvm_rig_take(&rig, 0x30 + 4095 % 0xc0));
	close(fd);
	free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(says_what_it_is, setup, teardown),
		cmocka_unit_test_setup_teardown(controllers, setup, teardown),
		cmocka_unit_test(no_vm),
		cmocka_unit_test_setup_teardown(arrives_full, setup, teardown),
		cmocka_unit_test_setup_teardown(arrives_split, setup, teardown),
		cmocka_unit_test_setup_teardown(signals, setup, teardown),
		cmocka_unit_test_setup_teardown(whole_table, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void elsewhere(void **unused)
{
	(void)unused;
	test_skip("CPUs are looked at by x86's local APIC");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(elsewhere) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* An emulated function of 64 vectors, wired to a guest of this machine's KVM. */
#include "../backend/kvm_rig.h"

#include <doorward/wiring.h>

#include "skip.h"

#if defined(__x86_64__)

#define VECTORS 64u
#define FIRST 0x40u

static struct kvm_rig rig;
static struct ward_vm *vm;
static struct ward_routes *routes;
static struct ward_vectors *vectors;
static struct ward_wiring *wiring;

static int setup(void **state)
{
	static const struct ward_guest_doorbell apic = { .registers = { 0xfee00000, 0xfeefffff } };
	const struct ward_vm_options options = {
		.size = sizeof(options),
		.controller = WARD_VM_X86,
		.cpus = 1,
	};
	const struct ward_vectors_options registers = {
		.size = sizeof(registers),
		.msi_vectors = 4,
		.msix_vectors = VECTORS,
	};
	struct ward_wiring_options wires = {
		.size = sizeof(wires),
		.doorbells = &apic,
		.doorbells_count = 1,
	};

	(void)state;
	rig.kvm = -1;
	if (kvm_rig_open(&rig)) {
		rig.kvm = -1;
		return 0;
	}
	if (ward_vm_kvm(rig.vmfd, &options, &vm, NULL) || kvm_rig_cpu(&rig) || ward_vm_start(vm) ||
	    ward_routes_create(vm, &routes) || ward_vectors_create(&registers, &vectors))
		return -1;
	wires.vm = vm;
	wires.routes = routes;
	wires.vectors = vectors;
	return ward_wiring_create(&wires, &wiring);
}

static int teardown(void **state)
{
	(void)state;
	if (rig.kvm < 0)
		return 0;
	ward_wiring_destroy(wiring);
	ward_vectors_destroy(vectors);
	ward_routes_destroy(routes);
	ward_vm_destroy(vm);
	kvm_rig_close(&rig);
	return 0;
}

static void set_register(enum ward_vector_registers which, uint32_t offset, uint64_t value,
			 size_t size)
{
	assert_int_equal(ward_vectors_write(vectors, which, offset, &value, size), 0);
}

static void entry(uint32_t vector, uint32_t data)
{
	set_register(WARD_MSIX_TABLE, vector * 16, KVM_RIG_ADDRESS, 8);
	set_register(WARD_MSIX_TABLE, vector * 16 + 8, data, 8);
}

static void mask(uint32_t vector, bool masked)
{
	set_register(WARD_MSIX_TABLE, vector * 16 + 12, masked, 4);
}

static void sync_well(void)
{
	struct ward_error error = { "" };

	if (ward_wiring_sync(wiring, &error) || ward_wiring_verify(wiring, &error))
		fail_msg("%s", error.text);
}

static bool is_pending(uint32_t vector)
{
	struct ward_vector now;

	assert_int_equal(ward_vectors_get(vectors, vector, &now), 0);
	return now.pending;
}

static void enable_all(void)
{
	for (uint32_t i = 0; i < VECTORS; i++)
		entry(i, FIRST + i);
	set_register(WARD_MSIX_CAPABILITY, 3, 0x80, 1);
	sync_well();
}

static void test_sixty_four(void **state)
{
	struct ward_routes_info info;

	(void)state;
	if (rig.kvm < 0)
		test_skip("there is no KVM here");
	enable_all();
	ward_routes_info(routes, &info);
	assert_int_equal(info.commits, 1);
	assert_int_equal(info.allocated, VECTORS);
	for (uint32_t i = 0; i < VECTORS; i++) {
		assert_int_equal(ward_wiring_raise(wiring, i), 0);
		assert_true(kvm_rig_comes(&rig, FIRST + i));
	}
	ward_vectors_reset(vectors);
	sync_well();
	ward_routes_info(routes, &info);
	assert_int_equal(info.commits, 2);
	assert_int_equal(info.allocated, 0);
}

/* What comes while a vector is masked is kept, shown, and delivered by the new message alone. */
static void test_masked(void **state)
{
	struct ward_routes_info info;

	(void)state;
	if (rig.kvm < 0)
		test_skip("there is no KVM here");
	enable_all();
	mask(5, true);
	sync_well();
	assert_int_equal(ward_wiring_raise(wiring, 5), 0);
	assert_int_equal(ward_wiring_raise(wiring, 5), 0);
	assert_true(is_pending(5));
	mask(5, false);
	sync_well();
	assert_false(is_pending(5));
	assert_true(kvm_rig_comes(&rig, FIRST + 5));
	ward_routes_info(routes, &info);
	assert_int_equal(info.commits, 1);
	mask(5, true);
	sync_well();
	assert_int_equal(ward_wiring_raise(wiring, 5), 0);
	entry(5, 0xb5);
	sync_well();
	assert_true(kvm_rig_comes(&rig, 0xb5));
	assert_false(kvm_rig_take(&rig, FIRST + 5));
	ward_routes_info(routes, &info);
	assert_int_equal(info.commits, 2);
}

static void test_msi(void **state)
{
	(void)state;
	if (rig.kvm < 0)
		test_skip("there is no KVM here");
	set_register(WARD_MSI_CAPABILITY, 4, KVM_RIG_ADDRESS, 4);
	set_register(WARD_MSI_CAPABILITY, 8, 0x60, 2);
	set_register(WARD_MSI_CAPABILITY, 2, 0x21, 2);
	sync_well();
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(ward_wiring_raise(wiring, i), 0);
		assert_true(kvm_rig_comes(&rig, 0x60 + i));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sixty_four, setup, teardown),
		cmocka_unit_test_setup_teardown(test_masked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msi, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void test_elsewhere(void **state)
{
	(void)state;
	test_skip("its guests are of x86");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_elsewhere) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif

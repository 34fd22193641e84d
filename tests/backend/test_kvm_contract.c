// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The contract of VMs on this machine's KVM, where there is one: with the library's checks in front, and
 * (linked with vm_raw.c) without them, so that what the library refuses is what KVM refuses. On arm64
 * the test machines run it (tests/machines/kvm-contract.c).
 */
#include "kvm_guest.h"
#include "skip.h"
#include "vm_raw.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#if defined(__x86_64__)

static const struct {
	enum ward_vm_controller controller;
	const char *name;
} kinds[] = {
	{ WARD_VM_X86, "x86" },
	{ WARD_VM_X86_SPLIT, "split" },
};

static struct kvm_host host;
static struct vm_contract contract;
static size_t kind_now;
static const struct vm_contract_case *case_now;

static void failed(struct contract *table, const char *text)
{
	(void)table;
	fail_msg("%s", text);
}

static int setup(void **state)
{
	char path[4096];

	(void)state;
	contract = (struct vm_contract){
		.controller = kinds[kind_now].controller,
		.ops = &kvm_guest_ops,
		.context = &host,
		.table = { .column = "kvm-x86", .failed = failed },
	};
	snprintf(path, sizeof(path), "%s/docs/interrupts.md", getenv("DOORWARD_SOURCE"));
	assert_true(contract_read_differences(&contract.table, path));
	vm_contract_begin(&contract);
	case_now = vm_contract_cases;
	return 0;
}

static void run_case(void **state)
{
	const struct vm_contract_case *one = case_now++;

	(void)state;
	if (host.kvm < 0)
		test_skip("there is no KVM here");
	one->run(&contract);
}

static int run_kind(void)
{
	static char names[2][16][96];
	struct CMUnitTest tests[16] = { { 0 } };
	size_t count = 0;

	for (; vm_contract_cases[count].name; count++) {
		char *name = names[kind_now][count];

		snprintf(name, sizeof(names[0][0]), "%s%s: %s", kinds[kind_now].name,
			 vm_is_raw() ? " alone" : "", vm_contract_cases[count].name);
		tests[count] = (struct CMUnitTest){ .name = name, .test_func = run_case };
	}
	return _cmocka_run_group_tests(kinds[kind_now].name, tests, count, setup, NULL);
}

int main(void)
{
	int failures = 0, vm;

	host.kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	vm = host.kvm < 0 ? -1 : ioctl(host.kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		host.kvm = -1;
	else
		close(vm);
	for (kind_now = 0; kind_now < sizeof(kinds) / sizeof(kinds[0]); kind_now++)
		failures += run_kind();
	return failures;
}

#else

static void elsewhere(void **unused)
{
	(void)unused;
	test_skip("on arm64 the test machines run it");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(elsewhere) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif

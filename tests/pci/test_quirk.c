/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Tables of known devices that are looked up as a whole: backdoors and resets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "pci/backdoor.h"
#include "pci/bytes.h"
#include "pci/reset_quirk.h"

static struct ward_function make(uint16_t vendor, uint16_t device, uint32_t class_code)
{
	struct ward_function function;

	blank(&function);
	function.vendor = vendor;
	function.device = device;
	function.class_code = class_code;
	return function;
}

static unsigned int reaches(const struct ward_function *function)
{
	const struct ward_backdoor *row = NULL;
	unsigned int mask = 0;

	while ((row = ward_backdoor_find(function, row))) {
		assert_non_null(row->name);
		assert_non_null(row->text);
		assert_non_null(row->source);
		assert_int_not_equal(row->bars, 0);
		mask |= 1u << row->reach;
	}
	return mask;
}

static void backdoors(void **state)
{
	static const struct {
		uint16_t vendor, device;
		uint32_t class_code;
		unsigned int reaches;
	} cases[] = {
		{ 0x10de, 0x0a65, 0x030000,
		  1 << WARD_BACKDOOR_OWN_CONFIG | 1 << WARD_BACKDOOR_SIBLINGS },
		{ 0x10de, 0x1b80, 0x030200,
		  1 << WARD_BACKDOOR_OWN_CONFIG | 1 << WARD_BACKDOOR_SIBLINGS },
		{ 0x10de, 0x01d1, 0x030000, 1 << WARD_BACKDOOR_OWN_CONFIG },
		{ 0x10de, 0x10f0, 0x040300, 0 },
		{ 0x1002, 0x67df, 0x030000, 1 << WARD_BACKDOOR_OWN_CONFIG },
		{ 0x10ec, 0x8168, 0x020000, 1 << WARD_BACKDOOR_OWN_CONFIG },
		{ 0x1a03, 0x2000, 0x030000, 1 << WARD_BACKDOOR_MACHINE },
		{ 0x8086, 0x0112, 0x030000, 1 << WARD_BACKDOOR_MACHINE },
		/* From Haswell on the mirror can only be read. */
		{ 0x8086, 0x0412, 0x030000, 0 },
		{ 0x8086, 0x9a0b, 0x010400, 1 << WARD_BACKDOOR_BEHIND },
		{ 0x10b5, 0x8747, 0x060400, 1 << WARD_BACKDOOR_BEHIND },
		{ 0x10b5, 0x87b0, 0x068000, 1 << WARD_BACKDOOR_BRIDGE },
		{ 0x11f8, 0x8536, 0x058000, 1 << WARD_BACKDOOR_SIBLINGS },
		{ 0x11f8, 0x8536, 0x060400, 0 },
		{ 0x1af4, 0x1041, 0x020000, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ward_function f =
			make(cases[i].vendor, cases[i].device, cases[i].class_code);

		assert_int_equal(reaches(&f), cases[i].reaches);
	}
}

static void resets(void **state)
{
	const uint32_t all = WARD_RESET_FLR | WARD_RESET_AF | WARD_RESET_PM;
	struct ward_function f = make(0x8086, 0x1502, 0x020000);

	(void)state;
	f.resets = all;
	assert_int_equal(ward_reset_quirk(&f), WARD_RESET_PM);
	f = make(0x8086, 0x1501, 0x020000);
	f.resets = all;
	assert_int_equal(ward_reset_quirk(&f), all);
	/* Graphics keep their state over D3; on a root bus there is nothing better. */
	f = make(0x1002, 0x6611, 0x030000);
	f.resets = all;
	assert_int_equal(ward_reset_quirk(&f), all);
	f.parent = 0;
	assert_int_equal(ward_reset_quirk(&f), WARD_RESET_FLR | WARD_RESET_AF);
	f.class_code = 0x040300;
	assert_int_equal(ward_reset_quirk(&f), all);
	/* One revision only. */
	f = make(0xd063, 0x1000, 0x020000);
	f.resets = WARD_RESET_FLR;
	assert_int_equal(ward_reset_quirk(&f), WARD_RESET_FLR);
	f.revision = 1;
	assert_int_equal(ward_reset_quirk(&f), 0);
	/* Methods of the kernel's own, some on top of FLR only. */
	f = make(0x8086, 0x10ed, 0x020000);
	assert_int_equal(ward_reset_quirk(&f), WARD_RESET_DEVICE);
	f = make(0x1425, 0x4123, 0x020000);
	assert_int_equal(ward_reset_quirk(&f), WARD_RESET_DEVICE);
	f = make(0x1425, 0x5123, 0x020000);
	assert_int_equal(ward_reset_quirk(&f), 0);
	f = make(0x144d, 0xa804, 0x010802);
	assert_int_equal(ward_reset_quirk(&f), 0);
	f.resets = WARD_RESET_FLR;
	assert_int_equal(ward_reset_quirk(&f), WARD_RESET_FLR | WARD_RESET_DEVICE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backdoors),
		cmocka_unit_test(resets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include <doorward/types.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void an_address_comes_back_as_it_was_written(void **state)
{
	static const char *const texts[] = { "0000:00:00.0", "0000:ff:1f.7", "abcd:12:0a.3",
					     "10000:01:00.0", "ffffffff:ff:1f.7" };
	char back[WARD_ADDRESS_TEXT];
	struct ward_address address;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(ward_address_parse(texts[i], &address), 0);
		ward_address_format(address, back);
		assert_string_equal(back, texts[i]);
	}
}

static void without_a_segment_it_is_segment_0(void **state)
{
	struct ward_address address;

	(void)state;
	assert_int_equal(ward_address_parse("03:00.1", &address), 0);
	assert_int_equal(address.segment, 0);
	assert_int_equal(ward_rid_raw(address.rid), 0x0301);
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const texts[] = { "",
					     "0",
					     "00:00",
					     "00:00.",
					     "00:00.8",
					     "00:20.0",
					     "100:00.0",
					     "0000:00:00.0 ",
					     " 0000:00:00.0",
					     "0000:00:00.0x",
					     "0000:00:00.00",
					     "0000-00-00.0",
					     "1ffffffff:00:00.0",
					     "+0:00.0",
					     "0x0:00:00.0" };
	struct ward_address address = { .segment = 42 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (ward_address_parse(texts[i], &address) != -EINVAL)
			fail_msg("\"%s\" was taken for an address", texts[i]);
	}
	assert_int_equal(address.segment, 42);
}

static void addresses_sort_by_segment_then_bus(void **state)
{
	struct ward_address low, high;

	(void)state;
	assert_int_equal(ward_address_parse("0000:ff:1f.7", &low), 0);
	assert_int_equal(ward_address_parse("0001:00:00.0", &high), 0);
	assert_true(ward_address_compare(low, high) < 0);
	assert_true(ward_address_compare(high, low) > 0);
	assert_int_equal(ward_address_compare(low, low), 0);
	assert_int_equal(ward_address_parse("0000:fe:00.0", &high), 0);
	assert_true(ward_address_compare(low, high) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_comes_back_as_it_was_written),
		cmocka_unit_test(without_a_segment_it_is_segment_0),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(addresses_sort_by_segment_then_bus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

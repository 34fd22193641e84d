// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include <doorward/types.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_range_keeps_both_ends(void **state)
{
	struct ward_range range;

	(void)state;
	assert_int_equal(ward_range_make(0x1000, 0x2000, &range), 0);
	assert_int_equal(range.start, 0x1000);
	assert_int_equal(range.last, 0x2fff);
	assert_true(ward_range_has(range, 0x1000));
	assert_true(ward_range_has(range, 0x2fff));
	assert_false(ward_range_has(range, 0xfff));
	assert_false(ward_range_has(range, 0x3000));
}

static void the_last_byte_of_the_space_is_in_reach(void **state)
{
	struct ward_range range;

	(void)state;
	assert_int_equal(ward_range_make(UINT64_MAX, 1, &range), 0);
	assert_int_equal(range.last, UINT64_MAX);
	assert_int_equal(ward_range_make(0, UINT64_MAX, &range), 0);
	assert_int_equal(range.last, UINT64_MAX - 1);
}

static void a_refused_range_leaves_the_output_alone(void **state)
{
	struct ward_range range = { 7, 9 };

	(void)state;
	assert_int_equal(ward_range_make(5, 0, &range), -EINVAL);
	assert_int_equal(ward_range_make(2, UINT64_MAX, &range), -EOVERFLOW);
	assert_int_equal(range.start, 7);
	assert_int_equal(range.last, 9);
}

static void ranges_overlap_when_they_share_one_address(void **state)
{
	const struct ward_range low = { 0, 9 }, touching = { 9, 12 }, apart = { 10, 12 };

	(void)state;
	assert_true(ward_range_overlaps(low, touching));
	assert_true(ward_range_overlaps(touching, low));
	assert_false(ward_range_overlaps(low, apart));
	assert_false(ward_range_overlaps(low, WARD_RANGE_EMPTY));
	assert_true(ward_range_is_empty(WARD_RANGE_EMPTY));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_range_keeps_both_ends),
		cmocka_unit_test(the_last_byte_of_the_space_is_in_reach),
		cmocka_unit_test(a_refused_range_leaves_the_output_alone),
		cmocka_unit_test(ranges_overlap_when_they_share_one_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include <doorward/memory.h>

#include "sweep.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct ward_memory *memory;

static int setup(void **state)
{
	(void)state;
	return ward_memory_create(&memory);
}

static int teardown(void **state)
{
	(void)state;
	ward_memory_destroy(memory);
	memory = NULL;
	return 0;
}

static int add(uint64_t start, uint64_t last, uint32_t flags, void *host)
{
	return ward_memory_add(memory, (struct ward_range){ start, last }, flags, host);
}

static void what_was_written_is_read(void **state)
{
	unsigned char bytes[64], back[64];
	size_t i, offset, size;

	(void)state;
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 7 + 1);
	assert_int_equal(add(0x1000, 0x1fff, 0, NULL), 0);
	for (offset = 0; offset < 16; offset++) {
		for (size = 0; size <= 40; size++) {
			memset(back, 0xee, sizeof(back));
			assert_int_equal(ward_memory_write(memory, 0x1800 + offset, bytes, size),
					 0);
			assert_int_equal(ward_memory_read(memory, 0x1800 + offset, back, size), 0);
			assert_memory_equal(back, bytes, size);
			assert_int_equal(back[size], 0xee);
		}
	}
}

static void new_memory_is_zero(void **state)
{
	unsigned char back[4096], none[4096] = { 0 };

	(void)state;
	assert_int_equal(add(0x1003, 0x2002, 0, NULL), 0);
	memset(back, 1, sizeof(back));
	assert_int_equal(ward_memory_read(memory, 0x1003, back, sizeof(back)), 0);
	assert_memory_equal(back, none, sizeof(back));
}

/* For UBSan: there is no array of regions yet. */
static void an_empty_memory_has_nothing(void **state)
{
	static const struct ward_range range = { 0, 7 };
	uint64_t word = 7;

	(void)state;
	assert_int_equal(ward_memory_read(memory, 0, &word, 8), -EFAULT);
	assert_int_equal(ward_memory_read_u64(memory, 0, &word), -EFAULT);
	assert_int_equal(ward_memory_write_u64(memory, 0, 1), -EFAULT);
	assert_null(ward_memory_at(memory, range, false));
	assert_int_equal(ward_memory_remove(memory, range), -ENOENT);
	assert_int_equal(word, 7);
}

static void an_access_outside_fails_whole(void **state)
{
	unsigned char bytes[32], back[32];

	(void)state;
	memset(bytes, 0x55, sizeof(bytes));
	memset(back, 0x11, sizeof(back));
	assert_int_equal(add(0x1000, 0x1fff, 0, NULL), 0);
	assert_int_equal(ward_memory_read(memory, 0xfff, back, 1), -EFAULT);
	assert_int_equal(ward_memory_read(memory, 0x2000, back, 1), -EFAULT);
	assert_int_equal(ward_memory_read(memory, 0x1ff0, back, 17), -EFAULT);
	assert_int_equal(ward_memory_read(memory, UINT64_MAX - 3, back, 16), -EFAULT);
	assert_int_equal(back[0], 0x11);
	assert_int_equal(ward_memory_write(memory, 0x1ff0, bytes, 17), -EFAULT);
	assert_int_equal(ward_memory_write(memory, 0xff0, bytes, 32), -EFAULT);
	assert_int_equal(ward_memory_read(memory, 0x1ff0, back, 16), 0);
	assert_int_equal(back[0], 0);
	assert_int_equal(ward_memory_read(memory, 0x1000, back, 16), 0);
	assert_int_equal(back[0], 0);
	assert_int_equal(ward_memory_read(memory, 0x5000, back, 0), 0);
}

static void touching_regions_are_one(void **state)
{
	static unsigned char low[16], high[16];
	unsigned char bytes[24], back[24];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i + 1);
	assert_int_equal(add(0x1010, 0x101f, 0, high), 0);
	assert_int_equal(add(0x1000, 0x100f, 0, low), 0);
	assert_int_equal(add(0x1021, 0x102f, 0, NULL), 0);
	assert_int_equal(ward_memory_write(memory, 0x1004, bytes, 24), 0);
	assert_int_equal(low[15], 12);
	assert_int_equal(high[0], 13);
	assert_int_equal(ward_memory_read(memory, 0x1004, back, 24), 0);
	assert_memory_equal(bytes, back, 24);
	/* One byte is missing at 0x1020. */
	assert_int_equal(ward_memory_write(memory, 0x101c, bytes, 8), -EFAULT);
	assert_int_equal(high[12], 0);
}

static void regions_do_not_overlap(void **state)
{
	(void)state;
	assert_int_equal(add(0x1000, 0x1fff, 0, NULL), 0);
	assert_int_equal(add(0x3000, 0x3fff, 0, NULL), 0);
	assert_int_equal(add(0x1000, 0x1000, 0, NULL), -EEXIST);
	assert_int_equal(add(0x1fff, 0x2000, 0, NULL), -EEXIST);
	assert_int_equal(add(0x0, 0x1000, 0, NULL), -EEXIST);
	assert_int_equal(add(0x0, 0xffff, 0, NULL), -EEXIST);
	assert_int_equal(add(0x2000, 0x3000, 0, NULL), -EEXIST);
	assert_int_equal(add(0x2000, 0x2fff, 0, NULL), 0);
	assert_int_equal(add(0x10, 0xf, 0, NULL), -EINVAL);
	assert_int_equal(add(0x10000, 0x1ffff, 2, NULL), -EINVAL);
}

static void read_only_is_not_written(void **state)
{
	uint64_t value = 1;

	(void)state;
	assert_int_equal(add(0x1000, 0x1fff, WARD_MEMORY_READ_ONLY, NULL), 0);
	assert_int_equal(add(0x2000, 0x2fff, 0, NULL), 0);
	assert_int_equal(ward_memory_write(memory, 0x1000, &value, 8), -EFAULT);
	assert_int_equal(ward_memory_write_u64(memory, 0x1000, 5), -EFAULT);
	assert_int_equal(ward_memory_write(memory, 0x1ffc, "12345678", 8), -EFAULT);
	assert_int_equal(ward_memory_read_u64(memory, 0x2000, &value), 0);
	assert_int_equal(value, 0);
	assert_null(ward_memory_at(memory, (struct ward_range){ 0x1000, 0x1007 }, true));
	assert_non_null(ward_memory_at(memory, (struct ward_range){ 0x1000, 0x1007 }, false));
}

static void words_are_little_endian(void **state)
{
	static unsigned char host[40];
	static const unsigned char wanted[8] = { 8, 7, 6, 5, 4, 3, 2, 1 };
	uint64_t value = 0;
	unsigned char *odd = host + 3 - ((uintptr_t)host & 7);

	(void)state;
	if (odd < host)
		odd += 8;
	assert_int_equal(add(0x1000, 0x1fff, 0, NULL), 0);
	assert_int_equal(ward_memory_write_u64(memory, 0x1008, 0x0102030405060708), 0);
	assert_memory_equal(ward_memory_at(memory, (struct ward_range){ 0x1008, 0x100f }, false),
			    wanted, 8);
	assert_int_equal(ward_memory_read_u64(memory, 0x1008, &value), 0);
	assert_true(value == 0x0102030405060708);
	assert_int_equal(ward_memory_read_u64(memory, 0x1009, &value), -EINVAL);
	assert_int_equal(ward_memory_write_u64(memory, 0x100c, value), -EINVAL);
	assert_int_equal(ward_memory_read_u64(memory, 0x2000, &value), -EFAULT);
	assert_int_equal(ward_memory_write_u64(memory, 0x800, value), -EFAULT);

	/* Borrowed where an aligned address is not aligned in this process. */
	assert_int_equal(add(0x4000, 0x400f, 0, odd), 0);
	assert_int_equal(ward_memory_write_u64(memory, 0x4008, 0x0102030405060708), 0);
	assert_memory_equal(odd + 8, wanted, 8);
	assert_int_equal(ward_memory_read_u64(memory, 0x4008, &value), 0);
	assert_true(value == 0x0102030405060708);
}

static void a_word_may_lie_across_two_regions(void **state)
{
	uint64_t value = 9;

	(void)state;
	assert_int_equal(add(0x1000, 0x1003, 0, NULL), 0);
	assert_int_equal(ward_memory_read_u64(memory, 0x1000, &value), -EFAULT);
	assert_int_equal(add(0x1004, 0x1fff, 0, NULL), 0);
	assert_int_equal(ward_memory_write_u64(memory, 0x1000, 0x1122334455667788), 0);
	assert_int_equal(ward_memory_read_u64(memory, 0x1000, &value), 0);
	assert_true(value == 0x1122334455667788);
	assert_null(ward_memory_at(memory, (struct ward_range){ 0x1000, 0x1007 }, false));
}

static void the_last_address_can_be_used(void **state)
{
	uint64_t value = 0;

	(void)state;
	assert_int_equal(add(UINT64_MAX - 0xfff, UINT64_MAX, 0, NULL), 0);
	assert_int_equal(ward_memory_write_u64(memory, UINT64_MAX - 7, 77), 0);
	assert_int_equal(ward_memory_read(memory, UINT64_MAX - 7, &value, 8), 0);
	assert_int_equal(value, 77);
	assert_int_equal(ward_memory_read(memory, UINT64_MAX, &value, 2), -EFAULT);
}

static void a_region_is_removed_by_its_own_addresses(void **state)
{
	struct ward_range range = { 0x1000, 0x1ffe };
	char byte;

	(void)state;
	assert_int_equal(add(0x3000, 0x3fff, WARD_MEMORY_READ_ONLY, NULL), 0);
	assert_int_equal(add(0x1000, 0x1fff, 0, NULL), 0);
	assert_int_equal(ward_memory_remove(memory, range), -ENOENT);
	range.last = 0x1fff;
	assert_int_equal(ward_memory_remove(memory, range), 0);
	assert_int_equal(ward_memory_remove(memory, range), -ENOENT);
	assert_int_equal(ward_memory_read(memory, 0x1000, &byte, 1), -EFAULT);
	assert_int_equal(ward_memory_read(memory, 0x3000, &byte, 1), 0);
}

static void there_is_a_limit(void **state)
{
	static char byte;
	uint64_t i;

	(void)state;
	for (i = 0; i < WARD_MEMORY_REGIONS; i++)
		assert_int_equal(add(i * 37 % WARD_MEMORY_REGIONS * 2,
				     i * 37 % WARD_MEMORY_REGIONS * 2, 0, &byte),
				 0);
	assert_int_equal(add(1, 1, 0, &byte), -ENOSPC);
	assert_int_equal(add(2, 2, 0, &byte), -EEXIST);
	/* More than can be had. */
	ward_memory_remove(memory, (struct ward_range){ 0, 0 });
	assert_int_equal(add(0x8000000000, UINT64_MAX, 0, NULL), -ENOMEM);
}

static int make(void *context)
{
	struct ward_memory *made;
	int code = ward_memory_create(&made);

	(void)context;
	if (code)
		return code;
	code = ward_memory_add(made, (struct ward_range){ 0, 99 }, 0, NULL);
	ward_memory_destroy(made);
	return code;
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	assert_int_equal(test_sweep(make, NULL), 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_was_written_is_read),
		TEST(new_memory_is_zero),
		TEST(an_empty_memory_has_nothing),
		TEST(an_access_outside_fails_whole),
		TEST(touching_regions_are_one),
		TEST(regions_do_not_overlap),
		TEST(read_only_is_not_written),
		TEST(words_are_little_endian),
		TEST(a_word_may_lie_across_two_regions),
		TEST(the_last_address_can_be_used),
		TEST(a_region_is_removed_by_its_own_addresses),
		TEST(there_is_a_limit),
		TEST(every_allocation_may_fail),
	};

	return cmocka_run_group_tests_name("base/memory", tests, NULL, NULL);
}

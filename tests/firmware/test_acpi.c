// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The header that all tables have, and readers that stay inside. */
#include "table_maker.h"

static int open_any(const void *bytes, size_t size, struct ward_error *ret_error)
{
	struct ward_acpi_table table;

	return ward_acpi_open(bytes, size, "TEST", 40, &table, ret_error);
}

static void make(struct table *table)
{
	start_table(table, "TEST");
	put(table, 4, 0x44332211);
	put(table, 8, 0x8877665544332211);
	finish_table(table);
}

static void header_is_taken(void **state)
{
	struct ward_acpi_table table;
	struct table made;

	(void)state;
	make(&made);
	made.bytes[8] = 3;
	finish_table(&made);
	assert_int_equal(ward_acpi_open(made.bytes, made.size, "TEST", 40, &table, NULL), 0);
	assert_int_equal(table.size, 48);
	assert_int_equal(table.revision, 3);
	assert_string_equal(table.oem_id, "MAKER ");
	assert_string_equal(table.name, "TEST");
}

static void bytes_behind_the_length_are_ignored(void **state)
{
	struct ward_acpi_table table;
	struct table made;

	(void)state;
	make(&made);
	made.bytes[48] = 0x55;
	assert_int_equal(ward_acpi_open(made.bytes, 64, "TEST", 40, &table, NULL), 0);
	assert_int_equal(table.size, 48);
	assert_int_equal(ward_acpi_u32(&table, 46), 0);
}

static void bad_headers_are_refused(void **state)
{
	struct ward_error error;
	struct table made;

	(void)state;
	make(&made);
	refuse(open_any, &made, 0, 4, 0x54534546, "signature");
	refuse(open_any, &made, 4, 4, 49, "the length says 49");
	refuse(open_any, &made, 4, 4, 0xffffffff, "the length says");
	refuse(open_any, &made, 4, 4, 0, "the length says 0");
	refuse(open_any, &made, 4, 4, 39, "less than 40");
	made.bytes[9]++;
	assert_int_equal(open_any(made.bytes, made.size, &error), -EBADMSG);
	assert_non_null(strstr(error.text, "TEST at 0x9: the checksum is wrong by 0x01"));
	assert_int_equal(open_any(made.bytes, 35, &error), -EBADMSG);
	assert_non_null(strstr(error.text, "35 bytes"));
	assert_int_equal(open_any(made.bytes, 0, NULL), -EBADMSG);
}

static void larger_than_the_limit_is_refused(void **state)
{
	size_t size = WARD_ACPI_SIZE_MAX + 1u;
	uint8_t *bytes = calloc(1, size);
	struct ward_error error;

	(void)state;
	assert_non_null(bytes);
	memcpy(bytes, "TEST", 4);
	memcpy(bytes + 4, &(uint32_t){ (uint32_t)size }, 4);
	assert_int_equal(open_any(bytes, size, &error), -EBADMSG);
	free(bytes);
}

static void readers_are_little_endian_and_bounded(void **state)
{
	struct ward_acpi_table table;
	struct table made;

	(void)state;
	make(&made);
	assert_int_equal(ward_acpi_open(made.bytes, made.size, "TEST", 40, &table, NULL), 0);
	assert_int_equal(ward_acpi_u8(&table, 36), 0x11);
	assert_int_equal(ward_acpi_u16(&table, 36), 0x2211);
	assert_int_equal(ward_acpi_u32(&table, 36), 0x44332211);
	assert_true(ward_acpi_u64(&table, 40) == 0x8877665544332211);
	assert_int_equal(ward_acpi_u8(&table, 47), 0x88);
	assert_int_equal(ward_acpi_u8(&table, 48), 0);
	assert_int_equal(ward_acpi_u16(&table, 47), 0);
	assert_int_equal(ward_acpi_u32(&table, 0xffffffff), 0);
	assert_true(ward_acpi_u64(&table, 41) == 0);
	assert_true(ward_acpi_has(&table, 48, 0));
	assert_false(ward_acpi_has(&table, 49, 0));
	assert_false(ward_acpi_has(&table, 1, UINT64_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_is_taken),
		cmocka_unit_test(bytes_behind_the_length_are_ignored),
		cmocka_unit_test(bad_headers_are_refused),
		cmocka_unit_test(larger_than_the_limit_is_refused),
		cmocka_unit_test(readers_are_little_endian_and_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

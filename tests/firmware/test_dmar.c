// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "firmware/dmar.h"

#include "sweep.h"
#include "table_maker.h"

static int parse(const void *bytes, size_t size, struct ward_error *ret_error)
{
	struct ward_dmar *dmar;
	int code = ward_dmar_parse(bytes, size, &dmar, ret_error);

	if (!code)
		ward_dmar_destroy(dmar);
	return code;
}

#define DRHD 48
#define DRHD_SCOPE 64
#define DRHD_BRIDGE 72
#define ALL 82
#define RMRR 98
#define RMRR_SCOPE 122
#define ATSR 130
#define SATC 138
#define OTHER 154

static void make(struct table *t)
{
	start_table(t, "DMAR");
	put(t, 1, 38);
	put(t, 1, 1);
	put(t, 8, 0);
	put(t, 2, 0);
	put(t, 2, 0); /* DRHD of 34 bytes: two scopes, the second with two steps */
	put(t, 2, 34);
	put(t, 2, 0);
	put(t, 2, 3);
	put(t, 8, 0xfed90000);
	put(t, 8, 0x0002000000000801);
	put(t, 6, 0x050100000a02);
	put(t, 4, 0x0100031c);
	put(t, 2, 0); /* DRHD for all the rest */
	put(t, 2, 16);
	put(t, 2, 1);
	put(t, 2, 3);
	put(t, 8, 0xfed91000);
	put(t, 2, 1);
	put(t, 2, 32);
	put(t, 2, 0);
	put(t, 2, 3);
	put(t, 8, 0x7d000000);
	put(t, 8, 0x7effffff);
	put(t, 8, 0x0214000000000801);
	put(t, 2, 2);
	put(t, 2, 8);
	put(t, 4, 0x00030001);
	put(t, 2, 5);
	put(t, 2, 16);
	put(t, 4, 0x00030000);
	put(t, 8, 0x0007000000000801);
	put(t, 2, 9);
	put(t, 2, 4);
	finish_table(t);
	assert_int_equal(t->size, OTHER + 4);
}

static void all_structures_are_read(void **state)
{
	struct ward_dmar *dmar;
	struct table t;

	(void)state;
	make(&t);
	assert_int_equal(ward_dmar_parse(t.bytes, t.size, &dmar, NULL), 0);
	assert_int_equal(dmar->flags, WARD_DMAR_INTR_REMAP);
	assert_int_equal(dmar->units_count, 5);
	assert_int_equal(dmar->units[0].type, WARD_DMAR_DRHD);
	assert_int_equal(dmar->units[0].segment, 3);
	assert_true(dmar->units[0].base == 0xfed90000);
	assert_int_equal(dmar->units[0].scopes_count, 2);
	assert_int_equal(dmar->scopes[0].type, WARD_DMAR_ENDPOINT);
	assert_int_equal(dmar->scopes[0].path_count, 1);
	assert_int_equal(dmar->scopes[0].path[0], 0x02 << 3);
	assert_int_equal(dmar->scopes[1].type, WARD_DMAR_BRIDGE);
	assert_int_equal(dmar->scopes[1].enumeration_id, 1);
	assert_int_equal(dmar->scopes[1].start_bus, 5);
	assert_int_equal(dmar->scopes[1].path_count, 2);
	assert_int_equal(dmar->scopes[1].path[0], 0x1c << 3 | 3);
	assert_int_equal(dmar->scopes[1].path[1], 1);
	assert_int_equal(dmar->units[1].flags, 1);
	assert_int_equal(dmar->units[1].scopes_count, 0);
	assert_int_equal(dmar->units[2].type, WARD_DMAR_RMRR);
	assert_true(dmar->units[2].base == 0x7d000000 && dmar->units[2].limit == 0x7effffff);
	assert_int_equal(dmar->units[2].first_scope, 2);
	assert_int_equal(dmar->units[3].type, WARD_DMAR_ATSR);
	assert_int_equal(dmar->units[4].type, WARD_DMAR_SATC);
	assert_int_equal(dmar->units[4].scopes_count, 1);
	ward_dmar_destroy(dmar);
}

static void bad_fields_are_refused(void **state)
{
	struct table t;

	(void)state;
	make(&t);
	refuse(parse, &t, DRHD + 2, 2, 0, "DMAR at 0x32: a structure of 0 bytes");
	refuse(parse, &t, OTHER + 2, 2, 5, "a structure of 5 bytes");
	refuse(parse, &t, DRHD + 2, 2, 15, "type 0 has 15 bytes, needs 16");
	refuse(parse, &t, RMRR + 2, 2, 23, "type 1 has 23 bytes, needs 24");
	refuse(parse, &t, ATSR + 2, 2, 7, "type 2 has 7 bytes, needs 8");
	refuse(parse, &t, DRHD + 8, 8, 0, "no register address");
	refuse(parse, &t, DRHD + 8, 8, UINT64_MAX, "no register address");
	refuse(parse, &t, DRHD_SCOPE + 1, 1, 0, "a device scope of 0 bytes");
	refuse(parse, &t, DRHD_SCOPE + 1, 1, 5, "a device scope of 5 bytes");
	refuse(parse, &t, DRHD_SCOPE + 1, 1, 6, "no path");
	refuse(parse, &t, DRHD_SCOPE + 1, 1, 7, "no path");
	refuse(parse, &t, DRHD_BRIDGE + 1, 1, 12, "a device scope of 12 bytes");
	refuse(parse, &t, DRHD_SCOPE + 6, 1, 32, "device 0x20");
	refuse(parse, &t, DRHD_SCOPE + 7, 1, 8, "function 0x8");
	refuse(parse, &t, RMRR + 16, 8, 0x7cffffff, "before its start");
	refuse(parse, &t, RMRR_SCOPE + 1, 1, 16, "a device scope of 16 bytes");
	refuse(parse, &t, DRHD + 2, 2, 20, "a device scope is cut short");
	refuse(parse, &t, SATC + 2, 2, 12, "a device scope is cut short");
	accept_field(parse, &t, OTHER, 2, 0x1234);
	accept_field(parse, &t, RMRR + 16, 8, 0x7d000000);
}

static void too_long_a_path_is_refused(void **state)
{
	struct ward_error error;
	struct table t;

	(void)state;
	for (unsigned int steps = WARD_DMAR_PATH_MAX; steps <= WARD_DMAR_PATH_MAX + 1; steps++) {
		start_table(&t, "DMAR");
		put(&t, 8, 0);
		put(&t, 4, 0);
		put(&t, 2, 2);
		put(&t, 2, 8 + 6 + 2 * steps);
		put(&t, 4, 0);
		put(&t, 1, 1);
		put(&t, 1, 6 + 2 * steps);
		put(&t, 4, 0);
		for (unsigned int i = 0; i < steps; i++)
			put(&t, 2, 0);
		finish_table(&t);
		assert_int_equal(parse(t.bytes, t.size, &error),
				 steps > WARD_DMAR_PATH_MAX ? -EBADMSG : 0);
	}
}

static void too_many_are_refused(void **state)
{
	static const uint8_t atsr[] = { 2, 0, 8, 0, 1, 0, 0, 0 };
	uint8_t scopes[8 + 8 * 16] = { 2, 0, 8 + 8 * 16 };
	struct table t;

	(void)state;
	start_table(&t, "DMAR");
	put(&t, 8, 0);
	put(&t, 4, 0);
	limit(parse, &t, atsr, sizeof(atsr), WARD_DMAR_UNITS_MAX);
	for (unsigned int i = 0; i < 16; i++) {
		scopes[8 + 8 * i] = 1;
		scopes[9 + 8 * i] = 8;
	}
	limit(parse, &t, scopes, sizeof(scopes), WARD_DMAR_SCOPES_MAX / 16);
}

static void damage_is_read_or_refused(void **state)
{
	struct table t;

	(void)state;
	make(&t);
	cut_everywhere(parse, &t);
	change_everywhere(parse, &t);
}

static int sweep(void *context)
{
	const struct table *t = context;

	return parse(t->bytes, t->size, NULL);
}

static void memory_may_end_anywhere(void **state)
{
	struct table t;

	(void)state;
	make(&t);
	assert_true(test_sweep(sweep, &t) >= 3);
	ward_dmar_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_structures_are_read),
		cmocka_unit_test(bad_fields_are_refused),
		cmocka_unit_test(too_long_a_path_is_refused),
		cmocka_unit_test(too_many_are_refused),
		cmocka_unit_test(damage_is_read_or_refused),
		cmocka_unit_test(memory_may_end_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

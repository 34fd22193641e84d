// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "firmware/ivrs.h"

#include "sweep.h"
#include "table_maker.h"

static int parse(const void *bytes, size_t size, struct ward_error *ret_error)
{
	struct ward_ivrs *ivrs;
	int code = ward_ivrs_parse(bytes, size, &ivrs, ret_error);

	if (!code)
		ward_ivrs_destroy(ivrs);
	return code;
}

static void start_ivrs(struct table *t)
{
	start_table(t, "IVRS");
	put(t, 4, 0x203041);
	put(t, 8, 0);
}

static size_t put_ivhd(struct table *t, uint8_t type, uint16_t rid, uint64_t base, uint16_t entries)
{
	size_t at = put(t, 1, type);

	put(t, 1, 0x10);
	put(t, 2, (type == 0x10 ? 24u : 40u) + entries);
	put(t, 2, rid);
	put(t, 2, 0x40);
	put(t, 8, base);
	put(t, 2, 1);
	put(t, 2, 0);
	put(t, 4, 0x1234);
	if (type != 0x10) {
		put(t, 8, 0xfeed);
		put(t, 8, 0);
	}
	return at;
}

static size_t put_short(struct table *t, uint8_t type, uint16_t rid)
{
	size_t at = put(t, 1, type);

	put(t, 2, rid);
	put(t, 1, 0);
	return at;
}

static size_t put_long(struct table *t, uint8_t type, uint16_t rid, uint16_t used)
{
	size_t at = put_short(t, type, rid);

	put(t, 1, 0);
	put(t, 2, used);
	put(t, 1, 0);
	return at;
}

static size_t put_ivmd(struct table *t, uint8_t type, uint8_t flags, uint16_t rid, uint16_t last,
		       uint64_t start, uint64_t length)
{
	size_t at = put(t, 1, type);

	put(t, 1, flags);
	put(t, 2, 32);
	put(t, 2, rid);
	put(t, 2, last);
	put(t, 8, 1);
	put(t, 8, start);
	put(t, 8, length);
	return at;
}

struct offsets {
	size_t ivhd, all, range, end, alias, special, hid, ivmd, ivmd_range, other;
};

static struct offsets make(struct table *t)
{
	struct offsets o;

	start_ivrs(t);
	put_ivhd(t, 0x10, 2, 0xfeb80000, 4);
	put_short(t, 1, 0);
	o.ivhd = put_ivhd(t, 0x11, 2, 0xfeb80000, 4 + 8 + 8 + 12 + 12 + 8 + 8 + 26 + 4 + 16);
	o.all = put_short(t, 2, 0x100);
	o.range = put_short(t, 3, 0x200);
	o.end = put_short(t, 4, 0x2ff);
	o.alias = put_long(t, 66, 0x301, 0x300);
	put_long(t, 67, 0x400, 0x3ff);
	put_short(t, 4, 0x4ff);
	put_long(t, 71, 0x500, 0);
	put_short(t, 4, 0x5ff);
	put_long(t, 70, 0x600, 0);
	o.special = put_short(t, 72, 0);
	put(t, 1, 3);
	put(t, 2, 0xa0);
	put(t, 1, 1);
	o.hid = put_short(t, 240, 0x98);
	put(t, 8, 0);
	put(t, 8, 0);
	put(t, 1, 2);
	put(t, 1, 4);
	put(t, 4, 0);
	put_short(t, 0, 0);
	put(t, 8, 0x80); /* a reserved type of 16 bytes */
	put(t, 8, 0);
	o.ivmd = put_ivmd(t, 0x21, 1, 0x98, 0x5555, 0x70000000, 0x1000);
	o.ivmd_range = put_ivmd(t, 0x22, 8, 0x100, 0x1ff, 0x71000000, 0x2000);
	put_ivmd(t, 0x20, 7, 0x100, 0x1ff, 0x72000000, 0x3000);
	o.other = put(t, 1, 0x7f);
	put(t, 1, 0);
	put(t, 2, 8);
	put(t, 4, 0);
	finish_table(t);
	return o;
}

static void all_blocks_are_read(void **state)
{
	struct ward_ivrs *ivrs;
	struct table t;

	(void)state;
	make(&t);
	assert_int_equal(ward_ivrs_parse(t.bytes, t.size, &ivrs, NULL), 0);
	assert_int_equal(ivrs->info, 0x203041);
	assert_int_equal(ivrs->iommus_count, 2);
	assert_int_equal(ivrs->iommus[0].features, 0x1234);
	assert_false(ivrs->iommus[0].used);
	assert_true(ivrs->iommus[1].used);
	assert_int_equal(ivrs->iommus[1].type, 0x11);
	assert_int_equal(ivrs->iommus[1].rid, 2);
	assert_int_equal(ivrs->iommus[1].segment, 1);
	assert_true(ivrs->iommus[1].base == 0xfeb80000 && ivrs->iommus[1].efr == 0xfeed);
	assert_int_equal(ivrs->iommus[1].entries_count, 8);
	assert_int_equal(ivrs->memories_count, 3);
	assert_int_equal(ivrs->memories[0].first, 0x98);
	assert_int_equal(ivrs->memories[0].last, 0x98);
	assert_int_equal(ivrs->memories[0].segment, 1);
	assert_int_equal(ivrs->memories[1].last, 0x1ff);
	assert_int_equal(ivrs->memories[1].flags, WARD_IVRS_EXCLUSION);
	assert_int_equal(ivrs->memories[2].first, 0);
	assert_int_equal(ivrs->memories[2].last, 0xffff);
	assert_true(ivrs->memories[2].range.last == 0x72002fff);
	ward_ivrs_destroy(ivrs);
}

static void entries_say_who_serves_whom(void **state)
{
	struct ward_ivrs *ivrs;
	struct table t;
	uint16_t id;

	(void)state;
	make(&t);
	assert_int_equal(ward_ivrs_parse(t.bytes, t.size, &ivrs, NULL), 0);
	assert_int_equal(ward_ivrs_find(ivrs, 1, 0x100, &id), 1);
	assert_int_equal(id, 0x100);
	assert_int_equal(ward_ivrs_find(ivrs, 1, 0x101, &id), WARD_NONE);
	assert_int_equal(ward_ivrs_find(ivrs, 1, 0x2ff, &id), 1);
	assert_int_equal(ward_ivrs_find(ivrs, 1, 0x301, &id), 1);
	assert_int_equal(id, 0x300);
	/* The id that requests carry is served, and is its own. */
	assert_int_equal(ward_ivrs_find(ivrs, 1, 0x300, &id), 1);
	assert_int_equal(id, 0x300);
	assert_int_equal(ward_ivrs_find(ivrs, 1, 0x480, &id), 1);
	assert_int_equal(id, 0x3ff);
	assert_int_equal(ward_ivrs_find(ivrs, 1, 0x5ff, &id), 1);
	assert_int_equal(ward_ivrs_find(ivrs, 1, 0x600, &id), 1);
	assert_int_equal(ward_ivrs_find(ivrs, 1, 0xa0, &id), 1);
	assert_int_equal(ward_ivrs_find(ivrs, 1, 0x98, &id), 1);
	assert_int_equal(ward_ivrs_find(ivrs, 0, 0x100, &id), WARD_NONE);
	assert_int_equal(id, 0x100);
	ward_ivrs_destroy(ivrs);
}

static void bad_fields_are_refused(void **state)
{
	struct table t;
	struct offsets o = make(&t);

	(void)state;
	refuse(parse, &t, o.other + 2, 2, 0, "a block of 0 bytes");
	refuse(parse, &t, o.other + 2, 2, 5, "a block of 5 bytes");
	refuse(parse, &t, o.other + 2, 2, 9, "a block of 9 bytes");
	refuse(parse, &t, 48 + 2, 2, 23, "IVHD of type 0x10 has 23 bytes, needs 24");
	refuse(parse, &t, o.ivhd + 2, 2, 39, "IVHD of type 0x11 has 39 bytes, needs 40");
	refuse(parse, &t, o.ivhd + 2, 2, 42, "device entry of type 2 does not fit");
	refuse(parse, &t, o.ivhd + 2, 2, 40 + 4 + 4, "a range does not end");
	refuse(parse, &t, o.all, 1, 3, "a range starts inside another");
	refuse(parse, &t, o.all, 1, 4, "a range ends that was not started");
	refuse(parse, &t, o.end + 1, 2, 0x1ff, "ends before it, at 0x01ff");
	refuse(parse, &t, o.all, 1, 0xf1, "device entry of type 241 does not fit");
	refuse(parse, &t, o.hid + 21, 1, 200, "device entry of type 240 does not fit");
	refuse(parse, &t, o.ivmd + 2, 2, 31, "IVMD has 31 bytes");
	refuse(parse, &t, o.ivmd_range + 6, 2, 0xff, "IVMD for devices 0x0100 to 0x00ff");
	refuse(parse, &t, o.ivmd + 24, 8, 0, "empty or wraps");
	refuse(parse, &t, o.ivmd + 16, 8, UINT64_MAX, "empty or wraps");
	accept_field(parse, &t, o.special + 7, 1, 9);
	accept_field(parse, &t, o.alias, 1, 0x7f);
}

static void a_block_cut_short_is_refused(void **state)
{
	struct ward_error error;
	struct table t;

	(void)state;
	start_ivrs(&t);
	put(&t, 4, 0x00040010);
	finish_table(&t);
	assert_int_equal(parse(t.bytes, t.size, &error), -EBADMSG);
	assert_non_null(strstr(error.text, "cut short"));
}

/* The type of the last block for the IOMMU of the first; the last entry for an id. */
static void the_last_word_counts(void **state)
{
	struct ward_ivrs *ivrs;
	struct table t;
	uint16_t id;

	(void)state;
	start_ivrs(&t);
	put_ivhd(&t, 0x10, 2, 0x1000, 4);
	put_short(&t, 1, 0);
	put_ivhd(&t, 0x10, 3, 0x2000, 4);
	put_short(&t, 2, 0x20);
	put_ivhd(&t, 0x40, 3, 0x3000, 4);
	put_short(&t, 1, 0);
	finish_table(&t);
	assert_int_equal(ward_ivrs_parse(t.bytes, t.size, &ivrs, NULL), 0);
	assert_true(ivrs->iommus[0].used && ivrs->iommus[1].used);
	assert_false(ivrs->iommus[2].used);
	assert_int_equal(ward_ivrs_find(ivrs, 1, 0x1f, &id), 0);
	assert_int_equal(ward_ivrs_find(ivrs, 1, 0x20, &id), 1);
	/* The first block covers all, but no IOMMU serves itself. */
	assert_int_equal(ward_ivrs_find(ivrs, 1, 2, &id), WARD_NONE);
	assert_int_equal(ward_ivrs_find(ivrs, 1, 3, &id), WARD_NONE);
	assert_int_equal(ward_ivrs_find(ivrs, 1, 4, &id), 0);
	ward_ivrs_destroy(ivrs);
}

static void too_many_are_refused(void **state)
{
	uint8_t ivhd[24 + 4 * 1024] = { 0x10, 0, 0x18, 0x10 };
	uint8_t ivmd[32] = { 0x21, 1, 32, 0 };
	struct table t;

	(void)state;
	for (size_t i = 24; i < sizeof(ivhd); i += 4)
		ivhd[i] = 2;
	ivmd[25] = 0x10;
	start_ivrs(&t);
	limit(parse, &t, ivhd, sizeof(ivhd), WARD_IVRS_ENTRIES_MAX / 1024);
	limit(parse, &t, ivmd, sizeof(ivmd), WARD_IVRS_MEMORIES_MAX);
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
	assert_true(test_sweep(sweep, &t) >= 4);
	ward_ivrs_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_blocks_are_read),
		cmocka_unit_test(entries_say_who_serves_whom),
		cmocka_unit_test(bad_fields_are_refused),
		cmocka_unit_test(a_block_cut_short_is_refused),
		cmocka_unit_test(the_last_word_counts),
		cmocka_unit_test(too_many_are_refused),
		cmocka_unit_test(damage_is_read_or_refused),
		cmocka_unit_test(memory_may_end_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "firmware/madt.h"

#include "sweep.h"
#include "table_maker.h"

static int parse(const void *bytes, size_t size, struct ward_error *ret_error)
{
	struct ward_madt *madt;
	int code = ward_madt_parse(bytes, size, &madt, ret_error);

	if (!code)
		ward_madt_destroy(madt);
	return code;
}

static void put_frame(struct table *t, uint32_t id, uint64_t base, uint32_t flags, uint16_t count,
		      uint16_t first)
{
	put(t, 1, 13);
	put(t, 1, 24);
	put(t, 2, 0);
	put(t, 4, id);
	put(t, 8, base);
	put(t, 4, flags);
	put(t, 2, count);
	put(t, 2, first);
}

/* Offsets of the structures, in the order of making. */
#define FRAME 44
#define FRAME_PLAIN 68
#define ITS 92
#define GICD 112
#define IOAPIC 136
#define APIC 148
#define X2APIC 156
#define GICC 172
#define OTHER 252

static void make(struct table *t)
{
	start_table(t, "APIC");
	put(t, 4, 0xfee00000);
	put(t, 4, 1);
	put_frame(t, 5, 0x8020000, 1, 64, 80);
	put_frame(t, 6, 0x8021000, 0, 3, 4);
	put(t, 1, 15);
	put(t, 1, 20);
	put(t, 2, 0);
	put(t, 4, 7);
	put(t, 8, 0x8080000);
	put(t, 4, 0);
	put(t, 1, 12);
	put(t, 1, 24);
	put(t, 2, 0);
	put(t, 4, 0);
	put(t, 8, 0x8000000);
	put(t, 4, 0);
	put(t, 4, 3);
	put(t, 1, 1);
	put(t, 1, 12);
	put(t, 2, 2);
	put(t, 4, 0xfec00000);
	put(t, 4, 24);
	put(t, 1, 0);
	put(t, 1, 8);
	put(t, 6, 0);
	put(t, 1, 9);
	put(t, 1, 16);
	put(t, 6, 0);
	put(t, 8, 0);
	put(t, 1, 11);
	put(t, 1, 80);
	for (unsigned int i = 0; i < 78; i++)
		put(t, 1, 0);
	put(t, 1, 0x80);
	put(t, 1, 2);
	finish_table(t);
	assert_int_equal(t->size, OTHER + 2);
}

static void all_structures_are_read(void **state)
{
	struct ward_madt *madt;
	struct table t;

	(void)state;
	make(&t);
	assert_int_equal(ward_madt_parse(t.bytes, t.size, &madt, NULL), 0);
	assert_string_equal(madt->oem_id, "MAKER ");
	assert_int_equal(madt->frames_count, 2);
	assert_int_equal(madt->frames[0].id, 5);
	assert_true(madt->frames[0].base == 0x8020000);
	assert_true(madt->frames[0].spis_given);
	assert_int_equal(madt->frames[0].spi_base, 80);
	assert_int_equal(madt->frames[0].spi_count, 64);
	/* The two fields do not count without the flag: the frame's register does. */
	assert_false(madt->frames[1].spis_given);
	assert_int_equal(madt->frames[1].spi_base, 0);
	assert_int_equal(madt->frames[1].spi_count, 0);
	assert_int_equal(madt->itss_count, 1);
	assert_int_equal(madt->itss[0].id, 7);
	assert_true(madt->itss[0].base == 0x8080000);
	assert_int_equal(madt->distributors_count, 1);
	assert_true(madt->distributors[0].base == 0x8000000);
	assert_int_equal(madt->distributors[0].version, 3);
	assert_int_equal(madt->ioapics_count, 1);
	assert_int_equal(madt->ioapics[0].id, 2);
	assert_int_equal(madt->ioapics[0].base, 0xfec00000);
	assert_int_equal(madt->ioapics[0].first_gsi, 24);
	assert_int_equal(madt->apics, 1);
	assert_int_equal(madt->x2apics, 1);
	assert_int_equal(madt->gic_cpus, 1);
	ward_madt_destroy(madt);
}

static void bad_fields_are_refused(void **state)
{
	struct table t;

	(void)state;
	make(&t);
	refuse(parse, &t, FRAME + 1, 1, 0, "APIC at 0x2d: a structure of 0 bytes");
	refuse(parse, &t, FRAME + 1, 1, 1, "a structure of 1 bytes");
	refuse(parse, &t, OTHER + 1, 1, 3, "a structure of 3 bytes");
	refuse(parse, &t, FRAME + 1, 1, 23, "type 13 has 23 bytes, needs 24");
	refuse(parse, &t, FRAME + 8, 8, 0x8020800, "not that of a page");
	refuse(parse, &t, FRAME + 8, 8, 0xfffffffffffff000, "not that of a page");
	refuse(parse, &t, FRAME + 22, 2, 31, "no SPIs");
	refuse(parse, &t, FRAME + 22, 2, 957, "no SPIs");
	refuse(parse, &t, ITS + 1, 1, 19, "type 15 has 19 bytes");
	refuse(parse, &t, ITS + 8, 8, 0x8081000, "multiple of 64 KiB");
	refuse(parse, &t, ITS + 8, 8, 0xffffffffffff0000, "multiple of 64 KiB");
	refuse(parse, &t, GICD + 1, 1, 16, "type 12 has 16 bytes");
	refuse(parse, &t, IOAPIC + 1, 1, 11, "type 1 has 11 bytes");
	refuse(parse, &t, APIC + 1, 1, 7, "type 0 has 7 bytes");
	refuse(parse, &t, X2APIC + 1, 1, 15, "type 9 has 15 bytes");
	refuse(parse, &t, GICC + 1, 1, 75, "type 11 has 75 bytes");
	accept_field(parse, &t, FRAME + 22, 2, 956);
	accept_field(parse, &t, FRAME_PLAIN + 22, 2, 1);
	accept_field(parse, &t, OTHER, 1, 0xff);
}

static void a_structure_cut_short_is_refused(void **state)
{
	struct ward_error error;
	struct table t;

	(void)state;
	make(&t);
	t.size--;
	finish_table(&t);
	assert_int_equal(parse(t.bytes, t.size, &error), -EBADMSG);
	assert_non_null(strstr(error.text, "cut short"));
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
	assert_true(test_sweep(sweep, &t) >= 5);
	ward_madt_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_structures_are_read),
		cmocka_unit_test(bad_fields_are_refused),
		cmocka_unit_test(a_structure_cut_short_is_refused),
		cmocka_unit_test(damage_is_read_or_refused),
		cmocka_unit_test(memory_may_end_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

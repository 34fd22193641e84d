// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "firmware/viot.h"

#include "sweep.h"
#include "table_maker.h"

static int parse(const void *bytes, size_t size, struct ward_error *ret_error)
{
	struct ward_viot *viot;
	int code = ward_viot_parse(bytes, size, &viot, ret_error);

	if (!code)
		ward_viot_destroy(viot);
	return code;
}

#define PCI 48
#define MMIO 64
#define RANGE 80
#define DEVICE 104
#define OTHER 128

static void make(struct table *t)
{
	start_table(t, "VIOT");
	put(t, 2, 5);
	put(t, 2, 48);
	put(t, 8, 0);
	put(t, 4, 0x00100003);
	put(t, 2, 1);
	put(t, 2, 0x18);
	put(t, 8, 0);
	put(t, 4, 0x00100004);
	put(t, 4, 0);
	put(t, 8, 0x10001000);
	put(t, 4, 0x00180001);
	put(t, 4, 0x3000);
	put(t, 2, 1);
	put(t, 2, 2);
	put(t, 2, 0x10);
	put(t, 2, 0xff);
	put(t, 8, PCI);
	put(t, 4, 0x00180002);
	put(t, 4, 0x10000);
	put(t, 8, 0x10002000);
	put(t, 8, MMIO);
	put(t, 4, 0x00040033);
	finish_table(t);
	assert_int_equal(t->size, OTHER + 4);
}

static void all_nodes_are_read(void **state)
{
	struct ward_viot *viot;
	struct table t;

	(void)state;
	make(&t);
	assert_int_equal(ward_viot_parse(t.bytes, t.size, &viot, NULL), 0);
	assert_int_equal(viot->iommus_count, 2);
	assert_true(viot->iommus[0].pci);
	assert_int_equal(viot->iommus[0].segment, 1);
	assert_int_equal(viot->iommus[0].rid, 0x18);
	assert_false(viot->iommus[1].pci);
	assert_true(viot->iommus[1].base == 0x10001000);
	assert_int_equal(viot->endpoints_count, 2);
	assert_int_equal(viot->endpoints[0].endpoint, 0x3000);
	assert_int_equal(viot->endpoints[0].first_segment, 1);
	assert_int_equal(viot->endpoints[0].last_segment, 2);
	assert_int_equal(viot->endpoints[0].first, 0x10);
	assert_int_equal(viot->endpoints[0].last, 0xff);
	assert_int_equal(viot->endpoints[0].iommu, 0);
	assert_false(viot->endpoints[1].pci);
	assert_true(viot->endpoints[1].base == 0x10002000);
	assert_int_equal(viot->endpoints[1].iommu, 1);
	ward_viot_destroy(viot);
}

static void an_output_that_is_no_iommu_serves_nobody(void **state)
{
	static const uint16_t offsets[] = { 0, 47, RANGE, OTHER, 0xffff };
	struct ward_viot *viot;
	struct table t;

	(void)state;
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		make(&t);
		put_at(&t, RANGE + 16, 2, offsets[i]);
		finish_table(&t);
		assert_int_equal(ward_viot_parse(t.bytes, t.size, &viot, NULL), 0);
		assert_int_equal(viot->endpoints[0].iommu, WARD_NONE);
		ward_viot_destroy(viot);
	}
}

static void bad_fields_are_refused(void **state)
{
	struct table t;

	(void)state;
	make(&t);
	refuse(parse, &t, 36, 2, 6, "node 5 of 6 is cut short");
	refuse(parse, &t, 38, 2, 40, "inside the header");
	refuse(parse, &t, 38, 2, 0xfff0, "cut short");
	refuse(parse, &t, PCI + 2, 2, 0, "a node of 0 bytes");
	refuse(parse, &t, PCI + 2, 2, 3, "a node of 3 bytes");
	refuse(parse, &t, PCI + 2, 2, 15, "node of type 3 has 15 bytes, needs 16");
	refuse(parse, &t, MMIO + 2, 2, 15, "node of type 4 has 15 bytes");
	refuse(parse, &t, RANGE + 2, 2, 23, "node of type 1 has 23 bytes, needs 24");
	refuse(parse, &t, DEVICE + 2, 2, 23, "node of type 2 has 23 bytes");
	refuse(parse, &t, OTHER + 2, 2, 5, "a node of 5 bytes");
	refuse(parse, &t, RANGE + 10, 2, 0, "ends before its start");
	refuse(parse, &t, RANGE + 14, 2, 0xf, "ends before its start");
	accept_field(parse, &t, 36, 4, 0);
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
	ward_viot_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_nodes_are_read),
		cmocka_unit_test(an_output_that_is_no_iommu_serves_nobody),
		cmocka_unit_test(bad_fields_are_refused),
		cmocka_unit_test(damage_is_read_or_refused),
		cmocka_unit_test(memory_may_end_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

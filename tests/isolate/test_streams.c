// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Functions that the IOMMU cannot tell apart although their requester ids differ. */
#include "isolate/reach_how.h"

/* Two cards behind ports that isolate, and a platform device; all but the StreamIDs is good. */
static void cards(struct make *m)
{
	make_arm_its(m);
	root_port(m, "00:01.0", 1, ACS_ON);
	root_port(m, "00:02.0", 2, ACS_ON);
	endpoint(m, "01:00.0");
	endpoint(m, "02:00.0");
	platform(m, "a9000000.dma");
}

#define STREAM(m, i) (m)->functions[i].stream

static void one_stream(void **unused)
{
	const struct ward_verdict *verdict;
	struct make m;

	(void)unused;
	cards(&m);
	make_done(&m);
	assert_string_equal(HAS(&m, "01:00.0", "02:00.0"), "no");
	assert_int_not_equal(ward_partition_of(m.isolation, at(&m, "01:00.0")),
			     ward_partition_of(m.isolation, at(&m, "02:00.0")));
	make_free(&m);

	/* As by iommu-map-mask, or an alias entry of IVRS. */
	cards(&m);
	STREAM(&m, 3).sid = STREAM(&m, 2).sid;
	bound(&m, "02:00.0", "nvme");
	make_done(&m);
	assert_string_equal(HAS(&m, "01:00.0", "02:00.0"), "sure");
	assert_string_equal(HAS(&m, "02:00.0", "01:00.0"), "sure");
	assert_string_equal(HAS(&m, "01:00.0", "a9000000.dma"), "no");
	assert_int_equal(ward_partition_of(m.isolation, at(&m, "01:00.0")),
			 ward_partition_of(m.isolation, at(&m, "02:00.0")));
	verdict = judged(&m, WARD_POLICY_STRICT, NULL, "01:00.0");
	assert_int_equal(verdict->answer, WARD_UNSAFE);
	assert_int_equal(finding_in(verdict, "requester-alias")->blocker, at(&m, "02:00.0"));
	make_free(&m);

	/* Another IOMMU has streams of its own. */
	cards(&m);
	make_iommu(&m, WARD_IOMMU_SMMUV3);
	STREAM(&m, 3) = (struct ward_stream){ 1, STREAM(&m, 2).sid };
	make_done(&m);
	assert_string_equal(HAS(&m, "01:00.0", "02:00.0"), "no");
	make_free(&m);
}

static void platform_device(void **unused)
{
	struct make m;

	(void)unused;
	cards(&m);
	STREAM(&m, 4).sid = STREAM(&m, 2).sid;
	make_done(&m);
	assert_string_equal(HAS(&m, "01:00.0", "a9000000.dma"), "sure");
	make_free(&m);
}

/* The same number in two segments: mapped to one stream, or not mapped at all. */
static void segments(void **unused)
{
	struct make m;

	(void)unused;
	cards(&m);
	endpoint(&m, "0001:01:00.0");
	make_done(&m);
	assert_string_equal(HAS(&m, "01:00.0", "0001:01:00.0"), "unknown");
	make_free(&m);
	cards(&m);
	endpoint(&m, "0001:01:00.0");
	STREAM(&m, 2).sid = STREAM(&m, 5).sid = ward_sid(0x7000);
	make_done(&m);
	assert_string_equal(HAS(&m, "01:00.0", "0001:01:00.0"), "sure");
	make_free(&m);
	make_x86(&m);
	endpoint(&m, "01:00.0");
	endpoint(&m, "10000:01:00.0");
	make_done(&m);
	assert_string_equal(HAS(&m, "01:00.0", "10000:01:00.0"), "no");
	make_free(&m);
}

/* The kernel names the IOMMU, firmware the id: AMD's alias entries. */
static void id_from_firmware(void **unused)
{
	const struct ward_id_map map = {
		.kind = WARD_ID_MAP_IOMMU,
		.first = ward_rid(0x100),
		.last = ward_rid(0x100),
		.mask = 0xffff,
		.output_base = 0xa0,
	};
	struct ward_builder *builder;
	struct ward_machine *machine;
	struct make m;

	(void)unused;
	make_x86(&m);
	make_iommu(&m, WARD_IOMMU_AMD);
	endpoint(&m, "01:00.0");
	endpoint(&m, "01:00.1");
	STREAM(&m, 1).iommu = 1;
	assert_int_equal(ward_builder_create(&builder), 0);
	assert_int_equal(make_add(&m, builder), 0);
	assert_int_equal(ward_builder_add_id_map(builder, &map), 0);
	assert_int_equal(ward_builder_finish(builder, &machine, NULL), 0);
	assert_int_equal(ward_sid_raw(machine->functions[0].stream.sid), 0xa0);
	assert_int_equal(ward_sid_raw(machine->functions[1].stream.sid), 0x101);
	ward_machine_destroy(machine);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_stream),
		cmocka_unit_test(platform_device),
		cmocka_unit_test(segments),
		cmocka_unit_test(id_from_firmware),
	};

	return cmocka_run_group_tests_name("isolate/streams", tests, NULL, NULL);
}

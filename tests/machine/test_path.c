// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The way of a function from the root; MMIO segments, and who fails together. */
#include "isolate/make.h"

static struct make m;

static const char *path(const char *name)
{
	static char text[WARD_PATH_TEXT];

	assert_int_equal(ward_machine_path(m.machine, at(&m, name), text, sizeof(text)), 0);
	return text;
}

static void a_switch(unsigned int bus)
{
	static char names[4][16];

	make_x86(&m);
	snprintf(names[0], sizeof(names[0]), "%02x:00.0", bus);
	snprintf(names[1], sizeof(names[1]), "%02x:00.0", bus + 1);
	snprintf(names[2], sizeof(names[2]), "%02x:01.0", bus + 1);
	snprintf(names[3], sizeof(names[3]), "%02x:00.0", bus + 2);
	root_port_to(&m, "00:1c.4", bus, bus + 3, ACS_ON);
	upstream(&m, names[0], bus + 1, bus + 3);
	downstream(&m, names[1], bus + 2, ACS_ON);
	downstream(&m, names[2], bus + 3, ACS_ON);
	endpoint(&m, names[3]);
}

/* Numbers of buses change when a card is put in elsewhere; the way does not. */
static void outlives_numbers(void **unused)
{
	(void)unused;
	a_switch(1);
	make_machine(&m, &m.machine);
	assert_string_equal(path("03:00.0"), "0000:00/1c.4/00.0/00.0/00.0");
	assert_string_equal(path("02:01.0"), "0000:00/1c.4/00.0/01.0");
	assert_string_equal(path("00:1c.4"), "0000:00/1c.4");
	make_free(&m);
	a_switch(0x40);
	make_machine(&m, &m.machine);
	assert_string_equal(path("42:00.0"), "0000:00/1c.4/00.0/00.0/00.0");
	make_free(&m);
}

static void all_kinds(void **unused)
{
	char text[WARD_PATH_TEXT] = "as it was";

	(void)unused;
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 2, ACS_ON);
	endpoint(&m, "01:00.0");
	endpoint(&m, "01:00.1");
	vf(&m, "01:10.0", "01:00.0");
	/* A bus number of its own, and the numbers of the PF on it. */
	vf(&m, "02:00.0", "01:00.0");
	function(&m, "0005:80:01.0", WARD_PCIE_RC_ENDPOINT, NO_ACS);
	platform(&m, "soc.dma");
	make_machine(&m, &m.machine);
	assert_string_equal(path("01:00.0"), "0000:00/1c.0/00.0");
	assert_string_equal(path("01:00.1"), "0000:00/1c.0/00.1");
	assert_string_equal(path("01:10.0"), "0000:00/1c.0/00.0/vf128");
	assert_string_equal(path("02:00.0"), "0000:00/1c.0/00.0/vf256");
	assert_string_equal(path("0005:80:01.0"), "0005:80/01.0");
	assert_string_equal(path("soc.dma"), "soc.dma");
	assert_int_equal(ward_machine_path(m.machine, m.machine->functions_count, text, 99),
			 -EINVAL);
	assert_int_equal(ward_machine_path(m.machine, at(&m, "00:1c.0"), text, 12), -ENOSPC);
	assert_string_equal(text, "as it was");
	assert_int_equal(ward_machine_path(m.machine, at(&m, "00:1c.0"), text, 13), 0);
	make_free(&m);
}

/* Bridges one behind the other, as many as there are bus numbers. */
static void as_deep_as_can_be(void **unused)
{
	struct ward_builder *builder;
	char text[WARD_PATH_TEXT];
	struct ward_error error;

	(void)unused;
	assert_int_equal(ward_builder_create(&builder), 0);
	for (unsigned int bus = 0; bus < 256; bus++) {
		struct ward_function f;

		ward_function_init(&f);
		f.address.rid = ward_rid_make(bus, 0x1f, 7);
		f.pcie_known = WARD_YES;
		f.header_type = bus < 255;
		f.bridge.primary = (uint8_t)bus;
		f.bridge.secondary = (uint8_t)(bus + 1);
		f.bridge.subordinate = 255;
		assert_int_equal(ward_builder_add_function(builder, &f, NULL), 0);
	}
	assert_int_equal(ward_builder_finish(builder, &m.machine, &error), 0);
	assert_int_equal(ward_machine_path(m.machine, 255, text, sizeof(text)), 0);
	assert_int_equal(strlen(text), 7 + 256 * 5);
	ward_machine_destroy(m.machine);
	m.machine = NULL;
}

static int add_segment(struct ward_builder *builder, uint64_t start, uint64_t last, uint32_t pe)
{
	const struct ward_mmio_segment segment = { { start, last }, pe };

	return ward_builder_add_segment(builder, &segment);
}

/* Two functions: one whose endpoint firmware tells, one that lies in a segment. */
static int with_segments(uint64_t second, struct ward_machine **ret_machine)
{
	struct ward_builder *builder;
	struct ward_error error = { "" };
	int err;

	assert_int_equal(ward_builder_create(&builder), 0);
	assert_int_equal(add_segment(builder, second, second + 0xffff, 4), 0);
	assert_int_equal(add_segment(builder, 0x1000, 0x1fff, 3), 0);
	assert_int_equal(add_segment(builder, 0x2000, 0x1fff, 3), -EINVAL);
	assert_int_equal(add_segment(builder, 0x9000, 0x9fff, WARD_NONE), -EINVAL);
	for (unsigned int i = 0; i < 4; i++) {
		struct ward_function f;

		ward_function_init(&f);
		f.address.rid = ward_rid_make(0, i, 0);
		f.pcie_known = WARD_YES;
		f.bar[0].range = i == 1	  ? (struct ward_range){ 0x1800, 0x18ff }
				 : i == 3 ? (struct ward_range){ 0x1700, 0x17ff }
					  : WARD_RANGE_EMPTY;
		/* Not of memory. */
		f.bar[0].io = i == 3;
		f.pe = i == 0 ? 3 : WARD_NONE;
		assert_int_equal(ward_builder_add_function(builder, &f, NULL), 0);
	}
	err = ward_builder_finish(builder, ret_machine, &error);
	if (err)
		assert_string_equal(error.text, "the MMIO segments from 0x1000 and from 0x1fff "
						"overlap");
	return err;
}

static void segments(void **unused)
{
	uint32_t cursor = 0, member;

	(void)unused;
	assert_int_equal(with_segments(0x1fff, &m.machine), -EBADMSG);
	assert_int_equal(with_segments(0x2000, &m.machine), 0);
	assert_int_equal(m.machine->segments_count, 2);
	assert_int_equal(m.machine->segments[0].pe, 3);
	assert_int_equal(m.machine->segments[1].range.start, 0x2000);
	assert_int_equal(m.machine->functions[1].pe, 3);
	assert_int_equal(m.machine->functions[3].pe, WARD_NONE);
	/* An error of the endpoint is that of both. */
	assert_true(ward_error_domain_next(m.machine, 1, &cursor, &member));
	assert_int_equal(member, 0);
	assert_true(ward_error_domain_next(m.machine, 1, &cursor, &member));
	assert_int_equal(member, 1);
	assert_false(ward_error_domain_next(m.machine, 1, &cursor, &member));
	assert_false(ward_error_domain_next(m.machine, 1, &cursor, &member));
	/* Without one a function is alone. */
	cursor = 0;
	assert_true(ward_error_domain_next(m.machine, 2, &cursor, &member));
	assert_int_equal(member, 2);
	assert_false(ward_error_domain_next(m.machine, 2, &cursor, &member));
	cursor = 0;
	assert_false(ward_error_domain_next(m.machine, 4, &cursor, &member));
	ward_machine_destroy(m.machine);
	m.machine = NULL;
}

static void domains(void **unused)
{
	struct ward_iommu iommu = { .name = "phb0", .domains = WARD_DOMAINS_FIXED };
	struct ward_builder *builder;

	(void)unused;
	assert_int_equal(ward_builder_create(&builder), 0);
	assert_int_equal(ward_builder_add_iommu(builder, &iommu, NULL), 0);
	iommu.domains = (enum ward_domains)(WARD_DOMAINS_FIXED + 1);
	assert_int_equal(ward_builder_add_iommu(builder, &iommu, NULL), -EINVAL);
	ward_builder_destroy(builder);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(outlives_numbers),  cmocka_unit_test(all_kinds),
		cmocka_unit_test(as_deep_as_can_be), cmocka_unit_test(segments),
		cmocka_unit_test(domains),
	};

	return cmocka_run_group_tests_name("machine/path", tests, NULL, NULL);
}

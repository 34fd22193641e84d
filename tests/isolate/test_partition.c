// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Partitions: what must be given away, or kept, together. */
#include "isolate/make.h"

static bool together(struct make *m, const char *a, const char *b)
{
	return ward_partition_of(m->isolation, at(m, a)) ==
	       ward_partition_of(m->isolation, at(m, b));
}

/* A partition is called after its first function, and that one is in it. */
static void make_sound(struct make *m)
{
	make_done(m);
	for (uint32_t i = 0; i < m->machine->functions_count; i++) {
		uint32_t partition = ward_partition_of(m->isolation, i);

		assert_true(partition <= i);
		assert_int_equal(ward_partition_of(m->isolation, partition), partition);
	}
}

static void a_switch(struct make *m, enum make_acs acs)
{
	make_x86(m);
	root_port_to(m, "00:1c.0", 1, 4, ACS_ON);
	upstream(m, "01:00.0", 2, 4);
	downstream(m, "02:00.0", 3, acs);
	downstream(m, "02:01.0", 4, ACS_ON);
	endpoint(m, "03:00.0");
	endpoint(m, "04:00.0");
}

static void apart(void **unused)
{
	struct make m;

	(void)unused;
	a_switch(&m, ACS_ON);
	make_sound(&m);
	for (uint32_t i = 0; i < m.machine->functions_count; i++)
		assert_int_equal(ward_partition_of(m.isolation, i), i);
	make_free(&m);
}

/* One direction is enough. */
static void by_reach(void **unused)
{
	struct make m;

	(void)unused;
	a_switch(&m, NO_ACS);
	make_sound(&m);
	assert_true(together(&m, "03:00.0", "04:00.0"));
	assert_false(together(&m, "03:00.0", "00:1c.0"));
	make_free(&m);
	a_switch(&m, ACS_UNKNOWN);
	make_sound(&m);
	assert_true(together(&m, "03:00.0", "04:00.0"));
	make_free(&m);
}

/* A place that everything passes through ties nothing by itself. */
static void not_by_passing_through(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	root_port(&m, "00:1d.0", 2, NO_ACS);
	endpoint(&m, "01:00.0");
	endpoint(&m, "02:00.0");
	integrated(&m, "00:02.0");
	make_sound(&m);
	assert_false(together(&m, "01:00.0", "02:00.0"));
	assert_false(together(&m, "00:02.0", "02:00.0"));
	assert_false(together(&m, "00:02.0", "01:00.0"));
	make_free(&m);
}

static void by_doorbell(void **unused)
{
	struct make m;

	(void)unused;
	make_arm_v2m(&m, 4096, 2);
	root_port(&m, "00:01.0", 1, ACS_ON);
	root_port(&m, "00:02.0", 2, ACS_ON);
	endpoint(&m, "01:00.0");
	endpoint(&m, "02:00.0")->controller = 1;
	endpoint(&m, "00:03.0")->msix = false;
	make_sound(&m);
	assert_true(together(&m, "01:00.0", "02:00.0"));
	assert_true(together(&m, "01:00.0", "00:01.0"));
	assert_false(together(&m, "01:00.0", "00:03.0"));
	make_free(&m);
	m.controllers[1].pool = 1;
	make_sound(&m);
	assert_false(together(&m, "01:00.0", "02:00.0"));
	make_free(&m);
	/* A controller that isolates ties nobody ... */
	make_arm_its(&m);
	root_port(&m, "00:01.0", 1, ACS_ON);
	root_port(&m, "00:02.0", 2, ACS_ON);
	endpoint(&m, "01:00.0");
	endpoint(&m, "02:00.0");
	make_sound(&m);
	assert_false(together(&m, "01:00.0", "02:00.0"));
	make_free(&m);
	/* ... but those that it cannot tell apart. */
	m.functions[3].devid = m.functions[2].devid;
	make_sound(&m);
	assert_true(together(&m, "01:00.0", "02:00.0"));
	assert_false(together(&m, "01:00.0", "00:02.0"));
	make_free(&m);
}

/* Everybody reaches the host's interrupts; that is no reason to give them away together. */
static void not_by_the_host(void **unused)
{
	struct make m;

	(void)unused;
	make_x86_apic(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	root_port(&m, "00:1d.0", 2, ACS_ON);
	endpoint(&m, "01:00.0")->msix = false;
	endpoint(&m, "02:00.0")->stream.iommu = WARD_NONE;
	make_sound(&m);
	make_free(&m);
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	root_port(&m, "00:1d.0", 2, ACS_ON);
	endpoint(&m, "01:00.0")->stream.iommu = WARD_NONE;
	endpoint(&m, "02:00.0")->stream.iommu = WARD_NONE;
	make_sound(&m);
	assert_false(together(&m, "01:00.0", "02:00.0"));
	make_free(&m);
}

static void by_group(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, NO_ACS);
	endpoint(&m, "01:00.0");
	make_sound(&m);
	assert_true(together(&m, "00:1c.0", "01:00.0"));
	make_free(&m);
	/* The kernel says so. */
	a_switch(&m, ACS_ON);
	kernel_group(&m, 7, "03:00.0", "04:00.0");
	make_sound(&m);
	assert_true(together(&m, "03:00.0", "04:00.0"));
	make_free(&m);
}

static void by_reset(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	function(&m, "01:00.0", WARD_PCIE_ENDPOINT, ACS_ON)->resets = 0;
	function(&m, "01:00.1", WARD_PCIE_ENDPOINT, ACS_ON);
	make_sound(&m);
	assert_true(together(&m, "01:00.0", "01:00.1"));
	make_free(&m);
	/* How it is reset is not known: nothing can be said. */
	m.functions[1].resets_known = WARD_NO;
	make_sound(&m);
	assert_false(together(&m, "01:00.0", "01:00.1"));
	make_free(&m);
	/* What is behind bridges on the bus is reset, too. */
	a_switch(&m, ACS_ON);
	m.functions[3].address.rid = ward_rid_make(2, 2, 0);
	endpoint(&m, "02:01.0")->resets = 0;
	make_sound(&m);
	assert_true(together(&m, "02:01.0", "03:00.0"));
	assert_true(together(&m, "02:01.0", "04:00.0"));
	assert_false(together(&m, "02:01.0", "01:00.0"));
	make_free(&m);
}

/* Partitionable endpoints of POWER. */
static void by_firmware(void **unused)
{
	struct make m;

	(void)unused;
	a_switch(&m, ACS_ON);
	m.functions[4].pe = 3;
	m.functions[5].pe = 3;
	make_sound(&m);
	assert_true(together(&m, "03:00.0", "04:00.0"));
	make_free(&m);
}

/* Who has a BAR in a segment is of its endpoint, and of each one that the BAR lies in. */
static void by_segment(void **unused)
{
	struct make m;

	(void)unused;
	make_empty(&m, WARD_ARCH_POWER, 65536);
	make_iommu(&m, WARD_IOMMU_OTHER);
	for (unsigned int i = 0; i < 4; i++) {
		static const char *const ports[] = { "00:01.0", "00:02.0", "00:03.0", "00:04.0" };
		static const char *const cards[] = { "01:00.0", "02:00.0", "03:00.0", "04:00.0" };

		root_port(&m, ports[i], i + 1, ACS_ON);
		endpoint(&m, cards[i])->bar[0].range = (struct ward_range){
			0x10000 * (uint64_t)i,
			0x10000 * (uint64_t)i + 0xffff,
		};
		m.functions[m.count - 1].pe = 10 + i;
	}
	make_sound(&m);
	assert_false(together(&m, "01:00.0", "02:00.0"));
	make_free(&m);
	/* The second's registers are in the first one's segment. */
	mmio_segment(&m, 0x0, 0x17fff, 10);
	make_sound(&m);
	assert_true(together(&m, "01:00.0", "02:00.0"));
	assert_false(together(&m, "02:00.0", "03:00.0"));
	make_free(&m);
	/* One BAR in three segments: theirs belong together, although nobody is in the middle one. */
	mmio_segment(&m, 0x18000, 0x1bfff, 77);
	mmio_segment(&m, 0x1c000, 0x2ffff, 12);
	make_sound(&m);
	assert_true(together(&m, "01:00.0", "03:00.0"));
	assert_false(together(&m, "03:00.0", "04:00.0"));
	/* Groups of the kernel are endpoints, and segments do not change that. */
	assert_int_not_equal(ward_isolation_groups(m.isolation)[at(&m, "01:00.0")].group,
			     ward_isolation_groups(m.isolation)[at(&m, "03:00.0")].group);
	m.state->functions[at(&m, "02:00.0")].absent = true;
	ward_isolation_destroy(m.isolation);
	assert_int_equal(ward_isolation_create(m.machine, m.state, &m.isolation), 0);
	assert_false(together(&m, "01:00.0", "03:00.0"));
	make_free(&m);
	/* Segments with one number are one endpoint's. */
	mmio_segment(&m, 0x30000, 0x30fff, 10);
	make_sound(&m);
	assert_true(together(&m, "01:00.0", "04:00.0"));
	make_free(&m);
}

/* The PF stays with the host, which is trusted: its VFs may go to different clients. */
static void not_by_pf(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	endpoint(&m, "01:00.0");
	vf(&m, "01:10.0", "01:00.0");
	vf(&m, "01:10.1", "01:00.0");
	make_sound(&m);
	assert_false(together(&m, "01:10.0", "01:10.1"));
	assert_false(together(&m, "01:00.0", "01:10.0"));
	make_free(&m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(apart),
		cmocka_unit_test(by_reach),
		cmocka_unit_test(not_by_passing_through),
		cmocka_unit_test(by_doorbell),
		cmocka_unit_test(not_by_the_host),
		cmocka_unit_test(by_group),
		cmocka_unit_test(by_reset),
		cmocka_unit_test(by_firmware),
		cmocka_unit_test(by_segment),
		cmocka_unit_test(not_by_pf),
	};

	return cmocka_run_group_tests_name("isolate/partition", tests, NULL, NULL);
}

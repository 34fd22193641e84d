// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Doorbells and spaces: who is kept from one, who gets at one that is mapped, and what is told. */
#include "isolate/spaces.h"

#define RW (WARD_READ | WARD_WRITE)

/* Frames in pages of their own, no pool, one for each card. */
static void frames(struct make *m, uint64_t page)
{
	v2m(m, page, 2);
	m->functions[3].controller = 1;
	m->controllers[1].pool = 1;
	make_done(m);
}

static void doorbells_need_a_way_out(void **unused)
{
	struct ward_space *blocked = space_of(WARD_SPACE_BLOCKED);
	struct ward_space *open = space_of(WARD_SPACE_UNMANAGED);
	struct make m;

	(void)unused;
	v2m(&m, 4096, 1);
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	put(&m, "01:00.0", blocked);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "no");
	/* It has its interrupts there still. */
	assert_string_equal(RAISES(&m, "02:00.0", "01:00.0"), "sure");
	/* Its vectors come with the mapping of their doorbell, by the kernel. */
	put(&m, "01:00.0", open);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	/* A PASID that leads nowhere does not keep a message back: messages have none. */
	put(&m, "01:00.0", NULL);
	put_pasid(&m, "01:00.0", ward_pasid(1), blocked);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	make_free(&m);
	ward_space_destroy(blocked);
	ward_space_destroy(open);
}

/* A neighbour that is shut in does not shut in this one. */
static void blocked_is_by_function(void **unused)
{
	struct ward_space *blocked = space_of(WARD_SPACE_BLOCKED);
	struct make m;

	(void)unused;
	v2m(&m, 4096, 1);
	endpoint(&m, "01:00.1");
	endpoint(&m, "01:00.2");
	make_done(&m);
	put(&m, "01:00.0", blocked);
	put(&m, "01:00.2", blocked);
	assert_string_equal(how(&m, "02:00.0", WARD_NODE_DOORBELL, 0), "sure");
	assert_string_equal(how(&m, "01:00.1", WARD_NODE_DOORBELL, 0), "sure");
	make_free(&m);
	ward_space_destroy(blocked);
}

static void blocked_without_iommu(void **unused)
{
	struct ward_space *blocked = space_of(WARD_SPACE_BLOCKED);
	struct make m;

	(void)unused;
	v2m(&m, 4096, 1);
	m.functions[2].stream.iommu = WARD_NONE;
	make_done(&m);
	put(&m, "01:00.0", blocked);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	make_free(&m);
	ward_space_destroy(blocked);
}

/* No space is between a function and the APIC page. */
static void apic_is_not_translated(void **unused)
{
	struct ward_space *blocked = space_of(WARD_SPACE_BLOCKED);
	struct make m;

	(void)unused;
	make_x86_apic(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	root_port(&m, "00:1d.0", 2, ACS_ON);
	endpoint(&m, "01:00.0");
	endpoint(&m, "02:00.0")->controller_known = WARD_UNKNOWN;
	make_done(&m);
	put(&m, "01:00.0", blocked);
	put(&m, "02:00.0", blocked);
	assert_string_equal(HOST_VECTORS(&m, "01:00.0"), "sure");
	assert_string_equal(HOST_VECTORS(&m, "02:00.0"), "unknown");
	make_free(&m);
	ward_space_destroy(blocked);
}

/* What its MSIs are written to could not be read; in an empty space it does not matter. */
static void unknown_doorbell_behind_a_wall(void **unused)
{
	struct ward_space *blocked = space_of(WARD_SPACE_BLOCKED);
	struct make m;

	(void)unused;
	v2m(&m, 4096, 1);
	m.functions[2].controller_known = WARD_UNKNOWN;
	make_done(&m);
	assert_string_equal(HOST_VECTORS(&m, "01:00.0"), "unknown");
	put(&m, "01:00.0", blocked);
	assert_string_equal(HOST_VECTORS(&m, "01:00.0"), "no");
	make_free(&m);
	ward_space_destroy(blocked);
}

static void shared_device_id(void **unused)
{
	struct ward_space *blocked = space_of(WARD_SPACE_BLOCKED);
	struct make m;

	(void)unused;
	make_arm_its(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	root_port(&m, "00:1d.0", 2, ACS_ON);
	endpoint(&m, "01:00.0")->devid = ward_devid(9);
	endpoint(&m, "02:00.0")->devid = ward_devid(9);
	make_done(&m);
	put(&m, "01:00.0", blocked);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "no");
	assert_string_equal(RAISES(&m, "02:00.0", "01:00.0"), "sure");
	make_free(&m);
	/* One without vectors rings for the other, and has none that could be raised. */
	make_arm_its(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	root_port(&m, "00:1d.0", 2, ACS_ON);
	endpoint(&m, "01:00.0")->devid = ward_devid(9);
	endpoint(&m, "02:00.0")->devid = ward_devid(9);
	m.functions[2].msix = false;
	make_done(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	assert_string_equal(RAISES(&m, "02:00.0", "01:00.0"), "no");
	make_free(&m);
	ward_space_destroy(blocked);
}

static void mapped_doorbells(void **unused)
{
	struct ward_space *space = space_of(WARD_SPACE_UNMANAGED);
	struct make m;

	(void)unused;
	frames(&m, 4096);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "no");
	mapped(space, 0x8000000, 0x8021000, 0x1000, WARD_READ);
	put(&m, "01:00.0", space);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "no");
	mapped(space, 0x8001000, 0x8022000, 0x1000, RW);
	put(&m, "01:00.0", space);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "no");
	mapped(space, 0x8002000, 0x8021000, 0x1000, WARD_WRITE);
	put(&m, "01:00.0", space);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	assert_string_equal(RAISES(&m, "02:00.0", "01:00.0"), "no");
	make_free(&m);
	ward_space_destroy(space);
}

/* A page of 64 KiB holds both frames: who is given the one has the other. */
static void a_page_drags_its_frames_in(void **unused)
{
	struct ward_space *space = space_on(WARD_SPACE_UNMANAGED, 65536, NULL);
	struct make m;

	(void)unused;
	/* The host's pages are small, so nothing but this mapping ties the frames. */
	frames(&m, 4096);
	m.functions[2].msix = false;
	mapped(space, 0x8000000, 0x8020000, 0x10000, WARD_WRITE);
	put(&m, "01:00.0", space);
	assert_string_equal(how(&m, "01:00.0", WARD_NODE_DOORBELL, 0), "sure");
	assert_string_equal(how(&m, "01:00.0", WARD_NODE_DOORBELL, 1), "sure");
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	make_free(&m);
	ward_space_destroy(space);
}

/* An interrupt of x86 is a matter of the address before the translation, not behind it. */
static void apic_page_as_a_target(void **unused)
{
	struct ward_space *space = space_of(WARD_SPACE_UNMANAGED);
	struct make m;

	(void)unused;
	make_x86_apic(&m);
	integrated(&m, "00:02.0")->controller = WARD_NONE;
	make_done(&m);
	mapped(space, 0x1000, 0xfee00000, 0x1000, RW);
	put(&m, "00:02.0", space);
	assert_string_equal(HOST_VECTORS(&m, "00:02.0"), "no");
	make_free(&m);
	ward_space_destroy(space);
}

static const char *frame_text(struct make *m)
{
	return finding_in(judged(m, WARD_POLICY_STRICT, NULL, "01:00.0"), "msi-frame-shared")->text;
}

/* Which frame it is, and why it is reached at all. */
static void findings_name_the_frame(void **unused)
{
	struct ward_space *space = space_of(WARD_SPACE_UNMANAGED);
	static struct make m;

	(void)unused;
	v2m(&m, 65536, 2);
	m.functions[3].controller = 1;
	m.controllers[1].pool = 1;
	bound(&m, "02:00.0", "nvme");
	make_iommu(&m, WARD_IOMMU_SMMUV3)->controller = 1;
	make_done(&m);
	assert_non_null(strstr(frame_text(&m),
			       "through controller0: with pages of 64 KiB, controller1 is mapped"));
	assert_int_equal(m.verdict->findings[0].blocker, at(&m, "02:00.0"));
	assert_non_null(strstr(m.verdict->findings[1].text, "with pages of 64 KiB, controller1"));
	make_free(&m);

	/* One pool: its vectors may be in either frame, whatever the page. */
	v2m(&m, 65536, 2);
	m.functions[3].controller = 1;
	bound(&m, "02:00.0", "nvme");
	make_done(&m);
	assert_null(strstr(frame_text(&m), "64 KiB"));
	make_free(&m);

	v2m(&m, 4096, 2);
	m.functions[3].controller = 1;
	m.controllers[1].pool = 1;
	bound(&m, "02:00.0", "nvme");
	make_done(&m);
	mapped(space, 0, 0x8021000, 0x1000, RW);
	put(&m, "01:00.0", space);
	assert_non_null(strstr(frame_text(&m), "through controller1, the page of which is mapped"));
	make_free(&m);
	ward_space_destroy(space);
}

/* Cards at an ITS each, where firmware gave both the same DeviceID: no harm in that. */
static void two_its(struct make *m)
{
	make_arm_its(m);
	make_controller(m, WARD_CONTROLLER_GICV3_ITS, WARD_YES, 0x80b0000, 0x10000);
	root_port(m, "00:01.0", 1, ACS_ON);
	root_port(m, "00:02.0", 2, ACS_ON);
	root_port(m, "00:03.0", 3, ACS_ON);
	endpoint(m, "01:00.0");
	endpoint(m, "02:00.0")->controller = 1;
	m->functions[4].devid = m->functions[3].devid;
	endpoint(m, "03:00.0")->controller = 1;
	make_done(m);
}

/* The other's ITS, mapped for it, sees it with the id it has anywhere. */
static void foreign_its(void **unused)
{
	struct ward_space *writes = space_of(WARD_SPACE_UNMANAGED);
	struct ward_space *reads = space_of(WARD_SPACE_UNMANAGED);
	struct ward_space *nested;
	struct make m;

	(void)unused;
	mapped(writes, 0x100000, 0x80b0000, 0x1000, WARD_WRITE);
	mapped(reads, 0x100000, 0x80b0000, 0x1000, WARD_READ);
	nested = space_on(WARD_SPACE_NESTED, 0, writes);
	two_its(&m);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "no");
	put(&m, "01:00.0", reads);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "no");
	put(&m, "01:00.0", writes);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	assert_string_equal(RAISES(&m, "01:00.0", "03:00.0"), "no");
	/* The other has no way to the first one's. */
	assert_string_equal(RAISES(&m, "02:00.0", "01:00.0"), "no");
	put(&m, "01:00.0", nested);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	put(&m, "01:00.0", NULL);
	put_pasid(&m, "01:00.0", ward_pasid(1), writes);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	make_free(&m);
	ward_space_destroy(nested);
	ward_space_destroy(writes);
	ward_space_destroy(reads);
}

/* In one space with a card of the other ITS: the host maps that ITS for it, and so for both. */
static void its_of_others(void **unused)
{
	struct ward_space *space = space_of(WARD_SPACE_UNMANAGED);
	struct make m;

	(void)unused;
	two_its(&m);
	put(&m, "01:00.0", space);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "no");
	put(&m, "03:00.0", space);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	make_free(&m);
	ward_space_destroy(space);
}

/* A frame is as good as mapped for all that are in a space with one of its users. */
static void frame_of_others(void **unused)
{
	struct ward_space *space = space_of(WARD_SPACE_UNMANAGED);
	struct make m;

	(void)unused;
	v2m(&m, 4096, 1);
	make_controller(&m, WARD_CONTROLLER_GICV3_ITS, WARD_YES, 0x80b0000, 0x10000);
	m.functions[2].controller = 1;
	root_port(&m, "00:03.0", 3, ACS_ON);
	endpoint(&m, "03:00.0");
	make_done(&m);
	put(&m, "01:00.0", space);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "no");
	put(&m, "03:00.0", space);
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "sure");
	put_pasid(&m, "03:00.0", ward_pasid(1), space);
	put(&m, "03:00.0", NULL);
	/* Messages have no PASID. */
	assert_string_equal(RAISES(&m, "01:00.0", "02:00.0"), "no");
	make_free(&m);
	ward_space_destroy(space);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(doorbells_need_a_way_out),
		cmocka_unit_test(blocked_is_by_function),
		cmocka_unit_test(blocked_without_iommu),
		cmocka_unit_test(apic_is_not_translated),
		cmocka_unit_test(unknown_doorbell_behind_a_wall),
		cmocka_unit_test(shared_device_id),
		cmocka_unit_test(mapped_doorbells),
		cmocka_unit_test(a_page_drags_its_frames_in),
		cmocka_unit_test(apic_page_as_a_target),
		cmocka_unit_test(findings_name_the_frame),
		cmocka_unit_test(foreign_its),
		cmocka_unit_test(its_of_others),
		cmocka_unit_test(frame_of_others),
	};

	return cmocka_run_group_tests_name("isolate/spaces-msi", tests, NULL, NULL);
}

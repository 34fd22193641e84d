// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Interrupts by message and who may raise whose: the rule for GICv2m (all functions on a frame are the
 * host's, or one client's), several frames, the ITS that needs no rule, and what changes while functions
 * are given away.
 */
#include "own/rules.h"

/* Three cards; ports have no MSIs. */
static void three_cards(struct own *t)
{
	static const char *const ports[] = { "00:01.0", "00:02.0", "00:03.0" };
	static const char *const cards[] = { "01:00.0", "02:00.0", "03:00.0" };

	for (unsigned int i = 0; i < 3; i++) {
		root_port(&t->m, ports[i], i + 1, ACS_ON)->msix = false;
		endpoint(&t->m, cards[i]);
	}
}

static void on_frames(struct own *t, uint64_t page, unsigned int frames)
{
	memset(t, 0, sizeof(*t));
	make_arm_v2m(&t->m, page, frames);
	three_cards(t);
}

static void on_its(struct own *t)
{
	memset(t, 0, sizeof(*t));
	make_arm_its(&t->m);
	three_cards(t);
}

static void one_frame_is_the_hosts(void **unused)
{
	struct own t;

	(void)unused;
	on_frames(&t, 4096, 1);
	bound(&t.m, "03:00.0", "nvme");
	own_begin(&t, NULL, "a b");
	refused(&t, claim(&t, "a", "01:00.0"), "msi-frame-shared",
		"01:00.0 > controller0 > interrupts of 03:00.0");
	/* All to the host: nothing is wrong with that. */
	assert_allowed(&t, bind_to(&t, "igb", "01:00.0 02:00.0", false));
	/* Together with what the host does not let go of it is no better. */
	assert_allowed(&t, event(&t, WARD_EVENT_UNBIND, "01:00.0 02:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_RESET, "01:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_RESET, "02:00.0"));
	refused(&t, claim(&t, "a", "01:00.0 02:00.0"), "msi-frame-shared",
		"01:00.0 > controller0 > interrupts of 03:00.0");
	own_end(&t);
}

static void one_frame_is_one_clients(void **unused)
{
	struct own t;

	(void)unused;
	on_frames(&t, 4096, 1);
	own_begin(&t, NULL, "a b");
	assert_allowed(&t, claim(&t, "a", "01:00.0"));
	refused(&t, claim(&t, "b", "02:00.0"), "msi-frame-shared",
		"02:00.0 > controller0 > interrupts of 01:00.0");
	/* It goes both ways. */
	assert_witness(&t, "reached-by-other", "01:00.0 > controller0 > interrupts of 02:00.0");
	refused(&t, bind_to(&t, "nvme", "02:00.0", false), "msi-frame-shared",
		"01:00.0 > controller0 > interrupts of 02:00.0");
	assert_allowed(&t, claim(&t, "a", "02:00.0"));
	assert_int_equal(t.outcome.verdict->grade, WARD_GRADE_SHARED_WITH_OWN);
	/* Several containers of one client are one client. */
	assert_allowed(&t, attach(&t, "01:00.0", 1));
	assert_allowed(&t, attach(&t, "02:00.0", 2));
	assert_int_equal(ward_ownership_container(t.o, at(&t.m, "01:00.0")), 1);
	assert_int_equal(ward_ownership_container(t.o, at(&t.m, "02:00.0")), 2);
	/* What was given back is nobody's, and b waits for the last one. */
	assert_allowed(&t, event(&t, WARD_EVENT_RELEASE, "01:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_RESET, "01:00.0"));
	refused(&t, claim(&t, "b", "01:00.0"), "msi-frame-shared",
		"01:00.0 > controller0 > interrupts of 02:00.0");
	assert_allowed(&t, event(&t, WARD_EVENT_RELEASE, "02:00.0"));
	assert_allowed(&t, claim(&t, "b", "01:00.0"));
	own_end(&t);
}

/* The frame is what counts, not who has the MSI parent: without MSIs there is nothing to share. */
static void without_messages(void **unused)
{
	struct own t;

	(void)unused;
	on_frames(&t, 4096, 1);
	t.m.functions[make_ordinal(&t.m, "03:00.0")].msix = false;
	bound(&t.m, "03:00.0", "ehci-pci");
	own_begin(&t, NULL, "a b");
	assert_allowed(&t, claim(&t, "a", "01:00.0"));
	assert_int_equal(t.outcome.verdict->grade, WARD_GRADE_EXCLUSIVE);
	own_end(&t);
}

/* Ports have interrupts of their own on the frame; viability excuses them, the frame does not. */
static void ports_count(void **unused)
{
	struct own t;

	(void)unused;
	on_frames(&t, 4096, 1);
	t.m.functions[make_ordinal(&t.m, "00:02.0")].msix = true;
	bound(&t.m, "00:02.0", "pcieport");
	own_begin(&t, NULL, "a b");
	refused(&t, claim(&t, "a", "01:00.0"), "msi-frame-shared",
		"01:00.0 > controller0 > interrupts of 00:02.0");
	own_end(&t);
}

static void several_frames(void **unused)
{
	struct own t;

	(void)unused;
	on_frames(&t, 4096, 3);
	for (unsigned int i = 0; i < 3; i++) {
		t.m.controllers[i].pool = i;
		t.m.functions[2 * i + 1].controller = i;
	}
	bound(&t.m, "03:00.0", "nvme");
	own_begin(&t, NULL, "a b");
	assert_allowed(&t, claim(&t, "a", "01:00.0"));
	assert_int_equal(t.outcome.verdict->grade, WARD_GRADE_EXCLUSIVE);
	assert_allowed(&t, claim(&t, "b", "02:00.0"));
	/* A vector of the host lands where a is: that cannot be refused. */
	unsettled(&t, vector(&t, "03:00.0", 0), "msi-frame-shared",
		  "01:00.0 > controller0 > interrupts of 03:00.0");
	refused(&t, attach(&t, "02:00.0", 1), "unsettled", "");
	assert_int_equal(contain(&t), 1);
	assert_exposure(&t, 3, 4, WARD_EVENT_FREEZE);
	assert_true(own_at(&t, "01:00.0")->frozen);
	assert_false(own_at(&t, "02:00.0")->frozen);
	own_end(&t);
}

/* Frames that the kernel fills one after the other: which one a function is on is not to be chosen. */
static void frames_of_one_pool(void **unused)
{
	struct own t;

	(void)unused;
	on_frames(&t, 4096, 2);
	t.m.functions[make_ordinal(&t.m, "02:00.0")].controller = 1;
	own_begin(&t, NULL, "a b");
	assert_allowed(&t, claim(&t, "a", "01:00.0"));
	refused(&t, claim(&t, "b", "02:00.0"), "msi-frame-shared",
		"02:00.0 > controller0 > interrupts of 01:00.0");
	own_end(&t);
}

/* Two frames in one page of the host: what is mapped for one is mapped for both. */
static void frames_of_one_page(void **unused)
{
	struct own t;

	(void)unused;
	on_frames(&t, 65536, 2);
	t.m.controllers[1].pool = 1;
	t.m.functions[make_ordinal(&t.m, "02:00.0")].controller = 1;
	own_begin(&t, NULL, "a b");
	assert_allowed(&t, claim(&t, "a", "01:00.0"));
	refused(&t, claim(&t, "b", "02:00.0"), "msi-frame-shared",
		"02:00.0 > controller0 > interrupts of 01:00.0");
	assert_non_null(strstr(finding_in(t.outcome.verdict, "msi-frame-shared")->text,
			       "with pages of 64 KiB"));
	own_end(&t);
}

/* The same cards: an ITS knows writers apart, and needs no rule. */
static void its_needs_none(void **unused)
{
	struct own t;

	(void)unused;
	on_its(&t);
	bound(&t.m, "03:00.0", "nvme");
	own_begin(&t, NULL, "a b");
	assert_allowed(&t, claim(&t, "a", "01:00.0"));
	assert_int_equal(t.outcome.verdict->grade, WARD_GRADE_ISOLATED);
	assert_allowed(&t, claim(&t, "b", "02:00.0"));
	assert_recorded(&t, vector(&t, "03:00.0", 0));
	own_end(&t);
	/* ... as far as each has a DeviceID for itself. */
	on_its(&t);
	bound(&t.m, "03:00.0", "nvme");
	t.m.functions[make_ordinal(&t.m, "02:00.0")].devid =
		t.m.functions[make_ordinal(&t.m, "01:00.0")].devid;
	own_begin(&t, NULL, "a b");
	assert_allowed(&t, claim(&t, "a", "01:00.0"));
	refused(&t, claim(&t, "b", "02:00.0"), "msi-id-shared",
		"02:00.0 > controller0 > interrupts of 01:00.0");
	own_end(&t);
}

/* A card with VFs: PF and one VF for the host, the other VF for a guest. */
static void a_card_with_vfs(struct own *t, bool its)
{
	memset(t, 0, sizeof(*t));
	if (its)
		make_arm_its(&t->m);
	else
		make_arm_v2m(&t->m, 4096, 1);
	root_port(&t->m, "00:01.0", 1, ACS_ON)->msix = false;
	endpoint(&t->m, "01:00.0")->vfs_enabled = 2;
	vf(&t->m, "01:10.0", "01:00.0");
	vf(&t->m, "01:10.2", "01:00.0");
	bound(&t->m, "01:00.0", "igb");
	bound(&t->m, "01:10.0", "igbvf");
	own_begin(t, NULL, "a b");
}

static void vfs_of_one_card(void **unused)
{
	struct own t;

	(void)unused;
	a_card_with_vfs(&t, false);
	refused(&t, claim(&t, "a", "01:10.2"), "msi-frame-shared",
		"01:10.2 > controller0 > interrupts of 01:10.0");
	assert_witness(&t, "msi-frame-shared", "01:10.2 > controller0 > interrupts of 01:00.0");
	own_end(&t);
	a_card_with_vfs(&t, true);
	assert_allowed(&t, claim(&t, "a", "01:10.2"));
	assert_int_equal(t.outcome.verdict->grade, WARD_GRADE_ISOLATED);
	/* Another guest may have the other one, once the host is done with it. */
	assert_allowed(&t, event(&t, WARD_EVENT_UNBIND, "01:10.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_RESET, "01:10.0"));
	assert_allowed(&t, claim(&t, "b", "01:10.0"));
	own_end(&t);
}

/* A card is plugged in next to one that is given away, and the host's driver takes it. */
static void plugged_into_a_leased_frame(void **unused)
{
	struct own t;

	(void)unused;
	on_frames(&t, 4096, 1);
	own_begin(&t, NULL, "a b");
	assert_recorded(&t, event(&t, WARD_EVENT_HOT_REMOVE, "03:00.0"));
	assert_allowed(&t, claim(&t, "a", "01:00.0"));
	unsettled(&t, hot_add(&t, "03:00.0", "nvme"), "msi-frame-shared",
		  "01:00.0 > controller0 > interrupts of 03:00.0");
	assert_exposure(&t, 3, 0, WARD_EVENTS);
	assert_int_equal(contain(&t), 1);
	assert_exposure(&t, 3, 4, WARD_EVENT_QUARANTINE);
	assert_true(own_at(&t, "03:00.0")->quarantined);
	assert_null(own_at(&t, "03:00.0")->driver);
	assert_false(own_at(&t, "01:00.0")->frozen);
	/* In quarantine it stays as long as a has the frame; a may have it, too. */
	refused(&t, bind_to(&t, "nvme", "03:00.0", false), "msi-frame-shared",
		"01:00.0 > controller0 > interrupts of 03:00.0");
	refused(&t, claim(&t, "b", "03:00.0"), "tainted", "");
	assert_allowed(&t, event(&t, WARD_EVENT_RESET, "03:00.0"));
	refused(&t, claim(&t, "b", "03:00.0"), "msi-frame-shared",
		"03:00.0 > controller0 > interrupts of 01:00.0");
	assert_allowed(&t, claim(&t, "a", "03:00.0"));
	own_end(&t);
	/* Without a driver it raises nothing that anybody waits for. */
	on_frames(&t, 4096, 1);
	own_begin(&t, NULL, "a b");
	assert_recorded(&t, event(&t, WARD_EVENT_HOT_REMOVE, "03:00.0"));
	assert_allowed(&t, claim(&t, "a", "01:00.0"));
	assert_recorded(&t, hot_add(&t, "03:00.0", NULL));
	own_end(&t);
	/* Behind an ITS the host may have it. */
	on_its(&t);
	own_begin(&t, NULL, "a b");
	assert_recorded(&t, event(&t, WARD_EVENT_HOT_REMOVE, "03:00.0"));
	assert_allowed(&t, claim(&t, "a", "01:00.0"));
	assert_recorded(&t, hot_add(&t, "03:00.0", "nvme"));
	own_end(&t);
}

/* The host lets go of a card, its neighbour is given away, and the host wants its card back. */
static void bound_again_while_leased(void **unused)
{
	struct own t;

	(void)unused;
	on_frames(&t, 4096, 1);
	bound(&t.m, "03:00.0", "nvme");
	own_begin(&t, NULL, "a b");
	assert_allowed(&t, event(&t, WARD_EVENT_UNBIND, "03:00.0"));
	assert_allowed(&t, claim(&t, "a", "01:00.0"));
	refused(&t, bind_to(&t, "nvme", "03:00.0", false), "msi-frame-shared",
		"01:00.0 > controller0 > interrupts of 03:00.0");
	/* A driver that stands aside may have it: vfio-pci raises nothing for itself. */
	assert_allowed(&t, bind_to(&t, "vfio-pci", "03:00.0", false));
	assert_allowed(&t, event(&t, WARD_EVENT_UNBIND, "03:00.0"));
	/* Somebody writes to sysfs behind our back. */
	unsettled(&t, bind_to(&t, "nvme", "03:00.0", true), "msi-frame-shared",
		  "01:00.0 > controller0 > interrupts of 03:00.0");
	assert_int_equal(contain(&t), 1);
	assert_exposure(&t, 5, 6, WARD_EVENT_QUARANTINE);
	assert_null(own_at(&t, "03:00.0")->driver);
	assert_recorded(&t, death(&t, "a"));
	assert_allowed(&t, bind_to(&t, "nvme", "03:00.0", false));
	own_end(&t);
}

/* x86 without remapping: one page for all, and every interrupt of the host behind it. */
static void without_remapping(void **unused)
{
	struct own t;

	(void)unused;
	memset(&t, 0, sizeof(t));
	make_x86_apic(&t.m);
	three_cards(&t);
	own_begin(&t, NULL, "a b");
	refused(&t, claim(&t, "a", "01:00.0"), "msi-not-isolated",
		"01:00.0 > controller0 > all interrupts");
	assert_allowed(&t, claim_accepting(&t, "a", "01:00.0", "msi-not-isolated"));
	own_end(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_frame_is_the_hosts),
		cmocka_unit_test(one_frame_is_one_clients),
		cmocka_unit_test(without_messages),
		cmocka_unit_test(ports_count),
		cmocka_unit_test(several_frames),
		cmocka_unit_test(frames_of_one_pool),
		cmocka_unit_test(frames_of_one_page),
		cmocka_unit_test(its_needs_none),
		cmocka_unit_test(vfs_of_one_card),
		cmocka_unit_test(plugged_into_a_leased_frame),
		cmocka_unit_test(bound_again_while_leased),
		cmocka_unit_test(without_remapping),
	};

	return cmocka_run_group_tests_name("own/rules-frame", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Orders of events that a hostile client would like: each leads nowhere. */
#include "own/own.h"

/* A PF with two VFs, which stands aside. */
static void card(struct own *t)
{
	make_arm_its(&t->m);
	root_port_to(&t->m, "00:01.0", 1, 2, ACS_ON);
	function(&t->m, "01:00.0", WARD_PCIE_ENDPOINT, ACS_ON)->vfs_total = 2;
	vf(&t->m, "01:00.1", "0000:01:00.0");
	vf(&t->m, "01:00.2", "0000:01:00.0");
	bound(&t->m, "01:00.0", "vfio-pci");
	own_begin(t, NULL, "a b");
}

/* Who has the PF writes its VFs, whoever has left something there before: none gets it back unreset. */
static void test_left_upon_a_note(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	card(&t);
	assert_allowed(&t, claim(&t, "b", "0000:01:00.1"));
	assert_allowed(&t, event(&t, WARD_EVENT_RELEASE, "0000:01:00.1"));
	assert_allowed(&t, bind_to(&t, "ixgbevf", "0000:01:00.2", false));
	assert_allowed(&t, event(&t, WARD_EVENT_UNBIND, "0000:01:00.2"));
	assert_refused(&t, claim(&t, "a", "0000:01:00.0"), "tainted");
	assert_allowed(&t, event(&t, WARD_EVENT_RESET, "0000:01:00.1"));
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_RELEASE, "0000:01:00.0"));
	assert_refused(&t, bind_to(&t, "ixgbevf", "0000:01:00.2", false), "tainted");
	own_end(&t);
}

/* Nor is a VF anybody's whose PF may still do what a client has told it. */
static void test_left_in_the_pf(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	card(&t);
	assert_allowed(&t, event(&t, WARD_EVENT_VFS_OFF, "0000:01:00.0"));
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_RELEASE, "0000:01:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_VFS_ON, "0000:01:00.0"));
	assert_refused(&t, claim(&t, "b", "0000:01:00.1"), "tainted");
	assert_refused(&t, bind_to(&t, "ixgbevf", "0000:01:00.1", false), "tainted");
	assert_allowed(&t, claim(&t, "a", "0000:01:00.1"));
	assert_allowed(&t, event(&t, WARD_EVENT_RELEASE, "0000:01:00.1"));
	assert_allowed(&t, event(&t, WARD_EVENT_RESET, "0000:01:00.0"));
	assert_allowed(&t, claim(&t, "b", "0000:01:00.1"));
	own_end(&t);
}

static struct ward_space *make_space_of(enum ward_space_kind kind)
{
	const struct ward_space_options options = { .size = sizeof(options), .kind = kind };
	struct ward_space *space;

	assert_int_equal(ward_space_create(&options, &space), 0);
	return space;
}

static int attach_space(struct own *t, const char *names, uint32_t container,
			struct ward_space *space)
{
	struct ward_event e = event_of(t, WARD_EVENT_ATTACH, names);

	e.container = container;
	e.space = space;
	return happens(t, e);
}

static void two_cards(struct own *t, unsigned int frames)
{
	make_arm_v2m(&t->m, 4096, frames);
	if (!frames)
		make_controller(&t->m, WARD_CONTROLLER_GICV3_ITS, WARD_YES, 0x8080000, 0x20000);
	for (unsigned int i = 1; i <= 3; i++) {
		static const char *const ports[] = { "", "00:01.0", "00:02.0", "00:03.0" };
		static const char *const cards[] = { "", "01:00.0", "02:00.0", "03:00.0" };

		root_port(&t->m, ports[i], i, ACS_ON)->msix = false;
		endpoint(&t->m, cards[i]);
	}
}

/* A container has one space. */
static void test_container_of_two_spaces(void **unused)
{
	struct ward_space *space = make_space_of(WARD_SPACE_UNMANAGED);
	struct own t = { 0 };

	(void)unused;
	two_cards(&t, 0);
	own_begin(&t, NULL, "a b");
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0 0000:02:00.0"));
	assert_allowed(&t, attach_space(&t, "0000:01:00.0", 0, space));
	assert_no_sense(&t, attach(&t, "0000:02:00.0", 0));
	assert_allowed(&t, attach_space(&t, "0000:02:00.0", 0, space));
	/* All together they may change. */
	assert_no_sense(&t, attach(&t, "0000:01:00.0", 0));
	assert_allowed(&t, attach(&t, "0000:01:00.0 0000:02:00.0", 0));
	assert_allowed(&t, attach(&t, "0000:01:00.0", 0));
	own_end(&t);
	ward_space_destroy(space);
}

/* Nor do two clients share one. */
static void test_space_of_two_clients(void **unused)
{
	struct ward_space *space = make_space_of(WARD_SPACE_UNMANAGED);
	struct own t = { 0 };

	(void)unused;
	two_cards(&t, 0);
	own_begin(&t, NULL, "a b");
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0"));
	assert_allowed(&t, claim(&t, "b", "0000:02:00.0"));
	assert_no_sense(&t, attach_space(&t, "0000:01:00.0 0000:02:00.0", 0, space));
	assert_allowed(&t, attach_space(&t, "0000:01:00.0", 0, space));
	assert_refused(&t, attach_space(&t, "0000:02:00.0", 0, space), "one-space");
	/* Nor while one is only being taken back. */
	assert_allowed(&t, event(&t, WARD_EVENT_REVOKE, "0000:01:00.0"));
	assert_refused(&t, attach_space(&t, "0000:02:00.0", 0, space), "one-space");
	assert_allowed(&t, event(&t, WARD_EVENT_RELEASE, "0000:01:00.0"));
	assert_allowed(&t, attach_space(&t, "0000:02:00.0", 0, space));
	own_end(&t);
	ward_space_destroy(space);
}

/* Registers of nobody's that are mapped in its space a client may write. */
static void test_left_through_a_space(void **unused)
{
	struct ward_space *space = make_space_of(WARD_SPACE_UNMANAGED);
	struct own t = { 0 };

	(void)unused;
	two_cards(&t, 0);
	own_begin(&t, NULL, "a b");
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0"));
	assert_int_equal(make_map(t.m.machine, "0000:02:00.0", space), 0);
	assert_allowed(&t, attach_space(&t, "0000:01:00.0", 0, space));
	assert_allowed(&t, event(&t, WARD_EVENT_DETACH, "0000:01:00.0"));
	assert_refused(&t, claim(&t, "b", "0000:02:00.0"), "tainted");
	own_end(&t);
	ward_space_destroy(space);
}

/* Nor does a client wait where a card's registers will be. */
static void test_mapped_before_it_comes(void **unused)
{
	struct ward_space *space = make_space_of(WARD_SPACE_UNMANAGED);
	struct own t = { 0 };
	struct ward_event e;

	(void)unused;
	two_cards(&t, 0);
	own_begin(&t, NULL, "a");
	assert_recorded(&t, event(&t, WARD_EVENT_HOT_REMOVE, "0000:02:00.0"));
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0"));
	assert_int_equal(make_map(t.m.machine, "0000:02:00.0", space), 0);
	assert_allowed(&t, attach_space(&t, "0000:01:00.0", 0, space));
	e = event_of(&t, WARD_EVENT_HOT_ADD, "0000:02:00.0");
	e.driver = "nvme";
	assert_unsettled(&t, happens(&t, e), NULL);
	assert_int_equal(contain(&t), 1);
	own_end(&t);
	ward_space_destroy(space);
}

/* By force means the error domain: nobody in it does anything. */
static void test_revoked_with_its_domain(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	two_cards(&t, 0);
	t.m.functions[make_ordinal(&t.m, "01:00.0")].pe = 7;
	t.m.functions[make_ordinal(&t.m, "02:00.0")].pe = 7;
	own_begin(&t, NULL, "a b");
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0 0000:02:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_REVOKE, "0000:01:00.0"));
	assert_true(own_at(&t, "0000:01:00.0")->revoking);
	assert_true(own_at(&t, "0000:02:00.0")->frozen);
	assert_false(own_at(&t, "0000:02:00.0")->revoking);
	assert_no_sense(&t, event(&t, WARD_EVENT_FREEZE, "0000:02:00.0"));
	own_end(&t);
}

/* A vector at another ITS than its own is looked at, whatever pools the machine speaks of. */
static void test_vector_at_another_its(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	two_cards(&t, 0);
	make_controller(&t.m, WARD_CONTROLLER_GICV3_ITS, WARD_YES, 0x80a0000, 0x20000)->pool =
		t.m.controllers[0].pool;
	t.m.functions[make_ordinal(&t.m, "02:00.0")].controller = 1;
	t.m.functions[make_ordinal(&t.m, "02:00.0")].devid = ward_devid(0x100);
	own_begin(&t, NULL, "a b");
	assert_allowed(&t, claim(&t, "b", "0000:02:00.0"));
	assert_allowed(&t, bind_to(&t, "nvme", "0000:01:00.0", false));
	assert_unsettled(&t, vector(&t, "0000:01:00.0", 1), NULL);
	own_end(&t);
}

/* VFs that would come to the host with a StreamID that is in a client's container still. */
static void test_vfs_share_an_id(void **unused)
{
	struct own t = { 0 };
	struct ward_event e;

	(void)unused;
	make_arm_its(&t.m);
	root_port_to(&t.m, "00:01.0", 1, 2, ACS_ON);
	function(&t.m, "01:00.0", WARD_PCIE_ENDPOINT, ACS_ON)->vfs_total = 1;
	vf(&t.m, "01:00.1", "0000:01:00.0");
	root_port(&t.m, "00:03.0", 3, ACS_ON);
	endpoint(&t.m, "03:00.0")->stream.sid = ward_sid(0x101);
	own_begin(&t, NULL, "a");
	assert_allowed(&t, event(&t, WARD_EVENT_VFS_OFF, "0000:01:00.0"));
	assert_allowed(&t, claim(&t, "a", "0000:03:00.0"));
	assert_allowed(&t, attach(&t, "0000:03:00.0", 0));
	assert_recorded(&t, event(&t, WARD_EVENT_FREEZE, "0000:03:00.0"));
	e = event_of(&t, WARD_EVENT_VFS_ON, "0000:01:00.0");
	e.driver = "ixgbevf";
	assert_refused(&t, happens(&t, e), "one-space");
	assert_true(own_at(&t, "0000:01:00.1")->absent);
	e.driver = NULL;
	assert_allowed(&t, happens(&t, e));
	own_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_left_upon_a_note),
		cmocka_unit_test(test_left_in_the_pf),
		cmocka_unit_test(test_container_of_two_spaces),
		cmocka_unit_test(test_space_of_two_clients),
		cmocka_unit_test(test_left_through_a_space),
		cmocka_unit_test(test_mapped_before_it_comes),
		cmocka_unit_test(test_revoked_with_its_domain),
		cmocka_unit_test(test_vfs_share_an_id),
		cmocka_unit_test(test_vector_at_another_its),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

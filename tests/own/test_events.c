// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* One kind of event after another: what makes no sense, what is refused, what it does. */
#include "own/own.h"

/* A PF with two VFs, a card of two functions without resets of their own, and a lone card. */
static void cards(struct own *t)
{
	make_arm_its(&t->m);
	root_port(&t->m, "00:01.0", 1, ACS_ON);
	endpoint(&t->m, "01:00.0");
	vf(&t->m, "01:00.4", "0000:01:00.0");
	vf(&t->m, "01:00.5", "0000:01:00.0");
	root_port(&t->m, "00:02.0", 2, ACS_ON);
	make_set_acs(endpoint(&t->m, "02:00.0"), ACS_ON);
	make_set_acs(endpoint(&t->m, "02:00.1"), ACS_ON);
	t->m.functions[t->m.count - 1].resets = 0;
	t->m.functions[t->m.count - 2].resets = 0;
	root_port(&t->m, "00:03.0", 3, ACS_ON);
	endpoint(&t->m, "03:00.0");
	own_begin(t, NULL, "a b");
}

static void test_no_sense(void **unused)
{
	struct own t = { 0 };
	struct ward_event e;
	uint32_t twice[2];

	(void)unused;
	cards(&t);
	for (unsigned int kind = 0; kind < WARD_EVENTS; kind++) {
		e = event_of(&t, (enum ward_event_kind)kind, NULL);
		e.client = 17;
		assert_no_sense(&t, happens(&t, e));
		e = event_of(&t, (enum ward_event_kind)kind, "0000:03:00.0");
		e.size--;
		assert_no_sense(&t, happens(&t, e));
		t.functions[0] = 1000;
		e.size++;
		e.client = 17;
		assert_no_sense(&t, happens(&t, e));
	}
	e = event_of(&t, WARD_EVENTS, "0000:03:00.0");
	assert_no_sense(&t, happens(&t, e));
	twice[0] = twice[1] = at(&t.m, "0000:03:00.0");
	e = event_of(&t, WARD_EVENT_CLAIM, NULL);
	e.functions = twice;
	e.functions_count = 2;
	assert_no_sense(&t, happens(&t, e));
	assert_no_sense(&t, fact(&t, WARD_EVENT_CLAIM, "0000:03:00.0"));
	assert_no_sense(&t, fact(&t, WARD_EVENT_RESET, "0000:03:00.0"));
	assert_no_sense(&t, bind_to(&t, NULL, "0000:03:00.0", false));
	assert_no_sense(&t, event(&t, WARD_EVENT_UNBIND, "0000:03:00.0"));
	assert_no_sense(&t, event(&t, WARD_EVENT_RELEASE, "0000:03:00.0"));
	assert_no_sense(&t, event(&t, WARD_EVENT_REVOKE, "0000:03:00.0"));
	assert_no_sense(&t, attach(&t, "0000:03:00.0", 0));
	assert_no_sense(&t, event(&t, WARD_EVENT_DETACH, "0000:03:00.0"));
	assert_no_sense(&t, event(&t, WARD_EVENT_THAW, "0000:03:00.0"));
	assert_no_sense(&t, vector(&t, "0000:03:00.0", 0));
	assert_no_sense(&t, vector(&t, "0000:03:00.0", 9));
	assert_no_sense(&t, event(&t, WARD_EVENT_VFS_ON, "0000:03:00.0"));
	assert_no_sense(&t, event(&t, WARD_EVENT_VFS_ON, "0000:01:00.0"));
	assert_no_sense(&t, event(&t, WARD_EVENT_HOT_ADD, "0000:03:00.0"));
	assert_no_sense(&t, event(&t, WARD_EVENT_HOT_REMOVE, "0000:01:00.4"));
	assert_allowed(&t, claim(&t, "a", "0000:03:00.0"));
	assert_no_sense(&t, bind_to(&t, "nvme", "0000:03:00.0", true));
	assert_no_sense(&t, event(&t, WARD_EVENT_QUARANTINE, "0000:03:00.0"));
	assert_no_sense(&t, attach(&t, "0000:03:00.0", 70000));
	own_end(&t);
}

/* A claim of some functions is of all or of none. */
static void test_all_or_nothing(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	cards(&t);
	assert_allowed(&t, claim(&t, "b", "0000:01:00.5"));
	assert_refused(&t, claim(&t, "a", "0000:03:00.0 0000:01:00.4 0000:01:00.5"),
		       "already-owned");
	assert_int_equal(own_at(&t, "0000:03:00.0")->owner.kind, WARD_OWNER_NOBODY);
	assert_int_equal(own_at(&t, "0000:01:00.4")->owner.kind, WARD_OWNER_NOBODY);
	assert_allowed(&t, claim(&t, "a", "0000:03:00.0 0000:01:00.4"));
	own_end(&t);
}

static void test_vfs(void **unused)
{
	struct own t = { 0 };
	struct ward_event e;

	(void)unused;
	cards(&t);
	assert_allowed(&t, bind_to(&t, "ixgbe", "0000:01:00.0", false));
	assert_allowed(&t, claim(&t, "a", "0000:01:00.4"));
	assert_allowed(&t, claim(&t, "b", "0000:01:00.5"));
	assert_refused(&t, event(&t, WARD_EVENT_VFS_OFF, "0000:01:00.0"), "already-owned");
	assert_refused(&t, event(&t, WARD_EVENT_RESET, "0000:01:00.0"), "reset-scope");
	assert_allowed(&t, event(&t, WARD_EVENT_RELEASE, "0000:01:00.4 0000:01:00.5"));
	assert_allowed(&t, event(&t, WARD_EVENT_VFS_OFF, "0000:01:00.0"));
	assert_true(own_at(&t, "0000:01:00.4")->absent);
	assert_no_sense(&t, claim(&t, "a", "0000:01:00.4"));
	e = event_of(&t, WARD_EVENT_VFS_ON, "0000:01:00.0");
	e.driver = "ixgbevf";
	assert_allowed(&t, happens(&t, e));
	assert_false(own_at(&t, "0000:01:00.5")->absent);
	assert_int_equal(own_at(&t, "0000:01:00.5")->owner.kind, WARD_OWNER_HOST);
	/* As a fact they go from under whoever has them. */
	assert_allowed(&t, event(&t, WARD_EVENT_UNBIND, "0000:01:00.5"));
	assert_allowed(&t, event(&t, WARD_EVENT_RESET, "0000:01:00.5"));
	assert_allowed(&t, claim(&t, "a", "0000:01:00.5"));
	assert_recorded(&t, fact(&t, WARD_EVENT_VFS_OFF, "0000:01:00.0"));
	assert_int_equal(own_at(&t, "0000:01:00.5")->owner.kind, WARD_OWNER_NOBODY);
	assert_recorded(&t, event(&t, WARD_EVENT_HOT_REMOVE, "0000:01:00.0"));
	assert_no_sense(&t, happens(&t, e));
	own_end(&t);
}

/* The PF has its VFs in its hands: whoever has the PF has them, so nobody else does. */
static void test_pf_and_vf(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	cards(&t);
	assert_allowed(&t, claim(&t, "a", "0000:01:00.4"));
	assert_allowed(&t, bind_to(&t, "vfio-pci", "0000:01:00.0", false));
	assert_refused(&t, claim(&t, "b", "0000:01:00.0"), "pf-controls-vf");
	own_end(&t);
}

static void test_reset_scope(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	cards(&t);
	assert_allowed(&t, claim(&t, "a", "0000:02:00.0 0000:02:00.1"));
	assert_allowed(&t, event(&t, WARD_EVENT_RESET, "0000:02:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_RELEASE, "0000:02:00.1"));
	assert_refused(&t, event(&t, WARD_EVENT_RESET, "0000:02:00.1"), "reset-scope");
	assert_int_equal(own_at(&t, "0000:02:00.1")->tainted_by.kind, WARD_OWNER_CLIENT);
	assert_allowed(&t, event(&t, WARD_EVENT_RELEASE, "0000:02:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_RESET, "0000:02:00.1"));
	assert_int_equal(own_at(&t, "0000:02:00.0")->tainted_by.kind, WARD_OWNER_NOBODY);
	assert_int_equal(own_at(&t, "0000:02:00.1")->tainted_by.kind, WARD_OWNER_NOBODY);
	assert_refused(&t, event(&t, WARD_EVENT_RESET, "0000:00:03.0"), "no-reset");
	own_end(&t);
}

/* One's leftovers under another's: nobody takes it for clean, not even one of the two. */
static void test_several_leave_something(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	cards(&t);
	assert_allowed(&t, claim(&t, "a", "0000:02:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_RELEASE, "0000:02:00.0"));
	assert_int_equal(bind_to(&t, "nvme", "0000:02:00.0", true), 0);
	assert_int_equal(fact(&t, WARD_EVENT_UNBIND, "0000:02:00.0"), 0);
	assert_int_equal(own_at(&t, "0000:02:00.0")->tainted_by.client, WARD_NONE);
	assert_refused(&t, claim(&t, "a", "0000:02:00.0"), "tainted");
	assert_refused(&t, claim(&t, "b", "0000:02:00.0"), "tainted");
	assert_refused(&t, bind_to(&t, "nvme", "0000:02:00.0", false), "tainted");
	assert_allowed(&t, event(&t, WARD_EVENT_RESET, "0000:02:00.0 0000:02:00.1"));
	assert_allowed(&t, claim(&t, "b", "0000:02:00.0"));
	own_end(&t);
}

static void test_freeze_and_thaw(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	make_arm_its(&t.m);
	root_port(&t.m, "00:01.0", 1, ACS_ON);
	endpoint(&t.m, "01:00.0")->pe = 4;
	root_port(&t.m, "00:02.0", 2, ACS_ON);
	endpoint(&t.m, "02:00.0")->pe = 4;
	root_port(&t.m, "00:03.0", 3, ACS_ON);
	endpoint(&t.m, "03:00.0")->pe = 5;
	own_begin(&t, NULL, "a");
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0 0000:02:00.0"));
	assert_recorded(&t, event(&t, WARD_EVENT_FREEZE, "0000:01:00.0"));
	assert_true(own_at(&t, "0000:02:00.0")->frozen);
	assert_false(own_at(&t, "0000:03:00.0")->frozen);
	assert_no_sense(&t, event(&t, WARD_EVENT_FREEZE, "0000:02:00.0"));
	assert_refused(&t, attach(&t, "0000:01:00.0", 0), "frozen");
	assert_refused(&t, event(&t, WARD_EVENT_RESET, "0000:01:00.0"), "frozen");
	assert_allowed(&t, event(&t, WARD_EVENT_THAW, "0000:02:00.0"));
	assert_false(own_at(&t, "0000:01:00.0")->frozen);
	assert_allowed(&t, attach(&t, "0000:01:00.0", 0));
	own_end(&t);
}

/* Two functions with one requester id are in one space, or in none. */
static void test_one_space(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	make_arm_its(&t.m);
	root_port(&t.m, "00:01.0", 1, ACS_ON);
	endpoint(&t.m, "01:00.0");
	endpoint(&t.m, "01:00.1");
	kernel_group(&t.m, 1, "01:00.0", "01:00.1");
	root_port(&t.m, "00:02.0", 2, ACS_ON);
	endpoint(&t.m, "02:00.0");
	kernel_group(&t.m, 2, "02:00.0", NULL);
	own_begin(&t, NULL, "a");
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0 0000:01:00.1 0000:02:00.0"));
	assert_allowed(&t, attach(&t, "0000:01:00.0", 1));
	assert_int_equal(ward_ownership_container(t.o, at(&t.m, "0000:01:00.1")), 1);
	assert_refused(&t, attach(&t, "0000:01:00.1", 2), "one-space");
	assert_allowed(&t, attach(&t, "0000:02:00.0", 2));
	assert_refused(&t, attach(&t, "0000:02:00.0", 1), "one-space");
	assert_allowed(&t, event(&t, WARD_EVENT_DETACH, "0000:01:00.1"));
	assert_int_equal(ward_ownership_container(t.o, at(&t.m, "0000:01:00.0")), WARD_NONE);
	assert_allowed(&t, attach(&t, "0000:01:00.1", 2));
	own_end(&t);
}

/* Nor can the IOMMU have two spaces for one StreamID. */
static void test_one_stream(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	make_arm_its(&t.m);
	root_port(&t.m, "00:01.0", 1, ACS_ON);
	endpoint(&t.m, "01:00.0")->stream.sid = ward_sid(0x77);
	root_port(&t.m, "00:02.0", 2, ACS_ON);
	endpoint(&t.m, "02:00.0")->stream.sid = ward_sid(0x77);
	own_begin(&t, NULL, "a");
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0 0000:02:00.0"));
	assert_allowed(&t, attach(&t, "0000:02:00.0", 1));
	assert_int_equal(ward_ownership_container(t.o, at(&t.m, "0000:01:00.0")), 1);
	assert_refused(&t, attach(&t, "0000:01:00.0", 0), "one-space");
	/* The host's driver would work in the space of the client. */
	assert_allowed(&t, event(&t, WARD_EVENT_RELEASE, "0000:01:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_RESET, "0000:01:00.0"));
	assert_refused(&t, bind_to(&t, "nvme", "0000:01:00.0", false), NULL);
	assert_recorded(&t, event(&t, WARD_EVENT_FREEZE, "0000:02:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_RESET, "0000:01:00.0"));
	assert_refused(&t, bind_to(&t, "nvme", "0000:01:00.0", false), "one-space");
	own_end(&t);
}

/* POWER: a space for each endpoint; whether two may share one is the hardware's to say. */
static void test_domains(void **unused)
{
	static const struct {
		enum ward_domains domains;
		const char *refused;
	} rows[] = {
		{ WARD_DOMAINS_ANY, NULL },
		{ WARD_DOMAINS_JOINED, NULL },
		{ WARD_DOMAINS_FIXED, "domain-fixed" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct own t = { 0 };

		make_arm_its(&t.m);
		t.m.iommus[0].domains = rows[i].domains;
		root_port(&t.m, "00:01.0", 1, ACS_ON);
		endpoint(&t.m, "01:00.0")->pe = 1;
		root_port(&t.m, "00:02.0", 2, ACS_ON);
		endpoint(&t.m, "02:00.0")->pe = 2;
		own_begin(&t, NULL, "a");
		assert_allowed(&t, claim(&t, "a", "0000:01:00.0 0000:02:00.0"));
		assert_allowed(&t, attach(&t, "0000:01:00.0", 0));
		if (rows[i].refused)
			assert_refused(&t, attach(&t, "0000:02:00.0", 0), rows[i].refused);
		else
			assert_allowed(&t, attach(&t, "0000:02:00.0", 0));
		own_end(&t);
	}
}

static struct ward_space *make_identity(void)
{
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = WARD_SPACE_IDENTITY };
	struct ward_space *space;

	assert_int_equal(ward_space_create(&options, &space), 0);
	return space;
}

/* A space that is all memory is not one for a client. */
static void test_attach_to_identity(void **unused)
{
	struct ward_space *space = make_identity();
	struct own t = { 0 };
	struct ward_event e;

	(void)unused;
	cards(&t);
	assert_allowed(&t, claim(&t, "a", "0000:03:00.0"));
	e = event_of(&t, WARD_EVENT_ATTACH, "0000:03:00.0");
	e.space = space;
	assert_refused(&t, happens(&t, e), "space-identity");
	assert_int_equal(ward_ownership_container(t.o, at(&t.m, "0000:03:00.0")), WARD_NONE);
	assert_int_equal(ward_ownership_state(t.o)->attachments_count, 0);
	e.space = NULL;
	assert_allowed(&t, happens(&t, e));
	own_end(&t);
	ward_space_destroy(space);
}

/* Somebody accepts, and it shows ever after. */
static void test_waivers(void **unused)
{
	static const struct ward_waiver waiver = { .code = "msi-frame-shared",
						   .any_function = true,
						   .reason = "a test" };
	const struct ward_waiver *waivers;
	struct own t = { 0 };
	struct ward_event e;
	uint32_t count;

	(void)unused;
	make_arm_v2m(&t.m, 4096, 1);
	root_port(&t.m, "00:01.0", 1, ACS_ON)->msix = false;
	endpoint(&t.m, "01:00.0");
	root_port(&t.m, "00:02.0", 2, ACS_ON)->msix = false;
	endpoint(&t.m, "02:00.0");
	own_begin(&t, NULL, "a");
	assert_allowed(&t, bind_to(&t, "nvme", "0000:02:00.0", false));
	assert_refused(&t, claim(&t, "a", "0000:01:00.0"), "msi-frame-shared");
	ward_ownership_waivers(t.o, &count);
	assert_int_equal(count, 0);
	e = event_of(&t, WARD_EVENT_CLAIM, "0000:01:00.0");
	e.client = own_client_of(&t, "a");
	e.waivers = &waiver;
	e.waivers_count = 1;
	assert_allowed(&t, happens(&t, e));
	assert_true(finding_in(t.outcome.verdict, "msi-frame-shared")->waived);
	waivers = ward_ownership_waivers(t.o, &count);
	assert_int_equal(count, 1);
	assert_string_equal(waivers[0].code, "msi-frame-shared");
	assert_ptr_not_equal(waivers[0].code, waiver.code);
	assert_string_equal(waivers[0].reason, "a test");
	/* It counts for whatever comes, and when it is gone and comes again. */
	assert_recorded(&t, vector(&t, "0000:02:00.0", 0));
	assert_allowed(&t, event(&t, WARD_EVENT_RELEASE, "0000:01:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_RESET, "0000:01:00.0"));
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0"));
	assert_true(finding_in(t.outcome.verdict, "msi-frame-shared")->waived);
	own_end(&t);
}

static void test_revoke_at_once(void **unused)
{
	struct ward_ownership_options options = { .size = sizeof(options),
						  .revoke_is_immediate = true };
	struct own t = { 0 };

	(void)unused;
	make_arm_its(&t.m);
	root_port(&t.m, "00:01.0", 1, ACS_ON);
	endpoint(&t.m, "01:00.0");
	own_begin(&t, &options, "a");
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_REVOKE, "0000:01:00.0"));
	assert_int_equal(own_at(&t, "0000:01:00.0")->owner.kind, WARD_OWNER_NOBODY);
	assert_refused(&t, bind_to(&t, "nvme", "0000:01:00.0", false), "tainted");
	own_end(&t);
}

/* Two functions of one card without ACS: who has one gets at the other, and leaves it tainted. */
static void test_taint_of_the_neighbour(void **unused)
{
	static const enum ward_event_kind ends[] = { WARD_EVENT_RELEASE, WARD_EVENT_REVOKE,
						     WARD_EVENT_FREEZE, WARD_EVENT_DEATH };

	(void)unused;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct own t = { 0 };
		struct ward_event e;

		make_arm_its(&t.m);
		root_port(&t.m, "00:01.0", 1, ACS_ON);
		endpoint(&t.m, "01:00.0");
		endpoint(&t.m, "01:00.1");
		own_begin(&t, NULL, "a b");
		assert_allowed(&t, claim(&t, "a", "0000:01:00.0"));
		assert_int_equal(own_at(&t, "0000:01:00.1")->tainted_by.kind, WARD_OWNER_NOBODY);
		e = event_of(&t, ends[i], "0000:01:00.0");
		e.client = own_client_of(&t, "a");
		assert_int_equal(happens(&t, e), 0);
		assert_int_equal(own_at(&t, "0000:01:00.1")->tainted_by.kind, WARD_OWNER_CLIENT);
		assert_refused(&t, claim(&t, "b", "0000:01:00.1"), NULL);
		if (ends[i] == WARD_EVENT_RELEASE || ends[i] == WARD_EVENT_DEATH) {
			assert_refused(&t, claim(&t, "b", "0000:01:00.1"), "tainted");
			assert_allowed(&t, event(&t, WARD_EVENT_RESET, "0000:01:00.1"));
			/* It is clean, and what can be got at from there is not. */
			assert_refused(&t, claim(&t, "b", "0000:01:00.1"), "tainted");
			assert_allowed(&t, event(&t, WARD_EVENT_RESET, "0000:01:00.0"));
			assert_allowed(&t, claim(&t, "b", "0000:01:00.1"));
		}
		own_end(&t);
	}
}

/* Nobody is let into a partition of which somebody is to give a part back. */
static void test_revoking(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	make_arm_its(&t.m);
	root_port(&t.m, "00:01.0", 1, ACS_ON);
	endpoint(&t.m, "01:00.0");
	endpoint(&t.m, "01:00.1");
	own_begin(&t, NULL, "a");
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_REVOKE, "0000:01:00.0"));
	assert_refused(&t, claim(&t, "a", "0000:01:00.1"), "revoking");
	assert_allowed(&t, event(&t, WARD_EVENT_RELEASE, "0000:01:00.0"));
	assert_allowed(&t, claim(&t, "a", "0000:01:00.1"));
	own_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_sense),
		cmocka_unit_test(test_all_or_nothing),
		cmocka_unit_test(test_vfs),
		cmocka_unit_test(test_pf_and_vf),
		cmocka_unit_test(test_reset_scope),
		cmocka_unit_test(test_several_leave_something),
		cmocka_unit_test(test_freeze_and_thaw),
		cmocka_unit_test(test_one_space),
		cmocka_unit_test(test_one_stream),
		cmocka_unit_test(test_domains),
		cmocka_unit_test(test_attach_to_identity),
		cmocka_unit_test(test_waivers),
		cmocka_unit_test(test_revoke_at_once),
		cmocka_unit_test(test_taint_of_the_neighbour),
		cmocka_unit_test(test_revoking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

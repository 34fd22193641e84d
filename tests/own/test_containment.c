// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Facts that nobody can refuse, the exposures they leave, and what contains them. */
#include "own/own.h"

/* Two cards that raise their interrupts through one frame of a GICv2m; the second one is the host's. */
static void one_frame(struct own *t, const struct ward_ownership_options *options)
{
	make_arm_v2m(&t->m, 4096, 1);
	root_port(&t->m, "00:01.0", 1, ACS_ON)->msix = false;
	endpoint(&t->m, "01:00.0");
	root_port(&t->m, "00:02.0", 2, ACS_ON)->msix = false;
	endpoint(&t->m, "02:00.0");
	own_begin(t, options, "a b");
}

static const struct ward_exposure *exposure(const struct own *t, uint32_t number)
{
	uint32_t count;
	const struct ward_exposure *all = ward_ownership_exposures(t->o, &count);

	assert_true(number < count);
	return &all[number];
}

static void test_bind_request_is_refused(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	one_frame(&t, NULL);
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0"));
	assert_refused(&t, bind_to(&t, "nvme", "0000:02:00.0", false), "msi-frame-shared");
	assert_null(own_at(&t, "0000:02:00.0")->driver);
	assert_refused(&t, claim(&t, "b", "0000:02:00.0"), "msi-frame-shared");
	assert_allowed(&t, claim(&t, "a", "0000:02:00.0"));
	own_end(&t);
}

/* A driver that took it all the same loses it again. */
static void test_newcomer_is_quarantined(void **unused)
{
	struct own t = { 0 };
	struct ward_event next;

	(void)unused;
	one_frame(&t, NULL);
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0"));
	assert_unsettled(&t, bind_to(&t, "nvme", "0000:02:00.0", true), "msi-frame-shared");
	assert_int_equal(t.outcome.opened, 1);
	assert_refused(&t, claim(&t, "b", "0000:01:00.0"), "unsettled");
	assert_true(ward_ownership_next(t.o, &next));
	assert_int_equal(next.kind, WARD_EVENT_QUARANTINE);
	assert_int_equal(next.functions_count, 1);
	assert_int_equal(next.functions[0], at(&t.m, "0000:02:00.0"));
	assert_allowed(&t, happens(&t, next));
	assert_int_equal(t.outcome.contained, 1);
	assert_false(ward_ownership_next(t.o, &next));
	assert_true(own_at(&t, "0000:02:00.0")->quarantined);
	assert_null(own_at(&t, "0000:02:00.0")->driver);
	assert_int_equal(exposure(&t, 0)->opened, 2);
	assert_int_equal(exposure(&t, 0)->contained, 3);
	assert_int_equal(exposure(&t, 0)->cause, WARD_EVENT_BIND);
	assert_int_equal(exposure(&t, 0)->containment, WARD_EVENT_QUARANTINE);
	assert_int_equal(exposure(&t, 0)->function, at(&t.m, "0000:01:00.0"));
	assert_int_equal(exposure(&t, 0)->victim, at(&t.m, "0000:02:00.0"));
	assert_string_equal(exposure(&t, 0)->code, "msi-frame-shared");
	/* When the client is gone the host may have it. */
	assert_recorded(&t, death(&t, "a"));
	assert_allowed(&t, bind_to(&t, "nvme", "0000:02:00.0", false));
	assert_false(own_at(&t, "0000:02:00.0")->quarantined);
	own_end(&t);
}

static void test_policy_freezes_or_revokes(void **unused)
{
	struct ward_ownership_options options = { .size = sizeof(options),
						  .newcomer = WARD_CONTAIN_FREEZE };
	struct own t = { 0 };
	struct ward_event next;

	(void)unused;
	one_frame(&t, &options);
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0"));
	assert_unsettled(&t, bind_to(&t, "nvme", "0000:02:00.0", true), "msi-frame-shared");
	assert_true(ward_ownership_next(t.o, &next));
	assert_int_equal(next.kind, WARD_EVENT_FREEZE);
	assert_recorded(&t, happens(&t, next));
	assert_true(own_at(&t, "0000:01:00.0")->frozen);
	assert_refused(&t, event(&t, WARD_EVENT_THAW, "0000:01:00.0"), "msi-frame-shared");
	assert_true(own_at(&t, "0000:01:00.0")->frozen);
	own_end(&t);

	options.newcomer = WARD_CONTAIN_REVOKE;
	memset(&t, 0, sizeof(t));
	one_frame(&t, &options);
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0"));
	assert_unsettled(&t, bind_to(&t, "nvme", "0000:02:00.0", true), "msi-frame-shared");
	assert_int_equal(contain(&t), 1);
	assert_true(own_at(&t, "0000:01:00.0")->revoking);
	assert_true(own_at(&t, "0000:01:00.0")->frozen);
	assert_int_equal(own_at(&t, "0000:01:00.0")->owner.kind, WARD_OWNER_CLIENT);
	assert_refused(&t, event(&t, WARD_EVENT_THAW, "0000:01:00.0"), "revoking");
	assert_allowed(&t, event(&t, WARD_EVENT_RELEASE, "0000:01:00.0"));
	assert_false(own_at(&t, "0000:01:00.0")->revoking);
	assert_true(own_at(&t, "0000:01:00.0")->frozen);
	assert_refused(&t, claim(&t, "a", "0000:01:00.0"), "frozen");
	assert_allowed(&t, event(&t, WARD_EVENT_THAW, "0000:01:00.0"));
	own_end(&t);

	options.revoke_is_immediate = true;
	memset(&t, 0, sizeof(t));
	one_frame(&t, &options);
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0"));
	assert_unsettled(&t, bind_to(&t, "nvme", "0000:02:00.0", true), "msi-frame-shared");
	assert_int_equal(contain(&t), 1);
	assert_int_equal(own_at(&t, "0000:01:00.0")->owner.kind, WARD_OWNER_NOBODY);
	assert_int_equal(own_at(&t, "0000:01:00.0")->tainted_by.kind, WARD_OWNER_CLIENT);
	own_end(&t);
}

/* Nobody can take a port's driver for good: its own works serve the host all the same. */
static void test_quarantine_that_does_not_help(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	make_arm_v2m(&t.m, 4096, 1);
	root_port(&t.m, "00:01.0", 1, ACS_ON)->msix = false;
	endpoint(&t.m, "01:00.0");
	root_port(&t.m, "00:02.0", 2, ACS_ON);
	own_begin(&t, NULL, "a");
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0"));
	assert_unsettled(&t, bind_to(&t, "pcieport", "0000:00:02.0", true), "msi-frame-shared");
	assert_true(contain(&t) >= 1);
	own_end(&t);
}

/* Two frames, a client on each; the host's vector lands at the first. */
static void test_vector_lands(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	make_arm_v2m(&t.m, 4096, 2);
	t.m.controllers[1].pool = 1;
	root_port(&t.m, "00:01.0", 1, ACS_ON)->msix = false;
	endpoint(&t.m, "01:00.0");
	root_port(&t.m, "00:02.0", 2, ACS_ON)->msix = false;
	endpoint(&t.m, "02:00.0")->controller = 1;
	own_begin(&t, NULL, "a b");
	assert_allowed(&t, bind_to(&t, "nvme", "0000:02:00.0", false));
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0"));
	assert_recorded(&t, vector(&t, "0000:02:00.0", 1));
	assert_unsettled(&t, vector(&t, "0000:02:00.0", 0), "msi-frame-shared");
	assert_int_equal(contain(&t), 1);
	assert_true(own_at(&t, "0000:01:00.0")->frozen);
	assert_int_equal(exposure(&t, 0)->cause, WARD_EVENT_VECTOR);
	assert_int_equal(exposure(&t, 0)->containment, WARD_EVENT_FREEZE);
	/* The vector is gone with the driver, and so is the reason. */
	assert_allowed(&t, event(&t, WARD_EVENT_UNBIND, "0000:02:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_THAW, "0000:01:00.0"));
	own_end(&t);
}

static void test_hot_plug(void **unused)
{
	struct own t = { 0 };
	struct ward_event e;

	(void)unused;
	make_arm_v2m(&t.m, 4096, 1);
	root_port(&t.m, "00:01.0", 1, ACS_ON)->msix = false;
	endpoint(&t.m, "01:00.0");
	root_port(&t.m, "00:02.0", 2, ACS_ON)->msix = false;
	endpoint(&t.m, "02:00.0");
	make_done(&t.m);
	t.m.state->functions[at(&t.m, "0000:02:00.0")].absent = true;
	assert_int_equal(ward_ownership_create(t.m.machine, t.m.state, NULL, &t.o), 0);
	assert_no_sense(&t, claim(&t, "a", "0000:02:00.0"));
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0"));
	e = event_of(&t, WARD_EVENT_HOT_ADD, "0000:02:00.0");
	assert_recorded(&t, happens(&t, e));
	assert_no_sense(&t, happens(&t, e));
	assert_recorded(&t, event(&t, WARD_EVENT_HOT_REMOVE, "0000:02:00.0"));
	e = event_of(&t, WARD_EVENT_HOT_ADD, "0000:02:00.0");
	e.driver = "nvme";
	assert_unsettled(&t, happens(&t, e), "msi-frame-shared");
	/* It is gone before anybody could do anything. */
	assert_recorded(&t, event(&t, WARD_EVENT_HOT_REMOVE, "0000:02:00.0"));
	assert_int_equal(t.outcome.contained, 1);
	assert_int_equal(contain(&t), 0);
	assert_no_sense(&t, event(&t, WARD_EVENT_HOT_REMOVE, "0000:00:01.0"));
	assert_recorded(&t, event(&t, WARD_EVENT_HOT_REMOVE, "0000:00:01.0 0000:01:00.0"));
	assert_int_equal(own_at(&t, "0000:01:00.0")->owner.kind, WARD_OWNER_NOBODY);
	assert_int_equal(own_at(&t, "0000:01:00.0")->tainted_by.kind, WARD_OWNER_NOBODY);
	assert_no_sense(&t, event(&t, WARD_EVENT_HOT_ADD, "0000:01:00.0"));
	assert_recorded(&t, event(&t, WARD_EVENT_HOT_ADD, "0000:01:00.0 0000:00:01.0"));
	own_end(&t);
}

/* A client that reaches too much from the beginning. */
static void test_unsettled_beginning(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	make_arm_v2m(&t.m, 4096, 1);
	root_port(&t.m, "00:01.0", 1, ACS_ON)->msix = false;
	endpoint(&t.m, "01:00.0");
	t.m.owner[t.m.count - 1] = "a";
	root_port(&t.m, "00:02.0", 2, ACS_ON)->msix = false;
	endpoint(&t.m, "02:00.0");
	t.m.driver[t.m.count - 1] = "nvme";
	own_begin(&t, NULL, "a");
	assert_int_equal(exposure(&t, 0)->opened, 0);
	assert_refused(&t, event(&t, WARD_EVENT_RESET, "0000:01:00.0"), "unsettled");
	assert_int_equal(contain(&t), 1);
	assert_true(own_at(&t, "0000:01:00.0")->frozen);
	assert_int_equal(exposure(&t, 0)->contained, 1);
	own_end(&t);
}

/* Whoever gives something back, or takes it from the host, is not told to wait. */
static void test_taking_away_while_unsettled(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	one_frame(&t, NULL);
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0"));
	assert_unsettled(&t, bind_to(&t, "nvme", "0000:02:00.0", true), "msi-frame-shared");
	assert_allowed(&t, event(&t, WARD_EVENT_UNBIND, "0000:02:00.0"));
	assert_int_equal(t.outcome.contained, 1);
	assert_unsettled(&t, bind_to(&t, "nvme", "0000:02:00.0", true), "msi-frame-shared");
	assert_allowed(&t, event(&t, WARD_EVENT_RELEASE, "0000:01:00.0"));
	assert_int_equal(t.outcome.contained, 1);
	own_end(&t);
}

/* Two clients are exposed by one event; the one with the smaller function is answered first. */
static void test_two_at_once(void **unused)
{
	struct ward_ownership_options options = { .size = sizeof(options),
						  .newcomer = WARD_CONTAIN_FREEZE };
	struct own t = { 0 };
	struct ward_event next;

	(void)unused;
	make_arm_v2m(&t.m, 4096, 2);
	t.m.controllers[1].pool = 1;
	root_port(&t.m, "00:01.0", 1, ACS_ON)->msix = false;
	endpoint(&t.m, "01:00.0");
	root_port(&t.m, "00:02.0", 2, ACS_ON)->msix = false;
	endpoint(&t.m, "02:00.0")->controller = 1;
	root_port(&t.m, "00:03.0", 3, ACS_ON)->msix = false;
	endpoint(&t.m, "03:00.0")->msix = false;
	root_port(&t.m, "00:04.0", 4, ACS_ON)->msix = false;
	endpoint(&t.m, "04:00.0");
	endpoint(&t.m, "04:00.1")->controller = 1;
	own_begin(&t, &options, "a b");
	assert_allowed(&t, claim(&t, "b", "0000:01:00.0"));
	assert_allowed(&t, claim(&t, "a", "0000:02:00.0"));
	assert_unsettled(&t, bind_to(&t, "nvme", "0000:04:00.0 0000:04:00.1", true), NULL);
	assert_int_equal(t.outcome.opened, 2);
	assert_true(ward_ownership_next(t.o, &next));
	assert_int_equal(next.functions[0], at(&t.m, "0000:01:00.0"));
	assert_int_equal(contain(&t), 2);
	assert_true(own_at(&t, "0000:01:00.0")->frozen);
	assert_true(own_at(&t, "0000:02:00.0")->frozen);
	own_end(&t);
}

/*
 * One function of the client on a frame, another on an ITS, both in one space: there the frame's page is
 * mapped, so the second one rings it, too, frozen as the first may be.
 */
static void test_doorbell_of_a_companion(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	make_arm_v2m(&t.m, 4096, 1);
	make_controller(&t.m, WARD_CONTROLLER_GICV3_ITS, WARD_YES, 0x8080000, 0x20000);
	root_port(&t.m, "00:01.0", 1, ACS_ON)->msix = false;
	endpoint(&t.m, "01:00.0");
	root_port(&t.m, "00:02.0", 2, ACS_ON)->msix = false;
	endpoint(&t.m, "02:00.0")->controller = 1;
	root_port(&t.m, "00:03.0", 3, ACS_ON)->msix = false;
	endpoint(&t.m, "03:00.0");
	own_begin(&t, NULL, "a");
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0 0000:02:00.0"));
	assert_recorded(&t, event(&t, WARD_EVENT_FREEZE, "0000:01:00.0"));
	/* Apart, the second one has nothing to do with the frame. */
	assert_allowed(&t, bind_to(&t, "nvme", "0000:03:00.0", false));
	assert_allowed(&t, event(&t, WARD_EVENT_UNBIND, "0000:03:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_THAW, "0000:01:00.0"));
	assert_allowed(&t, attach(&t, "0000:01:00.0 0000:02:00.0", 0));
	assert_recorded(&t, event(&t, WARD_EVENT_FREEZE, "0000:01:00.0"));
	assert_refused(&t, bind_to(&t, "nvme", "0000:03:00.0", false), "msi-frame-shared");
	assert_allowed(&t, event(&t, WARD_EVENT_DETACH, "0000:02:00.0"));
	assert_allowed(&t, bind_to(&t, "nvme", "0000:03:00.0", false));
	own_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bind_request_is_refused),
		cmocka_unit_test(test_newcomer_is_quarantined),
		cmocka_unit_test(test_policy_freezes_or_revokes),
		cmocka_unit_test(test_quarantine_that_does_not_help),
		cmocka_unit_test(test_vector_lands),
		cmocka_unit_test(test_hot_plug),
		cmocka_unit_test(test_unsettled_beginning),
		cmocka_unit_test(test_taking_away_while_unsettled),
		cmocka_unit_test(test_two_at_once),
		cmocka_unit_test(test_doorbell_of_a_companion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

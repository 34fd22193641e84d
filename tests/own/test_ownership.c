// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Ownership: it begins, requests are allowed or refused, and what was refused changed nothing. */
#include "own/core.h"
#include "own/own.h"

/* A root port each for two endpoints behind an ITS: nothing is shared. */
static void two_cards(struct own *t)
{
	make_arm_its(&t->m);
	root_port(&t->m, "00:01.0", 1, ACS_ON);
	endpoint(&t->m, "01:00.0");
	root_port(&t->m, "00:02.0", 2, ACS_ON);
	endpoint(&t->m, "02:00.0");
	own_begin(t, NULL, "a b");
}

static void test_claim_release(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	two_cards(&t);
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0"));
	assert_non_null(t.outcome.verdict);
	assert_int_equal(t.outcome.event, 1);
	assert_int_equal(own_at(&t, "0000:01:00.0")->owner.kind, WARD_OWNER_CLIENT);
	assert_refused(&t, claim(&t, "b", "0000:01:00.0"), "already-owned");
	assert_int_equal(t.outcome.event, 0);
	assert_allowed(&t, event(&t, WARD_EVENT_RELEASE, "0000:01:00.0"));
	assert_int_equal(own_at(&t, "0000:01:00.0")->owner.kind, WARD_OWNER_NOBODY);
	assert_int_equal(own_at(&t, "0000:01:00.0")->tainted_by.kind, WARD_OWNER_CLIENT);
	assert_refused(&t, claim(&t, "b", "0000:01:00.0"), "tainted");
	assert_allowed(&t, event(&t, WARD_EVENT_RESET, "0000:01:00.0"));
	assert_allowed(&t, claim(&t, "b", "0000:01:00.0"));
	own_end(&t);
}

static void test_from_host_and_back(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	two_cards(&t);
	assert_allowed(&t, bind_to(&t, "nvme", "0000:01:00.0", false));
	assert_refused(&t, claim(&t, "a", "0000:01:00.0"), "own-driver");
	assert_allowed(&t, event(&t, WARD_EVENT_UNBIND, "0000:01:00.0"));
	assert_refused(&t, claim(&t, "a", "0000:01:00.0"), "tainted");
	assert_allowed(&t, bind_to(&t, "vfio-pci", "0000:01:00.0", false));
	assert_refused(&t, claim(&t, "a", "0000:01:00.0"), "tainted");
	assert_allowed(&t, event(&t, WARD_EVENT_RESET, "0000:01:00.0"));
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_RELEASE, "0000:01:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_UNBIND, "0000:01:00.0"));
	assert_refused(&t, bind_to(&t, "nvme", "0000:01:00.0", false), "tainted");
	assert_allowed(&t, event(&t, WARD_EVENT_RESET, "0000:01:00.0"));
	assert_allowed(&t, bind_to(&t, "nvme", "0000:01:00.0", false));
	assert_int_equal(own_at(&t, "0000:01:00.0")->owner.kind, WARD_OWNER_HOST);
	own_end(&t);
}

static void test_death_releases_all(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	two_cards(&t);
	assert_allowed(&t, claim(&t, "a", "0000:01:00.0 0000:02:00.0"));
	assert_allowed(&t, attach(&t, "0000:02:00.0", 3));
	assert_int_equal(ward_ownership_container(t.o, at(&t.m, "0000:02:00.0")), 3);
	assert_recorded(&t, death(&t, "a"));
	assert_int_equal(own_at(&t, "0000:01:00.0")->owner.kind, WARD_OWNER_NOBODY);
	assert_int_equal(own_at(&t, "0000:02:00.0")->owner.kind, WARD_OWNER_NOBODY);
	assert_int_equal(ward_ownership_container(t.o, at(&t.m, "0000:02:00.0")), WARD_NONE);
	assert_recorded(&t, death(&t, "b"));
	own_end(&t);
}

/* What always holds is so from the beginning. */
static void test_sound_beginning(void **unused)
{
	struct ward_function_state *f;
	struct own t = { 0 };

	(void)unused;
	make_arm_its(&t.m);
	root_port(&t.m, "00:01.0", 1, ACS_ON);
	endpoint(&t.m, "01:00.0");
	t.m.driver[t.m.count - 1] = "nvme";
	root_port(&t.m, "00:02.0", 2, ACS_ON);
	endpoint(&t.m, "02:00.0");
	t.m.owner[t.m.count - 1] = "a";
	make_done(&t.m);
	f = &t.m.state->functions[at(&t.m, "0000:01:00.0")];
	f->absent = true;
	f->frozen = true;
	f->tainted_by.kind = WARD_OWNER_HOST;
	t.m.state->functions[at(&t.m, "0000:02:00.0")].revoking = true;
	assert_int_equal(ward_ownership_create(t.m.machine, t.m.state, NULL, &t.o), 0);
	assert_int_equal(own_at(&t, "0000:01:00.0")->owner.kind, WARD_OWNER_NOBODY);
	assert_int_equal(own_at(&t, "0000:01:00.0")->tainted_by.kind, WARD_OWNER_NOBODY);
	assert_null(own_at(&t, "0000:01:00.0")->driver);
	assert_false(own_at(&t, "0000:01:00.0")->frozen);
	assert_true(own_at(&t, "0000:02:00.0")->frozen);
	/* Of another machine, or without size. */
	f->owner = (struct ward_owner){ WARD_OWNER_CLIENT, 7 };
	assert_int_equal(ward_ownership_create(t.m.machine, t.m.state, NULL, &t.o), -EINVAL);
	own_end(&t);
}

static void test_options(void **unused)
{
	const struct ward_ownership_options bad[] = {
		{ .size = 1 },
		{ .size = sizeof(bad[0]), .other = WARD_CONTAIN_QUARANTINE },
		{ .size = sizeof(bad[0]), .newcomer = WARD_CONTAIN_REVOKE + 1 },
		{ .size = sizeof(bad[0]), .waivers_count = 1 },
	};
	struct ward_ownership *o;
	struct own t = { 0 };
	uint32_t client;

	(void)unused;
	two_cards(&t);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(ward_ownership_create(t.m.machine, t.m.state, &bad[i], &o),
				 -EINVAL);
	assert_int_equal(ward_ownership_client(t.o, "", &client), -EINVAL);
	assert_int_equal(ward_ownership_break(t.o, "no-such-rule"), -ENOENT);
	own_end(&t);
}

/* Each rule has a name, by which it is left out, and a meaning. */
static void test_rules(void **unused)
{
	const struct ward_rule *rule = ward_rules();
	struct own t = { 0 };

	(void)unused;
	two_cards(&t);
	for (; rule->name; rule++) {
		assert_non_null(rule->meaning);
		assert_int_equal(ward_ownership_break(t.o, rule->name), 0);
	}
	assert_int_equal(rule - ward_rules(), OWN_RULES);
	own_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claim_release),
		cmocka_unit_test(test_from_host_and_back),
		cmocka_unit_test(test_death_releases_all),
		cmocka_unit_test(test_sound_beginning),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

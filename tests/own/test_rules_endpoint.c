// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Partitions that are there before anybody asks: firmware's partitionable endpoints with their parts of
 * the MMIO window, spaces that they may share or not, and errors that stay inside.
 */
#include "own/rules.h"

#define SEGMENT 0x100000ull

/* The registers of a card are in the segment of this number. */
static void in_segment(struct own *t, const char *name, unsigned int segment, unsigned int place)
{
	uint64_t start = 0x80000000 + segment * SEGMENT + place * 0x1000ull;

	t->m.functions[make_ordinal(&t->m, name)].bar[0].range =
		(struct ward_range){ start, start + 0xfff };
}

/*
 * Endpoint 1: a card with two functions; endpoint 2: one card; endpoint 3: two cards in different slots,
 * of which firmware says nothing but where their registers are.
 */
static void three_endpoints(struct own *t, enum ward_domains domains)
{
	static const char *const ports[] = { "00:01.0", "00:02.0", "00:03.0", "00:04.0" };

	memset(t, 0, sizeof(*t));
	make_empty(&t->m, WARD_ARCH_POWER, 65536);
	make_iommu(&t->m, WARD_IOMMU_OTHER)->domains = domains;
	make_controller(&t->m, WARD_CONTROLLER_OTHER, WARD_YES, 0x60000000, 0x10000);
	for (unsigned int i = 0; i < 4; i++)
		root_port(&t->m, ports[i], i + 1, ACS_ON);
	function(&t->m, "01:00.0", WARD_PCIE_ENDPOINT, ACS_ON)->pe = 1;
	function(&t->m, "01:00.1", WARD_PCIE_ENDPOINT, ACS_ON)->pe = 1;
	endpoint(&t->m, "02:00.0")->pe = 2;
	endpoint(&t->m, "03:00.0");
	endpoint(&t->m, "04:00.0");
	in_segment(t, "01:00.0", 0, 0);
	in_segment(t, "01:00.1", 0, 1);
	in_segment(t, "02:00.0", 1, 0);
	in_segment(t, "03:00.0", 2, 0);
	in_segment(t, "04:00.0", 2, 1);
	for (unsigned int i = 0; i < 3; i++)
		mmio_segment(&t->m, 0x80000000 + i * SEGMENT, 0x80000000 + (i + 1) * SEGMENT - 1,
			     i + 1);
	own_begin(t, NULL, "a b");
}

static uint32_t partition_of(const struct own *t, const char *name)
{
	return ward_partition_of(ward_ownership_isolation(t->o), at(&t->m, name));
}

static uint32_t container_of(const struct own *t, const char *name)
{
	return ward_ownership_container(t->o, at(&t->m, name));
}

/* ACS is on everywhere, nothing reaches anything: the endpoint alone keeps them together. */
static void given_away_whole(void **unused)
{
	struct own t;

	(void)unused;
	three_endpoints(&t, WARD_DOMAINS_JOINED);
	assert_int_equal(partition_of(&t, "01:00.0"), partition_of(&t, "01:00.1"));
	assert_int_equal(partition_of(&t, "03:00.0"), partition_of(&t, "04:00.0"));
	assert_int_not_equal(partition_of(&t, "01:00.0"), partition_of(&t, "02:00.0"));
	assert_int_not_equal(partition_of(&t, "02:00.0"), partition_of(&t, "03:00.0"));
	assert_allowed(&t, claim(&t, "a", "01:00.0"));
	refused(&t, claim(&t, "b", "01:00.1"), "group-split", "");
	assert_blocker(&t, "group-split", "01:00.0");
	assert_allowed(&t, claim(&t, "b", "02:00.0"));
	/* By the segment alone. */
	assert_allowed(&t, claim(&t, "a", "03:00.0"));
	refused(&t, claim(&t, "b", "04:00.0"), "group-split", "");
	assert_blocker(&t, "group-split", "03:00.0");
	refused(&t, bind_to(&t, "tg3", "04:00.0", false), "driver-bound", "");
	assert_blocker(&t, "driver-bound", "04:00.0");
	own_end(&t);
}

/* Merged into a larger domain: several endpoints' tables are one. */
static void joined(void **unused)
{
	struct own t;

	(void)unused;
	three_endpoints(&t, WARD_DOMAINS_JOINED);
	assert_allowed(&t, claim(&t, "a", "01:00.0 01:00.1 02:00.0"));
	assert_allowed(&t, attach(&t, "01:00.0", 1));
	assert_int_equal(container_of(&t, "01:00.1"), 1);
	assert_allowed(&t, attach(&t, "02:00.0", 1));
	assert_int_equal(container_of(&t, "02:00.0"), 1);
	/* But an endpoint is never in two. */
	refused(&t, attach(&t, "01:00.1", 2), "one-space", "");
	assert_allowed(&t, event(&t, WARD_EVENT_DETACH, "02:00.0"));
	assert_allowed(&t, attach(&t, "02:00.0", 2));
	own_end(&t);
}

/* Not merged: a domain is an endpoint. */
static void fixed(void **unused)
{
	struct own t;

	(void)unused;
	three_endpoints(&t, WARD_DOMAINS_FIXED);
	assert_allowed(&t, claim(&t, "a", "01:00.0 01:00.1 02:00.0"));
	assert_allowed(&t, attach(&t, "01:00.0", 1));
	assert_int_equal(container_of(&t, "01:00.1"), 1);
	refused(&t, attach(&t, "02:00.0", 1), "domain-fixed", "");
	assert_string_equal(rule_name(&t, finding_in(t.outcome.verdict, "domain-fixed")->subject),
			    "02:00.0");
	assert_allowed(&t, attach(&t, "02:00.0", 2));
	own_end(&t);
}

/* Arbitrary domains, where the hardware allows them: any functions of a client in any space. */
static void any(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	make_arm_its(&t.m);
	for (unsigned int i = 0; i < 3; i++) {
		static const char *const ports[] = { "00:01.0", "00:02.0", "00:03.0" };
		static const char *const cards[] = { "01:00.0", "02:00.0", "03:00.0" };

		root_port(&t.m, ports[i], i + 1, ACS_ON);
		endpoint(&t.m, cards[i]);
	}
	own_begin(&t, NULL, "a");
	assert_allowed(&t, claim(&t, "a", "01:00.0 02:00.0 03:00.0"));
	assert_allowed(&t, attach(&t, "01:00.0", 1));
	assert_allowed(&t, attach(&t, "02:00.0", 1));
	assert_allowed(&t, attach(&t, "03:00.0", 2));
	assert_allowed(&t, event(&t, WARD_EVENT_DETACH, "02:00.0"));
	assert_allowed(&t, attach(&t, "02:00.0", 2));
	own_end(&t);
}

/* An error stays in its endpoint, and the others go on. */
static void errors_stay_inside(void **unused)
{
	struct own t;

	(void)unused;
	three_endpoints(&t, WARD_DOMAINS_JOINED);
	assert_allowed(&t, claim(&t, "a", "01:00.0 01:00.1 03:00.0 04:00.0"));
	assert_allowed(&t, claim(&t, "b", "02:00.0"));
	assert_allowed(&t, attach(&t, "01:00.0", 1));
	/* One space of both, and yet one error is not that of both. */
	assert_allowed(&t, attach(&t, "03:00.0", 1));
	assert_recorded(&t, event(&t, WARD_EVENT_FREEZE, "01:00.1"));
	assert_true(own_at(&t, "01:00.0")->frozen);
	assert_true(own_at(&t, "01:00.1")->frozen);
	assert_false(own_at(&t, "02:00.0")->frozen);
	assert_false(own_at(&t, "03:00.0")->frozen);
	assert_allowed(&t, attach(&t, "02:00.0", 1));
	assert_recorded(&t, event(&t, WARD_EVENT_FREEZE, "04:00.0"));
	assert_true(own_at(&t, "03:00.0")->frozen);
	/* Frozen it is still a's. */
	refused(&t, claim(&t, "b", "01:00.0"), "already-owned", "");
	assert_allowed(&t, event(&t, WARD_EVENT_THAW, "01:00.0"));
	assert_false(own_at(&t, "01:00.1")->frozen);
	assert_true(own_at(&t, "03:00.0")->frozen);
	own_end(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_away_whole),
		cmocka_unit_test(joined),
		cmocka_unit_test(fixed),
		cmocka_unit_test(any),
		cmocka_unit_test(errors_stay_inside),
	};

	return cmocka_run_group_tests_name("own/rules-endpoint", tests, NULL, NULL);
}

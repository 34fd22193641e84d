// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Functions that are known but not there: a machine in which some are absent is judged as one that does
 * not have them; and frozen ones, which start nothing.
 */
#include "isolate/drawn.h"
#include "isolate/reach_how.h"

#include "isolate/isolation.h"

#define MACHINES 1500

static void set_absent(struct make *m, const char *name)
{
	m->state->functions[at(m, name)].absent = true;
}

/* Builds all, with some absent from the beginning. */
static void made_without(struct make *m, const char *a, const char *b)
{
	assert_int_equal(make_machine(m, &m->machine), 0);
	assert_int_equal(make_state(m, m->machine, &m->state), 0);
	if (a)
		set_absent(m, a);
	if (b)
		set_absent(m, b);
	assert_int_equal(ward_isolation_create(m->machine, m->state, &m->isolation), 0);
}

/* The same machine without those that are absent. */
static void leave_out(const struct make *from, const bool absent[MAKE_FUNCTIONS], struct make *to)
{
	*to = *from;
	to->machine = NULL;
	to->state = NULL;
	to->isolation = NULL;
	to->verdict = NULL;
	to->count = to->regions_count = 0;
	for (uint32_t i = 0; i < from->count; i++) {
		uint32_t k = to->count;

		if (absent[i])
			continue;
		to->functions[k] = from->functions[i];
		to->driver[k] = from->driver[i];
		to->owner[k] = from->owner[i];
		to->pf[k] = from->pf[i];
		to->space[k] = from->space[i];
		to->maps[k] = from->maps[i];
		to->count++;
	}
	for (uint32_t i = 0; i < from->regions_count; i++) {
		uint32_t k = to->regions_count;

		if (absent[make_ordinal(from, from->region_of[i])])
			continue;
		to->regions[k] = from->regions[i];
		to->region_of[k] = from->region_of[i];
		to->regions_count++;
	}
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* The way may be told in other steps: a bridge with nothing behind it counts as a plain function. */
static bool same_path(const struct ward_finding *a, const struct ward_finding *b)
{
	bool assumed[2] = { false }, unknown[2] = { false };
	const struct ward_finding *both[2] = { a, b };

	for (unsigned int n = 0; n < 2; n++) {
		for (uint32_t i = 0; i < both[n]->path_count; i++) {
			assumed[n] |= both[n]->path[i].assumed;
			unknown[n] |= both[n]->path[i].unknown;
		}
	}
	if (!a->path_count || !b->path_count)
		return a->path_count == b->path_count;
	return assumed[0] == assumed[1] && unknown[0] == unknown[1] &&
	       a->path[a->path_count - 1].kind == b->path[b->path_count - 1].kind;
}

static bool same_verdict(const struct ward_verdict *a, const struct ward_verdict *b)
{
	if (a->answer != b->answer || a->grade != b->grade ||
	    a->findings_count != b->findings_count ||
	    a->assumptions_count != b->assumptions_count || a->members_count != b->members_count)
		return false;
	for (uint32_t i = 0; i < a->findings_count; i++) {
		const struct ward_finding *x = &a->findings[i], *y = &b->findings[i];

		if (strcmp(x->code, y->code) != 0 || x->weight != y->weight ||
		    strcmp(x->text, y->text) != 0 || !same_text(x->settle, y->settle) ||
		    x->remedies_count != y->remedies_count || !same_path(x, y))
			return false;
	}
	for (uint32_t i = 0; i < a->assumptions_count; i++) {
		if (strcmp(a->assumptions[i], b->assumptions[i]) != 0)
			return false;
	}
	return true;
}

/* The same functions are in one group, and in one partition. */
static void compare_sets(struct make *with, struct make *without)
{
	const struct ward_membership *x = ward_isolation_groups(with->isolation);
	const struct ward_membership *y = ward_isolation_groups(without->isolation);
	uint32_t count = without->machine->functions_count, to[MAKE_FUNCTIONS];

	for (uint32_t i = 0; i < count; i++)
		to[i] = at(with, without->machine->functions[i].name);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(x[to[i]].cause, y[i].cause);
		for (uint32_t k = 0; k < count; k++) {
			assert_int_equal(x[to[i]].group == x[to[k]].group,
					 y[i].group == y[k].group);
			assert_int_equal(ward_partition_of(with->isolation, to[i]) ==
						 ward_partition_of(with->isolation, to[k]),
					 ward_partition_of(without->isolation, i) ==
						 ward_partition_of(without->isolation, k));
		}
	}
}

static void compare_verdicts(struct make *with, struct make *without, enum ward_policy policy,
			     uint64_t seed)
{
	for (uint32_t i = 0; i < without->machine->functions_count; i++) {
		const char *name = without->machine->functions[i].name;
		const struct ward_verdict *a = judged(with, policy, NULL, name);
		const struct ward_verdict *b = judged(without, policy, NULL, name);

		if (same_verdict(a, b))
			continue;
		print_verdict(a);
		print_verdict(b);
		fail_msg("seed %llu: %s", (unsigned long long)seed, name);
	}
}

static void as_if_not_known(void **unused)
{
	static struct make with, without;
	bool absent[MAKE_FUNCTIONS];
	uint32_t some = 0;

	(void)unused;
	for (uint64_t seed = 1; seed <= MACHINES; seed++) {
		draw_machine(&with, seed);
		make_multifunction(&with);
		draw_absent(&with, absent);
		leave_out(&with, absent, &without);
		some += without.count != with.count && without.count;
		drawn_state(&with, absent);
		assert_int_equal(ward_isolation_create(with.machine, with.state, &with.isolation),
				 0);
		make_done(&without);
		compare_sets(&with, &without);
		compare_verdicts(&with, &without, WARD_POLICY_STRICT, seed);
		compare_verdicts(&with, &without, WARD_POLICY_LINUX, seed);
		make_free(&with);
		make_free(&without);
	}
	assert_true(some > MACHINES / 3);
}

/* A conventional bus: everybody on it has everybody. */
static void a_bus(struct make *m)
{
	make_x86(m);
	root_port_to(m, "00:1c.0", 1, 2, ACS_ON);
	pcie_to_pci(m, "01:00.0", 2);
	conventional(m, "02:00.0");
	conventional(m, "02:01.0");
	conventional(m, "02:02.0");
}

static void absent_itself(void **unused)
{
	const struct ward_finding *finding;
	struct make m;

	(void)unused;
	a_bus(&m);
	made_without(&m, "02:01.0", NULL);
	assert_verdict(judged(&m, WARD_POLICY_STRICT, NULL, "02:01.0"), WARD_UNSAFE,
		       WARD_GRADE_NONE);
	assert_int_equal(m.verdict->findings_count, 1);
	finding = finding_in(m.verdict, "absent");
	assert_int_equal(finding->weight, WARD_BLOCKS);
	assert_int_equal(finding->subject, at(&m, "02:01.0"));
	assert_int_equal(m.verdict->members_count, 1);
	/* By any policy. */
	assert_int_equal(judged(&m, WARD_POLICY_LINUX, NULL, "02:01.0")->answer, WARD_UNSAFE);
	assert_string_equal(HAS(&m, "02:00.0", "02:01.0"), "no");
	assert_string_equal(HAS(&m, "02:00.0", "02:02.0"), "sure");
	assert_string_equal(HAS(&m, "02:01.0", "02:00.0"), "no");
	assert_int_equal(ward_isolation_groups(m.isolation)[at(&m, "02:01.0")].cause,
			 WARD_CAUSE_ABSENT);
	/* It came: everything is as it is for the others. */
	ward_isolation_destroy(m.isolation);
	m.state->functions[at(&m, "02:01.0")].absent = false;
	assert_int_equal(ward_isolation_create(m.machine, m.state, &m.isolation), 0);
	assert_string_equal(HAS(&m, "02:00.0", "02:01.0"), "sure");
	assert_null(finding_of(judged(&m, WARD_POLICY_STRICT, NULL, "02:01.0"), "absent"));
	make_free(&m);
}

static void absence_cannot_be_accepted(void **unused)
{
	const struct ward_waiver waiver = { .code = "absent", .any_function = true };
	struct ward_question question = { .size = sizeof(question),
					  .functions_count = 1,
					  .client = WARD_NONE,
					  .policy = WARD_POLICY_STRICT,
					  .waivers = &waiver,
					  .waivers_count = 1 };
	struct make m;
	uint32_t function;

	(void)unused;
	a_bus(&m);
	made_without(&m, "02:01.0", NULL);
	function = at(&m, "02:01.0");
	question.functions = &function;
	assert_int_equal(ward_check(m.isolation, m.state, &question, &m.verdict), 0);
	assert_int_equal(m.verdict->answer, WARD_UNSAFE);
	assert_false(finding_in(m.verdict, "absent")->waived);
	make_free(&m);
}

/* The id that two use is that of a function which is not there: they share it all the same. */
static void id_of_absent(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	function(&m, "01:00.0", WARD_PCIE_ENDPOINT, ACS_ON)->vendor = 0x1b4b;
	function(&m, "01:00.1", WARD_PCIE_ENDPOINT, ACS_ON);
	function(&m, "01:00.2", WARD_PCIE_ENDPOINT, ACS_ON)->vendor = 0x1b4b;
	/* Uses the id of function 1 (Marvell 88SE9123). */
	m.functions[1].device = m.functions[3].device = 0x9123;
	made_without(&m, "01:00.1", NULL);
	assert_string_equal(HAS(&m, "01:00.0", "01:00.2"), "sure");
	assert_string_equal(HAS(&m, "01:00.0", "01:00.1"), "no");
	make_free(&m);
}

/* Three StreamIDs folded into one, the first of whose users is not there. */
static void stream_of_absent(void **unused)
{
	struct make m;

	(void)unused;
	make_arm_its(&m);
	for (unsigned int i = 0; i < 3; i++) {
		static const char *const ports[] = { "00:01.0", "00:02.0", "00:03.0" };
		static const char *const cards[] = { "01:00.0", "02:00.0", "03:00.0" };

		root_port(&m, ports[i], i + 1, ACS_ON);
		endpoint(&m, cards[i])->stream.sid = ward_sid(0x4000);
	}
	made_without(&m, "01:00.0", NULL);
	assert_string_equal(HAS(&m, "02:00.0", "03:00.0"), "sure");
	assert_string_equal(HAS(&m, "02:00.0", "01:00.0"), "no");
	make_free(&m);
}

/* A PF is refused for VFs that are there, and counts them. */
static void vfs_come_and_go(void **unused)
{
	const struct ward_finding *finding;
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 1, ACS_ON);
	endpoint(&m, "01:00.0");
	vf(&m, "01:00.4", "01:00.0");
	vf(&m, "01:00.5", "01:00.0");
	bound(&m, "01:00.0", "ixgbe");
	made_without(&m, "01:00.4", "01:00.5");
	assert_null(finding_of(judged(&m, WARD_POLICY_STRICT, NULL, "01:00.0"), "vfs-enabled"));
	make_free(&m);
	made_without(&m, "01:00.4", NULL);
	finding = finding_in(judged(&m, WARD_POLICY_STRICT, NULL, "01:00.0"), "vfs-enabled");
	assert_non_null(strstr(finding->text, "(1 of them)"));
	make_free(&m);
	/* The PF says that it has them, and they are known. */
	m.functions[1].vfs_enabled = 2;
	made_without(&m, "01:00.4", "01:00.5");
	assert_null(finding_of(judged(&m, WARD_POLICY_STRICT, NULL, "01:00.0"), "vfs-enabled"));
	make_free(&m);
	made_without(&m, NULL, NULL);
	finding = finding_in(judged(&m, WARD_POLICY_STRICT, NULL, "01:00.0"), "vfs-enabled");
	assert_non_null(strstr(finding->text, "(2 of them)"));
	make_free(&m);
}

/* Client a's function on a conventional bus, frozen and not. */
static void frozen_starts_nothing(void **unused)
{
	struct ward_function_state *f;
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 1, ACS_ON);
	function(&m, "01:00.0", WARD_PCIE_ENDPOINT, NO_ACS);
	function(&m, "01:00.1", WARD_PCIE_ENDPOINT, ACS_ON);
	owned(&m, "01:00.0", "a");
	made_without(&m, NULL, NULL);
	f = &m.state->functions[at(&m, "01:00.0")];
	finding_in(judged(&m, WARD_POLICY_STRICT, NULL, "01:00.1"), "reached-by-other");
	f->frozen = true;
	assert_null(
		finding_of(judged(&m, WARD_POLICY_STRICT, NULL, "01:00.1"), "reached-by-other"));
	/* It is a's still. */
	finding_in(judged(&m, WARD_POLICY_STRICT, "b", "01:00.0"), "already-owned");
	make_free(&m);
}

/* The way from 03:00.0 leads through a function of nobody's that nothing translates. */
static void frozen_lends_nothing(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 4, ACS_ON);
	upstream(&m, "01:00.0", 2, 4);
	downstream(&m, "02:00.0", 3, NO_ACS);
	downstream(&m, "02:01.0", 4, ACS_ON);
	endpoint(&m, "03:00.0");
	endpoint(&m, "04:00.0")->stream.iommu = WARD_NONE;
	made_without(&m, NULL, NULL);
	finding_in(judged(&m, WARD_POLICY_STRICT, NULL, "03:00.0"), "no-iommu");
	m.state->functions[at(&m, "04:00.0")].frozen = true;
	assert_verdict(judged(&m, WARD_POLICY_STRICT, NULL, "03:00.0"), WARD_SAFE,
		       WARD_GRADE_ISOLATED);
	/* Judged itself, it is what it will be when it is thawed. */
	finding_in(judged(&m, WARD_POLICY_STRICT, NULL, "04:00.0"), "no-iommu");
	make_free(&m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_if_not_known),
		cmocka_unit_test(absent_itself),
		cmocka_unit_test(absence_cannot_be_accepted),
		cmocka_unit_test(id_of_absent),
		cmocka_unit_test(stream_of_absent),
		cmocka_unit_test(vfs_come_and_go),
		cmocka_unit_test(frozen_starts_nothing),
		cmocka_unit_test(frozen_lends_nothing),
	};

	return cmocka_run_group_tests_name("isolate/absent", tests, NULL, NULL);
}

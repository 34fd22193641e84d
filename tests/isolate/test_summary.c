// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Judging all functions in one pass says what judging each alone says: tried on small machines made
 * at random from numbered seeds.
 */
#include "isolate/drawn.h"

#define MACHINES 3000

/* Codes that differ only in how the same function is got at. */
static int family_of(const char *code)
{
	static const char *const families[][7] = {
		{ "peer-dma", "requester-alias", "pf-controls-vf", "backdoor", NULL },
		{ "msi-frame-shared", "msi-id-shared", "msi-not-isolated", NULL },
		{ "driver-bound", "group-split", NULL },
		{ "acs-unknown", "iommu-unknown", "msi-unknown", "reached-by-other", "ats-trusted",
		  "table-broken", NULL },
	};

	for (int i = 0; i < 4; i++) {
		for (int k = 0; families[i][k]; k++) {
			if (strcmp(families[i][k], code) == 0)
				return i;
		}
	}
	return -1;
}

/* The code is that of a finding of the greatest weight, or of its family. */
static bool code_agrees(const struct ward_verdict *verdict, const char *code)
{
	if (!code)
		return verdict->answer == WARD_SAFE;
	for (uint32_t i = 0; i < verdict->findings_count; i++) {
		const struct ward_finding *f = &verdict->findings[i];

		if (f->weight != verdict->findings[0].weight)
			break;
		if (strcmp(f->code, code) == 0 ||
		    (family_of(code) >= 0 && family_of(code) == family_of(f->code)))
			return true;
	}
	return false;
}

static void compare(struct make *m, enum ward_policy policy, uint64_t seed)
{
	struct ward_summary *all;

	assert_int_equal(ward_check_all(m->isolation, m->state, policy, &all), 0);
	for (uint32_t i = 0; i < m->machine->functions_count; i++) {
		const struct ward_verdict *one =
			judged(m, policy, NULL, m->machine->functions[i].name);

		if (one->answer == all[i].answer && one->grade == all[i].grade &&
		    code_agrees(one, all[i].code))
			continue;
		print_verdict(one);
		fail_msg("seed %llu, policy %d, %s: in one pass %s, %s, %s",
			 (unsigned long long)seed, (int)policy, m->machine->functions[i].name,
			 ward_answer_name(all[i].answer), ward_grade_name(all[i].grade),
			 all[i].code ? all[i].code : "no code");
	}
	free(all);
}

/* Every third machine has functions that are absent or frozen, and vectors that landed somewhere. */
static void make_drawn(struct make *m, uint64_t seed)
{
	bool absent[MAKE_FUNCTIONS] = { false };

	random_state = seed;
	draw_machine(m, seed);
	if (seed % 3 == 0)
		draw_absent(m, absent);
	drawn_state(m, absent);
	if (seed % 3 == 0)
		draw_circumstances(m);
	assert_int_equal(ward_isolation_create(m->machine, m->state, &m->isolation), 0);
}

static void one_pass_is_as_good(void **unused)
{
	uint32_t answers[3] = { 0 }, grades[7] = { 0 };
	static struct make m;

	(void)unused;
	for (uint64_t seed = 1; seed <= MACHINES; seed++) {
		struct ward_summary *all;

		make_drawn(&m, seed);
		compare(&m, WARD_POLICY_STRICT, seed);
		compare(&m, WARD_POLICY_LINUX, seed);
		assert_int_equal(ward_check_all(m.isolation, m.state, WARD_POLICY_STRICT, &all), 0);
		for (uint32_t i = 0; i < m.machine->functions_count; i++) {
			answers[all[i].answer]++;
			grades[all[i].grade]++;
		}
		free(all);
		make_free(&m);
	}
	/* The machines are worth something only if every answer and every grade came up. */
	for (unsigned int i = 0; i < 3; i++)
		assert_true(answers[i] > 100);
	for (unsigned int i = 0; i < 7; i++)
		assert_true(i == WARD_GRADE_SHARED_WITH_OWN ? grades[i] == 0 : grades[i] > 20);
}

static void empty_machine(void **unused)
{
	struct ward_summary *all;
	struct make m;

	(void)unused;
	make_x86(&m);
	make_done(&m);
	assert_int_equal(ward_check_all(m.isolation, m.state, WARD_POLICY_STRICT, &all), 0);
	free(all);
	make_free(&m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_pass_is_as_good),
		cmocka_unit_test(empty_machine),
	};

	return cmocka_run_group_tests_name("isolate/summary", tests, NULL, NULL);
}

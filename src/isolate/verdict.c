// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The verdict: the sides of a judgement put together, sorted, weighed and waived. */
#include "isolate/judge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "isolate/refusal.h"

static int compare_functions(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The functions asked about, sorted, each once. */
static int take_claimed(struct ward_judgement *j)
{
	const struct ward_question *q = j->question;
	uint32_t kept = 0;

	j->claimed = ward_alloc_array(q->functions_count, sizeof(*j->claimed));
	if (!j->claimed)
		return -ENOMEM;
	memcpy(j->claimed, q->functions, q->functions_count * sizeof(*j->claimed));
	qsort(j->claimed, q->functions_count, sizeof(*j->claimed), compare_functions);
	for (uint32_t i = 0; i < q->functions_count; i++) {
		if (i == 0 || j->claimed[i] != j->claimed[i - 1])
			j->claimed[kept++] = j->claimed[i];
	}
	j->claimed_count = kept;
	return 0;
}

static bool waiver_fits(const struct ward_judgement *j, const struct ward_waiver *waiver,
			const struct ward_finding *finding)
{
	const struct ward_function *f = &j->machine->functions[finding->subject];

	if (strcmp(waiver->code, finding->code) != 0)
		return false;
	return waiver->any_function || (f->kind == WARD_FUNCTION_PCI &&
					ward_address_compare(waiver->address, f->address) == 0);
}

/* What Linux or the hardware refuses cannot be accepted away; risks can. */
static bool can_be_waived(const struct ward_finding *finding)
{
	static const char *const firm[] = { "absent",	     "not-assignable",	  "no-iommu",
					    "driver-bound",  "group-split",	  "rmrr",
					    "already-owned", "unsafe-interrupts", "stream-in-use",
					    "vfs-enabled" };

	/* Linux looks at the function's own IOMMU, not at that of what it gets at. */
	if (strcmp(finding->code, "no-iommu") == 0 && finding->blocker != WARD_NONE)
		return true;
	for (size_t i = 0; i < sizeof(firm) / sizeof(firm[0]); i++) {
		if (strcmp(finding->code, firm[i]) == 0)
			return false;
	}
	return true;
}

static void apply_waivers(struct ward_judgement *j)
{
	for (uint32_t i = 0; i < j->findings_count; i++) {
		struct ward_finding *finding = &j->findings[i];

		for (uint32_t w = 0; w < j->question->waivers_count; w++) {
			if (waiver_fits(j, &j->question->waivers[w], finding) &&
			    can_be_waived(finding))
				finding->waived = true;
		}
	}
}

static int compare_findings(const void *a, const void *b)
{
	const struct ward_finding *x = a, *y = b;

	if (x->waived != y->waived)
		return x->waived ? 1 : -1;
	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	if (strcmp(x->code, y->code) != 0)
		return ward_finding_rank(x->code) < ward_finding_rank(y->code) ? -1 : 1;
	if (x->subject != y->subject)
		return x->subject < y->subject ? -1 : 1;
	return x->blocker < y->blocker ? -1 : x->blocker > y->blocker;
}

static enum ward_answer answer_of(const struct ward_judgement *j)
{
	enum ward_answer answer = WARD_SAFE;

	for (uint32_t i = 0; i < j->findings_count; i++) {
		const struct ward_finding *finding = &j->findings[i];

		if (finding->waived)
			continue;
		if (finding->weight == WARD_BLOCKS)
			return WARD_UNSAFE;
		if (finding->weight == WARD_OPEN)
			answer = WARD_CANNOT_TELL;
	}
	return answer;
}

/* The kernel's own groups and regions stand for a table it could read. */
enum ward_weight ward_remark_weight(const struct ward_machine *machine, uint32_t remark)
{
	if (strcmp(machine->remarks[remark].code, "table-broken") != 0)
		return WARD_NOTE;
	return machine->groups_known ? WARD_HAZARD : WARD_OPEN;
}

/* What could not be understood while the machine was read touches every answer. */
static void judge_remarks(struct ward_judgement *j)
{
	const struct ward_machine *machine = j->machine;

	for (uint32_t i = 0; i < machine->remarks_count; i++) {
		const struct ward_remark *remark = &machine->remarks[i];
		enum ward_weight weight = ward_remark_weight(machine, i);
		struct ward_finding *finding =
			ward_finding_add(j, remark->code, weight, j->claimed[0], WARD_NONE, "%s",
					 remark->text);

		if (!finding || weight == WARD_NOTE)
			continue;
		if (weight == WARD_OPEN)
			finding->settle = "what the table was meant to say";
		ward_finding_remedy(j, finding, WARD_REMEDY_FIRMWARE, WARD_NONE,
				    "update the firmware", NULL);
	}
}

/* The partitions of the functions claimed, sorted, each once; *ret_count of them, allocated. */
static uint32_t *claimed_partitions(const struct ward_judgement *j, uint32_t *ret_count)
{
	uint32_t *partitions = ward_alloc_array(j->claimed_count, sizeof(*partitions));
	uint32_t kept = 0;

	if (!partitions)
		return NULL;
	for (uint32_t i = 0; i < j->claimed_count; i++)
		partitions[i] = j->isolation->partition[j->claimed[i]];
	qsort(partitions, j->claimed_count, sizeof(*partitions), compare_functions);
	for (uint32_t i = 0; i < j->claimed_count; i++) {
		if (i == 0 || partitions[i] != partitions[kept - 1])
			partitions[kept++] = partitions[i];
	}
	*ret_count = kept;
	return partitions;
}

/* Writes the members of a partition, or only counts them when there is no room given. */
static uint32_t take_members(const struct ward_isolation *isolation, uint32_t partition,
			     uint32_t *members)
{
	uint32_t count = 0, member = partition;

	do {
		if (members)
			members[count] = member;
		count++;
		member = isolation->partition_next[member];
	} while (member != partition);
	return count;
}

static int list_members(struct ward_judgement *j, struct ward_verdict *verdict)
{
	uint32_t partitions_count, *partitions = claimed_partitions(j, &partitions_count);
	uint32_t *members, count = 0;

	if (!partitions)
		return -ENOMEM;
	for (uint32_t i = 0; i < partitions_count; i++)
		count += take_members(j->isolation, partitions[i], NULL);
	members = ward_arena_alloc(j->arena, count * sizeof(*members));
	if (members) {
		verdict->members = members;
		verdict->members_count = count;
		count = 0;
		for (uint32_t i = 0; i < partitions_count; i++)
			count += take_members(j->isolation, partitions[i], members + count);
		qsort(members, count, sizeof(*members), compare_functions);
	}
	free(partitions);
	return members ? 0 : -ENOMEM;
}

static int publish(struct ward_judgement *j, struct ward_verdict *verdict)
{
	apply_waivers(j);
	if (j->findings_count)
		qsort(j->findings, j->findings_count, sizeof(*j->findings), compare_findings);
	verdict->answer = answer_of(j);
	verdict->policy = j->question->policy;
	verdict->grade = j->grade;
	verdict->findings =
		ward_arena_memdup(j->arena, j->findings, j->findings_count * sizeof(*j->findings));
	verdict->findings_count = j->findings_count;
	verdict->assumptions = ward_arena_memdup(j->arena, j->assumptions,
						 j->assumptions_count * sizeof(*j->assumptions));
	verdict->assumptions_count = j->assumptions_count;
	if (!verdict->findings || !verdict->assumptions)
		return -ENOMEM;
	return list_members(j, verdict);
}

/* What is behind a function of somebody else is not told again: the function is. */
static bool belongs_elsewhere(const void *context, uint32_t function)
{
	return ward_is_foreign(ward_whose(context, function));
}

/*
 * Who is frozen lends nothing to whoever gets at it. Of those judged, it matters what they reach when
 * they are thawed.
 */
static bool is_frozen(const void *context, uint32_t function)
{
	const struct ward_judgement *j = context;

	return j->state->functions[function].frozen && !ward_is_claimed(j, function);
}

/*
 * One reach of all tells each thing once, from the function nearest to it. A waiver for one
 * function must not stand for another that reaches the same, so then each is looked at by itself.
 */
static bool wants_each(const struct ward_judgement *j)
{
	for (uint32_t w = 0; w < j->question->waivers_count; w++) {
		if (!j->question->waivers[w].any_function)
			return true;
	}
	return false;
}

static int judge_reaches(struct ward_judgement *j)
{
	uint32_t step = wants_each(j) ? 1 : j->claimed_count;

	for (uint32_t i = 0; i < j->claimed_count; i += step) {
		int err;

		ward_reach_destroy(j->reach);
		j->reach = NULL;
		err = ward_reach_past(&j->isolation->graph, j->claimed + i, step, belongs_elsewhere,
				      is_frozen, j, &j->reach);
		if (err)
			return err;
		ward_judge_reach(j);
	}
	ward_judge_controllers(j);
	return 0;
}

static int judge(struct ward_judgement *j, struct ward_verdict *verdict)
{
	int err = take_claimed(j);

	if (!err)
		err = judge_reaches(j);
	if (err)
		return err;
	for (uint32_t i = 0; i < j->claimed_count; i++)
		ward_judge_function(j, j->claimed[i]);
	ward_judge_groups(j);
	ward_judge_others(j);
	judge_remarks(j);
	return j->failed ? -ENOMEM : publish(j, verdict);
}

static bool question_is_sound(const struct ward_isolation *isolation,
			      const struct ward_state *state, const struct ward_question *question)
{
	if (question->size != sizeof(*question) || question->functions_count == 0 ||
	    state->machine != isolation->machine)
		return false;
	if (question->client != WARD_NONE && question->client >= state->clients_count)
		return false;
	for (uint32_t i = 0; i < question->functions_count; i++) {
		if (question->functions[i] >= isolation->machine->functions_count)
			return false;
	}
	return true;
}

int ward_check(const struct ward_isolation *isolation, const struct ward_state *state,
	       const struct ward_question *question, struct ward_verdict **ret_verdict)
{
	struct ward_judgement j = {
		.isolation = isolation,
		.machine = isolation->machine,
		.state = state,
		.question = question,
		.grade = WARD_GRADE_NONE,
	};
	struct ward_verdict_storage *storage;
	int err;

	if (!question_is_sound(isolation, state, question))
		return -EINVAL;
	storage = ward_alloc(sizeof(*storage));
	if (!storage)
		return -ENOMEM;
	j.arena = &storage->arena;
	err = judge(&j, &storage->verdict);
	ward_reach_destroy(j.reach);
	free(j.claimed);
	free(j.findings);
	free(j.alike);
	free(j.assumptions);
	if (err) {
		ward_verdict_destroy(&storage->verdict);
		return err;
	}
	*ret_verdict = &storage->verdict;
	return 0;
}

void ward_verdict_destroy(struct ward_verdict *verdict)
{
	struct ward_verdict_storage *storage = (struct ward_verdict_storage *)verdict;

	if (!verdict)
		return;
	ward_arena_finish(&storage->arena);
	free(storage);
}

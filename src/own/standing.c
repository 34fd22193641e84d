// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Standing clients: whom an event concerns, and whether they are in order afterwards. Whoever is frozen
 * reaches nothing.
 */
#include "own/core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "isolate/back.h"
#include "isolate/isolation.h"

bool own_counts(const struct ward_finding *finding)
{
	return !finding->waived && finding->weight >= WARD_OPEN;
}

/* What others reach of a client's is told of those others. */
static bool counts_for_standing(const struct ward_finding *finding)
{
	return own_counts(finding) && strcmp(finding->code, "reached-by-other") != 0;
}

void own_judging_finish(struct own_judging *judging)
{
	for (uint32_t i = 0; i < judging->count; i++) {
		ward_verdict_destroy(judging->judged[i].verdict);
		free(judging->judged[i].through);
	}
	free(judging->judged);
	ward_verdict_destroy(judging->claim);
	*judging = (struct own_judging){ 0 };
}

static int compare_functions(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The functions of a client that findings begin with, each once. */
static int list_through(struct own_judged *judged)
{
	const struct ward_verdict *verdict = judged->verdict;
	uint32_t count = 0, kept = 0;

	judged->through = ward_alloc_array(verdict->findings_count, sizeof(*judged->through));
	if (!judged->through)
		return -ENOMEM;
	for (uint32_t i = 0; i < verdict->findings_count; i++) {
		if (counts_for_standing(&verdict->findings[i]))
			judged->through[count++] = verdict->findings[i].subject;
	}
	qsort(judged->through, count, sizeof(*judged->through), compare_functions);
	for (uint32_t i = 0; i < count; i++) {
		if (i == 0 || judged->through[i] != judged->through[kept - 1])
			judged->through[kept++] = judged->through[i];
	}
	judged->through_count = kept;
	return 0;
}

static int note_findings(struct own_judged *judged)
{
	for (uint32_t i = 0; i < judged->verdict->findings_count; i++) {
		if (!counts_for_standing(&judged->verdict->findings[i]))
			continue;
		judged->exposed = true;
		judged->worst = i;
		return list_through(judged);
	}
	return 0;
}

static int ask(struct ward_ownership *o, const uint32_t *functions, uint32_t count, uint32_t client,
	       struct ward_verdict **ret_verdict)
{
	const struct ward_question question = {
		.size = sizeof(question),
		.functions = functions,
		.functions_count = count,
		.client = client,
		.policy = o->options.policy,
		.waivers = o->waivers,
		.waivers_count = o->waivers_count,
	};

	return ward_check(o->environment->isolation, o->state, &question, ret_verdict);
}

static int check_standing(struct ward_ownership *o, uint32_t client, struct own_judged *judged)
{
	uint32_t count = 0, *functions;
	int err = 0;

	if (!o->clients[client].count)
		return 0;
	functions = ward_alloc_array(o->clients[client].count, sizeof(*functions));
	if (!functions)
		return -ENOMEM;
	for (uint32_t f = o->clients[client].first; f != WARD_NONE; f = o->next[f]) {
		if (!o->state->functions[f].frozen)
			functions[count++] = f;
	}
	if (count)
		err = ask(o, functions, count, client, &judged->verdict);
	free(functions);
	return err || !judged->verdict ? err : note_findings(judged);
}

int own_judge_client(struct ward_ownership *o, uint32_t client, struct own_judging *judging)
{
	void *judged = judging->judged;

	if (o->clients[client].stamp == o->stamp)
		return 0;
	o->clients[client].stamp = o->stamp;
	if (ward_array_reserve(&judged, &judging->capacity, judging->count + 1u,
			       sizeof(*judging->judged)))
		return -ENOMEM;
	judging->judged = judged;
	judging->judged[judging->count] = (struct own_judged){ .client = client };
	return check_standing(o, client, &judging->judged[judging->count++]);
}

int own_judge_all(struct ward_ownership *o, struct own_judging *judging)
{
	int err = 0;

	own_next_stamp(o);
	for (uint32_t i = 0; i < o->clients_known && !err; i++)
		err = own_judge_client(o, i, judging);
	return err;
}

int own_judge_open(struct ward_ownership *o, struct own_judging *judging)
{
	int err = 0;

	for (uint32_t i = 0; i < o->clients_known && o->exposures_open && !err; i++) {
		if (o->clients[i].exposure)
			err = own_judge_client(o, i, judging);
	}
	return err;
}

static int judge_owner(struct ward_ownership *o, uint32_t function, struct own_judging *judging)
{
	const struct ward_owner *owner = &o->state->functions[function].owner;

	return owner->kind == WARD_OWNER_CLIENT ? own_judge_client(o, owner->client, judging) : 0;
}

/* Linux's word on a kernel group is about all who have some of it, whoever reaches whom. */
static int judge_group_owners(struct ward_ownership *o, uint32_t function,
			      struct own_judging *judging)
{
	const uint32_t *next = o->environment->isolation->group_next;
	uint32_t member = function;
	int err;

	do {
		err = judge_owner(o, member, judging);
		member = next[member];
	} while (member != function && !err);
	return err;
}

/* What the event touched, each once; allocated. */
static uint32_t *list_touched(struct ward_ownership *o, const struct ward_event *event,
			      uint32_t *ret_count)
{
	size_t most = event->functions_count + o->changes_count;
	uint32_t *touched = ward_alloc_array(most, sizeof(*touched)), count = 0, kept = 0;

	if (!touched)
		return NULL;
	for (uint32_t i = 0; i < event->functions_count; i++)
		touched[count++] = event->functions[i];
	for (size_t i = 0; i < o->changes_count; i++)
		touched[count++] = o->changes[i].function;
	if (count)
		qsort(touched, count, sizeof(*touched), compare_functions);
	for (uint32_t i = 0; i < count; i++) {
		if (i == 0 || touched[i] != touched[kept - 1])
			touched[kept++] = touched[i];
	}
	*ret_count = kept;
	return touched;
}

static int judge_reaching(struct ward_ownership *o, const uint32_t *touched, uint32_t count,
			  struct own_judging *judging)
{
	uint32_t *reaching, reaching_count;
	int err = ward_reaching(o->environment->isolation, o->state, touched, count, &reaching,
				&reaching_count);

	if (err)
		return err;
	for (uint32_t i = 0; i < reaching_count && !err; i++)
		err = judge_owner(o, reaching[i], judging);
	free(reaching);
	return err;
}

int own_judge_concerned(struct ward_ownership *o, const struct ward_event *event,
			struct own_judging *judging)
{
	uint32_t count, *touched = list_touched(o, event, &count);
	uint64_t judged = UINT64_MAX;
	int err = 0;

	if (!touched)
		return -ENOMEM;
	for (uint32_t i = 0; i < count && !err; i++) {
		uint64_t key = ward_group_key(o->environment->isolation, touched[i]);

		/* One walk for a large group of which all were touched. */
		if (key == UINT64_MAX || key != judged)
			err = judge_group_owners(o, touched[i], judging);
		judged = key;
	}
	if (!err && count)
		err = judge_reaching(o, touched, count, judging);
	free(touched);
	return err ? err : own_judge_open(o, judging);
}

int own_judge_claim(struct ward_ownership *o, const struct ward_event *event,
		    struct own_judging *judging)
{
	return ask(o, event->functions, event->functions_count, event->client, &judging->claim);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Refusals for what is so already: who has it, what became of it. Not for what it would reach. */
#include "isolate/refusal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "isolate/isolation.h"

/* What mends each: not a supposition to be tried on a model, but an event that comes first. */
static const struct {
	const char *code, *text;
	enum ward_remedy_kind kind;
} remedies[] = {
	{ "already-owned", "take it back from whoever has it first",
	  WARD_REMEDY_USE_OTHER_FUNCTION },
	{ "own-driver", "unbind it from the host first", WARD_REMEDY_UNBIND },
	{ "frozen", "thaw it first, which resets its error domain",
	  WARD_REMEDY_USE_OTHER_FUNCTION },
	{ "tainted", "reset it first, and see that the reset worked",
	  WARD_REMEDY_USE_OTHER_FUNCTION },
	{ "revoking", "wait until it was given back, or end the client",
	  WARD_REMEDY_USE_OTHER_FUNCTION },
	{ "unsettled", "contain what is exposed first", WARD_REMEDY_USE_OTHER_FUNCTION },
	{ "one-space", "detach all that shares its group first", WARD_REMEDY_OTHER_SPACE },
	{ "domain-fixed", "use a container for each partitionable endpoint",
	  WARD_REMEDY_OTHER_SPACE },
	{ "reset-scope", "take what would be hit out of use first",
	  WARD_REMEDY_USE_OTHER_FUNCTION },
	{ "no-reset", "power the machine off before it changes hands",
	  WARD_REMEDY_USE_OTHER_FUNCTION },
};

static struct ward_remedy *make_remedy(struct ward_arena *arena, const char *code, uint32_t subject)
{
	struct ward_remedy *remedy = ward_arena_alloc(arena, sizeof(*remedy));

	for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]) && remedy; i++) {
		if (strcmp(remedies[i].code, code) == 0)
			*remedy = (struct ward_remedy){
				.kind = remedies[i].kind,
				.subject = subject,
				.text = remedies[i].text,
			};
	}
	return remedy;
}

static int compare_functions(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The partition of the subject, all of it. */
static int list_members(const struct ward_isolation *isolation, uint32_t subject,
			struct ward_verdict_storage *storage)
{
	uint32_t *members, member = subject, count = 0;

	do {
		count++;
		member = isolation->partition_next[member];
	} while (member != subject);
	members = ward_arena_alloc(&storage->arena, count * sizeof(*members));
	if (!members)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		members[i] = member;
		member = isolation->partition_next[member];
	}
	qsort(members, count, sizeof(*members), compare_functions);
	storage->verdict.members = members;
	storage->verdict.members_count = count;
	return 0;
}

static int fill(struct ward_verdict_storage *storage, const char *code, uint32_t subject,
		uint32_t blocker, const char *text)
{
	struct ward_finding *finding = ward_arena_alloc(&storage->arena, sizeof(*finding));

	if (!finding)
		return -ENOMEM;
	*finding = (struct ward_finding){
		.code = code,
		.weight = WARD_BLOCKS,
		.subject = subject,
		.blocker = blocker,
		.text = ward_arena_strdup(&storage->arena, text),
		.remedies = make_remedy(&storage->arena, code, subject),
		.remedies_count = 1,
	};
	storage->verdict.findings = finding;
	storage->verdict.findings_count = 1;
	return finding->text && finding->remedies ? 0 : -ENOMEM;
}

int ward_refusal_create(const struct ward_isolation *isolation, enum ward_policy policy,
			const char *code, uint32_t subject, uint32_t blocker, const char *text,
			struct ward_verdict **ret_verdict)
{
	struct ward_verdict_storage *storage = ward_alloc(sizeof(*storage));
	int err;

	if (!storage)
		return -ENOMEM;
	storage->verdict.answer = WARD_UNSAFE;
	storage->verdict.policy = policy;
	storage->verdict.grade = WARD_GRADE_UNKNOWN;
	err = fill(storage, code, subject, blocker, text);
	if (!err)
		err = list_members(isolation, subject, storage);
	if (err) {
		ward_verdict_destroy(&storage->verdict);
		return err;
	}
	*ret_verdict = &storage->verdict;
	return 0;
}

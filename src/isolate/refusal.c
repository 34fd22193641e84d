// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Refusals for what is so already: who has it, what became of it. Not for what it would reach. */
#include "isolate/refusal.h"

#include <errno.h>
#include <string.h>

#include "isolate/isolation.h"
#include "isolate/judge.h"

/* What mends each; they are no suppositions to be tried on a model, but events to come first. */
static const struct {
	const char *code, *remedy;
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

static int fill(struct ward_judgement *j, struct ward_verdict *verdict, const char *code,
		uint32_t subject, uint32_t blocker, const char *text)
{
	struct ward_finding *finding =
		ward_finding_add(j, code, WARD_BLOCKS, subject, blocker, "%s", text);

	for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++) {
		if (strcmp(remedies[i].code, code) == 0)
			ward_finding_remedy(j, finding, remedies[i].kind, subject,
					    remedies[i].remedy, NULL);
	}
	return ward_verdict_publish(j, verdict);
}

int ward_refusal_create(const struct ward_isolation *isolation, enum ward_policy policy,
			const char *code, uint32_t subject, uint32_t blocker, const char *text,
			struct ward_verdict **ret_verdict)
{
	const struct ward_question question = {
		.size = sizeof(question),
		.functions = &subject,
		.functions_count = 1,
		.client = WARD_NONE,
		.policy = policy,
	};
	struct ward_judgement j = {
		.isolation = isolation,
		.machine = isolation->machine,
		.question = &question,
		.claimed = &subject,
		.claimed_count = 1,
		.grade = WARD_GRADE_NONE,
	};

	return ward_verdict_make(&j, code, blocker, text, ret_verdict);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A story that fails, made as short as it goes: fewer events, a smaller machine, a plainer beginning. */
#include "story.h"

#include <stdio.h>
#include <string.h>

#include "exact/touch.h"

struct shrinking {
	struct story *story;
	const char *rule, *what;
	bool progress;
};

static const char *fails(const struct story *story, const char *rule)
{
	struct counts counts = { 0 };
	struct story copy = *story;
	struct failure failure;

	return story_tell(&copy, NULL, rule, false, &counts, &failure) ? NULL : failure.what;
}

/* Takes the shorter one when it fails as well. */
static void offer(struct shrinking *s, const struct story *shorter)
{
	const char *what = fails(shorter, s->rule);

	if (!what || strcmp(what, s->what) != 0)
		return;
	*s->story = *shorter;
	s->progress = true;
}

static void shrink_steps(struct shrinking *s)
{
	for (uint32_t i = s->story->steps_count; i-- > 0;) {
		struct story shorter = *s->story;

		memmove(&shorter.steps[i], &shorter.steps[i + 1],
			(shorter.steps_count - i - 1) * sizeof(shorter.steps[0]));
		shorter.steps_count--;
		offer(s, &shorter);
	}
}

/* Each event names fewer, and waits for its containments. */
static void shrink_step(struct shrinking *s, uint32_t at)
{
	struct story shorter;

	for (uint32_t i = 0; i < PLAN_FUNCTIONS; i++) {
		shorter = *s->story;
		if (!(shorter.steps[at].functions >> i & 1))
			continue;
		shorter.steps[at].functions &= ~(1u << i);
		offer(s, &shorter);
	}
	shorter = *s->story;
	if (shorter.steps[at].settle != STORY_SETTLE) {
		shorter.steps[at].settle = STORY_SETTLE;
		offer(s, &shorter);
	}
}

static void shrink_function(struct shrinking *s, uint32_t function)
{
	struct story shorter = *s->story;

	if (!shorter.plan.functions[function].present)
		return;
	plan_drop(&shorter.plan, function);
	plan_tell_apart(&shorter.plan);
	offer(s, &shorter);
	shorter = *s->story;
	if (shorter.driver[function] != STORY_NONE) {
		shorter.driver[function] = STORY_NONE;
		offer(s, &shorter);
	}
	shorter = *s->story;
	if (shorter.absent >> function & 1) {
		shorter.absent &= ~(1u << function);
		offer(s, &shorter);
	}
	shorter = *s->story;
	if (shorter.plan.functions[function].hide) {
		shorter.plan.functions[function].hide = 0;
		offer(s, &shorter);
	}
}

void story_shrink(struct story *story, const char *rule)
{
	struct shrinking s = { .story = story, .rule = rule, .what = fails(story, rule) };

	if (!s.what)
		return;
	do {
		s.progress = false;
		shrink_steps(&s);
		for (uint32_t i = 0; i < story->steps_count; i++)
			shrink_step(&s, i);
		for (uint32_t i = 0; i < story->plan.functions_count; i++)
			shrink_function(&s, i);
	} while (s.progress);
}

static void print_functions(const struct story *story, uint32_t functions)
{
	for (uint32_t i = 0; i < story->plan.functions_count; i++)
		if (functions >> i & 1)
			printf(" %u", (unsigned int)i);
}

void story_print(const struct story *story)
{
	static const char *const drivers[] = { "no driver", "host-driver", "vfio-pci" };

	plan_print(&story->plan);
	printf("# in the beginning:\n");
	for (uint32_t i = 0; i < story->plan.functions_count; i++)
		if (story->plan.functions[i].present)
			printf("#   %u: %s%s\n", (unsigned int)i, drivers[story->driver[i]],
			       story->absent >> i & 1 ? ", absent" : "");
	printf("# then (functions by the numbers above):\n");
	for (uint32_t i = 0; i < story->steps_count; i++) {
		const struct step *step = &story->steps[i];

		printf("#   %s%s of", ward_event_name(step->kind), step->fact ? " (a fact)" : "");
		print_functions(story, step->functions);
		printf("; client %u, container %u, controller %u, %s", (unsigned int)step->client,
		       (unsigned int)step->container, (unsigned int)step->controller,
		       drivers[step->driver]);
		if (step->settle != STORY_SETTLE)
			printf("; %u containments", (unsigned int)step->settle);
		printf("\n");
	}
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * On machines made by chance, whatever happens: in a settled state nobody who is a client's touches on
 * the machine in software what is not its own; refusals have a reason and change nothing; containments
 * come to an end.
 *
 *	property [--count N] [--seed S] [--failures N] [--break RULE] [--brief]
 *
 * Prints TAP. Ends with 1 when something was wrong; with --break, when nothing was.
 */
#include "story.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct options {
	uint64_t count, seed, failures;
	const char *rule;
	bool brief;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int parse(int argc, char **argv, struct options *ret_options)
{
	*ret_options = (struct options){ .count = 1000, .seed = 1, .failures = 1 };
	for (int i = 1; i < argc; i++) {
		uint64_t value = i + 1 < argc ? strtoull(argv[i + 1], NULL, 0) : 0;

		if (strcmp(argv[i], "--brief") == 0) {
			ret_options->brief = true;
			continue;
		}
		if (i + 1 == argc)
			return -EINVAL;
		if (strcmp(argv[i], "--count") == 0)
			ret_options->count = value;
		else if (strcmp(argv[i], "--seed") == 0)
			ret_options->seed = value;
		else if (strcmp(argv[i], "--failures") == 0)
			ret_options->failures = value;
		else if (strcmp(argv[i], "--break") == 0)
			ret_options->rule = argv[i + 1];
		else
			return -EINVAL;
		i++;
	}
	return 0;
}

static void explain(const struct options *options, struct story *story)
{
	struct counts counts = { 0 };
	struct failure failure;

	story_shrink(story, options->rule);
	story_print(story);
	printf("# told again:\n");
	story_tell(story, NULL, options->rule, true, &counts, &failure);
	if (failure.what)
		printf("# %s: %s\n", failure.what, failure.text);
}

/* One machine and what happens to it. 0, 1 when something is wrong, or an error of the test's own. */
static int check_seed(const struct options *options, uint64_t seed, struct counts *counts)
{
	struct random r = { seed * 2 + 1 };
	struct failure failure;
	struct story story;
	int err;

	story_make(&story, seed);
	err = story_tell(&story, &r, options->rule, false, counts, &failure);
	if (err) {
		printf("# seed %" PRIu64 " cannot be told: %s\n", seed, strerror(-err));
		story.steps_count = failure.step + 1;
		story_print(&story);
		return err;
	}
	if (!failure.what)
		return 0;
	printf("# seed %" PRIu64 ", event %" PRIu32 ": %s: %s\n", seed, failure.step, failure.what,
	       failure.text);
	if (failure.step + 1 < story.steps_count)
		story.steps_count = failure.step + 1;
	if (!options->brief)
		explain(options, &story);
	return 1;
}

int main(int argc, char **argv)
{
	struct counts counts = { 0 };
	struct options options;
	uint64_t failures = 0, i;
	double start = now();
	bool good;

	if (parse(argc, argv, &options)) {
		fprintf(stderr,
			"usage: %s [--count N] [--seed S] [--failures N] [--break RULE] "
			"[--brief]\n",
			argv[0]);
		return 2;
	}
	for (i = 0; i < options.count && failures < options.failures; i++) {
		int result = check_seed(&options, options.seed + i, &counts);

		if (result < 0) {
			printf("not ok 1 - settled states are safe\n1..1\n");
			return 1;
		}
		failures += (uint64_t)result;
	}
	printf("# %" PRIu64 " machines from seed %" PRIu64 " in %.1f s: %" PRIu64
	       " events, %" PRIu64 " refused, %" PRIu64 " claims, %" PRIu64 " exposures, %" PRIu64
	       " containments, %" PRIu64 " settled states, %" PRIu64 " clients tried\n",
	       i, options.seed, now() - start, counts.events, counts.refused, counts.claimed,
	       counts.exposed, counts.contained, counts.settled, counts.tried);
	good = options.rule ? failures > 0 : failures == 0;
	printf("%s 1 - %s%s\n1..1\n", good ? "ok" : "not ok",
	       options.rule ? "found without the rule " : "settled states are safe",
	       options.rule ? options.rule : "");
	return good ? 0 : 1;
}

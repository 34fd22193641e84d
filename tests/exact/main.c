// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Reach is exact: on random small machines, what hostile functions touch on the machine in software
 * is what the analysis says they reach, no less and no more.
 *
 *	exact [--count N] [--seed S] [--tables PERCENT] [--differences N] [--brief]
 *
 * Prints TAP, and machines a second. Ends with 1 when there was a difference.
 */
#include "random.h"
#include "touch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct options {
	uint64_t count, seed;
	uint32_t tables, differences;
	bool brief, one;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int parse(int argc, char **argv, struct options *ret_options)
{
	*ret_options =
		(struct options){ .count = 20000, .seed = 1, .tables = 20, .differences = 1 };
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
		else if (strcmp(argv[i], "--tables") == 0)
			ret_options->tables = (uint32_t)value;
		else if (strcmp(argv[i], "--differences") == 0)
			ret_options->differences = (uint32_t)value;
		else
			return -EINVAL;
		i++;
	}
	return 0;
}

/* By the model backend, which carries no PASIDs out, and no nested spaces without an IOMMU. */
static void take_tables(struct plan *plan)
{
	for (uint32_t i = 0; i < plan->iommus_count; i++)
		plan->tables |= plan->iommus[i].active;
	/* It knows no command line, and checks. */
	if (plan->no_check)
		plan->tables = false;
	if (!plan->tables)
		return;
	for (uint32_t i = 0; i < plan->functions_count; i++) {
		plan->functions[i].pasid = false;
		plan->functions[i].pasid_space = WARD_NONE;
	}
}

/* One machine. Returns 0, 1 with a difference, or an error. */
static int check_seed(const struct options *options, uint64_t seed)
{
	struct difference difference = { 0 };
	struct plan plan;
	int err;

	plan_make(&plan, seed);
	if (seed % 100 < options->tables)
		take_tables(&plan);
	err = exact_check(&plan, false, &difference);
	if (err) {
		printf("# seed %" PRIu64 " cannot be run: %s\n", seed, strerror(-err));
		plan_print(&plan);
		return err;
	}
	if (!difference.found)
		return 0;
	if (options->brief) {
		printf("# seed %" PRIu64 ": %s\n", seed, difference.what);
		return 1;
	}
	plan_shrink(&plan);
	exact_check(&plan, true, &difference);
	return 1;
}

int main(int argc, char **argv)
{
	struct options options;
	uint64_t differences = 0, i;
	double start = now(), seconds;

	if (parse(argc, argv, &options)) {
		fprintf(stderr,
			"usage: %s [--count N] [--seed S] [--tables PERCENT] "
			"[--differences N] [--brief]\n",
			argv[0]);
		return 2;
	}
	for (i = 0; i < options.count && differences < options.differences; i++) {
		int result = check_seed(&options, options.seed + i);

		if (result < 0) {
			printf("not ok 1 - reach is exact\n1..1\n");
			return 1;
		}
		differences += (uint64_t)result;
	}
	seconds = now() - start;
	printf("# %" PRIu64 " machines from seed %" PRIu64 ", %.0f a second\n", i, options.seed,
	       seconds > 0 ? (double)i / seconds : 0);
	printf("%s 1 - reach is exact\n1..1\n", differences ? "not ok" : "ok");
	return differences ? 1 : 0;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * How time and memory grow with the machine: synthetic machines from a thousand functions on, each
 * step of judging them measured, beside a yardstick of the same size in the same run.
 *
 *	bench-scale [--variant NAME]... [--size N]... [--repeat N]
 *
 * One JSON document. Times are in seconds, the best of some runs; memory is in bytes.
 */
#include <doorward/verdict.h>

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "synthetic.h"

#define SIZES_MAX 16
#define SAMPLE 64
/* Of one phase over a sample, and of the repetitions of one machine. */
#define SAMPLE_SECONDS 0.5
#define REPEAT_SECONDS 1.5

enum phase {
	PHASE_BUILD,
	PHASE_STATE,
	PHASE_GROUPS,
	PHASE_ISOLATION,
	PHASE_CHECK_ALL,
	PHASE_CHECK_PARTITION, /* the largest partition, handed over whole */
	PHASE_CHECK_HALF,      /* every second function of it */
	PHASES,
};

static const char *const phase_names[PHASES] = {
	[PHASE_BUILD] = "build",	   [PHASE_STATE] = "state",
	[PHASE_GROUPS] = "groups",	   [PHASE_ISOLATION] = "isolation",
	[PHASE_CHECK_ALL] = "check_all",   [PHASE_CHECK_PARTITION] = "check_partition",
	[PHASE_CHECK_HALF] = "check_half",
};

/* One call for one function at a time, over a sample. */
struct sample {
	unsigned int count;
	double median, worst;
	uint32_t worst_function;
	size_t peak;
};

struct run {
	const struct variant *variant;
	uint32_t size;
	uint32_t functions, buses, groups, partitions, largest_partition;
	uint32_t answers[3];
	struct cost phases[PHASES];
	struct sample check, reach;
	struct cost yard_sort, yard_tree;
	unsigned int repeats;
};

/* What a phase leaves behind for the next. */
struct made {
	struct ward_machine *machine;
	struct ward_state *state;
	struct ward_isolation *isolation;
};

static void unmake(struct made *made)
{
	ward_isolation_destroy(made->isolation);
	ward_state_destroy(made->state);
	ward_machine_destroy(made->machine);
	*made = (struct made){ 0 };
}

static int count_partitions(struct run *run, const struct made *made, uint32_t **ret_members)
{
	uint32_t count = run->functions, best = 0, taken = 0;
	uint32_t *sizes = calloc(count, sizeof(*sizes));
	uint32_t *members = calloc(count, sizeof(*members));

	if (!sizes || !members) {
		free(sizes);
		free(members);
		return -1;
	}
	run->partitions = 0;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t partition = ward_partition_of(made->isolation, i);

		run->partitions += partition == i;
		if (++sizes[partition] > sizes[best])
			best = partition;
	}
	run->largest_partition = sizes[best];
	for (uint32_t i = 0; i < count; i++) {
		if (ward_partition_of(made->isolation, i) == best)
			members[taken++] = i;
	}
	free(sizes);
	*ret_members = members;
	return 0;
}

static int check(const struct made *made, const uint32_t *functions, uint32_t count)
{
	struct ward_question question = {
		.size = sizeof(question),
		.functions = functions,
		.functions_count = count,
		.client = WARD_NONE,
		.policy = WARD_POLICY_STRICT,
	};
	struct ward_verdict *verdict;
	int err = ward_check(made->isolation, made->state, &question, &verdict);

	if (!err)
		ward_verdict_destroy(verdict);
	return err;
}

static int reach(const struct made *made, const uint32_t *functions, uint32_t count)
{
	struct ward_reach *reached;
	int err = ward_reach_compute(made->isolation, functions, count, &reached);

	if (!err)
		ward_reach_destroy(reached);
	return err;
}

static int do_groups(struct run *run, const struct made *made)
{
	struct ward_membership *members;
	int err = ward_groups_predict(made->machine, WARD_GROUP_RULE_LINUX, &members, &run->groups);

	if (!err)
		free(members);
	return err;
}

static int do_check_all(struct run *run, const struct made *made)
{
	struct ward_summary *summaries;
	int err = ward_check_all(made->isolation, made->state, WARD_POLICY_STRICT, &summaries);

	if (err)
		return err;
	memset(run->answers, 0, sizeof(run->answers));
	for (uint32_t i = 0; i < made->machine->functions_count; i++)
		run->answers[summaries[i].answer]++;
	free(summaries);
	return 0;
}

/* Every step-th function of the largest partition to one client. */
static int do_check_partition(struct run *run, const struct made *made, uint32_t step,
			      struct cost *cost)
{
	uint32_t *members, taken = 0;
	int err = count_partitions(run, made, &members);

	if (err)
		return err;
	for (uint32_t i = 0; i < run->largest_partition; i += step)
		members[taken++] = members[i];
	cost_begin(cost);
	err = check(made, members, taken);
	cost_end(cost);
	free(members);
	return err;
}

static int do_phase(struct run *run, enum phase phase, struct made *made)
{
	struct cost cost;
	int err = -1;

	cost_begin(&cost);
	switch (phase) {
	case PHASE_BUILD:
		err = synthetic_machine(run->variant, run->size, &made->machine);
		break;
	case PHASE_STATE:
		err = synthetic_state(made->machine, &made->state);
		break;
	case PHASE_GROUPS:
		run->functions = made->machine->functions_count;
		run->buses = made->machine->buses_count;
		err = do_groups(run, made);
		break;
	case PHASE_ISOLATION:
		err = ward_isolation_create(made->machine, made->state, &made->isolation);
		break;
	case PHASE_CHECK_ALL:
		err = do_check_all(run, made);
		break;
	case PHASE_CHECK_PARTITION:
	case PHASE_CHECK_HALF:
		err = do_check_partition(run, made, phase == PHASE_CHECK_HALF ? 2 : 1, &cost);
		break;
	case PHASES:
		break;
	}
	if (phase < PHASE_CHECK_PARTITION)
		cost_end(&cost);
	cost_keep_best(&run->phases[phase], &cost);
	if (err)
		fprintf(stderr, "bench-scale: %s of %u functions: error %d\n", phase_names[phase],
			(unsigned int)run->size, err);
	return err;
}

static int compare_times(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

typedef int one_call(const struct made *made, const uint32_t *functions, uint32_t count);

/* Functions at equal distances over the whole machine, each measured twice. */
static int take_sample(const struct made *made, one_call *call, struct sample *ret_sample)
{
	uint32_t count = made->machine->functions_count;
	uint32_t wanted = count < SAMPLE ? count : SAMPLE;
	double times[SAMPLE], begun = seconds_now();
	struct sample sample = { 0 };

	for (uint32_t i = 0; i < wanted; i++) {
		uint32_t function = (uint32_t)((uint64_t)i * count / wanted);
		struct cost best = { 0 }, cost;

		for (unsigned int again = 0; again < 2; again++) {
			cost_begin(&cost);
			if (call(made, &function, 1))
				return -1;
			cost_end(&cost);
			cost_keep_best(&best, &cost);
		}
		if (best.wall > sample.worst) {
			sample.worst = best.wall;
			sample.worst_function = function;
		}
		if (best.peak > sample.peak)
			sample.peak = best.peak;
		times[sample.count++] = best.wall;
		if (seconds_now() - begun > SAMPLE_SECONDS)
			break;
	}
	qsort(times, sample.count, sizeof(*times), compare_times);
	sample.median = sample.count ? times[sample.count / 2] : 0;
	*ret_sample = sample;
	return 0;
}

static int measure(struct run *run, unsigned int repeats_max)
{
	double begun = seconds_now();
	struct made made = { 0 };
	struct cost sort, tree;
	int err = 0;

	for (run->repeats = 0; run->repeats < repeats_max && !err; run->repeats++) {
		if (run->repeats && seconds_now() - begun > REPEAT_SECONDS)
			break;
		err = yardstick(run->size, &sort, &tree);
		if (err)
			break;
		cost_keep_best(&run->yard_sort, &sort);
		cost_keep_best(&run->yard_tree, &tree);
		unmake(&made);
		for (unsigned int phase = 0; phase < PHASES && !err; phase++)
			err = do_phase(run, (enum phase)phase, &made);
	}
	if (!err)
		err = take_sample(&made, check, &run->check);
	if (!err)
		err = take_sample(&made, reach, &run->reach);
	unmake(&made);
	return err;
}

static struct cost total_of(const struct run *run)
{
	struct cost total = { 0 };

	/* What `list` needs: everything but hand-overs. */
	for (unsigned int phase = 0; phase < PHASE_CHECK_PARTITION; phase++) {
		const struct cost *cost = &run->phases[phase];

		total.cpu += cost->cpu;
		total.wall += cost->wall;
		if (total.kept + cost->peak > total.peak)
			total.peak = total.kept + cost->peak;
		total.kept += cost->kept;
	}
	return total;
}

static void print_cost(const char *name, const struct cost *cost, const char *end)
{
	printf("        \"%s\": {\"cpu\": %.6f, \"wall\": %.6f, \"peak_bytes\": %zu, "
	       "\"kept_bytes\": %zu}%s\n",
	       name, cost->cpu, cost->wall, cost->peak, cost->kept, end);
}

static void print_sample(const char *name, const struct sample *sample, const char *end)
{
	printf("      \"%s\": {\"sample\": %u, \"median\": %.7f, \"worst\": %.7f, "
	       "\"worst_function\": %u, \"peak_bytes\": %zu}%s\n",
	       name, sample->count, sample->median, sample->worst,
	       (unsigned int)sample->worst_function, sample->peak, end);
}

/* How much more it cost than a size before, and how much more n log n says. */
static void print_growth(const struct run *before, const struct run *run)
{
	double n = before->functions, m = run->functions;

	printf("      \"growth\": {\"from_functions\": %u, \"n_log_n\": %.2f",
	       (unsigned int)before->functions, m * log2(m) / (n * log2(n)));
	for (unsigned int phase = 0; phase < PHASES; phase++)
		printf(", \"%s\": %.2f", phase_names[phase],
		       run->phases[phase].cpu / before->phases[phase].cpu);
	printf(", \"total\": %.2f},\n", total_of(run).cpu / total_of(before).cpu);
}

static void print_run(const struct run *run, const struct run *before, bool first)
{
	struct cost total = total_of(run);

	printf("%s    {\n", first ? "" : ",\n");
	printf("      \"variant\": \"%s\", \"meaning\": \"%s\",\n", run->variant->name,
	       run->variant->meaning);
	printf("      \"functions\": %u, \"buses\": %u, \"groups\": %u, \"partitions\": %u, "
	       "\"largest_partition\": %u,\n",
	       (unsigned int)run->functions, (unsigned int)run->buses, (unsigned int)run->groups,
	       (unsigned int)run->partitions, (unsigned int)run->largest_partition);
	printf("      \"safe\": %u, \"unsafe\": %u, \"cannot_tell\": %u, \"repeats\": %u,\n",
	       (unsigned int)run->answers[WARD_SAFE], (unsigned int)run->answers[WARD_UNSAFE],
	       (unsigned int)run->answers[WARD_CANNOT_TELL], run->repeats);
	printf("      \"phases\": {\n");
	for (unsigned int phase = 0; phase < PHASES; phase++)
		print_cost(phase_names[phase], &run->phases[phase], ",");
	print_cost("total", &total, "");
	printf("      },\n");
	print_sample("check_one", &run->check, ",");
	print_sample("reach_one", &run->reach, ",");
	if (before)
		print_growth(before, run);
	printf("      \"yardstick\": {\"qsort_cpu\": %.6f, \"tsearch_cpu\": %.6f, "
	       "\"total_in_qsorts\": %.2f, \"total_in_tsearches\": %.2f}\n    }",
	       run->yard_sort.cpu, run->yard_tree.cpu, total.cpu / run->yard_sort.cpu,
	       total.cpu / run->yard_tree.cpu);
	fflush(stdout);
}

struct choice {
	const char *names[SIZES_MAX];
	unsigned int names_count;
	uint32_t sizes[SIZES_MAX];
	unsigned int sizes_count;
	unsigned int repeats;
};

static bool is_chosen(const struct choice *choice, const struct variant *variant)
{
	for (unsigned int i = 0; i < choice->names_count; i++) {
		if (strcmp(choice->names[i], variant->name) == 0)
			return true;
	}
	return choice->names_count == 0;
}

static bool is_variant(const char *name)
{
	for (const struct variant *v = variants; v->name; v++) {
		if (strcmp(v->name, name) == 0)
			return true;
	}
	return false;
}

static bool parse_number(const char *text, unsigned long most, unsigned long *ret_number)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (end == text || *end || number == 0 || number > most)
		return false;
	*ret_number = number;
	return true;
}

static bool parse(int argc, char **argv, struct choice *choice)
{
	static const struct option options[] = {
		{ "variant", required_argument, NULL, 'v' },
		{ "size", required_argument, NULL, 's' },
		{ "repeat", required_argument, NULL, 'r' },
		{ 0 },
	};
	unsigned long number;
	int option;

	while ((option = getopt_long(argc, argv, "v:s:r:", options, NULL)) >= 0) {
		if (option == 'v' && is_variant(optarg) && choice->names_count < SIZES_MAX) {
			choice->names[choice->names_count++] = optarg;
		} else if (option == 's' && choice->sizes_count < SIZES_MAX &&
			   parse_number(optarg, 1ul << 19, &number)) {
			choice->sizes[choice->sizes_count++] = (uint32_t)number;
		} else if (option == 'r' && parse_number(optarg, 1000, &number)) {
			choice->repeats = (unsigned int)number;
		} else {
			return false;
		}
	}
	return optind == argc;
}

static int measure_variant(const struct choice *choice, const struct variant *variant, bool *first)
{
	struct run runs[2] = { 0 };

	for (unsigned int i = 0; i < choice->sizes_count; i++) {
		struct run *run = &runs[i % 2];

		*run = (struct run){ .variant = variant, .size = choice->sizes[i] };
		if (measure(run, choice->repeats)) {
			fprintf(stderr, "bench-scale: %s, %u functions: failed\n", variant->name,
				(unsigned int)run->size);
			return -1;
		}
		print_run(run, i ? &runs[(i + 1) % 2] : NULL, *first);
		*first = false;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct choice choice = { .repeats = 5 };
	bool first = true;
	int err = 0;

	if (!parse(argc, argv, &choice)) {
		fprintf(stderr, "usage: bench-scale [--variant NAME]... [--size N]... "
				"[--repeat N]\nvariants:\n");
		for (const struct variant *v = variants; v->name; v++)
			fprintf(stderr, "  %-13s %s\n", v->name, v->meaning);
		return 2;
	}
	if (!choice.sizes_count) {
		choice.sizes_count = 3;
		choice.sizes[0] = 1000;
		choice.sizes[1] = 8000;
		choice.sizes[2] = 64000;
	}
	printf("{\n  \"bench\": \"scale\",\n  \"runs\": [\n");
	for (const struct variant *v = variants; v->name && !err; v++) {
		if (is_chosen(&choice, v))
			err = measure_variant(&choice, v, &first);
	}
	printf("\n  ]\n}\n");
	return err ? 1 : 0;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * How long a claim takes to decide, in machines of three sizes in which nobody, some and many hold
 * functions already: synthetic machines of several shapes, beside a bare verdict about the same claim
 * and a whole isolation of the same machine in the same run.
 *
 *	bench-claim [--variant NAME]... [--size N]... [--held N]...
 *
 * One JSON document. Times are in microseconds, of wall clock; each sample is the best of three, so
 * that median and 99th percentile are over functions, not over what else the computer did.
 */
#include <doorward/own.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "synthetic.h"

#define CHOICES_MAX 16
#define SAMPLES 256
#define AGAIN 3
/* Of all samples of one case, and the least number of them all the same. */
#define SAMPLE_SECONDS 0.5
#define SAMPLES_MIN 8

enum what {
	WHAT_TRY,     /* ward_ownership_try of a claim */
	WHAT_CLAIM,   /* ward_ownership_apply of it */
	WHAT_RELEASE, /* and of its release */
	WHAT_CHECK,   /* the yardstick: ward_check of the same claim */
	WHATS,
};

static const char *const what_names[WHATS] = { "try", "claim", "release", "check" };

struct bench_case {
	const struct variant *variant;
	uint32_t size, held_wanted;
	uint32_t functions, held, clients, partitions;
	uint32_t decisions[WARD_UNSETTLED + 1];
	uint32_t samples;
	double times[WHATS][SAMPLES];
	char code[32];	  /* of a refusal, if there was one */
	double isolation; /* seconds for the whole machine */
	size_t bytes;	  /* of the ownership */
};

struct world {
	struct ward_machine *machine;
	struct ward_state *state;
	struct ward_isolation *isolation;
	struct ward_ownership *ownership;
};

static void unmake(struct world *world)
{
	ward_ownership_destroy(world->ownership);
	ward_isolation_destroy(world->isolation);
	ward_state_destroy(world->state);
	ward_machine_destroy(world->machine);
}

static bool is_host(const struct variant *variant, const struct ward_function *f)
{
	if (variant->controller == WARD_CONTROLLER_GICV2M)
		return false;
	if (f->header_type != 0)
		return true;
	return variant->root_acs && variant->switch_acs && f->vfs_total;
}

/* Ports are the host's where that disturbs nobody, and PFs where there is ACS. */
static int bind_drivers(const struct variant *variant, struct ward_state *state)
{
	int err = 0;

	for (uint32_t i = 0; i < state->machine->functions_count && !err; i++) {
		const struct ward_function *f = &state->machine->functions[i];

		if (is_host(variant, f))
			err = ward_state_bind(state, i, f->header_type ? "pcieport" : "ice");
	}
	return err;
}

/* What can be claimed: a card's function that is nobody's. No PF with VFs, which VFIO would refuse. */
static bool is_free(const struct ward_state *state, uint32_t function)
{
	const struct ward_machine *machine = state->machine;
	const struct ward_function *f = &machine->functions[function];

	return f->header_type == 0 && !f->vfs_enabled &&
	       machine->buses[f->bus].bridge != WARD_NONE &&
	       state->functions[function].owner.kind == WARD_OWNER_NOBODY;
}

/* The client of somebody in the function's partition, or a new one. */
static int client_of(struct world *world, uint32_t *clients, uint32_t function,
		     uint32_t *ret_client)
{
	uint32_t partition = ward_partition_of(world->isolation, function);
	char name[32];
	int err = 0;

	if (clients[partition] == WARD_NONE) {
		snprintf(name, sizeof(name), "guest%u", (unsigned int)world->state->clients_count);
		err = ward_state_client(world->state, name, &clients[partition]);
	}
	*ret_client = clients[partition];
	return err;
}

/* Functions at equal distances are held, those of one partition by one client. */
static int hold(struct bench_case *c, struct world *world)
{
	uint32_t count = c->functions, client;
	uint32_t *clients = malloc(count * sizeof(*clients));
	int err = clients ? 0 : -1;

	if (err)
		return err;
	memset(clients, 0xff, count * sizeof(*clients));
	for (uint32_t i = 0; i < c->held_wanted && !err; i++) {
		uint32_t function = (uint32_t)((uint64_t)i * count / c->held_wanted);

		while (function < count && !is_free(world->state, function))
			function++;
		if (function == count)
			break;
		err = client_of(world, clients, function, &client);
		world->state->functions[function].owner =
			(struct ward_owner){ WARD_OWNER_CLIENT, client };
		c->held++;
	}
	c->clients = world->state->clients_count;
	free(clients);
	return err;
}

static int make(struct bench_case *c, struct world *world)
{
	struct cost cost;
	int err = synthetic_machine(c->variant, c->size, &world->machine);

	if (!err)
		err = ward_state_create(world->machine, &world->state);
	if (!err)
		err = bind_drivers(c->variant, world->state);
	if (err)
		return err;
	c->functions = world->machine->functions_count;
	cost_begin(&cost);
	err = ward_isolation_create(world->machine, world->state, &world->isolation);
	cost_end(&cost);
	c->isolation = cost.wall;
	for (uint32_t i = 0; i < c->functions && !err; i++)
		c->partitions += ward_partition_of(world->isolation, i) == i;
	if (!err)
		err = hold(c, world);
	if (err)
		return err;
	/* As it is judged with: who has what has changed since. */
	ward_isolation_destroy(world->isolation);
	world->isolation = NULL;
	err = ward_isolation_create(world->machine, world->state, &world->isolation);
	if (err)
		return err;
	cost_begin(&cost);
	err = ward_ownership_create(world->machine, world->state, NULL, &world->ownership);
	cost_end(&cost);
	c->bytes = cost.kept;
	return err;
}

/* Who claims a function: the client that has something in its partition, or the newcomer. */
static uint32_t claimant(const struct world *world, uint32_t function, uint32_t newcomer)
{
	struct ward_verdict *verdict;
	struct ward_question question = { .size = sizeof(question),
					  .functions = &function,
					  .functions_count = 1,
					  .client = WARD_NONE };
	uint32_t client = newcomer;

	if (ward_check(world->isolation, world->state, &question, &verdict))
		return newcomer;
	for (uint32_t i = 0; i < verdict->members_count; i++) {
		const struct ward_owner *owner =
			&world->state->functions[verdict->members[i]].owner;

		if (owner->kind == WARD_OWNER_CLIENT)
			client = owner->client;
	}
	ward_verdict_destroy(verdict);
	return client;
}

static int decide(struct bench_case *c, struct world *world, enum what what,
		  const struct ward_event *event, enum ward_decision *ret_decision)
{
	struct ward_outcome outcome = { 0 };
	double begun = seconds_now();
	int err;

	if (what == WHAT_TRY)
		err = ward_ownership_try(world->ownership, event, &outcome, NULL);
	else
		err = ward_ownership_apply(world->ownership, event, &outcome, NULL);
	begun = seconds_now() - begun;
	if (begun < c->times[what][c->samples])
		c->times[what][c->samples] = begun;
	if (!err)
		*ret_decision = outcome.decision;
	if (!err && outcome.decision == WARD_REFUSED && outcome.verdict)
		snprintf(c->code, sizeof(c->code), "%s", outcome.verdict->findings[0].code);
	ward_outcome_finish(&outcome);
	return err;
}

static int check(struct bench_case *c, const struct world *world, const struct ward_event *event)
{
	struct ward_question question = { .size = sizeof(question),
					  .functions = event->functions,
					  .functions_count = event->functions_count,
					  .client = event->client };
	struct ward_verdict *verdict;
	double begun = seconds_now();
	int err = ward_check(world->isolation, world->state, &question, &verdict);

	if (err)
		return err;
	ward_verdict_destroy(verdict);
	begun = seconds_now() - begun;
	if (begun < c->times[WHAT_CHECK][c->samples])
		c->times[WHAT_CHECK][c->samples] = begun;
	return 0;
}

/* One function claimed and released, some times. */
static int sample(struct bench_case *c, struct world *world, uint32_t function, uint32_t client)
{
	struct ward_event claim = {
		.size = sizeof(claim),
		.kind = WARD_EVENT_CLAIM,
		.functions = &function,
		.functions_count = 1,
		.client = client,
	};
	struct ward_event release = claim;
	enum ward_decision decision = WARD_REFUSED, ignored;
	int err = 0;

	release.kind = WARD_EVENT_RELEASE;
	for (unsigned int what = 0; what < WHATS; what++)
		c->times[what][c->samples] = 1e9;
	for (unsigned int again = 0; again < AGAIN && !err; again++) {
		err = check(c, world, &claim);
		if (!err)
			err = decide(c, world, WHAT_TRY, &claim, &ignored);
		if (!err)
			err = decide(c, world, WHAT_CLAIM, &claim, &decision);
		if (!err && decision != WARD_REFUSED)
			err = decide(c, world, WHAT_RELEASE, &release, &ignored);
	}
	c->decisions[decision]++;
	c->samples++;
	return err;
}

static int measure(struct bench_case *c)
{
	struct world world = { 0 };
	uint32_t newcomer;
	double begun;
	int err = make(c, &world);

	if (!err)
		err = ward_ownership_client(world.ownership, "newcomer", &newcomer);
	/* The bare verdict has to know the claimant, too. */
	if (!err)
		err = ward_state_client(world.state, "newcomer", &newcomer);
	begun = seconds_now();
	for (uint32_t i = 0; i < SAMPLES && !err; i++) {
		uint32_t function =
			(uint32_t)(((uint64_t)i * 2 + 1) * c->functions / (2 * SAMPLES));

		/* Small machines have fewer functions than there are samples. */
		while (function < c->functions && !is_free(world.state, function))
			function++;
		if (function < c->functions)
			err = sample(c, &world, function, claimant(&world, function, newcomer));
		if (c->samples >= SAMPLES_MIN && seconds_now() - begun > SAMPLE_SECONDS)
			break;
	}
	unmake(&world);
	return err;
}

static int compare_times(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Releases of claims that were refused are not there: they stand at the end. */
static void print_times(struct bench_case *c, enum what what, const char *end)
{
	double *times = c->times[what];
	uint32_t count = c->samples;

	qsort(times, count, sizeof(*times), compare_times);
	while (count && times[count - 1] > 1e8)
		count--;
	if (!count)
		printf("      \"%s\": null%s\n", what_names[what], end);
	else
		printf("      \"%s\": {\"median\": %.2f, \"p99\": %.2f, \"worst\": %.2f}%s\n",
		       what_names[what], times[count / 2] * 1e6, times[count * 99 / 100] * 1e6,
		       times[count - 1] * 1e6, end);
}

static void print_case(struct bench_case *c, bool first)
{
	printf("%s    {\n", first ? "" : ",\n");
	printf("      \"variant\": \"%s\", \"functions\": %u, \"partitions\": %u,\n",
	       c->variant->name, (unsigned int)c->functions, (unsigned int)c->partitions);
	printf("      \"held\": %u, \"clients\": %u, \"bytes\": %zu,\n", (unsigned int)c->held,
	       (unsigned int)c->clients, c->bytes);
	printf("      \"samples\": %u, \"allowed\": %u, \"refused\": %u, \"code\": \"%s\",\n",
	       (unsigned int)c->samples, (unsigned int)c->decisions[WARD_ALLOWED],
	       (unsigned int)c->decisions[WARD_REFUSED], c->code);
	for (unsigned int what = 0; what < WHATS; what++)
		print_times(c, (enum what)what, ",");
	printf("      \"isolation\": %.0f\n    }", c->isolation * 1e6);
	fflush(stdout);
}

struct choice {
	bool variants[CHOICES_MAX];
	uint32_t sizes[CHOICES_MAX], held[CHOICES_MAX];
	unsigned int variants_count, sizes_count, held_count;
};

static bool choose_variant(struct choice *choice, const char *name)
{
	for (unsigned int i = 0; variants[i].name && i < CHOICES_MAX; i++) {
		if (strcmp(variants[i].name, name) == 0) {
			choice->variants[i] = true;
			choice->variants_count++;
			return true;
		}
	}
	return false;
}

static bool add_number(const char *text, uint32_t *numbers, unsigned int *count)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (end == text || *end || number > 1ul << 19 || *count == CHOICES_MAX)
		return false;
	numbers[(*count)++] = (uint32_t)number;
	return true;
}

static bool parse(int argc, char **argv, struct choice *choice)
{
	static const struct option options[] = {
		{ "variant", required_argument, NULL, 'v' },
		{ "size", required_argument, NULL, 's' },
		{ "held", required_argument, NULL, 'h' },
		{ 0 },
	};
	bool good = true;
	int option;

	while (good && (option = getopt_long(argc, argv, "v:s:h:", options, NULL)) >= 0) {
		if (option == 'v')
			good = choose_variant(choice, optarg);
		else if (option == 's')
			good = add_number(optarg, choice->sizes, &choice->sizes_count);
		else if (option == 'h')
			good = add_number(optarg, choice->held, &choice->held_count);
		else
			good = false;
	}
	return good && optind == argc;
}

static int run(const struct choice *choice, const struct variant *variant, bool *first)
{
	static struct bench_case c;

	for (unsigned int i = 0; i < choice->sizes_count; i++) {
		for (unsigned int k = 0; k < choice->held_count; k++) {
			uint32_t most = choice->sizes[i] / 4;
			int err;

			c = (struct bench_case){ .variant = variant, .size = choice->sizes[i] };
			c.held_wanted = choice->held[k] < most ? choice->held[k] : most;
			err = measure(&c);
			if (err) {
				fprintf(stderr, "bench-claim: %s, %u functions: error %d\n",
					variant->name, (unsigned int)choice->sizes[i], err);
				return err;
			}
			print_case(&c, *first);
			*first = false;
			/* What is held of a small machine is the same from there on. */
			if (choice->held[k] >= most)
				break;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct choice usual = { .sizes = { 64, 4000, 64000 },
					     .sizes_count = 3,
					     .held = { 0, 100, 4000 },
					     .held_count = 3 };
	struct choice choice = { 0 };
	bool first = true;
	int err = 0;

	if (!parse(argc, argv, &choice)) {
		fprintf(stderr, "usage: bench-claim [--variant NAME]... [--size N]... "
				"[--held N]...\nvariants:\n");
		for (const struct variant *v = variants; v->name; v++)
			fprintf(stderr, "  %-13s %s\n", v->name, v->meaning);
		return 2;
	}
	if (!choice.sizes_count) {
		memcpy(choice.sizes, usual.sizes, sizeof(usual.sizes));
		choice.sizes_count = usual.sizes_count;
	}
	if (!choice.held_count) {
		memcpy(choice.held, usual.held, sizeof(usual.held));
		choice.held_count = usual.held_count;
	}
	printf("{\n  \"bench\": \"claim\",\n  \"unit\": \"us\",\n  \"runs\": [\n");
	for (unsigned int i = 0; variants[i].name && !err; i++) {
		if (!choice.variants_count || choice.variants[i])
			err = run(&choice, &variants[i], &first);
	}
	printf("\n  ]\n}\n");
	return err ? 1 : 0;
}

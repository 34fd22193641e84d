// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Requests of a virtio-iommu driver: ours beside QEMU's device in the same run.
 *
 *	bench-virtio_iommu [MAPPINGS]...
 *
 * One JSON document: for each number of live mappings (1000 to 1000000), nanoseconds of CPU time of one
 * request and requests per second of it. "queue" is through a split queue with indirect descriptors,
 * "direct" without; "handle" is ward_viommu_handle without a queue, "space" the mappings alone.
 */
#include <stdio.h>
#include <stdlib.h>

#include "virtio_iommu.h"

#define CHANGES 25600u /* of each kind, RUNS times */
#define ATTACHES 10240u
#define RUNS 3u
#define ROUNDS 3u
#define KICKS 200u

enum way {
	WAY_QUEUE,
	WAY_DIRECT,
	WAY_HANDLE,
	WAY_SPACE,
	WAY_QEMU,
	WAY_QEMU_DIRECT,
	WAYS,
};

static const char *const way_names[WAYS] = {
	[WAY_QUEUE] = "queue", [WAY_DIRECT] = "direct",	  [WAY_HANDLE] = "handle",
	[WAY_SPACE] = "space", [WAY_QEMU] = "qemu_queue", [WAY_QEMU_DIRECT] = "qemu_direct",
};

static void die(const char *what)
{
	fprintf(stderr, "bench-virtio_iommu: %s\n", what);
	exit(1);
}

static int take_ring(void *context, const struct request *requests, uint32_t count, double *seconds)
{
	struct ring *ring = context;
	double before = ring->seconds;

	if (ring_send(ring, requests, count))
		return -1;
	*seconds += ring->seconds - before;
	return 0;
}

/* One endpoint stays in each of two domains; the third goes to and fro. */
static int attach(const struct taker *taker, const uint32_t *endpoints)
{
	const struct request stay[] = {
		{ .kind = REQUEST_ATTACH, .domain = 1, .endpoint = endpoints[0] },
		{ .kind = REQUEST_ATTACH, .domain = 2, .endpoint = endpoints[1] },
	};
	double seconds = 0;

	return taker->take(taker->context, stay, 2, &seconds);
}

static int measure_attach(const struct taker *taker, const uint32_t *endpoints, uint32_t count,
			  struct figures *ret_figures)
{
	uint32_t done = 0, some = count < taker->room ? count : taker->room;
	struct request move[ENTRIES];
	double total = 0;

	for (; done < count; done += some) {
		for (uint32_t i = 0; i < some; i++)
			move[i] = (struct request){ .kind = REQUEST_ATTACH,
						    .domain = 2 - i % 2,
						    .endpoint = endpoints[2] };
		if (taker->take(taker->context, move, some, &total))
			return -1;
	}
	ret_figures->attach = total * 1e9 / done;
	return 0;
}

static void keep_best(double *best, double now)
{
	if (*best == 0 || now < *best)
		*best = now;
}

/* The best of some runs: others use the computer, too. */
static int measure(const struct taker *taker, const uint32_t *endpoints, uint32_t mappings,
		   uint32_t attaches, struct figures *ret_figures)
{
	struct figures run = { 0 };
	struct load *load;
	int code = 0;

	if (endpoints && attach(taker, endpoints))
		return -1;
	load = load_create(taker, mappings);
	if (!load)
		return -1;
	for (uint32_t i = 0; i < RUNS && code == 0; i++) {
		code = load_change(load, taker, CHANGES, &run);
		if (!code && endpoints)
			code = measure_attach(taker, endpoints, attaches, &run);
		keep_best(&ret_figures->map, run.map);
		keep_best(&ret_figures->unmap, run.unmap);
		keep_best(&ret_figures->attach, run.attach);
	}
	load_destroy(load);
	return code;
}

static int measure_subject(struct subject *subject, bool indirect, uint32_t mappings,
			   uint32_t attaches, struct figures *ret_figures)
{
	struct ring ring;
	struct taker taker = { .context = &ring, .take = take_ring };

	ring_init(&ring, subject, indirect);
	taker.room = ring_room(&ring);
	if (ring_measure_kick(&ring, KICKS))
		return -1;
	return measure(&taker, subject->endpoints, mappings, attaches, ret_figures);
}

static void measure_ours(enum way way, uint32_t mappings, struct figures *ret_figures)
{
	struct ours *ours = ours_start(way == WAY_QUEUE);
	struct ward_space *space = NULL;
	struct taker taker;
	int code;

	if (!ours)
		die("our device cannot be made");
	if (way == WAY_SPACE) {
		taker = bare_space(ours, &space);
		code = space ? measure(&taker, NULL, mappings, 0, ret_figures) : -1;
		ward_space_destroy(space);
	} else if (way == WAY_HANDLE) {
		taker = ours_handle(ours);
		code = measure(&taker, ours_subject(ours)->endpoints, mappings, ATTACHES,
			       ret_figures);
	} else {
		code = measure_subject(ours_subject(ours), way == WAY_QUEUE, mappings, ATTACHES,
				       ret_figures);
	}
	ours_stop(ours);
	if (code)
		die("our device refuses a request");
}

/* QEMU goes through all mappings for each ATTACH: few, that a kick does not take a minute. */
static uint32_t qemu_attaches(uint32_t mappings)
{
	return mappings <= 10000 ? ENTRIES : 4;
}

/* NULL, or why there are no figures. */
static const char *measure_qemu(enum way way, uint32_t mappings, struct figures *ret_figures)
{
	bool indirect = way == WAY_QEMU;
	struct subject subject;
	const char *reason;
	int code;

	if (qemu_subject_start(indirect, &subject, &reason))
		return reason;
	code = measure_subject(&subject, indirect, mappings, qemu_attaches(mappings), ret_figures);
	qemu_subject_stop(&subject);
	return code ? "QEMU does not answer" : NULL;
}

static void print_one(const char *name, double ns, const char *after)
{
	if (ns > 0)
		printf("\"%s\": {\"ns\": %.1f, \"per_second\": %.0f}%s", name, ns, 1e9 / ns, after);
	else
		printf("\"%s\": null%s", name, after);
}

static void print_figures(const char *name, const struct figures *figures)
{
	printf("      \"%s\": {", name);
	print_one("map", figures->map, ", ");
	print_one("unmap", figures->unmap, ", ");
	print_one("attach", figures->attach, "},\n");
}

static double times(double qemu, double ours)
{
	return ours > 0 && qemu > 0 ? qemu / ours : 0;
}

static void bench_size(uint32_t mappings, struct figures *ret_queue)
{
	struct figures figures[WAYS] = { 0 };
	const char *reason = NULL;

	/* In turns: whatever disturbs the computer for a while disturbs all. */
	for (uint32_t i = 0; i < ROUNDS * WAYS; i++) {
		int way = (int)(i % WAYS);

		if (way < WAY_QEMU)
			measure_ours(way, mappings, &figures[way]);
		else if (!reason)
			reason = measure_qemu(way, mappings, &figures[way]);
	}
	printf("    {\n      \"mappings\": %u,\n", mappings);
	for (int way = 0; way < WAYS; way++) {
		if (way < WAY_QEMU || !reason)
			print_figures(way_names[way], &figures[way]);
	}
	if (reason)
		printf("      \"qemu\": \"%s\"\n    }", reason);
	else
		printf("      \"times_qemu\": {\"map\": %.1f, \"unmap\": %.1f, \"attach\": %.1f, "
		       "\"direct_map\": %.1f, \"direct_unmap\": %.1f}\n    }",
		       times(figures[WAY_QEMU].map, figures[WAY_QUEUE].map),
		       times(figures[WAY_QEMU].unmap, figures[WAY_QUEUE].unmap),
		       times(figures[WAY_QEMU].attach, figures[WAY_QUEUE].attach),
		       times(figures[WAY_QEMU_DIRECT].map, figures[WAY_DIRECT].map),
		       times(figures[WAY_QEMU_DIRECT].unmap, figures[WAY_DIRECT].unmap));
	fflush(stdout);
	*ret_queue = figures[WAY_QUEUE];
}

struct counted {
	struct ours *ours;
	struct ring ring;
	struct taker taker;
	struct load *load;
};

static double no_seconds(struct subject *subject)
{
	(void)subject;
	return 0;
}

static int prepare_counted(void *context)
{
	struct counted *counted = context;
	struct figures figures;

	counted->ours = ours_start(true);
	if (!counted->ours)
		return -1;
	ours_subject(counted->ours)->seconds = no_seconds;
	ring_init(&counted->ring, ours_subject(counted->ours), true);
	counted->taker = (struct taker){ &counted->ring, ring_room(&counted->ring), take_ring };
	if (attach(&counted->taker, ours_subject(counted->ours)->endpoints))
		return -1;
	counted->load = load_create(&counted->taker, 100000);
	/* Nodes that are allocated once, and then go to and fro. */
	return counted->load ? load_change(counted->load, &counted->taker, CHANGES, &figures) : -1;
}

static int serve_counted(void *context)
{
	struct counted *counted = context;
	struct figures figures;

	return load_change(counted->load, &counted->taker, CHANGES, &figures) ||
	       measure_attach(&counted->taker, ours_subject(counted->ours)->endpoints, ATTACHES,
			      &figures);
}

static void bench_calls(void)
{
	struct counted counted = { 0 };
	long calls = count_system_calls(prepare_counted, serve_counted, &counted);

	printf("  \"system_calls\": {\"requests\": %u, \"counted\": ", 2 * CHANGES + ATTACHES);
	if (calls < 0)
		printf("null}");
	else
		printf("%ld}", calls);
}

int main(int argc, char **argv)
{
	static const uint32_t usual[] = { 1000, 10000, 100000, 1000000 };
	uint32_t count = argc > 1 ? (uint32_t)argc - 1 : 4;
	struct figures first = { 0 }, last = { 0 };

	printf("{\n  \"bench\": \"virtio_iommu\",\n  \"sizes\": [\n");
	for (uint32_t i = 0; i < count; i++) {
		unsigned long mappings = argc > 1 ? strtoul(argv[i + 1], NULL, 10) : usual[i];

		if (mappings < 1000 || mappings > 1000000)
			die("1000 to 1000000 mappings");
		bench_size((uint32_t)mappings, &last);
		if (i == 0)
			first = last;
		printf("%s\n", i + 1 < count ? "," : "");
	}
	printf("  ],\n  \"growth\": {\"map\": %.1f, \"unmap\": %.1f, \"attach\": %.1f},\n",
	       times(last.map, first.map), times(last.unmap, first.unmap),
	       times(last.attach, first.attach));
	bench_calls();
	printf("\n}\n");
	return 0;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The threads that explore, and one that says how far they are. */
#include "cli/prove.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/memory.h"

/* Seconds between two lines. */
#define PERIOD 1

/* What the handler of SIGINT and the workers tell the one who waits. One at a time has a proof. */
static sem_t news;
static volatile sig_atomic_t interrupted;

struct crew {
	struct ward_exploration *exploration;
	pthread_t *threads;
	uint32_t count;
	_Atomic int error;
};

static void interrupt(int number)
{
	(void)number;
	interrupted = 1;
	sem_post(&news);
}

static void *work(void *context)
{
	struct crew *crew = context;
	int err = ward_exploration_work(crew->exploration);

	if (err)
		crew->error = err;
	sem_post(&news);
	return NULL;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void say_progress(const struct cli_proof *proof, double begin, bool terminal)
{
	struct ward_exploration_progress progress;
	double seconds = now() - begin;

	ward_exploration_progress(proof->exploration, &progress);
	fprintf(stderr, "%s%llu states, %llu events, %u in a row, %.0f states/s, %llu MiB%s",
		terminal ? "\r\033[K" : "", (unsigned long long)progress.states,
		(unsigned long long)progress.transitions, progress.depth,
		seconds > 0 ? (double)progress.states / seconds : 0.,
		(unsigned long long)progress.bytes >> 20, terminal ? "" : "\n");
	fflush(stderr);
}

static bool wait_for_news(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PERIOD;
	return sem_timedwait(&news, &until) == 0;
}

/* Until all have come back. Where nothing is to be said nobody looks at the clock. */
static void wait_for_crew(struct cli_proof *proof, const struct crew *crew, double begin)
{
	bool terminal = isatty(STDERR_FILENO);
	bool says = terminal || proof->context->options->progress;
	uint32_t back = 0;
	bool said = false;

	while (back < crew->count) {
		if (wait_for_news()) {
			if (!interrupted)
				back++;
			else
				ward_exploration_stop(proof->exploration);
			if (interrupted)
				break;
		} else if (says) {
			say_progress(proof, begin, terminal);
			said = true;
		}
	}
	if (said && terminal)
		fprintf(stderr, "\r\033[K");
}

static int start(struct crew *crew, uint32_t wanted)
{
	int err = 0;

	for (crew->count = 0; crew->count < wanted && !err; crew->count++) {
		err = pthread_create(&crew->threads[crew->count], NULL, work, crew);
		if (err)
			break;
	}
	/* One is enough, if slower. */
	return crew->count ? 0 : -err;
}

int cli_prove_run(struct cli_proof *proof)
{
	struct crew crew = { .exploration = proof->exploration };
	struct sigaction action = { .sa_handler = interrupt }, before;
	double begin = now();
	int err;

	crew.threads = app_alloc(proof->threads, sizeof(*crew.threads));
	sem_init(&news, 0, 0);
	interrupted = 0;
	sigaction(SIGINT, &action, &before);
	err = start(&crew, proof->threads);
	if (!err)
		wait_for_crew(proof, &crew, begin);
	for (uint32_t i = 0; i < crew.count; i++)
		pthread_join(crew.threads[i], NULL);
	sigaction(SIGINT, &before, NULL);
	sem_destroy(&news);
	free(crew.threads);
	proof->threads = crew.count;
	proof->seconds = now() - begin;
	ward_exploration_progress(proof->exploration, &proof->progress);
	if (err || (crew.error && proof->progress.states < 2))
		return cli_fail(proof->context->options, CLI_FAILURE, "%s",
				strerror(err ? -err : -crew.error));
	return -1;
}

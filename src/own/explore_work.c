// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Working through the states, level by level: all that are n events away before any that is n + 1
 * away, so that the first breach that is met is one of the shortest. The lock is held to take a state
 * and to look one up or add it; what costs time, judging, happens without it.
 */
#include <errno.h>
#include <string.h>

#include "own/explore.h"
#include "own/ownership.h"

static void flush(struct ward_worker *worker)
{
	struct ward_counters *counters = worker->exploration->counters;

	atomic_fetch_add(&counters->transitions, worker->transitions);
	atomic_fetch_add(&counters->refused, worker->refused);
	atomic_fetch_add(&counters->exposures, worker->exposures);
	atomic_fetch_add(&counters->settled, worker->settled);
	worker->transitions = worker->refused = worker->exposures = worker->settled = 0;
}

/* What the ownership is in now is found: 1 for the first time, 0, or a negative errno. */
static int find(struct ward_worker *worker, uint32_t before, uint32_t choice)
{
	struct ward_exploration *x = worker->exploration;
	int added;

	ward_worker_canonical(worker);
	pthread_mutex_lock(&x->lock);
	added = ward_found_add(&x->found, worker->canonical, before, choice, x->states_max);
	if (added > 0) {
		atomic_store(&x->counters->states, x->found.count);
		atomic_store(&x->counters->bytes, x->found.bytes);
		atomic_store(&x->counters->depth, x->level + 1);
	}
	pthread_mutex_unlock(&x->lock);
	return added;
}

/* The first breach is kept; who works meanwhile is waited for, since nothing may be added then. */
static int note_breach(struct ward_worker *worker, uint32_t state, uint32_t choice)
{
	struct ward_exploration *x = worker->exploration;
	int err = 0;

	flush(worker);
	atomic_store(&x->counters->stop, true);
	pthread_mutex_lock(&x->lock);
	if (!x->breached) {
		x->breached = true;
		while (x->busy > 1)
			pthread_cond_wait(&x->changed, &x->lock);
		err = ward_breach_note(worker, state, choice);
		/* Without its words nobody can be told of it. */
		x->breached = !err;
		/* The way there was walked a second time. */
		worker->transitions = worker->refused = worker->exposures = worker->settled = 0;
	}
	pthread_mutex_unlock(&x->lock);
	return err;
}

/* One event in the state taken. Returns 0 or a negative errno. */
static int try_choice(struct ward_worker *worker, uint32_t state, uint32_t choice)
{
	struct ward_event event;
	int err;

	if (!ward_worker_event(worker, choice, &event))
		return 0;
	err = ward_worker_step(worker, &event);
	if (err < 0)
		return err;
	if (worker->broken == WARD_PROMISES && err == 0)
		return 0;
	if (worker->broken == WARD_PROMISES) {
		err = find(worker, state, choice);
		if (err > 0)
			err = ward_worker_check(worker);
		if (err < 0)
			return err;
	}
	if (worker->broken != WARD_PROMISES)
		return note_breach(worker, state, choice);
	return ward_worker_go(worker, worker->before);
}

static int expand(struct ward_worker *worker, uint32_t state)
{
	struct ward_exploration *x = worker->exploration;
	int err = ward_worker_go(worker, worker->before);

	if (!err && state == 0) {
		worker->broken = WARD_PROMISES;
		err = ward_worker_check(worker);
		if (!err && worker->broken != WARD_PROMISES)
			return note_breach(worker, state, WARD_EVENT_FIRST);
		if (!err)
			err = ward_worker_go(worker, worker->before);
	}
	if (!err)
		err = try_choice(worker, state, WARD_EVENT_NEXT);
	for (uint32_t i = 0; i < x->choices.count && !err; i++) {
		if (atomic_load_explicit(&x->counters->stop, memory_order_relaxed))
			break;
		err = try_choice(worker, state, i);
	}
	flush(worker);
	return err;
}

static void end(struct ward_exploration *x, enum ward_exploration_end how)
{
	if (atomic_load(&x->counters->end) == WARD_EXPLORATION_RUNNING)
		atomic_store(&x->counters->end, how);
	atomic_store(&x->counters->stop, true);
	pthread_cond_broadcast(&x->changed);
}

/* All of a level was worked through. Called with the lock held. */
static void next_level(struct ward_exploration *x)
{
	if (x->found.count == x->level_end) {
		end(x, WARD_EXPLORATION_COMPLETE);
		return;
	}
	x->level_end = x->found.count;
	x->level++;
	if (x->depth && x->level >= x->depth) {
		atomic_store(&x->counters->whole, false);
		end(x, WARD_EXPLORATION_COMPLETE);
		return;
	}
	pthread_cond_broadcast(&x->changed);
}

/* A state to work on; false: all is done. Called with the lock held. */
static bool take(struct ward_exploration *x, uint32_t *ret_state)
{
	for (;;) {
		if (atomic_load(&x->counters->stop))
			return false;
		if (x->next < x->level_end) {
			*ret_state = x->next++;
			x->busy++;
			return true;
		}
		if (x->busy)
			pthread_cond_wait(&x->changed, &x->lock);
		else
			next_level(x);
	}
}

/* Who leaves last says how it ended, when nobody has. Called with the lock held. */
static void leave(struct ward_exploration *x)
{
	if (x->busy || atomic_load(&x->counters->end) != WARD_EXPLORATION_RUNNING)
		return;
	end(x, x->breached ? WARD_EXPLORATION_BROKEN
	       : x->full   ? WARD_EXPLORATION_FULL
			   : WARD_EXPLORATION_STOPPED);
}

int ward_exploration_work(struct ward_exploration *exploration)
{
	struct ward_exploration *x = exploration;
	struct ward_worker worker;
	uint32_t state;
	int err = ward_worker_init(&worker, x);

	if (err)
		return err;
	pthread_mutex_lock(&x->lock);
	while (!err && take(x, &state)) {
		memcpy(worker.before, ward_found_bytes(&x->found, state), x->found.size);
		pthread_mutex_unlock(&x->lock);
		err = expand(&worker, state);
		pthread_mutex_lock(&x->lock);
		x->busy--;
		if (err) {
			x->full = true;
			atomic_store(&x->counters->stop, true);
		}
		pthread_cond_broadcast(&x->changed);
	}
	leave(x);
	pthread_mutex_unlock(&x->lock);
	ward_worker_finish(&worker);
	return err == -ENOSPC ? 0 : err;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "own/explore.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "isolate/isolation.h"
#include "own/ownership.h"

__attribute__((format(printf, 3, 4))) static int fail(struct ward_error *error, int code,
						      const char *format, ...)
{
	va_list args;

	if (error) {
		va_start(args, format);
		vsnprintf(error->text, sizeof(error->text), format, args);
		va_end(args);
	}
	return code;
}

static int take_options(struct ward_exploration *x, const struct ward_state *state,
			const struct ward_explore_options *options, struct ward_error *error)
{
	x->clients = options->clients ? options->clients : 2;
	x->containers = options->containers ? options->containers : 1;
	x->depth = options->depth;
	x->keep_order = options->keep_order;
	x->states_max = options->states_max;
	if (state->clients_count > x->clients)
		x->clients = state->clients_count;
	if (x->clients > WARD_EXPLORE_CLIENTS_MAX)
		return fail(error, -EINVAL, "%u clients are more than the %u that can be explored",
			    x->clients, WARD_EXPLORE_CLIENTS_MAX);
	if (x->containers > WARD_EXPLORE_CONTAINERS_MAX)
		return fail(error, -EINVAL,
			    "%u containers are more than the %u that can be explored",
			    x->containers, WARD_EXPLORE_CONTAINERS_MAX);
	return 0;
}

/* Names that are taken find who has them: then the next one is tried. */
static int add_clients(struct ward_exploration *x)
{
	for (unsigned int i = 0; ward_ownership_state(x->first)->clients_count < x->clients; i++) {
		uint32_t client;
		char name[16];
		int err;

		snprintf(name, sizeof(name), "c%u", i);
		err = ward_ownership_client(x->first, name, &client);
		if (err)
			return err;
	}
	return 0;
}

static bool share_requester(const struct ward_function *a, const struct ward_function *b)
{
	if (a->kind != WARD_FUNCTION_PCI || b->kind != WARD_FUNCTION_PCI ||
	    a->address.segment != b->address.segment)
		return false;
	for (int i = -1; i < a->aliases && i < WARD_ALIASES_MAX; i++) {
		uint32_t id = ward_rid_raw(i < 0 ? a->address.rid : a->alias[i]);

		if (id == ward_rid_raw(b->address.rid))
			return true;
		for (int j = 0; j < b->aliases && j < WARD_ALIASES_MAX; j++)
			if (id == ward_rid_raw(b->alias[j]))
				return true;
	}
	return false;
}

static bool share_stream(const struct ward_function *a, const struct ward_function *b)
{
	return a->iommu_known == WARD_YES && b->iommu_known == WARD_YES &&
	       a->stream.iommu != WARD_NONE && a->stream.iommu == b->stream.iommu &&
	       ward_sid_raw(a->stream.sid) == ward_sid_raw(b->stream.sid);
}

static enum ward_domains domains_of(const struct ward_machine *machine,
				    const struct ward_function *f)
{
	return f->stream.iommu == WARD_NONE ? WARD_DOMAINS_ANY
					    : machine->iommus[f->stream.iommu].domains;
}

/* What the hardware's domains are made for. */
static void pair_domains(const struct ward_machine *machine, const struct ward_function *f,
			 const struct ward_function *g, struct ward_pair *pair)
{
	enum ward_domains a = domains_of(machine, f), b = domains_of(machine, g);
	bool same = f->pe == g->pe && f->pe != WARD_NONE && f->stream.iommu == g->stream.iommu;

	pair->together |= same && a != WARD_DOMAINS_ANY;
	pair->apart = !same && (a == WARD_DOMAINS_FIXED || b == WARD_DOMAINS_FIXED);
}

static int add_pair(struct ward_exploration *x, const struct ward_isolation *isolation, uint32_t a,
		    uint32_t b)
{
	const struct ward_function *f = &x->machine->functions[a], *g = &x->machine->functions[b];
	uint64_t group = ward_group_key(isolation, a);
	struct ward_pair pair = { a, b, share_requester(f, g) || share_stream(f, g), false, false };
	void *pairs = x->pairs;

	pair.together =
		pair.requester || (group != UINT64_MAX && group == ward_group_key(isolation, b));
	pair_domains(x->machine, f, g, &pair);
	if (!pair.together && !pair.apart)
		return 0;
	if (ward_array_reserve(&pairs, &x->pairs_capacity, x->pairs_count + 1u, sizeof(pair)))
		return -ENOMEM;
	x->pairs = pairs;
	x->pairs[x->pairs_count++] = pair;
	return 0;
}

int ward_pairs_make(struct ward_exploration *x, const struct ward_isolation *isolation)
{
	for (uint32_t i = 0; i < x->subjects.count; i++) {
		for (uint32_t j = i + 1; j < x->subjects.count; j++) {
			int err = add_pair(x, isolation, x->subjects.list[i].function,
					   x->subjects.list[j].function);

			if (err)
				return err;
		}
	}
	return 0;
}

/* Copies of the ownership call drivers by the same numbers. */
static int number_drivers(struct ward_exploration *x)
{
	int err = 0;

	for (uint32_t i = 0; i < x->subjects.count && !err; i++)
		err = ward_ownership_number_driver(x->first, x->subjects.list[i].driver);
	return err;
}

static int take_waivers(struct ward_exploration *x, const struct ward_explore_options *options)
{
	struct ward_arena *arena = &x->choices.arena;

	if (!options->waivers_count)
		return 0;
	x->waivers = ward_arena_memdup(arena, options->waivers,
				       options->waivers_count * sizeof(*x->waivers));
	if (!x->waivers)
		return -ENOMEM;
	x->waivers_count = options->waivers_count;
	for (uint32_t i = 0; i < x->waivers_count; i++) {
		struct ward_waiver *w = &x->waivers[i];

		w->code = ward_arena_strdup(arena, w->code);
		if (!w->code || (w->reason && !(w->reason = ward_arena_strdup(arena, w->reason))))
			return -ENOMEM;
	}
	return ward_ownership_number_waivers(x->first, x->waivers, x->waivers_count);
}

static int make_first(struct ward_exploration *x)
{
	struct ward_worker worker;
	int err = ward_found_init(&x->found, ward_ownership_packed_size(x->first));

	if (!err)
		err = ward_worker_init(&worker, x);
	if (err)
		return err;
	ward_worker_canonical(&worker);
	err = ward_found_add(&x->found, worker.canonical, 0, WARD_EVENT_FIRST, 0);
	ward_worker_finish(&worker);
	x->level_end = 1;
	atomic_store(&x->counters->states, 1);
	atomic_store(&x->counters->bytes, x->found.bytes);
	return err < 0 ? err : 0;
}

static int prepare(struct ward_exploration *x, const struct ward_state *state,
		   const struct ward_explore_options *options, struct ward_error *error)
{
	const struct ward_isolation *isolation;
	int err = ward_ownership_create(x->machine, state, options->ownership, &x->first);

	if (!err)
		err = add_clients(x);
	if (err)
		return err;
	isolation = ward_ownership_isolation(x->first);
	state = ward_ownership_state(x->first);
	err = ward_subjects_choose(isolation, state, options, &x->subjects);
	if (err == -E2BIG)
		return fail(error, err,
			    "events could happen to more than %u functions: name those that matter",
			    WARD_EXPLORE_FUNCTIONS);
	if (err)
		return fail(error, err, "a function to explore is not there, or named twice");
	err = number_drivers(x);
	if (err)
		return err;
	err = take_waivers(x, options);
	if (!err)
		err = ward_choices_make(x, isolation,
					options->events ? options->events : UINT64_MAX);
	if (!err)
		err = ward_pairs_make(x, isolation);
	/* Each exposure is answered by three containments of a function at most. */
	x->bound = 4 * x->machine->functions_count + 16;
	return err ? err : make_first(x);
}

int ward_exploration_create(const struct ward_machine *machine, const struct ward_state *state,
			    const struct ward_explore_options *options,
			    struct ward_exploration **ret_exploration, struct ward_error *ret_error)
{
	static const struct ward_explore_options defaults = { .size = sizeof(defaults) };
	struct ward_exploration *x;
	int err;

	if (!options)
		options = &defaults;
	if (options->size != sizeof(*options) || state->machine != machine)
		return fail(ret_error, -EINVAL,
			    "options of another size, or another machine's state");
	x = ward_alloc(sizeof(*x));
	if (!x)
		return -ENOMEM;
	x->machine = machine;
	/* Without attributes neither fails (POSIX says that it may). */
	if (pthread_mutex_init(&x->lock, NULL) || pthread_cond_init(&x->changed, NULL)) {
		free(x);
		return -ENOMEM;
	}
	x->counters = ward_alloc(sizeof(*x->counters));
	err = x->counters ? take_options(x, state, options, ret_error) : -ENOMEM;
	if (!err)
		err = prepare(x, state, options, ret_error);
	if (err) {
		ward_exploration_destroy(x);
		return err;
	}
	atomic_store(&x->counters->whole, true);
	*ret_exploration = x;
	return 0;
}

const char *const *ward_exploration_clients(const struct ward_exploration *exploration,
					    uint32_t *ret_count)
{
	const struct ward_state *state = ward_ownership_state(exploration->first);

	*ret_count = state->clients_count;
	return state->clients;
}

bool ward_exploration_next(const struct ward_exploration *exploration, uint32_t *cursor,
			   uint32_t *ret_function)
{
	if (*cursor >= exploration->subjects.count)
		return false;
	*ret_function = exploration->subjects.list[(*cursor)++].function;
	return true;
}

void ward_exploration_stop(struct ward_exploration *exploration)
{
	atomic_store(&exploration->counters->stop, true);
	/* Not from a signal handler: those who wait for others have to be told. */
	pthread_mutex_lock(&exploration->lock);
	pthread_cond_broadcast(&exploration->changed);
	pthread_mutex_unlock(&exploration->lock);
}

void ward_exploration_progress(const struct ward_exploration *exploration,
			       struct ward_exploration_progress *ret_progress)
{
	struct ward_counters *counters = exploration->counters;

	*ret_progress = (struct ward_exploration_progress){
		.end = atomic_load(&counters->end),
		.states = atomic_load(&counters->states),
		.settled = atomic_load(&counters->settled),
		.transitions = atomic_load(&counters->transitions),
		.refused = atomic_load(&counters->refused),
		.exposures = atomic_load(&counters->exposures),
		.bytes = atomic_load(&counters->bytes),
		.depth = atomic_load(&counters->depth),
		.whole = atomic_load(&counters->whole),
	};
}

const struct ward_breach *ward_exploration_breach(const struct ward_exploration *exploration)
{
	return exploration->breached ? &exploration->breach : NULL;
}

int ward_exploration_walk(struct ward_exploration *exploration,
			  int (*visit)(void *context, const struct ward_ownership *ownership),
			  void *context)
{
	struct ward_worker worker;
	int err = ward_worker_init(&worker, exploration);

	if (err)
		return err;
	for (uint32_t i = 0; i < exploration->found.count && !err; i++) {
		err = ward_worker_go(&worker, ward_found_bytes(&exploration->found, i));
		if (!err)
			err = visit(context, worker.ownership);
	}
	ward_worker_finish(&worker);
	return err;
}

void ward_exploration_destroy(struct ward_exploration *exploration)
{
	if (!exploration)
		return;
	ward_ownership_destroy(exploration->first);
	ward_found_finish(&exploration->found);
	free(exploration->choices.list);
	ward_arena_finish(&exploration->choices.arena);
	free(exploration->pairs);
	free(exploration->breach_events);
	ward_arena_finish(&exploration->breach_arena);
	free(exploration->counters);
	pthread_cond_destroy(&exploration->changed);
	pthread_mutex_destroy(&exploration->lock);
	free(exploration);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Exploration: what it counts, where it ends, and how it folds. */
#include "own/explored.h"

#include "sweep.h"

/* Few enough states for every order of them. */
#define FEW                                                                               \
	(BIT(BIND) | BIT(UNBIND) | BIT(CLAIM) | BIT(ATTACH) | BIT(RELEASE) | BIT(RESET) | \
	 BIT(DEATH))

static void test_complete(void **state)
{
	struct ward_exploration_progress progress;
	struct ward_exploration *x;
	struct make m;

	(void)state;
	make_alone(&m);
	x = explorer(&m, NULL);
	progress = explored(x, WARD_EXPLORATION_COMPLETE);
	assert_true(progress.whole);
	assert_true(progress.states > 20);
	assert_true(progress.settled == progress.states);
	assert_true(progress.refused > 0 && progress.refused < progress.transitions);
	assert_null(ward_exploration_breach(x));
	ward_exploration_destroy(x);
	make_free(&m);
}

/* Down to a depth there are no more states than down to the next one, and the last is all. */
static void test_depth(void **state)
{
	struct ward_explore_options options = { .size = sizeof(options), .events = FEW };
	uint64_t before = 1;
	struct make m;

	(void)state;
	make_frame(&m);
	for (options.depth = 1; options.depth < 40; options.depth++) {
		struct ward_exploration *x = explorer(&m, &options);
		struct ward_exploration_progress progress = explored(x, WARD_EXPLORATION_COMPLETE);

		assert_true(progress.states >= before);
		assert_true(progress.depth <= options.depth);
		assert_int_equal(progress.whole, progress.depth < options.depth);
		before = progress.states;
		ward_exploration_destroy(x);
		if (progress.whole)
			break;
	}
	assert_true(options.depth > 3 && options.depth < 40);
	make_free(&m);
}

/* Clients that a state names; so many different states differ from it by their numbers. */
struct orbits {
	uint32_t clients;
	uint64_t states;
};

static void mark(bool *named, struct ward_owner owner)
{
	if (owner.kind == WARD_OWNER_CLIENT && owner.client != WARD_NONE)
		named[owner.client] = true;
}

static int add_orbit(void *context, const struct ward_ownership *ownership)
{
	const struct ward_state *state = ward_ownership_state(ownership);
	bool named[WARD_EXPLORE_CLIENTS_MAX] = { false };
	const struct ward_exposure *exposures;
	struct orbits *orbits = context;
	uint64_t size = 1;
	uint32_t count, left = orbits->clients;

	for (uint32_t i = 0; i < state->machine->functions_count; i++) {
		mark(named, state->functions[i].owner);
		mark(named, state->functions[i].tainted_by);
	}
	exposures = ward_ownership_exposures(ownership, &count);
	for (uint32_t i = 0; i < count; i++)
		if (!exposures[i].contained)
			named[exposures[i].client] = true;
	for (uint32_t i = 0; i < orbits->clients; i++)
		if (named[i])
			size *= left--;
	orbits->states += size;
	return 0;
}

static void check_folding(struct make *m, struct ward_explore_options options)
{
	struct orbits orbits = { .clients = options.clients };
	struct ward_exploration_progress folded, unfolded;
	struct ward_exploration *x = explorer(m, &options);

	folded = explored(x, WARD_EXPLORATION_COMPLETE);
	assert_int_equal(ward_exploration_walk(x, add_orbit, &orbits), 0);
	ward_exploration_destroy(x);
	options.keep_order = true;
	x = explorer(m, &options);
	unfolded = explored(x, WARD_EXPLORATION_COMPLETE);
	ward_exploration_destroy(x);
	assert_true(folded.whole && unfolded.whole);
	assert_int_equal(orbits.states, unfolded.states);
	assert_true(folded.states < unfolded.states);
	assert_int_equal(folded.depth, unfolded.depth);
}

static void test_folding(void **state)
{
	struct ward_explore_options options = { .size = sizeof(options) };
	struct make m;

	(void)state;
	make_frame(&m);
	options.clients = 2;
	check_folding(&m, options);
	options.clients = 3;
	options.events = FEW;
	check_folding(&m, options);
	make_free(&m);
}

static void test_full_and_stopped(void **state)
{
	struct ward_explore_options options = { .size = sizeof(options), .states_max = 10 };
	struct ward_exploration_progress progress;
	struct ward_exploration *x;
	struct make m;

	(void)state;
	make_alone(&m);
	x = explorer(&m, &options);
	progress = explored(x, WARD_EXPLORATION_FULL);
	assert_int_equal(progress.states, 10);
	ward_exploration_destroy(x);
	options.states_max = 0;
	x = explorer(&m, &options);
	ward_exploration_stop(x);
	progress = explored(x, WARD_EXPLORATION_STOPPED);
	assert_int_equal(progress.states, 1);
	ward_exploration_destroy(x);
	make_free(&m);
}

static void test_restricted(void **state)
{
	struct ward_explore_options options = { .size = sizeof(options) };
	uint32_t cursor = 0, function = WARD_NONE, named[2], count;
	struct ward_exploration_progress one, both;
	struct ward_exploration *x;
	struct make m;

	(void)state;
	make_frame(&m);
	named[0] = named[1] = at(&m, "00:02.0");
	options.functions = named;
	options.functions_count = 1;
	x = explorer(&m, &options);
	assert_true(ward_exploration_next(x, &cursor, &function));
	assert_int_equal(function, named[0]);
	assert_false(ward_exploration_next(x, &cursor, &function));
	assert_string_equal(ward_exploration_clients(x, &count)[1], "c1");
	assert_int_equal(count, 2);
	one = explored(x, WARD_EXPLORATION_COMPLETE);
	ward_exploration_destroy(x);
	options.functions = NULL;
	x = explorer(&m, &options);
	both = explored(x, WARD_EXPLORATION_COMPLETE);
	ward_exploration_destroy(x);
	assert_true(one.states < both.states);
	options.functions = named;
	options.functions_count = 2;
	assert_int_equal(ward_exploration_create(m.machine, m.state, &options, &x, NULL), -EINVAL);
	make_free(&m);
}

static void test_limits(void **state)
{
	struct ward_explore_options options = { .size = sizeof(options) };
	struct ward_exploration *x = NULL;
	struct ward_error error = { "" };
	struct make m;

	(void)state;
	make_arm_its(&m);
	for (unsigned int i = 0; i < 65; i++) {
		char address[16];

		snprintf(address, sizeof(address), "%02x:%02x.0", i / 32, i % 32);
		integrated(&m, address);
	}
	make_done(&m);
	assert_int_equal(ward_exploration_create(m.machine, m.state, &options, &x, &error), -E2BIG);
	assert_non_null(strstr(error.text, "64"));
	options.clients = 9;
	assert_int_equal(ward_exploration_create(m.machine, m.state, &options, &x, &error),
			 -EINVAL);
	options.clients = 0;
	options.containers = 5;
	assert_int_equal(ward_exploration_create(m.machine, m.state, &options, &x, &error),
			 -EINVAL);
	options.size = 1;
	assert_int_equal(ward_exploration_create(m.machine, m.state, &options, &x, NULL), -EINVAL);
	assert_null(x);
	ward_exploration_destroy(NULL);
	make_free(&m);
}

/* The shortest way: claims that look at nothing give two clients one frame in two events. */
static void test_shortest(void **state)
{
	const struct ward_breach *breach;
	struct ward_ownership *ownership;
	struct ward_exploration *x;
	uint32_t client;
	struct make m;

	(void)state;
	make_frame(&m);
	x = explorer(&m, NULL);
	assert_int_equal(ward_ownership_break(x->first, "claim-reach"), 0);
	assert_int_equal(ward_ownership_break(x->first, "claim-others"), 0);
	explored(x, WARD_EXPLORATION_BROKEN);
	breach = ward_exploration_breach(x);
	assert_non_null(breach);
	assert_int_equal(breach->promise, WARD_PROMISE_REACH);
	assert_int_equal(breach->events_count, 2);
	assert_non_null(strstr(breach->text, "interrupts"));

	/* It is there when it is played again, and without the break it is refused. */
	assert_int_equal(ward_ownership_create(m.machine, m.state, NULL, &ownership), 0);
	for (unsigned int i = 0; i < 2; i++) {
		char name[] = { 'c', (char)('0' + i), '\0' };

		assert_int_equal(ward_ownership_client(ownership, name, &client), 0);
	}
	for (uint32_t i = 0; i < breach->events_count; i++) {
		struct ward_outcome outcome = { 0 };

		assert_int_equal(ward_ownership_apply(ownership, &breach->events[i], &outcome,
						      NULL),
				 0);
		assert_int_equal(outcome.decision, i ? WARD_REFUSED : WARD_ALLOWED);
		ward_outcome_finish(&outcome);
	}
	ward_ownership_destroy(ownership);
	ward_exploration_destroy(x);
	make_free(&m);
}

static int make_and_explore(void *context)
{
	struct ward_explore_options options = { .size = sizeof(options), .depth = 2 };
	const struct make *m = context;
	struct ward_exploration *x;
	int err = ward_exploration_create(m->machine, m->state, &options, &x, NULL);

	if (err)
		return err;
	err = ward_exploration_work(x);
	ward_exploration_destroy(x);
	return err;
}

static void test_sweep_explore(void **state)
{
	struct make m;

	(void)state;
	make_alone(&m);
	assert_true(test_sweep(make_and_explore, &m) > 100);
	make_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete),   cmocka_unit_test(test_depth),
		cmocka_unit_test(test_folding),	   cmocka_unit_test(test_full_and_stopped),
		cmocka_unit_test(test_restricted), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_shortest),   cmocka_unit_test(test_sweep_explore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

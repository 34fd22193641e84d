// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Several threads explore together: they find what one finds, and one of the shortest breaches. */
#include "own/explored.h"

#include <pthread.h>

#define THREADS 4

static void *work(void *context)
{
	return (void *)(intptr_t)ward_exploration_work(context);
}

static void work_together(struct ward_exploration *x)
{
	struct ward_exploration_progress progress;
	pthread_t threads[THREADS];
	void *code;

	for (unsigned int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, x), 0);
	/* Read along, as who prints it would. */
	do {
		ward_exploration_progress(x, &progress);
	} while (progress.end == WARD_EXPLORATION_RUNNING);
	for (unsigned int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &code), 0);
		assert_null(code);
	}
}

static void test_same_states(void **state)
{
	struct ward_explore_options options = { .size = sizeof(options), .depth = 4 };
	struct ward_exploration_progress one, many;
	struct ward_exploration *x;
	struct make m;

	(void)state;
	make_frame(&m);
	x = explorer(&m, &options);
	one = explored(x, WARD_EXPLORATION_COMPLETE);
	ward_exploration_destroy(x);
	x = explorer(&m, &options);
	work_together(x);
	many = progress_of(x);
	assert_int_equal(many.end, WARD_EXPLORATION_COMPLETE);
	assert_int_equal(many.states, one.states);
	assert_int_equal(many.settled, one.settled);
	assert_int_equal(many.transitions, one.transitions);
	assert_int_equal(many.refused, one.refused);
	assert_int_equal(many.exposures, one.exposures);
	assert_int_equal(many.depth, one.depth);
	ward_exploration_destroy(x);
	make_free(&m);
}

static void test_shortest_together(void **state)
{
	struct ward_exploration *x;
	struct make m;

	(void)state;
	make_frame(&m);
	x = explorer(&m, NULL);
	assert_int_equal(ward_ownership_break(x->first, "claim-reach"), 0);
	assert_int_equal(ward_ownership_break(x->first, "claim-others"), 0);
	work_together(x);
	assert_int_equal(progress_of(x).end, WARD_EXPLORATION_BROKEN);
	assert_int_equal(ward_exploration_breach(x)->events_count, 2);
	ward_exploration_destroy(x);
	make_free(&m);
}

static void test_stop_from_outside(void **state)
{
	struct ward_exploration *x;
	pthread_t thread;
	struct make m;
	void *code;

	(void)state;
	/* Far more than anybody waits for. */
	make_arm_its(&m);
	for (unsigned int i = 1; i < 8; i++) {
		char address[16];

		snprintf(address, sizeof(address), "00:%02x.0", i);
		integrated(&m, address);
	}
	make_done(&m);
	x = explorer(&m, NULL);
	assert_int_equal(pthread_create(&thread, NULL, work, x), 0);
	ward_exploration_stop(x);
	assert_int_equal(pthread_join(thread, &code), 0);
	assert_int_equal(progress_of(x).end, WARD_EXPLORATION_STOPPED);
	ward_exploration_destroy(x);
	make_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_states),
		cmocka_unit_test(test_shortest_together),
		cmocka_unit_test(test_stop_from_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "base/reader.h"

#include "sweep.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void only_who_reads_holds_things_up(void **state)
{
	struct ward_readers *readers;
	struct ward_reader *one, *two;
	uint64_t epoch;

	(void)state;
	assert_int_equal(ward_readers_create(&readers), 0);
	assert_int_equal(ward_reader_create(readers, &one), 0);
	assert_int_equal(ward_reader_create(readers, &two), 0);
	epoch = ward_readers_epoch(readers);
	assert_true(ward_readers_passed(readers, epoch));
	ward_reader_enter(one);
	assert_true(ward_readers_passed(readers, epoch));
	epoch = ward_readers_epoch(readers);
	assert_false(ward_readers_passed(readers, epoch));
	/* Who enters later is not waited for. */
	ward_reader_enter(two);
	ward_reader_exit(one);
	assert_true(ward_readers_passed(readers, epoch));
	ward_reader_exit(two);
	ward_readers_wait(readers);
	ward_reader_destroy(one);
	ward_reader_destroy(two);
	ward_readers_destroy(readers);
}

static void enter_may_be_nested(void **state)
{
	struct ward_readers *readers;
	struct ward_reader *reader;
	uint64_t epoch;

	(void)state;
	assert_int_equal(ward_readers_create(&readers), 0);
	assert_int_equal(ward_reader_create(readers, &reader), 0);
	ward_reader_enter(reader);
	epoch = ward_readers_epoch(readers);
	ward_reader_enter(reader);
	ward_reader_exit(reader);
	assert_false(ward_readers_passed(readers, epoch));
	ward_reader_exit(reader);
	assert_true(ward_readers_passed(readers, epoch));
	ward_reader_destroy(reader);
	ward_readers_destroy(readers);
}

static void a_reader_may_go_in_any_order(void **state)
{
	struct ward_readers *readers;
	struct ward_reader *reader[3];
	uint64_t epoch;

	(void)state;
	assert_int_equal(ward_readers_create(&readers), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ward_reader_create(readers, &reader[i]), 0);
	assert_int_equal((uintptr_t)reader[0] % 64, 0);
	ward_reader_enter(reader[2]);
	epoch = ward_readers_epoch(readers);
	ward_reader_destroy(reader[1]);
	ward_reader_destroy(reader[0]);
	assert_false(ward_readers_passed(readers, epoch));
	ward_reader_exit(reader[2]);
	ward_reader_destroy(reader[2]);
	assert_true(ward_readers_passed(readers, epoch));
	ward_readers_destroy(readers);
}

static void nobody_reads_nothing(void **state)
{
	(void)state;
	ward_readers_wait(NULL);
	assert_true(ward_readers_passed(NULL, ward_readers_epoch(NULL)));
	ward_reader_destroy(NULL);
	ward_readers_destroy(NULL);
}

/* Values that are always 1 while anybody may look at them, and are freed as soon as not. */
struct shared {
	struct ward_readers *readers;
	_Atomic(int *) value;
	atomic_bool over;
	atomic_ulong wrong;
};

static void *read_values(void *context)
{
	struct shared *shared = context;
	struct ward_reader *reader;

	if (ward_reader_create(shared->readers, &reader))
		return NULL;
	while (!atomic_load(&shared->over)) {
		const int *value;

		ward_reader_enter(reader);
		value = atomic_load(&shared->value);
		if (*value != 1 || *value != 1)
			atomic_fetch_add(&shared->wrong, 1);
		ward_reader_exit(reader);
	}
	ward_reader_destroy(reader);
	return NULL;
}

static int *value_make(void)
{
	int *value = malloc(sizeof(*value));

	assert_non_null(value);
	*value = 1;
	return value;
}

static void nothing_is_freed_under_a_reader(void **state)
{
	struct shared shared = { 0 };
	pthread_t thread[2];

	(void)state;
	assert_int_equal(ward_readers_create(&shared.readers), 0);
	atomic_init(&shared.value, value_make());
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, read_values, &shared), 0);
	for (int i = 0; i < 2000; i++) {
		int *old = atomic_exchange(&shared.value, value_make());

		ward_readers_wait(shared.readers);
		*old = 0;
		free(old);
	}
	atomic_store(&shared.over, true);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(shared.wrong, 0);
	free(shared.value);
	ward_readers_destroy(shared.readers);
}

static int make(void *context)
{
	struct ward_readers *readers;
	struct ward_reader *reader;
	int code = ward_readers_create(&readers);

	(void)context;
	if (code)
		return code;
	code = ward_reader_create(readers, &reader);
	if (!code)
		ward_reader_destroy(reader);
	ward_readers_destroy(readers);
	return code;
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	assert_int_equal(test_sweep(make, NULL), 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_who_reads_holds_things_up),
		cmocka_unit_test(enter_may_be_nested),
		cmocka_unit_test(a_reader_may_go_in_any_order),
		cmocka_unit_test(nobody_reads_nothing),
		cmocka_unit_test(nothing_is_freed_under_a_reader),
		cmocka_unit_test(every_allocation_may_fail),
	};

	return cmocka_run_group_tests_name("base/reader", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Messages from several threads while CPUs take and addresses change: no vector is lost or made up. */
#include <doorward/apic.h>

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

#define SENDERS 3u
#define CPUS 2u
#define ROUNDS 2000u
#define FIRST 0x20u

/* A sender has one vector at one CPU, and sends again when it was taken. Vectors share words. */
struct sender {
	struct ward_apics *apics;
	uint32_t cpu, vector;
	_Atomic uint32_t taken;
};

static struct sender senders[SENDERS];

static void *sends(void *context)
{
	struct sender *sender = context;
	const struct ward_message message = { ward_iova(0xfee00000u | sender->cpu << 12),
					      sender->vector };
	struct ward_interrupt interrupt;

	for (uint32_t i = 1; i <= ROUNDS; i++) {
		/* Nobody else has it: it is requested once for each time it is sent. */
		if (ward_apics_message(sender->apics, &message, &interrupt) != 1 ||
		    interrupt.cpu != sender->cpu)
			return sender;
		while (atomic_load(&sender->taken) != i)
			sched_yield();
	}
	return NULL;
}

static void loses_nothing(void **unused)
{
	const struct ward_apics_options options = { .size = sizeof(options), .cpus = CPUS + 1 };
	struct ward_apic_address other = { .id = 77 };
	pthread_t threads[SENDERS];
	struct ward_apics *apics;
	uint32_t left = SENDERS * ROUNDS, vector;
	void *failed;

	(void)unused;
	assert_int_equal(ward_apics_create(&options, &apics), 0);
	for (uint32_t i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){ apics, i % CPUS, FIRST + i, 0 };
		assert_int_equal(pthread_create(&threads[i], NULL, sends, &senders[i]), 0);
	}
	while (left > 0) {
		for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
			struct sender *sender;

			if (ward_apics_take(apics, cpu, &vector))
				continue;
			sender = &senders[vector - FIRST];
			assert_int_equal(sender->vector, vector);
			assert_int_equal(sender->cpu, cpu);
			left--;
			atomic_fetch_add(&sender->taken, 1);
		}
		/* The last CPU moves about: that is nothing to the others. */
		other.id ^= 1;
		assert_int_equal(ward_apics_set_address(apics, CPUS, &other), 0);
	}
	for (uint32_t i = 0; i < SENDERS; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	for (uint32_t cpu = 0; cpu <= CPUS; cpu++)
		assert_true(ward_apics_take(apics, cpu, &vector) < 0);
	ward_apics_destroy(apics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Messages from several threads while commands map, move and take away. Made to be run with
 * ThreadSanitizer, too (scripts/check-threads).
 *
 * No edge is lost: who was told "pending" finds it taken afterwards. Nothing is stale: once the SYNC
 * after a command has been executed, no message comes to what was mapped before.
 */
#include "emul/its_rig.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define SENDERS 3u
#define ROUNDS 300u
#define DISCARD 0x0fu
#define DEVICE 5u
#define FIRST 8192u

struct shared {
	struct rig rig;
	struct ward_readers *readers;
	_Atomic bool stop;
	_Atomic uint64_t messages;
	_Atomic uint32_t wrong; /* answers that cannot be */
};

static void make(struct shared *shared)
{
	struct ward_its_options options = { .profile = WARD_ITS_ARCHITECTURE };

	memset(shared, 0, sizeof(*shared));
	assert_int_equal(ward_readers_create(&shared->readers), 0);
	options.readers = shared->readers;
	rig_setup_with(&shared->rig, &options);
	rig_write32(&shared->rig, GITS_CTLR, 1);
	for (uint16_t icid = 0; icid < RIG_CPUS; icid++)
		assert_int_equal(rig_mapc(&shared->rig, icid, icid), RIG_OK);
	assert_int_equal(rig_mapd(&shared->rig, DEVICE, RIG_ITTS, 5), RIG_OK);
}

static void finish(struct shared *shared)
{
	rig_teardown(&shared->rig);
	ward_readers_destroy(shared->readers);
}

/* Sends one event again and again; counts what became pending. */
struct sender {
	struct shared *shared;
	uint32_t event;
	uint64_t pending;
};

static void *send(void *context)
{
	struct sender *sender = context;
	struct shared *shared = sender->shared;
	struct ward_reader *reader;
	uint32_t event = sender->event;

	if (ward_reader_create(shared->readers, &reader)) {
		atomic_store(&shared->wrong, 1);
		return NULL;
	}
	while (!atomic_load(&shared->stop)) {
		struct ward_interrupt interrupt;

		ward_reader_enter(reader);
		if (ward_its_message(shared->rig.its, reader, ward_devid(DEVICE), event,
				     &interrupt)) {
			sender->pending++;
			if (interrupt.number != FIRST + event || interrupt.cpu >= RIG_CPUS)
				atomic_fetch_add(&shared->wrong, 1);
		} else if (interrupt.reason != WARD_REASON_UNMAPPED_EVENT &&
			   interrupt.reason != WARD_REASON_UNMAPPED_DEVICE) {
			atomic_fetch_add(&shared->wrong, 1);
		}
		ward_reader_exit(reader);
		/* Where there are more threads than CPUs, the others are to have their turn. */
		if (atomic_fetch_add(&shared->messages, 1) % 64 == 0)
			sched_yield();
	}
	ward_reader_destroy(reader);
	return NULL;
}

static void start(struct shared *shared, struct sender *senders, pthread_t *threads)
{
	for (uint32_t i = 0; i < SENDERS; i++) {
		senders[i] = (struct sender){ .shared = shared, .event = i };
		assert_int_equal(pthread_create(&threads[i], NULL, send, &senders[i]), 0);
	}
}

static void stop(struct shared *shared, const pthread_t *threads)
{
	atomic_store(&shared->stop, true);
	for (uint32_t i = 0; i < SENDERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(atomic_load(&shared->wrong), 0);
}

/* Until messages were sent since now. */
static void let_them_send(struct shared *shared)
{
	uint64_t until = atomic_load(&shared->messages) + 20;

	while (atomic_load(&shared->messages) < until)
		sched_yield();
}

static uint32_t take_all(struct rig *rig, uint32_t cpu, uint32_t intid)
{
	uint32_t taken, count = 0;

	while (ward_gic_take(rig->gic, cpu, &taken) == 0)
		count += taken == intid;
	return count;
}

/* After DISCARD and SYNC nothing is pending, and stays so; after MAPTI it comes where it is mapped. */
static void test_discarded(void **state)
{
	struct sender senders[SENDERS];
	pthread_t threads[SENDERS];
	struct shared shared;
	uint32_t came = 0;

	(void)state;
	make(&shared);
	start(&shared, senders, threads);
	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint32_t event = round % SENDERS;
		uint16_t icid = (uint16_t)(round % RIG_CPUS);

		assert_int_equal(rig_mapti(&shared.rig, DEVICE, event, FIRST + event, icid),
				 RIG_OK);
		let_them_send(&shared);
		came += ward_gic_is_pending(shared.rig.gic, icid, FIRST + event);
		assert_int_equal(rig_event(&shared.rig, DISCARD, DEVICE, event), RIG_OK);
		assert_int_equal(rig_sync(&shared.rig, icid), RIG_OK);
		assert_true(rig_pending_nowhere(&shared.rig, FIRST + event));
		let_them_send(&shared);
		assert_true(rig_pending_nowhere(&shared.rig, FIRST + event));
	}
	stop(&shared, threads);
	assert_true(came > 0);
	finish(&shared);
}

/* After MOVI and SYNC, what was taken from the old CPU does not come again there; no edge is lost. */
static void test_moved(void **state)
{
	struct sender senders[SENDERS];
	pthread_t threads[SENDERS];
	struct shared shared;

	(void)state;
	make(&shared);
	for (uint32_t event = 0; event < SENDERS; event++)
		assert_int_equal(rig_mapti(&shared.rig, DEVICE, event, FIRST + event, 0), RIG_OK);
	start(&shared, senders, threads);
	for (uint32_t round = 1; round < ROUNDS; round++) {
		uint16_t to = (uint16_t)(round % RIG_CPUS);
		uint16_t from = (uint16_t)((round - 1) % RIG_CPUS);

		let_them_send(&shared);
		for (uint32_t event = 0; event < SENDERS; event++)
			assert_int_equal(rig_movi(&shared.rig, DEVICE, event, to), RIG_OK);
		assert_int_equal(rig_sync(&shared.rig, from), RIG_OK);
		/* All of it went along. */
		for (uint32_t event = 0; event < SENDERS; event++)
			assert_false(ward_gic_is_pending(shared.rig.gic, from, FIRST + event));
		let_them_send(&shared);
		for (uint32_t event = 0; event < SENDERS; event++) {
			assert_false(ward_gic_is_pending(shared.rig.gic, from, FIRST + event));
			take_all(&shared.rig, to, FIRST + event);
		}
	}
	stop(&shared, threads);
	finish(&shared);
}

/*
 * One message at a time, and the answer: whatever said "pending" is taken at one CPU, although its
 * collection, its CPU and the table of events change all the while.
 */
struct asker {
	struct shared *shared;
	uint32_t asked, answered;
};

static void *ask(void *context)
{
	struct asker *asker = context;
	struct shared *shared = asker->shared;
	struct ward_reader *reader;

	if (ward_reader_create(shared->readers, &reader))
		return NULL;
	while (!atomic_load(&shared->stop)) {
		struct ward_interrupt interrupt;
		int sent;

		ward_reader_enter(reader);
		sent = ward_its_message(shared->rig.its, reader, ward_devid(DEVICE), 0, &interrupt);
		ward_reader_exit(reader);
		atomic_fetch_add(&shared->messages, 1);
		if (!sent) {
			atomic_fetch_add(&shared->wrong, 1);
			break;
		}
		asker->asked++;
		/* It is somewhere, though it may move on between two looks. */
		for (;;) {
			uint32_t taken, cpu = asker->asked % RIG_CPUS;
			bool got = false;

			for (uint32_t i = 0; i < RIG_CPUS && !got; i++)
				got = ward_gic_take(shared->rig.gic, (cpu + i) % RIG_CPUS,
						    &taken) == 0 &&
				      taken == FIRST;
			if (got)
				break;
			sched_yield();
		}
		asker->answered++;
	}
	ward_reader_destroy(reader);
	return NULL;
}

static void test_no_edge_lost(void **state)
{
	struct asker asker;
	struct shared shared;
	pthread_t thread;

	(void)state;
	make(&shared);
	assert_int_equal(rig_mapti(&shared.rig, DEVICE, 0, FIRST, 0), RIG_OK);
	asker = (struct asker){ .shared = &shared };
	assert_int_equal(pthread_create(&thread, NULL, ask, &asker), 0);
	for (uint32_t round = 1; round < ROUNDS; round++) {
		uint16_t to = (uint16_t)(round % RIG_CPUS);
		uint32_t event = 1 + round % 16;
		uint64_t until = atomic_load(&shared.messages) + 1;

		assert_int_equal(rig_movi(&shared.rig, DEVICE, 0, to), RIG_OK);
		assert_int_equal(rig_mapc(&shared.rig, to, (to + round) % RIG_CPUS), RIG_OK);
		/* Other events come and go, until the table of all of them has been made anew. */
		assert_int_equal(rig_mapti(&shared.rig, DEVICE, event, FIRST + event, to), RIG_OK);
		assert_int_equal(rig_event(&shared.rig, DISCARD, DEVICE, event), RIG_OK);
		while (round % 8 == 0 && atomic_load(&shared.messages) < until)
			sched_yield();
	}
	atomic_store(&shared.stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(atomic_load(&shared.wrong), 0);
	assert_true(asker.asked > 0);
	assert_int_equal(asker.asked, asker.answered);
	finish(&shared);
}

/* Whole devices come and go, and the indexes grow. */
static void test_devices(void **state)
{
	struct sender senders[SENDERS];
	pthread_t threads[SENDERS];
	struct shared shared;

	(void)state;
	make(&shared);
	start(&shared, senders, threads);
	for (uint32_t round = 0; round < ROUNDS / 4; round++) {
		assert_int_equal(rig_mapd(&shared.rig, DEVICE, RIG_ITTS, 5), RIG_OK);
		for (uint32_t event = 0; event < 32; event++)
			assert_int_equal(rig_mapti(&shared.rig, DEVICE, event, FIRST + event,
						   (uint16_t)(event % RIG_CPUS)),
					 RIG_OK);
		for (uint32_t other = 100; other < 100 + round; other++)
			assert_int_equal(rig_mapd(&shared.rig, other, RIG_ITTS + other * 256, 5),
					 RIG_OK);
		for (uint32_t other = 100; other < 100 + round; other++)
			assert_int_equal(rig_unmapd(&shared.rig, other), RIG_OK);
		assert_int_equal(rig_unmapd(&shared.rig, DEVICE), RIG_OK);
		for (uint32_t cpu = 0; cpu < RIG_CPUS; cpu++)
			take_all(&shared.rig, cpu, 0);
		let_them_send(&shared);
		for (uint32_t event = 0; event < SENDERS; event++)
			assert_true(rig_pending_nowhere(&shared.rig, FIRST + event));
	}
	stop(&shared, threads);
	finish(&shared);
}

/* What takes something away ends only after those who may still use it have left. */
struct taker {
	struct rig *rig;
	const uint64_t *words; /* NULL: switches the ITS off */
	_Atomic bool done;
};

static void *take_away(void *context)
{
	struct taker *taker = context;

	if (taker->words)
		(void)rig_run(taker->rig, taker->words[0], taker->words[1], taker->words[2], 0);
	else
		rig_write32(taker->rig, GITS_CTLR, 0);
	atomic_store(&taker->done, true);
	return NULL;
}

static void check_waits(const uint64_t *words)
{
	struct ward_interrupt before, now;
	struct ward_reader *reader;
	struct shared shared;
	struct taker taker;
	pthread_t thread;

	make(&shared);
	assert_int_equal(rig_mapti(&shared.rig, DEVICE, 0, FIRST, 0), RIG_OK);
	assert_int_equal(ward_reader_create(shared.readers, &reader), 0);
	taker = (struct taker){ .rig = &shared.rig, .words = words };
	ward_reader_enter(reader);
	ward_its_translate(shared.rig.its, ward_devid(DEVICE), 0, &before);
	assert_int_equal(pthread_create(&thread, NULL, take_away, &taker), 0);
	do {
		sched_yield();
		ward_its_translate(shared.rig.its, ward_devid(DEVICE), 0, &now);
	} while (now.reason == before.reason && now.cpu == before.cpu);
	for (unsigned int i = 0; i < 200; i++)
		sched_yield();
	assert_false(atomic_load(&taker.done));
	ward_reader_exit(reader);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(atomic_load(&taker.done));
	ward_reader_destroy(reader);
	finish(&shared);
}

static void test_waits(void **state)
{
	static const uint64_t commands[][3] = {
		{ DISCARD | (uint64_t)DEVICE << 32, 0, 0 },
		{ 0x01 | (uint64_t)DEVICE << 32, 0, 1 }, /* MOVI */
		{ 0x09, 0, VALID | 3 << 16 },		 /* MAPC */
		{ 0x09, 0, 0 },
		{ 0x08 | (uint64_t)DEVICE << 32, 4, VALID | RIG_ITTS }, /* MAPD */
		{ 0x08 | (uint64_t)DEVICE << 32, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		check_waits(commands[i]);
	check_waits(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_discarded),    cmocka_unit_test(test_moved),
		cmocka_unit_test(test_no_edge_lost), cmocka_unit_test(test_devices),
		cmocka_unit_test(test_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

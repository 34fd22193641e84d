// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The command queue: wrapping, stalling and going on, being off, being somewhere impossible. */
#include "emul/its_rig.h"

#define SYNC 0x05u
#define INT 0x03u
#define UNKNOWN 0xeeu

static void put_mapc(struct rig *rig, uint16_t icid, uint64_t cpu)
{
	rig_put(rig, 0x09, 0, VALID | cpu << 16 | icid, 0);
}

static void make(struct rig *rig, bool stalls)
{
	struct ward_its_options options = { .stalls = stalls };

	rig_setup_with(rig, &options);
	rig_write32(rig, GITS_CTLR, 1);
}

/* 1000 commands through a queue of 128, by turns full, half full and one by one. */
static void test_wrap(void **state)
{
	(void)state;
	for (int profile = WARD_ITS_ARCHITECTURE; profile <= WARD_ITS_KVM; profile++) {
		struct rig rig;
		uint32_t done = 0;

		rig_setup(&rig, profile);
		assert_int_equal(rig_mapd(&rig, 1, RIG_ITTS, 10), RIG_OK);
		assert_int_equal(rig_mapc(&rig, 0, 1), RIG_OK);
		while (done < 1000) {
			static const uint32_t steps[] = { 127, 64, 1 };
			uint32_t step = steps[done % 3];

			for (uint32_t i = 0; i < step && done < 1000; i++, done++)
				rig_put(&rig, rig_ids(0x0a, 1),
					done | (uint64_t)(8192 + done) << 32, 0, 0);
			rig_kick(&rig);
			assert_int_equal(rig_read(&rig, GITS_CREADR), rig.head);
			assert_true(rig_read32(&rig, GITS_CTLR) >> 31);
		}
		assert_int_equal(rig_errors(&rig), 0);
		for (uint32_t event = 0; event < 1000; event++) {
			assert_int_equal(rig_message(&rig, 1, event), WARD_REASON_NONE);
			assert_true(rig_took(&rig, 1, 8192 + event));
		}
		assert_int_equal(rig_message(&rig, 1, 1000), WARD_REASON_UNMAPPED_EVENT);
		rig_teardown(&rig);
	}
}

/* The largest queue, of 1 MiB: its last command, and the first again. */
static void test_largest(void **state)
{
	struct rig rig;

	(void)state;
	make(&rig, false);
	rig_write32(&rig, GITS_CTLR, 0);
	rig.queue_bytes = 0x100000;
	rig_write(&rig, GITS_CBASER, VALID | RIG_QUEUE | 0xff);
	rig_write32(&rig, GITS_CTLR, 1);
	for (uint32_t i = 0; i < 0x7fff; i++)
		rig_put(&rig, SYNC, 0, 0, 0);
	rig_kick(&rig);
	put_mapc(&rig, 3, 2);
	put_mapc(&rig, 4, 1);
	rig_kick(&rig);
	assert_int_equal(rig_read(&rig, GITS_CREADR), 32);
	assert_int_equal(rig_errors(&rig), 0);
	assert_int_equal(rig_load(&rig, RIG_COLLECTIONS + 3 * 8), VALID | 2 << 16 | 3);
	assert_int_equal(rig_load(&rig, RIG_COLLECTIONS + 4 * 8), VALID | 1 << 16 | 4);
	rig_teardown(&rig);
}

/* It stops at the command in error; put right or not, Retry executes it again. */
static void test_stall(void **state)
{
	struct ward_its_error error;
	struct rig rig;

	(void)state;
	make(&rig, true);
	put_mapc(&rig, 1, 1);
	put_mapc(&rig, 2, RIG_CPUS);
	put_mapc(&rig, 3, 3);
	rig_kick(&rig);
	assert_int_equal(rig_read(&rig, GITS_CREADR), 32 | 1);
	assert_true(ward_its_error(rig.its, &error));
	assert_int_equal(error.syndrome, 0x010902);
	assert_int_equal(error.count, 1);
	assert_int_equal(rig_read32(&rig, GITS_CTLR), 1); /* commands wait */
	assert_int_equal(rig_load(&rig, RIG_COLLECTIONS + 8), VALID | 1 << 16 | 1);
	assert_int_equal(rig_load(&rig, RIG_COLLECTIONS + 24), 0);
	/* More commands do not help, nor does switching off and on. */
	put_mapc(&rig, 4, 0);
	rig_kick(&rig);
	rig_write32(&rig, GITS_CTLR, 0);
	rig_write32(&rig, GITS_CTLR, 1);
	assert_int_equal(rig_read(&rig, GITS_CREADR), 32 | 1);
	assert_int_equal(rig_errors(&rig), 1);
	/* Still wrong. */
	rig_write(&rig, GITS_CWRITER, rig.head | 1);
	assert_int_equal(rig_read(&rig, GITS_CREADR), 32 | 1);
	assert_int_equal(rig_errors(&rig), 2);
	assert_int_equal(rig_read(&rig, GITS_CWRITER), rig.head); /* Retry reads 0 */
	/* Put right. */
	rig_store(&rig, RIG_QUEUE + 32 + 16, VALID | 2 << 16 | 2);
	rig_write(&rig, GITS_CWRITER, rig.head | 1);
	assert_int_equal(rig_read(&rig, GITS_CREADR), 4 * 32);
	assert_int_equal(rig_errors(&rig), 2);
	for (uint64_t i = 1; i < 5; i++)
		assert_int_equal(rig_load(&rig, RIG_COLLECTIONS + i * 8),
				 VALID | (i & 3) << 16 | i);
	/* Retry where nothing stalls does nothing. */
	rig_write(&rig, GITS_CWRITER, rig.head | 1);
	assert_int_equal(rig_read(&rig, GITS_CREADR), rig.head);
	/* Stalled is forgotten with the queue. */
	assert_int_equal(rig_run(&rig, UNKNOWN, 0, 0, 0), 0);
	assert_int_equal(rig_read(&rig, GITS_CREADR) & 1, 1);
	rig_write32(&rig, GITS_CTLR, 0);
	rig_write(&rig, GITS_CBASER, VALID | RIG_QUEUE);
	assert_int_equal(rig_read(&rig, GITS_CREADR), 0);
	rig_teardown(&rig);
}

/* Without stalling, what follows the command in error is executed. */
static void test_skip(void **state)
{
	(void)state;
	for (int profile = WARD_ITS_ARCHITECTURE; profile <= WARD_ITS_KVM; profile++) {
		struct ward_its_error error;
		struct rig rig;

		rig_setup(&rig, profile);
		rig_put(&rig, UNKNOWN | 0x1234500, 2, 3, 4);
		put_mapc(&rig, 2, RIG_CPUS);
		put_mapc(&rig, 3, 3);
		rig_kick(&rig);
		assert_int_equal(rig_read(&rig, GITS_CREADR), 3 * 32);
		assert_true(ward_its_error(rig.its, &error));
		assert_int_equal(error.count, 2);
		assert_int_equal(error.command[2], VALID | RIG_CPUS << 16 | 2);
		assert_int_equal(rig_mapd(&rig, 1, RIG_ITTS, 4), RIG_OK);
		assert_int_equal(rig_mapti(&rig, 1, 1, 8192, 3), RIG_OK);
		assert_int_equal(rig_message(&rig, 1, 1), WARD_REASON_NONE);
		assert_true(rig_took(&rig, 3, 8192));
		rig_teardown(&rig);
	}
}

/* Commands wait while the ITS is not enabled, and messages are ignored. */
static void test_off(void **state)
{
	(void)state;
	for (int profile = WARD_ITS_ARCHITECTURE; profile <= WARD_ITS_KVM; profile++) {
		struct rig rig;

		rig_setup(&rig, profile);
		assert_int_equal(rig_mapd(&rig, 1, RIG_ITTS, 4), RIG_OK);
		assert_int_equal(rig_mapc(&rig, 0, 0), RIG_OK);
		assert_int_equal(rig_mapti(&rig, 1, 1, 8192, 0), RIG_OK);
		rig_write32(&rig, GITS_CTLR, 0);
		assert_int_equal(rig_read32(&rig, GITS_CTLR), 0x80000000);
		assert_int_equal(rig_message(&rig, 1, 1), WARD_REASON_OFF);
		rig_put(&rig, rig_ids(INT, 1), 1, 0, 0);
		rig_kick(&rig);
		assert_int_equal(rig_read(&rig, GITS_CREADR), rig.head - 32);
		assert_int_equal(rig_read32(&rig, GITS_CTLR),
				 profile == WARD_ITS_KVM ? 0 : 0x80000000);
		assert_true(rig_pending_nowhere(&rig, 8192));
		rig_write32(&rig, GITS_CTLR, 1);
		assert_int_equal(rig_read(&rig, GITS_CREADR), rig.head);
		assert_true(rig_took(&rig, 0, 8192));
		assert_int_equal(rig_message(&rig, 1, 1), WARD_REASON_NONE);
		rig_teardown(&rig);
	}
}

/* GITS_CWRITER beyond the queue: nothing, until it is written anew; KVM does not take it. */
static void test_beyond(void **state)
{
	struct rig rig;

	(void)state;
	make(&rig, false);
	put_mapc(&rig, 1, 1);
	rig_write(&rig, GITS_CWRITER, 0x1000);
	assert_int_equal(rig_read(&rig, GITS_CREADR), 0);
	assert_int_equal(rig_read(&rig, GITS_CWRITER), 0x1000);
	rig_kick(&rig);
	assert_int_equal(rig_read(&rig, GITS_CREADR), 32);
	rig_write32(&rig, GITS_CTLR, 0);
	rig_write(&rig, GITS_CBASER, VALID | RIG_QUEUE);
	assert_int_equal(rig_read(&rig, GITS_CREADR), 0);
	assert_int_equal(rig_read(&rig, GITS_CWRITER), 32);
	rig_teardown(&rig);

	rig_setup(&rig, WARD_ITS_KVM);
	put_mapc(&rig, 1, 1);
	rig_kick(&rig);
	put_mapc(&rig, 1, 1);
	rig_write(&rig, GITS_CWRITER, 0x1000);
	assert_int_equal(rig_read(&rig, GITS_CWRITER), 32);
	assert_int_equal(rig_read(&rig, GITS_CREADR), 32);
	/* A new queue is an empty one there; elsewhere GITS_CWRITER stays. */
	rig_write32(&rig, GITS_CTLR, 0);
	rig_write(&rig, GITS_CBASER, VALID | RIG_QUEUE);
	assert_int_equal(rig_read(&rig, GITS_CWRITER), 0);
	rig_teardown(&rig);
}

/* Commands that cannot be read: without a syndrome; skipped, or the queue stalls. */
static void test_unreadable(void **state)
{
	struct ward_its_error error;
	struct rig rig;

	(void)state;
	for (int stalls = 0; stalls < 2; stalls++) {
		make(&rig, stalls);
		rig_write32(&rig, GITS_CTLR, 0);
		/* Its first page is the last one there is. */
		rig_write(&rig, GITS_CBASER, VALID | (RIG_MEMORY + RIG_BYTES - 0x1000) | 1);
		rig_write32(&rig, GITS_CTLR, 1);
		rig_write(&rig, GITS_CWRITER, 0x1040);
		assert_true(ward_its_error(rig.its, &error));
		assert_int_equal(error.syndrome, 0);
		/* The first 128 are of opcode 0, and in error as well. */
		assert_int_equal(error.count, stalls ? 1 : 130);
		assert_int_equal(rig_read(&rig, GITS_CREADR), stalls ? 1 : 0x1040);
		assert_int_equal(error.command[0], 0);
		rig_teardown(&rig);
	}
}

/* A queue that is not valid. */
static void test_invalid(void **state)
{
	struct rig rig;

	(void)state;
	make(&rig, false);
	rig_write32(&rig, GITS_CTLR, 0);
	rig_write(&rig, GITS_CBASER, RIG_QUEUE);
	rig_write32(&rig, GITS_CTLR, 1);
	rig_write(&rig, GITS_CWRITER, 64);
	assert_int_equal(rig_read(&rig, GITS_CREADR), 0);
	assert_int_equal(rig_errors(&rig), 0);
	rig_teardown(&rig);
}

/* An INT whose interrupt is answered at once, by more commands: they wait for their turn. */
static struct rig *answering;
static unsigned int answers;

static void answer(void *context, uint32_t cpu, uint32_t intid)
{
	uint32_t taken;

	(void)context;
	if (answers++ > 0)
		return;
	assert_int_equal(ward_gic_take(answering->gic, cpu, &taken), 0);
	assert_int_equal(taken, intid);
	put_mapc(answering, 9, 3);
	rig_kick(answering);
}

static void test_answered(void **state)
{
	struct rig rig;
	struct ward_gic_options options = { .size = sizeof(options),
					    .kind = WARD_GIC_V3,
					    .cpus = RIG_CPUS,
					    .interrupts = 64,
					    .intid_bits = RIG_LPI_BITS,
					    .raised = answer };
	struct ward_its_options how = { .size = sizeof(how) };

	(void)state;
	make(&rig, false);
	ward_its_destroy(rig.its);
	ward_gic_destroy(rig.gic);
	options.memory = rig.memory;
	assert_int_equal(ward_gic_create(&options, &rig.gic), 0);
	for (uint32_t cpu = 0; cpu < RIG_CPUS; cpu++) {
		rig_gicr(&rig, cpu, 0x70, RIG_PROPBASE | (RIG_LPI_BITS - 1), 8);
		rig_gicr(&rig, cpu, 0x78, RIG_PENDBASE + cpu * 0x10000ull, 8);
		rig_gicr(&rig, cpu, 0x00, 1, 4);
	}
	rig_gicr(&rig, WARD_GIC_DISTRIBUTOR, 0, 0x12, 4);
	how.gic = rig.gic;
	how.memory = rig.memory;
	assert_int_equal(ward_its_create(&how, &rig.its), 0);
	rig_write(&rig, GITS_BASER(0), VALID | RIG_DEVICES | 2 << 8 | 7);
	rig_write(&rig, GITS_BASER(1), VALID | RIG_COLLECTIONS | 2 << 8);
	rig_write(&rig, GITS_CBASER, VALID | RIG_QUEUE);
	rig_write32(&rig, GITS_CTLR, 1);
	answering = &rig;
	answers = 0;
	assert_int_equal(rig_mapd(&rig, 1, RIG_ITTS, 4), RIG_OK);
	assert_int_equal(rig_mapc(&rig, 0, 0), RIG_OK);
	assert_int_equal(rig_mapti(&rig, 1, 1, 8192, 0), RIG_OK);
	assert_int_equal(rig_event(&rig, INT, 1, 1), RIG_OK);
	/* The INT itself was executed once. */
	assert_int_equal(answers, 1);
	assert_true(rig_pending_nowhere(&rig, 8192));
	assert_int_equal(rig_read(&rig, GITS_CREADR), rig.head);
	assert_int_equal(rig_load(&rig, RIG_COLLECTIONS + 9 * 8), VALID | 3 << 16 | 9);
	rig_teardown(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrap),	   cmocka_unit_test(test_largest),
		cmocka_unit_test(test_stall),	   cmocka_unit_test(test_skip),
		cmocka_unit_test(test_off),	   cmocka_unit_test(test_beyond),
		cmocka_unit_test(test_unreadable), cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

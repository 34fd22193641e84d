// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Threads raise while CPUs take and registers change. A raiser raises one of its interrupts and waits
 * until some CPU took it; CPUs look only when they were told. So an edge that is lost, or that
 * nobody was told of, is a test that hangs (tests/meson.build ends it).
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "emul/gic_rig.h"

#define CPUS 3u
#define RAISERS 2u
#define EACH 8u /* interrupts of a raiser, of each kind */
#define ROUNDS 1000u

struct world {
	struct gic_rig rig;
	_Atomic bool told[CPUS], done;
	_Atomic unsigned int spis[256];
	_Atomic unsigned int lpis[256]; /* from 8192 on */
	_Atomic uint32_t at[256];	/* the CPU that an LPI goes to */
	_Atomic unsigned int wrong;
};

struct worker {
	pthread_t thread;
	struct world *world;
	uint32_t number;
};

static void tell(void *context, uint32_t cpu, uint32_t intid)
{
	struct world *world = context;

	(void)intid;
	atomic_store(&world->told[cpu], true);
}

static void *take(void *context)
{
	struct worker *worker = context;
	struct world *world = worker->world;
	uint32_t intid;

	while (!atomic_load(&world->done)) {
		if (!atomic_exchange(&world->told[worker->number], false)) {
			sched_yield();
			continue;
		}
		while (!ward_gic_take(world->rig.gic, worker->number, &intid)) {
			if (intid >= WARD_GIC_FIRST_LPI) {
				atomic_fetch_add(&world->lpis[intid - WARD_GIC_FIRST_LPI], 1);
				continue;
			}
			atomic_fetch_add(&world->spis[intid], 1);
			if (ward_gic_end(world->rig.gic, worker->number, intid))
				atomic_fetch_add(&world->wrong, 1);
		}
	}
	return NULL;
}

static void raise_lpi(struct world *world, uint32_t index)
{
	struct ward_interrupt interrupt;

	/* Its CPU may have LPIs off for a moment. */
	do {
		ward_gic_lpi_set(world->rig.gic, atomic_load(&world->at[index]),
				 WARD_GIC_FIRST_LPI + index, &interrupt);
	} while (interrupt.end != WARD_INTERRUPT_PENDING);
}

static void *raise_all(void *context)
{
	struct worker *worker = context;
	struct world *world = worker->world;

	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint32_t index = worker->number * EACH + round % EACH;
		uint32_t spi = 64 + index;
		unsigned int spis = atomic_load(&world->spis[spi]);
		unsigned int lpis = atomic_load(&world->lpis[index]);

		if (ward_gic_pulse(world->rig.gic, spi, NULL))
			atomic_fetch_add(&world->wrong, 1);
		raise_lpi(world, index);
		while (atomic_load(&world->spis[spi]) == spis ||
		       atomic_load(&world->lpis[index]) == lpis)
			sched_yield();
	}
	return NULL;
}

/* One change of everything, after which all are enabled and routed to somebody. */
static void change(struct world *world, uint32_t round)
{
	struct gic_rig *rig = &world->rig;
	uint32_t index = round % (RAISERS * EACH), to = round % CPUS;
	uint32_t from = atomic_load(&world->at[index]);

	rig_dist(rig, 0x188, UINT32_MAX);
	rig_write(rig, WARD_GIC_DISTRIBUTOR, 0x6000 + 8 * (64 + index), to, 8);
	rig_write(rig, WARD_GIC_DISTRIBUTOR, 0x400 + 64 + index, round & 0xff, 1);
	rig_dist(rig, 0x108, UINT32_MAX);
	if (round % 16 == 0)
		rig_dist(rig, 0, 0);
	/* As MOVI: new messages go to the new CPU before what is pending follows. */
	atomic_store(&world->at[index], to);
	ward_gic_lpi_move(rig->gic, from, to, WARD_GIC_FIRST_LPI + index);
	rig_configure(rig, WARD_GIC_FIRST_LPI + index, 0);
	(void)ward_gic_lpi_reload(rig->gic, to, WARD_GIC_FIRST_LPI + index);
	rig_configure(rig, WARD_GIC_FIRST_LPI + index, 1);
	if (round % 2)
		(void)ward_gic_lpi_reload(rig->gic, to, WARD_GIC_FIRST_LPI + index);
	else
		(void)ward_gic_lpi_reload_all(rig->gic, to);
	if (round % 16 == 0)
		rig_dist(rig, 0, 2);
	if (round % 32 == 1) {
		rig_write(rig, to, 0, 0, 4);
		rig_write(rig, to, 0, 1, 4);
	}
}

static void *change_registers(void *context)
{
	struct worker *worker = context;
	struct world *world = worker->world;

	for (uint32_t round = 0; !atomic_load(&world->done); round++)
		change(world, round);
	return NULL;
}

/*
 * A message that was on its way to the old CPU while its LPI moved is pending there: it is taken
 * there, since all CPUs take whatever is theirs.
 */
static void no_edge_is_lost(void **state)
{
	struct world *world = test_calloc(1, sizeof(*world));
	struct worker takers[CPUS], raisers[RAISERS], changer = { .world = world };
	struct ward_gic_options options = {
		.size = sizeof(options),
		.kind = WARD_GIC_V3,
		.cpus = CPUS,
		.interrupts = 256,
		.intid_bits = 16,
		.raised = tell,
		.context = world,
	};

	(void)state;
	assert_int_equal(ward_memory_create(&world->rig.memory), 0);
	assert_int_equal(ward_memory_add(world->rig.memory,
					 (struct ward_range){ 0, RIG_MEMORY_BYTES - 1 }, 0, NULL),
			 0);
	options.memory = world->rig.memory;
	assert_int_equal(ward_gic_create(&options, &world->rig.gic), 0);
	rig_dist(&world->rig, 0, 2);
	rig_lpis(&world->rig, CPUS, 16);
	for (uint32_t i = 0; i < RAISERS * EACH; i++) {
		rig_configure(&world->rig, WARD_GIC_FIRST_LPI + i, 1);
		rig_enable(&world->rig, 64 + i, true);
	}
	for (uint32_t i = 0; i < CPUS; i++) {
		takers[i] = (struct worker){ .world = world, .number = i };
		assert_int_equal(pthread_create(&takers[i].thread, NULL, take, &takers[i]), 0);
	}
	assert_int_equal(pthread_create(&changer.thread, NULL, change_registers, &changer), 0);
	for (uint32_t i = 0; i < RAISERS; i++) {
		raisers[i] = (struct worker){ .world = world, .number = i };
		assert_int_equal(pthread_create(&raisers[i].thread, NULL, raise_all, &raisers[i]),
				 0);
	}
	for (uint32_t i = 0; i < RAISERS; i++)
		pthread_join(raisers[i].thread, NULL);
	atomic_store(&world->done, true);
	pthread_join(changer.thread, NULL);
	for (uint32_t i = 0; i < CPUS; i++)
		pthread_join(takers[i].thread, NULL);
	assert_int_equal(world->wrong, 0);
	rig_finish(&world->rig);
	test_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_edge_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

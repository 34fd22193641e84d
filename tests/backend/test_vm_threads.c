// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Interrupts are raised from several threads while routes are committed and the ITS is reprogrammed.
 * Two rules hold all the time. No edge is lost: who raised one waits until a CPU has taken it, and
 * only then raises the next. And none goes by a route that was replaced before it was raised: each
 * commit is a version, which the LPI tells; it lies between the last version that was in force
 * before raising and the last that was begun after it. Races are ThreadSanitizer's to find
 * (scripts/check-threads).
 */
#include "vm_rig.h"

#include <doorward/routes.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define CHANGES 10000u
/* Versions that an LPI tells apart, when no more go by between the two looks. */
#define VERSIONS 16u
#define RAISERS 2u
#define WRITER RAISERS /* raises by an eventfd */
#define PIN_GSI 20u    /* its route stays */
#define CPUS 2u
#define FIRST_LPI 8192u
#define LPI(raiser, version) (FIRST_LPI + (raiser)*VERSIONS + (version) % VERSIONS)
#define INTIDS (FIRST_LPI + (RAISERS + 1) * VERSIONS)
/* Another device's event, of which nobody waits for anything. */
#define NOISE_DEVICE 9u
#define NOISE_LPI 9000u
/* Eventfds that come and go, of a GSI without a route. */
#define EXTRA 40u
#define EXTRA_GSI 4000u
#define PATIENCE 20000000u

struct world {
	struct vm_rig rig;
	struct ward_routes *routes;
	ward_gsi_t gsis[RAISERS + 1];
	int eventfd, extra[EXTRA]; /* -1: it is not there */
	_Atomic uint32_t begun, committed;
	_Atomic uint32_t taken[INTIDS];
	_Atomic uint32_t next_raiser;
	_Atomic bool done, all_done;
	_Atomic unsigned int lost, wrong, raised;
};

static struct world *world;

static bool wait_for(_Atomic uint32_t *taken, uint32_t wanted)
{
	for (uint32_t i = 0; i < PATIENCE; i++) {
		if (atomic_load(taken) >= wanted)
			return true;
		sched_yield();
	}
	atomic_fetch_add(&world->lost, 1);
	return false;
}

/* Whether the version an LPI tells is one of first to last. */
static bool is_of(uint32_t raiser, uint32_t number, uint32_t first, uint32_t last)
{
	for (uint32_t version = first; version <= last; version++)
		if (number == LPI(raiser, version))
			return true;
	return false;
}

static void *raise_messages(void *context)
{
	uint32_t raiser = atomic_fetch_add(&world->next_raiser, 1), raised[VERSIONS] = { 0 };
	struct ward_reader *reader;

	(void)context;
	if (ward_reader_create(world->rig.readers, &reader))
		abort();
	while (!atomic_load(&world->done)) {
		uint32_t first = atomic_load(&world->committed), last, at;
		struct ward_interrupt interrupt;
		int arrived;

		ward_reader_enter(reader);
		arrived =
			ward_vm_model_raise(world->rig.vm, reader, world->gsis[raiser], &interrupt);
		ward_reader_exit(reader);
		last = atomic_load(&world->begun);
		if (arrived != 1 || !is_of(raiser, interrupt.number, first, last)) {
			atomic_fetch_add(&world->wrong, 1);
			break;
		}
		at = interrupt.number - LPI(raiser, 0);
		if (!wait_for(&world->taken[interrupt.number], ++raised[at]))
			break;
		atomic_fetch_add(&world->raised, 1);
	}
	ward_reader_destroy(reader);
	return NULL;
}

/* An edge at a pin: the same without versions. */
static void *raise_pin(void *context)
{
	struct ward_reader *reader;
	uint32_t raised = 0;

	(void)context;
	if (ward_reader_create(world->rig.readers, &reader))
		abort();
	while (!atomic_load(&world->done)) {
		ward_reader_enter(reader);
		if (ward_vm_model_raise(world->rig.vm, reader, ward_gsi(PIN_GSI), NULL) != 1)
			atomic_fetch_add(&world->wrong, 1);
		ward_reader_exit(reader);
		if (!wait_for(&world->taken[32 + PIN_GSI], ++raised))
			break;
	}
	ward_reader_destroy(reader);
	return NULL;
}

static uint32_t taken_of_writer(void)
{
	uint32_t sum = 0;

	for (uint32_t version = 0; version < VERSIONS; version++)
		sum += atomic_load(&world->taken[LPI(WRITER, version)]);
	return sum;
}

/* By an eventfd that is unwired for each commit and wired again after it. */
static void *write_eventfd(void *context)
{
	const uint64_t one = 1;

	(void)context;
	for (uint32_t raised = 1; !atomic_load(&world->done); raised++) {
		uint32_t i = 0;

		if (write(world->eventfd, &one, sizeof(one)) != sizeof(one))
			abort();
		while (taken_of_writer() < raised && ++i < PATIENCE)
			sched_yield();
		if (i == PATIENCE) {
			atomic_fetch_add(&world->lost, 1);
			break;
		}
		/* One was written, so one is taken. */
		if (taken_of_writer() != raised)
			atomic_fetch_add(&world->wrong, 1);
	}
	return NULL;
}

static void *dispatch(void *context)
{
	(void)context;
	while (!atomic_load(&world->all_done)) {
		if (ward_vm_model_dispatch(world->rig.vm, world->rig.reader) == 0)
			sched_yield();
	}
	return NULL;
}

static void *run_cpus(void *context)
{
	(void)context;
	while (!atomic_load(&world->all_done)) {
		bool idle = true;

		for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
			uint32_t intid;

			if (ward_gic_take(world->rig.parts.gic, cpu, &intid))
				continue;
			idle = false;
			if (intid < FIRST_LPI)
				ward_gic_end(world->rig.parts.gic, cpu, intid);
			if (intid < INTIDS)
				atomic_fetch_add(&world->taken[intid], 1);
		}
		if (idle)
			sched_yield();
	}
	return NULL;
}

static void set_route(uint32_t raiser, uint32_t version)
{
	const struct ward_route route = {
		.gsi = world->gsis[raiser],
		.kind = WARD_ROUTE_MSI,
		.flags = WARD_ROUTE_DEVID,
		.address = ward_gpa(0x8090040),
		.data = version % VERSIONS,
		.devid = ward_devid(raiser),
	};

	assert_int_equal(ward_routes_set(world->routes, &route), 0);
}

static void wire(uint32_t flags)
{
	const struct ward_irqfd irqfd = {
		.eventfd = world->eventfd,
		.gsi = world->gsis[WRITER],
		.flags = flags,
	};

	assert_int_equal(ward_vm_irqfd(world->rig.vm, &irqfd), 0);
}

static void toggle_extra(uint32_t which)
{
	struct ward_irqfd irqfd = { .gsi = ward_gsi(EXTRA_GSI) };

	if (world->extra[which] >= 0) {
		/* Some are taken away, some just closed. */
		irqfd.eventfd = world->extra[which];
		irqfd.flags = WARD_IRQFD_DEASSIGN;
		if (which % 2)
			assert_int_equal(ward_vm_irqfd(world->rig.vm, &irqfd), 0);
		close(world->extra[which]);
		world->extra[which] = -1;
		return;
	}
	world->extra[which] = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	irqfd.eventfd = world->extra[which];
	assert_int_equal(ward_vm_irqfd(world->rig.vm, &irqfd), 0);
}

static void make_world(void)
{
	const struct ward_vm_options options = {
		.size = sizeof(options),
		.controller = WARD_VM_GICV3_ITS,
		.cpus = CPUS,
	};

	world = calloc(1, sizeof(*world));
	assert_non_null(world);
	assert_int_equal(vm_rig_make(&world->rig, &options), 0);
	assert_int_equal(vm_rig_start(&world->rig), 0);
	vm_rig_spi(&world->rig, 32 + PIN_GSI, 1, false);
	for (uint32_t raiser = 0; raiser <= WRITER; raiser++)
		for (uint32_t version = 0; version < VERSIONS; version++)
			vm_rig_map(&world->rig, raiser, version, LPI(raiser, version), 0);
	vm_rig_map(&world->rig, NOISE_DEVICE, 0, NOISE_LPI, 1);
	assert_int_equal(ward_routes_create(world->rig.vm, &world->routes), 0);
	world->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (uint32_t raiser = 0; raiser <= WRITER; raiser++) {
		assert_int_equal(ward_routes_alloc(world->routes, &world->gsis[raiser]), 0);
		set_route(raiser, 0);
	}
	assert_int_equal(ward_routes_commit(world->routes), 0);
	wire(0);
	for (uint32_t i = 0; i < EXTRA; i++)
		world->extra[i] = -1;
}

static void end_world(void)
{
	ward_routes_destroy(world->routes);
	vm_rig_end(&world->rig);
	close(world->eventfd);
	for (uint32_t i = 0; i < EXTRA; i++)
		if (world->extra[i] >= 0)
			close(world->extra[i]);
	free(world);
}

/* Moves events to the other CPU, and lets a device come and go whose messages nobody sends. */
static void reprogram(uint32_t version)
{
	struct vm_rig *rig = &world->rig;
	uint32_t event = version % VERSIONS;

	for (uint64_t device = 0; device <= WRITER; device++) {
		vm_rig_command(rig, 0x01 | device << 32, event, version / VERSIONS % 2);
		vm_rig_command(rig, 0x0c | device << 32, event, 0);
	}
	vm_rig_command(rig, 0x0f | (uint64_t)NOISE_DEVICE << 32, 0, 0);
	vm_rig_command(rig, 0x0d, 0, version % 2);
	if (version % 8 == 0) {
		vm_rig_command(rig, 0x08 | (uint64_t)NOISE_DEVICE << 32, 6, 0);
		rig->mapped[NOISE_DEVICE] = 0;
	}
	vm_rig_map(rig, NOISE_DEVICE, 0, NOISE_LPI, 1);
}

static void change(uint32_t version)
{
	wire(WARD_IRQFD_DEASSIGN);
	for (uint32_t raiser = 0; raiser <= WRITER; raiser++)
		set_route(raiser, version);
	atomic_store(&world->begun, version);
	assert_int_equal(ward_routes_commit(world->routes), 0);
	atomic_store(&world->committed, version);
	wire(0);
	reprogram(version);
	toggle_extra(version * 7 % EXTRA);
}

static void test_raising_while_changing(void **state)
{
	void *(*const bodies[])(void *) = { raise_messages, raise_messages, raise_pin,
					    write_eventfd,  dispatch,	    run_cpus };
	pthread_t threads[6];

	(void)state;
	make_world();
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, bodies[i], NULL), 0);
	for (uint32_t version = 1; version <= CHANGES; version++) {
		change(version);
		if (version % 4 == 0)
			sched_yield();
	}
	/* Some were raised in between, however slow the machine is. */
	while (atomic_load(&world->raised) < 100 && !atomic_load(&world->lost) &&
	       !atomic_load(&world->wrong))
		sched_yield();
	atomic_store(&world->done, true);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&world->all_done, true);
	for (size_t i = 4; i < 6; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&world->lost), 0);
	assert_int_equal(atomic_load(&world->wrong), 0);
	end_world();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_raising_while_changing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Readers while a writer maps, unmaps and moves requesters. The rule after unmap holds by
 * construction: each mapping leads to a cell of this program; the writer poisons the cell after
 * unmap returned, with a plain store, and readers look at it with plain loads between enter and
 * exit. One that meets poison fails, and one that only might have met it is a race for
 * ThreadSanitizer (scripts/check-threads).
 */
#include <doorward/attach.h>
#include <doorward/stage1.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>

#define CELLS 1024u
#define READERS 2u
#define CHANGES 20000u
#define POISON UINT64_C(0xdeaddeaddeaddead)
#define PAGE 0x1000u

struct world {
	struct ward_readers *readers;
	struct ward_space *space, *other;
	struct ward_space *nested; /* on space, its stage 1 left out */
	struct ward_attach_table *table;
	/* The page that leads to it, or POISON. */
	uint64_t cell[CELLS];
	_Atomic bool done, left;
	_Atomic unsigned int inside, wrong;
	_Atomic uint64_t hits, misses;
};

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void wrong(struct world *world)
{
	atomic_fetch_add(&world->wrong, 1);
}

/* Translates a page and looks at what it leads to for as long as the section lasts. */
static void read_page(struct world *world, struct ward_reader *reader, uint64_t page)
{
	struct ward_translation translation;
	const volatile uint64_t *cell;

	ward_reader_enter(reader);
	if (ward_space_translate(world->space, reader, WARD_PASID_NONE, ward_iova(page * PAGE + 8),
				 WARD_READ, &translation, NULL)) {
		atomic_fetch_add_explicit(&world->misses, 1, memory_order_relaxed);
		ward_reader_exit(reader);
		return;
	}
	cell = &world->cell[ward_target_raw(translation.target) / PAGE];
	for (unsigned int i = 0; i < 8; i++) {
		if (*cell != translation.input.start / PAGE)
			wrong(world);
	}
	if (!ward_range_has(translation.input, page * PAGE + 8))
		wrong(world);
	ward_reader_exit(reader);
	atomic_fetch_add_explicit(&world->hits, 1, memory_order_relaxed);
}

static void *read_pages(void *context)
{
	struct world *world = context;
	struct ward_reader *reader;
	uint32_t random = (uint32_t)(uintptr_t)&reader;

	if (ward_reader_create(world->readers, &reader)) {
		wrong(world);
		return NULL;
	}
	atomic_fetch_add(&world->inside, 1);
	while (!atomic_load_explicit(&world->done, memory_order_relaxed))
		read_page(world, reader, next_random(&random) % (2 * CELLS));
	ward_reader_destroy(reader);
	return NULL;
}

static struct ward_space *make_space(struct world *world)
{
	struct ward_space_options options = {
		.size = sizeof(options),
		.kind = WARD_SPACE_UNMANAGED,
		.readers = world->readers,
	};
	struct ward_space *space;

	assert_int_equal(ward_space_create(&options, &space), 0);
	return space;
}

static struct world *make_world(void)
{
	struct world *world = calloc(1, sizeof(*world));

	assert_non_null(world);
	assert_int_equal(ward_readers_create(&world->readers), 0);
	world->space = make_space(world);
	world->other = make_space(world);
	assert_int_equal(ward_attach_table_create(world->readers, &world->table), 0);
	return world;
}

static void end_world(struct world *world)
{
	unsigned int count = atomic_load(&world->wrong);

	ward_attach_table_destroy(world->table);
	ward_space_destroy(world->space);
	ward_space_destroy(world->other);
	ward_readers_destroy(world->readers);
	free(world);
	assert_int_equal(count, 0);
}

static void start(struct world *world, pthread_t *threads, void *(*body)(void *))
{
	for (unsigned int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, body, world), 0);
	while (atomic_load(&world->inside) < READERS)
		sched_yield();
}

static void stop(struct world *world, pthread_t *threads)
{
	atomic_store(&world->done, true);
	for (unsigned int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
}

static void map_cell(struct ward_space *space, uint64_t page, uint64_t pages, uint64_t cell)
{
	struct ward_mapping mapping = {
		.start = ward_iova(page * PAGE),
		.last = ward_iova((page + pages) * PAGE - 1),
		.target = ward_target(cell * PAGE),
		.access = WARD_READ,
		.type = WARD_NORMAL,
	};

	assert_int_equal(ward_space_map(space, &mapping), 0);
}

static uint64_t memory_of(const struct ward_space *space)
{
	struct ward_space_info info;

	ward_space_info(space, &info);
	return info.mappings ? info.memory_bytes : UINT64_MAX;
}

/*
 * Cell i belongs to page 2 * i, and is mapped or poisoned; many are unmapped at a time, too, and at times so
 * many that those which are left move to other memory.
 */
static void map_and_unmap(void **state)
{
	struct world *world = make_world();
	bool mapped[CELLS] = { false };
	pthread_t threads[READERS];
	unsigned int moved = 0;
	uint32_t random = 7;

	(void)state;
	for (uint64_t i = 0; i < CELLS; i++)
		world->cell[i] = POISON;
	start(world, threads, read_pages);
	for (unsigned int change = 0; change < CHANGES; change++) {
		uint64_t i = next_random(&random) % CELLS;
		uint64_t count = change % 16 == 0 ? 1 + next_random(&random) % 200 : 1;
		uint64_t memory = memory_of(world->space);

		if (change % 512 == 511) {
			i %= 64;
			count = CELLS;
		}
		if (!mapped[i]) {
			world->cell[i] = 2 * i;
			map_cell(world->space, 2 * i, 1, i);
			mapped[i] = true;
			continue;
		}
		if (count > CELLS - i)
			count = CELLS - i;
		assert_int_equal(ward_space_unmap(world->space, ward_iova(2 * i * PAGE),
						  ward_iova(2 * (i + count) * PAGE - 1), 0, NULL),
				 0);
		for (uint64_t j = i; j < i + count; j++) {
			world->cell[j] = POISON;
			mapped[j] = false;
		}
		moved += memory_of(world->space) < memory;
	}
	stop(world, threads);
	assert_true(moved > 0);
	assert_true(atomic_load(&world->hits) + atomic_load(&world->misses) > 0);
	end_world(world);
}

/*
 * Enters, and again; translates through the nested space, tells so, and stays until the writer is
 * about to wait for it. To exit once is not to leave.
 */
static void *hold(void *context)
{
	struct world *world = context;
	struct ward_translation translation;
	struct ward_reader *reader;

	if (ward_reader_create(world->readers, &reader)) {
		wrong(world);
		atomic_store(&world->inside, 1);
		return NULL;
	}
	ward_reader_enter(reader);
	ward_reader_enter(reader);
	if (ward_space_translate(world->nested, reader, WARD_PASID_NONE, ward_iova(0), WARD_READ,
				 &translation, NULL))
		wrong(world);
	atomic_store(&world->inside, 1);
	/* Until nobody finds it any more; the writer waits from then on. */
	while (ward_space_translate(world->nested, reader, WARD_PASID_NONE, ward_iova(0), WARD_READ,
				    &translation, NULL) == 0)
		sched_yield();
	ward_reader_exit(reader);
	for (unsigned int i = 0; i < 1000; i++)
		sched_yield();
	atomic_store(&world->left, true);
	ward_reader_exit(reader);
	ward_reader_destroy(reader);
	return NULL;
}

/* Unmap does not return before a reader has left that holds a translation, also of a nested space. */
static void unmap_waits(void **state)
{
	const struct ward_stage1 bypass = { .kind = WARD_STAGE1_BYPASS };
	struct ward_space_options options = {
		.size = sizeof(options),
		.kind = WARD_SPACE_NESTED,
		.stage1 = &bypass,
	};

	(void)state;
	for (unsigned int all = 0; all < 2; all++) {
		struct world *world = make_world();
		pthread_t thread;

		options.parent = world->space;
		assert_int_equal(ward_space_create(&options, &world->nested), 0);
		map_cell(world->space, 0, 1, 0);
		map_cell(world->space, 9, 1, 9);
		assert_int_equal(pthread_create(&thread, NULL, hold, world), 0);
		while (!atomic_load(&world->inside))
			sched_yield();
		if (all)
			assert_int_equal(ward_space_unmap_all(world->space), 0);
		else
			assert_int_equal(ward_space_unmap(world->space, ward_iova(0),
							  ward_iova(PAGE - 1), 0, NULL),
					 0);
		assert_true(atomic_load(&world->left));
		pthread_join(thread, NULL);
		ward_space_destroy(world->nested);
		end_world(world);
	}
}

/* Requester 0 is in one space or the other, which lead to cells 0 and 1; others come and go. */
static void *read_through_table(void *context)
{
	const struct ward_requester who = { 0, ward_sid(0), WARD_PASID_NONE };
	struct world *world = context;
	struct ward_translation translation;
	struct ward_reader *reader;

	if (ward_reader_create(world->readers, &reader)) {
		wrong(world);
		return NULL;
	}
	atomic_fetch_add(&world->inside, 1);
	while (!atomic_load_explicit(&world->done, memory_order_relaxed)) {
		ward_reader_enter(reader);
		if (ward_attach_table_translate(world->table, reader, &who, ward_iova(0), WARD_READ,
						&translation, NULL)) {
			wrong(world);
		} else {
			const volatile uint64_t *cell =
				&world->cell[ward_target_raw(translation.target) / PAGE];

			if (*cell == POISON)
				wrong(world);
		}
		ward_reader_exit(reader);
	}
	ward_reader_destroy(reader);
	return NULL;
}

/* A space is old or new; after attach nobody uses the old one, which may even go. */
static void move(void **state)
{
	struct ward_requester who = { 0, ward_sid(0), WARD_PASID_NONE };
	struct world *world = make_world();
	struct ward_space *spaces[2] = { world->space, world->other };
	pthread_t threads[READERS];

	(void)state;
	map_cell(spaces[0], 0, 1, 0);
	map_cell(spaces[1], 0, 1, 1);
	assert_int_equal(ward_attach(world->table, &who, spaces[0], NULL, 0), 0);
	world->cell[1] = POISON;
	start(world, threads, read_through_table);
	for (unsigned int i = 1; i < 2000; i++) {
		struct ward_requester another = { 1, ward_sid(i), WARD_PASID_NONE };
		unsigned int to = i & 1;

		world->cell[to] = 0;
		assert_int_equal(ward_attach(world->table, &who, spaces[to], NULL, 0), 0);
		world->cell[!to] = POISON;
		ward_space_destroy(spaces[!to]);
		spaces[!to] = make_space(world);
		map_cell(spaces[!to], 0, 1, !to);
		/* The table grows and is cleaned up meanwhile. */
		assert_int_equal(ward_attach(world->table, &another, spaces[to], NULL, 0), 0);
		assert_int_equal(ward_detach(world->table, &another), 0);
	}
	stop(world, threads);
	world->space = spaces[0];
	world->other = spaces[1];
	end_world(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_and_unmap),
		cmocka_unit_test(unmap_waits),
		cmocka_unit_test(move),
	};

	return cmocka_run_group_tests_name("dma/space-threads", tests, NULL, NULL);
}

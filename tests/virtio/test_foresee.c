// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Looking at requests before they are served: a queue finds the ones that are easily found, and whatever
 * the driver put there nothing comes of it; with so many mappings that it is done, answers are as ever.
 */
#include "rig.h"
#include "ring.h"

#include "virtio/foresee.h"

#define ENTRIES 256u
#define SIZE 16u
#define PAGE 0x1000ull
#define PAGES 65536u /* of which half are mapped: enough */
#define DOMAIN 7u
#define OTHER 8u
#define THROUGH 9u
#define SLOT 0x100u

/* Whether the first buffer is found by a guess, with these descriptors. */
static void one_wrong_thing_at_a_time(void **state)
{
	static const struct {
		const char *what;
		uint64_t address;
		uint32_t length, flags;
		uint64_t table; /* of one descriptor; 0: none */
		uint64_t expected;
	} rows[] = {
		{ "plain", RING_BUFFER, 20, 0, 0, RING_BUFFER },
		{ "in a table", RING_BUFFER + 3, 20, 0, RING_TABLE, RING_BUFFER + 3 },
		{ "just long enough", RING_BUFFER, SIZE, RING_F_NEXT, 0, RING_BUFFER },
		{ "too short", RING_BUFFER, SIZE - 1, 0, 0, 0 },
		{ "empty", RING_BUFFER, 0, 0, 0, 0 },
		{ "writable", RING_BUFFER, 20, RING_F_WRITE, 0, 0 },
		{ "a table in a table", RING_TABLE, 32, RING_F_INDIRECT, RING_TABLE, 0 },
		{ "at the end of its region", RING_MAIN_LAST + 1 - SIZE, 20, 0, 0,
		  RING_MAIN_LAST + 1 - SIZE },
		{ "over the end of its region", RING_MAIN_LAST + 2 - SIZE, 20, 0, 0, 0 },
		{ "in another region", RING_NEXT, 20, 0, 0, 0 },
		{ "nowhere", RING_HOLE, 20, 0, 0, 0 },
		{ "before all memory", 0, 20, 0, 0, 0 },
		{ "at the last byte", UINT64_MAX, 20, 0, 0, 0 },
		{ "a table that is not aligned", RING_BUFFER, 20, 0, RING_TABLE + 4, 0 },
		{ "a table in another region", RING_BUFFER, 20, 0, RING_NEXT, 0 },
		{ "a table over the end", RING_BUFFER, 20, 0, RING_MAIN_LAST - 7, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ward_virtq_buffer buffer;
		struct ring ring;
		const void *found;

		ring_start(&ring, ENTRIES, WARD_VIRTQ_INDIRECT);
		/* One that is served, so that the queue has seen the rest, and a region. */
		ring_describe(&ring, 0, RING_BUFFER, 8, 0, RING_NO_NEXT);
		if (rows[i].table) {
			ring_describe(&ring, 1, rows[i].table, 16, RING_F_INDIRECT, RING_NO_NEXT);
			ring_describe_at(&ring, rows[i].table, rows[i].address, rows[i].length,
					 rows[i].flags, RING_NO_NEXT);
		} else {
			ring_describe(&ring, 1, rows[i].address, rows[i].length, rows[i].flags, 2);
		}
		ring_place(&ring, 0);
		ring_offer(&ring, 1);
		assert_null(ward_virtq_peek(ring.queue, 0, SIZE));
		assert_int_equal(ward_virtq_pop(ring.queue, &buffer), 0);
		found = ward_virtq_peek(ring.queue, 0, SIZE);
		if (found != (rows[i].expected ? ring_byte(&ring, rows[i].expected) : NULL))
			fail_msg("%s", rows[i].what);
		assert_null(ward_virtq_peek(ring.queue, 1, SIZE));
		assert_null(ward_virtq_peek(ring.queue, UINT32_MAX, SIZE));
		ring_finish(&ring);
	}
}

static void a_head_outside_the_queue(void **state)
{
	struct ward_virtq_buffer buffer;
	struct ring ring;

	(void)state;
	ring_start(&ring, 4, 0);
	ring_describe(&ring, 0, RING_BUFFER, 20, 0, RING_NO_NEXT);
	/* As good as any, but not of the queue. */
	ring_describe(&ring, 4, RING_BUFFER, 20, 0, RING_NO_NEXT);
	ring_place(&ring, 0);
	ring_place(&ring, 4);
	ring_place(&ring, 0xffff);
	ring_offer(&ring, 0);
	assert_int_equal(ward_virtq_pop(ring.queue, &buffer), 0);
	assert_null(ward_virtq_peek(ring.queue, 0, SIZE));
	assert_null(ward_virtq_peek(ring.queue, 1, SIZE));
	assert_ptr_equal(ward_virtq_peek(ring.queue, 2, SIZE), ring_byte(&ring, RING_BUFFER));
	assert_null(ward_virtq_peek(ring.queue, 3, SIZE));
	/* A broken queue is not read. */
	assert_int_equal(ward_virtq_pop(ring.queue, &buffer), -EBADMSG);
	assert_null(ward_virtq_peek(ring.queue, 2, SIZE));
	ring_finish(&ring);
}

struct world {
	struct rig rig;
	struct ring ring;
	bool mapped[PAGES];
	uint64_t random;
};

static uint32_t draw(struct world *world, uint32_t below)
{
	world->random = world->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(world->random >> 33) % below;
}

static struct rig_map map_of(uint32_t page)
{
	return (struct rig_map){ .type = 3,
				 .domain = htole32(DOMAIN),
				 .virt_start = htole64(page * PAGE),
				 .virt_end = htole64((page + 1) * PAGE - 1),
				 .phys_start = htole64(page * PAGE),
				 .flags = htole32(RIG_RW) };
}

static void start(struct world *world)
{
	memset(world, 0, sizeof(*world));
	rig_start(&world->rig, NULL);
	for (uint32_t id = DOMAIN; id <= THROUGH; id++) {
		rig_add(&world->rig, id);
		assert_int_equal(rig_attach(&world->rig, id, id, id == THROUGH ? RIG_BYPASS : 0),
				 RIG_OK);
	}
	for (uint32_t page = 0; page < PAGES; page += 2) {
		struct rig_map map = map_of(page);
		uint8_t answer[4] = { RIG_UNTOUCHED };
		const struct iovec in = { &map, sizeof(map) }, out = { answer, 4 };
		uint32_t written;

		assert_int_equal(ward_viommu_handle(world->rig.viommu, &in, 1, &out, 1, &written),
				 0);
		assert_int_equal(answer[0], RIG_OK);
		world->mapped[page] = true;
	}
	ring_start(&world->ring, ENTRIES, WARD_VIRTQ_INDIRECT);
}

/* The number-th request of a kick, of a kind by chance; returns the status that it will have. */
static enum rig_status put(struct world *world, uint32_t slot)
{
	static const uint32_t others[] = { OTHER, THROUGH, 1000 };
	static const enum rig_status statuses[] = { RIG_OK, RIG_INVAL, RIG_NOENT };
	uint64_t at = RING_BUFFER + SLOT * slot, table = at + 0x80, answer = at + 0xc0;
	uint32_t page = draw(world, PAGES), kind = draw(world, 8), other = draw(world, 3);
	struct rig_map map = map_of(page);
	enum rig_status status = RIG_OK;

	if (kind == 0) {
		map.type = 4;
		map.domain = htole32(others[other]);
		map.phys_start = 0;
		status = statuses[other];
	} else if (kind < 4) {
		map.type = 4;
		map.phys_start = 0;
		world->mapped[page] = false;
	} else if (world->mapped[page]) {
		status = RIG_INVAL;
	} else {
		world->mapped[page] = true;
	}
	memcpy(ring_at(&world->ring, at), &map, sizeof(map));
	*(uint8_t *)ring_at(&world->ring, answer) = RIG_UNTOUCHED;
	ring_describe_at(&world->ring, table, at, map.type == 3 ? 36 : 28, RING_F_NEXT, 1);
	ring_describe_at(&world->ring, table + 16, answer, 4, RING_F_WRITE, RING_NO_NEXT);
	ring_describe(&world->ring, slot, table, 32, RING_F_INDIRECT, RING_NO_NEXT);
	ring_place(&world->ring, slot);
	return status;
}

static void answers_are_as_ever(void **state)
{
	static struct world world;
	enum rig_status statuses[ENTRIES];

	(void)state;
	start(&world);
	for (uint32_t kick = 0; kick < 100; kick++) {
		uint32_t count = 1 + draw(&world, ENTRIES);

		for (uint32_t i = 0; i < count; i++)
			statuses[i] = put(&world, i);
		ring_write16(&world.ring, RING_AVAILABLE + 2, world.ring.next);
		assert_int_equal(ward_viommu_serve(world.rig.viommu, world.ring.queue, ENTRIES,
						   NULL),
				 count);
		for (uint32_t i = 0; i < count; i++)
			assert_int_equal(*ring_byte(&world.ring, RING_BUFFER + SLOT * i + 0xc0),
					 statuses[i]);
	}
	for (uint32_t page = 0; page < PAGES; page++)
		assert_int_equal(rig_leads(&world.rig, DOMAIN, page * PAGE, WARD_READ),
				 world.mapped[page] ? page * PAGE : UINT64_MAX);
	ring_finish(&world.ring);
	rig_finish(&world.rig);
}

/* Trees of each height, addresses anywhere, and none. */
static void trees_of_any_size(void **state)
{
	uint64_t addresses[WARD_TREE_FETCH];
	struct ward_tree tree;

	(void)state;
	ward_tree_init(&tree, NULL);
	for (uint32_t i = 0; i < 3000; i++) {
		const struct ward_tree_entry entry = { i * 16ull, i * 16ull + 7, i };

		for (uint32_t j = 0; j < WARD_TREE_FETCH; j++)
			addresses[j] = j ? (uint64_t)i * j : UINT64_MAX;
		ward_tree_fetch(&tree, addresses, i % (WARD_TREE_FETCH + 1));
		assert_int_equal(ward_tree_prepare(&tree), 0);
		ward_tree_insert(&tree, &entry);
	}
	ward_tree_finish(&tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_wrong_thing_at_a_time),
		cmocka_unit_test(a_head_outside_the_queue),
		cmocka_unit_test(answers_are_as_ever),
		cmocka_unit_test(trees_of_any_size),
	};

	return cmocka_run_group_tests_name("virtio/foresee", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A listener as a vhost device needs one: each endpoint has a small IOTLB that is filled when it misses, and
 * drops what it is told to. Written from viommu_listener.h alone; after every step what is in it leads where
 * ward_viommu_translate leads.
 */
#include "guest.h"

#include "exact/random.h"

#include <doorward/viommu_listener.h>

#include <errno.h>

#define ENDPOINTS 4u
#define ENTRIES 8u
#define DOORBELL 0x8090000ull
#define WINDOW 0x8000000ull
#define PAGES 12u

struct entry {
	uint32_t access; /* 0: nothing */
	uint64_t page, target;
};

struct iotlb {
	bool mapped;
	uint32_t domain; /* whose mappings */
	struct entry entries[ENTRIES];
};

struct world {
	struct ward_viommu *viommu;
	struct iotlb iotlbs[ENDPOINTS]; /* of endpoints 0, 1, ... */
	struct random random;
	/* The other listener refuses, or fails, once in so many calls; 0: never. */
	uint32_t fails;
	int code;
	unsigned int filled, dropped;
};

static void drop(struct world *world, struct iotlb *iotlb, struct ward_range range)
{
	for (unsigned int i = 0; i < ENTRIES; i++) {
		struct entry *entry = &iotlb->entries[i];

		if (!entry->access || !ward_range_has(range, entry->page))
			continue;
		entry->access = 0;
		world->dropped++;
	}
}

static const struct ward_range all = { 0, UINT64_MAX };

static int iotlb_move(void *context, uint32_t endpoint, const struct ward_viommu_place *from,
		      const struct ward_viommu_place *to)
{
	struct world *world = context;
	struct iotlb *iotlb = &world->iotlbs[endpoint];

	(void)from;
	drop(world, iotlb, all);
	iotlb->mapped = to->kind == WARD_VIOMMU_MAPPED;
	iotlb->domain = to->domain;
	return 0;
}

static int iotlb_unmap(void *context, uint32_t domain, struct ward_range range)
{
	struct world *world = context;

	for (unsigned int i = 0; i < ENDPOINTS; i++)
		if (world->iotlbs[i].mapped && world->iotlbs[i].domain == domain)
			drop(world, &world->iotlbs[i], range);
	return 0;
}

static void iotlb_freeze(void *context, uint32_t endpoint)
{
	struct world *world = context;

	drop(world, &world->iotlbs[endpoint], all);
	world->iotlbs[endpoint].mapped = false;
}

static const struct ward_viommu_listener_ops iotlb_ops = {
	.move = iotlb_move,
	.unmap = iotlb_unmap,
	.freeze = iotlb_freeze,
};

/* Somebody who makes the core take things back, or freeze. */
static int answer(struct world *world)
{
	return world->fails && !random_below(&world->random, world->fails) ? world->code : 0;
}

static int other_move(void *context, uint32_t endpoint, const struct ward_viommu_place *from,
		      const struct ward_viommu_place *to)
{
	(void)endpoint, (void)from, (void)to;
	return answer(context);
}

static int other_map(void *context, uint32_t domain, const struct ward_mapping *mapping)
{
	(void)domain, (void)mapping;
	return answer(context);
}

static int other_unmap(void *context, uint32_t domain, struct ward_range range)
{
	(void)domain, (void)range;
	return answer(context);
}

static const struct ward_viommu_listener_ops other_ops = {
	.move = other_move,
	.map = other_map,
	.unmap = other_unmap,
};

/* Endpoints 0 and 1 have a region T_MSI, 2 and 3 an IDENTITY region. */
static int add(struct world *world, uint32_t id)
{
	static const struct ward_reserved window = { { WINDOW, WINDOW + 0xfffff },
						     WARD_REGION_SW_MSI };
	const struct ward_viommu_endpoint_options options = {
		.size = sizeof(options),
		.endpoint = id,
		.msi = id < 2 ? WARD_VIOMMU_MSI_BYPASSED : WARD_VIOMMU_MSI_NONE,
		.frames = id < 2,
		.reserved = &window,
		.reserved_count = id >= 2,
		.identity = id >= 2,
	};

	return ward_viommu_endpoint_add(world->viommu, &options, NULL);
}

static void begin(struct world *world, bool first)
{
	static const struct ward_doorbell_frame frame = { .registers = { DOORBELL, DOORBELL + 3 } };
	const struct ward_viommu_options options = {
		.size = sizeof(options),
		.frames = &frame,
		.frames_count = 1,
		.flags = WARD_VIOMMU_IDENTITY,
	};

	assert_int_equal(ward_viommu_create(&options, &world->viommu), 0);
	if (first)
		assert_int_equal(ward_viommu_listen(world->viommu, &iotlb_ops, world), 0);
	assert_int_equal(ward_viommu_listen(world->viommu, &other_ops, world), 0);
	if (!first)
		assert_int_equal(ward_viommu_listen(world->viommu, &iotlb_ops, world), 0);
	assert_int_equal(ward_viommu_negotiate(world->viommu, ward_viommu_features(world->viommu)),
			 0);
	for (uint32_t i = 0; i < ENDPOINTS; i++)
		assert_int_equal(add(world, i), 0);
}

static uint64_t some_page(struct world *world)
{
	static const uint64_t bases[] = { 0, WINDOW - 2 * GUEST_PAGE, DOORBELL - GUEST_PAGE };

	return bases[random_below(&world->random, 3)] +
	       (uint64_t)random_below(&world->random, PAGES) * GUEST_PAGE;
}

/* DMA of the device: in the IOTLB, or it is asked for and kept. */
static void touch(struct world *world)
{
	uint32_t id = random_below(&world->random, ENDPOINTS);
	uint32_t access = random_chance(&world->random, 50) ? WARD_READ : WARD_WRITE;
	struct entry *entry = &world->iotlbs[id].entries[random_below(&world->random, ENTRIES)];
	uint64_t page = some_page(world);
	struct ward_translation to;

	if (ward_viommu_translate(world->viommu, NULL, id, ward_iova(page), access, &to, NULL))
		return;
	*entry = (struct entry){ access, page, ward_target_raw(to.target) };
	world->filled++;
}

static void look(const struct world *world)
{
	for (uint32_t id = 0; id < ENDPOINTS; id++) {
		for (unsigned int i = 0; i < ENTRIES; i++) {
			const struct entry *entry = &world->iotlbs[id].entries[i];
			struct ward_translation to;

			if (!entry->access)
				continue;
			assert_int_equal(ward_viommu_translate(world->viommu, NULL, id,
							       ward_iova(entry->page),
							       entry->access, &to, NULL),
					 0);
			assert_true(ward_target_raw(to.target) == entry->target);
		}
	}
}

static void request(struct world *world)
{
	uint32_t domain = random_below(&world->random, 4);
	uint32_t id = random_below(&world->random, ENDPOINTS);
	uint64_t page = some_page(world), target = (uint64_t)(id + 1) << 32;

	switch (random_below(&world->random, 8)) {
	case 0:
		(void)guest_attach(world->viommu, domain, id, domain == 3);
		break;
	case 1:
		(void)guest_detach(world->viommu, domain, id);
		break;
	case 2:
		(void)guest_unmap(world->viommu, domain, page,
				  page + 4 * GUEST_PAGE * random_below(&world->random, 2) +
					  GUEST_PAGE - 1);
		break;
	case 3:
		(void)guest_unmap(world->viommu, domain, 0, UINT64_MAX);
		break;
	default:
		if (page >= WINDOW && page < DOORBELL - GUEST_PAGE)
			target = page;
		(void)guest_map_page(world->viommu, domain, page, target,
				     1 + random_below(&world->random, 3));
		break;
	}
}

struct buffer {
	unsigned char bytes[1u << 16];
	size_t size, at;
};

static int put(void *context, const void *bytes, size_t size)
{
	struct buffer *buffer = context;

	assert_true(sizeof(buffer->bytes) - buffer->size >= size);
	memcpy(buffer->bytes + buffer->size, bytes, size);
	buffer->size += size;
	return 0;
}

static int get(void *context, void *ret_bytes, size_t size)
{
	struct buffer *buffer = context;

	if (buffer->size - buffer->at < size)
		return -EIO;
	memcpy(ret_bytes, buffer->bytes + buffer->at, size);
	buffer->at += size;
	return 0;
}

/* What the monitor does now and then. */
static void manage(struct world *world)
{
	uint32_t id = random_below(&world->random, ENDPOINTS);
	const uint8_t byte = (uint8_t)random_below(&world->random, 2);
	static struct buffer state;

	switch (random_below(&world->random, 5)) {
	case 0:
		assert_int_equal(ward_viommu_endpoint_remove(world->viommu, id), 0);
		look(world);
		world->fails = 0;
		ward_viommu_reset(world->viommu, true);
		assert_int_equal(add(world, id), 0);
		break;
	case 1:
		state.size = state.at = 0;
		assert_int_equal(ward_viommu_save(world->viommu, put, &state), 0);
		ward_viommu_reset(world->viommu, true);
		look(world);
		(void)ward_viommu_load(world->viommu, get, &state, NULL);
		break;
	case 2:
		ward_viommu_reset(world->viommu, byte);
		break;
	default:
		(void)ward_viommu_config_write(world->viommu, 36, &byte, 1);
		break;
	}
}

static void by_chance(bool first, int code)
{
	struct world world = { .random = { 1 }, .code = code };
	struct ward_viommu_info info;

	begin(&world, first);
	for (unsigned int i = 0; i < 60000; i++) {
		for (unsigned int j = 0; j < 4; j++)
			touch(&world);
		/* Who is broken long sees nothing of all this. */
		ward_viommu_info(world.viommu, &info);
		world.fails = code && !info.broken ? 16 : 0;
		if (random_below(&world.random, 64) == 0 || info.broken)
			manage(&world);
		else
			request(&world);
		look(&world);
		(void)ward_viommu_negotiate(world.viommu, ward_viommu_features(world.viommu));
		look(&world);
	}
	assert_true(world.filled > 10000 && world.dropped > 1000);
	ward_viommu_destroy(world.viommu);
}

static void never_stale(void **state)
{
	(void)state;
	by_chance(true, 0);
}

static void never_stale_when_another_refuses(void **state)
{
	(void)state;
	by_chance(true, -ENOMEM);
	by_chance(false, -ENOMEM);
}

static void never_stale_when_another_fails(void **state)
{
	(void)state;
	by_chance(true, -EIO);
	by_chance(false, -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_stale),
		cmocka_unit_test(never_stale_when_another_refuses),
		cmocka_unit_test(never_stale_when_another_fails),
	};

	return cmocka_run_group_tests_name("an IOTLB that listens", tests, NULL, NULL);
}

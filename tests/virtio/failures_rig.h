/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A device with three listeners whose calls can be told to fail. */
#ifndef TESTS_VIRTIO_FAILURES_RIG_H
#define TESTS_VIRTIO_FAILURES_RIG_H

#include "ask.h"
#include "follower.h"
#include "stream.h"

#define FOLLOWERS 3u
#define NOBODY 9u /* no such endpoint yet */

struct world {
	struct ward_viommu *viommu;
	struct ward_readers *readers;
	struct ward_reader *reader;
	struct follower_plan plan;
	struct follower followers[FOLLOWERS];
};

static inline int add(struct world *world, uint32_t id)
{
	const struct ward_reserved reserved = { { 0x40000, 0x4ffff }, WARD_REGION_RESERVED };
	const struct ward_viommu_endpoint_options options = { .size = sizeof(options),
							      .endpoint = id,
							      .reserved = &reserved,
							      .reserved_count = id & 1 };

	return ward_viommu_endpoint_add(world->viommu, &options, NULL);
}

/* Endpoints 1 to 5; nothing negotiated. */
static inline void make_empty(struct world *world, uint32_t features)
{
	struct ward_viommu_options options = { .size = sizeof(options), .features = features };

	*world = (struct world){ .plan = { .code = -EBUSY } };
	assert_int_equal(ward_readers_create(&world->readers), 0);
	assert_int_equal(ward_reader_create(world->readers, &world->reader), 0);
	options.readers = world->readers;
	assert_int_equal(ward_viommu_create(&options, &world->viommu), 0);
	for (uint32_t i = 0; i < FOLLOWERS; i++) {
		world->followers[i] = (struct follower){ .viommu = world->viommu,
							 .plan = &world->plan,
							 .window = WARD_RANGE_EMPTY };
		assert_int_equal(ward_viommu_listen(world->viommu, &follower_ops,
						    &world->followers[i]),
				 0);
	}
	for (uint32_t id = 1; id <= 5; id++)
		assert_int_equal(add(world, id), 0);
}

/* Domain 1: endpoints 1, 2, three mappings; 6: endpoint 5, one; 7, bypass: endpoint 3; 4 is in none. */
static inline void fill(struct world *world, bool bypass)
{
	struct ward_viommu *viommu = world->viommu;
	const uint8_t byte = bypass;

	assert_int_equal(ward_viommu_negotiate(viommu, ward_viommu_features(viommu)), 0);
	assert_int_equal(ward_viommu_config_write(viommu, 36, &byte, 1), 0);
	assert_int_equal(guest_attach(viommu, 1, 1, 0), GUEST_OK);
	assert_int_equal(guest_attach(viommu, 1, 2, 0), GUEST_OK);
	assert_int_equal(guest_attach(viommu, 7, 3, GUEST_BYPASS), GUEST_OK);
	assert_int_equal(guest_attach(viommu, 6, 5, 0), GUEST_OK);
	assert_int_equal(guest_map(viommu, 1, 0x1000, 0x1fff, 0x10000, GUEST_READ), GUEST_OK);
	assert_int_equal(guest_map(viommu, 1, 0x2000, 0x2fff, 0x20000, GUEST_WRITE), GUEST_OK);
	assert_int_equal(guest_map(viommu, 1, 0x8000, 0xffff, 0x30000, GUEST_READ | GUEST_WRITE),
			 GUEST_OK);
	assert_int_equal(guest_map(viommu, 6, 0x1000, 0x1fff, 0x40000, GUEST_READ), GUEST_OK);
}

static inline void finish(struct world *world)
{
	ward_viommu_destroy(world->viommu);
	ward_reader_destroy(world->reader);
	ward_readers_destroy(world->readers);
}

static inline void save(const struct world *world, struct stream *ret_stream)
{
	ret_stream->size = ret_stream->at = 0;
	assert_int_equal(ward_viommu_save(world->viommu, write_stream, ret_stream), 0);
}

/* Each listener has the same as the device. */
static inline void check_followers(struct world *world, const char *name, unsigned long nth)
{
	for (uint32_t i = 0; i < FOLLOWERS; i++) {
		const char *wrong = follower_check(&world->followers[i]);

		if (wrong)
			fail_msg("%s, %lu: listener %u: %s", name, nth, i, wrong);
	}
}

static inline bool may_write(const struct world *world, uint32_t endpoint, uint64_t iova)
{
	struct ward_translation translation;
	int code;

	ward_reader_enter(world->reader);
	code = ward_viommu_translate(world->viommu, world->reader, endpoint, ward_iova(iova),
				     WARD_WRITE, &translation, NULL);
	ward_reader_exit(world->reader);
	return code == 0;
}

/* Exactly these endpoints are frozen, and their DMA goes nowhere. */
static inline void check_frozen(const struct world *world, const char *name, unsigned long nth,
				uint64_t whose)
{
	struct ward_viommu_endpoint e;
	struct ward_viommu_info info;
	uint32_t count = 0;

	for (uint32_t id = 0; ward_viommu_endpoint_next(world->viommu, id, &e);
	     id = e.endpoint + 1) {
		bool frozen = whose >> e.endpoint & 1;

		if (e.frozen != frozen)
			fail_msg("%s, %lu: endpoint %u is %sfrozen", name, nth, e.endpoint,
				 e.frozen ? "" : "not ");
		count += frozen;
		if (frozen)
			assert_false(may_write(world, e.endpoint, 0x8000) ||
				     may_write(world, e.endpoint, 0x2000));
	}
	ward_viommu_info(world->viommu, &info);
	assert_int_equal(info.frozen, count);
	assert_true(!count || info.broken);
	assert_true(!info.broken || info.error.text[0]);
}

/* Everything works again after a reset with listeners that do. */
static inline void check_recovers(struct world *world, const char *name, unsigned long nth)
{
	struct ward_viommu_info info;

	world->plan.fail_at = 0;
	ward_viommu_reset(world->viommu, true);
	check_frozen(world, name, nth, 0);
	check_followers(world, name, nth);
	ward_viommu_info(world->viommu, &info);
	assert_false(info.broken);
	assert_int_equal(info.domains, 0);
	assert_int_equal(info.mappings, 0);
	for (uint32_t id = 1; id <= 5; id++)
		assert_true(add(world, id) != -EIO);
	fill(world, true);
	check_followers(world, name, nth);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A device with some of everything, whose state is saved and loaded. */
#ifndef TESTS_VIRTIO_STATE_RIG_H
#define TESTS_VIRTIO_STATE_RIG_H

#include "ask.h"
#include "follower.h"
#include "stream.h"

#define ENDPOINTS 6u

struct world {
	struct ward_viommu *viommu;
	struct follower_plan plan;
	struct follower follower;
};

static const struct ward_viommu_options standard = {
	.size = sizeof(standard),
	.page_sizes = ~UINT64_C(0xfff),
	.input = { 0, 0xffffffffffff },
	.domain_first = 1,
	.domain_last = 100,
	.mappings_max = 100,
	.events_max = 8,
};

static inline void add_endpoint(struct world *world, uint32_t id)
{
	const struct ward_reserved reserved = { { 0x40000, 0x4ffff }, WARD_REGION_RESERVED };
	const struct ward_viommu_endpoint_options options = { .size = sizeof(options),
							      .endpoint = id,
							      .reserved = &reserved,
							      .reserved_count = id == 3 };

	assert_int_equal(ward_viommu_endpoint_add(world->viommu, &options, NULL), 0);
}

/* Endpoints 1 to 5 and the last id of all. */
static inline void make(struct world *world, const struct ward_viommu_options *options)
{
	*world = (struct world){ .follower = { .plan = &world->plan, .window = WARD_RANGE_EMPTY } };
	assert_int_equal(ward_viommu_create(options, &world->viommu), 0);
	world->follower.viommu = world->viommu;
	assert_int_equal(ward_viommu_listen(world->viommu, &follower_ops, &world->follower), 0);
	for (uint32_t i = 1; i < ENDPOINTS; i++)
		add_endpoint(world, i);
	add_endpoint(world, UINT32_MAX);
}

static inline void finish(struct world *world)
{
	assert_string_equal(world->follower.wrong ? world->follower.wrong : "", "");
	ward_viommu_destroy(world->viommu);
}

static inline void save(struct world *world, struct stream *ret_stream)
{
	*ret_stream = (struct stream){ 0 };
	assert_int_equal(ward_viommu_save(world->viommu, write_stream, ret_stream), 0);
}

static inline int load(struct world *world, struct stream *stream, struct ward_error *ret_error)
{
	stream->at = 0;
	ret_error->text[0] = 0;
	return ward_viommu_load(world->viommu, read_stream, stream, ret_error);
}

static inline void fault(struct world *world, uint32_t endpoint, uint64_t iova)
{
	const struct ward_fault what = { .reason = WARD_FAULT_TRANSLATION,
					 .access = WARD_WRITE,
					 .iova = ward_iova(iova) };

	assert_true(ward_viommu_fault(world->viommu, endpoint, &what, 0));
}

/* Some of everything: domains 1 (endpoints 1, 3), 2 (none of it mapped), 7 (bypass); two events. */
static inline void fill(struct world *world)
{
	struct ward_viommu *viommu = world->viommu;

	assert_int_equal(ward_viommu_negotiate(viommu, ward_viommu_features(viommu)), 0);
	assert_int_equal(ward_viommu_config_write(viommu, 36, "\1", 1), 0);
	assert_int_equal(guest_attach(viommu, 1, 3, 0), GUEST_OK);
	assert_int_equal(guest_attach(viommu, 1, 1, 0), GUEST_OK);
	assert_int_equal(guest_attach(viommu, 7, 2, GUEST_BYPASS), GUEST_OK);
	assert_int_equal(guest_attach(viommu, 2, UINT32_MAX, 0), GUEST_OK);
	assert_int_equal(guest_map(viommu, 1, 0x1000, 0x1fff, 0x7000, GUEST_READ), GUEST_OK);
	assert_int_equal(guest_map(viommu, 1, 0x2000, 0x5fff, 0x10000, GUEST_READ | GUEST_WRITE),
			 GUEST_OK);
	assert_int_equal(guest_map(viommu, 1, 0xfffffffff000, 0xffffffffffff, 0x8020000,
				   GUEST_WRITE | GUEST_MMIO),
			 GUEST_OK);
	fault(world, 1, 0x123);
	fault(world, 4, 0x456);
}

static inline void assert_empty(struct world *world, bool bypass)
{
	struct ward_viommu_info info;
	uint8_t byte;

	ward_viommu_info(world->viommu, &info);
	assert_false(info.broken);
	assert_int_equal(info.negotiated, 0);
	assert_int_equal(info.domains, 0);
	assert_int_equal(info.mappings, 0);
	assert_int_equal(info.frozen, 0);
	assert_int_equal(info.events_waiting, 0);
	assert_int_equal(info.endpoints, ENDPOINTS);
	ward_viommu_config_read(world->viommu, 36, &byte, 1);
	assert_int_equal(byte, bypass);
	assert_null(follower_check(&world->follower));
}

static inline void assert_same(const struct stream *a, const struct stream *b)
{
	assert_int_equal(a->size, b->size);
	assert_memory_equal(a->bytes, b->bytes, a->size);
}

/* Loads into a device of its own, and compares what that one saves. */
static inline void assert_again(struct stream *stream, const struct ward_viommu_options *options)
{
	struct stream again;
	struct ward_error error;
	struct world other;

	make(&other, options);
	assert_int_equal(load(&other, stream, &error), 0);
	assert_int_equal(stream->at, stream->size);
	assert_null(follower_check(&other.follower));
	save(&other, &again);
	assert_same(stream, &again);
	finish(&other);
}

#endif

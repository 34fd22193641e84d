// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The state of a device, out and in: the same bytes again, whatever it was; and streams that were
 * damaged, each field in turn and cut off at each byte, which leave the device as after a reset.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exact/random.h"
#include "virtio/ask.h"
#include "virtio/follower.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define BYTES 16384u
#define ENDPOINTS 6u

struct stream {
	uint8_t bytes[BYTES];
	size_t size, at;
	int code; /* of a write or read that fails */
	size_t limit;
};

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

static int write_stream(void *context, const void *bytes, size_t size)
{
	struct stream *stream = context;

	if (stream->code && stream->size + size > stream->limit)
		return stream->code;
	assert_true(size <= BYTES - stream->size);
	memcpy(stream->bytes + stream->size, bytes, size);
	stream->size += size;
	return 0;
}

static int read_stream(void *context, void *ret_bytes, size_t size)
{
	struct stream *stream = context;

	if (size > stream->size - stream->at)
		return -EPIPE;
	memcpy(ret_bytes, stream->bytes + stream->at, size);
	stream->at += size;
	return 0;
}

static void add_endpoint(struct world *world, uint32_t id)
{
	const struct ward_reserved reserved = { { 0x40000, 0x4ffff }, WARD_REGION_RESERVED };
	const struct ward_viommu_endpoint_options options = { .size = sizeof(options),
							      .endpoint = id,
							      .reserved = &reserved,
							      .reserved_count = id == 3 };

	assert_int_equal(ward_viommu_endpoint_add(world->viommu, &options, NULL), 0);
}

/* Endpoints 1 to 5 and the last id of all. */
static void make(struct world *world, const struct ward_viommu_options *options)
{
	*world = (struct world){ .follower = { .plan = &world->plan, .window = WARD_RANGE_EMPTY } };
	assert_int_equal(ward_viommu_create(options, &world->viommu), 0);
	world->follower.viommu = world->viommu;
	assert_int_equal(ward_viommu_listen(world->viommu, &follower_ops, &world->follower), 0);
	for (uint32_t i = 1; i < ENDPOINTS; i++)
		add_endpoint(world, i);
	add_endpoint(world, UINT32_MAX);
}

static void finish(struct world *world)
{
	assert_string_equal(world->follower.wrong ? world->follower.wrong : "", "");
	ward_viommu_destroy(world->viommu);
}

static void save(struct world *world, struct stream *ret_stream)
{
	*ret_stream = (struct stream){ 0 };
	assert_int_equal(ward_viommu_save(world->viommu, write_stream, ret_stream), 0);
}

static int load(struct world *world, struct stream *stream, struct ward_error *ret_error)
{
	stream->at = 0;
	ret_error->text[0] = 0;
	return ward_viommu_load(world->viommu, read_stream, stream, ret_error);
}

static void fault(struct world *world, uint32_t endpoint, uint64_t iova)
{
	const struct ward_fault what = { .reason = WARD_FAULT_TRANSLATION,
					 .access = WARD_WRITE,
					 .iova = ward_iova(iova) };

	assert_true(ward_viommu_fault(world->viommu, endpoint, &what, 0));
}

/* Some of everything: domains 1 (endpoints 1, 3), 2 (none of it mapped), 7 (bypass); two events. */
static void fill(struct world *world)
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

static void assert_empty(struct world *world, bool bypass)
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

static void assert_same(const struct stream *a, const struct stream *b)
{
	assert_int_equal(a->size, b->size);
	assert_memory_equal(a->bytes, b->bytes, a->size);
}

/* Loads into a device of its own, and compares what that one saves. */
static void assert_again(struct stream *stream, const struct ward_viommu_options *options)
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

static void some_of_everything_comes_back(void **state)
{
	struct stream stream;
	struct world world;
	(void)state;

	make(&world, &standard);
	fill(&world);
	save(&world, &stream);
	assert_null(follower_check(&world.follower));
	assert_again(&stream, &standard);
	finish(&world);
}

static void a_loaded_device_goes_on(void **state)
{
	uint8_t event[24];
	const struct iovec buffer = { event, sizeof(event) };
	struct ward_viommu_info info;
	struct ward_error error;
	struct stream stream;
	struct world world;
	uint32_t written;
	(void)state;

	make(&world, &standard);
	fill(&world);
	save(&world, &stream);
	finish(&world);
	make(&world, &standard);
	assert_int_equal(load(&world, &stream, &error), 0);
	ward_viommu_info(world.viommu, &info);
	assert_int_equal(info.negotiated, ward_viommu_features(world.viommu));
	assert_true(info.bypass);
	assert_int_equal(info.domains, 3);
	assert_int_equal(info.mappings, 3);
	assert_int_equal(guest_map(world.viommu, 1, 0x3000, 0x3fff, 0, GUEST_READ), GUEST_INVAL);
	assert_int_equal(guest_unmap(world.viommu, 1, 0x2000, 0x5fff), GUEST_OK);
	assert_int_equal(guest_map(world.viommu, 1, 0x3000, 0x3fff, 0, GUEST_READ), GUEST_OK);
	assert_int_equal(guest_attach(world.viommu, 7, 4, 0), GUEST_INVAL);
	assert_int_equal(guest_detach(world.viommu, 2, UINT32_MAX), GUEST_OK);
	assert_int_equal(ward_viommu_event(world.viommu, &buffer, 1, &written), 0);
	assert_int_equal(event[8], 1);
	assert_int_equal(event[17], 0x1);
	assert_int_equal(ward_viommu_event(world.viommu, &buffer, 1, &written), 0);
	assert_int_equal(event[8], 4);
	assert_int_equal(ward_viommu_event(world.viommu, &buffer, 1, &written), -ENOENT);
	assert_null(follower_check(&world.follower));
	finish(&world);
}

static void a_new_device_is_a_state_too(void **state)
{
	struct stream stream;
	struct world world;
	(void)state;

	make(&world, &standard);
	save(&world, &stream);
	assert_again(&stream, &standard);
	assert_int_equal(ward_viommu_negotiate(world.viommu, 0), 0);
	save(&world, &stream);
	assert_again(&stream, &standard);
	finish(&world);
}

static void what_guests_of_old_negotiated_comes_back(void **state)
{
	struct ward_viommu_options options = standard;
	struct stream stream;
	struct world world;
	(void)state;

	options.features = WARD_VIOMMU_F_MAP_UNMAP | WARD_VIOMMU_F_BYPASS;
	make(&world, &options);
	assert_int_equal(ward_viommu_negotiate(world.viommu, options.features), 0);
	assert_int_equal(guest_attach(world.viommu, 1, 1, 0), GUEST_OK);
	assert_int_equal(guest_map(world.viommu, 1, 0, UINT64_MAX, 0, GUEST_READ), GUEST_OK);
	save(&world, &stream);
	assert_again(&stream, &options);
	finish(&world);
}

/* A driver that does not know the byte leaves it as it was at boot, or as a driver before it did. */
static void the_byte_comes_back_without_its_feature(void **state)
{
	struct ward_viommu_options boot = standard;
	struct stream stream;
	struct world world;
	(void)state;

	boot.flags = WARD_VIOMMU_BOOT_BYPASS;
	make(&world, &boot);
	assert_int_equal(ward_viommu_negotiate(world.viommu, WARD_VIOMMU_F_MAP_UNMAP), 0);
	save(&world, &stream);
	assert_again(&stream, &standard);
	finish(&world);
	make(&world, &standard);
	save(&world, &stream);
	assert_again(&stream, &boot);
	finish(&world);
}

static void a_broken_device_is_broken_there(void **state)
{
	struct ward_viommu_info info;
	struct ward_error error;
	struct stream stream;
	struct world world;
	(void)state;

	make(&world, &standard);
	fill(&world);
	ward_viommu_break(world.viommu, "the guest's ring makes no sense");
	save(&world, &stream);
	assert_again(&stream, &standard);
	finish(&world);
	make(&world, &standard);
	assert_int_equal(load(&world, &stream, &error), 0);
	ward_viommu_info(world.viommu, &info);
	assert_true(info.broken);
	assert_string_equal(info.error.text, "the guest's ring makes no sense");
	assert_int_equal(guest_detach(world.viommu, 1, 1), GUEST_BROKEN);
	ward_viommu_reset(world.viommu, true);
	assert_empty(&world, false);
	finish(&world);
}

/* An unmap that failed has frozen endpoints 1 and 3: blocked where it is loaded, until a reset. */
static void who_is_frozen_is_frozen_there(void **state)
{
	struct ward_viommu_endpoint endpoint;
	struct ward_error error;
	struct stream stream;
	struct world world;
	(void)state;

	make(&world, &standard);
	fill(&world);
	world.plan = (struct follower_plan){ .fail_at = 1, .code = -ETIMEDOUT };
	assert_int_equal(guest_unmap(world.viommu, 1, 0x1000, 0x1fff), GUEST_DEVERR);
	assert_int_equal(world.plan.failures, 1);
	assert_int_equal(world.plan.whose, 1u << 1 | 1u << 3);
	save(&world, &stream);
	assert_again(&stream, &standard);
	finish(&world);
	make(&world, &standard);
	assert_int_equal(load(&world, &stream, &error), 0);
	assert_true(ward_viommu_endpoint_next(world.viommu, 1, &endpoint));
	assert_true(endpoint.frozen);
	assert_int_equal(endpoint.place.kind, WARD_VIOMMU_BLOCKED);
	assert_true(ward_viommu_endpoint_next(world.viommu, 2, &endpoint));
	assert_false(endpoint.frozen);
	assert_true(ward_viommu_endpoint_next(world.viommu, 3, &endpoint));
	assert_true(endpoint.frozen);
	ward_viommu_reset(world.viommu, true);
	assert_empty(&world, false);
	finish(&world);
}

static void change(struct world *world, struct random *r)
{
	uint32_t endpoint = 1 + (uint32_t)(random_next(r) % ENDPOINTS);
	uint32_t domain = 1 + (uint32_t)(random_next(r) % 4);
	uint64_t start = random_next(r) % 32 << 12, size = (1 + random_next(r) % 3) << 12;

	if (endpoint == ENDPOINTS)
		endpoint = UINT32_MAX;
	switch (random_next(r) % 8) {
	case 0:
	case 1:
		guest_attach(world->viommu, domain, endpoint, random_next(r) % 4 == 0);
		break;
	case 2:
		guest_detach(world->viommu, domain, endpoint);
		break;
	case 3:
		guest_unmap(world->viommu, domain, start, start + 4 * size - 1);
		break;
	default:
		guest_map(world->viommu, domain, start, start + size - 1,
			  random_next(r) >> 20 << 12, 1 + (uint32_t)(random_next(r) % 7));
	}
}

static void states_made_by_chance_come_back(void **state)
{
	struct stream stream;
	(void)state;

	for (uint64_t seed = 0; seed < 200; seed++) {
		struct random r = { seed };
		struct world world;

		make(&world, &standard);
		assert_int_equal(ward_viommu_negotiate(world.viommu, 0x77 & random_next(&r)), 0);
		if (random_next(&r) % 2)
			ward_viommu_config_write(world.viommu, 36, "\1", 1);
		for (uint64_t i = random_next(&r) % 60; i > 0; i--)
			change(&world, &r);
		if (random_next(&r) % 4 == 0)
			fault(&world, 2, random_next(&r));
		save(&world, &stream);
		assert_again(&stream, &standard);
		finish(&world);
	}
}

static void a_write_that_fails_ends_the_save(void **state)
{
	struct stream whole, stream;
	struct world world;
	(void)state;

	make(&world, &standard);
	fill(&world);
	save(&world, &whole);
	for (size_t limit = 0; limit < whole.size; limit++) {
		stream = (struct stream){ .code = -ENOSPC, .limit = limit };
		assert_int_equal(ward_viommu_save(world.viommu, write_stream, &stream), -ENOSPC);
		assert_memory_equal(stream.bytes, whole.bytes, stream.size);
	}
	finish(&world);
}

static void cut_off_anywhere_it_is_as_after_a_reset(void **state)
{
	struct ward_viommu_options boot = standard;
	struct stream stream;
	struct world world;
	size_t size;
	(void)state;

	boot.flags = WARD_VIOMMU_BOOT_BYPASS;
	make(&world, &standard);
	fill(&world);
	ward_viommu_break(world.viommu, "why");
	save(&world, &stream);
	finish(&world);
	make(&world, &boot);
	for (size = stream.size; stream.size-- > 0;) {
		struct ward_error error;

		assert_int_equal(load(&world, &stream, &error), -EPIPE);
		assert_string_equal(error.text, "the state cannot be read: Broken pipe");
		assert_empty(&world, true);
	}
	stream.size = size;
	finish(&world);
}

static void nothing_is_read_behind_the_end(void **state)
{
	struct ward_error error;
	struct stream stream;
	struct world world;
	size_t size;
	(void)state;

	make(&world, &standard);
	fill(&world);
	save(&world, &stream);
	finish(&world);
	size = stream.size;
	memset(stream.bytes + size, 0xff, 32);
	stream.size += 32;
	make(&world, &standard);
	assert_int_equal(load(&world, &stream, &error), 0);
	assert_int_equal(stream.at, size);
	finish(&world);
}

static void a_device_in_use_does_not_load(void **state)
{
	struct ward_error error;
	struct stream stream;
	struct world world;
	(void)state;

	make(&world, &standard);
	fill(&world);
	save(&world, &stream);
	assert_int_equal(load(&world, &stream, &error), -EBUSY);
	assert_int_equal(stream.at, 0);
	ward_viommu_reset(world.viommu, false);
	ward_viommu_break(world.viommu, "why");
	assert_int_equal(load(&world, &stream, &error), -EBUSY);
	ward_viommu_reset(world.viommu, false);
	fault(&world, 1, 0);
	assert_int_equal(load(&world, &stream, &error), -EBUSY);
	assert_string_equal(error.text, "the device is in use; reset it first");
	ward_viommu_reset(world.viommu, false);
	assert_int_equal(load(&world, &stream, &error), 0);
	finish(&world);
}

/* A field of the stream: bytes at an offset become value, and that is what comes of it. */
struct damage {
	const char *record;
	uint32_t nth; /* record of this type */
	uint32_t offset, size;
	uint64_t value;
	int code;
	const char *sentence;
};

static const char *const records[] = { "opening", "device",  "broken", "endpoint",
				       "domain",  "mapping", "event",  "end" };

/* Where the fields of a record are; offsets below 0 are its head. */
static size_t record_at(const struct stream *stream, const char *name, uint32_t nth)
{
	size_t at = 12;

	if (strcmp(name, "opening") == 0)
		return 0;
	while (at < stream->size) {
		uint32_t head[2];

		memcpy(head, stream->bytes + at, sizeof(head));
		if (strcmp(records[le32toh(head[0])], name) == 0 && nth-- == 0)
			return at + sizeof(head);
		at += sizeof(head) + le32toh(head[1]);
	}
	fail_msg("no record %s", name);
	return 0;
}

#define HEAD_TYPE ((uint32_t)-8)
#define HEAD_LENGTH ((uint32_t)-4)

/*
 * The stream that is damaged: endpoints 1 (domain 1), 2 (bypass domain 7), 3 (domain 1), 4, 5, -1 (domain 2);
 * domains 1 (three mappings), 2, 7; two events; broken.
 */
static const struct damage damages[] = {
	{ "opening", 0, 0, 1, 'w', -EBADMSG, "this is not the state of a virtio-iommu device" },
	{ "opening", 0, 8, 4, 2, -EOPNOTSUPP, "version 2, not 1" },
	{ "device", 0, HEAD_TYPE, 4, 9, -EBADMSG,
	  "a record of type 9 where one of type 1 (device) belongs" },
	{ "device", 0, HEAD_TYPE, 4, 7, -EBADMSG,
	  "a record of type 7 where one of type 1 (device) belongs" },
	{ "device", 0, HEAD_LENGTH, 4, 73, -EBADMSG,
	  "a record of type 1 (device) is 73 bytes long, not 72" },
	{ "device", 0, 0, 4, 0x37, -EINVAL, "features 0x37 were offered; here it is 0x77" },
	{ "device", 0, 4, 4, 0x7f, -EBADMSG,
	  "features 0x7f were negotiated, and 0x77 were offered" },
	{ "device", 0, 4, 4, 0x73, -EBADMSG, "mappings without MAP_UNMAP" },
	{ "device", 0, 4, 4, 0x37, -EBADMSG, "a bypass domain (7) without BYPASS_CONFIG" },
	{ "device", 0, 4, 4, 0x57, -EBADMSG,
	  "the mapping at 0xfffffffff000 has MMIO, which was not negotiated" },
	{ "device", 0, 8, 8, 0x1000, -EINVAL,
	  "page sizes were 0x1000; here they are 0xfffffffffffff000" },
	{ "device", 0, 16, 8, 1, -EINVAL,
	  "the input range was 0x1-0xffffffffffff; here it is 0x0-0xffffffffffff" },
	{ "device", 0, 24, 8, UINT64_MAX, -EINVAL,
	  "the input range was 0x0-0xffffffffffffffff; here it is 0x0-0xffffffffffff" },
	{ "device", 0, 32, 4, 0, -EINVAL, "the domain range was 0-100; here it is 1-100" },
	{ "device", 0, 36, 4, 99, -EINVAL, "the domain range was 1-99; here it is 1-100" },
	{ "device", 0, 40, 4, 1024, -EINVAL, "probe_size was 1024; here it is 512" },
	{ "device", 0, 44, 4, 15, -EBADMSG, "the device has flags that are not known" },
	{ "device", 0, 44, 4, 6, -EBADMSG, "nothing was negotiated, yet there is state" },
	{ "device", 0, 44, 4, 3, -EBADMSG,
	  "a record of type 2 where one of type 3 (endpoint) belongs" },
	{ "device", 0, 48, 4, 5, -EBADMSG, "2 domains have endpoints, and there should be 3" },
	{ "device", 0, 48, 4, 7, -EBADMSG,
	  "a record of type 4 where one of type 3 (endpoint) belongs" },
	{ "device", 0, 48, 4, 2, -EBADMSG, "3 domains of 2 endpoints" },
	{ "device", 0, 48, 4, UINT32_MAX, -ENOSPC,
	  "4294967295 endpoints; here there are at most 65536" },
	{ "device", 0, 52, 4, 2, -EBADMSG, "more domains than the device has" },
	{ "device", 0, 52, 4, 4, -EBADMSG, "3 domains have endpoints, and there should be 4" },
	{ "device", 0, 56, 4, 1, -EBADMSG, "a record of type 6 where one of type 7 (end) belongs" },
	{ "device", 0, 56, 4, 3, -EBADMSG,
	  "a record of type 7 where one of type 6 (event) belongs" },
	{ "device", 0, 56, 4, 9, -ENOSPC, "9 events wait; here there are at most 8" },
	{ "device", 0, 60, 4, 1, -EBADMSG, "the device has flags that are not known" },
	{ "device", 0, 64, 8, 2, -EBADMSG, "domain 1 cannot have 3 mappings" },
	{ "device", 0, 64, 8, 4, -EBADMSG, "3 mappings, and there should be 4" },
	{ "device", 0, 64, 8, 101, -ENOSPC, "101 mappings; here there are at most 100" },
	{ "broken", 0, 1, 1, '\n', -EBADMSG, "why the device is broken is no sentence" },
	{ "broken", 0, 200, 1, 'x', -EBADMSG, "why the device is broken is no sentence" },
	{ "broken", 0, HEAD_LENGTH, 4, 255, -EBADMSG,
	  "a record of type 2 (broken) is 255 bytes long, not 256" },
	{ "endpoint", 0, HEAD_TYPE, 4, 5, -EBADMSG,
	  "a record of type 5 where one of type 3 (endpoint) belongs" },
	{ "endpoint", 0, HEAD_LENGTH, 4, 0, -EBADMSG,
	  "a record of type 3 (endpoint) is 0 bytes long, not 12" },
	{ "endpoint", 0, 0, 4, 0, -ENOENT, "endpoint 0 is not here" },
	{ "endpoint", 1, 0, 4, 1, -EBADMSG, "endpoint 1 comes twice, or late" },
	{ "endpoint", 4, 0, 4, 2, -EBADMSG, "endpoint 2 comes twice, or late" },
	{ "endpoint", 4, 0, 4, UINT32_MAX, -EBADMSG, "endpoint 4294967295 comes twice, or late" },
	{ "endpoint", 0, 4, 4, 9, -EBADMSG, "endpoint 1 has flags that are not known" },
	{ "endpoint", 0, 4, 4, 0, -EBADMSG, "endpoint 1 has a domain and is not attached" },
	{ "endpoint", 3, 4, 4, 2, -EBADMSG, "endpoint 4 has a domain and is not attached" },
	{ "endpoint", 0, 8, 4, 0, -EBADMSG, "domain 0 lies outside the domain range" },
	{ "endpoint", 0, 8, 4, 101, -EBADMSG, "domain 101 lies outside the domain range" },
	{ "endpoint", 2, 8, 4, 7, -EBADMSG, "domain 7 is a bypass domain and is none" },
	{ "endpoint", 2, 4, 4, 3, -EBADMSG, "domain 1 is a bypass domain and is none" },
	{ "endpoint", 2, 8, 4, 3, -EBADMSG, "more domains than the device has" },
	{ "endpoint", 5, 8, 4, 1, -EBADMSG, "2 domains have endpoints, and there should be 3" },
	{ "domain", 0, 0, 4, 2, -EBADMSG, "domain 2 where 1 belongs" },
	{ "domain", 1, 0, 4, 1, -EBADMSG, "domain 1 where 2 belongs" },
	{ "domain", 0, 4, 4, 1, -EBADMSG, "domain 1 cannot have 3 mappings" },
	{ "domain", 0, 8, 8, 2, -EBADMSG,
	  "a record of type 5 where one of type 4 (domain) belongs" },
	{ "domain", 0, 8, 8, UINT64_MAX, -EBADMSG,
	  "domain 1 cannot have 18446744073709551615 mappings" },
	{ "domain", 2, 8, 8, 1, -EBADMSG, "domain 7 cannot have 1 mappings" },
	{ "mapping", 0, 0, 8, 0x800, -EBADMSG, "the mapping at 0x800 is not on the granule" },
	{ "mapping", 0, 8, 8, 0x17ff, -EBADMSG, "the mapping at 0x1000 is not on the granule" },
	{ "mapping", 0, 8, 8, 0xfff, -EBADMSG, "the mapping at 0x1000 wraps" },
	{ "mapping", 0, 8, 8, 0x2fff, -EBADMSG,
	  "the mapping at 0x2000 overlaps the one before, or comes late" },
	{ "mapping", 0, 8, 8, UINT64_MAX, -EBADMSG, "the mapping at 0x1000 wraps" },
	{ "mapping", 1, 0, 8, 0x1000, -EBADMSG,
	  "the mapping at 0x1000 overlaps the one before, or comes late" },
	{ "mapping", 1, 0, 8, 0, -EBADMSG,
	  "the mapping at 0x0 overlaps the one before, or comes late" },
	{ "mapping", 1, 8, 8, 0x4ffff, -EINVAL,
	  "0x2000-0x4ffff cannot be mapped in domain 1: Invalid argument" },
	{ "mapping", 2, 8, 8, 0x1000000000fff, -EBADMSG,
	  "the mapping at 0xfffffffff000 lies outside the input range" },
	{ "mapping", 0, 16, 8, 0x7001, -EBADMSG, "the mapping at 0x1000 is not on the granule" },
	{ "mapping", 1, 16, 8, 0xfffffffffffff000, -EBADMSG, "the mapping at 0x2000 wraps" },
	{ "mapping", 0, 24, 4, 0, -EBADMSG, "the mapping at 0x1000 has no such flags" },
	{ "mapping", 0, 24, 4, 4, -EBADMSG, "the mapping at 0x1000 has no such flags" },
	{ "mapping", 0, 24, 4, 9, -EBADMSG, "the mapping at 0x1000 has no such flags" },
	{ "mapping", 0, 28, 4, 1, -EBADMSG, "the mapping at 0x1000 has no such flags" },
	{ "mapping", 2, HEAD_TYPE, 4, 6, -EBADMSG,
	  "a record of type 6 where one of type 5 (mapping) belongs" },
	{ "mapping", 2, HEAD_LENGTH, 4, 33, -EBADMSG,
	  "a record of type 5 (mapping) is 33 bytes long, not 32" },
	{ "event", 0, 0, 1, 3, -EBADMSG, "an event is no fault" },
	{ "event", 0, 1, 1, 1, -EBADMSG, "an event is no fault" },
	{ "event", 1, 3, 1, 1, -EBADMSG, "an event is no fault" },
	{ "event", 0, 4, 4, 0x104 | 8, -EBADMSG, "an event is no fault" },
	{ "event", 0, 4, 4, 0x201, -EBADMSG, "an event is no fault" },
	{ "event", 0, 4, 4, 0x10101, -EBADMSG, "an event is no fault" },
	{ "event", 1, 15, 1, 1, -EBADMSG, "an event is no fault" },
	{ "end", 0, HEAD_TYPE, 4, 6, -EBADMSG,
	  "a record of type 6 where one of type 7 (end) belongs" },
	{ "end", 0, HEAD_LENGTH, 4, 1, -EBADMSG,
	  "a record of type 7 (end) is 1 bytes long, not 0" },
};

static void check_damage(struct world *world, const struct stream *good, const struct damage *d)
{
	uint64_t value = htole64(d->value);
	struct stream stream = *good;
	struct ward_error error;
	int code;

	memcpy(stream.bytes + record_at(good, d->record, d->nth) + (int32_t)d->offset, &value,
	       d->size);
	code = load(world, &stream, &error);
	if (code != d->code || strcmp(error.text, d->sentence) != 0)
		fail_msg("%s %u+%d: %d \"%s\", not %d \"%s\"", d->record, d->nth, (int)d->offset,
			 code, error.text, d->code, d->sentence);
	assert_empty(world, false);
}

static void each_field_is_damaged(void **state)
{
	struct ward_error error;
	struct stream stream;
	struct world world;
	(void)state;

	make(&world, &standard);
	fill(&world);
	ward_viommu_break(world.viommu, "why");
	save(&world, &stream);
	finish(&world);
	make(&world, &standard);
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
		check_damage(&world, &stream, &damages[i]);
	assert_int_equal(load(&world, &stream, &error), 0);
	finish(&world);
}

/* Whatever was damaged: it is refused, and then nothing is left of it; or it is as good as any other. */
static void any_byte_is_damaged(void **state)
{
	struct stream good, stream, again;
	struct world world;
	(void)state;

	make(&world, &standard);
	fill(&world);
	save(&world, &good);
	ward_viommu_reset(world.viommu, true);
	for (size_t i = 0; i < good.size * 8; i++) {
		struct ward_error error;
		int code;

		stream = good;
		stream.bytes[i / 8] ^= (uint8_t)(1u << i % 8);
		code = load(&world, &stream, &error);
		if (code) {
			assert_empty(&world, false);
			assert_true(error.text[0]);
			continue;
		}
		save(&world, &again);
		assert_same(&stream, &again);
		assert_null(follower_check(&world.follower));
		ward_viommu_reset(world.viommu, true);
		ward_viommu_config_write(world.viommu, 36, "", 1);
	}
	finish(&world);
}

static void a_frozen_endpoint_needs_a_broken_device(void **state)
{
	const struct damage frozen = { "endpoint",
				       0,
				       4,
				       4,
				       5,
				       -EBADMSG,
				       "endpoint 1 is frozen, and the device is not broken" };
	const struct damage nobody = {
		"device", 0, 44, 4, 0, -EBADMSG, "endpoint 1 is attached to no driver"
	};
	const struct damage bypass = {
		"device", 0, 44, 4, 2, -EBADMSG, "bypass without BYPASS_CONFIG"
	};
	struct ward_viommu_options options = standard;
	struct stream stream;
	struct world world;
	(void)state;

	make(&world, &standard);
	fill(&world);
	save(&world, &stream);
	ward_viommu_reset(world.viommu, true);
	check_damage(&world, &stream, &frozen);
	finish(&world);

	options.features = WARD_VIOMMU_F_MAP_UNMAP;
	make(&world, &options);
	save(&world, &stream);
	check_damage(&world, &stream, &bypass);
	stream.bytes[record_at(&stream, "endpoint", 0) + 4] = 1;
	check_damage(&world, &stream, &nobody);
	finish(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(some_of_everything_comes_back),
		cmocka_unit_test(a_loaded_device_goes_on),
		cmocka_unit_test(a_new_device_is_a_state_too),
		cmocka_unit_test(what_guests_of_old_negotiated_comes_back),
		cmocka_unit_test(the_byte_comes_back_without_its_feature),
		cmocka_unit_test(a_broken_device_is_broken_there),
		cmocka_unit_test(who_is_frozen_is_frozen_there),
		cmocka_unit_test(states_made_by_chance_come_back),
		cmocka_unit_test(a_write_that_fails_ends_the_save),
		cmocka_unit_test(cut_off_anywhere_it_is_as_after_a_reset),
		cmocka_unit_test(nothing_is_read_behind_the_end),
		cmocka_unit_test(a_device_in_use_does_not_load),
		cmocka_unit_test(each_field_is_damaged),
		cmocka_unit_test(any_byte_is_damaged),
		cmocka_unit_test(a_frozen_endpoint_needs_a_broken_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

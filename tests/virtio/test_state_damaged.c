// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The state of a device, damaged: each field in turn, and any byte. What is refused leaves the device as
 * after a reset.
 */
#include "virtio/state_rig.h"

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
	{ "mapping", 0, 24, 4, 17, -EBADMSG, "the mapping at 0x1000 has no such flags" },
	{ "mapping", 0, 24, 4, 9, -EBADMSG, "the mapping at 0x1000 is in no IDENTITY region" },
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
		cmocka_unit_test(each_field_is_damaged),
		cmocka_unit_test(any_byte_is_damaged),
		cmocka_unit_test(a_frozen_endpoint_needs_a_broken_device),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

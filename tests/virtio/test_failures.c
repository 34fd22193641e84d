// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Every allocation and every call of three listeners failed in turn, during everything that changes a
 * device. What may be refused is refused, and all is as before: endpoints, mappings, and what each
 * listener believes. What may not is done all the same; the endpoints whose listener failed, and no other
 * ones, are frozen, the device is broken, and a reset recovers when listeners work again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sweep.h"
#include "virtio/ask.h"
#include "virtio/follower.h"

#include <stdlib.h>

#define FOLLOWERS 3u
#define BYTES 8192u
#define NOBODY 9u /* no such endpoint yet */

struct stream {
	uint8_t bytes[BYTES];
	size_t size, at;
};

struct world {
	struct ward_viommu *viommu;
	struct ward_readers *readers;
	struct ward_reader *reader;
	struct follower_plan plan;
	struct follower followers[FOLLOWERS];
};

static int write_stream(void *context, const void *bytes, size_t size)
{
	struct stream *stream = context;

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

static int add(struct world *world, uint32_t id)
{
	const struct ward_reserved reserved = { { 0x40000, 0x4ffff }, WARD_REGION_RESERVED };
	const struct ward_viommu_endpoint_options options = { .size = sizeof(options),
							      .endpoint = id,
							      .reserved = &reserved,
							      .reserved_count = id & 1 };

	return ward_viommu_endpoint_add(world->viommu, &options, NULL);
}

/* Endpoints 1 to 5; nothing negotiated. */
static void make_empty(struct world *world, uint32_t features)
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
static void fill(struct world *world, bool bypass)
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

static void finish(struct world *world)
{
	ward_viommu_destroy(world->viommu);
	ward_reader_destroy(world->reader);
	ward_readers_destroy(world->readers);
}

/* What it does is a request's status, or an errno. */
struct action {
	const char *name;
	int (*act)(struct world *world);
	bool given;	 /* may be refused */
	bool bypass;	 /* the byte is 1 before */
	uint32_t leaves; /* the endpoint that is removed */
};

static int attach_new(struct world *world)
{
	return guest_attach(world->viommu, 20, 4, 0);
}

static int attach_mapped(struct world *world)
{
	return guest_attach(world->viommu, 1, 4, 0);
}

static int attach_bypass(struct world *world)
{
	return guest_attach(world->viommu, 20, 4, GUEST_BYPASS);
}

static int attach_from_another(struct world *world)
{
	return guest_attach(world->viommu, 6, 1, 0);
}

static int attach_from_its_last(struct world *world)
{
	return guest_attach(world->viommu, 1, 5, 0);
}

static int attach_from_bypass_to_new(struct world *world)
{
	return guest_attach(world->viommu, 20, 3, 0);
}

static int detach_one(struct world *world)
{
	return guest_detach(world->viommu, 1, 2);
}

static int detach_last(struct world *world)
{
	return guest_detach(world->viommu, 6, 5);
}

static int detach_from_bypass(struct world *world)
{
	return guest_detach(world->viommu, 7, 3);
}

static int map(struct world *world)
{
	return guest_map(world->viommu, 1, 0x3000, 0x4fff, 0x50000, GUEST_READ | GUEST_MMIO);
}

static int unmap_one(struct world *world)
{
	return guest_unmap(world->viommu, 1, 0x2000, 0x2fff);
}

static int unmap_all(struct world *world)
{
	return guest_unmap(world->viommu, 1, 0, UINT64_MAX);
}

static int bypass_on(struct world *world)
{
	return ward_viommu_config_write(world->viommu, 36, "\1", 1);
}

static int bypass_off(struct world *world)
{
	return ward_viommu_config_write(world->viommu, 36, "", 1);
}

static int reset(struct world *world)
{
	ward_viommu_reset(world->viommu, false);
	return 0;
}

static int reset_system(struct world *world)
{
	ward_viommu_reset(world->viommu, true);
	return 0;
}

static int plug(struct world *world)
{
	return add(world, NOBODY);
}

static int unplug_one(struct world *world)
{
	return ward_viommu_endpoint_remove(world->viommu, 1);
}

static int unplug_last(struct world *world)
{
	return ward_viommu_endpoint_remove(world->viommu, 5);
}

static int unplug_free(struct world *world)
{
	return ward_viommu_endpoint_remove(world->viommu, 4);
}

static const struct action actions[] = {
	{ "attach to a new domain", attach_new, true, false, 0 },
	{ "attach to a new domain, from bypass", attach_new, true, true, 0 },
	{ "attach to a domain with mappings", attach_mapped, true, true, 0 },
	{ "attach to a bypass domain", attach_bypass, true, false, 0 },
	{ "attach, from another domain", attach_from_another, true, false, 0 },
	{ "attach the last one of a domain", attach_from_its_last, true, true, 0 },
	{ "attach, from a bypass domain", attach_from_bypass_to_new, true, false, 0 },
	{ "detach one of two", detach_one, false, false, 0 },
	{ "detach one of two, to bypass", detach_one, false, true, 0 },
	{ "detach the last one", detach_last, false, true, 0 },
	{ "detach from a bypass domain", detach_from_bypass, false, false, 0 },
	{ "map", map, true, false, 0 },
	{ "unmap one", unmap_one, false, false, 0 },
	{ "unmap all", unmap_all, false, false, 0 },
	{ "bypass on", bypass_on, false, false, 0 },
	{ "bypass off", bypass_off, false, true, 0 },
	{ "device reset", reset, false, false, 0 },
	{ "device reset, bypass", reset, false, true, 0 },
	{ "system reset", reset_system, false, true, 0 },
	{ "hot-plug", plug, true, true, 0 },
	{ "hot-plug, blocked", plug, true, false, 0 },
	{ "unplug one of two", unplug_one, false, true, 1 },
	{ "unplug the last one of a domain", unplug_last, false, false, 5 },
	{ "unplug one in no domain", unplug_free, false, true, 4 },
};
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

static void save(const struct world *world, struct stream *ret_stream)
{
	ret_stream->size = ret_stream->at = 0;
	assert_int_equal(ward_viommu_save(world->viommu, write_stream, ret_stream), 0);
}

/* All that can be seen of it: its state, where endpoints are, their regions. */
static void look(const struct world *world, struct stream *ret_stream)
{
	struct ward_viommu_endpoint e;
	struct ward_viommu_info info;

	save(world, ret_stream);
	for (uint32_t id = 0; ward_viommu_endpoint_next(world->viommu, id, &e);
	     id = e.endpoint + 1) {
		struct ward_viommu_region region;
		uint32_t cursor = 0;

		write_stream(ret_stream, &e.place.kind, sizeof(e.place.kind));
		write_stream(ret_stream, &e.place.space, sizeof(const struct ward_space *));
		while (ward_viommu_region_next(world->viommu, e.endpoint, &cursor, &region))
			write_stream(ret_stream, &region.range, sizeof(region.range));
	}
	ward_viommu_info(world->viommu, &info);
	write_stream(ret_stream, &info.mappings, sizeof(info.mappings));
	write_stream(ret_stream, &info.domains, sizeof(info.domains));
}

/* Each listener has the same as the device. */
static void check_followers(struct world *world, const char *name, unsigned long nth)
{
	for (uint32_t i = 0; i < FOLLOWERS; i++) {
		const char *wrong = follower_check(&world->followers[i]);

		if (wrong)
			fail_msg("%s, %lu: listener %u: %s", name, nth, i, wrong);
	}
}

static bool may_write(const struct world *world, uint32_t endpoint, uint64_t iova)
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
static void check_frozen(const struct world *world, const char *name, unsigned long nth,
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
static void check_recovers(struct world *world, const char *name, unsigned long nth)
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

static int status_of(int code)
{
	switch (code) {
	case -ENOMEM:
	case -ENOSPC:
		return GUEST_NOMEM;
	case -EFAULT:
		return GUEST_FAULT;
	case -EEXIST:
		return GUEST_INVAL;
	case -EOPNOTSUPP:
		return GUEST_UNSUPP;
	case -EOVERFLOW:
		return GUEST_RANGE;
	default:
		return GUEST_DEVERR;
	}
}

/* The listeners' call that is the nth during the action fails. False: there was none. */
static bool fail_call(const struct action *action, unsigned long nth, int code, bool on)
{
	static struct stream before, after;
	struct ward_viommu_info info;
	struct world world;
	bool stuck, hit;
	int result;

	make_empty(&world, 0);
	fill(&world, action->bypass);
	check_followers(&world, action->name, 0);
	look(&world, &before);
	world.plan = (struct follower_plan){ .fail_at = nth, .on = on, .code = code };
	result = action->act(&world);
	hit = world.plan.failures > 0;
	/* What was refused cannot be taken back, or must not be refused at all. */
	stuck = hit && (!action->given || code == -EIO || world.plan.failures > 1);
	world.plan.fail_at = 0;
	if (action->leaves)
		for (uint32_t i = 0; i < FOLLOWERS; i++)
			follower_forget(&world.followers[i], action->leaves);
	ward_viommu_info(world.viommu, &info);
	if (info.broken != stuck)
		fail_msg("%s, %lu (%d): broken %d", action->name, nth, code, info.broken);
	check_frozen(&world, action->name, nth, stuck ? world.plan.whose : 0);
	check_followers(&world, action->name, nth);
	if (!hit) {
		assert_int_equal(result, 0);
	} else if (!stuck) {
		look(&world, &after);
		assert_int_equal(before.size, after.size);
		assert_memory_equal(before.bytes, after.bytes, before.size);
	}
	if (hit && action->given)
		assert_int_equal(result, result < 0 ? (stuck ? -EIO : code)
						    : status_of(stuck ? -EIO : code));
	else if (hit && result > 0)
		assert_int_equal(result, GUEST_DEVERR);
	if (hit)
		check_recovers(&world, action->name, nth);
	finish(&world);
	return hit;
}

static unsigned long sweep_calls(const struct action *action, int code, bool on)
{
	unsigned long nth = 1;

	while (fail_call(action, nth, code, on))
		nth++;
	return nth - 1;
}

/* One listener's call, and then also all that come after it. */
static void each_call_fails(void **state)
{
	static const int codes[] = { -EBUSY,  -ENOMEM,	   -ENOSPC,    -EFAULT,
				     -EEXIST, -EOPNOTSUPP, -EOVERFLOW, -EIO };
	(void)state;

	for (size_t i = 0; i < ACTIONS; i++) {
		const struct action *action = &actions[i];

		for (size_t j = 0; j < sizeof(codes) / sizeof(codes[0]); j++) {
			unsigned long calls = sweep_calls(action, codes[j], false);

			/* Nobody is told who comes to a place where nothing goes. */
			assert_true(calls >= FOLLOWERS || strstr(action->name, "plug, blocked"));
			assert_true(sweep_calls(action, codes[j], true) >= 1 || calls == 0);
		}
	}
}

/* What cannot be refused needs no memory. */
static bool fail_allocation(const struct action *action, unsigned long nth)
{
	static struct stream before, after;
	struct world world;
	int result, hit;

	make_empty(&world, 0);
	fill(&world, action->bypass);
	look(&world, &before);
	ward_fault_arm(nth);
	result = action->act(&world);
	hit = ward_fault_hit();
	ward_fault_arm(0);
	if (action->leaves)
		for (uint32_t i = 0; i < FOLLOWERS; i++)
			follower_forget(&world.followers[i], action->leaves);
	check_followers(&world, action->name, nth);
	check_frozen(&world, action->name, nth, 0);
	if (hit && !action->given)
		fail_msg("%s needs memory", action->name);
	if (hit) {
		assert_int_equal(result, result < 0 ? -ENOMEM : GUEST_NOMEM);
		look(&world, &after);
		assert_int_equal(before.size, after.size);
		assert_memory_equal(before.bytes, after.bytes, before.size);
		check_recovers(&world, action->name, nth);
	} else {
		assert_int_equal(result, 0);
	}
	finish(&world);
	return hit;
}

static void each_allocation_fails(void **state)
{
	unsigned long count = 0;
	(void)state;

	for (size_t i = 0; i < ACTIONS; i++) {
		unsigned long nth = 1;

		while (fail_allocation(&actions[i], nth))
			nth++;
		count += nth - 1;
	}
	assert_true(count > 5);
	if (__lsan_do_recoverable_leak_check)
		assert_int_equal(__lsan_do_recoverable_leak_check(), 0);
}

static int create(void *context)
{
	const struct ward_doorbell_frame frame = { { 0x8000040, 0x8000043 }, 0 };
	const struct ward_viommu_options options = { .size = sizeof(options),
						     .frames = &frame,
						     .frames_count = 1 };
	const struct ward_reserved reserved = { { 0x40000, 0x4ffff }, WARD_REGION_RESERVED };
	const struct ward_viommu_endpoint_options endpoint = {
		.size = sizeof(endpoint),
		.endpoint = 1,
		.msi = WARD_VIOMMU_MSI_BYPASSED,
		.frames = 1,
		.reserved = &reserved,
		.reserved_count = 1,
	};
	struct ward_viommu *viommu;
	int code = ward_viommu_create(&options, &viommu);
	(void)context;

	if (code)
		return code;
	code = ward_viommu_endpoint_add(viommu, &endpoint, NULL);
	ward_viommu_destroy(viommu);
	return code;
}

static void a_device_is_made_or_not(void **state)
{
	(void)state;
	assert_true(test_sweep(create, NULL) > 3);
}

#define MANY 4000u

static uint64_t count_mappings(const struct ward_viommu *viommu)
{
	struct ward_viommu_endpoint endpoint;
	struct ward_mapping mapping;
	uint64_t count = 0, from = 0;

	assert_true(ward_viommu_endpoint_next(viommu, 1, &endpoint));
	while (ward_space_next(endpoint.place.space, ward_iova(from), &mapping)) {
		assert_int_equal(ward_target_raw(mapping.target),
				 ward_iova_raw(mapping.start) + 0x100000);
		from = ward_iova_raw(mapping.last) + 1;
		count++;
	}
	return count;
}

/* So many that the tree grows several times. What was refused is no mapping, and can be asked again. */
static bool fail_allocation_of_many(unsigned long nth)
{
	const struct ward_viommu_options options = { .size = sizeof(options) };
	const struct ward_viommu_endpoint_options endpoint = { .size = sizeof(endpoint),
							       .endpoint = 1 };
	struct ward_viommu_info info;
	struct ward_viommu *viommu;
	uint32_t refused = 0;
	int hit;

	assert_int_equal(ward_viommu_create(&options, &viommu), 0);
	assert_int_equal(ward_viommu_endpoint_add(viommu, &endpoint, NULL), 0);
	assert_int_equal(ward_viommu_negotiate(viommu, ward_viommu_features(viommu)), 0);
	assert_int_equal(guest_attach(viommu, 1, 1, 0), GUEST_OK);
	ward_fault_arm(nth);
	for (uint64_t i = 0; i < MANY; i++) {
		uint64_t start = (i * 1237 % MANY) << 13;
		int status =
			guest_map(viommu, 1, start, start + 0xfff, start + 0x100000, GUEST_READ);

		if (status == GUEST_OK)
			continue;
		assert_int_equal(status, GUEST_NOMEM);
		refused++;
		assert_int_equal(count_mappings(viommu), i);
		i--;
	}
	hit = ward_fault_hit();
	ward_fault_arm(0);
	assert_int_equal(refused, hit);
	assert_int_equal(count_mappings(viommu), MANY);
	ward_viommu_info(viommu, &info);
	assert_int_equal(info.mappings, MANY);
	ward_viommu_destroy(viommu);
	return hit;
}

static void nodes_of_many_mappings_fail(void **state)
{
	unsigned long nth = 1;
	(void)state;

	while (fail_allocation_of_many(nth))
		nth++;
	assert_true(nth > 3);
}

static void check_loaded(struct world *world, unsigned long nth, int code, bool hit, bool on)
{
	struct ward_viommu_info info;
	uint8_t byte;

	ward_viommu_info(world->viommu, &info);
	ward_viommu_config_read(world->viommu, 36, &byte, 1);
	assert_int_equal(byte, !hit);
	check_followers(world, "load", nth);
	if (!hit) {
		assert_int_equal(code, 0);
		assert_int_equal(info.domains, 3);
		return;
	}
	assert_true(code < 0);
	assert_int_equal(info.domains, 0);
	assert_int_equal(info.mappings, 0);
	assert_int_equal(info.negotiated, 0);
	/* Its reset works, unless listeners fail there, too. */
	if (!on) {
		assert_false(info.broken);
		check_frozen(world, "load", nth, 0);
	}
	check_recovers(world, "load", nth);
}

static void each_call_of_a_load_fails(void **state)
{
	static const int codes[] = { -EBUSY, -ENOMEM, -EIO };
	static struct stream stream;
	struct world world;
	(void)state;

	make_empty(&world, 0);
	fill(&world, true);
	save(&world, &stream);
	finish(&world);
	for (size_t i = 0; i < 6; i++) {
		bool hit = true;

		for (unsigned long nth = 1; hit; nth++) {
			struct ward_error error = { "" };
			int code;

			make_empty(&world, 0);
			stream.at = 0;
			world.plan = (struct follower_plan){ .fail_at = nth,
							     .on = i & 1,
							     .code = codes[i / 2] };
			code = ward_viommu_load(world.viommu, read_stream, &stream, &error);
			hit = world.plan.failures > 0;
			assert_true(!hit == !error.text[0]);
			check_loaded(&world, nth, code, hit, i & 1);
			finish(&world);
			assert_true(hit || nth > 20);
		}
	}
}

static void each_allocation_of_a_load_fails(void **state)
{
	static struct stream stream;
	struct world world;
	int hit = 1;
	(void)state;

	make_empty(&world, 0);
	fill(&world, true);
	save(&world, &stream);
	finish(&world);
	for (unsigned long nth = 1; hit; nth++) {
		int code;

		make_empty(&world, 0);
		stream.at = 0;
		ward_fault_arm(nth);
		code = ward_viommu_load(world.viommu, read_stream, &stream, NULL);
		hit = ward_fault_hit();
		ward_fault_arm(0);
		assert_int_equal(code, hit ? -ENOMEM : 0);
		check_loaded(&world, nth, code, hit, false);
		finish(&world);
		assert_true(hit || nth > 5);
	}
}

/* A device of old: what is negotiated lets endpoints through, and that cannot be refused. */
static void each_call_of_a_negotiation_fails(void **state)
{
	const uint32_t features = WARD_VIOMMU_F_MAP_UNMAP | WARD_VIOMMU_F_BYPASS;
	bool hit = true;
	(void)state;

	for (unsigned long nth = 1; hit; nth++) {
		struct ward_viommu_info info;
		struct world world;

		make_empty(&world, features);
		world.plan = (struct follower_plan){ .fail_at = nth, .code = -EBUSY };
		assert_int_equal(ward_viommu_negotiate(world.viommu, features), 0);
		hit = world.plan.failures;
		ward_viommu_info(world.viommu, &info);
		assert_int_equal(info.broken, hit);
		check_frozen(&world, "negotiate", nth, world.plan.whose);
		check_followers(&world, "negotiate", nth);
		world.plan.fail_at = 0;
		ward_viommu_reset(world.viommu, false);
		check_frozen(&world, "negotiate", nth, 0);
		check_followers(&world, "negotiate", nth);
		assert_int_equal(ward_viommu_negotiate(world.viommu, features), 0);
		check_followers(&world, "negotiate", nth);
		finish(&world);
		assert_true(hit || nth == 5 * FOLLOWERS + 1);
	}
}

/* Until listeners work again a reset leaves frozen who was frozen, and the device broken. */
static void a_reset_that_fails_can_be_repeated(void **state)
{
	struct ward_viommu_info info;
	struct world world;
	(void)state;

	make_empty(&world, 0);
	fill(&world, true);
	world.plan = (struct follower_plan){ .fail_at = 1, .on = true, .code = -EBUSY };
	assert_int_equal(unmap_one(&world), GUEST_DEVERR);
	check_frozen(&world, "unmap", 1, 0x6);
	check_followers(&world, "unmap", 1);
	for (unsigned long i = 0; i < 3; i++) {
		ward_viommu_reset(world.viommu, i & 1);
		/* Nobody can be moved, whether or not it was frozen. */
		check_followers(&world, "reset", i);
		ward_viommu_info(world.viommu, &info);
		assert_true(info.broken);
		assert_int_equal(info.domains, 0);
		assert_int_equal(guest_detach(world.viommu, 1, 1), GUEST_BROKEN);
	}
	check_recovers(&world, "reset", 3);
	finish(&world);
}

/* Domains of a device that is broken are left by resets and removals alone. */
static void a_broken_device_gives_its_endpoints_back(void **state)
{
	struct world world;
	(void)state;

	make_empty(&world, 0);
	fill(&world, false);
	world.plan = (struct follower_plan){ .fail_at = 2, .code = -EBUSY };
	assert_int_equal(unmap_one(&world), GUEST_DEVERR);
	world.plan.fail_at = 0;
	assert_int_equal(add(&world, NOBODY), -EIO);
	for (uint32_t id = 1; id <= 5; id++) {
		assert_int_equal(ward_viommu_endpoint_remove(world.viommu, id), 0);
		for (uint32_t i = 0; i < FOLLOWERS; i++)
			follower_forget(&world.followers[i], id);
		check_followers(&world, "remove", id);
	}
	check_recovers(&world, "remove", 6);
	finish(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_is_made_or_not),
		cmocka_unit_test(each_call_fails),
		cmocka_unit_test(each_allocation_fails),
		cmocka_unit_test(nodes_of_many_mappings_fail),
		cmocka_unit_test(each_call_of_a_load_fails),
		cmocka_unit_test(each_allocation_of_a_load_fails),
		cmocka_unit_test(each_call_of_a_negotiation_fails),
		cmocka_unit_test(a_reset_that_fails_can_be_repeated),
		cmocka_unit_test(a_broken_device_gives_its_endpoints_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Every allocation and every call of three listeners failed in turn, during everything that changes a
 * device. What may be refused is refused, and all is as before: endpoints, mappings, and what each
 * listener believes. What may not is done all the same; the endpoints whose listener failed, and no other
 * ones, are frozen, the device is broken, and a reset recovers when listeners work again.
 */
#include "virtio/failures_rig.h"

#include "sweep.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_fails),
		cmocka_unit_test(each_allocation_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Faults as events: their bytes, the budget of each endpoint by the caller's clock, what waits. */
#include "virtio/guest.h"

#include "virtio/viommu.h"

#include "sweep.h"

#define SIZE 24u
#define BURST 3u
#define INTERVAL UINT64_C(1000)
#define WAITING 8u

struct world {
	struct ward_viommu_options options;
	struct ward_viommu *viommu;
	uint8_t event[SIZE + 8];
};

static int set_up(void **state)
{
	static struct world world;

	world = (struct world){
		.options = {
			.events_max = WAITING,
			.events_burst = BURST,
			.events_interval = INTERVAL,
		},
	};
	world.viommu = guest_device(&world.options);
	for (uint32_t id = 0; id < 4; id++)
		guest_endpoint(world.viommu, id * 0x10001, WARD_VIOMMU_MSI_NONE, 0);
	*state = &world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	ward_viommu_destroy(world->viommu);
	return 0;
}

static bool report(struct world *world, uint32_t endpoint, enum ward_fault_reason reason,
		   uint32_t access, uint64_t iova, uint64_t now)
{
	const struct ward_fault fault = {
		.reason = reason,
		.access = access,
		.iova = ward_iova(iova),
	};

	return ward_viommu_fault(world->viommu, endpoint, &fault, now);
}

/* Reports reads of an endpoint; how many were told of, not too many or too late. */
static uint64_t some(struct world *world, uint32_t endpoint, unsigned int count, uint64_t now)
{
	struct ward_viommu_info before, after;

	ward_viommu_info(world->viommu, &before);
	while (count-- > 0)
		report(world, endpoint, WARD_FAULT_TRANSLATION, WARD_READ, count, now);
	ward_viommu_info(world->viommu, &after);
	return after.events_waiting - before.events_waiting;
}

static int take(struct world *world, size_t room, uint32_t *ret_written)
{
	struct iovec in = { world->event, room };

	memset(world->event, 0xa5, sizeof(world->event));
	return ward_viommu_event(world->viommu, &in, 1, ret_written);
}

static void expect(struct world *world, uint8_t reason, uint32_t flags, uint32_t endpoint,
		   uint64_t address)
{
	uint32_t written;

	assert_int_equal(take(world, sizeof(world->event), &written), 0);
	assert_int_equal(written, SIZE);
	assert_int_equal(guest_get(world->event, 4), reason);
	assert_int_equal(guest_get(world->event + 4, 4), flags);
	assert_int_equal(guest_get(world->event + 8, 4), endpoint);
	assert_int_equal(guest_get(world->event + 12, 4), 0);
	assert_int_equal(guest_get(world->event + 16, 8), address);
	assert_int_equal(world->event[SIZE], 0xa5);
}

static void bytes(void **state)
{
	static const struct {
		enum ward_fault_reason fault;
		uint8_t reason;
	} reasons[] = {
		{ WARD_FAULT_BLOCKED, 1 },	{ WARD_FAULT_TRANSLATION, 2 },
		{ WARD_FAULT_PERMISSION, 2 },	{ WARD_FAULT_CONFIG, 0 },
		{ WARD_FAULT_PASID, 0 },	{ WARD_FAULT_CONTEXT, 0 },
		{ WARD_FAULT_ADDRESS_SIZE, 0 }, { WARD_FAULT_ACCESS_FLAG, 0 },
		{ WARD_FAULT_TABLE, 0 },
	};
	struct world *world = *state;

	for (uint64_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		assert_true(report(world, 0x20002, reasons[i].fault, WARD_WRITE,
				   UINT64_C(0xfedcba9876543210), i * INTERVAL));
		expect(world, reasons[i].reason, 0x102, 0x20002, UINT64_C(0xfedcba9876543210));
	}
	report(world, 0, WARD_FAULT_BLOCKED, WARD_READ, 1, 0);
	expect(world, 1, 0x101, 0, 1);
	report(world, 0, WARD_FAULT_BLOCKED, WARD_READ | WARD_WRITE, 2, 0);
	expect(world, 1, 0x103, 0, 2);
	report(world, 0, WARD_FAULT_BLOCKED, WARD_EXEC, 3, 0);
	expect(world, 1, 0x101, 0, 3);
}

static void of_a_translation(void **state)
{
	struct world *world = *state;
	struct ward_translation translation;
	struct ward_fault fault;

	assert_int_equal(ward_viommu_translate(world->viommu, NULL, 0x10001, ward_iova(0x1234),
					       WARD_WRITE, &translation, &fault),
			 -EFAULT);
	assert_true(ward_viommu_fault(world->viommu, 0x10001, &fault, 0));
	expect(world, 1, 0x102, 0x10001, 0x1234);
	assert_int_equal(guest_attach(world->viommu, 1, 0x10001, 0), GUEST_OK);
	assert_int_equal(ward_viommu_translate(world->viommu, NULL, 0x10001, ward_iova(0x5678),
					       WARD_READ, &translation, &fault),
			 -EFAULT);
	assert_true(ward_viommu_fault(world->viommu, 0x10001, &fault, 0));
	expect(world, 2, 0x101, 0x10001, 0x5678);
}

static void budget(void **state)
{
	struct world *world = *state;
	const uint64_t start = 5000;
	struct ward_viommu_endpoint endpoint;
	struct ward_viommu_info info;

	assert_int_equal(some(world, 0, 10, start), BURST);
	/* Others have their own. */
	assert_int_equal(some(world, 0x10001, 1, start), 1);
	assert_int_equal(some(world, 0, 10, start + INTERVAL - 1), 0);
	assert_int_equal(some(world, 0, 10, start + INTERVAL), 1);
	/* The rest of an interval is not lost. */
	assert_int_equal(some(world, 0, 10, start + 2 * INTERVAL + INTERVAL / 2), 1);
	assert_int_equal(some(world, 0, 10, start + 3 * INTERVAL), 1);
	ward_viommu_reset(world->viommu, false);
	/* At most a burst is saved up. */
	assert_int_equal(some(world, 0, 10, start + 1000 * INTERVAL), BURST);
	assert_int_equal(some(world, 0, 10, start + 1001 * INTERVAL - 1), 0);
	ward_viommu_info(world->viommu, &info);
	assert_int_equal(info.events_limited, 10 * 7 - 2 * BURST - 3);
	assert_int_equal(info.events_dropped, WAITING - 1);
	assert_true(ward_viommu_endpoint_next(world->viommu, 0, &endpoint));
	assert_int_equal(endpoint.faults, 70);
}

/* Threads read the clock, and then come one before the other. */
static void clocks_apart(void **state)
{
	struct world *world = *state;

	assert_int_equal(some(world, 0, 2, 5000), 2);
	assert_int_equal(some(world, 0, 2, 100), 1);
	assert_int_equal(some(world, 0, 2, 5999), 0);
	assert_int_equal(some(world, 0, 2, 6000), 1);
	assert_int_equal(some(world, 0x10001, 3, 0), BURST);
	assert_int_equal(some(world, 0x10001, 3, UINT64_MAX), WAITING - 2 * BURST - 1);
}

static void only_so_many_wait(void **state)
{
	struct world *world = *state;
	struct ward_viommu_info info;
	uint32_t written;

	for (uint32_t id = 0; id < 3; id++)
		for (uint32_t i = 0; i < BURST; i++)
			assert_true(report(world, id * 0x10001, WARD_FAULT_TRANSLATION, WARD_READ,
					   id * BURST + i, 0));
	ward_viommu_info(world->viommu, &info);
	assert_int_equal(info.events_waiting, WAITING);
	assert_int_equal(info.events_dropped, 3 * BURST - WAITING);
	/* In order, also around the end of the ring. */
	for (uint32_t i = 0; i < 5; i++)
		expect(world, 2, 0x101, i / BURST * 0x10001, i);
	for (uint32_t i = 0; i < 3; i++)
		assert_true(report(world, 0x30003, WARD_FAULT_TRANSLATION, WARD_READ, 50 + i, 0));
	for (uint32_t i = 5; i < WAITING; i++)
		expect(world, 2, 0x101, i / BURST * 0x10001, i);
	for (uint32_t i = 0; i < 3; i++)
		expect(world, 2, 0x101, 0x30003, 50 + i);
	assert_int_equal(take(world, SIZE, &written), -ENOENT);
	ward_viommu_info(world->viommu, &info);
	assert_int_equal(info.events_waiting, 0);
	assert_int_equal(info.events_told, WAITING + 3);
}

static void nobody(void **state)
{
	struct world *world = *state;
	struct ward_viommu_info info;
	uint32_t written;

	assert_false(report(world, 1, WARD_FAULT_BLOCKED, WARD_READ, 0, 0));
	assert_int_equal(take(world, SIZE, &written), -ENOENT);
	/* What waits already still does. */
	assert_true(report(world, 0, WARD_FAULT_BLOCKED, WARD_READ, 0, 0));
	assert_true(report(world, 1, WARD_FAULT_BLOCKED, WARD_READ, 0, 0));
	ward_viommu_info(world->viommu, &info);
	assert_int_equal(info.events_waiting, 1);
	assert_int_equal(info.events_dropped, 2);
}

static void buffers(void **state)
{
	struct world *world = *state;
	struct iovec pieces[SIZE + 1];
	uint32_t written = 77;

	report(world, 0, WARD_FAULT_TRANSLATION, WARD_WRITE, 0x1000, 0);
	for (size_t room = 0; room < SIZE; room++) {
		assert_int_equal(take(world, room, &written), -ENOSPC);
		assert_int_equal(world->event[0], 0xa5);
	}
	assert_int_equal(written, 77);
	/* Lengths that a sum cannot hold. */
	pieces[0] = (struct iovec){ world->event, SIZE_MAX };
	pieces[1] = pieces[0];
	assert_int_equal(ward_viommu_event(world->viommu, pieces, 2, &written), 0);
	assert_int_equal(written, SIZE);
	report(world, 0, WARD_FAULT_TRANSLATION, WARD_WRITE, 0x1000, 0);
	pieces[0] = (struct iovec){ NULL, 0 };
	for (uint32_t i = 0; i < SIZE; i++)
		pieces[i + 1] = (struct iovec){ world->event + SIZE - 1 - i, 1 };
	assert_int_equal(ward_viommu_event(world->viommu, pieces, SIZE + 1, &written), 0);
	assert_int_equal(written, SIZE);
	assert_int_equal(world->event[SIZE - 1], 2);
	assert_int_equal(world->event[SIZE - 1 - 17], 0x10);
}

static void a_reset_drops_what_waits(void **state)
{
	struct world *world = *state;
	struct ward_viommu_info info;
	uint32_t written;

	report(world, 0, WARD_FAULT_TRANSLATION, WARD_WRITE, 0x1000, 0);
	ward_viommu_reset(world->viommu, false);
	assert_int_equal(take(world, SIZE, &written), -ENOENT);
	ward_viommu_info(world->viommu, &info);
	assert_int_equal(info.events_dropped, 1);
}

static void removed(void **state)
{
	struct world *world = *state;

	assert_int_equal(some(world, 0, 10, 0), BURST);
	assert_int_equal(ward_viommu_endpoint_remove(world->viommu, 0), 0);
	expect(world, 2, 0x101, 0, 9);
	/* One that comes in its place begins with a budget of its own. */
	guest_endpoint(world->viommu, 0, WARD_VIOMMU_MSI_NONE, 0);
	assert_int_equal(some(world, 0, 10, 0), BURST);
}

static void defaults(void **state)
{
	struct world *world = *state;

	ward_viommu_destroy(world->viommu);
	world->options = (struct ward_viommu_options){ 0 };
	world->viommu = guest_device(&world->options);
	for (uint32_t id = 0; id < 5; id++)
		guest_endpoint(world->viommu, id, WARD_VIOMMU_MSI_NONE, 0);
	for (uint32_t id = 0; id < 4; id++)
		assert_int_equal(some(world, id, 20, 0), 16);
	assert_int_equal(some(world, 4, 20, 0), 0);
	ward_viommu_reset(world->viommu, false);
	assert_int_equal(some(world, 0, 20, 99999999), 0);
	assert_int_equal(some(world, 0, 20, 100000000), 1);
}

static int make_events(void *context)
{
	struct viommu_events events;
	int code = ward_viommu_events_init(&events, 4);

	(void)context;
	if (code == 0)
		ward_viommu_events_finish(&events);
	return code;
}

static void no_memory(void **state)
{
	struct viommu_events never = { .lock = NULL };

	assert_true(test_sweep(make_events, *state) > 0);
	ward_viommu_events_finish(&never);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(bytes),
		TEST(of_a_translation),
		TEST(budget),
		TEST(clocks_apart),
		TEST(only_so_many_wait),
		TEST(nobody),
		TEST(buffers),
		TEST(a_reset_drops_what_waits),
		TEST(removed),
		TEST(defaults),
		TEST(no_memory),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

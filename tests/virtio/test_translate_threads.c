// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * DMA and faults while a guest maps, unmaps, attaches and detaches, and endpoints come and go. What
 * may be met holds by construction: each mapping leads to a cell of this program, each endpoint has a
 * cell for each place it can be in. The guest's side poisons a cell with a plain store after what leads
 * to it was taken away; readers look at it with plain loads between enter and exit. One that meets
 * poison fails, and one that only might have met it is a race for ThreadSanitizer
 * (scripts/check-threads).
 */
#include "virtio/guest.h"
#include "virtio/stream.h"

#include <doorward/reader.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#define READERS 2u
#define CHANGES 20000u
#define ENDPOINTS 4u
#define FIRST 0x100u /* id of the first endpoint; it is always attached, but for resets */
#define DOMAINS 3u   /* 1 to 3; 0 stands for bypass, the last one is a bypass domain, too */
#define BYPASS_DOMAIN 3u
#define PAGES 64u
#define IOVA UINT64_C(0x10000000000)
#define V2M UINT64_C(0x08020000)
#define POISON UINT32_C(0xdeaddead)

struct world {
	struct ward_readers *readers;
	struct ward_viommu *viommu;
	uint32_t mapped[DOMAINS][PAGES];      /* page + 1, or POISON */
	uint32_t allowed[ENDPOINTS][DOMAINS]; /* 1, or POISON */
	/* The guest's side knows: 0 no domain, and whether it is there. */
	uint32_t domain_of[ENDPOINTS];
	bool there[ENDPOINTS];
	uint8_t bypass;
	bool resets;
	_Atomic bool done;
	_Atomic unsigned int inside, wrong;
	_Atomic uint64_t clock, hits, rings, faults;
};

static const struct ward_doorbell_frame frame = { { V2M + 0x40, V2M + 0x43 }, 0 };

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void expect(struct world *world, bool well)
{
	if (!well)
		atomic_fetch_add(&world->wrong, 1);
}

static void count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* Bypass, or one page of one domain; for as long as the section lasts. */
static void look(struct world *world, uint32_t endpoint, uint64_t iova, uint64_t target)
{
	uint64_t cell = (target - 8) / GUEST_PAGE;
	uint32_t domain = target == iova ? 0 : (uint32_t)(cell / PAGES);
	uint64_t page = (iova - IOVA) / GUEST_PAGE;
	const volatile uint32_t *allowed, *mapped;

	if (domain >= DOMAINS || (domain && cell % PAGES != page)) {
		expect(world, false);
		return;
	}
	allowed = &world->allowed[endpoint][domain];
	mapped = &world->mapped[domain][page];
	for (unsigned int i = 0; i < 8; i++) {
		expect(world, *allowed == 1);
		expect(world, !domain || *mapped == page + 1);
	}
}

static void read_memory(struct world *world, struct ward_reader *reader, uint32_t random)
{
	uint32_t endpoint = random % ENDPOINTS;
	uint64_t iova = IOVA + (random >> 4) % PAGES * GUEST_PAGE + 8;
	struct ward_translation translation;
	struct ward_fault fault;
	int code;

	ward_reader_enter(reader);
	code = ward_viommu_translate(world->viommu, reader, FIRST + endpoint, ward_iova(iova),
				     WARD_READ, &translation, &fault);
	if (code == 0)
		look(world, endpoint, iova, ward_target_raw(translation.target));
	ward_reader_exit(reader);
	if (code == 0) {
		count(&world->hits);
		return;
	}
	/* It goes from one domain to another: a third place would be a gap. */
	expect(world, endpoint || world->resets || fault.reason == WARD_FAULT_TRANSLATION);
	count(&world->faults);
	(void)ward_viommu_fault(world->viommu, FIRST + endpoint, &fault,
				atomic_fetch_add(&world->clock, 1));
}

static void ring(struct world *world, struct ward_reader *reader, uint32_t random)
{
	uint32_t endpoint = random % ENDPOINTS;
	struct ward_translation translation;
	struct ward_fault fault;

	ward_reader_enter(reader);
	if (ward_viommu_translate(world->viommu, reader, FIRST + endpoint, ward_iova(V2M + 0x40),
				  WARD_WRITE, &translation, &fault)) {
		expect(world, (endpoint || world->resets) && fault.reason == WARD_FAULT_BLOCKED);
	} else {
		expect(world, ward_target_raw(translation.target) == V2M + 0x40);
		count(&world->rings);
	}
	ward_reader_exit(reader);
}

static void *read_all(void *context)
{
	struct world *world = context;
	struct ward_reader *reader;
	uint32_t random = atomic_fetch_add(&world->inside, 1) + 1;

	if (ward_reader_create(world->readers, &reader)) {
		expect(world, false);
		return NULL;
	}
	while (!atomic_load_explicit(&world->done, memory_order_relaxed)) {
		uint32_t chosen = next_random(&random);

		if (chosen & 0xf00000)
			read_memory(world, reader, chosen);
		else
			ring(world, reader, chosen);
	}
	ward_reader_destroy(reader);
	return NULL;
}

/* After what leads to them was taken away. */
static void poison(uint32_t *cells, size_t size)
{
	for (size_t i = 0; i < size; i++)
		cells[i] = POISON;
}

/* Before it can go there; from one way of bypass to another, readers look at it already. */
static void allow(struct world *world, uint32_t endpoint, uint32_t domain)
{
	uint32_t *allowed = &world->allowed[endpoint][domain == BYPASS_DOMAIN ? 0 : domain];

	if (*allowed != 1)
		*allowed = 1;
}

static void allow_free(struct world *world, uint32_t endpoint)
{
	if (world->bypass)
		allow(world, endpoint, 0);
}

static void left(struct world *world, uint32_t endpoint, uint32_t domain)
{
	bool empty = true;

	for (uint32_t i = 0; i < ENDPOINTS; i++)
		empty &= world->domain_of[i] != domain;
	if (domain && domain != BYPASS_DOMAIN) {
		world->allowed[endpoint][domain] = POISON;
		if (empty)
			poison(world->mapped[domain], PAGES);
	} else if (world->domain_of[endpoint] != BYPASS_DOMAIN &&
		   (world->domain_of[endpoint] || !world->bypass || !world->there[endpoint])) {
		world->allowed[endpoint][0] = POISON;
	}
}

static void attach(struct world *world, uint32_t endpoint, uint32_t domain)
{
	uint32_t old = world->domain_of[endpoint];

	if (old == domain)
		return;
	allow(world, endpoint, domain);
	assert_int_equal(guest_attach(world->viommu, domain, FIRST + endpoint,
				      domain == BYPASS_DOMAIN),
			 GUEST_OK);
	world->domain_of[endpoint] = domain;
	left(world, endpoint, old);
}

static void detach(struct world *world, uint32_t endpoint)
{
	uint32_t old = world->domain_of[endpoint];

	if (!old)
		return;
	allow_free(world, endpoint);
	assert_int_equal(guest_detach(world->viommu, old, FIRST + endpoint), GUEST_OK);
	world->domain_of[endpoint] = 0;
	left(world, endpoint, old);
}

static void come_or_go(struct world *world, uint32_t endpoint)
{
	uint32_t old = world->domain_of[endpoint];

	if (!world->there[endpoint]) {
		world->there[endpoint] = true;
		allow_free(world, endpoint);
		guest_endpoint(world->viommu, FIRST + endpoint, WARD_VIOMMU_MSI_BYPASSED, 1);
		return;
	}
	assert_int_equal(ward_viommu_endpoint_remove(world->viommu, FIRST + endpoint), 0);
	world->there[endpoint] = false;
	world->domain_of[endpoint] = 0;
	left(world, endpoint, old);
}

static void toggle_bypass(struct world *world)
{
	world->bypass ^= 1;
	for (uint32_t i = 0; i < ENDPOINTS; i++) {
		if (world->there[i] && !world->domain_of[i])
			allow_free(world, i);
	}
	assert_int_equal(ward_viommu_config_write(world->viommu, 36, &world->bypass, 1), 0);
	for (uint32_t i = 0; i < ENDPOINTS; i++) {
		if (world->there[i] && !world->domain_of[i])
			left(world, i, 0);
	}
}

static void reset(struct world *world)
{
	uint32_t old[ENDPOINTS];

	for (uint32_t i = 0; i < ENDPOINTS; i++) {
		old[i] = world->domain_of[i];
		world->domain_of[i] = 0;
		if (world->there[i])
			allow_free(world, i);
	}
	ward_viommu_reset(world->viommu, false);
	for (uint32_t i = 0; i < ENDPOINTS; i++)
		left(world, i, old[i]);
	assert_int_equal(ward_viommu_negotiate(world->viommu, ward_viommu_features(world->viommu)),
			 0);
}

static void map_or_unmap(struct world *world, uint32_t random)
{
	uint32_t domain = 1 + random % (DOMAINS - 1), page = (random >> 8) % PAGES, pages = 1;
	uint64_t start = IOVA + page * GUEST_PAGE;
	bool exists = false;

	for (uint32_t i = 0; i < ENDPOINTS; i++)
		exists |= world->domain_of[i] == domain;
	if (!exists)
		return;
	if (world->mapped[domain][page] == POISON) {
		world->mapped[domain][page] = page + 1;
		assert_int_equal(guest_map_page(world->viommu, domain, start,
						(uint64_t)(domain * PAGES + page) * GUEST_PAGE,
						GUEST_READ),
				 GUEST_OK);
		return;
	}
	if (random >> 20 & 1)
		pages = PAGES - page;
	assert_int_equal(guest_unmap(world->viommu, domain, start, start + pages * GUEST_PAGE - 1),
			 GUEST_OK);
	poison(&world->mapped[domain][page], pages);
}

static void expect_event(struct world *world, const uint8_t event[24])
{
	uint64_t endpoint = guest_get(event + 8, 4), address = guest_get(event + 16, 8);

	expect(world, event[0] == 1 || event[0] == 2);
	expect(world, guest_get(event + 4, 4) == 0x101);
	expect(world, endpoint >= FIRST && endpoint < FIRST + ENDPOINTS);
	expect(world, address >= IOVA && address < IOVA + PAGES * GUEST_PAGE);
}

static void take_events(struct world *world)
{
	uint8_t event[24];
	struct iovec in = { event, sizeof(event) };
	uint32_t written;

	while (ward_viommu_event(world->viommu, &in, 1, &written) == 0)
		expect_event(world, event);
}

/* Faults come in meanwhile: the stream has as many events as it says (docs/virtio-iommu.md, State). */
static void save(struct world *world)
{
	static struct stream stream;
	const uint8_t *record = stream.bytes + 12;
	uint64_t events = 0;

	stream.size = 0;
	assert_int_equal(ward_viommu_save(world->viommu, write_stream, &stream), 0);
	for (; guest_get(record, 4) != 7; record += 8 + guest_get(record + 4, 4)) {
		if (guest_get(record, 4) == 1)
			events = guest_get(record + 8 + 56, 4);
		if (guest_get(record, 4) != 6)
			continue;
		events--;
		expect_event(world, record + 8);
	}
	expect(world, events == 0 && record + 8 == stream.bytes + stream.size);
}

static void change(struct world *world, uint32_t random)
{
	uint32_t endpoint = 1 + (random >> 4) % (ENDPOINTS - 1),
		 domain = 1 + (random >> 8) % DOMAINS;

	if (world->resets && random % 64 == 17) {
		reset(world);
		return;
	}
	switch (random % 16) {
	case 0:
		come_or_go(world, endpoint);
		break;
	case 1:
		detach(world, endpoint);
		break;
	case 2:
	case 3:
		if (world->there[endpoint])
			attach(world, endpoint, domain);
		break;
	case 4:
		attach(world, 0, 1 + domain % 2);
		break;
	case 5:
		if ((random >> 4) % 8 == 0)
			toggle_bypass(world);
		if ((random >> 4) % 8 < 4)
			save(world);
		take_events(world);
		break;
	default:
		map_or_unmap(world, random >> 4);
		break;
	}
}

static struct world *make_world(void)
{
	struct world *world = calloc(1, sizeof(*world));
	struct ward_viommu_options options = {
		.frames = &frame,
		.frames_count = 1,
		.events_interval = 100,
	};

	assert_non_null(world);
	poison(&world->mapped[0][0], sizeof(world->mapped) / sizeof(uint32_t));
	poison(&world->allowed[0][0], sizeof(world->allowed) / sizeof(uint32_t));
	assert_int_equal(ward_readers_create(&world->readers), 0);
	options.readers = world->readers;
	world->viommu = guest_device(&options);
	come_or_go(world, 0);
	attach(world, 0, 1);
	return world;
}

static void live(bool resets)
{
	struct world *world = make_world();
	struct ward_viommu_info info;
	pthread_t threads[READERS];
	uint32_t random = 11;

	world->resets = resets;
	for (unsigned int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_all, world), 0);
	while (atomic_load(&world->inside) < READERS)
		sched_yield();
	for (unsigned int i = 0; i < CHANGES; i++)
		change(world, next_random(&random));
	atomic_store(&world->done, true);
	for (unsigned int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	ward_viommu_info(world->viommu, &info);
	assert_true(atomic_load(&world->hits) + atomic_load(&world->faults) > 0);
	assert_true(info.events_told + info.events_limited + info.events_dropped +
			    info.events_waiting ==
		    atomic_load(&world->faults));
	ward_viommu_destroy(world->viommu);
	ward_readers_destroy(world->readers);
	assert_int_equal(atomic_load(&world->wrong), 0);
	free(world);
}

static void everything_at_once(void **state)
{
	(void)state;
	live(false);
}

static void resets_too(void **state)
{
	(void)state;
	live(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_at_once),
		cmocka_unit_test(resets_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

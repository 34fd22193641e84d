// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The host fails at each of its calls in turn, once or from then on. After each request a function is
 * where the guest thinks it is, with exactly the pages that the guest mapped, or it is frozen; and
 * who is frozen is out of every space unless the host refused that, too.
 */
#include "guest.h"
#include "host.h"

#include <doorward/memory.h>
#include <doorward/shadow.h>
#include <doorward/viommu_listener.h>

#define RW (GUEST_READ | GUEST_WRITE)
#define LOW 0x40000000ull
#define IOVA 0x100000000ull
#define PAGES 8u

/* Where the pages of memory are in this process: four pieces. */
static const unsigned int order[PAGES] = { 0, 1, 4, 5, 2, 3, 6, 7 };
static const struct ward_range ram = { LOW, LOW + PAGES *GUEST_PAGE - 1 };

struct story {
	struct ward_memory *memory;
	struct ward_viommu *viommu;
	struct ward_shadow *shadow;
	struct ward_device *devices[2]; /* endpoints 1 and 2; 3 is emulated */
	unsigned char *bytes;
	bool refuses; /* the listener after the shadow */
};

static int other_move(void *context, uint32_t endpoint, const struct ward_viommu_place *from,
		      const struct ward_viommu_place *to)
{
	const struct story *s = context;

	(void)endpoint, (void)from;
	return s->refuses && to->attached ? -ENOMEM : 0;
}

static int other_map(void *context, uint32_t domain, const struct ward_mapping *mapping)
{
	const struct story *s = context;

	(void)domain, (void)mapping;
	return s->refuses ? -ENOMEM : 0;
}

/* Another one that is asked after the shadow, which then has to take back. */
static const struct ward_viommu_listener_ops other = { .move = other_move, .map = other_map };

static void begin(struct story *s)
{
	struct ward_viommu_options options = { 0 };
	struct ward_shadow_options shadow = { .size = sizeof(shadow), .ram = &ram, .ram_count = 1 };

	*s = (struct story){ .bytes = aligned_alloc(GUEST_PAGE, (size_t)PAGES * GUEST_PAGE) };
	host_start();
	assert_int_equal(ward_memory_create(&s->memory), 0);
	for (unsigned int i = 0; i < PAGES; i++) {
		const struct ward_range page = { LOW + i * GUEST_PAGE,
						 LOW + (i + 1) * GUEST_PAGE - 1 };

		assert_int_equal(ward_memory_add(s->memory, page, 0,
						 s->bytes + order[i] * (size_t)GUEST_PAGE),
				 0);
	}
	s->viommu = guest_device(&options);
	shadow.viommu = s->viommu;
	shadow.backend = host.backend;
	shadow.memory = s->memory;
	assert_int_equal(ward_shadow_create(&shadow, &s->shadow, NULL), 0);
	assert_int_equal(ward_viommu_listen(s->viommu, &other, s), 0);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(ward_device_open(host.backend, i ? "1" : "0", &s->devices[i],
						  NULL),
				 0);
		assert_int_equal(ward_shadow_add(s->shadow, i + 1, s->devices[i]), 0);
	}
	for (uint32_t id = 1; id <= 3; id++)
		guest_endpoint(s->viommu, id, WARD_VIOMMU_MSI_NONE, 0);
}

static void end(struct story *s)
{
	ward_viommu_destroy(s->viommu);
	ward_shadow_destroy(s->shadow);
	for (uint32_t i = 0; i < 2; i++)
		ward_device_close(s->devices[i]);
	ward_memory_destroy(s->memory);
	free(s->bytes);
	host_end();
}

static bool host_has(const struct host_space *space, uint64_t iova, uint64_t target,
		     uint32_t access)
{
	for (size_t i = 0; i < space->count; i++) {
		const struct ward_mapping *m = &space->mappings[i];
		uint64_t into = iova - ward_iova_raw(m->start);

		if (iova >= ward_iova_raw(m->start) && iova <= ward_iova_raw(m->last))
			return ward_target_raw(m->target) + into == target && m->access == access;
	}
	return false;
}

static uint64_t host_page_count(const struct host_space *space)
{
	uint64_t count = 0;

	for (size_t i = 0; i < space->count; i++)
		count += (ward_iova_raw(space->mappings[i].last) -
			  ward_iova_raw(space->mappings[i].start) + 1) /
			 GUEST_PAGE;
	return count;
}

static uint64_t process_address(const struct story *s, uint64_t guest)
{
	return (uintptr_t)s->bytes + order[(guest - LOW) / GUEST_PAGE] * (uint64_t)GUEST_PAGE;
}

static void has_all_of(const struct story *s, const struct host_space *there,
		       const struct ward_space *domain)
{
	struct ward_mapping mapping;
	uint64_t from = 0, pages = 0;

	assert_non_null(there);
	while (ward_space_next(domain, ward_iova(from), &mapping)) {
		uint64_t start = ward_iova_raw(mapping.start);

		from = ward_iova_raw(mapping.last) + 1;
		for (uint64_t at = start; at < from; at += GUEST_PAGE, pages++)
			assert_true(host_has(there, at,
					     process_address(s, ward_target_raw(mapping.target) +
									at - start),
					     mapping.access));
	}
	assert_int_equal(host_page_count(there), pages);
}

static void has_ram(const struct story *s, const struct host_space *there)
{
	assert_non_null(there);
	for (uint64_t at = ram.start; at <= ram.last; at += GUEST_PAGE)
		assert_true(host_has(there, at, process_address(s, at), WARD_READ | WARD_WRITE));
	assert_int_equal(host_page_count(there), PAGES);
}

static void look(const struct story *s)
{
	struct ward_viommu_endpoint endpoint;
	struct ward_shadow_info info;
	struct ward_viommu_info device;
	uint32_t stuck = 0, frozen = 0, removed = 0, lost = 0;

	ward_shadow_info(s->shadow, &info);
	ward_viommu_info(s->viommu, &device);
	for (uint32_t i = 0; i < 2; i++) {
		const struct host_space *there = host.devices[i].space;

		lost += host.devices[i].lost;
		if (!ward_viommu_endpoint_next(s->viommu, i + 1, &endpoint) ||
		    endpoint.endpoint != i + 1) {
			/* Removed; the shadow still knows it, and whether it was frozen. */
			assert_true(!there || host.fails_on);
			stuck += there != NULL;
			removed++;
			continue;
		}
		if (endpoint.frozen) {
			assert_int_equal(endpoint.place.kind, WARD_VIOMMU_BLOCKED);
			frozen++;
			/* In a space still, and perhaps only because it could not be left. */
			stuck += there != NULL;
			assert_true(!there || host.fails_on);
		} else if (endpoint.place.kind == WARD_VIOMMU_BLOCKED) {
			assert_null(there);
		} else if (endpoint.place.kind == WARD_VIOMMU_BYPASS) {
			has_ram(s, there);
		} else {
			has_all_of(s, there, endpoint.place.space);
		}
	}
	/* Who lost its space and cannot be detached counts as stuck, to be sure. */
	assert_in_range(info.stuck, stuck, stuck + lost);
	assert_in_range(info.frozen, frozen, frozen + removed);
	assert_true(!frozen || device.broken);
}

static int write_byte(struct story *s, uint8_t byte)
{
	(void)ward_viommu_config_write(s->viommu, 36, &byte, 1);
	return GUEST_OK;
}

#define STEPS 18u

static int step(struct story *s, unsigned int which)
{
	struct ward_viommu *v = s->viommu;

	s->refuses = which == 13 || which == 14 || which == 15;
	switch (which) {
	case 0:
		return guest_attach(v, 1, 1, 0);
	case 1: /* four pieces */
		return guest_map(v, 1, IOVA, IOVA + PAGES * GUEST_PAGE - 1, LOW, RW);
	case 2:
		return guest_map_page(v, 1, 0, LOW + GUEST_PAGE, GUEST_READ);
	case 3:
		return guest_attach(v, 2, 2, 0);
	case 4:
		return guest_map(v, 2, IOVA, IOVA + 3 * GUEST_PAGE - 1, LOW, RW);
	case 5: /* joins the other */
		return guest_attach(v, 1, 2, 0);
	case 6:
		return guest_unmap(v, 1, 0, GUEST_PAGE - 1);
	case 7:
		return guest_attach(v, 3, 1, 1);
	case 8:
		return guest_attach(v, 1, 1, 0);
	case 9:
		return guest_detach(v, 1, 2);
	case 10:
		return write_byte(s, 1);
	case 11:
		return guest_attach(v, 1, 2, 0);
	case 12:
		return guest_unmap(v, 1, 0, UINT64_MAX);
	case 13: /* refused by another listener: all is taken back */
		return guest_map(v, 1, IOVA, IOVA + PAGES * GUEST_PAGE - 1, LOW, RW);
	case 14:
		return guest_attach(v, 4, 1, 0);
	case 15:
		return guest_attach(v, 5, 2, 1);
	case 16:
		return write_byte(s, 0);
	default:
		return ward_viommu_endpoint_remove(v, 1) ? GUEST_NOENT : GUEST_OK;
	}
}

/* Whether something failed. */
static bool tell(unsigned long nth, bool on, int error, bool loses)
{
	struct ward_shadow_info info;
	struct ward_viommu_info device;
	struct story s;
	bool failed;

	begin(&s);
	host.error = error;
	host.loses = loses;
	host.fails_in = nth;
	host.fails_on = on;
	for (unsigned int i = 0; i < STEPS; i++) {
		(void)step(&s, i);
		look(&s);
	}
	failed = host.failed;
	/* The host is well again, and so is everything after a reset. */
	host.fails_in = 0;
	host.fails_on = false;
	s.refuses = false;
	assert_int_equal(ward_shadow_remove(s.shadow, 1), 0);
	ward_viommu_reset(s.viommu, true);
	look(&s);
	ward_viommu_info(s.viommu, &device);
	assert_false(device.broken);
	assert_int_equal(device.frozen, 0);
	assert_int_equal(ward_viommu_negotiate(s.viommu, ward_viommu_features(s.viommu)), 0);
	assert_int_equal(guest_attach(s.viommu, 1, 2, 0), GUEST_OK);
	assert_int_equal(guest_map_page(s.viommu, 1, IOVA, LOW, RW), GUEST_OK);
	look(&s);
	assert_int_equal(guest_detach(s.viommu, 1, 2), GUEST_OK);
	ward_shadow_info(s.shadow, &info);
	assert_int_equal(info.spaces, 0);
	assert_int_equal(info.mappings, 0);
	assert_int_equal(info.stuck, 0);
	end(&s);
	return failed;
}

static void each_in_turn(bool on, bool loses)
{
	static const int errors[] = { -EIO, -ENOMEM, -EBUSY };
	unsigned long nth;

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		for (nth = 1; tell(nth, on, errors[i], loses); nth++)
			assert_true(nth < 1000);
		assert_true(nth > 30);
	}
}

static void once(void **unused)
{
	(void)unused;
	each_in_turn(false, false);
}

static void once_and_lost(void **unused)
{
	(void)unused;
	each_in_turn(false, true);
}

static void from_then_on(void **unused)
{
	(void)unused;
	each_in_turn(true, false);
}

static void from_then_on_and_lost(void **unused)
{
	(void)unused;
	each_in_turn(true, true);
}

/* The statuses that a guest sees. */
static void answers(void **unused)
{
	struct ward_viommu_info device;
	struct story s;

	(void)unused;
	begin(&s);
	host.fails_in = 1;
	host.fails_at = HOST_ATTACH;
	host.error = -EBUSY;
	assert_int_equal(guest_attach(s.viommu, 1, 1, 0), GUEST_UNSUPP);
	host.fails_in = 1;
	host.error = -EFAULT;
	assert_int_equal(guest_attach(s.viommu, 1, 1, 0), GUEST_FAULT);
	assert_int_equal(guest_attach(s.viommu, 1, 1, 0), GUEST_OK);
	/* The second of four pieces: nothing of the first stays. */
	host.fails_at = HOST_MAP;
	host.fails_in = 2;
	host.error = -EIO;
	assert_int_equal(step(&s, 1), GUEST_DEVERR);
	assert_int_equal(host.devices[0].space->count, 0);
	host.fails_in = 2;
	host.error = -ENOMEM;
	assert_int_equal(step(&s, 1), GUEST_NOMEM);
	assert_int_equal(host.devices[0].space->count, 0);
	ward_viommu_info(s.viommu, &device);
	assert_false(device.broken);
	assert_int_equal(step(&s, 1), GUEST_OK);
	/* A move that loses the old place, too, is one that nobody goes on from. */
	host.fails_at = HOST_ATTACH;
	host.fails_in = 1;
	host.loses = true;
	assert_int_equal(guest_attach(s.viommu, 2, 1, 0), GUEST_DEVERR);
	ward_viommu_info(s.viommu, &device);
	assert_true(device.broken);
	assert_int_equal(device.frozen, 1);
	assert_null(host.devices[0].space);
	look(&s);
	end(&s);
}

static void let_detach(bool works)
{
	host.fails_at = HOST_DETACH;
	host.fails_in = !works;
	host.fails_on = !works;
}

/* Both in one domain, and one of them cannot be taken out. */
static void begin_stuck(struct story *s)
{
	struct ward_shadow_info info;

	begin(s);
	assert_int_equal(step(s, 0), GUEST_OK);
	assert_int_equal(step(s, 1), GUEST_OK);
	assert_int_equal(guest_attach(s->viommu, 1, 2, 0), GUEST_OK);
	let_detach(false);
	assert_int_equal(guest_detach(s->viommu, 1, 1), GUEST_DEVERR);
	ward_shadow_info(s->shadow, &info);
	assert_int_equal(info.stuck, 1);
	assert_int_equal(info.frozen, 1);
	assert_int_equal(host.calls[HOST_RESET], 1);
	/* Its neighbour is still there and needs the mappings. */
	assert_non_null(host.devices[0].space);
	assert_int_equal(host.devices[0].space->count, 4);
}

/* Who cannot be taken out has nothing left to reach when nobody else needs it; a reset tries again. */
static void stuck(void **unused)
{
	struct ward_viommu_info device;
	struct story s;

	(void)unused;
	begin_stuck(&s);
	ward_viommu_reset(s.viommu, false);
	assert_int_equal(host.devices[0].space->count, 0);
	ward_viommu_info(s.viommu, &device);
	assert_true(device.broken);
	let_detach(true);
	ward_viommu_reset(s.viommu, false);
	ward_viommu_info(s.viommu, &device);
	assert_false(device.broken);
	assert_null(host.devices[0].space);
	assert_null(host.devices[1].space);
	look(&s);
	/* The same, and what it goes to after the reset is bypass. */
	assert_int_equal(ward_viommu_negotiate(s.viommu, ward_viommu_features(s.viommu)), 0);
	write_byte(&s, 1);
	assert_int_equal(step(&s, 0), GUEST_OK);
	host.fails_at = HOST_ATTACH;
	host.fails_in = 1;
	host.fails_on = true;
	assert_int_equal(guest_detach(s.viommu, 1, 1), GUEST_DEVERR);
	look(&s);
	let_detach(true);
	ward_viommu_reset(s.viommu, false);
	look(&s);
	has_ram(&s, host.devices[0].space);
	end(&s);
}

/* Unplugged while stuck: who is left keeps what is his, and closing takes it out. */
static void stuck_and_unplugged(void **unused)
{
	struct ward_shadow_info info;
	struct story s;

	(void)unused;
	begin_stuck(&s);
	assert_int_equal(ward_viommu_endpoint_remove(s.viommu, 1), 0);
	ward_shadow_info(s.shadow, &info);
	assert_int_equal(info.stuck, 1);
	assert_int_equal(host.devices[1].space->count, 4);
	assert_int_equal(ward_shadow_remove(s.shadow, 1), 0);
	ward_shadow_info(s.shadow, &info);
	assert_int_equal(info.functions, 1);
	assert_int_equal(info.spaces, 1);
	assert_int_equal(info.stuck, 0);
	assert_int_equal(host.devices[1].space->count, 4);
	ward_device_close(s.devices[0]);
	s.devices[0] = NULL;
	let_detach(true);
	assert_int_equal(ward_viommu_endpoint_remove(s.viommu, 2), 0);
	assert_null(host.devices[1].space);
	ward_shadow_info(s.shadow, &info);
	assert_int_equal(info.spaces, 0);
	end(&s);
}

/* It comes out at last while its neighbour stays. */
static void stuck_no_more(void **unused)
{
	struct story s;

	(void)unused;
	begin_stuck(&s);
	let_detach(true);
	assert_int_equal(ward_viommu_endpoint_remove(s.viommu, 1), 0);
	assert_null(host.devices[0].space);
	assert_int_equal(host.devices[1].space->count, 4);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(once),
		cmocka_unit_test(once_and_lost),
		cmocka_unit_test(from_then_on),
		cmocka_unit_test(from_then_on_and_lost),
		cmocka_unit_test(answers),
		cmocka_unit_test(stuck),
		cmocka_unit_test(stuck_and_unplugged),
		cmocka_unit_test(stuck_no_more),
	};

	return cmocka_run_group_tests_name("shadow failures", tests, NULL, NULL);
}

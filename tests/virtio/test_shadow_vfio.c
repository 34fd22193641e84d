// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A shadow over VFIO, whose containers are filled anew when a function moves; each request of the kernel's
 * is refused in turn. What containers have is what the guest mapped, or nothing.
 */
#include "../../backend/linux/uapi.h"
#include "backend/fake_vfio.h"
#include "guest.h"

#include <doorward/memory.h>
#include <doorward/shadow.h>

#include <sys/ioctl.h>

#define RW (GUEST_READ | GUEST_WRITE)
#define LOW 0x40000000ull
#define IOVA 0x100000000ull
#define PAGES 4u

/* Pages of memory in this process: two pieces. */
static const unsigned int order[PAGES] = { 0, 1, 3, 2 };
static unsigned char bytes[PAGES][GUEST_PAGE] __attribute__((aligned(GUEST_PAGE)));

struct story {
	struct ward_backend *backend;
	struct ward_memory *memory;
	struct ward_viommu *viommu;
	struct ward_shadow *shadow;
	struct ward_device *devices[2]; /* endpoints 1 and 2, of groups 7 and 8 */
};

static void begin(struct story *s)
{
	static const char *const names[] = { "0000:01:00.0", "0000:02:00.0" };
	static const struct ward_range ram = { LOW, LOW + PAGES * GUEST_PAGE - 1 };
	struct ward_viommu_options options = { 0 };
	struct ward_shadow_options shadow = { .size = sizeof(shadow), .ram = &ram, .ram_count = 1 };

	*s = (struct story){ 0 };
	fake_make();
	assert_int_equal(ward_backend_vfio_group(fake.devfd, fake.sysfd, &s->backend, NULL), 0);
	assert_int_equal(ward_memory_create(&s->memory), 0);
	for (unsigned int i = 0; i < PAGES; i++) {
		const struct ward_range page = { LOW + i * GUEST_PAGE,
						 LOW + (i + 1) * GUEST_PAGE - 1 };

		assert_int_equal(ward_memory_add(s->memory, page, 0, bytes[order[i]]), 0);
	}
	s->viommu = guest_device(&options);
	shadow.viommu = s->viommu;
	shadow.backend = s->backend;
	shadow.memory = s->memory;
	assert_int_equal(ward_shadow_create(&shadow, &s->shadow, NULL), 0);
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(ward_device_open(s->backend, names[i], &s->devices[i], NULL), 0);
		assert_int_equal(ward_shadow_add(s->shadow, i + 1, s->devices[i]), 0);
		guest_endpoint(s->viommu, i + 1, WARD_VIOMMU_MSI_NONE, 0);
	}
}

static void end(struct story *s)
{
	ward_viommu_destroy(s->viommu);
	ward_shadow_destroy(s->shadow);
	for (uint32_t i = 0; i < 2; i++)
		ward_device_close(s->devices[i]);
	ward_backend_destroy(s->backend);
	ward_memory_destroy(s->memory);
	fake_remove();
}

/* Pieces of memory under pages that were mapped as one. */
static unsigned int pieces_of(uint64_t target, uint64_t size)
{
	unsigned int first = (unsigned int)((target - LOW) / GUEST_PAGE), count = 1;

	for (unsigned int i = first + 1; i < first + size / GUEST_PAGE; i++)
		count += order[i] != order[i - 1] + 1;
	return count;
}

static unsigned int wanted(const struct ward_viommu_endpoint *endpoint)
{
	struct ward_mapping mapping;
	unsigned int count = 0;
	uint64_t from = 0;

	if (endpoint->place.kind == WARD_VIOMMU_BLOCKED)
		return 0;
	if (endpoint->place.kind == WARD_VIOMMU_BYPASS)
		return pieces_of(LOW, (uint64_t)PAGES * GUEST_PAGE);
	while (ward_space_next(endpoint->place.space, ward_iova(from), &mapping)) {
		from = ward_iova_raw(mapping.last) + 1;
		count += pieces_of(ward_target_raw(mapping.target),
				   from - ward_iova_raw(mapping.start));
	}
	return count;
}

static void look(const struct story *s)
{
	struct ward_viommu_endpoint endpoint;
	struct ward_shadow_info info;
	unsigned int count = 0;

	for (uint32_t id = 1; id <= 2; id++) {
		assert_true(ward_viommu_endpoint_next(s->viommu, id, &endpoint));
		count += wanted(&endpoint);
	}
	ward_shadow_info(s->shadow, &info);
	if (info.stuck)
		assert_true(fake.fails_on && fake_mappings() >= count);
	else
		assert_int_equal(fake_mappings(), count);
}

/* What fails; 0: anything. */
static unsigned long fails_request;

#define STEPS 13u

static void step(struct story *s, unsigned int which)
{
	struct ward_viommu *v = s->viommu;
	const uint8_t on = 1, off = 0;
	int status = GUEST_OK;

	switch (which) {
	case 0:
		status = guest_attach(v, 1, 1, 0);
		break;
	case 1: /* two pieces */
		status = guest_map(v, 1, IOVA, IOVA + PAGES * GUEST_PAGE - 1, LOW, RW);
		break;
	case 2:
		status = guest_map_page(v, 1, 0, LOW, RW);
		break;
	case 3: /* the same in two containers */
		status = guest_attach(v, 1, 2, 0);
		break;
	case 4:
		status = guest_map_page(v, 1, GUEST_PAGE, LOW, RW);
		break;
	case 5:
		status = guest_unmap(v, 1, 0, GUEST_PAGE - 1);
		break;
	case 6:
		status = guest_attach(v, 2, 2, 0);
		break;
	case 7:
		status = guest_attach(v, 3, 1, 1);
		break;
	case 8:
		status = guest_attach(v, 2, 1, 0);
		break;
	case 9:
		status = guest_map_page(v, 2, IOVA, LOW, RW);
		break;
	case 10:
		(void)ward_viommu_config_write(v, 36, &on, 1);
		status = guest_detach(v, 2, 1);
		break;
	case 11:
		status = guest_unmap(v, 2, 0, UINT64_MAX);
		break;
	default:
		(void)ward_viommu_config_write(v, 36, &off, 1);
		break;
	}
	if (!fake.fails_in && !fake.failed)
		assert_int_equal(status, GUEST_OK);
}

/* Whether something failed. */
static bool tell(unsigned long nth, bool on, int error)
{
	struct ward_viommu_info device;
	struct story s;
	bool failed;

	begin(&s);
	fake.error = error;
	fake.fails_request = fails_request;
	fake.fails_on = on;
	fake.fails_in = nth;
	for (unsigned int i = 0; i < STEPS; i++) {
		step(&s, i);
		look(&s);
	}
	failed = fake.failed;
	fake.fails_in = 0;
	fake.fails_on = false;
	ward_viommu_reset(s.viommu, true);
	ward_viommu_info(s.viommu, &device);
	assert_false(device.broken);
	assert_int_equal(fake_mappings(), 0);
	assert_int_equal(ward_viommu_negotiate(s.viommu, ward_viommu_features(s.viommu)), 0);
	for (unsigned int i = 0; i < STEPS; i++) {
		fake.failed = false;
		step(&s, i);
		look(&s);
	}
	end(&s);
	return failed;
}

static void each_in_turn(void **unused)
{
	static const struct {
		unsigned long request;
		bool on;
	} kinds[] = { { 0, false },
		      { 0, true },
		      { VFIO_IOMMU_MAP_DMA, true },
		      { VFIO_IOMMU_UNMAP_DMA, true } };
	static const int errors[] = { EIO, ENOMEM, EFAULT };
	unsigned long nth;

	(void)unused;
	for (unsigned int kind = 0; kind < 12; kind++) {
		fails_request = kinds[kind / 3].request;
		for (nth = 1; tell(nth, kinds[kind / 3].on, errors[kind % 3]); nth++)
			assert_true(nth < 1000);
		assert_true(nth > 5);
	}
}

/* A kernel that has no room for more: as it says, and as one that said so before. */
static void limits(void **unused)
{
	struct ward_shadow_info info;
	struct story s;

	(void)unused;
	begin(&s);
	ward_shadow_info(s.shadow, &info);
	assert_int_equal(info.mappings_max, 65535);
	assert_int_equal(guest_attach(s.viommu, 1, 1, 0), GUEST_OK);
	fake.fails_request = VFIO_IOMMU_MAP_DMA;
	fake.fails_in = 1;
	fake.error = ENOSPC;
	assert_int_equal(guest_map_page(s.viommu, 1, IOVA, LOW, RW), GUEST_NOMEM);
	ward_shadow_info(s.shadow, &info);
	assert_int_equal(info.refused_full, 1);
	/* Memory that cannot be pinned. */
	fake.fails_in = 1;
	fake.error = ENOMEM;
	assert_int_equal(guest_map_page(s.viommu, 1, IOVA, LOW, RW), GUEST_NOMEM);
	fake.fails_in = 1;
	fake.error = EFAULT;
	assert_int_equal(guest_map_page(s.viommu, 1, IOVA, LOW, RW), GUEST_FAULT);
	ward_shadow_info(s.shadow, &info);
	assert_int_equal(info.refused_full, 1);
	assert_int_equal(info.refused_other, 2);
	look(&s);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_in_turn),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests_name("shadow over VFIO", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What a host cannot do: pages, addresses and numbers of mappings; and how few of them are needed. */
#include "guest.h"
#include "host.h"

#include <doorward/memory.h>
#include <doorward/shadow.h>

#include <sys/mman.h>

#define RW (GUEST_READ | GUEST_WRITE)
#define GIB (UINT64_C(1) << 30)
#define LOW 0x40000000ull
#define IOVA 0x100000000ull
#define PAGES 16u

struct place_of {
	struct ward_memory *memory;
	struct ward_viommu *viommu;
	struct ward_shadow *shadow;
	struct ward_device *device;
	/* GIB of addresses from the first one that is a multiple of 64 KiB; nobody looks there. */
	unsigned char *bytes;
	void *mapped;
};

/* Memory: 1 GiB at LOW in one region. */
static int setup(void **state)
{
	static struct place_of p;
	const struct ward_range all = { LOW, LOW + GIB - 1 };

	p = (struct place_of){ 0 };
	host_start();
	p.mapped = mmap(NULL, GIB + 0x10000, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			-1, 0);
	assert_ptr_not_equal(p.mapped, MAP_FAILED);
	p.bytes = (unsigned char *)p.mapped + (-(uintptr_t)p.mapped & 0xffff);
	assert_int_equal(ward_memory_create(&p.memory), 0);
	assert_int_equal(ward_memory_add(p.memory, all, 0, p.bytes), 0);
	*state = &p;
	return 0;
}

static int teardown(void **state)
{
	struct place_of *p = *state;

	ward_viommu_destroy(p->viommu);
	ward_shadow_destroy(p->shadow);
	ward_device_close(p->device);
	ward_memory_destroy(p->memory);
	munmap(p->mapped, GIB + 0x10000);
	host_end();
	return 0;
}

/* Instead of the one region: pages in an order of their own, one region each. */
static void scatter(struct place_of *p, const unsigned int *order, unsigned int count)
{
	const struct ward_range all = { LOW, LOW + GIB - 1 };

	assert_int_equal(ward_memory_remove(p->memory, all), 0);
	for (unsigned int i = 0; i < count; i++) {
		const struct ward_range page = { LOW + i * GUEST_PAGE,
						 LOW + (i + 1) * GUEST_PAGE - 1 };

		assert_int_equal(ward_memory_add(p->memory, page, 0,
						 p->bytes + order[i] * (size_t)GUEST_PAGE),
				 0);
	}
}

static struct ward_shadow_options options_of(const struct place_of *p)
{
	return (struct ward_shadow_options){ .size = sizeof(struct ward_shadow_options),
					     .viommu = p->viommu,
					     .backend = host.backend,
					     .memory = p->memory };
}

static void begin(struct place_of *p, uint64_t page_sizes)
{
	struct ward_viommu_options options = { .page_sizes = page_sizes };
	struct ward_shadow_options shadow;

	p->viommu = guest_device(&options);
	shadow = options_of(p);
	assert_int_equal(ward_shadow_create(&shadow, &p->shadow, NULL), 0);
	assert_int_equal(ward_device_open(host.backend, "0", &p->device, NULL), 0);
	assert_int_equal(ward_shadow_add(p->shadow, 1, p->device), 0);
	guest_endpoint(p->viommu, 1, WARD_VIOMMU_MSI_NONE, 0);
	guest_endpoint(p->viommu, 2, WARD_VIOMMU_MSI_NONE, 0);
}

static struct ward_shadow_info info_of(const struct place_of *p)
{
	struct ward_shadow_info info;

	ward_shadow_info(p->shadow, &info);
	return info;
}

static void one_gib_is_one(void **state)
{
	struct place_of *p = *state;
	const struct host_space *there;

	begin(p, 0);
	assert_int_equal(guest_attach(p->viommu, 1, 1, 0), GUEST_OK);
	assert_int_equal(guest_map(p->viommu, 1, IOVA, IOVA + GIB - 1, LOW, RW), GUEST_OK);
	assert_int_equal(host.calls[HOST_MAP], 1);
	there = host.devices[0].space;
	assert_int_equal(there->count, 1);
	assert_true(ward_iova_raw(there->mappings[0].start) == IOVA);
	assert_true(ward_iova_raw(there->mappings[0].last) == IOVA + GIB - 1);
	assert_true(ward_target_raw(there->mappings[0].target) == (uintptr_t)p->bytes);
	assert_int_equal(guest_unmap(p->viommu, 1, 0, UINT64_MAX), GUEST_OK);
	assert_int_equal(host.calls[HOST_UNMAP], 1);
	assert_int_equal(there->count, 0);
}

/* Regions that lie side by side in this process are one mapping; where that ends, another begins. */
static void as_few_as_memory_allows(void **state)
{
	static const unsigned int order[PAGES] = { 0, 1, 2,  3,	 8,  9,	 7,  6,
						   5, 4, 10, 11, 12, 13, 15, 14 };
	struct place_of *p = *state;
	const struct host_space *there;
	uint64_t next = IOVA;

	scatter(p, order, PAGES);
	begin(p, 0);
	assert_int_equal(guest_attach(p->viommu, 1, 1, 0), GUEST_OK);
	assert_int_equal(guest_map(p->viommu, 1, IOVA, IOVA + PAGES * GUEST_PAGE - 1, LOW, RW),
			 GUEST_OK);
	there = host.devices[0].space;
	assert_int_equal(there->count, 9);
	for (size_t i = 0; i < there->count; i++) {
		uint64_t start = ward_iova_raw(there->mappings[i].start);

		assert_true(start == next);
		assert_true(ward_target_raw(there->mappings[i].target) ==
			    (uintptr_t)p->bytes +
				    order[(start - IOVA) / GUEST_PAGE] * (uint64_t)GUEST_PAGE);
		next = ward_iova_raw(there->mappings[i].last) + 1;
	}
	assert_true(next == IOVA + PAGES * GUEST_PAGE);
	assert_int_equal(info_of(p).mappings, 9);
	assert_int_equal(guest_unmap(p->viommu, 1, IOVA, IOVA + PAGES * GUEST_PAGE - 1), GUEST_OK);
	assert_int_equal(there->count, 0);
	assert_int_equal(info_of(p).peak, 9);
}

/* One MAP that needs more than there is: nothing of it is tried. */
static void pieces_seen_coming(void **state)
{
	static const unsigned int order[PAGES] = { 0, 2, 4, 6, 8, 10, 12, 14,
						   1, 3, 5, 7, 9, 11, 13, 15 };
	struct place_of *p = *state;

	host.mappings_max = PAGES;
	scatter(p, order, PAGES);
	begin(p, 0);
	assert_int_equal(guest_attach(p->viommu, 1, 1, 0), GUEST_OK);
	assert_int_equal(guest_map_page(p->viommu, 1, 0, LOW, RW), GUEST_OK);
	assert_int_equal(guest_map(p->viommu, 1, IOVA, IOVA + PAGES * GUEST_PAGE - 1, LOW, RW),
			 GUEST_NOMEM);
	assert_int_equal(host.calls[HOST_MAP], 1);
	assert_int_equal(info_of(p).refused_full, 1);
	assert_int_equal(info_of(p).refused_other, 0);
	assert_int_equal(guest_map(p->viommu, 1, IOVA, IOVA + (PAGES - 1) * GUEST_PAGE - 1, LOW,
				   RW),
			 GUEST_OK);
	assert_int_equal(info_of(p).fullest, PAGES);
	assert_int_equal(info_of(p).mappings_max, PAGES);
}

/* VFIO's limit: 65535 are well, the next one is refused, in place and when a domain is moved in. */
static void vfio_limit(void **state)
{
	struct place_of *p = *state;
	uint64_t last = 65535;

	begin(p, 0);
	assert_int_equal(guest_attach(p->viommu, 1, 1, 0), GUEST_OK);
	for (uint64_t i = 0; i < last; i++)
		assert_int_equal(guest_map_page(p->viommu, 1, IOVA + i * GUEST_PAGE,
						LOW + i % 16 * GUEST_PAGE, RW),
				 GUEST_OK);
	assert_int_equal(guest_map_page(p->viommu, 1, IOVA + last * GUEST_PAGE, LOW, RW),
			 GUEST_NOMEM);
	assert_int_equal(host.calls[HOST_MAP], 65535);
	assert_int_equal(info_of(p).fullest, 65535);
	assert_int_equal(info_of(p).peak, 65535);
	assert_int_equal(info_of(p).mappings_max, 65535);
	assert_int_equal(info_of(p).refused_full, 1);
	assert_int_equal(guest_unmap(p->viommu, 1, IOVA, IOVA + GUEST_PAGE - 1), GUEST_OK);
	assert_int_equal(guest_map_page(p->viommu, 1, IOVA + last * GUEST_PAGE, LOW, RW), GUEST_OK);
	/* A domain of emulated devices alone may be larger. */
	assert_int_equal(guest_attach(p->viommu, 1, 2, 0), GUEST_OK);
	assert_int_equal(guest_detach(p->viommu, 1, 1), GUEST_OK);
	assert_int_equal(info_of(p).fullest, 0);
	assert_int_equal(guest_map_page(p->viommu, 1, 0, LOW, RW), GUEST_OK);
	assert_int_equal(guest_attach(p->viommu, 1, 1, 0), GUEST_NOMEM);
	assert_int_equal(host.calls[HOST_MAP], 65536);
	assert_null(host.devices[0].space);
	assert_int_equal(info_of(p).refused_full, 2);
	assert_int_equal(guest_unmap(p->viommu, 1, 0, GUEST_PAGE - 1), GUEST_OK);
	assert_int_equal(guest_attach(p->viommu, 1, 1, 0), GUEST_OK);
	assert_int_equal(info_of(p).fullest, 65535);
}

static void host_pages(void **state)
{
	struct place_of *p = *state;
	struct ward_viommu_options device = { .page_sizes = 0 };
	struct ward_shadow_options options;
	struct ward_error why = { "" };

	host.page_sizes = 0x10000;
	p->viommu = guest_device(&device);
	options = options_of(p);
	assert_int_equal(ward_shadow_create(&options, &p->shadow, &why), -EOPNOTSUPP);
	assert_non_null(strstr(why.text, "64 KiB"));
	assert_non_null(strstr(why.text, "4 KiB"));
	assert_null(p->shadow);
	ward_viommu_destroy(p->viommu);
	/* With a granule of as much it is well; a host with smaller pages than the guest is, too. */
	begin(p, ~UINT64_C(0xffff));
	assert_int_equal(guest_attach(p->viommu, 1, 1, 0), GUEST_OK);
	assert_int_equal(guest_map(p->viommu, 1, IOVA, IOVA + 0xffff, LOW, RW), GUEST_OK);
	assert_int_equal(guest_detach(p->viommu, 1, 1), GUEST_OK);
	host.page_sizes = 0x1000;
	assert_int_equal(guest_attach(p->viommu, 1, 1, 0), GUEST_OK);
	assert_int_equal(guest_detach(p->viommu, 1, 1), GUEST_OK);
	/* A host whose pages grew: an IOMMU with larger ones was met since. */
	host.page_sizes = 0x200000;
	assert_int_equal(guest_attach(p->viommu, 1, 1, 0), GUEST_UNSUPP);
	assert_null(host.devices[0].space);
}

/* Memory that begins within a page of the host cannot be had without what lies beside it. */
static void memory_within_a_page(void **state)
{
	struct place_of *p = *state;
	const struct ward_range all = { LOW, LOW + GIB - 1 };
	const struct ward_range first = { LOW, LOW + 0x7ff }, second = { LOW + 0x800, LOW + 0xfff };

	assert_int_equal(ward_memory_remove(p->memory, all), 0);
	assert_int_equal(ward_memory_add(p->memory, first, 0, p->bytes), 0);
	assert_int_equal(ward_memory_add(p->memory, second, 0, p->bytes + 0x1800), 0);
	begin(p, 0);
	assert_int_equal(guest_attach(p->viommu, 1, 1, 0), GUEST_OK);
	assert_int_equal(guest_map_page(p->viommu, 1, IOVA, LOW, RW), GUEST_FAULT);
	assert_int_equal(host.calls[HOST_MAP], 0);
	/* Side by side in this process they are a page. */
	assert_int_equal(ward_memory_remove(p->memory, second), 0);
	assert_int_equal(ward_memory_add(p->memory, second, 0, p->bytes + 0x800), 0);
	assert_int_equal(guest_map_page(p->viommu, 1, IOVA, LOW, RW), GUEST_OK);
	assert_int_equal(host.calls[HOST_MAP], 1);
}

/* Bypass: memory that is read-only is for reading, also where it lies beside other memory. */
static void bypass_of_rom(void **state)
{
	static const struct ward_range ram = { LOW, LOW + GIB + 0xfff };
	struct place_of *p = *state;
	const struct ward_range rom = { LOW + GIB - 0x1000, LOW + GIB - 1 };
	const struct ward_range rest = { LOW, LOW + GIB - 0x1001 }, all = { LOW, LOW + GIB - 1 };
	struct ward_viommu_options options = { .flags = WARD_VIOMMU_BOOT_BYPASS };
	struct ward_shadow_options shadow;
	const struct host_space *there;

	assert_int_equal(ward_memory_remove(p->memory, all), 0);
	assert_int_equal(ward_memory_add(p->memory, rest, 0, p->bytes), 0);
	assert_int_equal(ward_memory_add(p->memory, rom, WARD_MEMORY_READ_ONLY,
					 p->bytes + (rom.start - LOW)),
			 0);
	p->viommu = guest_device(&options);
	shadow = options_of(p);
	shadow.ram = &ram;
	shadow.ram_count = 1;
	/* A page of it is no memory. */
	assert_int_equal(ward_shadow_create(&shadow, &p->shadow, NULL), -EINVAL);
	shadow.ram = &all;
	assert_int_equal(ward_shadow_create(&shadow, &p->shadow, NULL), 0);
	assert_int_equal(ward_device_open(host.backend, "0", &p->device, NULL), 0);
	assert_int_equal(ward_shadow_add(p->shadow, 1, p->device), 0);
	guest_endpoint(p->viommu, 1, WARD_VIOMMU_MSI_NONE, 0);
	there = host.devices[0].space;
	assert_non_null(there);
	assert_int_equal(there->count, 2);
	assert_int_equal(there->mappings[0].access, WARD_READ | WARD_WRITE);
	assert_true(ward_iova_raw(there->mappings[0].start) == LOW);
	assert_int_equal(there->mappings[1].access, WARD_READ);
	assert_true(ward_iova_raw(there->mappings[1].start) == rom.start);
	assert_true(ward_iova_raw(there->mappings[1].last) == rom.last);
}

static void host_addresses(void **state)
{
	struct place_of *p = *state;
	uint64_t end = host.aperture_last + 1;

	begin(p, 0);
	assert_int_equal(guest_attach(p->viommu, 1, 1, 0), GUEST_OK);
	assert_int_equal(guest_map_page(p->viommu, 1, end - GUEST_PAGE, LOW, RW), GUEST_OK);
	assert_int_equal(guest_map_page(p->viommu, 1, end, LOW, RW), GUEST_RANGE);
	assert_int_equal(guest_map_page(p->viommu, 1, -(uint64_t)GUEST_PAGE, LOW, RW), GUEST_RANGE);
	assert_int_equal(guest_unmap(p->viommu, 1, 0, UINT64_MAX), GUEST_OK);
	assert_int_equal(info_of(p).mappings, 0);
	/* UNMAP need not be on pages, and cuts nothing. */
	assert_int_equal(guest_map_page(p->viommu, 1, IOVA, LOW, RW), GUEST_OK);
	assert_int_equal(guest_unmap(p->viommu, 1, IOVA - 1, IOVA + GUEST_PAGE), GUEST_OK);
	assert_int_equal(info_of(p).mappings, 0);
	assert_int_equal(guest_map_page(p->viommu, 1, IOVA, LOW, RW), GUEST_OK);
	assert_int_equal(guest_unmap(p->viommu, 1, IOVA + 1, IOVA + GUEST_PAGE - 1), GUEST_RANGE);
	assert_int_equal(info_of(p).mappings, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_gib_is_one, setup, teardown),
		cmocka_unit_test_setup_teardown(as_few_as_memory_allows, setup, teardown),
		cmocka_unit_test_setup_teardown(pieces_seen_coming, setup, teardown),
		cmocka_unit_test_setup_teardown(vfio_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(host_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_within_a_page, setup, teardown),
		cmocka_unit_test_setup_teardown(bypass_of_rom, setup, teardown),
		cmocka_unit_test_setup_teardown(host_addresses, setup, teardown),
	};

	return cmocka_run_group_tests_name("shadow limits", tests, NULL, NULL);
}

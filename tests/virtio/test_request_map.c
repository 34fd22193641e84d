// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* MAP: one bad field at a time, then what it does. */
#include "rig.h"

#define DOMAIN 6u
#define THROUGH 7u /* a bypass domain */
#define NONE 8u	   /* no domain */
#define ONE 1u	   /* endpoints */
#define TWO 2u
#define FIRST 0x10000ull /* input range */
#define LAST 0xfffffffffull
#define START 0x100000ull /* where a mapping is */
#define TARGET 0x80000000ull
#define HELD 0x200000ull /* a reserved region of an endpoint, a page */
#define MSI 0x300000ull	 /* the region of its doorbell, a page */

static const uint64_t everything = WARD_VIOMMU_F_INPUT_RANGE | WARD_VIOMMU_F_DOMAIN_RANGE |
				   WARD_VIOMMU_F_MAP_UNMAP | WARD_VIOMMU_F_PROBE |
				   WARD_VIOMMU_F_MMIO | WARD_VIOMMU_F_BYPASS_CONFIG;

static void start(struct rig *rig, uint64_t features)
{
	static const struct ward_reserved reserved = { { HELD, HELD + 0xfff },
						       WARD_REGION_RESERVED };
	static const struct ward_doorbell_frame frame = { { MSI + 0x40, MSI + 0x43 }, 0 };
	const struct ward_viommu_endpoint_options one = {
		.size = sizeof(one),
		.endpoint = ONE,
		.msi = WARD_VIOMMU_MSI_BYPASSED,
		.frames = 1,
		.reserved = &reserved,
		.reserved_count = 1,
	};
	struct ward_viommu_options options = rig_options();

	options.input = (struct ward_range){ FIRST, LAST };
	options.frames = &frame;
	options.frames_count = 1;
	rig_create(rig, &options);
	assert_int_equal(ward_viommu_endpoint_add(rig->viommu, &one, NULL), 0);
	rig_add(rig, TWO);
	assert_int_equal(ward_viommu_negotiate(rig->viommu, features), 0);
	assert_int_equal(rig_attach(rig, DOMAIN, ONE, 0), RIG_OK);
	assert_int_equal(rig_attach(rig, THROUGH, TWO, RIG_BYPASS), RIG_OK);
	assert_int_equal(rig_map(rig, DOMAIN, START, START + 0x1fff, TARGET, RIG_RW), RIG_OK);
}

/* All is right with it. */
static struct rig_map good_map(void)
{
	return (struct rig_map){
		.type = 3,
		.domain = htole32(DOMAIN),
		.virt_start = htole64(START + 0x2000),
		.virt_end = htole64(START + 0x2fff),
		.phys_start = htole64(TARGET + 0x5000),
		.flags = htole32(RIG_RW),
	};
}

static void refuses_map(struct rig *rig, const char *what, const struct rig_map *request,
			enum rig_status status)
{
	rig_refuses(rig, what, request, sizeof(*request), status);
}

/* Last of each test of a bad field: it was that field. */
static void finish_good(struct rig *rig)
{
	const struct rig_map good = good_map();

	assert_int_equal(rig_ask(rig, &good, sizeof(good), 4), RIG_OK);
	assert_int_equal(rig->written, 4);
	rig_finish(rig);
}

static void map_with_an_unknown_flag_is_inval(void **state)
{
	struct rig rig;

	(void)state;
	start(&rig, everything);
	for (unsigned int bit = 3; bit < 32; bit++) {
		struct rig_map bad = good_map();

		bad.flags |= htole32(1u << bit);
		refuses_map(&rig, "flag", &bad, RIG_INVAL);
	}
	finish_good(&rig);
}

static void map_with_mmio_needs_it_negotiated(void **state)
{
	struct rig_map bad = good_map();
	struct rig rig;

	(void)state;
	start(&rig, everything & ~(uint64_t)WARD_VIOMMU_F_MMIO);
	bad.flags |= htole32(RIG_MMIO);
	refuses_map(&rig, "MMIO", &bad, RIG_INVAL);
	finish_good(&rig);
}

static void map_without_read_and_write_is_inval(void **state)
{
	struct rig_map bad = good_map();
	struct rig rig;

	(void)state;
	start(&rig, everything);
	bad.flags = 0;
	refuses_map(&rig, "no flag", &bad, RIG_INVAL);
	bad.flags = htole32(RIG_MMIO);
	refuses_map(&rig, "MMIO alone", &bad, RIG_INVAL);
	finish_good(&rig);
}

static void map_in_a_domain_that_is_not_there_is_noent(void **state)
{
	struct rig_map bad = good_map();
	struct rig rig;

	(void)state;
	start(&rig, everything);
	bad.domain = htole32(NONE);
	refuses_map(&rig, "no domain", &bad, RIG_NOENT);
	bad.domain = htole32(0);
	refuses_map(&rig, "domain 0", &bad, RIG_NOENT);
	finish_good(&rig);
}

static void map_in_a_bypass_domain_is_inval(void **state)
{
	struct rig_map bad = good_map();
	struct rig rig;

	(void)state;
	start(&rig, everything);
	bad.domain = htole32(THROUGH);
	refuses_map(&rig, "bypass", &bad, RIG_INVAL);
	finish_good(&rig);
}

static void map_that_ends_before_it_starts_is_inval(void **state)
{
	struct rig_map bad = good_map();
	struct rig rig;

	(void)state;
	start(&rig, everything);
	bad.virt_end = htole64(START + 0x1fff);
	refuses_map(&rig, "of no length", &bad, RIG_INVAL);
	bad.virt_end = htole64(FIRST - 1);
	refuses_map(&rig, "backwards", &bad, RIG_INVAL);
	finish_good(&rig);
}

static void map_off_the_granule_is_range(void **state)
{
	struct rig rig;

	(void)state;
	start(&rig, everything);
	for (unsigned int bit = 0; bit < 12; bit++) {
		struct rig_map bad = good_map();

		bad.virt_start ^= htole64(1ull << bit);
		refuses_map(&rig, "virt_start", &bad, RIG_RANGE);
		bad = good_map();
		bad.virt_end ^= htole64(1ull << bit);
		refuses_map(&rig, "virt_end", &bad, RIG_RANGE);
		bad = good_map();
		bad.phys_start ^= htole64(1ull << bit);
		refuses_map(&rig, "phys_start", &bad, RIG_RANGE);
	}
	finish_good(&rig);
}

static void the_granule_is_the_smallest_page_size(void **state)
{
	struct ward_viommu_options options = rig_options();
	struct rig rig;

	(void)state;
	options.page_sizes = 0x210000;
	rig_start(&rig, &options);
	rig_add(&rig, ONE);
	assert_int_equal(rig_attach(&rig, DOMAIN, ONE, 0), RIG_OK);
	assert_int_equal(rig_map(&rig, DOMAIN, 0x8000, 0x1ffff, 0, RIG_RW), RIG_RANGE);
	assert_int_equal(rig_map(&rig, DOMAIN, 0, 0x7fff, 0, RIG_RW), RIG_RANGE);
	assert_int_equal(rig_map(&rig, DOMAIN, 0, 0xffff, 0x8000, RIG_RW), RIG_RANGE);
	assert_int_equal(rig_map(&rig, DOMAIN, 0x10000, 0x2ffff, 0x30000, RIG_RW), RIG_OK);
	rig_finish(&rig);
}

static void map_whose_physical_range_wraps_is_range(void **state)
{
	struct rig_map bad = good_map();
	struct rig rig;

	(void)state;
	start(&rig, everything);
	bad.virt_end = htole64(START + 0x3fff);
	bad.phys_start = htole64(UINT64_MAX - 0xfff);
	refuses_map(&rig, "one page too many", &bad, RIG_RANGE);
	bad.virt_end = htole64(START + 0x2fff);
	assert_int_equal(rig_ask(&rig, &bad, sizeof(bad), 4), RIG_OK);
	assert_int_equal(rig_unmap(&rig, DOMAIN, START + 0x2000, START + 0x2fff), RIG_OK);
	finish_good(&rig);
}

static void map_outside_the_input_range_is_range(void **state)
{
	struct rig_map bad = good_map();
	struct rig rig;

	(void)state;
	start(&rig, everything);
	bad.virt_start = htole64(FIRST - 0x1000);
	bad.virt_end = htole64(FIRST - 1);
	refuses_map(&rig, "before it", &bad, RIG_RANGE);
	bad.virt_end = htole64(FIRST + 0xfff);
	refuses_map(&rig, "over its start", &bad, RIG_RANGE);
	bad.virt_start = htole64(LAST - 0xfff);
	bad.virt_end = htole64(LAST + 0x1000);
	refuses_map(&rig, "over its end", &bad, RIG_RANGE);
	bad.virt_start = htole64(LAST + 1);
	refuses_map(&rig, "behind it", &bad, RIG_RANGE);
	bad.virt_start = 0;
	bad.virt_end = UINT64_MAX;
	bad.phys_start = 0;
	refuses_map(&rig, "everything", &bad, RIG_RANGE);
	assert_int_equal(rig_map(&rig, DOMAIN, FIRST, FIRST + 0xfff, 0, RIG_RW), RIG_OK);
	assert_int_equal(rig_map(&rig, DOMAIN, LAST - 0xfff, LAST, 0, RIG_RW), RIG_OK);
	finish_good(&rig);
}

static void map_over_a_reserved_region_is_inval(void **state)
{
	static const uint64_t regions[] = { HELD, MSI };
	struct rig rig;

	(void)state;
	start(&rig, everything);
	for (unsigned int i = 0; i < 2; i++) {
		struct rig_map bad = good_map();
		uint64_t at = regions[i];

		bad.virt_start = htole64(at);
		bad.virt_end = htole64(at + 0xfff);
		refuses_map(&rig, "the region", &bad, RIG_INVAL);
		bad.phys_start = bad.virt_start;
		refuses_map(&rig, "the region, to itself", &bad, RIG_INVAL);
		bad.virt_start = htole64(at - 0x1000);
		refuses_map(&rig, "over its start", &bad, RIG_INVAL);
		bad.virt_start = htole64(at);
		bad.virt_end = htole64(at + 0x1fff);
		refuses_map(&rig, "over its end", &bad, RIG_INVAL);
		bad.virt_start = htole64(at - 0x1000);
		refuses_map(&rig, "around it", &bad, RIG_INVAL);
		assert_int_equal(rig_map(&rig, DOMAIN, at - 0x1000, at - 1, 0, RIG_RW), RIG_OK);
		assert_int_equal(rig_map(&rig, DOMAIN, at + 0x1000, at + 0x1fff, 0, RIG_RW),
				 RIG_OK);
	}
	finish_good(&rig);
}

/* Whoever of the domain it is that has the region. */
static void regions_of_all_endpoints_of_the_domain_count(void **state)
{
	struct rig rig;

	(void)state;
	start(&rig, everything);
	assert_int_equal(rig_attach(&rig, NONE, TWO, 0), RIG_OK);
	assert_int_equal(rig_map(&rig, NONE, HELD, HELD + 0xfff, 0, RIG_RW), RIG_OK);
	assert_int_equal(rig_attach(&rig, DOMAIN, TWO, 0), RIG_OK);
	assert_int_equal(rig_map(&rig, DOMAIN, HELD, HELD + 0xfff, 0, RIG_RW), RIG_INVAL);
	assert_int_equal(rig_detach(&rig, DOMAIN, ONE), RIG_OK);
	assert_int_equal(rig_map(&rig, DOMAIN, HELD, HELD + 0xfff, 0, RIG_RW), RIG_OK);
	rig_finish(&rig);
}

static void map_over_a_mapping_is_inval(void **state)
{
	struct rig_map bad = good_map();
	struct rig rig;

	(void)state;
	start(&rig, everything);
	bad.virt_start = htole64(START);
	bad.virt_end = htole64(START + 0x1fff);
	refuses_map(&rig, "the same addresses", &bad, RIG_INVAL);
	bad.phys_start = htole64(TARGET);
	refuses_map(&rig, "the very same", &bad, RIG_INVAL);
	bad.virt_end = htole64(START + 0xfff);
	refuses_map(&rig, "its first page", &bad, RIG_INVAL);
	bad.virt_start = htole64(START - 0x1000);
	refuses_map(&rig, "over its start", &bad, RIG_INVAL);
	bad.virt_start = htole64(START + 0x1000);
	bad.virt_end = htole64(START + 0x2fff);
	refuses_map(&rig, "over its end", &bad, RIG_INVAL);
	bad.virt_start = htole64(START - 0x1000);
	refuses_map(&rig, "around it", &bad, RIG_INVAL);
	finish_good(&rig);
}

static void a_device_full_of_mappings_says_nomem(void **state)
{
	struct ward_viommu_options options = rig_options();
	const struct rig_map bad = good_map();
	struct rig rig;

	(void)state;
	options.mappings_max = 3;
	rig_start(&rig, &options);
	rig_add(&rig, ONE);
	rig_add(&rig, TWO);
	assert_int_equal(rig_attach(&rig, DOMAIN, ONE, 0), RIG_OK);
	assert_int_equal(rig_attach(&rig, NONE, TWO, 0), RIG_OK);
	/* Of all domains together. */
	assert_int_equal(rig_map(&rig, DOMAIN, 0, 0xfff, 0, RIG_RW), RIG_OK);
	assert_int_equal(rig_map(&rig, NONE, 0, 0xfff, 0, RIG_RW), RIG_OK);
	assert_int_equal(rig_map(&rig, NONE, 0x1000, 0x1fff, 0, RIG_RW), RIG_OK);
	refuses_map(&rig, "one too many", &bad, RIG_NOMEM);
	/* An overlap is one, full or not. */
	assert_int_equal(rig_map(&rig, DOMAIN, 0, 0xfff, 0, RIG_RW), RIG_INVAL);
	assert_int_equal(rig_unmap(&rig, NONE, 0, 0xfff), RIG_OK);
	assert_int_equal(rig_map(&rig, DOMAIN, 0x1000, 0x1fff, 0, RIG_RW), RIG_OK);
	refuses_map(&rig, "full again", &bad, RIG_NOMEM);
	/* Domains that end give theirs back. */
	assert_int_equal(rig_detach(&rig, DOMAIN, ONE), RIG_OK);
	assert_int_equal(rig_info(&rig).mappings, 1);
	assert_int_equal(rig_info(&rig).mappings_peak, 3);
	assert_int_equal(rig_attach(&rig, DOMAIN, ONE, 0), RIG_OK);
	finish_good(&rig);
}

static void the_first_check_of_map_that_fails_gives_the_status(void **state)
{
	struct rig_map bad = good_map();
	struct rig rig;

	(void)state;
	start(&rig, everything);
	bad.flags = htole32(0x80);
	bad.domain = htole32(NONE);
	bad.virt_end = 0;
	bad.phys_start = htole64(1);
	refuses_map(&rig, "flags before the domain", &bad, RIG_INVAL);
	bad.flags = 0;
	refuses_map(&rig, "no access before the domain", &bad, RIG_INVAL);
	bad.flags = htole32(RIG_READ);
	refuses_map(&rig, "the domain before bounds", &bad, RIG_NOENT);
	bad.domain = htole32(THROUGH);
	refuses_map(&rig, "bypass before bounds", &bad, RIG_INVAL);
	bad.domain = htole32(DOMAIN);
	refuses_map(&rig, "order of bounds before the granule", &bad, RIG_INVAL);
	bad.virt_start = htole64(HELD);
	bad.virt_end = htole64(HELD + 0xfff);
	refuses_map(&rig, "granule before regions", &bad, RIG_RANGE);
	bad.phys_start = htole64(UINT64_MAX - 0xfff);
	bad.virt_end = htole64(HELD + 0x1fff);
	refuses_map(&rig, "wrap before regions", &bad, RIG_RANGE);
	bad.phys_start = 0;
	bad.virt_end = htole64(LAST + 0x1000);
	refuses_map(&rig, "input range before regions", &bad, RIG_RANGE);
	finish_good(&rig);
}

static void map_ignores_reserved_bytes_of_the_head(void **state)
{
	struct rig_map request = good_map();
	struct rig rig;

	(void)state;
	start(&rig, everything);
	memset(request.head, 0xff, sizeof(request.head));
	assert_int_equal(rig_ask(&rig, &request, sizeof(request), 4), RIG_OK);
	rig_finish(&rig);
}

static void map_lets_through_what_its_flags_say(void **state)
{
	static const struct {
		uint32_t flags;
		bool read, write;
		enum ward_memory_type type;
	} rows[] = {
		{ RIG_READ, true, false, WARD_NORMAL },
		{ RIG_WRITE, false, true, WARD_NORMAL },
		{ RIG_RW, true, true, WARD_NORMAL },
		{ RIG_READ | RIG_MMIO, true, false, WARD_DEVICE_NGNRE },
		{ RIG_WRITE | RIG_MMIO, false, true, WARD_DEVICE_NGNRE },
		{ RIG_RW | RIG_MMIO, true, true, WARD_DEVICE_NGNRE },
	};
	struct rig rig;

	(void)state;
	start(&rig, everything);
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t at = START + 0x10000 + i * 0x2000, to = TARGET + i * 0x4000;
		uint32_t access = rows[i].read ? WARD_READ : WARD_WRITE;
		struct ward_translation translation;

		assert_int_equal(rig_map(&rig, DOMAIN, at, at + 0xfff, to, rows[i].flags), RIG_OK);
		assert_int_equal(rig_leads(&rig, ONE, at + 7, WARD_READ),
				 rows[i].read ? to + 7 : UINT64_MAX);
		assert_int_equal(rig_leads(&rig, ONE, at + 0xfff, WARD_WRITE),
				 rows[i].write ? to + 0xfff : UINT64_MAX);
		assert_int_equal(rig_leads(&rig, ONE, at, WARD_EXEC), UINT64_MAX);
		assert_int_equal(rig_leads(&rig, ONE, at + 0x1000, access), UINT64_MAX);
		assert_int_equal(rig_leads(&rig, ONE, at - 1, access), UINT64_MAX);
		assert_int_equal(ward_viommu_translate(rig.viommu, NULL, ONE, ward_iova(at), access,
						       &translation, NULL),
				 0);
		assert_int_equal(translation.type, rows[i].type);
	}
	rig_finish(&rig);
}

/* Larger than any length that fits into 64 bits. */
static void all_of_64_bits_is_one_mapping(void **state)
{
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	rig_add(&rig, ONE);
	assert_int_equal(rig_attach(&rig, DOMAIN, ONE, 0), RIG_OK);
	assert_int_equal(rig_map(&rig, DOMAIN, 0, UINT64_MAX, 0x1000, RIG_RW), RIG_RANGE);
	assert_int_equal(rig_map(&rig, DOMAIN, 0, UINT64_MAX, 0, RIG_RW), RIG_OK);
	assert_int_equal(rig_leads(&rig, ONE, UINT64_MAX - 1, WARD_READ), UINT64_MAX - 1);
	assert_int_equal(rig_map(&rig, DOMAIN, 0x1000, 0x1fff, 0, RIG_RW), RIG_INVAL);
	assert_int_equal(rig_unmap(&rig, DOMAIN, 0, UINT64_MAX - 1), RIG_RANGE);
	assert_int_equal(rig_unmap(&rig, DOMAIN, 1, UINT64_MAX), RIG_RANGE);
	assert_int_equal(rig_unmap(&rig, DOMAIN, 0, UINT64_MAX), RIG_OK);
	/* The last page alone. */
	assert_int_equal(rig_map(&rig, DOMAIN, UINT64_MAX - 0xfff, UINT64_MAX, 0, RIG_RW), RIG_OK);
	assert_int_equal(rig_leads(&rig, ONE, UINT64_MAX, WARD_READ), 0xfff);
	assert_int_equal(rig_unmap(&rig, DOMAIN, UINT64_MAX - 0xfff, UINT64_MAX), RIG_OK);
	rig_finish(&rig);
}

/* Where the standard's device has no IDENTITY regions, this is all there is to them. */
static void an_identity_region_is_mapped_to_itself_or_not_at_all(void **state)
{
	static const struct ward_reserved window = { { WARD_SW_MSI_START, WARD_SW_MSI_LAST },
						     WARD_REGION_SW_MSI };
	const struct ward_viommu_endpoint_options one = {
		.size = sizeof(one),
		.endpoint = ONE,
		.reserved = &window,
		.reserved_count = 1,
		.identity = true,
	};
	const uint64_t at = WARD_SW_MSI_START, last = WARD_SW_MSI_LAST;
	struct ward_viommu_options options = rig_options();
	struct rig rig;

	(void)state;
	options.flags = WARD_VIOMMU_IDENTITY;
	rig_start(&rig, &options);
	assert_int_equal(ward_viommu_endpoint_add(rig.viommu, &one, NULL), 0);
	rig_add(&rig, TWO);
	assert_int_equal(rig_attach(&rig, DOMAIN, ONE, 0), RIG_OK);
	assert_int_equal(rig_map(&rig, DOMAIN, at, last, at + 0x1000, RIG_RW), RIG_INVAL);
	assert_int_equal(rig_map(&rig, DOMAIN, at - 0x1000, last, at - 0x1000, RIG_RW), RIG_INVAL);
	assert_int_equal(rig_map(&rig, DOMAIN, at, last + 0x1000, at, RIG_RW), RIG_INVAL);
	assert_int_equal(rig_map(&rig, DOMAIN, at, at + 0xfff, at, RIG_RW), RIG_OK);
	assert_int_equal(rig_map(&rig, DOMAIN, at + 0x1000, last, at + 0x1000, RIG_WRITE), RIG_OK);
	assert_int_equal(rig_leads(&rig, ONE, at + 0x40, WARD_WRITE), at + 0x40);
	assert_int_equal(rig_unmap(&rig, DOMAIN, at, last), RIG_OK);
	/* Mapped before the endpoint comes, it was an ordinary mapping, which listeners know. */
	assert_int_equal(rig_detach(&rig, DOMAIN, ONE), RIG_OK);
	assert_int_equal(rig_attach(&rig, DOMAIN, TWO, 0), RIG_OK);
	assert_int_equal(rig_map(&rig, DOMAIN, at, last, at, RIG_RW), RIG_OK);
	assert_int_equal(rig_attach(&rig, DOMAIN, ONE, 0), RIG_UNSUPP);
	rig_finish(&rig);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_with_an_unknown_flag_is_inval),
		cmocka_unit_test(map_with_mmio_needs_it_negotiated),
		cmocka_unit_test(map_without_read_and_write_is_inval),
		cmocka_unit_test(map_in_a_domain_that_is_not_there_is_noent),
		cmocka_unit_test(map_in_a_bypass_domain_is_inval),
		cmocka_unit_test(map_that_ends_before_it_starts_is_inval),
		cmocka_unit_test(map_off_the_granule_is_range),
		cmocka_unit_test(the_granule_is_the_smallest_page_size),
		cmocka_unit_test(map_whose_physical_range_wraps_is_range),
		cmocka_unit_test(map_outside_the_input_range_is_range),
		cmocka_unit_test(map_over_a_reserved_region_is_inval),
		cmocka_unit_test(regions_of_all_endpoints_of_the_domain_count),
		cmocka_unit_test(map_over_a_mapping_is_inval),
		cmocka_unit_test(a_device_full_of_mappings_says_nomem),
		cmocka_unit_test(the_first_check_of_map_that_fails_gives_the_status),
		cmocka_unit_test(map_ignores_reserved_bytes_of_the_head),
		cmocka_unit_test(map_lets_through_what_its_flags_say),
		cmocka_unit_test(all_of_64_bits_is_one_mapping),
		cmocka_unit_test(an_identity_region_is_mapped_to_itself_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

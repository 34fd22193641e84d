// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* ATTACH and DETACH: one bad field at a time, then what they do. */
#include "rig.h"

#define FIRST 5u /* domain ids */
#define LAST 10u
#define MAPPED 6u  /* a domain with a mapping where RESERVED's region is */
#define THROUGH 7u /* a bypass domain */
#define NEW 8u
#define ONE 1u /* endpoints */
#define TWO 2u
#define RESERVED 3u /* it has a reserved region */
#define FREE 4u
#define NOBODY 9u

#define START 0x10000u
#define TARGET 0x80000000u

static void add_reserved(struct rig *rig, uint32_t id, uint64_t start, uint64_t last)
{
	const struct ward_reserved reserved = { { start, last }, WARD_REGION_RESERVED };
	const struct ward_viommu_endpoint_options options = {
		.size = sizeof(options),
		.endpoint = id,
		.reserved = &reserved,
		.reserved_count = 1,
	};

	assert_int_equal(ward_viommu_endpoint_add(rig->viommu, &options, NULL), 0);
}

static void start(struct rig *rig, uint64_t features)
{
	struct ward_viommu_options options = rig_options();

	options.domain_first = FIRST;
	options.domain_last = LAST;
	rig_create(rig, &options);
	rig_add(rig, ONE);
	rig_add(rig, TWO);
	add_reserved(rig, RESERVED, START + 0x1000, START + 0x1fff);
	rig_add(rig, FREE);
	assert_int_equal(ward_viommu_negotiate(rig->viommu, features), 0);
	assert_int_equal(rig_attach(rig, MAPPED, ONE, 0), RIG_OK);
	if (features & WARD_VIOMMU_F_MAP_UNMAP)
		assert_int_equal(rig_map(rig, MAPPED, START, START + 0x1fff, TARGET, RIG_RW),
				 RIG_OK);
	if (features & WARD_VIOMMU_F_BYPASS_CONFIG)
		assert_int_equal(rig_attach(rig, THROUGH, TWO, RIG_BYPASS), RIG_OK);
}

static const uint64_t everything = WARD_VIOMMU_F_INPUT_RANGE | WARD_VIOMMU_F_DOMAIN_RANGE |
				   WARD_VIOMMU_F_MAP_UNMAP | WARD_VIOMMU_F_PROBE |
				   WARD_VIOMMU_F_MMIO | WARD_VIOMMU_F_BYPASS_CONFIG;

/* All is right with it. */
static struct rig_attach good_attach(void)
{
	return (struct rig_attach){ .type = 1, .domain = htole32(NEW), .endpoint = htole32(FREE) };
}

static void refuses_attach(struct rig *rig, const char *what, const struct rig_attach *request,
			   enum rig_status status)
{
	rig_refuses(rig, what, request, sizeof(*request), status);
}

/* Last of each test of a bad field: it was that field. */
static void finish_good(struct rig *rig)
{
	const struct rig_attach good = good_attach();

	assert_int_equal(rig_ask(rig, &good, sizeof(good), 4), RIG_OK);
	rig_finish(rig);
}

static void attach_with_a_reserved_byte_set_is_inval(void **state)
{
	struct rig rig;

	(void)state;
	start(&rig, everything);
	for (unsigned int i = 0; i < sizeof(((struct rig_attach *)0)->reserved); i++) {
		struct rig_attach bad = good_attach();

		bad.reserved[i] = 0x80;
		refuses_attach(&rig, "reserved", &bad, RIG_INVAL);
	}
	finish_good(&rig);
}

static void attach_with_an_unknown_flag_is_inval(void **state)
{
	struct rig rig;

	(void)state;
	start(&rig, everything);
	for (unsigned int bit = 1; bit < 32; bit++) {
		struct rig_attach bad = good_attach();

		bad.flags = htole32(1u << bit);
		refuses_attach(&rig, "flag", &bad, RIG_INVAL);
		bad.flags |= htole32(RIG_BYPASS);
		refuses_attach(&rig, "flag beside BYPASS", &bad, RIG_INVAL);
	}
	finish_good(&rig);
}

static void attach_with_bypass_needs_bypass_config_negotiated(void **state)
{
	struct rig_attach bad = good_attach();
	struct rig rig;

	(void)state;
	bad.flags = htole32(RIG_BYPASS);
	start(&rig, everything & ~(uint64_t)WARD_VIOMMU_F_BYPASS_CONFIG);
	refuses_attach(&rig, "BYPASS not negotiated", &bad, RIG_INVAL);
	finish_good(&rig);
}

static void attach_of_an_unknown_endpoint_is_noent(void **state)
{
	struct rig_attach bad = good_attach();
	struct rig rig;

	(void)state;
	start(&rig, everything);
	bad.endpoint = htole32(NOBODY);
	refuses_attach(&rig, "nobody", &bad, RIG_NOENT);
	bad.endpoint = htole32(0);
	refuses_attach(&rig, "the first id", &bad, RIG_NOENT);
	bad.endpoint = htole32(UINT32_MAX);
	refuses_attach(&rig, "the last id", &bad, RIG_NOENT);
	finish_good(&rig);
}

static void attach_outside_the_domain_range_is_range(void **state)
{
	static const uint32_t ids[] = { 0, FIRST - 1, LAST + 1, UINT32_MAX };
	struct rig rig;

	(void)state;
	start(&rig, everything);
	for (unsigned int i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct rig_attach bad = good_attach();

		bad.domain = htole32(ids[i]);
		refuses_attach(&rig, "domain", &bad, RIG_RANGE);
	}
	assert_int_equal(rig_attach(&rig, FIRST, FREE, 0), RIG_OK);
	assert_int_equal(rig_attach(&rig, LAST, FREE, 0), RIG_OK);
	finish_good(&rig);
}

static void attach_to_a_domain_of_the_other_kind_is_inval(void **state)
{
	struct rig_attach bad = good_attach();
	struct rig rig;

	(void)state;
	start(&rig, everything);
	bad.domain = htole32(THROUGH);
	refuses_attach(&rig, "a bypass domain without BYPASS", &bad, RIG_INVAL);
	bad.domain = htole32(MAPPED);
	bad.flags = htole32(RIG_BYPASS);
	refuses_attach(&rig, "a domain with mappings and BYPASS", &bad, RIG_INVAL);
	/* Also who is in it already. */
	bad.endpoint = htole32(ONE);
	refuses_attach(&rig, "its own domain and BYPASS", &bad, RIG_INVAL);
	finish_good(&rig);
}

static void attach_where_a_reserved_region_is_mapped_is_unsupp(void **state)
{
	struct rig_attach bad = good_attach();
	struct rig rig;

	(void)state;
	start(&rig, everything);
	bad.domain = htole32(MAPPED);
	bad.endpoint = htole32(RESERVED);
	refuses_attach(&rig, "mapped", &bad, RIG_UNSUPP);
	assert_int_equal(rig_unmap(&rig, MAPPED, 0, UINT64_MAX), RIG_OK);
	/* Before the region, and behind it. */
	assert_int_equal(rig_map(&rig, MAPPED, START, START + 0xfff, TARGET, RIG_RW), RIG_OK);
	assert_int_equal(rig_map(&rig, MAPPED, START + 0x2000, START + 0x2fff, TARGET, RIG_RW),
			 RIG_OK);
	assert_int_equal(rig_attach(&rig, MAPPED, RESERVED, 0), RIG_OK);
	finish_good(&rig);
}

static void the_first_check_of_attach_that_fails_gives_the_status(void **state)
{
	struct rig_attach bad = good_attach();
	struct rig rig;

	(void)state;
	start(&rig, everything);
	bad.reserved[0] = 1;
	bad.flags = htole32(2);
	bad.endpoint = htole32(NOBODY);
	bad.domain = htole32(LAST + 1);
	refuses_attach(&rig, "everything is wrong", &bad, RIG_INVAL);
	bad.reserved[0] = 0;
	refuses_attach(&rig, "flags", &bad, RIG_INVAL);
	bad.flags = 0;
	refuses_attach(&rig, "endpoint", &bad, RIG_NOENT);
	bad.endpoint = htole32(RESERVED);
	refuses_attach(&rig, "domain range", &bad, RIG_RANGE);
	bad.domain = htole32(MAPPED);
	bad.flags = htole32(RIG_BYPASS);
	refuses_attach(&rig, "kind", &bad, RIG_INVAL);
	bad.flags = 0;
	refuses_attach(&rig, "regions", &bad, RIG_UNSUPP);
	finish_good(&rig);
}

static void attach_ignores_reserved_bytes_of_the_head(void **state)
{
	struct rig_attach request = good_attach();
	struct rig rig;

	(void)state;
	start(&rig, everything);
	memset(request.head, 0xff, sizeof(request.head));
	assert_int_equal(rig_ask(&rig, &request, sizeof(request), 4), RIG_OK);
	rig_finish(&rig);
}

static void the_first_attach_makes_a_domain(void **state)
{
	struct ward_viommu_endpoint endpoint;
	struct rig rig;

	(void)state;
	start(&rig, everything);
	assert_int_equal(rig_info(&rig).domains, 2);
	assert_int_equal(rig_attach(&rig, NEW, FREE, 0), RIG_OK);
	assert_int_equal(rig.written, 4);
	assert_int_equal(rig_info(&rig).domains, 3);
	endpoint = rig_endpoint(&rig, FREE);
	assert_int_equal(endpoint.place.kind, WARD_VIOMMU_MAPPED);
	assert_true(endpoint.place.attached);
	assert_int_equal(endpoint.place.domain, NEW);
	assert_non_null(endpoint.place.space);
	assert_int_equal(rig_leads(&rig, FREE, START, WARD_READ), UINT64_MAX);
	rig_finish(&rig);
}

static void endpoints_of_one_domain_share_its_mappings(void **state)
{
	struct rig rig;

	(void)state;
	start(&rig, everything);
	assert_int_equal(rig_attach(&rig, MAPPED, FREE, 0), RIG_OK);
	assert_int_equal(rig_info(&rig).domains, 2);
	assert_int_equal(rig_leads(&rig, FREE, START + 5, WARD_READ), TARGET + 5);
	assert_int_equal(rig_map(&rig, MAPPED, 0x40000, 0x40fff, 0x1000, RIG_READ), RIG_OK);
	assert_int_equal(rig_leads(&rig, ONE, 0x40000, WARD_READ), 0x1000);
	assert_int_equal(rig_leads(&rig, FREE, 0x40000, WARD_READ), 0x1000);
	rig_finish(&rig);
}

static void attach_to_its_own_domain_changes_nothing(void **state)
{
	struct rig_attach request = good_attach();
	struct rig rig;

	(void)state;
	start(&rig, everything);
	request.domain = htole32(MAPPED);
	request.endpoint = htole32(ONE);
	refuses_attach(&rig, "again", &request, RIG_OK);
	request.domain = htole32(THROUGH);
	request.endpoint = htole32(TWO);
	request.flags = htole32(RIG_BYPASS);
	refuses_attach(&rig, "again, bypass", &request, RIG_OK);
	rig_finish(&rig);
}

static void attach_moves_from_another_domain(void **state)
{
	struct rig rig;

	(void)state;
	start(&rig, everything);
	assert_int_equal(rig_attach(&rig, MAPPED, FREE, 0), RIG_OK);
	assert_int_equal(rig_attach(&rig, NEW, FREE, 0), RIG_OK);
	assert_int_equal(rig_leads(&rig, FREE, START, WARD_READ), UINT64_MAX);
	assert_int_equal(rig_leads(&rig, ONE, START, WARD_READ), TARGET);
	/* The last one that leaves takes the domain along. */
	assert_int_equal(rig_attach(&rig, NEW, ONE, 0), RIG_OK);
	assert_int_equal(rig_info(&rig).domains, 2);
	assert_int_equal(rig_info(&rig).mappings, 0);
	assert_int_equal(rig_map(&rig, MAPPED, 0, 0xfff, 0, RIG_READ), RIG_NOENT);
	/* From bypass into mappings, and back. */
	assert_int_equal(rig_attach(&rig, NEW, TWO, 0), RIG_OK);
	assert_int_equal(rig_leads(&rig, TWO, START, WARD_READ), UINT64_MAX);
	assert_int_equal(rig_attach(&rig, THROUGH, TWO, RIG_BYPASS), RIG_OK);
	assert_int_equal(rig_leads(&rig, TWO, START, WARD_READ), START);
	rig_finish(&rig);
}

static void a_bypass_domain_lets_everything_through(void **state)
{
	struct ward_viommu_endpoint endpoint;
	struct rig rig;

	(void)state;
	start(&rig, everything);
	endpoint = rig_endpoint(&rig, TWO);
	assert_int_equal(endpoint.place.kind, WARD_VIOMMU_BYPASS);
	assert_true(endpoint.place.attached);
	assert_int_equal(endpoint.place.domain, THROUGH);
	assert_int_equal(rig_leads(&rig, TWO, 0, WARD_READ), 0);
	assert_int_equal(rig_leads(&rig, TWO, UINT64_MAX - 1, WARD_WRITE), UINT64_MAX - 1);
	/* Regions or not. */
	assert_int_equal(rig_attach(&rig, THROUGH, RESERVED, RIG_BYPASS), RIG_OK);
	assert_int_equal(rig_leads(&rig, RESERVED, START + 0x1000, WARD_WRITE), START + 0x1000);
	rig_finish(&rig);
}

static void detach_of_an_unknown_endpoint_is_noent(void **state)
{
	const struct rig_detach bad = { .type = 2,
					.domain = htole32(MAPPED),
					.endpoint = htole32(NOBODY) };
	struct rig rig;

	(void)state;
	start(&rig, everything);
	rig_refuses(&rig, "nobody", &bad, sizeof(bad), RIG_NOENT);
	rig_finish(&rig);
}

static void detach_from_a_domain_it_is_not_in_is_inval(void **state)
{
	struct rig_detach bad = { .type = 2, .domain = htole32(THROUGH), .endpoint = htole32(ONE) };
	struct rig rig;

	(void)state;
	start(&rig, everything);
	rig_refuses(&rig, "another's domain", &bad, sizeof(bad), RIG_INVAL);
	bad.domain = htole32(NEW);
	rig_refuses(&rig, "no domain", &bad, sizeof(bad), RIG_INVAL);
	bad.endpoint = htole32(FREE);
	rig_refuses(&rig, "not attached", &bad, sizeof(bad), RIG_INVAL);
	bad.domain = htole32(MAPPED);
	rig_refuses(&rig, "not attached, another's", &bad, sizeof(bad), RIG_INVAL);
	rig_finish(&rig);
}

static void detach_ignores_what_is_reserved(void **state)
{
	struct rig_detach request = { .type = 2,
				      .domain = htole32(MAPPED),
				      .endpoint = htole32(ONE) };
	struct rig rig;

	(void)state;
	start(&rig, everything);
	memset(request.head, 0xff, sizeof(request.head));
	memset(request.reserved, 0xff, sizeof(request.reserved));
	assert_int_equal(rig_ask(&rig, &request, sizeof(request), 4), RIG_OK);
	assert_false(rig_endpoint(&rig, ONE).place.attached);
	rig_finish(&rig);
}

static void detach_blocks_access_to_the_old_mappings(void **state)
{
	struct ward_viommu_endpoint endpoint;
	struct rig rig;

	(void)state;
	start(&rig, everything);
	assert_int_equal(rig_attach(&rig, MAPPED, FREE, 0), RIG_OK);
	assert_int_equal(rig_leads(&rig, ONE, START, WARD_READ), TARGET);
	assert_int_equal(rig_detach(&rig, MAPPED, ONE), RIG_OK);
	assert_int_equal(rig.written, 4);
	endpoint = rig_endpoint(&rig, ONE);
	assert_int_equal(endpoint.place.kind, WARD_VIOMMU_BLOCKED);
	assert_false(endpoint.place.attached);
	assert_int_equal(endpoint.place.domain, WARD_NONE);
	assert_null(endpoint.place.space);
	assert_int_equal(rig_leads(&rig, ONE, START, WARD_READ), UINT64_MAX);
	assert_int_equal(rig_leads(&rig, FREE, START, WARD_READ), TARGET);
	rig_finish(&rig);
}

static void a_domain_ends_with_its_last_endpoint_and_its_mappings_with_it(void **state)
{
	struct rig rig;

	(void)state;
	start(&rig, everything);
	assert_int_equal(rig_attach(&rig, MAPPED, FREE, 0), RIG_OK);
	assert_int_equal(rig_detach(&rig, MAPPED, ONE), RIG_OK);
	assert_int_equal(rig_info(&rig).mappings, 1);
	assert_int_equal(rig_detach(&rig, MAPPED, FREE), RIG_OK);
	assert_int_equal(rig_info(&rig).domains, 1);
	assert_int_equal(rig_info(&rig).mappings, 0);
	assert_int_equal(rig_unmap(&rig, MAPPED, 0, UINT64_MAX), RIG_NOENT);
	/* The next one of that id begins empty, and may be of the other kind. */
	assert_int_equal(rig_attach(&rig, MAPPED, ONE, 0), RIG_OK);
	assert_int_equal(rig_leads(&rig, ONE, START, WARD_READ), UINT64_MAX);
	assert_int_equal(rig_detach(&rig, MAPPED, ONE), RIG_OK);
	assert_int_equal(rig_attach(&rig, MAPPED, ONE, RIG_BYPASS), RIG_OK);
	rig_finish(&rig);
}

static void detach_leads_to_bypass_when_the_byte_says_so(void **state)
{
	const uint8_t one = 1;
	struct rig rig;

	(void)state;
	start(&rig, everything);
	assert_int_equal(ward_viommu_config_write(rig.viommu, 36, &one, 1), 0);
	assert_int_equal(rig_leads(&rig, ONE, START + 0x3000, WARD_READ), UINT64_MAX);
	assert_int_equal(rig_detach(&rig, MAPPED, ONE), RIG_OK);
	assert_int_equal(rig_place(&rig, ONE), WARD_VIOMMU_BYPASS);
	assert_false(rig_endpoint(&rig, ONE).place.attached);
	assert_int_equal(rig_leads(&rig, ONE, START + 0x3000, WARD_READ), START + 0x3000);
	rig_finish(&rig);
}

/* Ids are kept in order; none gets lost, wherever it comes and goes. */
static void many_domains_and_endpoints_are_told_apart(void **state)
{
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	for (uint32_t i = 0; i < 97; i++)
		rig_add(&rig, i * 31 % 97 * 1000);
	for (uint32_t i = 0; i < 97; i++) {
		uint32_t id = i * 57 % 97;

		assert_int_equal(rig_attach(&rig, UINT32_MAX - id, id * 1000, 0), RIG_OK);
		assert_int_equal(rig_map(&rig, UINT32_MAX - id, 0, 0xfff, id * 0x1000ull, RIG_RW),
				 RIG_OK);
	}
	for (uint32_t i = 0; i < 97; i++)
		assert_int_equal(rig_leads(&rig, i * 1000, 0, WARD_READ), i * 0x1000ull);
	for (uint32_t i = 0; i < 97; i += 2)
		assert_int_equal(rig_detach(&rig, UINT32_MAX - i, i * 1000), RIG_OK);
	for (uint32_t i = 0; i < 97; i++)
		assert_int_equal(rig_leads(&rig, i * 1000, 0, WARD_READ),
				 i % 2 ? i * 0x1000ull : UINT64_MAX);
	assert_int_equal(rig_info(&rig).domains, 48);
	assert_int_equal(rig_info(&rig).mappings, 48);
	assert_int_equal(rig_info(&rig).mappings_peak, 97);
	rig_finish(&rig);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(attach_with_a_reserved_byte_set_is_inval),
		cmocka_unit_test(attach_with_an_unknown_flag_is_inval),
		cmocka_unit_test(attach_with_bypass_needs_bypass_config_negotiated),
		cmocka_unit_test(attach_of_an_unknown_endpoint_is_noent),
		cmocka_unit_test(attach_outside_the_domain_range_is_range),
		cmocka_unit_test(attach_to_a_domain_of_the_other_kind_is_inval),
		cmocka_unit_test(attach_where_a_reserved_region_is_mapped_is_unsupp),
		cmocka_unit_test(the_first_check_of_attach_that_fails_gives_the_status),
		cmocka_unit_test(attach_ignores_reserved_bytes_of_the_head),
		cmocka_unit_test(the_first_attach_makes_a_domain),
		cmocka_unit_test(endpoints_of_one_domain_share_its_mappings),
		cmocka_unit_test(attach_to_its_own_domain_changes_nothing),
		cmocka_unit_test(attach_moves_from_another_domain),
		cmocka_unit_test(a_bypass_domain_lets_everything_through),
		cmocka_unit_test(detach_of_an_unknown_endpoint_is_noent),
		cmocka_unit_test(detach_from_a_domain_it_is_not_in_is_inval),
		cmocka_unit_test(detach_ignores_what_is_reserved),
		cmocka_unit_test(detach_blocks_access_to_the_old_mappings),
		cmocka_unit_test(a_domain_ends_with_its_last_endpoint_and_its_mappings_with_it),
		cmocka_unit_test(detach_leads_to_bypass_when_the_byte_says_so),
		cmocka_unit_test(many_domains_and_endpoints_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

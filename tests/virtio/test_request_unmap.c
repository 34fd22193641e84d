// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* UNMAP: one bad field at a time, then what it removes. */
#include "rig.h"

#include "sweep.h"

#define DOMAIN 6u
#define THROUGH 7u /* a bypass domain */
#define NONE 8u	   /* no domain */
#define ONE 1u	   /* endpoints */
#define TWO 2u
#define PAGE 0x1000ull
#define AT(page) ((page)*PAGE)
#define LAST(page) (((page) + 1) * PAGE - 1)

static void start(struct rig *rig)
{
	rig_start(rig, NULL);
	rig_add(rig, ONE);
	rig_add(rig, TWO);
	assert_int_equal(rig_attach(rig, DOMAIN, ONE, 0), RIG_OK);
	assert_int_equal(rig_attach(rig, THROUGH, TWO, RIG_BYPASS), RIG_OK);
}

static void map(struct rig *rig, uint64_t first, uint64_t last)
{
	assert_int_equal(rig_map(rig, DOMAIN, AT(first), LAST(last), AT(0x80000 + first), RIG_RW),
			 RIG_OK);
}

static bool is_mapped(const struct rig *rig, uint64_t page)
{
	return rig_leads(rig, ONE, AT(page), WARD_READ) != UINT64_MAX;
}

static struct rig_unmap unmap_of(uint64_t start, uint64_t last)
{
	return (struct rig_unmap){
		.type = 4,
		.domain = htole32(DOMAIN),
		.virt_start = htole64(start),
		.virt_end = htole64(last),
	};
}

static void refuses_unmap(struct rig *rig, const char *what, const struct rig_unmap *request,
			  enum rig_status status)
{
	rig_refuses(rig, what, request, sizeof(*request), status);
}

static void unmap_with_a_reserved_byte_set_is_inval(void **state)
{
	struct rig_unmap request = unmap_of(AT(1), LAST(1));
	struct rig rig;

	(void)state;
	start(&rig);
	map(&rig, 1, 1);
	for (unsigned int i = 0; i < sizeof(request.reserved); i++) {
		request.reserved[i] = 1;
		refuses_unmap(&rig, "reserved", &request, RIG_INVAL);
		request.reserved[i] = 0;
	}
	assert_int_equal(rig_ask(&rig, &request, sizeof(request), 4), RIG_OK);
	assert_false(is_mapped(&rig, 1));
	rig_finish(&rig);
}

static void unmap_in_a_domain_that_is_not_there_is_noent(void **state)
{
	struct rig_unmap request = unmap_of(AT(1), LAST(1));
	struct rig rig;

	(void)state;
	start(&rig);
	request.domain = htole32(NONE);
	refuses_unmap(&rig, "no domain", &request, RIG_NOENT);
	rig_finish(&rig);
}

static void unmap_in_a_bypass_domain_is_inval(void **state)
{
	struct rig_unmap request = unmap_of(AT(1), LAST(1));
	struct rig rig;

	(void)state;
	start(&rig);
	request.domain = htole32(THROUGH);
	refuses_unmap(&rig, "bypass", &request, RIG_INVAL);
	rig_finish(&rig);
}

static void unmap_that_ends_before_it_starts_is_inval(void **state)
{
	struct rig_unmap request = unmap_of(AT(2), LAST(1));
	struct rig rig;

	(void)state;
	start(&rig);
	map(&rig, 1, 2);
	refuses_unmap(&rig, "of no length", &request, RIG_INVAL);
	request.virt_start = UINT64_MAX;
	request.virt_end = 0;
	refuses_unmap(&rig, "backwards", &request, RIG_INVAL);
	rig_finish(&rig);
}

static void unmap_that_would_cut_a_mapping_is_range_and_removes_nothing(void **state)
{
	static const struct {
		const char *what;
		uint64_t start, last;
	} rows[] = {
		{ "the first page of one", AT(10), LAST(10) },
		{ "the last page of one", AT(19), LAST(19) },
		{ "the middle of one", AT(14), LAST(15) },
		{ "all but its first byte", AT(10) + 1, LAST(19) },
		{ "all but its last byte", AT(10), LAST(19) - 1 },
		{ "a byte of it", AT(14) + 5, AT(14) + 5 },
		{ "what is whole before it", AT(5), LAST(10) },
		{ "what is whole behind it", AT(19), LAST(25) },
		{ "from one into another, whole ones between", AT(14), LAST(30) },
		{ "into the first byte", 0, AT(10) },
		{ "from the last byte", LAST(19), UINT64_MAX },
	};
	struct rig rig;

	(void)state;
	start(&rig);
	map(&rig, 5, 6);
	map(&rig, 10, 19);
	map(&rig, 20, 20);
	map(&rig, 25, 25);
	map(&rig, 28, 33);
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct rig_unmap request = unmap_of(rows[i].start, rows[i].last);

		refuses_unmap(&rig, rows[i].what, &request, RIG_RANGE);
	}
	rig_finish(&rig);
}

/* Each of the standard's examples, 5.13.6.6. */
static void unmap_removes_what_the_standards_examples_say(void **state)
{
	struct rig rig;

	(void)state;
	start(&rig);
	/* 1: nothing there. */
	assert_int_equal(rig_unmap(&rig, DOMAIN, AT(0), LAST(4)), RIG_OK);
	/* 2: the very mapping. */
	map(&rig, 0, 9);
	assert_int_equal(rig_unmap(&rig, DOMAIN, AT(0), LAST(9)), RIG_OK);
	assert_false(is_mapped(&rig, 0));
	/* 3: two side by side. */
	map(&rig, 0, 4);
	map(&rig, 5, 9);
	assert_int_equal(rig_unmap(&rig, DOMAIN, AT(0), LAST(9)), RIG_OK);
	assert_int_equal(rig_info(&rig).mappings, 0);
	/* 4: it would split one. */
	map(&rig, 0, 9);
	assert_int_equal(rig_unmap(&rig, DOMAIN, AT(0), LAST(4)), RIG_RANGE);
	assert_int_equal(rig_unmap(&rig, DOMAIN, AT(0), LAST(9)), RIG_OK);
	/* 5: the first of two. */
	map(&rig, 0, 4);
	map(&rig, 5, 9);
	assert_int_equal(rig_unmap(&rig, DOMAIN, AT(0), LAST(4)), RIG_OK);
	assert_false(is_mapped(&rig, 4));
	assert_true(is_mapped(&rig, 5));
	assert_int_equal(rig_unmap(&rig, DOMAIN, AT(5), LAST(9)), RIG_OK);
	/* 6: a hole after one. */
	map(&rig, 0, 4);
	assert_int_equal(rig_unmap(&rig, DOMAIN, AT(0), LAST(9)), RIG_OK);
	assert_false(is_mapped(&rig, 0));
	/* 7: a hole between two. */
	map(&rig, 0, 4);
	map(&rig, 10, 14);
	assert_int_equal(rig_unmap(&rig, DOMAIN, AT(0), LAST(14)), RIG_OK);
	assert_int_equal(rig_info(&rig).mappings, 0);
	rig_finish(&rig);
}

static void unmap_of_nothing_is_ok(void **state)
{
	static const struct {
		uint64_t start, last;
	} rows[] = { { 0, UINT64_MAX },
		     { AT(11), LAST(19) },
		     { AT(11), AT(20) - 1 },
		     { AT(9), AT(10) - 1 },
		     { 0, 0 },
		     { UINT64_MAX, UINT64_MAX },
		     { LAST(10) + 1, LAST(10) + 1 } };
	struct rig rig;

	(void)state;
	start(&rig);
	assert_int_equal(rig_unmap(&rig, DOMAIN, rows[0].start, rows[0].last), RIG_OK);
	map(&rig, 10, 10);
	map(&rig, 20, 20);
	for (unsigned int i = 1; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct rig_unmap request = unmap_of(rows[i].start, rows[i].last);

		refuses_unmap(&rig, "nothing there", &request, RIG_OK);
	}
	rig_finish(&rig);
}

/* Neither on the granule, nor within the input range. */
static void unmap_takes_any_bounds(void **state)
{
	struct ward_viommu_options options = rig_options();
	struct rig rig;

	(void)state;
	options.input = (struct ward_range){ AT(8), LAST(40) };
	rig_start(&rig, &options);
	rig_add(&rig, ONE);
	assert_int_equal(rig_attach(&rig, DOMAIN, ONE, 0), RIG_OK);
	map(&rig, 10, 10);
	map(&rig, 12, 13);
	map(&rig, 40, 40);
	assert_int_equal(rig_unmap(&rig, DOMAIN, AT(9) + 77, LAST(10) + 5), RIG_OK);
	assert_false(is_mapped(&rig, 10));
	assert_true(is_mapped(&rig, 12));
	assert_int_equal(rig_unmap(&rig, DOMAIN, AT(11) + 1, UINT64_MAX - 1), RIG_OK);
	assert_int_equal(rig_info(&rig).mappings, 0);
	rig_finish(&rig);
}

static void unmap_lets_no_access_through_any_more(void **state)
{
	struct rig rig;

	(void)state;
	start(&rig);
	for (uint64_t page = 0; page < 300; page++)
		map(&rig, 2 * page, 2 * page);
	assert_int_equal(rig_unmap(&rig, DOMAIN, AT(100), LAST(398)), RIG_OK);
	for (uint64_t page = 0; page < 300; page++)
		assert_int_equal(is_mapped(&rig, 2 * page), 2 * page < 100 || 2 * page > 398);
	assert_int_equal(rig_info(&rig).mappings, 150);
	assert_int_equal(rig_unmap(&rig, DOMAIN, 0, UINT64_MAX), RIG_OK);
	assert_int_equal(rig_info(&rig).mappings, 0);
	/* They can be mapped anew. */
	map(&rig, 100, 101);
	assert_true(is_mapped(&rig, 101));
	rig_finish(&rig);
}

static void the_first_check_of_unmap_that_fails_gives_the_status(void **state)
{
	struct rig_unmap request = unmap_of(AT(11), AT(10));
	struct rig rig;

	(void)state;
	start(&rig);
	map(&rig, 10, 19);
	request.reserved[0] = 1;
	request.domain = htole32(NONE);
	refuses_unmap(&rig, "reserved before the domain", &request, RIG_INVAL);
	memset(request.reserved, 0, sizeof(request.reserved));
	refuses_unmap(&rig, "the domain before bounds", &request, RIG_NOENT);
	request.domain = htole32(DOMAIN);
	refuses_unmap(&rig, "order of bounds before cuts", &request, RIG_INVAL);
	request.virt_end = htole64(LAST(11));
	refuses_unmap(&rig, "cuts", &request, RIG_RANGE);
	rig_finish(&rig);
}

static void unmap_needs_no_memory(void **state)
{
	struct rig rig;

	(void)state;
	start(&rig);
	for (uint64_t page = 0; page < 500; page++)
		map(&rig, page, page);
	ward_fault_arm(1);
	for (uint64_t page = 0; page < 400; page++)
		assert_int_equal(rig_unmap(&rig, DOMAIN, AT(page * 7 % 500), LAST(page * 7 % 500)),
				 RIG_OK);
	assert_int_equal(rig_unmap(&rig, DOMAIN, 0, UINT64_MAX), RIG_OK);
	assert_false(ward_fault_hit());
	ward_fault_arm(0);
	rig_finish(&rig);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(unmap_with_a_reserved_byte_set_is_inval),
		cmocka_unit_test(unmap_in_a_domain_that_is_not_there_is_noent),
		cmocka_unit_test(unmap_in_a_bypass_domain_is_inval),
		cmocka_unit_test(unmap_that_ends_before_it_starts_is_inval),
		cmocka_unit_test(unmap_that_would_cut_a_mapping_is_range_and_removes_nothing),
		cmocka_unit_test(unmap_removes_what_the_standards_examples_say),
		cmocka_unit_test(unmap_of_nothing_is_ok),
		cmocka_unit_test(unmap_takes_any_bounds),
		cmocka_unit_test(unmap_lets_no_access_through_any_more),
		cmocka_unit_test(the_first_check_of_unmap_that_fails_gives_the_status),
		cmocka_unit_test(unmap_needs_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Features, and where endpoints go that are in no domain, before and after a driver has accepted them. */
#include "rig.h"

#define ONE 1u
#define TWO 2u
#define DOMAIN 6u

#define RANGES (WARD_VIOMMU_F_INPUT_RANGE | WARD_VIOMMU_F_DOMAIN_RANGE)
#define ALL (RANGES | WARD_VIOMMU_F_MAP_UNMAP | WARD_VIOMMU_F_PROBE | WARD_VIOMMU_F_MMIO)

static void create(struct rig *rig, uint32_t features, uint32_t flags)
{
	struct ward_viommu_options options = rig_options();

	options.features = features;
	options.flags = flags;
	rig_create(rig, &options);
	rig_add(rig, ONE);
	rig_add(rig, TWO);
}

static void all_but_bypass_is_offered_by_default(void **state)
{
	struct rig rig;

	(void)state;
	rig_create(&rig, NULL);
	assert_int_equal(ward_viommu_features(rig.viommu), ALL | WARD_VIOMMU_F_BYPASS_CONFIG);
	rig_finish(&rig);
}

static void what_is_asked_for_is_offered(void **state)
{
	(void)state;
	for (uint32_t features = 1; features < 0x80; features++) {
		struct ward_viommu_options options = rig_options();
		struct ward_viommu *viommu = NULL;
		bool both =
			features & WARD_VIOMMU_F_BYPASS && features & WARD_VIOMMU_F_BYPASS_CONFIG;

		options.features = features;
		assert_int_equal(ward_viommu_create(&options, &viommu), both ? -EINVAL : 0);
		if (both)
			assert_null(viommu);
		else
			assert_int_equal(ward_viommu_features(viommu), features);
		ward_viommu_destroy(viommu);
	}
}

static void a_feature_that_was_not_offered_is_not_accepted(void **state)
{
	struct rig rig;

	(void)state;
	create(&rig, WARD_VIOMMU_F_MAP_UNMAP, 0);
	for (unsigned int bit = 0; bit < 24; bit++) {
		if (1u << bit == WARD_VIOMMU_F_MAP_UNMAP)
			continue;
		assert_int_equal(ward_viommu_negotiate(rig.viommu, 1ull << bit), -EINVAL);
		assert_int_equal(ward_viommu_negotiate(rig.viommu,
						       WARD_VIOMMU_F_MAP_UNMAP | 1ull << bit),
				 -EINVAL);
		/* FEATURES_OK was not set: nothing is known. */
		assert_int_equal(rig_attach(&rig, DOMAIN, ONE, 0), RIG_NOT_KNOWN);
	}
	assert_int_equal(rig_info(&rig).negotiated, 0);
	/* The transport's are its own business. */
	assert_int_equal(ward_viommu_negotiate(rig.viommu, ~0xffffffull | WARD_VIOMMU_F_MAP_UNMAP),
			 0);
	assert_int_equal(rig_info(&rig).negotiated, WARD_VIOMMU_F_MAP_UNMAP);
	assert_int_equal(rig_attach(&rig, DOMAIN, ONE, 0), RIG_OK);
	rig_finish(&rig);
}

static void what_was_accepted_stays_until_a_reset(void **state)
{
	struct rig rig;

	(void)state;
	create(&rig, 0, 0);
	assert_int_equal(ward_viommu_negotiate(rig.viommu, ALL), 0);
	assert_int_equal(ward_viommu_negotiate(rig.viommu, ALL), 0);
	assert_int_equal(ward_viommu_negotiate(rig.viommu, 0), -EBUSY);
	assert_int_equal(ward_viommu_negotiate(rig.viommu, ALL | WARD_VIOMMU_F_BYPASS_CONFIG),
			 -EBUSY);
	assert_int_equal(rig_info(&rig).negotiated, ALL);
	ward_viommu_reset(rig.viommu, false);
	assert_int_equal(rig_info(&rig).negotiated, 0);
	assert_int_equal(ward_viommu_negotiate(rig.viommu, 0), 0);
	assert_int_equal(ward_viommu_negotiate(rig.viommu, ALL), -EBUSY);
	rig_finish(&rig);
}

static void a_driver_that_accepts_nothing_can_attach_and_detach(void **state)
{
	struct rig rig;

	(void)state;
	create(&rig, 0, 0);
	assert_int_equal(ward_viommu_negotiate(rig.viommu, 0), 0);
	assert_int_equal(rig_attach(&rig, DOMAIN, ONE, 0), RIG_OK);
	assert_int_equal(rig_attach(&rig, DOMAIN + 1, ONE, RIG_BYPASS), RIG_INVAL);
	assert_int_equal(rig_map(&rig, DOMAIN, 0, 0xfff, 0, RIG_RW), RIG_NOT_KNOWN);
	assert_int_equal(rig_unmap(&rig, DOMAIN, 0, 0xfff), RIG_NOT_KNOWN);
	assert_int_equal(rig_probe(&rig, ONE, 512), RIG_NOT_KNOWN);
	assert_int_equal(rig_leads(&rig, ONE, 0, WARD_READ), UINT64_MAX);
	assert_int_equal(rig_detach(&rig, DOMAIN, ONE), RIG_OK);
	rig_finish(&rig);
}

/* The table of docs/virtio-iommu.md, row by row. */
static void unattached_endpoints_go_where_the_table_says(void **state)
{
	static const struct {
		const char *what;
		uint32_t offered, flags, accepted;
		enum ward_viommu_place_kind before, after;
	} rows[] = {
		{ "the byte is 1, accepted", ALL | WARD_VIOMMU_F_BYPASS_CONFIG,
		  WARD_VIOMMU_BOOT_BYPASS, ALL | WARD_VIOMMU_F_BYPASS_CONFIG, WARD_VIOMMU_BYPASS,
		  WARD_VIOMMU_BYPASS },
		{ "the byte is 1, not accepted", ALL | WARD_VIOMMU_F_BYPASS_CONFIG,
		  WARD_VIOMMU_BOOT_BYPASS, ALL, WARD_VIOMMU_BYPASS, WARD_VIOMMU_BYPASS },
		{ "the byte is 1, nothing accepted", ALL | WARD_VIOMMU_F_BYPASS_CONFIG,
		  WARD_VIOMMU_BOOT_BYPASS, 0, WARD_VIOMMU_BYPASS, WARD_VIOMMU_BYPASS },
		{ "the byte is 0, accepted", ALL | WARD_VIOMMU_F_BYPASS_CONFIG, 0,
		  ALL | WARD_VIOMMU_F_BYPASS_CONFIG, WARD_VIOMMU_BLOCKED, WARD_VIOMMU_BLOCKED },
		{ "the byte is 0, not accepted", ALL | WARD_VIOMMU_F_BYPASS_CONFIG, 0, ALL,
		  WARD_VIOMMU_BLOCKED, WARD_VIOMMU_BLOCKED },
		{ "BYPASS accepted", ALL | WARD_VIOMMU_F_BYPASS, 0, ALL | WARD_VIOMMU_F_BYPASS,
		  WARD_VIOMMU_BLOCKED, WARD_VIOMMU_BYPASS },
		{ "BYPASS not accepted", ALL | WARD_VIOMMU_F_BYPASS, 0, ALL, WARD_VIOMMU_BLOCKED,
		  WARD_VIOMMU_BLOCKED },
		{ "neither offered", ALL, 0, ALL, WARD_VIOMMU_BLOCKED, WARD_VIOMMU_BLOCKED },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool before = rows[i].before == WARD_VIOMMU_BYPASS;
		bool after = rows[i].after == WARD_VIOMMU_BYPASS;
		struct rig rig;

		create(&rig, rows[i].offered, rows[i].flags);
		if (rig_place(&rig, ONE) != rows[i].before)
			fail_msg("%s: before it was negotiated", rows[i].what);
		assert_int_equal(rig_info(&rig).bypass, before);
		assert_int_equal(rig_leads(&rig, ONE, 5, WARD_WRITE), before ? 5 : UINT64_MAX);
		assert_int_equal(ward_viommu_negotiate(rig.viommu, rows[i].accepted), 0);
		if (rig_place(&rig, ONE) != rows[i].after)
			fail_msg("%s: after it was negotiated", rows[i].what);
		assert_int_equal(rig_info(&rig).bypass, after);
		assert_int_equal(rig_leads(&rig, ONE, 5, WARD_WRITE), after ? 5 : UINT64_MAX);
		/* Not the attached one's. */
		assert_int_equal(rig_attach(&rig, DOMAIN, TWO, 0), RIG_OK);
		assert_int_equal(rig_leads(&rig, TWO, 5, WARD_WRITE), UINT64_MAX);
		/* Who leaves, or comes, is like the others. */
		assert_int_equal(rig_detach(&rig, DOMAIN, TWO), RIG_OK);
		assert_int_equal(rig_place(&rig, TWO), rows[i].after);
		rig_add(&rig, 3);
		assert_int_equal(rig_place(&rig, 3), rows[i].after);
		ward_viommu_reset(rig.viommu, false);
		assert_int_equal(rig_place(&rig, ONE), rows[i].before);
		rig_finish(&rig);
	}
}

static void the_old_bypass_ends_with_a_reset(void **state)
{
	struct rig rig;

	(void)state;
	create(&rig, ALL | WARD_VIOMMU_F_BYPASS, 0);
	assert_int_equal(ward_viommu_negotiate(rig.viommu, ALL | WARD_VIOMMU_F_BYPASS), 0);
	assert_int_equal(rig_attach(&rig, DOMAIN, TWO, 0), RIG_OK);
	assert_int_equal(rig_leads(&rig, ONE, 0x1234, WARD_READ), 0x1234);
	/* There is no flag for it, and no byte. */
	assert_int_equal(rig_attach(&rig, DOMAIN + 1, ONE, RIG_BYPASS), RIG_INVAL);
	ward_viommu_reset(rig.viommu, false);
	assert_int_equal(rig_leads(&rig, ONE, 0x1234, WARD_READ), UINT64_MAX);
	assert_int_equal(rig_leads(&rig, TWO, 0x1234, WARD_READ), UINT64_MAX);
	rig_finish(&rig);
}

static void ranges_that_were_not_offered_are_not_looked_at(void **state)
{
	struct ward_viommu_options options = rig_options();
	struct rig rig;

	(void)state;
	options.features = WARD_VIOMMU_F_MAP_UNMAP;
	options.input = (struct ward_range){ 0x10000, 0x1ffff };
	options.domain_first = 5;
	options.domain_last = 5;
	rig_start(&rig, &options);
	rig_add(&rig, ONE);
	assert_int_equal(rig_attach(&rig, 4, ONE, 0), RIG_OK);
	assert_int_equal(rig_map(&rig, 4, 0, UINT64_MAX, 0, RIG_RW), RIG_OK);
	rig_finish(&rig);
}

/* Whether or not the driver accepted to know them. */
static void ranges_that_were_offered_are_looked_at(void **state)
{
	struct ward_viommu_options options = rig_options();
	struct rig rig;

	(void)state;
	options.input = (struct ward_range){ 0x10000, 0x1ffff };
	options.domain_first = 5;
	options.domain_last = 5;
	rig_create(&rig, &options);
	rig_add(&rig, ONE);
	assert_int_equal(ward_viommu_negotiate(rig.viommu, WARD_VIOMMU_F_MAP_UNMAP), 0);
	assert_int_equal(rig_attach(&rig, 4, ONE, 0), RIG_RANGE);
	assert_int_equal(rig_attach(&rig, 5, ONE, 0), RIG_OK);
	assert_int_equal(rig_map(&rig, 5, 0, 0xfff, 0, RIG_RW), RIG_RANGE);
	assert_int_equal(rig_map(&rig, 5, 0x10000, 0x1ffff, 0, RIG_RW), RIG_OK);
	rig_finish(&rig);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_but_bypass_is_offered_by_default),
		cmocka_unit_test(what_is_asked_for_is_offered),
		cmocka_unit_test(a_feature_that_was_not_offered_is_not_accepted),
		cmocka_unit_test(what_was_accepted_stays_until_a_reset),
		cmocka_unit_test(a_driver_that_accepts_nothing_can_attach_and_detach),
		cmocka_unit_test(unattached_endpoints_go_where_the_table_says),
		cmocka_unit_test(the_old_bypass_ends_with_a_reset),
		cmocka_unit_test(ranges_that_were_not_offered_are_not_looked_at),
		cmocka_unit_test(ranges_that_were_offered_are_looked_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

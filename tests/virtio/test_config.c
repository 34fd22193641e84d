// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The config space: what is read in it, and the one byte that can be written. */
#include "rig.h"

#define ONE 1u
#define TWO 2u
#define DOMAIN 6u

#define BYPASS_BYTE 36u

static struct ward_viommu_options options_with(uint32_t features)
{
	struct ward_viommu_options options = rig_options();

	options.features = features;
	options.page_sizes = 0x40201000;
	options.input = (struct ward_range){ 0x123000, 0xfedcba9876543fff };
	options.domain_first = 0x01020304;
	options.domain_last = 0xa0b0c0d0;
	options.probe_size = 0x308;
	return options;
}

static void expect(const struct rig *rig, const uint8_t bytes[WARD_VIOMMU_CONFIG_SIZE])
{
	uint8_t config[WARD_VIOMMU_CONFIG_SIZE];

	ward_viommu_config_read(rig->viommu, 0, config, sizeof(config));
	assert_memory_equal(config, bytes, sizeof(config));
}

/* clang-format off */
static const uint8_t whole[WARD_VIOMMU_CONFIG_SIZE] = {
	0x00, 0x10, 0x20, 0x40, 0, 0, 0, 0,
	0x00, 0x30, 0x12, 0x00, 0, 0, 0, 0,
	0xff, 0x3f, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe,
	0x04, 0x03, 0x02, 0x01, 0xd0, 0xc0, 0xb0, 0xa0,
	0x08, 0x03, 0, 0, 1, 0, 0, 0,
};
/* clang-format on */

static void fields_are_where_the_standard_has_them(void **state)
{
	struct ward_viommu_options options = options_with(0);
	struct rig rig;

	(void)state;
	options.flags = WARD_VIOMMU_BOOT_BYPASS;
	rig_create(&rig, &options);
	expect(&rig, whole);
	/* Negotiated or not. */
	assert_int_equal(ward_viommu_negotiate(rig.viommu, 0), 0);
	expect(&rig, whole);
	rig_finish(&rig);
}

static void fields_whose_feature_is_not_offered_are_0(void **state)
{
	static const struct {
		uint32_t feature;
		unsigned int start, size;
	} rows[] = {
		{ WARD_VIOMMU_F_INPUT_RANGE, 8, 16 },
		{ WARD_VIOMMU_F_DOMAIN_RANGE, 24, 8 },
		{ WARD_VIOMMU_F_PROBE, 32, 4 },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ward_viommu_options options = options_with(0x77 & ~rows[i].feature);
		uint8_t bytes[WARD_VIOMMU_CONFIG_SIZE];
		struct rig rig;

		memcpy(bytes, whole, sizeof(bytes));
		memset(bytes + rows[i].start, 0, rows[i].size);
		options.flags = WARD_VIOMMU_BOOT_BYPASS;
		rig_create(&rig, &options);
		expect(&rig, bytes);
		rig_finish(&rig);
	}
}

static void defaults_are_all_pages_and_all_ids(void **state)
{
	static const uint8_t bytes[WARD_VIOMMU_CONFIG_SIZE] = {
		0,    0xf0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, /* page_size_mask */
		0,    0,    0,	  0,	0,    0,    0,	  0,	/* input_range */
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0,
		0,    0,    0xff, 0xff, 0xff, 0xff, 0,	  2,	0, 0,
	};
	struct rig rig;

	(void)state;
	rig_create(&rig, NULL);
	expect(&rig, bytes);
	rig_finish(&rig);
}

static void any_part_of_it_can_be_read_and_0_beyond_its_end(void **state)
{
	struct ward_viommu_options options = options_with(0);
	struct rig rig;

	(void)state;
	options.flags = WARD_VIOMMU_BOOT_BYPASS;
	rig_create(&rig, &options);
	for (uint32_t offset = 0; offset < 50; offset++) {
		for (size_t size = 0; size < 50; size++) {
			uint8_t bytes[51];

			memset(bytes, 0xa5, sizeof(bytes));
			ward_viommu_config_read(rig.viommu, offset, bytes, size);
			for (size_t i = 0; i < size; i++)
				assert_int_equal(bytes[i], offset + i < sizeof(whole)
								   ? whole[offset + i]
								   : 0);
			assert_int_equal(bytes[size], 0xa5);
		}
	}
	for (uint32_t offset = UINT32_MAX - 2; offset != 3; offset++) {
		uint64_t value = UINT64_MAX;

		ward_viommu_config_read(rig.viommu, offset, &value, sizeof(value));
		if (offset > 3)
			assert_int_equal(value, 0);
	}
	rig_finish(&rig);
}

static int write_byte(struct rig *rig, uint8_t value)
{
	return ward_viommu_config_write(rig->viommu, BYPASS_BYTE, &value, 1);
}

static uint8_t read_byte(const struct rig *rig)
{
	uint8_t value;

	ward_viommu_config_read(rig->viommu, BYPASS_BYTE, &value, 1);
	return value;
}

static void the_bypass_byte_moves_unattached_endpoints(void **state)
{
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	rig_add(&rig, ONE);
	rig_add(&rig, TWO);
	assert_int_equal(rig_attach(&rig, DOMAIN, TWO, 0), RIG_OK);
	assert_int_equal(rig_leads(&rig, ONE, 0x1000, WARD_READ), UINT64_MAX);
	assert_int_equal(write_byte(&rig, 1), 0);
	assert_int_equal(read_byte(&rig), 1);
	assert_true(rig_info(&rig).bypass);
	assert_int_equal(rig_leads(&rig, ONE, 0x1000, WARD_READ), 0x1000);
	assert_int_equal(rig_leads(&rig, TWO, 0x1000, WARD_READ), UINT64_MAX);
	assert_int_equal(write_byte(&rig, 1), 0);
	assert_int_equal(write_byte(&rig, 0), 0);
	assert_int_equal(read_byte(&rig), 0);
	assert_false(rig_info(&rig).bypass);
	assert_int_equal(rig_leads(&rig, ONE, 0x1000, WARD_READ), UINT64_MAX);
	/* Not those of bypass domains. */
	assert_int_equal(rig_attach(&rig, DOMAIN + 1, ONE, RIG_BYPASS), RIG_OK);
	assert_int_equal(write_byte(&rig, 1), 0);
	assert_int_equal(write_byte(&rig, 0), 0);
	assert_int_equal(rig_leads(&rig, ONE, 0x1000, WARD_READ), 0x1000);
	rig_finish(&rig);
}

static void the_bypass_byte_takes_0_and_1_alone(void **state)
{
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	rig_add(&rig, ONE);
	for (unsigned int before = 0; before < 2; before++) {
		assert_int_equal(write_byte(&rig, (uint8_t)before), 0);
		for (unsigned int value = 2; value < 256; value++) {
			assert_int_equal(write_byte(&rig, (uint8_t)value), -EINVAL);
			assert_int_equal(read_byte(&rig), before);
			assert_int_equal(rig_place(&rig, ONE),
					 before ? WARD_VIOMMU_BYPASS : WARD_VIOMMU_BLOCKED);
		}
	}
	rig_finish(&rig);
}

static void nothing_but_the_bypass_byte_can_be_written(void **state)
{
	static const uint8_t bytes[64] = { 0, 1, 1, 1, 1, 1, 1, 1 };
	uint8_t before[WARD_VIOMMU_CONFIG_SIZE];
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	ward_viommu_config_read(rig.viommu, 0, before, sizeof(before));
	for (uint32_t offset = 0; offset < 48; offset++) {
		for (size_t size = 0; size < 10; size++) {
			if (offset == BYPASS_BYTE && size == 1)
				continue;
			assert_int_equal(ward_viommu_config_write(rig.viommu, offset, bytes + 1,
								  size),
					 -EINVAL);
			expect(&rig, before);
		}
	}
	assert_int_equal(ward_viommu_config_write(rig.viommu, UINT32_MAX, bytes + 1, 8), -EINVAL);
	expect(&rig, before);
	rig_finish(&rig);
}

static void the_bypass_byte_needs_bypass_config_negotiated(void **state)
{
	struct rig rig;

	(void)state;
	rig_create(&rig, NULL);
	rig_add(&rig, ONE);
	assert_int_equal(write_byte(&rig, 1), -EINVAL);
	assert_int_equal(ward_viommu_negotiate(rig.viommu,
					       ward_viommu_features(rig.viommu) &
						       ~(uint64_t)WARD_VIOMMU_F_BYPASS_CONFIG),
			 0);
	assert_int_equal(write_byte(&rig, 1), -EINVAL);
	assert_int_equal(rig_place(&rig, ONE), WARD_VIOMMU_BLOCKED);
	ward_viommu_reset(rig.viommu, false);
	rig_negotiate(&rig);
	assert_int_equal(write_byte(&rig, 1), 0);
	ward_viommu_reset(rig.viommu, false);
	assert_int_equal(write_byte(&rig, 0), -EINVAL);
	assert_int_equal(read_byte(&rig), 1);
	rig_finish(&rig);
}

static void a_device_reset_leaves_the_byte_and_a_system_reset_sets_it_back(void **state)
{
	(void)state;
	for (uint8_t boot = 0; boot < 2; boot++) {
		struct ward_viommu_options options = rig_options();
		uint8_t other = !boot;
		struct rig rig;

		options.flags = boot ? WARD_VIOMMU_BOOT_BYPASS : 0;
		rig_start(&rig, &options);
		rig_add(&rig, ONE);
		assert_int_equal(read_byte(&rig), boot);
		assert_int_equal(write_byte(&rig, other), 0);
		ward_viommu_reset(rig.viommu, false);
		assert_int_equal(read_byte(&rig), other);
		assert_int_equal(rig_place(&rig, ONE),
				 other ? WARD_VIOMMU_BYPASS : WARD_VIOMMU_BLOCKED);
		ward_viommu_reset(rig.viommu, true);
		assert_int_equal(read_byte(&rig), boot);
		assert_int_equal(rig_place(&rig, ONE),
				 boot ? WARD_VIOMMU_BYPASS : WARD_VIOMMU_BLOCKED);
		rig_finish(&rig);
	}
}

static void a_broken_device_takes_no_byte(void **state)
{
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	rig_add(&rig, ONE);
	ward_viommu_break(rig.viommu, "for a test");
	assert_int_equal(write_byte(&rig, 1), -EINVAL);
	assert_int_equal(read_byte(&rig), 0);
	assert_int_equal(rig_place(&rig, ONE), WARD_VIOMMU_BLOCKED);
	rig_finish(&rig);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_where_the_standard_has_them),
		cmocka_unit_test(fields_whose_feature_is_not_offered_are_0),
		cmocka_unit_test(defaults_are_all_pages_and_all_ids),
		cmocka_unit_test(any_part_of_it_can_be_read_and_0_beyond_its_end),
		cmocka_unit_test(the_bypass_byte_moves_unattached_endpoints),
		cmocka_unit_test(the_bypass_byte_takes_0_and_1_alone),
		cmocka_unit_test(nothing_but_the_bypass_byte_can_be_written),
		cmocka_unit_test(the_bypass_byte_needs_bypass_config_negotiated),
		cmocka_unit_test(a_device_reset_leaves_the_byte_and_a_system_reset_sets_it_back),
		cmocka_unit_test(a_broken_device_takes_no_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

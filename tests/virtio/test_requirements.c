// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What virtio 1.3 asks of the device as a whole (2.1 to 2.5, 5.13.3 to 5.13.6.2); its requests have tests
 * of their own. docs/virtio-iommu.md says which requirement is shown where.
 */
#include "rig.h"

#include <stdlib.h>
#include <sys/mman.h>

#define ONE 1u
#define TWO 2u
#define PAGE 0x1000ull
#define BYPASS_AT 36u
#define ALL 0x77u /* what is offered by default */

static uint64_t config(const struct rig *rig, uint32_t offset, size_t size)
{
	uint64_t value = 0;

	ward_viommu_config_read(rig->viommu, offset, &value, size);
	return le64toh(value);
}

static int write_byte(struct rig *rig, uint32_t offset, uint8_t value)
{
	return ward_viommu_config_write(rig->viommu, offset, &value, 1);
}

static void features_by_default(void **state)
{
	struct ward_viommu_options options = rig_options();
	struct ward_viommu *viommu = NULL;
	struct rig rig;

	(void)state;
	rig_create(&rig, NULL);
	assert_int_equal(ward_viommu_features(rig.viommu), ALL);
	assert_int_equal(ALL & WARD_VIOMMU_F_BYPASS, 0);
	rig_finish(&rig);
	options.features = ALL | WARD_VIOMMU_F_BYPASS;
	assert_int_equal(ward_viommu_create(&options, &viommu), -EINVAL);
	assert_null(viommu);
	/* Bits that have no meaning are not offered whatever is asked for. */
	for (unsigned int bit = 7; bit < 32; bit++) {
		options.features = WARD_VIOMMU_F_MAP_UNMAP | 1u << bit;
		assert_int_equal(ward_viommu_create(&options, &viommu), -EINVAL);
	}
}

/* A feature alone can be offered: none needs another. */
static void features_alone(void **state)
{
	(void)state;
	for (unsigned int bit = 0; bit < 7; bit++) {
		struct ward_viommu_options options = rig_options();
		struct rig rig;

		options.features = 1u << bit;
		rig_create(&rig, &options);
		assert_int_equal(ward_viommu_features(rig.viommu), 1u << bit);
		assert_int_equal(ward_viommu_negotiate(rig.viommu, 1u << bit), 0);
		rig_finish(&rig);
	}
}

static void every_subset_is_accepted(void **state)
{
	struct rig rig;

	(void)state;
	rig_create(&rig, NULL);
	for (uint32_t features = 0; features < 0x80; features++) {
		int expected = features & ~ALL ? -EINVAL : 0;

		/* Again after each kind of reset; bits of the transport are the monitor's. */
		for (unsigned int round = 0; round < 3; round++) {
			ward_viommu_reset(rig.viommu, round == 2);
			assert_int_equal(ward_viommu_negotiate(rig.viommu, features | 3ull << 32),
					 expected);
			assert_int_equal(rig_info(&rig).negotiated, expected ? 0 : features);
		}
	}
	rig_finish(&rig);
}

static void features_that_were_not_offered(void **state)
{
	struct rig rig;

	(void)state;
	rig_create(&rig, NULL);
	for (unsigned int bit = 0; bit < 24; bit++) {
		if (ALL & 1u << bit)
			continue;
		assert_int_equal(ward_viommu_negotiate(rig.viommu, ALL | 1u << bit), -EINVAL);
		assert_int_equal(rig_info(&rig).negotiated, 0);
		assert_int_equal(rig_probe(&rig, ONE, 512), RIG_NOT_KNOWN);
	}
	rig_finish(&rig);
}

/* Also those that depend on a feature, as long as it is offered. */
static void fields_before_negotiation(void **state)
{
	struct ward_viommu_options options = rig_options();
	struct rig rig;

	(void)state;
	options.input = (struct ward_range){ 0x10000, 0x123456789fff };
	options.domain_first = 3;
	options.domain_last = 0x1234567;
	options.probe_size = 520;
	options.flags = WARD_VIOMMU_BOOT_BYPASS;
	rig_create(&rig, &options);
	assert_int_equal(config(&rig, 8, 8), 0x10000);
	assert_int_equal(config(&rig, 16, 8), 0x123456789fff);
	assert_int_equal(config(&rig, 24, 4), 3);
	assert_int_equal(config(&rig, 28, 4), 0x1234567);
	assert_int_equal(config(&rig, 32, 4), 520);
	assert_int_equal(config(&rig, BYPASS_AT, 1), 1);
	/* Byte by byte it is the same. */
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(config(&rig, 16 + i, 1), 0x123456789fffull >> 8 * i & 0xff);
	assert_int_equal(config(&rig, 37, 8), 0);
	assert_int_equal(config(&rig, UINT32_MAX, 8), 0);
	rig_finish(&rig);
}

static void page_sizes(void **state)
{
	static const uint64_t sizes[] = { 0x1000, 0x201000, 0x10000, 1ull << 63 };
	struct ward_viommu_options options = rig_options();
	struct rig rig;

	(void)state;
	rig_create(&rig, NULL);
	assert_int_equal(config(&rig, 0, 8), ~0xfffull);
	rig_finish(&rig);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		options.page_sizes = sizes[i];
		rig_create(&rig, &options);
		assert_int_equal(config(&rig, 0, 8), sizes[i]);
		rig_finish(&rig);
	}
}

static void the_byte_and_resets(void **state)
{
	(void)state;
	for (unsigned int first = 0; first < 2; first++) {
		struct ward_viommu_options options = rig_options();
		struct rig rig;

		options.flags = first ? WARD_VIOMMU_BOOT_BYPASS : 0;
		rig_start(&rig, &options);
		for (unsigned int value = 0; value < 2; value++) {
			assert_int_equal(config(&rig, BYPASS_AT, 1), first);
			assert_int_equal(write_byte(&rig, BYPASS_AT, (uint8_t)value), 0);
			assert_int_equal(config(&rig, BYPASS_AT, 1), value);
			ward_viommu_reset(rig.viommu, false);
			assert_int_equal(config(&rig, BYPASS_AT, 1), value);
			ward_viommu_reset(rig.viommu, true);
			assert_int_equal(config(&rig, BYPASS_AT, 1), first);
			rig_negotiate(&rig);
		}
		rig_finish(&rig);
	}
}

static void the_byte_is_0_or_1(void **state)
{
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	for (unsigned int value = 2; value < 256; value++) {
		assert_int_equal(write_byte(&rig, BYPASS_AT, (uint8_t)value), -EINVAL);
		assert_int_equal(config(&rig, BYPASS_AT, 1), 0);
	}
	for (uint32_t at = 0; at < 50; at++) {
		uint64_t before = config(&rig, at & ~7u, 8);

		if (at == BYPASS_AT)
			continue;
		assert_int_equal(write_byte(&rig, at, 1), -EINVAL);
		assert_int_equal(config(&rig, at & ~7u, 8), before);
	}
	/* Not before it was negotiated. */
	ward_viommu_reset(rig.viommu, false);
	assert_int_equal(write_byte(&rig, BYPASS_AT, 1), -EINVAL);
	assert_int_equal(ward_viommu_negotiate(rig.viommu, WARD_VIOMMU_F_MAP_UNMAP), 0);
	assert_int_equal(write_byte(&rig, BYPASS_AT, 1), -EINVAL);
	assert_int_equal(config(&rig, BYPASS_AT, 1), 0);
	rig_finish(&rig);
}

static void a_reset_detaches(void **state)
{
	struct rig rig;

	(void)state;
	for (unsigned int system = 0; system < 2; system++) {
		rig_start(&rig, NULL);
		rig_add(&rig, ONE);
		rig_add(&rig, TWO);
		assert_int_equal(rig_attach(&rig, 7, ONE, 0), RIG_OK);
		assert_int_equal(rig_attach(&rig, 8, TWO, RIG_BYPASS), RIG_OK);
		assert_int_equal(rig_map(&rig, 7, 0, PAGE - 1, PAGE, RIG_RW), RIG_OK);
		ward_viommu_reset(rig.viommu, system);
		assert_false(rig_endpoint(&rig, ONE).place.attached);
		assert_false(rig_endpoint(&rig, TWO).place.attached);
		assert_int_equal(rig_place(&rig, ONE), WARD_VIOMMU_BLOCKED);
		assert_int_equal(rig_info(&rig).domains, 0);
		assert_int_equal(rig_info(&rig).mappings, 0);
		/* The domain that comes next is another one. */
		rig_negotiate(&rig);
		assert_int_equal(rig_attach(&rig, 7, ONE, 0), RIG_OK);
		assert_int_equal(rig_leads(&rig, ONE, 0, WARD_READ), UINT64_MAX);
		rig_finish(&rig);
	}
}

static void broken_until_a_reset(void **state)
{
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	rig_add(&rig, ONE);
	assert_false(rig_info(&rig).broken);
	ward_viommu_break(rig.viommu, "The ring is a knot");
	ward_viommu_break(rig.viommu, "And another thing");
	assert_true(rig_info(&rig).broken);
	assert_string_equal(rig_info(&rig).error.text, "The ring is a knot");
	assert_int_equal(rig_attach(&rig, 1, ONE, 0), RIG_NOT_KNOWN);
	assert_int_equal(rig.code, -EIO);
	assert_int_equal(ward_viommu_negotiate(rig.viommu, ALL), -EIO);
	ward_viommu_reset(rig.viommu, false);
	assert_false(rig_info(&rig).broken);
	rig_negotiate(&rig);
	assert_int_equal(rig_attach(&rig, 1, ONE, 0), RIG_OK);
	rig_finish(&rig);
}

/* Sizes of the readable parts, by type. */
static const size_t sizes[] = { 0, 20, 20, 36, 28, 72 };

static void unknown_types(void **state)
{
	uint8_t request[80] = { 0 };
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	rig_add(&rig, ONE);
	for (unsigned int type = 0; type < 256; type++) {
		if (type >= 1 && type <= 5)
			continue;
		request[0] = (uint8_t)type;
		assert_int_equal(rig_ask(&rig, request, sizeof(request), 1000), RIG_NOT_KNOWN);
		assert_int_equal(rig.code, 0);
	}
	assert_int_equal(rig_info(&rig).answers[0][0], 251);
	rig_finish(&rig);
}

static void too_small_for_a_tail(void **state)
{
	uint8_t request[80] = { 0 };
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	rig_add(&rig, ONE);
	for (uint8_t type = 1; type <= 5; type++) {
		request[0] = type;
		for (size_t size = 0; size < sizes[type]; size++)
			assert_int_equal(rig_ask(&rig, request, size, 600), RIG_NOT_KNOWN);
		for (size_t room = 0; room < 4; room++)
			assert_int_equal(rig_ask(&rig, request, sizes[type], room), RIG_NOT_KNOWN);
		assert_int_not_equal(rig_ask(&rig, request, sizes[type], 600), RIG_NOT_KNOWN);
		/* What follows the request is ignored. */
		assert_int_not_equal(rig_ask(&rig, request, sizeof(request), 600), RIG_NOT_KNOWN);
	}
	rig_finish(&rig);
}

/* The bytes of the head that are reserved; rig_ask() looks at those of the tail. */
static void reserved_of_head_and_tail(void **state)
{
	struct rig_attach attach = { .type = 1, .domain = htole32(4), .endpoint = htole32(ONE) };
	struct rig_map map = { .type = 3,
			       .domain = htole32(4),
			       .virt_end = htole64(PAGE - 1),
			       .flags = htole32(RIG_READ) };
	struct rig_unmap unmap = { .type = 4, .domain = htole32(4), .virt_end = htole64(PAGE) };
	struct rig_detach detach = { .type = 2, .domain = htole32(4), .endpoint = htole32(ONE) };
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	rig_add(&rig, ONE);
	for (unsigned int i = 0; i < 3; i++) {
		attach.head[i] = map.head[i] = unmap.head[i] = detach.head[i] = 0xff;
		assert_int_equal(rig_ask(&rig, &attach, sizeof(attach), 4), RIG_OK);
		assert_int_equal(rig_ask(&rig, &map, sizeof(map), 4), RIG_OK);
		assert_int_equal(rig_ask(&rig, &map, sizeof(map), 4), RIG_INVAL);
		assert_int_equal(rig_ask(&rig, &unmap, sizeof(unmap), 4), RIG_OK);
		assert_int_equal(rig_ask(&rig, &detach, sizeof(detach), 4), RIG_OK);
		assert_int_equal(rig_ask(&rig, &detach, sizeof(detach), 4), RIG_INVAL);
	}
	rig_finish(&rig);
}

/* From memory that cannot be written, into memory whose bytes do not count. */
static void parts_are_read_or_written(void **state)
{
	static const uint8_t fills[] = { 0x00, 0x01, 0xff };
	uint8_t *page =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const struct rig_attach attach = { .type = 1, .endpoint = htole32(ONE) };
	const struct rig_map map = { .type = 3, .virt_end = htole64(PAGE - 1), .flags = 1 };
	uint8_t answers[3][3][600];
	struct rig rig;

	(void)state;
	assert_ptr_not_equal(page, MAP_FAILED);
	memcpy(page, &attach, sizeof(attach));
	memcpy(page + 0x100, &map, sizeof(map));
	page[0x200] = 5;
	page[0x204] = ONE;
	assert_int_equal(mprotect(page, PAGE, PROT_READ), 0);
	for (unsigned int i = 0; i < 3; i++) {
		rig_start(&rig, NULL);
		rig_add(&rig, ONE);
		memset(answers[i], fills[i], sizeof(answers[i]));
		for (unsigned int part = 0; part < 3; part++) {
			uint32_t written, full = part == 2 ? 516 : 4;
			struct iovec in = { page + 0x100 * part, 72 };
			struct iovec out = { answers[i][part], 600 };

			assert_int_equal(ward_viommu_handle(rig.viommu, &in, 1, &out, 1, &written),
					 0);
			assert_int_equal(written, full);
			assert_memory_equal(answers[i][part], answers[0][part], full);
			for (uint32_t at = full; at < 600; at++)
				assert_int_equal(answers[i][part][at], fills[i]);
		}
		rig_finish(&rig);
	}
	munmap(page, PAGE);
}

/* Where a write of an endpoint in no domain goes. */
static uint64_t free_write(const struct rig *rig)
{
	return rig_leads(rig, ONE, 0x123456789abc, WARD_WRITE);
}

static void bypass_config_accepted_or_not(void **state)
{
	struct ward_viommu_options options = rig_options();
	struct rig rig;

	(void)state;
	for (unsigned int byte = 0; byte < 2; byte++) {
		uint64_t expected = byte ? 0x123456789abc : UINT64_MAX;

		options.flags = byte ? WARD_VIOMMU_BOOT_BYPASS : 0;
		rig_create(&rig, &options);
		rig_add(&rig, ONE);
		assert_int_equal(free_write(&rig), expected);
		assert_int_equal(ward_viommu_negotiate(rig.viommu, WARD_VIOMMU_F_MAP_UNMAP), 0);
		assert_int_equal(free_write(&rig), expected);
		ward_viommu_reset(rig.viommu, false);
		rig_negotiate(&rig);
		assert_int_equal(free_write(&rig), expected);
		assert_int_equal(rig_leads(&rig, ONE, 0, WARD_READ), byte ? 0 : UINT64_MAX);
		rig_finish(&rig);
	}
}

static void bypass_of_old(void **state)
{
	struct ward_viommu_options options = rig_options();
	struct rig rig;

	(void)state;
	options.features = WARD_VIOMMU_F_MAP_UNMAP | WARD_VIOMMU_F_BYPASS;
	rig_create(&rig, &options);
	rig_add(&rig, ONE);
	assert_int_equal(free_write(&rig), UINT64_MAX);
	assert_int_equal(ward_viommu_negotiate(rig.viommu, WARD_VIOMMU_F_MAP_UNMAP), 0);
	assert_int_equal(free_write(&rig), UINT64_MAX);
	ward_viommu_reset(rig.viommu, false);
	rig_negotiate(&rig);
	assert_int_equal(free_write(&rig), 0x123456789abc);
	assert_int_equal(rig_attach(&rig, 1, ONE, 0), RIG_OK);
	assert_int_equal(free_write(&rig), UINT64_MAX);
	ward_viommu_reset(rig.viommu, false);
	assert_int_equal(free_write(&rig), UINT64_MAX);
	rig_finish(&rig);
}

/* A host that cannot have two endpoints in a domain, or none of them moved. */
static struct {
	unsigned int refusals;
	bool refuses;
} host;

static int host_move(void *context, uint32_t endpoint, const struct ward_viommu_place *from,
		     const struct ward_viommu_place *to)
{
	(void)context;
	(void)endpoint;
	(void)from;
	if (to->kind == WARD_VIOMMU_BLOCKED || !host.refuses)
		return 0;
	host.refusals++;
	return -EOPNOTSUPP;
}

static void what_the_host_cannot_do_is_unsupp(void **state)
{
	static const struct ward_viommu_listener_ops ops = { .move = host_move };
	const struct rig_attach join = { .type = 1,
					 .domain = htole32(1),
					 .endpoint = htole32(TWO) };
	struct rig_attach move = { .type = 1, .domain = htole32(2), .endpoint = htole32(ONE) };
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	host.refuses = false;
	host.refusals = 0;
	assert_int_equal(ward_viommu_listen(rig.viommu, &ops, NULL), 0);
	rig_add(&rig, ONE);
	rig_add(&rig, TWO);
	assert_int_equal(rig_attach(&rig, 1, ONE, 0), RIG_OK);
	host.refuses = true;
	rig_refuses(&rig, "another endpoint", &join, sizeof(join), RIG_UNSUPP);
	rig_refuses(&rig, "to another domain", &move, sizeof(move), RIG_UNSUPP);
	assert_int_equal(host.refusals, 2);
	host.refuses = false;
	assert_int_equal(rig_ask(&rig, &join, sizeof(join), 4), RIG_OK);
	assert_int_equal(rig_ask(&rig, &move, sizeof(move), 4), RIG_OK);
	rig_finish(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(features_by_default),
		cmocka_unit_test(features_alone),
		cmocka_unit_test(every_subset_is_accepted),
		cmocka_unit_test(features_that_were_not_offered),
		cmocka_unit_test(fields_before_negotiation),
		cmocka_unit_test(page_sizes),
		cmocka_unit_test(the_byte_and_resets),
		cmocka_unit_test(the_byte_is_0_or_1),
		cmocka_unit_test(a_reset_detaches),
		cmocka_unit_test(broken_until_a_reset),
		cmocka_unit_test(unknown_types),
		cmocka_unit_test(too_small_for_a_tail),
		cmocka_unit_test(reserved_of_head_and_tail),
		cmocka_unit_test(parts_are_read_or_written),
		cmocka_unit_test(bypass_config_accepted_or_not),
		cmocka_unit_test(bypass_of_old),
		cmocka_unit_test(what_the_host_cannot_do_is_unsupp),
	};

	return cmocka_run_group_tests_name("virtio/requirements", tests, NULL, NULL);
}

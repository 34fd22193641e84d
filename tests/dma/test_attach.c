// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Who is in which space. */
#include <doorward/attach.h>
#include <doorward/memory.h>
#include <doorward/stage1.h>

#include "sweep.h"

#include <stdlib.h>

#include <cmocka.h>

static struct ward_space *make(enum ward_space_kind kind)
{
	struct ward_space_options options = { .size = sizeof(options), .kind = kind };
	struct ward_space *space;

	assert_int_equal(ward_space_create(&options, &space), 0);
	return space;
}

static struct ward_requester requester(uint32_t iommu, uint32_t sid, ward_pasid_t pasid)
{
	return (struct ward_requester){ iommu, ward_sid(sid), pasid };
}

static void map_page(struct ward_space *space, uint64_t at, uint64_t target)
{
	struct ward_mapping mapping = {
		.start = ward_iova(at),
		.last = ward_iova(at + 0xfff),
		.target = ward_target(target),
		.access = WARD_READ,
		.type = WARD_NORMAL,
	};

	assert_int_equal(ward_space_map(space, &mapping), 0);
}

static uint32_t users(const struct ward_space *space)
{
	struct ward_space_info info;

	ward_space_info(space, &info);
	return info.users;
}

/* Where a read of 0x1000 leads; 0: a fault for the reason. */
static uint64_t leads_to(const struct ward_attach_table *table,
			 const struct ward_requester *requester, enum ward_fault_reason reason)
{
	struct ward_translation translation;
	struct ward_fault fault;

	if (ward_attach_table_translate(table, NULL, requester, ward_iova(0x1000), WARD_READ,
					&translation, &fault) == 0)
		return ward_target_raw(translation.target);
	assert_int_equal(fault.reason, reason);
	assert_int_equal(fault.access, WARD_READ);
	assert_int_equal(ward_iova_raw(fault.iova), 0x1000);
	return 0;
}

static void blocked_until_attached(void **state)
{
	struct ward_attach_table *table;
	struct ward_space *space = make(WARD_SPACE_UNMANAGED);
	struct ward_requester one = requester(0, 0x100, WARD_PASID_NONE);
	struct ward_requester others[] = {
		requester(1, 0x100, WARD_PASID_NONE),
		requester(0, 0x101, WARD_PASID_NONE),
		requester(0, 0x100, ward_pasid(0)),
	};

	(void)state;
	map_page(space, 0x1000, 0x5000);
	assert_int_equal(ward_attach_table_create(NULL, &table), 0);
	assert_int_equal(leads_to(table, &one, WARD_FAULT_BLOCKED), 0);
	assert_null(ward_attached(table, &one));
	assert_int_equal(ward_detach(table, &one), -ENOENT);
	assert_int_equal(ward_attach(table, &one, space, NULL, 0), 0);
	assert_int_equal(leads_to(table, &one, 0), 0x5000);
	assert_ptr_equal(ward_attached(table, &one), space);
	assert_int_equal(users(space), 1);
	/* Again is no more. */
	assert_int_equal(ward_attach(table, &one, space, NULL, 0), 0);
	assert_int_equal(users(space), 1);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(leads_to(table, &others[i], WARD_FAULT_BLOCKED), 0);
	assert_int_equal(ward_detach(table, &one), 0);
	assert_int_equal(leads_to(table, &one, WARD_FAULT_BLOCKED), 0);
	assert_int_equal(ward_detach(table, &one), -ENOENT);
	assert_int_equal(users(space), 0);
	ward_attach_table_destroy(table);
	ward_space_destroy(space);
	ward_attach_table_destroy(NULL);
}

static void refused(void **state)
{
	static const struct ward_reserved regions[] = {
		{ { 0x8000000, 0x80fffff }, WARD_REGION_SW_MSI },
		{ { 0x1000, 0x1fff }, WARD_REGION_RESERVED },
	};
	struct ward_requester one = requester(0, 0x100, WARD_PASID_NONE);
	struct ward_requester bad = requester(0, 0x100, ward_pasid(1 << 20));
	struct ward_space *space = make(WARD_SPACE_UNMANAGED), *old = make(WARD_SPACE_IDENTITY);
	struct ward_attach_table *table;
	struct ward_reserved reserved;
	uint32_t cursor = 0;

	(void)state;
	map_page(space, 0x1000, 0x5000);
	assert_int_equal(ward_attach_table_create(NULL, &table), 0);
	assert_int_equal(ward_attach(table, &bad, space, NULL, 0), -EINVAL);
	assert_int_equal(ward_attach(table, &one, NULL, NULL, 0), -EINVAL);
	assert_int_equal(ward_attach(table, &one, old, NULL, 0), 0);
	/* The second region is in the way: nothing of it happens. */
	assert_int_equal(ward_attach(table, &one, space, regions, 2), -EADDRINUSE);
	assert_false(ward_space_reserved_next(space, &cursor, &reserved));
	assert_ptr_equal(ward_attached(table, &one), old);
	assert_int_equal(users(space), 0);
	assert_int_equal(ward_space_unmap_all(space), 0);
	assert_int_equal(ward_attach(table, &one, space, regions, 2), 0);
	assert_true(ward_space_reserved_next(space, &cursor, &reserved));
	assert_true(ward_space_reserved_next(space, &cursor, &reserved));
	assert_int_equal(users(old), 0);
	ward_attach_table_destroy(table);
	ward_space_destroy(space);
	ward_space_destroy(old);
}

/* What a space holds lives until its last user goes. */
static void users_keep_a_space(void **state)
{
	struct ward_attach_table *table;
	struct ward_space *space = make(WARD_SPACE_UNMANAGED);
	struct ward_requester one = requester(0, 1, WARD_PASID_NONE);
	struct ward_requester two = requester(0, 2, WARD_PASID_NONE);

	(void)state;
	map_page(space, 0x1000, 0x5000);
	assert_int_equal(ward_attach_table_create(NULL, &table), 0);
	assert_int_equal(ward_attach(table, &one, space, NULL, 0), 0);
	assert_int_equal(ward_attach(table, &two, space, NULL, 0), 0);
	ward_space_destroy(space);
	assert_int_equal(ward_detach(table, &one), 0);
	assert_int_equal(leads_to(table, &two, 0), 0x5000);
	ward_attach_table_destroy(table);
}

/* Behind a stage 1 all PASIDs are the guest's: none has to be attached, one may be. */
static void a_nested_space_has_all_pasids(void **state)
{
	struct ward_stage1 stage1 = { .kind = WARD_STAGE1_TABLES };
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = WARD_SPACE_NESTED,
					      .stage1 = &stage1 };
	struct ward_requester whole = requester(0, 0x100, WARD_PASID_NONE);
	struct ward_requester one = requester(0, 0x100, ward_pasid(5));
	struct ward_requester other = requester(0, 0x101, ward_pasid(5));
	struct ward_reserved region = { { 0x9000, 0x9fff }, WARD_REGION_RESERVED }, found;
	uint32_t own = 0, below = 0;
	struct ward_space *space = make(WARD_SPACE_UNMANAGED), *nested;
	struct ward_attach_table *table;
	struct ward_memory *memory;

	(void)state;
	options.parent = space;
	assert_int_equal(ward_memory_create(&memory), 0);
	stage1.memory = memory;
	assert_int_equal(ward_space_create(&options, &nested), 0);
	assert_int_equal(ward_attach_table_create(NULL, &table), 0);
	assert_int_equal(ward_attach(table, &whole, nested, &region, 1), 0);
	assert_true(ward_space_reserved_next(nested, &own, &found));
	assert_true(ward_space_reserved_next(space, &below, &found));
	assert_ptr_equal(ward_attached(table, &one), nested);
	assert_null(ward_attached(table, &other));
	/* It is the stage 1 that knows no such PASID. */
	assert_int_equal(leads_to(table, &one, WARD_FAULT_PASID), 0);
	assert_int_equal(leads_to(table, &other, WARD_FAULT_BLOCKED), 0);
	assert_int_equal(ward_detach(table, &one), -ENOENT);
	assert_int_equal(ward_attach(table, &one, space, NULL, 0), 0);
	assert_ptr_equal(ward_attached(table, &one), space);
	assert_int_equal(ward_detach(table, &one), 0);
	assert_ptr_equal(ward_attached(table, &one), nested);
	assert_int_equal(ward_detach(table, &whole), 0);
	assert_null(ward_attached(table, &one));
	assert_int_equal(users(nested), 0);
	assert_int_equal(users(space), 1);
	ward_attach_table_destroy(table);
	ward_space_destroy(nested);
	assert_int_equal(users(space), 0);
	ward_space_destroy(space);
	ward_memory_destroy(memory);
}

/* Thousands come and go, move, and the table grows. */
static void many(void **state)
{
	struct ward_attach_table *table;
	struct ward_space *spaces[2] = { make(WARD_SPACE_UNMANAGED), make(WARD_SPACE_UNMANAGED) };
	const unsigned int count = 5000;
	unsigned char *in = calloc(count, 1);
	uint32_t random = 1, attached = 0;

	(void)state;
	assert_non_null(in);
	map_page(spaces[0], 0x1000, 0x5000);
	map_page(spaces[1], 0x1000, 0x6000);
	assert_int_equal(ward_attach_table_create(NULL, &table), 0);
	for (unsigned int i = 0; i < 60000; i++) {
		unsigned int who = (random = random * 1664525u + 1013904223u) >> 8;
		unsigned int what = who >> 20 & 3;
		struct ward_requester one;

		who %= count;
		one = requester(who & 3, who >> 2, who & 1 ? ward_pasid(who) : WARD_PASID_NONE);
		assert_int_equal(leads_to(table, &one, WARD_FAULT_BLOCKED),
				 in[who] ? 0x4000u + 0x1000u * in[who] : 0);
		if (what < 2) {
			assert_int_equal(ward_attach(table, &one, spaces[what], NULL, 0), 0);
			in[who] = (unsigned char)(what + 1);
		} else if (what == 2) {
			assert_int_equal(ward_detach(table, &one), in[who] ? 0 : -ENOENT);
			in[who] = 0;
		}
	}
	for (unsigned int i = 0; i < count; i++)
		attached += in[i] != 0;
	assert_int_equal(users(spaces[0]) + users(spaces[1]), attached);
	ward_attach_table_destroy(table);
	assert_int_equal(users(spaces[0]) + users(spaces[1]), 0);
	ward_space_destroy(spaces[0]);
	ward_space_destroy(spaces[1]);
	free(in);
}

static int sweep_body(void *context)
{
	const struct ward_reserved reserved = { { 0x9000, 0x9fff }, WARD_REGION_RESERVED };
	struct ward_attach_table *table;
	struct ward_space *space = context;
	uint32_t before;
	int code = ward_attach_table_create(NULL, &table);

	if (code)
		return code;
	before = users(space);
	for (uint32_t i = 0; i < 100 && code == 0; i++) {
		struct ward_requester one = requester(0, i, WARD_PASID_NONE);

		code = ward_attach(table, &one, space, &reserved, 1);
		assert_int_equal(users(space), before + i + (code == 0));
	}
	ward_attach_table_destroy(table);
	return code;
}

static void allocation_failures(void **state)
{
	struct ward_space *space = make(WARD_SPACE_UNMANAGED);

	(void)state;
	assert_true(test_sweep(sweep_body, space) > 4);
	ward_space_destroy(space);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocked_until_attached),
		cmocka_unit_test(refused),
		cmocka_unit_test(users_keep_a_space),
		cmocka_unit_test(a_nested_space_has_all_pasids),
		cmocka_unit_test(many),
		cmocka_unit_test(allocation_failures),
	};

	return cmocka_run_group_tests_name("dma/attach", tests, NULL, NULL);
}

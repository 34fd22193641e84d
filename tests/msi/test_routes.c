// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The routing table as it is edited: what is handed out, what is committed, and what is not. */
#include <doorward/backend/interface.h>
#include <doorward/routes.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep.h"

/* A VM that keeps the tables it was given. */
struct keeper {
	struct ward_vm *vm;
	struct ward_routes *routes;
	struct ward_route table[WARD_GSIS];
	uint32_t count;
	unsigned int sets;
	int refuse;
};

static int start(void *context)
{
	(void)context;
	return 0;
}

static int set_routes(void *context, const struct ward_route *routes, uint32_t count)
{
	struct keeper *keeper = context;

	if (keeper->refuse)
		return keeper->refuse;
	memcpy(keeper->table, routes, count * sizeof(*routes));
	keeper->count = count;
	keeper->sets++;
	return 0;
}

static void destroy(void *context)
{
	(void)context;
}

static const struct ward_vm_ops ops = {
	.name = "keeper",
	.start = start,
	.set_routes = set_routes,
	.destroy = destroy,
};

static struct keeper *keeper_make(enum ward_vm_controller controller, uint32_t reserved)
{
	const struct ward_vm_options options = {
		.size = sizeof(options),
		.controller = controller,
		.cpus = 1,
		.reserved_pins = reserved,
	};
	struct keeper *keeper = calloc(1, sizeof(*keeper));

	assert_non_null(keeper);
	assert_int_equal(ward_vm_create(&ops, keeper, &options, &keeper->vm), 0);
	assert_int_equal(ward_vm_start(keeper->vm), 0);
	assert_int_equal(ward_routes_create(keeper->vm, &keeper->routes), 0);
	return keeper;
}

static void keeper_free(struct keeper *keeper)
{
	ward_routes_destroy(keeper->routes);
	ward_vm_destroy(keeper->vm);
	free(keeper);
}

static struct ward_route message(ward_gsi_t gsi, uint32_t data)
{
	return (struct ward_route){
		.gsi = gsi,
		.kind = WARD_ROUTE_MSI,
		.address = ward_gpa(0xfee00000),
		.data = data,
	};
}

static void set(struct keeper *keeper, ward_gsi_t gsi, uint32_t data)
{
	const struct ward_route route = message(gsi, data);

	assert_int_equal(ward_routes_set(keeper->routes, &route), 0);
}

static uint32_t alloc(struct keeper *keeper)
{
	ward_gsi_t gsi;

	assert_int_equal(ward_routes_alloc(keeper->routes, &gsi), 0);
	return ward_gsi_raw(gsi);
}

static void commit(struct keeper *keeper)
{
	assert_int_equal(ward_routes_commit(keeper->routes), 0);
}

static struct ward_routes_info info(struct keeper *keeper)
{
	struct ward_routes_info now;

	ward_routes_info(keeper->routes, &now);
	return now;
}

static void test_first_gsi(void **state)
{
	static const struct {
		enum ward_vm_controller controller;
		uint32_t reserved, first, routes;
	} rows[] = {
		{ WARD_VM_X86, 0, 24, 40 },	    { WARD_VM_X86_SPLIT, 0, 0, 0 },
		{ WARD_VM_X86_SPLIT, 24, 24, 0 },   { WARD_VM_GICV2, 0, 224, 224 },
		{ WARD_VM_GICV3_ITS, 0, 224, 224 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct keeper *keeper = keeper_make(rows[i].controller, rows[i].reserved);

		assert_int_equal(info(keeper).routes, rows[i].routes);
		assert_int_equal(alloc(keeper), rows[i].first);
		assert_int_equal(alloc(keeper), rows[i].first + 1);
		keeper_free(keeper);
	}
}

/* What is there already is not set again, and of what is set nothing is missing. */
static void test_defaults(void **state)
{
	struct keeper *keeper = keeper_make(WARD_VM_X86, 0);
	struct ward_route route;

	(void)state;
	assert_false(info(keeper).edited);
	commit(keeper);
	assert_int_equal(keeper->sets, 0);
	set(keeper, ward_gsi(alloc(keeper)), 0x40);
	commit(keeper);
	assert_int_equal(keeper->count, 41);
	for (uint32_t i = 0, row = 0; i < 24; i++) {
		if (i < 16) {
			assert_int_equal(keeper->table[row].chip, i / 8);
			assert_int_equal(keeper->table[row++].pin, i % 8);
		}
		assert_int_equal(ward_gsi_raw(keeper->table[row].gsi), i);
		assert_int_equal(keeper->table[row].chip, WARD_CHIP_IOAPIC);
		assert_int_equal(keeper->table[row++].pin, i);
	}
	assert_int_equal(ward_routes_get(keeper->routes, ward_gsi(9), true, &route), 0);
	assert_int_equal(route.chip, WARD_CHIP_PIC_SLAVE);
	keeper_free(keeper);
}

static void test_one_commit(void **state)
{
	struct keeper *keeper = keeper_make(WARD_VM_GICV3_ITS, 0);
	struct ward_route before[WARD_GSIS], route;
	uint32_t first = alloc(keeper), count;

	(void)state;
	set(keeper, ward_gsi(first), 1);
	for (uint32_t i = 1; i < 64; i++)
		set(keeper, ward_gsi(alloc(keeper)), 1 + i);
	assert_int_equal(keeper->sets, 0);
	assert_int_equal(ward_routes_get(keeper->routes, ward_gsi(first), true, &route), -ENOENT);
	assert_int_equal(ward_routes_get(keeper->routes, ward_gsi(first), false, &route), 0);
	assert_true(info(keeper).edited);
	commit(keeper);
	assert_int_equal(keeper->sets, 1);
	assert_int_equal(info(keeper).commits, 1);
	assert_int_equal(ward_routes_get(keeper->routes, ward_gsi(first), true, &route), 0);
	/* One changes: all others are the same bytes at the same place. */
	count = keeper->count;
	memcpy(before, keeper->table, sizeof(before));
	set(keeper, ward_gsi(first + 30), 77);
	commit(keeper);
	assert_int_equal(keeper->count, count);
	for (uint32_t i = 0; i < count; i++) {
		bool ours = ward_gsi_raw(before[i].gsi) == first + 30;

		assert_int_equal(memcmp(&before[i], &keeper->table[i], sizeof(before[i])) != 0,
				 ours);
	}
	keeper_free(keeper);
}

/* There and back again is nothing. */
static void test_nothing_to_commit(void **state)
{
	struct keeper *keeper = keeper_make(WARD_VM_X86, 0);
	ward_gsi_t gsi = ward_gsi(alloc(keeper));

	(void)state;
	set(keeper, gsi, 1);
	commit(keeper);
	set(keeper, gsi, 2);
	set(keeper, gsi, 1);
	assert_false(info(keeper).edited);
	commit(keeper);
	assert_int_equal(ward_routes_clear(keeper->routes, gsi), 0);
	assert_int_equal(ward_routes_clear(keeper->routes, gsi), -ENOENT);
	assert_int_equal(ward_routes_clear(keeper->routes, ward_gsi(UINT32_MAX)), -ENOENT);
	assert_true(info(keeper).edited);
	set(keeper, gsi, 1);
	commit(keeper);
	assert_int_equal(keeper->sets, 1);
	keeper_free(keeper);
}

static void test_freed(void **state)
{
	struct keeper *keeper = keeper_make(WARD_VM_X86, 0);
	uint32_t gsi = alloc(keeper), other = alloc(keeper);

	(void)state;
	set(keeper, ward_gsi(gsi), 1);
	set(keeper, ward_gsi(other), 2);
	commit(keeper);
	ward_routes_free(keeper->routes, ward_gsi(gsi));
	ward_routes_free(keeper->routes, ward_gsi(gsi));
	ward_routes_free(keeper->routes, ward_gsi(3));
	ward_routes_free(keeper->routes, ward_gsi(UINT32_MAX));
	assert_int_equal(info(keeper).allocated, 1);
	/* Its route is still in force: not yet. */
	assert_int_equal(alloc(keeper), other + 1);
	keeper->refuse = -ENOMEM;
	assert_int_equal(ward_routes_commit(keeper->routes), -ENOMEM);
	assert_int_equal(alloc(keeper), other + 2);
	keeper->refuse = 0;
	commit(keeper);
	assert_int_equal(keeper->count, 41);
	assert_int_equal(alloc(keeper), gsi);
	/* Freed, and never routed: not before a commit either, though that sets nothing. */
	ward_routes_free(keeper->routes, ward_gsi(gsi));
	assert_int_equal(alloc(keeper), other + 3);
	commit(keeper);
	assert_int_equal(keeper->sets, 2);
	assert_int_equal(alloc(keeper), gsi);
	keeper_free(keeper);
}

static void test_abort(void **state)
{
	struct keeper *keeper = keeper_make(WARD_VM_X86, 0);
	uint32_t gsi = alloc(keeper), later;
	struct ward_route route;

	(void)state;
	set(keeper, ward_gsi(gsi), 1);
	commit(keeper);
	later = alloc(keeper);
	set(keeper, ward_gsi(later), 2);
	set(keeper, ward_gsi(gsi), 3);
	ward_routes_abort(keeper->routes);
	assert_false(info(keeper).edited);
	assert_int_equal(ward_routes_get(keeper->routes, ward_gsi(gsi), false, &route), 0);
	assert_int_equal(route.data, 1);
	assert_int_equal(ward_routes_get(keeper->routes, ward_gsi(later), false, &route), -ENOENT);
	assert_int_equal(info(keeper).allocated, 2);
	/* What was freed stays freed, and is not free before its route is gone. */
	ward_routes_free(keeper->routes, ward_gsi(gsi));
	ward_routes_abort(keeper->routes);
	assert_true(info(keeper).edited);
	assert_int_equal(info(keeper).allocated, 1);
	assert_int_equal(alloc(keeper), later + 1);
	commit(keeper);
	assert_int_equal(keeper->sets, 2);
	assert_int_equal(ward_routes_get(keeper->routes, ward_gsi(gsi), true, &route), -ENOENT);
	assert_int_equal(alloc(keeper), gsi);
	keeper_free(keeper);
}

static void test_refused_commit(void **state)
{
	struct keeper *keeper = keeper_make(WARD_VM_X86, 0);
	ward_gsi_t gsi = ward_gsi(alloc(keeper));
	struct ward_route route;

	(void)state;
	set(keeper, gsi, 1);
	keeper->refuse = -EIO;
	assert_int_equal(ward_routes_commit(keeper->routes), -EIO);
	assert_true(info(keeper).edited);
	assert_int_equal(ward_routes_get(keeper->routes, gsi, true, &route), -ENOENT);
	keeper->refuse = 0;
	commit(keeper);
	assert_int_equal(keeper->sets, 1);
	keeper_free(keeper);
}

/* A message takes the place of pins, and a pin that of a message; two chips live side by side. */
static void test_replaces(void **state)
{
	struct keeper *keeper = keeper_make(WARD_VM_X86, 0);
	struct ward_route pin = {
		.gsi = ward_gsi(4), .kind = WARD_ROUTE_PIN, .chip = WARD_CHIP_IOAPIC, .pin = 20
	};
	struct ward_route route;

	(void)state;
	assert_int_equal(ward_routes_set(keeper->routes, &pin), 0);
	assert_int_equal(info(keeper).routes, 40);
	pin.chip = WARD_CHIP_PIC_SLAVE;
	pin.pin = 7;
	assert_int_equal(ward_routes_set(keeper->routes, &pin), 0);
	assert_int_equal(info(keeper).routes, 41);
	set(keeper, ward_gsi(4), 0x41);
	assert_int_equal(info(keeper).routes, 39);
	assert_int_equal(ward_routes_set(keeper->routes, &pin), 0);
	assert_int_equal(info(keeper).routes, 39);
	assert_int_equal(ward_routes_get(keeper->routes, ward_gsi(4), false, &route), 0);
	assert_int_equal(route.kind, WARD_ROUTE_PIN);
	commit(keeper);
	assert_int_equal(keeper->count, 39);
	keeper_free(keeper);
}

/* What a row does not mean is nothing, whatever it says. */
static void test_plain_rows(void **state)
{
	struct keeper *keeper = keeper_make(WARD_VM_X86, 0);
	struct ward_route route = message(ward_gsi(alloc(keeper)), 1);

	(void)state;
	assert_int_equal(ward_routes_set(keeper->routes, &route), 0);
	commit(keeper);
	route.chip = 9;
	route.pin = 99;
	route.devid = ward_devid(5);
	assert_int_equal(ward_routes_set(keeper->routes, &route), 0);
	commit(keeper);
	assert_int_equal(keeper->sets, 1);
	route.flags = 4;
	assert_int_equal(ward_routes_set(keeper->routes, &route), -EINVAL);
	route = message(ward_gsi(WARD_GSIS), 1);
	assert_int_equal(ward_routes_set(keeper->routes, &route), -EINVAL);
	/* Nobody has it: whoever is given it would find a route there. */
	route = message(ward_gsi(100), 1);
	assert_int_equal(ward_routes_set(keeper->routes, &route), -EINVAL);
	assert_int_equal(ward_routes_set(keeper->routes, NULL), -EINVAL);
	keeper_free(keeper);
}

/* Nothing is where nothing is. */
static void test_empty(void **state)
{
	struct keeper *keeper = keeper_make(WARD_VM_X86_SPLIT, 0);
	struct ward_route route;

	(void)state;
	assert_int_equal(ward_routes_clear(keeper->routes, ward_gsi(0)), -ENOENT);
	assert_int_equal(ward_routes_get(keeper->routes, ward_gsi(0), true, &route), -ENOENT);
	ward_routes_abort(keeper->routes);
	commit(keeper);
	assert_int_equal(keeper->sets, 0);
	keeper_free(keeper);
}

static void test_budget(void **state)
{
	struct keeper *keeper = keeper_make(WARD_VM_X86, 0);
	struct ward_route route;
	uint32_t left = info(keeper).left, unrouted;
	ward_gsi_t gsi, last;

	(void)state;
	/* 40 rows are the pins'. */
	assert_int_equal(left, WARD_GSIS - 40);
	unrouted = alloc(keeper);
	assert_int_equal(info(keeper).left, left - 1);
	last = ward_gsi(alloc(keeper));
	set(keeper, last, 1);
	for (uint32_t i = 2; i < left; i++)
		set(keeper, ward_gsi(alloc(keeper)), i);
	assert_int_equal(info(keeper).left, 0);
	assert_int_equal(ward_routes_alloc(keeper->routes, &gsi), -ENOSPC);
	/* A row is kept for each that was handed out. */
	set(keeper, ward_gsi(unrouted), 1);
	commit(keeper);
	assert_int_equal(keeper->count, WARD_GSIS);
	/* One more pin beside another; a message in place of two makes room again. */
	route = (struct ward_route){ .gsi = ward_gsi(20), .kind = WARD_ROUTE_PIN, .pin = 1 };
	assert_int_equal(ward_routes_set(keeper->routes, &route), -ENOSPC);
	set(keeper, ward_gsi(0), 1);
	assert_int_equal(info(keeper).left, 1);
	assert_int_equal(ward_routes_set(keeper->routes, &route), 0);
	assert_int_equal(info(keeper).left, 0);
	/* What goes leaves its row at once, and its number with the commit. */
	ward_routes_free(keeper->routes, last);
	assert_int_equal(info(keeper).left, 1);
	commit(keeper);
	keeper_free(keeper);
}

/* Edits by chance against a naive table of rows by GSI and chip. */
#define NAIVE_GSIS 64u

/* By GSI: a pin of each chip, and the message. Zeroes between fields: rows are compared as bytes. */
struct naive {
	struct ward_route rows[NAIVE_GSIS][4];
};

static void naive_put(struct naive *naive, const struct ward_route *route)
{
	bool pin = route->kind == WARD_ROUTE_PIN;
	struct ward_route *rows = naive->rows[ward_gsi_raw(route->gsi)];
	struct ward_route *row = &rows[pin ? route->chip : 3];

	memset(pin ? &rows[3] : rows, 0, (pin ? 1 : 4) * sizeof(*rows));
	row->gsi = route->gsi;
	row->kind = route->kind;
	row->chip = route->chip;
	row->pin = route->pin;
	row->address = route->address;
	row->data = route->data;
}

static void naive_compare(const struct naive *naive, const struct keeper *keeper)
{
	uint32_t at = 0;

	for (uint32_t gsi = 0; gsi < NAIVE_GSIS; gsi++)
		for (uint32_t i = 0; i < 4; i++)
			if (naive->rows[gsi][i].kind)
				assert_memory_equal(&keeper->table[at++], &naive->rows[gsi][i],
						    sizeof(struct ward_route));
	assert_int_equal(at, keeper->count);
}

static void test_by_chance(void **state)
{
	struct keeper *keeper = keeper_make(WARD_VM_X86, 0);
	struct ward_route route, defaults[40];
	uint64_t seed = 0x9e3779b97f4a7c15;
	static struct naive naive;

	(void)state;
	memset(&naive, 0, sizeof(naive));
	assert_int_equal(ward_vm_default_routes(WARD_VM_X86, 24, defaults), 40);
	for (uint32_t i = 0; i < 40; i++)
		naive_put(&naive, &defaults[i]);
	while (alloc(keeper) < NAIVE_GSIS)
		;
	for (unsigned int round = 0; round < 20000; round++) {
		uint32_t gsi, kind;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		gsi = (uint32_t)(seed >> 33) % NAIVE_GSIS;
		kind = (uint32_t)(seed >> 60);
		if (kind < 2) {
			ward_routes_clear(keeper->routes, ward_gsi(gsi));
			memset(naive.rows[gsi], 0, sizeof(naive.rows[gsi]));
		} else if (kind == 2) {
			commit(keeper);
			if (keeper->sets)
				naive_compare(&naive, keeper);
		} else {
			route = message(ward_gsi(gsi), (uint32_t)(seed >> 40) & 0xff);
			if (kind > 6)
				route = (struct ward_route){ .gsi = ward_gsi(gsi),
							     .kind = WARD_ROUTE_PIN,
							     .chip = (uint32_t)(seed >> 50) % 3,
							     .pin = (uint32_t)(seed >> 40) % 8 };
			assert_int_equal(ward_routes_set(keeper->routes, &route), 0);
			naive_put(&naive, &route);
		}
	}
	assert_true(keeper->sets > 100);
	keeper_free(keeper);
}

static int edit_and_commit(void *context)
{
	struct keeper *keeper = context;
	struct ward_routes *routes = NULL;
	int code = ward_routes_create(keeper->vm, &routes);
	ward_gsi_t gsi;

	for (uint32_t i = 0; code == 0 && i < 100; i++) {
		struct ward_route route;

		code = ward_routes_alloc(routes, &gsi);
		route = message(gsi, i);
		if (code == 0)
			code = ward_routes_set(routes, &route);
	}
	if (code == 0)
		code = ward_routes_commit(routes);
	ward_routes_destroy(routes);
	return code;
}

static void test_sweep_edits(void **state)
{
	struct keeper *keeper = keeper_make(WARD_VM_X86, 0);

	(void)state;
	assert_true(test_sweep(edit_and_commit, keeper) > 0);
	keeper_free(keeper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_gsi),      cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_one_commit),     cmocka_unit_test(test_nothing_to_commit),
		cmocka_unit_test(test_freed),	       cmocka_unit_test(test_abort),
		cmocka_unit_test(test_refused_commit), cmocka_unit_test(test_replaces),
		cmocka_unit_test(test_plain_rows),     cmocka_unit_test(test_empty),
		cmocka_unit_test(test_budget),	       cmocka_unit_test(test_by_chance),
		cmocka_unit_test(test_sweep_edits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Two tables: what is in force, and what shall be. Edits change the second; a commit hands it to the
 * VM as a whole, when the two differ. Both always have room for as many rows, so that nothing is left
 * to fail once the VM has taken it.
 */
#include "base/fault.h"
#include "msi/route_table.h"

#include <doorward/backend/interface.h>
#include <doorward/routes.h>

#include <errno.h>
#include <stdlib.h>

enum gsi_state {
	GSI_FREE,
	GSI_ALLOCATED,
	GSI_LEAVING, /* freed since the last commit */
};

struct ward_routes {
	struct ward_vm *vm;
	enum ward_vm_controller controller;
	uint32_t first_gsi;
	struct ward_route_table committed, edited;
	uint8_t state[WARD_GSIS]; /* enum gsi_state */
	/* No GSI below is free, among those that are handed out. */
	uint32_t lowest;
	uint32_t free, allocated;
	uint32_t unrouted; /* allocated, and without a route among the edits */
	bool freed;	   /* some GSI is leaving */
	uint64_t commits;
};

static int start_tables(struct ward_routes *routes, uint32_t gsis)
{
	uint32_t count = ward_vm_default_routes(routes->controller, gsis, NULL);
	int code = ward_route_table_reserve(&routes->committed, count);

	if (code == 0)
		code = ward_route_table_reserve(&routes->edited, count);
	if (code)
		return code;
	ward_vm_default_routes(routes->controller, gsis, routes->committed.rows);
	routes->committed.count = count;
	ward_route_table_copy(&routes->edited, &routes->committed);
	return 0;
}

int ward_routes_create(struct ward_vm *vm, struct ward_routes **ret_routes)
{
	struct ward_routes *routes;
	struct ward_vm_info info;
	int code;

	ward_vm_info(vm, &info);
	if (!info.started && info.controller != WARD_VM_X86 && info.controller != WARD_VM_X86_SPLIT)
		return -ENODEV;
	routes = ward_alloc(sizeof(*routes));
	if (!routes)
		return -ENOMEM;
	routes->vm = vm;
	routes->controller = info.controller;
	routes->first_gsi = info.first_gsi;
	routes->lowest = info.first_gsi;
	routes->free = WARD_GSIS - info.first_gsi;
	code = start_tables(routes, info.default_gsis);
	if (code) {
		ward_routes_destroy(routes);
		return code;
	}
	*ret_routes = routes;
	return 0;
}

void ward_routes_destroy(struct ward_routes *routes)
{
	if (!routes)
		return;
	ward_route_table_finish(&routes->committed);
	ward_route_table_finish(&routes->edited);
	free(routes);
}

static bool is_routed(const struct ward_routes *routes, uint32_t gsi)
{
	uint32_t count;

	ward_route_table_find(&routes->edited, ward_gsi(gsi), &count);
	return count;
}

/* GSIs that could be handed out, each with a row left for it. */
static uint32_t budget(const struct ward_routes *routes)
{
	uint32_t used = routes->edited.count + routes->unrouted;
	uint32_t rows = used < WARD_GSIS ? WARD_GSIS - used : 0;

	return routes->free < rows ? routes->free : rows;
}

int ward_routes_alloc(struct ward_routes *routes, ward_gsi_t *ret_gsi)
{
	uint32_t gsi = routes->lowest;

	if (!budget(routes))
		return -ENOSPC;
	while (routes->state[gsi] != GSI_FREE)
		gsi++;
	routes->state[gsi] = GSI_ALLOCATED;
	routes->lowest = gsi + 1;
	routes->free--;
	routes->allocated++;
	routes->unrouted++;
	*ret_gsi = ward_gsi(gsi);
	return 0;
}

void ward_routes_free(struct ward_routes *routes, ward_gsi_t gsi)
{
	uint32_t raw = ward_gsi_raw(gsi);

	if (raw >= WARD_GSIS || routes->state[raw] != GSI_ALLOCATED)
		return;
	routes->unrouted -= !is_routed(routes, raw);
	ward_route_table_clear(&routes->edited, gsi);
	routes->state[raw] = GSI_LEAVING;
	routes->allocated--;
	routes->freed = true;
}

int ward_routes_set(struct ward_routes *routes, const struct ward_route *route)
{
	uint32_t raw, count;
	int code;

	if (!route || ward_vm_route_check(routes->controller, route))
		return -EINVAL;
	raw = ward_gsi_raw(route->gsi);
	if (raw >= routes->first_gsi && routes->state[raw] != GSI_ALLOCATED)
		return -EINVAL;
	count = routes->edited.count + (uint32_t)ward_route_table_growth(&routes->edited, route);
	if (count > WARD_GSIS && count > routes->edited.count)
		return -ENOSPC;
	code = ward_route_table_reserve(&routes->edited, count);
	if (code == 0)
		code = ward_route_table_reserve(&routes->committed, count);
	if (code)
		return code;
	if (routes->state[raw] == GSI_ALLOCATED)
		routes->unrouted -= !is_routed(routes, raw);
	ward_route_table_put(&routes->edited, route);
	return 0;
}

int ward_routes_clear(struct ward_routes *routes, ward_gsi_t gsi)
{
	uint32_t raw = ward_gsi_raw(gsi);

	if (raw >= WARD_GSIS || !ward_route_table_clear(&routes->edited, gsi))
		return -ENOENT;
	routes->unrouted += routes->state[raw] == GSI_ALLOCATED;
	return 0;
}

/* What was freed since the last commit may be handed out now. */
static void settle_freed(struct ward_routes *routes)
{
	for (uint32_t gsi = routes->first_gsi; routes->freed && gsi < WARD_GSIS; gsi++) {
		if (routes->state[gsi] != GSI_LEAVING)
			continue;
		routes->state[gsi] = GSI_FREE;
		routes->free++;
		if (gsi < routes->lowest)
			routes->lowest = gsi;
	}
	routes->freed = false;
}

int ward_routes_commit(struct ward_routes *routes)
{
	if (!ward_route_table_equal(&routes->edited, &routes->committed)) {
		int code =
			ward_vm_set_routes(routes->vm, routes->edited.rows, routes->edited.count);

		if (code)
			return code;
		ward_route_table_copy(&routes->committed, &routes->edited);
		routes->commits++;
	}
	settle_freed(routes);
	return 0;
}

void ward_routes_abort(struct ward_routes *routes)
{
	ward_route_table_copy(&routes->edited, &routes->committed);
	routes->unrouted = 0;
	for (uint32_t gsi = routes->first_gsi; gsi < WARD_GSIS; gsi++) {
		if (routes->state[gsi] == GSI_ALLOCATED)
			routes->unrouted += !is_routed(routes, gsi);
		else if (routes->state[gsi] == GSI_LEAVING)
			ward_route_table_clear(&routes->edited, ward_gsi(gsi));
	}
}

int ward_routes_get(const struct ward_routes *routes, ward_gsi_t gsi, bool committed,
		    struct ward_route *ret_route)
{
	const struct ward_route_table *table = committed ? &routes->committed : &routes->edited;
	uint32_t count, first = ward_route_table_find(table, gsi, &count);

	if (!count)
		return -ENOENT;
	*ret_route = table->rows[first];
	return 0;
}

void ward_routes_info(const struct ward_routes *routes, struct ward_routes_info *ret_info)
{
	*ret_info = (struct ward_routes_info){
		.routes = routes->edited.count,
		.allocated = routes->allocated,
		.left = budget(routes),
		.edited = !ward_route_table_equal(&routes->edited, &routes->committed),
		.commits = routes->commits,
	};
}

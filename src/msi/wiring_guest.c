// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The guest's half of a wiring: GSIs, routes, irqfds, in the order that loses nothing. */
#include "msi/wiring.h"

#include <errno.h>

#include "base/error.h"

bool ward_route_means(const struct ward_route *a, const struct ward_route *b)
{
	return a->kind == b->kind && a->flags == b->flags && a->chip == b->chip &&
	       a->pin == b->pin && ward_gpa_raw(a->address) == ward_gpa_raw(b->address) &&
	       a->data == b->data && ward_devid_raw(a->devid) == ward_devid_raw(b->devid);
}

static int set_irqfd(const struct ward_wiring *wiring, const struct ward_wire_state *wire,
		     uint32_t flags)
{
	const struct ward_irqfd irqfd = {
		.eventfd = wire->eventfd,
		.gsi = wire->route.gsi,
		.flags = flags,
		.resamplefd = -1,
	};

	return ward_vm_irqfd(wiring->options.vm, &irqfd);
}

int ward_wiring_unwire(struct ward_wiring *wiring, struct ward_error *ret_error)
{
	for (uint32_t i = 0; i < wiring->count; i++) {
		struct ward_wire_state *wire = &wiring->wires[i];
		int code;

		if (!wire->wired ||
		    (wire->plan.wire && ward_route_means(&wire->plan.route, &wire->route)))
			continue;
		code = set_irqfd(wiring, wire, WARD_IRQFD_DEASSIGN);
		if (code)
			return ward_wiring_fail(ret_error, code, i,
						"its irqfd cannot be taken away");
		wire->wired = false;
	}
	return 0;
}

static int commit(struct ward_wiring *wiring, struct ward_error *ret_error)
{
	int code = ward_routes_commit(wiring->options.routes);

	if (code)
		return ward_fail(ret_error, code, "the routes cannot be put into force (error %d)",
				 -code);
	wiring->edited = false;
	return 0;
}

/* Gives back the GSIs of vectors that are off, or that a pin raises now. */
static void give_back(struct ward_wiring *wiring)
{
	for (uint32_t i = 0; i < wiring->count; i++) {
		struct ward_wire_state *wire = &wiring->wires[i];
		bool by_pin = wire->plan.wire && wire->plan.route.kind == WARD_ROUTE_PIN;

		if (!wire->plan.enabled || by_pin)
			wire->routed = false;
		if (!wire->owns || (wire->plan.enabled && !by_pin))
			continue;
		ward_routes_free(wiring->options.routes, wire->own);
		wire->owns = false;
		wiring->edited = true;
	}
}

static int take_gsi(struct ward_wiring *wiring, struct ward_wire_state *wire,
		    struct ward_error *ret_error)
{
	struct ward_routes *routes = wiring->options.routes;
	int code;

	if (wire->owns)
		return 0;
	code = ward_routes_alloc(routes, &wire->own);
	/* Those that were given back can be had once they are gone. */
	if (code && wiring->edited) {
		code = commit(wiring, ret_error);
		if (code)
			return code;
		code = ward_routes_alloc(routes, &wire->own);
	}
	wire->owns = !code;
	return code;
}

static bool has_route(const struct ward_wiring *wiring, const struct ward_route *route,
		      bool committed)
{
	struct ward_route now;

	return ward_routes_get(wiring->options.routes, route->gsi, committed, &now) == 0 &&
	       ward_route_means(&now, route);
}

/*
 * Edits the table so that it has what is planned. It may have it, in force or not: from a commit that
 * failed, or from another.
 */
static int edit(struct ward_wiring *wiring, struct ward_wire_state *wire,
		struct ward_error *ret_error)
{
	struct ward_route *route = &wire->plan.route;
	int code;

	if (route->kind == WARD_ROUTE_MSI) {
		code = take_gsi(wiring, wire, ret_error);
		if (code)
			return code;
		route->gsi = wire->own;
	}
	if (!has_route(wiring, route, false)) {
		code = ward_routes_set(wiring->options.routes, route);
		if (code == -ENOMEM)
			return ward_fail(ret_error, code, "no memory for a route");
		if (code)
			return code;
	}
	if (!has_route(wiring, route, true))
		wiring->edited = true;
	return 0;
}

int ward_wiring_route(struct ward_wiring *wiring, uint32_t *ret_lost, struct ward_error *ret_error)
{
	int code = 0;

	give_back(wiring);
	for (uint32_t i = 0; i < wiring->count && !code; i++) {
		struct ward_wire_state *wire = &wiring->wires[i];

		if (!wire->plan.wire || wire->wired)
			continue;
		wire->routed = false;
		code = edit(wiring, wire, ret_error);
		if (code == -EINVAL || code == -ENOSPC) {
			wire->plan.wire = false;
			wire->plan.resolved = code;
			ward_wiring_lose(i,
					 code == -EINVAL ? "the controller has no such message"
							 : "no GSI is left",
					 ret_lost, ret_error);
			code = 0;
		}
	}
	if (!code && wiring->edited)
		code = commit(wiring, ret_error);
	return code;
}

/* Its route is in force. */
static int wire_one(struct ward_wiring *wiring, struct ward_wire_state *wire)
{
	int code;

	wire->message = wire->plan.message;
	wire->routed = true;
	if (wire->wired)
		return 0;
	wire->route = wire->plan.route;
	code = ward_wiring_open(wire);
	if (!code)
		code = set_irqfd(wiring, wire, 0);
	wire->wired = !code;
	return code;
}

int ward_wiring_wire(struct ward_wiring *wiring, struct ward_error *ret_error)
{
	int failed = 0;

	for (uint32_t i = 0; i < wiring->count; i++) {
		struct ward_wire_state *wire = &wiring->wires[i];
		int code = wire->plan.wire ? wire_one(wiring, wire) : 0;

		/* Others may fare better; the first is said. */
		if (code && !failed)
			failed = ward_wiring_fail(ret_error, code, i,
						  "its irqfd cannot be assigned");
	}
	return failed;
}

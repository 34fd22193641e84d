// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Registers, routing table, irqfds and host vectors held against each other. */
#include "msi/wiring.h"

#include <errno.h>

#include "base/error.h"

static int contradict(struct ward_error *error, uint32_t vector, const char *what)
{
	return ward_fail(error, -EBADMSG, "vector %u %s", vector, what);
}

/*
 * The host's vector raises our eventfd, wired or waiting, and writes where the guest says, if it is to;
 * behind a mask the guest may have said half of it: there, where it was told.
 */
static int verify_host(const struct ward_wiring *wiring, uint32_t vector,
		       const struct ward_message *message, struct ward_error *ret_error)
{
	const struct ward_wire_state *wire = &wiring->wires[vector];
	ward_iova_t address = wire->wired ? message->address : wire->address;
	struct ward_host_irq irq;

	if (!wiring->options.device)
		return 0;
	if (vector >= wiring->host_count)
		return wire->wired ? contradict(ret_error, vector,
						"is wired, and its host vector is off")
				   : 0;
	if (ward_device_irq(wiring->options.device, wiring->host_index, vector, &irq))
		return 0; /* nothing is known of it */
	if (irq.eventfd != wire->eventfd)
		return contradict(ret_error, vector, "has a host vector with another eventfd");
	if (wiring->options.guest_addresses && irq.message_known &&
	    (wire->wired || wire->has_address) &&
	    ward_iova_raw(irq.message.address) != ward_iova_raw(address))
		return contradict(ret_error, vector, "writes to another address than the guest's");
	return 0;
}

/* route: what the message comes to. */
static int verify_wired(const struct ward_wiring *wiring, uint32_t vector,
			const struct ward_route *route, uint64_t *used,
			struct ward_error *ret_error)
{
	const struct ward_wire_state *wire = &wiring->wires[vector];
	uint32_t gsi = ward_gsi_raw(wire->route.gsi);
	struct ward_route now;

	if (gsi >= WARD_GSIS ||
	    ward_routes_get(wiring->options.routes, wire->route.gsi, true, &now))
		return contradict(ret_error, vector, "is wired to a GSI that has no route");
	if (!ward_route_means(&now, route) ||
	    (route->kind == WARD_ROUTE_PIN && ward_gsi_raw(route->gsi) != gsi))
		return contradict(ret_error, vector,
				  "is wired to a GSI that has another's message");
	if (route->kind == WARD_ROUTE_PIN)
		return 0; /* two vectors with the same INTID are the guest's own doing */
	if (used[gsi / 64] >> gsi % 64 & 1)
		return contradict(ret_error, vector, "is wired to a GSI that another vector has");
	used[gsi / 64] |= 1ull << gsi % 64;
	return 0;
}

int ward_wiring_verify(const struct ward_wiring *wiring, struct ward_error *ret_error)
{
	uint64_t used[WARD_GSIS / 64] = { 0 };
	uint32_t index = ward_wiring_index(ward_vectors_mode(wiring->options.vectors, NULL));

	if (wiring->host_index != WARD_NONE && wiring->host_index != index)
		return ward_fail(ret_error, -EBADMSG, "the host has on what the guest has off");
	for (uint32_t i = 0; i < wiring->count; i++) {
		const struct ward_wire_state *wire = &wiring->wires[i];
		struct ward_vector now;
		struct ward_route route;
		uint32_t doorbell;
		bool on = ward_vectors_get(wiring->options.vectors, i, &now) == 0 && now.enabled &&
			  !now.masked;
		bool rings = on && ward_wiring_resolve(wiring, &now.message, &doorbell, &route,
						       NULL) == 0;
		int code = 0;

		if (wire->wired && !on)
			code = contradict(ret_error, i,
					  "is wired, and the guest has it off or masked");
		else if (wire->wired && !rings)
			code = contradict(ret_error, i, "is wired, and its message rings nothing");
		else if (!wire->wired && rings && wire->plan.resolved == 0)
			code = contradict(ret_error, i, "is not wired, and the guest has it on");
		else if (wire->wired)
			code = verify_wired(wiring, i, &route, used, ret_error);
		if (!code)
			code = verify_host(wiring, i, &now.message, ret_error);
		if (code)
			return code;
	}
	return 0;
}

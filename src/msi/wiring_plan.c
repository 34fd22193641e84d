// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What the guest's registers ask for: which vectors, and what their messages ring. */
#include "msi/wiring.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/error.h"

#include <doorward/gic.h>

/* A GICv2m frame raises the SPI that the data names: pin n is SPI n, and so is its GSI. */
static int route_by_pin(const struct ward_guest_doorbell *doorbell, uint32_t data,
			struct ward_route *ret_route)
{
	if (data < doorbell->first_intid || data > doorbell->last_intid)
		return -EINVAL;
	*ret_route = (struct ward_route){
		.gsi = ward_gsi(data - WARD_GIC_FIRST_SPI),
		.kind = WARD_ROUTE_PIN,
		.pin = data - WARD_GIC_FIRST_SPI,
	};
	return 0;
}

static void route_by_message(const struct ward_guest_doorbell *doorbell, uint64_t address,
			     uint32_t data, struct ward_route *ret_route)
{
	*ret_route = (struct ward_route){
		.kind = WARD_ROUTE_MSI,
		.flags = doorbell->has_devid ? WARD_ROUTE_DEVID : 0,
		.address = ward_gpa(address),
		.data = data,
		.devid = doorbell->has_devid ? doorbell->devid : ward_devid(0),
	};
}

int ward_wiring_resolve(const struct ward_wiring *wiring, const struct ward_message *message,
			uint32_t *ret_doorbell, struct ward_route *ret_route,
			char ret_text[WARD_RESOLUTION_TEXT])
{
	const struct ward_resolve_options options = {
		.size = sizeof(options),
		.space = wiring->options.space,
		.frames_of =
			wiring->options.guest_addresses ? WARD_FRAMES_GUEST : WARD_FRAMES_EMULATED,
		.pasid = WARD_PASID_NONE,
		.frames = wiring->frames,
		.frames_count = wiring->options.doorbells_count,
		.controller = WARD_NONE,
	};
	const struct ward_guest_doorbell *doorbell;
	struct ward_resolution resolution;
	int code = ward_doorbell_resolve(&options, message, &resolution);

	if (code) {
		if (ret_text)
			ward_resolution_format(&resolution, message, ret_text);
		return code;
	}
	doorbell = &wiring->doorbells[resolution.frame];
	*ret_doorbell = resolution.frame;
	if (doorbell->first_intid == 0) {
		route_by_message(doorbell, resolution.address, message->data, ret_route);
		return 0;
	}
	code = route_by_pin(doorbell, message->data, ret_route);
	if (code && ret_text)
		snprintf(ret_text, WARD_RESOLUTION_TEXT,
			 "its data 0x%" PRIx32 " is no interrupt of the frame, which has %" PRIu32
			 " to %" PRIu32,
			 message->data, doorbell->first_intid, doorbell->last_intid);
	return code;
}

void ward_wiring_lose(uint32_t vector, const char *why, uint32_t *lost,
		      struct ward_error *ret_error)
{
	if (++*lost == 1)
		ward_fail(ret_error, 0, "vector %u rings nothing: %.220s", vector, why);
}

/* A vector that nobody masks: what does its message ring? */
static int plan_message(const struct ward_wiring *wiring, struct ward_wire_plan *plan,
			char ret_text[WARD_RESOLUTION_TEXT])
{
	plan->resolved = ward_wiring_resolve(wiring, &plan->message, &plan->doorbell, &plan->route,
					     ret_text);
	plan->addressed = wiring->options.guest_addresses && plan->resolved == 0;
	plan->wire = plan->enabled && !plan->masked && plan->resolved == 0;
	return plan->resolved;
}

static struct ward_wire_plan read_registers(const struct ward_wiring *wiring, uint32_t vector)
{
	struct ward_wire_plan plan = { .doorbell = WARD_NONE };
	struct ward_vector now;

	if (ward_vectors_get(wiring->options.vectors, vector, &now))
		return plan;
	plan.enabled = now.enabled;
	plan.masked = now.masked;
	plan.message = now.message;
	plan.programmed = now.enabled && (!now.masked || now.message.data != 0 ||
					  ward_iova_raw(now.message.address) != 0);
	return plan;
}

static bool same_message(const struct ward_message *a, const struct ward_message *b)
{
	return ward_iova_raw(a->address) == ward_iova_raw(b->address) && a->data == b->data;
}

uint32_t ward_wiring_plan(struct ward_wiring *wiring, struct ward_error *ret_error)
{
	char text[WARD_RESOLUTION_TEXT];
	uint32_t lost = 0;

	wiring->mode = ward_vectors_mode(wiring->options.vectors, NULL);
	for (uint32_t i = 0; i < wiring->count; i++) {
		struct ward_wire_state *wire = &wiring->wires[i];
		struct ward_wire_plan *plan = &wire->plan;

		*plan = read_registers(wiring, i);
		wire->routed = wire->routed && same_message(&wire->message, &plan->message);
		if (!plan->enabled)
			continue;
		if (plan->masked) {
			/* It may be half written. What it raises now is kept, if it gets here. */
			if (wiring->options.guest_addresses && plan->programmed)
				plan_message(wiring, plan, NULL);
			plan->resolved = 0;
		} else if (plan_message(wiring, plan, text)) {
			wire->routed = false;
			ward_wiring_lose(i, text, &lost, ret_error);
		}
	}
	return lost;
}

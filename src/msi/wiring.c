// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Wiring: made, brought into line with the guest's registers, asked, taken apart. */
#include "msi/wiring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/error.h"

#include <doorward/gic.h>

/* Whether the guest's controller raises anything by it: a KVM that does not never says so. */
static bool is_possible_doorbell(const struct ward_guest_doorbell *doorbell,
				 const struct ward_vm_info *info)
{
	bool is_x86 = info->controller == WARD_VM_X86 || info->controller == WARD_VM_X86_SPLIT;

	if (ward_range_is_empty(doorbell->registers))
		return false;
	if (doorbell->first_intid == 0 && doorbell->last_intid == 0)
		return info->takes_msis && (doorbell->has_devid || !info->needs_devid);
	return !is_x86 && doorbell->first_intid >= WARD_GIC_FIRST_SPI &&
	       doorbell->first_intid <= doorbell->last_intid &&
	       doorbell->last_intid - WARD_GIC_FIRST_SPI < info->default_gsis;
}

static bool make_sense(const struct ward_wiring_options *options)
{
	struct ward_vm_info info;

	if (options->size != sizeof(*options) || !options->vectors || !options->vm ||
	    !options->routes || (uint32_t)options->way > WARD_MESSAGE_OVERRIDE)
		return false;
	if (options->guest_addresses ? !options->device || !options->space : options->way != 0)
		return false;
	if (options->doorbells_count > WARD_GUEST_DOORBELLS_MAX ||
	    (options->doorbells_count > 0 && !options->doorbells))
		return false;
	ward_vm_info(options->vm, &info);
	for (uint32_t i = 0; i < options->doorbells_count; i++) {
		if (!is_possible_doorbell(&options->doorbells[i], &info))
			return false;
	}
	return true;
}

static int make_wires(struct ward_wiring *wiring)
{
	wiring->count = ward_vectors_most(wiring->options.vectors);
	wiring->wires = ward_alloc_array(wiring->count, sizeof(*wiring->wires));
	if (!wiring->wires)
		return -ENOMEM;
	for (uint32_t i = 0; i < wiring->count; i++) {
		wiring->wires[i].eventfd = -1;
		wiring->wires[i].plan.doorbell = WARD_NONE;
	}
	wiring->fds = ward_alloc_array(wiring->count, sizeof(*wiring->fds));
	wiring->iovas = ward_alloc_array(wiring->count, sizeof(*wiring->iovas));
	return wiring->fds && wiring->iovas ? 0 : -ENOMEM;
}

static void free_wiring(struct ward_wiring *wiring)
{
	free(wiring->iovas);
	free(wiring->fds);
	free(wiring->wires);
	free(wiring);
}

int ward_wiring_create(const struct ward_wiring_options *options, struct ward_wiring **ret_wiring)
{
	struct ward_wiring *wiring;

	if (!make_sense(options))
		return -EINVAL;
	wiring = ward_alloc(sizeof(*wiring));
	if (!wiring)
		return -ENOMEM;
	wiring->options = *options;
	wiring->options.doorbells = wiring->doorbells;
	wiring->host_index = wiring->prepared_index = WARD_NONE;
	wiring->resets = options->vectors->resets;
	for (uint32_t i = 0; i < options->doorbells_count; i++) {
		wiring->doorbells[i] = options->doorbells[i];
		wiring->frames[i] =
			(struct ward_doorbell_frame){ options->doorbells[i].registers, i };
	}
	if (make_wires(wiring)) {
		free_wiring(wiring);
		return -ENOMEM;
	}
	*ret_wiring = wiring;
	return 0;
}

static void close_event(struct ward_wire_state *wire)
{
	if (wire->eventfd >= 0)
		close(wire->eventfd);
	wire->eventfd = -1;
}

/* An irqfd that cannot be taken away goes with its eventfd. */
static void unwire_all(struct ward_wiring *wiring)
{
	uint32_t i = 0;

	while (ward_wiring_unwire(wiring, NULL)) {
		while (!wiring->wires[i].wired)
			i++;
		close_event(&wiring->wires[i]);
		wiring->wires[i].wired = false;
	}
}

/* As if all were off. */
static void take_apart(struct ward_wiring *wiring)
{
	uint32_t lost = 0;

	wiring->mode = WARD_VECTORS_OFF;
	for (uint32_t i = 0; i < wiring->count; i++)
		memset(&wiring->wires[i].plan, 0, sizeof(wiring->wires[i].plan));
	unwire_all(wiring);
	(void)ward_wiring_host_down(wiring, NULL);
	(void)ward_wiring_route(wiring, &lost, NULL);
}

void ward_wiring_destroy(struct ward_wiring *wiring)
{
	if (!wiring)
		return;
	take_apart(wiring);
	for (uint32_t i = 0; i < wiring->count; i++)
		close_event(&wiring->wires[i]);
	free_wiring(wiring);
}

int ward_wiring_fail(struct ward_error *error, int code, uint32_t vector, const char *what)
{
	return ward_fail(error, code, "vector %u: %s (error %d)", vector, what, -code);
}

/* Vectors that did not come on at the host are not wired; those that are on go on. */
static void leave_out(struct ward_wiring *wiring, int code)
{
	for (uint32_t i = wiring->host_count; i < wiring->count; i++) {
		struct ward_wire_plan *plan = &wiring->wires[i].plan;

		if (plan->wire)
			plan->resolved = code;
		plan->wire = false;
	}
}

int ward_wiring_sync(struct ward_wiring *wiring, struct ward_error *ret_error)
{
	uint32_t lost = ward_wiring_plan(wiring, ret_error);
	int code = ward_wiring_unwire(wiring, ret_error), host = 0;

	if (!code)
		code = ward_wiring_host_down(wiring, ret_error);
	if (!code) {
		host = ward_wiring_host_up(wiring, &lost, ret_error);
		if (host) {
			leave_out(wiring, host);
			ret_error = NULL; /* the first that failed is said */
		}
	}
	/* Those that the host does not get to. */
	if (!code)
		code = ward_wiring_unwire(wiring, ret_error);
	if (!code)
		code = ward_wiring_route(wiring, &lost, ret_error);
	if (!code)
		code = ward_wiring_wire(wiring, ret_error);
	ward_wiring_show(wiring);
	if (host || code)
		return host ? host : code;
	return lost > 0 ? 1 : 0;
}

int ward_wiring_raise(struct ward_wiring *wiring, uint32_t vector)
{
	struct ward_vectors *vectors = wiring->options.vectors;
	struct ward_wire_state *wire;
	struct ward_vector now;
	uint32_t count;
	enum ward_vector_mode mode = ward_vectors_mode(vectors, &count);

	if (vector >= count || ward_vectors_get(vectors, vector, &now))
		return -EINVAL;
	ward_wiring_forget_events(wiring, mode);
	wire = &wiring->wires[vector];
	if (ward_wiring_open(wire) || ward_wiring_write(wire))
		return -EIO;
	if (!wire->wired && now.masked)
		ward_vectors_set_pending(vectors, vector, true);
	return 0;
}

int ward_wiring_get(const struct ward_wiring *wiring, uint32_t vector, struct ward_wire *ret_wire)
{
	const struct ward_wire_state *wire;

	if (vector >= wiring->count)
		return -EINVAL;
	wire = &wiring->wires[vector];
	*ret_wire = (struct ward_wire){
		.wired = wire->wired,
		.routed = wire->routed,
		.eventfd = wire->eventfd,
		.gsi = wire->route.gsi,
		.resolved = wire->plan.resolved,
		.doorbell = wire->plan.doorbell,
		.pending = ward_wiring_holds_event(wire),
	};
	return 0;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The host's half of a wiring: vectors of the device and the eventfds they raise. */
#include "msi/wiring.h"

#include <errno.h>

#include "base/error.h"

uint32_t ward_wiring_index(enum ward_vector_mode mode)
{
	return mode == WARD_VECTORS_MSI	   ? WARD_IRQS_MSI
	       : mode == WARD_VECTORS_MSIX ? WARD_IRQS_MSIX
					   : WARD_NONE;
}

static int disable(struct ward_wiring *wiring, struct ward_error *ret_error)
{
	const struct ward_irq_set set = {
		.flags = WARD_IRQ_DATA_NONE | WARD_IRQ_TRIGGER,
		.index = wiring->host_index,
	};
	int code;

	if (wiring->host_index == WARD_NONE)
		return ward_wiring_unprepare(wiring, ret_error);
	code = ward_device_set_irqs(wiring->options.device, &set);
	if (code)
		return ward_fail(ret_error, code, "host vectors cannot be disabled (error %d)",
				 -code);
	wiring->host_index = WARD_NONE;
	wiring->host_count = 0;
	/* The host drops them, too. */
	wiring->prepared_index = WARD_NONE;
	ward_wiring_forget_addresses(wiring);
	return 0;
}

/* Before anything goes off for the sake of more. */
static int open_all(struct ward_wiring *wiring, uint32_t count, struct ward_error *ret_error)
{
	for (uint32_t i = 0; i < count; i++) {
		int code = ward_wiring_open(&wiring->wires[i]);

		if (code)
			return ward_wiring_fail(ret_error, code, i, "no eventfd can be had");
	}
	return 0;
}

/*
 * Enables vectors start to count - 1; those below start are enabled. What is to be overridden is the
 * host's address at first: what hardware has held back goes there, and has to be made up for.
 */
static int enable(struct ward_wiring *wiring, uint32_t start, uint32_t count,
		  struct ward_error *ret_error)
{
	struct ward_irq_set set = {
		.flags = WARD_IRQ_DATA_EVENTFD | WARD_IRQ_TRIGGER,
		.index = ward_wiring_index(wiring->mode),
		.start = start,
		.count = count - start,
		.data = wiring->fds,
		.data_size = (count - start) * sizeof(*wiring->fds),
	};
	bool gap = wiring->options.guest_addresses && wiring->options.way == WARD_MESSAGE_OVERRIDE;
	int code;

	for (uint32_t i = start; i < count; i++)
		wiring->fds[i - start] = wiring->wires[i].eventfd;
	code = ward_device_set_irqs(wiring->options.device, &set);
	if (code > 0)
		return ward_fail(ret_error, -ENOSPC, "%u host vectors are needed, %d can be had",
				 count, code);
	if (code)
		return ward_fail(ret_error, code,
				 "host vectors %u to %u cannot be enabled (error %d)", start,
				 count - 1, -code);
	wiring->host_index = set.index;
	wiring->host_count = count;
	for (uint32_t i = start; i < count && gap; i++)
		wiring->wires[i].missed = wiring->wires[i].plan.programmed;
	return 0;
}

int ward_wiring_host_down(struct ward_wiring *wiring, struct ward_error *ret_error)
{
	bool reset = wiring->resets != wiring->options.vectors->resets;
	int code;

	if (reset || wiring->host_index == WARD_NONE ||
	    wiring->host_index != ward_wiring_index(wiring->mode)) {
		code = disable(wiring, ret_error);
		if (code)
			return code;
	}
	for (uint32_t i = 0; i < wiring->count && wiring->mode == WARD_VECTORS_OFF; i++)
		wiring->wires[i].missed = false;
	ward_wiring_forget_events(wiring, wiring->mode);
	return 0;
}

/* As many as are programmed, and never less than there are: host vectors may be scarce. */
static uint32_t count_needed(const struct ward_wiring *wiring)
{
	uint32_t needed = wiring->host_count;

	for (uint32_t i = needed; i < wiring->count; i++) {
		const struct ward_wire_plan *plan = &wiring->wires[i].plan;

		if (wiring->mode == WARD_VECTORS_MSI ? plan->enabled : plan->programmed)
			needed = i + 1;
	}
	return needed;
}

static bool cannot_grow(const struct ward_wiring *wiring)
{
	struct ward_irq_info info;

	return ward_device_irq_info(wiring->options.device, wiring->host_index, &info) ||
	       (info.flags & WARD_IRQ_INFO_NORESIZE);
}

static bool address_changed(const struct ward_wiring *wiring)
{
	for (uint32_t i = 0; i < wiring->count; i++) {
		if (ward_wiring_address_differs(&wiring->wires[i]))
			return true;
	}
	return false;
}

/*
 * What was on has to go off before more can come on, or before it can have another address. Nobody
 * knows what a function wanted to raise meanwhile: each of its vectors is raised once afterwards.
 */
static int go_off(struct ward_wiring *wiring, struct ward_error *ret_error)
{
	uint32_t count = wiring->host_count;
	int code = disable(wiring, ret_error);

	for (uint32_t i = 0; !code && i < count; i++)
		wiring->wires[i].missed = wiring->wires[i].plan.programmed;
	return code;
}

/* Not before it writes where it should: until then more is missed. */
static void make_up(struct ward_wiring *wiring)
{
	for (uint32_t i = 0; i < wiring->host_count; i++) {
		struct ward_wire_state *wire = &wiring->wires[i];

		if (wire->missed && !ward_wiring_address_differs(wire) &&
		    ward_wiring_write(wire) == 0)
			wire->missed = false;
	}
}

/* Puts back what was on before, with what the host was told of addresses until now. */
static void restore(struct ward_wiring *wiring, uint32_t count)
{
	if (count == 0 || wiring->host_count > 0)
		return;
	if (enable(wiring, 0, count, NULL) == 0)
		make_up(wiring);
}

int ward_wiring_host_up(struct ward_wiring *wiring, uint32_t *ret_lost,
			struct ward_error *ret_error)
{
	bool addresses = wiring->options.guest_addresses;
	bool prepares = addresses && wiring->options.way == WARD_MESSAGE_PREPARE;
	uint32_t before = wiring->host_count, count = count_needed(wiring);
	int code;

	if (!wiring->options.device || wiring->mode == WARD_VECTORS_OFF || count == 0)
		return 0;
	code = open_all(wiring, count, ret_error);
	if (code)
		return code;
	if (before > 0 &&
	    ((prepares && address_changed(wiring)) || (count > before && cannot_grow(wiring))))
		code = go_off(wiring, ret_error);
	if (!code && prepares && wiring->host_count == 0)
		code = ward_wiring_address(wiring, count, ret_lost, ret_error);
	if (!code && count > wiring->host_count)
		code = enable(wiring, wiring->host_count, count, ret_error);
	if (code) {
		restore(wiring, before);
		return code;
	}
	if (addresses && !prepares)
		code = ward_wiring_address(wiring, count, ret_lost, ret_error);
	make_up(wiring);
	if (prepares)
		ward_wiring_lose_refused(wiring, ret_lost, ret_error);
	return code;
}

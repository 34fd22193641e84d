// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Addresses that a guest chose for its messages, on their way to the host's vectors. */
#include "msi/wiring.h"

#include <errno.h>

#include "base/error.h"

bool ward_wiring_address_differs(const struct ward_wire_state *wire)
{
	bool same = ward_iova_raw(wire->address) == ward_iova_raw(wire->plan.message.address);

	if (!wire->plan.addressed)
		return false;
	if (wire->refused && same && wire->refused_masked == wire->plan.masked)
		return false;
	return !wire->has_address || !same;
}

void ward_wiring_forget_addresses(struct ward_wiring *wiring)
{
	for (uint32_t i = 0; i < wiring->count; i++)
		wiring->wires[i].has_address = wiring->wires[i].refused = false;
}

int ward_wiring_unprepare(struct ward_wiring *wiring, struct ward_error *ret_error)
{
	int code;

	if (wiring->prepared_index == WARD_NONE)
		return 0;
	code = ward_device_set_messages(wiring->options.device, WARD_MESSAGE_PREPARE,
					wiring->prepared_index, 0, 0, NULL, ret_error);
	if (code)
		return code;
	wiring->prepared_index = WARD_NONE;
	ward_wiring_forget_addresses(wiring);
	return 0;
}

static int tell(struct ward_wiring *wiring, uint32_t start, uint32_t count,
		struct ward_error *ret_error)
{
	int code;

	for (uint32_t i = 0; i < count; i++)
		wiring->iovas[i] = wiring->wires[start + i].plan.message.address;
	code = ward_device_set_messages(wiring->options.device, wiring->options.way,
					ward_wiring_index(wiring->mode), start, count,
					wiring->iovas, ret_error);
	if (!code && wiring->options.way == WARD_MESSAGE_PREPARE)
		wiring->prepared_index = ward_wiring_index(wiring->mode);
	for (uint32_t i = 0; i < count && !code; i++) {
		wiring->wires[start + i].has_address = true;
		wiring->wires[start + i].refused = false;
		wiring->wires[start + i].address = wiring->iovas[i];
	}
	return code;
}

/* It leads to no doorbell of the host's. */
static void lose(struct ward_wiring *wiring, uint32_t vector, const struct ward_error *error,
		 uint32_t *ret_lost, struct ward_error *ret_error)
{
	struct ward_wire_state *wire = &wiring->wires[vector];
	struct ward_wire_plan *plan = &wire->plan;

	plan->addressed = false;
	if (wiring->options.way == WARD_MESSAGE_PREPARE) {
		wire->has_address = false;
		wire->address = plan->message.address;
		wire->refused = true;
		wire->refused_masked = plan->masked;
	}
	if (!plan->wire)
		return;
	plan->wire = false;
	plan->resolved = -EFAULT;
	ward_wiring_lose(vector, error->text, ret_lost, ret_error);
}

void ward_wiring_lose_refused(struct ward_wiring *wiring, uint32_t *ret_lost,
			      struct ward_error *ret_error)
{
	const struct ward_error error = { "the host has refused its address" };

	for (uint32_t i = 0; i < wiring->count; i++) {
		const struct ward_wire_state *wire = &wiring->wires[i];

		if (wire->refused && wire->plan.addressed && !ward_wiring_address_differs(wire))
			lose(wiring, i, &error, ret_lost, ret_error);
	}
}

/* Tells a run whole, or, when one of its addresses is bad, the others one by one. */
static int tell_run(struct ward_wiring *wiring, uint32_t start, uint32_t count, uint32_t *ret_lost,
		    struct ward_error *ret_error)
{
	struct ward_error error = { "" };
	int code = tell(wiring, start, count, &error);

	for (uint32_t i = start; code == -EFAULT && i < start + count; i++) {
		/* All of MSI have one address. */
		int one = count == 1 || wiring->mode == WARD_VECTORS_MSI
				  ? code
				  : tell(wiring, i, 1, &error);

		if (one == -EFAULT)
			lose(wiring, i, &error, ret_lost, ret_error);
		else if (one)
			return ward_fail(ret_error, one, "%s", error.text);
	}
	return code && code != -EFAULT ? ward_fail(ret_error, code, "%s", error.text) : 0;
}

int ward_wiring_address(struct ward_wiring *wiring, uint32_t count, uint32_t *ret_lost,
			struct ward_error *ret_error)
{
	uint32_t start = 0, end;
	int code = 0;

	while (!code && start < count) {
		for (end = start; end < count; end++) {
			if (!ward_wiring_address_differs(&wiring->wires[end]))
				break;
		}
		if (end > start && wiring->mode == WARD_VECTORS_MSI)
			return tell_run(wiring, 0, count, ret_lost, ret_error);
		if (end > start)
			code = tell_run(wiring, start, end - start, ret_lost, ret_error);
		start = end + 1;
	}
	return code;
}

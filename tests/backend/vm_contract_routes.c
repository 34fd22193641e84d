// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Tables: which are refused, which are taken, and what they come to. */
#include "vm_contract_case.h"

#include <doorward/routes.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static void refused(struct vm_guest *guest, const char *situation, const struct ward_route *routes,
		    uint32_t count)
{
	vm_expect(guest, situation, ward_vm_set_routes(guest->vm, routes, count), -EINVAL);
}

static struct ward_route message_for(uint32_t gsi)
{
	return (struct ward_route){
		.gsi = ward_gsi(gsi),
		.kind = WARD_ROUTE_MSI,
		.address = ward_gpa(0xfee00000),
		.data = 0x90,
	};
}

static void refused_rows(struct vm_guest *guest)
{
	struct ward_route route = message_for(600);

	route.gsi = ward_gsi(WARD_GSIS);
	refused(guest, "table-gsi", &route, 1);
	route.gsi = ward_gsi(UINT32_MAX);
	refused(guest, "table-gsi-last", &route, 1);
	for (uint32_t kind = 0; kind < 8; kind++) {
		if (kind == WARD_ROUTE_PIN || kind == WARD_ROUTE_MSI)
			continue;
		route = message_for(600);
		route.kind = kind;
		refused(guest, "table-kind", &route, 1);
	}
	route = message_for(600);
	route.flags = 2;
	refused(guest, "table-flags", &route, 1);
	route.flags = WARD_ROUTE_DEVID | 0x80000000u;
	refused(guest, "table-flags-more", &route, 1);
	route = (struct ward_route){ .kind = WARD_ROUTE_PIN, .flags = WARD_ROUTE_DEVID };
	refused(guest, "table-pin-flags", &route, 1);
	route = (struct ward_route){ .kind = WARD_ROUTE_PIN, .chip = 3 };
	refused(guest, "table-chip", &route, 1);
	route = (struct ward_route){ .kind = WARD_ROUTE_PIN, .chip = UINT32_MAX };
	refused(guest, "table-chip-last", &route, 1);
}

static void refused_pins(struct vm_guest *guest)
{
	const struct ward_route arm_pin = { .kind = WARD_ROUTE_PIN, .pin = 988 };
	const struct ward_route arm_chip = { .kind = WARD_ROUTE_PIN, .chip = 1 };
	const struct ward_route pic = { .kind = WARD_ROUTE_PIN, .chip = 1, .pin = 8 };
	const struct ward_route ioapic = { .kind = WARD_ROUTE_PIN, .chip = 2, .pin = 24 };
	struct ward_route route = message_for(600);

	if (vm_is_arm(guest->contract)) {
		refused(guest, "arm-table-pin", &arm_pin, 1);
		refused(guest, "arm-table-chip", &arm_chip, 1);
		return;
	}
	refused(guest, "table-pic-pin", &pic, 1);
	refused(guest, "table-ioapic-pin", &ioapic, 1);
	route.address = ward_gpa(UINT64_C(0x1fee00000));
	refused(guest, "table-address", &route, 1);
	if (guest->contract->controller == WARD_VM_X86_SPLIT) {
		route = (struct ward_route){ .kind = WARD_ROUTE_PIN, .chip = 2 };
		refused(guest, "split-table-pin", &route, 1);
	}
}

static void refused_twice(struct vm_guest *guest)
{
	struct ward_route both[2] = { message_for(600), message_for(600) };
	static struct ward_route many[WARD_GSIS + 1];

	refused(guest, "table-twice", both, 2);
	both[1].data = 0x91;
	refused(guest, "table-twice-other", both, 2);
	both[1] = (struct ward_route){ .gsi = both[0].gsi, .kind = WARD_ROUTE_PIN };
	refused(guest, "table-message-and-pin", both, 2);
	both[0] = both[1];
	both[1].pin = 1;
	refused(guest, "table-chip-twice", both, 2);
	for (uint32_t i = 0; i <= WARD_GSIS; i++) {
		many[i] = message_for(i < WARD_GSIS ? i : 0);
	}
	refused(guest, "table-too-many", many, WARD_GSIS + 1);
	refused(guest, "table-null", NULL, 1);
}

/* After each refusal the old table is in force. */
static void tables_refused(struct vm_contract *contract)
{
	struct vm_guest *guest = vm_guest_start(contract);
	struct vm_wire wire;
	int raiser = vm_eventfd(0);

	if (!guest)
		return;
	wire = vm_wire_make(guest, 0, 600);
	vm_install(guest, &wire, 1);
	refused_rows(guest);
	refused_pins(guest);
	refused_twice(guest);
	vm_expect(guest, "irqfd", vm_assign(guest, raiser, 600), 0);
	vm_signal(raiser);
	vm_expect_arrival(guest, "refused-table-changes-nothing", wire.number, true);
	close(raiser);
	vm_guest_end(guest);
}

static void taken(struct vm_guest *guest, const char *situation, const struct ward_route *routes,
		  uint32_t count)
{
	vm_expect(guest, situation, ward_vm_set_routes(guest->vm, routes, count), 0);
}

static void tables_taken(struct vm_contract *contract)
{
	struct vm_guest *guest = vm_guest_start(contract);
	struct ward_route route = message_for(600),
			  both[2] = { message_for(600), message_for(600) };
	static struct ward_route many[WARD_GSIS];

	if (!guest)
		return;
	taken(guest, "table-empty", NULL, 0);
	route.gsi = ward_gsi(WARD_GSIS - 1);
	taken(guest, "table-last-gsi", &route, 1);
	route.flags = WARD_ROUTE_DEVID;
	taken(guest, "table-devid", &route, 1);
	both[1].gsi = ward_gsi(601);
	taken(guest, "table-same-message", both, 2);
	if (vm_is_arm(contract)) {
		route = (struct ward_route){ .kind = WARD_ROUTE_PIN, .pin = 987 };
		taken(guest, "arm-table-last-pin", &route, 1);
		/* Nobody has a doorbell there; that is the guest's affair. */
		route = message_for(600);
		route.address = ward_gpa(UINT64_C(0x1fee00000));
		taken(guest, "arm-table-address", &route, 1);
	} else if (contract->controller == WARD_VM_X86) {
		both[0] = (struct ward_route){ .kind = WARD_ROUTE_PIN, .chip = 0, .pin = 7 };
		both[1] = (struct ward_route){ .kind = WARD_ROUTE_PIN, .chip = 2, .pin = 23 };
		taken(guest, "x86-table-two-chips", both, 2);
	}
	for (uint32_t i = 0; i < WARD_GSIS; i++) {
		many[i] = message_for(WARD_GSIS - 1 - i);
	}
	taken(guest, "table-full", many, WARD_GSIS);
	vm_guest_end(guest);
}

/* GSI n is pin n: SPI n, or pin n of the IOAPIC. */
static void default_table(struct vm_contract *contract)
{
	struct vm_guest *guest = vm_guest_start(contract);
	uint32_t number = vm_is_arm(contract) ? 32 + 20 : 0x50;
	int raiser = vm_eventfd(0);

	if (!guest)
		return;
	if (contract->controller != WARD_VM_X86_SPLIT) {
		contract->ops->program(guest, 20, number, false);
		vm_expect(guest, "irqfd", vm_assign(guest, raiser, 20), 0);
		vm_signal(raiser);
		vm_expect_arrival(guest, "default-route", number, true);
	}
	close(raiser);
	vm_guest_end(guest);
}

/* What was set before it started is gone: the flat table is made then. */
static void default_over_earlier(struct vm_contract *contract)
{
	struct vm_guest *guest = vm_is_arm(contract) ? vm_guest_make(contract) : NULL;
	const struct ward_route early = { .gsi = ward_gsi(21), .kind = WARD_ROUTE_PIN, .pin = 22 };
	int raiser = vm_eventfd(0);

	if (guest) {
		vm_expect(guest, "arm-early-table", ward_vm_set_routes(guest->vm, &early, 1), 0);
		vm_expect(guest, "starting", contract->ops->start(guest), 0);
		contract->ops->program(guest, 21, 32 + 21, false);
		vm_expect(guest, "irqfd", vm_assign(guest, raiser, 21), 0);
		vm_signal(raiser);
		vm_expect_arrival(guest, "arm-start-makes-default-table", 32 + 21, true);
		vm_guest_end(guest);
	}
	close(raiser);
}

static void replaced(struct vm_contract *contract)
{
	struct vm_guest *guest = vm_guest_start(contract);
	struct vm_wire wires[3];
	int first = vm_eventfd(0), second = vm_eventfd(0);

	if (!guest)
		return;
	wires[0] = vm_wire_make(guest, 0, 600);
	wires[1] = vm_wire_make(guest, 1, 601);
	wires[2] = vm_wire_make(guest, 2, 600);
	vm_install(guest, wires, 2);
	/* 600 leads elsewhere now, 601 nowhere; only then are they wired. */
	vm_install(guest, &wires[2], 1);
	vm_expect(guest, "irqfd", vm_assign(guest, first, 600), 0);
	vm_expect(guest, "irqfd", vm_assign(guest, second, 601), 0);
	vm_signal(first);
	vm_signal(second);
	vm_expect_arrival(guest, "new-route", wires[2].number, true);
	vm_expect_arrival(guest, "replaced-route", wires[0].number, false);
	vm_expect_arrival(guest, "removed-route", wires[1].number, false);
	close(first);
	close(second);
	vm_guest_end(guest);
}

/* The same by the table that collects edits. */
static void edited(struct vm_contract *contract)
{
	struct vm_guest *guest = vm_guest_start(contract);
	struct ward_routes *routes = NULL;
	struct vm_wire wire;
	ward_gsi_t gsi;
	int raiser = vm_eventfd(0);

	if (!guest)
		return;
	vm_expect(guest, "edits", ward_routes_create(guest->vm, &routes), 0);
	if (routes) {
		vm_expect(guest, "edits-alloc", ward_routes_alloc(routes, &gsi), 0);
		wire = vm_wire_make(guest, 0, ward_gsi_raw(gsi));
		vm_expect(guest, "edits-set", ward_routes_set(routes, &wire.route), 0);
		vm_expect(guest, "edits-commit", ward_routes_commit(routes), 0);
		vm_expect(guest, "irqfd", vm_assign(guest, raiser, ward_gsi_raw(gsi)), 0);
		vm_signal(raiser);
		vm_expect_arrival(guest, "edits-arrive", wire.number, true);
		vm_expect(guest, "deassign", vm_deassign(guest, raiser, ward_gsi_raw(gsi)), 0);
	}
	ward_routes_destroy(routes);
	close(raiser);
	vm_guest_end(guest);
}

const struct vm_contract_case vm_contract_routes_cases[] = {
	{ "tables that are refused", tables_refused },
	{ "tables that are taken", tables_taken },
	{ "the default table", default_table },
	{ "the default table comes when it starts", default_over_earlier },
	{ "a table replaces the one before", replaced },
	{ "edits", edited },
	{ NULL, NULL },
};

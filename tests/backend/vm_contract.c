// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "vm_contract_case.h"

#include <doorward/routes.h>

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Wires: vectors of x86, pins (SPIs) of Arm. Fences are wires of their own, from another GSI on. */
#define FIRST_VECTOR 0x40u
#define FIRST_PIN 10u
#define FENCES 16u
#define FENCE_VECTOR 0xe0u
#define FENCE_PIN 150u
#define FENCE_GSI 3000u
/* Arrivals are waited for so often; only who never arrives makes it long. */
#define PATIENCE 5000

bool vm_is_arm(const struct vm_contract *contract)
{
	return contract->controller != WARD_VM_X86 && contract->controller != WARD_VM_X86_SPLIT;
}

struct ward_vm_options vm_options_of(const struct vm_contract *contract)
{
	return (struct ward_vm_options){
		.size = sizeof(struct ward_vm_options),
		.controller = contract->controller,
		.cpus = 1,
	};
}

struct vm_guest *vm_guest_make(struct vm_contract *contract)
{
	const struct ward_vm_options options = vm_options_of(contract);
	struct vm_guest *guest = NULL;
	int code = contract->ops->make(contract, &options, &guest);

	if (code) {
		contract_fail(&contract->table, "a guest cannot be made: %d", code);
		return NULL;
	}
	contract->fences = 0;
	return guest;
}

struct vm_guest *vm_guest_start(struct vm_contract *contract)
{
	struct vm_guest *guest = vm_guest_make(contract);
	int code = guest ? contract->ops->start(guest) : 0;

	if (!code)
		return guest;
	contract_fail(&contract->table, "a guest cannot be started: %d", code);
	vm_guest_end(guest);
	return NULL;
}

void vm_guest_end(struct vm_guest *guest)
{
	guest->contract->ops->end(guest);
}

static struct vm_wire wire(struct vm_guest *guest, uint32_t vector, uint32_t pin, uint32_t gsi)
{
	struct vm_wire made = { .route = { .gsi = ward_gsi(gsi) } };

	if (vm_is_arm(guest->contract)) {
		made.route.kind = WARD_ROUTE_PIN;
		made.route.pin = pin;
		made.number = 32 + pin;
		guest->contract->ops->program(guest, pin, made.number, false);
	} else {
		made.route.kind = WARD_ROUTE_MSI;
		made.route.address = ward_gpa(0xfee00000);
		made.route.data = vector;
		made.number = vector;
	}
	return made;
}

struct vm_wire vm_wire_make(struct vm_guest *guest, uint32_t index, uint32_t gsi)
{
	return wire(guest, FIRST_VECTOR + index, FIRST_PIN + index, gsi);
}

static struct vm_wire fence(struct vm_guest *guest, uint32_t index)
{
	return wire(guest, FENCE_VECTOR + index, FENCE_PIN + index, FENCE_GSI + index);
}

void vm_install(struct vm_guest *guest, const struct vm_wire *wires, uint32_t count)
{
	struct ward_route routes[VM_WIRES + FENCES];
	int code;

	for (uint32_t i = 0; i < count; i++)
		routes[i] = wires[i].route;
	for (uint32_t i = 0; i < FENCES; i++)
		routes[count + i] = fence(guest, i).route;
	code = ward_vm_set_routes(guest->vm, routes, count + FENCES);
	if (code)
		contract_fail(&guest->contract->table, "routes cannot be set: %d", code);
}

static int change(struct vm_guest *guest, int eventfd, uint32_t gsi, uint32_t flags)
{
	const struct ward_irqfd irqfd = {
		.eventfd = eventfd,
		.gsi = ward_gsi(gsi),
		.flags = flags,
		.resamplefd = -1,
	};

	return ward_vm_irqfd(guest->vm, &irqfd);
}

int vm_assign(struct vm_guest *guest, int eventfd, uint32_t gsi)
{
	return change(guest, eventfd, gsi, 0);
}

int vm_deassign(struct vm_guest *guest, int eventfd, uint32_t gsi)
{
	return change(guest, eventfd, gsi, WARD_IRQFD_DEASSIGN);
}

int vm_eventfd(unsigned int count)
{
	return eventfd(count, EFD_CLOEXEC | EFD_NONBLOCK);
}

void vm_signal(int eventfd)
{
	const uint64_t one = 1;

	if (write(eventfd, &one, sizeof(one)) != (ssize_t)sizeof(one))
		return; /* seen by what does not arrive */
}

bool vm_pending(struct vm_guest *guest, uint32_t number)
{
	return guest->contract->ops->pending(guest, 0, number);
}

bool vm_arrives(struct vm_guest *guest, uint32_t number)
{
	for (int i = 0; i < PATIENCE; i++) {
		guest->contract->ops->run(guest);
		if (vm_pending(guest, number))
			return true;
	}
	return false;
}

/* What comes later by the same way overtakes nothing. */
void vm_settle(struct vm_guest *guest)
{
	struct vm_contract *contract = guest->contract;
	struct vm_wire last = fence(guest, contract->fences++ % FENCES);
	int raiser = vm_eventfd(1);

	if (vm_assign(guest, raiser, ward_gsi_raw(last.route.gsi)) ||
	    !vm_arrives(guest, last.number))
		contract_fail(&contract->table, "nothing arrives any more");
	vm_deassign(guest, raiser, ward_gsi_raw(last.route.gsi));
	close(raiser);
	contract->ops->run(guest);
}

void vm_expect_arrival(struct vm_guest *guest, const char *situation, uint32_t number, bool wanted)
{
	bool seen;

	if (wanted) {
		seen = vm_arrives(guest, number);
	} else {
		vm_settle(guest);
		seen = vm_pending(guest, number);
	}
	contract_expect_word(&guest->contract->table, situation, seen ? "arrives" : "nothing",
			     wanted ? "arrives" : "nothing");
}

void vm_expect(struct vm_guest *guest, const char *situation, int code, int wanted)
{
	contract_expect(&guest->contract->table, situation, code, wanted);
}

static void options_wrong(struct vm_contract *contract, const char *situation,
			  const struct ward_vm_options *options)
{
	struct vm_guest *guest = NULL;
	int code = contract->ops->make(contract, options, &guest);

	contract_expect(&contract->table, situation, code, -EINVAL);
	if (code == 0)
		vm_guest_end(guest);
}

static void options(struct vm_contract *contract)
{
	struct ward_vm_options wrong = vm_options_of(contract);

	wrong.size--;
	options_wrong(contract, "options-size", &wrong);
	wrong = vm_options_of(contract);
	wrong.controller = (enum ward_vm_controller)99;
	options_wrong(contract, "options-controller", &wrong);
	if (vm_is_arm(contract)) {
		static const uint32_t counts[] = { 32, 63, 65, 1020, 1024 };

		for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
			wrong = vm_options_of(contract);
			wrong.interrupts = counts[i];
			options_wrong(contract, "arm-options-interrupts", &wrong);
		}
		wrong = vm_options_of(contract);
		wrong.distributor = ward_gpa(0x8000800);
		options_wrong(contract, "arm-options-address", &wrong);
		wrong = vm_options_of(contract);
		wrong.reserved_pins = 1;
		options_wrong(contract, "arm-options-pins", &wrong);
	} else {
		wrong = vm_options_of(contract);
		wrong.reserved_pins = 24 * 8 + 1;
		options_wrong(contract, "x86-options-pins", &wrong);
	}
}

static void expect_number(struct vm_guest *guest, const char *what, uint32_t seen, uint32_t wanted)
{
	if (seen != wanted)
		contract_fail(&guest->contract->table, "%s: %u, not %u", what, seen, wanted);
}

static void information(struct vm_contract *contract)
{
	struct vm_guest *guest = vm_guest_make(contract);
	bool arm = vm_is_arm(contract), split = contract->controller == WARD_VM_X86_SPLIT;
	struct ward_vm_info info;

	if (!guest)
		return;
	ward_vm_info(guest->vm, &info);
	expect_number(guest, "controller", info.controller, contract->controller);
	expect_number(guest, "started at first", info.started, false);
	expect_number(guest, "default routes at first", info.default_gsis, arm || split ? 0 : 24);
	expect_number(guest, "starting", (uint32_t)contract->ops->start(guest), 0);
	ward_vm_info(guest->vm, &info);
	expect_number(guest, "started", info.started, true);
	expect_number(guest, "default routes", info.default_gsis, arm ? 224 : split ? 0 : 24);
	expect_number(guest, "pins", info.pins, arm ? 988 : split ? 0 : 24);
	expect_number(guest, "needs device ids", info.needs_devid,
		      contract->controller == WARD_VM_GICV3_ITS);
	expect_number(guest, "takes messages", info.takes_msis,
		      !arm || contract->controller == WARD_VM_GICV3_ITS);
	vm_expect(guest, "starting twice", ward_vm_start(guest->vm), 0);
	vm_guest_end(guest);
}

static void before_start(struct vm_contract *contract)
{
	struct vm_guest *guest = vm_guest_make(contract);
	const struct ward_route message = { .kind = WARD_ROUTE_MSI, .flags = WARD_ROUTE_DEVID };
	struct ward_routes *routes = NULL;
	struct vm_wire early;
	int raiser = vm_eventfd(0), code;

	if (!guest)
		return;
	early = (struct vm_wire){ .route = { .gsi = ward_gsi(500), .kind = WARD_ROUTE_MSI } };
	vm_expect(guest, "routes-before-start", ward_vm_set_routes(guest->vm, &early.route, 1), 0);
	if (vm_is_arm(contract)) {
		vm_expect(guest, "arm-irqfd-before-start", vm_assign(guest, raiser, 0), -EAGAIN);
		vm_expect(guest, "arm-deassign-before-start", vm_deassign(guest, raiser, 0), 0);
		vm_expect(guest, "arm-line-before-start", ward_vm_irq_line(guest->vm, 40, true),
			  -ENODEV);
		vm_expect(guest, "arm-message-before-start",
			  ward_vm_signal_msi(guest->vm, &message), -ENODEV);
		code = ward_routes_create(guest->vm, &routes);
		vm_expect(guest, "arm-table-before-start", code, -ENODEV);
		if (code == 0)
			ward_routes_destroy(routes);
	} else {
		vm_expect(guest, "x86-irqfd-before-start", vm_assign(guest, raiser, 500), 0);
		vm_expect(guest, "x86-deassign-before-start", vm_deassign(guest, raiser, 500), 0);
	}
	close(raiser);
	vm_guest_end(guest);
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Whether a row is about guests of this kind. */
static bool is_ours(const struct vm_contract *contract, const char *situation)
{
	if (begins(situation, "x86-"))
		return contract->controller == WARD_VM_X86;
	if (begins(situation, "split-"))
		return contract->controller == WARD_VM_X86_SPLIT;
	if (begins(situation, "apic-"))
		return !vm_is_arm(contract);
	if (begins(situation, "arm-"))
		return vm_is_arm(contract);
	if (begins(situation, "gicv2-"))
		return contract->controller == WARD_VM_GICV2;
	if (begins(situation, "gicv3-"))
		return contract->controller == WARD_VM_GICV3;
	if (begins(situation, "its-"))
		return contract->controller == WARD_VM_GICV3_ITS;
	return true;
}

void vm_contract_begin(struct vm_contract *contract)
{
	for (uint32_t i = 0; i < contract->table.rows_count; i++) {
		struct contract_row *row = &contract->table.rows[i];

		row->asked = !is_ours(contract, row->situation) || strcmp(row->ours, "-") == 0;
	}
}

static void every_row(struct vm_contract *contract)
{
	contract_every_row(&contract->table);
}

static void run_all(struct vm_contract *contract, const struct vm_contract_case *cases)
{
	for (; cases->name; cases++)
		cases->run(contract);
}

static void routes(struct vm_contract *contract)
{
	run_all(contract, vm_contract_routes_cases);
}

static void irqfds(struct vm_contract *contract)
{
	run_all(contract, vm_contract_irqfd_cases);
}

static void messages(struct vm_contract *contract)
{
	run_all(contract, vm_contract_message_cases);
}

const struct vm_contract_case vm_contract_cases[] = {
	{ "options that make no sense", options },
	{ "what it says of itself", information },
	{ "before it is started", before_start },
	{ "routes", routes },
	{ "irqfds", irqfds },
	{ "lines and messages", messages },
	{ "every row of the table was met", every_row },
	{ NULL, NULL },
};

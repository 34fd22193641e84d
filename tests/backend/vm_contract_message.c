// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Lines, which no route moves on Arm; messages of emulated devices; routes of kind MSI. */
#include "vm_contract_case.h"

#include <errno.h>
#include <unistd.h>

#define ITS UINT64_C(0x8080000)
#define DOORBELL (ITS + 0x10040)
#define DEVICE ward_devid(3)
#define LPI 8200u

static int line(struct vm_guest *guest, uint32_t irq, bool level)
{
	return ward_vm_irq_line(guest->vm, irq, level);
}

static void arm_lines(struct vm_guest *guest)
{
	const struct vm_guest_ops *ops = guest->contract->ops;
	static const uint32_t none[] = { 0, 15, 16, 31, 256, 988, 1019, 1020, 1023, 1024, 8192 };

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		vm_expect(guest, "arm-line-none", line(guest, none[i], true), -EINVAL);
	/* Routes lead everything elsewhere; a line is a line. */
	vm_install(guest, NULL, 0);
	ops->program(guest, 8, 40, true);
	ops->program(guest, 9, 41, false);
	vm_expect(guest, "arm-line", line(guest, 40, true), 0);
	vm_expect_arrival(guest, "arm-line-high", 40, true);
	vm_expect(guest, "arm-line", line(guest, 40, true), 0);
	vm_expect(guest, "arm-line", line(guest, 40, false), 0);
	vm_expect_arrival(guest, "arm-line-low", 40, false);
	vm_expect(guest, "arm-line", line(guest, 41, true), 0);
	vm_expect(guest, "arm-line", line(guest, 41, false), 0);
	vm_expect_arrival(guest, "arm-line-edge", 41, true);
}

static void x86_lines(struct vm_guest *guest)
{
	struct vm_wire wire = vm_wire_make(guest, 0, 800);

	vm_install(guest, &wire, 1);
	vm_expect(guest, "line-no-route", line(guest, 801, true), 0);
	vm_expect(guest, "line-beyond", line(guest, UINT32_MAX, true), 0);
	vm_expect(guest, "line", line(guest, 800, false), 0);
	vm_expect_arrival(guest, "line-low", wire.number, false);
	vm_expect(guest, "line", line(guest, 800, true), 0);
	vm_expect_arrival(guest, "line-message", wire.number, true);
}

static void lines(struct vm_contract *contract)
{
	struct vm_guest *guest = vm_guest_start(contract);

	if (!guest)
		return;
	if (vm_is_arm(contract))
		arm_lines(guest);
	else
		x86_lines(guest);
	vm_guest_end(guest);
}

static int signal_msi(struct vm_guest *guest, uint32_t kind, uint32_t flags, uint64_t address,
		      uint32_t data)
{
	const struct ward_route route = {
		.kind = kind,
		.flags = flags,
		.address = ward_gpa(address),
		.data = data,
		.devid = DEVICE,
	};

	return ward_vm_signal_msi(guest->vm, &route);
}

static void x86_messages(struct vm_guest *guest)
{
	const uint64_t apic = 0xfee00000;

	vm_expect(guest, "message-kind", signal_msi(guest, WARD_ROUTE_PIN, 0, apic, 0x80), -EINVAL);
	vm_expect(guest, "message-flags", signal_msi(guest, WARD_ROUTE_MSI, 2, apic, 0x80),
		  -EINVAL);
	vm_expect(guest, "message-reserved",
		  signal_msi(guest, WARD_ROUTE_MSI, 0, apic | UINT64_C(0x100000000), 0x80),
		  -EINVAL);
	vm_expect(guest, "apic-message-no-cpu",
		  signal_msi(guest, WARD_ROUTE_MSI, 0, apic | 0x55000, 0x80), -EPERM);
	vm_expect(guest, "message", signal_msi(guest, WARD_ROUTE_MSI, 0, apic, 0x81), 1);
	vm_expect_arrival(guest, "message-arrives", 0x81, true);
	vm_expect(guest, "message-devid",
		  signal_msi(guest, WARD_ROUTE_MSI, WARD_ROUTE_DEVID, apic, 0x82), 1);
}

static void its_messages(struct vm_guest *guest)
{
	const struct vm_guest_ops *ops = guest->contract->ops;

	vm_expect(guest, "its-message-flags", signal_msi(guest, WARD_ROUTE_MSI, 2, DOORBELL, 0),
		  -EINVAL);
	vm_expect(guest, "its-message-no-devid", signal_msi(guest, WARD_ROUTE_MSI, 0, DOORBELL, 0),
		  -EINVAL);
	vm_expect(guest, "its-message-elsewhere",
		  signal_msi(guest, WARD_ROUTE_MSI, WARD_ROUTE_DEVID, ITS + 0x20000, 0), -EINVAL);
	vm_expect(guest, "its-message-off",
		  signal_msi(guest, WARD_ROUTE_MSI, WARD_ROUTE_DEVID, DOORBELL, 0), -EBUSY);
	if (!ops->map_event)
		return;
	ops->map_event(guest, DEVICE, 5, LPI);
	vm_expect(guest, "its-message-unmapped",
		  signal_msi(guest, WARD_ROUTE_MSI, WARD_ROUTE_DEVID, DOORBELL, 6), 0);
	vm_expect(guest, "its-message",
		  signal_msi(guest, WARD_ROUTE_MSI, WARD_ROUTE_DEVID, DOORBELL, 5), 1);
	vm_expect_arrival(guest, "its-message-arrives", LPI, true);
	/* KVM has it cached now; the library asks for the flag all the same. */
	vm_expect(guest, "its-message-no-devid-cached",
		  signal_msi(guest, WARD_ROUTE_MSI, 0, DOORBELL, 5), -EINVAL);
}

static void messages(struct vm_contract *contract)
{
	struct vm_guest *guest = vm_guest_start(contract);

	if (!guest)
		return;
	if (!vm_is_arm(contract))
		x86_messages(guest);
	else if (contract->controller == WARD_VM_GICV3_ITS)
		its_messages(guest);
	else
		vm_expect(guest, "message-no-its",
			  signal_msi(guest, WARD_ROUTE_MSI, WARD_ROUTE_DEVID, DOORBELL, 0),
			  -ENODEV);
	vm_guest_end(guest);
}

/* A route of kind MSI: by device id, to a doorbell that is there. */
static void its_routes(struct vm_guest *guest)
{
	static const struct {
		const char *situation;
		uint64_t address;
		uint32_t flags, data;
		bool arrives;
	} rows[] = {
		{ "its-route-no-devid", DOORBELL, 0, 1, false },
		{ "its-route-elsewhere", ITS + 0x20040, WARD_ROUTE_DEVID, 2, false },
		{ "its-route-unmapped", DOORBELL, WARD_ROUTE_DEVID, 9, false },
		{ "its-route", DOORBELL, WARD_ROUTE_DEVID, 3, true },
		/* KVM takes every address of the ITS for its doorbell. */
		{ "its-route-beside-doorbell", ITS + 0x10, WARD_ROUTE_DEVID, 4, true },
	};
	struct vm_wire wires[5];
	int raisers[5];

	for (uint32_t i = 0; i < 5; i++) {
		wires[i].number = LPI + rows[i].data;
		if (rows[i].data != 9)
			guest->contract->ops->map_event(guest, DEVICE, rows[i].data,
							wires[i].number);
		wires[i].route = (struct ward_route){
			.gsi = ward_gsi(800 + i),
			.kind = WARD_ROUTE_MSI,
			.flags = rows[i].flags,
			.address = ward_gpa(rows[i].address),
			.data = rows[i].data,
			.devid = DEVICE,
		};
	}
	vm_install(guest, wires, 5);
	for (uint32_t i = 0; i < 5; i++) {
		raisers[i] = vm_eventfd(1);
		vm_expect(guest, "irqfd", vm_assign(guest, raisers[i], 800 + i), 0);
		vm_expect_arrival(guest, rows[i].situation, wires[i].number, rows[i].arrives);
		close(raisers[i]);
	}
}

/* Without an ITS nothing is there to ring: taken, and nothing arrives. */
static void deaf_routes(struct vm_guest *guest)
{
	struct vm_wire wire = vm_wire_make(guest, 0, 800);
	int raiser = vm_eventfd(0);

	wire.route = (struct ward_route){
		.gsi = wire.route.gsi,
		.kind = WARD_ROUTE_MSI,
		.address = ward_gpa(0x8020040),
		.data = wire.number,
	};
	vm_install(guest, &wire, 1);
	vm_expect(guest, "irqfd", vm_assign(guest, raiser, 800), 0);
	vm_signal(raiser);
	vm_expect_arrival(guest, "message-route-no-its", wire.number, false);
	close(raiser);
}

/* Pins are counted to 987, whatever the controller has. */
static void reserved_pins(struct vm_guest *guest)
{
	struct vm_wire wires[2] = { vm_wire_make(guest, 1, 810), vm_wire_make(guest, 2, 811) };
	int raiser = vm_eventfd(0);

	wires[0].route.pin = 987;
	wires[1].route.pin = 224;
	vm_install(guest, wires, 2);
	vm_expect(guest, "irqfd", vm_assign(guest, raiser, 810), 0);
	vm_signal(raiser);
	vm_settle(guest);
	vm_deassign(guest, raiser, 810);
	vm_expect(guest, "irqfd", vm_assign(guest, raiser, 811), 0);
	vm_signal(raiser);
	vm_expect_arrival(guest, "arm-pin-without-spi", 32 + 224, false);
	if (vm_pending(guest, 32 + 987))
		contract_fail(&guest->contract->table, "an INTID that does not exist is pending");
	close(raiser);
}

static void message_routes(struct vm_contract *contract)
{
	struct vm_guest *guest;

	if (!vm_is_arm(contract))
		return;
	guest = vm_guest_start(contract);
	if (!guest)
		return;
	reserved_pins(guest);
	if (contract->controller != WARD_VM_GICV3_ITS)
		deaf_routes(guest);
	else if (contract->ops->map_event)
		its_routes(guest);
	vm_guest_end(guest);
}

const struct vm_contract_case vm_contract_message_cases[] = {
	{ "lines", lines },
	{ "messages", messages },
	{ "routes of kind MSI", message_routes },
	{ NULL, NULL },
};

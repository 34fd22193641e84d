// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The guest's half: irqfd, GSI, route, number at the guest's controller, CPU. */
#include "msi/trace.h"

#include <doorward/backend/model.h>

/* GICD_ITARGETSR (Arm IHI 0048, 4.3.12) and GICD_IROUTER (Arm IHI 0069, 12.9.22). */
#define GICD_ITARGETSR 0x800u
#define GICD_IROUTER 0x6000u

static void tell_irqfd(struct ward_trace *trace, const struct ward_wire *wire)
{
	struct ward_vm_info info;

	ward_vm_info(trace->options->vm, &info);
	ward_trace_begin(trace, WARD_HOP_IRQFD);
	if (wire->wired)
		ward_trace_say(trace, "%s takes the eventfd", info.name);
	else if (wire->resolved)
		ward_trace_stop(trace, "not assigned: the guest's message rings no doorbell%s",
				wire->pending ? "; an event waits in the eventfd" : "");
	else
		ward_trace_stop(trace, "not assigned: the guest has masked the vector%s",
				wire->pending ? "; an event waits in the eventfd"
					      : ", what arrives will wait in the eventfd");
}

static void tell_route(struct ward_trace *trace, const struct ward_route *route)
{
	struct ward_vm_info info;

	ward_vm_info(trace->options->vm, &info);
	ward_trace_begin(trace, WARD_HOP_ROUTE);
	if (route->kind == WARD_ROUTE_PIN) {
		ward_trace_field(trace, "chip", route->chip, false);
		ward_trace_field(trace, "pin", route->pin, false);
		ward_trace_say(trace, "pin %u", route->pin);
		return;
	}
	ward_trace_field(trace, "address", ward_gpa_raw(route->address), true);
	ward_trace_field(trace, "data", route->data, true);
	if (route->flags & WARD_ROUTE_DEVID)
		ward_trace_field(trace, "device_id", ward_devid_raw(route->devid), true);
	if (!info.takes_msis)
		ward_trace_stop(trace, "a message, and this guest has nothing that takes messages");
	else if (info.needs_devid && !(route->flags & WARD_ROUTE_DEVID))
		ward_trace_stop(trace, "a message without DeviceID, which the ITS ignores");
	else if (info.needs_devid)
		ward_trace_say(trace, "message 0x%x to 0x%llx from DeviceID 0x%x", route->data,
			       (unsigned long long)ward_gpa_raw(route->address),
			       ward_devid_raw(route->devid));
	else
		ward_trace_say(trace, "message 0x%x to 0x%llx", route->data,
			       (unsigned long long)ward_gpa_raw(route->address));
}

/* Where the distributor sends an SPI: the first CPU of several. */
static uint32_t cpu_of_spi(const struct ward_trace *trace, const struct ward_gic *gic,
			   uint32_t intid)
{
	struct ward_vm_info info;
	uint64_t router = 0;
	uint8_t targets = 0;

	ward_vm_info(trace->options->vm, &info);
	if (info.controller != WARD_VM_GICV2) {
		ward_gic_read(gic, WARD_GIC_DISTRIBUTOR, GICD_IROUTER + intid * 8, &router,
			      sizeof(router));
		return (uint32_t)(router & 0xff);
	}
	ward_gic_read(gic, WARD_GIC_DISTRIBUTOR, GICD_ITARGETSR + intid, &targets, sizeof(targets));
	return targets ? (uint32_t)__builtin_ctz(targets) : WARD_NONE;
}

static void tell_number(struct ward_trace *trace, const char *kind, uint32_t number)
{
	ward_trace_begin(trace, WARD_HOP_INTID);
	ward_trace_field(trace, "number", number, false);
	ward_trace_say(trace, "%s %u", kind, number);
}

static void tell_cpu(struct ward_trace *trace, uint32_t cpu)
{
	ward_trace_begin(trace, WARD_HOP_VCPU);
	if (cpu == WARD_NONE) {
		ward_trace_stop(trace, "none: the guest sends it to no CPU");
		return;
	}
	ward_trace_field(trace, "cpu", cpu, false);
	ward_trace_say(trace, "CPU %u of the guest", cpu);
}

static void tell_lpi(struct ward_trace *trace, struct ward_its *its, const struct ward_route *route)
{
	struct ward_interrupt interrupt;

	if (ward_its_translate(its, route->devid, route->data, &interrupt)) {
		tell_number(trace, "LPI", interrupt.number);
		tell_cpu(trace, interrupt.cpu);
		return;
	}
	ward_trace_begin(trace, WARD_HOP_INTID);
	ward_trace_stop(trace, "none: %s", ward_interrupt_reason_text(interrupt.reason));
}

static void tell_arm(struct ward_trace *trace, const struct ward_vm_parts *parts,
		     const struct ward_route *route)
{
	uint32_t intid = WARD_GIC_FIRST_SPI + route->pin;

	if (route->kind == WARD_ROUTE_MSI) {
		tell_lpi(trace, parts->its, route);
		return;
	}
	tell_number(trace, "SPI", intid);
	tell_cpu(trace, cpu_of_spi(trace, parts->gic, intid));
}

/* Address 19:12 and data 7:0 (Intel SDM volume 3, 11.11). */
static void tell_x86(struct ward_trace *trace, const struct ward_route *route)
{
	uint64_t address = ward_gpa_raw(route->address);

	if (route->kind == WARD_ROUTE_PIN) {
		ward_trace_begin(trace, WARD_HOP_INTID);
		ward_trace_hide(trace, "stands in the guest's IOAPIC or PIC");
		return;
	}
	tell_number(trace, "vector", route->data & 0xff);
	ward_trace_begin(trace, WARD_HOP_VCPU);
	ward_trace_field(trace, "destination", (address >> 12 & 0xff) | address >> 40 << 8, true);
	ward_trace_say(trace, "%s 0x%llx", address & 4 ? "logical APIC id" : "APIC id",
		       (unsigned long long)((address >> 12 & 0xff) | address >> 40 << 8));
}

static void tell_arrival(struct ward_trace *trace, const struct ward_route *route)
{
	struct ward_vm_parts parts;
	struct ward_vm_info info;

	ward_vm_info(trace->options->vm, &info);
	if (info.controller == WARD_VM_X86 || info.controller == WARD_VM_X86_SPLIT) {
		tell_x86(trace, route);
		return;
	}
	if (!ward_vm_model_parts(trace->options->vm, &parts)) {
		tell_arm(trace, &parts, route);
		return;
	}
	if (route->kind == WARD_ROUTE_PIN) {
		tell_number(trace, "SPI", WARD_GIC_FIRST_SPI + route->pin);
	} else {
		ward_trace_begin(trace, WARD_HOP_INTID);
		ward_trace_hide(trace, "is in the tables of the guest's ITS, which the kernel has");
	}
	ward_trace_begin(trace, WARD_HOP_VCPU);
	ward_trace_hide(trace, "the kernel knows which");
}

void ward_trace_guest(struct ward_trace *trace)
{
	const struct ward_trace_options *options = trace->options;
	struct ward_route route;
	struct ward_wire wire;

	if (ward_wiring_get(options->wiring, options->vector, &wire)) {
		ward_trace_begin(trace, WARD_HOP_IRQFD);
		ward_trace_stop(trace, "not assigned: the guest has not enabled this vector");
		return;
	}
	tell_irqfd(trace, &wire);
	if (trace->stopped)
		return;
	ward_trace_begin(trace, WARD_HOP_GSI);
	ward_trace_field(trace, "gsi", ward_gsi_raw(wire.gsi), false);
	if (ward_routes_get(options->routes, wire.gsi, true, &route)) {
		ward_trace_stop(trace, "GSI %u, which has no route", ward_gsi_raw(wire.gsi));
		return;
	}
	ward_trace_say(trace, "GSI %u", ward_gsi_raw(wire.gsi));
	tell_route(trace, &route);
	if (!trace->stopped)
		tell_arrival(trace, &route);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A VM's interrupts: what its contract says before a backend is asked. The checks are those of Linux
 * virt/kvm/irqchip.c (setup_routing_entry, kvm_set_irq_routing), virt/kvm/eventfd.c (kvm_irqfd),
 * arch/x86/kvm/irq.c and arch/arm64/kvm/vgic/vgic-irqfd.c (kvm_set_routing_entry), in their order.
 */
#include "base/fault.h"

#include <doorward/apic.h>
#include <doorward/backend/interface.h>
#include <doorward/gic.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PIC_PINS 8u
#define IOAPIC_PINS 24u
/* Of those, the first have a PIC pin as well. */
#define PIC_GSIS 16u
#define RESERVED_PINS_MAX (24u * 8u)
/* KVM counts pins from SPI 0 on, by the end of SPIs (1020), whatever the VM has. */
#define GIC_PINS (WARD_GIC_LAST_SPI + 1 - WARD_GIC_FIRST_SPI)
#define GIC_INTERRUPTS 256u
#define GICV2_CPUS_MAX 8u

#define PAGE_4K 0x1000u
#define PAGE_64K 0x10000u

struct ward_vm {
	const struct ward_vm_ops *ops;
	void *context;
	struct ward_vm_options options;
	bool started;
};

static bool is_x86(enum ward_vm_controller controller)
{
	return controller == WARD_VM_X86 || controller == WARD_VM_X86_SPLIT;
}

static ward_gpa_t or_default(ward_gpa_t given, uint64_t address)
{
	return ward_gpa_raw(given) ? given : ward_gpa(address);
}

static bool is_aligned(ward_gpa_t at, uint32_t to)
{
	return ward_gpa_raw(at) % to == 0;
}

static int check_gic(struct ward_vm_options *options)
{
	bool v2 = options->controller == WARD_VM_GICV2;

	if (options->cpus > (v2 ? GICV2_CPUS_MAX : WARD_GIC_CPUS_MAX))
		return -EINVAL;
	if (!options->interrupts)
		options->interrupts = GIC_INTERRUPTS;
	/* KVM_DEV_ARM_VGIC_GRP_NR_IRQS. */
	if (options->interrupts < 64 || options->interrupts > 992 || options->interrupts % 32)
		return -EINVAL;
	options->distributor = or_default(options->distributor, 0x8000000);
	options->cpu_interface = or_default(options->cpu_interface, 0x8010000);
	options->redistributors = or_default(options->redistributors, 0x80a0000);
	options->its = or_default(options->its, 0x8080000);
	if (v2)
		return is_aligned(options->distributor, PAGE_4K) &&
				       is_aligned(options->cpu_interface, PAGE_4K)
			       ? 0
			       : -EINVAL;
	return is_aligned(options->distributor, PAGE_64K) &&
			       is_aligned(options->redistributors, PAGE_64K) &&
			       is_aligned(options->its, PAGE_64K)
		       ? 0
		       : -EINVAL;
}

int ward_vm_options_check(const struct ward_vm_options *options,
			  struct ward_vm_options *ret_options)
{
	struct ward_vm_options checked;
	int code;

	if (!options || options->size != sizeof(*options))
		return -EINVAL;
	checked = *options;
	switch (options->controller) {
	case WARD_VM_X86:
	case WARD_VM_X86_SPLIT:
		if (options->cpus > WARD_APIC_CPUS_MAX)
			return -EINVAL;
		if (options->reserved_pins > RESERVED_PINS_MAX ||
		    (options->reserved_pins && options->controller == WARD_VM_X86))
			return -EINVAL;
		break;
	case WARD_VM_GICV2:
	case WARD_VM_GICV3:
	case WARD_VM_GICV3_ITS:
		code = options->reserved_pins ? -EINVAL : check_gic(&checked);
		if (code)
			return code;
		break;
	default:
		return -EINVAL;
	}
	*ret_options = checked;
	return 0;
}

/* KVM takes as destination bits 31:8 what is in address bits 63:40, and nothing in 39:32. */
static bool x86_address_is_reserved(ward_gpa_t address)
{
	return ward_gpa_raw(address) >> 32 & 0xff;
}

static int check_pin(enum ward_vm_controller controller, const struct ward_route *route)
{
	if (route->flags || controller == WARD_VM_X86_SPLIT)
		return -EINVAL;
	if (!is_x86(controller))
		return route->chip == 0 && route->pin < GIC_PINS ? 0 : -EINVAL;
	switch (route->chip) {
	case WARD_CHIP_PIC_MASTER:
	case WARD_CHIP_PIC_SLAVE:
		return route->pin < PIC_PINS ? 0 : -EINVAL;
	case WARD_CHIP_IOAPIC:
		return route->pin < IOAPIC_PINS ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}

/* Neither doorbell nor device: a message that rings nothing is the guest's affair. */
static int check_msi(enum ward_vm_controller controller, const struct ward_route *route)
{
	if (route->flags & ~WARD_ROUTE_DEVID)
		return -EINVAL;
	return is_x86(controller) && x86_address_is_reserved(route->address) ? -EINVAL : 0;
}

int ward_vm_route_check(enum ward_vm_controller controller, const struct ward_route *route)
{
	if (ward_gsi_raw(route->gsi) >= WARD_GSIS)
		return -EINVAL;
	switch (route->kind) {
	case WARD_ROUTE_PIN:
		return check_pin(controller, route);
	case WARD_ROUTE_MSI:
		return check_msi(controller, route);
	default:
		return -EINVAL;
	}
}

/* Zeroes between the fields, too: tables are compared as bytes by those who keep them. */
static void add_pin(struct ward_route *routes, uint32_t *count, uint32_t gsi, uint32_t chip,
		    uint32_t pin)
{
	struct ward_route *route = routes ? &routes[*count] : NULL;

	(*count)++;
	if (!route)
		return;
	memset(route, 0, sizeof(*route));
	route->gsi = ward_gsi(gsi);
	route->kind = WARD_ROUTE_PIN;
	route->chip = chip;
	route->pin = pin;
}

uint32_t ward_vm_default_routes(enum ward_vm_controller controller, uint32_t gsis,
				struct ward_route *ret_routes)
{
	bool x86 = controller == WARD_VM_X86;
	uint32_t count = 0;

	for (uint32_t gsi = 0; gsi < gsis; gsi++) {
		if (x86 && gsi < PIC_GSIS)
			add_pin(ret_routes, &count, gsi,
				gsi < PIC_PINS ? WARD_CHIP_PIC_MASTER : WARD_CHIP_PIC_SLAVE,
				gsi % PIC_PINS);
		add_pin(ret_routes, &count, gsi, x86 ? WARD_CHIP_IOAPIC : 0, gsi);
	}
	return count;
}

int ward_vm_create(const struct ward_vm_ops *ops, void *context,
		   const struct ward_vm_options *options, struct ward_vm **ret_vm)
{
	struct ward_vm_options checked;
	struct ward_vm *vm;
	int code = ward_vm_options_check(options, &checked);

	if (code)
		return code;
	vm = ward_alloc(sizeof(*vm));
	if (!vm)
		return -ENOMEM;
	*vm = (struct ward_vm){ .ops = ops, .context = context, .options = checked };
	*ret_vm = vm;
	return 0;
}

void *ward_vm_context(const struct ward_vm *vm, const struct ward_vm_ops *ops)
{
	return vm->ops == ops ? vm->context : NULL;
}

int ward_vm_start(struct ward_vm *vm)
{
	int code = vm->started ? 0 : vm->ops->start(vm->context);

	if (code == 0)
		vm->started = true;
	return code;
}

void ward_vm_destroy(struct ward_vm *vm)
{
	if (!vm)
		return;
	vm->ops->destroy(vm->context);
	free(vm);
}

void ward_vm_info(const struct ward_vm *vm, struct ward_vm_info *ret_info)
{
	enum ward_vm_controller controller = vm->options.controller;
	bool x86 = is_x86(controller);
	struct ward_vm_info info = {
		.name = vm->ops->name,
		.controller = controller,
		.started = vm->started,
		.pins = controller == WARD_VM_X86_SPLIT ? 0
			: x86				? IOAPIC_PINS
							: GIC_PINS,
		.needs_devid = controller == WARD_VM_GICV3_ITS,
		.takes_msis = x86 || controller == WARD_VM_GICV3_ITS,
	};

	if (controller == WARD_VM_X86)
		info.default_gsis = IOAPIC_PINS;
	else if (!x86 && vm->started)
		info.default_gsis = vm->options.interrupts - WARD_GIC_FIRST_SPI;
	info.first_gsi = info.default_gsis;
	if (controller == WARD_VM_X86_SPLIT)
		info.first_gsi = vm->options.reserved_pins;
	*ret_info = info;
}

/* A GSI has one message, or a pin of each chip at most. */
static int check_table(enum ward_vm_controller controller, const struct ward_route *routes,
		       uint32_t count)
{
	/* By GSI: a bit for each chip; all of them for a message. */
	uint8_t taken[WARD_GSIS] = { 0 };

	for (uint32_t i = 0; i < count; i++) {
		const struct ward_route *route = &routes[i];
		int code = ward_vm_route_check(controller, route);
		uint8_t *gsi, bits;

		if (code)
			return code;
		gsi = &taken[ward_gsi_raw(route->gsi)];
		bits = (uint8_t)(route->kind == WARD_ROUTE_PIN ? 1u << route->chip : 0xffu);
		if (*gsi & bits)
			return -EINVAL;
		*gsi |= bits;
	}
	return 0;
}

int ward_vm_set_routes(struct ward_vm *vm, const struct ward_route *routes, uint32_t count)
{
	int code;

	if (count > WARD_GSIS || (count && !routes))
		return -EINVAL;
	code = check_table(vm->options.controller, routes, count);
	return code ? code : vm->ops->set_routes(vm->context, routes, count);
}

int ward_vm_irqfd(struct ward_vm *vm, const struct ward_irqfd *irqfd)
{
	enum ward_vm_controller controller = vm->options.controller;

	if (!irqfd || irqfd->flags & ~(WARD_IRQFD_DEASSIGN | WARD_IRQFD_RESAMPLE))
		return -EINVAL;
	if (!(irqfd->flags & WARD_IRQFD_DEASSIGN)) {
		if (!is_x86(controller) && !vm->started)
			return -EAGAIN;
		/* Nobody in the kernel sees the guest end what a monitor's IOAPIC raised. */
		if (irqfd->flags & WARD_IRQFD_RESAMPLE && controller == WARD_VM_X86_SPLIT)
			return -EINVAL;
	}
	return vm->ops->irqfd(vm->context, irqfd);
}

int ward_vm_irq_line(struct ward_vm *vm, uint32_t irq, bool level)
{
	if (!is_x86(vm->options.controller)) {
		if (!vm->started)
			return -ENODEV;
		if (irq < WARD_GIC_FIRST_SPI || irq >= vm->options.interrupts)
			return -EINVAL;
	}
	return vm->ops->irq_line(vm->context, irq, level);
}

int ward_vm_signal_msi(struct ward_vm *vm, const struct ward_route *route)
{
	enum ward_vm_controller controller = vm->options.controller;

	if (!route || route->kind != WARD_ROUTE_MSI || route->flags & ~WARD_ROUTE_DEVID)
		return -EINVAL;
	if (is_x86(controller)) {
		if (x86_address_is_reserved(route->address))
			return -EINVAL;
		return vm->ops->signal_msi(vm->context, route);
	}
	if (controller != WARD_VM_GICV3_ITS || !vm->started)
		return -ENODEV;
	/* KVM would let one pass that it has cached, whatever its flags: not so here. */
	if (!(route->flags & WARD_ROUTE_DEVID))
		return -EINVAL;
	return vm->ops->signal_msi(vm->context, route);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "vm.h"

#include "base/fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* INTIDs of a vGIC with LPIs have 16 bits (INTERRUPT_ID_BITS_ITS of Linux arch/arm64/kvm/vgic). */
#define INTID_BITS 16

static bool is_x86(const struct vm_model *vm)
{
	return vm->options.controller == WARD_VM_X86 || vm->options.controller == WARD_VM_X86_SPLIT;
}

/* The rows are freed by the caller. */
static int make_default_table(const struct vm_model *vm, uint32_t gsis, struct vm_table **ret_table)
{
	uint32_t count = ward_vm_default_routes(vm->options.controller, gsis, NULL);
	struct ward_route *routes = ward_alloc_array(count, sizeof(*routes));
	int code = -ENOMEM;

	if (routes) {
		ward_vm_default_routes(vm->options.controller, gsis, routes);
		code = ward_vm_table_create(vm, routes, count, ret_table);
	}
	free(routes);
	return code;
}

/* KVM makes the flat table when the vGIC is initialised, whatever was set before. */
static int start(void *context)
{
	struct vm_model *vm = context;
	struct vm_table *table;
	int code;

	if (is_x86(vm))
		return 0;
	code = make_default_table(vm, vm->options.interrupts - WARD_GIC_FIRST_SPI, &table);
	if (code)
		return code;
	ward_vm_table_publish(vm, table);
	vm->started = true;
	return 0;
}

static void tell(struct vm_model *vm, uint32_t gsi)
{
	char how[96];

	if (!vm->misused)
		return;
	snprintf(how, sizeof(how), "routes of GSI %u changed while an irqfd raises it", gsi);
	vm->misused(vm->misused_context, how);
}

static int set_routes(void *context, const struct ward_route *routes, uint32_t count)
{
	struct vm_model *vm = context;
	struct vm_table *table;
	uint32_t gsi;
	int code = ward_vm_table_create(vm, routes, count, &table);

	if (code)
		return code;
	gsi = ward_vm_irqfd_disagree(vm, atomic_load(&vm->table), table);
	ward_vm_table_publish(vm, table);
	if (gsi != WARD_NONE)
		tell(vm, gsi);
	return 0;
}

static int irqfd(void *context, const struct ward_irqfd *change)
{
	return ward_vm_irqfd_change(context, change);
}

static int irq_line(void *context, uint32_t irq, bool level)
{
	struct vm_model *vm = context;
	enum vm_signal signal = level ? VM_HIGH : VM_LOW;
	struct ward_interrupt interrupt = { 0 };

	if (!is_x86(vm)) {
		ward_vm_spi_signal(vm, irq, signal, &interrupt);
		return 0;
	}
	pthread_mutex_lock(&vm->lock);
	if (vm->reader)
		ward_reader_enter(vm->reader);
	ward_vm_raise(vm, vm->reader, irq, signal, VM_SOURCE_USER, &interrupt);
	if (vm->reader)
		ward_reader_exit(vm->reader);
	pthread_mutex_unlock(&vm->lock);
	return 0;
}

static int signal_apics(struct vm_model *vm, const struct ward_route *route)
{
	const struct ward_message message = {
		.address = ward_iova(ward_gpa_raw(route->address)),
		.data = route->data,
	};
	struct ward_interrupt interrupt = { 0 };
	int reached = ward_apics_message(vm->parts.apics, &message, &interrupt);

	return reached == 0 && interrupt.reason == WARD_REASON_NO_CPU ? -EPERM : reached;
}

static int signal_msi(void *context, const struct ward_route *route)
{
	struct vm_model *vm = context;
	uint64_t its = ward_gpa_raw(vm->options.its), address = ward_gpa_raw(route->address);
	struct ward_interrupt interrupt = { 0 };
	int delivered;

	if (is_x86(vm))
		return signal_apics(vm, route);
	if (address < its || address - its >= WARD_ITS_BYTES)
		return -EINVAL;
	pthread_mutex_lock(&vm->lock);
	if (vm->reader)
		ward_reader_enter(vm->reader);
	delivered =
		ward_its_message(vm->parts.its, vm->reader, route->devid, route->data, &interrupt);
	if (vm->reader)
		ward_reader_exit(vm->reader);
	pthread_mutex_unlock(&vm->lock);
	if (delivered == 0 &&
	    (interrupt.reason == WARD_REASON_OFF || interrupt.reason == WARD_REASON_LPIS_OFF))
		return -EBUSY;
	return delivered;
}

static void destroy(void *context)
{
	struct vm_model *vm = context;

	ward_vm_irqfds_finish(vm);
	ward_its_destroy(vm->parts.its);
	ward_gic_destroy(vm->parts.gic);
	ward_apics_destroy(vm->parts.apics);
	ward_vm_pins_destroy(vm);
	ward_reader_destroy(vm->reader);
	pthread_mutex_destroy(&vm->lock);
	free(atomic_load(&vm->table));
	free(vm);
}

static const struct ward_vm_ops vm_model_ops = {
	.name = "model",
	.start = start,
	.set_routes = set_routes,
	.irqfd = irqfd,
	.irq_line = irq_line,
	.signal_msi = signal_msi,
	.destroy = destroy,
};

struct vm_model *ward_vm_model_of(const struct ward_vm *vm)
{
	return ward_vm_context(vm, &vm_model_ops);
}

static void spi_ended(void *context, uint32_t cpu, uint32_t intid)
{
	(void)cpu;
	ward_vm_pin_ended(context, 0, intid - WARD_GIC_FIRST_SPI);
}

static int make_x86(struct vm_model *vm)
{
	const struct ward_apics_options options = {
		.size = sizeof(options),
		.cpus = vm->options.cpus,
		.x2apic_format = true,
	};
	int code = ward_apics_create(&options, &vm->parts.apics);

	if (code == 0 && vm->options.controller == WARD_VM_X86)
		code = ward_vm_pins_create(vm);
	return code;
}

static int make_arm(struct vm_model *vm, struct ward_memory *memory)
{
	bool lpis = vm->options.controller == WARD_VM_GICV3_ITS;
	const struct ward_gic_options gic = {
		.size = sizeof(gic),
		.kind = vm->options.controller == WARD_VM_GICV2 ? WARD_GIC_V2 : WARD_GIC_V3,
		.cpus = vm->options.cpus,
		.interrupts = vm->options.interrupts,
		.intid_bits = lpis ? INTID_BITS : 0,
		.memory = lpis ? memory : NULL,
		.ended = spi_ended,
		.context = vm,
	};
	struct ward_its_options its = {
		.size = sizeof(its),
		.profile = WARD_ITS_KVM,
		.memory = memory,
		.readers = vm->readers,
	};
	int code = lpis && !memory ? -EINVAL : ward_gic_create(&gic, &vm->parts.gic);

	if (code || !lpis)
		return code;
	its.gic = vm->parts.gic;
	return ward_its_create(&its, &vm->parts.its);
}

static int make_parts(struct vm_model *vm, struct ward_memory *memory)
{
	uint32_t gsis = vm->options.controller == WARD_VM_X86 ? VM_IOAPIC_PINS : 0;
	struct vm_table *table;
	int code = is_x86(vm) ? make_x86(vm) : make_arm(vm, memory);

	if (code == 0 && vm->readers)
		code = ward_reader_create(vm->readers, &vm->reader);
	if (code == 0)
		code = ward_vm_irqfds_init(vm);
	if (code == 0)
		code = make_default_table(vm, gsis, &table);
	if (code == 0)
		atomic_store(&vm->table, table);
	return code;
}

int ward_vm_model(const struct ward_vm_options *options, struct ward_memory *memory,
		  struct ward_readers *readers, struct ward_vm **ret_vm)
{
	struct ward_vm_options checked;
	struct vm_model *vm;
	int code = ward_vm_options_check(options, &checked);

	if (code)
		return code;
	if (!checked.cpus)
		return -EINVAL;
	vm = ward_alloc(sizeof(*vm));
	if (!vm)
		return -ENOMEM;
	if (pthread_mutex_init(&vm->lock, NULL)) {
		free(vm);
		return -ENOMEM;
	}
	vm->options = checked;
	vm->readers = readers;
	vm->irqfds.epoll = -1;
	code = make_parts(vm, memory);
	if (code == 0)
		code = ward_vm_create(&vm_model_ops, vm, options, ret_vm);
	if (code)
		destroy(vm);
	return code;
}

int ward_vm_model_parts(struct ward_vm *vm, struct ward_vm_parts *ret_parts)
{
	const struct vm_model *model = ward_vm_model_of(vm);

	if (!model || (!is_x86(model) && !model->started))
		return -EINVAL;
	*ret_parts = model->parts;
	return 0;
}

void ward_vm_model_police(struct ward_vm *vm, void (*misused)(void *context, const char *how),
			  void *context)
{
	struct vm_model *model = ward_vm_model_of(vm);

	if (!model)
		return;
	model->misused = misused;
	model->misused_context = context;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "app/guest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <doorward/gicv2m.h>
#include <doorward/memory.h>

#include "app/guest_controller.h"

/* Tables of the machine's IOMMUs and ITSs: the memory is only used as far as it is written. */
#define TABLES_BYTES (UINT64_C(64) << 20)
#define TABLES_BYTES_EACH (UINT64_C(64) << 10)
#define TIB (UINT64_C(1) << 40)

/* PCI 3.0, 6.2.2. */
#define REGION_CONFIG 7u
#define PCI_COMMAND 4u
#define PCI_COMMAND_MEMORY 0x2u
#define PCI_COMMAND_MASTER 0x4u

/* Where no function, window or doorbell of the machine is. */
static uint64_t find_room(const struct ward_machine *machine)
{
	uint64_t at = TIB;

	for (uint32_t i = 0; i < machine->functions_count; i++) {
		const struct ward_function *f = &machine->functions[i];

		for (unsigned int bar = 0; bar < 7; bar++)
			if (!ward_range_is_empty(f->bar[bar].range) && !f->bar[bar].io &&
			    f->bar[bar].range.last >= at)
				at = (f->bar[bar].range.last / TIB + 1) * TIB;
	}
	for (uint32_t i = 0; i < machine->controllers_count; i++)
		for (uint32_t j = 0; j < machine->controllers[i].doorbells_count; j++)
			if (machine->controllers[i].doorbells[j].last >= at)
				at = (machine->controllers[i].doorbells[j].last / TIB + 1) * TIB;
	return at;
}

static int fail(struct ward_error *error, int code, const char *what)
{
	if (code && error && !error->text[0])
		snprintf(error->text, sizeof(error->text), "%s: %s", what, strerror(-code));
	return code;
}

static int fail_room(struct ward_error *error, uint32_t vectors)
{
	if (error)
		snprintf(error->text, sizeof(error->text),
			 "the guest in software has room for vectors 0 to %u of a function",
			 vectors - 1);
	return -ENOSPC;
}

static int build_machine(const struct ward_machine *machine, struct app_guest *guest,
			 struct ward_error *error)
{
	uint64_t room = find_room(machine);
	uint64_t bytes = TABLES_BYTES + machine->functions_count * TABLES_BYTES_EACH;
	const struct ward_range tables = { room, room + bytes - 1 };
	const struct ward_function *f = &machine->functions[guest->function];
	int code = ward_memory_create(&guest->machine_memory);

	if (!code)
		code = ward_memory_add(guest->machine_memory, tables, 0, NULL);
	if (!code)
		code = ward_backend_model(machine, guest->machine_memory, tables, &guest->backend,
					  error);
	if (!code)
		code = ward_device_open(guest->backend, f->name, &guest->device, error);
	return fail(error, code, "software machine");
}

/* Without bus mastering a function writes nothing, messages among it. */
static int enable_function(struct app_guest *guest, struct ward_error *error)
{
	const uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

	return fail(error,
		    ward_device_write(guest->device, REGION_CONFIG, PCI_COMMAND, &command,
				      sizeof(command)),
		    "command register");
}

/* The client's space: unmanaged where an IOMMU translates, else there is only the identity. */
static int enter_space(struct app_guest *guest, struct ward_error *error)
{
	static const enum ward_space_kind kinds[] = { WARD_SPACE_UNMANAGED, WARD_SPACE_IDENTITY };
	int code = -EOPNOTSUPP;

	for (unsigned int i = 0; i < 2 && code == -EOPNOTSUPP; i++) {
		struct ward_space_options options = { .size = sizeof(options), .kind = kinds[i] };

		code = ward_backend_space(guest->backend, &options, &guest->space);
		if (code)
			continue;
		code = ward_device_attach(guest->device, WARD_PASID_NONE, guest->space);
		if (code) {
			ward_space_destroy(guest->space);
			guest->space = NULL;
		}
	}
	return fail(error, code, "space of the client");
}

static int build_vectors(const struct ward_machine *machine, struct app_guest *guest,
			 uint32_t wanted, struct ward_error *error)
{
	const struct ward_function *f = &machine->functions[guest->function];
	struct ward_vectors_options options = {
		.size = sizeof(options),
		.msix_vectors = f->msix ? f->msix_vectors : 0,
		.msi_vectors = f->msix ? 0 : f->msi_vectors,
		.msi_64 = true,
	};
	uint32_t all = f->msix ? f->msix_vectors : f->msi_vectors;

	guest->index = f->msix ? WARD_IRQS_MSIX : WARD_IRQS_MSI;
	guest->count = wanted < all ? wanted : all;
	return fail(error, ward_vectors_create(&options, &guest->vectors), "vectors");
}

static int wire(struct app_guest *guest, const struct ward_guest_doorbell *doorbell,
		struct ward_error *error)
{
	const struct ward_wiring_options options = {
		.size = sizeof(options),
		.device = guest->device,
		.vectors = guest->vectors,
		.vm = guest->vm,
		.routes = guest->routes,
		.doorbells = doorbell,
		.doorbells_count = 1,
	};
	int code = ward_wiring_create(&options, &guest->wiring);

	if (!code)
		code = ward_wiring_sync(guest->wiring, error);
	return code < 0 ? fail(error, code, "wiring") : 0;
}

int app_guest_create(const struct ward_machine *machine, uint32_t function, uint32_t count,
		     struct app_guest *ret_guest, struct ward_error *ret_error)
{
	struct app_guest guest = { .function = function };
	struct app_guest_controller controller;
	int code;

	if (ret_error)
		ret_error->text[0] = '\0';
	code = build_machine(machine, &guest, ret_error);
	if (!code)
		code = enter_space(&guest, ret_error);
	if (!code)
		code = enable_function(&guest, ret_error);
	if (!code)
		code = build_vectors(machine, &guest, count, ret_error);
	if (!code)
		code = fail(ret_error, ward_memory_create(&guest.memory), "guest");
	if (!code)
		code = fail(ret_error,
			    app_guest_controller_create(machine, function, guest.memory, &guest.vm,
							&controller),
			    "interrupt controller of the guest");
	if (!code && count > app_guest_vectors(&controller))
		code = fail_room(ret_error, app_guest_vectors(&controller));
	if (!code)
		code = fail(ret_error,
			    app_guest_program(&controller, guest.vm, guest.memory, guest.vectors,
					      guest.index, guest.count),
			    "guest");
	if (!code)
		code = fail(ret_error, ward_routes_create(guest.vm, &guest.routes), "routes");
	if (!code)
		code = wire(&guest, &controller.doorbell, ret_error);
	if (code) {
		app_guest_finish(&guest);
		return code;
	}
	*ret_guest = guest;
	return 0;
}

void app_guest_finish(struct app_guest *guest)
{
	ward_wiring_destroy(guest->wiring);
	ward_routes_destroy(guest->routes);
	ward_vm_destroy(guest->vm);
	ward_vectors_destroy(guest->vectors);
	ward_device_close(guest->device);
	ward_space_destroy(guest->space);
	ward_backend_destroy(guest->backend);
	ward_memory_destroy(guest->memory);
	ward_memory_destroy(guest->machine_memory);
	*guest = (struct app_guest){ 0 };
}

/* What a CPU of the guest has: one interrupt, which it ends at once. */
static bool take(const struct ward_vm_parts *parts, uint32_t cpu, uint32_t *ret_number)
{
	if (parts->apics)
		return ward_apics_take(parts->apics, cpu, ret_number) == 0;
	if (ward_gic_take(parts->gic, cpu, ret_number))
		return false;
	ward_gic_end(parts->gic, cpu, *ret_number);
	return true;
}

int app_guest_raise(struct app_guest *guest, uint32_t vector, struct app_guest_arrival *ret_arrival)
{
	struct app_guest_arrival arrival = { 0 };
	struct ward_vm_parts parts;
	struct ward_raise raise;
	int taken = 0, code;

	code = ward_model_raise(guest->backend, guest->function, (enum ward_irq_index)guest->index,
				vector, &raise);
	if (!code)
		code = ward_vm_model_dispatch(guest->vm, NULL);
	if (code >= 0)
		code = ward_vm_model_parts(guest->vm, &parts);
	if (code)
		return code;
	arrival.doorbell = raise.dma.target;
	arrival.host_number = raise.dma.interrupt.number;
	for (uint32_t cpu = 0; cpu < APP_GUEST_CPUS; cpu++)
		while (take(&parts, cpu, &arrival.number)) {
			arrival.cpu = cpu;
			taken++;
		}
	if (ret_arrival)
		*ret_arrival = arrival;
	return taken;
}

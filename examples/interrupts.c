// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A guest programs a vector of its device, the device raises it, a CPU of the guest has it: on the
 * software machine, so it runs anywhere.
 *
 *	cc interrupts.c $(pkg-config --cflags --libs doorward) && ./a.out
 *
 * With ward_backend_vfio_group and ward_vm_kvm the same calls drive a real device and a real VM; then
 * device and CPU do by themselves what let_it_raise does here.
 */
#include <doorward/backend/model.h>
#include <doorward/builder.h>
#include <doorward/memory.h>
#include <doorward/wiring.h>

#include <stdio.h>

#define TABLES 0x90000000u
#define DOORBELLS 0xfee00000u
#define VECTOR 1u

/* What a monitor has for one guest with one device. */
struct monitor {
	struct ward_device *device;
	struct ward_space *space;
	struct ward_vectors *vectors; /* the registers that the guest sees */
	struct ward_vm *vm;
	struct ward_routes *routes;
	struct ward_wiring *wiring;
};

/* One network card on the root bus, behind VT-d that remaps interrupts. */
static int make_machine(struct ward_machine **ret_machine)
{
	const struct ward_iommu vtd = { .kind = WARD_IOMMU_VTD,
					.name = "dmar0",
					.active = WARD_YES,
					.remaps_interrupts = WARD_YES,
					.controller = WARD_NONE };
	const struct ward_controller remapping = {
		.kind = WARD_CONTROLLER_X86_REMAPPING,
		.name = "APIC behind interrupt remapping",
		.isolates = WARD_YES,
		.doorbells = { { DOORBELLS, DOORBELLS + 0xfffff } },
		.doorbells_count = 1,
	};
	struct ward_builder *builder;
	struct ward_function card;
	int code = ward_builder_create(&builder);

	if (code)
		return code;
	ward_function_init(&card);
	card.address = (struct ward_address){ 0, ward_rid_make(0, 1, 0) };
	card.vendor = 0x1234;
	card.device = 0x5678;
	card.class_code = 0x020000;
	card.pcie_type = WARD_PCIE_RC_ENDPOINT;
	card.pcie_known = WARD_YES;
	card.msix = true;
	card.msix_vectors = 4;
	card.iommu_known = WARD_YES;
	card.stream = (struct ward_stream){ 0, ward_sid(8) };
	card.controller_known = WARD_YES;
	card.controller = 0;
	code = ward_builder_set_host(builder, WARD_ARCH_X86, NULL, NULL, 4096);
	if (!code)
		code = ward_builder_add_controller(builder, &remapping, NULL);
	if (!code)
		code = ward_builder_add_iommu(builder, &vtd, NULL);
	if (!code)
		code = ward_builder_add_function(builder, &card, NULL);
	if (!code)
		return ward_builder_finish(builder, ret_machine, NULL);
	ward_builder_destroy(builder);
	return code;
}

/* Opened, in a space, and master of its bus: without that a function writes no messages either. */
static int open_card(struct ward_backend *backend, struct monitor *monitor)
{
	const struct ward_space_options options = { .size = sizeof(options),
						    .kind = WARD_SPACE_UNMANAGED };
	const uint16_t bus_master = 0x4;
	int code = ward_device_open(backend, "0000:00:01.0", &monitor->device, NULL);

	if (!code)
		code = ward_backend_space(backend, &options, &monitor->space);
	if (!code)
		code = ward_device_attach(monitor->device, WARD_PASID_NONE, monitor->space);
	if (!code)
		code = ward_device_write(monitor->device, 7, 4, &bus_master, sizeof(bus_master));
	return code;
}

/* The guest's half: its interrupt controller, the vectors it sees, and what ties both to the card. */
static int make_guest(struct monitor *monitor)
{
	const struct ward_vm_options vm = { .size = sizeof(vm),
					    .controller = WARD_VM_X86,
					    .cpus = 1 };
	const struct ward_vectors_options vectors = { .size = sizeof(vectors), .msix_vectors = 4 };
	const struct ward_guest_doorbell doorbell = { .registers = { DOORBELLS,
								     DOORBELLS + 0xfffff } };
	struct ward_wiring_options wiring = { .size = sizeof(wiring),
					      .doorbells = &doorbell,
					      .doorbells_count = 1 };
	int code = ward_vm_model(&vm, NULL, NULL, &monitor->vm);

	if (!code)
		code = ward_vm_start(monitor->vm);
	if (!code)
		code = ward_routes_create(monitor->vm, &monitor->routes);
	if (!code)
		code = ward_vectors_create(&vectors, &monitor->vectors);
	wiring.device = monitor->device;
	wiring.vectors = monitor->vectors;
	wiring.vm = monitor->vm;
	wiring.routes = monitor->routes;
	return code ? code : ward_wiring_create(&wiring, &monitor->wiring);
}

/* A write of the guest to its MSI-X table arrives at the monitor, which then wires what changed. */
static int guest_writes(struct monitor *monitor, uint32_t offset, uint32_t value)
{
	struct ward_error why = { "no such register" };
	int code = ward_vectors_write(monitor->vectors, WARD_MSIX_TABLE, VECTOR * 16 + offset,
				      &value, sizeof(value));

	if (!code)
		code = ward_wiring_sync(monitor->wiring, &why);
	if (code)
		printf("  %s\n", why.text);
	return code;
}

static int let_it_raise(struct ward_backend *backend)
{
	struct ward_raise raise;
	int code = ward_model_raise(backend, 0, WARD_IRQS_MSIX, VECTOR, &raise);

	if (code)
		printf("  this function cannot be told to do that\n");
	return code;
}

/* What the guest's CPU was interrupted with, once irqfds were served. */
static void show_cpu(struct monitor *monitor)
{
	struct ward_vm_parts parts;
	uint32_t number;

	ward_vm_model_dispatch(monitor->vm, NULL);
	if (ward_vm_model_parts(monitor->vm, &parts) || ward_apics_take(parts.apics, 0, &number))
		printf("  CPU 0 of the guest has nothing\n");
	else
		printf("  CPU 0 of the guest has vector 0x%x\n", number);
}

static int show(struct ward_backend *backend, struct monitor *monitor)
{
	const uint16_t enable = 0x8000;
	int code = ward_vectors_write(monitor->vectors, WARD_MSIX_CAPABILITY, 2, &enable,
				      sizeof(enable));

	if (!code)
		code = guest_writes(monitor, 0, DOORBELLS);
	if (!code)
		code = guest_writes(monitor, 8, 0x41);
	if (!code)
		code = guest_writes(monitor, 12, 0);
	if (!code) {
		printf("the guest has programmed a vector:\n");
		code = let_it_raise(backend);
		show_cpu(monitor);
	}
	if (!code)
		code = guest_writes(monitor, 12, 1);
	if (!code) {
		printf("it masks the vector, which is raised twice:\n");
		code = let_it_raise(backend);
	}
	if (!code) {
		code = let_it_raise(backend);
		show_cpu(monitor);
	}
	if (!code)
		code = guest_writes(monitor, 12, 0);
	if (!code) {
		printf("it unmasks the vector:\n");
		show_cpu(monitor);
		show_cpu(monitor);
	}
	return code;
}

int main(void)
{
	const struct ward_range tables = { TABLES, TABLES + 0x1ffff };
	struct ward_backend *backend = NULL;
	struct ward_machine *machine = NULL;
	struct ward_memory *memory = NULL;
	struct monitor monitor = { 0 };
	int code = make_machine(&machine);

	if (!code)
		code = ward_memory_create(&memory);
	if (!code)
		code = ward_memory_add(memory, tables, 0, NULL);
	if (!code)
		code = ward_backend_model(machine, memory, tables, &backend, NULL);
	if (!code)
		code = open_card(backend, &monitor);
	if (!code)
		code = make_guest(&monitor);
	if (!code)
		code = show(backend, &monitor);
	if (code)
		printf("error %d\n", code);
	ward_wiring_destroy(monitor.wiring);
	ward_routes_destroy(monitor.routes);
	ward_vectors_destroy(monitor.vectors);
	ward_vm_destroy(monitor.vm);
	ward_device_close(monitor.device);
	ward_space_destroy(monitor.space);
	ward_backend_destroy(backend);
	ward_memory_destroy(memory);
	ward_machine_destroy(machine);
	return code ? 1 : 0;
}

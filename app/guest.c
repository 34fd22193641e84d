// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "app/guest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <doorward/memory.h>

#include "app/memory.h"

/* PCI 3.0, 6.2.2. */
#define REGION_CONFIG 7u
#define PCI_COMMAND 4u
#define PCI_COMMAND_MEMORY 0x2u
#define PCI_COMMAND_MASTER 0x4u

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

int app_guest_create(const struct ward_machine *machine, uint32_t function, void *ram,
		     struct app_guest **ret_guest, struct ward_error *ret_error)
{
	struct app_guest *guest = app_alloc(1, sizeof(*guest));
	const struct ward_range at = { APP_GUEST_RAM, APP_GUEST_RAM + APP_GUEST_RAM_BYTES - 1 };
	int code = ward_memory_create(&guest->memory);

	if (!code)
		code = ward_memory_add(guest->memory, at, 0, ram);
	if (!code)
		code = app_guest_controller_create(machine, function, guest->memory, &guest->vm,
						   &guest->controller);
	if (!code)
		code = ward_routes_create(guest->vm, &guest->routes);
	if (code) {
		app_guest_destroy(guest);
		return fail(ret_error, code, "interrupt controller of the guest");
	}
	*ret_guest = guest;
	return 0;
}

static void let_go(struct app_guest_function *place)
{
	ward_wiring_destroy(place->wiring);
	ward_vectors_destroy(place->vectors);
	*place = (struct app_guest_function){ 0 };
}

void app_guest_destroy(struct app_guest *guest)
{
	if (!guest)
		return;
	for (uint32_t i = 0; i < APP_GUEST_FUNCTIONS; i++)
		let_go(&guest->functions[i]);
	ward_routes_destroy(guest->routes);
	ward_vm_destroy(guest->vm);
	ward_memory_destroy(guest->memory);
	free(guest);
}

struct app_guest_function *app_guest_find(struct app_guest *guest, uint32_t function)
{
	for (uint32_t i = 0; i < APP_GUEST_FUNCTIONS; i++)
		if (guest->functions[i].device && guest->functions[i].function == function)
			return &guest->functions[i];
	return NULL;
}

void app_guest_disable(struct app_guest *guest, uint32_t function)
{
	struct app_guest_function *place = app_guest_find(guest, function);

	if (place)
		let_go(place);
}

/* Without bus mastering a function writes nothing, messages among it. */
static int enable_function(struct ward_device *device, struct ward_error *error)
{
	const uint16_t command = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;

	return fail(error,
		    ward_device_write(device, REGION_CONFIG, PCI_COMMAND, &command,
				      sizeof(command)),
		    "command register");
}

static int build_vectors(const struct ward_function *f, struct app_guest_function *place,
			 uint32_t wanted, struct ward_error *error)
{
	struct ward_vectors_options options = {
		.size = sizeof(options),
		.msix_vectors = f->msix ? f->msix_vectors : 0,
		.msi_vectors = f->msix ? 0 : f->msi_vectors,
		.msi_64 = true,
	};
	uint32_t all = f->msix ? f->msix_vectors : f->msi_vectors;

	place->index = f->msix ? WARD_IRQS_MSIX : WARD_IRQS_MSI;
	place->count = wanted < all ? wanted : all;
	return fail(error, ward_vectors_create(&options, &place->vectors), "vectors");
}

static int wire(struct app_guest *guest, struct app_guest_function *place, uint32_t slot,
		const struct ward_space *nested, struct ward_error *error)
{
	const struct ward_guest_doorbell doorbell = app_guest_doorbell(&guest->controller, slot);
	const struct ward_wiring_options options = {
		.size = sizeof(options),
		.device = place->device,
		.vectors = place->vectors,
		.vm = guest->vm,
		.routes = guest->routes,
		.space = nested,
		.doorbells = &doorbell,
		.doorbells_count = 1,
		.guest_addresses = nested != NULL,
		.way = WARD_MESSAGE_PREPARE,
	};
	int code = ward_wiring_create(&options, &place->wiring);

	if (!code)
		code = ward_wiring_sync(place->wiring, error);
	return code < 0 ? fail(error, code, "wiring") : 0;
}

static uint32_t free_slot(struct app_guest *guest, uint32_t function)
{
	uint32_t slot = 0;

	while (slot < APP_GUEST_FUNCTIONS && guest->functions[slot].device)
		slot++;
	/* Where it was before, so that it finds what was set up for it. */
	for (uint32_t i = 0; i < APP_GUEST_FUNCTIONS; i++)
		if (app_guest_slot_is_of(&guest->controller, i, function))
			slot = i;
	return slot;
}

int app_guest_enable(struct app_guest *guest, const struct app_guest_gift *gift, uint32_t count,
		     struct ward_error *ret_error)
{
	const struct ward_function *f = &gift->machine->functions[gift->function];
	struct app_guest_function *place;
	uint32_t slot;
	int code;

	if (ret_error)
		ret_error->text[0] = '\0';
	app_guest_disable(guest, gift->function);
	slot = free_slot(guest, gift->function);
	if (slot == APP_GUEST_FUNCTIONS)
		return fail(ret_error, -ENOSPC, "slots of the guest");
	if (count > app_guest_vectors(&guest->controller))
		return fail_room(ret_error, app_guest_vectors(&guest->controller));
	place = &guest->functions[slot];
	place->function = gift->function;
	place->device = gift->device;
	code = enable_function(place->device, ret_error);
	if (!code)
		code = build_vectors(f, place, count, ret_error);
	if (!code)
		code = fail(ret_error,
			    app_guest_program(&guest->controller, guest->vm, guest->memory,
					      &(const struct app_guest_slot){
						      .number = slot,
						      .function = gift->function,
						      .index = place->index,
						      .count = place->count,
						      .vectors = place->vectors,
						      .translated = gift->nested != NULL,
					      }),
			    "guest");
	if (!code)
		code = wire(guest, place, slot, gift->nested, ret_error);
	if (code)
		let_go(place);
	return code;
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

int app_guest_take(struct app_guest *guest, struct app_guest_arrival *ret_arrival)
{
	struct app_guest_arrival arrival = { 0 };
	struct ward_vm_parts parts;
	int taken = 0, code = ward_vm_model_dispatch(guest->vm, NULL);

	if (code >= 0)
		code = ward_vm_model_parts(guest->vm, &parts);
	if (code)
		return code;
	for (uint32_t cpu = 0; cpu < APP_GUEST_CPUS; cpu++)
		while (take(&parts, cpu, &arrival.number)) {
			arrival.cpu = cpu;
			taken++;
		}
	if (ret_arrival)
		*ret_arrival = arrival;
	return taken;
}

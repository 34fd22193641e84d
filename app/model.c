// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "app/model.h"

#include "app/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <doorward/doorbell.h>
#include <doorward/memory.h>
#include <doorward/stage1.h>

/* Tables of the machine's IOMMUs and ITSs: the memory is only used as far as it is written. */
#define TABLES_BYTES (UINT64_C(64) << 20)
#define TABLES_BYTES_EACH (UINT64_C(64) << 10)
#define TIB (UINT64_C(1) << 40)
#define PAGE 4096u

/* What ends in the last TiB there is has room below it, not above. */
static uint64_t go_past(uint64_t at, uint64_t last)
{
	return last < at || last > UINT64_MAX - TIB ? at : (last / TIB + 1) * TIB;
}

/* Where no function or doorbell of the machine is. */
static uint64_t find_room(const struct ward_machine *machine)
{
	uint64_t at = TIB;

	for (uint32_t i = 0; i < machine->functions_count; i++) {
		const struct ward_function *f = &machine->functions[i];

		for (unsigned int bar = 0; bar < 7; bar++)
			if (!ward_range_is_empty(f->bar[bar].range) && !f->bar[bar].io)
				at = go_past(at, f->bar[bar].range.last);
	}
	for (uint32_t i = 0; i < machine->controllers_count; i++)
		for (uint32_t j = 0; j < machine->controllers[i].doorbells_count; j++)
			at = go_past(at, machine->controllers[i].doorbells[j].last);
	return at;
}

static int fail(struct ward_error *error, int code, const char *what)
{
	if (code && error && !error->text[0])
		snprintf(error->text, sizeof(error->text), "%s: %s", what, strerror(-code));
	return code;
}

/* Takes the next bytes of the room, in whole MiB. */
static struct ward_range take(uint64_t *room, uint64_t bytes)
{
	struct ward_range range = { *room, *room + bytes - 1 };

	*room += (bytes + 0xfffff) & ~UINT64_C(0xfffff);
	return range;
}

static int add_clients(struct app_model *model, uint64_t *room)
{
	int code = 0;

	for (uint32_t i = 0; !code && i < model->clients_count; i++) {
		struct app_client *client = &model->clients[i];

		client->ram = app_alloc(1, APP_GUEST_RAM_BYTES);
		client->memory = take(room, APP_GUEST_RAM_BYTES);
		code = ward_memory_add(model->memory, client->memory, 0, client->ram);
	}
	return code;
}

static int create_executor(struct app_model *model, struct ward_range drivers, bool freeze_on_fault)
{
	const struct ward_model_executor_options options = {
		.size = sizeof(options),
		.driver_memory = drivers,
		.freeze_on_fault = freeze_on_fault,
	};

	return ward_model_executor_create(model->machine, model->backend, &options,
					  &model->executor);
}

int app_model_create(const struct ward_machine *machine, uint32_t clients, bool freeze_on_fault,
		     struct app_model **ret_model, struct ward_error *ret_error)
{
	struct app_model *model = app_alloc(1, sizeof(*model));
	uint64_t room = find_room(machine), count = machine->functions_count;
	struct ward_range tables = take(&room, TABLES_BYTES + count * TABLES_BYTES_EACH);
	struct ward_range drivers = take(&room, (count ? count : 1) * WARD_MODEL_DRIVER_BYTES);
	int code;

	if (ret_error)
		ret_error->text[0] = '\0';
	model->machine = machine;
	model->clients_count = clients;
	model->clients = app_alloc(clients ? clients : 1, sizeof(*model->clients));
	code = ward_memory_create(&model->memory);
	if (!code)
		code = ward_memory_add(model->memory, tables, 0, NULL);
	if (!code)
		code = ward_memory_add(model->memory, drivers, 0, NULL);
	if (!code)
		code = add_clients(model, &room);
	if (!code)
		code = ward_backend_model(machine, model->memory, tables, &model->backend,
					  ret_error);
	if (!code)
		code = create_executor(model, drivers, freeze_on_fault);
	if (code) {
		app_model_destroy(model);
		return fail(ret_error, code, "software machine");
	}
	*ret_model = model;
	return 0;
}

void app_model_destroy(struct app_model *model)
{
	if (!model)
		return;
	/* Guests let go of devices before those are closed, devices of spaces before those go. */
	for (uint32_t i = 0; i < model->clients_count; i++)
		app_guest_destroy(model->clients[i].guest);
	ward_model_executor_destroy(model->executor);
	for (uint32_t i = 0; i < model->clients_count; i++)
		for (uint32_t j = 0; j < APP_MODEL_CONTAINERS; j++) {
			ward_space_destroy(model->clients[i].space[j]);
			ward_space_destroy(model->clients[i].below[j]);
		}
	ward_backend_destroy(model->backend);
	ward_memory_destroy(model->memory);
	for (uint32_t i = 0; i < model->clients_count; i++)
		free(model->clients[i].ram);
	free(model->clients);
	free(model);
}

static bool is_translated(const struct ward_machine *machine, uint32_t function)
{
	uint32_t iommu = machine->functions[function].stream.iommu;

	return iommu != WARD_NONE && machine->iommus[iommu].active != WARD_NO;
}

static int start_guest(struct app_model *model, uint32_t function, uint32_t client,
		       struct ward_error *error)
{
	struct app_client *at = &model->clients[client];

	if (at->guest)
		return 0;
	return app_guest_create(model->machine, function, at->ram, &at->guest, error);
}

/* The guest's RAM, at the guest's addresses. */
static int map_ram(const struct app_client *client, struct ward_space *space)
{
	const struct ward_mapping ram = {
		.start = ward_iova(APP_GUEST_RAM),
		.last = ward_iova(APP_GUEST_RAM + APP_GUEST_RAM_BYTES - 1),
		.target = ward_target(client->memory.start),
		.access = WARD_READ | WARD_WRITE,
		.type = WARD_NORMAL,
	};

	return ward_space_map(space, &ram);
}

/* The page of the guest's controller is the physical one's. */
static int map_doorbell(const struct app_model *model, uint32_t function,
			const struct app_client *client, struct ward_space *below)
{
	const struct ward_doorbell_options options = {
		.size = sizeof(options),
		.way = WARD_DOORBELL_NESTED,
		.page_size = PAGE,
	};
	uint32_t controller = model->machine->functions[function].controller;
	struct ward_doorbells *doorbells;
	struct ward_doorbell mapped;
	int code;

	if (controller == WARD_NONE)
		return 0;
	code = ward_doorbells_create(&options, &doorbells);
	if (code)
		return code;
	code = ward_doorbell_map(
		doorbells, below,
		ward_pa(ward_controller_register(&model->machine->controllers[controller], 0).start),
		ward_gpa(app_guest_register(&client->guest->controller)), &mapped);
	ward_doorbells_destroy(doorbells);
	return code;
}

/* The guest's own stage 1 over a space of ours. */
static int nest(struct app_model *model, uint32_t function, struct app_client *client,
		uint32_t container)
{
	struct app_guest *guest = client->guest;
	const struct ward_stage1 stage1 = {
		.kind = WARD_STAGE1_TABLES,
		.contexts = ward_gpa(APP_GUEST_STAGE1),
		.features = { .output_bits = 48, .granules = WARD_GRANULE_4K, .stage1 = true },
		.memory = guest->memory,
	};
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = WARD_SPACE_NESTED,
					      .stage1 = &stage1 };
	int code = app_guest_write_stage1(guest->memory, app_guest_register(&guest->controller));

	if (!code)
		code = map_doorbell(model, function, client, client->space[container]);
	if (code)
		return code;
	options.parent = client->space[container];
	client->below[container] = options.parent;
	client->space[container] = NULL;
	return ward_backend_space(model->backend, &options, &client->space[container]);
}

static int make_space(struct app_model *model, uint32_t client, uint32_t container,
		      uint32_t function)
{
	struct app_client *at = &model->clients[client];
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = is_translated(model->machine, function)
							      ? WARD_SPACE_UNMANAGED
							      : WARD_SPACE_IDENTITY };
	int code = ward_backend_space(model->backend, &options, &at->space[container]);

	if (code || options.kind == WARD_SPACE_IDENTITY)
		return code;
	code = map_ram(at, at->space[container]);
	if (!code && at->nested)
		code = start_guest(model, function, client, NULL);
	if (!code && at->nested)
		code = nest(model, function, at, container);
	return code;
}

int app_model_space(struct app_model *model, uint32_t client, uint32_t container, uint32_t function,
		    struct ward_space **ret_space, struct ward_error *ret_error)
{
	struct app_client *at = &model->clients[client];
	int code = 0;

	if (container >= APP_MODEL_CONTAINERS)
		return fail(ret_error, -EINVAL, "containers are numbered 0 to 3");
	if (!at->space[container])
		code = make_space(model, client, container, function);
	if (code) {
		ward_space_destroy(at->space[container]);
		ward_space_destroy(at->below[container]);
		at->space[container] = at->below[container] = NULL;
		if (at->nested && code == -EOPNOTSUPP)
			return fail(ret_error, code,
				    "the guest's stage 1 is an SMMUv3's, and so has to be ours");
		return fail(ret_error, code, "space of the client");
	}
	*ret_space = at->space[container];
	return 0;
}

static int execute(void *context, const struct ward_plan_step *step, enum ward_action action,
		   struct ward_error *ret_error)
{
	struct app_model *model = context;
	struct ward_executor next = ward_model_executor(model->executor);
	bool ends = action == WARD_ACTION_TEAR_DOWN || action == WARD_ACTION_TAKE ||
		    action == WARD_ACTION_RESET || action == WARD_ACTION_THAW ||
		    action == WARD_ACTION_UNBIND;

	for (uint32_t i = 0; ends && i < model->clients_count; i++)
		if (model->clients[i].guest)
			app_guest_disable(model->clients[i].guest, step->function);
	return next.execute(next.context, step, action, ret_error);
}

struct ward_executor app_model_executor(struct app_model *model)
{
	return (struct ward_executor){ .execute = execute, .context = model };
}

int app_model_enable(struct app_model *model, uint32_t function, uint32_t client,
		     uint32_t container, uint32_t count, struct ward_error *ret_error)
{
	struct app_client *at = &model->clients[client];
	const struct app_guest_gift gift = {
		.machine = model->machine,
		.function = function,
		.device = ward_model_executor_device(model->executor, function),
		.nested = container < APP_MODEL_CONTAINERS && at->below[container]
				  ? at->space[container]
				  : NULL,
	};
	int code;

	if (!gift.device)
		return fail(ret_error, -ENODEV, "its client has it no longer");
	code = start_guest(model, function, client, ret_error);
	return code ? code : app_guest_enable(at->guest, &gift, count, ret_error);
}

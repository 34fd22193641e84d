// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The same story on the model backend: whatever is allowed is carried out by its plan, one step after
 * the other, on a machine that refuses what cannot be and polices its caller. Then everybody has to have
 * what the ownership says, and a client's functions write wherever something is.
 */
#include "story.h"

#include <doorward/backend/model_executor.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "exact/controllers.h"

#define DRIVER_MEMORY 0x60000000u
#define TABLES 0x80000000u
#define TABLES_SIZE 0x400000u
#define BLOCKS_PER_CONTAINER 4u
#define CONTAINERS (STORY_CLIENTS * STORY_CONTAINERS)

struct carried {
	struct ward_memory *memory;
	struct ward_backend *backend;
	struct ward_model_executor *executor;
	struct ward_space *spaces[CONTAINERS];
	int eventfd;
	const char *misuse;
};

static void note_misuse(void *context, const char *how)
{
	struct carried *carried = context;

	carried->misuse = how;
}

static struct ward_space *space_of(void *context, uint32_t client, uint32_t container)
{
	struct carried *carried = context;
	uint32_t at = client * STORY_CONTAINERS + container;

	return at < CONTAINERS ? carried->spaces[at] : NULL;
}

static uint64_t memory_of(const struct plan *plan, uint32_t container)
{
	return PLAN_MEMORY + container * BLOCKS_PER_CONTAINER * plan->page_size;
}

static int make_spaces(struct carried *carried, const struct plan *plan)
{
	const struct ward_space_options options = { .size = sizeof(options),
						    .kind = WARD_SPACE_UNMANAGED };
	uint64_t size = BLOCKS_PER_CONTAINER * plan->page_size;
	int err = 0;

	for (uint32_t i = 0; i < CONTAINERS && !err; i++) {
		const struct ward_mapping mapping = {
			.start = ward_iova(PLAN_IOVAS),
			.last = ward_iova(PLAN_IOVAS + size - 1),
			.target = ward_target(memory_of(plan, i)),
			.access = WARD_READ | WARD_WRITE,
			.type = WARD_NORMAL,
		};

		err = ward_backend_space(carried->backend, &options, &carried->spaces[i]);
		if (!err)
			err = ward_space_map(carried->spaces[i], &mapping);
	}
	return err;
}

static int make_machine(struct world *world, struct carried *carried)
{
	struct ward_range tables = { TABLES, TABLES + TABLES_SIZE - 1 };
	struct ward_range drivers = {
		DRIVER_MEMORY, DRIVER_MEMORY + PLAN_FUNCTIONS * WARD_MODEL_DRIVER_BYTES - 1
	};
	struct ward_range memory = { PLAN_MEMORY,
				     PLAN_MEMORY + PLAN_BLOCKS * world->story->plan.page_size - 1 };
	const struct ward_model_executor_options options = {
		.size = sizeof(options),
		.driver_memory = drivers,
		.space = space_of,
		.context = carried,
	};
	int err = ward_memory_create(&carried->memory);

	if (!err)
		err = ward_memory_add(carried->memory, memory, 0, NULL);
	if (!err)
		err = ward_memory_add(carried->memory, drivers, 0, NULL);
	if (!err)
		err = ward_memory_add(carried->memory, tables, 0, NULL);
	if (!err)
		err = ward_backend_model(world->build.seen, carried->memory, tables,
					 &carried->backend, NULL);
	if (err)
		return err;
	ward_model_police(carried->backend, note_misuse, carried);
	err = make_spaces(carried, &world->story->plan);
	return err ? err
		   : ward_model_executor_create(world->build.seen, carried->backend, &options,
						&carried->executor);
}

int carry_create(struct world *world)
{
	struct carried *carried = calloc(1, sizeof(*carried));
	struct ward_error error = { "" };
	int err;

	if (!carried)
		return -ENOMEM;
	world->carried = carried;
	carried->eventfd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (carried->eventfd < 0)
		return -errno;
	err = make_machine(world, carried);
	if (!err && ward_model_executor_adopt(carried->executor, world->own, &error))
		return story_fail(world, "not-adopted", "%s", error.text);
	return err ? err : carry_landed(world);
}

void carry_destroy(struct world *world)
{
	struct carried *carried = world->carried;

	if (!carried)
		return;
	ward_model_executor_destroy(carried->executor);
	for (uint32_t i = 0; i < CONTAINERS; i++)
		ward_space_destroy(carried->spaces[i]);
	ward_backend_destroy(carried->backend);
	ward_memory_destroy(carried->memory);
	if (carried->eventfd >= 0)
		close(carried->eventfd);
	free(carried);
	world->carried = NULL;
}

static bool has_vector(const struct ward_state *state, uint32_t index, uint32_t controller)
{
	for (uint32_t i = 0; i < state->vectors_count; i++)
		if (state->vectors[i].function == index &&
		    state->vectors[i].controller == controller)
			return true;
	return false;
}

/* Where vectors landed is a fact. */
int carry_landed(struct world *world)
{
	int err = 0;

	for (uint32_t i = 0; i < world->build.seen->functions_count && !err; i++) {
		uint32_t cursor = 0, controller;

		while (!err && ward_model_executor_landed(world->carried->executor, i, &cursor,
							  &controller)) {
			const struct ward_state *state = ward_ownership_state(world->own);
			const struct ward_event event = {
				.size = sizeof(event),
				.kind = WARD_EVENT_VECTOR,
				.functions = &i,
				.functions_count = 1,
				.controller = controller,
			};

			if (!has_vector(state, i, controller))
				err = ward_ownership_apply(world->own, &event, NULL, NULL);
			if (err == -EINVAL)
				return story_fail(world, "landed-without-sense",
						  "a vector of %s landed, and the ownership says "
						  "that it cannot",
						  world->build.seen->functions[i].name);
		}
	}
	return err;
}

/* The machine has them, or not, before or after the event. */
static void show(struct world *world, const struct ward_event *event, bool present)
{
	for (uint32_t i = 0; i < world->build.seen->functions_count; i++) {
		uint32_t pf = world->build.seen->functions[i].physfn;
		bool named = false;

		for (uint32_t k = 0; k < event->functions_count; k++)
			named |= event->functions[k] == i
					 ? event->kind != WARD_EVENT_VFS_ON &&
						   event->kind != WARD_EVENT_VFS_OFF
				 : event->functions[k] == pf ? event->kind != WARD_EVENT_HOT_ADD
							     : false;
		if (named)
			(void)ward_model_present(world->carried->backend, i, present);
	}
}

static int run(struct world *world, const struct ward_event *event)
{
	struct ward_executor executor = ward_model_executor(world->carried->executor);
	struct ward_plan_result result = { 0 };
	struct ward_error error = { "" };
	struct ward_plan *plan;
	int err = ward_plan_event(world->own, event, &plan);

	if (err)
		return story_fail(world, "no-plan", "%s has no plan (error %d)",
				  ward_event_name(event->kind), -err);
	err = ward_plan_run(world->own, plan, &executor, &result, &error);
	ward_plan_destroy(plan);
	if (err)
		return err;
	/* A driver that the machine keeps from a client's id: what cannot be there goes no further. */
	if (result.end != WARD_PLAN_DONE && result.error == -EBUSY &&
	    (event->fact || event->kind == WARD_EVENT_HOT_ADD)) {
		carry_destroy(world);
		return 0;
	}
	if (result.end != WARD_PLAN_DONE)
		return story_fail(world, "not-carried-out", "%s is allowed, and then: %s",
				  ward_event_name(event->kind), error.text);
	if (world->carried->misuse)
		return story_fail(world, "misuse", "%s: %s", ward_event_name(event->kind),
				  world->carried->misuse);
	return 0;
}

/* In place of ward_ownership_apply(); 1 when something is wrong. */
int carry_apply(struct world *world, const struct ward_event *event,
		struct ward_outcome *ret_outcome, struct ward_error *ret_error)
{
	bool comes = event->kind == WARD_EVENT_HOT_ADD || event->kind == WARD_EVENT_VFS_ON;
	bool goes = event->kind == WARD_EVENT_HOT_REMOVE || event->kind == WARD_EVENT_VFS_OFF;
	/* A request is asked first; what is a fact is so already. */
	bool gone = event->kind == WARD_EVENT_HOT_REMOVE || event->fact;
	struct ward_event next;
	int err = ward_ownership_try(world->own, event, ret_outcome, ret_error);

	if (err || ret_outcome->decision == WARD_REFUSED)
		return err;
	if (comes || (goes && gone))
		show(world, event, comes);
	err = run(world, event);
	if (err)
		return err;
	if (world->carried && goes && !gone)
		show(world, event, false);
	if (world->carried)
		err = carry_landed(world);
	/* Where vectors landed, or that a driver was kept away, may have changed what was tried. */
	if (ret_outcome->decision != WARD_ALLOWED)
		ret_outcome->decision =
			ward_ownership_next(world->own, &next) ? WARD_UNSETTLED : WARD_RECORDED;
	return err;
}

static int check_holder(struct world *world, uint32_t index)
{
	const struct ward_function_state *s = &ward_ownership_state(world->own)->functions[index];
	uint32_t container, wanted = ward_ownership_container(world->own, index);
	struct ward_owner holder =
		ward_model_executor_holder(world->carried->executor, index, &container);
	const char *name = world->build.seen->functions[index].name;

	if (holder.kind != s->owner.kind ||
	    (holder.kind == WARD_OWNER_CLIENT && holder.client != s->owner.client))
		return story_fail(world, "wrong-holder",
				  "%s is held by somebody else than the ownership says", name);
	if (holder.kind == WARD_OWNER_CLIENT && container != wanted)
		return story_fail(world, "wrong-container",
				  "%s is in another container than the ownership says", name);
	return 0;
}

/* What a write of a client's function came to. */
static int judge(struct world *world, uint32_t client, const char *name,
		 const struct ward_dma_result *result)
{
	uint64_t first = memory_of(&world->story->plan, client * STORY_CONTAINERS);
	uint64_t last = memory_of(&world->story->plan, (client + 1) * STORY_CONTAINERS) - 1;
	const struct ward_state *state = ward_ownership_state(world->own);
	const struct ward_owner *owner;
	uint32_t user;

	switch (result->end) {
	case WARD_DMA_MEMORY:
		if (result->target >= first && result->target <= last)
			return 0;
		return story_fail(world, "carried-memory",
				  "%s writes memory at %#" PRIx64 " that is not its client's", name,
				  result->target);
	case WARD_DMA_BAR:
		owner = &state->functions[result->index].owner;
		if (owner->kind == WARD_OWNER_NOBODY ||
		    (owner->kind == WARD_OWNER_CLIENT && owner->client == client))
			return 0;
		return story_fail(world, "carried-registers", "%s writes the registers of %s", name,
				  world->build.seen->functions[result->index].name);
	case WARD_DMA_DOORBELL:
		if (ward_model_whose(world->carried->backend, result->index, &result->interrupt,
				     &user, NULL, NULL))
			return 0;
		owner = &state->functions[user].owner;
		if (owner->kind == WARD_OWNER_CLIENT && owner->client == client)
			return 0;
		return story_fail(world, "carried-interrupts", "%s raises an interrupt of %s", name,
				  world->build.seen->functions[user].name);
	case WARD_DMA_FAULT:
	case WARD_DMA_BLOCKED:
	case WARD_DMA_NOWHERE:
	case WARD_DMA_FROZEN:
		break;
	}
	return 0;
}

static int write_there(struct world *world, uint32_t function, uint64_t address, uint32_t data)
{
	uint32_t index = world_index(world, function);
	uint32_t client = world_function(world, function)->owner.client;
	struct ward_dma dma = {
		.pasid = WARD_PASID_NONE,
		.address = ward_iova(address),
		.write = true,
		.bytes = &data,
		.size = sizeof(data),
	};
	struct ward_dma_result result;
	int err = ward_model_dma(world->carried->backend, index, &dma, &result);

	return err ? err : judge(world, client, world->build.seen->functions[index].name, &result);
}

/* All messages that functions have, to all doorbells, wherever those may be mapped. */
static int ring_all(struct world *world, uint32_t function)
{
	const struct plan *plan = &world->story->plan;
	int err = 0;

	for (uint32_t i = 0; i < plan->functions_count && !err; i++) {
		struct ward_device *device =
			plan->functions[i].present
				? ward_model_executor_device(world->carried->executor,
							     world_index(world, i))
				: NULL;
		struct ward_host_irq irq;

		if (!device || ward_device_irq(device, WARD_IRQS_MSIX, 0, &irq) ||
		    !irq.message_known)
			continue;
		err = write_there(world, function, ward_iova_raw(irq.message.address),
				  irq.message.data);
		for (uint32_t k = 0; k < plan->controllers_count && !plan->x86 && !err; k++) {
			err = write_there(world, function, plan->controllers[k].doorbell + 0x40,
					  irq.message.data);
			if (!err)
				err = write_there(world, function,
						  WARD_SW_MSI_START + k * plan->page_size + 0x40,
						  irq.message.data);
		}
	}
	return err;
}

static int try_function(struct world *world, uint32_t function)
{
	const struct plan *plan = &world->story->plan;
	int err = 0;

	for (uint32_t i = 0; i < PLAN_BLOCKS && !err; i++) {
		err = write_there(world, function, PLAN_IOVAS + i * plan->page_size, i);
		if (!err)
			err = write_there(world, function, PLAN_MEMORY + i * plan->page_size, i);
	}
	for (uint32_t i = 0; i < plan->functions_count && !err; i++) {
		if (plan->functions[i].present && plan->functions[i].bar)
			err = write_there(world, function, plan->functions[i].bar, i);
		if (!err)
			err = write_there(world, function,
					  WARD_MODEL_DRIVER_IOVA + i * WARD_MODEL_DRIVER_BYTES, i);
		if (!err)
			err = write_there(world, function,
					  DRIVER_MEMORY + i * WARD_MODEL_DRIVER_BYTES, i);
	}
	return err ? err : ring_all(world, function);
}

/* A client has its vectors enabled, where it can. */
static void enable(struct world *world, uint32_t function)
{
	struct ward_device *device =
		ward_model_executor_device(world->carried->executor, world_index(world, function));
	int32_t eventfds[1] = { world->carried->eventfd };
	const struct ward_irq_set set = {
		.flags = WARD_IRQ_DATA_EVENTFD | WARD_IRQ_TRIGGER,
		.index = WARD_IRQS_MSIX,
		.count = 1,
		.data = eventfds,
		.data_size = sizeof(eventfds),
	};

	if (device && plan_uses_messages(&world->story->plan.functions[function]))
		(void)ward_device_set_irqs(device, &set);
}

static bool is_hostile(const struct world *world, uint32_t function)
{
	const struct ward_function_state *s;

	if (!world->story->plan.functions[function].present)
		return false;
	s = world_function(world, function);
	return s->owner.kind == WARD_OWNER_CLIENT && !s->frozen &&
	       ward_ownership_container(world->own, world_index(world, function)) != WARD_NONE;
}

int carry_try(struct world *world)
{
	const struct plan *plan = &world->story->plan;
	const struct ward_model_temper worst = { .routes_peers = true };
	int err = 0;

	for (uint32_t i = 0; i < world->build.seen->functions_count && !err; i++)
		err = check_holder(world, i);
	if (err)
		return err;
	for (uint32_t i = 0; i < plan->functions_count; i++)
		if (is_hostile(world, i))
			enable(world, i);
	err = carry_landed(world);
	ward_model_set_temper(world->carried->backend, &worst);
	for (uint32_t i = 0; i < plan->functions_count && !err; i++)
		if (is_hostile(world, i))
			err = try_function(world, i);
	if (!err && world->carried->misuse)
		return story_fail(world, "misuse", "%s", world->carried->misuse);
	return err;
}

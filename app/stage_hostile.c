// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A function whose driver does its worst: it writes and reads everything that somebody has, by every
 * address that it can think of, and rings all doorbells with all data. Under its own requester id:
 * that no hardware forges one is an assumption of verdicts.
 */
#include "app/stage_parts.h"

#include "app/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Data of a doorbell, at most; event ids of an ITS that are tried. */
#define DATA_MAX 1020u
#define EVENTS 256u
#define X86_DESTINATIONS 3u

struct hostile {
	struct app_stage *stage;
	struct app_result *result;
	uint32_t function;
	const char *own; /* whose it is */
	int code;
};

static const char *what_of(const struct app_stage *stage, const struct ward_dma_result *dma)
{
	if (dma->end == WARD_DMA_BAR)
		return stage->machine->functions[dma->index].name;
	if (dma->end == WARD_DMA_DOORBELL)
		return stage->machine->controllers[dma->index].name;
	return "memory";
}

static void note_touch(struct hostile *hostile, const char *of, const struct ward_dma *dma,
		       const struct ward_dma_result *done)
{
	struct app_result *result = hostile->result;
	struct app_touched *touched = result->touched;
	uint32_t at = 0;

	while (at < result->touched_count && strcmp(touched[at].who, of) != 0)
		at++;
	if (at == result->touched_count) {
		app_array_grow((void **)&result->touched, at, sizeof(*touched));
		touched = result->touched;
		touched[at].times = 0;
		touched[at].who = app_strdup(of);
		touched[at].how = app_printf("%s %s at 0x%llx%s", dma->write ? "writes" : "reads",
					     what_of(hostile->stage, done),
					     (unsigned long long)ward_iova_raw(dma->address),
					     dma->translated ? ", as translated already" : "");
		result->touched_count++;
	}
	result->touched[at].times++;
}

static void try_dma(struct hostile *hostile, const struct ward_dma *dma)
{
	struct ward_dma_result done;
	const char *of;

	if (hostile->code)
		return;
	hostile->code =
		ward_model_dma(hostile->stage->model->backend, hostile->function, dma, &done);
	hostile->result->tried++;
	if (hostile->code)
		return;
	of = app_stage_whose(hostile->stage, &done);
	/* What is nobody's may be reached, and its own function has it to itself. */
	if (of && strcmp(of, "nobody") != 0 && strcmp(of, hostile->own) != 0)
		note_touch(hostile, of, dma, &done);
}

/* As itself, as if translated already. */
static void try_address(struct hostile *hostile, uint64_t address)
{
	struct ward_dma dma = { .pasid = WARD_PASID_NONE,
				.address = ward_iova(address),
				.size = 4 };

	for (unsigned int way = 0; way < 4; way++) {
		dma.write = way & 1;
		dma.translated = way & 2;
		try_dma(hostile, &dma);
	}
}

static void ring(struct hostile *hostile, uint64_t address, uint32_t data)
{
	const struct ward_dma dma = { .pasid = WARD_PASID_NONE,
				      .address = ward_iova(address),
				      .write = true,
				      .bytes = &data,
				      .size = sizeof(data) };

	try_dma(hostile, &dma);
}

/* Intel SDM 3, 11.11.1; VT-d specification, 5.1.2.2: compatibility and remappable format. */
static void ring_x86(struct hostile *hostile, uint64_t start)
{
	static const uint64_t destinations[X86_DESTINATIONS] = { 0, 1, 0xff };

	for (unsigned int i = 0; i < X86_DESTINATIONS; i++)
		for (uint32_t vector = 0x10; vector < 0x100; vector++)
			ring(hostile, start | destinations[i] << 12, vector);
	for (uint64_t handle = 0; handle < EVENTS; handle++)
		ring(hostile, start | handle << 5 | 1u << 4, 0);
}

static void ring_doorbell(struct hostile *hostile, const struct ward_controller *controller,
			  uint64_t address)
{
	uint32_t first = controller->first_intid, count = controller->intids;

	if (ward_controller_is_x86(controller)) {
		ring_x86(hostile, address);
		return;
	}
	if (controller->kind == WARD_CONTROLLER_GICV3_ITS) {
		first = 0;
		count = EVENTS;
	} else if (!count) {
		first = 32;
		count = DATA_MAX - 32;
	}
	if (count > DATA_MAX)
		count = DATA_MAX;
	for (uint32_t i = 0; i < count; i++)
		ring(hostile, address, first + i);
}

/* By the physical address, and where its own space leads there. */
static void ring_all(struct hostile *hostile)
{
	const struct ward_machine *machine = hostile->stage->machine;

	for (uint32_t i = 0; i < machine->controllers_count; i++) {
		const struct ward_controller *controller = &machine->controllers[i];

		for (uint32_t j = 0; j < controller->doorbells_count; j++) {
			uint64_t at = ward_controller_register(controller, j).start;
			uint64_t mapped = app_stage_address(hostile->stage, hostile->function, at);

			ring_doorbell(hostile, controller, at);
			if (mapped != at)
				ring_doorbell(hostile, controller, mapped);
		}
	}
}

static void try_bars(struct hostile *hostile)
{
	const struct ward_machine *machine = hostile->stage->machine;

	for (uint32_t f = 0; f < machine->functions_count; f++)
		for (unsigned int bar = 0; bar < 6 && f != hostile->function; bar++) {
			const struct ward_bar *at = &machine->functions[f].bar[bar];

			if (!at->io && !ward_range_is_empty(at->range))
				try_address(hostile, at->range.start);
		}
}

static void try_memory(struct hostile *hostile)
{
	const struct app_model *model = hostile->stage->model;

	for (uint32_t i = 0; i < model->clients_count; i++)
		try_address(hostile, model->clients[i].memory.start);
	for (uint32_t f = 0; f < model->machine->functions_count; f++)
		try_address(hostile, ward_model_executor_memory(model->executor, f).start);
	/* What others have in their spaces. */
	try_address(hostile, APP_GUEST_DATA);
	try_address(hostile, WARD_MODEL_DRIVER_IOVA);
}

int app_stage_hostile(struct app_stage *stage, const char *what, struct app_result *result,
		      struct ward_error *error)
{
	struct app_field at = app_stage_field(stage, "hostile");
	struct hostile hostile = { .stage = stage, .result = result };
	char *who = NULL;
	int code = app_stage_function(stage, at.path, what, &hostile.function, error);

	if (code)
		return code;
	hostile.own = app_stage_owner(stage, app_stage_state(stage, hostile.function)->owner);
	code = app_stage_arrivals(stage, &who, NULL);
	free(who);
	who = NULL;
	hostile.code = code;
	ring_all(&hostile);
	try_bars(&hostile);
	try_memory(&hostile);
	code = hostile.code;
	if (!code)
		code = app_stage_arrivals(stage, &who, NULL);
	free(who);
	return code;
}

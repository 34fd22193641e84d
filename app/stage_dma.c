// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A DMA that a function is told to do, and whose what it reaches is. */
#include "app/stage_parts.h"

#include "app/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORD_BYTES 4u

const char *app_dma_end(enum ward_dma_end end)
{
	static const char *const words[] = {
		[WARD_DMA_MEMORY] = "memory",	  [WARD_DMA_BAR] = "bar",
		[WARD_DMA_DOORBELL] = "doorbell", [WARD_DMA_FAULT] = "fault",
		[WARD_DMA_BLOCKED] = "blocked",	  [WARD_DMA_NOWHERE] = "nowhere",
		[WARD_DMA_FROZEN] = "frozen",
	};

	return words[end];
}

uint64_t app_stage_host_memory(const struct app_stage *stage)
{
	return ward_model_executor_memory(stage->model->executor, 0).start;
}

/* Whose a page of the machine's memory is. */
static const char *whose_memory(const struct app_stage *stage, uint64_t physical)
{
	const struct ward_state *state = ward_ownership_state(stage->ownership);

	for (uint32_t i = 0; i < stage->model->clients_count; i++)
		if (ward_range_has(stage->model->clients[i].memory, physical))
			return state->clients[i];
	return "host";
}

const char *app_stage_whose(const struct app_stage *stage, const struct ward_dma_result *dma)
{
	uint32_t function;

	switch (dma->end) {
	case WARD_DMA_MEMORY:
		return whose_memory(stage, dma->target);
	case WARD_DMA_BAR:
		return app_stage_owner(stage, app_stage_state(stage, dma->index)->owner);
	case WARD_DMA_DOORBELL:
		if (ward_model_whose(stage->model->backend, dma->index, &dma->interrupt, &function,
				     NULL, NULL))
			return "nobody";
		return app_stage_owner(stage, app_stage_state(stage, function)->owner);
	case WARD_DMA_FAULT:
	case WARD_DMA_BLOCKED:
	case WARD_DMA_NOWHERE:
	case WARD_DMA_FROZEN:
		break;
	}
	return NULL;
}

/* Where in a space a physical address is mapped. */
static bool find_mapped(const struct ward_space *space, uint64_t physical, uint64_t *ret_address)
{
	struct ward_mapping mapping;
	uint64_t from = 0;

	while (ward_space_next(space, ward_iova(from), &mapping)) {
		uint64_t start = ward_iova_raw(mapping.start), last = ward_iova_raw(mapping.last);
		uint64_t target = ward_target_raw(mapping.target);

		if (target <= physical && physical - target <= last - start) {
			*ret_address = start + (physical - target);
			return true;
		}
		if (last == UINT64_MAX)
			return false;
		from = last + 1;
	}
	return false;
}

uint64_t app_stage_address(const struct app_stage *stage, uint32_t function, uint64_t physical)
{
	struct ward_owner owner = app_stage_state(stage, function)->owner;
	uint32_t container = ward_ownership_container(stage->ownership, function);
	const struct app_client *client;
	uint64_t address = physical;

	if (owner.kind != WARD_OWNER_CLIENT || container >= APP_MODEL_CONTAINERS)
		return physical;
	client = &stage->model->clients[owner.client];
	if (!client->below[container]) {
		if (client->space[container])
			(void)find_mapped(client->space[container], physical, &address);
		return address;
	}
	/* Nested: the guest's stage 1 leads to RAM as it is, and to its doorbell. */
	if (find_mapped(client->below[container], physical, &address) && client->guest &&
	    (address & ~UINT64_C(0xfff)) ==
		    (app_guest_register(&client->guest->controller) & ~UINT64_C(0xfff)))
		return APP_GUEST_DOORBELL_IOVA | (address & 0xfff);
	return address;
}

static int parse_address(const struct app_stage *stage, const char *path, const char *word,
			 uint64_t *ret_address, struct ward_error *error)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(word, &end, 16);
	if (strncmp(word, "0x", 2) != 0 || !word[2] || *end || errno)
		return app_yaml_fail(&stage->script->yaml, error, path,
				     "\"%s\" is no address; write \"0x...\"", word);
	*ret_address = number;
	return 0;
}

static int memory_of(const struct app_stage *stage, const char *path, const char *word,
		     uint64_t *ret_physical, struct ward_error *error)
{
	uint32_t client;
	int code;

	if (strcmp(word, "host") == 0) {
		*ret_physical = app_stage_host_memory(stage);
		return 0;
	}
	code = app_stage_client(stage, path, word, &client, error);
	if (!code)
		*ret_physical = stage->model->clients[client].memory.start;
	return code;
}

static int bar_of(const struct app_stage *stage, const char *path, const char *word,
		  uint64_t *ret_physical, struct ward_error *error)
{
	uint32_t function;
	int code = app_stage_function(stage, path, word, &function, error);

	if (code)
		return code;
	for (unsigned int bar = 0; bar < 6; bar++) {
		const struct ward_bar *at = &stage->machine->functions[function].bar[bar];

		if (!at->io && !ward_range_is_empty(at->range)) {
			*ret_physical = at->range.start;
			return 0;
		}
	}
	return app_yaml_fail(&stage->script->yaml, error, path, "%s has no memory BAR", word);
}

static int find_target(const struct app_stage *stage, const struct app_scenario_dma *what,
		       const char *name, uint32_t function, uint64_t *ret_address,
		       struct ward_error *error)
{
	const char *member = what->memory     ? "memory"
			     : what->bar      ? "bar"
			     : what->doorbell ? "doorbell"
					      : "address";
	struct app_field at = app_stage_field(stage, "%s.%s", name, member);
	uint64_t physical = 0;
	uint32_t controller;
	int code;

	if (what->address)
		return parse_address(stage, at.path, what->address, ret_address, error);
	if (what->memory) {
		code = memory_of(stage, at.path, what->memory, &physical, error);
	} else if (what->bar) {
		code = bar_of(stage, at.path, what->bar, &physical, error);
	} else {
		code = app_stage_controller(stage, at.path, what->doorbell, &controller, error);
		if (!code)
			physical =
				ward_controller_register(&stage->machine->controllers[controller],
							 0)
					.start;
	}
	if (!code)
		*ret_address = app_stage_address(stage, function, physical);
	return code;
}

int app_stage_dma(struct app_stage *stage, const struct app_scenario_dma *what, bool write,
		  struct app_result *result, struct ward_error *error)
{
	const char *name = write ? "write" : "read", *of;
	struct app_field at = app_stage_field(stage, "%s.function", name);
	uint32_t data = what->data;
	struct ward_dma dma = { .pasid = WARD_PASID_NONE, .write = write, .size = WORD_BYTES };
	struct app_reached *reached;
	uint32_t function;
	uint64_t address = 0;
	char *who;
	int code = app_stage_function(stage, at.path, what->function, &function, error);

	if (!code)
		code = find_target(stage, what, name, function, &address, error);
	if (code)
		return code;
	dma.address = ward_iova(address);
	/* Registers of functions are only reached, not changed. */
	dma.bytes = what->bar ? NULL : &data;
	reached = result->reached = app_alloc(1, sizeof(*reached));
	reached->address = address;
	code = ward_model_dma(stage->model->backend, function, &dma, &reached->dma);
	if (code == -EINVAL)
		return app_yaml_fail(&stage->script->yaml, error,
				     app_stage_field(stage, "%s", name).path,
				     "there are no %u bytes at 0x%llx", WORD_BYTES,
				     (unsigned long long)address);
	if (code)
		return code;
	of = app_stage_whose(stage, &reached->dma);
	reached->of = of ? app_strdup(of) : NULL;
	code = app_stage_arrivals(stage, &who, NULL);
	free(who);
	return code;
}

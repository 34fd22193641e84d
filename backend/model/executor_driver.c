// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A driver of the host, as far as others can tell: DMA into memory of its own, and interrupts. */
#include "executor.h"

#include "base/fault.h"
#include "irq.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Config space, and the command register with memory and bus mastering on (PCI 3.0, 6.2.2). */
#define CONFIG_REGION 7u
#define COMMAND 4u
#define COMMAND_ON 0x6u

static uint32_t root_of(uint32_t *together, uint32_t function)
{
	while (together[function] != function) {
		together[function] = together[together[function]];
		function = together[function];
	}
	return function;
}

int ward_model_find_together(struct ward_model_executor *executor)
{
	const struct ward_model *model = executor->model;
	uint32_t count = executor->machine->functions_count, ids[WARD_MODEL_IDS];
	uint32_t *user = ward_alloc_array(model->streams_count, sizeof(*user));
	uint32_t *together = ward_alloc_array(count, sizeof(*together));

	executor->together = together;
	if (!user || !together) {
		free(user);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < model->streams_count; i++)
		user[i] = WARD_NONE;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t found = ward_model_ids(model, i, ids);

		together[i] = i;
		for (uint32_t k = 0; k < found; k++) {
			uint32_t other = user[ids[k]];

			if (other != WARD_NONE)
				together[root_of(together, i)] = root_of(together, other);
			user[ids[k]] = i;
		}
	}
	for (uint32_t i = 0; i < count; i++)
		together[i] = root_of(together, i);
	free(user);
	return 0;
}

/* The space of a driver whose function is seen under a common id; NULL: there is none. */
static struct ward_model_host_space *shared_space(const struct ward_model_executor *executor,
						  uint32_t function)
{
	for (uint32_t i = 0; i < executor->machine->functions_count; i++)
		if (executor->hands[i].host &&
		    executor->together[i] == executor->together[function])
			return executor->hands[i].host;
	return NULL;
}

static int create_space(struct ward_model_executor *executor, uint32_t function,
			struct ward_model_host_space **ret_host)
{
	/* What no IOMMU sees reaches memory as it is. */
	bool translated = executor->model->devices[function]->streams_count > 0;
	const struct ward_space_options options = {
		.size = sizeof(options),
		.kind = translated ? WARD_SPACE_UNMANAGED : WARD_SPACE_IDENTITY,
	};
	struct ward_model_host_space *host = ward_alloc(sizeof(*host));
	int code;

	if (!host)
		return -ENOMEM;
	code = ward_backend_space(executor->backend, &options, &host->space);
	if (code) {
		free(host);
		return code;
	}
	*ret_host = host;
	return 0;
}

static void put_space(struct ward_model_host_space *host)
{
	if (host->users)
		return;
	ward_space_destroy(host->space);
	free(host);
}

static struct ward_mapping mapping_of(const struct ward_model_executor *executor, uint32_t function)
{
	uint64_t iova = WARD_MODEL_DRIVER_IOVA + (uint64_t)function * WARD_MODEL_DRIVER_BYTES;

	return (struct ward_mapping){
		.start = ward_iova(iova),
		.last = ward_iova(iova + WARD_MODEL_DRIVER_BYTES - 1),
		.target = ward_target(ward_model_executor_memory(executor, function).start),
		.access = WARD_READ | WARD_WRITE,
		.type = WARD_NORMAL,
	};
}

static int enter_space(struct ward_model_executor *executor, uint32_t function)
{
	const struct ward_mapping mapping = mapping_of(executor, function);
	struct ward_model_hand *hand = &executor->hands[function];
	struct ward_model_host_space *host = shared_space(executor, function);
	bool translated = executor->model->devices[function]->streams_count > 0;
	int code = host ? 0 : create_space(executor, function, &host);

	if (code)
		return code;
	if (translated)
		code = ward_space_map(host->space, &mapping);
	if (!code) {
		code = ward_device_attach(hand->device, WARD_PASID_NONE, host->space);
		if (code && translated)
			(void)ward_space_unmap(host->space, mapping.start, mapping.last, 0, NULL);
	}
	if (code) {
		put_space(host);
		return code;
	}
	hand->host = host;
	host->users++;
	return 0;
}

static void leave_space(struct ward_model_executor *executor, uint32_t function)
{
	const struct ward_mapping mapping = mapping_of(executor, function);
	struct ward_model_hand *hand = &executor->hands[function];

	if (!hand->host)
		return;
	(void)ward_device_detach(hand->device, WARD_PASID_NONE);
	(void)ward_space_unmap(hand->host->space, mapping.start, mapping.last, 0, NULL);
	hand->host->users--;
	put_space(hand->host);
	hand->host = NULL;
}

static void drop_vectors(struct ward_model_hand *hand)
{
	for (uint32_t i = 0; i < hand->vectors; i++)
		close(hand->eventfds[i]);
	hand->vectors = 0;
	hand->index = WARD_NONE;
}

static int enable(struct ward_model_hand *hand)
{
	const struct ward_irq_set set = {
		.flags = WARD_IRQ_DATA_EVENTFD | WARD_IRQ_TRIGGER,
		.index = hand->index,
		.count = hand->vectors,
		.data = hand->eventfds,
		.data_size = hand->vectors * sizeof(hand->eventfds[0]),
	};

	return ward_device_set_irqs(hand->device, &set);
}

static int open_eventfds(struct ward_model_hand *hand, uint32_t count)
{
	while (hand->vectors < count) {
		int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

		if (fd < 0)
			return -errno;
		hand->eventfds[hand->vectors++] = fd;
	}
	return 0;
}

/* Vectors of one kind: as many as can be had. */
static int take_kind(struct ward_model_hand *hand, uint32_t index, uint32_t wanted)
{
	struct ward_irq_info info = { 0 };
	int code;

	(void)ward_device_irq_info(hand->device, index, &info);
	if (!info.count)
		return -ENOSPC;
	hand->index = index;
	code = open_eventfds(hand, info.count < wanted ? info.count : wanted);
	if (!code)
		code = enable(hand);
	if (code > 0 && code < (int)hand->vectors) {
		while (hand->vectors > (uint32_t)code)
			close(hand->eventfds[--hand->vectors]);
		code = enable(hand);
	}
	if (code)
		drop_vectors(hand);
	return code;
}

/* Out of vectors, or without a controller, is no reason for a driver not to work. */
static int take_vectors(struct ward_model_executor *executor, uint32_t function)
{
	if (executor->names->functions[function].msi_off)
		return 0;
	for (uint32_t index = WARD_IRQS_MSIX; index >= WARD_IRQS_MSI; index--) {
		int code = take_kind(&executor->hands[function], index,
				     executor->options.driver_vectors);

		if (!code || code == -ENOMEM || code == -EMFILE || code == -ENFILE)
			return code;
	}
	return 0;
}

static void switch_on(struct ward_model_executor *executor, uint32_t function)
{
	const uint8_t command[2] = { COMMAND_ON, 0 };

	(void)ward_device_write(executor->hands[function].device, CONFIG_REGION, COMMAND, command,
				sizeof(command));
}

int ward_model_driver_start(struct ward_model_executor *executor, uint32_t function)
{
	int code = enter_space(executor, function);

	if (code)
		return code;
	switch_on(executor, function);
	code = take_vectors(executor, function);
	if (code)
		ward_model_driver_stop(executor, function);
	return code;
}

void ward_model_driver_recover(struct ward_model_executor *executor, uint32_t function)
{
	struct ward_model_hand *hand = &executor->hands[function];

	if (!hand->host || !hand->device)
		return;
	ward_model_hand_silence(executor, function);
	switch_on(executor, function);
	(void)take_vectors(executor, function);
}

void ward_model_driver_stop(struct ward_model_executor *executor, uint32_t function)
{
	ward_model_hand_silence(executor, function);
	leave_space(executor, function);
}

uint64_t ward_model_executor_rung(struct ward_model_executor *executor, uint32_t function)
{
	struct ward_model_hand *hand;
	uint64_t rung = 0;

	if (function >= executor->machine->functions_count)
		return 0;
	hand = &executor->hands[function];
	for (uint32_t i = 0; i < hand->vectors; i++) {
		uint64_t count = 0;

		if (read(hand->eventfds[i], &count, sizeof(count)) == sizeof(count))
			rung += count;
	}
	return rung;
}

void ward_model_hand_silence(struct ward_model_executor *executor, uint32_t function)
{
	struct ward_model_hand *hand = &executor->hands[function];
	const struct ward_model_device *device = executor->model->devices[function];

	if (hand->device && device)
		ward_model_irqs_disable(device->irqs);
	drop_vectors(hand);
}

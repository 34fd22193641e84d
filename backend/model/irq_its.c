// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Driver of a GICv3 ITS, as Linux drivers/irqchip/irq-gic-v3-its.c and -its-msi-parent: one interrupt
 * translation table for each DeviceID, made for all functions that come with it; its EventIDs are a
 * block of LPIs that no other table has, smaller when there are not so many left. A table that several
 * functions share stays when nobody uses it, and cannot grow.
 */
#include "irq.h"

#include "base/fault.h"
#include "emul/controller.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_BITS 16u
/* DeviceID 0 is used by devices behind the back of those who count them. */
#define EVENTS_OF_DEVICE_0 32u
#define ITT_ALIGNMENT 256u

/* Bits of the DeviceIDs that the machine can come with. */
static uint8_t device_bits(const struct ward_machine *facts)
{
	uint64_t last = UINT16_MAX;
	uint8_t bits = 1;

	for (uint32_t i = 0; i < facts->functions_count; i++)
		if (ward_devid_raw(facts->functions[i].devid) > last &&
		    facts->functions[i].controller != WARD_NONE)
			last = ward_devid_raw(facts->functions[i].devid);
	for (uint32_t i = 0; i < facts->id_maps_count; i++) {
		const struct ward_id_map *map = &facts->id_maps[i];
		uint64_t end = (uint64_t)map->output_base + ward_rid_raw(map->last) -
			       ward_rid_raw(map->first);

		if (map->kind == WARD_ID_MAP_MSI && end > last)
			last = end;
	}
	while (bits < 32 && last >> bits)
		bits++;
	return bits;
}

static int create(struct ward_model_chip *chip)
{
	const struct ward_its_options options = {
		.size = sizeof(options),
		.profile = WARD_ITS_ARCHITECTURE,
		.gic = chip->model->host->gic,
		.memory = chip->model->memory,
		.device_bits = device_bits(chip->model->facts),
		.event_bits = EVENT_BITS,
		.exclusive_lpis = true,
	};
	int code = ward_its_create(&options, &chip->its.hardware);

	if (!code)
		ward_emul_set_controller(chip->model->emul, chip->index, &ward_its_doorbell,
					 chip->its.hardware);
	return code;
}

static void free_device(struct ward_model_its_device *device)
{
	free(device->used);
	free(device);
}

static void destroy(struct ward_model_chip *chip)
{
	while (chip->its.list) {
		struct ward_model_its_device *device = chip->its.list;

		chip->its.list = device->next;
		free_device(device);
	}
	ward_its_destroy(chip->its.hardware);
}

/* All functions that this ITS sees with a DeviceID, and the vectors they can want. */
static uint32_t vectors_of(const struct ward_model_chip *chip, ward_devid_t devid, bool *ret_shared)
{
	const struct ward_machine *facts = chip->model->facts;
	uint32_t vectors = 0, functions = 0;

	for (uint32_t i = 0; i < facts->functions_count; i++) {
		const struct ward_function *f = &facts->functions[i];
		uint32_t msi = f->msi ? f->msi_vectors : 0, msix = f->msix ? f->msix_vectors : 0;

		if (f->controller != chip->index ||
		    ward_devid_raw(f->devid) != ward_devid_raw(devid))
			continue;
		vectors += msi > msix ? msi : msix;
		functions++;
	}
	if (!ward_devid_raw(devid) && vectors < EVENTS_OF_DEVICE_0)
		vectors = EVENTS_OF_DEVICE_0;
	*ret_shared = functions > 1;
	return vectors < 2 ? 2 : vectors;
}

/* Takes a block of LPIs, a half when there is no whole one, and so on; 0: there are none. */
static uint32_t take_lpis(struct ward_model_host *host, uint32_t count, uint32_t *ret_first)
{
	uint32_t end = 1u << WARD_MODEL_INTID_BITS;

	for (; count; count /= 2) {
		uint32_t run = 0;

		for (uint32_t lpi = WARD_GIC_FIRST_LPI; lpi < end; lpi++) {
			run = host->lpis[lpi] ? 0 : run + 1;
			if (run < count)
				continue;
			*ret_first = lpi + 1 - count;
			memset(host->lpis + *ret_first, 1, count);
			return count;
		}
	}
	return 0;
}

static int make_itt(struct ward_model_chip *chip, struct ward_model_its_device *device)
{
	uint64_t bytes = ((uint64_t)chip->its.event_entry << device->event_bits);
	int code = ward_model_its_make_room(chip, device->devid);

	device->itt_bytes = ITT_ALIGNMENT;
	while (device->itt_bytes < bytes)
		device->itt_bytes *= 2;
	if (!code)
		code = ward_table_pages_alloc(chip->model->pages, device->itt_bytes, &device->itt);
	if (code)
		return code;
	code = ward_model_its_map_device(chip, device, true);
	if (code)
		ward_table_pages_free(chip->model->pages, device->itt, device->itt_bytes);
	return code;
}

static int add_device(struct ward_model_chip *chip, ward_devid_t devid,
		      struct ward_model_its_device **ret_device)
{
	struct ward_model_host *host = chip->model->host;
	struct ward_model_its_device *device = ward_alloc(sizeof(*device));
	uint32_t events;
	int code = -ENOMEM;

	if (!device)
		return -ENOMEM;
	device->devid = devid;
	events = vectors_of(chip, devid, &device->shared);
	device->event_bits = 1;
	while (device->event_bits < EVENT_BITS && 1u << device->event_bits < events)
		device->event_bits++;
	device->used = ward_alloc_array(1u << device->event_bits, 1);
	if (!device->used)
		goto free_device;
	device->lpis = take_lpis(host, 1u << device->event_bits, &device->first_lpi);
	code = device->lpis ? make_itt(chip, device) : -ENOSPC;
	if (code)
		goto free_lpis;
	device->next = chip->its.list;
	chip->its.list = device;
	*ret_device = device;
	return 0;

free_lpis:
	memset(host->lpis + device->first_lpi, 0, device->lpis);
free_device:
	free_device(device);
	return code;
}

static void remove_device(struct ward_model_chip *chip, struct ward_model_its_device *device)
{
	struct ward_model_its_device **at = &chip->its.list;

	while (*at != device)
		at = &(*at)->next;
	*at = device->next;
	ward_model_its_map_device(chip, device, false);
	ward_table_pages_free(chip->model->pages, device->itt, device->itt_bytes);
	memset(chip->model->host->lpis + device->first_lpi, 0, device->lpis);
	free_device(device);
}

static struct ward_model_its_device *find_device(const struct ward_model_chip *chip,
						 ward_devid_t devid)
{
	struct ward_model_its_device *device = chip->its.list;

	while (device && ward_devid_raw(device->devid) != ward_devid_raw(devid))
		device = device->next;
	return device;
}

static void unmap(struct ward_model_chip *chip, struct ward_model_its_device *device,
		  uint32_t first, uint32_t mapped, uint32_t count)
{
	for (uint32_t i = 0; i < mapped; i++)
		ward_model_its_unmap_event(chip, device, first + i, (first + i) % WARD_MODEL_CPUS);
	ward_model_free_row(device->used, first, count);
	device->used_count -= ward_model_power_of_two(count);
}

static void remove_unused(struct ward_model_chip *chip, struct ward_model_its_device *device)
{
	if (!device->used_count && !device->shared)
		remove_device(chip, device);
}

static int map(struct ward_model_chip *chip, struct ward_model_its_device *device,
	       struct ward_model_vector *vectors, uint32_t count)
{
	uint32_t event;

	if (!ward_model_take_row(device->used, 0, device->lpis, count, &event))
		return -ENOSPC;
	device->used_count += ward_model_power_of_two(count);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t cpu = (event + i) % WARD_MODEL_CPUS;
		int code = ward_model_its_map_event(chip, device, event + i, cpu);

		if (code) {
			unmap(chip, device, event, i, count);
			return code;
		}
		vectors[i].controller = chip->index;
		vectors[i].cpu = cpu;
		vectors[i].event = event + i;
		vectors[i].table = device;
		vectors[i].number = device->first_lpi + event + i;
		vectors[i].message.data = event + i;
	}
	return 0;
}

static int alloc(struct ward_model_chip *chip, const struct ward_model_irqs *irqs,
		 struct ward_model_vector *vectors, uint32_t count)
{
	ward_devid_t devid = chip->model->facts->functions[irqs->device->function].devid;
	struct ward_model_its_device *device = find_device(chip, devid);
	int code = ward_model_its_start(chip);

	if (!code && !device)
		code = add_device(chip, devid, &device);
	if (code)
		return code;
	code = map(chip, device, vectors, count);
	if (code)
		remove_unused(chip, device);
	return code;
}

static void give_back(struct ward_model_chip *chip, const struct ward_model_irqs *irqs,
		      struct ward_model_vector *vectors, uint32_t count)
{
	struct ward_model_its_device *device = vectors[0].table;

	(void)irqs;
	unmap(chip, device, vectors[0].event, count, count);
	remove_unused(chip, device);
}

const struct ward_model_chip_ops ward_model_chip_its = {
	.multi = true,
	.translated = true,
	.create = create,
	.destroy = destroy,
	.alloc = alloc,
	.free = give_back,
};

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What a driver of a GICv3 ITS does with its hardware (Arm IHI 0069: 5.3 commands, 12.18 registers,
 * 6.1 LPIs). Tables lie in the memory for tables and stay there as long as the machine: they are made
 * with the first vector.
 */
#include "irq.h"

#include "base/fault.h"

#include <errno.h>

#define GITS_CTLR 0x0u
#define GITS_TYPER 0x8u
#define GITS_CBASER 0x80u
#define GITS_CWRITER 0x88u
#define GITS_CREADR 0x90u
#define GITS_BASER 0x100u
#define VALID (1ull << 63)
#define INDIRECT (1ull << 62)
#define TYPE_DEVICES 1u
#define TYPE_COLLECTIONS 4u

#define GICR_CTLR 0x0u
#define GICR_PROPBASER 0x70u
#define GICR_PENDBASER 0x78u
#define ENABLE_LPIS 1u
#define PENDING_ZERO (1ull << 62)
#define PENDING_BYTES 0x10000u /* GICR_PENDBASER is aligned to so much */
#define LPI_ENABLED 0xa1u      /* priority 0xa0, enabled */

#define COMMAND_BYTES 32u
#define QUEUE_BYTES 0x1000u
#define SYNC 0x05u
#define MAPD 0x08u
#define MAPC 0x09u
#define MAPTI 0x0au
#define INV 0x0cu
#define DISCARD 0x0fu

#define PAGE 0x1000u
#define TABLE_ENTRY 8u /* of a level-1 table */

static uint64_t read_register(struct ward_its *its, uint32_t offset)
{
	uint8_t bytes[8] = { 0 };
	uint64_t value = 0;

	ward_its_read(its, offset, bytes, sizeof(bytes));
	for (unsigned int i = 0; i < 8; i++)
		value |= (uint64_t)bytes[i] << 8 * i;
	return value;
}

static void to_bytes(uint64_t value, uint8_t bytes[8])
{
	for (unsigned int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
}

static void write_register(struct ward_its *its, uint32_t offset, uint64_t value, size_t size)
{
	uint8_t bytes[8];

	to_bytes(value, bytes);
	ward_its_write(its, offset, bytes, size);
}

static void write_redistributor(struct ward_gic *gic, uint32_t cpu, uint32_t offset, uint64_t value,
				size_t size)
{
	uint8_t bytes[8];

	to_bytes(value, bytes);
	ward_gic_write(gic, cpu, offset, bytes, size);
}

/* One command, and it was done. */
static int submit(struct ward_model_chip *chip, uint64_t word0, uint64_t word1, uint64_t word2)
{
	struct ward_model_its *its = &chip->its;
	const uint64_t words[4] = { word0, word1, word2, 0 };
	struct ward_its_error before = { .count = 0 }, after = { .count = 0 };

	for (unsigned int i = 0; i < 4; i++)
		ward_memory_write_u64(chip->model->memory, its->queue + its->writer + i * 8,
				      words[i]);
	its->writer = (its->writer + COMMAND_BYTES) % QUEUE_BYTES;
	ward_its_error(its->hardware, &before);
	write_register(its->hardware, GITS_CWRITER, its->writer, 8);
	ward_its_error(its->hardware, &after);
	return after.count == before.count &&
			       read_register(its->hardware, GITS_CREADR) == its->writer
		       ? 0
		       : -EIO;
}

/* Where a CPU's redistributor is, for GITS_TYPER.PTA of 0: its number. */
static uint64_t target(uint32_t cpu)
{
	return (uint64_t)cpu << 16;
}

/* Pages that stay: asked for again after a failure, they are there. */
static int keep(struct ward_model *model, uint64_t bytes, uint64_t *ret_address)
{
	return *ret_address ? 0 : ward_table_pages_alloc(model->pages, bytes, ret_address);
}

/* The redistributors' tables: one configuration for all, pending bits for each. */
static int start_lpis(struct ward_model_host *host)
{
	const uint64_t bytes = (1u << WARD_MODEL_INTID_BITS) - WARD_GIC_FIRST_LPI;
	int code = keep(host->model, bytes, &host->lpi_table);

	if (!host->lpis)
		host->lpis = ward_alloc_array(1u << WARD_MODEL_INTID_BITS, 1);
	if (!host->lpis)
		return -ENOMEM;
	for (uint32_t cpu = 0; !code && cpu < WARD_MODEL_CPUS; cpu++)
		code = keep(host->model, PENDING_BYTES, &host->lpi_pending[cpu]);
	for (uint32_t cpu = 0; !code && cpu < WARD_MODEL_CPUS; cpu++) {
		write_redistributor(host->gic, cpu, GICR_PROPBASER,
				    host->lpi_table | (WARD_MODEL_INTID_BITS - 1), 8);
		write_redistributor(host->gic, cpu, GICR_PENDBASER,
				    host->lpi_pending[cpu] | PENDING_ZERO, 8);
		write_redistributor(host->gic, cpu, GICR_CTLR, ENABLE_LPIS, 4);
	}
	return code;
}

static uint64_t power_of_two(uint64_t bytes)
{
	uint64_t power = PAGE;

	while (power < bytes)
		power *= 2;
	return power;
}

/* Level 2 in pages of 4 KiB where all of it would be more than 64 KiB. */
static int make_table(struct ward_model_chip *chip, unsigned int n, uint64_t baser)
{
	struct ward_model_its *its = &chip->its;
	uint32_t type = baser >> 56 & 7, entry = (baser >> 48 & 0x1f) + 1;
	bool indirect = false;
	uint64_t bytes, at;
	int code;

	if (type != TYPE_DEVICES && type != TYPE_COLLECTIONS)
		return 0;
	bytes = type == TYPE_DEVICES ? (uint64_t)entry << its->device_bits
				     : (uint64_t)entry * WARD_MODEL_CPUS;
	if (bytes > 16 * PAGE) {
		indirect = true;
		bytes = bytes / PAGE * TABLE_ENTRY;
	}
	bytes = power_of_two(bytes);
	if (bytes / PAGE > 256)
		return -ENOMEM;
	code = keep(chip->model, bytes, &its->tables[n]);
	if (code)
		return code;
	at = its->tables[n];
	write_register(its->hardware, GITS_BASER + n * 8,
		       VALID | (indirect ? INDIRECT : 0) | at | (bytes / PAGE - 1), 8);
	if (type == TYPE_DEVICES) {
		its->devices = at;
		its->indirect = indirect;
		its->device_entry = entry;
	}
	return 0;
}

static int map_collections(struct ward_model_chip *chip)
{
	int code = 0;

	for (uint32_t cpu = 0; !code && cpu < WARD_MODEL_CPUS; cpu++) {
		code = submit(chip, MAPC, 0, VALID | target(cpu) | cpu);
		if (!code)
			code = submit(chip, SYNC, 0, target(cpu));
	}
	return code;
}

int ward_model_its_start(struct ward_model_chip *chip)
{
	struct ward_model_its *its = &chip->its;
	uint64_t typer = read_register(its->hardware, GITS_TYPER);
	int code = its->started ? 0 : start_lpis(chip->model->host);

	if (code || its->started)
		return code;
	its->event_entry = (typer >> 4 & 0xf) + 1;
	its->device_bits = (typer >> 13 & 0x1f) + 1;
	code = keep(chip->model, QUEUE_BYTES, &its->queue);
	for (unsigned int n = 0; !code && n < WARD_MODEL_ITS_TABLES; n++)
		code = make_table(chip, n, read_register(its->hardware, GITS_BASER + n * 8));
	if (code)
		return code;
	its->writer = 0;
	write_register(its->hardware, GITS_CBASER, VALID | its->queue | (QUEUE_BYTES / PAGE - 1),
		       8);
	write_register(its->hardware, GITS_CWRITER, 0, 8);
	write_register(its->hardware, GITS_CTLR, 1, 4);
	code = map_collections(chip);
	its->started = !code;
	return code;
}

int ward_model_its_make_room(struct ward_model_chip *chip, ward_devid_t devid)
{
	struct ward_model_its *its = &chip->its;
	uint64_t index = ward_devid_raw(devid), at, page;
	int code;

	if (index >> its->device_bits)
		return -EINVAL;
	if (!its->indirect)
		return 0;
	at = its->devices + index / (PAGE / its->device_entry) * TABLE_ENTRY;
	code = ward_memory_read_u64(chip->model->memory, at, &page);
	if (code || page & VALID)
		return code;
	code = ward_table_pages_alloc(chip->model->pages, PAGE, &page);
	return code ? code : ward_memory_write_u64(chip->model->memory, at, page | VALID);
}

int ward_model_its_map_device(struct ward_model_chip *chip,
			      const struct ward_model_its_device *device, bool valid)
{
	uint64_t id = (uint64_t)ward_devid_raw(device->devid) << 32;

	return submit(chip, MAPD | id, device->event_bits - 1, device->itt | (valid ? VALID : 0));
}

static void set_configuration(struct ward_model_host *host, uint32_t lpi, uint8_t byte)
{
	ward_memory_write(host->model->memory, host->lpi_table + lpi - WARD_GIC_FIRST_LPI, &byte,
			  1);
}

int ward_model_its_map_event(struct ward_model_chip *chip,
			     const struct ward_model_its_device *device, uint32_t event,
			     uint32_t cpu)
{
	uint64_t id = (uint64_t)ward_devid_raw(device->devid) << 32;
	uint32_t lpi = device->first_lpi + event;
	int code = submit(chip, MAPTI | id, event | (uint64_t)lpi << 32, cpu);

	if (code)
		return code;
	set_configuration(chip->model->host, lpi, LPI_ENABLED);
	code = submit(chip, INV | id, event, 0);
	return code ? code : submit(chip, SYNC, 0, target(cpu));
}

void ward_model_its_unmap_event(struct ward_model_chip *chip,
				const struct ward_model_its_device *device, uint32_t event,
				uint32_t cpu)
{
	uint64_t id = (uint64_t)ward_devid_raw(device->devid) << 32;

	set_configuration(chip->model->host, device->first_lpi + event, 0);
	submit(chip, INV | id, event, 0);
	submit(chip, DISCARD | id, event, 0);
	submit(chip, SYNC, 0, target(cpu));
}

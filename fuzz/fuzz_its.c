// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * An ITS: its registers, commands, messages, and memory that changes under it; tables that are saved
 * and restored. An input is a byte of options and then steps of 33 bytes. A message comes to what
 * it was said to come to beforehand; with exclusive_lpis, no LPI is two events'.
 */
#include <doorward/its.h>
#include <doorward/memory.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CPUS 3u
#define LPI_BITS 14u
#define BYTES 0x80000u
#define STEPS_MAX 300u
#define RESTORES_MAX 2u
#define VALID (UINT64_C(1) << 63)

/* Memory, from 0: queue, configuration of LPIs, a pending table for each CPU, tables, ITTs. */
#define QUEUE 0x0u
#define CONFIGURATION 0x8000u
#define PENDING 0x10000u
#define DEVICES 0x40000u
#define COLLECTIONS 0x50000u

enum {
	COMMAND,
	MESSAGE,
	WRITE,
	READ,
	MEMORY,
	GIC_WRITE,
	TAKE,
	SAVE,
	RESTORE,
	RESET,
	KINDS,
};

enum {
	OPTION_KVM = 0x1,
	OPTION_STALLS = 0x2,
	OPTION_EXCLUSIVE = 0x4,
	OPTION_RAW = 0x8, /* nothing is set up */
};

struct world {
	struct ward_memory *memory;
	struct ward_gic *gic;
	struct ward_its *its;
	struct ward_its_options options;
	uint32_t head, restores;
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void write_register(struct world *world, uint32_t offset, uint64_t value, size_t size)
{
	(void)ward_its_write(world->its, offset, &value, size);
}

static uint64_t read_register(struct world *world, uint32_t offset)
{
	uint64_t value = 0;

	(void)ward_its_read(world->its, offset, &value, 8);
	return value;
}

static void write_gic(struct world *world, uint32_t cpu, uint32_t offset, uint64_t value,
		      size_t size)
{
	(void)ward_gic_write(world->gic, cpu, offset, &value, size);
}

static void set_up(struct world *world)
{
	uint8_t bytes[256];

	memset(bytes, 0xa3, sizeof(bytes));
	(void)ward_memory_write(world->memory, CONFIGURATION, bytes, sizeof(bytes));
	for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
		write_gic(world, cpu, 0x70, CONFIGURATION | (LPI_BITS - 1), 8);
		write_gic(world, cpu, 0x78, PENDING + cpu * 0x10000, 8);
		write_gic(world, cpu, 0x00, 1, 4);
	}
	write_gic(world, WARD_GIC_DISTRIBUTOR, 0, 0x12, 4);
	write_register(world, 0x100, VALID | DEVICES | 2 << 8, 8);
	write_register(world, 0x108, VALID | COLLECTIONS | 2 << 8, 8);
	write_register(world, 0x80, VALID | QUEUE, 8);
	write_register(world, 0x00, 1, 4);
}

static void make(struct world *world, uint8_t options)
{
	struct ward_gic_options gic = { .size = sizeof(gic),
					.kind = WARD_GIC_V3,
					.cpus = CPUS,
					.interrupts = 64,
					.intid_bits = LPI_BITS };

	memset(world, 0, sizeof(*world));
	require(!ward_memory_create(&world->memory));
	require(!ward_memory_add(world->memory, (struct ward_range){ 0, BYTES - 1 }, 0, NULL));
	gic.memory = world->memory;
	require(!ward_gic_create(&gic, &world->gic));
	world->options = (struct ward_its_options){ .size = sizeof(world->options),
						    .gic = world->gic,
						    .memory = world->memory };
	if (options & OPTION_KVM) {
		world->options.profile = WARD_ITS_KVM;
	} else {
		world->options.stalls = options & OPTION_STALLS;
		world->options.exclusive_lpis = options & OPTION_EXCLUSIVE;
		world->options.device_bits = (uint8_t)(options >> 4 ? 16 + (options >> 4) : 0);
		world->options.event_bits = world->options.device_bits;
	}
	require(!ward_its_create(&world->options, &world->its));
	if (!(options & OPTION_RAW))
		set_up(world);
}

static void finish(struct world *world)
{
	ward_its_destroy(world->its);
	ward_gic_destroy(world->gic);
	ward_memory_destroy(world->memory);
}

static void command(struct world *world, const uint64_t *words)
{
	(void)ward_memory_write(world->memory, QUEUE + world->head, words, 32);
	world->head = (world->head + 32) % 0x1000;
	write_register(world, 0x88, world->head | (words[3] & 1), 8);
	/* What is executed is executed whole: CREADR is in the queue. */
	require((read_register(world, 0x90) & 0xfffe0) <
		((read_register(world, 0x80) & 0xff) + 1) * 0x1000);
}

static void message(struct world *world, uint32_t device, uint32_t event)
{
	struct ward_interrupt before, after;
	int would = ward_its_translate(world->its, ward_devid(device), event, &before);
	int did = ward_its_message(world->its, NULL, ward_devid(device), event, &after);

	require(would == did && before.end == after.end && before.reason == after.reason);
	if (!did)
		return;
	require(before.number == after.number && before.cpu == after.cpu);
	require(after.number >= WARD_GIC_FIRST_LPI && after.number < 1u << LPI_BITS);
	if (after.cpu == WARD_NONE)
		require(world->options.profile == WARD_ITS_KVM);
	else
		require(ward_gic_is_pending(world->gic, after.cpu, after.number));
}

/* Of the events with small ids, which is where inputs put them. */
static void check_exclusive(struct world *world)
{
	static uint8_t seen[1u << LPI_BITS];

	memset(seen, 0, sizeof(seen));
	for (uint32_t device = 0; device < 8; device++) {
		for (uint32_t event = 0; event < 8; event++) {
			struct ward_interrupt interrupt;

			if (ward_its_translate(world->its, ward_devid(device), event, &interrupt))
				require(!seen[interrupt.number]++);
		}
	}
}

/* Another ITS takes over, with the same registers. */
static void restore(struct world *world)
{
	uint64_t baser[2] = { read_register(world, 0x100), read_register(world, 0x108) };
	uint64_t cbaser = read_register(world, 0x80);

	if (world->restores++ >= RESTORES_MAX)
		return;
	ward_its_destroy(world->its);
	require(!ward_its_create(&world->options, &world->its));
	write_register(world, 0x80, cbaser, 8);
	(void)ward_its_set_creadr(world->its, world->head);
	write_register(world, 0x88, world->head, 8);
	write_register(world, 0x100, baser[0], 8);
	write_register(world, 0x108, baser[1], 8);
	(void)ward_its_restore_tables(world->its);
	write_register(world, 0x00, 1, 4);
}

static void step(struct world *world, uint8_t kind, const uint64_t *words)
{
	static const uint8_t sizes[] = { 4, 8, 4, 8, 1, 2, 3, 16 };
	size_t size = sizes[words[2] & 7];
	uint64_t value[2] = { 0, 0 };
	uint32_t intid;

	switch (kind % KINDS) {
	case COMMAND:
		command(world, words);
		break;
	case MESSAGE:
		message(world, (uint32_t)words[0], (uint32_t)words[1]);
		break;
	case WRITE:
		value[0] = words[1];
		(void)ward_its_write(world->its, (uint32_t)words[0], value, size);
		break;
	case READ:
		(void)ward_its_read(world->its, (uint32_t)words[0], value, size);
		break;
	case MEMORY:
		(void)ward_memory_write_u64(world->memory, words[0] & (BYTES - 8), words[1]);
		break;
	case GIC_WRITE:
		value[0] = words[1];
		(void)ward_gic_write(world->gic, (uint32_t)(words[3] % CPUS), (uint32_t)words[0],
				     value, size);
		break;
	case TAKE:
		(void)ward_gic_take(world->gic, (uint32_t)(words[0] % CPUS), &intid);
		break;
	case SAVE:
		(void)ward_its_save_tables(world->its);
		break;
	case RESTORE:
		restore(world);
		break;
	default:
		ward_its_reset(world->its);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world;

	if (size == 0)
		return 0;
	make(&world, data[0]);
	data++, size--;
	for (unsigned int i = 0; i < STEPS_MAX && size >= 33; i++, data += 33, size -= 33) {
		uint64_t words[4];

		memcpy(words, data + 1, sizeof(words));
		step(&world, data[0], words);
	}
	if (world.options.exclusive_lpis)
		check_exclusive(&world);
	finish(&world);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Registers of a GIC and of two GICv2m frames, and interrupts in between. An input is a byte of
 * options and then steps. What a CPU takes must have been pending there, and taking must end.
 */
#include <doorward/gicv2m.h>
#include <doorward/memory.h>

#include <stdlib.h>
#include <string.h>

#include "emul/gic_lpi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CPUS 3u
#define BYTES 0x20000u
#define STEPS_MAX 256u

struct step {
	uint8_t kind, cpu;
	uint16_t intid;
	uint32_t offset;
	uint64_t value;
} __attribute__((packed));

enum {
	WRITE,
	READ,
	FRAME_WRITE,
	FRAME_READ,
	LINE,
	LPI_SET,
	LPI_CLEAR,
	LPI_MOVE,
	LPI_MOVE_ALL,
	LPI_RELOAD,
	LPI_LOAD,
	TAKE,
	END,
	SAVE,
	MEMORY,
	ALLOC,
	KINDS,
};

struct world {
	struct ward_memory *memory;
	struct ward_gic *gic;
	struct ward_gicv2m *frames[2];
	unsigned int told;
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void told(void *context, uint32_t cpu, uint32_t intid)
{
	struct world *world = context;

	require(cpu < CPUS && intid >= WARD_GIC_FIRST_SPI);
	world->told++;
}

static void take(struct world *world, uint32_t cpu)
{
	uint32_t intid;

	for (unsigned int i = 0; i < 0x10000 && !ward_gic_take(world->gic, cpu, &intid); i++) {
		require(intid >= WARD_GIC_FIRST_SPI && intid <= 65535);
		/* A level may be pending still: it is active now and not taken again. */
		if (intid >= WARD_GIC_FIRST_LPI)
			require(!ward_gic_is_pending(world->gic, cpu, intid));
		require(i < 0xffff);
	}
}

static void access(struct world *world, const struct step *step)
{
	static const uint8_t sizes[] = { 1, 2, 4, 8 };
	uint32_t cpu = step->cpu % 4 ? step->cpu % 4 - 1 : WARD_GIC_DISTRIBUTOR;
	size_t size = sizes[step->cpu >> 2 & 3];
	uint8_t bytes[8];

	memcpy(bytes, &step->value, sizeof(bytes));
	switch (step->kind) {
	case WRITE:
		(void)ward_gic_write(world->gic, cpu, step->offset, bytes, size);
		break;
	case READ:
		(void)ward_gic_read(world->gic, cpu, step->offset, bytes, size);
		break;
	case FRAME_WRITE:
		ward_gicv2m_write(world->frames[step->cpu & 1], step->offset, bytes, size, NULL);
		break;
	default:
		(void)ward_gicv2m_read(world->frames[step->cpu & 1], step->offset, bytes, size);
		break;
	}
}

static void alloc(struct world *world, const struct step *step)
{
	uint32_t count = 1u << step->cpu % 12, frame, intid;

	if (ward_gicv2m_alloc(world->frames, 2, step->cpu >> 7, step->intid & 1, count, &frame,
			      &intid))
		return;
	require(intid % count == 0 && frame < 2);
	if (step->offset & 1)
		ward_gicv2m_free(world->frames[frame], intid, count);
}

static void run(struct world *world, const struct step *step)
{
	uint32_t cpu = step->cpu & 3, to = step->cpu >> 2 & 3;

	switch (step->kind) {
	case LINE:
		(void)ward_gic_set_spi(world->gic, step->intid, step->offset & 1);
		break;
	case LPI_SET:
		ward_gic_lpi_set(world->gic, cpu, step->intid, NULL);
		break;
	case LPI_CLEAR:
		ward_gic_lpi_clear(world->gic, cpu, step->intid);
		break;
	case LPI_MOVE:
		ward_gic_lpi_move(world->gic, cpu, to, step->intid);
		break;
	case LPI_MOVE_ALL:
		ward_gic_lpi_move_all(world->gic, cpu, to);
		break;
	case LPI_RELOAD:
		(void)ward_gic_lpi_reload(world->gic, cpu, step->intid);
		break;
	case LPI_LOAD:
		(void)ward_gic_lpi_load_pending(world->gic, cpu, step->intid);
		break;
	case TAKE:
		take(world, cpu);
		break;
	case END:
		(void)ward_gic_end(world->gic, cpu, step->intid);
		break;
	case SAVE:
		(void)ward_gic_save_pending(world->gic);
		break;
	case MEMORY:
		(void)ward_memory_write(world->memory, step->offset, &step->value, 8);
		break;
	case ALLOC:
		alloc(world, step);
		break;
	default:
		access(world, step);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = { 0 };
	struct ward_gic_options options = {
		.size = sizeof(options),
		.cpus = CPUS,
		.interrupts = 160,
		.raised = told,
		.context = &world,
	};

	if (size < 1 + sizeof(struct step))
		return 0;
	options.kind = data[0] & 1 ? WARD_GIC_V3 : WARD_GIC_V2;
	options.intid_bits = (data[0] & 3) == 3 ? 14 + (data[0] >> 2) % 3 : 0;
	require(!ward_memory_create(&world.memory));
	require(!ward_memory_add(world.memory, (struct ward_range){ 0, BYTES - 1 }, 0, NULL));
	options.memory = world.memory;
	require(!ward_gic_create(&options, &world.gic));
	require(!ward_gicv2m_create(world.gic, 33, 31, &world.frames[0]));
	require(!ward_gicv2m_create(world.gic, 96, 64, &world.frames[1]));
	data++, size--;
	for (unsigned int i = 0; i < STEPS_MAX && size >= sizeof(struct step); i++) {
		struct step step;

		memcpy(&step, data, sizeof(step));
		step.kind %= KINDS;
		run(&world, &step);
		data += sizeof(step), size -= sizeof(step);
	}
	for (uint32_t cpu = 0; cpu < CPUS; cpu++)
		take(&world, cpu);
	ward_gicv2m_destroy(world.frames[0]);
	ward_gicv2m_destroy(world.frames[1]);
	ward_gic_destroy(world.gic);
	ward_memory_destroy(world.memory);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Interrupt remapping and APICs: registers of a VT-d, entries in memory, messages of anybody. An input
 * is a byte of options and then steps. A message that is asked for must come to what was foretold,
 * with what is cached as without, and be requested at as many CPUs as are told.
 */
#include <doorward/memory.h>

#include <stdlib.h>
#include <string.h>

#include "emul/vtd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CPUS 4u
#define BYTES 0x10000u /* of memory, from 0: whatever the registers say is there */
#define STEPS_MAX 256u

#define GCMD 0x18u
#define QIE (1u << 26)
#define IRE (1u << 25)
#define SIRTP (1u << 24)
#define CFI (1u << 23)
#define PRESENT 1u

#define OPTION_X2APIC 0x1u
#define OPTION_EXTENDED 0x2u
#define OPTION_FORMAT 0x4u

struct step {
	uint8_t kind, size;
	uint16_t rid;
	uint32_t data;
	uint64_t at, value;
} __attribute__((packed));

enum {
	WRITE,	 /* registers: at, value */
	MEMORY,	 /* eight bytes: at, value */
	MESSAGE, /* at: address */
	ADDRESS, /* of CPU rid: value */
	TAKE,
	KINDS,
};

struct world {
	struct ward_memory *memory;
	struct ward_apics *apics;
	struct ward_vtd *unit;
	struct ward_vtd *units[1];
	struct ward_apic_controller controller;
	bool stale; /* memory changed since everything was forgotten */
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void make(struct world *world, uint8_t options)
{
	const struct ward_apics_options apics = {
		.size = sizeof(apics),
		.cpus = CPUS,
		.extended_destination = options & OPTION_EXTENDED,
		.x2apic_format = options & OPTION_FORMAT,
	};
	struct ward_vtd_options unit = {
		.address_bits = 39,
		.output_bits = 39,
		.remaps_interrupts = true,
		.x2apic = options & OPTION_X2APIC,
	};

	require(ward_memory_create(&world->memory) == 0);
	require(ward_memory_add(world->memory, (struct ward_range){ 0, BYTES - 1 }, 0, NULL) == 0);
	require(ward_apics_create(&apics, &world->apics) == 0);
	unit.memory = world->memory;
	require(ward_vtd_create(&unit, &world->unit) == 0);
	require(ward_vtd_write(world->unit, GCMD, 4, QIE | SIRTP | IRE) == 0);
	world->units[0] = world->unit;
	world->controller = (struct ward_apic_controller){ world->apics, world->units, 1 };
}

static bool is_same(const struct ward_interrupt *a, const struct ward_interrupt *b)
{
	return a->end == b->end && a->reason == b->reason && a->number == b->number &&
	       a->cpu == b->cpu && a->cpus == b->cpus;
}

/* No entry admits more than it says, and none that memory does not have. */
static void check_admitted(struct world *world, const struct ward_emul_message *message)
{
	uint64_t irta, gsts, low, high, at;
	uint32_t address = (uint32_t)message->address;
	uint32_t index = (address >> 5 & 0x7fff) | (address >> 2 & 1) << 15;

	require(ward_vtd_read(world->unit, 0x1c, 4, &gsts) == 0);
	require(ward_vtd_read(world->unit, 0xb8, 8, &irta) == 0);
	if (!(gsts & IRE))
		return;
	if (!(address & 0x10)) {
		require(gsts & CFI);
		return;
	}
	index += address & 8 ? message->data : 0;
	at = (irta & ~UINT64_C(0xfff)) + index * 16;
	require(ward_memory_read_u64(world->memory, at, &low) == 0);
	require(ward_memory_read_u64(world->memory, at + 8, &high) == 0);
	require(low & PRESENT && index < 2u << (irta & 0xf));
	if ((high >> 16 & 0xf) == 0x4)
		require((high & 0xffff) == ward_rid_raw(message->rid));
}

static void send(struct world *world, const struct step *step)
{
	struct ward_emul_message message = {
		.address = 0xfee00000u | (step->at & 0xfffff) | (step->at & ~UINT64_C(0xffffffff)),
		.data = step->data,
		.size = step->size % 8 ? 4 : step->size,
		.rid = ward_rid(step->rid),
		.probe = true,
	};
	struct ward_interrupt would = { .number = 0 }, is = { .number = 0 };
	struct ward_vtd_counts before, after;
	uint32_t pending = 0;

	ward_vtd_counts(world->unit, &before);
	ward_apic_doorbell.write(&world->controller, &message, &would);
	ward_vtd_counts(world->unit, &after);
	require(memcmp(&before, &after, sizeof(before)) == 0);
	message.probe = false;
	ward_apic_doorbell.write(&world->controller, &message, &is);
	require(is_same(&would, &is));
	if (is.end == WARD_INTERRUPT_PENDING && is.reason == WARD_REASON_NONE) {
		for (uint32_t cpu = 0; cpu < CPUS; cpu++)
			pending += ward_apics_is_pending(world->apics, cpu, is.number);
		require(is.cpus > 0 && is.cpus <= pending && is.number >= 16);
		require(ward_apics_is_pending(world->apics, is.cpu, is.number));
	}
	if (is.end == WARD_INTERRUPT_BLOCKED)
		require(is.cpus == 0 && is.reason != WARD_REASON_NONE);
	else if (is.reason != WARD_REASON_SIZE && !world->stale)
		check_admitted(world, &message);
}

static void address(struct world *world, const struct step *step)
{
	const struct ward_apic_address how = {
		.id = (uint32_t)step->value,
		.x2apic = step->value >> 32 & 1,
		.logical = (uint8_t)(step->value >> 40),
		.cluster = step->value >> 33 & 1,
		.off = step->value >> 34 & 1,
	};

	(void)ward_apics_set_address(world->apics, step->rid % (CPUS + 1), &how);
}

static void run(struct world *world, const struct step *step)
{
	uint32_t vector;

	switch (step->kind % KINDS) {
	case WRITE:
		/* What is latched changes with SIRTP alone, and this forgets all. */
		world->stale |= (step->at & 0x3fc) == 0xb8 || (step->at & 0x3fc) == 0xbc;
		(void)ward_vtd_write(world->unit, (uint32_t)(step->at & 0x3fc),
				     step->size & 8 ? 8 : 4, step->value);
		if ((step->at & 0x3fc) == GCMD && step->value & SIRTP)
			world->stale = false;
		break;
	case MEMORY:
		if (ward_memory_write_u64(world->memory, step->at % (BYTES / 8) * 8, step->value) ==
		    0)
			world->stale = true;
		break;
	case MESSAGE:
		send(world, step);
		break;
	case ADDRESS:
		address(world, step);
		break;
	default:
		while (ward_apics_take(world->apics, step->rid % CPUS, &vector) == 0)
			require(!ward_apics_is_pending(world->apics, step->rid % CPUS, vector));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = { .stale = false };
	struct step step;

	if (size < 1)
		return 0;
	make(&world, data[0]);
	data++;
	size--;
	for (unsigned int i = 0; i < STEPS_MAX && size >= sizeof(step); i++) {
		memcpy(&step, data, sizeof(step));
		run(&world, &step);
		data += sizeof(step);
		size -= sizeof(step);
	}
	ward_vtd_destroy(world.unit);
	ward_apics_destroy(world.apics);
	ward_memory_destroy(world.memory);
	return 0;
}

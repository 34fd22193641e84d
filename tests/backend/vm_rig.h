/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A guest of the model, and its driver: memory with the tables of ITS and LPIs, the distributor
 * switched on, events mapped to LPIs.
 */
#ifndef TESTS_BACKEND_VM_RIG_H
#define TESTS_BACKEND_VM_RIG_H

#include <doorward/backend/model.h>
#include <doorward/memory.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VM_RAM UINT64_C(0x40000000)
#define VM_RAM_BYTES UINT64_C(0x100000)
#define VM_DEVICES (VM_RAM + 0x00000)
#define VM_COLLECTIONS (VM_RAM + 0x10000)
#define VM_QUEUE (VM_RAM + 0x20000)
#define VM_QUEUE_BYTES 0x10000u
#define VM_CONFIGURATION (VM_RAM + 0x30000)
#define VM_PENDING(cpu) (VM_RAM + 0x40000 + (cpu)*UINT64_C(0x10000))
#define VM_ITT (VM_RAM + 0x80000)
#define VM_ITT_BYTES 0x800u

struct vm_rig {
	struct ward_vm *vm;
	struct ward_memory *memory;
	struct ward_readers *readers;
	struct ward_reader *reader; /* who dispatches */
	struct ward_vm_parts parts;
	bool v2;
	uint32_t cpus;
	bool its_on;
	uint8_t mapped[64]; /* devices */
	uint64_t queue_at;
};

static inline int vm_rig_make(struct vm_rig *rig, const struct ward_vm_options *options)
{
	const struct ward_range ram = { VM_RAM, VM_RAM + VM_RAM_BYTES - 1 };
	int code;

	*rig = (struct vm_rig){ .v2 = options->controller == WARD_VM_GICV2, .cpus = options->cpus };
	assert_int_equal(ward_memory_create(&rig->memory), 0);
	assert_int_equal(ward_memory_add(rig->memory, ram, 0, NULL), 0);
	assert_int_equal(ward_readers_create(&rig->readers), 0);
	assert_int_equal(ward_reader_create(rig->readers, &rig->reader), 0);
	code = ward_vm_model(options, rig->memory, rig->readers, &rig->vm);
	if (code) {
		ward_reader_destroy(rig->reader);
		ward_readers_destroy(rig->readers);
		ward_memory_destroy(rig->memory);
	}
	return code;
}

static inline void vm_rig_end(struct vm_rig *rig)
{
	ward_vm_destroy(rig->vm);
	ward_reader_destroy(rig->reader);
	ward_readers_destroy(rig->readers);
	ward_memory_destroy(rig->memory);
}

static inline void vm_rig_gic(struct vm_rig *rig, uint32_t cpu, uint32_t offset, uint64_t value,
			      size_t size)
{
	assert_int_equal(ward_gic_write(rig->parts.gic, cpu, offset, &value, size), 0);
}

static inline void vm_rig_its(struct vm_rig *rig, uint32_t offset, uint64_t value, size_t size)
{
	assert_int_equal(ward_its_write(rig->parts.its, offset, &value, size), 0);
}

/* LPIs on at every CPU, none enabled. */
static inline void vm_rig_lpis(struct vm_rig *rig)
{
	for (uint32_t cpu = 0; cpu < rig->cpus; cpu++) {
		vm_rig_gic(rig, cpu, 0x70, VM_CONFIGURATION | 15, 8);
		vm_rig_gic(rig, cpu, 0x78, VM_PENDING(cpu), 8);
		vm_rig_gic(rig, cpu, 0x0, 1, 4);
	}
}

static inline int vm_rig_start(struct vm_rig *rig)
{
	int code = ward_vm_start(rig->vm);

	if (code)
		return code;
	assert_int_equal(ward_vm_model_parts(rig->vm, &rig->parts), 0);
	if (rig->parts.gic)
		vm_rig_gic(rig, WARD_GIC_DISTRIBUTOR, 0, rig->v2 ? 0x1 : 0x13, 4);
	if (rig->parts.its)
		vm_rig_lpis(rig);
	return 0;
}

/* An SPI that goes to a CPU and is enabled. */
static inline void vm_rig_spi(struct vm_rig *rig, uint32_t intid, uint32_t cpu, bool level)
{
	uint32_t bit = intid % 16 * 2 + 1;
	uint32_t configuration = 0;

	assert_int_equal(ward_gic_read(rig->parts.gic, WARD_GIC_DISTRIBUTOR, 0xc00 + intid / 16 * 4,
				       &configuration, 4),
			 0);
	configuration = (configuration & ~(1u << bit)) | (level ? 0 : 1u << bit);
	vm_rig_gic(rig, WARD_GIC_DISTRIBUTOR, 0xc00 + intid / 16 * 4, configuration, 4);
	if (rig->v2)
		vm_rig_gic(rig, WARD_GIC_DISTRIBUTOR, 0x800 + intid, 1u << cpu, 1);
	else
		vm_rig_gic(rig, WARD_GIC_DISTRIBUTOR, 0x6000 + intid * 8, cpu, 8);
	vm_rig_gic(rig, WARD_GIC_DISTRIBUTOR, 0x100 + intid / 32 * 4, 1u << intid % 32, 4);
}

static inline void vm_rig_command(struct vm_rig *rig, uint64_t dw0, uint64_t dw1, uint64_t dw2)
{
	const uint64_t command[4] = { dw0, dw1, dw2, 0 };

	assert_int_equal(ward_memory_write(rig->memory, VM_QUEUE + rig->queue_at, command,
					   sizeof(command)),
			 0);
	rig->queue_at = (rig->queue_at + sizeof(command)) % VM_QUEUE_BYTES;
	vm_rig_its(rig, 0x88, rig->queue_at, 8);
}

/* Tables, queue, and a collection for each CPU, of its number. */
static inline void vm_rig_its_on(struct vm_rig *rig)
{
	const uint64_t valid = UINT64_C(1) << 63, pages_64k = UINT64_C(2) << 8;

	if (rig->its_on)
		return;
	rig->its_on = true;
	vm_rig_its(rig, 0x100, valid | VM_DEVICES | pages_64k, 8);
	vm_rig_its(rig, 0x108, valid | VM_COLLECTIONS | pages_64k, 8);
	vm_rig_its(rig, 0x80, valid | VM_QUEUE | (VM_QUEUE_BYTES / 4096 - 1), 8);
	vm_rig_its(rig, 0x0, 1, 4);
	for (uint32_t cpu = 0; cpu < rig->cpus; cpu++)
		vm_rig_command(rig, 0x09, 0, valid | (uint64_t)cpu << 16 | cpu);
}

/* MAPD of 128 events where there was none, MAPTI, INV. */
static inline void vm_rig_map(struct vm_rig *rig, uint32_t device, uint32_t event, uint32_t lpi,
			      uint32_t cpu)
{
	const uint8_t enabled = 0xa1;
	const uint64_t id = (uint64_t)device << 32;

	assert_true(device < sizeof(rig->mapped));
	vm_rig_its_on(rig);
	assert_int_equal(ward_memory_write(rig->memory, VM_CONFIGURATION + lpi - 8192, &enabled, 1),
			 0);
	if (!rig->mapped[device])
		vm_rig_command(rig, 0x08 | id, 6,
			       UINT64_C(1) << 63 | (VM_ITT + device * VM_ITT_BYTES));
	rig->mapped[device] = 1;
	vm_rig_command(rig, 0x0a | id, (uint64_t)lpi << 32 | event, cpu);
	vm_rig_command(rig, 0x0c | id, event, 0);
}

#endif

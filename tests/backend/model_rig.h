/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A model for tests: a machine of tests/isolate/make.h, RAM at 2 GiB, tables beside it. A caller's
 * mistake that the model sees is counted.
 */
#ifndef TESTS_BACKEND_MODEL_RIG_H
#define TESTS_BACKEND_MODEL_RIG_H

#include <doorward/backend/model.h>
#include <doorward/memory.h>

#include "isolate/make.h"

#define RAM 0x80000000ull
#define RAM_SIZE 0x100000ull
#define TABLES 0x90000000ull
#define TABLES_SIZE 0x400000ull

struct rig {
	struct make make;
	struct ward_memory *memory;
	struct ward_backend *backend;
	unsigned char *ram;
	uint32_t misuses;
};

static inline void rig_misused(void *context, const char *how)
{
	struct rig *rig = context;

	assert_true(*how);
	rig->misuses++;
}

static inline void rig_memory(struct rig *rig)
{
	const struct ward_range ram = { RAM, RAM + RAM_SIZE - 1 };
	const struct ward_range tables = { TABLES, TABLES + TABLES_SIZE - 1 };

	assert_int_equal(ward_memory_create(&rig->memory), 0);
	assert_int_equal(ward_memory_add(rig->memory, ram, 0, NULL), 0);
	assert_int_equal(ward_memory_add(rig->memory, tables, 0, NULL), 0);
	rig->ram = ward_memory_at(rig->memory, ram, true);
	assert_non_null(rig->ram);
}

/* make is filled and not done yet. */
static inline void rig_start(struct rig *rig)
{
	const struct ward_range tables = { TABLES, TABLES + TABLES_SIZE - 1 };
	struct ward_error why = { "" };

	make_done(&rig->make);
	rig->misuses = 0;
	rig_memory(rig);
	if (ward_backend_model(rig->make.machine, rig->memory, tables, &rig->backend, &why))
		fail_msg("%s", why.text);
	ward_model_police(rig->backend, rig_misused, rig);
}

static inline void rig_end(struct rig *rig)
{
	ward_backend_destroy(rig->backend);
	ward_memory_destroy(rig->memory);
	make_free(&rig->make);
}

static inline uint32_t rig_function(struct rig *rig, const char *address)
{
	struct ward_address parsed;

	assert_int_equal(ward_address_parse(address, &parsed), 0);
	return ward_machine_find(rig->make.machine, parsed);
}

static inline struct ward_device *rig_open(struct rig *rig, const char *name)
{
	struct ward_error why = { "" };
	struct ward_device *device = NULL;

	if (ward_device_open(rig->backend, name, &device, &why))
		fail_msg("%s", why.text);
	return device;
}

static inline struct ward_space *rig_space(struct rig *rig, enum ward_space_kind kind)
{
	struct ward_space_options options = { .size = sizeof(options), .kind = kind };
	struct ward_space *space = NULL;

	assert_int_equal(ward_backend_space(rig->backend, &options, &space), 0);
	return space;
}

/* One page, at a target. */
static inline int rig_map(struct ward_space *space, uint64_t iova, uint64_t target)
{
	const struct ward_mapping mapping = {
		.start = ward_iova(iova),
		.last = ward_iova(iova + 0xfff),
		.target = ward_target(target),
		.access = WARD_READ | WARD_WRITE,
		.type = WARD_NORMAL,
	};

	return ward_space_map(space, &mapping);
}

static inline struct ward_dma_result rig_dma(struct rig *rig, const char *function, uint64_t iova,
					     bool write, void *bytes, size_t size)
{
	struct ward_dma_result result = { 0 };
	const struct ward_dma dma = {
		.pasid = WARD_PASID_NONE,
		.address = ward_iova(iova),
		.write = write,
		.bytes = bytes,
		.size = size,
	};

	assert_int_equal(ward_model_dma(rig->backend, rig_function(rig, function), &dma, &result),
			 0);
	return result;
}

/* What becomes of a write of eight bytes. */
static inline enum ward_dma_end rig_write(struct rig *rig, const char *function, uint64_t iova)
{
	uint64_t word = 0x1122334455667788;

	return rig_dma(rig, function, iova, true, &word, sizeof(word)).end;
}

/* Two cards behind ports of their own, and a third behind a bridge to conventional PCI. */
static inline void rig_cards(struct rig *rig, void (*make)(struct make *m))
{
	make(&rig->make);
	root_port(&rig->make, "00:1c.0", 1, ACS_ON);
	root_port(&rig->make, "00:1d.0", 2, ACS_ON);
	root_port_to(&rig->make, "00:1e.0", 3, 4, ACS_ON);
	endpoint(&rig->make, "01:00.0");
	endpoint(&rig->make, "02:00.0");
	pcie_to_pci(&rig->make, "03:00.0", 4);
	conventional(&rig->make, "04:01.0");
	conventional(&rig->make, "04:02.0");
}

/* Once over an SMMUv3, once over VT-d; more adds to the machine. */
static inline void rig_on_both(void (*more)(struct make *m), void (*body)(struct rig *rig))
{
	for (unsigned int kind = 0; kind < 2; kind++) {
		struct rig rig = { 0 };

		rig_cards(&rig, kind ? make_x86 : make_arm_its);
		if (more)
			more(&rig.make);
		rig_start(&rig);
		body(&rig);
		rig_end(&rig);
	}
}

#endif

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* An ITS over a GIC of four CPUs, with memory for its queue and tables, and how software drives it. */
#ifndef TESTS_EMUL_ITS_RIG_H
#define TESTS_EMUL_ITS_RIG_H

#include <doorward/its.h>
#include <doorward/memory.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define RIG_CPUS 4u
/* Memory: 32 MiB from 1 GiB. */
#define RIG_MEMORY 0x40000000ull
#define RIG_BYTES 0x2000000ull
#define RIG_QUEUE (RIG_MEMORY)
#define RIG_PROPBASE (RIG_MEMORY + 0x100000)
#define RIG_PENDBASE (RIG_MEMORY + 0x200000) /* 64 KiB a CPU */
#define RIG_DEVICES (RIG_MEMORY + 0x300000)
#define RIG_COLLECTIONS (RIG_MEMORY + 0x400000)
#define RIG_LEVEL2 (RIG_MEMORY + 0x500000)
#define RIG_ITTS (RIG_MEMORY + 0x800000)
#define RIG_LPI_BITS 16u

#define GITS_CTLR 0x0000u
#define GITS_IIDR 0x0004u
#define GITS_TYPER 0x0008u
#define GITS_STATUSR 0x0040u
#define GITS_CBASER 0x0080u
#define GITS_CWRITER 0x0088u
#define GITS_CREADR 0x0090u
#define GITS_BASER(n) (0x0100u + (n)*8u)
#define VALID (1ull << 63)
#define INDIRECT (1ull << 62)

struct rig {
	struct ward_memory *memory;
	struct ward_gic *gic;
	struct ward_its *its;
	uint64_t queue_bytes, head;
};

static inline uint64_t rig_read(struct rig *rig, uint32_t offset)
{
	uint64_t value = 0;

	assert_int_equal(ward_its_read(rig->its, offset, &value, 8), 0);
	return value;
}

static inline uint32_t rig_read32(struct rig *rig, uint32_t offset)
{
	uint32_t value = 0;

	assert_int_equal(ward_its_read(rig->its, offset, &value, 4), 0);
	return value;
}

static inline void rig_write(struct rig *rig, uint32_t offset, uint64_t value)
{
	assert_int_equal(ward_its_write(rig->its, offset, &value, 8), 0);
}

static inline void rig_write32(struct rig *rig, uint32_t offset, uint32_t value)
{
	assert_int_equal(ward_its_write(rig->its, offset, &value, 4), 0);
}

static inline void rig_gicr(struct rig *rig, uint32_t cpu, uint32_t offset, uint64_t value,
			    size_t size)
{
	assert_int_equal(ward_gic_write(rig->gic, cpu, offset, &value, size), 0);
}

/* All LPIs enabled, LPIs on at all CPUs. */
static inline void rig_gic(struct rig *rig)
{
	struct ward_gic_options options = { .size = sizeof(options),
					    .kind = WARD_GIC_V3,
					    .cpus = RIG_CPUS,
					    .interrupts = 64,
					    .intid_bits = RIG_LPI_BITS,
					    .memory = rig->memory };
	static uint8_t enabled[(1u << RIG_LPI_BITS) - 8192];

	memset(enabled, 0xa3, sizeof(enabled));
	assert_int_equal(ward_memory_write(rig->memory, RIG_PROPBASE, enabled, sizeof(enabled)), 0);
	assert_int_equal(ward_gic_create(&options, &rig->gic), 0);
	for (uint32_t cpu = 0; cpu < RIG_CPUS; cpu++) {
		rig_gicr(rig, cpu, 0x70, RIG_PROPBASE | (RIG_LPI_BITS - 1), 8);
		rig_gicr(rig, cpu, 0x78, RIG_PENDBASE + cpu * 0x10000ull, 8);
		rig_gicr(rig, cpu, 0x00, 1, 4);
	}
	rig_gicr(rig, WARD_GIC_DISTRIBUTOR, 0, 0x12, 4);
}

/* As rig_setup, with options but gic and memory; pages of GITS_BASER<0>. Not enabled yet. */
static inline void rig_setup_with(struct rig *rig, const struct ward_its_options *how)
{
	struct ward_its_options options = *how;

	memset(rig, 0, sizeof(*rig));
	assert_int_equal(ward_memory_create(&rig->memory), 0);
	assert_int_equal(ward_memory_add(rig->memory,
					 (struct ward_range){ RIG_MEMORY,
							      RIG_MEMORY + RIG_BYTES - 1 },
					 0, NULL),
			 0);
	rig_gic(rig);
	options.size = sizeof(options);
	options.gic = rig->gic;
	options.memory = rig->memory;
	assert_int_equal(ward_its_create(&options, &rig->its), 0);
	/* 65,536 DeviceIDs flat, 8192 collections, a queue of 4 KiB: 128 commands. */
	rig_write(rig, GITS_BASER(0), VALID | RIG_DEVICES | 2 << 8 | 7);
	rig_write(rig, GITS_BASER(1), VALID | RIG_COLLECTIONS | 2 << 8 | 0);
	rig->queue_bytes = 0x1000;
	rig_write(rig, GITS_CBASER, VALID | RIG_QUEUE | 0);
}

static inline void rig_setup(struct rig *rig, enum ward_its_profile profile)
{
	struct ward_its_options options = { .profile = profile };

	rig_setup_with(rig, &options);
	rig_write32(rig, GITS_CTLR, 1);
}

static inline void rig_teardown(struct rig *rig)
{
	ward_its_destroy(rig->its);
	ward_gic_destroy(rig->gic);
	ward_memory_destroy(rig->memory);
}

/* Puts a command into the queue; GITS_CWRITER is not written. */
static inline void rig_put(struct rig *rig, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
	const uint64_t words[4] = { w0, w1, w2, w3 };

	assert_int_equal(ward_memory_write(rig->memory, RIG_QUEUE + rig->head, words, 32), 0);
	rig->head = (rig->head + 32) % rig->queue_bytes;
}

static inline void rig_kick(struct rig *rig)
{
	rig_write(rig, GITS_CWRITER, rig->head);
}

static inline uint64_t rig_errors(const struct rig *rig)
{
	struct ward_its_error error = { .count = 0 };

	(void)ward_its_error(rig->its, &error);
	return error.count;
}

#define RIG_OK 0xffffffffu

/* Executes a command; its syndrome (0: in error without one), or RIG_OK. */
static inline uint32_t rig_run(struct rig *rig, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
	uint64_t before = rig_errors(rig);
	struct ward_its_error error = { .count = 0 };

	rig_put(rig, w0, w1, w2, w3);
	rig_kick(rig);
	(void)ward_its_error(rig->its, &error);
	return error.count == before ? RIG_OK : error.syndrome;
}

static inline uint64_t rig_ids(uint32_t opcode, uint32_t device)
{
	return opcode | (uint64_t)device << 32;
}

static inline uint32_t rig_mapd(struct rig *rig, uint32_t device, uint64_t itt, unsigned int bits)
{
	return rig_run(rig, rig_ids(0x08, device), bits - 1, VALID | itt, 0);
}

static inline uint32_t rig_unmapd(struct rig *rig, uint32_t device)
{
	return rig_run(rig, rig_ids(0x08, device), 0, 0, 0);
}

static inline uint32_t rig_mapc(struct rig *rig, uint16_t icid, uint64_t cpu)
{
	return rig_run(rig, 0x09, 0, VALID | cpu << 16 | icid, 0);
}

static inline uint32_t rig_unmapc(struct rig *rig, uint16_t icid)
{
	return rig_run(rig, 0x09, 0, icid, 0);
}

static inline uint32_t rig_mapti(struct rig *rig, uint32_t device, uint32_t event, uint32_t intid,
				 uint16_t icid)
{
	return rig_run(rig, rig_ids(0x0a, device), event | (uint64_t)intid << 32, icid, 0);
}

static inline uint32_t rig_mapi(struct rig *rig, uint32_t device, uint32_t event, uint16_t icid)
{
	return rig_run(rig, rig_ids(0x0b, device), event, icid, 0);
}

static inline uint32_t rig_movi(struct rig *rig, uint32_t device, uint32_t event, uint16_t icid)
{
	return rig_run(rig, rig_ids(0x01, device), event, icid, 0);
}

/* INT 3, CLEAR 4, INV 0xc, DISCARD 0xf. */
static inline uint32_t rig_event(struct rig *rig, uint32_t opcode, uint32_t device, uint32_t event)
{
	return rig_run(rig, rig_ids(opcode, device), event, 0, 0);
}

static inline uint32_t rig_invall(struct rig *rig, uint16_t icid)
{
	return rig_run(rig, 0x0d, 0, icid, 0);
}

static inline uint32_t rig_movall(struct rig *rig, uint64_t from, uint64_t to)
{
	return rig_run(rig, 0x0e, 0, from << 16, to << 16);
}

static inline uint32_t rig_sync(struct rig *rig, uint64_t cpu)
{
	return rig_run(rig, 0x05, 0, cpu << 16, 0);
}

/* Sends a message; its reason, or WARD_REASON_NONE when it is pending. */
static inline enum ward_interrupt_reason rig_message(struct rig *rig, uint32_t device,
						     uint32_t event)
{
	struct ward_interrupt interrupt;
	int sent = ward_its_message(rig->its, NULL, ward_devid(device), event, &interrupt);

	assert_int_equal(sent, interrupt.end == WARD_INTERRUPT_PENDING);
	assert_int_equal(sent, interrupt.reason == WARD_REASON_NONE);
	return interrupt.reason;
}

/* Whether an LPI is pending at a CPU, and at no other; it is not so afterwards. */
static inline bool rig_took(struct rig *rig, uint32_t cpu, uint32_t intid)
{
	uint32_t taken;

	for (uint32_t i = 0; i < RIG_CPUS; i++) {
		if (ward_gic_is_pending(rig->gic, i, intid) != (i == cpu))
			return false;
	}
	return ward_gic_take(rig->gic, cpu, &taken) == 0 && taken == intid;
}

static inline bool rig_pending_nowhere(const struct rig *rig, uint32_t intid)
{
	for (uint32_t i = 0; i < RIG_CPUS; i++) {
		if (ward_gic_is_pending(rig->gic, i, intid))
			return false;
	}
	return true;
}

static inline uint64_t rig_load(const struct rig *rig, uint64_t address)
{
	uint64_t value;

	assert_int_equal(ward_memory_read_u64(rig->memory, address, &value), 0);
	return value;
}

static inline void rig_store(const struct rig *rig, uint64_t address, uint64_t value)
{
	assert_int_equal(ward_memory_write_u64(rig->memory, address, value), 0);
}

#endif

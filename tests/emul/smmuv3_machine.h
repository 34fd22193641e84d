/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A machine memory with an SMMUv3 in front of it, programmed as a driver does. */
#ifndef TESTS_EMUL_SMMUV3_MACHINE_H
#define TESTS_EMUL_SMMUV3_MACHINE_H

#include "emul/smmuv3.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dma/stage1_reference.h"

#define PAGE 0x1000ull
#define RAM 0x80000000ull
#define RAM_SIZE 0x400000ull
/* What is where. */
#define STREAMS RAM		     /* stream table; two-level: the first level */
#define LEAF_STREAMS (RAM + 0x40000) /* second level */
#define COMMANDS (RAM + 0x10000)
#define EVENTS (RAM + 0x11000)
#define CONTEXTS (RAM + 0x12000)
#define STAGE1(level) (RAM + 0x20000 + (uint64_t)(level)*PAGE)
#define STAGE2(level) (RAM + 0x30000 + (uint64_t)(level)*2 * PAGE)
#define DATA (RAM + 0x100000)

#define STREAM_BITS 8u
#define COMMAND_BITS 4u
#define EVENT_BITS 3u
#define SID 0x42u

/* Registers */
#define CR0 0x020u
#define CR0ACK 0x024u
#define CR2 0x02cu
#define GBPA 0x044u
#define GERROR 0x060u
#define GERRORN 0x064u
#define STRTAB_BASE 0x080u
#define STRTAB_BASE_CFG 0x088u
#define CMDQ_BASE 0x090u
#define CMDQ_PROD 0x098u
#define CMDQ_CONS 0x09cu
#define EVENTQ_BASE 0x0a0u
#define EVENTQ_PROD 0x100a8u
#define EVENTQ_CONS 0x100acu

#define ON 0x1u
#define EVENTS_ON 0x4u
#define COMMANDS_ON 0x8u
#define ATSCHK 0x10u

struct box {
	uint8_t bytes[RAM_SIZE];
	struct ward_memory *memory;
	struct ward_smmuv3 *smmu;
	struct ward_smmuv3_options options;
	struct ward_fault fault; /* the last one */
	struct ward_translation translation;
	bool deaf; /* devices do not answer */
	unsigned int invalidations;
	ward_sid_t invalidated;
	struct ward_range invalidated_range;
};

static struct box box;

static inline void put(uint64_t at, uint64_t value)
{
	ref_store(box.bytes, at - RAM, value);
}

static inline uint64_t peek(uint64_t at)
{
	uint64_t value;

	assert_int_equal(ward_memory_read_u64(box.memory, at, &value), 0);
	return value;
}

static inline void reg(uint32_t offset, uint64_t value)
{
	unsigned int size =
		offset == STRTAB_BASE || offset == CMDQ_BASE || offset == EVENTQ_BASE ? 8 : 4;

	assert_int_equal(ward_smmuv3_write(box.smmu, offset, size, value), 0);
}

static inline uint32_t get(uint32_t offset)
{
	uint64_t value;

	assert_int_equal(ward_smmuv3_read(box.smmu, offset, 4, &value), 0);
	return (uint32_t)value;
}

static inline bool invalidate_device(void *context, ward_sid_t sid, struct ward_range range)
{
	assert_ptr_equal(context, &box);
	box.invalidations++;
	box.invalidated = sid;
	box.invalidated_range = range;
	return !box.deaf;
}

/* Puts a command, and has it run. */
static inline void command(uint64_t word0, uint64_t word1)
{
	uint32_t prod = get(CMDQ_PROD), mask = (2u << COMMAND_BITS) - 1;
	uint64_t at = COMMANDS + (prod & mask >> 1) * 16;

	put(at, word0);
	put(at + 8, word1);
	reg(CMDQ_PROD, (prod + 1) & mask);
}

static inline void done(uint64_t word0, uint64_t word1)
{
	command(word0, word1);
	assert_int_equal(get(CMDQ_CONS), get(CMDQ_PROD));
}

static inline void sync(void)
{
	done(0x46, 0);
}

/* The next event, or false. */
static inline bool next_event(uint64_t *ret_words)
{
	uint32_t prod = get(EVENTQ_PROD), cons = get(EVENTQ_CONS), mask = (2u << EVENT_BITS) - 1;

	if (((prod ^ cons) & mask) == 0)
		return false;
	for (unsigned int i = 0; i < 4; i++)
		ret_words[i] = peek(EVENTS + (cons & mask >> 1) * 32 + i * 8);
	reg(EVENTQ_CONS, (cons & ~mask) | ((cons + 1) & mask));
	return true;
}

static inline void no_event(void)
{
	uint64_t words[4];

	assert_false(next_event(words));
}

static inline int dma_of(const struct ward_emul_request *request)
{
	return ward_smmuv3_iommu.translate(box.smmu, request, &box.translation, &box.fault);
}

static inline int dma(uint32_t sid, uint32_t pasid, uint64_t iova, uint32_t access)
{
	const struct ward_emul_request request = {
		.sid = ward_sid(sid),
		.pasid = ward_pasid(pasid),
		.iova = ward_iova(iova),
		.access = access,
	};

	return dma_of(&request);
}

#define NO_PASID UINT32_MAX

static inline void leads(uint32_t sid, uint64_t iova, uint64_t target)
{
	if (dma(sid, NO_PASID, iova, WARD_READ))
		fail_msg("%llx: fault %d of stage %d, level %d", (unsigned long long)iova,
			 (int)box.fault.reason, box.fault.stage, box.fault.level);
	assert_int_equal(ward_target_raw(box.translation.target), target);
}

static inline void faults(uint32_t sid, uint64_t iova, enum ward_fault_reason reason)
{
	assert_int_equal(dma(sid, NO_PASID, iova, WARD_READ), -EFAULT);
	assert_int_equal(box.fault.reason, reason);
	assert_int_equal(ward_iova_raw(box.fault.iova), iova);
}

static inline uint64_t ste_at(uint32_t sid)
{
	return STREAMS + sid * 64ull;
}

#define BYPASS 4u
#define ONE 5u
#define TWO 6u
#define BOTH 7u

/* A stream with the tables below; vmid 7. */
static inline void put_ste(uint64_t at, unsigned int config)
{
	put(at, 1 | config << 1 | CONTEXTS);
	put(at + 8, 0);
	/* 40 bits from level 1, PS 44 bits, AA64, S2R */
	put(at + 16, 7 | 24ull << 32 | 1ull << 38 | 4ull << 48 | 1ull << 51 | 1ull << 58);
	put(at + 24, STAGE2(1));
}

static inline void put_context(uint64_t at, uint16_t asid)
{
	put(at, 16 | 1ull << 31 | 4ull << 32 | 1ull << 41 | 3ull << 45 | (uint64_t)asid << 48 |
			1ull << 30); /* EPD1, V, IPS 44, AA64, R, A */
	put(at + 8, STAGE1(0));
	put(at + 16, 0);
	put(at + 24, 0x0404ff);
}

#define LEAF1 0xc43ull /* nG, AF, unprivileged, writable, attribute 0 */
#define LEAF2 0x7ffull /* AF, inner shareable, read and write, write-back */

/* Stage 1: 0x1000 and so on to DATA, page by page. Stage 2: RAM to itself, in pages of 2 MiB. */
static inline void put_tables(void)
{
	put(STAGE1(0), STAGE1(1) | 3);
	put(STAGE1(1), STAGE1(2) | 3);
	put(STAGE1(2), STAGE1(3) | 3);
	for (uint64_t i = 0; i < 512; i++)
		put(STAGE1(3) + i * 8, (DATA + i * PAGE) | LEAF1);
	put(STAGE2(1) + 2 * 8, STAGE2(3) | 3);
	for (uint64_t i = 0; i < RAM_SIZE >> 21; i++)
		put(STAGE2(3) + i * 8, (RAM + (i << 21)) | (LEAF2 & ~2ull));
}

/* With the SMMU off still; bits of CR0 come later. */
static inline void make_box(void)
{
	box.options = (struct ward_smmuv3_options){
		.memory = box.memory,
		.features = {
			.output_bits = 44,
			.granules = 7,
			.substream_bits = 8,
			.two_level_contexts = true,
			.stage1 = true,
			.stage2 = true,
		},
		.stream_bits = STREAM_BITS,
		.command_bits = COMMAND_BITS,
		.event_bits = EVENT_BITS,
		.ats = true,
		.invalidate_device = invalidate_device,
		.context = &box,
	};
	assert_int_equal(ward_smmuv3_create(&box.options, &box.smmu), 0);
}

static inline void start(void)
{
	reg(CR2, 0x2); /* RECINVSID */
	reg(STRTAB_BASE, STREAMS);
	reg(STRTAB_BASE_CFG, STREAM_BITS);
	reg(CMDQ_BASE, COMMANDS | COMMAND_BITS);
	reg(EVENTQ_BASE, EVENTS | EVENT_BITS);
	reg(CR0, COMMANDS_ON);
	done(0x04, 31);
	done(0x30, 0);
	sync();
	reg(CR0, COMMANDS_ON | EVENTS_ON);
	reg(CR0, COMMANDS_ON | EVENTS_ON | ATSCHK | ON);
	assert_int_equal(get(CR0ACK), COMMANDS_ON | EVENTS_ON | ATSCHK | ON);
}

static inline int setup(void **state)
{
	(void)state;
	memset(&box, 0, sizeof(box));
	assert_int_equal(ward_memory_create(&box.memory), 0);
	assert_int_equal(ward_memory_add(box.memory, (struct ward_range){ RAM, RAM + RAM_SIZE - 1 },
					 0, box.bytes),
			 0);
	make_box();
	put_tables();
	put_context(CONTEXTS, 3);
	start();
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	ward_smmuv3_iommu.destroy(box.smmu);
	ward_memory_destroy(box.memory);
	return 0;
}

#define BOX_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif

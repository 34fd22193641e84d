// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The emulated SMMUv3: registers, streams, and every event with its exact record. */
#include "emul/smmuv3_machine.h"

#include "sweep.h"

#define IOVA 0x5678ull
#define LED (DATA + 0x5678)

static void test_registers(void **state)
{
	static const struct {
		uint32_t offset, value;
	} ids[] = {
		{ 0x000, 0x0d4c1c1b }, /* with ATS, both stages, two-level everything */
		{ 0x004,
		  0x08000000 | COMMAND_BITS << 21 | EVENT_BITS << 16 | 8 << 6 | STREAM_BITS },
		{ 0x00c, 0x404 },
		{ 0x014, 0x74 },
		{ 0x01c, 0x02 },
	};
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		assert_int_equal(get(ids[i].offset), ids[i].value);
		reg(ids[i].offset, 0xffffffff);
		assert_int_equal(get(ids[i].offset), ids[i].value);
	}
	/* While it is on, tables and queues stay where they are. */
	reg(STRTAB_BASE, 0);
	reg(STRTAB_BASE_CFG, 0);
	reg(CMDQ_BASE, 0);
	reg(EVENTQ_BASE, 0);
	reg(EVENTQ_PROD, 3);
	reg(CMDQ_CONS, 0);
	reg(CR2, 0);
	assert_int_equal(ward_smmuv3_read(box.smmu, STRTAB_BASE, 8, &value), 0);
	assert_int_equal(value, STREAMS);
	assert_int_equal(get(STRTAB_BASE_CFG), STREAM_BITS);
	assert_int_equal(get(CMDQ_BASE), (uint32_t)COMMANDS | COMMAND_BITS);
	assert_int_equal(get(EVENTQ_BASE), (uint32_t)EVENTS | EVENT_BITS);
	assert_int_equal(get(EVENTQ_PROD), 0);
	assert_int_equal(get(CMDQ_CONS), 3);
	assert_int_equal(get(CR2), 2);
	/* Off, they may be set, by halves, too; reserved bits stay clear. */
	reg(CR0, 0);
	assert_int_equal(get(CR0ACK), 0);
	assert_int_equal(ward_smmuv3_write(box.smmu, STRTAB_BASE, 8, UINT64_MAX), 0);
	assert_int_equal(ward_smmuv3_read(box.smmu, STRTAB_BASE, 8, &value), 0);
	assert_int_equal(value, 0x400fffffffffffc0);
	assert_int_equal(ward_smmuv3_write(box.smmu, STRTAB_BASE + 4, 4, 0x12345), 0);
	assert_int_equal(ward_smmuv3_read(box.smmu, STRTAB_BASE, 8, &value), 0);
	assert_int_equal(value, 0x00012345ffffffc0);
	assert_int_equal(get(STRTAB_BASE + 4), 0x12345);
	reg(CR0, 0xffffffe2);
	assert_int_equal(get(CR0), 0);
}

static void test_no_register(void **state)
{
	static const struct {
		uint32_t offset;
		unsigned int size;
	} rows[] = {
		{ 0x048, 4 }, { 0x020, 8 }, { 0x020, 2 }, { 0x020, 1 },	     { 0x022, 4 },
		{ 0x084, 8 }, { 0x0a8, 4 }, { 0x0c0, 8 }, { 0x1fffc, 4 },    { 0x100a8, 8 },
		{ 0x000, 0 }, { 0xffc, 4 }, { 0x080, 3 }, { 0xfffffffc, 4 }, { 0x100b0, 4 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t value = 1;

		assert_int_equal(ward_smmuv3_read(box.smmu, rows[i].offset, rows[i].size, &value),
				 -EINVAL);
		assert_int_equal(value, 0);
		assert_int_equal(ward_smmuv3_write(box.smmu, rows[i].offset, rows[i].size, 1),
				 -EINVAL);
	}
}

/* Off: GBPA alone decides. */
static void test_off(void **state)
{
	(void)state;
	reg(CR0, COMMANDS_ON | EVENTS_ON);
	leads(SID, 0x123456, 0x123456);
	assert_int_equal(box.translation.type, WARD_NORMAL);
	leads(0xffffffff, 0x123456, 0x123456);
	faults(SID, 1ull << 44, WARD_FAULT_ADDRESS_SIZE);
	reg(GBPA, 0x100000);
	assert_int_equal(get(GBPA), 0x1000);
	leads(SID, 0x123456, 0x123456);
	reg(GBPA, 0x80000011);
	assert_int_equal(get(GBPA), 0x11);
	leads(SID, 0x123456, 0x123456);
	assert_int_equal(box.translation.type, WARD_DEVICE_NGNRE);
	reg(GBPA, 0x80100000);
	assert_int_equal(get(GBPA), 0x100000);
	faults(SID, 0x123456, WARD_FAULT_BLOCKED);
	no_event();
	/* On, it says nothing. */
	put_ste(ste_at(SID), BYPASS);
	reg(CR0, COMMANDS_ON | EVENTS_ON | ON);
	leads(SID, 0x123456, 0x123456);
}

static void test_configurations(void **state)
{
	(void)state;
	for (unsigned int config = 0; config < 4; config++) {
		put_ste(ste_at(config), config);
		faults(config, IOVA, WARD_FAULT_BLOCKED);
	}
	no_event();
	put_ste(ste_at(4), BYPASS);
	leads(4, LED, LED);
	assert_int_equal(box.translation.type, WARD_NORMAL);
	assert_int_equal(box.translation.access, WARD_READ | WARD_WRITE | WARD_EXEC);
	put_ste(ste_at(5), ONE);
	leads(5, IOVA, LED);
	assert_int_equal(box.translation.input.start, 0x5000);
	assert_int_equal(box.translation.input.last, 0x5fff);
	put_ste(ste_at(6), TWO);
	leads(6, LED, LED);
	assert_int_equal(box.translation.input.start, RAM);
	assert_int_equal(box.translation.input.last, RAM + 0x1fffff);
	put_ste(ste_at(7), BOTH);
	leads(7, IOVA, LED);
	assert_int_equal(box.translation.input.start, 0x5000);
	assert_int_equal(box.translation.input.last, 0x5fff);
	no_event();
}

/* A type of its own (MTCFG) holds where stage 1 gives no other. */
static void test_types(void **state)
{
	(void)state;
	for (unsigned int config = BYPASS; config <= BOTH; config++) {
		put_ste(ste_at(config), config);
		put(ste_at(config) + 8, 1ull << 36 | 2ull << 32);
		leads(config, config & 1 ? IOVA : LED, LED);
		assert_int_equal(box.translation.type, config & 1 ? WARD_NORMAL : WARD_DEVICE_NGRE);
	}
	/* Stage 2's device type wins over normal memory of stage 1; cached, too. */
	put(STAGE2(3), RAM | (LEAF2 & ~0x3eull) | 1 << 2);
	done(0x30, 0);
	sync();
	for (unsigned int i = 0; i < 2; i++) {
		leads(BOTH, IOVA, LED);
		assert_int_equal(box.translation.type, WARD_DEVICE_NGNRE);
	}
}

/* One event: all four words. */
static void expect_event(uint8_t id, uint32_t sid, uint64_t word1, uint64_t input, uint64_t word3)
{
	uint64_t words[4];

	if (!next_event(words))
		fail_msg("no event %#x", id);
	assert_int_equal(words[0], id | (uint64_t)sid << 32);
	assert_int_equal(words[1], word1);
	assert_int_equal(words[2], input);
	assert_int_equal(words[3], word3);
	no_event();
}

#define RNW (1ull << 35)
#define S2 (1ull << 39)
#define CLASS_CD 0ull
#define CLASS_TT (1ull << 40)
#define CLASS_IN (2ull << 40)
#define TTRNW (1ull << 44)

static void test_bad_streams(void **state)
{
	(void)state;
	faults(0x100, IOVA, WARD_FAULT_CONFIG);
	expect_event(0x02, 0x100, 0, 0, 0);
	faults(0xffffffff, IOVA, WARD_FAULT_CONFIG);
	expect_event(0x02, 0xffffffff, 0, 0, 0);
	faults(SID, IOVA, WARD_FAULT_CONFIG);
	expect_event(0x04, SID, 0, 0, 0);
	reg(CR0, COMMANDS_ON | EVENTS_ON);
	reg(STRTAB_BASE_CFG, 6); /* fewer than it could be */
	reg(CR2, 0);
	reg(CR0, COMMANDS_ON | EVENTS_ON | ON);
	/* Without RECINVSID nothing is said. */
	faults(0x40, IOVA, WARD_FAULT_CONFIG);
	no_event();
	put_ste(ste_at(0x3f), BYPASS);
	leads(0x3f, LED, LED);
	reg(CR0, COMMANDS_ON | EVENTS_ON);
	reg(STRTAB_BASE, RAM + RAM_SIZE);
	reg(CR0, COMMANDS_ON | EVENTS_ON | ON);
	faults(2, IOVA, WARD_FAULT_TABLE);
	assert_int_equal(box.fault.fetch, RAM + RAM_SIZE + 2 * 64);
	expect_event(0x03, 2, 0, 0, RAM + RAM_SIZE + 2 * 64);
}

static void test_two_levels(void **state)
{
	static const struct {
		uint32_t split, sid, span;
		bool bad;
	} rows[] = {
		{ 6, 0x42, 7, false }, { 6, 0x42, 0, true },	{ 6, 0x42, 8, true },
		{ 6, 0x42, 2, true },  { 6, 0x42, 3, false },	{ 6, 0x41, 2, false },
		{ 6, 0x40, 1, false }, { 6, 0x41, 1, true },	{ 6, 0x42, 31, true },
		{ 8, 0x42, 9, false }, { 8, 0x42, 10, true },	{ 8, 0x42, 8, false },
		{ 8, 0x42, 7, true },  { 10, 0x42, 11, false }, { 10, 0x42, 12, true },
		{ 7, 0x42, 7, false }, /* reserved: as 6 */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t split = rows[i].split == 7 ? 6 : rows[i].split;

		reg(CR0, COMMANDS_ON | EVENTS_ON);
		reg(STRTAB_BASE_CFG, STREAM_BITS | rows[i].split << 6 | 1 << 16);
		reg(CR0, COMMANDS_ON | EVENTS_ON | ON);
		done(0x04, 31);
		put(STREAMS + (rows[i].sid >> split) * 8, LEAF_STREAMS | rows[i].span);
		put_ste(LEAF_STREAMS + (rows[i].sid & ((1u << split) - 1)) * 64, BYPASS);
		if (rows[i].bad) {
			faults(rows[i].sid, LED, WARD_FAULT_CONFIG);
			expect_event(0x02, rows[i].sid, 0, 0, 0);
		} else {
			leads(rows[i].sid, LED, LED);
		}
	}
	put(STREAMS, (RAM + RAM_SIZE) | 3);
	done(0x04, 31);
	faults(0, LED, WARD_FAULT_TABLE);
	expect_event(0x03, 0, 0, 0, RAM + RAM_SIZE);
}

static void test_substreams(void **state)
{
	uint64_t words[4];

	(void)state;
	put_ste(ste_at(SID), ONE);
	/* No PASIDs at all, of whatever configuration. */
	assert_int_equal(dma(SID, 0, IOVA, WARD_READ), -EFAULT);
	assert_int_equal(box.fault.reason, WARD_FAULT_PASID);
	assert_true(next_event(words));
	assert_int_equal(words[0], 0x08 | (uint64_t)SID << 32);
	put_ste(ste_at(SID + 1), TWO);
	assert_int_equal(dma(SID + 1, 0xfffff, LED, WARD_READ), -EFAULT);
	assert_true(next_event(words));
	assert_int_equal(words[0], 0x08 | 0xfffffull << 12 | (uint64_t)(SID + 1) << 32);
	/* Two bits of them; without one there is nothing (S1DSS 0), */
	put(ste_at(SID), peek(ste_at(SID)) | 2ull << 59);
	done(0x03 | (uint64_t)SID << 32, 1);
	sync();
	put_context(CONTEXTS + 2 * 64, 9);
	assert_int_equal(dma(SID, 2, IOVA, WARD_WRITE), 0);
	assert_int_equal(dma(SID, 4, IOVA, WARD_READ), -EFAULT);
	assert_true(next_event(words));
	assert_int_equal(words[0], 0x08 | 4 << 12 | (uint64_t)SID << 32);
	faults(SID, IOVA, WARD_FAULT_PASID);
	expect_event(0x06, SID, 0, 0, 0);
	/* no stage 1 (1), */
	put(ste_at(SID) + 8, 1);
	done(0x03 | (uint64_t)SID << 32, 1);
	leads(SID, LED, LED);
	/* or context 0 (2), which then is not PASID 0's. */
	put(ste_at(SID) + 8, 2);
	done(0x03 | (uint64_t)SID << 32, 1);
	leads(SID, IOVA, LED);
	assert_int_equal(dma(SID, 0, IOVA, WARD_READ), -EFAULT);
	assert_true(next_event(words));
	assert_int_equal(words[0], 0x06 | 1 << 11 | (uint64_t)SID << 32);
	assert_int_equal(dma(SID, 2, IOVA, WARD_READ), 0);
	no_event();
	/* Context 0 by way of a first level that does not have it: no substream is to be had. */
	put(ste_at(SID), peek(ste_at(SID)) | 1 << 4 | 7ull << 59);
	put(CONTEXTS, 0);
	done(0x03 | (uint64_t)SID << 32, 1);
	faults(SID, IOVA, WARD_FAULT_PASID);
	expect_event(0x08, SID, 0, 0, 0);
	/* Or one that has it beyond all addresses there can be. */
	put(CONTEXTS, 1 | 1ull << 44);
	faults(SID, IOVA, WARD_FAULT_PASID);
	expect_event(0x08, SID, 0, 0, 0);
	put(ste_at(SID), 1 | ONE << 1 | CONTEXTS | 2ull << 59);
	done(0x03 | (uint64_t)SID << 32, 1);
	/* A PASID's own fault names it. */
	assert_int_equal(dma(SID, 2, 1ull << 40, WARD_WRITE), -EFAULT);
	assert_true(next_event(words));
	assert_int_equal(words[0], 0x10 | 1 << 11 | 2 << 12 | (uint64_t)SID << 32);
	assert_int_equal(words[1], CLASS_IN);
}

static void test_context_events(void **state)
{
	(void)state;
	put_ste(ste_at(SID), ONE);
	put(CONTEXTS, 0);
	faults(SID, IOVA, WARD_FAULT_CONTEXT);
	expect_event(0x0a, SID, 0, 0, 0);
	put(ste_at(SID), 1 | ONE << 1 | (RAM + RAM_SIZE));
	done(0x03 | (uint64_t)SID << 32, 1);
	faults(SID, IOVA, WARD_FAULT_TABLE);
	expect_event(0x09, SID, 0, 0, RAM + RAM_SIZE);
	/* Not even mapped at stage 2: that is a fault of stage 2. */
	put_ste(ste_at(SID), BOTH);
	put(ste_at(SID), 1 | BOTH << 1 | (RAM + RAM_SIZE));
	done(0x03 | (uint64_t)SID << 32, 1);
	faults(SID, IOVA, WARD_FAULT_TRANSLATION);
	assert_int_equal(box.fault.fault_class, WARD_CLASS_CONTEXT);
	expect_event(0x10, SID, RNW | S2 | CLASS_CD, IOVA, RAM + RAM_SIZE);
}

static void test_stage1_events(void **state)
{
	uint64_t beyond = RAM + RAM_SIZE;

	(void)state;
	put_ste(ste_at(SID), ONE);
	for (unsigned int level = 0; level < 4; level++) {
		uint64_t at = STAGE1(level) + (level == 3 ? 5 * 8 : 0), good = peek(at);

		put(at, 0);
		faults(SID, IOVA, WARD_FAULT_TRANSLATION);
		assert_int_equal(box.fault.level, level);
		expect_event(0x10, SID, RNW | CLASS_IN, IOVA, 0);
		assert_int_equal(dma(SID, NO_PASID, IOVA, WARD_WRITE), -EFAULT);
		expect_event(0x10, SID, CLASS_IN, IOVA, 0);
		put(at, good | 1ull << 45);
		faults(SID, IOVA, WARD_FAULT_ADDRESS_SIZE);
		expect_event(0x11, SID, RNW | CLASS_IN, IOVA, 0);
		if (level < 3) {
			put(at, beyond | 3);
			faults(SID, IOVA, WARD_FAULT_TABLE);
			expect_event(0x0b, SID, RNW | CLASS_TT, IOVA,
				     beyond + (level == 2 ? 5 * 8 : 0));
		}
		put(at, good);
	}
	put(STAGE1(3) + 5 * 8, (DATA + 5 * PAGE) | (LEAF1 & ~0x400ull));
	faults(SID, IOVA, WARD_FAULT_ACCESS_FLAG);
	expect_event(0x12, SID, RNW | CLASS_IN, IOVA, 0);
	put(STAGE1(3) + 5 * 8, (DATA + 5 * PAGE) | LEAF1 | 0x80);
	assert_int_equal(dma(SID, NO_PASID, IOVA, WARD_WRITE), -EFAULT);
	expect_event(0x13, SID, CLASS_IN, IOVA, 0);
	/* R clear: faults are not recorded; what is wrong with the context itself is. */
	put(CONTEXTS, peek(CONTEXTS) & ~(1ull << 45));
	done(0x05 | (uint64_t)SID << 32, 1);
	assert_int_equal(dma(SID, NO_PASID, IOVA, WARD_WRITE), -EFAULT);
	no_event();
	put(STAGE1(2), beyond | 3);
	faults(SID, IOVA, WARD_FAULT_TABLE);
	expect_event(0x0b, SID, RNW | CLASS_TT, IOVA, beyond + 5 * 8);
}

static void forget(void)
{
	done(0x04, 31);
	done(0x30, 0);
	sync();
}

static void test_stage2_events(void **state)
{
	uint64_t good = peek(STAGE2(3));

	(void)state;
	put_ste(ste_at(SID), TWO);
	faults(SID, 1ull << 40, WARD_FAULT_TRANSLATION);
	expect_event(0x10, SID, RNW | S2 | CLASS_IN, 1ull << 40, 1ull << 40);
	faults(SID, 1ull << 44, WARD_FAULT_ADDRESS_SIZE);
	expect_event(0x11, SID, RNW | CLASS_IN, 1ull << 44, 0);
	put(STAGE2(3), good & ~0x400ull);
	faults(SID, LED, WARD_FAULT_ACCESS_FLAG);
	expect_event(0x12, SID, RNW | S2 | CLASS_IN, LED, LED & ~0xfffull);
	put(STAGE2(3), good & ~0x80ull);
	assert_int_equal(dma(SID, NO_PASID, LED, WARD_WRITE), -EFAULT);
	expect_event(0x13, SID, S2 | CLASS_IN, LED, LED & ~0xfffull);
	put(STAGE2(1) + 16, (RAM + RAM_SIZE) | 3);
	forget();
	faults(SID, LED, WARD_FAULT_TABLE);
	expect_event(0x0b, SID, RNW | S2 | CLASS_IN, LED, RAM + RAM_SIZE);
	/* S2R clear: not recorded. */
	put(ste_at(SID) + 16, peek(ste_at(SID) + 16) & ~(1ull << 58));
	forget();
	faults(SID, 1ull << 40, WARD_FAULT_TRANSLATION);
	no_event();
}

/* Each class of stage-2 faults under a stage 1. */
static void test_nested_events(void **state)
{
	uint64_t block = RAM | (LEAF2 & ~2ull), other = block + 0x200000;

	(void)state;
	put_ste(ste_at(SID), BOTH);
	leads(SID, IOVA, LED);
	/* The data alone in the second half of RAM. */
	for (uint64_t i = 0; i < 512; i++)
		put(STAGE1(3) + i * 8, (RAM + 0x200000 + i * PAGE) | LEAF1);
	forget();
	leads(SID, IOVA, RAM + 0x205678);
	put(STAGE2(3) + 8, other & ~0x80ull);
	forget();
	assert_int_equal(dma(SID, NO_PASID, IOVA, WARD_WRITE), -EFAULT);
	expect_event(0x13, SID, S2 | CLASS_IN, IOVA, RAM + 0x205000);
	put(STAGE2(3) + 8, 0);
	forget();
	faults(SID, IOVA, WARD_FAULT_TRANSLATION);
	assert_int_equal(box.fault.level, 2);
	expect_event(0x10, SID, RNW | S2 | CLASS_IN, IOVA, RAM + 0x205000);
	/* The last table of stage 1 there, too. */
	put(STAGE1(2), (RAM + 0x200000) | 3);
	faults(SID, IOVA, WARD_FAULT_TRANSLATION);
	expect_event(0x10, SID, RNW | S2 | CLASS_TT, IOVA, RAM + 0x200000);
	put(STAGE2(3) + 8, other & ~0x40ull);
	forget();
	assert_int_equal(dma(SID, NO_PASID, IOVA, WARD_WRITE), -EFAULT);
	expect_event(0x13, SID, S2 | CLASS_TT | TTRNW, IOVA, RAM + 0x200000);
	/* Tables may be read-only for the guest; write-only they are not. */
	put(STAGE1(2), STAGE1(3) | 3);
	put(STAGE2(3) + 8, other);
	put(STAGE2(3), block & ~0x80ull);
	forget();
	assert_int_equal(dma(SID, NO_PASID, IOVA, WARD_WRITE), 0);
	put(STAGE2(3), block & ~0x40ull);
	forget();
	faults(SID, IOVA, WARD_FAULT_PERMISSION);
	expect_event(0x13, SID, RNW | S2 | CLASS_CD, IOVA, CONTEXTS);
	/* S2PTW: nor are they in device memory. */
	put(STAGE2(3), block & ~0x38ull);
	forget();
	leads(SID, IOVA, RAM + 0x205678);
	put(ste_at(SID) + 16, peek(ste_at(SID) + 16) | 1ull << 54);
	forget();
	faults(SID, IOVA, WARD_FAULT_PERMISSION);
	expect_event(0x13, SID, RNW | S2 | CLASS_CD, IOVA, CONTEXTS);
}

static void test_translated(void **state)
{
	struct ward_emul_request request = {
		.sid = ward_sid(SID),
		.pasid = WARD_PASID_NONE,
		.iova = ward_iova(LED),
		.access = WARD_WRITE,
		.translated = true,
	};

	(void)state;
	/* Only streams that have ATS on (EATS). */
	put_ste(ste_at(SID), ONE);
	assert_int_equal(dma_of(&request), -EFAULT);
	expect_event(0x07, SID, 0, LED, 0);
	put(ste_at(SID) + 8, 1ull << 28);
	forget();
	assert_int_equal(dma_of(&request), 0);
	assert_int_equal(ward_target_raw(box.translation.target), LED);
	put_ste(ste_at(SID), BYPASS);
	put(ste_at(SID) + 8, 1ull << 28);
	forget();
	request.access = WARD_READ;
	assert_int_equal(dma_of(&request), -EFAULT);
	expect_event(0x07, SID, RNW, LED, 0);
	put_ste(ste_at(SID), 0);
	forget();
	assert_int_equal(dma_of(&request), -EFAULT);
	no_event();
	/* What is wrong with its configuration is for other requests to tell (no REC_CFG_ATS). */
	put(ste_at(SID), 0);
	forget();
	assert_int_equal(dma_of(&request), -EFAULT);
	no_event();
	/* Without ATSCHK nobody looks, but at the size. */
	reg(CR0, COMMANDS_ON | EVENTS_ON | ON);
	assert_int_equal(dma_of(&request), 0);
	request.iova = ward_iova(1ull << 44);
	assert_int_equal(dma_of(&request), -EFAULT);
	assert_int_equal(box.fault.reason, WARD_FAULT_ADDRESS_SIZE);
	no_event();
	/* Where nothing is translated, nothing can have been; its PASID is not told. */
	request.iova = ward_iova(LED);
	request.pasid = ward_pasid(3);
	reg(CR0, COMMANDS_ON | EVENTS_ON);
	assert_int_equal(dma_of(&request), -EFAULT);
	expect_event(0x07, SID, RNW, LED, 0);
	/* Without ATS there is nothing to claim. */
	ward_smmuv3_destroy(box.smmu);
	box.options.ats = false;
	assert_int_equal(ward_smmuv3_create(&box.options, &box.smmu), 0);
	reg(STRTAB_BASE, STREAMS);
	reg(STRTAB_BASE_CFG, STREAM_BITS);
	reg(CR0, ON | ATSCHK);
	assert_int_equal(get(CR0), ON);
	assert_int_equal(dma_of(&request), -EFAULT);
}

/* A probe leaves nothing behind: no event, no entry of a cache, no count. */
static void test_probe(void **state)
{
	struct ward_emul_request request = {
		.sid = ward_sid(SID),
		.pasid = WARD_PASID_NONE,
		.iova = ward_iova(IOVA),
		.access = WARD_READ,
		.probe = true,
	};
	struct ward_smmuv3_counts counts;

	(void)state;
	put_ste(ste_at(SID), BOTH);
	assert_int_equal(dma_of(&request), 0);
	assert_int_equal(ward_target_raw(box.translation.target), LED);
	put(STAGE1(3) + 5 * 8, 0);
	assert_int_equal(dma_of(&request), -EFAULT);
	put(ste_at(SID), 0);
	assert_int_equal(dma_of(&request), -EFAULT);
	assert_int_equal(box.fault.reason, WARD_FAULT_CONFIG);
	no_event();
	ward_smmuv3_counts(box.smmu, &counts);
	assert_int_equal(counts.walks + counts.hits + counts.events, 0);
}

static int make(void *context)
{
	struct ward_smmuv3 *smmu;
	int code = ward_smmuv3_create(context, &smmu);

	if (code == 0)
		ward_smmuv3_destroy(smmu);
	return code;
}

static void test_create(void **state)
{
	struct ward_smmuv3_options options = box.options;

	(void)state;
	assert_int_equal(test_sweep(make, &options), 3);
	options.event_bits = 20;
	assert_int_equal(make(&options), -EINVAL);
	options = box.options;
	options.command_bits = 20;
	assert_int_equal(make(&options), -EINVAL);
	options = box.options;
	options.stream_bits = 33;
	assert_int_equal(make(&options), -EINVAL);
	options = box.options;
	options.memory = NULL;
	assert_int_equal(make(&options), -EINVAL);
	options = box.options;
	options.features.output_bits = 53;
	assert_int_equal(make(&options), -EINVAL);
	options = box.options;
	options.features.granules = 0;
	assert_int_equal(make(&options), -EINVAL);
	ward_smmuv3_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(test_registers),
		BOX_TEST(test_no_register),
		BOX_TEST(test_off),
		BOX_TEST(test_configurations),
		BOX_TEST(test_types),
		BOX_TEST(test_bad_streams),
		BOX_TEST(test_two_levels),
		BOX_TEST(test_substreams),
		BOX_TEST(test_context_events),
		BOX_TEST(test_stage1_events),
		BOX_TEST(test_stage2_events),
		BOX_TEST(test_nested_events),
		BOX_TEST(test_translated),
		BOX_TEST(test_probe),
		BOX_TEST(test_create),
	};

	return cmocka_run_group_tests_name("emul/smmuv3", tests, NULL, NULL);
}

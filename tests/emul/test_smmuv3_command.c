// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Commands of the emulated SMMUv3: what each one makes it forget, and nothing else; what is illegal;
 * how errors stop the queue.
 */
#include "emul/smmuv3_machine.h"

#define IOVA 0x5678ull
#define LED (DATA + 0x5678)
#define VMID 7ull
#define ASID 3ull
#define OTHER_VMID (VMID + 64) /* falls on the same places of the cache */

static uint64_t sid_of(uint32_t sid)
{
	return (uint64_t)sid << 32;
}

/* Changes where page 5 of stage 1 leads. */
static void move_page(uint64_t page)
{
	put(STAGE1(3) + 5 * 8, (DATA + page * PAGE) | LEAF1);
}

static void test_tlb_lives(void **state)
{
	struct ward_smmuv3_counts counts;

	(void)state;
	put_ste(ste_at(SID), ONE);
	leads(SID, IOVA, LED);
	move_page(9);
	leads(SID, IOVA, LED);
	sync();
	leads(SID, IOVA, LED);
	/* Also what is not mapped any more. */
	put(STAGE1(3) + 5 * 8, 0);
	leads(SID, IOVA, LED);
	ward_smmuv3_counts(box.smmu, &counts);
	assert_int_equal(counts.walks, 1);
	assert_int_equal(counts.hits, 3);
	done(0x12 | VMID << 32 | ASID << 48, IOVA & ~0xfffull);
	sync();
	faults(SID, IOVA, WARD_FAULT_TRANSLATION);
	/* Faults are not kept. */
	move_page(9);
	leads(SID, IOVA, DATA + 0x9678);
}

/* Commands that take it away, and those that do not, for a stream with each configuration. */
static void test_tlbi(void **state)
{
	const uint64_t page = IOVA & ~0xfffull, range = 1ull << 10;
	const struct {
		const char *name;
		uint64_t word0, word1;
		bool one, both; /* forgets stage 1 alone; both stages */
	} rows[] = {
		{ "NH_ALL", 0x10 | VMID << 32, 0, true, true },
		{ "NH_ALL, other VMID", 0x10 | 8ull << 32, 0, false, false },
		{ "NH_ASID", 0x11 | VMID << 32 | ASID << 48, 0, true, true },
		{ "NH_ASID, other", 0x11 | VMID << 32 | 4ull << 48, 0, false, false },
		{ "NH_ASID, other VMID", 0x11 | 8ull << 32 | ASID << 48, 0, false, false },
		{ "NH_VA", 0x12 | VMID << 32 | ASID << 48, page, true, true },
		{ "NH_VA, leaf", 0x12 | VMID << 32 | ASID << 48, page | 1, true, true },
		{ "NH_VA, other ASID", 0x12 | VMID << 32 | 4ull << 48, page, false, false },
		{ "NH_VA, next page", 0x12 | VMID << 32 | ASID << 48, page + PAGE, false, false },
		{ "NH_VA, range", 0x12 | 2ull << 12 | 0ull << 20 | VMID << 32 | ASID << 48,
		  (page - 2 * PAGE) | range, true, true },
		{ "NH_VA, range before", 0x12 | 1ull << 12 | VMID << 32 | ASID << 48,
		  (page - 2 * PAGE) | range, false, false },
		{ "NH_VA, scaled range", 0x12 | 0ull << 12 | 3ull << 20 | VMID << 32 | ASID << 48,
		  range, true, true },
		{ "NH_VA, range of everything",
		  0x12 | 31ull << 12 | 31ull << 20 | VMID << 32 | ASID << 48, 3ull << 10, true,
		  true },
		{ "NH_VAA", 0x13 | VMID << 32 | 4ull << 48, page, true, true },
		{ "NH_VAA, other VMID", 0x13 | 8ull << 32, page, false, false },
		{ "S12_VMALL", 0x28 | VMID << 32, 0, true, true },
		{ "S12_VMALL, other VMID", 0x28 | 8ull << 32, 0, false, false },
		{ "S2_IPA", 0x2a | VMID << 32, LED & ~0xfffull, false, false },
		{ "NSNH_ALL", 0x30, 0, true, true },
		{ "CFGI_STE", 0x03 | (uint64_t)SID << 32, 1, false, false },
		{ "CFGI_ALL", 0x04, 31, false, false },
		{ "CFGI_CD", 0x05 | (uint64_t)SID << 32, 1, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (unsigned int config = ONE; config <= BOTH; config += 2) {
			bool forgets = config == ONE ? rows[i].one : rows[i].both;

			put_ste(ste_at(SID), config);
			done(0x03 | sid_of(SID), 1);
			done(0x30, 0);
			move_page(5);
			leads(SID, IOVA, LED);
			move_page(9);
			done(rows[i].word0, rows[i].word1);
			sync();
			leads(SID, IOVA, forgets ? DATA + 0x9678 : LED);
		}
	}
}

/* Global pages are there for every ASID of the VMID, and stay when one ASID goes. */
static void test_global(void **state)
{
	(void)state;
	put_ste(ste_at(SID), ONE);
	put(STAGE1(3) + 5 * 8, (DATA + 5 * PAGE) | (LEAF1 & ~0x800ull));
	leads(SID, IOVA, LED);
	move_page(9);
	done(0x11 | VMID << 32 | ASID << 48, 0);
	leads(SID, IOVA, LED);
	/* Another stream with another context finds it as well. */
	put_ste(ste_at(1), ONE);
	put(ste_at(1), 1 | ONE << 1 | (CONTEXTS + 64));
	put_context(CONTEXTS + 64, 44);
	leads(1, IOVA, LED);
	/* Of another VMID, not. */
	put_ste(ste_at(2), ONE);
	put(ste_at(2) + 16, OTHER_VMID);
	leads(2, IOVA, DATA + 0x9678);
	/* By address it goes, whichever ASID. */
	done(0x12 | VMID << 32 | 99ull << 48, IOVA & ~0xfffull);
	leads(SID, IOVA, DATA + 0x9678);
}

/* Streams with one VMID and ASID share what is cached; others do not. */
static void test_tags(void **state)
{
	(void)state;
	put_ste(ste_at(SID), ONE);
	leads(SID, IOVA, LED);
	move_page(9);
	put_ste(ste_at(1), ONE);
	leads(1, IOVA, LED);
	put_ste(ste_at(2), ONE);
	put(ste_at(2), 1 | ONE << 1 | (CONTEXTS + 64));
	put_context(CONTEXTS + 64, 4);
	leads(2, IOVA, DATA + 0x9678);
	put_ste(ste_at(3), ONE);
	put(ste_at(3) + 16, OTHER_VMID);
	leads(3, IOVA, DATA + 0x9678);
}

/*
 * Unmapping at stage 2 under a nested stage 1: TLBI_S2_IPA is not enough, since what was combined
 * survives; NH_ALL as well is.
 */
static void test_stage2_under_stage1(void **state)
{
	uint64_t last = RAM + 0x200000;

	(void)state;
	put_ste(ste_at(SID), BOTH);
	put_ste(ste_at(1), TWO);
	put(STAGE1(3) + 5 * 8, last | LEAF1);
	leads(SID, IOVA, last + 0x678);
	leads(1, last, last);
	put(STAGE2(3) + 8, 0);
	leads(1, last, last);
	done(0x2a | 8ull << 32, last);
	sync();
	leads(1, last, last);
	done(0x2a | VMID << 32, last + 0x200000);
	leads(1, last, last);
	/* Any page of the block names it. */
	done(0x2a | VMID << 32, last + 0x1000);
	sync();
	faults(1, last, WARD_FAULT_TRANSLATION);
	leads(SID, IOVA, last + 0x678);
	done(0x10 | VMID << 32, 0);
	sync();
	faults(SID, IOVA, WARD_FAULT_TRANSLATION);
	assert_int_equal(box.fault.stage, 2);
	/* NH_ALL does not touch what stage 2 has by itself. */
	put(STAGE2(3) + 8, last | (LEAF2 & ~2ull));
	leads(1, last, last);
	put(STAGE2(3) + 8, 0);
	done(0x10 | VMID << 32, 0);
	leads(1, last, last);
	done(0x28 | VMID << 32, 0);
	faults(1, last, WARD_FAULT_TRANSLATION);
}

/* A block of stage 1 over pages of stage 2: any page of the block names what was cached of it. */
static void test_pages_under_block(void **state)
{
	uint64_t block = RAM + 0x200000;

	(void)state;
	put_ste(ste_at(SID), BOTH);
	for (uint64_t i = 0; i < 512; i++)
		put(LEAF_STREAMS + i * 8, (block + i * PAGE) | LEAF2);
	put(STAGE2(3) + 8, LEAF_STREAMS | 3);
	put(STAGE1(2), block | (LEAF1 & ~2ull));
	leads(SID, IOVA, block + IOVA);
	assert_int_equal(box.translation.input.start, 0x5000);
	assert_int_equal(box.translation.input.last, 0x5fff);
	put(STAGE1(2), 0);
	done(0x12 | VMID << 32 | ASID << 48, 0x200000);
	sync();
	leads(SID, IOVA, block + IOVA);
	assert_int_equal(box.translation.input.last, 0x5fff);
	done(0x12 | VMID << 32 | ASID << 48, 0x8000);
	sync();
	faults(SID, IOVA, WARD_FAULT_TRANSLATION);
}

/* A permission that is cached holds, too, and says the stage it is of. */
static void test_cached_permission(void **state)
{
	(void)state;
	put_ste(ste_at(SID), BOTH);
	put(STAGE1(3) + 5 * 8, (DATA + 5 * PAGE) | LEAF1 | 0x80);
	leads(SID, IOVA, LED);
	move_page(5);
	assert_int_equal(dma(SID, NO_PASID, IOVA, WARD_WRITE), -EFAULT);
	assert_int_equal(box.fault.reason, WARD_FAULT_PERMISSION);
	assert_int_equal(box.fault.stage, 1);
	assert_int_equal(box.fault.level, 3);
	done(0x30, 0);
	assert_int_equal(dma(SID, NO_PASID, IOVA, WARD_WRITE), 0);
	put(STAGE2(3), (RAM | (LEAF2 & ~2ull)) & ~0x80ull);
	done(0x30, 0);
	leads(SID, IOVA, LED);
	assert_int_equal(dma(SID, NO_PASID, IOVA, WARD_WRITE), -EFAULT);
	assert_int_equal(box.fault.stage, 2);
	assert_int_equal(ward_gpa_raw(box.fault.gpa), LED);
}

/* With TBI the top byte neither makes an address another one, nor hides it from TLBI. */
static void test_top_byte(void **state)
{
	(void)state;
	put_ste(ste_at(SID), ONE);
	put(CONTEXTS, peek(CONTEXTS) | 1ull << 38);
	leads(SID, IOVA | 0xabull << 56, LED);
	assert_int_equal(box.translation.input.start, 0x5000 | 0xabull << 56);
	move_page(9);
	leads(SID, IOVA, LED);
	assert_int_equal(box.translation.input.start, 0x5000);
	leads(SID, IOVA | 0xcdull << 56, LED);
	assert_int_equal(box.translation.input.last, 0x5fff | 0xcdull << 56);
	done(0x12 | VMID << 32 | ASID << 48, 0x5000 | 0x12ull << 56);
	leads(SID, IOVA | 0xabull << 56, DATA + 0x9678);
}

static void test_ste_cache(void **state)
{
	const struct {
		uint64_t word0, word1;
		bool forgets;
	} rows[] = {
		{ 0x46, 0, false },
		{ 0x30, 0, false },
		{ 0x03 | sid_of(SID + 1), 1, false },
		{ 0x03 | sid_of(SID), 1, true },
		{ 0x03 | sid_of(SID), 0, true },
		{ 0x04, 31, true },
		{ 0x04 | sid_of(0x40), 0, false }, /* 0x40, 0x41 */
		{ 0x04 | sid_of(0x43), 0, true },  /* 0x42, 0x43 */
		{ 0x04 | sid_of(0x40), 1, true },  /* 0x40 to 0x43 */
		{ 0x04 | sid_of(0x80), 5, false }, /* 0x80 to 0xbf */
		{ 0x04 | sid_of(0x80), 7, true },  /* 0 to 0xff */
		{ 0x05 | sid_of(SID), 1, false },
		{ 0x06 | sid_of(SID), 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_ste(ste_at(SID), BYPASS);
		done(0x03 | sid_of(SID), 1);
		leads(SID, LED, LED);
		put_ste(ste_at(SID), 0);
		done(rows[i].word0, rows[i].word1);
		if (rows[i].forgets)
			faults(SID, LED, WARD_FAULT_BLOCKED);
		else
			leads(SID, LED, LED);
	}
}

static void test_context_cache(void **state)
{
	const struct {
		uint64_t word0, word1;
		bool forgets;
	} rows[] = {
		{ 0x46, 0, false },
		{ 0x30, 0, false },
		{ 0x05 | sid_of(SID + 1) | 2 << 12, 1, false },
		{ 0x05 | sid_of(SID) | 1 << 12, 1, false },
		{ 0x05 | sid_of(SID) | 2 << 12, 1, true },
		{ 0x06 | sid_of(SID + 1), 0, false },
		{ 0x06 | sid_of(SID), 0, true },
		{ 0x03 | sid_of(SID), 1, true }, /* with the entry, its contexts */
		{ 0x04, 31, true },
	};

	(void)state;
	put_ste(ste_at(SID), ONE);
	put(ste_at(SID), peek(ste_at(SID)) | 2ull << 59);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_context(CONTEXTS + 2 * 64, 9);
		done(0x06 | sid_of(SID), 0);
		assert_int_equal(dma(SID, 2, IOVA, WARD_READ), 0);
		put(CONTEXTS + 2 * 64, 0);
		done(rows[i].word0, rows[i].word1);
		assert_int_equal(dma(SID, 2, IOVA, WARD_READ), rows[i].forgets ? -EFAULT : 0);
	}
}

/* More pages, streams and contexts than the caches hold: forgotten, never mistaken. */
static void test_bounds(void **state)
{
	(void)state;
	for (unsigned int round = 0; round < 2; round++) {
		for (uint32_t i = 0; i < 256; i++) {
			put_ste(ste_at(i), i % 3 == 0 ? BYPASS : i % 3 == 1 ? ONE : BOTH);
			for (uint64_t page = 0; page < 8; page++) {
				uint64_t iova = (i * 7 + page) % 512 * PAGE;

				leads(i, i % 3 == 0 ? RAM + iova : iova,
				      (i % 3 == 0 ? RAM : DATA) + iova);
			}
		}
	}
}

static void expect_error(uint32_t error)
{
	uint32_t cons = get(CMDQ_CONS);

	assert_int_equal(cons >> 24, error);
	assert_int_equal((cons + 1) & 0x1f, get(CMDQ_PROD));
	assert_int_equal((get(GERROR) ^ get(GERRORN)) & 1, 1);
	/* Nothing runs before the error is acknowledged: replace the command by a SYNC. */
	put(COMMANDS + (cons & 0xf) * 16, 0x46);
	command(0x46, 0);
	assert_int_equal(get(CMDQ_CONS), cons);
	reg(GERRORN, get(GERROR));
	assert_int_equal(get(CMDQ_CONS), get(CMDQ_PROD));
}

static void test_illegal(void **state)
{
	static const uint64_t illegal[] = {
		0x00,
		0x07,
		0x08,
		0x14,
		0x18,
		0x1a,
		0x20,
		0x21,
		0x22,
		0x23,
		0x29,
		0x2b,
		0x31,
		0x41,
		0x42,
		0x44,
		0x45,
		0x47,
		0x50,
		0x70,
		0xff,
		0x46 | 3 << 12 /* CS */,
		0x03 | 1 << 10 /* SSec */,
		0x05 | 1 << 10,
		0x40 | 1 << 10,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(illegal) / sizeof(illegal[0]); i++) {
		command(illegal[i], 0);
		if (get(CMDQ_CONS) >> 24 != 1)
			fail_msg("command %#llx is taken", (unsigned long long)illegal[i]);
		expect_error(1);
	}
	/* A granule for nothing: no range, no level. Level 1 has no leaves of 16 KiB pages. */
	for (uint64_t granule = 1; granule <= 3; granule++) {
		const uint8_t by_address[] = { 0x12, 0x13, 0x2a };

		for (size_t i = 0; i < sizeof(by_address); i++) {
			command(by_address[i], granule << 10);
			expect_error(1);
			done(by_address[i] | 1 << 12, granule << 10);
			done(by_address[i] | 1 << 20, granule << 10);
			done(by_address[i], granule << 10 | 2 << 8);
		}
	}
	command(0x12, 2 << 10 | 1 << 8);
	expect_error(1);
	done(0x12, 1 << 10 | 1 << 8);
	done(0x01 | sid_of(SID), 0);
	done(0x02 | sid_of(SID), 0x1000);
	done(0x46 | 1 << 12, 0);
	done(0x46 | 2 << 12, 0);
}

static void test_without(void **state)
{
	static const struct {
		uint8_t opcode, needs; /* bit 0 stage 1, bit 1 stage 2, bit 2 ATS */
	} rows[] = {
		{ 0x03, 0 }, { 0x05, 1 }, { 0x06, 1 }, { 0x10, 1 }, { 0x11, 1 }, { 0x12, 1 },
		{ 0x13, 1 }, { 0x28, 2 }, { 0x2a, 2 }, { 0x30, 0 }, { 0x40, 4 }, { 0x46, 0 },
	};

	(void)state;
	for (unsigned int without = 0; without < 3; without++) {
		ward_smmuv3_destroy(box.smmu);
		box.options.features.stage1 = without != 0;
		box.options.features.stage2 = without != 1;
		box.options.ats = without != 2;
		assert_int_equal(ward_smmuv3_create(&box.options, &box.smmu), 0);
		reg(CMDQ_BASE, COMMANDS | COMMAND_BITS);
		reg(CR0, COMMANDS_ON);
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			command(rows[i].opcode, 0);
			if (rows[i].needs & 1u << without)
				expect_error(1);
			assert_int_equal(get(CMDQ_CONS) & 0x1f, get(CMDQ_PROD));
		}
	}
}

/* Without stage 2 there are no VMIDs. */
static void test_no_vmid(void **state)
{
	(void)state;
	ward_smmuv3_destroy(box.smmu);
	box.options.features.stage2 = false;
	assert_int_equal(ward_smmuv3_create(&box.options, &box.smmu), 0);
	memset(box.bytes + (COMMANDS - RAM), 0, 0x1000);
	start();
	put_ste(ste_at(SID), ONE);
	leads(SID, IOVA, LED);
	move_page(9);
	done(0x10 | 99ull << 32, 0);
	leads(SID, IOVA, DATA + 0x9678);
}

static void test_fetch_abort(void **state)
{
	(void)state;
	reg(CR0, 0);
	reg(CMDQ_BASE, (RAM + RAM_SIZE) | COMMAND_BITS);
	reg(CMDQ_CONS, 0);
	reg(CMDQ_PROD, 1);
	assert_int_equal(get(CMDQ_CONS), 0);
	reg(CR0, COMMANDS_ON);
	assert_int_equal(get(CMDQ_CONS), 2u << 24);
	assert_int_equal(get(GERROR) ^ get(GERRORN), 1);
	/* Acknowledged and tried again, it fails again. */
	reg(GERRORN, get(GERROR));
	assert_int_equal(get(GERROR) ^ get(GERRORN), 1);
}

static void test_device_cache(void **state)
{
	(void)state;
	done(0x40 | sid_of(SID), 0x12345000 | 2);
	assert_int_equal(box.invalidations, 1);
	assert_int_equal(ward_sid_raw(box.invalidated), SID);
	assert_int_equal(box.invalidated_range.start, 0x12344000);
	assert_int_equal(box.invalidated_range.last, 0x12347fff);
	done(0x40 | sid_of(SID), 52);
	assert_int_equal(box.invalidated_range.start, 0);
	assert_int_equal(box.invalidated_range.last, UINT64_MAX);
	done(0x40 | sid_of(SID), 0xfffffffffffff000 | 63);
	assert_int_equal(box.invalidated_range.start, 0);
	sync();
	/* No answer: the next SYNC says so, once. */
	box.deaf = true;
	done(0x40 | sid_of(SID), 52);
	box.deaf = false;
	done(0x40 | sid_of(SID), 52);
	command(0x46, 0);
	assert_int_equal(get(CMDQ_CONS) >> 24, 3);
	expect_error(3);
	sync();
}

/* Whatever software writes into the registers of the queue, it ends. */
static void test_nonsense_indexes(void **state)
{
	uint64_t random = 99;

	(void)state;
	for (unsigned int i = 0; i < 2000; i++) {
		reg(CMDQ_PROD, ref_random(&random) & 0xffffffff);
		reg(GERRORN, ref_chance(&random, 2) ? get(GERROR) : ref_random(&random) & 0xff);
		reg(CR0, ref_random(&random) & 0x1d);
		reg(CMDQ_CONS, ref_random(&random) & 0xffffffff);
		if (ref_chance(&random, 4))
			ward_smmuv3_write(box.smmu, CMDQ_BASE, 8,
					  COMMANDS | (ref_random(&random) & 0x1f));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(test_tlb_lives),
		BOX_TEST(test_tlbi),
		BOX_TEST(test_global),
		BOX_TEST(test_tags),
		BOX_TEST(test_stage2_under_stage1),
		BOX_TEST(test_pages_under_block),
		BOX_TEST(test_cached_permission),
		BOX_TEST(test_top_byte),
		BOX_TEST(test_ste_cache),
		BOX_TEST(test_context_cache),
		BOX_TEST(test_bounds),
		BOX_TEST(test_illegal),
		BOX_TEST(test_without),
		BOX_TEST(test_no_vmid),
		BOX_TEST(test_fetch_abort),
		BOX_TEST(test_device_cache),
		BOX_TEST(test_nonsense_indexes),
	};

	return cmocka_run_group_tests_name("emul/smmuv3-command", tests, NULL, NULL);
}

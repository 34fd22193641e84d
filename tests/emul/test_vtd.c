/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* VT-d in software: tables one wrong bit at a time, fault registers, caches, the queue. */
#include <doorward/memory.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "emul/vtd.h"
#include "sweep.h"

#define ROOT 0x1000u
#define CONTEXTS 0x2000u /* of bus 1 */
#define TABLE 0x3000u	 /* levels at 0x3000, 0x4000, 0x5000, 0x6000 */
#define LEAVES 0x6000u
#define QUEUE 0x10000u
#define STATUS 0x20000u
#define MEMORY_LAST 0xfffffu

#define SID 0x108u /* 01:01.0 */
#define RECORD(n) (WARD_VTD_RECORD_OFFSET + (n)*16u)
#define IVA WARD_VTD_IOTLB_OFFSET
#define IOTLB (WARD_VTD_IOTLB_OFFSET + 8)

struct bench {
	struct ward_memory *memory;
	struct ward_vtd *vtd;
	bool answers;
	unsigned int asked;
	ward_sid_t sid;
	struct ward_range range;
	struct ward_fault fault;
	struct ward_translation translation;
};

static bool device(void *context, ward_sid_t sid, struct ward_range range)
{
	struct bench *b = context;

	b->asked++;
	b->sid = sid;
	b->range = range;
	return b->answers;
}

static void put(struct bench *b, uint64_t at, uint64_t value)
{
	assert_int_equal(ward_memory_write_u64(b->memory, at, value), 0);
}

static uint64_t get(struct bench *b, uint64_t at)
{
	uint64_t value;

	assert_int_equal(ward_memory_read_u64(b->memory, at, &value), 0);
	return value;
}

static uint64_t reg(struct bench *b, uint32_t offset, unsigned int size)
{
	uint64_t value;

	assert_int_equal(ward_vtd_read(b->vtd, offset, size, &value), 0);
	return value;
}

static void set(struct bench *b, uint32_t offset, unsigned int size, uint64_t value)
{
	assert_int_equal(ward_vtd_write(b->vtd, offset, size, value), 0);
}

static void set_context(struct bench *b, unsigned int sid, uint64_t low, uint64_t high)
{
	put(b, CONTEXTS + (sid & 0xff) * 16, low);
	put(b, CONTEXTS + (sid & 0xff) * 16 + 8, high);
}

/* Translation on: SID has 48 bits in domain 5, and 0x7000 mapped to 0x40000, to read and write. */
static void start(struct bench *b, uint8_t bits, bool ats)
{
	struct ward_vtd_options options = {
		.address_bits = bits,
		.output_bits = 39,
		.ats = ats,
		.invalidate_device = device,
		.context = b,
	};

	memset(b, 0, sizeof(*b));
	b->answers = true;
	assert_int_equal(ward_memory_create(&b->memory), 0);
	assert_int_equal(ward_memory_add(b->memory, (struct ward_range){ 0, MEMORY_LAST }, 0, NULL),
			 0);
	options.memory = b->memory;
	assert_int_equal(ward_vtd_create(&options, &b->vtd), 0);
	put(b, ROOT + 1 * 16, CONTEXTS | 1);
	set_context(b, SID, TABLE | 1, 5 << 8 | 2);
	for (unsigned int i = 0; i < 3; i++)
		put(b, TABLE + i * 0x1000, (TABLE + (i + 1) * 0x1000) | 3);
	put(b, LEAVES + 7 * 8, 0x40000 | 3);
	set(b, 0x20, 8, ROOT);
	set(b, 0x18, 4, 1u << 30);
	set(b, 0x18, 4, 1u << 31);
}

static void finish(struct bench *b)
{
	ward_vtd_iommu.destroy(b->vtd);
	ward_memory_destroy(b->memory);
}

static int try(struct bench *b, struct ward_emul_request request)
{
	return ward_vtd_iommu.translate(b->vtd, &request, &b->translation, &b->fault);
}

static int go(struct bench *b, unsigned int sid, uint64_t iova, uint32_t access)
{
	return try(b, (struct ward_emul_request){ .sid = ward_sid(sid),
						  .pasid = WARD_PASID_NONE,
						  .iova = ward_iova(iova),
						  .access = access });
}

static uint64_t target(const struct bench *b)
{
	return ward_target_raw(b->translation.target);
}

static void everything(struct bench *b)
{
	set(b, 0x28, 8, 1ull << 63 | 1ull << 61);
	set(b, IOTLB, 8, 1ull << 63 | 1ull << 60);
}

/* The next fault has this reason, in register n. */
static void expect_record(struct bench *b, unsigned int n, unsigned int reason)
{
	uint64_t high = reg(b, RECORD(n) + 8, 8);

	assert_true(high >> 63);
	assert_int_equal(high >> 32 & 0xff, reason);
	set(b, RECORD(n) + 12, 4, 1u << 31);
	assert_int_equal(reg(b, RECORD(n) + 12, 4) >> 31, 0);
}

static void translates(void **unused)
{
	struct bench b;

	(void)unused;
	start(&b, 48, false);
	assert_int_equal(reg(&b, 0x1c, 4), 1u << 31 | 1u << 30);
	assert_int_equal(go(&b, SID, 0x7123, WARD_WRITE), 0);
	assert_int_equal(target(&b), 0x40123);
	assert_int_equal(b.translation.access, WARD_READ | WARD_WRITE);
	assert_int_equal(b.translation.input.start, 0x7000);
	assert_int_equal(b.translation.input.last, 0x7fff);
	assert_int_equal(go(&b, SID, 0x8000, WARD_READ), -EFAULT);
	assert_int_equal(b.fault.reason, WARD_FAULT_TRANSLATION);
	assert_int_equal(b.fault.level, 3);
	assert_int_equal(b.fault.stage, 2);
	assert_int_equal(b.fault.access, WARD_READ);
	assert_true(b.fault.iova == ward_iova(0x8000));
	expect_record(&b, 0, 6);
	/* Large pages. */
	put(&b, 0x5000 + 1 * 8, 0x600000 | 1 << 7 | 1);
	assert_int_equal(go(&b, SID, 0x200000 + 0x12345, WARD_READ), 0);
	assert_int_equal(target(&b), 0x612345);
	assert_int_equal(go(&b, SID, 0x200000, WARD_WRITE), -EFAULT);
	assert_int_equal(b.fault.reason, WARD_FAULT_PERMISSION);
	expect_record(&b, 1, 5);
	/* Off: as it comes. */
	set(&b, 0x18, 4, 0);
	assert_int_equal(go(&b, 0xffff, 0xfffffffffffff000, WARD_WRITE), 0);
	assert_int_equal(target(&b), 0xfffffffffffff000);
	finish(&b);
}

static void widths(void **unused)
{
	struct bench b;

	(void)unused;
	start(&b, 39, false);
	/* 48 bits are not offered. */
	assert_int_equal(go(&b, SID, 0x7000, WARD_READ), -EFAULT);
	assert_int_equal(b.fault.reason, WARD_FAULT_CONFIG);
	expect_record(&b, 0, 3);
	assert_int_equal(reg(&b, 0x08, 8) >> 8 & 0x1f, 2);
	set_context(&b, SID, 0x4000 | 1, 5 << 8 | 1);
	assert_int_equal(go(&b, SID, 0x7000, WARD_READ), 0);
	assert_int_equal(target(&b), 0x40000);
	assert_int_equal(go(&b, SID, 1ull << 39 | 0x7000, WARD_READ), -EFAULT);
	expect_record(&b, 1, 4);
	finish(&b);
	start(&b, 48, false);
	assert_int_equal(reg(&b, 0x08, 8) >> 8 & 0x1f, 6);
	assert_int_equal(go(&b, SID, (1ull << 48) | 0x7000, WARD_READ), -EFAULT);
	expect_record(&b, 0, 4);
	finish(&b);
}

/* What is wrong at a time, and the reason that is recorded. */
static void wrong_bits(void **unused)
{
	static const struct {
		uint64_t at, flip;
		unsigned int reason;
		enum ward_fault_reason said;
	} rows[] = {
		{ ROOT + 16, 1, 0x1, WARD_FAULT_BLOCKED },
		{ ROOT + 16, 1 << 1, 0xa, WARD_FAULT_CONFIG },
		{ ROOT + 16, 1 << 11, 0xa, WARD_FAULT_CONFIG },
		{ ROOT + 16, 1ull << 39, 0xa, WARD_FAULT_CONFIG },
		{ ROOT + 16, 1ull << 63, 0xa, WARD_FAULT_CONFIG },
		{ ROOT + 24, 1, 0xa, WARD_FAULT_CONFIG },
		{ ROOT + 24, 1ull << 63, 0xa, WARD_FAULT_CONFIG },
		{ ROOT + 16, 1ull << 30, 0x9, WARD_FAULT_TABLE },
		{ CONTEXTS + 0x80, 1, 0x2, WARD_FAULT_BLOCKED },
		{ CONTEXTS + 0x80, 1 << 2, 0x3, WARD_FAULT_CONFIG }, /* no device caches here */
		{ CONTEXTS + 0x80, 3 << 2, 0x3, WARD_FAULT_CONFIG },
		{ CONTEXTS + 0x80, 1 << 4, 0xb, WARD_FAULT_CONFIG },
		{ CONTEXTS + 0x80, 1 << 11, 0xb, WARD_FAULT_CONFIG },
		{ CONTEXTS + 0x80, 1ull << 39, 0xb, WARD_FAULT_CONFIG },
		{ CONTEXTS + 0x88, 1 << 0, 0x3, WARD_FAULT_CONFIG },
		{ CONTEXTS + 0x88, 1 << 1, 0x3, WARD_FAULT_CONFIG },
		{ CONTEXTS + 0x88, 1 << 2, 0x3, WARD_FAULT_CONFIG },
		{ CONTEXTS + 0x88, 1 << 7, 0xb, WARD_FAULT_CONFIG },
		{ CONTEXTS + 0x88, 1ull << 24, 0xb, WARD_FAULT_CONFIG },
		{ CONTEXTS + 0x80, 1ull << 30, 0x7, WARD_FAULT_TABLE },
		{ TABLE, 3, 0x6, WARD_FAULT_TRANSLATION },
		{ TABLE, 1ull << 30, 0x7, WARD_FAULT_TABLE },
		{ 0x4000, 1ull << 11, 0xc, WARD_FAULT_ADDRESS_SIZE },
		{ LEAVES + 56, 1ull << 39, 0xc, WARD_FAULT_ADDRESS_SIZE },
		{ LEAVES + 56, 1, 0x6, WARD_FAULT_PERMISSION },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench b;

		start(&b, 48, false);
		put(&b, rows[i].at, get(&b, rows[i].at) ^ rows[i].flip);
		assert_int_equal(go(&b, SID, 0x7000, WARD_READ), -EFAULT);
		if (b.fault.reason != rows[i].said)
			fail_msg("row %zu: reason %d", i, b.fault.reason);
		if ((reg(&b, RECORD(0) + 12, 4) & 0xff) != rows[i].reason)
			fail_msg("row %zu: recorded %x", i,
				 (unsigned int)(reg(&b, RECORD(0) + 12, 4) & 0xff));
		/* Put right again: faults are not cached, but a context that is sound itself is. */
		put(&b, rows[i].at, get(&b, rows[i].at) ^ rows[i].flip);
		if (rows[i].reason == 0x7)
			everything(&b);
		assert_int_equal(go(&b, SID, 0x7000, WARD_READ), 0);
		finish(&b);
	}
}

static void root_beyond(void **unused)
{
	struct bench b;

	(void)unused;
	start(&b, 48, false);
	set(&b, 0x20, 8, 1ull << 40);
	set(&b, 0x18, 4, 1u << 31);
	/* Not taken before SRTP. */
	assert_int_equal(go(&b, SID, 0x7000, WARD_READ), 0);
	set(&b, 0x18, 4, 1u << 31 | 1u << 30);
	everything(&b);
	assert_int_equal(go(&b, SID, 0x7000, WARD_READ), -EFAULT);
	expect_record(&b, 0, 8);
	finish(&b);
}

static void types(void **unused)
{
	struct ward_emul_request claims = { .sid = ward_sid(SID),
					    .pasid = WARD_PASID_NONE,
					    .iova = ward_iova(0x50000),
					    .access = WARD_WRITE,
					    .translated = true };
	struct bench b;

	(void)unused;
	start(&b, 48, true);
	/* Untranslated requests only. */
	assert_int_equal(try(&b, claims), -EFAULT);
	assert_int_equal(b.fault.reason, WARD_FAULT_BLOCKED);
	assert_int_equal(reg(&b, RECORD(0) + 8, 8) >> 60, 0x8 | 0x2);
	expect_record(&b, 0, 0xd);
	/* Pass-through: of the largest width, within the host's addresses. */
	everything(&b);
	set_context(&b, SID, 1 | 2 << 2, 5 << 8 | 2);
	assert_int_equal(go(&b, SID, 0x50000, WARD_WRITE), 0);
	assert_int_equal(target(&b), 0x50000);
	assert_int_equal(go(&b, SID, 1ull << 39, WARD_WRITE), -EFAULT);
	expect_record(&b, 1, 4);
	assert_int_equal(try(&b, claims), -EFAULT);
	expect_record(&b, 2, 0xd);
	everything(&b);
	set_context(&b, SID, 1 | 2 << 2, 5 << 8 | 1);
	assert_int_equal(go(&b, SID, 0x50000, WARD_WRITE), -EFAULT);
	expect_record(&b, 3, 3);
	/* With device caches. */
	everything(&b);
	set_context(&b, SID, TABLE | 1 | 1 << 2, 5 << 8 | 2);
	assert_int_equal(try(&b, claims), 0);
	assert_int_equal(target(&b), 0x50000);
	assert_int_equal(go(&b, SID, 0x7000, WARD_WRITE), 0);
	assert_int_equal(target(&b), 0x40000);
	/* PASIDs are not for legacy mode. */
	claims.pasid = ward_pasid(1);
	assert_int_equal(try(&b, claims), -EFAULT);
	assert_int_equal(b.fault.reason, WARD_FAULT_PASID);
	assert_int_equal(reg(&b, 0x34, 4) & 2, 0);
	finish(&b);
}

static void fault_registers(void **unused)
{
	struct ward_vtd_counts counts;
	struct bench b;

	(void)unused;
	start(&b, 48, false);
	assert_int_equal(reg(&b, 0x34, 4), 0);
	for (unsigned int i = 0; i < WARD_VTD_RECORDS; i++)
		assert_int_equal(go(&b, SID, 0x10000 + i * 0x1000 + 5, WARD_WRITE), -EFAULT);
	assert_int_equal(reg(&b, 0x34, 4), 2);
	assert_int_equal(reg(&b, RECORD(3), 8), 0x13000);
	assert_int_equal(reg(&b, RECORD(3) + 8, 8), 1ull << 63 | 5ull << 32 | SID);
	/* Full. */
	assert_int_equal(go(&b, SID, 0x30000, WARD_READ), -EFAULT);
	assert_int_equal(reg(&b, 0x34, 4), 3);
	/* Room alone is not enough: nothing is recorded until the overflow is cleared. */
	set(&b, RECORD(0) + 8, 8, 1ull << 63);
	assert_int_equal(go(&b, SID, 0x31000, WARD_READ), -EFAULT);
	assert_int_equal(reg(&b, RECORD(0) + 12, 4) >> 31, 0);
	set(&b, 0x34, 4, 1);
	assert_int_equal(reg(&b, 0x34, 4), 2);
	assert_int_equal(go(&b, SID, 0x32000, WARD_READ), -EFAULT);
	assert_int_equal(reg(&b, RECORD(0), 8), 0x32000);
	assert_int_equal(reg(&b, RECORD(0) + 12, 4) >> 30, 3);
	ward_vtd_counts(b.vtd, &counts);
	assert_int_equal(counts.faults, WARD_VTD_RECORDS + 1);
	assert_int_equal(counts.faults_dropped, 2);
	/* The first one pending is told, once nothing else was. */
	for (unsigned int i = 0; i < WARD_VTD_RECORDS; i++)
		set(&b, RECORD(i) + 12, 4, 1u << 31);
	assert_int_equal(reg(&b, 0x34, 4) & 2, 0);
	assert_int_equal(go(&b, SID, 0x33000, WARD_READ), -EFAULT);
	assert_int_equal(go(&b, SID, 0x34000, WARD_READ), -EFAULT);
	assert_int_equal(reg(&b, 0x34, 4), 2 | 1 << 8);
	finish(&b);
}

static void silent(void **unused)
{
	struct ward_emul_request probe = { .sid = ward_sid(SID),
					   .pasid = WARD_PASID_NONE,
					   .iova = ward_iova(0x9000),
					   .access = WARD_READ,
					   .probe = true };
	struct ward_vtd_counts counts;
	struct bench b;

	(void)unused;
	start(&b, 48, false);
	/* A probe leaves no trace. */
	assert_int_equal(try(&b, probe), -EFAULT);
	assert_int_equal(reg(&b, 0x34, 4), 0);
	probe.iova = ward_iova(0x7000);
	assert_int_equal(try(&b, probe), 0);
	put(&b, LEAVES + 56, 0);
	assert_int_equal(try(&b, probe), -EFAULT);
	ward_vtd_counts(b.vtd, &counts);
	assert_int_equal(counts.walks + counts.hits + counts.faults + counts.faults_dropped, 0);
	/* FPD: refused all the same, present or not. */
	set_context(&b, SID, TABLE | 3, 5 << 8 | 2);
	assert_int_equal(go(&b, SID, 0x9000, WARD_READ), -EFAULT);
	set_context(&b, SID, 2, 0);
	everything(&b);
	assert_int_equal(go(&b, SID, 0x9000, WARD_READ), -EFAULT);
	assert_int_equal(b.fault.reason, WARD_FAULT_BLOCKED);
	assert_int_equal(reg(&b, 0x34, 4), 0);
	ward_vtd_counts(b.vtd, &counts);
	assert_int_equal(counts.faults_dropped, 2);
	finish(&b);
}

static void caches(void **unused)
{
	struct bench b;

	(void)unused;
	start(&b, 48, false);
	assert_int_equal(go(&b, SID, 0x7000, WARD_READ), 0);
	put(&b, LEAVES + 56, 0);
	set_context(&b, SID, 0, 0);
	/* Both live until they are invalidated. */
	assert_int_equal(go(&b, SID, 0x7000, WARD_WRITE), 0);
	/* Another page, another domain: not this one. */
	set(&b, IVA, 8, 0x8000);
	set(&b, IOTLB, 8, 1ull << 63 | 3ull << 60 | 5ull << 32);
	assert_int_equal(reg(&b, IOTLB, 8) >> 57, 3 << 3 | 3);
	set(&b, IVA, 8, 0x7000);
	set(&b, IOTLB, 8, 1ull << 63 | 3ull << 60 | 6ull << 32);
	set(&b, IOTLB, 8, 1ull << 63 | 2ull << 60 | 6ull << 32);
	assert_int_equal(go(&b, SID, 0x7000, WARD_WRITE), 0);
	/* An address mask too large is not done, and says so. */
	set(&b, IVA, 8, 0x7000 | 0x3f);
	set(&b, IOTLB, 8, 1ull << 63 | 3ull << 60 | 5ull << 32);
	assert_int_equal(reg(&b, IOTLB, 8) >> 57 & 3, 0);
	assert_int_equal(go(&b, SID, 0x7000, WARD_WRITE), 0);
	/* Four pages around it; in two halves, the second of which is the command. */
	set(&b, IVA, 8, 0x4000 | 2);
	set(&b, IOTLB, 4, 0);
	set(&b, IOTLB + 4, 4, 1u << 31 | 3u << 28 | 5);
	assert_int_equal(go(&b, SID, 0x7000, WARD_WRITE), -EFAULT);
	expect_record(&b, 0, 5);
	/* The context is still there: of another function, of the whole domain 6. */
	put(&b, LEAVES + 56, 0x50000 | 3);
	set(&b, 0x28, 8, 1ull << 63 | 3ull << 61 | 0x109ull << 16 | 5);
	set(&b, 0x28, 8, 1ull << 63 | 2ull << 61 | 6);
	assert_int_equal(go(&b, SID, 0x7000, WARD_WRITE), 0);
	assert_int_equal(target(&b), 0x50000);
	/* All functions of the slot. */
	set(&b, 0x28, 8, 1ull << 63 | 3ull << 61 | 3ull << 32 | 0x10full << 16 | 5);
	assert_int_equal(reg(&b, 0x28, 8) >> 59, 3 << 2 | 3);
	assert_int_equal(go(&b, SID, 0x7000, WARD_WRITE), -EFAULT);
	expect_record(&b, 1, 2);
	finish(&b);
}

/* A translation that was cached for reading does not hide that it may be written by now. */
static void more_than_cached(void **unused)
{
	struct bench b;

	(void)unused;
	start(&b, 48, false);
	put(&b, LEAVES + 56, 0x40000 | 1);
	assert_int_equal(go(&b, SID, 0x7000, WARD_READ), 0);
	assert_int_equal(go(&b, SID, 0x7000, WARD_WRITE), -EFAULT);
	assert_int_equal(b.fault.reason, WARD_FAULT_PERMISSION);
	put(&b, LEAVES + 56, 0x40000 | 3);
	assert_int_equal(go(&b, SID, 0x7000, WARD_WRITE), 0);
	finish(&b);
}

/* Translations are those of a domain: of all its functions, and of no other. */
static void domains(void **unused)
{
	struct bench b;

	(void)unused;
	start(&b, 48, false);
	/* The same page in the same place of the cache. */
	set_context(&b, SID + 1, TABLE | 1, 261 << 8 | 2);
	set_context(&b, SID + 2, TABLE | 1, 5 << 8 | 2);
	assert_int_equal(go(&b, SID, 0x7000, WARD_READ), 0);
	put(&b, LEAVES + 56, 0x50000 | 3);
	assert_int_equal(go(&b, SID + 2, 0x7000, WARD_READ), 0);
	assert_int_equal(target(&b), 0x40000);
	assert_int_equal(go(&b, SID + 1, 0x7000, WARD_READ), 0);
	assert_int_equal(target(&b), 0x50000);
	finish(&b);
}

static unsigned int queued;

static void queue(struct bench *b, uint64_t low, uint64_t high)
{
	put(b, QUEUE + queued * 16, low);
	put(b, QUEUE + queued * 16 + 8, high);
	queued = (queued + 1) % 256;
	set(b, 0x88, 8, queued * 16);
}

static void queue_wait(struct bench *b, uint32_t status)
{
	queue(b, (uint64_t)status << 32 | 1 << 5 | 1 << 4 | 5, STATUS);
}

static void start_queue(struct bench *b, bool ats)
{
	start(b, 48, ats);
	queued = 0;
	set(b, 0x90, 8, QUEUE);
	set(b, 0x88, 8, 0);
	set(b, 0x18, 4, 1u << 31 | 1u << 26);
	assert_int_equal(reg(b, 0x1c, 4), 1u << 31 | 1u << 30 | 1u << 26);
}

static void queue_invalidates(void **unused)
{
	struct bench b;

	(void)unused;
	start_queue(&b, false);
	assert_int_equal(go(&b, SID, 0x7000, WARD_READ), 0);
	put(&b, LEAVES + 56, 0);
	/* By registers nothing is done any more. */
	everything(&b);
	assert_int_equal(reg(&b, 0x28, 8) >> 59, 1 << 2);
	assert_int_equal(go(&b, SID, 0x7000, WARD_READ), 0);
	queue(&b, 5ull << 16 | 3 << 4 | 2, 0x7000);
	assert_int_equal(go(&b, SID, 0x7000, WARD_READ), -EFAULT);
	set_context(&b, SID, 0, 0);
	assert_int_equal(go(&b, SID, 0x7000, WARD_READ), -EFAULT);
	expect_record(&b, 0, 6);
	expect_record(&b, 1, 6);
	queue(&b, (uint64_t)SID << 32 | 5 << 16 | 3 << 4 | 1, 0);
	assert_int_equal(go(&b, SID, 0x7000, WARD_READ), -EFAULT);
	expect_record(&b, 2, 2);
	queue_wait(&b, 0xcafe);
	assert_int_equal(get(&b, STATUS), 0xcafe);
	assert_int_equal(reg(&b, 0x9c, 4), 1);
	set(&b, 0x9c, 4, 1);
	assert_int_equal(reg(&b, 0x9c, 4), 0);
	assert_int_equal(reg(&b, 0x80, 8), reg(&b, 0x88, 8));
	/* Around the end of the queue. */
	for (unsigned int i = 0; i < 300; i++)
		queue_wait(&b, i);
	assert_int_equal(get(&b, STATUS), 299);
	assert_int_equal(reg(&b, 0x34, 4) & 0x70, 0);
	finish(&b);
}

static void queue_errors(void **unused)
{
	struct bench b;

	(void)unused;
	start_queue(&b, false);
	queue(&b, 0xf, 0);
	assert_int_equal(reg(&b, 0x34, 4), 1 << 4);
	queue_wait(&b, 7);
	assert_int_equal(get(&b, STATUS), 0);
	/* The head is at what is wrong; mended, it goes on. */
	assert_int_equal(reg(&b, 0x80, 8), 0);
	put(&b, QUEUE, 1 << 4 | 1);
	set(&b, 0x34, 4, 1 << 4);
	assert_int_equal(reg(&b, 0x34, 4), 0);
	assert_int_equal(get(&b, STATUS), 7);
	/* No granularity, an address mask too large, a device cache where there are none. */
	for (unsigned int i = 0; i < 4; i++) {
		static const uint64_t bad[][2] = {
			{ 1, 0 },
			{ 2, 0 },
			{ 3 << 4 | 2, 0x3f },
			{ 3, 0 },
		};

		queue(&b, bad[i][0], bad[i][1]);
		assert_int_equal(reg(&b, 0x34, 4), 1 << 4);
		put(&b, QUEUE + (queued - 1) * 16, 1 << 4 | 1);
		set(&b, 0x34, 4, 1 << 4);
		assert_int_equal(reg(&b, 0x34, 4), 0);
	}
	/* A tail beyond the queue; a queue where no memory is. */
	for (unsigned int i = 0; i < 256; i++)
		put(&b, QUEUE + i * 16, 1 << 4 | 1);
	set(&b, 0x88, 8, 0x1000);
	assert_int_equal(reg(&b, 0x34, 4), 1 << 4);
	assert_int_equal(reg(&b, 0x80, 8), queued * 16);
	set(&b, 0x88, 8, 0);
	set(&b, 0x90, 8, 1ull << 32);
	set(&b, 0x34, 4, 1 << 4);
	assert_int_equal(reg(&b, 0x34, 4), 1 << 4);
	/* Off and on again: from the beginning. */
	set(&b, 0x18, 4, 1u << 31);
	assert_int_equal(reg(&b, 0x80, 8), 0);
	finish(&b);
}

static void device_caches(void **unused)
{
	struct bench b;

	(void)unused;
	start_queue(&b, true);
	assert_int_equal(reg(&b, 0x10, 8) & 4, 4);
	queue(&b, (uint64_t)SID << 32 | 3, 0x7000);
	assert_int_equal(b.asked, 1);
	assert_int_equal(ward_sid_raw(b.sid), SID);
	assert_int_equal(b.range.start, 0x7000);
	assert_int_equal(b.range.last, 0x7fff);
	/* Bits 12 and 13 set, 14 clear: eight pages. */
	queue(&b, (uint64_t)SID << 32 | 3, 0xb000 | 1);
	assert_int_equal(b.range.start, 0x8000);
	assert_int_equal(b.range.last, 0xffff);
	queue(&b, (uint64_t)SID << 32 | 3, 0x7ffffffffffff001);
	assert_int_equal(b.range.start, 0);
	assert_int_equal(b.range.last, UINT64_MAX);
	queue_wait(&b, 1);
	assert_int_equal(get(&b, STATUS), 1);
	/* One that does not answer: the wait is dropped, the queue stands. */
	b.answers = false;
	queue(&b, (uint64_t)SID << 32 | 3, 0x7000);
	assert_int_equal(reg(&b, 0x34, 4), 0);
	queue_wait(&b, 2);
	assert_int_equal(reg(&b, 0x34, 4), 1 << 6);
	assert_int_equal(get(&b, STATUS), 1);
	queue_wait(&b, 3);
	assert_int_equal(get(&b, STATUS), 1);
	set(&b, 0x34, 4, 1 << 6);
	assert_int_equal(reg(&b, 0x34, 4), 0);
	assert_int_equal(get(&b, STATUS), 3);
	finish(&b);
}

static void registers(void **unused)
{
	uint64_t value = 42;
	struct bench b;

	(void)unused;
	start(&b, 48, false);
	assert_int_equal(reg(&b, 0x00, 4), 0x10);
	assert_int_equal((reg(&b, 0x08, 8) >> 24 & 0x3ff) * 16, WARD_VTD_RECORD_OFFSET);
	assert_int_equal((reg(&b, 0x08, 8) >> 40 & 0xff) + 1, WARD_VTD_RECORDS);
	assert_int_equal((reg(&b, 0x10, 8) >> 8 & 0x3ff) * 16, WARD_VTD_IOTLB_OFFSET);
	assert_int_equal(reg(&b, 0x18, 4), 0);
	assert_int_equal(reg(&b, 0x38, 4), 1u << 31);
	set(&b, 0x40, 4, 0xfee01003);
	assert_int_equal(reg(&b, 0x40, 8), 0xfee01000);
	set(&b, 0x40, 8, 0x1fee02000);
	assert_int_equal(reg(&b, 0x44, 4), 1);
	set(&b, 0x24, 4, 3);
	assert_int_equal(reg(&b, 0x20, 8), 3ull << 32 | ROOT);
	set(&b, 0x08, 8, 0);
	assert_true(reg(&b, 0x08, 8) != 0);
	assert_int_equal(ward_vtd_read(b.vtd, 0x60, 4, &value), -EINVAL);
	assert_int_equal(ward_vtd_read(b.vtd, 0x00, 8, &value), -EINVAL);
	assert_int_equal(ward_vtd_read(b.vtd, 0x0c, 8, &value), -EINVAL);
	assert_int_equal(ward_vtd_read(b.vtd, 0x08, 2, &value), -EINVAL);
	assert_int_equal(ward_vtd_read(b.vtd, 0xfffffffc, 4, &value), -EINVAL);
	assert_int_equal(ward_vtd_read(b.vtd, RECORD(WARD_VTD_RECORDS), 4, &value), -EINVAL);
	assert_int_equal(ward_vtd_write(b.vtd, 0x60, 4, 0), -EINVAL);
	assert_int_equal(ward_vtd_write(b.vtd, 0x20, 1, 0), -EINVAL);
	assert_int_equal(ward_vtd_write(b.vtd, 0x34, 8, 0), -EINVAL);
	assert_int_equal(value, 42);
	finish(&b);
}

static int create(void *context)
{
	struct ward_vtd_options options = { .memory = context,
					    .address_bits = 39,
					    .output_bits = 39 };
	struct ward_vtd *vtd;
	int err = ward_vtd_create(&options, &vtd);

	if (!err)
		ward_vtd_destroy(vtd);
	return err;
}

static void creation(void **unused)
{
	struct ward_vtd_options options = { .address_bits = 39, .output_bits = 39 };
	struct ward_vtd *vtd;

	(void)unused;
	assert_int_equal(ward_vtd_create(&options, &vtd), -EINVAL);
	assert_int_equal(ward_memory_create(&options.memory), 0);
	options.address_bits = 57;
	assert_int_equal(ward_vtd_create(&options, &vtd), -EINVAL);
	options.address_bits = 48;
	options.output_bits = 31;
	assert_int_equal(ward_vtd_create(&options, &vtd), -EINVAL);
	options.output_bits = 53;
	assert_int_equal(ward_vtd_create(&options, &vtd), -EINVAL);
	ward_vtd_destroy(NULL);
	assert_int_equal(test_sweep(create, options.memory), 1);
	ward_memory_destroy(options.memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(translates),
		cmocka_unit_test(widths),
		cmocka_unit_test(wrong_bits),
		cmocka_unit_test(root_beyond),
		cmocka_unit_test(types),
		cmocka_unit_test(fault_registers),
		cmocka_unit_test(silent),
		cmocka_unit_test(caches),
		cmocka_unit_test(more_than_cached),
		cmocka_unit_test(domains),
		cmocka_unit_test(queue_invalidates),
		cmocka_unit_test(queue_errors),
		cmocka_unit_test(device_caches),
		cmocka_unit_test(registers),
		cmocka_unit_test(creation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

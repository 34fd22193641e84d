// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Interrupt remapping of VT-d: entries and messages one wrong field at a time, and a naive reading. */
#include "emul/machines.h"
#include "emul/vtd.h"

#define TABLE 0x4000u
#define QUEUE 0x1000u
#define LAST 0xfffffu

#define GCMD 0x18u
#define GSTS 0x1cu
#define IRTA 0xb8u
#define QIE (1u << 26)
#define IRE (1u << 25)
#define SIRTP (1u << 24)
#define CFI (1u << 23)
#define EIME (1u << 11)
#define RECORD(n) (WARD_VTD_RECORD_OFFSET + (n)*16u)

#define REMAPPABLE 0x10u
#define SHV 0x8u
#define RID 0x108u

/* Entry: vector 0x41, xAPIC 2, of RID alone. */
#define LOW 0x0000020000410001u
#define HIGH (RID | 1ull << 18)
#define INDEX 5u

struct bench {
	struct ward_memory *memory;
	struct ward_vtd *vtd;
	unsigned int tail, records;
	struct ward_emul_message message;
	struct ward_apic_delivery delivery;
	struct ward_interrupt interrupt;
};

static void set(struct bench *b, uint32_t offset, unsigned int size, uint64_t value)
{
	assert_int_equal(ward_vtd_write(b->vtd, offset, size, value), 0);
}

static uint64_t reg(struct bench *b, uint32_t offset, unsigned int size)
{
	uint64_t value;

	assert_int_equal(ward_vtd_read(b->vtd, offset, size, &value), 0);
	return value;
}

static void put_entry(struct bench *b, uint64_t index, uint64_t low, uint64_t high)
{
	assert_int_equal(ward_memory_write_u64(b->memory, TABLE + index * 16, low), 0);
	assert_int_equal(ward_memory_write_u64(b->memory, TABLE + index * 16 + 8, high), 0);
}

/* Remapping on, with a table of 256 entries. */
static void start(struct bench *b, bool x2apic, uint64_t extra)
{
	struct ward_vtd_options options = {
		.address_bits = 39,
		.output_bits = 39,
		.remaps_interrupts = true,
		.x2apic = x2apic,
	};

	memset(b, 0, sizeof(*b));
	assert_int_equal(ward_memory_create(&b->memory), 0);
	options.memory = b->memory;
	assert_int_equal(ward_memory_add(b->memory, (struct ward_range){ 0, LAST }, 0, NULL), 0);
	assert_int_equal(ward_vtd_create(&options, &b->vtd), 0);
	put_entry(b, INDEX, LOW, HIGH);
	set(b, 0x90, 8, QUEUE);
	set(b, IRTA, 8, TABLE | 7 | extra);
	set(b, GCMD, 4, QIE | SIRTP);
	set(b, GCMD, 4, QIE | IRE);
	b->message = (struct ward_emul_message){
		.address = 0xfee00000u | REMAPPABLE | INDEX << 5,
		.data = 0xdeadbeef, /* not looked at without SHV */
		.size = 4,
		.rid = ward_rid(RID),
	};
}

static void finish(struct bench *b)
{
	ward_vtd_destroy(b->vtd);
	ward_memory_destroy(b->memory);
}

static int go(struct bench *b)
{
	return ward_vtd_remap(b->vtd, &b->message, &b->delivery, &b->interrupt);
}

/* A descriptor that invalidates interrupt entries. */
static void invalidate(struct bench *b, uint64_t descriptor)
{
	assert_int_equal(ward_memory_write_u64(b->memory, QUEUE + b->tail * 16, descriptor | 4), 0);
	assert_int_equal(ward_memory_write_u64(b->memory, QUEUE + b->tail * 16 + 8, 0), 0);
	b->tail = (b->tail + 1) % 256;
	set(b, 0x88, 8, b->tail * 16);
	assert_int_equal(reg(b, 0x80, 8), b->tail * 16);
}

/* The message is blocked, and recorded so: reason 0, it is not recorded. */
static void expect_blocked(struct bench *b, unsigned int reason, enum ward_interrupt_reason said,
			   unsigned int index)
{
	uint32_t at = RECORD(b->records);

	assert_int_equal(go(b), -EPERM);
	assert_int_equal(b->interrupt.end, WARD_INTERRUPT_BLOCKED);
	if (b->interrupt.reason != said)
		fail_msg("reason %d, not %d", b->interrupt.reason, said);
	assert_int_equal(b->interrupt.cpu, WARD_NONE);
	assert_int_equal(b->interrupt.cpus, 0);
	assert_int_equal(reg(b, at + 12, 4) >> 31, reason != 0);
	if (!reason)
		return;
	if ((reg(b, at + 12, 4) & 0xff) != reason)
		fail_msg("recorded %x, not %x", (unsigned int)(reg(b, at + 12, 4) & 0xff), reason);
	assert_int_equal(reg(b, at, 8), (uint64_t)index << 48);
	assert_int_equal(reg(b, at + 8, 4), ward_rid_raw(b->message.rid));
	assert_int_equal(reg(b, at + 12, 4) & ~0xffu, 1u << 31);
	set(b, at + 12, 4, 1u << 31);
	b->records = (b->records + 1) % WARD_VTD_RECORDS;
}

static void remaps(void **unused)
{
	struct bench b;

	(void)unused;
	start(&b, false, 0);
	assert_int_equal(go(&b), 1);
	assert_int_equal(b.delivery.destination, 2);
	assert_int_equal(b.delivery.vector, 0x41);
	assert_int_equal(b.delivery.mode, WARD_APIC_FIXED);
	assert_false(b.delivery.wide || b.delivery.logical || b.delivery.hint || b.delivery.level);
	assert_true(b.delivery.on);
	/* Each field of its own. */
	invalidate(&b, 0);
	put_entry(&b, INDEX, LOW | 1 << 2, HIGH);
	assert_int_equal(go(&b), 1);
	assert_true(b.delivery.logical && !b.delivery.hint && !b.delivery.level);
	invalidate(&b, 0);
	put_entry(&b, INDEX, LOW | 1 << 3, HIGH);
	assert_int_equal(go(&b), 1);
	assert_true(!b.delivery.logical && b.delivery.hint && !b.delivery.level);
	invalidate(&b, 0);
	put_entry(&b, INDEX, LOW | 1 << 4, HIGH);
	assert_int_equal(go(&b), 1);
	assert_true(!b.delivery.logical && !b.delivery.hint && b.delivery.level);
	invalidate(&b, 0);
	put_entry(&b, INDEX, LOW | 5 << 5 | 0xf00 /* for software */, HIGH);
	assert_int_equal(go(&b), 1);
	assert_int_equal(b.delivery.mode, WARD_APIC_INIT);
	assert_int_equal(reg(&b, 0x34, 4), 0);
	finish(&b);
}

static void registers(void **unused)
{
	struct bench b;
	struct ward_vtd_options options;

	(void)unused;
	start(&b, false, 0);
	assert_int_equal(reg(&b, GSTS, 4), QIE | IRE | SIRTP);
	assert_int_equal(reg(&b, 0x10, 8) & 0xf00018, 0xf00008);
	assert_int_equal(reg(&b, 0x08, 8) >> 62, 1);
	set(&b, IRTA, 8, UINT64_MAX);
	assert_int_equal(reg(&b, IRTA, 8), ~UINT64_C(0x7f0));
	/* Not taken before SIRTP. */
	assert_int_equal(go(&b), 1);
	set(&b, GCMD, 4, QIE | CFI);
	assert_int_equal(reg(&b, GSTS, 4), QIE | CFI | SIRTP);
	assert_int_equal(go(&b), 0);
	finish(&b);
	start(&b, true, 0);
	assert_int_equal(reg(&b, 0x10, 8) & 0xf00018, 0xf00018);
	/* Where it is not offered nothing of it can be switched on. */
	ward_vtd_destroy(b.vtd);
	options = (struct ward_vtd_options){
		.memory = b.memory,
		.address_bits = 39,
		.output_bits = 39,
	};
	assert_int_equal(ward_vtd_create(&options, &b.vtd), 0);
	set(&b, IRTA, 8, TABLE | 7);
	set(&b, GCMD, 4, SIRTP | IRE | CFI);
	assert_int_equal(reg(&b, GSTS, 4), 0);
	assert_int_equal(reg(&b, 0x10, 8) & 0xf00018, 0);
	assert_int_equal(reg(&b, 0x08, 8) >> 62, 0);
	assert_int_equal(go(&b), 0);
	finish(&b);
}

/* One wrong field of an entry; some faults the entry's FPD silences, some it cannot. */
static void wrong_entries(void **unused)
{
	static const struct {
		uint64_t low, high; /* flipped */
		unsigned int reason;
		enum ward_interrupt_reason said;
	} rows[] = {
		{ 1, 0, 0x22, WARD_REASON_NOT_PRESENT },
		{ 1ull << 12, 0, 0x24, WARD_REASON_FORMAT },
		{ 1ull << 14, 0, 0x24, WARD_REASON_FORMAT },
		{ 1ull << 15, 0, 0x24, WARD_REASON_FORMAT }, /* posted */
		{ 1ull << 24, 0, 0x24, WARD_REASON_FORMAT },
		{ 1ull << 31, 0, 0x24, WARD_REASON_FORMAT },
		{ 1ull << 32, 0, 0x24, WARD_REASON_FORMAT }, /* beside an xAPIC id */
		{ 1ull << 39, 0, 0x24, WARD_REASON_FORMAT },
		{ 1ull << 48, 0, 0x24, WARD_REASON_FORMAT },
		{ 1ull << 63, 0, 0x24, WARD_REASON_FORMAT },
		{ 0, 1ull << 20, 0x24, WARD_REASON_FORMAT },
		{ 0, 1ull << 63, 0x24, WARD_REASON_FORMAT },
		{ 0, 1, 0x26, WARD_REASON_SOURCE },
		{ 0, 0x8000, 0x26, WARD_REASON_SOURCE },
		{ 0, 2ull << 18, 0x26, WARD_REASON_SOURCE }, /* SVT 3 */
		{ 0, 3ull << 18, 0x26, WARD_REASON_SOURCE }, /* SVT 2: buses 1 to 8... */
		/* The checks have an order. */
		{ 1 | 1ull << 12, 1, 0x22, WARD_REASON_NOT_PRESENT },
		{ 1ull << 12, 1, 0x24, WARD_REASON_FORMAT },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ward_vtd_counts counts;
		struct bench b;

		start(&b, false, 0);
		if (rows[i].high == 3ull << 18)
			b.message.rid = ward_rid(0x9 << 8);
		put_entry(&b, INDEX, LOW ^ rows[i].low, HIGH ^ rows[i].high);
		expect_blocked(&b, rows[i].reason, rows[i].said, INDEX);
		if (rows[i].reason == 0x26)
			invalidate(&b, 0);
		put_entry(&b, INDEX, (LOW ^ rows[i].low) | 2, HIGH ^ rows[i].high);
		expect_blocked(&b, 0, rows[i].said, INDEX);
		ward_vtd_counts(b.vtd, &counts);
		assert_int_equal(counts.faults, 1);
		assert_int_equal(counts.faults_dropped, 1);
		/* Put right again: what is not sound was not cached. */
		put_entry(&b, INDEX, LOW, HIGH);
		if (rows[i].reason == 0x26)
			invalidate(&b, 0);
		b.message.rid = ward_rid(RID);
		assert_int_equal(go(&b), 1);
		finish(&b);
	}
}

/* Faults before an entry is read: FPD of whatever lies there does not matter. */
static void wrong_requests(void **unused)
{
	struct bench b;

	(void)unused;
	start(&b, false, 0);
	put_entry(&b, INDEX, LOW | 2, HIGH);
	/* Reserved bits of the data, which count with a subhandle only. */
	b.message.address |= SHV;
	b.message.data = 1u << 16;
	expect_blocked(&b, 0x20, WARD_REASON_FORMAT, INDEX);
	b.message.data = 1u << 31 | 0xffff;
	expect_blocked(&b, 0x20, WARD_REASON_FORMAT, INDEX);
	/* Beyond the table, by subhandle or by handle. */
	b.message.data = 256 - INDEX;
	expect_blocked(&b, 0x21, WARD_REASON_NOT_PRESENT, 256);
	b.message.data = 0;
	assert_int_equal(go(&b), 1);
	b.message.address = 0xfee00000u | REMAPPABLE | 0x100 << 5;
	expect_blocked(&b, 0x21, WARD_REASON_NOT_PRESENT, 0x100);
	b.message.address = 0xfee00000u | REMAPPABLE | INDEX << 5 | 1 << 2;
	expect_blocked(&b, 0x21, WARD_REASON_NOT_PRESENT, 0x8000 | INDEX);
	/* No memory there; beyond the host's addresses. */
	set(&b, IRTA, 8, 0x40000000u | 7);
	set(&b, GCMD, 4, QIE | SIRTP | IRE);
	b.message.address = 0xfee00000u | REMAPPABLE | INDEX << 5;
	expect_blocked(&b, 0x23, WARD_REASON_TABLE, INDEX);
	assert_int_equal(ward_memory_add(b.memory,
					 (struct ward_range){ 1ull << 39, (1ull << 39) + LAST }, 0,
					 NULL),
			 0);
	put_entry(&b, (1ull << 39) / 16 + INDEX, LOW | 2, HIGH);
	set(&b, IRTA, 8, 1ull << 39 | TABLE | 7);
	set(&b, GCMD, 4, QIE | SIRTP | IRE);
	expect_blocked(&b, 0x23, WARD_REASON_TABLE, INDEX);
	finish(&b);
}

static void indexes(void **unused)
{
	struct bench b;

	(void)unused;
	for (unsigned int s = 0; s < 14; s++) {
		uint32_t last = (2u << s) - 1;

		start(&b, false, 0);
		set(&b, IRTA, 8, TABLE | s);
		set(&b, GCMD, 4, QIE | SIRTP | IRE);
		put_entry(&b, last, LOW, HIGH);
		/* All of it a handle, or all of it a subhandle. */
		b.message.address = 0xfee00000u | REMAPPABLE | last << 5;
		assert_int_equal(go(&b), 1);
		b.message.address = 0xfee00000u | REMAPPABLE | SHV;
		b.message.data = last;
		assert_int_equal(go(&b), 1);
		b.message.data++;
		expect_blocked(&b, 0x21, WARD_REASON_NOT_PRESENT, last + 1);
		finish(&b);
	}
	/* The largest table: handle bit 15, and a sum that no table has. */
	start(&b, false, 0);
	set(&b, IRTA, 8, 15);
	set(&b, GCMD, 4, QIE | SIRTP | IRE);
	assert_int_equal(ward_memory_write_u64(b.memory, 0x8007 * 16, LOW), 0);
	assert_int_equal(ward_memory_write_u64(b.memory, 0x8007 * 16 + 8, HIGH), 0);
	b.message.address = 0xfee00000u | REMAPPABLE | 7 << 5 | 1 << 2;
	assert_int_equal(go(&b), 1);
	b.message.address = 0xfeefffffu;
	b.message.data = 0xffff;
	expect_blocked(&b, 0x21, WARD_REASON_NOT_PRESENT, 0xfffe);
	finish(&b);
}

static void sources(void **unused)
{
	static const struct {
		uint64_t high;
		unsigned int rid;
		bool admitted;
	} rows[] = {
		{ 0, 0xffff, true },
		{ 0x1234, 0x4321, true }, /* SVT 0 */
		{ 1ull << 18 | 0x108, 0x108, true },
		{ 1ull << 18 | 0x108, 0x10c, false },
		{ 1ull << 18 | 1ull << 16 | 0x108, 0x10c, true },
		{ 1ull << 18 | 1ull << 16 | 0x108, 0x10a, false },
		{ 1ull << 18 | 2ull << 16 | 0x108, 0x10e, true },
		{ 1ull << 18 | 2ull << 16 | 0x108, 0x109, false },
		{ 1ull << 18 | 3ull << 16 | 0x108, 0x10f, true },
		{ 1ull << 18 | 3ull << 16 | 0x108, 0x110, false },
		{ 1ull << 18 | 3ull << 16 | 0x108, 0x208, false },
		{ 2ull << 18 | 0x0305, 0x300, true },
		{ 2ull << 18 | 0x0305, 0x5ff, true },
		{ 2ull << 18 | 0x0305, 0x2ff, false },
		{ 2ull << 18 | 0x0305, 0x600, false },
		{ 2ull << 18 | 0x0503, 0x400, false }, /* no bus at all */
		{ 3ull << 18 | 0x0108, 0x108, false },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bench b;

		start(&b, false, 0);
		put_entry(&b, INDEX, LOW, rows[i].high);
		b.message.rid = ward_rid(rows[i].rid);
		if (rows[i].admitted)
			assert_int_equal(go(&b), 1);
		else
			expect_blocked(&b, 0x26, WARD_REASON_SOURCE, INDEX);
		finish(&b);
	}
}

static void compatibility_format(void **unused)
{
	struct bench b;

	(void)unused;
	start(&b, true, 0);
	b.message.address &= ~(uint64_t)REMAPPABLE;
	expect_blocked(&b, 0x25, WARD_REASON_FORMAT, 0);
	set(&b, GCMD, 4, QIE | IRE | CFI);
	assert_int_equal(go(&b), 0);
	set(&b, GCMD, 4, QIE | IRE);
	expect_blocked(&b, 0x25, WARD_REASON_FORMAT, 0);
	set(&b, GCMD, 4, QIE);
	assert_int_equal(go(&b), 0);
	finish(&b);
	/* With x2APIC's destinations CFI does nothing. */
	start(&b, true, EIME);
	b.message.address &= ~(uint64_t)REMAPPABLE;
	set(&b, GCMD, 4, QIE | IRE | CFI);
	expect_blocked(&b, 0x25, WARD_REASON_FORMAT, 0);
	finish(&b);
	/* The bit of who does not have them is nothing. */
	start(&b, false, EIME);
	b.message.address &= ~(uint64_t)REMAPPABLE;
	set(&b, GCMD, 4, QIE | IRE | CFI);
	assert_int_equal(go(&b), 0);
	finish(&b);
}

static void wide_destinations(void **unused)
{
	struct bench b;

	(void)unused;
	start(&b, true, EIME);
	put_entry(&b, INDEX, 0x12345678ull << 32 | 0x410001, HIGH);
	assert_int_equal(go(&b), 1);
	assert_int_equal(b.delivery.destination, 0x12345678);
	assert_true(b.delivery.wide);
	finish(&b);
	start(&b, true, 0);
	put_entry(&b, INDEX, 0x12345678ull << 32 | 0x410001, HIGH);
	expect_blocked(&b, 0x24, WARD_REASON_FORMAT, INDEX);
	finish(&b);
}

/* The entry that is asked for is gone from memory, or there still. */
static bool is_stale(struct bench *b)
{
	int code;

	b->message.probe = true;
	code = go(b);
	b->message.probe = false;
	return code == 1;
}

static void cache(void **unused)
{
	struct bench b;

	(void)unused;
	start(&b, false, 0);
	/* A probe caches nothing and leaves no record. */
	assert_true(is_stale(&b));
	put_entry(&b, INDEX, 0, 0);
	assert_false(is_stale(&b));
	assert_int_equal(reg(&b, 0x34, 4), 0);
	put_entry(&b, INDEX, LOW, HIGH);
	assert_int_equal(go(&b), 1);
	put_entry(&b, INDEX, 0, 0);
	assert_true(is_stale(&b));
	assert_int_equal(go(&b), 1);
	/* Another index; a mask that does not reach it; one that does. */
	invalidate(&b, 1u << 4 | 4ull << 32);
	invalidate(&b, 1u << 4 | 1u << 27 | 6ull << 32);
	invalidate(&b, 1u << 4 | (uint64_t)(INDEX + 64) << 32);
	assert_true(is_stale(&b));
	invalidate(&b, 1u << 4 | 1u << 27 | 4ull << 32);
	assert_false(is_stale(&b));
	expect_blocked(&b, 0x22, WARD_REASON_NOT_PRESENT, INDEX);
	for (unsigned int how = 0; how < 4; how++) {
		put_entry(&b, INDEX, LOW, HIGH);
		assert_int_equal(go(&b), 1);
		put_entry(&b, INDEX, 0, 0);
		assert_true(is_stale(&b));
		if (how == 0)
			invalidate(&b, 1u << 4 | (uint64_t)INDEX << 32);
		else if (how == 1)
			invalidate(&b, 0);
		else if (how == 2)
			invalidate(&b, 1u << 4 | 31u << 27);
		else
			set(&b, GCMD, 4, QIE | SIRTP | IRE);
		assert_false(is_stale(&b));
	}
	/* The source is looked at each time, though the entry is cached. */
	put_entry(&b, INDEX, LOW, HIGH);
	assert_int_equal(go(&b), 1);
	b.message.rid = ward_rid(RID + 1);
	expect_blocked(&b, 0x26, WARD_REASON_SOURCE, INDEX);
	/* Two entries in one place of the cache. */
	b.message.rid = ward_rid(RID);
	put_entry(&b, INDEX + 64, LOW + (1 << 16), HIGH);
	b.message.address += 64 << 5;
	assert_int_equal(go(&b), 1);
	assert_int_equal(b.delivery.vector, 0x42);
	b.message.address -= 64 << 5;
	assert_int_equal(go(&b), 1);
	assert_int_equal(b.delivery.vector, 0x41);
	finish(&b);
}

/* The chapter once more, as one would read it aloud. Returns a reason, 0 remapped, -1 passes. */
static int naive(struct bench *b, bool cfi, bool eime, unsigned int s, uint32_t *ret_destination,
		 uint8_t *ret_vector)
{
	uint32_t a = (uint32_t)b->message.address, d = b->message.data, handle, index;
	unsigned int rid = ward_rid_raw(b->message.rid), sid, ignore;
	uint64_t low, high;

	if (a / 16 % 2 == 0)
		return cfi && !eime ? -1 : 0x25;
	handle = (a & 0xfffe0) / 32 + (a & 4 ? 32768 : 0);
	index = a & 8 ? handle + (d & 0xffff) : handle;
	if (a & 8 && d > 0xffff)
		return 0x20;
	if (index >= 1u << (s + 1))
		return 0x21;
	if (ward_memory_read_u64(b->memory, TABLE + index * 16, &low) ||
	    ward_memory_read_u64(b->memory, TABLE + index * 16 + 8, &high))
		return 0x23;
	if (low % 2 == 0)
		return 0x22;
	if ((low >> 12 & 7) || (low >> 15 & 1) || (low >> 24 & 0xff) || high >> 20)
		return 0x24;
	if (!eime && ((low >> 32 & 0xff) || low >> 48))
		return 0x24;
	sid = high & 0xffff;
	switch (high >> 18 & 3) {
	case 1:
		ignore = (unsigned int[]){ 0, 4, 6, 7 }[high >> 16 & 3];
		if ((sid | ignore) != (rid | ignore))
			return 0x26;
		break;
	case 2:
		if (rid / 256 < sid / 256 || rid / 256 > sid % 256)
			return 0x26;
		break;
	case 3:
		return 0x26;
	default:
		break;
	}
	*ret_destination = (uint32_t)(eime ? low >> 32 : low >> 40 & 0xff);
	*ret_vector = low >> 16 & 0xff;
	return 0;
}

static uint64_t seed = 0x2545f4914f6cdd1d;

static uint64_t any(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint32_t chance(uint32_t below)
{
	return (uint32_t)(any() >> 33) % below;
}

static void any_entry(struct bench *b, uint32_t index, bool eime)
{
	uint64_t low = (chance(8) != 0) | (uint64_t)chance(4) << 1 | (uint64_t)chance(256) << 16;
	uint64_t high = chance(4) ? 0x100 | chance(16) : chance(0x10000);

	low |= eime ? any() << 32 : (uint64_t)chance(256) << 40;
	high |= (uint64_t)chance(4) << 16 | (uint64_t)chance(4) << 18;
	if (chance(6) == 0)
		low ^= UINT64_C(1) << chance(64);
	if (chance(6) == 0)
		high ^= UINT64_C(1) << chance(64);
	put_entry(b, index, low, high);
}

static void by_chance(void **unused)
{
	unsigned int seen[0x28] = { 0 };

	(void)unused;
	for (unsigned int round = 0; round < 300; round++) {
		bool cfi = chance(2), eime = chance(2);
		unsigned int s = chance(5);
		struct bench b;

		start(&b, true, 0);
		set(&b, IRTA, 8, TABLE | s | (eime ? EIME : 0));
		set(&b, GCMD, 4, QIE | IRE | SIRTP | (cfi ? CFI : 0));
		for (uint32_t i = 0; i < 32; i++)
			any_entry(&b, i, eime);
		for (unsigned int i = 0; i < 64; i++) {
			uint32_t destination = 0;
			uint8_t vector = 0;
			int expected, code;

			b.message.address = 0xfee00000u | chance(34) << 5 | (chance(8) ? 0x10 : 0) |
					    (chance(3) ? 0 : SHV) | (chance(16) ? 0 : 4);
			b.message.data = chance(6);
			if (chance(8) == 0)
				b.message.data |= 1u << chance(32);
			b.message.rid = ward_rid(0x100 | chance(16));
			expected = naive(&b, cfi, eime, s, &destination, &vector);
			code = go(&b);
			if (expected > 0) {
				unsigned int at = b.records;
				bool told = reg(&b, RECORD(at) + 12, 4) >> 31;

				assert_int_equal(code, -EPERM);
				seen[expected]++;
				if (!told)
					continue;
				assert_int_equal(reg(&b, RECORD(at) + 12, 4) & 0xff, expected);
				set(&b, RECORD(at) + 12, 4, 1u << 31);
				b.records = (at + 1) % WARD_VTD_RECORDS;
				continue;
			}
			assert_int_equal(code, expected < 0 ? 0 : 1);
			seen[0] += code == 1;
			if (code == 1) {
				assert_int_equal(b.delivery.destination, destination);
				assert_int_equal(b.delivery.vector, vector);
			}
		}
		finish(&b);
	}
	for (unsigned int reason = 0x20; reason <= 0x26; reason++)
		assert_true(seen[reason] > 20 || reason == 0x23);
	assert_true(seen[0] > 1000);
}

/* In the machine: an entry is one function's, and who is behind a bridge is the bridge. */
struct yard {
	struct rig rig;
	struct bench b;
	struct ward_vtd *units[1];
	struct ward_apic_controller controller;
};

static void yard_start(struct yard *y)
{
	const struct ward_apics_options options = { .size = sizeof(options), .cpus = 4 };

	memset(y, 0, sizeof(*y));
	y->rig.arch = WARD_ARCH_X86;
	rig_port(&y->rig, "00:01.0", WARD_PCIE_ROOT_PORT, 1, 1);
	rig_card(&y->rig, "01:01.0", 0x10000000);
	rig_card(&y->rig, "01:01.1", 0x10100000);
	rig_port(&y->rig, "00:02.0", WARD_PCIE_ROOT_PORT, 2, 3);
	rig_port(&y->rig, "02:00.0", WARD_PCIE_TO_PCI, 3, 3);
	rig_card(&y->rig, "03:04.0", 0x10200000)->pcie_type = WARD_PCIE_NONE;
	rig_doorbell(&y->rig, WARD_CONTROLLER_X86_REMAPPING, 0xfee00000, 0xfeefffff);
	rig_done(&y->rig);
	start(&y->b, false, 0);
	assert_int_equal(ward_apics_create(&options, &y->controller.apics), 0);
	y->units[0] = y->b.vtd;
	y->controller.units = y->units;
	y->controller.units_count = 1;
	ward_emul_set_controller(y->rig.emul, 0, &ward_apic_doorbell, &y->controller);
}

static const struct ward_interrupt *yard_write(struct yard *y, const char *from, uint64_t address,
					       uint32_t data, size_t size)
{
	uint64_t bytes = data;

	assert_int_equal(rig_dma(&y->rig, from,
				 (struct ward_dma){ .pasid = WARD_PASID_NONE,
						    .address = ward_iova(address),
						    .write = true,
						    .bytes = &bytes,
						    .size = size }),
			 WARD_DMA_DOORBELL);
	return &y->rig.result.interrupt;
}

static void in_the_machine(void **unused)
{
	const uint64_t at = 0xfee00000u | REMAPPABLE | INDEX << 5;
	const struct ward_interrupt *i;
	struct yard y;

	(void)unused;
	yard_start(&y);
	i = yard_write(&y, "01:01.0", at, 0, 4);
	assert_int_equal(i->end, WARD_INTERRUPT_PENDING);
	assert_int_equal(i->number, 0x41);
	assert_int_equal(i->cpu, 2);
	assert_true(ward_apics_is_pending(y.controller.apics, 2, 0x41));
	assert_int_equal(y.rig.asked, 0);
	/* Its neighbour cannot. */
	i = yard_write(&y, "01:01.1", at, 0, 4);
	assert_int_equal(i->end, WARD_INTERRUPT_BLOCKED);
	assert_int_equal(i->reason, WARD_REASON_SOURCE);
	assert_int_equal(reg(&y.b, RECORD(0) + 8, 8), 1ull << 63 | 0x26ull << 32 | 0x109);
	/* Nor anybody past the table. */
	i = yard_write(&y, "01:01.1", 0xfee02000, 0x41, 4);
	assert_int_equal(i->reason, WARD_REASON_FORMAT);
	/* No doubleword: no request. */
	i = yard_write(&y, "01:01.0", at, 0, 8);
	assert_int_equal(i->end, WARD_INTERRUPT_IGNORED);
	assert_int_equal(i->reason, WARD_REASON_SIZE);
	/* Behind a bridge: secondary bus, device 0. */
	put_entry(&y.b, 9, LOW | 9 << 16, 0x300 | 1ull << 18);
	i = yard_write(&y, "03:04.0", 0xfee00000u | REMAPPABLE | 9 << 5, 0, 4);
	assert_int_equal(i->end, WARD_INTERRUPT_PENDING);
	assert_int_equal(i->number, 0x49);
	put_entry(&y.b, 10, LOW, 0x320 | 1ull << 18);
	i = yard_write(&y, "03:04.0", 0xfee00000u | REMAPPABLE | 10 << 5, 0, 4);
	assert_int_equal(i->reason, WARD_REASON_SOURCE);
	/* An entry to nobody, or with a mode that is none. */
	put_entry(&y.b, 11, LOW | 0x7full << 40, HIGH);
	i = yard_write(&y, "01:01.0", 0xfee00000u | REMAPPABLE | 11 << 5, 0, 4);
	assert_int_equal(i->reason, WARD_REASON_NO_CPU);
	put_entry(&y.b, 12, LOW | 3 << 5, HIGH);
	i = yard_write(&y, "01:01.0", 0xfee00000u | REMAPPABLE | 12 << 5, 0, 4);
	assert_int_equal(i->reason, WARD_REASON_FORMAT);
	/* Through no unit: as without remapping. */
	y.units[0] = NULL;
	i = yard_write(&y, "01:01.1", 0xfee03000, 0x55, 4);
	assert_int_equal(i->cpu, 3);
	y.units[0] = y.b.vtd;
	y.controller.units_count = 0;
	i = yard_write(&y, "01:01.1", 0xfee03000, 0x56, 4);
	assert_int_equal(i->cpu, 3);
	rig_free(&y.rig);
	ward_apics_destroy(y.controller.apics);
	finish(&y.b);
}

/* The same unit translates DMA: no table of it stands before a message, and none of them lets DMA by. */
static void beside_translation(void **unused)
{
	const struct ward_interrupt *i;
	struct yard y;

	(void)unused;
	yard_start(&y);
	ward_emul_set_iommu(y.rig.emul, 0, &ward_vtd_iommu, y.b.vtd);
	assert_int_equal(ward_memory_write_u64(y.b.memory, 0x3000, 0), 0);
	set(&y.b, 0x20, 8, 0x3000);
	set(&y.b, GCMD, 4, QIE | IRE | 1u << 30);
	set(&y.b, GCMD, 4, QIE | IRE | 1u << 31);
	assert_int_equal(reg(&y.b, GSTS, 4), QIE | IRE | SIRTP | 3u << 30);
	i = yard_write(&y, "01:01.0", 0xfee00000u | REMAPPABLE | INDEX << 5, 0, 4);
	assert_int_equal(i->end, WARD_INTERRUPT_PENDING);
	rig_expect(&y.rig, "01:01.0", RIG_MEMORY, WARD_DMA_FAULT, NULL);
	/* Both kinds of faults are in the same registers, in their order. */
	i = yard_write(&y, "01:01.1", 0xfee00000u | REMAPPABLE | INDEX << 5, 0, 4);
	assert_int_equal(i->reason, WARD_REASON_SOURCE);
	assert_int_equal(reg(&y.b, RECORD(0) + 12, 4) & 0xff, 0x1);
	assert_int_equal(reg(&y.b, RECORD(1) + 12, 4) & 0xff, 0x26);
	assert_int_equal(reg(&y.b, 0x34, 4), 0x2);
	/* Remapping off, translation on. */
	set(&y.b, GCMD, 4, QIE | 1u << 31);
	i = yard_write(&y, "01:01.1", 0xfee01000, 0x57, 4);
	assert_int_equal(i->cpu, 1);
	rig_free(&y.rig); /* and the unit */
	ward_apics_destroy(y.controller.apics);
	ward_memory_destroy(y.b.memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remaps),
		cmocka_unit_test(registers),
		cmocka_unit_test(wrong_entries),
		cmocka_unit_test(wrong_requests),
		cmocka_unit_test(indexes),
		cmocka_unit_test(sources),
		cmocka_unit_test(compatibility_format),
		cmocka_unit_test(wide_destinations),
		cmocka_unit_test(cache),
		cmocka_unit_test(by_chance),
		cmocka_unit_test(in_the_machine),
		cmocka_unit_test(beside_translation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Interrupt remapping of VT-d: entries and messages one wrong field at a time, and what is cached. */
#include "emul/remapping_rig.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

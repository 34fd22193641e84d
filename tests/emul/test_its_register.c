// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Registers of the ITS, a row each: what they read after power-on and which bits keep a write. */
#include "emul/its_rig.h"

#include <errno.h>

#define ALL UINT64_MAX

struct row {
	uint32_t offset;
	uint8_t size;
	uint64_t reset;
	uint64_t written; /* reads after all ones were written, while the ITS is not enabled */
};

static const struct row architecture[] = {
	{ 0x0000, 4, 0x80000000, 0x80000001 }, /* CTLR */
	{ 0x0004, 4, 0x43b, 0x43b },	       /* IIDR */
	{ 0x0008, 8, 0x1ef71, 0x1ef71 },       /* TYPER */
	{ 0x0010, 4, 0, 0 },		       /* MPAMIDR */
	{ 0x0014, 4, 0, 0 },		       /* PARTIDR */
	{ 0x0018, 4, 0, 0 },		       /* MPIDR */
	{ 0x0048, 8, 0, 0 },		       /* UMSIR */
	{ 0x0080, 8, 0, 0xb8effffffffffcff },  /* CBASER */
	{ 0x0088, 8, 0, 0xfffe0 },	       /* CWRITER */
	{ 0x0090, 8, 0, 0 },		       /* CREADR */
	/* BASER<n>: type and size of entries stay; Indirect is for devices alone. */
	{ 0x0100, 8, 0x0107000000000000, 0xf9e7ffffffffffff },
	{ 0x0108, 8, 0x0407000000000000, 0xbce7ffffffffffff },
	{ 0x0110, 8, 0, 0 },
	{ 0x0118, 8, 0, 0 },
	{ 0x0120, 8, 0, 0 },
	{ 0x0128, 8, 0, 0 },
	{ 0x0130, 8, 0, 0 },
	{ 0x0138, 8, 0, 0 },
	{ 0xffd0, 4, 0x40, 0x40 }, /* PIDR4 to 7, 0 to 3, CIDR0 to 3 */
	{ 0xffd4, 4, 0, 0 },
	{ 0xffd8, 4, 0, 0 },
	{ 0xffdc, 4, 0, 0 },
	{ 0xffe0, 4, 0x92, 0x92 },
	{ 0xffe4, 4, 0xb4, 0xb4 },
	{ 0xffe8, 4, 0x3b, 0x3b },
	{ 0xffec, 4, 0, 0 },
	{ 0xfff0, 4, 0x0d, 0x0d },
	{ 0xfff4, 4, 0xf0, 0xf0 },
	{ 0xfff8, 4, 0x05, 0x05 },
	{ 0xfffc, 4, 0xb1, 0xb1 },
	{ WARD_ITS_TRANSLATER, 4, 0, 0 },
};

static const struct row kvm[] = {
	{ 0x0000, 4, 0x80000000, 0x80000000 }, /* without tables and queue it stays off */
	{ 0x0004, 4, 0x4b00043b, 0x4b00043b },
	{ 0x0008, 8, 0x1ef71, 0x1ef71 },
	{ 0x0040, 4, 0, 0 }, /* no STATUSR */
	/* Addresses of 64 KiB; outer as inner; the rest as written. */
	{ 0x0080, 8, 0, 0xff1fffffffff0fff },
	{ 0x0088, 8, 0, 0 }, /* beyond the queue: not written */
	{ 0x0090, 8, 0, 0 },
	{ 0x0100, 8, 0x1907000000000600, 0xf907fffffffffeff },
	{ 0x0108, 8, 0x1c07000000000600, 0xbc07fffffffffeff },
	{ 0x0110, 8, 0, 0 },
	{ 0x0138, 8, 0, 0 },
	{ 0xffd0, 4, 0x40, 0x40 },
	{ 0xffe0, 4, 0x92, 0x92 },
	{ 0xffe4, 4, 0xb4, 0xb4 },
	{ 0xffe8, 4, 0x3b, 0x3b },
	{ 0xfffc, 4, 0xb1, 0xb1 },
};

static void make(struct rig *rig, enum ward_its_profile profile)
{
	struct ward_its_options options = { .profile = profile };

	rig_setup_with(rig, &options);
	ward_its_reset(rig->its);
}

static uint64_t read_sized(struct rig *rig, uint32_t offset, unsigned int size)
{
	return size == 4 ? rig_read32(rig, offset) : rig_read(rig, offset);
}

static void write_sized(struct rig *rig, uint32_t offset, uint64_t value, unsigned int size)
{
	assert_int_equal(ward_its_write(rig->its, offset, &value, size), 0);
}

static void check_rows(enum ward_its_profile profile, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		struct rig rig;

		make(&rig, profile);
		if (read_sized(&rig, row->offset, row->size) != row->reset)
			fail_msg("%#x reads %#llx after power-on", row->offset,
				 (unsigned long long)read_sized(&rig, row->offset, row->size));
		/* Nothing but the register itself changes. */
		write_sized(&rig, row->offset, ALL, row->size);
		if (read_sized(&rig, row->offset, row->size) != row->written)
			fail_msg("%#x reads %#llx after all ones", row->offset,
				 (unsigned long long)read_sized(&rig, row->offset, row->size));
		/* Only CTLR, Quiescent, depends on another. */
		for (size_t j = 0; j < count; j++) {
			if (j != i && rows[j].offset != 0x40 && rows[j].offset != 0x00)
				assert_int_equal(read_sized(&rig, rows[j].offset, rows[j].size),
						 rows[j].reset);
		}
		rig_teardown(&rig);
	}
}

static void test_rows(void **state)
{
	(void)state;
	check_rows(WARD_ITS_ARCHITECTURE, architecture,
		   sizeof(architecture) / sizeof(architecture[0]));
	check_rows(WARD_ITS_KVM, kvm, sizeof(kvm) / sizeof(kvm[0]));
}

/* 64-bit registers by halves: each keeps the other half. */
static void test_halves(void **state)
{
	static const uint32_t offsets[] = { GITS_CBASER, GITS_BASER(0), GITS_BASER(1) };
	struct rig rig;

	(void)state;
	make(&rig, WARD_ITS_ARCHITECTURE);
	for (size_t i = 0; i < 3; i++) {
		uint64_t before;

		rig_write(&rig, offsets[i], VALID | 0x123456789000);
		before = rig_read(&rig, offsets[i]);
		rig_write32(&rig, offsets[i], 0xabcde005);
		assert_int_equal(rig_read32(&rig, offsets[i]), 0xabcde005);
		assert_int_equal(rig_read32(&rig, offsets[i] + 4), before >> 32);
		rig_write32(&rig, offsets[i] + 4, 0x80000321);
		assert_int_equal(rig_read32(&rig, offsets[i]), 0xabcde005);
		assert_int_equal(rig_read32(&rig, offsets[i] + 4) & 0x8000ffff, 0x80000321);
	}
	assert_int_equal(rig_read32(&rig, GITS_TYPER), 0x1ef71);
	assert_int_equal(rig_read32(&rig, GITS_TYPER + 4), 0);
	rig_teardown(&rig);
}

static void test_accesses_refused(void **state)
{
	uint64_t value = 0x5a5a;
	struct rig rig;

	(void)state;
	make(&rig, WARD_ITS_ARCHITECTURE);
	assert_int_equal(ward_its_read(rig.its, 0, &value, 1), -EINVAL);
	assert_int_equal(ward_its_read(rig.its, 0, &value, 2), -EINVAL);
	assert_int_equal(ward_its_read(rig.its, 0, &value, 16), -EINVAL);
	assert_int_equal(ward_its_read(rig.its, 2, &value, 4), -EINVAL);
	assert_int_equal(ward_its_read(rig.its, 0x84, &value, 8), -EINVAL);
	assert_int_equal(ward_its_read(rig.its, WARD_ITS_BYTES, &value, 4), -EINVAL);
	assert_int_equal(ward_its_read(rig.its, UINT32_MAX - 3, &value, 4), -EINVAL);
	assert_int_equal(value, 0x5a5a);
	assert_int_equal(ward_its_write(rig.its, 0, &value, 1), -EINVAL);
	assert_int_equal(ward_its_write(rig.its, 0x84, &value, 8), -EINVAL);
	assert_int_equal(ward_its_write(rig.its, WARD_ITS_BYTES, &value, 8), -EINVAL);
	assert_int_equal(rig_read32(&rig, GITS_STATUSR), 0);
	rig_teardown(&rig);
}

/* GITS_STATUSR: one bit for each kind of mistake, cleared by writing it, and no other. */
static void test_statusr(void **state)
{
	struct rig rig;

	(void)state;
	make(&rig, WARD_ITS_ARCHITECTURE);
	(void)rig_read32(&rig, 0x20);
	assert_int_equal(rig_read32(&rig, GITS_STATUSR), 0x1);
	rig_write32(&rig, 0x20, 0);
	assert_int_equal(rig_read32(&rig, GITS_STATUSR), 0x3);
	(void)rig_read32(&rig, WARD_ITS_TRANSLATER);
	assert_int_equal(rig_read32(&rig, GITS_STATUSR), 0x7);
	rig_write32(&rig, GITS_IIDR, 0);
	assert_int_equal(rig_read32(&rig, GITS_STATUSR), 0xf);
	rig_write32(&rig, GITS_STATUSR, 0x2);
	assert_int_equal(rig_read32(&rig, GITS_STATUSR), 0xd);
	rig_write32(&rig, GITS_STATUSR, 0xfffffff0);
	assert_int_equal(rig_read32(&rig, GITS_STATUSR), 0xd);
	rig_write32(&rig, GITS_STATUSR, 0xd);
	assert_int_equal(rig_read32(&rig, GITS_STATUSR), 0);
	/* An id register; a 32-bit register as if it had 64. */
	rig_write32(&rig, 0xffe8, 0);
	assert_int_equal(rig_read32(&rig, GITS_STATUSR), 0x8);
	rig_write32(&rig, GITS_STATUSR, 0x8);
	assert_int_equal(rig_read(&rig, GITS_CTLR), 0);
	assert_int_equal(rig_read32(&rig, GITS_STATUSR), 0x1);
	rig_write(&rig, GITS_CTLR, 1);
	assert_int_equal(rig_read32(&rig, GITS_CTLR), 0x80000000);
	assert_int_equal(rig_read32(&rig, GITS_STATUSR), 0x3);
	/* The doorbell may be written, to no end. */
	rig_write32(&rig, GITS_STATUSR, 0x3);
	rig_write32(&rig, WARD_ITS_TRANSLATER, 5);
	assert_int_equal(rig_read32(&rig, GITS_STATUSR), 0);
	ward_its_reset(rig.its);
	rig_teardown(&rig);
}

/* While it is enabled, tables and queue stay where they are. */
static void test_enabled(void **state)
{
	(void)state;
	for (int profile = WARD_ITS_ARCHITECTURE; profile <= WARD_ITS_KVM; profile++) {
		static const uint32_t offsets[] = { GITS_CBASER, GITS_BASER(0), GITS_BASER(1) };
		struct rig rig;

		rig_setup(&rig, profile);
		for (size_t i = 0; i < 3; i++) {
			uint64_t before = rig_read(&rig, offsets[i]);

			rig_write(&rig, offsets[i], 0);
			assert_int_equal(rig_read(&rig, offsets[i]), before);
		}
		assert_int_equal(rig_read32(&rig, GITS_CTLR), 0x80000001);
		rig_write32(&rig, GITS_CTLR, 0);
		rig_write(&rig, GITS_CBASER, 0);
		assert_int_equal(rig_read(&rig, GITS_CBASER) & VALID, 0);
		rig_teardown(&rig);
	}
}

/* KVM switches on only what has both tables and a queue. */
static void test_kvm_needs_all(void **state)
{
	static const uint32_t offsets[] = { GITS_CBASER, GITS_BASER(0), GITS_BASER(1) };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct rig rig;
		struct ward_its_options options = { .profile = WARD_ITS_KVM };
		uint64_t value;

		rig_setup_with(&rig, &options);
		value = rig_read(&rig, offsets[i]);
		rig_write(&rig, offsets[i], value & ~VALID);
		rig_write32(&rig, GITS_CTLR, 1);
		assert_int_equal(rig_read32(&rig, GITS_CTLR), 0x80000000);
		rig_write(&rig, offsets[i], value);
		rig_write32(&rig, GITS_CTLR, 1);
		assert_int_equal(rig_read32(&rig, GITS_CTLR), 0x80000001);
		rig_teardown(&rig);
	}
}

/* KVM's view of attributes: shareability, inner and outer cacheability. */
static void test_kvm_attributes(void **state)
{
	static const uint8_t share[] = { 0, 1, 1, 3 }, inner[] = { 3, 3, 2, 3, 4, 5, 6, 7 },
			     outer[] = { 0, 1, 0, 0, 0, 0, 0, 0 };
	struct rig rig;

	(void)state;
	make(&rig, WARD_ITS_KVM);
	for (uint64_t i = 0; i < 8; i++) {
		for (uint32_t n = 0; n < 2; n++) {
			uint64_t value;

			rig_write(&rig, GITS_BASER(n), i << 59 | (7 - i) << 53 | (i & 3) << 10);
			value = rig_read(&rig, GITS_BASER(n));
			assert_int_equal(value >> 59 & 7, inner[i]);
			assert_int_equal(value >> 53 & 7, outer[7 - i]);
			assert_int_equal(value >> 10 & 3, share[i & 3]);
			assert_int_equal(value >> 8 & 3, 2);
		}
	}
	rig_teardown(&rig);
}

/* Ids as wide as the options say. */
static void test_widths(void **state)
{
	(void)state;
	for (unsigned int i = 1; i <= 32; i++) {
		struct ward_its_options options = { .device_bits = (uint8_t)i,
						    .event_bits = (uint8_t)(33 - i) };
		struct rig rig;

		rig_setup_with(&rig, &options);
		assert_int_equal(rig_read(&rig, GITS_TYPER), 0x71 | (32 - i) << 8 | (i - 1) << 13);
		rig_teardown(&rig);
	}
}

static void test_creadr(void **state)
{
	struct ward_its_options options = { .profile = WARD_ITS_KVM };
	struct rig rig;

	(void)state;
	rig_setup_with(&rig, &options);
	assert_int_equal(ward_its_set_creadr(rig.its, 0xfe0), 0);
	assert_int_equal(rig_read(&rig, GITS_CREADR), 0xfe0);
	/* One command waits, from 0xfe0 to 0: not quiescent, enabled or not. */
	assert_int_equal(rig_read32(&rig, GITS_CTLR), 0);
	assert_int_equal(ward_its_set_creadr(rig.its, 0x1000), -EINVAL);
	assert_int_equal(ward_its_set_creadr(rig.its, 0x10), -EINVAL);
	assert_int_equal(ward_its_set_creadr(rig.its, 1), -EINVAL);
	assert_int_equal(ward_its_set_creadr(rig.its, 1ull << 32), -EINVAL);
	rig_write(&rig, GITS_CWRITER, 0xfe0);
	rig_write32(&rig, GITS_CTLR, 1);
	assert_int_equal(ward_its_set_creadr(rig.its, 0), -EBUSY);
	assert_int_equal(rig_read(&rig, GITS_CREADR), 0xfe0);
	rig_teardown(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_halves),
		cmocka_unit_test(test_accesses_refused),
		cmocka_unit_test(test_statusr),
		cmocka_unit_test(test_enabled),
		cmocka_unit_test(test_kvm_needs_all),
		cmocka_unit_test(test_kvm_attributes),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_creadr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

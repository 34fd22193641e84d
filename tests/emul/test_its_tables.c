// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * The ITS's tables in memory: page sizes, two levels, addresses; and saving and restoring them in
 * KVM's layout of revision 0.
 */
#include "emul/its_index.h"

#include "emul/its_rig.h"
#include "sweep.h"

#include <errno.h>

#define OOR 0x010801u

/* Maps one device and sees that a message arrives. */
static bool works(struct rig *rig, uint32_t device)
{
	uint32_t error = rig_mapd(rig, device, RIG_ITTS, 4);

	if (error != RIG_OK) {
		assert_int_equal(error, OOR);
		return false;
	}
	assert_int_equal(rig_mapc(rig, 0, 1), RIG_OK);
	assert_int_equal(rig_mapti(rig, device, 3, 9000, 0), RIG_OK);
	assert_int_equal(rig_message(rig, device, 3), WARD_REASON_NONE);
	assert_true(rig_took(rig, 1, 9000));
	assert_int_equal(rig_event(rig, 0x0f, device, 3), RIG_OK);
	assert_int_equal(rig_unmapd(rig, device), RIG_OK);
	return true;
}

static void make(struct rig *rig, uint64_t baser)
{
	struct ward_its_options options = { .device_bits = 32 };

	rig_setup_with(rig, &options);
	rig_write(rig, GITS_BASER(0), baser);
	rig_write32(rig, GITS_CTLR, 1);
}

/* Flat: so many ids as fit; the entry is where the id says. Page size 3 is 64 KiB. */
static void test_flat(void **state)
{
	static const uint32_t page[] = { 0x1000, 0x4000, 0x10000, 0x10000 };

	(void)state;
	for (uint64_t size = 0; size < 4; size++) {
		for (uint64_t pages = 1; pages <= 4; pages += 3) {
			uint32_t ids = (uint32_t)(page[size] / 8 * pages);
			struct rig rig;

			make(&rig, VALID | RIG_DEVICES | size << 8 | (pages - 1));
			assert_true(works(&rig, 0));
			assert_true(works(&rig, ids - 1));
			assert_false(works(&rig, ids));
			assert_false(works(&rig, UINT32_MAX));
			assert_int_equal(rig_mapd(&rig, ids - 1, RIG_ITTS, 4), RIG_OK);
			assert_int_equal(rig_load(&rig, RIG_DEVICES + (ids - 1) * 8ull),
					 VALID | RIG_ITTS >> 8 << 5 | 3);
			assert_int_equal(rig_message(&rig, ids, 0), WARD_REASON_DEVICE_RANGE);
			rig_teardown(&rig);
		}
	}
}

/* Two levels: one page of first-level entries, each of a page of devices. */
static void test_indirect(void **state)
{
	static const uint32_t page[] = { 0x1000, 0x4000, 0x10000, 0x10000 };

	(void)state;
	for (uint64_t size = 0; size < 4; size++) {
		uint32_t in_page = page[size] / 8;
		uint64_t last = (uint64_t)in_page * in_page - 1;
		struct rig rig;

		make(&rig, VALID | INDIRECT | RIG_DEVICES | size << 8);
		assert_false(works(&rig, 0));
		/* Bits below the page do not count, nor do those above the address. */
		rig_store(&rig, RIG_DEVICES, VALID | 0x7ff0000000000ff8ull | RIG_LEVEL2);
		assert_true(works(&rig, 0));
		assert_true(works(&rig, in_page - 1));
		assert_false(works(&rig, in_page));
		rig_store(&rig, RIG_DEVICES + 8, RIG_LEVEL2 + 0x10000);
		assert_false(works(&rig, in_page));
		rig_store(&rig, RIG_DEVICES + 8, VALID | (RIG_LEVEL2 + 0x10000));
		assert_true(works(&rig, in_page));
		assert_int_equal(rig_mapd(&rig, in_page + 2, RIG_ITTS, 4), RIG_OK);
		assert_int_equal(rig_load(&rig, RIG_LEVEL2 + 0x10000 + 16),
				 VALID | RIG_ITTS >> 8 << 5 | 3);
		rig_store(&rig, RIG_DEVICES + (in_page - 1) * 8ull, VALID | (RIG_LEVEL2 + 0x20000));
		assert_true(works(&rig, (uint32_t)last));
		assert_false(works(&rig, (uint32_t)last + 1));
		rig_teardown(&rig);
	}
}

/* With pages of 64 KiB the address has 52 bits: 51:48 are in 15:12. */
static void test_high_address(void **state)
{
	const uint64_t high = 0x000f000000000000ull;
	struct rig rig;

	(void)state;
	make(&rig, 0);
	assert_int_equal(ward_memory_add(rig.memory, (struct ward_range){ high, high + 0xffff }, 0,
					 NULL),
			 0);
	rig_write32(&rig, GITS_CTLR, 0);
	rig_write(&rig, GITS_BASER(0), VALID | 2 << 8 | 0xf << 12);
	rig_write32(&rig, GITS_CTLR, 1);
	assert_true(works(&rig, 17));
	assert_int_equal(rig_mapd(&rig, 17, RIG_ITTS, 4), RIG_OK);
	assert_int_equal(rig_load(&rig, high + 17 * 8), VALID | RIG_ITTS >> 8 << 5 | 3);
	rig_teardown(&rig);
}

/* Tables that cannot be written: without a syndrome, and nothing is mapped. */
static void test_read_only(void **state)
{
	const uint64_t rom = 0x1000000;
	struct rig rig;

	(void)state;
	make(&rig, VALID | RIG_DEVICES | 2 << 8);
	assert_int_equal(ward_memory_add(rig.memory, (struct ward_range){ rom, rom + 0xffff },
					 WARD_MEMORY_READ_ONLY, NULL),
			 0);
	assert_int_equal(rig_mapd(&rig, 1, rom, 4), RIG_OK);
	assert_int_equal(rig_mapc(&rig, 0, 0), RIG_OK);
	assert_int_equal(rig_mapti(&rig, 1, 0, 8192, 0), 0);
	assert_int_equal(rig_message(&rig, 1, 0), WARD_REASON_UNMAPPED_EVENT);
	rig_write32(&rig, GITS_CTLR, 0);
	rig_write(&rig, GITS_BASER(0), VALID | rom | 2 << 8);
	rig_write(&rig, GITS_BASER(1), VALID | rom | 2 << 8);
	rig_write32(&rig, GITS_CTLR, 1);
	assert_int_equal(rig_mapd(&rig, 1, RIG_ITTS, 4), 0);
	assert_int_equal(rig_message(&rig, 1, 0), WARD_REASON_UNMAPPED_DEVICE);
	assert_int_equal(rig_mapc(&rig, 0, 0), 0);
	assert_int_equal(rig_invall(&rig, 0), 0x010d09);
	rig_teardown(&rig);
}

/* Another table: what was mapped by the old one is forgotten; KVM: when it is not valid. */
static void test_other_table(void **state)
{
	(void)state;
	for (int profile = WARD_ITS_ARCHITECTURE; profile <= WARD_ITS_KVM; profile++) {
		struct rig rig;

		for (uint32_t table = 0; table < 2; table++) {
			uint64_t old;

			rig_setup(&rig, profile);
			assert_int_equal(rig_mapd(&rig, 1, RIG_ITTS, 4), RIG_OK);
			assert_int_equal(rig_mapc(&rig, 0, 0), RIG_OK);
			assert_int_equal(rig_mapti(&rig, 1, 0, 8192, 0), RIG_OK);
			rig_write32(&rig, GITS_CTLR, 0);
			old = rig_read(&rig, GITS_BASER(table));
			rig_write(&rig, GITS_BASER(table), old);
			rig_write32(&rig, GITS_CTLR, 1);
			assert_int_equal(rig_message(&rig, 1, 0), WARD_REASON_NONE);
			rig_write32(&rig, GITS_CTLR, 0);
			rig_write(&rig, GITS_BASER(table), old & ~VALID);
			rig_write(&rig, GITS_BASER(table), old);
			rig_write32(&rig, GITS_CTLR, 1);
			assert_int_equal(rig_message(&rig, 1, 0),
					 table == 0 ? WARD_REASON_UNMAPPED_DEVICE
						    : WARD_REASON_UNMAPPED_COLLECTION);
			rig_teardown(&rig);
		}
	}
}

/* Three devices, far from each other, with events near and far; collections mapped and not. */
static void map_some(struct rig *rig)
{
	assert_int_equal(rig_mapc(rig, 7, 3), RIG_OK);
	assert_int_equal(rig_mapc(rig, 2, 1), RIG_OK);
	assert_int_equal(rig_mapd(rig, 0xfff0, RIG_ITTS + 0x200000, 16), RIG_OK);
	assert_int_equal(rig_mapd(rig, 5, RIG_ITTS, 16), RIG_OK);
	assert_int_equal(rig_mapd(rig, 6, RIG_ITTS + 0x100000, 1), RIG_OK);
	assert_int_equal(rig_mapti(rig, 5, 300, 8500, 2), RIG_OK);
	assert_int_equal(rig_mapti(rig, 5, 0xffff, 8501, 7), RIG_OK);
	assert_int_equal(rig_mapti(rig, 5, 1, 8502, 7), RIG_OK);
	assert_int_equal(rig_mapti(rig, 6, 1, 8503, 2), RIG_OK);
	assert_int_equal(rig_mapti(rig, 0xfff0, 0, 65535, 9), RIG_OK); /* 9 is not mapped */
}

static void check_some(struct rig *rig)
{
	static const struct {
		uint32_t device, event, intid, cpu;
	} all[] = {
		{ 5, 300, 8500, 1 },
		{ 5, 0xffff, 8501, 3 },
		{ 5, 1, 8502, 3 },
		{ 6, 1, 8503, 1 },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(rig_message(rig, all[i].device, all[i].event), WARD_REASON_NONE);
		assert_true(rig_took(rig, all[i].cpu, all[i].intid));
	}
	assert_int_equal(rig_message(rig, 0xfff0, 0), WARD_REASON_UNMAPPED_COLLECTION);
	assert_int_equal(rig_message(rig, 0xfff0, 1), WARD_REASON_UNMAPPED_EVENT);
	assert_int_equal(rig_message(rig, 6, 0), WARD_REASON_UNMAPPED_EVENT);
	assert_int_equal(rig_message(rig, 6, 2), WARD_REASON_EVENT_RANGE);
	assert_int_equal(rig_message(rig, 7, 0), WARD_REASON_UNMAPPED_DEVICE);
}

/* A new ITS over the same memory, with registers as the old one had. */
static void begin_again(struct rig *rig, const struct ward_its_options *how)
{
	struct ward_its_options options = *how;
	uint64_t baser[2] = { rig_read(rig, GITS_BASER(0)), rig_read(rig, GITS_BASER(1)) };

	ward_its_destroy(rig->its);
	options.size = sizeof(options);
	options.gic = rig->gic;
	options.memory = rig->memory;
	assert_int_equal(ward_its_create(&options, &rig->its), 0);
	rig_write(rig, GITS_CBASER, VALID | RIG_QUEUE);
	assert_int_equal(ward_its_set_creadr(rig->its, rig->head), 0);
	rig_write(rig, GITS_CWRITER, rig->head);
	rig_write(rig, GITS_BASER(0), baser[0]);
	rig_write(rig, GITS_BASER(1), baser[1]);
}

#define NEXT(n) ((uint64_t)(n) << 49)
#define EVENT_NEXT(n) ((uint64_t)(n) << 48)

/* Bit by bit: Documentation/virt/kvm/devices/arm-vgic-its.rst, "ITS table ABI REV0". */
static void test_layout(void **state)
{
	struct rig rig;

	(void)state;
	rig_setup(&rig, WARD_ITS_KVM);
	map_some(&rig);
	/* KVM writes nothing until it is told to. */
	assert_int_equal(rig_load(&rig, RIG_DEVICES + 5 * 8), 0);
	assert_int_equal(rig_load(&rig, RIG_ITTS + 300 * 8), 0);
	rig_store(&rig, RIG_COLLECTIONS + 3 * 8, VALID);
	assert_int_equal(ward_its_save_tables(rig.its), 0);
	assert_int_equal(rig_load(&rig, RIG_DEVICES + 5 * 8),
			 VALID | NEXT(1) | RIG_ITTS >> 8 << 5 | 15);
	assert_int_equal(rig_load(&rig, RIG_DEVICES + 6 * 8),
			 VALID | NEXT(0x3fff) | (RIG_ITTS + 0x100000) >> 8 << 5 | 0);
	assert_int_equal(rig_load(&rig, RIG_DEVICES + 0xfff0 * 8),
			 VALID | NEXT(0) | (RIG_ITTS + 0x200000) >> 8 << 5 | 15);
	assert_int_equal(rig_load(&rig, RIG_ITTS + 8), EVENT_NEXT(299) | 8502 << 16 | 7);
	assert_int_equal(rig_load(&rig, RIG_ITTS + 300 * 8),
			 EVENT_NEXT(0xffff - 300) | 8500 << 16 | 2);
	assert_int_equal(rig_load(&rig, RIG_ITTS + 0xffff * 8), 8501 << 16 | 7);
	assert_int_equal(rig_load(&rig, RIG_COLLECTIONS), VALID | 1 << 16 | 2);
	assert_int_equal(rig_load(&rig, RIG_COLLECTIONS + 8), VALID | 3 << 16 | 7);
	assert_int_equal(rig_load(&rig, RIG_COLLECTIONS + 16),
			 VALID | (uint64_t)UINT32_MAX << 16 | 9);
	assert_int_equal(rig_load(&rig, RIG_COLLECTIONS + 24), 0);
	/* Saving changes nothing, and works again. */
	check_some(&rig);
	assert_int_equal(ward_its_save_tables(rig.its), 0);
	rig_teardown(&rig);
}

static void test_restore(void **state)
{
	(void)state;
	for (int profile = WARD_ITS_ARCHITECTURE; profile <= WARD_ITS_KVM; profile++) {
		for (int indirect = 0; indirect < 2; indirect++) {
			struct ward_its_options options = { .profile = profile };
			struct rig rig;

			rig_setup_with(&rig, &options);
			for (uint64_t i = 0; indirect && i < 8; i++)
				rig_store(&rig, RIG_DEVICES + i * 8,
					  VALID | (RIG_LEVEL2 + i * 0x10000));
			if (indirect)
				rig_write(&rig, GITS_BASER(0),
					  VALID | INDIRECT | RIG_DEVICES | 2 << 8);
			rig_write32(&rig, GITS_CTLR, 1);
			map_some(&rig);
			assert_int_equal(ward_its_save_tables(rig.its), 0);
			begin_again(&rig, &options);
			assert_int_equal(ward_its_restore_tables(rig.its), 0);
			rig_write32(&rig, GITS_CTLR, 1);
			check_some(&rig);
			/* Not onto what is there. */
			assert_int_equal(ward_its_restore_tables(rig.its), -EEXIST);
			check_some(&rig);
			assert_int_equal(rig_mapti(&rig, 6, 0, 8504, 7), RIG_OK);
			rig_teardown(&rig);
		}
	}
}

/* Pending bits of LPIs come from the pending table, of each CPU's its own, and are taken out of it. */
static void test_restore_pending(void **state)
{
	struct ward_its_options options = { .profile = WARD_ITS_KVM };
	uint8_t bits = 0x30; /* 8500, 8501 */
	struct rig rig;

	(void)state;
	rig_setup(&rig, WARD_ITS_KVM);
	map_some(&rig);
	assert_int_equal(ward_its_save_tables(rig.its), 0);
	begin_again(&rig, &options);
	assert_int_equal(ward_memory_write(rig.memory, RIG_PENDBASE + 0x10000 + 8500 / 8, &bits, 1),
			 0);
	assert_int_equal(ward_its_restore_tables(rig.its), 0);
	/* 8501 is CPU 3's. */
	assert_true(rig_took(&rig, 1, 8500));
	assert_true(rig_pending_nowhere(&rig, 8501));
	assert_int_equal(ward_memory_read(rig.memory, RIG_PENDBASE + 0x10000 + 8500 / 8, &bits, 1),
			 0);
	assert_int_equal(bits, 0x20);
	rig_teardown(&rig);
}

/* One bad field at a time: what it is refused with, and that nothing stays. */
static const struct {
	uint64_t address, value;
	int code;
} bad[] = {
	{ RIG_COLLECTIONS + 8, VALID | 1 << 16 | 2, -EEXIST },
	{ RIG_COLLECTIONS + 8, VALID | RIG_CPUS << 16 | 7, -EINVAL },
	{ RIG_COLLECTIONS + 8, VALID | 3 << 16 | 8192, -EINVAL },
	{ RIG_COLLECTIONS, 0, -EINVAL }, /* the events' collections are missing */
	{ RIG_ITTS + 8, EVENT_NEXT(299) | 8191 << 16 | 7, -EINVAL },
	{ RIG_ITTS + 8, EVENT_NEXT(299) | 0x10000ull << 16 | 7, -EINVAL },
	{ RIG_ITTS + 8, EVENT_NEXT(299) | 8502 << 16 | 8, -EINVAL },
	{ RIG_ITTS + 300 * 8, EVENT_NEXT(0xffff) | 8500 << 16 | 2, -EINVAL },
	{ RIG_DEVICES + 5 * 8, VALID | NEXT(1) | RIG_ITTS >> 8 << 5 | 16, -EINVAL },
	{ RIG_DEVICES + 5 * 8, VALID | NEXT(1) | 0x8000000000ull >> 8 << 5 | 15, -EFAULT },
	/* The end of the ITT is not in memory. */
	{ RIG_DEVICES + 5 * 8, VALID | NEXT(1) | (RIG_MEMORY + RIG_BYTES - 0x100) >> 8 << 5 | 15,
	  -EFAULT },
};

static void test_restore_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct ward_its_options options = { .profile = WARD_ITS_KVM };
		struct rig rig;
		uint64_t good;
		int code;

		rig_setup(&rig, WARD_ITS_KVM);
		map_some(&rig);
		assert_int_equal(ward_its_save_tables(rig.its), 0);
		begin_again(&rig, &options);
		good = rig_load(&rig, bad[i].address);
		rig_store(&rig, bad[i].address, bad[i].value);
		code = ward_its_restore_tables(rig.its);
		if (code != bad[i].code)
			fail_msg("row %zu: %d", i, code);
		/* Nothing of it is there: the same works once it is put right. */
		rig_store(&rig, bad[i].address, good);
		assert_int_equal(ward_its_restore_tables(rig.its), 0);
		rig_write32(&rig, GITS_CTLR, 1);
		check_some(&rig);
		rig_teardown(&rig);
	}
}

/* A first level that is larger than there are DeviceIDs: what lies beyond is no device's. */
static void test_restore_beyond(void **state)
{
	const uint64_t large = 0x100000000;
	struct ward_its_options options = { .device_bits = 32 };
	struct rig rig;

	(void)state;
	rig_setup_with(&rig, &options);
	/* 2^21 entries, each of a page of 2^13 devices; those from 2^19 on are beyond 2^32. */
	assert_int_equal(ward_memory_add(rig.memory, (struct ward_range){ large, large + 0xffffff },
					 0, NULL),
			 0);
	rig_write(&rig, GITS_BASER(0), VALID | INDIRECT | large | 2 << 8 | 0xff);
	rig_store(&rig, large + 0x7ffff * 8ull, VALID | RIG_LEVEL2);
	rig_write32(&rig, GITS_CTLR, 1);
	assert_int_equal(rig_mapc(&rig, 0, 0), RIG_OK);
	assert_int_equal(rig_mapd(&rig, UINT32_MAX, RIG_ITTS, 1), RIG_OK);
	assert_int_equal(rig_mapti(&rig, UINT32_MAX, 1, 8200, 0), RIG_OK);
	rig_store(&rig, large + 0x80000 * 8ull, VALID | RIG_LEVEL2);
	begin_again(&rig, &options);
	assert_int_equal(ward_its_restore_tables(rig.its), 0);
	rig_write32(&rig, GITS_CTLR, 1);
	assert_int_equal(rig_message(&rig, UINT32_MAX, 1), WARD_REASON_NONE);
	assert_int_equal(rig_message(&rig, 0x1fff, 1), WARD_REASON_UNMAPPED_DEVICE);
	rig_teardown(&rig);
}

/* Keys that lie in one place by what is known of the hash are scattered all the same. */
static void test_index_is_secret(void **state)
{
	enum { COUNT = 4096 };
	static struct its_node nodes[COUNT];
	struct its_index index = { .live = 0 };
	uint32_t in_a_row = 0, most = 0;
	struct its_slots *slots;
	uint64_t line = 0;

	(void)state;
	assert_int_equal(ward_its_index_init(&index), 0);
	for (uint32_t i = 0; i < COUNT; line++) {
		/* One of 1,024 parts. */
		if (line * 0x9e3779b97f4a7c15u >> 54)
			continue;
		nodes[i].key = line << 2;
		assert_int_equal(ward_its_index_insert(&index, NULL, &nodes[i]), 0);
		assert_ptr_equal(its_find(&index, line << 2), &nodes[i]);
		i++;
	}
	slots = atomic_load(&index.slots);
	for (uint32_t i = 0; i <= slots->mask; i++) {
		in_a_row = atomic_load(&slots->slot[i].node) ? in_a_row + 1 : 0;
		most = in_a_row > most ? in_a_row : most;
	}
	assert_true(most < COUNT / 2);
	ward_its_index_finish(&index);
}

static void test_save_refused(void **state)
{
	struct rig rig;

	(void)state;
	rig_setup(&rig, WARD_ITS_KVM);
	assert_int_equal(rig_mapd(&rig, 6, RIG_ITTS, 4), RIG_OK);
	assert_int_equal(rig_mapd(&rig, 8192, RIG_ITTS + 0x1000, 4), RIG_OK);
	/* Smaller than before, yet valid: device 8192 is beyond it. */
	rig_write32(&rig, GITS_CTLR, 0);
	rig_write(&rig, GITS_BASER(0), VALID | RIG_DEVICES | 2 << 8);
	assert_int_equal(ward_its_save_tables(rig.its), -EINVAL);
	rig_write(&rig, GITS_BASER(0), VALID | 0x8000000000 | 2 << 8 | 7);
	assert_int_equal(ward_its_save_tables(rig.its), -EFAULT);
	rig_write(&rig, GITS_BASER(0), VALID | RIG_DEVICES | 2 << 8 | 7);
	assert_int_equal(ward_its_save_tables(rig.its), 0);
	rig_write(&rig, GITS_BASER(1), VALID | 0x8000000000 | 2 << 8 | 7);
	assert_int_equal(ward_its_save_tables(rig.its), -EFAULT);
	/* Nothing of what is not valid. */
	rig_write(&rig, GITS_BASER(1), 0);
	assert_int_equal(ward_its_save_tables(rig.its), 0);
	rig_teardown(&rig);
}

/* All 8192 collections that fit: then there is no end mark. */
static void test_full_collections(void **state)
{
	struct ward_its_options options = { .profile = WARD_ITS_KVM };
	struct rig rig;

	(void)state;
	rig_setup(&rig, WARD_ITS_KVM);
	rig_store(&rig, RIG_COLLECTIONS + 0x10000, 0x5a);
	for (uint32_t icid = 0; icid < 8192; icid++)
		assert_int_equal(rig_mapc(&rig, (uint16_t)icid, icid % RIG_CPUS), RIG_OK);
	assert_int_equal(ward_its_save_tables(rig.its), 0);
	assert_int_equal(rig_load(&rig, RIG_COLLECTIONS + 8191 * 8), VALID | 3 << 16 | 8191);
	assert_int_equal(rig_load(&rig, RIG_COLLECTIONS + 0x10000), 0x5a);
	begin_again(&rig, &options);
	assert_int_equal(ward_its_restore_tables(rig.its), 0);
	rig_write32(&rig, GITS_CTLR, 1);
	assert_int_equal(rig_invall(&rig, 8191), RIG_OK);
	rig_teardown(&rig);
}

static int restore(void *context)
{
	struct rig *rig = context;
	struct ward_its_options options = { .size = sizeof(options),
					    .profile = WARD_ITS_KVM,
					    .gic = rig->gic,
					    .memory = rig->memory };
	struct ward_its *its;
	uint64_t baser[2] = { VALID | RIG_DEVICES | 2 << 8 | 7, VALID | RIG_COLLECTIONS | 2 << 8 };
	int code = ward_its_create(&options, &its);

	if (code)
		return code;
	assert_int_equal(ward_its_write(its, GITS_BASER(0), &baser[0], 8), 0);
	assert_int_equal(ward_its_write(its, GITS_BASER(1), &baser[1], 8), 0);
	code = ward_its_restore_tables(its);
	if (code == -ENOMEM) {
		struct ward_interrupt interrupt;

		assert_int_equal(ward_its_translate(its, ward_devid(5), 1, &interrupt), 0);
	}
	ward_its_destroy(its);
	return code;
}

static void test_sweep_restore(void **state)
{
	struct rig rig;

	(void)state;
	rig_setup(&rig, WARD_ITS_KVM);
	map_some(&rig);
	for (uint32_t event = 1000; event < 1200; event++)
		assert_int_equal(rig_mapti(&rig, 5, event, 8192 + event, 7), RIG_OK);
	assert_int_equal(ward_its_save_tables(rig.its), 0);
	assert_true(test_sweep(restore, &rig) > 8);
	rig_teardown(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flat),
		cmocka_unit_test(test_indirect),
		cmocka_unit_test(test_high_address),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_other_table),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_restore),
		cmocka_unit_test(test_restore_pending),
		cmocka_unit_test(test_restore_refused),
		cmocka_unit_test(test_restore_beyond),
		cmocka_unit_test(test_index_is_secret),
		cmocka_unit_test(test_save_refused),
		cmocka_unit_test(test_full_collections),
		cmocka_unit_test(test_sweep_restore),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

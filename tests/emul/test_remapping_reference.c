// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Interrupt remapping against a naive reading of the chapter, by chance; and in the software machine. */
#include "emul/remapping_rig.h"

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
		cmocka_unit_test(by_chance),
		cmocka_unit_test(in_the_machine),
		cmocka_unit_test(beside_translation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

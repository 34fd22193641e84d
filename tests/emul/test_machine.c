/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* The software machine as a whole: from an endpoint below a root port to everything there is. */
#include "emul/machines.h"
#include "sweep.h"

/* Root port 00:01.0 above 01:00.0, and a function on the root bus. */
static void small(struct rig *rig)
{
	rig_port(rig, "00:01.0", WARD_PCIE_ROOT_PORT, 1, 1);
	rig_card(rig, "01:00.0", 0x10000000);
	rig_card(rig, "00:02.0", 0x20000000)->pcie_type = WARD_PCIE_RC_ENDPOINT;
}

static void to_memory(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	uint64_t value;

	(void)unused;
	small(&rig);
	rig_done(&rig);
	rig_expect(&rig, "01:00.0", 0x80000010, WARD_DMA_MEMORY, NULL);
	assert_int_equal(rig.result.target, 0x40000010);
	assert_int_equal(ward_sid_raw(rig.seen.sid), 0x100);
	assert_int_equal(rig.seen.access, WARD_WRITE);
	assert_false(rig.seen.probe);
	assert_int_equal(ward_memory_read_u64(rig.memory, 0x40000010, &value), 0);
	assert_int_equal(value, 0x12345678);
	/* And what is read. */
	value = 0;
	assert_int_equal(rig_dma(&rig, "01:00.0",
				 (struct ward_dma){ .address = ward_iova(0x80000010),
						    .pasid = ward_pasid(7),
						    .bytes = &value,
						    .size = 8 }),
			 WARD_DMA_MEMORY);
	assert_int_equal(value, 0x12345678);
	assert_int_equal(rig.seen.access, WARD_READ);
	assert_int_equal(ward_pasid_raw(rig.seen.pasid), 7);
	/* Not mapped. */
	rig_expect(&rig, "01:00.0", 0x40000000, WARD_DMA_FAULT, NULL);
	assert_int_equal(rig.result.fault.reason, WARD_FAULT_TRANSLATION);
	/* Where nothing translates, addresses are physical. */
	ward_emul_set_iommu(rig.emul, 0, NULL, NULL);
	assert_int_equal(rig.destroyed, 1);
	rig_expect(&rig, "01:00.0", 0x40000000, WARD_DMA_MEMORY, NULL);
	rig_expect(&rig, "01:00.0", 0x50000000, WARD_DMA_NOWHERE, NULL);
	rig_expect(&rig, "01:00.0", 0x20000008, WARD_DMA_BAR, "00:02.0");
	assert_int_equal(rig.result.target, 8);
	rig_expect(&rig, "00:02.0", 0x10000ffc, WARD_DMA_BAR, "01:00.0");
	assert_int_equal(rig.result.target, 0xffc);
	rig_free(&rig);
}

static void wrong_calls(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct ward_dma dma = { .address = ward_iova(0x80000ffc), .size = 5 };
	struct ward_dma_result result;
	uint8_t bytes[8];

	(void)unused;
	small(&rig);
	rig_done(&rig);
	dma.bytes = bytes;
	assert_int_equal(ward_emul_dma(rig.emul, 0, &dma, &result), -EINVAL);
	dma.size = 0;
	assert_int_equal(ward_emul_dma(rig.emul, 0, &dma, &result), -EINVAL);
	dma.size = 4;
	assert_int_equal(ward_emul_dma(rig.emul, 3, &dma, &result), -EINVAL);
	assert_int_equal(ward_emul_dma(rig.emul, 0, &dma, &result), 0);
	/* The end of the address space. */
	ward_emul_set_iommu(rig.emul, 0, NULL, NULL);
	dma.address = ward_iova(UINT64_MAX - 3);
	assert_int_equal(ward_emul_dma(rig.emul, 0, &dma, &result), 0);
	assert_int_equal(result.end, WARD_DMA_NOWHERE);
	/* Without bytes it is still said where it goes. */
	dma = (struct ward_dma){ .address = ward_iova(0x40000000), .size = 4, .write = true };
	assert_int_equal(ward_emul_dma(rig.emul, 0, &dma, &result), 0);
	assert_int_equal(result.end, WARD_DMA_MEMORY);
	rig_free(&rig);
}

static void doorbells(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };

	(void)unused;
	small(&rig);
	rig_doorbell(&rig, WARD_CONTROLLER_GICV2M, 0x40001000, 0x40001fff);
	rig_doorbell(&rig, WARD_CONTROLLER_GICV3_ITS, 0x08090000, 0x0809ffff);
	rig_done(&rig);
	/* Mapped by the IOMMU, and before memory. */
	rig_expect(&rig, "01:00.0", 0x80001040, WARD_DMA_DOORBELL, NULL);
	assert_int_equal(rig.result.index, 0);
	assert_int_equal(rig.result.target, 0x40001040);
	rig_expect(&rig, "01:00.0", 0x08090040, WARD_DMA_FAULT, NULL);
	ward_emul_set_iommu(rig.emul, 0, NULL, NULL);
	rig_expect(&rig, "01:00.0", 0x08090040, WARD_DMA_DOORBELL, NULL);
	assert_int_equal(rig.result.index, 1);
	/* No window of that kind on Arm. */
	rig_expect(&rig, "01:00.0", 0xfee00000, WARD_DMA_NOWHERE, NULL);
	rig_free(&rig);
}

static void x86_window(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_X86 };
	struct ward_dma dma = { .address = ward_iova(0xfeefffffu - 3), .pasid = WARD_PASID_NONE };

	(void)unused;
	small(&rig);
	rig_doorbell(&rig, WARD_CONTROLLER_OTHER, 0x1000, 0x1fff);
	rig_doorbell(&rig, WARD_CONTROLLER_X86_APIC, 0xfee00000, 0xfeefffff);
	rig_doorbell(&rig, WARD_CONTROLLER_X86_REMAPPING, 0xfee00000, 0xfeefffff);
	rig.functions[2].controller = 2;
	rig.functions[2].controller_known = WARD_YES;
	rig_done(&rig);
	rig_expect(&rig, "01:00.0", 0xfee00000, WARD_DMA_DOORBELL, NULL);
	assert_int_equal(rig.result.index, 1);
	rig_expect(&rig, "00:02.0", 0xfee00000, WARD_DMA_DOORBELL, NULL);
	assert_int_equal(rig.result.index, 2);
	assert_int_equal(rig.asked, 0);
	/* Reads are not interrupts. */
	assert_int_equal(rig_dma(&rig, "01:00.0", dma), WARD_DMA_NOWHERE);
	dma.write = true;
	assert_int_equal(rig_dma(&rig, "01:00.0", dma), WARD_DMA_DOORBELL);
	/* What claims to be translated is none either. */
	dma.translated = true;
	assert_int_equal(rig_dma(&rig, "01:00.0", dma), WARD_DMA_NOWHERE);
	rig_expect(&rig, "01:00.0", 0xfedffffc, WARD_DMA_FAULT, NULL);
	rig_expect(&rig, "01:00.0", 0xfef00000, WARD_DMA_FAULT, NULL);
	rig_free(&rig);
}

static void ats(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct ward_model_temper forging = { .forges_translated = true };
	struct ward_dma dma = { .address = ward_iova(0x40000100),
				.pasid = WARD_PASID_NONE,
				.write = true,
				.translated = true };

	(void)unused;
	small(&rig);
	rig.functions[1].ats_enabled = true;
	rig_done(&rig);
	/* A good device asks first, and is refused what is not mapped. */
	assert_int_equal(rig_dma(&rig, "01:00.0", dma), WARD_DMA_FAULT);
	assert_false(rig.seen.translated);
	dma.address = ward_iova(0x80000100);
	assert_int_equal(rig_dma(&rig, "01:00.0", dma), WARD_DMA_MEMORY);
	assert_int_equal(rig.result.target, 0x40000100);
	assert_int_equal(rig.asked, 2);
	/* A bad one does not. */
	ward_emul_set_temper(rig.emul, &forging);
	dma.address = ward_iova(0x40000100);
	assert_int_equal(rig_dma(&rig, "01:00.0", dma), WARD_DMA_MEMORY);
	assert_int_equal(rig.asked, 2);
	/* Without ATS the claim is one for the IOMMU to judge. */
	assert_int_equal(rig_dma(&rig, "00:02.0", dma), WARD_DMA_FAULT);
	assert_true(rig.seen.translated);
	rig_free(&rig);
}

static void streams(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64, .no_iommu = true };
	uint32_t iommu = 9;
	ward_sid_t sid;

	(void)unused;
	small(&rig);
	rig.maps[rig.maps_count++] = (struct ward_id_map){
		.kind = WARD_ID_MAP_MSI,
		.first = ward_rid(0),
		.last = ward_rid(0xffff),
		.mask = 0xffff,
		.target = WARD_NONE,
	};
	rig.maps[rig.maps_count++] = (struct ward_id_map){
		.kind = WARD_ID_MAP_IOMMU,
		.first = ward_rid(0x100),
		.last = ward_rid(0x10f),
		.mask = 0xff0f,
		.target = 0,
		.output_base = 0x7000,
	};
	rig.maps[rig.maps_count++] = (struct ward_id_map){
		.kind = WARD_ID_MAP_IOMMU,
		.first = ward_rid(0x200),
		.last = ward_rid(0x2ff),
		.mask = 0xffff,
		.target = WARD_NONE,
	};
	rig_done(&rig);
	/* A function has it from the map, an id that nobody has, too. */
	assert_true(ward_emul_stream(rig.emul, 0, ward_rid(0x100), &iommu, &sid));
	assert_int_equal(iommu, 0);
	assert_int_equal(ward_sid_raw(sid), 0x7000);
	assert_true(ward_emul_stream(rig.emul, 0, ward_rid(0x1f3), &iommu, &sid));
	assert_int_equal(ward_sid_raw(sid), 0x7003);
	iommu = 9;
	assert_false(ward_emul_stream(rig.emul, 0, ward_rid(0x210), &iommu, &sid));
	assert_false(ward_emul_stream(rig.emul, 0, ward_rid(0x310), &iommu, &sid));
	assert_false(ward_emul_stream(rig.emul, 1, ward_rid(0x100), &iommu, &sid));
	assert_int_equal(iommu, 9);
	rig_expect(&rig, "01:00.0", 0x80000000, WARD_DMA_MEMORY, NULL);
	assert_int_equal(ward_sid_raw(rig.seen.sid), 0x7000);
	/* 00:02.0 has no row: nothing translates. */
	rig_expect(&rig, "00:02.0", 0x40000000, WARD_DMA_MEMORY, NULL);
	assert_int_equal(rig.asked, 1);
	rig_free(&rig);
}

static void registers(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	uint32_t card, word = 0xa5a5a5a5, there = 0;
	uint64_t wide = 0;

	(void)unused;
	small(&rig);
	rig_done(&rig);
	card = rig_at(&rig, "01:00.0");
	assert_int_equal(ward_emul_region_size(rig.emul, card, 0), 4096);
	assert_int_equal(ward_emul_region_size(rig.emul, card, 1), 0);
	assert_int_equal(ward_emul_region_size(rig.emul, card, 8), 0);
	assert_int_equal(ward_emul_write(rig.emul, card, 0, 8, &word, 4), 0);
	assert_int_equal(ward_emul_read(rig.emul, card, 0, 8, &there, 4), 0);
	assert_int_equal(there, 0xa5a5a5a5);
	/* A peer reads it, too, and writes it. */
	ward_emul_set_iommu(rig.emul, 0, NULL, NULL);
	there = 0;
	assert_int_equal(rig_dma(&rig, "00:02.0",
				 (struct ward_dma){ .address = ward_iova(0x10000008),
						    .bytes = &there,
						    .size = 4 }),
			 WARD_DMA_BAR);
	assert_int_equal(there, 0xa5a5a5a5);
	rig_expect(&rig, "00:02.0", 0x10000008, WARD_DMA_BAR, "01:00.0");
	assert_int_equal(ward_emul_read(rig.emul, card, 0, 8, &there, 4), 0);
	assert_int_equal(there, 0x12345678);
	/* Half of it is kept, the rest reads 0. */
	assert_int_equal(ward_emul_write(rig.emul, card, 0, 60, "\1\2\3\4\5\6\7\10", 8), 0);
	assert_int_equal(ward_emul_read(rig.emul, card, 0, 60, &wide, 8), 0);
	assert_int_equal(wide, 0x04030201);
	/* Config space. */
	assert_int_equal(ward_emul_read(rig.emul, card, 7, 0, &there, 4), 0);
	assert_int_equal(there, 0x56781234);
	assert_int_equal(ward_emul_read(rig.emul, card, 7, 0x10, &there, 4), 0);
	assert_int_equal(there, 0x10000000);
	assert_int_equal(ward_emul_write(rig.emul, card, 7, 0, &wide, 8), 0);
	assert_int_equal(ward_emul_read(rig.emul, card, 7, 0, &there, 4), 0);
	assert_int_equal(there, 0x56781234);
	word = 0xffffffff;
	assert_int_equal(ward_emul_write(rig.emul, card, 7, 4, &word, 4), 0);
	assert_int_equal(ward_emul_read(rig.emul, card, 7, 4, &there, 4), 0);
	assert_int_equal(there, 0x0547);
	/* A reset forgets. */
	assert_int_equal(ward_emul_reset(rig.emul, card), 0);
	assert_int_equal(ward_emul_read(rig.emul, card, 0, 8, &there, 4), 0);
	assert_int_equal(there, 0);
	/* What is not there. */
	assert_int_equal(ward_emul_read(rig.emul, card, 0, 4093, &there, 4), -EINVAL);
	assert_int_equal(ward_emul_read(rig.emul, card, 0, UINT64_MAX, &there, 4), -EINVAL);
	assert_int_equal(ward_emul_read(rig.emul, card, 1, 0, &there, 4), -EINVAL);
	assert_int_equal(ward_emul_write(rig.emul, card, 0, 0, &wide, 3), -EINVAL);
	assert_int_equal(ward_emul_write(rig.emul, 77, 0, 0, &there, 4), -EINVAL);
	assert_int_equal(ward_emul_reset(rig.emul, 77), -EINVAL);
	rig_free(&rig);
}

static int create(void *context)
{
	struct rig *rig = context;
	struct ward_emul *emul;
	int err = ward_emul_create(rig->machine, rig->memory, &emul);

	if (!err)
		ward_emul_destroy(emul);
	return err;
}

static void sweep(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };

	(void)unused;
	small(&rig);
	rig_done(&rig);
	assert_true(test_sweep(create, &rig) > 0);
	ward_emul_destroy(NULL);
	rig_free(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(to_memory), cmocka_unit_test(wrong_calls),
		cmocka_unit_test(doorbells), cmocka_unit_test(x86_window),
		cmocka_unit_test(ats),	     cmocka_unit_test(streams),
		cmocka_unit_test(registers), cmocka_unit_test(sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

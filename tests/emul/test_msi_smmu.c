// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A message through the real things: a function's MSI-X table, its requester id after a bridge, both
 * stages of an SMMUv3, the page of an ITS, an LPI at a CPU.
 */
#include "emul/machines.h"
#include "emul/smmuv3_machine.h"

#include <doorward/vector.h>

/* The ITS has its page there; the guest's stage 1 has it at BELL. */
#define ITS 0x08080000u
#define BELL 0x5000u
#define EVENT 3u
#define LPI 8200u

/* Of the ITS and its GIC, in the machine's memory. */
#define ITS_QUEUE (RAM + 0x300000)
#define ITS_DEVICES (RAM + 0x310000)
#define ITS_COLLECTIONS (RAM + 0x320000)
#define ITS_TABLE (RAM + 0x330000) /* of DeviceID n: + n * 256 */
#define LPI_CONFIG (RAM + 0x350000)
#define LPI_PENDING (RAM + 0x360000)
#define BASER_VALID (1ull << 63)

/* The card is stream SID with DeviceID 0x11; the one behind the bridge SID + 1 with 0x22. */
static struct rig rig;
static struct ward_gic *gic;
static struct ward_its *its;
static unsigned int its_head;

static void its_write(uint32_t offset, uint64_t value, size_t size)
{
	assert_int_equal(ward_its_write(its, offset, &value, size), 0);
}

static void its_command(uint64_t w0, uint64_t w1, uint64_t w2)
{
	struct ward_its_error error;
	const uint64_t words[4] = { w0, w1, w2, 0 };

	for (unsigned int i = 0; i < 4; i++)
		put(ITS_QUEUE + its_head + i * 8, words[i]);
	its_head += 32;
	its_write(0x88, its_head, 8);
	assert_false(ward_its_error(its, &error));
}

static void gic_write(uint32_t cpu, uint32_t offset, uint64_t value, size_t size)
{
	assert_int_equal(ward_gic_write(gic, cpu, offset, &value, size), 0);
}

/* One collection at CPU 0; each DeviceID with an LPI of its own for EVENT. */
static void start_its(void)
{
	const struct ward_gic_options gic_options = { .size = sizeof(gic_options),
						      .kind = WARD_GIC_V3,
						      .cpus = 1,
						      .interrupts = 64,
						      .intid_bits = 14,
						      .memory = box.memory };
	struct ward_its_options options = { .size = sizeof(options), .memory = box.memory };

	memset(box.bytes + (LPI_CONFIG - RAM), 0xa3, 8192);
	assert_int_equal(ward_gic_create(&gic_options, &gic), 0);
	gic_write(0, 0x70, LPI_CONFIG | 13, 8);
	gic_write(0, 0x78, LPI_PENDING, 8);
	gic_write(0, 0x00, 1, 4);
	gic_write(WARD_GIC_DISTRIBUTOR, 0, 0x12, 4);
	options.gic = gic;
	assert_int_equal(ward_its_create(&options, &its), 0);
	its_head = 0;
	its_write(0x100, BASER_VALID | ITS_DEVICES | 2 << 8, 8);
	its_write(0x108, BASER_VALID | ITS_COLLECTIONS | 2 << 8, 8);
	its_write(0x80, BASER_VALID | ITS_QUEUE, 8);
	its_write(0x00, 1, 4);
	its_command(0x09, 0, BASER_VALID | 1);
	for (uint64_t n = 1; n <= 2; n++) {
		its_command(0x08 | (n * 0x11) << 32, 4, BASER_VALID | (ITS_TABLE + n * 256));
		its_command(0x0a | (n * 0x11) << 32, EVENT | (LPI + n) << 32, 1);
	}
}

static void map_row(enum ward_id_map_kind kind, unsigned int rid, uint32_t output)
{
	rig.maps[rig.maps_count++] = (struct ward_id_map){
		.kind = kind,
		.first = ward_rid(rid),
		.last = ward_rid(rid),
		.mask = 0xffff,
		.output_base = output,
	};
}

static void yard(void)
{
	struct ward_function *f;

	memset(&rig, 0, sizeof(rig));
	rig.arch = WARD_ARCH_ARM64;
	rig.no_iommu = true;
	rig_port(&rig, "00:01.0", WARD_PCIE_ROOT_PORT, 1, 1);
	f = rig_card(&rig, "01:00.0", 0);
	f->msix = true;
	f->msix_vectors = 2;
	rig_port(&rig, "00:02.0", WARD_PCIE_ROOT_PORT, 2, 3);
	rig_port(&rig, "02:00.0", WARD_PCIE_TO_PCI, 3, 3);
	f = rig_card(&rig, "03:04.0", 0);
	f->pcie_type = WARD_PCIE_NONE;
	f->msix = true;
	f->msix_vectors = 2;
	map_row(WARD_ID_MAP_IOMMU, 0x100, SID);
	map_row(WARD_ID_MAP_IOMMU, 0x300, SID + 1);
	map_row(WARD_ID_MAP_MSI, 0x100, 0x11);
	map_row(WARD_ID_MAP_MSI, 0x300, 0x22);
	rig_doorbell(&rig, WARD_CONTROLLER_GICV3_ITS, ITS, ITS + 0xffff);
	rig.machine = rig_build(&rig);
	assert_int_equal(ward_emul_create(rig.machine, box.memory, &rig.emul), 0);
	ward_emul_set_iommu(rig.emul, 0, &ward_smmuv3_iommu, box.smmu);
	ward_emul_set_controller(rig.emul, 0, &ward_its_doorbell, its);
}

static int set_up(void **state)
{
	setup(state);
	put_ste(ste_at(SID), BOTH);
	put_ste(ste_at(SID + 1), BOTH);
	/* Stage 1 has the page of the translater, stage 2 the first GiB as it is. */
	put(STAGE1(3) + (BELL >> 12) * 8, ITS | LEAF1);
	put(STAGE2(1), LEAF2 & ~2ull);
	start_its();
	yard();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ward_emul_destroy(rig.emul); /* and the SMMU */
	ward_machine_destroy(rig.machine);
	ward_its_destroy(its);
	ward_gic_destroy(gic);
	ward_memory_destroy(box.memory);
	return 0;
}

static void msix(const char *address, uint32_t at, uint32_t data)
{
	uint32_t f = rig_at(&rig, address), zero = 0;
	struct ward_vectors *v = ward_emul_vectors(rig.emul, f);
	uint16_t on = 0x8000, master = 4;

	assert_int_equal(ward_vectors_write(v, WARD_MSIX_TABLE, 0, &at, 4), 0);
	assert_int_equal(ward_vectors_write(v, WARD_MSIX_TABLE, 8, &data, 4), 0);
	assert_int_equal(ward_vectors_write(v, WARD_MSIX_TABLE, 12, &zero, 4), 0);
	assert_int_equal(ward_vectors_write(v, WARD_MSIX_CAPABILITY, 2, &on, 2), 0);
	assert_int_equal(ward_emul_write(rig.emul, f, 7, 4, &master, 2), 0);
}

static const struct ward_dma_result *raise(const char *address)
{
	static struct ward_raise raised;

	assert_int_equal(ward_emul_raise(rig.emul, rig_at(&rig, address), 0, &raised), 0);
	assert_false(raised.masked);
	return &raised.dma;
}

/* It came to this LPI, and no other is pending. */
static void expect_lpi(const struct ward_dma_result *result, uint32_t lpi)
{
	uint32_t taken;

	assert_int_equal(result->end, WARD_DMA_DOORBELL);
	assert_int_equal(result->target, ITS + 0x40);
	assert_int_equal(result->interrupt.end, WARD_INTERRUPT_PENDING);
	assert_int_equal(result->interrupt.number, lpi);
	assert_int_equal(ward_gic_take(gic, 0, &taken), 0);
	assert_int_equal(taken, lpi);
	assert_int_equal(ward_gic_take(gic, 0, &taken), -ENOENT);
}

static void to_an_lpi(void **unused)
{
	(void)unused;
	msix("01:00.0", BELL + 0x40, EVENT);
	expect_lpi(raise("01:00.0"), LPI + 1);
	/* The same message from behind the bridge is another's: DeviceID and stream are the bridge's. */
	msix("03:04.0", BELL + 0x40, EVENT);
	expect_lpi(raise("03:04.0"), LPI + 2);
	no_event();
}

static void to_nothing(void **unused)
{
	const struct ward_dma_result *result;
	uint64_t words[4];
	uint32_t taken;

	(void)unused;
	/* An event that is not mapped; beside the register. */
	msix("01:00.0", BELL + 0x40, EVENT + 1);
	result = raise("01:00.0");
	assert_int_equal(result->interrupt.end, WARD_INTERRUPT_IGNORED);
	assert_int_equal(result->interrupt.reason, WARD_REASON_UNMAPPED_EVENT);
	msix("01:00.0", BELL + 0x44, EVENT);
	assert_int_equal(raise("01:00.0")->interrupt.reason, WARD_REASON_SIZE);
	/* Stage 1 does not have it; then it has, but stage 2 has not. */
	put(STAGE1(3) + (BELL >> 12) * 8, 0);
	done(0x30, 0);
	sync();
	msix("01:00.0", BELL + 0x40, EVENT);
	result = raise("01:00.0");
	assert_int_equal(result->end, WARD_DMA_FAULT);
	assert_int_equal(result->fault.stage, 1);
	assert_true(next_event(words));
	assert_int_equal(words[0] & 0xff, 0x10);
	assert_int_equal(words[0] >> 32, SID);
	put(STAGE1(3) + (BELL >> 12) * 8, (ITS + 0x40000000u) | LEAF1);
	result = raise("01:00.0");
	assert_int_equal(result->end, WARD_DMA_FAULT);
	assert_int_equal(result->fault.stage, 2);
	assert_true(next_event(words));
	assert_int_equal(ward_gic_take(gic, 0, &taken), -ENOENT);
}

/* Nothing forbids a function to write what another's table says. */
static void as_a_dma(void **unused)
{
	uint32_t data = EVENT;
	struct ward_dma dma = { .pasid = WARD_PASID_NONE,
				.address = ward_iova(BELL + 0x40),
				.write = true,
				.bytes = &data,
				.size = 4 };
	uint8_t burst[4096] = { [0x40] = EVENT };

	(void)unused;
	rig_dma(&rig, "03:04.0", dma);
	expect_lpi(&rig.result, LPI + 2);
	dma.size = 2;
	rig_dma(&rig, "01:00.0", dma);
	expect_lpi(&rig.result, LPI + 1);
	dma = (struct ward_dma){ .pasid = WARD_PASID_NONE,
				 .address = ward_iova(BELL),
				 .write = true,
				 .bytes = burst,
				 .size = sizeof(burst) };
	assert_int_equal(rig_dma(&rig, "01:00.0", dma), WARD_DMA_DOORBELL);
	assert_int_equal(rig.result.interrupt.reason, WARD_REASON_SIZE);
	/* From an id that no row of the maps has. */
	dma.address = ward_iova(BELL + 0x40);
	dma.size = 4;
	dma.forge = true;
	dma.rid = ward_rid(0x101);
	assert_int_equal(rig_dma(&rig, "01:00.0", dma), WARD_DMA_NOWHERE);
}

/* What would come of a message leaves nothing behind. */
static void probes(void **unused)
{
	struct ward_emul_message message = {
		.offset = 0x40,
		.data = EVENT,
		.size = 4,
		.has_devid = true,
		.devid = ward_devid(0x11),
		.probe = true,
	};
	struct ward_interrupt interrupt;
	uint32_t taken;

	(void)unused;
	ward_its_doorbell.write(its, &message, &interrupt);
	assert_int_equal(interrupt.end, WARD_INTERRUPT_PENDING);
	assert_int_equal(interrupt.number, LPI + 1);
	assert_int_equal(ward_gic_take(gic, 0, &taken), -ENOENT);
	message.has_devid = false;
	ward_its_doorbell.write(its, &message, &interrupt);
	assert_int_equal(interrupt.reason, WARD_REASON_NO_DEVICE_ID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(to_an_lpi, set_up, tear_down),
		cmocka_unit_test_setup_teardown(to_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(as_a_dma, set_up, tear_down),
		cmocka_unit_test_setup_teardown(probes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

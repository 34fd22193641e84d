// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Messages in the software machine: a DMA like any other, till it comes to a doorbell. */
#include "emul/msi_rig.h"
#include "sweep.h"

static void any_write_rings(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct heard heard = { .count = 0 };
	uint8_t bytes[4096];
	struct ward_dma dma = { .pasid = WARD_PASID_NONE, .write = true, .bytes = bytes };
	static const struct {
		uint32_t at, size, data;
	} rows[] = {
		{ 0x40, 4, 0x03020100 }, { 0x40, 2, 0x0100 },	  { 0x41, 1, 0x00 },
		{ 0x42, 4, 0x03020100 }, { 0x3c, 8, 0x03020100 }, { 0, 4096, 0x03020100 },
		{ 0xfff, 1, 0x00 },	 { 0x10, 3, 0x020100 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	card(&rig);
	ready(&rig, WARD_CONTROLLER_GICV2M, &heard);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		dma.address = ward_iova(RIG_MAPPED + BELL + rows[i].at);
		dma.size = rows[i].size;
		assert_int_equal(rig_dma(&rig, "01:00.0", dma), WARD_DMA_DOORBELL);
		assert_int_equal(heard.count, i + 1);
		assert_int_equal(heard.message.address, DOORBELL + rows[i].at);
		assert_int_equal(heard.message.offset, rows[i].at);
		assert_int_equal(heard.message.size, rows[i].size);
		assert_int_equal(heard.message.data, rows[i].data);
		assert_false(heard.message.probe);
		assert_int_equal(rig.result.interrupt.end, WARD_INTERRUPT_PENDING);
		assert_int_equal(rig.result.interrupt.number, rows[i].data);
	}
	/* Not mapped: a fault, and silence. */
	heard.count = 0;
	rig_expect(&rig, "01:00.0", DOORBELL + 0x40, WARD_DMA_FAULT, NULL);
	assert_int_equal(rig.result.interrupt.end, WARD_INTERRUPT_NONE);
	/* A read; a write that nobody gave bytes to. */
	dma.address = ward_iova(RIG_MAPPED + BELL + 0x40);
	dma.size = 4;
	dma.write = false;
	assert_int_equal(rig_dma(&rig, "01:00.0", dma), WARD_DMA_DOORBELL);
	assert_int_equal(bytes[1], 0);
	dma = (struct ward_dma){ .pasid = WARD_PASID_NONE, .address = dma.address, .write = true };
	dma.size = 4;
	assert_int_equal(ward_emul_dma(rig.emul, rig_at(&rig, "01:00.0"), &dma, &rig.result), 0);
	assert_int_equal(rig.result.end, WARD_DMA_DOORBELL);
	assert_int_equal(heard.count, 0);
	/* Nobody listens any more. */
	ward_emul_set_controller(rig.emul, 0, NULL, NULL);
	assert_int_equal(heard.destroyed, 1);
	ward_emul_set_controller(rig.emul, 1, &listener, &heard);
	rig_expect(&rig, "01:00.0", RIG_MAPPED + BELL + 0x40, WARD_DMA_DOORBELL, NULL);
	assert_int_equal(rig.result.interrupt.end, WARD_INTERRUPT_NONE);
	rig_free(&rig);
	assert_int_equal(heard.destroyed, 1);
}

/* A second doorbell range: offsets count from its own beginning. */
static void second_doorbell(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct heard heard = { .count = 0 };

	(void)unused;
	card(&rig);
	rig_doorbell(&rig, WARD_CONTROLLER_OTHER, DOORBELL, DOORBELL + 0xfff);
	rig.controllers[0].doorbells[1] =
		(struct ward_range){ DOORBELL + 0x3000, DOORBELL + 0x3fff };
	rig.controllers[0].doorbells_count = 2;
	rig_done(&rig);
	ward_emul_set_controller(rig.emul, 0, &listener, &heard);
	rig_expect(&rig, "01:00.0", RIG_MAPPED + BELL + 0x3008, WARD_DMA_DOORBELL, NULL);
	assert_int_equal(heard.message.offset, 8);
	rig_expect(&rig, "01:00.0", RIG_MAPPED + BELL + 0x1008, WARD_DMA_MEMORY, NULL);
	assert_int_equal(heard.count, 1);
	rig_free(&rig);
}

static ward_devid_t devid_of(const struct rig *rig, unsigned int rid, uint32_t controller)
{
	ward_devid_t devid = ward_devid(0xdead);

	assert_true(ward_emul_devid(rig->emul, 0, ward_rid(rid), controller, &devid));
	return devid;
}

static void row(struct rig *rig, unsigned int first, unsigned int last, uint32_t target,
		uint32_t base)
{
	rig->maps[rig->maps_count++] = (struct ward_id_map){
		.kind = WARD_ID_MAP_MSI,
		.first = ward_rid(first),
		.last = ward_rid(last),
		.mask = 0xffff,
		.target = target,
		.output_base = base,
	};
}

/* Who is behind a bridge writes under the bridge's id, and has the DeviceID of that. */
static void device_ids(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct heard own = { .count = 0 }, other = { .count = 0 };
	ward_devid_t devid = ward_devid(0xdead);

	(void)unused;
	rig_port(&rig, "00:01.0", WARD_PCIE_ROOT_PORT, 1, 1);
	rig_card(&rig, "01:00.0", 0x10000000);
	rig_port(&rig, "00:02.0", WARD_PCIE_ROOT_PORT, 2, 3);
	rig_port(&rig, "02:00.0", WARD_PCIE_TO_PCI, 3, 3);
	rig_card(&rig, "03:04.0", 0x10100000)->pcie_type = WARD_PCIE_NONE;
	rig_doorbell(&rig, WARD_CONTROLLER_GICV3_ITS, DOORBELL, DOORBELL + 0xfff);
	rig_doorbell(&rig, WARD_CONTROLLER_GICV3_ITS, DOORBELL + 0x1000, DOORBELL + 0x1fff);
	row(&rig, 0x000, 0x1ff, 0, 0x10000);
	row(&rig, 0x300, 0x3ff, 0, 0x20000);
	row(&rig, 0x300, 0x300, 1, 0x5);
	row(&rig, 0x400, 0x4ff, WARD_NONE, 0);
	rig_done(&rig);
	ward_emul_set_controller(rig.emul, 0, &listener, &own);
	ward_emul_set_controller(rig.emul, 1, &listener, &other);
	rig_expect(&rig, "01:00.0", RIG_MAPPED + BELL + 0x40, WARD_DMA_DOORBELL, NULL);
	assert_true(own.message.has_devid);
	assert_int_equal(ward_devid_raw(own.message.devid), 0x10100);
	assert_int_equal(ward_rid_raw(own.message.rid), 0x100);
	assert_int_equal(own.message.iommu, 0);
	/* The bridge takes over: secondary bus, device 0. */
	rig_expect(&rig, "03:04.0", RIG_MAPPED + BELL + 0x40, WARD_DMA_DOORBELL, NULL);
	assert_int_equal(ward_devid_raw(own.message.devid), 0x20000);
	assert_int_equal(ward_rid_raw(own.message.rid), 0x300);
	/* At somebody else's ITS: by its own row, or else the id it has at home. */
	rig_expect(&rig, "03:04.0", RIG_MAPPED + BELL + 0x1040, WARD_DMA_DOORBELL, NULL);
	assert_int_equal(ward_devid_raw(other.message.devid), 5);
	rig_expect(&rig, "01:00.0", RIG_MAPPED + BELL + 0x1040, WARD_DMA_DOORBELL, NULL);
	assert_true(other.message.has_devid);
	assert_int_equal(ward_devid_raw(other.message.devid), 0x10100);
	/* Ids that are nobody's. */
	assert_int_equal(ward_devid_raw(devid_of(&rig, 0x1f0, 0)), 0x101f0);
	assert_int_equal(ward_devid_raw(devid_of(&rig, 0x1f0, 1)), 0x101f0);
	assert_int_equal(ward_devid_raw(devid_of(&rig, 0x301, 1)), 0x20001);
	assert_false(ward_emul_devid(rig.emul, 0, ward_rid(0x400), 0, &devid));
	assert_false(ward_emul_devid(rig.emul, 0, ward_rid(0x200), 0, &devid));
	assert_int_equal(ward_devid_raw(devid), 0xdead);
	/* A segment of which no row speaks. */
	assert_true(ward_emul_devid(rig.emul, 7, ward_rid(0x123), 0, &devid));
	assert_int_equal(ward_devid_raw(devid), 0x123);
	rig_free(&rig);
}

/* What the facts say of a function comes before any row; one without a controller has no id. */
static void device_ids_of_facts(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	ward_devid_t devid;
	struct ward_function *f;

	(void)unused;
	rig_port(&rig, "00:01.0", WARD_PCIE_ROOT_PORT, 1, 1);
	f = rig_card(&rig, "01:00.0", 0);
	f->controller_known = WARD_YES;
	f->controller = 1;
	f->devid = ward_devid(0x777);
	f = rig_card(&rig, "01:00.1", 0);
	f->controller_known = WARD_YES;
	f->controller = 2;
	f->devid = ward_devid(0x888);
	f = rig_card(&rig, "01:00.2", 0);
	f->controller_known = WARD_YES;
	f->controller = WARD_NONE;
	rig_doorbell(&rig, WARD_CONTROLLER_GICV3_ITS, DOORBELL, DOORBELL + 0xfff);
	rig_doorbell(&rig, WARD_CONTROLLER_GICV3_ITS, DOORBELL + 0x1000, DOORBELL + 0x1fff);
	rig_doorbell(&rig, WARD_CONTROLLER_GICV2M, DOORBELL + 0x2000, DOORBELL + 0x2fff);
	row(&rig, 0x100, 0x100, 0, 0x5000);
	rig_done(&rig);
	assert_int_equal(ward_devid_raw(devid_of(&rig, 0x100, 1)), 0x777);
	assert_int_equal(ward_devid_raw(devid_of(&rig, 0x100, 0)), 0x5000);
	/* Its own controller takes no ids: they are no use at an ITS. */
	assert_int_equal(ward_devid_raw(devid_of(&rig, 0x101, 2)), 0x888);
	assert_false(ward_emul_devid(rig.emul, 0, ward_rid(0x101), 0, &devid));
	assert_false(ward_emul_devid(rig.emul, 0, ward_rid(0x102), 0, &devid));
	rig_free(&rig);
}

static const struct {
	uint32_t at, size, data;
	enum ward_interrupt_reason reason[2]; /* at a frame of 64 to 71, at the distributor */
} spi_rows[] = {
	{ 0x40, 4, 70, { WARD_REASON_NONE, WARD_REASON_NONE } },
	{ 0x40, 2, 71, { WARD_REASON_NONE, WARD_REASON_NONE } },
	{ 0x40, 4, 63, { WARD_REASON_DATA, WARD_REASON_NONE } },
	{ 0x40, 4, 72, { WARD_REASON_DATA, WARD_REASON_NONE } },
	{ 0x40, 4, 31, { WARD_REASON_DATA, WARD_REASON_DATA } },
	{ 0x40, 4, 128, { WARD_REASON_DATA, WARD_REASON_DATA } },
	{ 0x40, 4, 0x10046, { WARD_REASON_DATA, WARD_REASON_NONE } }, /* 70, and reserved bits */
	{ 0x40, 1, 70, { WARD_REASON_SIZE, WARD_REASON_SIZE } },
	{ 0x40, 3, 70, { WARD_REASON_SIZE, WARD_REASON_SIZE } },
	{ 0x44, 4, 70, { WARD_REASON_SIZE, WARD_REASON_SIZE } },
	{ 0x3e, 4, 70, { WARD_REASON_SIZE, WARD_REASON_SIZE } },
	{ 0x42, 2, 70, { WARD_REASON_SIZE, WARD_REASON_SIZE } },
	{ 0x00, 4096, 70, { WARD_REASON_SIZE, WARD_REASON_SIZE } },
};

/* One row at controller index: first what would come of it, then in earnest. */
static void write_spi(struct rig *rig, struct ward_gic *gic, uint32_t index, size_t row,
		      const struct ward_emul_controller_ops *ops, void *controller)
{
	enum ward_interrupt_reason reason = spi_rows[row].reason[index];
	uint32_t intid = spi_rows[row].data & 0x1fff;
	uint8_t bytes[4096] = { 0 };
	const struct ward_dma dma = {
		.pasid = WARD_PASID_NONE,
		.address = ward_iova(RIG_MAPPED + BELL + index * 0x1000 + spi_rows[row].at),
		.write = true,
		.bytes = bytes,
		.size = spi_rows[row].size,
	};
	const struct ward_emul_message probe = {
		.offset = spi_rows[row].at,
		.data = spi_rows[row].data,
		.size = spi_rows[row].size,
		.probe = true,
	};
	struct ward_interrupt would;
	uint32_t taken;

	for (unsigned int i = 0; i < 4; i++)
		bytes[i] = (uint8_t)(spi_rows[row].data >> 8 * i);
	ops->write(controller, &probe, &would);
	assert_int_equal(would.reason, reason);
	assert_false(ward_gic_is_pending(gic, 0, intid));
	assert_int_equal(rig_dma(rig, "01:00.0", dma), WARD_DMA_DOORBELL);
	if (rig->result.interrupt.reason != reason)
		fail_msg("row %zu at %u: reason %d", row, index, rig->result.interrupt.reason);
	assert_int_equal(rig->result.interrupt.end,
			 reason ? WARD_INTERRUPT_IGNORED : WARD_INTERRUPT_PENDING);
	assert_int_equal(would.end, rig->result.interrupt.end);
	assert_int_equal(ward_gic_is_pending(gic, 0, intid), !reason);
	if (reason)
		return;
	assert_int_equal(rig->result.interrupt.number, intid);
	assert_int_equal(ward_gic_take(gic, 0, &taken), 0);
	assert_int_equal(taken, intid);
	assert_int_equal(ward_gic_end(gic, 0, intid), 0);
}

static void set_gicd(struct ward_gic *gic, uint32_t offset, uint32_t value)
{
	const uint8_t bytes[4] = { (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
				   (uint8_t)(value >> 24) };

	assert_int_equal(ward_gic_write(gic, WARD_GIC_DISTRIBUTOR, offset, bytes, 4), 0);
}

/* What is not PCI has one id, wherever it writes. */
static void platform_devices(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct ward_function *f = rig_card(&rig, "00:00.0", 0);
	uint32_t data = 1;
	struct ward_dma dma = { .pasid = WARD_PASID_NONE, .write = true, .bytes = &data, .size = 4 };
	struct heard own = { .count = 0 }, other = { .count = 0 };

	(void)unused;
	f->kind = WARD_FUNCTION_PLATFORM;
	f->name = "dma-controller";
	f->controller_known = WARD_YES;
	f->controller = 0;
	f->devid = ward_devid(0x99);
	f->msi = true;
	f->msi_vectors = 1;
	rig_doorbell(&rig, WARD_CONTROLLER_GICV3_ITS, DOORBELL, DOORBELL + 0xfff);
	rig_doorbell(&rig, WARD_CONTROLLER_GICV3_ITS, DOORBELL + 0x1000, DOORBELL + 0x1fff);
	rig_done(&rig);
	ward_emul_set_controller(rig.emul, 0, &listener, &own);
	ward_emul_set_controller(rig.emul, 1, &listener, &other);
	for (uint32_t i = 0; i < 2; i++) {
		dma.address = ward_iova(RIG_MAPPED + BELL + i * 0x1000 + 0x40);
		assert_int_equal(ward_emul_dma(rig.emul, 0, &dma, &rig.result), 0);
		assert_int_equal(rig.result.end, WARD_DMA_DOORBELL);
	}
	assert_true(own.message.has_devid && other.message.has_devid);
	assert_int_equal(ward_devid_raw(own.message.devid), 0x99);
	assert_int_equal(ward_devid_raw(other.message.devid), 0x99);
	assert_null(ward_emul_vectors(rig.emul, 0));
	rig_free(&rig);
}

/* From a function to an SPI, through a frame and through the distributor. */
static void to_spis(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	const struct ward_gic_options options = {
		.size = sizeof(options),
		.kind = WARD_GIC_V3,
		.cpus = 1,
		.interrupts = 128,
	};
	struct ward_gicv2m *frame;
	struct ward_gic *gic;

	(void)unused;
	card(&rig);
	rig_doorbell(&rig, WARD_CONTROLLER_GICV2M, DOORBELL, DOORBELL + 0xfff);
	rig_doorbell(&rig, WARD_CONTROLLER_GICV3_MBI, DOORBELL + 0x1000, DOORBELL + 0x1fff);
	rig_done(&rig);
	assert_int_equal(ward_gic_create(&options, &gic), 0);
	assert_int_equal(ward_gicv2m_create(gic, 64, 8, &frame), 0);
	/* Group 1, on; SPIs in it, enabled, edges. */
	set_gicd(gic, 0x0, 0x12);
	for (uint32_t i = 1; i < 4; i++) {
		set_gicd(gic, 0x80 + i * 4, 0xffffffff);
		set_gicd(gic, 0x100 + i * 4, 0xffffffff);
		set_gicd(gic, 0xc00 + i * 8, 0xaaaaaaaa);
		set_gicd(gic, 0xc04 + i * 8, 0xaaaaaaaa);
	}
	ward_emul_set_controller(rig.emul, 0, &ward_gicv2m_doorbell, frame);
	ward_emul_set_controller(rig.emul, 1, &ward_mbi_doorbell, gic);
	for (size_t i = 0; i < sizeof(spi_rows) / sizeof(spi_rows[0]); i++) {
		write_spi(&rig, gic, 0, i, &ward_gicv2m_doorbell, frame);
		write_spi(&rig, gic, 1, i, &ward_mbi_doorbell, gic);
	}
	rig_free(&rig);
	ward_gicv2m_destroy(frame);
	ward_gic_destroy(gic);
}

/* x86: the window is before translation; a doubleword or nothing. */
static void to_apics(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_X86 };
	const struct ward_apics_options options = { .size = sizeof(options), .cpus = 4 };
	struct ward_apic_controller controller = { .apics = NULL };
	uint64_t data = 0x51;
	struct ward_dma dma = { .pasid = WARD_PASID_NONE, .write = true, .bytes = &data };

	(void)unused;
	card(&rig);
	rig_doorbell(&rig, WARD_CONTROLLER_X86_APIC, 0xfee00000, 0xfeefffff);
	rig_done(&rig);
	assert_int_equal(ward_apics_create(&options, &controller.apics), 0);
	ward_emul_set_controller(rig.emul, 0, &ward_apic_doorbell, &controller);
	dma.address = ward_iova(0xfee02000);
	dma.size = 4;
	assert_int_equal(rig_dma(&rig, "01:00.0", dma), WARD_DMA_DOORBELL);
	assert_int_equal(rig.asked, 0);
	assert_int_equal(rig.result.interrupt.cpu, 2);
	assert_int_equal(rig.result.interrupt.number, 0x51);
	assert_true(ward_apics_is_pending(controller.apics, 2, 0x51));
	data = 0x52;
	for (size_t size = 1; size <= 8; size++) {
		dma.size = size;
		dma.address = ward_iova(0xfee02000 + (size == 4));
		assert_int_equal(rig_dma(&rig, "01:00.0", dma), WARD_DMA_DOORBELL);
		assert_int_equal(rig.result.interrupt.end, WARD_INTERRUPT_IGNORED);
		assert_int_equal(rig.result.interrupt.reason, WARD_REASON_SIZE);
	}
	assert_false(ward_apics_is_pending(controller.apics, 2, 0x52));
	rig_free(&rig);
	ward_apics_destroy(controller.apics);
}

static int make_machine(void *context)
{
	struct rig *rig = context;
	struct ward_emul *emul;
	int code = ward_emul_create(rig->machine, rig->memory, &emul);

	if (code == 0)
		ward_emul_destroy(emul);
	return code;
}

static void out_of_memory(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct heard heard = { .count = 0 };

	(void)unused;
	card(&rig);
	ready(&rig, WARD_CONTROLLER_GICV2M, &heard);
	assert_true(test_sweep(make_machine, &rig) > 7);
	rig_free(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_write_rings),  cmocka_unit_test(second_doorbell),
		cmocka_unit_test(device_ids),	    cmocka_unit_test(device_ids_of_facts),
		cmocka_unit_test(platform_devices), cmocka_unit_test(to_spis),
		cmocka_unit_test(to_apics),	    cmocka_unit_test(out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

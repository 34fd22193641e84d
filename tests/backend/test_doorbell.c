// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Doorbells on a machine in software: what ward_doorbell_map says is reached is what a device behind
 * an SMMUv3 rings, in tables that the SMMU walks.
 */
#include "model_rig.h"

#include <doorward/doorbell.h>
#include <doorward/stage1.h>

#define CARD "0000:01:00.0"
#define FRAMES 3u
#define FRAME 0x8020000u
#define SETSPI 0x40u
#define K4 0x1000u
#define K64 0x10000u
/* What the guest chose, and what it sees. */
#define CHOSEN 0xeeee0000u
#define SEEN 0x80900000u
/* Guest physical addresses of memory are the machine's own here. */
#define CONTEXT RAM
#define TABLES_OF_GUEST (RAM + 0x1000)
/* Arm DDI 0487 D8.3: a page that is valid, accessible to devices, inner shareable. */
#define PAGE_ENTRY 0x743u

struct fixture {
	struct rig rig;
	struct ward_device *card;
	struct ward_space *space;
	struct ward_doorbells *doorbells;
};

static struct ward_doorbells *layout(const struct rig *rig, enum ward_doorbell_way way,
				     uint64_t page)
{
	const struct ward_machine *machine = rig->make.machine;
	struct ward_range frames[FRAMES];
	struct ward_doorbell_options options = { .size = sizeof(options),
						 .way = way,
						 .page_size = page,
						 .frames = frames,
						 .frames_count = machine->controllers_count };
	struct ward_doorbells *doorbells = NULL;

	assert_int_equal(machine->controllers_count, FRAMES);
	for (uint32_t i = 0; i < FRAMES; i++)
		frames[i] = machine->controllers[i].doorbells[0];
	assert_int_equal(ward_doorbells_create(&options, &doorbells), 0);
	return doorbells;
}

static void start(struct fixture *f, enum ward_doorbell_way way, uint64_t page)
{
	memset(f, 0, sizeof(*f));
	make_arm_v2m(&f->rig.make, page, FRAMES);
	root_port(&f->rig.make, "00:1c.0", 1, ACS_ON);
	endpoint(&f->rig.make, "01:00.0");
	rig_start(&f->rig);
	f->card = rig_open(&f->rig, CARD);
	f->space = rig_space(&f->rig, way == WARD_DOORBELL_DYNAMIC ? WARD_SPACE_DYNAMIC
								   : WARD_SPACE_UNMANAGED);
	f->doorbells = layout(&f->rig, way, page);
}

static void stop(struct fixture *f)
{
	ward_doorbells_destroy(f->doorbells);
	ward_device_close(f->card);
	ward_space_destroy(f->space);
	assert_int_equal(f->rig.misuses, 0);
	rig_end(&f->rig);
}

static struct ward_doorbell map(struct fixture *f, uint64_t pa, uint64_t gpa)
{
	struct ward_doorbell doorbell;

	assert_int_equal(ward_doorbell_map(f->doorbells, f->space, ward_pa(pa), ward_gpa(gpa),
					   &doorbell),
			 0);
	return doorbell;
}

static void attach(struct fixture *f)
{
	assert_int_equal(ward_device_attach(f->card, WARD_PASID_NONE, f->space), 0);
}

static struct ward_dma_result ring(struct fixture *f, uint64_t iova)
{
	uint32_t data = 80;

	return rig_dma(&f->rig, CARD, iova, true, &data, sizeof(data));
}

/* The frames that can be rung from input, by trying; input has whole pages of 4 KiB. */
static uint64_t rung_from(struct fixture *f, struct ward_range input)
{
	uint64_t frames = 0;

	for (uint64_t at = input.start; at < input.last; at += K4) {
		struct ward_dma_result result = ring(f, at + SETSPI);

		if (result.end == WARD_DMA_DOORBELL)
			frames |= UINT64_C(1) << result.index;
	}
	return frames;
}

/* Whether the device is there first or the doorbell; what is said of a page is what it rings. */
static void what_is_said_is_what_is_rung(void **state)
{
	static const struct {
		enum ward_doorbell_way way;
		uint64_t page, frames;
	} rows[] = {
		{ WARD_DOORBELL_WINDOW, K4, 0x2 },   { WARD_DOORBELL_WINDOW, K64, 0x7 },
		{ WARD_DOORBELL_IDENTITY, K4, 0x2 }, { WARD_DOORBELL_DYNAMIC, K4, 0x2 },
		{ WARD_DOORBELL_DYNAMIC, K64, 0x7 }, { WARD_DOORBELL_NESTED, K4, 0x2 },
		{ WARD_DOORBELL_NESTED, K64, 0x7 },
	};

	(void)state;
	for (unsigned int i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		bool attached_first = i & 1;
		struct ward_doorbell doorbell;
		struct ward_dma_result result;
		struct fixture f;

		start(&f, rows[i / 2].way, rows[i / 2].page);
		if (attached_first)
			attach(&f);
		doorbell = map(&f, FRAME + K4 + SETSPI, SEEN + K4 + SETSPI);
		if (!attached_first)
			attach(&f);
		result = ring(&f, ward_iova_raw(doorbell.iova));
		assert_int_equal(result.end, WARD_DMA_DOORBELL);
		assert_int_equal(result.index, 1);
		assert_true(doorbell.frames == rows[i / 2].frames);
		assert_true(rung_from(&f, doorbell.input) == doorbell.frames);
		assert_int_equal(ring(&f, doorbell.input.last + 1 + SETSPI).end, WARD_DMA_FAULT);
		assert_int_equal(ring(&f, doorbell.input.start - K4 + SETSPI).end, WARD_DMA_FAULT);
		stop(&f);
	}
}

static void nobody_reads_a_doorbell(void **state)
{
	struct ward_dma_result result;
	struct ward_doorbell doorbell;
	struct fixture f;
	uint32_t data;

	(void)state;
	start(&f, WARD_DOORBELL_WINDOW, K4);
	attach(&f);
	doorbell = map(&f, FRAME + SETSPI, 0);
	result = rig_dma(&f.rig, CARD, ward_iova_raw(doorbell.iova), false, &data, sizeof(data));
	assert_int_equal(result.end, WARD_DMA_FAULT);
	assert_int_equal(result.fault.reason, WARD_FAULT_PERMISSION);
	stop(&f);
}

/* Taking everything away leaves the doorbell, in the tables, too. */
static void unmap_all_leaves_it_in_the_tables(void **state)
{
	struct ward_doorbell doorbell;
	struct fixture f;

	(void)state;
	start(&f, WARD_DOORBELL_WINDOW, K4);
	attach(&f);
	assert_int_equal(rig_map(f.space, 0x7fff000, RAM), 0);
	assert_int_equal(rig_map(f.space, 0x8100000, RAM + K4), 0);
	doorbell = map(&f, FRAME + SETSPI, 0);
	assert_int_equal(rig_write(&f.rig, CARD, 0x7fff000), WARD_DMA_MEMORY);
	assert_int_equal(ward_space_unmap_all(f.space), 0);
	assert_int_equal(rig_write(&f.rig, CARD, 0x7fff000), WARD_DMA_FAULT);
	assert_int_equal(rig_write(&f.rig, CARD, 0x8100000), WARD_DMA_FAULT);
	assert_int_equal(ring(&f, ward_iova_raw(doorbell.iova)).end, WARD_DMA_DOORBELL);
	stop(&f);
}

/* The owner's page in the window: neither the function nor the doorbell comes in. */
static void the_window_has_to_be_free(void **state)
{
	struct ward_doorbell doorbell;
	struct fixture f;

	(void)state;
	start(&f, WARD_DOORBELL_WINDOW, K4);
	assert_int_equal(rig_map(f.space, 0x8010000, RAM), 0);
	assert_int_equal(ward_device_attach(f.card, WARD_PASID_NONE, f.space), -EADDRINUSE);
	assert_int_equal(ward_doorbell_map(f.doorbells, f.space, ward_pa(FRAME + SETSPI),
					   ward_gpa(0), &doorbell),
			 -EADDRINUSE);
	assert_int_equal(ward_space_unmap_all(f.space), 0);
	attach(&f);
	map(&f, FRAME + SETSPI, 0);
	assert_int_equal(rig_map(f.space, 0x8010000, RAM), -EINVAL);
	stop(&f);
}

static void put(struct fixture *f, uint64_t at, uint64_t value)
{
	assert_int_equal(ward_memory_write_u64(f->rig.memory, at, value), 0);
}

/* A guest's stage 1: 32 bits of input, 4 KiB; CHOSEN leads to SEEN. */
static void guest_tables(struct fixture *f)
{
	/* Arm IHI 0070 5.4: T0SZ 32, EPD1, V, IPS 48 bits, AA64, R, A, ASET. */
	put(f, CONTEXT, 0x20ull | 3ull << 30 | 5ull << 32 | 1ull << 41 | 7ull << 45);
	put(f, CONTEXT + 8, TABLES_OF_GUEST);
	put(f, CONTEXT + 24, 0xff);
	for (unsigned int level = 1; level < 3; level++)
		put(f, TABLES_OF_GUEST + (level - 1) * K4 + (CHOSEN >> (39 - 9 * level) & 511) * 8,
		    (TABLES_OF_GUEST + level * K4) | 3);
	put(f, TABLES_OF_GUEST + 2 * K4 + (CHOSEN >> 12 & 511) * 8, SEEN | PAGE_ENTRY);
}

/* The way of a guest's own message: its half, then ours, in the hardware's hands. */
static void nested_behind_an_smmu(void **state)
{
	struct ward_stage1 stage1 = {
		.kind = WARD_STAGE1_TABLES,
		.contexts = ward_gpa(CONTEXT),
		.features = { .output_bits = 48, .granules = WARD_GRANULE_4K, .stage1 = true },
	};
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = WARD_SPACE_NESTED,
					      .stage1 = &stage1 };
	const struct ward_mapping ram = { .start = ward_iova(RAM),
					  .last = ward_iova(RAM + RAM_SIZE - 1),
					  .target = ward_target(RAM),
					  .access = WARD_READ | WARD_WRITE,
					  .type = WARD_NORMAL };
	struct ward_dma_result result;
	struct ward_space *nested;
	struct fixture f;

	(void)state;
	start(&f, WARD_DOORBELL_NESTED, K4);
	guest_tables(&f);
	stage1.memory = f.rig.memory;
	options.parent = f.space;
	assert_int_equal(ward_space_map(f.space, &ram), 0);
	assert_int_equal(ward_backend_space(f.rig.backend, &options, &nested), 0);
	assert_int_equal(ward_device_attach(f.card, WARD_PASID_NONE, nested), 0);
	result = ring(&f, CHOSEN + SETSPI);
	assert_int_equal(result.end, WARD_DMA_FAULT);
	assert_int_equal(result.fault.stage, 2);
	assert_int_equal(result.fault.fault_class, WARD_CLASS_INPUT);
	assert_true(ward_gpa_raw(result.fault.gpa) >> 12 == SEEN >> 12);
	map(&f, FRAME + 2 * K4 + SETSPI, SEEN + SETSPI);
	result = ring(&f, CHOSEN + SETSPI);
	assert_int_equal(result.end, WARD_DMA_DOORBELL);
	assert_int_equal(result.index, 2);
	/* The host's own address, as the kernel would write it into the device. */
	assert_int_equal(ring(&f, WARD_SW_MSI_START + SETSPI).end, WARD_DMA_FAULT);
	assert_int_equal(ward_device_detach(f.card, WARD_PASID_NONE), 0);
	ward_space_destroy(nested);
	stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_is_what_is_rung),
		cmocka_unit_test(nobody_reads_a_doorbell),
		cmocka_unit_test(unmap_all_leaves_it_in_the_tables),
		cmocka_unit_test(the_window_has_to_be_free),
		cmocka_unit_test(nested_behind_an_smmu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A doorbell behind two stages, from the address that a guest's kernel chose to the physical
 * register: the guest maps 0xeeee0000 to its own ITS page, 0x80900000, in tables in its memory; we
 * map that page to the physical one, 0x20200000.
 */
#include <doorward/doorbell.h>
#include <doorward/memory.h>
#include <doorward/stage1.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define K4 0x1000u
#define K64 0x10000u
/* What the guest chose, what it sees, and what there is; and the offset of GITS_TRANSLATER. */
#define CHOSEN 0xeeee0000u
#define SEEN 0x80900000u
#define REAL 0x20200000u
#define REGISTER 0x40u

/* Guest memory, and where it keeps its context descriptor and tables. */
#define RAM 0x40000000u
#define RAM_SIZE 0x100000u
#define CONTEXT RAM
#define TABLES (RAM + 0x1000)
/* Where the guest's memory is in the host's. */
#define HOST_RAM 0x900000000u

/* Arm DDI 0487 D8.3: a page that is valid, accessible to devices, inner shareable. */
#define PAGE_ENTRY 0x743u
#define READ_ONLY 0x80u
/* Of MAIR: 0 normal write-back, 1 device nGnRnE. */
#define MAIR 0x00ffu
#define DEVICE_STRICTEST (1u << 2)

struct guest {
	struct ward_memory *memory;
	struct ward_space *stage2, *nested;
	uint64_t next_table;
};

static void put(const struct guest *guest, uint64_t gpa, uint64_t value)
{
	assert_int_equal(ward_memory_write_u64(guest->memory, gpa, value), 0);
}

static uint64_t get(const struct guest *guest, uint64_t gpa)
{
	uint64_t value;

	assert_int_equal(ward_memory_read_u64(guest->memory, gpa, &value), 0);
	return value;
}

/* As a guest's kernel does it: pages of 4 KiB, 32 bits of input, so tables begin at level 1. */
static void guest_maps(struct guest *guest, uint64_t iova, uint64_t gpa, uint64_t bits)
{
	uint64_t table = TABLES;

	for (unsigned int level = 1; level < 3; level++) {
		uint64_t at = table + (iova >> (39 - 9 * level) & 511) * 8;

		if (!get(guest, at)) {
			put(guest, at, guest->next_table | 3);
			guest->next_table += K4;
		}
		table = get(guest, at) & ~0xfffull;
	}
	put(guest, table + (iova >> 12 & 511) * 8, gpa | PAGE_ENTRY | bits);
}

static void start(struct guest *guest, uint64_t page)
{
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = WARD_SPACE_UNMANAGED,
					      .page_sizes = page };
	const struct ward_mapping ram = { .start = ward_iova(RAM),
					  .last = ward_iova(RAM + RAM_SIZE - 1),
					  .target = ward_target(HOST_RAM),
					  .access = WARD_READ | WARD_WRITE | WARD_EXEC,
					  .type = WARD_NORMAL };
	struct ward_stage1 stage1 = {
		.kind = WARD_STAGE1_TABLES,
		.contexts = ward_gpa(CONTEXT),
		.features = { .output_bits = 48, .granules = WARD_GRANULE_4K, .stage1 = true },
	};

	guest->next_table = TABLES + K4;
	assert_int_equal(ward_memory_create(&guest->memory), 0);
	assert_int_equal(ward_memory_add(guest->memory,
					 (struct ward_range){ RAM, RAM + RAM_SIZE - 1 }, 0, NULL),
			 0);
	/* IHI 0070 5.4: T0SZ 32, EPD1, V; IPS 48 bits, AA64, R, A, ASET. */
	put(guest, CONTEXT, 0x20ull | 3ull << 30 | 5ull << 32 | 1ull << 41 | 7ull << 45);
	put(guest, CONTEXT + 8, TABLES);
	put(guest, CONTEXT + 24, MAIR);
	assert_int_equal(ward_space_create(&options, &guest->stage2), 0);
	assert_int_equal(ward_space_map(guest->stage2, &ram), 0);
	stage1.memory = guest->memory;
	options = (struct ward_space_options){ .size = sizeof(options),
					       .kind = WARD_SPACE_NESTED,
					       .parent = guest->stage2,
					       .stage1 = &stage1 };
	assert_int_equal(ward_space_create(&options, &guest->nested), 0);
}

static void stop(struct guest *guest)
{
	ward_space_destroy(guest->nested);
	ward_space_destroy(guest->stage2);
	ward_memory_destroy(guest->memory);
}

static struct ward_doorbells *layout(enum ward_doorbell_way way, uint64_t page,
				     const struct ward_range *frames, uint32_t count)
{
	struct ward_doorbell_options options = { .size = sizeof(options),
						 .way = way,
						 .page_size = page,
						 .frames = frames,
						 .frames_count = count };
	struct ward_doorbells *doorbells = NULL;

	assert_int_equal(ward_doorbells_create(&options, &doorbells), 0);
	return doorbells;
}

static int walk(const struct guest *guest, uint64_t iova, uint32_t access,
		struct ward_translation *ret_translation, struct ward_fault *ret_fault)
{
	struct ward_translation translated;
	int code = ward_space_walk(guest->nested, WARD_PASID_NONE, ward_iova(iova), access, NULL,
				   NULL, ret_translation, ret_fault);

	/* Both ways to ask agree. */
	assert_int_equal(ward_space_translate(guest->nested, NULL, WARD_PASID_NONE, ward_iova(iova),
					      access, &translated, NULL),
			 code);
	if (!code)
		assert_true(ward_target_raw(translated.target) ==
			    ward_target_raw(ret_translation->target));
	return code;
}

static void rings(const struct guest *guest, uint64_t iova, uint64_t pa)
{
	struct ward_translation translation;
	struct ward_fault fault;

	if (walk(guest, iova, WARD_WRITE, &translation, &fault)) {
		char text[WARD_FAULT_TEXT];

		ward_fault_format(&fault, text, sizeof(text));
		fail_msg("%s", text);
	}
	assert_true(ward_target_raw(translation.target) == pa);
	assert_int_equal(translation.type, WARD_DEVICE_NGNRE);
	assert_int_equal(translation.access, WARD_WRITE);
}

static struct ward_fault faults(const struct guest *guest, uint64_t iova, uint32_t access,
				enum ward_fault_reason reason, uint8_t stage)
{
	struct ward_translation translation;
	struct ward_fault fault;

	assert_int_equal(walk(guest, iova, access, &translation, &fault), -EFAULT);
	assert_int_equal(fault.reason, reason);
	assert_int_equal(fault.stage, stage);
	assert_int_equal(fault.fault_class, WARD_CLASS_INPUT);
	assert_true(ward_iova_raw(fault.iova) == iova);
	return fault;
}

/* The guest's half alone: its stage 1 dangles. */
static void without_our_half_it_faults(void **state)
{
	char text[WARD_FAULT_TEXT];
	struct ward_fault fault;
	struct guest guest;
	ward_gpa_t gpa;

	(void)state;
	start(&guest, 0);
	faults(&guest, CHOSEN + REGISTER, WARD_WRITE, WARD_FAULT_TRANSLATION, 1);
	guest_maps(&guest, CHOSEN, SEEN, 0);
	fault = faults(&guest, CHOSEN + REGISTER, WARD_WRITE, WARD_FAULT_TRANSLATION, 2);
	assert_true(ward_gpa_raw(fault.gpa) == SEEN + REGISTER);
	ward_fault_format(&fault, text, sizeof(text));
	assert_non_null(strstr(text, "0xeeee0040"));
	assert_non_null(strstr(text, "0x80900040"));
	/* Even so it can be told which doorbell the guest means. */
	assert_int_equal(ward_space_stage1(guest.nested, WARD_PASID_NONE,
					   ward_iova(CHOSEN + REGISTER), WARD_WRITE, &gpa, NULL),
			 0);
	assert_true(ward_gpa_raw(gpa) == SEEN + REGISTER);
	stop(&guest);
}

static void both_halves_ring_the_doorbell(void **state)
{
	struct ward_doorbells *doorbells = layout(WARD_DOORBELL_NESTED, K4, NULL, 0);
	struct ward_doorbell doorbell;
	struct guest guest;

	(void)state;
	start(&guest, 0);
	assert_int_equal(ward_doorbell_map(doorbells, guest.stage2, ward_pa(REAL + REGISTER),
					   ward_gpa(SEEN + REGISTER), &doorbell),
			 0);
	assert_true(ward_iova_raw(doorbell.iova) == SEEN + REGISTER);
	/* Our half alone leads nowhere, since nobody comes by. */
	faults(&guest, CHOSEN + REGISTER, WARD_WRITE, WARD_FAULT_TRANSLATION, 1);
	guest_maps(&guest, CHOSEN, SEEN, 0);
	rings(&guest, CHOSEN + REGISTER, REAL + REGISTER);
	/* Nobody reads it, whatever the guest's tables allow. */
	faults(&guest, CHOSEN + REGISTER, WARD_READ, WARD_FAULT_PERMISSION, 2);
	/* The address in the message would be the kernel's: the guest does not map it. */
	faults(&guest, WARD_SW_MSI_START + REGISTER, WARD_WRITE, WARD_FAULT_TRANSLATION, 1);
	stop(&guest);
	ward_doorbells_destroy(doorbells);
}

/* The stricter of two types counts: ours over normal memory, the guest's over ours. */
static void a_guest_cannot_make_it_memory(void **state)
{
	struct ward_doorbells *doorbells = layout(WARD_DOORBELL_NESTED, K4, NULL, 0);
	struct ward_translation translation;
	struct ward_doorbell doorbell;
	struct guest guest;

	(void)state;
	start(&guest, 0);
	assert_int_equal(ward_doorbell_map(doorbells, guest.stage2, ward_pa(REAL + REGISTER),
					   ward_gpa(SEEN + REGISTER), &doorbell),
			 0);
	guest_maps(&guest, CHOSEN, SEEN, 0);
	guest_maps(&guest, CHOSEN + K4, SEEN, DEVICE_STRICTEST);
	guest_maps(&guest, CHOSEN + 2 * K4, SEEN, READ_ONLY);
	rings(&guest, CHOSEN + REGISTER, REAL + REGISTER);
	assert_int_equal(walk(&guest, CHOSEN + K4 + REGISTER, WARD_WRITE, &translation, NULL), 0);
	assert_int_equal(translation.type, WARD_DEVICE_NGNRNE);
	faults(&guest, CHOSEN + 2 * K4 + REGISTER, WARD_WRITE, WARD_FAULT_PERMISSION, 1);
	stop(&guest);
	ward_doorbells_destroy(doorbells);
}

struct steps {
	struct ward_walk_step step[32];
	unsigned int count;
};

static void remember(void *context, const struct ward_walk_step *step)
{
	struct steps *steps = context;

	assert_true(steps->count < 32);
	steps->step[steps->count++] = *step;
}

/* What is told of the way: the context, three levels of the guest's, and at the end our page. */
static void the_walk_tells_its_steps(void **state)
{
	struct ward_doorbells *doorbells = layout(WARD_DOORBELL_NESTED, K4, NULL, 0);
	struct steps steps = { .count = 0 };
	unsigned int contexts = 0, level = 1;
	const struct ward_walk_step *last;
	struct ward_translation translation;
	struct ward_doorbell doorbell;
	struct guest guest;

	(void)state;
	start(&guest, 0);
	guest_maps(&guest, CHOSEN, SEEN, 0);
	assert_int_equal(ward_doorbell_map(doorbells, guest.stage2, ward_pa(REAL + REGISTER),
					   ward_gpa(SEEN + REGISTER), &doorbell),
			 0);
	assert_int_equal(ward_space_walk(guest.nested, WARD_PASID_NONE,
					 ward_iova(CHOSEN + REGISTER), WARD_WRITE, remember, &steps,
					 &translation, NULL),
			 0);
	for (unsigned int i = 0; i < steps.count; i++) {
		contexts += steps.step[i].stage == 0 && steps.step[i].entry_at == CONTEXT;
		if (steps.step[i].stage == 1)
			assert_int_equal(steps.step[i].level, (int)level++);
	}
	assert_int_equal(contexts, 1);
	assert_int_equal(level, 4);
	last = &steps.step[steps.count - 1];
	assert_int_equal(last->stage, 2);
	assert_true(last->input == SEEN + REGISTER);
	assert_true(last->output == REAL + REGISTER);
	stop(&guest);
	ward_doorbells_destroy(doorbells);
}

/* The window, told to the guest: it maps it to itself, and the host's addresses pass unchanged. */
static void identity_window(void **state)
{
	struct ward_doorbells *doorbells = layout(WARD_DOORBELL_IDENTITY, K4, NULL, 0);
	struct ward_doorbell first, second;
	struct ward_reserved told;
	struct guest guest;

	(void)state;
	start(&guest, 0);
	assert_true(ward_doorbells_reserved(doorbells, &told));
	assert_int_equal(told.kind, WARD_REGION_DIRECT);
	for (uint64_t at = told.range.start; at < told.range.last; at += K4)
		guest_maps(&guest, at, at, 0);
	assert_int_equal(ward_doorbell_map(doorbells, guest.stage2, ward_pa(REAL + REGISTER),
					   ward_gpa(0), &first),
			 0);
	assert_int_equal(ward_doorbell_map(doorbells, guest.stage2, ward_pa(0x30300040),
					   ward_gpa(0), &second),
			 0);
	rings(&guest, ward_iova_raw(first.iova), REAL + REGISTER);
	rings(&guest, ward_iova_raw(second.iova), 0x30300040);
	/* The rest of the window leads nowhere, and what the guest maps for itself dangles. */
	faults(&guest, told.range.last, WARD_WRITE, WARD_FAULT_TRANSLATION, 2);
	guest_maps(&guest, CHOSEN, SEEN, 0);
	faults(&guest, CHOSEN + REGISTER, WARD_WRITE, WARD_FAULT_TRANSLATION, 2);
	stop(&guest);
	ward_doorbells_destroy(doorbells);
}

/* The window as the kernel has it, and a guest whose ITS lies so that its page is the first. */
static void an_its_placed_under_the_window(void **state)
{
	struct ward_doorbells *doorbells = layout(WARD_DOORBELL_WINDOW, K64, NULL, 0);
	const uint64_t its = 0x7ff0000, page = its + 0x10000;
	struct ward_doorbell doorbell;
	struct guest guest;

	(void)state;
	start(&guest, K64);
	assert_int_equal(ward_doorbell_map(doorbells, guest.stage2, ward_pa(REAL + REGISTER),
					   ward_gpa(0), &doorbell),
			 0);
	assert_true(ward_iova_raw(doorbell.iova) == page + REGISTER);
	guest_maps(&guest, CHOSEN, page, 0);
	rings(&guest, CHOSEN + REGISTER, REAL + REGISTER);
	stop(&guest);
	ward_doorbells_destroy(doorbells);
}

/* Pages of 64 KiB in stage 2: small pages in stage 1 do not keep the guest from the neighbours. */
static void a_large_page_below_small_ones(void **state)
{
	static const struct ward_range frames[] = {
		{ REAL, REAL + 0xfff },
		{ REAL + 0x1000, REAL + 0x1fff },
		{ REAL + 0x10000, REAL + 0x10fff },
	};
	struct ward_doorbells *doorbells = layout(WARD_DOORBELL_NESTED, K64, frames, 3);
	struct ward_doorbell doorbell;
	struct guest guest;

	(void)state;
	start(&guest, K64);
	assert_int_equal(ward_doorbell_map(doorbells, guest.stage2, ward_pa(REAL + REGISTER),
					   ward_gpa(SEEN + REGISTER), &doorbell),
			 0);
	assert_true(doorbell.frames == 3);
	guest_maps(&guest, CHOSEN, SEEN + K4, 0);
	rings(&guest, CHOSEN + REGISTER, REAL + K4 + REGISTER);
	guest_maps(&guest, CHOSEN, SEEN + K64, 0);
	faults(&guest, CHOSEN + REGISTER, WARD_WRITE, WARD_FAULT_TRANSLATION, 2);
	stop(&guest);
	ward_doorbells_destroy(doorbells);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_our_half_it_faults),
		cmocka_unit_test(both_halves_ring_the_doorbell),
		cmocka_unit_test(a_guest_cannot_make_it_memory),
		cmocka_unit_test(the_walk_tells_its_steps),
		cmocka_unit_test(identity_window),
		cmocka_unit_test(an_its_placed_under_the_window),
		cmocka_unit_test(a_large_page_below_small_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

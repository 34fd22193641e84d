// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Doorbells: every way they come into a space, what a page drags in, and who may not touch them. */
#include <doorward/backend/interface.h>
#include <doorward/doorbell.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/fault.h"
#include "sweep.h"

#define K4 0x1000u
#define K64 0x10000u
/* Bases as on QEMU's virt machine: frames of a GICv2m, an ITS; the page of GITS_TRANSLATER. */
#define FRAME 0x8020000u
#define SETSPI 0x40u
#define ITS 0x8080000u
#define ITS_TRANSLATER_PAGE 0x10000u
#define TRANSLATER 0x40u
/* GICD_SETSPI_NSR, or its alias, for message-based interrupts (MBI) of a GICv3. */
#define MBI 0x8000000u

static struct ward_doorbells *layout_of(enum ward_doorbell_way way, uint64_t page,
					struct ward_range window, const struct ward_range *frames,
					uint32_t count)
{
	struct ward_doorbell_options options = { .size = sizeof(options),
						 .way = way,
						 .page_size = page,
						 .window = window,
						 .frames = frames,
						 .frames_count = count };
	struct ward_doorbells *doorbells = NULL;

	assert_int_equal(ward_doorbells_create(&options, &doorbells), 0);
	return doorbells;
}

static struct ward_doorbells *layout(enum ward_doorbell_way way, uint64_t page)
{
	return layout_of(way, page, (struct ward_range){ 0, 0 }, NULL, 0);
}

static struct ward_space *space_of(enum ward_space_kind kind, uint64_t page)
{
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = kind,
					      .page_sizes = page };
	struct ward_space *space = NULL;

	assert_int_equal(ward_space_create(&options, &space), 0);
	return space;
}

static struct ward_doorbell map_to(struct ward_doorbells *doorbells, struct ward_space *space,
				   uint64_t pa, uint64_t gpa)
{
	struct ward_doorbell doorbell;

	memset(&doorbell, 0x5a, sizeof(doorbell));
	assert_int_equal(ward_doorbell_map(doorbells, space, ward_pa(pa), ward_gpa(gpa), &doorbell),
			 0);
	return doorbell;
}

static struct ward_doorbell map(struct ward_doorbells *doorbells, struct ward_space *space,
				uint64_t pa)
{
	return map_to(doorbells, space, pa, 0);
}

/* Refused with this code, and no output written. */
static void refused(struct ward_doorbells *doorbells, struct ward_space *space, uint64_t pa,
		    uint64_t gpa, int code)
{
	struct ward_doorbell doorbell, before;

	memset(&doorbell, 0x5a, sizeof(doorbell));
	memcpy(&before, &doorbell, sizeof(before));
	assert_int_equal(ward_doorbell_map(doorbells, space, ward_pa(pa), ward_gpa(gpa), &doorbell),
			 code);
	assert_memory_equal(&doorbell, &before, sizeof(before));
}

static int user_map(struct ward_space *space, uint64_t start, uint64_t length, uint64_t target)
{
	const struct ward_mapping mapping = { .start = ward_iova(start),
					      .last = ward_iova(start + (length - 1)),
					      .target = ward_target(target),
					      .access = WARD_READ | WARD_WRITE,
					      .type = WARD_NORMAL };

	return ward_space_map(space, &mapping);
}

/* Where a write ends; UINT64_MAX: in a fault. */
static uint64_t write_to(const struct ward_space *space, uint64_t iova)
{
	struct ward_translation translation;

	if (ward_space_translate(space, NULL, WARD_PASID_NONE, ward_iova(iova), WARD_WRITE,
				 &translation, NULL))
		return UINT64_MAX;
	return ward_target_raw(translation.target);
}

static void is_range(struct ward_range range, uint64_t start, uint64_t last)
{
	if (range.start != start || range.last != last)
		fail_msg("%#jx-%#jx, and not %#jx-%#jx", (uintmax_t)range.start,
			 (uintmax_t)range.last, (uintmax_t)start, (uintmax_t)last);
}

/* IOMMU off: the address is the register's own, and all doorbells of the machine are open. */
static void physical(void **state)
{
	static const struct ward_range frames[] = { { FRAME, FRAME + 0xfff },
						    { 0xfee00000, 0xfeefffff } };
	struct ward_doorbells *doorbells =
		layout_of(WARD_DOORBELL_PHYSICAL, 0, (struct ward_range){ 0, 0 }, frames, 2);
	struct ward_space *identity = space_of(WARD_SPACE_IDENTITY, 0);
	struct ward_space *unmanaged = space_of(WARD_SPACE_UNMANAGED, 0);
	struct ward_reserved reserved;
	struct ward_doorbell doorbell = map(doorbells, NULL, 0x20200040);

	(void)state;
	assert_true(ward_iova_raw(doorbell.iova) == 0x20200040);
	is_range(doorbell.input, 0, UINT64_MAX);
	is_range(doorbell.reached, 0, UINT64_MAX);
	assert_true(doorbell.frames == 3);
	doorbell = map(doorbells, identity, 0x20200040);
	assert_true(ward_iova_raw(doorbell.iova) == 0x20200040);
	refused(doorbells, unmanaged, 0x20200040, 0, -EINVAL);
	assert_false(ward_doorbells_reserved(doorbells, &reserved));
	ward_space_destroy(identity);
	ward_space_destroy(unmanaged);
	ward_doorbells_destroy(doorbells);
}

static void window_is_filled_in_order(void **state)
{
	struct ward_doorbells *doorbells = layout(WARD_DOORBELL_WINDOW, K4);
	struct ward_space *space = space_of(WARD_SPACE_UNMANAGED, 0);
	struct ward_translation translation;
	struct ward_doorbell first, second, again;

	(void)state;
	first = map(doorbells, space, 0x20200040);
	second = map(doorbells, space, FRAME + SETSPI);
	again = map(doorbells, space, 0x20200044);
	assert_true(ward_iova_raw(first.iova) == 0x8000040);
	assert_int_equal(first.index, 0);
	is_range(first.input, 0x8000000, 0x8000fff);
	is_range(first.reached, 0x20200000, 0x20200fff);
	assert_true(ward_iova_raw(second.iova) == 0x8001040);
	assert_int_equal(second.index, 1);
	/* The same page, another register. */
	assert_true(ward_iova_raw(again.iova) == 0x8000044);
	assert_int_equal(again.index, 0);
	assert_int_equal(ward_space_translate(space, NULL, WARD_PASID_NONE, first.iova, WARD_WRITE,
					      &translation, NULL),
			 0);
	assert_true(ward_target_raw(translation.target) == 0x20200040);
	assert_int_equal(translation.access, WARD_WRITE);
	assert_int_equal(translation.type, WARD_DEVICE_NGNRE);
	assert_int_equal(ward_space_translate(space, NULL, WARD_PASID_NONE, first.iova, WARD_READ,
					      &translation, NULL),
			 -EFAULT);
	ward_space_destroy(space);
	ward_doorbells_destroy(doorbells);
}

/* One layout for all spaces of a context: who comes second finds the page where it is. */
static void window_is_one_for_all_spaces(void **state)
{
	struct ward_doorbells *doorbells = layout(WARD_DOORBELL_WINDOW, K4);
	struct ward_space *a = space_of(WARD_SPACE_UNMANAGED, 0);
	struct ward_space *b = space_of(WARD_SPACE_DYNAMIC, 0);

	(void)state;
	assert_int_equal(map(doorbells, a, 0x20200040).index, 0);
	assert_int_equal(map(doorbells, a, 0x30300040).index, 1);
	assert_int_equal(map(doorbells, b, 0x30300040).index, 1);
	assert_true(write_to(b, 0x8001040) == 0x30300040);
	/* What b has not met it cannot reach. */
	assert_true(write_to(b, 0x8000040) == UINT64_MAX);
	assert_int_equal(map(doorbells, b, 0x40400040).index, 2);
	assert_int_equal(map(doorbells, a, 0x40400040).index, 2);
	assert_int_equal(map(doorbells, b, 0x20200040).index, 0);
	assert_true(write_to(b, 0x8000040) == 0x20200040);
	ward_space_destroy(a);
	ward_space_destroy(b);
	ward_doorbells_destroy(doorbells);
}

static void window_has_its_limits(void **state)
{
	struct ward_doorbells *small = layout(WARD_DOORBELL_WINDOW, K4);
	struct ward_doorbells *large = layout(WARD_DOORBELL_WINDOW, K64);
	struct ward_space *a = space_of(WARD_SPACE_UNMANAGED, 0);
	struct ward_space *b = space_of(WARD_SPACE_UNMANAGED, 0);

	(void)state;
	for (uint32_t i = 0; i < 64; i++)
		assert_int_equal(map(small, a, 0x20200040 + i * 0x100000ull).index, i);
	refused(small, a, 0x40000040, 0, -ENOSPC);
	assert_int_equal(map(small, a, 0x20300040).index, 1);
	/* Pages of 64 KiB fill the window of 1 MiB sooner. */
	for (uint32_t i = 0; i < 16; i++)
		assert_int_equal(map(large, b, 0x20200040 + i * 0x100000ull).index, i);
	refused(large, b, 0x40000040, 0, -ENOSPC);
	ward_space_destroy(a);
	ward_space_destroy(b);
	ward_doorbells_destroy(small);
	ward_doorbells_destroy(large);
}

/* A place in the window is taken by a page that was mapped, not by one that was asked for. */
static void a_refusal_takes_no_place(void **state)
{
	struct ward_doorbells *doorbells = layout(WARD_DOORBELL_WINDOW, K4);
	struct ward_space *taken = space_of(WARD_SPACE_UNMANAGED, 0);
	struct ward_space *space = space_of(WARD_SPACE_UNMANAGED, 0);
	struct ward_reserved reserved;
	uint32_t cursor = 0;

	(void)state;
	assert_int_equal(user_map(taken, 0x80ff000, K4, 0x1000), 0);
	refused(doorbells, taken, 0x20200040, 0, -EADDRINUSE);
	assert_false(ward_space_reserved_next(taken, &cursor, &reserved));
	assert_int_equal(map(doorbells, space, 0x30300040).index, 0);
	/* Once the user has gone the window can be had. */
	assert_int_equal(ward_space_unmap_all(taken), 0);
	assert_int_equal(map(doorbells, taken, 0x20200040).index, 1);
	assert_int_equal(user_map(taken, 0x80ff000, K4, 0x1000), -EINVAL);
	assert_int_equal(user_map(taken, 0x8100000, K4, 0x1000), 0);
	ward_space_destroy(taken);
	ward_space_destroy(space);
	ward_doorbells_destroy(doorbells);
}

/* Two layouts in one space want the same page for different doorbells. */
static void layouts_do_not_mix(void **state)
{
	struct ward_doorbells *one = layout(WARD_DOORBELL_WINDOW, K4);
	struct ward_doorbells *other = layout(WARD_DOORBELL_WINDOW, K4);
	struct ward_doorbells *coarse = layout(WARD_DOORBELL_WINDOW, K64);
	struct ward_space *space = space_of(WARD_SPACE_UNMANAGED, 0);

	(void)state;
	map(one, space, 0x20200040);
	refused(other, space, 0x30300040, 0, -EEXIST);
	refused(coarse, space, 0x20200040, 0, -EEXIST);
	assert_int_equal(map(other, space, 0x20200040).index, 0);
	ward_space_destroy(space);
	ward_doorbells_destroy(one);
	ward_doorbells_destroy(other);
	ward_doorbells_destroy(coarse);
}

static void windows_are_told(void **state)
{
	struct ward_doorbells *window = layout(WARD_DOORBELL_WINDOW, K4);
	struct ward_doorbells *identity =
		layout_of(WARD_DOORBELL_IDENTITY, K4, (struct ward_range){ 0x10000000, 0x1000ffff },
			  NULL, 0);
	struct ward_doorbells *nested = layout(WARD_DOORBELL_NESTED, K4);
	struct ward_reserved reserved;

	(void)state;
	assert_true(ward_doorbells_reserved(window, &reserved));
	is_range(reserved.range, 0x8000000, 0x80fffff);
	assert_int_equal(reserved.kind, WARD_REGION_SW_MSI);
	assert_true(ward_doorbells_reserved(identity, &reserved));
	is_range(reserved.range, 0x10000000, 0x1000ffff);
	assert_int_equal(reserved.kind, WARD_REGION_DIRECT);
	assert_false(ward_doorbells_reserved(nested, &reserved));
	ward_doorbells_destroy(window);
	ward_doorbells_destroy(identity);
	ward_doorbells_destroy(nested);
}

/* A kernel's own domain: from the top, below 4 GiB as long as there is room. */
static void dynamic_from_the_top(void **state)
{
	struct ward_doorbells *doorbells = layout(WARD_DOORBELL_DYNAMIC, K64);
	struct ward_space *space = space_of(WARD_SPACE_DYNAMIC, 0);
	struct ward_space *other = space_of(WARD_SPACE_DYNAMIC, 0);
	struct ward_space *unmanaged = space_of(WARD_SPACE_UNMANAGED, 0);
	struct ward_doorbell first, again, second;

	(void)state;
	first = map(doorbells, space, 0x20200040);
	assert_true(ward_iova_raw(first.iova) == 0xffff0040);
	is_range(first.input, 0xffff0000, 0xffffffff);
	assert_true(write_to(space, 0xffff0040) == 0x20200040);
	again = map(doorbells, space, 0x20200044);
	assert_true(ward_iova_raw(again.iova) == 0xffff0044);
	assert_int_equal(user_map(space, 0xfffe0000, K64, 0x1000), 0);
	second = map(doorbells, space, 0x30300040);
	assert_true(ward_iova_raw(second.iova) == 0xfffd0040);
	/* Nobody else can map there, and every space has its own addresses. */
	assert_int_equal(user_map(space, 0xffff0000, K4, 0x1000), -EINVAL);
	assert_true(ward_iova_raw(map(doorbells, other, 0x30300040).iova) == 0xffff0040);
	refused(doorbells, unmanaged, 0x20200040, 0, -EINVAL);
	ward_space_destroy(space);
	ward_space_destroy(other);
	ward_space_destroy(unmanaged);
	ward_doorbells_destroy(doorbells);
}

/* Pages of another layout count as other pages when they have another size. */
static void dynamic_with_two_page_sizes(void **state)
{
	struct ward_doorbells *coarse = layout(WARD_DOORBELL_DYNAMIC, K64);
	struct ward_doorbells *fine = layout(WARD_DOORBELL_DYNAMIC, K4);
	struct ward_space *space = space_of(WARD_SPACE_DYNAMIC, 0);

	(void)state;
	assert_true(ward_iova_raw(map(coarse, space, 0x20200040).iova) == 0xffff0040);
	assert_true(ward_iova_raw(map(fine, space, 0x20200040).iova) == 0xfffef040);
	assert_true(ward_iova_raw(map(coarse, space, 0x20201040).iova) == 0xffff1040);
	assert_true(ward_iova_raw(map(fine, space, 0x20200044).iova) == 0xfffef044);
	ward_space_destroy(space);
	ward_doorbells_destroy(coarse);
	ward_doorbells_destroy(fine);
}

static void dynamic_above_4g_when_full(void **state)
{
	struct ward_doorbells *doorbells = layout(WARD_DOORBELL_DYNAMIC, K4);
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = WARD_SPACE_DYNAMIC,
					      .aperture = { 0, 0x1ffffffff } };
	struct ward_space *space;

	(void)state;
	assert_int_equal(ward_space_create(&options, &space), 0);
	assert_int_equal(user_map(space, 0, 0x100000000, 0), 0);
	assert_true(ward_iova_raw(map(doorbells, space, 0x20200040).iova) == 0x1fffff040);
	assert_int_equal(user_map(space, 0x100000000, 0xfffff000, 0), 0);
	refused(doorbells, space, 0x30300040, 0, -ENOSPC);
	ward_space_destroy(space);
	ward_doorbells_destroy(doorbells);
}

/* The guest chose the address: its own ITS page in stage 2 becomes the physical one. */
static void nested_stage2(void **state)
{
	struct ward_doorbells *doorbells = layout(WARD_DOORBELL_NESTED, K64);
	struct ward_space *stage2 = space_of(WARD_SPACE_UNMANAGED, 0);
	struct ward_doorbell doorbell;

	(void)state;
	doorbell = map_to(doorbells, stage2, 0x20200040, 0x80900040);
	assert_true(ward_iova_raw(doorbell.iova) == 0x80900040);
	is_range(doorbell.input, 0x80900000, 0x8090ffff);
	is_range(doorbell.reached, 0x20200000, 0x2020ffff);
	assert_true(write_to(stage2, 0x80900040) == 0x20200040);
	map_to(doorbells, stage2, 0x20200040, 0x80900040);
	/* Another register behind the same page of the guest; an offset that pages cannot keep. */
	refused(doorbells, stage2, 0x30300040, 0x80900040, -EEXIST);
	refused(doorbells, stage2, 0x30300040, 0x80a00080, -EINVAL);
	refused(doorbells, stage2, 0x30304040, 0x80a00040, -EINVAL);
	/* The guest's memory is not there, and does not come there later. */
	assert_int_equal(user_map(stage2, 0x80900000, K64, 0x1000), -EINVAL);
	assert_int_equal(user_map(stage2, 0x40000000, 0x100000, 0x1000), 0);
	refused(doorbells, stage2, 0x30300040, 0x40000040, -EADDRINUSE);
	ward_space_destroy(stage2);
	ward_doorbells_destroy(doorbells);
}

/* The window lies in stage 2, where a guest that maps it to itself finds it. */
static void identity_window(void **state)
{
	struct ward_doorbells *doorbells = layout(WARD_DOORBELL_IDENTITY, K4);
	struct ward_space *stage2 = space_of(WARD_SPACE_UNMANAGED, 0);

	(void)state;
	assert_true(ward_iova_raw(map(doorbells, stage2, 0x20200040).iova) == 0x8000040);
	assert_true(ward_iova_raw(map(doorbells, stage2, 0x30300040).iova) == 0x8001040);
	assert_true(write_to(stage2, 0x8001040) == 0x30300040);
	ward_space_destroy(stage2);
	ward_doorbells_destroy(doorbells);
}

/* A whole page is mapped, whatever else is in it. */
static void a_page_drags_its_neighbours_in(void **state)
{
	static const struct ward_range frames[] = {
		{ FRAME, FRAME + 0xfff },
		{ FRAME + 0x1000, FRAME + 0x1fff },
		{ FRAME + 0xf000, FRAME + 0xffff },
		{ FRAME + 0x10000, FRAME + 0x10fff },
		{ MBI, MBI + 0xffff },
		/* Reaches into the page with its last byte. */
		{ FRAME - 0x10000, FRAME },
	};
	struct ward_doorbells *fine =
		layout_of(WARD_DOORBELL_WINDOW, K4, (struct ward_range){ 0, 0 }, frames, 6);
	struct ward_doorbells *coarse =
		layout_of(WARD_DOORBELL_WINDOW, K64, (struct ward_range){ 0, 0 }, frames, 6);
	struct ward_space *a = space_of(WARD_SPACE_UNMANAGED, 0);
	struct ward_space *b = space_of(WARD_SPACE_UNMANAGED, K64);
	struct ward_doorbell doorbell;

	(void)state;
	doorbell = map(fine, a, FRAME + 0x1000 + SETSPI);
	assert_true(doorbell.frames == 0x2);
	assert_true(write_to(a, 0x8000000) == FRAME + 0x1000);
	assert_true(write_to(a, 0x8001000) == UINT64_MAX);
	doorbell = map(coarse, b, FRAME + 0x1000 + SETSPI);
	assert_true(doorbell.frames == 0x27);
	is_range(doorbell.reached, FRAME, FRAME + 0xffff);
	assert_true(ward_iova_raw(doorbell.iova) == 0x8001040);
	/* It is not only said: the neighbour can be rung. */
	assert_true(write_to(b, 0x800f040) == FRAME + 0xf000 + SETSPI);
	assert_true(map(coarse, b, MBI + SETSPI).frames == 0x10);
	ward_space_destroy(a);
	ward_space_destroy(b);
	ward_doorbells_destroy(fine);
	ward_doorbells_destroy(coarse);
}

/* GITS_TRANSLATER is alone in the second 64 KiB of an ITS: its control page stays out of reach. */
static void an_its_keeps_its_control_page(void **state)
{
	static const struct ward_range frames[] = {
		{ ITS + ITS_TRANSLATER_PAGE, ITS + ITS_TRANSLATER_PAGE + 0xffff },
	};
	struct ward_doorbells *doorbells =
		layout_of(WARD_DOORBELL_WINDOW, K64, (struct ward_range){ 0, 0 }, frames, 1);
	struct ward_space *space = space_of(WARD_SPACE_UNMANAGED, K64);
	struct ward_doorbell doorbell;

	(void)state;
	doorbell = map(doorbells, space, ITS + ITS_TRANSLATER_PAGE + TRANSLATER);
	assert_true(doorbell.frames == 1);
	is_range(doorbell.reached, 0x8090000, 0x809ffff);
	assert_true(write_to(space, 0x8000040) == 0x8090040);
	assert_true(write_to(space, 0x8010000) == UINT64_MAX);
	ward_space_destroy(space);
	ward_doorbells_destroy(doorbells);
}

/* Doorbells are the library's: what the owner takes away is what the owner has put there. */
static void unmap_leaves_doorbells(void **state)
{
	struct ward_doorbells *doorbells = layout(WARD_DOORBELL_WINDOW, K4);
	struct ward_space *space = space_of(WARD_SPACE_UNMANAGED, 0);
	struct ward_space_info info;
	uint64_t bytes = 7;

	(void)state;
	map(doorbells, space, 0x20200040);
	map(doorbells, space, 0x30300040);
	assert_int_equal(ward_space_unmap(space, ward_iova(0x8000000), ward_iova(0x8000fff), 0,
					  &bytes),
			 -ENOENT);
	assert_int_equal(ward_space_unmap(space, ward_iova(0x8000000), ward_iova(0x80fffff),
					  WARD_UNMAP_SPLIT, &bytes),
			 -ENOENT);
	assert_int_equal(bytes, 7);
	assert_int_equal(user_map(space, 0x7fff000, K4, 0x1000), 0);
	assert_int_equal(user_map(space, 0x8100000, 2 * K4, 0x2000), 0);
	/* Across the window, with a mapping that would be split. */
	assert_int_equal(ward_space_unmap(space, ward_iova(0x7000000), ward_iova(0x8100fff), 0,
					  &bytes),
			 -EINVAL);
	assert_true(write_to(space, 0x7fff000) == 0x1000);
	assert_int_equal(ward_space_unmap(space, ward_iova(0x7000000), ward_iova(0x8100fff),
					  WARD_UNMAP_SPLIT, &bytes),
			 0);
	assert_int_equal(bytes, 2 * K4);
	assert_true(write_to(space, 0x7fff000) == UINT64_MAX);
	assert_true(write_to(space, 0x8100000) == UINT64_MAX);
	assert_true(write_to(space, 0x8101000) == 0x3000);
	assert_true(write_to(space, 0x8000040) == 0x20200040);
	assert_int_equal(ward_space_unmap_all(space), 0);
	assert_int_equal(ward_space_unmap_all(space), 0);
	assert_true(write_to(space, 0x8101000) == UINT64_MAX);
	assert_true(write_to(space, 0x8000040) == 0x20200040);
	assert_true(write_to(space, 0x8001040) == 0x30300040);
	ward_space_info(space, &info);
	assert_int_equal(info.mappings, 2);
	ward_doorbells_destroy(doorbells);
	assert_true(write_to(space, 0x8001040) == 0x30300040);
	ward_space_destroy(space);
}

static void wrong_options(void **state)
{
	static const struct ward_range empty = { 1, 0 }, one = { 0, 0 };
	const struct ward_doorbell_options good = { .size = sizeof(good),
						    .way = WARD_DOORBELL_WINDOW,
						    .page_size = K4 };
	struct ward_doorbell_options bad[11];
	struct ward_doorbells *doorbells = NULL;

	(void)state;
	for (size_t i = 0; i < 11; i++)
		bad[i] = good;
	bad[0].size--;
	bad[1].way = (enum ward_doorbell_way)5;
	bad[2].page_size = 0;
	bad[3].page_size = 0x800;
	bad[4].page_size = 0x3000;
	bad[5].page_size = 0x200000; /* larger than the window */
	bad[6].window = (struct ward_range){ 0x1000, 0x17ff };
	bad[7].window = (struct ward_range){ 0x1800, 0x1fff };
	bad[8].frames_count = 1;
	bad[9].frames_count = 65;
	bad[9].frames = &one;
	bad[10].frames_count = 1;
	bad[10].frames = &empty;
	for (size_t i = 0; i < 11; i++) {
		assert_int_equal(ward_doorbells_create(&bad[i], &doorbells), -EINVAL);
		assert_null(doorbells);
	}
	ward_doorbells_destroy(NULL);
}

static void wrong_spaces(void **state)
{
	struct ward_doorbells *doorbells = layout(WARD_DOORBELL_WINDOW, K4);
	struct ward_space *blocked = space_of(WARD_SPACE_BLOCKED, 0);
	struct ward_space *identity = space_of(WARD_SPACE_IDENTITY, 0);
	struct ward_space *coarse = space_of(WARD_SPACE_UNMANAGED, K64);
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = WARD_SPACE_UNMANAGED,
					      .aperture = { 0, 0x7ffffff } };
	struct ward_space *low;

	(void)state;
	assert_int_equal(ward_space_create(&options, &low), 0);
	refused(doorbells, NULL, 0x20200040, 0, -EINVAL);
	refused(doorbells, blocked, 0x20200040, 0, -EINVAL);
	refused(doorbells, identity, 0x20200040, 0, -EINVAL);
	refused(doorbells, coarse, 0x20200040, 0, -EINVAL);
	refused(doorbells, low, 0x20200040, 0, -EINVAL);
	ward_space_destroy(blocked);
	ward_space_destroy(identity);
	ward_space_destroy(coarse);
	ward_space_destroy(low);
	ward_doorbells_destroy(doorbells);
}

/* A backend that has no write-only pages, and may refuse. */
struct backing {
	uint32_t access[4];
	unsigned int maps, unmaps;
	bool no_reserve;
};

static int backing_map(void *context, const struct ward_mapping *mapping)
{
	struct backing *backing = context;

	if (!(mapping->access & WARD_READ))
		return -EOPNOTSUPP;
	backing->access[backing->maps++ % 4] = mapping->access;
	return 0;
}

static int backing_unmap(void *context, struct ward_range range, bool split)
{
	struct backing *backing = context;

	(void)range;
	(void)split;
	backing->unmaps++;
	return 0;
}

static int backing_reserve(void *context, const struct ward_reserved *reserved, size_t count)
{
	struct backing *backing = context;

	(void)reserved;
	(void)count;
	return backing->no_reserve ? -EIO : 0;
}

static void backends_have_a_say(void **state)
{
	static const struct ward_space_ops ops = { .map = backing_map,
						   .unmap = backing_unmap,
						   .reserve = backing_reserve };
	static const struct ward_space_ops kernel_ops = { .map = backing_map,
							  .unmap = backing_unmap,
							  .has_doorbells = true };
	struct backing backing = { .no_reserve = true };
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = WARD_SPACE_UNMANAGED,
					      .ops = &ops,
					      .backing = &backing };
	struct ward_doorbells *doorbells = layout(WARD_DOORBELL_WINDOW, K4);
	struct ward_space *space;
	struct ward_space_info info;

	(void)state;
	assert_int_equal(ward_space_create(&options, &space), 0);
	refused(doorbells, space, 0x20200040, 0, -EIO);
	assert_int_equal(backing.maps, 1);
	assert_int_equal(backing.unmaps, 1);
	ward_space_info(space, &info);
	assert_int_equal(info.mappings, 0);
	backing.no_reserve = false;
	map(doorbells, space, 0x20200040);
	assert_int_equal(backing.access[1], WARD_READ | WARD_WRITE);
	assert_int_equal(backing.maps, 2);
	map(doorbells, space, 0x20200040);
	assert_int_equal(backing.maps, 2);
	ward_space_destroy(space);
	/* As the kernel does: the address of the page would mean another thing there. */
	options.ops = &kernel_ops;
	assert_int_equal(ward_space_create(&options, &space), 0);
	refused(doorbells, space, 0x20200040, 0, -EOPNOTSUPP);
	assert_int_equal(backing.maps, 2);
	ward_space_destroy(space);
	ward_doorbells_destroy(doorbells);
}

static int make_and_map(void *context)
{
	static const struct ward_range frame = { FRAME, FRAME + 0xfff };
	struct ward_doorbell_options options = { .size = sizeof(options),
						 .way = WARD_DOORBELL_WINDOW,
						 .page_size = K4,
						 .frames = &frame,
						 .frames_count = 1 };
	struct ward_space_options space_options = { .size = sizeof(space_options),
						    .kind = WARD_SPACE_UNMANAGED };
	struct ward_doorbells *doorbells;
	struct ward_doorbell doorbell;
	struct ward_space *space;
	int err = ward_doorbells_create(&options, &doorbells);

	(void)context;
	if (err)
		return err;
	err = ward_space_create(&space_options, &space);
	if (!err) {
		struct ward_space_info info;

		err = ward_doorbell_map(doorbells, space, ward_pa(FRAME), ward_gpa(0), &doorbell);
		ward_space_info(space, &info);
		if (err && info.mappings)
			fail_msg("a page is left of a doorbell that was not mapped");
		if (!err)
			err = ward_doorbell_map(doorbells, space, ward_pa(0x20200000), ward_gpa(0),
						&doorbell);
		ward_space_destroy(space);
	}
	ward_doorbells_destroy(doorbells);
	return err;
}

static void a_failed_allocation_leaves_nothing_behind(void **state)
{
	(void)state;
	assert_true(test_sweep(make_and_map, NULL) > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(physical),
		cmocka_unit_test(window_is_filled_in_order),
		cmocka_unit_test(window_is_one_for_all_spaces),
		cmocka_unit_test(window_has_its_limits),
		cmocka_unit_test(a_refusal_takes_no_place),
		cmocka_unit_test(layouts_do_not_mix),
		cmocka_unit_test(windows_are_told),
		cmocka_unit_test(dynamic_from_the_top),
		cmocka_unit_test(dynamic_with_two_page_sizes),
		cmocka_unit_test(dynamic_above_4g_when_full),
		cmocka_unit_test(nested_stage2),
		cmocka_unit_test(identity_window),
		cmocka_unit_test(a_page_drags_its_neighbours_in),
		cmocka_unit_test(an_its_keeps_its_control_page),
		cmocka_unit_test(unmap_leaves_doorbells),
		cmocka_unit_test(wrong_options),
		cmocka_unit_test(wrong_spaces),
		cmocka_unit_test(backends_have_a_say),
		cmocka_unit_test(a_failed_allocation_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Which address a doorbell gets. Sources of the ways: Linux drivers/iommu/dma-iommu.c
 * (iommu_dma_get_msi_page) for the dynamic one, drivers/iommu/iommufd/driver.c (iommufd_sw_msi) for
 * the window and its layout of one context.
 */
#include <doorward/doorbell.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "dma/space.h"
#include "dma/space_doorbell.h"

#define SMALLEST_PAGE 0x1000u
#define LARGEST_PAGE (UINT64_C(1) << 30)
#define FRAMES_MAX 64u

struct ward_doorbells {
	enum ward_doorbell_way way;
	uint64_t page_size;
	struct ward_range window; /* empty where the way has none */
	struct ward_range *frames;
	uint32_t frames_count;
	/* Doorbell pages by their place in the window. */
	uint64_t pages[WARD_DOORBELLS_MAX];
	uint32_t pages_count;
};

static bool has_window(enum ward_doorbell_way way)
{
	return way == WARD_DOORBELL_WINDOW || way == WARD_DOORBELL_IDENTITY;
}

static struct ward_range window_of(const struct ward_doorbell_options *options)
{
	if (!has_window(options->way))
		return WARD_RANGE_EMPTY;
	if (options->window.start == 0 && options->window.last == 0)
		return (struct ward_range){ WARD_SW_MSI_START, WARD_SW_MSI_LAST };
	return options->window;
}

static bool options_make_sense(const struct ward_doorbell_options *options)
{
	struct ward_range window = window_of(options);
	uint64_t page = options->page_size;

	if (options->size != sizeof(*options) || (uint32_t)options->way > WARD_DOORBELL_IDENTITY)
		return false;
	if (options->frames_count > FRAMES_MAX || (options->frames_count && !options->frames))
		return false;
	for (uint32_t i = 0; i < options->frames_count; i++)
		if (ward_range_is_empty(options->frames[i]))
			return false;
	if (options->way == WARD_DOORBELL_PHYSICAL)
		return true;
	if (page < SMALLEST_PAGE || page > LARGEST_PAGE || page & (page - 1))
		return false;
	if (!has_window(options->way))
		return true;
	return window.start < window.last && !((window.start | (window.last + 1)) & (page - 1));
}

int ward_doorbells_create(const struct ward_doorbell_options *options,
			  struct ward_doorbells **ret_doorbells)
{
	struct ward_doorbells *doorbells;

	if (!options_make_sense(options))
		return -EINVAL;
	doorbells = ward_alloc(sizeof(*doorbells));
	if (!doorbells)
		return -ENOMEM;
	doorbells->frames = ward_alloc_array(options->frames_count, sizeof(*doorbells->frames));
	if (!doorbells->frames) {
		free(doorbells);
		return -ENOMEM;
	}
	doorbells->way = options->way;
	doorbells->page_size = options->page_size;
	doorbells->window = window_of(options);
	doorbells->frames_count = options->frames_count;
	if (options->frames_count)
		memcpy(doorbells->frames, options->frames,
		       options->frames_count * sizeof(*doorbells->frames));
	*ret_doorbells = doorbells;
	return 0;
}

void ward_doorbells_destroy(struct ward_doorbells *doorbells)
{
	if (!doorbells)
		return;
	free(doorbells->frames);
	free(doorbells);
}

static uint64_t frames_in(const struct ward_doorbells *doorbells, struct ward_range reached)
{
	uint64_t frames = 0;

	for (uint32_t i = 0; i < doorbells->frames_count; i++)
		if (ward_range_overlaps(doorbells->frames[i], reached))
			frames |= UINT64_C(1) << i;
	return frames;
}

/* Nothing translates, so every doorbell is reached, this one and all others. */
static int map_physical(const struct ward_doorbells *doorbells, const struct ward_space *space,
			ward_pa_t doorbell, struct ward_doorbell *ret_doorbell)
{
	struct ward_range all = { 0, UINT64_MAX };

	if (space && space->kind != WARD_SPACE_IDENTITY)
		return -EINVAL;
	*ret_doorbell = (struct ward_doorbell){
		.iova = ward_iova(ward_pa_raw(doorbell)),
		.input = all,
		.reached = all,
		.frames = frames_in(doorbells, all),
	};
	return 0;
}

/* The place of a page in the window: its own, or the next free one. */
static int place_in_window(const struct ward_doorbells *doorbells, uint64_t page,
			   struct ward_doorbell_page *place, uint32_t *ret_index)
{
	uint64_t room = (doorbells->window.last - doorbells->window.start) / doorbells->page_size;
	uint32_t index = 0;

	while (index < doorbells->pages_count && doorbells->pages[index] != page)
		index++;
	if (index == WARD_DOORBELLS_MAX || index > room)
		return -ENOSPC;
	place->input.start = doorbells->window.start + index * doorbells->page_size;
	place->window = doorbells->window;
	*ret_index = index;
	return 0;
}

/* Where the page is already, or from the top; below 4 GiB, where any MSI capability can point. */
static int place_anywhere(const struct ward_doorbells *doorbells, struct ward_space *space,
			  struct ward_doorbell_page *place)
{
	int err;

	if (ward_space_find_doorbell(space, place->target, doorbells->page_size,
				     &place->input.start))
		return 0;
	err = ward_allocate(space, doorbells->page_size, UINT32_MAX, &place->input.start);
	if (err == -ENOSPC)
		err = ward_allocate(space, doorbells->page_size, UINT64_MAX, &place->input.start);
	return err;
}

static int place_page(const struct ward_doorbells *doorbells, struct ward_space *space,
		      ward_pa_t doorbell, ward_gpa_t guest, struct ward_doorbell_page *ret_place,
		      uint32_t *ret_index)
{
	uint64_t mask = doorbells->page_size - 1;
	int err = 0;

	ret_place->target = ward_pa_raw(doorbell) & ~mask;
	*ret_index = 0;
	if (has_window(doorbells->way)) {
		err = place_in_window(doorbells, ret_place->target, ret_place, ret_index);
	} else if (doorbells->way == WARD_DOORBELL_DYNAMIC) {
		err = space->kind == WARD_SPACE_DYNAMIC
			      ? place_anywhere(doorbells, space, ret_place)
			      : -EINVAL;
	} else {
		if ((ward_gpa_raw(guest) ^ ward_pa_raw(doorbell)) & mask)
			return -EINVAL;
		ret_place->input.start = ward_gpa_raw(guest) & ~mask;
	}
	ret_place->input.last = ret_place->input.start + mask;
	if (!has_window(doorbells->way))
		ret_place->window = ret_place->input;
	return err;
}

int ward_doorbell_map(struct ward_doorbells *doorbells, struct ward_space *space,
		      ward_pa_t doorbell, ward_gpa_t guest, struct ward_doorbell *ret_doorbell)
{
	struct ward_doorbell_page place = { 0 };
	struct ward_range reached;
	uint32_t index;
	int err;

	if (doorbells->way == WARD_DOORBELL_PHYSICAL)
		return map_physical(doorbells, space, doorbell, ret_doorbell);
	if (!space || (space->kind != WARD_SPACE_UNMANAGED && space->kind != WARD_SPACE_DYNAMIC) ||
	    doorbells->page_size & space->page_mask)
		return -EINVAL;
	err = place_page(doorbells, space, doorbell, guest, &place, &index);
	if (err)
		return err;
	err = ward_space_add_doorbell(space, &place);
	if (err)
		return err;
	if (has_window(doorbells->way) && index == doorbells->pages_count)
		doorbells->pages[doorbells->pages_count++] = place.target;
	reached = (struct ward_range){ place.target, place.target + (doorbells->page_size - 1) };
	*ret_doorbell = (struct ward_doorbell){
		.iova = ward_iova(place.input.start + (ward_pa_raw(doorbell) - place.target)),
		.input = place.input,
		.reached = reached,
		.frames = frames_in(doorbells, reached),
		.index = index,
	};
	return 0;
}

bool ward_doorbells_reserved(const struct ward_doorbells *doorbells,
			     struct ward_reserved *ret_reserved)
{
	if (!has_window(doorbells->way))
		return false;
	ret_reserved->range = doorbells->window;
	/* Who lives behind the window must leave it alone, or map it to itself. */
	ret_reserved->kind =
		doorbells->way == WARD_DOORBELL_WINDOW ? WARD_REGION_SW_MSI : WARD_REGION_DIRECT;
	return true;
}

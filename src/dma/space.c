// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "dma/space.h"

#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>

#define DEFAULT_APERTURE ((struct ward_range){ 0, (UINT64_C(1) << 48) - 1 })
#define SMALLEST_PAGE 0x1000u

static bool options_make_sense(const struct ward_space_options *options)
{
	bool nested = options->kind == WARD_SPACE_NESTED;
	uint64_t pages = options->page_sizes;

	if (options->size != sizeof(*options) || (uint32_t)options->kind > WARD_SPACE_NESTED)
		return false;
	if (options->aperture.start > options->aperture.last)
		return false;
	if (pages && (pages & -pages) < SMALLEST_PAGE)
		return false;
	if (nested != !!options->parent || nested != !!options->stage1)
		return false;
	if (!nested)
		return true;
	/* Who translates through both stages is one reader, and both wait for it. */
	return options->parent->kind != WARD_SPACE_NESTED &&
	       (!options->readers || options->readers == options->parent->readers);
}

int ward_space_create(const struct ward_space_options *options, struct ward_space **ret_space)
{
	struct ward_space *space;

	if (!options_make_sense(options))
		return -EINVAL;
	space = ward_alloc(sizeof(*space));
	if (!space)
		return -ENOMEM;
	space->kind = options->kind;
	space->aperture = options->aperture.last ? options->aperture : DEFAULT_APERTURE;
	space->page_sizes = options->page_sizes ? options->page_sizes : SMALLEST_PAGE;
	space->page_mask = (space->page_sizes & -space->page_sizes) - 1;
	space->mappings_max = options->mappings_max;
	space->readers = options->readers;
	space->ops = options->ops;
	space->backing = options->backing;
	atomic_init(&space->references, 1);
	atomic_init(&space->users, 0);
	if (options->parent) {
		space->parent = options->parent;
		space->stage1 = *options->stage1;
		space->readers = options->parent->readers;
		ward_space_use(space->parent);
	}
	ward_tree_init(&space->tree, space->readers);
	*ret_space = space;
	return 0;
}

static void put(struct ward_space *space)
{
	struct ward_space *parent = space->parent;

	if (atomic_fetch_sub(&space->references, 1) > 1)
		return;
	ward_readers_wait(space->readers);
	if (space->ops && space->ops->destroy)
		space->ops->destroy(space->backing);
	ward_tree_finish(&space->tree);
	free(space->reserved);
	free(space);
	/* A parent has no parent of its own. */
	if (parent)
		ward_space_unuse(parent);
}

void ward_space_destroy(struct ward_space *space)
{
	if (space)
		put(space);
}

void ward_space_use(struct ward_space *space)
{
	atomic_fetch_add(&space->references, 1);
	atomic_fetch_add(&space->users, 1);
}

void ward_space_unuse(struct ward_space *space)
{
	atomic_fetch_sub(&space->users, 1);
	put(space);
}

void ward_space_info(const struct ward_space *space, struct ward_space_info *ret_info)
{
	*ret_info = (struct ward_space_info){
		.kind = space->kind,
		.aperture = space->aperture,
		.page_sizes = space->page_sizes,
		.mappings = space->tree.count,
		.mappings_max = space->mappings_max,
		.mapped_bytes = space->tree.bytes,
		.memory_bytes = ward_tree_memory(&space->tree),
		.users = atomic_load(&space->users),
		.backing = space->backing,
		.parent = space->parent,
		.stage1 = space->parent ? &space->stage1 : NULL,
	};
}

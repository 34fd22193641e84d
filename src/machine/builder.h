/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* What builder.c (adding) and link.c (finishing) share. */
#ifndef MACHINE_BUILDER_H
#define MACHINE_BUILDER_H

#include <doorward/builder.h>

#include "machine/machine.h"

struct ward_builder {
	struct ward_machine_storage *storage;
	struct ward_id_map *maps;   /* in the order of adding; the machine's in the end */
	struct ward_id_map *sorted; /* the same by kind and segment, while linking */
	size_t maps_count, maps_capacity;
	size_t functions_capacity, iommus_capacity, controllers_capacity, groups_capacity;
	size_t regions_capacity, remarks_capacity, segments_capacity;
	/* Open addressing, ordinal + 1 by address; a power of two of slots. */
	uint32_t *slots;
	size_t slots_count;
};

/*
 * Sorts functions, makes buses, links parents, applies id maps, aliases and quirks, checks.
 * Returns 0, -EBADMSG or -ENOMEM.
 */
int ward_builder_link(struct ward_builder *builder, struct ward_error *ret_error);

/* Steps of linking: buses from sorted functions; bridges above buses; id maps into functions. */
int ward_builder_make_buses(struct ward_machine *machine);
int ward_builder_link_buses(struct ward_builder *builder, struct ward_error *ret_error);
int ward_builder_apply_maps(struct ward_builder *builder, struct ward_error *ret_error);
/* ... and MMIO segments into order, and into functions. */
int ward_builder_link_segments(struct ward_machine *machine, struct ward_error *ret_error);

static inline bool ward_index_is_sound(uint32_t index, uint32_t count)
{
	return index == WARD_NONE || index < count;
}

#endif

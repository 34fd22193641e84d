/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* A space from the inside. */
#ifndef DMA_SPACE_H
#define DMA_SPACE_H

#include <doorward/backend/interface.h>
#include <doorward/space.h>
#include <doorward/stage1.h>

#include <stdatomic.h>

#include "dma/allocate.h"
#include "dma/mapping_tree.h"

struct ward_space {
	enum ward_space_kind kind;
	struct ward_range aperture;
	uint64_t page_sizes;
	uint64_t page_mask; /* of the smallest page */
	uint64_t mappings_max;
	struct ward_readers *readers;
	struct ward_space *parent; /* a reference */
	struct ward_stage1 stage1; /* when there is a parent */
	const struct ward_space_ops *ops;
	void *backing;
	/* One of the creator until it destroys, one of each user. */
	_Atomic uint32_t references;
	_Atomic uint32_t users;
	struct ward_tree tree;
	struct ward_reserved *reserved; /* by start */
	size_t reserved_count;
	struct ward_allocator allocator;
};

/* A user: an attachment, or a space nested on it. The last one to go takes the space along. */
void ward_space_use(struct ward_space *space);
void ward_space_unuse(struct ward_space *space);

/*
 * How a mapping lies in the tree: pages are of 4 KiB at least, so the low bits of a target are
 * free for access and type.
 */
#define WARD_VALUE_ACCESS 0x7u
#define WARD_VALUE_TYPE_SHIFT 3
#define WARD_VALUE_TYPE 0x7u
#define WARD_VALUE_DOORBELL 0x40u
#define WARD_VALUE_BITS 0xfffu

static inline uint32_t ward_value_access(uint64_t value)
{
	return (uint32_t)value & WARD_VALUE_ACCESS;
}

static inline enum ward_memory_type ward_value_type(uint64_t value)
{
	return (enum ward_memory_type)(value >> WARD_VALUE_TYPE_SHIFT & WARD_VALUE_TYPE);
}

static inline uint64_t ward_value_target(uint64_t value)
{
	return value & ~(uint64_t)WARD_VALUE_BITS;
}

static inline struct ward_mapping ward_space_mapping(const struct ward_tree_entry *entry)
{
	return (struct ward_mapping){
		.start = ward_iova(entry->start),
		.last = ward_iova(entry->last),
		.target = ward_target(ward_value_target(entry->value)),
		.access = ward_value_access(entry->value),
		.type = ward_value_type(entry->value),
	};
}

/*
 * As ward_space_map, for the page of a doorbell: it may lie within WARD_REGION_SW_MSI, which is there
 * for it, and such a region may be reserved where it is.
 */
int ward_space_map_doorbell(struct ward_space *space, const struct ward_mapping *mapping);

/*
 * Removes the mappings within the range, wherever its bounds are, of a space without doorbells: 0, also
 * when there were none; -ERANGE it would cut one; an error of the backend, as of ward_space_unmap.
 */
int ward_space_unmap_whole(struct ward_space *space, struct ward_range range);

/* Reserves all of them or nothing; as ward_space_reserve. */
int ward_space_reserve_all(struct ward_space *space, const struct ward_reserved *reserved,
			   uint32_t count);

/* Whether a mapping may lie there (reserved.c): 0 or -EINVAL. value as in the tree. */
int ward_space_reserved_allows(const struct ward_space *space, const struct ward_tree_entry *entry);

/* The last reserved region, by start, that overlaps the range; NULL when it is clear. */
const struct ward_reserved *ward_space_reserved_in(const struct ward_space *space,
						   struct ward_range range);

#endif

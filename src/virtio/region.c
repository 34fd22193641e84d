// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What is reserved for an endpoint, as PROBE tells it: made once, when it is added. Regions are put
 * into the set in the order of their precedence, each without what is there already.
 */
#include "virtio/viommu.h"

#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* All but DIRECT_RELAXABLE and the MSI region: n ranges cut the line into 2 n + 1 pieces at most. */
#define PIECES_MAX (2u * (WARD_VIOMMU_RESERVED_MAX + 1u) + 1u)

/* Sorted by address, disjoint. */
struct pieces {
	struct ward_viommu_region piece[PIECES_MAX];
	uint32_t count;
};

static void insert(struct pieces *pieces, uint32_t at, uint64_t start, uint64_t last,
		   uint8_t subtype)
{
	memmove(&pieces->piece[at + 1], &pieces->piece[at],
		(pieces->count - at) * sizeof(pieces->piece[0]));
	pieces->piece[at] = (struct ward_viommu_region){ { start, last }, subtype };
	pieces->count++;
}

/* Adds what is free of a range. */
static void add(struct pieces *pieces, struct ward_range range, uint8_t subtype)
{
	uint64_t from = range.start;

	for (uint32_t i = 0; i < pieces->count; i++) {
		struct ward_range taken = pieces->piece[i].range;

		if (taken.last < from)
			continue;
		if (taken.start > range.last)
			break;
		if (taken.start > from)
			insert(pieces, i++, from, taken.start - 1, subtype);
		if (taken.last >= range.last)
			return;
		from = taken.last + 1;
	}
	for (uint32_t i = 0;; i++) {
		if (i == pieces->count || pieces->piece[i].range.start > from) {
			insert(pieces, i, from, range.last, subtype);
			return;
		}
	}
}

/* Makes one of what lies side by side and is alike. */
static void join(struct pieces *pieces)
{
	uint32_t kept = 0;

	for (uint32_t i = 1; i < pieces->count; i++) {
		struct ward_viommu_region *last = &pieces->piece[kept];
		const struct ward_viommu_region *next = &pieces->piece[i];

		if (last->subtype == next->subtype && last->range.last + 1 == next->range.start)
			last->range.last = next->range.last;
		else
			pieces->piece[++kept] = *next;
	}
	if (pieces->count)
		pieces->count = kept + 1;
}

static int check(const struct ward_viommu *viommu,
		 const struct ward_viommu_endpoint_options *options)
{
	uint32_t frames = viommu->options.frames_count;

	if (options->size != sizeof(*options) || (uint32_t)options->msi > WARD_VIOMMU_MSI_MAPPED)
		return -EINVAL;
	/* Doorbells, and a way to them, or neither. */
	if ((options->msi == WARD_VIOMMU_MSI_NONE) != (options->frames == 0) ||
	    (frames < 64 && options->frames >> frames))
		return -EINVAL;
	if (options->reserved_count > WARD_VIOMMU_RESERVED_MAX ||
	    (options->reserved_count && !options->reserved))
		return -EINVAL;
	for (uint32_t i = 0; i < options->reserved_count; i++) {
		if (ward_range_is_empty(options->reserved[i].range) ||
		    (uint32_t)options->reserved[i].kind > WARD_REGION_SW_MSI)
			return -EINVAL;
	}
	if (options->identity && !(viommu->options.flags & WARD_VIOMMU_IDENTITY))
		return -EOPNOTSUPP;
	return 0;
}

/* From the page of the first doorbell to that of the last: an endpoint has one MSI region at most. */
static void add_doorbells(const struct ward_viommu *viommu,
			  const struct ward_viommu_endpoint_options *options, struct pieces *pieces)
{
	struct ward_range all = WARD_RANGE_EMPTY;

	if (options->msi != WARD_VIOMMU_MSI_BYPASSED)
		return;
	for (uint32_t i = 0; i < viommu->options.frames_count; i++) {
		struct ward_range frame = viommu->options.frames[i].registers;

		if (!(options->frames >> i & 1))
			continue;
		frame.start &= ~viommu->granule_mask;
		frame.last |= viommu->granule_mask;
		if (ward_range_is_empty(all))
			all = frame;
		if (frame.start < all.start)
			all.start = frame.start;
		if (frame.last > all.last)
			all.last = frame.last;
	}
	if (!ward_range_is_empty(all))
		add(pieces, all, WARD_VIOMMU_RESV_MSI);
}

/* What becomes of a region of the host: a subtype, or -1 when it is no hindrance. */
static int subtype_of(const struct ward_viommu_endpoint_options *options,
		      enum ward_region_kind kind)
{
	if (kind == WARD_REGION_DIRECT_RELAXABLE)
		return -1;
	if (kind == WARD_REGION_SW_MSI && options->identity)
		return (int)WARD_VIOMMU_RESV_IDENTITY;
	return (int)WARD_VIOMMU_RESV_RESERVED;
}

static void add_reserved(const struct ward_viommu_endpoint_options *options, int subtype,
			 struct pieces *pieces)
{
	for (uint32_t i = 0; i < options->reserved_count; i++) {
		const struct ward_reserved *reserved = &options->reserved[i];

		if (subtype_of(options, reserved->kind) == subtype)
			add(pieces, reserved->range, (uint8_t)subtype);
	}
}

int ward_viommu_regions_make(const struct ward_viommu *viommu,
			     const struct ward_viommu_endpoint_options *options,
			     struct ward_viommu_region **ret_regions, uint32_t *ret_count)
{
	struct pieces pieces = { .count = 0 };
	struct ward_viommu_region *regions = NULL;
	int code = check(viommu, options);

	if (code)
		return code;
	add_doorbells(viommu, options, &pieces);
	add_reserved(options, (int)WARD_VIOMMU_RESV_RESERVED, &pieces);
	add_reserved(options, (int)WARD_VIOMMU_RESV_IDENTITY, &pieces);
	join(&pieces);
	if (pieces.count * VIOMMU_PROPERTY_SIZE > viommu->options.probe_size)
		return -ENOSPC;
	if (pieces.count) {
		regions = ward_alloc_array(pieces.count, sizeof(*regions));
		if (!regions)
			return -ENOMEM;
		memcpy(regions, pieces.piece, pieces.count * sizeof(*regions));
	}
	*ret_regions = regions;
	*ret_count = pieces.count;
	return 0;
}

const struct ward_viommu_region *ward_viommu_region_at(const struct viommu_endpoint *endpoint,
						       struct ward_range range)
{
	uint32_t low = 0, high = endpoint->regions_count;

	/* The first one that ends at or after the start. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (endpoint->regions[middle].range.last < range.start)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == endpoint->regions_count || endpoint->regions[low].range.start > range.last)
		return NULL;
	return &endpoint->regions[low];
}

bool ward_viommu_region_next(const struct ward_viommu *viommu, uint32_t endpoint, uint32_t *cursor,
			     struct ward_viommu_region *ret_region)
{
	const struct viommu_endpoint *found = ward_viommu_endpoint_find(viommu, endpoint);

	if (!found || *cursor >= found->regions_count)
		return false;
	*ret_region = found->regions[(*cursor)++];
	return true;
}

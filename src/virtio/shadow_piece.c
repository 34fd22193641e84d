// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A mapping of the guest leads to guest physical addresses. For a host it is cut where memory goes on
 * elsewhere, and only there: what lies side by side at the host is one piece.
 */
#include "virtio/shadow.h"

#include "base/memory.h"

#include <errno.h>

/* What begins at some guest physical address. */
struct part {
	uint64_t more; /* bytes after the first */
	uint64_t target;
	uint32_t access;
	bool doorbell; /* nothing is mapped for it */
};

/*
 * Nothing but a doorbell: it may be mapped, and the host has its own. A driver without the MMIO feature has
 * no flag to say so.
 */
static int doorbell_at(const struct shadow_walk *walk, uint64_t address, struct part *ret_part)
{
	const struct ward_viommu *viommu = walk->shadow->options.viommu;
	struct ward_range page = { address & ~viommu->granule_mask,
				   address | viommu->granule_mask };

	if (walk->bypass ||
	    (walk->left.type != WARD_DEVICE_NGNRE && viommu->negotiated & WARD_VIOMMU_F_MMIO))
		return -EFAULT;
	for (uint32_t i = 0; i < viommu->options.frames_count; i++) {
		if (!ward_range_overlaps(viommu->options.frames[i].registers, page))
			continue;
		*ret_part = (struct part){ .more = page.last - address, .doorbell = true };
		return 0;
	}
	return -EFAULT;
}

/* The monitor says where the memory is. */
static int place(const struct ward_shadow_options *options, uint64_t address, struct part *part)
{
	/* All of 2^64 bytes would be 0; one less says as much. */
	uint64_t length = part->more == UINT64_MAX ? part->more : part->more + 1;
	uint64_t together = 0;
	ward_target_t target = ward_target(0);
	int code = options->place(options->context, ward_gpa(address), length, &target, &together);

	if (code || !together)
		return code ? code : -EFAULT;
	part->target = ward_target_raw(target);
	if (together - 1 < part->more)
		part->more = together - 1;
	return 0;
}

static int part_at(const struct shadow_walk *walk, uint64_t address, struct part *ret_part)
{
	const struct ward_shadow_options *options = &walk->shadow->options;
	struct ward_memory_region region;

	if (!ward_memory_find(options->memory, address, &region))
		return doorbell_at(walk, address, ret_part);
	*ret_part =
		(struct part){ .access = walk->left.access, .more = region.range.last - address };
	if (region.read_only && ret_part->access & WARD_WRITE) {
		if (!walk->bypass)
			return -EFAULT;
		ret_part->access &= ~WARD_WRITE;
	}
	if (options->place)
		return place(options, address, ret_part);
	ret_part->target = (uintptr_t)region.host + (address - region.range.start);
	return 0;
}

/* The part that is next, within what is left. */
static int peek(const struct shadow_walk *walk, struct part *ret_part)
{
	uint64_t left = ward_iova_raw(walk->left.last) - ward_iova_raw(walk->left.start);
	int code = part_at(walk, ward_target_raw(walk->left.target), ret_part);

	if (!code && ret_part->more > left)
		ret_part->more = left;
	return code;
}

static void take(struct shadow_walk *walk, const struct part *part)
{
	uint64_t start = ward_iova_raw(walk->left.start) + part->more;
	uint64_t target = ward_target_raw(walk->left.target) + part->more;

	walk->done = start == ward_iova_raw(walk->left.last);
	walk->left.start = ward_iova(start + 1);
	walk->left.target = ward_target(target + 1);
}

int ward_shadow_piece(struct shadow_walk *walk, struct ward_mapping *ret_piece)
{
	struct ward_mapping piece = walk->left;
	uint64_t start, length = 0;
	struct part part;

	while (!walk->done) {
		int code = peek(walk, &part);

		if (code)
			return code;
		if (length && (part.doorbell || part.access != piece.access ||
			       part.target != ward_target_raw(piece.target) + length))
			break;
		if (!length && !part.doorbell) {
			piece.start = walk->left.start;
			piece.target = ward_target(part.target);
			piece.access = part.access;
		}
		take(walk, &part);
		if (!part.doorbell)
			length += part.more + 1;
	}
	if (!length)
		return 0;
	start = ward_iova_raw(piece.start);
	/* Memory that begins or ends within a page of the host, which maps nothing smaller. */
	if ((start | length | ward_target_raw(piece.target)) & walk->page_mask)
		return -EFAULT;
	piece.last = ward_iova(start + (length - 1));
	*ret_piece = piece;
	return 1;
}

int ward_shadow_pieces(const struct shadow_walk *walk, uint64_t *ret_count,
		       struct ward_mapping *ret_first)
{
	struct shadow_walk ahead = *walk;
	struct ward_mapping piece;
	uint64_t count = 0;
	int code;

	while ((code = ward_shadow_piece(&ahead, &piece)) > 0)
		if (count++ == 0)
			*ret_first = piece;
	if (!code)
		*ret_count = count;
	return code;
}

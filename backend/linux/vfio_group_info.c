// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "vfio_group.h"

#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The kernel says how much it needs; more than this it never does. */
#define INFO_BYTES_MAX 65536u

static int read_info(int container, struct vfio_iommu_type1_info **ret_info)
{
	uint32_t size = sizeof(struct vfio_iommu_type1_info);

	for (int tries = 0; tries < 3; tries++) {
		struct vfio_iommu_type1_info *info = ward_alloc(size);

		if (!info)
			return -ENOMEM;
		info->argsz = size;
		if (ioctl(container, VFIO_IOMMU_GET_INFO, info) < 0) {
			free(info);
			return -EIO;
		}
		if (info->argsz <= size) {
			*ret_info = info;
			return 0;
		}
		size = info->argsz;
		free(info);
		if (size > INFO_BYTES_MAX)
			break;
	}
	return -EIO;
}

/* The chain of capabilities is the kernel's, but its offsets are checked like anybody's. */
static const struct vfio_info_cap_header *find_capability(const struct vfio_iommu_type1_info *info,
							  uint16_t id)
{
	const unsigned char *bytes = (const unsigned char *)info;
	uint32_t at = info->flags & VFIO_IOMMU_INFO_CAPS ? info->cap_offset : 0;
	uint32_t last = 0;

	while (at > last && at % 8 == 0 && info->argsz >= sizeof(struct vfio_info_cap_header) &&
	       at <= info->argsz - sizeof(struct vfio_info_cap_header)) {
		const struct vfio_info_cap_header *header = (const void *)(bytes + at);

		if (header->id == id)
			return header;
		last = at;
		at = header->next;
	}
	return NULL;
}

static enum ward_region_kind kind_of(struct ward_range hole)
{
	if (hole.start == WARD_X86_MSI_START && hole.last == WARD_X86_MSI_LAST)
		return WARD_REGION_MSI;
	if (hole.start == WARD_SW_MSI_START && hole.last == WARD_SW_MSI_LAST)
		return WARD_REGION_SW_MSI;
	return WARD_REGION_RESERVED;
}

static int add_hole(struct ward_vfio_group *group, uint64_t start, uint64_t last)
{
	struct ward_range hole = { start, last };

	if (group->holes_count == WARD_VFIO_HOLES_MAX)
		return -EIO;
	group->holes[group->holes_count++] =
		(struct ward_reserved){ .range = hole, .kind = kind_of(hole) };
	return 0;
}

/* What lies between the valid ranges, which are sorted. */
static int keep_holes(struct ward_vfio_group *group,
		      const struct vfio_iommu_type1_info_cap_iova_range *valid, uint64_t room)
{
	uint64_t next = 0;
	int code;

	if (valid->nr_iovas > (room - sizeof(*valid)) / sizeof(valid->iova_ranges[0]))
		return -EIO;
	for (uint32_t i = 0; i < valid->nr_iovas; i++) {
		uint64_t start = valid->iova_ranges[i].start, end = valid->iova_ranges[i].end;

		if (start < next || end < start)
			return -EIO;
		code = start > next ? add_hole(group, next, start - 1) : 0;
		if (code)
			return code;
		if (end == UINT64_MAX)
			return 0;
		next = end + 1;
	}
	return add_hole(group, next, UINT64_MAX);
}

int ward_vfio_group_learn(struct ward_vfio_group *group)
{
	const struct vfio_info_cap_header *header;
	struct vfio_iommu_type1_info *info;
	int code = read_info(group->container, &info);

	if (code)
		return code;
	group->page_sizes = info->flags & VFIO_IOMMU_INFO_PGSIZES ? info->iova_pgsizes : 0;
	header = find_capability(info, VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	if (header) {
		uint64_t room = info->argsz - (uint64_t)((const char *)header - (char *)info);

		code = room < sizeof(struct vfio_iommu_type1_info_cap_iova_range) ?
			       -EIO :
			       keep_holes(group, (const void *)header, room);
	}
	free(info);
	return code;
}

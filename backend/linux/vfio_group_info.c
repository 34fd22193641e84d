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

static int read_info(int container, struct vfio_iommu_type1_info **ret_info, uint32_t *ret_size)
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
			*ret_size = size;
			return 0;
		}
		size = info->argsz;
		free(info);
		if (size > INFO_BYTES_MAX)
			break;
	}
	return -EIO;
}

uint32_t ward_vfio_find_capability(const void *info, uint32_t size, uint32_t first, uint16_t id)
{
	const char *bytes = info;
	uint32_t at = first;
	struct vfio_info_cap_header header;

	for (uint32_t last = 0; at > last && at <= size - sizeof(header); at = header.next) {
		memcpy(&header, bytes + at, sizeof(header));
		if (header.id == id)
			return at;
		last = at;
	}
	return 0;
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
static int keep_holes(struct ward_vfio_group *group, const char *capability, size_t room)
{
	struct vfio_iommu_type1_info_cap_iova_range head;
	struct vfio_iova_range valid;
	uint64_t next = 0;
	int code;

	if (room < sizeof(head))
		return -EIO;
	memcpy(&head, capability, sizeof(head));
	if (head.nr_iovas > (room - sizeof(head)) / sizeof(valid))
		return -EIO;
	for (uint32_t i = 0; i < head.nr_iovas; i++) {
		memcpy(&valid, capability + sizeof(head) + i * sizeof(valid), sizeof(valid));
		if (valid.start < next || valid.end < valid.start)
			return -EIO;
		code = valid.start > next ? add_hole(group, next, valid.start - 1) : 0;
		if (code)
			return code;
		if (valid.end == UINT64_MAX)
			return 0;
		next = valid.end + 1;
	}
	return add_hole(group, next, UINT64_MAX);
}

int ward_vfio_group_learn(struct ward_vfio_group *group)
{
	struct vfio_iommu_type1_info *info;
	uint32_t size, at;
	int code = read_info(group->container, &info, &size);

	if (code)
		return code;
	group->page_sizes = info->flags & VFIO_IOMMU_INFO_PGSIZES ? info->iova_pgsizes : 0;
	at = ward_vfio_find_capability(info, size,
				       info->flags & VFIO_IOMMU_INFO_CAPS ? info->cap_offset : 0,
				       VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE);
	if (at)
		code = keep_holes(group, (const char *)info + at, size - at);
	free(info);
	return code;
}

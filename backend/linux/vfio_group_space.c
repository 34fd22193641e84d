// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "vfio_group.h"

#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* What a space has by default. */
#define APERTURE_LAST ((UINT64_C(1) << 48) - 1)

static int map_in(const struct ward_vfio_group *group, const struct ward_mapping *mapping)
{
	uint64_t start = ward_iova_raw(mapping->start);
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.vaddr = ward_target_raw(mapping->target),
		.iova = start,
		.size = ward_iova_raw(mapping->last) - start + 1,
	};

	/* A device that executes reads; type1 has no word for it. */
	if (mapping->access & (WARD_READ | WARD_EXEC))
		map.flags |= VFIO_DMA_MAP_FLAG_READ;
	if (mapping->access & WARD_WRITE)
		map.flags |= VFIO_DMA_MAP_FLAG_WRITE;
	if (ioctl(group->container, VFIO_IOMMU_MAP_DMA, &map) == 0)
		return 0;
	/* EIO would say that something was not taken back. */
	return errno == EIO ? -ENODEV : -errno;
}

static int unmap_in(struct ward_vfio_group *group, struct ward_range range)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = range.start,
		.size = range.last - range.start + 1,
	};

	if (unmap.size == 0)
		return ward_vfio_empty(group);
	return ioctl(group->container, VFIO_IOMMU_UNMAP_DMA, &unmap) < 0 ? -errno : 0;
}

int ward_vfio_empty(struct ward_vfio_group *group)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.flags = VFIO_DMA_UNMAP_FLAG_ALL,
	};

	if (ioctl(group->container, VFIO_IOMMU_UNMAP_DMA, &unmap) < 0)
		return -EIO;
	group->spoiled = false;
	return 0;
}

int ward_vfio_fill(struct ward_vfio_group *group, const struct ward_space *space)
{
	struct ward_mapping mapping;
	uint64_t from = 0;

	while (ward_space_next(space, ward_iova(from), &mapping)) {
		int code = map_in(group, &mapping);

		if (code) {
			group->spoiled = true;
			(void)ward_vfio_empty(group);
			return code;
		}
		from = ward_iova_raw(mapping.last) + 1;
		if (from == 0)
			break;
	}
	return 0;
}

static int map_space(void *backing, const struct ward_mapping *mapping)
{
	struct ward_vfio_space *space = backing;
	struct ward_range range = { ward_iova_raw(mapping->start), ward_iova_raw(mapping->last) };

	if (!space->backend)
		return -EIO;
	for (struct ward_vfio_group *group = space->groups; group; group = group->beside) {
		int code = map_in(group, mapping);

		if (!code)
			continue;
		for (struct ward_vfio_group *done = space->groups; done != group;
		     done = done->beside) {
			if (unmap_in(done, range) == 0)
				continue;
			done->spoiled = true;
			code = -EIO;
		}
		return code;
	}
	return 0;
}

/*
 * Only bounds of mappings get here unless split is asked for; a container then refuses nothing,
 * so the first one tells of them all.
 */
static int unmap_space(void *backing, struct ward_range range, bool split)
{
	struct ward_vfio_space *space = backing;

	/* type1v2 takes no part out of a mapping. */
	if (split)
		return -EOPNOTSUPP;
	for (struct ward_vfio_group *group = space->groups; group; group = group->beside) {
		int code = unmap_in(group, range);

		if (code)
			return code;
	}
	return 0;
}

static void destroy_space(void *backing)
{
	struct ward_vfio_space *space = backing;

	if (space->backend) {
		struct ward_vfio_space **at = &space->backend->spaces;

		while (*at != space)
			at = &(*at)->next;
		*at = space->next;
	}
	free(space);
}

const struct ward_space_ops ward_vfio_space_ops = {
	.map = map_space,
	.unmap = unmap_space,
	.destroy = destroy_space,
	.has_doorbells = true,
};

/* Pages that every group so far takes; a group that comes later may have to refuse. */
static uint64_t pages_of(const struct ward_vfio_backend *backend)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), sizes = UINT64_MAX;

	for (const struct ward_vfio_group *group = backend->groups; group; group = group->next)
		sizes &= group->page_sizes ? group->page_sizes : UINT64_MAX;
	/* Bits below the host's page are of no use: memory is pinned by pages. */
	sizes &= ~(page - 1);
	return sizes ? sizes : page;
}

/* The last address, of those up to last, that every group so far takes. */
static uint64_t last_of(const struct ward_vfio_backend *backend, uint64_t last)
{
	for (const struct ward_vfio_group *group = backend->groups; group; group = group->next) {
		const struct ward_range *hole;

		if (!group->holes_count)
			continue;
		hole = &group->holes[group->holes_count - 1].range;
		if (hole->last == UINT64_MAX && hole->start && hole->start - 1 < last)
			last = hole->start - 1;
	}
	return last;
}

int ward_vfio_space(void *context, struct ward_space_options *options)
{
	struct ward_vfio_backend *backend = context;
	struct ward_vfio_space *space;

	if (options->kind == WARD_SPACE_IDENTITY || options->kind == WARD_SPACE_NESTED)
		return -EOPNOTSUPP;
	space = ward_alloc(sizeof(*space));
	if (!space)
		return -ENOMEM;
	space->backend = backend;
	space->kind = options->kind;
	space->next = backend->spaces;
	backend->spaces = space;
	options->page_sizes = pages_of(backend);
	if (!options->aperture.last)
		options->aperture.last = APERTURE_LAST;
	options->aperture.last = last_of(backend, options->aperture.last);
	if (!options->mappings_max || options->mappings_max > backend->mappings_max)
		options->mappings_max = backend->mappings_max;
	options->ops = &ward_vfio_space_ops;
	options->backing = space;
	return 0;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "vfio_group.h"

#include "base/fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CONFIG 7u

static struct ward_vfio_space *find_space(const struct ward_vfio_backend *backend,
					  const struct ward_space *space)
{
	struct ward_vfio_space *found = backend->spaces;
	struct ward_space_info info;

	ward_space_info(space, &info);
	while (found && found != info.backing)
		found = found->next;
	return found;
}

/* Whether the space maps nothing that the group cannot map. */
static int check_holes(const struct ward_vfio_group *group, const struct ward_space *space)
{
	struct ward_mapping mapping;

	for (uint32_t i = 0; i < group->holes_count; i++) {
		const struct ward_range *hole = &group->holes[i].range;

		if (ward_space_next(space, ward_iova(hole->start), &mapping) &&
		    ward_iova_raw(mapping.start) <= hole->last)
			return -EADDRINUSE;
	}
	return 0;
}

static int reserve_holes(const struct ward_vfio_group *group, struct ward_space *space)
{
	int code = 0;

	for (uint32_t i = 0; i < group->holes_count && !code; i++)
		code = ward_space_reserve(space, &group->holes[i]);
	return code;
}

static void leave_space(struct ward_vfio_group *group)
{
	struct ward_vfio_group **at;

	if (!group->carried)
		return;
	at = &group->carried->groups;
	while (*at != group)
		at = &(*at)->beside;
	*at = group->beside;
	group->beside = NULL;
	group->carried = NULL;
	group->space = NULL;
}

/*
 * A container has one set of mappings, so there is a gap: the old ones go, then the new ones
 * come. What the devices do meanwhile faults; nothing third is ever mapped.
 */
static int move_group(struct ward_vfio_group *group, struct ward_vfio_space *carried,
		      struct ward_space *space)
{
	int code = check_holes(group, space);

	if (code)
		return code;
	if ((group->space || group->spoiled) && ward_vfio_empty(group))
		return group->spoiled ? -EIO : -ENODEV;
	code = ward_vfio_fill(group, space);
	if (!code) {
		code = reserve_holes(group, space);
		group->spoiled = code && ward_vfio_empty(group);
	}
	if (code) {
		if (!group->spoiled && (!group->space || ward_vfio_fill(group, group->space) == 0))
			return code;
		/* Neither there nor back, and no longer in any space. */
		leave_space(group);
		return -EIO;
	}
	leave_space(group);
	group->space = space;
	group->carried = carried;
	group->beside = carried->groups;
	carried->groups = group;
	return 0;
}

static int attach(void *context, ward_pasid_t pasid, struct ward_space *space)
{
	struct ward_vfio_device *device = context;
	struct ward_vfio_group *group = device->group;
	struct ward_vfio_space *carried = find_space(group->backend, space);
	int code = 0;

	if (!carried)
		return -EINVAL;
	if (pasid != WARD_PASID_NONE)
		return -EOPNOTSUPP;
	if (group->carried != carried) {
		if (group->attached > (device->attached ? 1u : 0u))
			return -EBUSY;
		code = move_group(group, carried, space);
		if (code && code != -EIO)
			return code;
	}
	/* With EIO it is to be detached, which empties the container. */
	if (!device->attached)
		group->attached++;
	device->attached = true;
	return code;
}

static void forget(struct ward_vfio_device *device)
{
	if (--device->group->attached == 0)
		leave_space(device->group);
	device->attached = false;
}

/* The last of a group to leave empties its container; the others of the group go on. */
static int detach(void *context, ward_pasid_t pasid)
{
	struct ward_vfio_device *device = context;
	int code = 0;

	if (!device->attached || pasid != WARD_PASID_NONE)
		return -ENOENT;
	if (device->group->attached == 1)
		code = ward_vfio_empty(device->group);
	if (!code)
		forget(device);
	return code;
}

static int reset(void *context)
{
	struct ward_vfio_device *device = context;

	if (!device->resets)
		return -EOPNOTSUPP;
	/* The kernel writes the messages that it had given. */
	if (ioctl(device->fd, VFIO_DEVICE_RESET) == 0)
		return ward_vfio_replace_again(device, 0, UINT32_MAX);
	return errno == EINVAL || errno == ENOTTY ? -EOPNOTSUPP : -EIO;
}

static int info(void *context, struct ward_device_info *ret_info)
{
	struct ward_vfio_device *device = context;

	for (uint32_t i = 0; i < WARD_DEVICE_REGIONS; i++)
		ret_info->region_size[i] = device->region[i].size;
	ret_info->resets = device->resets;
	return 0;
}

static int access_code(ssize_t done, size_t size)
{
	return done == (ssize_t)size ? 0 : -EIO;
}

static int read_region(void *context, uint32_t region, uint64_t offset, void *ret_bytes,
		       size_t size)
{
	struct ward_vfio_device *device = context;
	unsigned char bytes[8];
	ssize_t got =
		pread(device->fd, bytes, size, (off_t)(device->region[region].offset + offset));

	if (got == (ssize_t)size)
		memcpy(ret_bytes, bytes, size);
	return access_code(got, size);
}

static int write_region(void *context, uint32_t region, uint64_t offset, const void *bytes,
			size_t size)
{
	struct ward_vfio_device *device = context;
	int code = access_code(pwrite(device->fd, bytes, size,
				      (off_t)(device->region[region].offset + offset)),
			       size);

	/* A write to config space may reset the function, or wake it. */
	if (!code && region == CONFIG)
		code = ward_vfio_replace_again(device, 0, UINT32_MAX);
	return code;
}

static void close_device(void *context)
{
	struct ward_vfio_device *device = context;
	struct ward_vfio_device **at = &device->group->devices;

	/* A container that could not be emptied goes with the last device of its group. */
	if (device->attached && detach(device, WARD_PASID_NONE)) {
		device->group->spoiled = true;
		forget(device);
	}
	ward_vfio_irqs_close(device);
	close(device->fd);
	while (*at != device)
		at = &(*at)->next;
	*at = device->next;
	ward_vfio_group_put(device->group);
	free(device);
}

const struct ward_device_ops ward_vfio_device_ops = {
	.irq = &ward_vfio_irq_ops,
	.attach = attach,
	.detach = detach,
	.reset = reset,
	.info = info,
	.read = read_region,
	.write = write_region,
	.close = close_device,
};

/* Regions that are not there, or that nobody may read, have no size. */
static int learn_device(struct ward_vfio_device *device)
{
	struct vfio_device_info known = { .argsz = sizeof(known) };

	if (ioctl(device->fd, VFIO_DEVICE_GET_INFO, &known) < 0)
		return -EIO;
	device->resets = known.flags & VFIO_DEVICE_FLAGS_RESET;
	for (uint32_t i = 0; i < WARD_DEVICE_REGIONS && i < known.num_regions; i++) {
		struct vfio_region_info region = { .argsz = sizeof(region), .index = i };

		if (ioctl(device->fd, VFIO_DEVICE_GET_REGION_INFO, &region) < 0 ||
		    !(region.flags & VFIO_REGION_INFO_FLAG_READ))
			continue;
		device->region[i] =
			(struct ward_vfio_region){ .size = region.size, .offset = region.offset };
	}
	return 0;
}

static int open_device(struct ward_vfio_group *group, struct ward_vfio_device *device)
{
	int code;

	for (struct ward_vfio_device *other = group->devices; other; other = other->next)
		if (strcmp(other->name, device->name) == 0)
			return -EBUSY;
	device->fd = ioctl(group->fd, VFIO_GROUP_GET_DEVICE_FD, device->name);
	if (device->fd < 0)
		return errno == ENODEV	 ? -ENODEV
		       : errno == EACCES ? -EACCES
		       : errno == EBUSY	 ? -EBUSY
		       : errno == ENOMEM ? -ENOMEM
					 : -EIO;
	code = learn_device(device);
	if (code) {
		close(device->fd);
		return code;
	}
	device->group = group;
	device->next = group->devices;
	group->devices = device;
	return 0;
}

int ward_vfio_open(void *context, const char *name, const struct ward_device_ops **ret_ops,
		   void **ret_device)
{
	struct ward_vfio_backend *backend = context;
	struct ward_vfio_device *device;
	struct ward_vfio_group *group;
	struct ward_address address;
	int code = ward_address_parse(name, &address);

	if (code)
		return -ENOENT;
	device = ward_alloc(sizeof(*device));
	if (!device)
		return -ENOMEM;
	ward_address_format(address, device->name);
	code = ward_vfio_group_get(backend, device->name, &group);
	if (code)
		goto free_device;
	code = open_device(group, device);
	if (code)
		goto put_group;
	*ret_ops = &ward_vfio_device_ops;
	*ret_device = device;
	return 0;

put_group:
	ward_vfio_group_put(group);
free_device:
	free(device);
	return code;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "vfio_group.h"

#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The number of a function's group: the end of a link in sysfs. */
static int read_number(int sysfd, const char *function, uint32_t *ret_number)
{
	char path[96], link[256] = "", *end;
	const char *name;
	unsigned long value;
	struct stat status;
	ssize_t length;

	snprintf(path, sizeof(path), "bus/pci/devices/%s", function);
	if (fstatat(sysfd, path, &status, 0) < 0)
		return errno == EACCES ? -EACCES : -ENOENT;
	snprintf(path, sizeof(path), "bus/pci/devices/%s/iommu_group", function);
	length = readlinkat(sysfd, path, link, sizeof(link) - 1);
	if (length < 0)
		return errno == EACCES ? -EACCES : -ENODEV;
	/* Cut short it could be the number of another group. */
	if (length == sizeof(link) - 1)
		return -EIO;
	name = strrchr(link, '/');
	name = name ? name + 1 : link;
	errno = 0;
	value = strtoul(name, &end, 10);
	if (end == name || *end || errno || value > UINT32_MAX)
		return -EIO;
	*ret_number = (uint32_t)value;
	return 0;
}

static int open_file(int devfd, uint32_t number)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "vfio/%u", number);
	fd = openat(devfd, path, O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	switch (errno) {
	case ENOENT: /* no VFIO driver has a member */
	case ENODEV:
	case ENXIO:
		return -ENODEV;
	case EPERM:
	case EACCES:
		return -EACCES;
	case EBUSY:
		return -EBUSY;
	default:
		return -EIO;
	}
}

static int refused(int error)
{
	switch (error) {
	case EBUSY:
	case ENODEV:
	case ENOMEM:
		return -error;
	case EPERM:
	case EINVAL: /* firmware insists on a 1:1 mapping of a member, so it cannot be blocked */
		return -EPERM;
	default:
		return -EIO;
	}
}

/* A group that is not viable can be opened and refuses only here, with EPERM. */
static int enter_container(struct ward_vfio_group *group)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };

	if (ioctl(group->fd, VFIO_GROUP_GET_STATUS, &status) < 0)
		return -EIO;
	if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return -EPERM;
	group->container = openat(group->backend->devfd, "vfio/vfio", O_RDWR | O_CLOEXEC);
	if (group->container < 0)
		return errno == EACCES ? -EACCES : -EIO;
	if (ioctl(group->fd, VFIO_GROUP_SET_CONTAINER, &group->container) < 0)
		return refused(errno);
	if (ioctl(group->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) == 0)
		return 0;
	/* EPERM: interrupts are not isolated, and allow_unsafe_interrupts is off. */
	return errno == EPERM ? -EPERM : errno == ENOMEM ? -ENOMEM : -EIO;
}

static void close_group(struct ward_vfio_group *group)
{
	/* Closing the group takes it out of its container. */
	if (group->fd >= 0)
		close(group->fd);
	if (group->container >= 0)
		close(group->container);
	free(group);
}

static int open_group(struct ward_vfio_backend *backend, uint32_t number,
		      struct ward_vfio_group **ret_group)
{
	struct ward_vfio_group *group = ward_alloc(sizeof(*group));
	int code = 0;

	if (!group)
		return -ENOMEM;
	group->backend = backend;
	group->number = number;
	group->container = -1;
	group->fd = open_file(backend->devfd, number);
	if (group->fd < 0)
		code = group->fd;
	if (!code)
		code = enter_container(group);
	if (!code)
		code = ward_vfio_group_learn(group);
	if (code) {
		close_group(group);
		return code;
	}
	group->next = backend->groups;
	backend->groups = group;
	*ret_group = group;
	return 0;
}

int ward_vfio_group_get(struct ward_vfio_backend *backend, const char *function,
			struct ward_vfio_group **ret_group)
{
	uint32_t number;
	int code = read_number(backend->sysfd, function, &number);

	if (code)
		return code;
	for (struct ward_vfio_group *group = backend->groups; group; group = group->next) {
		if (group->number == number) {
			*ret_group = group;
			return 0;
		}
	}
	return open_group(backend, number, ret_group);
}

void ward_vfio_group_put(struct ward_vfio_group *group)
{
	struct ward_vfio_group **at = &group->backend->groups;

	if (group->devices)
		return;
	while (*at != group)
		at = &(*at)->next;
	*at = group->next;
	close_group(group);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Takes one function the way a VM monitor does, by its group, and gives it back.
 *
 * Usage: vfio-attach 0000:01:00.0. Prints "attached", or the step that was refused and why:
 * "group", "open", "container", "iommu" or "device", and the name of the errno.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int refused(const char *step)
{
	printf("%s %s\n", step, strerrorname_np(errno));
	return 1;
}

/* Opens the group's file; its name is the end of a link. */
static int open_group(const char *function)
{
	char link[128], path[PATH_MAX] = "", file[64];
	const char *number;

	snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s/iommu_group", function);
	if (readlink(link, path, sizeof(path) - 1) < 0)
		return -refused("group");
	number = strrchr(path, '/');
	snprintf(file, sizeof(file), "/dev/vfio/%.20s", number ? number + 1 : path);
	if (access(file, F_OK) < 0)
		return -refused("open");
	return open(file, O_RDWR | O_CLOEXEC);
}

int main(int argc, char **argv)
{
	int container, group;

	if (argc != 2)
		return 2;
	group = open_group(argv[1]);
	if (group < 0)
		return 1;
	container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (container < 0 || ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) < 0)
		return refused("container");
	if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
		return refused("iommu");
	if (ioctl(group, VFIO_GROUP_GET_DEVICE_FD, argv[1]) < 0)
		return refused("device");
	printf("attached\n");
	return 0;
}

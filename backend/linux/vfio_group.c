// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "vfio_group.h"

#include "base/error.h"
#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Default of the parameter dma_entry_limit (Linux drivers/vfio/vfio_iommu_type1.c). */
#define DMA_ENTRY_LIMIT 65535u

static void destroy_backend(void *context)
{
	struct ward_vfio_backend *backend = context;

	for (struct ward_vfio_space *space = backend->spaces; space; space = space->next)
		space->backend = NULL;
	free(backend);
}

static const struct ward_backend_ops vfio_group_ops = {
	.name = "vfio-group",
	.space = ward_vfio_space,
	.open = ward_vfio_open,
	.destroy = destroy_backend,
};

/* How many mappings one container takes. */
static uint64_t read_entry_limit(int sysfd)
{
	char text[32] = "";
	int fd = openat(sysfd, "module/vfio_iommu_type1/parameters/dma_entry_limit",
			O_RDONLY | O_CLOEXEC);
	unsigned long long value;
	ssize_t got;

	if (fd < 0)
		return DMA_ENTRY_LIMIT;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (got <= 0)
		return DMA_ENTRY_LIMIT;
	value = strtoull(text, NULL, 10);
	return value ? value : DMA_ENTRY_LIMIT;
}

static int check_container(int devfd, struct ward_error *error)
{
	int fd = openat(devfd, "vfio/vfio", O_RDWR | O_CLOEXEC), code = 0;

	if (fd < 0 && (errno == EACCES || errno == EPERM))
		return ward_fail(error, -EACCES, "no permission to open /dev/vfio/vfio");
	if (fd < 0 && errno != ENOENT && errno != ENODEV && errno != ENXIO)
		return ward_fail(error, -EIO, "/dev/vfio/vfio cannot be opened (error %d)", errno);
	if (fd < 0)
		return ward_fail(error, -ENOENT, "there is no /dev/vfio/vfio: VFIO is not loaded");
	if (ioctl(fd, VFIO_GET_API_VERSION) != VFIO_API_VERSION ||
	    ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) <= 0 ||
	    ioctl(fd, VFIO_CHECK_EXTENSION, VFIO_UNMAP_ALL) <= 0)
		code = ward_fail(error, -EOPNOTSUPP,
				 "VFIO has no type1v2 with unmap-all: vfio_iommu_type1 is not "
				 "loaded, or older than Linux 5.12");
	close(fd);
	return code;
}

int ward_backend_vfio_group(int devfd, int sysfd, struct ward_backend **ret_backend,
			    struct ward_error *ret_error)
{
	struct ward_vfio_backend *backend;
	int code = check_container(devfd, ret_error);

	if (code)
		return code;
	backend = ward_alloc(sizeof(*backend));
	if (!backend)
		return ward_fail(ret_error, -ENOMEM, "no memory");
	backend->devfd = devfd;
	backend->sysfd = sysfd;
	backend->mappings_max = read_entry_limit(sysfd);
	code = ward_backend_create(&vfio_group_ops, backend, ret_backend);
	if (code) {
		free(backend);
		return ward_fail(ret_error, code, "no memory");
	}
	return 0;
}

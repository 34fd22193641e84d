/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * VFIO by group and container. Every group has a container of its own, made when the first device
 * of the group is opened and empty as long as none is attached: empty is blocked. A space is
 * carried out by every container that is in it. So a device moves to another space without being
 * closed, which would reset it: its container is emptied and filled anew.
 *
 *	vfio_group.c		the backend: which groups, spaces and limits there are
 *	vfio_group_open.c	a group and its container, opened and closed
 *	vfio_group_info.c	what a container can map: its valid ranges
 *	vfio_group_space.c	mappings
 *	vfio_group_device.c	devices: attach, registers, reset
 */
#ifndef BACKEND_LINUX_VFIO_GROUP_H
#define BACKEND_LINUX_VFIO_GROUP_H

#include "uapi.h"

#include <doorward/backend.h>
#include <doorward/backend/interface.h>

/* Holes between valid ranges that a container may have; the kernel has a handful. */
#define WARD_VFIO_HOLES_MAX 64

struct ward_vfio_backend {
	int devfd, sysfd;
	struct ward_vfio_group *groups;
	struct ward_vfio_space *spaces;
	uint64_t mappings_max;
};

struct ward_vfio_group {
	struct ward_vfio_group *next;
	struct ward_vfio_backend *backend;
	uint32_t number;
	int fd, container;
	struct ward_vfio_device *devices;
	uint64_t page_sizes;
	struct ward_reserved holes[WARD_VFIO_HOLES_MAX];
	uint32_t holes_count;
	/* The space it is in, borrowed from the attached devices, and how many those are. */
	struct ward_space *space;
	struct ward_vfio_space *carried;
	uint32_t attached;
	/* Next group in the same space. */
	struct ward_vfio_group *beside;
};

struct ward_vfio_space {
	struct ward_vfio_space *next;
	struct ward_vfio_backend *backend; /* NULL: it was destroyed before the space */
	struct ward_vfio_group *groups;
	enum ward_space_kind kind;
};

struct ward_vfio_region {
	uint64_t size, offset;
};

struct ward_vfio_device {
	struct ward_vfio_device *next;
	struct ward_vfio_group *group;
	char name[WARD_ADDRESS_TEXT];
	int fd;
	bool attached;
	bool resets;
	struct ward_vfio_region region[WARD_DEVICE_REGIONS];
};

extern const struct ward_space_ops ward_vfio_space_ops;
extern const struct ward_device_ops ward_vfio_device_ops;

int ward_vfio_group_get(struct ward_vfio_backend *backend, const char *function,
			struct ward_vfio_group **ret_group);
/* Closes it unless a device is open. */
void ward_vfio_group_put(struct ward_vfio_group *group);
/* Fills page_sizes and holes. */
int ward_vfio_group_learn(struct ward_vfio_group *group);

int ward_vfio_open(void *backend, const char *name, const struct ward_device_ops **ret_ops,
		   void **ret_device);
int ward_vfio_space(void *backend, struct ward_space_options *options);

/* Puts every mapping of a space into a container, or takes all out of it. */
int ward_vfio_fill(struct ward_vfio_group *group, const struct ward_space *space);
int ward_vfio_empty(const struct ward_vfio_group *group);

#endif

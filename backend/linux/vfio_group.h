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
 *	vfio_group_irq.c	interrupts: host vectors and eventfds
 *	vfio_group_msix.c	the hardware's MSI-X table, through the BAR that it lies in
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
	/*
	 * It maps, or may map, what nobody asked for any more, and the kernel did not take it back: nothing
	 * is mapped beside that before it was emptied.
	 */
	bool spoiled;
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

/* A host vector, as far as we made it so. */
struct ward_vfio_vector {
	bool allocated;
	int eventfd; /* or -1 */
	/* MSI-X: its address was replaced, by this one; the kernel's own is kept. */
	bool replaced;
	ward_iova_t address, kernels;
};

/* Vectors of one index, from 0; those beyond count were never touched. */
struct ward_vfio_vectors {
	struct ward_vfio_vector *vector;
	size_t count, room;
};

/* The MSI-X table; mapped when it is needed first. */
struct ward_vfio_table {
	bool looked;
	int code; /* of looking: why there is none */
	unsigned char *mapped;
	size_t mapped_size;
	volatile uint32_t *entries; /* four words each */
	uint32_t count;
	uint32_t power; /* offset of the power management capability, or 0 */
};

struct ward_vfio_device {
	struct ward_vfio_device *next;
	struct ward_vfio_group *group;
	char name[WARD_ADDRESS_TEXT];
	int fd;
	bool attached;
	bool resets;
	struct ward_vfio_region region[WARD_DEVICE_REGIONS];
	struct ward_vfio_vectors irqs[WARD_IRQS_COUNT];
	struct ward_vfio_table table;
	uint32_t replaced; /* vectors whose address was replaced */
};

extern const struct ward_space_ops ward_vfio_space_ops;
extern const struct ward_device_ops ward_vfio_device_ops;
extern const struct ward_irq_ops ward_vfio_irq_ops;

int ward_vfio_group_get(struct ward_vfio_backend *backend, const char *function,
			struct ward_vfio_group **ret_group);
/* Closes it unless a device is open. */
void ward_vfio_group_put(struct ward_vfio_group *group);
/* Fills page_sizes and holes. */
int ward_vfio_group_learn(struct ward_vfio_group *group);

int ward_vfio_open(void *backend, const char *name, const struct ward_device_ops **ret_ops,
		   void **ret_device);
int ward_vfio_space(void *backend, struct ward_space_options *options);

/*
 * Where a capability of an answer of size bytes begins, in a chain from `first` on; 0: nowhere. The
 * chain is the kernel's, but its offsets are checked like anybody's. They are multiples of 4 only
 * before Linux 6.6, so what is there has to be copied out.
 */
uint32_t ward_vfio_find_capability(const void *info, uint32_t size, uint32_t first, uint16_t id);

/* Puts every mapping of a space into a container that has none, or takes all out of it. */
int ward_vfio_fill(struct ward_vfio_group *group, const struct ward_space *space);
int ward_vfio_empty(struct ward_vfio_group *group);

void ward_vfio_irqs_close(struct ward_vfio_device *device);
int ward_vfio_set_messages(void *context, enum ward_message_way way, uint32_t index, uint32_t start,
			   uint32_t count, const ward_iova_t *iovas, struct ward_error *ret_error);
/*
 * Puts replaced addresses back after the kernel wrote the table, of vectors start to start + count - 1.
 * Where memory decoding is off it does nothing: a write to config space calls it again. An address is
 * given up where the kernel wrote another than before. 0 or -EIO.
 */
int ward_vfio_replace_again(struct ward_vfio_device *device, uint32_t start, uint32_t count);
/* The message in the table. -EOPNOTSUPP: it cannot be seen; -EIO. */
int ward_vfio_table_read(struct ward_vfio_device *device, uint32_t vector,
			 struct ward_message *ret_message);
/* Writes an address into the table, and looks that it is there: else nothing has changed. */
int ward_vfio_table_write(struct ward_vfio_device *device, uint32_t vector, ward_iova_t address);
void ward_vfio_table_close(struct ward_vfio_table *table);

#endif

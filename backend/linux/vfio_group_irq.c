// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Linux include/uapi/linux/vfio.h (VFIO_DEVICE_SET_IRQS), drivers/vfio/pci/vfio_pci_intrs.c. */
#include "vfio_group.h"

#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

static int info(void *context, uint32_t index, struct ward_irq_info *ret_info)
{
	struct ward_vfio_device *device = context;
	struct vfio_irq_info known = { .argsz = sizeof(known), .index = index };

	/* EINVAL: this device has no such index (ERROR is for PCI Express alone); not a mistake. */
	if (ioctl(device->fd, VFIO_DEVICE_GET_IRQ_INFO, &known) < 0) {
		if (errno != EINVAL || index >= WARD_IRQS_COUNT)
			return errno == EINVAL ? -EINVAL : -EIO;
		known.flags = 0;
		known.count = 0;
	}
	ret_info->flags = known.flags & (WARD_IRQ_INFO_EVENTFD | WARD_IRQ_INFO_MASKABLE |
					 WARD_IRQ_INFO_AUTOMASKED | WARD_IRQ_INFO_NORESIZE);
	ret_info->count = known.count;
	return 0;
}

/* Room for vectors up to `count`, before the kernel is asked: after it nothing may fail. */
static int reserve(struct ward_vfio_vectors *vectors, size_t count)
{
	void *array = vectors->vector;
	int code = ward_array_reserve(&array, &vectors->room, count, sizeof(*vectors->vector));

	if (code)
		return code;
	vectors->vector = array;
	for (; vectors->count < count; vectors->count++)
		vectors->vector[vectors->count] = (struct ward_vfio_vector){ .eventfd = -1 };
	return 0;
}

static bool is_active(const struct ward_vfio_vectors *vectors)
{
	for (size_t i = 0; i < vectors->count; i++)
		if (vectors->vector[i].allocated)
			return true;
	return false;
}

static void forget_all(struct ward_vfio_device *device, uint32_t index)
{
	device->irqs[index].count = 0;
	if (index == WARD_IRQS_MSIX)
		device->replaced = 0;
}

static int eventfd_at(const struct ward_irq_set *set, uint32_t i)
{
	int32_t fd;

	memcpy(&fd, (const unsigned char *)set->data + i * sizeof(fd), sizeof(fd));
	return fd < 0 ? -1 : fd;
}

/* The first time all vectors up to the last are allocated, later (dynamic MSI-X) one by one. */
static void note_eventfds(struct ward_vfio_vectors *vectors, const struct ward_irq_set *set)
{
	bool first = !is_active(vectors);

	for (uint32_t i = 0; first && i < set->start + set->count; i++)
		vectors->vector[i].allocated = true;
	for (uint32_t i = 0; i < set->count; i++) {
		struct ward_vfio_vector *vector = &vectors->vector[set->start + i];

		vector->eventfd = eventfd_at(set, i);
		vector->allocated |= vector->eventfd >= 0;
	}
}

/*
 * An error disables what was not active before; else it takes away the eventfds up to the one that was
 * refused. Which one that was the kernel says only where a descriptor is not open: otherwise
 * all that were asked for count as gone.
 */
static void note_failure(struct ward_vfio_device *device, const struct ward_irq_set *set)
{
	struct ward_vfio_vectors *vectors = &device->irqs[set->index];

	if (!(set->flags & WARD_IRQ_TRIGGER) || !(set->flags & WARD_IRQ_DATA_EVENTFD))
		return;
	if (!is_active(vectors)) {
		forget_all(device, set->index);
		return;
	}
	for (uint32_t i = 0; i < set->count; i++) {
		int fd = eventfd_at(set, i);

		if (set->start + i < vectors->count)
			vectors->vector[set->start + i].eventfd = -1;
		if (fd >= 0 && fcntl(fd, F_GETFD) < 0)
			break;
	}
}

static int note_success(struct ward_vfio_device *device, const struct ward_irq_set *set)
{
	if (!(set->flags & WARD_IRQ_TRIGGER))
		return 0;
	if (set->flags & WARD_IRQ_DATA_NONE && set->count == 0)
		forget_all(device, set->index);
	if (!(set->flags & WARD_IRQ_DATA_EVENTFD))
		return 0;
	note_eventfds(&device->irqs[set->index], set);
	/* The kernel writes its own message each time. */
	if (set->index == WARD_IRQS_MSIX)
		return ward_vfio_replace_again(device, set->start, set->count);
	return 0;
}

static int code_of(int error)
{
	switch (error) {
	case EINVAL:
	case ENOTTY:
	case EBADF:
	case EBUSY: /* an unmask eventfd is there already */
	case ENOSPC:
	case ERANGE:
	case ENODEV:
	case ENOMEM:
		return -error;
	default:
		return -EIO;
	}
}

static size_t size_of_data(const struct ward_irq_set *set)
{
	if (set->flags & WARD_IRQ_DATA_EVENTFD)
		return set->count * sizeof(int32_t);
	return set->flags & WARD_IRQ_DATA_BOOL ? set->count : 0;
}

static int set(void *context, const struct ward_irq_set *set)
{
	struct ward_vfio_device *device = context;
	size_t size = size_of_data(set);
	struct vfio_irq_set *asked = ward_alloc(sizeof(*asked) + size);
	int code = asked ? reserve(&device->irqs[set->index], (size_t)set->start + set->count)
			 : -ENOMEM;

	if (code) {
		free(asked);
		return code;
	}
	asked->argsz = (uint32_t)(sizeof(*asked) + size);
	asked->flags = set->flags;
	asked->index = set->index;
	asked->start = set->start;
	asked->count = set->count;
	if (size)
		memcpy(asked->data, set->data, size);
	code = ioctl(device->fd, VFIO_DEVICE_SET_IRQS, asked);
	if (code < 0) {
		code = code_of(errno);
		note_failure(device, set);
	} else if (code == 0) {
		code = note_success(device, set);
	}
	free(asked);
	return code;
}

/* Where the message is seen; which interrupt of the host that is, the kernel tells nobody. */
static int get(void *context, uint32_t index, uint32_t number, struct ward_host_irq *ret_irq)
{
	struct ward_vfio_device *device = context;
	const struct ward_vfio_vectors *vectors = &device->irqs[index];
	struct ward_host_irq irq = { .eventfd = -1, .controller = WARD_NONE, .number = WARD_NONE };

	if (number < vectors->count) {
		const struct ward_vfio_vector *vector = &vectors->vector[number];

		irq.allocated = vector->allocated;
		irq.eventfd = vector->eventfd;
		if (index == WARD_IRQS_MSIX && vector->allocated)
			irq.message_known = ward_vfio_table_read(device, number, &irq.message) == 0;
		irq.prepared = irq.message_known && vector->replaced &&
			       irq.message.address == vector->address;
	}
	*ret_irq = irq;
	return 0;
}

const struct ward_irq_ops ward_vfio_irq_ops = {
	.info = info,
	.set = set,
	.set_messages = ward_vfio_set_messages,
	.get = get,
};

void ward_vfio_irqs_close(struct ward_vfio_device *device)
{
	for (uint32_t i = 0; i < WARD_IRQS_COUNT; i++)
		free(device->irqs[i].vector);
	ward_vfio_table_close(&device->table);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What does not depend on what is enabled now is checked here, in VFIO's order (Linux
 * drivers/vfio/vfio_main.c, vfio_set_irqs_validate_and_prepare; drivers/vfio/pci/vfio_pci_core.c and
 * vfio_pci_intrs.c, which action an index has).
 */
#include "device.h"

#include "base/error.h"

#include <errno.h>

#define DATA (WARD_IRQ_DATA_NONE | WARD_IRQ_DATA_BOOL | WARD_IRQ_DATA_EVENTFD)
#define ACTIONS (WARD_IRQ_MASK | WARD_IRQ_UNMASK | WARD_IRQ_TRIGGER)

/* The actions that an index has. */
static const uint32_t actions_of[WARD_IRQS_COUNT] = {
	[WARD_IRQS_INTX] = ACTIONS,
	[WARD_IRQS_MSI] = WARD_IRQ_TRIGGER,
	[WARD_IRQS_MSIX] = WARD_IRQ_TRIGGER,
	[WARD_IRQS_ERROR] = WARD_IRQ_TRIGGER,
	[WARD_IRQS_REQUEST] = WARD_IRQ_TRIGGER,
};

static bool is_one_bit(uint32_t bits)
{
	return bits && !(bits & (bits - 1));
}

int ward_device_irq_info(struct ward_device *device, uint32_t index, struct ward_irq_info *ret_info)
{
	struct ward_irq_info info = { 0 };
	int code = 0;

	if (index >= WARD_IRQS_COUNT)
		return -EINVAL;
	if (device->ops->irq)
		code = device->ops->irq->info(device->context, index, &info);
	if (!code)
		*ret_info = info;
	return code;
}

/* Bytes of data for one vector. */
static size_t element_size(uint32_t flags)
{
	return flags & WARD_IRQ_DATA_EVENTFD ? sizeof(int32_t) : flags & WARD_IRQ_DATA_BOOL ? 1 : 0;
}

static int check_range(struct ward_device *device, uint32_t index, uint32_t start, uint32_t count)
{
	struct ward_irq_info info;
	int code;

	if (index >= WARD_IRQS_COUNT || count >= UINT32_MAX - start)
		return -EINVAL;
	/* What cannot be described has no vectors. */
	code = ward_device_irq_info(device, index, &info);
	if (code)
		return code;
	return start >= info.count || count > info.count - start ? -EINVAL : 0;
}

static int check_set(struct ward_device *device, const struct ward_irq_set *set)
{
	size_t size = element_size(set->flags) * (size_t)set->count;
	int code;

	if (set->flags & ~(DATA | ACTIONS))
		return -EINVAL;
	code = check_range(device, set->index, set->start, set->count);
	if (code)
		return code;
	if (!is_one_bit(set->flags & DATA) || set->data_size < size || (size && !set->data))
		return -EINVAL;
	if (!is_one_bit(set->flags & ACTIONS) || !(set->flags & actions_of[set->index]))
		return -ENOTTY;
	return 0;
}

int ward_device_set_irqs(struct ward_device *device, const struct ward_irq_set *set)
{
	int code = set ? check_set(device, set) : -EINVAL;

	return code ? code : device->ops->irq->set(device->context, set);
}

static bool is_attached(const struct ward_device *device)
{
	for (const struct ward_attachment *at = device->attachments; at; at = at->next)
		if (at->pasid == WARD_PASID_NONE)
			return true;
	return false;
}

int ward_device_set_messages(struct ward_device *device, enum ward_message_way way, uint32_t index,
			     uint32_t start, uint32_t count, const ward_iova_t *iovas,
			     struct ward_error *ret_error)
{
	bool forget = way == WARD_MESSAGE_PREPARE && !count;
	int code;

	if (way != WARD_MESSAGE_PREPARE && way != WARD_MESSAGE_OVERRIDE)
		return ward_fail(ret_error, -EINVAL, "there is no such way of setting a message");
	if (index != WARD_IRQS_MSI && index != WARD_IRQS_MSIX)
		return ward_fail(ret_error, -EINVAL, "only MSI and MSI-X have messages");
	code = check_range(device, index, start, count);
	if (code)
		return ward_fail(ret_error, code, "it has no such vectors");
	if (!forget && (!count || !iovas))
		return ward_fail(ret_error, -EINVAL, "no addresses");
	if (!forget && !is_attached(device))
		return ward_fail(ret_error, -EINVAL, "it is in no space");
	for (uint32_t i = 1; index == WARD_IRQS_MSI && i < count; i++)
		if (ward_iova_raw(iovas[i]) != ward_iova_raw(iovas[0]))
			return ward_fail(ret_error, -EINVAL,
					 "vector %u: MSI has one address for all its vectors",
					 start + i);
	return device->ops->irq->set_messages(device->context, way, index, start, count, iovas,
					      ret_error);
}

int ward_device_irq(struct ward_device *device, uint32_t index, uint32_t vector,
		    struct ward_host_irq *ret_irq)
{
	struct ward_host_irq irq = {
		.eventfd = -1,
		.controller = WARD_NONE,
		.number = WARD_NONE,
	};
	int code = check_range(device, index, vector, 1);

	if (!code)
		code = device->ops->irq->get(device->context, index, vector, &irq);
	if (!code)
		*ret_irq = irq;
	return code;
}

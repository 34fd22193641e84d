// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * SET_IRQS as vfio-pci has it (Linux drivers/vfio/pci/vfio_pci_intrs.c): what may be done depends on
 * what is enabled. The library has checked the rest (backend/device_irq.c).
 */
#include "irq.h"

#include <errno.h>
#include <string.h>

static int32_t fd_at(const struct ward_irq_set *set, uint32_t i)
{
	int32_t fd;

	memcpy(&fd, (const uint8_t *)set->data + i * sizeof(fd), sizeof(fd));
	return fd;
}

/* Whether vector start + i of a loopback is meant. */
static bool is_meant(const struct ward_irq_set *set, uint32_t i)
{
	return set->flags & WARD_IRQ_DATA_NONE || ((const uint8_t *)set->data)[i];
}

/* One that fails takes back what it has done: those are without an eventfd then. */
static int set_block(struct ward_model_irqs *irqs, const struct ward_irq_set *set)
{
	int code = 0;
	uint32_t i;

	for (i = 0; i < set->count && !code; i++)
		code = ward_model_vector_signal(irqs, set->start + i, fd_at(set, i));
	for (uint32_t done = 0; code && done < i; done++)
		ward_model_vector_signal(irqs, set->start + done, -1);
	return code;
}

static int enable(struct ward_model_irqs *irqs, const struct ward_irq_set *set)
{
	int code = ward_model_vectors_enable(irqs, set->index, set->start + set->count);

	if (code)
		return code;
	code = set_block(irqs, set);
	if (code)
		ward_model_vectors_disable(irqs);
	return code;
}

static int set_vectors(struct ward_model_irqs *irqs, const struct ward_irq_set *set)
{
	bool active = irqs->active == set->index;

	if (active && !set->count && set->flags & WARD_IRQ_DATA_NONE) {
		ward_model_vectors_disable(irqs);
		return 0;
	}
	if (!active && irqs->active != WARD_NONE)
		return -EINVAL;
	if (set->flags & WARD_IRQ_DATA_EVENTFD)
		return active ? set_block(irqs, set) : enable(irqs, set);
	if (!active)
		return -EINVAL;
	for (uint32_t i = 0; i < set->count; i++)
		if (is_meant(set, i))
			ward_eventfd_signal(irqs->vectors[set->index][set->start + i].eventfd);
	return 0;
}

/* ERROR and REQUEST: one eventfd, on its own. */
static int set_event(struct ward_model_irqs *irqs, const struct ward_irq_set *set)
{
	int *eventfd = &irqs->eventfd[set->index], copy, code;
	int32_t fd;

	if (set->start || set->count > 1)
		return -EINVAL;
	if (set->flags & WARD_IRQ_DATA_NONE) {
		if (*eventfd < 0)
			return -EINVAL;
		if (set->count) {
			ward_eventfd_signal(*eventfd);
			return 0;
		}
		ward_eventfd_drop(eventfd);
		irqs->given[set->index] = -1;
		return 0;
	}
	if (!set->count)
		return -EINVAL;
	if (set->flags & WARD_IRQ_DATA_BOOL) {
		if (is_meant(set, 0))
			ward_eventfd_signal(*eventfd);
		return 0;
	}
	fd = fd_at(set, 0);
	if (fd < -1)
		return -EINVAL;
	code = fd < 0 ? 0 : ward_eventfd_take(fd, &copy);
	if (code)
		return code;
	ward_eventfd_drop(eventfd);
	*eventfd = fd < 0 ? -1 : copy;
	irqs->given[set->index] = fd;
	return 0;
}

int ward_model_irq_set(void *context, const struct ward_irq_set *set)
{
	struct ward_model_device *device = context;

	switch (set->index) {
	case WARD_IRQS_INTX:
		return ward_model_intx_set(device->irqs, set);
	case WARD_IRQS_MSI:
	case WARD_IRQS_MSIX:
		return set_vectors(device->irqs, set);
	default:
		return set_event(device->irqs, set);
	}
}

void ward_model_irqs_disable(struct ward_model_irqs *irqs)
{
	if (irqs->active == WARD_IRQS_INTX)
		ward_model_intx_disable(irqs);
	else if (irqs->active != WARD_NONE)
		ward_model_vectors_disable(irqs);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * INTx: the host masks the line before it tells of it, and whoever was told unmasks. What is still high
 * then fires again. The command register's Interrupt Disable (PCI 3.0, 6.2.2) holds it back, too.
 * Linux drivers/vfio/pci/vfio_pci_intrs.c; drivers/vfio/virqfd.c for the unmask eventfd.
 */
#include "irq.h"

#include <errno.h>
#include <string.h>

#define CONFIG_REGION 7u
#define COMMAND 4u
#define INTERRUPT_DISABLE 0x400u

bool ward_model_intx_held_back(const struct ward_model_irqs *irqs)
{
	const struct ward_model_device *device = irqs->device;
	uint8_t command[2] = { 0 };

	ward_emul_read(device->model->emul, device->function, CONFIG_REGION, COMMAND, command,
		       sizeof(command));
	return (command[0] | command[1] << 8) & INTERRUPT_DISABLE;
}

void ward_model_intx_look(struct ward_model_irqs *irqs)
{
	const struct ward_model_device *device = irqs->device;

	/* Without somebody to tell there is no handler that could mask it, either. */
	if (irqs->active != WARD_IRQS_INTX || irqs->masked || irqs->eventfd[WARD_IRQS_INTX] < 0 ||
	    !device->model->host->lines[device->function] ||
	    ward_emul_frozen(device->model->emul, device->function) ||
	    ward_model_intx_held_back(irqs))
		return;
	irqs->masked = true;
	ward_eventfd_signal(irqs->eventfd[WARD_IRQS_INTX]);
}

static void unmask(struct ward_model_irqs *irqs)
{
	irqs->masked = false;
	ward_model_intx_look(irqs);
}

/* As VFIO's view of the bit (drivers/vfio/pci/vfio_pci_config.c): taken away, it unmasks, too. */
void ward_model_intx_let_go(struct ward_model_irqs *irqs)
{
	if (irqs->active == WARD_IRQS_INTX && !ward_model_intx_held_back(irqs))
		unmask(irqs);
}

bool ward_model_intx_resample(struct ward_model_irqs *irqs)
{
	if (irqs->active != WARD_IRQS_INTX || !ward_eventfd_consume(irqs->unmask))
		return false;
	unmask(irqs);
	return true;
}

static int fd_of(const struct ward_irq_set *set)
{
	int32_t fd;

	memcpy(&fd, set->data, sizeof(fd));
	return fd;
}

static int set_unmask_eventfd(struct ward_model_irqs *irqs, int fd)
{
	int copy, code;

	if (fd < 0) {
		ward_eventfd_drop(&irqs->unmask);
		return 0;
	}
	code = ward_eventfd_take(fd, &copy);
	if (code)
		return code;
	/* One at a time: the former is taken away first (vfio_virqfd_enable). */
	if (irqs->unmask >= 0) {
		ward_eventfd_drop(&copy);
		return -EBUSY;
	}
	irqs->unmask = copy;
	ward_model_intx_resample(irqs);
	return 0;
}

static int set_mask(struct ward_model_irqs *irqs, const struct ward_irq_set *set)
{
	bool meant = set->flags & WARD_IRQ_DATA_NONE;

	if (irqs->active != WARD_IRQS_INTX || set->start || set->count != 1)
		return -EINVAL;
	if (set->flags & WARD_IRQ_DATA_EVENTFD)
		return set->flags & WARD_IRQ_MASK ? -ENOTTY : set_unmask_eventfd(irqs, fd_of(set));
	if (set->flags & WARD_IRQ_DATA_BOOL)
		meant = *(const uint8_t *)set->data;
	if (meant && set->flags & WARD_IRQ_MASK)
		irqs->masked = true;
	else if (meant)
		unmask(irqs);
	return 0;
}

static int set_eventfd(struct ward_model_irqs *irqs, int fd)
{
	int copy = -1, code = fd < 0 ? 0 : ward_eventfd_take(fd, &copy);

	if (code)
		return code;
	ward_eventfd_drop(&irqs->eventfd[WARD_IRQS_INTX]);
	irqs->eventfd[WARD_IRQS_INTX] = copy;
	irqs->given[WARD_IRQS_INTX] = fd < 0 ? -1 : fd;
	if (irqs->active == WARD_NONE) {
		irqs->active = WARD_IRQS_INTX;
		irqs->masked = false;
	}
	ward_model_intx_look(irqs);
	return 0;
}

void ward_model_intx_disable(struct ward_model_irqs *irqs)
{
	ward_eventfd_drop(&irqs->eventfd[WARD_IRQS_INTX]);
	ward_eventfd_drop(&irqs->unmask);
	irqs->given[WARD_IRQS_INTX] = -1;
	irqs->active = WARD_NONE;
}

int ward_model_intx_set(struct ward_model_irqs *irqs, const struct ward_irq_set *set)
{
	bool active = irqs->active == WARD_IRQS_INTX, meant = set->flags & WARD_IRQ_DATA_NONE;

	if (!(set->flags & WARD_IRQ_TRIGGER))
		return set_mask(irqs, set);
	if (active && !set->count && meant) {
		ward_model_intx_disable(irqs);
		return 0;
	}
	if ((!active && irqs->active != WARD_NONE) || set->start || set->count != 1)
		return -EINVAL;
	if (set->flags & WARD_IRQ_DATA_EVENTFD)
		return set_eventfd(irqs, fd_of(set));
	if (!active)
		return -EINVAL;
	if (set->flags & WARD_IRQ_DATA_BOOL)
		meant = *(const uint8_t *)set->data;
	/* As the host's handler does it: one that Interrupt Disable holds back is not told. */
	if (meant && !ward_model_intx_held_back(irqs))
		ward_eventfd_signal(irqs->eventfd[WARD_IRQS_INTX]);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "irq.h"

#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>

uint32_t ward_model_irq_count(const struct ward_model_device *device, uint32_t index)
{
	const struct ward_function *f = &device->model->facts->functions[device->function];
	bool pci = f->kind == WARD_FUNCTION_PCI;

	switch (index) {
	case WARD_IRQS_INTX:
		return pci && f->intx_pin ? 1 : 0;
	case WARD_IRQS_MSI:
		return ward_emul_msi_vectors(device->model->emul, device->function);
	case WARD_IRQS_MSIX:
		return ward_emul_msix_vectors(device->model->emul, device->function);
	case WARD_IRQS_ERROR:
		return pci && f->pcie_type != WARD_PCIE_NONE ? 1 : 0;
	default:
		return 1;
	}
}

static int info(void *context, uint32_t index, struct ward_irq_info *ret_info)
{
	const struct ward_model_device *device = context;
	const struct ward_model_chip *chip = ward_model_chip_of(device->model, device->function);

	ret_info->count = ward_model_irq_count(device, index);
	/* As vfio-pci: only a PCIe function has errors to report. */
	if (index == WARD_IRQS_ERROR && !ret_info->count)
		return -EINVAL;
	ret_info->flags = WARD_IRQ_INFO_EVENTFD;
	if (index == WARD_IRQS_INTX)
		ret_info->flags |= WARD_IRQ_INFO_MASKABLE | WARD_IRQ_INFO_AUTOMASKED;
	else if (index != WARD_IRQS_MSIX || !chip || !chip->ops->dynamic)
		ret_info->flags |= WARD_IRQ_INFO_NORESIZE;
	return 0;
}

static int get_vector(const struct ward_model_irqs *irqs, uint32_t index, uint32_t vector,
		      struct ward_host_irq *ret_irq)
{
	const struct ward_model_device *device = irqs->device;
	const struct ward_model_vector *v;
	struct ward_vector registers;

	if (!irqs->vectors[index])
		return 0;
	v = &irqs->vectors[index][vector];
	ret_irq->prepared = v->prepared || v->overridden;
	if (!v->allocated)
		return 0;
	ret_irq->allocated = true;
	ret_irq->eventfd = v->given;
	ret_irq->controller = v->controller;
	ret_irq->number = v->number;
	if (!ward_vectors_get(ward_emul_vectors(device->model->emul, device->function), vector,
			      &registers)) {
		ret_irq->message_known = true;
		ret_irq->message = registers.message;
	}
	return 0;
}

static int get(void *context, uint32_t index, uint32_t vector, struct ward_host_irq *ret_irq)
{
	const struct ward_model_device *device = context;

	if (index == WARD_IRQS_MSI || index == WARD_IRQS_MSIX)
		return get_vector(device->irqs, index, vector, ret_irq);
	ret_irq->eventfd = device->irqs->given[index];
	return 0;
}

const struct ward_irq_ops ward_model_irq_ops = {
	.info = info,
	.set = ward_model_irq_set,
	.set_messages = ward_model_set_messages,
	.get = get,
};

struct ward_model_irqs *ward_model_irqs_create(struct ward_model_device *device)
{
	struct ward_model_irqs *irqs = ward_alloc(sizeof(*irqs));

	if (!irqs)
		return NULL;
	irqs->device = device;
	irqs->active = WARD_NONE;
	irqs->unmask = -1;
	for (uint32_t i = 0; i < WARD_IRQS_COUNT; i++)
		irqs->eventfd[i] = irqs->given[i] = -1;
	return irqs;
}

/* What waits in the table is nobody's: it is not to be the first interrupt of the next owner. */
static void drop_pending(const struct ward_model_device *device)
{
	struct ward_vectors *registers = ward_emul_vectors(device->model->emul, device->function);

	for (uint32_t i = 0; i < ward_model_irq_count(device, WARD_IRQS_MSIX); i++)
		ward_vectors_set_pending(registers, i, false);
}

void ward_model_irqs_destroy(struct ward_model_irqs *irqs)
{
	if (!irqs)
		return;
	ward_model_irqs_disable(irqs);
	drop_pending(irqs->device);
	for (uint32_t i = 0; i < WARD_IRQS_COUNT; i++) {
		ward_eventfd_drop(&irqs->eventfd[i]);
		free(irqs->vectors[i]);
	}
	free(irqs);
}

void ward_model_irqs_frozen(void *context, uint32_t function)
{
	const struct ward_model *model = context;
	const struct ward_model_device *device = model->devices[function];

	if (device && device->irqs)
		ward_eventfd_signal(device->irqs->eventfd[WARD_IRQS_ERROR]);
}

void ward_model_irqs_restore(struct ward_model_irqs *irqs)
{
	ward_model_vectors_write(irqs);
	ward_model_intx_look(irqs);
}

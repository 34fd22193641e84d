// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Vectors of a device, as a host's PCI core and VFIO have them: a vector that nobody listens to keeps
 * its host interrupt and is masked, where it can be.
 * Registers: PCI 3.0, 6.8.1 (MSI) and 6.8.2 (MSI-X).
 */
#include "irq.h"

#include "base/fault.h"

#include <errno.h>
#include <stdlib.h>

#define CONTROL 2u
#define MSI_ENABLE 0x1u
#define MSI_MME_SHIFT 4
/* Functions of the model have addresses of 64 bits and a mask for each message. */
#define MSI_ADDRESS 4u
#define MSI_ADDRESS_HIGH 8u
#define MSI_DATA 12u
#define MSI_MASKS 16u
#define MSIX_ENABLE 0x8000u
#define MSIX_FUNCTION_MASK 0x4000u
#define ENTRY 16u
#define ENTRY_MASK 0x1u

static struct ward_vectors *registers_of(const struct ward_model_irqs *irqs)
{
	const struct ward_model_device *device = irqs->device;

	return ward_emul_vectors(device->model->emul, device->function);
}

static void put(struct ward_vectors *registers, enum ward_vector_registers which, uint32_t offset,
		uint32_t value, size_t size)
{
	const uint8_t bytes[4] = { (uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
				   (uint8_t)(value >> 24) };

	ward_vectors_write(registers, which, offset, bytes, size);
}

struct ward_model_vector *ward_model_vectors_of(struct ward_model_irqs *irqs, uint32_t index)
{
	uint32_t count = ward_model_irq_count(irqs->device, index);

	if (irqs->vectors[index])
		return irqs->vectors[index];
	irqs->vectors[index] = ward_alloc_array(count, sizeof(struct ward_model_vector));
	for (uint32_t i = 0; irqs->vectors[index] && i < count; i++)
		irqs->vectors[index][i].eventfd = irqs->vectors[index][i].given = -1;
	return irqs->vectors[index];
}

static struct ward_message message_of(const struct ward_model_vector *vector)
{
	struct ward_message message = vector->message;

	if (vector->overridden)
		message.address = vector->override_iova;
	return message;
}

static void write_msix(struct ward_model_irqs *irqs, struct ward_vectors *registers,
		       uint32_t vector)
{
	const struct ward_model_vector *v = &irqs->vectors[WARD_IRQS_MSIX][vector];
	struct ward_message message = message_of(v);
	uint64_t address = ward_iova_raw(message.address);
	uint32_t at = vector * ENTRY;

	/* Masked while it changes: nothing may be sent by half of it. */
	put(registers, WARD_MSIX_TABLE, at + 12, ENTRY_MASK, 4);
	if (!v->allocated)
		return;
	put(registers, WARD_MSIX_TABLE, at, (uint32_t)address, 4);
	put(registers, WARD_MSIX_TABLE, at + 4, (uint32_t)(address >> 32), 4);
	put(registers, WARD_MSIX_TABLE, at + 8, message.data, 4);
	if (v->eventfd >= 0)
		put(registers, WARD_MSIX_TABLE, at + 12, 0, 4);
}

static uint32_t log2_up(uint32_t count)
{
	uint32_t bits = 0;

	while (1u << bits < count)
		bits++;
	return bits;
}

static void write_msi(struct ward_model_irqs *irqs, struct ward_vectors *registers)
{
	const struct ward_model_vector *vectors = irqs->vectors[WARD_IRQS_MSI];
	struct ward_message message = message_of(&vectors[0]);
	uint64_t address = ward_iova_raw(message.address);
	uint32_t masked = UINT32_MAX;

	put(registers, WARD_MSI_CAPABILITY, MSI_MASKS, masked, 4);
	put(registers, WARD_MSI_CAPABILITY, MSI_ADDRESS, (uint32_t)address, 4);
	put(registers, WARD_MSI_CAPABILITY, MSI_ADDRESS_HIGH, (uint32_t)(address >> 32), 4);
	put(registers, WARD_MSI_CAPABILITY, MSI_DATA, message.data, 2);
	put(registers, WARD_MSI_CAPABILITY, CONTROL,
	    MSI_ENABLE | log2_up(irqs->count) << MSI_MME_SHIFT, 2);
	/* More are granted than were asked for, when that is no power of two: they stay masked. */
	for (uint32_t i = 0; i < irqs->count; i++)
		masked &= vectors[i].eventfd < 0 ? UINT32_MAX : ~(1u << i);
	put(registers, WARD_MSI_CAPABILITY, MSI_MASKS, masked, 4);
}

/*
 * One that is frozen takes no writes; it is reset when it is thawed, and written to then. Nor does one
 * that is gone.
 */
static struct ward_vectors *writable(const struct ward_model_irqs *irqs)
{
	const struct ward_model_device *device = irqs->device;

	return ward_emul_frozen(device->model->emul, device->function) ||
			       !ward_emul_is_present(device->model->emul, device->function)
		       ? NULL
		       : registers_of(irqs);
}

void ward_model_vector_write(struct ward_model_irqs *irqs, uint32_t vector)
{
	struct ward_vectors *registers = writable(irqs);

	if (!registers)
		return;
	if (irqs->active == WARD_IRQS_MSIX)
		write_msix(irqs, registers, vector);
	else if (irqs->active == WARD_IRQS_MSI)
		write_msi(irqs, registers);
}

void ward_model_vectors_write(struct ward_model_irqs *irqs)
{
	struct ward_vectors *registers = writable(irqs);

	if (!registers)
		return;
	if (irqs->active == WARD_IRQS_MSI) {
		write_msi(irqs, registers);
	} else if (irqs->active == WARD_IRQS_MSIX) {
		put(registers, WARD_MSIX_CAPABILITY, CONTROL, MSIX_ENABLE | MSIX_FUNCTION_MASK, 2);
		for (uint32_t i = 0; i < ward_model_irq_count(irqs->device, WARD_IRQS_MSIX); i++)
			write_msix(irqs, registers, i);
		put(registers, WARD_MSIX_CAPABILITY, CONTROL, MSIX_ENABLE, 2);
	}
}

static void switch_off(struct ward_model_irqs *irqs)
{
	struct ward_vectors *registers = writable(irqs);

	if (!registers)
		return;
	if (irqs->active == WARD_IRQS_MSI) {
		put(registers, WARD_MSI_CAPABILITY, CONTROL, 0, 2);
		return;
	}
	for (uint32_t i = 0; i < ward_model_irq_count(irqs->device, WARD_IRQS_MSIX); i++)
		put(registers, WARD_MSIX_TABLE, i * ENTRY + 12, ENTRY_MASK, 4);
	put(registers, WARD_MSIX_CAPABILITY, CONTROL, 0, 2);
}

static void give_back(struct ward_model_irqs *irqs, struct ward_model_vector *vectors,
		      uint32_t count)
{
	struct ward_model_chip *chip =
		ward_model_chip_of(irqs->device->model, irqs->device->function);

	for (uint32_t i = 0; i < count; i++) {
		ward_model_own(irqs->device->model->host, vectors[i].number, vectors[i].cpu, NULL,
			       0);
		vectors[i].allocated = false;
		vectors[i].overridden = false;
	}
	chip->ops->free(chip, irqs, vectors, count);
}

/* Host interrupts for count vectors in a row, with their messages. */
static int take(struct ward_model_irqs *irqs, uint32_t index, uint32_t first, uint32_t count)
{
	struct ward_model_device *device = irqs->device;
	struct ward_model_chip *chip = ward_model_chip_of(device->model, device->function);
	struct ward_model_vector *vectors = irqs->vectors[index] + first;
	int code;

	if (!chip || !registers_of(irqs))
		return -ENOSPC;
	code = chip->ops->alloc(chip, irqs, vectors, count);
	if (code)
		return code;
	for (uint32_t i = 0; !code && i < count; i++) {
		vectors[i].allocated = true;
		code = ward_model_compose(irqs, &vectors[i], device->handle);
		if (!code)
			code = ward_model_own(device->model->host, vectors[i].number,
					      vectors[i].cpu, irqs, first + i);
	}
	if (code)
		give_back(irqs, vectors, count);
	return code == 0 || code == -ENOMEM || code == -ENOSPC ? code : -EIO;
}

static void give_all_back(struct ward_model_irqs *irqs, uint32_t index)
{
	struct ward_model_vector *vectors = irqs->vectors[index];

	if (index == WARD_IRQS_MSI) {
		if (vectors[0].allocated)
			give_back(irqs, vectors, irqs->count);
		return;
	}
	for (uint32_t i = 0; i < ward_model_irq_count(irqs->device, index); i++)
		if (vectors[i].allocated)
			give_back(irqs, &vectors[i], 1);
}

/* MSI: all in a row or, as Linux tries next, one (kernel/irq/msi.c, msi_handle_pci_fail). */
static int take_msi(struct ward_model_irqs *irqs, uint32_t count)
{
	const struct ward_model_chip *chip =
		ward_model_chip_of(irqs->device->model, irqs->device->function);
	bool possible = chip && (count == 1 || chip->ops->multi);
	int code = possible ? take(irqs, WARD_IRQS_MSI, 0, count) : -ENOSPC;

	if (code != -ENOSPC || count == 1)
		return code;
	code = take(irqs, WARD_IRQS_MSI, 0, 1);
	if (code)
		return code;
	give_back(irqs, irqs->vectors[WARD_IRQS_MSI], 1);
	return 1;
}

static int take_msix(struct ward_model_irqs *irqs, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		int code = take(irqs, WARD_IRQS_MSIX, i, 1);

		if (!code)
			continue;
		give_all_back(irqs, WARD_IRQS_MSIX);
		return code == -ENOSPC && i ? (int)i : code;
	}
	return 0;
}

int ward_model_vectors_enable(struct ward_model_irqs *irqs, uint32_t index, uint32_t count)
{
	int code;

	if (!count)
		return -ERANGE;
	if (!ward_model_vectors_of(irqs, index))
		return -ENOMEM;
	code = index == WARD_IRQS_MSI ? take_msi(irqs, count) : take_msix(irqs, count);
	if (code)
		return code;
	irqs->active = index;
	irqs->count = count;
	ward_model_vectors_write(irqs);
	return 0;
}

int ward_model_vectors_add(struct ward_model_irqs *irqs, uint32_t vector)
{
	const struct ward_model_chip *chip =
		ward_model_chip_of(irqs->device->model, irqs->device->function);

	if (irqs->active != WARD_IRQS_MSIX || !chip || !chip->ops->dynamic)
		return -EINVAL;
	return take(irqs, WARD_IRQS_MSIX, vector, 1);
}

int ward_model_vector_signal(struct ward_model_irqs *irqs, uint32_t vector, int fd)
{
	struct ward_model_vector *v = &irqs->vectors[irqs->active][vector];
	int code = 0;

	ward_eventfd_drop(&v->eventfd);
	v->given = -1;
	ward_model_vector_write(irqs, vector);
	if (fd < 0)
		return 0;
	if (!v->allocated)
		code = ward_model_vectors_add(irqs, vector);
	if (!code)
		code = ward_eventfd_take(fd, &v->eventfd);
	if (code)
		return code;
	v->given = fd;
	ward_model_vector_write(irqs, vector);
	return 0;
}

void ward_model_vectors_disable(struct ward_model_irqs *irqs)
{
	uint32_t index = irqs->active;
	struct ward_model_vector *vectors = irqs->vectors[index];

	switch_off(irqs);
	give_all_back(irqs, index);
	for (uint32_t i = 0; i < ward_model_irq_count(irqs->device, index); i++) {
		ward_eventfd_drop(&vectors[i].eventfd);
		vectors[i].given = -1;
		vectors[i].prepared = vectors[i].overridden = false;
	}
	irqs->active = WARD_NONE;
	irqs->count = 0;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Drivers of x86: vectors of the CPUs (Linux arch/x86/kernel/apic/vector.c) and, where interrupts are
 * remapped, an entry of the table for each (drivers/iommu/intel/irq_remapping.c), with the source
 * check that Linux sets: the requester id itself, that of the bridge that takes its place, or the
 * buses behind a bridge to conventional PCI, for of those only the bus is known.
 */
#include "irq.h"

#include "base/fault.h"
#include "emul/controller.h"

#include <errno.h>
#include <stdlib.h>

/* Vectors of devices: above those of exceptions and old interrupts, below the system's own. */
#define FIRST_VECTOR 0x30u
#define LAST_VECTOR 0xebu
#define SYSTEM_CALL 0x80u
#define VECTORS 256u

#define DOORBELL 0xfee00000u
#define DESTINATION_SHIFT 12
#define REMAPPABLE 0x10u
#define SUBHANDLE_VALID 0x8u
#define HANDLE_SHIFT 5
#define HANDLE_15_SHIFT 2

#define IRTE_PRESENT 0x1u
#define IRTE_VECTOR_SHIFT 16
#define IRTE_DESTINATION_SHIFT 40 /* xAPIC: bits 15:8 of the destination */
#define SVT_SHIFT 18		  /* of the upper word; SQ of 0 compares all 16 bits */
#define SVT_ID 1ull
#define SVT_BUS 2ull

static int create(struct ward_model_chip *chip)
{
	struct ward_model_host *host = chip->model->host;

	if (!host->apics)
		return -EINVAL;
	ward_emul_set_controller(chip->model->emul, chip->index, &ward_apic_doorbell,
				 &host->apic_controller);
	return 0;
}

static bool is_free(const struct ward_model_host *host, uint32_t cpu, uint32_t vector)
{
	const struct ward_model_owner *owner = ward_model_owner_of(host, vector, cpu);

	return vector != SYSTEM_CALL && !(owner && owner->irqs);
}

static uint32_t free_vectors(const struct ward_model_host *host, uint32_t cpu, uint32_t *ret_vector)
{
	uint32_t count = 0;

	for (uint32_t vector = LAST_VECTOR; vector >= FIRST_VECTOR; vector--) {
		if (!is_free(host, cpu, vector))
			continue;
		*ret_vector = vector;
		count++;
	}
	return count;
}

/* The CPU that has most of them left; the vector is taken for irqs. */
static int take_vector(struct ward_model_host *host, const struct ward_model_irqs *irqs,
		       struct ward_model_vector *v)
{
	struct ward_model_irqs *owner = irqs->device->irqs;
	uint32_t most = 0;

	for (uint32_t cpu = 0; cpu < WARD_MODEL_CPUS; cpu++) {
		uint32_t vector = 0, count = free_vectors(host, cpu, &vector);

		if (count <= most)
			continue;
		most = count;
		v->cpu = cpu;
		v->number = vector;
	}
	return most ? ward_model_own(host, v->number, v->cpu, owner, 0) : -ENOSPC;
}

static void free_vectors_of(struct ward_model_host *host, struct ward_model_vector *vectors,
			    uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		ward_model_own(host, vectors[i].number, vectors[i].cpu, NULL, 0);
}

static int take_vectors(struct ward_model_chip *chip, const struct ward_model_irqs *irqs,
			struct ward_model_vector *vectors, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		int code = take_vector(chip->model->host, irqs, &vectors[i]);

		if (code) {
			free_vectors_of(chip->model->host, vectors, i);
			return code;
		}
		vectors[i].controller = chip->index;
	}
	return 0;
}

/* Of several messages each has vector and CPU of its own, which one register cannot say. */
static int alloc_apic(struct ward_model_chip *chip, const struct ward_model_irqs *irqs,
		      struct ward_model_vector *vectors, uint32_t count)
{
	int code = take_vectors(chip, irqs, vectors, count);

	for (uint32_t i = 0; !code && i < count; i++)
		vectors[i].message = (struct ward_message){
			.address = ward_iova(DOORBELL | vectors[i].cpu << DESTINATION_SHIFT),
			.data = vectors[i].number,
		};
	return code;
}

static void free_apic(struct ward_model_chip *chip, const struct ward_model_irqs *irqs,
		      struct ward_model_vector *vectors, uint32_t count)
{
	(void)irqs;
	free_vectors_of(chip->model->host, vectors, count);
}

const struct ward_model_chip_ops ward_model_chip_apic = {
	.dynamic = true,
	.create = create,
	.alloc = alloc_apic,
	.free = free_apic,
};

/* A bridge above a function that puts its own id in the place of others. */
static bool is_bridge_above(const struct ward_machine *facts, const struct ward_function *f,
			    ward_rid_t rid)
{
	while (f->parent != WARD_NONE) {
		f = &facts->functions[f->parent];
		if (ward_rid_raw(f->address.rid) == ward_rid_raw(rid))
			return true;
	}
	return false;
}

static uint64_t check_buses(uint8_t first, uint8_t last)
{
	return SVT_BUS << SVT_SHIFT | (uint64_t)first << 8 | last;
}

/*
 * As Linux's (drivers/iommu/intel/irq_remapping.c, set_msi_sid): the id that arrives, where it is
 * one; the bus, where a bridge makes up an id, or where a device has several on its bus. A single
 * alias of another kind is one of DMA only, as far as anybody knows.
 */
static uint64_t source_check(const struct ward_machine *facts, uint32_t function)
{
	const struct ward_function *f = &facts->functions[function];
	uint8_t bus = ward_rid_bus(f->address.rid);
	ward_rid_t last = f->address.rid;
	bool one_bus = true;

	for (uint32_t i = 0; i < f->aliases; i++) {
		one_bus &= ward_rid_bus(f->alias[i]) == ward_rid_bus(last);
		last = f->alias[i];
	}
	if (ward_rid_bus(last) == bus)
		return f->aliases && one_bus ? check_buses(bus, bus)
					     : SVT_ID << SVT_SHIFT | ward_rid_raw(f->address.rid);
	if (!is_bridge_above(facts, f, last))
		return check_buses(ward_rid_bus(last), bus);
	return SVT_ID << SVT_SHIFT | ward_rid_raw(last);
}

/* The IOMMU that remaps a function's messages; NULL: none does. */
static struct ward_model_iommu *unit_of(const struct ward_model *model, uint32_t function)
{
	uint32_t index = model->facts->functions[function].stream.iommu;

	if (index >= model->facts->iommus_count || !model->iommus[index].u.vtd.irt ||
	    model->iommus[index].driver != &ward_model_vtd)
		return NULL;
	return &model->iommus[index];
}

static void write_entry(struct ward_model_iommu *unit, uint32_t function,
			struct ward_model_vector *v, uint32_t first, uint32_t sub)
{
	uint64_t word0 = IRTE_PRESENT | (uint64_t)v->number << IRTE_VECTOR_SHIFT |
			 (uint64_t)v->cpu << IRTE_DESTINATION_SHIFT;

	v->event = first + sub;
	ward_model_vtd_set_irte(unit, v->event, word0, source_check(unit->model->facts, function));
	v->message = (struct ward_message){
		.address = ward_iova(DOORBELL | REMAPPABLE | SUBHANDLE_VALID |
				     (first & 0x7fff) << HANDLE_SHIFT |
				     first >> 15 << HANDLE_15_SHIFT),
		.data = sub,
	};
}

static int alloc_remapped(struct ward_model_chip *chip, const struct ward_model_irqs *irqs,
			  struct ward_model_vector *vectors, uint32_t count)
{
	uint32_t function = irqs->device->function, first;
	struct ward_model_iommu *unit = unit_of(chip->model, function);
	int code;

	if (!unit || !ward_model_take_row(unit->u.vtd.irtes, 0, WARD_MODEL_IRTES, count, &first))
		return -ENOSPC;
	code = take_vectors(chip, irqs, vectors, count);
	if (code) {
		ward_model_free_row(unit->u.vtd.irtes, first, count);
		return code;
	}
	for (uint32_t i = 0; i < count; i++)
		write_entry(unit, function, &vectors[i], first, i);
	return 0;
}

static void free_remapped(struct ward_model_chip *chip, const struct ward_model_irqs *irqs,
			  struct ward_model_vector *vectors, uint32_t count)
{
	struct ward_model_iommu *unit = unit_of(chip->model, irqs->device->function);

	for (uint32_t i = 0; i < count; i++)
		ward_model_vtd_set_irte(unit, vectors[i].event, 0, 0);
	ward_model_free_row(unit->u.vtd.irtes, vectors[0].event, count);
	free_vectors_of(chip->model->host, vectors, count);
}

const struct ward_model_chip_ops ward_model_chip_remapping = {
	.dynamic = true,
	.multi = true,
	.create = create,
	.alloc = alloc_remapped,
	.free = free_remapped,
};

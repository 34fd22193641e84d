// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * At which address a message is written. What a driver composes goes to its controller's doorbell:
 * to the physical address where nothing translates, else to the software window of the space (Linux
 * drivers/iommu/dma-iommu.c, iommu_dma_prepare_msi, and iommufd's iommufd_sw_msi), of a nested one to
 * that of its stage 2. User space may choose another, in one of two ways (<doorward/irq.h>); it was
 * followed to the doorbell then, and stays what it is when the device is moved or the guest changes its
 * stage 1: as with hardware, whoever moves says it anew. The IOMMU follows it each time.
 */
#include "irq.h"

#include <doorward/resolve.h>

#include "base/error.h"
#include "base/fault.h"
#include "dma/space_doorbell.h"

#include <errno.h>
#include <stdlib.h>

static uint32_t registers_of(const struct ward_machine *facts, struct ward_doorbell_frame *frames)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < facts->controllers_count; i++)
		for (uint32_t at = 0; at < facts->controllers[i].doorbells_count; at++, count++)
			if (frames)
				frames[count] = (struct ward_doorbell_frame){
					ward_controller_register(&facts->controllers[i], at), i
				};
	return count;
}

static struct ward_doorbell_frame *all_registers(const struct ward_machine *facts,
						 uint32_t *ret_count)
{
	struct ward_doorbell_frame *frames;

	*ret_count = registers_of(facts, NULL);
	frames = ward_alloc_array(*ret_count, sizeof(*frames));
	if (frames)
		registers_of(facts, frames);
	return frames;
}

/* One window for all spaces: a doorbell is at the same place in each. */
static int window(struct ward_model_host *host, struct ward_doorbells **ret_doorbells)
{
	const struct ward_machine *facts = host->model->facts;
	struct ward_doorbell_options options = {
		.size = sizeof(options),
		.way = WARD_DOORBELL_WINDOW,
		.page_size = facts->page_size < 0x1000 ? 0x1000 : facts->page_size,
	};
	int code = 0;

	if (!host->doorbells)
		code = ward_doorbells_create(&options, &host->doorbells);
	if (!code)
		*ret_doorbells = host->doorbells;
	return code;
}

/* Where a register is seen from a space, with its page mapped there. */
static int place(struct ward_model_host *host, struct ward_space *space, uint64_t target,
		 ward_iova_t *ret_iova)
{
	struct ward_doorbells *doorbells;
	struct ward_doorbell doorbell;
	struct ward_space_info info;
	uint64_t page = 0x1000, start;
	int code = window(host, &doorbells);

	if (code)
		return code;
	ward_space_info(space, &info);
	if (info.parent)
		space = info.parent;
	code = ward_doorbell_map(doorbells, space, ward_pa(target), ward_gpa(0), &doorbell);
	if (!code) {
		*ret_iova = doorbell.iova;
		return 0;
	}
	/* Whoever runs the VM may have put it there already, at a place of his own. */
	if (code != -EEXIST && code != -EADDRINUSE && code != -EINVAL)
		return code;
	if (!ward_space_find_doorbell(space, target & ~(page - 1), page, &start))
		return code == -EEXIST ? -EADDRINUSE : code;
	*ret_iova = ward_iova(start + (target & (page - 1)));
	return 0;
}

static bool translates(const struct ward_model_device *device, struct ward_space *space)
{
	struct ward_space_info info;

	if (!space || !device->streams_count)
		return false;
	ward_space_info(space, &info);
	return info.kind != WARD_SPACE_BLOCKED && info.kind != WARD_SPACE_IDENTITY;
}

/* Physical address of the doorbell register of what the driver gave. */
static uint64_t register_of(const struct ward_model *model, uint32_t controller)
{
	return ward_controller_register(&model->facts->controllers[controller], 0).start;
}

int ward_model_compose(struct ward_model_irqs *irqs, struct ward_model_vector *vector,
		       struct ward_space *space)
{
	struct ward_model *model = irqs->device->model;
	uint64_t target;

	if (!model->host->chips[vector->controller].ops->translated)
		return 0;
	if (vector->prepared) {
		vector->message.address = vector->prepared_iova;
		return 0;
	}
	target = register_of(model, vector->controller);
	if (translates(irqs->device, space))
		return place(model->host, space, target, &vector->message.address);
	vector->message.address = ward_iova(target);
	return 0;
}

static struct ward_model_vector *live(struct ward_model_irqs *irqs, uint32_t *ret_count)
{
	*ret_count = 0;
	if (irqs->active != WARD_IRQS_MSI && irqs->active != WARD_IRQS_MSIX)
		return NULL;
	*ret_count = ward_model_irq_count(irqs->device, irqs->active);
	return irqs->vectors[irqs->active];
}

int ward_model_messages_prepare_move(struct ward_model_irqs *irqs, struct ward_space *space)
{
	struct ward_model *model = irqs->device->model;
	uint32_t count, last = WARD_NONE;
	struct ward_model_vector *vectors = live(irqs, &count);

	for (uint32_t i = 0; i < count && translates(irqs->device, space); i++) {
		uint32_t controller = vectors[i].controller;
		ward_iova_t iova;
		int code;

		if (!vectors[i].allocated || controller == last ||
		    !model->host->chips[controller].ops->translated)
			continue;
		code = place(model->host, space, register_of(model, controller), &iova);
		if (code)
			return code;
		last = controller;
	}
	return 0;
}

void ward_model_messages_move(struct ward_model_irqs *irqs, struct ward_space *space)
{
	uint32_t count;
	struct ward_model_vector *vectors = live(irqs, &count);
	bool changed = false;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t before = ward_iova_raw(vectors[i].message.address);

		/* The doorbell is there, so nothing is left to fail. */
		if (!vectors[i].allocated || ward_model_compose(irqs, &vectors[i], space) ||
		    ward_iova_raw(vectors[i].message.address) == before)
			continue;
		changed = true;
		if (irqs->active == WARD_IRQS_MSIX)
			ward_model_vector_write(irqs, i);
	}
	if (changed && irqs->active == WARD_IRQS_MSI)
		ward_model_vector_write(irqs, 0);
}

/* Frames of one pool stand for each other: a vector may come from any that is driven. */
static bool stands_for(const struct ward_model *model, uint32_t one, uint32_t other)
{
	const struct ward_controller *a = &model->facts->controllers[one];
	const struct ward_controller *b = &model->facts->controllers[other];

	return one == other || (a->kind == WARD_CONTROLLER_GICV2M && b->kind == a->kind &&
				a->pool == b->pool && model->host->chips[other].ops);
}

struct question {
	struct ward_model_irqs *irqs;
	struct ward_doorbell_frame *frames;
	uint32_t frames_count;
	struct ward_error *error;
};

/* Follows an address; own: whose doorbell it has to be. */
static int follow(const struct question *q, uint32_t vector, ward_iova_t iova, uint32_t own,
		  uint32_t *ret_controller)
{
	const struct ward_message message = { .address = iova };
	struct ward_model_device *device = q->irqs->device;
	struct ward_resolve_options options = {
		.size = sizeof(options),
		.space = translates(device, device->handle) ? device->handle : NULL,
		.frames_of = WARD_FRAMES_PHYSICAL,
		.pasid = WARD_PASID_NONE,
		.frames = q->frames,
		.frames_count = q->frames_count,
		.controller = own,
	};
	struct ward_resolution resolution;
	char text[WARD_RESOLUTION_TEXT];
	int code = ward_doorbell_resolve(&options, &message, &resolution);

	if (!code) {
		*ret_controller = q->frames[resolution.frame].controller;
		return 0;
	}
	if (code == -EINVAL)
		return ward_fail(q->error, code, "vector %u: its address cannot be followed",
				 vector);
	ward_resolution_format(&resolution, &message, text);
	return ward_fail(q->error, -EFAULT, "vector %u: %.200s", vector, text);
}

/* Follows the address of one vector to where it may lead. */
static int check_address(const struct question *q, const struct ward_model_vector *v,
			 uint32_t vector, ward_iova_t iova, uint32_t *ret_controller)
{
	const struct ward_model *model = q->irqs->device->model;
	uint32_t own = model->facts->functions[q->irqs->device->function].controller;
	int code;

	/* A live vector's data is for the controller it was taken from, and no other. */
	if (v->allocated)
		return follow(q, vector, iova, v->controller, ret_controller);
	code = follow(q, vector, iova, WARD_NONE, ret_controller);
	if (!code && !stands_for(model, own, *ret_controller))
		code = follow(q, vector, iova, own, ret_controller);
	return code;
}

/* MSI has one address: a part of the vectors cannot have another than the rest. */
static bool differs(const struct ward_model_vector *vectors, enum ward_message_way way,
		    ward_iova_t iova)
{
	if (way == WARD_MESSAGE_PREPARE)
		return vectors->prepared &&
		       ward_iova_raw(vectors->prepared_iova) != ward_iova_raw(iova);
	return vectors->overridden && ward_iova_raw(vectors->override_iova) != ward_iova_raw(iova);
}

static void apply(struct ward_model_vector *v, enum ward_message_way way, ward_iova_t iova,
		  uint32_t controller)
{
	if (way == WARD_MESSAGE_PREPARE) {
		v->prepared = true;
		v->prepared_iova = iova;
		v->prepared_controller = controller;
	} else {
		v->overridden = true;
		v->override_iova = iova;
	}
}

static int forget(struct ward_model_irqs *irqs, uint32_t index)
{
	struct ward_model_vector *vectors = irqs->vectors[index];

	for (uint32_t i = 0; vectors && i < ward_model_irq_count(irqs->device, index); i++)
		vectors[i].prepared = false;
	return 0;
}

/* Who may be asked now, in this way, for these vectors. */
static int check_way(struct ward_model_irqs *irqs, enum ward_message_way way, uint32_t index,
		     struct ward_error *error)
{
	const struct ward_model_chip *chip =
		ward_model_chip_of(irqs->device->model, irqs->device->function);

	if (!chip || !chip->ops->translated)
		return ward_fail(error, -EOPNOTSUPP,
				 "nothing translates the messages of this machine, so their "
				 "addresses are the host's to say");
	if (way == WARD_MESSAGE_PREPARE && irqs->active != WARD_NONE)
		return ward_fail(error, -EINVAL, "interrupts are enabled already");
	if (way == WARD_MESSAGE_OVERRIDE && irqs->active != index)
		return ward_fail(error, -EINVAL, "its vectors are not enabled");
	return 0;
}

static int check_all(const struct question *q, enum ward_message_way way,
		     struct ward_model_vector *vectors, uint32_t start, uint32_t count,
		     const ward_iova_t *iovas, uint32_t *controllers)
{
	for (uint32_t i = 0; i < count; i++) {
		int code;

		if (way == WARD_MESSAGE_OVERRIDE && !vectors[start + i].allocated)
			return ward_fail(q->error, -EINVAL, "vector %u: it is not enabled",
					 start + i);
		code = check_address(q, &vectors[start + i], start + i, iovas[i], &controllers[i]);
		if (code)
			return code;
	}
	return 0;
}

static void apply_all(struct ward_model_irqs *irqs, enum ward_message_way way, uint32_t index,
		      uint32_t start, uint32_t count, const ward_iova_t *iovas,
		      const uint32_t *controllers)
{
	struct ward_model_vector *vectors = irqs->vectors[index];

	if (index == WARD_IRQS_MSI) {
		for (uint32_t i = 0; i < ward_model_irq_count(irqs->device, index); i++)
			apply(&vectors[i], way, iovas[0], controllers[0]);
		if (way == WARD_MESSAGE_OVERRIDE)
			ward_model_vector_write(irqs, 0);
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		apply(&vectors[start + i], way, iovas[i], controllers[i]);
		if (way == WARD_MESSAGE_OVERRIDE)
			ward_model_vector_write(irqs, start + i);
	}
}

int ward_model_set_messages(void *context, enum ward_message_way way, uint32_t index,
			    uint32_t start, uint32_t count, const ward_iova_t *iovas,
			    struct ward_error *error)
{
	struct ward_model_device *device = context;
	struct ward_model_irqs *irqs = device->irqs;
	struct question q = { .irqs = irqs, .error = error };
	uint32_t *controllers, all = index == WARD_IRQS_MSI && irqs->active == index
					     ? irqs->count
					     : ward_model_irq_count(device, index);
	struct ward_model_vector *vectors;
	int code = check_way(irqs, way, index, error);

	if (code || (way == WARD_MESSAGE_PREPARE && !count))
		return code ? code : forget(irqs, index);
	vectors = ward_model_vectors_of(irqs, index);
	if (!vectors)
		return ward_fail(error, -ENOMEM, "no memory");
	if (index == WARD_IRQS_MSI && count < all && differs(vectors, way, iovas[0]))
		return ward_fail(error, -EINVAL,
				 "vector %u: MSI has one address for all its vectors", start);
	q.frames = all_registers(device->model->facts, &q.frames_count);
	controllers = ward_alloc_array(count, sizeof(*controllers));
	code = q.frames && controllers
		       ? check_all(&q, way, vectors, start, count, iovas, controllers)
		       : ward_fail(error, -ENOMEM, "no memory");
	if (!code)
		apply_all(irqs, way, index, start, count, iovas, controllers);
	free(controllers);
	free(q.frames);
	return code;
}

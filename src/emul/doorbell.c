// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A write has come to a doorbell: what its controller is told of it. */
#include "emul/route.h"

void ward_emul_set_controller(struct ward_emul *emul, uint32_t index,
			      const struct ward_emul_controller_ops *ops, void *controller)
{
	struct emul_controller *place;

	if (index >= emul->facts->controllers_count)
		return;
	place = &emul->controllers[index];
	if (place->ops && place->ops->destroy)
		place->ops->destroy(place->controller);
	place->ops = ops;
	place->controller = controller;
}

/* From the beginning of the doorbell range that has it; ranges of one controller do not overlap. */
static uint64_t offset_of(const struct ward_controller *controller, uint64_t address)
{
	for (uint32_t i = 0; i < controller->doorbells_count; i++) {
		if (ward_range_has(controller->doorbells[i], address))
			return address - controller->doorbells[i].start;
	}
	return address;
}

static uint32_t data_of(const struct ward_dma *dma)
{
	const uint8_t *bytes = dma->bytes;
	uint32_t data = 0;

	for (size_t i = 0; i < dma->size && i < 4; i++)
		data |= (uint32_t)bytes[i] << 8 * i;
	return data;
}

static void identify(const struct ward_emul *emul, const struct emul_request *request,
		     uint32_t controller, struct ward_emul_message *message)
{
	const struct ward_function *f = &emul->facts->functions[request->source];
	ward_sid_t sid;

	message->rid = request->rid;
	message->iommu = WARD_NONE;
	if (f->kind != WARD_FUNCTION_PCI) {
		/* It sends with the id it has at its own controller, to whichever. */
		message->has_devid = f->controller_known == WARD_YES && f->controller != WARD_NONE;
		message->devid = f->devid;
		message->iommu = f->stream.iommu;
		return;
	}
	(void)ward_emul_stream(emul, f->address.segment, request->rid, &message->iommu, &sid);
	message->has_devid = ward_emul_devid(emul, f->address.segment, request->rid, controller,
					     &message->devid);
}

void ward_emul_ring(const struct ward_emul *emul, const struct emul_request *request,
		    const struct ward_dma *dma, struct ward_dma_result *ret_result)
{
	const struct emul_controller *place = &emul->controllers[ret_result->index];
	struct ward_emul_message message = {
		.address = ret_result->target,
		.offset =
			offset_of(&emul->facts->controllers[ret_result->index], ret_result->target),
		.data = data_of(dma),
		.size = (uint32_t)dma->size,
	};

	if (!place->ops)
		return;
	identify(emul, request, ret_result->index, &message);
	place->ops->write(place->controller, &message, &ret_result->interrupt);
}

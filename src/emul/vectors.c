// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* MSI and MSI-X registers of functions: a vector that is raised becomes a DMA like any other. */
#include "emul/route.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"

#define MESSAGE_BYTES 4u

static bool is_bus_master(const struct ward_emul *emul, uint32_t function)
{
	return emul->registers[function].command & EMUL_COMMAND_MASTER;
}

/* A message goes out. Where bus mastering is off it does not, and is lost (PCI 3.0, 6.2.2). */
static void send(void *context, uint32_t vector, const struct ward_message *message)
{
	const struct emul_vectors *place = context;
	struct ward_dma_result result;
	uint8_t bytes[MESSAGE_BYTES];
	const struct ward_dma dma = {
		.pasid = WARD_PASID_NONE,
		.address = message->address,
		.write = true,
		.bytes = bytes,
		.size = sizeof(bytes),
	};

	(void)vector;
	if (!is_bus_master(place->emul, place->function))
		return;
	for (unsigned int i = 0; i < MESSAGE_BYTES; i++)
		bytes[i] = (uint8_t)(message->data >> 8 * i);
	/* An address that is not aligned is no message. */
	if (ward_emul_dma(place->emul, place->function, &dma, &result) || !place->raise)
		return;
	place->raise->masked = false;
	place->raise->dma = result;
}

/* Facts may have a count that no register can say: then as many as it can. */
static uint8_t possible_msi(const struct ward_function *f)
{
	uint32_t count = WARD_MSI_VECTORS_MAX;

	while (count > f->msi_vectors)
		count /= 2;
	return (uint8_t)(f->msi ? count : 0);
}

static uint16_t possible_msix(const struct ward_function *f)
{
	return f->msix && f->msix_vectors <= WARD_MSIX_VECTORS_MAX ? f->msix_vectors : 0;
}

int ward_emul_vectors_create(struct ward_emul *emul, uint32_t function)
{
	const struct ward_function *f = &emul->facts->functions[function];
	struct emul_vectors *place = &emul->vectors[function];
	const struct ward_vectors_options options = {
		.size = sizeof(options),
		.msi_vectors = possible_msi(f),
		.msi_64 = true,
		.msi_masks = true,
		.msix_vectors = possible_msix(f),
		.send = send,
		.context = place,
	};

	place->emul = emul;
	place->function = function;
	if (f->kind != WARD_FUNCTION_PCI || (!options.msi_vectors && !options.msix_vectors))
		return 0;
	return ward_vectors_create(&options, &place->vectors);
}

struct ward_vectors *ward_emul_vectors(struct ward_emul *emul, uint32_t function)
{
	return function < emul->facts->functions_count ? emul->vectors[function].vectors : NULL;
}

int ward_emul_raise(struct ward_emul *emul, uint32_t function, uint32_t vector,
		    struct ward_raise *ret_raise)
{
	struct ward_raise raise = {
		.masked = true,
		.dma = { .end = WARD_DMA_NOWHERE, .index = WARD_NONE },
	};
	struct ward_vectors *vectors = ward_emul_vectors(emul, function);
	int code;

	if (!vectors)
		return -EINVAL;
	emul->vectors[function].raise = &raise;
	code = ward_vectors_raise(vectors, vector);
	emul->vectors[function].raise = NULL;
	if (code < 0)
		return code;
	*ret_raise = raise;
	return 0;
}

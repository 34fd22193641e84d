// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* MSI and MSI-X registers of functions: a vector that is raised becomes a DMA like any other. */
#include "emul/route.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"

#define MESSAGE_BYTES 4u
/*
 * Messages that set each other free, by writing to each other's MSI-X table. Nobody builds a longer
 * chain but to see this machine fall: what comes after it is lost.
 */
#define CHAIN_MAX 16u

/* In config space. */
#define STATUS 0x06u
#define STATUS_CAPABILITIES 0x10u
#define CAPABILITIES 0x34u
#define MSI_AT 0x50u
#define MSI_BYTES 24u
#define MSIX_AT 0x70u
#define MSIX_BYTES 12u

static bool is_bus_master(const struct ward_emul *emul, uint32_t function)
{
	return emul->registers[function].command & EMUL_COMMAND_MASTER;
}

/* A message goes out. Where bus mastering is off it does not, and is lost (PCI 3.0, 6.2.2). */
static void send(void *context, uint32_t vector, const struct ward_message *message)
{
	const struct emul_vectors *place = context;
	struct ward_dma_result result = { .end = WARD_DMA_NOWHERE, .index = WARD_NONE };
	uint8_t bytes[MESSAGE_BYTES];
	const struct ward_dma dma = {
		.pasid = WARD_PASID_NONE,
		.address = message->address,
		.write = true,
		.bytes = bytes,
		.size = sizeof(bytes),
	};

	(void)vector;
	if (!is_bus_master(place->emul, place->function) || place->emul->sending == CHAIN_MAX)
		return;
	for (unsigned int i = 0; i < MESSAGE_BYTES; i++)
		bytes[i] = (uint8_t)(message->data >> 8 * i);
	place->emul->sending++;
	(void)ward_emul_dma(place->emul, place->function, &dma, &result);
	place->emul->sending--;
	if (!place->raise)
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

/*
 * Facts do not say where a function has its MSI-X table. Here it is in the upper half of the first
 * memory BAR that has room for it and for the PBA, away from the registers.
 */
static void place_table(const struct ward_function *f, struct emul_vectors *place, uint16_t vectors)
{
	uint32_t table_bytes = vectors * 16u, pba_bytes = (vectors + 63u) / 64u * 8u;

	place->bar = WARD_NONE;
	for (uint32_t i = 0; i < EMUL_BARS - 1 && vectors; i++) {
		struct ward_range range = f->bar[i].range;
		uint64_t half;

		if (f->bar[i].io || ward_range_is_empty(range))
			continue;
		half = ((range.last - range.start) / 2 + 1) & ~UINT64_C(7);
		if (half < WARD_EMUL_REGISTERS || half > UINT32_MAX / 2 ||
		    half < table_bytes + pba_bytes)
			continue;
		place->bar = i;
		place->table = (uint32_t)half;
		place->pba = (uint32_t)half + table_bytes;
		return;
	}
}

int ward_emul_vectors_create(struct ward_emul *emul, uint32_t function)
{
	const struct ward_function *f = &emul->facts->functions[function];
	struct emul_vectors *place = &emul->vectors[function];
	struct ward_vectors_options options = {
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
	place_table(f, place, options.msix_vectors);
	if (place->bar != WARD_NONE) {
		options.msix_table = place->table | place->bar;
		options.msix_pba = place->pba | place->bar;
	}
	place->msi = options.msi_vectors;
	place->msix = options.msix_vectors;
	return ward_vectors_create(&options, &place->vectors);
}

/* What lies behind the end of the PBA is refused by the registers. */
static bool find_register(const struct emul_vectors *place, uint32_t bar, uint64_t offset,
			  enum ward_vector_registers *ret_which, uint32_t *ret_offset)
{
	if (!place->vectors || place->bar != bar || offset < place->table)
		return false;
	*ret_which = offset < place->pba ? WARD_MSIX_TABLE : WARD_MSIX_PBA;
	*ret_offset = (uint32_t)(offset - (offset < place->pba ? place->table : place->pba));
	return true;
}

bool ward_emul_table_read(const struct ward_emul *emul, uint32_t function, uint32_t bar,
			  uint64_t offset, uint8_t ret_bytes[4])
{
	const struct emul_vectors *place = &emul->vectors[function];
	enum ward_vector_registers which;
	uint32_t at;

	return find_register(place, bar, offset, &which, &at) &&
	       ward_vectors_read(place->vectors, which, at, ret_bytes, 4) == 0;
}

bool ward_emul_table_write(struct ward_emul *emul, uint32_t function, uint32_t bar, uint64_t offset,
			   const uint8_t bytes[4])
{
	const struct emul_vectors *place = &emul->vectors[function];
	enum ward_vector_registers which;
	uint32_t at;

	return find_register(place, bar, offset, &which, &at) &&
	       ward_vectors_write(place->vectors, which, at, bytes, 4) == 0;
}

static void show(const struct ward_vectors *vectors, enum ward_vector_registers which,
		 uint32_t bytes, uint8_t *config, uint8_t at, uint8_t **link)
{
	**link = at;
	for (uint32_t i = 0; i < bytes; i += 4)
		(void)ward_vectors_read(vectors, which, i, config + at + i, 4);
	*link = config + at + 1;
}

/* MSI-X is not shown where its table is in no BAR: there is nothing to point to. */
void ward_emul_show_capabilities(const struct ward_emul *emul, uint32_t function, uint8_t *config)
{
	const struct emul_vectors *place = &emul->vectors[function];
	uint8_t *link = config + CAPABILITIES;

	if (place->msi)
		show(place->vectors, WARD_MSI_CAPABILITY, MSI_BYTES, config, MSI_AT, &link);
	if (place->msix && place->bar != WARD_NONE)
		show(place->vectors, WARD_MSIX_CAPABILITY, MSIX_BYTES, config, MSIX_AT, &link);
	if (link != config + CAPABILITIES)
		config[STATUS] |= STATUS_CAPABILITIES;
}

struct ward_vectors *ward_emul_vectors(struct ward_emul *emul, uint32_t function)
{
	return function < emul->facts->functions_count ? emul->vectors[function].vectors : NULL;
}

uint32_t ward_emul_msi_vectors(const struct ward_emul *emul, uint32_t function)
{
	return emul->vectors[function].msi;
}

uint32_t ward_emul_msix_vectors(const struct ward_emul *emul, uint32_t function)
{
	return emul->vectors[function].msix;
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

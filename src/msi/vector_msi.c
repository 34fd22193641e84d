// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* MSI: the capability and what it says (PCI 3.0, 6.8.1; PCIe 5.0, 7.7.1). */
#include "msi/vector.h"

#include <string.h>

#define CAPABILITY_ID 0x05u

#define CONTROL 2u /* Message Control */
#define CONTROL_ENABLE 0x0001u
#define CONTROL_CAPABLE_SHIFT 1
#define CONTROL_GRANTED_SHIFT 4
#define CONTROL_GRANTED (7u << CONTROL_GRANTED_SHIFT)
#define CONTROL_64 0x0080u
#define CONTROL_MASKS 0x0100u

#define ADDRESS 4u
#define ADDRESS_HIGH 8u

/* Where the parts are that move up by 4 when addresses have 64 bits. */
static uint32_t data_at(const struct ward_vectors *vectors)
{
	return vectors->options.msi_64 ? 12 : 8;
}

static uint32_t masks_at(const struct ward_vectors *vectors)
{
	return vectors->options.msi_64 ? 16 : 12;
}

static uint32_t pending_at(const struct ward_vectors *vectors)
{
	return masks_at(vectors) + 4;
}

static uint32_t control(const struct ward_vectors *vectors)
{
	return ward_le16(vectors->msi + CONTROL);
}

static uint32_t capable_log2(const struct ward_vectors *vectors)
{
	return (uint32_t)__builtin_ctz(vectors->options.msi_vectors);
}

/* Bits of the vectors below count, which is 1 to 32. */
static uint32_t bits_below(uint32_t count)
{
	return UINT32_MAX >> (32 - count);
}

void ward_msi_init(struct ward_vectors *vectors)
{
	const struct ward_vectors_options *options = &vectors->options;
	struct ward_register_image *image = &vectors->image[WARD_MSI_CAPABILITY];
	uint8_t *writable = vectors->msi_writable;

	if (options->msi_vectors == 0)
		return;
	ward_put_le16(writable + CONTROL, CONTROL_ENABLE | CONTROL_GRANTED);
	ward_put_le32(writable + ADDRESS, ~3u);
	if (options->msi_64)
		ward_put_le32(writable + ADDRESS_HIGH, UINT32_MAX);
	ward_put_le16(writable + data_at(vectors), UINT16_MAX);
	if (options->msi_masks)
		ward_put_le32(writable + masks_at(vectors), bits_below(options->msi_vectors));
	*image = (struct ward_register_image){
		.bytes = vectors->msi,
		.size = options->msi_masks ? pending_at(vectors) + 4 : data_at(vectors) + 2,
		.writable = writable,
		.period = WARD_MSI_BYTES,
	};
	ward_msi_reset(vectors);
}

void ward_msi_reset(struct ward_vectors *vectors)
{
	const struct ward_vectors_options *options = &vectors->options;

	if (options->msi_vectors == 0)
		return;
	memset(vectors->msi, 0, sizeof(vectors->msi));
	vectors->msi[0] = CAPABILITY_ID;
	ward_put_le16(vectors->msi + CONTROL, capable_log2(vectors) << CONTROL_CAPABLE_SHIFT |
						      (options->msi_64 ? CONTROL_64 : 0) |
						      (options->msi_masks ? CONTROL_MASKS : 0));
}

bool ward_msi_enabled(const struct ward_vectors *vectors)
{
	return control(vectors) & CONTROL_ENABLE;
}

uint32_t ward_msi_granted(const struct ward_vectors *vectors)
{
	return 1u << ((control(vectors) & CONTROL_GRANTED) >> CONTROL_GRANTED_SHIFT);
}

void ward_msi_limit_granted(struct ward_vectors *vectors)
{
	uint32_t value = control(vectors), capable;

	if (vectors->options.msi_vectors == 0)
		return;
	/* Reserved values, and more than the function asks for, are undefined: the most it has. */
	capable = capable_log2(vectors) << CONTROL_GRANTED_SHIFT;
	if ((value & CONTROL_GRANTED) > capable)
		ward_put_le16(vectors->msi + CONTROL, (value & ~CONTROL_GRANTED) | capable);
}

uint32_t ward_msi_open(const struct ward_vectors *vectors)
{
	uint32_t masks = 0;

	if (vectors->options.msi_masks)
		masks = ward_le32(vectors->msi + masks_at(vectors));
	return ward_msi_enabled(vectors) ? bits_below(ward_msi_granted(vectors)) & ~masks : 0;
}

/* Without mask bits nobody sees the pending bits, but they have their place in the image. */
uint32_t ward_msi_pending(const struct ward_vectors *vectors)
{
	return ward_le32(vectors->msi + pending_at(vectors));
}

void ward_msi_set_pending(struct ward_vectors *vectors, uint32_t pending)
{
	ward_put_le32(vectors->msi + pending_at(vectors), pending);
}

void ward_msi_get(const struct ward_vectors *vectors, uint32_t vector,
		  struct ward_vector *ret_vector)
{
	uint32_t granted = ward_msi_granted(vectors);
	uint32_t data = ward_le16(vectors->msi + data_at(vectors));
	uint64_t address = ward_le32(vectors->msi + ADDRESS);
	uint32_t masks = 0;

	if (vectors->options.msi_64)
		address |= (uint64_t)ward_le32(vectors->msi + ADDRESS_HIGH) << 32;
	if (vectors->options.msi_masks)
		masks = ward_le32(vectors->msi + masks_at(vectors));
	*ret_vector = (struct ward_vector){
		.enabled = ward_msi_enabled(vectors) && vector < granted,
		.masked = masks >> vector & 1,
		.pending = ward_msi_pending(vectors) >> vector & 1,
		/* Of the data, as many low bits are the function's as tell its messages apart. */
		.message = { ward_iova(address),
			     (data & ~(granted - 1)) | (vector & (granted - 1)) },
	};
}

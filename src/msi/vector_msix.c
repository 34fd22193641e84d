// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* MSI-X: capability, table and pending bits (PCI 3.0, 6.8.2; PCIe 5.0, 7.7.2). */
#include "msi/vector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

#define CAPABILITY_ID 0x11u

#define CONTROL 2u /* Message Control */
#define CONTROL_FUNCTION_MASK 0x4000u
#define CONTROL_ENABLE 0x8000u
#define TABLE 4u
#define PBA 8u

/* In an entry of the table. */
#define ENTRY_ADDRESS 0u
#define ENTRY_ADDRESS_HIGH 4u
#define ENTRY_DATA 8u
#define ENTRY_CONTROL 12u
#define ENTRY_MASKED 1u

static const uint8_t capability_writable[WARD_MSIX_BYTES] = { [CONTROL + 1] = 0xc0 };
/* Of the address, bits 1:0 may be kept at 0; of Vector Control, all but the mask is reserved. */
static const uint8_t entry_writable[WARD_MSIX_ENTRY_BYTES] = {
	0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, ENTRY_MASKED,
};
static const uint8_t pba_writable[1];

int ward_msix_init(struct ward_vectors *vectors)
{
	uint32_t count = vectors->options.msix_vectors;
	uint32_t table_size = count * WARD_MSIX_ENTRY_BYTES, pba_size = (count + 63) / 64 * 8;
	uint8_t *bytes;

	if (count == 0)
		return 0;
	bytes = ward_alloc(table_size + pba_size);
	if (!bytes)
		return -ENOMEM;
	vectors->image[WARD_MSIX_CAPABILITY] = (struct ward_register_image){
		vectors->msix,
		WARD_MSIX_BYTES,
		capability_writable,
		WARD_MSIX_BYTES,
	};
	vectors->image[WARD_MSIX_TABLE] = (struct ward_register_image){
		bytes,
		table_size,
		entry_writable,
		WARD_MSIX_ENTRY_BYTES,
	};
	vectors->image[WARD_MSIX_PBA] = (struct ward_register_image){
		bytes + table_size,
		pba_size,
		pba_writable,
		sizeof(pba_writable),
	};
	ward_msix_reset(vectors);
	return 0;
}

void ward_msix_finish(struct ward_vectors *vectors)
{
	free(vectors->image[WARD_MSIX_TABLE].bytes);
}

static uint8_t *entry_of(const struct ward_vectors *vectors, uint32_t vector)
{
	return vectors->image[WARD_MSIX_TABLE].bytes + vector * WARD_MSIX_ENTRY_BYTES;
}

void ward_msix_reset(struct ward_vectors *vectors)
{
	const struct ward_vectors_options *options = &vectors->options;
	const struct ward_register_image *table = &vectors->image[WARD_MSIX_TABLE];
	const struct ward_register_image *pba = &vectors->image[WARD_MSIX_PBA];

	if (options->msix_vectors == 0)
		return;
	vectors->msix[0] = CAPABILITY_ID;
	ward_put_le16(vectors->msix + CONTROL, options->msix_vectors - 1u);
	ward_put_le32(vectors->msix + TABLE, options->msix_table);
	ward_put_le32(vectors->msix + PBA, options->msix_pba);
	/* Addresses and data are undefined after a reset. */
	memset(table->bytes, 0, table->size);
	memset(pba->bytes, 0, pba->size);
	for (uint32_t i = 0; i < options->msix_vectors; i++)
		entry_of(vectors, i)[ENTRY_CONTROL] = ENTRY_MASKED;
}

bool ward_msix_enabled(const struct ward_vectors *vectors)
{
	return ward_le16(vectors->msix + CONTROL) & CONTROL_ENABLE;
}

bool ward_msix_unmasked(const struct ward_vectors *vectors)
{
	const uint32_t bits = CONTROL_ENABLE | CONTROL_FUNCTION_MASK;

	return (ward_le16(vectors->msix + CONTROL) & bits) == CONTROL_ENABLE;
}

bool ward_msix_entry_masked(const struct ward_vectors *vectors, uint32_t vector)
{
	return entry_of(vectors, vector)[ENTRY_CONTROL] & ENTRY_MASKED;
}

bool ward_msix_is_pending(const struct ward_vectors *vectors, uint32_t vector)
{
	return vectors->image[WARD_MSIX_PBA].bytes[vector / 8] >> vector % 8 & 1;
}

void ward_msix_set_pending(struct ward_vectors *vectors, uint32_t vector, bool pending)
{
	uint8_t *byte = &vectors->image[WARD_MSIX_PBA].bytes[vector / 8];
	uint32_t bit = 1u << vector % 8;

	*byte = (uint8_t)(pending ? *byte | bit : *byte & ~bit);
}

void ward_msix_get(const struct ward_vectors *vectors, uint32_t vector,
		   struct ward_vector *ret_vector)
{
	const uint8_t *entry = entry_of(vectors, vector);

	*ret_vector = (struct ward_vector){
		.enabled = ward_msix_enabled(vectors),
		.masked = !ward_msix_unmasked(vectors) || ward_msix_entry_masked(vectors, vector),
		.pending = ward_msix_is_pending(vectors, vector),
		.message = { ward_iova(ward_le32(entry + ENTRY_ADDRESS) |
				       (uint64_t)ward_le32(entry + ENTRY_ADDRESS_HIGH) << 32),
			     ward_le32(entry + ENTRY_DATA) },
	};
}

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The registers of <doorward/vector.h>: an image of the bytes that a guest sees, and which of their
 * bits a write changes. What they mean is read out of the image, so there is no second state that
 * could differ from it.
 */
#ifndef MSI_VECTOR_H
#define MSI_VECTOR_H

#include <doorward/vector.h>

#define WARD_VECTOR_REGISTERS 4u /* enum ward_vector_registers */

/* One block of registers. Bits that may be written repeat every period bytes. */
struct ward_register_image {
	uint8_t *bytes;
	uint32_t size; /* as the guest sees it; 0: it is not there */
	const uint8_t *writable;
	uint32_t period;
};

/* The MSI capability with all of its optional parts (PCI 3.0, 6.8.1). */
#define WARD_MSI_BYTES 24u
#define WARD_MSIX_BYTES 12u
#define WARD_MSIX_ENTRY_BYTES 16u

struct ward_vectors {
	struct ward_vectors_options options;
	struct ward_register_image image[WARD_VECTOR_REGISTERS];
	uint8_t msi[WARD_MSI_BYTES], msi_writable[WARD_MSI_BYTES];
	uint8_t msix[WARD_MSIX_BYTES];
	uint64_t resets; /* how often the function was reset: wiring drops what it holds then */
};

static inline uint16_t ward_le16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline uint32_t ward_le32(const uint8_t *bytes)
{
	return ward_le16(bytes) | (uint32_t)ward_le16(bytes + 2) << 16;
}

static inline void ward_put_le16(uint8_t *bytes, uint32_t value)
{
	bytes[0] = (uint8_t)(value & 0xff);
	bytes[1] = (uint8_t)(value >> 8 & 0xff);
}

static inline void ward_put_le32(uint8_t *bytes, uint32_t value)
{
	ward_put_le16(bytes, value);
	ward_put_le16(bytes + 2, value >> 16);
}

/* How many vectors there can be in any mode. */
uint32_t ward_vectors_most(const struct ward_vectors *vectors);

/* Lays the capability out, as after a reset. */
void ward_msi_init(struct ward_vectors *vectors);
void ward_msi_reset(struct ward_vectors *vectors);
bool ward_msi_enabled(const struct ward_vectors *vectors);
uint32_t ward_msi_granted(const struct ward_vectors *vectors);
/* More messages than the function can send are not granted, whatever was written. */
void ward_msi_limit_granted(struct ward_vectors *vectors);
/* Bit n: vector n may send when it is raised. */
uint32_t ward_msi_open(const struct ward_vectors *vectors);
uint32_t ward_msi_pending(const struct ward_vectors *vectors);
void ward_msi_set_pending(struct ward_vectors *vectors, uint32_t pending);
void ward_msi_get(const struct ward_vectors *vectors, uint32_t vector,
		  struct ward_vector *ret_vector);

int ward_msix_init(struct ward_vectors *vectors); /* 0 or -ENOMEM; the image is allocated */
void ward_msix_finish(struct ward_vectors *vectors);
void ward_msix_reset(struct ward_vectors *vectors);
bool ward_msix_enabled(const struct ward_vectors *vectors);
/* It is enabled, and the function's mask is clear. */
bool ward_msix_unmasked(const struct ward_vectors *vectors);
bool ward_msix_entry_masked(const struct ward_vectors *vectors, uint32_t vector);
bool ward_msix_is_pending(const struct ward_vectors *vectors, uint32_t vector);
void ward_msix_set_pending(struct ward_vectors *vectors, uint32_t vector, bool pending);
void ward_msix_get(const struct ward_vectors *vectors, uint32_t vector,
		   struct ward_vector *ret_vector);

#endif

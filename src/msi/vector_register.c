// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Registers of vectors read and written, and what a write sets free. */
#include "msi/vector.h"

#include <errno.h>
#include <string.h>

/* The block, when the access is one that it has. */
static const struct ward_register_image *choose(const struct ward_vectors *vectors,
						enum ward_vector_registers which, uint32_t offset,
						size_t size)
{
	bool in_memory = which == WARD_MSIX_TABLE || which == WARD_MSIX_PBA;
	const struct ward_register_image *image;

	if ((uint32_t)which >= WARD_VECTOR_REGISTERS)
		return NULL;
	if (in_memory ? size != 4 && size != 8 : size != 1 && size != 2 && size != 4)
		return NULL;
	image = &vectors->image[which];
	if (offset % size != 0 || image->size < size || offset > image->size - size)
		return NULL;
	return image;
}

int ward_vectors_read(const struct ward_vectors *vectors, enum ward_vector_registers which,
		      uint32_t offset, void *ret_bytes, size_t size)
{
	const struct ward_register_image *image = choose(vectors, which, offset, size);

	if (!image)
		return -EINVAL;
	memcpy(ret_bytes, image->bytes + offset, size);
	return 0;
}

/* Writes what can be written; true when that changed something. */
static bool merge(const struct ward_register_image *image, uint32_t offset, const uint8_t *bytes,
		  size_t size)
{
	bool changed = false;

	for (uint32_t i = 0; i < size; i++) {
		uint8_t *at = &image->bytes[offset + i];
		uint8_t writable = image->writable[(offset + i) % image->period];
		uint8_t value = (uint8_t)((*at & ~writable) | (bytes[i] & writable));

		changed |= *at != value;
		*at = value;
	}
	return changed;
}

/* What decides who may send, before a write. */
struct gates {
	enum ward_vector_mode mode;
	uint32_t msi;	   /* bit n: MSI n may send */
	bool msix;	   /* enabled, function not masked */
	bool entry_masked; /* of the entry that is written */
};

static struct gates look(const struct ward_vectors *vectors, enum ward_vector_registers which,
			 uint32_t vector)
{
	return (struct gates){
		.mode = ward_vectors_mode(vectors, NULL),
		.msi = ward_msi_open(vectors),
		.msix = ward_msix_unmasked(vectors),
		.entry_masked = which == WARD_MSIX_TABLE && ward_msix_entry_masked(vectors, vector),
	};
}

static void tell(const struct ward_vectors *vectors, enum ward_vector_registers which,
		 uint32_t vector, const struct gates *before)
{
	const struct ward_vectors_options *options = &vectors->options;
	enum ward_vector_mode mode = ward_vectors_mode(vectors, NULL);
	bool is_msi = which == WARD_MSI_CAPABILITY;

	if (!options->changed)
		return;
	if (mode != before->mode)
		options->changed(options->context, 0, ward_vectors_most(vectors) - 1);
	else if (mode == WARD_VECTORS_MSI && is_msi)
		options->changed(options->context, 0, options->msi_vectors - 1u);
	else if (mode == WARD_VECTORS_MSIX && which == WARD_MSIX_TABLE)
		options->changed(options->context, vector, vector);
	else if (mode == WARD_VECTORS_MSIX && !is_msi)
		options->changed(options->context, 0, options->msix_vectors - 1u);
}

/* The message goes out, once. */
static void release(struct ward_vectors *vectors, uint32_t vector)
{
	const struct ward_vectors_options *options = &vectors->options;
	struct ward_vector now;

	ward_vectors_set_pending(vectors, vector, false);
	if (options->send && ward_vectors_get(vectors, vector, &now) == 0)
		options->send(options->context, vector, &now.message);
}

static void release_msi(struct ward_vectors *vectors, uint32_t opened)
{
	uint32_t due = opened & ward_msi_pending(vectors);

	for (; due; due &= due - 1)
		release(vectors, (uint32_t)__builtin_ctz(due));
}

static void release_msix(struct ward_vectors *vectors)
{
	const uint8_t *pba = vectors->image[WARD_MSIX_PBA].bytes;

	for (uint32_t i = 0; i < vectors->options.msix_vectors; i++) {
		if (i % 8 == 0 && pba[i / 8] == 0)
			i += 7;
		else if (ward_msix_is_pending(vectors, i) && !ward_msix_entry_masked(vectors, i))
			release(vectors, i);
	}
}

/* Sends what is pending and was held back until now. */
static void release_opened(struct ward_vectors *vectors, enum ward_vector_registers which,
			   uint32_t vector, const struct gates *before)
{
	switch (ward_vectors_mode(vectors, NULL)) {
	case WARD_VECTORS_MSI:
		release_msi(vectors, ward_msi_open(vectors) & ~before->msi);
		return;
	case WARD_VECTORS_MSIX:
		if (!ward_msix_unmasked(vectors))
			return;
		if (!before->msix)
			release_msix(vectors);
		else if (which == WARD_MSIX_TABLE && before->entry_masked &&
			 !ward_msix_entry_masked(vectors, vector) &&
			 ward_msix_is_pending(vectors, vector))
			release(vectors, vector);
		return;
	case WARD_VECTORS_OFF:
		return;
	}
}

int ward_vectors_write(struct ward_vectors *vectors, enum ward_vector_registers which,
		       uint32_t offset, const void *bytes, size_t size)
{
	const struct ward_register_image *image = choose(vectors, which, offset, size);
	uint32_t vector = which == WARD_MSIX_TABLE ? offset / WARD_MSIX_ENTRY_BYTES : 0;
	struct gates before;

	if (!image)
		return -EINVAL;
	before = look(vectors, which, vector);
	if (!merge(image, offset, bytes, size))
		return 0;
	if (which == WARD_MSI_CAPABILITY)
		ward_msi_limit_granted(vectors);
	if (before.mode == WARD_VECTORS_MSI && ward_vectors_mode(vectors, NULL) != WARD_VECTORS_MSI)
		ward_msi_set_pending(vectors, 0);
	tell(vectors, which, vector, &before);
	release_opened(vectors, which, vector, &before);
	return 0;
}

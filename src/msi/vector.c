// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Vectors of one function: made, reset, asked and raised. Registers are in vector_register.c. */
#include "msi/vector.h"

#include <errno.h>
#include <stdlib.h>

#include "base/fault.h"

/* BARs of a capability's offset register: 6 and 7 are reserved. */
#define BAR_MASK 7u
#define BAR_LAST 5u

static bool is_possible(const struct ward_vectors_options *options)
{
	uint32_t msi = options->msi_vectors;

	if (options->size != sizeof(*options) || msi > WARD_MSI_VECTORS_MAX ||
	    (msi & (msi - 1)) != 0 || options->msix_vectors > WARD_MSIX_VECTORS_MAX)
		return false;
	return options->msix_vectors == 0 || ((options->msix_table & BAR_MASK) <= BAR_LAST &&
					      (options->msix_pba & BAR_MASK) <= BAR_LAST);
}

int ward_vectors_create(const struct ward_vectors_options *options,
			struct ward_vectors **ret_vectors)
{
	struct ward_vectors *vectors;

	if (!is_possible(options))
		return -EINVAL;
	vectors = ward_alloc(sizeof(*vectors));
	if (!vectors)
		return -ENOMEM;
	vectors->options = *options;
	ward_msi_init(vectors);
	if (ward_msix_init(vectors)) {
		free(vectors);
		return -ENOMEM;
	}
	*ret_vectors = vectors;
	return 0;
}

void ward_vectors_destroy(struct ward_vectors *vectors)
{
	if (!vectors)
		return;
	ward_msix_finish(vectors);
	free(vectors);
}

uint32_t ward_vectors_most(const struct ward_vectors *vectors)
{
	uint32_t msi = vectors->options.msi_vectors, msix = vectors->options.msix_vectors;

	return msi > msix ? msi : msix;
}

void ward_vectors_reset(struct ward_vectors *vectors)
{
	const struct ward_vectors_options *options = &vectors->options;

	ward_msi_reset(vectors);
	ward_msix_reset(vectors);
	vectors->resets++;
	if (options->changed && ward_vectors_most(vectors) > 0)
		options->changed(options->context, 0, ward_vectors_most(vectors) - 1);
}

enum ward_vector_mode ward_vectors_mode(const struct ward_vectors *vectors, uint32_t *ret_count)
{
	enum ward_vector_mode mode = WARD_VECTORS_OFF;
	uint32_t count = 0;

	if (ward_msix_enabled(vectors)) {
		mode = WARD_VECTORS_MSIX;
		count = vectors->options.msix_vectors;
	} else if (ward_msi_enabled(vectors)) {
		mode = WARD_VECTORS_MSI;
		count = ward_msi_granted(vectors);
	}
	if (ret_count)
		*ret_count = count;
	return mode;
}

int ward_vectors_get(const struct ward_vectors *vectors, uint32_t vector,
		     struct ward_vector *ret_vector)
{
	switch (ward_vectors_mode(vectors, NULL)) {
	case WARD_VECTORS_MSI:
		if (vector >= vectors->options.msi_vectors)
			return -EINVAL;
		ward_msi_get(vectors, vector, ret_vector);
		return 0;
	case WARD_VECTORS_MSIX:
		if (vector >= vectors->options.msix_vectors)
			return -EINVAL;
		ward_msix_get(vectors, vector, ret_vector);
		return 0;
	case WARD_VECTORS_OFF:
		break;
	}
	return -EINVAL;
}

int ward_vectors_raise(struct ward_vectors *vectors, uint32_t vector)
{
	const struct ward_vectors_options *options = &vectors->options;
	struct ward_vector now;
	uint32_t count;

	if (ward_vectors_mode(vectors, &count) == WARD_VECTORS_OFF)
		return vector < ward_vectors_most(vectors) ? -EOPNOTSUPP : -EINVAL;
	if (vector >= count || ward_vectors_get(vectors, vector, &now))
		return -EINVAL;
	if (now.masked) {
		ward_vectors_set_pending(vectors, vector, true);
		return 0;
	}
	if (options->send)
		options->send(options->context, vector, &now.message);
	return 1;
}

int ward_vectors_set_pending(struct ward_vectors *vectors, uint32_t vector, bool pending)
{
	uint32_t bits;

	if (ward_vectors_mode(vectors, NULL) == WARD_VECTORS_MSI) {
		if (vector >= vectors->options.msi_vectors)
			return -EINVAL;
		bits = ward_msi_pending(vectors);
		ward_msi_set_pending(vectors,
				     pending ? bits | 1u << vector : bits & ~(1u << vector));
		return 0;
	}
	if (vector >= vectors->options.msix_vectors)
		return -EINVAL;
	ward_msix_set_pending(vectors, vector, pending);
	return 0;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "base/fault.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

/* Per thread, so that a sweep in one test thread does not disturb another. */
static _Thread_local unsigned long fault_countdown;
static _Thread_local int fault_was_hit;

void ward_fault_arm(unsigned long nth)
{
	fault_countdown = nth;
	fault_was_hit = 0;
}

int ward_fault_hit(void)
{
	return fault_was_hit;
}

static int fault_now(void)
{
	if (fault_countdown == 0 || --fault_countdown > 0)
		return 0;
	fault_was_hit = 1;
	return 1;
}

void *ward_alloc(size_t size)
{
	return fault_now() ? NULL : calloc(1, size ? size : 1);
}

void *ward_alloc_aligned(size_t alignment, size_t size)
{
	return fault_now() ? NULL : aligned_alloc(alignment, size);
}

void *ward_alloc_array(size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		return NULL;
	return ward_alloc(count * size);
}

void *ward_realloc_array(void *old, size_t count, size_t size)
{
	return fault_now() ? NULL : reallocarray(old, count ? count : 1, size);
}

int ward_array_reserve(void **array, size_t *capacity, size_t count, size_t size)
{
	size_t wanted = *capacity ? *capacity : 16;
	void *grown;

	if (count <= *capacity)
		return 0;
	while (wanted < count) {
		if (wanted > SIZE_MAX / 2)
			return -ENOMEM;
		wanted *= 2;
	}
	grown = ward_realloc_array(*array, wanted, size);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*capacity = wanted;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Allocation with a fault point. All memory of the library comes from here, so that a test can
 * make the n-th allocation fail and see that nothing leaks and nothing is half done.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stddef.h>

void *ward_alloc(size_t size); /* zeroed; size 0 gives a unique pointer */
/* Not zeroed; alignment is a power of two, size a multiple of it. */
void *ward_alloc_aligned(size_t alignment, size_t size);
void *ward_alloc_array(size_t count, size_t size);
void *ward_realloc_array(void *old, size_t count, size_t size); /* new part is not zeroed */

/*
 * Grows *array (elements of size bytes) so that it holds at least count elements.
 * Returns 0 or -ENOMEM; on failure the array is as it was.
 */
int ward_array_reserve(void **array, size_t *capacity, size_t count, size_t size);

/* Tests only: the n-th allocation from now fails (1 is the next one); 0 switches it off. */
void ward_fault_arm(unsigned long nth);
/* Tests only: true when the armed allocation was reached since. */
int ward_fault_hit(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Memory for the programs. They have nothing better to do without memory than to say so and end
 * with exit code 1, so none of these returns NULL.
 */
#ifndef APP_MEMORY_H
#define APP_MEMORY_H

#include <stddef.h>

void *app_alloc(size_t count, size_t size); /* zeroed */
char *app_strdup(const char *text);
void *app_memdup(const void *from, size_t size); /* one NUL behind the copy */
__attribute__((format(printf, 1, 2))) char *app_printf(const char *format, ...);

/* Makes room in *array (elements of size bytes) for one more than count. */
void app_array_grow(void **array, size_t count, size_t size);

/* For libraries whose only reason to give NULL is memory. */
void *app_need(void *pointer);

#endif

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "app/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *app_need(void *pointer)
{
	if (!pointer) {
		fputs("doorward: out of memory\n", stderr);
		exit(1);
	}
	return pointer;
}

void *app_alloc(size_t count, size_t size)
{
	return app_need(calloc(count ? count : 1, size ? size : 1));
}

char *app_strdup(const char *text)
{
	return app_need(strdup(text));
}

void *app_memdup(const void *from, size_t size)
{
	char *copy = app_alloc(size + 1, 1);

	if (size)
		memcpy(copy, from, size);
	return copy;
}

char *app_printf(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return app_need(text);
}

void app_array_grow(void **array, size_t count, size_t size)
{
	/* Powers of two from 16 on, so that the capacity follows from the count. */
	if (count != 0 && (count < 16 || (count & (count - 1)) != 0))
		return;
	*array = app_need(reallocarray(*array, count < 16 ? 16 : count * 2, size));
}

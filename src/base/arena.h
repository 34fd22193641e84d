/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Memory that is freed all at once: strings and small arrays of a machine or a verdict. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct ward_arena_block;

/* Zero-initialised is empty. */
struct ward_arena {
	struct ward_arena_block *blocks;
};

/* Zeroed memory aligned for any type, or NULL. */
void *ward_arena_alloc(struct ward_arena *arena, size_t size);
/* Copies of a text (not NULL) and of bytes, or NULL. */
char *ward_arena_strdup(struct ward_arena *arena, const char *text);
void *ward_arena_memdup(struct ward_arena *arena, const void *from, size_t size);
__attribute__((format(printf, 2, 3))) char *ward_arena_printf(struct ward_arena *arena,
							      const char *format, ...);
__attribute__((format(printf, 2, 0))) char *ward_arena_vprintf(struct ward_arena *arena,
							       const char *format, va_list args);
void ward_arena_finish(struct ward_arena *arena);

#endif

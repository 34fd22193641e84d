// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"

#define ARENA_BLOCK 4096

struct ward_arena_block {
	struct ward_arena_block *next;
	size_t used, size;
	alignas(max_align_t) unsigned char bytes[];
};

void *ward_arena_alloc(struct ward_arena *arena, size_t size)
{
	struct ward_arena_block *block = arena->blocks;
	size_t rounded, room;
	void *at;

	if (size > SIZE_MAX / 2)
		return NULL;
	rounded = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!block || block->size - block->used < rounded) {
		room = rounded > ARENA_BLOCK ? rounded : ARENA_BLOCK;
		block = ward_alloc(sizeof(*block) + room);
		if (!block)
			return NULL;
		block->size = room;
		block->next = arena->blocks;
		arena->blocks = block;
	}
	at = block->bytes + block->used;
	block->used += rounded;
	return at;
}

void *ward_arena_memdup(struct ward_arena *arena, const void *from, size_t size)
{
	void *copy = ward_arena_alloc(arena, size);

	if (copy && size)
		memcpy(copy, from, size);
	return copy;
}

char *ward_arena_strdup(struct ward_arena *arena, const char *text)
{
	return ward_arena_memdup(arena, text, strlen(text) + 1);
}

char *ward_arena_vprintf(struct ward_arena *arena, const char *format, va_list args)
{
	va_list again;
	char *text;
	int length;

	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0)
		return NULL;
	text = ward_arena_alloc(arena, (size_t)length + 1);
	if (text)
		vsnprintf(text, (size_t)length + 1, format, args);
	return text;
}

char *ward_arena_printf(struct ward_arena *arena, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = ward_arena_vprintf(arena, format, args);
	va_end(args);
	return text;
}

void ward_arena_finish(struct ward_arena *arena)
{
	while (arena->blocks) {
		struct ward_arena_block *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
}

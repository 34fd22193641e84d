// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "dma/tree_node.h"

#include "base/fault.h"
#include "base/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#define CACHE_LINE 64u
#define CHUNK_MIN 32u
#define CHUNK_MAX (UINT32_C(32) << 20)
#define LITTLE (2 * CHUNK_MIN * WARD_NODE_BYTES)
#define HUGE_PAGE (UINT32_C(2) << 20)

_Static_assert(sizeof(struct ward_node) <= WARD_NODE_BYTES &&
		       sizeof(struct ward_node) % CACHE_LINE == 0,
	       "a node fills its lines");

struct ward_node_chunk {
	struct ward_node_chunk *next;
	size_t bytes;
};

static void push(struct ward_node_list *list, struct ward_node *node)
{
	node->next = list->first;
	if (!list->first)
		list->last = node;
	list->first = node;
	list->count++;
}

/* Moves all of from to the front of to. */
static void splice(struct ward_node_list *to, struct ward_node_list *from)
{
	if (!from->first)
		return;
	from->last->next = to->first;
	if (!to->first)
		to->last = from->last;
	to->first = from->first;
	to->count += from->count;
	*from = (struct ward_node_list){ 0 };
}

static void free_chunks(struct ward_node_chunk *chunk)
{
	while (chunk) {
		struct ward_node_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
}

void ward_node_pool_finish(struct ward_node_pool *pool)
{
	free_chunks(pool->chunks);
}

size_t ward_node_available(const struct ward_node_pool *pool)
{
	return pool->free.count + (size_t)(pool->fresh_end - pool->fresh);
}

size_t ward_node_used(const struct ward_node_pool *pool)
{
	return pool->nodes - ward_node_available(pool) - pool->retired.count - pool->waiting.count;
}

static void begin_chunk(struct ward_node_pool *pool, struct ward_node_chunk *chunk)
{
	unsigned char *first = (unsigned char *)(chunk + 1);
	size_t count;

	first += -(uintptr_t)first & (CACHE_LINE - 1);
	count = (size_t)((unsigned char *)chunk + chunk->bytes - first) / sizeof(struct ward_node);
	pool->fresh = (void *)first;
	pool->fresh_end = pool->fresh + count;
	pool->nodes += count;
	pool->bytes += chunk->bytes;
	chunk->next = pool->chunks;
	pool->chunks = chunk;
}

/*
 * A chunk more, a quarter of what there is. Large trees are read all over: those are made of whole
 * huge pages, which spare misses of the TLB (madvise is only advice).
 */
static int grow(struct ward_node_pool *pool, size_t count)
{
	size_t alignment = CACHE_LINE, bytes;
	struct ward_node_chunk *chunk;

	if (count < pool->nodes / 4)
		count = pool->nodes / 4;
	if (count < CHUNK_MIN)
		count = CHUNK_MIN;
	bytes = (count + 1) * sizeof(struct ward_node);
	if (bytes > CHUNK_MAX)
		bytes = CHUNK_MAX;
	if (bytes >= HUGE_PAGE / 4) {
		alignment = HUGE_PAGE;
		bytes = (bytes + HUGE_PAGE - 1) & -(size_t)HUGE_PAGE;
	}
	chunk = ward_alloc_aligned(alignment, bytes);
	if (!chunk)
		return -ENOMEM;
	chunk->bytes = bytes;
	if (alignment == HUGE_PAGE)
		(void)madvise(chunk, bytes, MADV_HUGEPAGE);
	while (pool->fresh < pool->fresh_end)
		push(&pool->free, pool->fresh++);
	begin_chunk(pool, chunk);
	return 0;
}

/* Never waits. */
static void reap(struct ward_node_pool *pool)
{
	if (!pool->waiting.first && pool->retired.first) {
		splice(&pool->waiting, &pool->retired);
		pool->epoch = ward_readers_epoch(pool->readers);
	}
	if (pool->waiting.first && ward_readers_passed(pool->readers, pool->epoch))
		splice(&pool->free, &pool->waiting);
}

int ward_node_reserve(struct ward_node_pool *pool, size_t count)
{
	if (ward_node_available(pool) >= count)
		return 0;
	reap(pool);
	return ward_node_available(pool) >= count ? 0 : grow(pool, 2 * count);
}

struct ward_node *ward_node_take(struct ward_node_pool *pool)
{
	struct ward_node *node = pool->free.first;

	if (!node)
		return pool->fresh++;
	pool->free.first = node->next;
	pool->free.count--;
	return node;
}

void ward_node_retire(struct ward_node_pool *pool, struct ward_node *node)
{
	push(&pool->retired, node);
}

void ward_node_settle(struct ward_node_pool *pool)
{
	if (!pool->readers)
		splice(&pool->free, &pool->retired);
}

void ward_node_wait(struct ward_node_pool *pool)
{
	ward_readers_wait(pool->readers);
	splice(&pool->free, &pool->waiting);
	splice(&pool->free, &pool->retired);
}

bool ward_node_is_sparse(const struct ward_node_pool *pool)
{
	/* A huge page may be four times what was asked for: a sixth is less than any pool begins with. */
	return pool->nodes / 6 > ward_node_used(pool) + CHUNK_MIN / 4;
}

int ward_node_pool_make(struct ward_readers *readers, size_t count, struct ward_node_pool *ret_pool)
{
	struct ward_node_pool pool = { .readers = readers };

	while (ward_node_available(&pool) < count) {
		if (grow(&pool, count - ward_node_available(&pool))) {
			free_chunks(pool.chunks);
			return -ENOMEM;
		}
	}
	*ret_pool = pool;
	return 0;
}

void ward_node_trim(struct ward_node_pool *pool)
{
	struct ward_node_chunk **at = &pool->chunks, *first;

	if (!*at)
		return;
	while ((*at)->next)
		at = &(*at)->next;
	/* The first chunk is a little one, unless it was made for a tree that moved. */
	first = *at;
	if (first->bytes > LITTLE)
		first = NULL;
	else
		*at = NULL;
	free_chunks(pool->chunks);
	*pool = (struct ward_node_pool){ .readers = pool->readers };
	if (first)
		begin_chunk(pool, first);
}

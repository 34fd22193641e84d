// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * A reader says in `seen` since which epoch it reads, 0 when it does not. Who takes something away
 * begins a new epoch and looks for readers of older ones.
 *
 * Why everything is sequentially consistent: a reader stores `seen`, then loads the published
 * pointer; the other side stores the pointer, then loads `seen` (the pattern of Dekker's
 * algorithm). With acquire and release alone each might miss the other's store: the reader uses
 * the old pointer and nobody waits for it. With one order over all four accesses, one of the two
 * comes first: either the reader finds the new pointer, or its `seen` is found. The epoch is part
 * of that order: who loaded the new epoch loads the pointer after it was published, so that
 * readers that come later need not be waited for.
 */
#include "base/reader.h"

#include "base/fault.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#define CACHE_LINE 64

/* The first line is the reading thread's own, the second one is everybody's. */
struct ward_reader {
	_Alignas(CACHE_LINE) _Atomic uint64_t seen;
	unsigned int depth; /* of nested enters; the reading thread's alone */
	_Alignas(CACHE_LINE) struct ward_readers *readers;
	struct ward_reader *previous, *next;
	void *allocation;
};

struct ward_readers {
	_Atomic uint64_t epoch; /* from 1 */
	pthread_mutex_t lock;	/* over the list; reading never takes it */
	struct ward_reader *first;
};

int ward_readers_create(struct ward_readers **ret_readers)
{
	struct ward_readers *readers = ward_alloc(sizeof(*readers));

	if (!readers)
		return -ENOMEM;
	if (pthread_mutex_init(&readers->lock, NULL)) {
		free(readers);
		return -ENOMEM;
	}
	atomic_init(&readers->epoch, 1);
	*ret_readers = readers;
	return 0;
}

void ward_readers_destroy(struct ward_readers *readers)
{
	if (!readers)
		return;
	pthread_mutex_destroy(&readers->lock);
	free(readers);
}

int ward_reader_create(struct ward_readers *readers, struct ward_reader **ret_reader)
{
	/* What comes from the allocator is not aligned to cache lines. */
	unsigned char *allocation = ward_alloc(sizeof(struct ward_reader) + CACHE_LINE);
	struct ward_reader *reader;

	if (!allocation)
		return -ENOMEM;
	reader = (void *)(allocation + (-(uintptr_t)allocation & (CACHE_LINE - 1)));
	reader->allocation = allocation;
	reader->readers = readers;
	atomic_init(&reader->seen, 0);
	pthread_mutex_lock(&readers->lock);
	reader->next = readers->first;
	if (reader->next)
		reader->next->previous = reader;
	readers->first = reader;
	pthread_mutex_unlock(&readers->lock);
	*ret_reader = reader;
	return 0;
}

void ward_reader_destroy(struct ward_reader *reader)
{
	struct ward_readers *readers;

	if (!reader)
		return;
	readers = reader->readers;
	pthread_mutex_lock(&readers->lock);
	if (reader->previous)
		reader->previous->next = reader->next;
	else
		readers->first = reader->next;
	if (reader->next)
		reader->next->previous = reader->previous;
	pthread_mutex_unlock(&readers->lock);
	free(reader->allocation);
}

void ward_reader_enter(struct ward_reader *reader)
{
	if (reader->depth++ == 0)
		atomic_store(&reader->seen, atomic_load(&reader->readers->epoch));
}

void ward_reader_exit(struct ward_reader *reader)
{
	if (--reader->depth == 0)
		atomic_store_explicit(&reader->seen, 0, memory_order_release);
}

uint64_t ward_readers_epoch(struct ward_readers *readers)
{
	return readers ? atomic_fetch_add(&readers->epoch, 1) + 1 : 0;
}

bool ward_readers_passed(struct ward_readers *readers, uint64_t epoch)
{
	const struct ward_reader *reader;
	bool passed = true;

	if (!readers)
		return true;
	pthread_mutex_lock(&readers->lock);
	for (reader = readers->first; reader && passed; reader = reader->next) {
		uint64_t seen = atomic_load(&reader->seen);

		passed = seen == 0 || seen >= epoch;
	}
	pthread_mutex_unlock(&readers->lock);
	return passed;
}

/*
 * The lock is not held while waiting: a thread that reads may create or destroy a reader meanwhile.
 */
void ward_readers_wait(struct ward_readers *readers)
{
	uint64_t epoch = ward_readers_epoch(readers);
	unsigned int spins = 0;

	while (!ward_readers_passed(readers, epoch)) {
		if (++spins > 64)
			sched_yield();
	}
}

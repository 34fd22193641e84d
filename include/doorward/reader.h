/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * Readers of the hot paths: translate (space.h) and, later, routes. A reader takes no lock and
 * allocates nothing; who takes something away waits until no reader can still be using it.
 *
 * Every thread that reads has a handle of its own:
 *
 * 	ward_reader_enter(reader);
 * 	ward_space_translate(space, reader, ...);	as often as wanted
 * 	ward_reader_exit(reader);
 *
 * Between enter and exit a thread must not call anything that waits for readers (unmap, attach,
 * destroy of an object with the same readers): it would wait for itself.
 */
#ifndef DOORWARD_READER_H
#define DOORWARD_READER_H

#include <doorward/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct ward_readers;
struct ward_reader;

/**
 * Creates a set of readers; the objects that are read together share one.
 * @param ret_readers the set; the caller destroys it
 * @return 0 or -ENOMEM
 */
int ward_readers_create(struct ward_readers **ret_readers);

/**
 * Destroys a set. Its readers must have been destroyed before, and the objects that use it.
 * @param readers a set, or NULL
 */
void ward_readers_destroy(struct ward_readers *readers);

/**
 * Makes a handle for one thread. Any thread may call this at any time.
 * @param readers the set
 * @param ret_reader the handle; the caller destroys it
 * @return 0 or -ENOMEM
 */
int ward_reader_create(struct ward_readers *readers, struct ward_reader **ret_reader);

/**
 * Destroys a handle that is not between enter and exit.
 * @param reader a handle, or NULL
 */
void ward_reader_destroy(struct ward_reader *reader);

/**
 * Begins to read. May be nested. Never blocks.
 * @param reader the thread's handle
 */
void ward_reader_enter(struct ward_reader *reader);

/**
 * Ends reading: what was returned since enter must not be used any more. Never blocks.
 * @param reader the thread's handle
 */
void ward_reader_exit(struct ward_reader *reader);

/**
 * Waits until every reader that is between enter and exit now has left. Readers that enter
 * meanwhile are not waited for.
 * @param readers the set; NULL returns at once
 */
void ward_readers_wait(struct ward_readers *readers);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

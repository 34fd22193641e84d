/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * What the changing side of a structure that is read without locks needs. What was taken away can
 * be freed when everybody has left who could have seen it:
 *
 *	publish the new pointer (a seq_cst store)
 *	epoch = ward_readers_epoch(readers);
 *	... later, as often as wanted ...
 *	if (ward_readers_passed(readers, epoch))
 *		free what the old pointer led to
 *
 * Readers load such pointers with seq_cst, too; reader.c says why.
 */
#ifndef BASE_READER_H
#define BASE_READER_H

#include <doorward/reader.h>

/* Begins a new epoch and returns it. NULL: nobody reads, 0. */
uint64_t ward_readers_epoch(struct ward_readers *readers);
/* Whether nobody reads any more who entered before epoch began. Never waits for readers. */
bool ward_readers_passed(struct ward_readers *readers, uint64_t epoch);

#endif

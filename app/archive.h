/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Captures: tar archives of the files that describe a machine. */
#ifndef APP_ARCHIVE_H
#define APP_ARCHIVE_H

#include <doorward/error.h>
#include <stddef.h>

enum app_entry_kind {
	APP_ENTRY_FILE,
	APP_ENTRY_LINK,
	APP_ENTRY_DIRECTORY,
};

/* What goes into an archive; zero-initialised is empty. */
struct app_entry {
	char *path;
	enum app_entry_kind kind;
	char *bytes; /* content, or text of the link; one NUL behind */
	size_t size;
	size_t order; /* of adding */
};

struct app_entries {
	struct app_entry *entry;
	size_t count;
};

/* Adds a copy. Of entries with one path the last one counts. */
void app_entries_add(struct app_entries *entries, const char *path, enum app_entry_kind kind,
		     const void *bytes, size_t size);
void app_entries_finish(struct app_entries *entries);

/*
 * Writes entries as a tar archive: sorted by path, time 0, owner 0, so that the same entries
 * give the same bytes. A name that ends in .gz, .tgz or .xz says to compress; "-" is standard
 * output. A file is there completely or not at all; a device or pipe is written to, never
 * replaced. Sorts the entries.
 * Returns 0 or a negative errno, with a sentence.
 */
int app_archive_write(struct app_entries *entries, const char *file, struct ward_error *ret_error);

/* Limits of what is unpacked: a machine of 64k functions fits, an archive bomb does not. */
#define APP_ARCHIVE_ENTRIES_MAX 4000000u
#define APP_ARCHIVE_BYTES_MAX (1024u * 1024 * 1024)
#define APP_ARCHIVE_FILE_MAX (64u * 1024 * 1024)
#define APP_ARCHIVE_DEPTH_MAX 64u

struct app_unpacked {
	char *path;
	int fd;
	void *blocked; /* signal mask to go back to */
};

/*
 * Unpacks an archive ("-": standard input) from anywhere into a private directory of its own and
 * never outside it. Anything but regular files (also under two names), directories and links that
 * stay inside is refused, and so is the archive. From here to app_unpacked_finish, SIGINT, SIGTERM
 * and SIGHUP wait, so that the directory is removed however the program ends.
 * Returns 0; -EBADMSG the archive is damaged or hostile; -EINTR one of those signals came;
 * what open and write give. With a sentence.
 */
int app_archive_unpack(const char *file, struct app_unpacked *ret_unpacked,
		       struct ward_error *ret_error);
void app_unpacked_finish(struct app_unpacked *unpacked);

#endif

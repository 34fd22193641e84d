// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "app/archive.h"

#include "app/memory.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void app_entries_add(struct app_entries *entries, const char *path, enum app_entry_kind kind,
		     const void *bytes, size_t size)
{
	app_array_grow((void **)&entries->entry, entries->count, sizeof(*entries->entry));
	entries->entry[entries->count] = (struct app_entry){
		.path = app_strdup(path),
		.kind = kind,
		.bytes = app_memdup(bytes, size),
		.size = size,
		.order = entries->count,
	};
	entries->count++;
}

static void entry_finish(struct app_entry *entry)
{
	free(entry->path);
	free(entry->bytes);
}

void app_entries_finish(struct app_entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		entry_finish(&entries->entry[i]);
	free(entries->entry);
	*entries = (struct app_entries){ 0 };
}

static int compare_entries(const void *left, const void *right)
{
	const struct app_entry *a = left, *b = right;
	int order = strcmp(a->path, b->path);

	if (order)
		return order;
	return a->order < b->order ? -1 : 1;
}

/* Sorts, and of entries with the same path keeps the one added last. */
static void entries_settle(struct app_entries *entries)
{
	size_t kept = 0;

	if (entries->count)
		qsort(entries->entry, entries->count, sizeof(*entries->entry), compare_entries);
	for (size_t i = 0; i < entries->count; i++) {
		struct app_entry *entry = &entries->entry[i];

		if (i + 1 < entries->count && strcmp(entry->path, entry[1].path) == 0)
			entry_finish(entry);
		else
			entries->entry[kept++] = *entry;
	}
	entries->count = kept;
}

static int refuse(struct ward_error *error, int code, const char *what, const char *why)
{
	snprintf(error->text, sizeof(error->text), "%s: %s", what, why);
	return code;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

static struct archive *writer_create(const char *file)
{
	struct archive *archive = app_need(archive_write_new());

	archive_write_set_format_pax_restricted(archive);
	/* Or a pipe would get padding that a file does not. */
	archive_write_set_bytes_in_last_block(archive, 1);
	if (ends_with(file, ".xz")) {
		archive_write_add_filter_xz(archive);
	} else if (ends_with(file, ".gz") || ends_with(file, ".tgz")) {
		archive_write_add_filter_gzip(archive);
		/* Its header would carry the time of day. */
		archive_write_set_filter_option(archive, "gzip", "timestamp", NULL);
	}
	return archive;
}

static int write_entry(struct archive *archive, const struct app_entry *from)
{
	struct archive_entry *entry = app_need(archive_entry_new());
	int status;

	archive_entry_set_pathname(entry, from->path);
	archive_entry_set_mtime(entry, 0, 0);
	archive_entry_set_uid(entry, 0);
	archive_entry_set_gid(entry, 0);
	archive_entry_set_perm(entry, 0644);
	switch (from->kind) {
	case APP_ENTRY_FILE:
		archive_entry_set_filetype(entry, AE_IFREG);
		archive_entry_set_size(entry, (la_int64_t)from->size);
		break;
	case APP_ENTRY_LINK:
		archive_entry_set_filetype(entry, AE_IFLNK);
		archive_entry_set_perm(entry, 0777);
		archive_entry_set_symlink(entry, from->bytes);
		break;
	case APP_ENTRY_DIRECTORY:
		archive_entry_set_filetype(entry, AE_IFDIR);
		archive_entry_set_perm(entry, 0755);
		break;
	}
	status = archive_write_header(archive, entry);
	archive_entry_free(entry);
	if (status != ARCHIVE_OK)
		return status;
	if (from->kind == APP_ENTRY_FILE && from->size &&
	    archive_write_data(archive, from->bytes, from->size) != (la_ssize_t)from->size)
		return ARCHIVE_FATAL;
	return ARCHIVE_OK;
}

static int write_to(struct app_entries *entries, const char *name, int fd,
		    struct ward_error *ret_error)
{
	struct archive *archive = writer_create(name);
	int status = archive_write_open_fd(archive, fd), error = 0;

	for (size_t i = 0; i < entries->count && status == ARCHIVE_OK; i++)
		status = write_entry(archive, &entries->entry[i]);
	if (status == ARCHIVE_OK)
		status = archive_write_close(archive);
	if (status != ARCHIVE_OK) {
		error = archive_errno(archive) > 0 ? -archive_errno(archive) : -EIO;
		refuse(ret_error, error, name, strerror(-error));
	}
	archive_write_free(archive);
	return error;
}

/* A regular file appears whole or not at all. */
static int write_beside(struct app_entries *entries, const char *file, const char *target,
			struct ward_error *ret_error)
{
	char *beside = app_printf("%s.XXXXXX", target);
	int fd = mkostemp(beside, O_CLOEXEC), error;

	if (fd < 0) {
		error = refuse(ret_error, -errno, file, strerror(errno));
		free(beside);
		return error;
	}
	error = write_to(entries, file, fd, ret_error);
	/* The mode stays 0600: a capture tells much about a machine. */
	if (close(fd) < 0 && !error)
		error = refuse(ret_error, -errno, file, strerror(errno));
	if (!error && rename(beside, target) < 0)
		error = refuse(ret_error, -errno, file, strerror(errno));
	if (error)
		unlink(beside);
	free(beside);
	return error;
}

/* A pipe or a device is written to: it must not be replaced by a file. */
static int write_into(struct app_entries *entries, const char *file, struct ward_error *ret_error)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC | O_NOCTTY), error;

	if (fd < 0)
		return refuse(ret_error, -errno, file, strerror(errno));
	error = write_to(entries, file, fd, ret_error);
	if (close(fd) < 0 && !error)
		error = refuse(ret_error, -errno, file, strerror(errno));
	return error;
}

int app_archive_write(struct app_entries *entries, const char *file, struct ward_error *ret_error)
{
	char *target;
	struct stat st;
	int error;

	entries_settle(entries);
	if (strcmp(file, "-") == 0)
		return write_to(entries, file, STDOUT_FILENO, ret_error);
	if (stat(file, &st) == 0 && !S_ISREG(st.st_mode))
		return write_into(entries, file, ret_error);
	/* Where a link leads the file is replaced, not the link. */
	target = realpath(file, NULL);
	error = write_beside(entries, file, target ? target : file, ret_error);
	free(target);
	return error;
}

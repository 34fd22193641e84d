// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Archives come from anywhere. They are unpacked by our own few calls below a directory handle
 * rather than by libarchive's disk writer, since every step is then relative to that handle and
 * none follows a link.
 */
#include "app/archive.h"

#include "app/memory.h"
#include "app/tree.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The directory to remove should the program exit early, for want of memory say. */
static const char *unpacked_path;

static void remove_at_exit(void)
{
	if (unpacked_path)
		app_tree_remove(unpacked_path);
}

struct unpacking {
	struct archive *archive;
	int from, signals; /* the archive; readable when a signal waits */
	int root;
	/* The directory of the entry before: entries of one directory mostly follow each other. */
	int directory;
	char *directory_path;
	size_t entries;
	uint64_t bytes;
	bool interrupted;
	struct ward_error *error;
	char block[65536];
};

__attribute__((format(printf, 3, 4))) static int refuse(struct ward_error *error, int code,
							const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return code;
}

/* "./a//b/" as "a/b"; NULL when the path is empty or not one that stays inside. */
static char *tidy_path(const char *path)
{
	char *tidy = app_alloc(strlen(path) + 1, 1), *to = tidy;
	size_t depth = 0;

	if (*path == '/')
		goto refused;
	while (*path) {
		size_t length = strcspn(path, "/");

		if (length && !(length == 1 && *path == '.')) {
			if (to != tidy)
				*to++ = '/';
			memcpy(to, path, length);
			to += length;
			depth++;
		}
		path += length;
		path += strspn(path, "/");
	}
	if (depth > APP_ARCHIVE_DEPTH_MAX || !app_tree_path_ok(tidy))
		goto refused;
	return tidy;
refused:
	free(tidy);
	return NULL;
}

static size_t depth_of(const char *path)
{
	size_t depth = 0;

	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

/*
 * A link stays inside when it is relative, climbs first and no higher than the root, and then
 * only descends: path stands in real directories, so that climbing means what it says.
 */
static bool link_stays_inside(const char *path, const char *target)
{
	size_t above = depth_of(path);

	if (*target == '\0' || *target == '/' || strlen(target) >= PATH_MAX)
		return false;
	while (strncmp(target, "..", 2) == 0 && (target[2] == '/' || target[2] == '\0')) {
		if (above-- == 0)
			return false;
		target += 2;
		target += strspn(target, "/");
	}
	for (; *target; target += strspn(target, "/")) {
		size_t length = strcspn(target, "/");

		if (length == 2 && strncmp(target, "..", 2) == 0)
			return false;
		target += length;
	}
	return true;
}

/* Opens, and makes, the directory that path stands in. Returns 0 and leaves it in to. */
static int enter(struct unpacking *to, const char *path, size_t length)
{
	if (to->directory >= 0 && strlen(to->directory_path) == length &&
	    strncmp(to->directory_path, path, length) == 0)
		return 0;
	if (to->directory >= 0)
		close(to->directory);
	free(to->directory_path);
	to->directory_path = app_memdup(path, length);
	to->directory = app_tree_directory(to->root, path, length, true);
	if (to->directory < 0)
		return refuse(to->error, -EBADMSG, "%s cannot be unpacked: %s", path,
			      strerror(-to->directory));
	return 0;
}

static int enter_above(struct unpacking *to, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');

	*ret_name = slash ? slash + 1 : path;
	return enter(to, path, slash ? (size_t)(slash - path) : 0);
}

static int unpack_link(struct unpacking *to, const char *path, const char *target)
{
	const char *name;
	int error;

	if (!target || !link_stays_inside(path, target))
		return refuse(to->error, -EBADMSG, "link %s leads outside the archive", path);
	error = enter_above(to, path, &name);
	if (!error && symlinkat(target, to->directory, name) < 0)
		error = refuse(to->error, errno == EEXIST ? -EBADMSG : -errno,
			       "%s cannot be unpacked: %s", path, strerror(errno));
	return error;
}

/*
 * Another name for a file that was unpacked before; plain tar makes such of sysfs. Of a link it
 * would be a link elsewhere, where it may lead out.
 */
static int unpack_hard_link(struct unpacking *to, const char *path, const char *target)
{
	char *from = tidy_path(target);
	const char *slash = from ? strrchr(from, '/') : NULL, *name;
	int directory = -EINVAL, error = enter_above(to, path, &name);
	struct stat status;

	if (from)
		directory = app_tree_directory(to->root, from, slash ? (size_t)(slash - from) : 0,
					       false);
	if (!error &&
	    (directory < 0 ||
	     fstatat(directory, slash ? slash + 1 : from, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
	     !S_ISREG(status.st_mode) ||
	     linkat(directory, slash ? slash + 1 : from, to->directory, name, 0) < 0))
		error = refuse(to->error, -EBADMSG,
			       "hard link %s does not lead to a file before it", path);
	if (directory >= 0)
		close(directory);
	free(from);
	return error;
}

static int copy_data(struct unpacking *to, const char *path, int fd)
{
	char block[16384];
	uint64_t size = 0;

	for (;;) {
		la_ssize_t got = archive_read_data(to->archive, block, sizeof(block));

		if (got == 0)
			return 0;
		if (got < 0)
			return refuse(to->error, -EBADMSG,
				      "the archive is damaged or cut short at %.100s (%s)", path,
				      archive_error_string(to->archive));
		size += (uint64_t)got;
		to->bytes += (uint64_t)got;
		if (size > APP_ARCHIVE_FILE_MAX || to->bytes > APP_ARCHIVE_BYTES_MAX)
			return refuse(to->error, -EBADMSG, "%s makes the archive too large", path);
		if (write(fd, block, (size_t)got) != got)
			return refuse(to->error, -EIO, "%s cannot be unpacked: %s", path,
				      strerror(errno));
	}
}

static int unpack_file(struct unpacking *to, const char *path)
{
	const char *name;
	int fd, error = enter_above(to, path, &name);

	if (error)
		return error;
	fd = openat(to->directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return refuse(to->error, errno == EEXIST ? -EBADMSG : -errno,
			      "%s cannot be unpacked: %s", path, strerror(errno));
	error = copy_data(to, path, fd);
	close(fd);
	return error;
}

static int unpack_entry(struct unpacking *to, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry), *other = archive_entry_hardlink(entry);
	char *path;
	int error;

	if (!name)
		return refuse(to->error, -EBADMSG, "the archive holds a nameless file");
	if (archive_entry_filetype(entry) == AE_IFDIR && name[strspn(name, "./")] == '\0' &&
	    !strstr(name, "..") && *name != '/')
		return 0;
	path = tidy_path(name);
	if (!path)
		return refuse(to->error, -EBADMSG,
			      "the archive names a file outside itself, or too deep in it: %.100s",
			      name);
	if (other) {
		error = unpack_hard_link(to, path, other);
		free(path);
		return error;
	}
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		error = unpack_file(to, path);
		break;
	case AE_IFLNK:
		error = unpack_link(to, path, archive_entry_symlink(entry));
		break;
	case AE_IFDIR:
		error = enter(to, path, strlen(path));
		break;
	default:
		error = refuse(to->error, -EBADMSG,
			       "%s is neither file, nor directory, nor symbolic link", path);
		break;
	}
	free(path);
	return error;
}

static int unpack_all(struct unpacking *to)
{
	struct archive_entry *entry;
	int status, error = 0;

	while (!error) {
		status = archive_read_next_header(to->archive, &entry);
		if (status == ARCHIVE_EOF)
			break;
		if (to->interrupted)
			return refuse(to->error, -EINTR, "interrupted");
		if (status < ARCHIVE_WARN)
			return refuse(to->error, -EBADMSG,
				      "the archive is damaged or cut short (%s)",
				      archive_error_string(to->archive));
		if (++to->entries > APP_ARCHIVE_ENTRIES_MAX)
			return refuse(to->error, -EBADMSG, "the archive holds too many files");
		error = unpack_entry(to, entry);
	}
	if (!error && to->entries == 0)
		return refuse(to->error, -EBADMSG, "the archive is empty");
	return error;
}

/*
 * A capture is many small files, and on a disk each costs a write: memory first (250 ms against
 * 15 ms for fifteen functions, bench/list), unless the user names a place.
 */
static const char *temporary_directory(void)
{
	const char *named = getenv("TMPDIR");
	struct statvfs memory;

	if (named && *named)
		return named;
	/* Containers often have little of it. */
	if (access("/dev/shm", W_OK | X_OK) == 0 && statvfs("/dev/shm", &memory) == 0 &&
	    (uint64_t)memory.f_bavail * memory.f_frsize >= APP_ARCHIVE_BYTES_MAX)
		return "/dev/shm";
	return "/tmp";
}

static int private_directory(struct app_unpacked *unpacked, struct ward_error *error)
{
	static bool registered;

	unpacked->path = app_printf("%s/doorward-XXXXXX", temporary_directory());
	if (!mkdtemp(unpacked->path))
		return refuse(error, -errno, "%s: %s", unpacked->path, strerror(errno));
	if (!registered)
		registered = atexit(remove_at_exit) == 0;
	unpacked_path = unpacked->path;
	unpacked->fd = open(unpacked->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (unpacked->fd < 0)
		return refuse(error, -errno, "%s: %s", unpacked->path, strerror(errno));
	return 0;
}

/* Returns a file descriptor that is readable when one of them waits. */
static int hold_signals(struct app_unpacked *unpacked)
{
	sigset_t held;

	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigaddset(&held, SIGHUP);
	unpacked->blocked = app_alloc(1, sizeof(sigset_t));
	sigprocmask(SIG_BLOCK, &held, unpacked->blocked);
	return signalfd(-1, &held, SFD_CLOEXEC);
}

void app_unpacked_finish(struct app_unpacked *unpacked)
{
	if (unpacked->fd >= 0)
		close(unpacked->fd);
	if (unpacked_path) {
		app_tree_remove(unpacked_path);
		unpacked_path = NULL;
	}
	free(unpacked->path);
	if (unpacked->blocked)
		sigprocmask(SIG_SETMASK, unpacked->blocked, NULL);
	free(unpacked->blocked);
	*unpacked = (struct app_unpacked){ .fd = -1 };
}

/* The archive may come through a pipe that stalls: then a signal must still get through. */
static la_ssize_t read_block(struct archive *archive, void *context, const void **ret_block)
{
	struct unpacking *to = context;
	struct pollfd wait[2] = {
		{ .fd = to->from, .events = POLLIN },
		{ .fd = to->signals, .events = POLLIN },
	};
	ssize_t got;

	do {
		if (poll(wait, 2, -1) > 0 && wait[1].revents) {
			to->interrupted = true;
			archive_set_error(archive, EINTR, "interrupted");
			return ARCHIVE_FATAL;
		}
		got = read(to->from, to->block, sizeof(to->block));
	} while (got < 0 && (errno == EINTR || errno == EAGAIN));
	if (got < 0) {
		archive_set_error(archive, errno, "%s", strerror(errno));
		return ARCHIVE_FATAL;
	}
	*ret_block = to->block;
	return got;
}

static struct archive *reader_create(void)
{
	struct archive *archive = app_need(archive_read_new());

	archive_read_support_format_tar(archive);
	archive_read_support_filter_gzip(archive);
	archive_read_support_filter_xz(archive);
	return archive;
}

static int unpack_from(struct unpacking *to, struct app_unpacked *unpacked)
{
	int error;

	to->signals = hold_signals(unpacked);
	error = private_directory(unpacked, to->error);
	if (error)
		goto out;
	to->archive = reader_create();
	to->root = unpacked->fd;
	to->directory = -1;
	if (archive_read_open(to->archive, to, NULL, read_block, NULL) != ARCHIVE_OK)
		error = refuse(to->error, to->interrupted ? -EINTR : -EBADMSG,
			       "this is no tar archive (%s)", archive_error_string(to->archive));
	else
		error = unpack_all(to);
	archive_read_free(to->archive);
	if (to->directory >= 0)
		close(to->directory);
	free(to->directory_path);
out:
	if (to->signals >= 0)
		close(to->signals);
	return error;
}

int app_archive_unpack(const char *file, struct app_unpacked *ret_unpacked,
		       struct ward_error *ret_error)
{
	struct app_unpacked unpacked = { .fd = -1 };
	struct unpacking *to = app_alloc(1, sizeof(*to));
	struct stat st;
	int error;

	to->error = ret_error;
	to->from = strcmp(file, "-") == 0 ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
	if (to->from < 0) {
		error = refuse(ret_error, -errno, "%s", strerror(errno));
		goto out;
	}
	if (fstat(to->from, &st) == 0 && S_ISDIR(st.st_mode))
		error = refuse(ret_error, -EISDIR,
			       "a directory, not an archive; a tree of files: --sysroot DIR");
	else
		error = unpack_from(to, &unpacked);
	if (error)
		app_unpacked_finish(&unpacked);
	else
		*ret_unpacked = unpacked;
	if (to->from != STDIN_FILENO)
		close(to->from);
out:
	free(to);
	return error;
}

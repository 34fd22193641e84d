// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "app/tree.h"

#include "app/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool app_tree_path_ok(const char *path)
{
	if (strlen(path) >= PATH_MAX)
		return false;
	for (;;) {
		size_t length = strcspn(path, "/");

		if (length == 0 || length > NAME_MAX)
			return false;
		if (path[0] == '.' && (length == 1 || (length == 2 && path[1] == '.')))
			return false;
		if (path[length] == '\0')
			return true;
		path += length + 1;
	}
}

static int open_directory(int parent, const char *name, bool make)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(parent, name, flags);

	if (fd < 0 && errno == ENOENT && make) {
		if (mkdirat(parent, name, 0700) < 0)
			return -errno;
		fd = openat(parent, name, flags);
	}
	return fd < 0 ? -errno : fd;
}

int app_tree_directory(int root, const char *path, size_t length, bool make)
{
	int at = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *end = path + length;

	if (at < 0)
		return -errno;
	while (path < end && at >= 0) {
		size_t part = strcspn(path, "/");
		char name[NAME_MAX + 1];
		int above = at;

		if (part > (size_t)(end - path))
			part = (size_t)(end - path);
		if (part == 0 || part > NAME_MAX) {
			at = -EINVAL;
		} else {
			memcpy(name, path, part);
			name[part] = '\0';
			at = open_directory(above, name, make);
		}
		close(above);
		path += part + 1;
	}
	return at;
}

static int open_file(int root, const char *path)
{
	const char *slash = strrchr(path, '/');
	int above, fd;

	if (!app_tree_path_ok(path))
		return -EINVAL;
	above = app_tree_directory(root, path, slash ? (size_t)(slash - path) : 0, false);
	if (above < 0)
		return above;
	/* O_NONBLOCK: a named pipe must not hold us up. */
	fd = openat(above, slash ? slash + 1 : path,
		    O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	close(above);
	return fd;
}

int app_read_all(int fd, size_t limit, char **ret_bytes, size_t *ret_size)
{
	char *bytes = NULL;
	size_t size = 0, room = 0;

	for (;;) {
		ssize_t got;

		if (room - size < 2) {
			room = room ? room * 2 : 4096;
			bytes = app_need(realloc(bytes, room));
		}
		got = read(fd, bytes + size, room - size - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || size + (size_t)got > limit) {
			int error = got < 0 ? -errno : -EFBIG;

			free(bytes);
			return error;
		}
		if (got == 0)
			break;
		size += (size_t)got;
	}
	bytes[size] = '\0';
	*ret_bytes = bytes;
	*ret_size = size;
	return 0;
}

int app_tree_read(int root, const char *path, size_t limit, char **ret_bytes, size_t *ret_size)
{
	int fd = open_file(root, path), error;
	struct stat status;

	if (fd < 0)
		return fd;
	if (fstat(fd, &status) < 0)
		error = -errno;
	else if (!S_ISREG(status.st_mode))
		error = -EINVAL;
	else
		error = app_read_all(fd, limit, ret_bytes, ret_size);
	close(fd);
	return error;
}

/* Takes fd. depth keeps the number of open files down; archives are not deeper. */
static void remove_below(int fd, unsigned int depth)
{
	DIR *directory = fdopendir(fd);
	const struct dirent *entry;

	if (!directory) {
		close(fd);
		return;
	}
	while ((entry = readdir(directory))) {
		int child;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(directory), entry->d_name, 0) == 0 || depth == 0)
			continue;
		child = open_directory(dirfd(directory), entry->d_name, false);
		if (child >= 0)
			remove_below(child, depth - 1);
		unlinkat(dirfd(directory), entry->d_name, AT_REMOVEDIR);
	}
	closedir(directory);
}

void app_tree_remove(const char *path)
{
	int fd = open_directory(AT_FDCWD, path, false);

	if (fd >= 0)
		remove_below(fd, 200);
	rmdir(path);
}

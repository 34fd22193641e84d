// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "machine/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fault.h"

#define DENIED_LIMIT (16u << 20)

bool ward_tree_failed(int error)
{
	return error == -ENOMEM || error == -EMFILE || error == -ENFILE;
}

int ward_tree_answer(int error)
{
	switch (error) {
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return -error;
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case ENODEV: /* the device went away while we looked */
		return -ENOENT;
	default:
		return -EACCES;
	}
}

void ward_tree_saw(const struct ward_tree *tree, const char *path, enum ward_saw_kind kind,
		   const void *bytes, size_t size)
{
	if (tree->saw)
		tree->saw(tree->context, path, kind, bytes, size);
}

static int join(const char *base, const char *name, char ret_path[WARD_TREE_PATH])
{
	int length = snprintf(ret_path, WARD_TREE_PATH, "%s%s%s", base, base[0] ? "/" : "", name);

	return length < WARD_TREE_PATH ? 0 : -ENOENT;
}

/* No empty part, no "." or "..": what is left cannot climb. */
static bool is_plain(const char *path)
{
	while (*path) {
		size_t length = strcspn(path, "/");

		if (length == 0 || (length == 1 && path[0] == '.') ||
		    (length == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += length;
		if (*path == '/' && *++path == '\0')
			return false;
	}
	return true;
}

/* Opens path below fd one directory after the other, following nothing. */
static int open_walking(int fd, const char *path, int flags)
{
	char part[WARD_TREE_PATH];
	int at = fd, next, error;

	for (;;) {
		size_t length = strcspn(path, "/");
		bool last = path[length] == '\0';

		memcpy(part, path, length);
		part[length] = '\0';
		next = openat(at, part,
			      O_CLOEXEC | O_NOFOLLOW | (last ? flags : O_PATH | O_DIRECTORY));
		error = errno;
		if (at != fd)
			close(at);
		if (next < 0 || last) {
			errno = error;
			return next;
		}
		at = next;
		path += length + 1;
	}
}

static int open_below(const struct ward_tree *tree, int fd, const char *path, int flags)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC | O_NOFOLLOW),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	if (strlen(path) >= WARD_TREE_PATH || !is_plain(path)) {
		errno = ENOENT;
		return -1;
	}
	if (path[0] == '\0')
		return openat(fd, ".", flags | O_CLOEXEC);
	if (!strchr(path, '/'))
		return openat(fd, path, flags | O_CLOEXEC | O_NOFOLLOW);
	if (tree->walk)
		return open_walking(fd, path, flags);
	return (int)syscall(SYS_openat2, fd, path, &how, sizeof(how));
}

/* Older kernels have no openat2; some sandboxes answer EPERM to what they do not know. */
static bool has_openat2(int dirfd)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC | O_DIRECTORY };
	int fd = (int)syscall(SYS_openat2, dirfd, ".", &how, sizeof(how));

	if (fd < 0)
		return errno != ENOSYS && errno != EPERM;
	close(fd);
	return true;
}

/* Index of the first refused path that does not sort before path. */
static size_t find_denied(const struct ward_tree *tree, const char *path)
{
	size_t low = 0, high = tree->denied.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(tree->denied.name[middle], path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_denied(const struct ward_tree *tree, const char *path)
{
	size_t at = find_denied(tree, path);

	return at < tree->denied.count && !strcmp(tree->denied.name[at], path);
}

/* Answers for a failed open or read of path, and tells the observer of a refusal. */
static int refuse(const struct ward_tree *tree, const char *path, int error)
{
	int answer = ward_tree_answer(error);

	if (answer == -EACCES)
		ward_tree_saw(tree, path, WARD_SAW_DENIED, NULL, 0);
	return answer;
}

int ward_dir_enter(const struct ward_dir *dir, const char *name, struct ward_dir *ret_dir)
{
	const struct ward_tree *tree = dir->tree;
	char path[WARD_TREE_PATH];
	int fd, err;

	err = join(dir->path, name, path);
	if (err < 0)
		return err;
	if (is_denied(tree, path))
		return refuse(tree, path, EACCES);
	fd = open_below(tree, dir->fd, name, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return refuse(tree, path, errno);
	ret_dir->tree = tree;
	ret_dir->fd = fd;
	memcpy(ret_dir->path, path, sizeof(path));
	ward_tree_saw(tree, path, WARD_SAW_DIRECTORY, NULL, 0);
	return 0;
}

int ward_dir_open(const struct ward_tree *tree, const char *path, struct ward_dir *ret_dir)
{
	struct ward_dir root = { .tree = tree, .fd = tree->root };

	return ward_dir_enter(&root, path, ret_dir);
}

void ward_dir_close(struct ward_dir *dir)
{
	if (dir->fd >= 0)
		close(dir->fd);
	dir->fd = -1;
}

int ward_dir_open_file(const struct ward_dir *dir, const char *name, char ret_path[WARD_TREE_PATH])
{
	struct stat st;
	int fd, err;

	err = join(dir->path, name, ret_path);
	if (err < 0)
		return err;
	if (is_denied(dir->tree, ret_path))
		return -EACCES;
	/* O_NONBLOCK: a FIFO of a hostile tree must not hold us. */
	fd = open_below(dir->tree, dir->fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return ward_tree_answer(errno);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

int ward_tree_resolve(const char *base, const char *target, char ret_path[WARD_TREE_PATH])
{
	char path[WARD_TREE_PATH];
	size_t used = 0, i;

	for (i = 0; target[i]; i++)
		if (target[i] < 0x20 || target[i] > 0x7e)
			return -ENOENT;
	if (target[0] != '/') {
		used = strlen(base);
		memcpy(path, base, used);
	}
	while (*target) {
		size_t length = strcspn(target, "/");

		if (length == 2 && target[0] == '.' && target[1] == '.') {
			while (used > 0 && path[--used] != '/')
				;
		} else if (length > 0 && !(length == 1 && target[0] == '.')) {
			if (used + 1 + length >= sizeof(path))
				return -ENOENT;
			if (used > 0)
				path[used++] = '/';
			memcpy(path + used, target, length);
			used += length;
		}
		target += length;
		if (*target == '/')
			target++;
	}
	memcpy(ret_path, path, used);
	ret_path[used] = '\0';
	return 0;
}

int ward_dir_link(const struct ward_dir *dir, const char *name, char ret_path[WARD_TREE_PATH])
{
	char path[WARD_TREE_PATH], target[WARD_TREE_PATH];
	ssize_t length;
	int err;

	err = join(dir->path, name, path);
	if (err < 0 || strchr(name, '/') || !is_plain(name))
		return -ENOENT;
	length = readlinkat(dir->fd, name, target, sizeof(target));
	if (length < 0)
		/* EINVAL: it is there, and no link. */
		return errno == EINVAL ? -ENOENT : refuse(dir->tree, path, errno);
	if ((size_t)length >= sizeof(target))
		return -ENOENT;
	target[length] = '\0';
	ward_tree_saw(dir->tree, path, WARD_SAW_LINK, target, (size_t)length);
	return ward_tree_resolve(dir->path, target, ret_path);
}

int ward_dir_link_name(const struct ward_dir *dir, const char *name, size_t size, char *ret_name)
{
	char path[WARD_TREE_PATH];
	const char *last;
	int err;

	err = ward_dir_link(dir, name, path);
	if (err < 0)
		return err;
	last = strrchr(path, '/');
	last = last ? last + 1 : path;
	if (last[0] == '\0' || strlen(last) >= size)
		return -ENOENT;
	memcpy(ret_name, last, strlen(last) + 1);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int names_add(struct ward_names *names, const char *name)
{
	void *grown = names->name;
	char *copy;
	int err;

	err = ward_array_reserve(&grown, &names->capacity, names->count + 1, sizeof(*names->name));
	if (err < 0)
		return err;
	names->name = grown;
	copy = ward_arena_strdup(&names->arena, name);
	if (!copy)
		return -ENOMEM;
	names->name[names->count++] = copy;
	return 0;
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

static int list_entries(DIR *entries, struct ward_names *names)
{
	const struct dirent *entry;
	int err;

	while (errno = 0, (entry = readdir(entries))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    !is_printable(entry->d_name))
			continue;
		if (names->count >= WARD_TREE_ENTRIES)
			return -EACCES;
		err = names_add(names, entry->d_name);
		if (err < 0)
			return err;
	}
	return errno ? ward_tree_answer(errno) : 0;
}

/* What a capture could not read is in its directory all the same. */
static int list_denied(const struct ward_dir *dir, struct ward_names *names)
{
	const struct ward_names *denied = &dir->tree->denied;
	char prefix[WARD_TREE_PATH];
	size_t length;
	int err = 0;

	if (denied->count == 0 || join(dir->path, "", prefix) < 0)
		return 0;
	length = strlen(prefix);
	for (size_t i = find_denied(dir->tree, prefix); i < denied->count && err == 0; i++) {
		if (strncmp(denied->name[i], prefix, length) != 0)
			break;
		if (denied->name[i][length] && !strchr(denied->name[i] + length, '/') &&
		    is_printable(denied->name[i] + length))
			err = names_add(names, denied->name[i] + length);
	}
	return err;
}

static void sort_names(struct ward_names *names)
{
	size_t kept = 0;

	if (names->count)
		qsort(names->name, names->count, sizeof(*names->name), compare_names);
	for (size_t i = 0; i < names->count; i++)
		if (kept == 0 || strcmp(names->name[kept - 1], names->name[i]) != 0)
			names->name[kept++] = names->name[i];
	names->count = kept;
}

int ward_dir_list(const struct ward_dir *dir, struct ward_names *ret_names)
{
	struct ward_names names = { 0 };
	DIR *entries;
	int fd, err;

	fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return refuse(dir->tree, dir->path, errno);
	entries = fdopendir(fd);
	if (!entries) {
		close(fd);
		return -ENOMEM;
	}
	err = list_entries(entries, &names);
	closedir(entries);
	if (err == 0)
		err = list_denied(dir, &names);
	if (err < 0) {
		ward_names_finish(&names);
		return err;
	}
	sort_names(&names);
	*ret_names = names;
	return 0;
}

void ward_names_finish(struct ward_names *names)
{
	free(names->name);
	ward_arena_finish(&names->arena);
	*names = (struct ward_names){ 0 };
}

void ward_dir_note(const struct ward_dir *dir, const char *name)
{
	char path[WARD_TREE_PATH];

	if (join(dir->path, name, path) == 0)
		ward_tree_saw(dir->tree, path, WARD_SAW_DIRECTORY, NULL, 0);
}

/* Reads doorward/denied: one path a line. */
static int read_denied(struct ward_tree *tree)
{
	struct ward_dir root = { .tree = tree, .fd = tree->root };
	struct ward_bytes bytes = { 0 };
	char path[WARD_TREE_PATH];
	size_t at = 0;
	int err;

	err = ward_dir_read(&root, "doorward/denied", DENIED_LIMIT, &bytes);
	while (err == 0 && at < bytes.size) {
		const uint8_t *line = bytes.data + at;
		const uint8_t *end = memchr(line, '\n', bytes.size - at);
		size_t length = end ? (size_t)(end - line) : bytes.size - at;

		if (length > 0 && length < sizeof(path)) {
			memcpy(path, line, length);
			path[length] = '\0';
			err = names_add(&tree->denied, path);
		}
		at += length + 1;
	}
	free(bytes.data);
	sort_names(&tree->denied);
	return ward_tree_failed(err) ? err : 0;
}

int ward_tree_open(int dirfd, const struct ward_read_options *options, struct ward_tree *ret_tree)
{
	struct ward_tree tree = { .root = dirfd };
	struct stat mine, here;
	int err;

	if (fstat(dirfd, &here) < 0)
		return -errno;
	if (!S_ISDIR(here.st_mode))
		return -ENOTDIR;
	tree.live =
		stat("/", &mine) == 0 && mine.st_dev == here.st_dev && mine.st_ino == here.st_ino;
	tree.walk = !has_openat2(dirfd);
	if (!tree.live) {
		err = read_denied(&tree);
		if (err < 0) {
			ward_names_finish(&tree.denied);
			return err;
		}
	}
	/* From here on: the list of what was refused is no part of what is read. */
	if (options) {
		tree.saw = options->saw;
		tree.context = options->context;
	}
	*ret_tree = tree;
	return 0;
}

void ward_tree_close(struct ward_tree *tree)
{
	ward_names_finish(&tree->denied);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What is in the files of a tree: bytes, a text, a number. */
#include "machine/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"

/* Reads to the end into a buffer that grows up to limit; -EACCES when there is more. */
static int read_all(int fd, size_t limit, struct ward_bytes *ret_bytes)
{
	size_t capacity = 0, size = 0;
	void *data = NULL;
	uint8_t extra;
	ssize_t got;
	int err;

	for (;;) {
		err = ward_array_reserve(&data, &capacity, size < 256 ? 256 : size + 1, 1);
		if (err < 0)
			break;
		if (size >= limit)
			got = read(fd, &extra, 1);
		else
			got = read(fd, (uint8_t *)data + size,
				   (capacity < limit ? capacity : limit) - size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0) {
			ret_bytes->data = data;
			ret_bytes->size = size;
			return 0;
		}
		err = got < 0 ? ward_tree_answer(errno) : size >= limit ? -EACCES : 0;
		if (err < 0)
			break;
		size += (size_t)got;
	}
	free(data);
	return err;
}

int ward_dir_read(const struct ward_dir *dir, const char *name, size_t limit,
		  struct ward_bytes *ret_bytes)
{
	char path[WARD_TREE_PATH];
	int fd, err;

	fd = ward_dir_open_file(dir, name, path);
	err = fd;
	if (fd >= 0) {
		err = read_all(fd, limit, ret_bytes);
		close(fd);
	}
	if (err == -EACCES)
		ward_tree_saw(dir->tree, path, WARD_SAW_DENIED, NULL, 0);
	if (err == 0)
		ward_tree_saw(dir->tree, path, WARD_SAW_FILE, ret_bytes->data, ret_bytes->size);
	return err;
}

static int read_wanted(int fd, size_t limit, size_t (*wanted)(const uint8_t *bytes, size_t size),
		       struct ward_bytes *bytes)
{
	for (;;) {
		size_t all = wanted(bytes->data, bytes->size);
		ssize_t got;

		if (all > limit)
			all = limit;
		if (all <= bytes->size)
			return 0;
		got = read(fd, bytes->data + bytes->size, all - bytes->size);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? ward_tree_answer(errno) : 0;
		bytes->size += (size_t)got;
	}
}

int ward_dir_read_wanted(const struct ward_dir *dir, const char *name, size_t limit,
			 size_t (*wanted)(const uint8_t *bytes, size_t size),
			 struct ward_bytes *ret_bytes)
{
	struct ward_bytes bytes = { 0 };
	char path[WARD_TREE_PATH];
	int fd, err;

	fd = ward_dir_open_file(dir, name, path);
	err = fd;
	if (fd >= 0) {
		bytes.data = ward_alloc(limit);
		err = bytes.data ? read_wanted(fd, limit, wanted, &bytes) : -ENOMEM;
		close(fd);
	}
	if (err == -EACCES)
		ward_tree_saw(dir->tree, path, WARD_SAW_DENIED, NULL, 0);
	if (err < 0) {
		free(bytes.data);
		return err;
	}
	ward_tree_saw(dir->tree, path, WARD_SAW_FILE, bytes.data, bytes.size);
	*ret_bytes = bytes;
	return 0;
}

int ward_dir_text(const struct ward_dir *dir, const char *name, size_t size, char *ret_text)
{
	char path[WARD_TREE_PATH], text[WARD_TREE_TEXT];
	size_t length = 0, i;
	ssize_t got = 0;
	int fd, err;

	fd = ward_dir_open_file(dir, name, path);
	err = fd < 0 ? fd : 0;
	while (fd >= 0 && length < size && length < sizeof(text)) {
		got = read(fd, text + length, (size < sizeof(text) ? size : sizeof(text)) - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		length += (size_t)got;
	}
	if (fd >= 0 && got != 0)
		err = got < 0 ? ward_tree_answer(errno) : -EACCES;
	if (fd >= 0)
		close(fd);
	if (err == -EACCES)
		ward_tree_saw(dir->tree, path, WARD_SAW_DENIED, NULL, 0);
	if (err < 0)
		return err;
	ward_tree_saw(dir->tree, path, WARD_SAW_FILE, text, length);
	while (length > 0 &&
	       (text[length - 1] == '\n' || text[length - 1] == ' ' || text[length - 1] == '\0'))
		length--;
	for (i = 0; i < length; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			text[i] = '?';
	memcpy(ret_text, text, length);
	ret_text[length] = '\0';
	return 0;
}

int ward_dir_number(const struct ward_dir *dir, const char *name, int base, uint64_t max,
		    uint64_t *ret_number)
{
	unsigned long long number;
	char text[64], *end;
	int err;

	err = ward_dir_text(dir, name, sizeof(text), text);
	if (err < 0)
		return err;
	/* strtoull takes a sign and white space, which are no number to us. */
	if (!((text[0] >= '0' && text[0] <= '9') ||
	      (base == 16 && text[0] >= 'a' && text[0] <= 'f')))
		return -EACCES;
	errno = 0;
	number = strtoull(text, &end, base);
	if (errno || *end != '\0' || number > max)
		return -EACCES;
	*ret_number = number;
	return 0;
}

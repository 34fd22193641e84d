/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Files below a directory that somebody else may have filled: no step ever follows a link. */
#ifndef APP_TREE_H
#define APP_TREE_H

#include <stdbool.h>
#include <stddef.h>

/* "a/b/c": not empty, not absolute, no empty, "." or ".." component, no overlong one. */
bool app_tree_path_ok(const char *path);

/*
 * Opens the directory that the first length bytes of path name, below root; 0 is root itself.
 * With make, what is missing is made.
 * Returns a file descriptor or a negative errno (-ELOOP, -ENOTDIR: a link stands on the way).
 */
int app_tree_directory(int root, const char *path, size_t length, bool make);

/*
 * Reads what a descriptor has to the end, at most limit bytes; one NUL stands behind the bytes.
 * Returns 0, -EFBIG, or what read gives.
 */
int app_read_all(int fd, size_t limit, char **ret_bytes, size_t *ret_size);

/*
 * Reads a whole regular file of at most limit bytes; one NUL stands behind the bytes.
 * Returns 0, -EFBIG, or what open and read give.
 */
int app_tree_read(int root, const char *path, size_t limit, char **ret_bytes, size_t *ret_size);

/* Removes a directory and all below it. Errors are ignored: there is no second way. */
void app_tree_remove(const char *path);

#endif

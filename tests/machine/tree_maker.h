/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Small trees for tests of the reader: made in a directory of their own, removed with all that is
 * in them.
 */
#ifndef TESTS_MACHINE_TREE_MAKER_H
#define TESTS_MACHINE_TREE_MAKER_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* <top>/root is the tree, everything else in <top> lies outside it. */
struct test_tree {
	char top[64];
	char root[80];
};

static inline void test_tree_make(struct test_tree *tree)
{
	snprintf(tree->top, sizeof(tree->top), "/tmp/doorward-test-XXXXXX");
	assert_non_null(mkdtemp(tree->top));
	snprintf(tree->root, sizeof(tree->root), "%s/root", tree->top);
	assert_int_equal(mkdir(tree->root, 0700), 0);
}

static inline int test_tree_remove_entry(const char *path, const struct stat *st, int type,
					 struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void test_tree_remove(struct test_tree *tree)
{
	assert_int_equal(nftw(tree->top, test_tree_remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static inline int test_tree_open(const struct test_tree *tree)
{
	int fd = open(tree->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* Writes the path below the root and makes the directories above it. */
static inline void test_tree_path(const struct test_tree *tree, const char *path, char ret[2048])
{
	size_t length = strlen(tree->root);

	snprintf(ret, 2048, "%s/%s", tree->root, path);
	for (char *at = ret + length + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		assert_true(mkdir(ret, 0700) == 0 || errno == EEXIST);
		*at = '/';
	}
}

static inline void test_tree_bytes(const struct test_tree *tree, const char *path,
				   const void *bytes, size_t size)
{
	char full[2048];
	FILE *file;

	test_tree_path(tree, path, full);
	unlink(full);
	file = fopen(full, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static inline void test_tree_file(const struct test_tree *tree, const char *path, const char *text)
{
	test_tree_bytes(tree, path, text, strlen(text));
}

static inline void test_tree_link(const struct test_tree *tree, const char *path,
				  const char *target)
{
	char full[2048];

	test_tree_path(tree, path, full);
	unlink(full);
	assert_int_equal(symlink(target, full), 0);
}

static inline void test_tree_dir(const struct test_tree *tree, const char *path)
{
	char full[2048];

	test_tree_path(tree, path, full);
	assert_true(mkdir(full, 0700) == 0 || errno == EEXIST);
}

static inline void test_tree_delete(const struct test_tree *tree, const char *path)
{
	char full[2048];

	test_tree_path(tree, path, full);
	assert_int_equal(remove(full), 0);
}

#endif

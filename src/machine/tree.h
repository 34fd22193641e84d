/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * Files below a root directory, of this host or of a captured one. The kernel never follows a
 * link for us: links are read, and their targets worked out here, clamped to the root. So nothing
 * outside is ever opened, and an observer sees every file, link and directory that is used.
 *
 * All calls share these answers: -ENOENT it is not there, or not what was asked for; -EACCES it is
 * there, but cannot be read, or is larger than the limit; -ENOMEM, -EMFILE, -ENFILE are failures
 * of ours, and the only ones that end the reading of a machine (ward_tree_failed).
 */
#ifndef MACHINE_TREE_H
#define MACHINE_TREE_H

#include <doorward/machine.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* Longest path below the root, with its NUL. */
#define WARD_TREE_PATH 1024
/* Longest text that ward_dir_text can be asked for, with its NUL. */
#define WARD_TREE_TEXT 4096
/* Most entries of one directory. */
#define WARD_TREE_ENTRIES (1u << 20)

/* Names of a directory's entries, sorted; those that are not printable ASCII are left out. */
struct ward_names {
	struct ward_arena arena;
	const char **name;
	size_t count, capacity;
};

struct ward_tree {
	int root;  /* borrowed */
	bool live; /* the root is this host's own */
	bool walk; /* without openat2: directory by directory */
	void (*saw)(void *context, const char *path, enum ward_saw_kind kind, const void *bytes,
		    size_t size);
	void *context;
	/* What doorward/denied lists: treated as refused. */
	struct ward_names denied;
};

struct ward_dir {
	const struct ward_tree *tree;
	int fd;
	char path[WARD_TREE_PATH]; /* from the root, no leading slash; "" is the root */
};

struct ward_bytes {
	uint8_t *data;
	size_t size;
};

/* True for errors that must end the reading: memory or descriptors are used up. */
bool ward_tree_failed(int error);

int ward_tree_open(int dirfd, const struct ward_read_options *options, struct ward_tree *ret_tree);
void ward_tree_close(struct ward_tree *tree);

/* A directory by its path from the root, which must go through no link. */
int ward_dir_open(const struct ward_tree *tree, const char *path, struct ward_dir *ret_dir);
void ward_dir_close(struct ward_dir *dir);
/* name may have several parts ("power/control") but no link in them and no "..". */
int ward_dir_enter(const struct ward_dir *dir, const char *name, struct ward_dir *ret_dir);

/*
 * For tree_file.c: opens a regular file and gives its path from the root; a descriptor, or an
 * answer. What an errno of the system means to a reader. Telling the observer.
 */
int ward_dir_open_file(const struct ward_dir *dir, const char *name, char ret_path[WARD_TREE_PATH]);
int ward_tree_answer(int error);
void ward_tree_saw(const struct ward_tree *tree, const char *path, enum ward_saw_kind kind,
		   const void *bytes, size_t size);

/* The whole file, at most limit bytes; the caller frees data. */
int ward_dir_read(const struct ward_dir *dir, const char *name, size_t limit,
		  struct ward_bytes *ret_bytes);
/*
 * The beginning of a file: wanted is asked with what was read so far (at first nothing) how many
 * bytes it wants in all, at most limit. Reading ends when that is no more than there is already,
 * or with the file. data holds limit bytes, zero behind size.
 */
int ward_dir_read_wanted(const struct ward_dir *dir, const char *name, size_t limit,
			 size_t (*wanted)(const uint8_t *bytes, size_t size),
			 struct ward_bytes *ret_bytes);
/*
 * A short text (with its NUL in size bytes): without the white space at its end, what is not
 * printable ASCII as '?'.
 */
int ward_dir_text(const struct ward_dir *dir, const char *name, size_t size, char *ret_text);
/* A number in C notation of a base; base 16 with or without 0x. -EACCES when it is none. */
int ward_dir_number(const struct ward_dir *dir, const char *name, int base, uint64_t max,
		    uint64_t *ret_number);
/* Where a link leads, as a path from the root; it need not exist. */
int ward_dir_link(const struct ward_dir *dir, const char *name, char ret_path[WARD_TREE_PATH]);
/* Last part of where a link leads. */
int ward_dir_link_name(const struct ward_dir *dir, const char *name, size_t size, char *ret_name);

int ward_dir_list(const struct ward_dir *dir, struct ward_names *ret_names);
void ward_names_finish(struct ward_names *names);
/* Tells the observer of an entry of which only the name was used. */
void ward_dir_note(const struct ward_dir *dir, const char *name);

/*
 * Works out where target, met in directory base, leads: absolute from the root, ".." never above
 * it. Returns 0 or -ENOENT when it is too long or not printable ASCII.
 */
int ward_tree_resolve(const char *base, const char *target, char ret_path[WARD_TREE_PATH]);

#endif

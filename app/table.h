/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Tables and trees for people, a thin layer over libsmartcols, so they look like lsblk's. */
#ifndef APP_TABLE_H
#define APP_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct app_column {
	const char *name; /* as typed in -o and as heading */
	const char *help;
	bool tree;     /* carries the lines of a tree */
	bool truncate; /* may be cut when the terminal is narrow */
	bool right;
	bool hidden; /* not shown unless asked for */
};

enum app_table_flags {
	APP_TABLE_RAW = 1,
	APP_TABLE_NO_HEADINGS = 2,
	APP_TABLE_TREE = 4,
};

struct app_table;

/*
 * Chooses columns: a list "A,B", "+A,B" (those shown anyway and these), or NULL. columns is ended
 * by a row without name. Returns how many, their numbers in ret_chosen (free() it), or -EINVAL
 * with the piece that is no column in ret_wrong (free() it).
 */
int app_table_choose(const struct app_column *columns, const char *list, size_t **ret_chosen,
		     char **ret_wrong);

struct app_table *app_table_create(const struct app_column *columns, const size_t *chosen,
				   size_t count, unsigned int flags);
/* Adds a line under another (NULL: at the top) and returns it. cells: one per chosen column. */
void *app_table_line(struct app_table *table, void *parent, const char *const *cells);
/* Prints on standard output. Returns 0 or a negative errno. */
int app_table_print(struct app_table *table);
void app_table_destroy(struct app_table *table);

#endif

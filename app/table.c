// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "app/table.h"

#include "app/memory.h"
#include "app/text.h"

#include <errno.h>
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct app_table {
	struct libscols_table *table;
	size_t columns;
};

static int find_column(const struct app_column *columns, const char *name, size_t *ret_index)
{
	for (size_t i = 0; columns[i].name; i++) {
		if (strcasecmp(columns[i].name, name) == 0) {
			*ret_index = i;
			return 0;
		}
	}
	return -ENOENT;
}

static size_t choose_shown(const struct app_column *columns, size_t **chosen)
{
	size_t count = 0;

	for (size_t i = 0; columns[i].name; i++) {
		if (columns[i].hidden)
			continue;
		app_array_grow((void **)chosen, count, sizeof(**chosen));
		(*chosen)[count++] = i;
	}
	return count;
}

int app_table_choose(const struct app_column *columns, const char *list, size_t **ret_chosen,
		     char **ret_wrong)
{
	size_t *chosen = NULL, count = 0;
	char *copy, *at, *name;

	if (!list || *list == '+')
		count = choose_shown(columns, &chosen);
	if (!list) {
		*ret_chosen = chosen;
		return (int)count;
	}
	copy = at = app_strdup(*list == '+' ? list + 1 : list);
	while ((name = strsep(&at, ","))) {
		size_t index;

		if (find_column(columns, name, &index) < 0) {
			*ret_wrong = app_strdup(name);
			free(copy);
			free(chosen);
			return -EINVAL;
		}
		app_array_grow((void **)&chosen, count, sizeof(*chosen));
		chosen[count++] = index;
	}
	free(copy);
	*ret_chosen = chosen;
	return (int)count;
}

static void add_column(struct libscols_table *table, const struct app_column *column, bool tree)
{
	int flags = 0;

	if (column->tree && tree)
		flags |= SCOLS_FL_TREE;
	if (column->truncate)
		flags |= SCOLS_FL_TRUNC;
	if (column->right)
		flags |= SCOLS_FL_RIGHT;
	/* A width hint of 0.1 lets a column that may be cut shrink far before others do. */
	app_need(scols_table_new_column(table, column->name, column->truncate ? 0.1 : 0, flags));
}

struct app_table *app_table_create(const struct app_column *columns, const size_t *chosen,
				   size_t count, unsigned int flags)
{
	struct app_table *table = app_alloc(1, sizeof(*table));
	bool tree = (flags & APP_TABLE_TREE) && !(flags & APP_TABLE_RAW);

	table->table = app_need(scols_new_table());
	table->columns = count;
	scols_table_enable_raw(table->table, (flags & APP_TABLE_RAW) != 0);
	scols_table_enable_noheadings(table->table, (flags & APP_TABLE_NO_HEADINGS) != 0);
	for (size_t i = 0; i < count; i++)
		add_column(table->table, &columns[chosen[i]], tree);
	return table;
}

void *app_table_line(struct app_table *table, void *parent, const char *const *cells)
{
	struct libscols_line *line = app_need(scols_table_new_line(table->table, parent));

	for (size_t i = 0; i < table->columns; i++) {
		char *clean;

		if (!cells[i])
			continue;
		clean = app_strdup(cells[i]);
		app_text_clean(clean, false);
		/* The line owns the text from here on. */
		if (scols_line_refer_data(line, i, clean) < 0)
			app_need(NULL);
	}
	return line;
}

int app_table_print(struct app_table *table)
{
	return scols_print_table(table->table);
}

void app_table_destroy(struct app_table *table)
{
	if (!table)
		return;
	scols_unref_table(table->table);
	free(table);
}

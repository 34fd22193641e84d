// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "msi/route_table.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

void ward_route_table_finish(struct ward_route_table *table)
{
	free(table->rows);
	*table = (struct ward_route_table){ 0 };
}

int ward_route_table_reserve(struct ward_route_table *table, uint32_t count)
{
	void *rows = table->rows;
	int code = ward_array_reserve(&rows, &table->capacity, count, sizeof(*table->rows));

	table->rows = rows;
	return code;
}

/* Index of the first row whose GSI is not below. */
static uint32_t lower_bound(const struct ward_route_table *table, ward_gsi_t gsi)
{
	uint32_t from = 0, to = table->count;

	while (from < to) {
		uint32_t middle = from + (to - from) / 2;

		if (ward_gsi_raw(table->rows[middle].gsi) < ward_gsi_raw(gsi))
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

uint32_t ward_route_table_find(const struct ward_route_table *table, ward_gsi_t gsi,
			       uint32_t *ret_count)
{
	uint32_t first = lower_bound(table, gsi), end = first;

	while (end < table->count && table->rows[end].gsi == gsi)
		end++;
	*ret_count = end - first;
	return first;
}

/* Whether one of the two has to go when the other comes. */
static bool excludes(const struct ward_route *old, const struct ward_route *new)
{
	return old->kind != WARD_ROUTE_PIN || new->kind != WARD_ROUTE_PIN || old->chip == new->chip;
}

int ward_route_table_growth(const struct ward_route_table *table, const struct ward_route *route)
{
	uint32_t count, first = ward_route_table_find(table, route->gsi, &count);
	int growth = 1;

	for (uint32_t i = first; i < first + count; i++)
		growth -= excludes(&table->rows[i], route);
	return growth;
}

static void remove_rows(struct ward_route_table *table, uint32_t first, uint32_t count)
{
	struct ward_route *at;

	if (!count)
		return;
	at = &table->rows[first];
	table->count -= count;
	memmove(at, at + count, (table->count - first) * sizeof(*at));
}

/* Field by field into zeroes: a copy of a struct may bring any bytes between its fields. */
static void fill(struct ward_route *row, const struct ward_route *route)
{
	memset(row, 0, sizeof(*row));
	row->gsi = route->gsi;
	row->kind = route->kind;
	if (route->kind == WARD_ROUTE_PIN) {
		row->chip = route->chip;
		row->pin = route->pin;
		return;
	}
	row->flags = route->flags;
	row->address = route->address;
	row->data = route->data;
	if (route->flags & WARD_ROUTE_DEVID)
		row->devid = route->devid;
}

void ward_route_table_put(struct ward_route_table *table, const struct ward_route *route)
{
	uint32_t count, at = ward_route_table_find(table, route->gsi, &count);
	uint32_t end = at + count;

	for (uint32_t i = end; i-- > at;) {
		if (excludes(&table->rows[i], route)) {
			remove_rows(table, i, 1);
			end--;
		}
	}
	/* A message has no chip, and nobody beside it. */
	while (at < end && table->rows[at].chip < route->chip)
		at++;
	memmove(&table->rows[at + 1], &table->rows[at],
		(table->count - at) * sizeof(table->rows[0]));
	fill(&table->rows[at], route);
	table->count++;
}

uint32_t ward_route_table_clear(struct ward_route_table *table, ward_gsi_t gsi)
{
	uint32_t count, first = ward_route_table_find(table, gsi, &count);

	remove_rows(table, first, count);
	return count;
}

void ward_route_table_copy(struct ward_route_table *table, const struct ward_route_table *from)
{
	if (from->count)
		memcpy(table->rows, from->rows, from->count * sizeof(*from->rows));
	table->count = from->count;
}

static bool same(const struct ward_route *a, const struct ward_route *b)
{
	return a->gsi == b->gsi && a->kind == b->kind && a->flags == b->flags &&
	       a->chip == b->chip && a->pin == b->pin && a->address == b->address &&
	       a->data == b->data && a->devid == b->devid;
}

bool ward_route_table_equal(const struct ward_route_table *a, const struct ward_route_table *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (!same(&a->rows[i], &b->rows[i]))
			return false;
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * A routing table: rows by GSI, then chip, so that two tables of the same routes are the same bytes and
 * a row that nobody changed stays where it was among its neighbours.
 */
#ifndef MSI_ROUTE_TABLE_H
#define MSI_ROUTE_TABLE_H

#include <doorward/vm.h>

/* Zeroed is an empty one. */
struct ward_route_table {
	struct ward_route *rows;
	size_t capacity;
	uint32_t count;
};

void ward_route_table_finish(struct ward_route_table *table);

/* Room for so many rows: what follows cannot fail then. 0 or -ENOMEM. */
int ward_route_table_reserve(struct ward_route_table *table, uint32_t count);

/* The rows of a GSI: index of the first, or of where it would be. */
uint32_t ward_route_table_find(const struct ward_route_table *table, ward_gsi_t gsi,
			       uint32_t *ret_count);

/* Copies what the route's kind has, and nothing else: what a row does not mean is 0. */
void ward_route_table_put(struct ward_route_table *table, const struct ward_route *route);

/* How many rows putting a route would add: 1, 0, or less when a message takes pins' place. */
int ward_route_table_growth(const struct ward_route_table *table, const struct ward_route *route);

/* Returns how many rows it had. */
uint32_t ward_route_table_clear(struct ward_route_table *table, ward_gsi_t gsi);

/* There is room. */
void ward_route_table_copy(struct ward_route_table *table, const struct ward_route_table *from);

bool ward_route_table_equal(const struct ward_route_table *a, const struct ward_route_table *b);

#endif

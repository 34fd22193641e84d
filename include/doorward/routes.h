/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/**
 * @file
 * The routing table of a VM as its monitor edits it: GSIs handed out, edits collected, one commit. What
 * was not edited stays byte for byte the same in the kernel's table (a changed entry drops direct
 * injection, GICv4 or posted).
 *
 * Threads: one at a time.
 */
#ifndef DOORWARD_ROUTES_H
#define DOORWARD_ROUTES_H

#include <doorward/vm.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct ward_routes;

/**
 * Creates a table with the default routes of a VM (which it has already: nothing is committed).
 * @param vm a VM; borrowed, outlives the table. Arm: started
 * @param ret_routes the table; the caller destroys it
 * @return 0; -ENODEV not started; -ENOMEM
 */
int ward_routes_create(struct ward_vm *vm, struct ward_routes **ret_routes);

/**
 * Destroys a table. The VM keeps what was committed.
 * @param routes a table, or NULL
 */
void ward_routes_destroy(struct ward_routes *routes);

/**
 * Hands out a GSI that has no default route and that nobody has: the lowest. It has no route yet, and
 * stays the same until it is freed.
 * @param routes a table
 * @param ret_gsi the GSI
 * @return 0 or -ENOSPC
 */
int ward_routes_alloc(struct ward_routes *routes, ward_gsi_t *ret_gsi);

/**
 * Gives a GSI back; its route goes with the next commit, and it is handed out again only after that.
 * From now on it is not the caller's any more, whoever commits or aborts.
 * @param routes a table
 * @param gsi what ward_routes_alloc gave
 */
void ward_routes_free(struct ward_routes *routes, ward_gsi_t gsi);

/**
 * Sets the route of a GSI: counts from the next commit on. Replaces what the GSI had at that chip.
 * @param routes a table
 * @param route the route
 * @return 0; -EINVAL as ward_vm_set_routes, or a GSI of those to be handed out that nobody has;
 * -ENOSPC there would be more than WARD_GSIS; -ENOMEM
 */
int ward_routes_set(struct ward_routes *routes, const struct ward_route *route);

/**
 * Takes all routes of a GSI away, with the next commit.
 * @param routes a table
 * @param gsi a GSI
 * @return 0 or -ENOENT it has none
 */
int ward_routes_clear(struct ward_routes *routes, ward_gsi_t gsi);

/**
 * Puts the edits into force. Without edits, and when they come to what there was, nothing is done.
 * @param routes a table
 * @return 0 or an error of ward_vm_set_routes: then the edits are kept, and not in force
 */
int ward_routes_commit(struct ward_routes *routes);

/**
 * Forgets edits since the last commit. GSIs stay allocated, and what was freed stays freed: its routes
 * go with the next commit.
 * @param routes a table
 */
void ward_routes_abort(struct ward_routes *routes);

/**
 * Reads a route.
 * @param routes a table
 * @param gsi a GSI
 * @param committed as it is in force, not as edited
 * @param ret_route the route; of several (x86 pins) that of the lowest chip
 * @return 0 or -ENOENT
 */
int ward_routes_get(const struct ward_routes *routes, ward_gsi_t gsi, bool committed,
		    struct ward_route *ret_route);

struct ward_routes_info {
	uint32_t routes;    /**< with edits */
	uint32_t allocated; /**< GSIs handed out */
	uint32_t left;	    /**< GSIs that can be handed out, with a route each */
	bool edited;	    /**< commit has something to do */
	uint64_t commits;   /**< table sets that were made */
};

/**
 * @param routes a table
 * @param ret_info how full it is
 */
void ward_routes_info(const struct ward_routes *routes, struct ward_routes_info *ret_info);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Names of drivers that were met, by number. There are few, so they are looked for one by one. */
#include "own/core.h"

#include <errno.h>
#include <string.h>

#include "base/fault.h"

uint32_t own_driver_number(const struct ward_ownership *o, const char *driver)
{
	for (uint32_t i = 0; i < o->drivers_count && driver; i++) {
		if (strcmp(o->drivers[i], driver) == 0)
			return i;
	}
	return WARD_NONE;
}

int own_number_driver(struct ward_ownership *o, const char *driver)
{
	void *drivers = o->drivers;
	char *copy;

	if (own_driver_number(o, driver) != WARD_NONE)
		return 0;
	if (ward_array_reserve(&drivers, &o->drivers_capacity, o->drivers_count + 1u,
			       sizeof(*o->drivers)))
		return -ENOMEM;
	o->drivers = drivers;
	copy = ward_arena_strdup(&o->arena, driver);
	if (!copy)
		return -ENOMEM;
	o->drivers[o->drivers_count++] = copy;
	return 0;
}

int ward_ownership_number_driver(struct ward_ownership *ownership, const char *driver)
{
	return own_number_driver(ownership, driver);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Waivers that were accepted: each once, for ever. */
#include "own/core.h"

#include <errno.h>
#include <string.h>

#include "base/fault.h"

static bool is_known(const struct ward_ownership *o, const struct ward_waiver *waiver)
{
	for (uint32_t i = 0; i < o->waivers_count; i++) {
		const struct ward_waiver *w = &o->waivers[i];

		if (strcmp(w->code, waiver->code) == 0 && w->any_function == waiver->any_function &&
		    (w->any_function || ward_address_compare(w->address, waiver->address) == 0))
			return true;
	}
	return false;
}

int own_waivers_borrow(struct ward_ownership *o, const struct ward_waiver *waivers, uint32_t count)
{
	void *array = o->waivers;

	if (!count)
		return 0;
	if (ward_array_reserve(&array, &o->waivers_capacity, (size_t)o->waivers_count + count,
			       sizeof(*o->waivers)))
		return -ENOMEM;
	o->waivers = array;
	for (uint32_t i = 0; i < count; i++) {
		if (!is_known(o, &waivers[i]))
			o->waivers[o->waivers_count++] = waivers[i];
	}
	return 0;
}

static int take(struct ward_ownership *o, struct ward_waiver *w)
{
	char *code = ward_arena_strdup(&o->arena, w->code), *reason = NULL;

	if (!code || (w->reason && !(reason = ward_arena_strdup(&o->arena, w->reason))))
		return -ENOMEM;
	w->code = code;
	w->reason = reason;
	return 0;
}

int own_waivers_take(struct ward_ownership *o, uint32_t from)
{
	int err = 0;

	for (uint32_t i = from; i < o->waivers_count && !err; i++)
		err = take(o, &o->waivers[i]);
	return err;
}

static int listed_reserve(struct ward_ownership *o, uint32_t count)
{
	void *listed = o->listed, *waivers = o->waivers;

	if (ward_array_reserve(&listed, &o->listed_capacity, (size_t)o->listed_count + count,
			       sizeof(*o->listed)))
		return -ENOMEM;
	o->listed = listed;
	/* So that own_waivers_restore() needs no memory. */
	if (ward_array_reserve(&waivers, &o->waivers_capacity,
			       (size_t)o->waivers_count + o->listed_count + count,
			       sizeof(*o->waivers)))
		return -ENOMEM;
	o->waivers = waivers;
	return 0;
}

int ward_ownership_number_waivers(struct ward_ownership *o, const struct ward_waiver *waivers,
				  uint32_t count)
{
	if (listed_reserve(o, count))
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		struct ward_waiver *w = &o->listed[o->listed_count];

		*w = waivers[i];
		if (take(o, w))
			return -ENOMEM;
		o->listed_count++;
	}
	return 0;
}

void own_waivers_restore(struct ward_ownership *o, uint32_t count)
{
	if (count < o->waivers_count)
		o->waivers_count = count;
	for (uint32_t i = 0; i < o->listed_count && o->waivers_count < count &&
			     o->waivers_count < o->waivers_capacity;
	     i++) {
		if (!is_known(o, &o->listed[i]))
			o->waivers[o->waivers_count++] = o->listed[i];
	}
}

const struct ward_waiver *ward_ownership_waivers(const struct ward_ownership *ownership,
						 uint32_t *ret_count)
{
	*ret_count = ownership->waivers_count;
	return ownership->waivers;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What a group is called by: the segment and the requester id that its members share. */
#include <errno.h>

#include "isolate/isolation.h"
#include "pci/alias.h"

static bool is_seen_as(const struct ward_machine *machine, uint32_t function, ward_rid_t rid)
{
	struct ward_alias_walk walk;
	struct ward_alias alias;

	ward_alias_start(machine, function, &walk);
	while (ward_alias_next(&walk, &alias)) {
		if (alias.rid == rid)
			return true;
	}
	return false;
}

/* A bridge is in the group of what is behind it and issues next to nothing itself. */
static bool counts(const struct ward_function *f)
{
	return f->kind == WARD_FUNCTION_PCI && f->header_type == 0;
}

static bool all_share(const struct ward_isolation *isolation, uint32_t first,
		      struct ward_address id)
{
	const struct ward_machine *machine = isolation->machine;
	uint32_t member = first;

	do {
		const struct ward_function *f = &machine->functions[member];

		if (counts(f) &&
		    (f->address.segment != id.segment || !is_seen_as(machine, member, id.rid)))
			return false;
		member = isolation->group_next[member];
	} while (member != first);
	return true;
}

int ward_group_id(const struct ward_isolation *isolation, uint32_t function,
		  struct ward_address *ret_id)
{
	const struct ward_machine *machine = isolation->machine;
	uint32_t first = function, member = function;
	struct ward_address id;
	struct ward_alias_walk walk;
	struct ward_alias alias;

	if (function >= machine->functions_count ||
	    machine->functions[function].kind != WARD_FUNCTION_PCI)
		return -EINVAL;
	if (ward_group_key(isolation, function) == UINT64_MAX)
		return -ENOENT;
	while ((member = isolation->group_next[member]) != function) {
		if (member < first)
			first = member;
	}
	*ret_id = machine->functions[first].address;
	for (member = first; !counts(&machine->functions[member]);) {
		member = isolation->group_next[member];
		if (member == first)
			return 0;
	}
	/* The last one is that of the bridge next to the root: the one that an IOMMU sees. */
	id.segment = machine->functions[member].address.segment;
	ward_alias_start(machine, member, &walk);
	while (ward_alias_next(&walk, &alias)) {
		id.rid = alias.rid;
		if (alias.cause != WARD_ALIAS_OWN && all_share(isolation, first, id))
			*ret_id = id;
	}
	return 0;
}

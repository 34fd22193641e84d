// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What Linux will say of a function's group: all of it must be free of kernel drivers and belong
 * to one user before VFIO hands out any of it.
 */
#include "isolate/judge.h"

/* Tells whether there was something to say. */
static bool judge_member(struct ward_judgement *j, uint32_t function, uint32_t member)
{
	const struct ward_machine *machine = j->machine;
	const struct ward_function_state *s = &j->state->functions[member];
	const char *kernel = machine->functions[member].group == WARD_NONE ? "is expected to put"
									    : "puts";
	struct ward_finding *finding;

	if (s->owner.kind == WARD_OWNER_CLIENT && s->owner.client != j->question->client) {
		finding = ward_finding_add(
			j, "group-split", WARD_BLOCKS, function, member,
			"the kernel %s %s and %s into one group, and %s belongs to client %s",
			kernel, machine->functions[function].name, machine->functions[member].name,
			machine->functions[member].name, j->state->clients[s->owner.client]);
		ward_remedy_claim_too(j, finding, member);
		return finding != NULL;
	}
	if (!s->driver || s->driver_yields || s->driver_exempt)
		return false;
	finding = ward_finding_add(
		j, "driver-bound", WARD_BLOCKS, function, member,
		"the kernel %s %s and %s into one group, and %s is bound to %s: VFIO refuses the "
		"group", kernel, machine->functions[function].name,
		machine->functions[member].name, machine->functions[member].name, s->driver);
	ward_remedy_unbind(j, finding, member);
	ward_remedy_claim_too(j, finding, member);
	return finding != NULL;
}

void ward_judge_group(struct ward_judgement *j, uint32_t function)
{
	uint32_t member = j->isolation->group_next[function];
	bool told = false;

	if (j->told_all && ward_group_key(j->isolation, function) == j->told_group)
		return;
	for (; member != function; member = j->isolation->group_next[member]) {
		if (!ward_is_claimed(j, member))
			told |= judge_member(j, function, member);
	}
	/* Members other than the claimed are the same for all of these: nothing new will come. */
	j->told_all = !told;
	j->told_group = ward_group_key(j->isolation, function);
}

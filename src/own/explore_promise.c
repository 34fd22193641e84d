// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What is promised about a state: worked out from reach and from who has what, without asking how the
 * ownership came to it. Nothing here calls ward_check() or the judging of src/own.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "isolate/isolation.h"
#include "isolate/judge.h"
#include "isolate/reach.h"
#include "own/explore.h"
#include "own/ownership.h"

enum whose {
	OWN,
	NOBODYS,
	HOSTS,
	ANOTHERS,
};

static bool has_vectors(const struct ward_state *state, uint32_t function)
{
	for (uint32_t i = 0; i < state->vectors_count; i++)
		if (state->vectors[i].function == function)
			return true;
	return state->functions[function].irq_mode == WARD_IRQ_MSI ||
	       state->functions[function].irq_mode == WARD_IRQ_MSIX;
}

static enum whose whose(const struct ward_state *state, uint32_t function, uint32_t client)
{
	const struct ward_function_state *s = &state->functions[function];
	const struct ward_function *f = &state->machine->functions[function];

	if (s->absent)
		return NOBODYS;
	if (s->owner.kind == WARD_OWNER_CLIENT)
		return s->owner.client == client ? OWN : ANOTHERS;
	if (s->owner.kind == WARD_OWNER_HOST)
		return HOSTS;
	/* Somebody has it open behind vfio-pci, and nothing says who. */
	if (s->driver && s->driver_yields && has_vectors(state, function))
		return ANOTHERS;
	if (f->kind == WARD_FUNCTION_PCI && !ward_is_assignable(state->machine, function))
		return HOSTS;
	return NOBODYS;
}

/* The host would notice an interrupt of it. */
static bool host_listens(const struct ward_state *state, uint32_t function)
{
	const struct ward_function_state *s = &state->functions[function];
	const struct ward_function *f = &state->machine->functions[function];

	return has_vectors(state, function) ||
	       (s->driver && !s->msi_off &&
		(f->msi || f->msix || f->kind == WARD_FUNCTION_PLATFORM));
}

static bool is_harm(const struct ward_state *state, const struct ward_reached *reached,
		    uint32_t client)
{
	enum whose is;

	switch (reached->kind) {
	case WARD_NODE_FUNCTION:
		is = whose(state, reached->index, client);
		return is == HOSTS || is == ANOTHERS;
	case WARD_NODE_VECTOR_USER:
		is = whose(state, reached->index, client);
		return is == ANOTHERS || (is == HOSTS && host_listens(state, reached->index));
	case WARD_NODE_IOMMU_VECTORS:
	case WARD_NODE_HOST_VECTORS:
	case WARD_NODE_MEMORY:
		return true;
	case WARD_NODE_SPACE:
		is = whose(state, state->attachments[reached->index].function, client);
		return is == HOSTS || is == ANOTHERS;
	case WARD_NODE_SLOT:
	case WARD_NODE_BUS_DOWN:
	case WARD_NODE_BUS_UP:
	case WARD_NODE_REQUESTER:
	case WARD_NODE_DOORBELL:
		break;
	}
	return false;
}

/* Codes of findings that tell of reaching such a thing. */
static bool tells_of(enum ward_node_kind kind, const char *code)
{
	static const char *const function[] = { "peer-dma",    "requester-alias",
						"acs-unknown", "pf-controls-vf",
						"backdoor",    "reached-by-other",
						NULL };
	static const char *const vectors[] = { "msi-frame-shared", "msi-id-shared",
					       "msi-unknown",	   "msi-not-isolated",
					       "reached-by-other", NULL };
	static const char *const memory[] = { "no-iommu", "iommu-unknown", "ats-trusted",
					      "space-identity", NULL };
	const char *const *codes = memory;

	if (kind == WARD_NODE_FUNCTION)
		codes = function;
	if (kind == WARD_NODE_VECTOR_USER || kind == WARD_NODE_IOMMU_VECTORS ||
	    kind == WARD_NODE_HOST_VECTORS)
		codes = vectors;
	for (; *codes; codes++)
		if (strcmp(*codes, code) == 0)
			return true;
	return false;
}

static bool is_of(const struct ward_machine *machine, const struct ward_waiver *waiver,
		  uint32_t function)
{
	const struct ward_function *f = &machine->functions[function];

	return waiver->any_function || (f->kind == WARD_FUNCTION_PCI &&
					ward_address_compare(waiver->address, f->address) == 0);
}

/* Somebody accepted it: for the function that it begins at, or the one it ends at. */
static bool is_accepted(const struct ward_ownership *ownership, uint32_t start,
			const struct ward_reached *reached)
{
	const struct ward_machine *machine = ward_ownership_state(ownership)->machine;
	uint32_t count;
	const struct ward_waiver *waivers = ward_ownership_waivers(ownership, &count);
	bool function =
		reached->kind == WARD_NODE_FUNCTION || reached->kind == WARD_NODE_VECTOR_USER;

	for (uint32_t i = 0; i < count; i++) {
		if (!tells_of(reached->kind, waivers[i].code))
			continue;
		if (is_of(machine, &waivers[i], start) ||
		    (function && is_of(machine, &waivers[i], reached->index)))
			return true;
	}
	return false;
}

static const char *holder(const struct ward_state *state, uint32_t function)
{
	const struct ward_function_state *s = &state->functions[function];

	if (s->owner.kind == WARD_OWNER_CLIENT)
		return state->clients[s->owner.client];
	return s->owner.kind == WARD_OWNER_HOST ? (s->driver ? s->driver : "the host") : "the host";
}

static void say_reach(const struct ward_state *state, uint32_t client, uint32_t start,
		      const struct ward_reached *reached, const char *through, char *text,
		      size_t size)
{
	const char *who = state->machine->functions[start].name;
	const char *what = "all memory";
	char victim[160];

	if (reached->kind == WARD_NODE_HOST_VECTORS)
		what = "every interrupt of the host";
	if (reached->kind == WARD_NODE_SPACE)
		what = "a space that is not its own";
	if (reached->kind == WARD_NODE_IOMMU_VECTORS) {
		snprintf(victim, sizeof(victim), "the interrupts of IOMMU %s",
			 state->machine->iommus[reached->index].name);
		what = victim;
	}
	if (reached->kind == WARD_NODE_FUNCTION || reached->kind == WARD_NODE_VECTOR_USER) {
		snprintf(victim, sizeof(victim), "the %s of %s (%s)",
			 reached->kind == WARD_NODE_FUNCTION ? "registers" : "interrupts",
			 state->machine->functions[reached->index].name,
			 holder(state, reached->index));
		what = victim;
	}
	snprintf(text, size, "nothing is open, and client %s reaches %s through %s (%s)",
		 state->clients[client], what, who, through);
}

/* One thing that is reached and not the client's. Returns 1 when nobody accepted it. */
static int judge_harm(const struct ward_ownership *ownership, const struct ward_reach *reach,
		      const struct ward_reached *reached, uint32_t client, char *text, size_t size)
{
	struct ward_step *steps;
	int count = ward_reach_path(reach, reached->kind, reached->index, &steps);
	int broken = 0;

	if (count <= 0)
		return count;
	if (!is_accepted(ownership, steps[0].index, reached)) {
		say_reach(ward_ownership_state(ownership), client, steps[0].index, reached,
			  steps[count - 1].through, text, size);
		broken = 1;
	}
	free(steps);
	return broken;
}

/* Nothing begins at who does no DMA and raises nothing. */
static bool is_frozen(const void *context, uint32_t function)
{
	const struct ward_state *state = context;

	return state->functions[function].frozen;
}

static int judge_client(const struct ward_ownership *ownership, uint32_t client,
			const uint32_t *members, uint32_t count, char *text, size_t size)
{
	const struct ward_state *state = ward_ownership_state(ownership);
	struct ward_reached reached;
	struct ward_reach *reach;
	uint32_t cursor = 0;
	int err = ward_reach_past(&ward_ownership_isolation(ownership)->graph, members, count, NULL,
				  is_frozen, state, &reach);

	if (err)
		return err;
	while (!err && ward_reach_next(reach, &cursor, &reached))
		if (is_harm(state, &reached, client))
			err = judge_harm(ownership, reach, &reached, client, text, size);
	ward_reach_destroy(reach);
	return err;
}

int ward_promise_reach(const struct ward_exploration *exploration,
		       const struct ward_ownership *ownership, uint32_t *members, char *text,
		       size_t size)
{
	const struct ward_state *state = ward_ownership_state(ownership);
	int err = 0;

	for (uint32_t client = 0; client < state->clients_count && !err; client++) {
		uint32_t count = 0;

		for (uint32_t i = 0; i < exploration->machine->functions_count; i++) {
			const struct ward_function_state *s = &state->functions[i];

			if (s->owner.kind == WARD_OWNER_CLIENT && s->owner.client == client &&
			    !s->frozen)
				members[count++] = i;
		}
		if (count)
			err = judge_client(ownership, client, members, count, text, size);
	}
	return err;
}

/* What is wrong with one function's state, or NULL. */
static const char *contradiction(const struct ward_ownership *ownership, uint32_t function,
				 uint32_t containers)
{
	const struct ward_state *state = ward_ownership_state(ownership);
	const struct ward_function_state *s = &state->functions[function];
	uint32_t container = ward_ownership_container(ownership, function);
	bool client = s->owner.kind == WARD_OWNER_CLIENT;
	bool host_driver = s->driver && !s->driver_yields;

	if (client && s->owner.client >= state->clients_count)
		return "is of a client that is not there";
	if (client && host_driver)
		return "is a client's and has a driver of the host";
	if (client && (s->absent || s->quarantined))
		return "is a client's and absent or quarantined";
	if (s->owner.kind != WARD_OWNER_HOST && host_driver)
		return "has a driver of the host and is not the host's";
	if (container != WARD_NONE && (!client || container >= containers))
		return "is in a container that is not its owner's";
	if (s->absent && (s->owner.kind != WARD_OWNER_NOBODY || s->driver || s->frozen ||
			  s->tainted_by.kind != WARD_OWNER_NOBODY || has_vectors(state, function)))
		return "is absent and not nothing";
	if (s->quarantined && (s->driver || s->owner.kind != WARD_OWNER_NOBODY))
		return "is quarantined and somebody has it";
	if (s->revoking && (!client || !s->frozen))
		return "is being revoked and not a frozen one of a client";
	return NULL;
}

static bool serves(const struct ward_state *state, uint32_t function)
{
	const struct ward_function_state *s = &state->functions[function];

	return !s->absent && s->driver && !s->driver_yields && !s->driver_exempt;
}

/* In which containers they are: of that it matters whether it is one. */
static const char *in_wrong_spaces(const struct ward_ownership *ownership,
				   const struct ward_pair *pair)
{
	const struct ward_function_state *functions = ward_ownership_state(ownership)->functions;
	uint32_t a = ward_ownership_container(ownership, pair->a),
		 b = ward_ownership_container(ownership, pair->b);
	bool one = a == b && functions[pair->a].owner.client == functions[pair->b].owner.client;

	if (a == WARD_NONE || b == WARD_NONE)
		return NULL;
	if (pair->together && !one)
		return "are in two spaces, and the hardware or the kernel has one for both";
	return pair->apart && one ? "are in one space, and the hardware has none for both" : NULL;
}

/* Two that cannot be told apart are in two hands, unless one of them is frozen. */
static const char *torn(const struct ward_ownership *ownership, const struct ward_pair *pair)
{
	const struct ward_state *state = ward_ownership_state(ownership);
	const struct ward_function_state *a = &state->functions[pair->a];
	const struct ward_function_state *b = &state->functions[pair->b];
	bool a_client = a->owner.kind == WARD_OWNER_CLIENT,
	     b_client = b->owner.kind == WARD_OWNER_CLIENT, two;

	if (!pair->requester)
		return NULL;
	if (a_client && b_client)
		two = a->owner.client != b->owner.client;
	else
		two = (a_client && !a->frozen && serves(state, pair->b)) ||
		      (b_client && !b->frozen && serves(state, pair->a));
	return two ? "share a requester id and are in two hands" : NULL;
}

int ward_promise_one_owner(const struct ward_exploration *exploration,
			   const struct ward_ownership *ownership, bool settled, char *text,
			   size_t size)
{
	const struct ward_machine *machine = exploration->machine;

	for (uint32_t i = 0; i < exploration->subjects.count; i++) {
		uint32_t function = exploration->subjects.list[i].function;
		const char *wrong = contradiction(ownership, function, exploration->containers);

		if (wrong) {
			snprintf(text, size, "%s %s", machine->functions[function].name, wrong);
			return 1;
		}
	}
	for (uint32_t i = 0; i < exploration->pairs_count; i++) {
		const struct ward_pair *pair = &exploration->pairs[i];
		const char *wrong;

		wrong = in_wrong_spaces(ownership, pair);
		if (!wrong && settled)
			wrong = torn(ownership, pair);
		if (wrong) {
			snprintf(text, size, "%s and %s %s", machine->functions[pair->a].name,
				 machine->functions[pair->b].name, wrong);
			return 1;
		}
	}
	return 0;
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Which interrupts a function can raise: a message is a write, so whoever can write a doorbell
 * raises whatever the doorbell raises, unless the controller tells writers apart.
 */
#include "isolate/graph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "isolate/group.h"
#include "pci/alias.h"

uint32_t ward_graph_add_pool(struct ward_graph *g, struct ward_pool pool)
{
	void *pools = g->pools;

	if (ward_array_reserve(&pools, &g->pools_capacity, g->pools_count + 1u, sizeof(pool)))
		return WARD_NONE;
	g->pools = pools;
	g->pools[g->pools_count] = pool;
	return g->pools_count++;
}

/*
 * Two doorbells are one when a vector may come from either (one pool), or when one page of the
 * IOMMU holds both.
 */
static bool one_doorbell(const struct ward_machine *machine, const struct ward_controller *a,
			 const struct ward_controller *b)
{
	uint64_t page = machine->page_size - 1;

	if (a->kind == b->kind && a->pool == b->pool)
		return true;
	for (uint32_t i = 0; i < a->doorbells_count; i++) {
		struct ward_range pages = { a->doorbells[i].start & ~page,
					    a->doorbells[i].last | page };

		if (ward_controller_rung_in(b, pages))
			return true;
	}
	return false;
}

/* Remapping and the APIC share their page by nature: the page is not what is reached there. */
static bool is_arm_doorbell(const struct ward_controller *c)
{
	return !ward_controller_is_x86(c);
}

/* By controller: its pool; one that isolates has none. */
static int make_controller_pools(struct ward_graph *g)
{
	const struct ward_machine *machine = g->machine;

	for (uint32_t i = 0; i < machine->controllers_count; i++) {
		const struct ward_controller *c = &machine->controllers[i];

		g->pool_of[i] = WARD_NONE;
		if (c->isolates == WARD_YES)
			continue;
		for (uint32_t j = 0; j < i && g->pool_of[i] == WARD_NONE; j++) {
			if (g->pool_of[j] != WARD_NONE && is_arm_doorbell(c) &&
			    is_arm_doorbell(&machine->controllers[j]) &&
			    one_doorbell(machine, &machine->controllers[j], c))
				g->pool_of[i] = g->pool_of[j];
		}
		if (g->pool_of[i] == WARD_NONE)
			g->pool_of[i] =
				ward_graph_add_pool(g, (struct ward_pool){ .controller = i });
		if (g->pool_of[i] == WARD_NONE)
			return -ENOMEM;
	}
	return 0;
}

/*
 * A third controller may tie two pools together that were made apart; the loop above joins the
 * first it finds only, so joining goes on until nothing changes.
 */
static void join_pools(struct ward_graph *g)
{
	const struct ward_machine *machine = g->machine;
	bool changed = true;

	while (changed) {
		changed = false;
		for (uint32_t i = 0; i < machine->controllers_count; i++) {
			for (uint32_t j = 0; j < i; j++) {
				uint32_t a = g->pool_of[i], b = g->pool_of[j];

				if (a == b || a == WARD_NONE || b == WARD_NONE ||
				    !is_arm_doorbell(&machine->controllers[i]) ||
				    !is_arm_doorbell(&machine->controllers[j]) ||
				    !one_doorbell(machine, &machine->controllers[i],
						  &machine->controllers[j]))
					continue;
				g->pool_of[i] = g->pool_of[j] = a < b ? a : b;
				changed = true;
			}
		}
	}
}

int ward_graph_make_pools(struct ward_graph *graph, const struct ward_state *state)
{
	const struct ward_machine *machine = graph->machine;
	int err;

	graph->pool_of = ward_alloc_array(machine->controllers_count, sizeof(*graph->pool_of));
	if (!graph->pool_of)
		return -ENOMEM;
	err = make_controller_pools(graph);
	if (err)
		return err;
	join_pools(graph);
	err = ward_graph_take_landed(graph, state);
	return err ? err : ward_graph_make_devid_pools(graph);
}

bool ward_graph_may_use_msi(const struct ward_graph *g, const struct ward_state *state,
			    uint32_t function)
{
	const struct ward_function *f = &g->machine->functions[function];

	if (state->functions[function].msi_off || ward_graph_lacks(g, function))
		return false;
	return f->kind == WARD_FUNCTION_PLATFORM || f->msi || f->msix ||
	       f->pcie_known == WARD_UNKNOWN;
}

bool ward_graph_is_shut_in(const struct ward_graph *g, uint32_t function)
{
	return ward_graph_is_blocked(g, function) &&
	       ward_is_translated(g->machine, function) == WARD_YES;
}

void ward_graph_add_for_others(struct ward_graph *g, uint32_t function, uint32_t to,
			       enum ward_certainty certainty)
{
	uint32_t space = ward_graph_own_space(g, function);

	if (space != WARD_NONE)
		ward_graph_add(g, ward_graph_node(g, WARD_NODE_SPACE, space), to, WARD_WHY_DOORBELL,
			       function, certainty);
}

/*
 * Its MSIs may go to any doorbell: it may raise what is behind them, and be raised by whoever rings
 * them. x86 has its page for everybody, MSIs or not.
 */
static void add_unknown_doorbell(struct ward_graph *g, uint32_t function, bool messages)
{
	const struct ward_machine *machine = g->machine;

	if (messages && machine->arch != WARD_ARCH_X86)
		ward_graph_add_for_others(g, function,
					  ward_graph_node(g, WARD_NODE_HOST_VECTORS, 0),
					  WARD_UNSURE);
	if (machine->arch == WARD_ARCH_X86 || (messages && !ward_graph_is_shut_in(g, function)))
		ward_graph_add(g, ward_graph_node(g, WARD_NODE_FUNCTION, function),
			       ward_graph_node(g, WARD_NODE_HOST_VECTORS, 0), WARD_WHY_DOORBELL,
			       function, WARD_UNSURE);
	/* A platform device's msi-parent was read, and leads to something else. */
	if (!messages || machine->functions[function].kind != WARD_FUNCTION_PCI)
		return;
	for (uint32_t i = 0; i < machine->controllers_count; i++) {
		uint32_t pool = g->pool_of[i];

		if (pool != WARD_NONE && g->pools[pool].controller == i &&
		    is_arm_doorbell(&machine->controllers[i]))
			ward_graph_add(g, ward_graph_node(g, WARD_NODE_DOORBELL, pool),
				       ward_graph_node(g, WARD_NODE_VECTOR_USER, function),
				       WARD_WHY_FRAME, function, WARD_UNSURE);
	}
}

/*
 * A doorbell behind an IOMMU is mapped once a function has vectors, which its owner can bring
 * about, unless the function is in a space that stays empty. The APIC page is never translated, so
 * it needs no vector, and no space keeps anybody from it.
 */
static void add_doorbell(struct ward_graph *g, uint32_t function, const struct ward_state *state)
{
	const struct ward_function *f = &g->machine->functions[function];
	uint32_t from = ward_graph_node(g, WARD_NODE_FUNCTION, function);
	const struct ward_controller *c;
	bool messages = ward_graph_may_use_msi(g, state, function);
	enum ward_certainty certainty = WARD_CERTAIN;
	uint32_t pool;

	if (f->controller_known == WARD_UNKNOWN) {
		add_unknown_doorbell(g, function, messages);
		return;
	}
	if (f->controller == WARD_NONE || g->pool_of[f->controller] == WARD_NONE)
		return;
	c = &g->machine->controllers[f->controller];
	if (c->isolates == WARD_UNKNOWN)
		certainty = WARD_UNSURE;
	pool = ward_graph_node(g, WARD_NODE_DOORBELL, g->pool_of[f->controller]);
	if (ward_controller_is_x86(c)) {
		ward_graph_add(g, from, pool, WARD_WHY_APIC, function, certainty);
	} else if (messages) {
		if (!ward_graph_is_shut_in(g, function))
			ward_graph_add(g, from, pool, WARD_WHY_DOORBELL, function, certainty);
		ward_graph_add_for_others(g, function, pool, certainty);
		ward_graph_add(g, pool, ward_graph_node(g, WARD_NODE_VECTOR_USER, function),
			       WARD_WHY_FRAME, function, WARD_CERTAIN);
	}
}

/* What a doorbell raises besides the interrupts of its users. */
static void add_pool_host(struct ward_graph *g)
{
	const struct ward_machine *machine = g->machine;
	uint32_t host = ward_graph_node(g, WARD_NODE_HOST_VECTORS, 0);

	for (uint32_t i = 0; i < machine->controllers_count; i++) {
		const struct ward_controller *c = &machine->controllers[i];

		/* The MBI page is the distributor: all of the GIC's interrupts are behind it. */
		if (g->pool_of[i] != WARD_NONE &&
		    (!is_arm_doorbell(c) || c->kind == WARD_CONTROLLER_GICV3_MBI))
			ward_graph_add(g, ward_graph_node(g, WARD_NODE_DOORBELL, g->pool_of[i]),
				       host, WARD_WHY_APIC, WARD_NONE, WARD_CERTAIN);
	}
	for (uint32_t i = 0; i < machine->iommus_count; i++) {
		uint32_t c = machine->iommus[i].controller;

		if (c != WARD_NONE && g->pool_of[c] != WARD_NONE)
			ward_graph_add(g, ward_graph_node(g, WARD_NODE_DOORBELL, g->pool_of[c]),
				       ward_graph_node(g, WARD_NODE_IOMMU_VECTORS, i),
				       WARD_WHY_FRAME, WARD_NONE, WARD_CERTAIN);
	}
}

/* intremap=nosid: VT-d's entries admit every writer (Linux drivers/iommu/irq_remapping.c). */
bool ward_checks_no_source(const struct ward_machine *machine)
{
	const char *option = machine->command_line;

	while (option && (option = strstr(option, "intremap="))) {
		const char *end = option + strcspn(option, " \n"), *found = strstr(option, "nosid");

		if (found && found < end)
			return true;
		option = end;
	}
	return false;
}

/*
 * With remapping, an entry usually admits one writer; behind bridges and for devices that use
 * several ids Linux lets it admit a range of buses.
 */
static void add_source_check(struct ward_graph *g, uint32_t function,
			     const struct ward_state *state)
{
	const struct ward_machine *machine = g->machine;
	const struct ward_function *f = &machine->functions[function];
	struct ward_source_check check;
	enum ward_certainty certainty = WARD_CERTAIN;
	const struct ward_bus *bus;

	if (f->kind != WARD_FUNCTION_PCI)
		return;
	if (f->controller_known == WARD_UNKNOWN && machine->arch == WARD_ARCH_X86)
		certainty = WARD_UNSURE;
	else if (f->controller == WARD_NONE ||
		 machine->controllers[f->controller].kind != WARD_CONTROLLER_X86_REMAPPING)
		return;
	/* AMD has a table for each requester id, and checks nothing else. */
	if (f->stream.iommu != WARD_NONE && machine->iommus[f->stream.iommu].kind == WARD_IOMMU_AMD)
		return;
	if (ward_checks_no_source(machine)) {
		ward_graph_add(g, ward_graph_node(g, WARD_NODE_FUNCTION, function),
			       ward_graph_node(g, WARD_NODE_HOST_VECTORS, 0), WARD_WHY_NO_CHECK,
			       function, certainty);
		return;
	}
	ward_alias_source_check(machine, function, &check);
	if (check.kind != WARD_SOURCE_CHECK_BUS || !ward_graph_may_use_msi(g, state, function))
		return;
	bus = &machine->buses[f->bus];
	for (uint32_t i = bus->first; i < bus->first + bus->count; i++) {
		if (i != function)
			ward_graph_add(g, ward_graph_node(g, WARD_NODE_FUNCTION, i),
				       ward_graph_node(g, WARD_NODE_VECTOR_USER, function),
				       WARD_WHY_SOURCE_CHECK, function, certainty);
	}
}

void ward_graph_add_msi(struct ward_graph *graph, const struct ward_state *state)
{
	for (uint32_t i = 0; i < graph->machine->functions_count; i++) {
		add_doorbell(graph, i, state);
		ward_graph_add_landed(graph, i);
		add_source_check(graph, i, state);
	}
	add_pool_host(graph);
	ward_graph_add_devids(graph, state);
}

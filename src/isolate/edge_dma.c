// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Where the requests of a function can go before an IOMMU sees them (PCIe base specification:
 * address routing 2.2.4.1, switches 1.3.3, ACS 6.12), whose requester id they can carry, and
 * what is not translated at all.
 */
#include "isolate/graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "isolate/group.h"
#include "pci/acs.h"
#include "pci/alias.h"
#include "pci/backdoor.h"

static uint32_t node(const struct ward_graph *g, enum ward_node_kind kind, uint32_t index)
{
	return ward_graph_node(g, kind, index);
}

/*
 * What a missing service means for an edge: nothing to add when it is there; a fact that could not
 * be read makes the edge unsure; else the edge is as sure as the hardware makes it.
 */
static bool lacks(const struct ward_function *f, uint16_t service, enum ward_certainty when_lacking,
		  enum ward_certainty *ret_certainty)
{
	switch (ward_acs_enabled(f, service)) {
	case WARD_YES:
		return false;
	case WARD_NO:
		*ret_certainty = when_lacking;
		return true;
	case WARD_UNKNOWN:
		break;
	}
	*ret_certainty = WARD_UNSURE;
	return true;
}

/*
 * Peer requests that are not sent to the root: without redirection all of them; with egress control
 * on as well, still those to the ports and functions that its vector leaves alone (PCIe base
 * specification 6.12.3: what the vector names is blocked or redirected).
 */
static bool routes_peers(const struct ward_function *f, enum ward_certainty when_lacking,
			 enum ward_certainty *ret_certainty)
{
	if (lacks(f, WARD_ACS_RR, when_lacking, ret_certainty))
		return true;
	*ret_certainty = WARD_ASSUMED;
	return f->acs.quirk != WARD_YES && ward_acs_effective(f) & WARD_ACS_EC;
}

/*
 * The functions of one device: its slot, or with ARI, where the number of a function takes the
 * place of the slot's, the whole bus.
 */
static void device_range(const struct ward_machine *machine, uint32_t function, uint32_t *ret_first,
			 uint32_t *ret_last)
{
	const struct ward_function *f = &machine->functions[function];
	const struct ward_bus *bus = &machine->buses[f->bus];

	if (f->parent == WARD_NONE || !machine->functions[f->parent].ari_forwarding) {
		ward_slot_range(machine, function, ret_first, ret_last);
		return;
	}
	*ret_first = bus->first;
	*ret_last = bus->first + bus->count - 1;
}

/* The registers of a function at the other end of a route: having them is having the function. */
static void add_registers(struct ward_graph *g, uint32_t from, uint32_t function, enum ward_why why,
			  enum ward_certainty certainty)
{
	if (ward_has_memory_bar(&g->machine->functions[function]))
		ward_graph_add(g, from, node(g, WARD_NODE_FUNCTION, function), why, function,
			       certainty);
}

/* Whether the bus behind a bridge is a conventional one, which everybody on it hears. */
static bool is_conventional(const struct ward_function *bridge, enum ward_certainty *ret_certainty)
{
	if (bridge->pcie_type == WARD_PCIE_NONE && bridge->pcie_known != WARD_YES) {
		*ret_certainty = WARD_UNSURE;
		return true;
	}
	*ret_certainty = WARD_CERTAIN;
	return bridge->pcie_type == WARD_PCIE_TO_PCI || bridge->pcie_type == WARD_PCIE_NONE;
}

/*
 * A request that starts at, or was passed up by, a function: other functions of its device, and
 * everybody on its bus when the bus is a conventional one.
 */
static void add_neighbours(struct ward_graph *g, uint32_t from, uint32_t function)
{
	const struct ward_machine *machine = g->machine;
	const struct ward_function *f = &machine->functions[function];
	enum ward_certainty certainty;
	uint32_t first, last;

	device_range(machine, function, &first, &last);
	if (f->multifunction && first != last && routes_peers(f, WARD_ASSUMED, &certainty))
		ward_graph_add(g, from, node(g, WARD_NODE_SLOT, first), WARD_WHY_SLOT, function,
			       certainty);
	if (f->parent != WARD_NONE && is_conventional(&machine->functions[f->parent], &certainty))
		ward_graph_add(g, from, node(g, WARD_NODE_BUS_DOWN, f->bus), WARD_WHY_SHARED_BUS,
			       f->parent, certainty);
}

/* Everything that a route which ends at a function, or goes down through a bridge, touches. */
static void add_target(struct ward_graph *g, uint32_t from, uint32_t function)
{
	const struct ward_function *f = &g->machine->functions[function];

	add_registers(g, from, function, WARD_WHY_BAR, WARD_CERTAIN);
	if (f->bridge.bus != WARD_NONE)
		ward_graph_add(g, from, node(g, WARD_NODE_BUS_DOWN, f->bridge.bus), WARD_WHY_WINDOW,
			       function, WARD_CERTAIN);
}

static void add_slot(struct ward_graph *g, uint32_t function)
{
	uint32_t first, last;

	device_range(g->machine, function, &first, &last);
	if (function != first || first == last)
		return;
	for (uint32_t i = first; i <= last; i++)
		add_target(g, node(g, WARD_NODE_SLOT, first), i);
}

/* Egress control names the ports that a switch port must not send to. */
static void add_switch_peers(struct ward_graph *g, uint32_t from, uint32_t port,
			     enum ward_certainty certainty)
{
	const struct ward_machine *machine = g->machine;
	const struct ward_function *f = &machine->functions[port];
	const struct ward_bus *bus = &machine->buses[f->bus];

	if (f->acs.present != WARD_YES || !(f->acs.control & WARD_ACS_EC)) {
		ward_graph_add(g, from, node(g, WARD_NODE_BUS_DOWN, f->bus), WARD_WHY_SWITCH_PORT,
			       port, certainty);
		return;
	}
	for (uint32_t i = bus->first; i < bus->first + bus->count; i++) {
		const struct ward_function *peer = &machine->functions[i];

		if (i == port || ward_acs_egress_blocks(f, peer->port_number))
			continue;
		if (peer->bridge.bus != WARD_NONE)
			ward_graph_add(g, from, node(g, WARD_NODE_BUS_DOWN, peer->bridge.bus),
				       WARD_WHY_SWITCH_PORT, port, certainty);
		add_registers(g, from, i, WARD_WHY_SWITCH_PORT, certainty);
	}
}

static void add_switch_port(struct ward_graph *g, uint32_t up, uint32_t port)
{
	const struct ward_function *f = &g->machine->functions[port];
	enum ward_certainty certainty;

	if (!routes_peers(f, WARD_CERTAIN, &certainty))
		return;
	add_switch_peers(g, up, port, certainty);
	add_registers(g, up, port, WARD_WHY_BRIDGE_BAR, certainty);
	/* The upstream port is passed on the way; what lets requests off there is this port. */
	if (f->parent != WARD_NONE && ward_has_memory_bar(&g->machine->functions[f->parent]))
		ward_graph_add(g, up, node(g, WARD_NODE_FUNCTION, f->parent), WARD_WHY_SWITCH_PORT,
			       port, certainty);
}

static void add_root_port(struct ward_graph *g, uint32_t up, uint32_t port)
{
	const struct ward_function *f = &g->machine->functions[port];
	enum ward_certainty certainty;
	uint32_t first, last;

	if (!routes_peers(f, WARD_ASSUMED, &certainty))
		return;
	add_registers(g, up, port, WARD_WHY_BRIDGE_BAR, certainty);
	device_range(g->machine, port, &first, &last);
	if (f->multifunction && first != last)
		ward_graph_add(g, up, node(g, WARD_NODE_SLOT, first), WARD_WHY_ROOT_PORT, port,
			       certainty);
}

/* A bridge whose kind could not be read may be a switch port or a root port. */
static void add_unknown_bridge(struct ward_graph *g, uint32_t up, uint32_t bridge)
{
	const struct ward_function *f = &g->machine->functions[bridge];

	if (f->parent != WARD_NONE)
		ward_graph_add(g, up, node(g, WARD_NODE_BUS_DOWN, f->bus), WARD_WHY_SWITCH_PORT,
			       bridge, WARD_UNSURE);
	if (f->bridge.bus != WARD_NONE)
		ward_graph_add(g, up, node(g, WARD_NODE_BUS_DOWN, f->bridge.bus), WARD_WHY_REFLECT,
			       bridge, WARD_UNSURE);
}

/* A request on its way up arrives at the bridge above a bus. */
static void add_bus_up(struct ward_graph *g, uint32_t bus)
{
	const struct ward_machine *machine = g->machine;
	uint32_t bridge = machine->buses[bus].bridge;
	uint32_t up = node(g, WARD_NODE_BUS_UP, bus);
	const struct ward_function *f;
	enum ward_certainty certainty;

	if (bridge == WARD_NONE)
		return;
	f = &machine->functions[bridge];
	ward_graph_add(g, up, node(g, WARD_NODE_BUS_UP, f->bus), WARD_WHY_FORWARD, bridge,
		       WARD_CERTAIN);
	if (f->pcie_type == WARD_PCIE_ROOT_PORT) {
		add_root_port(g, up, bridge);
	} else if (f->pcie_type == WARD_PCIE_DOWNSTREAM) {
		add_switch_port(g, up, bridge);
	} else if (f->pcie_type == WARD_PCIE_UPSTREAM) {
		add_neighbours(g, up, bridge);
		return;
	} else {
		add_registers(g, up, bridge, WARD_WHY_BRIDGE_BAR, WARD_ASSUMED);
		add_neighbours(g, up, bridge);
		if (f->pcie_type == WARD_PCIE_NONE && f->pcie_known != WARD_YES)
			add_unknown_bridge(g, up, bridge);
		if (f->pcie_type != WARD_PCI_TO_PCIE)
			return;
	}
	if (lacks(f, WARD_ACS_UF, WARD_ASSUMED, &certainty))
		ward_graph_add(g, up, node(g, WARD_NODE_BUS_DOWN, bus), WARD_WHY_REFLECT, bridge,
			       certainty);
}

static void add_bus_down(struct ward_graph *g, uint32_t bus)
{
	const struct ward_machine *machine = g->machine;
	const struct ward_bus *b = &machine->buses[bus];
	uint32_t down = node(g, WARD_NODE_BUS_DOWN, bus);

	for (uint32_t i = b->first; i < b->first + b->count; i++)
		add_target(g, down, i);
	/* VFs on a bus number of their own are behind the same bridge. */
	if (b->bridge != WARD_NONE && machine->functions[b->bridge].bridge.bus != bus)
		ward_graph_add(g,
			       node(g, WARD_NODE_BUS_DOWN,
				    machine->functions[b->bridge].bridge.bus),
			       down, WARD_WHY_WINDOW, b->bridge, WARD_CERTAIN);
}

/*
 * The node of a requester id: the function that has it, the bridge that took ownership, or, for
 * an id that no function has, the first function of its slot, else the user itself.
 */
static uint32_t requester_of(const struct ward_graph *g, uint32_t function,
			     const struct ward_alias *alias)
{
	const struct ward_machine *machine = g->machine;
	struct ward_address address = machine->functions[function].address;
	uint32_t owner;

	if (alias->cause == WARD_ALIAS_BRIDGE)
		return alias->function;
	address.rid = alias->rid;
	owner = ward_machine_find(machine, address);
	for (unsigned int n = 0; n < 8 && owner == WARD_NONE; n++) {
		address.rid = ward_rid((ward_rid_raw(alias->rid) & ~7u) | n);
		owner = ward_machine_find(machine, address);
	}
	return owner == WARD_NONE ? function : owner;
}

static void share_requester(struct ward_graph *g, uint32_t function, uint32_t requester,
			    enum ward_why why, enum ward_certainty certainty)
{
	uint32_t f = node(g, WARD_NODE_FUNCTION, function);
	uint32_t id = node(g, WARD_NODE_REQUESTER, requester);

	ward_graph_add(g, f, id, why, requester, certainty);
	ward_graph_add(g, id, f, why, function, certainty);
}

/*
 * Ids that cannot be told: a bridge of unknown kind may put its own on everything below it; a
 * device that keeps its ids to itself may use those of its neighbours.
 */
static void add_unknown_ids(struct ward_graph *g, uint32_t function)
{
	const struct ward_machine *machine = g->machine;
	const struct ward_bus *bus = &machine->buses[machine->functions[function].bus];
	uint32_t bridge = machine->functions[function].parent;
	bool told = false;

	for (; bridge != WARD_NONE; bridge = machine->functions[bridge].parent) {
		if (ward_alias_translation_root(&machine->functions[bridge]))
			break;
		if (machine->functions[bridge].pcie_known == WARD_YES)
			continue;
		share_requester(g, function, bridge, WARD_WHY_UNKNOWN_ID, WARD_UNSURE);
		told = true;
	}
	for (uint32_t i = bus->first; i < bus->first + bus->count && !told; i++) {
		uint32_t f = node(g, WARD_NODE_FUNCTION, function);
		uint32_t other = node(g, WARD_NODE_FUNCTION, i);

		ward_graph_add(g, f, other, WARD_WHY_UNKNOWN_ID, function, WARD_UNSURE);
		ward_graph_add(g, other, f, WARD_WHY_UNKNOWN_ID, function, WARD_UNSURE);
	}
}

static void add_requesters(struct ward_graph *g, uint32_t function)
{
	struct ward_alias_walk walk;
	struct ward_alias alias;

	if (!ward_alias_certain(g->machine, function))
		add_unknown_ids(g, function);
	ward_alias_start(g->machine, function, &walk);
	while (ward_alias_next(&walk, &alias)) {
		uint32_t requester;
		struct ward_address own = g->machine->functions[alias.function].address;

		if (alias.cause == WARD_ALIAS_OWN)
			continue;
		requester = requester_of(g, function, &alias);
		share_requester(g, function, requester, WARD_WHY_REQUESTER, WARD_CERTAIN);
		/* The one whose own id it is shares it, too. */
		if (alias.rid == own.rid || alias.cause == WARD_ALIAS_DEVICE)
			share_requester(g, requester, requester, WARD_WHY_REQUESTER, WARD_CERTAIN);
	}
}

/* How an IOMMU sees a function. */
struct seen_stream {
	uint64_t id; /* IOMMU, StreamID */
	uint32_t segment, function;
	bool plain; /* the requester id, unchanged */
};

static int compare_streams(const void *a, const void *b)
{
	const struct seen_stream *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->function < y->function ? -1 : x->function > y->function;
}

static uint32_t list_streams(const struct ward_machine *machine, struct seen_stream *streams)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < machine->functions_count; i++) {
		const struct ward_function *f = &machine->functions[i];
		uint32_t sid = ward_sid_raw(f->stream.sid);

		if (f->iommu_known != WARD_YES || f->stream.iommu == WARD_NONE)
			continue;
		streams[count++] = (struct seen_stream){
			.id = (uint64_t)f->stream.iommu << 32 | sid,
			.segment = f->address.segment,
			.function = i,
			.plain =
				f->kind == WARD_FUNCTION_PCI && sid == ward_rid_raw(f->address.rid),
		};
	}
	return count;
}

/*
 * Id maps can fold several requester ids into one StreamID (masks, aliases of IVRS, platform
 * devices): whatever tells requesters apart has then been lost before the IOMMU. An id of another
 * segment that nobody mapped may be no more than the reader's stand-in for the StreamID; on x86,
 * where no IOMMU serves two segments, it is.
 */
static void add_streams(struct ward_graph *g)
{
	const struct ward_machine *machine = g->machine;
	struct seen_stream *streams = ward_alloc_array(machine->functions_count, sizeof(*streams));
	uint32_t count;

	if (!streams) {
		g->failed = true;
		return;
	}
	count = list_streams(machine, streams);
	if (count)
		qsort(streams, count, sizeof(*streams), compare_streams);
	for (uint32_t i = 1, first = 0; i < count; i++) {
		const struct seen_stream *a = &streams[first], *b = &streams[i];
		bool guess = a->plain && b->plain && a->segment != b->segment;
		enum ward_certainty certainty = guess ? WARD_UNSURE : WARD_CERTAIN;

		if (a->id != b->id) {
			first = i;
			continue;
		}
		if (guess && machine->arch == WARD_ARCH_X86)
			continue;
		share_requester(g, a->function, a->function, WARD_WHY_STREAM, WARD_CERTAIN);
		share_requester(g, b->function, a->function, WARD_WHY_STREAM, certainty);
	}
	free(streams);
}

/* Linux switches ATS on by itself, so a capability that could not be read may be in use. */
static bool may_have_ats(const struct ward_machine *machine, const struct ward_function *f)
{
	return f->kind == WARD_FUNCTION_PCI && f->ats == WARD_UNKNOWN &&
	       (f->pcie_known != WARD_YES || f->pcie_type != WARD_PCIE_NONE) &&
	       machine->iommus[f->stream.iommu].ats != WARD_NO;
}

/*
 * Linux has ATS off under a domain that does not translate and switches it on when it attaches the
 * function to one that does (drivers/iommu/arm/arm-smmu-v3, arm_smmu_attach_dev): off now is no
 * promise. VT-d's and AMD's drivers decide once, when they first see it.
 */
bool ward_ats_may_come(const struct ward_machine *machine, const struct ward_function *f)
{
	const struct ward_iommu *iommu =
		f->stream.iommu == WARD_NONE ? NULL : &machine->iommus[f->stream.iommu];

	return f->ats == WARD_YES && !f->ats_enabled && f->group != WARD_NONE &&
	       machine->groups[f->group].type == WARD_GROUP_IDENTITY && iommu &&
	       iommu->kind == WARD_IOMMU_SMMUV3 && iommu->ats != WARD_NO &&
	       !(machine->command_line && strstr(machine->command_line, "noats"));
}

/*
 * Translated requests do not get to the root: a port above blocks them (ACS translation blocking), or a
 * conventional bus is on the way, where a request cannot say that it is translated.
 */
static bool loses_translated(const struct ward_machine *machine, const struct ward_function *f)
{
	for (uint32_t i = f->parent; i != WARD_NONE; i = machine->functions[i].parent) {
		const struct ward_function *bridge = &machine->functions[i];
		enum ward_certainty certainty;

		if ((bridge->pcie_type == WARD_PCIE_ROOT_PORT ||
		     bridge->pcie_type == WARD_PCIE_DOWNSTREAM) &&
		    bridge->acs.present == WARD_YES &&
		    bridge->acs.capability & bridge->acs.control & WARD_ACS_TB)
			return true;
		if (is_conventional(bridge, &certainty) && certainty == WARD_CERTAIN)
			return true;
	}
	return false;
}

static void add_memory(struct ward_graph *g, uint32_t function, uint32_t from)
{
	const struct ward_function *f = &g->machine->functions[function];
	uint32_t memory = node(g, WARD_NODE_MEMORY, 0);

	switch (ward_is_translated(g->machine, function)) {
	case WARD_UNKNOWN:
		ward_graph_add(g, from, memory, WARD_WHY_NO_IOMMU, function, WARD_UNSURE);
		break;
	case WARD_NO:
		ward_graph_add(g, from, memory, WARD_WHY_NO_IOMMU, function, WARD_CERTAIN);
		break;
	case WARD_YES:
		if (loses_translated(g->machine, f))
			break;
		if (f->ats_enabled)
			ward_graph_add(g, from, memory, WARD_WHY_ATS, function, WARD_ASSUMED);
		else if (may_have_ats(g->machine, f) || ward_ats_may_come(g->machine, f))
			ward_graph_add(g, from, memory, WARD_WHY_ATS, function, WARD_UNSURE);
		break;
	}
}

/* A backdoor needs no BAR at its other end: it reaches config space, too. */
static void add_backdoor(struct ward_graph *g, uint32_t from, uint32_t to, uint32_t function,
			 const struct ward_backdoor *row)
{
	if (to != function)
		ward_graph_add(g, from, node(g, WARD_NODE_FUNCTION, to), WARD_WHY_BACKDOOR,
			       function, row->certain ? WARD_CERTAIN : WARD_ASSUMED);
}

static void add_backdoors(struct ward_graph *g, uint32_t function, uint32_t from)
{
	const struct ward_machine *machine = g->machine;
	const struct ward_function *f = &machine->functions[function];
	const struct ward_backdoor *row = NULL;
	uint32_t first, last;

	ward_slot_range(machine, function, &first, &last);
	while ((row = ward_backdoor_find(f, row))) {
		const struct ward_bus *inside =
			f->bridge.bus == WARD_NONE ? NULL : &machine->buses[f->bridge.bus];

		for (uint32_t i = first; i <= last && row->reach == WARD_BACKDOOR_SIBLINGS; i++)
			add_backdoor(g, from, i, function, row);
		if (row->reach == WARD_BACKDOOR_BRIDGE && f->parent != WARD_NONE)
			add_backdoor(g, from, f->parent, function, row);
		if (row->reach != WARD_BACKDOOR_BEHIND || !inside)
			continue;
		for (uint32_t i = inside->first; i < inside->first + inside->count; i++)
			add_backdoor(g, from, i, function, row);
	}
}

static void add_function(struct ward_graph *g, uint32_t function)
{
	const struct ward_function *f = &g->machine->functions[function];
	uint32_t from = node(g, WARD_NODE_FUNCTION, function);

	add_memory(g, function, from);
	if (f->kind != WARD_FUNCTION_PCI)
		return;
	add_neighbours(g, from, function);
	ward_graph_add(g, from, node(g, WARD_NODE_BUS_UP, f->bus), WARD_WHY_REQUEST, function,
		       WARD_CERTAIN);
	add_requesters(g, function);
	if (f->physfn != WARD_NONE)
		ward_graph_add(g, node(g, WARD_NODE_FUNCTION, f->physfn), from, WARD_WHY_PF,
			       f->physfn, WARD_CERTAIN);
	add_backdoors(g, function, from);
	add_slot(g, function);
}

void ward_graph_add_dma(struct ward_graph *graph)
{
	for (uint32_t i = 0; i < graph->machine->functions_count; i++)
		add_function(graph, i);
	for (uint32_t i = 0; i < graph->machine->buses_count; i++) {
		add_bus_up(graph, i);
		add_bus_down(graph, i);
	}
	add_streams(graph);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Where the requests of a function can go before an IOMMU sees them (PCIe base specification:
 * address routing 2.2.4.1, switches 1.3.3, ACS 6.12): its device, its bus, switches, ports that turn
 * them round.
 */
#include "isolate/graph.h"

#include "isolate/group.h"
#include "pci/acs.h"

/* Enhanced ACS: its bit of the capability, and where its fields stand in control. */
#define ACS_ENHANCED 0x80u
#define ACS_DOWNSTREAM_SHIFT 8
#define ACS_UPSTREAM_SHIFT 10

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

/* Egress control is on, and the registers count: its vector says for each peer. */
static bool controls_egress(const struct ward_function *f)
{
	return f->acs.quirk != WARD_YES && ward_acs_effective(f) & WARD_ACS_EC;
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
	*ret_certainty = when_lacking;
	return controls_egress(f);
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

/* The same, where it is via that lets requests pass. */
static void add_passed(struct ward_graph *g, uint32_t from, uint32_t function, enum ward_why why,
		       uint32_t via, enum ward_certainty certainty)
{
	if (ward_has_memory_bar(&g->machine->functions[function]))
		ward_graph_add(g, from, node(g, WARD_NODE_FUNCTION, function), why, via, certainty);
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

/* Everything that a route which ends at a function, or goes down through a bridge, touches. */
static void add_target(struct ward_graph *g, uint32_t from, uint32_t function)
{
	const struct ward_function *f = &g->machine->functions[function];

	add_registers(g, from, function, WARD_WHY_BAR, WARD_CERTAIN);
	if (f->bridge.bus != WARD_NONE)
		ward_graph_add(g, from, node(g, WARD_NODE_BUS_DOWN, f->bridge.bus), WARD_WHY_WINDOW,
			       function, WARD_CERTAIN);
}

/* How the egress vector of a function or port names another one: ports by their port number. */
static unsigned int egress_number(const struct ward_machine *machine, const struct ward_function *f,
				  const struct ward_function *peer)
{
	uint8_t devfn = ward_rid_devfn(peer->address.rid);

	if (f->pcie_type == WARD_PCIE_ROOT_PORT || f->pcie_type == WARD_PCIE_DOWNSTREAM)
		return peer->port_number;
	if (peer->parent != WARD_NONE && machine->functions[peer->parent].ari_forwarding)
		return devfn;
	return devfn & 7;
}

/* VFs are peers, too, wherever their numbers put them. */
static void add_vfs(struct ward_graph *g, uint32_t from, uint32_t function, uint32_t first,
		    uint32_t last, bool chosen, enum ward_why why, enum ward_certainty certainty)
{
	const struct ward_machine *machine = g->machine;
	const struct ward_function *f = &machine->functions[function];

	for (uint32_t i = 0; i < machine->functions_count; i++) {
		const struct ward_function *vf = &machine->functions[i];

		if (vf->physfn != WARD_NONE && vf->physfn >= first && vf->physfn <= last &&
		    (i < first || i > last) &&
		    !(chosen && ward_acs_egress_blocks(f, egress_number(machine, f, vf))))
			add_passed(g, from, i, why, function, certainty);
	}
}

/*
 * Peers of a function or port one by one, but not itself: a bridge is no peer of what is below it.
 * chosen: those that its egress vector lets through.
 */
static void add_peers(struct ward_graph *g, uint32_t from, uint32_t function, uint32_t first,
		      uint32_t last, bool chosen, enum ward_why why, enum ward_certainty certainty)
{
	const struct ward_machine *machine = g->machine;
	const struct ward_function *f = &machine->functions[function];

	for (uint32_t i = first; i <= last; i++) {
		const struct ward_function *peer = &machine->functions[i];

		if (i == function ||
		    (chosen && ward_acs_egress_blocks(f, egress_number(machine, f, peer))))
			continue;
		if (peer->pcie_type != WARD_PCIE_DOWNSTREAM)
			add_passed(g, from, i, why, function, certainty);
		if (peer->bridge.bus != WARD_NONE)
			ward_graph_add(g, from, node(g, WARD_NODE_BUS_DOWN, peer->bridge.bus), why,
				       function, certainty);
	}
	/* Behind a switch's ports they are as the others are. */
	if (f->pcie_type != WARD_PCIE_DOWNSTREAM)
		add_vfs(g, from, function, first, last, chosen, why, certainty);
}

/*
 * PCIe counts a device with VFs as one of several functions (base specification 6.12.1.2), and one
 * that routes among them must have ACS (9.3.7); Linux takes VFs for alone. A VF without ACS is taken
 * for sending to nobody in its device, which verdicts say (judge_function.c); one that could redirect
 * and does not is taken at its word.
 */
static bool vf_routes_peers(const struct ward_function *vf, enum ward_certainty *ret_certainty)
{
	if (vf->physfn == WARD_NONE || vf->acs.present == WARD_NO || vf->acs.quirk == WARD_YES)
		return false;
	*ret_certainty = vf->acs.present == WARD_YES ? WARD_ASSUMED : WARD_UNSURE;
	return vf->acs.present == WARD_UNKNOWN ||
	       (vf->acs.capability & (WARD_ACS_RR | WARD_ACS_EC) &&
		(ward_acs_effective(vf) & (WARD_ACS_RR | WARD_ACS_EC)) != WARD_ACS_RR);
}

static void add_vf_peers(struct ward_graph *g, uint32_t from, uint32_t vf)
{
	const struct ward_function *f = &g->machine->functions[vf];
	enum ward_certainty certainty;
	uint32_t first, last;

	if (!vf_routes_peers(f, &certainty))
		return;
	device_range(g->machine, f->physfn, &first, &last);
	ward_graph_add(g, from, node(g, WARD_NODE_SLOT, first), WARD_WHY_SLOT, vf, certainty);
	/* A slot of several has its functions already. */
	if (first == last)
		add_registers(g, node(g, WARD_NODE_SLOT, first), first, WARD_WHY_BAR, WARD_CERTAIN);
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
	if (f->multifunction && first != last && routes_peers(f, WARD_ASSUMED, &certainty)) {
		if (f->bridge.bus != WARD_NONE || controls_egress(f))
			add_peers(g, from, function, first, last, controls_egress(f), WARD_WHY_SLOT,
				  certainty);
		else
			ward_graph_add(g, from, node(g, WARD_NODE_SLOT, first), WARD_WHY_SLOT,
				       function, certainty);
	}
	add_vf_peers(g, from, function);
	if (f->parent != WARD_NONE && is_conventional(&machine->functions[f->parent], &certainty))
		ward_graph_add(g, from, node(g, WARD_NODE_BUS_DOWN, f->bus), WARD_WHY_SHARED_BUS,
			       f->parent, certainty);
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

/* VFs are functions of their PF's device, whatever numbers they have. */
static void add_vf(struct ward_graph *g, uint32_t vf, uint32_t pf)
{
	uint32_t first, last;

	ward_graph_add(g, node(g, WARD_NODE_FUNCTION, pf), node(g, WARD_NODE_FUNCTION, vf),
		       WARD_WHY_PF, pf, WARD_CERTAIN);
	device_range(g->machine, pf, &first, &last);
	if (vf < first || vf > last)
		add_registers(g, node(g, WARD_NODE_SLOT, first), vf, WARD_WHY_BAR, WARD_CERTAIN);
}

/*
 * The registers of ports: Enhanced ACS has two fields for them (PCIe base specification 5.0, 7.7.8.3);
 * without it they are peers like others.
 */
static bool admits_registers(const struct ward_function *port, unsigned int shift,
			     enum ward_certainty *ret_certainty)
{
	bool inside = port->pcie_type == WARD_PCIE_DOWNSTREAM;

	if (port->acs.present != WARD_YES || !(port->acs.capability & ACS_ENHANCED))
		return lacks(port, WARD_ACS_RR, inside ? WARD_CERTAIN : WARD_ASSUMED,
			     ret_certainty);
	*ret_certainty = WARD_CERTAIN;
	return !(port->acs.control >> shift & 3);
}

static void add_port_registers(struct ward_graph *g, uint32_t up, uint32_t port)
{
	const struct ward_machine *machine = g->machine;
	const struct ward_function *f = &machine->functions[port];
	const struct ward_bus *bus = &machine->buses[f->bus];
	enum ward_certainty certainty;

	if (admits_registers(f, ACS_DOWNSTREAM_SHIFT, &certainty)) {
		add_registers(g, up, port, WARD_WHY_BRIDGE_BAR, certainty);
		for (uint32_t i = bus->first;
		     f->pcie_type == WARD_PCIE_DOWNSTREAM && i < bus->first + bus->count; i++) {
			const struct ward_function *other = &machine->functions[i];

			if (other->pcie_type == WARD_PCIE_DOWNSTREAM ||
			    (other->header_type != 0 && other->pcie_known != WARD_YES))
				add_passed(g, up, i, WARD_WHY_SWITCH_PORT, port, certainty);
		}
	}
	/* The upstream port is passed on the way; what lets requests off there is this port. */
	if (f->parent != WARD_NONE && admits_registers(f, ACS_UPSTREAM_SHIFT, &certainty))
		add_passed(g, up, f->parent, WARD_WHY_SWITCH_PORT, port, certainty);
}

static void add_switch_port(struct ward_graph *g, uint32_t up, uint32_t port)
{
	const struct ward_machine *machine = g->machine;
	const struct ward_function *f = &machine->functions[port];
	const struct ward_bus *bus = &machine->buses[f->bus];
	enum ward_certainty certainty;

	add_port_registers(g, up, port);
	if (routes_peers(f, WARD_CERTAIN, &certainty))
		add_peers(g, up, port, bus->first, bus->first + bus->count - 1, controls_egress(f),
			  WARD_WHY_SWITCH_PORT, certainty);
}

static void add_root_port(struct ward_graph *g, uint32_t up, uint32_t port)
{
	const struct ward_function *f = &g->machine->functions[port];
	enum ward_certainty certainty;
	uint32_t first, last;

	add_port_registers(g, up, port);
	device_range(g->machine, port, &first, &last);
	if (f->multifunction && first != last && routes_peers(f, WARD_ASSUMED, &certainty))
		add_peers(g, up, port, first, last, controls_egress(f), WARD_WHY_ROOT_PORT,
			  certainty);
}

/* A bridge whose kind could not be read may be a switch port or a root port. */
static void add_unknown_bridge(struct ward_graph *g, uint32_t up, uint32_t bridge)
{
	const struct ward_function *f = &g->machine->functions[bridge];

	if (f->parent != WARD_NONE) {
		ward_graph_add(g, up, node(g, WARD_NODE_BUS_DOWN, f->bus), WARD_WHY_SWITCH_PORT,
			       bridge, WARD_UNSURE);
		add_registers(g, up, f->parent, WARD_WHY_SWITCH_PORT, WARD_UNSURE);
	}
	if (f->bridge.bus != WARD_NONE)
		ward_graph_add(g, up, node(g, WARD_NODE_BUS_DOWN, f->bridge.bus), WARD_WHY_REFLECT,
			       bridge, WARD_UNSURE);
}

/*
 * What a port does with a request from below for its own window, unless it forwards it: forwarding
 * is optional in root ports (PCIe base specification 6.12.1.1), and one that does not offer it is
 * not told what to do instead.
 */
static bool reflects(const struct ward_function *port, enum ward_certainty *ret_certainty)
{
	if (lacks(port, WARD_ACS_UF, WARD_ASSUMED, ret_certainty))
		return true;
	*ret_certainty = WARD_ASSUMED;
	return port->acs.quirk != WARD_YES && !(ward_acs_effective(port) & WARD_ACS_UF);
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
	if (reflects(f, &certainty))
		ward_graph_add(g, up, node(g, WARD_NODE_BUS_DOWN, f->bridge.bus), WARD_WHY_REFLECT,
			       bridge, certainty);
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

void ward_graph_add_requests(struct ward_graph *g, uint32_t function)
{
	const struct ward_function *f = &g->machine->functions[function];
	uint32_t from = node(g, WARD_NODE_FUNCTION, function);

	if (f->pcie_type == WARD_PCIE_DOWNSTREAM)
		add_switch_port(g, from, function);
	else
		add_neighbours(g, from, function);
	ward_graph_add(g, from, node(g, WARD_NODE_BUS_UP, f->bus), WARD_WHY_REQUEST, function,
		       WARD_CERTAIN);
}

/* Direct translated: a request that says it is translated goes to peers, whatever else is on. */
void ward_graph_add_direct(struct ward_graph *g, uint32_t from, uint32_t function,
			   enum ward_why why, enum ward_certainty certainty)
{
	const struct ward_function *f = &g->machine->functions[function];
	const struct ward_bus *bus = &g->machine->buses[f->bus];
	uint32_t first = bus->first, last = bus->first + bus->count - 1;

	if (!(ward_acs_effective(f) & WARD_ACS_DT))
		return;
	if (f->pcie_type != WARD_PCIE_DOWNSTREAM)
		device_range(g->machine, function, &first, &last);
	add_peers(g, from, function, first, last, false, why, certainty);
}

void ward_graph_add_device(struct ward_graph *g, uint32_t function)
{
	uint32_t pf = g->machine->functions[function].physfn;

	if (pf != WARD_NONE)
		add_vf(g, function, pf);
	add_slot(g, function);
}

void ward_graph_add_buses(struct ward_graph *graph)
{
	for (uint32_t i = 0; i < graph->machine->buses_count; i++) {
		add_bus_up(graph, i);
		add_bus_down(graph, i);
	}
}

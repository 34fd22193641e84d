// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The way of a request from its function up to the root complex, or to a peer before that. */
#include "emul/route.h"

static enum emul_hop blocked(const struct emul_request *request, struct ward_dma_result *ret_result)
{
	ret_result->end = WARD_DMA_BLOCKED;
	ret_result->target = request->address;
	return EMUL_REFUSED;
}

static enum emul_hop nowhere(const struct emul_request *request, struct ward_dma_result *ret_result)
{
	ret_result->end = WARD_DMA_NOWHERE;
	ret_result->target = request->address;
	return EMUL_REFUSED;
}

static enum emul_hop below(const struct ward_emul *emul, uint32_t bridge,
			   const struct emul_request *request, struct ward_dma_result *ret_result)
{
	ward_emul_descend(emul, bridge, request->address, ret_result);
	return ret_result->end == WARD_DMA_BAR ? EMUL_ARRIVED : EMUL_REFUSED;
}

static uint32_t first_on_bus(const struct ward_emul *emul, uint32_t at)
{
	uint32_t parent = emul->facts->functions[at].parent;

	return parent == WARD_NONE ? emul->first_root : emul->functions[parent].first_child;
}

/* A peer takes the request: its registers, or what is below it. False: it has not the address. */
static bool peer_takes(const struct ward_emul *emul, uint32_t peer,
		       const struct emul_request *request, struct ward_dma_result *ret_result,
		       enum emul_hop *ret_hop)
{
	struct ward_dma_result result = *ret_result;

	if (ward_emul_in_bar(emul, peer, request->address, &result)) {
		*ret_hop = EMUL_ARRIVED;
	} else if (ward_emul_in_window(emul, peer, request->address)) {
		*ret_hop = below(emul, peer, request, &result);
	} else {
		return false;
	}
	*ret_result = result;
	return true;
}

/* A conventional bus: everybody hears, whoever has the address answers. */
static enum emul_hop on_conventional_bus(const struct ward_emul *emul, uint32_t at,
					 const struct emul_request *request,
					 struct ward_dma_result *ret_result)
{
	enum emul_hop hop;

	for (uint32_t i = first_on_bus(emul, at); i != WARD_NONE;
	     i = emul->functions[i].next_sibling) {
		if (i != at && peer_takes(emul, i, request, ret_result, &hop))
			return hop;
	}
	return EMUL_UP;
}

/*
 * Does the device of function at route to function to by itself? Root ports of a slot are a device.
 * Giving VFs away is built on their not sending to others of their device; so it is here.
 */
static bool may_be_peers(const struct ward_emul *emul, uint32_t at, uint32_t to)
{
	return at != to && emul->functions[at].device == emul->functions[to].device &&
	       emul->facts->functions[at].physfn == WARD_NONE;
}

/* Functions of one device, root ports of one slot. */
static enum emul_hop in_device(const struct ward_emul *emul, uint32_t at,
			       struct emul_request *request, struct ward_dma_result *ret_result)
{
	for (uint32_t i = first_on_bus(emul, at); i != WARD_NONE;
	     i = emul->functions[i].next_sibling) {
		struct ward_dma_result result = *ret_result;
		enum emul_hop hop;

		if (!may_be_peers(emul, at, i) || !peer_takes(emul, i, request, &result, &hop))
			continue;
		switch (ward_emul_acs_function(emul, at, i, request->translated)) {
		case EMUL_PEER_DIRECT:
			*ret_result = result;
			return hop;
		case EMUL_PEER_BLOCKED:
			return blocked(request, ret_result);
		case EMUL_PEER_UP:
			break;
		}
		request->redirected = true;
		return EMUL_UP;
	}
	return EMUL_UP;
}

static enum emul_hop obey(enum emul_peer peer, enum emul_hop direct,
			  const struct ward_dma_result *result, struct emul_request *request,
			  struct ward_dma_result *ret_result)
{
	switch (peer) {
	case EMUL_PEER_DIRECT:
		*ret_result = *result;
		return direct;
	case EMUL_PEER_BLOCKED:
		return blocked(request, ret_result);
	case EMUL_PEER_UP:
		break;
	}
	request->redirected = true;
	return EMUL_UP;
}

/* Inside a switch, from downstream port at: registers of ports, then what is behind the others. */
static enum emul_hop in_switch(const struct ward_emul *emul, uint32_t at,
			       struct emul_request *request, struct ward_dma_result *ret_result)
{
	uint32_t upstream = emul->facts->functions[at].parent;
	struct ward_dma_result result = *ret_result;
	enum emul_hop hop;

	if (upstream != WARD_NONE && ward_emul_in_bar(emul, upstream, request->address, &result))
		return obey(ward_emul_acs_registers(emul, at, true), EMUL_ARRIVED, &result, request,
			    ret_result);
	for (uint32_t i = first_on_bus(emul, at); i != WARD_NONE;
	     i = emul->functions[i].next_sibling) {
		bool port = emul->facts->functions[i].pcie_type == WARD_PCIE_DOWNSTREAM;

		if (i == at)
			continue;
		if (port && ward_emul_in_bar(emul, i, request->address, &result))
			return obey(ward_emul_acs_registers(emul, at, false), EMUL_ARRIVED, &result,
				    request, ret_result);
		if (peer_takes(emul, i, request, &result, &hop))
			return obey(ward_emul_acs_port(emul, at, i, request->translated), hop,
				    &result, request, ret_result);
	}
	return EMUL_UP;
}

/* The bus that function at is on, or whatever stands for one in a device, switch, root complex. */
static enum emul_hop across(const struct ward_emul *emul, uint32_t at, struct emul_request *request,
			    struct ward_dma_result *ret_result)
{
	const struct ward_function *f = &emul->facts->functions[at];

	if (f->parent != WARD_NONE && ward_emul_conventional(&emul->facts->functions[f->parent]))
		return on_conventional_bus(emul, at, request, ret_result);
	if (f->pcie_type == WARD_PCIE_DOWNSTREAM)
		return in_switch(emul, at, request, ret_result);
	return in_device(emul, at, request, ret_result);
}

/* Into a root port or downstream port from its link. */
static enum emul_hop into_port(const struct ward_emul *emul, uint32_t port,
			       struct emul_request *request, struct ward_dma_result *ret_result)
{
	struct ward_dma_result result = *ret_result;

	if (!ward_emul_acs_admits(emul, port, request))
		return blocked(request, ret_result);
	if (ward_emul_in_bar(emul, port, request->address, &result))
		return obey(ward_emul_acs_registers(emul, port, false), EMUL_ARRIVED, &result,
			    request, ret_result);
	if (!ward_emul_in_window(emul, port, request->address))
		return EMUL_UP;
	if (emul->functions[port].acs_on & WARD_ACS_UF) {
		request->redirected = true;
		return EMUL_UP;
	}
	return emul->temper.routes_peers ? below(emul, port, request, ret_result)
					 : nowhere(request, ret_result);
}

/* Into a bridge from or to a conventional bus, from below. */
static enum emul_hop into_bridge(const struct ward_emul *emul, uint32_t bridge,
				 struct emul_request *request, struct ward_dma_result *ret_result)
{
	/* Whether a bridge's registers answer to its secondary side is its own affair. */
	if (emul->temper.routes_peers &&
	    ward_emul_in_bar(emul, bridge, request->address, ret_result))
		return EMUL_ARRIVED;
	if (ward_emul_in_window(emul, bridge, request->address)) {
		/* Below one to PCIe there is a link, as below a root port. */
		bool turns = emul->facts->functions[bridge].pcie_type == WARD_PCI_TO_PCIE &&
			     emul->temper.routes_peers;

		return turns ? below(emul, bridge, request, ret_result)
			     : nowhere(request, ret_result);
	}
	if (ward_emul_takes_over(emul, bridge, &request->rid)) {
		request->translated = false;
		request->pasid = WARD_PASID_NONE;
	}
	return EMUL_UP;
}

static enum emul_hop into(const struct ward_emul *emul, uint32_t bridge,
			  struct emul_request *request, struct ward_dma_result *ret_result)
{
	const struct ward_function *f = &emul->facts->functions[bridge];

	if (f->pcie_type == WARD_PCIE_ROOT_PORT || f->pcie_type == WARD_PCIE_DOWNSTREAM)
		return into_port(emul, bridge, request, ret_result);
	if (f->pcie_type != WARD_PCIE_UPSTREAM)
		return into_bridge(emul, bridge, request, ret_result);
	/* Its registers were the port's to decide about, within the switch. */
	if (!request->redirected && ward_emul_in_window(emul, bridge, request->address) &&
	    !emul->temper.routes_peers)
		return nowhere(request, ret_result);
	return EMUL_UP;
}

enum emul_hop ward_emul_climb(const struct ward_emul *emul, struct emul_request *request,
			      struct ward_dma_result *ret_result)
{
	uint32_t at = request->source;
	enum emul_hop hop;

	if (!ward_emul_may_send(emul, at, request->rid))
		return blocked(request, ret_result);
	for (;;) {
		uint32_t parent = emul->facts->functions[at].parent;

		hop = across(emul, at, request, ret_result);
		if (hop != EMUL_UP)
			return hop;
		if (parent == WARD_NONE)
			return EMUL_ROOT;
		/* A card goes with all that is in it; until it is told of each, nothing gets out. */
		if (emul->functions[parent].absent)
			return nowhere(request, ret_result);
		hop = into(emul, parent, request, ret_result);
		if (hop != EMUL_UP)
			return hop;
		if (ward_emul_translation_root(&emul->facts->functions[parent]))
			return EMUL_ROOT;
		at = parent;
	}
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Access control services as hardware carries them out (PCIe base specification, 6.12, 7.7.8). */
#include "emul/route.h"

/* Bits of Enhanced ACS (PCIe base specification 5.0, 7.7.8.2 and 7.7.8.3). */
#define ACS_ENHANCED 0x0080u
#define ACS_DOWNSTREAM_SHIFT 8
#define ACS_UPSTREAM_SHIFT 10

void ward_emul_acs_init(const struct ward_function *facts, struct emul_function *ret_function)
{
	const struct ward_acs *acs = &facts->acs;

	if (acs->quirk == WARD_NO)
		return;
	if (acs->present == WARD_YES) {
		ret_function->acs = true;
		ret_function->acs_offered = acs->capability;
		/* Bits 7 and above of control (Enhanced) are not those of the capability. */
		ret_function->acs_on = acs->control & (acs->capability & 0x7f);
		if (acs->capability & ACS_ENHANCED)
			ret_function->acs_on |= acs->control & 0x1f80;
	}
	if (acs->quirk == WARD_YES) {
		ret_function->acs = true;
		ret_function->acs_offered |= acs->quirk_bits;
		ret_function->acs_on |= acs->quirk_bits;
	}
}

static bool egress_blocks(const struct ward_emul *emul, uint32_t at, unsigned int number)
{
	const struct ward_acs *acs = &emul->facts->functions[at].acs;
	unsigned int size = acs->capability >> 8;

	/* A quirk says nothing about a vector. */
	if (acs->present != WARD_YES || number >= (size ? size : 256))
		return false;
	return acs->egress[number / 32] >> (number % 32) & 1;
}

/* Outside of switches, whoever routes peer requests and has ACS must offer one of these. */
static bool routes_none(const struct emul_function *e)
{
	return e->acs && !(e->acs_offered & (WARD_ACS_RR | WARD_ACS_EC | WARD_ACS_DT));
}

/* 6.12.3: redirect, egress control and direct translated together. */
static enum emul_peer weigh(const struct ward_emul *emul, uint32_t at, unsigned int number,
			    bool translated)
{
	uint16_t on = emul->functions[at].acs_on;

	if (translated && (on & WARD_ACS_DT))
		return EMUL_PEER_DIRECT;
	if ((on & WARD_ACS_EC) && !egress_blocks(emul, at, number))
		return EMUL_PEER_DIRECT;
	if (on & WARD_ACS_RR)
		return EMUL_PEER_UP;
	return on & WARD_ACS_EC ? EMUL_PEER_BLOCKED : EMUL_PEER_DIRECT;
}

enum emul_peer ward_emul_acs_function(const struct ward_emul *emul, uint32_t at, uint32_t to,
				      bool translated)
{
	const struct ward_function *target = &emul->facts->functions[to];
	const struct emul_function *e = &emul->functions[at];
	enum emul_peer peer = EMUL_PEER_DIRECT;
	unsigned int number;

	if (emul->facts->functions[at].pcie_type == WARD_PCIE_ROOT_PORT)
		number = target->port_number;
	else if (target->parent != WARD_NONE &&
		 emul->facts->functions[target->parent].ari_forwarding)
		number = ward_rid_devfn(target->address.rid);
	else
		number = ward_rid_devfn(target->address.rid) & 7;
	if (routes_none(e))
		return EMUL_PEER_UP;
	if (e->acs)
		peer = weigh(emul, at, number, translated);
	return peer == EMUL_PEER_DIRECT && !emul->temper.routes_peers ? EMUL_PEER_UP : peer;
}

enum emul_peer ward_emul_acs_port(const struct ward_emul *emul, uint32_t at, uint32_t to,
				  bool translated)
{
	return weigh(emul, at, emul->facts->functions[to].port_number, translated);
}

/*
 * Registers of ports are addressed like anything else in a switch. Enhanced ACS has bits of its own
 * for them; without, redirecting peer requests is taken to redirect these, too (as Linux's rework of
 * groups does). What a root complex does with its ports' is not told.
 */
enum emul_peer ward_emul_acs_registers(const struct ward_emul *emul, uint32_t at, bool upstream)
{
	const struct emul_function *e = &emul->functions[at];
	unsigned int shift = upstream ? ACS_UPSTREAM_SHIFT : ACS_DOWNSTREAM_SHIFT;
	bool in_switch = emul->facts->functions[at].pcie_type == WARD_PCIE_DOWNSTREAM;

	if (!(e->acs_offered & ACS_ENHANCED)) {
		if (e->acs_on & WARD_ACS_RR || (!in_switch && routes_none(e)))
			return EMUL_PEER_UP;
		return in_switch || emul->temper.routes_peers ? EMUL_PEER_DIRECT : EMUL_PEER_UP;
	}
	switch (e->acs_on >> shift & 3) {
	case 0:
		return EMUL_PEER_DIRECT;
	case 1:
		return EMUL_PEER_BLOCKED;
	default:
		/* 2; 3 is reserved and taken for the safe one. */
		return EMUL_PEER_UP;
	}
}

bool ward_emul_acs_admits(const struct ward_emul *emul, uint32_t at,
			  const struct emul_request *request)
{
	const struct ward_bridge *bridge = &emul->facts->functions[at].bridge;
	uint16_t on = emul->functions[at].acs_on;
	uint8_t bus = ward_rid_bus(request->rid);

	if ((on & WARD_ACS_SV) && (bus < bridge->secondary || bus > bridge->subordinate))
		return false;
	return !((on & WARD_ACS_TB) && request->translated);
}

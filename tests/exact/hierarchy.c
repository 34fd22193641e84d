// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* A random hierarchy of buses, bridges and functions. */
#include "plan.h"
#include "random.h"

#include <string.h>

/* A hierarchy under construction. */
struct growth {
	struct plan *plan;
	struct random *r;
	uint64_t next_bar;
	unsigned int wanted; /* functions, about */
	uint8_t next_bus;
	uint32_t segment;
};

const struct plan_quirk plan_quirks[PLAN_KEEPS_IDS + 1] = {
	{ 0x1234, 0x1111, 0x020000, false, false, false },
	{ 0x1b4b, 0x9123, 0x010601, true, false, false },  /* Marvell 88SE9123 */
	{ 0x10de, 0x0a29, 0x030000, false, true, true },   /* NVIDIA GT216 */
	{ 0x10de, 0x1401, 0x030000, false, true, false },  /* NVIDIA GM206 */
	{ 0x11f8, 0x4000, 0x058000, false, true, true },   /* Switchtec, management endpoint */
	{ 0x1a03, 0x1150, 0x060400, false, false, false }, /* ASPEED AST1150, passes ids on */
};

enum bus_kind {
	BUS_ROOT,
	BUS_LINK,   /* below a root port or downstream port: one device */
	BUS_SWITCH, /* inside a switch */
	BUS_CONVENTIONAL,
};

static void grow_bus(struct growth *g, uint32_t parent, uint8_t bus, enum bus_kind kind,
		     unsigned int depth);

/* What a function of this type must offer together, if it offers any (6.12.1.1, 6.12.1.2). */
static uint16_t random_capability(struct random *r, enum ward_pcie_type type)
{
	uint16_t peers = WARD_ACS_RR | WARD_ACS_CR;
	uint16_t offered = 0;

	if (type == WARD_PCIE_DOWNSTREAM)
		offered = WARD_ACS_SV | WARD_ACS_TB | WARD_ACS_UF | peers;
	else if (type == WARD_PCIE_ROOT_PORT)
		offered = (uint16_t)(WARD_ACS_SV | WARD_ACS_TB |
				     (random_chance(r, 70) ? WARD_ACS_UF : 0));
	if (random_chance(r, 75))
		offered |= peers;
	if (offered & WARD_ACS_RR && random_chance(r, 50))
		offered |= WARD_ACS_EC;
	if (offered & WARD_ACS_RR && random_chance(r, 50))
		offered |= WARD_ACS_DT;
	/* Enhanced: who may write the registers of ports (7.7.8.2). */
	if (offered & WARD_ACS_SV && random_chance(r, 25))
		offered |= 0x80;
	return offered;
}

static void make_acs(struct random *r, enum ward_pcie_type type, struct ward_acs *acs)
{
	static const uint16_t isolating = WARD_ACS_SV | WARD_ACS_RR | WARD_ACS_CR | WARD_ACS_UF;
	uint32_t style = random_below(r, 100);

	acs->present = style < 22 ? WARD_NO : WARD_YES;
	if (style < 22)
		return;
	acs->capability = random_capability(r, type);
	if (style < 55)
		acs->control = isolating & acs->capability;
	else if (style >= 62)
		acs->control = (uint16_t)(random_next(r) & acs->capability & 0x7f);
	/*
	 * What is blocked, rather than sent up, goes nowhere else, but the analysis has it going up
	 * all the same: nothing is blocked below a port that could turn it round.
	 */
	if (acs->control & WARD_ACS_EC && type != WARD_PCIE_ROOT_PORT &&
	    type != WARD_PCIE_RC_ENDPOINT)
		acs->control |= WARD_ACS_RR;
	if (acs->capability & 0x80)
		acs->control |= (uint16_t)(random_below(r, 2) << 9 | random_below(r, 2) << 11);
	if (acs->capability & WARD_ACS_EC)
		acs->egress[0] = (uint32_t)random_next(r) & (uint32_t)random_next(r);
}

static uint32_t add_function(struct growth *g, uint32_t parent, uint8_t bus, uint8_t devfn,
			     enum ward_pcie_type type)
{
	struct plan_function *f = &g->plan->functions[g->plan->functions_count];

	if (g->plan->functions_count == PLAN_FUNCTIONS)
		return WARD_NONE;
	memset(f, 0, sizeof(*f));
	f->present = true;
	f->parent = parent;
	f->pf = WARD_NONE;
	f->segment = g->segment;
	f->bus = bus;
	f->devfn = devfn;
	f->type = type;
	f->port = devfn >> 3;
	f->iommu = f->controller = f->space = f->pasid_space = WARD_NONE;
	if (type != WARD_PCIE_NONE)
		make_acs(g->r, type, &f->acs);
	else
		f->acs.present = WARD_NO;
	f->msi = random_chance(g->r, 75);
	return g->plan->functions_count++;
}

static void give_bar(struct growth *g, uint32_t function, uint32_t percent)
{
	if (!random_chance(g->r, percent))
		return;
	g->plan->functions[function].bar = g->next_bar;
	g->next_bar += 0x1000;
}

/* A bridge and what is behind it. Its registers lie before its window. */
static uint32_t add_bridge(struct growth *g, uint32_t parent, uint8_t bus, uint8_t devfn,
			   enum ward_pcie_type type, enum bus_kind behind, unsigned int depth)
{
	uint32_t index = add_function(g, parent, bus, devfn, type);
	struct plan_function *f;

	if (index == WARD_NONE)
		return index;
	f = &g->plan->functions[index];
	give_bar(g, index, 20);
	f->msi = random_chance(g->r, 40);
	if (type == WARD_PCIE_TO_PCI && random_chance(g->r, 25))
		f->quirk = PLAN_KEEPS_IDS;
	f->secondary = ++g->next_bus;
	f->ari_forwarding =
		behind == BUS_LINK && type != WARD_PCI_TO_PCIE && random_chance(g->r, 20);
	grow_bus(g, index, f->secondary, behind, depth + 1);
	f->subordinate = g->next_bus;
	return index;
}

static void add_vfs(struct growth *g, uint32_t pf, uint8_t devfn)
{
	const struct plan_function *p = &g->plan->functions[pf];
	uint32_t count = random_between(g->r, 1, 2);
	/* Sometimes on a bus number of their own, with no bridge to it. */
	bool apart = p->parent != WARD_NONE && random_chance(g->r, 30);
	uint8_t bus = apart ? ++g->next_bus : p->bus;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t vf = add_function(g, p->parent, bus, (uint8_t)((apart ? 0 : devfn) + i),
					   WARD_PCIE_ENDPOINT);

		if (vf == WARD_NONE)
			return;
		g->plan->functions[vf].pf = pf;
		g->plan->functions[vf].acs = (struct ward_acs){ .present = WARD_NO };
		give_bar(g, vf, 80);
	}
}

/* An endpoint of some functions; with ARI they may be further apart. */
static void add_endpoint(struct growth *g, uint32_t parent, uint8_t bus, uint8_t slot,
			 enum ward_pcie_type type)
{
	const struct plan_function *above =
		parent == WARD_NONE ? NULL : &g->plan->functions[parent];
	bool ari = above && above->ari_forwarding;
	uint32_t count = random_chance(g->r, 60) ? 1 : random_between(g->r, 2, 3);
	uint8_t first = (uint8_t)(slot << 3), next = first;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t index = add_function(g, parent, bus, next, type);

		if (index == WARD_NONE)
			return;
		give_bar(g, index, 85);
		g->plan->functions[index].conventional = type == WARD_PCIE_NONE;
		if (random_chance(g->r, 8) && i == 0)
			g->plan->functions[index].quirk =
				(uint8_t)random_between(g->r, 1, PLAN_QUIRKS);
		next = (uint8_t)(next + (ari ? random_between(g->r, 1, 9) : 1));
		if (type == WARD_PCIE_ENDPOINT && i + 1 == count && random_chance(g->r, 20))
			add_vfs(g, index, ari ? next : (uint8_t)(first + 4));
	}
}

/* A switch: its upstream port, which may be one of several functions, and the bus inside. */
static void add_switch(struct growth *g, uint32_t parent, uint8_t bus, unsigned int depth)
{
	uint32_t index = add_bridge(g, parent, bus, 0, WARD_PCIE_UPSTREAM, BUS_SWITCH, depth);

	if (index == WARD_NONE || !random_chance(g->r, 25))
		return;
	index = add_function(g, parent, bus, 1, WARD_PCIE_ENDPOINT);
	if (index == WARD_NONE)
		return;
	give_bar(g, index, 90);
	if (random_chance(g->r, 40))
		g->plan->functions[index].quirk = 4;
}

static void grow_link(struct growth *g, uint32_t parent, uint8_t bus, unsigned int depth)
{
	uint32_t what = random_below(g->r, 100);

	if (depth < 4 && what < 28)
		add_switch(g, parent, bus, depth);
	else if (depth < 4 && what < 42)
		add_bridge(g, parent, bus, 0, WARD_PCIE_TO_PCI, BUS_CONVENTIONAL, depth);
	else
		add_endpoint(g, parent, bus, 0, WARD_PCIE_ENDPOINT);
}

static void grow_conventional(struct growth *g, uint32_t parent, uint8_t bus, unsigned int depth)
{
	uint32_t slots = random_between(g->r, 1, 3);

	for (uint32_t i = 0; i < slots; i++) {
		uint8_t devfn = (uint8_t)(random_between(g->r, 2 * i, 2 * i + 1) << 3);
		uint32_t what = random_below(g->r, 100);

		if (depth < 4 && what < 12)
			add_bridge(g, parent, bus, devfn, WARD_PCIE_NONE, BUS_CONVENTIONAL, depth);
		else if (depth < 4 && what < 20)
			add_bridge(g, parent, bus, devfn, WARD_PCI_TO_PCIE, BUS_LINK, depth);
		else
			add_endpoint(g, parent, bus, devfn >> 3, WARD_PCIE_NONE);
	}
}

static void grow_switch(struct growth *g, uint32_t parent, uint8_t bus, unsigned int depth)
{
	uint32_t ports = random_between(g->r, 1, 3);
	bool one_slot = random_chance(g->r, 15);

	for (uint32_t i = 0; i < ports; i++) {
		uint8_t devfn = (uint8_t)(one_slot ? i : i << 3);
		uint32_t port =
			add_bridge(g, parent, bus, devfn, WARD_PCIE_DOWNSTREAM, BUS_LINK, depth);

		if (port != WARD_NONE)
			g->plan->functions[port].port = (uint8_t)(i + 1);
	}
}

static void grow_root(struct growth *g)
{
	uint8_t bus = g->next_bus;
	uint32_t slots = random_between(g->r, 1, 3);

	for (uint32_t i = 0; i < slots && g->plan->functions_count < g->wanted; i++) {
		uint8_t devfn = (uint8_t)(random_between(g->r, 3 * i, 3 * i + 2) << 3);
		uint32_t what = random_below(g->r, 100);
		uint32_t ports = random_chance(g->r, 70) ? 1 : 2;

		if (what < 12)
			add_endpoint(g, WARD_NONE, bus, devfn >> 3, WARD_PCIE_RC_ENDPOINT);
		else if (what < 20)
			add_endpoint(g, WARD_NONE, bus, devfn >> 3, WARD_PCIE_NONE);
		else if (what < 26)
			add_bridge(g, WARD_NONE, bus, devfn, WARD_PCIE_NONE, BUS_CONVENTIONAL, 1);
		else if (what < 32)
			add_bridge(g, WARD_NONE, bus, devfn, WARD_PCIE_TO_PCI, BUS_CONVENTIONAL, 1);
		else
			for (uint32_t p = 0; p < ports; p++)
				add_bridge(g, WARD_NONE, bus, (uint8_t)(devfn + p),
					   WARD_PCIE_ROOT_PORT, BUS_LINK, 1);
	}
}

static void grow_bus(struct growth *g, uint32_t parent, uint8_t bus, enum bus_kind kind,
		     unsigned int depth)
{
	if (g->plan->functions_count >= g->wanted)
		return;
	switch (kind) {
	case BUS_ROOT:
		grow_root(g);
		break;
	case BUS_LINK:
		grow_link(g, parent, bus, depth);
		break;
	case BUS_SWITCH:
		grow_switch(g, parent, bus, depth);
		break;
	case BUS_CONVENTIONAL:
		grow_conventional(g, parent, bus, depth);
		break;
	}
}

static void add_platform(struct growth *g)
{
	uint32_t index = add_function(g, WARD_NONE, 0, 0, WARD_PCIE_NONE);

	if (index == WARD_NONE)
		return;
	g->plan->functions[index].platform = true;
	g->plan->functions[index].conventional = false;
}

void plan_make_hierarchy(struct plan *plan, struct random *r)
{
	struct growth g = { .plan = plan, .r = r, .next_bar = PLAN_BARS };
	uint32_t roots = random_chance(r, 60) ? 1 : random_between(r, 2, 3);

	g.wanted = random_between(r, 3, 12);
	for (uint32_t i = 0; i < roots; i++) {
		/* The second root bus may be of another segment; the third is of that one, too. */
		if (i == 1 && !plan->x86 && random_chance(r, 50)) {
			g.segment = 1;
			g.next_bus = 0;
		} else {
			g.next_bus = (uint8_t)(i * 0x40);
		}
		grow_bus(&g, WARD_NONE, g.next_bus, BUS_ROOT, 0);
		g.wanted += 2;
	}
	if (!plan->x86 && random_chance(r, 15))
		add_platform(&g);
}

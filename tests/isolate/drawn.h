/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Small machines made at random from numbered seeds. */
#ifndef TESTS_ISOLATE_DRAWN_H
#define TESTS_ISOLATE_DRAWN_H

#include "isolate/make.h"

static uint64_t random_state;

/* xorshift64* (Marsaglia 2003, Vigna 2016). */
static inline uint32_t draw(uint32_t below)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 0x2545f4914f6cdd1dull) >> 33) % below;
}

static inline bool chance(uint32_t of)
{
	return draw(of) == 0;
}

static inline enum make_acs draw_acs(void)
{
	static const enum make_acs kinds[] = {
		NO_ACS, ACS_ON, ACS_ON, ACS_ON, ACS_OFF, ACS_UNKNOWN
	};

	return kinds[draw(6)];
}

static inline void draw_base(struct make *m)
{
	switch (draw(6)) {
	case 0:
		make_x86_apic(m);
		break;
	case 1:
		make_arm_v2m(m, draw(2) ? 4096 : 65536, 1 + draw(3));
		break;
	case 2:
		make_arm_its(m);
		break;
	case 3:
		make_arm_its(m);
		make_controller(m, WARD_CONTROLLER_GICV2M, WARD_NO, 0x8020000, 0x1000);
		make_controller(m, WARD_CONTROLLER_GICV3_MBI, WARD_NO, 0x8000000, 0x1000);
		break;
	default:
		make_x86(m);
		break;
	}
	if (chance(8))
		make_iommu(m, WARD_IOMMU_OTHER)->active = (enum ward_tri)draw(3);
	if (chance(8))
		m->iommus[0].controller = draw(m->controllers_count);
	if (chance(10))
		m->controllers[0].isolates = WARD_UNKNOWN;
	m->unsafe_allowed = (enum ward_tri)draw(3);
	if (chance(20))
		m->remark = chance(2) ? "table-broken" : "tree-incomplete";
}

/* Everything about a function that may differ, now and then. */
static inline void draw_function(struct make *m, struct ward_function *f)
{
	if (chance(3))
		f->bar[0].range = WARD_RANGE_EMPTY;
	if (chance(3))
		f->msix = false;
	if (chance(25))
		unreadable(f);
	if (chance(12)) {
		f->ats = WARD_YES;
		f->ats_enabled = true;
	} else if (chance(30)) {
		f->ats = WARD_UNKNOWN;
	}
	if (chance(25))
		f->stream.iommu = WARD_NONE;
	else
		f->stream.iommu = draw(m->iommus_count);
	if (chance(10))
		f->stream.sid = ward_sid(0x4000 + draw(2));
	if (chance(30)) {
		f->iommu_known = WARD_UNKNOWN;
		f->stream.iommu = WARD_NONE;
	}
	f->controller = draw(m->controllers_count);
	if (chance(15))
		f->devid = ward_devid(0x100);
	if (chance(30)) {
		f->controller_known = WARD_UNKNOWN;
		f->controller = WARD_NONE;
	}
	if (chance(12))
		f->resets = 0;
	if (chance(12)) {
		f->vendor = 0x1b4b;
		f->device = 0x9123;
	}
	if (chance(20)) {
		f->vendor = 0x10de;
		f->device = 0x0a30;
		f->class_code = 0x030000;
	}
	if (chance(25))
		region(m, m->name[m->count - 1],
		       chance(2) ? WARD_REGION_DIRECT : WARD_REGION_DIRECT_RELAXABLE);
	switch (draw(8)) {
	case 0:
	case 1:
		m->driver[m->count - 1] = "nvme";
		break;
	case 2:
		m->owner[m->count - 1] = chance(2) ? "a" : "b";
		break;
	case 3:
		m->driver[m->count - 1] = "vfio-pci";
		break;
	default:
		break;
	}
	if (m->regions_count == MAKE_PARTS)
		m->regions_count--;
	if (chance(8))
		m->space[m->count - 1] = 1 + draw(WARD_SPACE_UNMANAGED + 1);
}

static inline const char *name_next(struct make *m, unsigned int bus, unsigned int devfn)
{
	snprintf(m->name[m->count], sizeof(m->name[0]), "%02x:%02x.%u", bus, devfn >> 3, devfn & 7);
	return m->name[m->count];
}

/* Endpoints on a bus: one to three slots, some of several functions, some VFs. */
static inline void draw_endpoints(struct make *m, unsigned int bus, bool conventional_bus)
{
	unsigned int slots = conventional_bus ? 1 + draw(3) : 1;

	for (unsigned int slot = 0; slot < slots; slot++) {
		unsigned int functions = chance(3) ? 1 + draw(3) : 1, first = m->count;

		for (unsigned int n = 0; n < functions; n++) {
			const char *name = name_next(m, bus, slot * 8 + n);

			if (conventional_bus)
				draw_function(m, conventional(m, name));
			else
				draw_function(m, function(m, name, WARD_PCIE_ENDPOINT, draw_acs()));
		}
		if (!conventional_bus && chance(5)) {
			vf(m, name_next(m, bus, slot * 8 + 5), m->name[first]);
			draw_function(m, &m->functions[m->count - 1]);
		}
	}
}

static inline void draw_port(struct make *m, struct ward_function *f)
{
	uint32_t index = (uint32_t)(f - m->functions);

	m->driver[index] = chance(3) ? NULL : "pcieport";
	f->controller = draw(m->controllers_count);
	f->stream.iommu = draw(m->iommus_count);
	if (chance(6))
		f->bar[0].range = (struct ward_range){ 0x40000000, 0x40000fff };
	if (chance(25))
		unreadable(f);
}

/* Below a root port: a card, a switch with two ports, or a converter. Returns buses used. */
static inline unsigned int draw_below(struct make *m, unsigned int bus)
{
	switch (draw(4)) {
	case 0:
		draw_port(m, upstream(m, name_next(m, bus, 0), bus + 1, bus + 3));
		draw_port(m, downstream(m, name_next(m, bus + 1, 0), bus + 2, draw_acs()));
		draw_port(m, downstream(m, name_next(m, bus + 1, 8), bus + 3, draw_acs()));
		draw_endpoints(m, bus + 2, false);
		draw_endpoints(m, bus + 3, false);
		return 4;
	case 1:
		draw_port(m, pcie_to_pci(m, name_next(m, bus, 0), bus + 1));
		draw_endpoints(m, bus + 1, true);
		return 2;
	default:
		draw_endpoints(m, bus, false);
		return 1;
	}
}

static char mapped_name[MAKE_FUNCTIONS][WARD_ADDRESS_TEXT];

/* What is mapped in spaces, once all are there. */
static inline void draw_mappings(struct make *m)
{
	for (uint32_t i = 0; i < m->count; i++) {
		const struct ward_function *f = &m->functions[draw(m->count)];

		if (m->space[i] == WARD_SPACE_UNMANAGED + 1 && f->kind == WARD_FUNCTION_PCI) {
			ward_address_format(f->address, mapped_name[i]);
			m->maps[i] = mapped_name[i];
		}
	}
}

/* Sometimes the kernel says that it translates little. */
static inline void draw_groups(struct make *m)
{
	m->groups_count = chance(3) ? 1 + draw(3) : 0;
	for (uint32_t g = 0; g < m->groups_count; g++) {
		m->groups[g].number = g;
		m->groups[g].type = chance(2) ? WARD_GROUP_IDENTITY : WARD_GROUP_DMA;
	}
	for (uint32_t i = 0; i < m->count && m->groups_count; i++)
		m->functions[i].group = chance(8) ? WARD_NONE : draw(m->groups_count);
}

static inline void draw_machine(struct make *m, uint64_t seed)
{
	unsigned int ports = 1 + draw(3), bus = 1;

	random_state = seed * 0x9e3779b97f4a7c15ull + 1;
	draw_base(m);
	for (unsigned int i = 0; i < ports; i++) {
		unsigned int devfn = chance(3) ? 0xe0 + i : 0xe0 + i * 8;
		struct ward_function *port;
		char name[32];

		snprintf(name, sizeof(name), "00:%02x.%u", devfn >> 3, devfn & 7);
		snprintf(m->name[m->count], sizeof(m->name[0]), "%s", name);
		port = root_port(m, name, bus, draw_acs());
		for (uint32_t k = 0; k + 1 < m->count; k++) {
			/* Taken already by a port of this machine: on to the next slot. */
			if (ward_address_compare(m->functions[k].address, port->address) == 0)
				port->address.rid = ward_rid(0xe8 + i * 8);
		}
		draw_port(m, port);
		bus += draw_below(m, bus);
		port->bridge.subordinate = (uint8_t)(bus - 1);
	}
	if (chance(2)) {
		conventional(m, name_next(m, 0, 0x10));
		draw_function(m, &m->functions[m->count - 1]);
	}
	if (chance(4))
		platform(m, "soc.dma")->stream.iommu = chance(2) ? 0 : WARD_NONE;
	draw_mappings(m);
	draw_groups(m);
}

/*
 * Who is not there: some functions, and with a bridge all that is behind it, with a PF its VFs. They
 * have nothing and are in nothing.
 */
static inline void draw_absent(struct make *m, bool absent[MAKE_FUNCTIONS])
{
	for (uint32_t i = 0; i < m->count; i++)
		absent[i] = chance(6);
	for (uint32_t i = 0; i < m->count; i++) {
		const struct ward_function *b = &m->functions[i];

		for (uint32_t k = 0; k < m->count; k++) {
			unsigned int bus = ward_rid_bus(m->functions[k].address.rid);

			if (m->functions[k].kind == WARD_FUNCTION_PCI && b->header_type == 1 &&
			    bus >= b->bridge.secondary && bus <= b->bridge.subordinate)
				absent[k] |= absent[i];
		}
	}
	for (uint32_t i = 0; i < m->count; i++) {
		if (m->pf[i])
			absent[i] |= absent[make_ordinal(m, m->pf[i])];
	}
	for (uint32_t i = 0; i < m->count; i++) {
		if (m->maps[i] && absent[make_ordinal(m, m->maps[i])])
			m->maps[i] = NULL;
		if (!absent[i])
			continue;
		/* What firmware makes of its requester id holds for others that come with it, too. */
		m->functions[i].devid = ward_devid(ward_rid_raw(m->functions[i].address.rid));
		m->driver[i] = m->owner[i] = NULL;
		m->space[i] = 0;
	}
}

/* What function i of the list is called in the machine. */
static inline uint32_t drawn_at(const struct make *m, uint32_t i)
{
	char name[WARD_ADDRESS_TEXT];

	if (m->functions[i].kind != WARD_FUNCTION_PCI)
		return at(m, m->functions[i].name);
	ward_address_format(m->functions[i].address, name);
	return at(m, name);
}

/* Builds the machine, with some absent. Whatever else the state needs may be put into it. */
static inline void drawn_state(struct make *m, const bool absent[MAKE_FUNCTIONS])
{
	assert_int_equal(make_machine(m, &m->machine), 0);
	assert_int_equal(make_state(m, m->machine, &m->state), 0);
	for (uint32_t i = 0; i < m->count; i++)
		m->state->functions[drawn_at(m, i)].absent = absent[i];
}

/* Who is frozen, and where vectors landed. */
static inline void draw_circumstances(struct make *m)
{
	for (uint32_t i = 0; i < m->machine->functions_count; i++) {
		struct ward_host_vector vector = {
			.irq = 30 + i,
			.function = i,
			.controller = draw(m->machine->controllers_count),
		};

		m->state->functions[i].frozen = !m->state->functions[i].absent && chance(10);
		if (chance(6))
			assert_int_equal(ward_state_add_vector(m->state, &vector), 0);
	}
}

#endif

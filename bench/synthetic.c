// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "synthetic.h"

#include <errno.h>
#include <stdio.h>

#define ACS_ALL (WARD_ACS_SV | WARD_ACS_RR | WARD_ACS_CR | WARD_ACS_UF)
#define SWITCH_PORTS 8
#define BUSES 256
#define CONVENTIONAL_FUNCTIONS 256

const struct variant variants[] = {
	{ "acs", "ACS everywhere, ITS: well isolated", SHAPE_MIXED, true, true, true,
	  WARD_CONTROLLER_GICV3_ITS, false, false },
	{ "flat", "no ACS at all, one switch: one group, one partition", SHAPE_WIDE, false, false,
	  false, WARD_CONTROLLER_X86_REMAPPING, false, false },
	{ "v2m", "ACS everywhere, one GICv2m frame shared by all", SHAPE_MIXED, true, true, true,
	  WARD_CONTROLLER_GICV2M, true, false },
	{ "deep", "switches without ACS nested as deep as bus numbers allow", SHAPE_DEEP, true,
	  false, false, WARD_CONTROLLER_X86_REMAPPING, false, false },
	{ "conventional", "conventional buses of 256 functions, interrupt remapping",
	  SHAPE_CONVENTIONAL, true, true, true, WARD_CONTROLLER_X86_REMAPPING, false, false },
	{ "segments", "ACS everywhere, ITS, hundreds of small segments", SHAPE_MIXED, true, true,
	  true, WARD_CONTROLLER_GICV3_ITS, false, true },
	{ 0 },
};

struct making {
	struct ward_builder *builder;
	const struct variant *variant;
	uint32_t left;	  /* functions still to be added, bridges above them not counted */
	uint32_t segment; /* the one being filled */
	uint32_t next_bus;
	uint32_t iommu, controller;
	uint64_t next_bar;
	int err; /* the first failure; nothing is added after it */
};

static bool is_done(const struct making *m)
{
	return m->err || !m->left;
}

/* Adds what is filled in of a function, with the facts that all functions share. */
static uint32_t add(struct making *m, struct ward_function *f, unsigned int bus, unsigned int devfn)
{
	uint32_t ordinal = WARD_NONE;

	/* The bridges above the last card still come after it. */
	if (m->err || (!m->left && f->header_type == 0))
		return WARD_NONE;
	f->address = (struct ward_address){ m->segment, ward_rid_make(bus, devfn >> 3, devfn) };
	f->config_size = 4096;
	f->pcie_known = WARD_YES;
	f->acs.present = f->acs.capability ? WARD_YES : WARD_NO;
	f->resets_known = WARD_YES;
	f->ats = f->ats == WARD_UNKNOWN ? WARD_NO : f->ats;
	f->pasid = WARD_NO;
	f->pri = WARD_NO;
	m->err = ward_builder_add_function(m->builder, f, &ordinal);
	m->left -= m->left > 0;
	return ordinal;
}

static void give_acs(struct ward_function *f, bool has)
{
	f->acs.capability = has ? ACS_ALL : 0;
	f->acs.control = f->acs.capability;
}

static void give_bar(struct making *m, struct ward_function *f, uint64_t size)
{
	f->bar[0].range = (struct ward_range){ m->next_bar, m->next_bar + size - 1 };
	m->next_bar += size;
}

static void start_card(struct making *m, struct ward_function *f, uint32_t class_code)
{
	ward_function_init(f);
	f->vendor = 0x1af4;
	f->device = 0x1000;
	f->class_code = class_code;
	f->pcie_type = WARD_PCIE_ENDPOINT;
	f->msix = true;
	f->msix_vectors = 16;
	f->resets = WARD_RESET_FLR;
	give_bar(m, f, 0x4000);
}

/* A bridge is added when what is below it is, because then its last bus is known. */
static void add_bridge(struct making *m, enum ward_pcie_type type, unsigned int bus,
		       unsigned int devfn, unsigned int secondary, bool acs)
{
	struct ward_function f;

	ward_function_init(&f);
	f.vendor = 0x1b36;
	f.device = 0x000c;
	f.class_code = 0x060400;
	f.header_type = 1;
	f.pcie_type = type;
	f.port_number = (uint8_t)devfn;
	f.ari_forwarding = type == WARD_PCIE_ROOT_PORT || type == WARD_PCIE_DOWNSTREAM;
	f.msi = type != WARD_PCIE_TO_PCI;
	f.msi_vectors = f.msi ? 1 : 0;
	f.bridge.primary = (uint8_t)bus;
	f.bridge.secondary = (uint8_t)secondary;
	f.bridge.subordinate = (uint8_t)(m->next_bus - 1);
	give_acs(&f, acs);
	add(m, &f, bus, devfn);
}

static void add_disk(struct making *m, unsigned int bus)
{
	struct ward_function f;

	start_card(m, &f, 0x010802);
	f.intx_pin = 1;
	add(m, &f, bus, 0);
}

static void add_gpu(struct making *m, unsigned int bus)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct ward_function f;

		start_card(m, &f, i ? 0x040300 : 0x030000);
		f.multifunction = true;
		f.resets = 0;
		f.intx_pin = (uint8_t)(i + 1);
		add(m, &f, bus, i);
	}
}

/* PFs from function 0 on, then their VFs, those of one PF interleaved with those of the other. */
static void add_network_card(struct making *m, unsigned int bus, unsigned int pfs, unsigned int vfs)
{
	uint32_t ordinals[8];

	for (unsigned int i = 0; i < pfs; i++) {
		struct ward_function f;

		start_card(m, &f, 0x020000);
		f.multifunction = pfs > 1;
		f.vfs_total = (uint16_t)(vfs / pfs);
		f.vfs_enabled = f.vfs_total;
		f.ats = WARD_YES;
		give_acs(&f, m->variant->card_acs);
		ordinals[i] = add(m, &f, bus, i);
	}
	for (unsigned int i = 0; i < vfs && !is_done(m); i++) {
		struct ward_function f;

		start_card(m, &f, 0x020000);
		f.physfn = ordinals[i % pfs];
		give_acs(&f, m->variant->card_acs);
		add(m, &f, bus, pfs + i);
	}
}

static void add_conventional(struct making *m, unsigned int bus, unsigned int functions)
{
	unsigned int below = m->next_bus++;

	for (unsigned int i = 0; i < functions && !is_done(m); i++) {
		struct ward_function f;

		start_card(m, &f, 0x020000);
		f.pcie_type = WARD_PCIE_NONE;
		f.msix = false;
		f.msi = true;
		f.msi_vectors = 1;
		f.intx_pin = 1;
		/* Function by function of slot after slot. */
		f.multifunction = functions > 32;
		f.resets = WARD_RESET_PM;
		add(m, &f, below, functions > 32 ? i : i * 8);
	}
	add_bridge(m, WARD_PCIE_TO_PCI, bus, 0, below, false);
}

static void add_mixed_card(struct making *m, unsigned int kind, unsigned int bus)
{
	switch (kind) {
	case 0:
	case 4:
		add_network_card(m, bus, 2, 62);
		break;
	case 2:
	case 7:
		add_gpu(m, bus);
		break;
	case 5:
		add_conventional(m, bus, 4);
		break;
	default:
		add_disk(m, bus);
		break;
	}
}

/* A switch on a bus, with a card at each of its ports. */
static void add_switch(struct making *m, unsigned int bus, unsigned int ports)
{
	unsigned int inside = m->next_bus++;
	unsigned int port;

	for (port = 0; port < ports && !is_done(m) && m->next_bus + 2 < BUSES; port++) {
		unsigned int below = m->next_bus++;

		if (m->variant->shape == SHAPE_WIDE)
			add_network_card(m, below, 1, 255);
		else
			add_mixed_card(m, port, below);
		add_bridge(m, WARD_PCIE_DOWNSTREAM, inside, port, below, m->variant->switch_acs);
	}
	add_bridge(m, WARD_PCIE_UPSTREAM, bus, 0, inside, false);
}

/* Each switch has a card at its first port and the next switch at its second. */
static void add_switches_below(struct making *m, unsigned int bus)
{
	unsigned int inside, below;

	if (is_done(m) || m->next_bus + 3 >= BUSES) {
		add_network_card(m, bus, 1, 31);
		return;
	}
	inside = m->next_bus++;
	below = m->next_bus++;
	add_network_card(m, below, 1, 7);
	add_bridge(m, WARD_PCIE_DOWNSTREAM, inside, 0, below, m->variant->switch_acs);
	below = m->next_bus++;
	add_switches_below(m, below);
	add_bridge(m, WARD_PCIE_DOWNSTREAM, inside, 8, below, m->variant->switch_acs);
	add_bridge(m, WARD_PCIE_UPSTREAM, bus, 0, inside, false);
}

static void add_root_port(struct making *m, unsigned int devfn)
{
	unsigned int below = m->next_bus++;

	switch (m->variant->shape) {
	case SHAPE_MIXED:
		add_switch(m, below, SWITCH_PORTS);
		break;
	case SHAPE_WIDE:
		add_switch(m, below, BUSES);
		break;
	case SHAPE_DEEP:
		add_switches_below(m, below);
		break;
	case SHAPE_CONVENTIONAL:
		add_conventional(m, below, CONVENTIONAL_FUNCTIONS);
		break;
	}
	add_bridge(m, WARD_PCIE_ROOT_PORT, 0, devfn, below, m->variant->root_acs);
}

/* What a chipset has on its root bus: one device of several functions, without ACS. */
static void add_chipset(struct making *m)
{
	static const uint32_t classes[] = { 0x060100, 0x010601, 0x0c0500, 0x0c0330 };

	for (unsigned int i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		struct ward_function f;

		start_card(m, &f, classes[i]);
		f.pcie_type = WARD_PCIE_RC_ENDPOINT;
		f.multifunction = true;
		f.resets = 0;
		add(m, &f, 0, 0x1f << 3 | i);
	}
}

static void add_controller(struct making *m, uint32_t number)
{
	bool x86 = m->variant->controller == WARD_CONTROLLER_X86_REMAPPING;
	uint64_t doorbell = x86 ? 0xfee00000 : 0x8020000 + (uint64_t)number * 0x20000;
	char name[64];
	struct ward_controller c = {
		.kind = m->variant->controller,
		.name = name,
		.isolates = m->variant->controller == WARD_CONTROLLER_GICV2M ? WARD_NO : WARD_YES,
		.doorbells = { { doorbell, doorbell + (x86 ? 0xfffff : 0xfff) } },
		.doorbells_count = 1,
		.pool = number,
		.firmware_id = number,
	};

	snprintf(name, sizeof(name), "controller %u", (unsigned int)number);
	if (!m->err)
		m->err = ward_builder_add_controller(m->builder, &c, &m->controller);
}

/* The IOMMU and the controller of a segment, and the maps that lead to them. */
static void start_segment(struct making *m)
{
	bool x86 = m->variant->controller == WARD_CONTROLLER_X86_REMAPPING;
	char name[64];
	struct ward_iommu iommu = {
		.kind = x86 ? WARD_IOMMU_VTD : WARD_IOMMU_SMMUV3,
		.name = name,
		.base = ward_pa(0xfd000000 + (uint64_t)m->segment * 0x20000),
		.active = WARD_YES,
		.remaps_interrupts = x86 ? WARD_YES : WARD_NO,
		.ats = WARD_YES,
		.controller = WARD_NONE,
	};
	struct ward_id_map map = {
		.segment = m->segment,
		.first = ward_rid(0),
		.last = ward_rid(0xffff),
		.mask = 0xffff,
		.output_base = m->segment << 16,
		.evidence = "synthetic",
	};

	snprintf(name, sizeof(name), "iommu%u", (unsigned int)m->segment);
	if (!m->err)
		m->err = ward_builder_add_iommu(m->builder, &iommu, &m->iommu);
	if (m->segment == 0 || !m->variant->one_controller)
		add_controller(m, m->segment);
	map.kind = WARD_ID_MAP_IOMMU;
	map.target = m->iommu;
	if (!m->err)
		m->err = ward_builder_add_id_map(m->builder, &map);
	map.kind = WARD_ID_MAP_MSI;
	map.target = m->controller;
	if (!m->err)
		m->err = ward_builder_add_id_map(m->builder, &map);
	m->next_bus = 1;
}

static void add_segment(struct making *m)
{
	/* Root ports are eight to a slot, from slot 1 on; the chipset has the last slot. */
	unsigned int devfn = 8;

	start_segment(m);
	add_chipset(m);
	do
		add_root_port(m, devfn++);
	while (!is_done(m) && !m->variant->small_segments && devfn < 0xf8 &&
	       m->next_bus + SWITCH_PORTS + 4 < BUSES);
	m->segment++;
}

int synthetic_machine(const struct variant *variant, uint32_t count,
		      struct ward_machine **ret_machine)
{
	bool x86 = variant->controller == WARD_CONTROLLER_X86_REMAPPING;
	struct making m = { .variant = variant, .left = count, .next_bar = 0x100000000 };
	int err = ward_builder_create(&m.builder);

	if (err)
		return err;
	m.err = ward_builder_set_host(m.builder, x86 ? WARD_ARCH_X86 : WARD_ARCH_ARM64, "6.12.0",
				      "iommu=on", 4096);
	ward_builder_machine(m.builder)->firmware_iommu = WARD_YES;
	while (!is_done(&m))
		add_segment(&m);
	if (m.err) {
		ward_builder_destroy(m.builder);
		return m.err;
	}
	return ward_builder_finish(m.builder, ret_machine, NULL);
}

static const char *driver_of(const struct ward_function *f, uint32_t index)
{
	if (f->header_type != 0)
		return "pcieport";
	if (f->physfn != WARD_NONE)
		return index % 2 ? "vfio-pci" : NULL;
	switch (f->class_code >> 16) {
	case 0x01:
		return index % 4 == 0 ? "nvme" : NULL;
	case 0x02:
		return f->vfs_total ? "ice" : NULL;
	default:
		return NULL;
	}
}

int synthetic_state(const struct ward_machine *machine, struct ward_state **ret_state)
{
	struct ward_state *state;
	uint32_t client = 0, given = 0;
	int err = ward_state_create(machine, &state);

	if (err)
		return err;
	err = ward_state_client(state, "guest", &client);
	for (uint32_t i = 0; i < machine->functions_count && !err; i++) {
		const char *driver = driver_of(&machine->functions[i], i);

		if (driver)
			err = ward_state_bind(state, i, driver);
		if (!state->functions[i].driver_yields || i % 16 != 1 || given == 16)
			continue;
		state->functions[i].owner = (struct ward_owner){ WARD_OWNER_CLIENT, client };
		given++;
	}
	if (err) {
		ward_state_destroy(state);
		return err;
	}
	*ret_state = state;
	return 0;
}

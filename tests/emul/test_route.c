/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Where requests go before any IOMMU sees them: small topologies, each with the end it has. */
#include "emul/machines.h"

#define BAR_A 0x10000000u
#define BAR_B 0x10100000u
#define BAR_C 0x10200000u

/* A device of two functions below a root port. */
static void two_functions(struct rig *rig, unsigned int port_acs, unsigned int capability,
			  unsigned int control)
{
	struct ward_function *a, *b;

	rig_acs(rig_port(rig, "00:01.0", WARD_PCIE_ROOT_PORT, 1, 1), RIG_OFFERS, port_acs);
	a = rig_card(rig, "01:00.0", BAR_A);
	b = rig_card(rig, "01:00.1", BAR_B);
	a->multifunction = true;
	if (capability != ~0u) {
		rig_acs(a, capability, control);
		rig_acs(b, capability, control);
	}
	rig_done(rig);
}

static void expect_functions(unsigned int port_acs, unsigned int capability, unsigned int control,
			     bool routes_peers, enum ward_dma_end end)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };

	two_functions(&rig, port_acs, capability, control);
	rig_temper(&rig, routes_peers);
	rig_expect(&rig, "01:00.0", BAR_B + 4, end, end == WARD_DMA_BAR ? "01:00.1" : NULL);
	rig_free(&rig);
}

static void multifunction(void **unused)
{
	(void)unused;
	/* Without ACS it is the device's own affair; sent up, the port forwards it. */
	expect_functions(RIG_ISOLATES, ~0u, 0, true, WARD_DMA_BAR);
	expect_functions(RIG_ISOLATES, ~0u, 0, false, WARD_DMA_FAULT);
	/* Offers nothing: routes no peer requests. */
	expect_functions(RIG_ISOLATES, 0, 0, true, WARD_DMA_FAULT);
	expect_functions(RIG_ISOLATES, RIG_OFFERS, 0, true, WARD_DMA_BAR);
	expect_functions(RIG_ISOLATES, RIG_OFFERS, 0, false, WARD_DMA_FAULT);
	expect_functions(RIG_ISOLATES, RIG_OFFERS, WARD_ACS_RR, true, WARD_DMA_FAULT);
	/* On, but not offered: the bit cannot be on. */
	expect_functions(RIG_ISOLATES, WARD_ACS_DT, WARD_ACS_RR, true, WARD_DMA_BAR);
	/* Sent up and turned round by a port that forwards nothing upstream; or unsupported. */
	expect_functions(0, RIG_OFFERS, WARD_ACS_RR, true, WARD_DMA_BAR);
	expect_functions(0, RIG_OFFERS, WARD_ACS_RR, false, WARD_DMA_NOWHERE);
}

static void egress_of_functions(void **unused)
{
	for (unsigned int redirect = 0; redirect < 2; redirect++) {
		for (unsigned int blocks = 0; blocks < 2; blocks++) {
			struct rig rig = { .arch = WARD_ARCH_ARM64 };
			enum ward_dma_end end = !blocks	   ? WARD_DMA_BAR
						: redirect ? WARD_DMA_FAULT
							   : WARD_DMA_BLOCKED;
			struct ward_function *a;

			rig_acs(rig_port(&rig, "00:01.0", WARD_PCIE_ROOT_PORT, 1, 1), RIG_OFFERS,
				RIG_ISOLATES);
			a = rig_acs(rig_card(&rig, "01:00.0", BAR_A), 0x0800 | RIG_OFFERS,
				    WARD_ACS_EC | (redirect ? WARD_ACS_RR : 0));
			a->acs.egress[0] = blocks ? 1u << 1 : ~(1u << 1);
			rig_card(&rig, "01:00.1", BAR_B);
			rig_done(&rig);
			rig_temper(&rig, true);
			rig_expect(&rig, "01:00.0", BAR_B, end, NULL);
			rig_free(&rig);
		}
	}
	(void)unused;
}

/* One device: the slot; with ARI the bus; a PF and its VFs. */
static void devices(void **unused)
{
	for (unsigned int ari = 0; ari < 2; ari++) {
		struct rig rig = { .arch = WARD_ARCH_ARM64 };

		rig_acs(rig_port(&rig, "00:01.0", WARD_PCIE_ROOT_PORT, 1, 2), RIG_OFFERS,
			RIG_ISOLATES)
			->ari_forwarding = ari;
		rig_card(&rig, "01:00.0", BAR_A);
		rig_card(&rig, "01:01.0", BAR_B);
		rig_vf(&rig, "02:00.0", "01:00.0", BAR_C);
		rig_done(&rig);
		rig_temper(&rig, true);
		rig_expect(&rig, "01:00.0", BAR_B, ari ? WARD_DMA_BAR : WARD_DMA_FAULT, NULL);
		rig_expect(&rig, "01:00.0", BAR_C, WARD_DMA_BAR, "02:00.0");
		/* VFs send to nobody. */
		rig_expect(&rig, "02:00.0", BAR_A, WARD_DMA_FAULT, NULL);
		rig_expect(&rig, "02:00.0", BAR_B, WARD_DMA_FAULT, NULL);
		rig_free(&rig);
	}
	(void)unused;
}

/*
 * Root port, upstream port, downstream ports 1 and 2, a card below each; the ports have the ACS
 * given, ~0: none.
 */
static struct ward_function *make_switch(struct rig *rig, unsigned int root_acs,
					 unsigned int port_acs)
{
	struct ward_function *port;

	rig_acs(rig_port(rig, "00:01.0", WARD_PCIE_ROOT_PORT, 1, 4), RIG_OFFERS, root_acs);
	rig_port(rig, "01:00.0", WARD_PCIE_UPSTREAM, 2, 4)->bar[0].range =
		(struct ward_range){ 0x10800000, 0x10800fff };
	port = rig_port(rig, "02:01.0", WARD_PCIE_DOWNSTREAM, 3, 3);
	if (port_acs != ~0u)
		rig_acs(port, 0x0800 | RIG_OFFERS, port_acs);
	rig_port(rig, "02:02.0", WARD_PCIE_DOWNSTREAM, 4, 4)->bar[0].range =
		(struct ward_range){ 0x10900000, 0x10900fff };
	rig_card(rig, "03:00.0", BAR_A);
	rig_card(rig, "04:00.0", BAR_B);
	return port;
}

static void switches(void **unused)
{
	static const struct {
		unsigned int root, port;
		bool routes;
		enum ward_dma_end end;
	} rows[] = {
		/* A switch routes what it is not told to redirect: that is no question of temper. */
		{ RIG_ISOLATES, ~0u, false, WARD_DMA_BAR },
		{ RIG_ISOLATES, 0, false, WARD_DMA_BAR },
		{ RIG_ISOLATES, WARD_ACS_SV | WARD_ACS_UF, false, WARD_DMA_BAR },
		{ RIG_ISOLATES, RIG_ISOLATES, true, WARD_DMA_FAULT },
		/* Redirected, but the root port above turns it round. */
		{ 0, RIG_ISOLATES, true, WARD_DMA_BAR },
		{ 0, RIG_ISOLATES, false, WARD_DMA_NOWHERE },
		{ RIG_ISOLATES, WARD_ACS_EC, false, WARD_DMA_BLOCKED },
		{ RIG_ISOLATES, WARD_ACS_EC | WARD_ACS_RR, false, WARD_DMA_FAULT },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig rig = { .arch = WARD_ARCH_ARM64 };

		make_switch(&rig, rows[i].root, rows[i].port)->acs.egress[0] = 1u << 2;
		rig_done(&rig);
		rig_temper(&rig, rows[i].routes);
		rig_expect(&rig, "03:00.0", BAR_B, rows[i].end,
			   rows[i].end == WARD_DMA_BAR ? "04:00.0" : NULL);
		/* The other port has no ACS: the way back is open. */
		rig_expect(&rig, "04:00.0", BAR_A, WARD_DMA_BAR, "03:00.0");
		rig_expect(&rig, "03:00.0", RIG_MAPPED, WARD_DMA_MEMORY, NULL);
		rig_free(&rig);
	}
}

static void egress_of_ports(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct ward_function *port = make_switch(&rig, RIG_ISOLATES, WARD_ACS_EC | WARD_ACS_RR);

	(void)unused;
	/* All but port 2: direct in spite of redirect. */
	port->acs.egress[0] = ~(1u << 2);
	rig_done(&rig);
	rig_expect(&rig, "03:00.0", BAR_B, WARD_DMA_BAR, "04:00.0");
	rig_free(&rig);

	/* A vector of two bits has none for port 2. */
	rig = (struct rig){ .arch = WARD_ARCH_ARM64 };
	port = make_switch(&rig, RIG_ISOLATES, WARD_ACS_EC | WARD_ACS_RR);
	port->acs.capability = 0x0200 | RIG_OFFERS;
	port->acs.egress[0] = ~0u;
	rig_done(&rig);
	rig_expect(&rig, "03:00.0", BAR_B, WARD_DMA_BAR, "04:00.0");
	rig_free(&rig);
}

static void translated_in_a_switch(void **unused)
{
	static const struct {
		unsigned int acs;
		enum ward_dma_end end;
	} rows[] = {
		{ RIG_ISOLATES, WARD_DMA_BAR }, /* around by the root complex */
		{ RIG_ISOLATES | WARD_ACS_DT, WARD_DMA_BAR },
		{ RIG_ISOLATES | WARD_ACS_TB, WARD_DMA_BLOCKED },
		{ RIG_ISOLATES | WARD_ACS_TB | WARD_ACS_DT, WARD_DMA_BLOCKED },
		{ WARD_ACS_EC, WARD_DMA_BLOCKED },
		{ WARD_ACS_EC | WARD_ACS_DT, WARD_DMA_BAR },
	};
	const struct ward_model_temper forging = { .forges_translated = true };
	struct ward_dma dma = { .address = ward_iova(BAR_B),
				.pasid = WARD_PASID_NONE,
				.write = true,
				.translated = true };

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig rig = { .arch = WARD_ARCH_ARM64 };

		make_switch(&rig, RIG_ISOLATES, rows[i].acs)->acs.egress[0] = ~0u;
		rig.functions[rig.count - 2].ats_enabled = true;
		rig_done(&rig);
		ward_emul_set_temper(rig.emul, &forging);
		assert_int_equal(rig_dma(&rig, "03:00.0", dma), rows[i].end);
		assert_int_equal(rig.asked, 0);
		rig_free(&rig);
	}
}

static void registers_of_ports(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct ward_function *port;

	(void)unused;
	/* Redirected from the first port; the second has no ACS. */
	make_switch(&rig, RIG_ISOLATES, RIG_ISOLATES);
	rig.functions[2].bar[0].range = (struct ward_range){ 0x10a00000, 0x10a00fff };
	rig_done(&rig);
	rig_temper(&rig, true);
	rig_expect(&rig, "03:00.0", 0x10800000, WARD_DMA_FAULT, NULL);
	rig_expect(&rig, "03:00.0", 0x10900000, WARD_DMA_FAULT, NULL);
	rig_expect(&rig, "03:00.0", 0x10a00000, WARD_DMA_FAULT, NULL);
	rig_temper(&rig, false);
	rig_expect(&rig, "04:00.0", 0x10800000, WARD_DMA_BAR, "01:00.0");
	rig_expect(&rig, "04:00.0", 0x10900000, WARD_DMA_BAR, "02:02.0");
	rig_expect(&rig, "04:00.0", 0x10a00000, WARD_DMA_BAR, "02:01.0");
	rig_free(&rig);

	/* A root port's own, from below. */
	rig = (struct rig){ .arch = WARD_ARCH_ARM64 };
	rig_port(&rig, "00:01.0", WARD_PCIE_ROOT_PORT, 1, 1)->bar[0].range =
		(struct ward_range){ 0x10800000, 0x10800fff };
	rig_card(&rig, "01:00.0", BAR_A);
	rig_done(&rig);
	rig_expect(&rig, "01:00.0", 0x10800000, WARD_DMA_FAULT, NULL);
	rig_temper(&rig, true);
	rig_expect(&rig, "01:00.0", 0x10800000, WARD_DMA_BAR, "00:01.0");
	rig_free(&rig);

	/* One that says it routes no peer requests. */
	rig = (struct rig){ .arch = WARD_ARCH_ARM64 };
	rig_acs(rig_port(&rig, "00:01.0", WARD_PCIE_ROOT_PORT, 1, 1), WARD_ACS_SV, 0)->bar[0].range =
		(struct ward_range){ 0x10800000, 0x10800fff };
	rig_card(&rig, "01:00.0", BAR_A);
	rig_done(&rig);
	rig_temper(&rig, true);
	rig_expect(&rig, "01:00.0", 0x10800000, WARD_DMA_FAULT, NULL);
	rig_free(&rig);

	rig = (struct rig){ .arch = WARD_ARCH_ARM64 };
	/* Enhanced ACS: upstream registers redirected, downstream ones blocked. */
	port = make_switch(&rig, RIG_ISOLATES, 0);
	port->acs.capability |= 0x80;
	port->acs.control = RIG_ISOLATES | 1u << 8 | 2u << 10;
	rig_done(&rig);
	rig_temper(&rig, true);
	rig_expect(&rig, "03:00.0", 0x10800000, WARD_DMA_FAULT, NULL);
	rig_expect(&rig, "03:00.0", 0x10900000, WARD_DMA_BLOCKED, NULL);
	rig_free(&rig);
}

static void forged_ids(void **unused)
{
	for (unsigned int validates = 0; validates < 2; validates++) {
		struct rig rig = { .arch = WARD_ARCH_ARM64 };
		struct ward_dma dma = { .address = ward_iova(RIG_MAPPED),
					.pasid = WARD_PASID_NONE,
					.write = true,
					.forge = true,
					.rid = ward_rid(0x400) };

		make_switch(&rig, 0, validates ? WARD_ACS_SV : 0);
		rig_done(&rig);
		assert_int_equal(rig_dma(&rig, "03:00.0", dma),
				 validates ? WARD_DMA_BLOCKED : WARD_DMA_MEMORY);
		if (!validates)
			assert_int_equal(ward_sid_raw(rig.seen.sid), 0x400);
		/* An id of its own bus is another function of its own card. */
		dma.rid = ward_rid(0x3f8);
		assert_int_equal(rig_dma(&rig, "03:00.0", dma), WARD_DMA_MEMORY);
		assert_int_equal(ward_sid_raw(rig.seen.sid), 0x3f8);
		rig_free(&rig);
	}
	(void)unused;
}

static void root_bus(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct ward_dma dma = { .address = ward_iova(RIG_MAPPED),
				.pasid = WARD_PASID_NONE,
				.forge = true,
				.rid = ward_rid(0x10) };

	(void)unused;
	rig_card(&rig, "00:02.0", BAR_A)->pcie_type = WARD_PCIE_RC_ENDPOINT;
	rig_card(&rig, "00:03.0", BAR_B)->pcie_type = WARD_PCIE_NONE;
	rig_card(&rig, "00:03.1", BAR_C)->pcie_type = WARD_PCIE_NONE;
	/* Known to use function 1 in place of its own number. */
	rig_card(&rig, "00:04.0", 0)->vendor = 0x1b4b;
	rig.functions[3].device = 0x9123;
	rig_done(&rig);
	rig_temper(&rig, true);
	rig_expect(&rig, "00:02.0", BAR_B, WARD_DMA_FAULT, NULL);
	rig_expect(&rig, "00:03.0", BAR_A, WARD_DMA_FAULT, NULL);
	rig_expect(&rig, "00:03.0", BAR_C, WARD_DMA_BAR, "00:03.1");
	rig_temper(&rig, false);
	rig_expect(&rig, "00:03.0", BAR_C, WARD_DMA_FAULT, NULL);
	assert_int_equal(rig_dma(&rig, "00:02.0", dma), WARD_DMA_MEMORY);
	assert_int_equal(rig_dma(&rig, "00:03.0", dma), WARD_DMA_BLOCKED);
	dma.rid = ward_rid(0x21);
	assert_int_equal(rig_dma(&rig, "00:04.0", dma), WARD_DMA_MEMORY);
	assert_int_equal(ward_sid_raw(rig.seen.sid), 0x21);
	rig_free(&rig);
}

static void root_ports(void **unused)
{
	static const struct {
		unsigned int capability, control;
		bool routes;
		enum ward_dma_end end;
	} rows[] = {
		{ ~0u, 0, false, WARD_DMA_FAULT },
		{ ~0u, 0, true, WARD_DMA_BAR },
		{ RIG_OFFERS, 0, true, WARD_DMA_BAR },
		{ RIG_OFFERS, WARD_ACS_RR, true, WARD_DMA_FAULT },
		{ WARD_ACS_SV, 0, true, WARD_DMA_FAULT },
		{ RIG_OFFERS, WARD_ACS_EC, true, WARD_DMA_BLOCKED },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig rig = { .arch = WARD_ARCH_ARM64 };
		struct ward_function *port;

		port = rig_port(&rig, "00:01.0", WARD_PCIE_ROOT_PORT, 1, 1);
		if (rows[i].capability != ~0u)
			rig_acs(port, rows[i].capability, rows[i].control);
		port->acs.egress[0] = 1u << 2;
		rig_port(&rig, "00:01.1", WARD_PCIE_ROOT_PORT, 2, 2)->port_number = 2;
		rig_card(&rig, "01:00.0", BAR_A);
		rig_card(&rig, "02:00.0", BAR_B);
		rig_card(&rig, "00:03.0", BAR_C)->pcie_type = WARD_PCIE_RC_ENDPOINT;
		rig_done(&rig);
		rig_temper(&rig, rows[i].routes);
		rig_expect(&rig, "01:00.0", BAR_B, rows[i].end,
			   rows[i].end == WARD_DMA_BAR ? "02:00.0" : NULL);
		/* Of other slots: by way of the IOMMU only. */
		rig_expect(&rig, "01:00.0", 0x10300000, WARD_DMA_FAULT, NULL);
		rig_expect(&rig, "01:00.0", BAR_C, WARD_DMA_FAULT, NULL);
		rig_free(&rig);
	}
}

/* What a table of known devices says counts more than the registers. */
static void quirks(void **unused)
{
	for (unsigned int isolates = 0; isolates < 2; isolates++) {
		struct rig rig = { .arch = WARD_ARCH_ARM64 };
		struct ward_function *port;

		port = make_switch(&rig, RIG_ISOLATES, isolates ? ~0u : RIG_ISOLATES);
		port->acs.quirk = isolates ? WARD_YES : WARD_NO;
		port->acs.quirk_bits = RIG_ISOLATES;
		port->acs.quirk_name = "test";
		rig_done(&rig);
		rig_expect(&rig, "03:00.0", BAR_B, isolates ? WARD_DMA_FAULT : WARD_DMA_BAR, NULL);
		rig_free(&rig);
	}
	(void)unused;
}

/* A root port, a bridge of a type with two cards on its bus and below it a plain bridge's card. */
static struct ward_function *make_bridge(struct rig *rig, enum ward_pcie_type type)
{
	struct ward_function *bridge;

	rig_acs(rig_port(rig, "00:01.0", WARD_PCIE_ROOT_PORT, 1, 3), RIG_OFFERS, RIG_ISOLATES);
	bridge = rig_port(rig, "01:00.0", type, 2, 3);
	bridge->bar[0].range = (struct ward_range){ 0x10800000, 0x10800fff };
	rig_card(rig, "02:01.0", BAR_A)->pcie_type = WARD_PCIE_NONE;
	rig_card(rig, "02:02.0", BAR_B)->pcie_type = WARD_PCIE_NONE;
	rig_port(rig, "02:03.0", WARD_PCIE_NONE, 3, 3);
	rig_card(rig, "03:00.0", BAR_C)->pcie_type = WARD_PCIE_NONE;
	return bridge;
}

static void conventional_buses(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct ward_dma dma = { .address = ward_iova(RIG_MAPPED),
				.pasid = ward_pasid(3),
				.translated = true,
				.forge = true,
				.rid = ward_rid(0x999) };

	(void)unused;
	make_bridge(&rig, WARD_PCIE_TO_PCI);
	rig_done(&rig);
	/* All hear, whatever ACS is above. */
	rig_expect(&rig, "02:01.0", BAR_B, WARD_DMA_BAR, "02:02.0");
	rig_expect(&rig, "02:01.0", BAR_C, WARD_DMA_BAR, "03:00.0");
	rig_expect(&rig, "03:00.0", BAR_A, WARD_DMA_BAR, "02:01.0");
	rig_expect(&rig, "02:01.0", 0x10800000, WARD_DMA_FAULT, NULL);
	rig_temper(&rig, true);
	rig_expect(&rig, "02:01.0", 0x10800000, WARD_DMA_BAR, "01:00.0");
	rig_temper(&rig, false);
	/* In the window, but nobody there; its own BAR it does not answer itself. */
	rig_expect(&rig, "02:01.0", 0x10080000, WARD_DMA_NOWHERE, NULL);
	rig_expect(&rig, "02:01.0", BAR_A, WARD_DMA_NOWHERE, NULL);
	/* One id for all; a conventional bus knows no ids, PASIDs, translations. */
	assert_int_equal(rig_dma(&rig, "02:01.0", dma), WARD_DMA_MEMORY);
	assert_int_equal(ward_sid_raw(rig.seen.sid), 0x200);
	assert_true(rig.seen.pasid == WARD_PASID_NONE);
	assert_false(rig.seen.translated);
	rig_expect(&rig, "03:00.0", RIG_MAPPED, WARD_DMA_MEMORY, NULL);
	assert_int_equal(ward_sid_raw(rig.seen.sid), 0x200);
	/* The bridge itself has its own. */
	rig_expect(&rig, "01:00.0", RIG_MAPPED, WARD_DMA_MEMORY, NULL);
	assert_int_equal(ward_sid_raw(rig.seen.sid), 0x100);
	rig_free(&rig);
}

static uint32_t id_behind(enum ward_pcie_type type, uint16_t vendor, uint16_t device)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct ward_function *bridge = make_bridge(&rig, type);

	bridge->vendor = vendor;
	bridge->device = device;
	rig_done(&rig);
	rig_expect(&rig, "02:02.0", RIG_MAPPED, WARD_DMA_MEMORY, NULL);
	rig_free(&rig);
	return ward_sid_raw(rig.seen.sid);
}

static void ids_of_bridges(void **unused)
{
	(void)unused;
	assert_int_equal(id_behind(WARD_PCIE_TO_PCI, 0x1234, 0x1111), 0x200);
	assert_int_equal(id_behind(WARD_PCI_TO_PCIE, 0x1234, 0x1111), 0x100);
	assert_int_equal(id_behind(WARD_PCIE_NONE, 0x1234, 0x1111), 0x100);
	/* Passes ids on; behaves as a PCIe-to-PCI bridge without saying so. */
	assert_int_equal(id_behind(WARD_PCIE_TO_PCI, 0x1a03, 0x1150), 0x210);
	assert_int_equal(id_behind(WARD_PCIE_NONE, 0x1b21, 0x1080), 0x200);
	assert_int_equal(id_behind(WARD_PCIE_NONE, 0x1b21, 0x1081), 0x100);
}

/* Behind such a bridge nothing changes ids any more, and nothing routes. */
static void translation_root(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct ward_function *top;

	(void)unused;
	top = rig_port(&rig, "00:01.0", WARD_PCI_TO_PCIE, 1, 2);
	rig_port(&rig, "01:00.0", WARD_PCIE_ROOT_PORT, 2, 2)->vendor = 0x14e4;
	rig.functions[1].device = 0x9084;
	rig_card(&rig, "02:00.0", BAR_A);
	assert_int_equal(top->pcie_type, WARD_PCI_TO_PCIE);
	rig_done(&rig);
	rig_expect(&rig, "02:00.0", RIG_MAPPED, WARD_DMA_MEMORY, NULL);
	assert_int_equal(ward_sid_raw(rig.seen.sid), 0x200);
	rig_expect(&rig, "01:00.0", RIG_MAPPED, WARD_DMA_MEMORY, NULL);
	assert_int_equal(ward_sid_raw(rig.seen.sid), 0x8);
	rig_free(&rig);
}

/* Windows that are known count; where none is, they are those of the BARs below. */
static void windows(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct ward_function *port;

	(void)unused;
	make_switch(&rig, RIG_ISOLATES, ~0u);
	port = &rig.functions[3];
	port->bridge.memory = (struct ward_range){ 0x20000000, 0x200fffff };
	/* BAR_B is not in the window: moved away, nobody gets there. */
	rig_done(&rig);
	rig_expect(&rig, "03:00.0", BAR_B, WARD_DMA_NOWHERE, NULL);
	rig_expect(&rig, "03:00.0", 0x20000000, WARD_DMA_NOWHERE, NULL);
	rig_free(&rig);

	/* BARs below and above 4 GiB do not make one window with all memory in it. */
	rig = (struct rig){ .arch = WARD_ARCH_ARM64 };
	rig_port(&rig, "00:01.0", WARD_PCIE_ROOT_PORT, 1, 1);
	rig_card(&rig, "01:00.0", 0x10000000)->bar[2].range =
		(struct ward_range){ 0x8000000000, 0x8000000fff };
	rig_done(&rig);
	rig_expect(&rig, "01:00.0", RIG_MAPPED, WARD_DMA_MEMORY, NULL);
	ward_emul_set_iommu(rig.emul, 0, NULL, NULL);
	rig_expect(&rig, "00:01.0", 0x8000000010, WARD_DMA_BAR, "01:00.0");
	rig_free(&rig);
}

/* On x86 ids that no function has belong to the IOMMU of the bridge, or of all of the segment. */
static void ids_without_map(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_X86 };
	uint32_t iommu;
	ward_sid_t sid;

	(void)unused;
	make_bridge(&rig, WARD_PCIE_TO_PCI);
	rig_card(&rig, "00:1f.0", 0)->stream.iommu = WARD_NONE;
	rig_done(&rig);
	assert_true(ward_emul_stream(rig.emul, 0, ward_rid(0x200), &iommu, &sid));
	assert_int_equal(ward_sid_raw(sid), 0x200);
	assert_true(ward_emul_stream(rig.emul, 0, ward_rid(0x7700), &iommu, &sid));
	assert_false(ward_emul_stream(rig.emul, 0, ward_rid(0xf8), &iommu, &sid));
	assert_false(ward_emul_stream(rig.emul, 4, ward_rid(0x7700), &iommu, &sid));
	rig_free(&rig);
}

static void platform_devices(void **unused)
{
	struct rig rig = { .arch = WARD_ARCH_ARM64 };
	struct ward_function *f = rig_card(&rig, "00:00.0", 0);
	const struct ward_dma dma = {
		.address = ward_iova(RIG_MAPPED), .pasid = WARD_PASID_NONE, .write = true, .size = 4
	};

	(void)unused;
	f->kind = WARD_FUNCTION_PLATFORM;
	f->name = "dma-controller";
	f->stream.sid = ward_sid(0x77);
	rig_done(&rig);
	assert_int_equal(ward_emul_dma(rig.emul, 0, &dma, &rig.result), 0);
	assert_int_equal(rig.result.end, WARD_DMA_MEMORY);
	assert_int_equal(ward_sid_raw(rig.seen.sid), 0x77);
	rig_free(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(multifunction),
		cmocka_unit_test(egress_of_functions),
		cmocka_unit_test(devices),
		cmocka_unit_test(switches),
		cmocka_unit_test(egress_of_ports),
		cmocka_unit_test(translated_in_a_switch),
		cmocka_unit_test(registers_of_ports),
		cmocka_unit_test(forged_ids),
		cmocka_unit_test(root_bus),
		cmocka_unit_test(root_ports),
		cmocka_unit_test(quirks),
		cmocka_unit_test(conventional_buses),
		cmocka_unit_test(ids_of_bridges),
		cmocka_unit_test(translation_root),
		cmocka_unit_test(windows),
		cmocka_unit_test(ids_without_map),
		cmocka_unit_test(platform_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The machines of test_findings.c, one for each way to come by a finding. mended: as the machine is
 * once a remedy was followed that needs it built anew.
 */
#ifndef TESTS_ISOLATE_FINDING_MACHINES_H
#define TESTS_ISOLATE_FINDING_MACHINES_H

#include "isolate/make.h"

static inline void port_and_card(struct make *m)
{
	root_port(m, "00:1c.0", 1, ACS_ON);
	endpoint(m, "01:00.0");
}

static inline void plain(struct make *m, bool mended)
{
	(void)mended;
	make_x86(m);
	port_and_card(m);
}

static inline void two_functions(struct make *m, enum make_acs acs)
{
	make_x86(m);
	root_port(m, "00:1c.0", 1, ACS_ON);
	function(m, "01:00.0", WARD_PCIE_ENDPOINT, acs);
	function(m, "01:00.1", WARD_PCIE_ENDPOINT, acs);
}

static inline void a_switch(struct make *m, enum make_acs acs)
{
	make_x86(m);
	root_port_to(m, "00:1c.0", 1, 4, ACS_ON);
	upstream(m, "01:00.0", 2, 4);
	downstream(m, "02:00.0", 3, acs);
	downstream(m, "02:01.0", 4, ACS_ON);
	endpoint(m, "03:00.0");
	endpoint(m, "04:00.0");
}

static inline void owned_by_other(struct make *m, bool mended)
{
	plain(m, mended);
	if (!mended)
		owned(m, "01:00.0", "a");
}

static inline void untranslated(struct make *m, bool mended)
{
	plain(m, mended);
	m->functions[1].stream.iommu = WARD_NONE;
}

static inline void untranslated_undescribed(struct make *m, bool mended)
{
	untranslated(m, mended);
	m->firmware_iommu = WARD_NO;
}

static inline void iommu_not_used(struct make *m, bool mended)
{
	plain(m, mended);
	m->iommus[0].active = WARD_NO;
}

static inline void untranslated_arm(struct make *m, bool mended)
{
	(void)mended;
	make_arm_its(m);
	port_and_card(m);
	m->functions[1].stream.iommu = WARD_NONE;
}

static inline void in_identity(struct make *m, bool mended)
{
	plain(m, mended);
	in_space(m, "01:00.0", WARD_SPACE_IDENTITY);
}

static inline void identity_peer(struct make *m, bool mended)
{
	a_switch(m, mended ? ACS_ON : ACS_OFF);
	in_space(m, "04:00.0", WARD_SPACE_IDENTITY);
}

static inline void identity_peer_unread(struct make *m, bool mended)
{
	a_switch(m, mended ? ACS_ON : ACS_UNKNOWN);
	in_space(m, "04:00.0", WARD_SPACE_IDENTITY);
}

static inline void registers_mapped(struct make *m, bool mended)
{
	a_switch(m, ACS_ON);
	bound(m, "04:00.0", "nvme");
	if (!mended)
		in_space_with(m, "03:00.0", "04:00.0");
}

/* One that is nobody's is in a space with the registers of one that is somebody's. */
static inline void registers_mapped_for_peer(struct make *m, bool mended)
{
	a_switch(m, mended ? ACS_ON : ACS_OFF);
	root_port(m, "00:1d.0", 5, ACS_ON);
	endpoint(m, "05:00.0");
	bound(m, "05:00.0", "nvme");
	in_space_with(m, "04:00.0", "05:00.0");
}

static inline void untranslated_peer(struct make *m, bool mended)
{
	a_switch(m, mended ? ACS_ON : ACS_OFF);
	m->functions[5].stream.iommu = WARD_NONE;
}

static inline void untranslated_peer_moved(struct make *m, bool mended)
{
	a_switch(m, mended ? ACS_ON : NO_ACS);
	m->functions[5].stream.iommu = WARD_NONE;
}

static inline void iommu_unread(struct make *m, bool mended)
{
	plain(m, mended);
	m->functions[1].iommu_known = mended ? WARD_YES : WARD_UNKNOWN;
	m->functions[1].stream.iommu = mended ? 0 : WARD_NONE;
}

static inline void iommu_of_peer_unread(struct make *m, bool mended)
{
	a_switch(m, NO_ACS);
	m->functions[5].iommu_known = mended ? WARD_YES : WARD_UNKNOWN;
	m->functions[5].stream.iommu = mended ? 0 : WARD_NONE;
}

/* Two devices behind one bridge; the kernel made a group for one of them. */
static inline void stream_maybe_in_use(struct make *m, bool mended)
{
	make_arm_its(m);
	root_port(m, "00:1c.0", 1, ACS_ON);
	pcie_to_pci(m, "01:00.0", 2);
	conventional(m, "02:01.0");
	conventional(m, "02:02.0");
	kernel_group(m, 1, "01:00.0", "02:02.0");
	if (mended)
		kernel_group(m, 2, "02:01.0", NULL);
}

static inline void stream_in_use(struct make *m, bool mended)
{
	stream_maybe_in_use(m, mended);
	bound(m, "02:01.0", "e1000");
}

static inline void pf_with_vfs(struct make *m, bool mended)
{
	plain(m, mended);
	m->functions[1].vfs_total = 4;
	m->functions[1].vfs_enabled = mended ? 0 : 2;
}

static inline void driven_pf_with_vfs(struct make *m, bool mended)
{
	pf_with_vfs(m, mended);
	bound(m, "01:00.0", "nvme");
}

static inline void with_rmrr(struct make *m, bool mended)
{
	plain(m, mended);
	if (!mended)
		region(m, "01:00.0", WARD_REGION_DIRECT);
}

static inline void with_relaxable(struct make *m, bool mended)
{
	plain(m, mended);
	region(m, "01:00.0", WARD_REGION_DIRECT_RELAXABLE);
}

static inline void sibling_bound(struct make *m, bool mended)
{
	(void)mended;
	two_functions(m, NO_ACS);
	bound(m, "01:00.1", "nvme");
}

static inline void sibling_owned(struct make *m, bool mended)
{
	(void)mended;
	two_functions(m, NO_ACS);
	owned(m, "01:00.1", "a");
}

static inline void ids_shared(struct make *m, bool mended)
{
	(void)mended;
	two_functions(m, ACS_ON);
	m->functions[1].vendor = 0x1b4b;
	m->functions[1].device = 0x9123;
	bound(m, "01:00.1", "ahci");
}

static inline void switch_off(struct make *m, bool mended)
{
	(void)mended;
	a_switch(m, ACS_OFF);
	bound(m, "04:00.0", "nvme");
}

static inline void switch_without(struct make *m, bool mended)
{
	a_switch(m, mended ? ACS_ON : NO_ACS);
	bound(m, "04:00.0", "nvme");
}

static inline void switch_never(struct make *m, bool mended)
{
	a_switch(m, ACS_OFF);
	/* A device known never to isolate: its registers can say what they like. */
	if (!mended) {
		m->functions[2].vendor = 0x1d17;
		m->functions[2].device = 0x0001;
	} else {
		make_set_acs(&m->functions[2], ACS_ON);
	}
	bound(m, "04:00.0", "nvme");
}

static inline void switch_egress(struct make *m, bool mended)
{
	(void)mended;
	a_switch(m, ACS_ON);
	m->functions[2].acs.capability |= WARD_ACS_EC;
	m->functions[2].acs.control |= WARD_ACS_EC;
	bound(m, "04:00.0", "nvme");
}

static inline void upstream_registers(struct make *m, bool mended)
{
	(void)mended;
	a_switch(m, ACS_OFF);
	m->functions[1].bar[0].range = (struct ward_range){ 0x40000000, 0x40000fff };
}

static inline void sibling_root_ports(struct make *m, bool mended)
{
	(void)mended;
	make_x86(m);
	root_port(m, "00:1c.0", 1, ACS_OFF);
	root_port(m, "00:1c.1", 2, ACS_ON);
	endpoint(m, "01:00.0");
	endpoint(m, "02:00.0");
	bound(m, "02:00.0", "nvme");
}

static inline void peer_of_other(struct make *m, bool mended)
{
	(void)mended;
	a_switch(m, ACS_OFF);
	owned(m, "04:00.0", "a");
}

static inline void pf_and_vf(struct make *m, bool mended)
{
	plain(m, mended);
	vf(m, "01:10.0", "01:00.0");
	bound(m, "01:10.0", "iavf");
}

static inline void nvidia(struct make *m, bool mended)
{
	(void)mended;
	two_functions(m, ACS_ON);
	m->functions[1].vendor = 0x10de;
	m->functions[1].device = 0x0a30;
	m->functions[1].class_code = 0x030000;
	bound(m, "01:00.1", "snd_hda_intel");
}

static inline void reached(struct make *m, bool mended)
{
	(void)mended;
	a_switch(m, NO_ACS);
	owned(m, "03:00.0", "a");
}

static inline void maybe_reached(struct make *m, bool mended)
{
	(void)mended;
	a_switch(m, ACS_UNKNOWN);
	owned(m, "03:00.0", "a");
}

static inline void acs_unread(struct make *m, bool mended)
{
	a_switch(m, mended ? ACS_ON : ACS_UNKNOWN);
	bound(m, "04:00.0", "nvme");
}

static inline void acs_asleep(struct make *m, bool mended)
{
	acs_unread(m, mended);
	m->functions[2].asleep = !mended;
}

static inline void acs_of_chipset(struct make *m, bool mended)
{
	(void)mended;
	make_x86(m);
	root_port(m, "00:1c.0", 1, NO_ACS)->vendor = 0x8086;
	m->functions[0].device = 0x8c10;
	root_port(m, "00:1c.1", 2, NO_ACS);
	endpoint(m, "01:00.0");
	endpoint(m, "02:00.0");
	bound(m, "02:00.0", "nvme");
}

static inline void bridge_unread(struct make *m, bool mended)
{
	make_x86(m);
	root_port_to(m, "00:1c.0", 1, 2, ACS_ON);
	if (mended)
		upstream(m, "01:00.0", 2, 2);
	else
		unreadable(upstream(m, "01:00.0", 2, 2));
	downstream(m, "02:00.0", 3, ACS_ON);
	downstream(m, "02:01.0", 4, ACS_ON);
	m->functions[1].bridge.subordinate = 4;
	m->functions[0].bridge.subordinate = 4;
	endpoint(m, "03:00.0");
	endpoint(m, "04:00.0");
	bound(m, "04:00.0", "nvme");
}

static inline void with_apic(struct make *m, bool mended)
{
	(void)mended;
	make_x86_apic(m);
	port_and_card(m);
}

static inline void with_mbi(struct make *m, bool mended)
{
	(void)mended;
	make_arm_v2m(m, 4096, 1);
	m->controllers[0].kind = WARD_CONTROLLER_GICV3_MBI;
	port_and_card(m);
}

static inline void with_frame(struct make *m, bool mended)
{
	(void)mended;
	make_arm_v2m(m, 4096, 1);
	port_and_card(m);
	root_port(m, "00:1d.0", 2, ACS_ON);
	endpoint(m, "02:00.0");
	bound(m, "02:00.0", "nvme");
}

static inline void frame_and_port(struct make *m, bool mended)
{
	(void)mended;
	make_arm_v2m(m, 4096, 1);
	port_and_card(m);
	bound(m, "00:1c.0", "pcieport");
	m->functions[0].intx_pin = 0;
}

static inline void frame_and_vf(struct make *m, bool mended)
{
	with_frame(m, mended);
	m->driver[3] = NULL;
	vf(m, "02:00.1", "02:00.0");
	bound(m, "02:00.1", "iavf");
}

static inline void frame_and_pinless(struct make *m, bool mended)
{
	with_frame(m, mended);
	m->functions[3].intx_pin = 0;
}

static inline void frame_and_client(struct make *m, bool mended)
{
	with_frame(m, mended);
	m->driver[3] = NULL;
	owned(m, "02:00.0", "a");
}

static inline void frame_and_iommu(struct make *m, bool mended)
{
	(void)mended;
	make_arm_v2m(m, 4096, 1);
	m->iommus[0].controller = 0;
	port_and_card(m);
}

static inline void frame_and_platform(struct make *m, bool mended)
{
	(void)mended;
	make_arm_v2m(m, 4096, 1);
	port_and_card(m);
	platform(m, "a9000000.dma");
	bound(m, "a9000000.dma", "pl330");
}

static inline void one_devid(struct make *m, bool mended)
{
	(void)mended;
	make_arm_its(m);
	port_and_card(m);
	root_port(m, "00:1d.0", 2, ACS_ON);
	endpoint(m, "02:00.0")->devid = m->functions[1].devid;
	bound(m, "02:00.0", "nvme");
}

static inline void source_check(struct make *m, bool mended)
{
	(void)mended;
	two_functions(m, ACS_ON);
	m->functions[2].vendor = 0x1b4b;
	m->functions[2].device = 0x9123;
	ward_address_parse("01:00.2", &m->functions[2].address);
	bound(m, "01:00.2", "ahci");
}

static inline void controller_unread(struct make *m, bool mended)
{
	(void)mended;
	make_arm_its(m);
	port_and_card(m);
	if (!mended) {
		m->functions[1].controller_known = WARD_UNKNOWN;
		m->functions[1].controller = WARD_NONE;
	}
}

static inline void frame_unknown(struct make *m, bool mended)
{
	with_frame(m, mended);
	m->controllers[0].isolates = WARD_UNKNOWN;
}

static inline void frame_and_iommu_unknown(struct make *m, bool mended)
{
	frame_and_iommu(m, mended);
	m->controllers[0].isolates = WARD_UNKNOWN;
}

static inline void ats_on(struct make *m, bool mended)
{
	plain(m, mended);
	m->functions[1].ats = WARD_YES;
	m->functions[1].ats_enabled = true;
}

static inline void ats_unread(struct make *m, bool mended)
{
	plain(m, mended);
	m->functions[1].ats = mended ? WARD_NO : WARD_UNKNOWN;
}

static inline void ats_of_peer(struct make *m, bool mended)
{
	a_switch(m, mended ? ACS_ON : NO_ACS);
	m->functions[5].ats = WARD_YES;
	m->functions[5].ats_enabled = true;
}

static inline void frame_alone(struct make *m, bool mended)
{
	(void)mended;
	make_arm_v2m(m, 4096, 1);
	port_and_card(m);
}

static inline void remark(struct make *m, bool mended, const char *code)
{
	plain(m, mended);
	m->remark = mended ? NULL : code;
}

#define REMARK(name, code)                                   \
	static inline void name(struct make *m, bool mended) \
	{                                                    \
		remark(m, mended, code);                     \
	}

REMARK(table_broken, "table-broken")
REMARK(table_unreadable, "table-unreadable")
REMARK(table_unsupported, "table-unsupported")
REMARK(iommu_contradiction, "iommu-contradiction")
REMARK(config_unreadable, "config-unreadable")
REMARK(config_broken, "config-broken")
REMARK(tree_incomplete, "tree-incomplete")

static inline void bus_reset(struct make *m, bool mended)
{
	(void)mended;
	two_functions(m, ACS_ON);
	m->functions[1].resets = 0;
	bound(m, "01:00.1", "nvme");
}

static inline void bus_reset_below(struct make *m, bool mended)
{
	(void)mended;
	make_x86(m);
	root_port_to(m, "00:1c.0", 1, 3, ACS_ON);
	upstream(m, "01:00.0", 2, 3);
	endpoint(m, "02:00.0")->resets = 0;
	downstream(m, "02:01.0", 3, ACS_ON);
	endpoint(m, "03:00.0");
	bound(m, "03:00.0", "nvme");
}

static inline void no_reset(struct make *m, bool mended)
{
	make_x86(m);
	integrated(m, "00:02.0")->resets = mended ? WARD_RESET_FLR : 0;
}

static inline void shared_line(struct make *m, bool mended)
{
	plain(m, mended);
	root_port(m, "00:1d.0", 2, ACS_ON);
	endpoint(m, "02:00.0");
	bound(m, "02:00.0", "ehci-pci");
}

static inline void on_one_line(struct make *m)
{
	for (uint32_t i = 0; i < m->machine->functions_count; i++)
		m->state->functions[i].intx_irq = 16;
	m->state->functions[at(m, "02:00.0")].irq_mode = WARD_IRQ_INTX;
}

static inline void not_there(struct make *m)
{
	m->state->functions[at(m, "01:00.0")].absent = true;
}

static inline void page_requests(struct make *m, bool mended)
{
	plain(m, mended);
	m->functions[1].pri = WARD_YES;
	m->functions[1].pri_enabled = true;
}

static inline void peer_unowned(struct make *m, bool mended)
{
	(void)mended;
	a_switch(m, NO_ACS);
}

static inline void own_driver(struct make *m, bool mended)
{
	plain(m, mended);
	bound(m, "01:00.0", "nvme");
}

static inline void with_rom(struct make *m, bool mended)
{
	plain(m, mended);
	m->functions[1].bar[6].range = (struct ward_range){ 0x50000000, 0x5000ffff };
}

#endif

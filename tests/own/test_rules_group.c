// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * What the hardware cannot tell or keep apart: viability of groups, requester ids that several share, PFs
 * and their VFs, and what a group is called by.
 */
#include "own/rules.h"

/* One card with two functions and no ACS: one group. */
static void two_functions(struct own *t)
{
	memset(t, 0, sizeof(*t));
	make_x86(&t->m);
	root_port(&t->m, "00:1c.0", 1, ACS_ON);
	endpoint(&t->m, "01:00.0");
	endpoint(&t->m, "01:00.1");
}

static void viability(void **unused)
{
	struct own t;

	(void)unused;
	two_functions(&t);
	bound(&t.m, "01:00.1", "snd_hda_intel");
	bound(&t.m, "00:1c.0", "pcieport");
	own_begin(&t, NULL, "a b");
	/* Linux says so, and reach says why. */
	refused(&t, claim(&t, "a", "01:00.0"), "driver-bound", "");
	assert_blocker(&t, "driver-bound", "01:00.1");
	assert_witness(&t, "peer-dma", "01:00.0 > slot of 01:00.0 > 01:00.1");
	/* Not bound to anything is good enough, and so is vfio-pci. */
	assert_allowed(&t, event(&t, WARD_EVENT_UNBIND, "01:00.1"));
	assert_allowed(&t, claim(&t, "a", "01:00.0"));
	assert_allowed(&t, bind_to(&t, "vfio-pci", "01:00.1", false));
	/* All of it belongs to one. */
	assert_allowed(&t, event(&t, WARD_EVENT_RESET, "01:00.1"));
	refused(&t, claim(&t, "b", "01:00.1"), "group-split", "");
	assert_blocker(&t, "group-split", "01:00.0");
	assert_witness(&t, "peer-dma", "01:00.1 > slot of 01:00.0 > 01:00.0");
	assert_witness(&t, "reached-by-other", "01:00.0 > slot of 01:00.0 > 01:00.1");
	assert_allowed(&t, claim(&t, "a", "01:00.1"));
	own_end(&t);
}

static void bound_while_leased(void **unused)
{
	struct own t;

	(void)unused;
	two_functions(&t);
	own_begin(&t, NULL, "a b");
	assert_allowed(&t, claim(&t, "a", "01:00.0"));
	refused(&t, bind_to(&t, "snd_hda_intel", "01:00.1", false), "driver-bound", "");
	assert_blocker(&t, "driver-bound", "01:00.1");
	unsettled(&t, bind_to(&t, "snd_hda_intel", "01:00.1", true), "driver-bound", "");
	assert_witness(&t, "peer-dma", "01:00.0 > slot of 01:00.0 > 01:00.1");
	assert_int_equal(contain(&t), 1);
	assert_exposure(&t, 2, 3, WARD_EVENT_QUARANTINE);
	own_end(&t);
}

/* A port above that does not isolate is of the group; its driver is excused, another one's is not. */
static void drivers_that_are_excused(void **unused)
{
	static const char *const drivers[] = { "pcieport", "shpchp" };

	(void)unused;
	for (unsigned int i = 0; i < 2; i++) {
		struct own t = { 0 };

		make_x86(&t.m);
		root_port(&t.m, "00:1c.0", 1, NO_ACS);
		endpoint(&t.m, "01:00.0");
		bound(&t.m, "00:1c.0", drivers[i]);
		own_begin(&t, NULL, "a");
		if (i == 0) {
			assert_allowed(&t, claim(&t, "a", "01:00.0"));
		} else {
			refused(&t, claim(&t, "a", "01:00.0"), "driver-bound", "");
			assert_blocker(&t, "driver-bound", "00:1c.0");
		}
		own_end(&t);
	}
}

/* Three cards behind a bridge to conventional PCI, on a bus of this number. */
static void behind_a_bridge(struct own *t, unsigned int bus)
{
	static char names[4][16];

	memset(t, 0, sizeof(*t));
	make_x86(&t->m);
	root_port_to(&t->m, "00:1c.0", bus, bus + 1, ACS_ON);
	snprintf(names[0], sizeof(names[0]), "%02x:00.0", bus);
	pcie_to_pci(&t->m, names[0], bus + 1);
	for (unsigned int i = 1; i < 4; i++) {
		snprintf(names[i], sizeof(names[i]), "%02x:%02x.0", bus + 1, i);
		conventional(&t->m, names[i]);
	}
}

static void one_requester_id(void **unused)
{
	struct own t;

	(void)unused;
	behind_a_bridge(&t, 1);
	bound(&t.m, "02:03.0", "e100");
	own_begin(&t, NULL, "a b");
	refused(&t, claim(&t, "a", "02:01.0"), "driver-bound", "");
	assert_blocker(&t, "driver-bound", "02:03.0");
	assert_witness(&t, "peer-dma", "02:01.0 > bus 02 > 02:03.0");
	assert_allowed(&t, event(&t, WARD_EVENT_UNBIND, "02:03.0"));
	assert_allowed(&t, claim(&t, "a", "02:01.0"));
	refused(&t, claim(&t, "b", "02:02.0"), "group-split", "");
	assert_witness(&t, "peer-dma", "02:02.0 > bus 02 > 02:01.0");
	refused(&t, bind_to(&t, "e100", "02:03.0", false), "driver-bound", "");
	/* One id is one space: the second is put where the first is, or nowhere. */
	assert_allowed(&t, claim(&t, "a", "02:02.0"));
	assert_allowed(&t, attach(&t, "02:01.0", 1));
	assert_int_equal(ward_ownership_container(t.o, at(&t.m, "02:02.0")), 1);
	refused(&t, attach(&t, "02:02.0", 2), "one-space", "");
	assert_allowed(&t, event(&t, WARD_EVENT_DETACH, "02:01.0"));
	assert_int_equal(ward_ownership_container(t.o, at(&t.m, "02:02.0")), WARD_NONE);
	assert_allowed(&t, attach(&t, "02:02.0", 2));
	assert_int_equal(ward_ownership_container(t.o, at(&t.m, "02:01.0")), 2);
	own_end(&t);
}

/* The id alone is enough: two functions of one card that use the id of a third, with ACS between. */
static void one_requester_id_of_a_device(void **unused)
{
	struct own t = { 0 };

	(void)unused;
	make_x86(&t.m);
	root_port(&t.m, "00:1c.0", 1, ACS_ON);
	function(&t.m, "01:00.0", WARD_PCIE_ENDPOINT, ACS_ON)->vendor = 0x1b4b;
	function(&t.m, "01:00.1", WARD_PCIE_ENDPOINT, ACS_ON);
	/* Marvell 88SE9123: uses the id of function 1, too. */
	t.m.functions[1].device = 0x9123;
	own_begin(&t, NULL, "a b");
	assert_allowed(&t, claim(&t, "a", "01:00.0"));
	refused(&t, claim(&t, "b", "01:00.1"), "group-split", "");
	assert_witness(&t, "requester-alias", "01:00.1 > id of 01:00.1 > 01:00.0");
	refused(&t, bind_to(&t, "ahci", "01:00.1", false), "requester-alias",
		"01:00.0 > id of 01:00.1 > 01:00.1");
	assert_allowed(&t, claim(&t, "a", "01:00.1"));
	assert_allowed(&t, attach(&t, "01:00.0", 7));
	refused(&t, attach(&t, "01:00.1", 8), "one-space", "");
	own_end(&t);
}

/* Segment and shared id give the number, which changes with the buses; the way does not. */
static void number_and_identity(void **unused)
{
	char before[WARD_PATH_TEXT], after[WARD_PATH_TEXT], text[WARD_ADDRESS_TEXT];
	struct ward_address id;
	struct own t;

	(void)unused;
	behind_a_bridge(&t, 1);
	own_begin(&t, NULL, "a");
	for (unsigned int i = 1; i < 4; i++) {
		assert_int_equal(ward_group_id(ward_ownership_isolation(t.o),
					       at(&t.m, i == 1 ? "02:01.0" : "02:02.0"), &id),
				 0);
		ward_address_format(id, text);
		assert_string_equal(text, "0000:02:00.0");
	}
	assert_int_equal(ward_machine_path(t.m.machine, at(&t.m, "02:02.0"), before,
					   sizeof(before)),
			 0);
	own_end(&t);
	behind_a_bridge(&t, 0x40);
	own_begin(&t, NULL, "a");
	assert_int_equal(ward_group_id(ward_ownership_isolation(t.o), at(&t.m, "41:02.0"), &id), 0);
	ward_address_format(id, text);
	assert_string_equal(text, "0000:41:00.0");
	assert_int_equal(ward_machine_path(t.m.machine, at(&t.m, "41:02.0"), after, sizeof(after)),
			 0);
	assert_string_equal(before, "0000:00/1c.0/00.0/02.0");
	assert_string_equal(after, before);
	own_end(&t);
}

/* A PF, and VFs of it that come and go. */
static void a_pf(struct own *t, const char *driver)
{
	memset(t, 0, sizeof(*t));
	make_arm_its(&t->m);
	root_port(&t->m, "00:01.0", 1, ACS_ON);
	endpoint(&t->m, "01:00.0")->vfs_enabled = 2;
	vf(&t->m, "01:10.0", "01:00.0");
	vf(&t->m, "01:10.2", "01:00.0");
	if (driver)
		bound(&t->m, "01:00.0", driver);
	own_begin(t, NULL, "a b");
}

/* The host keeps the PF and gives the VFs away: the host is trusted. */
static void pf_of_the_host(void **unused)
{
	struct own t;

	(void)unused;
	a_pf(&t, "igb");
	assert_allowed(&t, claim(&t, "a", "01:10.0"));
	assert_allowed(&t, claim(&t, "b", "01:10.2"));
	/* The VFs stay while somebody has one of them. */
	refused(&t, event(&t, WARD_EVENT_VFS_OFF, "01:00.0"), "already-owned", "");
	/* Without its driver it is nobody's, and refused as long as its VFs are there. */
	assert_allowed(&t, event(&t, WARD_EVENT_UNBIND, "01:00.0"));
	assert_allowed(&t, event(&t, WARD_EVENT_RESET, "01:10.0 01:10.2"));
	own_end(&t);
}

static void pf_is_refused_for_its_vfs(void **unused)
{
	struct own t;

	(void)unused;
	a_pf(&t, NULL);
	refused(&t, claim(&t, "a", "01:00.0"), "vfs-enabled", "");
	assert_allowed(&t, event(&t, WARD_EVENT_VFS_OFF, "01:00.0"));
	assert_allowed(&t, claim(&t, "a", "01:00.0"));
	/* They come all the same, and a driver of the host's takes them: the PF's client has them. */
	unsettled(&t, vfs_on(&t, "01:00.0", "igbvf", true), "pf-controls-vf", "01:00.0 > 01:10.0");
	assert_true(contain(&t) >= 1);
	assert_int_equal(own_at(&t, "01:10.0")->owner.kind, WARD_OWNER_NOBODY);
	own_end(&t);
}

/* Client a has the PF, b is to get a VF. */
static void pf_and_vf_of_two(void **unused)
{
	struct own t;

	(void)unused;
	a_pf(&t, "vfio-pci");
	assert_allowed(&t, event(&t, WARD_EVENT_VFS_OFF, "01:00.0"));
	assert_allowed(&t, claim(&t, "a", "01:00.0"));
	refused(&t, vfs_on(&t, "01:00.0", NULL, false), "already-owned", "");
	assert_recorded(&t, vfs_on(&t, "01:00.0", NULL, true));
	refused(&t, claim(&t, "b", "01:10.0"), "reached-by-other", "01:00.0 > 01:10.0");
	assert_allowed(&t, claim(&t, "a", "01:10.0"));
	own_end(&t);
	/* The other way: b has a VF through the PF's driver that stands aside. */
	a_pf(&t, "vfio-pci");
	assert_allowed(&t, claim(&t, "b", "01:10.0"));
	refused(&t, claim(&t, "a", "01:00.0"), "pf-controls-vf", "01:00.0 > 01:10.0");
	own_end(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(viability),
		cmocka_unit_test(bound_while_leased),
		cmocka_unit_test(drivers_that_are_excused),
		cmocka_unit_test(one_requester_id),
		cmocka_unit_test(one_requester_id_of_a_device),
		cmocka_unit_test(number_and_identity),
		cmocka_unit_test(pf_of_the_host),
		cmocka_unit_test(pf_is_refused_for_its_vfs),
		cmocka_unit_test(pf_and_vf_of_two),
	};

	return cmocka_run_group_tests_name("own/rules-group", tests, NULL, NULL);
}

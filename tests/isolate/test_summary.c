// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Judging all functions in one pass says what judging each alone says: tried on small machines made
 * at random from numbered seeds.
 */
#include "isolate/make.h"

#define MACHINES 3000

static uint64_t random_state;

/* xorshift64* (Marsaglia 2003, Vigna 2016). */
static uint32_t draw(uint32_t below)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 0x2545f4914f6cdd1dull) >> 33) % below;
}

static bool chance(uint32_t of)
{
	return draw(of) == 0;
}

static enum make_acs draw_acs(void)
{
	static const enum make_acs kinds[] = {
		NO_ACS, ACS_ON, ACS_ON, ACS_ON, ACS_OFF, ACS_UNKNOWN
	};

	return kinds[draw(6)];
}

static void draw_base(struct make *m)
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
static void draw_function(struct make *m, struct ward_function *f)
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

static const char *name_next(struct make *m, unsigned int bus, unsigned int devfn)
{
	snprintf(m->name[m->count], sizeof(m->name[0]), "%02x:%02x.%u", bus, devfn >> 3, devfn & 7);
	return m->name[m->count];
}

/* Endpoints on a bus: one to three slots, some of several functions, some VFs. */
static void draw_endpoints(struct make *m, unsigned int bus, bool conventional_bus)
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

static void draw_port(struct make *m, struct ward_function *f)
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
static unsigned int draw_below(struct make *m, unsigned int bus)
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
static void draw_mappings(struct make *m)
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
static void draw_groups(struct make *m)
{
	m->groups_count = chance(3) ? 1 + draw(3) : 0;
	for (uint32_t g = 0; g < m->groups_count; g++) {
		m->groups[g].number = g;
		m->groups[g].type = chance(2) ? WARD_GROUP_IDENTITY : WARD_GROUP_DMA;
	}
	for (uint32_t i = 0; i < m->count && m->groups_count; i++)
		m->functions[i].group = chance(8) ? WARD_NONE : draw(m->groups_count);
}

static void draw_machine(struct make *m, uint64_t seed)
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

/* Codes that differ only in how the same function is got at. */
static int family_of(const char *code)
{
	static const char *const families[][7] = {
		{ "peer-dma", "requester-alias", "pf-controls-vf", "backdoor", NULL },
		{ "msi-frame-shared", "msi-id-shared", "msi-not-isolated", NULL },
		{ "driver-bound", "group-split", NULL },
		{ "acs-unknown", "iommu-unknown", "msi-unknown", "reached-by-other", "ats-trusted",
		  "table-broken", NULL },
	};

	for (int i = 0; i < 4; i++) {
		for (int k = 0; families[i][k]; k++) {
			if (strcmp(families[i][k], code) == 0)
				return i;
		}
	}
	return -1;
}

/* The code is that of a finding of the greatest weight, or of its family. */
static bool code_agrees(const struct ward_verdict *verdict, const char *code)
{
	if (!code)
		return verdict->answer == WARD_SAFE;
	for (uint32_t i = 0; i < verdict->findings_count; i++) {
		const struct ward_finding *f = &verdict->findings[i];

		if (f->weight != verdict->findings[0].weight)
			break;
		if (strcmp(f->code, code) == 0 ||
		    (family_of(code) >= 0 && family_of(code) == family_of(f->code)))
			return true;
	}
	return false;
}

static void compare(struct make *m, enum ward_policy policy, uint64_t seed)
{
	struct ward_summary *all;

	assert_int_equal(ward_check_all(m->isolation, m->state, policy, &all), 0);
	for (uint32_t i = 0; i < m->machine->functions_count; i++) {
		const struct ward_verdict *one =
			judged(m, policy, NULL, m->machine->functions[i].name);

		if (one->answer == all[i].answer && one->grade == all[i].grade &&
		    code_agrees(one, all[i].code))
			continue;
		print_verdict(one);
		fail_msg("seed %llu, policy %d, %s: in one pass %s, %s, %s",
			 (unsigned long long)seed, (int)policy, m->machine->functions[i].name,
			 ward_answer_name(all[i].answer), ward_grade_name(all[i].grade),
			 all[i].code ? all[i].code : "no code");
	}
	free(all);
}

static void one_pass_is_as_good(void **unused)
{
	uint32_t answers[3] = { 0 }, grades[7] = { 0 };
	static struct make m;

	(void)unused;
	for (uint64_t seed = 1; seed <= MACHINES; seed++) {
		struct ward_summary *all;

		random_state = seed;
		draw_machine(&m, seed);
		make_done(&m);
		compare(&m, WARD_POLICY_STRICT, seed);
		compare(&m, WARD_POLICY_LINUX, seed);
		assert_int_equal(ward_check_all(m.isolation, m.state, WARD_POLICY_STRICT, &all), 0);
		for (uint32_t i = 0; i < m.machine->functions_count; i++) {
			answers[all[i].answer]++;
			grades[all[i].grade]++;
		}
		free(all);
		make_free(&m);
	}
	/* The machines are worth something only if every answer and every grade came up. */
	for (unsigned int i = 0; i < 3; i++)
		assert_true(answers[i] > 100);
	for (unsigned int i = 0; i < 7; i++)
		assert_true(i == WARD_GRADE_SHARED_WITH_OWN ? grades[i] == 0 : grades[i] > 20);
}

static void empty_machine(void **unused)
{
	struct ward_summary *all;
	struct make m;

	(void)unused;
	make_x86(&m);
	make_done(&m);
	assert_int_equal(ward_check_all(m.isolation, m.state, WARD_POLICY_STRICT, &all), 0);
	free(all);
	make_free(&m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_pass_is_as_good),
		cmocka_unit_test(empty_machine),
	};

	return cmocka_run_group_tests_name("isolate/summary", tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* What a function reaches through the space it is in. */
#include "isolate/spaces.h"

#include "isolate/finding_machines.h"
#include "sweep.h"

/* Two cards, each behind a port that isolates; registers of the first at 0x10200000. */
static void two_cards(struct make *m)
{
	make_x86(m);
	root_port(m, "00:1c.0", 1, ACS_ON);
	root_port(m, "00:1d.0", 2, ACS_ON);
	endpoint(m, "01:00.0");
	endpoint(m, "02:00.0");
	make_done(m);
}

#define BAR_1 0x10200000
#define BAR_2 0x10300000
#define RW (WARD_READ | WARD_WRITE)
#define ALL "0-ffffffffffffffff rw"

static void unknown_as_before(void **unused)
{
	struct make m;

	(void)unused;
	two_cards(&m);
	assert_string_equal(memory_of(&m, "01:00.0"), "");
	assert_string_equal(MEMORY(&m, "01:00.0"), "no");
	assert_string_equal(SPACE(&m, "01:00.0", 0), "no");
	make_free(&m);
}

static void blocked_leads_nowhere(void **unused)
{
	struct ward_space *space = space_of(WARD_SPACE_BLOCKED);
	struct make m;

	(void)unused;
	two_cards(&m);
	put(&m, "01:00.0", space);
	assert_string_equal(memory_of(&m, "01:00.0"), "");
	assert_string_equal(MEMORY(&m, "01:00.0"), "no");
	assert_string_equal(SPACE(&m, "01:00.0", 0), "no");
	make_free(&m);
	ward_space_destroy(space);
}

static void identity_is_everything(void **unused)
{
	struct ward_space *space = space_of(WARD_SPACE_IDENTITY);
	struct make m;

	(void)unused;
	two_cards(&m);
	put(&m, "01:00.0", space);
	assert_string_equal(SPACE(&m, "01:00.0", 0), "sure");
	assert_string_equal(MEMORY(&m, "01:00.0"), "sure");
	/* Told once, as what it is. */
	assert_string_equal(memory_of(&m, "01:00.0"), ALL);
	assert_string_equal(MEMORY(&m, "02:00.0"), "no");
	make_free(&m);
	ward_space_destroy(space);
}

static void mappings_say_which_memory(void **unused)
{
	struct ward_space *space = space_of(WARD_SPACE_UNMANAGED);
	struct make m;

	(void)unused;
	two_cards(&m);
	mapped(space, 0x5000, 0x80000000, 0x2000, RW);
	mapped(space, 0x1000, 0x90000000, 0x1000, WARD_READ);
	mapped(space, 0x9000, 0x70000000, 0x1000, WARD_WRITE);
	put(&m, "01:00.0", space);
	assert_string_equal(memory_of(&m, "01:00.0"),
			    "90000000-90000fff r 80000000-80001fff rw 70000000-70000fff w");
	assert_string_equal(MEMORY(&m, "01:00.0"), "no");
	assert_string_equal(SPACE(&m, "01:00.0", 0), "sure");
	assert_string_equal(memory_of(&m, "02:00.0"), "");
	make_free(&m);
	ward_space_destroy(space);
}

/* The kind does not matter to what is mapped. */
static void dynamic_is_what_is_mapped(void **unused)
{
	struct ward_space *space = space_of(WARD_SPACE_DYNAMIC);
	struct make m;

	(void)unused;
	two_cards(&m);
	mapped(space, 0x5000, BAR_2, 0x1000, RW);
	put(&m, "01:00.0", space);
	assert_string_equal(memory_of(&m, "01:00.0"), "10300000-10300fff rw");
	assert_string_equal(HAS(&m, "01:00.0", "02:00.0"), "sure");
	make_free(&m);
	ward_space_destroy(space);
}

static void registers_need_a_write(void **unused)
{
	struct ward_space *space = space_of(WARD_SPACE_UNMANAGED);
	struct make m;

	(void)unused;
	two_cards(&m);
	mapped(space, 0x5000, BAR_2, 0x1000, WARD_READ);
	put(&m, "01:00.0", space);
	assert_string_equal(memory_of(&m, "01:00.0"), "10300000-10300fff r");
	assert_string_equal(HAS(&m, "01:00.0", "02:00.0"), "no");
	mapped(space, 0x8000, BAR_2, 0x1000, WARD_WRITE);
	put(&m, "01:00.0", space);
	assert_string_equal(HAS(&m, "01:00.0", "02:00.0"), "sure");
	make_free(&m);
	ward_space_destroy(space);
}

/* Edges of BARs, BARs within BARs, mappings over many: one page or the other side of it. */
static void the_right_registers(void **unused)
{
	static const struct {
		uint64_t target, size;
		bool has;
	} cases[] = {
		{ BAR_2 - 0x1000, 0x1000, false }, { BAR_2 - 0x1000, 0x2000, true },
		{ BAR_2 + 0x1000, 0x1000, false }, { BAR_2, 0x1000, true },
		{ BAR_1, 0x1000, false },	   { 0, 0x40000000, true },
		{ 0x30000000, 0x1000, true },	   { 0x30000000 - 0x1000, 0x1000, false },
		{ 0x3fffff000, 0x1000, true },	   { 0x400000000, 0x1000, false },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ward_space *space = space_of(WARD_SPACE_UNMANAGED);
		struct make m;

		make_x86(&m);
		for (unsigned int k = 1; k < 8; k++) {
			char name[16];

			snprintf(name, sizeof(name), "00:%02x.0", k);
			integrated(&m, name);
		}
		m.functions[3].bar[2].range = (struct ward_range){ 0x30000000, 0x3ffffffff };
		m.functions[5].bar[2].range = (struct ward_range){ 0x30001000, 0x300fffff };
		/* I/O ports are no memory, whatever their numbers. */
		m.functions[3].bar[4].range = (struct ward_range){ BAR_1, BAR_1 + 0xfff };
		m.functions[3].bar[4].io = true;
		make_done(&m);
		mapped(space, 0, cases[i].target, cases[i].size, RW);
		put(&m, "00:01.0", space);
		if (strcmp(HAS(&m, "00:01.0", "00:04.0"), cases[i].has ? "sure" : "no") != 0)
			fail_msg("%llx", (unsigned long long)cases[i].target);
		make_free(&m);
		ward_space_destroy(space);
	}
}

/* A long BAR before many short ones within it, the functions in no order. */
static void registers_within_registers(void **unused)
{
	static const uint64_t starts[] = { 0x20006000, 0x20002000, 0x20005000, 0x20000000,
					   0x20001000, 0x20004000, 0x20003000 };
	struct ward_space *space = space_of(WARD_SPACE_UNMANAGED);
	struct make m;

	(void)unused;
	make_x86(&m);
	for (unsigned int i = 0; i < 7; i++) {
		char name[16];

		snprintf(name, sizeof(name), "00:%02x.0", i + 1);
		integrated(&m, name)->bar[0].range =
			(struct ward_range){ starts[i], starts[i] + 0xfff };
	}
	m.functions[3].bar[0].range.last = 0x2fffffff;
	integrated(&m, "00:10.0")->bar[0].range = WARD_RANGE_EMPTY;
	make_done(&m);
	mapped(space, 0, 0x28000000, 0x1000, RW);
	put(&m, "00:10.0", space);
	assert_string_equal(HAS(&m, "00:10.0", "00:04.0"), "sure");
	assert_string_equal(HAS(&m, "00:10.0", "00:02.0"), "no");
	mapped(space, 0x1000, 0x20002000, 0x2000, RW);
	put(&m, "00:10.0", space);
	assert_string_equal(HAS(&m, "00:10.0", "00:02.0"), "sure");
	assert_string_equal(HAS(&m, "00:10.0", "00:07.0"), "sure");
	assert_string_equal(HAS(&m, "00:10.0", "00:01.0"), "no");
	assert_string_equal(HAS(&m, "00:10.0", "00:05.0"), "no");
	assert_string_equal(HAS(&m, "00:10.0", "00:06.0"), "no");
	make_free(&m);
	ward_space_destroy(space);
}

/* What one space leads to, another may lead to as well. */
static void two_spaces_one_target(void **unused)
{
	struct ward_space *first = space_of(WARD_SPACE_UNMANAGED);
	struct ward_space *second = space_of(WARD_SPACE_UNMANAGED);
	struct make m;

	(void)unused;
	v2m(&m, 4096, 2);
	m.controllers[1].pool = 1;
	endpoint(&m, "02:00.1")->msix = false;
	make_done(&m);
	/* The second one lower: it must be told from its own beginning. */
	mapped(first, 0x50000000, 0x8021000, 0x1000, RW);
	mapped(first, 0x60000000, m.functions[4].bar[0].range.start, 0x1000, RW);
	mapped(second, 0x10000000, 0x8021000, 0x1000, RW);
	mapped(second, 0x20000000, m.functions[4].bar[0].range.start, 0x1000, RW);
	put(&m, "01:00.0", first);
	put(&m, "00:01.0", second);
	assert_string_equal(how(&m, "01:00.0", WARD_NODE_DOORBELL, 1), "sure");
	assert_string_equal(how(&m, "00:01.0", WARD_NODE_DOORBELL, 1), "sure");
	assert_string_equal(HAS(&m, "01:00.0", "02:00.1"), "sure");
	assert_string_equal(HAS(&m, "00:01.0", "02:00.1"), "sure");
	put(&m, "00:01.0", NULL);
	put_pasid(&m, "01:00.0", ward_pasid(1), first);
	put(&m, "01:00.0", second);
	assert_string_equal(memory_of(&m, "01:00.0"), "8021000-8021fff rw 10400000-10400fff rw "
						      "8021000-8021fff rw 10400000-10400fff rw");
	make_free(&m);
	ward_space_destroy(first);
	ward_space_destroy(second);
}

/* Whom I have lends me the space he is in. */
static void control_lends_the_space(void **unused)
{
	struct ward_space *mine = space_of(WARD_SPACE_UNMANAGED);
	struct ward_space *his = space_of(WARD_SPACE_IDENTITY);
	struct make m;

	(void)unused;
	two_cards(&m);
	mapped(mine, 0x5000, BAR_2, 0x1000, RW);
	put(&m, "01:00.0", mine);
	put(&m, "02:00.0", his);
	assert_string_equal(memory_of(&m, "01:00.0"), "10300000-10300fff rw " ALL);
	assert_string_equal(MEMORY(&m, "01:00.0"), "sure");
	make_free(&m);
	ward_space_destroy(mine);
	ward_space_destroy(his);
}

static void every_pasid_counts(void **unused)
{
	struct ward_space *plain = space_of(WARD_SPACE_BLOCKED);
	struct ward_space *other = space_of(WARD_SPACE_UNMANAGED);
	struct make m;

	(void)unused;
	two_cards(&m);
	mapped(other, 0, 0x80000000, 0x1000, RW);
	put(&m, "01:00.0", plain);
	put_pasid(&m, "01:00.0", ward_pasid(5), other);
	assert_string_equal(memory_of(&m, "01:00.0"), "80000000-80000fff rw");
	make_free(&m);
	ward_space_destroy(plain);
	ward_space_destroy(other);
}

/* Ten functions in one space tell its memory once, under the first of them. */
static void one_space_is_told_once(void **unused)
{
	struct ward_space *space = space_of(WARD_SPACE_UNMANAGED);
	struct make m;

	(void)unused;
	two_cards(&m);
	mapped(space, 0, BAR_1, 0x200000, RW);
	put(&m, "01:00.0", space);
	put(&m, "02:00.0", space);
	put_pasid(&m, "02:00.0", ward_pasid(1), space);
	assert_string_equal(memory_of(&m, "02:00.0"), "10200000-103fffff rw");
	assert_string_equal(SPACE(&m, "02:00.0", 0), "sure");
	assert_string_equal(SPACE(&m, "02:00.0", 1), "no");
	assert_string_equal(HAS(&m, "02:00.0", "01:00.0"), "sure");
	make_free(&m);
	ward_space_destroy(space);
}

/* The client writes the stage 1 itself: what bounds it is the stage 2, all of it. */
static void nested_is_its_parent(void **unused)
{
	struct ward_space *parent = space_of(WARD_SPACE_UNMANAGED);
	struct ward_space *nested = space_on(WARD_SPACE_NESTED, 4096, parent);
	struct make m;

	(void)unused;
	two_cards(&m);
	mapped(parent, 0x40000000, 0x80000000, 0x1000, RW);
	mapped(parent, 0x50000000, BAR_2, 0x1000, RW);
	put(&m, "01:00.0", nested);
	assert_string_equal(memory_of(&m, "01:00.0"), "80000000-80000fff rw 10300000-10300fff rw");
	assert_string_equal(HAS(&m, "01:00.0", "02:00.0"), "sure");
	assert_string_equal(SPACE(&m, "01:00.0", 0), "sure");
	/* He who is in the stage 2 itself is in the same place. */
	put(&m, "02:00.0", parent);
	assert_string_equal(SPACE(&m, "02:00.0", 0), "sure");
	make_free(&m);
	ward_space_destroy(nested);
	ward_space_destroy(parent);
}

/* A space means nothing where nothing translates, and no more than the IOMMU does where it may. */
static void no_iommu_no_space(void **unused)
{
	struct ward_space *space = space_of(WARD_SPACE_BLOCKED);
	struct ward_space *mapping = space_of(WARD_SPACE_UNMANAGED);
	struct make m;

	(void)unused;
	mapped(mapping, 0, BAR_2, 0x1000, RW);
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	root_port(&m, "00:1d.0", 2, ACS_ON);
	endpoint(&m, "01:00.0")->stream.iommu = WARD_NONE;
	endpoint(&m, "02:00.0")->iommu_known = WARD_UNKNOWN;
	make_done(&m);
	put(&m, "01:00.0", space);
	assert_string_equal(memory_of(&m, "01:00.0"), ALL "!");
	put(&m, "01:00.0", mapping);
	assert_string_equal(memory_of(&m, "01:00.0"), ALL "!");
	assert_string_equal(HAS(&m, "01:00.0", "02:00.0"), "no");
	put(&m, "02:00.0", mapping);
	assert_string_equal(memory_of(&m, "02:00.0"), "10300000-10300fff rw? " ALL "!?");
	assert_string_equal(SPACE(&m, "02:00.0", 1), "no");
	make_free(&m);
	ward_space_destroy(space);
	ward_space_destroy(mapping);
}

/* Translated requests skip the space as they skip the IOMMU. */
static void ats_skips_the_space(void **unused)
{
	struct ward_space *space = space_of(WARD_SPACE_BLOCKED);
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	endpoint(&m, "01:00.0")->ats_enabled = true;
	m.functions[1].ats = WARD_YES;
	make_done(&m);
	put(&m, "01:00.0", space);
	assert_string_equal(MEMORY(&m, "01:00.0"), "assumed");
	assert_string_equal(memory_of(&m, "01:00.0"), ALL "!~");
	make_free(&m);
	ward_space_destroy(space);
}

/* A request that says it is translated must get to the root with that. */
static void translated_requests_are_lost(void **unused)
{
	struct make m;

	(void)unused;
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 2, ACS_ON);
	pcie_to_pci(&m, "01:00.0", 2);
	endpoint(&m, "02:00.0")->ats_enabled = true;
	root_port(&m, "00:1d.0", 3, ACS_ON)->acs.control |= WARD_ACS_TB;
	endpoint(&m, "03:00.0")->ats_enabled = true;
	root_port(&m, "00:1e.0", 4, ACS_ON);
	endpoint(&m, "04:00.0")->ats_enabled = true;
	/* What the port does not offer does nothing. */
	root_port(&m, "00:1f.0", 5, ACS_EMPTY)->acs.control |= WARD_ACS_TB;
	endpoint(&m, "05:00.0")->ats_enabled = true;
	for (uint32_t i = 0; i < m.count; i++)
		m.functions[i].ats = WARD_YES;
	make_done(&m);
	assert_string_equal(MEMORY(&m, "02:00.0"), "no");
	assert_string_equal(MEMORY(&m, "03:00.0"), "no");
	assert_string_equal(MEMORY(&m, "04:00.0"), "assumed");
	assert_string_equal(MEMORY(&m, "05:00.0"), "assumed");
	make_free(&m);
}

/* Behind a bridge that puts its own id on everything, each is in the space of the others. */
static void one_requester_id_one_space(void **unused)
{
	struct ward_space *space = space_of(WARD_SPACE_UNMANAGED);
	struct make m;

	(void)unused;
	mapped(space, 0, 0x80000000, 0x1000, RW);
	make_x86(&m);
	root_port_to(&m, "00:1c.0", 1, 2, ACS_ON);
	pcie_to_pci(&m, "01:00.0", 2);
	conventional(&m, "02:00.0");
	conventional(&m, "02:01.0");
	root_port(&m, "00:1d.0", 3, ACS_ON);
	endpoint(&m, "03:00.0");
	make_done(&m);
	put(&m, "02:01.0", space);
	assert_string_equal(memory_of(&m, "02:00.0"), "80000000-80000fff rw");
	assert_string_equal(memory_of(&m, "03:00.0"), "");
	make_free(&m);
	ward_space_destroy(space);
}

/* Two functions of one card with one StreamID. */
static void one_stream_one_space(void **unused)
{
	struct ward_space *space = space_of(WARD_SPACE_UNMANAGED);
	struct make m;

	(void)unused;
	mapped(space, 0, 0x80000000, 0x1000, RW);
	make_arm_its(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	root_port(&m, "00:1d.0", 2, ACS_ON);
	endpoint(&m, "01:00.0")->stream.sid = ward_sid(77);
	endpoint(&m, "02:00.0")->stream.sid = ward_sid(77);
	make_done(&m);
	put(&m, "02:00.0", space);
	assert_string_equal(memory_of(&m, "01:00.0"), "80000000-80000fff rw");
	make_free(&m);
	ward_space_destroy(space);
}

static void the_last_byte(void **unused)
{
	struct ward_space_options options = { .size = sizeof(options),
					      .kind = WARD_SPACE_UNMANAGED,
					      .aperture = { 0, UINT64_MAX } };
	struct ward_space *space, *next = space_of(WARD_SPACE_UNMANAGED);
	struct make m;

	(void)unused;
	assert_int_equal(ward_space_create(&options, &space), 0);
	two_cards(&m);
	mapped(space, UINT64_MAX - 0xfff, BAR_2, 0x1000, RW);
	mapped(next, 0, 0x80000000, 0x1000, RW);
	put(&m, "01:00.0", space);
	put_pasid(&m, "01:00.0", ward_pasid(1), next);
	assert_string_equal(memory_of(&m, "01:00.0"), "80000000-80000fff rw 10300000-10300fff rw");
	assert_string_equal(HAS(&m, "01:00.0", "02:00.0"), "sure");
	make_free(&m);
	ward_space_destroy(space);
	ward_space_destroy(next);
}

/* Having all memory already, it gains nothing by what it gets at. */
static void identity_says_it_all(void **unused)
{
	static struct make m;

	(void)unused;
	identity_peer(&m, false);
	m.functions[5].stream.iommu = WARD_NONE;
	in_space(&m, "03:00.0", WARD_SPACE_IDENTITY);
	made(&m, "03:00.0");
	assert_null(finding_of(m.verdict, "no-iommu"));
	assert_int_equal(finding_in(m.verdict, "space-identity")->blocker, WARD_NONE);
	make_free(&m);
}

/* What is mapped has nothing to do with groups, and no port can mend it. */
static void mappings_are_no_matter_of_groups(void **unused)
{
	static struct make m;

	(void)unused;
	registers_mapped(&m, false);
	made(&m, "03:00.0");
	assert_int_equal(finding_in(m.verdict, "peer-dma")->weight, WARD_BLOCKS);
	assert_null(finding_of(m.verdict, "kernel-group-too-small"));
	make_free(&m);
}

static struct make swept;

static int isolate(void *unused)
{
	struct ward_isolation *made = NULL;
	int err = ward_isolation_create(swept.machine, swept.state, &made);

	(void)unused;
	assert_int_equal(err == 0, made != NULL);
	ward_isolation_destroy(made);
	return err;
}

static void out_of_memory(void **unused)
{
	struct ward_space *space = space_of(WARD_SPACE_UNMANAGED);

	(void)unused;
	v2m(&swept, 4096, 2);
	swept.controllers[1].pool = 1;
	make_done(&swept);
	mapped(space, 0, 0x10000000, 0x10000000, RW);
	mapped(space, 0x20000000, 0x8020000, 0x2000, RW);
	put(&swept, "01:00.0", space);
	put(&swept, "02:00.0", space);
	assert_true(test_sweep(isolate, NULL) > 0);
	make_free(&swept);
	ward_space_destroy(space);
}

/* What nobody has stays where the kernel has it; a hand-over moves its own kernel groups only. */
static void passed_by_the_kernel(void **unused)
{
	struct ward_space *space = space_of(WARD_SPACE_BLOCKED);
	struct ward_finding finding;
	uint32_t dma;
	struct make m;

	(void)unused;
	a_switch(&m, NO_ACS);
	kernel_group(&m, 5, "03:00.0", NULL);
	kernel_group(&m, 6, "04:00.0", NULL);
	m.groups[0].type = WARD_GROUP_IDENTITY;
	m.groups[1].type = WARD_GROUP_IDENTITY;
	finding = *finding_in(made(&m, "03:00.0"), "space-identity");
	assert_int_equal(m.verdict->answer, WARD_UNSAFE);
	assert_int_equal(finding.blocker, at(&m, "04:00.0"));
	assert_string_equal(finding.remedies[0].command,
			    "echo DMA > /sys/kernel/iommu_groups/6/type");
	assert_int_equal(finding.path[finding.path_count - 1].kind, WARD_NODE_MEMORY);
	/* Both together, or in one group: both move. */
	assert_int_equal(judged(&m, WARD_POLICY_STRICT, NULL, "03:00.0 04:00.0")->answer,
			 WARD_SAFE);
	make_free(&m);
	m.functions[make_ordinal(&m, "04:00.0")].group = 0;
	assert_int_equal(made(&m, "03:00.0")->answer, WARD_SAFE);
	make_free(&m);
	/* The state knows better. */
	m.functions[make_ordinal(&m, "04:00.0")].group = 1;
	make_done(&m);
	put(&m, "04:00.0", space);
	assert_int_equal(judged(&m, WARD_POLICY_STRICT, NULL, "03:00.0")->answer, WARD_SAFE);
	make_free(&m);
	m.groups[1].type = WARD_GROUP_DMA;
	assert_int_equal(made(&m, "03:00.0")->answer, WARD_SAFE);
	dma = m.verdict->assumptions_count;
	make_free(&m);
	/* Not known is said. */
	m.groups[1].type = WARD_GROUP_TYPE_UNKNOWN;
	assert_int_equal(made(&m, "03:00.0")->assumptions_count, dma + 1);
	make_free(&m);
	ward_space_destroy(space);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_as_before),
		cmocka_unit_test(blocked_leads_nowhere),
		cmocka_unit_test(identity_is_everything),
		cmocka_unit_test(mappings_say_which_memory),
		cmocka_unit_test(dynamic_is_what_is_mapped),
		cmocka_unit_test(registers_need_a_write),
		cmocka_unit_test(the_right_registers),
		cmocka_unit_test(registers_within_registers),
		cmocka_unit_test(two_spaces_one_target),
		cmocka_unit_test(control_lends_the_space),
		cmocka_unit_test(every_pasid_counts),
		cmocka_unit_test(one_space_is_told_once),
		cmocka_unit_test(nested_is_its_parent),
		cmocka_unit_test(no_iommu_no_space),
		cmocka_unit_test(ats_skips_the_space),
		cmocka_unit_test(translated_requests_are_lost),
		cmocka_unit_test(one_requester_id_one_space),
		cmocka_unit_test(one_stream_one_space),
		cmocka_unit_test(the_last_byte),
		cmocka_unit_test(identity_says_it_all),
		cmocka_unit_test(mappings_are_no_matter_of_groups),
		cmocka_unit_test(out_of_memory),
		cmocka_unit_test(passed_by_the_kernel),
	};

	return cmocka_run_group_tests_name("isolate/spaces", tests, NULL, NULL);
}

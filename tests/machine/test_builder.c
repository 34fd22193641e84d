// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The builder: what it refuses, how it sorts and links, id maps; and states of what it made. */
#include "isolate/make.h"

#include <doorward/state.h>

static struct ward_function pci(const char *address)
{
	struct ward_function f;

	ward_function_init(&f);
	assert_int_equal(ward_address_parse(address, &f.address), 0);
	f.pcie_known = WARD_YES;
	f.pcie_type = WARD_PCIE_ENDPOINT;
	return f;
}

static struct ward_function pci_bridge_to(const char *address, unsigned int secondary,
					  unsigned int subordinate)
{
	struct ward_function f = pci(address);

	f.header_type = 1;
	f.pcie_type = WARD_PCIE_ROOT_PORT;
	f.bridge.secondary = (uint8_t)secondary;
	f.bridge.subordinate = (uint8_t)subordinate;
	return f;
}

static struct ward_builder *new_builder(void)
{
	struct ward_builder *builder = NULL;

	assert_int_equal(ward_builder_create(&builder), 0);
	return builder;
}

static void add(struct ward_builder *builder, struct ward_function f)
{
	assert_int_equal(ward_builder_add_function(builder, &f, NULL), 0);
}

/* Finishes; the machine, or NULL and a sentence that has this word in it. */
static struct ward_machine *finish(struct ward_builder *builder, const char *refusal)
{
	struct ward_machine *machine = NULL;
	struct ward_error error = { "" };
	int err = ward_builder_finish(builder, &machine, &error);

	assert_int_equal(err, refusal ? -EBADMSG : 0);
	if (refusal && !strstr(error.text, refusal))
		fail_msg("\"%s\" does not say \"%s\"", error.text, refusal);
	assert_int_equal(machine == NULL, err != 0);
	return machine;
}

static void wrong_fields(void **unused)
{
	struct ward_builder *builder = new_builder();
	struct ward_function good = pci("01:00.0"), bad[9];
	uint32_t ordinal = 77;

	(void)unused;
	for (unsigned int i = 0; i < 9; i++)
		bad[i] = good;
	bad[0].header_type = 3;
	bad[1].class_code = 0x1000000;
	bad[2].msi = true;
	bad[3].msi = true;
	bad[3].msi_vectors = 33;
	bad[4].msix = true;
	bad[5].msix = true;
	bad[5].msix_vectors = 2049;
	bad[6].intx_pin = 5;
	bad[7].kind = WARD_FUNCTION_PLATFORM;
	bad[8].kind = (enum ward_function_kind)9;
	for (unsigned int i = 0; i < 9; i++) {
		assert_int_equal(ward_builder_add_function(builder, &bad[i], &ordinal), -EINVAL);
		assert_int_equal(ordinal, 77);
	}
	assert_int_equal(ward_builder_add_function(builder, &good, &ordinal), 0);
	assert_int_equal(ordinal, 0);
	assert_int_equal(ward_builder_add_function(builder, &good, &ordinal), -EEXIST);
	assert_int_equal(ward_builder_find(builder, good.address), 0);
	good.address.segment = 5;
	assert_int_equal(ward_builder_find(builder, good.address), WARD_NONE);
	assert_int_equal(ward_builder_set_host(builder, WARD_ARCH_X86, NULL, NULL, 8192), -EINVAL);
	assert_int_equal(ward_builder_set_host(builder, WARD_ARCH_X86, NULL, NULL, 0), -EINVAL);
	ward_builder_destroy(builder);
	ward_builder_destroy(NULL);
}

static void wrong_parts(void **unused)
{
	struct ward_builder *builder = new_builder();
	struct ward_iommu iommu = { .controller = WARD_NONE };
	struct ward_controller controller = { .name = "c",
					      .doorbells = { WARD_RANGE_EMPTY },
					      .doorbells_count = 1 };
	struct ward_region region = { .range = WARD_RANGE_EMPTY };
	struct ward_id_map map = { .first = ward_rid(2), .last = ward_rid(1), .mask = 0xffff };

	(void)unused;
	assert_int_equal(ward_builder_add_iommu(builder, &iommu, NULL), -EINVAL);
	assert_int_equal(ward_builder_add_controller(builder, &controller, NULL), -EINVAL);
	controller.doorbells[0] = (struct ward_range){ 0, 0xfff };
	controller.doorbells_count = 0;
	assert_int_equal(ward_builder_add_controller(builder, &controller, NULL), -EINVAL);
	controller.doorbells_count = WARD_DOORBELL_RANGES + 1;
	assert_int_equal(ward_builder_add_controller(builder, &controller, NULL), -EINVAL);
	controller.doorbells_count = 2; /* the second is { 0, 0 }: a byte */
	assert_int_equal(ward_builder_add_controller(builder, &controller, NULL), 0);
	assert_int_equal(ward_builder_add_region(builder, &region), -EINVAL);
	assert_int_equal(ward_builder_add_id_map(builder, &map), -EINVAL);
	map = (struct ward_id_map){ .first = ward_rid(1), .last = ward_rid(2), .mask = 0xfff0 };
	assert_int_equal(ward_builder_add_id_map(builder, &map), -EINVAL);
	ward_builder_destroy(builder);
}

static void sorts_and_links(void **unused)
{
	struct ward_builder *builder = new_builder();
	struct ward_machine *machine;
	struct ward_function platform = pci("00:00.0");
	uint32_t port, card;

	(void)unused;
	platform.kind = WARD_FUNCTION_PLATFORM;
	platform.name = "soc.dma";
	add(builder, platform);
	add(builder, pci("0001:00:01.0"));
	add(builder, pci("02:00.1"));
	add(builder, pci("02:00.0"));
	add(builder, pci_bridge_to("00:1c.0", 2, 2));
	add(builder, pci("00:02.0"));
	machine = finish(builder, NULL);
	assert_int_equal(machine->functions_count, 6);
	for (uint32_t i = 1; i < 5; i++)
		assert_true(ward_address_compare(machine->functions[i - 1].address,
						 machine->functions[i].address) < 0);
	assert_int_equal(machine->functions[5].kind, WARD_FUNCTION_PLATFORM);
	assert_int_equal(machine->functions[5].parent, WARD_NONE);
	assert_int_equal(machine->buses_count, 3);
	port = at_of(machine, "00:1c.0");
	card = at_of(machine, "02:00.0");
	assert_int_equal(machine->functions[card].parent, port);
	assert_int_equal(machine->functions[port].parent, WARD_NONE);
	assert_int_equal(machine->functions[port].bridge.bus, machine->functions[card].bus);
	assert_int_equal(machine->buses[machine->functions[card].bus].bridge, port);
	assert_int_equal(machine->buses[machine->functions[card].bus].count, 2);
	/* Function 1 says by its number that there are several; function 0 must say it itself. */
	assert_true(machine->functions[card + 1].multifunction);
	assert_false(machine->functions[card].multifunction);
	assert_string_equal(machine->functions[card].name, "0000:02:00.0");
	assert_int_equal(ward_machine_find_name(machine, "soc.dma"), 5);
	assert_int_equal(ward_machine_find_name(machine, "2:0.0"), card);
	assert_int_equal(ward_machine_find_name(machine, "no such"), WARD_NONE);
	ward_machine_destroy(machine);
	ward_machine_destroy(NULL);
}

static void contradictions(void **unused)
{
	struct ward_builder *builder;
	struct ward_function f;

	(void)unused;
	builder = new_builder();
	add(builder, pci_bridge_to("02:00.0", 1, 3));
	finish(builder, "lead back");
	builder = new_builder();
	add(builder, pci_bridge_to("00:01.0", 3, 2));
	finish(builder, "lead back");
	builder = new_builder();
	add(builder, pci_bridge_to("00:01.0", 1, 1));
	add(builder, pci_bridge_to("00:02.0", 1, 1));
	add(builder, pci("01:00.0"));
	finish(builder, "another has, too");
	builder = new_builder();
	f = pci("01:00.0");
	f.physfn = 7;
	add(builder, f);
	finish(builder, "not added");
	builder = new_builder();
	f.physfn = 0;
	add(builder, f);
	finish(builder, "cannot be the PF");
	builder = new_builder();
	f = pci("01:00.0");
	f.group = 0;
	add(builder, f);
	finish(builder, "group");
	builder = new_builder();
	f = pci("01:00.0");
	f.stream.iommu = 0;
	add(builder, f);
	finish(builder, "IOMMU");
	builder = new_builder();
	f = pci("01:00.0");
	f.controller = 3;
	add(builder, f);
	finish(builder, "MSI controller");
	builder = new_builder();
	f = pci("01:00.0");
	f.parent = 0;
	add(builder, f);
	finish(builder, "cannot be the bridge");
	builder = new_builder();
	assert_int_equal(ward_builder_add_group(builder, &(struct ward_kernel_group){ 3, 0 }, NULL),
			 0);
	assert_int_equal(ward_builder_add_group(builder, &(struct ward_kernel_group){ 3, 0 }, NULL),
			 0);
	finish(builder, "two groups");
	builder = new_builder();
	assert_int_equal(ward_builder_add_region(builder,
						 &(struct ward_region){ .range = { 1, 2 },
									.function = 0,
									.group = WARD_NONE }),
			 0);
	finish(builder, "region");
	builder = new_builder();
	assert_int_equal(ward_builder_add_id_map(builder,
						 &(struct ward_id_map){ .last = ward_rid(9),
									.mask = 0xffff,
									.target = 4 }),
			 0);
	finish(builder, "id map");
	builder = new_builder();
	assert_int_equal(
		ward_builder_add_iommu(builder,
				       &(struct ward_iommu){ .name = "i", .controller = 1 }, NULL),
		0);
	finish(builder, "IOMMU i");
}

/* Where a bridge's own numbers could not be read, what is told from elsewhere counts. */
static void told_parents(void **unused)
{
	struct ward_builder *builder = new_builder();
	struct ward_function port = pci_bridge_to("00:1c.0", 0, 0), card = pci("05:00.0");
	struct ward_machine *machine;
	uint32_t index;

	(void)unused;
	add(builder, port);
	card.parent = 0;
	add(builder, card);
	machine = finish(builder, NULL);
	index = at_of(machine, "05:00.0");
	assert_int_equal(machine->functions[index].parent, at_of(machine, "00:1c.0"));
	assert_int_equal(machine->functions[0].bridge.bus, machine->functions[index].bus);
	ward_machine_destroy(machine);
}

static bool remarked(const struct ward_machine *machine, const char *name)
{
	for (uint32_t i = 0; i < machine->remarks_count; i++)
		if (!strcmp(machine->remarks[i].code, "config-broken") &&
		    strstr(machine->remarks[i].text, name))
			return true;
	return false;
}

/* A machine that was read goes on without what such a bridge says; it is never believed. */
static void doubtful_bridges(void **unused)
{
	struct ward_builder *builder = new_builder();
	struct ward_function back = pci_bridge_to("02:00.0", 1, 3), card = pci("03:00.0");
	struct ward_function left = pci_bridge_to("00:01.0", 1, 1);
	struct ward_function right = pci_bridge_to("00:02.0", 1, 1);
	struct ward_machine *machine;
	const struct ward_function *f;

	(void)unused;
	back.path = left.path = right.path = "/devices";
	back.acs.present = left.acs.present = right.acs.present = WARD_YES;
	add(builder, back);
	card.parent = 0;
	add(builder, card);
	machine = finish(builder, NULL);
	f = &machine->functions[at_of(machine, "02:00.0")];
	assert_int_equal(machine->functions[at_of(machine, "03:00.0")].parent,
			 at_of(machine, "02:00.0"));
	assert_int_equal(f->acs.present, WARD_UNKNOWN);
	assert_int_equal(f->pcie_known, WARD_UNKNOWN);
	assert_true(remarked(machine, "0000:02:00.0"));
	ward_machine_destroy(machine);
	for (uint32_t told = 0; told < 3; told++) {
		builder = new_builder();
		add(builder, left);
		add(builder, right);
		card = pci("01:00.0");
		card.parent = told < 2 ? told : WARD_NONE;
		add(builder, card);
		machine = finish(builder, NULL);
		assert_int_equal(machine->functions[2].parent, told == 1 ? 1 : 0);
		assert_int_equal(machine->functions[told == 1].bridge.bus,
				 machine->functions[2].bus);
		assert_int_equal(machine->functions[told != 1].bridge.bus, WARD_NONE);
		assert_int_equal(machine->functions[0].acs.present,
				 told == 0 ? WARD_YES : WARD_UNKNOWN);
		assert_int_equal(machine->functions[1].acs.present,
				 told == 1 ? WARD_YES : WARD_UNKNOWN);
		assert_int_equal(remarked(machine, "00:01.0"), told != 0);
		assert_int_equal(remarked(machine, "00:02.0"), told != 1);
		ward_machine_destroy(machine);
	}
}

static void virtual_buses(void **unused)
{
	struct ward_builder *builder = new_builder();
	struct ward_machine *machine;
	struct ward_function f;

	(void)unused;
	add(builder, pci_bridge_to("00:1c.0", 1, 2));
	add(builder, pci("01:00.0"));
	f = pci("02:00.1");
	f.physfn = 1;
	f.multifunction = true;
	add(builder, f);
	machine = finish(builder, NULL);
	f = machine->functions[at_of(machine, "02:00.1")];
	assert_int_equal(f.parent, at_of(machine, "00:1c.0"));
	assert_int_equal(f.physfn, at_of(machine, "01:00.0"));
	/* A VF is never one of several. */
	assert_false(f.multifunction);
	ward_machine_destroy(machine);
}

static void add_map(struct ward_builder *builder, enum ward_id_map_kind kind, unsigned int first,
		    unsigned int last, uint16_t mask, uint32_t target, uint32_t base)
{
	const struct ward_id_map map = {
		.kind = kind,
		.first = ward_rid(first),
		.last = ward_rid(last),
		.mask = mask,
		.target = target,
		.output_base = base,
		.evidence = "map",
	};

	assert_int_equal(ward_builder_add_id_map(builder, &map), 0);
}

static void id_maps(void **unused)
{
	struct ward_builder *builder = new_builder();
	struct ward_iommu iommu = { .name = "smmu", .controller = WARD_NONE };
	struct ward_controller its = { .name = "its",
				       .doorbells = { { 0, 0xffff } },
				       .doorbells_count = 1 };
	struct ward_function known = pci("01:00.1");
	const struct ward_function *f;
	struct ward_machine *machine;

	(void)unused;
	ward_builder_add_iommu(builder, &iommu, NULL);
	ward_builder_add_controller(builder, &its, NULL);
	add_map(builder, WARD_ID_MAP_IOMMU, 0x100, 0x1ff, 0xffff, 0, 0x5000);
	add_map(builder, WARD_ID_MAP_IOMMU, 0x100, 0x2ff, 0xffff, WARD_NONE, 0);
	/* Only the device number counts for MSIs. */
	add_map(builder, WARD_ID_MAP_MSI, 0x08, 0x0f, 0xf8, 0, 0x70);
	known.iommu_known = WARD_YES;
	known.controller_known = WARD_YES;
	add(builder, known);
	add(builder, pci("01:01.3"));
	add(builder, pci("02:00.0"));
	add(builder, pci("03:00.0"));
	add(builder, pci("0001:01:01.0"));
	machine = finish(builder, NULL);
	f = &machine->functions[at_of(machine, "01:01.3")];
	assert_int_equal(f->iommu_known, WARD_YES);
	assert_int_equal(f->stream.iommu, 0);
	assert_int_equal(ward_sid_raw(f->stream.sid), 0x500b);
	assert_int_equal(f->controller, 0);
	assert_int_equal(ward_devid_raw(f->devid), 0x70);
	/* The row says explicitly: none. */
	f = &machine->functions[at_of(machine, "02:00.0")];
	assert_int_equal(f->iommu_known, WARD_YES);
	assert_int_equal(f->stream.iommu, WARD_NONE);
	/* No row: none either, since the segment has a map. */
	f = &machine->functions[at_of(machine, "03:00.0")];
	assert_int_equal(f->iommu_known, WARD_YES);
	assert_int_equal(f->stream.iommu, WARD_NONE);
	assert_int_equal(f->controller_known, WARD_YES);
	assert_int_equal(f->controller, WARD_NONE);
	/* Another segment, without a map: nothing is known. */
	f = &machine->functions[at_of(machine, "0001:01:01.0")];
	assert_int_equal(f->iommu_known, WARD_UNKNOWN);
	assert_int_equal(f->controller_known, WARD_UNKNOWN);
	/* What is known already is left alone. */
	f = &machine->functions[at_of(machine, "01:00.1")];
	assert_int_equal(f->stream.iommu, WARD_NONE);
	/* The rows stay, in the order of adding. */
	assert_int_equal(machine->id_maps_count, 3);
	assert_int_equal(machine->id_maps[0].output_base, 0x5000);
	assert_int_equal(machine->id_maps[1].target, WARD_NONE);
	assert_int_equal(machine->id_maps[2].kind, WARD_ID_MAP_MSI);
	assert_int_equal(machine->id_maps[2].mask, 0xf8);
	ward_machine_destroy(machine);
}

/* The MSIs of what is behind a converter carry the converter's id. */
static void msi_id_behind_a_converter(void **unused)
{
	static struct make m;
	const struct ward_function *f;
	struct ward_builder *builder = new_builder();
	struct ward_controller its = { .name = "its",
				       .doorbells = { { 0, 0xffff } },
				       .doorbells_count = 1 };
	struct ward_machine *machine;

	(void)unused;
	make_empty(&m, WARD_ARCH_ARM64, 4096);
	root_port_to(&m, "00:1c.0", 1, 2, ACS_ON);
	pcie_to_pci(&m, "01:00.0", 2);
	conventional(&m, "02:03.0");
	ward_builder_add_controller(builder, &its, NULL);
	add_map(builder, WARD_ID_MAP_MSI, 0, 0xffff, 0xffff, 0, 0x10000);
	for (uint32_t i = 0; i < m.count; i++) {
		m.functions[i].controller_known = WARD_UNKNOWN;
		add(builder, m.functions[i]);
	}
	machine = finish(builder, NULL);
	f = &machine->functions[at_of(machine, "02:03.0")];
	assert_int_equal(ward_devid_raw(f->devid), 0x10200);
	assert_int_equal(f->aliases, 1);
	assert_int_equal(ward_rid_raw(f->alias[0]), 0x200);
	assert_non_null(f->alias_name);
	ward_machine_destroy(machine);
}

/* Texts are the machine's own. */
static void copies_texts(void **unused)
{
	struct ward_builder *builder = new_builder();
	char name[] = "eth0", release[] = "6.12.0";
	const char *names[] = { name };
	struct ward_function f = pci("01:00.0");
	struct ward_machine *machine;

	(void)unused;
	f.names = names;
	f.names_count = 1;
	add(builder, f);
	assert_int_equal(ward_builder_set_host(builder, WARD_ARCH_X86, release, NULL, 4096), 0);
	assert_int_equal(ward_builder_remark(builder, "code", "%s", release), 0);
	memset(name, 'x', sizeof(name) - 1);
	memset(release, 'x', sizeof(release) - 1);
	machine = finish(builder, NULL);
	assert_int_equal(ward_machine_find_name(machine, "eth0"), 0);
	assert_string_equal(machine->kernel_release, "6.12.0");
	assert_string_equal(machine->remarks[0].text, "6.12.0");
	ward_machine_destroy(machine);
}

static void many_functions(void **unused)
{
	struct ward_builder *builder = new_builder();
	struct ward_machine *machine;

	(void)unused;
	/* Backwards, so that nothing is in order by luck. */
	for (unsigned int rid = 0x2000; rid-- > 0;) {
		struct ward_function f = pci("00:00.0");

		f.address.rid = ward_rid(rid);
		add(builder, f);
	}
	machine = finish(builder, NULL);
	assert_int_equal(machine->buses_count, 0x20);
	for (unsigned int rid = 0; rid < 0x2000; rid++)
		assert_int_equal(ward_rid_raw(machine->functions[rid].address.rid), rid);
	ward_machine_destroy(machine);
}

static void states(void **unused)
{
	static struct make m;
	struct ward_function_state *f;
	const char *name;
	char same[] = "vfio-pci";
	struct ward_state *copy;
	uint32_t a, b, again;

	(void)unused;
	make_x86(&m);
	root_port(&m, "00:1c.0", 1, ACS_ON);
	endpoint(&m, "01:00.0");
	make_done(&m);
	f = &m.state->functions[1];
	assert_int_equal(f->owner.kind, WARD_OWNER_NOBODY);
	/* A driver makes the host the owner; one that stands aside makes it nobody's again. */
	assert_int_equal(ward_state_bind(m.state, 1, "nvme"), 0);
	assert_int_equal(f->owner.kind, WARD_OWNER_HOST);
	f->irq_mode = WARD_IRQ_MSIX;
	assert_int_equal(ward_state_bind(m.state, 1, "nvme"), 0);
	assert_int_equal(f->irq_mode, WARD_IRQ_MSIX);
	assert_int_equal(ward_state_bind(m.state, 1, "vfio-pci"), 0);
	assert_true(f->driver_yields);
	assert_int_equal(f->owner.kind, WARD_OWNER_NOBODY);
	assert_int_equal(f->irq_mode, WARD_IRQ_UNKNOWN);
	assert_int_equal(ward_state_bind(m.state, 0, "pcieport"), 0);
	assert_true(m.state->functions[0].driver_exempt);
	/* Vectors go with the driver. */
	m.state->functions[0].irq_mode = WARD_IRQ_MSI;
	assert_int_equal(ward_state_bind(m.state, 0, NULL), 0);
	assert_int_equal(m.state->functions[0].irq_mode, WARD_IRQ_NONE);
	assert_int_equal(m.state->functions[0].owner.kind, WARD_OWNER_NOBODY);
	/* The host may have what no driver is bound to, an IOMMU say. */
	m.state->functions[0].owner.kind = WARD_OWNER_HOST;
	assert_int_equal(ward_state_bind(m.state, 0, NULL), 0);
	assert_int_equal(m.state->functions[0].owner.kind, WARD_OWNER_HOST);

	assert_int_equal(ward_state_client(m.state, "a", &a), 0);
	assert_int_equal(ward_state_client(m.state, "b", &b), 0);
	assert_int_equal(ward_state_client(m.state, "a", &again), 0);
	assert_int_equal(a, again);
	assert_int_not_equal(a, b);
	assert_int_equal(ward_state_client(m.state, "", &again), -EINVAL);
	assert_int_equal(ward_state_bind(m.state, 2, NULL), -EINVAL);
	assert_int_equal(ward_state_add_vector(m.state,
					       &(struct ward_host_vector){
						       .function = 2, .controller = WARD_NONE }),
			 -EINVAL);
	assert_int_equal(ward_state_add_vector(m.state,
					       &(struct ward_host_vector){ .function = WARD_NONE,
									   .controller = 1 }),
			 -EINVAL);
	assert_int_equal(ward_state_add_vector(m.state,
					       &(struct ward_host_vector){ .irq = 24,
									   .function = 1,
									   .controller = 0,
									   .chip = "IR-PCI-MSI" }),
			 0);
	assert_int_equal(ward_state_add_vector(m.state,
					       &(struct ward_host_vector){ .irq = 25,
									   .function = WARD_NONE,
									   .controller = 0,
									   .chip = "DMAR-MSI" }),
			 0);
	/* The same driver, in other memory: its vectors stay, and its name is kept once. */
	name = f->driver;
	assert_int_equal(ward_state_bind(m.state, 1, same), 0);
	assert_ptr_equal(f->driver, name);
	assert_int_equal(m.state->vectors_count, 2);
	/* A client keeps its function whatever happens to the driver; the vectors go with that. */
	f->owner = (struct ward_owner){ WARD_OWNER_CLIENT, b };
	assert_int_equal(ward_state_bind(m.state, 1, NULL), 0);
	assert_int_equal(f->owner.kind, WARD_OWNER_CLIENT);
	assert_int_equal(m.state->vectors_count, 1);
	assert_int_equal(ward_state_copy(m.state, m.machine, &copy), 0);
	assert_int_equal(ward_state_bind(m.state, 1, "nvme"), 0);
	assert_int_equal(copy->functions[1].owner.client, b);
	assert_null(copy->functions[1].driver);
	assert_string_equal(copy->clients[b], "b");
	assert_string_equal(copy->vectors[0].chip, "DMAR-MSI");
	ward_state_destroy(copy);
	make_free(&m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_fields),
		cmocka_unit_test(wrong_parts),
		cmocka_unit_test(sorts_and_links),
		cmocka_unit_test(contradictions),
		cmocka_unit_test(told_parents),
		cmocka_unit_test(doubtful_bridges),
		cmocka_unit_test(virtual_buses),
		cmocka_unit_test(id_maps),
		cmocka_unit_test(msi_id_behind_a_converter),
		cmocka_unit_test(copies_texts),
		cmocka_unit_test(many_functions),
		cmocka_unit_test(states),
	};

	return cmocka_run_group_tests_name("machine/builder", tests, NULL, NULL);
}

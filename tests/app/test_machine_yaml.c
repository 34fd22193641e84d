// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Described machines: what is written comes through, and what is not is as the reference has it. */
#include "skip.h"

#include "app/archive.h"
#include "app/machine_yaml.h"
#include "app/memory.h"

#include <doorward/builder.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine_compare.h"
#include "machine_text.h"

static void expect_root_port(struct ward_function *f)
{
	ward_function_init(f);
	f->address = (struct ward_address){ 1, ward_rid_make(0, 1, 0) };
	f->vendor = 0x8086;
	f->device = 0x1901;
	f->subsystem_vendor = 0x8086;
	f->subsystem_device = 0x2015;
	f->class_code = 0x060401;
	f->revision = 3;
	f->header_type = 1;
	f->multifunction = true;
	f->config_size = 4096;
	f->bridge.primary = 9;
	f->bridge.secondary = 1;
	f->bridge.subordinate = 4;
	f->bridge.memory = (struct ward_range){ 0x10000000, 0x100fffff };
	f->bridge.prefetchable = (struct ward_range){ 0x8000000000, 0x803fffffff };
	f->pcie_type = WARD_PCIE_ROOT_PORT;
	f->pcie_known = WARD_YES;
	f->port_number = 5;
	f->ari_forwarding = true;
	f->acs.present = WARD_YES;
	f->acs.capability = WARD_ACS_SV | WARD_ACS_RR | WARD_ACS_CR | WARD_ACS_EC;
	f->acs.control = WARD_ACS_SV | WARD_ACS_RR;
	f->acs.egress[0] = 1u << 1;
	f->acs.egress[1] = 1u << 1;
	f->acs.egress[7] = 1u << 31;
	f->msi = f->msi_enabled = f->msi_message_known = true;
	f->msi_vectors = 2;
	f->msi_message.address = 0x8020040;
	f->msi_message.data = 100;
	f->intx_pin = 1;
	f->ats = f->pasid = f->pri = WARD_NO;
}

static void expect_pf(struct ward_function *f)
{
	static const char *const names[] = { "nvme0", "nvme0n1" };

	ward_function_init(f);
	f->address = (struct ward_address){ 1, ward_rid_make(1, 0, 0) };
	f->vendor = 0x1b36;
	f->device = 5;
	f->class_code = 0x010802;
	f->config_size = 4096;
	f->pcie_type = WARD_PCIE_LEGACY_ENDPOINT;
	f->pcie_known = WARD_YES;
	f->acs = (struct ward_acs){ .present = WARD_NO,
				    .quirk = WARD_YES,
				    .quirk_bits = WARD_ACS_SV | WARD_ACS_UF,
				    .quirk_name = "a quirk" };
	f->bar[0].range = (struct ward_range){ 0x10000000, 0x10003fff };
	f->bar[1].range = (struct ward_range){ 0x1000, 0x10ff };
	f->bar[1].io = true;
	f->bar[4].range = (struct ward_range){ 0x8000000000, 0x80000fffff };
	f->bar[4].prefetchable = true;
	f->msi = f->msix = true;
	f->msi_vectors = 32;
	f->msix_vectors = 2048;
	f->ats = f->pasid = f->pri = WARD_YES;
	f->ats_enabled = f->pri_enabled = true;
	f->intx_pin = 3;
	f->resets = WARD_RESET_FLR | WARD_RESET_AF | WARD_RESET_PM | WARD_RESET_DEVICE;
	f->resets_known = WARD_YES;
	f->vfs_total = 8;
	f->vfs_enabled = 1;
	f->iommu_known = f->controller_known = WARD_YES;
	f->stream.iommu = 1;
	f->stream.sid = ward_sid(0x123);
	f->controller = 1;
	f->devid = ward_devid(0x456);
	f->group = 2;
	f->pe = 4;
	f->names = names;
	f->names_count = 2;
	f->controller_evidence = f->iommu_evidence = "the description";
}

/* A VF with what its type and its PF give it. */
static void expect_vf(struct ward_function *f, unsigned int number)
{
	ward_function_init(f);
	f->address = (struct ward_address){ 1, ward_rid_make(1, 0, number) };
	f->vendor = 0x1b36;
	f->device = 5;
	f->class_code = 0x020000;
	f->config_size = 4096;
	f->pcie_type = WARD_PCIE_ENDPOINT;
	f->pcie_known = WARD_YES;
	f->acs.present = WARD_NO;
	/* In the order of addresses: 00:01.1 has none and 01:00.0 its own. */
	f->bar[0].range.start = 0x10000000 + (number - 1) * 0x100000ull;
	f->bar[0].range.last = f->bar[0].range.start + 0x3fff;
	f->msix = true;
	f->msix_vectors = 4;
	f->ats = f->pasid = f->pri = WARD_NO;
	f->resets = WARD_RESET_FLR;
	f->resets_known = WARD_YES;
	f->physfn = 1;
}

static void expect_rest(struct ward_function f[3])
{
	static const char *const names[] = { "dma0" };

	ward_function_init(&f[0]);
	f[0].address = (struct ward_address){ 1, ward_rid_make(2, 0, 0) };
	f[0].vendor = 0x1b36;
	f[0].device = 5;
	f[0].class_code = 0x020000;
	f[0].asleep = true;
	f[0].parent = 0;
	f[0].pcie_known = WARD_UNKNOWN;
	f[0].acs.present = WARD_NO;
	f[0].bar[0].range = (struct ward_range){ 0x10200000, 0x10203fff };
	f[0].ats = f[0].pasid = f[0].pri = WARD_NO;
	f[0].intx_pin = 1;
	f[0].resets_known = WARD_NO;
	f[0].iommu_known = f[0].controller_known = WARD_YES;
	f[0].controller_evidence = f[0].iommu_evidence = "the description";
	ward_function_init(&f[1]);
	f[1].address = (struct ward_address){ 1, ward_rid_make(0, 1, 1) };
	f[1].vendor = 0x1b36;
	f[1].device = 5;
	f[1].class_code = 0x020000;
	f[1].config_size = 4096;
	f[1].multifunction = true;
	f[1].pcie_type = WARD_PCIE_RC_ENDPOINT;
	f[1].pcie_known = WARD_YES;
	f[1].port_number = 1;
	f[1].acs.present = WARD_NO;
	f[1].pasid = f[1].pri = WARD_NO;
	f[1].intx_pin = 1;
	f[1].resets = WARD_RESET_FLR;
	f[1].resets_known = WARD_YES;
	ward_function_init(&f[2]);
	f[2].kind = WARD_FUNCTION_PLATFORM;
	f[2].name = "a9000000.dma";
	f[2].ats = f[2].pasid = f[2].pri = WARD_NO;
	f[2].iommu_known = f[2].controller_known = WARD_YES;
	f[2].stream.iommu = 0;
	f[2].stream.sid = ward_sid(5);
	f[2].controller = 0;
	f[2].devid = ward_devid(6);
	f[2].group = 0;
	f[2].pe = 4;
	f[2].names = names;
	f[2].names_count = 1;
	f[2].controller_evidence = f[2].iommu_evidence = "the description";
}

static void add_expected_parts(struct ward_builder *builder)
{
	struct ward_controller its = { .kind = WARD_CONTROLLER_GICV3_ITS,
				       .name = "its",
				       .doorbells = { { 0x8090000, 0x809ffff } },
				       .doorbells_count = 1,
				       .pool = 7,
				       .firmware_id = 0x20,
				       .evidence = "MADT ITS 0" };
	struct ward_controller frame = { .kind = WARD_CONTROLLER_GICV2M,
					 .name = "frame",
					 .isolates = WARD_YES,
					 .doorbells = { { 0x8020000, 0x8020fff },
							{ 0x8030000, 0x8030fff },
							{ 0x8040000, 0x8041fff } },
					 .doorbells_count = 3,
					 .first_intid = 100,
					 .intids = 32,
					 .pool = 3,
					 .evidence = "the description" };
	struct ward_iommu a = { .kind = WARD_IOMMU_SMMUV3,
				.name = "a",
				.base = ward_pa(0x9050000),
				.active = WARD_NO,
				.ats = WARD_NO,
				.controller = 1,
				.domains = WARD_DOMAINS_JOINED };
	struct ward_iommu b = { .kind = WARD_IOMMU_VIRTIO,
				.name = "b",
				.remaps_interrupts = WARD_NO,
				.controller = WARD_NONE,
				.domains = WARD_DOMAINS_FIXED };
	struct ward_id_map msi = { .kind = WARD_ID_MAP_MSI,
				   .segment = 1,
				   .first = ward_rid(0x100),
				   .last = ward_rid(0x1ff),
				   .mask = 0xfff8,
				   .target = 0,
				   .output_base = 0x8000,
				   .evidence = "IORT root complex 0" };
	struct ward_id_map none = { .kind = WARD_ID_MAP_IOMMU,
				    .segment = 1,
				    .last = ward_rid(0xffff),
				    .mask = 0xffff,
				    .target = WARD_NONE,
				    .evidence = "the description" };

	assert_int_equal(ward_builder_add_controller(builder, &its, NULL), 0);
	assert_int_equal(ward_builder_add_controller(builder, &frame, NULL), 0);
	assert_int_equal(ward_builder_add_iommu(builder, &a, NULL), 0);
	assert_int_equal(ward_builder_add_iommu(builder, &b, NULL), 0);
	assert_int_equal(ward_builder_add_id_map(builder, &msi), 0);
	assert_int_equal(ward_builder_add_id_map(builder, &none), 0);
}

static void add_expected_lists(struct ward_builder *builder)
{
	const struct ward_kernel_group groups[] = { { 13, WARD_GROUP_IDENTITY },
						    { 99, WARD_GROUP_DMA_FQ },
						    { 12, WARD_GROUP_DMA } };
	const struct ward_region direct = {
		{ 0x7f000000, 0x7fffffff }, WARD_REGION_DIRECT, 1, WARD_NONE, "RMRR"
	};
	const struct ward_region window = {
		{ 0x8000000, 0x80fffff }, WARD_REGION_SW_MSI, WARD_NONE, 2, "the description"
	};
	const struct ward_mmio_segment segment = { { 0x10000000, 0x1000ffff }, 4 };

	for (size_t i = 0; i < 3; i++)
		assert_int_equal(ward_builder_add_group(builder, &groups[i], NULL), 0);
	assert_int_equal(ward_builder_add_region(builder, &direct), 0);
	assert_int_equal(ward_builder_add_region(builder, &window), 0);
	assert_int_equal(ward_builder_add_segment(builder, &segment), 0);
	assert_int_equal(ward_builder_remark(builder, "table-broken", "IORT is short"), 0);
}

static struct ward_machine *expected_machine(void)
{
	struct ward_builder *builder;
	struct ward_function f[7];
	struct ward_machine *machine;
	struct ward_error error = { "" };

	assert_int_equal(ward_builder_create(&builder), 0);
	assert_int_equal(ward_builder_set_host(builder, WARD_ARCH_ARM64, "6.12.0", "quiet splash",
					       16384),
			 0);
	ward_builder_machine(builder)->firmware_acpi = true;
	ward_builder_machine(builder)->unsafe_interrupts_allowed = WARD_YES;
	add_expected_parts(builder);
	add_expected_lists(builder);
	expect_root_port(&f[0]);
	expect_pf(&f[1]);
	expect_vf(&f[2], 1);
	f[2].group = 2;
	f[2].msix_enabled = true;
	expect_vf(&f[3], 2);
	f[3].ats = WARD_UNKNOWN;
	expect_rest(&f[4]);
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(ward_builder_add_function(builder, &f[i], NULL), 0);
	if (ward_builder_finish(builder, &machine, &error))
		fail_msg("%s", error.text);
	return machine;
}

static uint32_t at(const struct ward_machine *machine, const char *name)
{
	uint32_t index = ward_machine_find_name(machine, name);

	assert_int_not_equal(index, WARD_NONE);
	return index;
}

static struct ward_owner client_of(struct ward_state *state, const char *name)
{
	struct ward_owner owner = { .kind = WARD_OWNER_CLIENT };

	assert_int_equal(ward_state_client(state, name, &owner.client), 0);
	return owner;
}

static struct ward_state *expected_state(const struct ward_machine *machine)
{
	const struct ward_owner host = { .kind = WARD_OWNER_HOST };
	struct ward_function_state *f;
	struct ward_state *state;

	assert_int_equal(ward_state_create(machine, &state), 0);
	f = state->functions;
	(void)client_of(state, "vm0");
	(void)client_of(state, "vm1");
	assert_int_equal(ward_state_bind(state, at(machine, "0001:00:01.0"), "pcieport"), 0);
	assert_int_equal(ward_state_bind(state, at(machine, "0001:01:00.0"), "nvme"), 0);
	assert_int_equal(ward_state_bind(state, at(machine, "0001:01:00.1"), "vfio-pci"), 0);
	assert_int_equal(ward_state_bind(state, at(machine, "a9000000.dma"), "pl330"), 0);
	for (uint32_t i = 0; i < machine->functions_count; i++)
		f[i].irq_mode = WARD_IRQ_NONE;
	f[at(machine, "0001:00:01.0")].irq_mode = WARD_IRQ_MSI;
	f += at(machine, "0001:01:00.0");
	f->driver_override = "vfio-pci";
	f->irq_mode = WARD_IRQ_INTX;
	f->intx_irq = 17;
	f->msi_off = true;
	f->tainted_by = client_of(state, "vm2");
	f = &state->functions[at(machine, "0001:01:00.1")];
	f->owner = client_of(state, "vm1");
	f->frozen = f->revoking = true;
	f->irq_mode = WARD_IRQ_MSIX;
	state->functions[at(machine, "0001:01:00.2")].absent = true;
	f = &state->functions[at(machine, "0001:02:00.0")];
	f->quarantined = true;
	f->tainted_by = host;
	state->functions[at(machine, "0001:00:01.1")].owner = host;
	f = &state->functions[at(machine, "a9000000.dma")];
	f->driver_override = "pl331";
	f->owner = client_of(state, "vm2");
	f->tainted_by = client_of(state, "vm1");
	f->irq_mode = WARD_IRQ_MSI;
	f->msi_off = f->absent = f->quarantined = f->frozen = f->revoking = true;
	assert_int_equal(ward_state_add_vector(state,
					       &(struct ward_host_vector){
						       45, 100, at(machine, "0001:01:00.0"), 1,
						       "MSI" }),
			 0);
	assert_int_equal(ward_state_add_vector(state,
					       &(struct ward_host_vector){ 46, 0, WARD_NONE,
									   WARD_NONE, NULL }),
			 0);
	return state;
}

static void load_well(const char *text, struct app_machine *ret_machine)
{
	struct ward_error error = { "" };

	if (load(text, ret_machine, &error))
		fail_msg("%s", error.text);
}

static void every_field_comes_through(void **state)
{
	struct ward_machine *machine = expected_machine();
	struct ward_state *wanted = expected_state(machine);
	struct app_machine read;

	(void)state;
	load_well(everything, &read);
	same_machine(read.machine, machine, true);
	same_state(read.state, wanted);
	assert_int_equal(read.memory_count, 2);
	assert_int_equal(read.memory[0].start, 0);
	assert_int_equal(read.memory[0].last, 0xffffff);
	assert_int_equal(read.memory[1].start, 0x80000000);
	assert_int_equal(read.memory[1].last, 0x8fffffff);
	app_machine_finish(&read);
	ward_state_destroy(wanted);
	ward_machine_destroy(machine);
}

/* What a simple machine says nothing of. */
static void defaults(void **state)
{
	static const char text[] = "arch: arm64\n"
				   "iommus: [{name: smmu, kind: smmuv3}]\n"
				   "controllers:\n"
				   "  - {name: f0, kind: gicv2m, doorbells: [\"0x8020000\"]}\n"
				   "  - {name: its, kind: its, doorbells: [\"0x8090000\"]}\n"
				   "  - {name: f1, kind: gicv2m, doorbells: [\"0x8030000\"]}\n"
				   "functions:\n"
				   "  - {address: \"00:01.0\", type: root-port, secondary: 1,\n"
				   "     driver: pcieport}\n"
				   "  - {address: \"01:00.0\", driver: e1000e}\n"
				   "  - {address: \"01:00.1\", driver: vfio-pci, controller: its}\n"
				   "  - {address: \"0002:00:00.0\", config_size: 64}\n";
	const struct ward_function *f;
	struct app_machine read;

	(void)state;
	load_well(text, &read);
	assert_int_equal(read.machine->page_size, 4096);
	assert_true(read.machine->firmware_dt);
	assert_int_equal(read.machine->firmware_iommu, WARD_YES);
	assert_false(read.machine->groups_known);
	assert_int_equal(read.memory[0].start, 0x40000000);
	assert_int_equal(read.memory[0].last, 0x7fffffff);
	assert_int_equal(read.machine->controllers[0].pool, 0);
	assert_int_equal(read.machine->controllers[0].first_intid, 64);
	assert_int_equal(read.machine->controllers[1].pool, 1);
	assert_int_equal(read.machine->controllers[1].isolates, WARD_YES);
	assert_int_equal(read.machine->controllers[2].pool, 0);
	assert_int_equal(read.machine->controllers[2].first_intid, 128);
	f = &read.machine->functions[at(read.machine, "00:01.0")];
	/* What could make it look safer than it is has to be said. */
	assert_int_equal(f->acs.present, WARD_UNKNOWN);
	assert_int_equal(f->ats, WARD_NO);
	assert_int_equal(f->bridge.subordinate, 1);
	assert_true(ward_range_is_empty(f->bar[0].range));
	f = &read.machine->functions[at(read.machine, "01:00.0")];
	assert_true(f->multifunction);
	assert_true(f->msix_enabled);
	assert_int_equal(f->stream.iommu, 0);
	assert_int_equal(ward_sid_raw(f->stream.sid), 0x100);
	assert_int_equal(f->ats, WARD_UNKNOWN);
	assert_int_equal(f->controller_known, WARD_UNKNOWN);
	assert_int_equal(f->controller, WARD_NONE);
	assert_int_equal(read.state->functions[at(read.machine, "01:00.0")].irq_mode,
			 WARD_IRQ_MSIX);
	f = &read.machine->functions[at(read.machine, "01:00.1")];
	assert_false(f->msix_enabled);
	assert_int_equal(f->controller, 1);
	assert_int_equal(ward_devid_raw(f->devid), 0x101);
	f = &read.machine->functions[at(read.machine, "0002:00:00.0")];
	assert_int_equal(ward_sid_raw(f->stream.sid), 0x20000);
	assert_int_equal(f->pcie_known, WARD_UNKNOWN);
	assert_int_equal(f->acs.present, WARD_UNKNOWN);
	assert_int_equal(f->ats, WARD_UNKNOWN);
	assert_false(f->msix);
	app_machine_finish(&read);
}

/* Behind a bridge that puts an id of its own in the place of others. */
static void aliases_follow(void **state)
{
	static const char text[] = "arch: arm64\n"
				   "iommus: [{name: smmu, kind: smmuv3}]\n"
				   "controllers: [{name: its, kind: its, doorbells: [\"0\"]}]\n"
				   "functions:\n"
				   "  - {address: \"00:01.0\", type: pcie-to-pci, secondary: 1}\n"
				   "  - {address: \"01:02.0\", type: conventional, msi: 1}\n";
	const struct ward_function *f;
	struct app_machine read;

	(void)state;
	load_well(text, &read);
	f = &read.machine->functions[1];
	assert_int_equal(f->aliases, 1);
	assert_int_equal(ward_rid_raw(f->alias[0]), 0x100);
	assert_int_equal(ward_devid_raw(f->devid), 0x100);
	app_machine_finish(&read);
}

/* Where no controller is told of, messages go nobody knows where; that they go nowhere is said. */
static void no_controllers(void **state)
{
	static const char *const archs[] = { "x86", "arm64", "power" };

	(void)state;
	for (size_t i = 0; i < sizeof(archs) / sizeof(archs[0]); i++) {
		struct app_machine read;
		char text[256];

		snprintf(text, sizeof(text),
			 "arch: %s\n"
			 "functions:\n"
			 "  - {address: \"00:01.0\"}\n"
			 "  - {address: \"00:02.0\", controller: none}\n",
			 archs[i]);
		load_well(text, &read);
		assert_int_equal(read.machine->functions[0].controller_known, WARD_UNKNOWN);
		assert_int_equal(read.machine->functions[1].controller_known, WARD_YES);
		assert_int_equal(read.machine->functions[1].controller, WARD_NONE);
		app_machine_finish(&read);
	}
}

/* On x86 and POWER nothing maps ids, and the kinds have their own defaults. */
static void other_architectures(void **state)
{
	static const char x86[] = "arch: x86\n"
				  "iommus: [{name: dmar0, kind: vtd}]\n"
				  "controllers: [{name: ir, kind: remapping}]\n"
				  "functions: [{address: \"00:02.0\"}]\n";
	static const char power[] = "arch: power\n"
				    "functions: [{address: \"00:02.0\"}]\n";
	struct app_machine read;

	(void)state;
	load_well(x86, &read);
	assert_int_equal(read.machine->id_maps_count, 0);
	assert_int_equal(read.machine->iommus[0].remaps_interrupts, WARD_YES);
	assert_int_equal(read.machine->controllers[0].doorbells[0].start, 0xfee00000);
	assert_int_equal(read.machine->controllers[0].doorbells[0].last, 0xfeefffff);
	assert_int_equal(read.machine->functions[0].controller, 0);
	assert_int_equal(read.machine->functions[0].bar[0].range.start, 0xc0000000);
	assert_true(read.machine->firmware_acpi);
	app_machine_finish(&read);
	load_well(power, &read);
	assert_int_equal(read.machine->page_size, 65536);
	assert_int_equal(read.machine->firmware_iommu, WARD_NO);
	assert_int_equal(read.machine->functions[0].iommu_known, WARD_YES);
	assert_int_equal(read.machine->functions[0].stream.iommu, WARD_NONE);
	app_machine_finish(&read);
}

/* Written and read again, it is the same. */
static void comes_back(const char *name, const struct ward_machine *machine,
		       const struct ward_state *state, bool evidence)
{
	struct ward_error error = { "" };
	struct app_machine read;
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	assert_non_null(file);
	app_machine_write(file, "written by a test\nof two lines", machine, state);
	assert_int_equal(fclose(file), 0);
	if (load(text, &read, &error))
		fail_msg("%s: %s", name, error.text);
	same_machine(read.machine, machine, evidence);
	same_state(read.state, state);
	app_machine_finish(&read);
	free(text);
}

static void what_is_written_comes_back(void **state)
{
	struct app_machine read;

	(void)state;
	load_well(everything, &read);
	comes_back("everything", read.machine, read.state, false);
	app_machine_finish(&read);
}

static void comes_back_captured(const char *name)
{
	struct ward_error error = { "" };
	struct app_unpacked unpacked;
	struct ward_machine *machine;
	struct ward_state *state;

	assert_int_equal(app_archive_unpack(name, &unpacked, &error), 0);
	assert_int_equal(ward_machine_read(unpacked.fd, NULL, &machine, &state, &error), 0);
	app_unpacked_finish(&unpacked);
	comes_back(name, machine, state, false);
	ward_state_destroy(state);
	ward_machine_destroy(machine);
}

/* So whatever real machines have can be described. */
static void captured_machines_come_back(void **state)
{
	const char *root = getenv("DOORWARD_SOURCE");
	char *folder = app_printf("%s/examples/machines", root ? root : ".");
	DIR *directory = opendir(folder);
	const struct dirent *entry;
	unsigned int count = 0;

	(void)state;
	if (!directory)
		test_skip("no examples/machines in %s", root ? root : ".");
	while ((entry = readdir(directory))) {
		char *name = app_printf("%s/%s", folder, entry->d_name);

		if (strstr(name, ".tar")) {
			comes_back_captured(name);
			count++;
		}
		free(name);
	}
	closedir(directory);
	free(folder);
	assert_true(count > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_comes_through),
		cmocka_unit_test(defaults),
		cmocka_unit_test(aliases_follow),
		cmocka_unit_test(other_architectures),
		cmocka_unit_test(no_controllers),
		cmocka_unit_test(what_is_written_comes_back),
		cmocka_unit_test(captured_machines_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

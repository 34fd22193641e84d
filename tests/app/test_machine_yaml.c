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
#include <unistd.h>

#include "machine_compare.h"

/* Every field there is, none with its default. */
static const char everything[] =
	"title: all there is\n"
	"arch: arm64\n"
	"page_size: 0x4000\n"
	"kernel: 6.12.0\n"
	"command_line: quiet splash\n"
	"firmware: acpi\n"
	"firmware_iommu: unknown\n"
	"unsafe_interrupts: yes\n"
	"groups_known: no\n"
	"clients: [vm0, vm1]\n"
	"memory: [\"0x80000000-0x8fffffff\", \"0+16 MiB\"]\n"
	"iommus:\n"
	"  - {name: a, kind: smmuv3, base: \"0x9050000\", active: no, remaps_interrupts: unknown,\n"
	"     ats: no, controller: frame, domains: joined}\n"
	"  - {name: b, kind: virtio, domains: fixed, active: unknown, ats: unknown}\n"
	"controllers:\n"
	"  - {name: its, kind: its, isolates: unknown, doorbells: [\"0x8090000\"], pool: 7,\n"
	"     firmware_id: 0x20, evidence: MADT ITS 0}\n"
	"  - {name: frame, kind: gicv2m, isolates: yes, first_intid: 100, intids: 32, pool: 3,\n"
	"     doorbells: [\"0x8020000\", \"0x8030000-0x8030fff\", \"0x8040000+8 KiB\"]}\n"
	"functions:\n"
	"  - address: \"0001:00:01.0\"\n"
	"    type: root-port\n"
	"    id: \"8086:1901\"\n"
	"    subsystem: \"8086:2015\"\n"
	"    class: \"0x060401\"\n"
	"    revision: 3\n"
	"    header_type: 1\n"
	"    multifunction: yes\n"
	"    config_size: 4096\n"
	"    primary: 9\n"
	"    secondary: 1\n"
	"    subordinate: 4\n"
	"    window: \"0x10000000-0x100fffff\"\n"
	"    prefetchable_window: \"0x8000000000+1 GiB\"\n"
	"    pcie_known: yes\n"
	"    port: 5\n"
	"    ari: yes\n"
	"    acs: sv rr\n"
	"    acs_offers: sv rr cr ec\n"
	"    egress: [1, 33, 255]\n"
	"    msi: 2\n"
	"    msi_message: {address: \"0x8020040\", data: 100}\n"
	"    resets: []\n"
	"    resets_known: unknown\n"
	"    driver: pcieport\n"
	"    irq: msi\n"
	"  - address: \"0001:01:00.0\"\n"
	"    type: legacy-endpoint\n"
	"    class: nvme\n"
	"    acs_quirk: {isolates: yes, bits: sv uf, name: a quirk}\n"
	"    bars:\n"
	"      - {range: \"0x10000000+16 KiB\"}\n"
	"      - {range: \"0x1000-0x10ff\", io: yes}\n"
	"      - {range: \"0x8000000000+1MiB\", bar: 4, prefetchable: yes}\n"
	"    msi: 32\n"
	"    msix: 2048\n"
	"    ats: on\n"
	"    pasid: capable\n"
	"    pri: on\n"
	"    intx: C\n"
	"    intx_line: 17\n"
	"    resets: [flr, af, pm, device]\n"
	"    vfs_total: 8\n"
	"    vfs_enabled: 1\n"
	"    iommu: b\n"
	"    stream: 0x123\n"
	"    controller: frame\n"
	"    devid: 0x456\n"
	"    group: 12\n"
	"    names: [nvme0, nvme0n1]\n"
	"    driver: nvme\n"
	"    driver_override: vfio-pci\n"
	"    irq: intx\n"
	"    msi_off: yes\n"
	"    tainted_by: vm2\n"
	"  - {address: \"0001:01:00.1\", pf: \"0001:01:00.0\", owner: vm1, frozen: yes, revoking: yes,\n"
	"     irq: msix, group: 12, ats: no}\n"
	"  - {address: \"0001:01:00.2\", pf: \"0001:01:00.0\", absent: yes, ats: unknown}\n"
	"  - {address: \"0001:02:00.0\", type: conventional, parent: \"0001:00:01.0\", asleep: yes,\n"
	"     quarantined: yes, tainted_by: host, iommu: none, controller: none}\n"
	"  - {address: \"0001:00:01.1\", type: integrated, auto_bar: no, msix: 0, owner: host}\n"
	"platform_devices:\n"
	"  - {name: a9000000.dma, iommu: a, stream: 5, controller: its, devid: 6, group: 13,\n"
	"     names: [dma0], driver: pl330, driver_override: pl331, owner: vm2, irq: msi, msi_off: yes,\n"
	"     absent: yes, quarantined: yes, frozen: yes, revoking: yes, tainted_by: vm1}\n"
	"id_maps:\n"
	"  - {kind: msi, segment: 1, first: 0x100, last: 0x1ff, mask: 0xfff8, to: its, output: 0x8000,\n"
	"     evidence: IORT root complex 0}\n"
	"  - {kind: iommu, segment: 1, to: none}\n"
	"groups:\n"
	"  - {number: 13, type: identity}\n"
	"  - {number: 99, type: dma-fq}\n"
	"regions:\n"
	"  - {range: \"0x7f000000-0x7fffffff\", kind: direct, function: \"0001:01:00.0\", source: RMRR}\n"
	"  - {range: \"0x8000000+1 MiB\", kind: sw-msi, group: 12}\n"
	"partitions:\n"
	"  - {pe: 4, functions: [\"0001:01:00.0\", \"a9000000.dma\"], mmio: [\"0x10000000+64 KiB\"]}\n"
	"vectors:\n"
	"  - {irq: 45, hwirq: 100, function: \"0001:01:00.0\", controller: frame, chip: MSI}\n"
	"  - {irq: 46}\n"
	"remarks:\n"
	"  - {code: table-broken, text: IORT is short}\n";

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

static int load(const char *text, struct app_machine *ret_machine, struct ward_error *ret_error)
{
	struct app_yaml yaml;
	int code =
		app_yaml_load("m.yaml", text, strlen(text), &app_machine_schema, &yaml, ret_error);

	if (code)
		return code;
	code = app_machine_build(yaml.data, &yaml, "", ret_machine, ret_error);
	app_yaml_finish(&yaml);
	return code;
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

#define HEAD                                     \
	"arch: arm64\n"                          \
	"iommus: [{name: smmu, kind: smmuv3}]\n" \
	"controllers:\n"                         \
	"  - {name: frame, kind: gicv2m, doorbells: [\"0x8020000\"]}\n"
#define FUNCTION(fields)                                                   \
	HEAD "functions:\n"                                                \
	     "  - {address: \"00:01.0\", type: root-port, secondary: 1}\n" \
	     "  - {address: \"01:00.0\", " fields "}\n"

static const struct {
	const char *text, *error;
} refused[] = {
	/* What is no YAML, or more of it than is taken. */
	{ "", "m.yaml:1: nothing is described here" },
	{ "# arch: arm64\n", "m.yaml:1: nothing is described here" },
	{ "arch: [\n", "m.yaml:2: this is no YAML: did not find expected node content" },
	{ "a\xff", "m.yaml:1: this is no YAML: invalid leading UTF-8 octet" },
	{ "- arch\n", "m.yaml:1: fields belong here (name: value)" },
	{ "arch: &a arm64\n", "m.yaml:1: anchors (&name) are not taken" },
	{ "arch: arm64\ntitle: *a\n", "m.yaml:2: aliases (*name) are not taken: write it out" },
	{ "arch: !!str arm64\n", "m.yaml:1: tags (!name) are not taken" },
	{ "arch: arm64\n---\narch: x86\n",
	  "m.yaml:2: a second document begins here; only one belongs into a file" },
	{ "arch: arm64\nmemory: [[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]]\n",
	  "m.yaml:2: this is too deep" },
	/* Types. */
	{ "title: none\n", "m.yaml:1: the field \"arch\" is missing" },
	{ "arch: arm64\narhc: x86\n",
	  "m.yaml:2: there is no field \"arhc\"; did you mean \"arch\"?" },
	{ "arch: arm64\nsomething: x86\n", "m.yaml:2: there is no field \"something\"" },
	{ "arch: arm64\narch: x86\n", "m.yaml:2: arch: this stands here twice" },
	{ "arch: sparc\n", "m.yaml:1: arch: \"sparc\" is none of: x86, arm64, power, unknown" },
	{ "arch: arm64\n[a]: x86\n", "m.yaml:2: the name of a field is a word" },
	{ "arch: arm64\npage_size: 4k\n",
	  "m.yaml:2: page_size: \"4k\" is no number: write 64 or 0x40" },
	{ "arch: arm64\npage_size: 010000\n",
	  "m.yaml:2: page_size: \"010000\" is no number: write 64 or 0x40" },
	{ "arch: arm64\npage_size: -1\n",
	  "m.yaml:2: page_size: \"-1\" is no number: write 64 or 0x40" },
	{ "arch: arm64\npage_size: 0x100000000\n",
	  "m.yaml:2: page_size: 0x100000000 is beyond 4294967295" },
	{ "arch: arm64\npage_size:\n", "m.yaml:2: page_size: nothing stands here" },
	{ "arch: arm64\npage_size: [4096]\n",
	  "m.yaml:2: page_size: one value belongs here, no list and no fields" },
	{ "arch: arm64\nmemory: all\n", "m.yaml:2: memory: a list belongs here: [one, two]" },
	{ "arch: arm64\ngroups_known: perhaps\n",
	  "m.yaml:2: groups_known: \"perhaps\" is neither yes nor no" },
	{ "arch: arm64\nkernel: \"6\\012\"\n",
	  "m.yaml:2: kernel: a zero byte is no part of a text" },
	{ "arch: arm64\niommus: [{kind: vtd}]\n",
	  "m.yaml:2: iommus[0]: the field \"name\" is missing" },
	{ "arch: arm64\niommus: [{name: \"\", kind: vtd}]\n",
	  "m.yaml:2: iommus[0].name: this cannot be empty" },
	{ FUNCTION("resets: [flr, fly]"),
	  "m.yaml:7: functions[1].resets[1]: \"fly\" is none of: flr, af, pm, device" },
	{ FUNCTION("resets: [[flr]]"), "m.yaml:7: functions[1].resets[0]: a word belongs here" },
	{ FUNCTION("bars: [{range: a}, {range: a}, {range: a}, {range: a}, {range: a}, {range: a}, "
		   "{range: a}, {range: a}]"),
	  "m.yaml:7: functions[1].bars: 8 are too many; at most 7" },
	{ FUNCTION("class: \"01234567890123456789012345678901234567890123456789012345678901234\""),
	  "m.yaml:7: functions[1].class: 65 characters are too long; at most 64" },
	/* The host. */
	{ "arch: arm64\npage_size: 4095\n",
	  "m.yaml:2: page_size: 4095 is none of 4096, 16384, 65536" },
	{ "arch: arm64\nmemory: [\"0x1000-0\"]\n",
	  "m.yaml:2: memory[0]: \"0x1000-0\" is no range: write \"0x40000000+1 GiB\"" },
	{ "arch: arm64\nmemory: [\"0+1 GB\"]\n",
	  "m.yaml:2: memory[0]: \"0+1 GB\" is no range: write \"0x40000000+1 GiB\"" },
	{ "arch: arm64\nmemory: [\"0+17179869185 GiB\"]\n",
	  "m.yaml:2: memory[0]: \"0+17179869185 GiB\" is no range: write \"0x40000000+1 GiB\"" },
	{ "arch: arm64\nmemory:\n  - \"0+1 GiB\"\n  - \"4096+1 MiB\"\n",
	  "m.yaml:4: memory[1]: memory[0] has some of this, too" },
	/* IOMMUs and controllers. */
	{ "arch: arm64\niommus:\n  - {name: a, kind: vtd}\n  - {name: a, kind: vtd}\n",
	  "m.yaml:4: iommus[1].name: iommus[0] is called a, too" },
	{ "arch: arm64\niommus: [{name: none, kind: vtd}]\n",
	  "m.yaml:2: iommus[0].name: \"none\" is no name: it has a meaning of its own" },
	{ "arch: arm64\niommus: [{name: a, kind: vtd, base: here}]\n",
	  "m.yaml:2: iommus[0].base: \"here\" is no address" },
	{ "arch: arm64\niommus: [{name: a, kind: vtd, controller: its}]\n",
	  "m.yaml:2: iommus[0].controller: no controller is called its" },
	{ "arch: arm64\ncontrollers:\n  - {name: a, kind: its}\n",
	  "m.yaml:3: controllers[0].doorbells: where a has its doorbell has to be told" },
	{ "arch: arm64\ncontrollers:\n  - {name: a, kind: its, doorbells: [here]}\n",
	  "m.yaml:3: controllers[0].doorbells[0]: \"here\" is neither an address nor a range" },
	{ "arch: arm64\ncontrollers:\n  - {name: a, kind: gicv2m, doorbells: [\"0\"], intids: 3}\n",
	  "m.yaml:3: controllers[0].first_intid: first_intid and intids have to name SPIs: 32 to "
	  "1019" },
	{ HEAD "id_maps: [{kind: msi, to: its}]\n",
	  "m.yaml:5: id_maps[0].to: no controller is called its" },
	{ HEAD "id_maps: [{kind: iommu, to: its}]\n",
	  "m.yaml:5: id_maps[0].to: no IOMMU is called its" },
	{ HEAD "id_maps: [{kind: iommu, to: smmu, first: 8, last: 7}]\n",
	  "m.yaml:5: id_maps[0].last: it ends before it begins" },
	{ HEAD "id_maps: [{kind: iommu, to: smmu, first: 8, mask: 7}]\n",
	  "m.yaml:5: id_maps[0].first: the mask leaves no id there" },
	/* Functions. */
	{ HEAD "functions: [{address: \"00:32.0\"}]\n",
	  "m.yaml:5: functions[0].address: \"00:32.0\" is no address: write 01:00.0 or "
	  "0000:01:00.0" },
	{ HEAD "functions:\n  - {address: \"01:00.0\"}\n  - {address: \"0000:01:00.0\"}\n",
	  "m.yaml:7: functions[1].address: functions[0] has the address 0000:01:00.0, too" },
	{ FUNCTION("controller: frame1"),
	  "m.yaml:7: functions[1].controller: no controller is called frame1" },
	{ FUNCTION("iommu: smmu1"), "m.yaml:7: functions[1].iommu: no IOMMU is called smmu1" },
	{ FUNCTION("id: \"8086\""),
	  "m.yaml:7: functions[1].id: \"8086\" is not of the form 8086:10d3" },
	{ FUNCTION("subsystem: \"8086:xxxx\""),
	  "m.yaml:7: functions[1].subsystem: \"8086:xxxx\" is not of the form 8086:a01f" },
	{ FUNCTION("class: card"),
	  "m.yaml:7: functions[1].class: \"card\" is no class: write a word such as network, or "
	  "\"0x020000\"" },
	{ FUNCTION("header_type: 3"), "m.yaml:7: functions[1].header_type: 3 is none of 0, 1, 2" },
	{ FUNCTION("config_size: 128"),
	  "m.yaml:7: functions[1].config_size: 128 is none of 0, 64, 256, 4096" },
	{ FUNCTION("secondary: 3"), "m.yaml:7: functions[1].secondary: 01:00.0 is no bridge" },
	{ FUNCTION("driver: nvme, owner: nobody"),
	  "m.yaml:7: functions[1].owner: nvme drives it for the host, so it is the host's" },
	{ FUNCTION("quarantined: yes, owner: vm"),
	  "m.yaml:7: functions[1].quarantined: what is quarantined is nobody's, and nothing drives "
	  "it" },
	{ FUNCTION("type: upstream"),
	  "m.yaml:7: functions[1].secondary: which bus is below 01:00.0 has to be told; 0: none" },
	{ FUNCTION("window: \"0+4096\""), "m.yaml:7: functions[1].window: 01:00.0 is no bridge" },
	{ FUNCTION("type: upstream, secondary: 2, window: \"0+0\""),
	  "m.yaml:7: functions[1].window: \"0+0\" is no range: write \"0x10000000-0x100fffff\" or "
	  "\"0x10000000+1 MiB\"" },
	{ FUNCTION("type: upstream, secondary: 1"),
	  "m.yaml:7: functions[1]: bridge 0000:01:00.0 has bus numbers that lead back: secondary "
	  "01, subordinate 01" },
	{ FUNCTION("bars: [{range: \"0+5\", bar: 7}]"),
	  "m.yaml:7: functions[1].bars[0].range: there are BARs 0 to 5, and 6 for the ROM" },
	{ FUNCTION("bars: [{range: \"0+5\", bar: 1}, {range: \"0+5\"}]"),
	  "m.yaml:7: functions[1].bars[1].range: BAR 1 stands here twice" },
	{ FUNCTION("bars: [{range: everywhere}]"),
	  "m.yaml:7: functions[1].bars[0].range: \"everywhere\" is no range: write "
	  "\"0x10000000+16 KiB\"" },
	{ FUNCTION("acs: some"),
	  "m.yaml:7: functions[1].acs: \"some\" is neither none, empty, off, full, unknown nor some "
	  "of: sv tb rr cr uf ec dt" },
	{ FUNCTION("acs: full, acs_offers: sv"),
	  "m.yaml:7: functions[1].acs_offers: something is on that it does not offer" },
	{ FUNCTION("msi: 3"), "m.yaml:7: functions[1].msi: MSI has 1, 2, 4, 8, 16 or 32 vectors" },
	{ FUNCTION("msix: 2049"), "m.yaml:7: functions[1].msix: MSI-X has 2048 vectors at most" },
	{ FUNCTION("irq: msi"), "m.yaml:7: functions[1].irq: it has no MSI" },
	{ FUNCTION("msix: 0, irq: msix"), "m.yaml:7: functions[1].irq: it has no MSI-X" },
	{ FUNCTION("msi_message: {address: there, data: 1}"),
	  "m.yaml:7: functions[1].msi_message.address: \"there\" is no address" },
	{ FUNCTION("pf: \"01:00.1\""), "m.yaml:7: functions[1].pf: there is no function 01:00.1" },
	{ FUNCTION("pf: eth0"), "m.yaml:7: functions[1].pf: no function is called eth0" },
	{ FUNCTION("pf: \"01:00.0\""),
	  "m.yaml:7: functions[1]: 0000:01:00.0 cannot be the PF of 0000:01:00.0" },
	{ FUNCTION("parent: \"09:00.0\""),
	  "m.yaml:7: functions[1].parent: there is no function 09:00.0" },
	{ FUNCTION("vfs_enabled: 2"),
	  "m.yaml:7: functions[1].vfs_total: more VFs are there than it can have" },
	{ FUNCTION("owner: \"\""),
	  "m.yaml:7: functions[1].owner: this cannot be: Invalid argument" },
	/* The rest. */
	{ HEAD "platform_devices: [{name: a}, {name: a}]\n",
	  "m.yaml:5: platform_devices[1].name: platform_devices[0] is called a, too" },
	{ HEAD "platform_devices: [{name: \"01:00.0\"}]\n",
	  "m.yaml:5: platform_devices[0].name: this is the address of a PCI function" },
	{ HEAD "platform_devices: [{name: a, acs: full}]\n",
	  "m.yaml:5: platform_devices[0]: there is no field \"acs\"" },
	{ HEAD "clients: [vm, host]\n", "m.yaml:5: clients[1]: host is no client" },
	{ HEAD "clients: [several]\n", "m.yaml:5: clients[0]: several is no client" },
	{ HEAD "groups: [{number: 4}, {number: 4}]\n",
	  "m.yaml:5: groups[1].number: this group stands here twice" },
	{ HEAD "regions: [{range: \"0+1\", kind: direct}]\n",
	  "m.yaml:5: regions[0]: a region is that of a function or that of a group" },
	{ HEAD "regions: [{range: \"0\", kind: direct, group: 3}]\n",
	  "m.yaml:5: regions[0].range: \"0\" is no range" },
	{ HEAD "regions: [{range: \"0+1\", kind: direct, function: eth0}]\n",
	  "m.yaml:5: regions[0].function: no function is called eth0" },
	{ FUNCTION("absent: no") "partitions:\n  - {pe: 1, functions: [\"01:00.0\"]}\n"
				 "  - {pe: 2, functions: [\"00:01.0\", \"01:00.0\"]}\n",
	  "m.yaml:10: partitions[1].functions[1]: 01:00.0 is in partition 1 already" },
	{ HEAD "partitions: [{pe: 1}, {pe: 1}]\n",
	  "m.yaml:5: partitions[1].pe: partitions[0] has this number, too" },
	{ HEAD "partitions: [{pe: 0xffffffff}]\n",
	  "m.yaml:5: partitions[0].pe: 0xffffffff is no number of a partition" },
	{ HEAD "partitions: [{pe: 1, mmio: [a]}]\n",
	  "m.yaml:5: partitions[0].mmio[0]: \"a\" is no range" },
	{ HEAD "vectors: [{irq: 1, function: eth0}]\n",
	  "m.yaml:5: vectors[0].function: no function is called eth0" },
	{ HEAD "vectors: [{irq: 1, controller: its}]\n",
	  "m.yaml:5: vectors[0].controller: no controller is called its" },
};

static void every_error_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct app_machine read;
		struct ward_error error = { "" };

		if (load(refused[i].text, &read, &error) != -EBADMSG)
			fail_msg("not refused: %s", refused[i].error);
		assert_string_equal(error.text, refused[i].error);
	}
}

/* Cut anywhere, and with any byte turned over: refused with a line, or taken; nothing else. */
static void damaged_input(void **state)
{
	char *text = strdup(everything);
	size_t length = strlen(everything), taken = 0;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < length * 2; i++) {
		size_t at = i / 2;
		char before = text[at];
		struct ward_error error = { "" };
		struct app_machine read;

		text[at] = i % 2 ? (char)(before ^ 1) : '\0';
		if (load(text, &read, &error) == 0) {
			app_machine_finish(&read);
			taken++;
		} else {
			assert_memory_equal(error.text, "m.yaml:", 7);
		}
		text[at] = before;
	}
	assert_in_range(taken, 100, length * 2);
	free(text);
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

static void files(void **state)
{
	char name[] = "/tmp/test-machine-XXXXXX";
	struct ward_error error = { "" };
	struct app_machine read;
	int fd = mkstemp(name);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, everything, strlen(everything)), strlen(everything));
	assert_int_equal(app_machine_load(name, &read, &error), 0);
	app_machine_finish(&read);
	assert_int_equal(ftruncate(fd, APP_YAML_BYTES_MAX + 1), 0);
	assert_int_equal(app_machine_load(name, &read, &error), -EFBIG);
	assert_non_null(strstr(error.text, ": more than 16 MiB are too much for a description"));
	close(fd);
	unlink(name);
	assert_int_equal(app_machine_load(name, &read, &error), -ENOENT);
	assert_non_null(strstr(error.text, ": No such file or directory"));
	assert_int_equal(app_machine_load("/tmp", &read, &error), -EISDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_comes_through),
		cmocka_unit_test(defaults),
		cmocka_unit_test(aliases_follow),
		cmocka_unit_test(other_architectures),
		cmocka_unit_test(no_controllers),
		cmocka_unit_test(every_error_is_told),
		cmocka_unit_test(damaged_input),
		cmocka_unit_test(what_is_written_comes_back),
		cmocka_unit_test(captured_machines_come_back),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include <doorward/state.h>

#include "machine/describe.h"
#include "machine/small_machine.h"
#include "sweep.h"

struct fixture {
	struct test_tree tree;
	int fd;
	struct ward_machine *machine;
	struct ward_state *state;
	struct ward_error error;
};

static int make(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	test_tree_make(&fixture->tree);
	small_machine_make(&fixture->tree);
	fixture->fd = test_tree_open(&fixture->tree);
	*state = fixture;
	return 0;
}

static void forget(struct fixture *fixture)
{
	ward_state_destroy(fixture->state);
	ward_machine_destroy(fixture->machine);
	fixture->state = NULL;
	fixture->machine = NULL;
}

static int unmake(void **state)
{
	struct fixture *fixture = *state;

	forget(fixture);
	close(fixture->fd);
	test_tree_remove(&fixture->tree);
	free(fixture);
	return 0;
}

static int read_with(struct fixture *fixture, const struct ward_read_options *options)
{
	forget(fixture);
	return ward_machine_read(fixture->fd, options, &fixture->machine, &fixture->state,
				 &fixture->error);
}

static void read_it(struct fixture *fixture)
{
	assert_int_equal(read_with(fixture, NULL), 0);
}

static uint32_t index_of(const struct fixture *fixture, const char *address)
{
	struct ward_address parsed;
	uint32_t index;

	assert_int_equal(ward_address_parse(address, &parsed), 0);
	index = ward_machine_find(fixture->machine, parsed);
	assert_int_not_equal(index, WARD_NONE);
	return index;
}

static const struct ward_function *function(const struct fixture *fixture, const char *address)
{
	return &fixture->machine->functions[index_of(fixture, address)];
}

static const struct ward_function_state *state_of(const struct fixture *fixture,
						  const char *address)
{
	return &fixture->state->functions[index_of(fixture, address)];
}

static bool has_remark(const struct fixture *fixture, const char *code, const char *part)
{
	for (uint32_t i = 0; i < fixture->machine->remarks_count; i++)
		if (!strcmp(fixture->machine->remarks[i].code, code) &&
		    strstr(fixture->machine->remarks[i].text, part))
			return true;
	return false;
}

static char *describe(const struct fixture *fixture)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	test_describe_machine(out, fixture->machine);
	test_describe_state(out, fixture->state);
	fclose(out);
	return text;
}

static void a_machine_is_read_as_it_is(void **state)
{
	struct fixture *fixture = *state;
	const struct ward_machine *m;
	const struct ward_function *f;

	read_it(fixture);
	m = fixture->machine;
	assert_int_equal(m->arch, WARD_ARCH_X86);
	assert_string_equal(m->kernel_release, "6.1.0-56-amd64");
	assert_string_equal(m->command_line, "root=/dev/sda1 quiet intel_iommu=on");
	assert_int_equal(m->page_size, 4096);
	assert_int_equal(m->functions_count, 6);
	assert_true(m->groups_known);
	assert_int_equal(m->unsafe_interrupts_allowed, WARD_NO);
	assert_true(m->firmware_acpi);

	f = function(fixture, "0000:01:00.0");
	assert_int_equal(f->vendor, 0x8086);
	assert_int_equal(f->device, 0x1521);
	assert_int_equal(f->subsystem_vendor, 0x1028);
	assert_int_equal(f->subsystem_device, 0x1f60);
	assert_int_equal(f->class_code, 0x020000);
	assert_int_equal(f->revision, 1);
	assert_int_equal(f->config_size, 256);
	assert_int_equal(f->pcie_type, WARD_PCIE_ENDPOINT);
	assert_int_equal(f->acs.present, WARD_UNKNOWN);
	assert_int_equal(f->parent, index_of(fixture, "0000:00:1c.0"));
	assert_int_equal(f->vfs_total, 7);
	assert_int_equal(f->vfs_enabled, 1);
	assert_int_equal(f->resets, WARD_RESET_FLR);
	assert_int_equal(f->resets_known, WARD_YES);
	assert_int_equal(m->groups[f->group].number, 11);
	assert_int_equal(m->groups[f->group].type, WARD_GROUP_IDENTITY);
	assert_int_equal(f->names_count, 1);
	assert_string_equal(f->names[0], "eth0");
	assert_string_equal(f->path, "/devices/pci0000:00/0000:00:1c.0/0000:01:00.0");
	assert_int_equal(state_of(fixture, "0000:01:00.0")->irq_mode, WARD_IRQ_MSIX);
	assert_int_equal(state_of(fixture, "0000:01:00.0")->intx_irq, 16);
	assert_string_equal(state_of(fixture, "0000:01:00.0")->driver, "igb");
	assert_int_equal(state_of(fixture, "0000:01:00.0")->owner.kind, WARD_OWNER_HOST);
	assert_null(state_of(fixture, "0000:01:00.0")->driver_override);
}

static void bars_and_windows_are_those_of_the_kernel(void **state)
{
	struct fixture *fixture = *state;
	const struct ward_function *f;

	read_it(fixture);
	f = function(fixture, "0000:01:00.0");
	assert_int_equal(f->bar[0].range.start, 0xfe880000);
	assert_int_equal(f->bar[0].range.last, 0xfe89ffff);
	assert_false(f->bar[0].io);
	assert_true(ward_range_is_empty(f->bar[1].range));
	assert_true(f->bar[2].io);
	/* Not assigned: the kernel's flag says so. */
	assert_true(ward_range_is_empty(f->bar[4].range));
	f = function(fixture, "0000:00:1c.0");
	assert_int_equal(f->bridge.secondary, 1);
	assert_int_equal(f->bridge.memory.start, 0xfe800000);
	assert_int_equal(f->bridge.memory.last, 0xfe9fffff);
	assert_int_equal(f->bridge.prefetchable.start, 0xfd800000);
	assert_int_equal(f->bridge.prefetchable.last, 0xfd9fffff);
}

static void virtual_functions_know_their_pf(void **state)
{
	struct fixture *fixture = *state;
	const struct ward_function *f;

	read_it(fixture);
	f = function(fixture, "0000:01:10.0");
	assert_int_equal(f->physfn, index_of(fixture, "0000:01:00.0"));
	assert_int_equal(f->vendor, 0x8086);
	assert_int_equal(f->device, 0x1520);
	assert_string_equal(state_of(fixture, "0000:01:10.0")->driver_override, "vfio-pci");
	assert_true(state_of(fixture, "0000:01:10.0")->driver_yields);
	assert_int_equal(state_of(fixture, "0000:01:10.0")->owner.kind, WARD_OWNER_NOBODY);
}

static void a_vf_of_a_vf_is_none(void **state)
{
	static const char *const targets[] = { "../0000:01:10.0", "../0000:09:00.0", "../x" };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		test_tree_link(&fixture->tree, SMALL_VF "physfn", targets[i]);
		read_it(fixture);
		assert_int_equal(function(fixture, "0000:01:10.0")->physfn, WARD_NONE);
		assert_int_equal(has_remark(fixture, "tree-incomplete", "0000:01:10.0"), i < 2);
	}
}

static void segments_may_be_large(void **state)
{
	struct fixture *fixture = *state;
	const struct ward_function *f;

	read_it(fixture);
	f = function(fixture, "10000:00:02.0");
	assert_int_equal(f->address.segment, 0x10000);
	assert_int_equal(f->parent, WARD_NONE);
	assert_int_equal(f->names_count, 2);
	assert_string_equal(f->names[0], "nvme0");
	assert_string_equal(f->names[1], "nvme0n1");
}

/* Disks behind two controllers, an expander, a fabric. */
static void disks_have_the_names_people_use(void **state)
{
	static const char *const disks[] = { "nvme3n1", "sdb", "sdc", "sdd" };
	struct fixture *fixture = *state;
	const struct ward_function *f;

	test_tree_file(&fixture->tree, SMALL_CARD "nvme/nvme0/nvme3c0n1/size", "");
	test_tree_file(&fixture->tree,
		       SMALL_CARD "host0/port-0:0/end_device-0:0/target0:0:0/0:0:0:0/block/sdc/dev",
		       "");
	test_tree_file(&fixture->tree,
		       SMALL_CARD "host0/port-0:1/expander-0:0/port-0:0:2/end_device-0:0:2/"
				  "target0:0:1/0:0:1:0/block/sdd/dev",
		       "");
	test_tree_file(&fixture->tree,
		       SMALL_CARD "host1/rport-1:0-0/target1:0:0/1:0:0:0/block/sdb/dev", "");
	read_it(fixture);
	f = function(fixture, "0000:01:00.0");
	for (size_t i = 0; i < sizeof(disks) / sizeof(disks[0]); i++)
		assert_int_equal(ward_machine_find_name(fixture->machine, disks[i]),
				 index_of(fixture, "0000:01:00.0"));
	for (uint32_t i = 0; i < f->names_count; i++)
		assert_string_not_equal(f->names[i], "nvme3c0n1");
}

static void who_sleeps_is_not_woken(void **state)
{
	static const struct {
		const char *status, *power_state;
		bool asleep;
	} cases[] = {
		{ "active", "D0", false },	  { "suspended", "D3cold", true },
		{ "suspended", "D0", false },	  { "suspended", "D3hot", false },
		{ "suspended", NULL, true },	  { "suspended", "unknown", true },
		{ "suspending", "D3cold", true }, { NULL, NULL, false },
	};
	struct ward_read_options options = { .size = sizeof(options), .wake = true };
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		test_tree_file(&fixture->tree, SMALL_BUS "power/runtime_status", "");
		test_tree_file(&fixture->tree, SMALL_BUS "power_state", "");
		test_tree_delete(&fixture->tree, SMALL_BUS "power/runtime_status");
		test_tree_delete(&fixture->tree, SMALL_BUS "power_state");
		if (cases[i].status)
			test_tree_file(&fixture->tree, SMALL_BUS "power/runtime_status",
				       cases[i].status);
		if (cases[i].power_state)
			test_tree_file(&fixture->tree, SMALL_BUS "power_state",
				       cases[i].power_state);
		read_it(fixture);
		assert_int_equal(function(fixture, "0000:00:1f.3")->asleep, cases[i].asleep);
		assert_int_equal(function(fixture, "0000:00:1f.3")->config_size,
				 cases[i].asleep ? 0 : 256);
	}
	test_tree_file(&fixture->tree, SMALL_BUS "power/runtime_status", "suspended\n");
	assert_int_equal(read_with(fixture, &options), 0);
	assert_false(function(fixture, "0000:00:1f.3")->asleep);
	assert_int_equal(function(fixture, "0000:00:1f.3")->config_size, 256);
}

static void who_sleeps_below_a_sleeping_bridge_is_not_read(void **state)
{
	struct fixture *fixture = *state;

	test_tree_file(&fixture->tree, SMALL_CARD "power/runtime_status", "suspended\n");
	test_tree_file(&fixture->tree, SMALL_CARD "power_state", "D3hot\n");
	read_it(fixture);
	assert_false(function(fixture, "0000:01:00.0")->asleep);
	test_tree_file(&fixture->tree, SMALL_PORT "power/runtime_status", "suspended\n");
	test_tree_file(&fixture->tree, SMALL_PORT "power_state", "D3cold\n");
	read_it(fixture);
	assert_true(function(fixture, "0000:01:00.0")->asleep);
	assert_true(function(fixture, "0000:00:1c.0")->asleep);
	/* Its bus numbers are unknown then; the path still tells what is below it. */
	assert_int_equal(function(fixture, "0000:01:00.0")->parent,
			 index_of(fixture, "0000:00:1c.0"));
}

static void what_translates_is_what_the_kernel_links(void **state)
{
	struct fixture *fixture = *state;
	const struct ward_function *f;

	read_it(fixture);
	assert_int_equal(fixture->machine->iommus_count, 1);
	assert_string_equal(fixture->machine->iommus[0].name, "dmar0");
	assert_int_equal(fixture->machine->iommus[0].kind, WARD_IOMMU_VTD);
	assert_int_equal(ward_pa_raw(fixture->machine->iommus[0].base), 0xfed90000);
	assert_int_equal(fixture->machine->iommus[0].active, WARD_YES);
	assert_int_equal(fixture->machine->iommus[0].remaps_interrupts, WARD_YES);
	assert_int_equal(fixture->machine->iommus[0].ats, WARD_YES);
	f = function(fixture, "0000:01:00.0");
	assert_int_equal(f->iommu_known, WARD_YES);
	assert_int_equal(f->stream.iommu, 0);
	assert_int_equal(ward_sid_raw(f->stream.sid), 0x100);
	/* Neither link nor group: the kernel knows of no translation. */
	f = function(fixture, "0000:00:1f.3");
	assert_int_equal(f->iommu_known, WARD_YES);
	assert_int_equal(f->stream.iommu, WARD_NONE);
}

static void groups_have_their_regions(void **state)
{
	struct fixture *fixture = *state;
	unsigned int direct = 0, msi = 0;

	read_it(fixture);
	assert_int_equal(fixture->machine->groups_count, 2);
	for (uint32_t i = 0; i < fixture->machine->regions_count; i++) {
		const struct ward_region *region = &fixture->machine->regions[i];

		direct += region->kind == WARD_REGION_DIRECT && region->range.start == 0x7f000000 &&
			  region->range.last == 0x7fffffff &&
			  fixture->machine->groups[region->group].number == 11;
		msi += region->kind == WARD_REGION_MSI;
	}
	assert_int_equal(direct, 1);
	assert_int_equal(msi, 2);
}

static void vectors_name_function_and_chip(void **state)
{
	struct fixture *fixture = *state;
	unsigned int found = 0;

	read_it(fixture);
	for (uint32_t i = 0; i < fixture->state->vectors_count; i++) {
		const struct ward_host_vector *vector = &fixture->state->vectors[i];

		if (vector->irq == 26) {
			assert_int_equal(vector->function, index_of(fixture, "0000:01:00.0"));
			assert_int_equal(vector->hwirq, 524288);
			assert_string_equal(vector->chip, "IR-PCI-MSI");
			found++;
		}
		if (vector->irq == 24) {
			assert_int_equal(vector->function, WARD_NONE);
			found++;
		}
	}
	assert_int_equal(found, 2);
	assert_int_equal(fixture->state->vectors_count, 3);
	assert_int_equal(state_of(fixture, "0000:00:1f.3")->irq_mode, WARD_IRQ_INTX);
	assert_int_equal(state_of(fixture, "0000:00:1c.0")->irq_mode, WARD_IRQ_MSI);
	/* With MSI, the file irq is no line. */
	assert_int_equal(state_of(fixture, "0000:00:1c.0")->intx_irq, 0);
}

static void remapping_shows_in_the_chips(void **state)
{
	struct fixture *fixture = *state;
	const struct ward_function *f;

	read_it(fixture);
	f = function(fixture, "0000:01:00.0");
	assert_int_equal(f->controller_known, WARD_YES);
	assert_int_equal(fixture->machine->controllers[f->controller].kind,
			 WARD_CONTROLLER_X86_REMAPPING);
	assert_string_equal(f->controller_evidence, "its interrupt chip is IR-PCI-MSI");

	/* One function that no remapping unit covers. */
	test_tree_file(&fixture->tree, "sys/kernel/irq/26/chip_name", "PCI-MSI\n");
	read_it(fixture);
	f = function(fixture, "0000:01:00.0");
	assert_int_equal(fixture->machine->controllers[f->controller].kind,
			 WARD_CONTROLLER_X86_APIC);
	assert_int_equal(fixture->machine->controllers[f->controller].isolates, WARD_NO);
	f = function(fixture, "0000:00:1c.0");
	assert_int_equal(fixture->machine->controllers[f->controller].kind,
			 WARD_CONTROLLER_X86_REMAPPING);

	test_tree_file(&fixture->tree, "sys/kernel/irq/25/chip_name", "PCI-MSI\n");
	test_tree_file(&fixture->tree, "sys/kernel/irq/16/chip_name", "IO-APIC\n");
	read_it(fixture);
	f = function(fixture, "0000:00:1c.0");
	assert_int_equal(fixture->machine->controllers[f->controller].kind,
			 WARD_CONTROLLER_X86_APIC);
	assert_int_equal(fixture->machine->iommus[0].remaps_interrupts, WARD_NO);
}

static void remapping_shows_where_no_chip_tells(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		const char *line, *ecap, *evidence;
	} cases[] = {
		{ "quiet\n", "f00f4e\n", NULL },
		{ "intremap=off\n", "f00f4e\n", "command line" },
		{ "intremap=nosid,off\n", "f00f4e\n", "command line" },
		{ "nointremap\n", "f00f4e\n", "command line" },
		{ "quiet\n", "f00f46\n", "ecap" },
	};

	test_tree_file(&fixture->tree, "sys/kernel/irq/16/chip_name", "\n");
	test_tree_file(&fixture->tree, "sys/kernel/irq/25/chip_name", "\n");
	test_tree_file(&fixture->tree, "sys/kernel/irq/26/chip_name", "\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct ward_function *f;

		test_tree_file(&fixture->tree, "proc/cmdline", cases[i].line);
		test_tree_file(&fixture->tree, "sys/devices/virtual/iommu/dmar0/intel-iommu/ecap",
			       cases[i].ecap);
		read_it(fixture);
		f = function(fixture, "0000:01:00.0");
		assert_int_not_equal(fixture->machine->controllers[f->controller].isolates,
				     WARD_YES);
		if (!cases[i].evidence) {
			assert_null(f->controller_evidence);
			continue;
		}
		assert_int_equal(fixture->machine->controllers[f->controller].isolates, WARD_NO);
		assert_non_null(f->controller_evidence);
		assert_non_null(strstr(f->controller_evidence, cases[i].evidence));
	}
}

static void old_kernels_have_only_proc_interrupts(void **state)
{
	struct fixture *fixture = *state;
	char from[2048], to[2048];

	test_tree_path(&fixture->tree, "sys/kernel/irq", from);
	test_tree_path(&fixture->tree, "sys/kernel/gone", to);
	assert_int_equal(rename(from, to), 0);
	test_tree_file(&fixture->tree, "proc/interrupts",
		       "           CPU0       CPU1\n"
		       " 16:          0          0  IR-IO-APIC  16-fasteoi   i801_smbus\n"
		       " 25:          0          0  IR-PCI-MSI 458752-edge      PCIe PME, aerdrv\n"
		       " 26:          8          0  IR-PCI-MSI 524288-edge      eth0\n"
		       "NMI:          0          0   Non-maskable interrupts\n"
		       "99: 1\n:\n\n 4294967296: 0 0 X 1 y\n");
	read_it(fixture);
	assert_int_equal(fixture->state->vectors_count, 2);
	assert_string_equal(function(fixture, "0000:01:00.0")->controller_evidence,
			    "its interrupt chip is IR-PCI-MSI");
	assert_int_equal(state_of(fixture, "0000:00:1f.3")->irq_mode, WARD_IRQ_INTX);
	test_tree_delete(&fixture->tree, "proc/interrupts");
	read_it(fixture);
	assert_true(has_remark(fixture, "tree-incomplete", "interrupts"));
}

static void msis_can_be_forbidden(void **state)
{
	struct fixture *fixture = *state;

	read_it(fixture);
	assert_false(state_of(fixture, "0000:01:00.0")->msi_off);
	test_tree_file(&fixture->tree, SMALL_CARD "msi_bus", "0\n");
	read_it(fixture);
	assert_true(state_of(fixture, "0000:01:00.0")->msi_off);
	assert_false(state_of(fixture, "0000:01:10.0")->msi_off);
	/* On a bridge it is about what is below. */
	test_tree_file(&fixture->tree, SMALL_CARD "msi_bus", "1\n");
	test_tree_file(&fixture->tree, SMALL_PORT "msi_bus", "0\n");
	read_it(fixture);
	assert_true(state_of(fixture, "0000:01:00.0")->msi_off);
	assert_false(state_of(fixture, "0000:00:1c.0")->msi_off);
	test_tree_file(&fixture->tree, SMALL_PORT "msi_bus", "1\n");
	test_tree_file(&fixture->tree, "proc/cmdline", "pci=noaer,nomsi quiet\n");
	read_it(fixture);
	assert_true(state_of(fixture, "0000:00:1c.0")->msi_off);
	test_tree_file(&fixture->tree, "proc/cmdline", "xpci=nomsi pci=nomsix,nom pcie=nomsi\n");
	read_it(fixture);
	assert_false(state_of(fixture, "0000:00:1c.0")->msi_off);
}

static void a_tree_without_functions_is_none(void **state)
{
	struct fixture *fixture = *state;
	struct ward_read_options wrong = { .size = 1 };
	struct test_tree empty;
	int fd;

	test_tree_make(&empty);
	fd = test_tree_open(&empty);
	assert_int_equal(ward_machine_read(fd, NULL, &fixture->machine, &fixture->state,
					   &fixture->error),
			 -ENOENT);
	assert_non_null(strstr(fixture->error.text, "sys/bus/pci/devices"));
	assert_null(fixture->machine);
	assert_int_equal(ward_machine_read(fd, NULL, &fixture->machine, &fixture->state, NULL),
			 -ENOENT);
	close(fd);
	test_tree_remove(&empty);
	assert_int_equal(read_with(fixture, &wrong), -EINVAL);
}

/* Kernels that have no reset_method, or hide it because nothing is left of the methods. */
static void known_broken_resets_do_not_count(void **state)
{
	struct fixture *fixture = *state;
	uint8_t config[256];

	test_tree_delete(&fixture->tree, SMALL_CARD "reset_method");
	small_config(config, 0x8086, 0x1521, 0, 0, 0);
	config[0x47] = 0x10; /* FLR */
	test_tree_bytes(&fixture->tree, SMALL_CARD "config", config, sizeof(config));
	read_it(fixture);
	assert_int_equal(function(fixture, "0000:01:00.0")->resets, WARD_RESET_FLR);

	test_tree_file(&fixture->tree, SMALL_CARD "device", "0x1503\n");
	read_it(fixture);
	assert_int_equal(function(fixture, "0000:01:00.0")->resets, 0);
	assert_int_equal(function(fixture, "0000:01:00.0")->resets_known, WARD_YES);

	/* What the kernel says counts its own table in. */
	test_tree_file(&fixture->tree, SMALL_CARD "reset_method", "flr\n");
	read_it(fixture);
	assert_int_equal(function(fixture, "0000:01:00.0")->resets, WARD_RESET_FLR);
}

static void unreadable_config_leaves_facts_unknown(void **state)
{
	struct fixture *fixture = *state;
	const struct ward_function *f;
	uint8_t config[256];

	test_tree_file(&fixture->tree, "doorward/denied", SMALL_CARD "config\n");
	read_it(fixture);
	f = function(fixture, "0000:01:00.0");
	assert_int_equal(f->config_size, 0);
	assert_int_equal(f->pcie_known, WARD_UNKNOWN);
	assert_int_equal(f->resets, WARD_RESET_FLR);
	assert_true(has_remark(fixture, "config-unreadable", "0000:01:00.0"));
	test_tree_delete(&fixture->tree, "doorward/denied");

	/* As an ordinary user is shown it. */
	small_config(config, 0x8086, 0x1521, 0, 0, 0);
	test_tree_bytes(&fixture->tree, SMALL_CARD "config", config, 64);
	read_it(fixture);
	assert_int_equal(function(fixture, "0000:01:00.0")->config_size, 64);
	memset(config, 0xff, sizeof(config));
	test_tree_bytes(&fixture->tree, SMALL_CARD "config", config, sizeof(config));
	read_it(fixture);
	assert_int_equal(function(fixture, "0000:01:00.0")->config_size, 0);
	assert_true(has_remark(fixture, "config-unreadable", "all ones"));
}

static void tables_that_cannot_be_read_are_remarked(void **state)
{
	struct fixture *fixture = *state;

	test_tree_file(&fixture->tree, "doorward/denied", "sys/firmware/acpi/tables/DMAR\n");
	test_tree_file(&fixture->tree, "sys/firmware/acpi/tables/DMAR", "x");
	test_tree_file(&fixture->tree, "sys/firmware/acpi/tables/APIC", "not a table");
	test_tree_file(&fixture->tree, "sys/firmware/acpi/tables/DSDT", "of no interest");
	read_it(fixture);
	assert_true(has_remark(fixture, "table-unreadable", "DMAR"));
	assert_true(has_remark(fixture, "table-broken", "APIC"));
	assert_false(has_remark(fixture, "table-broken", "DSDT"));
}

static void the_same_tree_reads_the_same(void **state)
{
	struct fixture *fixture = *state;
	char *first, *second;

	read_it(fixture);
	first = describe(fixture);
	read_it(fixture);
	second = describe(fixture);
	assert_string_equal(first, second);
	free(first);
	free(second);
}

/* Writes what the reader saw into another tree. */
struct copier {
	struct test_tree tree;
	char denied[4096];
	bool vpd;
};

static void copy_seen(void *context, const char *path, enum ward_saw_kind kind, const void *bytes,
		      size_t size)
{
	struct copier *copier = context;
	size_t used = strlen(copier->denied);
	char target[2048];

	if (strstr(path, "vpd"))
		copier->vpd = true;
	switch (kind) {
	case WARD_SAW_FILE:
		test_tree_bytes(&copier->tree, path, bytes, size);
		break;
	case WARD_SAW_LINK:
		memcpy(target, bytes, size);
		target[size] = '\0';
		test_tree_link(&copier->tree, path, target);
		break;
	case WARD_SAW_DIRECTORY:
		test_tree_dir(&copier->tree, path);
		break;
	case WARD_SAW_DENIED:
		snprintf(copier->denied + used, sizeof(copier->denied) - used, "%s\n", path);
		break;
	}
}

static void what_was_seen_is_all_that_is_needed(void **state)
{
	struct copier copier = { .vpd = false };
	struct ward_read_options options = {
		.size = sizeof(options),
		.saw = copy_seen,
		.context = &copier,
	};
	struct fixture *fixture = *state;
	char *first, *second;
	int fd;

	test_tree_file(&fixture->tree, "doorward/denied",
		       SMALL_CARD "config\n" SMALL_VF "irq\nsys/firmware/acpi/tables/DMAR\n");
	test_tree_file(&fixture->tree, "sys/firmware/acpi/tables/DMAR", "x");
	test_tree_make(&copier.tree);
	assert_int_equal(read_with(fixture, &options), 0);
	first = describe(fixture);
	assert_false(copier.vpd);
	test_tree_file(&copier.tree, "doorward/denied", copier.denied);

	fd = test_tree_open(&copier.tree);
	forget(fixture);
	assert_int_equal(ward_machine_read(fd, NULL, &fixture->machine, &fixture->state,
					   &fixture->error),
			 0);
	second = describe(fixture);
	assert_string_equal(first, second);
	free(first);
	free(second);
	close(fd);
	test_tree_remove(&copier.tree);
}

/* Any answer will do, as long as the next one is right again. */
static void survives(struct fixture *fixture)
{
	int err = read_with(fixture, NULL);

	assert_true(err == 0 || err == -EBADMSG || err == -ENOENT);
	if (err < 0)
		assert_true(fixture->error.text[0] != '\0');
}

static void any_file_may_be_missing_or_garbage(void **state)
{
	struct fixture *fixture = *state;
	static const char *const garbage[] = {
		"",
		"\n",
		"\xff\xff\xff\xff\xff\xff\xff\xff",
		"-1\n",
		"0x\n",
		"../../../../etc/passwd",
		"999999999999999999999999999999999999999\n",
		"%s%n%s%n",
		"0x1 0x0 0x200\n",
	};
	char *huge = malloc(70000);

	memset(huge, 'A', 69999);
	huge[69999] = '\0';
	for (size_t i = 0; i < sizeof(small_files) / sizeof(small_files[0]); i++) {
		const char *path = small_files[i].path;

		test_tree_delete(&fixture->tree, path);
		survives(fixture);
		for (size_t j = 0; j < sizeof(garbage) / sizeof(garbage[0]); j++) {
			test_tree_file(&fixture->tree, path, garbage[j]);
			survives(fixture);
		}
		test_tree_file(&fixture->tree, path, huge);
		survives(fixture);
		test_tree_link(&fixture->tree, path, "/etc/passwd");
		survives(fixture);
		test_tree_delete(&fixture->tree, path);
		test_tree_dir(&fixture->tree, path);
		survives(fixture);
		test_tree_delete(&fixture->tree, path);
		test_tree_file(&fixture->tree, path, small_files[i].text);
	}
	free(huge);
	a_machine_is_read_as_it_is(state);
}

static void links_may_lead_anywhere(void **state)
{
	static const char *const targets[] = {
		"/",
		"..",
		".",
		"/etc/passwd",
		"../../../../../../../../../../etc",
		"../../../../../../../../../../../../tmp",
		"../../../devices/pci0000:00",
		"../../../devices/pci0000:00/0000:00:1c.0",
		"\n\033[31m",
		"nowhere",
	};
	struct fixture *fixture = *state;
	char itself[64];

	for (size_t i = 0; i < sizeof(small_links) / sizeof(small_links[0]); i++) {
		const char *path = small_links[i].path;

		for (size_t j = 0; j < sizeof(targets) / sizeof(targets[0]); j++) {
			test_tree_link(&fixture->tree, path, targets[j]);
			survives(fixture);
		}
		snprintf(itself, sizeof(itself), "%s", strrchr(path, '/') + 1);
		test_tree_link(&fixture->tree, path, itself);
		survives(fixture);
		test_tree_delete(&fixture->tree, path);
		survives(fixture);
		test_tree_file(&fixture->tree, path, "a file");
		survives(fixture);
		test_tree_link(&fixture->tree, path, small_links[i].text);
	}
	a_machine_is_read_as_it_is(state);
}

static void nothing_outside_is_read(void **state)
{
	struct fixture *fixture = *state;

	/* A function that lies outside the root, with links to it. */
	test_tree_file(&fixture->tree, "../outside/0000:00:05.0/vendor", "0x1234\n");
	test_tree_link(&fixture->tree, "sys/bus/pci/devices/0000:00:05.0",
		       "../../../../../outside/0000:00:05.0");
	test_tree_link(&fixture->tree, "sys/devices/out", "../../../outside");
	test_tree_link(&fixture->tree, "sys/bus/pci/devices/0000:00:06.0",
		       "../../../devices/out/0000:00:05.0");
	read_it(fixture);
	assert_int_equal(fixture->machine->functions_count, 6);
	assert_true(has_remark(fixture, "tree-incomplete", "0000:00:05.0"));
	assert_true(has_remark(fixture, "tree-incomplete", "0000:00:06.0"));
}

static void an_address_comes_once(void **state)
{
	struct fixture *fixture = *state;

	test_tree_link(&fixture->tree, "sys/bus/pci/devices/00:1c.0",
		       "../../../devices/pci0000:00/0000:00:1c.0");
	test_tree_link(&fixture->tree, "sys/bus/pci/devices/0000:00:1C.0",
		       "../../../devices/pci0000:00/0000:00:1c.0");
	read_it(fixture);
	assert_int_equal(fixture->machine->functions_count, 6);
}

static int read_once(void *context)
{
	struct fixture *fixture = context;

	return read_with(fixture, NULL);
}

static void a_failed_allocation_leaves_nothing_behind(void **state)
{
	struct fixture *fixture = *state;

	assert_true(test_sweep(read_once, fixture) > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_machine_is_read_as_it_is, make, unmake),
		cmocka_unit_test_setup_teardown(bars_and_windows_are_those_of_the_kernel, make,
						unmake),
		cmocka_unit_test_setup_teardown(virtual_functions_know_their_pf, make, unmake),
		cmocka_unit_test_setup_teardown(a_vf_of_a_vf_is_none, make, unmake),
		cmocka_unit_test_setup_teardown(segments_may_be_large, make, unmake),
		cmocka_unit_test_setup_teardown(disks_have_the_names_people_use, make, unmake),
		cmocka_unit_test_setup_teardown(who_sleeps_is_not_woken, make, unmake),
		cmocka_unit_test_setup_teardown(who_sleeps_below_a_sleeping_bridge_is_not_read,
						make, unmake),
		cmocka_unit_test_setup_teardown(what_translates_is_what_the_kernel_links, make,
						unmake),
		cmocka_unit_test_setup_teardown(groups_have_their_regions, make, unmake),
		cmocka_unit_test_setup_teardown(vectors_name_function_and_chip, make, unmake),
		cmocka_unit_test_setup_teardown(remapping_shows_in_the_chips, make, unmake),
		cmocka_unit_test_setup_teardown(remapping_shows_where_no_chip_tells, make, unmake),
		cmocka_unit_test_setup_teardown(old_kernels_have_only_proc_interrupts, make,
						unmake),
		cmocka_unit_test_setup_teardown(msis_can_be_forbidden, make, unmake),
		cmocka_unit_test_setup_teardown(a_tree_without_functions_is_none, make, unmake),
		cmocka_unit_test_setup_teardown(known_broken_resets_do_not_count, make, unmake),
		cmocka_unit_test_setup_teardown(unreadable_config_leaves_facts_unknown, make,
						unmake),
		cmocka_unit_test_setup_teardown(tables_that_cannot_be_read_are_remarked, make,
						unmake),
		cmocka_unit_test_setup_teardown(the_same_tree_reads_the_same, make, unmake),
		cmocka_unit_test_setup_teardown(what_was_seen_is_all_that_is_needed, make, unmake),
		cmocka_unit_test_setup_teardown(any_file_may_be_missing_or_garbage, make, unmake),
		cmocka_unit_test_setup_teardown(links_may_lead_anywhere, make, unmake),
		cmocka_unit_test_setup_teardown(nothing_outside_is_read, make, unmake),
		cmocka_unit_test_setup_teardown(an_address_comes_once, make, unmake),
		cmocka_unit_test_setup_teardown(a_failed_allocation_leaves_nothing_behind, make,
						unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

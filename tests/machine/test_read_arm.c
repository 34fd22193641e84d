// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* Reading a machine of arm64 with a device tree: SMMUv3, two GICv2m frames, a platform device. */
#include <doorward/state.h>

#include "machine/small_machine.h"
#include "sweep.h"

#include <libfdt.h>

#define HOST "sys/devices/platform/40000000.pcie/pci0000:00/"
#define CARD HOST "0000:00:01.0/"
#define OTHER HOST "0000:00:02.0/"
#define ETHERNET "sys/devices/platform/a0000000.ethernet/"
#define SMMU "smmu3.0x0000000009050000"

enum { PHANDLE_FRAME = 1, PHANDLE_SECOND, PHANDLE_SMMU, PHANDLE_INTC, PHANDLE_ITS };

struct fixture {
	struct test_tree tree;
	int fd;
	struct ward_machine *machine;
	struct ward_state *state;
};

static void cells(void *fdt, const char *name, const uint32_t *values, size_t count)
{
	fdt32_t raw[16];

	for (size_t i = 0; i < count; i++)
		raw[i] = cpu_to_fdt32(values[i]);
	assert_int_equal(fdt_property(fdt, name, raw, (int)(count * sizeof(raw[0]))), 0);
}

#define CELLS(fdt, name, ...)                               \
	cells(fdt, name, (const uint32_t[]){ __VA_ARGS__ }, \
	      sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

static void frame(void *fdt, const char *name, uint32_t phandle, uint32_t base, uint32_t first)
{
	fdt_begin_node(fdt, name);
	fdt_property_string(fdt, "compatible", "arm,gic-v2m-frame");
	fdt_property(fdt, "msi-controller", "", 0);
	CELLS(fdt, "reg", 0, base, 0, 0x1000);
	CELLS(fdt, "arm,msi-base-spi", first);
	CELLS(fdt, "arm,msi-num-spis", 64);
	CELLS(fdt, "phandle", phandle);
	fdt_end_node(fdt);
}

static void its(void *fdt)
{
	fdt_begin_node(fdt, "its@8080000");
	fdt_property_string(fdt, "compatible", "arm,gic-v3-its");
	fdt_property(fdt, "msi-controller", "", 0);
	CELLS(fdt, "#msi-cells", 1);
	CELLS(fdt, "reg", 0, 0x8080000, 0, 0x20000);
	CELLS(fdt, "phandle", PHANDLE_ITS);
	fdt_end_node(fdt);
}

/* With frames, with an ITS, or both; MSIs go to the ITS where there is one. */
static void make_fdt(const struct test_tree *tree, bool with_frames, bool with_its)
{
	static char fdt[8192];

	assert_int_equal(fdt_create(fdt, sizeof(fdt)), 0);
	fdt_finish_reservemap(fdt);
	fdt_begin_node(fdt, "");
	CELLS(fdt, "#address-cells", 2);
	CELLS(fdt, "#size-cells", 2);
	fdt_begin_node(fdt, "intc@8000000");
	fdt_property_string(fdt, "compatible", "arm,gic-400");
	CELLS(fdt, "#address-cells", 2);
	CELLS(fdt, "#size-cells", 2);
	fdt_property(fdt, "ranges", "", 0);
	CELLS(fdt, "reg", 0, 0x8000000, 0, 0x10000);
	CELLS(fdt, "phandle", PHANDLE_INTC);
	if (with_frames) {
		frame(fdt, "v2m@8020000", PHANDLE_FRAME, 0x8020000, 80);
		frame(fdt, "v2m@8030000", PHANDLE_SECOND, 0x8030000, 160);
	}
	if (with_its)
		its(fdt);
	fdt_end_node(fdt);
	fdt_begin_node(fdt, "smmuv3@9050000");
	fdt_property_string(fdt, "compatible", "arm,smmu-v3");
	CELLS(fdt, "reg", 0, 0x9050000, 0, 0x20000);
	CELLS(fdt, "#iommu-cells", 1);
	CELLS(fdt, "phandle", PHANDLE_SMMU);
	fdt_end_node(fdt);
	fdt_begin_node(fdt, "pcie@40000000");
	fdt_property_string(fdt, "compatible", "pci-host-ecam-generic");
	fdt_property_string(fdt, "device_type", "pci");
	CELLS(fdt, "#address-cells", 3);
	CELLS(fdt, "#size-cells", 2);
	CELLS(fdt, "reg", 0, 0x40000000, 0, 0x1000000);
	CELLS(fdt, "linux,pci-domain", 0);
	CELLS(fdt, "iommu-map", 0, PHANDLE_SMMU, 0x1000, 0x10000);
	if (with_its)
		CELLS(fdt, "msi-map", 0, PHANDLE_ITS, 0, 0x10000);
	else
		CELLS(fdt, "msi-parent", PHANDLE_FRAME);
	fdt_end_node(fdt);
	fdt_begin_node(fdt, "ethernet@a0000000");
	fdt_property_string(fdt, "compatible", "vendor,ethernet");
	CELLS(fdt, "reg", 0, 0xa0000000, 0, 0x1000);
	CELLS(fdt, "iommus", PHANDLE_SMMU, 7);
	if (with_frames)
		CELLS(fdt, "msi-parent", PHANDLE_FRAME);
	fdt_end_node(fdt);
	fdt_end_node(fdt);
	assert_int_equal(fdt_finish(fdt), 0);
	test_tree_bytes(tree, "sys/firmware/fdt", fdt, fdt_totalsize(fdt));
}

static void irq(const struct test_tree *tree, unsigned int number, const char *chip)
{
	char path[128];

	snprintf(path, sizeof(path), "sys/kernel/irq/%u/chip_name", number);
	test_tree_file(tree, path, chip);
	snprintf(path, sizeof(path), "sys/kernel/irq/%u/hwirq", number);
	test_tree_file(tree, path, "0\n");
	snprintf(path, sizeof(path), "sys/kernel/irq/%u/actions", number);
	test_tree_file(tree, path, "somebody\n");
}

static void make_card(const struct test_tree *tree, unsigned int data)
{
	uint8_t config[256];

	small_config(config, 0x8086, 0x10d3, 0, 0, data);
	test_tree_bytes(tree, CARD "config", config, sizeof(config));
}

static int make(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct test_tree *tree = &fixture->tree;

	test_tree_make(tree);
	make_fdt(tree, true, false);
	test_tree_file(tree, "proc/sys/kernel/osrelease", "6.12.0-arm64\n");
	test_tree_file(tree, "doorward/host", "arch=aarch64\npage_size=65536\n");
	test_tree_link(tree, "sys/class/iommu/" SMMU,
		       "../../devices/platform/9050000.smmuv3/iommu/" SMMU);
	test_tree_dir(tree, "sys/devices/platform/9050000.smmuv3/iommu/" SMMU);
	test_tree_file(tree, "sys/kernel/iommu_groups/0/type", "DMA\n");
	test_tree_file(tree, "sys/kernel/iommu_groups/1/type", "DMA\n");
	test_tree_link(tree, "sys/bus/pci/devices/0000:00:01.0",
		       "../../../devices/platform/40000000.pcie/pci0000:00/0000:00:01.0");
	test_tree_link(tree, "sys/bus/pci/devices/0000:00:02.0",
		       "../../../devices/platform/40000000.pcie/pci0000:00/0000:00:02.0");
	test_tree_file(tree, CARD "vendor", "0x8086\n");
	test_tree_file(tree, CARD "msi_irqs/21", "msi\n");
	test_tree_link(tree, CARD "iommu", "../../../9050000.smmuv3/iommu/" SMMU);
	test_tree_link(tree, CARD "iommu_group", "../../../../../kernel/iommu_groups/0");
	make_card(tree, 81);
	test_tree_file(tree, OTHER "vendor", "0x1234\n");
	test_tree_link(tree, "sys/bus/platform/devices/a0000000.ethernet",
		       "../../../devices/platform/a0000000.ethernet");
	test_tree_link(tree, ETHERNET "driver", "../../../bus/platform/drivers/ethernet");
	test_tree_link(tree, ETHERNET "iommu_group", "../../../kernel/iommu_groups/1");
	test_tree_file(tree, ETHERNET "msi_irqs/22", "msi\n");
	irq(tree, 21, "GICv2m-PCI-MSI-0000:00:01.0\n");
	irq(tree, 22, "GICv2m-pMSI\n");
	fixture->fd = test_tree_open(tree);
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

static int read_once(void *context)
{
	struct fixture *fixture = context;

	forget(fixture);
	return ward_machine_read(fixture->fd, NULL, &fixture->machine, &fixture->state, NULL);
}

static const struct ward_function *named(const struct fixture *fixture, const char *name,
					 uint32_t *ret_index)
{
	*ret_index = ward_machine_find_name(fixture->machine, name);
	assert_int_not_equal(*ret_index, WARD_NONE);
	return &fixture->machine->functions[*ret_index];
}

static const struct ward_host_vector *vector(const struct fixture *fixture, uint32_t number)
{
	uint32_t i = 0;

	while (i < fixture->state->vectors_count && fixture->state->vectors[i].irq != number)
		i++;
	assert_true(i < fixture->state->vectors_count);
	return &fixture->state->vectors[i];
}

static unsigned int remarks(const struct fixture *fixture, const char *code)
{
	unsigned int count = 0;

	for (uint32_t i = 0; i < fixture->machine->remarks_count; i++)
		count += !strcmp(fixture->machine->remarks[i].code, code);
	return count;
}

static void the_map_tells_the_stream_and_the_kernel_agrees(void **state)
{
	struct fixture *fixture = *state;
	const struct ward_function *f;
	uint32_t index;

	assert_int_equal(read_once(fixture), 0);
	assert_int_equal(fixture->machine->arch, WARD_ARCH_ARM64);
	assert_int_equal(fixture->machine->page_size, 65536);
	assert_true(fixture->machine->firmware_dt);
	assert_int_equal(fixture->machine->iommus_count, 1);
	assert_int_equal(fixture->machine->iommus[0].active, WARD_YES);
	f = named(fixture, "0000:00:01.0", &index);
	assert_int_equal(f->iommu_known, WARD_YES);
	assert_int_equal(f->stream.iommu, 0);
	assert_int_equal(ward_sid_raw(f->stream.sid), 0x1008);
	assert_int_not_equal(f->group, WARD_NONE);
	/* No driver probed this one, so it has no group yet. */
	f = named(fixture, "0000:00:02.0", &index);
	assert_int_equal(f->group, WARD_NONE);
	assert_int_equal(f->stream.iommu, 0);
	assert_int_equal(ward_sid_raw(f->stream.sid), 0x1010);
}

static void where_they_differ_the_kernel_counts(void **state)
{
	struct fixture *fixture = *state;
	const struct ward_function *f;
	uint32_t index;

	test_tree_link(&fixture->tree, "sys/class/iommu/smmu3.0x0000000009150000",
		       "../../devices/platform/9150000.smmuv3/iommu/smmu3.0x0000000009150000");
	test_tree_dir(&fixture->tree,
		      "sys/devices/platform/9150000.smmuv3/iommu/smmu3.0x0000000009150000");
	test_tree_link(&fixture->tree, CARD "iommu",
		       "../../../9150000.smmuv3/iommu/smmu3.0x0000000009150000");
	assert_int_equal(read_once(fixture), 0);
	f = named(fixture, "0000:00:01.0", &index);
	assert_int_equal(fixture->machine->iommus_count, 2);
	assert_int_equal(ward_pa_raw(fixture->machine->iommus[f->stream.iommu].base), 0x9150000);
	assert_int_equal(remarks(fixture, "iommu-contradiction"), 1);
}

static void the_data_of_an_msi_tells_the_frame(void **state)
{
	struct fixture *fixture = *state;
	const struct ward_machine *m;

	assert_int_equal(read_once(fixture), 0);
	m = fixture->machine;
	assert_int_equal(m->controllers_count, 2);
	assert_int_equal(m->controllers[vector(fixture, 21)->controller].first_intid, 80);
	make_card(&fixture->tree, 170);
	assert_int_equal(read_once(fixture), 0);
	m = fixture->machine;
	assert_int_equal(m->controllers[vector(fixture, 21)->controller].first_intid, 160);
	/* In no frame, or not shown: any of the pool. */
	make_card(&fixture->tree, 300);
	assert_int_equal(read_once(fixture), 0);
	assert_int_equal(vector(fixture, 21)->controller, WARD_NONE);
	test_tree_delete(&fixture->tree, CARD "config");
	assert_int_equal(read_once(fixture), 0);
	assert_int_equal(vector(fixture, 21)->controller, WARD_NONE);
}

static void chips_and_map_have_to_agree(void **state)
{
	struct fixture *fixture = *state;
	const struct ward_controller *c;
	const struct ward_function *f;
	uint32_t index;

	/* An ITS that firmware does not tell of: what it tells of isolates less, and stays. */
	irq(&fixture->tree, 21, "ITS-PCI-MSI-0000:00:01.0\n");
	assert_int_equal(read_once(fixture), 0);
	assert_int_equal(remarks(fixture, "iommu-contradiction"), 1);
	f = named(fixture, "0000:00:01.0", &index);
	assert_int_equal(fixture->machine->controllers[f->controller].kind, WARD_CONTROLLER_GICV2M);

	make_fdt(&fixture->tree, false, true);
	assert_int_equal(read_once(fixture), 0);
	assert_int_equal(remarks(fixture, "iommu-contradiction"), 0);
	f = named(fixture, "0000:00:01.0", &index);
	assert_int_equal(fixture->machine->controllers[f->controller].isolates, WARD_YES);
	assert_int_equal(ward_devid_raw(f->devid), 0x08);

	/* The kernel does not use the ITS that firmware names. */
	irq(&fixture->tree, 21, "GICv2m-PCI-MSI-0000:00:01.0\n");
	assert_int_equal(read_once(fixture), 0);
	assert_int_equal(remarks(fixture, "iommu-contradiction"), 1);
	f = named(fixture, "0000:00:01.0", &index);
	c = &fixture->machine->controllers[f->controller];
	assert_int_equal(c->kind, WARD_CONTROLLER_OTHER);
	assert_int_equal(c->isolates, WARD_NO);
	f = named(fixture, "0000:00:02.0", &index);
	assert_int_equal(fixture->machine->controllers[f->controller].isolates, WARD_YES);

	make_fdt(&fixture->tree, true, true);
	assert_int_equal(read_once(fixture), 0);
	f = named(fixture, "0000:00:01.0", &index);
	assert_int_equal(fixture->machine->controllers[f->controller].kind, WARD_CONTROLLER_GICV2M);
}

/* The kernel's one word stands for two kinds of windows; which one is told by the place. */
static void the_word_msi_is_two_kinds(void **state)
{
	static const struct {
		const char *line;
		enum ward_region_kind kind;
	} rows[] = {
		{ "0x0000000008000000 0x00000000080fffff msi\n", WARD_REGION_SW_MSI },
		{ "0x0000000008090000 0x000000000809ffff msi\n", WARD_REGION_MSI },
		{ "0x0000000008000000 0x000000000800ffff msi\n", WARD_REGION_MSI },
		{ "0x0000000008000000 0x00000000080fffff direct\n", WARD_REGION_DIRECT },
		{ "0x0000000008000000 0x00000000080fffff direct-relaxable\n",
		  WARD_REGION_DIRECT_RELAXABLE },
		{ "0x0000000008000000 0x00000000080fffff else\n", WARD_REGION_RESERVED },
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ward_reserved *reserved;
		uint32_t index, count;
		bool found = false;

		test_tree_file(&fixture->tree, "sys/kernel/iommu_groups/0/reserved_regions",
			       rows[i].line);
		assert_int_equal(read_once(fixture), 0);
		assert_int_equal(fixture->machine->regions_count, 1);
		assert_int_equal(fixture->machine->regions[0].kind, rows[i].kind);
		named(fixture, "0000:00:01.0", &index);
		assert_int_equal(ward_machine_reserved(fixture->machine, index, &reserved, &count),
				 0);
		for (uint32_t j = 0; j < count; j++)
			found |= reserved[j].kind == rows[i].kind;
		assert_true(found);
		free(reserved);
	}
}

static void platform_devices_have_drivers_groups_and_vectors(void **state)
{
	struct fixture *fixture = *state;
	const struct ward_function *f;
	uint32_t index;

	assert_int_equal(read_once(fixture), 0);
	f = named(fixture, "a0000000.ethernet", &index);
	assert_int_equal(f->kind, WARD_FUNCTION_PLATFORM);
	assert_int_equal(ward_sid_raw(f->stream.sid), 7);
	assert_int_equal(fixture->machine->controllers[f->controller].kind, WARD_CONTROLLER_GICV2M);
	assert_int_equal(fixture->machine->groups[f->group].number, 1);
	assert_string_equal(f->path, "/devices/platform/a0000000.ethernet");
	assert_string_equal(fixture->state->functions[index].driver, "ethernet");
	assert_int_equal(fixture->state->functions[index].owner.kind, WARD_OWNER_HOST);
	assert_int_equal(fixture->state->functions[index].irq_mode, WARD_IRQ_MSI);
	assert_int_equal(vector(fixture, 22)->function, index);
	assert_string_equal(vector(fixture, 22)->chip, "GICv2m-pMSI");
}

static void a_device_tree_that_is_broken_or_refused_is_remarked(void **state)
{
	struct fixture *fixture = *state;
	uint32_t index;

	test_tree_file(&fixture->tree, "sys/firmware/fdt", "not a device tree");
	assert_int_equal(read_once(fixture), 0);
	assert_int_equal(remarks(fixture, "table-broken"), 1);
	/* The kernel's link still tells the IOMMU; nothing tells the MSI controller. */
	assert_int_equal(named(fixture, "0000:00:01.0", &index)->stream.iommu, 0);
	assert_int_equal(named(fixture, "0000:00:01.0", &index)->controller_known, WARD_UNKNOWN);
	assert_int_equal(named(fixture, "0000:00:02.0", &index)->iommu_known, WARD_UNKNOWN);
	test_tree_file(&fixture->tree, "doorward/denied", "sys/firmware/fdt\n");
	assert_int_equal(read_once(fixture), 0);
	assert_int_equal(remarks(fixture, "table-unreadable"), 1);
	assert_int_equal(remarks(fixture, "table-broken"), 0);
}

static void a_failed_allocation_leaves_nothing_behind(void **state)
{
	assert_true(test_sweep(read_once, *state) > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_map_tells_the_stream_and_the_kernel_agrees,
						make, unmake),
		cmocka_unit_test_setup_teardown(where_they_differ_the_kernel_counts, make, unmake),
		cmocka_unit_test_setup_teardown(the_data_of_an_msi_tells_the_frame, make, unmake),
		cmocka_unit_test_setup_teardown(chips_and_map_have_to_agree, make, unmake),
		cmocka_unit_test_setup_teardown(the_word_msi_is_two_kinds, make, unmake),
		cmocka_unit_test_setup_teardown(platform_devices_have_drivers_groups_and_vectors,
						make, unmake),
		cmocka_unit_test_setup_teardown(a_device_tree_that_is_broken_or_refused_is_remarked,
						make, unmake),
		cmocka_unit_test_setup_teardown(a_failed_allocation_leaves_nothing_behind, make,
						unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

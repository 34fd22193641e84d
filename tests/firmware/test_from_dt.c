// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* From a device tree to a finished machine: who is served by what, under which id. */
#include "machine/from_dt.h"

#include "function_maker.h"
#include "sweep.h"
#include "tree_maker.h"

#define HOST "/pcie@40000000"
#define SECOND "/pcie@60000000"

static void add_second_host(struct made_tree *t)
{
	set_text(t, SECOND, "device_type", "pci");
	CELLS(t, SECOND, "reg", 0, 0x60000000, 0, 0x10000000);
	CELLS(t, SECOND, "bus-range", 0x80, 0xff);
	CELLS(t, SECOND, "linux,pci-domain", 5);
}

static int build(struct ward_builder *builder, const struct made_tree *tree,
		 const struct ward_kernel_evidence *evidence,
		 void (*add_functions)(struct ward_builder *builder))
{
	struct ward_dt_links links = { 0 };
	struct ward_dtb *dtb = NULL;
	int code = ward_dtb_parse(tree->blob, sizeof(tree->blob), &dtb, NULL);

	if (!code)
		code = ward_from_dt_devices(builder, dtb, evidence, &links);
	if (!code && add_functions)
		add_functions(builder);
	if (!code)
		code = ward_from_dt_links(builder, dtb, &links);
	ward_dt_links_finish(&links);
	ward_dtb_destroy(dtb);
	return code;
}

static struct ward_machine *built(const struct made_tree *tree,
				  const struct ward_kernel_evidence *evidence,
				  void (*add_functions)(struct ward_builder *builder))
{
	struct ward_builder *builder = new_builder(WARD_ARCH_ARM64);

	assert_int_equal(build(builder, tree, evidence, add_functions), 0);
	return finished(builder);
}

static void add_three(struct ward_builder *builder)
{
	add_endpoint(builder, 5, 0x0010);
	add_endpoint(builder, 5, 0x0110);
	add_endpoint(builder, 5, 0x9010);
}

static void add_three_more(struct ward_builder *builder)
{
	add_three(builder);
	add_endpoint(builder, 5, 0x0117);
	add_endpoint(builder, 5, 0x0118);
	add_endpoint(builder, 5, 0x9008);
	add_endpoint(builder, 5, 0x9013);
	add_endpoint(builder, 5, 0x9018);
}

static void maps_say_streams_and_device_ids(void **state)
{
	struct ward_kernel_iommu used[] = { { "smmu3.0x0000000110200000", 0, 0, false } };
	struct ward_kernel_evidence evidence = { true, used, 1, WARD_UNKNOWN };
	struct ward_machine *machine;
	struct made_tree tree;

	(void)state;
	make_machine(&tree);
	machine = built(&tree, &evidence, add_three);
	assert_int_equal(machine->firmware_iommu, WARD_YES);
	assert_string_equal(iommu_of(machine, 5, 0x10), "smmu3.0x0000000110200000");
	assert_int_equal(ward_sid_raw(at(machine, 5, 0x10)->stream.sid), 0x10);
	assert_int_equal(ward_devid_raw(at(machine, 5, 0x10)->devid), 0x1010);
	assert_string_equal(controller_of(machine, 5, 0x10), "GICv3 ITS 0x110140000");
	assert_int_equal(ward_sid_raw(at(machine, 5, 0x110)->stream.sid), 0x4010);
	/* Behind the buses of the host bridge nobody speaks for it. */
	assert_string_equal(iommu_of(machine, 5, 0x9010), "none");
	assert_string_equal(controller_of(machine, 5, 0x9010), "none");
	assert_int_equal(machine->iommus[1].active, WARD_YES);
	assert_int_equal(machine->iommus[1].ats, WARD_YES);
	assert_string_equal(machine->iommus[0].name, "smmu.0x0000000110300000");
	assert_int_equal(machine->iommus[0].active, WARD_NO);
	assert_int_equal(machine->iommus[1].controller, 3);
	ward_machine_destroy(machine);
}

static void controllers_have_doorbells(void **state)
{
	struct ward_machine *machine;
	struct made_tree tree;

	(void)state;
	make_machine(&tree);
	machine = built(&tree, NULL, NULL);
	assert_int_equal(machine->controllers_count, 4);
	assert_int_equal(machine->controllers[0].kind, WARD_CONTROLLER_GICV2M);
	assert_true(machine->controllers[0].doorbells[0].start == 0x110180000);
	assert_true(machine->controllers[0].doorbells[0].last == 0x110180fff);
	assert_int_equal(machine->controllers[0].first_intid, 80);
	assert_int_equal(machine->controllers[0].intids, 64);
	assert_string_equal(machine->controllers[0].evidence, "device tree /soc/v2m@180000");
	assert_int_equal(machine->controllers[1].kind, WARD_CONTROLLER_GICV3_MBI);
	assert_true(machine->controllers[1].doorbells[0].start == 0x110120000);
	assert_int_equal(machine->controllers[1].pool, machine->controllers[2].pool);
	assert_int_equal(machine->controllers[2].first_intid, 128);
	assert_int_equal(machine->controllers[3].kind, WARD_CONTROLLER_GICV3_ITS);
	assert_true(machine->controllers[3].doorbells[0].start == 0x110150000);
	assert_true(machine->controllers[3].doorbells[0].last == 0x11015ffff);
	assert_int_equal(machine->controllers[3].isolates, WARD_YES);
	assert_int_equal(machine->controllers[3].firmware_id, ITS);
	ward_machine_destroy(machine);
}

static void a_bridge_that_makes_ids_does_not_isolate(void **state)
{
	struct ward_machine *machine;
	struct made_tree tree;

	(void)state;
	make_machine(&tree);
	CELLS(&tree, "/soc/gic@100000/its@140000", "socionext,synquacer-pre-its", 0x58000000,
	      0x200000);
	machine = built(&tree, NULL, NULL);
	assert_int_equal(machine->controllers[3].isolates, WARD_NO);
	ward_machine_destroy(machine);
}

static void platform_devices_are_functions(void **state)
{
	struct ward_machine *machine;
	struct made_tree tree;
	const struct ward_function *f;

	(void)state;
	make_machine(&tree);
	CELLS(&tree, "/soc/lost@500000", "reg", 0x500000, 0x1000);
	CELLS(&tree, "/soc/lost@500000", "iommus", 99, 1);
	CELLS(&tree, "/soc/lost@500000", "msi-parent", 99);
	machine = built(&tree, NULL, NULL);
	assert_int_equal(machine->functions_count, 3);
	f = &machine->functions[ward_machine_find_name(machine, "110400000.ethernet")];
	assert_int_equal(f->kind, WARD_FUNCTION_PLATFORM);
	assert_int_equal(f->iommu_known, WARD_YES);
	assert_int_equal(f->stream.iommu, 0);
	assert_int_equal(ward_sid_raw(f->stream.sid), 0x11);
	assert_int_equal(f->controller, 3);
	assert_int_equal(ward_devid_raw(f->devid), 0x22);
	f = &machine->functions[ward_machine_find_name(machine, "soc:dma")];
	assert_int_equal(f->controller_known, WARD_YES);
	assert_int_equal(f->controller, WARD_NONE);
	f = &machine->functions[ward_machine_find_name(machine, "110500000.lost")];
	assert_int_equal(f->iommu_known, WARD_UNKNOWN);
	assert_int_equal(f->controller_known, WARD_UNKNOWN);
	ward_machine_destroy(machine);
}

static void msi_parent_serves_what_no_map_does(void **state)
{
	struct ward_machine *machine;
	struct made_tree tree;

	(void)state;
	make_machine(&tree);
	CELLS(&tree, HOST, "msi-map", 0, ITS, 0x1000, 0x100);
	CELLS(&tree, HOST, "msi-parent", V2M);
	machine = built(&tree, NULL, add_three);
	assert_string_equal(controller_of(machine, 5, 0x10), "GICv3 ITS 0x110140000");
	assert_string_equal(controller_of(machine, 5, 0x110), "GICv2m frame 0x110180000");
	ward_machine_destroy(machine);
	/* One that needs an id does not. */
	fdt_delprop(tree.blob, node_at(&tree, HOST), "msi-map");
	CELLS(&tree, HOST, "msi-parent", ITS);
	machine = built(&tree, NULL, add_three);
	assert_string_equal(controller_of(machine, 5, 0x110), "unknown");
	assert_int_equal(machine->remarks_count, 1);
	assert_string_equal(machine->remarks[0].code, "table-unsupported");
	ward_machine_destroy(machine);
	fdt_delprop(tree.blob, node_at(&tree, HOST), "msi-parent");
	machine = built(&tree, NULL, add_three);
	assert_string_equal(controller_of(machine, 5, 0x110), "unknown");
	assert_int_equal(machine->remarks_count, 0);
	ward_machine_destroy(machine);
}

static void an_entry_to_nowhere_is_no_controller(void **state)
{
	struct ward_machine *machine;
	struct made_tree tree;

	(void)state;
	make_machine(&tree);
	CELLS(&tree, HOST, "msi-map", 0, 99, 0, 0x100, 0x100, ITS, 0, 0);
	CELLS(&tree, HOST, "iommu-map", 0, 99, 0, 0x10000);
	machine = built(&tree, NULL, add_three);
	assert_string_equal(controller_of(machine, 5, 0x10), "none");
	assert_string_equal(controller_of(machine, 5, 0x110), "none");
	assert_string_equal(iommu_of(machine, 5, 0x10), "none");
	ward_machine_destroy(machine);
	CELLS(&tree, HOST, "msi-parent", V2M);
	machine = built(&tree, NULL, add_three);
	assert_string_equal(controller_of(machine, 5, 0x10), "GICv2m frame 0x110180000");
	ward_machine_destroy(machine);
}

static void masks_are_applied_first(void **state)
{
	struct ward_machine *machine;
	struct made_tree tree;

	(void)state;
	make_machine(&tree);
	CELLS(&tree, HOST, "iommu-map-mask", 0xff);
	CELLS(&tree, HOST, "iommu-map", 0x10, SMMU, 0x700, 8);
	machine = built(&tree, NULL, add_three);
	assert_int_equal(ward_sid_raw(at(machine, 5, 0x10)->stream.sid), 0x700);
	assert_int_equal(ward_sid_raw(at(machine, 5, 0x110)->stream.sid), 0x700);
	assert_int_equal(ward_sid_raw(at(machine, 5, 0x9010)->stream.sid), 0x700);
	ward_machine_destroy(machine);
	/* Beside another host bridge of the segment the mask ends at the first one's buses. */
	add_second_host(&tree);
	CELLS(&tree, SECOND, "msi-map-mask", 0xf8);
	CELLS(&tree, SECOND, "msi-map", 0x08, 99, 0, 8, 0x10, ITS, 0x900, 0x10);
	machine = built(&tree, NULL, add_three_more);
	assert_int_equal(ward_sid_raw(at(machine, 5, 0x10)->stream.sid), 0x700);
	assert_int_equal(ward_sid_raw(at(machine, 5, 0x110)->stream.sid), 0x700);
	assert_int_equal(ward_sid_raw(at(machine, 5, 0x117)->stream.sid), 0x707);
	assert_string_equal(iommu_of(machine, 5, 0x118), "none");
	assert_string_equal(iommu_of(machine, 5, 0x9010), "none");
	assert_int_equal(ward_devid_raw(at(machine, 5, 0x9010)->devid), 0x900);
	assert_int_equal(ward_devid_raw(at(machine, 5, 0x9013)->devid), 0x900);
	assert_int_equal(ward_devid_raw(at(machine, 5, 0x9018)->devid), 0x908);
	assert_string_equal(controller_of(machine, 5, 0x9008), "none");
	ward_machine_destroy(machine);
}

static void host_bridges_share_a_segment_by_buses(void **state)
{
	struct ward_machine *machine;
	struct made_tree tree;

	(void)state;
	make_machine(&tree);
	add_second_host(&tree);
	CELLS(&tree, HOST, "iommu-map", 0, SMMU, 0x10000, 0x10000);
	CELLS(&tree, SECOND, "iommu-map", 0, SMMU, 0x20000, 0x10000);
	machine = built(&tree, NULL, add_three);
	assert_int_equal(ward_sid_raw(at(machine, 5, 0x110)->stream.sid), 0x10110);
	assert_int_equal(ward_sid_raw(at(machine, 5, 0x9010)->stream.sid), 0x29010);
	ward_machine_destroy(machine);
	CELLS(&tree, HOST, "bus-range", 0x80, 0xff);
	CELLS(&tree, SECOND, "bus-range", 0, 0x7f);
	machine = built(&tree, NULL, add_three);
	assert_int_equal(ward_sid_raw(at(machine, 5, 0x110)->stream.sid), 0x20110);
	assert_int_equal(ward_sid_raw(at(machine, 5, 0x9010)->stream.sid), 0x19010);
	ward_machine_destroy(machine);
}

static void add_with_paths(struct ward_builder *builder)
{
	add_at(builder, 3, 0x10, 0x020000,
	       "devices/platform/40000000.pcie/pci0003:00/0003:00:02.0");
	add_at(builder, 4, 0x8010, 0x020000,
	       "devices/platform/60000000.pcie/pci0004:80/0004:80:02.0");
}

static void segments_without_number_are_found_by_paths(void **state)
{
	struct ward_machine *machine;
	struct made_tree tree;

	(void)state;
	make_machine(&tree);
	fdt_delprop(tree.blob, node_at(&tree, HOST), "linux,pci-domain");
	add_second_host(&tree);
	fdt_delprop(tree.blob, node_at(&tree, SECOND), "linux,pci-domain");
	machine = built(&tree, NULL, add_with_paths);
	assert_int_equal(ward_sid_raw(at(machine, 3, 0x10)->stream.sid), 0x10);
	assert_string_equal(iommu_of(machine, 4, 0x8010), "none");
	ward_machine_destroy(machine);
	/* Without paths nothing tells which of two is which. */
	machine = built(&tree, NULL, add_three);
	assert_string_equal(iommu_of(machine, 5, 0x10), "unknown");
	ward_machine_destroy(machine);
}

static void add_segment_zero(struct ward_builder *builder)
{
	add_endpoint(builder, 0, 0x10);
	add_endpoint(builder, 0, 0x18);
}

static void virtio_iommu_bears_its_address(void **state)
{
	struct ward_kernel_iommu used[] = { { "0000:00:03.0", 0, 0, false } };
	struct ward_kernel_evidence evidence = { true, used, 1, WARD_UNKNOWN };
	struct ward_machine *machine;
	struct made_tree tree;

	(void)state;
	make_machine(&tree);
	/* The only host bridge is segment 0. */
	fdt_delprop(tree.blob, node_at(&tree, HOST), "linux,pci-domain");
	set_text(&tree, HOST "/iommu@3,0", "compatible", "virtio,pci-iommu");
	CELLS(&tree, HOST "/iommu@3,0", "#iommu-cells", 1);
	CELLS(&tree, HOST "/iommu@3,0", "reg", 0x1800, 0, 0, 0, 0);
	CELLS(&tree, HOST "/iommu@3,0", "phandle", 77);
	CELLS(&tree, HOST, "iommu-map", 0, 77, 0, 0x18, 0x19, 77, 0x19, 0xffe7);
	machine = built(&tree, &evidence, add_segment_zero);
	assert_string_equal(iommu_of(machine, 0, 0x10), "0000:00:03.0");
	assert_string_equal(iommu_of(machine, 0, 0x18), "none");
	assert_int_equal(machine->iommus[at(machine, 0, 0x10)->stream.iommu].active, WARD_YES);
	ward_machine_destroy(machine);
}

static void an_unknown_kind_is_not_called_unused(void **state)
{
	struct ward_kernel_iommu used[] = { { "something", 0, 0, false } };
	struct ward_kernel_evidence evidence = { true, used, 1, WARD_UNKNOWN };
	struct ward_machine *machine;
	struct made_tree tree;

	(void)state;
	make_machine(&tree);
	set_text(&tree, "/soc/iommu@300000", "compatible", "vendor,iommu");
	machine = built(&tree, &evidence, NULL);
	assert_int_equal(machine->iommus[0].kind, WARD_IOMMU_OTHER);
	assert_int_equal(machine->iommus[0].active, WARD_UNKNOWN);
	ward_machine_destroy(machine);
	evidence.iommus_count = 0;
	machine = built(&tree, &evidence, NULL);
	assert_int_equal(machine->iommus[0].active, WARD_NO);
	ward_machine_destroy(machine);
}

static int sweep(void *context)
{
	struct ward_builder *builder;
	int code = ward_builder_create(&builder);

	if (code)
		return code;
	code = ward_builder_set_host(builder, WARD_ARCH_ARM64, NULL, NULL, 4096);
	if (!code)
		code = build(builder, context, NULL, NULL);
	ward_builder_destroy(builder);
	return code;
}

static void memory_may_end_anywhere(void **state)
{
	struct made_tree tree;

	(void)state;
	make_machine(&tree);
	assert_true(test_sweep(sweep, &tree) > 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_say_streams_and_device_ids),
		cmocka_unit_test(controllers_have_doorbells),
		cmocka_unit_test(a_bridge_that_makes_ids_does_not_isolate),
		cmocka_unit_test(platform_devices_are_functions),
		cmocka_unit_test(msi_parent_serves_what_no_map_does),
		cmocka_unit_test(an_entry_to_nowhere_is_no_controller),
		cmocka_unit_test(masks_are_applied_first),
		cmocka_unit_test(host_bridges_share_a_segment_by_buses),
		cmocka_unit_test(segments_without_number_are_found_by_paths),
		cmocka_unit_test(virtio_iommu_bears_its_address),
		cmocka_unit_test(an_unknown_kind_is_not_called_unused),
		cmocka_unit_test(memory_may_end_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "firmware/dtb.h"

#include <errno.h>
#include <stdlib.h>

#include "sweep.h"
#include "tree_maker.h"

#define HOST "/pcie@40000000"
#define FRAME "/soc/v2m@180000"

static int parse(const void *bytes, size_t size, struct ward_error *ret_error)
{
	struct ward_dtb *dtb;
	int code = ward_dtb_parse(bytes, size, &dtb, ret_error);

	if (!code)
		ward_dtb_destroy(dtb);
	return code;
}

static struct ward_dtb *parsed(const struct made_tree *tree)
{
	struct ward_error error = { "" };
	struct ward_dtb *dtb = NULL;

	if (ward_dtb_parse(tree->blob, sizeof(tree->blob), &dtb, &error))
		fail_msg("refused: %s", error.text);
	return dtb;
}

static void refused(const struct made_tree *tree, const char *text)
{
	struct ward_error error = { "" };
	int code = parse(tree->blob, sizeof(tree->blob), &error);

	if (code != -EBADMSG || !strstr(error.text, text))
		fail_msg("%d, \"%s\" has no \"%s\"", code, error.text, text);
}

static void controllers_are_found(void **state)
{
	const struct ward_dtb_controller *c;
	struct made_tree tree;
	struct ward_dtb *dtb;

	(void)state;
	make_machine(&tree);
	dtb = parsed(&tree);
	assert_int_equal(dtb->controllers_count, 4);
	/* libfdt puts the last node made first. */
	c = &dtb->controllers[0];
	assert_int_equal(c->kind, WARD_DTB_V2M);
	assert_string_equal(c->path, FRAME);
	assert_true(c->base == 0x110180000 && c->size == 0x1000 && c->base_known);
	assert_int_equal(c->first_intid, 80);
	assert_int_equal(c->intids, 64);
	assert_int_equal(c->phandle, V2M);
	c = &dtb->controllers[1];
	assert_int_equal(c->kind, WARD_DTB_MBI);
	assert_true(c->base == 0x110120000);
	assert_int_equal(c->first_intid, 64);
	assert_int_equal(c[1].first_intid, 128);
	assert_int_equal(c[1].intids, 64);
	c = &dtb->controllers[3];
	assert_int_equal(c->kind, WARD_DTB_ITS);
	assert_true(c->base == 0x110140000);
	assert_true(c->id_cells);
	ward_dtb_destroy(dtb);
}

static void iommus_and_devices_are_found(void **state)
{
	struct made_tree tree;
	struct ward_dtb *dtb;

	(void)state;
	make_machine(&tree);
	dtb = parsed(&tree);
	assert_int_equal(dtb->iommus_count, 2);
	assert_int_equal(dtb->iommus[0].kind, WARD_DTB_SMMUV2);
	assert_int_equal(dtb->iommus[0].cells, 2);
	assert_int_equal(dtb->iommus[0].controller, WARD_NONE);
	assert_false(dtb->iommus[0].ats);
	assert_int_equal(dtb->iommus[1].kind, WARD_DTB_SMMUV3);
	assert_true(dtb->iommus[1].base == 0x110200000);
	assert_string_equal(dtb->iommus[1].device, "110200000.iommu");
	assert_int_equal(dtb->iommus[1].controller, 3);
	assert_true(dtb->iommus[1].ats);
	/* The bridge below the host bridge is no device of its own here. */
	assert_int_equal(dtb->devices_count, 2);
	assert_string_equal(dtb->devices[0].device, "soc:dma");
	assert_int_equal(dtb->devices[0].iommu, 1);
	assert_int_equal(dtb->devices[0].sid, 7);
	assert_false(dtb->devices[0].controller_present);
	assert_string_equal(dtb->devices[1].device, "110400000.ethernet");
	assert_int_equal(dtb->devices[1].iommu, 0);
	assert_int_equal(dtb->devices[1].sid, 0x11);
	assert_int_equal(dtb->devices[1].controller, 3);
	assert_int_equal(dtb->devices[1].devid, 0x22);
	ward_dtb_destroy(dtb);
}

static void host_bridges_have_maps(void **state)
{
	const struct ward_dtb_host *host;
	struct made_tree tree;
	struct ward_dtb *dtb;

	(void)state;
	make_machine(&tree);
	dtb = parsed(&tree);
	assert_int_equal(dtb->hosts_count, 1);
	host = &dtb->hosts[0];
	assert_string_equal(host->device, "40000000.pcie");
	assert_true(host->segment_known);
	assert_int_equal(host->segment, 5);
	assert_int_equal(host->first_bus, 0);
	assert_int_equal(host->last_bus, 0x7f);
	assert_true(host->msi.present);
	assert_int_equal(host->msi.rows_count, 1);
	assert_int_equal(host->msi.rows[0].target, 3);
	assert_int_equal(host->msi.rows[0].out_base, 0x1000);
	assert_int_equal(host->msi.rows[0].length, 0x8000);
	assert_int_equal(host->iommu.rows_count, 2);
	assert_int_equal(host->iommu.mask, UINT32_MAX);
	assert_int_equal(host->iommu.rows[1].id_base, 0x100);
	assert_int_equal(host->iommu.rows[1].target, 1);
	assert_int_equal(host->iommu.rows[1].out_base, 0x4000);
	assert_false(host->msi_parent_present);
	ward_dtb_destroy(dtb);
}

static void what_is_switched_off_is_not_there(void **state)
{
	struct made_tree tree;
	struct ward_dtb *dtb;

	(void)state;
	make_machine(&tree);
	set_text(&tree, "/soc/iommu@200000", "status", "disabled");
	set_text(&tree, HOST, "status", "okay");
	dtb = parsed(&tree);
	assert_int_equal(dtb->iommus_count, 1);
	/* References to it lead nowhere. */
	assert_int_equal(dtb->hosts[0].iommu.rows[0].target, WARD_NONE);
	assert_int_equal(dtb->devices[0].iommu, WARD_NONE);
	assert_true(dtb->devices[0].iommu_present);
	ward_dtb_destroy(dtb);
	set_text(&tree, "/soc", "status", "disabled");
	dtb = parsed(&tree);
	assert_int_equal(dtb->controllers_count + dtb->iommus_count + dtb->devices_count, 0);
	assert_int_equal(dtb->hosts_count, 1);
	ward_dtb_destroy(dtb);
}

static void virtio_iommu_is_a_function(void **state)
{
	struct made_tree tree;
	struct ward_dtb *dtb;

	(void)state;
	make_machine(&tree);
	set_text(&tree, HOST "/iommu@3,0", "compatible", "pci1af4,1057");
	CELLS(&tree, HOST "/iommu@3,0", "#iommu-cells", 1);
	CELLS(&tree, HOST "/iommu@3,0", "reg", 0x1800, 0, 0, 0, 0);
	CELLS(&tree, HOST "/iommu@3,0", "phandle", 77);
	CELLS(&tree, HOST, "iommu-map", 0, 77, 0, 0x18, 0x19, 77, 0x19, 0xffe7);
	dtb = parsed(&tree);
	assert_int_equal(dtb->iommus[0].kind, WARD_DTB_VIRTIO_PCI);
	assert_int_equal(dtb->iommus[0].host, 0);
	assert_int_equal(dtb->iommus[0].rid, 0x18);
	assert_int_equal(dtb->hosts[0].iommu.rows[1].target, 0);
	ward_dtb_destroy(dtb);
	node_at(&tree, HOST "/iommu@3,0");
	fdt_delprop(tree.blob, node_at(&tree, HOST "/iommu@3,0"), "reg");
	refused(&tree, "which function it is");
}

static void frames_without_both_properties_have_no_interrupts(void **state)
{
	struct made_tree tree;
	struct ward_dtb *dtb;

	(void)state;
	make_machine(&tree);
	CELLS(&tree, FRAME, "arm,msi-num-spis", 0);
	dtb = parsed(&tree);
	assert_int_equal(dtb->controllers[0].first_intid, 0);
	assert_int_equal(dtb->controllers[0].intids, 0);
	ward_dtb_destroy(dtb);
	/* Without the flag Linux passes over the node. */
	fdt_delprop(tree.blob, node_at(&tree, FRAME), "msi-controller");
	dtb = parsed(&tree);
	assert_int_equal(dtb->controllers_count, 3);
	ward_dtb_destroy(dtb);
}

static void bad_headers_are_refused(void **state)
{
	struct made_tree tree;

	(void)state;
	make_machine(&tree);
	fdt_set_magic(tree.blob, 0x12345678);
	refused(&tree, "device tree header");
	make_machine(&tree);
	fdt_set_totalsize(tree.blob, sizeof(tree.blob) + 4);
	refused(&tree, "there are 16384 bytes");
	make_machine(&tree);
	fdt_set_version(tree.blob, 3);
	refused(&tree, "device tree header");
	make_machine(&tree);
	fdt_set_off_dt_strings(tree.blob, sizeof(tree.blob));
	refused(&tree, "device tree header");
	make_machine(&tree);
	fdt_set_size_dt_struct(tree.blob, fdt_size_dt_struct(tree.blob) - 4);
	refused(&tree, "device tree");
	make_machine(&tree);
	fdt_set_off_dt_struct(tree.blob, sizeof(tree.blob) - 8);
	refused(&tree, "device tree");
	make_machine(&tree);
	assert_int_equal(parse(tree.blob, 16, NULL), -EBADMSG);
	assert_int_equal(parse(tree.blob, WARD_DTB_SIZE_MAX + 1, NULL), -EBADMSG);
}

/* Each tag of the structure block with a length that leads out of it, or back. */
static void lengths_of_properties_are_checked(void **state)
{
	static const uint32_t lengths[] = { 0x7ffffff0, 0x80000000, 0xfffffff0, 0xffffffff, 16384 };
	struct made_tree tree;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint32_t raw = cpu_to_fdt32(lengths[i]);
		int property;

		make_machine(&tree);
		property = fdt_first_property_offset(tree.blob, 0);
		assert_true(property >= 0);
		memcpy(tree.blob + fdt_off_dt_struct(tree.blob) + property + 4, &raw, 4);
		refused(&tree, "not a tag that fits");
	}
}

static void bad_properties_are_refused(void **state)
{
	static const struct {
		const char *path, *name;
		size_t count;
		uint32_t cells[5];
		const char *text;
	} bad[] = {
		{ HOST, "msi-map", 0, { 0 }, "node /pcie@40000000: msi-map of 0 bytes" },
		{ HOST, "msi-map", 3, { 0 }, "msi-map of 12 bytes" },
		{ HOST, "iommu-map", 5, { 0 }, "iommu-map of 20 bytes" },
		{ HOST, "msi-map-mask", 1, { 0 }, NULL },
		{ HOST,
		  "iommu-map-mask",
		  1,
		  { 0xff },
		  "row 1 of iommu-map starts at 0x100, outside mask "
		  "0xff" },
		{ HOST, "bus-range", 2, { 2, 1 }, "bus-range from 2 to 1" },
		{ HOST, "bus-range", 2, { 0, 256 }, "bus-range from 0 to 256" },
		{ FRAME, "reg", 1, { 0 }, "no address of a GICv2m frame" },
		{ FRAME, "reg", 2, { 0x180000, 0x800 }, "no address of a GICv2m frame" },
		{ FRAME, "reg", 2, { 0x180800, 0x1000 }, "no address of a GICv2m frame" },
		{ FRAME, "reg", 2, { 0x1000000, 0x1000 }, "no address of a GICv2m frame" },
		{ FRAME, "arm,msi-base-spi", 1, { 31 }, "64 interrupts from 31 are no SPIs" },
		{ FRAME, "arm,msi-num-spis", 1, { 941 }, "941 interrupts from 80" },
		{ FRAME, "arm,msi-num-spis", 1, { 0xffffffff }, "are no SPIs" },
		{ "/soc/gic@100000", "mbi-ranges", 0, { 0 }, "mbi-ranges of 0 bytes" },
		{ "/soc/gic@100000", "mbi-ranges", 3, { 0 }, "mbi-ranges of 12 bytes" },
		{ "/soc/gic@100000", "mbi-ranges", 2, { 4, 8 }, "8 interrupts from 4" },
		{ "/soc/gic@100000/its@140000",
		  "reg",
		  2,
		  { 0x140000, 0x10000 },
		  "no address of an ITS" },
		{ "/soc/gic@100000/its@140000",
		  "reg",
		  2,
		  { 0x148000, 0x20000 },
		  "no address of an ITS" },
		{ "/soc", "#address-cells", 1, { 3 }, "no address of" },
		{ "/soc", "#size-cells", 1, { 0x40000000 }, "no address of" },
		{ "/soc", "ranges", 3, { 0 }, "no address of" },
	};
	struct made_tree tree;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		make_machine(&tree);
		set_cells(&tree, bad[i].path, bad[i].name, bad[i].count, bad[i].cells);
		if (bad[i].text)
			refused(&tree, bad[i].text);
		else
			assert_int_equal(parse(tree.blob, sizeof(tree.blob), NULL), 0);
	}
}

static void too_deep_a_tree_is_refused(void **state)
{
	char path[3 * WARD_DTB_DEPTH_MAX + 1] = "";
	struct made_tree tree;

	(void)state;
	start_tree(&tree);
	for (unsigned int i = 0; i + 1 < WARD_DTB_DEPTH_MAX; i++)
		strcat(path, "/a");
	node_at(&tree, path);
	assert_int_equal(parse(tree.blob, sizeof(tree.blob), NULL), 0);
	strcat(path, "/a");
	node_at(&tree, path);
	refused(&tree, "levels");
}

static void too_long_a_property_name_is_refused(void **state)
{
	char name[WARD_DTB_NAME_MAX + 2];
	struct made_tree tree;

	(void)state;
	memset(name, 'x', sizeof(name));
	name[WARD_DTB_NAME_MAX] = '\0';
	start_tree(&tree);
	set_flag(&tree, "/", name);
	assert_int_equal(parse(tree.blob, sizeof(tree.blob), NULL), 0);
	name[WARD_DTB_NAME_MAX] = 'x';
	name[WARD_DTB_NAME_MAX + 1] = '\0';
	set_flag(&tree, "/", name);
	refused(&tree, "a property name of more than 255 bytes");
}

static void alignment_does_not_matter(void **state)
{
	static uint8_t shifted[sizeof(struct made_tree) + 1];
	struct made_tree tree;

	(void)state;
	make_machine(&tree);
	memcpy(shifted + 1, tree.blob, sizeof(tree.blob));
	assert_int_equal(parse(shifted + 1, sizeof(tree.blob), NULL), 0);
}

/* Each 32-bit word changed: read or refused, nothing else. */
static void damage_is_read_or_refused(void **state)
{
	static const uint32_t values[] = { 0, 1, 2, 4, 9, 0x7fffffff, 0x80000000, 0xffffffff };
	struct made_tree tree;
	size_t size;

	(void)state;
	make_machine(&tree);
	assert_int_equal(fdt_pack(tree.blob), 0);
	size = fdt_totalsize(tree.blob);
	for (size_t at = 0; at + 4 <= size; at += 4) {
		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			uint8_t *exact = malloc(size);
			uint32_t raw = cpu_to_fdt32(values[i]);
			struct ward_error error = { "" };
			int code;

			assert_non_null(exact);
			memcpy(exact, tree.blob, size);
			memcpy(exact + at, &raw, 4);
			code = parse(exact, size, &error);
			free(exact);
			if (code != 0 && (code != -EBADMSG || !error.text[0]))
				fail_msg("0x%x at 0x%zx: %d", values[i], at, code);
		}
	}
	for (size_t cut = 0; cut < size; cut += 3) {
		uint8_t *exact = malloc(cut ? cut : 1);

		assert_non_null(exact);
		memcpy(exact, tree.blob, cut);
		assert_int_equal(parse(exact, cut, NULL), -EBADMSG);
		free(exact);
	}
}

static int sweep(void *context)
{
	const struct made_tree *tree = context;

	return parse(tree->blob, sizeof(tree->blob), NULL);
}

static void memory_may_end_anywhere(void **state)
{
	struct made_tree tree;

	(void)state;
	make_machine(&tree);
	assert_true(test_sweep(sweep, &tree) >= 8);
	ward_dtb_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(controllers_are_found),
		cmocka_unit_test(iommus_and_devices_are_found),
		cmocka_unit_test(host_bridges_have_maps),
		cmocka_unit_test(what_is_switched_off_is_not_there),
		cmocka_unit_test(virtio_iommu_is_a_function),
		cmocka_unit_test(frames_without_both_properties_have_no_interrupts),
		cmocka_unit_test(bad_headers_are_refused),
		cmocka_unit_test(lengths_of_properties_are_checked),
		cmocka_unit_test(bad_properties_are_refused),
		cmocka_unit_test(too_deep_a_tree_is_refused),
		cmocka_unit_test(too_long_a_property_name_is_refused),
		cmocka_unit_test(alignment_does_not_matter),
		cmocka_unit_test(damage_is_read_or_refused),
		cmocka_unit_test(memory_may_end_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

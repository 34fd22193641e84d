/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/* Device trees made with libfdt: nodes by path, properties of cells or text. */
#ifndef TESTS_FIRMWARE_TREE_MAKER_H
#define TESTS_FIRMWARE_TREE_MAKER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <libfdt.h>

struct made_tree {
	_Alignas(8) uint8_t blob[16384];
};

static inline void start_tree(struct made_tree *tree)
{
	memset(tree, 0, sizeof(*tree));
	assert_int_equal(fdt_create_empty_tree(tree->blob, sizeof(tree->blob)), 0);
}

/* The node at a path, made with all nodes above it when it is not there. */
static inline int node_at(struct made_tree *tree, const char *path)
{
	const char *name = path + 1;
	int node = 0;

	while (*name) {
		int length = (int)strcspn(name, "/");
		int child = fdt_subnode_offset_namelen(tree->blob, node, name, length);

		if (child < 0)
			child = fdt_add_subnode_namelen(tree->blob, node, name, length);
		assert_true(child > 0);
		node = child;
		name += length + (name[length] == '/');
	}
	return node;
}

static inline void set_bytes(struct made_tree *tree, const char *path, const char *name,
			     const void *bytes, size_t size)
{
	assert_int_equal(fdt_setprop(tree->blob, node_at(tree, path), name, bytes, (int)size), 0);
}

static inline void set_text(struct made_tree *tree, const char *path, const char *name,
			    const char *text)
{
	set_bytes(tree, path, name, text, strlen(text) + 1);
}

static inline void set_cells(struct made_tree *tree, const char *path, const char *name,
			     size_t count, const uint32_t *cells)
{
	uint32_t raw[64];

	assert_true(count <= 64);
	for (size_t i = 0; i < count; i++)
		raw[i] = cpu_to_fdt32(cells[i]);
	set_bytes(tree, path, name, raw, 4 * count);
}

#define CELLS(tree, path, name, ...)                                                        \
	set_cells(tree, path, name, sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t), \
		  (uint32_t[]){ __VA_ARGS__ })

static inline void set_flag(struct made_tree *tree, const char *path, const char *name)
{
	set_bytes(tree, path, name, "", 0);
}

/* phandles of the usual machine */
enum { GIC = 1, ITS = 2, SMMU = 3, MMU = 4, V2M = 5 };

/* A machine with everything in it; tests then change one thing. */
static inline void make_machine(struct made_tree *t)
{
	start_tree(t);
	CELLS(t, "/", "#address-cells", 2);
	CELLS(t, "/", "#size-cells", 2);
	CELLS(t, "/soc", "#address-cells", 1);
	CELLS(t, "/soc", "#size-cells", 1);
	CELLS(t, "/soc", "ranges", 0, 1, 0x10000000, 0x1000000);
	set_text(t, "/soc/gic@100000", "compatible", "arm,gic-v3");
	CELLS(t, "/soc/gic@100000", "reg", 0x100000, 0x10000);
	CELLS(t, "/soc/gic@100000", "#address-cells", 1);
	CELLS(t, "/soc/gic@100000", "#size-cells", 1);
	CELLS(t, "/soc/gic@100000", "phandle", GIC);
	set_flag(t, "/soc/gic@100000", "ranges");
	set_flag(t, "/soc/gic@100000", "msi-controller");
	CELLS(t, "/soc/gic@100000", "mbi-ranges", 64, 32, 128, 64);
	CELLS(t, "/soc/gic@100000", "mbi-alias", 0x120000);
	set_text(t, "/soc/gic@100000/its@140000", "compatible", "arm,gic-v3-its");
	set_flag(t, "/soc/gic@100000/its@140000", "msi-controller");
	CELLS(t, "/soc/gic@100000/its@140000", "#msi-cells", 1);
	CELLS(t, "/soc/gic@100000/its@140000", "reg", 0x140000, 0x20000);
	CELLS(t, "/soc/gic@100000/its@140000", "phandle", ITS);
	set_text(t, "/soc/v2m@180000", "compatible", "arm,gic-v2m-frame");
	set_flag(t, "/soc/v2m@180000", "msi-controller");
	CELLS(t, "/soc/v2m@180000", "reg", 0x180000, 0x1000);
	CELLS(t, "/soc/v2m@180000", "arm,msi-base-spi", 80);
	CELLS(t, "/soc/v2m@180000", "arm,msi-num-spis", 64);
	CELLS(t, "/soc/v2m@180000", "phandle", V2M);
	set_text(t, "/soc/iommu@200000", "compatible", "arm,smmu-v3");
	CELLS(t, "/soc/iommu@200000", "reg", 0x200000, 0x20000);
	CELLS(t, "/soc/iommu@200000", "#iommu-cells", 1);
	CELLS(t, "/soc/iommu@200000", "msi-parent", ITS, 0xff);
	CELLS(t, "/soc/iommu@200000", "phandle", SMMU);
	set_text(t, "/soc/iommu@300000", "compatible", "arm,mmu-500");
	CELLS(t, "/soc/iommu@300000", "reg", 0x300000, 0x10000);
	CELLS(t, "/soc/iommu@300000", "#iommu-cells", 2);
	CELLS(t, "/soc/iommu@300000", "phandle", MMU);
	CELLS(t, "/soc/ethernet@400000", "reg", 0x400000, 0x1000);
	CELLS(t, "/soc/ethernet@400000", "iommus", MMU, 0x11, 0);
	CELLS(t, "/soc/ethernet@400000", "msi-parent", ITS, 0x22);
	CELLS(t, "/soc/dma", "iommus", SMMU, 7);
	set_text(t, "/pcie@40000000", "device_type", "pci");
	CELLS(t, "/pcie@40000000", "reg", 0, 0x40000000, 0, 0x10000000);
	CELLS(t, "/pcie@40000000", "#address-cells", 3);
	CELLS(t, "/pcie@40000000", "#size-cells", 2);
	CELLS(t, "/pcie@40000000", "bus-range", 0, 0x7f);
	CELLS(t, "/pcie@40000000", "linux,pci-domain", 5);
	CELLS(t, "/pcie@40000000", "msi-map", 0, ITS, 0x1000, 0x8000);
	CELLS(t, "/pcie@40000000", "iommu-map", 0, SMMU, 0, 0x100, 0x100, SMMU, 0x4000, 0x7f00);
	set_flag(t, "/pcie@40000000", "ats-supported");
	set_text(t, "/pcie@40000000/bridge@1,0", "device_type", "pci");
	CELLS(t, "/pcie@40000000/bridge@1,0", "iommus", SMMU, 1);
}

#endif

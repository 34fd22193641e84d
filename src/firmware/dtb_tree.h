/* SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause */
/*
 * The nodes of a flattened device tree as an array, with what libfdt cannot give in less than a
 * pass over the blob: parents, phandles, CPU addresses, the kernel's device names.
 */
#ifndef FIRMWARE_DTB_TREE_H
#define FIRMWARE_DTB_TREE_H

#include <doorward/error.h>
#include <doorward/types.h>

struct ward_dtb_node {
	int offset;	  /* in the structure block, as libfdt counts */
	uint32_t parent;  /* index, or WARD_NONE: the root */
	uint32_t phandle; /* 0: none */
	uint8_t depth;
	bool enabled;			    /* its status and that of all above it */
	bool pci;			    /* device_type is "pci" */
	uint32_t address_cells, size_cells; /* of its children */
	const void *ranges; /* NULL: there is no way from its children to its parent */
	uint32_t ranges_length;
};

struct ward_dtb_tree {
	const void *blob;
	void *copy;		     /* when the caller's bytes were not aligned */
	struct ward_dtb_node *nodes; /* in the order of the blob: parents before children */
	uint32_t nodes_count;
	uint32_t *by_phandle; /* indexes of the nodes that have one, in its order */
	uint32_t phandles_count;
};

/* Checks the blob and lists its nodes. Returns 0, -EBADMSG with a sentence, -ENOMEM. */
int ward_dtb_tree_init(struct ward_dtb_tree *tree, const void *bytes, size_t size,
		       struct ward_error *ret_error);
void ward_dtb_tree_finish(struct ward_dtb_tree *tree);

/* Bytes of a property and their number, or NULL. */
const void *ward_dtb_property(const struct ward_dtb_tree *tree, uint32_t node, const char *name,
			      uint32_t *ret_length);
bool ward_dtb_has(const struct ward_dtb_tree *tree, uint32_t node, const char *name);
/* The cell-th cell of bytes that have it. */
uint32_t ward_dtb_load(const void *value, uint32_t cell);
/* The cell-th cell of a property; false when it is not that long. */
bool ward_dtb_cell(const struct ward_dtb_tree *tree, uint32_t node, const char *name, uint32_t cell,
		   uint32_t *ret_value);
/* True when the compatible list has that name. */
bool ward_dtb_compatible(const struct ward_dtb_tree *tree, uint32_t node, const char *name);
/* The node with that phandle, or WARD_NONE. */
uint32_t ward_dtb_by_phandle(const struct ward_dtb_tree *tree, uint32_t phandle);

/* The first reg entry as the CPU sees it; false when there is none or no way to the root. */
bool ward_dtb_address(const struct ward_dtb_tree *tree, uint32_t node, uint64_t *ret_base,
		      uint64_t *ret_size);
/* The same for an address in another property of the node, without a size. */
bool ward_dtb_address_of(const struct ward_dtb_tree *tree, uint32_t node, const char *name,
			 uint64_t *ret_base);

/* The path of a node: "/intc@8000000/v2m@8020000"; cut off when it is too long. */
void ward_dtb_path(const struct ward_dtb_tree *tree, uint32_t node, char *ret_text, size_t size);
/* What Linux calls its device: "8020000.v2m" (drivers/of/platform.c, of_device_make_bus_id). */
void ward_dtb_device_name(const struct ward_dtb_tree *tree, uint32_t node, char *ret_text,
			  size_t size);

#endif

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
#include "firmware/dtb_tree.h"

#include <errno.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fault.h"
#include "firmware/dtb.h"

#define DTB_VERSION_MIN 17

/*
 * libfdt looks for the end of a property's name each time it meets the property; a block of
 * strings that hardly ends anywhere would make that quadratic.
 */
static int check_names(const void *blob, size_t size, struct ward_error *ret_error)
{
	const char *strings = (const char *)blob + fdt_off_dt_strings(blob);
	size_t length = fdt_size_dt_strings(blob), run = 0;

	if (fdt_off_dt_strings(blob) > size || length > size - fdt_off_dt_strings(blob))
		return ward_fail(ret_error, -EBADMSG,
				 "device tree: the strings block is outside the blob");
	for (size_t i = 0; i < length; i++) {
		run = strings[i] ? run + 1 : 0;
		if (run > WARD_DTB_NAME_MAX)
			return ward_fail(ret_error, -EBADMSG,
					 "device tree: strings block at 0x%zx: a property name of "
					 "more than %u bytes",
					 i, WARD_DTB_NAME_MAX);
	}
	return 0;
}

uint32_t ward_dtb_load(const void *value, uint32_t cell)
{
	const uint8_t *bytes = (const uint8_t *)value + (size_t)cell * 4;

	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

/* The offset behind the tag at an offset, or 0 when it does not fit. at and size are multiples of 4. */
static size_t tag_end(const void *structure, size_t at, size_t size)
{
	const char *end;
	size_t length;

	switch (ward_dtb_load(structure, (uint32_t)(at / 4))) {
	case FDT_BEGIN_NODE:
		end = memchr((const char *)structure + at + 4, '\0', size - at - 4);
		if (!end)
			return 0;
		length = (size_t)(end - (const char *)structure) + 1;
		return (length + 3) & ~(size_t)3;
	case FDT_PROP:
		if (size - at < 12)
			return 0;
		length = ward_dtb_load(structure, (uint32_t)(at / 4 + 1));
		if (length > size - at - 12)
			return 0;
		return (at + 12 + length + 3) & ~(size_t)3;
	case FDT_END_NODE:
	case FDT_NOP:
	case FDT_END:
		return at + 4;
	default:
		return 0;
	}
}

/*
 * libfdt before 1.7 adds a property's length to its offset without a look at overflow and so may
 * go back and walk a blob for ever: each tag is measured here first.
 */
static int check_structure(const void *blob, size_t size, struct ward_error *ret_error)
{
	size_t from = fdt_off_dt_struct(blob), length = fdt_size_dt_struct(blob);
	size_t at = 0, end;

	if (from > size || length > size - from)
		return ward_fail(ret_error, -EBADMSG,
				 "device tree: the structure block is outside the blob");
	length &= ~(size_t)3;
	for (; at + 4 <= length; at = end) {
		end = tag_end((const char *)blob + from, at, length);
		if (end == 0 || end > length)
			return ward_fail(
				ret_error, -EBADMSG,
				"device tree: structure block at 0x%zx: not a tag that fits", at);
	}
	return 0;
}

static int check_blob(const void *blob, size_t size, struct ward_error *ret_error)
{
	int err;

	if (size < sizeof(struct fdt_header) || size > WARD_DTB_SIZE_MAX)
		return ward_fail(ret_error, -EBADMSG,
				 "device tree: %zu bytes cannot be a device tree", size);
	err = fdt_check_header(blob);
	if (err)
		return ward_fail(ret_error, -EBADMSG, "device tree header: %s", fdt_strerror(err));
	if (fdt_totalsize(blob) > size)
		return ward_fail(ret_error, -EBADMSG,
				 "device tree header: the size says %u, there are %zu bytes",
				 fdt_totalsize(blob), size);
	if (fdt_version(blob) < DTB_VERSION_MIN || fdt_off_dt_struct(blob) % 4)
		return ward_fail(ret_error, -EBADMSG,
				 "device tree header: version %u, structure block at 0x%x",
				 fdt_version(blob), fdt_off_dt_struct(blob));
	err = check_names(blob, size, ret_error);
	if (!err)
		err = check_structure(blob, size, ret_error);
	if (err)
		return err;
	err = fdt_check_full(blob, size);
	if (err)
		return ward_fail(ret_error, -EBADMSG, "device tree: %s", fdt_strerror(err));
	return 0;
}

const void *ward_dtb_property(const struct ward_dtb_tree *tree, uint32_t node, const char *name,
			      uint32_t *ret_length)
{
	int length = 0;
	const void *value = fdt_getprop(tree->blob, tree->nodes[node].offset, name, &length);

	*ret_length = value && length > 0 ? (uint32_t)length : 0;
	return value;
}

bool ward_dtb_has(const struct ward_dtb_tree *tree, uint32_t node, const char *name)
{
	uint32_t length;

	return ward_dtb_property(tree, node, name, &length) != NULL;
}

bool ward_dtb_cell(const struct ward_dtb_tree *tree, uint32_t node, const char *name, uint32_t cell,
		   uint32_t *ret_value)
{
	uint32_t length;
	const void *value = ward_dtb_property(tree, node, name, &length);

	if (!value || length / 4 <= cell)
		return false;
	*ret_value = ward_dtb_load(value, cell);
	return true;
}

static bool is_text(const struct ward_dtb_tree *tree, uint32_t node, const char *name,
		    const char *text)
{
	uint32_t length;
	const char *value = ward_dtb_property(tree, node, name, &length);

	return value && length == strlen(text) + 1 && memcmp(value, text, length) == 0;
}

bool ward_dtb_compatible(const struct ward_dtb_tree *tree, uint32_t node, const char *name)
{
	uint32_t length;
	const char *value = ward_dtb_property(tree, node, "compatible", &length);

	return value && fdt_stringlist_contains(value, (int)length, name);
}

static void describe_node(struct ward_dtb_tree *tree, uint32_t index)
{
	struct ward_dtb_node *node = &tree->nodes[index];

	node->phandle = fdt_get_phandle(tree->blob, node->offset);
	if (node->phandle == UINT32_MAX)
		node->phandle = 0;
	node->pci = is_text(tree, index, "device_type", "pci");
	node->enabled = !ward_dtb_has(tree, index, "status") ||
			is_text(tree, index, "status", "okay") ||
			is_text(tree, index, "status", "ok");
	if (node->parent != WARD_NONE && !tree->nodes[node->parent].enabled)
		node->enabled = false;
	node->address_cells = 2; /* Devicetree specification, 2.3.5 */
	node->size_cells = 1;
	ward_dtb_cell(tree, index, "#address-cells", 0, &node->address_cells);
	ward_dtb_cell(tree, index, "#size-cells", 0, &node->size_cells);
	node->ranges = ward_dtb_property(tree, index, "ranges", &node->ranges_length);
}

static int list_nodes(struct ward_dtb_tree *tree, struct ward_error *ret_error)
{
	uint32_t way[WARD_DTB_DEPTH_MAX];
	size_t capacity = 0;
	int depth = 0;

	for (int offset = 0; offset >= 0 && depth >= 0;
	     offset = fdt_next_node(tree->blob, offset, &depth)) {
		uint32_t index = tree->nodes_count;
		void *nodes = tree->nodes;

		if (depth >= (int)WARD_DTB_DEPTH_MAX || index == WARD_DTB_NODES_MAX)
			return ward_fail(
				ret_error, -EBADMSG,
				"device tree: node at 0x%x: more than %u nodes or %u levels",
				(unsigned int)offset, WARD_DTB_NODES_MAX, WARD_DTB_DEPTH_MAX);
		if (ward_array_reserve(&nodes, &capacity, index + (size_t)1, sizeof(*tree->nodes)))
			return -ENOMEM;
		tree->nodes = nodes;
		tree->nodes[index] = (struct ward_dtb_node){
			.offset = offset,
			.depth = (uint8_t)depth,
			.parent = depth ? way[depth - 1] : WARD_NONE,
		};
		way[depth] = index;
		describe_node(tree, index);
		tree->nodes_count++;
	}
	return 0;
}

static int compare_phandles(const void *a, const void *b, void *context)
{
	const struct ward_dtb_node *nodes = context;
	uint32_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	if (nodes[x].phandle != nodes[y].phandle)
		return nodes[x].phandle < nodes[y].phandle ? -1 : 1;
	return x < y ? -1 : x > y;
}

static int sort_phandles(struct ward_dtb_tree *tree)
{
	tree->by_phandle = ward_alloc_array(tree->nodes_count, sizeof(*tree->by_phandle));
	if (!tree->by_phandle)
		return -ENOMEM;
	for (uint32_t i = 0; i < tree->nodes_count; i++) {
		if (tree->nodes[i].phandle)
			tree->by_phandle[tree->phandles_count++] = i;
	}
	qsort_r(tree->by_phandle, tree->phandles_count, sizeof(*tree->by_phandle), compare_phandles,
		tree->nodes);
	return 0;
}

int ward_dtb_tree_init(struct ward_dtb_tree *tree, const void *bytes, size_t size,
		       struct ward_error *ret_error)
{
	int err;

	*tree = (struct ward_dtb_tree){ .blob = bytes };
	/* libfdt asks for 8-byte alignment. */
	if ((uintptr_t)bytes % 8 && size <= WARD_DTB_SIZE_MAX) {
		tree->copy = ward_alloc(size);
		if (!tree->copy)
			return ward_fail(ret_error, -ENOMEM, "out of memory");
		tree->blob = memcpy(tree->copy, bytes, size);
	}
	err = check_blob(tree->blob, size, ret_error);
	if (!err)
		err = list_nodes(tree, ret_error);
	if (!err)
		err = sort_phandles(tree);
	if (err == -ENOMEM)
		ward_fail(ret_error, err, "out of memory");
	if (err)
		ward_dtb_tree_finish(tree);
	return err;
}

void ward_dtb_tree_finish(struct ward_dtb_tree *tree)
{
	free(tree->nodes);
	free(tree->by_phandle);
	free(tree->copy);
	*tree = (struct ward_dtb_tree){ 0 };
}

uint32_t ward_dtb_by_phandle(const struct ward_dtb_tree *tree, uint32_t phandle)
{
	uint32_t low = 0, high = tree->phandles_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (tree->nodes[tree->by_phandle[middle]].phandle < phandle)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == tree->phandles_count || tree->nodes[tree->by_phandle[low]].phandle != phandle)
		return WARD_NONE;
	return tree->by_phandle[low];
}

/* False when they are more than two cells: PCI and others that are no CPU addresses. */
static bool cells_are_sound(const struct ward_dtb_node *bus)
{
	return bus->address_cells >= 1 && bus->address_cells <= 2 && bus->size_cells <= 2;
}

static uint64_t load_number(const void *value, uint32_t first, uint32_t cells)
{
	uint64_t number = 0;

	for (uint32_t i = 0; i < cells; i++)
		number = number << 32 | ward_dtb_load(value, first + i);
	return number;
}

/* From an address on a bus to one on the bus above it, through its ranges. */
static bool translate_once(const struct ward_dtb_node *bus, const struct ward_dtb_node *above,
			   uint64_t *address)
{
	uint32_t entry = bus->address_cells + above->address_cells + bus->size_cells, at = 0;

	if (!bus->ranges || !cells_are_sound(bus) || !cells_are_sound(above))
		return false;
	if (bus->ranges_length == 0)
		return true;
	for (uint32_t i = 0; i < WARD_DTB_RANGES_MAX && at + entry <= bus->ranges_length / 4; i++) {
		uint64_t from = load_number(bus->ranges, at, bus->address_cells);
		uint64_t to =
			load_number(bus->ranges, at + bus->address_cells, above->address_cells);
		uint64_t size =
			load_number(bus->ranges, at + bus->address_cells + above->address_cells,
				    bus->size_cells);

		at += entry;
		if (*address < from || *address - from >= size)
			continue;
		if (*address - from > UINT64_MAX - to)
			return false;
		*address = to + (*address - from);
		return true;
	}
	return false;
}

static bool translate(const struct ward_dtb_tree *tree, uint32_t node, uint64_t *address)
{
	const struct ward_dtb_node *bus = &tree->nodes[tree->nodes[node].parent];

	while (bus->parent != WARD_NONE) {
		const struct ward_dtb_node *above = &tree->nodes[bus->parent];

		if (!translate_once(bus, above, address))
			return false;
		bus = above;
	}
	return true;
}

static bool read_address(const struct ward_dtb_tree *tree, uint32_t node, const char *name,
			 bool with_size, uint64_t *ret_base, uint64_t *ret_size)
{
	uint32_t length, parent = tree->nodes[node].parent, address_cells, size_cells;
	const void *value = ward_dtb_property(tree, node, name, &length);
	uint64_t base, size;

	if (!value || parent == WARD_NONE || !cells_are_sound(&tree->nodes[parent]))
		return false;
	address_cells = tree->nodes[parent].address_cells;
	size_cells = with_size ? tree->nodes[parent].size_cells : 0;
	if (length / 4 < address_cells + size_cells)
		return false;
	base = load_number(value, 0, address_cells);
	size = load_number(value, address_cells, size_cells);
	if (!translate(tree, node, &base))
		return false;
	*ret_base = base;
	*ret_size = size;
	return true;
}

bool ward_dtb_address(const struct ward_dtb_tree *tree, uint32_t node, uint64_t *ret_base,
		      uint64_t *ret_size)
{
	return read_address(tree, node, "reg", true, ret_base, ret_size);
}

bool ward_dtb_address_of(const struct ward_dtb_tree *tree, uint32_t node, const char *name,
			 uint64_t *ret_base)
{
	uint64_t size;

	return read_address(tree, node, name, false, ret_base, &size);
}

static const char *node_name(const struct ward_dtb_tree *tree, uint32_t node)
{
	const char *name = fdt_get_name(tree->blob, tree->nodes[node].offset, NULL);

	return name ? name : "";
}

/* Copies a name; what cannot be printed is replaced. */
static size_t append_text(char *text, size_t size, size_t used, const char *more, size_t length)
{
	for (size_t i = 0; i < length && used + 1 < size; i++)
		text[used++] = more[i] < 0x21 || more[i] > 0x7e ? '?' : more[i];
	text[used] = '\0';
	return used;
}

void ward_dtb_path(const struct ward_dtb_tree *tree, uint32_t node, char *ret_text, size_t size)
{
	uint32_t way[WARD_DTB_DEPTH_MAX];
	uint32_t count = 0;
	size_t used = 0;

	for (; tree->nodes[node].parent != WARD_NONE; node = tree->nodes[node].parent)
		way[count++] = node;
	ret_text[0] = '\0';
	if (count == 0)
		append_text(ret_text, size, 0, "/", 1);
	while (count-- > 0) {
		const char *name = node_name(tree, way[count]);

		used = append_text(ret_text, size, used, "/", 1);
		used = append_text(ret_text, size, used, name, strlen(name));
	}
}

void ward_dtb_device_name(const struct ward_dtb_tree *tree, uint32_t node, char *ret_text,
			  size_t size)
{
	char rest[WARD_DTB_PATH_MAX] = "", text[WARD_DTB_PATH_MAX];
	uint64_t base, length;

	for (; tree->nodes[node].parent != WARD_NONE; node = tree->nodes[node].parent) {
		const char *name = node_name(tree, node);
		bool placed = ward_dtb_address(tree, node, &base, &length);
		size_t used = 0;

		if (placed) {
			snprintf(text, sizeof(text), "%llx.", (unsigned long long)base);
			used = append_text(text, sizeof(text), strlen(text), name,
					   strcspn(name, "@"));
		} else {
			used = append_text(text, sizeof(text), 0, name, strlen(name));
		}
		if (rest[0]) {
			used = append_text(text, sizeof(text), used, ":", 1);
			append_text(text, sizeof(text), used, rest, strlen(rest));
		}
		memcpy(rest, text, sizeof(rest));
		if (placed)
			break;
	}
	append_text(ret_text, size, 0, rest, strlen(rest));
}

// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/*
 * Platform devices that firmware gives an IOMMU or an MSI controller: what the kernel knows of
 * them beside. A device tree's device has its kernel's name already; one of IORT has the path of
 * its ACPI node, which the kernel shows as firmware_node/path.
 */
#include "machine/read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "machine/builder.h"
#include "machine/read_files.h"

static int open_device(const struct ward_tree *tree, const char *bus, const char *name,
		       struct ward_dir *ret_dir)
{
	char path[WARD_TREE_PATH];
	struct ward_dir devices;
	int err;

	err = ward_dir_open(tree, bus, &devices);
	if (err < 0)
		return err;
	err = ward_dir_link(&devices, name, path);
	ward_dir_close(&devices);
	return err < 0 ? err : ward_dir_open(tree, path, ret_dir);
}

/* Opens the device whose ACPI node has that path. */
static int open_acpi_device(const struct ward_tree *tree, const struct ward_names *names,
			    const char *acpi_path, struct ward_dir *ret_dir)
{
	char node[WARD_TREE_PATH], text[256];
	struct ward_dir dir, node_dir;
	int err;

	for (size_t i = 0; i < names->count; i++) {
		err = open_device(tree, WARD_DIR_PLATFORM, names->name[i], &dir);
		if (ward_tree_failed(err))
			return err;
		if (err < 0)
			continue;
		err = ward_dir_link(&dir, WARD_LINK_FIRMWARE_NODE, node);
		if (err == 0)
			err = ward_dir_open(tree, node, &node_dir);
		if (err == 0) {
			err = ward_dir_text(&node_dir, WARD_FILE_ACPI_PATH, sizeof(text), text);
			ward_dir_close(&node_dir);
		}
		if (err == 0 && !strcmp(text, acpi_path)) {
			*ret_dir = dir;
			return 0;
		}
		ward_dir_close(&dir);
		if (ward_tree_failed(err))
			return err;
	}
	return -ENOENT;
}

/* The name of a device of its directory, where that is not the function's already. */
static int keep_device(struct ward_reading *reading, struct ward_function *f, const char *path)
{
	struct ward_arena *arena = &reading->builder->storage->arena;
	const char *last = strrchr(path, '/');
	const char **names;

	f->path = ward_arena_strdup(arena, strncmp(path, "sys/", 4) ? path : path + 3);
	if (!f->path)
		return -ENOMEM;
	if (!last || !strcmp(last + 1, f->name) || f->names_count)
		return 0;
	names = ward_arena_alloc(arena, sizeof(*names));
	if (!names)
		return -ENOMEM;
	names[0] = ward_arena_strdup(arena, last + 1);
	if (!names[0])
		return -ENOMEM;
	f->names = names;
	f->names_count = 1;
	return 0;
}

static int take_device(struct ward_reading *reading, uint32_t ordinal, const struct ward_dir *dir)
{
	struct ward_function *f = &ward_builder_machine(reading->builder)->functions[ordinal];
	struct ward_seen seen = { .ordinal = ordinal, .group_number = WARD_NONE };
	void *all = reading->seen;
	int err;

	seen.function.kind = WARD_FUNCTION_PLATFORM;
	err = ward_read_device_links(reading, dir, &seen);
	if (err == 0)
		err = keep_device(reading, f, dir->path);
	if (err == 0)
		err = ward_array_reserve(&all, &reading->seen_capacity, reading->seen_count + 1,
					 sizeof(seen));
	if (err < 0)
		return err;
	reading->seen = all;
	reading->seen[reading->seen_count++] = seen;
	if (seen.group_number != WARD_NONE)
		f->group = ward_read_group_ordinal(reading, seen.group_number);
	return 0;
}

static int read_device(struct ward_reading *reading, uint32_t ordinal,
		       const struct ward_names *names)
{
	const struct ward_function *f = &ward_builder_machine(reading->builder)->functions[ordinal];
	const struct ward_tree *tree = &reading->tree;
	struct ward_dir dir;
	int err;

	if (f->name[0] == '\\') {
		err = open_acpi_device(tree, names, f->name, &dir);
	} else {
		err = open_device(tree, WARD_DIR_PLATFORM, f->name, &dir);
		if (err < 0 && !ward_tree_failed(err))
			err = open_device(tree, WARD_DIR_AMBA, f->name, &dir);
	}
	if (err < 0)
		/* Firmware describes more than there is; it harms nobody. */
		return ward_tree_failed(err) ? err : 0;
	err = take_device(reading, ordinal, &dir);
	ward_dir_close(&dir);
	return err;
}

int ward_read_platform(struct ward_reading *reading)
{
	const struct ward_machine *machine = ward_builder_machine(reading->builder);
	struct ward_names names = { 0 };
	struct ward_dir devices;
	int err = 0;

	if (machine->functions_count == reading->pci_count)
		return 0;
	err = ward_dir_open(&reading->tree, WARD_DIR_PLATFORM, &devices);
	if (err == 0) {
		err = ward_dir_list(&devices, &names);
		ward_dir_close(&devices);
	}
	for (uint32_t i = 0; i < machine->functions_count && !ward_tree_failed(err); i++)
		if (machine->functions[i].kind == WARD_FUNCTION_PLATFORM)
			err = read_device(reading, i, &names);
	ward_names_finish(&names);
	return ward_tree_failed(err) ? err : 0;
}

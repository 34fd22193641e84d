// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* PCI functions: from the files of sysfs (Linux Documentation/PCI/sysfs-pci.rst) to the builder. */
#include "machine/read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "machine/read_files.h"
#include "pci/reset_quirk.h"

/* Resource flags of Linux include/linux/ioport.h. */
#define RESOURCE_IO 0x100u
#define RESOURCE_MEMORY 0x200u
#define RESOURCE_PREFETCH 0x2000u
#define RESOURCE_UNSET 0x20000000u
#define RESOURCE_LINES_MAX 32

struct resource {
	uint64_t start, last, flags;
};

static int read_number(const struct ward_dir *dir, const char *name, uint32_t max, uint32_t *number)
{
	uint64_t value;
	int err;

	err = ward_dir_number(dir, name, 0, max, &value);
	if (err == 0)
		*number = (uint32_t)value;
	return ward_tree_failed(err) ? err : 0;
}

static int read_ids(struct ward_reading *reading, const struct ward_dir *dir,
		    struct ward_seen *seen)
{
	uint32_t vendor = 0, device = 0, subvendor = 0, subdevice = 0, class = 0, revision = 0;
	const struct {
		const char *file;
		uint32_t max, *number;
	} ids[] = {
		{ WARD_FILE_VENDOR, 0xffff, &vendor },
		{ WARD_FILE_DEVICE, 0xffff, &device },
		{ WARD_FILE_SUBSYSTEM_VENDOR, 0xffff, &subvendor },
		{ WARD_FILE_SUBSYSTEM_DEVICE, 0xffff, &subdevice },
		{ WARD_FILE_CLASS, 0xffffff, &class },
		{ WARD_FILE_REVISION, 0xff, &revision },
	};
	struct ward_function *f = &seen->function;
	char text[WARD_ADDRESS_TEXT];
	int err = 0;

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]) && err == 0; i++)
		err = read_number(dir, ids[i].file, ids[i].max, ids[i].number);
	if (err < 0)
		return err;
	f->vendor = (uint16_t)vendor;
	f->device = (uint16_t)device;
	f->subsystem_vendor = (uint16_t)subvendor;
	f->subsystem_device = (uint16_t)subdevice;
	f->class_code = class;
	f->revision = (uint8_t)revision;
	/* What config space will tell, if it can be read. */
	if (class >> 8 == 0x0604 || class >> 8 == 0x0609)
		f->header_type = 1;
	else if (class >> 8 == 0x0607)
		f->header_type = 2;
	if (vendor)
		return 0;
	ward_address_format(f->address, text);
	return ward_builder_remark(reading->builder, "tree-incomplete",
				   "%s has no vendor that can be read", text);
}

static void take_window(struct ward_range *window, const struct resource *resource)
{
	if (resource->flags & RESOURCE_MEMORY && !(resource->flags & RESOURCE_UNSET) &&
	    resource->start < resource->last)
		*window = (struct ward_range){ resource->start, resource->last };
}

/*
 * Lines are BARs 0 to 5 and the ROM, then (where the kernel knows SR-IOV) six BARs for VFs, then
 * for bridges the windows: I/O, memory, prefetchable, one more. Always four of them, at the end.
 */
static void take_resources(struct ward_function *f, const struct resource *lines,
			   unsigned int count)
{
	for (unsigned int i = 0; i < 7 && i < count; i++) {
		const struct resource *line = &lines[i];

		if (!(line->flags & (RESOURCE_IO | RESOURCE_MEMORY)) ||
		    line->flags & RESOURCE_UNSET || line->start > line->last ||
		    (line->start == 0 && line->last == 0))
			continue;
		f->bar[i].range = (struct ward_range){ line->start, line->last };
		f->bar[i].io = line->flags & RESOURCE_IO;
		f->bar[i].prefetchable = line->flags & RESOURCE_PREFETCH;
	}
	if (f->header_type == 1 && (count == 17 || count == 11)) {
		take_window(&f->bridge.memory, &lines[count - 3]);
		take_window(&f->bridge.prefetchable, &lines[count - 2]);
	}
}

static int read_resources(const struct ward_dir *dir, struct ward_seen *seen)
{
	struct resource lines[RESOURCE_LINES_MAX];
	char text[RESOURCE_LINES_MAX * 64], *rest = text, *line;
	unsigned long long start, last, flags;
	struct ward_bytes bytes;
	unsigned int count = 0;
	int err;

	err = ward_dir_read(dir, WARD_FILE_RESOURCE, sizeof(text) - 1, &bytes);
	if (err < 0)
		return ward_tree_failed(err) ? err : 0;
	memcpy(text, bytes.data, bytes.size);
	text[bytes.size] = '\0';
	free(bytes.data);
	while (count < RESOURCE_LINES_MAX && (line = strsep(&rest, "\n"))) {
		if (sscanf(line, "0x%16llx 0x%16llx 0x%16llx", &start, &last, &flags) != 3)
			break;
		lines[count++] = (struct resource){ start, last, flags };
	}
	take_resources(&seen->function, lines, count);
	return 0;
}

/*
 * What the kernel would use counts, where it says so (Linux 5.15 and later): it knows broken
 * resets, and an administrator may have taken methods out. Those of the bus hit others, too.
 */
static int read_resets(const struct ward_dir *dir, struct ward_seen *seen)
{
	static const struct {
		const char *word;
		uint32_t reset;
	} words[] = {
		{ "flr", WARD_RESET_FLR },     { "af_flr", WARD_RESET_AF },
		{ "pm", WARD_RESET_PM },       { "device_specific", WARD_RESET_DEVICE },
		{ "acpi", WARD_RESET_DEVICE },
	};
	char text[128], *rest = text, *word;
	int err;

	err = ward_dir_text(dir, WARD_FILE_RESET_METHOD, sizeof(text), text);
	if (err < 0)
		return ward_tree_failed(err) ? err : 0;
	seen->function.resets = 0;
	seen->function.resets_known = WARD_YES;
	seen->resets_told = true;
	while ((word = strsep(&rest, " ")))
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (!strcmp(word, words[i].word))
				seen->function.resets |= words[i].reset;
	return 0;
}

/* Keeps the last part of where a link leads. */
static int keep_link(struct ward_reading *reading, const struct ward_dir *dir, const char *name,
		     const char **ret_text)
{
	char text[256];
	int err;

	err = ward_dir_link_name(dir, name, sizeof(text), text);
	if (err < 0)
		return ward_tree_failed(err) ? err : 0;
	*ret_text = ward_arena_strdup(&reading->arena, text);
	return *ret_text ? 0 : -ENOMEM;
}

static int read_override(struct ward_reading *reading, const struct ward_dir *dir,
			 struct ward_seen *seen)
{
	char text[256];
	int err;

	err = ward_dir_text(dir, WARD_FILE_OVERRIDE, sizeof(text), text);
	if (err < 0 || !text[0] || !strcmp(text, "(null)"))
		return ward_tree_failed(err) ? err : 0;
	seen->driver_override = ward_arena_strdup(&reading->arena, text);
	return seen->driver_override ? 0 : -ENOMEM;
}

int ward_read_device_links(struct ward_reading *reading, const struct ward_dir *dir,
			   struct ward_seen *seen)
{
	const char *group = NULL;
	unsigned long number;
	char *end;
	int err;

	seen->group_number = WARD_NONE;
	err = keep_link(reading, dir, WARD_LINK_DRIVER, &seen->driver);
	if (err == 0)
		err = keep_link(reading, dir, WARD_LINK_IOMMU, &seen->iommu);
	if (err == 0)
		err = keep_link(reading, dir, WARD_LINK_GROUP, &group);
	if (err == 0)
		err = read_override(reading, dir, seen);
	if (err < 0)
		return err;
	if (group && group[0] >= '0' && group[0] <= '9') {
		number = strtoul(group, &end, 10);
		if (*end == '\0' && number < WARD_NONE)
			seen->group_number = (uint32_t)number;
	}
	return ward_read_function_irqs(reading, dir, seen);
}

static int read_virtual(const struct ward_dir *dir, struct ward_seen *seen)
{
	uint32_t total = 0, enabled = 0;
	char name[WARD_ADDRESS_TEXT];
	int err;

	err = ward_dir_link_name(dir, WARD_LINK_PHYSFN, sizeof(name), name);
	if (ward_tree_failed(err))
		return err;
	seen->is_vf = err == 0 && ward_address_parse(name, &seen->physfn) == 0;
	if (seen->is_vf)
		return 0;
	err = read_number(dir, WARD_FILE_VFS_TOTAL, 0xffff, &total);
	if (err == 0 && total)
		err = read_number(dir, WARD_FILE_VFS_ENABLED, 0xffff, &enabled);
	seen->function.vfs_total = (uint16_t)total;
	seen->function.vfs_enabled = (uint16_t)enabled;
	return err;
}

/* The directory above a function's is that of the bridge above it, or a root bus. */
static void take_above(struct ward_seen *seen, const char *path)
{
	char parent[WARD_TREE_PATH];
	char *last;

	memcpy(parent, path, strlen(path) + 1);
	last = strrchr(parent, '/');
	if (!last)
		return;
	*last = '\0';
	last = strrchr(parent, '/');
	seen->has_above = last && ward_address_parse(last + 1, &seen->above) == 0;
}

static int read_files(struct ward_reading *reading, const struct ward_dir *dir,
		      struct ward_seen *seen)
{
	uint32_t msi_bus = 1;
	int err;

	err = read_ids(reading, dir, seen);
	if (err == 0)
		err = read_resources(dir, seen);
	if (err == 0)
		err = ward_read_config(reading, dir, seen);
	if (err == 0)
		err = read_resets(dir, seen);
	if (err == 0)
		err = read_virtual(dir, seen);
	if (err == 0)
		err = read_number(dir, WARD_FILE_IRQ, UINT32_MAX, &seen->irq);
	if (err == 0)
		err = ward_read_device_links(reading, dir, seen);
	if (err == 0)
		err = read_number(dir, WARD_FILE_MSI_BUS, 1, &msi_bus);
	seen->msi_bus_off = msi_bus == 0;
	if (err == 0)
		err = ward_read_names(reading, dir, seen);
	return err;
}

static int add_seen(struct ward_reading *reading, const struct ward_seen *seen)
{
	void *all = reading->seen;
	int err;

	err = ward_array_reserve(&all, &reading->seen_capacity, reading->seen_count + 1,
				 sizeof(*seen));
	if (err < 0)
		return err;
	reading->seen = all;
	reading->seen[reading->seen_count++] = *seen;
	return 0;
}

static int read_function(struct ward_reading *reading, const struct ward_dir *all, const char *name)
{
	struct ward_seen seen = { .ordinal = WARD_NONE };
	char path[WARD_TREE_PATH], text[WARD_ADDRESS_TEXT];
	struct ward_dir dir;
	int err;

	ward_function_init(&seen.function);
	/* The kernel's spelling only, so that no address can come twice. */
	if (ward_address_parse(name, &seen.function.address) < 0)
		return 0;
	ward_address_format(seen.function.address, text);
	if (strcmp(name, text) != 0)
		return 0;
	err = ward_dir_link(all, name, path);
	if (err == 0)
		err = ward_dir_open(&reading->tree, path, &dir);
	if (ward_tree_failed(err))
		return err;
	if (err < 0)
		return ward_builder_remark(reading->builder, "tree-incomplete",
					   "the directory of %s cannot be opened", name);
	take_above(&seen, path);
	seen.function.path =
		ward_arena_strdup(&reading->arena, strncmp(path, "sys/", 4) ? path : path + 3);
	err = seen.function.path ? read_files(reading, &dir, &seen) : -ENOMEM;
	ward_dir_close(&dir);
	return err < 0 ? err : add_seen(reading, &seen);
}

static int compare_seen(const void *a, const void *b)
{
	const struct ward_seen *x = a, *y = b;

	return ward_address_compare(x->function.address, y->function.address);
}

int ward_read_functions(struct ward_reading *reading)
{
	struct ward_names names;
	struct ward_dir all;
	int err;

	err = ward_dir_open(&reading->tree, WARD_DIR_PCI, &all);
	if (err < 0)
		return ward_tree_failed(err) ? err : 0;
	reading->has_pci = true;
	err = ward_dir_list(&all, &names);
	if (err == 0) {
		for (size_t i = 0; i < names.count && err == 0; i++)
			err = read_function(reading, &all, names.name[i]);
		ward_names_finish(&names);
	}
	ward_dir_close(&all);
	if (err == 0 && reading->seen_count)
		qsort(reading->seen, reading->seen_count, sizeof(*reading->seen), compare_seen);
	reading->pci_count = reading->seen_count;
	return err == -ENOENT || err == -EACCES ? 0 : err;
}

static const struct ward_seen *find_seen(const struct ward_reading *reading,
					 struct ward_address address)
{
	struct ward_seen key = { .function.address = address };

	return bsearch(&key, reading->seen, reading->pci_count, sizeof(key), compare_seen);
}

/* Fills what refers to other functions. They are added in order: ordinals are known before. */
static int link_seen(struct ward_reading *reading, struct ward_seen *seen)
{
	struct ward_function *f = &seen->function;
	const struct ward_seen *other;
	char text[WARD_ADDRESS_TEXT];
	int err;

	f->names = seen->names;
	f->names_count = seen->names_count;
	if (seen->group_number != WARD_NONE)
		f->group = ward_read_group_ordinal(reading, seen->group_number);
	ward_read_function_iommu(reading, seen);
	err = ward_read_function_controller(reading, seen);
	if (err < 0)
		return err;
	if (seen->is_vf) {
		other = find_seen(reading, seen->physfn);
		if (other && other != seen && !other->is_vf &&
		    other->function.address.segment == f->address.segment) {
			f->physfn = (uint32_t)(other - reading->seen);
			return 0;
		}
		ward_address_format(f->address, text);
		return ward_builder_remark(reading->builder, "tree-incomplete",
					   "the PF of %s is not in the tree", text);
	}
	other = seen->has_above ? find_seen(reading, seen->above) : NULL;
	if (other && other->function.header_type != 0 &&
	    other->function.address.segment == f->address.segment &&
	    ward_rid_bus(other->function.address.rid) < ward_rid_bus(f->address.rid))
		f->parent = (uint32_t)(other - reading->seen);
	return 0;
}

int ward_read_functions_add(struct ward_reading *reading)
{
	int err = 0;

	for (size_t i = 0; i < reading->pci_count && err == 0; i++) {
		struct ward_function *f = &reading->seen[i].function;

		err = link_seen(reading, &reading->seen[i]);
		/* The kernel hides reset_method where its own table leaves no method. */
		if (!reading->seen[i].resets_told)
			f->resets = ward_reset_quirk(f);
		if (err == 0)
			err = ward_builder_add_function(reading->builder, f,
							&reading->seen[i].ordinal);
	}
	return err;
}

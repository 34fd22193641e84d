// SPDX-License-Identifier: Apache-2.0 OR BSD-3-Clause
/* The kernel's IOMMUs, its groups, and what it says of the IOMMU of each function. */
#include "machine/read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "machine/builder.h"
#include "machine/read_files.h"

#define REGIONS_MAX 256

/* Registers that IOMMU drivers show; what is not there stays 0. */
static int read_registers(struct ward_reading *reading, const char *path,
			  struct ward_kernel_iommu *iommu, uint64_t *base)
{
	struct ward_dir dir;
	int err;

	err = ward_dir_open(&reading->tree, path, &dir);
	if (err < 0)
		return err;
	err = ward_dir_number(&dir, WARD_FILE_INTEL_CAP, 16, UINT64_MAX, &iommu->cap);
	if (err == 0)
		err = ward_dir_number(&dir, WARD_FILE_INTEL_ECAP, 16, UINT64_MAX, &iommu->ecap);
	if (err == -ENOENT) {
		err = ward_dir_number(&dir, WARD_FILE_AMD_CAP, 16, UINT64_MAX, &iommu->cap);
		if (err == 0)
			err = ward_dir_number(&dir, WARD_FILE_AMD_FEATURES, 16, UINT64_MAX,
					      &iommu->ecap);
	}
	iommu->registers_known = err == 0;
	if (!ward_tree_failed(err))
		err = ward_dir_number(&dir, WARD_FILE_INTEL_ADDRESS, 16, UINT64_MAX, base);
	ward_dir_close(&dir);
	return err;
}

static int read_iommu(struct ward_reading *reading, const struct ward_dir *class, const char *name)
{
	const char *suffix = strstr(name, ".0x"); /* smmu3.0x0000000009050000 */
	void *iommus = reading->iommus, *bases = reading->iommu_bases;
	uint64_t base = suffix ? strtoull(suffix + 1, NULL, 16) : 0;
	struct ward_kernel_iommu iommu = { 0 };
	char path[WARD_TREE_PATH];
	int err;

	err = ward_dir_link(class, name, path);
	if (err < 0)
		return err;
	err = read_registers(reading, path, &iommu, &base);
	if (ward_tree_failed(err))
		return err;
	iommu.name = ward_arena_strdup(&reading->arena, name);
	if (!iommu.name)
		return -ENOMEM;
	err = ward_array_reserve(&iommus, &reading->iommus_capacity, reading->iommus_count + 1,
				 sizeof(iommu));
	if (err < 0)
		return err;
	reading->iommus = iommus;
	err = ward_array_reserve(&bases, &reading->iommu_bases_capacity, reading->iommus_count + 1,
				 sizeof(base));
	if (err < 0)
		return err;
	reading->iommu_bases = bases;
	reading->iommu_bases[reading->iommus_count] = base;
	reading->iommus[reading->iommus_count++] = iommu;
	return 0;
}

int ward_read_iommus(struct ward_reading *reading)
{
	struct ward_names names = { 0 };
	struct ward_dir class;
	int err;

	err = ward_dir_open(&reading->tree, WARD_DIR_IOMMUS, &class);
	if (err == 0) {
		err = ward_dir_list(&class, &names);
		for (size_t i = 0; i < names.count && !ward_tree_failed(err); i++)
			err = read_iommu(reading, &class, names.name[i]);
		ward_names_finish(&names);
		ward_dir_close(&class);
		if (ward_tree_failed(err))
			return err;
		err = 0;
	}
	if (ward_tree_failed(err))
		return err;
	/* A kernel without any IOMMU driver has no such class: nothing is used then, either. */
	reading->evidence.iommus_known = err == 0 || err == -ENOENT;
	reading->evidence.iommus = reading->iommus;
	reading->evidence.iommus_count = (uint32_t)reading->iommus_count;
	return 0;
}

static enum ward_iommu_kind kind_of(const char *name)
{
	static const struct {
		const char *start;
		enum ward_iommu_kind kind;
	} kinds[] = {
		{ "dmar", WARD_IOMMU_VTD },
		{ "ivhd", WARD_IOMMU_AMD },
		{ "smmu3.", WARD_IOMMU_SMMUV3 },
		{ "smmu.", WARD_IOMMU_SMMUV2 },
	};
	struct ward_address address;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strncmp(name, kinds[i].start, strlen(kinds[i].start)))
			return kinds[i].kind;
	/* virtio-iommu is named like the device it is. */
	if (ward_address_parse(name, &address) == 0 || strstr(name, "virtio"))
		return WARD_IOMMU_VIRTIO;
	return WARD_IOMMU_OTHER;
}

static uint32_t find_iommu(const struct ward_reading *reading, const char *name)
{
	const struct ward_machine *machine = ward_builder_machine(reading->builder);

	for (uint32_t i = 0; i < machine->iommus_count; i++)
		if (!strcmp(machine->iommus[i].name, name))
			return i;
	return WARD_NONE;
}

int ward_read_iommus_add(struct ward_reading *reading)
{
	int err = 0;

	for (size_t i = 0; i < reading->iommus_count && err == 0; i++) {
		const struct ward_kernel_iommu *seen = &reading->iommus[i];
		struct ward_iommu iommu = {
			.kind = kind_of(seen->name),
			.name = seen->name,
			.base = ward_pa(reading->iommu_bases[i]),
			.active = WARD_YES,
			.controller = WARD_NONE,
		};

		if (find_iommu(reading, seen->name) != WARD_NONE)
			continue;
		/* Extended capability bits: 3 interrupt remapping, 2 device TLB (VT-d 11.4.3). */
		if (iommu.kind == WARD_IOMMU_VTD && seen->registers_known) {
			iommu.ats = seen->ecap & 4 ? WARD_YES : WARD_NO;
			iommu.remaps_interrupts =
				seen->ecap & 8 ? reading->evidence.remapping : WARD_NO;
		} else if (iommu.kind == WARD_IOMMU_AMD) {
			iommu.remaps_interrupts = reading->evidence.remapping;
		}
		err = ward_builder_add_iommu(reading->builder, &iommu, NULL);
	}
	return err;
}

static enum ward_group_type group_type(const char *word)
{
	static const struct {
		const char *word;
		enum ward_group_type type;
	} types[] = {
		{ "DMA", WARD_GROUP_DMA },
		{ "DMA-FQ", WARD_GROUP_DMA_FQ },
		{ "identity", WARD_GROUP_IDENTITY },
		{ "blocked", WARD_GROUP_BLOCKED },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(word, types[i].word))
			return types[i].type;
	return WARD_GROUP_TYPE_UNKNOWN;
}

/*
 * The kernel has one word, msi, for two kinds. A window of the hardware is wherever the hardware
 * says (x86's, the doorbell page that a virtual IOMMU tells of); the one in which software maps
 * doorbells is at Linux's own place, the same for all drivers that have one (MSI_IOVA_BASE).
 */
static enum ward_region_kind msi_kind(enum ward_arch arch, struct ward_range range)
{
	bool at_linux_place = range.start == WARD_SW_MSI_START && range.last == WARD_SW_MSI_LAST;

	/* POWER's bridges translate in hardware, and no driver there has a software window. */
	return at_linux_place && arch != WARD_ARCH_POWER ? WARD_REGION_SW_MSI : WARD_REGION_MSI;
}

/* "0x00000000fee00000 0x00000000feefffff msi" */
static bool parse_region(const char *line, enum ward_arch arch, struct ward_region *region)
{
	static const struct {
		const char *word;
		enum ward_region_kind kind;
	} kinds[] = {
		{ "direct", WARD_REGION_DIRECT },
		{ "direct-relaxable", WARD_REGION_DIRECT_RELAXABLE },
		{ "reserved", WARD_REGION_RESERVED },
		{ "msi", WARD_REGION_MSI },
	};
	unsigned long long start, last;
	char word[32];

	if (sscanf(line, "0x%16llx 0x%16llx %31s", &start, &last, word) != 3 || start > last)
		return false;
	region->range = (struct ward_range){ start, last };
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(word, kinds[i].word)) {
			region->kind = kinds[i].kind;
			if (region->kind == WARD_REGION_MSI)
				region->kind = msi_kind(arch, region->range);
			return true;
		}
	/* A kind that we do not know is one that must be kept out of. */
	region->kind = WARD_REGION_RESERVED;
	return true;
}

static int read_regions(struct ward_reading *reading, const struct ward_dir *dir, uint32_t group)
{
	struct ward_region region = { .function = WARD_NONE, .group = group, .source = "kernel" };
	struct ward_bytes bytes = { 0 };
	char line[128];
	size_t at = 0, count = 0;
	int err;

	err = ward_dir_read(dir, WARD_FILE_GROUP_REGIONS, WARD_LIMIT_FILE, &bytes);
	while (err == 0 && at < bytes.size && count < REGIONS_MAX) {
		const uint8_t *end = memchr(bytes.data + at, '\n', bytes.size - at);
		size_t length = end ? (size_t)(end - bytes.data) - at : bytes.size - at;

		if (length < sizeof(line)) {
			memcpy(line, bytes.data + at, length);
			line[length] = '\0';
			if (parse_region(line, reading->arch, &region)) {
				err = ward_builder_add_region(reading->builder, &region);
				count++;
			}
		}
		at += length + 1;
	}
	free(bytes.data);
	return err;
}

static int read_group(struct ward_reading *reading, const struct ward_dir *groups, const char *name)
{
	struct ward_kernel_group group = { 0 };
	struct ward_seen_group seen = { 0 };
	void *all = reading->groups;
	unsigned long number;
	struct ward_dir dir;
	char text[32], *end;
	int err;

	errno = 0;
	number = strtoul(name, &end, 10);
	if (errno || *end != '\0' || name[0] < '0' || name[0] > '9' || number >= WARD_NONE ||
	    (name[0] == '0' && name[1]))
		return 0;
	group.number = (uint32_t)number;
	err = ward_array_reserve(&all, &reading->groups_capacity, reading->groups_count + 1,
				 sizeof(seen));
	if (err < 0)
		return err;
	reading->groups = all;
	err = ward_dir_enter(groups, name, &dir);
	if (err < 0)
		return err;
	err = ward_dir_text(&dir, WARD_FILE_GROUP_TYPE, sizeof(text), text);
	if (err == 0)
		group.type = group_type(text);
	if (!ward_tree_failed(err))
		err = ward_builder_add_group(reading->builder, &group, &seen.ordinal);
	if (err == 0) {
		seen.number = group.number;
		reading->groups[reading->groups_count++] = seen;
		err = read_regions(reading, &dir, seen.ordinal);
	}
	ward_dir_close(&dir);
	return err;
}

static int compare_groups(const void *a, const void *b)
{
	const struct ward_seen_group *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

int ward_read_groups(struct ward_reading *reading)
{
	struct ward_names names;
	struct ward_dir groups;
	int err;

	err = ward_dir_open(&reading->tree, WARD_DIR_GROUPS, &groups);
	if (err < 0) {
		/* A kernel that translates nothing has no groups. */
		ward_builder_machine(reading->builder)->groups_known =
			err == -ENOENT && reading->evidence.iommus_known &&
			reading->iommus_count == 0;
		return ward_tree_failed(err) ? err : 0;
	}
	err = ward_dir_list(&groups, &names);
	if (err == 0) {
		for (size_t i = 0; i < names.count && !ward_tree_failed(err); i++)
			err = read_group(reading, &groups, names.name[i]);
		ward_names_finish(&names);
		ward_builder_machine(reading->builder)->groups_known = true;
	}
	ward_dir_close(&groups);
	if (reading->groups_count)
		qsort(reading->groups, reading->groups_count, sizeof(*reading->groups),
		      compare_groups);
	return ward_tree_failed(err) ? err : 0;
}

uint32_t ward_read_group_ordinal(const struct ward_reading *reading, uint32_t number)
{
	struct ward_seen_group key = { .number = number };
	const struct ward_seen_group *found = NULL;

	if (reading->groups_count)
		found = bsearch(&key, reading->groups, reading->groups_count, sizeof(key),
				compare_groups);
	return found ? found->ordinal : WARD_NONE;
}

void ward_read_function_iommu(const struct ward_reading *reading, struct ward_seen *seen)
{
	struct ward_function *f = &seen->function;

	/*
	 * Elsewhere the StreamID is firmware's to tell, and a function without group may well be
	 * translated: before Linux 7 it gets its group when a driver probes it.
	 */
	if (reading->arch != WARD_ARCH_X86)
		return;
	if (seen->iommu) {
		f->stream.iommu = find_iommu(reading, seen->iommu);
		f->stream.sid = ward_sid(ward_rid_raw(f->address.rid));
		f->iommu_known = f->stream.iommu == WARD_NONE ? WARD_UNKNOWN : WARD_YES;
		f->iommu_evidence = "the kernel's link to its IOMMU";
	} else if (seen->group_number == WARD_NONE && reading->evidence.iommus_known) {
		f->iommu_known = WARD_YES;
		f->iommu_evidence = reading->iommus_count
					    ? "the kernel put it behind none of its IOMMUs"
					    : "the kernel uses no IOMMU";
	}
}

/* The IOMMU that firmware's map gives a requester id; false when the map has no such id. */
static bool mapped_iommu(const struct ward_builder *builder, struct ward_address address,
			 uint32_t *ret_iommu)
{
	for (size_t i = 0; i < builder->maps_count; i++) {
		const struct ward_id_map *map = &builder->maps[i];
		uint16_t masked = ward_rid_raw(address.rid) & map->mask;

		if (map->kind == WARD_ID_MAP_IOMMU && map->segment == address.segment &&
		    masked >= ward_rid_raw(map->first) && masked <= ward_rid_raw(map->last)) {
			*ret_iommu = map->target;
			return true;
		}
	}
	return false;
}

static int settle_iommu(struct ward_reading *reading, const struct ward_seen *seen)
{
	struct ward_function *f = &ward_builder_machine(reading->builder)->functions[seen->ordinal];
	uint32_t mapped = WARD_NONE, kernel;
	bool has_map;

	if (f->kind != WARD_FUNCTION_PCI || f->iommu_known != WARD_UNKNOWN)
		return 0;
	has_map = mapped_iommu(reading->builder, f->address, &mapped);
	if (seen->iommu) {
		kernel = find_iommu(reading, seen->iommu);
		if (kernel == WARD_NONE || (has_map && mapped == kernel))
			return 0;
		f->iommu_known = WARD_YES;
		f->stream.iommu = kernel;
		f->stream.sid = ward_sid(ward_rid_raw(f->address.rid));
		f->iommu_evidence = "the kernel's link to its IOMMU";
		if (has_map)
			return ward_builder_remark(reading->builder, "iommu-contradiction",
						   "firmware's id map and the kernel name different "
						   "IOMMUs for %s",
						   f->name);
	} else if (!has_map && reading->evidence.iommus_known &&
		   /* POWER has groups and shows no IOMMU: that is not "none". */
		   (reading->iommus_count ? reading->firmware_known
					  : seen->group_number == WARD_NONE)) {
		f->iommu_known = WARD_YES;
		f->iommu_evidence = reading->iommus_count
					    ? "neither firmware nor the kernel puts it behind one"
					    : "the kernel uses no IOMMU";
	}
	return 0;
}

int ward_read_settle_iommus(struct ward_reading *reading)
{
	int err = 0;

	if (reading->arch == WARD_ARCH_X86)
		return 0;
	for (size_t i = 0; i < reading->pci_count && err == 0; i++)
		if (reading->seen[i].ordinal != WARD_NONE)
			err = settle_iommu(reading, &reading->seen[i]);
	return err;
}
